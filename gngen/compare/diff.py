"""Two kernels of one layer as text, beside each other: what the nest, the source or the assembly of one has that the other has not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from gngen import api
from gngen.compare.code import texts_of
from gngen.errors import BuildError, SpecError
from gngen.spec import GroupNormSpec

if TYPE_CHECKING:
    from rich.text import Text

_CONTEXT = 3


@dataclass(frozen=True)
class Side:
    """One of the two: what it is called, and its lines."""

    name: str
    lines: tuple[str, ...]


def make_side(asked: str, of: str, spec: GroupNormSpec, **problem: Any) -> Side:
    """The text of a kernel on ``target`` or ``target@schedule``; only assembly is compiled, and nothing is run.

    Args:
        of: source, nest or assembly. problem: as for `gngen.emit`.

    Raises:
        TargetError, SpecError: no such target or schedule. BuildError: the compiler refused.
    """
    target, at, schedule = asked.partition("@")
    if at and not schedule:
        raise SpecError(f"{asked!r} names no schedule after @; write a target, or target@schedule, as c:x86-64-v3@rows")
    plan = api.plan(spec, target=target, schedule=schedule or None, **problem)
    if of == "assembly":
        texts = texts_of(plan)
        if texts.no_assembly:
            raise BuildError(texts.no_assembly)
        text = texts.assembly
    else:
        text = plan.source.text if of == "source" else str(plan.nest)
    return Side(asked, tuple(text.splitlines()))


def unified(a: Side, b: Side) -> list[str]:
    """The lines of a unified diff; none where both are the same."""
    return list(unified_diff(a.lines, b.lines, a.name, b.name, n=_CONTEXT, lineterm=""))


def coloured(line: str) -> Text:
    """A line of a unified diff, in the colours of its kind."""
    from rich.text import Text

    heads = {"---": "bold", "+++": "bold", "@@": "cyan", "-": "red", "+": "green"}
    return Text(line, next((style for head, style in heads.items() if line.startswith(head)), ""))


def side_by_side(a: Side, b: Side, width: int) -> Iterator[Text]:
    """The lines in two columns, `width` together: < only on the left, > only on the right, | not the same; with three lines around."""
    column = max(20, (width - 3) // 2)
    yield _pair(a.name, b.name, " ", column, "bold")
    groups = SequenceMatcher(None, a.lines, b.lines).get_grouped_opcodes(_CONTEXT)
    for group in groups:
        yield _rule(group[0][1], group[0][3], column)
        for kind, first, last, start, stop in group:
            yield from _rows(kind, a.lines[first:last], b.lines[start:stop], column)


def _rows(kind: str, left: Sequence[str], right: Sequence[str], column: int) -> Iterator[Text]:
    for one, other in zip_longest(left, right):
        mark = " " if kind == "equal" else "<" if other is None else ">" if one is None else "|"
        yield _pair(one or "", other or "", mark, column, {" ": "", "<": "red", ">": "green", "|": "yellow"}[mark])


def _rule(line: int, other: int, column: int) -> Text:
    return _pair(f"line {line + 1}", f"line {other + 1}", " ", column, "cyan")


def _pair(left: str, right: str, mark: str, column: int, style: str) -> Text:
    from rich.text import Text

    cells = [_cut(cell.expandtabs(4), column) for cell in (left, right)]
    return Text(f"{cells[0]:<{column}} {mark} {cells[1]}".rstrip(), style)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
