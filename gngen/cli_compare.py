"""The commands that set targets side by side: ``gngen compare`` and ``gngen diff``."""

from __future__ import annotations

import json
from typing import Any

import click

from gngen import cli
from gngen.clioptions import dim_option

_CODE_WIDTH = 118


@click.command(short_help="Measure a network's layers on several targets.")
@click.option(
    "--model", "name", required=True, metavar="NAME|FILE", help="A list of layers: see gngen models, or a .toml, .json or .onnx file."
)
@dim_option
@click.option(
    "--target", "asked", multiple=True, metavar="BACKEND[:MACHINE]", help="Once or more; c and numba-cpu, where available, unless given."
)
@click.option("--layout", type=click.Choice(["first", "last"]), help="Move the features right after the batch, or to the end.")
@click.option("--dtype", help="In place of the list's own.")
@click.option(
    "--seconds", type=click.FloatRange(min=0), default=0.5, show_default=True, help="To time one layer for, all targets together."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N layers.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="All cores unless given.")
@click.option("--code", is_flag=True, help="Count instructions and estimate cycles of targets that run here too.")
@click.option("--emit-dir", type=click.Path(file_okay=False), metavar="DIR", help="Keep nests, sources and assembly there, side by side.")
@click.option("--json", "as_json", is_flag=True, help="JSON and no table.")
def compare(
    name: str,
    dims: dict[str, int],
    asked: tuple[str, ...],
    layout: str | None,
    dtype: str | None,
    seconds: float,
    limit: int | None,
    threads: int | None,
    code: bool,
    emit_dir: str | None,
    as_json: bool,
) -> int:
    """Measure a network's layers: error, time, share of the machine's copy limit, compile time, code size.

    Of a target that is not this machine, the code alone is reported: its size, instructions by kind, and llvm-mca's cycles.
    Exits with status 2 when a kernel fails or breaks the numerics contract.

    \b
    Example:
      gngen compare --model sd15-unet
      gngen compare --model my-layers.toml --target c --layout last --json
      gngen compare --model my-network.onnx --dim height=64 --dim width=64
      gngen compare --model sd15-vae --target c --target c:aarch64-neon --code
    """
    from dataclasses import replace

    import gngen
    from gngen import models
    from gngen.compare import default_targets, measure, report, steps
    from gngen.compare.codereport import code_table, has_code
    from gngen.compare.keep import Keeper

    model = models.load(name, dims)
    model = model.with_layout(layout) if layout else model
    model = replace(model, dtype=dtype) if dtype else model
    model = model.head(limit) if limit else model
    chosen = tuple(dict.fromkeys(asked)) or default_targets()
    cli.check_targets(chosen, foreign=True)
    if threads:
        gngen.set_num_threads(threads)
    keep = Keeper(emit_dir).keep if emit_dir else None
    with cli.progress(steps(model, chosen)) as step:
        comparison = measure(model, chosen, seconds, step, code, keep)
    if as_json:
        click.echo(json.dumps(report.as_json(comparison, layout), indent=2, allow_nan=False))
    else:
        width = cli.console_of().width
        if comparison.timed:
            cli.show_table(report.table(comparison, wide=width >= 100))
        if comparison.timed and has_code(comparison):
            click.echo()
        if has_code(comparison):
            cli.show_table(code_table(comparison, wide=width >= _CODE_WIDTH))
    problems = report.problems(comparison)
    return cli.fail(problems) if problems else 0


@click.command(short_help="What two targets make of one layer.")
@click.argument("a", metavar="TARGET[@SCHEDULE]")
@click.argument("b", metavar="TARGET[@SCHEDULE]")
@cli.problem_options
@click.option(
    "--of", type=click.Choice(["source", "nest", "assembly"]), default="source", show_default=True, help="Only assembly is compiled."
)
@click.option("-y", "--side-by-side", is_flag=True, help="Two columns, as wide as the terminal.")
def diff(
    a: str,
    b: str,
    shape: tuple[int | None, ...],
    dtype: str,
    param_dtype: str | None,
    outputs: tuple[str, ...],
    of: str,
    side_by_side: bool,
    **fields: Any,
) -> int:
    """What is not the same in two targets' code, or two schedules', for one layer: source, loop nest or assembly.

    Exits with status 0 where nothing is, 1 where something is, and 2 for an error.

    \b
    Example:
      gngen diff c:x86-64-v3 c:x86-64-v4 --shape 2,64,64,320
      gngen diff c@rows c@sample --shape 2,64,64,320 --of nest -y
    """
    from gngen.compare import diff as differ

    asked: dict[str, Any] = {"shape": shape, "dtype": dtype, "outputs": outputs, "param_dtype": param_dtype}
    left, right = (differ.make_side(name, of, cli.spec_of(**fields), **asked) for name in (a, b))
    if left.lines == right.lines:
        return 0
    console = cli.console_of()
    if side_by_side:
        lines = list(differ.side_by_side(left, right, console.width))
    else:
        lines = [differ.coloured(line) for line in differ.unified(left, right)]
    for line in lines:
        console.print(line, soft_wrap=True) if console.is_terminal else click.echo(line.plain)
    return 1
