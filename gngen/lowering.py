"""From a problem and its schedule to a verified loop nest."""

from __future__ import annotations

from gngen.loopnest import LoopNest
from gngen.pieces import Pieces
from gngen.problem import Problem
from gngen.schedule import Schedule, schedule_module
from gngen.verify import verify


def lower_problem(p: Problem, s: Schedule) -> LoopNest:
    """The loop nest of a problem under a schedule; VerifyError if the schedule wrote an invalid one."""
    k = Pieces(p, s)
    workspace = schedule_module(s.name).lower(k)
    return verify(LoopNest(p.name, p, k.buffers, k.batch, workspace, tuple(k.b.functions.values()), k.b.finish(), s.parallel_from))
