"""What a spec accepts, what it refuses, and in which words."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import gngen
from gngen.errors import SpecError
from gngen.spec import ACTIVATIONS, GroupNormSpec, check_defined, resolve_axes, resolve_groups

GROUPS = (
    "Received an invalid value for argument `groups`, expected a positive integer "
    "(or `-1` for instance normalization). Received: groups={groups}"
)


def test_defaults_are_keras() -> None:
    assert dataclasses.asdict(GroupNormSpec()) == {
        "groups": 32,
        "axis": -1,
        "epsilon": 1e-3,
        "center": True,
        "scale": True,
        "activation": None,
        "residual": False,
        "modulation": False,
        "masked": False,
    }


@pytest.mark.parametrize("groups", [0, -2, 1.5, "32", None, True, False, np.float32(4), 4.0, [4]])
def test_groups_that_are_none(groups: object) -> None:
    with pytest.raises(ValueError) as e:  # noqa: PT011
        GroupNormSpec(groups=groups)  # type: ignore[arg-type]
    assert type(e.value) is SpecError
    assert str(e.value) == GROUPS.format(groups=groups)


@pytest.mark.parametrize("groups", [1, 32, -1, np.int64(8), np.uint8(8), np.int32(-1)])
def test_groups_of_any_integer_type(groups: int) -> None:
    spec = GroupNormSpec(groups=groups)
    assert spec.groups == groups
    assert type(spec.groups) is int


@pytest.mark.parametrize("axis", [1.0, "1", None, True, (), [], [1, 2.0], [True], {1, 2}, ([1],)])
def test_axes_that_are_none(axis: object) -> None:
    with pytest.raises(SpecError) as e:
        GroupNormSpec(axis=axis)  # type: ignore[arg-type]
    assert str(e.value) == f"axis must be an integer or a non-empty list of integers; received axis={axis!r}"


def test_axes_of_any_kind() -> None:
    assert GroupNormSpec(axis=np.int64(2)).axis == 2
    assert GroupNormSpec(axis=[3]) == GroupNormSpec(axis=(3,)) == GroupNormSpec(axis=3)
    assert GroupNormSpec(axis=[-1, np.int32(1)]).axis == (-1, 1)
    assert GroupNormSpec(axis=[1, 2]).axes == (1, 2)
    assert GroupNormSpec(axis=4).axes == (4,)


@pytest.mark.parametrize("epsilon", [-1e-9, float("nan"), float("inf"), -float("inf"), "0", None, True, 1j, 10**400])
def test_epsilons_that_are_none(epsilon: object) -> None:
    with pytest.raises(SpecError) as e:
        GroupNormSpec(epsilon=epsilon)  # type: ignore[arg-type]
    assert str(e.value) == f"epsilon must be a finite number, at least 0; received epsilon={epsilon!r}"


@pytest.mark.parametrize("epsilon", [0, 1, 1e-300, np.float32(0.5), np.int64(2)])
def test_epsilons_of_any_number_type(epsilon: float) -> None:
    spec = GroupNormSpec(epsilon=epsilon)
    assert spec.epsilon == epsilon
    assert type(spec.epsilon) is float


@pytest.mark.parametrize("name", ["center", "scale"])
def test_flags(name: str) -> None:
    for value in (True, False, 1, 0, np.True_, np.False_):
        flag = getattr(GroupNormSpec(**{name: value}), name)
        assert flag is bool(value)
    for bad in (2, None, "yes", 1.0):
        with pytest.raises(SpecError) as e:
            GroupNormSpec(**{name: bad})  # type: ignore[arg-type]
        assert str(e.value) == f"{name} must be True or False; received {name}={bad!r}"


def test_activations() -> None:
    for name in ACTIVATIONS:
        assert GroupNormSpec(activation=name).activation == name
    assert GroupNormSpec(activation="swish") == GroupNormSpec(activation="silu")
    assert GroupNormSpec(activation="linear") == GroupNormSpec(activation=None)
    for bad in ("Relu", "", 3, abs):
        with pytest.raises(SpecError) as e:
            GroupNormSpec(activation=bad)  # type: ignore[arg-type]
        assert str(e.value) == f"activation {bad!r} is not known; choose None or one of relu, silu, gelu, gelu_tanh, sigmoid, tanh"


def test_a_spec_is_a_value() -> None:
    spec = GroupNormSpec(groups=4, axis=1)
    assert spec == GroupNormSpec(groups=4, axis=[1])
    assert hash(spec) == hash(GroupNormSpec(groups=np.int64(4), axis=1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.groups = 8  # type: ignore[misc]
    assert gngen.GroupNormSpec is GroupNormSpec


@pytest.mark.parametrize(
    ("axes", "shape", "words"),
    [
        ((-1,), (4,), "group normalisation needs a batch axis and a feature axis; the input has shape (4,)"),
        ((-1,), (), "group normalisation needs a batch axis and a feature axis; the input has shape ()"),
        ((3,), (2, 4, 8), "axis 3 is out of range for the shape (2, 4, 8); choose from -2..2, not 0"),
        ((-4,), (2, 4, 8), "axis -4 is out of range for the shape (2, 4, 8); choose from -2..2, not 0"),
        ((1, 7), (2, 4, 8), "axis 7 is out of range for the shape (2, 4, 8); choose from -2..2, not 0"),
        ((0,), (2, 4, 8), "axis 0 of the shape (2, 4, 8) is the batch and cannot be normalised over; choose from 1..2"),
        ((-3,), (2, 4, 8), "axis 0 of the shape (2, 4, 8) is the batch and cannot be normalised over; choose from 1..2"),
        ((1, 0), (None, 4, 8), "axis 0 of the shape (None, 4, 8) is the batch and cannot be normalised over; choose from 1..2"),
        ((1, 1), (2, 4, 8), "axis [1, 1] names an axis of the shape (2, 4, 8) twice"),
        ((2, -1), (2, 4, 8), "axis [2, -1] names an axis of the shape (2, 4, 8) twice"),
    ],
)
def test_axes_that_a_shape_does_not_have(axes: tuple[int, ...], shape: tuple[int | None, ...], words: str) -> None:
    with pytest.raises(SpecError) as e:
        resolve_axes(axes, len(shape), shape)
    assert str(e.value) == words


def test_axes_come_out_ascending() -> None:
    assert resolve_axes((-1,), 4, (2, 3, 4, 5)) == (3,)
    assert resolve_axes((3, -3), 4, (2, 3, 4, 5)) == (1, 3)


@pytest.mark.parametrize(
    ("groups", "channels", "words"),
    [
        (32, 3, "Number of groups (32) cannot be more than the number of channels (3). Nearest that fit: 3."),
        (32, 48, "Number of groups (32) must be a multiple of the number of channels (48). Nearest that fit: 24, 48."),
        (5, 7, "Number of groups (5) must be a multiple of the number of channels (7). Nearest that fit: 1, 7."),
        (4, 0, "Number of groups (4) cannot be more than the number of channels (0)."),
        (-1, 0, "Number of groups (1) cannot be more than the number of channels (0)."),
    ],
)
def test_groups_that_do_not_fit(groups: int, channels: int, words: str) -> None:
    with pytest.raises(SpecError) as e:
        resolve_groups(groups, channels)
    assert str(e.value) == words


def test_groups_that_fit() -> None:
    assert [resolve_groups(g, 48) for g in (1, 3, 48, -1)] == [1, 3, 48, 48]


def test_a_feature_axis_must_be_defined() -> None:
    for axes, shown in (((-1,), "-1"), ((1, -1), "[1, -1]")):
        with pytest.raises(SpecError) as e:
            check_defined(axes, (None, 8, None))
        assert str(e.value) == (
            f"Axis {shown} of input tensor should have a defined dimension but the layer received an input with shape (None, 8, None)."
        )
    check_defined((1,), (None, 8, None))
