"""The layer on jax's arrays."""

from __future__ import annotations

import jax
import numpy as np
from tensors import COMPILED, array, filled, normal

from gngen.integrations.keras import GroupNormalization


def test_traces_with_sizes_are_compiled() -> None:
    layer = filled(GroupNormalization(2), (2, 3, 4))
    x = normal(2, 3, 4)
    np.testing.assert_allclose(array(jax.jit(layer)(x)), array(layer(x)), atol=1e-6)
    assert layer.explain().startswith(COMPILED)


def test_traces_without_sizes_go_through_keras_ops() -> None:
    layer = filled(GroupNormalization(2), (2, None, 4))
    batch, length = jax.export.symbolic_shape("b, n")
    exported = jax.export.export(jax.jit(layer))(jax.ShapeDtypeStruct((batch, length, 4), "float32"))
    assert layer.explain() == "keras.ops: the shape (b, n, 4) has sizes beside the batch that are not known"
    x = normal(2, 3, 4)
    np.testing.assert_allclose(array(exported.call(x)), array(layer(x)), atol=1e-5)
