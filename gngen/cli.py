"""The command line: ``gngen targets | emit | explain | run | compare | diff | tune | build | load | cache | models``.

Results go to stdout; progress, warnings and errors to stderr. Every error is one line, ``gngen: error: ...``, and exit status 2
(130 when interrupted). Commands import what they need when they run, so that ``gngen --help`` is fast.
"""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from gngen.cli_bundle import build, load
from gngen.clioptions import dim_option

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray
    from rich.console import Console, RenderableType
    from rich.table import Table

    from gngen.kernel import Plan
    from gngen.models import LayerList
    from gngen.schedule import Schedule
    from gngen.spec import GroupNormSpec
    from gngen.tuning import Tuning

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class App(click.Group):
    """A group of commands whose every error is one line on stderr and exit status 2."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        def call() -> Any:
            return super(App, self).main(args, prog_name, complete_var, standalone_mode=False, **extra)

        if not standalone_mode:
            return call()
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: click.echo(f"gngen: warning: {_one_line(message)}", err=True)
            sys.exit(_status(call))


def _status(call: Callable[[], Any]) -> int:
    """Run a command and say what went wrong; the exit status."""
    from gngen.errors import GngenError

    try:
        result = call()
        return result if isinstance(result, int) else 0
    except click.Abort:
        return fail("interrupted", 130)
    except click.ClickException as e:
        return fail(e.format_message())
    except GngenError as e:
        return fail(e)
    except OSError as e:
        return fail(": ".join(str(part) for part in (e.filename, e.strerror) if part) or e)
    except MemoryError as e:
        return fail(f"out of memory: {e}" if str(e) else "out of memory")
    except Exception as e:  # a bug: still one line, and a way to see more
        return fail(f"unexpected {type(e).__name__}: {e} (GNGEN_TRACEBACK=1 shows where)")


def fail(message: object, status: int = 2) -> int:
    if os.environ.get("GNGEN_TRACEBACK") == "1" and sys.exc_info()[0] is not None:
        traceback.print_exc()
    click.echo(f"gngen: error: {_one_line(message)}", err=True)
    return status


def _one_line(message: object) -> str:
    """A message on one line; of what a compiler said, its first error alone."""
    lines = [" ".join(line.split()) for line in str(message).splitlines()]
    errors = [line for line in lines[1:] if "error:" in line]
    return f"{lines[0]} {errors[0]} (GNGEN_TRACEBACK=1 shows all)" if errors else " ".join(filter(None, lines))


def _shape(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int | None, ...]:
    """``2,64,64,320`` or ``2x64x64x320``; None or ? for a batch that varies."""
    parts = [part.strip() for part in re.split(r"[,x]", value.strip().strip("()[]").rstrip(","))]
    if not all(re.fullmatch(r"\d+|None|none|\?", part) for part in parts):
        raise click.BadParameter(f"{value!r} is not a shape; write 2,64,64,320 or 2x64x64x320, with None or ? for a batch that varies")
    return tuple(int(part) if part.isdigit() else None for part in parts)


def _optional_shape(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int | None, ...] | None:
    return None if value is None else _shape(ctx, param, value)


def _axis(ctx: click.Context, param: click.Parameter, value: str) -> int | tuple[int, ...]:
    """``-1``, or several axes as ``1,2``."""
    parts = [part.strip() for part in value.strip().strip("()[]").rstrip(",").split(",")]
    if not all(re.fullmatch(r"[+-]?\d+", part) for part in parts):
        raise click.BadParameter(f"{value!r} is not an axis; write -1, or several as 1,2")
    axes = tuple(int(part) for part in parts)
    return axes if len(axes) > 1 else axes[0]


def _words(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(","))


def _options(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Several options as one decorator, shown in --help in this order."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


spec_options: Decorator = _options(
    click.option("--groups", type=int, default=32, show_default=True, help="Groups that the features divide into; -1: one a feature."),
    click.option("--axis", callback=_axis, default="-1", show_default=True, metavar="N[,N...]", help="The feature axis, or several."),
    click.option("--epsilon", type=float, default=1e-3, show_default=True, help="Added to the variance."),
    click.option("--center/--no-center", default=True, help="Add beta, or none."),
    click.option("--scale/--no-scale", default=True, help="Multiply by gamma, or by none."),
    click.option("--activation", metavar="NAME", help="relu, silu, gelu, gelu_tanh, sigmoid or tanh."),
)
problem_options: Decorator = _options(
    click.option(
        "--shape",
        callback=_shape,
        required=True,
        metavar="N,N,...",
        help="Sizes, batch first: 2,64,64,320; None or ? for a batch that varies.",
    ),
    spec_options,
    click.option("--residual", is_flag=True, help="Add a second input before the norm."),
    click.option("--modulation", is_flag=True, help="A scale and a shift of each sample's own after it."),
    click.option("--masked", is_flag=True, help="Keep padding out of mean and variance."),
    click.option(
        "--dtype", default="float32", show_default=True, help="Of the input and the output: float32, float64, float16 or bfloat16."
    ),
    click.option("--param-dtype", help="Of gamma, beta and modulation: as --dtype unless given; float32 goes with float16 and bfloat16."),
    click.option("--outputs", callback=_words, default="y", show_default=True, metavar="y,sum,mean,rstd", help="What the kernel writes."),
)


def _target_option(default: str) -> Callable[[Command], Command]:
    return click.option("--target", default=default, show_default=True, metavar="BACKEND[:MACHINE]", help="See gngen targets.")


def spec_of(activation: str | None, **fields: Any) -> GroupNormSpec:
    """The spec that the options of `spec_options` say."""
    from gngen.spec import GroupNormSpec

    return GroupNormSpec(activation=None if activation in (None, "none", "None") else activation, **fields)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        import gngen

        click.echo(f"gngen {gngen.__version__}")
        ctx.exit()


@click.group(cls=App, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit.")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Compile group normalisation for exactly the shape, layout, type and machine at hand.

    \b
    Example:
      gngen compare --model sd15-unet
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@main.command()
def targets() -> None:
    """What can run here, and why the rest cannot.

    \b
    Example:
      gngen targets
    """
    from rich.markup import escape

    import gngen

    grid = grid_of("target", "here", "about")
    grid.columns[0].no_wrap = True
    before = ""
    for status in gngen.targets():
        if before not in ("", status.backend):
            grid.add_section()
        before = status.backend
        about = (status.description, "" if status.available else status.reason)
        grid.add_row(status.name, "yes" if status.available else "no", escape("\n".join(filter(None, about))))
    show_table(grid)


@main.command()
@problem_options
@_target_option("c")
@click.option(
    "--what", type=click.Choice(["source", "nest", "assembly"]), default="source", show_default=True, help="Only assembly is compiled."
)
@click.option(
    "--stage",
    type=click.Choice(["spec", "nest", "llvm"]),
    help="Of target mlir: the definition on tensors, the loop nest (the source), or the dialect llvm, for which mlir-opt is needed.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write here and not to stdout.")
def emit(
    shape: tuple[int | None, ...],
    dtype: str,
    param_dtype: str | None,
    outputs: tuple[str, ...],
    target: str,
    what: str,
    stage: str | None,
    output: str | None,
    **fields: Any,
) -> None:
    """Print the source, the loop nest or the assembly of a kernel.

    \b
    Example:
      gngen emit --shape 2,64,64,320 --activation silu --target c:x86-64-v3
      gngen emit --shape None,320,64,64 --axis 1 --what nest
      gngen emit --shape None,320,64,64 --axis 1 --target mlir --stage spec
    """
    import gngen
    from gngen import api

    asked: dict[str, Any] = {"shape": shape, "dtype": dtype, "target": target, "outputs": outputs, "param_dtype": param_dtype}
    spec = spec_of(**fields)
    if stage is not None:
        text = _mlir_stage(spec, what, stage, **asked)
    elif what == "source":
        text = gngen.emit(spec, **asked).text
    elif what == "nest":
        text = str(gngen.lower(spec, **asked))
    else:
        text = api.plan(spec, **asked).assembly()
    text = text if text.endswith("\n") else text + "\n"
    if output is None or output == "-":
        click.echo(text, nl=False)
    else:
        with _replacing(output) as file:
            file.write(text.encode())


def _mlir_stage(spec: GroupNormSpec, what: str, stage: str, **asked: Any) -> str:
    """A kernel of backend mlir on its way down."""
    from gngen import api
    from gngen.backends import mlir

    if what != "source":
        raise click.UsageError(f"--stage {stage} is of the source, and --what is {what}; give one of the two")
    plan = api.plan(spec, **asked)
    if plan.target.backend != "mlir":
        raise click.UsageError(f"--stage {stage} is of target mlir, and the target is {plan.target}; choose --target mlir")
    return mlir.stage_text(plan.nest, plan.target, stage)


@main.command(short_help="The decisions behind a kernel, and its cache key.")
@problem_options
@_target_option("auto")
def explain(
    shape: tuple[int | None, ...], dtype: str, param_dtype: str | None, outputs: tuple[str, ...], target: str, **fields: Any
) -> None:
    """The decisions behind a kernel, its cache key, and whether the cache had it.

    \b
    Example:
      gngen explain --shape 2,64,64,320 --groups 32
    """
    import gngen
    from gngen.api import explain_plan

    asked: dict[str, Any] = {"shape": shape, "dtype": dtype, "target": target, "outputs": outputs, "param_dtype": param_dtype}
    spec = spec_of(**fields)
    gpu = _gpu_plan(spec, **asked)
    click.echo((gngen.compile(spec, **asked).explain() if gpu is None else explain_plan(gpu)).rstrip("\n"))


def _gpu_plan(spec: GroupNormSpec, **asked: Any) -> Plan | None:
    """The plan of a kernel for a GPU, of which everything but its answers can be had without one; None on a CPU."""
    from gngen import api
    from gngen.target import Gpu

    plan = api.plan(spec, **asked)
    return plan if isinstance(plan.target.machine, Gpu) else None


@main.command()
@click.argument("x", type=click.Path(), metavar="X.npy")
@click.argument("y", type=click.Path(dir_okay=False), metavar="Y.npy")
@click.option("--gamma", type=click.Path(), metavar="FILE", help="Of the feature axes' shape; ones unless given.")
@click.option("--beta", type=click.Path(), metavar="FILE", help="Of the feature axes' shape; zeros unless given.")
@spec_options
@_target_option("auto")
@click.option("--check", is_flag=True, help="Compare with the float64 definition first; write only what is within the contract.")
def run(x: str, y: str, gamma: str | None, beta: str | None, target: str, check: bool, **fields: Any) -> None:
    """Normalise the array of one .npy file into another.

    The output is complete or absent: it is written beside its place and then moved there.

    \b
    Example:
      gngen run x.npy y.npy --groups 8 --axis 1 --gamma g.npy --beta b.npy --check
    """
    import numpy as np

    from gngen.api import kernel_for
    from gngen.errors import GngenError

    for flag, wanted, path in (("scale", fields["scale"], gamma), ("center", fields["center"], beta)):
        if path is not None and not wanted:
            raise click.UsageError(f"--no-{flag} and --{'gamma' if flag == 'scale' else 'beta'} exclude each other")
    source = _load(x)
    source = source.astype(source.dtype.newbyteorder("=") if source.dtype.kind == "f" else np.float32, copy=False)
    weight, shift = (None if path is None else _parameter(path, source.dtype) for path in (gamma, beta))
    spec = spec_of(**fields | {"scale": weight is not None, "center": shift is not None})
    kernel = kernel_for(spec, source, weight, shift, target=target)
    result = np.asarray(kernel(source, weight, shift))
    checked = ""
    if check:
        from gngen.compare.accuracy import error_limit, evaluate

        error, limit = evaluate(source, weight, shift, spec).error(result), error_limit(source.dtype.name)
        if not error <= limit:
            raise GngenError(f"y differs from the oracle by {error:.1e}, over the contract's {limit:.0e}; {y} is not written")
        checked = f", error {error:.1e} of at most {limit:.0e}"
    with _replacing(y) as file:
        np.save(file, result, allow_pickle=False)
    click.echo(f"{y}: {'x'.join(map(str, result.shape))} {result.dtype.name} on {kernel.target}{checked}")


@main.command(short_help="Measure schedules, and use the fastest from then on.")
@click.option("--model", metavar="NAME|FILE", help="A list of layers: see gngen models, or a .toml, .json or .onnx file.")
@dim_option
@click.option("--shape", callback=_optional_shape, metavar="N,N,...", help="One layer of these sizes, batch first, in place of a list.")
@spec_options
@_target_option("auto")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True, help="For all layers together.")
@click.option("--layout", type=click.Choice(["first", "last"]), help="Move the features right after the batch, or to the end.")
@click.option("--dtype", help="In place of the list's own; float32 for a shape.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N layers.")
@click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Tune kernels that serve any batch, measured at this one.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="All cores unless given.")
@click.option("--dry-run", is_flag=True, help="List the candidates and measure nothing.")
@click.pass_context
def tune(
    ctx: click.Context,
    /,
    model: str | None,
    dims: dict[str, int],
    shape: tuple[int | None, ...] | None,
    target: str,
    seconds: float,
    layout: str | None,
    dtype: str | None,
    limit: int | None,
    batch: int | None,
    threads: int | None,
    dry_run: bool,
    **fields: Any,
) -> int:
    """Measure the candidate schedules of a network's layers, or of one shape, and use the fastest from then on.

    What is found is kept in the cache, for this machine, target, number of threads and batch; gngen explain shows it, and
    GNGEN_TUNED=0 sets it aside. Leave the machine otherwise idle.

    \b
    Example:
      gngen tune --model sd15-unet --target c --seconds 60
      gngen tune --shape None,64,64,320 --batch 2 --activation silu
    """
    import gngen
    from gngen.tuning import list_candidates

    layers = _layers_to_tune(ctx, model, dims, shape, batch, fields)
    layers = layers.with_layout(layout) if layout else layers
    layers = layers.head(limit) if limit else layers
    check_targets([target])
    if threads:
        gngen.set_num_threads(threads)
    if dry_run:
        found = list_candidates(layers, target, dtype=dtype, batch=batch)
        show_table(_candidate_table([(layer.name, schedules) for layer, schedules in found]))
        click.echo(f"{_count(sum(len(schedules) for _, schedules in found), 'candidate')} of {_count(len(found), 'problem')}")
        return 0
    with progress(len(layers.layers)) as step:
        tuning = gngen.tune(layers, target, seconds, dtype=dtype, batch=batch, progress=step)
    show_table(_tuning_table(tuning))
    click.echo(_tuning_summary(tuning))
    failed = [row for row in tuning.rows if row.failure]
    if failed:
        return fail(f"{len(failed)} of {_count(len(tuning.rows), 'problem')} failed; {failed[0].layer.name}: {failed[0].failure}")
    return 0


def _layers_to_tune(
    ctx: click.Context,
    model: str | None,
    dims: dict[str, int],
    shape: tuple[int | None, ...] | None,
    batch: int | None,
    fields: dict[str, Any],
) -> LayerList:
    """The list of --model, or of one layer of --shape and the options of a spec."""
    from gngen import models

    if (model is None) == (shape is None):
        raise click.UsageError("give one of --model and --shape")
    if model is not None:
        given = [name for name in fields if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT]
        if given:
            raise click.UsageError(f"--{given[0]} goes with --shape; the layers of a model say their own")
        return models.load(model, dims)
    assert shape is not None
    if dims:
        raise click.UsageError("--dim goes with --model")
    if shape and shape[0] is None:
        if batch is None:
            raise click.UsageError("--shape with a batch that varies takes --batch, the one to measure at")
        shape = (batch, *shape[1:])
    if None in shape:
        raise click.BadParameter("only the batch may be None", param_hint="'--shape'")
    sizes, spec = tuple(int(n) for n in shape if n is not None), spec_of(**fields)
    numbers = (spec.groups, spec.axis, spec.epsilon, spec.center, spec.scale, spec.activation)
    return models.LayerList("shape", "", "", "float32", (models.Layer("x".join(map(str, sizes)), sizes, *numbers),))


def _candidate_table(found: Sequence[tuple[str, Sequence[Schedule]]]) -> RenderableType:
    from rich.markup import escape

    from gngen.tuning import describe

    grid = grid_of("layer", "", "candidate")
    grid.columns[1].justify = "right"
    for name, schedules in found:
        for number, schedule in enumerate(schedules):
            words = describe(schedule, schedules[0])
            grid.add_row(escape(name) if number == 0 else "", str(number) if number else "untuned", words)
    return grid


def _tuning_table(tuning: Tuning) -> RenderableType:
    from rich.markup import escape

    from gngen.compare.report import format_seconds
    from gngen.tuning import describe

    grid = grid_of("layer", "untuned", "time", "tuned", "time", "gain")
    for column in (grid.columns[2], grid.columns[4], grid.columns[5]):
        column.justify, column.no_wrap = "right", True
    for row in tuning.rows:
        kept = "the same" if row.tuned == row.untuned else describe(row.tuned, row.untuned)
        kept = "[bold red]failed[/bold red]" if row.failure else "no time" if row.skipped else kept
        gain = "-" if row.gain is None else f"{row.gain:.2f}"
        times = format_seconds(row.untuned_seconds), format_seconds(row.tuned_seconds)
        grid.add_row(escape(row.layer.name), describe(row.untuned), times[0], kept, times[1], gain)
    return grid


def _tuning_summary(tuning: Tuning) -> str:
    from gngen.cache import default_cache

    mean = "-" if tuning.gain is None else f"{tuning.gain:.2f}"
    measured, late = sum(row.gain is not None for row in tuning.rows), sum(bool(row.skipped) for row in tuning.rows)
    batch = "" if tuning.batch is None else f", any batch, measured at {tuning.batch}"
    lines = [
        f"untuned over tuned: {mean}, the geometric mean of {_count(measured, 'problem')}; {_count(tuning.replaced, 'schedule')} replaced",
        f"{tuning.target}, {tuning.model.dtype}, {_count(tuning.threads, 'thread')}{batch}; {tuning.seconds:.0f} s",
        f"kept in {default_cache().path}",
    ]
    if late:
        lines.append(f"no time for {_count(late, 'problem')}: give more --seconds")
    return "\n".join(lines)


def check_targets(chosen: Sequence[str], foreign: bool = False) -> None:
    """Raise for a target that is not known or cannot run here, before hours are spent on the others.

    foreign: let those pass whose machine is not this one.
    """
    import gngen
    from gngen.errors import TargetError
    from gngen.target import parse_target, runs_here

    status = {s.name: s for s in gngen.targets()}
    for name in chosen:
        found = status.get(name if name == "auto" else str(parse_target(name)))
        if found and not found.available and not (foreign and runs_here(parse_target(name).machine)):
            raise TargetError(f"target {name} is not available here: {found.reason}")


@main.group()
def cache() -> None:
    """Show or clear the cache of compiled kernels.

    \b
    Example:
      gngen cache show
    """


@cache.command()
def show() -> None:
    """What is in the cache, the latest used first.

    \b
    Example:
      gngen cache show
    """
    from rich.markup import escape

    from gngen.cache import default_cache
    from gngen.compare.report import format_bytes
    from gngen.tuned import KIND

    disk = default_cache()
    entries, tuned = disk.entries(), disk.records(KIND)
    grid = grid_of("digest", "backend", "size", "used", "kernel")
    for column in grid.columns[:4]:
        column.no_wrap = True
    grid.columns[2].justify = grid.columns[3].justify = "right"
    now = time.time()
    for entry in entries:
        grid.add_row(entry.digest[:12], entry.backend, format_bytes(entry.bytes), _ago(now - entry.last_used), escape(entry.summary))
    if entries:
        show_table(grid)
    if tuned:
        show_table(_record_table(tuned))
    size = sum(entry.bytes for entry in entries)
    also = f", and {_count(len(tuned), 'tuned schedule')}" if tuned else ""
    click.echo(f"{_count(len(entries), 'kernel')}, {format_bytes(size)} of at most {format_bytes(disk.limit_bytes)}{also}, in {disk.path}")


def _record_table(records: Sequence[dict[str, Any]]) -> RenderableType:
    """The tuned schedules; those that other code measured are kept for it, and not used."""
    from rich.markup import escape

    from gngen.tuned import code

    grid = grid_of("tuned", "backend", "batch", "threads", "gain", "schedule")
    for column in grid.columns[:5]:
        column.no_wrap = True
    for column in grid.columns[2:5]:
        column.justify = "right"
    current = code()
    for record in records:
        batch = "any" if record["batch"] is None else str(record["batch"])
        old = "" if record["code"] == current else " (of other code)"
        numbers = (batch, str(record["threads"]), f"{record['gain']:.2f}")
        grid.add_row(record["date"], record["backend"], *numbers, escape(record["summary"] + old))
    return grid


@cache.command()
@click.option("--only", type=click.Choice(["kernels", "tuned"]), help="Only the kernels, or only the tuned schedules.")
def clear(only: str | None) -> None:
    """Remove every kernel and every tuned schedule from the cache.

    \b
    Example:
      gngen cache clear
      gngen cache clear --only kernels
    """
    from gngen.cache import default_cache
    from gngen.compare.report import format_bytes
    from gngen.tuned import KIND

    disk = default_cache()
    removed = []
    if only != "tuned":
        count, size = disk.clear()
        removed.append(f"{_count(count, 'kernel')}, {format_bytes(size)}")
    tuned = 0 if only == "kernels" else disk.clear_records(KIND)
    if tuned or only == "tuned":
        removed.append(_count(tuned, "tuned schedule"))
    click.echo(f"removed {', and '.join(removed)}, from {disk.path}")


@main.command()
@click.argument("name", required=False, metavar="[NAME|FILE]")
@dim_option
def models(name: str | None, dims: dict[str, int]) -> None:
    """The lists of layers that ship with gngen, or the layers of one, or of a file.

    \b
    Example:
      gngen models
      gngen models sd15-unet
      gngen models my-network.onnx
    """
    from rich.markup import escape

    from gngen import models as lists
    from gngen.compare.report import format_shape

    if name is None:
        grid = grid_of("model", "norms", "layers", "dtype", "about")
        grid.columns[0].no_wrap = True
        grid.columns[1].justify = grid.columns[2].justify = "right"
        for model in map(lists.load, lists.names()):
            grid.add_row(model.name, str(model.norms), str(len(model.layers)), model.dtype, escape(model.description))
        show_table(grid)
        return
    model = lists.load(name, dims)
    grid = grid_of("layer", "shape", "axis", "groups", "epsilon", "activation", "count")
    for column in grid.columns[2:]:
        column.justify = "right"
    for layer in model.layers:
        axis, activation = ",".join(map(str, layer.axes)), layer.activation or "-"
        numbers = (str(layer.groups), f"{layer.epsilon:g}", activation, str(layer.count))
        grid.add_row(escape(layer.name), format_shape(layer.shape), axis, *numbers)
    click.echo("\n".join(filter(None, (f"{model.name}: {model.description}".rstrip(": "), model.source))))
    show_table(grid)
    click.echo(f"{_count(model.norms, 'norm')}, {model.dtype}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def grid_of(*headings: str) -> Table:
    """A table without lines but the one under its headings."""
    from rich import box
    from rich.table import Table

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    return grid


def console_of(stderr: bool = False) -> Console:
    """Of stdout or stderr, as wide as it is; colours nothing by itself."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def show_table(what: RenderableType) -> None:
    console = console_of()
    with console.capture() as held:
        console.print(what)
    click.echo("\n".join(line.rstrip() for line in held.get().splitlines()))


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """A progress bar on stderr, where that is a terminal; gives a function to call as each step begins."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = console_of(stderr=True)
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, auto_refresh=False, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        begun = 0

        def step(description: str) -> None:
            nonlocal begun
            bar.update(task, completed=begun, description=description, refresh=True)  # no thread: it would disturb the timing
            begun += 1

        yield step


def _load(path: str) -> NDArray[Any]:
    """The array of a .npy file; refuses anything else, pickles first of all."""
    import numpy as np

    from gngen.errors import LaunchError

    if os.path.isdir(path):
        raise LaunchError(f"{path}: is a folder, not a .npy file")
    try:
        loaded = np.load(path, allow_pickle=False)
    except OSError as e:
        raise LaunchError(f"{path}: {e.strerror or e}") from None
    except (ValueError, EOFError, SyntaxError, KeyError, OverflowError) as e:
        raise LaunchError(f"{path}: not a readable .npy file: {e}") from None
    if not isinstance(loaded, np.ndarray):
        loaded.close()
        raise LaunchError(f"{path}: an archive of arrays (.npz); give one array (.npy)")
    if loaded.dtype.kind not in "fiub":
        raise LaunchError(f"{path}: holds {loaded.dtype.name}; give real numbers")
    return loaded


def _parameter(path: str, dtype: DTypeLike) -> NDArray[Any]:
    """gamma or beta for data of a dtype: of that, or float32 for float16 data and parameters that are not float16."""
    import numpy as np

    loaded = _load(path)
    return loaded.astype(np.float32 if dtype == np.float16 and loaded.dtype != dtype else dtype)


@contextmanager
def _replacing(path: str) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` when all went well, and leaves nothing when not."""
    place = os.path.realpath(path)
    if os.path.exists(place) and not os.path.isfile(place):  # a device or a pipe: nothing to replace
        with open(place, "wb") as device:
            yield device
        return
    folder, name = os.path.split(place)
    aside = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        with open(aside, "xb") as file:
            yield file
        os.replace(aside, place)
    except OSError as e:
        raise OSError(e.errno, e.strerror or str(e), path) from None
    finally:
        if os.path.exists(aside):
            os.unlink(aside)


from gngen.cli_compare import compare, diff  # last: they use what is above

for command in (build, compare, diff, load):
    main.add_command(command)
