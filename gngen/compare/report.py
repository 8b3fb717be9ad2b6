"""A comparison as a table for people and as JSON for programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import gngen
from gngen.compare.code import Code
from gngen.compare.measure import Comparison, LayerResult, Measurement, Total

if TYPE_CHECKING:
    from rich.console import RenderableType

SCHEMA = 1
"""Raised when a field of the JSON changes its meaning."""


def format_seconds(seconds: float | None) -> str:
    """Three digits and a unit.

    >>> format_seconds(0.000155), format_seconds(0.00248), format_seconds(None)
    ('155 us', '2.48 ms', '-')
    """
    if seconds is None:
        return "-"
    for limit, scale, unit in ((0.9995e-3, 1e6, "us"), (0.9995, 1e3, "ms")):
        if seconds < limit:
            return f"{_three_digits(seconds * scale)} {unit}"
    return f"{_three_digits(seconds)} s"


def format_bytes(count: int | None) -> str:
    """Three digits and a unit, in powers of 1024.

    >>> format_bytes(812), format_bytes(20971520), format_bytes(None)
    ('812 B', '20.0 MB', '-')
    """
    if count is None:
        return "-"
    size, units = float(count), iter(("B", "KB", "MB", "GB"))
    unit = next(units)
    while size >= 999.5 and unit != "GB":
        size, unit = size / 1024, next(units)
    return f"{count} B" if unit == "B" else f"{_three_digits(size)} {unit}"


def format_shape(shape: tuple[int, ...]) -> str:
    """``2x320x64x64``."""
    return "x".join(map(str, shape))


def _three_digits(value: float) -> str:
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f}"


def table(comparison: Comparison, wide: bool = False) -> RenderableType:
    """What was timed as a rich table: a row for each layer, a line in it for each target that runs here, and the totals.

    wide: with the schedules; fits 80 columns without.
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    model = comparison.model
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("layer", overflow="fold")
    grid.add_column("target", no_wrap=True)
    if wide:
        grid.add_column("schedule", no_wrap=True)
    for heading in ("time", "of copy", "error", "compile", "code"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for row in comparison.rows:
        grid.add_row(_layer_cell(row), *_columns([_cells(row, m, wide) for m in row.measurements if not m.foreign]))
    grid.add_section()
    totals = [_total_cells(total, wide) for total in comparison.totals() if total.target in comparison.timed]
    grid.add_row(f"total of {model.norms} norms\n[dim]copy {format_seconds(comparison.copy_seconds)}[/dim]", *_columns(totals))
    return Group(Text(title(comparison), style="bold"), grid, Text(_caption(comparison), style="dim"))


def _columns(rows: list[list[str]]) -> list[str]:
    """Cells that have a line for each target."""
    return ["\n".join(column) for column in zip(*rows, strict=True)]


def _layer_cell(row: LayerResult) -> str:
    from rich.markup import escape

    layer = row.layer
    what = [format_shape(layer.shape), layer.activation or ""]
    return f"{escape(layer.name)} [dim]x{layer.count}\n{' '.join(filter(None, what))}[/dim]"


def _cells(row: LayerResult, m: Measurement, wide: bool) -> list[str]:
    schedule = [m.schedule or "-"] if wide else []
    if m.failure:
        return [m.target, *schedule, "[bold red]failed[/bold red]", "-", "-", "-", "-"]
    compiled = format_seconds(m.compile_seconds) + ("" if m.origin == "built" else "*")
    error = _error(m.error, m.within_contract)
    return [m.target, *schedule, format_seconds(m.seconds), _share(row.copy_fraction(m)), error, compiled, format_bytes(m.code_bytes)]


def _total_cells(total: Total, wide: bool) -> list[str]:
    schedule = [""] if wide else []
    error = _error(total.error, total.outside == 0)
    compiled, code = format_seconds(total.compile_seconds), format_bytes(total.code_bytes)
    return [total.target, *schedule, format_seconds(total.seconds), _share(total.copy_fraction), error, compiled, code]


def _share(fraction: float | None) -> str:
    return "-" if fraction is None else f"{fraction:.0%}"


def _error(error: float | None, within: bool) -> str:
    if error is None:
        return "-"
    return f"{error:.1e}" if within else f"[bold red]{error:.1e} ![/bold red]"


def title(comparison: Comparison) -> str:
    """What was compared, on one line."""
    model = comparison.model
    return f"{model.name}: {model.description}" if model.description else model.name


def _caption(comparison: Comparison) -> str:
    threads = f"{comparison.threads} thread{'s' if comparison.threads != 1 else ''}"
    unit = "y's last place" if comparison.model.dtype in ("float16", "bfloat16") else "(1+|xhat|)*|gamma|+|beta|"
    lines = [
        f"{comparison.model.dtype}, {threads}; xN: how often the network has the layer",
        "time: one call, median; of copy: a copy of the same bytes over it",
        f"error: in units of {unit}; the contract allows {comparison.error_limit:.0e}",
        "total: the sum of N x time; of copy: the geometric mean over the layers",
    ]
    if any(m.origin not in ("", "built") for row in comparison.rows for m in row.measurements):
        lines.append("compile: * found in the cache")
    if any(t.outside for t in comparison.totals() if t.target in comparison.timed):
        lines.append("!: outside the contract")
    return "\n".join(lines)


def problems(comparison: Comparison) -> str:
    """One sentence on what failed or broke the contract, or ""."""
    bad = [(row.layer, m) for row in comparison.rows for m in row.measurements if not m.good]
    if not bad:
        return ""
    layer, first = bad[0]
    why = first.failure or f"error {first.error:.1e} is over the contract's {comparison.error_limit:.0e}"
    count = f"{len(bad)} of {len(comparison.rows) * len(comparison.targets)}"
    return f"{count} results failed or broke the contract; {layer.name} on {first.target}: {why}"


def as_json(comparison: Comparison, layout: str | None) -> dict[str, Any]:
    """The comparison as plain values: times in seconds, sizes in bytes, what is not known as None.

    layout: "first" or "last" where the layers were moved so, None where they are as listed.
    """
    model = comparison.model
    return {
        "schema": SCHEMA,
        "gngen": gngen.__version__,
        "model": model.name,
        "description": model.description,
        "source": model.source,
        "dtype": model.dtype,
        "layout": layout,
        "threads": comparison.threads,
        "error_limit": comparison.error_limit,
        "targets": list(comparison.targets),
        "layers": [_row_json(row) for row in comparison.rows],
        "totals": [
            {
                "target": t.target,
                "norms": model.norms,
                "seconds": t.seconds,
                "copy_seconds": comparison.copy_seconds,
                "copy_fraction": t.copy_fraction,
                "error": _finite(t.error),
                "compile_seconds": t.compile_seconds,
                "code_bytes": t.code_bytes,
                "outside_contract": t.outside,
            }
            for t in comparison.totals()
        ],
    }


def _row_json(row: LayerResult) -> dict[str, Any]:
    layer = row.layer
    return {
        "name": layer.name,
        "shape": list(layer.shape),
        "axis": list(layer.axes),
        "groups": layer.groups,
        "epsilon": layer.epsilon,
        "center": layer.center,
        "scale": layer.scale,
        "activation": layer.activation,
        "count": layer.count,
        "bytes": row.bytes,
        "copy_seconds": row.copy_seconds,
        "results": [
            {
                "target": m.target,
                "machine": m.machine or None,
                "schedule": m.schedule or None,
                "origin": m.origin or None,
                "compile_seconds": m.compile_seconds,
                "seconds": m.seconds,
                "copy_fraction": row.copy_fraction(m),
                "error": _finite(m.error),
                "within_contract": None if m.foreign else m.within_contract,
                "code_bytes": m.code_bytes,
                "failure": m.failure or None,
                "foreign": m.foreign or None,
                "code": _code_json(m.code),
                "no_code": m.no_code or None,
            }
            for m in row.measurements
        ],
    }


def _code_json(code: Code | None) -> dict[str, Any] | None:
    """Code as plain values: bytes, counts of instructions, and of each hot loop its elements, counts and cycles of an iteration."""
    return None if code is None else asdict(code) | {"element_cycles": code.element_cycles, "no_cycles": code.no_cycles or None}


def _finite(value: float | None) -> float | None:
    """JSON has no infinity."""
    return value if value is not None and math.isfinite(value) else None
