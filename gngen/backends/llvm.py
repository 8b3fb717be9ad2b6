"""Backend `llvm`: LLVM IR with explicit vectors, compiled by llvmlite's LLVM: no compiler is needed, and every processor can be had."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gngen import llvmtools
from gngen.amdcode import read_kernels
from gngen.backends.entry import Entry
from gngen.cudatools import Report, assemble
from gngen.errors import BuildError
from gngen.grids import grids_in
from gngen.source import Source
from gngen.target import Gpu, Machine, Target

if TYPE_CHECKING:
    from gngen.gpumodule import PtxEntry
    from gngen.loopnest import LoopNest

DESCRIPTION = "LLVM IR, compiled by llvmlite"
MACHINE_KINDS = ("cpu", "gpu", "amdgpu")
_TEXT, OBJECT, _PTX = "kernel.ll", "kernel.o", "kernel.ptx"


def emit(nest: LoopNest, target: Target) -> Source:
    """The LLVM IR of a nest: one module, one exported function that takes what a kernel of backend c takes; of a GPU, its kernels."""
    if isinstance(target.machine, Gpu):
        from gngen.backends.llvm_gpu_source import print_gpu

        module, grids = print_gpu(nest, target.machine)
        return Source("llvm", nest.name, "".join(f"; {grid}\n" for grid in grids) + _text(module), flags(target))
    from gngen.backends.llvm_source import print_kernel

    return Source("llvm", nest.name, _text(print_kernel(nest, target.cpu)), flags(target))


def emit_phases(nest: LoopNest, target: Target, symbol: str) -> Source:
    """The LLVM IR of a nest's phases: ``symbol_phase0``, ``symbol_phase1``, ..., of `gngen.phases`."""
    from gngen.backends.llvm_source import print_phases

    return Source("llvm", symbol, _text(print_phases(nest, target.cpu, symbol)), flags(target))


def driver_ir(nest: LoopNest, target: Target) -> str:
    """The LLVM IR of a nest's kernel whose phases another module exports."""
    from gngen.backends.llvm_source import print_driver

    return _text(print_driver(nest, target.cpu))


def _text(module: object) -> str:
    """A module as text, without blanks at the ends of lines."""
    return "\n".join(line.rstrip().expandtabs(2) for line in str(module).strip().splitlines()) + "\n"


def flags(target: Target) -> tuple[str, ...]:
    """What LLVM is told of the target's machine."""
    return llvmtools.flags(target.machine)


def unavailable() -> str:
    """Why no kernel can be built here, or ""."""
    return "" if find_spec("llvmlite") else "llvmlite is not installed"


def identity() -> str:
    """LLVM's version, as a build depends on it."""
    return llvmtools.version()


def note(machine: Machine | Gpu) -> str:
    """What a user should know of kernels built here, or ""."""
    return "" if isinstance(machine, Gpu) or llvmtools.openmp() else "one thread: there is no OpenMP library (libgomp.so.1)"


def object_code(source: Source, target: Target) -> bytes:
    """The object file of a source. BuildError with LLVM's words."""
    return llvmtools.compile_object([source.text], source.flags)


def build(source: Source, folder: Path) -> list[str]:
    """Compile a source into `folder`; the names of the files that `load` needs. BuildError with LLVM's words."""
    lacking = unavailable()
    if lacking:
        raise BuildError(lacking)
    text, machine_code, ptx = folder / _TEXT, folder / OBJECT, folder / _PTX
    text.write_text(source.text, encoding="utf-8")
    if grids_in(source.text):
        ptx.write_text(llvmtools.compile_assembly([source.text], source.flags), encoding="utf-8")
        return [text.name, ptx.name]
    machine_code.write_bytes(llvmtools.compile_object([source.text], source.flags))
    return [text.name, machine_code.name]


def assembly(source: Source, folder: Path, target: Target) -> str:
    """The assembly of a source, as LLVM writes it."""
    return llvmtools.compile_assembly([source.text], source.flags)


def reports(source: Source, folder: Path) -> dict[str, Report]:
    """What every kernel of a source for a GPU takes, in the order of their launches: of NVIDIA's as ptxas says, of AMD's as LLVM does.

    Raises:
        BuildError: LLVM refused; or there is no ptxas, or it did.
    """
    text, arch = llvmtools.compile_assembly([source.text], source.flags), llvmtools.processor(source.flags)
    found = read_kernels(text) if arch.startswith("gfx") else assemble(text, arch)
    return {grid.kernel: found[grid.kernel] for grid in grids_in(source.text)}


def load(folder: Path, manifest: Mapping[str, Any]) -> Entry | PtxEntry:
    """The kernel built in `folder`."""
    if (folder / _PTX).exists():
        from gngen.gpumodule import load_ptx

        return load_ptx((folder / _PTX).read_text(encoding="utf-8"), grids_in((folder / _TEXT).read_text(encoding="utf-8")))
    address, owner = llvmtools.load_object((folder / OBJECT).read_bytes(), manifest["entry"])
    return Entry(address, manifest["arrays"], owner)


def code_size(folder: Path) -> int | None:
    """Bytes of machine code; of a GPU's, which its driver makes, None."""
    if (folder / _PTX).exists():
        return None
    return llvmtools.text_bytes((folder / OBJECT).read_bytes())
