"""What compare measures: errors in the contract's units, every layer once, failures as rows; and how it is shown."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import gngen
from gngen.arrays import dtype_of
from gngen.compare import Comparison, LayerResult, Measurement, default_targets, measure, report, steps
from gngen.compare.accuracy import LIMITS, error_limit, evaluate
from gngen.compare.timing import MIN_ROUNDS, copies, repeated, time_interleaved
from gngen.errors import BuildError, SpecError, TargetError
from gngen.models import Layer, LayerList
from gngen.problem import check_dtype

SMALL = LayerList(
    "small",
    "three layers, two problems",
    "here",
    "float32",
    (
        Layer("a", (2, 8, 4, 4), 4, 1, 1e-5, activation="silu", count=3),
        Layer("b", (2, 8, 6), 2, 1, count=2),
        Layer("a-again", (2, 8, 16), 4, 1, 1e-5, activation="silu"),
    ),
)
KERNEL = {"target": "c:host", "schedule": SimpleNamespace(name="serial"), "origin": "built", "build_seconds": 0.25}


def fake_compile(compute: Callable[..., NDArray[Any]], asked: list[Any], size: int | None = 100) -> Callable[..., Any]:
    """A stand-in for gngen.compile whose kernels fill `out` with what `compute` gives."""

    class Kernel(SimpleNamespace):
        def __call__(self, x: Any, gamma: Any, beta: Any, out: Any) -> Any:
            out[...] = compute(x, gamma, beta, self.spec)
            return out

        def code_size(self) -> int | None:
            return size

    def compile_(spec: Any, shape: Any, dtype: Any, target: Any) -> Any:
        asked.append((shape, target))
        return Kernel(spec=spec, **KERNEL)

    return compile_


def exact(x: Any, gamma: Any, beta: Any, spec: Any) -> Any:
    return gngen.reference.group_norm(x, gamma, beta, spec)[0]


# the units of the contract


def case(dtype: str = "float32", mean: float = 0.0, axis: int = 1) -> tuple[Any, Any, Any, gngen.GroupNormSpec]:
    rng = np.random.default_rng(7)
    shape = (2, 8, 5) if axis == 1 else (2, 5, 8)
    x = (rng.standard_normal(shape) + mean).astype(dtype)
    return (
        x,
        rng.normal(1, 0.5, 8).astype(dtype),
        rng.normal(0, 0.5, 8).astype(dtype),
        gngen.GroupNormSpec(groups=4, axis=axis, epsilon=0.0),
    )


@pytest.mark.parametrize("axis", [1, 2])
def test_error_is_in_units_of_xhat_gamma_and_beta(axis: int) -> None:
    x, gamma, beta, spec = case(axis=axis)
    oracle = evaluate(x, gamma, beta, spec)
    assert oracle.error(oracle.y) == 0
    where = (1, 3, 2) if axis == 1 else (1, 2, 3)  # channel 3, so group 1
    group = (x[1, 2:4] if axis == 1 else x[1, :, 2:4]).astype(np.float64)
    xhat = (float(x[where]) - group.mean()) / group.std()
    unit = (1 + abs(xhat)) * abs(float(gamma[3])) + abs(float(beta[3]))
    y = oracle.y.copy()
    y[where] += 0.25
    assert oracle.error(y) == pytest.approx(0.25 / unit, rel=1e-6)


def test_error_without_gamma_and_beta_counts_one_plus_xhat() -> None:
    x, _, _, spec = case()
    oracle = evaluate(x, None, None, replace(spec, center=False, scale=False))
    assert oracle.unit == pytest.approx(1 + np.abs(oracle.y), rel=1e-6)


def test_float64_allows_for_the_mean() -> None:
    x, gamma, beta, spec = case("float64", mean=1000.0)
    far, near = evaluate(x, gamma, beta, spec), evaluate(x - 1000.0, gamma, beta, spec)
    group = x[0, :2]
    assert far.unit[0, :2] / near.unit[0, :2] == pytest.approx(np.full((2, 5), group.mean() / group.std()), rel=1e-4)
    single = evaluate(x.astype(np.float32), gamma, beta, spec)
    assert single.unit[0, :2] == pytest.approx(near.unit[0, :2], rel=1e-3)


@pytest.mark.parametrize(("dtype", "fraction", "lowest"), [("float16", 10, -14), ("bfloat16", 7, -126)])
def test_halves_may_be_off_by_one_in_the_last_place(dtype: str, fraction: int, lowest: int) -> None:
    x, gamma, beta, spec = case("float32")
    half, weight, shift = (a.astype(dtype_of(check_dtype(dtype))) for a in (x, gamma, beta))
    oracle = evaluate(half, weight, shift, spec)
    single = evaluate(half.astype(np.float32), weight.astype(np.float32), shift.astype(np.float32), spec)
    assert np.array_equal(oracle.y, single.y)
    last = 2.0 ** (np.floor(np.log2(np.abs(oracle.y))) - fraction)
    assert oracle.unit == pytest.approx(last + 4e-6 * single.unit, rel=1e-6)
    rounded = oracle.y.astype(half.dtype)
    assert 0.4 < oracle.error(rounded) <= 0.5
    for off, within in ((1, 1.5), (2, 2.5)):
        moved = (rounded.view(np.uint16) + np.uint16(off)).view(half.dtype)
        assert off - 0.5 < oracle.error(moved) < within
    zero = evaluate(half, weight * 0, shift * 0, spec)
    assert zero.error(np.zeros_like(half)) == 0
    assert zero.unit == pytest.approx(np.full(x.shape, 2.0 ** (lowest - fraction)))


def test_what_is_too_large_for_a_half_is_infinite() -> None:
    x, gamma, beta, spec = case("float16")
    oracle = evaluate(x, gamma, np.full_like(beta, 65000), spec)
    beyond = replace(oracle, y=oracle.y + 1e6)
    assert beyond.error(np.full_like(x, np.inf)) == 0
    assert beyond.error(np.full_like(x, -np.inf)) == math.inf
    assert oracle.error(np.full_like(x, np.inf)) == math.inf
    assert beyond.error(np.full_like(x, 65504)) > 1


def test_what_is_not_finite_has_to_agree() -> None:
    x, gamma, beta, spec = case()
    x[0, 0, 0] = np.nan
    oracle = evaluate(x, gamma, beta, spec)
    assert np.isnan(oracle.y[0, :2]).all()
    assert not np.isnan(oracle.y[0, 2:]).any()
    assert oracle.error(oracle.y) == 0
    for value in (0.0, np.inf):
        wrong = oracle.y.copy()
        wrong[0, 0, 1] = value
        assert oracle.error(wrong) == math.inf
    wrong = oracle.y.copy()
    wrong[1, 0, 0] = np.nan
    assert oracle.error(wrong) == math.inf


def test_a_unit_of_zero_allows_no_error() -> None:
    x, gamma, beta, spec = case()
    oracle = evaluate(x, gamma * 0, beta * 0, spec)
    assert oracle.error(np.zeros_like(x)) == 0
    assert oracle.error(np.full_like(x, 1e-30)) == math.inf


def test_error_of_another_shape_and_of_nothing() -> None:
    x, gamma, beta, spec = case()
    assert evaluate(x, gamma, beta, spec).error(x[:1]) == math.inf
    empty = evaluate(x[:0], gamma, beta, spec)
    assert empty.error(x[:0]) == 0


def test_limits_are_the_contract() -> None:
    assert LIMITS == {"float32": 4e-6, "float64": 1e-13, "float16": 1, "bfloat16": 1}
    with pytest.raises(SpecError, match=r"^no error limit is known for int8; choose from float32, float64, float16, bfloat16$"):
        error_limit("int8")


# timing


def test_sides_take_turns_and_each_has_a_time() -> None:
    order: list[str] = []
    times = time_interleaved([repeated(partial(order.append, name)) for name in "ab"], seconds=0)
    assert len(times) == 2
    assert all(t > 0 for t in times)
    turns = [name for name, before in zip(order, ["", *order], strict=False) if name != before]
    assert turns == ["a", "b"] * (1 + MIN_ROUNDS)  # once to find how many repetitions, then the rounds


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [1, 63, 1000, 4099])
def test_every_way_to_copy_copies_everything(threads: int, size: int) -> None:
    x = np.arange(size, dtype=np.float32).reshape(1, size)
    y = np.empty_like(x)
    with copies(x, y, threads) as ways:
        assert len(ways) == (1 if threads == 1 else 2)
        for way in ways:
            y.fill(-1)
            way(3)
            assert np.array_equal(x, y)


# measuring


def test_equal_problems_are_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    told: list[str] = []
    monkeypatch.setattr(gngen, "compile", fake_compile(exact, asked))
    result = measure(SMALL, ("c", "other"), 0, told.append)
    assert asked == [((2, 8, 4, 4), "c"), ((2, 8, 4, 4), "other"), ((2, 8, 6), "c"), ((2, 8, 6), "other")]
    assert told == [f"{layer}: {what}" for layer in "ab" for what in ("oracle", "c", "other", "timing")]
    assert steps(SMALL, ("c", "other")) == len(told)
    assert [row.layer for row in result.rows] == list(SMALL.layers)
    assert result.rows[0].measurements is result.rows[2].measurements
    assert [row.bytes for row in result.rows] == [2 * 4 * n for n in (256, 96, 256)]
    for row in result.rows:
        assert row.copy_seconds > 0
        for m in row.measurements:
            assert (m.machine, m.schedule, m.origin, m.compile_seconds, m.code_bytes, m.failure) == (
                "c:host",
                "serial",
                "built",
                0.25,
                100,
                "",
            )
            assert m.error is not None
            assert m.error <= 1e-7
            assert m.within_contract
            assert m.seconds is not None
            assert m.seconds > 0
    assert report.problems(result) == ""


def test_an_element_left_out_is_outside_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_but_the_last(x: Any, gamma: Any, beta: Any, spec: Any) -> Any:
        y = exact(x, gamma, beta, spec)
        y[-1, -1, -1] = np.nan
        return y

    monkeypatch.setattr(gngen, "compile", fake_compile(all_but_the_last, []))
    result = measure(SMALL.head(1), ("c",), 0)
    assert result.rows[0].measurements[0].error == math.inf
    assert not result.rows[0].measurements[0].within_contract
    assert report.problems(result) == "1 of 1 results failed or broke the contract; a on c: error inf is over the contract's 4e-06"
    assert report.as_json(result, None)["layers"][0]["results"][0]["error"] is None


@pytest.mark.parametrize(
    ("error", "failure"),
    [(BuildError("the compiler said no"), "the compiler said no"), (ZeroDivisionError("oh"), "unexpected ZeroDivisionError: oh")],
)
def test_a_target_that_fails_is_a_row_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch, error: Exception, failure: str) -> None:
    works = fake_compile(exact, [])

    def compile_(spec: Any, shape: Any, dtype: Any, target: Any) -> Any:
        if target == "broken":
            raise error
        return works(spec, shape, dtype, target)

    monkeypatch.setattr(gngen, "compile", compile_)
    result = measure(SMALL, ("broken", "c"), 0)
    for row in result.rows:
        assert row.measurements[0] == Measurement("broken", failure=failure)
        assert row.measurements[1].seconds is not None
        assert row.measurements[1].within_contract
    broken, works_ = result.totals()
    assert (broken.seconds, broken.copy_fraction, broken.error, broken.compile_seconds, broken.outside) == (None, None, None, 0.0, 3)
    assert works_.outside == 0
    assert report.problems(result) == f"3 of 6 results failed or broke the contract; a on broken: {failure}"
    assert "failed" in rendered(result, 80)


def test_a_dtype_without_kernels_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^no error limit is known for int8; choose from float32, float64, float16, bfloat16$"):
        measure(replace(SMALL, dtype="int8"), ("c",), 0)


def test_default_targets_are_those_available(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("numba-cpu", "c", "cuda")
    status = [SimpleNamespace(backend=name, machine="host", available=name != "c", reason="no compiler") for name in names]
    other = SimpleNamespace(backend="c", machine="x86-64", available=True, reason="")
    monkeypatch.setattr(gngen, "targets", lambda: [*status, other])
    assert default_targets() == ("numba-cpu",)
    monkeypatch.setattr(gngen, "targets", lambda: status[1:])
    with pytest.raises(TargetError, match=r"^no target to compare is available here; c: no compiler; numba-cpu: unknown$"):
        default_targets()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["first", "last"])
def test_real_targets_stay_within_the_contract(layout: str, dtype: str) -> None:
    result = measure(replace(SMALL, dtype=dtype).with_layout(layout), default_targets(), 0)
    assert report.problems(result) == ""
    assert all(m.schedule and m.machine.startswith(m.target) for row in result.rows for m in row.measurements)


# totals and screens


def made_up() -> Comparison:
    """Two layers of three rows with round numbers; the third row is the first again."""
    one = Measurement("c", "c:host", "rows", "built", 0.2, 2e-4, 1e-6, True, 1000)
    two = Measurement("numba-cpu", "numba-cpu:host", "rows", "disk", 0.003, 4e-4, 2e-6, True, None)
    first = (one, two)
    second = (replace(one, seconds=1e-3, error=3e-6, code_bytes=500), replace(two, seconds=2e-3, origin="built", compile_seconds=1.5))
    times = (1e-4, 1e-3, 1e-4)
    rows = (LayerResult(layer, 2048, t, m) for layer, t, m in zip(SMALL.layers, times, (first, second, first), strict=True))
    return Comparison(SMALL, ("c", "numba-cpu"), 2, tuple(rows))


def test_totals_weigh_by_count_and_average_the_shares() -> None:
    result = made_up()
    c, numba = result.totals()
    assert result.copy_seconds == pytest.approx(3 * 1e-4 + 2 * 1e-3 + 1e-4)
    assert c.seconds == pytest.approx(3 * 2e-4 + 2 * 1e-3 + 2e-4)
    assert c.copy_fraction == pytest.approx((0.5 * 1 * 0.5) ** (1 / 3))
    assert numba.copy_fraction == pytest.approx((0.25 * 0.5 * 0.25) ** (1 / 3))
    assert (c.error, c.code_bytes, c.outside) == (3e-6, 1500, 0)
    assert (numba.error, numba.code_bytes, numba.outside) == (2e-6, None, 0)
    assert [c.compile_seconds, numba.compile_seconds] == pytest.approx([0.4, 1.503])


def rendered(result: Comparison, width: int, wide: bool = False) -> str:
    from rich.console import Console

    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as held:
        console.print(report.table(result, wide))
    return "\n".join(line.rstrip() for line in held.get().splitlines())


def test_table_is_this() -> None:
    text = rendered(made_up(), 80)
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["small:", "three", "layers,", "two", "problems"]
    assert lines[1] == ["layer", "target", "time", "of", "copy", "error", "compile", "code"]
    assert lines[3:9] == [
        ["a", "x3", "c", "200", "us", "50%", "1.0e-06", "200", "ms", "0.98", "KB"],
        ["2x8x4x4", "silu", "numba-cpu", "400", "us", "25%", "2.0e-06", "3.00", "ms*", "-"],
        ["b", "x2", "c", "1.00", "ms", "100%", "3.0e-06", "200", "ms", "500", "B"],
        ["2x8x6", "numba-cpu", "2.00", "ms", "50%", "2.0e-06", "1.50", "s", "-"],
        ["a-again", "x1", "c", "200", "us", "50%", "1.0e-06", "200", "ms", "0.98", "KB"],
        ["2x8x16", "silu", "numba-cpu", "400", "us", "25%", "2.0e-06", "3.00", "ms*", "-"],
    ]
    assert lines[10] == ["total", "of", "6", "norms", "c", "2.80", "ms", "63%", "3.0e-06", "400", "ms", "1.46", "KB"]
    assert lines[11] == ["copy", "2.40", "ms", "numba-cpu", "5.60", "ms", "31%", "2.0e-06", "1.50", "s", "-"]
    assert "compile: * found in the cache" in text
    assert "!" not in text


def test_table_fits_its_terminal() -> None:
    long = replace(made_up().rows[0], layer=Layer("attention-1280-16", (2, 1280, 64, 64), activation="gelu_tanh", axis=1))
    result = replace(made_up(), rows=(long, *made_up().rows[1:]))
    assert max(map(len, rendered(result, 80).splitlines())) <= 80
    assert max(map(len, rendered(result, 120, wide=True).splitlines())) <= 120
    assert "schedule" in rendered(result, 120, wide=True)
    assert "attention-1280-16 x1" in rendered(result, 80)


def test_table_marks_what_is_outside() -> None:
    result = made_up()
    bad = replace(result.rows[0].measurements[0], error=5e-6, within_contract=False)
    result = replace(result, rows=(replace(result.rows[0], measurements=(bad, result.rows[0].measurements[1])), *result.rows[1:]))
    text = rendered(result, 80)
    assert "5.0e-06 !" in text
    assert "!: outside the contract" in text


def test_names_from_a_file_are_text_and_not_markup() -> None:
    layer = replace(SMALL.layers[0], name="[red]a[/red]")
    result = replace(made_up(), rows=(replace(made_up().rows[0], layer=layer),))
    assert "[red]a[/red] x3" in rendered(result, 80)


def test_json_schema() -> None:
    result = made_up()
    data = json.loads(json.dumps(report.as_json(result, "last"), allow_nan=False))
    top = {"schema", "gngen", "model", "description", "source", "dtype", "layout", "threads", "error_limit", "targets", "layers", "totals"}
    assert set(data) == top
    assert (data["schema"], data["gngen"], data["model"], data["layout"]) == (1, gngen.__version__, "small", "last")
    assert data["targets"] == ["c", "numba-cpu"]
    first = data["layers"][0]
    results = first.pop("results")
    assert first == {
        "name": "a",
        "shape": [2, 8, 4, 4],
        "axis": [1],
        "groups": 4,
        "epsilon": 1e-5,
        "center": True,
        "scale": True,
        "activation": "silu",
        "count": 3,
        "bytes": 2048,
        "copy_seconds": 1e-4,
    }
    assert results[1] == {
        "target": "numba-cpu",
        "machine": "numba-cpu:host",
        "schedule": "rows",
        "origin": "disk",
        "compile_seconds": 0.003,
        "seconds": 4e-4,
        "copy_fraction": 0.25,
        "error": 2e-6,
        "within_contract": True,
        "code_bytes": None,
        "failure": None,
        "foreign": None,
        "code": None,
        "no_code": None,
    }
    assert data["totals"][0] == {
        "target": "c",
        "norms": 6,
        "seconds": pytest.approx(2.8e-3),
        "copy_seconds": pytest.approx(2.4e-3),
        "copy_fraction": pytest.approx(0.62996, rel=1e-4),
        "error": 3e-6,
        "compile_seconds": pytest.approx(0.4),
        "code_bytes": 1500,
        "outside_contract": 0,
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (1.5e-7, "0.15 us"),
        (9.994e-6, "9.99 us"),
        (9.996e-6, "10.0 us"),
        (99.96e-6, "100 us"),
        (0.9996e-3, "1.00 ms"),
        (0.9996, "1.00 s"),
        (75, "75.0 s"),
    ],
)
def test_seconds_have_three_digits(seconds: float | None, text: str) -> None:
    assert report.format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "-"), (0, "0 B"), (999, "999 B"), (1000, "0.98 KB"), (1 << 20, "1.00 MB"), (5 << 30, "5.00 GB"), (5 << 40, "5120 GB")],
)
def test_bytes_have_three_digits(count: int | None, text: str) -> None:
    assert report.format_bytes(count) == text
