"""Kernels of numba-cuda in numba's CUDA simulator, against the oracle."""

from __future__ import annotations

from typing import Any

import pytest
from strategies import (
    DATA,
    HALVES,
    Array,
    assert_equal,
    assert_right,
    assert_stat_right,
    companions,
    fill,
    oracle,
    parameters,
)

import gngen
from gngen.api import plan
from gngen.gpuschedule import gpu_schedules_for
from gngen.spec import ACTIVATIONS, GroupNormSpec

# A group of three slices: two and a part, or three with a part for each of two blocks.
FIRST, GROUPS = (1, 4, 150), 2
SCHEDULES: dict[str, Any] = {
    "warp_group": "warp_group",
    "cta_reg": "cta_reg",
    "cta_smem": "cta_smem",
    "cluster": {"name": "cluster", "split": 2},
    "coop": {"name": "coop", "split": 2},
    "two_kernel": "two_kernel",
}
TARGET = "numba-cuda:sm_90"


def shape_of(schedule: str) -> tuple[int, ...]:
    """A shape that the schedule can compute: of one slice where a group is one warp's."""
    return (1, 4, 60) if schedule == "warp_group" else FIRST


def check(
    spec: GroupNormSpec, shape: tuple[int, ...], dtype: str, schedule: str | None, data: str, outputs: tuple[str, ...] = ("y",)
) -> None:
    asked = None if schedule is None else SCHEDULES[schedule]
    kernel = gngen.compile(spec, shape, dtype, TARGET, outputs, asked)
    x, (gamma, beta) = fill(data, shape, dtype), parameters(shape, spec, dtype)
    fused = companions(shape, spec, dtype)
    answer = kernel(x, gamma, beta, **fused)
    found = dict(zip(outputs, answer if len(outputs) > 1 else (answer,), strict=True))
    right = oracle(x, gamma, beta, spec, **fused)
    assert_right(found["y"], right, dtype)
    if "sum" in found:
        assert_equal(found["sum"], x + fused["residual"])
    for name in (name for name in outputs if name in ("mean", "rstd")):
        assert_stat_right(name, found[name], right, dtype)


@pytest.mark.parametrize("dtype", ["float32", *HALVES])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_answers(schedule: str, dtype: str) -> None:
    check(GroupNormSpec(groups=GROUPS, axis=1, activation="silu"), shape_of(schedule), dtype, schedule, "normal", ("y", "mean", "rstd"))


@pytest.mark.parametrize("data", [*DATA, "constant", "nan", "inf"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_data(schedule: str, data: str) -> None:
    check(GroupNormSpec(groups=GROUPS, axis=1), shape_of(schedule), "float32", schedule, data)


@pytest.mark.parametrize("fused", ["residual", "modulation", "masked", "all"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_fused_forms(schedule: str, fused: str) -> None:
    flags = dict.fromkeys(("residual", "modulation", "masked") if fused == "all" else (fused,), True)
    outputs = ("y", "sum") if "residual" in flags else ("y",)
    dtype = "float16" if fused == "all" else "float32"
    check(GroupNormSpec(groups=GROUPS, axis=1, **flags), shape_of(schedule), dtype, schedule, "normal", outputs)


@pytest.mark.parametrize("activation", [a for a in ACTIVATIONS if a not in (None, "silu")])
def test_activations(activation: str) -> None:
    check(GroupNormSpec(groups=GROUPS, axis=1, activation=activation), (1, 4, 60), "float32", "warp_group", "normal")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("shape", "groups", "axis"),
    [((1, 40, 16), 2, -1), ((1, 24, 15), 3, -1), ((1, 6, 5, 13), 3, 1), ((1, 3, 12, 20), 3, 2), ((2, 33), 11, -1)],
)
def test_layouts_and_odd_shapes(shape: tuple[int, ...], groups: int, axis: int, dtype: str) -> None:
    """Every schedule that fits, channels first, last and between, where vectors of 16 bytes fit and where not."""
    spec = GroupNormSpec(groups=groups, axis=axis, activation="silu")
    chosen = plan(spec, shape, dtype, TARGET)
    x, (gamma, beta) = fill("far", shape, dtype), parameters(shape, spec, dtype)
    right = oracle(x, gamma, beta, spec)
    for name in (None, *gpu_schedules_for(chosen.problem, chosen.target.gpu)):
        assert_right(gngen.compile(spec, shape, dtype, TARGET, schedule=name)(x, gamma, beta), right, dtype)


def test_in_place_and_the_same_bits_whoever_shares_a_group() -> None:
    """A schedule says who computes what; neither it, nor the batch, nor the place of a sample in it changes a bit."""
    spec = GroupNormSpec(groups=GROUPS, axis=1)
    shape = (2, *FIRST[1:])
    x, (gamma, beta) = fill("far", shape, "float32"), parameters(shape, spec, "float32")
    answers: list[Array] = []
    for name, asked in SCHEDULES.items():
        if name != "warp_group":
            same = x.copy()
            kernel = gngen.compile(spec, shape, "float32", TARGET, schedule=asked)
            assert kernel(same, gamma, beta, out=same) is same
            answers.append(same)
    for answer in answers[1:]:
        assert_equal(answer, answers[0])
    alone = gngen.compile(spec, FIRST, "float32", TARGET, schedule="cta_reg")(x[1:], gamma, beta)
    assert_equal(alone, answers[0][1:])


def test_an_empty_batch() -> None:
    spec = GroupNormSpec(groups=GROUPS, axis=1, scale=False, center=False)
    kernel = gngen.compile(spec, (None, *FIRST[1:]), "float32", TARGET)
    assert kernel(fill("normal", (0, *FIRST[1:]), "float32")).shape == (0, *FIRST[1:])


def test_what_explain_says() -> None:
    spec = GroupNormSpec(groups=GROUPS, axis=1)
    text = gngen.compile(spec, FIRST, "float32", TARGET, schedule="cta_reg").explain()
    assert "schedule  cta_reg: asked for" in text
    assert "ptxas     numba's CUDA simulator has no PTX" in text
    assert "note      numba's CUDA simulator: every thread of the GPU in Python" in text
