"""Find what ships with gngen, `templates/` and `targets/`: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import gngen

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

# What decides the bytes of a kernel: a change here is a change of gngen's version, as far as a cache is concerned.
_CODE = (
    "loopnest", "builder", "spec", "problem", "summation", "gradientsums", "schedule", "schedulerules", "backwardschedule", "gpuschedule",
    "slices", "formulas", "masks", "sweeps", "pieces", "gradients", "gpupieces", "tilepieces", "prune", "unroll", "lowering", "vectormath",
    "source", "render", "kernel", "phases", "grids", "llvmtools", "llvmapart", "tools", "toolchain",
)  # fmt: skip
_FOLDERS = ("backends", "schedules")


@cache
def package() -> Traversable:
    """The package's own folder; inside a zipped wheel, importlib's view of it, which takes longer to import."""
    here = Path(gngen.__file__).resolve().parent
    if here.is_dir():
        return here
    from importlib.resources import files

    return files(gngen)


@cache
def folder(name: str) -> Traversable:
    """The folder `templates` or `targets`, wherever this installation keeps it."""
    inside = package().joinpath(f"_{name}")
    if inside.is_dir():
        return inside
    return Path(gngen.__file__).resolve().parent.parent.joinpath(name)


def read(name: str, path: str) -> str:
    """The text of one shipped file, as ``read("templates", "c/kernel.c.j2")``."""
    return folder(name).joinpath(*path.split("/")).read_text(encoding="utf-8")


@cache
def fingerprint() -> str:
    """A digest of the code and templates that kernels come from."""
    digest = hashlib.sha256(gngen.__version__.encode())
    modules = [package().joinpath(f"{module}.py") for module in _CODE]
    for name in _FOLDERS:
        modules += sorted((f for f in package().joinpath(name).iterdir() if f.name.endswith(".py")), key=lambda f: f.name)
    for module in modules:
        digest.update(module.read_bytes())
    for language in sorted(folder("templates").iterdir(), key=lambda t: t.name):
        for template in sorted(language.iterdir(), key=lambda t: t.name):
            digest.update(template.read_bytes())
    return digest.hexdigest()[:16]
