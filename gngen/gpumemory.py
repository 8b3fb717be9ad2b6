"""Memory of the GPU, through NVIDIA's driver library; and of numba's simulator, where a GPU's memory is the process's own.

Both have the same functions. A stream is the driver's number of it: 1 is the legacy default stream.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any, Protocol

import numpy as np

from gngen.arrays import Array
from gngen.device import DRIVER, lacks_device, simulated
from gngen.errors import LaunchError, TargetError
from gngen.pool import aligned

LEGACY_STREAM = 1
# Of CUpointer_attribute.
_DEVICE_ORDINAL = 9


class Memory(Protocol):
    """Where arrays of a kernel lie. Addresses and sizes in bytes; what is done on a stream is done in its order."""

    def current(self) -> AbstractContextManager[None]:
        """The GPU is this thread's for so long; everything below happens within."""

    def take(self, size: int, stream: int) -> int:
        """The address of fresh memory."""

    def give_back(self, address: int, stream: int) -> None:
        """Free memory once the stream has come so far."""

    def upload(self, address: int, array: Array, stream: int) -> None:
        """Copy a dense array there; it may be overwritten afterwards."""

    def download(self, array: Array, address: int, stream: int) -> None:
        """Fill a dense array from there, and wait for it."""

    def copy(self, target: int, source: int, size: int, stream: int) -> None:
        """Copy from one place on the GPU to another."""

    def wait(self, stream: int) -> None:
        """Wait until a stream has done all that it was asked for."""

    def device_of(self, address: int) -> int | None:
        """The number of the GPU that has this memory, or None."""

    def argument(self, address: int, size: int, dtype: np.dtype[Any]) -> Any:
        """What a kernel is handed for so many bytes at an address."""


def ask_driver(driver: Any, name: str, *arguments: Any) -> None:
    """Call a function of the driver library; LaunchError with the driver's own name for what it refuses."""
    error = getattr(driver, name)(*arguments)
    if error:
        text = ctypes.c_char_p()
        driver.cuGetErrorName(error, ctypes.byref(text))
        raise LaunchError(f"NVIDIA's driver refused {name}: {(text.value or b'?').decode()} (error {error})")


class DriverMemory:
    """The memory of the first GPU.

    Raises:
        LaunchError: what the driver refuses.
    """

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self._ask("cuInit", 0)
        self._ask("cuDeviceGet", ctypes.byref(device), 0)
        self._ask("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._context = context

    def _ask(self, name: str, *arguments: Any) -> None:
        ask_driver(self.driver, name, *arguments)

    @contextmanager
    def current(self) -> Iterator[None]:
        self._ask("cuCtxPushCurrent_v2", self._context)
        try:
            yield
        finally:
            self._ask("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))

    def take(self, size: int, stream: int) -> int:
        address = ctypes.c_uint64()
        self._ask("cuMemAllocAsync", ctypes.byref(address), ctypes.c_size_t(max(size, 1)), ctypes.c_void_p(stream))
        return address.value

    def give_back(self, address: int, stream: int) -> None:
        self._ask("cuMemFreeAsync", ctypes.c_uint64(address), ctypes.c_void_p(stream))

    def upload(self, address: int, array: Array, stream: int) -> None:
        source = ctypes.c_void_p(array.ctypes.data)
        self._ask("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(address), source, ctypes.c_size_t(array.nbytes), ctypes.c_void_p(stream))
        self.wait(stream)

    def download(self, array: Array, address: int, stream: int) -> None:
        target = ctypes.c_void_p(array.ctypes.data)
        self._ask("cuMemcpyDtoHAsync_v2", target, ctypes.c_uint64(address), ctypes.c_size_t(array.nbytes), ctypes.c_void_p(stream))
        self.wait(stream)

    def copy(self, target: int, source: int, size: int, stream: int) -> None:
        addresses = ctypes.c_uint64(target), ctypes.c_uint64(source)
        self._ask("cuMemcpyDtoDAsync_v2", *addresses, ctypes.c_size_t(size), ctypes.c_void_p(stream))

    def wait(self, stream: int) -> None:
        self._ask("cuStreamSynchronize", ctypes.c_void_p(stream))

    def device_of(self, address: int) -> int | None:
        number = ctypes.c_int()
        error = self.driver.cuPointerGetAttribute(ctypes.byref(number), _DEVICE_ORDINAL, ctypes.c_uint64(address))
        return None if error else number.value

    def argument(self, address: int, size: int, dtype: np.dtype[Any]) -> int:
        return address


class HostMemory:
    """The process's own memory in the part of a GPU's. A kernel is handed flat numpy arrays, or with `addresses` where they begin."""

    def __init__(self, addresses: bool = False) -> None:
        self._addresses = addresses
        self._taken: dict[int, Array] = {}

    def current(self) -> AbstractContextManager[None]:
        return nullcontext()

    def take(self, size: int, stream: int) -> int:
        buffer = aligned(max(size, 1))
        self._taken[buffer.ctypes.data] = buffer
        return int(buffer.ctypes.data)

    def give_back(self, address: int, stream: int) -> None:
        del self._taken[address]

    def upload(self, address: int, array: Array, stream: int) -> None:
        ctypes.memmove(address, array.ctypes.data, array.nbytes)

    def download(self, array: Array, address: int, stream: int) -> None:
        ctypes.memmove(array.ctypes.data, address, array.nbytes)

    def copy(self, target: int, source: int, size: int, stream: int) -> None:
        ctypes.memmove(target, source, size)

    def wait(self, stream: int) -> None:
        """All is done at once."""

    def device_of(self, address: int) -> int | None:
        return 0

    def argument(self, address: int, size: int, dtype: np.dtype[Any]) -> Any:
        if self._addresses:
            return address
        return np.ndarray(size // dtype.itemsize, dtype, memoryview((ctypes.c_uint8 * size).from_address(address)))


@cache
def gpu_memory() -> Memory:
    """The memory of the GPU that is here, or of the simulator. TargetError where there is neither."""
    if simulated():
        return HostMemory()
    if lacks_device():
        raise TargetError(lacks_device())
    return DriverMemory(ctypes.CDLL(DRIVER))
