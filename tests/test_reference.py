"""The oracle, against the definition written out and against torch."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gngen import reference
from gngen.errors import SpecError
from gngen.reference import activate
from gngen.spec import ACTIVATIONS, GroupNormSpec


def test_the_definition_element_by_element() -> None:
    rng = np.random.default_rng(0)
    x, gamma, beta = rng.normal(size=(2, 6, 3)), rng.normal(size=6), rng.normal(size=6)
    y, mean, rstd = reference.group_norm(x, gamma, beta, GroupNormSpec(groups=2, axis=1, epsilon=0.25))
    assert mean.shape == rstd.shape == (2, 2)
    for n in range(2):
        for g in range(2):
            values = [x[n, c, i] for c in range(3 * g, 3 * g + 3) for i in range(3)]
            m = math.fsum(values) / 9
            r = 1 / math.sqrt(math.fsum((v - m) ** 2 for v in values) / 9 + 0.25)
            assert mean[n, g] == pytest.approx(m, rel=1e-15)
            assert rstd[n, g] == pytest.approx(r, rel=1e-15)
            for c in range(3 * g, 3 * g + 3):
                for i in range(3):
                    assert y[n, c, i] == pytest.approx((x[n, c, i] - m) * r * gamma[c] + beta[c], rel=1e-14, abs=1e-15)


def test_every_position_of_the_axis_is_the_same_thing() -> None:
    rng = np.random.default_rng(1)
    x, gamma, beta = rng.normal(size=(2, 8, 3, 5)), rng.normal(size=8), rng.normal(size=8)
    first, *stats = reference.group_norm(x, gamma, beta, GroupNormSpec(groups=4, axis=1))
    for axis in (2, 3, -1, -2):
        moved, *others = reference.group_norm(np.moveaxis(x, 1, axis), gamma, beta, GroupNormSpec(groups=4, axis=axis))
        np.testing.assert_allclose(np.moveaxis(moved, axis, 1), first, 1e-13)
        np.testing.assert_allclose(others, stats, 1e-13)


def test_a_list_of_axes_is_one_feature_dimension() -> None:
    """The named axes in ascending order, row-major."""
    rng = np.random.default_rng(2)
    x, gamma, beta = rng.normal(size=(2, 4, 3, 5)), rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    flat = np.transpose(x, (0, 1, 3, 2)).reshape(2, 20, 3)
    right, mean, rstd = reference.group_norm(flat, gamma.reshape(-1), beta.reshape(-1), GroupNormSpec(groups=10, axis=1))
    for axis in ((1, 3), (-1, 1)):
        y, *stats = reference.group_norm(x, gamma, beta, GroupNormSpec(groups=10, axis=axis))
        np.testing.assert_array_equal(y, np.transpose(right.reshape(2, 4, 5, 3), (0, 1, 3, 2)))
        np.testing.assert_array_equal(stats, [mean, rstd])


def test_one_group_is_layer_norm_and_minus_one_instance_norm() -> None:
    x = np.random.default_rng(3).normal(size=(3, 4, 7))
    layer = reference.group_norm(x, None, None, GroupNormSpec(groups=1, axis=1, epsilon=0.0))[0]
    np.testing.assert_allclose(layer, (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True), 1e-12)
    instance = reference.group_norm(x, None, None, GroupNormSpec(groups=-1, axis=1, epsilon=0.0))[0]
    np.testing.assert_allclose(instance, (x - x.mean(2, keepdims=True)) / x.std(2, keepdims=True), 1e-12)


@pytest.mark.parametrize("activation", [None, *ACTIVATIONS])
def test_against_torch(activation: str | None) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    x, gamma, beta = rng.normal(size=(2, 12, 5, 4)) * 3, rng.normal(size=12), rng.normal(size=12)
    y = torch.nn.functional.group_norm(*map(torch.from_numpy, (x,)), 3, *map(torch.from_numpy, (gamma, beta)), eps=1e-5)
    act = torch.nn.functional
    y = {
        None: lambda v: v,
        "relu": act.relu,
        "silu": act.silu,
        "gelu": act.gelu,
        "gelu_tanh": lambda v: act.gelu(v, approximate="tanh"),
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
    }[activation](y)
    mine, _, _ = reference.group_norm(x, gamma, beta, GroupNormSpec(groups=3, axis=1, epsilon=1e-5, activation=activation))
    np.testing.assert_allclose(mine, y.numpy(), 1e-11, 1e-13)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_at_the_ends(name: str) -> None:
    with np.errstate(all="ignore"):
        got = reference.activate(np.array([-1e30, -50.0, 0.0, 50.0, 1e30, np.nan]), name)
    low = -1.0 if name == "tanh" else 0.0
    high = {"tanh": 1.0, "sigmoid": 1.0}.get(name)
    assert got[:2] == pytest.approx(low, abs=1e-19)
    assert got[2] == (0.5 if name == "sigmoid" else 0)
    assert list(got[3:5]) == ([high, high] if high else [50.0, 1e30])
    assert np.isnan(got[5])


def test_large_means_do_not_cancel() -> None:
    x = np.random.default_rng(5).normal(size=(1, 1, 4000)).astype("float32")
    near, _, near_rstd = reference.group_norm(x, None, None, GroupNormSpec(groups=1, axis=1))
    far, _, far_rstd = reference.group_norm(x.astype("float64") + 2.0**20, None, None, GroupNormSpec(groups=1, axis=1))
    np.testing.assert_allclose(far, near, 1e-8, 1e-8)
    np.testing.assert_allclose(far_rstd, near_rstd, 1e-9)
    precise = reference.group_norm(x, None, None, GroupNormSpec(groups=1, axis=1), precise=True)[0]
    assert precise.dtype == np.longdouble
    np.testing.assert_allclose(near, precise.astype("float64"), 1e-12, 1e-13)


def test_constants_empties_and_nans() -> None:
    spec = GroupNormSpec(groups=2, axis=1, epsilon=0.0)
    y, mean, rstd = reference.group_norm(np.full((1, 4, 3), 7.1), None, np.arange(4.0), spec)
    np.testing.assert_array_equal(y[0], np.repeat(np.arange(4.0)[:, None], 3, 1))
    assert (mean == 7.1).all()
    assert (rstd == 0).all()
    for shape in ((0, 4, 3), (2, 4, 0)):
        y, mean, rstd = reference.group_norm(np.empty(shape), None, None, spec)
        assert y.shape == shape
        assert mean.shape == rstd.shape == (shape[0], 2)
        assert np.isnan(mean).all()
    x = np.random.default_rng(6).normal(size=(1, 4, 3))
    x[0, 1, 1] = np.nan
    y, mean, _ = reference.group_norm(x, None, None, spec)
    assert np.isnan(y[0, :2]).all()
    assert np.isfinite(y[0, 2:]).all()
    assert np.isnan(mean[0, 0])


def test_the_errors_are_the_specs() -> None:
    with pytest.raises(SpecError, match=r"^Number of groups \(3\) must be a multiple of the number of channels \(4\)"):
        reference.group_norm(np.zeros((2, 4)), None, None, GroupNormSpec(groups=3))
    with pytest.raises(SpecError, match="is the batch"):
        reference.group_norm(np.zeros((2, 4)), None, None, GroupNormSpec(groups=2, axis=0))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_of_infinities_are_limits(activation: str) -> None:
    with np.errstate(all="ignore"):
        found = activate(np.array([-np.inf, np.inf]), activation)
    assert found.tolist() == [{"tanh": -1}.get(activation, 0), {"tanh": 1, "sigmoid": 1}.get(activation, np.inf)]
