"""Measure the candidate schedules of a list of layers, and keep the fastest of each for the kernels compiled from then on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from time import perf_counter, strftime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gngen import api, threads
from gngen.backends import load_backend
from gngen.candidates import candidates
from gngen.compare.measure import make_data
from gngen.compare.report import format_seconds
from gngen.compare.timing import Repeated, repeated, time_interleaved
from gngen.errors import BuildError, GngenError, SpecError, TargetError
from gngen.kernel import Kernel, Plan, make_plan, summary
from gngen.models import Layer, LayerList, load
from gngen.pool import aligned
from gngen.problem import specialize
from gngen.schedule import Schedule
from gngen.target import choose_auto, parse_target, runs_here
from gngen.tuned import keep_tuned

WIN = 1.03
"""How many times as fast as the untuned choice another must be, in a rerun of the two, to take its place."""
# The part of a layer's time in which candidates may begin to be compiled; the rest measures them.
_COMPILING = 0.5


@dataclass(frozen=True)
class TunedLayer:
    """What was found for one layer.

    untuned, tuned: the schedule by rule and the one kept, which may be the same. untuned_seconds, tuned_seconds: one call of each,
    medians of one interleaved run; None where nothing was measured. candidates: how many were measured. skipped: why the time
    did not suffice, or "". failure: why there is no kernel, or "".
    """

    layer: Layer
    untuned: Schedule
    tuned: Schedule
    untuned_seconds: float | None = None
    tuned_seconds: float | None = None
    candidates: int = 0
    skipped: str = ""
    failure: str = ""

    @property
    def gain(self) -> float | None:
        """How many times as fast the tuned schedule is; 1 where the untuned one stays."""
        if self.untuned_seconds is None or self.tuned_seconds is None:
            return None
        return self.untuned_seconds / self.tuned_seconds


@dataclass(frozen=True)
class Tuning:
    """What `tune` found: a row for each distinct problem, in the order of the layers.

    target: that it was measured on, as ``c:host``. batch: None, or the batch at which kernels for any batch were measured.
    seconds: that it took.
    """

    model: LayerList
    target: str
    threads: int
    batch: int | None
    rows: tuple[TunedLayer, ...]
    seconds: float

    @property
    def gain(self) -> float | None:
        """The geometric mean of untuned over tuned time, of the rows that were measured."""
        gains = [row.gain for row in self.rows if row.gain is not None]
        return math.exp(sum(map(math.log, gains)) / len(gains)) if gains else None

    @property
    def replaced(self) -> int:
        """In how many rows another schedule took the place of the untuned one."""
        return sum(row.tuned != row.untuned for row in self.rows)


def tune(
    layers: LayerList | Layer | Sequence[Layer] | str | PathLike[str],
    target: str = "auto",
    seconds: float = 60.0,
    *,
    dtype: str | None = None,
    batch: int | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Tuning:
    """Measure the candidate schedules of each layer; the fastest is used by `compile` from now on, in later processes too.

    Schedules give the same bits, so only speed changes. A choice is kept for the problem with its batch, this machine, the backend
    and the number of threads in use, until the code of gngen changes. It replaces the untuned one if it is faster by more
    than 3 % in a rerun of the two. Leave the machine otherwise idle.

    Args:
        layers: a LayerList, layers, the name of a list that ships with gngen, or a file: see `gngen.models`.
        target: ``backend[:machine]`` that runs here, or auto.
        seconds: for all layers together, compiling included; those that count most come first, and one
            that no time is left for stays as it is.
        dtype: in place of the list's own; float32 for layers.
        batch: tune the kernels that serve any batch (None in the shape's place), measured at this one; None to tune each
            layer at its own.
        progress: told of each layer as it begins.

    Raises:
        SpecError: no such layers, or a dtype without kernels. TargetError: a target that does not run here, or has one schedule only.
    """
    if not (isinstance(seconds, (int, float)) and 0 < seconds < math.inf):
        raise SpecError(f"seconds must be a number above 0; received seconds={seconds!r}")
    jobs = _jobs(_layer_list(layers, dtype), target, batch)
    chosen = jobs.plans[0].target
    lacking = load_backend(chosen.backend).unavailable() or runs_here(chosen.machine)
    if lacking:
        raise TargetError(f"a kernel for {chosen} can be emitted here and not measured: {lacking}")
    start = perf_counter()
    end = start + seconds
    found: dict[int, TunedLayer] = {}
    order = sorted(range(len(jobs.plans)), key=lambda i: -jobs.weights[i])
    for at, i in enumerate(order):
        left = end - perf_counter()
        share = left * jobs.weights[i] / sum(jobs.weights[j] for j in order[at:])
        progress(jobs.layers[i].name)
        found[i] = _tune_layer(jobs.layers[i], jobs.plans[i], jobs.model.dtype, share)
    rows = tuple(found[i] for i in range(len(jobs.plans)))
    api.forget_kernels()
    return Tuning(jobs.model, str(chosen), threads.get_num_threads(), batch, rows, perf_counter() - start)


def list_candidates(
    layers: LayerList | Layer | Sequence[Layer] | str | PathLike[str],
    target: str = "auto",
    *,
    dtype: str | None = None,
    batch: int | None = None,
) -> list[tuple[Layer, list[Schedule]]]:
    """What `tune` would measure: each distinct problem's first layer and its candidates, the untuned choice first."""
    jobs = _jobs(_layer_list(layers, dtype), target, batch)
    return [(layer, candidates(plan.problem, plan.target.cpu)) for layer, plan in zip(jobs.layers, jobs.plans, strict=True)]


def describe(schedule: Schedule, beside: Schedule | None = None) -> str:
    """A schedule in a few words: its name and its stores, and the numbers in which it differs from the one `beside` it.

    >>> describe(Schedule("rows", 16, tile=1), Schedule("rows", 16, tile=4))
    'rows, temporal, tile 1'
    """
    words = [schedule.name, schedule.store]
    for field, value in vars(schedule).items():
        if field in ("name", "store", "reason") or beside is None or value == getattr(beside, field):
            continue
        name = field.replace("_", " ")
        words.append(f"{name} {value}" if not isinstance(value, bool) else name if value else f"not {name}")
    return ", ".join(words)


# The layers


@dataclass(frozen=True)
class _Jobs:
    """The distinct problems of a list: the first layer of each, its untuned plan, and the weight of its share of the time."""

    model: LayerList
    layers: tuple[Layer, ...]
    plans: tuple[Plan, ...]
    weights: tuple[float, ...]


def _layer_list(layers: LayerList | Layer | Sequence[Layer] | str | PathLike[str], dtype: str | None) -> LayerList:
    if isinstance(layers, (str, PathLike)):
        layers = load(layers)
    if isinstance(layers, LayerList):
        return replace(layers, dtype=dtype or layers.dtype)
    several = (layers,) if isinstance(layers, Layer) else tuple(layers) if isinstance(layers, Iterable) else ()
    if not several or not all(isinstance(layer, Layer) for layer in several):
        raise SpecError(f"tune takes a list of layers, at least one, or the name or file of such a list; received {layers!r}")
    return LayerList("layers", "", "", dtype or "float32", several)


def _jobs(model: LayerList, target: str, batch: int | None) -> _Jobs:
    if batch is not None and (type(batch) is not int or batch < 1):
        raise SpecError(f"batch must be a positive integer; received batch={batch!r}")
    chosen = choose_auto()[0] if target == "auto" else parse_target(target)
    if getattr(load_backend(chosen.backend), "ONE_SCHEDULE", False):
        raise TargetError(f"target {chosen} computes every schedule alike: there is nothing to tune")
    layers: dict[Any, Layer] = {}
    plans: dict[Any, Plan] = {}
    weights: dict[Any, float] = {}
    for layer in model.layers:
        if batch is not None:
            layer = replace(layer, shape=(batch, *layer.shape[1:]))
        shape = layer.shape if batch is None else (None, *layer.shape[1:])
        problem, layout = specialize(layer.spec, shape, model.dtype)
        layers.setdefault(problem, layer)
        plans.setdefault(problem, make_plan(layer.spec, problem, layout, chosen, {}))
        weights[problem] = weights.get(problem, 0.0) + layer.count * layer.elements
    # the square root, so that the small ones are not left with nothing
    return _Jobs(model, tuple(layers.values()), tuple(plans.values()), tuple(map(math.sqrt, weights.values())))


# One layer


def _tune_layer(layer: Layer, plan: Plan, dtype: str, seconds: float) -> TunedLayer:
    """Measure the candidates of one layer for about so long, and keep what was found."""
    untuned = plan.schedule
    if seconds <= 0:
        return TunedLayer(layer, untuned, untuned, skipped="no time was left for it")
    start = perf_counter()
    schedules = candidates(plan.problem, plan.target.cpu)
    try:
        picked = pick(schedules, KernelBench(layer, plan, dtype), seconds - (perf_counter() - start))
    except GngenError as e:
        return TunedLayer(layer, untuned, untuned, failure=str(e))
    if picked is None:
        return TunedLayer(layer, untuned, untuned, skipped="its share of the time was too short to compare two")
    row = TunedLayer(layer, untuned, picked.schedule, picked.untuned_seconds, picked.seconds, picked.measured)
    _keep(plan, row)
    return row


def _keep(plan: Plan, row: TunedLayer) -> None:
    date, of = strftime("%Y-%m-%d"), f"of {row.candidates} candidate{'' if row.candidates == 1 else 's'}"
    if row.tuned == row.untuned:
        reason = f"{row.untuned.reason}; tuned on {date}, the fastest {of}"
    else:
        times = f"{format_seconds(row.untuned_seconds)} -> {format_seconds(row.tuned_seconds)}"
        reason = f"tuned on {date}, {row.gain:.2f}x the untuned choice ({times}), {of}"
    tuned = replace(row.tuned, reason=reason)
    about = {
        "date": date,
        "backend": plan.target.backend,
        "batch": plan.problem.batch,
        "threads": threads.get_num_threads(),
        "gain": row.gain,
        "summary": summary(replace(plan, schedule=tuned)),
    }
    keep_tuned(plan.problem, plan.target, tuned, about)


class Bench(Protocol):
    """What compiles and times the schedules of one problem."""

    def prepare(self, schedule: Schedule) -> None:
        """Compile one; BuildError where that fails."""

    def measure(self, schedules: Sequence[Schedule], seconds: float) -> list[float]:
        """The seconds of one call of each, measured side by side for so long."""


@dataclass(frozen=True)
class Picked:
    """The schedule to use, its time and the untuned one's in the last run of the two, and how many were measured."""

    schedule: Schedule
    seconds: float
    untuned_seconds: float
    measured: int


def pick(schedules: Sequence[Schedule], bench: Bench, seconds: float) -> Picked | None:
    """The fastest of several schedules, of which the first is the untuned choice; None where the time did not suffice.

    As many as half of the time allows are compiled; then the slower half is dropped, again and again, and what remains
    must beat the untuned choice once more, in a run of the two alone.
    """
    untuned, end = schedules[0], perf_counter() + seconds
    ready = _compiled(schedules, bench, seconds)
    if len(ready) == 1 < len(schedules):
        return None
    left = ready
    while len(left) > 1:
        if perf_counter() >= end:
            return None
        # a share for each halving that is to come, and two for the last run
        times = bench.measure(left, (end - perf_counter()) / (math.ceil(math.log2(len(left))) + 2))
        ranked = sorted(range(len(left)), key=times.__getitem__)
        left = [left[i] for i in ranked[: len(left) // 2]]
    if perf_counter() >= end:
        return None
    if left[0] == untuned:
        (alone,) = bench.measure([untuned], end - perf_counter())
        return Picked(untuned, alone, alone, len(ready))
    before, after = bench.measure([untuned, left[0]], end - perf_counter())
    if before > WIN * after:
        return Picked(left[0], after, before, len(ready))
    return Picked(untuned, before, before, len(ready))


def _compiled(schedules: Sequence[Schedule], bench: Bench, seconds: float) -> list[Schedule]:
    """The untuned choice, and those after it that compile before their part of the time is up; one, if the whole time allows."""
    start = perf_counter()
    bench.prepare(schedules[0])
    ready = [schedules[0]]
    for schedule in schedules[1:]:
        if perf_counter() - start >= (seconds if len(ready) == 1 else _COMPILING * seconds):
            break
        with suppress(BuildError):
            bench.prepare(schedule)
            ready.append(schedule)
    return ready


class KernelBench:
    """The kernels of one layer, called on arrays that begin on a cache line and whose pages are there."""

    def __init__(self, layer: Layer, plan: Plan, dtype: str) -> None:
        x, gamma, beta = (None if a is None else _on_a_line(a) for a in make_data(layer, dtype))
        self._plan, self._arguments = plan, (x, gamma, beta, _on_a_line(np.zeros_like(x)))
        self._calls: dict[Schedule, Repeated] = {}

    def prepare(self, schedule: Schedule) -> None:
        kernel = Kernel(replace(self._plan, schedule=schedule))
        self._calls[schedule] = repeated(partial(kernel, *self._arguments))

    def measure(self, schedules: Sequence[Schedule], seconds: float) -> list[float]:
        return time_interleaved([self._calls[schedule] for schedule in schedules], seconds)


def _on_a_line(a: NDArray[Any]) -> NDArray[Any]:
    """A copy that begins on a cache line."""
    copy = aligned(a.nbytes).view(a.dtype).reshape(a.shape)
    copy[...] = a
    return copy
