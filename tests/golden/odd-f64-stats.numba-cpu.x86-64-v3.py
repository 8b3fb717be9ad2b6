"""gn_f64_o35_g3_c3_i1: group normalisation, specialised by gngen.

input   x        f64[batch * 315]
input   beta     f64[9]
output  y        f64[batch * 315]
output  mean     f64[batch * 3]
output  rstd     f64[batch * 3]
scratch partial  f64[batch * 72]
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


def prefetch(kind):
    """Begin to fetch the line of element i of the array at an address into the second cache; a hint, for which any address will do."""

    def emit(builder, address, i):
        bytes_of, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        fetch = declared(builder, "llvm.prefetch.p0", ir.VoidType(), bytes_of, number, number, number)
        pointer = builder.bitcast(place(builder, address, i, kind), bytes_of)
        builder.call(fetch, [pointer, ir.Constant(number, 0), ir.Constant(number, 2), ir.Constant(number, 1)])
        return cgutils.get_null_value(bytes_of)

    return operation(types.void, (types.int64, types.int64), emit)


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
fma_f64 = fma("f64", 1, fused=True)
fma_f64x4 = fma("f64", 4, fused=True)
load_f64 = load("f64", 1)
load_f64x4 = load("f64", 4)
load_part_f64x4 = load_part("f64", 4)
max_f64 = extreme(">", "f64", 1)
min_f64 = extreme("<", "f64", 1)
min_i64 = extreme("<", "i64", 1)
peel_f64 = peel("f64")
select_f64 = selected("f64", 1)
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
        sums = stack_f64(36)
        squares = stack_f64(36)
        shifts = stack_f64(36)
        for j in range(0, 36 - 3, 4):
            store_f64x4(sums, j, splat_f64x4(0.0))
            store_f64x4(squares, j, splat_f64x4(0.0))
        for g in range(0, 3):
            at = g * 3
            shift = (load_f64(x, n * 315 + at) + load_f64(x, n * 315 + 72 + at) + (load_f64(x, n * 315 + 153 + at) + load_f64(x, n * 315 + 234 + at))) * 0.25
            fill_end = at + 3
            for e in range(at, fill_end):
                store_f64(shifts, e, shift)
        for copy_2 in range(9, 36 - 3, 4):
            store_f64x4(shifts, copy_2, load_f64x4(shifts, copy_2 - 9))
        store_part_f64x4(shifts, 33, 3, load_f64x4(shifts, 24))
        full = 288
        for strip in range(0, full - 287, 288):
            for j_2 in range(0, 36 - 3, 4):
                s = load_f64x4(sums, j_2)
                q = load_f64x4(squares, j_2)
                k = load_f64x4(shifts, j_2)
                d = sub_f64x4(load_f64x4(x, n * 315 + (strip + j_2)), k)
                s = add_f64x4(s, d)
                q = fma_f64x4(d, d, q)
                d_2 = sub_f64x4(load_f64x4(x, n * 315 + (strip + 36 + j_2)), k)
                s = add_f64x4(s, d_2)
                q = fma_f64x4(d_2, d_2, q)
                d_3 = sub_f64x4(load_f64x4(x, n * 315 + (strip + 72 + j_2)), k)
                s = add_f64x4(s, d_3)
                q = fma_f64x4(d_3, d_3, q)
                d_4 = sub_f64x4(load_f64x4(x, n * 315 + (strip + 108 + j_2)), k)
                s = add_f64x4(s, d_4)
                q = fma_f64x4(d_4, d_4, q)
                d_5 = sub_f64x4(load_f64x4(x, n * 315 + (strip + 144 + j_2)), k)
                s = add_f64x4(s, d_5)
                q = fma_f64x4(d_5, d_5, q)
                d_6 = sub_f64x4(load_f64x4(x, n * 315 + (strip + 180 + j_2)), k)
                s = add_f64x4(s, d_6)
                q = fma_f64x4(d_6, d_6, q)
                d_7 = sub_f64x4(load_f64x4(x, n * 315 + (strip + 216 + j_2)), k)
                s = add_f64x4(s, d_7)
                q = fma_f64x4(d_7, d_7, q)
                d_8 = sub_f64x4(load_f64x4(x, n * 315 + (strip + 252 + j_2)), k)
                s = add_f64x4(s, d_8)
                q = fma_f64x4(d_8, d_8, q)
                store_f64x4(sums, j_2, s)
                store_f64x4(squares, j_2, q)
        rest = main_end(0, full, 288)
        for strip_2 in range(rest, full - 35, 36):
            for j_3 in range(0, 36 - 3, 4):
                s_2 = load_f64x4(sums, j_3)
                q_2 = load_f64x4(squares, j_3)
                k_2 = load_f64x4(shifts, j_3)
                d_9 = sub_f64x4(load_f64x4(x, n * 315 + (strip_2 + j_3)), k_2)
                s_2 = add_f64x4(s_2, d_9)
                q_2 = fma_f64x4(d_9, d_9, q_2)
                store_f64x4(sums, j_3, s_2)
                store_f64x4(squares, j_3, q_2)
        # the last long row may be cut short
        for j_4 in range(0, 36 - 3, 4):
            if full + j_4 < 315:
                s_3 = load_f64x4(sums, j_4)
                q_3 = load_f64x4(squares, j_4)
                k_3 = load_f64x4(shifts, j_4)
                d_10 = sub_f64x4(load_part_f64x4(x, n * 315 + (full + j_4), 315 - (full + j_4), k_3), k_3)
                s_3 = add_f64x4(s_3, d_10)
                q_3 = fma_f64x4(d_10, d_10, q_3)
                store_f64x4(sums, j_4, s_3)
                store_f64x4(squares, j_4, q_3)
        for j_5 in range(0, 36 - 3, 4):
            store_f64x4(partial, n * 72 + j_5, load_f64x4(sums, j_5))
            store_f64x4(partial, n * 72 + 36 + j_5, load_f64x4(squares, j_5))
    for n_2 in prange(batch):
        sums_2 = stack_f64(12)
        squares_2 = stack_f64(12)
        for j_6 in range(0, 9 - 3, 4):
            s_4 = splat_f64x4(0.0)
            q_4 = splat_f64x4(0.0)
            for fold in range(0, 4):
                base = fold * 9
                s_4 = add_f64x4(s_4, load_f64x4(partial, n_2 * 72 + (base + j_6)))
                q_4 = add_f64x4(q_4, load_f64x4(partial, n_2 * 72 + 36 + (base + j_6)))
            store_f64x4(sums_2, j_6, s_4)
            store_f64x4(squares_2, j_6, q_4)
        s_5 = splat_f64x4(0.0)
        q_5 = splat_f64x4(0.0)
        for fold_2 in range(0, 4):
            base_2 = fold_2 * 9
            s_5 = add_f64x4(s_5, load_part_f64x4(partial, n_2 * 72 + (base_2 + 8), base_2 + 9 - (base_2 + 8), splat_f64x4(0.0)))
            q_5 = add_f64x4(q_5, load_part_f64x4(partial, n_2 * 72 + 36 + (base_2 + 8), base_2 + 9 - (base_2 + 8), splat_f64x4(0.0)))
        store_f64x4(sums_2, 8, s_5)
        store_f64x4(squares_2, 8, q_5)
        for g_2 in range(0, 3):
            at_2 = g_2 * 3
            column_end = at_2 + 3
            total = 0.0
            for e_2 in range(at_2, column_end):
                total = total + load_f64(sums_2, e_2)
            column_end_2 = at_2 + 3
            squares_3 = 0.0
            for e_3 in range(at_2, column_end_2):
                squares_3 = squares_3 + load_f64(squares_2, e_3)
            shift_2 = (load_f64(x, n_2 * 315 + at_2) + load_f64(x, n_2 * 315 + 72 + at_2) + (load_f64(x, n_2 * 315 + 153 + at_2) + load_f64(x, n_2 * 315 + 234 + at_2))) * 0.25
            off = total / 105.0
            block_mean = shift_2 + off
            block_m2 = squares_3 - total * off
            if not (squares_3 <= min_f64(block_m2 * 16.0, 1.7976931348623157e+308)):
                redo = 0.0
                for row in range(0, 35):
                    for i in range(0, 3):
                        redo = redo + load_f64(x, n_2 * 315 + row * 9 + (at_2 + i))
                center = redo / 105.0
                redo_rest = 0.0
                redo_square = 0.0
                for row_2 in range(0, 35):
                    for i_2 in range(0, 3):
                        e_4 = load_f64(x, n_2 * 315 + row_2 * 9 + (at_2 + i_2)) - center
                        redo_rest = redo_rest + e_4
                        redo_square = fma_f64(e_4, e_4, redo_square)
                block_mean = center + redo_rest / 105.0
                block_m2 = redo_square - redo_rest * redo_rest / 105.0
            spread = max_f64(block_m2, 0.0) / 105.0 + 0.0
            rstd_all = 1.0 / sqrt_f64(spread)
            rstd_all = select_f64(spread <= 0.0, 0.0, rstd_all)
            store_f64(mean, n_2 * 3 + g_2, block_mean)
            store_f64(rstd, n_2 * 3 + g_2, rstd_all)
            store_f64(stats, n_2 * 6 + g_2 * 2, block_mean)
            store_f64(stats, n_2 * 6 + g_2 * 2 + 1, rstd_all)
    for item_n_3_piece in prange(batch * 3):
        n_3 = part_of(item_n_3_piece, 3, 0)
        piece = part_of(item_n_3_piece, 1, 3)
        high = stack_f64(40)
        scale = stack_f64(40)
        offset = stack_f64(40)
        for g_3 in range(0, 3):
            mean_all = load_f64(stats, n_3 * 6 + g_3 * 2)
            rstd_all_2 = load_f64(stats, n_3 * 6 + g_3 * 2 + 1)
            base_3 = g_3 * 3
            for c in range(0, 3):
                offset_2 = load_f64(beta, g_3 * 3 + c)
                store_f64(high, base_3 + c, mean_all)
                store_f64(scale, base_3 + c, rstd_all_2)
                store_f64(offset, base_3 + c, offset_2)
        # the row again, for what reaches past its end
        for copy_4 in range(9, 40 - 3, 4):
            store_f64x4(high, copy_4, load_f64x4(high, copy_4 - 9))
            store_f64x4(scale, copy_4, load_f64x4(scale, copy_4 - 9))
            store_f64x4(offset, copy_4, load_f64x4(offset, copy_4 - 9))
        store_part_f64x4(high, 37, 3, load_f64x4(high, 28))
        store_part_f64x4(scale, 37, 3, load_f64x4(scale, 28))
        store_part_f64x4(offset, 37, 3, load_f64x4(offset, 28))
        piece_first = piece * 144
        piece_last = min_i64(piece_first + 144, 315)
        phase = peel_f64(y, n_3 * 315 + piece_first, 4)
        aligned = advance(piece_first, phase, piece_last)
        if piece_first < aligned:
            highs = load_f64x4(high, 0)
            scales = load_f64x4(scale, 0)
            offsets = load_f64x4(offset, 0)
            store_part_f64x4(y, n_3 * 315 + piece_first, aligned - piece_first, fma_f64x4(sub_f64x4(load_part_f64x4(x, n_3 * 315 + piece_first, aligned - piece_first, splat_f64x4(0.0)), highs), scales, offsets))
            for turn in range(0, 36 - 3, 4):
                store_f64x4(high, turn, load_f64x4(high, phase + turn))
                store_f64x4(scale, turn, load_f64x4(scale, phase + turn))
                store_f64x4(offset, turn, load_f64x4(offset, phase + turn))
        full_2 = main_end(aligned, piece_last, 36)
        for row_3 in range(aligned, full_2 - 143, 144):
            for j_7 in range(0, 36 - 3, 4):
                highs_2 = load_f64x4(high, j_7)
                scales_2 = load_f64x4(scale, j_7)
                offsets_2 = load_f64x4(offset, j_7)
                at_3 = row_3 + j_7
                store_f64x4(y, n_3 * 315 + at_3, fma_f64x4(sub_f64x4(load_f64x4(x, n_3 * 315 + at_3), highs_2), scales_2, offsets_2))
                at_4 = row_3 + 36 + j_7
                store_f64x4(y, n_3 * 315 + at_4, fma_f64x4(sub_f64x4(load_f64x4(x, n_3 * 315 + at_4), highs_2), scales_2, offsets_2))
                at_5 = row_3 + 72 + j_7
                store_f64x4(y, n_3 * 315 + at_5, fma_f64x4(sub_f64x4(load_f64x4(x, n_3 * 315 + at_5), highs_2), scales_2, offsets_2))
                at_6 = row_3 + 108 + j_7
                store_f64x4(y, n_3 * 315 + at_6, fma_f64x4(sub_f64x4(load_f64x4(x, n_3 * 315 + at_6), highs_2), scales_2, offsets_2))
        rest_2 = main_end(aligned, full_2, 144)
        for row_4 in range(rest_2, full_2 - 35, 36):
            for j_8 in range(0, 36 - 3, 4):
                highs_3 = load_f64x4(high, j_8)
                scales_3 = load_f64x4(scale, j_8)
                offsets_3 = load_f64x4(offset, j_8)
                at_7 = row_4 + j_8
                store_f64x4(y, n_3 * 315 + at_7, fma_f64x4(sub_f64x4(load_f64x4(x, n_3 * 315 + at_7), highs_3), scales_3, offsets_3))
        for j_9 in range(0, 36 - 3, 4):
            at_8 = full_2 + j_9
            if at_8 < piece_last:
                highs_4 = load_f64x4(high, j_9)
                scales_4 = load_f64x4(scale, j_9)
                offsets_4 = load_f64x4(offset, j_9)
                store_part_f64x4(y, n_3 * 315 + at_8, piece_last - at_8, fma_f64x4(sub_f64x4(load_part_f64x4(x, n_3 * 315 + at_8, piece_last - at_8, splat_f64x4(0.0)), highs_4), scales_4, offsets_4))


def run(x, beta, y, mean, rstd, partial, stats, batch):
    """Call the kernel on arrays."""
    gn_f64_o35_g3_c3_i1(x.ctypes.data, beta.ctypes.data, y.ctypes.data, mean.ctypes.data, rstd.ctypes.data, partial.ctypes.data, stats.ctypes.data, batch)
