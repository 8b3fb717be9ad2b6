"""A kernel as machine code in this process, whichever compiler it is from."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gngen.arrays import Array


class Entry:
    """A loaded kernel: takes its arrays in the order of the nest, then the batch and the number of threads.

    owner: what must live as long as the code.
    """

    def __init__(self, address: int, arrays: int, owner: Any) -> None:
        self.address, self._owner = address, owner
        self.most_threads = -1  # it takes the number of threads itself
        self._function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * arrays, ctypes.c_int64, ctypes.c_int)(address)

    def __call__(self, arrays: Sequence[Array], batch: int, threads: int) -> None:
        self._function(*[a.ctypes.data for a in arrays], batch, threads)
