"""Tables in the documents: measured where, and written between markers."""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import gngen
from gngen.cudatools import version_of
from gngen.resources import fingerprint
from gngen.target import Gpu, cpu_model, load_cpu

ROOT = Path(__file__).resolve().parent.parent


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; the first column to the left, the rest to the right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measured_on(threads: int) -> str:
    """When, with what command, on what machine, with which versions: a paragraph."""
    host = load_cpu("host")
    return (
        f"{_begun()}: {cpu_model()} ({platform.machine()}), {host.cores} cores, {threads} "
        f"threads, {host.vector_bits}-bit vectors, L2 {host.l2 >> 10} KB, L3 {host.l3 >> 10} KB; {platform.system()}, "
        f"{_compiler()}, Python {platform.python_version()}, {_packages('torch', 'numpy', 'numba')}; {_gngen()}."
    )


def measured_on_gpu(machine: Gpu) -> str:
    """The same of a GPU."""
    nvcc = version_of("nvcc") or "no nvcc"
    return (
        f"{_begun()}: {machine.description}, {machine.sms} SMs, L2 {machine.l2 >> 20} MB, {machine.bandwidth} GB/s; {platform.system()}, "
        f"{nvcc}, Python {platform.python_version()}, {_packages('torch', 'numba-cuda')}; {_gngen()}."
    )


def _begun() -> str:
    script, *arguments = sys.argv
    return f"Measured on {date.today().isoformat()} by `{shlex.join(['python', f'benchmarks/{Path(script).name}', *arguments])}`"


def _packages(*names: str) -> str:
    return ", ".join(f"{name} {_version(name)}" for name in names)


def _gngen() -> str:
    return f"gngen {gngen.__version__} ({fingerprint()[:8]})"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _compiler() -> str:
    gcc = shutil.which("gcc")
    return subprocess.run([gcc, "--version"], capture_output=True, text=True).stdout.splitlines()[0] if gcc else "no gcc"


@dataclass(frozen=True)
class Section:
    """What lies between the lines ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` of a document.

    Raises:
        SystemExit: there is no such document, or it has not both lines, in order; before anything is measured.
    """

    path: Path
    name: str

    def __post_init__(self) -> None:
        self._around()

    def write(self, text: str) -> None:
        """Put a text in place of what is there."""
        before, after = self._around()
        self.path.write_text(f"{before}\n{text.strip()}\n\n{after}", encoding="utf-8")

    def _around(self) -> tuple[str, str]:
        """The document up to and from the two lines, them included."""
        begin, end = f"<!-- begin {self.name} -->\n", f"<!-- end {self.name} -->\n"
        try:
            text = self.path.read_text(encoding="utf-8")
        except OSError as e:
            raise SystemExit(f"{self.path}: {e.strerror}") from None
        before, opened, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise SystemExit(f"{self.path} lacks the lines {begin.strip()} and {end.strip()}, between which the tables go")
        return before + begin, end + after
