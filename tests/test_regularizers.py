"""Regularizers: their values, and how they are found and written."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from gngen import regularizers
from gngen.errors import SpecError
from gngen.regularizers import L1, L1L2, L2, penalty

NAMES = {"l1": L1, "l2": L2, "l1_l2": L1L2}
WEIGHT = np.array([1.0, -2.0, 3.0, 0.5], np.float32)


def test_values() -> None:
    assert L1(0.1)(WEIGHT) == pytest.approx(0.65, rel=1e-15)
    assert L2(0.1)(WEIGHT) == pytest.approx(1.425, rel=1e-15)
    assert L1L2(0.1, 0.2)(WEIGHT) == pytest.approx(0.65 + 2.85, rel=1e-15)
    assert L1L2()(WEIGHT) == 0.0
    assert isinstance(L1()(WEIGHT), float)
    assert L2(1.0)([[1.0, 2.0], [3.0, 4.0]]) == 30.0


def test_defaults_are_kerass() -> None:
    assert (L1().l1, L2().l2, L1L2().l1, L1L2().l2) == (0.01, 0.01, 0.0, 0.0)
    assert (L1(None), L2(None), L1L2(None, None)) == (L1(), L2(), L1L2())  # type: ignore[arg-type]


def test_half_precision_is_summed_in_double() -> None:
    weight = np.full(100, 300.0, np.float16)
    assert L2(1.0)(weight) == 9e6


def test_a_factor_of_zero_leaves_its_term_out() -> None:
    weight = np.array([np.inf, 1.0])
    assert L1L2(0.0, 0.0)(weight) == 0.0
    assert L1(1.0)(weight) == math.inf
    assert math.isnan(L1(1.0)(np.array([np.nan])))


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, "1", True])
@pytest.mark.parametrize(("cls", "argument"), [(L1, "l1"), (L2, "l2"), (L1L2, "l1"), (L1L2, "l2")])
def test_bad_factors(cls: Any, argument: str, value: Any) -> None:
    with pytest.raises(SpecError) as caught:
        cls(**{argument: value})
    assert str(caught.value) == f"{argument} must be a finite number, at least 0; received {argument}={value!r}"


@pytest.mark.parametrize(("name", "cls"), NAMES.items())
def test_get(name: str, cls: Any) -> None:
    for identifier in (name, cls.__name__, cls, {"class_name": cls.__name__, "config": {}}):
        assert regularizers.get(identifier) == cls()
    assert getattr(regularizers, name) is cls
    instance = cls(0.5)
    assert regularizers.get(instance) is instance


def test_get_none_callables_and_l1l2() -> None:
    assert regularizers.get(None) is None
    assert regularizers.get(np.sum) is np.sum
    assert regularizers.get("l1l2") == L1L2()


@pytest.mark.parametrize("identifier", ["l3", 0.01, {"class_name": "L3", "config": {}}])
def test_get_something_unknown(identifier: Any) -> None:
    with pytest.raises(SpecError) as caught:
        regularizers.get(identifier)
    assert str(caught.value) == (
        f"Could not interpret regularizer identifier: {identifier}; choose from l1, l2, l1_l2, a callable, "
        "or {'class_name': ..., 'config': {...}} of one of these"
    )


def test_get_what_keras_writes() -> None:
    written = {"module": "keras.regularizers", "class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}, "registered_name": None}
    assert regularizers.get(written) == L1L2(0.1, 0.2)


@pytest.mark.parametrize("regularizer", [L1(0.3), L2(0.3), L1L2(0.1, 0.2), L1L2(l2=3)])
def test_serialize_round_trips_through_json(regularizer: Any) -> None:
    written = json.loads(json.dumps(regularizers.serialize(regularizer)))
    assert written == {"class_name": type(regularizer).__name__, "config": regularizer.get_config()}
    assert regularizers.get(written) == regularizer


def test_serialize_others() -> None:
    assert regularizers.serialize(None) is None
    assert regularizers.serialize(np.sum) is np.sum


def test_penalty_converts() -> None:
    assert penalty(L1(1.0), WEIGHT) == 6.5
    assert penalty(lambda w: np.float32(w.sum()), WEIGHT) == 2.5
    assert penalty(lambda w: np.array([[w.sum()]]), WEIGHT) == 2.5
    assert isinstance(penalty(lambda w: np.array(1), WEIGHT), float)


def test_penalty_wants_one_number() -> None:
    with pytest.raises(SpecError) as caught:
        penalty(np.abs, WEIGHT)
    assert str(caught.value) == "a regularizer must answer one number; <ufunc 'absolute'> answered an array of shape (4,)"


def test_keras_agrees() -> None:
    keras = pytest.importorskip("keras")
    pairs: list[tuple[Any, Any]] = [
        (L1(0.5), keras.regularizers.L1(0.5)),
        (L2(0.5), keras.regularizers.L2(0.5)),
        (L1L2(0.5, 0.25), keras.regularizers.L1L2(0.5, 0.25)),
    ]
    for ours, theirs in pairs:
        assert penalty(theirs, WEIGHT) == pytest.approx(ours(WEIGHT), rel=1e-6)
        assert regularizers.get(keras.regularizers.serialize(theirs)) == ours
        assert type(keras.regularizers.get(regularizers.serialize(ours))) is type(theirs)
        assert regularizers.serialize(theirs) == regularizers.serialize(ours)
        assert regularizers.get(theirs) is theirs
