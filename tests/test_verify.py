"""The verifier: what is wrong with a nest is found and said; what is right passes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from strategies import fitting

import gngen
from gngen import loopnest as ir
from gngen.builder import Builder
from gngen.errors import VerifyError
from gngen.loopnest import F64, I64, Alloc, Assign, Buffer, Comment, Const, Function, If, Let, LoopNest, Op, Parallel, Type, Var
from gngen.lowering import lower_problem
from gngen.problem import specialize
from gngen.schedule import choose_schedule
from gngen.spec import GroupNormSpec
from gngen.target import load_machine
from gngen.verify import verify

PROBLEM, _ = specialize(GroupNormSpec(groups=2, axis=1), (None, 4, 8))
BATCH = Var("batch", I64)
X = Buffer("x", "f32", (BATCH, 4, 8), "input")
Y = Buffer("y", "f32", (BATCH, 4, 8), "output")
W = Buffer("w", "f64", (BATCH, 4), "workspace")
F32, F32X4 = Type("f32"), Type("f32", 4)
ONE, ZERO64 = Const(1.0, F32), Const(0.0, F64)

Body = Callable[[Builder], None]


def nest(write: Body, *, functions: tuple[Function, ...] = (), parallel_from: int = 1) -> LoopNest:
    b = Builder()
    write(b)
    return LoopNest("gn", PROBLEM, (X, Y), BATCH, (W,), functions, b.finish(), parallel_from)


def copy(b: Builder, n: ir.Expr, c: ir.Expr) -> None:
    """A valid pass over one row, in vectors."""
    with b.loop("i", 0, 8, 4) as i:
        b.store(Y, n, c, i, value=b.load(X, n, c, i, lanes=4))


def refused(write: Body, words: str, **rest: Any) -> str:
    """The error of a nest that must not pass, which says `words`, and where."""
    with pytest.raises(VerifyError) as e:
        verify(nest(write, **rest))
    assert re.search(words, str(e.value)), str(e.value)
    return str(e.value)


# Valid


def test_valid_nests_come_back_themselves() -> None:
    def rows(b: Builder) -> None:
        with b.parallel(("n", "c"), (BATCH, 4)) as (n, c):
            copy(b, n, c)

    def odd(b: Builder) -> None:
        """Full vectors of three, then what is left, stopped at the end."""
        with b.parallel(("n",), (BATCH,)) as (n,), b.loop("c", 0, 4) as c:
            with b.loop("i", 1, 8, 3) as i:
                b.store(Y, n, c, i, value=b.load(X, n, c, i, lanes=3))
            tail = b.let("tail", ir.main_end(1, 8, 3))
            zero = Const(0.0, F32X4)
            b.store(Y, n, c, tail, value=b.load(X, n, c, tail, lanes=4, end=ir.const(8), fill=zero), end=ir.const(8))

    def phases(b: Builder) -> None:
        """What one parallel loop stores, the next reads."""
        with b.parallel(("n", "c"), (BATCH, 4)) as (n, c):
            b.store(W, n, c, value=ir.cast(b.load(X, n, c, 0), "f64"))
        with b.parallel(("n", "c"), (BATCH, 4)) as (n, c), b.loop("i", 0, 8) as i:
            b.store(Y, n, c, i, value=ir.cast(b.load(W, n, ir.sub(3, c)), "f32"))

    def cut(b: Builder) -> None:
        """Pieces of three of eight: the last is shorter."""
        with b.parallel(("n", "c", "piece"), (BATCH, 4, 3)) as (n, c, piece):
            first = b.named("first", ir.mul(piece, 3))
            last = b.named("last", ir.minimum(ir.add(first, 3), 8))
            with b.loop("i", first, last) as i:
                b.store(Y, n, c, i, value=b.load(X, n, c, i))

    for write in (rows, odd, phases, cut):
        made = nest(write)
        assert verify(made) is made


SHAPES = [
    (1, 6),
    (3, 12, 5),
    (2, 6, 4),
    (2, 33, 12),
    (2, 12, 7, 9),
    (2, 70, 60),
    (1, 3, 12, 400),
    (2, 8200, 12),
    (1, 24, 5000),
    (None, 12, 129),
]
GRID = [
    (shape, axis, groups, dtype)
    for shape, axis, groups, dtype in itertools.product(SHAPES, (1, -1), (1, 2, 3, -1), ("float32", "float64"))
    if (shape[axis] or 0) % groups == 0
][::3]


@pytest.mark.parametrize("machine", ["generic", pytest.param("x86-64-v3", marks=pytest.mark.slow), "x86-64-v4"])
def test_every_schedule_writes_valid_nests(machine: str) -> None:
    m = load_machine(machine)
    stores = ("temporal", "streaming") if m.streaming_stores else ("temporal",)
    count = 0
    for shape, axis, groups, dtype in GRID:
        p, _ = specialize(GroupNormSpec(groups=groups, axis=axis, activation="silu"), shape, dtype, outputs=("y", "mean", "rstd"))
        for name, store in itertools.product(fitting(p, machine), stores):
            lower_problem(p, choose_schedule(p, m, {"name": name, "store": store}))
            lower_problem(
                p,
                choose_schedule(
                    p,
                    m,
                    {"name": name, "store": store, "piece": 40, "by_sample": True, "tile": 2, "strip": 3, "ahead": 24, "interleave": 3},
                ),
            )
            count += 2
    assert count > 4 * len(GRID)


@pytest.mark.parametrize("machine", [pytest.param("generic", marks=pytest.mark.slow), "x86-64-v4"])
def test_every_schedule_writes_valid_nests_of_the_fused_forms(machine: str) -> None:
    m = load_machine(machine)
    forms = itertools.cycle(flags for flags in itertools.product((False, True), repeat=3) if any(flags))
    wide = [((2, 50, 3000), -1, 300, "float32"), ((2, 7, 6, 9001), 2, 3, "float32"), ((2, 5, 2500), -1, 2, "float32")]
    for (shape, axis, groups, dtype), store in itertools.product([*GRID, *wide], ("temporal", "streaming")):
        residual, modulation, masked = next(forms)
        spec = GroupNormSpec(groups=groups, axis=axis, residual=residual, modulation=modulation, masked=masked)
        for outputs in (("y",), ("y", "sum", "mean", "rstd")) if residual else (("y",),):
            p, _ = specialize(spec, shape, dtype, outputs=outputs)
            for name in fitting(p, machine):
                asked = {"name": name, "store": store if m.streaming_stores else "temporal"}
                lower_problem(p, choose_schedule(p, m, asked))
                lower_problem(
                    p, choose_schedule(p, m, {**asked, "piece": 40, "by_sample": True, "tile": 2, "strip": 3, "ahead": 24, "interleave": 3})
                )


# Bounds


@pytest.mark.parametrize(
    ("index", "lanes", "words"),
    [
        ((0, 0, -1), 1, r"index -1 on axis 2 of y may be below 0"),
        ((0, -1, 0), 1, r"index -1 on axis 1 of y may be below 0"),
        ((0, 0, 8), 1, r"index 8 on axis 2 of y may pass 8"),
        ((0, 0, 5), 4, r"index 5 on axis 2 of y may pass 8"),
        ((0, 4, 0), 1, r"index 4 on axis 1 of y may pass 4"),
        ((1, 0, 0), 1, r"index 1 on axis 0 of y may pass batch"),
        ((BATCH, 0, 0), 1, r"index batch on axis 0 of y may pass batch"),
    ],
)
def test_stores_out_of_bounds(index: tuple[int | Var, ...], lanes: int, words: str) -> None:
    def write(b: Builder) -> None:
        b.store(Y, *index, value=Const(0.0, Type("f32", lanes)))

    assert refused(write, words, parallel_from=0).endswith("= 0.0")


def test_loads_out_of_bounds() -> None:
    for at, words in ((8, "index 8 on axis 2 of x may pass 8"), (-2, "index -2 on axis 2 of x may be below 0")):
        refused(lambda b, at=at: b.store(Y, 0, 0, 0, value=b.load(X, 0, 0, at)), words, parallel_from=0)


def test_a_loop_that_runs_too_far_or_begins_too_soon() -> None:
    def run(start: int, stop: int, step: int, lanes: int, shift: int = 0) -> Body:
        def write(b: Builder) -> None:
            with b.parallel(("n", "c"), (BATCH, 4)) as (n, c), b.loop("i", start, stop, step) as i:
                b.store(Y, n, c, ir.add(i, shift), value=Const(0.0, Type("f32", lanes)))

        return write

    verify(nest(run(0, 8, 4, 4)))
    verify(nest(run(0, 11, 4, 1)))  # the last full step begins at 4
    refused(run(0, 9, 1, 1), "index i on axis 2 of y may pass 8")
    refused(run(0, 8, 4, 8), "index i on axis 2 of y may pass 8")
    refused(run(0, 8, 4, 4, 1), r"index i \+ 1 on axis 2 of y may pass 8")
    refused(run(-2, 8, 2, 1), "index i on axis 2 of y may be below 0")
    refused(run(0, 8, 2, 2, -1), r"index i \+ -1 on axis 2 of y may be below 0")


def test_a_parallel_loop_that_runs_too_far() -> None:
    def write(b: Builder) -> None:
        with b.parallel(("n", "c"), (BATCH, 5)) as (n, c):
            copy(b, n, c)

    refused(write, "index c on axis 1 of x may pass 4")


def test_partial_loads_and_stores_that_pass_the_end() -> None:
    zero = Const(0.0, F32X4)

    def store(end: int) -> Body:
        return lambda b: b.store(Y, 0, 0, 6, value=zero, end=ir.const(end))

    def load(end: int) -> Body:
        return lambda b: b.store(Y, 0, 0, 0, value=b.load(X, 0, 0, 6, lanes=4, end=ir.const(end), fill=zero))

    for made in (store, load):
        verify(nest(made(8), parallel_from=0))
        message = refused(made(9), r"index 6 on axis 2 of [xy] may pass 8", parallel_from=0)
        assert "until 9" in message
    refused(lambda b: b.store(Y, 0, 0, 6, value=zero), "may pass 8", parallel_from=0)


def test_indices_that_nothing_is_known_of() -> None:
    def write(b: Builder) -> None:
        b.store(Y, 0, 0, ir.div(BATCH, 2), value=ONE)

    refused(write, r"no bounds are known for the index batch / 2", parallel_from=0)


def test_indices_and_views_that_do_not_match_the_array() -> None:
    refused(lambda b: b.store(Y, 0, 0, value=ONE), "2 indices for 3 axes", parallel_from=0)
    refused(lambda b: b.store(Y.view(BATCH, 31), 0, 0, value=ONE), r"a view of .* of y with", parallel_from=0)
    refused(
        lambda b: b.store(Buffer("y", "f64", Y.shape, "output"), 0, 0, 0, value=ZERO64),
        "a view of y as f64, which holds f32",
        parallel_from=0,
    )
    refused(lambda b: b.store(Buffer("z", "f32", (BATCH, 4), "output"), 0, 0, value=ONE), "z is not declared", parallel_from=0)
    verify(nest(lambda b: b.store(Y.view(BATCH, 32), 0, 31, value=ONE), parallel_from=0))


# Races


def test_two_iterations_that_store_to_one_element() -> None:
    def write(b: Builder, **index: ir.Expr | int) -> None:
        with b.parallel(("n", "c"), (BATCH, 4)) as (n, c):
            at = {"n": n, "c": c, "i": 0, **index}
            b.store(Y, at["n"], at["c"], at["i"], value=ONE)

    verify(nest(write))
    refused(lambda b: write(b, c=0), "two iterations of c may meet in y: no axis of it belongs to c")
    refused(lambda b: write(b, n=0), "two iterations of n may meet in y: no axis of it belongs to n")


def test_pieces_that_overlap() -> None:
    def write(b: Builder, step: int, length: int) -> None:
        with b.parallel(("n", "piece"), (BATCH, 2)) as (n, piece), b.loop("c", 0, 4) as c:
            first = b.named("first", ir.mul(piece, step))
            with b.loop("i", first, ir.add(first, length)) as i:
                b.store(Y, n, c, i, value=ONE)

    verify(nest(lambda b: write(b, 4, 4)))
    refused(lambda b: write(b, 3, 4), "two iterations of piece may meet in y")


def test_pieces_from_the_last_to_the_first() -> None:
    def write(b: Builder, length: int, step: int = 4, also: bool = False) -> None:
        """The elements from step * (1 - piece) on; `also` that at 4 * piece, where the two directions meet."""
        with b.parallel(("n", "piece"), (BATCH, 2)) as (n, piece), b.loop("c", 0, 4) as c:
            first = b.named("first", ir.mul(ir.sub(ir.const(1), piece), step))
            with b.loop("i", first, ir.add(first, length)) as i:
                b.store(Y, n, c, i, value=ONE)
            if also:
                b.store(Y, n, c, ir.mul(piece, 4), value=ONE)

    verify(nest(lambda b: write(b, 4)))
    refused(lambda b: write(b, 4, also=True), "two iterations of piece may meet in y")
    refused(lambda b: write(b, 4, step=3), "two iterations of piece may meet in y")


def test_an_iteration_that_reads_what_another_stores() -> None:
    def write(b: Builder) -> None:
        with b.parallel(("n",), (BATCH,)) as (n,):
            b.store(W, n, 0, value=ZERO64)
            b.store(Y, n, 0, 0, value=ir.cast(b.load(W, 0, 0), "f32"))

    refused(write, "two iterations of n may meet in w")


def test_one_array_through_two_shapes_in_a_parallel_loop() -> None:
    """Judged on the axes that both shapes have."""

    def write(b: Builder, at: ir.Expr | int = 1) -> None:
        with b.parallel(("n",), (BATCH,)) as (n,):
            b.store(Y, n, 0, 0, value=ONE)
            b.store(Y.view(BATCH, 32), n, at, value=ONE)

    def channels(b: Builder, *, flat: bool, next_to: int = 0) -> None:
        """Each c has 8 elements of its own: [c, i] is [c * 8 + i]."""
        with b.parallel(("n", "c"), (BATCH, 4 - next_to)) as (n, c):
            b.store(Y, n, c, 3, value=ONE)
            if flat:
                b.store(Y.view(BATCH, 32), n, ir.add(ir.mul(ir.add(c, next_to), 8), 5), value=ONE)
            else:
                b.store(Y.view(BATCH, 4, 2, 4), n, ir.add(c, next_to), 1, 3, value=ONE)

    verify(nest(write))
    for flat in (True, False):
        verify(nest(lambda b, flat=flat: channels(b, flat=flat)))
        refused(lambda b, flat=flat: channels(b, flat=flat, next_to=1), "two iterations of c may meet in y: no axis of it belongs to c")

    def across(b: Builder) -> None:
        with b.parallel(("n", "c"), (BATCH, 4)) as (n, c):
            b.store(Y, n, c, 3, value=ONE)
            b.store(Y.view(BATCH, 32), n, ir.add(ir.mul(c, 4), 5), value=ONE)

    refused(across, "two iterations of c may meet in y: no axis of it belongs to c")


def test_quotients() -> None:
    def write(b: Builder, by: int, row: int = 8, most: int = 4) -> None:
        with b.parallel(("n", "c"), (BATCH, most)) as (n, c), b.loop("at", ir.mul(c, row), ir.mul(ir.add(c, 1), row), row) as at:
            b.store(Y, n, ir.div(at, by), 0, value=ONE)

    verify(nest(lambda b: write(b, 8)))
    refused(lambda b: write(b, 8, most=5), "index at / 8 on axis 1 of y may pass 4")
    refused(lambda b: write(b, 4), "may pass 4")
    refused(lambda b: write(b, 3), "index at / 3 on axis 1 of y may pass 4")
    refused(lambda b: write(b, 16), "two iterations of c may meet in y")
    refused(lambda b: b.store(Y, 0, ir.div(BATCH, 2), 0, value=ONE), "no bounds are known for the index batch / 2", parallel_from=0)


def test_a_variable_or_stack_array_that_iterations_share() -> None:
    def variable(b: Builder) -> None:
        total = b.let("total", ONE)
        with b.parallel(("n",), (BATCH,)) as (n,):
            b.assign(total, ir.add(total, ONE))
            b.store(Y, n, 0, 0, value=total)

    def array(b: Builder) -> None:
        table = b.alloc("table", "f32", 4)
        with b.parallel(("n",), (BATCH,)) as (n,):
            b.store(table, 0, value=ONE)
            b.store(Y, n, 0, 0, value=ONE)

    refused(variable, "total is assigned in a parallel loop and declared outside of it")
    refused(array, "table is stored in a parallel loop and declared outside of it")


def test_a_store_that_every_thread_would_do() -> None:
    def write(b: Builder) -> None:
        with b.parallel(("n",), (BATCH,)) as (n,):
            b.store(W, n, 0, value=ZERO64)
        b.store(Y, 0, 0, 0, value=ONE)

    refused(write, "a store outside of the parallel loops, where every thread would do it")
    verify(nest(write, parallel_from=0))


def test_a_parallel_loop_inside_a_parallel_loop() -> None:
    def write(b: Builder) -> None:
        with b.parallel(("n",), (BATCH,)) as (n,), b.loop("i", 0, 4), b.parallel(("c",), (4,)) as (c,):
            b.store(Y, n, c, 0, value=ONE)

    refused(write, "a parallel loop inside a parallel loop")


def test_a_parallel_loop_over_something_else() -> None:
    def write(b: Builder) -> None:
        with b.parallel(("n",), (ir.mul(BATCH, 2),)) as (n,):
            b.store(Y, n, 0, 0, value=ONE)

    refused(write, r"the extent batch \* 2 of n is neither a number nor the batch")


# Definitions


def test_variables_that_are_not_declared() -> None:
    ghost, integer = Var("ghost", F32), Var("at", I64)
    refused(lambda b: b.store(Y, 0, 0, 0, value=ghost), "ghost: f32 is read and not declared", parallel_from=0)
    refused(lambda b: b.store(Y, 0, 0, integer, value=ONE), "at: i64 is read and not declared", parallel_from=0)
    refused(lambda b: b.assign(ghost, ONE), "ghost is assigned and not declared: ghost = 1.0")

    def escaped(b: Builder) -> None:
        with b.loop("i", 0, 4) as i:
            inside = b.let("inside", ir.add(i, 1))
            b.store(Y, 0, 0, inside, value=ONE)
        b.store(Y, 0, 0, inside, value=ONE)

    refused(escaped, "inside: i64 is read and not declared", parallel_from=0)


def test_names_that_are_declared_twice() -> None:
    again = Let(Var("a", F32), ONE)
    refused(lambda b: (b.emit(again), b.emit(again)), r"a is declared twice: let a: f32 = 1\.0")
    table = Alloc(Buffer("t", "f32", (4,), "stack"))
    refused(lambda b: (b.emit(table), b.emit(table)), r"t is declared twice: stack t: f32\[4\]")
    refused(lambda b: b.emit(Alloc(Buffer("x", "f32", (4,), "stack"))), "x is declared twice")
    refused(lambda b: b.emit(Let(Var("x", F32), ir.const(1, F32))), "x is declared twice")
    i = Var("i", I64)
    inner = ir.Loop(i, ir.const(0), ir.const(4), 1, (Comment("in"),))
    refused(lambda b: b.emit(ir.Loop(i, ir.const(0), ir.const(4), 1, (inner,))), "i is declared twice")


def test_blocks_beside_each_other_may_use_a_name_again() -> None:
    i = Var("i", I64)
    loop = ir.Loop(i, ir.const(0), ir.const(8), 1, (ir.Store(Y, (ir.const(0), ir.const(0), i), ONE),))
    verify(nest(lambda b: (b.emit(loop), b.emit(loop)), parallel_from=0))


def test_integers_are_never_assigned_again() -> None:
    def write(b: Builder) -> None:
        at = b.let("at", 3)
        b.assign(at, ir.const(4))

    refused(write, "the integer at is assigned again: at = 4")


def test_arrays_that_are_read_before_they_are_stored() -> None:
    def workspace(b: Builder) -> None:
        b.store(Y, 0, 0, 0, value=ir.cast(b.load(W, 0, 0), "f32"))

    def stack(b: Builder) -> None:
        table = b.alloc("table", "f32", 8)
        b.store(Y, 0, 0, 0, value=b.load(table, 0, lanes=4))

    def output(b: Builder) -> None:
        b.store(Y, 0, 0, 0, value=b.load(Y, 0, 0, 1))

    def again(b: Builder) -> None:
        """A stack array is new in every turn of the loop that makes it."""
        with b.loop("i", 0, 8) as i:
            table = Buffer("table", "f32", (1,), "stack")
            b.emit(Alloc(table))
            b.store(Y, 0, 0, i, value=b.load(table, 0))
            b.store(table, 0, value=ONE)

    for write, name in ((workspace, "w"), (stack, "table"), (output, "y"), (again, "table")):
        refused(write, f"{name} is read before anything is stored in it", parallel_from=0)


def test_what_must_be_stored_and_what_must_not() -> None:
    refused(lambda b: b.comment("nothing"), "output y of gn is never stored")
    refused(lambda b: b.store(X, 0, 0, 0, value=ONE), r"a store to the input x: x\[0, 0, 0\] = 1\.0", parallel_from=0)


# Types


def test_types_that_do_not_match() -> None:
    f64 = Const(1.0, F64)
    refused(lambda b: b.emit(Let(Var("a", F32), f64)), r"f32 is not f64: let a: f32 = 1\.0")
    refused(lambda b: (b.emit(Let(Var("a", F32), ONE)), b.emit(Assign(Var("a", F32), f64))), r"f32 is not f64: a = 1\.0")
    refused(lambda b: b.store(Y, 0, 0, 0, value=f64), "f32 is not f64", parallel_from=0)
    refused(lambda b: b.let("a", Op("add", (ONE, f64), F32)), "f32 is not f64")
    refused(lambda b: b.let("a", Op("add", (ONE, ONE), F64)), "f32 is not f64")
    refused(lambda b: b.let("a", ir.fma(ONE, f64, ONE)), "f32 is not f64")
    refused(lambda b: b.let("a", Op("lt", (ONE, Const(1.0, F32X4)), Type("m32"))), "f32 is not f32x4")
    refused(lambda b: b.let("a", ir.select(Const(1, Type("m32")), ONE, f64)), "f32 is not f64")
    refused(lambda b: b.let("a", ir.Load(X, (ir.const(0),) * 3, F64)), "f32 is not f64")
    with pytest.raises(TypeError, match="add of f32 and f64"):
        ir.add(ONE, f64)


def test_partial_loads_say_what_fills_them() -> None:
    refused(lambda b: b.let("a", b.load(X, 0, 0, 0, lanes=4, end=ir.const(2))), "a partial load of x does not say what fills it")
    refused(lambda b: b.let("a", b.load(X, 0, 0, 0, lanes=4, end=ir.const(2), fill=ONE)), "f32x4 is not f32")


def test_operations_and_steps_that_do_not_exist() -> None:
    refused(lambda b: b.let("a", Op("tan", (ONE,), F32)), "tan is no operation: let a")
    loop = ir.Loop(Var("i", I64), ir.const(0), ir.const(4), 0, (Comment("in"),))
    refused(lambda b: b.emit(loop), "a loop of step 0: for i in")


@pytest.mark.parametrize("kind", ir.HALVES)
def test_halves_are_loaded_stored_and_cast_and_no_more(kind: str) -> None:
    x, y = Buffer("x", kind, (BATCH, 4, 8), "input"), Buffer("y", kind, (BATCH, 4, 8), "output")

    def of(write: Body) -> LoopNest:
        return replace(nest(write, parallel_from=0), buffers=(x, y))

    def whole(b: Builder) -> None:
        with b.loop("i", 0, 8, 4) as i:
            b.store(y, 0, 0, i, value=ir.cast(ir.add(ir.cast(b.load(x, 0, 0, i, lanes=4), "f32"), Const(1.0, F32X4)), kind))

    def computed(e: Callable[[ir.Expr], ir.Expr]) -> Body:
        return lambda b: b.store(y, 0, 0, 0, value=e(b.load(x, 0, 0, 0)))

    verify(of(whole))
    for write, words in (
        (computed(lambda v: ir.add(v, v)), f"add of {kind}: halves are cast from and to f32, and no more: y"),
        (computed(lambda v: ir.unary("neg", v)), f"neg of {kind}: halves"),
        (computed(lambda v: ir.fma(v, v, v)), f"fma of {kind}: halves"),
        (computed(lambda v: ir.cast(ir.cast(v, "f64"), kind)), f"cast of {kind}, f64: halves"),
        (computed(lambda v: ir.cast(ir.bitcast(v, "i32"), kind)), f"cast of {kind}, i32: halves"),
        (computed(lambda v: ir.cast(ir.splat(v, 4), kind)), f"splat of {kind}: halves"),
        (computed(lambda v: Const(1.0, Type(kind))), f"a constant of {kind} that is not 0: cast one of f32: y"),
        (lambda b: b.alloc("s", kind, 4), f"a stack array of {kind}: only inputs and outputs are halves: stack s"),
    ):
        with pytest.raises(VerifyError, match=words):
            verify(of(write))  # type: ignore[arg-type]


def test_pairs_are_of_bfloat16s_and_twice_as_many_as_the_floats_they_go_with() -> None:
    kinds = {"bf16": (2, 8), "f16": (2, 8), "f32": (2, 4)}
    values = {kind: Const(0.0, Type(kind, lanes)) for kind, (_, lanes) in kinds.items()}
    whole, halves, floats = values["bf16"], values["f16"], values["f32"]

    def of(e: ir.Expr) -> LoopNest:
        def write(b: Builder) -> None:
            b.let("found", e)
            copy(b, ir.const(0), ir.const(0))

        return nest(write, parallel_from=0)

    for good in (ir.even(whole), ir.odd(whole), ir.zip_pairs(floats, floats), ir.add_pairs(floats, whole), ir.dot_pairs(floats, whole)):
        verify(of(good))
    for bad, words in (
        (ir.even(halves), "f16x8 is not bf16x8|bf16x8 is not f16x8"),
        (ir.add_pairs(floats, Const(0.0, Type("bf16", 4))), "bf16x8 is not bf16x4"),
        (ir.zip_pairs(floats, Const(0.0, Type("f32", 8))), "f32x4 is not f32x8"),
        (Op("even", (whole, whole), Type("f32", 4)), "even takes 1 operands and is given 2"),
    ):
        with pytest.raises(VerifyError, match=words):
            verify(of(bad))


# Functions


def twice(name: str = "twice", result: ir.Expr | None = None) -> Function:
    v, w = Var("v", F32), Var("w", F32)
    return Function(name, (v,), (Let(w, ir.add(v, v)),), w if result is None else result)


def test_functions() -> None:
    def call(*args: ir.Expr, name: str = "twice", kind: Type = F32) -> Body:
        return lambda b: b.store(Y, 0, 0, 0, value=ir.cast(ir.Call(name, args, kind), "f32"))

    verify(nest(call(ONE), functions=(twice(),), parallel_from=0))
    refused(call(ONE), "twice is no function of the nest", parallel_from=0)
    refused(call(ONE, ONE), "twice takes 1 arguments and is given 2", functions=(twice(),), parallel_from=0)
    refused(call(Const(1.0, F64)), "f32 is not f64", functions=(twice(),), parallel_from=0)
    refused(call(ONE, kind=F64), "f32 is not f64", functions=(twice(),), parallel_from=0)
    stray = twice(result=Var("stray", F32))
    refused(call(ONE), "stray: f32 is read and not declared: twice", functions=(stray,), parallel_from=0)


def test_what_is_wrong_inside_a_block_is_found() -> None:
    def write(b: Builder) -> None:
        with b.parallel(("n",), (BATCH,)) as (n,), b.loop("c", 0, 4) as c, b.when(ir.compare("lt", c, ir.const(2))):
            b.store(Y, n, c, 9, value=ONE)

    assert isinstance(nest(write).body[0], Parallel)
    assert any(isinstance(s, If) for s in ir.walk(nest(write).body))
    refused(write, "index 9 on axis 2 of y may pass 8")


def test_errors_are_gngens_own() -> None:
    assert issubclass(VerifyError, gngen.GngenError)
    assert issubclass(VerifyError, RuntimeError)


# Launches


def launched(write: Callable[[Builder, Var, Var], None], *, warps: int = 2, **how: Any) -> LoopNest:
    """A nest of one launch of a block for each (sample, channel), which also copies its row."""

    def body(b: Builder) -> None:
        with b.launch(("n", "c"), (BATCH, 4), warps, **how) as ((n, c), warp, lane):
            write(b, warp, lane)
            with b.when(ir.compare("lt", lane, ir.const(8))):
                b.store(Y, n, c, lane, value=b.load(X, n, c, lane))

    return nest(body)


def refused_launch(write: Callable[[Builder, Var, Var], None], words: str, **how: Any) -> None:
    with pytest.raises(VerifyError) as e:
        verify(launched(write, **how))
    assert re.search(words, str(e.value)), str(e.value)


def test_a_launch_of_threads_that_exchange_values() -> None:
    def write(b: Builder, warp: Var, lane: Var) -> None:
        held, near = b.register("held", "f32", 3, 4), b.shared("near", "f64", 2)
        with b.loop("j", 0, 3, unroll=3) as j:
            b.store(held, j, 0, value=Const(0.0, F32X4))
        total = b.let("total", ir.reduce_add(b.load(held, 1, 0, lanes=4)))
        b.assign(total, ir.add(total, ir.shuffle_xor(total, 16)))
        with b.when(ir.compare("lt", lane, ir.const(1))):
            b.store(near, warp, value=ir.cast(total, "f64"))
        b.barrier("block")
        with b.when(ir.compare("lt", warp, ir.const(1))):  # a whole warp comes here, or none of it
            b.let("other", ir.from_lane(ir.cast(b.load(near, 1), "f32"), 0))

    verify(launched(write))


def test_a_bound_that_a_condition_gives() -> None:
    def write(b: Builder, bound: int) -> None:
        with b.launch(("n",), (BATCH,), 2) as ((n,), warp, lane):
            i = b.let("i", ir.add(ir.mul(warp, 32), lane))
            with b.when(ir.compare("lt", i, ir.const(bound))):
                b.store(Y, n, ir.div(i, 8), ir.rem(i, 8), value=ONE)

    verify(nest(lambda b: write(b, 32)))
    refused(lambda b: write(b, 33), r"index i / 8 on axis 1 of y may pass 4")


def test_barriers_and_shuffles_that_not_all_threads_come_to() -> None:
    def under(condition: Callable[[Var, Var], ir.Expr], act: Body) -> Callable[[Builder, Var, Var], None]:
        def write(b: Builder, warp: Var, lane: Var) -> None:
            with b.when(condition(warp, lane)):
                act(b)

        return write

    def shuffle(b: Builder) -> None:
        b.let("v", ir.shuffle_xor(ONE, 1))

    one_warp, one_lane = (lambda w, _: ir.compare("lt", w, ir.const(1))), (lambda _, t: ir.compare("lt", t, ir.const(1)))
    verify(launched(under(one_warp, lambda b: b.barrier("warp"))))
    verify(launched(under(one_warp, shuffle)))
    refused_launch(under(one_warp, lambda b: b.barrier("block")), "a barrier of the block where not all its threads come")
    refused_launch(under(one_lane, lambda b: b.barrier("warp")), "a barrier of the warp where not all its threads come")
    refused_launch(under(one_lane, shuffle), "shuffle_xor where not all threads of a warp come")

    def by_loop(b: Builder, warp: Var, lane: Var) -> None:
        with b.loop("i", 0, lane):
            b.barrier("block")

    def by_value(b: Builder, warp: Var, lane: Var) -> None:
        v = b.let("v", ir.shuffle_xor(ir.cast(ir.cast(lane, "f64"), "f32"), 1))
        with b.when(ir.compare("lt", v, ONE)):
            b.barrier("block")

    refused_launch(by_loop, "a barrier of the block where not all")
    refused_launch(by_value, "a barrier of the block where not all")
    refused_launch(lambda b, w, t: b.barrier("cluster"), "a barrier of the cluster in a launch without")
    refused_launch(lambda b, w, t: b.barrier("grid"), "a barrier of the grid in a launch without")
    verify(launched(lambda b, w, t: b.barrier("cluster"), cluster=2))
    verify(launched(lambda b, w, t: b.barrier("grid"), cooperative=True))


def test_arrays_of_a_launch() -> None:
    def found_by_a_lane(b: Builder, warp: Var, lane: Var) -> None:
        b.store(b.register("held", "f32", 32, 1), lane, 0, value=ONE)

    def found_by_a_long_loop(b: Builder, warp: Var, lane: Var) -> None:
        held = b.register("held", "f32", 32, 1)
        with b.loop("j", 0, 32, unroll=4) as j:
            b.store(held, j, 0, value=ONE)

    def unwritten(b: Builder, warp: Var, lane: Var) -> None:
        b.let("v", b.load(b.shared("near", "f32", 32), lane))

    def peer(block: int) -> Callable[[Builder, Var, Var], None]:
        def write(b: Builder, warp: Var, lane: Var) -> None:
            near = b.shared("near", "f32", 32)
            b.store(near, lane, value=ONE)
            b.barrier("cluster")
            b.let("v", ir.Peer(near, ir.const(block), (lane,), F32))

        return write

    refused_launch(found_by_a_lane, "held is kept in registers, which only constants find")
    refused_launch(found_by_a_long_loop, "held is kept in registers, which only constants find")
    refused_launch(unwritten, "near is read before anything is stored in it")
    refused_launch(lambda b, w, t: b.emit(Alloc(Buffer("s", "f32", (4,), "stack"))), "a stack array in a launch")
    refused_launch(lambda b, w, t: b.emit(Alloc(Buffer("s", "f64", (1 << 16,), "shared"))), "bytes of shared arrays")
    verify(launched(peer(1), cluster=2))
    refused_launch(peer(2), "block 2 may be outside of the cluster", cluster=2)
    refused_launch(lambda b, w, t: None, "clusters of 3 do not divide 4 blocks", cluster=3)


def test_what_stands_beside_launches() -> None:
    def beside(b: Builder) -> None:
        with b.launch(("n",), (BATCH,), 1) as ((n,), _, _lane):
            b.store(Y, n, 0, 0, value=ONE)
        b.store(Y, 0, 0, 0, value=ONE)

    refused(beside, "a statement outside of the launches")
