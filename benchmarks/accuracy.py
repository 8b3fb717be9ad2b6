"""Measure the errors of gngen and PyTorch against the float64 definition; print the tables in Markdown, and write docs/accuracy.md.

    python benchmarks/accuracy.py                                      # everything, into the document
    python benchmarks/accuracy.py --dtype float32 --size 300 --target c # a part, printed alone

Errors are in the units of the numerics contract, the largest of all elements: for float32 and float64 in
``(1 + |xhat|) * |gamma| + |beta|`` (float64 times max(1, |mean| / std)), for float16 and bfloat16 in units of y's last place, where 0.5 is
the exact answer correctly rounded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import document
import numpy as np
from contract import DATA, draw
from peers import as_torch, from_torch

import gngen
from gngen.compare.accuracy import error_limit, evaluate
from gngen.errors import GngenError
from gngen.target import parse_target

DOCUMENT = document.ROOT / "docs" / "accuracy.md"
EPSILON = 1e-5
DTYPES = ("float32", "float64", "float16", "bfloat16")
LAYOUTS = ("first", "middle", "last")
# Elements of a group: its channels and their positions, two groups a sample.
SIZES = {12: (3, 4), 300: (3, 100), 8184: (8, 1023), 200_000: (10, 20_000), 30_000_000: (2, 15_000_000)}
LARGEST = max(SIZES)
# What the largest is measured on, since each takes its time.
LARGEST_DTYPES, LARGEST_LAYOUTS, LARGEST_DATA = ("float32",), ("first", "last"), ("N(0, 1)", "N(1e4, 1)")
# numba takes seconds to compile a kernel: it gets one size of each.
NUMBA_SIZE = 8184


@dataclass(frozen=True)
class Trial:
    """One dtype, layout, size of a group and kind of data."""

    dtype: str
    layout: str
    size: int
    data: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Batch first, two groups of `size` elements."""
        chans, positions = SIZES[self.size]
        batch, channels = 1 if self.size == LARGEST else 2, 2 * chans
        if self.layout == "first":
            return batch, channels, positions
        if self.layout == "last":
            return batch, positions, channels
        outer = next(n for n in range(int(positions**0.5), 0, -1) if positions % n == 0)
        return batch, outer, channels, positions // outer

    @property
    def spec(self) -> gngen.GroupNormSpec:
        return gngen.GroupNormSpec(groups=2, axis={"first": 1, "middle": 2, "last": -1}[self.layout], epsilon=EPSILON)


def trials(dtypes: Sequence[str], sizes: Sequence[int]) -> Iterator[Trial]:
    """What is measured."""
    for dtype in dtypes:
        for layout in LAYOUTS:
            for size in sizes:
                if size == LARGEST and not (dtype in LARGEST_DTYPES and layout in LARGEST_LAYOUTS):
                    continue
                for data in LARGEST_DATA if size == LARGEST else DATA:
                    yield Trial(dtype, layout, size, data)


def fill(trial: Trial) -> tuple[Any, Any, Any]:
    """x, gamma and beta, from a fixed seed."""
    import ml_dtypes  # noqa: F401  (names bfloat16 for numpy)

    rng, dtype = np.random.default_rng(1), np.dtype(trial.dtype)
    x = draw(trial.data, trial.shape, rng, trial.dtype == "float64")
    channels = trial.shape[trial.spec.axis]
    gamma, beta = rng.normal(1, 0.25, channels), rng.normal(0, 0.25, channels)
    return x.astype(dtype, copy=False), gamma.astype(dtype), beta.astype(dtype)


def by_torch(trial: Trial, x: Any, gamma: Any, beta: Any) -> Any:
    """PyTorch's answer to the same memory, channels at axis 1 as it wants them."""
    import torch

    axis = trial.spec.axis
    with torch.inference_mode():
        y = torch.nn.functional.group_norm(as_torch(x).movedim(axis, 1), 2, as_torch(gamma), as_torch(beta), EPSILON)
        return from_torch(y.movedim(1, axis))


def measure(trial: Trial, targets: Sequence[str]) -> dict[str, float | str]:
    """The error of each target and of PyTorch; a sentence for one that has no kernel."""
    x, gamma, beta = fill(trial)
    oracle = evaluate(x, gamma, beta, trial.spec)
    found: dict[str, float | str] = {}
    for side in (*targets, "torch"):
        if side.startswith("numba") and trial.size != NUMBA_SIZE:
            continue
        try:
            if side == "torch":
                y = by_torch(trial, x, gamma, beta)
            else:
                y = gngen.compile(trial.spec, trial.shape, trial.dtype, side)(x, gamma, beta)
            found[side] = oracle.error(y)
        except (GngenError, RuntimeError, NotImplementedError) as e:
            found[side] = " ".join(str(e).split())[:200]
    return found


# The tables


Errors = dict[Trial, dict[str, float | str]]


def worst(errors: Errors, side: str, **wanted: Any) -> str:
    """The largest error of a side over the trials that have these fields."""
    found = [e[side] for t, e in errors.items() if side in e and all(getattr(t, name) == value for name, value in wanted.items())]
    numbers = [value for value in found if not isinstance(value, str)]
    if not numbers:
        return "none" if found else "-"
    return f"{max(numbers):.1e}" if wanted.get("dtype") in ("float32", "float64") else f"{max(numbers):.2f}"


def by_data(errors: Errors, sides: Sequence[str]) -> str:
    """The worst of all sizes, a column for each kind of data."""
    kinds = dict.fromkeys((t.dtype, t.layout) for t in errors)
    data = list(dict.fromkeys(t.data for t in errors))
    rows = [
        [
            f"{dtype} {layout}",
            side,
            *(worst(errors, side, dtype=dtype, layout=layout, data=one) for one in data),
            f"{error_limit(dtype):g}",
        ]
        for dtype, layout in kinds
        for side in sides
    ]
    return document.table(["channels", "by", *data, "contract"], rows)


def by_size(errors: Errors, sides: Sequence[str]) -> str:
    """The worst of all kinds of data, a row for each size of a group."""
    kinds = dict.fromkeys((t.dtype, t.size) for t in errors)
    rows = [[f"{dtype}, {size} elements", *(worst(errors, side, dtype=dtype, size=size) for side in sides)] for dtype, size in kinds]
    return document.table(["group", *sides], rows)


def failures(errors: Errors) -> str:
    """Which kernels there are not, and why, a line for each reason."""
    why: dict[tuple[str, str], list[Trial]] = {}
    for trial, found in errors.items():
        for side, value in found.items():
            if isinstance(value, str):
                why.setdefault((side, value), []).append(trial)
    lines = []
    for (side, reason), where in why.items():
        first = where[0]
        lines.append(f"- {side} (trials: {len(where)}, the first {first.dtype}, {first.layout}, {first.size} elements): {reason}")
    return "\n".join(["No answer:", "", *lines]) if lines else ""


def report(errors: Errors, sides: Sequence[str]) -> str:
    """All of it, in Markdown."""
    parts = [document.measured_on(gngen.get_num_threads()), by_data(errors, sides), failures(errors), by_size(errors, sides)]
    return "\n\n".join(filter(None, parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtype", action="append", choices=DTYPES, help="once or more; all unless given")
    parser.add_argument("--size", action="append", type=int, choices=SIZES, help="elements of a group, once or more; all unless given")
    parser.add_argument("--target", action="append", help="once or more; c and numba-cpu unless given")
    parser.add_argument("--output", type=Path, help=f"the document; {DOCUMENT.relative_to(document.ROOT)} unless a part is asked for")
    arguments = parser.parse_args()
    targets = list(dict.fromkeys(arguments.target or ["c", "numba-cpu"]))
    try:
        for target in targets:
            parse_target(target)
    except GngenError as e:
        parser.error(str(e))
    part = arguments.dtype or arguments.size or arguments.target
    output = arguments.output or (None if part else DOCUMENT)
    section = document.Section(output, "accuracy") if output else None
    errors: Errors = {}
    for trial in trials(arguments.dtype or DTYPES, arguments.size or list(SIZES)):
        print(f"{trial.dtype} {trial.layout} {trial.size} {trial.data}", file=sys.stderr, flush=True)
        errors[trial] = measure(trial, targets)
    text = report(errors, [*targets, "torch"])
    print(text)
    if section:
        section.write(text)


if __name__ == "__main__":
    main()
