"""The code of every layer and target as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gngen.compare.code import Code, LoopCode
from gngen.compare.instructions import Counts
from gngen.compare.measure import Comparison, Measurement
from gngen.compare.report import format_bytes, format_shape, title

if TYPE_CHECKING:
    from rich.console import RenderableType

_KINDS = {
    "all": "all",
    "load": "vector_loads",
    "store": "vector_stores",
    "fma": "fma",
    "arith": "arithmetic",
    "spill": "spills",
    "reload": "reloads",
    "branch": "branches",
    "call": "calls",
}
_NARROW = ("all", "load", "store", "fma", "arith", "spill")


def has_code(comparison: Comparison) -> bool:
    """Whether the code of any kernel was examined."""
    return any(m.code or m.no_code or m.foreign for row in comparison.rows for m in row.measurements)


def code_table(comparison: Comparison, wide: bool = False) -> RenderableType:
    """The code as a rich table: under each layer a line for each target, and the totals.

    wide: with branches and calls, and the cycles of the two hot loops apart; fits 80 columns without.
    """
    from rich import box
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    kinds = tuple(_KINDS) if wide else _NARROW
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("layer, target", no_wrap=True)
    for heading in ("code", *kinds, *(("moments", "elementwise") if wide else ()), "cycles"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for row in comparison.rows:
        what = f" {format_shape(row.layer.shape)} {row.layer.activation or ''}".rstrip() if wide else ""
        grid.add_row(f"{escape(row.layer.name)} [dim]x{row.layer.count}{what}[/dim]")
        for m in row.measurements:
            grid.add_row(f"  {m.target}", *_cells(m, kinds, wide))
    grid.add_section()
    grid.add_row("total of the kernels")
    for target, kernels in zip(comparison.targets, _kernels(comparison), strict=True):
        grid.add_row(f"  {target}", *_total_cells(kernels, kinds))
    above = [] if comparison.timed else [Text(title(comparison), style="bold")]
    return Group(*above, grid, Text(_caption(comparison, wide), style="dim"))


def _cells(m: Measurement, kinds: Sequence[str], wide: bool) -> list[str]:
    if m.failure:
        return ["[bold red]failed[/bold red]"]
    if m.code is None:
        return ["-"]
    loops = [_number(_element_cycles(loop)) for loop in (m.code.moments, m.code.elementwise)] if wide else []
    return [format_bytes(m.code.bytes), *_counts(m.code.counts, kinds), *loops, _number(m.code.element_cycles)]


def _total_cells(kernels: Sequence[Code], kinds: Sequence[str]) -> list[str]:
    if not kernels:
        return ["-"]
    totals = [_sum([getattr(code.counts, _KINDS[kind]) for code in kernels]) for kind in kinds]
    return [format_bytes(_sum([code.bytes for code in kernels])), *("-" if total is None else str(total) for total in totals)]


def _kernels(comparison: Comparison) -> list[list[Code]]:
    """The distinct kernels' code of each target; layers of one problem share theirs."""
    columns = [{id(m): m.code for m in column if m.code} for column in zip(*(row.measurements for row in comparison.rows), strict=True)]
    return [list(column.values()) for column in columns]


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _counts(counts: Counts, kinds: Sequence[str]) -> list[str]:
    values = [getattr(counts, _KINDS[kind]) for kind in kinds]
    return ["-" if value is None else str(value) for value in values]


def _element_cycles(loop: LoopCode | None) -> float | None:
    return None if loop is None or loop.cycles is None else loop.cycles / loop.elements


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _caption(comparison: Comparison, wide: bool) -> str:
    measured = [m for row in comparison.rows for m in row.measurements]
    models = {m.target: m.code.processor for m in measured if m.code and m.code.element_cycles is not None}
    lines = [
        "instructions by kind: load, store, fma and arith of vectors, a load also where",
        "an operand is in memory; spill: to a place on the stack" + ("; reload: from there" if wide else ""),
    ]
    if models:
        lines.append("cycles: llvm-mca's estimate for an element of x, in L1, in the loops of moments")
        lines.append(f"and the elementwise pass{', and in both' if wide else ' together'}; the processors that it takes:")
        lines += [f"  {target}: {model}" for target, model in models.items()]
    lines += _notes("not run", {m.target: m.foreign for m in measured})
    lines += _notes("no code", {m.target: m.no_code for m in measured if m.no_code})
    lines += _notes("no cycles", {m.target: m.code.no_cycles for m in measured if m.code and m.code.processor and m.code.no_cycles})
    return "\n".join(lines)


def _notes(what: str, reasons: dict[str, str]) -> list[str]:
    """A line for each reason, with the targets that it holds for."""
    targets: dict[str, list[str]] = {}
    for target, reason in reasons.items():
        if reason:
            targets.setdefault(reason, []).append(target)
    return [f"{what}: {', '.join(names)}: {reason}" for reason, names in targets.items()]
