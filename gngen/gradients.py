"""The pieces that every schedule of the backward pass is put together from.

With z = xhat * gamma + beta, g = dy * act'(z) and means over a group:

    dbeta = sum(g),  dgamma = sum(g * xhat),  dx = rstd * (gamma * g - mean(gamma * g) - xhat * mean(gamma * g * xhat))

The mean that a kernel is given is rounded; of a group that lies many standard deviations from 0, what it is off by is found again, as the
mean of x - mean, and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gngen import loopnest as ir
from gngen import vectormath
from gngen.gradientsums import ChannelRuns, gradient_sums
from gngen.loopnest import F64, Buffer, Expr, Type, Var
from gngen.problem import Problem
from gngen.schedule import Schedule
from gngen.sweeps import Sweeps

# Beyond so many standard deviations from 0, the rounding of the mean is found again: half a unit of its last place is 1e-6 of one.
FAR = 16.0

# Channels of an item of the last phase, the sums over the batch.
CHANNELS = 64


@dataclass(frozen=True)
class Center:
    """Of one group, scalars of the problem's kind: the mean as given, what it is off by (None: nothing), and rstd."""

    high: Expr
    low: Expr | None
    rstd: Expr


@dataclass(frozen=True)
class Slopes:
    """dx = g * scale + (x - high) * tilt + level; where there is an activation, z = (x - high) * scale + offset."""

    high: Expr
    scale: Expr
    tilt: Expr
    level: Expr
    offset: Expr | None


class Gradients(Sweeps):
    """Writes into a builder; a piece is a method that adds its statements and returns the values that it leaves."""

    def __init__(self, p: Problem, s: Schedule) -> None:
        super().__init__(p, s)
        self.sums = gradient_sums(p, s.lanes)

    def declare(self) -> None:
        p = self.p
        size, stat = (self.batch, p.outer, p.groups, p.chans, p.inner), (self.batch, p.groups)
        self.dy, self.x = Buffer("dy", p.data, size, "input"), Buffer("x", p.data, size, "input")
        self.means, self.rstds = Buffer("mean", p.kind, stat, "input"), Buffer("rstd", p.kind, stat, "input")
        self.gamma = Buffer("gamma", p.parameters, (p.channels,), "input") if p.scale else None
        self.beta = Buffer("beta", p.parameters, (p.channels,), "input") if p.center and p.activation else None
        self.dx = Buffer("dx", p.data, size, "output")
        self.dgamma = Buffer("dgamma", p.parameters, (p.channels,), "output") if p.scale else None
        self.dbeta = Buffer("dbeta", p.parameters, (p.channels,), "output") if p.center else None
        self.residual = self.summed = self.mask = self.mean = self.rstd = None
        # sums of g and of g * xhat of every channel of a sample
        self.channel_sums = Buffer("channel_sums", "f64", (self.batch, 2, p.channels), "workspace")
        # what the means are off by; of halves and f32
        self.off = Buffer("off", "f64", stat, "workspace") if p.kind == "f32" else None

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        every = (self.dy, self.x, self.means, self.rstds, self.gamma, self.beta, self.dx, self.dgamma, self.dbeta)
        return tuple(b for b in every if b is not None)

    @property
    def workspace(self) -> tuple[Buffer, ...]:
        return tuple(b for b in (self.channel_sums, self.off) if b is not None)

    # Centers

    def center(self, n: Expr, g: Expr, settled: bool = True) -> Center:
        """The center of a group; `settled`: whose `off` has been stored."""
        b = self.b
        low = None if self.off is None or not settled else b.let("low", ir.cast(b.load(self.off, n, g), self.p.kind))
        return Center(b.let("high", b.load(self.means, n, g)), low, b.let("rstd_1", b.load(self.rstds, n, g)))

    def distance(self, n: Expr, g: Expr) -> Expr:
        """How many standard deviations a group's mean is from 0."""
        return ir.mul(ir.unary("abs", self.b.load(self.means, n, g)), self.b.load(self.rstds, n, g))

    def is_far(self, distance: Expr) -> Expr:
        return ir.compare("gt", distance, ir.const(FAR, self.scalar))

    # Values

    def gradient(self, d: Expr, dy: Expr, scale: Expr, offset: Expr | None) -> Expr:
        """g = dy * act'(z), of d = x - high."""
        if self.p.activation is None:
            return dy
        z = ir.mul(d, scale) if offset is None else ir.fma(d, scale, offset)
        slope = vectormath.derivative(self.p.activation, z.type.kind, z.type.lanes)
        return self.b.let("g", ir.mul(dy, self.b.call(slope, z)))

    def affine(self, c: Center, channel: Expr, lanes: int = 1, end: Expr | None = None) -> tuple[Expr, Expr | None]:  # type: ignore[override]
        """Scale and offset of a channel, or of `lanes` channels: z = (x - high) * scale + offset; no offset without an activation."""
        fill = None if end is None else ir.const(0, Type(self.p.kind, lanes))
        rstd = ir.splat(c.rstd, lanes)
        gamma = None if self.gamma is None else self.fetch(self.gamma, channel, lanes=lanes, end=end, fill=fill)
        scale = rstd if gamma is None else self.b.let("scale", ir.mul(rstd, gamma))
        if self.p.activation is None:
            return scale, None
        beta = None if self.beta is None else self.fetch(self.beta, channel, lanes=lanes, end=end, fill=fill)
        if c.low is None:
            return scale, beta
        low = ir.splat(c.low, lanes)
        offset = ir.unary("neg", ir.mul(low, scale)) if beta is None else ir.fma(ir.unary("neg", low), scale, beta)
        return scale, self.b.let("offset", offset)

    def read(self, buffer: Buffer, *index: Expr | int, end: Expr | None = None) -> Expr:
        """A vector of dy or x; past the end, 0."""
        return self.fetch(buffer, *index, lanes=self.lanes, end=end, fill=None if end is None else ir.const(0, self.vector))

    # Sums of runs

    def unit_sums(self, n: Expr, g: Expr, c: Expr, unit: Expr, high: Expr, affine: tuple[Expr, Expr | None] | None) -> list[Var]:
        """Sums over one unit of a channel, as float64: of g and of g * (x - high); or, without `affine`, of x - high."""
        runs, b = self.sums, self.b
        assert isinstance(runs, ChannelRuns)
        stems = ("sum",) if affine is None else ("sum_g", "sum_gd")
        totals = [b.let(stem, ir.const(0, F64)) for stem in stems]
        run_unit = ir.div(unit, runs.width_units)
        first_run, last_run = self.cut("run", run_unit, runs.together, runs.runs)
        start, stop = self.cut("unit", ir.rem(unit, runs.width_units), runs.block * runs.blocks, runs.width)
        highs = b.named("highs", ir.splat(high, self.lanes))
        spread = [None if v is None else b.named("spread", ir.splat(v, self.lanes)) for v in affine or ()]
        many = max(1, min(self.s.accumulators, runs.block // self.lanes))

        def add(sums: list[Var], o: Expr, at: Expr, end: Expr | None = None) -> None:
            place = (n, o, g, c, at)
            x = self.fetch(self.x, *place, lanes=self.lanes, end=end, fill=None if end is None else highs)
            d = b.let("d", ir.sub(x, highs))
            if affine is None:
                b.assign(sums[0], ir.add(sums[0], d))
                return
            assert spread[0] is not None
            value = self.gradient(d, b.let("dys", self.read(self.dy, *place, end=end)), spread[0], spread[1])
            b.assign(sums[0], ir.add(sums[0], value))
            b.assign(sums[1], ir.fma(value, d, sums[1]))

        blocks = -(-min(runs.width, runs.block * runs.blocks) // runs.block)
        with b.loop("block", 0, blocks) as j:
            first = b.named("first", ir.add(start, ir.mul(j, runs.block)))
            last = stop if blocks == 1 else b.named("last", ir.minimum(ir.add(first, runs.block), stop))
            sums = [[b.let("s", ir.const(0, self.vector)) for _ in stems] for _ in range(many)]
            with b.loop("o", first_run, last_run) as o:
                with b.loop("i", first, last, many * self.lanes) as i:
                    self.interleave(self.lanes, add, [(own, o, ir.add(i, k * self.lanes)) for k, own in enumerate(sums)])
                if runs.width % (many * self.lanes) or runs.block % (many * self.lanes):
                    rest = b.named("rest", ir.main_end(first, last, many * self.lanes))
                    with b.loop("i", rest, last, self.lanes) as i:
                        add(sums[0], o, i)
                    if runs.width % self.lanes or runs.block % self.lanes:
                        tail = b.named("tail", ir.main_end(rest, last, self.lanes))
                        with b.when(ir.compare("lt", tail, last)):
                            add(sums[0], o, tail, last)
            for total, vectors, stem in zip(totals, zip(*sums, strict=True), stems, strict=True):
                b.assign(total, ir.add(total, self.lane_sum(list(vectors), f"{stem}_block")))
        return totals

    def add_units(self, units: int, part: Callable[[Expr], list[Expr]], stems: tuple[str, ...]) -> list[Expr]:
        """Sums over the units of a channel, in order."""
        b = self.b
        if units == 1:
            return part(ir.const(0))
        totals = [b.let(stem, ir.const(0, F64)) for stem in stems]
        with b.loop("unit", 0, units) as unit:
            for total, value in zip(totals, part(unit), strict=True):
                b.assign(total, ir.add(total, value))
        return list(totals)

    # From sums to slopes

    def settle_channels(self, n: Expr, channel: Expr, c: Center, sums: Sequence[Expr], shared: Sequence[Var]) -> None:
        """Keep the sums of g and of g * xhat of one channel or some, from those of g and g * (x - high); add to the group's two."""
        b = self.b
        s, sd = sums
        lanes = s.type.lanes
        if c.low is not None:
            sd = ir.sub(sd, ir.mul(ir.splat(ir.cast(c.low, "f64"), lanes), s))
        over = b.let("sum_gx", ir.mul(sd, ir.splat(ir.cast(c.rstd, "f64"), lanes)))
        gamma = None if self.gamma is None else b.let("weight", ir.cast(self.fetch(self.gamma, channel, lanes=lanes), "f64"))
        for which, (value, total) in enumerate(zip((s, over), shared, strict=True)):
            b.store(self.channel_sums, n, which, channel, value=value)
            b.assign(total, ir.add(total, value) if gamma is None else ir.fma(value, gamma, total))

    def tilt_and_level(self, c: Center, shared: Sequence[Expr]) -> tuple[Expr, Expr]:
        """What dx has of (x - high) and of 1, from the group's sums of gamma * g and gamma * g * xhat: float64."""
        b, count = self.b, ir.const(self.p.group, F64)
        rstd = b.let("wide_rstd", ir.cast(c.rstd, "f64"))
        tilt = b.let("wide_tilt", ir.unary("neg", ir.mul(ir.mul(rstd, rstd), ir.div(shared[1], count))))
        level = ir.unary("neg", ir.mul(rstd, ir.div(shared[0], count)))
        if c.low is not None:
            level = ir.sub(level, ir.mul(ir.cast(c.low, "f64"), tilt))
        return tilt, b.let("wide_level", level)

    def load_slopes(self, slopes: Buffer, n: Expr, g: Expr, c: Center) -> tuple[Expr, Expr]:
        """A group's tilt and level, as `tilt_and_level` found them."""
        return self.b.load(slopes, n, g, 0), self.b.load(slopes, n, g, 1)

    def slope(self, d: Expr, dy: Expr, s: Slopes) -> Expr:
        """dx."""
        return ir.fma(d, s.tilt, ir.fma(self.gradient(d, dy, s.scale, s.offset), s.scale, s.level))

    def apply_channel(self, n: Expr, o: Expr, g: Expr, channel: Expr, s: Slopes, inner: tuple[Expr, Expr], length: int) -> None:
        """dx of positions `inner` of one run of a channel of group g; the slopes are scalars."""
        b = self.b
        spread = {name: b.named(name + "s", ir.splat(value, self.lanes)) for name, value in vars(s).items() if value is not None}
        wide = Slopes(spread["high"], spread["scale"], spread["tilt"], spread["level"], spread.get("offset"))
        lead = (n, o, g, channel)

        def visit(i: Expr, end: Expr | None) -> Expr:
            d = b.let("d", ir.sub(self.read(self.x, *lead, i, end=end), wide.high))
            return self.slope(d, b.let("dys", self.read(self.dy, *lead, i, end=end)), wide)

        self.each_vector(self.dx, lead, *inner, length, visit, align=True, step=self.lanes, read=(self.x, self.dy))

    # The parameters' gradients

    def parameters(self) -> None:
        """The last phase: dgamma and dbeta, shared by all workers."""
        if self.dgamma is None and self.dbeta is None:
            return
        tiles = -(-self.p.channels // CHANNELS)
        with self.b.parallel(("tile",), (tiles,), serial=self.s.parallel_from == 0) as (tile,):
            self._sum_over_batch(*self.cut("channel", tile, CHANNELS, self.p.channels))

    def _sum_over_batch(self, start: Expr, stop: Expr) -> None:
        """dgamma and dbeta of some channels: their sums over the batch, in order."""
        b, lanes = self.b, self.wide_lanes
        outputs = [(which, buffer) for which, buffer in enumerate((self.dbeta, self.dgamma)) if buffer is not None]

        def add(at: Expr, lanes: int) -> None:
            totals = [b.let(f"d_{buffer.name}", ir.const(0, Type("f64", lanes))) for _, buffer in outputs]
            with b.loop("n", 0, self.batch) as n:
                for total, (which, _) in zip(totals, outputs, strict=True):
                    b.assign(total, ir.add(total, b.load(self.channel_sums, n, which, at, lanes=lanes)))
            for total, (_, buffer) in zip(totals, outputs, strict=True):
                b.store(buffer, at, value=self._rounded(total, buffer.kind))

        with b.loop("c", start, stop, lanes) as c:
            add(c, lanes)
        if self.p.channels % lanes:
            with b.loop("c", ir.main_end(start, stop, lanes), stop) as c:
                add(c, 1)

    def _rounded(self, value: Expr, kind: str) -> Expr:
        """A float64 as a parameter's kind; as a half, by way of f32."""
        if kind == "f64":
            return value
        return ir.cast(ir.cast(value, self.p.kind), kind)
