"""Kernels as PTX, which NVIDIA's driver compiles for the GPU that is here, and their launches; no package is needed."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from gngen.errors import LaunchError
from gngen.gpumemory import DriverMemory, ask_driver, gpu_memory
from gngen.grids import Grid

# Of CUfunction_attribute: the most bytes of shared memory that a launch may ask for.
_MOST_SHARED = 8
_MOST_BLOCKS = (1 << 31) - 1


class PtxEntry:
    """A loaded kernel: takes the addresses of its arrays on the device in the order of the nest, then the batch.

    Raises:
        LaunchError: what the driver refuses.
    """

    def __init__(self, ptx: bytes, grids: Sequence[Grid], memory: DriverMemory) -> None:
        self._driver = memory.driver
        self._module = ctypes.c_void_p()
        with memory.current():
            self._ask("cuModuleLoadData", ctypes.byref(self._module), ctypes.c_char_p(ptx))
            self._kernels = [(grid, self._function(grid)) for grid in grids]

    def _ask(self, name: str, *arguments: Any) -> None:
        ask_driver(self._driver, name, *arguments)

    def _function(self, grid: Grid) -> ctypes.c_void_p:
        function = ctypes.c_void_p()
        self._ask("cuModuleGetFunction", ctypes.byref(function), self._module, grid.kernel.encode())
        if grid.shared:
            self._ask("cuFuncSetAttribute", function, _MOST_SHARED, grid.shared)
        return function

    def launch(self, addresses: Sequence[int], batch: int, stream: int) -> None:
        """Launch on a stream of the driver's, and do not wait. Clusters are part of the kernels."""
        values = [*(ctypes.c_uint64(a) for a in addresses), ctypes.c_int64(batch)]
        arguments = (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for v in values))
        for grid, function in self._kernels:
            blocks = grid.blocks(batch)
            if blocks > _MOST_BLOCKS:
                raise LaunchError(f"{grid.kernel} has {blocks} blocks of a batch of {batch}, more than {_MOST_BLOCKS}")
            if not blocks:
                continue
            sizes = (blocks, 1, 1, grid.threads, 1, 1, grid.shared)
            if grid.cooperative:
                self._ask("cuLaunchCooperativeKernel", function, *sizes, ctypes.c_void_p(stream), arguments)
            else:
                self._ask("cuLaunchKernel", function, *sizes, ctypes.c_void_p(stream), arguments, None)


def load_ptx(ptx: str, grids: Sequence[Grid]) -> PtxEntry:
    """Kernels on the GPU that is here. TargetError where there is none."""
    memory = gpu_memory()
    assert isinstance(memory, DriverMemory), "the simulator runs no PTX"
    return PtxEntry(ptx.encode(), grids, memory)
