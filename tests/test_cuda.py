"""CUDA C: the text of every schedule, run on the CPU with sanitizers against the oracle, its threads in both orders.

Schedules of one problem must agree in every bit, whatever their number of blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cudacpu import Job, Program, arrays, build, check, machine, why_not
from strategies import Array, assert_equal, fill, parameters

from gngen import models
from gngen.api import plan
from gngen.errors import SpecError
from gngen.gpuschedule import GPU_SCHEDULES, GpuSchedule, choose_gpu_schedule, gpu_schedules_for
from gngen.loopnest import LoopNest
from gngen.lowering import lower_problem
from gngen.problem import Problem, specialize
from gngen.schedule import SCHEDULES
from gngen.slices import group_slices
from gngen.spec import ACTIVATIONS, GroupNormSpec
from gngen.target import Gpu

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

# Every way that a vector of 16 bytes can lie: within a channel, across several, on a row of channels; and groups that have none.
LAYOUTS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "first": ((2, 8, 17, 16), {"groups": 2, "axis": 1}),
    "first-across": ((2, 16, 7, 7), {"groups": 2, "axis": 1}),
    "first-odd": ((3, 6, 5, 13), {"groups": 3, "axis": 1}),
    "last": ((2, 5, 9, 32), {"groups": 2}),
    "last-across": ((2, 150, 40), {"groups": 8}),
    "last-odd": ((2, 60, 15), {"groups": 3}),
    "last-one-group": ((2, 45, 16), {"groups": 1}),
    "middle-short": ((2, 130, 6, 4), {"groups": 3, "axis": 2}),
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


def lowered(p: Problem, gpu: Gpu) -> list[LoopNest]:
    """A nest of every schedule that fits."""
    return [lower_problem(p, choose_gpu_schedule(p, gpu, name)) for name in gpu_schedules_for(p, gpu)]


# Float32 on every layout; a compiler run takes seconds, so the others on those where their vectors lie otherwise.
RUNS = [(layout, "float32") for layout in LAYOUTS]
RUNS += [(layout, dtype) for layout in ("first", "last") for dtype in ("float16", "bfloat16")]
RUNS += [
    ("first-across", "float16"),
    ("last-odd", "bfloat16"),
    ("first-odd", "float64"),
    ("last", "float64"),
    ("last-across", "float16"),
    ("middle", "float16"),
]


# Those that every run of the tests makes, of the plain form and the one with all flags: a group's runs, and a tile's rows.
QUICK = (("first", "float32"), ("last", "float16"))


@pytest.mark.parametrize(
    ("layout", "dtype", "forms"),
    [
        *(pytest.param(*run, (0, 4), id="-".join((*run, "some"))) for run in QUICK),
        *(pytest.param(*run, range(len(FORMS)), marks=pytest.mark.slow, id="-".join(run)) for run in RUNS),
    ],
)
def test_every_schedule_and_fused_form(layout: str, dtype: str, forms: Sequence[int], tmp_path: Path) -> None:
    shape, sizes = LAYOUTS[layout]
    cases: list[tuple[GroupNormSpec, list[LoopNest]]] = []
    for i, (flags, outputs) in ((i, FORMS[i]) for i in forms):
        act = (None, *ACTIVATIONS)[(i + 2 * list(LAYOUTS).index(layout)) % (len(ACTIVATIONS) + 1)]
        spec = GroupNormSpec(**sizes, **flags, activation=act)
        cases.append((spec, lowered(specialize(spec, shape, dtype, None, outputs)[0], machine())))
    program = build([nest for _, nests in cases for nest in nests], machine(), tmp_path)
    calls = [
        (spec, nest, *arrays(nest, spec, shape, dtype, DATA[i % len(DATA)])) for i, (spec, nests) in enumerate(cases) for nest in nests
    ]
    answers = program.run([Job(i, shape[0], used) for i, (_, _, used, _) in enumerate(calls)])
    first: dict[GroupNormSpec, list[Array]] = {}
    for (spec, nest, _, named), after in zip(calls, answers, strict=True):
        outputs = after[: len(nest.buffers)]
        check(nest, spec, named, outputs, dtype)
        for one, other in zip(outputs, first.setdefault(spec, outputs), strict=True):
            assert_equal(one, other)


def test_no_schedule_is_left_out() -> None:
    found = {
        name for shape, sizes in LAYOUTS.values() for name in gpu_schedules_for(specialize(GroupNormSpec(**sizes), shape)[0], machine())
    }
    assert found == set(GPU_SCHEDULES)


@dataclass(frozen=True)
class Plain:
    """Every schedule of a small problem with mean and rstd, of 2 groups of a sample."""

    spec: GroupNormSpec
    shape: tuple[int, ...]
    program: Program

    def run(self, number: int, x: Array) -> dict[str, Array]:
        """The arrays of a kernel by name, after a call, and right."""
        return self.run_all(number, [x])[0]

    def run_all(self, number: int, given: Sequence[Array]) -> list[dict[str, Array]]:
        """Those of calls with each x, in one run of the program."""
        nest = self.program.nests[number]
        jobs, all_named = [], []
        for x in given:
            used, named = arrays(nest, self.spec, x.shape, x.dtype.name, "normal")
            used[0] = named["x"] = x
            jobs.append(Job(number, x.shape[0], used))
            all_named.append(named)
        found = []
        for named, after in zip(all_named, self.program.run(jobs), strict=True):
            check(nest, self.spec, named, after, named["x"].dtype.name)
            found.append(dict(zip((b.name for b in nest.buffers), after, strict=False)))
        return found


PLAIN = {"runs": (GroupNormSpec(groups=2, axis=1), (3, 4, 301)), "tiles": (GroupNormSpec(groups=2), (3, 45, 20))}


@pytest.fixture(scope="module", params=PLAIN)
def plain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Plain:
    spec, shape = PLAIN[request.param]
    p, _ = specialize(spec, shape, "float32", None, ("y", "mean", "rstd"))
    return Plain(spec, shape, build(lowered(p, machine()), machine(), tmp_path_factory.mktemp("plain")))


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_what_is_far_huge_constant_or_no_number(plain: Plain, every: int) -> None:
    """A constant group gives exactly beta; NaN and infinity stay in their group; nothing overflows that need not."""
    _, beta = parameters(plain.shape, plain.spec, "float32")
    assert beta is not None
    first = plain.spec.axes[0] == 1
    normal = fill("normal", plain.shape, "float32")
    constant = [np.full(plain.shape, value, np.float32) for value in (0.0, np.pi, -1e4, 3e38, 1e30, 1e-30, 1e-42, 16777217.0)]
    bad = [normal.copy() for _ in range(3)]
    for x, value in zip(bad, (np.nan, np.inf, -np.inf), strict=True):
        x[1, -1, -1] = value
    spoilt = np.zeros(plain.shape, bool)
    spoilt[(1, slice(2, None)) if first else (1, slice(None), slice(10, None))] = True
    far = [
        *(normal * np.float32(scale) for scale in (1e30, 1e-18)),
        *(fill(d, plain.shape, "float32") for d in ("offset", "uniform", "outlier")),
    ]
    for number in range(len(plain.program.nests)):
        for found in plain.run_all(number, constant[-1::-every]):
            np.testing.assert_array_equal(found["y"], np.broadcast_to(beta[:, None] if first else beta, plain.shape))
        for found in plain.run_all(number, bad[::every]):
            np.testing.assert_array_equal(np.isnan(found["y"]), spoilt)
        plain.run_all(number, far[::every])


def test_the_batch_and_the_place_change_no_bit(plain: Plain) -> None:
    x = fill("far", plain.shape, "float32")
    for number in range(len(plain.program.nests)):
        whole, *others = plain.run_all(number, [x, *(np.ascontiguousarray(x[n : n + 1]) for n in range(len(x)))])
        for n, alone in enumerate(others):
            for name in ("y", "mean", "rstd"):
                assert_equal(alone[name], whole[name][n : n + 1])


@pytest.mark.parametrize("case", PLAIN)
def test_outputs_may_be_the_inputs_themselves(case: str, tmp_path: Path) -> None:
    plain, shape = PLAIN[case]
    spec = replace(plain, residual=True)
    p, _ = specialize(spec, shape, "float32", None, ("y", "sum"))
    program = build(lowered(p, machine()), machine(), tmp_path)
    aliases = ({"y": "x"}, {"y": "residual", "summed": "x"}, {"y": "x", "summed": "residual"})
    for number, nest in enumerate(program.nests):
        calls = [arrays(nest, spec, shape, "float32", "normal", alias) for alias in aliases]
        for (_, named), after in zip(calls, program.run([Job(number, shape[0], used) for used, _ in calls]), strict=True):
            check(nest, spec, named, after, "float32")


def test_a_group_of_many_slices_is_merged_in_two_steps(tmp_path: Path) -> None:
    spec, shape = GroupNormSpec(groups=1, axis=1), (1, 1, 131_101)
    p, _ = specialize(spec, shape)
    assert group_slices(p).chunk > 1
    assert gpu_schedules_for(p, machine()) == ["two_kernel"]
    many = Plain(spec, shape, build(lowered(specialize(spec, shape, "float32", None, ("y", "mean"))[0], machine()), machine(), tmp_path))
    many.run(0, fill("far", shape, "float32"))


def test_a_cooperative_launch_goes_from_group_to_group(tmp_path: Path) -> None:
    nests = []
    for spec, shape in PLAIN.values():
        p, _ = specialize(spec, shape, "float32", None, ("y", "mean", "rstd"))
        s = choose_gpu_schedule(p, machine(), "coop")
        nests += [lower_problem(p, replace(s, gangs=gangs)) for gangs in (s.gangs, 1)]
    program = build(nests, machine(), tmp_path)
    (spec, shape), _ = PLAIN.values()
    together, one_by_one = (Plain(spec, shape, program).run(number, fill("far", shape, "float32")) for number in (0, 1))
    assert choose_gpu_schedule(nests[0].problem, machine(), "coop").gangs == 2
    assert_equal(together["y"], one_by_one["y"])


def test_whole_schedules_of_the_callers_give_the_same_bits(tmp_path: Path) -> None:
    spec, shape = GroupNormSpec(groups=2, axis=1), (2, 8, 32, 48)
    p, _ = specialize(spec, shape, "float32", None, ("y", "mean", "rstd"))
    own = (
        GpuSchedule("cta_reg", warps=5, rounds=4),
        GpuSchedule("cta_smem", warps=5, rounds=4, held="shared"),
        GpuSchedule("cluster", split=2, warps=3, rounds=3, held="shared"),
        GpuSchedule("coop", split=3, warps=4, rounds=2, held="register", gangs=1),
        GpuSchedule("two_kernel", warps=5, held="nowhere"),
    )
    assert group_slices(p).slices == 16
    nests = [lower_problem(p, choose_gpu_schedule(p, machine(), s)) for s in (None, *own)]
    plain = Plain(spec, shape, build(nests, machine(), tmp_path))
    x = fill("far", shape, "float32")
    chosen, *others = (plain.run(number, x) for number in range(len(nests)))
    for other in others:
        for name in ("y", "mean", "rstd"):
            assert_equal(other[name], chosen[name])


# The choice

UNET = models.load("sd15-unet").layers


@pytest.mark.parametrize("gpu", ["sm_80", "sm_90", "sm_100"])
def test_every_layer_fills_the_machine_at_batch_1_and_is_read_once(gpu: str) -> None:
    m = machine(gpu)
    for layer in UNET:
        for batch in (1, layer.shape[0], None):
            p, _ = specialize(layer.spec, (batch, *layer.shape[1:]))
            s = choose_gpu_schedule(p, m)
            assert s.name != "two_kernel", "a group fits on chip"
            blocks = (s.gangs or (batch or 1) * p.groups // s.groups) * s.split
            assert 2 * blocks >= m.sms, f"{layer.name}: {s}"


def test_a_split_changes_no_slice() -> None:
    """What is summed together depends on the problem alone, so that every schedule gives the same bits."""
    one, many, any_batch = (specialize(GroupNormSpec(groups=32, axis=1), (n, 320, 64, 64))[0] for n in (1, 64, None))
    assert group_slices(one) == group_slices(many) == group_slices(any_batch)
    assert choose_gpu_schedule(one, machine()).split != choose_gpu_schedule(many, machine()).split


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("warp_group", "more than one warp holds"),
        ("cta_reg", "more than the registers of a block hold"),
        ("group_split", "no GPU schedule 'group_split'; choose from warp_group"),
        ({"name": "cluster", "split": 16}, "clusters of at most 8 blocks"),
        ({"name": "coop", "split": 41}, "is no 41 blocks'"),
        ({"name": "cta_smem", "split": 2}, "a group is one block's"),
        ({"lanes": 4}, "a GPU schedule has no field 'lanes'"),
    ],
)
def test_schedules_that_do_not_fit(asked: Any, words: str) -> None:
    p, _ = specialize(GroupNormSpec(groups=32, axis=1), (2, 320, 64, 64))
    with pytest.raises(SpecError, match=words):
        choose_gpu_schedule(p, machine(), asked)


@pytest.mark.parametrize(
    ("name", "layout", "changes", "words"),
    [
        ("cta_reg", "first", {"name": "rows"}, "no GPU schedule 'rows'; choose from warp_group"),
        ("cta_reg", "first", {"warps": 0}, "warps of a GPU schedule is an integer, at least 1; received 0"),
        ("cta_reg", "first", {"rounds": 1.0}, "rounds of a GPU schedule is an integer, at least 1; received 1.0"),
        ("cta_reg", "first", {"gangs": -1}, "gangs of a GPU schedule is an integer, at least 0; received -1"),
        ("cluster", "first", {"split": 16}, "clusters of at most 8 blocks; choose from"),
        ("cta_reg", "first", {"split": 2}, "a group is one block's; choose from"),
        ("cta_reg", "first", {"held": "shared"}, "held is 'shared', and may be register; choose split=1, warps=16"),
        ("two_kernel", "first", {"held": "register"}, "held is 'register', and may be nowhere"),
        ("cta_reg", "first", {"tile": 2}, "tile is 2, and groups in long runs have none: 0"),
        ("cta_reg", "first", {"groups": 2}, "a block has one group, and groups is 2"),
        ("cta_reg", "first", {"warps": 17}, "a block has 17 warps, more than 16"),
        ("cta_reg", "first", {"rounds": 2}, "1 x 16 warps take the slices of a group in 1 rounds, and rounds is 2"),
        ("cta_reg", "first", {"warps": 8}, "1 x 8 warps take the slices of a group in 2 rounds, and rounds is 1"),
        (
            "cta_reg",
            "first",
            {"warps": 1, "rounds": 16},
            "16 rounds of 1 warps are more than the [0-9]+ that fit a thread's registers",
        ),
        ("cta_reg", "first", {"together": 9}, "together is 9, and a multiprocessor has room for [0-9] blocks of 16 warps"),
        ("cta_reg", "first", {"gangs": 1}, "gangs is 1, and only a coop has any: 0"),
        ("coop", "first", {"gangs": 0}, "2 groups do not divide into 0 gangs"),
        ("coop", "first", {"gangs": 4}, "2 groups do not divide into 4 gangs"),
        ("two_kernel", "first", {"rounds": 4}, "in 1 rounds, and rounds is 4"),
        ("warp_group", "small", {"warps": 2}, "a group is one warp's, and warps is 2"),
        ("warp_group", "small", {"groups": 3}, "32 groups do not divide into blocks of 3"),
        ("warp_group", "small", {"groups": 32}, "a block has 32 warps, more than 16"),
        ("cta_reg", "last", {"tile": 0}, "a block has a tile of 2 groups: tile is 0, not 2"),
        ("cta_reg", "last", {"warps": 3, "groups": 2}, "warps is 3, not [0-9]+, groups is 2, not 1; choose split=1"),
        ("cta_reg", "last", {"rounds": 1}, "take the slices of a group in [0-9]+ rounds, and rounds is 1"),
        ("cta_smem", "last", {"held": "nowhere"}, "held is 'nowhere', and may be shared"),
        ("two_kernel", "last", {"rounds": 2}, "in 1 rounds, and rounds is 2"),
        ("coop", "last", {"gangs": 3}, "tiles of 2 groups do not divide into 3 gangs"),
    ],
)
def test_whole_schedules_that_do_not_fit(name: str, layout: str, changes: dict[str, Any], words: str) -> None:
    shape, groups, axis = {"first": ((1, 32, 16, 32), 2, 1), "small": ((1, 32, 16, 32), 32, 1), "last": ((1, 1024, 64), 4, -1)}[layout]
    p, _ = specialize(GroupNormSpec(groups=groups, axis=axis), shape)
    s = choose_gpu_schedule(p, machine(), name)
    with pytest.raises(SpecError, match=words):
        choose_gpu_schedule(p, machine(), replace(s, **changes))


def test_gangs_that_do_not_run_at_once() -> None:
    p, _ = specialize(GroupNormSpec(groups=64, axis=1), (1, 64, 128, 128))
    s = choose_gpu_schedule(p, machine(), {"name": "coop", "split": 8})
    assert s.gangs * s.split <= machine().sms * s.together
    with pytest.raises(SpecError, match=r"64 gangs of 8 blocks do not run at once: [0-9]+ do; choose split=8, "):
        choose_gpu_schedule(p, machine(), replace(s, gangs=64, together=1))


def test_a_whole_schedule_that_fits_is_taken_as_it_is() -> None:
    """What was chosen, under every name; and other numbers that compute the same."""
    for layout, (shape, arguments) in LAYOUTS.items():
        p, _ = specialize(GroupNormSpec(**arguments), shape)
        for name in gpu_schedules_for(p, machine()):
            s = choose_gpu_schedule(p, machine(), name)
            assert choose_gpu_schedule(p, machine(), s) is s, (layout, name)
    p, _ = specialize(GroupNormSpec(groups=2, axis=1), (1, 32, 16, 32))
    other = GpuSchedule("cta_reg", warps=8, rounds=2, together=1, reason="fewer warps")
    assert plan(GroupNormSpec(groups=2, axis=1), (1, 32, 16, 32), target="cuda:sm_90", schedule=other).schedule is other
    assert choose_gpu_schedule(p, machine(), other) is other


def test_a_schedule_of_the_other_kind_of_machine_is_refused() -> None:
    spec, shape = GroupNormSpec(groups=2, axis=1), (2, 8, 17, 16)
    on_cpu, on_gpu = plan(spec, shape, target="c:x86-64-v3").schedule, plan(spec, shape, target="cuda:sm_90").schedule
    for target, schedule, words in (
        ("cuda:sm_90", on_cpu, f"{on_cpu.name} is a schedule of a CPU, and cuda:sm_90 a GPU; choose from {', '.join(GPU_SCHEDULES)}"),
        ("c:x86-64-v3", on_gpu, f"{on_gpu.name} is a schedule of a GPU, and c:x86-64-v3 a CPU; choose from {', '.join(SCHEDULES)}"),
    ):
        with pytest.raises(SpecError, match=f"^{words}$"):
            plan(spec, shape, target=target, schedule=schedule)
