"""Time gngen against PyTorch and the limit, a copy of the same bytes; print the tables in Markdown, and write docs/benchmarks.md.

    python benchmarks/compare.py                               # everything, into the document
    python benchmarks/compare.py --only "nhwc bf16" --rounds 1 # some cases, printed alone
    python benchmarks/compare.py --target c --target numba-cpu --suite public

Each round runs the copy, PyTorch and each target of gngen's, one after the other, each in a process of its own that goes through all cases;
the best round's median counts. Peers run with an allocator that keeps its pages, so that nobody is charged for page faults.
Leave the machine otherwise idle.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import document
from peers import COPY_LIBRARY, THREADS
from suite import SUITES, Case, cases

import gngen
from gngen.errors import GngenError
from gngen.target import parse_target

HERE = Path(__file__).resolve().parent
DOCUMENT = document.ROOT / "docs" / "benchmarks.md"
Result = dict[str, Any]
# glibc: no memory goes back to the system, and large blocks come from the heap.
KEEP_PAGES = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 33)}


def build_copy(folder: Path) -> Path:
    """The library of copy.c."""
    library = folder / "copy.so"
    command = ["gcc", "-O3", "-march=native", "-fopenmp", "-shared", "-fPIC", str(HERE / "copy.c"), "-o", str(library)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as e:
        raise SystemExit(f"the copy limit needs gcc: {getattr(e, 'stderr', '') or e}") from None
    return library


def run_peer(peer: str, chosen: Sequence[Case], seconds: float, check: bool, env: dict[str, str], folder: Path) -> list[Result]:
    """The result of each case; a case at which the process dies is a failure, and another goes on behind it."""
    todo, done = folder / "cases.json", folder / "results.jsonl"
    done.unlink(missing_ok=True)
    results: list[Result] = []
    while len(results) < len(chosen):
        todo.write_text(json.dumps([asdict(case) for case in chosen[len(results) :]]), encoding="utf-8")
        command = [sys.executable, str(HERE / "worker.py"), peer, str(todo), str(done), str(seconds), *(["check"] if check else [])]
        ended = subprocess.run(command, env=env, stderr=subprocess.PIPE, text=True)
        lines = done.read_text(encoding="utf-8").splitlines() if done.exists() else []
        done.unlink(missing_ok=True)
        results += map(json.loads, lines)
        if ended.returncode and len(results) < len(chosen):
            said = (ended.stderr.strip().splitlines() or ["nothing"])[-1]
            results.append({"failure": f"its process ended with status {ended.returncode}, and said: {said[:200]}"})
        elif not lines:
            raise SystemExit(f"the process of {peer} wrote nothing")
    return results


def best_of(old: Result | None, new: Result) -> Result:
    """The better of two rounds; the first round's error, and a failure only where every round failed."""
    if old is None or "failure" in old:
        return new
    if "failure" in new:
        return old
    return {"median": min(old["median"], new["median"]), "min": min(old["min"], new["min"]), "error": old["error"]}


def compare(chosen: Sequence[Case], targets: Sequence[str], rounds: int, seconds: float, tuned: bool) -> dict[str, list[Result]]:
    """The best result of every peer, case by case."""
    peers = ["copy", "torch", *targets]
    best: dict[str, list[Any]] = {peer: [None] * len(chosen) for peer in peers}
    threads = str(gngen.get_num_threads())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {**os.environ, **KEEP_PAGES, "OMP_NUM_THREADS": threads, THREADS: threads, COPY_LIBRARY: str(build_copy(folder))}
        env |= {"PYTHONPATH": os.pathsep.join(filter(None, (str(document.ROOT), os.environ.get("PYTHONPATH"))))}
        env |= {} if tuned else {"GNGEN_TUNED": "0"}
        for number in range(rounds):
            for peer in peers:
                print(f"round {number + 1} of {rounds}: {peer}", file=sys.stderr, flush=True)
                results = run_peer(peer, chosen, seconds, number == 0, env, folder)
                best[peer] = [best_of(old, new) for old, new in zip(best[peer], results, strict=True)]
    return best


# The tables


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def ratio(over: Result, under: Result) -> float | None:
    return over["median"] / under["median"] if "failure" not in over and "failure" not in under else None


def microseconds(result: Result) -> str:
    if "failure" in result:
        return "none"
    time = result["median"] * 1e6
    return f"{time:.1f}" if time < 99.95 else f"{time:.0f}"


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def places_by(chosen: Sequence[Case], key: Callable[[Case], tuple[str, ...]]) -> dict[str, list[int]]:
    """Where the cases of each key are, in the order in which the keys come."""
    places: dict[str, list[int]] = {}
    for i, case in enumerate(chosen):
        places.setdefault(" ".join(key(case)), []).append(i)
    return places


def summary(chosen: Sequence[Case], best: dict[str, list[Result]], targets: Sequence[str]) -> str:
    """Geometric means by dtype, op and layout, and over all."""
    headings = ["", "target", "cases", "/ copy", "x torch", "least x torch", "faster than torch"]
    places = places_by(chosen, lambda case: (case.dtype, case.op, case.layout)) | {"**all**": list(range(len(chosen)))}
    return document.table(headings, [[name, target, *_means(at, best, target)] for name, at in places.items() for target in targets])


def _means(places: Sequence[int], best: dict[str, list[Result]], target: str) -> list[str]:
    copies = _present(ratio(best[target][i], best["copy"][i]) for i in places)
    torch = _present(ratio(best["torch"][i], best[target][i]) for i in places)
    means = [shown(geometric_mean(values) if values else None) for values in (copies, torch)]
    faster = f"{sum(x > 1 for x in torch)} of {len(torch)}"
    return [str(len(copies)), *means, shown(min(torch, default=None)), faster]


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def details(chosen: Sequence[Case], best: dict[str, list[Result]], targets: Sequence[str]) -> str:
    """A table of cases for each dtype and op."""
    headings = ["case", "copy", "torch", *(word for target in targets for word in (target, "/ copy", "x torch"))]
    parts = []
    for kind, places in places_by(chosen, lambda case: (case.dtype, case.op)).items():
        rows = []
        for i in places:
            row = [str(chosen[i]).rsplit(" ", 2)[0], microseconds(best["copy"][i]), microseconds(best["torch"][i])]
            for target in targets:
                ours = best[target][i]
                row += [microseconds(ours), shown(ratio(ours, best["copy"][i])), shown(ratio(best["torch"][i], ours))]
            rows.append(row)
        parts.append(f"### {kind}\n\n{document.table(headings, rows)}")
    return "\n\n".join(parts)


def failures(chosen: Sequence[Case], best: dict[str, list[Result]]) -> str:
    """What failed and why, a line for each reason and peer."""
    why: dict[tuple[str, str], list[Case]] = {}
    for peer, results in best.items():
        for case, result in zip(chosen, results, strict=True):
            if "failure" in result:
                why.setdefault((peer, result["failure"]), []).append(case)
    lines = [f"- {peer} (cases: {len(found)}, the first {found[0]}): {reason}" for (peer, reason), found in why.items()]
    return "\n".join(["", "No time:", "", *lines]) if lines else ""


def report(chosen: Sequence[Case], best: dict[str, list[Result]], targets: Sequence[str]) -> str:
    """All of it, in Markdown."""
    parts = [
        document.measured_on(gngen.get_num_threads()),
        summary(chosen, best, targets),
        failures(chosen, best),
        details(chosen, best, targets),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=SUITES, default="all")
    parser.add_argument("--only", default="", help="cases whose name has all of these words, as 'nhwc bf16'")
    parser.add_argument("--target", action="append", help="once or more; c unless given")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.15, help="for one case of one peer in one round")
    parser.add_argument("--tuned", action="store_true", help="use what gngen tune found; schedules by rule unless given")
    parser.add_argument("--output", type=Path, help=f"the document; {DOCUMENT.relative_to(document.ROOT)} unless --only is given")
    arguments = parser.parse_args()
    chosen, targets = cases(arguments.suite, arguments.only), list(dict.fromkeys(arguments.target or ["c"]))
    if not chosen:
        parser.error(f"no case of the suite {arguments.suite} has all of {arguments.only!r} in its name")
    if arguments.rounds < 1:
        parser.error(f"rounds are at least 1; received {arguments.rounds}")
    try:
        for target in targets:
            parse_target(target)
    except GngenError as e:
        parser.error(str(e))
    output = arguments.output or (None if arguments.only else DOCUMENT)
    section = document.Section(output, "backward" if arguments.suite == "backward" else "benchmarks") if output else None
    best = compare(chosen, targets, arguments.rounds, arguments.seconds, arguments.tuned)
    text = report(chosen, best, targets)
    print(text)
    if section:
        section.write(text)


if __name__ == "__main__":
    main()
