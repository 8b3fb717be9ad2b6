"""llvm-mca's estimate of a loop: the cycles of one iteration on a model of a processor, with every load in the first cache."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

from gngen.errors import BuildError
from gngen.target import Machine

_NAMES = ("llvm-mca-22", "llvm-mca")
_ITERATIONS = 100
_SECONDS = 60
# Whose model stands for any processor of an architecture, where a machine names none that has one.
_STAND_INS = {r"aarch64": "neoverse-n1", r"riscv64": "spacemit-x60", r"arm": "cortex-a57"}
_WITH_SVE = "neoverse-v1"
# A vector's length is no part of the instructions: the last that sets it before a loop says how long it takes.
_VSET = re.compile(r"vset\w+ .*\be(\d+), ?(mf?\d)")


def command() -> str:
    """The tool's path: $GNGEN_LLVM_MCA, or llvm-mca-22 or llvm-mca in PATH; "" where there is none."""
    asked = os.environ.get("GNGEN_LLVM_MCA", "")
    return next(filter(None, map(shutil.which, [asked] if asked else _NAMES)), "")


def lacks() -> str:
    """Why there are no cycles, or ""."""
    if command():
        return ""
    asked = os.environ.get("GNGEN_LLVM_MCA", "")
    return (
        f"GNGEN_LLVM_MCA names {asked}, which cannot be run" if asked else "no llvm-mca: install LLVM's tools, or name it in GNGEN_LLVM_MCA"
    )


def processor_of(machine: Machine) -> str:
    """Whose model a machine is estimated by: this one's own, the processor that its file names, or one that stands for any of its kind.

    >>> from gngen.target import load_cpu
    >>> processor_of(load_cpu("x86-64-v3")), processor_of(load_cpu("aarch64-neon"))
    ('x86-64-v3', 'neoverse-n1')
    """
    if machine.name == "host":
        from llvmlite import binding

        return str(binding.get_host_cpu_name())
    if not machine.llvm_cpu.startswith("generic"):
        return machine.llvm_cpu
    if machine.arch == "aarch64" and "+sve" in machine.llvm_features:
        return _WITH_SVE
    return next((cpu for arch, cpu in _STAND_INS.items() if re.match(arch, machine.arch)), machine.llvm_cpu)


def loop_cycles(body: Sequence[str], before: Sequence[str], triple: str, processor: str) -> float:
    """The cycles of one iteration, the mean of 100 that follow each other.

    Args:
        body: the loop's instructions, a line each. before: those before it, of which only the vector length of RISC-V is read.

    Raises:
        BuildError: there is no llvm-mca, or it has no model of the processor, or does not know an instruction.
    """
    lacking = lacks()
    if lacking:
        raise BuildError(lacking)
    words = [command(), f"-mtriple={triple}", f"-mcpu={processor}", f"-iterations={_ITERATIONS}", "-json"]
    return _cycles(tuple(words), "\n".join((*_length(before), *body, "")))


@cache
def _cycles(words: tuple[str, ...], text: str) -> float:
    try:
        done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise BuildError(f"{words[0]} could not be run: {e}") from e
    if done.returncode:
        said = re.search(r"error: (.*)", done.stderr)
        raise BuildError(f"llvm-mca refused: {said[1] if said else done.stderr.strip()[:200]}")
    summary = json.loads(done.stdout)["CodeRegions"][0]["SummaryView"]
    return float(summary["TotalCycles"]) / float(summary["Iterations"])


def _length(before: Sequence[str]) -> list[str]:
    found = next(filter(None, (_VSET.match(text) for text in reversed(before))), None)
    return [f"# LLVM-MCA-RISCV-LMUL {found[2].upper()}", f"# LLVM-MCA-RISCV-SEW E{found[1]}"] if found else []
