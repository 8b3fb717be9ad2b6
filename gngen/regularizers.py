"""Penalties on gamma and beta: Keras's regularizers (names, arguments and defaults of Keras 3), in numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gngen.errors import SpecError
from gngen.registry import Configurable, Registry, real

Array = NDArray[Any]


@dataclass(frozen=True)
class L1(Configurable):
    """``l1 * sum(|x|)``; `l1` at least 0, None for the default."""

    l1: float = 0.01

    def __post_init__(self) -> None:
        self._put(l1=_factor("l1", self.l1, 0.01))

    def __call__(self, x: ArrayLike) -> float:
        return _penalty(x, self.l1, 0.0)

    def gradient(self, w: ArrayLike) -> Array:
        """``l1 * sign(w)``, in float64; 0 where w is."""
        return _slope(w, self.l1, 0.0)


@dataclass(frozen=True)
class L2(Configurable):
    """``l2 * sum(x^2)``; `l2` at least 0, None for the default."""

    l2: float = 0.01

    def __post_init__(self) -> None:
        self._put(l2=_factor("l2", self.l2, 0.01))

    def __call__(self, x: ArrayLike) -> float:
        return _penalty(x, 0.0, self.l2)

    def gradient(self, w: ArrayLike) -> Array:
        """``2 * l2 * w``, in float64."""
        return _slope(w, 0.0, self.l2)


@dataclass(frozen=True)
class L1L2(Configurable):
    """``l1 * sum(|x|) + l2 * sum(x^2)``; both at least 0, None for the default."""

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        self._put(l1=_factor("l1", self.l1, 0.0), l2=_factor("l2", self.l2, 0.0))

    def __call__(self, x: ArrayLike) -> float:
        return _penalty(x, self.l1, self.l2)

    def gradient(self, w: ArrayLike) -> Array:
        """``l1 * sign(w) + 2 * l2 * w``, in float64; 0 where w is."""
        return _slope(w, self.l1, self.l2)


def penalty(regularizer: Callable[[Any], Any], weight: ArrayLike) -> float:
    """What `regularizer`, of whatever library, answers for `weight`, as a float.

    Raises:
        SpecError: an answer of more than one number.
    """
    value = np.asarray(regularizer(weight), dtype=np.float64)
    if value.size != 1:
        raise SpecError(f"a regularizer must answer one number; {regularizer!r} answered an array of shape {value.shape}")
    return float(value.reshape(()))


def gradient(regularizer: Callable[[Any], Any], weight: Array) -> Array:
    """The derivative of the penalty of `weight` with respect to it, in float64 and of its shape.

    Raises:
        SpecError: a regularizer without a method ``gradient(w)``, or an answer of another shape.
    """
    slope = getattr(regularizer, "gradient", None)
    if not callable(slope):
        raise SpecError(f"regularizer {regularizer!r} has no method gradient(w), which training needs: the derivative of its answer")
    value = np.asarray(slope(weight), dtype=np.float64)
    if value.shape != weight.shape:
        raise SpecError(f"gradient(w) of {regularizer!r} answered an array of shape {value.shape} for a weight of shape {weight.shape}")
    return value


def _factor(name: str, value: float | None, default: float) -> float:
    return real(name, default if value is None else value, least=0)


def _penalty(x: ArrayLike, l1: float, l2: float) -> float:
    """Summed in float64; a factor of 0 leaves its term out, so that an infinite weight gives no NaN by it."""
    values = np.asarray(x, dtype=np.float64)
    absolute = l1 * float(np.sum(np.abs(values))) if l1 else 0.0
    squared = l2 * float(np.sum(np.square(values))) if l2 else 0.0
    return absolute + squared


def _slope(w: ArrayLike, l1: float, l2: float) -> Array:
    """The derivative of `_penalty`; here, too, a factor of 0 leaves its term out."""
    values = np.asarray(w, dtype=np.float64)
    slope = l1 * np.sign(values) if l1 else np.zeros_like(values)
    return slope + 2 * l2 * values if l2 else slope


l1, l2, l1_l2 = L1, L2, L1L2

REGISTRY = Registry("regularizer", (L1, L2, L1L2))
get = REGISTRY.get
serialize = REGISTRY.serialize
