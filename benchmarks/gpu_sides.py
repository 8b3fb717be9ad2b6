"""The sides of a comparison on a GPU: a copy, PyTorch, and gngen's kernels on torch's memory; how they are timed and checked.

Nothing here names a GPU but `DEVICE`: the tests run the same on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

import torch
from contract import Array
from peers import Data, as_torch, from_torch, spec_of
from suite import EPSILON, Case
from torch.nn import functional

import gngen

DEVICE = "cuda"
WARM_CALLS = 3
# Written before every call: x leaves the caches, and the calls are queued before the first of them begins.
CLEAR_BYTES = 512 << 20


class Launches(Protocol):
    """A loaded kernel of a GPU backend."""

    def launch(self, arrays: Sequence[int], batch: int, stream: int) -> None: ...


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
    """A kernel of ours, launched as a framework would: on addresses, into an array that is there. GngenError where there is none."""
    kernel = gngen.compile(spec_of(case), data.x.shape, data.x.dtype.name, target)
    return entry_side(kernel.launcher.entry, kernel.launcher.workspace, data)


def entry_side(entry: Any, workspace: Sequence[int], data: Data, device: str = DEVICE) -> Side:
    """A loaded kernel on torch's memory.

    Args:
        workspace: float64 elements of each scratch array for one sample.
    """
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
