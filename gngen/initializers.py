"""What gamma and beta start from: Keras's initializers, in numpy.

Names, arguments, defaults and distributions are those of ``keras.initializers`` (Keras 3); the random draws are
numpy's, so a seed gives other numbers here than in Keras. Random ones answer the same values at every call of one
instance: an integer seed fixes them; with ``seed=None`` the instance draws its seed when it is made, from Python's
``random`` module, so that ``random.seed`` makes a whole program repeatable.
"""

from __future__ import annotations

import math
import numbers
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gngen.errors import SpecError
from gngen.registry import Configurable, Registry, real

Array = NDArray[Any]

# The standard deviation of a standard normal cut at -2 and 2: sqrt(1 - 4 pdf(2) / (cdf(2) - cdf(-2))).
_TRUNCATED_STD = 0.87962566103423978

MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")


@dataclass(frozen=True)
class Zeros(Configurable):
    """All zeros."""

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        return np.zeros(shape, _dtype(dtype))


@dataclass(frozen=True)
class Ones(Configurable):
    """All ones."""

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        return np.ones(shape, _dtype(dtype))


@dataclass(frozen=True)
class Constant(Configurable):
    """Every element is `value`, a finite number."""

    value: float = 0.0

    def __post_init__(self) -> None:
        self._put(value=real("value", self.value))

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        return np.full(shape, self.value, _dtype(dtype))


class _Seeded(Configurable):
    """A base for random initializers: one seed an instance, one generator a call."""

    seed: int | None
    _entropy: int

    def __post_init__(self) -> None:
        seed = self.seed
        if seed is not None:
            if not isinstance(seed, numbers.Integral) or isinstance(seed, bool) or seed < 0:
                raise SpecError(f"seed must be None or an integer, at least 0; received seed={seed!r}")
            seed = int(seed)
        self._put(seed=seed, _entropy=random.getrandbits(64) if seed is None else seed)

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(self._entropy)


@dataclass(frozen=True)
class RandomNormal(_Seeded):
    """Normal with `mean` and standard deviation `stddev`."""

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._put(mean=real("mean", self.mean), stddev=real("stddev", self.stddev, least=0))

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        return _cast(self._generator().normal(self.mean, self.stddev, shape), dtype)


@dataclass(frozen=True)
class TruncatedNormal(_Seeded):
    """Normal with `mean` and `stddev`, redrawn where it is more than two `stddev` away from `mean`.

    As in Keras, `stddev` is that before the cut; the values' own is 0.8796 of it.
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._put(mean=real("mean", self.mean), stddev=real("stddev", self.stddev, least=0))

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        return _cast(self.mean + self.stddev * _truncated(self._generator(), shape), dtype)


@dataclass(frozen=True)
class RandomUniform(_Seeded):
    """Uniform between `minval` and `maxval`."""

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._put(minval=real("minval", self.minval), maxval=real("maxval", self.maxval))
        if self.minval > self.maxval:
            raise SpecError(f"minval cannot be more than maxval; received minval={self.minval!r}, maxval={self.maxval!r}")

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        return _cast(self._generator().uniform(self.minval, self.maxval, shape), dtype)


class _Scaled(_Seeded):
    """A base for initializers of variance ``scale / fan``, where the fan is that of the shape."""

    input_axes: Sequence[int] | None
    output_axes: Sequence[int] | None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._put(input_axes=_axes(self.input_axes), output_axes=_axes(self.output_axes))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the axes only where given, as older Keras 3 does not know them."""
        return {k: v for k, v in super().get_config().items() if v is not None or k == "seed"}

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Array:
        scale, mode, distribution = self._law()
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
        stddev = math.sqrt(scale / max(1.0, fan))
        rng = self._generator()
        if distribution == "uniform":
            limit = math.sqrt(3.0) * stddev
            return _cast(rng.uniform(-limit, limit, shape), dtype)
        if distribution == "truncated_normal":
            return _cast(stddev / _TRUNCATED_STD * _truncated(rng, shape), dtype)
        return _cast(rng.normal(0.0, stddev, shape), dtype)

    def _law(self) -> tuple[float, str, str]:
        """The scale, the mode and the distribution."""
        raise NotImplementedError


@dataclass(frozen=True)
class VarianceScaling(_Scaled):
    """Zero mean and variance ``scale / fan``.

    Args:
        scale: above 0.
        mode: the fan: fan_in, fan_out or fan_avg (see `compute_fans`).
        distribution: uniform, truncated_normal (or normal, its other name) or untruncated_normal.
        seed: None, or an integer of at least 0.
        input_axes, output_axes: the axes that make up the fans, where both are given.

    Raises:
        SpecError: an argument outside of these.
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None
    input_axes: Sequence[int] | None = None
    output_axes: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._put(scale=real("scale", self.scale, least=0), distribution=str(self.distribution).lower())
        if self.scale == 0:
            raise SpecError("scale must be above 0; received scale=0.0")
        if self.distribution == "normal":
            self._put(distribution="truncated_normal")
        if self.mode not in MODES:
            raise SpecError(f"mode must be one of {', '.join(MODES)}; received mode={self.mode!r}")
        if self.distribution not in DISTRIBUTIONS:
            raise SpecError(f"distribution must be one of {', '.join(DISTRIBUTIONS)}; received distribution={self.distribution!r}")

    def _law(self) -> tuple[float, str, str]:
        return self.scale, self.mode, self.distribution


@dataclass(frozen=True)
class _Preset(_Scaled):
    """A base for the laws that have a name."""

    seed: int | None = None
    input_axes: Sequence[int] | None = None
    output_axes: Sequence[int] | None = None
    law: ClassVar[tuple[float, str, str]]

    def _law(self) -> tuple[float, str, str]:
        return self.law


class GlorotUniform(_Preset):
    """Uniform, variance ``1 / fan_avg`` (Glorot and Bengio, 2010)."""

    law = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Preset):
    """Truncated normal, variance ``1 / fan_avg`` (Glorot and Bengio, 2010)."""

    law = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Preset):
    """Uniform, variance ``2 / fan_in`` (He et al., 2015)."""

    law = (2.0, "fan_in", "uniform")


class HeNormal(_Preset):
    """Truncated normal, variance ``2 / fan_in`` (He et al., 2015)."""

    law = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Preset):
    """Uniform, variance ``1 / fan_in`` (LeCun et al., 1998)."""

    law = (1.0, "fan_in", "uniform")


class LecunNormal(_Preset):
    """Truncated normal, variance ``1 / fan_in`` (LeCun et al., 1998)."""

    law = (1.0, "fan_in", "truncated_normal")


def compute_fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """The numbers of inputs and outputs of a weight, by Keras's rule.

    No axis: 1 and 1; one: its size, twice; more: the last two axes, times the product of those before. Where both
    `input_axes` and `output_axes` are given, the products over those.

    >>> compute_fans((64,)), compute_fans((3, 3, 16, 32))
    ((64, 64), (144, 288))
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def _truncated(rng: np.random.Generator, shape: Sequence[int]) -> Array:
    """Standard normal values, redrawn until each is within two of zero."""
    z = np.asarray(rng.standard_normal(shape))
    while (outside := np.abs(z) > 2).any():
        z[outside] = rng.standard_normal(int(outside.sum()))
    return z


def _axes(axes: Sequence[int] | None) -> Sequence[int] | None:
    return None if axes is None else tuple(axes)


def _dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    return np.dtype(np.float32 if dtype is None else dtype)


def _cast(values: Any, dtype: DTypeLike | None) -> Array:
    return np.asarray(values).astype(_dtype(dtype))


zeros, ones, constant = Zeros, Ones, Constant
random_normal, truncated_normal, random_uniform = RandomNormal, TruncatedNormal, RandomUniform
variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal

REGISTRY = Registry(
    "initializer",
    (
        Zeros,
        Ones,
        Constant,
        RandomNormal,
        RandomUniform,
        TruncatedNormal,
        VarianceScaling,
        GlorotUniform,
        GlorotNormal,
        HeUniform,
        HeNormal,
        LecunUniform,
        LecunNormal,
    ),
    {"zero": "zeros", "one": "ones", "normal": "random_normal", "uniform": "random_uniform"},
)
get = REGISTRY.get
serialize = REGISTRY.serialize
