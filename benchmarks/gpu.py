"""Measure gngen's GPU kernels: errors against the definition, times beside PyTorch's and a copy's; or, without a GPU, predict.

    python benchmarks/gpu.py                                    # the public suite in every type, with and without silu, on the GPU here
    python benchmarks/gpu.py --only "nhwc bf16" --target cuda   # some of it
    python benchmarks/gpu.py --plan                             # what would run, and what is predicted; takes no GPU
    python benchmarks/gpu.py --document                         # the table of docs/gpu.md; takes no GPU

Measuring takes torch with CUDA, and what the backends need (`pip install gngen[cuda]`). Every answer is judged by the numerics contract
before it is timed; one beyond it is no time but a failure, and named. The sides take turns, with cleared caches; a time is the median of
the rounds, between two events of CUDA's. Predicted is the time of the kernel's bytes at the memory's bandwidth.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import document
from gpu_peers import PEERS
from peers import make_data, spec_of
from suite import DTYPES, PUBLIC, Case, choose, every_kind

from gngen.api import plan
from gngen.device import find_device
from gngen.errors import GngenError
from gngen.gpumodel import blocks_of, seconds, traffic
from gngen.gpuschedule import GpuSchedule
from gngen.loopnest import Launch
from gngen.target import Gpu, load_gpu, machine_names, parse_target

DOCUMENT, SECTION = document.ROOT / "docs" / "gpu.md", "gpu"
DOCUMENT_MACHINE = "sm_90"
TARGETS = ("cuda", "numba-cuda")


@dataclass(frozen=True)
class Prediction:
    """What is chosen for a case on a GPU. blocks: of each launch. moved: bytes. seconds: for these at the memory's bandwidth."""

    schedule: GpuSchedule
    blocks: tuple[int, ...]
    moved: int
    seconds: float

    @property
    def name(self) -> str:
        """The schedule, and how many blocks share a group where some do."""
        return f"{self.schedule.name} {self.schedule.split}" if self.schedule.split > 1 else self.schedule.name


def predict(case: Case, machine: str) -> Prediction:
    """By the rules that every GPU backend shares; nothing is built."""
    p = plan(spec_of(case), case.memory_shape, DTYPES[case.dtype], f"cuda:{machine}")
    assert isinstance(p.schedule, GpuSchedule)
    batch = case.shape[0]
    moves = traffic(p.problem, p.schedule, batch)
    blocks = tuple(blocks_of(launch, batch) for launch in p.nest.body if isinstance(launch, Launch))
    return Prediction(p.schedule, blocks, moves.total, seconds(moves, p.target.gpu))


# Without a GPU


def planned(chosen: Sequence[Case], machine: str) -> str:
    """What would run, and what is predicted."""
    rows = []
    for case in chosen:
        found = predict(case, machine)
        rows.append([str(case), found.name, _blocks(found), _megabytes(found.moved), _microseconds(found.seconds)])
    return document.table(["case", "schedule", "blocks", "MB", "us"], rows)


def described(chosen: Sequence[Case], machine: str) -> str:
    """The table of the document: ours beside the bytes that other libraries' kernels move."""
    rows = []
    ratios: dict[str, list[float]] = {name: [] for name in PEERS}
    for case in chosen:
        found = predict(case, machine)
        row = [str(case), found.name, _blocks(found), _megabytes(found.moved), _microseconds(found.seconds)]
        for name, peer in PEERS.items():
            passes = peer(case)
            row.append("-" if passes is None else _megabytes(passes.bytes(case)))
            ratios[name] += [] if passes is None else [passes.bytes(case) / found.moved]
        rows.append(row)
    m = load_gpu(machine)
    facts = f"On {machine}: {m.description}, {m.sms} multiprocessors, {m.bandwidth} GB/s."
    more = ", ".join(f"{name} {_geometric_mean(values):.2f} (cases: {len(values)})" for name, values in ratios.items() if values)
    parts = [facts, f"Bytes over ours, the geometric mean of the cases that each takes: {more}."]
    return "\n\n".join([*parts, document.table(["case", "schedule", "blocks", "MB", "us", *(f"{name} MB" for name in PEERS)], rows)])


def _geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def _blocks(found: Prediction) -> str:
    return " + ".join(map(str, found.blocks))


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.3g}" if count < 1e9 else f"{count / 1e6:.0f}"


def _microseconds(value: float | None) -> str:
    if value is None:
        return "none"
    time = value * 1e6
    return f"{time:.2g}" if time < 0.95 else f"{time:.1f}" if time < 99.95 else f"{time:.0f}"


# On a GPU


@dataclass
class Measured:
    """What was found of a case: by side, seconds, errors in the contract's units, and why there is no time."""

    case: Case
    prediction: Prediction
    seconds: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def measure(case: Case, targets: Sequence[str], rounds: int) -> Measured:
    """Judge every side by the contract, and time those that hold it."""
    import gpu_sides
    from contract import examine

    from gngen.compare.accuracy import evaluate

    data = make_data(case)
    found = Measured(case, predict(case, "device"))
    torch = gpu_sides.torch_side(case, data)
    assert torch.compute is not None
    found.errors["torch"] = evaluate(data.x, data.gamma, data.beta, spec_of(case)).error(torch.compute(data.x))
    sides = {"copy": gpu_sides.copy_side(data), "torch": torch}
    for target in targets:
        try:
            side = gpu_sides.gngen_side(target, case, data)
            assert side.compute is not None
            verdict = examine(side.compute, case, data)
        except Exception as e:  # no such kernel, or a bug of one: the others are still worth timing
            found.failures[target] = f"{type(e).__name__}: {' '.join(str(e).split())}"[:300]
            continue
        found.errors[target] = verdict.error
        if verdict.broken:
            found.failures[target] = verdict.broken
        else:
            sides[target] = side
    found.seconds = dict(zip(sides, gpu_sides.time_on_device([side.call for side in sides.values()], rounds), strict=True))
    return found


def report(measured: Sequence[Measured], targets: Sequence[str]) -> str:
    """All of it, in Markdown."""
    parts = [document.measured_on_gpu(load_gpu("device")), summary(measured, targets), failures(measured), details(measured, targets)]
    return "\n\n".join(filter(None, parts))


def summary(measured: Sequence[Measured], targets: Sequence[str]) -> str:
    """Geometric means by type, op and layout, and over all."""
    kinds: dict[str, list[Measured]] = {}
    for m in measured:
        kinds.setdefault(f"{m.case.dtype} {m.case.op} {m.case.layout}", []).append(m)
    kinds["**all**"] = list(measured)
    rows = [[kind, target, *_means(found, target)] for kind, found in kinds.items() for target in targets]
    return document.table(["", "target", "cases", "/ predicted", "/ copy", "x torch", "worst error"], rows)


def _means(found: Sequence[Measured], target: str) -> list[str]:
    timed = [m for m in found if target in m.seconds]
    if not timed:
        return ["0", "-", "-", "-", "-"]
    ratios = (
        [m.seconds[target] / m.prediction.seconds for m in timed],
        [m.seconds[target] / m.seconds["copy"] for m in timed],
        [m.seconds["torch"] / m.seconds[target] for m in timed],
    )
    means = [f"{_geometric_mean(values):.2f}" for values in ratios]
    return [str(len(timed)), *means, f"{max(m.errors[target] for m in timed):.1e}"]


def details(measured: Sequence[Measured], targets: Sequence[str]) -> str:
    """A row a case."""
    headings = ["case", "schedule", "blocks", "predicted", "copy", "torch", "error"]
    headings += [word for target in targets for word in (target, "x torch", "error")]
    rows = []
    for m in measured:
        row = [str(m.case), m.prediction.name, _blocks(m.prediction), _microseconds(m.prediction.seconds)]
        row += [_microseconds(m.seconds["copy"]), _microseconds(m.seconds["torch"]), f"{m.errors['torch']:.1e}"]
        for target in targets:
            time, error = m.seconds.get(target), m.errors.get(target)
            faster = "-" if time is None else f"{m.seconds['torch'] / time:.2f}"
            row += [_microseconds(time), faster, "-" if error is None else f"{error:.1e}"]
        rows.append(row)
    return document.table(headings, rows)


def failures(measured: Sequence[Measured]) -> str:
    """What has no time, and why, a line for each reason."""
    why: dict[tuple[str, str], list[Case]] = {}
    for m in measured:
        for target, reason in m.failures.items():
            why.setdefault((target, reason), []).append(m.case)
    lines = [f"- {target} (cases: {len(cases)}, the first {cases[0]}): {reason}" for (target, reason), cases in why.items()]
    return "\n".join(["No time:", "", *lines]) if lines else ""


def why_not() -> str:
    """Why nothing can be measured here, or ""."""
    found = find_device()
    if isinstance(found, str):
        return f"there is no GPU to measure on: {found}; --plan shows what would run, and what is predicted"
    try:
        import torch
    except ImportError:
        return "PyTorch is not installed, whose memory and clock are used; --plan takes neither"
    return "" if torch.cuda.is_available() else f"this PyTorch, {torch.__version__}, cannot use the GPU; --plan takes neither"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    without = parser.add_mutually_exclusive_group()
    without.add_argument("--plan", action="store_true", help="print what would run and what is predicted; takes no GPU")
    without.add_argument("--document", action="store_true", help=f"write the table of {DOCUMENT.relative_to(document.ROOT)}; takes no GPU")
    parser.add_argument("--only", default="", help="cases whose name has all of these words, as 'nhwc bf16'")
    parser.add_argument("--machine", choices=machine_names("gpu"), help=f"what --plan is for; {DOCUMENT_MACHINE} unless given")
    parser.add_argument("--target", action="append", help=f"once or more, to measure; {' and '.join(TARGETS)} unless given")
    parser.add_argument("--rounds", type=int, default=50, help="calls of each side, of which the median counts")
    arguments = parser.parse_args()
    chosen = choose(every_kind(PUBLIC), arguments.only)
    if not chosen:
        parser.error(f"no case has all of {arguments.only!r} in its name")
    if arguments.rounds < 1:
        parser.error(f"rounds are at least 1; received {arguments.rounds}")
    if arguments.machine and not arguments.plan:
        parser.error("--machine goes with --plan; the document is for one machine, and the GPU to measure is the one here")
    if arguments.document:
        section = document.Section(DOCUMENT, SECTION)
        section.write(described(PUBLIC, DOCUMENT_MACHINE))
        return
    if arguments.plan:
        print(planned(chosen, arguments.machine or DOCUMENT_MACHINE))
        return
    lacking = why_not()
    if lacking:
        raise SystemExit(f"gpu.py: {lacking}")
    targets = list(dict.fromkeys(arguments.target or TARGETS))
    try:
        for target in targets:
            if not isinstance(parse_target(target).machine, Gpu):
                parser.error(f"{target} is no GPU target")
    except GngenError as e:
        parser.error(str(e))
    measured, lost = [], ""
    for number, case in enumerate(chosen, 1):
        print(f"{number} of {len(chosen)}: {case}", file=sys.stderr, flush=True)
        try:
            measured.append(measure(case, targets, arguments.rounds))
        except RuntimeError as e:  # a kernel that ran into a fault takes the process's GPU with it
            lost = f"gpu.py: stopped at {case}: {' '.join(str(e).split())[:300]}"
            break
    print(report(measured, targets))
    if lost:
        raise SystemExit(lost)


if __name__ == "__main__":
    main()
