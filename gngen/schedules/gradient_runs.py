"""The backward pass where a channel lies in long runs: group_resident (and serial_small), and group_split.

    parallel n, g:  sums of every channel -> tilt, level;  dx = g * scale + (x - high) * tilt + level

group_split cuts that into phases over fixed units of every channel, with a barrier after each. Both end with the parameters' gradients.
"""

from __future__ import annotations

from collections.abc import Callable

from gngen import loopnest as ir
from gngen.gradients import Center, Gradients, Slopes
from gngen.gradientsums import ChannelRuns
from gngen.loopnest import F64, Buffer, Expr
from gngen.schedules.split import items, samples

# Of channel c, one of the units: its sums.
Part = Callable[[Expr, Expr], list[Expr]]


def lower(k: Gradients) -> tuple[Buffer, ...]:
    workspace: tuple[Buffer, ...] = ()
    if k.s.name == "group_split":
        with samples(k) as n:
            workspace = _split(k, n)
    else:
        _resident(k)
    k.parameters()
    return (*k.workspace, *workspace)


def _resident(k: Gradients) -> None:
    b, p = k.b, k.p
    with b.parallel(("n", "g"), (k.batch, p.groups), serial=k.s.parallel_from == 0) as (n, g):
        high = b.let("high", b.load(k.means, n, g))
        _find_off(k, n, g, lambda c, unit: [*k.unit_sums(n, g, c, unit, high, None)])
        center = k.center(n, g)

        def part(c: Expr, unit: Expr) -> list[Expr]:
            return [*k.unit_sums(n, g, c, unit, center.high, k.affine(center, _channel(k, g, c)))]

        tilt, level = _merge(k, n, g, center, part)
        with b.loop("o", 0, p.outer) as o:
            _apply(k, n, o, g, center, (tilt, level), (ir.const(0), ir.const(p.chans)), (ir.const(0), ir.const(p.inner)), p.inner)
        if k.s.store == "streaming":
            b.fence()


def _split(k: Gradients, n: Expr | None) -> tuple[Buffer, ...]:
    slopes = Buffer("slopes", "f64", (k.batch, k.p.groups, 2), "workspace")
    partial = take_sums(k, slopes, n)
    apply_all(k, slopes, n)
    return partial, slopes


def take_sums(k: Gradients, slopes: Buffer, n: Expr | None) -> Buffer:
    """The phases up to the slopes, of sample n or of all; the partial sums' workspace."""
    b, p, runs = k.b, k.p, k.sums
    assert isinstance(runs, ChannelRuns)
    partial = Buffer("partial", "f64", (k.batch, p.groups, p.chans, runs.units, 2), "workspace")
    if k.off is not None:
        with items(k, n, g=p.groups, c=p.chans, unit=runs.units) as (sample, g, c, unit), b.when(k.is_far(k.distance(sample, g))):
            (total,) = k.unit_sums(sample, g, c, unit, b.let("high", b.load(k.means, sample, g)), None)
            b.store(partial, sample, g, c, unit, 0, value=total)
        with items(k, n, g=p.groups) as (sample, g):
            _find_off(k, sample, g, lambda c, unit: [b.load(partial, sample, g, c, unit, 0)])
    with items(k, n, g=p.groups, c=p.chans, unit=runs.units) as (sample, g, c, unit):
        center = k.center(sample, g)
        sums = k.unit_sums(sample, g, c, unit, center.high, k.affine(center, _channel(k, g, c)))
        for which, total in enumerate(sums):
            b.store(partial, sample, g, c, unit, which, value=total)
    with items(k, n, g=p.groups) as (sample, g):
        center = k.center(sample, g)
        found = _merge(k, sample, g, center, lambda c, unit: [b.load(partial, sample, g, c, unit, which) for which in range(2)])
        for which, value in enumerate(found):
            b.store(slopes, sample, g, which, value=value)
    return partial


def apply_all(k: Gradients, slopes: Buffer, n: Expr | None) -> None:
    """dx of sample n or of all."""
    b, p = k.b, k.p
    chan_step, inner_step = min(p.chans, max(1, k.s.piece // p.inner)), min(p.inner, k.s.piece)
    pieces = {"o": p.outer, "g": p.groups, "chan_piece": -(-p.chans // chan_step), "inner_piece": -(-p.inner // inner_step)}
    length = inner_step if inner_step % k.lanes else p.inner
    with items(k, n, **pieces) as (sample, o, g, chan_piece, inner_piece):
        chans, inner = k.cut("chan", chan_piece, chan_step, p.chans), k.cut("inner", inner_piece, inner_step, p.inner)
        center = k.center(sample, g)
        found = k.load_slopes(slopes, sample, g, center)
        both = (b.let("wide_tilt", found[0]), b.let("wide_level", found[1]))
        _apply(k, sample, o, g, center, both, chans, inner, length)
        if k.s.store == "streaming":
            b.fence()


def _channel(k: Gradients, g: Expr, c: Expr) -> Expr:
    return k.b.named("channel", ir.add(ir.mul(g, k.p.chans), c))


def _find_off(k: Gradients, n: Expr, g: Expr, part: Part) -> None:
    """Store what the mean of a group is off by."""
    b, p, runs = k.b, k.p, k.sums
    assert isinstance(runs, ChannelRuns)
    if k.off is None:
        return
    off = b.let("off_all", ir.const(0, F64))
    with b.when(k.is_far(k.distance(n, g))):
        with b.loop("c", 0, p.chans) as c:
            (total,) = k.add_units(runs.units, lambda unit: part(c, unit), ("off_channel",))
            b.assign(off, ir.add(off, total))
        b.assign(off, ir.div(off, ir.const(p.group, F64)))
    b.store(k.off, n, g, value=off)


def _merge(k: Gradients, n: Expr, g: Expr, center: Center, part: Part) -> tuple[Expr, Expr]:
    """Tilt and level of a group, from the sums of its channels."""
    b, runs = k.b, k.sums
    assert isinstance(runs, ChannelRuns)
    shared = [b.let(stem, ir.const(0, F64)) for stem in ("all_g", "all_gx")]
    with b.loop("c", 0, k.p.chans) as c:
        sums = k.add_units(runs.units, lambda unit: part(c, unit), ("channel_g", "channel_gd"))
        k.settle_channels(n, _channel(k, g, c), center, sums, shared)
    return k.tilt_and_level(center, shared)


def _apply(
    k: Gradients,
    n: Expr,
    o: Expr,
    g: Expr,
    center: Center,
    found: tuple[Expr, Expr],
    chans: tuple[Expr, Expr],
    inner: tuple[Expr, Expr],
    length: int,
) -> None:
    """dx of some channels of a group."""
    b, kind = k.b, k.p.kind
    tilt, level = (b.let(stem, ir.cast(value, kind)) for stem, value in zip(("tilt", "level"), found, strict=True))
    with b.loop("c", *chans) as c:
        scale, offset = k.affine(center, _channel(k, g, c))
        k.apply_channel(n, o, g, c, Slopes(center.high, scale, tilt, level, offset), inner, length)
