"""What the CPU schedules of either direction sweep over arrays with: vectors, pieces of loops, runs that are peeled to an alignment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from gngen import loopnest as ir
from gngen.formulas import Formulas
from gngen.loopnest import Buffer, Expr, Type, Var
from gngen.problem import Problem
from gngen.schedule import Schedule


class Sweeps(Formulas):
    """Formulas under a CPU schedule; `step` elements of an array are taken at once."""

    def __init__(self, p: Problem, s: Schedule) -> None:
        super().__init__(p)
        self.s = s
        self.lanes = self.step = s.lanes
        self.vector = Type(p.kind, s.lanes)
        self.wide_lanes = max(1, s.lanes * p.bits // 64)  # elements of a vector of float64: of more, compilers keep them in memory

    @contextmanager
    def serially(self) -> Iterator[None]:
        """Within it, phases are serial loops: one worker does them all."""
        s = self.s
        self.s = replace(s, parallel_from=0)
        yield
        self.s = s

    def cut(self, stem: str, index: Expr, step: int, total: int) -> tuple[Expr, Expr]:
        """First and last of piece `index` of `total` cut every `step`."""
        if step >= total:
            return ir.const(0), ir.const(total)
        first = self.b.named(f"{stem}_first", ir.mul(index, step))
        whole = ir.add(first, step)
        return first, self.b.named(f"{stem}_last", whole if total % step == 0 else ir.minimum(whole, total))

    def lane_sum(self, vectors: list[Var], stem: str) -> Var:
        """The sum of several vectors' lanes as a float64: vectors pairwise, then the lanes as halves."""
        level: list[Expr] = list(vectors)
        while len(level) > 1:
            level = [ir.add(level[i], level[i + 1]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
        return self.b.let(stem, ir.reduce_add(ir.cast(level[0], "f64")))

    def fill(self, buffer: Buffer, place: Expr, width: int, value: Expr) -> None:
        """``buffer[place : place + width] = value``."""
        b = self.b
        step = self.lanes if width >= self.lanes else 1
        end = b.named("fill_end", ir.add(place, width))
        values = b.named("filling", ir.splat(value, step))
        with b.loop("e", place, end, step) as e:
            b.store(buffer, e, value=values)
        if width % step:
            b.store(buffer, ir.main_end(place, end, step), value=values, end=end)

    def repeat(self, tables: tuple[Buffer, ...], row: int, width: int) -> None:
        """Repeat the first `row` entries of tables up to `width`: single ones until whole vectors lie before the next."""
        b = self.b
        behind = row * -(-self.lanes // row)
        for start, stop, back, lanes in ((row, min(behind, width), row, 1), (behind, width, behind, self.lanes)):
            with b.loop("copy", start, stop, lanes) as at:
                for table in tables:
                    b.store(table, at, value=b.load(table, ir.sub(at, back), lanes=lanes))
        tail = behind + max(0, width - behind) // self.lanes * self.lanes
        if tail < width:
            for table in tables:
                b.store(table, tail, value=b.load(table, tail - behind, lanes=self.lanes), end=ir.const(width))

    def each_vector(
        self,
        y: Buffer,
        lead: tuple[Expr, ...],
        start: Expr,
        stop: Expr,
        length: int,
        visit: Callable[[Expr, Expr | None], Expr],
        align: bool,
        step: int,
        read: tuple[Buffer, ...] = (),
    ) -> None:
        """Store ``y[*lead, start:stop] = visit(position, end)``, `step` elements at a time.

        A long run begins where y is aligned: streaming stores must, and others gain where the operands are not tables. Of the buffers
        in `read`, which lie like y, the schedule's `ahead` is asked for on the way.
        """
        b = self.b
        streaming = self.s.store == "streaming" and length >= 8 * step
        aligned = streaming or (align and length >= 8 * step)
        begin = start
        if aligned:
            begin, _ = self.peel(y, lead, start, stop, step)
            with b.when(ir.compare("lt", start, begin)):
                self.put(y, *lead, start, value=visit(start, begin), end=begin)

        def write(at: Expr) -> None:
            self.put(y, *lead, at, value=visit(at, None), streaming=streaming)

        rest = begin
        steps = self.at_once(step, length)
        for many in steps:
            with b.loop("i", rest, stop, many * step, unroll=max(1, 4 // many) if many == steps[0] else 1) as i:
                for line in range(0, many * step, max(step, self.s.line)):
                    self.ask_ahead(read, *lead, ir.add(i, line))
                self.interleave(step, write, [(b.named("at", ir.add(i, k * step)) if many > 1 else i,) for k in range(many)])
            rest = b.named("rest", ir.main_end(rest, stop, many * step)) if many > 1 else rest
        if aligned or length % step:
            tail = b.named("tail", ir.main_end(begin, stop, step))
            with b.when(ir.compare("lt", tail, stop)):
                self.put(y, *lead, tail, value=visit(tail, stop), end=stop)

    def at_once(self, step: int, length: int) -> tuple[int, ...]:
        """How many steps of a run to take at a time: all that are interleaved, and so many that each line ahead is asked for once; then
        those that are left, one at a time."""
        most = max(self.s.line // step if self.s.ahead else 1, self.s.interleave * self.lanes // step, 1)
        while most * step > max(step, length):
            most //= 2
        return (most, 1) if most > 1 else (1,)

    def interleave(self, step: int, visit: Callable[..., None], places: Sequence[tuple[Any, ...]]) -> None:
        """``visit(*place)`` for each place, of `step` elements, as many side by side as the schedule says."""
        together = max(1, self.s.interleave * self.lanes // step)
        for first in range(0, len(places), together):
            group = places[first : first + together]
            if len(group) > 1:
                self.b.comment(f"{len(group) * step // self.lanes} vectors side by side, so that no operation waits for the one before")
            self.b.side_by_side([partial(visit, *place) for place in group])

    def ask_ahead(self, buffers: tuple[Buffer, ...], *index: Expr) -> None:
        """Ask for what the schedule's worker reads next, where it is that far ahead."""
        if self.s.ahead:
            for buffer in buffers:
                self.b.prefetch(buffer, *index[:-1], ir.add(index[-1], self.s.ahead))

    def peel(self, y: Buffer, lead: tuple[Expr, ...], start: Expr, stop: Expr, step: int) -> tuple[Expr, Expr]:
        """The first position in start..stop at which y is aligned to `step` elements (or stop), and how far from start that is."""
        phase = self.b.let("phase", ir.Peel(y, (*lead, start), step))
        return self.b.let("aligned", ir.advance(start, phase, stop)), phase
