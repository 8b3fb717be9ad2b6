"""Is a loop nest valid? Types, definitions, bounds, races and uninitialised reads, proved or refused.

Positions are bounded by linear forms over the batch and the parallel variables: every integer expression has lower
bounds and upper bounds, each a sum ``c0 + c1 * batch + c2 * n + ...``. A bound that holds whatever the variables are is
a proof. Two parallel iterations cannot meet in a buffer when each parallel variable owns an axis of it: what one value
of the variable touches along that axis ends before what the next value touches begins. A buffer that is reached through
several shapes is judged on the axes that they have in common.

Of a GPU's nest, a thread's numbers are parallel variables too, and how far a value may differ, not at all within a block, between warps or
between lanes, is followed through the statements: all threads of a block come to each of its barriers, and all of a warp to its shuffles.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gngen import loopnest as ir
from gngen.errors import VerifyError
from gngen.loopnest import Buffer, Const, Expr, Load, LoopNest, Op, Peel, Stmt, Store, Type, Var
from gngen.nestprint import show_expr, show_stmt

_MOST_BOUNDS = 4
# How far a value differs between the threads of a block: not at all, between warps, between lanes.
_ALIKE, _BY_WARP, _BY_LANE = 0, 1, 2
# The most shared memory that any GPU gives a block.
_SHARED_MOST = 232448


@dataclass(frozen=True)
class Linear:
    """``constant + sum(coefficient * variable)``."""

    constant: int
    terms: tuple[tuple[str, int], ...] = ()

    def plus(self, other: Linear, sign: int = 1) -> Linear:
        total = dict(self.terms)
        for name, c in other.terms:
            total[name] = total.get(name, 0) + sign * c
        return Linear(self.constant + sign * other.constant, tuple(sorted((n, c) for n, c in total.items() if c)))

    def times(self, factor: int) -> Linear:
        return Linear(self.constant * factor, tuple((n, c * factor) for n, c in self.terms if factor))

    def shifted(self, name: str, by: int) -> Linear:
        """The form with ``name + by`` in the place of ``name``."""
        return self.plus(Linear(by * dict(self.terms).get(name, 0)))


@dataclass(frozen=True)
class Bounds:
    lows: tuple[Linear, ...]
    highs: tuple[Linear, ...]


def _point(value: Linear) -> Bounds:
    return Bounds((value,), (value,))


@dataclass
class _Scope:
    """What is known where a statement stands."""

    integers: dict[str, Bounds]
    types: dict[str, ir.Type]
    buffers: dict[str, Buffer]
    written: set[str]
    parallel: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()  # variables and stack arrays from outside the parallel loop
    accesses: list[tuple[Load | Store, list[Bounds]]] = field(default_factory=list)
    pure: bool = False  # of a function
    launch: ir.Launch | None = None
    varies: dict[str, int] = field(default_factory=dict)  # how far a variable differs between threads
    level: int = 0  # how far the way to this statement does
    unrolled: frozenset[str] = frozenset()  # loop variables that are constants once their loops are unrolled


def verify(nest: LoopNest) -> LoopNest:
    """The nest itself, when it is valid; VerifyError with the statement when it is not."""
    _Verifier(nest).run()
    return nest


class _Verifier:
    def __init__(self, nest: LoopNest) -> None:
        self.nest = nest
        self.extents: dict[str, Expr] = {}
        self.functions = {f.name: f for f in nest.functions}
        self.threaded = nest.parallel_from != 0 and any(isinstance(s, ir.Parallel) for s in ir.walk(nest.body))
        self.for_gpu = any(isinstance(s, ir.Launch) for s in ir.walk(nest.body))

    def run(self) -> None:
        batch = self.nest.batch
        arrays = [*self.nest.buffers, *self.nest.workspace]
        scope = _Scope(
            integers={batch.name: _point(Linear(0, ((batch.name, 1),)))},
            types={batch.name: batch.type},
            buffers={b.name: b for b in arrays},
            written={b.name for b in arrays if b.space == "input"},
        )
        for f in self.nest.functions:
            inner = _Scope({}, {p.name: p.type for p in f.params}, {}, set(), pure=True)
            for s in f.body:
                self._statement(s, inner)
            self._check_expr(f.result, inner, f.name)
        self._block(self.nest.body, scope)
        unwritten = [b.name for b in arrays if b.space == "output" and b.name not in scope.written]
        if unwritten:
            raise VerifyError(f"output {', '.join(unwritten)} of {self.nest.name} is never stored")

    # Statements

    def _block(self, body: tuple[Stmt, ...], scope: _Scope) -> None:
        names = dict(scope.types), dict(scope.integers), dict(scope.buffers)
        for s in body:
            self._statement(s, scope)
        scope.types, scope.integers, scope.buffers = names

    def _statement(self, s: Stmt, scope: _Scope) -> None:
        where = show_stmt(s)
        for e in ir.expressions(s):
            self._check_expr(e, scope, where)
        if scope.launch is None and self.for_gpu and not scope.pure and not isinstance(s, (ir.Launch, ir.Comment)):
            raise VerifyError(f"a statement outside of the launches: {where}")
        match s:
            case ir.Let(var, value):
                if var.name in scope.types or var.name in scope.buffers:
                    raise VerifyError(f"{var.name} is declared twice: {where}")
                self._same(var.type, value.type, where)
                scope.types[var.name] = var.type
                scope.varies[var.name] = self._varies(value, scope)
                if var.type == ir.I64:
                    scope.integers[var.name] = self._bounds(value, scope)
            case ir.Assign(var, value):
                if scope.types.get(var.name) != var.type:
                    raise VerifyError(f"{var.name} is assigned and not declared: {where}")
                if var.type.kind == "i64":
                    raise VerifyError(f"the integer {var.name} is assigned again: {where}")
                if var.name in scope.shared:
                    raise VerifyError(f"{var.name} is assigned in a parallel loop and declared outside of it: {where}")
                self._same(var.type, value.type, where)
                scope.varies[var.name] = max(scope.varies.get(var.name, 0), self._varies(value, scope), scope.level)
            case Store():
                if s.buffer.space == "input":
                    raise VerifyError(f"a store to the input {s.buffer.name}: {where}")
                if self.threaded and not scope.parallel and s.buffer.space != "stack":
                    raise VerifyError(f"a store outside of the parallel loops, where every thread would do it: {where}")
                if s.buffer.name in scope.shared:
                    raise VerifyError(f"{s.buffer.name} is stored in a parallel loop and declared outside of it: {where}")
                self._same(ir.Type(s.buffer.kind, s.value.type.lanes), s.value.type, where)
                self._check_access(s, s.value.type.lanes, scope, where)
                scope.written.add(s.buffer.name)
            case ir.Loop():
                if s.step < 1:
                    raise VerifyError(f"a loop of step {s.step}: {where}")
                start, stop = self._bounds(s.start, scope), self._bounds(s.stop, scope)
                inside = Bounds(start.lows, tuple(h.plus(Linear(-s.step)) for h in stop.highs))
                self._loop(s, inside, scope)
            case ir.Parallel():
                if self.for_gpu:
                    raise VerifyError(f"a parallel loop beside a launch: {where}")
                self._parallel(s, scope, where)
            case ir.Launch():
                self._launch(s, scope, where)
            case ir.Barrier(name):
                self._barrier(name, scope, where)
            case ir.If():
                self._if(s, scope)
            case ir.Alloc(buffer):
                if buffer.name in scope.buffers:
                    raise VerifyError(f"{buffer.name} is declared twice: {where}")
                if (buffer.space == "stack") != (scope.launch is None):
                    raise VerifyError(f"a {buffer.space} array {'in' if scope.launch else 'outside of'} a launch: {where}")
                if buffer.space == "shared" and scope.level > _ALIKE:
                    raise VerifyError(f"a shared array where not all threads come: {where}")
                if buffer.kind in ir.HALVES and buffer.space == "stack":
                    raise VerifyError(f"a stack array of {buffer.kind}: only inputs and outputs are halves: {where}")
                scope.buffers[buffer.name] = buffer
                scope.written.discard(buffer.name)
            case ir.Prefetch(buffer, _):
                if buffer.name not in scope.buffers:
                    raise VerifyError(f"{buffer.name} is not declared: {where}")

    def _inside(self, var: Var, bounds: Bounds, body: tuple[Stmt, ...], scope: _Scope) -> None:
        if var.name in scope.types:
            raise VerifyError(f"{var.name} is declared twice")
        scope.types[var.name], scope.integers[var.name] = var.type, bounds
        self._block(body, scope)
        del scope.types[var.name], scope.integers[var.name]

    def _loop(self, s: ir.Loop, bounds: Bounds, scope: _Scope) -> None:
        before, constants = scope.level, scope.unrolled
        ends = max(self._varies(s.start, scope), self._varies(s.stop, scope))
        for inner in ir.walk(s.body):
            if isinstance(inner, ir.Assign):  # what the body assigns last is read first, the next time round
                scope.varies[inner.var.name] = _BY_LANE
        scope.varies[s.var.name], scope.level = ends, max(before, ends)
        if isinstance(s.start, Const) and isinstance(s.stop, Const) and s.unroll * s.step >= int(s.stop.value) - int(s.start.value):
            scope.unrolled = constants | {s.var.name}
        self._inside(s.var, bounds, s.body, scope)
        scope.level, scope.unrolled = before, constants

    def _if(self, s: ir.If, scope: _Scope) -> None:
        """Within it the condition holds: ``v < end`` bounds v from above."""
        before, known = scope.level, dict(scope.integers)
        scope.level = max(before, self._varies(s.condition, scope))
        if isinstance(s.condition, Op) and s.condition.name in ("lt", "le"):
            v, end = s.condition.args
            if isinstance(v, Var) and v.name in scope.integers and end.type == ir.I64:
                at, step = scope.integers[v.name], Linear(-1 if s.condition.name == "lt" else 0)
                highs = tuple(h.plus(step) for h in self._bounds(end, scope).highs)
                scope.integers[v.name] = _trim(Bounds(at.lows, (*highs, *at.highs)))
        self._block(s.body, scope)
        scope.level = before
        scope.integers.update({name: known[name] for name in scope.integers if name in known})

    # Launches

    def _launch(self, s: ir.Launch, scope: _Scope, where: str) -> None:
        if scope.launch is not None:
            raise VerifyError(f"a launch inside a launch: {where}")
        if s.warps < 1 or s.cluster < 1 or (s.cluster > 1 and s.cooperative):
            raise VerifyError(f"a launch of {s.warps} warps, clusters of {s.cluster}: {where}")
        last = s.extents[-1]
        if s.cluster > 1 and (not isinstance(last, Const) or int(last.value) % s.cluster):
            raise VerifyError(f"clusters of {s.cluster} do not divide {show_expr(last)} blocks: {where}")
        if ir.shared_bytes(s) > _SHARED_MOST:
            raise VerifyError(f"{ir.shared_bytes(s)} bytes of shared arrays, and no block has more than {_SHARED_MOST}: {where}")
        own = ((s.warp, ir.const(s.warps), _BY_WARP), (s.lane, ir.const(ir.WARP), _BY_LANE))
        blocks = ((var, extent, _ALIKE) for var, extent in zip(s.vars, s.extents, strict=True))
        names = []
        for var, extent, level in (*blocks, *own):
            if not isinstance(extent, Const) and extent != self.nest.batch:
                raise VerifyError(f"the extent {show_expr(extent)} of {var.name} is neither a number nor the batch: {where}")
            if var.name in scope.types:
                raise VerifyError(f"{var.name} is declared twice: {where}")
            self.extents[var.name], scope.types[var.name] = extent, var.type
            scope.integers[var.name], scope.varies[var.name] = _point(Linear(0, ((var.name, 1),))), level
            names.append(var.name)
        scope.launch = s
        self._block(s.body, scope)
        scope.launch = None
        for name in names:
            del scope.types[name], scope.integers[name]

    def _barrier(self, name: str, scope: _Scope, where: str) -> None:
        if scope.launch is None or name not in ir.SCOPES:
            raise VerifyError(f"no barrier of {name} can stand here: {where}")
        if (name == "cluster") > (scope.launch.cluster > 1) or (name == "grid") > scope.launch.cooperative:
            raise VerifyError(f"a barrier of the {name} in a launch without: {where}")
        if scope.level > (_BY_WARP if name == "warp" else _ALIKE):
            raise VerifyError(f"a barrier of the {name} where not all its threads come: {where}")

    def _varies(self, e: Expr, scope: _Scope) -> int:
        """How far a value may differ between the threads of a block."""
        if isinstance(e, Var):
            return scope.varies.get(e.name, _ALIKE)
        if isinstance(e, Op) and e.name == "shuffle_xor":
            return _BY_LANE
        if isinstance(e, Load) and e.buffer.space == "register":
            return _BY_LANE
        most = max((self._varies(inner, scope) for inner in ir.operands(e)), default=_ALIKE)
        return min(most, _BY_WARP) if isinstance(e, Op) and e.name == "from_lane" else most

    def _is_constant(self, e: Expr, scope: _Scope) -> bool:
        """Whether an integer is a number once the loops around it are unrolled."""
        if isinstance(e, Var):
            return e.name in scope.unrolled
        return isinstance(e, Const) or (isinstance(e, Op) and all(self._is_constant(a, scope) for a in e.args))

    def _parallel(self, s: ir.Parallel, scope: _Scope, where: str) -> None:
        if scope.parallel:
            raise VerifyError(f"a parallel loop inside a parallel loop: {where}")
        names = tuple(v.name for v in s.vars)
        stacks = (name for name, b in scope.buffers.items() if b.space == "stack")
        scope.shared = frozenset((*scope.types, *stacks))
        for var, extent in zip(s.vars, s.extents, strict=True):
            if not isinstance(extent, Const) and extent != self.nest.batch:
                raise VerifyError(f"the extent {show_expr(extent)} of {var.name} is neither a number nor the batch: {where}")
            self.extents[var.name] = extent
            scope.types[var.name] = var.type
            scope.integers[var.name] = _point(Linear(0, ((var.name, 1),)))
        scope.parallel, scope.accesses = names, []
        self._block(s.body, scope)
        self._check_races(names, scope.accesses)
        scope.parallel, scope.shared = (), frozenset()
        for name in names:
            del scope.types[name], scope.integers[name]

    def _check_races(self, names: tuple[str, ...], accesses: list[tuple[Load | Store, list[Bounds]]]) -> None:
        stored = dict.fromkeys(a.buffer.name for a, _ in accesses if isinstance(a, Store) and a.buffer.space != "stack")
        for name in stored:
            spans = _on_common_axes([(a.buffer, at) for a, at in accesses if a.buffer.name == name])
            for var in names:
                if self.extents[var] != ir.const(1) and not any(self._owns(var, list(axis)) for axis in zip(*spans, strict=True)):
                    raise VerifyError(f"two iterations of {var} may meet in {name}: no axis of it belongs to {var}")

    def _owns(self, var: str, spans: list[Bounds]) -> bool:
        """Whether every span of one value of `var` ends before every span of the next value begins, or begins after it ends."""

        def apart(a: Bounds, b: Bounds, steps: tuple[int, int]) -> bool:
            """Whether a ends before b begins, each as of the value that lies so many steps on."""
            ends, begins = ([form.shifted(var, step) for form in side] for side, step in zip((a.highs, b.lows), steps, strict=True))
            return any(self._at_most(end.plus(Linear(1)), begin, var) for end in ends for begin in begins)

        return any(all(apart(a, b, steps) for a in spans for b in spans) for steps in ((0, 1), (1, 0)))

    # Expressions

    def _same(self, a: ir.Type, b: ir.Type, where: str) -> None:
        if a != b:
            raise VerifyError(f"{a} is not {b}: {where}")

    def _check_expr(self, e: Expr, scope: _Scope, where: str) -> None:
        for inner in ir.operands(e):
            self._check_expr(inner, scope, where)
        match e:
            case Const() if e.type.kind in ir.HALVES and e.value != 0:
                raise VerifyError(f"a constant of {e.type.kind} that is not 0: cast one of f32: {where}")
            case Var():
                if scope.types.get(e.name) != e.type:
                    raise VerifyError(f"{e.name}: {e.type} is read and not declared: {where}")
            case Op(name, args):
                if name not in ir.OPS:
                    raise VerifyError(f"{name} is no operation: {where}")
                self._check_halves(name, e, where)
                if name in (*ir.ARITH, *ir.COMPARE, *ir.DEALT, "fma"):
                    for a in args[1:]:
                        self._same(args[0].type, a.type, where)
                    if name not in ir.COMPARE:
                        self._same(args[0].type, e.type, where)
                if name == "select":
                    self._same(args[1].type, args[2].type, where)
                if name == "pack":
                    for a in args:
                        self._same(ir.Type(e.type.kind), a.type, where)
                if name in ir.SHUFFLES:
                    self._check_shuffle(e, scope, where)
            case Load():
                if e.buffer.name not in scope.written:
                    raise VerifyError(f"{e.buffer.name} is read before anything is stored in it: {where}")
                self._same(ir.Type(e.buffer.kind, e.type.lanes), e.type, where)
                if e.end is not None:
                    if e.fill is None:
                        raise VerifyError(f"a partial load of {e.buffer.name} does not say what fills it: {where}")
                    self._same(e.type, e.fill.type, where)
                self._check_access(e, e.type.lanes, scope, where)
            case ir.Peer(buffer, block):
                if scope.launch is None or buffer.space != "shared" or buffer.name not in scope.written:
                    raise VerifyError(f"{buffer.name} is no shared array with something in it: {where}")
                at = self._bounds(block, scope)
                inside = any(self._at_most(high, Linear(scope.launch.cluster - 1)) for high in at.highs)
                if not inside or not any(self._at_most(Linear(0), low) for low in at.lows):
                    raise VerifyError(f"block {show_expr(block)} may be outside of the cluster: {where}")
                self._check_access(Load(buffer, e.index, e.type), 1, scope, where)
            case ir.Call(name, args):
                if name not in self.functions:
                    raise VerifyError(f"{name} is no function of the nest: {where}")
                function = self.functions[name]
                if len(args) != len(function.params):
                    raise VerifyError(f"{name} takes {len(function.params)} arguments and is given {len(args)}: {where}")
                for p, a in zip(function.params, args, strict=True):
                    self._same(p.type, a.type, where)
                self._same(function.result.type, e.type, where)

    def _check_shuffle(self, e: Op, scope: _Scope, where: str) -> None:
        value, lane = e.args
        if scope.launch is None or scope.level > _BY_WARP:
            raise VerifyError(f"{e.name} where not all threads of a warp come: {where}")
        self._same(value.type, e.type, where)
        if value.type.lanes > 1 or not isinstance(lane, Const) or not 0 <= int(lane.value) < ir.WARP:
            raise VerifyError(f"{e.name} takes a scalar and a lane of {ir.WARP}: {where}")

    def _check_halves(self, name: str, e: Op, where: str) -> None:
        """Halves are cast from and to f32, and bfloat16 taken by pairs; nothing else is done with them."""
        if name in ir.PAIRS:
            self._check_pairs(name, e, where)
            return
        kinds = {e.type.kind, *(a.type.kind for a in e.args)}
        halves = sorted(kinds.intersection(ir.HALVES))
        if halves and (name != "cast" or len(halves) > 1 or kinds != {*halves, "f32"}):
            raise VerifyError(f"{name} of {', '.join(sorted(kinds))}: halves are cast from and to f32, and no more: {where}")

    def _check_pairs(self, name: str, e: Op, where: str) -> None:
        """Vectors of bfloat16 have twice the lanes of the vectors of f32 that they go with."""
        floats, halves = Type("f32", e.type.lanes), Type("bf16", 2 * e.type.lanes)
        if name == "zip":
            floats, halves = Type("f32", e.type.lanes // 2), e.type
        takes = {"even": (halves,), "odd": (halves,), "zip": (floats, floats)}.get(name, (floats, halves))
        self._same(e.type, halves if name == "zip" else floats, where)
        if len(takes) != len(e.args):
            raise VerifyError(f"{name} takes {len(takes)} operands and is given {len(e.args)}: {where}")
        for wanted, a in zip(takes, e.args, strict=True):
            self._same(wanted, a.type, where)

    def _check_access(self, a: Load | Store, lanes: int, scope: _Scope, where: str) -> None:
        known = scope.buffers.get(a.buffer.name)
        if known is None:
            raise VerifyError(f"{a.buffer.name} is not declared: {where}")
        if len(a.index) != len(a.buffer.shape):
            raise VerifyError(f"{len(a.index)} indices for {len(a.buffer.shape)} axes: {where}")
        if a.buffer.kind != known.kind:
            raise VerifyError(f"a view of {known.name} as {a.buffer.kind}, which holds {known.kind}: {where}")
        if _elements(a.buffer.shape) != _elements(known.shape):
            raise VerifyError(f"a view of {a.buffer.shape} of {known.name} with {known.shape}: {where}")
        if a.buffer.space == "register" and not all(self._is_constant(i, scope) for i in a.index):
            raise VerifyError(f"{a.buffer.name} is kept in registers, which only constants find: {where}")
        spans = []
        for axis, (position, extent) in enumerate(zip(a.index, a.buffer.shape, strict=True)):
            at = self._bounds(position, scope)
            if axis == len(a.index) - 1:
                highs = tuple(h.plus(Linear(lanes - 1)) for h in at.highs)
                if a.end is not None:
                    highs = tuple(h.plus(Linear(-1)) for h in self._bounds(a.end, scope).highs)
                at = Bounds(at.lows, highs)
            limit = Linear(-1, ((extent.name, 1),)) if isinstance(extent, Var) else Linear(extent - 1)
            what = f"index {show_expr(position)} on axis {axis} of {a.buffer.name}"
            if not any(self._at_most(Linear(0), low) for low in at.lows):
                raise VerifyError(f"{what} may be below 0: {where}")
            if not any(self._at_most(high, limit) for high in at.highs):
                raise VerifyError(f"{what} may pass {show_expr(ir.as_expr(extent))}: {where}")
            spans.append(at)
        scope.accesses.append((a, spans))

    def _bounds(self, e: Expr, scope: _Scope) -> Bounds:
        match e:
            case Const():
                return _point(Linear(int(e.value)))
            case Var() if e.name in scope.integers:
                return scope.integers[e.name]
            case Peel():
                return Bounds((Linear(0),), (Linear(e.lanes - 1),))
            case Op("main_end", (start, stop, _)):
                return Bounds(self._bounds(start, scope).lows, self._bounds(stop, scope).highs)
            case Op("advance", (start, by, stop)):
                first, step, last = (self._bounds(a, scope) for a in (start, by, stop))
                return _trim(Bounds(first.lows, (*_pairs(first.highs, step.highs, 1), *last.highs)))
            case Op("add", (a, b)):
                x, y = self._bounds(a, scope), self._bounds(b, scope)
                return _trim(Bounds(_pairs(x.lows, y.lows, 1), _pairs(x.highs, y.highs, 1)))
            case Op("sub", (a, b)):
                x, y = self._bounds(a, scope), self._bounds(b, scope)
                return _trim(Bounds(_pairs(x.lows, y.highs, -1), _pairs(x.highs, y.lows, -1)))
            case Op("mul", (a, Const(value))):
                x, factor = self._bounds(a, scope), int(value)
                lows, highs = (x.lows, x.highs) if factor >= 0 else (x.highs, x.lows)
                return Bounds(tuple(v.times(factor) for v in lows), tuple(v.times(factor) for v in highs))
            case Op("div", (a, Const(value))) if value > 0 and (bounds := self._quotient(self._bounds(a, scope), int(value))).highs:
                return bounds
            case Op("rem", (a, Const(value))) if value > 0:
                return _trim(Bounds((Linear(0),), (Linear(int(value) - 1), *self._bounds(a, scope).highs)))
            case Op("min", (a, b)):
                x, y = self._bounds(a, scope), self._bounds(b, scope)
                below = [v for v in x.lows if self._below_one(v, y.lows)] + [v for v in y.lows if self._below_one(v, x.lows)]
                return _trim(Bounds(tuple(below), x.highs + y.highs))
            case Op("max", (a, b)):
                x, y = self._bounds(a, scope), self._bounds(b, scope)
                above = [v for v in x.highs if self._above_one(v, y.highs)] + [v for v in y.highs if self._above_one(v, x.highs)]
                return _trim(Bounds(x.lows + y.lows, tuple(above)))
        raise VerifyError(f"no bounds are known for the index {show_expr(e)}")

    def _quotient(self, b: Bounds, by: int) -> Bounds:
        """Bounds of a quotient: forms whose coefficients all divide, and numbers. Operands are never negative."""

        def divided(sides: tuple[Linear, ...]) -> tuple[Linear, ...]:
            whole = (v for v in sides if not any(c % by for _, c in v.terms))
            return tuple(Linear(v.constant // by, tuple((n, c // by) for n, c in v.terms)) for v in whole)

        numbers = tuple(Linear(most // by) for high in b.highs if (most := self._most(high)) is not None)
        return _trim(Bounds((*divided(b.lows), Linear(0)), (*divided(b.highs), *numbers)))

    def _most(self, a: Linear) -> int | None:
        """The largest value of a form, where the batch does not raise it."""
        most = a.constant
        for name, c in a.terms:
            extent = self.extents.get(name)
            if c > 0 and isinstance(extent, Const):
                most += c * (int(extent.value) - 1)
            elif c > 0:
                return None
        return most

    def _below_one(self, v: Linear, others: tuple[Linear, ...]) -> bool:
        return any(self._at_most(v, o) for o in others)

    def _above_one(self, v: Linear, others: tuple[Linear, ...]) -> bool:
        return any(self._at_most(o, v) for o in others)

    def _at_most(self, a: Linear, b: Linear, stepping: str = "") -> bool:
        """Whether a <= b for every batch and every value of the parallel variables (`stepping` stays below its last)."""
        rest = a.plus(b, -1)
        for name, c in rest.terms:
            if name in self.extents and c > 0:
                extent = self.extents[name]
                last = Linear(int(extent.value)) if isinstance(extent, Const) else Linear(0, ((self.nest.batch.name, 1),))
                rest = rest.plus(Linear(0, ((name, -c),))).plus(last.plus(Linear(-2 if name == stepping else -1)).times(c))
        constant = rest.constant
        for name, c in rest.terms:
            if name == self.nest.batch.name:
                if c > 0:
                    return False
                constant += c
        return constant <= 0


def _pairs(a: tuple[Linear, ...], b: tuple[Linear, ...], sign: int) -> tuple[Linear, ...]:
    return tuple(x.plus(y, sign) for x in a for y in b)


def _trim(b: Bounds) -> Bounds:
    """Drop repeated bounds, keep a few: a bound less is a weaker proof, never a wrong one."""
    return Bounds(tuple(dict.fromkeys(b.lows))[:_MOST_BOUNDS], tuple(dict.fromkeys(b.highs))[:_MOST_BOUNDS])


def _strides(shape: tuple[int | Var, ...]) -> list[int]:
    """How far apart in memory neighbours along each axis are."""
    steps = [1]
    for extent in reversed(shape[1:]):
        steps.append(steps[-1] * (extent if isinstance(extent, int) else 1))
    return steps[::-1]


def _on_common_axes(accesses: list[tuple[Buffer, list[Bounds]]]) -> list[list[Bounds]]:
    """The bounds of each access on the axes that all the shapes have: axes between two common strides count as one.

    An index of ``[n, o, c, i]`` in the shape (batch, 4, 3, 5) is, beside one in the shape (batch, 4, 15), ``[n, o, c * 5 + i]``.
    """
    shapes = {buffer.shape for buffer, _ in accesses}
    if len(shapes) == 1:
        return [at for _, at in accesses]
    common = sorted(set.intersection(*(set(_strides(shape)) for shape in shapes)), reverse=True)
    found = []
    for buffer, at in accesses:
        merged = [_point(Linear(0)) for _ in common]
        for stride, span in zip(_strides(buffer.shape), at, strict=True):
            axis = next(i for i, c in enumerate(common) if c <= stride)
            factor = stride // common[axis]
            lows, highs = (tuple(v.times(factor) for v in side) for side in (span.lows, span.highs))
            merged[axis] = _trim(Bounds(_pairs(merged[axis].lows, lows, 1), _pairs(merged[axis].highs, highs, 1)))
        found.append(merged)
    return found


def _elements(shape: tuple[int | Var, ...]) -> tuple[int, int]:
    """How many elements a shape has: the product of its integers, and how many extents are the batch."""
    product, symbolic = 1, 0
    for extent in shape:
        if isinstance(extent, int):
            product *= extent
        else:
            symbolic += 1
    return product, symbolic
