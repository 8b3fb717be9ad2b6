"""What to compute: a group normalisation without sizes."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gngen.errors import SpecError

ACTIVATIONS = ("relu", "silu", "gelu", "gelu_tanh", "sigmoid", "tanh")
_ALIASES = {"swish": "silu", "linear": None, "gelu_erf": "gelu", "gelu_new": "gelu_tanh"}


@dataclass(frozen=True)
class GroupNormSpec:
    """A group normalisation: ``y = act((x - mean) / sqrt(var + epsilon) * gamma + beta)``.

    Mean and biased variance are taken over every element of one sample that belongs to one group. Three flags fuse what often
    stands around it into the same passes over memory; with all of them, of s = x + residual rounded to x's type,
    ``y = act(((s - mean) / sqrt(var + epsilon) * gamma + beta) * (1 + scale) + shift)``, moments over the unmasked elements.

    Args:
        groups: number of groups that the features divide into; -1 for one group a feature (instance norm).
        axis: the feature axis, or several; the named axes, in ascending order, are flattened row-major into one
            feature dimension. Axis 0 is the batch.
        epsilon: added to the variance; finite, at least 0.
        center: whether a ``beta`` is added.
        scale: whether a ``gamma`` multiplies.
        activation: None or one of relu, silu, gelu (erf), gelu_tanh, sigmoid, tanh.
        residual: whether a second array like x is added to it before the norm (a prologue).
        modulation: whether each sample has a scale and a shift of its own for every feature, applied as ``* (1 + scale) + shift``
            after gamma and beta (FiLM; the adaptive group norm, AdaGN, of diffusion networks).
        masked: whether a mask over the positions keeps padding out of mean and variance, as in Flax; y is computed everywhere.

    Raises:
        SpecError: an argument outside of these.
    """

    groups: int = 32
    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    activation: str | None = None
    residual: bool = False
    modulation: bool = False
    masked: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "groups", _check_groups(self.groups))
        put(self, "axis", _check_axis(self.axis))
        put(self, "epsilon", _check_epsilon(self.epsilon))
        for flag in ("center", "scale", "residual", "modulation", "masked"):
            put(self, flag, _check_flag(flag, getattr(self, flag)))
        put(self, "activation", _check_activation(self.activation))

    @property
    def axes(self) -> tuple[int, ...]:
        """The feature axes as written, always a tuple."""
        return self.axis if isinstance(self.axis, tuple) else (self.axis,)


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _check_groups(groups: Any) -> int:
    if not _is_integer(groups) or (groups <= 0 and groups != -1):
        raise SpecError(
            "Received an invalid value for argument `groups`, expected a positive integer "
            f"(or `-1` for instance normalization). Received: groups={groups}"
        )
    return int(groups)


def _check_axis(axis: Any) -> int | tuple[int, ...]:
    if _is_integer(axis):
        return int(axis)
    if isinstance(axis, Sequence) and not isinstance(axis, str) and axis and all(map(_is_integer, axis)):
        axes = tuple(int(a) for a in axis)
        return axes[0] if len(axes) == 1 else axes
    raise SpecError(f"axis must be an integer or a non-empty list of integers; received axis={axis!r}")


def _check_epsilon(epsilon: Any) -> float:
    if isinstance(epsilon, numbers.Real) and not isinstance(epsilon, bool):
        try:
            value = float(epsilon)
        except OverflowError:
            value = math.inf
        if math.isfinite(value) and value >= 0:
            return value
    raise SpecError(f"epsilon must be a finite number, at least 0; received epsilon={epsilon!r}")


def _check_flag(name: str, value: Any) -> bool:
    numpys = type(value).__name__ in ("bool", "bool_")
    if (isinstance(value, int) or numpys) and value in (0, 1):
        return bool(value)
    raise SpecError(f"{name} must be True or False; received {name}={value!r}")


def _check_activation(activation: Any) -> str | None:
    if activation is None:
        return None
    if isinstance(activation, str):
        name = _ALIASES.get(activation, activation)
        if name is None or name in ACTIVATIONS:
            return name
    raise SpecError(f"activation {activation!r} is not known; choose None or one of {', '.join(ACTIVATIONS)}")


def resolve_axes(axes: tuple[int, ...], rank: int, shape: Sequence[int | None]) -> tuple[int, ...]:
    """The feature axes as ascending non-negative numbers, checked against the rank.

    >>> resolve_axes((-1,), 4, (2, 8, 8, 64))
    (3,)
    """
    shown = tuple(shape)
    if rank < 2:
        raise SpecError(f"group normalisation needs a batch axis and a feature axis; the input has shape {shown}")
    for axis in axes:
        if not -rank <= axis < rank:
            raise SpecError(f"axis {axis} is out of range for the shape {shown}; choose from {1 - rank}..{rank - 1}, not 0")
    resolved = tuple(axis % rank for axis in axes)
    if 0 in resolved:
        raise SpecError(f"axis 0 of the shape {shown} is the batch and cannot be normalised over; choose from 1..{rank - 1}")
    if len(set(resolved)) != len(resolved):
        raise SpecError(f"axis {list(axes)} names an axis of the shape {shown} twice")
    return tuple(sorted(resolved))


def resolve_groups(groups: int, channels: int) -> int:
    """The number of groups that `channels` features divide into; -1 means one group a feature.

    >>> resolve_groups(-1, 48)
    48
    """
    if groups == -1:
        groups = max(channels, 1)
    if channels < groups:
        raise SpecError(f"Number of groups ({groups}) cannot be more than the number of channels ({channels}).{_fitting(groups, channels)}")
    if channels % groups:
        raise SpecError(
            f"Number of groups ({groups}) must be a multiple of the number of channels ({channels}).{_fitting(groups, channels)}"
        )
    return groups


def check_defined(axes: tuple[int, ...], shape: Sequence[int | None]) -> None:
    """Raise Keras's sentence when a feature axis (as written, in range) has no defined dimension."""
    if any(shape[axis] is None for axis in axes):
        shown = axes[0] if len(axes) == 1 else list(axes)
        raise SpecError(
            f"Axis {shown} of input tensor should have a defined dimension but the layer received an input with shape {tuple(shape)}."
        )


def _fitting(groups: int, channels: int) -> str:
    """The groups nearest to `groups` that do divide `channels`, as the tail of an error."""
    if channels < 1:
        return ""
    fits = [d for d in range(1, channels + 1) if channels % d == 0] if channels <= 1 << 16 else [1, channels]
    below = [d for d in fits if d <= groups][-1:]
    above = [d for d in fits if d > groups][:1]
    return f" Nearest that fit: {', '.join(map(str, below + above))}."
