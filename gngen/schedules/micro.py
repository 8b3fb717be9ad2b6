"""micro: groups of a few vectors, of which a sample has many: statistics in vectors over the groups.

    parallel n:  moments of each group;  mean and rstd of several groups at a time;  y = act((x - mean) * rstd * gamma + beta)

A square root and two divisions for every group would take as long as everything else.
"""

from __future__ import annotations

from gngen import loopnest as ir
from gngen.formulas import Normalizer
from gngen.loopnest import F64, Buffer, Type
from gngen.pieces import Pieces
from gngen.summation import RunBlocks


def lower(k: Pieces) -> tuple[Buffer, ...]:
    blocks, b, p = k.sums, k.b, k.p
    assert isinstance(blocks, RunBlocks)
    zero = ir.const(0)
    wide = max(1, k.lanes * p.bits // 64)
    padded = -(-p.groups // wide) * wide
    with b.parallel(("n",), (k.batch,), serial=k.s.parallel_from == 0) as (n,):
        sums = [b.alloc(stem, "f64", padded) for stem in ("means", "m2s")]
        stems = ("highs", "rstds") if p.kind == "f64" else ("highs", "rstds", "lows")
        tables = [b.alloc(stem, p.kind, padded) for stem in stems]
        with b.loop("g", p.groups, padded) as g:
            for buffer in sums:
                b.store(buffer, g, value=ir.const(0, F64))
        with b.loop("g", 0, p.groups) as g:
            for buffer, value in zip(sums, k.run_moments(blocks, n, g, zero, zero, zero), strict=False):
                b.store(buffer, g, value=value)
        with b.loop("j", 0, padded, wide) as j:
            mean, m2 = (b.let(stem, b.load(buffer, j, lanes=wide)) for stem, buffer in zip(("mean_all", "m2_all"), sums, strict=True))
            end = ir.const(p.groups) if padded > p.groups else None
            norm = k.normalizer(*k.statistics(mean, m2, ir.const(p.group, Type("f64", wide)), n, j, end))
            for table, vector in zip(tables, (norm.high, norm.rstd, norm.low), strict=False):
                assert vector is not None
                b.store(table, j, value=vector)
        with b.loop("g", 0, p.groups) as g:
            high, rstd, *low = (b.let(table.name.removesuffix("s"), b.load(table, g)) for table in tables)
            with b.loop("o", 0, p.outer) as o:
                k.apply_runs(
                    Normalizer(high, low[0] if low else None, rstd),
                    n, o, g, (zero, ir.const(p.chans)), (zero, ir.const(p.inner)), p.chans if p.inner == 1 else p.inner,
                )  # fmt: skip
        if k.s.store == "streaming":
            b.fence()
    return ()
