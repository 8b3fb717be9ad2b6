"""From a problem and its schedule to a verified loop nest."""

from __future__ import annotations

from importlib import import_module

from gngen.gpupieces import GpuPieces
from gngen.gpuschedule import GPU_SCHEDULES, GpuSchedule
from gngen.gradients import Gradients
from gngen.loopnest import LoopNest
from gngen.pieces import Pieces
from gngen.problem import Problem
from gngen.prune import prune
from gngen.schedule import Schedule, schedule_module
from gngen.tilepieces import TilePieces
from gngen.verify import verify


def lower_problem(p: Problem, s: Schedule | GpuSchedule) -> LoopNest:
    """The loop nest of a problem under a schedule; VerifyError if the schedule wrote an invalid one."""
    if isinstance(s, GpuSchedule):
        return _lower_gpu(p, s)
    k = _pieces(p)(p, s)
    workspace = schedule_module(p, s.name).lower(k)
    return verify(LoopNest(p.name, p, k.buffers, k.batch, workspace, tuple(k.b.functions.values()), k.b.finish(), s.parallel_from))


def _pieces(p: Problem) -> type[Pieces | Gradients]:
    """What the CPU schedules of a problem are put together from."""
    if p.stage:
        from gngen.schedules.stages import PIECES

        return PIECES[p.direction, p.stage]
    return Gradients if p.direction == "backward" else Pieces


def _lower_gpu(p: Problem, s: GpuSchedule) -> LoopNest:
    k = TilePieces(p, s) if s.tile else GpuPieces(p, s)
    workspace = import_module(f"gngen.schedules.{'tiles' if s.tile else GPU_SCHEDULES[s.name]}").lower(k)
    return verify(LoopNest(p.name, p, k.buffers, k.batch, workspace, tuple(k.b.functions.values()), prune(k.b.finish()), 1))
