"""The pieces of GPU schedules for groups in short runs, as of channels-last: tiles of the columns of several groups.

A thread has one vector of columns, all the way: of the rows that it reads, of scale and offset, of what it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from gngen import loopnest as ir
from gngen.formulas import LARGEST, Normalizer
from gngen.gpupieces import GpuPieces, Held, Moments, Read, Visit
from gngen.gpuschedule import GpuSchedule
from gngen.loopnest import F64, WARP, Buffer, Expr, Type, Var
from gngen.problem import Problem
from gngen.slices import row_tiles

# Given the slot and the row, what is done there.
VisitRow = Callable[[Expr, Expr], None]


class TilePieces(GpuPieces):
    """Writes into a builder what one thread of a block with a tile does."""

    def __init__(self, p: Problem, s: GpuSchedule) -> None:
        super().__init__(p, s)
        tiles = row_tiles(p)
        assert tiles is not None
        self.tiles = tiles
        self.lanes = tiles.lanes
        self.vector = Type(p.kind, self.lanes)

    def rows(self, buffer: Buffer) -> Buffer:
        """An array like x as rows of tiles."""
        return buffer.view(self.batch, self.tiles.rows, self.p.groups // self.tiles.groups, self.tiles.columns)

    @contextmanager
    def active(self, thread: Var) -> Iterator[tuple[Expr, Expr]]:
        """What the threads of the tile's vectors do; yields the row of those side by side, and the vector of columns."""
        b, tiles = self.b, self.tiles
        idle = tiles.threads < tiles.warps * WARP
        with b.when(ir.compare("lt", thread, ir.const(tiles.threads))) if idle else nullcontext():
            yield b.named("beside", ir.div(thread, tiles.vectors)), b.named("column", ir.mul(ir.rem(thread, tiles.vectors), self.lanes))

    def each_row(self, slice_: Expr, beside: Expr, sure: bool, visit: VisitRow, fill: Callable[[Expr], None] = lambda _: None) -> None:
        """Visit this thread's rows of a slice; slots that may have none are filled first."""
        b, tiles = self.b, self.tiles
        with b.loop("j", 0, tiles.slots, unroll=tiles.slots) as j:
            row = b.let("row", ir.add(ir.add(ir.mul(slice_, tiles.slice_rows), ir.mul(j, tiles.side)), beside))
            if not sure:
                fill(j)
            with nullcontext() if sure else b.when(ir.compare("lt", row, ir.const(tiles.rows))):
                visit(j, row)

    def hold_rows(self, held: Held, thread: Var, n: Expr, tile: Expr, r: Expr, slice_: Expr, sure: bool) -> None:
        """Read this thread's rows of a slice, for the first time, and keep them; store the sums where they are asked for."""
        b = self.b
        zeros = ir.cast(ir.const(0, self.vector), self.x.kind)
        with self.active(thread) as (beside, column):

            def visit(j: Expr, row: Expr) -> None:
                value = self.summed_value((n, row, tile, column), self.rows)
                if self.summed is not None:
                    b.store(self.rows(self.summed), n, row, tile, column, value=value)
                b.store(held.buffer, held.at(r, j), 0, value=value)

            self.each_row(slice_, beside, sure, visit, lambda j: b.store(held.buffer, held.at(r, j), 0, value=zeros))

    def keeps_row(self, n: Expr, row: Expr, column: Expr) -> Expr | None:
        """1 where the elements of a vector of a row count and 0 where not; None where nothing is masked."""
        if self.mask is None:
            return None
        p, b = self.p, self.b
        places = [ir.rem(ir.add(column, k), p.inner) for k in range(self.lanes if p.inner > 1 else 1)]
        found = [b.load(self.mask, n, row, at) for at in places]
        return ir.splat(found[0], self.lanes) if p.inner == 1 else ir.pack(*found)

    # Moments

    def leaf_moments(self, leaf: Buffer, held: Held, thread: Var, n: Expr, r: Expr, slice_: Expr, sure: bool) -> None:
        """Mean, M2 and, with a mask, count of each column of a thread's rows of a slice, stored in ``leaf[part, beside, column]``.

        As of a warp's slice: c = sum(x) / n, d = x - c, mean = c + sum(d) / n, M2 = sum(d^2) - sum(d)^2 / n.
        """
        b, p, tiles = self.b, self.p, self.tiles
        wide = Type("f64", self.lanes)
        with self.active(thread) as (beside, column):

            def each(visit: Visit) -> None:
                self.each_row(slice_, beside, sure, lambda j, row: visit(self.value(held, r, j), self.keeps_row(n, row, column)))

            counts = self.row_counts(slice_, beside, sure, each)
            whole = counts if isinstance(counts, ir.Const) else b.let("whole", ir.maximum(counts, ir.const(1, wide)))
            share = 2.0 ** -(tiles.slots - 1).bit_length()
            total = b.let("total", ir.const(0, self.vector))
            shares = ir.const(share, self.vector)
            each(lambda value, keeps: b.assign(total, ir.fma(self._only(value, keeps), shares, total)))
            few = ir.mul(ir.cast(whole, p.kind), shares)
            center = b.let("center", ir.div(total, few))

            def deviations(kind: str) -> tuple[Var, Var]:
                rest, square = (b.let(stem, ir.const(0, Type(kind, self.lanes))) for stem in ("rest", "square"))

                def deviate(value: Expr, keeps: Expr | None) -> None:
                    d = b.let("d", self._only(ir.sub(ir.cast(value, kind), ir.cast(center, kind)), keeps))
                    b.assign(rest, ir.add(rest, d))
                    b.assign(square, ir.fma(d, d, square))

                each(deviate)
                return rest, square

            rest, square = deviations(p.kind)
            rests, squares = (b.let(stem, ir.cast(value, "f64")) for stem, value in (("rests", rest), ("squares", square)))
            if p.kind == "f32":
                with b.when(ir.logical_not(ir.compare("le", ir.reduce_add(square), ir.const(LARGEST["f32"], self.scalar)))):
                    for var, again in zip((rests, squares), deviations("f64"), strict=True):
                        b.assign(var, again)
            off = b.let("off", ir.div(rests, whole))
            values = (ir.add(ir.cast(center, "f64"), off), ir.sub(squares, ir.mul(rests, off)), counts)
            for part, value in zip(range(self.columns), values, strict=False):
                b.store(leaf, part, beside, column, value=value)

    def row_counts(self, slice_: Expr, beside: Expr, sure: bool, each: Callable[[Visit], None]) -> Expr:
        """How many of a thread's rows of a slice count, in each column, as float64."""
        if self.mask is None:
            return ir.splat(self.rows_beside(slice_, beside, sure), self.lanes)
        kept = self.b.let("kept", ir.const(0, self.vector))

        def visit(_: Expr, keeps: Expr | None) -> None:
            assert keeps is not None
            self.b.assign(kept, ir.add(kept, keeps))

        each(visit)
        return self.b.let("counts", ir.cast(kept, "f64"))

    def rows_beside(self, slice_: Expr, beside: Expr, sure: bool) -> Expr:
        """How many rows a thread has of a slice, as a float64."""
        tiles = self.tiles
        if sure:
            return ir.const(tiles.slots, F64)
        first = ir.add(ir.mul(slice_, tiles.slice_rows), beside)
        left = ir.maximum(ir.sub(ir.const(tiles.rows + tiles.side - 1), first), 0)
        return ir.cast(ir.minimum(ir.div(left, tiles.side), tiles.slots), "f64")

    def fold(self, leaf: Buffer, own: Expr, slice_: Expr, sure: bool, lane: Expr) -> Moments:
        """The moments of a slice of group `own` of the tile, by one warp."""
        tiles = self.tiles

        def read(i: Expr, part: int) -> Expr:
            at = ir.add(ir.mul(own, tiles.width), ir.rem(i, tiles.width))
            return self.b.load(leaf, part, ir.div(i, tiles.width), at)

        return self.merge(tiles.side * tiles.width, read, lambda i: self.rows_beside(slice_, ir.div(i, tiles.width), sure), lane)

    def slice_count(self, i: Expr) -> Expr:
        """How many elements of a group slice i has, as a float64."""
        tiles = self.tiles
        rows = ir.minimum(ir.const(tiles.slice_rows), ir.sub(ir.const(tiles.rows), ir.mul(i, tiles.slice_rows)))
        return ir.cast(ir.mul(rows, tiles.width), "f64")

    @contextmanager
    def each_group(self, warp: Var) -> Iterator[Expr]:
        """What is done for every group of the tile, by one warp each."""
        b, tiles = self.b, self.tiles
        with b.loop("q", 0, -(-tiles.groups // tiles.warps)) as q:
            own = b.let("own", ir.add(ir.mul(q, tiles.warps), warp))
            with b.when(ir.compare("lt", own, ir.const(tiles.groups))):
                yield own

    def merge_groups(
        self, table: Buffer, slices: int, read: Callable[[Expr], Read], n: Expr, tile: Expr, warp: Var, *numbers: Expr
    ) -> None:
        """Merge the slices of every group, and leave what the elementwise pass needs of it in ``table[group]``: mean, its rest, rstd."""
        b = self.b
        with self.each_group(warp) as own:
            g = b.let("group", ir.add(ir.mul(tile, self.tiles.groups), own))
            norm = self.group_norm_of(self.merge(slices, read(own), self.slice_count, numbers[0]), n, g, *numbers)
            with self.only_thread(numbers[0]):
                for part, value in enumerate((norm.high, norm.low, norm.rstd)):
                    if value is not None:
                        b.store(table, own, part, value=value)
        b.barrier("block")

    # The elementwise pass

    def column_coefficients(self, table: Buffer, n: Expr, tile: Expr, column: Expr) -> tuple[Expr, Expr, Expr | None]:
        """The high, scale and offset of a vector of columns."""
        b, p, tiles, lanes = self.b, self.p, self.tiles, self.lanes
        first = ir.mul(tile, tiles.groups * p.chans)
        found = []
        for k in range(lanes):
            element = ir.add(column, k)
            own = b.named("own", ir.div(element, tiles.width))
            high, low, rstd = (b.let(stem, b.load(table, own, part)) for part, stem in enumerate(("high", "low", "rstd_1")))
            norm = Normalizer(high, None if p.kind == "f64" else low, rstd)
            found.append((high, *self.affine(norm, n, ir.add(first, ir.div(element, p.inner)), 1)))
        highs = b.let("highs", ir.pack(*(high for high, _, _ in found)))
        scales = b.let("scales", ir.pack(*(scale for _, scale, _ in found)))
        offsets = [offset for _, _, offset in found if offset is not None]
        return highs, scales, b.let("offsets", ir.pack(*offsets)) if offsets else None
