"""A group normalisation in stages, each a kernel of its own, for a sample whose elements are spread over processes.

    moments = compile(spec, shape, stage="moments")(x)                  # of the elements here
    stats = merge_moments(everybody's (count, moments), spec.epsilon)
    y = compile(spec, shape, stage="apply")(x, stats, gamma, beta)

    shares, dgamma, dbeta = compile(spec, shape, stage="sums", direction="backward")(dy, x, stats, gamma, beta)
    slopes = find_slopes(stats, sum of everybody's shares, sum of everybody's counts)
    dx = compile(spec, shape, stage="apply", direction="backward")(dy, x, stats, slopes, gamma, beta)

moments (mean, sum of squared differences from it), stats (mean, rstd), shares and slopes are float64 arrays of shape (N, groups, 2); a
count is how many elements of a group are here. Nothing here knows how they travel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from gngen.arrays import Array
from gngen.errors import LaunchError
from gngen.formulas import TINY_EPSILON
from gngen.kernel import Kernel
from gngen.launcher import Launcher


def merge_moments(parts: Iterable[tuple[int, Array]], epsilon: float) -> Array:
    """Mean and rstd of groups, from the count and the moments of each of their parts, by Chan's formula in the order given.

    delta = mean_b - mean;  mean += delta * n_b / n;  M2 += M2_b + delta^2 * n_a * n_b / n. Parts without elements are passed over; of
    nothing else, mean and rstd are 0.

    >>> merge_moments([(2, np.array([[[2.0, 2.0]]])), (2, np.array([[[5.0, 0.0]]]))], 0.0)
    array([[[3.5       , 0.60302269]]])
    """
    total, merged = 0, None
    with np.errstate(all="ignore"):
        for count, moments in parts:
            if merged is None or not total:
                total, merged = count, np.array(moments, np.float64)
                continue
            if not count:
                continue
            share = count / (total + count)
            delta = moments[..., 0] - merged[..., 0]
            merged[..., 0] += delta * share
            merged[..., 1] += delta * delta * (total * share) + moments[..., 1]
            total += count
        if merged is None:
            raise ValueError("moments of no part were given; a group has one at least")
        if not total:
            return np.zeros_like(merged)
        m2 = np.maximum(merged[..., 1], 0.0)
        spread = m2 / total + epsilon
        # of a constant group x - mean is 0, and so is y before beta: rstd may be no infinity there
        constant = (spread <= 0) | ((m2 <= 0) & (epsilon < TINY_EPSILON))
        merged[..., 1] = np.where(constant, 0.0, 1 / np.sqrt(spread))
    return merged


def find_slopes(stats: Array, shares: Array, count: int) -> Array:
    """Tilt and level of groups of `count` elements, from the sums of gamma * g and gamma * g * xhat over all of them.

    dx = g * rstd * gamma + (x - mean) * tilt + level:  tilt = -rstd^2 * sum(gamma g xhat) / n,  level = -rstd * sum(gamma g) / n.
    """
    rstd, whole = stats[..., 1], max(count, 1)
    with np.errstate(all="ignore"):
        return np.stack([-(rstd * rstd) * (shares[..., 1] / whole), -rstd * (shares[..., 0] / whole)], -1)


class StageLauncher(Launcher):
    """Calls one built stage on arrays of one layout."""

    def arrays(self, x: Any, dy: Any = None) -> tuple[list[Any], Any, Any]:
        """x, or dy and x, as the kernel reads them; x as given; and how an answer is given back in x's kind."""
        given, wrap = self._view(x, "x")
        xs = self._input(given)
        if dy is None:
            return [xs], given, wrap
        return [self._upstream(dy, xs.shape[0]), xs], given, wrap

    def pairs(self, name: str, value: Any, batch: int) -> Any:
        """An array of two numbers a group."""
        array, _ = self._view(value, name)
        shape = (batch, self.problem.groups, 2)
        if array.shape != shape or array.dtype != np.float64:
            raise LaunchError(f"{name} is {array.dtype} of shape {array.shape}; this kernel takes float64 of shape {shape}")
        return np.require(array, requirements=["C", "A"])

    def new_pairs(self, batch: int) -> Any:
        return np.zeros((batch, self.problem.groups, 2))

    def run(self, read: Sequence[Any], written: Sequence[Any]) -> None:
        """Run the kernel, unless there is nothing to do."""
        if read[0].size:
            self._run(read, written, read[0].shape[0])

    def write(self, out: Any, given: Any, wrap: Any, data: Sequence[Any], others: Sequence[Any]) -> Any:
        """Run a kernel that writes an array like x: out, or a new one."""
        target, written = self._output("out", out, given, data, others)
        self.run([*data, *others], [written])
        if target is not None and target is not written:
            self._put(target, written)
        return wrap(written) if out is None else out


class StageKernel(Kernel):
    """A compiled stage. Arrays are numpy's, or anything that speaks DLPack on the CPU; answers are of x's kind.

    Attributes: as of `Kernel`. A call raises LaunchError for arrays that do not fit; nothing was written then.
    """

    @cached_property
    def launcher(self) -> StageLauncher:
        """What checks the arrays and calls."""
        return StageLauncher(self.problem, self.layout, self._built.entry, self._built.workspace)


class MomentsKernel(StageKernel):
    """``moments = kernel(x)``"""

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        """Mean and sum of squared differences from it of each group of x: float64 of shape (N, groups, 2); of no elements, 0."""
        launcher = self.launcher
        (xs,), _, wrap = launcher.arrays(x)
        moments = launcher.new_pairs(xs.shape[0])
        launcher.run([xs], [moments])
        return wrap(moments)


class ApplyKernel(StageKernel):
    """``y = kernel(x, stats, gamma, beta, out=None)``"""

    def __call__(self, x: Any, stats: Any, gamma: Any = None, beta: Any = None, out: Any = None) -> Any:  # type: ignore[override]
        """y like x, from mean and rstd of each group: float64 of shape (N, groups, 2). gamma, beta and out are as of `Kernel`."""
        launcher = self.launcher
        data, given, wrap = launcher.arrays(x)
        return launcher.write(out, given, wrap, data, [launcher.pairs("stats", stats, data[0].shape[0]), *launcher.parameters(gamma, beta)])


class SharesKernel(StageKernel):
    """``shares, dgamma, dbeta = kernel(dy, x, stats, gamma, beta)``"""

    def __call__(self, dy: Any, x: Any, stats: Any, gamma: Any = None, beta: Any = None) -> tuple[Any, Any, Any]:  # type: ignore[override]
        """What the elements here add to the gradients.

        With z = xhat * gamma + beta and g = dy * act'(z): shares are each group's sums of gamma * g and of gamma * g * xhat, float64 of
        shape (N, groups, 2); dgamma and dbeta the sums of g * xhat and of g, float64 of the features' shape, None where the spec has
        no scale or no center. beta makes no difference without an activation.
        """
        launcher = self.launcher
        data, _, wrap = launcher.arrays(x, dy)
        batch = data[0].shape[0]
        others = [launcher.pairs("stats", stats, batch), *launcher.parameters(gamma, beta)]
        shares = launcher.new_pairs(batch)
        sums = [np.zeros(self.layout.features) if name in self.problem.outputs else None for name in ("dgamma", "dbeta")]
        launcher.run([*data, *others], [shares, *(s for s in sums if s is not None)])
        dgamma, dbeta = (None if s is None else wrap(s) for s in sums)
        return wrap(shares), dgamma, dbeta


class SlopesKernel(StageKernel):
    """``dx = kernel(dy, x, stats, slopes, gamma, beta, out=None)``"""

    def __call__(  # type: ignore[override]
        self, dy: Any, x: Any, stats: Any, slopes: Any, gamma: Any = None, beta: Any = None, out: Any = None
    ) -> Any:
        """dx like x, from each group's mean and rstd, and the slopes of `find_slopes`; out may be dy or x itself."""
        launcher = self.launcher
        data, given, wrap = launcher.arrays(x, dy)
        batch = data[0].shape[0]
        pairs = [launcher.pairs(name, value, batch) for name, value in (("stats", stats), ("slopes", slopes))]
        return launcher.write(out, given, wrap, data, [*pairs, *launcher.parameters(gamma, beta)])


# Of a direction and a stage.
STAGE_KERNELS: dict[tuple[str, str], type[StageKernel]] = {
    ("forward", "moments"): MomentsKernel,
    ("forward", "apply"): ApplyKernel,
    ("backward", "sums"): SharesKernel,
    ("backward", "apply"): SlopesKernel,
}
