"""The definition in jax.numpy: what runs where no kernel does, and what derivatives of derivatives are taken of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gngen.integrations import require
from gngen.spec import GroupNormSpec, resolve_axes, resolve_groups

jax = require("jax", "jax")
jnp = jax.numpy


def forward(spec: GroupNormSpec, x: Any, gamma: Any, beta: Any) -> tuple[Any, Any, Any]:
    """y, mean and rstd of x, as `gngen.reference` defines them, in float32, or float64 for float64 data."""
    axes = resolve_axes(spec.axes, x.ndim, x.shape)
    rest = tuple(a for a in range(1, x.ndim) if a not in axes)
    features = math.prod(x.shape[a] for a in axes)
    groups = resolve_groups(spec.groups, features)
    wide = jnp.promote_types(x.dtype, jnp.float32)
    front = jnp.transpose(x, (0, *axes, *rest)).astype(wide)
    grouped = front.reshape(x.shape[0], groups, features // groups, math.prod(x.shape[a] for a in rest))
    mean, rstd = _moments(grouped, spec.epsilon)
    y = (grouped - mean[:, :, None, None]) * rstd[:, :, None, None]
    for parameter, apply in ((gamma, jnp.multiply), (beta, jnp.add)):
        if parameter is not None:
            y = apply(y, parameter.astype(wide).reshape(1, groups, -1, 1))
    back = sorted(range(x.ndim), key=(0, *axes, *rest).__getitem__)
    return jnp.transpose(_activate(y, spec.activation).reshape(front.shape), back).astype(x.dtype), mean, rstd


def backward(spec: GroupNormSpec, dy: Any, x: Any, gamma: Any, beta: Any) -> Sequence[Any]:
    """The gradients of x, gamma and beta; None for what is None."""
    gradients: Sequence[Any] = jax.vjp(lambda *given: forward(spec, *given)[0], x, gamma, beta)[1](dy)
    return gradients


def _moments(grouped: Any, epsilon: float) -> tuple[Any, Any]:
    """Mean and rstd of (N, groups, chans, positions): two passes, the second corrected for the first's rounding."""
    mean = grouped.mean((2, 3))
    d = grouped - mean[:, :, None, None]
    off = d.mean((2, 3))
    variance = jnp.maximum((d * d).mean((2, 3)) - off * off, 0)
    spread = variance + epsilon
    flat = spread == 0
    return mean + off, jnp.where(flat, 0, 1 / jnp.sqrt(jnp.where(flat, 1, spread)))


def _activate(y: Any, name: str | None) -> Any:
    if name is None:
        return y
    if name == "relu":
        return jax.nn.relu(y)
    if name in ("gelu", "gelu_tanh"):
        return jax.nn.gelu(y, approximate=name == "gelu_tanh")
    return getattr(jax.nn, name)(y)
