"""Time one peer on a list of cases, in a process of its own; compare.py starts it.

    worker.py PEER CASES.json RESULTS.jsonl SECONDS [check]

A line of the results is one case, in order: ``{"median": s, "min": s, "error": e}``, or ``{"failure": why}``. With ``check`` the answer is
compared with the definition first, and an error beyond the numerics contract is a failure.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from peers import Data, Side, make_data, make_side, spec_of
from suite import Case

from gngen.compare.accuracy import error_limit, evaluate
from gngen.reference import group_norm_backward

MOST_CALLS, LEAST_CALLS, WARM_CALLS = 4000, 5, 3


def time_calls(call: Callable[[], object], seconds: float) -> tuple[float, float]:
    """The median and the least seconds of one call."""
    for _ in range(WARM_CALLS):
        call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < LEAST_CALLS or (len(times) < MOST_CALLS and time.perf_counter() < end):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times), min(times)


def time_case(peer: str, case: Case, seconds: float, check: bool) -> dict[str, Any]:
    """What a line of the results says of one case."""
    data = make_data(case)
    try:
        side = make_side(peer, case, data)
        for call in side.calls:
            call()
        error = check_answer(peer, case, data, side) if check else None
    except Exception as e:  # no such kernel, or a bug of one: the other cases are still worth timing
        return {"failure": f"{type(e).__name__}: {' '.join(str(e).split())}"[:300]}
    best = min(time_calls(call, seconds) for call in side.calls)
    return {"median": best[0], "min": best[1], "error": error}


def check_answer(peer: str, case: Case, data: Data, side: Side) -> float | None:
    """The error in the contract's units; RuntimeError where gngen's is beyond the contract."""
    if peer == "copy" or side.answer is None:
        return None
    if case.op == "bwd":
        return check_gradient(case, data, side.answer())
    error = evaluate(data.x, data.gamma, data.beta, spec_of(case)).error(side.answer())
    limit = error_limit(data.x.dtype.name)
    if peer != "torch" and not error <= limit:
        raise RuntimeError(f"the error is {error:.1e}, over the contract's {limit:.0e}")
    return error


def check_gradient(case: Case, data: Data, dx: Any) -> float:
    """The largest error of dx as a part of the largest dx; RuntimeError beyond 1e-5."""
    exact = group_norm_backward(data.dy, data.x, data.gamma, data.beta, spec_of(case))[0]
    error = float(np.max(np.abs(dx - exact)) / np.max(np.abs(exact)))
    if not error <= 1e-5:
        raise RuntimeError(f"the error of dx is {error:.1e} of its largest")
    return error


def main() -> None:
    peer, todo, done, seconds, *check = sys.argv[1:]
    with open(todo, encoding="utf-8") as file:
        cases = [Case(**{**fields, "shape": tuple(fields["shape"])}) for fields in json.load(file)]
    with open(done, "a", encoding="utf-8") as file:
        for case in cases:
            file.write(json.dumps(time_case(peer, case, float(seconds), bool(check))) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
