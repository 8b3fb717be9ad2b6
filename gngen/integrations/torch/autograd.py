"""The gradients: of the operators, as torch's dispatcher takes them, and of a call in Python."""

from __future__ import annotations

from typing import Any

from gngen.integrations import require
from gngen.integrations.torch.direct import goes_straight, in_functorch
from gngen.integrations.torch.gradients import run_backward
from gngen.integrations.torch.kernels import run_forward
from gngen.integrations.torch.operator import group_norm_backward_op, group_norm_stats_op, library

torch = require("torch", "torch")
_Function: Any = torch.autograd.Function


def _keep_inputs(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    """For group_norm: the moments are taken again when the gradient is asked for."""
    x, weight, bias, *ctx.rest = inputs
    ctx.save_for_backward(x, weight, bias)


def _keep_moments(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    x, weight, bias, *ctx.rest = inputs
    _, mean, rstd = output
    ctx.mark_non_differentiable(mean, rstd)
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(x, weight, bias, mean, rstd)


def _gradient(ctx: Any, dy: Any) -> tuple[Any, ...]:
    x, weight, bias = ctx.saved_tensors
    _, mean, rstd = group_norm_stats_op(x.detach(), *(None if p is None else p.detach() for p in (weight, bias)), *ctx.rest)
    return _gradients(ctx, dy, x, mean, rstd, weight, bias)


def _gradient_with_moments(ctx: Any, dy: Any, *_: Any) -> tuple[Any, ...]:
    if dy is None:
        return (None,) * 6
    x, weight, bias, mean, rstd = ctx.saved_tensors
    return _gradients(ctx, dy, x, mean, rstd, weight, bias)


def _gradients(ctx: Any, dy: Any, x: Any, mean: Any, rstd: Any, weight: Any, bias: Any) -> tuple[Any, ...]:
    """Those that a context asks for, of a forward operator's six arguments."""
    backward = group_norm_backward_op
    if in_functorch():
        backward = _GradientsInFunctorch.apply
    elif not torch.is_grad_enabled() and goes_straight(dy, weight, bias):  # nobody differentiates the gradient again
        backward = run_backward
    found = backward(dy, x, mean, rstd, weight, bias, *ctx.rest)
    wanted = (g if asked else None for g, asked in zip(found, ctx.needs_input_grad, strict=False))
    return (*wanted, None, None, None)


def _keep_nothing(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    pass


def _refuse_second(ctx: Any, *_: Any) -> tuple[Any, ...]:
    raise NotImplementedError(
        "gngen's group norm has no second derivative; for that, normalise with torch.nn.functional.group_norm (and torch.nn.GroupNorm)"
    )


for _name, _backward, _context in (
    ("group_norm", _gradient, _keep_inputs),
    ("group_norm_stats", _gradient_with_moments, _keep_moments),
    ("group_norm_backward", _refuse_second, _keep_nothing),
):
    torch.library.register_autograd(f"gngen::{_name}", _backward, setup_context=_context, lib=library)


class GroupNormDirectly(_Function):  # type: ignore[misc]
    """(x, weight, bias, groups, eps, activation) -> y, where no dispatcher is needed: its way to a gradient in Python takes 25 us more."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None) -> Any:
        output = run_forward(x, weight, bias, groups, eps, activation, stats=True)
        _keep_moments(ctx, (x, weight, bias, groups, eps, activation), output)
        return output[0]

    backward = staticmethod(_gradient_with_moments)


class GroupNormInFunctorch(_Function):  # type: ignore[misc]
    """The operator group_norm_stats for torch.func, to which the dispatcher's way is closed."""

    generate_vmap_rule = True
    forward = staticmethod(group_norm_stats_op)
    setup_context = staticmethod(_keep_moments)
    backward = staticmethod(_gradient_with_moments)


class _GradientsInFunctorch(_Function):  # type: ignore[misc]
    """The operator group_norm_backward for torch.func, which takes the gradient of every gradient."""

    generate_vmap_rule = True
    forward = staticmethod(group_norm_backward_op)
    setup_context = staticmethod(_keep_nothing)
    backward = staticmethod(_refuse_second)
