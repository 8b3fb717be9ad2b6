"""Backend `reference`: the definition in numpy, float64 inside; slow, right, and everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gngen.arrays import Array
from gngen.backends.pyfile import load_module
from gngen.errors import BuildError
from gngen.source import Source
from gngen.target import Target

if TYPE_CHECKING:
    from gngen.loopnest import LoopNest

DESCRIPTION = "the definition, in numpy"
HOST_ONLY = True
ONE_SCHEDULE = True
_TEXT = "kernel.py"


def unavailable() -> str:
    """It runs wherever numpy does."""
    return ""


def flags(target: Target) -> tuple[str, ...]:
    """Nothing is compiled."""
    return ()


def identity() -> str:
    """What the answer depends on: numpy's version."""
    return f"numpy {np.__version__}"


def emit(nest: LoopNest, target: Target) -> Source:
    """The definition with the sizes filled in."""
    from gngen.render import render

    names = [b.name for b in (*nest.buffers, *nest.workspace)]
    p = nest.problem
    text = {"moments": "moments", "sums": "sums"}.get(p.stage) or ("backward" if p.direction == "backward" else "kernel")
    return Source("python", nest.name, render(f"reference/{text}.py.j2", nest=nest, p=p, names=names))


def build(source: Source, folder: Path) -> list[str]:
    """Write the file."""
    (folder / _TEXT).write_text(source.text, encoding="utf-8")
    return [_TEXT]


class Entry:
    """Calls the function on the arrays seen as five sizes."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, arrays: Sequence[Array], batch: int, threads: int) -> None:
        self._function(*arrays, batch)


def load(folder: Path, manifest: Mapping[str, Any]) -> Entry:
    """The function in the file."""
    return Entry(getattr(load_module(folder / _TEXT), manifest["entry"]))


def assembly(source: Source, folder: Path, target: Target) -> str:
    raise BuildError("the reference has no assembly: it is numpy; choose the target c, llvm or numba-cpu")


def code_size(folder: Path) -> int | None:
    return None
