"""The pieces of a masked problem: what of a block counts, and how much, whatever padding holds.

The mask is 1 where a position counts and 0 where it does not. Masked elements are left out by a select or a branch, never by a
product, since they may be NaN or infinite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gngen import loopnest as ir
from gngen.loopnest import F64, Buffer, Expr, Type, Var
from gngen.summation import RowSlabs

if TYPE_CHECKING:
    from gngen.pieces import Pieces

Span = tuple[Expr, Expr]
# (run, position, end, lanes): elements of the input.
Fetch = Callable[[Expr, Expr, Expr | None, int], Expr]


class _Mask:
    """A view of the mask whose last axis a block's vectors, runs or rows follow."""

    def __init__(self, k: Pieces, *shape: int) -> None:
        assert k.mask is not None
        self.k, self.b, self.lanes = k, k.b, k.lanes
        self.view: Buffer = k.mask.view(k.batch, *shape)
        self.zero, self.zeros = ir.const(0, k.scalar), ir.const(0, k.vector)

    def load(self, lead: tuple[Expr, ...], at: Expr, end: Expr | None = None) -> Expr:
        """A vector of the mask."""
        return self.b.load(self.view, *lead, at, lanes=self.lanes, end=end, fill=None if end is None else self.zeros)

    @contextmanager
    def only_where(self, *index: Expr) -> Iterator[None]:
        """What is done only where a position counts."""
        with self.b.when(ir.compare("gt", self.b.load(self.view, *index), self.zero)):
            yield

    @contextmanager
    def first_in(self, lead: tuple[Expr, ...], span: Span) -> Iterator[Expr]:
        """What is done once, for the first position of a span that counts."""
        b = self.b
        found = b.let("found", self.zero)
        with b.loop("position", *span) as position, b.when(ir.compare("gt", b.load(self.view, *lead, position), found)):
            b.assign(found, ir.const(1, self.k.scalar))
            yield position

    def each_vector(self, span: Span, visit: Callable[[Expr, Expr | None], None]) -> None:
        """Visit a span of the last axis vector by vector."""
        b = self.b
        with b.loop("i", *span, self.lanes) as i:
            visit(i, None)
        tail = b.named("tail", ir.main_end(*span, self.lanes))
        if tail != span[1]:
            with b.when(ir.compare("lt", tail, span[1])):
                visit(tail, span[1])

    def add_up(self, kept: Var, lead: tuple[Expr, ...], span: Span) -> None:
        """Add the positions of a span that count to the lanes of `kept`."""
        self.each_vector(span, lambda at, end: self.b.assign(kept, ir.add(kept, ir.cast(self.load(lead, at, end), kept.type.kind))))


class RunMask(_Mask):
    """The mask beside a block of runs: along them; or, where a run is one position's channels, an element for each run."""

    def __init__(self, k: Pieces, n: Expr, runs: Span, span: Span) -> None:
        self.along = k.p.inner > 1
        super().__init__(k, k.p.outer, *((k.p.inner,) if self.along else ()))
        self.n, self.runs, self.span = n, runs, span

    def of_run(self, run: Expr) -> Expr | None:
        """What all vectors of a run share of the mask; None where each has its own."""
        return None if self.along else self.b.let("keeps", ir.splat(self.b.load(self.view, self.n, run), self.lanes))

    def only(self, value: Expr, keeps: Expr | None, run: Expr, at: Expr, end: Expr | None) -> Expr:
        """A vector's lanes where they count, 0 elsewhere."""
        mask = self.load((self.n, run), at, end) if keeps is None else keeps
        return ir.select(ir.compare("gt", mask, self.zeros), value, self.zeros)

    @contextmanager
    def where(self, run: Expr, at: Expr) -> Iterator[None]:
        """What is done only for an element that counts."""
        with self.only_where(self.n, run, *((at,) if self.along else ())):
            yield

    def count(self, chans: Expr) -> Var:
        """How many elements of the block count; a run has `chans` channels of each position."""
        b = self.b
        kept = b.let("kept", self.zeros)
        if self.along:
            with b.loop("run", *self.runs) as run:
                self.add_up(kept, (self.n, run), self.span)
        else:
            self.add_up(kept, (self.n,), self.runs)
        each = chans if self.along else ir.sub(self.span[1], self.span[0])
        return b.let("count", ir.mul(ir.cast(ir.reduce_add(kept), "f64"), ir.cast(each, "f64")))

    def better_shift(self, shift: Var, fetch: Fetch) -> None:
        """Where the block's first element, the shift so far, is padding: one from elements that count; 0 without any.

        Along the runs that is the mean of the last such elements of every lane.
        """
        b, first = self.b, (self.n, self.runs[0], *((self.span[0],) if self.along else ()))
        with b.when(ir.compare("le", b.load(self.view, *first), self.zero)):
            b.assign(shift, self.zero)
            if self.along:
                self._mean_of_lanes(shift, fetch)
                return
            with self.first_in((self.n,), self.runs) as run:
                b.assign(shift, fetch(run, self.span[0], None, 1))

    def _mean_of_lanes(self, shift: Var, fetch: Fetch) -> None:
        b = self.b
        held, seen = b.let("held", self.zeros), b.let("seen", self.zeros)
        with b.loop("run", *self.runs) as run:

            def visit(at: Expr, end: Expr | None) -> None:
                keeps = b.let("keeps", self.load((self.n, run), at, end))
                b.assign(held, ir.select(ir.compare("gt", keeps, self.zeros), fetch(run, at, end, self.lanes), held))
                b.assign(seen, ir.maximum(seen, keeps))

            self.each_vector(self.span, visit)
        total, lanes = (ir.reduce_add(ir.cast(v, "f64")) for v in (held, seen))
        b.assign(shift, ir.cast(ir.div(total, ir.maximum(lanes, ir.const(1, F64))), shift.type.kind))


class RowMask(_Mask):
    """The mask of a sample read by rows: an element for each row."""

    def __init__(self, k: Pieces, n: Expr, slabs: RowSlabs) -> None:
        super().__init__(k, slabs.rows)
        self.n, self.rows = n, slabs.rows

    @contextmanager
    def where(self, row: Expr) -> Iterator[None]:
        """What is done only for a row that counts."""
        with self.only_where(self.n, row):
            yield

    @contextmanager
    def first(self, start: int, stop: int) -> Iterator[Expr]:
        """What is done once, for the first of some rows that counts."""
        with self.first_in((self.n,), (ir.const(start), ir.const(stop))) as row:
            yield row

    def count(self) -> Expr:
        """How many rows count, as a float64."""
        kept = self.b.let("kept", ir.const(0, Type("f64", self.lanes)))
        self.add_up(kept, (self.n,), (ir.const(0), ir.const(self.rows)))
        return ir.reduce_add(kept)
