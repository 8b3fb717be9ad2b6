"""What NVIDIA's processors have, as LLVM's target nvptx64 calls it: numbers, shuffles, barriers, clusters."""

from __future__ import annotations

from typing import Any

from llvmlite import ir as ll

from gngen.backends.llvm_gpu_values import GLOBAL, GpuValues
from gngen.backends.llvm_values import I32, I64, VOID, add_attributes
from gngen.grids import STATIC_SHARED
from gngen.loopnest import Launch

# The space of the shared memory of all blocks of a cluster.
_CLUSTER_SHARED = 7
_ALL_LANES, _LAST_LANE = ll.Constant(I32, -1), ll.Constant(I32, 31)


class NvptxValues(GpuValues):
    convention = "ptx_kernel"
    declared = STATIC_SHARED

    def attributes(self, launch: Launch) -> tuple[str, ...]:
        clusters = (f'"nvvm.cluster_dim"="{launch.cluster}"',) if launch.cluster > 1 else ()
        return (f'"nvvm.maxntid"="{launch.threads}"', f'"nvvm.minctasm"="{launch.together}"', *clusters)

    def _register(self, name: str) -> Any:
        return self.intrinsic(f"llvm.nvvm.read.ptx.sreg.{name}", I32)

    def block_number(self) -> Any:
        return self._register("ctaid.x")

    def thread_number(self) -> Any:
        return self._register("tid.x")

    def exchange_xor(self, word: Any, lanes: int) -> Any:
        return self._shuffle("bfly", word, lanes)

    def exchange_from(self, word: Any, lane: int) -> Any:
        return self._shuffle("idx", word, lane)

    def _shuffle(self, how: str, word: Any, number: int) -> Any:
        return self.intrinsic(f"llvm.nvvm.shfl.sync.{how}.i32", I32, _ALL_LANES, word, ll.Constant(I32, number), _LAST_LANE)

    def barrier(self, scope: str) -> None:
        if scope == "warp":
            self.intrinsic("llvm.nvvm.bar.warp.sync", VOID, _ALL_LANES)
        elif scope == "block":
            self._wait_for_block()
        elif scope == "cluster":
            self.intrinsic("llvm.nvvm.barrier.cluster.arrive.aligned", VOID)
            self.intrinsic("llvm.nvvm.barrier.cluster.wait.aligned", VOID)
        else:
            self.b.call(self._grid_barrier(), [])

    def _wait_for_block(self) -> None:
        self.intrinsic("llvm.nvvm.barrier.cta.sync.aligned.all", VOID, ll.Constant(I32, 0))

    def peer(self, place: Any, block: Any) -> Any:
        there = ll.PointerType(addrspace=_CLUSTER_SHARED)
        return self.intrinsic("llvm.nvvm.mapa.shared.cluster", there, place, self.b.trunc(block, I32))

    def _grid_barrier(self) -> ll.Function:
        """As CUDA's cooperative groups have it: a counter of the driver's, whose highest bit turns when the last block has come."""
        f = self.module.globals.get("wait_for_grid")
        if f is not None:
            return f
        f = ll.Function(self.module, ll.FunctionType(VOID, []), "wait_for_grid")
        f.linkage = "internal"
        add_attributes(f, "nounwind", "convergent", "alwaysinline")
        outside, b = self.b, ll.IRBuilder(f.append_basic_block("entry"))
        self.b = b
        self._wait_for_block()
        with b.if_then(b.icmp_unsigned("==", self.thread_number(), ll.Constant(I32, 0))):
            high, low = (b.zext(self._register(f"envreg{k}"), I64) for k in (1, 2))
            address = b.add(b.or_(b.shl(high, ll.Constant(I64, 32)), low), ll.Constant(I64, 4))
            counter = b.inttoptr(address, ll.PointerType(addrspace=GLOBAL))
            first = b.icmp_unsigned("==", self.block_number(), ll.Constant(I32, 0))
            rest = b.sub(ll.Constant(I32, -(1 << 31) + 1), self._register("nctaid.x"))
            before = b.atomic_rmw("add", counter, b.select(first, rest, ll.Constant(I32, 1)), 'syncscope("device") release')
            again, done = b.append_basic_block("again"), b.append_basic_block("done")
            b.branch(again)
            b.position_at_end(again)
            now = b.load_atomic(counter, 'syncscope("device") acquire', 4, typ=I32)
            b.cbranch(b.icmp_signed("<", b.xor(now, before), ll.Constant(I32, 0)), done, again)
            b.position_at_end(done)
        self._wait_for_block()
        b.ret_void()
        self.b = outside
        return f
