"""What the code of a kernel is, from its assembly: bytes, instructions by kind, and what llvm-mca says of its hot loops. Nothing is run."""

from __future__ import annotations

from dataclasses import dataclass

from gngen.backends import load_backend
from gngen.compare import mca
from gngen.compare.codesize import code_bytes
from gngen.compare.hotloops import HotLoop, find_loops
from gngen.compare.instructions import Counts, Program, read_assembly
from gngen.errors import BuildError
from gngen.kernel import Plan
from gngen.loopnest import LoopNest
from gngen.source import Source
from gngen.target import Gpu, Machine, Target, load_cpu, parse_target, runs_here


@dataclass(frozen=True)
class LoopCode:
    """One loop: the elements of x that an iteration is done with, its instructions, and its cycles, None for the reason in no_cycles."""

    elements: int
    counts: Counts
    cycles: float | None = None
    no_cycles: str = ""


@dataclass(frozen=True)
class Code:
    """bytes: of machine code, None where the backend makes no object file. counts: of all instructions.

    moments, elementwise: the loops that every element goes through, None where they are not recognised. processor: whose model the
    cycles are estimated by, "" where there is none.
    """

    bytes: int | None
    counts: Counts
    moments: LoopCode | None = None
    elementwise: LoopCode | None = None
    processor: str = ""

    @property
    def element_cycles(self) -> float | None:
        """Cycles for one element of x in both loops."""
        total = 0.0
        for loop in (self.moments, self.elementwise):
            if loop is None or loop.cycles is None:
                return None
            total += loop.cycles / loop.elements
        return total

    @property
    def no_cycles(self) -> str:
        """Why there are no cycles for an element, or ""."""
        for name, loop in (("moments", self.moments), ("the elementwise pass", self.elementwise)):
            if loop is None:
                return f"no loop of the assembly looks like that of {name}"
            if loop.cycles is None:
                return loop.no_cycles
        return ""


@dataclass(frozen=True)
class Texts:
    """A kernel as it goes through the steps: the loop nest, the source (or IR), and the assembly, or "" for the reason in no_assembly."""

    nest: LoopNest
    source: Source
    assembly: str
    no_assembly: str = ""


def why_foreign(name: str) -> str:
    """Why kernels for a target cannot run on this machine, though they can be compiled here; or "".

    Raises:
        TargetError: no such target.
    """
    return "" if name == "auto" else runs_here(parse_target(name).machine)


def texts_of(plan: Plan) -> Texts:
    """A plan's texts; compiles.

    Raises:
        TargetError: a backend that compiles for this machine alone, and a target of another.
    """
    nest, source = plan.nest, plan.source
    try:
        return Texts(nest, source, plan.assembly())
    except BuildError as e:
        return Texts(nest, source, "", str(e))


def examine(target: Target, texts: Texts) -> Code:
    """The code of a kernel.

    Raises:
        BuildError: there is no assembly, or the compiler refused. TargetError: an architecture whose assembly is not known.
    """
    if texts.no_assembly:
        raise BuildError(texts.no_assembly)
    machine = _compiled_for(target)
    program = read_assembly(texts.assembly, machine.arch)
    size = _bytes(target, texts.source)
    if isinstance(machine, Gpu):
        return Code(size, program.counts)
    moments, elementwise = (_loop_code(machine, program, loop) for loop in find_loops(texts.nest, program, _variant(machine, program)))
    return Code(size, program.counts, moments, elementwise, mca.processor_of(machine))


def _compiled_for(target: Target) -> Machine | Gpu:
    """The machine whose assembly a target's is: its own, or this one for a target of any."""
    return load_cpu("host") if target.machine.arch == "any" else target.machine


def _variant(machine: Machine, program: Program) -> str:
    """Of code for several vector lengths, how the names end of that for the longest, whose vectors are the nest's."""
    variant = f"_from{max(machine.vector_lengths, default=0)}"
    return variant if any(name.endswith(variant) for _, name in program.functions) else ""


def _bytes(target: Target, source: Source) -> int | None:
    if isinstance(target.machine, Gpu):
        return None
    make = getattr(load_backend(target.backend), "object_code", None)
    return None if make is None else code_bytes(make(source, target))


def _loop_code(machine: Machine, program: Program, loop: HotLoop | None) -> LoopCode | None:
    if loop is None:
        return None
    counts = program.loop_counts((loop.first, loop.last))
    if counts.calls:
        return LoopCode(loop.elements, counts, None, "the loop calls functions")
    lines = [i.text for i in program.instructions]
    try:
        cycles = mca.loop_cycles(lines[loop.first : loop.last + 1], lines[: loop.first], machine.triple, mca.processor_of(machine))
    except BuildError as e:
        return LoopCode(loop.elements, counts, None, str(e))
    return LoopCode(loop.elements, counts, cycles)
