"""What a schedule costs on a GPU, without one: the bytes that it moves, the blocks that run at once, the time at the memory's bandwidth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gngen.cudatools import Report
from gngen.gpuschedule import GpuSchedule, warps_at_once
from gngen.loopnest import WARP, Const, Expr, Launch, LoopNest, shared_bytes
from gngen.problem import Problem
from gngen.target import Gpu

# Bytes of shared memory that the hardware hands out to a block at a time, and what it keeps of every block's.
_SHARED, _SYSTEM_SHARED = 128, 1024


@dataclass(frozen=True)
class Traffic:
    """Bytes between a GPU and its memory: tensors of x's size, which are all but a few, each counted as often as it is read or written."""

    read: int
    written: int

    @property
    def total(self) -> int:
        return self.read + self.written


def traffic(p: Problem, s: GpuSchedule, batch: int) -> Traffic:
    """What a schedule reads and writes.

    Held on chip, x and the residual are read once. Otherwise what is normalised is read again: their sum, where that is an output.
    """
    tensor = batch * p.sample_bytes
    inputs, kept = 2 if p.residual else 1, "sum" in p.outputs
    again = 0 if s.held != "nowhere" else 1 if kept else inputs
    return Traffic((inputs + again) * tensor, (2 if kept else 1) * tensor)


def seconds(t: Traffic, m: Gpu) -> float:
    """The time that a memory of this bandwidth takes to move so much: the least that a kernel can take."""
    return t.total / (m.bandwidth * 1e9)


def blocks_of(launch: Launch, batch: int) -> int:
    """Blocks of a grid."""
    count = 1
    for extent in launch.extents:
        count *= _value(extent, batch)
    return count


def _value(extent: Expr, batch: int) -> int:
    return int(extent.value) if isinstance(extent, Const) else batch


def blocks_at_once(m: Gpu, threads: int, registers: int, shared: int) -> int:
    """Blocks that one multiprocessor has room for.

    Args:
        threads: of a block. registers: of a thread. shared: bytes of a block.
    """
    by_registers = warps_at_once(m, registers) // (threads // WARP)
    by_shared = m.shared_sm // _up(shared + _SYSTEM_SHARED, _SHARED)
    return min(by_registers, by_shared, m.threads_sm // threads, m.blocks_sm)


def _up(n: int, unit: int) -> int:
    return -(-n // unit) * unit


def describe(p: Problem, s: GpuSchedule, m: Gpu, nest: LoopNest, reports: Mapping[str, Report] | str) -> list[str]:
    """Lines of `explain`: bytes, blocks, what ptxas said of each kernel (or why it said nothing), and the predicted time."""
    batch = p.batch or 1
    t = traffic(p, s, batch)
    of = "" if p.batch is not None else ", of a batch of 1"
    lines = [f"moves     {_megabytes(t.read)} read, {_megabytes(t.written)} written{of}"]
    launches = [launch for launch in nest.body if isinstance(launch, Launch)]
    said: Sequence[Report | None] = [None] * len(launches) if isinstance(reports, str) else list(reports.values())
    for launch, report in zip(launches, said, strict=True):
        lines.append(f"launch    {_launch(launch, m, batch)}{'' if report is None else f'; {_fits(launch, m, report)}'}")
    if isinstance(reports, str):
        lines.append(f"ptxas     {reports}")
    lines.append(f"time      {seconds(t, m) * 1e6:.1f} us at {m.bandwidth} GB/s")
    return lines


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.3g} MB"


def _launch(launch: Launch, m: Gpu, batch: int) -> str:
    how = f" in clusters of {launch.cluster}" if launch.cluster > 1 else ", cooperative" if launch.cooperative else ""
    return f"{blocks_of(launch, batch)} blocks of {launch.threads} threads{how}, {m.sms} SMs"


def _fits(launch: Launch, m: Gpu, r: Report) -> str:
    shared = max(shared_bytes(launch), r.shared)
    at_once = blocks_at_once(m, launch.threads, r.registers, shared)
    busy = at_once * launch.threads / m.threads_sm
    spills = f", {r.spills} bytes spilled" if r.spills else ""
    return f"{r.registers} registers{spills}, {shared} bytes shared: {at_once} a SM, {busy:.0%} of its threads"
