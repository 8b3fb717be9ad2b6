"""Print a loop nest of launches as CUDA C: expressions here, statements and helper functions in ``templates/cuda``."""

from __future__ import annotations

from functools import partial

from gngen import loopnest as ir
from gngen.backends.c_source import c_literal
from gngen.backends.printing import Helper, Printer, helpers, types
from gngen.grids import STATIC_SHARED, block_numbers, grids_of, shared_places
from gngen.loopnest import Barrier, Buffer, Expr, Launch, Load, LoopNest, Op, Peer, Store, Type
from gngen.render import render
from gngen.target import Gpu

_CTYPES = {"f32": "float", "f64": "double", "i32": "int32_t", "i64": "int64_t", "m32": "int32_t", "m64": "int64_t"}
_CTYPES |= dict.fromkeys(ir.HALVES, "uint16_t")
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "gt": ">", "shl": "<<"}
_BARRIERS = {
    "warp": "__syncwarp()",
    "block": "__syncthreads()",
    "cluster": "cooperative_groups::this_cluster().sync()",
    "grid": "cooperative_groups::this_grid().sync()",
}


class _CudaPrinter(Printer):
    def __init__(self) -> None:
        super().__init__(_INFIX, scalar_loads=True)

    def literal(self, value: int | float, kind: str) -> str:
        return c_literal(value, kind)

    def expr(self, e: Expr, binds: int = 0) -> str:
        match e:
            case Op("div", (a, b)) if e.type == ir.I64:
                return f"div_i64({self.expr(a)}, {self.expr(b)})"
            case Op("rem", (a, b)):
                return f"rem_i64({self.expr(a)}, {self.expr(b)})"
            case Op("shl", (a, b)) if e.type.lanes == 1:  # of signed integers it would be undefined where it overflows
                signed = _CTYPES[e.type.kind]
                return f"({signed})((u{signed}){self.expr(a, 9)} << {self.expr(b, 9)})"
        return super().expr(e, binds)

    def load(self, e: Load) -> str:
        if e.buffer.space == "register":
            return self._held(e.buffer, e.index, e.type)
        return super().load(e)

    def store(self, s: Store) -> str:
        if s.buffer.space == "register":
            return f"{self._held(s.buffer, s.index, s.value.type)} = {self.expr(s.value)}"
        return super().store(s)

    def _held(self, buffer: Buffer, index: tuple[Expr, ...], t: Type) -> str:
        """A whole vector of an array of them."""
        assert t.lanes == buffer.shape[-1]
        return f"{buffer.name}[{self.expr(index[0])}]"

    def peer(self, e: Peer) -> str:
        at = self.flat(e.buffer, e.index)
        return f"*cooperative_groups::this_cluster().map_shared_rank({e.buffer.name} + {at}, {self.expr(e.block)})"


def print_cuda(nest: LoopNest, machine: Gpu) -> str:
    """The CUDA C text of a nest: a kernel for each launch, and one exported function that launches them."""
    found = helpers(nest)
    launches = [s for s in nest.body if isinstance(s, Launch)]
    arrays = (*nest.buffers, *nest.workspace)
    return render(
        "cuda/kernel.cu.j2",
        nest=nest,
        machine=machine,
        helpers=found,
        types=types(nest, found),
        printer=_CudaPrinter(),
        ctype=lambda t: str(t) if t.lanes > 1 else _CTYPES[t.kind],
        ctypes=_CTYPES,
        halves=ir.HALVES,
        halves_used=sorted({b.kind for b in nest.buffers}.intersection(ir.HALVES)),
        described=lambda b: b.kind if b.kind in ir.HALVES else _CTYPES[b.kind],
        element_count=ir.fixed_elements,
        small=nest.problem.sample < 1 << 31,
        launches=[(grid.kernel, s) for grid, s in zip(grids_of(nest, STATIC_SHARED), launches, strict=True)],
        block_count=_block_count,
        strides=block_numbers,
        shared=partial(shared_places, declared=STATIC_SHARED),
        shared_bytes=ir.shared_bytes,
        static_shared=STATIC_SHARED,
        grouped=any(isinstance(s, Barrier) and s.scope in ("cluster", "grid") for s in ir.walk(nest.body)),
        barriers=_BARRIERS,
        params=[_param(b) for b in arrays],
        names=[b.name for b in arrays],
        held_type=lambda b: str(Type(b.kind, b.shape[1])) if b.shape[1] > 1 else _CTYPES[b.kind],
        quarters=_quarters,
    )


def _block_count(launch: Launch) -> str:
    """How many blocks, as an expression."""
    fixed = 1
    symbolic = []
    for extent in launch.extents:
        if isinstance(extent, ir.Const):
            fixed *= int(extent.value)
        else:
            symbolic.append(_CudaPrinter().expr(extent))
    return " * ".join((*symbolic, *([str(fixed)] if fixed > 1 or not symbolic else [])))


def _quarters(h: Helper) -> int:
    """How many 16-byte accesses a vector in memory is."""
    return max(1, h.bits // 128)


def _param(b: Buffer) -> str:
    """Parameters alone are never the memory of an output, which x and the residual may be."""
    if b.space != "input":
        return f"{_CTYPES[b.kind]} *{b.name}"
    alone = "" if b.name in ("x", "residual") else "__restrict__ "
    return f"const {_CTYPES[b.kind]} *{alone}{b.name}"
