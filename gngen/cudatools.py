"""NVIDIA's ptxas and nvcc: found, run, and what they report of a kernel. Neither needs a GPU."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gngen.errors import BuildError

TOOLS = ("ptxas", "nvcc")
_SECONDS = 300
# Where pip packages of CUDA 13 and 12 and Linux installers put programs.
_PACKAGES = ("nvidia/cu13/bin", "nvidia/cuda_nvcc/bin")
_INSTALLED = Path("/usr/local/cuda/bin")
_ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(\w+)'")
_STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")
_ACCESS = re.compile(r"\b(ld|st)\.global(?:\.[\w:]+)*?(?:\.v(\d))?\.[bfsu](\d+)\s")


@dataclass(frozen=True)
class Report:
    """What one kernel takes, as ptxas says: registers a thread; bytes of stack, spills and static shared memory."""

    entry: str
    arch: str
    registers: int
    stack: int
    spill_stores: int
    spill_loads: int
    shared: int

    @property
    def spills(self) -> int:
        return self.spill_stores + self.spill_loads


@dataclass(frozen=True)
class Accesses:
    """How many instructions of a PTX text access global memory, and how many of them move 16 bytes a thread."""

    loads: int
    stores: int
    wide_loads: int
    wide_stores: int


def command_of(tool: str) -> tuple[str, ...]:
    """The command of ptxas or nvcc: $GNGEN_PTXAS or $GNGEN_NVCC, the one in PATH, a pip package's, an installer's; () if there is none."""
    asked = os.environ.get(f"GNGEN_{tool.upper()}", "")
    return tuple(shlex.split(asked)) if asked else _found(tool, os.environ.get("PATH", ""))


@cache
def _found(tool: str, path: str) -> tuple[str, ...]:
    site = Path(sysconfig.get_path("purelib"))
    folders = [path, *(str(site / package) for package in _PACKAGES), str(_INSTALLED)]
    found = shutil.which(tool, path=os.pathsep.join(folders))
    return (found,) if found else ()


def lacks(tool: str) -> str:
    """Why ptxas or nvcc cannot be run, or ""."""
    command = command_of(tool)
    if not command:
        return f"no {tool}: install the CUDA toolkit or gngen[cuda], or name it in GNGEN_{tool.upper()}"
    return "" if shutil.which(command[0]) else f"GNGEN_{tool.upper()} names {command[0]}, which cannot be run"


def version_of(tool: str) -> str:
    """The last line of what the tool says of its version, which names its build; "" where there is none."""
    return "" if lacks(tool) else _version(command_of(tool))


@cache
def _version(command: tuple[str, ...]) -> str:
    lines = _run([*command, "--version"], "its version").strip().splitlines()
    return lines[-1] if lines else ""


def assemble(ptx: str, arch: str) -> dict[str, Report]:
    """Assemble a PTX text for an architecture; the report of every kernel in it, by name.

    Raises:
        BuildError: there is no ptxas, or it refused the text.
    """
    with TemporaryDirectory(prefix="gngen-") as folder:
        source = Path(folder) / "kernel.ptx"
        source.write_text(ptx, encoding="utf-8")
        said = run_tool("ptxas", "-v", f"-arch={arch}", "-o", str(Path(folder) / "kernel.cubin"), str(source))
    return read_reports(said)


def run_tool(tool: str, *arguments: str) -> str:
    """Run ptxas or nvcc; what it said.

    Raises:
        BuildError: it is not there, or it refused.
    """
    lacking = lacks(tool)
    if lacking:
        raise BuildError(lacking)
    return _run([*command_of(tool), *arguments], " ".join(arguments))


def _run(command: Sequence[str], about: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise BuildError(f"{command[0]} could not be run: {e}") from e
    said = done.stdout + done.stderr
    if done.returncode:
        raise BuildError(f"{Path(command[0]).name} refused ({about}): {said.strip()[:2000]}")
    return said


def read_reports(said: str) -> dict[str, Report]:
    """The reports in what ``ptxas -v`` or ``nvcc -Xptxas -v`` printed, by the kernel's name."""
    found = {}
    starts = list(_ENTRY.finditer(said))
    for start, following in zip(starts, [*(s.start() for s in starts[1:]), len(said)], strict=True):
        part = said[start.end() : following]
        # a function that is called and not inlined has a line of its own
        stacks, used, shared = _STACK.findall(part), _USED.search(part), _SHARED.search(part)
        if not stacks or used is None:
            raise BuildError(f"ptxas said nothing of the registers or the stack of {start[1]}")
        stack, stores, loads = (sum(map(int, column)) for column in zip(*stacks, strict=True))
        found[start[1]] = Report(start[1], start[2], int(used[1]), stack, stores, loads, int(shared[1]) if shared else 0)
    return found


def count_accesses(ptx: str) -> Accesses:
    """Count the instructions of a PTX text that access global memory.

    >>> count_accesses("ld.global.nc.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1];  st.global.f32 [%rd1], %f1;")
    Accesses(loads=1, stores=1, wide_loads=1, wide_stores=0)
    """
    bits = [(kind, int(count or 1) * int(width)) for kind, count, width in _ACCESS.findall(ptx)]
    loads, stores = ([b for kind, b in bits if kind == name] for name in ("ld", "st"))
    return Accesses(len(loads), len(stores), loads.count(128), stores.count(128))
