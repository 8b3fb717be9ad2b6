"""The compiled way on Keras's jax backend: gngen's call from XLA, eager or traced."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gngen.spec import GroupNormSpec

try:
    _JAX: Any = import_module("gngen.integrations.jax")
    _lacks: str = _JAX.unavailable()
except ImportError as e:
    _lacks = f"gngen.integrations.jax cannot be imported: {e}"


def refuses(target: str, x: Any, gamma: Any, beta: Any) -> str:
    """Why no kernel can take these; empty where one can."""
    del gamma, beta
    if target != "auto":
        return f"a call from XLA chooses its own target, and the layer asks for {target}"
    if not all(isinstance(size, int) for size in x.shape[1:]):
        return f"the shape ({', '.join(map(str, x.shape))}) has sizes beside the batch that are not known"
    return _lacks


def group_norm(x: Any, gamma: Any, beta: Any, spec: GroupNormSpec, target: str) -> tuple[Any, str]:
    """`x` normalised, and by what."""
    del target
    y = _JAX.group_norm(x, gamma, beta, groups=spec.groups, axis=spec.axis, epsilon=spec.epsilon, activation=spec.activation)
    return y, "gngen.integrations.jax, a kernel where XLA compiles for a CPU"
