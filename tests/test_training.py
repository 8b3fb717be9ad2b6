"""Training with the layer: its gradients, the regularizers' gradients, constraints after updates, errors, what is kept, and the example."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import weakref
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gngen import regularizers
from gngen.constraints import MaxNorm, NonNeg
from gngen.errors import LaunchError, SpecError, TargetError
from gngen.layer import GroupNormalization
from gngen.reference import group_norm_backward
from gngen.regularizers import L1, L1L2, L2

EXAMPLE = Path(__file__).parent.parent / "examples" / "digits.py"
SHAPE = (3, 8, 5, 4)


def normal(*shape: int, dtype: Any = "float32", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def make_layer(**arguments: Any) -> GroupNormalization:
    """A layer of 4 groups whose weights are neither 1 nor 0."""
    given = {"gamma_initializer": "random_uniform", "beta_initializer": "random_normal"} | arguments
    return GroupNormalization(4, **given)


def differences(loss: Any, array: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The gradient of `loss()` with respect to a float64 array that it reads, by central differences."""
    found = np.empty_like(array)
    for at in np.ndindex(array.shape):
        before, values = array[at], []
        for sign in (1, -1):
            array[at] = before + sign * step
            values.append(loss())
        array[at] = before
        found[at] = (values[0] - values[1]) / (2 * step)
    return found


def assert_close(found: Any, wanted: np.ndarray, tolerance: float) -> None:
    """To `tolerance` of the largest element."""
    assert found.shape == wanted.shape
    assert np.abs(np.asarray(found).astype(np.float64) - wanted).max() <= tolerance * max(1.0, np.abs(wanted).max())


# Gradients.


@pytest.mark.parametrize(
    ("axis", "arguments"),
    [
        (-1, {}),
        (1, {"activation": "silu", "gamma_regularizer": "l2", "beta_regularizer": L1L2(0.1, 0.2)}),
        (-1, {"activation": "gelu", "gamma_regularizer": L1(0.3)}),
        (1, {"activation": "tanh", "scale": False}),
        (-1, {"activation": "sigmoid", "center": False, "gamma_regularizer": L2(0.5)}),
        (1, {"scale": False, "center": False}),
    ],
)
def test_gradients_are_finite_differences_in_float64(axis: int, arguments: dict[str, Any]) -> None:
    layer = make_layer(axis=axis, **arguments)
    x = normal(*((2, 3, 3, 8) if axis == -1 else (2, 8, 3, 3)), dtype="float64")
    dy = normal(*x.shape, dtype="float64", seed=1)
    layer(x, training=True)
    dx = layer.backward(dy)

    def loss() -> float:
        return float((dy * layer(x)).sum()) + sum(layer.losses)

    assert_close(dx, differences(loss, x), 1e-8)
    assert len(layer.gradients) == len(layer.trainable_weights)
    for weight, gradient in zip(layer.trainable_weights, layer.gradients, strict=True):
        assert gradient.dtype == weight.dtype == np.float64
        assert_close(gradient, differences(loss, weight), 1e-8)


def test_gradients_on_every_backend(backend: str) -> None:
    layer = make_layer(axis=1, target=backend)
    x, dy = 3 + 2 * normal(2, 8, 5, 8), normal(2, 8, 5, 8, seed=1)
    y = layer(x, training=True)
    assert np.array_equal(y, layer(x))
    wanted = group_norm_backward(dy, x, layer.gamma, layer.beta, layer.spec)
    for found, want in zip((layer.backward(dy), *layer.gradients), wanted, strict=True):
        assert found.dtype == np.float32
        assert_close(found, want, 1e-5)


@pytest.mark.parametrize(
    ("policy", "given", "computed", "weights"),
    [
        ("mixed_float16", "float32", "float16", "float32"),
        ("mixed_bfloat16", "float32", "bfloat16", "float32"),
        (None, "float16", "float16", "float32"),
        ("bfloat16", "bfloat16", "bfloat16", "bfloat16"),
        (None, "int32", "float32", "float32"),
        ("float64", "float32", "float64", "float64"),
    ],
)
def test_dtypes(policy: str | None, given: str, computed: str, weights: str) -> None:
    dtypes = {"bfloat16": np.dtype(ml_dtypes.bfloat16)}
    layer = make_layer(axis=1, dtype=policy, activation="silu", gamma_regularizer=L2(0.1))
    x = (3 * normal(*SHAPE)).astype(dtypes.get(given, given))
    dy = normal(*SHAPE, dtype="float64", seed=1)
    y = layer(x, training=True)
    dx = layer.backward(dy)
    assert y.dtype.name == computed
    assert dx.dtype.name == (computed if given == "int32" else given)
    assert [g.dtype.name for g in layer.gradients] == [weights] * 2
    read, upstream = (a.astype(dtypes.get(computed, computed)).astype("float64") for a in (x, dy))
    assert layer.gamma is not None
    want_dx, want_gamma, want_beta = group_norm_backward(upstream, read, layer.gamma, layer.beta, layer.spec)
    want_gamma += 0.2 * layer.gamma.astype("float64")
    epsilons = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
    assert_close(dx, want_dx, epsilons.get(computed, 1e-5))
    for found, want in zip(layer.gradients, (want_gamma, want_beta), strict=True):
        assert_close(found, want, 2 * epsilons.get(weights, 1e-5))


def test_x_and_dy_as_they_lie() -> None:
    layer = make_layer(axis=1)
    base = normal(3, 5, 4, 8)
    x, dy = base.transpose(0, 3, 1, 2), normal(*SHAPE, seed=1)
    layer(x, training=True)
    assert layer._kept is not None
    assert layer._kept.x is x
    dx = layer.backward(dy)
    assert dx.strides == x.strides
    assert_close(dx, group_norm_backward(dy, x, layer.gamma, layer.beta, layer.spec)[0], 1e-5)


def test_several_axes() -> None:
    layer = GroupNormalization(2, axis=[1, 3])
    x, dy = normal(2, 4, 3, 2), normal(2, 4, 3, 2, seed=1)
    layer(x, training=True)
    found = (layer.backward(dy), *layer.gradients)
    for array, want in zip(found, group_norm_backward(dy, x, layer.gamma, layer.beta, layer.spec), strict=True):
        assert_close(array, want, 1e-5)


def test_torch_tensors() -> None:
    torch = pytest.importorskip("torch")
    layer = make_layer(axis=1)
    x, dy = torch.from_numpy(normal(*SHAPE)), torch.from_numpy(normal(*SHAPE, seed=1))
    layer(x, training=True)
    dx = layer.backward(dy)
    assert isinstance(dx, torch.Tensor)
    assert_close(dx.numpy(), group_norm_backward(dy.numpy(), x.numpy(), layer.gamma, layer.beta, layer.spec)[0], 1e-5)


def test_an_empty_batch() -> None:
    layer = make_layer(gamma_regularizer=L2(0.5))
    layer(np.empty((0, 8), "float32"), training=True)
    assert layer.backward(np.empty((0, 8), "float32")).shape == (0, 8)
    assert np.array_equal(layer.gradients[0], layer.gamma)  # type: ignore[arg-type]
    assert not layer.gradients[1].any()


# The regularizers' own.


@pytest.mark.parametrize("regularizer", [L1(0.3), L2(0.2), L1L2(0.3, 0.2), L1L2(l1=0.3), L1L2(l2=0.2), L1L2()])
def test_regularizers_gradients(regularizer: Any) -> None:
    weight = normal(3, 4, dtype="float64")
    found = regularizers.gradient(regularizer, weight)
    assert_close(found, differences(lambda: regularizer(weight), weight), 1e-9)
    assert found.dtype == regularizer.gradient(weight.astype("float32")).dtype == np.float64


def test_l1_has_slope_0_at_0() -> None:
    assert L1(1.0).gradient([0.0, -2.0, 3.0]).tolist() == [0.0, -1.0, 1.0]


def test_a_factor_of_zero_leaves_its_term_out() -> None:
    assert L1(1.0).gradient([np.inf]).tolist() == [1.0]
    assert L1L2().gradient([np.inf, np.nan]).tolist() == [0.0, 0.0]


def test_a_regularizer_of_ones_own() -> None:
    class Quartic:
        def __call__(self, w: Any) -> float:
            return float(np.sum(np.asarray(w, "float64") ** 4))

        def gradient(self, w: Any) -> Any:
            return 4 * np.asarray(w, "float64") ** 3

    layer = make_layer(gamma_regularizer=Quartic(), dtype="float64")
    layer(normal(2, 8, dtype="float64"), training=True)
    layer.backward(np.zeros((2, 8)))
    assert layer.gamma is not None
    np.testing.assert_allclose(layer.gradients[0], 4 * layer.gamma**3, rtol=1e-12)


def test_regularizers_without_a_gradient() -> None:
    layer = make_layer(gamma_regularizer=np.sum)
    x = normal(2, 8)
    layer(x, training=True)
    with pytest.raises(SpecError) as caught:
        layer.backward(x)
    assert str(caught.value) == (f"regularizer {np.sum!r} has no method gradient(w), which training needs: the derivative of its answer")
    layer.trainable = False  # then there is no penalty
    layer.backward(x)


def test_a_gradient_of_another_shape() -> None:
    class Wrong:
        def gradient(self, w: Any) -> float:
            return 1.0

    with pytest.raises(SpecError, match=r"gradient\(w\) of .* answered an array of shape \(\) for a weight of shape \(4,\)"):
        regularizers.gradient(Wrong(), np.ones(4))  # type: ignore[arg-type]


# What a call keeps.


def test_gradients_are_those_of_the_weights_at_the_call() -> None:
    layer = make_layer(gamma_regularizer=L2(0.5), activation="silu")
    x, dy = normal(2, 3, 8), normal(2, 3, 8, seed=1)
    layer(x, training=True)
    gamma, beta = layer.get_weights()
    layer.set_weights([gamma + 1, beta - 1])
    dx = layer.backward(dy)
    wanted = group_norm_backward(dy, x, gamma, beta, layer.spec)
    assert_close(dx, wanted[0], 1e-5)
    assert_close(layer.gradients[0], wanted[1] + gamma, 1e-5)


def test_nothing_is_kept_without_training() -> None:
    layer = make_layer()
    for training in (None, False):
        x = normal(2, 8)
        gone = weakref.ref(x)
        layer(x, training=training)
        assert layer._kept is None
        del x
        assert gone() is None


def test_a_backward_lets_go_and_a_second_call_takes_the_place_of_the_first() -> None:
    layer = make_layer()
    first, second = normal(2, 8), normal(2, 8, seed=1)
    gone = [weakref.ref(first), weakref.ref(second)]
    layer(first, training=True)
    layer(second, training=True)
    del first
    assert gone[0]() is None
    layer(normal(3, 8, seed=2))  # changes nothing
    assert_close(
        layer.backward(np.ones((2, 8))), group_norm_backward(np.ones((2, 8)), second, layer.gamma, layer.beta, layer.spec)[0], 1e-5
    )
    del second
    assert gone[1]() is None


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_keeps_nothing(duplicate: Any) -> None:
    layer = make_layer()
    x = normal(2, 8)
    layer(x, training=True)
    with pytest.raises(SpecError, match="has no call to differentiate"):
        duplicate(layer).backward(x)
    layer.backward(x)


def test_not_trainable() -> None:
    layer = make_layer(trainable=False, gamma_regularizer="l2")
    x = normal(2, 8)
    layer(x, training=True)
    assert_close(layer.backward(x), group_norm_backward(x, x, layer.gamma, layer.beta, layer.spec)[0], 1e-5)
    assert layer.gradients == []


# Updates.


def test_constraints_hold_after_an_update() -> None:
    layer = make_layer(gamma_constraint=NonNeg(), beta_constraint=MaxNorm(0.5))
    x = normal(4, 8)
    layer(x, training=True)
    layer.backward(10 * normal(4, 8, seed=1))
    for weight, gradient in zip(layer.trainable_weights, layer.gradients, strict=True):
        weight -= gradient
    assert layer.gamma is not None
    assert layer.beta is not None
    assert layer.gamma.min() < 0
    assert np.linalg.norm(layer.beta) > 0.5
    layer.apply_constraints()
    assert layer.gamma.min() == 0
    assert np.linalg.norm(layer.beta) <= 0.5


# Errors.


def test_backward_before_a_call_in_training() -> None:
    layer = make_layer(name="gn")
    x = normal(2, 8)
    layer(x)
    with pytest.raises(SpecError) as caught:
        layer.backward(x)
    assert str(caught.value) == "Layer 'gn' has no call to differentiate: call it with training=True first, once for every backward."
    assert layer.gradients == []


@pytest.mark.parametrize(
    ("dy", "message"),
    [
        (np.ones((3, 8)), r"dy has shape \(3, 8\)"),
        (np.ones((2, 4)), r"dy has shape \(2, 4\)"),
        (np.ones((2, 8), complex), "dy is complex128; it must be real numbers, as y is"),
    ],
)
def test_a_dy_that_does_not_fit(dy: np.ndarray, message: str) -> None:
    layer = make_layer()
    x = normal(2, 8)
    layer(x, training=True)
    with pytest.raises(LaunchError, match=message):
        layer.backward(dy)
    assert layer.backward(np.ones((2, 8))).shape == (2, 8)


def test_a_gpu_has_no_backward() -> None:
    with pytest.raises(TargetError, match="is a GPU, which has no backward kernels"):
        make_layer(target="cuda:sm_90")(normal(2, 8), training=True)


# The example.


def test_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    spec = importlib.util.spec_from_file_location("digits", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    digits = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(digits)
    assert digits.main(epochs=2) >= 0.9
    first, *epochs, _ = capsys.readouterr().out.splitlines()
    assert float(first.removeprefix("gradient against finite differences: largest relative error ")) < 1e-6
    assert [line.split(":")[0] for line in epochs] == ["epoch  1", "epoch  2"]
