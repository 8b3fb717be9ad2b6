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
from gngen.resources import fingerprint
from gngen.target import cpu_model, load_machine

ROOT = Path(__file__).resolve().parent.parent


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; the first column to the left, the rest to the right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measured_on(threads: int) -> str:
    """When, with what command, on what machine, with which versions: a paragraph."""
    host = load_machine("host")
    script, *arguments = sys.argv
    command = shlex.join(["python", f"benchmarks/{Path(script).name}", *arguments])
    packages = [f"{name} {_version(name)}" for name in ("torch", "numpy", "numba")]
    return (
        f"Measured on {date.today().isoformat()} by `{command}`: {cpu_model()} ({platform.machine()}), {host.cores} cores, {threads} "
        f"threads, {host.vector_bits}-bit vectors, L2 {host.l2 >> 10} KB, L3 {host.l3 >> 10} KB; {platform.system()}, "
        f"{_compiler()}, Python {platform.python_version()}, {', '.join(packages)}; gngen {gngen.__version__} ({fingerprint()[:8]})."
    )


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
