"""Group normalisation for JAX: a compiled kernel on the CPU, under jit, grad and vmap; `jax.numpy` on other platforms.

y = gngen.integrations.jax.group_norm(x, gamma, beta, groups=32, axis=-1)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from gngen.errors import LaunchError
from gngen.integrations import require
from gngen.integrations.jax import primitives
from gngen.integrations.jax.primitives import unavailable
from gngen.loopnest import HALVES
from gngen.problem import KINDS, specialize
from gngen.spec import GroupNormSpec

jax = require("jax", "jax")
jnp = jax.numpy

__all__ = ["group_norm", "unavailable"]


def group_norm(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    *,
    groups: int = 32,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-3,
    activation: str | None = None,
) -> Any:
    """Normalise x over groups of its features: ``act((x - mean) / sqrt(var + epsilon) * gamma + beta)``.

    Differentiable in x, gamma and beta, by a compiled kernel too; derivatives of those are taken by `jax.numpy`.

    Args:
        x: an array of at least two axes, batch first; float32, float64, float16 or bfloat16 (others are converted to float32).
        gamma, beta: arrays of the features' shape, or None for none; for half x both may be halves of the same kind, and are
            float32 otherwise.
        groups, axis, epsilon, activation: see :class:`gngen.GroupNormSpec`.

    Returns:
        An array like x.

    Raises:
        SpecError: arguments that do not go together. LaunchError: a gamma or beta of another shape.
    """
    x = jnp.asarray(x)
    if x.dtype.name not in KINDS and x.dtype.kind in "iub":
        x = x.astype(jnp.float32)
    fixed = tuple(axis) if isinstance(axis, list) else axis
    shape = tuple(n if isinstance(n, int) else None for n in x.shape)
    spec, order, features = _specialize(groups, fixed, epsilon, gamma is not None, beta is not None, activation, shape, x.dtype.name)
    gamma, beta = _parameters(gamma, beta, x.dtype, features)
    if order is None:
        return _function(spec)(x, gamma, beta)
    back = sorted(range(x.ndim), key=order.__getitem__)
    return _function(spec)(x.transpose(order), gamma, beta).transpose(back)


@lru_cache(typed=True)
def _specialize(
    groups: Any, axis: Any, epsilon: Any, scale: bool, center: bool, activation: Any, shape: tuple[int | None, ...], dtype: str
) -> tuple[GroupNormSpec, tuple[int, ...] | None, tuple[int, ...]]:
    """The spec, the features' shape, and the order to bring the axes into where no kernel reads them as they are.

    The spec is then of the axes so ordered: the features follow the batch.
    """
    spec = GroupNormSpec(groups, axis, epsilon, center, scale, activation)
    _, layout = specialize(spec, shape, dtype)
    if not layout.copied:
        return spec, None, layout.features
    axes = tuple(range(1, 1 + len(layout.axes)))
    return GroupNormSpec(groups, axes, epsilon, center, scale, activation), layout.order, layout.features


def _parameters(gamma: Any, beta: Any, dtype: Any, features: tuple[int, ...]) -> list[Any]:
    """gamma and beta as arrays of one type: x's, or float32 where x is halves and not both are."""
    given = {"gamma": None if gamma is None else jnp.asarray(gamma), "beta": None if beta is None else jnp.asarray(beta)}
    for name, array in given.items():
        if array is not None and array.shape != features:
            raise LaunchError(f"{name} has shape {array.shape}; x takes {features}")
    same = KINDS[dtype.name] not in HALVES or all(p is None or p.dtype == dtype for p in given.values())
    return [p if p is None else p.astype(dtype if same else jnp.float32) for p in given.values()]


@cache
def _function(spec: GroupNormSpec) -> Callable[..., Any]:
    """The norm of a spec, jitted and differentiable."""

    def norm(x: Any, gamma: Any, beta: Any) -> Any:
        return primitives.forward(spec, ("y",), x, gamma, beta)[0]

    def norm_and_moments(x: Any, gamma: Any, beta: Any) -> Any:
        y, mean, rstd = primitives.forward(spec, ("y", "mean", "rstd"), x, gamma, beta)
        return y, (x, mean, rstd, gamma, beta)

    def gradients(kept: Any, dy: Any) -> Any:
        return primitives.backward(spec, dy, *kept)

    run = jax.custom_vjp(norm)
    run.defvjp(norm_and_moments, gradients)
    return jax.jit(run)  # type: ignore[no-any-return]
