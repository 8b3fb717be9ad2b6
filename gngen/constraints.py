"""Projections of gamma and beta after an update: Keras's constraints (names, arguments and defaults of Keras 3).

Norms are taken in float64; the answer has the dtype of the weight.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gngen.errors import SpecError
from gngen.registry import Configurable, Registry, real

Array = NDArray[Any]
Axis = int | Sequence[int]

# Keras's ``keras.config.epsilon()``: keeps a zero norm from dividing.
_EPSILON = 1e-7


@dataclass(frozen=True)
class MaxNorm(Configurable):
    """``w * clip(norm, 0, max_value) / (norm + 1e-7)``, the norm taken over `axis`; `max_value` at least 0."""

    max_value: float = 2.0
    axis: Axis = 0

    def __post_init__(self) -> None:
        self._put(max_value=real("max_value", self.max_value, least=0), axis=_axis(self.axis))

    def __call__(self, w: ArrayLike) -> Array:
        norm = _norm(w, self.axis)
        return _scaled(w, np.clip(norm, 0, self.max_value) / (norm + _EPSILON))


@dataclass(frozen=True)
class MinMaxNorm(Configurable):
    """``w * (rate * clip(norm, min_value, max_value) + (1 - rate) * norm) / (norm + 1e-7)``, the norm over `axis`.

    Args:
        min_value, max_value: the norm's bounds, ``0 <= min_value <= max_value``.
        rate: how far each call goes towards the bounds, in [0, 1].
        axis: an axis, or several, that the norm is taken over.
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Axis = 0

    def __post_init__(self) -> None:
        low = real("min_value", self.min_value, least=0)
        self._put(min_value=low, max_value=real("max_value", self.max_value, least=low))
        self._put(rate=real("rate", self.rate, least=0, most=1), axis=_axis(self.axis))

    def __call__(self, w: ArrayLike) -> Array:
        norm = _norm(w, self.axis)
        wanted = self.rate * np.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        return _scaled(w, wanted / (norm + _EPSILON))


@dataclass(frozen=True)
class NonNeg(Configurable):
    """Negative elements become 0."""

    def __call__(self, w: ArrayLike) -> Array:
        values = np.asarray(w)
        return np.where(values < 0, np.zeros_like(values), values)


@dataclass(frozen=True)
class UnitNorm(Configurable):
    """``w / (norm + 1e-7)``, the norm taken over `axis`."""

    axis: Axis = 0

    def __post_init__(self) -> None:
        self._put(axis=_axis(self.axis))

    def __call__(self, w: ArrayLike) -> Array:
        return _scaled(w, 1 / (_norm(w, self.axis) + _EPSILON))


def _norm(w: ArrayLike, axis: Axis) -> Array:
    values = np.asarray(w, dtype=np.float64)
    over = axis if isinstance(axis, int) else tuple(axis)
    return np.asarray(np.sqrt(np.sum(np.square(values), axis=over, keepdims=True)))


def _scaled(w: ArrayLike, factor: Array) -> Array:
    """`w * factor` in the dtype of `w`, or float64 where that is an integer's."""
    values = np.asarray(w)
    result = values.astype(np.float64) * factor
    return result if values.dtype.kind in "biu" else result.astype(values.dtype)


def _axis(axis: Any) -> int | tuple[int, ...]:
    if _is_integer(axis):
        return int(axis)
    if isinstance(axis, Sequence) and not isinstance(axis, str) and axis and all(map(_is_integer, axis)):
        return tuple(int(a) for a in axis)
    raise SpecError(f"axis must be an integer or a non-empty list of integers; received axis={axis!r}")


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

REGISTRY = Registry("constraint", (MaxNorm, MinMaxNorm, NonNeg, UnitNorm))
get = REGISTRY.get
serialize = REGISTRY.serialize
