"""Group normalisation with Keras 3's layer interface, on any array, without a framework."""

from __future__ import annotations

import importlib
import itertools
import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gngen import constraints, initializers, regularizers
from gngen.arrays import dtype_of
from gngen.errors import SpecError
from gngen.gpuarrays import DeviceArray, as_array, owner_of
from gngen.problem import KINDS
from gngen.spec import GroupNormSpec, check_defined, resolve_axes, resolve_groups
from gngen.training import STATISTICS, Kept

if TYPE_CHECKING:
    from gngen.backward import BackwardKernel
    from gngen.kernel import Kernel

Array = NDArray[Any]
Shape = tuple[int | None, ...]

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_KEYWORDS = ("name", "dtype", "trainable", "input_shape", "activation", "target")
_ARGUMENTS = (
    "groups",
    "axis",
    "epsilon",
    "center",
    "scale",
    "beta_initializer",
    "gamma_initializer",
    "beta_regularizer",
    "gamma_regularizer",
    "beta_constraint",
    "gamma_constraint",
)
_numbers = itertools.count()


class ArgumentError(SpecError, TypeError):
    """A keyword argument that the layer does not take."""


class GroupNormalization:
    """A group normalisation layer: Keras 3's arguments and attributes, numpy weights, one compiled kernel a shape.

    ``y = act((x - mean) / sqrt(var + epsilon) * gamma + beta)``, with the mean and biased variance of each group of
    features of each sample. The features are those of `axis`; several axes are flattened row-major, in ascending
    order, into one feature dimension.

    Args:
        groups: how many groups the features divide into; -1 for one a feature, which becomes their number at build.
        axis: the feature axis, or several; 0 is the batch and cannot be one.
        epsilon: added to the variance; finite, at least 0.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer, gamma_initializer: what `gngen.initializers.get` takes; None means glorot_uniform, as in Keras.
        beta_regularizer, gamma_regularizer: what `gngen.regularizers.get` takes.
        beta_constraint, gamma_constraint: what `gngen.constraints.get` takes.
        name: a string without ``/``; group_normalization, group_normalization_1, ... when not given.
        dtype: None, a floating dtype, or a Keras policy (mixed_float16, mixed_bfloat16, or its config). Given, inputs
            are cast to it. None: floating inputs are computed in their own dtype and others in float32; the weights are
            float32, or float64 where the layer is built by calling it with float64.
        trainable: whether the weights count as trainable.
        input_shape: the shape of an input without its sample axis; builds the layer at once.
        activation: None, or one of `gngen.spec.ACTIVATIONS`.
        target: what to compile for.

    Raises:
        SpecError: an argument outside of these (an `ArgumentError`, which is a TypeError too, for an unknown keyword).

    Source: Wu and He, Group Normalization, 2018; the interface is that of ``keras.layers.GroupNormalization``.
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
        **kwargs: Any,
    ) -> None:
        _check_keywords(kwargs)
        self.spec = GroupNormSpec(groups, axis, epsilon, center, scale, kwargs.get("activation"))  # type: ignore[arg-type]
        self.gamma_initializer = _initializer(gamma_initializer)
        self.beta_initializer = _initializer(beta_initializer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.beta_constraint = constraints.get(beta_constraint)
        self._policy = _Policy.parse(kwargs.get("dtype"))
        self.trainable = kwargs.get("trainable", True)
        self.target = kwargs.get("target", "auto")
        self._name = _check_name(kwargs.get("name"))
        self._gamma: Array | None = None
        self._beta: Array | None = None
        self._pinned: _Pinned | None = None
        self._weight_dtype = self._policy.weights or "float32"
        self._routes: dict[tuple[Any, ...], _Route] = {}
        self._last: Kernel | None = None
        self._kept: Kept | None = None
        self._gradients: dict[str, Array] = {}
        if kwargs.get("input_shape") is not None:
            self.build((None, *_check_shape("input_shape", kwargs["input_shape"])))

    def __repr__(self) -> str:
        return f"<GroupNormalization name={self.name}, built={self.built}>"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_routes": {}, "_last": None, "_kept": None}  # a copy compiles its own kernels

    # What the layer is.

    @property
    def name(self) -> str:
        """The layer's name."""
        return self._name

    @property
    def groups(self) -> int:
        """The number of groups; -1 until a layer of one group a feature is built."""
        return self.spec.groups

    @property
    def axis(self) -> int | tuple[int, ...]:
        """The feature axis or axes, as given."""
        return self.spec.axis

    @property
    def epsilon(self) -> float:
        """What is added to the variance."""
        return self.spec.epsilon

    @property
    def center(self) -> bool:
        """Whether there is a beta."""
        return self.spec.center

    @property
    def scale(self) -> bool:
        """Whether there is a gamma."""
        return self.spec.scale

    @property
    def activation(self) -> str | None:
        """The activation's name, or None."""
        return self.spec.activation

    @property
    def dtype(self) -> str:
        """The name of the weights' dtype."""
        return self._weight_dtype

    @property
    def built(self) -> bool:
        """Whether the weights exist and the rank and the features are pinned."""
        return self._pinned is not None

    @property
    def trainable(self) -> bool:
        """Whether the weights count as trainable."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise SpecError(f"Expected `trainable` to be a boolean. Received: trainable={value} (of type {type(value)})")
        self._trainable = value

    # The weights.

    @property
    def gamma(self) -> Array | None:
        """The scale, of the shape of the feature axes; None when off or not built. Assigning copies into it."""
        return self._gamma

    @gamma.setter
    def gamma(self, value: ArrayLike) -> None:
        self._assign("gamma", value)

    @property
    def beta(self) -> Array | None:
        """The offset, of the shape of the feature axes; None when off or not built. Assigning copies into it."""
        return self._beta

    @beta.setter
    def beta(self, value: ArrayLike) -> None:
        self._assign("beta", value)

    @property
    def weights(self) -> list[Array]:
        """gamma and beta, those of them that there are: the arrays themselves."""
        return list(self._named_weights().values())

    @property
    def trainable_weights(self) -> list[Array]:
        """The weights, or none where the layer is not trainable."""
        return self.weights if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Array]:
        """None, or the weights where the layer is not trainable."""
        return [] if self.trainable else self.weights

    def get_weights(self) -> list[Array]:
        """Copies of gamma and beta, those of them that there are; none before build."""
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Copy `weights` into gamma and beta, those of them that there are.

        Raises:
            SpecError: another number of weights, or another shape; then no weight is changed.
        """
        named = self._named_weights()
        if len(weights) != len(named):
            raise SpecError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length {len(weights)}, "
                f"but the layer was expecting {len(named)} weights.{'' if self.built else ' It is not built.'}"
            )
        checked = [self._checked(name, value) for name, value in zip(named, weights, strict=True)]
        for weight, value in zip(named.values(), checked, strict=True):
            weight[...] = value

    def count_params(self) -> int:
        """The number of elements of the weights.

        Raises:
            SpecError: the layer is not built.
        """
        if not self.built:
            raise SpecError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. "
                "You can build it manually via: `layer.build(input_shape)`."
            )
        return sum(weight.size for weight in self.weights)

    @property
    def losses(self) -> list[float]:
        """The penalties of the trainable weights that have a regularizer, gamma's first."""
        named = self._named_weights() if self.trainable else {}
        return [regularizers.penalty(regularizer, named[name]) for name, regularizer in self._regularizers().items() if name in named]

    @property
    def gradients(self) -> list[Array]:
        """What the last `backward` found, in the order of `trainable_weights` and of their dtype; none before it."""
        return list(self._gradients.values()) if self.trainable else []

    def apply_constraints(self) -> None:
        """Project the trainable weights that have a constraint, in place: what an optimizer does after its update.

        Raises:
            SpecError: a constraint that answers another shape; then no weight is changed.
        """
        given = {"gamma": self.gamma_constraint, "beta": self.beta_constraint}
        named = self._named_weights() if self.trainable else {}
        projected = {name: self._checked(name, project(named[name])) for name, project in given.items() if project and name in named}
        for name, value in projected.items():
            named[name][...] = value

    # Build and call.

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make gamma, then beta, and pin the rank and the features of `input_shape` (None where not known).

        A layer that is built already keeps its weights.

        Raises:
            SpecError: a shape that the spec, or the earlier build, does not fit; then nothing is changed.
        """
        self._build(_check_shape("input_shape", input_shape), self._weight_dtype)

    def __call__(self, x: Any, mask: Any = None, *, training: bool | None = None) -> Any:
        """The normalised `x`, as the same kind of array: numpy, whatever speaks DLPack, or an array on a GPU.

        Args:
            x: of any rank from 2; lists of numbers count as an array.
            mask: has no part in it; `compute_mask` passes it on.
            training: whether to keep what `backward` needs: x itself (a copy only where x is cast), its statistics, the weights. They
                take the place of what an earlier such call kept. A call without it keeps nothing.

        Raises:
            SpecError: a shape or dtype that cannot be normalised by this layer.
            TargetError: training on a GPU, for which there are no backward kernels.
        """
        if training:
            return self._call_in_training(x)
        array, wrap = as_array(x)
        route = self._find_route(array)
        self._last = route.kernel
        return wrap(route.kernel(owner_of(route.cast(array)), self._gamma, self._beta))

    def backward(self, dy: Any) -> Any:
        """The gradient of ``sum(dy * y) + sum(losses)`` with respect to x, of the last call with ``training=True``; those of the weights
        are in `gradients` then.

        They are taken at the weights as they were in that call. What the call kept is let go of: one backward a call.

        Args:
            dy: the gradient with respect to y, of its shape; cast to its dtype.

        Returns:
            an array like x; of integers, in the dtype of y.

        Raises:
            SpecError: no call with ``training=True`` before; a regularizer of a trainable weight that has no ``gradient(w)``.
            LaunchError: a `dy` that does not fit. After either, what was kept is still there.
        """
        kept = self._kept
        if kept is None:
            raise SpecError(f"Layer '{self.name}' has no call to differentiate: call it with training=True first, once for every backward.")
        named = {name: weight for name, weight in (("gamma", kept.gamma), ("beta", kept.beta)) if weight is not None and self.trainable}
        slopes = {name: regularizers.gradient(r, named[name]) for name, r in self._regularizers().items() if name in named}
        dx, sums = kept.backward(dy)
        self._gradients = {name: (sums[name] + slopes.get(name, 0)).astype(weight.dtype) for name, weight in named.items()}
        self._kept = None
        return dx

    def kernel_for(self, x: Any) -> Kernel:
        """The kernel that a call with `x` would use; builds the layer if need be."""
        return self._find_route(as_array(x)[0]).kernel

    def explain(self) -> str:
        """How the last call was computed: the kernel's own account of its schedule.

        Raises:
            SpecError: the layer was not called yet.
        """
        if self._last is None:
            raise SpecError(f"Layer '{self.name}' has not been called yet: there is no call to explain.")
        return self._last.explain()

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """The shape of the output: that of the input."""
        return _check_shape("input_shape", input_shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output: that of the input."""
        del inputs
        return mask

    # The config.

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments under Keras's names; JSON can hold it unless a callable was given.

        `activation` and `target`, which Keras's layer does not take, appear only where they were given.
        """
        axis = self.axis
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self._policy.name,
            "groups": self.groups,
            "axis": list(axis) if isinstance(axis, tuple) else axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }
        own = {"activation": (self.activation, None), "target": (self.target, "auto")}
        return config | {key: value for key, (value, default) in own.items() if value != default}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A layer from its config, or from that of Keras's layer; not built."""
        return cls(**config)

    # Below the surface.

    def _call_in_training(self, x: Any) -> Any:
        """y, and what the backward pass needs in `_kept`."""
        array, wrap = as_array(x)
        route = self._find_route(array, training=True)
        cast: Any = owner_of(route.cast(array))
        y, mean, rstd = route.kernel(cast, self._gamma, self._beta)
        gamma, beta = (None if weight is None else weight.copy() for weight in (self._gamma, self._beta))
        assert route.backward is not None
        dtype = array.dtype if array.dtype.name in _FLOATS else route.dtype
        self._last, self._kept = route.kernel, Kept(route.backward, cast, mean, rstd, gamma, beta, dtype, wrap)
        return wrap(y)

    def _find_route(self, array: Array | DeviceArray, training: bool = False) -> _Route:
        """The way of an array like `array` through a kernel; builds the layer and the kernel if need be."""
        key = (type(array), array.shape, array.dtype, array.strides, training)
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = self._make_route(array, training)
        return route

    def _make_route(self, array: Array | DeviceArray, training: bool) -> _Route:
        computed = self._choose_dtype(array.dtype)
        own = "float64" if computed == np.float64 else "float32"
        self._build(array.shape, self._policy.weights or own)
        from gngen import api  # late: it brings the compilers

        cast: Any = array.astype(computed, copy=False)
        if not training:
            return _Route(api.kernel_for(self.spec, cast, self._gamma, self._beta, target=self.target), computed)
        backward = api.backward_for(self.spec, cast, self._gamma, self._beta, target=self.target)
        kernel = api.kernel_for(self.spec, cast, self._gamma, self._beta, target=self.target, outputs=STATISTICS)
        return _Route(kernel, computed, backward)

    def _choose_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """The dtype that an input is cast to, and that of the answer."""
        name = dtype.name
        if name not in _FLOATS and dtype.kind not in "biu":
            raise SpecError(f"Layer '{self.name}' cannot normalise {name}; choose from {', '.join(_FLOATS)}, integers or bool")
        return _float_dtype(self._policy.compute or (name if name in _FLOATS else self._weight_dtype))

    def _build(self, shape: Shape, weight_dtype: str) -> None:
        if self._pinned is not None:
            self._pinned.check(self.name, shape)
            return
        resolved = resolve_axes(self.spec.axes, len(shape), shape)
        check_defined(self.spec.axes, shape)
        pinned = _Pinned(self.spec.axes, len(shape), resolved, tuple(int(shape[a]) for a in resolved))  # type: ignore[arg-type]
        spec = replace(self.spec, groups=resolve_groups(self.spec.groups, math.prod(pinned.features)))
        gamma = self._new_weight("gamma", self.gamma_initializer, pinned, weight_dtype) if spec.scale else None
        beta = self._new_weight("beta", self.beta_initializer, pinned, weight_dtype) if spec.center else None
        self.spec, self._gamma, self._beta, self._weight_dtype, self._pinned = spec, gamma, beta, weight_dtype, pinned

    def _new_weight(self, name: str, initializer: Callable[..., Any], pinned: _Pinned, dtype: str) -> Array:
        wanted = _float_dtype(dtype)
        value = np.asarray(initializer(pinned.features, dtype=dtype))
        if value.shape != pinned.features:
            raise SpecError(f"{name}_initializer answered an array of shape {value.shape}; layer '{self.name}' needs {pinned.features}")
        return np.array(value, dtype=wanted)

    def _named_weights(self) -> dict[str, Array]:
        both = {"gamma": self._gamma, "beta": self._beta}
        return {name: weight for name, weight in both.items() if weight is not None}

    def _regularizers(self) -> dict[str, Callable[..., Any]]:
        both = {"gamma": self.gamma_regularizer, "beta": self.beta_regularizer}
        return {name: regularizer for name, regularizer in both.items() if regularizer is not None}

    def _assign(self, name: str, value: ArrayLike) -> None:
        weight = self._named_weights().get(name)
        if weight is None:
            why = f"{'scale' if name == 'gamma' else 'center'} is off" if self.built else "it is not built"
            raise SpecError(f"Layer '{self.name}' has no {name} to assign to: {why}.")
        weight[...] = self._checked(name, value)

    def _checked(self, name: str, value: ArrayLike) -> Array:
        """`value` as an array that the weight `name` can be overwritten with."""
        weight, array = self._named_weights()[name], np.asarray(value)
        if array.shape != weight.shape:
            raise SpecError(
                f"Layer {self.name} weight shape {weight.shape} is not compatible with provided weight shape {array.shape}. "
                f"The weight is {name}."
            )
        if array.dtype.kind not in "biuf" and array.dtype.name not in _FLOATS:
            raise SpecError(f"Layer {self.name} weight {name} must be real numbers; received dtype {array.dtype}.")
        return array


@dataclass(frozen=True)
class _Pinned:
    """What a build fixes: the rank, and the sizes `features` of the axes `resolved`."""

    axes: tuple[int, ...]
    rank: int
    resolved: tuple[int, ...]
    features: tuple[int, ...]

    def check(self, name: str, shape: Shape) -> None:
        """Raise Keras's sentence for a shape of another rank or with other features."""
        wrong = f"Input 0 of layer '{name}' is incompatible with the layer: "
        if len(shape) != self.rank:
            raise SpecError(f"{wrong}expected ndim={self.rank}, found ndim={len(shape)}. Full shape received: {shape}")
        if tuple(shape[a] for a in self.resolved) != self.features:
            axis, value = (self.axes[0], self.features[0]) if len(self.axes) == 1 else (list(self.resolved), list(self.features))
            raise SpecError(f"{wrong}expected axis {axis} of input shape to have value {value}, but received input with shape {shape}")


@dataclass(frozen=True)
class _Route:
    """How arrays of one shape, dtype and strides are computed: cast to a dtype, and through a kernel of it; backward in training alone."""

    kernel: Kernel
    dtype: np.dtype[Any]
    backward: BackwardKernel | None = None

    def cast(self, array: Array | DeviceArray) -> Array | DeviceArray:
        """`array` as the kernel reads it."""
        return array.astype(self.dtype, copy=False)


@dataclass(frozen=True)
class _Policy:
    """A Keras dtype policy: what to compute in and what the weights are, as names; None where the input says."""

    name: str | None
    compute: str | None
    weights: str | None

    @classmethod
    def parse(cls, dtype: Any) -> _Policy:
        """The policy that a dtype, a policy, its name or its config means."""
        if dtype is None:
            return cls(None, None, None)
        name = _dtype_name(dtype)
        if name in _FLOATS:
            return cls(name, name, name)
        if name in _MIXED:
            return cls(name, _MIXED[name], "float32")
        raise SpecError(f"dtype {dtype!r} is not one that the layer computes in; choose from {', '.join((*_FLOATS, *_MIXED))}")


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
    """Group normalisation as a layer, as part of a model, or at once: what R's ``keras3`` calls it.

    Args:
        object: what to compose with.
        groups, axis, epsilon, ...: those of `GroupNormalization`, with `kwargs`.

    Returns:
        the layer, where `object` is None; the model with the layer added in place, where it has ``add`` and
        ``layers``; the output tensor, where it is a symbolic tensor of Keras; the normalised array, where it is an
        array or lists of numbers.

    Raises:
        SpecError: an argument that the layer refuses; a Keras object where the Keras integration cannot be imported.
    """
    arguments = {
        "groups": groups,
        "axis": axis,
        "epsilon": epsilon,
        "center": center,
        "scale": scale,
        "beta_initializer": beta_initializer,
        "gamma_initializer": gamma_initializer,
        "beta_regularizer": beta_regularizer,
        "gamma_regularizer": gamma_regularizer,
        "beta_constraint": beta_constraint,
        "gamma_constraint": gamma_constraint,
        **kwargs,
    }
    is_model = hasattr(object, "add") and hasattr(object, "layers")
    in_keras = _comes_from_keras(object) and (is_model or type(object).__name__ == "KerasTensor")
    layer = _keras_layer(object)(**arguments) if in_keras else GroupNormalization(**arguments)
    if object is None:
        return layer
    if is_model:
        object.add(layer)
        return object
    return layer(object)


def _comes_from_keras(value: Any) -> bool:
    return any(cls.__module__.split(".")[0] == "keras" for cls in type(value).__mro__)


def _keras_layer(value: Any) -> Any:
    try:
        module = importlib.import_module("gngen.integrations.keras")
    except ImportError as error:
        raise SpecError(
            f"A Keras {type(value).__name__} needs Keras's own kind of layer, from gngen.integrations.keras, "
            f"which cannot be imported: {error}"
        ) from error
    return module.GroupNormalization


def _check_keywords(kwargs: Mapping[str, Any]) -> None:
    unknown = {key: value for key, value in kwargs.items() if key not in _KEYWORDS}
    if unknown:
        choices = ", ".join((*_ARGUMENTS, *_KEYWORDS))
        raise ArgumentError(f"Unrecognized keyword arguments passed to GroupNormalization: {unknown}; choose from {choices}")


def _check_name(name: Any) -> str:
    if name is None:
        number = next(_numbers)
        return f"group_normalization_{number}" if number else "group_normalization"
    if not isinstance(name, str) or "/" in name:
        raise SpecError(f"Argument `name` must be a string and cannot contain character `/`. Received: name={name} (of type {type(name)})")
    return name


def _check_shape(what: str, shape: Any) -> Shape:
    sizes = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else (-1,)
    if all(s is None or (isinstance(s, numbers.Integral) and not isinstance(s, bool) and int(s) >= 0) for s in sizes):
        return tuple(None if s is None else int(s) for s in sizes)
    raise SpecError(f"{what} must be a list or tuple of sizes, each None or an integer, at least 0; received {what}={shape!r}")


def _initializer(identifier: Any) -> Callable[..., Any]:
    found = initializers.get(identifier)
    return initializers.GlorotUniform() if found is None else found


def _dtype_name(dtype: Any) -> str | None:
    """The name of a dtype or policy, however it is given; None for something else."""
    if isinstance(dtype, Mapping):
        config = dtype.get("config")
        return _dtype_name(config.get("name")) if isinstance(config, Mapping) else None
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name in _FLOATS or name in _MIXED:
        return str(name)
    try:
        return None if dtype is None else np.dtype(dtype).name
    except TypeError:
        return None


def _float_dtype(name: str) -> np.dtype[Any]:
    """The dtype of a name in _FLOATS."""
    return dtype_of(KINDS[name])
