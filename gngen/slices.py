"""The order of summation on a GPU, which belongs to the problem: slices that a warp sums, merged in one fixed order.

A group is cut into slices of `slots` vectors for each lane of a warp, whatever block that warp is in. So schedules that share a group
between few blocks or many, on chip or not, give the same bits, and the batch and the number of multiprocessors decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from gngen.loopnest import WARP
from gngen.problem import Problem

# Bytes that a thread loads and stores at once.
VECTOR_BYTES = 16
# Registers of a lane that a slice fills, at most, in the kind that is computed in; and slices of a group before they grow beyond a vector.
SLOT_REGISTERS, SLICES_LEAST = 32, 16
# A group of more slices than this is merged in two steps: slices to chunks of a multiple of so many, chunks to the group.
MERGED_MOST, CHUNK = 512, 8
# A run of a group shorter than this, in bytes, leaves most lanes of a warp without a vector.
RUN_BYTES = 256


@dataclass(frozen=True)
class Slices:
    """A group as `runs` runs of `length` elements, taken as vectors of `lanes`; a slice is WARP * slots consecutive ones.

    Lane l of a warp has vectors l, l + WARP, ... of its slice. chunk: slices that are merged first; 1 where all are merged at once.
    """

    runs: int
    length: int
    lanes: int
    slots: int
    chunk: int

    @property
    def vectors(self) -> int:
        return self.runs * self.length // self.lanes

    @property
    def run_vectors(self) -> int:
        return self.length // self.lanes

    @property
    def slice_vectors(self) -> int:
        return WARP * self.slots

    @property
    def elements(self) -> int:
        """Elements of a slice; the last may have fewer."""
        return self.slice_vectors * self.lanes

    @property
    def slices(self) -> int:
        return -(-self.vectors // self.slice_vectors)

    @property
    def chunks(self) -> int:
        return -(-self.slices // self.chunk)

    @property
    def sure_slots(self) -> int:
        """Slots of every lane that no slice but those past the last one lacks."""
        last = self.vectors - (self.slices - 1) * self.slice_vectors
        return last // WARP


def group_slices(p: Problem) -> Slices:
    """How a group that lies in long runs is cut."""
    width = p.chans * p.inner
    runs, length = (1, p.sample) if p.groups == 1 else (p.outer, width)
    lanes = vector_lanes(p, length)
    vectors = runs * length // lanes
    most = SLOT_REGISTERS // (4 if lanes == 1 else lanes * p.bits // 32)
    slots = max(1, min(most, -(-vectors // (WARP * SLICES_LEAST))))
    slices = -(-vectors // (WARP * slots))
    chunk = 1 if slices <= MERGED_MOST else CHUNK * -(-slices // (CHUNK * MERGED_MOST))
    return Slices(runs, length, lanes, slots, chunk)


def vector_lanes(p: Problem, length: int) -> int:
    """Elements of the vectors that runs of `length` are read in: 16 bytes where every run begins at a multiple of them, else one."""
    lanes = VECTOR_BYTES // p.item_bytes
    return lanes if length % lanes == 0 else 1


def in_runs(p: Problem) -> bool:
    """Whether a group lies in runs long enough for a warp."""
    return p.outer == 1 or p.groups == 1 or p.chans * p.inner * p.item_bytes >= RUN_BYTES


# Of a tile of columns: bytes of a row that are read together at least, threads of a block at most (f32), and slices of rows at most.
TILE_BYTES, TILE_ELEMENTS, TILE_VECTORS, TILE_SLICES = 128, 2048, 128, 4096


@dataclass(frozen=True)
class RowTiles:
    """Groups in short runs: rows of the columns of `groups` neighbours, `side` rows side by side in a block, `slots` below each other.

    A thread has a vector of columns of `slots` rows, and takes the moments of each column by itself; those of a group's columns and of
    the rows side by side are merged into a slice's, slices into the group's.
    """

    rows: int
    width: int
    groups: int
    lanes: int
    side: int
    slots: int

    @property
    def columns(self) -> int:
        return self.groups * self.width

    @property
    def vectors(self) -> int:
        """Of a row."""
        return self.columns // self.lanes

    @property
    def threads(self) -> int:
        """Those of a block that have something to do."""
        return self.side * self.vectors

    @property
    def warps(self) -> int:
        return -(-self.threads // WARP)

    @property
    def slice_rows(self) -> int:
        return self.side * self.slots

    @property
    def slices(self) -> int:
        return -(-self.rows // self.slice_rows)

    @property
    def slice_elements(self) -> int:
        """Of all the columns."""
        return self.slice_rows * self.columns


def row_tiles(p: Problem) -> RowTiles | None:
    """How groups in short runs are cut into tiles of whole vectors; None where they are in long runs, or fit no tile."""
    lanes, width = VECTOR_BYTES // p.item_bytes, p.chans * p.inner
    fits = [t for t in range(1, p.groups + 1) if p.groups % t == 0 and t * width % lanes == 0 and t * width // lanes <= TILE_VECTORS]
    if in_runs(p) or not fits:
        return None
    wide = [t for t in fits if t * width * p.item_bytes >= TILE_BYTES]
    groups = min(wide, default=max(fits))
    room = min(512, TILE_ELEMENTS // lanes) // (groups * width // lanes)
    side = 1 << max(0, min(room, p.outer // 4).bit_length() - 1)  # a power of two, as the number of blocks is
    slots = max(1, min(SLOT_REGISTERS // (lanes * p.bits // 32), -(-p.outer // (side * SLICES_LEAST))))
    tiles = RowTiles(p.outer, width, groups, lanes, side, slots)
    return tiles if tiles.slices <= TILE_SLICES else None
