"""The two loops that every element goes through, moments and elementwise, found in the nest and then in the assembly.

A nest's innermost loop is recognised by what one step of it does: multiply-adds, vector stores and vector operations. Compilers unroll it
several times and leave those numbers in proportion: multiply-adds are never made or split, since contraction is off. Where a machine has
no fused ones, the loop is taken that does most nearly as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gngen import loopnest as ir
from gngen.compare.instructions import Counts, Program
from gngen.loopnest import Call, Expr, Function, Load, Loop, LoopNest, Op, Stmt, Store

# What a machine may do without arithmetic of its own: move lanes, negate within a multiply-add, take bits for another type's.
_FREE = ("splat", "bitcast", "pack", "neg", "even", "odd", "zip")
# Instructions may be fewer than operations, where one does two, or more, as for a minimum; but no more than so many times.
_LEAST = 0.75
_MOST = 1.6


@dataclass(frozen=True)
class Step:
    """One step of a nest's loop: the elements of x that it is done with, its vector operations, multiply-adds among them, and stores."""

    elements: int
    operations: int
    fma: int
    stores: int

    @property
    def least(self) -> int:
        """Instructions where nothing is fused: a multiplication and an addition for each multiply-add."""
        return self.operations + self.fma


@dataclass(frozen=True)
class HotLoop:
    """A loop of the assembly as instructions `first` to `last`, and the elements of x that one iteration of it is done with."""

    first: int
    last: int
    elements: int


def find_loops(nest: LoopNest, program: Program, variant: str = "") -> tuple[HotLoop | None, HotLoop | None]:
    """The loops of moments and of the elementwise pass; None where no loop of the assembly looks like the nest's.

    variant: how the names of the functions end that are looked at.
    """
    steps = [_step(nest, loop) for loop in _innermost(nest.body)]
    moments, elementwise = (
        max((s for s, stores_y in steps if stores_y == writes and s.elements and s.operations), key=lambda s: s.operations, default=None)
        for writes in (False, True)
    )
    candidates = [loop for loop in program.loops if program.function_at(loop[0]).endswith(variant)]
    last = _match(elementwise, program, candidates)
    return _match(moments, program, [loop for loop in candidates if last is None or loop[0] != last.first]), last


def _innermost(body: tuple[Stmt, ...]) -> Iterator[Loop]:
    for s in ir.walk(body):
        if isinstance(s, Loop) and not any(isinstance(inner, Loop) for inner in ir.walk(s.body)):
            yield s


def _step(nest: LoopNest, loop: Loop) -> tuple[Step, bool]:
    """What a step does, and whether it stores y. Parts of vectors are no steady state: a loop of them has no elements."""
    functions = {f.name: f for f in nest.functions}
    stores = [s for s in ir.walk(loop.body) if isinstance(s, Store) and s.value.type.lanes > 1]
    found = list(_expressions(loop.body, functions))
    operations = [e for e in found if isinstance(e, Op) and e.type.lanes > 1 and e.name not in _FREE]
    loads = [e for e in found if isinstance(e, Load) and e.type.lanes > 1]
    outputs = [s for s in stores if s.buffer.name == "y"]
    reads = [e for e in loads if e.buffer.name == "x"]
    whole = all(s.end is None for s in stores) and all(e.end is None for e in loads)
    elements = sum(s.value.type.lanes for s in outputs) if outputs else sum(e.type.lanes for e in reads)
    fma = sum(e.name == "fma" for e in operations)
    return Step(elements if whole else 0, len(operations), fma, len(stores)), bool(outputs)


def _expressions(body: tuple[Stmt, ...], functions: dict[str, Function]) -> Iterator[Expr]:
    """Every expression of a body, and of the functions that it calls."""
    for e in ir.nest_expressions(body):
        yield e
        if isinstance(e, Call):
            f = functions[e.function]
            yield from _expressions((*f.body, ir.Let(ir.Var("result", e.type), f.result)), functions)


def _match(step: Step | None, program: Program, loops: Sequence[tuple[int, int]]) -> HotLoop | None:
    """The loop of the assembly that is most like so many steps; of several, the one that does the most at a time."""
    if step is None:
        return None
    fused = program.counts.fma > 0
    found = []
    for first, last in loops:
        counts = program.loop_counts((first, last))
        steps = _steps(step, counts, fused)
        if steps:
            unlike = 0.0 if fused and step.fma else abs(counts.computing / (step.least * steps) - 1)
            found.append((unlike, -steps, counts.all, HotLoop(first, last, steps * step.elements)))
    return min(found, key=lambda item: item[:3])[3] if found else None


def _steps(step: Step, counts: Counts, fused: bool) -> int:
    """How many steps of the nest an iteration does, or 0."""
    if fused and step.fma:
        steps = counts.fma // step.fma
        fits = counts.fma == step.fma * steps and step.stores * steps <= 2 * counts.vector_stores  # an instruction may store two vectors
    else:
        steps = counts.vector_stores // step.stores if step.stores else round(counts.computing / step.least)
        fits = counts.vector_stores == step.stores * steps
    fits = fits and counts.vector_stores <= step.stores * steps
    return steps if fits and _LEAST * step.operations * steps <= counts.computing <= _MOST * step.least * steps else 0
