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
    x = _array(x)
    if x.dtype.name not in KINDS and x.dtype.kind in "iub":
        x = x.astype(jnp.float32)
    fixed = tuple(axis) if isinstance(axis, list) else axis
    shape = tuple(n if isinstance(n, int) else None for n in x.shape)
    spec, order, features = _specialize(groups, fixed, epsilon, gamma is not None, beta is not None, activation, shape, x.dtype.name)
    x, gamma, beta = _varying_alike(x, *_parameters(gamma, beta, x.dtype, features))
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
    given = [p if p is None else _array(p) for p in (gamma, beta)]
    for name, p in zip(("gamma", "beta"), given, strict=True):
        if p is not None and p.shape != features:
            raise LaunchError(f"{name} has shape {p.shape}; x takes {features}")
    same = KINDS[dtype.name] not in HALVES or all(p is None or p.dtype == dtype for p in given)
    wanted = dtype if same else jnp.dtype("float32")
    return [p if p is None or p.dtype == wanted else p.astype(wanted) for p in given]


def _array(value: Any) -> Any:
    return value if isinstance(value, jax.Array) else jnp.asarray(value)


def _varying_alike(*arrays: Any) -> list[Any]:
    """Under `jax.shard_map`, what is one for all shards as one for each, where others are: its gradient is then summed over them."""
    if not all(a is None or isinstance(a, jax.core.Tracer) for a in arrays):
        return list(arrays)
    own = [set() if a is None else _varying(a) for a in arrays]
    lacking = [tuple(set().union(*own) - axes) for axes in own]
    return [a if a is None or not axes else jax.lax.pcast(a, axes, to="varying") for a, axes in zip(arrays, lacking, strict=True)]


def _varying(a: Any) -> set[str]:
    """The axes of the mesh over which an array varies from shard to shard."""
    return set(getattr(getattr(jax.typeof(a), "manual_axis_type", None), "varying", ()))


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
