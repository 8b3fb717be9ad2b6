"""The order in which a backward kernel sums, which belongs to the problem as that of the forward one does.

Where a channel's elements lie in long runs, each channel is summed by itself, over fixed units of its runs; else whole rows are read in
memory order, in fixed slabs, and every column of a slab is summed by itself. Units and slabs are added in float64, in one order.
"""

from __future__ import annotations

from dataclasses import dataclass

from gngen.problem import Problem
from gngen.summation import BLOCK_BYTES, MERGED_LEAST, row_fold, slab_rows

# Runs of a channel shorter than this are columns of rows.
RUN_LEAST = 64
# Blocks of a run that one item sums.
UNIT_BLOCKS = 8


@dataclass(frozen=True)
class ChannelRuns:
    """A channel as `runs` contiguous runs of `width` elements.

    A block, whose sums are of the kind that is computed in, is `block` elements of one run or, where those are short, all of `together`
    runs. A unit is `blocks` blocks along a run.
    """

    runs: int
    width: int
    block: int
    together: int
    blocks: int

    @property
    def run_units(self) -> int:
        """Units along the runs' axis."""
        return -(-self.runs // self.together)

    @property
    def width_units(self) -> int:
        """Units within a run."""
        return -(-self.width // (self.block * self.blocks))

    @property
    def units(self) -> int:
        return self.run_units * self.width_units


@dataclass(frozen=True)
class Columns:
    """A sample as slabs of `slab` long rows of `long_row` elements: `fold` rows, so that they are whole vectors where that can be.

    merged: groups that a worker merges together.
    """

    rows: int
    row: int
    fold: int
    slab: int
    merged: int

    @property
    def long_row(self) -> int:
        return self.row * self.fold

    @property
    def slabs(self) -> int:
        return -(-self.rows // (self.slab * self.fold))


def by_columns(p: Problem, lanes: int) -> bool:
    """Whether a channel's runs are so short that rows are read whole."""
    return p.inner < lanes or (p.outer > 1 and p.inner < RUN_LEAST)


def gradient_sums(p: Problem, lanes: int) -> ChannelRuns | Columns:
    """How the sums of a backward problem are taken, on a machine with vectors of `lanes` elements."""
    if not by_columns(p, lanes):
        most = BLOCK_BYTES * 8 // p.bits
        block = min(p.inner, most)
        return ChannelRuns(p.outer, p.inner, block, min(p.outer, max(1, most // block)), UNIT_BLOCKS)
    row = p.channels * p.inner
    fold = row_fold(row, lanes, p.outer)
    slab = slab_rows(-(-p.outer // fold), row * fold * p.bits // 8)
    width = p.chans * p.inner
    merged = min((d for d in range(1, p.groups + 1) if p.groups % d == 0 and d * width >= MERGED_LEAST), default=p.groups)
    return Columns(p.outer, row, fold, slab, merged)
