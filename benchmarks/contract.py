"""The numerics contract, asked of anything that computes a case: its errors, and what must hold to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from peers import Data, make_data, spec_of
from suite import Case

from gngen.compare.accuracy import error_limit, evaluate

Array = np.ndarray[Any, Any]
# What computes an x, of the case's shape but for the batch, with the parameters of the case's data.
Compute = Callable[[Array], Array]
DATA = ("N(0, 1)", "N(100, 0.01)", "N(1e4, 1)", "U[0, 1)", "one outlier of 1e4")
# A case of more elements is checked on its own data alone: the definition takes seconds for each kind of data.
ELEMENTS_MOST = 1 << 22


@dataclass(frozen=True)
class Verdict:
    """error: the largest of all kinds of data, in the contract's units. broken: what does not hold, in words; "" where all does."""

    error: float
    broken: str


def draw(kind: str, shape: tuple[int, ...], rng: np.random.Generator, double: bool = False) -> Array:
    """An array of one kind of data, float32 or float64."""
    wide: Any = np.float64 if double else np.float32
    x = rng.random(shape, wide) if kind == "U[0, 1)" else rng.standard_normal(shape, wide)
    if kind == "N(100, 0.01)":
        x *= 0.01
        x += 100
    elif kind == "N(1e4, 1)":
        x += 1e4
    elif kind == "one outlier of 1e4":
        x.flat[0] = 1e4
    return x


def examine(compute: Compute, case: Case, data: Data | None = None) -> Verdict:
    """Whether the contract holds for what `compute` gives: its limit of error on every kind of data, and the exact parts."""
    data = data or make_data(case)
    inputs = {"the case's own": data.x}
    if case.elements <= ELEMENTS_MOST:
        rng = np.random.default_rng(3)
        inputs |= {kind: draw(kind, case.memory_shape, rng).astype(data.x.dtype) for kind in DATA}
    spec, limit = spec_of(case), error_limit(data.x.dtype.name)
    errors = {kind: evaluate(x, data.gamma, data.beta, spec).error(compute(x)) for kind, x in inputs.items()}
    broken = [f"the error on {kind} data is {e:.1e}, over {limit:.0e}" for kind, e in errors.items() if not e <= limit]
    broken += [words for check in (_same_bits, _constant, _own_group) if (words := check(compute, case, data))]
    return Verdict(max(errors.values()), "; ".join(broken))


def _same_bits(compute: Compute, case: Case, data: Data) -> str:
    """Whatever the run and the batch."""
    y = compute(data.x)
    if not _equal(y, compute(data.x)):
        return "two runs differ"
    return "" if _equal(y[-1:], compute(data.x[-1:])) else "a sample's answer depends on its batch"


def _constant(compute: Compute, case: Case, data: Data) -> str:
    """A constant group gives beta, exactly; with an activation, what the same beta gives whatever the constant."""
    first, second = (compute(np.full_like(data.x, value)) for value in (0, 3.3))
    if not _equal(first, second):
        return "a constant group's answer depends on the constant"
    if case.op != "fwd":
        return ""
    spread = data.beta.reshape([-1 if axis == case.axis % data.x.ndim else 1 for axis in range(data.x.ndim)])
    return "" if np.array_equal(first, np.broadcast_to(spread, first.shape)) else "a constant group does not give beta"


def _own_group(compute: Compute, case: Case, data: Data) -> str:
    """NaN spoils its own group, and no other."""
    spoilt = data.x.copy()
    spoilt.flat[0] = np.nan
    y, axis = compute(data.x), case.axis
    found = np.moveaxis(compute(spoilt), axis, 1)
    groups = case.shape[1] if case.groups == -1 else case.groups
    width = case.shape[1] // groups
    if not np.isnan(found[0, :width].astype(np.float32)).all():
        return "NaN does not spoil its group"
    expected = np.moveaxis(y, axis, 1).copy()
    expected[0, :width] = found[0, :width]
    return "" if _equal(found, expected) else "NaN spoils other groups"


def _equal(a: Array, b: Array) -> bool:
    return np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()
