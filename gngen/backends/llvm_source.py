"""Print a loop nest as LLVM IR, by llvmlite's builder: one function a phase of the nest, and an entry that runs them on threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir as ll

from gngen import loopnest as ir
from gngen.backends.llvm_body import Body, define_function
from gngen.backends.llvm_values import I32, I64, PTR, VOID, Values, add_attributes, counted, llvm_type
from gngen.loopnest import Buffer, Expr, LoopNest, Stmt
from gngen.phases import FIRST, LAST, Phase, Phases, split_phases
from gngen.target import Machine

_STACK_ALIGNMENT = 64
# The longest vectors that any processor has whose vectors have a length of their own, in what LLVM counts them in.
_MOST_LENGTH = 16


def print_phases(nest: LoopNest, machine: Machine, symbol: str) -> ll.Module:
    """A module that exports ``symbol_phase0``, ... : each takes the nest's arrays and scratch arrays, the batch, where the nest takes a
    sample at a time its number, and does the items from its last argument but one up to its last."""
    module = ll.Module(symbol)
    _define_phases(module, nest, machine, symbol)
    return module


def print_kernel(nest: LoopNest, machine: Machine) -> ll.Module:
    """A module that exports the nest's kernel: its arrays and scratch arrays, the batch (i64), the number of threads (i32)."""
    module = ll.Module(nest.name)
    phases = _define_phases(module, nest, machine, nest.name)
    for f in phases:
        f.linkage = "internal"
        add_attributes(f, "noinline")
    _define_driver(module, nest, phases, machine.cores > 1)
    return module


def print_driver(nest: LoopNest, machine: Machine) -> ll.Module:
    """A module of the nest's kernel alone, which calls phases that another exports as ``name_phase0``, ..."""
    module = ll.Module(nest.name)
    plan = split_phases(nest)
    phases = [_declare_phase(module, nest, plan, f"{nest.name}_phase{k}") for k in range(len(plan.phases))]
    _define_driver(module, nest, phases, machine.cores > 1)
    return module


def _define_phases(module: ll.Module, nest: LoopNest, machine: Machine, symbol: str) -> list[ll.Function]:
    module.triple = machine.triple
    values = Values(module, machine)
    functions = {f.name: define_function(values, f) for f in nest.functions}
    plan = split_phases(nest)
    return [_define_phase(values, nest, plan, phase, f"{symbol}_phase{k}", functions) for k, phase in enumerate(plan.phases)]


# Functions


def _define_phase(
    values: Values, nest: LoopNest, phases: Phases, phase: Phase, name: str, functions: dict[str, ll.Function]
) -> ll.Function:
    """One phase; where the length of the machine's vectors is known at run time only, one for each, and the choice of one."""
    made = _declare_phase(values.module, nest, phases, name)
    lengths = values.machine.vector_lengths
    if not lengths:
        _define_body(values, nest, phases, phase, made, functions)
        return made
    versions = []
    for least in lengths:
        f = _declare_phase(values.module, nest, phases, f"{name}_from{least}")
        f.linkage = "internal"
        add_attributes(f, f"vscale_range({least},{_MOST_LENGTH})")
        _define_body(values, nest, phases, phase, f, functions)
        versions.append((least, f))
    _define_choice(values, made, versions)
    return made


def _define_choice(values: Values, f: ll.Function, versions: Sequence[tuple[int, ll.Function]]) -> None:
    """Call the version for the longest vectors that this machine has."""
    b = values.b = ll.IRBuilder(f.append_basic_block("entry"))
    length = values.intrinsic("llvm.vscale.i64", I64)
    for least, version in sorted(versions, key=lambda v: -v[0])[:-1]:
        with b.if_then(b.icmp_unsigned(">=", length, ll.Constant(I64, least))):
            b.call(version, f.args)
            b.ret_void()
    b.call(min(versions, key=lambda v: v[0])[1], f.args)
    b.ret_void()


def _declare_phase(module: ll.Module, nest: LoopNest, phases: Phases, name: str) -> ll.Function:
    arrays = [*nest.buffers, *nest.workspace]
    numbers = [nest.batch, *([phases.sample] if phases.sample else []), FIRST, LAST]
    f = ll.Function(module, ll.FunctionType(VOID, [PTR] * len(arrays) + [I64] * len(numbers)), name)
    add_attributes(f, "nounwind", '"no-builtins"')
    taken: list[Buffer | ir.Var] = [*arrays, *numbers]
    for arg, given in zip(f.args, taken, strict=True):
        arg.name = given.name
        # outputs may be written where x or the residual was read, and nowhere else
        if isinstance(given, Buffer) and ir.fixed_elements(given) != nest.problem.sample:
            arg.add_attribute("noalias")
    return f


def _define_body(values: Values, nest: LoopNest, phases: Phases, phase: Phase, f: ll.Function, functions: dict[str, ll.Function]) -> None:
    count = len(nest.buffers) + len(nest.workspace)
    body = _Body(values, f, {a.name: a for a in f.args[:count]}, functions, phase.body)
    body.known.update((a.name, a) for a in f.args[count:])
    body.block(phase.body)
    values.b.ret_void()


# Statements


class _Body(Body):
    """Of a CPU: a worker's own arrays, parts of vectors, stores past the caches."""

    def __init__(self, values: Values, f: ll.Function, arrays: dict[str, Any], functions: dict[str, Any], body: tuple[Stmt, ...]) -> None:
        super().__init__(values, f, arrays, functions, body)
        self.values = values

    def statement(self, s: Stmt) -> None:
        values = self.values
        match s:
            case ir.Store():
                self._store(s)
            case ir.Alloc(buffer):
                element = llvm_type(ir.Type(buffer.kind))
                self.arrays[buffer.name] = self.alloca(ll.ArrayType(element, ir.fixed_elements(buffer)), buffer.name, _STACK_ALIGNMENT)
            case ir.Fence():
                values.fence()
            case ir.Prefetch(buffer, index):
                values.prefetch(buffer.kind, self.arrays[buffer.name], self.flat(buffer, index))
            case _:
                super().statement(s)

    def _store(self, s: ir.Store) -> None:
        values, t = self.values, s.value.type
        base, value = self.arrays[s.buffer.name], self.expr(s.value)
        at = self.flat(s.buffer, s.index)
        if s.end is not None:
            values.store_part(t, base, at, self.expr(ir.sub(s.end, s.index[-1])), value)
        elif s.streaming:
            values.stream(t, base, at, value)
        else:
            values.store(t, base, at, value)

    def expr(self, e: Expr) -> Any:
        match e:
            case ir.Load():
                return self._load(e)
            case ir.Peel():
                return self.values.peel(e.buffer.kind, self.arrays[e.buffer.name], self.flat(e.buffer, e.index), e.lanes)
            case _:
                return super().expr(e)

    def _load(self, e: ir.Load) -> Any:
        base, at = self.arrays[e.buffer.name], self.flat(e.buffer, e.index)
        if e.end is None:
            return self.values.load(e.type, base, at)
        assert e.fill is not None
        return self.values.load_part(e.type, base, at, self.expr(ir.sub(e.end, e.index[-1])), self.expr(e.fill))


# The entry


def _define_driver(module: ll.Module, nest: LoopNest, phases: Sequence[ll.Function], threaded: bool) -> None:
    """The kernel: its phases one after the other, on one thread, or shared among OpenMP's with a barrier after each.

    The threads are those of GNU's OpenMP library, which the program may have running already.
    """
    count = len(nest.buffers) + len(nest.workspace)
    f = ll.Function(module, ll.FunctionType(VOID, [PTR] * count + [I64, I32]), nest.name)
    batch, threads = f.args[-2:]
    plan = split_phases(nest)
    b = ll.IRBuilder(f.append_basic_block("entry"))
    if threaded and nest.parallel_from:
        many = b.icmp_signed(">", threads, ll.Constant(I32, 1))
        if nest.parallel_from > 1:
            many = b.and_(many, b.icmp_signed(">=", batch, ll.Constant(I64, nest.parallel_from)))
        shared = b.alloca(ll.LiteralStructType([PTR] * count + [I64]))
        shared.type = PTR
        with b.if_then(many):
            for k, arg in enumerate(f.args[:-1]):
                b.store(arg, _field(b, shared, k, count))
            region = _define_region(module, nest, plan, phases, count)
            start = _declare(module, "GOMP_parallel", VOID, PTR, PTR, I32, I32)
            b.call(start, [region, shared, threads, ll.Constant(I32, 0)])
            b.ret_void()
    _call_phases(b, plan, phases, f.args[:-1], lambda items: (ll.Constant(I64, 0), items), None)
    b.ret_void()


def _define_region(module: ll.Module, nest: LoopNest, plan: Phases, phases: Sequence[ll.Function], count: int) -> ll.Function:
    """What each thread does: of every phase the items of its own share, and then wait."""
    f = ll.Function(module, ll.FunctionType(VOID, [PTR]), f"{nest.name}_region")
    f.linkage = "internal"
    b = ll.IRBuilder(f.append_basic_block("entry"))
    args = [b.load(_field(b, f.args[0], k, count), typ=PTR if k < count else I64) for k in range(count + 1)]
    number = b.zext(b.call(_declare(module, "omp_get_thread_num", I32), []), I64)
    of = b.zext(b.call(_declare(module, "omp_get_num_threads", I32), []), I64)

    def share(items: Any) -> tuple[Any, Any]:
        return b.udiv(b.mul(items, number), of), b.udiv(b.mul(items, b.add(number, ll.Constant(I64, 1))), of)

    _call_phases(b, plan, phases, args, share, _declare(module, "GOMP_barrier", VOID))
    b.ret_void()
    return f


def _call_phases(b: ll.IRBuilder, plan: Phases, phases: Sequence[ll.Function], args: Sequence[Any], share: Any, barrier: Any) -> None:
    """All phases in turn, and of each sample in turn those that are for one; no barrier after the very last of them all."""

    def run(numbers: Sequence[int], sample: Any) -> None:
        for k in numbers:
            first, last = share(_items(b, plan.phases[k], args[-1]))
            b.call(phases[k], [*args, *([] if plan.sample is None else [sample]), first, last])
            if barrier is not None and (plan.phases[k].each_sample or k + 1 < len(phases)):
                b.call(barrier, [])

    for each_sample, numbers in plan.rounds:
        if each_sample:
            with counted(b, "sample", ll.Constant(I64, 0), args[-1]) as n:
                run(numbers, n)
        else:
            run(numbers, ll.Constant(I64, 0))


def _items(b: ll.IRBuilder, phase: Phase, batch: Any) -> Any:
    """How many items a phase has."""
    count = ll.Constant(I64, phase.count)
    return b.mul(batch, count) if phase.by_batch else count


def _field(b: ll.IRBuilder, shared: Any, k: int, count: int) -> Any:
    struct = ll.LiteralStructType([PTR] * count + [I64])
    return b.gep(shared, [ll.Constant(I32, 0), ll.Constant(I32, k)], source_etype=struct)


def _declare(module: ll.Module, name: str, result: ll.Type, *params: ll.Type) -> ll.Function:
    return module.globals.get(name) or ll.Function(module, ll.FunctionType(result, params), name)
