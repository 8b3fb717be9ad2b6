"""What the rules that choose a schedule, of either direction, have in common."""

from __future__ import annotations

from gngen.problem import Problem
from gngen.summation import pairs, row_fold
from gngen.target import Machine

# Below this many bytes moved, waking a second thread costs more than it saves.
SERIAL_BYTES = 200_000
# How far ahead a pass by rows asks for memory, in elements.
PREFETCH = 4096
# Of how many vectors an activation is computed side by side.
INTERLEAVE = 4


def is_small(p: Problem, moved: int) -> bool:
    """Whether one thread is fastest, where so many bytes move."""
    return p.batch is not None and moved < SERIAL_BYTES


def fills_threads(p: Problem, m: Machine) -> bool:
    """Whether the samples of a batch keep all threads busy, a sample a thread."""
    batch = p.batch or 1
    return batch >= m.cores and (batch % m.cores == 0 or batch >= 4 * m.cores)


def splits_groups(p: Problem, m: Machine, size: int) -> bool:
    """Whether groups, of which so many bytes are read, are too few for a group a thread."""
    count = (p.batch or 1) * p.groups
    return count < 2 * m.cores and not (count >= m.cores and size <= m.l2)


def ahead(p: Problem, m: Machine, moved: int, item_bytes: int, whole: int) -> int:
    """How many elements ahead an elementwise pass asks for what is read, of so many bytes an element; 0 where it is in the caches already.

    Where a worker takes many groups or samples of `whole` elements, and three of them fit the L2 cache, that is the next one: it comes
    from memory while this one is written.
    """
    if 2 * moved <= m.l3:
        return 0
    count = (p.batch or 1) * p.sample // whole if whole else 0
    if 3 * whole * item_bytes <= m.l2 and count >= 4 * m.cores:
        return whole if whole == p.sample else whole // p.outer
    return PREFETCH


def interleave(p: Problem) -> int:
    """How many vectors are computed side by side: an activation is a long chain of operations, each of which waits for the one before."""
    return 1 if p.activation in (None, "relu") else INTERLEAVE


def streams(p: Problem, m: Machine, lanes: int) -> bool:
    """Whether the machine has streaming stores of vectors of y."""
    return m.streaming_stores and 128 <= lanes * pairs(p, lanes) * p.item_bytes * 8 <= m.vector_bits


def row_vectors(p: Problem, lanes: int, step: int, most: int) -> int:
    """Vectors of a row (or of the rows read as one), where they are whole steps and at most so many; else 1."""
    row = p.channels * p.inner
    elements = row * row_fold(row, step, p.outer)
    return max(1, elements // lanes) if elements % step == 0 and elements // lanes <= most else 1


def show_bytes(count: int) -> str:
    """A number of bytes for people.

    >>> show_bytes(3 << 19)
    '1.5 MB'
    """
    for unit, scale in (("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count} B"
