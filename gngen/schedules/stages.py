"""A direction in stages, for those who sum between them: a sample whose elements are spread over processes, each with its own kernels.

    moments:  x -> mean and M2 of the elements here
    apply:    x, stats (mean, rstd) -> y
    sums:     dy, x, stats -> the group's shares, sums of gamma * g and gamma * g * xhat over the elements here; dgamma, dbeta of them
    apply:    dy, x, stats, slopes (tilt, level) -> dx = g * scale + (x - mean) * tilt + level

They are the phases of group_split and rows, whose workspace the caller has in hand: float64, of shape (batch, groups, 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from gngen import loopnest as ir
from gngen.gradients import Center, Gradients
from gngen.gradientsums import Columns
from gngen.loopnest import Buffer, Expr, Var
from gngen.pieces import Pieces
from gngen.schedules import gradient_columns, gradient_runs, split


def lower(k: Pieces | Gradients) -> tuple[Buffer, ...]:
    match k:
        case MomentPieces():
            return (split.take_moments(k, k.moments, None),)
        case ApplyPieces():
            split.apply_all(k, k.stats, None)
            return ()
        case ShareGradients():
            partial = _phases(k).take_sums(k, k.shares, None)
            k.parameters()
            return (k.channel_sums, partial)
        case ApplyGradients():
            _phases(k).apply_all(k, k.slopes, None)
            return ()
    raise TypeError(f"{type(k).__name__} are the pieces of no stage")


def _phases(k: Gradients) -> ModuleType:
    return gradient_columns if isinstance(k.sums, Columns) else gradient_runs


class MomentPieces(Pieces):
    """x -> moments."""

    def declare(self) -> None:
        super().declare()
        self.moments = _pairs(self, "moments", "output")

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        return self.x, self.moments

    def statistics(self, mean: Var, m2: Var, count: Expr, n: Expr, g: Expr, end: Expr | None = None) -> tuple[Expr, Expr]:
        """Mean and M2 as they are: they have yet to be merged."""
        return mean, m2


class ApplyPieces(Pieces):
    """x, stats, gamma, beta -> y."""

    def declare(self) -> None:
        super().declare()
        self.stats = _pairs(self, "stats", "input")

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        return tuple(b for b in (self.x, self.stats, self.gamma, self.beta, self.y) if b is not None)


class _StageGradients(Gradients):
    """What both stages of the gradients have: the exact mean, which need not be found again."""

    def declare(self) -> None:
        super().declare()
        self.stats = _pairs(self, "stats", "input")
        self.off = None

    def center(self, n: Expr, g: Expr, settled: bool = True) -> Center:
        mean, rstd = (self.b.let(stem, self.b.load(self.stats, n, g, which)) for which, stem in enumerate(("mean_all", "rstd_all")))
        norm = self.normalizer(mean, rstd)
        return Center(norm.high, norm.low, norm.rstd)


class ShareGradients(_StageGradients):
    """dy, x, stats, gamma, beta -> shares, dgamma, dbeta."""

    def declare(self) -> None:
        super().declare()
        self.shares = _pairs(self, "shares", "output")
        # they are still added to others': not rounded yet
        self.dgamma, self.dbeta = (None if b is None else Buffer(b.name, "f64", b.shape, b.space) for b in (self.dgamma, self.dbeta))

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        every = (self.dy, self.x, self.stats, self.gamma, self.beta, self.shares, self.dgamma, self.dbeta)
        return tuple(b for b in every if b is not None)

    def tilt_and_level(self, c: Center, shared: Sequence[Expr]) -> tuple[Expr, Expr]:
        """The group's sums as they are: they have yet to be added to others'."""
        return shared[0], shared[1]


class ApplyGradients(_StageGradients):
    """dy, x, stats, slopes, gamma, beta -> dx."""

    def declare(self) -> None:
        super().declare()
        self.slopes = _pairs(self, "slopes", "input")

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        return tuple(b for b in (self.dy, self.x, self.stats, self.slopes, self.gamma, self.beta, self.dx) if b is not None)

    def load_slopes(self, slopes: Buffer, n: Expr, g: Expr, c: Center) -> tuple[Expr, Expr]:
        """The slopes about the mean, as about the part of it that is subtracted from x."""
        tilt, level = super().load_slopes(slopes, n, g, c)
        return tilt, level if c.low is None else ir.sub(level, ir.mul(ir.cast(c.low, "f64"), tilt))


def _pairs(k: Pieces | Gradients, name: str, space: str) -> Buffer:
    """Two numbers of every group."""
    return Buffer(name, "f64", (k.batch, k.p.groups, 2), space)


# Of a direction and a stage, what a schedule is put together from.
PIECES: dict[tuple[str, str], type[Pieces | Gradients]] = {
    ("forward", "moments"): MomentPieces,
    ("forward", "apply"): ApplyPieces,
    ("backward", "sums"): ShareGradients,
    ("backward", "apply"): ApplyGradients,
}
