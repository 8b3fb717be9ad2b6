"""Small odd problems in numba's CUDA simulator, against the oracle: each under one of the schedules that fit."""

from __future__ import annotations

import numpy as np
from strategies import (
    GpuCase,
    assert_equal,
    assert_right,
    assert_stat_right,
    companions,
    fill,
    gathered,
    gpu_cases,
    oracle,
    padded,
    parameters,
)

import gngen
from gngen.target import Gpu, load_machine

EXAMPLES, MOST = 24, 300
TARGET = "numba-cuda:sm_90"


def check(case: GpuCase, number: int) -> None:
    s = case.schedules[number % len(case.schedules)]
    asked, shape = {"name": s.name, "split": s.split}, (case.problem.batch, *case.shape[1:])
    kernel = gngen.compile(case.spec, shape, case.dtype, TARGET, case.outputs, asked, None, case.param_dtype)
    fused = companions(case.shape, case.spec, case.dtype, case.seed, case.param_dtype)
    x = padded(fill(case.data, case.shape, case.dtype, case.seed), case.spec, fused.get("mask"), np.nan)
    gamma, beta = parameters(case.shape, case.spec, case.param_dtype, case.seed)
    right = oracle(x, gamma, beta, case.spec, **fused)
    answer = kernel(x, gamma, beta, **fused)
    found = dict(zip(case.outputs, answer if len(case.outputs) > 1 else (answer,), strict=True))
    assert_right(found["y"], right, case.dtype)
    if "sum" in found:
        with np.errstate(all="ignore"):
            assert_equal(found["sum"], np.add(x, fused["residual"], dtype=x.dtype))
    for name in (name for name in case.outputs if name in ("mean", "rstd")):
        assert_stat_right(name, found[name], right, case.dtype)


def test_small_odd_problems() -> None:
    gpu = load_machine("sm_90")
    assert isinstance(gpu, Gpu)
    for number, case in enumerate(gathered(gpu_cases(gpu, MOST), EXAMPLES)):
        try:
            check(case, number)
        except AssertionError as e:
            e.add_note(f"example {number}: {case}")
            raise
