"""Check a loaded bundle's kernel against the float64 definition, and time it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from gngen import reference
from gngen.arrays import Array, dtype_of
from gngen.bundle.load import LoadedKernel
from gngen.compare.accuracy import error_limit, evaluate
from gngen.spec import GroupNormSpec

# Groups that are compared, the first and the last among them; and how long a kernel is timed, in seconds.
_GROUPS, _SECONDS = 4, 0.05


@dataclass(frozen=True)
class Check:
    """share: the largest error as a share of what the contract allows. seconds: of one call, the least of several."""

    share: float
    seconds: float


def check_kernel(kernel: LoadedKernel, batch: int = 2) -> Check:
    """Run a kernel on random arrays, a few of whose groups are compared."""
    rng = np.random.default_rng(0)
    shape = (batch, *(int(n or 0) for n in kernel.layout.shape[1:]))
    arrays = _random_arrays(kernel, shape, rng)
    outputs = kernel(**arrays)
    y = outputs[0] if isinstance(outputs, tuple) else outputs
    best, end = float("inf"), time.perf_counter() + _SECONDS
    while best == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        kernel(**arrays, out=y)
        best = min(best, time.perf_counter() - start)
    return Check(_share(kernel, y, arrays), best)


def _random_arrays(kernel: LoadedKernel, shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, Any]:
    p, layout = kernel.problem, kernel.layout
    data, parameters = dtype_of(p.data), dtype_of(p.parameters)

    def like_x() -> Array:
        lying = rng.standard_normal([shape[a] for a in layout.order], np.float32).astype(data)
        return lying.transpose(np.argsort(layout.order))

    arrays: dict[str, Any] = {"x": like_x()}
    if p.scale:
        arrays["gamma"] = (1 + rng.standard_normal(layout.features) / 4).astype(parameters)
    if p.center:
        arrays["beta"] = rng.standard_normal(layout.features).astype(parameters)
    if p.residual:
        arrays["residual"] = like_x()
    if p.modulation:
        own = (shape[0], *layout.features)
        arrays["modulation"] = tuple((rng.standard_normal(own) / 4).astype(parameters) for _ in range(2))
    if p.masked:
        arrays["mask"] = rng.random([shape[0], *(shape[a] for a in range(1, len(shape)) if a not in layout.axes)]) < 0.8
    return arrays


def _share(kernel: LoadedKernel, y: Array, arrays: dict[str, Any]) -> float:
    """The largest error of a few groups, in units of what is allowed: as the contract counts it."""
    p, batch = kernel.problem, y.shape[0]
    chosen = sorted({round(k * (p.groups - 1) / max(1, _GROUPS - 1)) for k in range(_GROUPS)})
    part = GroupNormSpec(len(chosen), 2, kernel.spec.epsilon, p.center, p.scale, p.activation, p.residual, p.modulation, p.masked)

    def groups(array: Array) -> Array:
        taken = reference.flat(array).reshape(batch, p.outer, p.groups, p.chans, p.inner)[:, :, chosen]
        return taken.reshape(batch, p.outer, len(chosen) * p.chans, p.inner)

    def features(array: Array | None) -> Array | None:
        return None if array is None else array.reshape(-1, p.groups, p.chans)[:, chosen].reshape(-1, len(chosen) * p.chans)

    gamma, beta = (None if a is None else a[0] for a in (features(arrays.get("gamma")), features(arrays.get("beta"))))
    residual, mask = arrays.get("residual"), _mask(kernel, arrays.get("mask"))
    own: Any = tuple(features(a) for a in arrays["modulation"]) if p.modulation else None
    right = evaluate(
        groups(arrays["x"]), gamma, beta, part, residual=None if residual is None else groups(residual), modulation=own, mask=mask
    )
    return right.error(groups(y)) / error_limit(y.dtype.name)


def _mask(kernel: LoadedKernel, mask: Array | None) -> Array | None:
    """A mask as the kernel's sizes have it: (batch, outer, inner)."""
    if mask is None:
        return None
    positions = kernel.launcher.positions
    logical = sorted(positions)
    lying = mask.transpose(0, *(logical.index(a) + 1 for a in positions))
    return lying.reshape(mask.shape[0], kernel.problem.outer, kernel.problem.inner)
