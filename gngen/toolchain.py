"""The C compiler for an architecture: this machine's own, a cross compiler, or clang without a system's headers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gngen.backends import c
from gngen.target import Machine, host_arch
from gngen.tools import run_tool

_CLANGS = ("clang-22", "clang")
# No debugging information, which would name paths.
_FLAGS = ("-std=c11", "-O2", "-g0", "-ffp-contract=off", "-fPIC", "-fvisibility=hidden")
_LINK = ("-shared", "-Wl,-Bsymbolic", "-Wl,--build-id=none")


@dataclass(frozen=True)
class Toolchain:
    """How C is compiled for one architecture.

    command: the compiler with what it is always given. version: its first line. openmp: its flag for OpenMP, or "". hosted: whether it
    has a C library of the target, its headers and a linker.
    """

    command: tuple[str, ...]
    version: str
    openmp: str
    hosted: bool

    def compile(self, text: Path, flags: Sequence[str], include: Sequence[Path], made: Path) -> bytes:
        """The object file of one C file, by way of the file `made`; BuildError with the compiler's words."""
        return self._translate("-c", text, flags, include, made)

    def assembly(self, text: Path, flags: Sequence[str], made: Path) -> str:
        """The assembly of one C file, as `compile`."""
        return self._translate("-S", text, flags, (), made).decode()

    def _translate(self, into: str, text: Path, flags: Sequence[str], include: Sequence[Path], made: Path) -> bytes:
        free = () if self.hosted else ("-ffreestanding",)
        own = c.spoken(flags) if self.command == c.compiler() else flags
        where = [part for place in include for part in ("-I", str(place))]
        run_tool([*self.command, *_FLAGS, *own, *c.own_flags(self.version), *free, *where, into, str(text), "-o", str(made)])
        return made.read_bytes()

    def link(self, objects: Sequence[Path], library: Path, threaded: bool) -> None:
        """A shared library of object files; BuildError with the linker's words."""
        openmp = [self.openmp] if self.openmp and threaded else []
        run_tool([*self.command, *_LINK, f"-Wl,-soname,{library.name}", *openmp, "-o", str(library), *map(str, objects), "-lm"])


def find_toolchain(machine: Machine) -> Toolchain | str:
    """What compiles C for a machine's architecture here, or why nothing does.

    ``$GNGEN_CC_<ARCH>`` (as GNGEN_CC_AARCH64) comes first; of this machine's architecture, what backend `c` uses; of another one, its gcc
    by the name that Debian gives it, and clang, which has no C library for it.
    """
    variable = f"GNGEN_CC_{machine.arch.upper()}"
    asked = os.environ.get(variable, "").split()
    if asked:
        return _hosted(tuple(asked)) if shutil.which(asked[0]) else f"${variable} is {' '.join(asked)!r}, which is no command here"
    if machine.arch in ("any", host_arch()):
        return _hosted(c.compiler()) if c.compiler() else c.unavailable()
    cross = shutil.which(f"{_debian(machine.triple)}-gcc")
    if cross:
        return _hosted((cross,))
    for name in _CLANGS:
        path = shutil.which(name)
        if path:
            return Toolchain((path, f"--target={machine.triple}"), c.version_of((path,)), "", hosted=False)
    return f"no C compiler for {machine.triple}: install {_debian(machine.triple)}-gcc or clang, or set ${variable}"


def _hosted(command: tuple[str, ...]) -> Toolchain:
    return Toolchain(command, c.version_of(command), c.openmp_flag(command), hosted=True)


def _debian(triple: str) -> str:
    """A triple without its vendor, as the names of cross compilers have it: riscv64-linux-gnu."""
    arch, _, rest = triple.partition("-")
    return f"{arch}-{rest.removeprefix('unknown-').removeprefix('pc-')}"
