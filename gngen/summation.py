"""The order of summation, which belongs to the problem: a schedule only says who computes which block.

The elements of a group are cut into fixed blocks. The moments of a block depend on nothing outside it (its shift is its own
first element); blocks are merged in one fixed order. So neither the number of threads, nor the batch, nor the choice
between schedules changes a bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from gngen.problem import Problem

BLOCK_BYTES = 16384
SLAB_BYTES = 131072
RUN_LEAST = 1024
TILE_MOST = 2048
ROWS_LEAST = 32
ROWS_MOST = 1024
SLABS_MOST = 128


@dataclass(frozen=True)
class RunBlocks:
    """A group as `runs` contiguous runs of `width` elements, `width * groups` apart.

    A block is `block` elements of one run (the last may be shorter), or, where runs are short, `runs_per_block` whole runs.
    """

    runs: int
    groups: int
    width: int
    block: int
    runs_per_block: int

    @property
    def run_blocks(self) -> int:
        """Blocks along the runs."""
        return -(-self.runs // self.runs_per_block)

    @property
    def width_blocks(self) -> int:
        """Blocks within a run."""
        return -(-self.width // self.block)

    @property
    def blocks(self) -> int:
        return self.run_blocks * self.width_blocks


@dataclass(frozen=True)
class RowSlabs:
    """A sample as rows of all channels, read in memory order; a block is one group's part of a slab of whole rows.

    row: elements of a row. fold: rows that are read as one long row, so that it is a whole number of vectors. slab: long rows of a slab.
    tile: groups whose columns are summed together.
    """

    rows: int
    row: int
    group_width: int
    fold: int
    slab: int
    tile: int

    @property
    def long_row(self) -> int:
        return self.row * self.fold

    @property
    def slab_elements(self) -> int:
        return self.slab * self.long_row

    @property
    def slabs(self) -> int:
        return -(-self.rows * self.row // self.slab_elements)

    @property
    def blocks(self) -> int:
        return self.slabs


Summation = RunBlocks | RowSlabs


def summation(p: Problem, lanes: int) -> Summation:
    """How the moments of a problem are summed, on a machine with vectors of `lanes` elements."""
    if p.groups == 1:
        return _run_blocks(p, 1, p.sample)
    width = p.chans * p.inner
    if p.outer == 1 or width >= RUN_LEAST:
        return _run_blocks(p, p.outer, width)
    return _row_slabs(p, lanes)


def _run_blocks(p: Problem, runs: int, width: int) -> RunBlocks:
    most = BLOCK_BYTES * 8 // p.bits
    if width >= most:
        return RunBlocks(runs, p.groups, width, most, 1)
    return RunBlocks(runs, p.groups, width, width, min(runs, max(1, most // width)))


def _row_slabs(p: Problem, lanes: int) -> RowSlabs:
    width = p.chans * p.inner
    row = p.groups * width
    fold = row_fold(row, lanes, p.outer)
    long_row = row * fold
    slab_bytes = max(SLAB_BYTES, p.sample_bytes // SLABS_MOST) if p.sample_bytes > 2 * SLAB_BYTES else p.sample_bytes
    slab = min(ROWS_MOST, max(ROWS_LEAST, slab_bytes * 8 // (p.bits * long_row)))
    fits = [d for d in _divisors(p.groups) if d * width <= TILE_MOST]
    tile = p.groups if fold > 1 or row <= TILE_MOST else max(fits)
    return RowSlabs(p.outer, row, width, fold, min(slab, -(-p.outer // fold)), tile)


def row_fold(row: int, lanes: int, rows: int) -> int:
    """How many rows side by side make a row of whole vectors, at least four of them; 1 where that would be too long."""
    whole = lanes // gcd(row, lanes)
    times = max(1, -(-4 * lanes // (row * whole)))
    fold = whole * times
    return fold if fold <= rows and row * fold <= TILE_MOST else 1


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]
