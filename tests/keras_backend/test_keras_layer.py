"""Our layer beside Keras's and beside the definition, on one backend."""

from __future__ import annotations

import inspect
import json
from typing import Any

import keras
import numpy as np
import pytest
from strategies import assert_right, oracle
from tensors import BACKEND, COMPILED, FLOATS, LAYOUTS, array, filled, normal, tensor, weights

import gngen
from gngen.errors import SpecError
from gngen.integrations.keras import GroupNormalization, by_ops, layer_group_normalization
from gngen.spec import ACTIVATIONS, GroupNormSpec

Theirs = keras.layers.GroupNormalization


def sentence(call: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        call(*args, **kwargs)
    return str(caught.value)


# What it computes.


@pytest.mark.parametrize(("axis", "shape"), LAYOUTS)
def test_the_answer_is_the_definitions(axis: Any, shape: tuple[int, ...]) -> None:
    layer = filled(GroupNormalization(4, axis), shape)
    x = normal(*shape)
    assert_right(array(layer(x)), oracle(x, *weights(layer), layer._spec()), "float32")
    assert layer.explain().startswith(COMPILED)


@pytest.mark.parametrize(("axis", "shape"), LAYOUTS)
def test_keras_ops_say_the_same(axis: Any, shape: tuple[int, ...]) -> None:
    layer = filled(GroupNormalization(4, axis), shape)
    x = normal(*shape)
    y = by_ops.group_norm(tensor(x), layer.gamma.value, layer.beta.value, layer._spec())
    assert_right(array(y), oracle(x, *weights(layer), layer._spec()), "float32")


@pytest.mark.parametrize("activation", [None, *ACTIVATIONS])
def test_activations_are_fused(activation: str | None) -> None:
    layer = filled(GroupNormalization(2, activation=activation, scale=False), (2, 9, 4))
    x = normal(2, 9, 4)
    right = oracle(x, *weights(layer), layer._spec())
    assert_right(array(layer(x)), right, "float32")
    assert_right(array(by_ops.group_norm(tensor(x), None, layer.beta.value, layer._spec())), right, "float32")


@pytest.mark.parametrize(("center", "scale"), [(False, False), (False, True), (True, False), (True, True)])
def test_weights_are_kerass(center: bool, scale: bool) -> None:
    shape = (2, 3, 8)
    ours, theirs = (filled(kind(2, center=center, scale=scale, name="gn"), shape) for kind in (GroupNormalization, Theirs))
    told = [[(w.path, w.shape, w.dtype, w.trainable) for w in layer.weights] for layer in (ours, theirs)]
    assert told[0] == told[1]
    x = normal(*shape)
    np.testing.assert_allclose(array(ours(x)), array(theirs(x)), atol=1e-5)
    assert (ours.gamma is None, ours.beta is None) == (not scale, not center)


@pytest.mark.parametrize("policy", [*FLOATS, "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("given", [*FLOATS, "int32"])
def test_types_are_kerass(policy: str, given: str) -> None:
    """Inputs are not cast; the answer is in the compute dtype, the weights in the variable dtype."""
    shape = (2, 6, 8)
    ours, theirs = (filled(kind(2, dtype=policy), shape) for kind in (GroupNormalization, Theirs))
    x = keras.ops.cast(tensor(normal(*shape)), given)
    y, wanted = ours(x), theirs(x)
    assert keras.backend.standardize_dtype(y.dtype) == keras.backend.standardize_dtype(wanted.dtype) == ours.compute_dtype
    assert [w.dtype for w in ours.weights] == [w.dtype for w in theirs.weights]
    assert ours.explain().startswith(COMPILED)
    wide = array(keras.ops.cast(x, "float32")).astype("float64")
    right = oracle(wide, *(array(keras.ops.cast(w, "float32")).astype("float64") for w in (ours.gamma, ours.beta)), ours._spec())
    # a half is rounded at most twice: to the input's type, and to the answer's
    halves = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-18, "float64": 2.0**-18}
    limit = max(halves[ours.compute_dtype], halves.get(given, 0.0))
    np.testing.assert_allclose(array(keras.ops.cast(y, "float32")), right.y, rtol=limit, atol=limit)


def test_bits_are_the_kernels() -> None:
    if COMPILED != "compiled: ":
        pytest.skip("nothing is compiled here")
    layer = filled(GroupNormalization(4, activation="silu"), (2, 7, 9, 16))
    x = normal(2, 7, 9, 16)
    y = gngen.group_norm(x, *weights(layer), groups=4, activation="silu")
    np.testing.assert_array_equal(array(layer(x)), y)


def test_far_from_zero_keras_ops_keep_the_variance_positive() -> None:
    x = np.full((1, 50, 4), 10001.3, "float32") + normal(1, 50, 4) * np.float32(1e-3)
    y = array(by_ops.group_norm(tensor(x), None, None, GroupNormSpec(2)))
    assert np.isfinite(y).all()


def test_an_empty_batch() -> None:
    layer = GroupNormalization(2)
    layer.build((None, 3, 4))
    x = tensor(np.zeros((0, 3, 4)))
    assert layer(x).shape == (0, 3, 4)
    assert by_ops.group_norm(x, None, None, GroupNormSpec(2)).shape == (0, 3, 4)


def test_a_python_list_is_what_keras_makes_of_it() -> None:
    with pytest.raises(ValueError, match="Only input tensors may be passed as positional arguments"):
        GroupNormalization(1)([[1.0, 3.0]])


def test_a_target_may_be_named() -> None:
    layer = GroupNormalization(2, target="reference")
    y = layer(normal(2, 3, 4))
    np.testing.assert_allclose(array(y), array(GroupNormalization(2)(normal(2, 3, 4))), atol=1e-5)
    assert ("on reference" in layer.explain()) == (BACKEND != "jax")
    assert layer.get_config()["target"] == "reference"


# The interface.


def test_the_signature_is_kerass_and_two_more() -> None:
    ours, theirs = (list(inspect.signature(kind.__init__).parameters.values()) for kind in (GroupNormalization, Theirs))
    assert [(p.name, p.default) for p in ours[:-3]] == [(p.name, p.default) for p in theirs[:-1]]
    assert [(p.name, p.default) for p in ours[-3:-1]] == [("activation", None), ("target", "auto")]
    function = inspect.signature(layer_group_normalization).parameters.values()
    assert [(p.name, p.default) for p in function][1:-1] == [(p.name, p.default) for p in theirs[1:-1]]


def test_the_config_is_kerass_unless_it_holds_more() -> None:
    arguments: dict[str, Any] = {
        "groups": 4,
        "axis": 1,
        "epsilon": 1e-5,
        "gamma_initializer": "he_normal",
        "beta_regularizer": keras.regularizers.L2(0.01),
        "gamma_constraint": "max_norm",
        "name": "gn",
        "dtype": "mixed_bfloat16",
    }
    ours, theirs = GroupNormalization(**arguments), Theirs(**arguments)
    assert ours.get_config() == theirs.get_config()
    assert Theirs.from_config(ours.get_config()).get_config() == GroupNormalization.from_config(theirs.get_config()).get_config()
    several = GroupNormalization(4, (1, 3), activation="swish", target="c")
    config = json.loads(json.dumps(several.get_config()))
    assert (config["axis"], config["activation"], config["target"]) == ([1, 3], "silu", "c")
    assert GroupNormalization.from_config(config).get_config() == several.get_config()


def test_it_is_registered() -> None:
    assert keras.saving.get_registered_name(GroupNormalization) == "gngen>GroupNormalization"
    back = keras.layers.deserialize(keras.layers.serialize(GroupNormalization(3, activation="relu")))
    assert type(back) is GroupNormalization
    assert (back.groups, back.activation) == (3, "relu")


@pytest.mark.parametrize(
    ("given", "name"),
    [(keras.activations.silu, "silu"), (keras.activations.gelu, "gelu"), (keras.activations.relu, "relu"), ("linear", None)],
)
def test_activations_may_be_functions_of_keras(given: Any, name: str | None) -> None:
    assert GroupNormalization(activation=given).activation == name


def test_losses_and_masks_are_kerass() -> None:
    layer = GroupNormalization(2, gamma_regularizer=keras.regularizers.L2(0.5), activity_regularizer=keras.regularizers.L1(1.0))
    x = normal(2, 3, 4)
    y = layer(x)
    assert [float(array(loss)) for loss in layer.losses] == pytest.approx([np.abs(array(y)).sum() / 2, 2.0], rel=1e-4)
    assert layer.supports_masking
    masked = keras.layers.Masking()(keras.Input((3, 4)))
    assert layer(masked)._keras_mask is masked._keras_mask


def test_symbolic_calls_know_the_shape_and_the_type() -> None:
    layer = GroupNormalization(2, axis=1, dtype="mixed_bfloat16")
    y = layer(keras.KerasTensor((None, 4, None, 3)))
    assert (y.shape, y.dtype) == ((None, 4, None, 3), "bfloat16")
    assert layer.explain() == f"Layer '{layer.name}' has not been called yet: there is no call to explain."
    assert layer.compute_output_shape((None, 4, 7)) == (None, 4, 7)


class Doubled(keras.Model):
    """A model whose symbolic call goes through the layer's own `call`."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = GroupNormalization(2)

    def call(self, x: Any) -> Any:
        return 2 * self.norm(x)


def test_within_a_model_that_is_called_symbolically() -> None:
    model = Doubled()
    y = model(keras.KerasTensor((None, None, 4)))
    assert y.shape == (None, None, 4)
    x = normal(2, 3, 4)
    np.testing.assert_allclose(array(model(x)), 2 * array(Theirs(2)(x)), atol=1e-5)


# Errors.


@pytest.mark.parametrize("groups", [0, -2, 1.5, "32", None, True])
def test_groups_are_refused_with_kerass_sentence(groups: Any) -> None:
    assert sentence(GroupNormalization, groups) == (
        "Received an invalid value for argument `groups`, expected a positive integer (or `-1` for instance normalization). "
        f"Received: groups={groups}"
    )


def test_groups_may_be_numpys() -> None:
    assert json.dumps(GroupNormalization(np.int64(4)).get_config()["groups"]) == "4"


@pytest.mark.parametrize(
    ("axis", "shape"), [(-1, (2, 3, None)), (1, (2, None, 3)), (-1, (2, 3, 4)), (-1, (2, 3, 12))], ids=["last", "first", "more", "multiple"]
)
def test_builds_are_refused_with_kerass_sentences(axis: int, shape: Any) -> None:
    groups = 5
    ours, theirs = (sentence(kind(groups, axis).build, shape) for kind in (GroupNormalization, Theirs))
    assert ours.startswith(theirs)


@pytest.mark.parametrize(
    ("arguments", "shape", "words"),
    [
        ({"axis": 0}, (2, 4), "is the batch"),
        ({"axis": 2}, (2, 4), "out of range"),
        ({"axis": (1, -1)}, (2, 4), "twice"),
        ({}, (4,), "needs a batch axis and a feature axis"),
    ],
)
def test_axes_that_cannot_be_are_refused(arguments: dict[str, Any], shape: tuple[int, ...], words: str) -> None:
    layer = GroupNormalization(1, **arguments)
    with pytest.raises(SpecError, match=words):
        layer.build(shape)
    assert not layer.built


@pytest.mark.parametrize(
    "arguments", [{"epsilon": -1.0}, {"activation": "softmax"}, {"activation": keras.activations.softmax}, {"axis": "a"}]
)
def test_arguments_that_cannot_be_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=next(iter(arguments))):
        GroupNormalization(**arguments)


def test_the_rank_and_the_features_are_pinned() -> None:
    ours, theirs = GroupNormalization(2, name="gn"), Theirs(2, name="gn")
    for layer in (ours, theirs):
        layer.build((2, 3, 4))
    for shape in ((2, 4), (2, 3, 6)):
        assert sentence(ours, normal(*shape)) == sentence(theirs, normal(*shape))
    assert ours(normal(5, 7, 4)).shape == (5, 7, 4)


# The function form.


def test_the_function_form_composes() -> None:
    assert type(layer_group_normalization(groups=2)) is GroupNormalization
    model = keras.Sequential([keras.Input((3, 4))])
    assert layer_group_normalization(model, groups=2, activation="relu") is model
    assert [(type(layer), layer.activation) for layer in model.layers] == [(GroupNormalization, "relu")]
    symbolic = layer_group_normalization(keras.Input((3, 4)), groups=2)
    assert isinstance(symbolic, keras.KerasTensor)
    x = normal(2, 3, 4)
    y = layer_group_normalization(x, groups=2)
    assert keras.ops.is_tensor(y)
    np.testing.assert_array_equal(array(y), array(GroupNormalization(2)(x)))


def test_gngens_function_form_meets_kerass_models_and_symbols_with_this_layer() -> None:
    model = keras.Sequential([keras.Input((3, 4))])
    assert gngen.layer_group_normalization(model, groups=2) is model
    assert type(model.layers[0]) is GroupNormalization
    assert isinstance(gngen.layer_group_normalization(keras.Input((3, 4)), groups=2), keras.KerasTensor)
    assert type(gngen.layer_group_normalization(groups=2)) is gngen.GroupNormalization
