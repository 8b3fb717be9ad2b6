"""The layer: its arguments, weights, errors, answers and config."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import sys
import types
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gngen import initializers, reference
from gngen.constraints import MaxNorm, NonNeg
from gngen.errors import SpecError
from gngen.initializers import Constant, GlorotUniform, RandomNormal, Zeros
from gngen.layer import GroupNormalization, layer_group_normalization
from gngen.regularizers import L1, L2
from gngen.spec import GroupNormSpec

KERAS_ORDER = [
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
]


def normal(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def sentence(call: Any, *args: Any, **kwargs: Any) -> str:
    """What the SpecError says that `call` must raise."""
    with pytest.raises(SpecError) as caught:
        call(*args, **kwargs)
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


def assert_normalised(y: Any, x: np.ndarray, layer: GroupNormalization, tolerance: float = 4e-6) -> None:
    """`y` is the oracle's answer, to `tolerance` in units of (1 + |xhat|) * |gamma| + |beta|."""
    plain = GroupNormSpec(layer.groups, layer.axis, layer.epsilon, center=False, scale=False)
    xhat = reference.group_norm(x, None, None, plain, precise=True)[0]
    shape = [x.shape[a] if a in {b % x.ndim for b in layer.spec.axes} else 1 for a in range(x.ndim)]
    gamma = 1.0 if layer.gamma is None else layer.gamma.astype(np.float64).reshape(shape)
    beta = 0.0 if layer.beta is None else layer.beta.astype(np.float64).reshape(shape)
    wanted = reference.group_norm(x, layer.gamma, layer.beta, layer.spec, precise=True)[0]
    error = np.abs(np.asarray(y).astype(np.float64) - wanted) / ((1 + np.abs(xhat)) * np.abs(gamma) + np.abs(beta))
    assert y.shape == x.shape
    assert error.max(initial=0.0) <= tolerance


# Arguments.


def test_the_signatures_are_kerass() -> None:
    functions: list[tuple[Any, str]] = [(GroupNormalization.__init__, "self"), (layer_group_normalization, "object")]
    for function, first in functions:
        parameters = inspect.signature(function).parameters
        assert list(parameters) == [first, *KERAS_ORDER, "kwargs"]
        defaults = [parameters[name].default for name in KERAS_ORDER]
        assert defaults == [32, -1, 1e-3, True, True, "zeros", "ones", None, None, None, None]


def test_positional_arguments_come_in_kerass_order() -> None:
    layer = GroupNormalization(4, 1, 1e-5, False, True, "ones", "zeros", "l1", "l2", "non_neg", "max_norm")
    assert (layer.groups, layer.axis, layer.epsilon, layer.center, layer.scale) == (4, 1, 1e-5, False, True)
    assert (type(layer.beta_initializer).__name__, type(layer.gamma_initializer).__name__) == ("Ones", "Zeros")
    assert (layer.beta_regularizer, layer.gamma_regularizer) == (L1(), L2())
    assert (layer.beta_constraint, layer.gamma_constraint) == (NonNeg(), MaxNorm())


@pytest.mark.parametrize("groups", [0, -2, 1.5, "32", None, True])
def test_bad_groups(groups: Any) -> None:
    assert sentence(GroupNormalization, groups=groups) == (
        "Received an invalid value for argument `groups`, expected a positive integer "
        f"(or `-1` for instance normalization). Received: groups={groups}"
    )


def test_numpy_integers_are_groups() -> None:
    layer = GroupNormalization(groups=np.int32(4))  # type: ignore[arg-type]
    assert layer.groups == 4
    assert type(layer.get_config()["groups"]) is int


def test_an_unknown_keyword() -> None:
    with pytest.raises(TypeError) as caught:
        GroupNormalization(bogus=3)
    assert isinstance(caught.value, SpecError)
    assert str(caught.value) == (
        "Unrecognized keyword arguments passed to GroupNormalization: {'bogus': 3}; choose from groups, axis, epsilon, center, "
        "scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint, "
        "name, dtype, trainable, input_shape, activation, target"
    )


@pytest.mark.parametrize(
    ("keyword", "identifier", "kind"),
    [
        ("gamma_initializer", "nope", "initializer"),
        ("beta_initializer", 3, "initializer"),
        ("gamma_regularizer", "nope", "regularizer"),
        ("beta_regularizer", 3, "regularizer"),
        ("gamma_constraint", "nope", "constraint"),
        ("beta_constraint", 3, "constraint"),
    ],
)
def test_unknown_identifiers(keyword: str, identifier: Any, kind: str) -> None:
    message = sentence(GroupNormalization, **{keyword: identifier})
    assert message.startswith(f"Could not interpret {kind} identifier: {identifier}; choose from ")


@pytest.mark.parametrize("name", ["a/b", 3])
def test_bad_names(name: Any) -> None:
    assert sentence(GroupNormalization, name=name) == (
        f"Argument `name` must be a string and cannot contain character `/`. Received: name={name} (of type {type(name)})"
    )


@pytest.mark.parametrize("trainable", [1, None, "yes"])
def test_bad_trainable(trainable: Any) -> None:
    wanted = f"Expected `trainable` to be a boolean. Received: trainable={trainable} (of type {type(trainable)})"
    assert sentence(GroupNormalization, trainable=trainable) == wanted
    layer = GroupNormalization()
    assert sentence(setattr, layer, "trainable", trainable) == wanted
    assert layer.trainable is True


@pytest.mark.parametrize(
    "dtype", ["int32", "complex64", "float128", "nonsense", object(), {"class_name": "DTypePolicy", "config": {}}, int]
)
def test_bad_dtypes(dtype: Any) -> None:
    assert sentence(GroupNormalization, dtype=dtype) == (
        f"dtype {dtype!r} is not one that the layer computes in; choose from float16, bfloat16, float32, float64, "
        "mixed_float16, mixed_bfloat16"
    )


@pytest.mark.parametrize(
    ("dtype", "name", "weights"),
    [
        (None, None, "float32"),
        ("float32", "float32", "float32"),
        ("float64", "float64", "float64"),
        ("f8", "float64", "float64"),
        (np.float16, "float16", "float16"),
        (np.dtype("float64"), "float64", "float64"),
        (float, "float64", "float64"),
        ("mixed_float16", "mixed_float16", "float32"),
        ("mixed_bfloat16", "mixed_bfloat16", "float32"),
        (types.SimpleNamespace(name="mixed_float16"), "mixed_float16", "float32"),
        ({"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float64"}, "registered_name": None}, "float64", "float64"),
    ],
)
def test_dtypes(dtype: Any, name: str | None, weights: str) -> None:
    layer = GroupNormalization(2, dtype=dtype, input_shape=(4,))
    assert layer.dtype == weights
    assert [w.dtype.name for w in layer.weights] == [weights] * 2
    assert layer.get_config()["dtype"] == name


def test_bfloat16_weights() -> None:
    layer = GroupNormalization(2, dtype="bfloat16", gamma_initializer=Constant(1.5), input_shape=(4,))
    assert [w.dtype for w in layer.weights] == [ml_dtypes.bfloat16] * 2
    assert layer.gamma is not None
    assert layer.gamma.tolist() == [1.5] * 4


# Names.


def test_names_are_numbered() -> None:
    code = (
        "from gngen.layer import GroupNormalization as G, layer_group_normalization as f;"
        "print(G().name, G(name='mine').name, G().name, f().name, G.from_config(G(name='g').get_config()).name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["group_normalization", "mine", "group_normalization_1", "group_normalization_2", "g"]


def test_repr() -> None:
    assert repr(GroupNormalization(name="gn")) == "<GroupNormalization name=gn, built=False>"
    assert repr(GroupNormalization(1, name="gn", input_shape=(3,))) == "<GroupNormalization name=gn, built=True>"


def test_importing_brings_neither_numba_nor_jinja2() -> None:
    code = "import sys, gngen.layer; print({'numba', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# Build.


def test_an_unbuilt_layer() -> None:
    layer = GroupNormalization(4, name="gn", gamma_regularizer="l2", gamma_constraint="non_neg")
    assert layer.built is False
    assert (layer.gamma, layer.beta) == (None, None)
    assert layer.weights == layer.trainable_weights == layer.non_trainable_weights == layer.get_weights() == []
    assert layer.losses == []
    assert layer.dtype == "float32"
    layer.apply_constraints()
    layer.set_weights([])
    assert sentence(layer.count_params) == (
        "You tried to call `count_params` on layer 'gn', but the layer isn't built. "
        "You can build it manually via: `layer.build(input_shape)`."
    )
    assert sentence(layer.set_weights, [np.ones(8)]) == (
        "You called `set_weights(weights)` on layer 'gn' with a weight list of length 1, but the layer was expecting 0 weights. "
        "It is not built."
    )
    assert sentence(setattr, layer, "gamma", np.ones(8)) == "Layer 'gn' has no gamma to assign to: it is not built."
    assert sentence(layer.explain) == "Layer 'gn' has not been called yet: there is no call to explain."


def test_build_makes_the_weights() -> None:
    layer = GroupNormalization(4)
    layer.build((None, None, 8))
    assert layer.built is True
    assert layer.gamma is not None
    assert layer.beta is not None
    assert layer.gamma.tolist() == [1.0] * 8
    assert layer.beta.tolist() == [0.0] * 8
    assert [w.dtype for w in layer.weights] == [np.float32] * 2
    assert layer.weights[0] is layer.gamma
    assert layer.weights[1] is layer.beta
    assert layer.count_params() == 16


def test_input_shape_builds_at_once() -> None:
    layer = GroupNormalization(4, input_shape=(None, 8))
    assert layer.built
    assert layer(normal(2, 5, 8)).shape == (2, 5, 8)
    assert "expected ndim=3, found ndim=2" in sentence(layer, normal(2, 8))


@pytest.mark.parametrize(("center", "scale", "names"), [(False, True, ["gamma"]), (True, False, ["beta"]), (False, False, [])])
def test_weights_that_are_off(center: bool, scale: bool, names: list[str]) -> None:
    layer = GroupNormalization(2, center=center, scale=scale, name="gn", input_shape=(4,))
    assert (layer.gamma is not None) == scale
    assert (layer.beta is not None) == center
    assert layer.count_params() == 4 * len(names)
    assert len(layer.get_weights()) == len(names)
    if not scale:
        assert sentence(setattr, layer, "gamma", np.ones(4)) == "Layer 'gn' has no gamma to assign to: scale is off."
    if not center:
        assert sentence(setattr, layer, "beta", np.ones(4)) == "Layer 'gn' has no beta to assign to: center is off."


def test_gamma_is_made_before_beta() -> None:
    made: list[str] = []

    def initializer(name: str) -> Any:
        def initialize(shape: tuple[int, ...], dtype: Any = None) -> Any:
            made.append(name)
            return np.zeros(shape, dtype)

        return initialize

    GroupNormalization(2, beta_initializer=initializer("beta"), gamma_initializer=initializer("gamma"), input_shape=(4,))
    assert made == ["gamma", "beta"]


def test_initializers_are_used() -> None:
    layer = GroupNormalization(2, gamma_initializer=RandomNormal(seed=3), beta_initializer=Constant(2.0), dtype="float64", input_shape=(4,))
    assert layer.gamma is not None
    assert layer.beta is not None
    assert (layer.gamma == RandomNormal(seed=3)((4,), "float64")).all()
    assert layer.beta.tolist() == [2.0] * 4


def test_no_initializer_means_glorot_uniform_as_in_keras() -> None:
    layer = GroupNormalization(2, gamma_initializer=None, input_shape=(64,))
    assert layer.gamma_initializer == GlorotUniform()
    assert layer.gamma is not None
    assert 0.1 < np.abs(layer.gamma).max() <= (3 / 64) ** 0.5


def test_an_initializer_that_answers_another_shape() -> None:
    layer = GroupNormalization(2, beta_initializer=lambda shape, dtype: [1.0, 2.0], name="gn")
    assert sentence(layer.build, (None, 4)) == "beta_initializer answered an array of shape (2,); layer 'gn' needs (4,)"
    assert not layer.built
    assert layer.gamma is None


def test_an_initializers_array_is_copied() -> None:
    mine = np.ones(4, np.float32)
    layer = GroupNormalization(2, gamma_initializer=lambda shape, dtype: mine, input_shape=(4,))
    mine[:] = 7
    assert layer.get_weights()[0].tolist() == [1.0] * 4


def test_instance_normalisation_takes_the_channels_as_groups() -> None:
    layer = GroupNormalization(groups=-1)
    assert layer.groups == -1
    layer.build((None, 5, 6))
    assert layer.groups == 6
    assert layer.get_config()["groups"] == 6
    x = normal(2, 5, 6)
    assert_normalised(layer(x), x, layer)


def test_a_list_axis_gives_weights_of_the_shape_of_the_axes() -> None:
    layer = GroupNormalization(6, axis=[3, 1], input_shape=(2, 5, 6))
    assert layer.axis == (3, 1)
    assert [w.shape for w in layer.weights] == [(2, 6)] * 2
    assert layer.count_params() == 24
    instance = GroupNormalization(-1, axis=(1, 3), input_shape=(2, 5, 6))
    assert instance.groups == 12


@pytest.mark.parametrize(
    ("arguments", "shape", "wanted"),
    [
        (
            {"groups": 4},
            (2, 3, None),
            "Axis -1 of input tensor should have a defined dimension but the layer received an input with shape (2, 3, None).",
        ),
        ({"groups": 32}, (2, 3, 8), "Number of groups (32) cannot be more than the number of channels (8). Nearest that fit: 8."),
        ({"groups": 32}, (2, 3, 48), "Number of groups (32) must be a multiple of the number of channels (48). Nearest that fit: 24, 48."),
        ({"groups": 4, "axis": 0}, (2, 3, 8), "axis 0 of the shape (2, 3, 8) is the batch and cannot be normalised over; choose from 1..2"),
        ({"groups": 4, "axis": 3}, (2, 3, 8), "axis 3 is out of range for the shape (2, 3, 8); choose from -2..2, not 0"),
        ({"groups": 4, "axis": [1, -2]}, (2, 3, 8), "axis [1, -2] names an axis of the shape (2, 3, 8) twice"),
        ({"groups": 1}, (8,), "group normalisation needs a batch axis and a feature axis; the input has shape (8,)"),
    ],
)
def test_build_errors(arguments: dict[str, Any], shape: tuple[int | None, ...], wanted: str) -> None:
    layer = GroupNormalization(**arguments)
    assert sentence(layer.build, shape) == wanted
    assert not layer.built
    assert layer.groups == arguments["groups"]
    if None not in shape:
        assert sentence(layer, np.zeros(shape, np.float32)) == wanted


def test_an_undefined_axis_is_reported_before_the_groups() -> None:
    assert sentence(GroupNormalization(32, axis=[1, 2]).build, (None, 3, None)).startswith("Axis [1, 2] of input tensor should have")


@pytest.mark.parametrize("shape", [8, "8", (8.0,), (-1,), (True,), None])
def test_bad_shapes(shape: Any) -> None:
    wanted = f"input_shape must be a list or tuple of sizes, each None or an integer, at least 0; received input_shape={shape!r}"
    assert sentence(GroupNormalization(1).build, shape) == wanted
    assert sentence(GroupNormalization(1).compute_output_shape, shape) == wanted
    if shape is not None:
        assert sentence(GroupNormalization, 1, input_shape=shape) == wanted


def test_rank_and_channels_are_pinned() -> None:
    layer = GroupNormalization(4, name="gn", gamma_initializer=Constant(3.0))
    for shape in [(2, 3, 8), (5, 7, 8), (1, 1, 8)]:
        assert layer(normal(*shape)).shape == shape
    wrong = "Input 0 of layer 'gn' is incompatible with the layer: "
    assert sentence(layer, normal(2, 8)) == f"{wrong}expected ndim=3, found ndim=2. Full shape received: (2, 8)"
    channels = f"{wrong}expected axis -1 of input shape to have value 8, but received input with shape (2, 3, 4)"
    assert sentence(layer, normal(2, 3, 4)) == channels
    assert sentence(layer.build, (2, 3, 4)) == channels
    assert layer.get_weights()[0].tolist() == [3.0] * 8


def test_several_axes_are_pinned() -> None:
    layer = GroupNormalization(4, axis=[-1, 1], name="gn", input_shape=(2, 5, 6))
    assert sentence(layer, normal(1, 6, 5, 2)) == (
        "Input 0 of layer 'gn' is incompatible with the layer: expected axis [1, 3] of input shape to have value [2, 6], "
        "but received input with shape (1, 6, 5, 2)"
    )


def test_building_again_keeps_the_weights() -> None:
    layer = GroupNormalization(4, input_shape=(3, 8))
    layer.gamma = np.arange(8)
    (gamma, _) = layer.weights
    layer.build((None, 7, 8))
    assert layer.gamma is gamma
    assert gamma.tolist() == list(range(8))


# Weights.


def test_get_weights_copies() -> None:
    layer = GroupNormalization(2, input_shape=(4,))
    for weight in layer.get_weights():
        weight[:] = 9
    assert [w.tolist() for w in layer.get_weights()] == [[1.0] * 4, [0.0] * 4]


def test_set_weights() -> None:
    layer = GroupNormalization(2, input_shape=(4,))
    gamma = layer.gamma
    layer.set_weights([np.arange(4), [4.0, 5.0, 6.0, 7.0]])
    assert [w.tolist() for w in layer.get_weights()] == [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]
    assert layer.gamma is gamma, "the array stays the same one"
    assert [w.dtype for w in layer.weights] == [np.float32] * 2
    other = GroupNormalization(2, input_shape=(4,))
    other.set_weights(layer.get_weights())
    x = normal(3, 4)
    assert (other(x) == layer(x)).all()


def test_set_weights_changes_nothing_when_one_is_wrong() -> None:
    layer = GroupNormalization(2, name="gn", input_shape=(4,))
    before = layer.get_weights()
    assert sentence(layer.set_weights, [np.zeros(4), np.ones(3)]) == (
        "Layer gn weight shape (4,) is not compatible with provided weight shape (3,). The weight is beta."
    )
    assert sentence(layer.set_weights, [np.zeros((4, 1)), np.ones(4)]) == (
        "Layer gn weight shape (4,) is not compatible with provided weight shape (4, 1). The weight is gamma."
    )
    assert sentence(layer.set_weights, [np.zeros(4), np.ones(4, complex)]) == (
        "Layer gn weight beta must be real numbers; received dtype complex128."
    )
    assert sentence(layer.set_weights, [np.zeros(4)]) == (
        "You called `set_weights(weights)` on layer 'gn' with a weight list of length 1, but the layer was expecting 2 weights."
    )
    assert all((a == b).all() for a, b in zip(layer.get_weights(), before, strict=True))


def test_assigning_copies() -> None:
    layer = GroupNormalization(2, name="gn", input_shape=(4,))
    mine = np.arange(4.0)
    layer.gamma = mine
    mine[:] = 9
    assert layer.get_weights()[0].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert layer.gamma is not None
    layer.gamma -= 1
    layer.beta = [1, 2, 3, 4]
    assert [w.tolist() for w in layer.get_weights()] == [[-1.0, 0.0, 1.0, 2.0], [1.0, 2.0, 3.0, 4.0]]
    assert sentence(setattr, layer, "beta", np.ones(3)) == (
        "Layer gn weight shape (4,) is not compatible with provided weight shape (3,). The weight is beta."
    )
    x = normal(3, 4)
    assert_normalised(layer(x), x, layer)


def test_trainable() -> None:
    layer = GroupNormalization(2, gamma_regularizer="l2", gamma_constraint="non_neg", input_shape=(4,))
    assert len(layer.trainable_weights) == 2
    assert layer.non_trainable_weights == []
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == len(layer.weights) == 2
    assert layer.losses == []
    layer.gamma = -np.ones(4)
    layer.apply_constraints()
    assert layer.get_weights()[0].tolist() == [-1.0] * 4
    assert GroupNormalization(trainable=False).get_config()["trainable"] is False


def test_losses() -> None:
    layer = GroupNormalization(2, beta_regularizer=L2(0.1), gamma_regularizer=L1(0.5), input_shape=(4,))
    layer.set_weights([[1, -2, 3, 4], [1, 2, 3, 4]])
    assert layer.losses == [pytest.approx(5.0, rel=1e-15), pytest.approx(3.0, rel=1e-15)]
    assert all(type(loss) is float for loss in layer.losses)
    only_beta = GroupNormalization(2, beta_regularizer=lambda w: np.float32(w.sum() + 1), input_shape=(4,))
    assert only_beta.losses == [1.0]
    off = GroupNormalization(2, scale=False, gamma_regularizer="l1", input_shape=(4,))
    assert off.losses == []
    bad = GroupNormalization(2, beta_regularizer=np.negative, input_shape=(4,))
    assert "must answer one number" in sentence(lambda: bad.losses)


def test_apply_constraints() -> None:
    layer = GroupNormalization(2, beta_constraint="non_neg", gamma_constraint=MaxNorm(1.0), input_shape=(4,))
    gamma = layer.gamma
    layer.set_weights([[3, 0, -4, 0], [1, -2, 3, -4]])
    layer.apply_constraints()
    assert layer.gamma is gamma
    assert layer.get_weights()[0] == pytest.approx([0.6, 0.0, -0.8, 0.0], rel=1e-6)
    assert layer.get_weights()[1].tolist() == [1.0, 0.0, 3.0, 0.0]


def test_apply_constraints_changes_nothing_when_one_is_wrong() -> None:
    layer = GroupNormalization(2, beta_constraint=lambda w: w[:2], gamma_constraint=np.negative, name="gn", input_shape=(4,))
    assert sentence(layer.apply_constraints) == (
        "Layer gn weight shape (4,) is not compatible with provided weight shape (2,). The weight is beta."
    )
    assert layer.get_weights()[0].tolist() == [1.0] * 4


# Calls.


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"groups": 4}, (3, 8)),
        ({"groups": 4}, (2, 5, 8)),
        ({"groups": 4, "axis": 1}, (2, 8, 5, 3)),
        ({"groups": 2, "axis": 2}, (2, 3, 8, 5)),
        ({"groups": 1}, (2, 5, 8)),
        ({"groups": -1}, (2, 5, 8)),
        ({"groups": 8, "center": False}, (2, 5, 8)),
        ({"groups": 8, "scale": False}, (2, 5, 8)),
        ({"groups": 2, "scale": False, "center": False}, (2, 5, 8)),
        ({"groups": 4, "axis": [1, 3]}, (2, 4, 3, 6)),
        ({"groups": 4, "axis": [-1, 2, 1]}, (2, 4, 3, 6)),
        ({"groups": 4, "axis": [-1]}, (2, 5, 8)),
        ({"groups": 4, "epsilon": 0.5}, (2, 5, 8)),
    ],
)
def test_answers_match_the_oracle(arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    layer = GroupNormalization(
        **arguments, gamma_initializer=RandomNormal(1.0, 0.5, seed=1), beta_initializer=RandomNormal(0.0, 0.5, seed=2)
    )
    x = normal(*shape) * 3 + 1
    y = layer(x)
    assert y.dtype == np.float32
    assert_normalised(y, x, layer)


def test_a_worked_example() -> None:
    layer = GroupNormalization(2, epsilon=0.0, input_shape=(4,))
    layer.set_weights([[1, 1, 2, 2], [0, 0, 10, 10]])
    assert layer(np.array([[1, 3, 5, 9]], np.float32)) == pytest.approx(np.array([[-1, 1, 8, 12]]), abs=1e-5)


def test_an_activation() -> None:
    layer = GroupNormalization(2, activation="relu")
    x = normal(3, 5, 8)
    plain = GroupNormalization(2)(x)
    assert (layer(x) == np.maximum(plain, 0)).all()
    assert "activation 'cube' is not known" in sentence(GroupNormalization, activation="cube")


def test_memory_order_does_not_matter() -> None:
    x = normal(2, 4, 6, 8)
    layer = GroupNormalization(4)
    wanted = layer(x)
    for other in (np.asfortranarray(x), x.transpose(0, 3, 1, 2).copy().transpose(0, 2, 3, 1), np.repeat(x, 2, axis=2)[:, :, ::2]):
        assert_normalised(layer(other), x, layer)
        assert layer(other) == pytest.approx(wanted, abs=1e-5)


def test_the_input_is_not_changed() -> None:
    x = normal(2, 3, 8)
    before = x.copy()
    GroupNormalization(4)(x)
    assert (x == before).all()


@pytest.mark.parametrize("shape", [(0, 3, 8), (0, 8)])
def test_an_empty_batch(shape: tuple[int, ...]) -> None:
    y = GroupNormalization(4)(np.zeros(shape, np.float32))
    assert y.shape == shape
    assert y.dtype == np.float32


@pytest.mark.parametrize(
    ("dtype", "given", "answered", "weights"),
    [
        (None, "float32", "float32", "float32"),
        (None, "float64", "float64", "float64"),
        (None, "int64", "float32", "float32"),
        (None, "uint8", "float32", "float32"),
        (None, "bool", "float32", "float32"),
        ("float32", "float64", "float32", "float32"),
        ("float64", "float32", "float64", "float64"),
        ("float64", "int32", "float64", "float64"),
        ("float32", ">f4", "float32", "float32"),
        (None, ">f8", "float64", "float64"),
    ],
)
def test_what_is_computed_in(dtype: str | None, given: str, answered: str, weights: str) -> None:
    layer = GroupNormalization(4, dtype=dtype)
    x = (normal(2, 5, 8) * 9).astype(given)
    y = layer(x)
    assert y.dtype.name == answered
    assert layer.dtype == weights
    assert [w.dtype.name for w in layer.weights] == [weights] * 2
    assert_normalised(y, x.astype(answered), layer, 1e-13 if answered == "float64" else 4e-6)


@pytest.mark.parametrize(
    ("dtype", "given", "answered", "weights"),
    [
        (None, "float16", "float16", "float32"),
        ("float16", "float32", "float16", "float16"),
        ("mixed_float16", "float64", "float16", "float32"),
    ],
)
def test_half_precision(dtype: str | None, given: str, answered: str, weights: str) -> None:
    layer = GroupNormalization(4, dtype=dtype)
    x = normal(2, 5, 8).astype(given)
    y = layer(x)
    assert y.dtype.name == answered
    assert [w.dtype.name for w in layer.weights] == [weights] * 2
    assert_normalised(y, x.astype(answered), layer, 2**-10)


def test_bfloat16() -> None:
    layer = GroupNormalization(4)
    x = normal(2, 5, 8).astype(ml_dtypes.bfloat16)
    y = layer(x)
    assert y.dtype == ml_dtypes.bfloat16
    assert [w.dtype for w in layer.weights] == [np.float32] * 2
    assert_normalised(y, x.astype(np.float64), layer, 2**-7)


@pytest.mark.parametrize(
    ("dtype", "given", "parameters"),
    [(None, "float16", "f32"), (None, "bfloat16", "f32"), ("bfloat16", "float32", "bf16"), ("mixed_bfloat16", "float32", "f32")],
)
def test_halves_go_through_kernels_of_their_own(dtype: str | None, given: str, parameters: str) -> None:
    layer = GroupNormalization(4, dtype=dtype, gamma_initializer=RandomNormal(1.0, seed=1))
    x = normal(2, 5, 8).astype(given)
    kernel = layer.kernel_for(x)
    assert kernel.problem.data == {"float16": "f16"}.get(given, "bf16")
    assert kernel.problem.parameters == parameters
    if dtype is None:
        wide = [None if a is None else a.astype("float32") for a in (x, layer.gamma, layer.beta)]
        assert (layer(x) == GroupNormalization.from_config(layer.get_config())(wide[0]).astype(given)).all()


def test_both_precisions_through_one_layer() -> None:
    layer = GroupNormalization(4, gamma_initializer=RandomNormal(1.0, seed=1))
    single, double = normal(2, 5, 8), normal(2, 5, 8, dtype="float64")
    assert layer(single).dtype == np.float32
    y = layer(double)
    assert y.dtype == np.float64
    assert [w.dtype for w in layer.weights] == [np.float32] * 2
    assert_normalised(y, double, layer, 1e-13)
    other = GroupNormalization(4)
    other(double)
    assert other(single).dtype == np.float32
    assert_normalised(other(single), single, other)


def test_building_settles_the_weights_dtype() -> None:
    layer = GroupNormalization(4, input_shape=(5, 8))
    layer(normal(2, 5, 8, dtype="float64"))
    assert [w.dtype for w in layer.weights] == [np.float32] * 2


@pytest.mark.parametrize(
    ("x", "name"), [(np.ones((2, 8), complex), "complex128"), (np.full((2, 8), "a"), "str32"), (np.full((2, 8), None), "object")]
)
def test_refused_dtypes(x: np.ndarray, name: str) -> None:
    for dtype in (None, "float32"):
        layer = GroupNormalization(4, name="gn", dtype=dtype)
        assert (
            sentence(layer, x) == f"Layer 'gn' cannot normalise {name}; choose from float16, bfloat16, float32, float64, integers or bool"
        )
        assert not layer.built


def test_lists_count_as_arrays() -> None:
    y = GroupNormalization(2, epsilon=0.0)([[1, 3, 5, 9], [2, 4, 9, 5]])
    assert isinstance(y, np.ndarray)
    assert y == pytest.approx(np.array([[-1, 1, -1, 1], [-1, 1, 1, -1]]), abs=1e-5)


def test_torch_tensors_come_back_as_such() -> None:
    torch = pytest.importorskip("torch")
    layer = GroupNormalization(4, axis=1)
    x = normal(2, 8, 5, 3)
    for tensor in (torch.from_numpy(x), torch.from_numpy(x).to(memory_format=torch.channels_last)):
        y = layer(tensor)
        assert isinstance(y, torch.Tensor)
        assert y.dtype == torch.float32
        assert_normalised(y.numpy(), x, layer)


def test_masks_pass_through() -> None:
    layer = GroupNormalization(4)
    x, mask = normal(2, 5, 8), np.array([[True] * 5, [False] * 5])
    assert (layer(x, mask=mask) == layer(x)).all()
    assert layer.compute_mask(x, mask) is mask
    assert layer.compute_mask(x) is None


def test_compute_output_shape() -> None:
    layer = GroupNormalization(4)
    assert layer.compute_output_shape([None, 5, 8]) == (None, 5, 8)
    assert not layer.built


# Kernels.


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is asked of `gngen.api.kernel_for`, call by call."""
    from gngen import api

    asked: list[tuple[Any, ...]] = []
    inner = api.kernel_for

    def kernel_for(spec: Any, x: Any, gamma: Any, beta: Any, *, target: str = "auto") -> Any:
        asked.append((spec, x.shape, x.dtype.name, x.strides, target))
        return inner(spec, x, gamma, beta, target=target)

    monkeypatch.setattr(api, "kernel_for", kernel_for)
    return asked


def test_one_kernel_a_shape_dtype_and_strides(compiled: list[tuple[Any, ...]]) -> None:
    layer = GroupNormalization(4)
    x = normal(2, 5, 8)
    for _ in range(3):
        layer(x)
        layer(x + 1)
    assert compiled == [(layer.spec, (2, 5, 8), "float32", (160, 32, 4), "auto")]
    layer(normal(3, 5, 8))
    layer(normal(2, 5, 8, dtype="float64"))
    layer(np.asfortranarray(x))
    assert [entry[1:4] for entry in compiled[1:]] == [
        ((3, 5, 8), "float32", (160, 32, 4)),
        ((2, 5, 8), "float64", (320, 64, 8)),
        ((2, 5, 8), "float32", (4, 8, 40)),
    ]
    layer(x)
    assert len(compiled) == 4


def test_halves_of_either_kind_keep_apart(compiled: list[tuple[Any, ...]]) -> None:
    layer = GroupNormalization(4)
    for _ in range(2):
        for dtype in (np.float16, ml_dtypes.bfloat16):
            assert layer(np.ones((2, 8), dtype)).dtype == dtype
    assert len(compiled) == 2


def test_an_input_is_rounded_to_the_layers_dtype_first(compiled: list[tuple[Any, ...]]) -> None:
    layer = GroupNormalization(4, dtype="float16")
    x = normal(2, 5, 8) * 1e-3 + 1
    half = x.astype(np.float16)
    wanted = layer(half)
    for _ in range(2):
        for same in (x, half.astype(np.float32), half.astype(np.float64)):
            y = layer(same)
            assert y.dtype == np.float16
            assert (y == wanted).all()
    assert len({entry[2] for entry in compiled}) == 1


def test_kernels_get_the_machines_byte_order(monkeypatch: pytest.MonkeyPatch) -> None:
    from gngen import api

    seen: list[np.dtype[Any]] = []

    def kernel_for(spec: Any, x: Any, *weights: Any, **kwargs: Any) -> Any:
        seen.append(x.dtype)
        return lambda x, gamma, beta: x

    monkeypatch.setattr(api, "kernel_for", kernel_for)
    x = normal(2, 8)
    for order in "<>":
        assert (GroupNormalization(4)(x.astype(f"{order}f4")) == x).all()
    assert seen == [np.dtype(np.float32)] * 2


def test_kernel_for_is_the_kernel_that_a_call_uses(compiled: list[tuple[Any, ...]]) -> None:
    layer = GroupNormalization(-1, dtype="float64")
    x = normal(2, 5, 8)
    kernel = layer.kernel_for(x)
    assert layer.built
    assert layer.groups == 8
    layer(x)
    assert layer.kernel_for(x) is kernel
    assert [entry[2:] for entry in compiled] == [("float64", (320, 64, 8), "auto")]
    assert compiled[0][0].groups == 8


def test_the_target_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from gngen import api

    seen: list[str] = []

    def kernel_for(spec: Any, x: Any, *weights: Any, target: str = "auto") -> Any:
        seen.append(target)
        return lambda x, gamma, beta: x

    monkeypatch.setattr(api, "kernel_for", kernel_for)
    layer = GroupNormalization(4, target="c:x86-64-v3")
    layer(normal(2, 8))
    assert seen == ["c:x86-64-v3"]
    assert layer.get_config()["target"] == "c:x86-64-v3"


def test_weights_that_are_off_reach_the_kernel_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from gngen import api

    seen: list[tuple[Any, Any]] = []

    def kernel(x: Any, gamma: Any, beta: Any) -> Any:
        seen.append((gamma, beta))
        return x

    monkeypatch.setattr(api, "kernel_for", lambda *args, **kwargs: kernel)
    for center, scale in [(True, True), (True, False), (False, True), (False, False)]:
        layer = GroupNormalization(4, center=center, scale=scale)
        layer(normal(2, 8))
        gamma, beta = seen.pop()
        assert gamma is layer.gamma
        assert beta is layer.beta
        assert (gamma is not None, beta is not None) == (scale, center)


def test_explain_tells_of_the_last_call() -> None:
    layer = GroupNormalization(4)
    layer(normal(2, 5, 8))
    explained = layer.explain()
    assert isinstance(explained, str)
    assert explained


def test_copies_and_pickles() -> None:
    layer = GroupNormalization(4, gamma_initializer=RandomNormal(1.0, seed=1), gamma_regularizer="l2", name="gn")
    x = normal(2, 5, 8)
    y = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert (other(x) == y).all()
        assert other.get_config() == layer.get_config()
        other.weights[0][:] = 0
    assert (layer(x) == y).all()


def test_a_pickle_leaves_the_kernels_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    from gngen import api

    monkeypatch.setattr(api, "kernel_for", lambda *args, **kwargs: lambda x, gamma, beta: x)
    layer = GroupNormalization(4)
    layer(normal(2, 8))
    other = pickle.loads(pickle.dumps(layer))
    assert other.get_config() == layer.get_config()
    assert "has not been called yet" in sentence(other.explain)


# Configs.


def test_the_config_exactly() -> None:
    zeros, ones = {"class_name": "Zeros", "config": {}}, {"class_name": "Ones", "config": {}}
    assert GroupNormalization(4, name="gn").get_config() == {
        "name": "gn",
        "trainable": True,
        "dtype": None,
        "groups": 4,
        "axis": -1,
        "epsilon": 1e-3,
        "center": True,
        "scale": True,
        "beta_initializer": zeros,
        "gamma_initializer": ones,
        "beta_regularizer": None,
        "gamma_regularizer": None,
        "beta_constraint": None,
        "gamma_constraint": None,
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"groups": -1, "axis": [1, 3], "epsilon": 1e-5, "center": False, "scale": False},
        {"beta_initializer": "ones", "gamma_initializer": RandomNormal(1.0, 0.1, seed=4)},
        {"beta_regularizer": "l1", "gamma_regularizer": L2(0.5), "beta_constraint": "unit_norm", "gamma_constraint": MaxNorm(3, 0)},
        {"name": "mine", "dtype": "mixed_float16", "trainable": False},
        {"activation": "swish", "target": "c"},
        {"gamma_initializer": None},
    ],
)
def test_the_config_round_trips_through_json(arguments: dict[str, Any]) -> None:
    layer = GroupNormalization(**arguments)
    config = layer.get_config()
    again = GroupNormalization.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    assert again.spec == layer.spec
    assert again.gamma_initializer == layer.gamma_initializer
    assert again.gamma_constraint == layer.gamma_constraint
    assert (again.name, again.dtype, again.trainable, again.target) == (layer.name, layer.dtype, layer.trainable, layer.target)
    assert not again.built


def test_several_axes_are_a_list_in_the_config() -> None:
    assert GroupNormalization(4, axis=(1, 3)).get_config()["axis"] == [1, 3]
    assert GroupNormalization(4, axis=(1,)).get_config()["axis"] == 1


def test_callables_round_trip_as_they_are() -> None:
    layer = GroupNormalization(4, gamma_initializer=np.ones, beta_regularizer=np.sum, gamma_constraint=np.abs)
    again = GroupNormalization.from_config(layer.get_config())
    assert again.gamma_initializer is np.ones
    assert again.beta_regularizer is np.sum
    assert again.gamma_constraint is np.abs


def test_from_what_keras_writes() -> None:
    config = {
        "name": "gn",
        "trainable": False,
        "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None},
        "groups": 4,
        "axis": -1,
        "epsilon": 0.001,
        "center": True,
        "scale": True,
        "beta_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": None},
        "gamma_initializer": {"module": "keras.initializers", "class_name": "Constant", "config": {"value": 2.0}, "registered_name": None},
        "beta_regularizer": {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.01}, "registered_name": None},
        "gamma_regularizer": None,
        "beta_constraint": None,
        "gamma_constraint": {"module": "keras.constraints", "class_name": "MaxNorm", "config": {"max_value": 2}, "registered_name": None},
    }
    layer = GroupNormalization.from_config(config)
    assert (layer.name, layer.trainable, layer.dtype, layer.groups) == ("gn", False, "float32", 4)
    assert layer.beta_initializer == Zeros()
    assert layer.gamma_initializer == Constant(2.0)
    assert layer.beta_regularizer == L2(0.01)
    assert layer.gamma_constraint == MaxNorm(2)


# The function.


class Model:
    """A model that layers are added to, from no framework in particular."""

    def __init__(self) -> None:
        self.layers: list[Any] = []

    def add(self, layer: Any) -> None:
        self.layers.append(layer)


def test_without_an_object_it_makes_a_layer() -> None:
    for layer in (layer_group_normalization(groups=4, name="gn"), layer_group_normalization(None, 4, name="gn")):
        assert layer.get_config() == GroupNormalization(4, name="gn").get_config()


def test_every_argument_is_passed_on() -> None:
    values: list[Any] = [4, 1, 1e-5, False, True, "ones", "zeros", "l1", "l2", "non_neg", "max_norm"]
    more: dict[str, Any] = {"name": "gn", "dtype": "float64", "trainable": False, "activation": "relu", "target": "c"}
    assert layer_group_normalization(None, *values, **more).get_config() == GroupNormalization(*values, **more).get_config()
    assert sentence(layer_group_normalization, bogus=1).startswith(
        "Unrecognized keyword arguments passed to GroupNormalization: {'bogus': 1}"
    )


def test_a_model_gets_the_layer_added_in_place() -> None:
    model = Model()
    assert layer_group_normalization(model, groups=4, name="gn") is model
    assert [layer.name for layer in model.layers] == ["gn"]
    assert isinstance(model.layers[0], GroupNormalization)


def test_an_array_is_normalised_at_once() -> None:
    x = normal(2, 5, 8)
    layer = GroupNormalization(4, epsilon=1e-5)
    assert (layer_group_normalization(x, groups=4, epsilon=1e-5) == layer(x)).all()
    lists = layer_group_normalization([[1, 3, 5, 9]], groups=2, epsilon=0)
    assert lists == pytest.approx(np.array([[-1, 1, -1, 1]]), abs=1e-5)
    assert sentence(layer_group_normalization, x) == (
        "Number of groups (32) cannot be more than the number of channels (8). Nearest that fit: 8."
    )


def test_a_number_is_not_an_array() -> None:
    assert sentence(layer_group_normalization, np.float32(1), groups=1) == (
        "group normalisation needs a batch axis and a feature axis; the input has shape ()"
    )


def keras_like(name: str, **members: Any) -> Any:
    return type(name, (), {"__module__": "keras.src.somewhere", **members})()


def test_keras_objects_need_the_keras_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gngen.integrations.keras", None)
    for value in (keras_like("Sequential", layers=[], add=None), keras_like("KerasTensor", shape=(None, 8))):
        message = sentence(layer_group_normalization, value)
        assert message.startswith(
            f"A Keras {type(value).__name__} needs Keras's own kind of layer, from gngen.integrations.keras, which cannot be imported: "
        )


def test_keras_objects_get_the_integrations_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    class Theirs:
        def __init__(self, **kwargs: Any) -> None:
            made.append(kwargs)

        def __call__(self, x: Any) -> Any:
            return ("output", x)

    module = types.ModuleType("gngen.integrations.keras")
    module.GroupNormalization = Theirs  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gngen.integrations", types.ModuleType("gngen.integrations"))
    monkeypatch.setitem(sys.modules, "gngen.integrations.keras", module)
    added: list[Any] = []
    model = keras_like("Sequential", layers=[], add=lambda self, layer: added.append(layer))
    assert layer_group_normalization(model, groups=4, name="gn") is model
    assert [type(layer) for layer in added] == [Theirs]
    tensor = keras_like("KerasTensor", shape=(None, 8))
    assert layer_group_normalization(tensor, groups=4) == ("output", tensor)
    assert made[0]["name"] == "gn"
    assert [list(kwargs)[:11] for kwargs in made] == [KERAS_ORDER] * 2
    assert [kwargs["groups"] for kwargs in made] == [4, 4]


# Against Keras itself.


def test_keras_agrees() -> None:
    keras = pytest.importorskip("keras")
    theirs = keras.layers.GroupNormalization(
        4, gamma_initializer="he_normal", beta_regularizer="l2", gamma_constraint="max_norm", name="gn", dtype="float32"
    )
    ours = GroupNormalization.from_config(theirs.get_config())
    back = keras.layers.GroupNormalization.from_config(ours.get_config())
    assert back.get_config() == theirs.get_config()
    x = normal(2, 5, 8)
    wanted = np.asarray(theirs(x))
    ours.build(x.shape)
    ours.set_weights([np.asarray(weight) for weight in theirs.weights])
    np.testing.assert_allclose(ours(x), wanted, atol=2e-5)
    assert ours.count_params() == theirs.count_params()
    assert ours.losses == [pytest.approx(float(loss)) for loss in theirs.losses]
    assert ours.compute_output_shape((None, 5, 8)) == theirs.compute_output_shape((None, 5, 8))


def test_keras_objects_work_in_the_layer() -> None:
    keras = pytest.importorskip("keras")
    layer = GroupNormalization(
        4,
        gamma_initializer=keras.initializers.Constant(3.0),
        beta_initializer=keras.initializers.RandomNormal(seed=1),
        gamma_regularizer=keras.regularizers.L1(0.5),
        gamma_constraint=keras.constraints.MaxNorm(1.0),
        input_shape=(5, 8),
    )
    assert [type(weight) for weight in layer.weights] == [np.ndarray] * 2
    assert layer.get_weights()[0].tolist() == [3.0] * 8
    assert layer.losses == [pytest.approx(12.0)]
    layer.apply_constraints()
    assert layer.get_weights()[0] == pytest.approx(np.full(8, 8**-0.5), rel=1e-5)
    config = json.loads(json.dumps(layer.get_config()))
    assert initializers.get(config["gamma_initializer"]) == Constant(3.0)
    assert GroupNormalization.from_config(config).get_config() == layer.get_config()
