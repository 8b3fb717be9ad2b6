"""The derivatives of the layer, on a backend that trains."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from tensors import BACKEND, COMPILED, LAYOUTS, Array, array, filled, normal, tensor, weights

from gngen.integrations.keras import GroupNormalization, by_ops


def gradients(f: Any, *values: Any) -> list[Array]:
    """The derivatives of the sum of f(values) by each of them."""
    if BACKEND == "jax":
        import jax

        return [array(g) for g in jax.grad(f, tuple(range(len(values))))(*values)]
    for value in values:
        value.requires_grad_(True)
    f(*values).backward()
    return [array(value.grad) for value in values]


@pytest.mark.parametrize(
    ("axis", "shape", "activation"), [(*LAYOUTS[0], None), (*LAYOUTS[0], "silu"), (*LAYOUTS[1], "silu"), (*LAYOUTS[5], None)]
)
def test_derivatives_are_those_of_the_definition(axis: Any, shape: tuple[int, ...], activation: str | None) -> None:
    layer = filled(GroupNormalization(4, axis, activation=activation), shape)
    x, dy = tensor(normal(*shape)), tensor(normal(*shape, seed=1))
    values = [x, *(tensor(w) for w in weights(layer))]
    found = gradients(lambda x, *trained: keras.ops.sum(layer.stateless_call(list(trained), [], x)[0] * dy), *values)
    assert layer.explain().startswith(COMPILED)
    values = [tensor(array(v)) for v in values]
    wanted = gradients(lambda x, gamma, beta: keras.ops.sum(by_ops.group_norm(x, gamma, beta, layer._spec()) * dy), *values)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)
