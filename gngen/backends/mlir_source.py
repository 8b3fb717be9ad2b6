"""Print a loop nest as MLIR: a function for each phase, values and expressions here, blocks and helper functions in ``templates/mlir``.

Variables that a nest assigns again become values of their own: what a loop or a condition changes is carried through it as its results.
Positions are of type index, comparisons i1, and halves i16, the bits of a number.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Union

from gngen import loopnest as ir
from gngen.backends.printing import element_count, halves, helper_name, helpers, shortest, takes_bfloats
from gngen.loopnest import I64, Buffer, Const, Expr, Function, LoopNest, Stmt, Type
from gngen.nestprint import show_expr
from gngen.phases import FIRST, LAST, Phases, split_phases
from gngen.render import render
from gngen.target import Machine

_KINDS = {"f32": "f32", "f64": "f64", "i32": "i32", "i64": "i64", "m32": "i1", "m64": "i1", "f16": "i16", "bf16": "i16"}
_FLOAT = {"add": "addf", "sub": "subf", "mul": "mulf", "div": "divf"}
_INTEGER = {"add": "addi", "sub": "subi", "mul": "muli", "div": "divsi", "rem": "remsi", "min": "minsi", "max": "maxsi", "shl": "shli"}
_UNARY = {"neg": "arith.negf", "abs": "math.absf", "sqrt": "math.sqrt"}
_LESS = {"lt": ("olt", "slt"), "le": ("ole", "sle"), "gt": ("ogt", "sgt")}
# What a template defines as a function of the module.
_CALLED = (*ir.PAIRS, "reduce_add")


def mlir_type(t: Type) -> str:
    """MLIR's name of a type: a scalar integer is an index."""
    if t == I64:
        return "index"
    return _KINDS[t.kind] if t.lanes == 1 else f"vector<{t.lanes}x{_KINDS[t.kind]}>"


def mlir_float(value: float, kind: str) -> str:
    """A number of f32 or f64 in MLIR: decimal, or its bits where it is not finite."""
    if not math.isfinite(value):
        return f"0x{struct.pack('>f' if kind == 'f32' else '>d', value).hex().upper()}"
    digits, e, exponent = (shortest(value) if kind == "f32" else repr(float(value))).partition("e")
    return f"{digits}{'' if '.' in digits else '.0'}{e}{exponent}"


def _element(kind: str) -> str:
    """f32 of vector<8xf32>, and of f32."""
    return kind.removesuffix(">").rpartition("x")[2] if kind.startswith("vector") else kind


@dataclass(frozen=True)
class Value:
    """A value by its name, and MLIR's type of it."""

    name: str
    type: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Line:
    """An operation that contains no other."""

    text: str


@dataclass(frozen=True)
class For:
    """A loop: `carried` are the values that begin as `initial`, that it hands from turn to turn and leaves as `results`."""

    var: Value
    start: Value
    end: Value
    step: Value
    carried: tuple[Value, ...]
    initial: tuple[Value, ...]
    results: tuple[Value, ...]
    body: tuple[Node, ...]
    yields: tuple[Value, ...]
    unroll: int


@dataclass(frozen=True)
class If:
    """A condition: its results are `yields` where it holds, `kept` where not."""

    condition: Value
    results: tuple[Value, ...]
    body: tuple[Node, ...]
    yields: tuple[Value, ...]
    kept: tuple[Value, ...]


Node = Union[Line, For, If]


@dataclass(frozen=True)
class Func:
    """One function, ready to be printed. alone: the arrays that overlap no other. result: of one that is the module's own."""

    name: str
    params: tuple[Value, ...]
    alone: tuple[Value, ...]
    body: tuple[Node, ...]
    result: Value | None


def print_mlir(nest: LoopNest, machine: Machine, symbol: str) -> str:
    """The MLIR text of a nest: one module that exports ``symbol_phase0``, ``symbol_phase1``, ..., of `gngen.phases`."""
    phases = split_phases(nest)
    functions = [_function(f, machine) for f in nest.functions]
    functions += [_phase(nest, phases, k, machine, symbol) for k in range(len(phases.phases))]
    return render(
        "mlir/kernel.mlir.j2",
        nest=nest,
        machine=machine,
        functions=functions,
        phases=[(show_expr(ir.mul(nest.batch, p.count) if p.by_batch else ir.const(p.count)), p.each_sample) for p in phases.phases],
        unrolled=sorted({s.unroll for s in ir.walk(nest.body) if isinstance(s, ir.Loop)} - {1}),
        helpers=[h for h in helpers(nest) if h.op in _CALLED or (h.op == "cast" and {h.kind, h.source}.intersection(ir.HALVES))],
        halves_used=sorted({b.kind for b in nest.buffers}.intersection(ir.HALVES)),
        types=lambda kind, lanes: mlir_type(Type(kind, lanes)),
        takes_bfloats=partial(takes_bfloats, machine),
        element_count=element_count,
        halves=halves,
        line=lambda node: isinstance(node, Line),
        loop_node=lambda node: isinstance(node, For),
    )


def _function(f: Function, machine: Machine) -> Func:
    """One of the nest's own functions."""
    writer = _Writer(machine, f.body)
    params = tuple(writer.declare(p.name, mlir_type(p.type)) for p in f.params)
    writer.block(f.body)
    result = writer.value(f.result)
    return Func(f.name, params, (), (*writer.top, *writer.nodes), result)


def _phase(nest: LoopNest, phases: Phases, k: int, machine: Machine, symbol: str) -> Func:
    """A function that does some items of one phase."""
    body = phases.phases[k].body
    writer = _Writer(machine, body)
    arrays = (*nest.buffers, *nest.workspace)
    given = [writer.argument(b) for b in arrays]
    numbers = (nest.batch, *(() if phases.sample is None else (phases.sample,)), FIRST, LAST)
    params = (*given, *(writer.declare(v.name, mlir_type(v.type)) for v in numbers))
    for b, value in zip(arrays, given, strict=True):
        writer.views(value, b.name)
    writer.block(body)
    # outputs may be written where x or the residual was read, and nowhere else
    alone = tuple(v for b, v in zip(arrays, given, strict=True) if ir.fixed_elements(b) != nest.problem.sample)
    return Func(f"{symbol}_phase{k}", params, alone, (*writer.top, *writer.nodes), None)


def _views(body: tuple[Stmt, ...], name: str) -> list[Buffer]:
    """The shapes in which statements see one storage, in the order of their first use."""
    found: dict[Buffer, None] = {}
    for s in ir.walk(body):
        if isinstance(s, (ir.Store, ir.Prefetch)) and s.buffer.name == name:
            found.setdefault(s.buffer)
        for top in ir.expressions(s):
            for e in ir.walk_expr(top):
                if isinstance(e, (ir.Load, ir.Peel)) and e.buffer.name == name:
                    found.setdefault(e.buffer)
    return list(found)


class _Writer:
    """Writes the operations of one function: `top` are its constants and arrays, `nodes` those of the block that is being written."""

    def __init__(self, machine: Machine, body: tuple[Stmt, ...]) -> None:
        self.machine, self.body = machine, body
        self.top: list[Node] = []
        self.nodes: list[Node] = []
        self.known: dict[str, Value] = {}  # what a variable is now
        self.memory: dict[tuple[str, tuple[int | ir.Var, ...]], Value] = {}
        self.constants: dict[str, Value] = {}
        self.positions: dict[str, Value] = {}  # index arithmetic and masks that are there already
        self.taken: dict[str, int] = {}

    # Names

    def fresh(self, stem: str, kind: str) -> Value:
        """A value with a name of its own: `stem`, or that with a number."""
        count = self.taken.get(stem, 0)
        self.taken[stem] = count + 1
        return Value(f"%{stem}.{count}" if count else f"%{stem}", kind)

    def declare(self, name: str, kind: str) -> Value:
        """The value that a variable is from now on."""
        self.known[name] = value = self.fresh(name, kind)
        return value

    def emit(self, text: str, kind: str, name: str = "") -> Value:
        """The result of an operation, under a name, or a number where it has none; positions and masks are computed once."""
        if text in self.positions and not name:
            return self.positions[text]
        if name:
            value = self.fresh(name, kind)
        else:
            count = self.taken[""] = self.taken.get("", -1) + 1
            value = Value(f"%{count}", kind)
        if kind == "index" or text.startswith(("vector.constant_mask", "vector.create_mask")):
            self.positions[text] = value
        self.nodes.append(Line(f"{value} = {text}"))
        return value

    def constant(self, number: int | float, kind: str) -> Value:
        """A constant, written once at the top of the function."""
        element = _element(kind)
        if element in ("f32", "f64"):
            text, stem = mlir_float(number, element), "cst"
        elif element == "i1":
            text, stem = ("true" if number else "false"), "true"
        else:
            text, stem = str(int(number)), f"c{int(number)}" if kind == "index" and number >= 0 else "cst"
        full = f"dense<{text}> : {kind}" if kind != element else text if element == "i1" else f"{text} : {kind}"
        if full not in self.constants:
            value = self.constants[full] = self.fresh(stem, kind)
            self.top.append(Line(f"{value} = arith.constant {full}"))
        return self.constants[full]

    # Memory

    def argument(self, b: Buffer) -> Value:
        """An array as it is handed over: a bare pointer, to so many samples as there are; its type says one."""
        shape = tuple(1 if isinstance(extent, ir.Var) else extent for extent in b.shape)
        return self.fresh(b.name if shape == b.shape else f"{b.name}.given", _memref(b.kind, shape))

    def views(self, given: Value, name: str) -> None:
        """The arrays that statements see in one storage."""
        for b in _views(self.body, name):
            if _memref(b.kind, b.shape) == given.type:
                self.memory[b.name, b.shape] = given
                continue
            kind, strides = _memref(b.kind, b.shape), [1]
            for extent in reversed(b.shape[1:]):
                assert isinstance(extent, int)
                strides.insert(0, strides[0] * extent)
            sizes = ", ".join(str(self.known[e.name]) if isinstance(e, ir.Var) else str(e) for e in b.shape)
            value = self.fresh(b.name, kind)
            steps = ", ".join(map(str, strides))
            text = f"memref.reinterpret_cast {given} to offset: [0], sizes: [{sizes}], strides: [{steps}] : {given.type} to {kind}"
            self.top.append(Line(f"{value} = {text}"))
            self.memory[b.name, b.shape] = value

    def place(self, b: Buffer, index: tuple[Expr, ...]) -> tuple[str, str]:
        """An element's place, as ``%x[%n, %i]``, and the type of its array."""
        array = self.memory[b.name, b.shape]
        return f"{array}[{', '.join(str(self.value(i)) for i in index)}]", array.type

    def mask(self, end: Expr, at: Expr, lanes: int) -> Value:
        """The lanes from position `at` that come before `end`."""
        count = ir.minimum(ir.sub(end, at), lanes)
        kind = f"vector<{lanes}xi1>"
        if isinstance(count, Const):
            return self.emit(f"vector.constant_mask [{count.value}] : {kind}", kind)
        return self.emit(f"vector.create_mask {self.value(count)} : {kind}", kind)

    # Statements

    def block(self, body: tuple[Stmt, ...]) -> None:
        for s in body:
            self.statement(s)

    def statement(self, s: Stmt) -> None:
        match s:
            case ir.Let(var, value) | ir.Assign(var, value):
                self.known[var.name] = self.value(value, var.name)
            case ir.Store():
                self.store(s)
            case ir.Loop():
                self.loop(s)
            case ir.If():
                self.condition(s)
            case ir.Alloc(b):
                self.alloc(b)
            case ir.Fence():
                self.nodes.append(Line('llvm.call_intrinsic "llvm.x86.sse.sfence"() : () -> ()'))
            case ir.Prefetch(b, index):
                at, kind = self.place(b, index)
                self.nodes.append(Line(f"memref.prefetch {at}, read, locality<2>, data : {kind}"))
            case ir.Comment(text):
                self.nodes.append(Line(f"// {text}"))
            case _:
                raise TypeError(f"{type(s).__name__} is no statement of a phase for a CPU")

    def store(self, s: ir.Store) -> None:
        value = self.value(s.value)
        if s.streaming and s.buffer.kind in ir.HALVES:  # or LLVM narrows and stores in one instruction, which goes through the caches
            value = self.emit(f'llvm.inline_asm "", "=x,0" {value} : ({value.type}) -> {value.type}', value.type)
        at, kind = self.place(s.buffer, s.index)
        lanes = s.value.type.lanes
        if s.end is not None:
            mask = self.mask(s.end, s.index[-1], lanes)
            text = f"vector.maskedstore {at}, {mask}, {value} : {kind}, {mask.type}, {value.type}"
        elif lanes == 1:
            text = f"memref.store {value}, {at} : {kind}"
        else:
            size = lanes * ir.WIDTH[s.buffer.kind] // 8
            how = f" {{alignment = {size} : i64, nontemporal = true}}" if s.streaming else ""
            text = f"vector.store {value}, {at}{how} : {kind}, {value.type}"
        self.nodes.append(Line(text))

    def alloc(self, b: Buffer) -> None:
        """A worker's own array, at the top of its function: in a loop, each turn would take more of the stack."""
        kind = _memref(b.kind, b.shape)
        value = self.fresh(b.name, kind)
        self.top.append(Line(f"{value} = memref.alloca() {{alignment = 64 : i64}} : {kind}"))
        self.views(value, b.name)

    def changed(self, body: tuple[Stmt, ...]) -> list[str]:
        """The variables from outside of a block that it assigns to, in order."""
        return list(dict.fromkeys(s.var.name for s in ir.walk(body) if isinstance(s, ir.Assign) and s.var.name in self.known))

    def inner(self, body: tuple[Stmt, ...], names: list[str], inside: dict[str, Value]) -> tuple[tuple[Node, ...], tuple[Value, ...]]:
        """The operations of a block in which variables are `inside`, and what `names` are at its end."""
        outer, known, positions = self.nodes, self.known, self.positions
        self.nodes, self.known, self.positions = [], {**known, **inside}, dict(positions)
        self.block(body)
        written, ends = tuple(self.nodes), tuple(self.known[name] for name in names)
        self.nodes, self.known, self.positions = outer, known, positions
        return written, ends

    def loop(self, s: ir.Loop) -> None:
        names = self.changed(s.body)
        start, step = self.value(s.start), self.value(ir.const(s.step))
        end = self.value(ir.sub(s.stop, s.step - 1))  # full steps only: the last one begins before it
        initial = tuple(self.known[name] for name in names)
        var = self.fresh(s.var.name, "index")
        carried = tuple(self.fresh(name, value.type) for name, value in zip(names, initial, strict=True))
        inside = {s.var.name: var, **dict(zip(names, carried, strict=True))}
        body, yields = self.inner(s.body, names, inside)
        results = tuple(self.declare(name, value.type) for name, value in zip(names, initial, strict=True))
        self.nodes.append(For(var, start, end, step, carried, initial, results, body, yields, s.unroll))

    def condition(self, s: ir.If) -> None:
        names = self.changed(s.body)
        condition = self.value(s.condition)
        kept = tuple(self.known[name] for name in names)
        body, yields = self.inner(s.body, names, {})
        results = tuple(self.declare(name, value.type) for name, value in zip(names, kept, strict=True))
        self.nodes.append(If(condition, results, body, yields, kept))

    # Expressions

    def value(self, e: Expr, name: str = "") -> Value:
        """The value of an expression; `name` is what its last operation is called."""
        match e:
            case Const(number, t):
                return self.constant(number, mlir_type(t))
            case ir.Var():
                return self.known[e.name]
            case ir.Load():
                return self.load(e, name)
            case ir.Peel():
                return self.peel(e, name)
            case ir.Call(function, args):
                return self.call(function, [self.value(a) for a in args], e.type, name)
            case ir.Op("cast" | "bitcast" as op, (a,)):
                return self.convert(op, a, e.type, name)
            case ir.Op(op, args) if op in _CALLED:
                # one that takes a vector of another type is named by it
                t, values = args[0].type if op == "reduce_add" else e.type, [self.value(a) for a in args]
                return self.call(helper_name(op, t), values, e.type, name)
            case ir.Op():
                return self.operation(e, name)
            case _:
                raise TypeError(f"{type(e).__name__} is no expression of a phase for a CPU")

    def call(self, function: str, args: Sequence[Value], t: Type, name: str) -> Value:
        kind = mlir_type(t)
        takes = ", ".join(a.type for a in args)
        return self.emit(f"func.call @{function}({', '.join(map(str, args))}) : ({takes}) -> {kind}", kind, name)

    def load(self, e: ir.Load, name: str) -> Value:
        at, array = self.place(e.buffer, e.index)
        kind = mlir_type(e.type)
        if e.end is not None:
            assert e.fill is not None
            fill = self.value(e.fill)
            mask = self.mask(e.end, e.index[-1], e.type.lanes)
            return self.emit(f"vector.maskedload {at}, {mask}, {fill} : {array}, {mask.type}, {kind} into {kind}", kind, name)
        if e.type.lanes == 1:
            return self.emit(f"memref.load {at} : {array}", kind, name)
        return self.emit(f"vector.load {at} : {array}, {kind}", kind, name)

    def peel(self, e: ir.Peel, name: str) -> Value:
        """``-(address / size + index) mod lanes``."""
        array = self.memory[e.buffer.name, e.buffer.shape]
        address = self.emit(f"memref.extract_aligned_pointer_as_index {array} : {array.type} -> index", "index")
        size = self.constant(ir.WIDTH[e.buffer.kind] // 8, "index")
        first = self.emit(f"arith.divui {address}, {size} : index", "index")
        position = self.emit(f"arith.addi {first}, {self.value(ir.flat_index(e.buffer, e.index))} : index", "index")
        back = self.emit(f"arith.subi {self.constant(0, 'index')}, {position} : index", "index")
        return self.emit(f"arith.andi {back}, {self.constant(e.lanes - 1, 'index')} : index", "index", name)

    def convert(self, op: str, a: Expr, to: Type, name: str) -> Value:
        """A cast of values or of bits; a scalar integer is one of 64 bits where its bits or its value are asked for."""
        value, kind = self.value(a), "i64" if to == I64 else mlir_type(to)
        if op == "cast" and {a.type.kind, to.kind}.intersection(ir.HALVES):
            return self.call(helper_name("cast", to, a.type.kind), [value], to, name)
        if value.type == "index":
            value = self.emit(f"arith.index_cast {value} : index to i64", "i64")
        if op == "bitcast":
            word = "arith.bitcast"
        elif a.type.kind in ir.INTS:
            word = "arith.sitofp"
        else:
            word = "arith.extf" if ir.WIDTH[to.kind] > ir.WIDTH[a.type.kind] else "arith.truncf"
        return self.emit(f"{word} {value} : {value.type} to {kind}", kind, name)

    def operation(self, e: ir.Op, name: str) -> Value:
        op, args, kind = e.name, e.args, mlir_type(e.type)
        if op in _UNARY:
            return self.emit(f"{_UNARY[op]} {self.value(args[0])} : {kind}", kind, name)
        if op == "splat":
            a = self.value(args[0])
            return self.emit(f"vector.broadcast {a} : {a.type} to {kind}", kind, name)
        if op == "main_end":
            return self.main_end(args[0], args[1], args[2], name)
        if op == "advance":
            return self.value(ir.minimum(ir.add(args[0], args[1]), args[2]), name)
        if op == "shl":
            a = self.value(args[0])
            assert isinstance(args[1], Const)
            return self.emit(f"arith.shli {a}, {self.constant(args[1].value, a.type)} : {a.type}", a.type, name)
        values = [self.value(a) for a in args]
        if op == "select":
            mask = f"{values[0].type}, " if e.type.lanes > 1 else ""
            return self.emit(f"arith.select {', '.join(map(str, values))} : {mask}{kind}", kind, name)
        if op == "not":
            return self.emit(f"arith.xori {values[0]}, {self.constant(1, kind)} : {kind}", kind, name)
        if op == "pack":
            return self.emit(f"vector.from_elements {', '.join(map(str, values))} : {kind}", kind, name)
        if op in ir.DEALT:
            order = list(range(op == "odd_of_two", 2 * e.type.lanes, 2))
            return self.emit(f"vector.shuffle {values[0]}, {values[1]} {order} : {kind}, {kind}", kind, name)
        if op == "fma":
            return self.fma(values, kind, name)
        if op in ir.COMPARE:
            return self.compare(_LESS[op], values[0], values[1], name)
        if op in (*ir.ARITH, "rem"):
            return self.arithmetic(op, args[0].type, values, kind, name)
        raise TypeError(f"{op} is no operation of a phase for a CPU")

    def arithmetic(self, op: str, t: Type, values: list[Value], kind: str, name: str) -> Value:
        a, b = values
        if t.kind in ir.INTS:
            return self.emit(f"arith.{_INTEGER[op]} {a}, {b} : {a.type}", a.type, name)
        if op in ("min", "max"):  # b where it is beyond a, so that a NaN in a stays
            beyond = self.compare(_LESS["lt" if op == "min" else "gt"], b, a, "")
            return self.emit(f"arith.select {beyond}, {b}, {a} : {beyond.type + ', ' if t.lanes > 1 else ''}{kind}", kind, name)
        return self.emit(f"arith.{_FLOAT[op]} {a}, {b} : {kind}", kind, name)

    def compare(self, signs: tuple[str, str], a: Value, b: Value, name: str) -> Value:
        """The lanes where a comparison holds: `signs` are those of floats, false where one is NaN, and of integers."""
        element = _element(a.type)
        kind = f"{a.type.removesuffix(element + '>')}i1>" if a.type != element else "i1"
        word = f"arith.cmpf {signs[0]}" if element in ("f32", "f64") else f"arith.cmpi {signs[1]}"
        return self.emit(f"{word}, {a}, {b} : {a.type}", kind, name)

    def fma(self, values: list[Value], kind: str, name: str) -> Value:
        a, b, c = values
        if self.machine.fma:
            return self.emit(f"math.fma {a}, {b}, {c} : {kind}", kind, name)
        product = self.emit(f"arith.mulf {a}, {b} : {kind}", kind)
        return self.emit(f"arith.addf {product}, {c} : {kind}", kind, name)

    def main_end(self, start: Expr, stop: Expr, step: Expr, name: str) -> Value:
        """``start + (stop - start) / step * step``."""
        return self.value(ir.add(start, ir.mul(ir.div(ir.sub(stop, start), step), step)), name)


def _memref(kind: str, shape: tuple[int | ir.Var, ...]) -> str:
    sizes = "x".join("?" if isinstance(extent, ir.Var) else str(extent) for extent in shape)
    return f"memref<{sizes}x{_KINDS[kind]}>"
