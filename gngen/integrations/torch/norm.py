"""group_norm and GroupNorm: what torch.nn.functional.group_norm and torch.nn.GroupNorm are, by gngen's kernels, with an activation."""

from __future__ import annotations

from typing import Any

from gngen.integrations import require
from gngen.integrations.torch.kernels import run_forward
from gngen.integrations.torch.operator import gradients, group_norm_op, group_norm_stats_op
from gngen.spec import GroupNormSpec

torch = require("torch", "torch")

_PLAIN = (torch.Tensor, torch.nn.Parameter)
_has_torch_function = torch.overrides.has_torch_function_variadic
# What may want to know of an operator's call.
_is_compiling = torch.compiler.is_compiling
_dispatch_modes = torch._C._len_torch_dispatch_stack
_in_functorch = torch._C._are_functorch_transforms_active
_tracing = torch._C._get_tracing_state
_in_profiler = torch.autograd._profiler_enabled


def group_norm(
    x: Any,
    num_groups: int,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    activation: str | None = None,
) -> Any:
    """Normalise x over groups of its channels, axis 1: ``act((x - mean) / sqrt(var + eps) * weight + bias)``.

    Args:
        x: a tensor (N, C, *), float32, float64, float16 or bfloat16, in any memory format; y lies in memory as it does.
        num_groups: how many groups the channels divide into.
        weight, bias: tensors (C,) or None; of x's type, or float32 where x is float16 or bfloat16.
        eps: added to the variance.
        activation: None or one of relu, silu, gelu (erf), gelu_tanh, sigmoid, tanh: applied in the same pass.

    Raises:
        SpecError, LaunchError (both ValueErrors): arguments that do not go together.
    """
    if _has_torch_function(x, weight, bias):
        return torch.overrides.handle_torch_function(
            group_norm, (x, weight, bias), x, num_groups, weight=weight, bias=bias, eps=eps, activation=activation
        )
    learns = torch.is_grad_enabled() and (
        x.requires_grad or (weight is not None and weight.requires_grad) or (bias is not None and bias.requires_grad)
    )
    straight = _goes_straight(x, weight, bias)
    if learns and straight:
        return _GroupNorm.apply(x, weight, bias, num_groups, eps, activation)
    if learns:
        return group_norm_stats_op(x, weight, bias, num_groups, eps, activation)[0]
    if straight:
        return run_forward(x, weight, bias, num_groups, eps, activation)
    return group_norm_op(x, weight, bias, num_groups, eps, activation)


def _goes_straight(x: Any, weight: Any, bias: Any) -> bool:
    """Whether the dispatcher would do nothing but call the CPU's kernel (and its gradient's): then it is called without."""
    if _is_compiling() or _dispatch_modes() or _in_functorch() or _tracing() is not None or _in_profiler():
        return False
    if type(x) not in _PLAIN or not x.is_cpu or x.is_neg():
        return False
    if weight is not None and (type(weight) not in _PLAIN or weight.is_neg()):
        return False
    return bias is None or (type(bias) in _PLAIN and not bias.is_neg())


class _GroupNorm(torch.autograd.Function):  # type: ignore[misc]
    """The gradient without the dispatcher, whose way to a Python function's gradient takes 30 us more."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any, *rest: Any) -> Any:
        y, mean, rstd = run_forward(x, weight, bias, *rest, True)
        ctx.save_for_backward(x, weight, bias, mean, rstd)
        ctx.rest = rest
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple[Any, ...]:
        x, weight, bias, mean, rstd = ctx.saved_tensors
        return gradients(ctx, dy, x, mean, rstd, weight, bias)


class GroupNorm(torch.nn.GroupNorm):  # type: ignore[misc]
    """torch.nn.GroupNorm by gngen's kernels; the same arguments, parameters and state_dict, and an activation.

    Args:
        num_groups: how many groups the channels divide into.
        num_channels: the channels, axis 1 of the input.
        eps: added to the variance.
        affine: whether there are weight and bias.
        device, dtype: of weight and bias.
        activation: None or one of relu, silu, gelu (erf), gelu_tanh, sigmoid, tanh: applied in the same pass.
        bias: whether there is a bias, where affine.

    Raises:
        ValueError: groups that do not divide the channels, or (SpecError) an activation that is not known.
    """

    __constants__ = [*torch.nn.GroupNorm.__constants__, "activation"]
    activation: str | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        activation: str | None = None,
        *,
        bias: bool = True,
    ) -> None:
        spec = GroupNormSpec(num_groups, 1, eps, activation=activation)
        super().__init__(spec.groups, num_channels, eps, affine, device, dtype, bias=bias)
        self.activation = spec.activation

    def forward(self, input: Any) -> Any:
        """The normalised input (N, C, *)."""
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps, self.activation)

    def extra_repr(self) -> str:
        plain: str = super().extra_repr()
        return plain if self.activation is None else f"{plain}, activation={self.activation!r}"
