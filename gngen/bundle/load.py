"""A bundle from Python: its shared library, called by layer or by shape, without numba, Jinja or a compiler."""

from __future__ import annotations

import ctypes
import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from gngen.arrays import Array, as_numpy
from gngen.bundle.interface import ACTIVATION_NAMES, KINDS, arguments, flag_bits
from gngen.bundle.manifest import read_manifest
from gngen.errors import BuildError, LaunchError, SpecError
from gngen.launcher import Launcher
from gngen.problem import Layout, Problem, array_kinds, memory_order, specialize
from gngen.spec import GroupNormSpec
from gngen.target import host_arch

_OK, _NO_KERNEL = 0, 1
_FIELDS = ("x", "residual", "mask", "gamma", "beta", "scale", "shift", "y", "sum", "mean", "rstd")


class _Problem(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int64) for name in ("outer", "groups", "chans", "inner")),
        ("epsilon", ctypes.c_double),
        *((name, ctypes.c_int32) for name in ("data", "parameters", "activation")),
        ("flags", ctypes.c_uint32),
    )


class _Args(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in _FIELDS),
        ("workspace", ctypes.c_void_p),
        ("workspace_size", ctypes.c_size_t),
        ("batch", ctypes.c_int64),
        ("threads", ctypes.c_int64),
    )


def load(folder: str | os.PathLike[str]) -> LoadedBundle:
    """The bundle in a folder that `gngen build` wrote, by its shared library for this machine.

    Raises:
        BuildError: no bundle, none for this architecture, no shared library, or files that are not those that were written.
    """
    return LoadedBundle(Path(folder))


class LoadedBundle:
    """The kernels of a bundle: by a layer's name, ``bundle["stem"](x, gamma, beta)``, and by shape, ``bundle.group_norm(x)``.

    Attributes: folder; manifest: what is in it, as its manifest.json says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest = folder, read_manifest(folder)
        self.name = str(self.manifest["name"])
        path = self._library()
        try:
            self._functions = ctypes.CDLL(str(path.resolve()))
        except OSError as e:
            raise BuildError(f"{path} cannot be loaded: {e}") from e
        self._message = self._function("message", ctypes.c_char_p, ctypes.c_int)
        self._machine = self._function("machine", ctypes.c_char_p)
        self._machine_name = self._function("machine_name", ctypes.c_char_p, ctypes.c_int)
        self._use_machine = self._function("use_machine", ctypes.c_int, ctypes.c_char_p)
        self._workspace = self._function("workspace", ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int64)
        self._call = self._function("group_norm", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._layers = {layer["name"]: layer for layer in self.manifest["layers"]}
        self._kernels: dict[Any, LoadedKernel] = {}

    def _function(self, word: str, result: Any, *arguments: Any) -> Any:
        """A function of the public interface."""
        found = self._functions[f"{self.name}_{word}"]
        found.restype, found.argtypes = result, arguments
        return found

    def _library(self) -> Path:
        """The shared library for this machine, whole."""
        libraries = {lib["arch"]: lib for lib in self.manifest["libraries"]}
        own = libraries.get(host_arch())
        if own is None:
            raise BuildError(f"the bundle {self.folder} is for {', '.join(libraries)}; this machine is {host_arch()}")
        if not own["shared"]:
            raise BuildError(f"the bundle {self.folder} has no shared library for {host_arch()}: {own['note'] or 'none was made'}")
        path = self.folder / str(own["shared"])
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as e:
            raise BuildError(f"{path} cannot be read: {e.strerror or e}") from None
        if digest != self.manifest["files"][own["shared"]]:
            raise BuildError(f"{path} is not the file that the bundle's manifest describes; build the bundle again")
        return path

    @property
    def machine(self) -> str:
        """The target whose kernels run: the best of the bundle's that this processor has, or the one that was asked for."""
        return str(self._machine().decode())

    @cached_property
    def machines(self) -> tuple[str, ...]:
        """The targets of the library, the best first; not all of them need run here."""
        return tuple(text.decode() for text in iter(map(self._machine_name, count()).__next__, None))

    def use_machine(self, target: str | None) -> None:
        """Take the kernels of one target from now on, or, with None, of the best. LaunchError where it is not there or cannot run here."""
        if self._use_machine(None if target is None else target.encode()) != _OK:
            raise LaunchError(f"{target} cannot run here, or is none of the bundle's machines: {', '.join(self.machines)}")

    def __getitem__(self, layer: str) -> LoadedKernel:
        if layer not in self._layers:
            raise SpecError(f"the bundle {self.folder} has no layer {layer!r}; choose from {', '.join(self._layers)}")
        said = self._layers[layer]
        fields = {**said["spec"], "axis": tuple(said["spec"]["axis"]) if isinstance(said["spec"]["axis"], list) else said["spec"]["axis"]}
        spec = GroupNormSpec(**fields)
        return self._kernel(spec, said["shape"], said["dtype"], said["order"], said["outputs"], said["param_dtype"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def _kernel(self, spec: GroupNormSpec, shape: Sequence[Any], dtype: str, order: Any, outputs: Any, param_dtype: Any) -> LoadedKernel:
        key = (spec, tuple(shape), dtype, None if order is None else tuple(order), tuple(outputs), param_dtype)
        if key not in self._kernels:
            problem, layout = specialize(spec, shape, dtype, order, tuple(outputs), param_dtype)
            self._kernels[key] = LoadedKernel(self, spec, problem, layout)
        return self._kernels[key]

    def group_norm(
        self,
        x: Any,
        gamma: Any = None,
        beta: Any = None,
        *,
        groups: int = 32,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        activation: str | None = None,
        out: Any = None,
        residual: Any = None,
        modulation: Any = None,
        mask: Any = None,
    ) -> Any:
        """Normalise x by the kernel for its shape, type and memory order; arguments as of `gngen.group_norm`.

        LaunchError where the bundle has none, and was built with ``missing="error"``.
        """
        xs, _ = as_numpy(x)
        fixed: Any = tuple(axis) if isinstance(axis, list) else axis
        given = (residual is not None, modulation is not None, mask is not None)
        spec = GroupNormSpec(groups, fixed, epsilon, beta is not None, gamma is not None, activation, *given)
        pair = modulation if isinstance(modulation, (tuple, list)) else ()
        dtype, param_dtype = array_kinds(xs, [as_numpy(p)[0] for p in (gamma, beta, *pair) if p is not None])
        order = memory_order(xs.shape, xs.strides, xs.itemsize)
        kernel = self._kernel(spec, (None, *xs.shape[1:]), dtype, order, ("y",), param_dtype)
        return kernel(x, gamma, beta, out, residual=residual, modulation=modulation, mask=mask)

    def call(self, problem: _Problem, args: _Args) -> None:
        """Run the kernel of a problem; LaunchError in the library's words."""
        code = self._call(ctypes.byref(problem), ctypes.byref(args))
        if code == _NO_KERNEL:
            raise LaunchError(f"the bundle {self.folder} has no kernel for this shape, and missing={self.manifest['missing']!r}")
        if code != _OK:
            raise LaunchError(f"the bundle {self.folder}: {self._message(code).decode()}")

    def workspace_bytes(self, problem: _Problem, batch: int) -> int:
        return int(self._workspace(ctypes.byref(problem), batch))

    def __repr__(self) -> str:
        return f"<gngen bundle {self.name}, {len(self)} layers, {self.machine}>"


class LoadedKernel:
    """One kernel of a bundle; it is called as a `gngen.Kernel` is, and gives the same.

    Attributes: spec, problem, layout.
    """

    def __init__(self, bundle: LoadedBundle, spec: GroupNormSpec, problem: Problem, layout: Layout) -> None:
        self.bundle, self.spec, self.problem, self.layout = bundle, spec, problem, layout
        self.launcher = Launcher(problem, layout, _Entry(bundle, problem), ())

    def __call__(
        self,
        x: Any,
        gamma: Any = None,
        beta: Any = None,
        out: Any = None,
        *,
        residual: Any = None,
        modulation: Any = None,
        mask: Any = None,
        sum_out: Any = None,
    ) -> Any:
        """Normalise x: y, or the tuple of the layer's outputs. LaunchError: arrays that do not fit; nothing was written."""
        return self.launcher(x, gamma, beta, out, residual, modulation, mask, sum_out)


class _Entry:
    """What a launcher calls: takes its arrays in the order of the kernel's arguments."""

    def __init__(self, bundle: LoadedBundle, p: Problem) -> None:
        self.bundle, self.names = bundle, arguments(p)
        sizes = (p.outer, p.groups, p.chans, p.inner, p.epsilon)
        named = (KINDS.index(p.data), KINDS.index(p.parameters), ACTIVATION_NAMES.index(p.activation or "none"))
        self.problem = _Problem(*sizes, *named, flag_bits(p))

    def __call__(self, arrays: Sequence[Array], batch: int, threads: int) -> None:
        size, alignment = self.bundle.workspace_bytes(self.problem, batch), int(self.bundle.manifest["alignment"])
        scratch = np.empty(size + alignment, np.uint8)
        places = {name: a.ctypes.data for name, a in zip(self.names, arrays, strict=True)}
        begin = -(-scratch.ctypes.data // alignment) * alignment
        self.bundle.call(self.problem, _Args(**places, workspace=begin, workspace_size=size, batch=batch, threads=threads))
