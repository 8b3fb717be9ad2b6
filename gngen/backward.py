"""The backward pass called with arrays: a compiled kernel of the gradients, and what checks its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from gngen import threads
from gngen.errors import LaunchError
from gngen.kernel import Kernel
from gngen.launcher import Launcher
from gngen.pool import outputs


class BackwardKernel(Kernel):
    """The compiled gradients of a group normalisation. Call it: ``dx, dgamma, dbeta = kernel(dy, x, mean, rstd, gamma)``.

    Attributes: as of `Kernel`.
    """

    def __call__(  # type: ignore[override]
        self, dy: Any, x: Any, mean: Any, rstd: Any, gamma: Any = None, beta: Any = None, out: Any = None
    ) -> tuple[Any, Any, Any]:
        """The gradients of ``sum(dy * y)``.

        Args:
            dy, x: arrays of the compiled shape and dtype, numpy's or anything that speaks DLPack on the CPU. Of a spec with residual, x is
                x + residual, the forward kernel's output sum, and dx the gradient of both.
            mean, rstd: of shape (N, groups), as the forward kernel gives them for x where those outputs are asked for.
            gamma: an array of the features' shape, where the spec has scale.
            beta: the same, where the spec has an activation and center; elsewhere it makes no difference.
            out: an array for dx, which may be dy or x itself.

        Returns:
            dx like x; dgamma and dbeta of the features' shape, None where the spec has no scale or no center.

        Raises:
            LaunchError: arrays that do not fit; nothing was written.
        """
        launcher = self.launcher
        if out is None:
            out = launcher.output_for(x)
        found: tuple[Any, Any, Any] = self._call(dy, x, mean, rstd, gamma, beta, out, launcher.new_sum("dgamma"), launcher.new_sum("dbeta"))
        return found

    @cached_property
    def launcher(self) -> BackwardLauncher:
        """What checks the arrays and calls."""
        return BackwardLauncher(self.problem, self.layout, self._built.entry, self._built.workspace)


class BackwardLauncher(Launcher):
    """Calls one built backward kernel on arrays of one layout."""

    def __call__(  # type: ignore[override]
        self, dy: Any, x: Any, mean: Any, rstd: Any, gamma: Any, beta: Any, out: Any, dgamma: Any, dbeta: Any
    ) -> tuple[Any, Any, Any]:
        """The gradients; dgamma and dbeta are written where they are not None."""
        given, wrap = self._view(x, "x")
        xs = self._input(given)
        batch = xs.shape[0]
        ups = self._upstream(dy, batch)
        others = [self._statistic("mean", mean, batch), self._statistic("rstd", rstd, batch), *self.parameters(gamma, beta)]
        target, dx = self._output("out", out, given, [ups, xs], others)
        sums = [s for s in (dgamma, dbeta) if s is not None]
        if xs.size:
            self._run([ups, xs, *others], [dx, *sums], batch)
        else:
            for s in sums:
                s.fill(0)
        if target is not None and target is not dx:
            self._put(target, dx)
        return (wrap(dx) if out is None else out, *(None if s is None else wrap(s) for s in (dgamma, dbeta)))

    def new_sum(self, name: str) -> Any:
        """An uninitialised dgamma or dbeta, or None where the spec has none."""
        return np.empty(self.layout.features, self.param_dtype) if name in self.problem.outputs else None

    def output_for(self, x: Any) -> Any:
        """An array for dx, of a numpy x that fits; None where the launcher has to look closer."""
        if type(x) is not np.ndarray or x.ndim != len(self.layout.shape) or x.shape[1:] != self.rest:
            return None
        return self._empty(x.shape[0], x)

    def _statistic(self, name: str, value: Any, batch: int) -> Any:
        array, _ = self._view(value, name)
        shape = (batch, self.problem.groups)
        if array.shape != shape or array.dtype.kind != "f":
            raise LaunchError(f"{name} is {array.dtype} of shape {array.shape}; this kernel takes {self.stat_dtype} of shape {shape}")
        return np.require(array, self.stat_dtype, ["C", "A"])

    def _run(self, inputs: Sequence[Any], written: Sequence[Any], batch: int) -> None:
        scratch = [outputs.take((batch * count,), np.dtype(np.float64)) for count in self.workspace]
        self.entry([*inputs, *written, *scratch], batch, threads.get_num_threads())
