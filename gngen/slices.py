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
