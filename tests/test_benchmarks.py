"""The scripts in benchmarks/: their suites are what they say, they run, and what they write is a table. No test asserts a time."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from cudacpu import build_library
from strategies import need_backend

import gngen

ROOT = Path(gngen.__file__).resolve().parent.parent
FOLDER = ROOT / "benchmarks"
NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]\d+)?|inf")

COUNTER = itertools.count(1)

Load = Callable[[str], ModuleType]

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="benchmarks/ is not beside this gngen")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import a module of the folder by name; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if (FOLDER / f"{name}.py").is_file():
            del sys.modules[name]


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a text in Markdown, each a list of rows of cells, the headings first; every row as wide as its headings."""
    found: list[list[list[str]]] = []
    lines = text.splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not before.startswith("|"):
            found.append([cells])
        elif not all(re.fullmatch(r"-+:?", cell) for cell in cells):
            found[-1].append(cells)
        assert len(cells) == len(found[-1][0])
    return found


# The suites


def test_the_public_suite_is_real_shapes_and_the_odd_one_has_what_real_ones_lack(load: Load) -> None:
    suite = load("suite")
    assert len(suite.PUBLIC) == 34
    assert len(set(suite.cases("all"))) == len(suite.PUBLIC) + len(suite.ODD)
    odd = suite.ODD
    assert {case.dtype for case in odd} == set(suite.DTYPES)
    assert {(case.op, case.layout) for case in odd} == {(op, layout) for op in suite.OPS for layout in suite.LAYOUTS}
    assert {len(case.shape) - 2 for case in odd} == {0, 1, 2, 3}
    assert {3, 8} <= {case.shape[1] // case.groups for case in odd if case.groups > 0}
    assert {1, 32} <= {case.shape[0] for case in odd}
    assert any(case.groups == 1 for case in odd)
    assert any(case.groups == case.shape[1] for case in odd)
    assert any(case.groups == -1 and case.shape[1] in (61, 127) for case in odd)
    assert any(case.shape[2:] == (37, 41) for case in odd)


def test_cases_are_chosen_by_words(load: Load) -> None:
    suite = load("suite")
    found = suite.cases("all", "nhwc bf16")
    assert found
    assert all(case.layout == "nhwc" and case.dtype == "bf16" for case in found)
    assert {case.dtype for case in suite.cases("odd", "f16")} == {"f16"}
    assert suite.cases("public", "nothing like it") == []


def test_every_case_is_one_that_gngen_and_torch_can_compute_alike(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, peers = load("suite"), load("peers")
    pytest.importorskip("torch")
    monkeypatch.setenv(peers.THREADS, "2")
    evaluate = importlib.import_module("gngen.compare.accuracy").evaluate
    for case in (suite.Case((2, 6, 5, 3), 2, "nhwc", op="silu"), suite.Case((3, 5, 4), -1), suite.Case((2, 6), 1)):
        data = peers.make_data(case)
        for peer in ("torch", "reference"):
            answer = peers.make_side(peer, case, data)
            answer.calls[0]()
            assert evaluate(data.x, data.gamma, data.beta, peers.spec_of(case)).error(answer.answer()) < 4e-6


# Documents


def test_a_section_is_replaced_and_the_rest_is_kept(load: Load, tmp_path: Path) -> None:
    document = load("document")
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- begin times -->\nold\n<!-- end times -->\nafter\n")
    for text in ("new\n", "newer"):
        document.Section(path, "times").write(text)
        assert path.read_text() == f"before\n<!-- begin times -->\n\n{text.strip()}\n\n<!-- end times -->\nafter\n"
    for missing in ("others", "times-"):
        with pytest.raises(SystemExit, match=f"lacks the lines <!-- begin {missing} --> and <!-- end {missing} -->"):
            document.Section(path, missing)
    with pytest.raises(SystemExit, match="No such file"):
        document.Section(tmp_path / "none.md", "times")


@pytest.mark.parametrize(("page", "name"), [("benchmarks.md", "benchmarks"), ("accuracy.md", "accuracy"), ("gpu.md", "gpu")])
def test_the_pages_have_their_sections(page: str, name: str, load: Load) -> None:
    document = load("document")
    document.Section(ROOT / "docs" / page, name)


# compare.py


def test_compare_writes_tables(tmp_path: Path) -> None:
    need_backend("c")
    pytest.importorskip("torch")
    if not shutil.which("gcc"):
        pytest.skip("the copy limit needs gcc")
    page = tmp_path / "page.md"
    page.write_text("<!-- begin benchmarks -->\n<!-- end benchmarks -->\n")
    arguments = ("--only", "16x512x7x7 f32 fwd", "--rounds", "2", "--seconds", "0", "--output", page)
    done = run("compare.py", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [f"round {n} of 2: {peer}" for n in (1, 2) for peer in ("copy", "torch", "c")]
    assert page.read_text() == f"<!-- begin benchmarks -->\n\n{done.stdout.strip()}\n\n<!-- end benchmarks -->\n"
    assert f"by `python benchmarks/compare.py --only '16x512x7x7 f32 fwd' --rounds 2 --seconds 0 --output {page}`: " in done.stdout
    assert f"gngen {gngen.__version__} (" in done.stdout
    means, cases = tables(done.stdout)
    assert means[0] == ["", "target", "cases", "/ copy", "x torch", "least x torch", "faster than torch"]
    assert [row[:3] for row in means[1:]] == [["f32 fwd nchw", "c", "1"], ["f32 fwd nhwc", "c", "1"], ["**all**", "c", "2"]]
    assert cases[0] == ["case", "copy", "torch", "c", "/ copy", "x torch"]
    assert [row[0] for row in cases[1:]] == ["16x512x7x7 g32 nchw", "16x512x7x7 g32 nhwc"]
    for row in cases[1:]:
        assert all(NUMBER.fullmatch(cell) for cell in row[1:])
    assert "No time:" not in done.stdout


def test_backends_writes_a_table() -> None:
    need_backend("c")
    need_backend("llvm")
    done = run("backends.py", "--only", "1x32x8x8 f32 fwd", "--seconds", "0", "--target", "llvm", "--target", "c")
    assert done.returncode == 0, done.stderr
    (means,) = tables(done.stdout)
    assert means[0] == ["", "target", "cases", "/ llvm", "most", "compile, ms", "most, ms"]
    assert [row[:3] for row in means[1:]] == [[kind, target, "1"] for kind in ("f32 fwd", "**all**") for target in ("llvm", "c")]
    assert means[1][3] == "1.00"
    refused = run("backends.py", "--only", "no such case")
    assert refused.returncode == 2
    assert "no case of the public suite has all of 'no such case' in its name" in refused.stderr


def test_compare_names_what_has_no_kernel_and_goes_on() -> None:
    pytest.importorskip("torch")
    if not shutil.which("gcc"):
        pytest.skip("the copy limit needs gcc")
    foreign = "c:aarch64-neon" if gngen.target.load_machine("host").arch != "aarch64" else "c:x86-64"
    done = run("compare.py", "--only", "1x32x8x8", "--rounds", "1", "--seconds", "0", "--target", foreign)
    assert done.returncode == 0, done.stderr
    why = f"TargetError: a kernel for {foreign} can be emitted here"
    assert f"- {foreign} (cases: 1, the first 1x32x8x8 g8 nchw f32 fwd): {why}" in done.stdout
    means, cases = tables(done.stdout)
    assert means[1:] == [["f32 fwd nchw", foreign, "0", "-", "-", "-", "0 of 0"], ["**all**", foreign, "0", "-", "-", "-", "0 of 0"]]
    assert cases[1][0] == "1x32x8x8 g8 nchw"
    assert cases[1][3:] == ["none", "-", "-"]


def test_a_process_that_dies_costs_one_case(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare, suite = load("compare"), load("suite")
    (tmp_path / "worker.py").write_text(
        "import json, os, sys\n"
        "cases = json.load(open(sys.argv[2]))\n"
        "for case in cases:\n"
        "    if case['groups'] == 2:\n"
        "        sys.exit('out of luck')\n"
        "    open(sys.argv[3], 'a').write(json.dumps({'median': case['groups'], 'min': 1, 'error': None}) + '\\n')\n"
    )
    monkeypatch.setattr(compare, "HERE", tmp_path)
    chosen = [suite.Case((1, 8, 2), groups) for groups in (1, 2, 4, 2)]
    found = compare.run_peer("c", chosen, 0.0, False, dict(os.environ), tmp_path)
    assert [result.get("median") for result in found] == [1, None, 4, None]
    assert found[1] == {"failure": "its process ended with status 1, and said: out of luck"}


def test_the_best_round_counts(load: Load) -> None:
    compare = load("compare")
    slow, fast = {"median": 3.0, "min": 1.0, "error": 0.5}, {"median": 2.0, "min": 1.5, "error": None}
    failed = {"failure": "no"}
    assert compare.best_of(None, failed) == failed
    assert compare.best_of(failed, slow) == slow
    assert compare.best_of(slow, failed) == slow
    assert compare.best_of(slow, fast) == {"median": 2.0, "min": 1.0, "error": 0.5}
    assert compare.geometric_mean([1.0, 4.0]) == pytest.approx(2.0)
    assert compare.ratio(slow, fast) == 1.5
    assert compare.ratio(slow, failed) is None


def test_an_answer_beyond_the_contract_is_a_failure(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, suite = load("worker"), load("suite")
    peers = load("peers")
    case = suite.Case((2, 8, 4), 2)
    monkeypatch.setenv(peers.THREADS, "2")
    right = worker.time_case("reference", case, 0.0, True)
    assert right["error"] <= 4e-6
    assert right["median"] >= right["min"] > 0
    monkeypatch.setattr(worker, "make_side", lambda peer, case, data: peers.Side((lambda: None,), lambda: data.x))
    assert worker.time_case("reference", case, 0.0, True)["failure"].startswith("RuntimeError: the error is ")
    assert "failure" not in worker.time_case("torch", case, 0.0, True)  # PyTorch's error is shown elsewhere


# accuracy.py


def test_accuracy_writes_tables(tmp_path: Path) -> None:
    need_backend("c")
    pytest.importorskip("torch")
    page = tmp_path / "page.md"
    page.write_text("<!-- begin accuracy -->\n<!-- end accuracy -->\n")
    done = run("accuracy.py", "--dtype", "float32", "--dtype", "bfloat16", "--size", "12", "--target", "c", "--output", page)
    assert done.returncode == 0, done.stderr
    assert page.read_text() == f"<!-- begin accuracy -->\n\n{done.stdout.strip()}\n\n<!-- end accuracy -->\n"
    by_data, by_size = tables(done.stdout)
    data = ["N(0, 1)", "N(100, 0.01)", "N(1e4, 1)", "U[0, 1)", "one outlier of 1e4"]
    assert by_data[0] == ["channels", "by", *data, "contract"]
    kinds = [f"{dtype} {layout}" for dtype in ("float32", "bfloat16") for layout in ("first", "middle", "last")]
    assert [row[:2] for row in by_data[1:]] == [[kind, side] for kind in kinds for side in ("c", "torch")]
    for row in by_data[1:]:
        assert all(NUMBER.fullmatch(cell) for cell in row[2:])
        if row[1] == "c":
            assert all(float(cell) <= float(row[-1]) for cell in row[2:-1])
    assert [row[0] for row in by_size[1:]] == ["float32, 12 elements", "bfloat16, 12 elements"]


# gpu.py, without a GPU


def test_the_gpu_is_measured_in_every_type_op_and_layout(load: Load) -> None:
    suite = load("suite")
    found = suite.every_kind(suite.PUBLIC)
    assert len(found) == len(set(found)) == 26 * len(suite.DTYPES) * len(suite.OPS)
    assert set(suite.PUBLIC) <= set(found)
    for case in (suite.Case((2, 6, 5, 3), 2, "nhwc"), suite.Case((2, 6, 5, 3), 2), suite.Case((2, 6), 2)):
        assert case.memory_shape == load("peers").make_data(case).x.shape


def test_a_plan_takes_no_gpu() -> None:
    done = run("gpu.py", "--plan", "--only", "320x64x64", "--machine", "sm_80")
    assert done.returncode == 0, done.stderr
    (rows,) = tables(done.stdout)
    assert rows[0] == ["case", "schedule", "blocks", "MB", "us"]
    kinds = [f"{dtype} {op}" for dtype in ("f32", "bf16", "f16") for op in ("fwd", "silu")]
    assert [row[0] for row in rows[1:]] == [f"2x320x64x64 g32 {layout} {kind}" for kind in kinds for layout in ("nchw", "nhwc")]
    assert not any(row[1].startswith("cluster") for row in rows[1:])  # which an A100 has not
    assert all(re.fullmatch(r"\d+( \+ \d+)?", row[2]) and NUMBER.fullmatch(row[3]) and NUMBER.fullmatch(row[4]) for row in rows[1:])


def test_what_is_predicted_is_the_kernels_own(load: Load) -> None:
    gpu, suite = load("gpu"), load("suite")
    for case, launches in ((suite.Case((2, 320, 64, 64), 32), 1), (suite.Case((1, 64, 512, 512), 1), 2)):
        found = gpu.predict(case, "sm_90")
        tensor = case.elements * 4
        assert len(found.blocks) == launches
        assert found.moved == tensor * (2 if launches == 1 else 3)
        assert found.seconds == pytest.approx(found.moved / 3352e9)
        p = gngen.api.plan(gpu.spec_of(case), case.shape, "float32", "cuda:sm_90")
        assert f"schedule  {found.schedule.name}:" in gngen.api.explain_plan(p)


def test_nothing_to_measure_is_one_sentence() -> None:
    if not isinstance(gngen.device.find_device(), str):
        pytest.skip("there is a GPU here")
    done = run("gpu.py")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"gpu.py: there is no GPU to measure on: .*; --plan shows what would run, and what is predicted\n", done.stderr)


def test_planning_imports_neither_torch_nor_numba_cuda() -> None:
    code = (
        "import sys; sys.argv = ['gpu.py', '--plan', '--only', '1x32x8x8']; sys.path.insert(0, 'benchmarks'); import gpu; gpu.main()\n"
        "assert not {'torch', 'numba', 'llvmlite'} & set(sys.modules), set(sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_what_other_libraries_move(load: Load) -> None:
    case, peers = load("suite").Case, load("gpu_peers")
    passes = peers.Passes
    assert [peers.pytorch(case((2, 320, 64, 64), 32, layout, op=op)) for layout in ("nchw", "nhwc") for op in ("fwd", "silu")] == [
        passes(2, 1), passes(3, 2), passes(3, 2), passes(4, 3),
    ]  # fmt: skip
    assert peers.apex(case((2, 640, 32, 32), 32, "nhwc", op="silu")) == passes(1, 1)
    assert peers.apex(case((2, 320, 64, 64), 32, "nhwc")) == peers.apex(case((1, 4096, 32, 32), 32, "nhwc")) == passes(2, 1)
    assert peers.onnxruntime(case((2, 320, 64, 64), 32, "nhwc", "f16", "silu")) == passes(2, 1)
    untaken = (
        (peers.apex, [case((2, 320, 64, 64), 32), case((2, 100, 8, 8), 4, "nhwc"), case((2, 320, 8, 8), 8, "nhwc"), case((2, 320), 32)]),
        (peers.onnxruntime, [case((2, 320, 8, 8), 32), case((2, 320, 8, 8), 32, "nhwc", "bf16"), case((2, 96, 8, 8), 32, "nhwc")]),
    )
    for peer, cases in untaken:
        assert not any(map(peer, cases))
    assert passes(2, 1).bytes(case((2, 320, 8, 8), 32, dtype="bf16")) == 3 * 2 * 320 * 64 * 2


def test_the_gpu_page_is_what_the_script_writes(load: Load) -> None:
    """As the page's own command writes it today."""
    gpu, document = load("gpu"), load("document")
    text = gpu.DOCUMENT.read_text(encoding="utf-8")
    (rows,) = tables(gpu.described(gpu.PUBLIC, gpu.DOCUMENT_MACHINE))
    document.Section(gpu.DOCUMENT, gpu.SECTION)
    assert len(rows) == 1 + len(gpu.PUBLIC)
    assert rows in tables(text), "run python benchmarks/gpu.py --document"


def test_the_contract_is_asked_and_answered(load: Load) -> None:
    contract, suite, peers = load("contract"), load("suite"), load("peers")
    for case in (suite.Case((2, 8, 10), 2), suite.Case((2, 8, 5, 3), 4, "nhwc", "bf16", "silu")):
        data = peers.make_data(case)
        kernel = reference_kernel(peers.spec_of(case), data)
        verdict = contract.examine(lambda x, kernel=kernel, data=data: kernel(x, data.gamma, data.beta), case, data)
        assert verdict.broken == ""
        assert 0 < verdict.error <= 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x, y: y * 1.001, "the error on N(0, 1) data is "),
        (lambda x, y: y + np.float32(1e-7) * x.shape[0], "a sample's answer depends on its batch"),
        (lambda x, y: y * 0 + y if np.isfinite(x).all() else np.full_like(y, np.nan), "NaN spoils other groups"),
        (lambda x, y: np.nan_to_num(y), "NaN does not spoil its group"),
        (lambda x, y: y + np.float32(1e-7) * (x.flat[0] == x.flat[1]), "a constant group does not give beta"),
        (lambda x, y: y + np.float32(1e-7) * (x.flat[0] > 3), "a constant group's answer depends on the constant"),
        (lambda x, y: y + np.float32(1e-7) * next(COUNTER), "two runs differ"),
    ],
)
def test_what_breaks_the_contract_is_named(wrong: Callable[[Any, Any], Any], words: str, load: Load) -> None:
    contract, suite, peers = load("contract"), load("suite"), load("peers")
    case = suite.Case((2, 8, 10), 2)
    data = peers.make_data(case)
    kernel = reference_kernel(peers.spec_of(case), data)
    assert words in contract.examine(lambda x: wrong(x, kernel(x, data.gamma, data.beta)), case, data).broken


def reference_kernel(spec: gngen.GroupNormSpec, data: Any) -> gngen.Kernel:
    """The definition, for any batch."""
    return gngen.compile(spec, (None, *data.x.shape[1:]), data.x.dtype.name, "reference")


def test_a_case_is_judged_and_timed(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is done on a GPU, with emitted CUDA C that is compiled for the CPU, and the CPU's clock."""
    if not shutil.which("g++"):
        pytest.skip("no g++ here")
    pytest.importorskip("torch")
    gpu, suite, peers, sides = (load(name) for name in ("gpu", "suite", "peers", "gpu_sides"))

    def built(target: str, case: Any, data: Any) -> Any:
        if target != "cuda":
            raise gngen.errors.BuildError("no compiler")
        p = gngen.api.plan(peers.spec_of(case), case.memory_shape, suite.DTYPES[case.dtype], "cuda:sm_90", schedule="two_kernel")
        folder = tmp_path / case.dtype
        build_library(p.source, folder)
        return sides.built_side(p, folder, data, "cpu")

    def timed(calls: Any, rounds: int) -> Any:
        return sides.time_sides(calls, rounds, lambda: None, Clock, lambda: None)

    real, predict = (sides.copy_side, sides.torch_side), gpu.predict
    monkeypatch.setattr(sides, "copy_side", lambda data: real[0](data, "cpu"))
    monkeypatch.setattr(sides, "torch_side", lambda case, data: real[1](case, data, "cpu"))
    monkeypatch.setattr(sides, "gngen_side", built)
    monkeypatch.setattr(sides, "time_on_device", timed)
    monkeypatch.setattr(gpu, "predict", lambda case, _: predict(case, "sm_90"))
    for case in (suite.Case((2, 8, 16, 16), 2), suite.Case((3, 32, 5, 9), 4, "nhwc", "bf16", "silu")):
        found = gpu.measure(case, ["cuda", "numba-cuda"], 2)
        assert found.failures == {"numba-cuda": "BuildError: no compiler"}
        assert set(found.seconds) == {"copy", "torch", "cuda"}
        assert min(found.seconds.values()) > 0
        assert 0 < found.errors["cuda"] <= (4e-6 if case.dtype == "f32" else 1)
        assert 0 < found.errors["torch"] <= (4e-6 if case.dtype == "f32" else 2)  # PyTorch rounds halves before silu, and after


class Clock:
    """A mark in time on the CPU, as those of CUDA are used."""

    def record(self) -> None:
        self.at = time.perf_counter()

    def elapsed_time(self, end: Any) -> float:
        return 1e3 * float(end.at - self.at)


def test_the_sides_take_turns_and_are_cleared_before(load: Load) -> None:
    pytest.importorskip("torch")
    sides = load("gpu_sides")
    done: list[str] = []

    class Mark:
        def record(self) -> None:
            self.at = len(done)

        def elapsed_time(self, end: Any) -> float:
            return 5.0 * (end.at - self.at)

    calls = [lambda: done.append("a"), lambda: done.extend("bb")]
    times = sides.time_sides(calls, 3, lambda: done.append("clear"), Mark, lambda: done.append("finish"))
    assert times == [5e-3, 10e-3]
    assert done[:-1] == ["a"] * 3 + ["b"] * 6 + ["clear", "a", "clear", "b", "b"] * 3
    assert done[-1] == "finish"


def test_what_was_measured_on_a_gpu_is_tables(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu, suite = load("gpu"), load("suite")
    monkeypatch.setattr(gpu, "load_gpu", lambda name: gngen.target.load_gpu("sm_90"))
    cases = (suite.Case((2, 320, 64, 64), 32), suite.Case((1, 64, 512, 512), 1, "nhwc", "bf16", "silu"))
    measured = [gpu.Measured(case, gpu.predict(case, "sm_90"), {"copy": 8e-6, "torch": 32e-6}, {"torch": 1e-7}) for case in cases]
    measured[0].seconds["cuda"] = 2 * measured[0].prediction.seconds
    measured[0].errors["cuda"] = 2e-7
    measured[1].failures["cuda"] = "two runs differ"
    text = gpu.report(measured, ["cuda"])
    means, rows = tables(text)
    assert means[1][:4] == ["f32 fwd nchw", "cuda", "1", "2.00"]
    assert means[2] == ["bf16 silu nhwc", "cuda", "0", "-", "-", "-", "-"]
    assert means[3][0] == "**all**"
    assert rows[1] == ["2x320x64x64 g32 nchw f32 fwd", "cluster 2", "128", "6.3", "8.0", "32.0", "1.0e-07", "12.5", "2.56", "2.0e-07"]
    assert rows[2][7:] == ["none", "-", "-"]
    assert "- cuda (cases: 1, the first 1x64x512x512 g1 nhwc bf16 silu): two runs differ" in text


# Arguments


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("compare.py", ("--only", "nothing like it"), "no case of the suite all has all of 'nothing like it' in its name"),
        ("compare.py", ("--target", "d"), "no target 'd'"),
        ("compare.py", ("--rounds", "0"), "rounds are at least 1; received 0"),
        ("accuracy.py", ("--target", "d"), "no target 'd'"),
        ("accuracy.py", ("--size", "5"), "invalid choice: 5"),
        ("gpu.py", ("--only", "nothing like it"), "no case has all of 'nothing like it' in its name"),
        ("gpu.py", ("--plan", "--machine", "x86-64"), "invalid choice: 'x86-64'"),
        ("gpu.py", ("--machine", "sm_90"), "--machine goes with --plan"),
        ("gpu.py", ("--plan", "--document"), "not allowed with argument"),
    ],
)
def test_arguments_that_make_no_sense(script: str, arguments: tuple[str, ...], words: str) -> None:
    done = run(script, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
