"""warp_group, cta_reg, cta_smem, cluster, coop: a group is read once, held on chip while its moments are merged, and written once.

    launch n, g, part:  each warp holds slices and takes their moments;  exchange;  every warp merges them all;  y from what is held

What differs is who shares a group, and so what they exchange partial moments through: a warp (nothing, or its block's shared memory), a
block (shared memory), a cluster of blocks (each other's shared memory), or blocks of a cooperative launch (the workspace).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from gngen import loopnest as ir
from gngen.gpupieces import GpuPieces, Held, Moments, Read
from gngen.loopnest import Buffer, Expr, Var

# The number of a warp's slice of round r.
Number = Callable[[Expr], Expr]


def lower(k: GpuPieces) -> tuple[Buffer, ...]:
    b, p, s, sums = k.b, k.p, k.s, k.sums
    partial = Buffer("partial", "f64", (k.batch, p.groups, sums.slices, k.columns), "workspace")
    workspace = partial if s.name == "coop" else None
    units = p.groups // s.groups
    if workspace is not None:
        with b.launch(("gang", "part"), (s.gangs, s.split), s.block_warps, s.together, cooperative=True) as ((gang, part), warp, lane):
            block = _Block(k, warp, lane)
            with b.loop("n", 0, k.batch) as n, b.loop("turn", 0, units // s.gangs) as turn:
                block.do_group(n, ir.add(ir.mul(turn, s.gangs), gang), part, workspace)
        return (workspace,)
    cluster = s.split if s.name == "cluster" else 1
    with b.launch(("n", "g", "part"), (k.batch, units, s.split), s.block_warps, s.together, cluster) as ((n, g, part), warp, lane):
        _Block(k, warp, lane).do_group(n, g, part, None)
    return ()


class _Block:
    """A thread of a block; its warps have slices part * warps * rounds + r * warps + w of group g."""

    def __init__(self, k: GpuPieces, warp: Var, lane: Var) -> None:
        s, b = k.s, k.b
        self.k, self.s, self.b, self.lane, self.warp = k, s, b, lane, warp
        self.mine = s.warps * s.rounds
        self.sure = s.split * self.mine == k.sums.slices
        threads = s.block_warps * ir.WARP
        self.thread = b.let("thread", ir.add(ir.mul(warp, ir.WARP), lane))
        slots = s.rounds * k.sums.slots
        in_registers = s.held == "register"
        buffer = b.register("held", k.x.kind, slots, k.lanes) if in_registers else b.shared("held", k.x.kind, slots * threads, k.lanes)
        self.held = Held(buffer, k.sums.slots, threads, self.thread)
        self.unroll = s.rounds if in_registers else 1

    def do_group(self, n: Expr, g: Expr, part: Expr, workspace: Buffer | None) -> None:
        k, b, s, lane = self.k, self.b, self.s, self.lane
        own, w = (self.warp, ir.const(0)) if s.groups > 1 else (ir.const(0), self.warp)
        g = b.named("group", ir.add(ir.mul(g, s.groups), own))
        first = b.named("first", ir.add(ir.mul(part, self.mine), w))

        def number(r: Expr) -> Expr:
            return ir.add(first, ir.mul(r, s.warps))

        with b.loop("r", 0, s.rounds, unroll=self.unroll) as r:
            k.hold(self.held, n, g, r, number(r), lane, self.sure)
        moments = self.exchange(n, g, part, own, w, number, workspace)
        norm = k.group_norm_of(moments, n, g, lane, w, part)
        with b.loop("r", 0, s.rounds, unroll=self.unroll) as r:

            def value(j: Expr, _: Expr, r: Expr = r) -> Expr:
                return k.value(self.held, r, j)

            k.apply(norm, n, g, number(r), lane, self.sure, value)
        if s.name == "cluster":
            b.comment("until no other block reads this one's shared memory")
            b.barrier("cluster")

    def exchange(self, n: Expr, g: Expr, part: Expr, own: Expr, w: Expr, number: Number, workspace: Buffer | None) -> Moments:
        """The moments of the whole group."""
        k, b, s, lane = self.k, self.b, self.s, self.lane
        slices = k.sums.slices
        near = None if workspace is not None or slices == 1 else b.shared("own_part", "f64", s.groups, self.mine, k.columns)
        with b.loop("r", 0, s.rounds, unroll=self.unroll) as r:
            at = b.named("slice", number(r))
            found = k.slice_moments(k.each_held(self.held, n, r, at, lane, self.sure), k.slice_size(at, self.sure))
            if slices == 1:
                return found
            with k.only_thread(lane):
                if near is not None:
                    self._keep(found, near, own, ir.add(ir.mul(r, s.warps), w))
                else:
                    assert workspace is not None
                    with nullcontext() if self.sure else b.when(ir.compare("lt", at, ir.const(slices))):
                        self._keep(found, workspace, n, g, at)

        def read(i: Expr, column: int) -> Expr:
            if workspace is not None:
                return b.load(workspace, n, g, i, column)
            assert near is not None
            if s.name == "cluster":
                return ir.Peer(near, ir.div(i, self.mine), (ir.const(0), ir.rem(i, self.mine), ir.const(column)), ir.F64)
            return b.load(near, own, i, column)

        scope = {"cluster": "cluster", "coop": "grid"}.get(s.name, "warp" if s.warps == 1 else "block")
        b.barrier(scope)
        found_by: Read = k.gather(slices, read, self.thread, s.block_warps * ir.WARP) if s.split > 1 else read
        return k.merge(slices, found_by, lambda i: k.slice_size(i, True), lane)

    def _keep(self, m: Moments, buffer: Buffer, *lead: Expr) -> None:
        for column, value in zip(range(self.k.columns), m.columns, strict=False):
            self.b.store(buffer, *lead, column, value=value)
