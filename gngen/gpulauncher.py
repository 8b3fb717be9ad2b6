"""From arrays to a running kernel on a GPU: those that lie there are taken as they are, numpy's are moved there and back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gngen.arrays import Array, Wrap, packed_strides
from gngen.errors import LaunchError
from gngen.gpuarrays import DeviceArray, as_array
from gngen.gpumemory import LEGACY_STREAM, Memory, gpu_memory
from gngen.launcher import Launcher

# Kernels read and write 16 bytes at once.
ALIGNMENT = 16
# The GPU that kernels run on.
_DEVICE = 0


@dataclass
class GpuLauncher(Launcher):
    """Calls one built kernel on arrays of one layout, on the stream of the first of them that has one, and does not wait for it.

    moves: how many calls moved arrays of numpy's. memory: where arrays lie. Scratch arrays are kept for each stream.
    """

    moves: int = 0
    memory: Memory = field(default_factory=gpu_memory)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._lock = threading.Lock()
        self._scratch: dict[int, tuple[int, list[int]]] = {}  # by stream: for which batch, and where

    @property
    def notes(self) -> list[str]:
        moved = f"note      {self.moves} calls moved numpy arrays to the GPU, or answers back: arrays that are there already are not moved"
        return [*super().notes, *([moved] if self.moves else [])]

    # Of arrays of numpy's, what the CPU's launcher says.

    def _view(self, value: Any, name: str) -> tuple[Any, Wrap]:
        array, wrap = as_array(value, name)
        if isinstance(array, DeviceArray) and array.size:
            device = array.device
            if device is None:
                with self.memory.current():
                    device = self.memory.device_of(array.address)
            if device is None:
                raise LaunchError(f"{name}, a {type(array.owner).__name__}, is not in memory of a GPU, though it says so")
            if device != _DEVICE:
                raise LaunchError(f"{name} is on GPU {device}; this kernel runs on GPU {_DEVICE}: move it there first")
        return array, wrap

    def lies_right(self, x: Any) -> bool:
        if not isinstance(x, DeviceArray):
            return super().lies_right(x)
        if x.address % ALIGNMENT or not x.dtype.isnative:
            return x.size == 0
        if any(want is not None and have != want for have, want in zip(x.strides, self.strides, strict=True)):
            return False
        return x.shape[0] <= 1 or x.strides[0] == self.sample_bytes or x.size == 0

    def _copy(self, x: Any, why: str) -> Any:
        if not isinstance(x, DeviceArray):
            return super()._copy(x, why)
        shift = x.address % ALIGNMENT
        if shift and self.lies_right(replace(x, address=x.address - shift)):
            why = f"it begins {shift} bytes after a multiple of {ALIGNMENT}"
        return self._converted_on_gpu(x, self.dtype, self.layout.order, why)

    def _converted_on_gpu(self, x: DeviceArray, dtype: np.dtype[Any], order: Sequence[int], why: str) -> Any:
        """A dense copy by the array's own library; through the host where that has no conversions."""
        self._note(x, why)
        if x.library.converts:
            return x.library.converted(x.owner, dtype, order)
        there = self._fetched(x)
        back = tuple(int(a) for a in np.argsort(order))
        return np.array(there.transpose(order), dtype, order="C", copy=True).transpose(back)

    def _note(self, x: DeviceArray, why: str) -> None:
        self.copies += 1
        through = f"; {type(x.owner).__name__} has no conversions, so that it went through the host"
        self.copied = why + ("" if x.library.converts else through)

    def _fetched(self, x: DeviceArray) -> Array:
        """The array on the host."""
        first, end = x.span
        raw = np.empty(end - first, np.uint8)
        if raw.size:
            with self.memory.current():
                self.memory.download(raw, first, x.stream or LEGACY_STREAM)
        return np.ndarray(x.shape, x.dtype, raw.data, x.address - first, x.strides)

    def _empty(self, batch: int, like: Any) -> Any:
        if not isinstance(like, DeviceArray):
            return super()._empty(batch, like)
        shape = (batch, *(n or 0 for n in self.rest))
        return like.library.empty(like.owner, shape, self.dtype, self.layout.order)

    def _new_statistic(self, batch: int, like: Any) -> Any:
        if not isinstance(like, DeviceArray):
            return super()._new_statistic(batch, like)
        return like.library.empty(like.owner, (batch, self.problem.groups), self.stat_dtype, (0, 1))

    def _dense(self, array: Any, name: str) -> Any:
        if not isinstance(array, DeviceArray):
            return super()._dense(array, name)
        if array.dtype != self.param_dtype:
            why = f"{name} is {array.dtype} and is converted to {self.param_dtype}"
        elif not _is_packed(array):
            why = f"{name} has strides {array.strides}, which the kernel does not read"
        elif array.address % ALIGNMENT:
            why = f"{name} begins {array.address % ALIGNMENT} bytes after a multiple of {ALIGNMENT}"
        else:
            return array
        return self._converted_on_gpu(array, self.param_dtype, range(array.ndim), why)

    def _counts(self, mask: Any, axes: tuple[int, ...]) -> Any:
        if not isinstance(mask, DeviceArray):
            return super()._counts(mask, axes)
        why = f"mask is {mask.dtype} and is converted to {self.stat_dtype}"
        if not mask.library.converts:
            self._note(mask, why)
            return super()._counts(self._fetched(mask), axes)
        truth = mask if mask.dtype == self.bool_dtype else mask.library.converted(mask.owner, self.bool_dtype, axes)
        return self._converted_on_gpu(truth, self.stat_dtype, axes, why)

    def _writeable(self, array: Any) -> bool:
        return array.writeable if isinstance(array, DeviceArray) else super()._writeable(array)

    def _same_place(self, one: Any, other: Any) -> bool:
        if isinstance(one, DeviceArray) and isinstance(other, DeviceArray):
            return one.address == other.address
        return type(one) is type(other) and super()._same_place(one, other)

    def _share(self, one: Any, other: Any) -> bool:
        if isinstance(one, DeviceArray) and isinstance(other, DeviceArray):
            return one.span[0] < other.span[1] and other.span[0] < one.span[1]
        return type(one) is type(other) and super()._share(one, other)

    def _spoil(self, statistic: Any) -> None:
        if not isinstance(statistic, DeviceArray):
            super()._spoil(statistic)
        elif statistic.size:
            with self.memory.current():
                nan = np.full(statistic.shape, np.nan, statistic.dtype)
                self.memory.upload(statistic.address, nan, statistic.stream or LEGACY_STREAM)

    def _put(self, target: Any, written: Any) -> None:
        if not isinstance(target, DeviceArray):
            super()._put(target, written)
        elif target.library.converts:
            target.library.assign(target.owner, written.owner)
        else:
            with self.memory.current():
                self.memory.copy(target.address, written.address, written.size * written.itemsize, written.stream or LEGACY_STREAM)

    def _output(self, name: str, out: Any, like: Any, data: Sequence[Any], others: Sequence[Any]) -> tuple[Any, Any]:
        target, written = super()._output(name, out, like, data, others)
        if isinstance(target, DeviceArray) and not target.library.converts and not self.lies_right(replace(target, address=0)):
            raise LaunchError(f"{name} has strides {target.strides}; this kernel writes {written.strides}")
        return target, written

    # The launch.

    def _run(self, inputs: Sequence[Any], outputs: Sequence[Any], batch: int) -> None:
        arrays = [*inputs, *outputs]
        streams = [a.stream for a in arrays if isinstance(a, DeviceArray) and a.stream is not None]
        stream = streams[0] if streams else LEGACY_STREAM
        others = sorted({s for s in streams if s != stream})
        moved = {i: a for i, a in enumerate(arrays) if not isinstance(a, DeviceArray)}
        self.moves += bool(moved)
        with self.memory.current(), self._lock:
            for other in others:
                self.memory.wait(other)
            places = {i: self.memory.take(a.nbytes, stream) for i, a in moved.items()}
            try:
                for i, a in moved.items():
                    if i < len(inputs):
                        self.memory.upload(places[i], _in_memory_order(a), stream)
                handed = [self._argument(a, places.get(i)) for i, a in enumerate(arrays)]
                self.entry.launch([*handed, *self._scratch_of(stream, batch)], batch, stream)
                for i, a in moved.items():
                    if i >= len(inputs):
                        self.memory.download(_in_memory_order(a), places[i], stream)
            finally:
                for place in places.values():
                    self.memory.give_back(place, stream)
            if others:  # their libraries may use again what was made of them here
                self.memory.wait(stream)

    def _argument(self, array: Any, place: int | None) -> Any:
        address = array.address if place is None else place
        return self.memory.argument(address, array.size * array.itemsize, array.dtype)

    def _scratch_of(self, stream: int, batch: int) -> list[Any]:
        """The stream's scratch arrays, made anew when a larger batch comes: the stream itself keeps calls apart."""
        kept, places = self._scratch.get(stream, (-1, []))
        if kept < batch:
            for place in places:
                self.memory.give_back(place, stream)
            self._scratch.pop(stream, None)
            places = [self.memory.take(8 * count * batch, stream) for count in self.workspace]
            self._scratch[stream] = batch, places
        doubles = np.dtype(np.float64)
        return [self.memory.argument(place, 8 * count * batch, doubles) for place, count in zip(places, self.workspace, strict=True)]


def _in_memory_order(a: Array) -> Array:
    """A dense array as a flat one over the same memory."""
    order = sorted(range(a.ndim), key=lambda axis: (-a.strides[axis], axis))
    flat = a.transpose(order).reshape(-1)
    assert not flat.size or np.may_share_memory(flat, a)
    return flat


def _is_packed(a: DeviceArray) -> bool:
    """Whether an array is dense, in C order."""
    pairs = zip(a.shape, a.strides, packed_strides(a.shape, a.itemsize), strict=True)
    return all(n <= 1 or have == want for n, have, want in pairs)
