"""How many threads a kernel may use: one number for every backend."""

from __future__ import annotations

import ctypes
import os


def set_num_threads(n: int) -> None:
    """Use at most `n` threads for kernels called from now on, from any thread of this process."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"the number of threads is an integer, at least 1; received {n!r}")
    _count.value = n


def get_num_threads() -> int:
    """The number set, or $OMP_NUM_THREADS, or the cores that this process may run on."""
    return _count.value


def address() -> int:
    """Where the number lies, as a C int, for callers that read it there."""
    return ctypes.addressof(_count)


def _default() -> int:
    text = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if text.isdigit() and int(text) > 0:
        return int(text)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


_count = ctypes.c_int(_default())
