"""Which schedule a backward pass gets, by rule: as forward, of three arrays, dy and x, which are read twice, and dx."""

from __future__ import annotations

from typing import Any

from gngen.gradientsums import by_columns
from gngen.problem import Problem
from gngen.schedulerules import PREFETCH, ahead, fills_threads, interleave, is_small, row_vectors, show_bytes, splits_groups, streams
from gngen.target import Machine

# Runs shorter than this are not streamed to unless they are whole vectors.
SHORT_RUN = 4096

BACKWARD = {
    "serial_small": "gradient_runs",
    "group_resident": "gradient_runs",
    "group_split": "gradient_runs",
    "sample": "gradient_columns",
    "rows": "gradient_columns",
}


def misfit(p: Problem, name: str, lanes: int) -> str:
    """Why a schedule cannot compute a backward problem, or ""."""
    if name not in BACKWARD:
        return "it has no backward pass"
    rows = by_columns(p, lanes)
    if rows and BACKWARD[name] != "gradient_columns":
        return f"a channel is {p.outer} runs of only {p.inner} elements"
    if not rows and BACKWARD[name] == "gradient_columns":
        return f"a channel lies in runs of {p.inner} elements"
    return ""


def choose_name(p: Problem, m: Machine) -> tuple[str, str]:
    """The schedule, and why."""
    batch, moved, size = p.batch or 1, _moved(p), 2 * p.group * p.item_bytes
    small = f"{show_bytes(moved)} moved: one thread is fastest"
    if by_columns(p, m.vector_bits // p.bits):
        if is_small(p, moved):
            return "sample", small
        if 4 * p.sample_bytes * m.cores <= m.l3 and fills_threads(p, m):
            return "sample", f"dy and x of {m.cores} samples stay in the caches, and {batch} are enough for {m.cores} threads"
        return "rows", f"dy and x of a sample of {show_bytes(p.sample_bytes)} are split over {m.cores} threads"
    if is_small(p, moved):
        return "serial_small", small
    if splits_groups(p, m, size):
        return "group_split", f"{batch * p.groups} groups are too few for {m.cores} threads: each is split"
    return "group_resident", f"{show_bytes(size)} of dy and x of a group are read again from the caches"


def choose_numbers(p: Problem, m: Machine, name: str) -> dict[str, Any]:
    """Those of a schedule's numbers that depend on what is read and written.

    By rows, four rows at once read the tables once: the sums until memory is all that counts, where only strict address order is fast;
    dx while all stays well within the last cache, or where the tables do not stay in the first. Stores stream where dy, x and dx do not
    stay in the last cache, but not into short runs that begin within a line.
    """
    lanes, moved = m.vector_bits // p.bits, _moved(p)
    far = moved > 2 * m.l3
    tables = 4 * p.channels * p.inner * p.bits // 8
    whole = by_columns(p, lanes) or p.inner % lanes == 0 or p.inner >= SHORT_RUN
    return {
        "strip": 1 if far else 4,
        "rows": 4 if 3 * moved <= m.l3 or (4 * tables > 3 * m.l1 and not far) else 1,
        "tile": row_vectors(p, lanes, lanes, m.vector_registers // 8),
        "prefetch": PREFETCH if 2 * moved > m.l3 and not far else 0,
        "ahead": ahead(p, m, moved, 2 * p.item_bytes, p.group if name == "group_resident" else 0),
        "interleave": interleave(p),
        "store": "streaming" if whole and streams(p, m, lanes) and 8 * moved > 5 * m.l3 else "temporal",
    }


def _moved(p: Problem) -> int:
    """Bytes of dy, x and dx; of a batch that varies, one sample's."""
    return 3 * p.sample_bytes * (p.batch or 1)
