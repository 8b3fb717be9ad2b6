"""The backend that this process runs on, its tensors as numpy's arrays and back, and layers to try on it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import keras
import numpy as np
from strategies import parameters

from gngen.spec import GroupNormSpec

Array = np.ndarray[Any, Any]

BACKEND = keras.backend.backend()
# What `explain` begins with on this backend where nothing stands in a kernel's way.
COMPILED = "compiled: " if BACKEND != "jax" or find_spec("gngen.integrations.jax") else "keras.ops: "
# jax has no float64 unless it is asked for at its start.
FLOATS = ("float32", "float16", "bfloat16", *(["float64"] if BACKEND != "jax" else []))


def tensor(x: Any, dtype: str = "float32") -> Any:
    """An array as the backend's tensor."""
    return keras.ops.convert_to_tensor(x, dtype=dtype)


def array(x: Any) -> Array:
    """A tensor as numpy's array; bfloat16 as float32."""
    return np.asarray(keras.ops.convert_to_numpy(x))


def normal(*shape: int, seed: int = 0) -> Array:
    """N(3, 2)."""
    return np.random.default_rng(seed).normal(3, 2, shape).astype("float32")


# An axis, and a shape with 4 groups there: channels last, first, in the middle, in 1-D and 3-D, and on several axes.
LAYOUTS = (
    (-1, (2, 5, 6, 8)),
    (1, (2, 8, 5, 6)),
    (-2, (3, 5, 12, 2)),
    (1, (4, 16)),
    (-1, (2, 3, 4, 5, 8)),
    ((1, 3), (2, 4, 5, 6)),
    ((3, 2), (2, 3, 2, 4)),
)


def filled(layer: Any, shape: tuple[int | None, ...]) -> Any:
    """A built layer with weights of its own."""
    layer.build(shape)
    sizes = tuple(size or 1 for size in shape)
    gamma, beta = parameters(sizes, GroupNormSpec(layer.groups, layer.axis, layer.epsilon, layer.center, layer.scale), "float32")
    layer.set_weights([w for w in (gamma, beta) if w is not None])
    return layer


def weights(layer: Any) -> tuple[Any, Any]:
    return tuple(None if w is None else array(w.value) for w in (layer.gamma, layer.beta))  # type: ignore[return-value]
