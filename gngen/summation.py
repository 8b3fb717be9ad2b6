"""The order of summation, which belongs to the problem: a schedule only says who computes which block.

The elements of a sample are cut into fixed blocks, of one group or of whole rows. What a block adds up depends on nothing outside its
sample; blocks are merged in one fixed order. So neither the number of threads, nor the batch, nor the choice between schedules
changes a bit.

Blocks of bfloat16 are summed as they are, by neighbouring pairs: each square is exact in float32, and what cancels then matters only
where the mean is many times the standard deviation. Such a block is summed again in float64.

Of a masked problem, the elements whose position is masked out count for nothing, and blocks are cut so that a vector has one
vector of the mask, or one element of it: runs end where a channel ends, and rows are never read side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from gngen.problem import Problem

BLOCK_BYTES = 16384
SLAB_BYTES = 131072
RUN_LEAST = 1024
TILE_MOST = 2048
ROWS_LEAST = 64
ROWS_MOST = 256
SLABS_MOST = 128
MERGED_LEAST = 64
SHIFT_ROWS = 4


@dataclass(frozen=True)
class RunBlocks:
    """A group as `runs` contiguous runs of `width` elements, `width * groups` apart.

    A block is `block` elements of one run (the last may be shorter), or, where runs are short, `runs_per_block` whole runs. Where
    a mask runs along them, a run is cut into `chans` shorter ones of `width`, one a channel: a block is `block` elements of one of
    these, `chans_per_block` of one run's, or all those of `runs_per_block` runs.
    """

    runs: int
    groups: int
    width: int
    block: int
    runs_per_block: int
    chans: int = 1
    chans_per_block: int = 1

    @property
    def run_blocks(self) -> int:
        """Blocks along the runs."""
        return -(-self.runs // self.runs_per_block)

    @property
    def chan_blocks(self) -> int:
        """Blocks along the channels of a run."""
        return -(-self.chans // self.chans_per_block)

    @property
    def width_blocks(self) -> int:
        """Blocks within a run, or within one channel of it."""
        return -(-self.width // self.block)

    @property
    def blocks(self) -> int:
        return self.run_blocks * self.chan_blocks * self.width_blocks


@dataclass(frozen=True)
class RowSlabs:
    """A sample as slabs of whole rows of all channels, read in memory order: every column of a slab is summed by itself.

    Deviations are from the group's shift, the average of its first element in `shift_rows` rows spread over the sample. The columns of all
    slabs are added in float64, slab after slab, and then the columns of a group.

    row: elements of a row. fold: rows that are read as one long row, so that it is a whole number of vectors. slab: long rows of a slab.
    tile: groups whose columns a worker sums together. merged: groups that a worker merges together. per: neighbouring columns that are
    summed together.
    """

    rows: int
    row: int
    group_width: int
    fold: int
    slab: int
    tile: int
    merged: int
    shift_rows: int
    per: int = 1

    @property
    def columns(self) -> int:
        """Columns of a tile, of all the rows of a long row."""
        return self.tile * self.group_width * self.fold

    @property
    def long_row(self) -> int:
        return self.row * self.fold

    @property
    def slab_elements(self) -> int:
        return self.slab * self.long_row

    @property
    def slabs(self) -> int:
        return -(-self.rows * self.row // self.slab_elements)


def pairs(p: Problem, lanes: int) -> int:
    """Elements of x that a lane takes: of bfloat16 the two of a 32-bit word."""
    return 2 if p.data == "bf16" and lanes > 1 else 1


Summation = RunBlocks | RowSlabs


def summation(p: Problem, lanes: int) -> Summation:
    """How the moments of a problem are summed, on a machine with vectors of `lanes` elements."""
    width = p.chans * p.inner
    if p.masked and p.inner > 1:
        return _channel_blocks(p)
    if p.groups == 1:
        return _run_blocks(p, p.outer, width) if p.masked else _run_blocks(p, 1, p.sample)
    if p.outer == 1 or width >= RUN_LEAST:
        return _run_blocks(p, p.outer, width)
    return _row_slabs(p, lanes)


def _run_blocks(p: Problem, runs: int, width: int) -> RunBlocks:
    most = BLOCK_BYTES * 8 // p.bits
    if width >= most:
        return RunBlocks(runs, p.groups, width, most, 1)
    return RunBlocks(runs, p.groups, width, width, min(runs, max(1, most // width)))


def _channel_blocks(p: Problem) -> RunBlocks:
    """Runs of one channel each, along which the mask runs too."""
    most = BLOCK_BYTES * 8 // p.bits
    if p.inner >= most:
        return RunBlocks(p.outer, p.groups, p.inner, most, 1, p.chans, 1)
    chans = min(p.chans, most // p.inner)
    runs = min(p.outer, max(1, most // (p.inner * p.chans))) if chans == p.chans else 1
    return RunBlocks(p.outer, p.groups, p.inner, p.inner, runs, p.chans, chans)


def _row_slabs(p: Problem, lanes: int) -> RowSlabs:
    width = p.chans * p.inner
    row = p.groups * width
    per = 1 if p.masked or width % 2 else pairs(p, lanes)
    fold = 1 if p.masked else row_fold(row, lanes * per, p.outer)
    long_row = row * fold
    fits = [d for d in _divisors(p.groups) if d * width <= TILE_MOST]
    tile = p.groups if fold > 1 or row <= TILE_MOST else max(fits)
    merged = min((d for d in _divisors(tile) if d * width >= MERGED_LEAST), default=tile)
    slab = slab_rows(-(-p.outer // fold), long_row * p.bits // 8)
    return RowSlabs(p.outer, row, width, fold, slab, tile, merged, SHIFT_ROWS if p.outer >= SHIFT_ROWS else 1, per)


def slab_rows(rows: int, row_bytes: int) -> int:
    """Rows of a slab: the slabs of a sample are equal and a power of two, so that 2, 4 or 8 workers have the same to do."""
    least = max(ROWS_LEAST, SLAB_BYTES // row_bytes)
    slabs = 1
    while rows > ROWS_MOST * slabs or (slabs < SLABS_MOST and rows >= 2 * least * slabs):
        slabs *= 2
    return -(-rows // slabs)


def row_fold(row: int, lanes: int, rows: int) -> int:
    """How many rows side by side make a row of whole vectors, at least four of them; 1 where that would be too long."""
    whole = lanes // gcd(row, lanes)
    times = max(1, -(-4 * lanes // (row * whole)))
    fold = whole * times
    return fold if fold <= rows and row * fold <= TILE_MOST else 1


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]
