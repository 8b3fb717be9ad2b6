"""The pieces that every CPU schedule is put together from: moments of a block, their merge, the elementwise pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from gngen import loopnest as ir
from gngen import vectormath
from gngen.builder import Builder
from gngen.loopnest import F64, Buffer, Expr, Type, Var
from gngen.problem import Problem
from gngen.schedule import Schedule
from gngen.summation import RowSlabs, RunBlocks, summation

# A block whose shift was this poor, sum((x - shift)^2) over sum((x - mean)^2), is summed again in float64.
POOR_SHIFT = 16.0
LARGEST = {"f32": 3.4028234663852886e38, "f64": 1.7976931348623157e308}
# Below this, 1 / sqrt(epsilon) times a gamma may pass the largest float32.
TINY_EPSILON = 1e-30

Visit = Callable[[Expr], None]


@dataclass(frozen=True)
class Normalizer:
    """What the elementwise pass needs of one group: the mean as a pair of floats, and rstd, all scalars of the problem's kind."""

    high: Expr
    low: Expr | None
    rstd: Expr


@dataclass(frozen=True)
class Tables:
    """The high, scale and offset of every column of a row: a worker's own arrays."""

    high: Buffer
    scale: Buffer
    offset: Buffer | None


class Pieces:
    """Writes into a builder; a piece is a method that adds its statements and returns the values that it leaves."""

    def __init__(self, p: Problem, s: Schedule) -> None:
        self.p, self.s, self.b = p, s, Builder()
        self.batch = Var("batch", ir.I64)
        self.lanes = s.lanes
        self.scalar, self.vector = Type(p.kind), Type(p.kind, s.lanes)
        self.sums = summation(p, s.lanes)
        size = (self.batch, p.outer, p.groups, p.chans, p.inner)
        self.x = Buffer("x", p.kind, size, "input")
        self.gamma = Buffer("gamma", p.kind, (p.channels,), "input") if p.scale else None
        self.beta = Buffer("beta", p.kind, (p.channels,), "input") if p.center else None
        self.y = Buffer("y", p.kind, size, "output")
        stat = (self.batch, p.groups)
        self.mean = Buffer("mean", p.kind, stat, "output") if "mean" in p.outputs else None
        self.rstd = Buffer("rstd", p.kind, stat, "output") if "rstd" in p.outputs else None

    @contextmanager
    def serially(self) -> Iterator[None]:
        """Within it, phases are serial loops: one worker does them all."""
        s = self.s
        self.s = replace(s, parallel_from=0)
        yield
        self.s = s

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        return tuple(b for b in (self.x, self.gamma, self.beta, self.y, self.mean, self.rstd) if b is not None)

    # Data in and out

    def fetch(self, x: Buffer, *index: Expr | int, lanes: int = 1, end: Expr | None = None, fill: Expr | None = None) -> Expr:
        """Elements of the input, in the kind that is computed in."""
        return self.b.load(x, *index, lanes=lanes, end=end, fill=fill)

    def put(self, y: Buffer, *index: Expr | int, value: Expr, end: Expr | None = None, streaming: bool = False) -> None:
        """Elements of the output, from the kind that is computed in."""
        self.b.store(y, *index, value=value, end=end, streaming=streaming)

    # Moments

    def run_moments(self, blocks: RunBlocks, n: Expr, g: Expr, run_block: Expr, width_block: Expr) -> tuple[Expr, Expr, Expr]:
        """Mean, sum of squared differences from it, and count, of one block of runs: scalars of float64.

        One sweep, shifted by the block's first element: with d = x - shift, mean = shift + sum(d)/n and M2 = sum(d^2) - sum(d)^2/n.
        """
        b, lanes = self.b, self.lanes
        x = self.x.view(self.batch, blocks.runs, blocks.groups, blocks.width)
        first, last = self.cut("run", run_block, blocks.runs_per_block, blocks.runs)
        start, stop = self.cut("at", width_block, blocks.block, blocks.width)
        shift = b.let("shift", self.fetch(x, n, first, g, start))
        shifts = b.named("shifts", ir.splat(shift, lanes))
        side_by_side = max(1, min(self.s.accumulators, blocks.width // lanes))
        pairs = [(b.let("sum", ir.const(0, self.vector)), b.let("square", ir.const(0, self.vector))) for _ in range(side_by_side)]

        def add_vector(k: int, run: Expr, at: Expr, end: Expr | None = None) -> None:
            d = b.let("d", ir.sub(self.fetch(x, n, run, g, at, lanes=lanes, end=end, fill=shifts if end is not None else None), shifts))
            total, square = pairs[k]
            b.assign(total, ir.add(total, d))
            b.assign(square, ir.fma(d, d, square))

        many = lanes * len(pairs)
        with b.loop("run", first, last) as run:
            with b.loop("i", start, stop, many) as i:
                for k in range(len(pairs)):
                    add_vector(k, run, ir.add(i, k * lanes))
            if blocks.width % many or blocks.block % many:
                rest = b.named("rest", ir.main_end(start, stop, many))
                with b.loop("i", rest, stop, lanes) as i:
                    add_vector(0, run, i)
                if blocks.width % lanes or blocks.block % lanes:
                    tail = b.named("tail", ir.main_end(rest, stop, lanes))
                    add_vector(0, run, tail, end=stop)
        count = b.let("count", ir.cast(ir.mul(ir.sub(last, first), ir.sub(stop, start)), "f64"))
        s1 = self._lane_sum([t for t, _ in pairs], "total")
        s2 = self._lane_sum([q for _, q in pairs], "squares")
        mean, m2 = self._shifted_moments(shift, s1, s2, count)

        def each(visit: Visit) -> None:
            with b.loop("run", first, last) as run, b.loop("i", start, stop) as i:
                visit(self.fetch(x, n, run, g, i))

        self._redo_if_poor(s2, mean, m2, count, each)
        return mean, m2, count

    def cut(self, stem: str, index: Expr, step: int, total: int) -> tuple[Expr, Expr]:
        """First and last of piece `index` of `total` cut every `step`."""
        if step >= total:
            return ir.const(0), ir.const(total)
        first = self.b.named(f"{stem}_first", ir.mul(index, step))
        whole = ir.add(first, step)
        return first, self.b.named(f"{stem}_last", whole if total % step == 0 else ir.minimum(whole, total))

    def _lane_sum(self, vectors: list[Var], stem: str) -> Var:
        """The sum of several vectors' lanes as a float64: vectors pairwise, then the lanes as halves."""
        level: list[Expr] = list(vectors)
        while len(level) > 1:
            level = [ir.add(level[i], level[i + 1]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
        return self.b.let(stem, ir.reduce_add(ir.cast(level[0], "f64")))

    def _shifted_moments(self, shift: Expr, s1: Expr, s2: Expr, count: Expr) -> tuple[Var, Var]:
        b = self.b
        off = b.let("off", ir.div(s1, count))
        mean = b.let("block_mean", ir.add(ir.cast(shift, "f64"), off))
        m2 = b.let("block_m2", ir.sub(s2, ir.mul(s1, off)))
        return mean, m2

    def _redo_if_poor(self, s2: Expr, mean: Var, m2: Var, count: Expr, each: Callable[[Visit], None]) -> None:
        """Two sweeps in float64 where the shift was poor or something overflowed (or is NaN, and stays so)."""
        b = self.b
        # the smaller of the two, since an infinite s2 makes an infinite m2
        good = ir.minimum(ir.mul(m2, ir.const(POOR_SHIFT, F64)), ir.const(LARGEST[self.p.kind], F64))
        with b.when(ir.logical_not(ir.compare("le", s2, good))):
            total = b.let("redo", ir.const(0, F64))
            each(lambda value: b.assign(total, ir.add(total, ir.cast(value, "f64"))))
            center = b.let("center", ir.div(total, count))
            rest, square = b.let("redo_rest", ir.const(0, F64)), b.let("redo_square", ir.const(0, F64))

            def visit(value: Expr) -> None:
                d = b.let("e", ir.sub(ir.cast(value, "f64"), center))
                b.assign(rest, ir.add(rest, d))
                b.assign(square, ir.fma(d, d, square))

            each(visit)
            b.assign(mean, ir.add(center, ir.div(rest, count)))
            b.assign(m2, ir.sub(square, ir.div(ir.mul(rest, rest), count)))

    def slab_moments(self, slabs: RowSlabs, n: Expr, slab: Expr, tile: Expr, partial: Buffer) -> None:
        """Moments of every group of a tile over one slab of rows, stored in ``partial[n, slab, g, :]``."""
        b, lanes, p = self.b, self.lanes, self.p
        total = slabs.rows * slabs.row
        x = self.x.view(self.batch, total)
        columns = slabs.tile * slabs.group_width * slabs.fold
        width = -(-columns // lanes) * lanes
        start, stop = self.cut("slab", slab, slabs.slab_elements, total)
        column = ir.mul(tile, slabs.tile * slabs.group_width)
        shifts, sums, squares = (b.alloc(stem, p.kind, width) for stem in ("shifts", "sums", "squares"))
        with b.loop("j", 0, width, lanes) as j:
            for buffer in (sums, squares):
                b.store(buffer, j, value=ir.const(0, self.vector))
            if width > columns:
                b.store(shifts, j, value=ir.const(0, self.vector))
        with b.loop("fold", 0, slabs.fold) as fold, b.loop("g", 0, slabs.tile) as g:
            at = b.named("at", ir.mul(g, slabs.group_width))
            shift = b.let("shift", self.fetch(x, n, ir.add(ir.add(start, column), at)))
            place = b.named("place", ir.add(ir.mul(fold, slabs.row), at))
            self._fill(shifts, place, slabs.group_width, shift)

        def add_columns(first: Expr, last: Expr, j: Expr, vectors: int, end_of: Callable[[Expr], Expr] | None = None) -> None:
            """Add rows first..last to the sums of some vectors of columns from j on; up to the end of each row, where one is given."""
            held = []
            for v in range(vectors):
                loaded = (b.load(buffer, ir.add(j, v * lanes), lanes=lanes) for buffer in (shifts, sums, squares))
                held.append([b.let(stem, value) for stem, value in zip(("k", "s", "q"), loaded, strict=True)])
            with b.loop("row", first, last, long_row) as row:
                begin = ir.add(row, column)
                for v, (k, s, q) in enumerate(held):
                    end, fill = (None, None) if end_of is None else (end_of(begin), k)
                    read = self.fetch(x, n, ir.add(begin, ir.add(j, v * lanes)), lanes=lanes, end=end, fill=fill)
                    d = b.let("d", ir.sub(read, k))
                    b.assign(s, ir.add(s, d))
                    b.assign(q, ir.fma(d, d, q))
            for v, (_, s, q) in enumerate(held):
                b.store(sums, ir.add(j, v * lanes), value=s)
                b.store(squares, ir.add(j, v * lanes), value=q)

        long_row, strip, tiled = slabs.long_row, self.s.strip, lanes * self.s.tile
        whole = columns // lanes * lanes
        full = stop
        if slabs.fold > 1 and slabs.rows % slabs.fold:
            full = b.let("full", ir.main_end(start, stop, long_row))
        with b.loop("strip", start, ir.add(full, (strip - 1) * long_row), strip * long_row) as first:
            last = ir.add(first, long_row) if strip == 1 else b.let("strip_last", ir.minimum(ir.add(first, strip * long_row), full))
            with b.loop("j", 0, whole // tiled * tiled, tiled) as j:
                add_columns(first, last, j, self.s.tile)
            with b.loop("j", whole // tiled * tiled, whole, lanes) as j:
                add_columns(first, last, j, 1)
            if whole < columns:
                add_columns(first, last, ir.const(whole), 1, lambda begin: ir.add(begin, columns))
        if full is not stop:
            b.comment("the last long row may be cut short")
            with b.loop("j", 0, long_row, lanes) as j, b.when(ir.compare("lt", ir.add(full, j), stop)):
                add_columns(full, ir.add(full, long_row), j, 1, lambda _: stop)

        rows = ir.mul(ir.div(ir.sub(stop, start), slabs.row), slabs.group_width)
        count = b.let("count", ir.cast(rows, "f64"))
        with b.loop("g", 0, slabs.tile) as g:
            at = b.named("at", ir.mul(g, slabs.group_width))
            s1 = self._column_sum(slabs, sums, at, "total")
            s2 = self._column_sum(slabs, squares, at, "squares")
            first = b.let("first", ir.add(column, at))
            shift = b.let("shift", self.fetch(x, n, ir.add(start, first)))
            mean, m2 = self._shifted_moments(shift, s1, s2, count)

            def each(visit: Visit, first: Expr = first) -> None:
                with b.loop("row", start, stop, slabs.row) as row, b.loop("i", 0, slabs.group_width) as i:
                    visit(self.fetch(x, n, ir.add(ir.add(row, first), i)))

            self._redo_if_poor(s2, mean, m2, count, each)
            group = ir.add(ir.mul(tile, slabs.tile), g)
            for k, value in enumerate((mean, m2, count)):
                b.store(partial, n, slab, group, k, value=value)

    def _fill(self, buffer: Buffer, place: Expr, width: int, value: Expr) -> None:
        """``buffer[place : place + width] = value``."""
        b = self.b
        step = self.lanes if width >= self.lanes else 1
        end = b.named("fill_end", ir.add(place, width))
        values = b.named("filling", ir.splat(value, step))
        with b.loop("e", place, end, step) as e:
            b.store(buffer, e, value=values)
        if width % step:
            b.store(buffer, ir.main_end(place, end, step), value=values, end=end)

    def _column_sum(self, slabs: RowSlabs, buffer: Buffer, at: Expr, stem: str) -> Expr:
        """The float64 sum of one group's columns of a table."""
        b, width = self.b, slabs.group_width
        step = self.lanes if width >= 4 else 1
        total = b.let(stem, ir.const(0, Type("f64", step)))
        with b.loop("fold", 0, slabs.fold) as fold:
            place = b.named("place", ir.add(ir.mul(fold, slabs.row), at))
            end = b.named("column_end", ir.add(place, width))
            with b.loop("e", place, end, step) as e:
                b.assign(total, ir.add(total, ir.cast(b.load(buffer, e, lanes=step), "f64")))
            if width % step:
                rest = b.load(buffer, ir.main_end(place, end, step), lanes=step, end=end, fill=ir.const(0, Type(self.p.kind, step)))
                b.assign(total, ir.add(total, ir.cast(rest, "f64")))
        return b.let(stem, ir.reduce_add(total)) if step > 1 else total

    def merge(self, blocks: int, part: Callable[[Expr, int], Expr], n: Expr, g: Expr) -> tuple[Expr, Expr]:
        """Merge block moments by Chan's formula, in order; returns mean and rstd as float64 and stores those asked for.

        delta = mean_b - mean;  mean += delta * n_b / n;  M2 += M2_b + delta^2 * n_a * n_b / n.
        """
        b = self.b
        mean, m2, count = (b.let(stem, part(ir.const(0), k)) for k, stem in enumerate(("mean_all", "m2_all", "count_all")))
        with b.loop("block", 1, blocks) as i:
            delta = b.let("delta", ir.sub(part(i, 0), mean))
            more = b.let("more", part(i, 2))
            share = b.let("share", ir.div(more, ir.add(count, more)))
            b.assign(mean, ir.fma(delta, share, mean))
            b.assign(m2, ir.add(m2, ir.fma(ir.mul(delta, delta), ir.mul(count, share), part(i, 1))))
            b.assign(count, ir.add(count, more))
        zero, one = ir.const(0, F64), ir.const(1, F64)
        variance = ir.div(ir.maximum(m2, zero), count)
        spread = b.let("spread", ir.add(variance, ir.const(self.p.epsilon, F64)))
        rstd = b.let("rstd_all", ir.div(one, ir.unary("sqrt", spread)))
        if self.p.epsilon == 0:
            # a constant group: x - mean is 0, and so is y before beta
            with b.when(ir.compare("le", spread, zero)):
                b.assign(rstd, zero)
        if self.mean is not None:
            b.store(self.mean, n, g, value=ir.cast(mean, self.p.kind))
        if self.rstd is not None:
            b.store(self.rstd, n, g, value=ir.cast(rstd, self.p.kind))
        if 0 < self.p.epsilon < TINY_EPSILON:
            # a constant group again: rstd may be infinite in the elementwise pass, and 0 * infinity is no 0
            with b.when(ir.compare("le", m2, zero)):
                b.assign(rstd, zero)
        return mean, rstd

    # The elementwise pass

    def normalizer(self, mean: Expr, rstd: Expr) -> Normalizer:
        """The mean as a pair, so that (x - high) - low is exact where it matters."""
        b, kind = self.b, self.p.kind
        if kind == "f64":
            return Normalizer(mean, None, rstd)
        high = b.let("mean_high", ir.cast(mean, kind))
        low = b.let("mean_low", ir.cast(ir.sub(mean, ir.cast(high, "f64")), kind))
        return Normalizer(high, low, b.let("rstd_1", ir.cast(rstd, kind)))

    def affine(self, norm: Normalizer, channel: Expr, lanes: int, end: Expr | None = None) -> tuple[Expr, Expr | None]:
        """Scale and offset of one channel, or of `lanes` channels: y = (x - high) * scale + offset."""
        b = self.b
        fill = None if end is None else ir.const(0, Type(self.p.kind, lanes))

        def parameter(buffer: Buffer) -> Expr:
            return b.load(buffer, channel, lanes=lanes, end=end, fill=fill)

        rstd = ir.splat(norm.rstd, lanes)
        scale = rstd if self.gamma is None else b.let("scale", ir.mul(rstd, parameter(self.gamma)))
        offset = None if self.beta is None else parameter(self.beta)
        if norm.low is not None:
            low = ir.splat(norm.low, lanes)
            offset = ir.fma(ir.unary("neg", low), scale, offset) if offset is not None else ir.unary("neg", ir.mul(low, scale))
        return scale, offset if offset is None else b.let("offset", offset)

    def finish(self, x: Expr, high: Expr, scale: Expr, offset: Expr | None) -> Expr:
        """act((x - high) * scale + offset)."""
        d = ir.sub(x, high)
        y = ir.mul(d, scale) if offset is None else ir.fma(d, scale, offset)
        if self.p.activation is None:
            return y
        functions = vectormath.activation(self.p.activation, y.type.kind, y.type.lanes)
        for f in functions:
            self.b.functions.setdefault(f.name, f)
        return self.b.call(functions[-1], y)

    def each_vector(
        self, y: Buffer, lead: tuple[Expr, ...], start: Expr, stop: Expr, length: int, visit: Callable[[Expr, Expr | None], Expr]
    ) -> None:
        """Store ``y[*lead, start:stop] = visit(position, end)``, vector by vector; a streaming store begins where y is aligned."""
        b, lanes = self.b, self.lanes
        streaming = self.s.store == "streaming" and length >= 8 * lanes
        begin = start
        if streaming:
            begin, _ = self._peel(y, lead, start, stop)
            with b.when(ir.compare("lt", start, begin)):
                self.put(y, *lead, start, value=visit(start, begin), end=begin)
        with b.loop("i", begin, stop, lanes, unroll=4) as i:
            self.put(y, *lead, i, value=visit(i, None), streaming=streaming)
        if streaming or length % lanes:
            tail = b.named("tail", ir.main_end(begin, stop, lanes))
            with b.when(ir.compare("lt", tail, stop)):
                self.put(y, *lead, tail, value=visit(tail, stop), end=stop)

    def _peel(self, y: Buffer, lead: tuple[Expr, ...], start: Expr, stop: Expr) -> tuple[Expr, Expr]:
        """The first position in start..stop at which y is aligned to a vector (or stop), and how far from start that is."""
        phase = self.b.let("phase", ir.Peel(y, (*lead, start), self.lanes))
        return self.b.let("aligned", ir.advance(start, phase, stop)), phase

    def read(self, buffer: Buffer, lead: tuple[Expr, ...], at: Expr, end: Expr | None) -> Expr:
        fill = None if end is None else ir.const(0, self.vector)
        return self.fetch(buffer, *lead, at, lanes=self.lanes, end=end, fill=fill)

    def apply_runs(
        self, norm: Normalizer, n: Expr, o: Expr, g: Expr, chans: tuple[Expr, Expr], inner: tuple[Expr, Expr], length: int
    ) -> None:
        """The elementwise pass over channels `chans` of group g at outer position o, and positions `inner` of each."""
        b, p, lanes = self.b, self.p, self.lanes
        if p.inner == 1:
            x, y = (buffer.view(self.batch, p.outer, p.groups, p.chans) for buffer in (self.x, self.y))
            high = b.named("highs", ir.splat(norm.high, lanes))
            first = b.named("first_channel", ir.mul(g, p.chans))

            def visit(c: Expr, end: Expr | None) -> Expr:
                scale, offset = self.affine(norm, ir.add(first, c), lanes, None if end is None else ir.add(first, end))
                return self.finish(self.read(x, (n, o, g), c, end), high, ir.splat(scale, lanes), offset)

            self.each_vector(y, (n, o, g), *chans, length, visit)
            return
        with b.loop("c", *chans) as c:
            scale, offset = self.affine(norm, ir.add(ir.mul(g, p.chans), c), 1)
            highs, scales = b.named("highs", ir.splat(norm.high, lanes)), b.named("scales", ir.splat(scale, lanes))
            offsets = None if offset is None else b.named("offsets", ir.splat(offset, lanes))

            def run(i: Expr, end: Expr | None) -> Expr:
                return self.finish(self.read(self.x, (n, o, g, c), i, end), highs, scales, offsets)

            self.each_vector(self.y, (n, o, g, c), *inner, length, run)

    def row_tables(self, norm_of: Callable[[Expr], Normalizer], first: Expr, groups: int, width: int) -> Tables:
        """Tables a column of some groups' high, scale and offset: one row, repeated up to `width` columns."""
        b, p = self.b, self.p
        row = groups * p.chans * p.inner
        with_offset = p.center or p.kind != "f64"
        tables = Tables(
            b.alloc("high", p.kind, width), b.alloc("scale", p.kind, width), b.alloc("offset", p.kind, width) if with_offset else None
        )
        step = self.lanes if p.inner == 1 and p.chans >= 4 else 1

        def fill(norm: Normalizer, group: Expr, base: Expr, c: Expr, end: Expr | None) -> None:
            """Table entries of `step` channels from c on; `base` is the group's first column."""
            channels = ir.mul(group, p.chans)
            scale, offset = self.affine(norm, ir.add(channels, c), step, None if end is None else ir.add(channels, end))
            values = [(tables.high, ir.splat(norm.high, step)), (tables.scale, scale)]
            if tables.offset is not None and offset is not None:
                values.append((tables.offset, offset))
            with b.loop("i", 0, p.inner) as i:
                at = ir.add(ir.add(base, ir.mul(c, p.inner)), i)
                for table, value in values:
                    b.store(table, at, value=value, end=None if end is None else ir.add(base, end))

        with b.loop("g", 0, groups) as g:
            group = b.named("group", ir.add(first, g))
            norm, base = norm_of(group), b.named("base", ir.mul(g, p.chans * p.inner))
            with b.loop("c", 0, p.chans, step) as c:
                fill(norm, group, base, c, None)
            if p.chans % step:
                fill(norm, group, base, ir.const(p.chans // step * step), ir.const(p.chans))
        if width > row:
            b.comment("the row again, for what reaches past its end")
            with b.loop("copy", row, width) as at:
                for table in (tables.high, tables.scale, *(() if tables.offset is None else (tables.offset,))):
                    b.store(table, at, value=b.load(table, ir.sub(at, row)))
        return tables

    def apply_rows(self, tables: Tables, lead: tuple[Expr, ...], x: Buffer, y: Buffer, start: Expr, stop: Expr, period: int) -> None:
        """The elementwise pass over whole rows: positions start..stop of the last axis, `start` at column 0 of the tables.

        A streaming pass begins at the first aligned position, `phase` columns in, and goes on in vectors from there: the tables are
        a vector longer than a period.
        """
        b, lanes = self.b, self.lanes
        streaming = self.s.store == "streaming"

        def finish_part(at: Expr, column: Expr, end: Expr) -> Expr:
            return self.finish(self.read(x, lead, at, end), *self._columns(tables, column))

        begin: Expr = start
        phase: Expr = ir.const(0)
        if streaming:
            begin, phase = self._peel(y, lead, start, stop)
            with b.when(ir.compare("lt", start, begin)):
                self.put(y, *lead, start, value=finish_part(start, ir.const(0), begin), end=begin)

        def finish_columns(first: Expr, last: Expr, j: Expr, vectors: int) -> None:
            """Rows first..last of some vectors of columns, whose table entries stay in registers."""
            held = [self._columns(tables, ir.add(phase, ir.add(j, v * lanes))) for v in range(vectors)]
            with b.loop("row", first, last, period) as row:
                for v, columns in enumerate(held):
                    at = b.named("at", ir.add(row, ir.add(j, v * lanes)))
                    self.put(y, *lead, at, value=self.finish(self.read(x, lead, at, None), *columns), streaming=streaming)

        full = b.let("full", ir.main_end(begin, stop, period))
        strip, tiled = self.s.strip, lanes * self.s.tile
        with b.loop("strip", begin, ir.add(full, (strip - 1) * period), strip * period) as first:
            last = ir.add(first, period) if strip == 1 else b.let("strip_last", ir.minimum(ir.add(first, strip * period), full))
            with b.loop("j", 0, period // tiled * tiled, tiled) as j:
                finish_columns(first, last, j, self.s.tile)
            with b.loop("j", period // tiled * tiled, period, lanes) as j:
                finish_columns(first, last, j, 1)
        with b.loop("j", 0, period, lanes) as j:
            at = b.named("at", ir.add(full, j))
            with b.when(ir.compare("lt", at, stop)):
                self.put(y, *lead, at, value=finish_part(at, ir.add(phase, j), stop), end=stop)

    def _columns(self, tables: Tables, column: Expr) -> tuple[Expr, Expr, Expr | None]:
        """A vector of each table, from `column` on."""
        b = self.b
        high = b.let("highs", b.load(tables.high, column, lanes=self.lanes))
        scale = b.let("scales", b.load(tables.scale, column, lanes=self.lanes))
        return high, scale, None if tables.offset is None else b.let("offsets", b.load(tables.offset, column, lanes=self.lanes))

    def apply_row(self, tables: Tables, lead: tuple[Expr, ...], x: Buffer, y: Buffer, columns: int) -> None:
        """The elementwise pass over one row."""

        def visit(at: Expr, end: Expr | None) -> Expr:
            return self.finish(self.read(x, lead, at, end), *self._columns(tables, at))

        self.each_vector(y, lead, ir.const(0), ir.const(columns), columns, visit)
