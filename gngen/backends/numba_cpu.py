"""Backend `numba-cpu`: a Python module of numba kernels with explicit vectors, readable and importable by itself."""

from __future__ import annotations

import os
import platform
import re
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gngen.arrays import Array
from gngen.backends.pyfile import load_module
from gngen.errors import BuildError
from gngen.source import Source
from gngen.target import Target

if TYPE_CHECKING:
    from gngen.loopnest import LoopNest

DESCRIPTION = "numba, parallel on the CPU"
HOST_ONLY = True
_TEXT = "kernel.py"
# Settings that change no machine code.
_NO_CODE = ("NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR", "NUMBA_THREADING_LAYER", "NUMBA_THREADING_LAYER_PRIORITY")
# Compiling is not thread-safe enough in numba to be left to chance, and its fallback thread pool does not take two callers.
_lock = threading.Lock()


def emit(nest: LoopNest, target: Target) -> Source:
    """The Python text of a nest: one module, one kernel that takes addresses, and a function that takes arrays."""
    from gngen.backends.numba_source import print_python

    return Source("python", nest.name, print_python(nest, target.cpu))


def flags(target: Target) -> tuple[str, ...]:
    """Numba compiles for the host, whatever vectors the nest has."""
    return ()


@cache
def unavailable() -> str:
    """Why no kernel can be built here, or ""."""
    return "" if find_spec("numba") else "numba is not installed"


@cache
def identity() -> str:
    """numba, llvmlite, the processor and numba's settings: what the machine code depends on."""
    settings = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_") and name not in _NO_CODE]
    return ", ".join((f"numba {_version('numba')}, llvmlite {_version('llvmlite')}, {_processor()}", *settings))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    lines = re.findall(r"^(?:model name|flags|Features|CPU part)\s*:\s*(.*)$", text.split("\n\n")[0], re.MULTILINE)
    return "; ".join(lines)


def build(source: Source, folder: Path) -> list[str]:
    """Write the module, compile it, and let numba keep the machine code beside it."""
    lacking = unavailable()
    if lacking:
        raise BuildError(lacking)
    path = folder / _TEXT
    path.write_text(source.text, encoding="utf-8")
    _compiled(path, source.entry)
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())


def _compiled(path: Path, entry: str) -> ModuleType:
    """The module with its kernel compiled (or found in numba's own cache, beside the file)."""
    from numba.core import config
    from numba.core.errors import NumbaError

    with _lock:
        # where $NUMBA_CACHE_DIR points to, nothing is verified: the machine code stays beside the file
        elsewhere, config.CACHE_DIR = config.CACHE_DIR, ""
        try:
            module = load_module(path)
        finally:
            config.CACHE_DIR = elsewhere
        try:
            getattr(module, entry).compile(module.SIGNATURE)
        except NumbaError as e:
            raise BuildError(f"numba refused {entry}: {str(e)[:500]}") from e
    return module


class Entry:
    """A compiled kernel: takes its arrays in the order of the nest, then the batch and the number of threads."""

    def __init__(self, module: ModuleType, entry: str, threaded: bool) -> None:
        import numba

        self._kernel = getattr(module, entry)
        self._threaded, self._numba = threaded, numba
        self.most_threads = numba.config.NUMBA_NUM_THREADS if threaded else 0
        self.set_threads = _thread_setter() if threaded else None
        # where two callers must wait for each other, calls go through Python, which holds the lock
        self.address = self._address() if not threaded or _layer_takes_two() else None

    def _address(self) -> int | None:
        """Where the machine code lies; it is called by numba's own convention."""
        (compiled,) = self._kernel.overloads.values()
        address: int = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
        return address or None

    def __call__(self, arrays: Sequence[Array], batch: int, threads: int) -> None:
        addresses = [a.ctypes.data for a in arrays]
        if not self._threaded:
            self._kernel(*addresses, batch)
            return
        self._numba.set_num_threads(min(threads, self._numba.config.NUMBA_NUM_THREADS))
        if _layer_takes_two():
            self._kernel(*addresses, batch)
        else:
            with _lock:
                self._kernel(*addresses, batch)


@cache
def _thread_setter() -> int:
    """The C function that sets the calling thread's number of threads, in a thread pool that is up."""
    import numba

    numba.set_num_threads(numba.get_num_threads())
    layer = import_module("numba.np.ufunc.omppool" if _layer_takes_two() else "numba.np.ufunc.workqueue")
    address: int = layer.set_num_threads
    return address


@cache
def _layer_takes_two() -> bool:
    """Whether numba's threading layer may be entered by two threads at once: omp and tbb may, workqueue aborts."""
    from numba import config

    try:
        import_module("numba.np.ufunc.omppool")
    except ImportError:
        return False
    return config.THREADING_LAYER in ("default", "omp", "threadsafe", "forksafe", "safe")


def load(folder: Path, manifest: Mapping[str, Any]) -> Entry:
    """The kernel built in `folder`."""
    return Entry(_compiled(folder / _TEXT, manifest["entry"]), manifest["entry"], bool(manifest["threaded"]))


def assembly(source: Source, folder: Path, target: Target) -> str:
    """The assembly that numba's LLVM made."""
    path = folder / _TEXT
    path.write_text(source.text, encoding="utf-8")
    kernel = getattr(_compiled(path, source.entry), source.entry)
    return "\n".join(kernel.inspect_asm().values())


def code_size(folder: Path) -> int | None:
    """Bytes of what numba stored for the kernel; not machine code alone."""
    return None
