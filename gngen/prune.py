"""A pass: leave out the variables that nothing reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from gngen import loopnest as ir
from gngen.loopnest import Stmt


def prune(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """The same statements without declarations and assignments of variables that are never read; values have no effects."""
    while True:
        reads = Counter(e.name for e in ir.nest_expressions(body) if isinstance(e, ir.Var))
        for s in ir.walk(body):
            if isinstance(s, ir.Assign):  # a variable that only its own assignments read is not used either
                reads.subtract(e.name for e in ir.walk_expr(s.value) if isinstance(e, ir.Var) and e.name == s.var.name)
        kept = _without({name for name in _declared(body) if reads[name] <= 0}, body)
        if kept == body:
            return body
        body = kept


def _declared(body: tuple[Stmt, ...]) -> set[str]:
    return {s.var.name for s in ir.walk(body) if isinstance(s, ir.Let)}


def _without(unused: set[str], body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    found: list[Stmt] = []
    for s in body:
        if isinstance(s, (ir.Let, ir.Assign)) and s.var.name in unused:
            continue
        if not isinstance(s, (ir.Loop, ir.Parallel, ir.Launch, ir.If)):
            found.append(s)
            continue
        inner = _without(unused, s.body)
        if inner or isinstance(s, (ir.Parallel, ir.Launch)):
            found.append(replace(s, body=inner))
    return tuple(found)
