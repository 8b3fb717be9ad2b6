"""The scripts in benchmarks/: their suites are what they say, they run, and what they write is a table. No test asserts a time."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from strategies import need_backend

import gngen

ROOT = Path(gngen.__file__).resolve().parent.parent
FOLDER = ROOT / "benchmarks"
NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]\d+)?|inf")

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


@pytest.mark.parametrize(("page", "name"), [("benchmarks.md", "benchmarks"), ("accuracy.md", "accuracy")])
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


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("compare.py", ("--only", "nothing like it"), "no case of the suite all has all of 'nothing like it' in its name"),
        ("compare.py", ("--target", "d"), "no target 'd'"),
        ("compare.py", ("--rounds", "0"), "rounds are at least 1; received 0"),
        ("accuracy.py", ("--target", "d"), "no target 'd'"),
        ("accuracy.py", ("--size", "5"), "invalid choice: 5"),
    ],
)
def test_arguments_that_make_no_sense(script: str, arguments: tuple[str, ...], words: str) -> None:
    done = run(script, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
