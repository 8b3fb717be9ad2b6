"""The numerics contract of semantics.md, items 1 to 5, on every backend that prints loop nests."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from strategies import (
    DATA,
    HALVES,
    LIMITS,
    Array,
    assert_equal,
    assert_right,
    assert_stat_right,
    fill,
    fitting,
    need_backend,
    oracle,
    parameters,
    placed,
)

import gngen
from gngen import reference
from gngen.problem import specialize
from gngen.reference import activate
from gngen.schedule import SCHEDULES
from gngen.spec import ACTIVATIONS, GroupNormSpec
from gngen.summation import RowSlabs, summation
from gngen.target import load_machine

OUTPUTS = ("y", "mean", "rstd")
THREADS = (1, 2, 3, 8)


@dataclass(frozen=True)
class Layer:
    """A layer small enough to try everything on, of more than one block of summation."""

    name: str
    shape: tuple[int, ...]
    axis: int
    groups: int
    dtype: str = "float32"

    def __str__(self) -> str:
        return self.name

    def spec(self, **changed: Any) -> GroupNormSpec:
        return GroupNormSpec(**{"groups": self.groups, "axis": self.axis, **changed})

    @property
    def fits(self) -> list[str]:
        """The schedules that can compute it."""
        return fitting(specialize(self.spec(), self.shape, self.dtype)[0])

    def kernel(self, backend: str, schedule: str, *, fixed: bool = False, **numbers: Any) -> gngen.Kernel:
        """A kernel for any batch (or for this one), threaded from one sample on wherever the schedule has threads."""
        asked = {"name": schedule, "parallel_from": 0 if schedule == "serial_small" else 1, **numbers}
        return gngen.compile(self.spec(), self.shape if fixed else (None, *self.shape[1:]), self.dtype, backend, OUTPUTS, asked)

    def inputs(self, data: str = "normal") -> tuple[Array, Array | None, Array | None]:
        return fill(data, self.shape, self.dtype), *parameters(self.shape, self.spec(), self.dtype)

    def by_channel(self, x: Array) -> Array:
        """The elements of any batch as (-1, channels)."""
        return np.moveaxis(x, self.axis, -1).reshape(-1, self.shape[self.axis])

    def by_group(self, x: Array) -> Array:
        """The elements of any batch as (batch, groups, -1)."""
        return np.moveaxis(x, self.axis, 1).reshape(x.shape[0], self.groups, -1)


# Runs of several blocks; few long rows; many tiny groups; rows of three channels, whose vectors straddle them; rows of wide groups; rows
# of odd float64; runs and rows of halves, in bfloat16 of one channel a group and of pairs.
LAYERS = (
    Layer("first", (5, 6, 9001), 1, 3),
    Layer("middle", (5, 7, 4, 301), 2, 1),
    Layer("long rows", (5, 3, 8, 301), 2, 2),
    Layer("tiny", (5, 185, 3), 1, 37),
    Layer("last3", (5, 2100, 3), -1, 3),
    Layer("last", (5, 700, 60), -1, 5),
    Layer("last64", (5, 90, 14), -1, 7, "float64"),
    Layer("first f16", (5, 6, 4501), 1, 3, "float16"),
    Layer("first bf16", (5, 6, 4501), 1, 3, "bfloat16"),
    Layer("last f16", (5, 350, 60), -1, 5, "float16"),
    Layer("last bf16", (5, 700, 3), -1, 3, "bfloat16"),
    Layer("pairs bf16", (5, 310, 60), -1, 5, "bfloat16"),
)
FIRST, TINY, LAST3, LAST = LAYERS[0], LAYERS[3], LAYERS[4], LAYERS[5]

# The bits of the others are compared with c's elsewhere, and a kernel of numba's takes seconds to build: they get seven of the layers,
# which between them use every schedule too.
SOME = (FIRST, TINY, LAST3, LAYERS[6], LAYERS[7], LAYERS[10], LAYERS[11])
RUNS_OF = {"c": LAYERS, "llvm": SOME, "numba-cpu": SOME, "mlir": SOME}
# Of its runs, those that are not slow: every schedule and every type.
QUICK = {
    ("first", "group_split"),
    ("tiny", "group_stream"),
    ("tiny", "micro"),
    ("last3", "rows"),
    ("last64", "sample"),
    ("first f16", "serial_small"),
    ("first f16", "group_resident"),
    ("last bf16", "rows"),
}


def runs(backends: Iterable[str] = RUNS_OF) -> list[Any]:
    """Backend, layer and schedule."""
    return [
        pytest.param(b, v, name, id=f"{b}-{v}-{name}", marks=() if b == "c" or (v.name, name) in QUICK else pytest.mark.slow)
        for b in backends
        for v in RUNS_OF[b]
        for name in v.fits
    ]


def test_the_layers_use_every_schedule() -> None:
    for layers in RUNS_OF.values():
        assert {name for layer in layers for name in layer.fits} == set(SCHEDULES)
    quick = [(layer, name) for layer in LAYERS for name in layer.fits if (layer.name, name) in QUICK]
    assert len(quick) == len(QUICK)
    assert {name for _, name in quick} == set(SCHEDULES)
    assert {layer.dtype for layer, _ in quick} == {"float32", "float64", *HALVES}


def assert_same(one: tuple[Array, ...], other: tuple[Array, ...]) -> None:
    for a, b in zip(one, other, strict=True):
        assert_equal(a, b)


# 1. var >= 0, and a constant group gives exactly act(beta)

CONSTANTS = (0.0, 1.0, -3.3, np.pi, 1e-30, 1e4, 16777217.0, 3e38, -1e37, 1e-42)


def constant_samples(layer: Layer) -> Array:
    """A sample for each constant that the dtype has, and one whose groups are each another constant."""
    with np.errstate(over="ignore"):
        constants = [c for c in CONSTANTS if np.isfinite(np.asarray(c, layer.dtype))]
    x = np.empty((len(constants) + 1, *layer.shape[1:]), layer.dtype)
    for i, constant in enumerate(constants):
        x[i] = constant
    channels = np.moveaxis(x[-1:], layer.axis, -1)
    channels[...] = np.repeat(np.resize(np.asarray(constants), layer.groups), channels.shape[-1] // layer.groups)
    return x


@pytest.mark.parametrize(("name", "layer", "schedule"), runs())
def test_a_constant_group_gives_beta(name: str, layer: Layer, schedule: str) -> None:
    need_backend(name)
    x, (_, gamma, beta) = constant_samples(layer), layer.inputs()
    y, mean, rstd = layer.kernel(name, schedule)(x, gamma, beta)
    assert (layer.by_channel(y) == beta).all()
    assert (layer.by_group(x) == mean[:, :, None]).all()
    np.testing.assert_allclose(rstd, 1e-3**-0.5, 1e-6)


@pytest.mark.parametrize(
    ("name", "layer", "epsilon"),
    [
        *(("c", layer, epsilon) for layer in (FIRST, LAST3) for epsilon in (0.0, 1e-300, 1e-12, 1.0)),
        ("llvm", FIRST, 0.0),
        ("llvm", LAST3, 1e-300),
        ("numba-cpu", FIRST, 0.0),
        pytest.param("numba-cpu", LAST3, 1e-300, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_constant_group_gives_beta_for_every_epsilon(name: str, layer: Layer, epsilon: float) -> None:
    need_backend(name)
    x, (_, gamma, beta) = constant_samples(layer), layer.inputs()
    assert beta is not None
    kernel = gngen.compile(layer.spec(epsilon=epsilon), (None, *layer.shape[1:]), target=name)
    assert (layer.by_channel(kernel(x, gamma, beta)) == beta).all()
    assert not kernel(x, gamma, np.zeros_like(beta)).any()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_constant_group_gives_the_activation_of_beta(activation: str) -> None:
    need_backend("c")
    x, (_, gamma, beta) = constant_samples(LAST3), LAST3.inputs()
    assert beta is not None
    kernel = gngen.compile(LAST3.spec(activation=activation), (None, *LAST3.shape[1:]), target="c")
    y, right = LAST3.by_channel(kernel(x, gamma, beta)), activate(beta.astype(np.float64), activation)
    assert (y == y[0]).all()
    assert np.abs(y[0] - right).max() <= (0 if activation == "relu" else LIMITS["float32"])


@pytest.mark.parametrize(
    ("name", "size"), [*(("c", size) for size in (1, 2, 3, 1023, 4097)), ("llvm", 3), ("llvm", 4097), ("numba-cpu", 4097)]
)
def test_the_variance_is_never_negative(name: str, size: int) -> None:
    """Elements that differ in their last place only, where a careless formula cancels to less than nothing."""
    spec = GroupNormSpec(groups=1, axis=1, epsilon=0.0, center=False, scale=False)
    x = np.full((4, 1, size), 1e6, "float32")
    x[..., 1::3] = np.nextafter(x[..., 1::3], np.float32(np.inf))
    y, _, rstd = gngen.compile(spec, (None, 1, size), target=need_backend(name), outputs=OUTPUTS)(x)
    assert np.isfinite(rstd).all()
    assert (rstd >= 0).all()
    assert_right(y, oracle(x, None, None, spec), "float32")


# 2. The error, in natural units

# Elements of a group: its channels, and their positions.
GROUPS = {
    1: (1, 1),
    2: (2, 1),
    3: (3, 1),
    10: (2, 5),
    100: (4, 25),
    1023: (3, 341),
    5000: (10, 500),
    100_000: (10, 10_000),
    1_000_000: (8, 125_000),
}
LARGEST = (2, 15_000_000)


def layer_of(size: tuple[int, int], layout: str) -> tuple[tuple[int, ...], GroupNormSpec]:
    """A shape and a spec of two groups of a size, channels first or last."""
    chans, positions = size
    batch = 2 if chans * positions < 1_000_000 else 1
    shape = (batch, 2 * chans, positions) if layout == "first" else (batch, positions, 2 * chans)
    return shape, GroupNormSpec(groups=2, axis=1 if layout == "first" else -1, epsilon=1e-5)


def errors() -> Iterator[Any]:
    """Backend, elements of a group, layout, dtype; fewer for numba, whose kernels take seconds to build."""
    for layout in ("first", "last"):
        for size in GROUPS:
            yield from ((name, size, layout, "float32") for name in ("c", "llvm"))
            if size in ((3, 1023, 1_000_000) if layout == "first" else (1, 100, 100_000)):
                yield pytest.param("numba-cpu", size, layout, "float32", marks=() if size in (1, 1_000_000) else pytest.mark.slow)
            if size in (1, 2, 3, 100, 1023, 100_000):
                yield from ((name, size, layout, dtype) for name in ("c", "llvm") for dtype in ("float64", *HALVES))
            if size == (5000 if layout == "first" else 1023):
                marks = () if layout == "first" else pytest.mark.slow
                yield from (pytest.param("numba-cpu", size, layout, dtype, marks=marks) for dtype in ("float64", *HALVES))


@pytest.mark.parametrize(("name", "size", "layout", "dtype"), list(errors()))
def test_the_error_is_within_the_contract(name: str, size: int, layout: str, dtype: str) -> None:
    need_backend(name)
    shape, spec = layer_of(GROUPS[size], layout)
    kernel, (gamma, beta) = gngen.compile(spec, shape, dtype, name), parameters(shape, spec, dtype)
    for data in DATA:
        x = fill(data, shape, dtype)
        assert_right(kernel(x, gamma, beta), oracle(x, gamma, beta, spec), dtype)


@pytest.mark.parametrize("sigmas", [-3.8, 2.0, 3.5, 3.85, 4.0, 12.0])
@pytest.mark.parametrize("shape", [(1, 56, 56, 64), (1, 5000, 6), (2, 40, 640), (1, 4, 70_000)], ids=str)
@pytest.mark.parametrize("axis", [1, -1])
def test_shifts_far_from_the_mean_cost_no_accuracy(axis: int, shape: tuple[int, ...], sigmas: float) -> None:
    """On both sides of where a shift counts as poor: what every block or group is shifted by lies `sigmas` off the mean."""
    need_backend("c")
    spec = GroupNormSpec(groups=shape[axis] // 2, axis=axis, epsilon=1e-5)
    problem, _ = specialize(spec, shape)
    blocks = summation(problem, 16)
    x = fill("normal", shape, "float32")
    x -= x.mean()
    flat = x.reshape(shape[0], -1)
    if isinstance(blocks, RowSlabs):
        rows = flat.reshape(shape[0], blocks.rows, blocks.row)
        rows[:, [i * blocks.rows // blocks.shift_rows for i in range(blocks.shift_rows)]] = sigmas
    else:
        flat.reshape(shape[0], -1, blocks.width)[:, :, :: blocks.block] = sigmas
    gamma, beta = parameters(shape, spec, "float32")
    assert_right(gngen.compile(spec, shape, target="c")(x, gamma, beta), oracle(x, gamma, beta, spec), "float32")


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("schedule", ["serial_small", "group_resident", "group_stream", "micro", "sample", "group_split", "rows"])
def test_the_error_is_within_the_contract_under_every_schedule(schedule: str, data: str) -> None:
    need_backend("c")
    for layer in (layer for layer in LAYERS if schedule in layer.fits):
        x, gamma, beta = layer.inputs(data)
        y, _, _ = layer.kernel("c", schedule)(x, gamma, beta)
        assert_right(y, oracle(x, gamma, beta, layer.spec()), layer.dtype)


@pytest.mark.parametrize(("name", "layer", "schedule"), [run for run in runs() if run.values[1].dtype != "float16"])
def test_data_whose_squares_overflow_is_normalised(name: str, layer: Layer, schedule: str) -> None:
    need_backend(name)
    x, gamma, beta = layer.inputs()
    for scale in (1e19, 1e25, 1e36):
        large = x * np.asarray(scale, x.dtype)
        y, _, rstd = layer.kernel(name, schedule)(large, gamma, beta)
        assert (rstd > 0).all()
        assert_right(y, oracle(large, gamma, beta, layer.spec()), layer.dtype)


@pytest.mark.parametrize("data", [*DATA, "constant", "nan", "inf"])
@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer.dtype == "float16"], ids=str)
def test_a_float16_is_the_float32_answer_rounded_once(layer: Layer, data: str) -> None:
    """To the bit: they are summed in the order of float32."""
    x, gamma, beta = layer.inputs(data)
    wide = [None if a is None else a.astype("float32") for a in (x, gamma, beta)]
    whole = gngen.compile(layer.spec(), layer.shape, "float32", need_backend("c"), OUTPUTS)(*wide)
    for param_dtype, weights in ((None, (gamma, beta)), ("float32", wide[1:])):
        kernel = gngen.compile(layer.spec(), layer.shape, layer.dtype, "c", OUTPUTS, param_dtype=param_dtype)
        assert_same(kernel(x, *weights), (whole[0].astype(layer.dtype), *whole[1:]))


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer.dtype == "bfloat16"], ids=str)
@pytest.mark.parametrize("mean", [0.5, 2, 3.9, 4.1, 30, -200])
def test_bfloat16s_far_from_zero_lose_nothing(layer: Layer, mean: float) -> None:
    """They are summed without a shift, and again where that would cost too much."""
    x, gamma, beta = layer.inputs()
    x = (x.astype("float32") + mean).astype("bfloat16")
    y, *stats = layer.kernel(need_backend("c"), layer.fits[0])(x, gamma, beta)
    right = oracle(x, gamma, beta, layer.spec())
    assert_right(y, right, layer.dtype)
    for name, got in zip(("mean", "rstd"), stats, strict=True):
        assert_stat_right(name, got, right, layer.dtype)


@pytest.mark.slow
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("layout", ["first", "last"])
def test_the_error_is_within_the_contract_for_thirty_million_elements(layout: str, data: str) -> None:
    """Groups of 3e7 elements, judged a group at a time: the oracle's own memory is six times x's."""
    shape, spec = layer_of(LARGEST, layout)
    x, (gamma, beta) = fill(data, shape, "float32"), parameters(shape, spec, "float32")
    assert gamma is not None
    assert beta is not None
    answers = {name: gngen.compile(spec, shape, target=need_backend(name))(x, gamma, beta) for name in ("c", "llvm", "numba-cpu")}
    assert math.prod(LARGEST) == 30_000_000
    for g in range(2):
        channels = slice(2 * g, 2 * g + 2)
        part = x[:, channels] if layout == "first" else x[..., channels]
        mean, rstd = reference.moments(part.astype(np.float64).reshape(1, 1, 1, -1), spec.epsilon)
        for c in range(2 * g, 2 * g + 2):
            column = (slice(None), c) if layout == "first" else (..., c)
            xhat = (x[column] - mean[0, 0]) * rstd[0, 0]
            right, unit = xhat * gamma[c] + beta[c], (1 + np.abs(xhat)) * abs(gamma[c]) + abs(beta[c])
            for name, y in answers.items():
                error = float((np.abs(y[column] - right) / unit).max())
                assert error <= LIMITS["float32"], f"{name}: {error:.2g}"


# 3. The same bits, whatever is not the problem's


@pytest.mark.parametrize(("name", "layer", "schedule"), runs())
def test_the_bits_do_not_depend_on_threads_batch_or_place(name: str, layer: Layer, schedule: str) -> None:
    kernel, (x, gamma, beta) = layer.kernel(need_backend(name), schedule), layer.inputs()
    whole = kernel(x, gamma, beta)
    for threads in THREADS:
        gngen.set_num_threads(threads)
        for _ in range(2):
            assert_same(kernel(x, gamma, beta), whole)
        for n in range(len(x)):
            assert_same(kernel(x[n : n + 1], gamma, beta), tuple(a[n : n + 1] for a in whole))
        assert_same(kernel(x[1:4], gamma, beta), tuple(a[1:4] for a in whole))
        assert_same(kernel(x[::-1], gamma, beta), tuple(a[::-1] for a in whole))
        many = np.concatenate([x] * 4)
        assert_same(kernel(many, gamma, beta), tuple(np.concatenate([a] * 4) for a in whole))


@pytest.mark.parametrize("store", ["temporal", "streaming"])
@pytest.mark.parametrize(("name", "layer", "schedule"), runs(["c"]))
def test_the_bits_do_not_depend_on_alignment(name: str, layer: Layer, schedule: str, store: str) -> None:
    need_backend(name)
    if store == "streaming" and not load_machine("host").streaming_stores:
        pytest.skip("this machine has no streaming stores")
    kernel, (x, gamma, beta) = layer.kernel(name, schedule, store=store), layer.inputs()
    whole = layer.kernel(name, schedule)(x, gamma, beta)
    for skip in range(0, 19, 3):
        memory = np.full(x.size + 64, np.nan, x.dtype)
        out = memory[skip : skip + x.size].reshape(x.shape)
        assert kernel(placed(x, "shifted"), gamma, beta, out=out)[0] is out
        assert_equal(out, whole[0])
        assert np.isnan(memory[:skip]).all(), "written before out"
        assert np.isnan(memory[skip + x.size :]).all(), "written past out"


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        *(("c", layer) for layer in LAYERS),
        *(pytest.param("numba-cpu", v, marks=() if v is LAST3 else pytest.mark.slow) for v in RUNS_OF["numba-cpu"]),
    ],
    ids=str,
)
def test_the_bits_do_not_depend_on_the_schedule(name: str, layer: Layer) -> None:
    need_backend(name)
    x, gamma, beta = layer.inputs()
    first, *others = layer.fits
    whole = layer.kernel(name, first)(x, gamma, beta)
    for schedule in others:
        assert_same(layer.kernel(name, schedule)(x, gamma, beta), whole)


@pytest.mark.parametrize("data", ["normal", "far", "outlier"])
@pytest.mark.parametrize("layer", [pytest.param(v, marks=() if v in RUNS_OF["numba-cpu"] else pytest.mark.slow) for v in LAYERS], ids=str)
def test_the_bits_do_not_depend_on_the_numbers_of_the_schedule(layer: Layer, data: str) -> None:
    need_backend("c")
    x, gamma, beta = layer.inputs(data)
    whole = layer.kernel("c", layer.fits[0])(x, gamma, beta)
    for schedule in layer.fits:
        for numbers in (
            {"by_sample": True, "piece": 100},
            {"by_sample": False, "piece": 1, "strip": 1},
            {"strip": 2, "tile": 2, "piece": 4096, "ahead": 24, "interleave": 2},
            {"strip": 3, "tile": 4, "parallel_from": 3, "ahead": 4096, "interleave": 3},
        ):
            assert_same(layer.kernel("c", schedule, **numbers)(x, gamma, beta), whole)


@pytest.mark.parametrize("activation", ["silu", "gelu"])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_the_bits_do_not_depend_on_how_many_vectors_are_side_by_side(layer: Layer, activation: str) -> None:
    need_backend("c")
    x, gamma, beta = layer.inputs()
    chosen, *others = (
        gngen.compile(layer.spec(activation=activation), layer.shape, layer.dtype, "c", schedule=numbers)
        for numbers in (None, {"interleave": 1}, {"interleave": 2}, {"interleave": 3, "rows": 1, "ahead": 64})
    )
    assert chosen.schedule.interleave > 1
    for kernel in others:
        assert_same((kernel(x, gamma, beta),), (chosen(x, gamma, beta),))


@pytest.mark.parametrize(
    ("name", "layer"),
    [*((b, v) for b in ("c", "llvm") for v in LAYERS), ("numba-cpu", FIRST), pytest.param("numba-cpu", LAST3, marks=pytest.mark.slow)],
    ids=str,
)
def test_the_bits_do_not_depend_on_whether_the_batch_is_known(name: str, layer: Layer) -> None:
    need_backend(name)
    x, gamma, beta = layer.inputs()
    whole = layer.kernel(name, layer.fits[-1])(x, gamma, beta)
    fixed = layer.kernel(name, layer.fits[-1], fixed=True)
    assert_same(fixed(x, gamma, beta), whole)
    # one digest, one entry of the cache: the text must be one too
    symbolic = layer.kernel(name, layer.fits[-1], **{k: getattr(fixed.schedule, k) for k in ("strip", "store", "by_sample")})
    assert (symbolic.digest, symbolic.source) == (fixed.digest, fixed.source)
    chosen = gngen.compile(layer.spec(), layer.shape, layer.dtype, name, OUTPUTS)
    assert_same(chosen(x, gamma, beta), whole)


# 4. NaN and infinity spoil their own group only


@pytest.mark.parametrize(("name", "layer", "schedule"), runs())
def test_a_bad_element_spoils_its_own_group_only(name: str, layer: Layer, schedule: str) -> None:
    kernel, (x, gamma, beta) = layer.kernel(need_backend(name), schedule), layer.inputs()
    clean, chans = kernel(x, gamma, beta), layer.shape[layer.axis] // layer.groups
    last = math.prod(layer.shape[1:]) // layer.shape[layer.axis] - 1
    places = ((0, 0, 0), (2, layer.groups // 2, last // 3), (4, layer.groups - 1, last))
    for bad in (np.nan, np.inf, -np.inf):
        for n, g, position in places:
            channels = np.moveaxis(x, layer.axis, 1).reshape(len(x), layer.shape[layer.axis], -1).copy()
            channels[n, g * chans if position == 0 else g * chans + chans - 1, position] = bad
            rest = [size for a, size in enumerate(layer.shape[1:], 1) if a != layer.axis % x.ndim]
            spoiled = np.ascontiguousarray(np.moveaxis(channels.reshape(len(x), -1, *rest), 1, layer.axis))
            found = kernel(spoiled, gamma, beta)
            own = np.zeros((len(x), layer.groups), bool)
            own[n, g] = True
            for a, b in zip(found, clean, strict=True):
                grouped, was = (layer.by_group(v) if v.ndim > 2 else v[..., None] for v in (a, b))
                assert_equal(grouped[~own], was[~own])
                assert not np.isfinite(grouped[own]).any()


# 5. 64-bit index arithmetic

HUGE = (1 << 30) + 4099  # elements of one of two groups: together past 2^31


def memory_available() -> int:
    """Bytes of memory that can be had, or 0 where the system does not say."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r"^MemAvailable:\s*(\d+) kB$", text, re.MULTILINE)
    return int(found.group(1)) << 10 if found else 0


@pytest.mark.slow
def test_more_than_2_to_the_31_elements() -> None:
    """In place, for memory's sake: every group holds the same numbers, so that all must come out the same, and right at their ends."""
    if memory_available() < 12e9:
        pytest.skip(f"{memory_available() / 1e9:.0f} GB of memory are available, and the test wants 12")
    rows = 1 + (2 * HUGE >> 20)
    memory = np.empty(rows << 20, "float32")
    for name, shape in (("c", (1, 2, HUGE)), ("numba-cpu", (1, 2, HUGE)), ("c", (rows, 1, 1 << 20))):
        assert math.prod(shape) > 1 << 31
        need_backend(name)
        check_huge(name, memory[: math.prod(shape)].reshape(shape))


def check_huge(name: str, x: Array) -> None:
    base = fill("normal", (1 << 20,), "float32")
    rows = x.reshape(-1, x.shape[-1])
    for row in rows:
        for start in range(0, len(row), len(base)):
            row[start : start + len(base)] = base[: len(row) - start]
    repeats, tail = divmod(x.shape[-1], len(base))
    wide = base.astype(np.float64)
    mean = (repeats * wide.sum() + wide[:tail].sum()) / x.shape[-1]
    square = (repeats * ((wide - mean) ** 2).sum() + ((wide[:tail] - mean) ** 2).sum()) / x.shape[-1]
    spec = GroupNormSpec(groups=x.shape[1], axis=1, center=False, scale=False)
    gngen.compile(spec, x.shape, target=name)(x, out=x)
    end = wide[:tail] if tail else wide
    xhat = (end - mean) / np.sqrt(square + spec.epsilon)
    for row in (rows[0], rows[-1]):
        assert (np.abs(row[-len(end) :] - xhat) / (1 + np.abs(xhat))).max() <= LIMITS["float32"]
    for row in rows[1:]:
        for start in range(0, len(row), 1 << 24):
            assert np.array_equal(row[start : start + (1 << 24)], rows[0][start : start + (1 << 24)])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_c_counts_in_64_bits(schedule: str) -> None:
    layer = next(layer for layer in LAYERS if schedule in layer.fits)
    source = gngen.emit(layer.spec(), layer.shape, layer.dtype, "c:x86-64-v3", OUTPUTS, schedule)
    kernel = source.text[source.text.index(f"void {source.entry}(") :]
    assert "int64_t batch, int threads)" in kernel
    body = re.sub(r"/\*.*?\*/", "", kernel[kernel.index("{") :])
    assert "for (int64_t " in body
    assert not re.findall(r"\b(?:int|unsigned|long|short|size_t|int32_t)\b", body)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_numba_counts_in_64_bits(schedule: str) -> None:
    layer = next(layer for layer in LAYERS if schedule in layer.fits)
    source = gngen.emit(layer.spec(), layer.shape, layer.dtype, "numba-cpu:x86-64-v3", OUTPUTS, schedule)
    signature = re.search(r"^SIGNATURE = \((.*)\)$", source.text, re.MULTILINE)
    assert signature
    assert set(signature.group(1).split(", ")) == {"types.int64"}
    body = source.text[source.text.index(f"def {source.entry}(") :]
    assert not re.findall(r"\b(?:u?int32|intc|int_)\b", body)
