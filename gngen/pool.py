"""Outputs that nobody holds any more are used again: a fresh page costs more than a kernel's writing to it.

A buffer is handed out as a view; it is free when nothing but the pool refers to it, which Python's reference count tells: a view, a view of
a view, or a DLPack capsule all hold the buffer. Buffers begin on a cache line. The pool is bounded; past its bound, memory is ordinary.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict

import numpy as np

from gngen.arrays import Array

LINE = 64
# Below this, the allocator has pages at hand.
LEAST = 1 << 15
# References to a free buffer where it is looked at: the list's, the loop's, and getrefcount's argument.
_FREE = 3


class Pool:
    """Buffers by size, the least recently used size dropped first when `limit` bytes are passed."""

    def __init__(self, limit: int) -> None:
        self.limit, self.bytes = limit, 0
        self._buffers: OrderedDict[int, list[Array]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
        """An uninitialised C-ordered array."""
        size = dtype.itemsize
        for n in shape:
            size *= n
        if size < LEAST or size > self.limit:
            return np.empty(shape, dtype)
        with self._lock:
            buffers = self._buffers.setdefault(size, [])
            self._buffers.move_to_end(size)
            for buffer in buffers:
                if sys.getrefcount(buffer) == _FREE:
                    return buffer.view(dtype).reshape(shape)
            buffer = aligned(size)
            self._make_room(size)
            if self.bytes + size <= self.limit:
                buffers.append(buffer)
                self.bytes += size
            return buffer.view(dtype).reshape(shape)

    def _make_room(self, size: int) -> None:
        """Forget free buffers, of the sizes longest unused first, until `size` more bytes fit."""
        for old in list(self._buffers):
            if self.bytes + size <= self.limit:
                return
            buffers = self._buffers[old]
            kept = [b for b in buffers if sys.getrefcount(b) > _FREE]
            self.bytes -= (len(buffers) - len(kept)) * old
            buffers[:] = kept


def aligned(size: int) -> Array:
    """Bytes that begin on a cache line and own nothing else's memory."""
    raw = np.empty(size + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    # through the buffer protocol, so that the base of every view is this array and not `raw`
    return np.frombuffer(raw.data[start : start + size], np.uint8)


def _limit() -> int:
    """The bound in bytes: $GNGEN_POOL_LIMIT, or 1 GB."""
    text = os.environ.get("GNGEN_POOL_LIMIT", "")
    return int(text) if text.isdigit() else 1 << 30


outputs = Pool(_limit())
