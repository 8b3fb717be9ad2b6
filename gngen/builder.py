"""Write a loop nest top to bottom: a statement a call, blocks as ``with``, names made unique."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from gngen import loopnest as ir
from gngen.loopnest import I64, Buffer, Expr, Load, Stmt, Type, Var

T = TypeVar("T")


class Builder:
    """Collects the statements of a nest and the functions it calls.

    >>> b = Builder()
    >>> with b.loop("i", 0, 8, 2) as i:
    ...     _ = b.let("j", ir.add(i, 1))
    >>> len(b.finish())
    1
    """

    def __init__(self) -> None:
        self._blocks: list[list[Stmt]] = [[]]
        self._names: dict[str, int] = {}
        self.functions: dict[str, ir.Function] = {}
        self.interleaved = False  # whether what is written stands side by side with other statements

    def finish(self) -> tuple[Stmt, ...]:
        (body,) = self._blocks
        return tuple(body)

    def emit(self, s: Stmt) -> None:
        self._blocks[-1].append(s)

    def name(self, stem: str) -> str:
        """`stem`, or `stem_2`, `stem_3` where it is taken."""
        count = self._names[stem] = self._names.get(stem, 0) + 1
        return stem if count == 1 else f"{stem}_{count}"

    def let(self, stem: str, value: Expr | int) -> Var:
        expr = ir.as_expr(value)
        var = Var(self.name(stem), expr.type)
        self.emit(ir.Let(var, expr))
        return var

    def named(self, stem: str, value: Expr | int) -> Expr:
        """A name for an expression that is used again; constants and names stay as they are."""
        expr = ir.as_expr(value)
        return expr if isinstance(expr, (ir.Const, Var)) else self.let(stem, expr)

    def assign(self, var: Var, value: Expr) -> None:
        self.emit(ir.Assign(var, value))

    def load(self, buffer: Buffer, *index: Expr | int, lanes: int = 1, end: Expr | None = None, fill: Expr | None = None) -> Load:
        return Load(buffer, tuple(map(ir.as_expr, index)), Type(buffer.kind, lanes), end, fill)

    def store(self, buffer: Buffer, *index: Expr | int, value: Expr, end: Expr | None = None, streaming: bool = False) -> None:
        self.emit(ir.Store(buffer, tuple(map(ir.as_expr, index)), value, end, streaming))

    def alloc(self, stem: str, kind: str, *shape: int) -> Buffer:
        return self._own(stem, kind, shape, "stack")

    def register(self, stem: str, kind: str, count: int, lanes: int) -> Buffer:
        """A thread's own array of `count` vectors, which are found by constants."""
        return self._own(stem, kind, (count, lanes), "register")

    def shared(self, stem: str, kind: str, *shape: int) -> Buffer:
        """A block's array."""
        return self._own(stem, kind, shape, "shared")

    def _own(self, stem: str, kind: str, shape: tuple[int, ...], space: str) -> Buffer:
        buffer = Buffer(self.name(stem), kind, shape, space)
        self.emit(ir.Alloc(buffer))
        return buffer

    def barrier(self, scope: str) -> None:
        self.emit(ir.Barrier(scope))

    def prefetch(self, buffer: Buffer, *index: Expr | int) -> None:
        self.emit(ir.Prefetch(buffer, tuple(map(ir.as_expr, index))))

    def comment(self, text: str) -> None:
        self.emit(ir.Comment(text))

    def fence(self) -> None:
        self.emit(ir.Fence())

    @contextmanager
    def _block(self) -> Iterator[list[Stmt]]:
        self._blocks.append([])
        try:
            yield self._blocks[-1]
        finally:
            self._blocks.pop()

    @contextmanager
    def loop(self, stem: str, start: Expr | int, stop: Expr | int, step: int = 1, unroll: int = 1) -> Iterator[Expr]:
        """A serial loop of full steps; left out when it is known to be empty, unwrapped when it is known to run once."""
        first, last = ir.as_expr(start), ir.as_expr(stop)
        if _known_steps(first, last, step) == 1:
            yield first
            return
        var = Var(self.name(stem), I64)
        with self._block() as body:
            yield var
        if body and _known_steps(first, last, step) != 0:
            self.emit(ir.Loop(var, first, last, step, tuple(body), unroll))

    @contextmanager
    def parallel(self, stems: tuple[str, ...], extents: tuple[Expr | int, ...], *, serial: bool = False) -> Iterator[tuple[Var, ...]]:
        """A parallel loop over several extents, or the same as nested serial loops."""
        variables = tuple(Var(self.name(s), I64) for s in stems)
        counts = tuple(map(ir.as_expr, extents))
        with self._block() as body:
            yield variables
        if not serial:
            self.emit(ir.Parallel(variables, counts, tuple(body)))
            return
        inner = tuple(body)
        for var, count in zip(reversed(variables), reversed(counts), strict=True):
            inner = (ir.Loop(var, ir.const(0), count, 1, inner),)
        for s in inner:
            self.emit(s)

    @contextmanager
    def launch(
        self,
        stems: tuple[str, ...],
        extents: tuple[Expr | int, ...],
        warps: int,
        together: int = 1,
        cluster: int = 1,
        cooperative: bool = False,
    ) -> Iterator[tuple[tuple[Var, ...], Var, Var]]:
        """A grid of blocks of threads; yields the block's numbers, and a thread's warp and lane."""
        blocks = tuple(Var(self.name(s), I64) for s in stems)
        warp, lane = Var(self.name("warp"), I64), Var(self.name("lane"), I64)
        with self._block() as body:
            yield blocks, warp, lane
        self.emit(ir.Launch(blocks, tuple(map(ir.as_expr, extents)), warps, warp, lane, tuple(body), together, cluster, cooperative))

    @contextmanager
    def when(self, condition: Expr) -> Iterator[None]:
        with self._block() as body:
            yield
        if body:
            self.emit(ir.If(condition, tuple(body)))

    def call(self, function: ir.Function, *args: Expr) -> Expr:
        """A call of a pure function, which the nest then carries; or, side by side with others, its statements."""
        self.functions.setdefault(function.name, function)
        return self._written_out(function, args) if self.interleaved else ir.Call(function.name, args, function.result.type)

    def _written_out(self, function: ir.Function, args: tuple[Expr, ...]) -> Expr:
        """What a call gives, by the function's statements."""
        known = {param.name: self.named(param.name, arg) for param, arg in zip(function.params, args, strict=True)}
        for s in function.body:
            assert isinstance(s, ir.Let)
            stem = s.var.name.rstrip("0123456789").rstrip("_")
            known[s.var.name] = self.let(stem, ir.substitute(s.value, known))
        return ir.substitute(function.result, known)

    def side_by_side(self, visits: Sequence[Callable[[], T]]) -> list[T]:
        """Write what each visit writes, a statement of each in turn, so that no operation has to wait for the one before; what they return.

        The visits write statements of the same kinds, but for names at their beginning. Calls within become the functions' statements.
        """
        before, self.interleaved = self.interleaved, self.interleaved or len(visits) > 1
        bodies: list[list[Stmt]] = []
        returned: list[T] = []
        for visit in visits:
            with self._block() as body:
                returned.append(visit())
            bodies.append(body)
        self.interleaved = before
        longest = max(map(len, bodies))
        for turn in range(longest):
            for body in bodies:
                begun = turn - longest + len(body)
                if begun >= 0:
                    self.emit(body[begun])
        return returned


def _known_steps(start: Expr, stop: Expr, step: int) -> int | None:
    """How many steps a loop makes, where its ends are constants."""
    if start == stop:
        return 0
    if isinstance(start, ir.Const) and isinstance(stop, ir.Const):
        return max(0, int(stop.value) - int(start.value)) // step
    return 1 if stop == ir.add(start, step) else None
