"""The backends by name, imported when first asked for.

A backend is a module with

- ``DESCRIPTION``, and ``unavailable()``: why it cannot run here, or "";
- ``emit(nest, target)``: the Source; pure;
- ``flags(target)`` and ``identity()``: what a build depends on beside the source;
- ``build(source, folder)``: compile into a folder; the names of the files to keep;
- ``load(folder, manifest)``: the entry, called as ``entry(arrays, batch, threads)``, of a GPU ``entry.launch(places, batch, stream)``;
- ``assembly(source, folder, target)``, of machines that are not this one too, and ``code_size(folder)``.

It may have

- ``note(machine)``, what a user should know of its kernels for a machine, and ``compiler()``, the command that builds them;
- ``ONE_SCHEDULE``, true where every schedule computes alike, and ``HOST_ONLY``, true where its code is always this machine's;
- ``MACHINE_KINDS``, those of `gngen.target.KINDS` that it compiles for, that of a target without a machine first; ("cpu",) unless given;
- ``SIMULATED``, true where numba's CUDA simulator runs its kernels;
- ``object_code(source, target)``, the bytes of an object file, and ``emit_phases(nest, target, symbol)``, a source of the nest's phases
  without an entry: a backend that has both makes bundles.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

BACKENDS = {
    "c": "gngen.backends.c",
    "llvm": "gngen.backends.llvm",
    "numba-cpu": "gngen.backends.numba_cpu",
    "mlir": "gngen.backends.mlir",
    "cuda": "gngen.backends.cuda",
    "numba-cuda": "gngen.backends.numba_cuda",
    "reference": "gngen.backends.reference",
}
FALLBACK = ("c", "llvm", "numba-cpu", "reference")
GPU_FALLBACK = ("cuda", "numba-cuda")


def load_backend(name: str) -> ModuleType:
    """The module of a backend."""
    return import_module(BACKENDS[name])


def machine_kinds(name: str) -> tuple[str, ...]:
    """The kinds of machines that a backend compiles for, that of a target without a machine first."""
    found: tuple[str, ...] = getattr(load_backend(name), "MACHINE_KINDS", ("cpu",))
    return found
