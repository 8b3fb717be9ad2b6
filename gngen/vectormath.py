"""Activations as pure functions of the kernel IR: straight lines of vector arithmetic with at most one division.

Each function holds for `fma` rounded once or twice and never turns a number into a NaN; a NaN in is a NaN out.
Errors are in units of the last place of the exact result, written "fused / unfused". For f32 they are the largest over
every float of magnitude up to 8192 (so over all that matter); for f64 over 16 million random arguments.
Zeros lose their sign here and there (tanh, gelu), infinities give the limits.

How e^x is formed everywhere: t = x / ln 2 + 1.5 * 2^mantissa rounds to an integer n in its low bits, whose bias is in
the added constant; shifted left they are 2^n. r = x - n ln 2 is exact but for its last step, since ln 2 is in two parts,
the first short enough for n times it to be exact. e^x = 2^n e^r with a polynomial. An argument is clamped so that n stays
in the exponent's range, where the lowest exponent is the float 0 and the highest infinity: e^x goes to 0 below about
2^-bias and to infinity above about 2^bias.

The coefficients were fitted for the purpose: minimax by Remez exchange in 50 digits (or a linear program over Chebyshev
points), rounded to the kind one after the other from the lowest power, the rest fitted again each time.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gngen import loopnest as ir
from gngen.builder import Builder
from gngen.loopnest import Const, Expr, Function, Type, Var


@dataclass(frozen=True)
class _Tables:
    """The numbers of one kind; a pair is a constant in two parts, polynomials begin with the constant.

    Attributes:
        integers: the integer kind of the same width.
        mantissa: bits stored of the mantissa.
        bias: of the exponent.
        flush: sigmoid forms 2^-flush / (2^-flush + 2^-flush e^-x), so that it reaches 0 gradually.
        log2e, ln2: 1 / ln 2, and ln 2.
        exp: e^r on abs(r) <= 0.374 (f32) or 0.3468 (f64), relative error; the first two coefficients held at 1.
        silu_exp: e^r on abs(r) <= ln(2) / 2, one degree less for f32; the first coefficient held at 1.
        tanh_end: beyond it tanh rounds to 1 or -1.
        two_ln2: 2 ln 2.
        tail_bits: fraction bits of the part of x whose square is exact.
        tail_end: exp(-x^2 / 2) is below the smallest normal there.
        mills_pole, mills_middle, mills: with v = a / (a + pole) and w = middle - v, a polynomial in w for
            (a + pole) exp(a^2 / 2) Phi(-a) on 0 <= a <= 13.27 (f32) or 37.67 (f64), relative error.
        cubic: 1 / 0.044715.
        cubic_bits: fraction bits of the part of x whose cube is exact.
        cubic_rate: log2(e) * 2 sqrt(2 / pi) * 0.044715.
        cubic_unit: 1 / cubic_rate.
        cubic_exp: exp(-2 sqrt(2 / pi) * 0.044715 r) on abs(r) <= cubic_unit / 2, relative error; the first held at 1.
        cubic_ends: where gelu_tanh(x) / x goes below 2^-bias, and where it is 1.
    """

    integers: str
    mantissa: int
    bias: int
    flush: int
    log2e: float
    ln2: tuple[float, float]
    exp: tuple[float, ...]
    silu_exp: tuple[float, ...]
    tanh_end: float
    two_ln2: tuple[float, float]
    tail_bits: int
    tail_end: float
    mills_pole: float
    mills_middle: float
    mills: tuple[float, ...]
    cubic: tuple[float, float]
    cubic_bits: int
    cubic_rate: float
    cubic_unit: tuple[float, float]
    cubic_exp: tuple[float, ...]
    cubic_ends: tuple[float, float]


# Degree 11, error 3.7e-18.
_EXP_F64 = (
    1.0,
    1.0,
    0.5000000000000011,
    0.16666666666666458,
    0.04166666666652835,
    0.008333333333474061,
    0.0013888888943880643,
    0.00019841269540018866,
    2.4801492941861716e-05,
    2.7557562642318466e-06,
    2.7630287746632357e-07,
    2.5006254930076313e-08,
)

_TABLES = {
    "f32": _Tables(
        integers="i32",
        mantissa=23,
        bias=127,
        flush=24,
        log2e=1.44269504,
        ln2=(0.693145751953125, 1.42860682e-06),  # the first a multiple of 2^-16
        # Degree 6, error 5.3e-9.
        exp=(1.0, 1.0, 0.499999911, 0.16666472, 0.041668795, 0.0083742775, 0.00138096861),
        # Degree 5, error 9.3e-8.
        silu_exp=(1.0, 0.999999702, 0.499991447, 0.166676477, 0.0418986678, 0.00828993227),
        tanh_end=10.0,
        two_ln2=(1.38629150390625, 2.85721364e-06),  # the first a multiple of 2^-16
        tail_bits=8,
        tail_end=13.268737,
        mills_pole=2.921875,
        mills_middle=0.359375,
        # Degree 8, error 2.1e-8.
        mills=(0.88424796, 1.25533736, 0.958329618, 0.150478646, -0.303783715, -0.0755200759, 0.155814424, 0.00819705706, -0.0806899294),
        cubic=(22.36328125, 0.000578752236),  # the first a multiple of 2^-8
        cubic_bits=4,
        cubic_rate=0.10294324,
        cubic_unit=(9.714111328125, -2.03001013e-05),  # the first a multiple of 2^-12
        # Degree 6, error 4.0e-9.
        cubic_exp=(1.0, -0.0713548213, 0.00254575512, -6.05492278e-05, 1.08009453e-06, -1.55104463e-08, 1.85564258e-10),
        cubic_ends=(-10.060966, 10.031089),
    ),
    "f64": _Tables(
        integers="i64",
        mantissa=52,
        bias=1023,
        flush=53,
        log2e=1.4426950408889634,
        ln2=(0.6931471805598903, 5.497923018708371e-14),  # the first a multiple of 2^-42
        exp=_EXP_F64,
        silu_exp=_EXP_F64,
        tanh_end=20.0,
        two_ln2=(1.3862943611202354, -3.447888905122967e-13),  # the first a multiple of 2^-40
        tail_bits=20,
        tail_end=37.6587192,
        mills_pole=5.5,
        mills_middle=0.5,
        # Degree 21, error 1.6e-17.
        mills=(
            0.7737696342764068,
            1.3703668411486762,
            2.1423859562499787,
            2.936392522348958,
            3.4859589257273345,
            3.510498878679019,
            2.886245172154521,
            1.7822093524044647,
            0.6254035646238861,
            -0.13803724835690684,
            -0.33231119428856604,
            -0.14625761680554303,
            0.06684663493012794,
            0.0992780472356164,
            0.007313030469431331,
            -0.048623475842949196,
            -0.01754872527299882,
            0.023278362636487356,
            0.01317182141248516,
            -0.012027521818790318,
            -0.0059248947279949725,
            0.005409093233743394,
        ),
        cubic=(22.363859996199608, 6.036778151102545e-09),  # the first a multiple of 2^-26
        cubic_bits=13,
        cubic_rate=0.1029432395800235,
        cubic_unit=(9.714091028023176, 5.196183165400936e-13),  # the first a multiple of 2^-39
        # Degree 11, error 3.6e-18.
        cubic_exp=(
            1.0,
            -0.07135481627260025,
            0.0025457549026482746,
            -6.0550624451178464e-05,
            1.080144670722583e-06,
            -1.5414704905805272e-08,
            1.8331890681053618e-10,
            -1.8686695203407797e-12,
            1.6667257526807767e-14,
            -1.3214500042114612e-16,
            9.45416325666562e-19,
            -6.104218276525143e-21,
        ),
        cubic_ends=(-21.15978986, 21.15267395),
    ),
}


class _Maker:
    """Writes one function of one argument `x`."""

    def __init__(self, kind: str, lanes: int, fma: bool) -> None:
        self.table = _TABLES[kind]
        self.type = Type(kind, lanes)
        self._has_fma = fma
        self._builder = Builder()
        self.x = Var(self._builder.name("x"), self.type)

    def function(self, name: str, result: Expr) -> Function:
        return Function(f"{name}_{self.type}", (self.x,), self._builder.finish(), result)

    def let(self, stem: str, value: Expr) -> Var:
        return self._builder.let(stem, value)

    def const(self, value: float) -> Const:
        """A constant, rounded to the kind here so that every backend has the same."""
        return Const(struct.unpack("<f", struct.pack("<f", value))[0] if self.type.kind == "f32" else float(value), self.type)

    def fma(self, a: Expr, b: Expr | float, c: Expr | float) -> Expr:
        factor = self.const(b) if isinstance(b, (int, float)) else b
        term = self.const(c) if isinstance(c, (int, float)) else c
        return ir.fma(a, factor, term) if self._has_fma else ir.add(ir.mul(a, factor), term)

    def polynomial(self, stem: str, x: Expr, coefficients: Sequence[float]) -> Expr:
        """Horner's rule; the coefficients begin with the constant."""
        total: Expr = self.const(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            total = self.let(stem, self.fma(total, x, c))
        return total

    def clamp(self, low: float, high: float) -> tuple[Var, Var]:
        """x above low, and that below high."""
        above = self.let("above", ir.maximum(self.x, self.const(low)))
        return above, self.let("inside", ir.minimum(above, self.const(high)))

    def power(self, x: Expr, rate: float, down: int = 0) -> tuple[Var, Var]:
        """The integer n nearest to ``x * rate``, and ``2^(n - down)``."""
        table = self.table
        rounder = 1.5 * 2.0**table.mantissa + (table.bias - down)
        t = self.let("t", self.fma(x, rate, rounder))
        n = self.let("n", ir.sub(t, self.const(rounder)))
        exponent = ir.shift_left(ir.bitcast(t, table.integers), table.mantissa)
        return n, self.let("scale", ir.bitcast(exponent, self.type.kind))

    def reduce(self, n: Expr, parts: tuple[float, float], x: Expr, sign: float = 1.0) -> Var:
        """``x + sign * n * (sum of parts)``; the first step is exact."""
        r = self.let("r", self.fma(n, sign * parts[0], x))
        return self.let("r", self.fma(n, sign * parts[1], r))

    def coarse(self, x: Expr, bits: int) -> Var:
        """x rounded to a multiple of ``2^-bits``."""
        rounder = self.const(1.5 * 2.0 ** (self.table.mantissa - bits))
        return self.let("coarse", ir.sub(ir.add(x, rounder), rounder))


def _scaled(coefficients: Sequence[float], by: float) -> tuple[float, ...]:
    """The coefficients of ``p(by * x)``."""
    return tuple(c * by**k for k, c in enumerate(coefficients))


def _relu(m: _Maker) -> Expr:
    """``max(x, 0)``: exact."""
    return ir.maximum(m.x, m.const(0.0))


def _one_plus_exp(m: _Maker, x: Expr, coefficients: Sequence[float], down: int = 0) -> Expr:
    """``2^-down * (1 + exp(-x))``."""
    n, scale = m.power(x, -m.table.log2e, down)
    p = m.polynomial("p", m.reduce(n, m.table.ln2, x), _scaled(coefficients, -1.0))
    return m.let("under", m.fma(p, scale, 2.0**-down))


def _silu(m: _Maker) -> Expr:
    """``x / (1 + exp(-x))``: f32 3.6 / 3.7 ulp, f64 2.1 / 2.2 ulp.

    Below -88.37 (f32), -709.4 (f64) the result, less than 3.7e-37, 6e-306 in magnitude, is -0.
    """
    bias = m.table.bias
    above, x = m.clamp(-(bias + 1) * math.log(2), bias * math.log(2))
    return ir.div(above, _one_plus_exp(m, x, m.table.silu_exp))


def _sigmoid(m: _Maker) -> Expr:
    """``1 / (1 + exp(-x))``: f32 2.5 / 2.5 ulp, f64 2.4 / 2.4 ulp; gradually 0 below the smallest normal."""
    bias, down = m.table.bias, m.table.flush
    _, x = m.clamp(-(bias + 1 + down) * math.log(2), (bias - down) * math.log(2))
    return ir.div(m.const(2.0**-down), _one_plus_exp(m, x, m.table.exp, down))


def _tanh(m: _Maker) -> Expr:
    """``w / (w + 1)`` with ``w = (exp(2 x) - 1) / 2``: f32 2.8 / 2.8 ulp, f64 2.6 / 2.6 ulp, near 0 too.

    With h = (exp(2 r) - 1) / 2 = r + r^2 q(r), relatively precise, ``w = 2^n h + (2^n - 1) / 2``.
    """
    table = m.table
    _, x = m.clamp(-table.tanh_end, table.tanh_end)
    n, scale = m.power(x, 2 * table.log2e)
    r = m.reduce(n, table.ln2, x, -0.5)
    q = m.polynomial("q", r, [c / 2 for c in _scaled(table.exp, 2.0)[2:]])
    h = m.let("h", m.fma(m.let("square", ir.mul(r, r)), q, r))
    w = m.let("w", m.fma(scale, h, m.let("half", m.fma(scale, 0.5, -0.5))))
    return ir.div(w, ir.add(w, m.const(1.0)))


def _gelu(m: _Maker) -> Expr:
    """``max(x, 0) - a Phi(-a)``, a = abs(x), Phi(x) = erfc(-x / sqrt(2)) / 2: f32 3.5 / 4.0 ulp, f64 4.1 / 4.2 ulp.

    Phi(-a) = exp(-a^2 / 2) / (a + pole) * polynomial, all the way to the smallest normal. a is coarse + rest, so
    that a^2 = coarse^2 + rest (a + coarse), its first term exact.
    """
    table = m.table
    a = m.let("a", ir.minimum(ir.unary("abs", m.x), m.const(table.tail_end)))
    coarse = m.coarse(a, table.tail_bits)
    square = m.let("square", ir.mul(coarse, coarse))
    n, scale = m.power(square, -0.5 * table.log2e)
    r = m.reduce(n, table.two_ln2, square)
    r = m.let("r", m.fma(m.let("rest", ir.sub(a, coarse)), m.let("both", ir.add(a, coarse)), r))
    q = m.polynomial("q", r, _scaled(table.exp, -0.5)[1:])
    v = m.let("v", ir.div(a, ir.add(a, m.const(table.mills_pole))))
    w = m.let("w", ir.sub(m.const(table.mills_middle), v))
    p = m.polynomial("p", w, [-c for c in table.mills])
    e = m.let("e", ir.mul(m.fma(v, m.let("small", ir.mul(r, q)), v), scale))
    return m.fma(e, p, ir.maximum(m.x, m.const(0.0)))


def _gelu_tanh(m: _Maker) -> Expr:
    """``x / (1 + exp(-2 u))``, u = sqrt(2 / pi) (x + 0.044715 x^3): f32 3.0 / 3.1 ulp, f64 2.2 / 2.2 ulp.

    2 u is a constant times ``x (C + x^2)``, C = 1 / 0.044715. x is coarse + rest: ``coarse (C + coarse^2)`` is exact
    with a short C; the difference to x (C + x^2) is ``rest (C + coarse^2 + x (x + coarse))``. Below -10.04 (f32),
    -21.15 (f64) the result, less than 4.3e-38, 2e-307 in magnitude, may be -0.
    """
    table = m.table
    above, x = m.clamp(*table.cubic_ends)
    coarse = m.coarse(x, table.cubic_bits)
    rest = m.let("rest", ir.sub(x, coarse))
    inner = m.let("inner", m.fma(coarse, coarse, table.cubic[0]))
    cube = m.let("cube", ir.mul(coarse, inner))
    slope = m.let("slope", m.fma(x, m.let("both", ir.add(x, coarse)), inner))
    small = m.let("small", m.fma(x, table.cubic[1], m.let("change", ir.mul(rest, slope))))
    n, scale = m.power(m.let("whole", ir.add(cube, small)), -table.cubic_rate)
    r = m.let("r", ir.add(m.reduce(n, table.cubic_unit, cube), small))
    return ir.div(above, m.let("under", m.fma(m.polynomial("p", r, table.cubic_exp), scale, 1.0)))


def _sigmoid_of(m: _Maker, x: Expr) -> Var:
    """``1 / (1 + exp(-x))`` of a clamped x, to a few units of the last place of 1."""
    return m.let("s", ir.div(m.const(1.0), _one_plus_exp(m, x, m.table.silu_exp)))


def _both_sides(m: _Maker) -> Var:
    """x where e^x and e^-x are numbers."""
    end = (m.table.bias - 1) * math.log(2)
    return m.clamp(-end, end)[1]


def _relu_slope(m: _Maker) -> Expr:
    return ir.select(ir.compare("gt", m.x, m.const(0.0)), m.const(1.0), m.const(0.0))


def _sigmoid_slope(m: _Maker) -> Expr:
    """``s (1 - s)``."""
    s = _sigmoid_of(m, _both_sides(m))
    return ir.mul(s, ir.sub(m.const(1.0), s))


def _silu_slope(m: _Maker) -> Expr:
    """``s (1 + x (1 - s))``."""
    x = _both_sides(m)
    s = _sigmoid_of(m, x)
    return ir.mul(s, m.fma(x, m.let("rest", ir.sub(m.const(1.0), s)), 1.0))


def _tanh_slope(m: _Maker) -> Expr:
    """``1 - t^2``."""
    t = m.let("tanh", _tanh(m))
    return m.fma(ir.unary("neg", t), t, 1.0)


def _gelu_slope(m: _Maker) -> Expr:
    """``Phi(x) + x phi(x)``; with a = abs(x), Phi(-a) = exp(-a^2 / 2) / (a + pole) * polynomial, as of `_gelu`."""
    table = m.table
    _, x = m.clamp(-table.tail_end, table.tail_end)
    a = m.let("a", ir.unary("abs", x))
    n, scale = m.power(m.let("square", ir.mul(a, a)), -0.5 * table.log2e)
    r = m.reduce(n, table.two_ln2, m.let("square", ir.mul(a, a)))
    e = m.let("e", ir.mul(m.polynomial("p", r, _scaled(table.exp, -0.5)), scale))
    under = m.let("under", ir.div(m.const(1.0), ir.add(a, m.const(table.mills_pole))))
    w = m.let("w", m.fma(ir.unary("neg", a), under, table.mills_middle))
    tail = m.let("tail", ir.mul(ir.mul(e, under), m.polynomial("q", w, table.mills)))
    below = ir.select(ir.compare("gt", x, m.const(0.0)), ir.sub(m.const(1.0), tail), tail)
    return m.fma(m.let("weighted", ir.mul(x, e)), 1 / math.sqrt(2 * math.pi), below)


def _gelu_tanh_slope(m: _Maker) -> Expr:
    """``s + x s (1 - s) 2 u'`` with s = 1 / (1 + exp(-2 u)), u of `_gelu_tanh`, and ``2 u' = rate (1 + 3 * 0.044715 x^2)``."""
    rate, cubic = 2 * math.sqrt(2 / math.pi), 0.044715
    _, x = m.clamp(*m.table.cubic_ends)
    square = m.let("x2", ir.mul(x, x))
    whole = m.let("u2", ir.mul(x, m.fma(square, rate * cubic, rate)))
    s = _sigmoid_of(m, whole)
    bend = m.let("bend", ir.mul(ir.mul(x, m.fma(square, 3 * rate * cubic, rate)), ir.sub(m.const(1.0), s)))
    return m.fma(s, bend, s)


_ACTIVATIONS: dict[str, Callable[[_Maker], Expr]] = {
    "relu": _relu,
    "silu": _silu,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
}


_SLOPES: dict[str, Callable[[_Maker], Expr]] = {
    "relu": _relu_slope,
    "silu": _silu_slope,
    "gelu": _gelu_slope,
    "gelu_tanh": _gelu_tanh_slope,
    "sigmoid": _sigmoid_slope,
    "tanh": _tanh_slope,
}


def activation(name: str, kind: str, lanes: int, fma: bool = True) -> tuple[Function, ...]:
    """The functions that an activation needs, callee before caller; the last is the activation, of one argument.

    Args:
        name: relu, silu, gelu (erf), gelu_tanh, sigmoid or tanh.
        kind: f32 or f64.
        lanes: of the argument and the result; 1 is a scalar.
        fma: whether to use the operation `fma`; without it the same products and sums are spelled apart.

    Raises:
        ValueError: an argument outside of these.

    >>> [f.name for f in activation("silu", "f32", 16)]
    ['silu_f32x16']
    """
    m = _maker(name, kind, lanes, fma)
    return (m.function(name, _ACTIVATIONS[name](m)),)


def derivative(name: str, kind: str, lanes: int, fma: bool = True) -> Function:
    """The derivative of an activation, to a few units of the last place of 1; relu's at 0 is 0. Arguments and errors as for `activation`.

    >>> derivative("silu", "f32", 16).name
    'silu_slope_f32x16'
    """
    m = _maker(name, kind, lanes, fma)
    return m.function(f"{name}_slope", _SLOPES[name](m))


def _maker(name: str, kind: str, lanes: int, fma: bool) -> _Maker:
    if name not in _ACTIVATIONS or kind not in _TABLES or lanes < 1:
        known = f"{', '.join(_ACTIVATIONS)} and {', '.join(_TABLES)}"
        raise ValueError(f"no activation {name!r} of {lanes} lanes of {kind!r}; choose from {known}")
    return _Maker(kind, lanes, fma)
