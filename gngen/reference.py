"""The definition, in float64 and nothing clever: the oracle that every kernel is measured against, and the last fallback."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gngen.spec import GroupNormSpec, check_defined, resolve_axes, resolve_groups

Array = np.ndarray[Any, np.dtype[Any]]


def group_norm(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    spec: GroupNormSpec,
    precise: bool = False,
    *,
    residual: Array | None = None,
    modulation: tuple[Array, Array] | None = None,
    mask: Array | None = None,
) -> tuple[Array, Array, Array]:
    """y, mean and rstd in float64, of shapes x.shape, (N, groups), (N, groups).

    y = act((x - mean) / sqrt(var + epsilon) * gamma + beta), moments over each sample's group. With `precise`, in the
    platform's long double, for judging float64 kernels. A constant group with epsilon 0 has rstd 0.

    Args:
        residual: added to x first, and the sum rounded to x's type.
        modulation: scale and shift of shape (N, *features): what is activated is multiplied by 1 + scale, and shift added.
        mask: of shape (N, *positions), True where an element counts in the moments; a group without any has mean 0 and rstd 0.

    >>> x = np.array([[1.0, 3.0, 5.0, 5.0]])
    >>> group_norm(x, None, None, GroupNormSpec(groups=2, epsilon=0.0))[0]
    array([[-1.,  1.,  0.,  0.]])
    """
    wide: type = np.longdouble if precise else np.float64
    axes = resolve_axes(spec.axes, x.ndim, x.shape)
    check_defined(spec.axes, x.shape)
    rest = tuple(a for a in range(1, x.ndim) if a not in axes)
    features = math.prod(x.shape[a] for a in axes)
    groups = resolve_groups(spec.groups, features)
    summed = np.asarray(x) if residual is None else add(x, residual)
    front: Array = np.transpose(summed, (0, *axes, *rest)).astype(wide)
    positions = math.prod(x.shape[a] for a in rest)
    grouped = front.reshape(x.shape[0], groups, features // groups, positions)
    kept = None if mask is None else np.asarray(mask, bool).reshape(x.shape[0], positions)
    with np.errstate(all="ignore"):
        mean, rstd = moments(grouped, spec.epsilon, kept)
        y = (grouped - mean[:, :, None, None]) * rstd[:, :, None, None]
        if gamma is not None:
            y = y * np.asarray(gamma, wide).reshape(1, groups, -1, 1)
        if beta is not None:
            y = y + np.asarray(beta, wide).reshape(1, groups, -1, 1)
        if modulation is not None:
            own: list[Array] = [np.asarray(part, wide).reshape(x.shape[0], groups, features // groups, 1) for part in modulation]
            y = y * (1 + own[0]) + own[1]
        y = activate(y, spec.activation)
    back = np.argsort((0, *axes, *rest))
    return np.transpose(y.reshape(front.shape), back), mean, rstd


def add(x: Array, residual: Array) -> Array:
    """x + residual, rounded to x's type: what is normalised, and the output sum."""
    return np.add(x, residual, dtype=x.dtype)


def moments(grouped: Array, epsilon: float, mask: Array | None = None) -> tuple[Array, Array]:
    """Mean and rstd of each group of an array (N, groups, chans, positions); two passes, the second corrected for the first's rounding.

    With a mask (N, positions), of the positions where it is True; of none, mean and rstd are 0.
    """
    count = grouped.shape[2] * grouped.shape[3]
    if count == 0:
        empty = np.full(grouped.shape[:2], np.nan)
        return empty, empty.copy()
    if mask is not None:
        return _masked_moments(grouped, epsilon, mask)
    mean = grouped.sum((2, 3)) / count
    d = grouped - mean[:, :, None, None]
    off = d.sum((2, 3)) / count
    mean = mean + off
    variance = np.maximum((d * d).sum((2, 3)) / count - off * off, 0.0)
    spread = variance + epsilon
    return mean, np.where(spread == 0, 0.0, 1 / np.sqrt(spread))


def _masked_moments(grouped: Array, epsilon: float, mask: Array) -> tuple[Array, Array]:
    mean, rstd = (np.zeros(grouped.shape[:2], grouped.dtype) for _ in range(2))
    for n, kept in enumerate(mask):
        if kept.any():
            mean[n], rstd[n] = (stat[0] for stat in moments(grouped[n : n + 1, :, :, kept], epsilon))
    return mean, rstd


def activate(y: Array, name: str | None) -> Array:
    """The activation of float64 (or wider) values."""
    if name is None:
        return y
    if name == "relu":
        return np.where(y < 0, 0.0, y)
    if name == "tanh":
        return np.tanh(y)
    if name == "sigmoid":
        return _sigmoid(y)
    if name == "silu":
        return np.asarray(y * _sigmoid(y))
    if name == "gelu_tanh":
        return np.asarray(0.5 * y * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3))))
    return np.asarray(0.5 * y * _erfc(-y / np.sqrt(2.0)))


def _sigmoid(y: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-y)))


def _erfc(z: Array) -> Array:
    return np.vectorize(math.erfc, otypes=[np.float64])(z) if z.size else z
