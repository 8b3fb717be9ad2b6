"""Backend `c`: self-contained C11 with vector extensions and OpenMP, built by gcc, clang or ziglang, loaded in process."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gngen.backends.entry import Entry
from gngen.errors import BuildError
from gngen.source import Source
from gngen.target import Gpu, Machine, Target, host_arch
from gngen.tools import TIMEOUT, run_tool

if TYPE_CHECKING:
    from gngen.loopnest import LoopNest
    from gngen.toolchain import Toolchain

DESCRIPTION = "C11 with OpenMP"
# Contraction would let the compiler choose what is rounded; the nest says where a multiply and an add are fused.
# The nest's vectors are explicit, and gcc 12's own are wrong: of two lanes of ``x - (double)(float)x`` it makes 0.
_FLAGS = ("-std=c11", "-O2", "-fno-tree-vectorize", "-ffp-contract=off", "-fwrapv", "-fno-math-errno", "-Wno-psabi", "-fPIC")
# gcc leaves the loops that a nest unrolls alone unless asked; so the arithmetic of halves is 6 to 15 % faster.
_OF_GCC = ("-funroll-loops", "--param=max-unroll-times=4")
_TEXT, _LIBRARY = "kernel.c", "kernel.so"


def emit(nest: LoopNest, target: Target) -> Source:
    """The C text of a nest: one file, one exported function."""
    from gngen.backends.c_source import print_c

    return Source("c", nest.name, print_c(nest, target.cpu), flags(target))


def emit_phases(nest: LoopNest, target: Target, symbol: str) -> Source:
    """The C text of a nest as phases of items: one file, an exported function ``<symbol>_phase<k>`` a phase."""
    from gngen.backends.c_source import print_c_phases

    return Source("c", symbol, print_c_phases(nest, target.cpu, symbol), flags(target))


def flags(target: Target) -> tuple[str, ...]:
    """What the compiler is given, for the target's machine."""
    return (*_FLAGS, *target.cpu.c_flags)


# Building


@cache
def compiler() -> tuple[str, ...]:
    """The command of the C compiler: $GNGEN_CC, gcc, clang, or ziglang's; empty when there is none."""
    asked = os.environ.get("GNGEN_CC")
    if asked:
        words = asked.split()
        return tuple(words) if shutil.which(words[0]) else ()
    for name in ("gcc", "clang"):
        path = shutil.which(name)
        if path:
            return (path,)
    return (sys.executable, "-m", "ziglang", "cc") if find_spec("ziglang") else ()


def unavailable() -> str:
    """Why no kernel can be built here, or ""."""
    if compiler():
        return ""
    asked = os.environ.get("GNGEN_CC")
    return f"$GNGEN_CC is {asked!r}, which is no command here" if asked else "no C compiler: install gcc or clang, or the ziglang package"


def identity() -> str:
    """The compiler, its version, what it is always given and its flag for OpenMP, as a build depends on them."""
    return " ".join((_about_compiler("version"), *compiler()[1:], *_own(), *openmp()))


def _about_compiler(question: str) -> str:
    """Its `version`, or the flag with which it links `openmp` (or ""); asked once of each compiler binary."""
    from gngen.cache import default_cache

    command = compiler()
    binary = Path(shutil.which(command[0]) or command[0]).resolve()
    package = find_spec("ziglang") if "ziglang" in command else None
    stats = [path.stat() for path in (binary, *([Path(package.origin)] if package and package.origin else []))]
    key = json.dumps([question, *command, str(binary), *((s.st_size, s.st_mtime_ns) for s in stats)])
    ask = {"version": version_of, "openmp": openmp_flag}[question]
    return default_cache().remember("compilers", key, lambda: ask(command))


def version_of(command: Sequence[str]) -> str:
    import subprocess

    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError) as e:
        raise BuildError(f"the compiler {' '.join(command)} does not answer --version: {e}") from e
    return (done.stdout.strip() or "unknown").splitlines()[0].strip()


def openmp_flag(command: Sequence[str]) -> str:
    """The flag for OpenMP; none where the library is missing (ziglang ships none, clang's is a package of its own)."""
    with TemporaryDirectory(prefix="gngen-") as folder:
        text = Path(folder, "probe.c")
        text.write_text("#include <omp.h>\nint probe(void) { return omp_get_max_threads(); }\n", encoding="utf-8")
        try:
            run_tool([*command, "-fopenmp", "-fPIC", "-shared", "-o", str(text.with_suffix(".so")), str(text)])
        except BuildError:
            return ""
    return "-fopenmp"


def _is_gcc() -> bool:
    return _about_compiler("version").startswith("gcc")


def own_flags(version: str) -> tuple[str, ...]:
    """What only a compiler of such a version is given."""
    return _OF_GCC if "gcc" in version else ()


def _own() -> tuple[str, ...]:
    return own_flags(_about_compiler("version"))


def openmp() -> tuple[str, ...]:
    """The flag for OpenMP, or none: then kernels run on one thread. gcc comes with its library; others are asked."""
    if _is_gcc():
        return ("-fopenmp",)
    flag = _about_compiler("openmp")
    return (flag,) if flag else ()


def note(machine: Machine | Gpu) -> str:
    """What a user should know of kernels built here, or ""."""
    return "" if openmp() else f"one thread: {' '.join(compiler())} has no OpenMP library"


def spoken(flags: Sequence[str]) -> list[str]:
    """The flags in the compiler's words: ziglang writes the names of processors with underscores."""
    if "ziglang" not in compiler():
        return list(flags)
    names = {"armv8-a": "generic"}
    return [f"-march={names.get(v, v.replace('-', '_'))}" if (v := f.removeprefix("-march=")) != f else f for f in flags]


def build(source: Source, folder: Path) -> list[str]:
    """Compile a source into `folder`; the names of the files that `load` needs. BuildError with the compiler's words."""
    if not compiler():
        raise BuildError(unavailable())
    text, library = folder / _TEXT, folder / _LIBRARY
    text.write_text(source.text, encoding="utf-8")
    compile_library(text, library, (*source.flags, *_own(), *openmp()))
    return [text.name, library.name]


def compile_library(text: Path, library: Path, flags: Sequence[str]) -> None:
    """A shared library from one C file; BuildError with the compiler's words."""
    run_tool([*compiler(), *spoken(flags), "-shared", "-o", str(library), str(text), "-lm"])


def assembly(source: Source, folder: Path, target: Target) -> str:
    """The assembly of a source, as the compiler for the target's architecture writes it. BuildError with its words."""
    text = folder / _TEXT
    text.write_text(source.text, encoding="utf-8")
    if _is_foreign(target):
        return _cross_compiler(target).assembly(text, source.flags, folder / "kernel.s")
    command = [flag for flag in (*compiler(), *spoken(source.flags), *_own(), *openmp()) if flag != "-fPIC"]
    return run_tool([*command, "-S", "-o", "-", str(text)])


def object_code(source: Source, target: Target) -> bytes:
    """An object file of a source, by the compiler for the target's architecture. BuildError with its words."""
    with TemporaryDirectory(prefix="gngen-") as folder:
        text, made = Path(folder, _TEXT), Path(folder, "kernel.o")
        text.write_text(source.text, encoding="utf-8")
        if _is_foreign(target):
            return _cross_compiler(target).compile(text, source.flags, (), made)
        run_tool([*compiler(), *spoken(source.flags), *_own(), *openmp(), "-c", "-o", str(made), str(text)])
        return made.read_bytes()


def _is_foreign(target: Target) -> bool:
    return target.cpu.arch not in ("any", host_arch())


def _cross_compiler(target: Target) -> Toolchain:
    """What compiles C for another architecture here. BuildError, and why, where nothing does."""
    from gngen.toolchain import find_toolchain

    tools = find_toolchain(target.cpu)
    if isinstance(tools, str):
        raise BuildError(tools)
    return tools


def load(folder: Path, manifest: Mapping[str, Any]) -> Entry:
    """The kernel built in `folder`."""
    try:
        library = ctypes.CDLL(str(folder / _LIBRARY))
        address = ctypes.cast(library[manifest["entry"]], ctypes.c_void_p).value or 0
        return Entry(address, manifest["arrays"], library)
    except (OSError, AttributeError) as e:
        raise BuildError(f"the kernel {manifest['entry']} cannot be loaded: {e}") from e


def code_size(folder: Path) -> int | None:
    """Bytes of machine code: the executable sections of the library, by `size`; None without it."""
    size = shutil.which("size")
    if not size:
        return None
    words = run_tool([size, str(folder / _LIBRARY)]).splitlines()[-1].split()
    return int(words[0])
