"""serial_small, group_resident, group_stream: a worker takes one group of one sample, moments and elementwise pass.

    parallel n, g:  blocks of (n, g) -> moments;  y[n, g] = act((x[n, g] - mean) * rstd * gamma + beta)

The moments pull the group into the cache; the elementwise pass reads it there (or, for a larger group, from the next level).
"""

from __future__ import annotations

from gngen import loopnest as ir
from gngen.loopnest import Buffer, Expr
from gngen.pieces import Pieces, block_number
from gngen.summation import RunBlocks

# Moments of more blocks than this go to the workspace instead of the worker's stack.
STACK_BLOCKS = 512


def lower(k: Pieces) -> tuple[Buffer, ...]:
    blocks, b, p = k.sums, k.b, k.p
    assert isinstance(blocks, RunBlocks)
    workspace: tuple[Buffer, ...] = ()
    if blocks.blocks > STACK_BLOCKS:
        workspace = (Buffer("partial", "f64", (k.batch, p.groups, blocks.blocks, 3), "workspace"),)
    with b.parallel(("n", "g"), (k.batch, p.groups), serial=k.s.parallel_from == 0) as (n, g):
        mean, rstd = group_moments(k, blocks, n, g, workspace[0] if workspace else None)
        norm = k.normalizer(mean, rstd)
        with b.loop("o", 0, p.outer) as o:
            k.apply_runs(
                norm, n, o, g, (ir.const(0), ir.const(p.chans)), (ir.const(0), ir.const(p.inner)), p.chans if p.inner == 1 else p.inner
            )
        if k.s.store == "streaming":
            b.fence()
    return workspace


def group_moments(k: Pieces, blocks: RunBlocks, n: Expr, g: Expr, workspace: Buffer | None) -> tuple[Expr, Expr]:
    """Mean and rstd of one group, by one worker."""
    b = k.b
    if blocks.blocks == 1:
        values = k.run_moments(blocks, n, g, ir.const(0), ir.const(0), ir.const(0))
        return k.merge(1, lambda _, part: values[part], n, g)
    count = blocks.blocks
    partial = b.alloc("partial", "f64", 1, 1, count, 3) if workspace is None else workspace
    lead: tuple[Expr, Expr] = (ir.const(0), ir.const(0)) if workspace is None else (n, g)
    with (
        b.loop("run_block", 0, blocks.run_blocks) as i,
        b.loop("chan_block", 0, blocks.chan_blocks) as c,
        b.loop("width_block", 0, blocks.width_blocks) as j,
    ):
        values = k.run_moments(blocks, n, g, i, c, j)
        at = b.named("block", block_number(blocks, i, c, j))
        for part, value in enumerate(values):
            b.store(partial, *lead, at, part, value=value)
    return k.merge(count, lambda i, part: b.load(partial, *lead, i, part), n, g)
