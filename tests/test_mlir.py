"""Backend mlir: what is printed of every kind of statement and operation, the bits of a C kernel, and the definition on tensors, run."""

from __future__ import annotations

import ctypes
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filecheck.matcher import Matcher
from filecheck.options import parse_argv_options
from strategies import HALVES, Array, assert_equal, assert_right, assert_stat_right, companions, fill, need_backend, oracle, parameters
from test_backends import SAME, SHAPES

import gngen
from gngen import llvmtools
from gngen import loopnest as ir
from gngen.backends import mlir
from gngen.backends.mlir_source import mlir_float, print_mlir
from gngen.backends.mlir_spec import print_spec
from gngen.builder import Builder
from gngen.errors import BuildError, SpecError
from gngen.loopnest import I64, Alloc, Buffer, Call, Comment, Const, Expr, Fence, Function, LoopNest, Op, Parallel, Prefetch, Type, Var
from gngen.problem import specialize
from gngen.reference import group_norm_backward
from gngen.spec import ACTIVATIONS, GroupNormSpec
from gngen.target import load_cpu, load_machine, runs_here


def check(folder: Path, text: str, pattern: str) -> None:
    """Match a text with FileCheck's lines; what mlir-opt does not take is wrong too."""
    (folder / "check").write_text("\n".join(f"// {line.strip()}" for line in pattern.strip().splitlines()), encoding="utf-8")
    (folder / "text").write_text(text, encoding="utf-8")
    options = parse_argv_options(["filecheck", str(folder / "check"), "--input-file", str(folder / "text")])
    assert Matcher.from_opts(options).run() == 0, text
    if not mlir.unavailable():
        mlir.lower(text, ())


# The nest, statement by statement

BATCH, N = Var("batch", I64), Var("n", I64)
X = Buffer("x", "f32", (BATCH, 100), "input")
H = Buffer("h", "bf16", (BATCH, 100), "input")
Y = Buffer("y", "f32", (BATCH, 100), "output")
Z = Buffer("z", "bf16", (BATCH, 100), "output")
V8, V4 = Type("f32", 8), Type("f32", 4)


def printed(b: Builder, machine: str = "x86-64-v3", functions: tuple[Function, ...] = ()) -> str:
    """The text of a nest whose one parallel loop does what was built."""
    problem, _ = specialize(GroupNormSpec(groups=2, axis=1, center=False, scale=False), (None, 10, 10))
    body = (Parallel((N,), (BATCH,), b.finish()),)
    return print_mlir(LoopNest("kernel", problem, (X, H, Y, Z), BATCH, (), functions, body, 1), load_cpu(machine), "kernel")


def vector(at: Expr | int = 0, lanes: int = 8) -> Expr:
    return ir.Load(X, (N, ir.as_expr(at)), Type("f32", lanes))


def test_a_function_for_each_phase(tmp_path: Path) -> None:
    b = Builder()
    b.store(Y, N, 0, value=b.load(X, N, 3))
    check(
        tmp_path,
        printed(b),
        """
        CHECK: // 0: batch items, all samples at once
        CHECK: func.func @kernel_phase0(%x.given: memref<1x100xf32>, %h.given: memref<1x100xi16>
        CHECK-SAME: %batch: index, %item_first: index, %item_last: index)
        CHECK-NEXT: %x = memref.reinterpret_cast %x.given to offset: [0], sizes: [%batch, 100], strides: [100, 1]
        CHECK-SAME: memref<1x100xf32> to memref<?x100xf32>
        CHECK: scf.for %item = %item_first to %item_last step %c1 {
        CHECK-NEXT: [[A:%[0-9]+]] = memref.load %x[%item, %c3] : memref<?x100xf32>
        CHECK-NEXT: memref.store [[A]], %y[%item, %c0] : memref<?x100xf32>
        CHECK-NEXT: } {llvm.loop_annotation = #once}
        CHECK-NEXT: return
        """,
    )


def test_loops_carry_what_they_change(tmp_path: Path) -> None:
    b = Builder()
    total, other = b.let("total", Const(0.0, V8)), b.let("other", Const(1.0, V8))
    with b.loop("i", 0, 100, 8, unroll=4) as i:
        b.assign(total, ir.add(total, vector(i)))
        with b.loop("j", i, 100, 8) as j:
            b.assign(other, ir.mul(other, vector(j)))
    b.store(Y, N, 0, value=ir.add(total, other))
    check(
        tmp_path,
        printed(b),
        """
        CHECK: #times_4 = #llvm.loop_annotation<unroll = <count = 4 : i32>>
        CHECK: [[ZERO:%cst[.0-9]*]] = arith.constant dense<0.0> : vector<8xf32>
        CHECK: [[T:%total[.0-9]*]], [[O:%other[.0-9]*]] = scf.for %i = %c0 to %c93 step %c8
        CHECK-SAME: iter_args([[T0:%total[.0-9]*]] = [[ZERO]], [[O0:%other[.0-9]*]] = {{%cst[.0-9]*}})
        CHECK-SAME: -> (vector<8xf32>, vector<8xf32>)
        CHECK-NEXT: vector.load %x[%item, %i] : memref<?x100xf32>, vector<8xf32>
        CHECK-NEXT: [[T1:%total[.0-9]*]] = arith.addf [[T0]], {{%[0-9]+}} : vector<8xf32>
        CHECK-NEXT: [[O1:%other[.0-9]*]] = scf.for %j = %i to %c93 step %c8 iter_args([[O2:%other[.0-9]*]] = [[O0]]) -> (vector<8xf32>)
        CHECK: [[O3:%other[.0-9]*]] = arith.mulf [[O2]], {{%[0-9]+}} : vector<8xf32>
        CHECK-NEXT: scf.yield [[O3]] : vector<8xf32>
        CHECK-NEXT: } {llvm.loop_annotation = #once}
        CHECK-NEXT: scf.yield [[T1]], [[O1]] : vector<8xf32>, vector<8xf32>
        CHECK-NEXT: } {llvm.loop_annotation = #times_4}
        CHECK-NEXT: arith.addf [[T]], [[O]] : vector<8xf32>
        """,
    )


def test_conditions_give_what_they_change(tmp_path: Path) -> None:
    b = Builder()
    best = b.let("best", b.load(X, N, 0))
    with b.when(ir.logical_not(ir.compare("le", best, Const(0.5, Type("f32"))))):
        b.assign(best, ir.unary("neg", best))
    with b.when(ir.compare("lt", N, ir.const(7))):
        b.store(Y, N, 0, value=best)
    check(
        tmp_path,
        printed(b),
        """
        CHECK: [[B:%best]] = memref.load
        CHECK-NEXT: [[LE:%[0-9]+]] = arith.cmpf ole, [[B]], {{%cst[.0-9]*}} : f32
        CHECK-NEXT: [[NOT:%[0-9]+]] = arith.xori [[LE]], %true : i1
        CHECK-NEXT: [[C:%best[.0-9]*]] = scf.if [[NOT]] -> (f32) {
        CHECK-NEXT: [[D:%best[.0-9]*]] = arith.negf [[B]] : f32
        CHECK-NEXT: scf.yield [[D]] : f32
        CHECK-NEXT: } else {
        CHECK-NEXT: scf.yield [[B]] : f32
        CHECK-NEXT: }
        CHECK-NEXT: [[LT:%[0-9]+]] = arith.cmpi slt, %item, %c7 : index
        CHECK-NEXT: scf.if [[LT]] {
        CHECK-NEXT: memref.store [[C]], %y
        CHECK-NEXT: }
        """,
    )


def test_partial_and_streaming_accesses(tmp_path: Path) -> None:
    b = Builder()
    end = b.let("end", ir.add(N, 5))
    part = b.let("part", ir.Load(X, (N, N), V8, end, Const(2.0, V8)))
    b.store(Y, N, ir.const(96), value=part, end=ir.const(100))
    b.store(Y, N, N, value=part, end=end)
    b.store(Y, N, 8, value=part, streaming=True)
    b.store(Z, N, 16, value=ir.cast(part, "bf16"), streaming=True)
    check(
        tmp_path,
        printed(b),
        """
        CHECK: %end = arith.addi %item, %c5 : index
        CHECK: [[LEFT:%[0-9]+]] = arith.subi %end, %item : index
        CHECK-NEXT: [[COUNT:%[0-9]+]] = arith.minsi [[LEFT]], %c8 : index
        CHECK-NEXT: [[MASK:%[0-9]+]] = vector.create_mask [[COUNT]] : vector<8xi1>
        CHECK: %part = vector.maskedload %x[%item, %item], [[MASK]], {{%cst[.0-9]*}}
        CHECK-NEXT: [[FOUR:%[0-9]+]] = vector.constant_mask [4] : vector<8xi1>
        CHECK-NEXT: vector.maskedstore %y[%item, %c96], [[FOUR]], %part
        CHECK-NEXT: vector.maskedstore %y[%item, %item], [[MASK]], %part
        CHECK-NEXT: vector.store %part, %y[%item, %c8] {alignment = 32 : i64, nontemporal = true}
        CHECK-NEXT: [[HALF:%[0-9]+]] = func.call @cast_bf16x8_from_f32(%part) : (vector<8xf32>) -> vector<8xi16>
        CHECK-NEXT: [[KEPT:%[0-9]+]] = llvm.inline_asm "", "=x,0" [[HALF]]
        CHECK-NEXT: vector.store [[KEPT]], %z[%item, %c16] {alignment = 16 : i64, nontemporal = true}
        """,
    )


def test_stacks_views_fences_hints_and_comments(tmp_path: Path) -> None:
    b = Builder()
    held = Buffer("held", "f64", (4, 8), "stack")
    with b.loop("i", 0, 4, 1) as i:
        b.emit(Alloc(held))
        b.store(held, i, 0, value=Const(1.0, Type("f64", 8)))
        b.store(Y, N, i, value=ir.cast(b.load(held.view(32), 3), "f32"))
    b.store(Y.view(BATCH, 10, 10), N, 1, 2, value=b.load(X, N, 0))
    b.emit(Prefetch(X, (N, ir.const(400))))
    b.emit(Fence())
    b.emit(Comment("the end"))
    check(
        tmp_path,
        printed(b),
        """
        CHECK: [[Y:%y[.0-9]*]] = memref.reinterpret_cast %y.given to offset: [0], sizes: [%batch, 100]
        CHECK-NEXT: [[VIEW:%y[.0-9]*]] = memref.reinterpret_cast %y.given to offset: [0], sizes: [%batch, 10, 10], strides: [100, 10, 1]
        CHECK: %held = memref.alloca() {alignment = 64 : i64} : memref<4x8xf64>
        CHECK-NEXT: [[FLAT:%held[.0-9]*]] = memref.reinterpret_cast %held to offset: [0], sizes: [32], strides: [1]
        CHECK: scf.for %i =
        CHECK-NEXT: vector.store {{%cst[.0-9]*}}, %held[%i, %c0] : memref<4x8xf64>, vector<8xf64>
        CHECK-NEXT: memref.load [[FLAT]][%c3] : memref<32xf64>
        CHECK-NEXT: arith.truncf {{%[0-9]+}} : f64 to f32
        CHECK: memref.store {{%[0-9]+}}, [[VIEW]][%item, %c1, %c2] : memref<?x10x10xf32>
        CHECK-NEXT: memref.prefetch %x[%item, %c400], read, locality<2>, data : memref<?x100xf32>
        CHECK-NEXT: llvm.call_intrinsic "llvm.x86.sse.sfence"() : () -> ()
        CHECK-NEXT: // the end
        """,
    )


OPERATIONS = {
    "fma": (lambda: ir.fma(vector(), vector(8), vector(16)), "math.fma {{%[0-9]+}}, {{%[0-9]+}}, {{%[0-9]+}} : vector<8xf32>"),
    "min": (
        lambda: ir.minimum(vector(), vector(8)),
        "arith.cmpf olt, [[B:%[0-9]+]], [[A:%[0-9]+]]",
        "arith.select {{%[0-9]+}}, [[B]], [[A]]",
    ),
    "max": (
        lambda: ir.maximum(vector(), vector(8)),
        "arith.cmpf ogt, [[B:%[0-9]+]], [[A:%[0-9]+]]",
        "arith.select {{%[0-9]+}}, [[B]], [[A]]",
    ),
    "div": (lambda: ir.div(vector(), vector(8)), "arith.divf {{%[0-9]+}}, {{%[0-9]+}} : vector<8xf32>"),
    "sub": (lambda: ir.sub(vector(), vector(8)), "arith.subf {{%[0-9]+}}, {{%[0-9]+}} : vector<8xf32>"),
    "abs": (lambda: ir.unary("abs", vector()), "math.absf {{%[0-9]+}} : vector<8xf32>"),
    "sqrt": (lambda: ir.unary("sqrt", vector()), "math.sqrt {{%[0-9]+}} : vector<8xf32>"),
    "select": (
        lambda: ir.select(ir.compare("gt", vector(), vector(8)), vector(), Const(0.0, V8)),
        "[[M:%[0-9]+]] = arith.cmpf ogt, {{%[0-9]+}}, {{%[0-9]+}} : vector<8xf32>",
        "arith.select [[M]], {{%[0-9]+}}, {{%cst[.0-9]*}} : vector<8xi1>, vector<8xf32>",
    ),
    "splat": (lambda: ir.splat(ir.Load(X, (N, N), Type("f32")), 8), "vector.broadcast {{%[0-9]+}} : f32 to vector<8xf32>"),
    "pack": (lambda: ir.pack(*(ir.Load(X, (N, ir.const(k)), Type("f32")) for k in range(8))), "vector.from_elements"),
    "bits": (
        lambda: ir.bitcast(ir.shift_left(ir.bitcast(vector(), "i32"), 23), "f32"),
        "arith.bitcast {{%[0-9]+}} : vector<8xf32> to vector<8xi32>",
        "arith.shli {{%[0-9]+}}, {{%cst[.0-9]*}} : vector<8xi32>",
        "arith.bitcast {{%[0-9]+}} : vector<8xi32> to vector<8xf32>",
    ),
    "dealt": (lambda: ir.odd(vector(), vector(8)), "vector.shuffle {{%[0-9]+}}, {{%[0-9]+}} [1, 3, 5, 7, 9, 11, 13, 15]"),
    "sum": (
        lambda: ir.splat(ir.reduce_add(vector()), 8),
        "func.call @sum_f32x8({{%[0-9]+}}) : (vector<8xf32>) -> f32",
    ),
    "even": (
        lambda: ir.even(ir.Load(H, (N, ir.const(0)), Type("bf16", 16))),
        "func.call @even_f32x8({{%[0-9]+}}) : (vector<16xi16>) -> vector<8xf32>",
    ),
    "dot": (
        lambda: ir.dot_pairs(vector(), ir.Load(H, (N, ir.const(0)), Type("bf16", 16))),
        "func.call @dot_pairs_f32x8({{%[0-9]+}}, {{%[0-9]+}}) : (vector<8xf32>, vector<16xi16>) -> vector<8xf32>",
    ),
    "widened": (
        lambda: ir.cast(ir.cast(vector(), "f64"), "f32"),
        "arith.extf {{%[0-9]+}} : vector<8xf32> to vector<8xf64>",
        "arith.truncf",
    ),
    "of an integer": (
        lambda: ir.splat(ir.cast(ir.cast(ir.add(N, 1), "f64"), "f32"), 8),
        "arith.index_cast {{%[0-9]+}} : index to i64",
        "arith.sitofp {{%[0-9]+}} : i64 to f64",
    ),
    "called": (lambda: Call("twice_f32x8", (vector(),), V8), "func.call @twice_f32x8({{%[0-9]+}}) : (vector<8xf32>) -> vector<8xf32>"),
}
A = Var("a", V8)
TWICE = Function("twice_f32x8", (A,), (ir.Let(Var("b", V8), ir.add(A, A)),), Var("b", V8))


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str, tmp_path: Path) -> None:
    make, *lines = OPERATIONS[name]
    b = Builder()
    b.store(Y, N, 0, value=make())
    check(tmp_path, printed(b, functions=(TWICE,)), "CHECK: scf.for %item\n" + "\n".join(f"CHECK: {line}" for line in lines))


def test_functions_are_the_modules_own(tmp_path: Path) -> None:
    b = Builder()
    b.store(Y, N, 0, value=Call("twice_f32x8", (vector(),), V8))
    check(
        tmp_path,
        printed(b, functions=(TWICE,)),
        """
        CHECK: func.func private @twice_f32x8(%a: vector<8xf32>) -> vector<8xf32> attributes
        CHECK-SAME: {llvm.linkage = #llvm.linkage<internal>, passthrough = ["nounwind", "alwaysinline"]}
        CHECK-NEXT: %b = arith.addf %a, %a : vector<8xf32>
        CHECK-NEXT: return %b : vector<8xf32>
        """,
    )


def test_positions(tmp_path: Path) -> None:
    """Integers are of type index, and what is computed once is not computed again."""
    b = Builder()
    phase = b.let("phase", ir.Peel(Y, (N, ir.const(0)), 8))
    aligned = b.let("aligned", ir.advance(ir.const(0), phase, ir.const(100)))
    tail = b.let("tail", ir.main_end(aligned, 100, 8))
    for _ in range(2):
        b.store(Y, N, ir.rem(ir.div(tail, 3), 50), value=b.load(X, N, ir.rem(ir.div(tail, 3), 50)))
    check(
        tmp_path,
        printed(b),
        """
        CHECK: [[P:%[0-9]+]] = memref.extract_aligned_pointer_as_index %y : memref<?x100xf32> -> index
        CHECK-NEXT: [[E:%[0-9]+]] = arith.divui [[P]], %c4 : index
        CHECK: [[F:%[0-9]+]] = arith.addi [[E]], {{%[0-9]+}} : index
        CHECK-NEXT: [[B:%[0-9]+]] = arith.subi %c0, [[F]] : index
        CHECK-NEXT: %phase = arith.andi [[B]], %c7 : index
        CHECK: %aligned = arith.minsi {{.*}}, %c100 : index
        CHECK: arith.divsi
        CHECK: %tail = arith.addi
        CHECK-NEXT: [[Q:%[0-9]+]] = arith.divsi %tail, %c3 : index
        CHECK-NEXT: [[R:%[0-9]+]] = arith.remsi [[Q]], %c50 : index
        CHECK-NEXT: memref.load %x[%item, [[R]]]
        CHECK-NEXT: memref.store {{%[0-9]+}}, %y[%item, [[R]]]
        CHECK-NEXT: memref.load %x[%item, [[R]]]
        """,
    )


def test_two_roundings_without_a_fused_multiply_add(tmp_path: Path) -> None:
    b = Builder()
    b.store(Y, N, 0, value=ir.fma(vector(0, 4), vector(4, 4), vector(8, 4)))
    text = printed(b, "x86-64")
    assert "math.fma" not in text
    check(tmp_path, text, "CHECK: [[P:%[0-9]+]] = arith.mulf\nCHECK-NEXT: arith.addf [[P]], {{%[0-9]+}} : vector<4xf32>")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.1, "f64", "0.1"),
        (1e-05, "f32", "1.0e-05"),
        (2.0**70, "f64", "1.1805916207174113e+21"),
        (1 / 3, "f32", "0.33333333"),
        (-0.0, "f32", "-0.0"),
        (float("inf"), "f32", "0x7F800000"),
        (float("-inf"), "f64", "0xFFF0000000000000"),
        (float("nan"), "f32", "0x7FC00000"),
    ],
)
def test_numbers(value: float, kind: str, text: str) -> None:
    assert mlir_float(value, kind) == text


def test_what_is_of_a_gpu_is_refused() -> None:
    b = Builder()
    b.store(Y, N, 0, value=Op("shuffle_xor", (b.load(X, N, 0), ir.const(1)), Type("f32")))
    with pytest.raises(TypeError, match="shuffle_xor is no operation of a phase for a CPU"):
        printed(b)


@pytest.mark.parametrize("machine", ["x86-64", "x86-64-v4", "aarch64-neon", "s390x"])
@pytest.mark.parametrize("dtype", HALVES)
def test_conversions_of_halves(dtype: str, machine: str, tmp_path: Path) -> None:
    """By the machine's instructions, or by arithmetic on the bits; never by a call that no library has."""
    text = gngen.emit(GroupNormSpec(groups=4, axis=1), (2, 8, 300), dtype, f"mlir:{machine}", param_dtype="float32").text
    kind = {"float16": "f16", "bfloat16": "bf16"}[dtype]
    instructions = kind == "f16" and load_cpu(machine).half_convert
    by = "arith.truncf %a : {{.*}} to {{.*}}f16" if instructions else "arith.shrui"
    check(tmp_path, text, f"CHECK: func.func private @cast_{kind}{{{{.*}}}}_from_f32\nCHECK: {by}\nCHECK: return")


# The way down


def test_the_dialect_llvm(tmp_path: Path) -> None:
    need_backend("mlir")
    spec = GroupNormSpec(groups=4, axis=1)
    plan = gngen.api.plan(spec, (None, 8, 300), target="mlir:x86-64-v3")
    text = mlir.stage_text(plan.nest, plan.target, "llvm")
    assert "unrealized_conversion_cast" not in text
    check(
        tmp_path,
        text,
        """
        CHECK: llvm.func @gn_f32_o1_g4_c2_i300_phase0(%arg0: !llvm.ptr
        CHECK-SAME: passthrough = ["nounwind", "noinline", "no-builtins"]
        CHECK: llvm.load {{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<8xf32>
        CHECK: llvm.intr.fma
        CHECK: llvm.br {{.*}} {loop_annotation = #loop_annotation
        """,
    )
    assert "fast" not in mlir.translate(text)


def test_loops_are_unrolled_as_the_nest_says() -> None:
    need_backend("mlir")
    source = gngen.emit(GroupNormSpec(groups=4, axis=1), (None, 8, 300), target="mlir:x86-64-v3")
    text = mlir.translate(mlir.lower(source.text))
    loops = source.text.count("#once}") + source.text.count("#times_4}")
    assert text.count("!llvm.loop !") == loops > 0
    assert text.count('!"llvm.loop.unroll.count", i32 4') == 1


def test_stages_on_the_command_line() -> None:
    asked = ["--shape", "None,8,300", "--axis", "1", "--groups", "4"]
    said = {}
    for extra in (
        ["mlir", "--stage", "spec"],
        ["mlir", "--stage", "nest"],
        ["mlir"],
        ["c", "--stage", "nest"],
        ["mlir", "--stage", "nest", "--what", "nest"],
    ):
        command = [sys.executable, "-m", "gngen", "emit", *asked, "--target", *extra]
        said[" ".join(extra)] = subprocess.run(command, capture_output=True, text=True)
    spec, nest, plain, other, both = said.values()
    assert "linalg.generic" in spec.stdout
    assert nest.stdout == plain.stdout
    assert "scf.for" in nest.stdout
    assert "is of target mlir, and the target is c:host; choose --target mlir" in other.stderr
    assert "--what is nest" in both.stderr
    assert other.returncode == both.returncode == 2


def test_without_the_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GNGEN_MLIR_OPT", str(tmp_path / "mlir-opt-99"))
    assert "no mlir-opt or mlir-translate where $GNGEN_MLIR_OPT is" in mlir.unavailable()
    with pytest.raises(BuildError, match="install mlir-22-tools"):
        mlir.lower("")
    monkeypatch.delenv("GNGEN_MLIR_OPT")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mlir.unavailable().startswith("no mlir-opt or mlir-translate on the path")
    for name in ("mlir-opt-99", "mlir-translate-99"):
        (tmp_path / name).write_text("#!/bin/sh\necho LLVM version 99.0\n")
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("GNGEN_MLIR_OPT", "mlir-opt-99")
    assert mlir.unavailable() == ""
    assert mlir.tool("mlir-translate") == str(tmp_path / "mlir-translate-99")
    assert "LLVM version 99.0" in mlir.identity()


def test_what_mlir_opt_refuses_is_said() -> None:
    need_backend("mlir")
    with pytest.raises(BuildError, match=r"custom op 'func\.fun' is unknown"):
        mlir.lower("func.fun @f() { return }")


@pytest.mark.parametrize("machine", ["aarch64-sve", "riscv64-v", "s390x", "wasm32"])
@pytest.mark.parametrize(("shape", "axis", "dtype"), [((None, 8, 301), 1, "bfloat16"), ((None, 90, 24), -1, "float16")])
def test_objects_of_other_machines(shape: tuple[int, ...], axis: int, dtype: str, machine: str, tmp_path: Path) -> None:
    need_backend("mlir")
    spec = GroupNormSpec(groups=4, axis=axis, activation="silu")
    plan = gngen.api.plan(spec, shape, dtype, f"mlir:{machine}")
    source = plan.source
    data = mlir.object_code(source, plan.target)
    assert data[:4] == (b"\0asm" if machine == "wasm32" else b"\x7fELF")
    assert data == mlir.object_code(source, plan.target)
    assert f"{source.entry}_phase0" in mlir.assembly(source, tmp_path, plan.target)
    assert "GOMP" not in mlir.assembly(mlir.emit_phases(plan.nest, plan.target, "own"), tmp_path, plan.target)


# The bits of backend c

# One kernel of each schedule and kind of data; the rest is slow.
QUICK = {
    next(i for i, s in enumerate(SAME) if s[0] == name and s[2] == dtype)
    for name, dtype in zip(SHAPES, itertools.cycle(("float32", "float64")))
} | {i for i, s in enumerate(SAME) if s[0] in ("sample", "group_stream") and s[2] in HALVES}


def assert_same(spec: GroupNormSpec, shape: tuple[int, ...], dtype: str, outputs: tuple[str, ...], schedule: dict[str, Any] | None) -> None:
    """Kernels of c and mlir for this machine answer alike on every data set, whatever the number of threads."""
    gamma, beta = parameters(shape, spec, dtype)
    c, ours = (gngen.compile(spec, shape, dtype, need_backend(name), outputs, schedule) for name in ("c", "mlir"))
    for data in ("normal", "offset", "outlier", "constant", "nan", "inf"):
        x, fused = fill(data, shape, dtype), companions(shape, spec, dtype)
        right = c(x, gamma, beta, **fused)
        for threads in (1, 3):
            gngen.set_num_threads(threads)
            for found, wanted in zip(ours(x, gamma, beta, **fused), right, strict=True):
                assert_equal(found, wanted)


@pytest.mark.parametrize(
    ("schedule", "store", "dtype", "activation"),
    [pytest.param(*s, marks=() if i in QUICK else pytest.mark.slow) for i, s in enumerate(SAME)],
)
def test_the_bits_of_c(schedule: str, store: str, dtype: str, activation: str | None) -> None:
    if store == "streaming" and not load_machine("host").streaming_stores:
        pytest.skip("this machine has no streaming stores")
    shape, axis, groups = SHAPES[schedule]
    spec = GroupNormSpec(groups=groups, axis=axis, activation=activation)
    assert_same(spec, shape, dtype, ("y", "mean", "rstd"), {"name": schedule, "store": store})


@pytest.mark.parametrize(("shape", "axis"), [((3, 8, 301), 1), ((3, 90, 24), -1)])
@pytest.mark.parametrize(
    "dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow), pytest.param("bfloat16", marks=pytest.mark.slow)]
)
def test_the_bits_of_c_in_fused_forms(shape: tuple[int, ...], axis: int, dtype: str) -> None:
    spec = GroupNormSpec(groups=4, axis=axis, activation="silu", residual=True, modulation=True, masked=True)
    assert_same(spec, shape, dtype, ("y", "sum", "mean", "rstd"), None)


@pytest.mark.parametrize("machine", ["x86-64", "x86-64-v3", "x86-64-v4", "generic"])
@pytest.mark.parametrize("dtype", ["float32", *HALVES])
@pytest.mark.slow
def test_the_bits_of_c_on_every_machine(machine: str, dtype: str) -> None:
    need_backend("mlir")
    if runs_here(load_machine(machine)):
        pytest.skip(runs_here(load_machine(machine)))
    spec, shape = GroupNormSpec(groups=4, axis=-1, activation="gelu"), (2, 301, 20)
    gamma, beta = parameters(shape, spec, dtype)
    c, ours = (gngen.compile(spec, shape, dtype, f"{name}:{machine}") for name in ("c", "mlir"))
    for data in ("normal", "outlier", "nan", "inf"):
        x = fill(data, shape, dtype)
        assert_equal(ours(x, gamma, beta), c(x, gamma, beta))


@pytest.mark.parametrize(
    ("shape", "axis", "dtype"),
    [((3, 8, 301), 1, "float32"), ((3, 90, 24), -1, "float32"), pytest.param((3, 90, 24), -1, "float64", marks=pytest.mark.slow)],
)
def test_the_bits_of_c_backward(shape: tuple[int, ...], axis: int, dtype: str) -> None:
    spec = GroupNormSpec(groups=4, axis=axis, activation="silu")
    x, dy = fill("offset", shape, dtype), fill("normal", shape, dtype, seed=5)
    gamma, beta = parameters(shape, spec, dtype)
    _, mean, rstd = gngen.compile(spec, shape, dtype, need_backend("c"), ("y", "mean", "rstd"))(x, gamma, beta)
    c, ours = (gngen.compile(spec, shape, dtype, need_backend(name), direction="backward") for name in ("c", "mlir"))
    for found, wanted in zip(ours(dy, x, mean, rstd, gamma, beta), c(dy, x, mean, rstd, gamma, beta), strict=True):
        assert_equal(found, wanted)


def test_in_place() -> None:
    spec, shape = GroupNormSpec(groups=4, axis=1, residual=True), (2, 8, 301)
    x, (gamma, beta) = fill("normal", shape, "float32"), parameters(shape, spec, "float32")
    residual = companions(shape, spec, "float32")["residual"]
    kernel = gngen.compile(spec, shape, target=need_backend("mlir"), outputs=("y", "sum"))
    y, total = kernel(x, gamma, beta, residual=residual)
    assert kernel(x, gamma, beta, out=x, residual=residual, sum_out=residual)[0] is x
    assert_equal(x, y)
    assert_equal(residual, total)


# The definition on tensors, run

# To loops over buffers, results as arguments; then as a nest.
SPEC_PASSES = (
    "--one-shot-bufferize=bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map",
    "--buffer-results-to-out-params=hoist-static-allocs=1 modify-public-functions=1",
    "--buffer-deallocation-pipeline",
    "--convert-bufferization-to-memref",
    "--convert-linalg-to-loops",
    "--convert-math-to-llvm",
    "--convert-math-to-libm",
    *mlir.PASSES,
)


def run_spec(text: str, name: str, arrays: list[Array], outputs: list[Array]) -> None:
    """Lower, compile and call the one function of a module on arrays in its order."""
    flags = llvmtools.flags(load_cpu("host"))
    code = llvmtools.compile_object([mlir.translate(mlir.lower(text, SPEC_PASSES))], flags)
    address, owner = llvmtools.load_object(code, name)
    given = [np.ascontiguousarray(a) for a in arrays] + outputs
    ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(given))(address)(*(a.ctypes.data for a in given))
    del owner


FORMS: list[tuple[dict[str, Any], tuple[int, ...], str]] = [
    *(({"axis": (1, -1)[i % 2], "activation": act}, (2, 12, 24), "float32") for i, act in enumerate((None, *ACTIVATIONS))),
    ({"axis": -1, "center": False, "epsilon": 0.0}, (2, 30, 24), "float32"),
    ({"axis": -1, "activation": "gelu"}, (2, 30, 24), "float64"),
    ({"axis": 2, "residual": True, "modulation": True, "masked": True, "activation": "silu"}, (2, 5, 24, 7), "float32"),
    ({"axis": 1, "residual": True, "scale": False}, (2, 24, 31), "float16"),
]


@pytest.mark.parametrize(("fields", "shape", "dtype"), FORMS)
def test_the_definition_on_tensors(fields: dict[str, Any], shape: tuple[int, ...], dtype: str) -> None:
    need_backend("mlir")
    if dtype == "float16" and not load_cpu("host").half_convert:
        pytest.skip("this machine has no instructions for float16, and LLVM's call would find no library")
    spec = GroupNormSpec(groups=4, **fields)
    names = ("y", "sum", "mean", "rstd") if spec.residual else ("y", "mean", "rstd")
    problem, _ = specialize(spec, shape, dtype, outputs=names)
    gamma, beta = parameters(shape, spec, dtype)
    kept = "float64" if dtype == "float64" else "float32"
    for data in ("normal", "constant", "nan"):
        x, fused = fill(data, shape, dtype), companions(shape, spec, dtype)
        given = [x, fused.get("residual"), fused.get("mask"), gamma, beta, *fused.get("modulation", ())]
        found = {
            name: np.full(shape if name in ("y", "sum") else (shape[0], 4), np.nan, dtype if name in ("y", "sum") else kept)
            for name in names
        }
        run_spec(print_spec(problem), problem.name, [a for a in given if a is not None], list(found.values()))
        right = oracle(x, gamma, beta, spec, **fused)
        assert_right(found["y"], right, dtype)
        for name in ("mean", "rstd"):
            assert_stat_right(name, found[name], right, dtype)
        if spec.residual:
            with np.errstate(all="ignore"):
                assert_equal(found["sum"], x + fused["residual"])


@pytest.mark.parametrize(("axis", "activation"), [((1, -1)[i % 2], act) for i, act in enumerate((None, *ACTIVATIONS))])
def test_the_gradients_on_tensors(axis: int, activation: str | None) -> None:
    need_backend("mlir")
    shape, spec = (3, 12, 24), GroupNormSpec(groups=4, axis=axis, activation=activation)
    x, dy = fill("normal", shape, "float64"), fill("normal", shape, "float64", seed=5)
    gamma, beta = parameters(shape, spec, "float64")
    problem, layout = specialize(spec, shape, "float64", direction="backward")
    _, mean, rstd = gngen.reference.group_norm(x, gamma, beta, spec)
    given = [dy, x, mean, rstd, gamma, *((beta,) if activation else ())]
    found = [np.full(shape, np.nan), np.full(layout.features, np.nan), np.full(layout.features, np.nan)]
    run_spec(print_spec(problem), problem.name, [a for a in given if a is not None], found)
    for got, right in zip(found, group_norm_backward(dy, x, gamma, beta, spec), strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-11, atol=1e-12)


def test_the_definition_in_text(tmp_path: Path) -> None:
    spec = GroupNormSpec(groups=2, axis=1, activation="relu", masked=True)
    problem, _ = specialize(spec, (None, 6, 11), outputs=("y", "mean"))
    check(
        tmp_path,
        print_spec(problem),
        """
        CHECK: func.func @gn_f32_o1_g2_c3_i11_relu_masked(%x: tensor<?x1x2x3x11xf32>, %mask: tensor<?x1x11xi1>, %gamma: tensor<2x3xf32>
        CHECK-SAME: -> (tensor<?x1x2x3x11xf32>, tensor<?x2xf32>)
        CHECK: %counts = linalg.generic
        CHECK: %sums = linalg.generic
        CHECK-SAME: iterator_types = ["parallel", "reduction", "parallel", "reduction", "reduction"]
        CHECK: arith.select %here, %value, %zero : f64
        CHECK: %means = linalg.generic
        CHECK: %squares = linalg.generic
        CHECK: %rstds = linalg.generic
        CHECK: math.sqrt
        CHECK: %y = linalg.generic
        CHECK: [[LOW:%[a-z]+]] = arith.cmpf olt, %z, %zero : f64
        CHECK-NEXT: %act = arith.select [[LOW]], %zero, %z : f64
        CHECK: return %y, %mean
        """,
    )


def test_a_part_of_a_pass_has_no_form_on_tensors() -> None:
    problem, _ = specialize(GroupNormSpec(groups=2, axis=1), (2, 6, 11), outputs=("y",), stage="apply")
    with pytest.raises(SpecError, match="the part 'apply' of a forward pass has no form on tensors"):
        print_spec(problem)
