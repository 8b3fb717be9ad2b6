"""Constraints: their values, and how they are found and written."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gngen import constraints
from gngen.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from gngen.errors import SpecError

NAMES = {"max_norm": MaxNorm, "min_max_norm": MinMaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm}
FIVE = np.array([3.0, -4.0])  # its norm is 5
ALL = [MaxNorm(), MaxNorm(0.5, [0, 1]), MinMaxNorm(0.5, 1.5, 0.25, 1), NonNeg(), UnitNorm(-1)]


def test_max_norm() -> None:
    assert MaxNorm(2.0)(FIVE) == pytest.approx([1.2, -1.6], rel=1e-7)
    assert MaxNorm(10.0)(FIVE) == pytest.approx([3.0, -4.0], rel=1e-7)
    assert MaxNorm(0.0)(FIVE).tolist() == [0.0, 0.0]
    assert MaxNorm()(FIVE) == pytest.approx([1.2, -1.6], rel=1e-7)


def test_min_max_norm() -> None:
    assert MinMaxNorm(0.0, 1.0)(FIVE) == pytest.approx([0.6, -0.8], rel=1e-7)
    assert MinMaxNorm(10.0, 20.0)(FIVE) == pytest.approx([6.0, -8.0], rel=1e-7)
    assert MinMaxNorm(10.0, 20.0, rate=0.5)(FIVE) == pytest.approx([4.5, -6.0], rel=1e-7)
    assert MinMaxNorm(10.0, 20.0, rate=0.0)(FIVE) == pytest.approx([3.0, -4.0], rel=1e-7)


def test_unit_norm() -> None:
    assert UnitNorm()(FIVE) == pytest.approx([0.6, -0.8], rel=1e-7)
    assert UnitNorm()(FIVE)[0] == pytest.approx(3.0 / (5.0 + 1e-7), rel=1e-15)


def test_non_neg() -> None:
    out = NonNeg()(np.array([-1.0, 0.0, 2.0, np.nan, -np.inf, np.inf], np.float32))
    np.testing.assert_array_equal(out, np.array([0.0, 0.0, 2.0, np.nan, 0.0, np.inf], np.float32))
    assert not np.signbit(out[:3]).any()


@pytest.mark.parametrize("constraint", [MaxNorm(), MinMaxNorm(), UnitNorm()])
def test_a_zero_weight_stays_zero(constraint: Any) -> None:
    assert constraint(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_the_axis_counts() -> None:
    weight = np.array([[3.0, 6.0], [4.0, 8.0]])
    assert UnitNorm(0)(weight) == pytest.approx(np.array([[0.6, 0.6], [0.8, 0.8]]), rel=1e-7)
    assert UnitNorm(1)(weight) == pytest.approx(weight / np.array([[45**0.5], [80**0.5]]), rel=1e-7)
    assert UnitNorm((0, 1))(weight) == pytest.approx(weight / 125**0.5, rel=1e-7)
    assert MaxNorm(1.0, axis=[0, 1])(weight) == pytest.approx(weight / 125**0.5, rel=1e-7)
    assert MinMaxNorm(1.0, 1.0, axis=1)(weight) == pytest.approx(UnitNorm(1)(weight), rel=1e-7)


@pytest.mark.parametrize("constraint", ALL)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_dtype_and_the_input_stay(constraint: Any, dtype: str) -> None:
    weight = np.array([[1.0, -200.0], [300.0, 4.0]], dtype)
    before = weight.copy()
    out = constraint(weight)
    assert out.dtype == dtype
    assert out.shape == weight.shape
    assert (weight == before).all()
    assert np.isfinite(out).all(), "the squares of float16 are taken in float64"


def test_integers_become_float64() -> None:
    assert UnitNorm()([3, 4]) == pytest.approx([0.6, 0.8], rel=1e-7)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MaxNorm(-1.0), "max_value must be a finite number, at least 0; received max_value=-1.0"),
        (lambda: MinMaxNorm(min_value=-1), "min_value must be a finite number, at least 0; received min_value=-1"),
        (lambda: MinMaxNorm(2.0, 1.0), "max_value must be a finite number, at least 2; received max_value=1.0"),
        (lambda: MinMaxNorm(rate=1.5), "rate must be a finite number, at least 0, at most 1; received rate=1.5"),
        (lambda: UnitNorm("0"), "axis must be an integer or a non-empty list of integers; received axis='0'"),  # type: ignore[arg-type]
        (lambda: UnitNorm([]), "axis must be an integer or a non-empty list of integers; received axis=[]"),
        (lambda: MaxNorm(axis=True), "axis must be an integer or a non-empty list of integers; received axis=True"),
    ],
)
def test_bad_arguments(make: Any, sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        make()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("name", "cls"), NAMES.items())
def test_get(name: str, cls: Any) -> None:
    for identifier in (name, cls.__name__, cls, {"class_name": cls.__name__, "config": {}}):
        assert constraints.get(identifier) == cls()
    assert getattr(constraints, name) is cls
    instance = cls()
    assert constraints.get(instance) is instance


def test_get_others() -> None:
    assert constraints.get(None) is None
    assert constraints.get(np.abs) is np.abs
    written = {"module": "keras.constraints", "class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}, "registered_name": None}
    assert constraints.get(written) == MaxNorm(2, 0)


@pytest.mark.parametrize("identifier", ["clip", 3, {"class_name": "Clip", "config": {}}])
def test_get_something_unknown(identifier: Any) -> None:
    with pytest.raises(SpecError) as caught:
        constraints.get(identifier)
    assert str(caught.value) == (
        f"Could not interpret constraint identifier: {identifier}; choose from max_norm, min_max_norm, non_neg, unit_norm, "
        "a callable, or {'class_name': ..., 'config': {...}} of one of these"
    )


@pytest.mark.parametrize("constraint", ALL)
def test_serialize_round_trips_through_json(constraint: Any) -> None:
    written = json.loads(json.dumps(constraints.serialize(constraint)))
    assert written["class_name"] == type(constraint).__name__
    assert constraints.get(written) == constraint


def test_serialize_exactly() -> None:
    assert constraints.serialize(None) is None
    assert constraints.serialize(np.abs) is np.abs
    assert constraints.serialize(MaxNorm(3)) == {"class_name": "MaxNorm", "config": {"max_value": 3.0, "axis": 0}}


def test_keras_agrees() -> None:
    keras = pytest.importorskip("keras")
    weight = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    pairs: list[tuple[Any, Any]] = [
        (MaxNorm(0.5, 0), keras.constraints.MaxNorm(0.5, 0)),
        (MinMaxNorm(0.5, 1.5, 0.25, 1), keras.constraints.MinMaxNorm(0.5, 1.5, 0.25, 1)),
        (NonNeg(), keras.constraints.NonNeg()),
        (UnitNorm(1), keras.constraints.UnitNorm(1)),
    ]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours(weight), np.asarray(theirs(weight)), rtol=2e-6, atol=1e-7)
        assert constraints.get(keras.constraints.serialize(theirs)) == ours
        assert type(keras.constraints.get(constraints.serialize(ours))) is type(theirs)
        assert constraints.serialize(theirs) == constraints.serialize(ours)
        assert constraints.get(theirs) is theirs
