"""Backend `cuda`: CUDA C with an exported launcher, compiled by nvcc."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from gngen.source import Source
from gngen.target import Target

if TYPE_CHECKING:
    from gngen.loopnest import LoopNest

DESCRIPTION = "CUDA C"
MACHINE_KIND = "gpu"
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
    """Why no kernel can be built here, or ""."""
    return "" if shutil.which("nvcc") else "no CUDA compiler: install nvcc"
