"""Print a GPU's loop nest as a Python module for numba-cuda: expressions and helpers here, statements in ``templates/numba_cuda``."""

from __future__ import annotations

from dataclasses import dataclass

from gngen import loopnest as ir
from gngen.backends.printing import Helper, Printer, element_count, helpers
from gngen.gpumodel import blocks_of
from gngen.grids import STATIC_SHARED, block_numbers, shared_places
from gngen.loopnest import Buffer, Const, Expr, Launch, Load, LoopNest, Op, Peer, Stmt, Store, Type, Var
from gngen.render import render
from gngen.target import Gpu
from gngen.unroll import unroll_body

_INFIX = {"add": "+", "sub": "-", "mul": "*", "lt": "<", "le": "<=", "gt": ">"}
_NUMPY = {"f32": "np.float32", "f64": "np.float64", "i32": "np.int32", "i64": "np.int64"}
# Registers of a thread that numba's code may take beyond nvcc's, which schedules reckon with; they are handed out so many at a time.
_MORE_REGISTERS = 8
# A helper's name in the shim, by its operation here.
_SHIM = {"select": "selected", "not": "inverted", "cast": "converted", "bitcast": "reinterpreted", "reduce_add": "lane_sum"}
_GROUPS = {
    **dict.fromkeys(("add", "sub", "mul", "div", "rem", "shl"), "arithmetic"),
    **dict.fromkeys(("lt", "le", "gt"), "compared"),
    **dict.fromkeys(("min", "max"), "extreme"),
    **dict.fromkeys(("abs", "sqrt", "neg"), "of_one"),
}
_OF_KIND = ("peer", "shuffle_xor", "from_lane")


@dataclass(frozen=True)
class Kernel:
    """One launch, as a function of the module.

    together: blocks that must find registers on one multiprocessor. shared: bytes of shared memory that the launch asks for.
    numbers: the statements that find a block's place in the grid. arrays: the block's own arrays, each with its place in what the launch
    asks for, or None.
    """

    name: str
    launch: Launch
    threads: int
    together: int
    shared: int
    arrays: tuple[tuple[Buffer, int | None], ...]
    numbers: tuple[Stmt, ...]
    body: tuple[Stmt, ...]
    barriers: tuple[str, ...]


class _Printer(Printer):
    """Infix where numba's operator is one instruction; a product, which is not to be fused with a sum, and a quotient are helpers."""

    def literal(self, value: int | float, kind: str) -> str:
        if kind == "i64":
            return str(value)
        if isinstance(value, float) and (value != value or abs(value) == float("inf")):
            return f"{_NUMPY[kind]}({'np.nan' if value != value else 'np.inf' if value > 0 else '-np.inf'})"
        return repr(value) if kind == "f64" else f"{_NUMPY[kind]}({value!r})"

    def expr(self, e: Expr, binds: int = 0) -> str:
        if isinstance(e, Op) and _is_helper(e):
            return f"{e.name}_{e.args[0].type}({self.args(*e.args)})"
        if isinstance(e, Op) and e.name == "not" and e.type.lanes == 1:
            return f"(not {self.expr(e.args[0], 9)})"
        return super().expr(e, binds)

    def load(self, e: Load) -> str:
        if e.end is not None:
            raise TypeError(f"a partial load of {e.buffer.name} in a kernel for a GPU")
        if e.buffer.space == "register":
            return _register(e.buffer, e.index)
        return f"{_memory('load', e.buffer, e.type)}({e.buffer.name}, {self.flat(e.buffer, e.index)})"

    def store(self, s: Store) -> str:
        if s.end is not None:
            raise TypeError(f"a partial store to {s.buffer.name} in a kernel for a GPU")
        if s.buffer.space == "register":
            return f"{_register(s.buffer, s.index)} = {self.expr(s.value)}"
        return f"{_memory('store', s.buffer, s.value.type)}({s.buffer.name}, {self.flat(s.buffer, s.index)}, {self.expr(s.value)})"

    def peer(self, e: Peer) -> str:
        return f"peer_{e.type}({e.buffer.name}, {self.flat(e.buffer, e.index)}, {self.expr(e.block)})"


def _is_helper(e: Op) -> bool:
    """Whether an operation that other languages write infix is a helper here."""
    if e.name not in (*ir.ARITH, *ir.COMPARE, "rem", "shl", "neg") or e.name in ("min", "max"):
        return False
    t = e.args[0].type
    return t.lanes > 1 or e.name in ("div", "rem", "shl") or (e.name == "mul" and t.kind not in ir.INTS)


def _memory(op: str, buffer: Buffer, t: Type) -> str:
    return f"{op}_shared_{t}" if buffer.space == "shared" else f"{op}_{t}"


def _register(buffer: Buffer, index: tuple[Expr, ...]) -> str:
    """The variable that is one vector of a thread's own array."""
    at = index[0]
    assert isinstance(at, Const), f"{buffer.name} is found by {at}"
    return f"{buffer.name}_at_{at.value}"


def print_module(nest: LoopNest, gpu: Gpu) -> str:
    """The Python text of a nest: one module, a kernel for each launch, and a function that launches them on arrays."""
    launches = [s for s in unroll_body(nest.body) if isinstance(s, Launch)]
    kernels = [_kernel(nest, s, i, gpu) for i, s in enumerate(launches)]
    bodies = [(*k.numbers, *k.body) for k in kernels]
    shared = [array for k in kernels for array in k.arrays]
    return render(
        "numba_cuda/kernel.py.j2",
        nest=nest,
        gpu=gpu,
        kernels=kernels,
        helpers=_definitions(nest, bodies),
        shared=shared,
        scopes=sorted({scope for k in kernels for scope in k.barriers}),
        clusters=sorted({k.launch.cluster for k in kernels if k.launch.cluster > 1}),
        printer=_Printer(_INFIX, scalar_loads=False),
        params=[b.name for b in (*nest.buffers, *nest.workspace)],
        halves_used=sorted({b.kind for b in nest.buffers}.intersection(ir.HALVES)),
        warp=ir.WARP,
        element_count=element_count,
    )


def _kernel(nest: LoopNest, s: Launch, number: int, gpu: Gpu) -> Kernel:
    several = sum(isinstance(other, Launch) for other in nest.body) > 1
    arrays = [a.buffer for a in ir.walk(s.body) if isinstance(a, ir.Alloc) and a.buffer.space == "shared"]
    places = shared_places(s, STATIC_SHARED)
    return Kernel(
        name=f"{nest.name}_{number + 1}" if several else nest.name,
        launch=s,
        threads=s.threads,
        together=_together(s, gpu),
        shared=ir.shared_bytes(s) if places else 0,
        arrays=tuple((b, places.get(b.name)) for b in arrays),
        numbers=tuple(_numbers(s)),
        body=s.body,
        barriers=tuple(b.scope for b in ir.walk(s.body) if isinstance(b, ir.Barrier)),
    )


def _together(s: Launch, gpu: Gpu) -> int:
    """Fewer than the launch has, where numba's code would want for registers; but all blocks of a cooperative launch find theirs."""
    if s.cooperative:
        return -(-blocks_of(s, 1) // gpu.sms)
    if s.together == 1:
        return 1
    registers = gpu.registers // (s.threads * s.together) // _MORE_REGISTERS * _MORE_REGISTERS + _MORE_REGISTERS
    return max(1, gpu.registers // (s.threads * registers))


def _numbers(s: Launch) -> list[Stmt]:
    """What a thread's numbers are, of `block_id` and `thread_id`, those of its block in the grid and of itself in the block."""
    block, thread = Var("block_id", ir.I64), Var("thread_id", ir.I64)
    found: list[Stmt] = []
    for var, extent, (_, stride, _) in zip(s.vars, s.extents, block_numbers(s), strict=True):
        part = ir.div(block, stride)
        found.append(ir.Let(var, part if var is s.vars[0] else ir.rem(part, extent)))
    return [*found, ir.Let(s.warp, ir.div(thread, ir.WARP)), ir.Let(s.lane, ir.rem(thread, ir.WARP))]


def _definitions(nest: LoopNest, bodies: list[tuple[Stmt, ...]]) -> list[tuple[str, str]]:
    """The helpers that the kernels and functions use: their names, and what of the shim they are."""
    found: dict[str, str] = {}
    whole = [*bodies, *(f.body for f in nest.functions)]
    for body in whole:
        for s in ir.walk(body):
            if isinstance(s, Store) and s.buffer.space != "register":
                found.update([_access("store", s.buffer, s.value.type)])
        for e in ir.nest_expressions(body):
            found.update(_of_expr(e))
    for f in nest.functions:
        for e in ir.walk_expr(f.result):
            found.update(_of_expr(e))
    for h in helpers(LoopNest(nest.name, nest.problem, (), nest.batch, (), nest.functions, tuple(s for b in bodies for s in b), 0)):
        if h.op not in ("load", "store", "store_shared") and (h.op != "not" or h.lanes > 1):
            found[h.name] = _shim_call(h)
    return sorted(found.items())


def _of_expr(e: Expr) -> list[tuple[str, str]]:
    if isinstance(e, Load) and e.buffer.space != "register":
        return [_access("load", e.buffer, e.type)]
    if isinstance(e, Peer):
        return [(f"peer_{e.type}", f'peer("{e.type.kind}")')]
    if isinstance(e, Op) and _is_helper(e):
        t = e.args[0].type
        return [(f"{e.name}_{t}", f'{_GROUPS[e.name]}("{e.name}", {_args(t)})')]
    return []


def _access(op: str, buffer: Buffer, t: Type) -> tuple[str, str]:
    space = ', space="shared"' if buffer.space == "shared" else ""
    return _memory(op, buffer, t), f"{op}({_args(t)}{space})"


def _args(t: Type) -> str:
    return f'"{t.kind}"' + (f", {t.lanes}" if t.lanes > 1 else "")


def _shim_call(h: Helper) -> str:
    t = Type(h.kind, h.lanes)
    if h.op in _OF_KIND:
        return f'{h.op}("{h.kind}")'
    if h.op in ("cast", "bitcast"):
        return f'{_SHIM[h.op]}("{h.kind}", {h.lanes}, "{h.source}")'
    if h.op in _GROUPS:
        return f'{_GROUPS[h.op]}("{h.op}", {_args(t)})'
    return f"{_SHIM.get(h.op, h.op)}({_args(t)})"
