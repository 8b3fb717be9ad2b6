"""Models that hold the layer: composed, saved, loaded, copied, swapped."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tensors import COMPILED, array, normal

from gngen.integrations.keras import GroupNormalization


def small(norm: Any = GroupNormalization, **arguments: Any) -> Any:
    """A functional model with a skip around a norm, and random weights."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", name="conv")(inputs)
    x = keras.layers.Add()([x, norm(4, gamma_initializer="random_normal", name="norm", **arguments)(x)])
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(norm(-1, name="last")(x)))


@pytest.fixture
def x() -> Any:
    return normal(4, 8, 8, 3)


def test_a_functional_model_answers_as_kerass(x: Any) -> None:
    ours, theirs = small(), small(keras.layers.GroupNormalization)
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    np.testing.assert_allclose(array(ours(x)), array(theirs(x)), atol=1e-5)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-5)
    assert ours.get_layer("norm").explain().startswith(COMPILED)


def test_a_sequential_model(x: Any) -> None:
    model = keras.Sequential()
    model.add(keras.layers.Conv2D(4, 1))
    model.add(GroupNormalization(2, activation="relu"))
    y = array(model(x))
    assert y.min() == 0.0
    assert model.output_shape == (4, 8, 8, 4)


def test_a_saved_model_is_loaded_without_custom_objects(x: Any, tmp_path: Path) -> None:
    model = small(activation="silu")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    norm = loaded.get_layer("norm")
    assert (type(norm), norm.activation) == (GroupNormalization, "silu")
    np.testing.assert_array_equal(array(loaded(x)), array(model(x)))


def test_weights_go_to_kerass_layer_and_back(x: Any, tmp_path: Path) -> None:
    ours, theirs = small(), small(keras.layers.GroupNormalization)
    keras.utils.set_random_seed(4)
    for weight in ours.weights:
        weight.assign(keras.random.normal(weight.shape))
    file = str(tmp_path / "all.weights.h5")
    ours.save_weights(file)
    theirs.load_weights(file)
    np.testing.assert_allclose(array(theirs(x)), array(ours(x)), atol=1e-4)
    theirs.save_weights(file)
    again = small()
    again.load_weights(file)
    np.testing.assert_array_equal(array(again(x)), array(ours(x)))


def test_kerass_layers_are_swapped_in_a_clone(x: Any) -> None:
    def swap(layer: Any) -> Any:
        kind = GroupNormalization if type(layer) is keras.layers.GroupNormalization else type(layer)
        return kind.from_config(layer.get_config())

    theirs = small(keras.layers.GroupNormalization)
    ours = keras.models.clone_model(theirs, clone_function=swap)
    ours.set_weights(theirs.get_weights())
    assert sum(type(layer) is GroupNormalization for layer in ours.layers) == 2
    np.testing.assert_allclose(array(ours(x)), array(theirs(x)), atol=1e-5)


def test_copies_are_equal(x: Any) -> None:
    model = small()
    y = array(model(x))
    again = copy.deepcopy(model)
    np.testing.assert_array_equal(array(again(x)), y)
    model.get_layer("norm").gamma.assign(keras.ops.zeros((8,)))
    np.testing.assert_array_equal(array(again(x)), y)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_model_of_mixed_precision(policy: str, x: Any) -> None:
    keras.config.set_dtype_policy(policy)
    try:
        ours, theirs = small(), small(keras.layers.GroupNormalization)
    finally:
        keras.config.set_dtype_policy("float32")
    norm = ours.get_layer("norm")
    assert (norm.dtype_policy.name, norm.gamma.dtype) == (policy, "float32")
    half = policy.removeprefix("mixed_")
    y, wanted = (keras.ops.cast(model(x), "float32") for model in (ours, theirs))
    limit = {"float16": 2.0**-9, "bfloat16": 2.0**-6}[half]
    np.testing.assert_allclose(array(y), array(wanted), atol=4 * limit)
    assert norm.explain().startswith(COMPILED)
