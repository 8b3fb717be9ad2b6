"""From arrays to a running kernel: check them, lay them out, call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gngen import threads
from gngen.arrays import Wrap, as_numpy, dtype_of
from gngen.errors import LaunchError
from gngen.pool import outputs
from gngen.problem import Layout, Problem


@dataclass
class Launcher:
    """Calls one built kernel on arrays of one layout.

    workspace: float64 elements of each scratch array for one sample. copies: how often an input had to be copied, and why last.
    An array is numpy's here; what is otherwise for arrays on a GPU is in `GpuLauncher`.
    """

    problem: Problem
    layout: Layout
    entry: Any
    workspace: tuple[int, ...]
    copies: int = 0
    copied: str = ""

    def __post_init__(self) -> None:
        p = self.problem
        self.dtype, self.param_dtype, self.stat_dtype = (dtype_of(kind) for kind in (p.data, p.parameters, p.kind))
        self.bool_dtype = np.dtype(bool)
        self.rest = self.layout.shape[1:]
        # the axes that are neither batch nor features, from the outermost in memory
        self.positions = tuple(a for a in self.layout.order if a not in (0, *self.layout.axes))
        self.strides = self._strides()
        self.c_order = self.layout.order == tuple(range(len(self.layout.shape)))

    def _strides(self) -> tuple[int | None, ...]:
        """The strides in bytes that the kernel reads, by axis; None for an axis of one element, and for the batch."""
        strides: list[int | None] = [None] * len(self.layout.shape)
        step = self.dtype.itemsize
        for axis in reversed(self.layout.order):
            size = self.layout.shape[axis]
            if axis != 0 and size != 1:
                strides[axis] = step
            step *= size or 1
        return tuple(strides)

    @property
    def sample_bytes(self) -> int:
        return self.problem.sample_bytes

    def __call__(
        self,
        x: Any,
        gamma: Any = None,
        beta: Any = None,
        out: Any = None,
        residual: Any = None,
        modulation: Any = None,
        mask: Any = None,
        sum_out: Any = None,
    ) -> Any:
        """Normalise x; y, or the tuple of the outputs asked for at compile time, of x's kind of array."""
        given, wrap = self._view(x, "x")
        xs = self._input(given)
        batch, p = xs.shape[0], self.problem
        data = [xs, *self._residual(residual, batch)]
        others = [
            *self._mask(mask, batch),
            *self._parameter("gamma", gamma, p.scale),
            *self._parameter("beta", beta, p.center),
            *self._modulation(modulation, batch),
        ]
        results = [self._output("out", out, given, data, others)]
        if "sum" in p.outputs:
            results.append(self._output("sum_out", sum_out, given, data, others))
        elif sum_out is not None:
            raise LaunchError(f"sum_out is given, and this kernel was compiled without the output sum: outputs={p.outputs}")
        self._check_apart(results)
        stats = [self._new_statistic(batch, given) for name in p.outputs if name in ("mean", "rstd")]
        if xs.size:
            self._run([*data, *others], [*(written for _, written in results), *stats], batch)
        else:
            for s in stats:
                self._spoil(s)
        answers = []
        for own, (target, written) in zip((out, sum_out), results, strict=False):
            if target is not None and target is not written:
                self._put(target, written)
            answers.append(wrap(written) if own is None else own)
        answers += map(wrap, stats)
        return tuple(answers) if len(p.outputs) > 1 else answers[0]

    @property
    def notes(self) -> list[str]:
        """What became of the arrays so far, as lines of `explain`."""
        return [f"copies    {self.copies} calls copied their input; the last because {self.copied}"] if self.copies else []

    def output_for(self, x: Any) -> Any:
        """An array for the answer to a numpy array that fits; None where the launcher has to look closer."""
        if type(x) is not np.ndarray or x.ndim != len(self.layout.shape) or x.shape[1:] != self.rest or self.problem.outputs != ("y",):
            return None
        return self._empty(x.shape[0], x)

    def _input(self, x: Any, name: str = "x") -> Any:
        """x as the kernel reads it: its own memory, or a copy where that lies differently."""
        shape = self.layout.shape
        if x.ndim != len(shape) or x.shape[1:] != self.rest or (shape[0] is not None and x.shape[0] != shape[0]):
            raise LaunchError(f"{name} has shape {x.shape}; this kernel was compiled for {shape}")
        if x.dtype != self.dtype:
            if x.dtype.kind not in "iub":
                raise LaunchError(f"{name} is {x.dtype}; this kernel was compiled for {self.dtype}")
            return self._copy(x, f"{name} is {x.dtype} and is converted to {self.dtype}")
        if not self.lies_right(x):
            return self._copy(x, self.layout.copied or f"{name} has strides {x.strides}, which the kernel does not read")
        return x

    def _upstream(self, dy: Any, batch: int) -> Any:
        """dy as a backward kernel reads it."""
        array = self._input(self._view(dy, "dy")[0], "dy")
        if array.shape[0] != batch:
            raise LaunchError(f"dy has shape {array.shape}; x has a batch of {batch}")
        return array

    def parameters(self, gamma: Any, beta: Any) -> list[Any]:
        """gamma and beta, where they make a difference: a beta that makes none may be given all the same."""
        p = self.problem
        shifts = p.center and (p.direction == "forward" or p.activation is not None)
        return [*self._parameter("gamma", gamma, p.scale), *self._parameter("beta", beta if shifts or not p.center else None, shifts)]

    def _residual(self, value: Any, batch: int) -> list[Any]:
        if not self._wanted("residual", value, self.problem.residual, self.layout.shape):
            return []
        array = self._input(self._view(value, "residual")[0], "residual")
        if array.shape[0] != batch:
            raise LaunchError(f"residual has shape {array.shape}; x has a batch of {batch}")
        return [array]

    def _modulation(self, value: Any, batch: int) -> list[Any]:
        """The scale and the shift of every sample and feature, dense."""
        shape = (batch, *self.layout.features)
        if not self._wanted("modulation", value, self.problem.modulation, shape, "a pair (scale, shift) of arrays"):
            return []
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise LaunchError(f"modulation is a {type(value).__name__}; this kernel takes a pair (scale, shift) of arrays of shape {shape}")
        return [self._converted(f"modulation's {name}", array, shape) for name, array in zip(("scale", "shift"), value, strict=True)]

    def _mask(self, value: Any, batch: int) -> list[Any]:
        """1 where a position counts and 0 where not, in the kernel's memory order: one element for all the channels of a position."""
        logical = sorted(self.positions)
        shape = (batch, *(self.rest[a - 1] for a in logical))
        if not self._wanted("mask", value, self.problem.masked, shape):
            return []
        array, _ = self._view(value, "mask")
        if array.shape != shape:
            raise LaunchError(f"mask has shape {array.shape}; this kernel takes {shape}: the batch and the positions, without the features")
        if array.dtype.kind not in "biu":
            raise LaunchError(f"mask is {array.dtype}; this kernel takes bool: True where a position counts")
        return [self._counts(array, (0, *(logical.index(a) + 1 for a in self.positions)))]

    def _wanted(self, name: str, value: Any, used: bool, shape: tuple[int | None, ...], what: str = "one") -> bool:
        """Whether a fused form's array is there; complains where it is and should not be, or the other way round."""
        if used == (value is not None):
            return used
        if used:
            raise LaunchError(f"{name} is missing; this kernel takes {what} of shape {shape}")
        flag = "masked" if name == "mask" else name
        raise LaunchError(f"{name} is given, and this kernel was compiled without: {flag}=False")

    def _parameter(self, name: str, value: Any, used: bool) -> list[Any]:
        if value is None:
            if used:
                raise LaunchError(f"{name} is missing; this kernel takes one of shape {self.layout.features}")
            return []
        if not used:
            raise LaunchError(
                f"{name} is given, and this kernel was compiled without: scale={self.problem.scale}, center={self.problem.center}"
            )
        return [self._converted(name, value, self.layout.features)]

    def _converted(self, name: str, value: Any, shape: tuple[int, ...]) -> Any:
        """A small array as the kernel reads it: dense, of its type."""
        array, _ = self._view(value, name)
        if array.shape != shape:
            raise LaunchError(f"{name} has shape {array.shape}; this kernel takes {shape}")
        if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
            raise LaunchError(f"{name} is {array.dtype}; this kernel takes {self.param_dtype}")
        return self._dense(array, name)

    def _output(self, name: str, out: Any, like: Any, data: Sequence[Any], others: Sequence[Any]) -> tuple[Any, Any]:
        """The caller's array (or None), and the array that the kernel writes: the caller's own where that is safe.

        It is where out is exactly x or the residual: each element is read before it is written, and by the same worker.
        """
        shape = data[0].shape
        if out is None:
            return None, self._empty(shape[0], like)
        target, _ = self._view(out, name)
        if target.shape != shape or target.dtype != self.dtype:
            raise LaunchError(f"{name} is {target.dtype} of shape {target.shape}; this kernel writes {self.dtype} of shape {shape}")
        if not self._writeable(target):
            raise LaunchError(f"{name} cannot be written; give a writable array")
        read = (*others, *(d for d in data if not self._same_place(d, target)))
        safe = self.lies_right(target) and not any(self._share(target, r) for r in read)
        return target, target if safe else self._empty(shape[0], target)

    def _check_apart(self, results: Sequence[tuple[Any, Any]]) -> None:
        """Two outputs are two arrays."""
        given = [target for target, _ in results if target is not None]
        if len(given) == 2 and self._share(given[0], given[1]):
            raise LaunchError("out and sum_out share memory; give each an array of its own (one may be x, the other the residual)")

    # What is known of one kind of array: numpy's.

    def _view(self, value: Any, name: str) -> tuple[Any, Wrap]:
        """What a caller gave as an array, and how an answer is given back in kind."""
        return as_numpy(value, name)

    def lies_right(self, x: Any) -> bool:
        """Whether the kernel can read (or write) the array where it is."""
        for have, want in zip(x.strides, self.strides, strict=True):
            if want is not None and have != want:
                return False
        if x.shape[0] > 1 and x.strides[0] != self.sample_bytes:
            return bool(x.size == 0)
        return bool(x.flags.aligned and x.dtype.isnative)

    def _copy(self, x: Any, why: str) -> Any:
        self.copies += 1
        self.copied = why
        fresh = self._empty(x.shape[0], x)
        np.copyto(fresh, x, casting="unsafe")
        return fresh

    def _empty(self, batch: int, like: Any) -> Any:
        """An uninitialised array of the kind of another, in the kernel's memory order."""
        shape = (batch, *(n or 0 for n in self.rest))
        if self.c_order:
            return outputs.take(shape, self.dtype)
        order = self.layout.order
        return outputs.take(tuple(shape[a] for a in order), self.dtype).transpose(np.argsort(order))

    def _new_statistic(self, batch: int, like: Any) -> Any:
        """An uninitialised mean or rstd."""
        return np.empty((batch, self.problem.groups), self.stat_dtype)

    def _dense(self, array: Any, name: str) -> Any:
        """A parameter as the kernel reads it."""
        return np.require(array, self.param_dtype, ["C", "A"])

    def _counts(self, mask: Any, axes: tuple[int, ...]) -> Any:
        """A mask as numbers, its axes in the order of memory."""
        return np.ascontiguousarray(np.not_equal(mask, 0).transpose(axes), self.stat_dtype)

    def _writeable(self, array: Any) -> bool:
        return bool(array.flags.writeable)

    def _same_place(self, one: Any, other: Any) -> bool:
        """Whether two arrays begin at one place."""
        return bool(one.ctypes.data == other.ctypes.data)

    def _share(self, one: Any, other: Any) -> bool:
        """Whether two arrays may have memory in common."""
        return bool(np.may_share_memory(one, other))

    def _run(self, inputs: Sequence[Any], outputs: Sequence[Any], batch: int) -> None:
        scratch = [np.empty(batch * count) for count in self.workspace]
        self.entry([*inputs, *outputs, *scratch], batch, threads.get_num_threads())

    def _spoil(self, statistic: Any) -> None:
        """What has no elements has no mean."""
        statistic.fill(np.nan)

    def _put(self, target: Any, written: Any) -> None:
        target[...] = written
