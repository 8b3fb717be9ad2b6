"""The GPU that is here, asked of NVIDIA's driver library; no package is needed."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from functools import cache

# NVIDIA's driver library.
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
# Numbers of CUdevice_attribute.
_ATTRIBUTES = {
    "warp": 10, "sms": 16, "registers": 82, "threads_block": 1, "threads_sm": 39, "blocks_sm": 106, "shared_block": 97, "shared_sm": 81,
    "l2": 38, "major": 75, "minor": 76, "clusters": 120, "memory_khz": 36, "memory_bits": 37,
}  # fmt: skip


@dataclass(frozen=True)
class Device:
    """What the driver says of a GPU; sizes in bytes."""

    name: str
    capability: tuple[int, int]
    facts: dict[str, int]

    @property
    def bandwidth(self) -> int:
        """GB/s of its memory, which moves two bits a clock on each line; 0 where the driver does not say."""
        return 2 * self.facts["memory_khz"] * self.facts["memory_bits"] // 8_000_000


def simulated() -> bool:
    """Whether this process runs numba's kernels in its CUDA simulator, as $NUMBA_ENABLE_CUDASIM said when it began."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


@cache
def find_device() -> Device | str:
    """The first GPU, or why there is none."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return f"NVIDIA's driver is not installed ({DRIVER} cannot be loaded)"
    status = driver.cuInit(0)
    if status:
        return f"NVIDIA's driver does not start (error {status})"
    count, device = ctypes.c_int(), ctypes.c_int()
    if driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value or driver.cuDeviceGet(ctypes.byref(device), 0):
        return "NVIDIA's driver finds no GPU"
    text = ctypes.create_string_buffer(256)
    driver.cuDeviceGetName(text, len(text), device)
    facts = {key: _attribute(driver, number, device) for key, number in _ATTRIBUTES.items()}
    return Device(text.value.decode(errors="replace"), (facts["major"], facts["minor"]), facts)


def _attribute(driver: ctypes.CDLL, number: int, device: ctypes.c_int) -> int:
    value = ctypes.c_int()
    return value.value if driver.cuDeviceGetAttribute(ctypes.byref(value), number, device) == 0 else 0


def lacks_device() -> str:
    """Why nothing can run on a GPU here, and what can instead; or ""."""
    found = find_device()
    return f"there is no GPU here: {found}; target auto runs on the CPU" if isinstance(found, str) else ""
