"""A pass: loops that run a fixed number of times and ask to be unrolled whole become their bodies, one after the other.

``for k in 0 .. 2 step 1 unroll 2: held[k] = x[k]``  ->  ``held[0] = x[0]; held[1] = x[1]``

So registers are found by numbers, in a language that has no arrays of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gngen import loopnest as ir
from gngen.loopnest import Const, Expr, Stmt

_FOLDED = {"add": ir.add, "sub": ir.sub, "mul": ir.mul, "div": ir.div, "rem": ir.rem, "min": ir.minimum, "max": ir.maximum}
_HOLDS = {"lt": int.__lt__, "le": int.__le__, "gt": int.__gt__}


def unroll_body(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """The statements with their loops unrolled."""
    return tuple(_statements(body, {}))


def is_unrolled(s: ir.Loop) -> bool:
    """Whether a loop is one to unroll."""
    fixed = isinstance(s.start, Const) and isinstance(s.stop, Const)
    return fixed and s.unroll * s.step >= int(s.stop.value) - int(s.start.value)  # type: ignore[union-attr]


def _statements(body: tuple[Stmt, ...], values: Mapping[str, Expr]) -> Iterator[Stmt]:
    for s in body:
        match s:
            case ir.Let() | ir.Assign():
                yield replace(s, value=_replaced(s.value, values))
            case ir.Store():
                end = None if s.end is None else _replaced(s.end, values)
                yield replace(s, index=_all(s.index, values), value=_replaced(s.value, values), end=end)
            case ir.Prefetch():
                yield replace(s, index=_all(s.index, values))
            case ir.Loop():
                yield from _loop(replace(s, start=_replaced(s.start, values), stop=_replaced(s.stop, values)), values)
            case ir.If():
                yield from _if(_replaced(s.condition, values), s.body, values)
            case ir.Launch():
                yield replace(s, body=tuple(_statements(s.body, values)))
            case _:
                yield s


def _loop(s: ir.Loop, values: Mapping[str, Expr]) -> Iterator[Stmt]:
    if not is_unrolled(s):
        yield replace(s, body=tuple(_statements(s.body, values)))
        return
    assert isinstance(s.start, Const)
    assert isinstance(s.stop, Const)
    for at in range(int(s.start.value), int(s.stop.value) - s.step + 1, s.step):
        yield from _statements(s.body, {**values, s.var.name: ir.const(at)})


def _if(condition: Expr, body: tuple[Stmt, ...], values: Mapping[str, Expr]) -> Iterator[Stmt]:
    """A condition between numbers is decided here."""
    inside = _statements(body, values)
    match condition:
        case ir.Op("lt" | "le" | "gt" as name, (Const(int() as a), Const(int() as b))):
            if _HOLDS[name](a, b):
                yield from inside
        case _:
            yield ir.If(condition, tuple(inside))


def _all(expressions: tuple[Expr, ...], values: Mapping[str, Expr]) -> tuple[Expr, ...]:
    return tuple(_replaced(e, values) for e in expressions)


def _replaced(e: Expr, values: Mapping[str, Expr]) -> Expr:
    """An expression with variables replaced; integer arithmetic folds anew."""
    match e:
        case ir.Var():
            return values.get(e.name, e)
        case ir.Op(name, args, t):
            given = _all(args, values)
            return _FOLDED[name](*given) if t == ir.I64 and name in _FOLDED else replace(e, args=given)
        case ir.Call():
            return replace(e, args=_all(e.args, values))
        case ir.Load():
            end, fill = (None if x is None else _replaced(x, values) for x in (e.end, e.fill))
            return replace(e, index=_all(e.index, values), end=end, fill=fill)
        case ir.Peel():
            return replace(e, index=_all(e.index, values))
        case ir.Peer():
            return replace(e, block=_replaced(e.block, values), index=_all(e.index, values))
    return e
