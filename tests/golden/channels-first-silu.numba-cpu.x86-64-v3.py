"""gn_f32_o1_g32_c10_i4096_silu: group normalisation, specialised by gngen.

input   x        f32[batch * 1310720]
input   gamma    f32[320]
input   beta     f32[320]
output  y        f32[batch * 1310720]

Machine: x86-64 with AVX2 and FMA; 256-bit vectors.
`gn_f32_o1_g32_c10_i4096_silu` takes the addresses of its arrays; `run` takes the arrays, dense and in the kernel's memory order.
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


VECTORS = {("f64", 2): Vector("f64", 2), ("f64", 4): Vector("f64", 4), ("f32", 8): Vector("f32", 8), ("f64", 8): Vector("f64", 8), ("i32", 8): Vector("i32", 8)}
stack_f32, stack_f64 = stack("f32"), stack("f64")
bitcast_f32x8_from_i32 = reinterpreted("f32", 8, "i32")
bitcast_i32x8_from_f32 = reinterpreted("i32", 8, "f32")
cast_f32_from_f64 = converted("f32", 1, "f64")
cast_f64_from_f32 = converted("f64", 1, "f32")
cast_f64_from_i64 = converted("f64", 1, "i64")
cast_f64x8_from_f32 = converted("f64", 8, "f32")
fma_f32 = fma("f32", 1, fused=True)
fma_f32x8 = fma("f32", 8, fused=True)
fma_f64 = fma("f64", 1, fused=True)
load_f32 = load("f32", 1)
load_f32x8 = load("f32", 8)
load_f64 = load("f64", 1)
load_part_f32x8 = load_part("f32", 8)
max_f64 = extreme(">", "f64", 1)
min_f64 = extreme("<", "f64", 1)
peel_f32 = peel("f32")
prefetch_f32 = prefetch("f32")
sum_f64x8 = lane_sum("f64", 8)
splat_f32x8 = splat("f32", 8)
splat_i32x8 = splat("i32", 8)
sqrt_f64 = intrinsic_of_one("sqrt", "f64", 1)
store_f64 = store("f64", 1)
store_part_f32x8 = store_part("f32", 8)
stream_f32x8 = store("f32", 8, streaming=True)
add_f32x8 = arithmetic("add", "f32", 8)
div_f32x8 = arithmetic("div", "f32", 8)
max_f32x8 = extreme(">", "f32", 8)
min_f32x8 = extreme("<", "f32", 8)
shl_i32x8 = arithmetic("shl", "i32", 8)
sub_f32x8 = arithmetic("sub", "f32", 8)


@njit
def silu_f32x8(x):
    above = max_f32x8(x, splat_f32x8(np.float32(-88.72283935546875)))
    inside = min_f32x8(above, splat_f32x8(np.float32(88.02969360351562)))
    t = fma_f32x8(inside, splat_f32x8(np.float32(-1.4426950216293335)), splat_f32x8(np.float32(12583039.0)))
    n = sub_f32x8(t, splat_f32x8(np.float32(12583039.0)))
    scale = bitcast_f32x8_from_i32(shl_i32x8(bitcast_i32x8_from_f32(t), splat_i32x8(np.int32(23))))
    r = fma_f32x8(n, splat_f32x8(np.float32(0.693145751953125)), inside)
    r_2 = fma_f32x8(n, splat_f32x8(np.float32(1.428606765330187e-06)), r)
    p = fma_f32x8(splat_f32x8(np.float32(-0.008289932273328304)), r_2, splat_f32x8(np.float32(0.04189866781234741)))
    p_2 = fma_f32x8(p, r_2, splat_f32x8(np.float32(-0.16667647659778595)))
    p_3 = fma_f32x8(p_2, r_2, splat_f32x8(np.float32(0.49999144673347473)))
    p_4 = fma_f32x8(p_3, r_2, splat_f32x8(np.float32(-0.9999997019767761)))
    p_5 = fma_f32x8(p_4, r_2, splat_f32x8(np.float32(1.0)))
    under = fma_f32x8(p_5, scale, splat_f32x8(np.float32(1.0)))
    return div_f32x8(above, under)


SIGNATURE = (types.int64, types.int64, types.int64, types.int64, types.int64)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def gn_f32_o1_g32_c10_i4096_silu(x, gamma, beta, y, batch):
    for item_n_g in prange(batch * 32):
        n = part_of(item_n_g, 32, 0)
        g = part_of(item_n_g, 1, 32)
        partial = stack_f64(30)
        for width_block in range(0, 10):
            at_first = width_block * 4096
            at_last = at_first + 4096
            shift = load_f32(x, n * 1310720 + g * 40960 + at_first)
            shifts = splat_f32x8(shift)
            sum = splat_f32x8(np.float32(0.0))
            square = splat_f32x8(np.float32(0.0))
            sum_2 = splat_f32x8(np.float32(0.0))
            square_2 = splat_f32x8(np.float32(0.0))
            sum_3 = splat_f32x8(np.float32(0.0))
            square_3 = splat_f32x8(np.float32(0.0))
            sum_4 = splat_f32x8(np.float32(0.0))
            square_4 = splat_f32x8(np.float32(0.0))
            for i in range(at_first, at_last - 31, 32):
                d = sub_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + i), shifts)
                sum = add_f32x8(sum, d)
                square = fma_f32x8(d, d, square)
                d_2 = sub_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + (i + 8)), shifts)
                sum_2 = add_f32x8(sum_2, d_2)
                square_2 = fma_f32x8(d_2, d_2, square_2)
                d_3 = sub_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + (i + 16)), shifts)
                sum_3 = add_f32x8(sum_3, d_3)
                square_3 = fma_f32x8(d_3, d_3, square_3)
                d_4 = sub_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + (i + 24)), shifts)
                sum_4 = add_f32x8(sum_4, d_4)
                square_4 = fma_f32x8(d_4, d_4, square_4)
            count = cast_f64_from_i64(at_last - at_first)
            total = sum_f64x8(cast_f64x8_from_f32(add_f32x8(add_f32x8(sum, sum_2), add_f32x8(sum_3, sum_4))))
            squares = sum_f64x8(cast_f64x8_from_f32(add_f32x8(add_f32x8(square, square_2), add_f32x8(square_3, square_4))))
            off = total / count
            block_mean = cast_f64_from_f32(shift) + off
            block_m2 = squares - total * off
            if not (squares <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38)):
                redo = 0.0
                for i_2 in range(at_first, at_last):
                    redo = redo + cast_f64_from_f32(load_f32(x, n * 1310720 + g * 40960 + i_2))
                center = redo / count
                redo_rest = 0.0
                redo_square = 0.0
                for i_3 in range(at_first, at_last):
                    e = cast_f64_from_f32(load_f32(x, n * 1310720 + g * 40960 + i_3)) - center
                    redo_rest = redo_rest + e
                    redo_square = fma_f64(e, e, redo_square)
                block_mean = center + redo_rest / count
                block_m2 = redo_square - redo_rest * redo_rest / count
            store_f64(partial, width_block * 3, block_mean)
            store_f64(partial, width_block * 3 + 1, block_m2)
            store_f64(partial, width_block * 3 + 2, count)
        mean_all = load_f64(partial, 0)
        m2_all = load_f64(partial, 1)
        count_all = load_f64(partial, 2)
        for block in range(1, 10):
            delta = load_f64(partial, block * 3) - mean_all
            more = load_f64(partial, block * 3 + 2)
            share = more / (count_all + more)
            mean_all = fma_f64(delta, share, mean_all)
            m2_all = m2_all + fma_f64(delta * delta, count_all * share, load_f64(partial, block * 3 + 1))
            count_all = count_all + more
        spread = max_f64(m2_all, 0.0) / count_all + 0.001
        rstd_all = 1.0 / sqrt_f64(spread)
        mean_high = cast_f32_from_f64(mean_all)
        mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high))
        rstd_1 = cast_f32_from_f64(rstd_all)
        for c in range(0, 10):
            scale = rstd_1 * load_f32(gamma, g * 10 + c)
            offset = fma_f32(-mean_low, scale, load_f32(beta, g * 10 + c))
            highs = splat_f32x8(mean_high)
            scales = splat_f32x8(scale)
            offsets = splat_f32x8(offset)
            phase = peel_f32(y, n * 1310720 + g * 40960 + c * 4096, 8)
            aligned = advance(0, phase, 4096)
            if 0 < aligned:
                store_part_f32x8(y, n * 1310720 + g * 40960 + c * 4096, aligned, silu_f32x8(fma_f32x8(sub_f32x8(load_part_f32x8(x, n * 1310720 + g * 40960 + c * 4096, aligned, splat_f32x8(np.float32(0.0))), highs), scales, offsets)))
            for i_4 in range(aligned, 4096 - 31, 32):
                prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_4 + 40960))
                prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_4 + 40976))
                at = i_4 + 8
                at_2 = i_4 + 16
                at_3 = i_4 + 24
                # 4 vectors side by side, so that no operation waits for the one before
                x_2 = fma_f32x8(sub_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + i_4), highs), scales, offsets)
                x_3 = fma_f32x8(sub_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + at), highs), scales, offsets)
                x_4 = fma_f32x8(sub_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + at_2), highs), scales, offsets)
                x_5 = fma_f32x8(sub_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + at_3), highs), scales, offsets)
                above = max_f32x8(x_2, splat_f32x8(np.float32(-88.72283935546875)))
                above_2 = max_f32x8(x_3, splat_f32x8(np.float32(-88.72283935546875)))
                above_3 = max_f32x8(x_4, splat_f32x8(np.float32(-88.72283935546875)))
                above_4 = max_f32x8(x_5, splat_f32x8(np.float32(-88.72283935546875)))
                inside = min_f32x8(above, splat_f32x8(np.float32(88.02969360351562)))
                inside_2 = min_f32x8(above_2, splat_f32x8(np.float32(88.02969360351562)))
                inside_3 = min_f32x8(above_3, splat_f32x8(np.float32(88.02969360351562)))
                inside_4 = min_f32x8(above_4, splat_f32x8(np.float32(88.02969360351562)))
                t = fma_f32x8(inside, splat_f32x8(np.float32(-1.4426950216293335)), splat_f32x8(np.float32(12583039.0)))
                t_2 = fma_f32x8(inside_2, splat_f32x8(np.float32(-1.4426950216293335)), splat_f32x8(np.float32(12583039.0)))
                t_3 = fma_f32x8(inside_3, splat_f32x8(np.float32(-1.4426950216293335)), splat_f32x8(np.float32(12583039.0)))
                t_4 = fma_f32x8(inside_4, splat_f32x8(np.float32(-1.4426950216293335)), splat_f32x8(np.float32(12583039.0)))
                n_2 = sub_f32x8(t, splat_f32x8(np.float32(12583039.0)))
                n_3 = sub_f32x8(t_2, splat_f32x8(np.float32(12583039.0)))
                n_4 = sub_f32x8(t_3, splat_f32x8(np.float32(12583039.0)))
                n_5 = sub_f32x8(t_4, splat_f32x8(np.float32(12583039.0)))
                scale_2 = bitcast_f32x8_from_i32(shl_i32x8(bitcast_i32x8_from_f32(t), splat_i32x8(np.int32(23))))
                scale_3 = bitcast_f32x8_from_i32(shl_i32x8(bitcast_i32x8_from_f32(t_2), splat_i32x8(np.int32(23))))
                scale_4 = bitcast_f32x8_from_i32(shl_i32x8(bitcast_i32x8_from_f32(t_3), splat_i32x8(np.int32(23))))
                scale_5 = bitcast_f32x8_from_i32(shl_i32x8(bitcast_i32x8_from_f32(t_4), splat_i32x8(np.int32(23))))
                r = fma_f32x8(n_2, splat_f32x8(np.float32(0.693145751953125)), inside)
                r_3 = fma_f32x8(n_3, splat_f32x8(np.float32(0.693145751953125)), inside_2)
                r_5 = fma_f32x8(n_4, splat_f32x8(np.float32(0.693145751953125)), inside_3)
                r_7 = fma_f32x8(n_5, splat_f32x8(np.float32(0.693145751953125)), inside_4)
                r_2 = fma_f32x8(n_2, splat_f32x8(np.float32(1.428606765330187e-06)), r)
                r_4 = fma_f32x8(n_3, splat_f32x8(np.float32(1.428606765330187e-06)), r_3)
                r_6 = fma_f32x8(n_4, splat_f32x8(np.float32(1.428606765330187e-06)), r_5)
                r_8 = fma_f32x8(n_5, splat_f32x8(np.float32(1.428606765330187e-06)), r_7)
                p = fma_f32x8(splat_f32x8(np.float32(-0.008289932273328304)), r_2, splat_f32x8(np.float32(0.04189866781234741)))
                p_6 = fma_f32x8(splat_f32x8(np.float32(-0.008289932273328304)), r_4, splat_f32x8(np.float32(0.04189866781234741)))
                p_11 = fma_f32x8(splat_f32x8(np.float32(-0.008289932273328304)), r_6, splat_f32x8(np.float32(0.04189866781234741)))
                p_16 = fma_f32x8(splat_f32x8(np.float32(-0.008289932273328304)), r_8, splat_f32x8(np.float32(0.04189866781234741)))
                p_2 = fma_f32x8(p, r_2, splat_f32x8(np.float32(-0.16667647659778595)))
                p_7 = fma_f32x8(p_6, r_4, splat_f32x8(np.float32(-0.16667647659778595)))
                p_12 = fma_f32x8(p_11, r_6, splat_f32x8(np.float32(-0.16667647659778595)))
                p_17 = fma_f32x8(p_16, r_8, splat_f32x8(np.float32(-0.16667647659778595)))
                p_3 = fma_f32x8(p_2, r_2, splat_f32x8(np.float32(0.49999144673347473)))
                p_8 = fma_f32x8(p_7, r_4, splat_f32x8(np.float32(0.49999144673347473)))
                p_13 = fma_f32x8(p_12, r_6, splat_f32x8(np.float32(0.49999144673347473)))
                p_18 = fma_f32x8(p_17, r_8, splat_f32x8(np.float32(0.49999144673347473)))
                p_4 = fma_f32x8(p_3, r_2, splat_f32x8(np.float32(-0.9999997019767761)))
                p_9 = fma_f32x8(p_8, r_4, splat_f32x8(np.float32(-0.9999997019767761)))
                p_14 = fma_f32x8(p_13, r_6, splat_f32x8(np.float32(-0.9999997019767761)))
                p_19 = fma_f32x8(p_18, r_8, splat_f32x8(np.float32(-0.9999997019767761)))
                p_5 = fma_f32x8(p_4, r_2, splat_f32x8(np.float32(1.0)))
                p_10 = fma_f32x8(p_9, r_4, splat_f32x8(np.float32(1.0)))
                p_15 = fma_f32x8(p_14, r_6, splat_f32x8(np.float32(1.0)))
                p_20 = fma_f32x8(p_19, r_8, splat_f32x8(np.float32(1.0)))
                under = fma_f32x8(p_5, scale_2, splat_f32x8(np.float32(1.0)))
                under_2 = fma_f32x8(p_10, scale_3, splat_f32x8(np.float32(1.0)))
                under_3 = fma_f32x8(p_15, scale_4, splat_f32x8(np.float32(1.0)))
                under_4 = fma_f32x8(p_20, scale_5, splat_f32x8(np.float32(1.0)))
                stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + i_4, div_f32x8(above, under))
                stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + at, div_f32x8(above_2, under_2))
                stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + at_2, div_f32x8(above_3, under_3))
                stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + at_3, div_f32x8(above_4, under_4))
            rest = main_end(aligned, 4096, 32)
            for i_5 in range(rest, 4096 - 7, 8):
                prefetch_f32(x, n * 1310720 + g * 40960 + c * 4096 + (i_5 + 40960))
                stream_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + i_5, silu_f32x8(fma_f32x8(sub_f32x8(load_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + i_5), highs), scales, offsets)))
            tail = main_end(aligned, 4096, 8)
            if tail < 4096:
                store_part_f32x8(y, n * 1310720 + g * 40960 + c * 4096 + tail, 4096 - tail, silu_f32x8(fma_f32x8(sub_f32x8(load_part_f32x8(x, n * 1310720 + g * 40960 + c * 4096 + tail, 4096 - tail, splat_f32x8(np.float32(0.0))), highs), scales, offsets)))
        fence()


def run(x, gamma, beta, y, batch):
    """Call the kernel on arrays."""
    gn_f32_o1_g32_c10_i4096_silu(x.ctypes.data, gamma.ctypes.data, beta.ctypes.data, y.ctypes.data, batch)
