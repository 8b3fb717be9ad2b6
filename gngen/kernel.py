"""A compiled kernel: what it was made of, how it is called, and why it is as it is."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import gngen
from gngen import resources, tuned
from gngen.backends import load_backend
from gngen.cache import default_cache
from gngen.errors import BuildError, SpecError, TargetError
from gngen.gpuschedule import GPU_SCHEDULES, GpuSchedule, choose_gpu_schedule
from gngen.problem import Layout, Problem
from gngen.schedule import SCHEDULES, Schedule, choose_schedule
from gngen.source import Source
from gngen.spec import GroupNormSpec
from gngen.target import Gpu, Machine, Target, runs_here, why_not

if TYPE_CHECKING:
    from gngen.launcher import Launcher
    from gngen.loopnest import Buffer, LoopNest


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before anything is emitted."""

    spec: GroupNormSpec
    problem: Problem
    layout: Layout
    target: Target
    schedule: Schedule | GpuSchedule
    passed: str

    @property
    def nest(self) -> LoopNest:
        """The loop nest, lowered anew."""
        from gngen.lowering import lower_problem

        return lower_problem(self.problem, self.schedule)

    @property
    def source(self) -> Source:
        """The emitted text; builds nothing."""
        source: Source = load_backend(self.target.backend).emit(self.nest, self.target)
        return source

    def assembly(self) -> str:
        """The machine's assembly of the kernel, as its compiler writes it; of a GPU, its PTX. Nothing is run.

        Raises:
            TargetError: another machine's, of a backend that compiles for this one alone. BuildError: no compiler, or it refused.
        """
        foreign = runs_here(self.target.machine)
        if foreign and getattr(load_backend(self.target.backend), "HOST_ONLY", False):
            raise TargetError(f"{self.target.backend} compiles for this machine alone, and {foreign}")
        with TemporaryDirectory(prefix="gngen-") as folder:
            return str(load_backend(self.target.backend).assembly(self.source, Path(folder), self.target))


def make_plan(
    spec: GroupNormSpec,
    problem: Problem,
    layout: Layout,
    target: Target,
    schedule: Schedule | GpuSchedule | str | Mapping[str, Any] | None,
    passed: str = "",
) -> Plan:
    """Choose the schedule for a problem on a target: the one asked for, or else the tuned one, or else by rule."""
    if isinstance(target.machine, Gpu):
        if problem.direction == "backward" or problem.stage:
            what = "kernels in stages" if problem.stage else "backward kernels"
            raise TargetError(f"{target} is a GPU, which has no {what}; choose a CPU's: c, numba-cpu or reference")
        if isinstance(schedule, Schedule):
            raise SpecError(f"{schedule.name} is a schedule of a CPU, and {target} a GPU; choose from {', '.join(GPU_SCHEDULES)}")
        return Plan(spec, problem, layout, target, choose_gpu_schedule(problem, target.machine, schedule), passed)
    if isinstance(schedule, GpuSchedule):
        raise SpecError(f"{schedule.name} is a schedule of a GPU, and {target} a CPU; choose from {', '.join(SCHEDULES)}")
    chosen = choose_schedule(problem, target.cpu, schedule)
    if schedule is None:
        chosen = tuned.find_tuned(problem, target, chosen)
    return Plan(spec, problem, layout, target, chosen, passed)


@dataclass
class Built:
    """A kernel as machine code (or whatever its backend runs): shared by every layout and batch that it serves."""

    entry: Any
    folder: Path
    workspace: tuple[int, ...]
    origin: str
    seconds: float


_built: dict[str, Built] = {}
_building: dict[str, threading.Lock] = {}
_guard = threading.Lock()
# How often an entry may vanish between being found and being loaded.
_ATTEMPTS = 4


class Kernel:
    """A compiled group normalisation. Call it: ``y = kernel(x, gamma, beta, out=None)``.

    Attributes: spec, problem, target, schedule; digest: the cache key. Where outputs were asked for, a call returns
    ``(y, sum, mean, rstd)``, or those of them; mean and rstd of shape (N, groups).
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.spec, self.problem, self.layout = plan, plan.spec, plan.problem, plan.layout
        self.target, self.schedule = plan.target, plan.schedule
        self.digest = digest_of(plan)
        start = time.perf_counter()
        self._built = _get(self.digest, plan)
        self.build_seconds = time.perf_counter() - start
        self.origin = self._built.origin
        self._call: Callable[..., Any] = self._first_call

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
        """Normalise x.

        Args:
            x: an array of the compiled shape and dtype (integers are converted), numpy's or anything that speaks DLPack on the CPU; of a
                kernel for a GPU also one that lies there: torch's, CuPy's, numba's, or through DLPack. Others are moved there and back.
            gamma, beta: arrays of the features' shape, where the spec has scale and center; None where it has not.
            out: an array for y, which may be x itself, or the residual.
            residual: an array like x that is added to it first, where the spec has residual.
            modulation: a pair (scale, shift) of arrays of shape (N, *features), where the spec has modulation.
            mask: bools of shape (N, *positions), x's without the features: True where an element counts; where the spec has masked.
                It is converted to x's type, an array as much smaller than x as there are channels.
            sum_out: an array for x + residual, where the output sum was asked for; may be the residual itself, or x.

        Returns:
            y of x's kind, or the tuple of the outputs asked for.

        Raises:
            LaunchError: arrays that do not fit; nothing was written.
        """
        if out is None:
            out = self.launcher.output_for(x)
        if residual is None and modulation is None and mask is None and sum_out is None:
            return self._call(x, gamma, beta, out)
        return self._call(x, gamma, beta, out, residual, modulation, mask, sum_out)

    @cached_property
    def launcher(self) -> Launcher:
        """What checks the arrays and calls; made, and numpy imported, with the first of them."""
        if isinstance(self.target.machine, Gpu):
            from gngen.gpulauncher import GpuLauncher

            return GpuLauncher(self.problem, self.layout, self._built.entry, self._built.workspace)
        from gngen.launcher import Launcher

        return Launcher(self.problem, self.layout, self._built.entry, self._built.workspace)

    def _first_call(self, *arguments: Any) -> Any:
        """Bind the way that calls go from now on, and go it."""
        from gngen.fastcall import fast_call

        self._call = fast_call(self.launcher) or self.launcher
        return self._call(*arguments)

    def __repr__(self) -> str:
        return f"<gngen.Kernel {self.problem.name} on {self.target}, schedule {self.schedule.name}>"

    @cached_property
    def nest(self) -> LoopNest:
        """The loop nest that was printed."""
        return self.plan.nest

    @cached_property
    def source(self) -> Source:
        """The emitted text."""
        return self.plan.source

    def assembly(self) -> str:
        """The machine's assembly of the kernel, as its compiler writes it."""
        return self.plan.assembly()

    def code_size(self) -> int | None:
        """Bytes of machine code, where that can be told."""
        size = load_backend(self.target.backend).code_size(self._built.folder)
        return None if size is None else int(size)

    def explain(self) -> str:
        """The decisions behind this kernel, a line each."""
        return explain(self.plan, self.digest, self.origin, self.build_seconds, self.launcher)


def _get(digest: str, plan: Plan) -> Built:
    """The built kernel: from memory, from disk, or built now; once, however many threads ask."""
    found = _built.get(digest)
    if found is not None:
        return Built(found.entry, found.folder, found.workspace, "memory", 0.0)
    with _guard:
        lock = _building.setdefault(digest, threading.Lock())
    with lock:
        found = _built.get(digest)
        if found is None:
            found = _built[digest] = _load(digest, plan)
        return found


def _load(digest: str, plan: Plan) -> Built:
    backend, cache = load_backend(plan.target.backend), default_cache()
    lacking = why_not(plan.target.backend, plan.target.machine)
    if lacking:
        raise TargetError(f"a kernel for {plan.target} can be emitted here and not run: {lacking}")
    start = time.perf_counter()
    for attempt in range(_ATTEMPTS):
        found = cache.find(digest)
        folder, manifest, origin = (*found, "disk") if found else cache.build(digest, lambda where: _build(plan, where))
        try:
            entry = backend.load(folder, manifest)
            break
        except (BuildError, OSError):
            if folder.is_dir() or attempt == _ATTEMPTS - 1:
                raise  # otherwise another process evicted the entry before it was loaded
    return Built(entry, folder, tuple(manifest["workspace"]), origin, time.perf_counter() - start)


def _build(plan: Plan, folder: Path) -> dict[str, Any]:
    """Emit and compile into a folder; the manifest of what came of it."""
    nest = plan.nest
    backend = load_backend(plan.target.backend)
    source = backend.emit(nest, plan.target)
    return {
        "backend": plan.target.backend,
        "summary": summary(plan),
        "entry": source.entry,
        "arrays": len(nest.buffers) + len(nest.workspace),
        "workspace": [_doubles(b) for b in nest.workspace],
        "threaded": nest.parallel_from != 0,
        "files": dict.fromkeys(backend.build(source, folder), ""),
    }


def _doubles(b: Buffer) -> int:
    """The size of a scratch array for one sample, in float64 elements."""
    from gngen.loopnest import WIDTH

    count = 1
    for extent in b.shape[1:]:
        assert isinstance(extent, int)
        count *= extent
    return -(-count * WIDTH[b.kind] // 64)


def digest_of(plan: Plan) -> str:
    """The name of everything that shapes the code: problem, schedule, machine, compiler and flags, gngen's version and templates."""
    backend = load_backend(plan.target.backend)
    problem, schedule = asdict(plan.problem), asdict(plan.schedule)
    del problem["batch"], schedule["reason"]
    parts = {
        "problem": problem,
        "schedule": schedule,
        "backend": plan.target.backend,
        "machine": asdict(plan.target.machine),
        "flags": backend.flags(plan.target),
        "compiler": backend.identity() if not backend.unavailable() else "",
        "gngen": [gngen.__version__, resources.fingerprint()],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def summary(plan: Plan) -> str:
    """One line that says what a kernel computes."""
    p = plan.problem
    also = "".join(f", {word}" for word in (p.activation, *p.fused) if word)
    return f"{_kinds(p)} [batch, {p.outer}, {p.groups}, {p.chans}, {p.inner}]{also} on {plan.target}, {plan.schedule.name}"


def _kinds(p: Problem) -> str:
    """The kinds of a problem's arrays: the data's, and the parameters' where that is another."""
    return p.data if p.parameters == p.data else f"{p.data} with {p.parameters} parameters"


def _facts(m: Machine | Gpu) -> str:
    """The facts of a machine that matter most."""
    if isinstance(m, Gpu):
        return f"{m.sms} SMs with {m.shared_sm >> 10} KB of shared memory, L2 {m.l2 >> 20} MB, {m.bandwidth} GB/s"
    return f"{m.vector_bits}-bit vectors, {m.cores} cores, L2 {m.l2 >> 10} KB, L3 {m.l3 >> 10} KB"


def _cpu_lines(s: Schedule) -> list[str]:
    numbers = f"lanes {s.lanes}, accumulators {s.accumulators}, strip {s.strip}, rows {s.rows}, tile {s.tile}, piece {s.piece}"
    if s.interleave > 1:
        numbers += f", interleave {s.interleave}"
    threads = {0: "one thread", 1: "all threads"}.get(s.parallel_from, f"threads from batch {s.parallel_from}")
    asked = f"; what is read is asked for {s.ahead} elements ahead" if s.ahead else ""
    return [f"          {numbers}; {threads}{', a sample at a time' if s.by_sample else ''}", f"stores    {s.store}{asked}"]


def _gpu_lines(plan: Plan, s: GpuSchedule) -> list[str]:
    from gngen.gpumodel import describe

    kept = {"register": "in registers", "shared": "in shared memory", "nowhere": "nowhere"}[s.held]
    numbers = f"split {s.split}, warps {s.warps}, rounds {s.rounds}, groups {s.groups}, held {kept}"
    try:
        with TemporaryDirectory(prefix="gngen-") as folder:
            reports = load_backend(plan.target.backend).reports(plan.source, Path(folder))
    except BuildError as e:
        reports = " ".join(str(e).split())[:200]
    return [f"          {numbers}", *describe(plan.problem, s, plan.target.gpu, plan.nest, reports)]


def explain(plan: Plan, digest: str, origin: str | None, seconds: float, launcher: Launcher | None) -> str:
    """The decisions, a line each; `origin` None for a kernel that was only planned."""
    p, s, m = plan.problem, plan.schedule, plan.target.machine
    lines = [
        f"spec      {plan.spec}",
        f"shape     {plan.layout.shape} {_kinds(p)}, memory order {plan.layout.order}",
        f"problem   batch {'any' if p.batch is None else p.batch}, outer {p.outer}, groups {p.groups}, chans {p.chans}, inner {p.inner}",
        f"target    {plan.target}: {m.description}; {_facts(m)}",
    ]
    if p.fused:
        lines.insert(3, f"fused     {', '.join(p.fused)}{'; x + residual is stored' if 'sum' in p.outputs else ''}")
    if plan.passed:
        lines.append(f"fallback  {plan.passed}")
    lines.append(f"schedule  {s.name}: {s.reason or 'asked for'}")
    lines += _gpu_lines(plan, s) if isinstance(s, GpuSchedule) else _cpu_lines(s)
    note = getattr(load_backend(plan.target.backend), "note", None)
    if note is not None and note(m):
        lines.append(f"note      {note(m)}")
    if plan.layout.copied:
        lines.append(f"copies    x is copied: {plan.layout.copied}")
    lines += [] if launcher is None else launcher.notes
    lines.append(f"key       {digest}")
    if origin is not None:
        lines.append(f"cache     {'miss, built' if origin == 'built' else f'hit, from {origin}'}, {seconds * 1e3:.1f} ms")
    return "\n".join(lines)
