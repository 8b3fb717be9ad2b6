"""Backend `mlir`: the loop nest as MLIR (func, scf, memref, vector, arith, math), lowered by mlir-opt, compiled and run by LLVM."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gngen import llvmtools
from gngen.backends.entry import Entry
from gngen.errors import BuildError
from gngen.source import Source
from gngen.target import Target

if TYPE_CHECKING:
    from gngen.loopnest import LoopNest

DESCRIPTION = "MLIR, lowered by mlir-opt, compiled by llvmlite"
_VERSION = 22
_TIMEOUT = 120.0
_TEXT, _OBJECT = "kernel.mlir", "kernel.o"
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
    from gngen.backends.llvm import driver_ir
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
    found = default_cache().remember("compilers", key, lambda: " ".join(_run([str(binary), "--version"], "").split()))
    return f"{found}; {llvmtools.version()}"


def note() -> str:
    """What a user should know of kernels built here, or ""."""
    from gngen.backends.llvm import note

    return note()


def _run(command: Sequence[str], text: str) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=_TIMEOUT)
    except (OSError, subprocess.SubprocessError) as e:
        raise BuildError(f"{command[0]} could not be run: {e}") from e
    if done.returncode:
        shown = "\n".join(done.stderr.strip().splitlines()[:12])
        raise BuildError(f"{' '.join(command)} failed with status {done.returncode}:\n{shown}")
    return done.stdout


# Building


def lower(text: str, passes: Sequence[str] = PASSES) -> str:
    """A module in the dialect llvm, after passes of mlir-opt. BuildError with its words."""
    if unavailable():
        raise BuildError(unavailable())
    lowered = _run([tool("mlir-opt"), *passes], text)
    # under the name that loops carry it by, the translation would not see how often they are unrolled
    return lowered.replace("{llvm.loop_annotation = ", "{loop_annotation = ")


def translate(lowered: str) -> str:
    """The LLVM IR of a module in the dialect llvm."""
    return _run([tool("mlir-translate"), "--mlir-to-llvmir"], lowered)


def _texts(source: Source) -> list[str]:
    """The LLVM IR of a source: the phases, and the entry that calls them, where there is one."""
    return [translate(lower(source.text)), *([source.driver] if source.driver else [])]


def object_code(source: Source) -> bytes:
    """The object file of a source. BuildError with the words of mlir-opt or LLVM."""
    return llvmtools.compile_object(_texts(source), source.flags)


def build(source: Source, folder: Path) -> list[str]:
    """Compile a source into `folder`; the names of the files that `load` needs. BuildError with the words of mlir-opt or LLVM."""
    text, machine_code = folder / _TEXT, folder / _OBJECT
    text.write_text(source.text, encoding="utf-8")
    machine_code.write_bytes(object_code(source))
    return [text.name, machine_code.name]


def assembly(source: Source, folder: Path) -> str:
    """The assembly of a source, as LLVM writes it."""
    return llvmtools.compile_assembly(_texts(source), source.flags)


def load(folder: Path, manifest: Mapping[str, Any]) -> Entry:
    """The kernel built in `folder`."""
    address, owner = llvmtools.load_object((folder / _OBJECT).read_bytes(), manifest["entry"])
    return Entry(address, manifest["arrays"], owner)


def code_size(folder: Path) -> int | None:
    """Bytes of machine code."""
    return llvmtools.text_bytes((folder / _OBJECT).read_bytes())
