"""The formulas that every machine's schedules share: the arrays of a kernel, elements in and out, statistics, the elementwise pass."""

from __future__ import annotations

from dataclasses import dataclass

from gngen import loopnest as ir
from gngen import vectormath
from gngen.builder import Builder
from gngen.loopnest import Buffer, Expr, Type, Var
from gngen.problem import Problem

LARGEST = {"f32": 3.4028234663852886e38, "f64": 1.7976931348623157e308}
# Below this, 1 / sqrt(epsilon) times a gamma may pass the largest float32.
TINY_EPSILON = 1e-30


@dataclass(frozen=True)
class Normalizer:
    """What the elementwise pass needs of one group: the mean as a pair of floats, and rstd, all scalars of the problem's kind."""

    high: Expr
    low: Expr | None
    rstd: Expr


class Formulas:
    """Writes into a builder; a formula is a method that adds its statements and returns the values that it leaves."""

    def __init__(self, p: Problem) -> None:
        self.p, self.b = p, Builder()
        self.batch = Var("batch", ir.I64)
        self.scalar = Type(p.kind)
        self.declare()
        for buffer in self.buffers:
            self.b.name(buffer.name)  # taken: in Python, a variable of an argument's name would be the argument

    def declare(self) -> None:
        """The arrays of the kernel."""
        p = self.p
        size = (self.batch, p.outer, p.groups, p.chans, p.inner)
        self.x = Buffer("x", p.data, size, "input")
        self.gamma = Buffer("gamma", p.parameters, (p.channels,), "input") if p.scale else None
        self.beta = Buffer("beta", p.parameters, (p.channels,), "input") if p.center else None
        self.residual = Buffer("residual", p.data, size, "input") if p.residual else None
        self.mask = Buffer("mask", p.kind, (self.batch, p.outer, p.inner), "input") if p.masked else None
        own = (self.batch, p.channels)
        self.own_scale = Buffer("own_scale", p.parameters, own, "input") if p.modulation else None
        self.own_shift = Buffer("own_shift", p.parameters, own, "input") if p.modulation else None
        self.y = Buffer("y", p.data, size, "output")
        self.summed = Buffer("summed", p.data, size, "output") if "sum" in p.outputs else None
        # what is normalised, once the moments have been taken
        self.settled = self.x if self.summed is None else self.summed
        stat = (self.batch, p.groups)
        self.mean = Buffer("mean", p.kind, stat, "output") if "mean" in p.outputs else None
        self.rstd = Buffer("rstd", p.kind, stat, "output") if "rstd" in p.outputs else None

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        inputs = (self.x, self.residual, self.mask, self.gamma, self.beta, self.own_scale, self.own_shift)
        return tuple(b for b in (*inputs, self.y, self.summed, self.mean, self.rstd) if b is not None)

    # Data in and out

    def fetch(self, x: Buffer, *index: Expr | int, lanes: int = 1, end: Expr | None = None, fill: Expr | None = None) -> Expr:
        """Elements of an input, in the kind that is computed in; past the `end`, `fill`, which the input's own kind need not hold.

        Those of x have the residual added, where there is one, and are rounded to x's kind.
        """
        kind = self.p.kind

        def load(buffer: Buffer, own_fill: Expr | None) -> Expr:
            return ir.cast(self.b.load(buffer, *index, lanes=lanes, end=end, fill=own_fill), kind)

        def whole(value: Expr) -> Expr:
            if self.residual is None or x.name != self.x.name:
                return value
            zeros = None if fill is None else ir.cast(ir.const(0, fill.type), x.kind)
            return ir.cast(ir.cast(ir.add(value, load(self.residual.view(*x.shape), zeros)), x.kind), kind)

        if x.kind == kind or fill is None:
            return whole(load(x, fill))
        zeros, ones = (load(x, ir.cast(ir.const(value, fill.type), x.kind)) for value in (0, 1))
        if isinstance(fill, ir.Const) and fill.value == 0:
            return whole(zeros)
        some = self.b.let("some", zeros)
        return ir.select(ir.compare("lt", some, ones), fill, whole(some))  # what was read is equal in both, or NaN

    def put(self, y: Buffer, *index: Expr | int, value: Expr, end: Expr | None = None, streaming: bool = False) -> None:
        """Elements of the output, from the kind that is computed in: the one time that a half is rounded."""
        self.b.store(y, *index, value=ir.cast(value, y.kind), end=end, streaming=streaming)

    def keep(self, x: Buffer, index: tuple[Expr, ...], value: Expr, end: Expr | None = None) -> Expr:
        """Store a fetched sum of x and the residual, where it is asked for; each element is fetched so once."""
        if self.summed is None:
            return value
        held = self.b.let("value", value)
        self.put(self.summed.view(*x.shape), *index, value=held, end=end)
        return held

    # Statistics

    def statistics(self, mean: Var, m2: Var, count: Expr, n: Expr, g: Expr, end: Expr | None = None) -> tuple[Expr, Expr]:
        """Mean and rstd of a group as float64, from its mean, sum of squared differences and count; stores those asked for.

        Or of a vector of groups from g on, up to `end` where one is given. A group of nothing but padding has mean 0 and rstd 0.
        """
        b = self.b
        zero, one = ir.const(0, mean.type), ir.const(1, mean.type)
        variance = ir.div(ir.maximum(m2, zero), count if self.mask is None else ir.maximum(count, one))
        spread = b.let("spread", ir.add(variance, ir.const(self.p.epsilon, mean.type)))
        rstd = b.let("rstd_all", ir.div(one, ir.unary("sqrt", spread)))
        if self.p.epsilon == 0:
            # a constant group: x - mean is 0, and so is y before beta
            b.assign(rstd, ir.select(ir.compare("le", spread, zero), zero, rstd))
        if self.mask is not None:
            b.assign(rstd, ir.select(ir.compare("le", count, zero), zero, rstd))
        self.store_statistics(mean, rstd, n, g, end)
        if 0 < self.p.epsilon < TINY_EPSILON:
            # a constant group again: rstd may be infinite in the elementwise pass, and 0 * infinity is no 0
            b.assign(rstd, ir.select(ir.compare("le", m2, zero), zero, rstd))
        return mean, rstd

    def store_statistics(self, mean: Expr, rstd: Expr, n: Expr, g: Expr, end: Expr | None = None) -> None:
        """Those of mean and rstd that are outputs."""
        for buffer, value in ((self.mean, mean), (self.rstd, rstd)):
            if buffer is not None:
                self.b.store(buffer, n, g, value=ir.cast(value, self.p.kind), end=end)

    # The elementwise pass

    def normalizer(self, mean: Expr, rstd: Expr) -> Normalizer:
        """The mean as a pair, so that (x - high) - low is exact where it matters."""
        b, kind = self.b, self.p.kind
        if kind == "f64":
            return Normalizer(mean, None, rstd)
        high = b.let("mean_high", ir.cast(mean, kind))
        low = b.let("mean_low", ir.cast(ir.sub(mean, ir.cast(high, "f64")), kind))
        return Normalizer(high, low, b.let("rstd_1", ir.cast(rstd, kind)))

    def affine(self, norm: Normalizer, n: Expr, channel: Expr, lanes: int, end: Expr | None = None) -> tuple[Expr, Expr | None]:
        """Scale and offset of one channel of sample n, or of `lanes` channels: y = (x - high) * scale + offset.

        scale = rstd * gamma * (1 + own_scale);  offset = beta * (1 + own_scale) + own_shift - low * scale.
        """
        b = self.b
        fill = None if end is None else ir.const(0, Type(self.p.kind, lanes))

        def parameter(buffer: Buffer, *lead: Expr) -> Expr:
            return self.fetch(buffer, *lead, channel, lanes=lanes, end=end, fill=fill)

        rstd = ir.splat(norm.rstd, lanes)
        scale = rstd if self.gamma is None else b.let("scale", ir.mul(rstd, parameter(self.gamma)))
        offset = None if self.beta is None else parameter(self.beta)
        if self.own_scale is not None and self.own_shift is not None:
            factor = b.let("factor", ir.add(ir.const(1, Type(self.p.kind, lanes)), parameter(self.own_scale, n)))
            scale, own = b.let("scale", ir.mul(scale, factor)), parameter(self.own_shift, n)
            offset = own if offset is None else b.let("offset", ir.fma(offset, factor, own))
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
