"""What a builder writes: statements side by side."""

from __future__ import annotations

from gngen import loopnest as ir
from gngen.builder import Builder
from gngen.loopnest import Function, Let, Type, Var
from gngen.nestprint import show_stmt

F32 = Type("f32", 4)
X = Var("x", F32)
# 2 (x + 1), in two steps
TWICE = Function("twice", (X,), (Let(Var("r", F32), ir.add(X, ir.const(1, F32))),), ir.add(Var("r", F32), Var("r", F32)))


def written(b: Builder) -> list[str]:
    return [show_stmt(s) for s in b.finish()]


def test_a_statement_of_each_in_turn() -> None:
    b = Builder()
    inputs = [b.let("v", ir.const(value, F32)) for value in (3, 4)]

    def visit(v: Var) -> Var:
        square = b.let("square", ir.mul(v, v))
        return b.let("more", b.call(TWICE, square))

    left = b.side_by_side([lambda v=v: visit(v) for v in inputs])
    assert [v.name for v in left] == ["more", "more_2"]
    assert written(b)[2:] == [
        "let square: f32x4 = v * v",
        "let square_2: f32x4 = v_2 * v_2",
        "let r: f32x4 = square + 1.0",
        "let r_2: f32x4 = square_2 + 1.0",
        "let more: f32x4 = r + r",
        "let more_2: f32x4 = r_2 + r_2",
    ]


def test_one_alone_calls_functions() -> None:
    b = Builder()
    v = b.let("v", ir.const(3, F32))
    b.side_by_side([lambda: b.let("more", b.call(TWICE, v))])
    assert written(b)[1:] == ["let more: f32x4 = twice(v)"]
    assert list(b.functions) == ["twice"]


def test_sums_are_added_to_in_order_whatever_is_named_before() -> None:
    """One has a name for its place and the other needs none: the statements that follow still meet."""
    b = Builder()
    total = b.let("total", ir.const(0, F32))

    def add(place: ir.Expr | int) -> None:
        at = b.named("at", place)
        b.assign(total, ir.add(total, ir.splat(ir.cast(at, "f32"), 4)))

    n = Var("n", ir.I64)
    b.side_by_side([lambda place=place: add(place) for place in (n, ir.add(n, 4), n)])
    assert [s.split(" = ")[0] for s in written(b)[1:]] == ["let at: i64", "total", "total", "total"]
    assert "at" in written(b)[3]


def test_names_of_a_function_meet_none_of_the_nest() -> None:
    b = Builder()
    b.let("r", ir.const(3, F32))
    r_2 = b.let("r", ir.const(4, F32))
    b.side_by_side([lambda: b.let("more", b.call(TWICE, r_2)), lambda: b.let("more", b.call(TWICE, r_2))])
    names = [s.var.name for s in b.finish() if isinstance(s, Let)]
    assert len(names) == len(set(names)) == 6
