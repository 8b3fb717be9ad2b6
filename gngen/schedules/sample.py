"""sample: a worker takes a whole sample, so that the elementwise pass reads it from the worker's own cache.

parallel n:  moments of every block;  merge every group;  y = act((x - mean) * rstd * gamma + beta)
"""

from __future__ import annotations

from gngen.loopnest import Buffer
from gngen.pieces import Pieces
from gngen.schedules import split


def lower(k: Pieces) -> tuple[Buffer, ...]:
    with k.b.parallel(("n",), (k.batch,), serial=k.s.parallel_from == 0) as (n,), k.serially():
        return split.phases(k, n)
