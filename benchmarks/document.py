"""Tables in the documents: measured where, and written between markers."""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
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


def write_between(path: Path, name: str, text: str) -> None:
    """Put a text between the markers ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` of a document, in place of what is there.

    Raises:
        SystemExit: there is no such document, or it has not both markers, in order.
    """
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->\n"
    try:
        old = path.read_text(encoding="utf-8")
    except OSError as e:
        raise SystemExit(f"{path}: {e.strerror}") from None
    before, found, rest = old.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{path} lacks the lines {begin.strip()} and {end.strip()}, between which the table goes")
    path.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
