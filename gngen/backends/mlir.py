"""Backend `mlir`: the loop nest as MLIR (func, scf, memref, vector, arith, math), lowered by mlir-opt, compiled and run by LLVM."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gngen.errors import BuildError
from gngen.source import Source
from gngen.target import Target

if TYPE_CHECKING:
    from gngen.loopnest import LoopNest

DESCRIPTION = "MLIR, lowered by mlir-opt and compiled by LLVM"
_VERSION = 22
_TIMEOUT = 120.0
_TEXT, _LOWERED, _OBJECT = "kernel.mlir", "kernel.llvm.mlir", "kernel.o"
# From the nest's dialects to LLVM's; arrays are bare pointers. What is left of descriptors is folded last.
PASSES = (
    "--convert-scf-to-cf",
    "--convert-vector-to-llvm",
    "--convert-math-to-llvm",
    "--expand-strided-metadata",
    "--lower-affine",
    "--finalize-memref-to-llvm",
    "--convert-arith-to-llvm",
    "--convert-func-to-llvm=use-bare-ptr-memref-call-conv=1",
    "--convert-cf-to-llvm",
    "--convert-ub-to-llvm",
    "--reconcile-unrealized-casts",
    "--canonicalize",
    "--cse",
)


def emit(nest: LoopNest, target: Target) -> Source:
    """The MLIR text of a nest: one module, a function for each phase."""
    from gngen.backends.mlir_source import print_mlir

    return Source("mlir", nest.name, print_mlir(nest, target.cpu), flags(target))


def flags(target: Target) -> tuple[str, ...]:
    """The passes of mlir-opt."""
    return PASSES


# The tools


@cache
def tool(name: str) -> str:
    """The path of mlir-opt: $GNGEN_MLIR_OPT, or that on the path, with its version or without; of mlir-translate, beside it; or ""."""
    asked = os.environ.get("GNGEN_MLIR_OPT")
    if asked and name == "mlir-opt":
        return shutil.which(asked) or ""
    if asked:
        beside = Path(shutil.which(asked) or asked)
        return shutil.which(str(beside.with_name(beside.name.replace("mlir-opt", name)))) or ""
    return shutil.which(f"{name}-{_VERSION}") or shutil.which(name) or ""


@cache
def unavailable() -> str:
    """Why no kernel can be built here, or ""."""
    for name in ("mlir-opt", "mlir-translate"):
        if not tool(name):
            asked = os.environ.get("GNGEN_MLIR_OPT")
            where = f"beside $GNGEN_MLIR_OPT, {asked!r}" if asked else "here"
            return f"no {name} {where}: install mlir-{_VERSION}-tools, or name it in $GNGEN_MLIR_OPT"
    return ""


@cache
def identity() -> str:
    """The version of mlir-opt, as a build depends on it."""
    return f"mlir-opt {_run([tool('mlir-opt'), '--version'], '').split('version ')[-1].split()[0]}"


def _run(command: Sequence[str], text: str) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=_TIMEOUT)
    except (OSError, subprocess.SubprocessError) as e:
        raise BuildError(f"{command[0]} could not be run: {e}") from e
    if done.returncode:
        shown = "\n".join(done.stderr.strip().splitlines()[:12])
        raise BuildError(f"{' '.join(command)} failed with status {done.returncode}:\n{shown}")
    return done.stdout


def lower(text: str, passes: Sequence[str] = PASSES) -> str:
    """MLIR text after some passes of mlir-opt. BuildError with its words."""
    if unavailable():
        raise BuildError(unavailable())
    return _run([tool("mlir-opt"), *passes], text)


def translate(lowered: str) -> str:
    """LLVM IR of a module in the dialect llvm."""
    return _run([tool("mlir-translate"), "--mlir-to-llvmir"], lowered)
