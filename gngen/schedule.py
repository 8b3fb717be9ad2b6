"""How a problem is computed on a target: a schedule by name, its numbers, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib import import_module
from types import ModuleType
from typing import Any

from gngen import backwardschedule
from gngen.backwardschedule import BACKWARD
from gngen.errors import SpecError
from gngen.gradientsums import by_columns
from gngen.problem import Problem
from gngen.schedulerules import (
    PREFETCH,
    SERIAL_BYTES,
    ahead,
    fills_threads,
    interleave,
    is_small,
    row_vectors,
    show_bytes,
    splits_groups,
    streams,
)
from gngen.summation import RowSlabs, RunBlocks, pairs, summation
from gngen.target import Machine

# Many groups of at most so many vectors have their statistics computed side by side; a worker keeps those of at most so many groups.
MICRO_VECTORS, MICRO_GROUPS = 8, 4096
# What one item of an elementwise phase should move at least, in elements.
PIECE = 65536

SCHEDULES = {
    "serial_small": "groups",
    "group_resident": "groups",
    "group_stream": "groups",
    "micro": "micro",
    "sample": "sample",
    "group_split": "split",
    "rows": "split",
}
STORES = ("auto", "temporal", "streaming")


@dataclass(frozen=True)
class Schedule:
    """An algorithm and its numbers.

    lanes: elements of a vector. accumulators: vectors summed side by side in a run. strip, rows: rows that the moments and the elementwise
    pass take at once, of a pass by rows. tile: vectors of a row that stay in registers from row to row, where that is all of them and no
    activation needs the registers. prefetch: elements ahead of the moments of a pass by rows that are asked for from memory, 0 for none.
    ahead: the same of the elementwise pass; line: elements of a line of the caches, each of which a run asks for once. interleave: vectors
    of which an activation (or its derivative) is computed side by side, an operation of each in turn. piece: elements of one item of an
    elementwise phase. store: temporal, or streaming past the caches. parallel_from: the batch from which threads are used, 0 for never.
    by_sample: whether all workers do one sample at a time. reason: why this one was chosen.
    """

    name: str
    lanes: int
    accumulators: int = 4
    strip: int = 8
    rows: int = 1
    tile: int = 8
    prefetch: int = 0
    ahead: int = 0
    line: int = 16
    interleave: int = 1
    piece: int = PIECE
    store: str = "temporal"
    parallel_from: int = 1
    by_sample: bool = False
    reason: str = ""


def schedule_module(p: Problem, name: str) -> ModuleType:
    """The module that lowers a problem under the schedule called `name`."""
    if p.stage:
        return import_module("gngen.schedules.stages")
    return import_module(f"gngen.schedules.{(BACKWARD if p.direction == 'backward' else SCHEDULES)[name]}")


def choose_schedule(p: Problem, m: Machine, asked: Schedule | str | Mapping[str, Any] | None = None) -> Schedule:
    """The schedule for a problem on a machine, or the one asked for, with the numbers that were left open filled in.

    Args:
        asked: None to choose; a name; a mapping of fields, ``name`` among them or not; or a whole Schedule.

    Raises:
        SpecError: a schedule that does not exist or does not fit the problem.
    """
    if isinstance(asked, Schedule):
        return _check(p, m, asked)
    wishes = {"name": asked} if isinstance(asked, str) else dict(asked or {})
    legal = [f.name for f in fields(Schedule) if f.name != "reason"]
    for key in wishes:
        if key not in legal:
            raise SpecError(f"a schedule has no field {key!r}; choose from {', '.join(legal)}")
    backward = p.direction == "backward"
    name, reason = (_choose_stage if p.stage else backwardschedule.choose_name if backward else _choose_name)(p, m)
    if "name" in wishes and wishes["name"] != name:
        name, reason = _known(wishes["name"]), "asked for"
    chosen = Schedule(
        name=name,
        lanes=m.vector_bits // p.bits,
        accumulators=4,
        line=max(1, m.line // p.item_bytes),
        piece=p.sample if name == "sample" and applies_by_rows(p) else _piece(p, m),
        parallel_from=_parallel_from(p, name),
        by_sample=not p.stage and name in ("rows", "group_split") and p.sample_bytes <= m.l3 // 2 < p.sample_bytes * (p.batch or 2),
        reason=reason,
        **(backwardschedule.choose_numbers if backward else _choose_numbers)(p, m, name),
    )
    if wishes.get("store") == "auto":
        del wishes["store"]
    return _check(p, m, replace(chosen, **wishes))


def _known(name: Any) -> str:
    if name not in SCHEDULES:
        raise SpecError(f"no schedule {name!r}; choose from {', '.join(SCHEDULES)}")
    return str(name)


def _check(p: Problem, m: Machine, s: Schedule) -> Schedule:
    _known(s.name)
    if s.store not in STORES[1:]:
        raise SpecError(f"store {s.store!r} is not known; choose from {', '.join(STORES)}")
    for key in ("lanes", "accumulators", "strip", "rows", "tile", "line", "interleave", "piece"):
        if not isinstance(getattr(s, key), int) or getattr(s, key) < 1:
            raise SpecError(f"{key} of a schedule is an integer, at least 1; received {getattr(s, key)!r}")
    for key in ("prefetch", "ahead"):
        if not isinstance(getattr(s, key), int) or getattr(s, key) < 0:
            raise SpecError(f"{key} of a schedule is an integer, at least 0; received {getattr(s, key)!r}")
    if s.lanes & (s.lanes - 1):
        raise SpecError(f"lanes of a schedule are a power of two; received {s.lanes}")
    if s.store == "streaming" and not streams(p, m, s.lanes):
        have = f"whole vectors of 128 to {m.vector_bits} bits" if m.streaming_stores else "no streaming stores: choose temporal"
        raise SpecError(f"store streaming does not fit: {m.name} has {have}")
    why_not = misfit(p, s.name, s.lanes)
    if why_not:
        fits = [n for n in SCHEDULES if not misfit(p, n, s.lanes)]
        raise SpecError(f"schedule {s.name} does not fit: {why_not}; choose from {', '.join(fits)}")
    return s


def misfit(p: Problem, name: str, lanes: int) -> str:
    """Why a schedule cannot compute a problem, or ""."""
    if p.stage and name not in ("rows", "group_split"):
        return "all workers share a stage"
    if p.direction == "backward":
        return backwardschedule.misfit(p, name, lanes)
    by_rows = isinstance(summation(p, lanes), RowSlabs)
    if SCHEDULES[name] == "groups" and by_rows:
        return f"a group is {p.outer} runs of only {p.chans * p.inner} elements"
    if name == "micro":
        return _too_much_for_micro(p, lanes)
    if name == "group_split" and by_rows:
        return "the groups of a row are summed together"
    if name == "rows" and not by_rows:
        return "a group lies in long runs"
    return ""


def _too_much_for_micro(p: Problem, lanes: int) -> str:
    """Why a problem is none of many tiny groups, or ""."""
    blocks = summation(p, lanes)
    if isinstance(blocks, RowSlabs):
        return "the groups of a row are summed together"
    if p.masked:
        return "a mask gives each group a count of its own"
    if p.groups > MICRO_GROUPS or blocks.blocks > 1:
        return f"it is for groups of one block of {blocks.block} elements, and at most {MICRO_GROUPS} of them"
    return ""


def applies_by_rows(p: Problem) -> bool:
    """Whether the elementwise phase walks whole rows with a table a column, instead of one channel's run at a time."""
    return p.outer > 1 and p.inner < 64


def _choose_name(p: Problem, m: Machine) -> tuple[str, str]:
    lanes = m.vector_bits // p.bits
    batch, moved_bytes = p.batch or 1, _moved(p)
    small = is_small(p, moved_bytes)
    moved = f"{show_bytes(moved_bytes)} moved"
    if isinstance(summation(p, lanes), RunBlocks) and not applies_by_rows(p):
        tiny = not misfit(p, "micro", lanes) and p.group <= MICRO_VECTORS * lanes and p.groups * p.bits >= m.vector_bits
        if tiny and (small or batch >= 2 * m.cores):
            return "micro", f"groups of only {p.group} elements: the statistics of several are computed at a time"
        if small:
            return "serial_small", f"{moved}: one thread is fastest"
        size = p.group * p.item_bytes
        if splits_groups(p, m, size):
            return "group_split", f"{batch * p.groups} groups are too few for {m.cores} threads: each is split"
        if size <= m.l2:
            return "group_resident", f"a group of {show_bytes(size)} stays in the L2 cache of {show_bytes(m.l2)}"
        return "group_stream", f"a group of {show_bytes(size)} passes the L2 cache of {show_bytes(m.l2)}, and there are enough of them"
    if small:
        return "sample", f"{moved}: one thread is fastest"
    if p.batch is not None and m.cores * p.sample_bytes <= m.l3 // 2 and fills_threads(p, m):
        return (
            "sample",
            f"{m.cores} samples of {show_bytes(p.sample_bytes)} stay in the caches, and {batch} are enough for {m.cores} threads",
        )
    name = "rows" if isinstance(summation(p, lanes), RowSlabs) else "group_split"
    return name, f"a sample of {show_bytes(p.sample_bytes)} is split over {m.cores} threads"


def _choose_stage(p: Problem, m: Machine) -> tuple[str, str]:
    lanes = m.vector_bits // p.bits
    by_rows = by_columns(p, lanes) if p.direction == "backward" else isinstance(summation(p, lanes), RowSlabs)
    return "rows" if by_rows else "group_split", f"all workers share the {p.stage} stage"


def _choose_numbers(p: Problem, m: Machine, name: str) -> dict[str, Any]:
    """Those of a forward schedule's numbers that depend on what is read and written.

    Four rows at once read the tables once, a row at a time walks memory in strict address order: the first pays while x and y stay well
    within the last cache, or where the tables do not stay in the first. Stores stream where x and y do not stay in the last.
    """
    lanes, moved = m.vector_bits // p.bits, _moved(p)
    tables = 3 * p.channels * p.inner * p.bits // 8
    read = p.item_bytes * (2 if p.residual else 1)
    return {
        "strip": 8,
        "rows": 4 if 3 * moved <= m.l3 or 4 * tables > 3 * m.l1 else 1,
        "tile": row_vectors(p, lanes, lanes * pairs(p, lanes), m.vector_registers // 4),
        "interleave": interleave(p),
        "prefetch": PREFETCH if 2 * moved > m.l3 else 0,
        "ahead": ahead(p, m, moved, read, {"groups": p.group, "sample": p.sample}.get(SCHEDULES[name], 0)),
        "store": "streaming" if streams(p, m, lanes) and 4 * moved > 3 * m.l3 else "temporal",
    }


def _moved(p: Problem) -> int:
    """Bytes of x and y; of a batch that varies, one sample's."""
    return 2 * p.sample_bytes * (p.batch or 1)


def _piece(p: Problem, m: Machine) -> int:
    """Elements of an item of an elementwise phase: whole rows, and as much for every thread."""
    row = p.channels * p.inner
    rows = max(1, p.sample // row)
    items = m.cores * max(1, round(p.sample / (PIECE * m.cores)))
    return row * -(-rows // items) if applies_by_rows(p) and p.outer > items else PIECE


def _parallel_from(p: Problem, name: str) -> int:
    """The batch from which threads pay; a known batch decides it outright."""
    if name == "serial_small":
        return 0
    least = -(-SERIAL_BYTES // (2 * max(1, p.sample_bytes)))
    if p.batch is None:
        return least
    return 1 if p.batch >= least else 0
