"""Two JAX primitives, the norm and its gradients: a compiled kernel where XLA compiles for a CPU, `jax.numpy` elsewhere.

A kernel is compiled when a program is lowered for a CPU, so that tracing alone (`jax.eval_shape`, a program for a GPU) compiles none.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import gngen
from gngen.errors import BuildError
from gngen.integrations import require
from gngen.integrations.jax import definition, handler
from gngen.kernel import Kernel
from gngen.spec import GroupNormSpec, resolve_axes, resolve_groups

jax = require("jax", "jax")
jnp = jax.numpy
ad, batching, mlir = (require(f"jax.interpreters.{name}", "jax") for name in ("ad", "batching", "mlir"))
Primitive = require("jax.extend.core", "jax").Primitive


def forward(spec: GroupNormSpec, outputs: tuple[str, ...], x: Any, gamma: Any, beta: Any) -> Sequence[Any]:
    """y, and of mean and rstd what `outputs` names."""
    results: Sequence[Any] = _forward.bind(x, *_given(gamma, beta), spec=spec, outputs=outputs)
    return results


def backward(spec: GroupNormSpec, dy: Any, x: Any, mean: Any, rstd: Any, gamma: Any, beta: Any) -> tuple[Any, Any, Any]:
    """The gradients of x, gamma and beta; None for what is None."""
    used = beta if _reads_beta(spec) else None
    dtype = next((p.dtype.name for p in _given(gamma, beta)), x.dtype.name)
    found = iter(_backward.bind(dy, x, mean, rstd, *_given(gamma, used), spec=spec, param_dtype=dtype))
    return next(found), next(found) if spec.scale else None, next(found) if spec.center else None


def _given(*parameters: Any) -> list[Any]:
    return [p for p in parameters if p is not None]


def _reads_beta(spec: GroupNormSpec) -> bool:
    """Whether the gradients take beta: an activation's derivative is that at what was activated."""
    return spec.center and spec.activation is not None


def _by_definition(x: Any, *parameters: Any, spec: GroupNormSpec, outputs: tuple[str, ...]) -> list[Any]:
    gamma, beta = _named(spec, parameters)
    found = dict(zip(("y", "mean", "rstd"), definition.forward(spec, x, gamma, beta), strict=True))
    return [found[name] for name in outputs]


def _gradients_by_definition(dy: Any, x: Any, mean: Any, rstd: Any, *parameters: Any, spec: GroupNormSpec, param_dtype: str) -> list[Any]:
    """What the kernel computes, with mean and rstd taken of x again: so their derivatives are counted too."""
    gamma, beta = _named(spec, parameters)
    if spec.center and beta is None:
        beta = jnp.zeros(_features(spec, x.shape), param_dtype)
    return _given(*definition.backward(spec, dy, x, gamma, beta))


def _named(spec: GroupNormSpec, parameters: Sequence[Any]) -> tuple[Any, Any]:
    """gamma and beta, of the parameters that there are."""
    left = list(parameters)
    gamma = left.pop(0) if spec.scale else None
    return gamma, left.pop(0) if left else None


# Shapes


def _features(spec: GroupNormSpec, shape: Sequence[Any]) -> tuple[int, ...]:
    return tuple(shape[a] for a in resolve_axes(spec.axes, len(shape), shape))


def _statistic(spec: GroupNormSpec, x: Any) -> Any:
    """The abstract mean or rstd of an abstract x."""
    groups = resolve_groups(spec.groups, math.prod(_features(spec, x.shape)))
    return _like(x, (x.shape[0], groups), jnp.promote_types(x.dtype, jnp.float32))


def _like(x: Any, shape: Sequence[Any], dtype: Any) -> Any:
    """An abstract array of a shape and type; under `jax.shard_map`, one that varies over the axes of the mesh that x varies over."""
    varying = getattr(x, "manual_axis_type", None)
    if varying is None or varying.empty:
        return jax.core.ShapedArray(shape, dtype)
    return jax.core.ShapedArray(shape, dtype, sharding=x.sharding.update(spec=jax.P()), manual_axis_type=varying)


def _forward_shapes(x: Any, *parameters: Any, spec: GroupNormSpec, outputs: tuple[str, ...]) -> list[Any]:
    return [_like(x, x.shape, x.dtype) if name == "y" else _statistic(spec, x) for name in outputs]


def _backward_shapes(dy: Any, x: Any, mean: Any, rstd: Any, *parameters: Any, spec: GroupNormSpec, param_dtype: str) -> list[Any]:
    gradient = _like(x, _features(spec, x.shape), jnp.dtype(param_dtype))
    return [_like(x, x.shape, x.dtype), *([gradient] * (spec.scale + spec.center))]


# Lowering


def _forward_on_cpu(ctx: Any, *operands: Any, spec: GroupNormSpec, outputs: tuple[str, ...]) -> Any:
    x, *parameters = ctx.avals_in
    ask = partial(_compile, spec, x, parameters[0].dtype.name if parameters else None, outputs=outputs)
    return _lower(ctx, operands, ask, partial(_by_definition, spec=spec, outputs=outputs))


def _backward_on_cpu(ctx: Any, *operands: Any, spec: GroupNormSpec, param_dtype: str) -> Any:
    ask = partial(_compile, spec, ctx.avals_in[1], param_dtype, direction="backward")
    return _lower(ctx, operands, ask, partial(_gradients_by_definition, spec=spec, param_dtype=param_dtype))


def _compile(spec: GroupNormSpec, x: Any, param_dtype: str | None, **asked: Any) -> Kernel:
    batch, *rest = x.shape
    shape = (batch if isinstance(batch, int) else None, *rest)  # an exported program's batch may have a name in place of a size
    return gngen.compile(spec, shape, x.dtype.name, "c", param_dtype=param_dtype, **asked)


def _lower(ctx: Any, operands: Sequence[Any], ask: Callable[[], Kernel], instead: Callable[..., Any]) -> Any:
    """A call of a kernel; of the definition where there is none, or nothing to run it on."""
    empty = any(0 in aval.shape for aval in ctx.avals_in)
    lacking = unavailable()
    if not (empty or lacking):
        try:
            return jax.ffi.ffi_lowering(handler.TARGET)(ctx, *operands, kernel=handler.add(ask()))
        except BuildError as e:
            lacking = " ".join(str(e).split())[:400]
    if lacking:
        _warn_once(lacking)
    return mlir.lower_fun(instead, multiple_results=True)(ctx, *operands)


def unavailable() -> str:
    """Why no kernel runs under JAX on this machine's CPU, so that the norm is computed by `jax.numpy`; or ""."""
    from gngen.backends import c

    return c.unavailable()


@cache
def _warn_once(lacking: str) -> None:
    warnings.warn(f"group_norm is computed by jax.numpy, without a kernel: {lacking}", RuntimeWarning, stacklevel=2)


# Batching: what vmap makes of a call


def _batch_forward(args: Sequence[Any], dims: Sequence[Any], *, spec: GroupNormSpec, outputs: tuple[str, ...]) -> Any:
    call = partial(_forward.bind, spec=spec, outputs=outputs)
    return _fold(call, args, dims, 1) if all(d is None for d in dims[1:]) else _loop(call, args, dims)


def _batch_backward(args: Sequence[Any], dims: Sequence[Any], *, spec: GroupNormSpec, param_dtype: str) -> Any:
    call = partial(_backward.bind, spec=spec, param_dtype=param_dtype)
    if not (spec.scale or spec.center):
        return _fold(call, args, dims, 4)
    batch, *rest = (n for axis, n in enumerate(args[1].shape) if axis != dims[1])
    if batch == 1 and resolve_axes(spec.axes, 1 + len(rest), (batch, *rest)) == tuple(range(1, 1 + len(spec.axes))):
        return _side_by_side(args, dims, spec, param_dtype)
    return _loop(call, args, dims)  # a kernel sums the gradients of gamma and beta over its whole batch


def _mapped(args: Sequence[Any], dims: Sequence[Any], count: int) -> list[Any]:
    """The first `count` arrays with the mapped axis first, repeated where there is none."""
    size = next(a.shape[d] for a, d in zip(args, dims, strict=True) if d is not None)
    pairs = list(zip(args, dims, strict=True))[:count]
    return [jnp.broadcast_to(a, (size, *a.shape)) if d is None else jnp.moveaxis(a, d, 0) for a, d in pairs]


def _fold(call: Callable[..., Any], args: Sequence[Any], dims: Sequence[Any], count: int) -> Any:
    """One call with the mapped axis of the first `count` arrays, (V, N, ...), folded into the batch: (V * N, ...)."""
    mapped = _mapped(args, dims, count)
    size, batch = mapped[0].shape[:2]
    results = call(*(a.reshape(size * batch, *a.shape[2:]) for a in mapped), *args[count:])
    return [r.reshape(size, batch, *r.shape[1:]) for r in results], [0] * len(results)


def _side_by_side(args: Sequence[Any], dims: Sequence[Any], spec: GroupNormSpec, param_dtype: str) -> Any:
    """The gradients of V batches of one sample each, (V, 1, C, ...), as of one sample with all their features, (1, V, C, ...).

    So each has parameters of its own, and gradients of them. It is the same memory: nothing is moved.
    """
    dy, x, mean, rstd, *parameters = _mapped(args, dims, len(args))
    size, groups = mean.shape[0], mean.shape[2]
    data = [a.reshape(1, size, *a.shape[2:]) for a in (dy, x)]
    moments = [a.reshape(1, size * groups) for a in (mean, rstd)]
    wider = replace(spec, groups=size * groups, axis=tuple(range(1, 2 + len(spec.axes))))
    dx, *sums = _backward.bind(*data, *moments, *parameters, spec=wider, param_dtype=param_dtype)
    return [dx.reshape(size, 1, *dx.shape[2:]), *sums], [0] * (1 + len(sums))


def _loop(call: Callable[..., Any], args: Sequence[Any], dims: Sequence[Any]) -> Any:
    """One call after another."""
    mapped = [jnp.moveaxis(a, d, 0) for a, d in zip(args, dims, strict=True) if d is not None]

    def step(own: Sequence[Any]) -> Any:
        rest = iter(own)
        return call(*(a if d is None else next(rest) for a, d in zip(args, dims, strict=True)))

    results = jax.lax.map(step, mapped)
    return results, [0] * len(results)


# Derivatives: of the norm in forward mode, and of the gradients; the first gradient has a kernel of its own


def _differentiate(primitive: Any, formula: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], **fields: Any) -> Any:
    along = [ad.instantiate_zeros(t) for t in tangents]
    return primitive.bind(*primals, **fields), jax.jvp(partial(formula, **fields), tuple(primals), tuple(along))[1]


def _evaluate(primitive: Any, *args: Any, **fields: Any) -> Any:
    """Run a primitive by itself, under `jax.disable_jit` too."""
    with jax.disable_jit(False):
        return _jitted(primitive, tuple(fields.items()))(*args)


@cache
def _jitted(primitive: Any, fields: tuple[tuple[str, Any], ...]) -> Any:
    return jax.jit(partial(primitive.bind, **dict(fields)))


def _define(name: str, shapes: Any, on_cpu: Any, formula: Any, batch: Any) -> Any:
    primitive = Primitive(name)
    primitive.multiple_results = True
    primitive.def_impl(partial(_evaluate, primitive))
    primitive.def_abstract_eval(shapes)
    mlir.register_lowering(primitive, mlir.lower_fun(formula, multiple_results=True))
    mlir.register_lowering(primitive, on_cpu, platform="cpu")
    batching.primitive_batchers[primitive] = batch
    ad.primitive_jvps[primitive] = partial(_differentiate, primitive, formula)
    return primitive


_forward = _define("gngen_group_norm", _forward_shapes, _forward_on_cpu, _by_definition, _batch_forward)
_backward = _define("gngen_group_norm_gradients", _backward_shapes, _backward_on_cpu, _gradients_by_definition, _batch_backward)
