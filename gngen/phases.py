"""A pass: a nest as phases of items, for whoever shares the items among workers of their own.

``parallel n in 0 .. batch, g in 0 .. 8: body``  ->  a phase of ``batch * 8`` items, whose body is
``for item in item_first .. item_last: let g = item % 8; let n = item / 8; body``

All items of a phase are done before the next begins; within one they may run in any order and at once. Where a nest takes a sample at
a time, the phases that it does so with are gone through once for each sample. A nest without parallel loops is one phase of one item.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from gngen import loopnest as ir
from gngen.loopnest import I64, Const, Loop, LoopNest, Parallel, Stmt, Var

# The variables of a phase's body that its caller gives: the items to do.
FIRST, LAST = Var("item_first", I64), Var("item_last", I64)


@dataclass(frozen=True)
class Phase:
    """count: how many items it has, or, where by_batch, how many a sample; body: does those from FIRST up to LAST; each_sample: whether
    it does one sample's."""

    count: int
    by_batch: bool
    body: tuple[Stmt, ...]
    each_sample: bool = False


@dataclass(frozen=True)
class Phases:
    """The phases of a nest, in order; `sample`: the variable of the sample that those with `each_sample` are for, or None without such."""

    sample: Var | None
    phases: tuple[Phase, ...]

    @property
    def rounds(self) -> tuple[tuple[bool, tuple[int, ...]], ...]:
        """The numbers of the phases that are gone through together, and whether they are so for each sample."""
        numbered = groupby(range(len(self.phases)), key=lambda k: self.phases[k].each_sample)
        return tuple((each, tuple(numbers)) for each, numbers in numbered)


def split_phases(nest: LoopNest) -> Phases:
    """The phases of a nest for a CPU."""
    if not any(isinstance(s, Parallel) for s in ir.walk(nest.body)):
        return Phases(None, (Phase(1, False, (Loop(Var("item", I64), FIRST, LAST, 1, nest.body),)),))
    sample: Var | None = None
    phases: list[Phase] = []
    for s in _statements(nest.body):
        if isinstance(s, Loop):
            assert sample is None, "a nest goes through its samples once"
            sample = s.var
            phases += (_phase(inner, nest.batch, True) for inner in _statements(s.body))
        else:
            phases.append(_phase(s, nest.batch, False))
    return Phases(sample, tuple(phases))


def _statements(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    return tuple(s for s in body if not isinstance(s, ir.Comment))


def _phase(s: Stmt, batch: Var, each_sample: bool) -> Phase:
    assert isinstance(s, Parallel), "between its parallel loops a nest does nothing"
    by_batch = s.extents[0] == batch
    count, item = 1, Var("item", I64)
    lets: list[Stmt] = []
    for var, extent in reversed(list(zip(s.vars, s.extents, strict=True))):
        place = ir.div(item, count)
        lets.append(ir.Let(var, place if var is s.vars[0] else ir.rem(place, extent)))
        if extent != batch:
            assert isinstance(extent, Const), "a parallel loop goes over the batch, and over fixed numbers"
            count *= int(extent.value)
    return Phase(count, by_batch, (Loop(item, FIRST, LAST, 1, (*lets, *s.body)),), each_sample)
