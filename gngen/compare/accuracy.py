"""The error of a result against the float64 oracle, in the units of the numerics contract."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gngen import reference
from gngen.errors import SpecError
from gngen.spec import GroupNormSpec, resolve_axes

LIMITS = {"float32": 4e-6, "float64": 1e-13, "float16": 1.0, "bfloat16": 1.0}
# Bits of the fraction, and the exponent of the smallest normal number.
_HALVES = {"float16": (10, -14), "bfloat16": (7, -126)}
_CHUNK = 1 << 18  # elements compared at once


def error_limit(dtype: str) -> float:
    """The largest error that the contract allows, in the units of :class:`Oracle`."""
    if dtype not in LIMITS:
        raise SpecError(f"no error limit is known for {dtype}; choose from {', '.join(LIMITS)}")
    return LIMITS[dtype]


@dataclass(frozen=True)
class Oracle:
    """The definition evaluated on one input, and the unit in which an error at each element is counted.

    y: float64 or wider, of x's shape. unit: float32, of x's shape: ``(1 + |xhat|) * |gamma| + |beta|``, and for float64 input times
    ``max(1, |mean| * rstd)`` of the group. For float16 and bfloat16 input, one unit in the last place of y, and what float32 is
    allowed, since that is what is rounded.
    """

    y: NDArray[Any]
    unit: NDArray[np.float32]

    def error(self, y: NDArray[Any]) -> float:
        """The largest ``|y - oracle| / unit``; 0 where both are NaN or (the oracle rounded to y's dtype) the same infinity, else inf.

        Args:
            y: of the oracle's shape.
        """
        if y.shape != self.y.shape:
            return math.inf
        worst = 0.0
        flat = y.reshape(-1), self.y.reshape(-1), self.unit.reshape(-1)
        for start in range(0, y.size, _CHUNK):
            given, exact, unit = (a[start : start + _CHUNK] for a in flat)
            mine = given.astype(exact.dtype)
            with np.errstate(all="ignore"):
                infinite = np.isinf(mine) & (exact.astype(given.dtype) == given)
                difference = np.abs(mine - exact)
                scaled = np.where(difference == 0, 0.0, difference / unit)
            same = (mine == exact) | infinite | (np.isnan(mine) & np.isnan(exact))
            scaled = np.where(same, 0.0, np.where(np.isnan(scaled), np.inf, scaled))
            worst = max(worst, float(scaled.max(initial=0.0)))
        return worst


def evaluate(
    x: NDArray[Any],
    gamma: NDArray[Any] | None,
    beta: NDArray[Any] | None,
    spec: GroupNormSpec,
    *,
    residual: NDArray[Any] | None = None,
    modulation: tuple[NDArray[Any], NDArray[Any]] | None = None,
    mask: NDArray[Any] | None = None,
) -> Oracle:
    """The oracle of a spec on `x`, a sample at a time; float64 input is judged in the platform's long double.

    A modulation scales the unit as it scales y.

    Args:
        x: batch first, float32, float64, float16 or bfloat16.
        gamma: of the feature axes' shape; None for ones.
        beta: of the feature axes' shape; None for zeros.
        residual, modulation, mask: where the spec has them, as `gngen.reference.group_norm` takes them.
    """
    axes = resolve_axes(spec.axes, x.ndim, x.shape)
    features = tuple(x.shape[a] for a in axes)
    spread = tuple(x.shape[a] if a in axes else 1 for a in range(1, x.ndim))
    weight = np.abs(np.ones(features) if gamma is None else gamma.astype(np.float64)).reshape(spread)
    shift = np.abs(np.zeros(features) if beta is None else beta.astype(np.float64)).reshape(spread)
    precise = x.dtype == np.float64
    exact = np.empty(x.shape, np.longdouble if precise else np.float64)
    unit = np.empty(x.shape, np.float32)
    for n in range(x.shape[0]):
        one = slice(n, n + 1)
        fused: dict[str, Any] = {
            "residual": None if residual is None else residual[one],
            "modulation": None if modulation is None else (modulation[0][one], modulation[1][one]),
            "mask": None if mask is None else mask[one],
        }
        y, mean, rstd = reference.group_norm(x[one], gamma, beta, spec, precise, **fused)
        exact[n] = y[0]
        normed = x[n] if residual is None else reference.add(x[one], residual[one])[0]
        each = math.prod(features) // mean.shape[1]  # features of a group
        centre = np.repeat(np.asarray(mean[0], np.float64), each).reshape(spread)
        scale = np.repeat(np.asarray(rstd[0], np.float64), each).reshape(spread)
        with np.errstate(all="ignore"):  # NaN and infinity spoil their own group
            part = normed - centre
            part *= scale
            np.abs(part, out=part)
            part += 1
            part *= weight
            part += shift
            if modulation is not None:
                own, off = (np.asarray(m[n], np.float64).reshape(spread) for m in modulation)
                part = part * np.abs(1 + own) + np.abs(off)
            if precise:
                part *= np.maximum(1, np.abs(centre * scale))
            if x.dtype.name in _HALVES:
                part = part * LIMITS["float32"] + last_place(exact[n], x.dtype.name)
            unit[n] = part
    return Oracle(exact, unit)


def last_place(y: NDArray[Any], dtype: str) -> NDArray[np.float64]:
    """One unit in the last place of a half at each value."""
    fraction, lowest = _HALVES[dtype]
    exponent = np.where(y == 0, lowest, np.maximum(np.frexp(y)[1] - 1, lowest))
    return np.asarray(np.ldexp(1.0, exponent - fraction))
