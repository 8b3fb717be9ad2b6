"""group_norm and GroupNorm: what torch.nn.functional.group_norm and torch.nn.GroupNorm are, by gngen's kernels, with an activation."""

from __future__ import annotations

from typing import Any, ClassVar

from gngen.integrations import require
from gngen.integrations.torch.autograd import GroupNormDirectly, GroupNormInFunctorch
from gngen.integrations.torch.direct import goes_straight, in_functorch, refuse_tangents
from gngen.integrations.torch.kernels import run_forward
from gngen.integrations.torch.operator import group_norm_op, group_norm_stats_op
from gngen.spec import GroupNormSpec

torch = require("torch", "torch")

_GroupNorm: Any = torch.nn.GroupNorm
_has_torch_function = torch.overrides.has_torch_function_variadic


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
        x: a tensor (N, C, *), float32, float64, float16 or bfloat16, in any memory format; y has the one that torch's own has.
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
    if goes_straight(x, weight, bias):
        call = GroupNormDirectly.apply if learns else run_forward
        return call(x, weight, bias, num_groups, eps, activation)
    refuse_tangents(x, weight, bias)
    if learns and in_functorch():
        return GroupNormInFunctorch.apply(x, weight, bias, num_groups, eps, activation)[0]
    if learns and not torch.compiler.is_exporting():  # the other operator has a gradient too, and is the one to ship
        return group_norm_stats_op(x, weight, bias, num_groups, eps, activation)[0]
    return group_norm_op(x, weight, bias, num_groups, eps, activation)


class GroupNorm(_GroupNorm):  # type: ignore[misc]
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

    __constants__: ClassVar[list[str]] = [*_GroupNorm.__constants__, "activation"]
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
