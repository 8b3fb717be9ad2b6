"""A list of layers on several targets: compile time, error, time, share of the copy limit, code size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import gngen
from gngen import api
from gngen.arrays import dtype_of
from gngen.compare.accuracy import Oracle, error_limit, evaluate
from gngen.compare.code import Code, Texts, examine, texts_of, why_foreign
from gngen.compare.timing import copies, repeated, time_interleaved
from gngen.errors import GngenError, TargetError
from gngen.models import Layer, LayerList
from gngen.problem import Problem, check_dtype, specialize

DEFAULT_TARGETS = ("c", "numba-cpu")
# Told of each layer by its number in the list from 1, each target, and its texts.
Keep = Callable[[int, Layer, str, Texts], None]


@dataclass(frozen=True)
class Measurement:
    """One layer on one target.

    target: as asked for. machine: the target that it became, as ``c:host``. schedule: the schedule's name. origin: memory, disk
    or built. compile_seconds: from asking for the kernel to having it. seconds: one call, the median; None when it failed.
    error: in the units of the numerics contract. code_bytes: of what was built, None where unknown. failure: why there is no kernel.
    foreign: why it cannot run here and is not timed, though there is its code. code: what its assembly holds, where that was asked for
    and there is no reason in no_code against it.
    """

    target: str
    machine: str = ""
    schedule: str = ""
    origin: str = ""
    compile_seconds: float | None = None
    seconds: float | None = None
    error: float | None = None
    within_contract: bool = False
    code_bytes: int | None = None
    failure: str = ""
    foreign: str = ""
    code: Code | None = None
    no_code: str = ""

    @property
    def good(self) -> bool:
        """Whether there is what was asked for: an answer within the contract, or the code of a target that does not run here."""
        return not self.failure and (self.within_contract or bool(self.foreign))


@dataclass(frozen=True)
class LayerResult:
    """One layer on every target. copy_seconds: what a copy of the same bytes takes in the same run; None where no target runs here."""

    layer: Layer
    bytes: int
    copy_seconds: float | None
    measurements: tuple[Measurement, ...]

    def copy_fraction(self, measurement: Measurement) -> float | None:
        """The share of the copy limit that a target reaches; 1 is as fast as a copy."""
        return self.copy_seconds / measurement.seconds if measurement.seconds and self.copy_seconds else None


@dataclass(frozen=True)
class Total:
    """One target over the whole network.

    seconds: the sum of count times time, None when a layer failed. copy_fraction: the geometric mean over the layers.
    error: the worst. compile_seconds: the sum over the distinct kernels. outside: layers that failed or broke the contract.
    """

    target: str
    seconds: float | None
    copy_fraction: float | None
    error: float | None
    compile_seconds: float
    code_bytes: int | None
    outside: int


@dataclass(frozen=True)
class Comparison:
    """What :func:`measure` found: a row for each layer, with a measurement for each target, in the order asked for."""

    model: LayerList
    targets: tuple[str, ...]
    threads: int
    rows: tuple[LayerResult, ...]

    @property
    def error_limit(self) -> float:
        """The largest error within the contract."""
        return error_limit(self.model.dtype)

    @property
    def copy_seconds(self) -> float | None:
        """The sum of count times the copy; None where no target runs here."""
        times = [row.layer.count * row.copy_seconds for row in self.rows if row.copy_seconds is not None]
        return sum(times) if len(times) == len(self.rows) else None

    @property
    def timed(self) -> tuple[str, ...]:
        """The targets that run here."""
        columns = zip(self.targets, zip(*(row.measurements for row in self.rows), strict=True), strict=True)
        return tuple(target for target, column in columns if not any(m.foreign for m in column))

    def totals(self) -> tuple[Total, ...]:
        """A total for each target, in order."""
        return tuple(self._total(index) for index in range(len(self.targets)))

    def _total(self, index: int) -> Total:
        column = [(row, row.measurements[index]) for row in self.rows]
        times = [row.layer.count * m.seconds for row, m in column if m.seconds is not None]
        shares = [share for row, m in column if (share := row.copy_fraction(m))]
        kernels = {id(m): m for _, m in column}.values()  # layers of one problem share their measurement
        sizes = [m.code_bytes for m in kernels]
        return Total(
            target=self.targets[index],
            seconds=sum(times) if len(times) == len(column) else None,
            copy_fraction=math.exp(sum(map(math.log, shares)) / len(shares)) if shares else None,
            error=max((m.error for _, m in column if m.error is not None), default=None),
            compile_seconds=sum(m.compile_seconds or 0.0 for m in kernels),
            code_bytes=None if None in sizes else sum(size or 0 for size in sizes),
            outside=sum(not m.good for _, m in column),
        )


def default_targets() -> tuple[str, ...]:
    """Which of the C compiler's and numba's targets can run here.

    Raises:
        TargetError: neither can, and why.
    """
    here = {s.backend: s for s in gngen.targets() if s.machine == "host"}
    found = tuple(name for name in DEFAULT_TARGETS if name in here and here[name].available)
    if not found:
        reasons = "; ".join(f"{name}: {here[name].reason if name in here else 'unknown'}" for name in DEFAULT_TARGETS)
        raise TargetError(f"no target to compare is available here; {reasons}")
    return found


def steps(model: LayerList, targets: Sequence[str]) -> int:
    """How often :func:`measure` reports progress."""
    timing = 2 if any(not _why_foreign(target) for target in targets) else 0
    return len({_problem(layer, model.dtype) for layer in model.layers}) * (len(targets) + timing)


def measure(
    model: LayerList,
    targets: Sequence[str],
    seconds: float = 0.5,
    progress: Callable[[str], None] = lambda step: None,
    code: bool = False,
    keep: Keep | None = None,
) -> Comparison:
    """Compile every layer of `model` on every target; check and time what runs here, and examine the code of what does not.

    Layers that are the same problem are measured once. The input is N(0, 1) from a fixed seed; the output is given, so that
    no page is faulted in while the clock runs.

    Args:
        seconds: how long to time one layer, for all targets together.
        progress: told of each step as it begins.
        code: examine the code of every target.
        keep: given the nest, the source and the assembly of every layer on every target that has them.

    Raises:
        SpecError: a dtype that no kernel takes. A target that fails on a layer is reported in its measurement.
    """
    error_limit(model.dtype)
    found: dict[Problem, tuple[LayerResult, list[Texts | None]]] = {}
    rows = []
    for number, layer in enumerate(model.layers, 1):
        problem = _problem(layer, model.dtype)
        if problem not in found:
            found[problem] = _measure_layer(layer, model.dtype, targets, seconds, progress, code, keep is not None)
        result, texts = found[problem]
        rows.append(replace(result, layer=layer))
        for target, text in zip(targets, texts, strict=True):
            if keep is not None and text is not None:
                keep(number, layer, target, text)
    return Comparison(model, tuple(targets), gngen.get_num_threads(), tuple(rows))


def _problem(layer: Layer, dtype: str) -> Problem:
    return specialize(layer.spec, layer.shape, dtype)[0]


def _why_foreign(target: str) -> str:
    """Why a target cannot run on this machine, or ""; of one that does not exist, compiling says so."""
    try:
        return why_foreign(target)
    except TargetError:
        return ""


def _measure_layer(
    layer: Layer, dtype: str, targets: Sequence[str], seconds: float, progress: Callable[[str], None], code: bool, texts: bool
) -> tuple[LayerResult, list[Texts | None]]:
    """One layer, and where they are to be kept, the texts of every target."""
    here = [target for target in targets if not _why_foreign(target)]
    timed, copy_seconds = _time_layer(layer, dtype, here, seconds, progress) if here else ([], None)
    running = iter(timed)
    measured, kept = [], []
    for target in targets:
        foreign = _why_foreign(target)
        if foreign:
            progress(f"{layer.name}: {target}")
        m, text = next(running) if not foreign else Measurement(target, foreign=foreign), None
        if not m.failure and (foreign or code or texts):
            m, text = _examine(m, layer, dtype)
        measured.append(m)
        kept.append(text)
    size = 2 * layer.elements * dtype_of(check_dtype(dtype)).itemsize
    return LayerResult(layer, size, copy_seconds, tuple(measured)), kept


def _examine(m: Measurement, layer: Layer, dtype: str) -> tuple[Measurement, Texts | None]:
    """A measurement with its code, or why there is none: of a foreign target a failure, since nothing else is known of it."""
    texts = None
    try:
        plan = api.plan(layer.spec, layer.shape, dtype, m.target)
        m = replace(m, machine=str(plan.target), schedule=plan.schedule.name)
        texts = texts_of(plan)
        return replace(m, code=examine(plan.target, texts)), texts
    except GngenError as e:
        why = str(e)
    except Exception as e:
        why = f"unexpected {type(e).__name__}: {e}"
    return (replace(m, failure=why) if m.foreign else replace(m, no_code=why)), texts


def _time_layer(
    layer: Layer, dtype: str, targets: Sequence[str], seconds: float, progress: Callable[[str], None]
) -> tuple[list[Measurement], float]:
    """A measurement for each target, and the seconds of a copy."""
    x, gamma, beta = make_data(layer, dtype)
    out = np.empty_like(x)
    progress(f"{layer.name}: oracle")
    oracle = evaluate(x, gamma, beta, layer.spec)
    measured, calls = [], []
    for target in targets:
        progress(f"{layer.name}: {target}")
        try:
            kernel = gngen.compile(layer.spec, shape=layer.shape, dtype=dtype, target=target)
            measured.append(_check(kernel, target, oracle, x, gamma, beta, out))
            calls.append(repeated(partial(kernel, x, gamma, beta, out=out)))
        except GngenError as e:
            measured.append(Measurement(target, failure=str(e)))
        except Exception as e:  # one kernel's bug is a row; the others are still worth measuring
            measured.append(Measurement(target, failure=f"unexpected {type(e).__name__}: {e}"))
    del oracle
    progress(f"{layer.name}: timing")
    with copies(x, out, gngen.get_num_threads()) as ways:
        times = time_interleaved([*ways, *calls], seconds)
    taken = iter(times[len(ways) :])
    return [m if m.failure else replace(m, seconds=next(taken)) for m in measured], min(times[: len(ways)])


def _check(kernel: Any, target: str, oracle: Oracle, x: NDArray[Any], gamma: Any, beta: Any, out: NDArray[Any]) -> Measurement:
    out.fill(np.nan)  # an element that the kernel leaves out shows
    kernel(x, gamma, beta, out=out)
    error = oracle.error(out)
    return Measurement(
        target=target,
        machine=str(kernel.target),
        schedule=kernel.schedule.name,
        origin=kernel.origin,
        compile_seconds=kernel.build_seconds,
        error=error,
        within_contract=error <= error_limit(x.dtype.name),
        code_bytes=kernel.code_size(),
    )


def make_data(layer: Layer, dtype: str) -> tuple[NDArray[Any], NDArray[Any] | None, NDArray[Any] | None]:
    """Input, gamma and beta of a layer, in C order."""
    rng = np.random.default_rng(20180322)
    kind = dtype_of(check_dtype(dtype))
    drawn: Any = np.float64 if dtype == "float64" else np.float32
    x: NDArray[Any] = rng.standard_normal(layer.shape, dtype=drawn).astype(kind, copy=False)
    features = tuple(layer.shape[a] for a in layer.axes)
    gamma = rng.normal(1, 0.25, features).astype(kind) if layer.scale else None
    beta = rng.normal(0, 0.25, features).astype(kind) if layer.center else None
    return x, gamma, beta
