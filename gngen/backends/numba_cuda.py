"""Backend `numba-cuda`: a Python module of kernels that numba-cuda compiles when they are first launched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gngen.backends.pyfile import load_module
from gngen.cudatools import Report, assemble
from gngen.device import lacks_device, simulated
from gngen.errors import BuildError
from gngen.source import Source
from gngen.target import Gpu, Machine, Target

if TYPE_CHECKING:
    from gngen.loopnest import LoopNest

DESCRIPTION = "numba on an NVIDIA GPU"
MACHINE_KINDS = ("gpu",)
SIMULATED = True
_TEXT = "kernel.py"
_PACKAGES = ("numba-cuda", "nvidia-nvvm", "nvidia-cuda-nvrtc", "llvmlite")


def emit(nest: LoopNest, target: Target) -> Source:
    """The Python text of a nest: one module, a kernel for each launch, and a function that launches them on arrays."""
    from gngen.backends.numba_cuda_source import print_module

    return Source("python", nest.name, print_module(nest, target.gpu), flags(target))


def flags(target: Target) -> tuple[str, ...]:
    """The architecture that `assembly` is for; a launch compiles for the device."""
    return (f"-arch={target.gpu.arch}",)


@cache
def lacks_numba() -> str:
    """Why nothing can be compiled here, not even without a GPU, or ""."""
    return "" if find_spec("numba_cuda") else "numba-cuda is not installed: install gngen[cuda]"


def unavailable() -> str:
    """Why no kernel can run here, or ""."""
    return lacks_numba() or ("" if simulated() else lacks_device())


@cache
def identity() -> str:
    """The packages that the machine code depends on."""
    return ", ".join(f"{package} {_version(package)}" for package in _PACKAGES)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def note(machine: Machine | Gpu) -> str:
    """What a user should know of kernels here, or ""."""
    return "numba's CUDA simulator: every thread of the GPU in Python" if simulated() else ""


def build(source: Source, folder: Path) -> list[str]:
    """Write the module; the device's machine code is made at its first launch."""
    (folder / _TEXT).write_text(source.text, encoding="utf-8")
    return [_TEXT]


class Entry:
    """A kernel: takes the addresses of its arrays on the device in the order of the nest (in the simulator, the arrays), then the batch."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def launch(self, places: Sequence[Any], batch: int, stream: int) -> None:
        """Launch on a stream of the driver's, and do not wait."""
        self._run(*places, batch, _numba_stream(stream))


def _numba_stream(number: int) -> Any:
    """numba's stream of the driver's number; 0 and 1 are the default that waits for all others, 2 that of this thread."""
    from numba import cuda

    named = {0: cuda.legacy_default_stream, 1: cuda.legacy_default_stream, 2: cuda.per_thread_default_stream}
    return named[number]() if number in named else cuda.external_stream(number)


def load(folder: Path, manifest: Mapping[str, Any]) -> Entry:
    """The kernel in `folder`."""
    return Entry(load_module(folder / _TEXT).run)


def assembly(source: Source, folder: Path, target: Target) -> str:
    """The PTX of every kernel of a source; takes no GPU.

    Raises:
        BuildError: numba-cuda is not here, or refused the text.
    """
    return "\n".join(ptx_of(source, folder).values())


def ptx_of(source: Source, folder: Path) -> dict[str, str]:
    """The PTX of every kernel of a source by the kernel's name, for the architecture of its flags."""
    if lacks_numba() or simulated():
        raise BuildError(lacks_numba() or "numba's CUDA simulator has no PTX")
    from numba.core.errors import NumbaError

    path = folder / _TEXT
    path.write_text(source.text, encoding="utf-8")
    numbers = re.fullmatch(r"-arch=sm_(\d+)(\d)[af]?", source.flags[0])
    assert numbers is not None
    capability = int(numbers[1]), int(numbers[2])
    try:
        return {kernel.python.__name__: kernel.ptx(capability) for kernel in load_module(path).KERNELS}
    except NumbaError as e:
        raise BuildError(f"numba-cuda refused {source.entry}: {str(e)[:500]}") from e


def reports(source: Source, folder: Path) -> dict[str, Report]:
    """What ptxas says of every kernel of a source, in the order of their launches; takes no GPU. BuildError as of `ptx_of`."""
    arch = source.flags[0].removeprefix("-arch=")
    return {name: next(iter(assemble(ptx, arch).values())) for name, ptx in ptx_of(source, folder).items()}


def code_size(folder: Path) -> int | None:
    """Not known before the first launch."""
    return None
