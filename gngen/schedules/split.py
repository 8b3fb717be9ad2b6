"""group_split and rows: all workers share a sample, in three phases with a barrier after each.

    parallel blocks:  moments of each block -> partial
    parallel groups:  merge in fixed order  -> stats (mean, rstd)
    parallel pieces:  y = act((x - mean) * rstd * gamma + beta)

group_split cuts the contiguous runs of a group; rows reads slabs of whole rows, all groups of a row together, in memory order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gngen import loopnest as ir
from gngen.formulas import Normalizer
from gngen.loopnest import Buffer, Expr
from gngen.pieces import Pieces, block_number
from gngen.schedule import applies_by_rows
from gngen.summation import RunBlocks, row_fold
from gngen.sweeps import Sweeps

# Blocks that one item of the first phase takes.
SLICE = 16
# The longest row whose tables a worker keeps whole.
ROW_MOST = 8192


def lower(k: Pieces) -> tuple[Buffer, ...]:
    with samples(k) as n:
        return phases(k, n)


@contextmanager
def samples(k: Sweeps) -> Iterator[Expr | None]:
    """One sample after another, each shared by all workers; or None, where the batch is part of what is shared."""
    if not k.s.by_sample:
        yield None
        return
    with k.b.loop("n", 0, k.batch) as n:
        yield n


def phases(k: Pieces, n: Expr | None) -> tuple[Buffer, ...]:
    """The three phases, of sample n or of all."""
    stats = Buffer("stats", "f64", (k.batch, k.p.groups, 2), "workspace")
    partial = take_moments(k, stats, n)
    apply_all(k, stats, n)
    return partial, stats, *(() if k.early is None else (k.early,))


def take_moments(k: Pieces, stats: Buffer, n: Expr | None) -> Buffer:
    """The first two phases, of sample n or of all; the partial moments' workspace."""
    sums, p = k.sums, k.p
    if isinstance(sums, RunBlocks):
        partial = Buffer("partial", "f64", (k.batch, p.groups, sums.blocks, 3), "workspace")
        _run_partials(k, sums, partial, n)
    else:
        partial = k.slab_partial(sums)
        if k.early is not None:
            with items(k, n) as (sample,):
                k.take_shifts(sums, sample)
        with items(k, n, slab=sums.slabs, tile=p.groups // sums.tile) as (sample, slab, tile):
            k.slab_sums(sums, sample, slab, tile, partial)
    _merge(k, partial, stats, n)
    return partial


@contextmanager
def items(k: Sweeps, n: Expr | None, **extents: int) -> Iterator[tuple[Expr, ...]]:
    """A parallel loop over the sample (unless given) and `extents`; an extent of 1 is no loop."""
    serial = k.s.parallel_from == 0
    named: dict[str, Expr | int] = {stem: count for stem, count in extents.items() if count != 1}
    if n is None:
        named = {"n": k.batch, **named}
    if not named:
        named = {"once": 1}
    with k.b.parallel(tuple(named), tuple(named.values()), serial=serial) as variables:
        found = dict(zip(named, variables, strict=True))
        yield (n if n is not None else found["n"], *(found.get(stem, ir.const(0)) for stem in extents))


def _run_partials(k: Pieces, blocks: RunBlocks, partial: Buffer, n: Expr | None) -> None:
    b = k.b
    slices = 1 if blocks.run_blocks > 1 else -(-blocks.width_blocks // SLICE)
    extents = {"g": k.p.groups, "run_block": blocks.run_blocks, "chan_block": blocks.chan_blocks, "slice": slices}
    with items(k, n, **extents) as (sample, g, run_block, chan_block, piece):
        first: Expr = ir.const(0)
        last: Expr = ir.const(blocks.width_blocks)
        if slices > 1:
            first = b.named("first", ir.mul(piece, SLICE))
            last = b.named("last", ir.minimum(ir.add(first, SLICE), blocks.width_blocks))
        with b.loop("width_block", first, last) as j:
            values = k.run_moments(blocks, sample, g, run_block, chan_block, j)
            at = b.named("block", block_number(blocks, run_block, chan_block, j))
            for part, value in enumerate(values):
                b.store(partial, sample, g, at, part, value=value)


def _merge(k: Pieces, partial: Buffer, stats: Buffer, n: Expr | None) -> None:
    """Mean and rstd of every group, in ``stats[n, g]``."""
    sums, b = k.sums, k.b

    def store(sample: Expr, g: Expr, *values: Expr) -> None:
        for which, value in enumerate(values):
            b.store(stats, sample, g, which, value=value)

    if isinstance(sums, RunBlocks):
        with items(k, n, g=k.p.groups) as (sample, g):
            store(sample, g, *k.merge(sums.blocks, lambda i, which: b.load(partial, sample, g, i, which), sample, g))
        return
    with items(k, n, tile=k.p.groups // sums.tile, part=sums.tile // sums.merged) as (sample, tile, part):
        k.merge_columns(sums, partial, sample, tile, part, lambda g, mean, rstd: store(sample, g, mean, rstd))


def apply_all(k: Pieces, stats: Buffer, n: Expr | None) -> None:
    """The elementwise pass of sample n or of all."""
    if not applies_by_rows(k.p):
        _apply_runs(k, stats, n)
    else:
        apply_rows(k, stats, n)


def load_norm(k: Pieces, stats: Buffer, n: Expr, g: Expr) -> Normalizer:
    mean, rstd = (k.b.let(stem, k.b.load(stats, n, g, part)) for part, stem in enumerate(("mean_all", "rstd_all")))
    return k.normalizer(mean, rstd)


def _apply_runs(k: Pieces, stats: Buffer, n: Expr | None) -> None:
    p, b = k.p, k.b
    chan_step = min(p.chans, max(1, k.s.piece // p.inner))
    inner_step = min(p.inner, k.s.piece)
    pieces = {"o": p.outer, "g": p.groups, "chan_piece": -(-p.chans // chan_step), "inner_piece": -(-p.inner // inner_step)}
    step, total = (chan_step, p.chans) if p.inner == 1 else (inner_step, p.inner)
    length = step if step % k.step else total  # the last piece is a whole number of vectors only where the total is
    with items(k, n, **pieces) as (sample, o, g, chan_piece, inner_piece):
        chans, inner = k.cut("chan", chan_piece, chan_step, p.chans), k.cut("inner", inner_piece, inner_step, p.inner)
        k.apply_runs(load_norm(k, stats, sample, g), sample, o, g, chans, inner, length)
        if k.s.store == "streaming":
            b.fence()


def apply_rows(k: Pieces, stats: Buffer, n: Expr | None) -> None:
    """Whole rows, a table entry a column: rows side by side that make whole vectors, or single rows."""
    p, b = k.p, k.b
    row = p.channels * p.inner
    fold = row_fold(row, k.step, p.outer)
    period = row * fold
    if period % k.step == 0 and period <= ROW_MOST:
        step = max(1, k.s.piece // period) * period
        flat = [buffer.view(k.batch, p.sample) for buffer in (k.settled, k.y)]
        with items(k, n, piece=-(-p.sample // step)) as (sample, piece):
            tables = k.row_tables(lambda g: load_norm(k, stats, sample, g), sample, ir.const(0), p.groups, period + k.step)
            k.apply_rows(tables, (sample,), flat[0], flat[1], *k.cut("piece", piece, step, p.sample), period)
            if k.s.store == "streaming":
                b.fence()
        return
    width = p.chans * p.inner
    tile = max(d for d in range(1, p.groups + 1) if p.groups % d == 0 and (d == 1 or d * width <= ROW_MOST))
    columns = tile * width
    rows = max(1, k.s.piece // columns)
    views = [buffer.view(k.batch, p.outer, p.groups // tile, columns) for buffer in (k.settled, k.y)]
    with items(k, n, piece=-(-p.outer // rows), tile=p.groups // tile) as (sample, piece, at):
        first = b.named("first_group", ir.mul(at, tile))
        tables = k.row_tables(lambda g: load_norm(k, stats, sample, g), sample, first, tile, -(-columns // k.step) * k.step + k.step)
        with b.loop("row", *k.cut("row", piece, rows, p.outer)) as r:
            k.apply_row(tables, (sample, r, at), views[0], views[1], columns)
        if k.s.store == "streaming":
            b.fence()
