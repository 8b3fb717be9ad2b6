"""What printing a nest has in common over languages: expressions, and the helper functions that they call.

Infix operators print as themselves; every other operation prints as a call of a helper named by operation and type, as
``fma_f32x16(a, b, c)``. The templates of a language define the helpers that a nest uses.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gngen import loopnest as ir
from gngen.loopnest import Buffer, Call, Const, Expr, Load, LoopNest, Op, Peel, Peer, Prefetch, Stmt, Store, Type, Var
from gngen.target import Machine

_BINDS = {"+": 4, "-": 4, "*": 5, "/": 5, "//": 5, "%": 5, "<": 2, "<=": 2, ">": 2, "<<": 3}


@dataclass(frozen=True, order=True)
class Helper:
    """One helper function: an operation, on lanes of a kind (and, for conversions, from another)."""

    op: str
    kind: str
    lanes: int
    source: str = ""

    @property
    def type(self) -> str:
        return str(Type(self.kind, self.lanes))

    @property
    def source_type(self) -> str:
        return str(Type(self.source, self.lanes))

    @property
    def name(self) -> str:
        return helper_name(self.op, Type(self.kind, self.lanes), self.source)

    @property
    def bits(self) -> int:
        return ir.WIDTH[self.kind] * self.lanes


def helper_name(op: str, t: Type, source: str = "") -> str:
    name = "sum" if op == "reduce_add" else op
    return f"{name}_{t}" + (f"_from_{source}" if source else "")


class Printer:
    """Expressions of a nest in one language."""

    def __init__(self, infix: dict[str, str], scalar_loads: bool) -> None:
        self.infix, self.scalar_loads = infix, scalar_loads

    def literal(self, value: int | float, kind: str) -> str:
        raise TypeError("a language says how it writes a literal")

    def expr(self, e: Expr, binds: int = 0) -> str:
        """The text of an expression; `binds` is how tightly what stands around it binds."""
        match e:
            case Const():
                text = self.literal(e.value, e.type.kind)
                return text if e.type.lanes == 1 else f"splat_{e.type}({text})"
            case Var():
                return e.name
            case Load():
                return self.load(e)
            case Peel():
                return f"peel_{e.buffer.kind}({e.buffer.name}, {self.flat(e.buffer, e.index)}, {e.lanes})"
            case Peer():
                return self.peer(e)
            case Call():
                return f"{e.function}({self.args(*e.args)})"
            case Op(name, args) if name in self.infix:
                sign = self._sign(name, e)
                tight = _BINDS[sign]
                text = f"{self.expr(args[0], tight)} {sign} {self.expr(args[1], tight + 1)}"
                return f"({text})" if tight < binds else text
            case Op("neg", (a,)):
                return f"-{self.expr(a, 9)}"
            case Op("main_end" | "advance" as name, args):
                return f"{name}({self.args(*args)})"
            case Op("cast" | "bitcast" as name, (a,)):
                return f"{helper_name(name, e.type, a.type.kind)}({self.expr(a)})"
            case Op("reduce_add", (a,)):
                return f"{helper_name('reduce_add', a.type)}({self.expr(a)})"
            case Op(name, args):
                return f"{helper_name(name, e.type)}({self.args(*args)})"

    def _sign(self, name: str, e: Op) -> str:
        return self.infix[name]

    def args(self, *values: Expr) -> str:
        return ", ".join(self.expr(v) for v in values)

    def flat(self, buffer: Buffer, index: tuple[Expr, ...]) -> str:
        """The position in the storage, as an expression."""
        return self.expr(ir.flat_index(buffer, index))

    def load(self, e: Load) -> str:
        at = self.flat(e.buffer, e.index)
        if e.end is not None:
            count = self.expr(ir.sub(e.end, e.index[-1]))
            assert e.fill is not None
            return f"load_part_{e.type}({e.buffer.name}, {at}, {count}, {self.expr(e.fill)})"
        if e.type.lanes == 1 and self.scalar_loads:
            return f"{e.buffer.name}[{at}]"
        return f"load_{e.type}({e.buffer.name}, {at})"

    def peer(self, e: Peer) -> str:
        raise TypeError("a language with clusters says how it reads another block's array")

    def store(self, s: Store) -> str:
        """The text of a store, as a statement without its end."""
        at, value, t = self.flat(s.buffer, s.index), self.expr(s.value), s.value.type
        if s.end is not None:
            return f"store_part_{t}({s.buffer.name}, {at}, {self.expr(ir.sub(s.end, s.index[-1]))}, {value})"
        if s.streaming:
            return f"stream_{t}({s.buffer.name}, {at}, {value})"
        if t.lanes == 1 and self.scalar_loads:
            return f"{s.buffer.name}[{at}] = {value}"
        return f"{store_op(s.buffer)}_{t}({s.buffer.name}, {at}, {value})"

    def prefetch(self, s: Prefetch) -> str:
        """The text of a prefetch, as a statement without its end."""
        return f"prefetch_{s.buffer.kind}({s.buffer.name}, {self.flat(s.buffer, s.index)})"


def store_op(buffer: Buffer) -> str:
    """Which store: a GPU's shared memory has one of its own."""
    return "store_shared" if buffer.space == "shared" else "store"


_HELPERS = ("fma", "abs", "sqrt", "select", "min", "max", "splat", "not", "pack", *ir.PAIRS, *ir.DEALT, *ir.SHUFFLES)


def helpers(nest: LoopNest) -> list[Helper]:
    """The helpers that the nest calls, sorted; those that call others last."""
    found: set[Helper] = set()
    for body in (nest.body, *(f.body for f in nest.functions)):
        for s in ir.walk(body):
            found.update(_of_statement(s))
            for top in ir.expressions(s):
                for e in ir.walk_expr(top):
                    found.update(_of_expr(e))
    for f in nest.functions:
        for e in ir.walk_expr(f.result):
            found.update(_of_expr(e))
    return sorted(found, key=lambda h: (h.op == "dot_pairs", h))  # which may call another


def _of_statement(s: Stmt) -> list[Helper]:
    if isinstance(s, Prefetch):
        return [Helper("prefetch", s.buffer.kind, 1)]
    if not isinstance(s, Store):
        return []
    t = s.value.type
    op = "store_part" if s.end is not None else "stream" if s.streaming else store_op(s.buffer)
    return [Helper(op, t.kind, t.lanes)]


def _of_expr(e: Expr) -> list[Helper]:
    t = e.type
    match e:
        case Const() if t.lanes > 1:
            return [Helper("splat", t.kind, t.lanes)]
        case Load():
            return [Helper("load" if e.end is None else "load_part", t.kind, t.lanes)]
        case Peel():
            return [Helper("peel", e.buffer.kind, 1)]
        case Op("cast" | "bitcast" as name, (a,)):
            return [Helper(name, t.kind, t.lanes, a.type.kind)]
        case Op("reduce_add", (a,)):
            return [Helper("reduce_add", a.type.kind, a.type.lanes)]
        case Op("dot_pairs"):
            return [Helper("dot_pairs", t.kind, t.lanes), Helper("fma", t.kind, t.lanes)]
        case Op(name) if name in _HELPERS:
            return [Helper(name, t.kind, t.lanes)]
    return []


def types(nest: LoopNest, found: list[Helper]) -> list[Type]:
    """The vector types that the nest and its helpers name, narrow before wide."""
    seen: set[Type] = set()
    for h in found:
        seen.add(Type(h.kind, h.lanes))
        if h.source:
            seen.add(Type(h.source, h.lanes))
        if h.op in ir.PAIRS:
            seen.update((Type("f32", pair_lanes(h)), Type("bf16", 2 * pair_lanes(h))))
        if h.op == "reduce_add":
            seen.update(Type(h.kind, n) for n in halves(h.lanes))
    bodies = (nest.body, *(f.body for f in nest.functions))
    seen.update(e.type for body in bodies for e in ir.nest_expressions(body))
    seen.update(e.type for f in nest.functions for e in ir.walk_expr(f.result))
    return sorted((t for t in seen if t.lanes > 1), key=lambda t: (t.lanes, t.kind))


def takes_bfloats(machine: Machine, lanes: int) -> bool:
    """Whether the machine has instructions that round so many floats to bfloat16, and add up two bfloat16s a lane (AVX-512 BF16)."""
    return machine.bfloat_round and machine.simd == "avx512" and lanes == 16


def pair_lanes(h: Helper) -> int:
    """The lanes of f32 of a helper that takes bfloat16 by pairs."""
    return h.lanes // 2 if h.op == "zip" else h.lanes


def halves(lanes: int) -> list[int]:
    """The vectors that halving a vector goes through: 16 lanes give 8, 4, 2."""
    return [lanes >> k for k in range(1, lanes.bit_length()) if lanes >> k > 1]


def has_parallel(nest: LoopNest) -> bool:
    return any(isinstance(s, ir.Parallel) for s in ir.walk(nest.body))


def element_count(b: Buffer) -> int:
    """Elements of a buffer, of one sample where its first extent is the batch."""
    return ir.fixed_elements(b)


def shortest(value: float) -> str:
    """The fewest digits that read back as the same float32."""
    single = struct.pack("f", value)
    return next(text for n in range(1, 10) if struct.pack("f", float(text := f"{value:.{n}g}")) == single)
