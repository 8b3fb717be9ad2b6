"""Instructions of an assembly text, counted by kind, and its innermost loops.

What counts as what is said by the patterns of `gngen.compare.dialects`; directives, labels and data are no instructions. An instruction may
be of several kinds: a multiply-add of an operand in memory is a fused multiply-add and a vector load. What is at a fixed distance from the
stack pointer is a spill when it is written and a reload when it is read, and no vector load or store; where the compiler itself marks
spills, as LLVM does, its marks count instead. Registers that are saved for the caller are among them, but for x86's pushes and pops.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gngen.compare.dialects import WASM, Dialect, dialect_of

_LABEL = re.compile(r'([\w.$@<>]+|"[^"]+"):\s*')
_PREFIX = re.compile(r"(?:\{\w+\} |lock |rep\w* |notrack |data16 |@!?%\w+ )+")
_INSTRUCTION = re.compile(r"[a-z][\w.]*(?:[ ;]|$)")
_MARK = re.compile(r"(Spill|Reload)\b")
# What LLVM writes beside a block in a text with comments, and only there.
_COMMENTED = re.compile(r"%bb\.\d+:")


@dataclass(frozen=True)
class Counts:
    """How many instructions of each kind; None where the text cannot tell (WebAssembly and PTX have no registers of a machine).

    arithmetic: of vectors, without fused multiply-adds. all: whatever their kind.
    """

    vector_loads: int
    vector_stores: int
    fma: int
    arithmetic: int
    spills: int | None
    reloads: int | None
    branches: int
    calls: int
    all: int

    @property
    def computing(self) -> int:
        """Vector arithmetic, fused or not."""
        return self.fma + self.arithmetic


@dataclass(frozen=True)
class Instruction:
    """One instruction: its text with single spaces, and the kinds that it is of, in the words of `Counts`."""

    text: str
    kinds: frozenset[str]


@dataclass(frozen=True)
class Program:
    """The instructions of a text in order, its innermost loops as ranges of them (first and last, both within), and where functions begin.

    Code that is placed out of line and jumps back looks like a loop too.
    """

    dialect: Dialect
    instructions: tuple[Instruction, ...]
    loops: tuple[tuple[int, int], ...]
    functions: tuple[tuple[int, str], ...]

    @property
    def counts(self) -> Counts:
        """Of the whole text."""
        return self._count(self.instructions)

    def function_at(self, at: int) -> str:
        """The name of the function that an instruction is in."""
        return next((name for start, name in reversed(self.functions) if start <= at), "")

    def loop_counts(self, loop: tuple[int, int]) -> Counts:
        """Of one loop."""
        return self._count(self.loop_body(loop))

    def loop_body(self, loop: tuple[int, int]) -> tuple[Instruction, ...]:
        """The instructions of one loop."""
        return self.instructions[loop[0] : loop[1] + 1]

    def _count(self, instructions: Sequence[Instruction]) -> Counts:
        found = Counter(kind for i in instructions for kind in i.kinds)
        return Counts(
            vector_loads=found["vector_loads"],
            vector_stores=found["vector_stores"],
            fma=found["fma"],
            arithmetic=found["arithmetic"],
            spills=found["spills"] if self.dialect.stack else None,
            reloads=found["reloads"] if self.dialect.stack else None,
            branches=found["branches"],
            calls=found["calls"],
            all=len(instructions),
        )


def read_assembly(text: str, arch: str) -> Program:
    """The program that an assembly text of an architecture says, as `gngen.compare.dialects.dialect_of` knows it.

    >>> read_assembly("vfmadd231ps (%rax), %ymm1, %ymm0", "x86_64").counts
    Counts(vector_loads=1, vector_stores=0, fma=1, arithmetic=0, spills=0, reloads=0, branches=0, calls=0, all=1)

    Raises:
        TargetError: an architecture without a dialect.
    """
    dialect = dialect_of(arch)
    reader = _Reader(dialect, marked=_COMMENTED.search(text) is not None)
    for line in text.splitlines():
        reader.take(line)
    loops = _structured(reader) if dialect is WASM else _backward(reader)
    return Program(dialect, tuple(reader.instructions), _innermost(loops), tuple(reader.functions))


class _Reader:
    """Instructions and the places of labels, a line at a time."""

    def __init__(self, dialect: Dialect, marked: bool) -> None:
        self.dialect, self.marked = dialect, marked
        self.instructions: list[Instruction] = []
        self.labels: dict[str, int] = {}
        self.functions: list[tuple[int, str]] = []
        self._kinds = [
            (kind, re.compile(getattr(dialect, pattern)))
            for kind, pattern in (
                ("vector_loads", "vector_load"),
                ("vector_stores", "vector_store"),
                ("fma", "fma"),
                ("arithmetic", "arithmetic"),
                ("branches", "branch"),
                ("calls", "call"),
            )
        ]
        self._stack = re.compile(dialect.stack) if dialect.stack else None

    def take(self, line: str) -> None:
        code, _, comment = line.partition(self.dialect.comment)
        code = " ".join(code.split())
        while label := _LABEL.match(code):
            self.labels[label[1].strip('"')] = len(self.instructions)
            code = code[label.end() :]
            if label[1][0] not in ".$":
                self._enter_function(label[1])
        code = _PREFIX.sub("", code, count=1) if _PREFIX.match(code) else code
        if _INSTRUCTION.match(code):
            self.instructions.append(Instruction(code, self._kinds_of(code, comment)))
            self._see_frame(code)

    def _kinds_of(self, code: str, comment: str) -> frozenset[str]:
        text = code if " " in code else f"{code} "
        found = {kind for kind, pattern in self._kinds if pattern.match(text)}
        at_stack = self._at_stack(text, comment)
        return frozenset(found - {"vector_loads", "vector_stores"} | {at_stack} if at_stack else found)

    def _at_stack(self, text: str, comment: str) -> str:
        """spills, reloads, or "" for an instruction that is neither."""
        if self.marked:
            mark = _MARK.search(comment)
            return "" if mark is None else f"{mark[1].lower()}s"
        if self._stack is None or not self._stack.search(text):
            return ""
        if self.dialect.neither and re.match(self.dialect.neither, text):
            return ""
        return "spills" if re.match(self.dialect.write, text) else "reloads"

    def _enter_function(self, name: str) -> None:
        self.functions.append((len(self.instructions), name))
        if self.dialect.stack:
            self._stack = re.compile(self.dialect.stack)

    def _see_frame(self, code: str) -> None:
        """A register that becomes a copy of the stack pointer, or a fixed distance from it."""
        frame = re.match(self.dialect.frame, code) if self.dialect.frame else None
        if frame:
            self._stack = re.compile(f"{self.dialect.stack}|{self.dialect.framed.format(re.escape(frame[1]))}")


def _backward(reader: _Reader) -> list[tuple[int, int]]:
    """Loops as jumps to a label before them."""
    found = []
    for at, instruction in enumerate(reader.instructions):
        if "branches" not in instruction.kinds:
            continue
        for word in re.findall(r"[\w.$@]+", instruction.text)[1:]:
            start = reader.labels.get(word)
            if start is not None and start <= at:
                found.append((start, at))
    return found


def _structured(reader: _Reader) -> list[tuple[int, int]]:
    """WebAssembly's loops, from `loop` to `end_loop`."""
    found, open_loops = [], []
    for at, instruction in enumerate(reader.instructions):
        word = instruction.text.split()[0]
        if word == "loop":
            open_loops.append(at)
        elif word == "end_loop":
            found.append((open_loops.pop(), at))
    return found


def _innermost(loops: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Those that have no other within; of several that begin at one place, the longest is the loop."""
    longest = {first: max(last for start, last in loops if start == first) for first, _ in loops}
    whole = sorted(longest.items())
    return tuple(loop for loop in whole if not any(other != loop and loop[0] <= other[0] and other[1] <= loop[1] for other in whole))
