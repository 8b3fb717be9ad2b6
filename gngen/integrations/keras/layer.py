"""Keras's layer with compiled kernels below it, and the function that composes one with a model, a symbolic tensor or an array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import keras
from keras import ops

from gngen.integrations.keras import by_ops
from gngen.problem import KINDS
from gngen.spec import GroupNormSpec, check_defined, resolve_axes, resolve_groups

# The backends of Keras with a compiled way, each a module with `refuses` and `group_norm`.
_WAYS = {
    "numpy": "gngen.integrations.keras.on_numpy",
    "torch": "gngen.integrations.keras.on_torch",
    "jax": "gngen.integrations.keras.on_jax",
}
_WAY: Any = import_module(_WAYS[keras.backend.backend()]) if keras.backend.backend() in _WAYS else None
_HALVES = ("float16", "bfloat16")


@keras.saving.register_keras_serializable(package="gngen")
class GroupNormalization(keras.layers.GroupNormalization):  # type: ignore[misc]
    """``keras.layers.GroupNormalization``, computed by compiled kernels where the backend has a way to call them.

    ``y = act((x - mean) / sqrt(var + epsilon) * gamma + beta)``. Everything that is not said here is Keras's: policies, masks, weights
    (`gamma`, then `beta`), the config, saving. Its weights and its config go over to Keras's layer, and back.

    Args:
        groups, axis, epsilon, center, scale, ...: Keras's, in its order. `axis` may be several, which are flattened row-major, in
            ascending order, into one feature dimension; gamma and beta then have the shape of those axes.
        activation: None, one of `gngen.spec.ACTIVATIONS`, or a function of ``keras.activations`` by such a name; fused into the kernel.
        target: what to compile for; see `gngen.compile`.
        **kwargs: those of ``keras.layers.Layer``.

    Raises:
        SpecError: an argument, or at build a shape, outside of these; a ValueError with Keras's sentence where Keras has one.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        activation: Any = None,
        target: str = "auto",
        **kwargs: Any,
    ) -> None:
        name = keras.activations.serialize(activation) if callable(activation) else activation
        spec = GroupNormSpec(groups, axis, epsilon, center, scale, name)  # type: ignore[arg-type]
        super().__init__(
            groups=spec.groups,
            axis=spec.axis,
            epsilon=spec.epsilon,
            center=spec.center,
            scale=spec.scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.activation = spec.activation
        self.target = target
        self._last = _LastCall()

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make gamma, then beta, and pin the rank and the features of `input_shape` (None where not known)."""
        spec, shape = self._spec(), tuple(input_shape)
        axes = resolve_axes(spec.axes, len(shape), shape)
        check_defined(spec.axes, shape)
        features = tuple(int(shape[a]) for a in axes)  # type: ignore[arg-type]
        self.groups = resolve_groups(spec.groups, math.prod(features))
        self.input_spec = keras.layers.InputSpec(ndim=len(shape), axes={a: shape[a] for a in spec.axes})
        self.gamma = self._new_weight("gamma", features) if spec.scale else None
        self.beta = self._new_weight("beta", features) if spec.center else None
        keras.layers.Layer.build(self, input_shape)

    def call(self, inputs: Any) -> Any:
        """`inputs` normalised, in the layer's compute dtype; integers are computed in float32."""
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        x = inputs if keras.backend.is_float_dtype(dtype) else _cast(inputs, "float32")
        spec = self._spec()
        gamma, beta = (_parameter(weight, x) for weight in (self.gamma, self.beta))
        refused = _why_not(self.target, x, gamma, beta)
        if refused:
            self._last.account = f"keras.ops: {refused}"
            y = by_ops.group_norm(x, gamma, beta, spec)
        else:
            y, by_what = _WAY.group_norm(x, gamma, beta, spec, self.target)
            self._last.account = f"compiled: {by_what}"
        return _cast(y, self.compute_dtype)

    def explain(self) -> str:
        """Which way the last call went, a line: ``compiled: `` and by what, or ``keras.ops: `` and why. Under jit, the last trace."""
        return self._last.account or f"Layer '{self.name}' has not been called yet: there is no call to explain."

    def get_config(self) -> dict[str, Any]:
        """Keras's config; with `activation` and `target` where they were given, so that it is one of Keras's layer where not."""
        config: dict[str, Any] = super().get_config()
        config["axis"] = list(self.axis) if isinstance(self.axis, tuple) else self.axis
        own = {"activation": (self.activation, None), "target": (self.target, "auto")}
        return config | {key: value for key, (value, default) in own.items() if value != default}

    def _spec(self) -> GroupNormSpec:
        """The spec of the attributes as they are now."""
        return GroupNormSpec(self.groups, self.axis, self.epsilon, self.center, self.scale, self.activation)

    def _new_weight(self, name: str, features: tuple[int, ...]) -> Any:
        return self.add_weight(
            shape=features,
            name=name,
            initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            autocast=False,
        )


class _LastCall:
    """How the last call was computed: beside the layer's attributes, which may not be set while the layer is traced."""

    account = ""


def layer_group_normalization(
    object: Any = None,
    groups: int = 32,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Any = "zeros",
    gamma_initializer: Any = "ones",
    beta_regularizer: Any = None,
    gamma_regularizer: Any = None,
    beta_constraint: Any = None,
    gamma_constraint: Any = None,
    **kwargs: Any,
) -> Any:
    """Group normalisation as Keras's kind of layer, as part of a model, or at once: what R's ``keras3`` calls it.

    Args:
        object: what to compose with.
        groups, axis, epsilon, ...: those of `GroupNormalization`, with `kwargs`.

    Returns:
        the layer, where `object` is None; the model with the layer added in place, where it is a ``keras.Sequential``; the output
        tensor, where it is a symbolic tensor; the normalised tensor, where it is an array or a tensor of the backend.
    """
    layer = GroupNormalization(
        groups,
        axis,
        epsilon,
        center,
        scale,
        beta_initializer,
        gamma_initializer,
        beta_regularizer,
        gamma_regularizer,
        beta_constraint,
        gamma_constraint,
        **kwargs,
    )
    if object is None:
        return layer
    if isinstance(object, keras.Sequential):
        object.add(layer)
        return object
    return layer(object)


def _why_not(target: str, x: Any, gamma: Any, beta: Any) -> str:
    """Why no compiled kernel takes these; empty where one does."""
    if _WAY is None:
        return f"there is no compiled way on the {keras.backend.backend()} backend"
    dtype = keras.backend.standardize_dtype(x.dtype)
    if dtype not in KINDS:
        return f"{dtype} has no kernel"
    return str(_WAY.refuses(target, x, gamma, beta))


def _parameter(weight: Any, x: Any) -> Any:
    """The value of a weight in a type that a kernel for x takes: x's, or float32 beside halves."""
    if weight is None:
        return None
    value, dtype = weight.value, keras.backend.standardize_dtype(x.dtype)
    if keras.backend.standardize_dtype(value.dtype) == dtype:
        return value
    return _cast(value, "float32" if dtype in _HALVES else dtype)


def _cast(x: Any, dtype: str) -> Any:
    """x in that type: itself where it is."""
    return x if keras.backend.standardize_dtype(x.dtype) == dtype else ops.cast(x, dtype)
