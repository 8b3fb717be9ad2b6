"""Arrays in and out: numpy's own, and anything on the CPU that speaks DLPack; the answer comes back as the same kind."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from gngen.errors import LaunchError

Array = np.ndarray[Any, np.dtype[Any]]
Wrap = Callable[[Array], Any]
_KDLCPU = 1
# The numpy type of a kind of element, by name; bfloat16 is ml_dtypes'.
_NAMES = {"f32": "float32", "f64": "float64", "f16": "float16"}
# Where a package keeps its from_dlpack, when not at its top.
_HOMES = {"jaxlib": "jax.numpy", "jax": "jax.numpy"}


@cache
def dtype_of(kind: str) -> np.dtype[Any]:
    """The numpy type of a kind of element."""
    if kind == "bf16":
        from ml_dtypes import bfloat16  # here, since only kernels of bfloat16 need it

        half: np.dtype[Any] = np.dtype(bfloat16)
        return half
    return np.dtype(_NAMES[kind])


def packed_strides(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """The strides in bytes of a dense array in C order.

    >>> packed_strides((2, 3), 4)
    (12, 4)
    """
    return tuple(itemsize * math.prod(shape[a + 1 :]) for a in range(len(shape)))


def as_numpy(x: Any, name: str = "x") -> tuple[Array, Wrap]:
    """A numpy view of an array without a copy, and a function that gives a numpy array back as x's kind."""
    if type(x) is np.ndarray:
        return x, _same
    if isinstance(x, np.ndarray):
        return np.asarray(x), _same
    if hasattr(x, "__cuda_array_interface__"):
        raise LaunchError(f"{name}, a {type(x).__name__}, is on a GPU; a CPU kernel takes arrays on the CPU: move it there first")
    if hasattr(x, "__dlpack__"):
        return _from_dlpack(x, name), _wrap_as(x)
    if isinstance(x, (list, tuple, float, int)) or hasattr(x, "__array__"):
        return np.asarray(x), _same
    raise LaunchError(f"{name} is a {type(x).__name__}; a kernel takes numpy arrays and anything that speaks DLPack on the CPU")


def _from_dlpack(x: Any, name: str) -> Array:
    device = x.__dlpack_device__()
    if int(device[0]) != _KDLCPU:
        raise LaunchError(f"{name} is on device {tuple(map(int, device))}; a CPU kernel takes arrays on the CPU: move it there first")
    try:
        if not str(x.dtype if hasattr(x, "dtype") else "").endswith("bfloat16"):
            return np.from_dlpack(x)
        x.__dlpack__()  # what may not be exported says so here: its bits might not
        return np.from_dlpack(x.view(_package(x).int16)).view(dtype_of("bf16"))
    except (BufferError, RuntimeError, TypeError, ValueError) as e:
        raise LaunchError(f"{name}, a {type(x).__name__}, cannot be read through DLPack: {e}") from e


def _same(y: Array) -> Array:
    return y


def _wrap_as(x: Any) -> Wrap:
    """The from_dlpack of the package that x comes from; numpy's own arrays where it has none. bfloat16 goes as the bits of integers."""
    module = _package(x)
    from_dlpack = getattr(module, "from_dlpack", _same)

    def wrap(y: Array) -> Any:
        if y.dtype.name != "bfloat16":
            return from_dlpack(y)
        return from_dlpack(y.view(np.int16)).view(module.bfloat16) if hasattr(module, "bfloat16") else y

    return wrap


def _package(x: Any) -> ModuleType:
    """The package that x comes from."""
    package = type(x).__module__.partition(".")[0]
    home = _HOMES.get(package, package)
    return sys.modules.get(home) or import_module(home)
