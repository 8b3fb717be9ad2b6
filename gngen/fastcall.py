"""A kernel's call without Python in between: a C function that checks numpy arrays in place and runs the kernel.

The function is made once for each kernel from one small library, compiled when first needed. It serves the plain case (numpy arrays of
the compiled type, shape and order, with an ``out``); everything else goes on to the Python launcher. Where it cannot be had, no
compiler or another Python, the launcher serves all.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import platform
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gngen import resources, threads
from gngen.errors import GngenError

if TYPE_CHECKING:
    from gngen.launcher import Launcher

_MAX_RANK, _MAX_SCRATCH = 16, 4
# Inputs of at least so many bytes are worth the 50 ns of letting other Python threads run.
_RELEASE_BYTES = 1 << 15
_METH_FASTCALL, _METH_KEYWORDS = 0x80, 0x02
_NAME = b"gngen.plan"


class _Plan(ctypes.Structure):
    _fields_ = (
        ("array_type", ctypes.c_void_p),
        ("descr", ctypes.c_void_p),
        ("param_descr", ctypes.c_void_p),
        ("none", ctypes.c_void_p),
        ("launcher", ctypes.c_void_p),
        ("kernel", ctypes.c_void_p),
        ("threads", ctypes.c_void_p),
        ("set_threads", ctypes.c_void_p),
        ("most_threads", ctypes.c_int64),
        ("rank", ctypes.c_int64),
        ("param_itemsize", ctypes.c_int64),
        ("sample_bytes", ctypes.c_int64),
        ("shape", ctypes.c_int64 * _MAX_RANK),
        ("strides", ctypes.c_int64 * _MAX_RANK),
        ("features", ctypes.c_int64),
        ("feature_rank", ctypes.c_int64),
        ("feature_shape", ctypes.c_int64 * _MAX_RANK),
        ("scale", ctypes.c_int64),
        ("center", ctypes.c_int64),
        ("scratches", ctypes.c_int64),
        ("scratch", ctypes.c_int64 * _MAX_SCRATCH),
        ("release_from", ctypes.c_int64),
        ("tuple_type", ctypes.c_void_p),
        ("bool_descr", ctypes.c_void_p),
        ("residual", ctypes.c_int64),
        ("modulation", ctypes.c_int64),
        ("masked", ctypes.c_int64),
        ("summed", ctypes.c_int64),
        ("positions", ctypes.c_int64),
        ("mask_rank", ctypes.c_int64),
        ("mask_shape", ctypes.c_int64 * _MAX_RANK),
        ("in_doubles", ctypes.c_int64),
        ("stat_descr", ctypes.c_void_p),
        ("stat_itemsize", ctypes.c_int64),
        ("groups", ctypes.c_int64),
        ("takes_beta", ctypes.c_int64),
    )


class _MethodDef(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p))


def fast_call(launcher: Launcher) -> Callable[..., Any] | None:
    """A callable that runs the launcher's kernel, or None where there is no fast way.

    It takes (x, gamma, beta, out), and of a kernel with fused forms (residual, modulation, mask, sum_out) after them; of a backward
    kernel (dy, x, mean, rstd, gamma, beta, out, dgamma, dbeta).
    """
    library, p = _library_for(launcher), launcher.problem
    plain = p.direction == "backward" or p.outputs in (("y",), ("y", "sum"))
    if library is None or not plain or 0 in launcher.layout.shape:
        return None
    forward = library.gngen_call_fused if p.fused else library.gngen_call
    return _bind(library.gngen_call_backward if p.direction == "backward" else forward, launcher)


def address_call(launcher: Launcher) -> Callable[..., int] | None:
    """The launcher's kernel as ``call(*addresses, batch, most_threads)``, or None where there is no fast way.

    The addresses are ints: of its inputs and outputs in the order of the loop nest. Nothing is checked: the arrays must lie as the kernel
    reads them, and live until it returns, which is 0 when it ran. The numbers are positive.
    """
    library = _library_for(launcher)
    return None if library is None else _bind(library.gngen_call_addresses, launcher)


def _library_for(launcher: Launcher) -> ctypes.CDLL | None:
    """The library, where a kernel's arrays fit its plan."""
    ranks = (len(launcher.layout.shape), len(launcher.layout.features))
    if getattr(launcher.entry, "address", None) is None or max(ranks) > _MAX_RANK or len(launcher.workspace) > _MAX_SCRATCH:
        return None
    return _library()


def _plan(launcher: Launcher) -> _Plan:
    p, layout = launcher.problem, launcher.layout
    plan = _Plan(
        array_type=id(np.ndarray),
        descr=id(launcher.dtype),
        param_descr=id(launcher.param_dtype),
        none=id(None),
        launcher=id(launcher),
        kernel=launcher.entry.address,
        threads=threads.address(),
        set_threads=getattr(launcher.entry, "set_threads", None),
        most_threads=getattr(launcher.entry, "most_threads", 0),
        rank=len(layout.shape),
        param_itemsize=launcher.param_dtype.itemsize,
        sample_bytes=p.sample_bytes,
        features=p.channels,
        feature_rank=len(layout.features),
        scale=p.scale,
        center=p.center,
        scratches=len(launcher.workspace),
        release_from=_RELEASE_BYTES,
        tuple_type=id(tuple),
        bool_descr=id(launcher.bool_dtype),
        residual=p.residual,
        modulation=p.modulation,
        masked=p.masked,
        summed="sum" in p.outputs,
        positions=p.outer * p.inner,
        mask_rank=len(launcher.positions) if launcher.positions == tuple(sorted(launcher.positions)) else -1,
        in_doubles=p.kind == "f64",
        stat_descr=id(launcher.stat_dtype),
        stat_itemsize=launcher.stat_dtype.itemsize,
        groups=p.groups,
        takes_beta=p.center and p.activation is not None,
    )
    plan.mask_shape[: len(launcher.positions)] = [layout.shape[a] for a in launcher.positions]
    plan.shape[: len(layout.shape)] = [-1 if n is None else n for n in layout.shape]
    plan.strides[: len(layout.shape)] = [-1 if s is None else s for s in launcher.strides]
    plan.feature_shape[: len(layout.features)] = layout.features
    plan.scratch[: len(launcher.workspace)] = launcher.workspace
    return plan


def _bind(entry: Any, launcher: Launcher) -> Callable[..., Any]:
    """One of the library's functions as a builtin, over the launcher's plan.

    The plan, its capsule and the launcher live as long as the process: kernels are few and kept.
    """
    api = ctypes.pythonapi
    api.PyCapsule_New.restype, api.PyCapsule_New.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    api.PyCFunction_NewEx.restype = ctypes.py_object
    api.PyCFunction_NewEx.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    plan = _plan(launcher)
    function = ctypes.cast(entry, ctypes.c_void_p).value
    method = _MethodDef(b"kernel", function, _METH_FASTCALL | _METH_KEYWORDS, None)
    _kept.append((plan, method, launcher))
    capsule = api.PyCapsule_New(ctypes.addressof(plan), _NAME, None)
    call: Callable[..., Any] = api.PyCFunction_NewEx(ctypes.addressof(method), capsule, None)
    return call


_kept: list[Any] = []


@cache
def _library() -> ctypes.CDLL | None:
    """The library, built for this Python and compiler if it has not been; None where it cannot be."""
    from gngen.backends import c
    from gngen.cache import default_cache

    usual = (
        platform.python_implementation() == "CPython" and not sysconfig.get_config_var("Py_GIL_DISABLED") and not hasattr(sys, "getobjects")
    )
    if not usual or c.unavailable():
        return None
    template, store = resources.read("templates", "c/fastcall.c.j2"), default_cache()
    try:
        key = json.dumps([template, c.identity(), platform.machine(), resources.fingerprint()])
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        found = store.find(digest)
        folder = found[0] if found else store.build(digest, _build)[0]
        return ctypes.CDLL(str(folder / "fastcall.so"))
    except (GngenError, OSError):
        return None


def _build(folder: Path) -> dict[str, Any]:
    from gngen.backends import c
    from gngen.render import render

    text = folder / "fastcall.c"
    text.write_text(render("c/fastcall.c.j2"), encoding="utf-8")
    c.compile_library(text, folder / "fastcall.so", ("-std=c11", "-O2", "-fPIC"))
    return {"backend": "c", "summary": "the call from Python into kernels", "files": {"fastcall.c": "", "fastcall.so": ""}}
