"""Time gngen's backends against each other, in one process and in turns, and what a kernel takes to compile into an empty cache.

    python benchmarks/backends.py                                          # the public suite, into docs/benchmarks.md
    python benchmarks/backends.py --only "nhwc bf16" --target c --target numba-cpu

The first target is what the others are compared with. A time is the lower quartile of a target's turns. Leave the machine otherwise idle.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence

import document
from compare import DOCUMENT, KEEP_PAGES, geometric_mean
from peers import THREADS, make_data, make_side
from suite import Case, cases

import gngen

# Calls of a target in its turn: the first ones bring back what the turn before drove out of the caches.
_WARM, _TIMED = 2, 4


def measure(case: Case, targets: Sequence[str], seconds: float) -> dict[str, tuple[float, float]]:
    """Of each target, the seconds of a call, and those that its kernel took to compile."""
    data, calls, cold = make_data(case), {}, {}
    for target in targets:
        start = time.perf_counter()
        (calls[target],) = make_side(target, case, data).calls
        cold[target] = time.perf_counter() - start
    times: dict[str, list[float]] = {target: [] for target in targets}
    end = time.perf_counter() + seconds * len(targets)
    while not times[targets[-1]] or time.perf_counter() < end:
        for target, call in calls.items():
            for k in range(_WARM + _TIMED):
                start = time.perf_counter()
                call()
                if k >= _WARM:
                    times[target].append(time.perf_counter() - start)
    return {target: (sorted(found)[len(found) // 4], cold[target]) for target, found in times.items()}


def report(chosen: Sequence[Case], found: Sequence[dict[str, tuple[float, float]]], targets: Sequence[str]) -> str:
    """Geometric means by dtype and op, and over all; compile times beside them."""
    kinds = dict.fromkeys(f"{case.dtype} {case.op}" for case in chosen)
    rows = []
    for kind in (*kinds, "**all**"):
        own = [times for case, times in zip(chosen, found, strict=True) if kind in (f"{case.dtype} {case.op}", "**all**")]
        for target in targets:
            ratios = [times[target][0] / times[targets[0]][0] for times in own]
            cold = sorted(times[target][1] * 1e3 for times in own)
            rows.append(
                [
                    kind,
                    target,
                    str(len(own)),
                    f"{geometric_mean(ratios):.2f}",
                    f"{max(ratios):.2f}",
                    f"{cold[len(cold) // 2]:.0f}",
                    f"{cold[-1]:.0f}",
                ]
            )
    headings = ["", "target", "cases", f"/ {targets[0]}", "most", "compile, ms", "most, ms"]
    return f"{document.measured_on(gngen.get_num_threads())}\n\n{document.table(headings, rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name has all of these words, as 'nhwc bf16'")
    parser.add_argument("--target", action="append", help="once or more; c, llvm, mlir and numba-cpu unless given")
    parser.add_argument("--seconds", type=float, default=0.15, help="for one case of one target")
    arguments = parser.parse_args()
    chosen, targets = cases("public", arguments.only), arguments.target or ["c", "llvm", "mlir", "numba-cpu"]
    if not chosen:
        parser.error(f"no case of the public suite has all of {arguments.only!r} in its name")
    section = None if arguments.only else document.Section(DOCUMENT, "backends")
    os.environ[THREADS] = str(gngen.get_num_threads())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GNGEN_CACHE_DIR"] = folder
        gngen.set_num_threads(int(os.environ[THREADS]))
        text = report(chosen, [measure(case, targets, arguments.seconds) for case in chosen], targets)
    print(text)
    if section:
        section.write(text)


if __name__ == "__main__":
    if not KEEP_PAGES.items() <= os.environ.items():  # read by the allocator when a process starts
        import sys

        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **KEEP_PAGES})
    main()
