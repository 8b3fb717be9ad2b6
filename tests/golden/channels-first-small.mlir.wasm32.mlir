// gn_f32_o1_g2_c3_i301_relu: group normalisation, specialised by gngen.
//
// input   x        f32[batch * 1806]
// input   gamma    f32[6]
// input   beta     f32[6]
// output  y        f32[batch * 1806]
//
// Machine: WebAssembly with simd128; 128-bit vectors.
// Phases, each done before the next begins; their items may be done in any order and at once:
// 0: batch * 2 items, all samples at once

// Loops are unrolled as the nest says, and not otherwise.
#once = #llvm.loop_annotation<unroll = <disable = true>>
#times_4 = #llvm.loop_annotation<unroll = <count = 4 : i32>>

// The sum of the lanes, the upper half onto the lower, and so on.
func.func private @sum_f64x4(%v4: vector<4xf64>) -> f64 attributes {llvm.linkage = #llvm.linkage<internal>, passthrough = ["nounwind", "alwaysinline"]} {
  %low2 = vector.shuffle %v4, %v4 [0, 1] : vector<4xf64>, vector<4xf64>
  %high2 = vector.shuffle %v4, %v4 [2, 3] : vector<4xf64>, vector<4xf64>
  %v2 = arith.addf %low2, %high2 : vector<2xf64>
  %first = vector.extract %v2[0] : f64 from vector<2xf64>
  %second = vector.extract %v2[1] : f64 from vector<2xf64>
  %sum = arith.addf %first, %second : f64
  return %sum : f64
}

func.func private @relu_f32x4(%x: vector<4xf32>) -> vector<4xf32> attributes {llvm.linkage = #llvm.linkage<internal>, passthrough = ["nounwind", "alwaysinline"]} {
  %cst = arith.constant dense<0.0> : vector<4xf32>
  %0 = arith.cmpf ogt, %cst, %x : vector<4xf32>
  %1 = arith.select %0, %cst, %x : vector<4xi1>, vector<4xf32>
  return %1 : vector<4xf32>
}

func.func @gn_f32_o1_g2_c3_i301_relu_phase0(%x.given: memref<1x1x2x3x301xf32>, %gamma: memref<6xf32> {llvm.noalias}, %beta: memref<6xf32> {llvm.noalias}, %y.given: memref<1x1x2x3x301xf32>, %batch: index, %item_first: index, %item_last: index) attributes {passthrough = ["nounwind", "noinline", "no-builtins"]} {
  %x = memref.reinterpret_cast %x.given to offset: [0], sizes: [%batch, 1, 2, 903], strides: [1806, 1806, 903, 1] : memref<1x1x2x3x301xf32> to memref<?x1x2x903xf32>
  %x.1 = memref.reinterpret_cast %x.given to offset: [0], sizes: [%batch, 1, 2, 3, 301], strides: [1806, 1806, 903, 301, 1] : memref<1x1x2x3x301xf32> to memref<?x1x2x3x301xf32>
  %y = memref.reinterpret_cast %y.given to offset: [0], sizes: [%batch, 1, 2, 3, 301], strides: [1806, 1806, 903, 301, 1] : memref<1x1x2x3x301xf32> to memref<?x1x2x3x301xf32>
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c0 = arith.constant 0 : index
  %cst = arith.constant dense<0.0> : vector<4xf32>
  %c16 = arith.constant 16 : index
  %c888 = arith.constant 888 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c12 = arith.constant 12 : index
  %c896 = arith.constant 896 : index
  %c900 = arith.constant 900 : index
  %c903 = arith.constant 903 : index
  %cst.1 = arith.constant 16.0 : f64
  %cst.2 = arith.constant 3.4028234663852886e+38 : f64
  %true = arith.constant true
  %cst.3 = arith.constant 0.0 : f64
  %cst.4 = arith.constant 0.001 : f64
  %cst.5 = arith.constant 1.0 : f64
  %c3 = arith.constant 3 : index
  %c1806 = arith.constant 1806 : index
  %c301 = arith.constant 301 : index
  %c298 = arith.constant 298 : index
  scf.for %item = %item_first to %item_last step %c1 {
    %g = arith.remsi %item, %c2 : index
    %n = arith.divsi %item, %c2 : index
    %shift = memref.load %x[%n, %c0, %g, %c0] : memref<?x1x2x903xf32>
    %shifts = vector.broadcast %shift : f32 to vector<4xf32>
    %sum.2, %square.2, %sum_2.2, %square_2.2, %sum_3.2, %square_3.2, %sum_4.2, %square_4.2 = scf.for %i = %c0 to %c888 step %c16 iter_args(%sum = %cst, %square = %cst, %sum_2 = %cst, %square_2 = %cst, %sum_3 = %cst, %square_3 = %cst, %sum_4 = %cst, %square_4 = %cst) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>) {
      %0 = vector.load %x[%n, %c0, %g, %i] : memref<?x1x2x903xf32>, vector<4xf32>
      %d = arith.subf %0, %shifts : vector<4xf32>
      %sum.1 = arith.addf %sum, %d : vector<4xf32>
      %1 = arith.mulf %d, %d : vector<4xf32>
      %square.1 = arith.addf %1, %square : vector<4xf32>
      %2 = arith.addi %i, %c4 : index
      %3 = vector.load %x[%n, %c0, %g, %2] : memref<?x1x2x903xf32>, vector<4xf32>
      %d_2 = arith.subf %3, %shifts : vector<4xf32>
      %sum_2.1 = arith.addf %sum_2, %d_2 : vector<4xf32>
      %4 = arith.mulf %d_2, %d_2 : vector<4xf32>
      %square_2.1 = arith.addf %4, %square_2 : vector<4xf32>
      %5 = arith.addi %i, %c8 : index
      %6 = vector.load %x[%n, %c0, %g, %5] : memref<?x1x2x903xf32>, vector<4xf32>
      %d_3 = arith.subf %6, %shifts : vector<4xf32>
      %sum_3.1 = arith.addf %sum_3, %d_3 : vector<4xf32>
      %7 = arith.mulf %d_3, %d_3 : vector<4xf32>
      %square_3.1 = arith.addf %7, %square_3 : vector<4xf32>
      %8 = arith.addi %i, %c12 : index
      %9 = vector.load %x[%n, %c0, %g, %8] : memref<?x1x2x903xf32>, vector<4xf32>
      %d_4 = arith.subf %9, %shifts : vector<4xf32>
      %sum_4.1 = arith.addf %sum_4, %d_4 : vector<4xf32>
      %10 = arith.mulf %d_4, %d_4 : vector<4xf32>
      %square_4.1 = arith.addf %10, %square_4 : vector<4xf32>
      scf.yield %sum.1, %square.1, %sum_2.1, %square_2.1, %sum_3.1, %square_3.1, %sum_4.1, %square_4.1 : vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>
    } {llvm.loop_annotation = #once}
    %11 = vector.load %x[%n, %c0, %g, %c896] : memref<?x1x2x903xf32>, vector<4xf32>
    %d_5 = arith.subf %11, %shifts : vector<4xf32>
    %sum.3 = arith.addf %sum.2, %d_5 : vector<4xf32>
    %12 = arith.mulf %d_5, %d_5 : vector<4xf32>
    %square.3 = arith.addf %12, %square.2 : vector<4xf32>
    %13 = vector.constant_mask [3] : vector<4xi1>
    %14 = vector.maskedload %x[%n, %c0, %g, %c900], %13, %shifts : memref<?x1x2x903xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
    %d_6 = arith.subf %14, %shifts : vector<4xf32>
    %sum.4 = arith.addf %sum.3, %d_6 : vector<4xf32>
    %15 = arith.mulf %d_6, %d_6 : vector<4xf32>
    %square.4 = arith.addf %15, %square.3 : vector<4xf32>
    %16 = arith.index_cast %c903 : index to i64
    %count = arith.sitofp %16 : i64 to f64
    %17 = arith.addf %sum.4, %sum_2.2 : vector<4xf32>
    %18 = arith.addf %sum_3.2, %sum_4.2 : vector<4xf32>
    %19 = arith.addf %17, %18 : vector<4xf32>
    %20 = arith.extf %19 : vector<4xf32> to vector<4xf64>
    %total = func.call @sum_f64x4(%20) : (vector<4xf64>) -> f64
    %21 = arith.addf %square.4, %square_2.2 : vector<4xf32>
    %22 = arith.addf %square_3.2, %square_4.2 : vector<4xf32>
    %23 = arith.addf %21, %22 : vector<4xf32>
    %24 = arith.extf %23 : vector<4xf32> to vector<4xf64>
    %squares = func.call @sum_f64x4(%24) : (vector<4xf64>) -> f64
    %off = arith.divf %total, %count : f64
    %25 = arith.extf %shift : f32 to f64
    %block_mean = arith.addf %25, %off : f64
    %26 = arith.mulf %total, %off : f64
    %block_m2 = arith.subf %squares, %26 : f64
    %27 = arith.mulf %block_m2, %cst.1 : f64
    %28 = arith.cmpf olt, %cst.2, %27 : f64
    %29 = arith.select %28, %cst.2, %27 : f64
    %30 = arith.cmpf ole, %squares, %29 : f64
    %31 = arith.xori %30, %true : i1
    %block_mean.2, %block_m2.2 = scf.if %31 -> (f64, f64) {
      %redo.2 = scf.for %i_2 = %c0 to %c903 step %c1 iter_args(%redo = %cst.3) -> (f64) {
        %32 = memref.load %x[%n, %c0, %g, %i_2] : memref<?x1x2x903xf32>
        %33 = arith.extf %32 : f32 to f64
        %redo.1 = arith.addf %redo, %33 : f64
        scf.yield %redo.1 : f64
      } {llvm.loop_annotation = #once}
      %center = arith.divf %redo.2, %count : f64
      %redo_rest.2, %redo_square.2 = scf.for %i_3 = %c0 to %c903 step %c1 iter_args(%redo_rest = %cst.3, %redo_square = %cst.3) -> (f64, f64) {
        %34 = memref.load %x[%n, %c0, %g, %i_3] : memref<?x1x2x903xf32>
        %35 = arith.extf %34 : f32 to f64
        %e = arith.subf %35, %center : f64
        %redo_rest.1 = arith.addf %redo_rest, %e : f64
        %36 = arith.mulf %e, %e : f64
        %redo_square.1 = arith.addf %36, %redo_square : f64
        scf.yield %redo_rest.1, %redo_square.1 : f64, f64
      } {llvm.loop_annotation = #once}
      %37 = arith.divf %redo_rest.2, %count : f64
      %block_mean.1 = arith.addf %center, %37 : f64
      %38 = arith.mulf %redo_rest.2, %redo_rest.2 : f64
      %39 = arith.divf %38, %count : f64
      %block_m2.1 = arith.subf %redo_square.2, %39 : f64
      scf.yield %block_mean.1, %block_m2.1 : f64, f64
    } else {
      scf.yield %block_mean, %block_m2 : f64, f64
    }
    %40 = arith.cmpf ogt, %cst.3, %block_m2.2 : f64
    %41 = arith.select %40, %cst.3, %block_m2.2 : f64
    %42 = arith.divf %41, %count : f64
    %spread = arith.addf %42, %cst.4 : f64
    %43 = math.sqrt %spread : f64
    %rstd_all = arith.divf %cst.5, %43 : f64
    %mean_high = arith.truncf %block_mean.2 : f64 to f32
    %44 = arith.extf %mean_high : f32 to f64
    %45 = arith.subf %block_mean.2, %44 : f64
    %mean_low = arith.truncf %45 : f64 to f32
    %rstd_1 = arith.truncf %rstd_all : f64 to f32
    scf.for %c = %c0 to %c3 step %c1 {
      %46 = arith.muli %g, %c3 : index
      %47 = arith.addi %46, %c : index
      %48 = memref.load %gamma[%47] : memref<6xf32>
      %scale = arith.mulf %rstd_1, %48 : f32
      %49 = arith.negf %mean_low : f32
      %50 = memref.load %beta[%47] : memref<6xf32>
      %51 = arith.mulf %49, %scale : f32
      %offset = arith.addf %51, %50 : f32
      %highs = vector.broadcast %mean_high : f32 to vector<4xf32>
      %scales = vector.broadcast %scale : f32 to vector<4xf32>
      %offsets = vector.broadcast %offset : f32 to vector<4xf32>
      %52 = memref.extract_aligned_pointer_as_index %y : memref<?x1x2x3x301xf32> -> index
      %53 = arith.divui %52, %c4 : index
      %54 = arith.muli %n, %c1806 : index
      %55 = arith.muli %g, %c903 : index
      %56 = arith.addi %54, %55 : index
      %57 = arith.muli %c, %c301 : index
      %58 = arith.addi %56, %57 : index
      %59 = arith.addi %53, %58 : index
      %60 = arith.subi %c0, %59 : index
      %phase = arith.andi %60, %c3 : index
      %aligned = arith.minsi %phase, %c301 : index
      %61 = arith.cmpi slt, %c0, %aligned : index
      scf.if %61 {
        %62 = arith.minsi %aligned, %c4 : index
        %63 = vector.create_mask %62 : vector<4xi1>
        %64 = vector.maskedload %x.1[%n, %c0, %g, %c, %c0], %63, %cst : memref<?x1x2x3x301xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
        %65 = arith.subf %64, %highs : vector<4xf32>
        %66 = arith.mulf %65, %scales : vector<4xf32>
        %67 = arith.addf %66, %offsets : vector<4xf32>
        %68 = func.call @relu_f32x4(%67) : (vector<4xf32>) -> vector<4xf32>
        vector.maskedstore %y[%n, %c0, %g, %c, %c0], %63, %68 : memref<?x1x2x3x301xf32>, vector<4xi1>, vector<4xf32>
      }
      scf.for %i_4 = %aligned to %c298 step %c4 {
        %69 = vector.load %x.1[%n, %c0, %g, %c, %i_4] : memref<?x1x2x3x301xf32>, vector<4xf32>
        %70 = arith.subf %69, %highs : vector<4xf32>
        %71 = arith.mulf %70, %scales : vector<4xf32>
        %72 = arith.addf %71, %offsets : vector<4xf32>
        %73 = func.call @relu_f32x4(%72) : (vector<4xf32>) -> vector<4xf32>
        vector.store %73, %y[%n, %c0, %g, %c, %i_4] : memref<?x1x2x3x301xf32>, vector<4xf32>
      } {llvm.loop_annotation = #times_4}
      %74 = arith.subi %c301, %aligned : index
      %75 = arith.divsi %74, %c4 : index
      %76 = arith.muli %75, %c4 : index
      %tail = arith.addi %aligned, %76 : index
      %77 = arith.cmpi slt, %tail, %c301 : index
      scf.if %77 {
        %78 = arith.subi %c301, %tail : index
        %79 = arith.minsi %78, %c4 : index
        %80 = vector.create_mask %79 : vector<4xi1>
        %81 = vector.maskedload %x.1[%n, %c0, %g, %c, %tail], %80, %cst : memref<?x1x2x3x301xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
        %82 = arith.subf %81, %highs : vector<4xf32>
        %83 = arith.mulf %82, %scales : vector<4xf32>
        %84 = arith.addf %83, %offsets : vector<4xf32>
        %85 = func.call @relu_f32x4(%84) : (vector<4xf32>) -> vector<4xf32>
        vector.maskedstore %y[%n, %c0, %g, %c, %tail], %80, %85 : memref<?x1x2x3x301xf32>, vector<4xi1>, vector<4xf32>
      }
    } {llvm.loop_annotation = #once}
  } {llvm.loop_annotation = #once}
  return
}
