"""The pieces that GPU schedules are put together from: a warp's slice of a group, the merge of slices, the elementwise pass.

A piece writes what one thread does. x stands for what is normalised: the sum, where there is a residual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gngen import loopnest as ir
from gngen.formulas import LARGEST, Formulas, Normalizer
from gngen.gpuschedule import GpuSchedule
from gngen.loopnest import F64, WARP, Buffer, Expr, Type, Var
from gngen.problem import Problem
from gngen.slices import group_slices

# Given a vector of x in the kind that is computed in, and 1 where its elements count (None: all do).
Visit = Callable[[Expr, Expr | None], None]
# Given the number of an entry and its column.
Read = Callable[[Expr, int], Expr]


@dataclass(frozen=True)
class Held:
    """Where a thread keeps the vectors of its slices: slot j of round r in its registers, or beside other threads' in shared memory."""

    buffer: Buffer
    slots: int
    threads: int
    thread: Expr

    def at(self, r: Expr, j: Expr) -> Expr:
        slot = ir.add(ir.mul(r, self.slots), j)
        return slot if self.buffer.space == "register" else ir.add(ir.mul(slot, self.threads), self.thread)


@dataclass(frozen=True)
class Moments:
    """Mean, sum of squared differences from it, and count: float64 scalars that all threads of a warp have alike."""

    mean: Var
    m2: Var
    count: Expr

    @property
    def columns(self) -> tuple[Expr, Expr, Expr]:
        return self.mean, self.m2, self.count


class GpuPieces(Formulas):
    """Writes into a builder; a piece is a method that adds its statements and returns the values that it leaves."""

    def __init__(self, p: Problem, s: GpuSchedule) -> None:
        super().__init__(p)
        self.s = s
        self.sums = group_slices(p)
        self.lanes = self.sums.lanes
        self.vector = Type(p.kind, self.lanes)
        self.columns = 2 if self.mask is None else 3  # of partial moments: a mask makes the count vary
        self._only_thread: tuple[Expr, ...] = ()  # numbers that are 0 in the one thread that stores a group's statistics

    # Places

    def runs(self, buffer: Buffer) -> Buffer:
        """An array like x as the runs of its groups."""
        return buffer.view(self.batch, self.sums.runs, self.p.groups, self.sums.length)

    def place(self, n: Expr, g: Expr, v: Expr) -> tuple[Expr, ...]:
        """The index of vector v of a group in the arrays as runs."""
        run, at = self._in_run(v)
        return n, run, g, ir.mul(at, self.lanes)

    def _in_run(self, v: Expr) -> tuple[Expr, Expr]:
        """The run of vector v of a group, and its number there."""
        if self.sums.runs == 1:
            return ir.const(0), v
        return ir.div(v, self.sums.run_vectors), ir.rem(v, self.sums.run_vectors)

    @property
    def _whole_sample(self) -> bool:
        """Whether a run has all rows of a sample, one after the other."""
        return self.sums.length > self.p.chans * self.p.inner

    def _channel(self, element: Expr) -> Expr:
        """The channel, of its group, of an element of a run."""
        channel = ir.div(element, self.p.inner)
        return ir.rem(channel, self.p.chans) if self._whole_sample else channel

    def keeps(self, n: Expr, v: Expr) -> Expr | None:
        """1 where the elements of vector v of a group count and 0 where not; None where nothing is masked."""
        if self.mask is None:
            return None
        p, lanes, b = self.p, self.lanes, self.b
        mask, (run, at) = self.mask.view(self.batch, p.outer, p.inner), self._in_run(v)
        width = p.chans * p.inner

        def row(element: Expr) -> Expr:
            return ir.div(element, width) if self._whole_sample else run

        first = ir.mul(at, lanes)
        if p.inner % lanes == 0:
            return b.load(mask, n, row(first), ir.mul(ir.rem(at, p.inner // lanes), lanes), lanes=lanes)
        if p.inner == 1 and p.chans % lanes == 0:
            return ir.splat(b.load(mask, n, row(first), 0), lanes)
        elements = (ir.add(first, k) for k in range(lanes))
        return ir.pack(*(b.load(mask, n, row(e), ir.rem(e, p.inner)) for e in elements))

    def each_slot(self, slice_: Expr, lane: Expr, sure: bool, visit: Callable[[Expr, Expr], None], fill: Callable[[Expr], None]) -> None:
        """Visit slot j and its vector's number v for this lane's vectors of a slice; slots that may have none are filled first.

        sure: whether the slice is certainly one of the group's.
        """
        b, sums = self.b, self.sums
        certain = min(sums.slots, sums.sure_slots) if sure else 0
        start = b.named("start", ir.add(ir.mul(slice_, sums.slice_vectors), lane))
        with b.loop("j", 0, certain, unroll=sums.slots) as j:
            visit(j, b.named("v", ir.add(start, ir.mul(j, WARP))))
        with b.loop("j", certain, sums.slots, unroll=sums.slots) as j:
            v = b.let("v", ir.add(start, ir.mul(j, WARP)))
            fill(j)
            with b.when(ir.compare("lt", v, ir.const(sums.vectors))):
                visit(j, v)

    def slice_size(self, i: Expr, sure: bool, slices: int = 1) -> Expr:
        """How many elements entry i of a group has, as a float64; entries are so many slices."""
        most, group = self.sums.elements * slices, self.p.group
        if sure and group % most == 0:
            return ir.const(most, F64)
        rest = ir.minimum(ir.const(most), ir.sub(ir.const(group), ir.mul(i, most)))
        return ir.cast(rest if sure else ir.maximum(rest, 0), "f64")

    # Moving

    def summed_value(self, index: tuple[Expr, ...], seen: Callable[[Buffer], Buffer]) -> Expr:
        """A vector of x as it is stored, with the residual added and rounded; `seen` gives the view of an array that is indexed."""
        b, kind = self.b, self.p.kind
        value = b.load(seen(self.x), *index, lanes=self.lanes)
        if self.residual is None:
            return value
        other = b.load(seen(self.residual), *index, lanes=self.lanes)
        return b.let("value", ir.cast(ir.add(ir.cast(value, kind), ir.cast(other, kind)), self.x.kind))

    def settled_at(self, index: tuple[Expr, ...], seen: Callable[[Buffer], Buffer]) -> Expr:
        """The same vector, read again."""
        if self.summed is None:
            return self.summed_value(index, seen)
        return self.b.load(seen(self.summed), *index, lanes=self.lanes)

    def hold(self, held: Held, n: Expr, g: Expr, r: Expr, slice_: Expr, lane: Expr, sure: bool) -> None:
        """Read a slice, for the first time, and keep it; store the sums where they are asked for."""
        b = self.b
        zeros = ir.cast(ir.const(0, self.vector), self.x.kind)

        def visit(j: Expr, v: Expr) -> None:
            index = self.place(n, g, v)
            value = self.summed_value(index, self.runs)
            if self.summed is not None:
                b.store(self.runs(self.summed), *index, value=value)
            b.store(held.buffer, held.at(r, j), 0, value=value)

        self.each_slot(slice_, lane, sure, visit, lambda j: b.store(held.buffer, held.at(r, j), 0, value=zeros))

    def value(self, held: Held, r: Expr, j: Expr) -> Expr:
        """A vector that is held, in the kind that is computed in."""
        return ir.cast(self.b.load(held.buffer, held.at(r, j), 0, lanes=self.lanes), self.p.kind)

    def each_held(self, held: Held, n: Expr, r: Expr, slice_: Expr, lane: Expr, sure: bool) -> Callable[[Visit], None]:
        """What visits the vectors of a slice that is held."""

        def each(visit: Visit) -> None:
            self.each_slot(slice_, lane, sure, lambda j, v: visit(self.value(held, r, j), self.keeps(n, v)), lambda _: None)

        return each

    # Moments

    def warp_sum(self, value: Expr, stem: str) -> Var:
        """The sum of a scalar over the lanes of the warp, in all of them: lane i + lane i ^ 16, then ^ 8, and so on."""
        b = self.b
        total = b.let(stem, value)
        step = WARP // 2
        while step:
            b.assign(total, ir.add(total, ir.shuffle_xor(total, step)))
            step //= 2
        return total

    def slice_moments(self, each: Callable[[Visit], None], size: Expr) -> Moments:
        """Of a slice of `size` elements: c = sum(x) / n, d = x - c, mean = c + sum(d) / n, M2 = sum(d^2) - sum(d)^2 / n.

        c is near the mean, however it was rounded, so nothing cancels; where all x are equal, all d are, and M2 is 0. The first sum
        is of x / 2^k, and so cannot overflow; where the second did, it is done again in float64 (as it is where x is NaN).
        """
        b, p = self.b, self.p
        count = size if self.mask is None else self._count(each)
        whole = count if isinstance(count, ir.Const) else b.let("whole", ir.maximum(count, ir.const(1, F64)))
        total = b.let("total", ir.const(0, self.vector))
        share = 2.0 ** -(self.sums.elements - 1).bit_length()
        shares = ir.const(share, self.vector)
        each(lambda value, keeps: b.assign(total, ir.fma(self._only(value, keeps), shares, total)))
        mean_share = ir.div(ir.cast(self._lane_sum(total, "shared"), "f64"), whole)
        center = b.let("center", ir.cast(ir.mul(mean_share, ir.const(1 / share, F64)), p.kind))
        rest, square = self._deviations(each, center, p.kind)
        rests, squares = (b.let(stem, ir.cast(value, "f64")) for stem, value in (("rests", rest), ("squares", square)))
        if p.kind == "f32":
            with b.when(ir.logical_not(ir.compare("le", ir.from_lane(square, 0), ir.const(LARGEST["f32"], self.scalar)))):
                for var, value in zip((rests, squares), self._deviations(each, center, "f64"), strict=True):
                    b.assign(var, value)
        off = b.let("off", ir.div(rests, whole))
        mean = b.let("slice_mean", ir.add(ir.cast(center, "f64"), off))
        return Moments(mean, b.let("slice_m2", ir.sub(squares, ir.mul(rests, off))), count)

    def _deviations(self, each: Callable[[Visit], None], center: Expr, kind: str) -> tuple[Var, Var]:
        """Sums over a slice of d = x - center and of d^2, in a kind."""
        b, lanes = self.b, self.lanes
        rest, square = (b.let(stem, ir.const(0, Type(kind, lanes))) for stem in ("rest", "square"))
        centers = b.named("centers", ir.splat(ir.cast(center, kind), lanes))

        def deviate(value: Expr, keeps: Expr | None) -> None:
            d = b.let("d", self._only(ir.sub(ir.cast(value, kind), centers), keeps))
            b.assign(rest, ir.add(rest, d))
            b.assign(square, ir.fma(d, d, square))

        each(deviate)
        return self._lane_sum(rest, "rest_sum"), self._lane_sum(square, "square_sum")

    def _lane_sum(self, vector: Expr, stem: str) -> Var:
        """The sum of a vector of every lane of the warp."""
        return self.warp_sum(ir.reduce_add(vector), stem)

    def _only(self, value: Expr, keeps: Expr | None) -> Expr:
        """A vector's elements where they count, 0 elsewhere, whatever is there."""
        if keeps is None:
            return value
        zeros = ir.const(0, Type(value.type.kind, self.lanes))
        return ir.select(ir.compare("gt", ir.cast(keeps, value.type.kind), zeros), value, zeros)

    def _count(self, each: Callable[[Visit], None]) -> Expr:
        """How many elements of a slice count: small integers, which floats add exactly."""
        b = self.b
        kept = b.let("kept", ir.const(0, self.vector))

        def visit(_: Expr, keeps: Expr | None) -> None:
            assert keeps is not None
            b.assign(kept, ir.add(kept, keeps))

        each(visit)
        return b.let("count", ir.cast(self._lane_sum(kept, "counted"), "f64"))

    def merge(self, entries: int, read: Read, size: Callable[[Expr], Expr], lane: Expr) -> Moments:
        """Merge the moments of entries, each of `size(i)` elements: lane l takes entries l, l + WARP, ..., then the lanes are added.

        With m the first entry's mean, e = mean_i - m, center = m + sum(n_i e) / n; then of d = mean_i - center,
        mean = center + sum(n_i d) / n and M2 = sum(M2_i + n_i d^2) - sum(n_i d)^2 / n.
        """
        b = self.b
        zero = ir.const(0, F64)
        count_of = size if self.mask is None else (lambda i: read(i, 2))
        first = b.let("first_mean", read(ir.const(0), 0))
        total, moved = b.let("count_all", zero), b.let("moved", zero)

        def each(visit: Callable[[Expr], None]) -> None:
            with b.loop("k", 0, -(-entries // WARP)) as k:
                i = b.let("i", ir.add(ir.mul(k, WARP), lane))
                with b.when(ir.compare("lt", i, ir.const(entries))):
                    visit(i)

        def move(i: Expr) -> None:
            n = b.named("n_i", count_of(i))
            b.assign(total, ir.add(total, n))
            b.assign(moved, ir.fma(n, ir.sub(read(i, 0), first), moved))

        each(move)
        count = self.warp_sum(total, "count")
        whole = b.let("whole", ir.maximum(count, ir.const(1, F64)))
        center = b.let("center", ir.add(first, ir.div(self.warp_sum(moved, "moves"), whole)))
        rest, square = b.let("rest", zero), b.let("square", zero)

        def deviate(i: Expr) -> None:
            d = b.let("d", ir.sub(read(i, 0), center))
            moment = b.let("n_d", ir.mul(count_of(i), d))
            b.assign(rest, ir.add(rest, moment))
            b.assign(square, ir.fma(moment, d, ir.add(square, read(i, 1))))

        each(deviate)
        rests, squares = self.warp_sum(rest, "rests"), self.warp_sum(square, "squares")
        off = b.let("off", ir.div(rests, whole))
        mean = b.let("mean_all", ir.add(center, off))
        return Moments(mean, b.let("m2_all", ir.sub(squares, ir.mul(rests, off))), count)

    def gather(self, entries: int, read: Read, thread: Expr, threads: int) -> Read:
        """Copy entries into the block's own memory, for all of its warps to read."""
        b = self.b
        near = b.shared("near", "f64", entries, self.columns)
        with b.loop("k", 0, -(-entries // threads)) as k:
            i = b.let("i", ir.add(ir.mul(k, threads), thread))
            with b.when(ir.compare("lt", i, ir.const(entries))):
                for column in range(self.columns):
                    b.store(near, i, column, value=read(i, column))
        b.barrier("block")
        return lambda i, column: b.load(near, i, column)

    @contextmanager
    def only_thread(self, *numbers: Expr) -> Iterator[None]:
        """Where all these numbers are 0."""
        with ExitStack() as conditions:
            for number in numbers:
                if not isinstance(number, ir.Const):
                    conditions.enter_context(self.b.when(ir.compare("lt", number, ir.const(1))))
            yield

    def group_norm_of(self, m: Moments, n: Expr, g: Expr, *numbers: Expr) -> Normalizer:
        """What the elementwise pass needs of a group; its statistics are stored by the thread whose `numbers` are 0."""
        self._only_thread = numbers
        count = ir.const(self.p.group, F64) if self.mask is None else m.count
        return self.normalizer(*self.statistics(m.mean, m.m2, count, n, g))

    def store_statistics(self, mean: Expr, rstd: Expr, n: Expr, g: Expr, end: Expr | None = None) -> None:
        if self.mean is not None or self.rstd is not None:
            with self.only_thread(*self._only_thread):
                super().store_statistics(mean, rstd, n, g, end)

    # The elementwise pass

    def coefficients(self, norm: Normalizer, n: Expr, g: Expr, v: Expr) -> tuple[Expr, Expr | None]:
        """Scale and offset of vector v of a group."""
        p, lanes = self.p, self.lanes
        _, at = self._in_run(v)
        first, element = ir.mul(g, p.chans), ir.mul(at, lanes)
        if p.inner % lanes == 0:
            scale, offset = self.affine(norm, n, ir.add(first, self._channel(element)), 1)
            return ir.splat(scale, lanes), None if offset is None else ir.splat(offset, lanes)
        if p.inner == 1 and p.chans % lanes == 0:
            channel = ir.mul(ir.rem(at, p.chans // lanes), lanes) if self._whole_sample else element
            scale, offset = self.affine(norm, n, ir.add(first, channel), lanes)
            return ir.splat(scale, lanes), offset
        pairs = [self.affine(norm, n, ir.add(first, self._channel(ir.add(element, k))), 1) for k in range(lanes)]
        offsets = [offset for _, offset in pairs if offset is not None]
        return ir.pack(*(scale for scale, _ in pairs)), ir.pack(*offsets) if offsets else None

    def apply(self, norm: Normalizer, n: Expr, g: Expr, slice_: Expr, lane: Expr, sure: bool, value: Callable[[Expr, Expr], Expr]) -> None:
        """The elementwise pass over a slice; `value` gives the vector of slot j, number v."""
        b, y = self.b, self.runs(self.y)
        highs = b.named("highs", ir.splat(norm.high, self.lanes))
        known: tuple[Expr, Expr | None] | None = None
        if sure and self.p.inner % self.sums.elements == 0:  # a slice is of one channel
            scale, offset = self.coefficients(norm, n, g, ir.mul(slice_, self.sums.slice_vectors))
            known = b.named("scales", scale), None if offset is None else b.named("offsets", offset)

        def visit(j: Expr, v: Expr) -> None:
            index = self.place(n, g, v)
            scale, offset = known or self.coefficients(norm, n, g, v)
            self.put(y, *index, value=self.finish(value(j, v), highs, scale, offset))

        self.each_slot(slice_, lane, sure, visit, lambda _: None)
