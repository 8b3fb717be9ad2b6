"""The operations of emitted numba-cuda kernels in Python, for numba's CUDA simulator; `gngen.cuda_intrinsics` has the same names.

What a GPU leaves to chance is refused or spoilt here: an access outside of an array or a vector that is not aligned is an error, and shared
arrays begin as NaN. The blocks of a cluster, or of a cooperative launch, become one simulated block, whose second dimension counts them;
threads meet at barriers of their own, of a warp, a block or all, since the simulator knows those of a block only.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import cuda

_WARP = 32
_TYPES: dict[str, Any] = {
    "f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "f16": np.uint16, "bf16": np.uint16,
}  # fmt: skip


def _scalar_or_vector(kind: str, values: Any) -> Any:
    return np.asarray(values, _TYPES[kind]) if np.ndim(values) else _TYPES[kind](values)


# Memory


class Memory:
    """An array that a kernel is handed: flat, and the halves as their bits."""

    def __init__(self, array: Any) -> None:
        self.array = array.reshape(-1)
        if self.array.size and not np.shares_memory(self.array, array):
            raise ValueError("the simulator takes dense arrays")
        if self.array.dtype.itemsize == 2:
            self.array = self.array.view(np.uint16)


class Shared:
    """A block's own array; `of` gives that of another block of the cluster."""

    def __init__(self, arrays: Sequence[Any], block: int) -> None:
        self.array, self._arrays = arrays[block], arrays

    def of(self, block: int) -> Any:
        return self._arrays[block]


def _checked(memory: Any, i: int, kind: str, lanes: int) -> None:
    if not 0 <= i <= memory.array.size - lanes:
        raise IndexError(f"elements {i} .. {i + lanes} of an array of {memory.array.size}")
    width = memory.array.itemsize
    if width != np.dtype(_TYPES[kind]).itemsize:
        raise TypeError(f"{kind} of an array of {memory.array.dtype}")
    if i * width % min(16, lanes * width):
        raise IndexError(f"element {i} of {width} bytes does not begin a vector of {lanes}")


def load(kind: str, lanes: int = 1, space: str = "global") -> Any:
    """load(memory, i): the elements from i on; vectors are aligned to their size."""

    def read(memory: Any, i: int) -> Any:
        _checked(memory, i, kind, lanes)
        return memory.array[i] if lanes == 1 else memory.array[i : i + lanes].copy()

    return read


def store(kind: str, lanes: int = 1, space: str = "global") -> Any:
    """store(memory, i, value)"""

    def write(memory: Any, i: int, value: Any) -> None:
        _checked(memory, i, kind, lanes)
        if np.asarray(value).dtype != memory.array.dtype:
            raise TypeError(f"{np.asarray(value).dtype} is stored in an array of {memory.array.dtype}")
        memory.array[i : i + lanes] = value

    return write


def shared(kind: str, count: int, offset: int | None = None) -> Any:
    """shared(): a block's own array."""

    def own() -> Shared:
        blocks = _blocks_at_once()

        def fresh() -> list[Any]:
            bits = np.uint16(0x7FFF)
            return [np.full(count, bits if _TYPES[kind] is np.uint16 else np.nan, _TYPES[kind]) for _ in range(blocks)]

        return Shared(_common(own, fresh), _block_here())

    return own


def peer(kind: str) -> Any:
    """peer(memory, i, block): element i of the shared array that another block of the cluster has under this name."""

    def read(memory: Shared, i: int, block: int) -> Any:
        _checked(memory, i, kind, 1)
        return memory.of(block)[i]

    return read


# Arithmetic


def splat(kind: str, lanes: int) -> Any:
    return lambda a: np.full(lanes, a, _TYPES[kind])


def pack(kind: str, lanes: int) -> Any:
    return lambda *scalars: np.array(scalars, _TYPES[kind])


def lane_sum(kind: str, lanes: int) -> Any:
    def add(v: Any) -> Any:
        while len(v) > 1:
            v = v[: len(v) // 2] + v[len(v) // 2 :]
        return v[0]

    return add


def arithmetic(name: str, kind: str, lanes: int = 1) -> Any:
    whole = kind in ("i32", "i64")
    operations: dict[str, Callable[[Any, Any], Any]] = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a // b if whole else a / b,
        "rem": lambda a, b: a % b,
        "shl": lambda a, b: a << b,
    }
    return operations[name]


def fma(kind: str, lanes: int = 1) -> Any:
    """Of f32 by way of f64, where the product is exact; of f64 rounded twice."""
    return lambda a, b, c: _scalar_or_vector(kind, np.multiply(a, b, dtype=np.float64) + np.float64(c))


def of_one(name: str, kind: str, lanes: int = 1) -> Any:
    return {"abs": np.abs, "sqrt": np.sqrt, "neg": np.negative}[name]


def compared(name: str, kind: str, lanes: int = 1) -> Any:
    return {"lt": np.less, "le": np.less_equal, "gt": np.greater}[name]


def extreme(name: str, kind: str, lanes: int = 1) -> Any:
    """b where it is beyond a, else a, so that a NaN in a stays."""
    beyond = {"min": np.less, "max": np.greater}[name]
    return lambda a, b: _scalar_or_vector(kind, np.where(beyond(b, a), b, a))


def selected(kind: str, lanes: int = 1) -> Any:
    return lambda mask, a, b: _scalar_or_vector(kind, np.where(mask, a, b))


def inverted(kind: str, lanes: int) -> Any:
    return np.logical_not


# Conversions


def converted(kind: str, lanes: int, source: str) -> Any:
    """converted(a): each lane's value as another kind; halves are held as their bits."""
    from ml_dtypes import bfloat16

    halves = {"f16": np.float16, "bf16": bfloat16}

    def convert(a: Any) -> Any:
        if source in halves:
            return _scalar_or_vector(kind, np.asarray(a, np.uint16).view(halves[source]).astype(_TYPES[kind]))
        if kind in halves:
            return _scalar_or_vector(kind, np.asarray(a).astype(halves[kind]).view(np.uint16))
        return _scalar_or_vector(kind, a)

    return convert


def reinterpreted(kind: str, lanes: int, source: str) -> Any:
    return lambda a: _scalar_or_vector(kind, np.asarray(a, _TYPES[source]).view(_TYPES[kind]))


# Threads. The simulator's thread knows its numbers, and the manager of the simulated block that it belongs to.


class GivenUp(Exception):
    """Another thread of the block failed."""


class _Turns:
    """The threads of a simulated block, of which one runs at a time; and what they have in common.

    A thread waits for its turn at a lock of its own, which another releases.
    """

    def __init__(self, count: int) -> None:
        self.common: dict[Any, Any] = {}
        self.failed = False
        self._count = count
        self._ready: deque[threading.Lock] = deque()
        self._waiting: dict[Any, list[threading.Lock]] = {}

    def begin(self) -> None:
        """Wait until all threads have come, and for the turn."""
        own = _here().turn = threading.Lock()
        own.acquire()
        with _guard:
            self._ready.append(own)
            complete = len(self._ready) == self._count
        if complete:
            self._ready.popleft().release()
        own.acquire()

    def meet(self, key: Any, count: int) -> None:
        """Wait until `count` threads have come here; the last goes on at once."""
        waiting = self._waiting.setdefault(key, [])
        if len(waiting) == count - 1:
            self._ready.extend(waiting)
            waiting.clear()
            return
        waiting.append(_here().turn)
        self.pass_on()
        _here().turn.acquire()
        if self.failed:
            raise GivenUp

    def pass_on(self) -> None:
        """Give the turn to the next thread."""
        if self._ready:
            self._ready.popleft().release()
        elif any(self._waiting.values()):
            at = ", ".join(f"{len(locks)} at {key}" for key, locks in self._waiting.items() if locks)
            self.fail()
            raise RuntimeError(f"threads wait for others that never come: {at}")

    def fail(self) -> None:
        """Wake everybody, to give up."""
        self.failed = True
        for lock in (*self._ready, *(lock for locks in self._waiting.values() for lock in locks)):
            lock.release()
        self._ready.clear()
        self._waiting.clear()


_guard = threading.Lock()


def _here() -> Any:
    return threading.current_thread()


def _turns() -> _Turns:
    manager = _here()._manager
    with _guard:
        if not hasattr(manager, "turns"):
            manager.turns = _Turns(int(np.prod(manager._block_dim)))
        turns: _Turns = manager.turns
    return turns


def _blocks_at_once() -> int:
    return int(_here()._manager._block_dim[1])


def _block_here() -> int:
    return int(_here().threadIdx.y)


def block_number() -> int:
    here = _here()
    return int(here.blockIdx.x * _blocks_at_once() + here.threadIdx.y)


def thread_number() -> int:
    return int(_here().threadIdx.x)


def _common(key: Any, make: Callable[[], Any]) -> Any:
    """What the first thread that asks makes, for all threads of the simulated block."""
    common = _here()._manager.turns.common
    if key not in common:
        common[key] = make()
    return common[key]


def _meet(scope: str) -> None:
    """Wait for all threads of a warp, a block, or all that run at once."""
    manager, block = _here()._manager, _block_here()
    threads = int(manager._block_dim[0])
    if scope == "warp":
        manager.turns.meet((scope, block, thread_number() // _WARP), _WARP)
    elif scope == "block":
        manager.turns.meet((scope, block), threads)
    else:
        manager.turns.meet(scope, threads * _blocks_at_once())


def barrier(scope: str) -> Any:
    """barrier(): all threads of the scope come here before one goes on."""
    return lambda: _meet(scope)


def clusters_of(blocks: int) -> Any:
    return lambda: None


def shuffle_xor(kind: str) -> Any:
    """shuffle_xor(value, lanes): the value in the thread of this warp whose lane differs by the bits of `lanes`."""
    return lambda value, lanes: _exchange(kind, value, thread_number() % _WARP ^ lanes)


def from_lane(kind: str) -> Any:
    """from_lane(value, lane): the value in one lane of this warp."""
    return lambda value, lane: _exchange(kind, value, lane)


def _exchange(kind: str, value: Any, lane: int) -> Any:
    """Each thread of a warp lays down its value and takes one; of two tables in turn, so that one barrier will do."""
    here, thread = _here(), thread_number()
    here.exchanges = turn = getattr(here, "exchanges", 0) + 1
    table = _common(("table", _block_here(), thread // _WARP, turn % 2), lambda: [None] * _WARP)
    table[thread % _WARP] = _TYPES[kind](value)
    _meet("warp")
    return table[lane]


# Kernels


def function(python: Callable[..., Any]) -> Any:
    return python


class Kernel:
    """A kernel in the simulator, on numpy arrays."""

    def __init__(self, python: Callable[..., Any], threads: int, cluster: int, cooperative: bool) -> None:
        self.python, self.threads, self.cluster, self.cooperative = python, threads, cluster, cooperative
        self._simulated = cuda.jit(_alone(python))

    def launch(self, blocks: int, stream: Any, *arguments: Any) -> None:
        """Run a grid of so many blocks."""
        at_once = blocks if self.cooperative else self.cluster
        given = [Memory(a) if isinstance(a, np.ndarray) else a for a in arguments]
        self._simulated[(blocks // at_once, 1), (self.threads, at_once)](*given)


def _alone(python: Callable[..., Any]) -> Callable[..., None]:
    """One thread of a kernel, in turn with the others of its block; where it fails, they give up."""

    def run(*arguments: Any) -> None:
        # numba's manager asks again and again whether a thread is alive; its question waits until there is an answer
        here = _here()
        here.is_alive = lambda: bool(here.join())
        turns = _turns()
        turns.begin()
        try:
            if not turns.failed:
                with np.errstate(all="ignore"):
                    python(*arguments)
                turns.pass_on()
        except GivenUp:
            return
        except BaseException:
            turns.fail()
            raise

    run.__name__ = python.__name__
    return run


def kernel(
    threads: int, together: int = 1, shared: int = 0, cluster: int = 1, cooperative: bool = False
) -> Callable[[Callable[..., Any]], Kernel]:
    """Make a Python function a kernel."""
    return lambda python: Kernel(python, threads, cluster, cooperative)
