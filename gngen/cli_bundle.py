"""The commands ``gngen build`` and ``gngen load``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gngen.clioptions import dim_option

if TYPE_CHECKING:
    from gngen.bundle.sources import Library


@click.command(short_help="Kernels of a list of layers as plain files, for C and everything that calls it.")
@click.argument("layers", required=False, metavar="[LAYERS.toml]")
@click.option("--model", metavar="NAME|FILE", help="A list that ships with gngen (see gngen models), in place of a file.")
@click.option("-o", "--output", "out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="The bundle.")
@click.option("--target", "targets", multiple=True, metavar="BACKEND[:MACHINE]", help="Once or more, as c:x86-64-v3; c unless given.")
@click.option("--name", default="gn", show_default=True, help="Begins the name of everything public.")
@click.option(
    "--missing",
    type=click.Choice(["error", "generic"]),
    default="error",
    show_default=True,
    help="For a shape that no layer has: an error code, or a plain kernel for any.",
)
@click.option("--openmp/--no-openmp", default=True, help="Use OpenMP where the compiler has it, or not.")
@click.option("--layout", type=click.Choice(["first", "last"]), help="Move the features right after the batch, or to the end.")
@click.option("--dtype", help="In place of the list's own.")
@dim_option
def build(
    layers: str | None,
    model: str | None,
    out: Path,
    targets: Sequence[str],
    name: str,
    missing: str,
    openmp: bool,
    layout: str | None,
    dtype: str | None,
    dims: dict[str, int],
) -> None:
    """Write the kernels of a list of layers to a folder: a header, libraries, sources, a self-test.

    The list is a .toml, .json or .onnx file, or --model. The kernels serve every batch. Of several machines of one architecture, a program
    takes the best that its processor has.

    \b
    Example:
      gngen build layers.toml -o dist --target c:x86-64-v3 --target c:x86-64-v4
      gngen build --model sd15-vae -o dist --target c --target llvm:aarch64-neon
    """
    from gngen import cli
    from gngen.bundle.build import build_bundle, steps
    from gngen.bundle.layers import read_layers
    from gngen.bundle.plan import make_bundle

    if (layers is None) == (model is None):
        raise click.UsageError("give one of LAYERS.toml and --model")
    bundle = make_bundle(name, read_layers(layers or model or "", dims, layout, dtype), tuple(targets) or ("c",), missing)
    with cli.progress(steps(bundle)) as step:
        libraries = build_bundle(bundle, out, openmp, step)
    grid = cli.grid_of("architecture", "machines, best first", "what there is")
    for arch, lib in zip(bundle.arches, libraries, strict=True):
        grid.add_row(arch.name, ", ".join(str(level.target) for level in arch.levels), _made(lib))
    cli.show_table(grid)
    click.echo(f"{out}: {len(bundle.layers)} layers, {len(bundle.kernels)} kernels; include/{name}.h, test/selftest.c")


def _made(lib: Library) -> str:
    found = [path for path in (lib.static, lib.shared, lib.objects) if path]
    threads = ["OpenMP"] if lib.openmp else ["one thread, or the caller's"] if lib.static else []
    return "; ".join([", ".join(found), *threads, lib.note] if found else [lib.note]).strip("; ")


@click.command(short_help="The kernels of a bundle, checked and timed here.")
@click.argument("folder", type=click.Path(file_okay=False), metavar="DIR")
@click.option("--machine", metavar="TARGET", help="One of the bundle's machines, in place of the best that runs here.")
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Samples of a call.")
def load(folder: str, machine: str | None, batch: int) -> int:
    """List the kernels of a bundle, check each against the float64 definition, and time it; needs no compiler.

    Exits with status 2 where an answer breaks the numerics contract.

    \b
    Example:
      gngen load dist
    """
    from rich.markup import escape

    import gngen
    from gngen import cli
    from gngen.bundle.check import check_kernel
    from gngen.compare.report import format_seconds, format_shape

    bundle = gngen.load(folder)
    if machine:
        bundle.use_machine(machine)
    grid = cli.grid_of("layer", "shape", "activation", "error", "time")
    grid.columns[3].justify = grid.columns[4].justify = "right"
    wrong = []
    with cli.progress(len(bundle)) as step:
        for layer in bundle:
            step(layer)
            kernel = bundle[layer]
            found = check_kernel(kernel, batch)
            if found.share > 1:
                wrong.append(layer)
            shape = format_shape((batch, *(int(n or 0) for n in kernel.layout.shape[1:])))
            grid.add_row(escape(layer), shape, kernel.spec.activation or "-", f"{found.share:.2f}", format_seconds(found.seconds))
    cli.show_table(grid)
    click.echo(
        f"{bundle.machine}, of {', '.join(bundle.machines)}; {len(bundle) - len(wrong)} passed, {len(wrong)} failed (error: 1 is allowed)"
    )
    return cli.fail(f"wrong answers of {', '.join(wrong)}") if wrong else 0
