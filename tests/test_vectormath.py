"""The activations, run by a small interpreter of the IR on numpy arrays, against mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest

from gngen import loopnest as ir
from gngen import vectormath

Array = np.ndarray[Any, np.dtype[Any]]

NAMES = ("relu", "silu", "gelu", "gelu_tanh", "sigmoid", "tanh")
SMOOTH = NAMES[1:]
KINDS = ("f32", "f64")
DTYPES: dict[str, type[Any]] = {
    "f32": np.float32,
    "f64": np.float64,
    "i32": np.int32,
    "i64": np.int64,
    "m32": np.dtype(bool),
    "m64": np.dtype(bool),
}

# Units in the last place, (fused, unfused): what the docstrings say, and a little.
BOUNDS = {
    ("silu", "f32"): (3.6, 3.7),
    ("silu", "f64"): (2.5, 2.5),
    ("sigmoid", "f32"): (2.5, 2.5),
    ("sigmoid", "f64"): (2.5, 2.5),
    ("tanh", "f32"): (2.8, 2.8),
    ("tanh", "f64"): (2.8, 2.8),
    ("gelu", "f32"): (3.6, 4.0),
    ("gelu", "f64"): (4.2, 4.3),
    ("gelu_tanh", "f32"): (3.1, 3.1),
    ("gelu_tanh", "f64"): (2.5, 2.5),
}

# Results smaller than these may be 0: the smallest normal, more where exp(-x) is infinite before x exp(x) is 0.
FLUSHED = {("silu", "f32"): 3.7e-37, ("gelu_tanh", "f32"): 4.3e-38, ("silu", "f64"): 6e-306, ("gelu_tanh", "f64"): 2e-307}
NORMAL = {"f32": 2.0**-126, "f64": 2.0**-1022}

# Where results leave 0 or 1 for good.
SPAN = {"silu": (90.0, 715.0), "sigmoid": (106.0, 750.0), "tanh": (11.0, 21.0), "gelu": (14.0, 38.5), "gelu_tanh": (10.5, 21.5)}


def _fma(a: Array, b: Array, c: Array) -> Array:
    """Rounded once (for f64 but for rare ties, by error-free products and sums)."""
    if a.dtype == np.float32:
        return (a.astype(np.float64) * b + c).astype(np.float32)

    def split(v: Array) -> tuple[Array, Array]:
        scaled = v * 134217729.0
        high = scaled - (scaled - v)
        return high, v - high

    product = a * b
    (ah, al), (bh, bl) = split(a), split(b)
    lost = ((ah * bh - product) + ah * bl + al * bh) + al * bl
    total = product + c
    back = total - product
    lost = lost + ((product - (total - back)) + (c - back))
    return np.where(np.isfinite(lost), total + lost, total)


def evaluate(functions: Sequence[ir.Function], x: Array, fused: bool = True) -> Array:
    """The last function at every element of x."""
    known = {f.name: f for f in functions}

    def call(f: ir.Function, args: Sequence[Array]) -> Array:
        values = {p.name: a for p, a in zip(f.params, args, strict=True)}
        for s in f.body:
            assert isinstance(s, ir.Let)
            assert s.var.name not in values
            assert s.var.type == s.value.type
            values[s.var.name] = run(s.value, values)
        return run(f.result, values)

    def run(e: ir.Expr, values: dict[str, Array]) -> Array:
        if isinstance(e, ir.Const):
            return np.full(x.shape, e.value, DTYPES[e.type.kind])
        if isinstance(e, ir.Var):
            return values[e.name]
        if isinstance(e, ir.Call):
            return call(known[e.function], [run(a, values) for a in e.args])
        assert isinstance(e, ir.Op)
        result = operate(e, [run(a, values) for a in e.args])
        assert result.dtype == DTYPES[e.type.kind]
        return result

    def operate(e: ir.Op, args: list[Array]) -> Array:
        match e.name, args:
            case "add", [a, b]:
                return a + b
            case "sub", [a, b]:
                return a - b
            case "mul", [a, b]:
                return a * b
            case "div", [a, b]:
                return a / b
            case "min", [a, b]:
                return np.where(b < a, b, a)
            case "max", [a, b]:
                return np.where(b > a, b, a)
            case "fma", [a, b, c]:
                return _fma(a, b, c) if fused else a * b + c
            case "abs", [a]:
                return np.abs(a)
            case "neg", [a]:
                return np.negative(a)
            case "gt", [a, b]:
                return np.greater(a, b)
            case "select", [mask, a, b]:
                return np.where(mask, a, b)
            case "shl", [a, b]:
                return np.left_shift(a, b)
            case "bitcast", [a]:
                return a.view(DTYPES[e.type.kind])
        raise AssertionError(f"{e.name} is not known here")

    with np.errstate(all="ignore"):
        return call(functions[-1], [x])


def _gelu_tanh(x: Any) -> Any:
    return x / (1 + mpmath.exp(-2 * mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf(44715) / 1000000 * x**3)))


EXACT: dict[str, Callable[[Any], Any]] = {
    "relu": lambda x: max(x, mpmath.mpf(0)),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    "gelu_tanh": _gelu_tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
}

# The same in doubles, precise enough for f32.
DOUBLE: dict[str, Callable[[Array], Array]] = {
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: 0.5 * x * np.array([math.erfc(v) for v in (-x * math.sqrt(0.5)).tolist()]),
    "gelu_tanh": lambda x: x / (1 + np.exp(-2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
}


def _arguments(name: str, kind: str, count: int) -> Array:
    """A grid over all that matters, a finer one near 0, magnitudes down to 1e-30, and random ones."""
    span = SPAN[name][KINDS.index(kind)]
    random = np.random.default_rng(2024)
    small = 10.0 ** random.uniform(-30, 0, count)
    parts = (np.linspace(-span, span, count), np.linspace(-3, 3, count), small, -small, random.uniform(-span, span, count))
    return np.concatenate(parts).astype(DTYPES[kind])


def _errors_f32(name: str, x: Array, got: Array) -> Array:
    with np.errstate(all="ignore"):
        exact = DOUBLE[name](x.astype(np.float64))
    flushed = FLUSHED.get((name, "f32"), NORMAL["f32"])
    error = np.abs(got.astype(np.float64) - exact)
    unit = np.exp2(np.floor(np.log2(np.maximum(np.abs(exact), NORMAL["f32"]))) - 23)
    return np.where(np.abs(exact) < flushed, np.where(error <= flushed, 0, np.inf), error / unit)


def _errors_f64(name: str, x: Array, got: Array) -> Array:
    flushed = FLUSHED.get((name, "f64"), NORMAL["f64"])
    errors = []
    with mpmath.workdps(40):
        for argument, value in zip(x.tolist(), got.tolist(), strict=True):
            exact = EXACT[name](mpmath.mpf(argument))
            error = abs(exact - value)
            if abs(exact) < flushed:
                errors.append(0.0 if error <= flushed else math.inf)
            else:
                errors.append(float(mpmath.ldexp(error, 53 - mpmath.frexp(exact)[1])))
    return np.array(errors)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SMOOTH)
def test_error(name: str, kind: str, fused: bool) -> None:
    x = _arguments(name, kind, 30000 if kind == "f32" else 600)
    got = evaluate(vectormath.activation(name, kind, 1), x, fused)
    errors = (_errors_f32 if kind == "f32" else _errors_f64)(name, x, got)
    worst = int(np.argmax(errors))
    assert errors[worst] <= BOUNDS[name, kind][not fused], f"{errors[worst]} ulp at {x[worst]!r}"


@pytest.mark.parametrize("name", SMOOTH)
def test_the_doubles_are_references(name: str) -> None:
    x = _arguments(name, "f32", 20)
    assert np.max(_errors_f64(name, x.astype(np.float64), DOUBLE[name](x.astype(np.float64)))) < 2000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_limits(name: str, kind: str) -> None:
    huge = float(np.finfo(DTYPES[kind]).max)
    x = np.array([1e4, 1e30, huge, np.inf, -1e4, -1e30, -huge, -np.inf, 0.0, -0.0], DTYPES[kind])
    got = evaluate(vectormath.activation(name, kind, 1), x)
    ends = {"sigmoid": (1.0, 0.0, 0.5), "tanh": (1.0, -1.0, 0.0)}
    high, low, middle = ends.get(name, (x[:4], 0.0, 0.0))
    np.testing.assert_array_equal(got[:4], high)
    np.testing.assert_array_equal(got[4:8], low)
    np.testing.assert_array_equal(got[8:], middle)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_any_bits(name: str, kind: str, fused: bool) -> None:
    """NaN in, whatever its payload, is NaN out; a number never is; and the range is kept."""
    integers = np.int32 if kind == "f32" else np.int64
    limits = np.iinfo(integers)
    bits = np.random.default_rng(7).integers(limits.min, limits.max, 20000, integers)
    exponent = np.array(np.inf, DTYPES[kind]).view(integers)
    bits[:2000] |= exponent
    x = bits.view(DTYPES[kind])
    assert np.isnan(x).sum() > 1900
    got = evaluate(vectormath.activation(name, kind, 1), x, fused)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(x))
    number = ~np.isnan(x)
    low, high = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}.get(name, (-0.3, np.inf))
    assert np.all((got[number] >= low) & (got[number] <= high))
    if name not in ("sigmoid", "tanh"):
        assert np.all(np.abs(got[number]) <= np.abs(x[number]))


def test_relu_is_exact() -> None:
    x = np.array([-np.inf, -2.5, -0.0, 0.0, 1e-45, 3.0, np.inf], np.float32)
    np.testing.assert_array_equal(evaluate(vectormath.activation("relu", "f32", 1), x), np.maximum(x, 0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_monotone(name: str, kind: str) -> None:
    """Never down by more than the error allows, and never down at all over a thousandth."""
    x = np.linspace(-40, 40, 80001).astype(DTYPES[kind])
    y = evaluate(vectormath.activation(name, kind, 1), x)
    slack = 4 * np.finfo(DTYPES[kind]).eps * np.abs(y[1:])
    assert np.all(y[1:] >= y[:-1] - slack)
    inside = np.abs(x[1:]) < 4
    assert np.all(y[1:][inside] > y[:-1][inside])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SMOOTH)
def test_without_fma(name: str, kind: str) -> None:
    """The products and sums are those of an fma rounded twice."""
    x = _arguments(name, kind, 500)
    apart = vectormath.activation(name, kind, 1, fma=False)
    assert not any(isinstance(e, ir.Op) and e.name == "fma" for e in _expressions(apart))
    np.testing.assert_array_equal(evaluate(apart, x), evaluate(vectormath.activation(name, kind, 1), x, fused=False))


def _expressions(functions: Sequence[ir.Function]) -> list[ir.Expr]:
    return [e for f in functions for e in [*ir.nest_expressions(f.body), *ir.walk_expr(f.result)]]


@pytest.mark.parametrize("lanes", [1, 4, 16])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_form(name: str, kind: str, lanes: int) -> None:
    """Names, types and operations are the IR's; constants are of their kind; one division at most."""
    functions = vectormath.activation(name, kind, lanes)
    vector = ir.Type(kind, lanes)
    assert functions[-1].name == f"{name}_{vector}"
    assert [p.type for p in functions[-1].params] == [vector]
    assert functions[-1].result.type == vector
    defined: set[str] = set()
    for f in functions:
        assert {e.function for e in _expressions([f]) if isinstance(e, ir.Call)} <= defined
        defined.add(f.name)
    expressions = _expressions(functions)
    assert all(e.type.lanes == lanes for e in expressions)
    assert sum(isinstance(e, ir.Op) and e.name == "div" for e in expressions) <= 1
    for e in expressions:
        if isinstance(e, ir.Op):
            assert e.name in ir.OPS
            assert {a.type for a in e.args} == {e.type} or e.name == "bitcast"
        if isinstance(e, ir.Const):
            assert DTYPES[e.type.kind](e.value) == e.value


@pytest.mark.parametrize(("name", "most"), [("relu", 1), ("silu", 14), ("sigmoid", 15), ("tanh", 17), ("gelu_tanh", 26), ("gelu", 34)])
def test_operations_f32(name: str, most: int) -> None:
    expressions = _expressions(vectormath.activation(name, "f32", 16))
    assert sum(isinstance(e, ir.Op) and e.name != "bitcast" for e in expressions) <= most


@pytest.mark.parametrize("kind", KINDS)
def test_fits(kind: str) -> None:
    """The errors that the tables state for their polynomials."""
    exp, silu_exp, cubic, mills = {"f32": (5.4e-9, 9.3e-8, 4.0e-9, 2.2e-8), "f64": (3.8e-18, 3.8e-18, 3.7e-18, 1.7e-17)}[kind]
    table = vectormath._TABLES[kind]
    f64 = kind == "f64"

    def rounded(coefficients: Sequence[float]) -> list[float]:
        return [float(DTYPES[kind](c)) for c in reversed(coefficients)]

    def worst(coefficients: Sequence[float], exact: Callable[[Any], Any], low: float, high: float) -> float:
        points = [low + (high - low) * i / 150 for i in range(151)]
        return max(float(abs(mpmath.polyval(rounded(coefficients), x) / exact(mpmath.mpf(x)) - 1)) for x in points)

    def tail(w: Any) -> Any:
        v = table.mills_middle - w
        a = table.mills_pole * v / (1 - v)
        return (a + table.mills_pole) * mpmath.exp(a * a / 2) * mpmath.erfc(a / mpmath.sqrt(2)) / 2

    with mpmath.workdps(40):
        edge = 0.3468 if f64 else 0.374
        assert worst(table.exp, mpmath.exp, -edge, edge) < exp
        edge = math.log(2) / 2
        assert worst(table.silu_exp, mpmath.exp, -edge, edge) < silu_exp
        rate = 2 * mpmath.sqrt(2 / mpmath.pi) * mpmath.mpf(44715) / 1000000
        edge = float(math.log(2) / 2 / rate)
        assert worst(table.cubic_exp, lambda x: mpmath.exp(-rate * x), -edge, edge) < cubic
        end = 37.67 if f64 else 13.27
        low = table.mills_middle - end / (end + table.mills_pole)
        assert worst(table.mills, tail, low, table.mills_middle) < mills


def test_refuses() -> None:
    with pytest.raises(ValueError, match="elu"):
        vectormath.activation("elu", "f32", 8)
    with pytest.raises(ValueError, match="f16"):
        vectormath.activation("silu", "f16", 8)
    with pytest.raises(ValueError, match="0 lanes"):
        vectormath.activation("silu", "f32", 0)
