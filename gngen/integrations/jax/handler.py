"""The C handler by which XLA calls kernels: built once for a compiler and a jaxlib, and told of each kernel that is used.

A kernel is named to it by its digest, so that a program which outlives this process never calls an address that means nothing.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import platform
import threading
from functools import cache, partial
from pathlib import Path
from typing import Any

from gngen import resources, threads
from gngen.errors import BuildError
from gngen.integrations import require
from gngen.kernel import Kernel

jax = require("jax", "jax")

TARGET = "gngen_kernel"
_MOST_BUFFERS, _MOST_SCRATCH = 10, 6
# XLA's numbers of the types that kernels take.
_TYPES = {"f16": 10, "f32": 11, "f64": 12, "bf16": 16}
_added: dict[str, Kernel] = {}
_guard = threading.Lock()


class _Entry(ctypes.Structure):
    """A kernel as the handler keeps it; the fields are those of the template."""

    _fields_ = (
        ("digest", ctypes.c_char * 32),
        ("function", ctypes.c_void_p),
        ("threads", ctypes.c_void_p),
        ("inputs", ctypes.c_int64),
        ("outputs", ctypes.c_int64),
        ("scratches", ctypes.c_int64),
        ("types", ctypes.c_int64 * _MOST_BUFFERS),
        ("elements", ctypes.c_int64 * _MOST_BUFFERS),
        ("has_batch", ctypes.c_int64 * _MOST_BUFFERS),
        ("scratch", ctypes.c_int64 * _MOST_SCRATCH),
        ("next", ctypes.c_void_p),
    )


def add(kernel: Kernel) -> str:
    """Make a kernel of the backend `c` known to XLA; the digest that names it.

    Raises:
        BuildError: the handler could not be built.
    """
    with _guard:
        if kernel.digest not in _added:
            if not register().gngen_xla_add(ctypes.byref(_entry(kernel))):
                raise MemoryError("no memory for an entry of XLA's table of kernels")
            _added[kernel.digest] = kernel  # its code stays loaded for as long as it may be called
    return kernel.digest


def _entry(kernel: Kernel) -> _Entry:
    inputs, outputs = buffers(kernel)
    workspace = kernel.launcher.workspace
    entry = _Entry(
        digest=kernel.digest.encode(),
        function=kernel.launcher.entry.address,
        threads=threads.address(),
        inputs=len(inputs),
        outputs=len(outputs),
        scratches=len(workspace),
    )
    for i, (kind, elements, batched) in enumerate((*inputs, *outputs)):
        entry.types[i], entry.elements[i], entry.has_batch[i] = _TYPES[kind], elements, batched
    entry.scratch[: len(workspace)] = workspace
    return entry


Buffers = list[tuple[str, int, bool]]


def buffers(kernel: Kernel) -> tuple[Buffers, Buffers]:
    """The inputs and the outputs that a kernel takes: the kind, how many elements, and whether so many for each sample."""
    p = kernel.problem
    data, statistic, parameter = (p.data, p.sample, True), (p.kind, p.groups, True), (p.parameters, p.channels, False)
    if p.direction == "backward":
        taken = [p.scale, p.center and p.activation is not None]
        return [data, data, statistic, statistic, *([parameter] * sum(taken))], [data, *([parameter] * (len(p.outputs) - 1))]
    return [data, *([parameter] * (p.scale + p.center))], [data, *([statistic] * (len(p.outputs) - 1))]


@cache
def register() -> ctypes.CDLL:
    """The handler's library, registered with XLA; built if it has not been. BuildError where it cannot be."""
    from gngen.backends import c
    from gngen.cache import default_cache

    header = Path(jax.ffi.include_dir(), "xla", "ffi", "api", "c_api.h")
    parts = [resources.read("templates", "c/xla_ffi.c.j2"), _read(header), c.identity(), platform.machine(), resources.fingerprint()]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    store = default_cache()
    found = store.find(digest)
    folder = found[0] if found else store.build(digest, partial(_build, jax.ffi.include_dir()))[0]
    try:
        library = ctypes.CDLL(str(folder / "xla_ffi.so"))
    except OSError as e:
        raise BuildError(f"XLA's handler cannot be loaded: {e}") from e
    jax.ffi.register_ffi_target(TARGET, jax.ffi.pycapsule(library.gngen_xla_call), platform="cpu")
    return library


def _read(header: Path) -> str:
    try:
        return header.read_text(encoding="utf-8")
    except OSError as e:
        raise BuildError(f"jaxlib has no header for its foreign function interface: {e}") from e


def _build(include: str, folder: Path) -> dict[str, Any]:
    from gngen.backends import c
    from gngen.render import render

    text = folder / "xla_ffi.c"
    text.write_text(render("c/xla_ffi.c.j2", most_buffers=_MOST_BUFFERS, most_scratch=_MOST_SCRATCH), encoding="utf-8")
    c.compile_library(text, folder / "xla_ffi.so", ("-std=c11", "-O2", "-fPIC", f"-I{include}"))
    return {"backend": "c", "summary": "the call from XLA into kernels", "files": {"xla_ffi.c": "", "xla_ffi.so": ""}}
