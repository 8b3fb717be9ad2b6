"""gn_bwd_f32_o1_g8_c3_i1023_relu: group normalisation, specialised by gngen.

input   dy       f32[batch * 24552]
input   x        f32[batch * 24552]
input   mean     f32[batch * 8]
input   rstd     f32[batch * 8]
input   gamma    f32[24]
input   beta     f32[24]
output  dx       f32[batch * 24552]
output  dgamma   f32[24]
output  dbeta    f32[24]
scratch channel_sums f64[batch * 48]
scratch off      f64[batch * 8]

Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
`gn_bwd_f32_o1_g8_c3_i1023_relu` takes the addresses of its arrays; `run` takes the arrays, dense and in the kernel's memory order.
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


VECTORS = {("f64", 2): Vector("f64", 2), ("f32", 4): Vector("f32", 4), ("f64", 4): Vector("f64", 4), ("f32", 8): Vector("f32", 8), ("f64", 8): Vector("f64", 8), ("m32", 8): Vector("m32", 8)}
stack_f32, stack_f64 = stack("f32"), stack("f64")
abs_f32 = intrinsic_of_one("fabs", "f32", 1)
cast_f32_from_f64 = converted("f32", 1, "f64")
cast_f32x4_from_f64 = converted("f32", 4, "f64")
cast_f64_from_f32 = converted("f64", 1, "f32")
cast_f64x8_from_f32 = converted("f64", 8, "f32")
fma_f32 = fma("f32", 1, fused=True)
fma_f32x8 = fma("f32", 8, fused=True)
fma_f64 = fma("f64", 1, fused=True)
load_f32 = load("f32", 1)
load_f32x8 = load("f32", 8)
load_f64 = load("f64", 1)
load_f64x4 = load("f64", 4)
load_part_f32x8 = load_part("f32", 8)
peel_f32 = peel("f32")
sum_f64x8 = lane_sum("f64", 8)
select_f32x8 = selected("f32", 8)
splat_f32x8 = splat("f32", 8)
splat_f64x4 = splat("f64", 4)
store_f32x4 = store("f32", 4)
store_f32x8 = store("f32", 8)
store_f64 = store("f64", 1)
store_part_f32x8 = store_part("f32", 8)
add_f32x8 = arithmetic("add", "f32", 8)
add_f64x4 = arithmetic("add", "f64", 4)
gt_f32x8 = compared(">", "f32", 8)
mul_f32x8 = arithmetic("mul", "f32", 8)
sub_f32x8 = arithmetic("sub", "f32", 8)


@njit
def relu_slope_f32x8(x):
    return select_f32x8(gt_f32x8(x, splat_f32x8(np.float32(0.0))), splat_f32x8(np.float32(1.0)), splat_f32x8(np.float32(0.0)))


SIGNATURE = (types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def gn_bwd_f32_o1_g8_c3_i1023_relu(dy, x, mean, rstd, gamma, beta, dx, dgamma, dbeta, channel_sums, off, batch):
    for item_n_g in prange(batch * 8):
        n = part_of(item_n_g, 8, 0)
        g = part_of(item_n_g, 1, 8)
        high = load_f32(mean, n * 8 + g)
        off_all = 0.0
        if abs_f32(load_f32(mean, n * 8 + g)) * load_f32(rstd, n * 8 + g) > np.float32(16.0):
            for c in range(0, 3):
                sum = 0.0
                highs = splat_f32x8(high)
                s = splat_f32x8(np.float32(0.0))
                s_2 = splat_f32x8(np.float32(0.0))
                s_3 = splat_f32x8(np.float32(0.0))
                s_4 = splat_f32x8(np.float32(0.0))
                for i in range(0, 1023 - 31, 32):
                    d = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + i), highs)
                    s = add_f32x8(s, d)
                    d_2 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + (i + 8)), highs)
                    s_2 = add_f32x8(s_2, d_2)
                    d_3 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + (i + 16)), highs)
                    s_3 = add_f32x8(s_3, d_3)
                    d_4 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + (i + 24)), highs)
                    s_4 = add_f32x8(s_4, d_4)
                for i_2 in range(992, 1023 - 7, 8):
                    d_5 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c * 1023 + i_2), highs)
                    s = add_f32x8(s, d_5)
                if 1016 < 1023:
                    d_6 = sub_f32x8(load_part_f32x8(x, n * 24552 + g * 3069 + c * 1023 + 1016, 7, highs), highs)
                    s = add_f32x8(s, d_6)
                sum_block = sum_f64x8(cast_f64x8_from_f32(add_f32x8(add_f32x8(s, s_2), add_f32x8(s_3, s_4))))
                sum = sum + sum_block
                off_all = off_all + sum
            off_all = off_all / 3069.0
        store_f64(off, n * 8 + g, off_all)
        low = cast_f32_from_f64(load_f64(off, n * 8 + g))
        high_2 = load_f32(mean, n * 8 + g)
        rstd_1 = load_f32(rstd, n * 8 + g)
        all_g = 0.0
        all_gx = 0.0
        for c_2 in range(0, 3):
            channel = g * 3 + c_2
            scale = rstd_1 * load_f32(gamma, channel)
            offset = fma_f32(-low, scale, load_f32(beta, channel))
            sum_g = 0.0
            sum_gd = 0.0
            highs_2 = splat_f32x8(high_2)
            spread = splat_f32x8(scale)
            spread_2 = splat_f32x8(offset)
            s_5 = splat_f32x8(np.float32(0.0))
            s_6 = splat_f32x8(np.float32(0.0))
            s_7 = splat_f32x8(np.float32(0.0))
            s_8 = splat_f32x8(np.float32(0.0))
            s_9 = splat_f32x8(np.float32(0.0))
            s_10 = splat_f32x8(np.float32(0.0))
            s_11 = splat_f32x8(np.float32(0.0))
            s_12 = splat_f32x8(np.float32(0.0))
            for i_3 in range(0, 1023 - 31, 32):
                d_7 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + i_3), highs_2)
                dys = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + i_3)
                g_2 = mul_f32x8(dys, relu_slope_f32x8(fma_f32x8(d_7, spread, spread_2)))
                s_5 = add_f32x8(s_5, g_2)
                s_6 = fma_f32x8(g_2, d_7, s_6)
                d_8 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 8)), highs_2)
                dys_2 = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 8))
                g_3 = mul_f32x8(dys_2, relu_slope_f32x8(fma_f32x8(d_8, spread, spread_2)))
                s_7 = add_f32x8(s_7, g_3)
                s_8 = fma_f32x8(g_3, d_8, s_8)
                d_9 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 16)), highs_2)
                dys_3 = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 16))
                g_4 = mul_f32x8(dys_3, relu_slope_f32x8(fma_f32x8(d_9, spread, spread_2)))
                s_9 = add_f32x8(s_9, g_4)
                s_10 = fma_f32x8(g_4, d_9, s_10)
                d_10 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 24)), highs_2)
                dys_4 = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + (i_3 + 24))
                g_5 = mul_f32x8(dys_4, relu_slope_f32x8(fma_f32x8(d_10, spread, spread_2)))
                s_11 = add_f32x8(s_11, g_5)
                s_12 = fma_f32x8(g_5, d_10, s_12)
            for i_4 in range(992, 1023 - 7, 8):
                d_11 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + i_4), highs_2)
                dys_5 = load_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + i_4)
                g_6 = mul_f32x8(dys_5, relu_slope_f32x8(fma_f32x8(d_11, spread, spread_2)))
                s_5 = add_f32x8(s_5, g_6)
                s_6 = fma_f32x8(g_6, d_11, s_6)
            if 1016 < 1023:
                d_12 = sub_f32x8(load_part_f32x8(x, n * 24552 + g * 3069 + c_2 * 1023 + 1016, 7, highs_2), highs_2)
                dys_6 = load_part_f32x8(dy, n * 24552 + g * 3069 + c_2 * 1023 + 1016, 7, splat_f32x8(np.float32(0.0)))
                g_7 = mul_f32x8(dys_6, relu_slope_f32x8(fma_f32x8(d_12, spread, spread_2)))
                s_5 = add_f32x8(s_5, g_7)
                s_6 = fma_f32x8(g_7, d_12, s_6)
            sum_g_block = sum_f64x8(cast_f64x8_from_f32(add_f32x8(add_f32x8(s_5, s_7), add_f32x8(s_9, s_11))))
            sum_g = sum_g + sum_g_block
            sum_gd_block = sum_f64x8(cast_f64x8_from_f32(add_f32x8(add_f32x8(s_6, s_8), add_f32x8(s_10, s_12))))
            sum_gd = sum_gd + sum_gd_block
            channel_2 = g * 3 + c_2
            sum_gx = (sum_gd - cast_f64_from_f32(low) * sum_g) * cast_f64_from_f32(rstd_1)
            weight = cast_f64_from_f32(load_f32(gamma, channel_2))
            store_f64(channel_sums, n * 48 + channel_2, sum_g)
            all_g = fma_f64(sum_g, weight, all_g)
            store_f64(channel_sums, n * 48 + 24 + channel_2, sum_gx)
            all_gx = fma_f64(sum_gx, weight, all_gx)
        wide_rstd = cast_f64_from_f32(rstd_1)
        wide_tilt = -(wide_rstd * wide_rstd * (all_gx / 3069.0))
        wide_level = -(wide_rstd * (all_g / 3069.0)) - cast_f64_from_f32(low) * wide_tilt
        tilt = cast_f32_from_f64(wide_tilt)
        level = cast_f32_from_f64(wide_level)
        for c_3 in range(0, 3):
            channel_3 = g * 3 + c_3
            scale_2 = rstd_1 * load_f32(gamma, channel_3)
            offset_2 = fma_f32(-low, scale_2, load_f32(beta, channel_3))
            highs_3 = splat_f32x8(high_2)
            scales = splat_f32x8(scale_2)
            tilts = splat_f32x8(tilt)
            levels = splat_f32x8(level)
            offsets = splat_f32x8(offset_2)
            phase = peel_f32(dx, n * 24552 + g * 3069 + c_3 * 1023, 8)
            aligned = advance(0, phase, 1023)
            if 0 < aligned:
                d_13 = sub_f32x8(load_part_f32x8(x, n * 24552 + g * 3069 + c_3 * 1023, aligned, splat_f32x8(np.float32(0.0))), highs_3)
                dys_7 = load_part_f32x8(dy, n * 24552 + g * 3069 + c_3 * 1023, aligned, splat_f32x8(np.float32(0.0)))
                g_8 = mul_f32x8(dys_7, relu_slope_f32x8(fma_f32x8(d_13, scales, offsets)))
                store_part_f32x8(dx, n * 24552 + g * 3069 + c_3 * 1023, aligned, fma_f32x8(d_13, tilts, fma_f32x8(g_8, scales, levels)))
            for i_5 in range(aligned, 1023 - 7, 8):
                d_14 = sub_f32x8(load_f32x8(x, n * 24552 + g * 3069 + c_3 * 1023 + i_5), highs_3)
                dys_8 = load_f32x8(dy, n * 24552 + g * 3069 + c_3 * 1023 + i_5)
                g_9 = mul_f32x8(dys_8, relu_slope_f32x8(fma_f32x8(d_14, scales, offsets)))
                store_f32x8(dx, n * 24552 + g * 3069 + c_3 * 1023 + i_5, fma_f32x8(d_14, tilts, fma_f32x8(g_9, scales, levels)))
            tail = main_end(aligned, 1023, 8)
            if tail < 1023:
                d_15 = sub_f32x8(load_part_f32x8(x, n * 24552 + g * 3069 + c_3 * 1023 + tail, 1023 - tail, splat_f32x8(np.float32(0.0))), highs_3)
                dys_9 = load_part_f32x8(dy, n * 24552 + g * 3069 + c_3 * 1023 + tail, 1023 - tail, splat_f32x8(np.float32(0.0)))
                g_10 = mul_f32x8(dys_9, relu_slope_f32x8(fma_f32x8(d_15, scales, offsets)))
                store_part_f32x8(dx, n * 24552 + g * 3069 + c_3 * 1023 + tail, 1023 - tail, fma_f32x8(d_15, tilts, fma_f32x8(g_10, scales, levels)))
    for tile in prange(1):
        for c_4 in range(0, 24 - 3, 4):
            d_dbeta = splat_f64x4(0.0)
            d_dgamma = splat_f64x4(0.0)
            for n_2 in range(0, batch):
                d_dbeta = add_f64x4(d_dbeta, load_f64x4(channel_sums, n_2 * 48 + c_4))
                d_dgamma = add_f64x4(d_dgamma, load_f64x4(channel_sums, n_2 * 48 + 24 + c_4))
            store_f32x4(dbeta, c_4, cast_f32x4_from_f64(d_dbeta))
            store_f32x4(dgamma, c_4, cast_f32x4_from_f64(d_dgamma))


def run(dy, x, mean, rstd, gamma, beta, dx, dgamma, dbeta, channel_sums, off, batch):
    """Call the kernel on arrays."""
    gn_bwd_f32_o1_g8_c3_i1023_relu(dy.ctypes.data, x.ctypes.data, mean.ctypes.data, rstd.ctypes.data, gamma.ctypes.data, beta.ctypes.data, dx.ctypes.data, dgamma.ctypes.data, dbeta.ctypes.data, channel_sums.ctypes.data, off.ctypes.data, batch)
