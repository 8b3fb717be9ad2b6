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


def group_norm_backward(
    dy: Array, x: Array, gamma: Array | None, beta: Array | None, spec: GroupNormSpec, precise: bool = False
) -> tuple[Array, Array, Array]:
    """dx, dgamma and dbeta in float64, of x's shape and of the features': the gradients of sum(dy * y) for y of `group_norm`.

    With z = xhat * gamma + beta and g = dy * act'(z): dbeta = sum(g), dgamma = sum(g * xhat) over batch and positions, and
    dx = rstd * (gamma g - mean(gamma g) - xhat mean(gamma g xhat)), means over the group. Of a spec with residual, x is the sum.

    >>> x = np.array([[1.0, 3.0, 5.0, 5.0]])
    >>> group_norm_backward(np.ones_like(x), x, None, None, GroupNormSpec(groups=2))[2]
    array([1., 1., 1., 1.])
    """
    wide: type = np.longdouble if precise else np.float64
    axes = resolve_axes(spec.axes, x.ndim, x.shape)
    rest = tuple(a for a in range(1, x.ndim) if a not in axes)
    features = tuple(x.shape[a] for a in axes)
    groups = resolve_groups(spec.groups, math.prod(features))
    front = (0, *axes, *rest)
    size = (x.shape[0], groups, math.prod(features) // groups, math.prod(x.shape[a] for a in rest))
    grouped, upstream = (np.transpose(a, front).astype(wide).reshape(size) for a in (x, dy))
    with np.errstate(all="ignore"):
        dx, dgamma, dbeta = grouped_backward(upstream, grouped, gamma, beta, spec.epsilon, spec.activation)
    back = np.transpose(dx.reshape([x.shape[a] for a in front]), np.argsort(front))
    return back, dgamma.reshape(features), dbeta.reshape(features)


def grouped_backward(
    dy: Array, x: Array, gamma: Array | None, beta: Array | None, epsilon: float, activation: str | None
) -> tuple[Array, Array, Array]:
    """dx, dgamma and dbeta of arrays (N, groups, chans, positions); the parameters' as (groups, chans)."""
    count = x.shape[2] * x.shape[3]
    if x.size == 0:
        return np.zeros_like(x), np.zeros(x.shape[1:3], x.dtype), np.zeros(x.shape[1:3], x.dtype)
    mean, rstd = moments(x, epsilon)
    xhat, g, scaled = grouped_gradient(dy, x, mean, rstd, gamma, beta, activation)
    shares = [part.sum((2, 3), keepdims=True) / count for part in (scaled, scaled * xhat)]
    dx = rstd[:, :, None, None] * (scaled - shares[0] - xhat * shares[1])
    return dx, (g * xhat).sum((0, 3)), g.sum((0, 3))


def grouped_gradient(
    dy: Array, x: Array, mean: Array, rstd: Array, gamma: Array | None, beta: Array | None, activation: str | None
) -> tuple[Array, Array, Array]:
    """xhat, g = dy * act'(z) and gamma * g of arrays (N, groups, chans, positions); mean and rstd (N, groups)."""
    own = [None if a is None else np.asarray(a, x.dtype).reshape(1, *x.shape[1:3], 1) for a in (gamma, beta)]
    xhat = (x - mean[:, :, None, None]) * rstd[:, :, None, None]
    z = xhat if own[0] is None else xhat * own[0]
    z = z if own[1] is None else z + own[1]
    g = dy * derivative(z, activation)
    return xhat, g, g if own[0] is None else g * own[0]


# How the target `reference` sees the arrays of a kernel, whose sizes are (batch, outer, groups, chans, inner)


def flat(array: Array) -> Array:
    """The elements of a dense array in memory order, without a copy."""
    return array.transpose(sorted(range(array.ndim), key=lambda a: -array.strides[a])).reshape(-1)


def grouped_of(array: Array, sizes: tuple[int, int, int, int, int]) -> Array:
    """The elements in float64, as (batch, groups, chans, positions)."""
    batch, outer, groups, chans, inner = sizes
    return flat(array).reshape(sizes).transpose(0, 2, 3, 1, 4).reshape(batch, groups, chans, outer * inner).astype(np.float64)


def put_grouped(out: Array, value: Array, sizes: tuple[int, int, int, int, int]) -> None:
    """Store (batch, groups, chans, positions) where an array's elements lie."""
    batch, outer, groups, chans, inner = sizes
    flat(out).reshape(sizes)[...] = value.reshape(batch, groups, chans, outer, inner).transpose(0, 3, 1, 2, 4)


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
    mean, variance = mean_and_variance(grouped)
    spread = variance + epsilon
    return mean, np.where(spread == 0, 0.0, 1 / np.sqrt(spread))


def mean_and_variance(grouped: Array) -> tuple[Array, Array]:
    """Those of each group of an array (N, groups, chans, positions) that is not empty."""
    count = grouped.shape[2] * grouped.shape[3]
    mean = grouped.sum((2, 3)) / count
    d = grouped - mean[:, :, None, None]
    off = d.sum((2, 3)) / count
    return mean + off, np.maximum((d * d).sum((2, 3)) / count - off * off, 0.0)


def _masked_moments(grouped: Array, epsilon: float, mask: Array) -> tuple[Array, Array]:
    mean, rstd = (np.zeros(grouped.shape[:2], grouped.dtype) for _ in range(2))
    for n, kept in enumerate(mask):
        if kept.any():
            mean[n], rstd[n] = (stat[0] for stat in moments(grouped[n : n + 1, :, :, kept], epsilon))
    return mean, rstd


def activate(y: Array, name: str | None) -> Array:
    """The activation of float64 (or wider) values; of minus infinity its limit, where the formula has 0 times infinity."""
    if name is None:
        return y
    if name == "relu":
        return np.where(y < 0, 0.0, y)
    if name == "tanh":
        return np.tanh(y)
    if name == "sigmoid":
        return _sigmoid(y)
    return np.where(np.isneginf(y), 0.0, _weighted(y, name))


def _weighted(y: Array, name: str) -> Array:
    """The activations that are y times a share of it."""
    if name == "silu":
        return np.asarray(y * _sigmoid(y))
    if name == "gelu_tanh":
        return np.asarray(0.5 * y * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3))))
    return np.asarray(0.5 * y * _erfc(-y / np.sqrt(2.0)))


def _sigmoid(y: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-y)))


def _erfc(z: Array) -> Array:
    return np.vectorize(math.erfc, otypes=[np.float64])(z) if z.size else z


def derivative(z: Array, name: str | None) -> Array:
    """The derivative of an activation at z; relu's at 0 is 0."""
    if name is None:
        return np.ones_like(z)
    if name == "relu":
        return np.where(z > 0, 1.0, 0.0)
    if name == "tanh":
        return np.asarray(1 - np.tanh(z) ** 2)
    if name == "gelu":
        return np.asarray(0.5 * _erfc(-z / np.sqrt(2.0)) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
    if name == "gelu_tanh":
        rate = 2 * np.sqrt(2 / np.pi)
        s = _sigmoid(rate * (z + 0.044715 * z**3))
        return np.asarray(s + z * s * (1 - s) * rate * (1 + 3 * 0.044715 * z**2))
    s = _sigmoid(z)
    return np.asarray(s * (1 - s) if name == "sigmoid" else s * (1 + z * (1 - s)))
