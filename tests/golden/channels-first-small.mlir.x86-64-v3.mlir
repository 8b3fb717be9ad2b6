// gn_f32_o1_g2_c3_i301_relu: group normalisation, specialised by gngen.
//
// input   x        f32[batch * 1806]
// input   gamma    f32[6]
// input   beta     f32[6]
// output  y        f32[batch * 1806]
//
// Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
// Phases, each done before the next begins; their items may be done in any order and at once:
// 0: batch * 2 items, all samples at once

// Loops are unrolled as the nest says, and not otherwise.
#once = #llvm.loop_annotation<unroll = <disable = true>>
#times_4 = #llvm.loop_annotation<unroll = <count = 4 : i32>>

// The sum of the lanes, the upper half onto the lower, and so on.
func.func private @sum_f64x8(%v8: vector<8xf64>) -> f64 attributes {llvm.linkage = #llvm.linkage<internal>, passthrough = ["nounwind", "alwaysinline"]} {
  %low4 = vector.shuffle %v8, %v8 [0, 1, 2, 3] : vector<8xf64>, vector<8xf64>
  %high4 = vector.shuffle %v8, %v8 [4, 5, 6, 7] : vector<8xf64>, vector<8xf64>
  %v4 = arith.addf %low4, %high4 : vector<4xf64>
  %low2 = vector.shuffle %v4, %v4 [0, 1] : vector<4xf64>, vector<4xf64>
  %high2 = vector.shuffle %v4, %v4 [2, 3] : vector<4xf64>, vector<4xf64>
  %v2 = arith.addf %low2, %high2 : vector<2xf64>
  %first = vector.extract %v2[0] : f64 from vector<2xf64>
  %second = vector.extract %v2[1] : f64 from vector<2xf64>
  %sum = arith.addf %first, %second : f64
  return %sum : f64
}

func.func private @relu_f32x8(%x: vector<8xf32>) -> vector<8xf32> attributes {llvm.linkage = #llvm.linkage<internal>, passthrough = ["nounwind", "alwaysinline"]} {
  %cst = arith.constant dense<0.0> : vector<8xf32>
  %0 = arith.cmpf ogt, %cst, %x : vector<8xf32>
  %1 = arith.select %0, %cst, %x : vector<8xi1>, vector<8xf32>
  return %1 : vector<8xf32>
}

func.func @gn_f32_o1_g2_c3_i301_relu_phase0(%x.given: memref<1x1x2x3x301xf32>, %gamma: memref<6xf32> {llvm.noalias}, %beta: memref<6xf32> {llvm.noalias}, %y.given: memref<1x1x2x3x301xf32>, %batch: index, %item_first: index, %item_last: index) attributes {passthrough = ["nounwind", "noinline", "no-builtins"]} {
  %x = memref.reinterpret_cast %x.given to offset: [0], sizes: [%batch, 1, 2, 903], strides: [1806, 1806, 903, 1] : memref<1x1x2x3x301xf32> to memref<?x1x2x903xf32>
  %x.1 = memref.reinterpret_cast %x.given to offset: [0], sizes: [%batch, 1, 2, 3, 301], strides: [1806, 1806, 903, 301, 1] : memref<1x1x2x3x301xf32> to memref<?x1x2x3x301xf32>
  %y = memref.reinterpret_cast %y.given to offset: [0], sizes: [%batch, 1, 2, 3, 301], strides: [1806, 1806, 903, 301, 1] : memref<1x1x2x3x301xf32> to memref<?x1x2x3x301xf32>
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c0 = arith.constant 0 : index
  %cst = arith.constant dense<0.0> : vector<8xf32>
  %c32 = arith.constant 32 : index
  %c872 = arith.constant 872 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c24 = arith.constant 24 : index
  %c896 = arith.constant 896 : index
  %c903 = arith.constant 903 : index
  %cst.1 = arith.constant 16.0 : f64
  %cst.2 = arith.constant 3.4028234663852886e+38 : f64
  %true = arith.constant true
  %cst.3 = arith.constant 0.0 : f64
  %cst.4 = arith.constant 0.001 : f64
  %cst.5 = arith.constant 1.0 : f64
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c1806 = arith.constant 1806 : index
  %c301 = arith.constant 301 : index
  %c7 = arith.constant 7 : index
  %c294 = arith.constant 294 : index
  scf.for %item = %item_first to %item_last step %c1 {
    %g = arith.remsi %item, %c2 : index
    %n = arith.divsi %item, %c2 : index
    %shift = memref.load %x[%n, %c0, %g, %c0] : memref<?x1x2x903xf32>
    %shifts = vector.broadcast %shift : f32 to vector<8xf32>
    %sum.2, %square.2, %sum_2.2, %square_2.2, %sum_3.2, %square_3.2, %sum_4.2, %square_4.2 = scf.for %i = %c0 to %c872 step %c32 iter_args(%sum = %cst, %square = %cst, %sum_2 = %cst, %square_2 = %cst, %sum_3 = %cst, %square_3 = %cst, %sum_4 = %cst, %square_4 = %cst) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
      %0 = vector.load %x[%n, %c0, %g, %i] : memref<?x1x2x903xf32>, vector<8xf32>
      %d = arith.subf %0, %shifts : vector<8xf32>
      %sum.1 = arith.addf %sum, %d : vector<8xf32>
      %square.1 = math.fma %d, %d, %square : vector<8xf32>
      %1 = arith.addi %i, %c8 : index
      %2 = vector.load %x[%n, %c0, %g, %1] : memref<?x1x2x903xf32>, vector<8xf32>
      %d_2 = arith.subf %2, %shifts : vector<8xf32>
      %sum_2.1 = arith.addf %sum_2, %d_2 : vector<8xf32>
      %square_2.1 = math.fma %d_2, %d_2, %square_2 : vector<8xf32>
      %3 = arith.addi %i, %c16 : index
      %4 = vector.load %x[%n, %c0, %g, %3] : memref<?x1x2x903xf32>, vector<8xf32>
      %d_3 = arith.subf %4, %shifts : vector<8xf32>
      %sum_3.1 = arith.addf %sum_3, %d_3 : vector<8xf32>
      %square_3.1 = math.fma %d_3, %d_3, %square_3 : vector<8xf32>
      %5 = arith.addi %i, %c24 : index
      %6 = vector.load %x[%n, %c0, %g, %5] : memref<?x1x2x903xf32>, vector<8xf32>
      %d_4 = arith.subf %6, %shifts : vector<8xf32>
      %sum_4.1 = arith.addf %sum_4, %d_4 : vector<8xf32>
      %square_4.1 = math.fma %d_4, %d_4, %square_4 : vector<8xf32>
      scf.yield %sum.1, %square.1, %sum_2.1, %square_2.1, %sum_3.1, %square_3.1, %sum_4.1, %square_4.1 : vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
    } {llvm.loop_annotation = #once}
    %7 = vector.constant_mask [7] : vector<8xi1>
    %8 = vector.maskedload %x[%n, %c0, %g, %c896], %7, %shifts : memref<?x1x2x903xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
    %d_6 = arith.subf %8, %shifts : vector<8xf32>
    %sum.3 = arith.addf %sum.2, %d_6 : vector<8xf32>
    %square.3 = math.fma %d_6, %d_6, %square.2 : vector<8xf32>
    %9 = arith.index_cast %c903 : index to i64
    %count = arith.sitofp %9 : i64 to f64
    %10 = arith.addf %sum.3, %sum_2.2 : vector<8xf32>
    %11 = arith.addf %sum_3.2, %sum_4.2 : vector<8xf32>
    %12 = arith.addf %10, %11 : vector<8xf32>
    %13 = arith.extf %12 : vector<8xf32> to vector<8xf64>
    %total = func.call @sum_f64x8(%13) : (vector<8xf64>) -> f64
    %14 = arith.addf %square.3, %square_2.2 : vector<8xf32>
    %15 = arith.addf %square_3.2, %square_4.2 : vector<8xf32>
    %16 = arith.addf %14, %15 : vector<8xf32>
    %17 = arith.extf %16 : vector<8xf32> to vector<8xf64>
    %squares = func.call @sum_f64x8(%17) : (vector<8xf64>) -> f64
    %off = arith.divf %total, %count : f64
    %18 = arith.extf %shift : f32 to f64
    %block_mean = arith.addf %18, %off : f64
    %19 = arith.mulf %total, %off : f64
    %block_m2 = arith.subf %squares, %19 : f64
    %20 = arith.mulf %block_m2, %cst.1 : f64
    %21 = arith.cmpf olt, %cst.2, %20 : f64
    %22 = arith.select %21, %cst.2, %20 : f64
    %23 = arith.cmpf ole, %squares, %22 : f64
    %24 = arith.xori %23, %true : i1
    %block_mean.2, %block_m2.2 = scf.if %24 -> (f64, f64) {
      %redo.2 = scf.for %i_3 = %c0 to %c903 step %c1 iter_args(%redo = %cst.3) -> (f64) {
        %25 = memref.load %x[%n, %c0, %g, %i_3] : memref<?x1x2x903xf32>
        %26 = arith.extf %25 : f32 to f64
        %redo.1 = arith.addf %redo, %26 : f64
        scf.yield %redo.1 : f64
      } {llvm.loop_annotation = #once}
      %center = arith.divf %redo.2, %count : f64
      %redo_rest.2, %redo_square.2 = scf.for %i_4 = %c0 to %c903 step %c1 iter_args(%redo_rest = %cst.3, %redo_square = %cst.3) -> (f64, f64) {
        %27 = memref.load %x[%n, %c0, %g, %i_4] : memref<?x1x2x903xf32>
        %28 = arith.extf %27 : f32 to f64
        %e = arith.subf %28, %center : f64
        %redo_rest.1 = arith.addf %redo_rest, %e : f64
        %redo_square.1 = math.fma %e, %e, %redo_square : f64
        scf.yield %redo_rest.1, %redo_square.1 : f64, f64
      } {llvm.loop_annotation = #once}
      %29 = arith.divf %redo_rest.2, %count : f64
      %block_mean.1 = arith.addf %center, %29 : f64
      %30 = arith.mulf %redo_rest.2, %redo_rest.2 : f64
      %31 = arith.divf %30, %count : f64
      %block_m2.1 = arith.subf %redo_square.2, %31 : f64
      scf.yield %block_mean.1, %block_m2.1 : f64, f64
    } else {
      scf.yield %block_mean, %block_m2 : f64, f64
    }
    %32 = arith.cmpf ogt, %cst.3, %block_m2.2 : f64
    %33 = arith.select %32, %cst.3, %block_m2.2 : f64
    %34 = arith.divf %33, %count : f64
    %spread = arith.addf %34, %cst.4 : f64
    %35 = math.sqrt %spread : f64
    %rstd_all = arith.divf %cst.5, %35 : f64
    %mean_high = arith.truncf %block_mean.2 : f64 to f32
    %36 = arith.extf %mean_high : f32 to f64
    %37 = arith.subf %block_mean.2, %36 : f64
    %mean_low = arith.truncf %37 : f64 to f32
    %rstd_1 = arith.truncf %rstd_all : f64 to f32
    scf.for %c = %c0 to %c3 step %c1 {
      %38 = arith.muli %g, %c3 : index
      %39 = arith.addi %38, %c : index
      %40 = memref.load %gamma[%39] : memref<6xf32>
      %scale = arith.mulf %rstd_1, %40 : f32
      %41 = arith.negf %mean_low : f32
      %42 = memref.load %beta[%39] : memref<6xf32>
      %offset = math.fma %41, %scale, %42 : f32
      %highs = vector.broadcast %mean_high : f32 to vector<8xf32>
      %scales = vector.broadcast %scale : f32 to vector<8xf32>
      %offsets = vector.broadcast %offset : f32 to vector<8xf32>
      %43 = memref.extract_aligned_pointer_as_index %y : memref<?x1x2x3x301xf32> -> index
      %44 = arith.divui %43, %c4 : index
      %45 = arith.muli %n, %c1806 : index
      %46 = arith.muli %g, %c903 : index
      %47 = arith.addi %45, %46 : index
      %48 = arith.muli %c, %c301 : index
      %49 = arith.addi %47, %48 : index
      %50 = arith.addi %44, %49 : index
      %51 = arith.subi %c0, %50 : index
      %phase = arith.andi %51, %c7 : index
      %aligned = arith.minsi %phase, %c301 : index
      %52 = arith.cmpi slt, %c0, %aligned : index
      scf.if %52 {
        %53 = arith.minsi %aligned, %c8 : index
        %54 = vector.create_mask %53 : vector<8xi1>
        %55 = vector.maskedload %x.1[%n, %c0, %g, %c, %c0], %54, %cst : memref<?x1x2x3x301xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
        %56 = arith.subf %55, %highs : vector<8xf32>
        %57 = math.fma %56, %scales, %offsets : vector<8xf32>
        %58 = func.call @relu_f32x8(%57) : (vector<8xf32>) -> vector<8xf32>
        vector.maskedstore %y[%n, %c0, %g, %c, %c0], %54, %58 : memref<?x1x2x3x301xf32>, vector<8xi1>, vector<8xf32>
      }
      scf.for %i_5 = %aligned to %c294 step %c8 {
        %59 = vector.load %x.1[%n, %c0, %g, %c, %i_5] : memref<?x1x2x3x301xf32>, vector<8xf32>
        %60 = arith.subf %59, %highs : vector<8xf32>
        %61 = math.fma %60, %scales, %offsets : vector<8xf32>
        %62 = func.call @relu_f32x8(%61) : (vector<8xf32>) -> vector<8xf32>
        vector.store %62, %y[%n, %c0, %g, %c, %i_5] : memref<?x1x2x3x301xf32>, vector<8xf32>
      } {llvm.loop_annotation = #times_4}
      %63 = arith.subi %c301, %aligned : index
      %64 = arith.divsi %63, %c8 : index
      %65 = arith.muli %64, %c8 : index
      %tail = arith.addi %aligned, %65 : index
      %66 = arith.cmpi slt, %tail, %c301 : index
      scf.if %66 {
        %67 = arith.subi %c301, %tail : index
        %68 = arith.minsi %67, %c8 : index
        %69 = vector.create_mask %68 : vector<8xi1>
        %70 = vector.maskedload %x.1[%n, %c0, %g, %c, %tail], %69, %cst : memref<?x1x2x3x301xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
        %71 = arith.subf %70, %highs : vector<8xf32>
        %72 = math.fma %71, %scales, %offsets : vector<8xf32>
        %73 = func.call @relu_f32x8(%72) : (vector<8xf32>) -> vector<8xf32>
        vector.maskedstore %y[%n, %c0, %g, %c, %tail], %69, %73 : memref<?x1x2x3x301xf32>, vector<8xi1>, vector<8xf32>
      }
    } {llvm.loop_annotation = #once}
  } {llvm.loop_annotation = #once}
  return
}
