"""The sides of a comparison: what each calls for a case, and how its answer reads in memory order."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from suite import DTYPES, EPSILON, Case

import gngen

THREADS = "BENCH_THREADS"
COPY_LIBRARY = "BENCH_COPY_LIBRARY"


@dataclass(frozen=True)
class Data:
    """Input, gamma and beta of a case, as its layout and dtype have them; of bwd, dy too."""

    x: Any
    gamma: Any
    beta: Any
    dy: Any = None


@dataclass(frozen=True)
class Side:
    """calls: ways to do the work, of which the fastest counts. answer: what a call gave, as numpy in memory order; None to ask for none."""

    calls: tuple[Callable[[], object], ...]
    answer: Callable[[], Any] | None = None


def make_data(case: Case) -> Data:
    """N(0.5, 1), from a fixed seed."""
    import ml_dtypes  # noqa: F401  (names bfloat16 for numpy)

    rng, dtype = np.random.default_rng(7), np.dtype(DTYPES[case.dtype])
    x = rng.standard_normal(case.shape, np.float32) + np.float32(0.5)
    if case.layout == "nhwc":
        x = np.moveaxis(x, 1, -1)
    channels = case.shape[1]
    gamma, beta = rng.standard_normal(channels, np.float32) * 0.2 + 1, rng.standard_normal(channels, np.float32) * 0.2
    dy = rng.standard_normal(x.shape, np.float32).astype(dtype) if case.op == "bwd" else None
    return Data(np.ascontiguousarray(x, dtype), gamma.astype(dtype), beta.astype(dtype), dy)


def spec_of(case: Case) -> gngen.GroupNormSpec:
    return gngen.GroupNormSpec(case.groups, case.axis, EPSILON, activation="silu" if case.op == "silu" else None)


def make_side(peer: str, case: Case, data: Data) -> Side:
    """The side of a peer: ``copy``, ``torch``, or a target of gngen's."""
    if peer == "copy":
        return _copy(data)
    if peer == "torch":
        return _torch(case, data)
    return _gngen(peer, case, data)


def _copy(data: Data) -> Side:
    """The same bytes, read once and written once, by plain stores or past the caches."""
    copy = ctypes.CDLL(str(Path(os.environ[COPY_LIBRARY]))).copy
    copy.argtypes, copy.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int), None
    size = data.x.nbytes
    room = np.zeros(size + 64, np.uint8)
    y = room[-room.ctypes.data % 64 :][:size]
    x_at, y_at = data.x.ctypes.data, y.ctypes.data
    return Side((lambda: copy(x_at, y_at, size, 0), lambda: copy(x_at, y_at, size, 1)), lambda: y.view(data.x.dtype).reshape(data.x.shape))


def _gngen(target: str, case: Case, data: Data) -> Side:
    gngen.set_num_threads(int(os.environ[THREADS]))
    if case.op == "bwd":
        return _gngen_backward(target, case, data)
    kernel = gngen.compile(spec_of(case), data.x.shape, data.x.dtype.name, target)
    out = np.empty_like(data.x)
    return Side((lambda: kernel(data.x, data.gamma, data.beta, out),), lambda: out)


def _gngen_backward(target: str, case: Case, data: Data) -> Side:
    spec, shape, dtype = spec_of(case), data.x.shape, data.x.dtype.name
    _, mean, rstd = gngen.compile(spec, shape, dtype, target, ("y", "mean", "rstd"))(data.x, data.gamma, data.beta)
    kernel = gngen.compile(spec, shape, dtype, target, direction="backward")
    out = np.empty_like(data.x)
    return Side((lambda: kernel(data.dy, data.x, mean, rstd, data.gamma, None, out),), lambda: out)


def _torch(case: Case, data: Data) -> Side:
    """PyTorch's group norm (and activation) on the same memory, channels at axis 1 as it wants them."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(int(os.environ[THREADS]))
    x, gamma, beta = map(as_torch, (data.x, data.gamma, data.beta))
    if case.layout == "nhwc":
        x = x.movedim(-1, 1)
    groups = case.shape[1] if case.groups == -1 else case.groups

    if case.op == "bwd":
        return _torch_backward(groups, x, gamma, beta, as_torch(data.dy).movedim(-1, 1) if case.layout == "nhwc" else as_torch(data.dy))

    @torch.inference_mode()
    def call() -> Any:
        y = functional.group_norm(x, groups, gamma, beta, EPSILON)
        return functional.silu(y) if case.op == "silu" else y

    def answer() -> Any:
        y = call()
        return from_torch(y.movedim(1, -1) if case.layout == "nhwc" else y)

    return Side((call,), answer)


def _torch_backward(groups: int, x: Any, gamma: Any, beta: Any, dy: Any) -> Side:
    """PyTorch's own kernel of the gradients, without autograd around it."""
    import torch

    sizes = (x.shape[0], x.shape[1], x[0, 0].numel(), groups)
    _, mean, rstd = torch.native_group_norm(x, gamma, beta, *sizes, EPSILON)
    return Side((lambda: torch.ops.aten.native_group_norm_backward(dy, x, mean, rstd, gamma, *sizes, [True] * 3),), None)


def as_torch(a: Any) -> Any:
    """A tensor on an array's memory."""
    import torch

    return torch.from_numpy(a.view(np.int16)).view(torch.bfloat16) if a.dtype.name == "bfloat16" else torch.from_numpy(a)


def from_torch(y: Any) -> Any:
    """An array of a tensor's values."""
    import ml_dtypes
    import torch

    y = y.contiguous()
    return y.view(torch.int16).numpy().view(ml_dtypes.bfloat16) if y.dtype == torch.bfloat16 else y.numpy()
