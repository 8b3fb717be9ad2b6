"""CUDA C of many small odd problems, each under every schedule that fits, run on the CPU with sanitizers against the oracle.

A program of many kernels is built in a few seconds, so examples are gathered first.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cudacpu import Job, arrays, build, check, machine, why_not
from strategies import Array, GpuCase, assert_equal, gathered, gpu_cases

from gngen.lowering import lower_problem

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

# Examples of a program; programs that every run of the tests builds, and all of them.
EXAMPLES, QUICK, ALL = 4, 1, 45
MOST = 6000


@pytest.fixture(scope="module")
def examples() -> list[GpuCase]:
    return gathered(gpu_cases(machine(), MOST), EXAMPLES * ALL)


@pytest.mark.parametrize("part", [pytest.param(i, marks=[pytest.mark.slow] if i >= QUICK else []) for i in range(ALL)])
def test_small_odd_problems(part: int, examples: list[GpuCase], tmp_path: Path) -> None:
    runs = [(case, lower_problem(case.problem, s)) for case in examples[part::ALL] for s in case.schedules]
    program = build([nest for _, nest in runs], machine(), tmp_path)
    calls = [arrays(n, c.spec, c.shape, c.dtype, c.data, dict(c.alias), c.seed, c.param_dtype) for c, n in runs]
    answers = program.run([Job(i, case.shape[0], used) for i, ((case, _), (used, _)) in enumerate(zip(runs, calls, strict=True))])
    first: dict[GpuCase, list[Array]] = {}
    for (case, nest), (_, named), after in zip(runs, calls, answers, strict=True):
        outputs = after[: len(nest.buffers)]
        try:
            check(nest, case.spec, named, outputs, case.dtype)
            for one, other in zip(outputs, first.setdefault(case, outputs), strict=True):
                assert_equal(one, other)
        except AssertionError as e:
            e.add_note(f"{nest.name}: {case}")
            raise
