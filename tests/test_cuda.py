"""CUDA C: the text of every schedule, run on the CPU with sanitizers against the oracle, its threads in both orders.

Schedules of one problem must agree in every bit, whatever their number of blocks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cudacpu import Job, build, why_not, workspace
from strategies import Array, assert_equal, assert_right, assert_stat_right, companions, computed, fill, oracle, padded, parameters

from gngen.gpuschedule import GPU_SCHEDULES, choose_gpu_schedule, gpu_schedules_for
from gngen.loopnest import LoopNest
from gngen.lowering import lower_problem
from gngen.problem import KINDS, Problem, specialize
from gngen.spec import ACTIVATIONS, GroupNormSpec
from gngen.target import Gpu, load_machine

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

# Every way that a vector of 16 bytes can lie: within a channel, across several, on a row of channels; and groups that have none.
LAYOUTS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "first": ((2, 8, 17, 16), {"groups": 2, "axis": 1}),
    "first-across": ((2, 16, 7, 7), {"groups": 2, "axis": 1}),
    "first-odd": ((3, 6, 5, 13), {"groups": 3, "axis": 1}),
    "last": ((2, 5, 9, 32), {"groups": 2}),
    "last-odd": ((2, 60, 15), {"groups": 3}),
    "last-one-group": ((2, 45, 16), {"groups": 1}),
    "middle": ((2, 3, 12, 70), {"groups": 3, "axis": 2}),
}
FORMS: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
    ({}, ("y", "mean", "rstd")),
    ({"residual": True}, ("y", "sum")),
    ({"modulation": True, "center": False}, ("y",)),
    ({"masked": True, "scale": False}, ("y", "mean", "rstd")),
    ({"residual": True, "modulation": True, "masked": True}, ("y",)),
)
DATA = ("normal", "far", "outlier")


def machine(name: str = "sm_90") -> Gpu:
    found = load_machine(name)
    assert isinstance(found, Gpu)
    return found


def arrays(
    nest: LoopNest, spec: GroupNormSpec, shape: tuple[int, ...], dtype: str, data: str, alias: dict[str, str] | None = None
) -> tuple[list[Array | int], dict[str, Array]]:
    """What a nest is called with, and the same by name; `alias`: an output that is an input's memory."""
    x = fill(data, shape, dtype)
    gamma, beta = parameters(shape, spec, dtype)
    given = companions(shape, spec, dtype)
    x = padded(x, spec, given.get("mask"), np.nan)
    own = given.get("modulation", (None, None))
    stats = np.full((shape[0], nest.problem.groups), np.nan, computed(dtype))
    mask = given["mask"].astype(computed(dtype)) if spec.masked else None
    named = {"x": x, "residual": given.get("residual"), "mask": mask, "gamma": gamma, "beta": beta, "own_scale": own[0]}
    named |= {"own_shift": own[1], "y": np.full_like(x, 7), "summed": np.full_like(x, 7), "mean": stats, "rstd": stats.copy()}
    order = [b.name for b in nest.buffers]
    used: list[Array | int] = [order.index(alias[name]) if alias and name in alias else named[name] for name in order]
    return [*used, *workspace(nest, shape[0])], named


def check(nest: LoopNest, spec: GroupNormSpec, named: dict[str, Array], after: list[Array], dtype: str) -> None:
    """The outputs of a nest against the oracle."""
    found = dict(zip((b.name for b in nest.buffers), after, strict=False))
    fused: dict[str, Any] = {"residual": named["residual"]} if spec.residual else {}
    if spec.modulation:
        fused["modulation"] = (named["own_scale"], named["own_shift"])
    if spec.masked:
        fused["mask"] = named["mask"] != 0
    right = oracle(named["x"], named["gamma"], named["beta"], spec, **fused)
    assert_right(found["y"], right, dtype)
    for name in ("mean", "rstd"):
        if name in found:
            assert_stat_right(name, found[name], right, dtype)
    if "summed" in found:
        assert_equal(found["summed"], np.add(named["x"], named["residual"], dtype=named["x"].dtype))


def lowered(p: Problem, gpu: Gpu) -> list[LoopNest]:
    """A nest of every schedule that fits."""
    return [lower_problem(p, choose_gpu_schedule(p, gpu, name)) for name in gpu_schedules_for(p, gpu)]


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_schedule_and_fused_form(layout: str, dtype: str, tmp_path: Path) -> None:
    shape, sizes = LAYOUTS[layout]
    cases: list[tuple[GroupNormSpec, list[LoopNest]]] = []
    for i, (flags, outputs) in enumerate(FORMS):
        act = (None, *ACTIVATIONS)[(i + 2 * list(LAYOUTS).index(layout)) % (len(ACTIVATIONS) + 1)]
        spec = GroupNormSpec(**sizes, **flags, activation=act)
        cases.append((spec, lowered(specialize(spec, shape, dtype, None, outputs)[0], machine())))
    program = build([nest for _, nests in cases for nest in nests], machine(), tmp_path)
    jobs, wanted, number = [], [], 0
    for spec, nests in cases:
        for i, nest in enumerate(nests):
            for data in DATA:
                used, named = arrays(nest, spec, shape, dtype, data)
                jobs.append(Job(number, shape[0], used))
                wanted.append((i, spec, nest, named))
            number += 1
    answers = program.run(jobs)
    first: list[list[Array]] = []
    for at, ((i, spec, nest, named), after) in enumerate(zip(wanted, answers, strict=True)):
        check(nest, spec, named, after, dtype)
        first = [after, *([] if at % len(DATA) == 0 else first)] if i == 0 and at % len(DATA) == 0 else [*first, after] if i == 0 else first
        same = first[at % len(DATA)][: len(nest.buffers)]
        for one, other in zip(after[: len(nest.buffers)], same, strict=True):
            assert_equal(one, other)


def test_every_schedule_is_met() -> None:
    met = {name for shape, sizes in LAYOUTS.values() for name in gpu_schedules_for(specialize(GroupNormSpec(**sizes), shape)[0], machine())}
    assert met == set(GPU_SCHEDULES)
