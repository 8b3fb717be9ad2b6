"""A small convolutional network, trained with Keras's layer and with ours, on a backend that trains."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from tensors import COMPILED, Array

from gngen.integrations.keras import GroupNormalization


def digits() -> tuple[Array, Array]:
    """256 noisy images of 8x8, of four classes: which quarter of one is brighter."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (256, 8, 8, 1)).astype("float32")
    kind = rng.integers(0, 4, 256)
    for image, quarter in zip(x, kind, strict=True):
        image[4 * (quarter // 2) :, 4 * (quarter % 2) :][:4, :4] += 1
    return x, kind


def network(norm: Any, data_format: str) -> Any:
    axis = -1 if data_format == "channels_last" else 1
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1) if axis == -1 else (1, 8, 8)),
            keras.layers.Conv2D(8, 3, padding="same", data_format=data_format),
            norm(4, axis=axis, gamma_regularizer="l2", name="norm"),
            keras.layers.Activation("silu"),
            keras.layers.Conv2D(16, 3, strides=2, padding="same", data_format=data_format),
            norm(4, axis=axis, beta_constraint="max_norm"),
            keras.layers.Activation("relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(4),
        ]
    )


def losses(model: Any, data_format: str, **compiled: Any) -> list[float]:
    x, kind = digits()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, **compiled)
    found = model.fit(
        x if data_format == "channels_last" else x.transpose(0, 3, 1, 2), kind, batch_size=32, epochs=3, shuffle=False, verbose=0
    )
    return [float(value) for value in found.history["loss"]]


@pytest.mark.parametrize("data_format", ["channels_last", pytest.param("channels_first", marks=pytest.mark.slow)])
def test_losses_are_those_with_kerass_layer(data_format: str) -> None:
    ours, theirs = network(GroupNormalization, data_format), network(keras.layers.GroupNormalization, data_format)
    found, wanted = losses(ours, data_format), losses(theirs, data_format)
    assert ours.get_layer("norm").explain().startswith(COMPILED)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=5e-6)
    assert found[-1] < 0.7 * found[0]
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.slow
def test_training_in_mixed_bfloat16() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = network(GroupNormalization, "channels_last")
    finally:
        keras.config.set_dtype_policy("float32")
    found = losses(model, "channels_last")
    assert found[-1] < 0.7 * found[0]
    assert model.get_layer("norm").explain().startswith(COMPILED)
    assert model.get_layer("norm").compute_dtype == "bfloat16"
