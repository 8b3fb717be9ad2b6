"""What AMD's processors with warps of 32 have, as LLVM's target amdgcn calls it: numbers, exchanges, barriers. There are no clusters."""

from __future__ import annotations

from typing import Any

from llvmlite import ir as ll

from gngen.backends.llvm_gpu_values import GpuValues
from gngen.backends.llvm_values import I32, VOID
from gngen.loopnest import WARP, Launch

# Of ds_swizzle: take the lane's number, then turn some of its bits.
_ALL_BITS, _TURNED = WARP - 1, 10
# A multiprocessor's parts, each with registers of its own.
_SIMDS = 4
_SCOPES = {"warp": ("wavefront", "llvm.amdgcn.wave.barrier"), "block": ("workgroup", "llvm.amdgcn.s.barrier")}


class AmdgcnValues(GpuValues):
    convention = "amdgpu_kernel"
    declared = 65536
    stack = 5

    def attributes(self, launch: Launch) -> tuple[str, ...]:
        # as many as find registers where each has all it may: told less or more, LLVM moves loads ahead until some are spilled
        waves = self.gpu.registers // (_SIMDS * WARP * self.gpu.registers_thread)
        return (f'"amdgpu-flat-work-group-size"="{launch.threads},{launch.threads}"', f'"amdgpu-waves-per-eu"="{waves}"')

    def block_number(self) -> Any:
        return self.intrinsic("llvm.amdgcn.workgroup.id.x", I32)

    def thread_number(self) -> Any:
        return self.intrinsic("llvm.amdgcn.workitem.id.x", I32)

    def exchange_xor(self, word: Any, lanes: int) -> Any:
        return self.intrinsic("llvm.amdgcn.ds.swizzle", I32, word, ll.Constant(I32, lanes << _TURNED | _ALL_BITS))

    def exchange_from(self, word: Any, lane: int) -> Any:
        return self.intrinsic("llvm.amdgcn.readlane.i32", I32, word, ll.Constant(I32, lane))

    def barrier(self, scope: str) -> None:
        who, name = _SCOPES[scope]
        self.b.fence("release", who)
        self.intrinsic(name, VOID)
        self.b.fence("acquire", who)

    def peer(self, place: Any, block: Any) -> Any:
        raise TypeError("there are no clusters")
