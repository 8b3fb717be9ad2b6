"""Every backend against the oracle, and the two that print loop nests against each other, to the bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import (
    HALVES,
    MACHINES_HERE,
    PLACES,
    Array,
    Case,
    assert_equal,
    assert_right,
    assert_stat_right,
    cases,
    fill,
    need_backend,
    oracle,
    parameters,
    placed,
)

import gngen
from gngen.schedule import SCHEDULES
from gngen.spec import ACTIVATIONS, GroupNormSpec
from gngen.target import load_machine, runs_here

# A kernel of numba's takes seconds to build, and of mlir half a second: they get fewer examples.
EXAMPLES = {"numba-cpu": 6, "mlir": 15}


def check(case: Case, backend: str) -> None:
    """A kernel for the case gives the oracle's answers, on every data set, wherever x and out lie."""
    kernel = case.compile(backend)
    for data in case.data:
        (x, gamma, beta), fused = case.inputs(data), case.fused()
        right, kept = oracle(x, gamma, beta, case.spec, **fused), x.copy()
        out = None
        if case.out is not None:
            out = x if case.out == "in place" else placed(np.zeros_like(x), case.out, case.order)
        answer = kernel(x, gamma, beta, out=out, **fused)
        found = dict(zip(case.outputs, answer if len(case.outputs) > 1 else (answer,), strict=True))
        assert_right(found["y"], right, case.dtype)
        if "sum" in found:
            with np.errstate(all="ignore"):
                assert_equal(found["sum"], kept + fused["residual"])
        for name in (name for name in case.outputs if name in ("mean", "rstd")):
            assert_stat_right(name, found[name], right, case.dtype)
        if out is None:
            assert x.tobytes() == kept.tobytes(), "x was written"
        else:
            assert found["y"] is out


def fuzz(backend: str, times: int) -> Callable[[], None]:
    """A test of one backend over the strategy: the same examples each time."""

    @settings(
        max_examples=times * EXAMPLES.get(backend, 60),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(case=cases())
    def test(case: Case) -> None:
        check(case, backend)

    return test


@pytest.mark.parametrize("times", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_gives_the_oracles_answers(backend: str, times: int) -> None:
    fuzz(backend, times)()


# In and out


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("shape", "axis"), [((3, 8, 11, 7), 1), ((3, 11, 7, 8), -1)])
def test_out_is_written_wherever_it_lies(backend: str, shape: tuple[int, ...], axis: int, place: str) -> None:
    spec = GroupNormSpec(groups=4, axis=axis)
    x, (gamma, beta) = fill("normal", shape, "float32"), parameters(shape, spec, "float32")
    kernel = gngen.compile(spec, shape, target=backend)
    plain = kernel(x, gamma, beta)
    out = placed(np.full_like(x, np.nan), place)
    assert kernel(x, gamma, beta, out=out) is out
    assert np.array_equal(out, plain)
    assert np.array_equal(kernel(placed(x, place), gamma, beta), plain)


@pytest.mark.parametrize(
    ("dtype", "schedules"),
    [
        pytest.param("float32", ("serial_small", "group_resident", "group_split", "sample"), marks=pytest.mark.slow_on("numba-cpu")),
        *((dtype, ("sample",)) for dtype in HALVES),
    ],
)
def test_in_place(backend: str, dtype: str, schedules: tuple[str, ...]) -> None:
    spec, shape = GroupNormSpec(groups=4, axis=1), (2, 8, 300)
    x, (gamma, beta) = fill("normal", shape, dtype), parameters(shape, spec, dtype)
    for schedule in schedules:
        kernel = gngen.compile(spec, shape, dtype, backend, schedule=schedule)
        plain, same = kernel(x, gamma, beta), x.copy()
        assert kernel(same, gamma, beta, out=same) is same
        assert np.array_equal(same, plain)


def test_in_place_through_another_view(backend: str) -> None:
    """`out` begins where x begins, and its axes lie differently."""
    spec, shape = GroupNormSpec(groups=2, axis=1, center=False, scale=False), (2, 6, 6)
    kernel = gngen.compile(spec, shape, target=backend)
    x = fill("normal", shape, "float32")
    plain, out = kernel(x), x.transpose(0, 2, 1)
    kernel(x, out=out)
    assert np.array_equal(out, plain)


@pytest.mark.parametrize("ahead", [-64, -1, 1, 3, 100])
def test_out_that_overlaps_x_in_part(backend: str, ahead: int) -> None:
    spec, shape = GroupNormSpec(groups=4, axis=-1), (2, 25, 8)
    kernel = gngen.compile(spec, shape, target=backend)
    count = 2 * 25 * 8
    memory = fill("normal", (count + 200,), "float32")
    x, out = (memory[at : at + count].reshape(shape) for at in (100, 100 + ahead))
    gamma, beta = parameters(shape, spec, "float32")
    plain = kernel(x.copy(), gamma, beta)
    assert np.array_equal(kernel(x, gamma, beta, out=out), plain)


def test_out_that_overlaps_gamma(backend: str) -> None:
    spec, shape = GroupNormSpec(groups=1, axis=1), (1, 8, 4)
    kernel = gngen.compile(spec, shape, target=backend)
    x, out = fill("normal", shape, "float32"), np.ones(shape, "float32")
    gamma, beta = out[0, :2].reshape(-1), out[0, 2:4].reshape(-1)
    plain = kernel(x, gamma.copy(), beta.copy())
    assert np.array_equal(kernel(x, gamma, beta, out=out), plain)


@pytest.mark.parametrize(
    "outputs",
    [
        ("y", "mean"),
        pytest.param(("y", "rstd"), marks=pytest.mark.slow_on("numba-cpu")),
        pytest.param(("y", "mean", "rstd"), marks=pytest.mark.slow_on("numba-cpu")),
        ("rstd", "y"),
    ],
)
def test_mean_and_rstd_come_after_y(backend: str, outputs: tuple[str, ...]) -> None:
    spec, shape = GroupNormSpec(groups=3, axis=-1), (4, 10, 9)
    x, (gamma, beta) = fill("far", shape, "float32"), parameters(shape, spec, "float32")
    right = oracle(x, gamma, beta, spec)
    y, *stats = gngen.compile(spec, shape, target=backend, outputs=outputs)(x, gamma, beta)
    assert_right(y, right, "float32")
    for name, got in zip([o for o in ("mean", "rstd") if o in outputs], stats, strict=True):
        assert got.shape == (4, 3)
        assert_stat_right(name, got, right, "float32")


# The same nest on both

SHAPES: dict[str, tuple[tuple[int, ...], int, int]] = {
    "serial_small": ((3, 6, 37, 9), 1, 3),
    "group_resident": ((2, 4, 5003), 1, 2),
    "group_stream": ((2, 3, 8, 301), 2, 2),
    "micro": ((3, 111), 1, 37),
    "sample": ((2, 50, 12), -1, 4),
    "group_split": ((2, 4, 9001), 1, 2),
    "rows": ((2, 301, 21), -1, 7),
}
_KINDS = list(itertools.product(SCHEDULES, ("temporal", "streaming"), ("float32", "float64")))
_ACTS = (None, *ACTIVATIONS)
# Every schedule, store and type; the activations in turn, each with both types.
SAME = [(*kind, _ACTS[(i // 2 + 3 * (i % 2)) % len(_ACTS)]) for i, kind in enumerate(_KINDS)]
# Halves: every schedule, every activation, and every store and type.
SAME += [(name, ("streaming", "temporal")[i % 2], HALVES[i // 2 % 2], _ACTS[i]) for i, name in enumerate(SCHEDULES)]
# What is not slow: all of the halves, and five kernels of the other types.
QUICK = {
    *SAME[-len(SCHEDULES) :],
    *(
        (name, store, dtype, act)
        for name, store, dtype, act in SAME
        if (name, store, dtype)
        in (
            ("serial_small", "temporal", "float32"),
            ("group_resident", "streaming", "float64"),
            ("micro", "temporal", "float64"),
            ("sample", "streaming", "float32"),
            ("rows", "temporal", "float32"),
        )
    ),
}


def test_the_list_has_every_schedule_and_every_activation_in_both_types() -> None:
    assert set(SHAPES) == set(SCHEDULES)
    assert {(dtype, act) for _, _, dtype, act in SAME} >= set(itertools.product(("float32", "float64"), _ACTS))
    assert {(store, dtype) for _, store, dtype, _ in SAME} >= set(itertools.product(("temporal", "streaming"), HALVES))
    assert len(QUICK) == len(SCHEDULES) + 5


def each(spec: GroupNormSpec, shape: tuple[int, ...], dtype: str, machine: str, schedule: dict[str, Any]) -> list[tuple[Array, ...]]:
    """What c, llvm and numba-cpu answer on every data set."""
    gamma, beta = parameters(shape, spec, dtype)
    answers: list[tuple[Array, ...]] = []
    for name in ("c", "llvm", "numba-cpu"):
        kernel = gngen.compile(spec, shape, dtype, f"{name}:{machine}", ("y", "mean", "rstd"), schedule)
        found = [kernel(fill(data, shape, dtype), gamma, beta) for data in ("normal", "offset", "outlier", "constant", "nan", "inf")]
        answers.append(tuple(itertools.chain.from_iterable(found)))
    return answers


@pytest.mark.usefixtures("all_backends")
@pytest.mark.parametrize(
    ("schedule", "store", "dtype", "activation"), [pytest.param(*v, marks=() if v in QUICK else pytest.mark.slow) for v in SAME]
)
def test_the_backends_agree_to_the_bit(schedule: str, store: str, dtype: str, activation: str | None) -> None:
    if store == "streaming" and not load_machine("host").streaming_stores:
        pytest.skip("this machine has no streaming stores")
    shape, axis, groups = SHAPES[schedule]
    spec = GroupNormSpec(groups=groups, axis=axis, activation=activation)
    for c, llvm, numba in zip(*each(spec, shape, dtype, "host", {"name": schedule, "store": store}), strict=True):
        assert_equal(c, llvm)
        assert_equal(c, numba)


@pytest.mark.usefixtures("all_backends")
@pytest.mark.parametrize(
    "machine", [pytest.param(name, marks=() if name == "x86-64-v3" else pytest.mark.slow) for name in MACHINES_HERE if name != "host"]
)
def test_the_backends_agree_to_the_bit_on_every_machine(machine: str) -> None:
    reason = runs_here(load_machine(machine))
    if reason:
        pytest.skip(reason)
    shape, axis, groups = SHAPES["sample"]
    spec = GroupNormSpec(groups=groups, axis=axis, activation="silu")
    for c, llvm, numba in zip(*each(spec, shape, "float32", machine, {"name": "sample"}), strict=True):
        assert_equal(c, llvm)
        assert_equal(c, numba)
    right = oracle(x := fill("normal", shape, "float32"), *parameters(shape, spec, "float32"), spec)
    kernel = gngen.compile(spec, shape, target=f"c:{machine}", schedule="sample")
    assert_right(kernel(x, *parameters(shape, spec, "float32")), right, "float32")


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(name, marks=() if name in ("generic", "x86-64-v3", "x86-64-v4-bf16") else pytest.mark.slow)
        for name in MACHINES_HERE
        if name != "host"
    ],
)
@pytest.mark.parametrize(("shape", "axis"), [((2, 8, 301), 1), ((2, 90, 21), -1)])
@pytest.mark.parametrize("name", ["c", "llvm"])
def test_halves_are_rounded_on_every_machine(name: str, machine: str, dtype: str, shape: tuple[int, ...], axis: int) -> None:
    """Whole vectors and parts of them, in memory of any alignment; with streaming stores where they go with halves."""
    reason = runs_here(load_machine(machine))
    if reason:
        pytest.skip(reason)
    spec = GroupNormSpec(groups=shape[axis] // 4 if axis == 1 else 7, axis=axis)
    stores = ("temporal", "streaming") if load_machine(machine).vector_bits > 128 else ("temporal",)
    (gamma, beta), single = parameters(shape, spec, dtype), gngen.compile(spec, shape, target=f"{need_backend(name)}:{machine}")
    assert gamma is not None
    assert beta is not None
    for store in stores:
        kernel = gngen.compile(spec, shape, dtype, f"{name}:{machine}", schedule={"store": store})
        for data in ("normal", "offset", "constant", "nan", "inf"):
            x = fill(data, shape, dtype)
            right = single(x.astype("float32"), gamma.astype("float32"), beta.astype("float32")).astype(dtype)
            for place in ("dense", "shifted"):
                out = placed(np.zeros_like(x), place)
                assert_equal(kernel(placed(x, place), gamma, beta, out=out), right)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", ["c", "llvm", "numba-cpu"])
def test_streaming_stores_of_halves_stream(name: str, dtype: str) -> None:
    """LLVM narrows and stores in one instruction, which is not a streaming one, unless it is kept from it."""
    need_backend(name)
    if not load_machine("host").streaming_stores or load_machine("host").vector_bits < 256:
        pytest.skip("this machine has no streaming stores of halves")
    spec, shape = GroupNormSpec(groups=4, axis=1), (2, 8, 37, 64)
    text = {}
    for store in ("temporal", "streaming"):
        text[store] = gngen.compile(spec, shape, dtype, name, schedule={"name": "serial_small", "store": store}).assembly()
    assert "movnt" in text["streaming"]
    assert "movnt" not in text["temporal"]
