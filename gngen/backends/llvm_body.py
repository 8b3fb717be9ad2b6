"""Statements and expressions of a loop nest in one function of LLVM IR: what is the same on a CPU and on a GPU."""

from __future__ import annotations

from typing import Any

from llvmlite import ir as ll

from gngen import loopnest as ir
from gngen.backends.llvm_values import I32, PTR, Operations, add_attributes, constant, counted, llvm_type
from gngen.loopnest import Buffer, Expr, Stmt


class Body:
    """Writes statements and expressions into one function. known: values by name; a variable that is assigned again lies in memory,
    which LLVM turns into registers."""

    def __init__(
        self, values: Operations, f: ll.Function, arrays: dict[str, Any], functions: dict[str, Any], body: tuple[Stmt, ...]
    ) -> None:
        self.operations, self.arrays, self.functions = values, dict(arrays), functions
        self.known: dict[str, Any] = {}
        self.assigned = {s.var.name for s in ir.walk(body) if isinstance(s, ir.Assign)}
        self.places: dict[str, Any] = {}
        self.entry = f.append_basic_block("entry")
        first = f.append_basic_block("body")
        ll.IRBuilder(self.entry).branch(first)
        values.b = ll.IRBuilder(first)

    def block(self, body: tuple[Stmt, ...]) -> None:
        for s in body:
            self.statement(s)

    def statement(self, s: Stmt) -> None:
        """Write a statement; those that not every machine has are its own."""
        values = self.operations
        match s:
            case ir.Let(var, value):
                self._let(var, self.expr(value))
            case ir.Assign(var, value):
                values.b.store(self.expr(value), self.places[var.name])
            case ir.Loop():
                self._loop(s)
            case ir.If():
                with values.b.if_then(self.expr(s.condition)):
                    self.block(s.body)
            case ir.Comment():
                pass
            case _:
                raise TypeError(f"{type(s).__name__} is no statement of this machine")

    def _let(self, var: ir.Var, value: Any) -> None:
        if var.name not in self.assigned:
            self.known[var.name] = value
            return
        self.places[var.name] = place = self.alloca(llvm_type(var.type), var.name, None)
        self.operations.b.store(value, place)

    def alloca(self, t: ll.Type, name: str, alignment: int | None) -> Any:
        """Memory of the function's own, taken once however often the statement runs."""
        b = ll.IRBuilder(self.entry)
        b.position_at_start(self.entry)
        place = b.alloca(t, name=name)
        place.align, place.type = alignment, PTR
        return place

    def _loop(self, s: ir.Loop) -> None:
        values = self.operations
        start, stop = self.expr(s.start), self.expr(s.stop)
        with counted(values.b, s.var.name, start, stop, s.step, _loop_metadata(values.module, s.unroll)) as k:
            self.known[s.var.name] = k
            self.block(s.body)

    def expr(self, e: Expr) -> Any:
        """The value of an expression; those that not every machine has are its own."""
        values = self.operations
        match e:
            case ir.Const():
                return constant(e.value, e.type)
            case ir.Var(name):
                place = self.places.get(name)
                return self.known[name] if place is None else values.b.load(place, typ=llvm_type(e.type))
            case ir.Call():
                return values.b.call(self.functions[e.function], [self.expr(a) for a in e.args])
            case ir.Op():
                return values.op(e, [self.expr(a) for a in e.args])
            case _:
                raise TypeError(f"{type(e).__name__} is no expression of this machine")

    def flat(self, buffer: Buffer, index: tuple[Expr, ...]) -> Any:
        """The position in the storage."""
        return self.expr(ir.flat_index(buffer, index))


def define_function(values: Operations, f: ir.Function) -> ll.Function:
    """A pure function of the nest."""
    made = ll.Function(values.module, ll.FunctionType(llvm_type(f.result.type), [llvm_type(p.type) for p in f.params]), f.name)
    made.linkage = "internal"
    add_attributes(made, "nounwind", "alwaysinline")
    body = Body(values, made, {}, {}, f.body)
    for p, arg in zip(f.params, made.args, strict=True):
        arg.name = p.name
        body.known[p.name] = arg
    body.block(f.body)
    values.b.ret(body.expr(f.result))
    return made


def _loop_metadata(module: ll.Module, unroll: int) -> Any:
    """How often LLVM unrolls a loop: as the nest says."""
    how = ["llvm.loop.unroll.count", ll.Constant(I32, unroll)] if unroll > 1 else ["llvm.loop.unroll.disable"]
    return _Distinct(module, module.add_metadata(how))


class _Distinct(ll.values.MDValue):  # type: ignore[misc]
    """A loop's own metadata, whose first operand is itself: two loops never share it."""

    def __init__(self, module: ll.Module, hint: Any) -> None:
        super().__init__(module, [hint], name=str(len(module.metadata)))

    def descr(self, buf: list[str]) -> None:
        buf += (f"distinct !{{ {self.get_reference()}, {self.operands[0].get_reference()} }}", "\n")
