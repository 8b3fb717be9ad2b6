"""How the kernels of a nest are launched on a GPU: what a text in which nothing launches them says of each, on a line."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from gngen.loopnest import Alloc, Const, Launch, LoopNest, buffer_bytes, shared_bytes, walk

_LINE = re.compile(
    r"launch (?P<kernel>\w+): (?P<by_batch>batch \* )?(?P<fixed>\d+) blocks? of (?P<threads>\d+) threads"
    r"(?:, in clusters of (?P<cluster>\d+))?(?P<cooperative>, cooperative)?(?:, with (?P<shared>\d+) bytes of shared memory)?"
)
# Bytes of shared memory that a kernel of NVIDIA's may declare; of more, its launch asks for all.
STATIC_SHARED = 48 << 10
# Its numbers, and what they are where the line is silent.
_NUMBERS = {"fixed": 1, "threads": 1, "shared": 0, "cluster": 1}


@dataclass(frozen=True)
class Grid:
    """One launch of a kernel.

    fixed: how many blocks, of each sample where by_batch. shared: bytes of shared memory that the launch asks for, beside what the kernel
    declares. cluster, cooperative: as of `loopnest.Launch`.

    >>> str(Grid("k", 64, True, 512, cluster=2))
    'launch k: batch * 64 blocks of 512 threads, in clusters of 2'
    >>> Grid.read("launch k: 8 blocks of 96 threads, cooperative, with 65536 bytes of shared memory")
    Grid(kernel='k', fixed=8, by_batch=False, threads=96, shared=65536, cluster=1, cooperative=True)
    """

    kernel: str
    fixed: int
    by_batch: bool
    threads: int
    shared: int = 0
    cluster: int = 1
    cooperative: bool = False

    def blocks(self, batch: int) -> int:
        return self.fixed * (batch if self.by_batch else 1)

    def __str__(self) -> str:
        blocks = f"{'batch * ' if self.by_batch else ''}{self.fixed} block{'' if self.fixed == 1 and not self.by_batch else 's'}"
        how = f", in clusters of {self.cluster}" if self.cluster > 1 else ", cooperative" if self.cooperative else ""
        asked = f", with {self.shared} bytes of shared memory" if self.shared else ""
        return f"launch {self.kernel}: {blocks} of {self.threads} threads{how}{asked}"

    @staticmethod
    def read(text: str) -> Grid:
        """A grid from its line; ValueError where it is none."""
        found = _LINE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no launch")
        fixed, threads, shared, cluster = (int(found[key] or least) for key, least in _NUMBERS.items())
        return Grid(found["kernel"], fixed, bool(found["by_batch"]), threads, shared, cluster, bool(found["cooperative"]))


def grids_of(nest: LoopNest, declared: int) -> list[Grid]:
    """The launches of a nest, in their order; a kernel that takes more shared memory than `declared` bytes asks for all of it."""
    launches = [s for s in nest.body if isinstance(s, Launch)]
    found = []
    for i, s in enumerate(launches):
        fixed = 1
        for extent in s.extents:
            fixed *= int(extent.value) if isinstance(extent, Const) else 1
        by_batch = any(not isinstance(extent, Const) for extent in s.extents)
        shared = shared_bytes(s) if shared_bytes(s) > declared else 0
        name = f"{nest.name}_{i + 1}" if len(launches) > 1 else f"{nest.name}_kernel"
        found.append(Grid(name, fixed, by_batch, s.threads, shared, s.cluster, s.cooperative))
    return found


def grids_in(text: str) -> list[Grid]:
    """The launches that the first lines of an LLVM module say, as its comments."""
    lines = itertools.takewhile(lambda line: line.startswith("; launch "), text.splitlines())
    return [Grid.read(line.removeprefix("; ")) for line in lines]


def block_numbers(launch: Launch) -> list[tuple[str, int, int | None]]:
    """Each of a block's numbers: its name, how many blocks one step of it is, and how many there are (None: the batch)."""
    found: list[tuple[str, int, int | None]] = []
    stride = 1
    for var, extent in zip(reversed(launch.vars), reversed(launch.extents), strict=True):
        count = int(extent.value) if isinstance(extent, Const) else None
        assert count is not None or var is launch.vars[0], f"the extent of {var.name} is not a number"
        found.append((var.name, stride, count))
        stride *= count or 1
    return found[::-1]


def shared_places(launch: Launch, declared: int) -> dict[str, int]:
    """Where each shared array of a block begins in what its launch asks for, in bytes; empty where they are declared one by one."""
    if shared_bytes(launch) <= declared:
        return {}
    found, offset = {}, 0
    for s in walk(launch.body):
        if isinstance(s, Alloc) and s.buffer.space == "shared":
            found[s.buffer.name] = offset
            offset += buffer_bytes(s.buffer)
    return found
