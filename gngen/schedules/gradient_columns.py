"""The backward pass by whole rows, in memory order: rows, whose phases all workers share, and sample, where a worker takes a whole one.

parallel slabs:   sums of every column -> partial
parallel groups:  of every channel, in fixed order -> channel_sums;  of the group -> slopes
parallel pieces:  dx = g * scale + (x - high) * tilt + level
parallel channels:  dgamma, dbeta
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gngen import loopnest as ir
from gngen.gradients import Center, Gradients, Slopes
from gngen.gradientsums import Columns
from gngen.loopnest import F64, Buffer, Expr, Type, Var
from gngen.schedules.split import items, samples

# Positions of the sample, each up to an end or None.
Places = list[tuple[Expr, Expr | None]]
Visit = Callable[[Places], None]
# Loads what belongs to the columns from one on; what then visits positions there; and what puts back what visits changed.
ColumnsAt = Callable[[Expr], tuple[Visit, Callable[[], None]]]


def lower(k: Gradients) -> tuple[Buffer, ...]:
    if k.s.name == "sample":
        with k.b.parallel(("n",), (k.batch,), serial=k.s.parallel_from == 0) as (n,), k.serially():
            workspace = _phases(k, n)
    else:
        with samples(k) as one:
            workspace = _phases(k, one)
    k.parameters()
    return (*k.workspace, *workspace)


def _phases(k: Gradients, n: Expr | None) -> tuple[Buffer, ...]:
    slopes = Buffer("slopes", "f64", (k.batch, k.p.groups, 2), "workspace")
    partial = take_sums(k, slopes, n)
    apply_all(k, slopes, n)
    return partial, slopes


def take_sums(k: Gradients, slopes: Buffer, n: Expr | None) -> Buffer:
    """The phases up to the slopes, of sample n or of all; the partial sums' workspace."""
    b, p, cols = k.b, k.p, k.sums
    assert isinstance(cols, Columns)
    width = -(-cols.long_row // k.lanes) * k.lanes
    partial = Buffer("partial", p.kind, (k.batch, cols.slabs, 2, width), "workspace")
    parts = p.groups // cols.merged
    if k.off is not None:
        with items(k, n, slab=cols.slabs) as (sample, slab), b.when(k.is_far(_farthest(k, sample))):
            _slab_sums(k, cols, sample, slab, partial, only_off=True)
        with items(k, n, part=parts) as (sample, part):
            _find_off(k, cols, sample, part, partial)
    with items(k, n, slab=cols.slabs) as (sample, slab):
        _slab_sums(k, cols, sample, slab, partial, only_off=False)
    with items(k, n, part=parts) as (sample, part):
        _merge(k, cols, sample, part, partial, slopes)
    return partial


def apply_all(k: Gradients, slopes: Buffer, n: Expr | None) -> None:
    """dx of sample n or of all."""
    p, cols = k.p, k.sums
    assert isinstance(cols, Columns)
    rows = max(1, k.s.piece // cols.long_row) * cols.fold
    pieces = -(-p.outer // rows)
    with items(k, n, piece=pieces) as (sample, piece):
        back = ir.sub(ir.const(pieces - 1), piece)  # what was read last may still be in a cache
        _apply(k, cols, sample, *k.cut("piece", back, rows * cols.row, p.sample), slopes)
        if k.s.store == "streaming":
            k.b.fence()


def _farthest(k: Gradients, n: Expr) -> Var:
    """The largest distance of a sample's groups."""
    b = k.b
    worst = b.let("worst", ir.const(0, k.scalar))
    with b.loop("g", 0, k.p.groups) as g:
        b.assign(worst, ir.maximum(worst, k.distance(n, g)))
    return worst


def _tables(
    k: Gradients, cols: Columns, n: Expr, stems: tuple[str, ...], slopes: Buffer | None = None, settled: bool = True
) -> dict[str, Buffer]:
    """Of every column of a long row, those of high, scale, offset, tilt and level that are named: a worker's own arrays."""
    b, p = k.b, k.p
    width = -(-cols.long_row // k.lanes) * k.lanes
    tables = {stem: b.alloc(stem, p.kind, width) for stem in stems}
    step = k.lanes if p.inner == 1 and p.chans >= 4 else 1

    def fill(g: Expr, shared: dict[str, Expr], c: Expr, end: Expr | None) -> None:
        """The entries of `step` channels of a group from c on."""
        values = dict(shared)
        first = ir.mul(g, p.chans)
        if "scale" in stems:
            scale, offset = k.affine(center, ir.add(first, c), step, None if end is None else ir.add(first, end))
            values |= {"scale": scale} | ({} if offset is None else {"offset": offset})
        base = ir.mul(g, p.chans * p.inner)
        with b.loop("i", 0, p.inner) as i:
            at = ir.add(ir.add(base, ir.mul(c, p.inner)), i)
            for stem, table in tables.items():
                b.store(table, at, value=ir.splat(values[stem], step), end=None if end is None else ir.add(base, end))

    with b.loop("g", 0, p.groups) as g:
        center = k.center(n, g, settled)
        shared: dict[str, Expr] = {"high": center.high}
        if slopes is not None:
            found = k.load_slopes(slopes, n, g, center)
            shared |= {stem: b.let(f"own_{stem}", ir.cast(value, p.kind)) for stem, value in zip(("tilt", "level"), found, strict=True)}
        with b.loop("c", 0, p.chans, step) as c:
            fill(g, shared, c, None)
        if p.chans % step:
            fill(g, shared, ir.const(p.chans // step * step), ir.const(p.chans))
    if width > cols.row:
        b.comment("the row again, up to a whole number of vectors")
        k.repeat(tuple(tables.values()), cols.row, width)
    return tables


def _has_offset(k: Gradients) -> bool:
    """Whether z has an offset: of an activation, that of beta or of what the mean is off by."""
    return k.p.activation is not None and (k.beta is not None or k.p.kind == "f32")


def _each_row(k: Gradients, cols: Columns, start: Expr, stop: Expr, together: int, columns: ColumnsAt) -> None:
    """Visit elements start..stop, which begin a long row, by vectors of columns of several long rows at once."""
    b, lanes, long_row = k.b, k.lanes, cols.long_row
    whole = long_row // lanes * lanes
    full = stop
    if cols.fold > 1 and cols.rows % cols.fold:
        full = b.let("full", ir.main_end(start, stop, long_row))

    def once(j: Expr, places: Places) -> None:
        visit, put_back = columns(j)
        visit(places)
        put_back()

    if long_row == lanes * k.s.tile and k.s.interleave == 1:
        b.comment("what belongs to the columns stays in registers")
        held = [columns(ir.const(j)) for j in range(0, long_row, lanes)]
        with b.loop("row", start, full, long_row) as row:
            for v, (visit, _) in enumerate(held):
                visit([(ir.add(row, v * lanes), None)])
        for _, put_back in held:
            put_back()
    else:
        rest = start
        for many in sorted({together, 1}, reverse=True):
            with b.loop("row", rest, full, many * long_row) as first:
                with b.loop("j", 0, whole, lanes) as j:
                    once(j, [(ir.add(ir.add(first, r * long_row), j), None) for r in range(many)])
                if whole < long_row:
                    ends = [ir.add(first, (r + 1) * long_row) for r in range(many)]
                    once(ir.const(whole), [(ir.add(ir.add(first, r * long_row), whole), ends[r]) for r in range(many)])
            if many > 1:
                rest = b.named("rest", ir.main_end(rest, full, many * long_row))
    if full is not stop:
        b.comment("the last long row may be cut short")
        with b.loop("j", 0, long_row, lanes) as j:
            at = b.named("at", ir.add(full, j))
            with b.when(ir.compare("lt", at, stop)):
                once(j, [(at, stop)])


def _fetch_ahead(k: Gradients, cols: Columns, together: int, ahead: int, buffers: tuple[Buffer, ...], n: Expr, places: Places) -> None:
    """Ask for what is read `ahead` elements on; of several rows at once, whose streams a machine does not foresee, as many rows on."""
    if not ahead:
        return
    step = together * cols.long_row if together > 1 else 1
    for at, _ in places:
        for buffer in buffers:
            k.b.prefetch(buffer, n, ir.add(at, -(-ahead // step) * step))


def _slab_sums(k: Gradients, cols: Columns, n: Expr, slab: Expr, partial: Buffer, only_off: bool) -> None:
    """Sums over a slab of g and g * (x - high) of every column, or of x - high alone."""
    b, p, lanes = k.b, k.p, k.lanes
    total = cols.rows * cols.row
    dy, x = (buffer.view(k.batch, total) for buffer in (k.dy, k.x))
    active = p.activation is not None and not only_off
    stems = ("high", *(("scale",) if active else ()), *(("offset",) if active and _has_offset(k) else ()))
    tables = _tables(k, cols, n, stems, settled=not only_off)
    width = int(partial.shape[-1]) if isinstance(partial.shape[-1], int) else 0
    sums = [b.alloc(stem, p.kind, width) for stem in (("sum_d",) if only_off else ("sum_g", "sum_gd"))]
    with b.loop("j", 0, width, lanes) as j:
        for table in sums:
            b.store(table, j, value=ir.const(0, k.vector))

    def columns(j: Expr) -> tuple[Visit, Callable[[], None]]:
        held = [b.let("s", b.load(table, j, lanes=lanes)) for table in sums]
        own = {stem: b.let(f"{stem}s", b.load(table, j, lanes=lanes)) for stem, table in tables.items()}

        def add(at: Expr, end: Expr | None) -> None:
            d = b.let("d", ir.sub(k.fetch(x, n, at, lanes=lanes, end=end, fill=None if end is None else own["high"]), own["high"]))
            if only_off:
                b.assign(held[0], ir.add(held[0], d))
                return
            up = k.read(dy, n, at, end=end)
            value = b.let("dys", up) if p.activation is None else k.gradient(d, b.let("dys", up), own["scale"], own.get("offset"))
            b.assign(held[0], ir.add(held[0], value))
            b.assign(held[1], ir.fma(value, d, held[1]))

        def visit(places: Places) -> None:
            _fetch_ahead(k, cols, k.s.strip, k.s.prefetch if len(places) > 1 else 0, (x, dy), n, places)
            k.interleave(lanes, add, places)

        def put_back() -> None:
            for table, value in zip(sums, held, strict=True):
                b.store(table, j, value=value)

        return visit, put_back

    _each_row(k, cols, *k.cut("slab", slab, cols.slab * cols.long_row, total), k.s.strip, columns)
    with b.loop("j", 0, width, lanes) as j:
        for which, table in enumerate(sums):
            b.store(partial, n, slab, which, j, value=b.load(table, j, lanes=lanes))


def _column_totals(k: Gradients, cols: Columns, n: Expr, part: Expr, partial: Buffer, count: int) -> list[Buffer]:
    """The first `count` sums of the columns of some groups, over all slabs and all rows of a long row: arrays of float64."""
    b, lanes = k.b, k.wide_lanes
    cells = cols.merged * k.p.chans * k.p.inner
    padded = -(-cells // lanes) * lanes
    wide = Type("f64", lanes)
    totals = [b.alloc(stem, "f64", padded) for stem in ("total_g", "total_gd")[:count]]
    first = b.named("first", ir.mul(part, cells))

    def add(j: Expr, short: bool) -> None:
        held = [b.let("t", ir.const(0, wide)) for _ in totals]
        with b.loop("fold", 0, cols.fold) as fold, b.loop("slab", 0, cols.slabs) as slab:
            base = b.named("base", ir.add(ir.mul(fold, cols.row), first))
            end = ir.add(base, cells) if short else None
            for which, total in enumerate(held):
                fill = None if end is None else ir.const(0, Type(k.p.kind, lanes))
                b.assign(
                    total, ir.add(total, ir.cast(b.load(partial, n, slab, which, ir.add(base, j), lanes=lanes, end=end, fill=fill), "f64"))
                )
        for table, total in zip(totals, held, strict=True):
            b.store(table, j, value=total)

    with b.loop("j", 0, cells, lanes) as j:
        add(j, False)
    if cells % lanes:
        add(ir.const(cells // lanes * lanes), True)
    return totals


def _run_sum(k: Gradients, table: Buffer, first: Expr, count: int, stem: str) -> Expr:
    """The sum of `count` entries of a table, in order."""
    b = k.b
    if count == 1:
        return b.let(stem, b.load(table, first))
    total = b.let(stem, ir.const(0, F64))
    with b.loop("i", 0, count) as i:
        b.assign(total, ir.add(total, b.load(table, ir.add(first, i))))
    return total


def _find_off(k: Gradients, cols: Columns, n: Expr, part: Expr, partial: Buffer) -> None:
    """Store what the means of some groups are off by."""
    b, p = k.b, k.p
    assert k.off is not None
    with b.loop("g", 0, cols.merged) as own:
        b.store(k.off, n, ir.add(ir.mul(part, cols.merged), own), value=ir.const(0, F64))
    with b.when(k.is_far(_farthest(k, n))):
        (totals,) = _column_totals(k, cols, n, part, partial, 1)
        with b.loop("g", 0, cols.merged) as own:
            g = b.named("group", ir.add(ir.mul(part, cols.merged), own))
            width = p.chans * p.inner
            with b.when(k.is_far(k.distance(n, g))):
                off = _run_sum(k, totals, ir.mul(own, width), width, "off_all")
                b.store(k.off, n, g, value=ir.div(off, ir.const(p.group, F64)))


def _merge(k: Gradients, cols: Columns, n: Expr, part: Expr, partial: Buffer, slopes: Buffer) -> None:
    """The sums of the channels of some groups, and the groups' slopes."""
    b, p = k.b, k.p
    totals = _column_totals(k, cols, n, part, partial, 2)
    with b.loop("g", 0, cols.merged) as own:
        g = b.named("group", ir.add(ir.mul(part, cols.merged), own))
        center = k.center(n, g)
        shared = _settle(k, n, g, ir.mul(own, p.chans), center, totals)
        for which, value in enumerate(k.tilt_and_level(center, shared)):
            b.store(slopes, n, g, which, value=value)


def _settle(k: Gradients, n: Expr, g: Expr, first: Expr, center: Center, totals: Sequence[Buffer]) -> list[Expr]:
    """Keep the sums of a group's channels, `first` of them that of the first; the group's own two sums."""
    b, p = k.b, k.p
    most = min(k.wide_lanes, 1 << (p.chans.bit_length() - 1)) if p.inner == 1 else 1
    found: list[Expr] = []
    start: Expr = ir.const(0)
    for lanes in sorted({most, 1}, reverse=True):
        if lanes == 1 < most and p.chans % most == 0:
            break
        shared = [b.let(stem, ir.const(0, Type("f64", lanes))) for stem in ("all_g", "all_gx")]
        with b.loop("c", start, p.chans, lanes) as c:
            column = b.named("column", ir.mul(ir.add(first, c), p.inner))
            if lanes == 1:
                sums = [_run_sum(k, table, column, p.inner, stem) for table, stem in zip(totals, ("channel_g", "channel_gd"), strict=True)]
            else:
                sums = [b.let(stem, b.load(t, column, lanes=lanes)) for t, stem in zip(totals, ("channels_g", "channels_gd"), strict=True)]
            k.settle_channels(n, b.named("channel", ir.add(ir.mul(g, p.chans), c)), center, sums, shared)
        own = [ir.reduce_add(total) for total in shared]
        found = own if not found else [ir.add(a, o) for a, o in zip(found, own, strict=True)]
        start = ir.const(p.chans // lanes * lanes)
    return [b.let(stem, value) for stem, value in zip(("group_g", "group_gx"), found, strict=True)]


def _apply(k: Gradients, cols: Columns, n: Expr, start: Expr, stop: Expr, slopes: Buffer) -> None:
    """dx of whole rows."""
    b, p, lanes = k.b, k.p, k.lanes
    dy, x, dx = (buffer.view(k.batch, p.sample) for buffer in (k.dy, k.x, k.dx))
    stems = ("high", "scale", "tilt", "level", *(("offset",) if _has_offset(k) else ()))
    tables = _tables(k, cols, n, stems, slopes)

    def body(streaming: bool) -> None:
        def columns(j: Expr) -> tuple[Visit, Callable[[], None]]:
            own = {stem: b.let(f"{stem}s", b.load(table, j, lanes=lanes)) for stem, table in tables.items()}
            s = Slopes(own["high"], own["scale"], own["tilt"], own["level"], own.get("offset"))

            def write(at: Expr, end: Expr | None) -> None:
                d = b.let("d", ir.sub(k.read(x, n, at, end=end), s.high))
                value = k.slope(d, b.let("dys", k.read(dy, n, at, end=end)), s)
                k.put(dx, n, at, value=value, end=end, streaming=streaming and end is None)

            def visit(places: Places) -> None:
                _fetch_ahead(k, cols, k.s.rows, k.s.ahead, (x, dy), n, places)
                k.interleave(lanes, write, places)

            return visit, lambda: None

        _each_row(k, cols, start, stop, k.s.rows, columns)

    if k.s.store != "streaming" or cols.long_row % lanes:
        body(False)
        return
    b.comment("past the caches where dx is aligned, as it is from the first row to the last or nowhere")
    phase = b.let("phase", ir.Peel(dx, (n, start), lanes))
    with b.when(ir.compare("lt", phase, ir.const(1))):
        body(True)
    with b.when(ir.compare("gt", phase, ir.const(0))):
        body(False)
