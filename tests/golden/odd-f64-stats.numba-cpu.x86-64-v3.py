"""gn_f64_o35_g3_c3_i1: group normalisation, specialised by gngen.

input   x        f64[batch * 315]
input   beta     f64[9]
output  y        f64[batch * 315]
output  mean     f64[batch * 3]
output  rstd     f64[batch * 3]
scratch partial  f64[batch * 9]
scratch stats    f64[batch * 6]

Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
`gn_f64_o35_g3_c3_i1` takes the addresses of its arrays; `run` takes the arrays, dense and in the kernel's memory order.
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


VECTORS = {("f64", 4): Vector("f64", 4)}
stack_f32, stack_f64 = stack("f32"), stack("f64")
cast_f64_from_i64 = converted("f64", 1, "i64")
fma_f64 = fma("f64", 1, fused=True)
fma_f64x4 = fma("f64", 4, fused=True)
load_f64 = load("f64", 1)
load_f64x4 = load("f64", 4)
load_part_f64x4 = load_part("f64", 4)
max_f64 = extreme(">", "f64", 1)
min_f64 = extreme("<", "f64", 1)
min_i64 = extreme("<", "i64", 1)
splat_f64x4 = splat("f64", 4)
sqrt_f64 = intrinsic_of_one("sqrt", "f64", 1)
store_f64 = store("f64", 1)
store_f64x4 = store("f64", 4)
store_part_f64x4 = store_part("f64", 4)
add_f64x4 = arithmetic("add", "f64", 4)
sub_f64x4 = arithmetic("sub", "f64", 4)


SIGNATURE = (types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def gn_f64_o35_g3_c3_i1(x, beta, y, mean, rstd, partial, stats, batch):
    for n in prange(batch):
        shifts = stack_f64(36)
        sums = stack_f64(36)
        squares = stack_f64(36)
        for j in range(0, 36 - 3, 4):
            store_f64x4(sums, j, splat_f64x4(0.0))
            store_f64x4(squares, j, splat_f64x4(0.0))
        for fold in range(0, 4):
            for g in range(0, 3):
                at = g * 3
                shift = load_f64(x, n * 315 + at)
                place = fold * 9 + at
                fill_end = place + 3
                for e in range(place, fill_end):
                    store_f64(shifts, e, shift)
        full = 288
        for strip in range(0, full + 540 - 575, 576):
            strip_last = min_i64(strip + 576, full)
            for j_2 in range(0, 32 - 7, 8):
                k = load_f64x4(shifts, j_2)
                s = load_f64x4(sums, j_2)
                q = load_f64x4(squares, j_2)
                k_2 = load_f64x4(shifts, j_2 + 4)
                s_2 = load_f64x4(sums, j_2 + 4)
                q_2 = load_f64x4(squares, j_2 + 4)
                for row in range(strip, strip_last - 35, 36):
                    d = sub_f64x4(load_f64x4(x, n * 315 + (row + j_2)), k)
                    s = add_f64x4(s, d)
                    q = fma_f64x4(d, d, q)
                    d_2 = sub_f64x4(load_f64x4(x, n * 315 + (row + (j_2 + 4))), k_2)
                    s_2 = add_f64x4(s_2, d_2)
                    q_2 = fma_f64x4(d_2, d_2, q_2)
                store_f64x4(sums, j_2, s)
                store_f64x4(squares, j_2, q)
                store_f64x4(sums, j_2 + 4, s_2)
                store_f64x4(squares, j_2 + 4, q_2)
            k_3 = load_f64x4(shifts, 32)
            s_3 = load_f64x4(sums, 32)
            q_3 = load_f64x4(squares, 32)
            for row_2 in range(strip, strip_last - 35, 36):
                d_3 = sub_f64x4(load_f64x4(x, n * 315 + (row_2 + 32)), k_3)
                s_3 = add_f64x4(s_3, d_3)
                q_3 = fma_f64x4(d_3, d_3, q_3)
            store_f64x4(sums, 32, s_3)
            store_f64x4(squares, 32, q_3)
        # the last long row may be cut short
        for j_3 in range(0, 36 - 3, 4):
            if full + j_3 < 315:
                k_4 = load_f64x4(shifts, j_3)
                s_4 = load_f64x4(sums, j_3)
                q_4 = load_f64x4(squares, j_3)
                d_4 = sub_f64x4(load_part_f64x4(x, n * 315 + (full + j_3), 315 - (full + j_3), k_4), k_4)
                s_4 = add_f64x4(s_4, d_4)
                q_4 = fma_f64x4(d_4, d_4, q_4)
                store_f64x4(sums, j_3, s_4)
                store_f64x4(squares, j_3, q_4)
        count = cast_f64_from_i64(105)
        for g_2 in range(0, 3):
            at_2 = g_2 * 3
            total = 0.0
            for fold_2 in range(0, 4):
                place_2 = fold_2 * 9 + at_2
                column_end = place_2 + 3
                for e_2 in range(place_2, column_end):
                    total = total + load_f64(sums, e_2)
            squares_2 = 0.0
            for fold_3 in range(0, 4):
                place_3 = fold_3 * 9 + at_2
                column_end_2 = place_3 + 3
                for e_3 in range(place_3, column_end_2):
                    squares_2 = squares_2 + load_f64(squares, e_3)
            first = at_2
            shift_2 = load_f64(x, n * 315 + first)
            off = total / count
            block_mean = shift_2 + off
            block_m2 = squares_2 - total * off
            if not (squares_2 <= min_f64(block_m2 * 16.0, 1.7976931348623157e+308)):
                redo = 0.0
                for row_3 in range(0, 315 - 8, 9):
                    for i in range(0, 3):
                        redo = redo + load_f64(x, n * 315 + (row_3 + first + i))
                center = redo / count
                redo_rest = 0.0
                redo_square = 0.0
                for row_4 in range(0, 315 - 8, 9):
                    for i_2 in range(0, 3):
                        e_4 = load_f64(x, n * 315 + (row_4 + first + i_2)) - center
                        redo_rest = redo_rest + e_4
                        redo_square = fma_f64(e_4, e_4, redo_square)
                block_mean = center + redo_rest / count
                block_m2 = redo_square - redo_rest * redo_rest / count
            store_f64(partial, n * 9 + g_2 * 3, block_mean)
            store_f64(partial, n * 9 + g_2 * 3 + 1, block_m2)
            store_f64(partial, n * 9 + g_2 * 3 + 2, count)
    for item_n_2_g_3 in prange(batch * 3):
        n_2 = part_of(item_n_2_g_3, 3, 0)
        g_3 = part_of(item_n_2_g_3, 1, 3)
        mean_all = load_f64(partial, n_2 * 9 + g_3 * 3)
        m2_all = load_f64(partial, n_2 * 9 + g_3 * 3 + 1)
        count_all = load_f64(partial, n_2 * 9 + g_3 * 3 + 2)
        spread = max_f64(m2_all, 0.0) / count_all + 0.0
        rstd_all = 1.0 / sqrt_f64(spread)
        if spread <= 0.0:
            rstd_all = 0.0
        store_f64(mean, n_2 * 3 + g_3, mean_all)
        store_f64(rstd, n_2 * 3 + g_3, rstd_all)
        store_f64(stats, n_2 * 6 + g_3 * 2, mean_all)
        store_f64(stats, n_2 * 6 + g_3 * 2 + 1, rstd_all)
    for n_3 in prange(batch):
        high = stack_f64(40)
        scale = stack_f64(40)
        offset = stack_f64(40)
        for g_4 in range(0, 3):
            mean_all_2 = load_f64(stats, n_3 * 6 + g_4 * 2)
            rstd_all_2 = load_f64(stats, n_3 * 6 + g_4 * 2 + 1)
            base = g_4 * 3
            for c in range(0, 3):
                offset_2 = load_f64(beta, g_4 * 3 + c)
                store_f64(high, base + c, mean_all_2)
                store_f64(scale, base + c, rstd_all_2)
                store_f64(offset, base + c, offset_2)
        # the row again, for what reaches past its end
        for copy in range(9, 40):
            store_f64(high, copy, load_f64(high, copy - 9))
            store_f64(scale, copy, load_f64(scale, copy - 9))
            store_f64(offset, copy, load_f64(offset, copy - 9))
        full_2 = 288
        for strip_2 in range(0, full_2 + 540 - 575, 576):
            strip_last_2 = min_i64(strip_2 + 576, full_2)
            for j_4 in range(0, 32 - 7, 8):
                highs = load_f64x4(high, j_4)
                scales = load_f64x4(scale, j_4)
                offsets = load_f64x4(offset, j_4)
                highs_2 = load_f64x4(high, j_4 + 4)
                scales_2 = load_f64x4(scale, j_4 + 4)
                offsets_2 = load_f64x4(offset, j_4 + 4)
                for row_5 in range(strip_2, strip_last_2 - 35, 36):
                    at_3 = row_5 + j_4
                    store_f64x4(y, n_3 * 315 + at_3, fma_f64x4(sub_f64x4(load_f64x4(x, n_3 * 315 + at_3), highs), scales, offsets))
                    at_4 = row_5 + (j_4 + 4)
                    store_f64x4(y, n_3 * 315 + at_4, fma_f64x4(sub_f64x4(load_f64x4(x, n_3 * 315 + at_4), highs_2), scales_2, offsets_2))
            highs_3 = load_f64x4(high, 32)
            scales_3 = load_f64x4(scale, 32)
            offsets_3 = load_f64x4(offset, 32)
            for row_6 in range(strip_2, strip_last_2 - 35, 36):
                at_5 = row_6 + 32
                store_f64x4(y, n_3 * 315 + at_5, fma_f64x4(sub_f64x4(load_f64x4(x, n_3 * 315 + at_5), highs_3), scales_3, offsets_3))
        for j_5 in range(0, 36 - 3, 4):
            at_6 = full_2 + j_5
            if at_6 < 315:
                highs_4 = load_f64x4(high, j_5)
                scales_4 = load_f64x4(scale, j_5)
                offsets_4 = load_f64x4(offset, j_5)
                store_part_f64x4(y, n_3 * 315 + at_6, 315 - at_6, fma_f64x4(sub_f64x4(load_part_f64x4(x, n_3 * 315 + at_6, 315 - at_6, splat_f64x4(0.0)), highs_4), scales_4, offsets_4))


def run(x, beta, y, mean, rstd, partial, stats, batch):
    """Call the kernel on arrays."""
    gn_f64_o35_g3_c3_i1(x.ctypes.data, beta.ctypes.data, y.ctypes.data, mean.ctypes.data, rstd.ctypes.data, partial.ctypes.data, stats.ctypes.data, batch)
