"""Arrays on a GPU: what others' look like, read where they lie and without a copy, and how their own libraries make more of them.

Taken are torch's tensors, what has `__cuda_array_interface__` (numba's device arrays, CuPy's), and what speaks DLPack on a CUDA device.
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from gngen.arrays import Array, Wrap, as_numpy, dtype_of, packed_strides
from gngen.device import simulated
from gngen.errors import LaunchError
from gngen.gpumemory import LEGACY_STREAM
from gngen.problem import memory_order

# Of DLDeviceType: CUDA's, and its managed memory.
_CUDA_DEVICES = (2, 13)
# Of DLDataTypeCode, as letters of numpy; 4 is bfloat16.
_CODES = {0: "i", 1: "u", 2: "f", 6: "b"}
_BFLOAT = 4
# Types of torch's that numpy has by the same name.
_TORCH_DTYPES = (
    "float16", "float32", "float64", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
)  # fmt: skip


class Library(Protocol):
    """What a library can do with its own arrays. converts: whether it has conversions and assignments."""

    @property
    def converts(self) -> bool: ...

    def empty(self, like: Any, shape: Sequence[int], dtype: np.dtype[Any], order: Sequence[int]) -> DeviceArray:
        """An uninitialised array whose axes lie in that order in memory, outermost first."""

    def converted(self, array: Any, dtype: np.dtype[Any], order: Sequence[int]) -> DeviceArray:
        """A dense copy of another type, in that order."""

    def assign(self, target: Any, source: Any) -> None:
        """Copy the elements of one array into another."""


@dataclass(frozen=True)
class DeviceArray:
    """An array on a GPU as a kernel sees it.

    strides: in bytes. stream: the driver's number of the stream that works on it; None where it is ready. owner: whose memory it is, the
    caller's own object. device: the number of its GPU, where the owner says. kept: what else has to live as long.
    """

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    writeable: bool
    stream: int | None
    device: int | None
    owner: Any
    library: Library
    kept: Any = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @cached_property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    def astype(self, dtype: np.dtype[Any], copy: bool = True) -> DeviceArray:
        """The array in another type, of its library's own making. LaunchError where that has no conversions."""
        if self.dtype == dtype and not copy:
            return self
        if not self.library.converts:
            raise LaunchError(f"x is {self.dtype} on a GPU, and {type(self.owner).__name__} has no conversion to {dtype}: give it as that")
        order = memory_order(self.shape, self.strides, self.itemsize) or range(self.ndim)
        return self.library.converted(self.owner, dtype, order)

    @property
    def span(self) -> tuple[int, int]:
        """The addresses of its first byte, and of the one after its last."""
        if not self.size:
            return self.address, self.address
        reach = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        return self.address + sum(min(0, r) for r in reach), self.address + sum(max(0, r) for r in reach) + self.itemsize


def as_array(x: Any, name: str = "x") -> tuple[Any, Wrap]:
    """A view of an array without a copy, numpy's or a DeviceArray, and a function that gives a result back as x's kind."""
    return (read_array(x, name), owner_of) if is_on_gpu(x) else as_numpy(x, name)


def owner_of(y: Any) -> Any:
    """The caller's kind of array of a DeviceArray; other arrays are themselves."""
    return y.owner if isinstance(y, DeviceArray) else y


def is_on_gpu(x: Any) -> bool:
    """Whether an array is on a GPU, or says so in numba's simulator."""
    if type(x) is np.ndarray:
        return False
    if isinstance(x, DeviceArray):
        return True
    if _is_torch(x):
        return bool(x.is_cuda)
    if hasattr(x, "__cuda_array_interface__") or _is_simulated(x):
        return True
    return hasattr(x, "__dlpack_device__") and int(x.__dlpack_device__()[0]) in _CUDA_DEVICES


def read_array(x: Any, name: str) -> DeviceArray:
    """An array on a GPU where it lies. LaunchError for one that cannot be read so."""
    if isinstance(x, DeviceArray):
        return x
    if _is_torch(x):
        return describe_torch(x, name)
    if _is_simulated(x):
        return _describe_simulated(x)
    if hasattr(x, "__cuda_array_interface__"):
        return _describe_interface(x, name)
    return _describe_dlpack(x, name)


def _is_simulated(x: Any) -> bool:
    return simulated() and getattr(x, "__cuda_ndarray__", False) is True and type(x).__name__ == "FakeCUDAArray"


def _is_torch(x: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def _library_of(x: Any) -> Library:
    """CuPy's for CuPy's arrays; numba's for all others."""
    return CupyLibrary() if type(x).__module__.partition(".")[0] == "cupy" else NumbaLibrary()


# torch


def describe_torch(x: Any, name: str) -> DeviceArray:
    """A tensor, on torch's current stream."""
    if x.requires_grad:
        raise LaunchError(f"{name}, a {type(x).__name__}, requires gradient, which a kernel does not compute: give {name}.detach()")
    if str(x.layout) != "torch.strided" or x.is_neg():
        raise LaunchError(f"{name}, a {type(x).__name__}, is {x.layout} or a negated view; a kernel takes what lies in memory as it is")
    dtype = _torch_dtype(str(x.dtype).removeprefix("torch."), name)
    strides = tuple(s * dtype.itemsize for s in x.stride())
    stream = sys.modules["torch"].cuda.current_stream(x.device).cuda_stream if x.is_cuda else 0
    shape, device = tuple(x.shape), x.device.index
    return DeviceArray(x.data_ptr(), shape, strides, dtype, True, stream or LEGACY_STREAM, device, x, TorchLibrary())


def _torch_dtype(name: str, what: str) -> np.dtype[Any]:
    if name == "bfloat16":
        return dtype_of("bf16")
    if name not in _TORCH_DTYPES:
        raise LaunchError(f"{what} is {name}, which no kernel takes")
    return np.dtype(name)


class TorchLibrary:
    """torch's own allocator and conversions, on its current stream."""

    converts = True

    def empty(self, like: Any, shape: Sequence[int], dtype: np.dtype[Any], order: Sequence[int]) -> DeviceArray:
        torch = sys.modules["torch"]
        dense = torch.empty([shape[a] for a in order], dtype=getattr(torch, dtype.name), device=like.device)
        return describe_torch(dense.permute(_inverse(order)), "out")

    def converted(self, array: Any, dtype: np.dtype[Any], order: Sequence[int]) -> DeviceArray:
        torch = sys.modules["torch"]
        dense = array.permute(tuple(order)).to(getattr(torch, dtype.name), copy=True, memory_format=torch.contiguous_format)
        return describe_torch(dense.permute(_inverse(order)), "x")

    def assign(self, target: Any, source: Any) -> None:
        target.copy_(source)


# The CUDA array interface


def _describe_interface(x: Any, name: str) -> DeviceArray:
    said = x.__cuda_array_interface__
    if said.get("mask") is not None:
        raise LaunchError(f"{name}, a {type(x).__name__}, is masked, and a kernel takes no masked arrays")
    address, read_only = said["data"]
    shape, dtype = tuple(said["shape"]), np.dtype(getattr(x, "dtype", None) or said["typestr"])
    strides = said.get("strides") or packed_strides(shape, dtype.itemsize)
    return DeviceArray(address or 0, shape, tuple(strides), dtype, not read_only, said.get("stream") or None, None, x, _library_of(x))


class CupyLibrary:
    """CuPy's own allocator and conversions, on its current stream."""

    converts = True

    def empty(self, like: Any, shape: Sequence[int], dtype: np.dtype[Any], order: Sequence[int]) -> DeviceArray:
        dense = sys.modules["cupy"].empty(tuple(shape[a] for a in order), dtype)
        return _describe_interface(dense.transpose(_inverse(order)), "out")

    def converted(self, array: Any, dtype: np.dtype[Any], order: Sequence[int]) -> DeviceArray:
        dense = array.transpose(tuple(order)).astype(dtype, order="C", copy=True)
        return _describe_interface(dense.transpose(_inverse(order)), "x")

    def assign(self, target: Any, source: Any) -> None:
        target[...] = source


class NumbaLibrary:
    """numba's device arrays, which have no conversions; of the simulator too, and for arrays of libraries that are not known here."""

    converts = False

    def empty(self, like: Any, shape: Sequence[int], dtype: np.dtype[Any], order: Sequence[int]) -> DeviceArray:
        try:
            from numba import cuda
        except ImportError as e:
            raise LaunchError(f"there is no numba here to make an array like a {type(like).__name__}: give out, and ask for y alone") from e
        dense = packed_strides([shape[a] for a in order], dtype.itemsize)
        array = cuda.device_array(tuple(shape), dtype, strides=tuple(dense[at] for at in _inverse(order)))
        return read_array(array, "out")

    def converted(self, array: Any, dtype: np.dtype[Any], order: Sequence[int]) -> DeviceArray:
        raise NotImplementedError

    def assign(self, target: Any, source: Any) -> None:
        raise NotImplementedError


def _describe_simulated(x: Any) -> DeviceArray:
    """A device array of numba's simulator, which has no such interface: it lies in the process's memory."""
    a: Array = x._ary
    return DeviceArray(a.ctypes.data, a.shape, a.strides, a.dtype, bool(a.flags.writeable), None, 0, x, NumbaLibrary())


# DLPack


class _Tensor(ctypes.Structure):
    """DLTensor, with which a DLManagedTensor begins."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("offset", ctypes.c_uint64),
    )


class _Versioned(ctypes.Structure):
    """DLManagedTensorVersioned; the least bit of its flags is set where the tensor may only be read."""

    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    )


def _describe_dlpack(x: Any, name: str) -> DeviceArray:
    """What a capsule says. It is kept, not consumed: it frees what it holds when it goes."""
    try:
        try:
            capsule = x.__dlpack__(stream=LEGACY_STREAM, max_version=(1, 0))
        except TypeError:  # from before there were versions
            capsule = x.__dlpack__(stream=LEGACY_STREAM)
    except (BufferError, RuntimeError, TypeError, ValueError) as e:
        raise LaunchError(f"{name}, a {type(x).__name__}, cannot be read through DLPack: {e}") from e
    t, read_only = _in_capsule(capsule)
    dtype = _dlpack_dtype(t, name)
    shape = tuple(t.shape[i] for i in range(t.rank))
    strides = tuple(t.strides[i] * dtype.itemsize for i in range(t.rank)) if t.strides else packed_strides(shape, dtype.itemsize)
    address = (t.data or 0) + t.offset
    return DeviceArray(address, shape, strides, dtype, not read_only, LEGACY_STREAM, t.device, x, NumbaLibrary(), capsule)


def _in_capsule(capsule: Any) -> tuple[_Tensor, bool]:
    """The tensor in a capsule, and whether it may only be read; an old one does not say, so that it is."""
    api = ctypes.pythonapi
    api.PyCapsule_IsValid.restype, api.PyCapsule_IsValid.argtypes = ctypes.c_int, [ctypes.py_object, ctypes.c_char_p]
    api.PyCapsule_GetPointer.restype, api.PyCapsule_GetPointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    if not api.PyCapsule_IsValid(capsule, b"dltensor_versioned"):
        return _Tensor.from_address(api.PyCapsule_GetPointer(capsule, b"dltensor")), True
    managed = _Versioned.from_address(api.PyCapsule_GetPointer(capsule, b"dltensor_versioned"))
    return managed.tensor, bool(managed.flags & 1)


def _dlpack_dtype(t: _Tensor, name: str) -> np.dtype[Any]:
    if t.code == _BFLOAT and (t.bits, t.lanes) == (16, 1):
        return dtype_of("bf16")
    if t.code not in _CODES or t.lanes != 1:
        raise LaunchError(f"{name} is of DLPack's type {t.code} with {t.bits} bits and {t.lanes} lanes, which no kernel takes")
    return np.dtype(f"{_CODES[t.code]}{t.bits // 8}")


def _inverse(order: Sequence[int]) -> tuple[int, ...]:
    """Where in memory order each axis is."""
    return tuple(int(a) for a in np.argsort(order))
