"""Backend `mlir`: the loop nest as MLIR (func, scf, memref, vector, arith, math), lowered by mlir-opt, compiled and run by LLVM."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gngen import llvmtools
from gngen.backends.llvm import OBJECT, code_size, driver_ir, load, note
from gngen.errors import BuildError
from gngen.source import Source
from gngen.target import Target
from gngen.tools import run_tool

if TYPE_CHECKING:
    from gngen.loopnest import LoopNest

# A kernel of this backend is loaded, measured and noted as one of llvm's.
__all__ = ["code_size", "load", "note"]

DESCRIPTION = "MLIR, lowered by mlir-opt, compiled by llvmlite"
_VERSION = 22
_TEXT = "kernel.mlir"
# From the nest's dialects to LLVM's; arrays are bare pointers. What is left of their descriptors is folded last.
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
    """The MLIR text of a nest: one module that exports a function for each phase; with it the LLVM IR of the entry that calls them."""
    from gngen.backends.mlir_source import print_mlir

    return Source("mlir", nest.name, print_mlir(nest, target.cpu, nest.name), flags(target), driver_ir(nest, target))


def emit_phases(nest: LoopNest, target: Target, symbol: str) -> Source:
    """The MLIR text of a nest's phases: ``symbol_phase0``, ``symbol_phase1``, ..., of `gngen.phases`."""
    from gngen.backends.mlir_source import print_mlir

    return Source("mlir", symbol, print_mlir(nest, target.cpu, symbol), flags(target))


def flags(target: Target) -> tuple[str, ...]:
    """What LLVM is told of the target's machine."""
    return llvmtools.flags(target.cpu)


def stage_text(nest: LoopNest, target: Target, stage: str) -> str:
    """A kernel on its way down: the definition on tensors (spec), the loop nest (nest), or that in the dialect llvm, by mlir-opt (llvm)."""
    if stage == "spec":
        from gngen.backends.mlir_spec import print_spec

        return print_spec(nest.problem)
    text = emit(nest, target).text
    return lower(text) if stage == "llvm" else text


# The tools


def tool(name: str) -> str:
    """The path of mlir-opt: $GNGEN_MLIR_OPT, or one on the path, with its version or without; of another, what lies beside it; or ""."""
    asked = os.environ.get("GNGEN_MLIR_OPT")
    if not asked:
        return shutil.which(f"{name}-{_VERSION}") or shutil.which(name) or ""
    path = Path(shutil.which(asked) or asked)
    return shutil.which(str(path.with_name(path.name.replace("mlir-opt", name)))) or ""


def unavailable() -> str:
    """Why no kernel can be built here, or ""."""
    if not find_spec("llvmlite"):
        return "llvmlite is not installed"
    missing = [name for name in ("mlir-opt", "mlir-translate") if not tool(name)]
    if not missing:
        return ""
    asked = os.environ.get("GNGEN_MLIR_OPT")
    where = f"where $GNGEN_MLIR_OPT is {asked!r}" if asked else "on the path"
    return f"no {' or '.join(missing)} {where}: install mlir-{_VERSION}-tools, or set $GNGEN_MLIR_OPT"


def identity() -> str:
    """The versions of mlir-opt and LLVM, as a build depends on them; mlir-opt is asked once."""
    from gngen.cache import default_cache

    binary = Path(tool("mlir-opt")).resolve()
    facts = binary.stat()
    key = json.dumps([str(binary), facts.st_size, facts.st_mtime_ns])
    found = default_cache().remember("compilers", key, lambda: " ".join(run_tool([str(binary), "--version"]).split()))
    return f"{found}; {llvmtools.version()}"


# Building


def lower(text: str, passes: Sequence[str] = PASSES) -> str:
    """A module in the dialect llvm, after passes of mlir-opt. BuildError with its words."""
    if unavailable():
        raise BuildError(unavailable())
    lowered = run_tool([tool("mlir-opt"), *passes], text)
    # under the name that loops carry it by, the translation would not see how often they are unrolled
    return lowered.replace("{llvm.loop_annotation = ", "{loop_annotation = ")


def translate(lowered: str) -> str:
    """The LLVM IR of a module in the dialect llvm."""
    return run_tool([tool("mlir-translate"), "--mlir-to-llvmir"], lowered)


def _texts(source: Source) -> list[str]:
    """The LLVM IR of a source: the phases, and the entry that calls them, where there is one."""
    return [translate(lower(source.text)), *([source.driver] if source.driver else [])]


def object_code(source: Source, target: Target) -> bytes:
    """The object file of a source. BuildError with the words of mlir-opt or LLVM."""
    return llvmtools.compile_object(_texts(source), source.flags)


def build(source: Source, folder: Path) -> list[str]:
    """Compile a source into `folder`; the names of the files that `load` needs. BuildError with the words of mlir-opt or LLVM."""
    text, machine_code = folder / _TEXT, folder / OBJECT
    text.write_text(source.text, encoding="utf-8")
    machine_code.write_bytes(llvmtools.compile_object(_texts(source), source.flags))
    return [text.name, machine_code.name]


def assembly(source: Source, folder: Path, target: Target) -> str:
    """The assembly of a source, as LLVM writes it."""
    return llvmtools.compile_assembly(_texts(source), source.flags)
