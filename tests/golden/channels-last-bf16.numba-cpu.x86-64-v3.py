"""gn_bf16_o4096_g32_c10_i1: group normalisation, specialised by gngen.

input   x        bf16[batch * 1310720]
input   gamma    f32[320]
input   beta     f32[320]
output  y        bf16[batch * 1310720]
scratch partial  f64[batch * 3936]
scratch stats    f64[batch * 64]

bf16: the bits of a number in 16-bit integers; it is computed with as f32.
Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
`gn_bf16_o4096_g32_c10_i1` takes the addresses of its arrays; `run` takes the arrays, dense and in the kernel's memory order.
"""

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model


class Vector(types.Type):
    """Some lanes of one kind of number, in a register."""

    def __init__(self, kind, lanes):
        self.kind, self.lanes = kind, lanes
        super().__init__(name=f"{kind}x{lanes}")


ELEMENTS = {"f32": ir.FloatType(), "f64": ir.DoubleType(), "i32": ir.IntType(32), "i64": ir.IntType(64), "m32": ir.IntType(32), "m64": ir.IntType(64)}
SIZES = {"f32": 4, "f64": 8}
SCALARS = {"f32": types.float32, "f64": types.float64, "i32": types.int32, "i64": types.int64, "m32": types.boolean, "m64": types.boolean}
# Halves are held as their bits.
ELEMENTS["i16"], SIZES["i16"], SCALARS["i16"] = ir.IntType(16), 2, types.uint16


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """A vector is LLVM's vector."""

    def __init__(self, manager, vector):
        super().__init__(manager, vector, ir.VectorType(ELEMENTS[vector.kind], vector.lanes))


def named(kind, lanes):
    """numba's type of a scalar or a vector."""
    return SCALARS[kind] if lanes == 1 else VECTORS[kind, lanes]


def value_type(kind, lanes):
    """LLVM's type of a scalar or a vector."""
    return ELEMENTS[kind] if lanes == 1 else ir.VectorType(ELEMENTS[kind], lanes)


def place(builder, address, i, kind):
    """A pointer to element i of the array at an address."""
    base = builder.inttoptr(address, ELEMENTS[kind].as_pointer())
    return builder.gep(base, [i])


def broadcast(builder, scalar, lanes):
    """A scalar in every lane."""
    vector = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    vector = builder.insert_element(vector, scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(vector, vector, zeros)


def first_lanes(builder, n, lanes):
    """A mask of the first n lanes."""
    most = ir.Constant(ir.IntType(64), lanes)
    count = builder.trunc(builder.select(builder.icmp_signed("<", n, most), n, most), ir.IntType(32))
    numbers = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(lanes)))
    return builder.icmp_signed("<", numbers, broadcast(builder, count, lanes))


def declared(builder, name, result, *arguments):
    """One of LLVM's own functions."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


def as_mask(builder, flags, kind, lanes):
    """A comparison's bits as lanes of all ones or all zeros; a scalar's as they are."""
    return flags if lanes == 1 else builder.sext(flags, value_type(kind, lanes))


def operation(result, arguments, emit):
    """A numba function of some types that emits LLVM's instructions in place."""
    if len(arguments) == 1:

        @intrinsic
        def call(context, a):
            return result(*arguments), lambda c, builder, signature, values: emit(builder, *values)

    elif len(arguments) == 2:

        @intrinsic
        def call(context, a, b):
            return result(*arguments), lambda c, builder, signature, values: emit(builder, *values)

    elif len(arguments) == 3:

        @intrinsic
        def call(context, a, b, d):
            return result(*arguments), lambda c, builder, signature, values: emit(builder, *values)

    else:

        @intrinsic
        def call(context, a, b, d, e):
            return result(*arguments), lambda c, builder, signature, values: emit(builder, *values)

    return call


def stack(kind):
    """A function that makes a worker's own array and gives its address."""

    @intrinsic(prefer_literal=True)
    def allocate(context, count):
        def emit(c, builder, signature, values):
            # in the entry block, once; numba's own alloca_once would fill it with zeros, an element at a time
            with builder.goto_entry_block():
                array = builder.alloca(ir.ArrayType(ELEMENTS[kind], count.literal_value))
                array.align = 64
            return builder.ptrtoint(array, ir.IntType(64))

        return types.int64(count), emit

    return allocate


def load(kind, lanes):
    def emit(builder, address, i):
        pointer = builder.bitcast(place(builder, address, i, kind), value_type(kind, lanes).as_pointer())
        return builder.load(pointer, align=SIZES[kind])

    return operation(named(kind, lanes), (types.int64, types.int64), emit)


def store(kind, lanes, streaming=False):
    def emit(builder, address, i, value):
        pointer = builder.bitcast(place(builder, address, i, kind), value_type(kind, lanes).as_pointer())
        size = SIZES[kind]
        written = builder.store(value, pointer, align=size * lanes if streaming else size)
        if streaming:
            written.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return operation(types.void, (types.int64, types.int64, named(kind, lanes)), emit)


def load_part(kind, lanes):
    def emit(builder, address, i, n, fill):
        vector = value_type(kind, lanes)
        pointer = builder.bitcast(place(builder, address, i, kind), vector.as_pointer())
        bits = ir.VectorType(ir.IntType(1), lanes)
        read = declared(builder, f"llvm.masked.load.{suffix(kind, lanes)}.p0", vector, vector.as_pointer(), ir.IntType(32), bits, vector)
        size = ir.Constant(ir.IntType(32), SIZES[kind])
        return builder.call(read, [pointer, size, first_lanes(builder, n, lanes), fill])

    return operation(named(kind, lanes), (types.int64, types.int64, types.int64, named(kind, lanes)), emit)


def store_part(kind, lanes):
    def emit(builder, address, i, n, value):
        vector = value_type(kind, lanes)
        pointer = builder.bitcast(place(builder, address, i, kind), vector.as_pointer())
        bits = ir.VectorType(ir.IntType(1), lanes)
        write = declared(builder, f"llvm.masked.store.{suffix(kind, lanes)}.p0", ir.VoidType(), vector, vector.as_pointer(), ir.IntType(32), bits)
        size = ir.Constant(ir.IntType(32), SIZES[kind])
        builder.call(write, [value, pointer, size, first_lanes(builder, n, lanes)])
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return operation(types.void, (types.int64, types.int64, types.int64, named(kind, lanes)), emit)


def suffix(kind, lanes):
    """How LLVM spells a type in a function's name."""
    letters = kind.replace("m", "i")
    return letters if lanes == 1 else f"v{lanes}{letters}"


def splat(kind, lanes):
    return operation(named(kind, lanes), (SCALARS[kind],), lambda builder, a: broadcast(builder, a, lanes))


def fma(kind, lanes, fused):
    def emit(builder, a, b, c):
        if not fused:
            return builder.fadd(builder.fmul(a, b), c)
        t = value_type(kind, lanes)
        return builder.call(declared(builder, f"llvm.fma.{suffix(kind, lanes)}", t, t, t, t), [a, b, c])

    t = named(kind, lanes)
    return operation(t, (t, t, t), emit)


def intrinsic_of_one(name, kind, lanes):
    def emit(builder, a):
        t = value_type(kind, lanes)
        return builder.call(declared(builder, f"llvm.{name}.{suffix(kind, lanes)}", t, t), [a])

    t = named(kind, lanes)
    return operation(t, (t,), emit)


def arithmetic(name, kind, lanes):
    def emit(builder, a, b):
        return getattr(builder, ("f" if kind in ("f32", "f64") else "") + name)(a, b)

    t = named(kind, lanes)
    return operation(t, (t, t), emit)


def negated(kind, lanes):
    t = named(kind, lanes)
    return operation(t, (t,), lambda builder, a: builder.fneg(a))


def compared(sign, kind, lanes):
    mask = {"f32": "m32", "i32": "m32", "f64": "m64", "i64": "m64"}[kind]

    def emit(builder, a, b):
        flags = builder.fcmp_ordered(sign, a, b) if kind in ("f32", "f64") else builder.icmp_signed(sign, a, b)
        return as_mask(builder, flags, mask, lanes)

    return operation(named(mask, lanes), (named(kind, lanes), named(kind, lanes)), emit)


def extreme(sign, kind, lanes):
    """b where it is beyond a, else a: a NaN in a stays."""

    def emit(builder, a, b):
        beyond = builder.fcmp_ordered(sign, b, a) if kind in ("f32", "f64") else builder.icmp_signed(sign, b, a)
        return builder.select(beyond, b, a)

    t = named(kind, lanes)
    return operation(t, (t, t), emit)


def selected(kind, lanes):
    mask = {"f32": "m32", "i32": "m32", "f64": "m64", "i64": "m64"}[kind]

    def emit(builder, flags, a, b):
        if lanes > 1:
            flags = builder.icmp_signed("!=", flags, ir.Constant(value_type(mask, lanes), None))
        return builder.select(flags, a, b)

    t = named(kind, lanes)
    return operation(t, (named(mask, lanes), t, t), emit)


def converted(kind, lanes, source):
    def emit(builder, a):
        t = value_type(kind, lanes)
        if source in ("i32", "i64"):
            return builder.sitofp(a, t)
        return builder.fpext(a, t) if kind == "f64" else builder.fptrunc(a, t)

    return operation(named(kind, lanes), (named(source, lanes),), emit)


def words(lanes, *numbers):
    """Numbers as LLVM's constants: 32-bit words, in every lane."""
    word = ir.IntType(32)
    return [ir.Constant(word, n) if lanes == 1 else ir.Constant(ir.VectorType(word, lanes), [n] * lanes) for n in numbers]


def widened_bf16(lanes):
    """From bfloat16 to f32."""

    def emit(builder, a):
        word = builder.zext(a, value_type("i32", lanes))
        return builder.bitcast(builder.shl(word, *words(lanes, 16)), value_type("f32", lanes))

    return operation(named("f32", lanes), (named("i16", lanes),), emit)


def narrowed_bf16(lanes):
    """From f32 to bfloat16: to nearest, ties to even; beyond the largest to infinity; NaN to a quiet NaN."""

    def emit(builder, a):
        one, half, bits, quiet = words(lanes, 1, 0x7FFF, 16, 0x40)
        word = builder.bitcast(a, value_type("i32", lanes))
        high = builder.lshr(word, bits)
        rounded = builder.lshr(builder.add(builder.add(word, half), builder.and_(high, one)), bits)
        found = builder.select(builder.fcmp_unordered("uno", a, a), builder.or_(high, quiet), rounded)
        return builder.trunc(found, value_type("i16", lanes))

    return operation(named("i16", lanes), (named("f32", lanes),), emit)


def reinterpreted(kind, lanes, source):
    return operation(named(kind, lanes), (named(source, lanes),), lambda builder, a: builder.bitcast(a, value_type(kind, lanes)))


def lane_sum(kind, lanes):
    """The upper half onto the lower, and so on."""

    def emit(builder, v):
        half = lanes // 2
        while half:
            numbers = ir.VectorType(ir.IntType(32), half)
            low = builder.shuffle_vector(v, v, ir.Constant(numbers, list(range(half))))
            high = builder.shuffle_vector(v, v, ir.Constant(numbers, list(range(half, 2 * half))))
            v, half = builder.fadd(low, high), half // 2
        return builder.extract_element(v, ir.Constant(ir.IntType(32), 0))

    return operation(SCALARS[kind], (named(kind, lanes),), emit)


def peel(kind):
    """How many elements from element i of the array at an address come before the first that is aligned to some lanes."""

    def emit(builder, address, i, lanes):
        size = ir.Constant(ir.IntType(64), SIZES[kind])
        position = builder.udiv(builder.add(address, builder.mul(i, size)), size)
        return builder.and_(builder.neg(position), builder.sub(lanes, ir.Constant(ir.IntType(64), 1)))

    return operation(types.int64, (types.int64, types.int64, types.int64), emit)


def _main_end(builder, start, stop, step):
    return builder.add(start, builder.mul(builder.sdiv(builder.sub(stop, start), step), step))


def _advance(builder, start, by, stop):
    moved = builder.add(start, by)
    return builder.select(builder.icmp_signed("<", moved, stop), moved, stop)


def _part_of(builder, item, below, extent):
    part = builder.udiv(item, below)
    return builder.select(builder.icmp_signed("==", extent, ir.Constant(ir.IntType(64), 0)), part, builder.urem(part, extent))


THREE = (types.int64, types.int64, types.int64)
# Where a loop of full steps leaves off; a step forward that stops at the end; one variable of a parallel loop over several (extent 0: the first).
main_end, advance, part_of = (operation(types.int64, THREE, emit) for emit in (_main_end, _advance, _part_of))


@intrinsic
def fence(context):
    """Make streaming stores visible before what follows."""

    def emit(c, builder, signature, values):
        builder.call(declared(builder, "llvm.x86.sse.sfence", ir.VoidType()), [])
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return types.void(), emit


VECTORS = {("f64", 2): Vector("f64", 2), ("f64", 4): Vector("f64", 4), ("f32", 8): Vector("f32", 8), ("f64", 8): Vector("f64", 8), ("i16", 8): Vector("i16", 8)}
stack_f32, stack_f64 = stack("f32"), stack("f64")
cast_bf16x8_from_f32 = narrowed_bf16(8)
cast_f32_from_bf16 = widened_bf16(1)
cast_f32_from_f64 = converted("f32", 1, "f64")
cast_f32x8_from_bf16 = widened_bf16(8)
cast_f64_from_f32 = converted("f64", 1, "f32")
cast_f64_from_i64 = converted("f64", 1, "i64")
cast_f64x8_from_f32 = converted("f64", 8, "f32")
fma_f32x8 = fma("f32", 8, fused=True)
fma_f64 = fma("f64", 1, fused=True)
load_bf16 = load("i16", 1)
load_bf16x8 = load("i16", 8)
load_f32 = load("f32", 1)
load_f32x8 = load("f32", 8)
load_f64 = load("f64", 1)
load_part_bf16x8 = load_part("i16", 8)
load_part_f32x8 = load_part("f32", 8)
max_f64 = extreme(">", "f64", 1)
min_f64 = extreme("<", "f64", 1)
min_i64 = extreme("<", "i64", 1)
peel_bf16 = peel("i16")
sum_f64x8 = lane_sum("f64", 8)
splat_f32x8 = splat("f32", 8)
splat_f64x8 = splat("f64", 8)
sqrt_f64 = intrinsic_of_one("sqrt", "f64", 1)
store_f32 = store("f32", 1)
store_f32x8 = store("f32", 8)
store_f64 = store("f64", 1)
store_part_bf16x8 = store_part("i16", 8)
store_part_f32x8 = store_part("f32", 8)
stream_bf16x8 = store("i16", 8, streaming=True)
add_f32x8 = arithmetic("add", "f32", 8)
add_f64x8 = arithmetic("add", "f64", 8)
mul_f32x8 = arithmetic("mul", "f32", 8)
neg_f32x8 = negated("f32", 8)
sub_f32x8 = arithmetic("sub", "f32", 8)


SIGNATURE = (types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def gn_bf16_o4096_g32_c10_i1(x, gamma, beta, y, partial, stats, batch):
    for n in range(0, batch):
        for slab in prange(41):
            slab_first = slab * 32640
            slab_last = min_i64(slab_first + 32640, 1310720)
            shifts = stack_f32(320)
            sums = stack_f32(320)
            squares = stack_f32(320)
            for j in range(0, 320 - 7, 8):
                store_f32x8(sums, j, splat_f32x8(np.float32(0.0)))
                store_f32x8(squares, j, splat_f32x8(np.float32(0.0)))
            for g in range(0, 32):
                at = g * 10
                shift = cast_f32_from_bf16(load_bf16(x, n * 1310720 + (slab_first + at)))
                fill_end = at + 10
                filling = splat_f32x8(shift)
                for e in range(at, fill_end - 7, 8):
                    store_f32x8(shifts, e, filling)
                store_part_f32x8(shifts, main_end(at, fill_end, 8), fill_end - main_end(at, fill_end, 8), filling)
            for strip in range(slab_first, slab_last + 4800 - 5119, 5120):
                strip_last = min_i64(strip + 5120, slab_last)
                for j_2 in range(0, 320 - 15, 16):
                    k = load_f32x8(shifts, j_2)
                    s = load_f32x8(sums, j_2)
                    q = load_f32x8(squares, j_2)
                    k_2 = load_f32x8(shifts, j_2 + 8)
                    s_2 = load_f32x8(sums, j_2 + 8)
                    q_2 = load_f32x8(squares, j_2 + 8)
                    for row in range(strip, strip_last - 319, 320):
                        d = sub_f32x8(cast_f32x8_from_bf16(load_bf16x8(x, n * 1310720 + (row + j_2))), k)
                        s = add_f32x8(s, d)
                        q = fma_f32x8(d, d, q)
                        d_2 = sub_f32x8(cast_f32x8_from_bf16(load_bf16x8(x, n * 1310720 + (row + (j_2 + 8)))), k_2)
                        s_2 = add_f32x8(s_2, d_2)
                        q_2 = fma_f32x8(d_2, d_2, q_2)
                    store_f32x8(sums, j_2, s)
                    store_f32x8(squares, j_2, q)
                    store_f32x8(sums, j_2 + 8, s_2)
                    store_f32x8(squares, j_2 + 8, q_2)
            count = cast_f64_from_i64((slab_last - slab_first) // 320 * 10)
            for g_2 in range(0, 32):
                at_2 = g_2 * 10
                total = splat_f64x8(0.0)
                column_end = at_2 + 10
                for e_2 in range(at_2, column_end - 7, 8):
                    total = add_f64x8(total, cast_f64x8_from_f32(load_f32x8(sums, e_2)))
                total = add_f64x8(total, cast_f64x8_from_f32(load_part_f32x8(sums, main_end(at_2, column_end, 8), column_end - main_end(at_2, column_end, 8), splat_f32x8(np.float32(0.0)))))
                total_2 = sum_f64x8(total)
                squares_2 = splat_f64x8(0.0)
                column_end_2 = at_2 + 10
                for e_3 in range(at_2, column_end_2 - 7, 8):
                    squares_2 = add_f64x8(squares_2, cast_f64x8_from_f32(load_f32x8(squares, e_3)))
                squares_2 = add_f64x8(squares_2, cast_f64x8_from_f32(load_part_f32x8(squares, main_end(at_2, column_end_2, 8), column_end_2 - main_end(at_2, column_end_2, 8), splat_f32x8(np.float32(0.0)))))
                squares_3 = sum_f64x8(squares_2)
                first = at_2
                shift_2 = cast_f32_from_bf16(load_bf16(x, n * 1310720 + (slab_first + first)))
                off = total_2 / count
                block_mean = cast_f64_from_f32(shift_2) + off
                block_m2 = squares_3 - total_2 * off
                if not (squares_3 <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38)):
                    redo = 0.0
                    for row_3 in range(slab_first, slab_last - 319, 320):
                        for i in range(0, 10):
                            redo = redo + cast_f64_from_f32(cast_f32_from_bf16(load_bf16(x, n * 1310720 + (row_3 + first + i))))
                    center = redo / count
                    redo_rest = 0.0
                    redo_square = 0.0
                    for row_4 in range(slab_first, slab_last - 319, 320):
                        for i_2 in range(0, 10):
                            e_4 = cast_f64_from_f32(cast_f32_from_bf16(load_bf16(x, n * 1310720 + (row_4 + first + i_2)))) - center
                            redo_rest = redo_rest + e_4
                            redo_square = fma_f64(e_4, e_4, redo_square)
                    block_mean = center + redo_rest / count
                    block_m2 = redo_square - redo_rest * redo_rest / count
                store_f64(partial, n * 3936 + slab * 96 + g_2 * 3, block_mean)
                store_f64(partial, n * 3936 + slab * 96 + g_2 * 3 + 1, block_m2)
                store_f64(partial, n * 3936 + slab * 96 + g_2 * 3 + 2, count)
        for g_3 in prange(32):
            mean_all = load_f64(partial, n * 3936 + g_3 * 3)
            m2_all = load_f64(partial, n * 3936 + g_3 * 3 + 1)
            count_all = load_f64(partial, n * 3936 + g_3 * 3 + 2)
            for block in range(1, 41):
                delta = load_f64(partial, n * 3936 + block * 96 + g_3 * 3) - mean_all
                more = load_f64(partial, n * 3936 + block * 96 + g_3 * 3 + 2)
                share = more / (count_all + more)
                mean_all = fma_f64(delta, share, mean_all)
                m2_all = m2_all + fma_f64(delta * delta, count_all * share, load_f64(partial, n * 3936 + block * 96 + g_3 * 3 + 1))
                count_all = count_all + more
            spread = max_f64(m2_all, 0.0) / count_all + 0.001
            rstd_all = 1.0 / sqrt_f64(spread)
            store_f64(stats, n * 64 + g_3 * 2, mean_all)
            store_f64(stats, n * 64 + g_3 * 2 + 1, rstd_all)
        for piece in prange(21):
            high = stack_f32(328)
            scale = stack_f32(328)
            offset = stack_f32(328)
            for g_4 in range(0, 32):
                mean_all_2 = load_f64(stats, n * 64 + g_4 * 2)
                rstd_all_2 = load_f64(stats, n * 64 + g_4 * 2 + 1)
                mean_high = cast_f32_from_f64(mean_all_2)
                mean_low = cast_f32_from_f64(mean_all_2 - cast_f64_from_f32(mean_high))
                rstd_1 = cast_f32_from_f64(rstd_all_2)
                base = g_4 * 10
                scale_2 = mul_f32x8(splat_f32x8(rstd_1), load_f32x8(gamma, g_4 * 10))
                offset_2 = fma_f32x8(neg_f32x8(splat_f32x8(mean_low)), scale_2, load_f32x8(beta, g_4 * 10))
                store_f32x8(high, base, splat_f32x8(mean_high))
                store_f32x8(scale, base, scale_2)
                store_f32x8(offset, base, offset_2)
                scale_3 = mul_f32x8(splat_f32x8(rstd_1), load_part_f32x8(gamma, g_4 * 10 + 8, g_4 * 10 + 10 - (g_4 * 10 + 8), splat_f32x8(np.float32(0.0))))
                offset_3 = fma_f32x8(neg_f32x8(splat_f32x8(mean_low)), scale_3, load_part_f32x8(beta, g_4 * 10 + 8, g_4 * 10 + 10 - (g_4 * 10 + 8), splat_f32x8(np.float32(0.0))))
                store_part_f32x8(high, base + 8, base + 10 - (base + 8), splat_f32x8(mean_high))
                store_part_f32x8(scale, base + 8, base + 10 - (base + 8), scale_3)
                store_part_f32x8(offset, base + 8, base + 10 - (base + 8), offset_3)
            # the row again, for what reaches past its end
            for copy in range(320, 328):
                store_f32(high, copy, load_f32(high, copy - 320))
                store_f32(scale, copy, load_f32(scale, copy - 320))
                store_f32(offset, copy, load_f32(offset, copy - 320))
            piece_first = piece * 65280
            piece_last = min_i64(piece_first + 65280, 1310720)
            phase = peel_bf16(y, n * 1310720 + piece_first, 8)
            aligned = advance(piece_first, phase, piece_last)
            if piece_first < aligned:
                highs = load_f32x8(high, 0)
                scales = load_f32x8(scale, 0)
                offsets = load_f32x8(offset, 0)
                store_part_bf16x8(y, n * 1310720 + piece_first, aligned - piece_first, cast_bf16x8_from_f32(fma_f32x8(sub_f32x8(cast_f32x8_from_bf16(load_part_bf16x8(x, n * 1310720 + piece_first, aligned - piece_first, cast_bf16x8_from_f32(splat_f32x8(np.float32(0.0))))), highs), scales, offsets)))
            full = main_end(aligned, piece_last, 320)
            for strip_2 in range(aligned, full + 4800 - 5119, 5120):
                strip_last_2 = min_i64(strip_2 + 5120, full)
                for j_4 in range(0, 320 - 15, 16):
                    highs_2 = load_f32x8(high, phase + j_4)
                    scales_2 = load_f32x8(scale, phase + j_4)
                    offsets_2 = load_f32x8(offset, phase + j_4)
                    highs_3 = load_f32x8(high, phase + (j_4 + 8))
                    scales_3 = load_f32x8(scale, phase + (j_4 + 8))
                    offsets_3 = load_f32x8(offset, phase + (j_4 + 8))
                    for row_5 in range(strip_2, strip_last_2 - 319, 320):
                        at_3 = row_5 + j_4
                        stream_bf16x8(y, n * 1310720 + at_3, cast_bf16x8_from_f32(fma_f32x8(sub_f32x8(cast_f32x8_from_bf16(load_bf16x8(x, n * 1310720 + at_3)), highs_2), scales_2, offsets_2)))
                        at_4 = row_5 + (j_4 + 8)
                        stream_bf16x8(y, n * 1310720 + at_4, cast_bf16x8_from_f32(fma_f32x8(sub_f32x8(cast_f32x8_from_bf16(load_bf16x8(x, n * 1310720 + at_4)), highs_3), scales_3, offsets_3)))
            for j_6 in range(0, 320 - 7, 8):
                at_6 = full + j_6
                if at_6 < piece_last:
                    highs_5 = load_f32x8(high, phase + j_6)
                    scales_5 = load_f32x8(scale, phase + j_6)
                    offsets_5 = load_f32x8(offset, phase + j_6)
                    store_part_bf16x8(y, n * 1310720 + at_6, piece_last - at_6, cast_bf16x8_from_f32(fma_f32x8(sub_f32x8(cast_f32x8_from_bf16(load_part_bf16x8(x, n * 1310720 + at_6, piece_last - at_6, cast_bf16x8_from_f32(splat_f32x8(np.float32(0.0))))), highs_5), scales_5, offsets_5)))
            fence()


def run(x, gamma, beta, y, partial, stats, batch):
    """Call the kernel on arrays."""
    gn_bf16_o4096_g32_c10_i1(x.ctypes.data, gamma.ctypes.data, beta.ctypes.data, y.ctypes.data, partial.ctypes.data, stats.ctypes.data, batch)
