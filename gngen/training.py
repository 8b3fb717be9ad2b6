"""What a layer's call in training keeps for its backward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gngen.arrays import Array, Wrap, as_numpy
from gngen.errors import LaunchError

if TYPE_CHECKING:
    from gngen.backward import BackwardKernel

# The outputs of the forward kernel in training.
STATISTICS = ("y", "mean", "rstd")


@dataclass(frozen=True)
class Kept:
    """One call: x as its kernel read it, mean and rstd of shape (N, groups), and copies of the weights as they were.

    dtype: that of dx. wrap: makes an array of the caller's kind.
    """

    kernel: BackwardKernel
    x: Array
    mean: Array
    rstd: Array
    gamma: Array | None
    beta: Array | None
    dtype: np.dtype[Any]
    wrap: Wrap

    def backward(self, dy: Any) -> tuple[Any, dict[str, Array]]:
        """dx as the caller's kind of array, and the gradients by weight, of ``sum(dy * y)``. LaunchError for a dy that does not fit."""
        upstream, _ = as_numpy(dy, "dy")
        if upstream.dtype.kind not in "biuf" and upstream.dtype.name != "bfloat16":
            raise LaunchError(f"dy is {upstream.dtype}; it must be real numbers, as y is")
        cast = upstream.astype(self.x.dtype, copy=False)
        dx, dgamma, dbeta = self.kernel(cast, self.x, self.mean, self.rstd, self.gamma, self.beta)
        sums = {name: value for name, value in (("gamma", dgamma), ("beta", dbeta)) if value is not None}
        return self.wrap(dx.astype(self.dtype, copy=False)), sums
