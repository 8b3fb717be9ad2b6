"""What an emitted numba-cuda module is made of: operations of the device, or, in numba's simulator, the same in Python."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gngen.device import simulated


def __getattr__(name: str) -> Any:
    """`device`, which imports numba-cuda when it is first asked for."""
    if name != "device":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("gngen.cuda_simulator" if simulated() else "gngen.cuda_intrinsics")
