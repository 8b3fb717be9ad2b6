"""The layer on torch's tensors."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from tensors import array, filled, normal
from torch.autograd import forward_ad

from gngen.integrations.keras import GroupNormalization


def test_torchs_memory_formats_stay_and_are_not_copied() -> None:
    layer = filled(GroupNormalization(2, 1), (2, 4, 5, 6))
    x = torch.tensor(normal(2, 4, 5, 6)).to(memory_format=torch.channels_last)
    assert "_o30_g2_c2_i1" in (layer(x), layer.explain())[1]
    assert layer(x).is_contiguous(memory_format=torch.channels_last)
    for strange in (x.transpose(2, 3), x[:, :, ::2], x[:1].expand(3, -1, -1, -1)):
        np.testing.assert_allclose(array(layer(strange)), array(layer(strange.contiguous())), atol=1e-6)


@pytest.mark.slow
def test_torch_traces_and_transforms_go_through_keras_ops() -> None:
    layer = filled(GroupNormalization(2), (2, 3, 4))
    x = torch.tensor(normal(2, 3, 4))
    y = layer(x).detach()
    assert layer.explain().startswith("compiled: ")
    ways = {"traced by torch": torch.compile(layer, backend="eager"), "transformed by torch.func": torch.func.vmap(layer, 1, 1)}
    for words, way in ways.items():
        given = x if "traced" in words else x[:, None]
        np.testing.assert_allclose(way(given).detach().reshape(x.shape), y, atol=1e-5)
        assert layer.explain().startswith("keras.ops: ")
        assert words in layer.explain()


def test_tensors_that_are_not_on_the_cpu_go_through_keras_ops() -> None:
    layer = filled(GroupNormalization(2), (2, 3, 4))
    with keras.device("meta"):
        y = layer(torch.ones(2, 3, 4, device="meta"))
    assert (y.device.type, y.shape) == ("meta", (2, 3, 4))
    assert layer.explain() == "keras.ops: x is on the device meta"


def test_torchs_forward_mode_is_right() -> None:
    layer = filled(GroupNormalization(2, dtype="float64"), (2, 3, 4))
    x, direction = (torch.tensor(normal(2, 3, 4, seed=seed), dtype=torch.float64) for seed in (0, 1))
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(layer(forward_ad.make_dual(x, direction))).tangent
    difference = (layer(x + 1e-6 * direction) - layer(x - 1e-6 * direction)) / 2e-6
    np.testing.assert_allclose(tangent.detach(), difference.detach(), atol=1e-7)


def test_without_gradients_no_moments_are_asked_for() -> None:
    layer = filled(GroupNormalization(2), (2, 3, 4))
    x = torch.tensor(normal(2, 3, 4))
    assert layer(x).requires_grad
    assert layer.explain().endswith(", and a backward kernel")
    with torch.no_grad():
        assert not layer(x).requires_grad
    assert not layer.explain().endswith(", and a backward kernel")
    layer.trainable = False
    layer(x)
    assert not layer.explain().endswith(", and a backward kernel")


@pytest.mark.parametrize(
    ("center", "scale", "activation"), [(False, False, None), (True, True, None), (False, True, "gelu"), (True, False, "gelu")]
)
def test_torchs_derivatives_are_right_to_the_second_order(center: bool, scale: bool, activation: str | None) -> None:
    layer = filled(GroupNormalization(2, 1, center=center, scale=scale, activation=activation, dtype="float64"), (2, 4, 3))
    x = torch.tensor(normal(2, 4, 3), dtype=torch.float64, requires_grad=True)
    trained = [torch.tensor(array(w), requires_grad=True) for w in layer.weights]

    def call(x: Any, *trained: Any) -> Any:
        return layer.stateless_call(list(trained), [], x)[0]

    assert torch.autograd.gradcheck(call, (x, *trained))
    assert layer.explain().endswith("and a backward kernel")
    assert torch.autograd.gradgradcheck(call, (x, *trained))
