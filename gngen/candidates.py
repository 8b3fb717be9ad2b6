"""The schedules worth measuring for a problem: the untuned choice, and those a change or two away from it.

Only what leaves every bit of the answer as it is may change: who computes which part, in pieces of what size, how it is
stored. Lanes and accumulators decide what is summed with what, and stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any

from gngen.errors import SpecError
from gngen.lowering import lower_problem
from gngen.problem import Problem
from gngen.schedule import SCHEDULES, STORES, Schedule, choose_schedule, misfit
from gngen.schedulerules import PREFETCH, SERIAL_BYTES
from gngen.summation import pairs, row_fold
from gngen.target import Machine

MOST = 12
"""Candidates of one problem, the untuned choice among them."""
# Of all combinations, those that stray further from the untuned choice are not tried.
_COST_MOST = 4


@dataclass(frozen=True)
class Variation:
    """A field of a schedule that may be varied.

    cost: how much less promising its first other value is than the untuned one; each further value costs 1 more.
    others: its other values for a problem on a machine, given the untuned schedule; the most promising first.
    """

    field: str
    cost: int
    others: Callable[[Problem, Machine, Schedule], Sequence[Any]]


def candidates(p: Problem, m: Machine) -> list[Schedule]:
    """The schedules to measure, the most promising first and the untuned choice before all; no two make the same kernel."""
    untuned = choose_schedule(p, m)
    found, nests = [untuned], [lower_problem(p, untuned)]
    for wishes in _wishes(p, m, untuned):
        try:
            schedule = choose_schedule(p, m, wishes)
        except SpecError:  # two changes that do not go together
            continue
        nest = lower_problem(p, schedule)
        if nest not in nests:
            found.append(schedule)
            nests.append(nest)
        if len(found) == MOST:
            break
    return found


def _wishes(p: Problem, m: Machine, untuned: Schedule) -> Iterator[dict[str, Any]]:
    """Changes to the untuned choice, as `choose_schedule` takes them; the smallest first."""
    known = {f.name for f in fields(Schedule)}
    choices = []
    for variation in reversed(VARIATIONS):  # of combinations that cost the same, those of the first variations come first
        if variation.field in known:
            values = variation.others(p, m, untuned)
            choices.append([(0, {}), *((variation.cost + i, {variation.field: value}) for i, value in enumerate(values))])
    combined = ((sum(cost for cost, _ in chosen), [change for _, change in chosen]) for chosen in product(*choices))
    for cost, changes in sorted(combined, key=lambda c: c[0]):
        if 0 < cost <= _COST_MOST:
            yield {field: value for change in changes for field, value in change.items()}


def _names(p: Problem, m: Machine, s: Schedule) -> Sequence[str]:
    """One name for each other structure; several names share one, and differ in when they are chosen."""
    by_module = {module: name for name, module in SCHEDULES.items() if not misfit(p, name, s.lanes)}
    return [name for module, name in by_module.items() if module != SCHEDULES[s.name]]


def _stores(p: Problem, m: Machine, s: Schedule) -> Sequence[str]:
    """Past the caches or not; what stays in the nearest cache is never worth writing past it."""
    small = 2 * p.sample_bytes * (p.batch or 1) <= m.l2
    return [store for store in STORES if store not in ("auto", s.store) and not (store == "streaming" and small)]


def _by_sample(p: Problem, m: Machine, s: Schedule) -> Sequence[bool]:
    return [] if p.batch == 1 else [not s.by_sample]


def _parallel_from(p: Problem, m: Machine, s: Schedule) -> Sequence[int]:
    """One thread or all, where that is a near thing; a threshold for any batch cannot be measured at one."""
    moved = 2 * p.sample_bytes * (p.batch or 1)
    if p.batch is None or not SERIAL_BYTES / 8 <= moved <= SERIAL_BYTES * 8:
        return []
    return [0 if s.parallel_from else 1]


def _strips(p: Problem, m: Machine, s: Schedule) -> Sequence[int]:
    return [strip for strip in (s.strip // 2, s.strip * 2) if strip]


def _rows(p: Problem, m: Machine, s: Schedule) -> Sequence[int]:
    return [1 if s.rows > 1 else 4]


def _tiles(p: Problem, m: Machine, s: Schedule) -> Sequence[int]:
    """A row in registers or not, where it would leave half of them."""
    row = p.channels * p.inner
    vectors = row * row_fold(row, s.lanes * pairs(p, s.lanes), p.outer) // s.lanes
    return [tile for tile in (1, vectors) if tile != s.tile and 1 <= tile <= m.vector_registers // 2]


def _prefetches(p: Problem, m: Machine, s: Schedule) -> Sequence[int]:
    return [0 if s.prefetch else PREFETCH]


def _aheads(p: Problem, m: Machine, s: Schedule) -> Sequence[int]:
    return [ahead for ahead in (0, PREFETCH) if ahead != s.ahead]


def _interleaves(p: Problem, m: Machine, s: Schedule) -> Sequence[int]:
    """More at a time, or fewer registers, where there is an activation."""
    return [] if s.interleave == 1 else [s.interleave // 2, s.interleave * 2]


def _pieces(p: Problem, m: Machine, s: Schedule) -> Sequence[int]:
    return [piece for piece in (s.piece // 2, s.piece * 2) if piece]


VARIATIONS = (
    Variation("name", 1, _names),
    Variation("store", 1, _stores),
    Variation("by_sample", 1, _by_sample),
    Variation("parallel_from", 1, _parallel_from),
    Variation("strip", 2, _strips),
    Variation("rows", 2, _rows),
    Variation("tile", 2, _tiles),
    Variation("prefetch", 2, _prefetches),
    Variation("ahead", 2, _aheads),
    Variation("interleave", 2, _interleaves),
    Variation("piece", 2, _pieces),
)
