"""What a bundle holds, decided before anything is written: kernels, the machines that they are compiled for, and their symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gngen import loopnest as ir
from gngen.backends import BACKENDS, load_backend
from gngen.bundle.layers import BundleLayer, identifier
from gngen.errors import SpecError, TargetError
from gngen.loopnest import Buffer
from gngen.phases import split_phases
from gngen.problem import Problem
from gngen.schedule import Schedule, choose_schedule
from gngen.source import Source
from gngen.target import Gpu, Machine, Target, host_arch, parse_target

MISSING = ("error", "generic")
# Where a scratch array begins, and the workspace itself, in bytes.
ALIGNMENT = 64
# The argument of the public interface that a kernel's buffer is.
_ARGUMENTS = {"own_scale": "scale", "own_shift": "shift", "summed": "sum"}


@dataclass(frozen=True)
class Kernel:
    """A problem that the bundle serves, whatever the batch, and the name that its files and symbols have."""

    name: str
    problem: Problem


@dataclass(frozen=True)
class Piece:
    """A kernel for one machine: its phases as text.

    items: of each phase, how many there are: a fixed number, and so many for each sample. scratch: the bytes of each scratch array for one
    sample. rounds: the phases that are gone through together, as the first, how many, and whether that is for each sample anew.
    arguments: the names of the public arguments in the order of its buffers. parallel_from: the batch from which threads pay.
    """

    kernel: Kernel
    target: Target
    symbol: str
    source: Source
    schedule: Schedule
    buffers: tuple[Buffer, ...]
    workspace: tuple[Buffer, ...]
    items: tuple[tuple[int, int], ...]
    scratch: tuple[int, ...]
    rounds: tuple[tuple[int, int, bool], ...]
    parallel_from: int

    @property
    def by_sample(self) -> bool:
        """Whether its phases take the number of a sample."""
        return any(each for _, _, each in self.rounds)

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(_ARGUMENTS.get(b.name, b.name) for b in self.buffers)


@dataclass(frozen=True)
class Level:
    """A machine's kernels; of an architecture's levels the best that the processor has is taken when the program runs."""

    target: Target
    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Arch:
    """What is in one library: the levels of an architecture, the best first."""

    name: str
    levels: tuple[Level, ...]

    @property
    def machine(self) -> Machine:
        """The least that the library is for."""
        return self.levels[-1].target.cpu


@dataclass(frozen=True)
class Bundle:
    """A bundle: its name, which is the prefix of everything public; what becomes of a shape that it has no kernel for; what is in it."""

    name: str
    missing: str
    layers: tuple[BundleLayer, ...]
    kernels: tuple[Kernel, ...]
    arches: tuple[Arch, ...]

    def kernel_of(self, layer: BundleLayer) -> int:
        """The number of a layer's kernel."""
        return [k.problem for k in self.kernels].index(layer.problem)


def make_bundle(name: str, layers: Sequence[BundleLayer], targets: Sequence[str], missing: str) -> Bundle:
    """Decide what is in a bundle, and emit its kernels.

    Raises:
        SpecError: a name that is none in C, layers whose functions would have one name, a policy that is not known.
        TargetError: a target that is not known, or none that compiles to plain files.
    """
    if not name.isidentifier() or not name.isascii() or name.startswith("_"):
        raise SpecError(f"the name of a bundle begins its functions' names: a C identifier such as gn; received {name!r}")
    if missing not in MISSING:
        raise SpecError(f"missing {missing!r} is not known; choose from {', '.join(MISSING)}")
    _check_functions(layers)
    kernels: dict[Problem, Kernel] = {}
    for layer in layers:
        kernels.setdefault(layer.problem, Kernel(layer.function, layer.problem))
    return Bundle(name, missing, tuple(layers), tuple(kernels.values()), _arches(name, tuple(kernels.values()), targets))


# What the functions of a bundle are called besides those of its layers, and what follows a layer's name.
PUBLIC = (
    "group_norm", "workspace", "phases", "items", "run", "message", "machine", "machine_name", "use_machine", "digest",
)  # fmt: skip
SUFFIXES = ("", "_workspace", "_phases", "_items", "_run")
_TYPES = ("args", "problem", "ok")


def _check_functions(layers: Sequence[BundleLayer]) -> None:
    """Every public name is there once."""
    if not layers:
        raise SpecError("a bundle is made for at least one layer")
    taken = dict.fromkeys((*PUBLIC, *_TYPES), "the bundle's own interface")
    for layer in layers:
        for suffix in SUFFIXES:
            symbol = layer.function + suffix
            if symbol in taken:
                raise SpecError(f"layer {layer.name} would have a function ..._{symbol}, as {taken[symbol]} has; give it another name")
            taken[symbol] = f"layer {layer.name}"


def _arches(name: str, kernels: Sequence[Kernel], targets: Sequence[str]) -> tuple[Arch, ...]:
    if not targets:
        raise TargetError("a bundle is made for at least one target")
    by_arch: dict[str, list[Target]] = {}
    for target in map(_parse, dict.fromkeys(targets)):
        arch = host_arch() if target.cpu.arch == "any" else target.cpu.arch
        by_arch.setdefault(arch, []).append(target)
    return tuple(
        Arch(arch, tuple(_level(name, kernels, t) for t in sorted(found, key=_rank, reverse=True))) for arch, found in by_arch.items()
    )


def _rank(target: Target) -> tuple[bool, int, int]:
    m = target.cpu
    return m.arch != "any", m.vector_bits, len(m.needs)


def _parse(text: str) -> Target:
    """A target that can be written as phases."""
    target = parse_target(text)
    if target.backend not in _backends():
        raise TargetError(
            f"target {text} compiles to no plain files; choose from {', '.join(_backends())}, each with a machine as c:x86-64-v3"
        )
    if isinstance(target.machine, Gpu):
        raise TargetError(f"target {text} is a GPU, and a bundle is for CPUs; for a GPU, gngen emit --target {text} gives the kernels")
    return target


def _backends() -> tuple[str, ...]:
    """Those that make object files of the phases of a nest."""
    return tuple(b for b in BACKENDS if all(hasattr(load_backend(b), made) for made in ("emit_phases", "object_code")))


def _level(name: str, kernels: Sequence[Kernel], target: Target) -> Level:
    own = identifier(str(target))
    return Level(target, own, tuple(_piece(f"{name}_{own}_{kernel.name}", kernel, target) for kernel in kernels))


def _piece(symbol: str, kernel: Kernel, target: Target) -> Piece:
    from gngen.lowering import lower_problem

    schedule = choose_schedule(kernel.problem, target.cpu)
    nest = lower_problem(kernel.problem, schedule)
    source: Any = load_backend(target.backend).emit_phases(nest, target, symbol)
    split = split_phases(nest)
    return Piece(
        kernel,
        target,
        symbol,
        source,
        replace(schedule, reason=""),
        nest.buffers,
        nest.workspace,
        tuple((0, phase.count) if phase.by_batch else (phase.count, 0) for phase in split.phases),
        tuple(_aligned_bytes(b) for b in nest.workspace),
        tuple((numbers[0], len(numbers), each) for each, numbers in split.rounds),
        schedule.parallel_from,
    )


def _aligned_bytes(b: Buffer) -> int:
    """The bytes of a scratch array for one sample, up to where the next may begin."""
    size = ir.fixed_elements(b) * ir.WIDTH[b.kind] // 8
    return -(-size // ALIGNMENT) * ALIGNMENT
