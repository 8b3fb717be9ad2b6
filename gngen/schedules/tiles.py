"""cta_reg, cta_smem, cluster, coop and two_kernel for groups in short runs, as of channels-last: a block has the columns of several groups.

    launch n, tile, part:  hold rows;  moments of columns -> of slices of groups;  exchange;  merge;  y from what is held

Of two_kernel, one launch ends where the exchange begins, and another begins there and reads the rows again.
"""

from __future__ import annotations

from contextlib import nullcontext

from gngen import loopnest as ir
from gngen.gpupieces import Held, Read
from gngen.loopnest import Buffer, Expr, Var
from gngen.tilepieces import TilePieces


def lower(k: TilePieces) -> tuple[Buffer, ...]:
    p, s, tiles = k.p, k.s, k.tiles
    if s.name == "two_kernel":
        partial = _partial(k)
        _take_moments(k, partial)
        _apply(k, partial)
        return (partial,)
    workspace = _partial(k) if s.name == "coop" else None
    units = p.groups // tiles.groups
    if workspace is not None:
        with k.b.launch(("gang", "part"), (s.gangs, s.split), tiles.warps, s.together, cooperative=True) as ((gang, part), warp, lane):
            block = _Block(k, warp, lane)
            with k.b.loop("n", 0, k.batch) as n, k.b.loop("turn", 0, units // s.gangs) as turn:
                block.do_tile(n, ir.add(ir.mul(turn, s.gangs), gang), part, workspace)
        return (workspace,)
    cluster = s.split if s.name == "cluster" else 1
    with k.b.launch(("n", "tile", "part"), (k.batch, units, s.split), tiles.warps, s.together, cluster) as ((n, tile, part), warp, lane):
        _Block(k, warp, lane).do_tile(n, tile, part, None)
    return ()


def _partial(k: TilePieces) -> Buffer:
    return Buffer("partial", "f64", (k.batch, k.p.groups, k.tiles.slices, k.columns), "workspace")


class _Block:
    """A thread of a block, which has slices part * rounds + r of a tile."""

    def __init__(self, k: TilePieces, warp: Var, lane: Var) -> None:
        s, b, tiles = k.s, k.b, k.tiles
        self.k, self.warp, self.lane = k, warp, lane
        self.thread = b.let("thread", ir.add(ir.mul(warp, ir.WARP), lane))
        threads, slots = tiles.warps * ir.WARP, s.rounds * tiles.slots
        in_registers = s.held != "shared"
        buffer = b.register("held", k.x.kind, slots, k.lanes) if in_registers else b.shared("held", k.x.kind, slots * threads, k.lanes)
        self.held = Held(buffer, tiles.slots, threads, self.thread)
        self.leaf = b.shared("leaf", "f64", k.columns, tiles.side, tiles.columns)
        self.unroll = s.rounds if in_registers else 1
        self.sure = s.split * s.rounds * tiles.slice_rows == tiles.rows

    def do_tile(self, n: Expr, tile: Expr, part: Expr, workspace: Buffer | None) -> None:
        k, s, tiles = self.k, self.k.s, self.k.tiles
        b = k.b
        first = b.named("first", ir.mul(part, s.rounds))
        near = None if workspace is not None else b.shared("own_part", "f64", tiles.groups, s.rounds, k.columns)
        with b.loop("r", 0, s.rounds, unroll=self.unroll) as r:
            k.hold_rows(self.held, self.thread, n, tile, r, ir.add(first, r), self.sure)
        with b.loop("r", 0, s.rounds, unroll=self.unroll) as r:
            self.slice_moments(n, tile, r, b.named("slice", ir.add(first, r)), workspace, near)
        b.barrier({"cluster": "cluster", "coop": "grid"}.get(s.name, "block"))

        def read(own: Expr) -> Read:
            if workspace is not None:
                g = ir.add(ir.mul(tile, tiles.groups), own)
                return lambda i, part: b.load(workspace, n, g, i, part)
            assert near is not None
            if s.name == "cluster":
                return lambda i, part: ir.Peer(near, ir.div(i, s.rounds), (own, ir.rem(i, s.rounds), ir.const(part)), ir.F64)
            return lambda i, part: b.load(near, own, i, part)

        table = b.shared("table", k.p.kind, tiles.groups, 3)
        k.merge_groups(table, tiles.slices, read, n, tile, self.warp, self.lane, part)
        with k.active(self.thread) as (beside, column):
            highs, scales, offsets = k.column_coefficients(table, n, tile, column)
            y = k.rows(k.y)
            with b.loop("r", 0, s.rounds, unroll=self.unroll) as r:

                def visit(j: Expr, row: Expr, r: Expr = r) -> None:
                    value = k.finish(k.value(self.held, r, j), highs, scales, offsets)
                    k.put(y, n, row, tile, column, value=value)

                k.each_row(ir.add(first, r), beside, self.sure, visit)
        if s.name == "cluster":
            b.comment("until no other block reads this one's shared memory")
            b.barrier("cluster")

    def slice_moments(self, n: Expr, tile: Expr, r: Expr, at: Expr, workspace: Buffer | None, near: Buffer | None) -> None:
        """Of every group of the tile, to where other blocks find them, or other warps."""
        k, tiles, b = self.k, self.k.tiles, self.k.b
        k.leaf_moments(self.leaf, self.held, self.thread, n, r, at, self.sure)
        b.barrier("block")
        with k.each_group(self.warp) as own:
            found = k.fold(self.leaf, own, at, self.sure, self.lane)
            inside = workspace is not None and not self.sure
            with k.only_thread(self.lane), b.when(ir.compare("lt", at, ir.const(tiles.slices))) if inside else nullcontext():
                for part, value in zip(range(k.columns), found.columns, strict=False):
                    if near is not None:
                        b.store(near, own, r, part, value=value)
                    elif workspace is not None:
                        b.store(workspace, n, ir.add(ir.mul(tile, tiles.groups), own), at, part, value=value)
        if k.s.rounds > 1:
            b.comment("until the columns' moments have been read")
            b.barrier("block")


def _take_moments(k: TilePieces, partial: Buffer) -> None:
    tiles = k.tiles
    grid = (k.batch, k.p.groups // tiles.groups, tiles.slices)
    with k.b.launch(("n", "tile", "slice"), grid, tiles.warps, k.s.together) as ((n, tile, at), warp, lane):
        block = _Block(k, warp, lane)
        block.sure = tiles.slices * tiles.slice_rows == tiles.rows
        k.hold_rows(block.held, block.thread, n, tile, ir.const(0), at, block.sure)
        block.slice_moments(n, tile, ir.const(0), at, partial, None)


def _apply(k: TilePieces, partial: Buffer) -> None:
    b, tiles = k.b, k.tiles
    grid = (k.batch, k.p.groups // tiles.groups, tiles.slices)
    with b.launch(("n", "tile", "slice"), grid, tiles.warps, k.s.together) as ((n, tile, at), warp, lane):
        thread = b.let("thread", ir.add(ir.mul(warp, ir.WARP), lane))
        table = b.shared("table", k.p.kind, tiles.groups, 3)

        def read(own: Expr) -> Read:
            g = ir.add(ir.mul(tile, tiles.groups), own)
            return lambda i, part: b.load(partial, n, g, i, part)

        k.merge_groups(table, tiles.slices, read, n, tile, warp, lane, at)
        with k.active(thread) as (beside, column):
            highs, scales, offsets = k.column_coefficients(table, n, tile, column)
            sure = tiles.slices * tiles.slice_rows == tiles.rows

            def visit(_: Expr, row: Expr) -> None:
                value = ir.cast(k.settled_at((n, row, tile, column), k.rows), k.p.kind)
                k.put(k.rows(k.y), n, row, tile, column, value=k.finish(value, highs, scales, offsets))

            k.each_row(at, beside, sure, visit)
