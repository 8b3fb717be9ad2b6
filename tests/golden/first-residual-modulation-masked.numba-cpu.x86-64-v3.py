"""gn_f32_o1_g2_c3_i1001_residual_modulation_masked: group normalisation, specialised by gngen.

input   x        f32[batch * 6006]
input   residual f32[batch * 6006]
input   mask     f32[batch * 1001]
input   gamma    f32[6]
input   beta     f32[6]
input   own_scale f32[batch * 6]
input   own_shift f32[batch * 6]
output  y        f32[batch * 6006]
output  summed   f32[batch * 6006]

Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
`gn_f32_o1_g2_c3_i1001_residual_modulation_masked` takes the addresses of its arrays; `run` takes the arrays, dense and in the kernel's memory order.
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


VECTORS = {("f32", 2): Vector("f32", 2), ("f64", 2): Vector("f64", 2), ("f32", 4): Vector("f32", 4), ("f64", 4): Vector("f64", 4), ("f32", 8): Vector("f32", 8), ("f64", 8): Vector("f64", 8), ("m32", 8): Vector("m32", 8)}
stack_f32, stack_f64 = stack("f32"), stack("f64")
cast_f32_from_f64 = converted("f32", 1, "f64")
cast_f64_from_f32 = converted("f64", 1, "f32")
cast_f64_from_i64 = converted("f64", 1, "i64")
cast_f64x8_from_f32 = converted("f64", 8, "f32")
fma_f32 = fma("f32", 1, fused=True)
fma_f32x8 = fma("f32", 8, fused=True)
fma_f64 = fma("f64", 1, fused=True)
load_f32 = load("f32", 1)
load_f32x8 = load("f32", 8)
load_part_f32x8 = load_part("f32", 8)
max_f64 = extreme(">", "f64", 1)
min_f64 = extreme("<", "f64", 1)
peel_f32 = peel("f32")
sum_f32x8 = lane_sum("f32", 8)
sum_f64x8 = lane_sum("f64", 8)
select_f32x8 = selected("f32", 8)
select_f64 = selected("f64", 1)
splat_f32x8 = splat("f32", 8)
sqrt_f64 = intrinsic_of_one("sqrt", "f64", 1)
store_f32x8 = store("f32", 8)
store_part_f32x8 = store_part("f32", 8)
add_f32x8 = arithmetic("add", "f32", 8)
gt_f32x8 = compared(">", "f32", 8)
max_f32x8 = extreme(">", "f32", 8)
sub_f32x8 = arithmetic("sub", "f32", 8)


SIGNATURE = (types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def gn_f32_o1_g2_c3_i1001_residual_modulation_masked(x, residual, mask, gamma, beta, own_scale, own_shift, y, summed, batch):
    for item_n_g in prange(batch * 2):
        n = part_of(item_n_g, 2, 0)
        g = part_of(item_n_g, 1, 2)
        shift = load_f32(x, n * 6006 + g * 3003) + load_f32(residual, n * 6006 + g * 3003)
        if load_f32(mask, n * 1001) <= np.float32(0.0):
            shift = np.float32(0.0)
            held = splat_f32x8(np.float32(0.0))
            seen = splat_f32x8(np.float32(0.0))
            for i in range(0, 1001 - 7, 8):
                keeps = load_f32x8(mask, n * 1001 + i)
                held = select_f32x8(gt_f32x8(keeps, splat_f32x8(np.float32(0.0))), add_f32x8(load_f32x8(x, n * 6006 + g * 3003 + i), load_f32x8(residual, n * 6006 + g * 3003 + i)), held)
                seen = max_f32x8(seen, keeps)
            if 1000 < 1001:
                keeps_2 = load_part_f32x8(mask, n * 1001 + 1000, 1, splat_f32x8(np.float32(0.0)))
                held = select_f32x8(gt_f32x8(keeps_2, splat_f32x8(np.float32(0.0))), add_f32x8(load_part_f32x8(x, n * 6006 + g * 3003 + 1000, 1, splat_f32x8(np.float32(0.0))), load_part_f32x8(residual, n * 6006 + g * 3003 + 1000, 1, splat_f32x8(np.float32(0.0)))), held)
                seen = max_f32x8(seen, keeps_2)
            shift = cast_f32_from_f64(sum_f64x8(cast_f64x8_from_f32(held)) / max_f64(sum_f64x8(cast_f64x8_from_f32(seen)), 1.0))
        shifts = splat_f32x8(shift)
        sum = splat_f32x8(np.float32(0.0))
        square = splat_f32x8(np.float32(0.0))
        sum_2 = splat_f32x8(np.float32(0.0))
        square_2 = splat_f32x8(np.float32(0.0))
        sum_3 = splat_f32x8(np.float32(0.0))
        square_3 = splat_f32x8(np.float32(0.0))
        sum_4 = splat_f32x8(np.float32(0.0))
        square_4 = splat_f32x8(np.float32(0.0))
        for chan in range(0, 3):
            for i_2 in range(0, 1001 - 31, 32):
                value = add_f32x8(load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + i_2), load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + i_2))
                store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + i_2, value)
                d = select_f32x8(gt_f32x8(load_f32x8(mask, n * 1001 + i_2), splat_f32x8(np.float32(0.0))), sub_f32x8(value, shifts), splat_f32x8(np.float32(0.0)))
                sum = add_f32x8(sum, d)
                square = fma_f32x8(d, d, square)
                value_2 = add_f32x8(load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 8)), load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 8)))
                store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 8), value_2)
                d_2 = select_f32x8(gt_f32x8(load_f32x8(mask, n * 1001 + (i_2 + 8)), splat_f32x8(np.float32(0.0))), sub_f32x8(value_2, shifts), splat_f32x8(np.float32(0.0)))
                sum_2 = add_f32x8(sum_2, d_2)
                square_2 = fma_f32x8(d_2, d_2, square_2)
                value_3 = add_f32x8(load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 16)), load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 16)))
                store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 16), value_3)
                d_3 = select_f32x8(gt_f32x8(load_f32x8(mask, n * 1001 + (i_2 + 16)), splat_f32x8(np.float32(0.0))), sub_f32x8(value_3, shifts), splat_f32x8(np.float32(0.0)))
                sum_3 = add_f32x8(sum_3, d_3)
                square_3 = fma_f32x8(d_3, d_3, square_3)
                value_4 = add_f32x8(load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 24)), load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 24)))
                store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + (i_2 + 24), value_4)
                d_4 = select_f32x8(gt_f32x8(load_f32x8(mask, n * 1001 + (i_2 + 24)), splat_f32x8(np.float32(0.0))), sub_f32x8(value_4, shifts), splat_f32x8(np.float32(0.0)))
                sum_4 = add_f32x8(sum_4, d_4)
                square_4 = fma_f32x8(d_4, d_4, square_4)
            value_5 = add_f32x8(load_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + 992), load_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + 992))
            store_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + 992, value_5)
            d_5 = select_f32x8(gt_f32x8(load_f32x8(mask, n * 1001 + 992), splat_f32x8(np.float32(0.0))), sub_f32x8(value_5, shifts), splat_f32x8(np.float32(0.0)))
            sum = add_f32x8(sum, d_5)
            square = fma_f32x8(d_5, d_5, square)
            value_6 = add_f32x8(load_part_f32x8(x, n * 6006 + g * 3003 + chan * 1001 + 1000, 1, shifts), load_part_f32x8(residual, n * 6006 + g * 3003 + chan * 1001 + 1000, 1, splat_f32x8(np.float32(0.0))))
            store_part_f32x8(summed, n * 6006 + g * 3003 + chan * 1001 + 1000, 1, value_6)
            d_6 = select_f32x8(gt_f32x8(load_part_f32x8(mask, n * 1001 + 1000, 1, splat_f32x8(np.float32(0.0))), splat_f32x8(np.float32(0.0))), sub_f32x8(value_6, shifts), splat_f32x8(np.float32(0.0)))
            sum = add_f32x8(sum, d_6)
            square = fma_f32x8(d_6, d_6, square)
        kept = splat_f32x8(np.float32(0.0))
        for i_3 in range(0, 1001 - 7, 8):
            kept = add_f32x8(kept, load_f32x8(mask, n * 1001 + i_3))
        if 1000 < 1001:
            kept = add_f32x8(kept, load_part_f32x8(mask, n * 1001 + 1000, 1, splat_f32x8(np.float32(0.0))))
        count = cast_f64_from_f32(sum_f32x8(kept)) * cast_f64_from_i64(3)
        total = sum_f64x8(cast_f64x8_from_f32(add_f32x8(add_f32x8(sum, sum_2), add_f32x8(sum_3, sum_4))))
        squares = sum_f64x8(cast_f64x8_from_f32(add_f32x8(add_f32x8(square, square_2), add_f32x8(square_3, square_4))))
        off = total / max_f64(count, 1.0)
        block_mean = cast_f64_from_f32(shift) + off
        block_m2 = squares - total * off
        if not (squares <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38)):
            redo = 0.0
            for chan_2 in range(0, 3):
                for i_4 in range(0, 1001):
                    if load_f32(mask, n * 1001 + i_4) > np.float32(0.0):
                        redo = redo + cast_f64_from_f32(load_f32(summed, n * 6006 + g * 3003 + chan_2 * 1001 + i_4))
            center = redo / count
            redo_rest = 0.0
            redo_square = 0.0
            for chan_3 in range(0, 3):
                for i_5 in range(0, 1001):
                    if load_f32(mask, n * 1001 + i_5) > np.float32(0.0):
                        e = cast_f64_from_f32(load_f32(summed, n * 6006 + g * 3003 + chan_3 * 1001 + i_5)) - center
                        redo_rest = redo_rest + e
                        redo_square = fma_f64(e, e, redo_square)
            block_mean = center + redo_rest / count
            block_m2 = redo_square - redo_rest * redo_rest / count
        mean_all = block_mean
        m2_all = block_m2
        count_all = count
        spread = max_f64(m2_all, 0.0) / max_f64(count_all, 1.0) + 0.001
        rstd_all = 1.0 / sqrt_f64(spread)
        rstd_all = select_f64(count_all <= 0.0, 0.0, rstd_all)
        mean_high = cast_f32_from_f64(mean_all)
        mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high))
        rstd_1 = cast_f32_from_f64(rstd_all)
        for c in range(0, 3):
            scale = rstd_1 * load_f32(gamma, g * 3 + c)
            factor = np.float32(1.0) + load_f32(own_scale, n * 6 + (g * 3 + c))
            scale_2 = scale * factor
            offset = fma_f32(load_f32(beta, g * 3 + c), factor, load_f32(own_shift, n * 6 + (g * 3 + c)))
            offset_2 = fma_f32(-mean_low, scale_2, offset)
            highs = splat_f32x8(mean_high)
            scales = splat_f32x8(scale_2)
            offsets = splat_f32x8(offset_2)
            phase = peel_f32(y, n * 6006 + g * 3003 + c * 1001, 8)
            aligned = advance(0, phase, 1001)
            if 0 < aligned:
                store_part_f32x8(y, n * 6006 + g * 3003 + c * 1001, aligned, fma_f32x8(sub_f32x8(load_part_f32x8(summed, n * 6006 + g * 3003 + c * 1001, aligned, splat_f32x8(np.float32(0.0))), highs), scales, offsets))
            for i_6 in range(aligned, 1001 - 7, 8):
                store_f32x8(y, n * 6006 + g * 3003 + c * 1001 + i_6, fma_f32x8(sub_f32x8(load_f32x8(summed, n * 6006 + g * 3003 + c * 1001 + i_6), highs), scales, offsets))
            tail = main_end(aligned, 1001, 8)
            if tail < 1001:
                store_part_f32x8(y, n * 6006 + g * 3003 + c * 1001 + tail, 1001 - tail, fma_f32x8(sub_f32x8(load_part_f32x8(summed, n * 6006 + g * 3003 + c * 1001 + tail, 1001 - tail, splat_f32x8(np.float32(0.0))), highs), scales, offsets))


def run(x, residual, mask, gamma, beta, own_scale, own_shift, y, summed, batch):
    """Call the kernel on arrays."""
    gn_f32_o1_g2_c3_i1001_residual_modulation_masked(x.ctypes.data, residual.ctypes.data, mask.ctypes.data, gamma.ctypes.data, beta.ctypes.data, own_scale.ctypes.data, own_shift.ctypes.data, y.ctypes.data, summed.ctypes.data, batch)
