"""What compare says of code that is not run: bytes, hot loops, cycles, the table, and the folder of texts; and gngen diff."""

from __future__ import annotations

import json
import os
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from gngen import GroupNormSpec, api
from gngen.backends import load_backend
from gngen.cli import main
from gngen.compare import Comparison, mca, measure
from gngen.compare.code import examine, texts_of
from gngen.compare.codereport import code_table
from gngen.compare.codesize import code_bytes
from gngen.compare.diff import Side, side_by_side, unified
from gngen.compare.keep import Keeper
from gngen.errors import BuildError
from gngen.models import Layer, LayerList
from gngen.target import load_cpu

SILU = Layer("silu", (2, 64, 16, 16), 32, 1, activation="silu", count=3)
ROWS = Layer("rows", (2, 16, 16, 64), 32)
LAYERS = LayerList("mine", "two layers", "", "float32", (SILU, ROWS, replace(SILU, name="again: 1/2")))
FOREIGN = "llvm:aarch64-neon" if load_cpu("host").arch != "aarch64" else "llvm:x86-64-v3"

needs_llvm = pytest.mark.skipif(bool(load_backend("llvm").unavailable()), reason=load_backend("llvm").unavailable() or "llvm")
needs_mca = pytest.mark.skipif(bool(mca.lacks()), reason=mca.lacks() or "llvm-mca")


def gn(*args: str | Path, columns: int = 80) -> Result:
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(main, [str(a) for a in args], prog_name="gngen")


# Bytes


def test_executable_sections_are_counted() -> None:
    header = b"\x7fELF\x02\x01\x01" + bytes(33) + struct.pack("<Q", 64) + bytes(10) + struct.pack("<HHH", 64, 3, 0)
    sections = [
        struct.pack("<IIQQQQ", 0, kind, flags, 0, 0, size) + bytes(24) for kind, flags, size in ((1, 6, 40), (1, 2, 500), (1, 4, 2))
    ]
    assert code_bytes(header[:64] + b"".join(sections)) == 42
    wide = b"\x7fELF\x01\x02\x01" + bytes(25) + struct.pack(">I", 52) + bytes(10) + struct.pack(">HHH", 40, 1, 0)
    assert code_bytes(wide[:52] + struct.pack(">IIIIII", 0, 1, 6, 0, 0, 300) + bytes(16)) == 300


def test_webassembly_has_a_section_of_code() -> None:
    assert code_bytes(b"\0asm\1\0\0\0" + b"\x01\x02ab" + b"\x0a\x81\x01" + bytes(129)) == 129


def test_other_files_have_no_code() -> None:
    with pytest.raises(BuildError, match=r"^an object file that is neither ELF nor WebAssembly begins with b'MZ'$"):
        code_bytes(b"MZ")


# Hot loops and cycles


@needs_llvm
@pytest.mark.parametrize("machine", ["x86-64-v3", "x86-64-v4", "aarch64-neon", "aarch64-sve", "riscv64-v", "s390x", "wasm32"])
@pytest.mark.parametrize("layer", [SILU, ROWS], ids=["runs", "rows"])
def test_both_hot_loops_are_found(layer: Layer, machine: str) -> None:
    plan = api.plan(layer.spec, layer.shape, target=f"llvm:{machine}")
    code = examine(plan.target, texts_of(plan))
    lanes = plan.target.cpu.vector_bits // 32
    assert code.bytes is not None
    assert code.bytes > 1000
    for loop in (code.moments, code.elementwise):
        assert loop is not None
        assert loop.elements % lanes == 0
    assert code.moments is not None
    assert code.elementwise is not None
    vectors = code.elementwise.elements // lanes
    assert vectors // 2 <= code.elementwise.counts.vector_stores <= vectors  # AArch64 stores pairs
    if plan.target.cpu.fma:  # 9 of silu, and one of the scale; one for each vector of the moments
        assert code.elementwise.counts.fma == vectors * (10 if layer is SILU else 1)
        assert code.moments.counts.fma == code.moments.elements // lanes


@needs_mca
def test_cycles_are_of_one_iteration() -> None:
    adds = ["vaddps %ymm0, %ymm1, %ymm0"] * 5  # each waits four or three cycles for the one before it
    assert 15 <= mca.loop_cycles(adds, [], "x86_64-unknown-linux-gnu", "x86-64-v3") <= 20.2


@needs_mca
def test_the_length_of_vectors_is_that_before_the_loop() -> None:
    add = ["vfadd.vv v8, v8, v16"]
    one, eight = (
        mca.loop_cycles(add, ["vsetvli a0, a1, e32, m1, ta, ma", f"vsetivli zero, 8, e32, {m}, ta, ma"], "riscv64", "sifive-x280")
        for m in ("m1", "m8")
    )
    assert eight > one


@needs_mca
def test_what_llvm_mca_does_not_know_is_said() -> None:
    with pytest.raises(BuildError, match=r"^llvm-mca refused: "):
        mca.loop_cycles(["bogus"], [], "x86_64-unknown-linux-gnu", "x86-64-v3")


def test_without_llvm_mca_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNGEN_LLVM_MCA", "/nowhere/llvm-mca")
    assert mca.lacks() == "GNGEN_LLVM_MCA names /nowhere/llvm-mca, which cannot be run"
    monkeypatch.delenv("GNGEN_LLVM_MCA")
    monkeypatch.setenv("PATH", "/nowhere")
    assert mca.lacks() == "no llvm-mca: install LLVM's tools, or name it in GNGEN_LLVM_MCA"


def test_a_processor_stands_for_those_without_a_model() -> None:
    found = {name: mca.processor_of(load_cpu(name)) for name in ("aarch64-neon", "aarch64-sve", "riscv64-v", "znver4")}
    assert found == {"aarch64-neon": "neoverse-n1", "aarch64-sve": "neoverse-v1", "riscv64-v": "spacemit-x60", "znver4": "znver4"}
    assert not mca.processor_of(load_cpu("host")).startswith("generic")


# compare


@pytest.fixture(scope="module")
def foreign() -> Comparison:
    """The layers on a target that does not run here, and nothing that does."""
    if load_backend("llvm").unavailable():
        pytest.skip(load_backend("llvm").unavailable())
    return measure(LAYERS, (FOREIGN,), 0)


def test_a_foreign_target_is_examined_and_not_timed(foreign: Comparison) -> None:
    assert foreign.timed == ()
    assert foreign.copy_seconds is None
    for row in foreign.rows:
        [m] = row.measurements
        assert (m.seconds, m.error, m.failure) == (None, None, "")
        assert m.foreign.startswith("this machine is ")
        assert m.good
        assert m.code is not None
        assert m.code.counts.fma > 0
    assert foreign.rows[0].measurements[0] is foreign.rows[2].measurements[0]  # one problem
    assert [total.outside for total in foreign.totals()] == [0]


@pytest.mark.parametrize(("width", "wide"), [(80, False), (160, True)])
def test_the_table_of_code_fits_and_adds_up(foreign: Comparison, width: int, wide: bool) -> None:
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as held:
        console.print(code_table(foreign, wide))
    lines = [line.rstrip() for line in held.get().splitlines()]
    assert max(map(len, lines)) <= width
    assert lines[0] == "mine: two layers"
    heads = ["code", "all", "load", "store", "fma", "arith", "spill"] + ["reload", "branch", "call", "moments", "elementwise"] * wide
    assert lines[1].split() == ["layer,", "target", *heads, "cycles"]
    rows = [line.split() for line in lines if line.startswith(f"  {FOREIGN} ")]
    first, second, again, total = rows
    assert first == again
    place = 3  # of all, after the target and the bytes with their unit
    assert int(first[place]) + int(second[place]) == int(total[place])
    assert "…" not in "".join(lines)
    assert f"not run: {FOREIGN}: this machine is " in " ".join(lines)


def test_compare_shows_code_in_text_and_json(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[[layer]]\nname = "a"\nshape = [2, 64, 8, 8]\naxis = 1\n')
    kept = tmp_path / "kept"
    options = ("--model", file, "--target", "reference", "--target", FOREIGN, "--seconds", "0", "--emit-dir", kept)
    if load_backend("llvm").unavailable():
        pytest.skip(load_backend("llvm").unavailable())
    shown = gn("compare", *options)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "layer, target" in shown.stdout
    assert f"not run: {FOREIGN}: " in shown.stdout
    assert "no code: reference: the reference has no assembly" in " ".join(shown.stdout.split())
    [folder] = kept.iterdir()
    plain = FOREIGN.replace(":", ".")
    assert folder.name == "01-a"
    assert sorted(os.listdir(folder)) == [f"{plain}.ll", f"{plain}.nest", f"{plain}.s", "reference.nest", "reference.py"]
    told = gn("compare", *options, "--json")
    reference, other = json.loads(told.stdout)["layers"][0]["results"]
    assert reference["code"] is None
    assert reference["no_code"].startswith("the reference has no assembly")
    assert (other["seconds"], other["within_contract"]) == (None, None)
    assert other["code"]["counts"]["all"] > 100
    assert other["code"]["moments"]["elements"] > 0


def test_a_backend_for_this_machine_alone_says_so() -> None:
    machine = FOREIGN.partition(":")[2]
    [row] = measure(replace(LAYERS, layers=(SILU,)), (f"reference:{machine}",), 0).rows
    assert row.measurements[0].failure.startswith("reference compiles for this machine alone, and this machine is ")


# The folder of texts


def test_names_in_the_folder_sort_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("stays")
    plan = api.plan(SILU.spec, SILU.shape, target="reference")
    keeper = Keeper(tmp_path)
    for number, name in ((1, "a/b: c"), (10, "../up")):
        keeper.keep(number, replace(SILU, name=name), "reference:host", texts_of(plan))
    assert sorted(str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file()) == [
        "01-a.b.c/reference.host.nest",
        "01-a.b.c/reference.host.py",
        "10-up/reference.host.nest",
        "10-up/reference.host.py",
        "mine.txt",
    ]


def test_a_text_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    plan = api.plan(SILU.spec, SILU.shape, target="reference")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        Keeper(tmp_path).keep(1, SILU, "reference", texts_of(plan))
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = gn("compare", "--model", "sd15-vae", "--target", "reference", "--emit-dir", tmp_path / "file")
    assert result.exit_code == 2
    assert "is a file" in result.stderr


# diff

SHAPE = ("--shape", "2,16,16,64")


def test_diff_is_unified_and_its_status_tells() -> None:
    result = gn("diff", "c:x86-64-v3", "c:x86-64-v4", *SHAPE)
    assert (result.exit_code, result.stderr) == (1, "")
    lines = result.stdout.splitlines()
    assert lines[:2] == ["--- c:x86-64-v3", "+++ c:x86-64-v4"]
    assert "- * Machine: x86-64 with AVX2 and FMA; 256-bit vectors." in lines
    assert "+ * Machine: x86-64 with AVX-512; 512-bit vectors." in lines
    assert "\x1b" not in result.stdout
    same = gn("diff", "c:x86-64-v3", "c:x86-64-v3", *SHAPE)
    assert (same.exit_code, same.stdout, same.stderr) == (0, "", "")


def test_diff_of_schedules() -> None:
    result = gn("diff", "c:x86-64-v3@rows", "c:x86-64-v3@sample", *SHAPE, "--of", "nest")
    assert result.exit_code == 1
    assert result.stdout.startswith("--- c:x86-64-v3@rows\n+++ c:x86-64-v3@sample\n@@")
    assert "-  parallel n_2 in 0 .. batch" in result.stdout  # rows goes on in a phase of its own, sample in the same


def test_diff_side_by_side_fits() -> None:
    result = gn("diff", "c:x86-64-v3", "c:x86-64-v4", *SHAPE, "--of", "nest", "-y", columns=100)
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0].split() == ["c:x86-64-v3", "c:x86-64-v4"]
    assert max(map(len, lines)) <= 100
    assert any(" | " in line for line in lines)


@needs_llvm
def test_diff_of_assembly_of_machines_that_are_not_here() -> None:
    result = gn("diff", "llvm:riscv64-v", "llvm:aarch64-neon", *SHAPE, "--of", "assembly")
    assert result.exit_code == 1
    assert any(line.startswith("-\tvle32.v") for line in result.stdout.splitlines())
    assert any(line.startswith("+\tfmla") for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (("c", "bogus"), "gngen: error: no target 'bogus': it reads backend[:machine], "),
        (("c@", "c"), "gngen: error: 'c@' names no schedule after @; write a target, or target@schedule, as c:x86-64-v3@rows\n"),
        (("c", "c@bogus"), "gngen: error: no schedule 'bogus'; choose from serial_small, "),
    ],
)
def test_diff_refuses_in_one_line(sides: tuple[str, str], said: str) -> None:
    result = gn("diff", *sides, *SHAPE)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


def test_two_columns_mark_each_line() -> None:
    a, b = Side("left", ("same", "old", "\tgone")), Side("right", ("same", "new " * 10))
    assert [line.plain for line in side_by_side(a, b, 43)] == [
        "left                   right",
        "line 1                 line 1",
        "same                   same",
        "old                  | new new new new new…",
        "    gone             <",
    ]
    assert unified(a, b)[3:] == [" same", "-old", "-\tgone", "+" + "new " * 10]
    assert unified(a, a) == []


@pytest.mark.skipif(shutil.which("aarch64-linux-gnu-gcc") is None, reason="no aarch64-linux-gnu-gcc")
def test_c_for_another_architecture_takes_its_compiler() -> None:
    plan = api.plan(GroupNormSpec(32, axis=1), (2, 64, 16, 16), target="c:aarch64-neon")
    code = examine(plan.target, texts_of(plan))
    assert code.bytes is not None
    assert code.moments is not None
    assert code.elementwise is not None
    assert code.counts.fma > 0
