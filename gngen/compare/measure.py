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
from gngen.arrays import dtype_of
from gngen.compare.accuracy import Oracle, error_limit, evaluate
from gngen.compare.timing import copies, repeated, time_interleaved
from gngen.errors import GngenError, TargetError
from gngen.models import Layer, LayerList
from gngen.problem import Problem, check_dtype, specialize

DEFAULT_TARGETS = ("c", "numba-cpu")


@dataclass(frozen=True)
class Measurement:
    """One layer on one target.

    target: as asked for. machine: the target that it became, as ``c:host``. schedule: the schedule's name. origin: memory, disk
    or built. compile_seconds: from asking for the kernel to having it. seconds: one call, the median; None when it failed.
    error: in the units of the numerics contract. code_bytes: of machine code, None where unknown. failure: why there is no kernel.
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


@dataclass(frozen=True)
class LayerResult:
    """One layer on every target. copy_seconds: what a copy of the same bytes takes in the same run."""

    layer: Layer
    bytes: int
    copy_seconds: float
    measurements: tuple[Measurement, ...]

    def copy_fraction(self, measurement: Measurement) -> float | None:
        """The share of the copy limit that a target reaches; 1 is as fast as a copy."""
        return self.copy_seconds / measurement.seconds if measurement.seconds else None


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
    def copy_seconds(self) -> float:
        """The sum of count times the copy."""
        return sum(row.layer.count * row.copy_seconds for row in self.rows)

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
            outside=sum(not m.within_contract for _, m in column),
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
    return len({_problem(layer, model.dtype) for layer in model.layers}) * (len(targets) + 2)


def measure(
    model: LayerList, targets: Sequence[str], seconds: float = 0.5, progress: Callable[[str], None] = lambda step: None
) -> Comparison:
    """Compile, check and time every layer of `model` on every target.

    Layers that are the same problem are measured once. The input is N(0, 1) from a fixed seed; the output is given, so that
    no page is faulted in while the clock runs.

    Args:
        seconds: how long to time one layer, for all targets together.
        progress: told of each step as it begins.

    Raises:
        SpecError: a dtype that no kernel takes. A target that fails on a layer is reported in its measurement.
    """
    error_limit(model.dtype)
    found: dict[Problem, LayerResult] = {}
    rows = []
    for layer in model.layers:
        problem = _problem(layer, model.dtype)
        if problem not in found:
            found[problem] = _measure_layer(layer, model.dtype, targets, seconds, progress)
        rows.append(replace(found[problem], layer=layer))
    return Comparison(model, tuple(targets), gngen.get_num_threads(), tuple(rows))


def _problem(layer: Layer, dtype: str) -> Problem:
    return specialize(layer.spec, layer.shape, dtype)[0]


def _measure_layer(layer: Layer, dtype: str, targets: Sequence[str], seconds: float, progress: Callable[[str], None]) -> LayerResult:
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
    timed = tuple(m if m.failure else replace(m, seconds=next(taken)) for m in measured)
    return LayerResult(layer, 2 * x.nbytes, min(times[: len(ways)]), timed)


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
