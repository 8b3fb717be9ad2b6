"""The pieces that every CPU schedule is put together from: moments of a block, their merge, the elementwise pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from gngen import loopnest as ir
from gngen.formulas import LARGEST, Normalizer
from gngen.loopnest import F64, Buffer, Expr, Type, Var
from gngen.masks import RowMask, RunMask
from gngen.problem import Problem
from gngen.schedule import Schedule
from gngen.summation import RowSlabs, RunBlocks, pairs, summation
from gngen.sweeps import Sweeps

# A block whose shift was this poor, sum((x - shift)^2) over sum((x - mean)^2), is summed again in float64.
POOR_SHIFT = 16.0
# Below this mean square, squares of bfloat16s may count as 0.
TINY_SQUARE = 1e-30
# What is rounded to bfloat16 stays finite up to here.
LARGEST_MEAN = 1e38

Visit = Callable[[Expr], None]
# High, scale and offset of the lanes of a vector.
Columns = tuple[Expr, Expr, Expr | None]


@dataclass(frozen=True)
class Sweep:
    """The elements of a block, to be visited again: by vectors of `lanes`, and what is left by single elements."""

    lanes: tuple[int, ...]
    each: Callable[[Visit], None]


@dataclass(frozen=True)
class Tables:
    """The high, scale and offset of every column of a row: a worker's own arrays."""

    high: Buffer
    scale: Buffer
    offset: Buffer | None

    @property
    def all(self) -> tuple[Buffer, ...]:
        return (self.high, self.scale, *(() if self.offset is None else (self.offset,)))


def block_number(blocks: RunBlocks, run: Expr, chan: Expr, width: Expr) -> Expr:
    """Which block of a group it is, in the order in which they are merged."""
    return ir.add(ir.mul(ir.add(ir.mul(run, blocks.chan_blocks), chan), blocks.width_blocks), width)


def _redo_lanes(most: int, *lengths: int) -> tuple[int, ...]:
    """The vectors that a length is visited by, of at most so many lanes: one kind, and single elements for what is left."""
    lanes = _power_of_two(min(most, *lengths))
    return (lanes,) if all(length % lanes == 0 for length in lengths) else (lanes, 1)


def _power_of_two(most: int) -> int:
    """The largest power of two up to `most`."""
    return 1 << (most.bit_length() - 1)


class Pieces(Sweeps):
    """Writes into a builder; a piece is a method that adds its statements and returns the values that it leaves."""

    def __init__(self, p: Problem, s: Schedule) -> None:
        super().__init__(p, s)
        self.step = s.lanes * pairs(p, s.lanes)
        self.sums = summation(p, s.lanes)
        # the shifts of a sample by rows (and how many rows count), where they want a mask, or must be taken before sums are stored,
        # perhaps over the residual
        early = isinstance(self.sums, RowSlabs) and self.sums.per == 1 and (self.mask is not None or self.summed is not None)
        self.early = Buffer("early", "f64", (self.batch, p.groups + 1), "workspace") if early else None

    def fetch_pairs(self, x: Buffer, *index: Expr | int, end: Expr | None = None) -> Expr:
        """A vector of bfloat16s as they are, of x with the residual added and rounded; past the `end`, 0."""
        kind = Type(x.kind, self.step)
        fill = None if end is None else ir.const(0, kind)

        def load(buffer: Buffer) -> Expr:
            return self.b.load(buffer, *index, lanes=self.step, end=end, fill=fill)

        if self.residual is None or x.name != self.x.name:
            return load(x)
        a, r = self.b.let("pairs", load(x)), self.b.let("more", load(self.residual.view(*x.shape)))
        return ir.zip_pairs(*(ir.add(part(a), part(r)) for part in (ir.even, ir.odd)))

    # Moments

    def run_moments(
        self, blocks: RunBlocks, n: Expr, g: Expr, run_block: Expr, chan_block: Expr, width_block: Expr
    ) -> tuple[Expr, Expr, Expr]:
        """Mean, sum of squared differences from it, and count, of one block of runs: scalars of float64.

        One sweep, shifted by the block's first element: with d = x - shift, mean = shift + sum(d)/n and M2 = sum(d^2) - sum(d)^2/n.
        Of bfloat16 without a mask, by pairs and without a shift.
        """
        b, lanes = self.b, self.lanes
        by_pairs = self.step > lanes and self.mask is None
        step = self.step if by_pairs else lanes
        by_channel = blocks.chans > 1
        size = (self.batch, blocks.runs, blocks.groups, *((blocks.chans,) if by_channel else ()), blocks.width)
        x, settled = self.x.view(*size), self.settled.view(*size)
        first, last = self.cut("run", run_block, blocks.runs_per_block, blocks.runs)
        chans = self.cut("chan", chan_block, blocks.chans_per_block, blocks.chans)
        start, stop = self.cut("at", width_block, blocks.block, blocks.width)

        def place(run: Expr, chan: Expr, at: Expr) -> tuple[Expr, ...]:
            return (n, run, g, chan, at) if by_channel else (n, run, g, at)

        def read_first(run: Expr, at: Expr, end: Expr | None, lanes: int) -> Expr:
            fill = None if end is None else ir.const(0, Type(self.p.kind, lanes))
            return self.fetch(x, *place(run, chans[0], at), lanes=lanes, end=end, fill=fill)

        mask = None if self.mask is None else RunMask(self, n, (first, last), (start, stop))
        shift = None if by_pairs else b.let("shift", self.fetch(x, *place(first, chans[0], start)))
        if mask is not None and shift is not None:
            mask.better_shift(shift, read_first)
        shifts = None if shift is None else b.named("shifts", ir.splat(shift, lanes))
        side_by_side = max(1, min(self.s.accumulators, blocks.width // step))
        sums = [(b.let("sum", ir.const(0, self.vector)), b.let("square", ir.const(0, self.vector))) for _ in range(side_by_side)]

        def add_vector(k: int, run: Expr, chan: Expr, keeps: Expr | None, at: Expr, end: Expr | None = None) -> None:
            index = place(run, chan, at)
            total, square = sums[k]
            if shifts is None:
                both = self.keep(x, index, b.let("pairs", self.fetch_pairs(x, *index, end=end)), end)
                b.assign(total, ir.add_pairs(total, both))
                b.assign(square, ir.dot_pairs(square, both))
                return
            value = self.keep(x, index, self.fetch(x, *index, lanes=lanes, end=end, fill=shifts if end is not None else None), end)
            d = b.let("d", ir.sub(value, shifts) if mask is None else mask.only(ir.sub(value, shifts), keeps, run, at, end))
            b.assign(total, ir.add(total, d))
            b.assign(square, ir.fma(d, d, square))

        many = step * len(sums)
        with b.loop("run", first, last) as run, b.loop("chan", *chans) as chan:
            keeps = None if mask is None else mask.of_run(run)
            with b.loop("i", start, stop, many) as i:
                for k in range(len(sums)):
                    add_vector(k, run, chan, keeps, ir.add(i, k * step))
            if blocks.width % many or blocks.block % many:
                rest = b.named("rest", ir.main_end(start, stop, many))
                with b.loop("i", rest, stop, step) as i:
                    add_vector(0, run, chan, keeps, i)
                if blocks.width % step or blocks.block % step:
                    tail = b.named("tail", ir.main_end(rest, stop, step))
                    add_vector(0, run, chan, keeps, tail, end=stop)
        if mask is None:
            count = b.let("count", ir.cast(ir.mul(ir.sub(last, first), ir.sub(stop, start)), "f64"))
        else:
            count = mask.count(ir.sub(chans[1], chans[0]))
        s1 = self.lane_sum([t for t, _ in sums], "total")
        s2 = self.lane_sum([q for _, q in sums], "squares")
        mean, m2 = self._shifted_moments(shift, s1, s2, count)

        def each(visit: Visit) -> None:
            with b.loop("run", first, last) as run, b.loop("chan", *chans) as chan:
                at = start
                for lanes in again:
                    with b.loop("i", at, stop, lanes) as i, nullcontext() if mask is None else mask.where(run, i):
                        visit(self.fetch(settled, *place(run, chan, i), lanes=lanes))
                    if lanes != again[-1]:
                        at = b.named("left", ir.main_end(at, stop, lanes))

        again = _redo_lanes(lanes // 2 if by_pairs else 1, blocks.width, blocks.block)
        self._redo_if_poor(s2, mean, m2, count, Sweep(again, each), by_pairs)
        return mean, m2, count

    def _shifted_moments(self, shift: Expr | None, s1: Expr, s2: Expr, count: Expr) -> tuple[Var, Var]:
        b = self.b
        whole = count if self.mask is None else ir.maximum(count, ir.const(1, F64))  # of nothing, the mean is the shift, and M2 is 0
        off = b.let("off", ir.div(s1, whole))
        mean = b.let("block_mean", off if shift is None else ir.add(ir.cast(shift, "f64"), off))
        m2 = b.let("block_m2", ir.sub(s2, ir.mul(s1, off)))
        return mean, m2

    def _redo_if_poor(self, s2: Expr, mean: Var, m2: Var, count: Expr, sweep: Sweep, by_pairs: bool) -> None:
        """Two sweeps in float64 where the shift was poor or something overflowed (or is NaN, and stays so); of pairs, one."""
        b = self.b
        # the smaller of the two, since an infinite s2 makes an infinite m2
        good = ir.minimum(ir.mul(m2, ir.const(POOR_SHIFT, F64)), ir.const(LARGEST[self.p.kind], F64))
        judged = ir.maximum(s2, ir.mul(count, ir.const(TINY_SQUARE, F64))) if by_pairs else s2
        with b.when(ir.logical_not(ir.compare("le", judged, good))):
            if by_pairs:  # the mean was not poor, unless it overflowed; as a bfloat16, it is that of a constant group
                near = ir.select(ir.compare("le", ir.unary("abs", mean), ir.const(LARGEST_MEAN, F64)), mean, ir.const(0, F64))
                center = b.let("center", ir.cast(ir.cast(ir.cast(ir.cast(near, "f32"), "bf16"), "f32"), "f64"))
            else:
                (total,) = self._again(sweep, ("redo",), lambda totals, value: b.assign(totals[0], ir.add(totals[0], value)))
                center = b.let("center", ir.div(total, count))

            centers = {lanes: b.named("centers", ir.splat(center, lanes)) for lanes in sweep.lanes}

            def add_deviation(totals: list[Var], value: Expr) -> None:
                d = b.let("e", ir.sub(value, centers[value.type.lanes]))
                b.assign(totals[0], ir.add(totals[0], d))
                b.assign(totals[1], ir.fma(d, d, totals[1]))

            rest, square = self._again(sweep, ("redo_rest", "redo_square"), add_deviation)
            b.assign(mean, ir.add(center, ir.div(rest, count)))
            b.assign(m2, ir.sub(square, ir.div(ir.mul(rest, rest), count)))

    def _again(self, sweep: Sweep, stems: tuple[str, ...], add: Callable[[list[Var], Expr], None]) -> list[Expr]:
        """Sums in float64 over every element of a block; ``add(totals, value)`` adds to each what an element or a vector gives."""
        b = self.b
        totals = {lanes: [b.let(stem, ir.const(0, Type("f64", lanes))) for stem in stems] for lanes in sweep.lanes}
        sweep.each(lambda value: add(totals[value.type.lanes], ir.cast(value, "f64")))
        found: list[Expr] = [ir.reduce_add(total) for total in totals[sweep.lanes[0]]]
        for lanes in sweep.lanes[1:]:
            found = [ir.add(so_far, ir.reduce_add(total)) for so_far, total in zip(found, totals[lanes], strict=True)]
        return [b.named(stem, value) for stem, value in zip(stems, found, strict=True)]

    def slab_partial(self, slabs: RowSlabs) -> Buffer:
        """Where slabs leave the sums of their columns, or pairs of columns: ``[batch, slab, tile, 0 of d or 1 of d^2, column]``."""
        width = -(-slabs.columns // (slabs.per * self.lanes)) * self.lanes
        return Buffer("partial", self.p.kind, (self.batch, slabs.slabs, self.p.groups // slabs.tile, 2, width), "workspace")

    def row_shift(self, slabs: RowSlabs, n: Expr, column: Expr) -> Var:
        """The shift of the group whose first column is `column`: the average of its first element in some rows over the whole sample.

        They are a power of two, so that the average of equal numbers is exact and a constant group has no deviations.
        """
        b, x = self.b, self.x.view(self.batch, slabs.rows, slabs.row)
        rows = [i * slabs.rows // slabs.shift_rows for i in range(slabs.shift_rows)]
        level: list[Expr] = [self.fetch(x, n, row, column) for row in rows]
        while len(level) > 1:
            level = [ir.add(level[i], level[i + 1]) for i in range(0, len(level), 2)]
        return b.let("shift", ir.mul(level[0], ir.const(1 / slabs.shift_rows, self.scalar)) if len(rows) > 1 else level[0])

    def take_shifts(self, slabs: RowSlabs, n: Expr) -> None:
        """Store the shift of every group of a sample, ahead of its sums; of a masked one, and how many rows count.

        Of a masked problem, that is the average of the group's first elements in the first row that counts of each part of the sample.
        """
        b, early = self.b, self.early
        assert early is not None

        def each_group(value: Callable[[Expr, Expr], Expr]) -> None:
            with b.loop("g", 0, self.p.groups) as g:
                b.store(early, n, g, value=value(g, ir.mul(g, slabs.group_width)))

        if self.mask is None:
            each_group(lambda _, column: ir.cast(self.row_shift(slabs, n, column), "f64"))
            return
        mask, x = RowMask(self, n, slabs), self.x.view(self.batch, slabs.rows, slabs.row)
        each_group(lambda *_: ir.const(0, F64))
        met = b.let("met", ir.const(0, F64))

        def add_row(row: Expr) -> None:
            b.assign(met, ir.add(met, ir.const(1, F64)))
            each_group(lambda g, column: ir.add(b.load(early, n, g), ir.cast(self.fetch(x, n, row, column), "f64")))

        for i in range(slabs.shift_rows):
            with mask.first(i * slabs.rows // slabs.shift_rows, (i + 1) * slabs.rows // slabs.shift_rows) as row:
                add_row(row)
        each_group(lambda g, _: ir.div(b.load(early, n, g), ir.maximum(met, ir.const(1, F64))))
        b.store(early, n, self.p.groups, value=mask.count())

    def group_shift(self, slabs: RowSlabs, n: Expr, group: Expr, column: Expr) -> Var:
        """The shift of a group, `column` its first."""
        if self.early is None:
            return self.row_shift(slabs, n, column)
        return self.b.let("shift", ir.cast(self.b.load(self.early, n, group), self.p.kind))

    def slab_sums(self, slabs: RowSlabs, n: Expr, slab: Expr, tile: Expr, partial: Buffer) -> None:
        """Sums of d = x - shift and of d^2 of each column of a tile over one slab of rows, stored in `partial`.

        Of bfloat16, of each pair of columns and without a shift; `j` counts them.
        """
        b, lanes, p, per = self.b, self.lanes, self.p, slabs.per
        total = slabs.rows * slabs.row
        x = self.x.view(self.batch, total)
        columns, cells = slabs.columns, slabs.columns // per
        width = -(-cells // lanes) * lanes
        start, stop = self.cut("slab", slab, slabs.slab_elements, total)
        column = ir.mul(tile, slabs.tile * slabs.group_width)
        sums, squares = (b.alloc(stem, p.kind, width) for stem in ("sums", "squares"))
        shifts = b.alloc("shifts", p.kind, width) if per == 1 else None
        with b.loop("j", 0, width, lanes) as j:
            for buffer in (sums, squares, *((shifts,) if shifts is not None and width > cells else ())):
                b.store(buffer, j, value=ir.const(0, self.vector))
        if shifts is not None:
            with b.loop("g", 0, slabs.tile) as g:
                at = b.named("at", ir.mul(g, slabs.group_width))
                shift = self.group_shift(slabs, n, ir.add(ir.mul(tile, slabs.tile), g), ir.add(column, at))
                self.fill(shifts, at, slabs.group_width, shift)
            self.repeat((shifts,), slabs.tile * slabs.group_width, columns)

        Ends = Callable[[Expr], Expr]
        mask = None if self.mask is None else RowMask(self, n, slabs)
        # tiles of one row are several workers': each has an axis of its own where sums are stored
        by_tile = self.summed is not None and slabs.tile < p.groups
        sums_of = self.x.view(self.batch, slabs.rows, p.groups // slabs.tile, columns) if by_tile else x

        def kept(row: Expr, at: Expr, value: Expr, end: Expr | None) -> Expr:
            if not by_tile:
                return self.keep(x, (n, ir.add(ir.add(row, column), at)), value, end)
            return self.keep(sums_of, (n, ir.div(row, slabs.row), tile, at), value, None if end is None else ir.const(columns))

        def held_columns(j: Expr) -> list[Var]:
            """The sum, square and shift of a vector of columns from j on, in registers."""
            tables = (("s", sums), ("q", squares), *((("k", shifts),) if shifts is not None else ()))
            return [b.let(stem, b.load(t, j, lanes=lanes)) for stem, t in tables]

        def add_vector(held: list[Var], row: Expr, j: Expr, end_of: Ends | None = None) -> None:
            """Add the vector of a row that begins at column j; up to an end, where one is given."""
            s, q, *k = held
            begin, at = ir.add(row, column), ir.mul(j, per)
            end = None if end_of is None else end_of(begin)
            if not k:
                pairs_of = b.let("pairs", self.fetch_pairs(x, n, ir.add(begin, at), end=end))
                both = kept(row, at, pairs_of, end)
                b.assign(s, ir.add_pairs(s, both))
                b.assign(q, ir.dot_pairs(q, both))
                return
            fill = None if end is None else k[0]
            value = kept(row, at, self.fetch(x, n, ir.add(begin, at), lanes=lanes, end=end, fill=fill), end)
            with nullcontext() if mask is None else mask.where(ir.div(row, slabs.row)):
                d = b.let("d", ir.sub(value, k[0]))
                b.assign(s, ir.add(s, d))
                b.assign(q, ir.fma(d, d, q))

        def put_back(held: list[Var], j: Expr) -> None:
            for table, value in zip((sums, squares), held, strict=False):
                b.store(table, j, value=value)

        def add_rows(first: Expr, together: int, j: Expr, end_of: Ends | None = None) -> None:
            """Add some rows side by side, a vector of columns."""
            held = held_columns(j)
            for r in range(together):
                row = ir.add(first, r * long_row)
                if self.s.prefetch and together > 1:
                    for buffer in (x, *(() if self.residual is None else (self.residual.view(*x.shape),))):
                        b.prefetch(buffer, n, ir.add(ir.add(ir.add(row, column), ir.mul(j, per)), ahead))
                add_vector(held, row, j, end_of)
            put_back(held, j)

        long_row, strip = slabs.long_row, self.s.strip
        ahead = -(-self.s.prefetch // (strip * long_row)) * strip * long_row
        whole = cells // lanes * lanes
        full = stop
        if slabs.fold > 1 and slabs.rows % slabs.fold:
            full = b.let("full", ir.main_end(start, stop, long_row))
        if columns == long_row == lanes * self.s.tile and whole == cells:
            b.comment("a row's columns stay in registers")
            held = [held_columns(ir.const(v * lanes)) for v in range(cells // lanes)]
            with b.loop("row", start, full, long_row) as row:
                for v, columns_of in enumerate(held):
                    add_vector(columns_of, row, ir.const(v * lanes))
            for v, columns_of in enumerate(held):
                put_back(columns_of, ir.const(v * lanes))
        else:
            rest: Expr = start
            for together in sorted({strip, 1}, reverse=True):
                with b.loop("strip", rest, full, together * long_row) as first:
                    with b.loop("j", 0, whole, lanes) as j:
                        add_rows(first, together, j)
                    if whole < cells:
                        for r in range(together):
                            add_rows(ir.add(first, r * long_row), 1, ir.const(whole), lambda begin: ir.add(begin, columns))
                if together > 1:
                    rest = b.named("rest", ir.main_end(rest, full, together * long_row))
        if full is not stop:
            b.comment("the last long row may be cut short")
            with b.loop("j", 0, cells, lanes) as j, b.when(ir.compare("lt", ir.add(full, ir.mul(j, per)), stop)):
                add_rows(full, 1, j, lambda _: stop)

        with b.loop("j", 0, width, lanes) as j:
            for which, table in enumerate((sums, squares)):
                b.store(partial, n, slab, tile, which, j, value=b.load(table, j, lanes=lanes))

    def merge_columns(
        self, slabs: RowSlabs, partial: Buffer, n: Expr, tile: Expr, part: Expr, store: Callable[[Expr, Expr, Expr], None]
    ) -> None:
        """Mean and rstd of the groups of part of a tile, from its columns over all slabs; ``store(g, mean, rstd)`` keeps them."""
        b, lanes, per = self.b, self.wide_lanes, slabs.per
        groups, width = slabs.merged, slabs.group_width
        cells = groups * width // per
        padded = -(-cells // lanes) * lanes
        wide = Type("f64", lanes)
        first = b.named("first", ir.mul(part, cells))
        tables = [b.alloc(stem, "f64", padded) for stem in ("sums", "squares")]

        def add_columns(j: Expr, end: Expr | None = None) -> None:
            """Columns from j on, over the rows that lie side by side, and over all slabs."""
            totals = [b.let(stem, ir.const(0, wide)) for stem in ("s", "q")]
            fill = None if end is None else ir.const(0, Type(self.p.kind, lanes))
            with b.loop("fold", 0, slabs.fold) as fold, b.loop("slab", 0, slabs.slabs) as slab:
                base = b.named("base", ir.add(ir.mul(fold, slabs.row // per), first))
                for which, total in enumerate(totals):
                    stop = None if end is None else ir.add(base, end)
                    column = b.load(partial, n, slab, tile, which, ir.add(base, j), lanes=lanes, end=stop, fill=fill)
                    b.assign(total, ir.add(total, ir.cast(column, "f64")))
            for table, total in zip(tables, totals, strict=True):
                b.store(table, j, value=total)

        with b.loop("j", 0, cells, lanes) as j:
            add_columns(j)
        if cells % lanes:
            add_columns(ir.const(cells // lanes * lanes), ir.const(cells))
        count: Expr = ir.const(slabs.rows * width, F64)
        mask = None if self.mask is None else RowMask(self, n, slabs)
        if self.mask is not None and self.early is not None:
            count = b.let("count", ir.mul(b.load(self.early, n, self.p.groups), ir.const(width, F64)))
        settled = self.settled.view(self.batch, slabs.rows, slabs.row)
        with b.loop("g", 0, groups) as g:
            at = b.named("at", ir.mul(g, width // per))
            s1, s2 = (self._column_sum(width // per, table, at, stem) for table, stem in zip(tables, ("total", "squares"), strict=True))
            column = b.named("column", ir.add(ir.mul(tile, slabs.tile * width), ir.mul(ir.add(first, at), per)))
            group = ir.add(ir.add(ir.mul(tile, slabs.tile), ir.mul(part, groups)), g)
            shift = None if per > 1 else self.group_shift(slabs, n, group, column)
            mean, m2 = self._shifted_moments(shift, s1, s2, count)
            again = _redo_lanes(lanes // 2 if per > 1 else 1, width)

            def each(visit: Visit, column: Expr = column) -> None:
                with b.loop("row", 0, slabs.rows) as row, nullcontext() if mask is None else mask.where(row):
                    at: Expr = ir.const(0)
                    for lanes in again:
                        with b.loop("i", at, width, lanes) as i:
                            visit(self.fetch(settled, n, row, ir.add(column, i), lanes=lanes))
                        at = ir.const(width // lanes * lanes)

            self._redo_if_poor(s2, mean, m2, count, Sweep(again, each), per > 1)
            group = b.named("group", group)
            store(group, *self.statistics(mean, m2, count, n, group))

    def _column_sum(self, width: int, table: Buffer, at: Expr, stem: str) -> Expr:
        """The sum of one group's columns of a table."""
        b = self.b
        if width == 1:
            return b.let(stem, b.load(table, at))
        step = min(max(1, self.lanes // 2), _power_of_two(width)) if width >= 4 else 1
        end = b.named("column_end", ir.add(at, width))
        found: Expr | None = None
        for lanes in (step, 1) if width % step else (step,):
            total = b.let(stem, ir.const(0, Type("f64", lanes)))
            with b.loop("e", at, end, lanes) as e:
                b.assign(total, ir.add(total, b.load(table, e, lanes=lanes)))
            at = ir.add(at, width // lanes * lanes)
            found = ir.reduce_add(total) if found is None else ir.add(found, total)
        assert found is not None
        return found if isinstance(found, Var) else b.let(stem, found)

    def merge(self, blocks: int, part: Callable[[Expr, int], Expr], n: Expr, g: Expr) -> tuple[Expr, Expr]:
        """Merge block moments by Chan's formula, in order; returns mean and rstd as float64 and stores those asked for.

        delta = mean_b - mean;  mean += delta * n_b / n;  M2 += M2_b + delta^2 * n_a * n_b / n.

        Of a masked problem, blocks of padding alone are passed over.
        """
        b = self.b
        mean, m2, count = (b.let(stem, part(ir.const(0), k)) for k, stem in enumerate(("mean_all", "m2_all", "count_all")))
        zero = ir.const(0, F64)

        def add_block(i: Expr) -> None:
            delta = b.let("delta", ir.sub(part(i, 0), mean))
            more = b.let("more", part(i, 2))
            share = b.let("share", ir.div(more, ir.add(count, more)))
            b.assign(mean, ir.fma(delta, share, mean))
            b.assign(m2, ir.add(m2, ir.fma(ir.mul(delta, delta), ir.mul(count, share), part(i, 1))))
            b.assign(count, ir.add(count, more))

        with b.loop("block", 1, blocks) as i:
            if self.mask is None:
                add_block(i)
            else:
                with b.when(ir.compare("gt", part(i, 2), zero)):
                    with b.when(ir.compare("le", count, zero)):
                        b.assign(mean, part(i, 0))
                    add_block(i)
        return self.statistics(mean, m2, count, n, g)

    # The elementwise pass

    def read_next(self, x: Buffer) -> tuple[Buffer, ...]:
        """What the moments of the next group or sample will read, in the shape of x."""
        first = self.x.view(*x.shape)
        return (first,) if self.residual is None else (first, self.residual.view(*x.shape))

    def transform(self, x: Buffer, lead: tuple[Expr, ...], at: Expr, end: Expr | None, columns: Sequence[Columns]) -> Expr:
        """What becomes of a vector of x: of one set of columns its lanes, of two its even and odd lanes, as bfloat16s."""
        if len(columns) == 1:
            fill = None if end is None else ir.const(0, self.vector)
            return self.finish(self.fetch(x, *lead, at, lanes=self.lanes, end=end, fill=fill), *columns[0])
        both = self.b.let("pairs", self.fetch_pairs(x, *lead, at, end=end))
        halves = [partial(self.finish, half, *own) for half, own in zip((ir.even(both), ir.odd(both)), columns, strict=True)]
        return ir.zip_pairs(*(self.b.side_by_side(halves) if self.b.interleaved else (half() for half in halves)))

    def apply_runs(
        self, norm: Normalizer, n: Expr, o: Expr, g: Expr, chans: tuple[Expr, Expr], inner: tuple[Expr, Expr], length: int
    ) -> None:
        """The elementwise pass over channels `chans` of group g at outer position o, and positions `inner` of each."""
        b, p, lanes = self.b, self.p, self.lanes
        if p.inner == 1:
            x, y = (buffer.view(self.batch, p.outer, p.groups, p.chans) for buffer in (self.settled, self.y))
            high = b.named("highs", ir.splat(norm.high, lanes))
            first = b.named("first_channel", ir.mul(g, p.chans))

            def visit(c: Expr, end: Expr | None) -> Expr:
                scale, offset = self.affine(norm, n, ir.add(first, c), lanes, None if end is None else ir.add(first, end))
                return self.transform(x, (n, o, g), c, end, [(high, ir.splat(scale, lanes), offset)])

            self.each_vector(y, (n, o, g), *chans, length, visit, align=False, step=lanes, read=self.read_next(x))
            return
        with b.loop("c", *chans) as c:
            scale, offset = self.affine(norm, n, ir.add(ir.mul(g, p.chans), c), 1)
            highs, scales = b.named("highs", ir.splat(norm.high, lanes)), b.named("scales", ir.splat(scale, lanes))
            offsets = None if offset is None else b.named("offsets", ir.splat(offset, lanes))

            columns = [(highs, scales, offsets)] * (self.step // lanes)
            lead = (n, o, g, c)

            def visit_run(i: Expr, end: Expr | None) -> Expr:
                return self.transform(self.settled, lead, i, end, columns)

            read = self.read_next(self.settled)
            self.each_vector(self.y, lead, *inner, length, visit_run, align=True, step=self.step, read=read)

    def row_tables(self, norm_of: Callable[[Expr], Normalizer], n: Expr, first: Expr, groups: int, width: int) -> Tables:
        """Tables a column of some groups of sample n, their high, scale and offset: one row, repeated up to `width` columns."""
        b, p = self.b, self.p
        row = groups * p.chans * p.inner
        with_offset = p.center or p.modulation or p.kind != "f64"
        tables = Tables(
            b.alloc("high", p.kind, width), b.alloc("scale", p.kind, width), b.alloc("offset", p.kind, width) if with_offset else None
        )
        step = self.lanes if p.inner == 1 and p.chans >= 4 else 1

        def fill(norm: Normalizer, group: Expr, base: Expr, c: Expr, end: Expr | None) -> None:
            """Table entries of `step` channels from c on; `base` is the group's first column."""
            channels = ir.mul(group, p.chans)
            scale, offset = self.affine(norm, n, ir.add(channels, c), step, None if end is None else ir.add(channels, end))
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
            self.repeat(tables.all, row, width)
        return tables

    def apply_rows(self, tables: Tables, lead: tuple[Expr, ...], x: Buffer, y: Buffer, start: Expr, stop: Expr, period: int) -> None:
        """The elementwise pass over whole rows: positions start..stop of the last axis, `start` at column 0 of the tables.

        It begins at the first aligned position, `phase` columns in, and goes on in vectors from there, with the tables turned by as much:
        they are a vector longer than a period. Of bfloat16, the even columns of each vector are put before its odd ones.
        """
        b, lanes, step = self.b, self.lanes, self.step
        streaming = self.s.store == "streaming"
        begin, phase = self.peel(y, lead, start, stop, step)

        def turn() -> None:
            with b.loop("turn", 0, period, step) as j:
                for table in tables.all:
                    parts = self._table_vectors(table, ir.add(phase, j))
                    for k, part in enumerate([b.let("turned", part) for part in parts] if len(parts) > 1 else parts):
                        b.store(table, ir.add(j, k * lanes), value=part)

        with b.when(ir.compare("lt", start, begin)):
            self.put(y, *lead, start, value=self.transform(x, lead, start, begin, self._columns(tables, ir.const(0))), end=begin)
            if step == lanes:
                turn()
        if step > lanes:
            turn()

        def columns_at(j: Expr) -> list[Columns]:
            return [self._load_columns(tables, ir.add(j, k)) for k in range(0, step, lanes)]

        def finish_vector(row: Expr, j: Expr, columns: list[Columns]) -> None:
            at = b.named("at", ir.add(row, j))
            self.ask_ahead(read, *lead, at)
            self.put(y, *lead, at, value=self.transform(x, lead, at, None, columns), streaming=streaming)

        read = self.read_next(x)
        full = b.let("full", ir.main_end(begin, stop, period))
        if period == lanes * self.s.tile and self.s.interleave == 1:
            b.comment("a row's tables stay in registers")
            held = [columns_at(ir.const(v)) for v in range(0, period, step)]
            with b.loop("row", begin, full, period) as row:
                for v, columns in enumerate(held):
                    finish_vector(row, ir.const(v * step), columns)
        else:
            rest: Expr = begin
            for together in sorted({self.s.rows, 1}, reverse=True):
                with b.loop("row", rest, full, together * period) as row:
                    first: Expr = ir.const(0)
                    for many in sorted({max(1, self.s.interleave * lanes // (step * together)), 1}, reverse=True):
                        with b.loop("j", first, period, many * step, unroll=max(1, 4 // (together * many))) as j:
                            across = [(at, columns_at(at)) for at in (ir.add(j, v * step) for v in range(many))]
                            rows = [ir.add(row, r * period) for r in range(together)]
                            self.interleave(step, finish_vector, [(one, *own) for one in rows for own in across])
                        first = ir.const(period // (many * step) * many * step)
                if together > 1:
                    rest = b.named("rest", ir.main_end(rest, full, together * period))
        with b.loop("j", 0, period, step) as j:
            at = b.named("at", ir.add(full, j))
            with b.when(ir.compare("lt", at, stop)):
                self.put(y, *lead, at, value=self.transform(x, lead, at, stop, columns_at(j)), end=stop)

    def _table_vectors(self, table: Buffer, column: Expr) -> list[Expr]:
        """A vector of a table from `column` on; of bfloat16, one of the even columns and one of the odd."""
        first, *more = (self.b.load(table, ir.add(column, k), lanes=self.lanes) for k in range(0, self.step, self.lanes))
        if not more:
            return [first]
        both = [self.b.let("columns", part) for part in (first, *more)]
        return [ir.even(*both), ir.odd(*both)]

    def _columns(self, tables: Tables, column: Expr) -> list[Columns]:
        """A vector of each table in its own order, from `column` on."""
        return self._named_columns(zip(*(self._table_vectors(table, column) for table in tables.all), strict=True))

    def _load_columns(self, tables: Tables, at: Expr) -> Columns:
        """A vector of each table as it is stored, from `at` on."""
        return self._named_columns([[self.b.load(table, at, lanes=self.lanes) for table in tables.all]])[0]

    def _named_columns(self, sets: Iterable[Sequence[Expr]]) -> list[Columns]:
        found: list[Columns] = []
        for own in sets:
            high, scale, *offset = (self.b.let(stem, value) for stem, value in zip(("highs", "scales", "offsets"), own, strict=False))
            found.append((high, scale, offset[0] if offset else None))
        return found

    def apply_row(self, tables: Tables, lead: tuple[Expr, ...], x: Buffer, y: Buffer, columns: int) -> None:
        """The elementwise pass over one row."""

        def visit(at: Expr, end: Expr | None) -> Expr:
            return self.transform(x, lead, at, end, self._columns(tables, at))

        self.each_vector(y, lead, ir.const(0), ir.const(columns), columns, visit, align=False, step=self.step, read=self.read_next(x))
