"""The definition in keras.ops: for symbolic and traced tensors, for devices and backends without a compiled way, for second derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras import backend, ops

from gngen.spec import GroupNormSpec, resolve_axes, resolve_groups

_ACTIVATIONS: dict[str | None, Callable[[Any], Any]] = {
    None: lambda y: y,
    "relu": ops.relu,
    "silu": ops.silu,
    "gelu": lambda y: ops.gelu(y, approximate=False),
    "gelu_tanh": lambda y: ops.gelu(y, approximate=True),
    "sigmoid": ops.sigmoid,
    "tanh": ops.tanh,
}


def group_norm(x: Any, gamma: Any, beta: Any, spec: GroupNormSpec) -> Any:
    """`x` normalised as `spec` says, computed in float32 or float64 and rounded to x's type.

    gamma and beta: of the features' shape, or None. The batch and the positions of `x` may be of unknown size.
    """
    axes = resolve_axes(spec.axes, len(x.shape), x.shape)
    if len(axes) == 1:
        return _along(x, gamma, beta, spec, axes[0])
    others = [a for a in range(len(x.shape)) if a not in axes]
    order = [*others, *axes]
    last = ops.transpose(x, order)
    sizes = ops.shape(last)
    features = math.prod(x.shape[a] for a in axes)
    flat = ops.reshape(last, (*sizes[: len(others)], features))
    y = _along(flat, gamma, beta, spec, len(others))
    return ops.transpose(ops.reshape(y, sizes), [order.index(a) for a in range(len(order))])


def _along(x: Any, gamma: Any, beta: Any, spec: GroupNormSpec, axis: int) -> Any:
    """`x` normalised over groups of the features of one axis.

    The variance is the mean of squared deviations: that of the squares less the square of the mean can come out negative.
    """
    shape, features = ops.shape(x), x.shape[axis]
    groups = resolve_groups(spec.groups, features)
    pair = (groups, features // groups)
    wide = "float64" if backend.standardize_dtype(x.dtype) == "float64" else "float32"
    split = ops.reshape(ops.cast(x, wide), (*shape[:axis], *pair, *shape[axis + 1 :]))
    over = [a for a in range(1, len(split.shape)) if a != axis]
    deviation = split - _mean(split, over)
    y = deviation * ops.rsqrt(_mean(ops.square(deviation), over) + spec.epsilon)
    spread = (1,) * axis + pair + (1,) * (len(x.shape) - axis - 1)
    if gamma is not None:
        y = y * ops.reshape(ops.cast(gamma, wide), spread)
    if beta is not None:
        y = y + ops.reshape(ops.cast(beta, wide), spread)
    return ops.cast(ops.reshape(_ACTIVATIONS[spec.activation](y), shape), backend.standardize_dtype(x.dtype))


def _mean(x: Any, axes: list[int]) -> Any:
    """The mean over some axes, which stay with size 1; ops.mean has the precision of float32 on some backends."""
    sizes = ops.shape(x)
    return ops.sum(x, axes, keepdims=True) / ops.cast(math.prod(sizes[a] for a in axes), x.dtype)
