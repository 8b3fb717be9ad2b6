"""Initializers: their values, their distributions, and how they are found and written."""

from __future__ import annotations

import copy
import json
import math
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from gngen import initializers
from gngen.errors import SpecError
from gngen.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Ones,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
    compute_fans,
)

DRAWS = 200_000
NAMES: dict[str, Any] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
}
RANDOM = [cls for cls in NAMES.values() if cls not in (Zeros, Ones, Constant)]
CHOICES = ", ".join(NAMES)
TAIL = f"; choose from {CHOICES}, a callable, or {{'class_name': ..., 'config': {{...}}}} of one of these"


def moments(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("cls", NAMES.values())
def test_shape_and_dtype(cls: Any, dtype: str) -> None:
    for shape in [(5,), (3, 4), (2, 3, 4), (0,), ()]:
        value = cls()(shape, dtype=dtype)
        assert isinstance(value, np.ndarray)
        assert value.shape == shape
        assert value.dtype == dtype


@pytest.mark.parametrize("cls", NAMES.values())
def test_the_default_dtype_is_float32(cls: Any) -> None:
    assert cls()((3,)).dtype == np.float32


def test_constants() -> None:
    assert Zeros()((2, 3)).tolist() == [[0.0] * 3] * 2
    assert Ones()((2, 3)).tolist() == [[1.0] * 3] * 2
    assert Constant(2.5)((2, 3)).tolist() == [[2.5] * 3] * 2
    assert Constant()((2,)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", None, True, [1.0]])
def test_constant_takes_a_finite_number(value: Any) -> None:
    with pytest.raises(SpecError) as caught:
        Constant(value)
    assert str(caught.value) == f"value must be a finite number; received value={value!r}"


@pytest.mark.parametrize("cls", RANDOM)
def test_an_integer_seed_fixes_the_values(cls: Any) -> None:
    first, same, other = cls(seed=7), cls(seed=np.int64(7)), cls(seed=8)
    assert (first((64,)) == first((64,))).all(), "one instance answers the same at every call"
    assert (first((64,)) == same((64,))).all()
    assert (first((64,)) != other((64,))).any()
    assert first == same
    assert first != other
    assert len(np.unique(first((64,), "float64"))) == 64


@pytest.mark.parametrize("cls", RANDOM)
def test_without_a_seed_each_instance_draws_its_own(cls: Any) -> None:
    first, second = cls(), cls()
    assert (first((64,)) == first((64,))).all()
    assert (first((64,)) == copy.deepcopy(first)((64,))).all()
    assert (first((64,)) != second((64,))).any()
    assert first.get_config()["seed"] is None


def test_pythons_seed_makes_unseeded_ones_repeatable() -> None:
    state = random.getstate()
    try:
        random.seed(3)
        first = RandomNormal()((8,))
        random.seed(3)
        assert (RandomNormal()((8,)) == first).all()
    finally:
        random.setstate(state)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, [1]])
@pytest.mark.parametrize("cls", RANDOM)
def test_a_bad_seed(cls: Any, seed: Any) -> None:
    with pytest.raises(SpecError) as caught:
        cls(seed=seed)
    assert str(caught.value) == f"seed must be None or an integer, at least 0; received seed={seed!r}"


def test_random_normal() -> None:
    mean, std = moments(RandomNormal(mean=3.0, stddev=0.5, seed=1)((DRAWS,)))
    assert mean == pytest.approx(3.0, abs=5 * 0.5 / math.sqrt(DRAWS))
    assert std == pytest.approx(0.5, rel=0.01)
    assert RandomNormal(mean=3.0, stddev=0.0)((4,)).tolist() == [3.0] * 4


def test_random_uniform() -> None:
    values = RandomUniform(minval=-1.0, maxval=3.0, seed=1)((DRAWS,))
    mean, std = moments(values)
    assert -1.0 <= values.min() < -0.999
    assert 2.999 < values.max() <= 3.0
    assert mean == pytest.approx(1.0, abs=5 * 4 / math.sqrt(12 * DRAWS))
    assert std == pytest.approx(4 / math.sqrt(12), rel=0.01)


def test_truncated_normal() -> None:
    values = TruncatedNormal(mean=3.0, stddev=0.5, seed=1)((DRAWS,), "float64")
    mean, std = moments(values)
    assert 2.0 <= values.min() < 2.01
    assert 3.99 < values.max() <= 4.0
    assert mean == pytest.approx(3.0, abs=5 * 0.5 / math.sqrt(DRAWS))
    pdf, inside = math.exp(-2) / math.sqrt(2 * math.pi), math.erf(math.sqrt(2))
    assert std == pytest.approx(0.5 * math.sqrt(1 - 4 * pdf / inside), rel=0.01)
    below_mean = float((values < 3.0).mean())
    assert below_mean == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(DRAWS))


@pytest.mark.parametrize(
    ("cls", "variance"),
    [
        (GlorotUniform, 2 / 900),
        (GlorotNormal, 2 / 900),
        (HeUniform, 2 / 400),
        (HeNormal, 2 / 400),
        (LecunUniform, 1 / 400),
        (LecunNormal, 1 / 400),
    ],
)
def test_named_laws(cls: Any, variance: float) -> None:
    values = cls(seed=1)((400, 500), "float64")
    mean, std = moments(values)
    sigma = math.sqrt(variance)
    assert mean == pytest.approx(0.0, abs=5 * sigma / math.sqrt(values.size))
    assert std == pytest.approx(sigma, rel=0.01)
    bound = math.sqrt(3) * sigma if "Uniform" in cls.__name__ else 2 * sigma / 0.87962566103423978
    assert 0.999 * bound < np.abs(values).max() <= bound


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 400), ("fan_out", 500), ("fan_avg", 450)])
@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal", "normal"])
def test_variance_scaling(mode: str, fan: float, distribution: str) -> None:
    values = VarianceScaling(scale=3.0, mode=mode, distribution=distribution, seed=1)((400, 500), "float64")
    sigma = math.sqrt(3.0 / fan)
    mean, std = moments(values)
    assert mean == pytest.approx(0.0, abs=5 * sigma / math.sqrt(values.size))
    assert std == pytest.approx(sigma, rel=0.01)
    largest = np.abs(values).max() / sigma
    bounds = {"uniform": (1.73, math.sqrt(3)), "untruncated_normal": (4.0, 6.0)}
    low, high = bounds.get(distribution, (2.27, 2 / 0.87962566103423978))
    assert low < largest <= high


def test_variance_scaling_is_what_the_named_laws_are() -> None:
    shape = (6, 10)
    for cls, scale, mode, distribution in [
        (GlorotUniform, 1, "fan_avg", "uniform"),
        (GlorotNormal, 1, "fan_avg", "truncated_normal"),
        (HeUniform, 2, "fan_in", "uniform"),
        (HeNormal, 2, "fan_in", "truncated_normal"),
        (LecunUniform, 1, "fan_in", "uniform"),
        (LecunNormal, 1, "fan_in", "truncated_normal"),
    ]:
        assert (cls(seed=5)(shape) == VarianceScaling(scale, mode, distribution, seed=5)(shape)).all()


def test_fans() -> None:
    assert compute_fans(()) == (1, 1)
    assert compute_fans((64,)) == (64, 64)
    assert compute_fans((3, 5)) == (3, 5)
    assert compute_fans((3, 3, 16, 32)) == (144, 288)
    assert compute_fans((2, 3, 5), input_axes=(0, 1), output_axes=(2,)) == (6, 5)
    assert compute_fans((2, 3, 5), input_axes=(0, 1)) == (6, 10), "one of the two alone has no say"


def test_the_axes_of_the_fans_count() -> None:
    values = LecunUniform(seed=1, input_axes=[1], output_axes=[0])((3, 20_000), "float64")
    assert np.abs(values).max() == pytest.approx(math.sqrt(3 / 20_000), rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"scale": 0}, "scale must be above 0; received scale=0.0"),
        ({"scale": -1}, "scale must be a finite number, at least 0; received scale=-1"),
        ({"mode": "fan"}, "mode must be one of fan_in, fan_out, fan_avg; received mode='fan'"),
        (
            {"distribution": "gamma"},
            "distribution must be one of uniform, truncated_normal, untruncated_normal; received distribution='gamma'",
        ),
    ],
)
def test_bad_scaling(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        VarianceScaling(**arguments)
    assert str(caught.value) == sentence


def test_bad_numbers() -> None:
    with pytest.raises(SpecError) as caught:
        RandomNormal(stddev=-0.1)
    assert str(caught.value) == "stddev must be a finite number, at least 0; received stddev=-0.1"
    with pytest.raises(SpecError) as caught:
        TruncatedNormal(mean=math.inf)
    assert str(caught.value) == "mean must be a finite number; received mean=inf"
    with pytest.raises(SpecError) as caught:
        RandomUniform(minval=1.0, maxval=0.0)
    assert str(caught.value) == "minval cannot be more than maxval; received minval=1.0, maxval=0.0"


@pytest.mark.parametrize(("name", "cls"), NAMES.items())
def test_get_by_name_and_class(name: str, cls: Any) -> None:
    assert type(initializers.get(name)) is cls
    assert type(initializers.get(cls.__name__)) is cls
    assert type(initializers.get(cls)) is cls
    assert getattr(initializers, name) is cls
    instance = cls()
    assert initializers.get(instance) is instance


@pytest.mark.parametrize(("alias", "cls"), [("zero", Zeros), ("one", Ones), ("normal", RandomNormal), ("uniform", RandomUniform)])
def test_keras_aliases(alias: str, cls: Any) -> None:
    assert type(initializers.get(alias)) is cls


def test_get_none_and_callables() -> None:
    def ramp(shape: Any, dtype: Any = None) -> Any:
        return np.arange(shape[0], dtype=dtype)

    assert initializers.get(None) is None
    assert initializers.get(ramp) is ramp


def test_get_a_config() -> None:
    assert initializers.get({"class_name": "Constant", "config": {"value": 2.0}}) == Constant(2.0)
    assert initializers.get({"class_name": "constant", "config": {}}) == Constant(0.0)
    assert initializers.get({"class_name": "Ones"}) == Ones()


def test_get_what_keras_writes() -> None:
    written: dict[str, Any] = {
        "module": "keras.initializers",
        "class_name": "RandomNormal",
        "config": {"seed": 3, "mean": 0.0, "stddev": 0.5},
        "registered_name": None,
    }
    assert initializers.get(written) == RandomNormal(stddev=0.5, seed=3)
    written = {
        "module": "keras.src.initializers.random_initializers",
        "class_name": "HeNormal",
        "config": {"seed": None, "input_axes": None, "output_axes": None},
        "registered_name": None,
    }
    assert initializers.get(written) == HeNormal()


@pytest.mark.parametrize(
    "identifier",
    [
        "nope",
        "",
        3,
        {"class_name": "Nope", "config": {}},
        {"config": {}},
        {"class_name": "Ones", "config": "ones"},
        {"module": "somewhere", "class_name": "Ones", "config": {}, "registered_name": None},
        {"module": None, "class_name": "Ones", "config": {}, "registered_name": "mine>Ones"},
        {"module": "builtins", "class_name": "function", "config": "ramp", "registered_name": "function"},
    ],
)
def test_get_something_unknown(identifier: Any) -> None:
    with pytest.raises(SpecError) as caught:
        initializers.get(identifier)
    assert str(caught.value) == f"Could not interpret initializer identifier: {identifier}{TAIL}"


def test_get_a_config_with_an_unknown_argument() -> None:
    with pytest.raises(SpecError) as caught:
        initializers.get({"class_name": "RandomNormal", "config": {"std": 1, "sead": 2}})
    assert str(caught.value) == "RandomNormal does not take 'std', 'sead'; it takes mean, stddev, seed"
    with pytest.raises(SpecError) as caught:
        initializers.get({"class_name": "Zeros", "config": {"value": 1}})
    assert str(caught.value) == "Zeros does not take 'value'; it takes nothing"


@pytest.mark.parametrize(
    "initializer",
    [
        Zeros(),
        Ones(),
        Constant(2.5),
        RandomNormal(1.0, 2.0, 3),
        RandomUniform(-1.0, 1.0, 4),
        TruncatedNormal(seed=5),
        VarianceScaling(2.0, "fan_out", "untruncated_normal", 6),
        VarianceScaling(seed=6, input_axes=[0], output_axes=[1]),
        GlorotUniform(7),
        GlorotNormal(8, [0], [1]),
        HeUniform(),
        HeNormal(10),
        LecunUniform(11),
        LecunNormal(12),
    ],
)
def test_serialize_round_trips_through_json(initializer: Any) -> None:
    written = initializers.serialize(initializer)
    assert set(written) == {"class_name", "config"}
    assert written["class_name"] == type(initializer).__name__
    read = initializers.get(json.loads(json.dumps(written)))
    assert read == initializer
    assert type(initializer).from_config(initializer.get_config()) == initializer
    if getattr(initializer, "seed", 0) is not None:
        assert (read((3, 4)) == initializer((3, 4))).all()  # type: ignore[misc]


def test_serialize_exactly() -> None:
    assert initializers.serialize(None) is None
    assert initializers.serialize(Zeros()) == {"class_name": "Zeros", "config": {}}
    assert initializers.serialize(HeNormal(3)) == {"class_name": "HeNormal", "config": {"seed": 3}}
    assert initializers.serialize(RandomNormal()) == {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.05, "seed": None}}


def test_serialize_leaves_callables_as_they_are() -> None:
    class Mine(Constant):
        pass

    own = Mine(2.0)
    assert initializers.serialize(own) is own
    assert initializers.serialize(np.ones) is np.ones


def test_instances_are_frozen_and_hashable() -> None:
    with pytest.raises(AttributeError):
        Constant(1.0).value = 2.0  # type: ignore[misc]
    assert len({Constant(1.0), Constant(1), HeNormal(3), HeNormal(3), VarianceScaling(input_axes=[0])}) == 3


def test_keras_agrees() -> None:
    keras = pytest.importorskip("keras")
    for cls in NAMES.values():
        theirs = getattr(keras.initializers, cls.__name__)()
        assert initializers.get(keras.initializers.serialize(theirs)) == cls()
        assert type(keras.initializers.get(initializers.serialize(cls()))) is type(theirs)
        assert cls().get_config().items() <= theirs.get_config().items()
        assert initializers.get(theirs) is theirs
        assert initializers.serialize(theirs) == initializers.serialize(cls())
    for cls in (GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal):
        theirs = np.asarray(keras.initializers.get(cls.__name__)((300, 400)))
        ours = cls(seed=1)((300, 400))
        assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)


def test_importing_brings_neither_numba_nor_jinja2() -> None:
    code = "import sys, gngen.initializers, gngen.regularizers, gngen.constraints; print({'numba', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
