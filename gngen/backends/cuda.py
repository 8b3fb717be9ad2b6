"""Backend `cuda`: CUDA C with an exported launcher, compiled by nvcc."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gngen.cudatools import Report, lacks, read_reports, run_tool, version_of
from gngen.device import lacks_device
from gngen.errors import BuildError, LaunchError
from gngen.source import Source
from gngen.target import Target

if TYPE_CHECKING:
    from gngen.loopnest import LoopNest

DESCRIPTION = "CUDA C"
MACHINE_KINDS = ("gpu",)
_TEXT, _LIBRARY = "kernel.cu", "kernel.so"
# Contraction would let the compiler choose what is rounded; the nest says where a multiply and an add are fused.
_FLAGS = ("-std=c++17", "-O3", "-fmad=false")


def emit(nest: LoopNest, target: Target) -> Source:
    """The CUDA C text of a nest: one file, one exported function."""
    from gngen.backends.cuda_source import print_cuda

    return Source("cuda", nest.name, print_cuda(nest, target.gpu), flags(target))


def flags(target: Target) -> tuple[str, ...]:
    """What nvcc is given, for the target's machine."""
    return (*_FLAGS, f"-arch={target.gpu.arch}")


def unavailable() -> str:
    """Why no kernel can be built and run here, or ""."""
    return lacks_device() or lacks("nvcc")


def identity() -> str:
    """The compiler that the machine code depends on."""
    return f"nvcc {version_of('nvcc')}"


def build(source: Source, folder: Path) -> list[str]:
    """Compile a source into `folder`, with the runtime library in it; BuildError with the compiler's words."""
    text, library = _written(source, folder), folder / _LIBRARY
    run_tool("nvcc", *source.flags, "-Xcompiler", "-fPIC", "-shared", "-o", str(library), str(text))
    return [text.name, library.name]


def _written(source: Source, folder: Path) -> Path:
    text = folder / _TEXT
    text.write_text(source.text, encoding="utf-8")
    return text


class Entry:
    """A loaded kernel: takes the addresses of its arrays on the device in the order of the nest, then the batch."""

    def __init__(self, library: Path, entry: str, arrays: int) -> None:
        self._library = ctypes.CDLL(str(library))
        self._function = self._library[entry]
        self._function.restype = ctypes.c_int
        self._function.argtypes = [ctypes.c_void_p] * arrays + [ctypes.c_int64, ctypes.c_void_p]
        self._name = entry

    def launch(self, addresses: Sequence[int], batch: int, stream: int) -> None:
        """Launch on a stream of the driver's, and do not wait."""
        error = self._function(*addresses, batch, stream)
        if error:
            raise LaunchError(f"{self._name} was not launched: CUDA error {error}")


def load(folder: Path, manifest: Mapping[str, Any]) -> Entry:
    """The kernel built in `folder`."""
    try:
        return Entry(folder / _LIBRARY, manifest["entry"], manifest["arrays"])
    except (OSError, AttributeError) as e:
        raise BuildError(f"the kernel {manifest['entry']} cannot be loaded: {e}") from e


def assembly(source: Source, folder: Path, target: Target) -> str:
    """The PTX of a source; takes no GPU. BuildError with the compiler's words."""
    text, ptx = _written(source, folder), folder / "kernel.ptx"
    run_tool("nvcc", *source.flags, "-ptx", "-o", str(ptx), str(text))
    return ptx.read_text(encoding="utf-8")


def reports(source: Source, folder: Path) -> dict[str, Report]:
    """What ptxas says of every kernel of a source, in the order of their launches; takes no GPU. BuildError with the compiler's words."""
    text = _written(source, folder)
    found = read_reports(run_tool("nvcc", *source.flags, "-cubin", "-Xptxas", "-v", "-o", str(folder / "kernel.cubin"), str(text)))
    return dict(sorted(found.items(), key=lambda item: source.text.index(_plain(item[0], source))))


def _plain(name: str, source: Source) -> str:
    """How the source writes a kernel that the compiler calls `name`: its length, and its own name, are in that."""
    start = name.index(source.entry)
    length = int("".join(c for c in name[:start] if c.isdigit()))
    return f" {name[start : start + length]}("


def code_size(folder: Path) -> int | None:
    """Not told apart from the runtime library."""
    return None
