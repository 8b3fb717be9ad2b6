"""gn_bf16_o4096_g32_c10_i1: group normalisation, specialised by gngen.

input   x        bf16[batch * 1310720]
input   gamma    f32[320]
input   beta     f32[320]
output  y        bf16[batch * 1310720]
scratch partial  f32[batch * 10240]
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
        if streaming and kind == "i16":
            # no instruction, but LLVM does not see through it: it would narrow and store in one, which goes through the caches
            value = builder.asm(ir.FunctionType(value.type, [value.type]), "", "=x,0", [value], False)
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


def words_of(builder, a):
    """Neighbouring bfloat16s as 32-bit words."""
    return builder.bitcast(a, ir.VectorType(ir.IntType(32), a.type.count // 2))


def parted(lanes, upper):
    """The even lanes of bfloat16s as f32, or the odd ones: the lower or upper half of each word."""

    def emit(builder, a):
        shift, mask = words(lanes, 16, 0xFFFF0000)
        word = words_of(builder, a)
        return builder.bitcast(builder.and_(word, mask) if upper else builder.shl(word, shift), value_type("f32", lanes))

    return operation(named("f32", lanes), (named("i16", 2 * lanes),), emit)


def dealt(lanes, first):
    """Every other lane of two vectors."""
    numbers = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(first, 2 * lanes, 2)))
    t = named("f32", lanes)
    return operation(t, (t, t), lambda builder, a, b: builder.shuffle_vector(a, b, numbers))


def zip_words(builder, a, b):
    """Two vectors of f32 to bfloat16s, in turn; each is rounded as by `narrowed_bf16`."""
    lanes = a.type.count
    one, below, bits, quiet, upper = words(lanes, 1, 0x7FFF, 16, 0x400000, 0xFFFF0000)

    def rounded(value):
        word = builder.bitcast(value, value_type("i32", lanes))
        up = builder.add(builder.add(word, below), builder.and_(builder.lshr(word, bits), one))
        return builder.select(builder.fcmp_unordered("uno", value, value), builder.or_(word, quiet), up)

    both = builder.or_(builder.lshr(rounded(a), bits), builder.and_(rounded(b), upper))
    return builder.bitcast(both, value_type("i16", 2 * lanes))


def zipped(lanes, emit=zip_words):
    return operation(named("i16", 2 * lanes), (named("f32", lanes), named("f32", lanes)), emit)


def add_words(builder, total, a, squares):
    """The sums of neighbouring bfloat16s or of their squares, the upper of each word first, added to a total."""
    shift, mask = words(total.type.count, 16, 0xFFFF0000)
    word = words_of(builder, a)
    for part in (builder.and_(word, mask), builder.shl(word, shift)):
        value = builder.bitcast(part, total.type)
        if squares:
            value = builder.fmul(value, value)  # exact
        total = builder.fadd(total, value)
    return total


def paired_sum(lanes, squares, emit=add_words):
    t = named("f32", lanes)
    return operation(t, (t, named("i16", 2 * lanes)), lambda builder, total, a: emit(builder, total, a, squares))


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


VECTORS = {("f32", 2): Vector("f32", 2), ("f64", 2): Vector("f64", 2), ("i16", 2): Vector("i16", 2), ("f32", 4): Vector("f32", 4), ("f64", 4): Vector("f64", 4), ("f32", 8): Vector("f32", 8), ("i16", 16): Vector("i16", 16)}
stack_f32, stack_f64 = stack("f32"), stack("f64")
abs_f64 = intrinsic_of_one("fabs", "f64", 1)
add_pairs_f32x8 = paired_sum(8, False)
cast_bf16_from_f32 = narrowed_bf16(1)
cast_f32_from_bf16 = widened_bf16(1)
cast_f32_from_f64 = converted("f32", 1, "f64")
cast_f32x2_from_bf16 = widened_bf16(2)
cast_f64_from_f32 = converted("f64", 1, "f32")
cast_f64x2_from_f32 = converted("f64", 2, "f32")
cast_f64x4_from_f32 = converted("f64", 4, "f32")
even_f32x8 = parted(8, upper=False)
even_of_two_f32x8 = dealt(8, first=0)
fma_f32x8 = fma("f32", 8, fused=True)
fma_f64x2 = fma("f64", 2, fused=True)
load_bf16x2 = load("i16", 2)
load_bf16x16 = load("i16", 16)
load_f32x4 = load("f32", 4)
load_f32x8 = load("f32", 8)
load_f64 = load("f64", 1)
load_f64x4 = load("f64", 4)
load_part_bf16x16 = load_part("i16", 16)
load_part_f32x8 = load_part("f32", 8)
max_f64 = extreme(">", "f64", 1)
min_f64 = extreme("<", "f64", 1)
odd_f32x8 = parted(8, upper=True)
odd_of_two_f32x8 = dealt(8, first=1)
peel_bf16 = peel("i16")
prefetch_bf16 = prefetch("i16")
sum_f64x2 = lane_sum("f64", 2)
sum_f64x4 = lane_sum("f64", 4)
select_f64 = selected("f64", 1)
splat_bf16x16 = splat("i16", 16)
splat_f32x8 = splat("f32", 8)
splat_f64x2 = splat("f64", 2)
splat_f64x4 = splat("f64", 4)
sqrt_f64 = intrinsic_of_one("sqrt", "f64", 1)
store_bf16x16 = store("i16", 16)
store_f32x8 = store("f32", 8)
store_f64 = store("f64", 1)
store_f64x4 = store("f64", 4)
store_part_bf16x16 = store_part("i16", 16)
store_part_f32x8 = store_part("f32", 8)
zip_bf16x16 = zipped(8)
dot_pairs_f32x8 = paired_sum(8, True)
add_f64x2 = arithmetic("add", "f64", 2)
add_f64x4 = arithmetic("add", "f64", 4)
mul_f32x8 = arithmetic("mul", "f32", 8)
neg_f32x8 = negated("f32", 8)
sub_f32x8 = arithmetic("sub", "f32", 8)
sub_f64x2 = arithmetic("sub", "f64", 2)


SIGNATURE = (types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def gn_bf16_o4096_g32_c10_i1(x, gamma, beta, y, partial, stats, batch):
    for n in prange(batch):
        for slab in range(0, 32):
            slab_first = slab * 40960
            slab_last = slab_first + 40960
            sums = stack_f32(160)
            squares = stack_f32(160)
            for j in range(0, 160 - 7, 8):
                store_f32x8(sums, j, splat_f32x8(np.float32(0.0)))
                store_f32x8(squares, j, splat_f32x8(np.float32(0.0)))
            for strip in range(slab_first, slab_last - 2559, 2560):
                for j_2 in range(0, 160 - 7, 8):
                    s = load_f32x8(sums, j_2)
                    q = load_f32x8(squares, j_2)
                    prefetch_bf16(x, n * 1310720 + (strip + j_2 * 2 + 5120))
                    pairs = load_bf16x16(x, n * 1310720 + (strip + j_2 * 2))
                    s = add_pairs_f32x8(s, pairs)
                    q = dot_pairs_f32x8(q, pairs)
                    prefetch_bf16(x, n * 1310720 + (strip + 320 + j_2 * 2 + 5120))
                    pairs_2 = load_bf16x16(x, n * 1310720 + (strip + 320 + j_2 * 2))
                    s = add_pairs_f32x8(s, pairs_2)
                    q = dot_pairs_f32x8(q, pairs_2)
                    prefetch_bf16(x, n * 1310720 + (strip + 640 + j_2 * 2 + 5120))
                    pairs_3 = load_bf16x16(x, n * 1310720 + (strip + 640 + j_2 * 2))
                    s = add_pairs_f32x8(s, pairs_3)
                    q = dot_pairs_f32x8(q, pairs_3)
                    prefetch_bf16(x, n * 1310720 + (strip + 960 + j_2 * 2 + 5120))
                    pairs_4 = load_bf16x16(x, n * 1310720 + (strip + 960 + j_2 * 2))
                    s = add_pairs_f32x8(s, pairs_4)
                    q = dot_pairs_f32x8(q, pairs_4)
                    prefetch_bf16(x, n * 1310720 + (strip + 1280 + j_2 * 2 + 5120))
                    pairs_5 = load_bf16x16(x, n * 1310720 + (strip + 1280 + j_2 * 2))
                    s = add_pairs_f32x8(s, pairs_5)
                    q = dot_pairs_f32x8(q, pairs_5)
                    prefetch_bf16(x, n * 1310720 + (strip + 1600 + j_2 * 2 + 5120))
                    pairs_6 = load_bf16x16(x, n * 1310720 + (strip + 1600 + j_2 * 2))
                    s = add_pairs_f32x8(s, pairs_6)
                    q = dot_pairs_f32x8(q, pairs_6)
                    prefetch_bf16(x, n * 1310720 + (strip + 1920 + j_2 * 2 + 5120))
                    pairs_7 = load_bf16x16(x, n * 1310720 + (strip + 1920 + j_2 * 2))
                    s = add_pairs_f32x8(s, pairs_7)
                    q = dot_pairs_f32x8(q, pairs_7)
                    prefetch_bf16(x, n * 1310720 + (strip + 2240 + j_2 * 2 + 5120))
                    pairs_8 = load_bf16x16(x, n * 1310720 + (strip + 2240 + j_2 * 2))
                    s = add_pairs_f32x8(s, pairs_8)
                    q = dot_pairs_f32x8(q, pairs_8)
                    store_f32x8(sums, j_2, s)
                    store_f32x8(squares, j_2, q)
            rest = main_end(slab_first, slab_last, 2560)
            for strip_2 in range(rest, slab_last - 319, 320):
                for j_3 in range(0, 160 - 7, 8):
                    s_2 = load_f32x8(sums, j_3)
                    q_2 = load_f32x8(squares, j_3)
                    pairs_9 = load_bf16x16(x, n * 1310720 + (strip_2 + j_3 * 2))
                    s_2 = add_pairs_f32x8(s_2, pairs_9)
                    q_2 = dot_pairs_f32x8(q_2, pairs_9)
                    store_f32x8(sums, j_3, s_2)
                    store_f32x8(squares, j_3, q_2)
            for j_4 in range(0, 160 - 7, 8):
                store_f32x8(partial, n * 10240 + slab * 320 + j_4, load_f32x8(sums, j_4))
                store_f32x8(partial, n * 10240 + slab * 320 + 160 + j_4, load_f32x8(squares, j_4))
        for part in range(0, 4):
            first = part * 40
            sums_2 = stack_f64(40)
            squares_2 = stack_f64(40)
            for j_5 in range(0, 40 - 3, 4):
                s_3 = splat_f64x4(0.0)
                q_3 = splat_f64x4(0.0)
                for slab_2 in range(0, 32):
                    s_3 = add_f64x4(s_3, cast_f64x4_from_f32(load_f32x4(partial, n * 10240 + slab_2 * 320 + (first + j_5))))
                    q_3 = add_f64x4(q_3, cast_f64x4_from_f32(load_f32x4(partial, n * 10240 + slab_2 * 320 + 160 + (first + j_5))))
                store_f64x4(sums_2, j_5, s_3)
                store_f64x4(squares_2, j_5, q_3)
            for g in range(0, 8):
                at = g * 5
                column_end = at + 5
                total = splat_f64x4(0.0)
                for e in range(at, column_end - 3, 4):
                    total = add_f64x4(total, load_f64x4(sums_2, e))
                total_2 = 0.0
                for e_2 in range(at + 4, column_end):
                    total_2 = total_2 + load_f64(sums_2, e_2)
                total_3 = sum_f64x4(total) + total_2
                column_end_2 = at + 5
                squares_3 = splat_f64x4(0.0)
                for e_3 in range(at, column_end_2 - 3, 4):
                    squares_3 = add_f64x4(squares_3, load_f64x4(squares_2, e_3))
                squares_4 = 0.0
                for e_4 in range(at + 4, column_end_2):
                    squares_4 = squares_4 + load_f64(squares_2, e_4)
                squares_5 = sum_f64x4(squares_3) + squares_4
                column = (first + at) * 2
                off = total_3 / 40960.0
                block_mean = off
                block_m2 = squares_5 - total_3 * off
                if not (max_f64(squares_5, 40960.0 * 1e-30) <= min_f64(block_m2 * 16.0, 3.4028234663852886e+38)):
                    center = cast_f64_from_f32(cast_f32_from_bf16(cast_bf16_from_f32(cast_f32_from_f64(select_f64(abs_f64(block_mean) <= 1e+38, block_mean, 0.0)))))
                    centers = splat_f64x2(center)
                    redo_rest = splat_f64x2(0.0)
                    redo_square = splat_f64x2(0.0)
                    for row in range(0, 4096):
                        for i in range(0, 10 - 1, 2):
                            e_5 = sub_f64x2(cast_f64x2_from_f32(cast_f32x2_from_bf16(load_bf16x2(x, n * 1310720 + row * 320 + (column + i)))), centers)
                            redo_rest = add_f64x2(redo_rest, e_5)
                            redo_square = fma_f64x2(e_5, e_5, redo_square)
                    redo_rest_2 = sum_f64x2(redo_rest)
                    redo_square_2 = sum_f64x2(redo_square)
                    block_mean = center + redo_rest_2 / 40960.0
                    block_m2 = redo_square_2 - redo_rest_2 * redo_rest_2 / 40960.0
                group = part * 8 + g
                spread = max_f64(block_m2, 0.0) / 40960.0 + 0.001
                rstd_all = 1.0 / sqrt_f64(spread)
                store_f64(stats, n * 64 + group * 2, block_mean)
                store_f64(stats, n * 64 + group * 2 + 1, rstd_all)
        for once in range(0, 1):
            high = stack_f32(336)
            scale = stack_f32(336)
            offset = stack_f32(336)
            for g_2 in range(0, 32):
                mean_all = load_f64(stats, n * 64 + g_2 * 2)
                rstd_all_2 = load_f64(stats, n * 64 + g_2 * 2 + 1)
                mean_high = cast_f32_from_f64(mean_all)
                mean_low = cast_f32_from_f64(mean_all - cast_f64_from_f32(mean_high))
                rstd_1 = cast_f32_from_f64(rstd_all_2)
                base = g_2 * 10
                scale_2 = mul_f32x8(splat_f32x8(rstd_1), load_f32x8(gamma, g_2 * 10))
                offset_2 = fma_f32x8(neg_f32x8(splat_f32x8(mean_low)), scale_2, load_f32x8(beta, g_2 * 10))
                store_f32x8(high, base, splat_f32x8(mean_high))
                store_f32x8(scale, base, scale_2)
                store_f32x8(offset, base, offset_2)
                scale_3 = mul_f32x8(splat_f32x8(rstd_1), load_part_f32x8(gamma, g_2 * 10 + 8, g_2 * 10 + 10 - (g_2 * 10 + 8), splat_f32x8(np.float32(0.0))))
                offset_3 = fma_f32x8(neg_f32x8(splat_f32x8(mean_low)), scale_3, load_part_f32x8(beta, g_2 * 10 + 8, g_2 * 10 + 10 - (g_2 * 10 + 8), splat_f32x8(np.float32(0.0))))
                store_part_f32x8(high, base + 8, base + 10 - (base + 8), splat_f32x8(mean_high))
                store_part_f32x8(scale, base + 8, base + 10 - (base + 8), scale_3)
                store_part_f32x8(offset, base + 8, base + 10 - (base + 8), offset_3)
            # the row again, for what reaches past its end
            for copy_2 in range(320, 336 - 7, 8):
                store_f32x8(high, copy_2, load_f32x8(high, copy_2 - 320))
                store_f32x8(scale, copy_2, load_f32x8(scale, copy_2 - 320))
                store_f32x8(offset, copy_2, load_f32x8(offset, copy_2 - 320))
            phase = peel_bf16(y, n * 1310720, 16)
            aligned = advance(0, phase, 1310720)
            if 0 < aligned:
                columns = load_f32x8(high, 0)
                columns_2 = load_f32x8(high, 8)
                columns_3 = load_f32x8(scale, 0)
                columns_4 = load_f32x8(scale, 8)
                columns_5 = load_f32x8(offset, 0)
                columns_6 = load_f32x8(offset, 8)
                highs = even_of_two_f32x8(columns, columns_2)
                scales = even_of_two_f32x8(columns_3, columns_4)
                offsets = even_of_two_f32x8(columns_5, columns_6)
                highs_2 = odd_of_two_f32x8(columns, columns_2)
                scales_2 = odd_of_two_f32x8(columns_3, columns_4)
                offsets_2 = odd_of_two_f32x8(columns_5, columns_6)
                pairs_10 = load_part_bf16x16(x, n * 1310720, aligned, splat_bf16x16(np.uint16(0)))
                store_part_bf16x16(y, n * 1310720, aligned, zip_bf16x16(fma_f32x8(sub_f32x8(even_f32x8(pairs_10), highs), scales, offsets), fma_f32x8(sub_f32x8(odd_f32x8(pairs_10), highs_2), scales_2, offsets_2)))
            for turn in range(0, 320 - 15, 16):
                columns_7 = load_f32x8(high, phase + turn)
                columns_8 = load_f32x8(high, phase + turn + 8)
                turned = even_of_two_f32x8(columns_7, columns_8)
                turned_2 = odd_of_two_f32x8(columns_7, columns_8)
                store_f32x8(high, turn, turned)
                store_f32x8(high, turn + 8, turned_2)
                columns_9 = load_f32x8(scale, phase + turn)
                columns_10 = load_f32x8(scale, phase + turn + 8)
                turned_3 = even_of_two_f32x8(columns_9, columns_10)
                turned_4 = odd_of_two_f32x8(columns_9, columns_10)
                store_f32x8(scale, turn, turned_3)
                store_f32x8(scale, turn + 8, turned_4)
                columns_11 = load_f32x8(offset, phase + turn)
                columns_12 = load_f32x8(offset, phase + turn + 8)
                turned_5 = even_of_two_f32x8(columns_11, columns_12)
                turned_6 = odd_of_two_f32x8(columns_11, columns_12)
                store_f32x8(offset, turn, turned_5)
                store_f32x8(offset, turn + 8, turned_6)
            full = main_end(aligned, 1310720, 320)
            for row_2 in range(aligned, full - 319, 320):
                for j_6 in range(0, 320 - 15, 16):
                    highs_3 = load_f32x8(high, j_6)
                    scales_3 = load_f32x8(scale, j_6)
                    offsets_3 = load_f32x8(offset, j_6)
                    highs_4 = load_f32x8(high, j_6 + 8)
                    scales_4 = load_f32x8(scale, j_6 + 8)
                    offsets_4 = load_f32x8(offset, j_6 + 8)
                    at_2 = row_2 + j_6
                    prefetch_bf16(x, n * 1310720 + (at_2 + 4096))
                    pairs_11 = load_bf16x16(x, n * 1310720 + at_2)
                    store_bf16x16(y, n * 1310720 + at_2, zip_bf16x16(fma_f32x8(sub_f32x8(even_f32x8(pairs_11), highs_3), scales_3, offsets_3), fma_f32x8(sub_f32x8(odd_f32x8(pairs_11), highs_4), scales_4, offsets_4)))
            for j_7 in range(0, 320 - 15, 16):
                at_3 = full + j_7
                if at_3 < 1310720:
                    highs_5 = load_f32x8(high, j_7)
                    scales_5 = load_f32x8(scale, j_7)
                    offsets_5 = load_f32x8(offset, j_7)
                    highs_6 = load_f32x8(high, j_7 + 8)
                    scales_6 = load_f32x8(scale, j_7 + 8)
                    offsets_6 = load_f32x8(offset, j_7 + 8)
                    pairs_12 = load_part_bf16x16(x, n * 1310720 + at_3, 1310720 - at_3, splat_bf16x16(np.uint16(0)))
                    store_part_bf16x16(y, n * 1310720 + at_3, 1310720 - at_3, zip_bf16x16(fma_f32x8(sub_f32x8(even_f32x8(pairs_12), highs_5), scales_5, offsets_5), fma_f32x8(sub_f32x8(odd_f32x8(pairs_12), highs_6), scales_6, offsets_6)))


def run(x, gamma, beta, y, partial, stats, batch):
    """Call the kernel on arrays."""
    gn_bf16_o4096_g32_c10_i1(x.ctypes.data, gamma.ctypes.data, beta.ctypes.data, y.ctypes.data, partial.ctypes.data, stats.ctypes.data, batch)
