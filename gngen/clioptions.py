"""Options of the command line that several of its modules have."""

from __future__ import annotations

import re

import click


def _dims(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, int]:
    """``height=64``, once or more."""
    for part in value:
        if not re.fullmatch(r".+=[1-9]\d*", part):
            raise click.BadParameter(f"{part!r} is not the size of a dimension; write height=64")
    return {name: int(size) for name, _, size in (part.rpartition("=") for part in value)}


dim_option = click.option(
    "--dim", "dims", multiple=True, callback=_dims, metavar="NAME=N", help="Of an .onnx file: the size of a dimension that it leaves open."
)
