"""The loop nest as text."""

from __future__ import annotations

import re

import pytest

import gngen
from gngen import loopnest as ir
from gngen.builder import Builder
from gngen.loopnest import F64, I64, Buffer, Call, Comment, Const, Fence, Function, Let, LoopNest, Op, Peel, Type, Var
from gngen.nestprint import show, show_expr, show_stmt
from gngen.problem import specialize
from gngen.spec import GroupNormSpec
from gngen.verify import verify

BATCH = Var("batch", I64)
N, J = Var("n", I64), Var("i", I64)
X = Buffer("x", "f32", (BATCH, 8), "input")
A, V = Var("a", F64), Var("v", Type("f32", 4))
ONE = Const(1.0, F64)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Const(3, I64), "3"),
        (Const(0.25, F64), "0.25"),
        (A, "a"),
        (ir.mul(ir.add(A, ONE), A), "(a + 1.0) * a"),
        (ir.add(A, ir.mul(ONE, A)), "a + 1.0 * a"),
        (ir.sub(A, ir.sub(A, ONE)), "a - (a - 1.0)"),
        (ir.sub(ir.sub(A, A), ONE), "a - a - 1.0"),
        (ir.div(A, ir.mul(A, A)), "a / (a * a)"),
        (ir.compare("lt", N, J), "n < i"),
        (ir.logical_not(ir.compare("le", A, ONE)), "not(a <= 1.0)"),
        (ir.select(ir.compare("gt", A, ONE), A, ONE), "select(a > 1.0, a, 1.0)"),
        (ir.fma(A, A, ONE), "fma(a, a, 1.0)"),
        (ir.unary("neg", A), "neg(a)"),
        (ir.maximum(A, ONE), "max(a, 1.0)"),
        (ir.cast(V, "f64"), "f64x4(v)"),
        (ir.bitcast(A, "i64"), "i64_bits(a)"),
        (ir.splat(A, 4), "f64x4(a)"),
        (ir.reduce_add(V), "reduce_add(v)"),
        (ir.shift_left(N, 3), "n << 3"),
        (ir.main_end(N, 8, 4), "main_end(n, 8, 4)"),
        (ir.advance(N, J, Const(8, I64)), "advance(n, i, 8)"),
        (ir.Load(X, (N, J), Type("f32")), "x[n, i]"),
        (ir.Load(X, (N, J), Type("f32", 4)), "x[n, i]:4"),
        (ir.Load(X, (N, J), Type("f32", 4), Const(8, I64), V), "x[n, i until 8]:4 else v"),
        (Peel(X, (N, J), 4), "peel(x[n, i], 4)"),
        (Call("silu_f64", (A,), F64), "silu_f64(a)"),
        (Op("abs", (A,), F64), "abs(a)"),
    ],
)
def test_expressions(expr: ir.Expr, text: str) -> None:
    assert show_expr(expr) == text


def test_integer_arithmetic_folds_as_it_is_built() -> None:
    for expr, text in (
        (ir.add(ir.add(N, 3), 4), "n + 7"),
        (ir.mul(N, 1), "n"),
        (ir.mul(N, 0), "0"),
        (ir.add(0, N), "n"),
        (ir.mul(3, N), "n * 3"),
        (ir.minimum(7, 3), "3"),
        (ir.div(ir.const(7), 2), "3"),
        (ir.main_end(1, 8, 3), "7"),
        (ir.main_end(9, 8, 3), "9"),
    ):
        assert show_expr(expr) == text
    assert show_expr(ir.flat_index(Buffer("y", "f32", (BATCH, 3, 4), "output"), (N, J, ir.const(2)))) == "n * 12 + i * 4 + 2"


def test_statements() -> None:
    y = Buffer("y", "f32", (BATCH, 8), "output")
    for statement, text in (
        (Let(A, ONE), "let a: f64 = 1.0"),
        (ir.Assign(A, ONE), "a = 1.0"),
        (ir.Store(y, (N, J), V), "y[n, i] = v"),
        (ir.Store(y, (N, J), V, Const(8, I64)), "y[n, i until 8] = v"),
        (ir.Store(y, (N, J), V, None, True), "stream y[n, i] = v"),
        (ir.Loop(J, ir.const(0), ir.const(8), 4, ()), "for i in 0 .. 8 step 4:"),
        (ir.Loop(J, ir.const(0), ir.const(8), 1, (), 4), "for i in 0 .. 8 step 1 unroll 4:"),
        (ir.Parallel((N, J), (BATCH, ir.const(8)), ()), "parallel n in 0 .. batch, i in 0 .. 8:"),
        (ir.If(ir.compare("lt", N, J), ()), "if n < i:"),
        (ir.Alloc(Buffer("t", "f64", (3, 2), "stack")), "stack t: f64[3, 2]"),
        (Fence(), "fence"),
        (Comment("why"), "# why"),
    ):
        assert show_stmt(statement) == text


def test_a_whole_nest() -> None:
    b, y = Builder(), Buffer("y", "f32", (BATCH, 8), "output")
    v = Var("v", Type("f32", 4))
    double = Function("double_f32x4", (v,), (Let(Var("w", v.type), ir.add(v, v)),), Var("w", v.type))
    with b.parallel(("n",), (BATCH,)) as (n,), b.loop("i", 0, 8, 4) as i, b.when(ir.compare("lt", i, ir.const(8))):
        b.store(y, n, i, value=b.call(double, b.load(X, n, i, lanes=4)))
    problem, _ = specialize(GroupNormSpec(groups=1), (None, 8))
    nest = verify(LoopNest("gn", problem, (X, y), BATCH, (Buffer("w", "f64", (BATCH, 2), "workspace"),), (double,), b.finish(), 3))
    assert (
        show(nest)
        == str(nest)
        == (
            """\
kernel gn(batch: i64)
  input x: f32[batch, 8]
  output y: f32[batch, 8]
  workspace w: f64[batch, 2]
  threads from batch = 3
function double_f32x4(v: f32x4) -> f32x4:
  let w: f32x4 = v + v
  return w
body:
  parallel n in 0 .. batch:
    for i in 0 .. 8 step 4:
      if i < 8:
        y[n, i] = double_f32x4(x[n, i]:4)
"""
        )
    )


def test_the_nests_of_kernels_show_what_they_do() -> None:
    spec = GroupNormSpec(groups=4, axis=-1, activation="gelu")
    text = str(gngen.lower(spec, (2, 300, 12), target="c:x86-64-v3", schedule={"name": "rows", "store": "streaming"}))
    for part in (
        "kernel gn_f32_o300_g4_c3_i1_gelu(batch: i64)",
        "input x: f32[batch, 300, 4, 3, 1]",
        "function gelu_f32x8(",
        "stream y[",
        "fence",
    ):
        assert part in text
    assert "  " * 20 not in text
    assert not re.search(r"\b(Const|Var|Op|Type|None)\(", text)
