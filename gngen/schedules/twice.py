"""two_kernel: what no chip holds is read twice.

    launch n, g, part:  moments of slices, or of chunks of them -> partial
    launch n, g, part:  merge all of the group's partial moments;  y from x, read again

The first reads a slice into registers for its two sweeps. A block of the second applies several slices, since each block merges anew.
"""

from __future__ import annotations

from contextlib import nullcontext

from gngen import loopnest as ir
from gngen.gpupieces import GpuPieces, Held, Moments
from gngen.loopnest import Buffer, Expr, Var

# Slices that a warp of the second launch takes, one after the other.
APPLY_ROUNDS = 4


def lower(k: GpuPieces) -> tuple[Buffer, ...]:
    p, sums = k.p, k.sums
    entries = sums.chunks
    partial = Buffer("partial", "f64", (k.batch, p.groups, entries, k.columns), "workspace")
    _take_moments(k, partial)
    _apply(k, partial)
    return (partial,)


def _take_moments(k: GpuPieces, partial: Buffer) -> None:
    b, p, s, sums = k.b, k.p, k.s, k.sums
    chunked = sums.chunk > 1
    parts = sums.chunks if chunked else -(-sums.slices // s.warps)
    with b.launch(("n", "g", "part"), (k.batch, p.groups, parts), s.warps, s.together) as ((n, g, part), warp, lane):
        held = Held(b.register("held", k.x.kind, sums.slots, k.lanes), sums.slots, 0, ir.const(0))
        if chunked:
            _chunk_moments(k, partial, held, n, g, part, warp, lane)
            return
        sure = parts * s.warps == sums.slices
        at = b.named("slice", ir.add(ir.mul(part, s.warps), warp))
        found = _slice(k, held, n, g, at, lane, sure)
        with k.only_thread(lane), nullcontext() if sure else b.when(ir.compare("lt", at, ir.const(sums.slices))):
            _keep(k, found, partial, n, g, at)


def _chunk_moments(k: GpuPieces, partial: Buffer, held: Held, n: Expr, g: Expr, chunk: Expr, warp: Var, lane: Var) -> None:
    b, s, sums = k.b, k.s, k.sums
    own = b.shared("own_part", "f64", s.rounds * s.warps, k.columns)
    first = b.named("first", ir.mul(chunk, sums.chunk))
    with b.loop("r", 0, s.rounds) as r:
        i = b.let("mine", ir.add(ir.mul(r, s.warps), warp))
        with b.when(ir.compare("lt", i, ir.const(sums.chunk))):
            at = b.let("slice", ir.add(first, i))
            found = _slice(k, held, n, g, at, lane, False)
            with k.only_thread(lane):
                _keep(k, found, own, i)
    b.barrier("block")
    merged = k.merge(sums.chunk, lambda i, c: b.load(own, i, c), lambda i: k.slice_size(ir.add(first, i), False), lane)
    with k.only_thread(lane, warp):
        _keep(k, merged, partial, n, g, chunk)


def _slice(k: GpuPieces, held: Held, n: Expr, g: Expr, at: Expr, lane: Expr, sure: bool) -> Moments:
    zero = ir.const(0)
    k.hold(held, n, g, zero, at, lane, sure)
    return k.slice_moments(k.each_held(held, n, zero, at, lane, sure), k.slice_size(at, sure))


def _keep(k: GpuPieces, m: Moments, buffer: Buffer, *lead: Expr) -> None:
    for column, value in zip(range(k.columns), m.columns, strict=False):
        k.b.store(buffer, *lead, column, value=value)


def _apply(k: GpuPieces, partial: Buffer) -> None:
    b, p, s, sums = k.b, k.p, k.s, k.sums
    mine = s.warps * APPLY_ROUNDS
    parts = -(-sums.slices // mine)
    with b.launch(("n", "g", "part"), (k.batch, p.groups, parts), s.warps, s.together) as ((n, g, part), warp, lane):
        thread = b.let("thread", ir.add(ir.mul(warp, ir.WARP), lane))
        read = k.gather(sums.chunks, lambda i, c: b.load(partial, n, g, i, c), thread, s.warps * ir.WARP)
        merged = k.merge(sums.chunks, read, lambda i: k.slice_size(i, True, sums.chunk), lane)
        norm = k.group_norm_of(merged, n, g, lane, warp, part)
        with b.loop("r", 0, APPLY_ROUNDS) as r:
            at = b.let("slice", ir.add(ir.add(ir.mul(part, mine), ir.mul(r, s.warps)), warp))
            sure = parts * mine == sums.slices
            k.apply(norm, n, g, at, lane, sure, lambda _, v: ir.cast(k.settled_at(k.place(n, g, v), k.runs), p.kind))
