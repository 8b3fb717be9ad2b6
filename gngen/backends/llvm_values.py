"""What the operations of a nest are in LLVM's: types, constants, arithmetic, conversions, loads and stores of a part of a vector.

Nothing here is fused or reordered: an operation without flags is rounded as the nest says. A half is the bits of a number, an i16; a
comparison is an i1 a lane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from llvmlite import ir as ll

from gngen import loopnest as ir
from gngen.backends.printing import takes_bfloats
from gngen.loopnest import Op, Type
from gngen.target import Machine

I64, I32, I1, PTR, VOID = ll.IntType(64), ll.IntType(32), ll.IntType(1), ll.PointerType(), ll.VoidType()
_SCALARS = {"f32": ll.FloatType(), "f64": ll.DoubleType(), "i32": I32, "i64": I64, "m32": I1, "m64": I1}
_SCALARS |= dict.fromkeys(ir.HALVES, ll.IntType(16))
_FLOAT = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_SIGN = {"lt": "<", "le": "<=", "gt": ">"}


def llvm_type(t: Type) -> ll.Type:
    """The type of a value of a nest."""
    scalar = _SCALARS[t.kind]
    return scalar if t.lanes == 1 else ll.VectorType(scalar, t.lanes)


def constant(value: float, t: Type) -> ll.Constant:
    """A number in every lane."""
    scalar = _SCALARS[t.kind]
    number = value if t.kind in ("f32", "f64") else int(value)
    return ll.Constant(scalar, number) if t.lanes == 1 else ll.Constant(llvm_type(t), [ll.Constant(scalar, number)] * t.lanes)


def is_float(t: ll.Type) -> bool:
    scalar = t.element if isinstance(t, ll.VectorType) else t
    return isinstance(scalar, (ll.FloatType, ll.DoubleType))


def _lanes(t: ll.Type) -> int:
    return t.count if isinstance(t, ll.VectorType) else 1


def like(t: ll.Type, scalar: ll.Type) -> ll.Type:
    """A type of as many lanes of another element."""
    return ll.VectorType(scalar, t.count) if isinstance(t, ll.VectorType) else scalar


def _number(t: ll.Type, value: float) -> ll.Constant:
    """A float, or the bits of a word, in every lane."""
    own = value if is_float(t) else (int(value) + (1 << 31)) % (1 << 32) - (1 << 31)
    return ll.Constant(t, [own] * t.count) if isinstance(t, ll.VectorType) else ll.Constant(t, own)


@contextmanager
def counted(b: ll.IRBuilder, name: str, start: Any, stop: Any, step: int = 1, metadata: Any = None) -> Iterator[Any]:
    """``for name in start .. stop step s``, of full steps: yields the variable, and goes on behind the loop."""
    before, header = b.block, b.append_basic_block(f"{name}_header")
    inside, after = b.append_basic_block(f"{name}_body"), b.append_basic_block(f"{name}_after")
    b.branch(header)
    b.position_at_end(header)
    k = b.phi(I64, name)
    k.add_incoming(start, before)
    by = ll.Constant(I64, step)
    more = b.icmp_signed("<", k, stop) if step == 1 else b.icmp_signed("<=", b.add(k, by, flags=("nsw",)), stop)
    b.cbranch(more, inside, after)
    b.position_at_end(inside)
    yield k
    k.add_incoming(b.add(k, by, flags=("nsw",)), b.block)
    back = b.branch(header)
    if metadata is not None:
        back.set_metadata("llvm.loop", metadata)
    b.position_at_end(after)


def add_attributes(f: ll.Function | ll.Argument, *names: str) -> None:
    """Attributes of a function or of an argument, those too that llvmlite's list lacks."""
    set.update(f.attributes, names)


class Operations:
    """Builds the operations of a nest in a module: what they are on every machine. Halves and fused products are a machine's own."""

    def __init__(self, module: ll.Module) -> None:
        self.module = module
        self.b: ll.IRBuilder

    def intrinsic(self, name: str, result: ll.Type, *args: Any) -> Any:
        """A call of one of LLVM's intrinsic functions."""
        f = self.module.globals.get(name)
        if f is None:
            f = ll.Function(self.module, ll.FunctionType(result, [a.type for a in args]), name)
        return self.b.call(f, args)

    def of_type(self, name: str, t: ll.Type, *args: Any) -> Any:
        """A call of an intrinsic that is named by its type, as ``llvm.sqrt.v8f32``."""
        return self.intrinsic(f"llvm.{name}.{_suffix(t)}", t, *args)

    def op(self, e: Op, args: list[Any]) -> Any:
        """An operation of `loopnest.OPS` on values."""
        name, b = e.name, self.b
        if name in _SIGN:
            return b.fcmp_ordered(_SIGN[name], *args) if is_float(args[0].type) else b.icmp_signed(_SIGN[name], *args)
        if name in ir.ARITH:
            return self._arithmetic(name, *args)
        if name == "splat":
            return self.splat(args[0], e.type.lanes)
        if name in ("cast", "bitcast"):
            return getattr(self, f"_{name}")(args[0], e.args[0].type, e.type)
        method: Callable[..., Any] = getattr(self, f"_{name}")
        return method(*args)

    def _arithmetic(self, name: str, x: Any, y: Any) -> Any:
        b, real = self.b, is_float(x.type)
        if name in ("min", "max"):
            sign = "<" if name == "min" else ">"
            return b.select(b.fcmp_ordered(sign, y, x) if real else b.icmp_signed(sign, y, x), y, x)
        if real:
            return getattr(b, _FLOAT[name])(x, y)
        return b.udiv(x, y) if name == "div" else getattr(b, name)(x, y, flags=("nsw",) if x.type == I64 else ())

    def _rem(self, x: Any, y: Any) -> Any:
        return self.b.urem(x, y)

    def _fma(self, x: Any, y: Any, z: Any) -> Any:
        return self.of_type("fma", x.type, x, y, z)

    def _neg(self, x: Any) -> Any:
        return self.b.fneg(x)

    def _abs(self, x: Any) -> Any:
        return self.of_type("fabs", x.type, x)

    def _sqrt(self, x: Any) -> Any:
        return self.of_type("sqrt", x.type, x)

    def _select(self, mask: Any, x: Any, y: Any) -> Any:
        return self.b.select(mask, x, y)

    def _not(self, x: Any) -> Any:
        return self.b.not_(x)

    def _shl(self, x: Any, bits: Any) -> Any:
        return self.b.shl(x, bits)

    def splat(self, x: Any, lanes: int) -> Any:
        """A scalar in every lane."""
        t = ll.VectorType(x.type, lanes)
        one = self.b.insert_element(ll.Constant(t, ll.Undefined), x, ll.Constant(I32, 0))
        return self.b.shuffle_vector(one, ll.Constant(t, ll.Undefined), ll.Constant(ll.VectorType(I32, lanes), None))

    def pick(self, x: Any, y: Any, lanes: list[int]) -> Any:
        """Lanes of two vectors, by number."""
        return self.b.shuffle_vector(x, y, ll.Constant(ll.VectorType(I32, len(lanes)), lanes))

    def _reduce_add(self, x: Any) -> Any:
        lanes = _lanes(x.type)
        while lanes > 1:
            lanes //= 2
            halves = (self.pick(x, x, list(range(start, start + lanes))) for start in (0, lanes))
            x = self.b.fadd(*halves)
        return self.b.extract_element(x, ll.Constant(I32, 0))

    def _main_end(self, start: Any, stop: Any, step: Any) -> Any:
        whole = self.b.mul(self.b.sdiv(self.b.sub(stop, start), step), step)
        return self.b.add(start, whole, flags=("nsw",))

    def _advance(self, start: Any, by: Any, stop: Any) -> Any:
        return self._arithmetic("min", stop, self.b.add(start, by, flags=("nsw",)))

    # Conversions

    def _bitcast(self, x: Any, _source: Type, t: Type) -> Any:
        return self.b.bitcast(x, llvm_type(t))

    def _cast(self, x: Any, source: Type, t: Type) -> Any:
        b, to = self.b, llvm_type(t)
        if source.kind in ir.HALVES:
            return self._widen(x, source.kind)
        if t.kind in ir.HALVES:
            return self._narrow(x, t)
        if source.kind in ir.INTS:
            return b.sitofp(x, to) if t.kind not in ir.INTS else b.sext(x, to) if t.kind == "i64" else b.trunc(x, to)
        if t.kind in ir.INTS:
            return b.fptosi(x, to)
        return b.fpext(x, to) if t.kind == "f64" else b.fptrunc(x, to)

    def _widen(self, x: Any, kind: str) -> Any:
        """A half as f32."""
        raise TypeError(f"a machine says how it widens {kind}")

    def _narrow(self, x: Any, t: Type) -> Any:
        """f32 as a half: to nearest, ties to even; beyond the largest to infinity; NaN to a quiet NaN."""
        raise TypeError(f"a machine says how it rounds to {t}")

    # Memory

    def place(self, kind: str, base: Any, at: Any, inside: bool = True) -> Any:
        """The address of an element."""
        return self.b.gep(base, [at], inbounds=inside, source_etype=_SCALARS[kind])


class Values(Operations):
    """The operations on a CPU."""

    def __init__(self, module: ll.Module, machine: Machine) -> None:
        super().__init__(module)
        self.machine = machine

    def _fma(self, x: Any, y: Any, z: Any) -> Any:
        if not self.machine.fma:
            return self.b.fadd(self.b.fmul(x, y), z)
        return super()._fma(x, y, z)

    # Conversions

    def _widen(self, x: Any, kind: str) -> Any:
        """A half as f32."""
        b = self.b
        real = like(x.type, _SCALARS["f32"])
        if kind == "f16" and self.machine.half_convert:
            return b.fpext(b.bitcast(x, like(x.type, ll.HalfType())), real)
        word = b.zext(x, like(x.type, I32))
        if kind == "bf16":
            return b.bitcast(b.shl(word, _number(word.type, 16)), real)
        n = partial(_number, word.type)
        magnitude = b.shl(b.and_(word, n(0x7FFF)), n(13))
        sign = b.shl(b.and_(word, n(0x8000)), n(16))
        special, tiny = b.icmp_unsigned(">=", magnitude, n(0xF800000)), b.icmp_unsigned("<", magnitude, n(0x800000))
        normal = b.add(magnitude, b.select(special, n(0x70000000), n(0x38000000)))
        # (2^-14 + a) - 2^-14, which is exact
        denormal = b.fsub(b.bitcast(b.add(magnitude, n(0x38800000)), real), _number(real, 2.0**-14))
        return b.bitcast(b.or_(sign, b.select(tiny, b.bitcast(denormal, word.type), normal)), real)

    def _narrow(self, x: Any, t: Type) -> Any:
        """f32 as a half: to nearest, ties to even; beyond the largest to infinity; NaN to a quiet NaN."""
        b, to = self.b, llvm_type(t)
        if t.kind == "f16" and self.machine.half_convert:
            return b.bitcast(b.fptrunc(x, like(to, ll.HalfType())), to)
        if t.kind == "bf16" and takes_bfloats(self.machine, t.lanes):
            return self._narrow_natively(x, to)
        return b.trunc((self._bfloat_bits if t.kind == "bf16" else self._half_bits)(x), to)

    def _bfloat_bits(self, x: Any) -> Any:
        """The bits of f32 rounded to bfloat16, in the lower half of a word."""
        return self.b.lshr(self._rounded_word(x), _number(like(x.type, I32), 16))

    def _rounded_word(self, x: Any) -> Any:
        """A word whose upper half is f32 rounded to bfloat16."""
        b = self.b
        word = b.bitcast(x, like(x.type, I32))
        n = partial(_number, word.type)
        last = b.and_(b.lshr(word, n(16)), n(1))
        rounded = b.add(b.add(word, n(0x7FFF)), last)
        return b.select(b.fcmp_unordered("uno", x, x), b.or_(word, n(0x400000)), rounded)

    def _half_bits(self, x: Any) -> Any:
        """The bits of f32 rounded to float16, in the lower half of a word."""
        b = self.b
        word = b.bitcast(x, like(x.type, I32))
        n = partial(_number, word.type)
        magnitude = b.and_(word, n(0x7FFFFFFF))
        nan = b.fcmp_unordered("uno", x, x)
        large, tiny = b.icmp_unsigned(">=", magnitude, n(0x47800000)), b.icmp_unsigned("<", magnitude, n(0x38800000))
        odd = b.and_(b.lshr(magnitude, n(13)), n(1))
        normal = b.lshr(b.add(b.add(magnitude, n(0xFFF - 0x38000000)), odd), n(13))
        # 0.5 + a, whose last place is that of a denormal half
        shifted = b.fadd(b.bitcast(magnitude, x.type), _number(x.type, 0.5))
        denormal = b.sub(b.bitcast(shifted, word.type), n(0x3F000000))
        special = b.select(nan, n(0x7E00), n(0x7C00))
        found = b.select(large, special, b.select(tiny, denormal, normal))
        return b.or_(found, b.and_(b.lshr(word, n(16)), n(0x8000)))

    # bfloat16 by AVX-512 BF16, whose instructions take denormal floats for 0: those go the other way.

    def _narrow_natively(self, x: Any, to: ll.Type) -> Any:
        def convert(a: Any) -> Any:
            found = self.intrinsic("llvm.x86.avx512bf16.cvtneps2bf16.512", ll.VectorType(Bfloat(), 16), a)
            return self.b.bitcast(found, to)

        return self._unless_denormal((x,), convert, lambda a: self.b.trunc(self._bfloat_bits(a), to), to)

    def _zip(self, low: Any, high: Any) -> Any:
        lanes = low.type.count
        to = ll.VectorType(_SCALARS["bf16"], 2 * lanes)
        if not takes_bfloats(self.machine, lanes):
            return self._zip_bits(low, high, to)

        def convert(a: Any, b: Any) -> Any:
            found = self.intrinsic("llvm.x86.avx512bf16.cvtne2ps2bf16.512", ll.VectorType(Bfloat(), 32), b, a)
            halves = self.b.bitcast(found, to)
            return self.pick(halves, halves, [k // 2 + lanes * (k % 2) for k in range(2 * lanes)])

        return self._unless_denormal((low, high), convert, lambda a, b: self._zip_bits(a, b, to), to)

    def _zip_bits(self, low: Any, high: Any, to: ll.Type) -> Any:
        b = self.b
        words = [self._rounded_word(v) for v in (low, high)]
        if self.machine.big_endian:
            words.reverse()
        n = partial(_number, words[0].type)
        return b.bitcast(b.or_(b.lshr(words[0], n(16)), b.and_(words[1], n(0xFFFF0000))), to)

    def _unless_denormal(self, args: tuple[Any, ...], fast: Callable[..., Any], slow: Callable[..., Any], to: ll.Type) -> Any:
        """fast(*args), or slow(*args) where an argument has a denormal lane."""
        b = self.b
        mask = ll.IntType(16)
        found = [self.intrinsic("llvm.x86.avx512.fpclass.ps.512", ll.VectorType(I1, 16), a, ll.Constant(I32, 0x20)) for a in args]
        bits = [b.bitcast(f, mask) for f in found]
        some = b.icmp_unsigned("!=", b.or_(*bits) if len(bits) > 1 else bits[0], ll.Constant(mask, 0))
        with b.if_else(some, likely=False) as (then, otherwise):
            with then:
                one, from_one = slow(*args), b.block
            with otherwise:
                other, from_other = fast(*args), b.block
        result = b.phi(to)
        result.add_incoming(one, from_one)
        result.add_incoming(other, from_other)
        return result

    # Pairs of bfloat16, two to a word

    def _even(self, x: Any) -> Any:
        return self._half_of_words(x, lower=not self.machine.big_endian)

    def _odd(self, x: Any) -> Any:
        return self._half_of_words(x, lower=self.machine.big_endian)

    def _half_of_words(self, x: Any, lower: bool) -> Any:
        b, lanes = self.b, x.type.count // 2
        words = b.bitcast(x, ll.VectorType(I32, lanes))
        found = b.shl(words, _number(words.type, 16)) if lower else b.and_(words, _number(words.type, 0xFFFF0000))
        return b.bitcast(found, ll.VectorType(_SCALARS["f32"], lanes))

    def _even_of_two(self, x: Any, y: Any) -> Any:
        return self.pick(x, y, [2 * k for k in range(x.type.count)])

    def _odd_of_two(self, x: Any, y: Any) -> Any:
        return self.pick(x, y, [2 * k + 1 for k in range(x.type.count)])

    def _add_pairs(self, total: Any, x: Any) -> Any:
        if takes_bfloats(self.machine, total.type.count):
            return self._dot(total, x, ll.Constant(x.type, [0x3F80] * x.type.count))
        return self.b.fadd(self.b.fadd(total, self._odd(x)), self._even(x))

    def _dot_pairs(self, total: Any, x: Any) -> Any:
        if takes_bfloats(self.machine, total.type.count):
            return self._dot(total, x, x)
        even, odd = self._even(x), self._odd(x)
        return self._fma(even, even, self._fma(odd, odd, total))

    def _dot(self, total: Any, x: Any, y: Any) -> Any:
        pairs = ll.VectorType(Bfloat(), x.type.count)
        a, c = self.b.bitcast(x, pairs), self.b.bitcast(y, pairs)
        return self.intrinsic("llvm.x86.avx512bf16.dpbf16ps.512", total.type, total, a, c)

    # Memory

    def load(self, t: Type, base: Any, at: Any) -> Any:
        return self.b.load(self.place(t.kind, base, at), typ=llvm_type(t), align=ir.WIDTH[t.kind] // 8)

    def store(self, t: Type, base: Any, at: Any, value: Any) -> None:
        self.b.store(value, self.place(t.kind, base, at), align=ir.WIDTH[t.kind] // 8)

    def stream(self, t: Type, base: Any, at: Any, value: Any) -> None:
        """A store past the caches, of a whole vector that is aligned to itself."""
        if t.kind in ir.HALVES:
            # opaque, or LLVM narrows and stores in one instruction, which goes through the caches
            value = self.b.asm(ll.FunctionType(value.type, [value.type]), "", "=x,0", [value], side_effect=False)
        done = self.b.store(value, self.place(t.kind, base, at), align=ir.WIDTH[t.kind] * t.lanes // 8)
        done.set_metadata("nontemporal", self.module.add_metadata([ll.Constant(I32, 1)]))

    def load_part(self, t: Type, base: Any, at: Any, count: Any, fill: Any) -> Any:
        """The first `count` lanes, the rest from fill."""
        to, p = llvm_type(t), self.place(t.kind, base, at)
        if self._is_masked(t):
            name = f"llvm.masked.load.{_suffix(to)}.p0"
            return self.intrinsic(name, to, p, _alignment(t), self._first_lanes(t.lanes, count), fill)
        f = self._function(f"load_part_{t}", to, [PTR, I64, to], lambda: self._load_lanes(t))
        return self.b.call(f, [p, count, fill])

    def store_part(self, t: Type, base: Any, at: Any, count: Any, value: Any) -> None:
        """The first `count` lanes."""
        to, p = llvm_type(t), self.place(t.kind, base, at)
        if self._is_masked(t):
            self.intrinsic(f"llvm.masked.store.{_suffix(to)}.p0", VOID, value, p, _alignment(t), self._first_lanes(t.lanes, count))
            return
        f = self._function(f"store_part_{t}", VOID, [PTR, I64, to], lambda: self._store_lanes(t))
        self.b.call(f, [p, count, value])

    def _is_masked(self, t: Type) -> bool:
        """Whether the machine reads and writes part of a vector by itself."""
        simd, bits = self.machine.simd, ir.WIDTH[t.kind] * t.lanes
        return simd in ("avx512", "scalable") or (simd == "avx2" and t.kind not in ir.HALVES and bits in (128, 256))

    def _first_lanes(self, lanes: int, count: Any) -> Any:
        wide = ll.VectorType(I64, lanes) if lanes <= 8 else ll.VectorType(I32, lanes)
        most = ll.Constant(I64, lanes)
        bounded = self.b.select(self.b.icmp_signed("<", count, most), count, most)
        number = bounded if lanes <= 8 else self.b.trunc(bounded, I32)
        return self.b.icmp_signed("<", ll.Constant(wide, list(range(lanes))), self.splat(number, lanes))

    def _function(self, name: str, result: ll.Type, params: list[ll.Type], fill: Callable[[], None]) -> ll.Function:
        """A function of the module's own, made when it is first asked for."""
        f = self.module.globals.get(name)
        if f is None:
            f = ll.Function(self.module, ll.FunctionType(result, params), name)
            f.linkage = "internal"
            add_attributes(f, "nounwind", '"no-builtins"')
            outside, self.b = self.b, ll.IRBuilder(f.append_basic_block("entry"))
            fill()
            self.b = outside
        return f

    def _load_lanes(self, t: Type) -> None:
        b = self.b
        p, count, fill = b.function.args
        whole = b.alloca(llvm_type(t))
        whole.type = PTR
        b.store(fill, whole)
        self._copy_lanes(t, p, whole, count)
        self.b.ret(self.b.load(whole, typ=llvm_type(t)))

    def _store_lanes(self, t: Type) -> None:
        b = self.b
        p, count, value = b.function.args
        whole = b.alloca(llvm_type(t))
        whole.type = PTR
        b.store(value, whole)
        self._copy_lanes(t, whole, p, count)
        self.b.ret_void()

    def _copy_lanes(self, t: Type, source: Any, destination: Any, count: Any) -> None:
        b, most = self.b, ll.Constant(I64, t.lanes)
        one = Type(t.kind)
        with counted(b, "k", ll.Constant(I64, 0), b.select(b.icmp_signed("<", count, most), count, most)) as k:
            self.store(one, destination, k, self.load(one, source, k))

    def prefetch(self, kind: str, base: Any, at: Any) -> None:
        p = self.place(kind, base, at, inside=False)
        self.intrinsic("llvm.prefetch.p0", VOID, p, *(ll.Constant(I32, n) for n in (0, 2, 1)))

    def peel(self, kind: str, base: Any, at: Any, lanes: int) -> Any:
        """How many elements come before the first that is aligned to `lanes` elements."""
        b = self.b
        whole = b.udiv(b.ptrtoint(self.place(kind, base, at), I64), ll.Constant(I64, ir.WIDTH[kind] // 8))
        return b.and_(b.neg(whole), ll.Constant(I64, lanes - 1))

    def fence(self) -> None:
        if self.machine.streaming_stores:
            self.intrinsic("llvm.x86.sse.sfence", VOID)


class Bfloat(ll.Type):  # type: ignore[misc]
    """LLVM's bfloat, for the intrinsics that name it."""

    intrinsic_name = "bf16"

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bfloat)

    def __hash__(self) -> int:
        return hash(Bfloat)


def _suffix(t: ll.Type) -> str:
    """How an intrinsic's name says a type: v8f32."""
    scalar = t.element if isinstance(t, ll.VectorType) else t
    name: str = scalar.intrinsic_name
    return f"v{t.count}{name}" if isinstance(t, ll.VectorType) else name


def _alignment(t: Type) -> ll.Constant:
    """The alignment of an element, in bytes."""
    return ll.Constant(I32, ir.WIDTH[t.kind] // 8)
