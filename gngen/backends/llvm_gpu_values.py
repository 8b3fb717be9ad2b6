"""What the operations of a nest are on a GPU, as LLVM IR: vectors of 16 bytes, exchanges within a warp, barriers, what a kernel is told.

Memory has spaces: 1 that of the GPU, 3 a block's shared memory. What a processor's own instructions are stands in `llvm_nvptx` and
`llvm_amdgcn`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from llvmlite import ir as ll

from gngen import loopnest as ir
from gngen.backends.llvm_values import I32, I64, Bfloat, Operations, like, llvm_type
from gngen.loopnest import Launch, Op, Type
from gngen.target import Gpu

GLOBAL, SHARED = 1, 3
_F32, _BYTE = ll.FloatType(), ll.IntType(8)
_HALVES = {"f16": ll.HalfType(), "bf16": Bfloat()}
# Bytes that one access moves at most.
_ACCESS = 16


class GpuValues(Operations, ABC):
    """The operations on a GPU. small: whether numbers that are divided have 32 bits, which is far faster.

    convention: that of kernels. declared: bytes of shared memory that a kernel may declare. stack: the space of a thread's own memory.
    """

    convention = ""
    declared = 0
    stack = 0

    def __init__(self, module: ll.Module, gpu: Gpu, small: bool) -> None:
        super().__init__(module)
        self.gpu, self.small = gpu, small

    # A processor's own

    @abstractmethod
    def attributes(self, launch: Launch) -> tuple[str, ...]:
        """What its kernel is told of a launch."""

    @abstractmethod
    def block_number(self) -> Any:
        """The number of this block in its grid, an i32."""

    @abstractmethod
    def thread_number(self) -> Any:
        """The number of this thread in its block, an i32."""

    @abstractmethod
    def exchange_xor(self, word: Any, lanes: int) -> Any:
        """The i32 of the thread of this warp whose lane differs by the bits of `lanes`."""

    @abstractmethod
    def exchange_from(self, word: Any, lane: int) -> Any:
        """The i32 of one lane of this warp."""

    @abstractmethod
    def barrier(self, scope: str) -> None:
        """Wait for all threads of a scope, and see what they stored."""

    @abstractmethod
    def peer(self, place: Any, block: Any) -> Any:
        """Where a place in shared memory is in another block of the cluster."""

    # What all have

    def _arithmetic(self, name: str, x: Any, y: Any) -> Any:
        if name == "div" and x.type == I64:
            return self._divided("udiv", x, y)
        return super()._arithmetic(name, x, y)

    def _rem(self, x: Any, y: Any) -> Any:
        return self._divided("urem", x, y)

    def _divided(self, how: str, x: Any, y: Any) -> Any:
        b = self.b
        if not self.small:
            return getattr(b, how)(x, y)
        return b.zext(getattr(b, how)(b.trunc(x, I32), b.trunc(y, I32)), I64)

    def _pack(self, *lanes: Any) -> Any:
        whole = ll.Constant(ll.VectorType(lanes[0].type, len(lanes)), ll.Undefined)
        for k, lane in enumerate(lanes):
            whole = self.b.insert_element(whole, lane, ll.Constant(I32, k))
        return whole

    def op(self, e: Op, args: list[Any]) -> Any:
        if e.name not in ir.SHUFFLES:
            return super().op(e, args)
        assert isinstance(e.args[1], ir.Const)
        number = int(e.args[1].value)
        exchange = self.exchange_xor if e.name == "shuffle_xor" else self.exchange_from
        return self._by_words(args[0], lambda word: exchange(word, number))

    def _by_words(self, x: Any, each: Any) -> Any:
        """A scalar whose words went through `each`."""
        b = self.b
        if not isinstance(x.type, ll.DoubleType) and x.type != I64:
            return b.bitcast(each(b.bitcast(x, I32)), x.type)
        words = b.bitcast(x, ll.VectorType(I32, 2))
        return b.bitcast(self._pack(*(each(b.extract_element(words, ll.Constant(I32, k))) for k in range(2))), x.type)

    def _widen(self, x: Any, kind: str) -> Any:
        b, real = self.b, like(x.type, _F32)
        if kind == "f16":
            return b.fpext(b.bitcast(x, like(x.type, ll.HalfType())), real)
        if not isinstance(x.type, ll.VectorType):
            return b.bitcast(b.shl(b.zext(x, I32), ll.Constant(I32, 16)), real)
        # two to a word, without an instruction that takes them apart
        pairs = ll.VectorType(I32, x.type.count // 2)
        words = b.bitcast(x, pairs)
        even, odd = b.shl(words, ll.Constant(pairs, [16] * pairs.count)), b.and_(words, ll.Constant(pairs, [-65536] * pairs.count))
        return b.bitcast(self.pick(even, odd, [k // 2 + pairs.count * (k % 2) for k in range(x.type.count)]), real)

    def _narrow(self, x: Any, t: Type) -> Any:
        return self.b.bitcast(self.b.fptrunc(x, like(x.type, _HALVES[t.kind])), llvm_type(t))

    # Memory

    def load(self, t: Type, place: Any) -> Any:
        return self.b.load(place, typ=llvm_type(t), align=_alignment(t))

    def store(self, t: Type, place: Any, value: Any) -> Any:
        return self.b.store(value, place, align=_alignment(t))

    def stream(self, t: Type, place: Any, value: Any) -> None:
        """A store of what is not read again."""
        self.store(t, place, value).set_metadata("nontemporal", self.module.add_metadata([ll.Constant(I32, 1)]))

    def shared(self, name: str, size: int) -> Any:
        """An array of a block's own, of so many bytes; of 0: all that its launch asks for."""
        found = self.module.globals.get(name)
        if found is None:
            t = ll.ArrayType(_BYTE, size)
            found = ll.GlobalVariable(self.module, t, name, addrspace=SHARED)
            found.align, found.type = _ACCESS, ll.PointerType(addrspace=SHARED)
            if size:
                found.linkage, found.initializer = "internal", ll.Constant(t, ll.Undefined)
        return found


def _alignment(t: Type) -> int:
    """Of an access, in bytes: its own size, or 16, as which longer ones are taken."""
    return min(_ACCESS, ir.WIDTH[t.kind] * t.lanes // 8)
