"""Cases for the backends: problems of every shape, data and place in memory, and how an answer to one is judged."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes  # noqa: F401  by which numpy knows bfloat16
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import gngen
from gngen import reference
from gngen.backends import load_backend
from gngen.errors import SpecError
from gngen.gpuschedule import GpuSchedule, choose_gpu_schedule, gpu_schedules_for
from gngen.problem import Problem, specialize
from gngen.schedule import SCHEDULES, misfit
from gngen.spec import ACTIVATIONS, GroupNormSpec, resolve_axes
from gngen.target import Gpu, host_arch, load_cpu, load_machine, machine_names

Array = np.ndarray[Any, Any]

# What the contract allows, in units of (1 + |xhat|) * |gamma| + |beta|; float64 times max(1, |mean| / std).
# A half is the float32 answer rounded: that answer is what these units are of.
LIMITS = {"float32": 4e-6, "float64": 1e-13, "float16": 4e-6, "bfloat16": 4e-6}
HALVES = ("float16", "bfloat16")
# The contract's five data sets.
DATA = ("normal", "offset", "far", "uniform", "outlier")
PLACES = ("dense", "shifted", "bytes", "strided", "reversed")
_MOST = 40_000
_SIZES = (1, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 129, 257, 1000, 1025, 4097, 8200)


# The machines that this one may run as: of its architecture, or any.
MACHINES_HERE = [name for name in machine_names() if load_cpu(name).arch in ("any", host_arch())]


def need_backend(name: str) -> str:
    """The backend's name, where it can run; the test is skipped, with the reason, where it cannot."""
    reason = load_backend(name).unavailable()
    if reason:
        pytest.skip(f"backend {name}: {reason}")
    return name


def computed(dtype: str) -> str:
    """The dtype that is computed in, and that mean and rstd have."""
    return "float64" if dtype == "float64" else "float32"


def fill(name: str, shape: tuple[int, ...], dtype: str, seed: int = 0) -> Array:
    """One of the data sets, in C order."""
    rng = np.random.default_rng(seed)
    if name == "uniform":
        return rng.random(shape).astype(dtype)
    x = rng.standard_normal(shape, np.float32).astype(dtype)
    if name == "offset":
        x = x * np.asarray(0.01, dtype) + np.asarray(100, dtype)
    elif name == "far":
        x += np.asarray(1e4, dtype)
    elif name == "outlier" and x.size:
        x.flat[0] = 1e4
    elif name == "constant":
        x[...] = np.pi
    elif name in ("nan", "inf", "-inf") and x.size:
        x.flat[0] = float(name)
    return x


def parameters(shape: tuple[int, ...], spec: GroupNormSpec, dtype: str, seed: int = 0) -> tuple[Array | None, Array | None]:
    """A gamma and a beta for the features of `shape`; None where the spec has none."""
    rng = np.random.default_rng(seed + 1)
    features = tuple(shape[a] for a in resolve_axes(spec.axes, len(shape), shape))
    gamma, beta = ((rng.standard_normal(features) + 0.5).astype(dtype) for _ in range(2))
    return gamma if spec.scale else None, beta if spec.center else None


def companions(shape: tuple[int, ...], spec: GroupNormSpec, dtype: str, seed: int = 0, param_dtype: str | None = None) -> dict[str, Any]:
    """What the fused forms of a spec take beside x, gamma and beta, as keywords of a kernel and of the reference."""
    rng = np.random.default_rng(seed + 2)
    axes = resolve_axes(spec.axes, len(shape), shape)
    found: dict[str, Any] = {}
    if spec.residual:
        found["residual"] = rng.standard_normal(shape).astype(dtype)
    if spec.modulation:
        features = (shape[0], *(shape[a] for a in axes))
        found["modulation"] = tuple(rng.standard_normal(features).astype(param_dtype or dtype) for _ in range(2))
    if spec.masked:
        found["mask"] = rng.random([n for a, n in enumerate(shape) if a not in axes]) < rng.choice((0.02, 0.5, 0.97))
    return found


def padded(x: Array, spec: GroupNormSpec, mask: Array | None, value: float) -> Array:
    """x with a value wherever the mask is False."""
    if mask is None:
        return x
    axes = resolve_axes(spec.axes, x.ndim, x.shape)
    with np.errstate(over="ignore"):
        return np.where(np.expand_dims(mask, axes), x, np.asarray(value).astype(x.dtype))


def placed(x: Array, place: str, order: tuple[int, ...] | None = None) -> Array:
    """An array equal to x, somewhere else: `order` names its axes from the outermost in memory.

    dense: aligned; shifted: one element past a vector's alignment; bytes: not even aligned to its elements;
    strided: every second element of the last axis; reversed: the last axis backwards.
    """
    order = tuple(range(x.ndim)) if order is None else order
    back = np.argsort(order)
    sizes = [x.shape[a] for a in order]
    if place == "strided":
        y = np.empty([*x.shape[:-1], 2 * x.shape[-1]], x.dtype)[..., ::2]
    elif place == "reversed":
        y = np.empty(x.shape, x.dtype)[..., ::-1]
    else:
        skip = {"dense": 0, "shifted": x.itemsize, "bytes": 1}[place]
        raw = np.empty(x.nbytes + 64 + skip, np.uint8)
        start = -raw.ctypes.data % 64 + skip
        y = np.ndarray(sizes, x.dtype, raw.data, start).transpose(back)
    y[...] = x
    return y


@dataclass(frozen=True)
class Oracle:
    """The right answer to one call, and the unit in which an error of y is counted at each element."""

    y: Array
    mean: Array
    rstd: Array
    unit: Array


def oracle(x: Array, gamma: Array | None, beta: Array | None, spec: GroupNormSpec, **fused: Any) -> Oracle:
    """The definition of x, in float64, or in long double for float64 input; `fused` as from `companions`.

    Modulation scales the unit as it scales y: ``(1 + |xhat|) * |gamma * (1 + scale)| + |beta * (1 + scale)| + |shift|``.
    """
    precise = x.dtype == np.float64
    y, mean, rstd = reference.group_norm(x, gamma, beta, spec, precise=precise, **fused)
    plain = GroupNormSpec(spec.groups, spec.axis, spec.epsilon, center=False, scale=False)
    before = {name: value for name, value in fused.items() if name != "modulation"}
    xhat, _, _ = reference.group_norm(x, None, None, plain, precise=precise, **before)
    axes = resolve_axes(spec.axes, x.ndim, x.shape)
    spread = [x.shape[a] if a in axes else 1 for a in range(x.ndim)]
    with np.errstate(all="ignore"):
        unit = 1 + np.abs(xhat)
        if precise:
            chans = math.prod(x.shape[a] for a in axes) // mean.shape[1]
            off = np.repeat(np.maximum(1, np.abs(mean * rstd)), chans, axis=1)
            unit = unit * off.reshape([x.shape[0], *spread[1:]])
        if gamma is not None:
            unit = unit * np.abs(gamma.astype(np.float64)).reshape(spread)
        if beta is not None:
            unit = unit + np.abs(beta.astype(np.float64)).reshape(spread)
        if spec.modulation:
            scale, shift = (np.reshape(part.astype(np.float64), [x.shape[0], *spread[1:]]) for part in fused["modulation"])
            unit = unit * np.abs(1 + scale) + np.abs(shift)
        if spec.activation is not None:  # sigmoid(0) is rounded too, whatever gamma and beta are
            unit = unit + 2 * np.finfo(computed(x.dtype.name)).eps / LIMITS[x.dtype.name] * np.abs(y)
    return Oracle(y, mean, rstd, unit)


def worst_error(y: Array, right: Oracle) -> float:
    """The largest error of y in natural units: 0 where both are NaN, infinite where one is."""
    with np.errstate(all="ignore"):
        error = np.abs(y - right.y)
        error = np.where(error == 0, 0, error / right.unit)
    error = np.where((y == right.y) | (np.isnan(y) & np.isnan(right.y)), 0, error)
    return float(np.where(np.isnan(error), np.inf, error).max(initial=0))


def assert_equal(a: Array, b: Array) -> None:
    """The same numbers, NaN among them, in the same type. numpy's own comparison does not know bfloat16's NaN."""
    assert a.dtype == b.dtype
    one, other = (v.astype("float32") if v.dtype.name in HALVES else v for v in (a, b))
    np.testing.assert_array_equal(one, other, strict=True)


def assert_right(y: Array, right: Oracle, dtype: str) -> None:
    assert y.dtype == dtype
    assert y.shape == right.y.shape
    if dtype in HALVES:
        assert_rounded(y, right, dtype)
        return
    error = worst_error(y, right)
    assert error <= LIMITS[dtype], f"the largest error is {error:.2g} in natural units"


def assert_rounded(y: Array, right: Oracle, dtype: str) -> None:
    """Each half is some float32 answer within the contract, rounded to nearest once: no other half is between it and the oracle."""
    with np.errstate(all="ignore"):
        allowed = np.where(np.isfinite(right.y), LIMITS[dtype] * right.unit, 0)
        low, high = ((right.y + side).astype(dtype) for side in (-allowed, allowed))
        good = ((low <= y) & (y <= high)) | (np.isnan(y) & np.isnan(right.y))
    assert good.all(), f"{y[~good]} should be {right.y[~good]}, rounded"


def assert_stat_right(name: str, got: Array, right: Oracle, dtype: str) -> None:
    """The mean or rstd: as near as its type allows, the mean also to a part of the standard deviation."""
    dtype = computed(dtype)
    want, limit = getattr(right, name), LIMITS[dtype]
    with np.errstate(all="ignore"):
        far = np.maximum(1, np.abs(right.mean * right.rstd)) if dtype == "float64" else 1
        if name == "mean":
            allowed = np.abs(right.mean) * np.finfo(dtype).eps + limit * far / np.where(right.rstd == 0, 1, right.rstd)
        else:
            allowed = limit * far * np.abs(right.rstd) + np.finfo(dtype).tiny
        good = (np.abs(got - want) <= allowed) | (got == want) | (np.isnan(got) & ~np.isfinite(want))
        if name == "mean":  # of an infinity it is infinite, and the oracle's second pass makes that NaN: either spoils the group
            good |= np.isinf(got) & np.isnan(want)
    assert got.dtype == dtype
    assert got.shape == want.shape
    assert good.all(), f"{name}: {got[~good]} should be {want[~good]}"


@dataclass(frozen=True)
class Case:
    """A problem, how it is compiled, and what it is run on."""

    spec: GroupNormSpec
    shape: tuple[int, ...]
    dtype: str
    param_dtype: str
    symbolic: bool
    order: tuple[int, ...] | None
    outputs: tuple[str, ...]
    schedule: dict[str, Any] | None
    data: tuple[str, ...]
    place: str
    out: str | None
    seed: int

    def compile(self, target: str) -> gngen.Kernel:
        shape = (None, *self.shape[1:]) if self.symbolic else self.shape
        return gngen.compile(self.spec, shape, self.dtype, target, self.outputs, self.schedule, self.order, self.param_dtype)

    def fused(self) -> dict[str, Any]:
        """What the kernel takes beside."""
        return companions(self.shape, self.spec, self.dtype, self.seed, self.param_dtype)

    def inputs(self, data: str) -> tuple[Array, Array | None, Array | None]:
        x = placed(fill(data, self.shape, self.dtype, self.seed), self.place, self.order)
        return x, *parameters(self.shape, self.spec, self.param_dtype, self.seed)


def fitting(p: Problem, machine: str = "host") -> list[str]:
    """The names of the schedules that can compute a problem on a machine."""
    lanes = load_machine(machine).vector_bits // p.bits
    return [name for name in SCHEDULES if not misfit(p, name, lanes)]


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, ...]:
    """2 to 5 axes, batch first, of few elements; some of size 0 or 1."""
    rank = draw(st.integers(2, 5))
    shape = [draw(st.sampled_from((1, 2, 3, 5)))]
    for _ in range(rank - 1):
        room = _MOST // max(1, math.prod(shape))
        shape.append(draw(st.sampled_from([n for n in _SIZES if n <= max(1, room)])))
    shape = [shape[0], *draw(st.permutations(shape[1:]))]
    if draw(st.integers(0, 19)) == 0:
        shape[draw(st.sampled_from([0, *range(1, rank)]))] = 0
    return tuple(shape)


@st.composite
def specs(draw: st.DrawFn, shape: tuple[int, ...]) -> GroupNormSpec:
    """A spec that fits a shape."""
    rank = len(shape)
    filled = [a for a in range(1, rank) if shape[a]]
    if not filled:
        filled = [1]
    axes = sorted(draw(st.sets(st.sampled_from(filled), min_size=1, max_size=len(filled) if draw(st.booleans()) else 1)))
    channels = math.prod(shape[a] for a in axes)
    divisors = [d for d in range(1, channels + 1) if channels % d == 0]
    written = [a - rank if draw(st.booleans()) else a for a in draw(st.permutations(axes))]
    return GroupNormSpec(
        groups=draw(st.sampled_from([-1, *divisors])),
        axis=written[0] if len(written) == 1 else tuple(written),
        epsilon=draw(st.sampled_from((1e-3, 1e-5, 0.1, 1))),
        center=draw(st.booleans()),
        scale=draw(st.booleans()),
        activation=draw(st.sampled_from((None, None, *ACTIVATIONS))),
        residual=draw(st.booleans()),
        modulation=draw(st.booleans()),
        masked=draw(st.booleans()),
    )


@st.composite
def schedules(draw: st.DrawFn, p: Problem) -> dict[str, Any] | None:
    """None, or a schedule that fits, with numbers of its own."""
    if draw(st.booleans()):
        return None
    machine = load_machine("host")
    wide = machine.vector_bits // p.bits * p.item_bytes >= 16
    stores = ("temporal", "streaming") if machine.streaming_stores and wide else ("temporal",)
    asked: dict[str, Any] = {"name": draw(st.sampled_from(fitting(p))), "store": draw(st.sampled_from(stores))}
    if draw(st.booleans()):
        asked |= {
            "parallel_from": draw(st.sampled_from((0, 1, 2))),
            "by_sample": draw(st.booleans()),
            "strip": draw(st.sampled_from((1, 2, 4))),
            "tile": draw(st.sampled_from((1, 2))),
            "piece": draw(st.sampled_from((1, 64, 1000, 65536))),
            "ahead": draw(st.sampled_from((0, 5, 1000))),
            "interleave": draw(st.sampled_from((1, 2, 3, 4))),
        }
    return asked


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Anything that a kernel may be asked for, small."""
    shape = draw(shapes())
    if any(n == 0 for n in shape[1:]) and all(n == 0 for n in shape[1:]):
        shape = (shape[0], *(2 for _ in shape[1:]))
    spec = draw(specs(shape))
    rank = len(shape)
    dtype = draw(st.sampled_from(("float32", "float32", "float64", *HALVES)))
    param_dtype = draw(st.sampled_from((dtype, "float32"))) if dtype in HALVES else dtype
    orders = st.one_of(st.none(), st.just(tuple(reversed(range(rank)))), st.permutations(range(rank)).map(tuple))
    order = draw(orders)
    outputs = draw(st.sampled_from((("y",), ("y", "mean", "rstd"), ("y", "rstd"), ("y", "mean"))))
    if spec.residual and draw(st.booleans()):
        outputs = ("y", "sum", *outputs[1:])
    symbolic = draw(st.booleans())
    problem, _ = specialize(spec, (None, *shape[1:]) if symbolic else shape, dtype, order, outputs)
    return Case(
        spec=spec,
        shape=shape,
        dtype=dtype,
        param_dtype=param_dtype,
        symbolic=symbolic,
        order=order,
        outputs=outputs,
        schedule=draw(schedules(problem)),
        data=tuple(draw(st.lists(st.sampled_from((*DATA, "constant", "nan", "inf", "-inf")), min_size=2, max_size=3, unique=True))),
        place=draw(st.sampled_from(("dense", "dense", *PLACES))),
        out=draw(st.sampled_from((None, None, "in place", *PLACES))),
        seed=draw(st.integers(0, 99)),
    )


# For GPUs


@dataclass(frozen=True)
class GpuCase:
    """A problem, the schedules that compute it on a GPU, and what they are run on; `alias`: an output that is an input's memory."""

    spec: GroupNormSpec
    shape: tuple[int, ...]
    dtype: str
    param_dtype: str
    outputs: tuple[str, ...]
    problem: Problem
    schedules: tuple[GpuSchedule, ...]
    data: str
    alias: tuple[tuple[str, str], ...]
    seed: int


@st.composite
def gpu_sizes(draw: st.DrawFn, most: int) -> tuple[int, int, int, int]:
    """Outer, groups, channels of a group and inner: at most so many elements, and channels first, last or between."""

    def size(room: int, *sizes: int) -> int:
        return draw(st.sampled_from([n for n in sizes if n <= max(1, room)]))

    layout = draw(st.sampled_from(("first", "last", "middle")))
    groups = size(most, 1, 2, 3, 4, 5, 8, 16)
    chans = size(most // groups, 1, 2, 3, 4, 5, 8, 10, 16, 40)
    room = most // (groups * chans)
    long = (1, 2, 7, 15, 16, 33, 49, 64, 100, 129, 256, 300, 1000, 1025)
    inner = 1 if layout == "last" else size(room, *long) if layout == "first" else size(room, 2, 3, 4, 6, 8, 13, 32, 70)
    return 1 if layout == "first" else size(room // inner, *long), groups, chans, inner


@st.composite
def gpu_schedules(draw: st.DrawFn, p: Problem, m: Gpu) -> tuple[GpuSchedule, ...]:
    """One of every name that fits, groups split between blocks in any way, cooperative launches in one gang or as many as there are."""
    found = []
    for name in gpu_schedules_for(p, m):
        ways = [s for split in range(2, 9) if (s := _split(p, m, name, split))] if name in ("cluster", "coop") else []
        s = draw(st.sampled_from(ways)) if ways else choose_gpu_schedule(p, m, name)
        found.append(replace(s, gangs=draw(st.sampled_from((s.gangs, 1)))) if name == "coop" else s)
    return tuple(found)


def _split(p: Problem, m: Gpu, name: str, split: int) -> GpuSchedule | None:
    """A schedule that shares a group between so many blocks; None where it cannot."""
    try:
        return choose_gpu_schedule(p, m, {"name": name, "split": split})
    except SpecError:
        return None


@st.composite
def gpu_cases(draw: st.DrawFn, m: Gpu, most: int) -> GpuCase:
    """Anything that a GPU's kernel may be asked for, of samples of at most so many elements."""
    outer, groups, chans, inner = draw(gpu_sizes(most))
    shape = (draw(st.sampled_from((2, 1, 3, 2, 1, 3, 2, 1, 3, 0))), outer, groups * chans, inner)
    residual, modulation, masked, center, scale = (draw(st.booleans()) for _ in range(5))
    spec = GroupNormSpec(
        groups=groups,
        axis=2,
        epsilon=draw(st.sampled_from((1e-3, 1e-5, 1))),
        center=center,
        scale=scale,
        activation=draw(st.sampled_from((None, *ACTIVATIONS))),
        residual=residual,
        modulation=modulation,
        masked=masked,
    )
    dtype = draw(st.sampled_from(("float32", "float16", "bfloat16", "float64")))
    param_dtype = draw(st.sampled_from((dtype, "float32"))) if dtype in HALVES else dtype
    outputs = draw(st.sampled_from((("y",), ("y", "mean", "rstd"), ("y", "rstd"), ("y", "mean"))))
    aliases: list[dict[str, str]] = [{}, {}, {"y": "x"}]
    if residual and draw(st.booleans()):
        outputs = ("y", "sum", *outputs[1:])
        aliases += [{"y": "residual", "summed": "x"}, {"summed": "residual"}]
    elif residual:
        aliases += [{"y": "residual"}]
    batch = draw(st.sampled_from((shape[0], None)))
    p, _ = specialize(spec, (batch, *shape[1:]), dtype, None, outputs, param_dtype)
    return GpuCase(
        spec=spec,
        shape=shape,
        dtype=dtype,
        param_dtype=param_dtype,
        outputs=outputs,
        problem=p,
        schedules=draw(gpu_schedules(p, m)),
        data=draw(st.sampled_from((*DATA, "constant", "nan", "inf", "-inf"))),
        alias=tuple(draw(st.sampled_from(aliases)).items()),
        seed=draw(st.integers(0, 99)),
    )


def gathered(strategy: st.SearchStrategy[GpuCase], count: int) -> list[GpuCase]:
    """So many examples of a strategy, the same each time, for what runs them together."""
    found: list[GpuCase] = []

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(case=strategy)
    def collect(case: GpuCase) -> None:
        found.append(case)

    collect()
    return found
