"""Time gngen against PyTorch and the machine's copy limit, interleaved, and print a table in Markdown.

    python benchmarks/compare.py --suite real --target c --target numba-cpu

Leave the machine otherwise idle. Times are microseconds, medians; "copies" is gngen's best over the time of copying the same bytes.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from suite import Case, cases

import gngen
from gngen.compare.timing import copies, repeated, time_interleaved


def torch_side(case: Case, x: Any, gamma: Any, beta: Any) -> Callable[[], object]:
    """PyTorch's group norm (and activation) on the same memory."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(gngen.get_num_threads())
    tensor = torch.from_numpy(np.moveaxis(x, -1, 1) if case.last else x)
    weight, bias = torch.from_numpy(gamma), torch.from_numpy(beta)

    def call() -> object:
        with torch.inference_mode():
            y = functional.group_norm(tensor, case.groups, weight, bias, 1e-5)
            return functional.silu(y) if case.activation else y

    return call


def time_case(case: Case, targets: list[str], seconds: float) -> tuple[float, float, list[float]]:
    """Seconds of the copy, of PyTorch, and of each target."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal(case.shape).astype(np.float32) + np.float32(0.5)
    if case.last:
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    channels = case.shape[1]
    gamma, beta = (rng.standard_normal(channels).astype(np.float32) for _ in range(2))
    out = np.empty_like(x)
    spec = gngen.GroupNormSpec(case.groups, -1 if case.last else 1, 1e-5, activation=case.activation)
    kernels = [gngen.compile(spec, x.shape, target=target) for target in targets]
    with copies(x, out, gngen.get_num_threads()) as limits:
        sides = [*limits, repeated(torch_side(case, x, gamma, beta))]
        sides += [repeated(lambda kernel=kernel: kernel(x, gamma, beta, out)) for kernel in kernels]
        times = time_interleaved(sides, seconds * len(sides))
    n = len(limits)
    return min(times[:n]), times[n], times[n + 1 :]


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=("real", "odd", "all"), default="real")
    parser.add_argument("--target", action="append", help="c and numba-cpu unless given")
    parser.add_argument("--seconds", type=float, default=0.3, help="for one side of one case")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    targets = arguments.target or ["c", "numba-cpu"]
    print(f"| case | copy | torch | {' | '.join(targets)} | copies | x torch |")
    print(f"|---|{'---|' * (len(targets) + 4)}")
    ratios: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for case in cases(arguments.suite):
        if arguments.only not in str(case):
            continue
        copy, torch, ours = time_case(case, targets, arguments.seconds)
        best = min(ours)
        ratios[case.last].append((best / copy, torch / best))
        shown = " | ".join(f"{t * 1e6:.1f}" for t in (copy, torch, *ours))
        print(f"| {case} | {shown} | {best / copy:.2f} | {torch / best:.2f} |", flush=True)
    for last, found in ratios.items():
        if found:
            layout = "last" if last else "first"
            means = [geometric_mean(list(column)) for column in zip(*found, strict=True)]
            print(f"\nchannels {layout}: {means[0]:.2f} copies, {means[1]:.2f} times PyTorch (geometric means of {len(found)} cases)")


if __name__ == "__main__":
    main()
