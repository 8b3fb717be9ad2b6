"""The sides of a comparison on a GPU: a copy, PyTorch, and gngen's kernels on torch's memory; how they are timed and checked.

Nothing here names a GPU but `DEVICE`: the tests run the same on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, Protocol

import torch
from contract import Array
from peers import Data, as_torch, from_torch, spec_of
from suite import EPSILON, Case
from torch.nn import functional

from gngen.api import plan
from gngen.backends import load_backend
from gngen.errors import BuildError
from gngen.kernel import Plan
from gngen.loopnest import WIDTH

DEVICE = "cuda"
WARM_CALLS = 3
# Written before every call: x leaves the caches, and the calls are queued before the first of them begins.
CLEAR_BYTES = 512 << 20


class Event(Protocol):
    """A mark in a stream; milliseconds between two."""

    def record(self) -> None: ...

    def elapsed_time(self, end: Any) -> float: ...


@dataclass(frozen=True)
class Side:
    """call: does the work on the case's data. compute: the answer to any x, in memory order; None where there is none to judge."""

    call: Callable[[], object]
    compute: Callable[[Array], Array] | None = None


def copy_side(data: Data, device: str = DEVICE) -> Side:
    """The same bytes, read once and written once."""
    x = as_torch(data.x).to(device)
    y = torch.empty_like(x)
    return Side(lambda: y.copy_(x))


def torch_side(case: Case, data: Data, device: str = DEVICE) -> Side:
    """PyTorch's group norm, and the activation after it, channels at axis 1 as it wants them."""
    x, gamma, beta = (as_torch(a).to(device) for a in (data.x, data.gamma, data.beta))
    groups = case.shape[1] if case.groups == -1 else case.groups

    @torch.inference_mode()
    def normalise(given: Any) -> Any:
        y = functional.group_norm(given.movedim(case.axis, 1), groups, gamma, beta, EPSILON)
        return functional.silu(y) if case.op == "silu" else y

    return Side(lambda: normalise(x), lambda a: from_torch(normalise(as_torch(a).to(device)).movedim(1, case.axis).cpu()))


def gngen_side(target: str, case: Case, data: Data) -> Side:
    """A kernel of ours, built now. GngenError where there is none, or where it cannot be built here."""
    p = plan(spec_of(case), data.x.shape, data.x.dtype.name, target)
    backend = load_backend(p.target.backend)
    lacking = backend.unavailable()
    if lacking:
        raise BuildError(lacking)
    folder = Path(mkdtemp(dir=_builds().name))
    backend.build(p.source, folder)
    return built_side(p, folder, data)


@cache
def _builds() -> TemporaryDirectory[str]:
    """Where kernels are built, until the process ends: numba compiles one when it is first launched."""
    return TemporaryDirectory(prefix="gngen-")


def built_side(p: Plan, folder: Path, data: Data, device: str = DEVICE) -> Side:
    """A kernel that was built in a folder, launched as a framework would: on addresses of torch's memory, into an array that is there."""
    nest = p.nest
    entry = load_backend(p.target.backend).load(folder, {"entry": nest.name, "arrays": len(nest.buffers) + len(nest.workspace)})
    workspace = [-(-math.prod(b.shape[1:]) * WIDTH[b.kind] // 64) for b in nest.workspace]  # float64 elements, for one sample
    parameters = [as_torch(a).to(device) for a in (data.gamma, data.beta)]

    def bind(x: Any, y: Any) -> Callable[[], None]:
        batch = x.shape[0]
        scratch = [torch.empty(batch * count, dtype=torch.float64, device=device) for count in workspace]
        arrays = [x, *parameters, y, *scratch]  # they live as long as the call
        return lambda: entry.launch([a.data_ptr() for a in arrays], batch, 0)  # torch's default stream is the driver's, 0

    def compute(a: Array) -> Array:
        x = as_torch(a).to(device)
        y = torch.full_like(x, torch.nan)
        bind(x, y)()
        return from_torch(y.cpu())

    x = as_torch(data.x).to(device)
    return Side(bind(x, torch.empty_like(x)), compute)


def time_sides(
    calls: Sequence[Callable[[], object]],
    rounds: int,
    clear: Callable[[], object],
    mark: Callable[[], Event],
    finish: Callable[[], object],
) -> list[float]:
    """The median seconds of each call, the calls taking turns; `clear` comes before every one, and is not timed."""
    for call in calls:
        for _ in range(WARM_CALLS):
            call()
    marks: list[list[tuple[Event, Event]]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, found in zip(calls, marks, strict=True):
            clear()
            begin, end = mark(), mark()
            begin.record()
            call()
            end.record()
            found.append((begin, end))
    finish()
    return [median(begin.elapsed_time(end) for begin, end in found) * 1e-3 for found in marks]


def time_on_device(calls: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """As `time_sides`, with the device's own clock and caches."""
    filler = torch.empty(CLEAR_BYTES, dtype=torch.uint8, device=DEVICE)
    return time_sides(calls, rounds, filler.zero_, lambda: torch.cuda.Event(enable_timing=True), torch.cuda.synchronize)
