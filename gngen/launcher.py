"""From arrays to a running kernel: check them, lay them out, call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gngen import threads
from gngen.arrays import Array, as_numpy, dtype_of
from gngen.errors import LaunchError
from gngen.pool import outputs
from gngen.problem import Layout, Problem

Entry = Callable[[Sequence[Array], int, int], None]


@dataclass
class Launcher:
    """Calls one built kernel on arrays of one layout.

    workspace: float64 elements of each scratch array for one sample. copies: how often an input had to be copied, and why last.
    """

    problem: Problem
    layout: Layout
    entry: Entry
    workspace: tuple[int, ...]
    copies: int = 0
    copied: str = ""

    def __post_init__(self) -> None:
        p = self.problem
        self.dtype, self.param_dtype, self.stat_dtype = (dtype_of(kind) for kind in (p.data, p.parameters, p.kind))
        self.rest = self.layout.shape[1:]
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

    def __call__(self, x: Any, gamma: Any = None, beta: Any = None, out: Any = None) -> Any:
        """Normalise x; y, or the tuple of the outputs asked for at compile time, of x's kind of array."""
        xs, wrap = as_numpy(x)
        xs = self._input(xs)
        batch = xs.shape[0]
        parameters = [self._parameter("gamma", gamma, self.problem.scale), self._parameter("beta", beta, self.problem.center)]
        target, y = self._output(xs, out, parameters)
        stats = [np.empty((batch, self.problem.groups), self.stat_dtype) for _ in self.problem.outputs[1:]]
        if xs.size:
            scratch = [np.empty(batch * count) for count in self.workspace]
            arrays = [xs, *(p for p in parameters if p is not None), y, *stats, *scratch]
            self.entry(arrays, batch, threads.get_num_threads())
        else:
            for s in stats:
                s.fill(np.nan)
        if target is not None and target is not y:
            target[...] = y
        result = out if out is not None else wrap(y)
        return (result, *map(wrap, stats)) if stats else result

    def output_for(self, x: Any) -> Array | None:
        """An array for the answer to a numpy array that fits; None where the launcher has to look closer."""
        if type(x) is not np.ndarray or x.ndim != len(self.layout.shape) or x.shape[1:] != self.rest or self.problem.outputs != ("y",):
            return None
        return self._empty(x.shape[0])

    def _input(self, x: Array) -> Array:
        """x as the kernel reads it: its own memory, or a copy where that lies differently."""
        shape = self.layout.shape
        if x.ndim != len(shape) or x.shape[1:] != self.rest or (shape[0] is not None and x.shape[0] != shape[0]):
            raise LaunchError(f"x has shape {x.shape}; this kernel was compiled for {shape}")
        if x.dtype != self.dtype:
            if x.dtype.kind not in "iub":
                raise LaunchError(f"x is {x.dtype}; this kernel was compiled for {self.dtype}")
            return self._copy(x, f"x is {x.dtype} and is converted to {self.dtype}")
        if not self.lies_right(x):
            return self._copy(x, self.layout.copied or f"x has strides {x.strides}, which the kernel does not read")
        return x

    def lies_right(self, x: Array) -> bool:
        """Whether the kernel can read (or write) the array where it is."""
        for have, want in zip(x.strides, self.strides, strict=True):
            if want is not None and have != want:
                return False
        if x.shape[0] > 1 and x.strides[0] != self.sample_bytes:
            return x.size == 0
        return bool(x.flags.aligned and x.dtype.isnative)

    def _copy(self, x: Array, why: str) -> Array:
        self.copies += 1
        self.copied = why
        fresh = self._empty(x.shape[0])
        np.copyto(fresh, x, casting="unsafe")
        return fresh

    def _empty(self, batch: int) -> Array:
        """An uninitialised array in the kernel's memory order."""
        shape = (batch, *(n or 0 for n in self.rest))
        if self.c_order:
            return outputs.take(shape, self.dtype)
        order = self.layout.order
        return outputs.take(tuple(shape[a] for a in order), self.dtype).transpose(np.argsort(order))

    def _parameter(self, name: str, value: Any, used: bool) -> Array | None:
        if value is None:
            if used:
                raise LaunchError(f"{name} is missing; this kernel takes one of shape {self.layout.features}")
            return None
        if not used:
            raise LaunchError(
                f"{name} is given, and this kernel was compiled without: scale={self.problem.scale}, center={self.problem.center}"
            )
        array, _ = as_numpy(value, name)
        if array.shape != self.layout.features:
            raise LaunchError(f"{name} has shape {array.shape}; this kernel takes {self.layout.features}")
        if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
            raise LaunchError(f"{name} is {array.dtype}; this kernel takes {self.param_dtype}")
        return np.require(array, self.param_dtype, ["C", "A"])

    def _output(self, x: Array, out: Any, parameters: Sequence[Array | None]) -> tuple[Array | None, Array]:
        """The caller's array (or None), and the array that the kernel writes: the caller's own where that is safe."""
        if out is None:
            return None, self._empty(x.shape[0])
        target, _ = as_numpy(out, "out")
        if target.shape != x.shape or target.dtype != self.dtype:
            raise LaunchError(f"out is {target.dtype} of shape {target.shape}; this kernel writes {self.dtype} of shape {x.shape}")
        if not target.flags.writeable:
            raise LaunchError("out cannot be written; give a writable array")
        in_place = target.ctypes.data == x.ctypes.data
        others = parameters if in_place else (x, *parameters)
        safe = self.lies_right(target) and not any(o is not None and np.may_share_memory(target, o) for o in others)
        return target, target if safe else self._empty(x.shape[0])
