"""The command line: what each command prints, where errors go, and that a file is whole or absent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

import gngen
from gngen import models
from gngen.cli import main
from gngen.compare import default_targets

SHAPE = "2,4,4,64"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, empty."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("GNGEN_CACHE_DIR", str(folder))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("GNGEN_TRACEBACK", raising=False)
    return folder


def gn(*args: str | Path) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(a) for a in args], prog_name="gngen")


def good(*args: str | Path) -> str:
    """The stdout of a command that succeeds and says nothing on stderr."""
    result = gn(*args)
    assert (result.stderr, result.exit_code) == ("", 0)
    return result.stdout


def bad(*args: str | Path) -> str:
    """The one error line of a command that fails, without its prefix."""
    result = gn(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("gngen: error: ")
    return result.stderr[len("gngen: error: ") : -1]


def process(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "gngen", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | env, check=False)


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


# help, version, errors


def test_the_commands_are_these() -> None:
    assert set(commands()) == {
        *((name,) for name in ("targets", "emit", "explain", "run", "compare", "diff", "tune", "build", "load", "models", "cache")),
        ("cache", "show"),
        ("cache", "clear"),
    }


@pytest.mark.parametrize("command", [(), *commands()], ids=" ".join)
def test_every_help_has_an_example(command: tuple[str, ...]) -> None:
    text = good(*command, "--help")
    assert "Example:\n    gngen " in text
    assert max(map(len, text.splitlines())) <= 80


def test_no_command_shows_the_help() -> None:
    assert good() == good("--help")


def test_version() -> None:
    assert good("--version") == f"gngen {gngen.__version__}\n"


def test_help_is_light() -> None:
    code = "import sys, gngen.cli; print([m for m in ('rich', 'numba', 'jinja2', 'gngen.compare') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["bogus"], "No such command 'bogus'."),
        (["emit"], "Missing option '--shape'."),
        (["emit", "--shape"], "Option '--shape' requires an argument."),
        (["run", "x.npy"], "Missing argument 'Y.npy'."),
        (["targets", "more"], "Got unexpected extra argument (more)"),
        (["compare", "--model", "sd15-unet", "--limit", "0"], "Invalid value for '--limit': 0 is not in the range x>=1."),
        (
            ["compare", "--model", "nothing"],
            f"model 'nothing' is not known; choose one of {', '.join(models.names())}, or a .toml, .json or .onnx file",
        ),
        (
            ["emit", "--shape", "2,a"],
            "Invalid value for '--shape': '2,a' is not a shape; write 2,64,64,320 or 2x64x64x320, with None or ? for a batch that varies",
        ),
        (["emit", "--shape", SHAPE, "--axis", "x"], "Invalid value for '--axis': 'x' is not an axis; write -1, or several as 1,2"),
        (
            ["emit", "--shape", "2,48", "--groups", "32"],
            "Number of groups (32) must be a multiple of the number of channels (48). Nearest that fit: 24, 48.",
        ),
        (
            ["explain", "--shape", SHAPE, "--activation", "softmax"],
            "activation 'softmax' is not known; choose None or one of relu, silu, gelu, gelu_tanh, sigmoid, tanh",
        ),
        (["run", "missing.npy", "y.npy"], "missing.npy: No such file or directory"),
    ],
)
def test_errors_are_one_line(command: list[str], message: str) -> None:
    assert bad(*command) == message


def test_unknown_option_and_target_are_one_line() -> None:
    assert bad("emit", "--shap", "2").startswith("No such option '--shap'.")
    assert "nonsense" in bad("emit", "--shape", SHAPE, "--target", "nonsense")
    assert "nonsense" in bad("compare", "--model", "sd15-unet", "--target", "nonsense")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a\n  b\n", "a b"),
        (
            "gcc failed:\nx.c: In function f:\nx.c:1: error:  no\nx.c:2: error: no",
            "gcc failed: x.c:1: error: no (GNGEN_TRACEBACK=1 shows all)",
        ),
    ],
)
def test_a_message_of_several_lines_becomes_one(monkeypatch: pytest.MonkeyPatch, said: str, shown: str) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise gngen.errors.BuildError(said)

    monkeypatch.setattr(gngen, "compile", fail)
    assert bad("explain", "--shape", SHAPE) == shown


def test_a_bug_is_one_line_and_tells_how_to_see_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(gngen, "compile", fail)
    assert bad("explain", "--shape", SHAPE) == "unexpected ZeroDivisionError: oh (GNGEN_TRACEBACK=1 shows where)"
    monkeypatch.setenv("GNGEN_TRACEBACK", "1")
    shown = gn("explain", "--shape", SHAPE)
    assert shown.exit_code == 2
    assert shown.stderr.startswith("Traceback (most recent call last):\n")
    assert shown.stderr.splitlines()[-1].startswith("gngen: error: unexpected ZeroDivisionError")


def test_an_interrupt_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gngen, "compile", stop)
    result = gn("explain", "--shape", SHAPE)
    assert result.exit_code == 130
    assert result.stdout == ""
    assert result.stderr.strip() == "gngen: error: interrupted"


def test_a_warning_is_one_line_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(*_: Any, **__: Any) -> Any:
        warnings.warn("the folder is\nread-only", UserWarning, stacklevel=1)
        return SimpleNamespace(explain=lambda: "fine")

    monkeypatch.setattr(gngen, "compile", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = gn("explain", "--shape", SHAPE)
    assert (result.stdout, result.stderr, result.exit_code) == ("fine\n", "gngen: warning: the folder is read-only\n", 0)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m gngen emit --shape {SHAPE} --what nest | head -c 1"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert len(result.stdout) == 1
    assert result.stderr == ""


def test_the_process_prints_and_exits_as_promised() -> None:
    failed = process("emit", "--shape", "2,48")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == (
        "gngen: error: Number of groups (32) must be a multiple of the number of channels (48). Nearest that fit: 24, 48.\n"
    )
    assert process("--version").stdout == f"gngen {gngen.__version__}\n"


# targets, emit, explain


def test_targets_shows_each_and_why_not() -> None:
    text = good("targets")
    rows = {line.split()[0]: line.split()[1] for line in text.splitlines()[2:] if line and not line[0].isspace()}
    status = gngen.targets()
    assert rows == {s.name: "yes" if s.available else "no" for s in status}
    words = " ".join(text.split())
    for s in status:
        if not s.available:
            assert s.reason.split()[0] in words


@pytest.mark.parametrize("shape", ["2,4,4,64", "2x4x4x64", "(2, 4, 4, 64)", "[2,4,4,64]"])
def test_emit_prints_the_source(shape: str) -> None:
    spec = gngen.GroupNormSpec(groups=8, epsilon=1e-5, activation="silu")
    expected = gngen.emit(spec, shape=(2, 4, 4, 64), target="c:x86-64-v3").text
    options = ("--groups", "8", "--epsilon", "1e-5", "--activation", "silu", "--target", "c:x86-64-v3")
    assert good("emit", "--shape", shape, *options).rstrip("\n") == expected.rstrip("\n")


@pytest.mark.parametrize("batch", ["None", "none", "?"])
def test_emit_takes_a_symbolic_batch(batch: str) -> None:
    expected = gngen.emit(gngen.GroupNormSpec(axis=1), shape=(None, 64, 4), target="c:x86-64-v3").text
    assert good("emit", "--shape", f"{batch},64,4", "--axis", "1", "--target", "c:x86-64-v3").rstrip("\n") == expected.rstrip("\n")


def test_emit_passes_every_option() -> None:
    spec = gngen.GroupNormSpec(groups=4, axis=(1, 2), epsilon=0.5, center=False, scale=False, activation=None)
    expected = str(gngen.lower(spec, (2, 4, 6, 8), "float64", "c:x86-64-v3", ("y", "mean", "rstd")))
    options = (
        "--groups",
        "4",
        "--axis",
        "1,2",
        "--epsilon",
        "0.5",
        "--no-center",
        "--no-scale",
        "--activation",
        "none",
        "--dtype",
        "float64",
    )
    text = good("emit", "--shape", "2,4,6,8", *options, "--outputs", "y,mean,rstd", "--target", "c:x86-64-v3", "--what", "nest")
    assert text.rstrip("\n") == expected.rstrip("\n")


def test_fused_forms_are_flags() -> None:
    shape, flags = "2,30,12", ("--residual", "--modulation", "--masked", "--outputs", "y,sum")
    spec = gngen.GroupNormSpec(groups=4, residual=True, modulation=True, masked=True)
    source = gngen.emit(spec, shape=(2, 30, 12), target="c:generic", outputs=("y", "sum"))
    assert good("emit", "--shape", shape, "--groups", "4", "--target", "c:generic", *flags).rstrip("\n") == source.text.rstrip("\n")
    shown = good("explain", "--shape", shape, "--groups", "4", "--target", "reference", *flags)
    assert "fused     residual, modulation, masked; x + residual is stored" in shown
    message = bad("emit", "--shape", shape, "--groups", "4", "--outputs", "y,sum")
    assert message == "the output sum is x + residual; this spec has residual=False"


def test_emit_writes_a_file(tmp_path: Path) -> None:
    place = tmp_path / "kernel.c"
    place.write_text("old")
    assert good("emit", "--shape", SHAPE, "--target", "c:x86-64-v3", "-o", place) == ""
    assert place.read_text() == good("emit", "--shape", SHAPE, "--target", "c:x86-64-v3")
    assert os.listdir(tmp_path) == ["kernel.c"]
    nowhere = tmp_path / "no" / "kernel.c"
    assert bad("emit", "--shape", SHAPE, "--target", "c:x86-64-v3", "-o", nowhere) == f"{nowhere}: No such file or directory"


def test_emit_prints_assembly() -> None:
    target = default_targets()[0]
    text = good("emit", "--shape", SHAPE, "--target", target, "--what", "assembly")
    assert "ret" in text


def test_explain_prints_what_the_kernel_explains() -> None:
    target = default_targets()[0]
    first, second = (good("explain", "--shape", SHAPE, "--target", target) for _ in range(2))
    kernel = gngen.compile(gngen.GroupNormSpec(), shape=(2, 4, 4, 64), target=target)
    for text in (first, second):
        assert kernel.schedule.name in text
        assert kernel.digest[:12] in text


# run


def arrays(folder: Path, dtype: str = "float32") -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(3)
    x, gamma, beta = (rng.standard_normal(shape).astype(dtype) for shape in ((2, 8, 5, 3), (8,), (8,)))
    for name, array in (("x", x), ("g", gamma), ("b", beta)):
        np.save(folder / f"{name}.npy", array)
    return x, gamma, beta


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_run_normalises(tmp_path: Path, dtype: str) -> None:
    x, gamma, beta = arrays(tmp_path, dtype)
    options = ("--groups", "4", "--axis", "1", "--epsilon", "1e-5", "--activation", "relu")
    place = tmp_path / "y.npy"
    said = good("run", tmp_path / "x.npy", place, *options, "--gamma", tmp_path / "g.npy", "--beta", tmp_path / "b.npy", "--check")
    y = np.load(place)
    assert (y.dtype.name, y.shape) == (dtype, x.shape)
    spec = gngen.GroupNormSpec(groups=4, axis=1, epsilon=1e-5, activation="relu")
    assert np.abs(y - gngen.reference.group_norm(x, gamma, beta, spec)[0]).max() < 1e-5
    assert said.startswith(f"{place}: 2x8x5x3 {dtype} on ")
    limit = {"float32": "4e-06", "float64": "1e-13"}[dtype]
    assert said.rstrip().endswith(f" of at most {limit}")
    assert sorted(os.listdir(tmp_path)) == sorted(
        name for name in ("b.npy", "cache", "g.npy", "x.npy", "y.npy") if (tmp_path / name).exists()
    )


def test_run_without_gamma_and_beta_uses_ones_and_zeros(tmp_path: Path) -> None:
    x, *_ = arrays(tmp_path)
    good("run", tmp_path / "x.npy", tmp_path / "y.npy", "--groups", "4", "--axis", "1")
    spec = gngen.GroupNormSpec(groups=4, axis=1)
    exact = gngen.reference.group_norm(x, np.ones(8), np.zeros(8), spec)[0]
    assert np.abs(np.load(tmp_path / "y.npy") - exact).max() < 1e-5


def test_run_takes_integers_other_byte_orders_and_other_dtypes_of_gamma(tmp_path: Path) -> None:
    x = np.arange(2 * 8 * 3).reshape(2, 8, 3) % 7
    spec = gngen.GroupNormSpec(groups=4, axis=1, center=False)
    exact = gngen.reference.group_norm(x.astype(np.float64), np.full(8, 2.0), None, spec)[0]
    np.save(tmp_path / "g.npy", np.full(8, 2))
    for dtype, kind in (("int64", "float32"), ("uint8", "float32"), (">f4", "float32"), (">f8", "float64")):
        np.save(tmp_path / "x.npy", x.astype(dtype))
        good("run", tmp_path / "x.npy", tmp_path / "y.npy", "--groups", "4", "--axis", "1", "--gamma", tmp_path / "g.npy", "--check")
        y = np.load(tmp_path / "y.npy")
        assert y.dtype == np.dtype(kind)
        assert np.abs(y - exact).max() < 1e-5


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_run_takes_float16(tmp_path: Path, kind: str) -> None:
    x, gamma, _ = arrays(tmp_path)
    np.save(tmp_path / "x.npy", x.astype("float16"))
    np.save(tmp_path / "g.npy", gamma.astype(kind))
    shown = good("run", tmp_path / "x.npy", tmp_path / "y.npy", "--groups", "4", "--axis", "1", "--gamma", tmp_path / "g.npy", "--check")
    assert " float16 on " in shown
    assert shown.strip().endswith(" of at most 1e+00")
    y = np.load(tmp_path / "y.npy")
    assert y.dtype == np.float16
    spec = gngen.GroupNormSpec(groups=4, axis=1, center=False)
    exact = gngen.reference.group_norm(x.astype("float16"), gamma.astype(kind), None, spec)[0]
    assert np.abs(y - exact).max() < 4e-3


def test_halves_and_their_parameters() -> None:
    asked = ("--shape", "2,8,48", "--groups", "4", "--target", "c:x86-64-v3", "--dtype", "bfloat16")
    assert "const uint16_t *x, const uint16_t *gamma" in good("emit", *asked)
    assert "const uint16_t *x, const float *gamma" in good("emit", *asked, "--param-dtype", "float32")
    assert "input gamma: f32[48]" in good("emit", *asked, "--param-dtype", "float32", "--what", "nest")
    words = "param_dtype float64 does not go with dtype bfloat16; choose from bfloat16, float32"
    assert bad("emit", *asked, "--param-dtype", "float64") == words
    shown = good("explain", "--shape", "2,8,48", "--groups", "4", "--dtype", "float16", "--param-dtype", "float32")
    assert "(2, 8, 48) f16 with f32 parameters, memory order (0, 1, 2)" in shown


def test_run_takes_any_memory_order(tmp_path: Path) -> None:
    x, *_ = arrays(tmp_path)
    np.save(tmp_path / "f.npy", np.asfortranarray(x))
    for name in ("x", "f"):
        good("run", tmp_path / f"{name}.npy", tmp_path / f"y{name}.npy", "--groups", "4", "--axis", "1", "--check")
    assert np.abs(np.load(tmp_path / "yx.npy") - np.load(tmp_path / "yf.npy")).max() < 1e-6


def test_run_refuses_what_is_no_array(tmp_path: Path) -> None:
    y = tmp_path / "y.npy"
    np.savez(tmp_path / "z.npz", a=np.ones(3))
    (tmp_path / "text.npy").write_text("hello")
    (tmp_path / "empty.npy").write_bytes(b"")
    arrays(tmp_path)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-8])
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "c.npy", np.ones((2, 32), complex))
    assert bad("run", tmp_path, y) == f"{tmp_path}: is a folder, not a .npy file"
    assert bad("run", tmp_path / "z.npz", y) == f"{tmp_path / 'z.npz'}: an archive of arrays (.npz); give one array (.npy)"
    assert bad("run", tmp_path / "c.npy", y) == f"{tmp_path / 'c.npy'}: holds complex128; give real numbers"
    for name in ("text", "empty", "cut", "o"):
        assert bad("run", tmp_path / f"{name}.npy", y).startswith(f"{tmp_path / name}.npy: not a readable .npy file: ")
    assert not y.exists()


def test_run_refuses_gamma_of_another_shape_and_contradictions(tmp_path: Path) -> None:
    arrays(tmp_path)
    np.save(tmp_path / "g.npy", np.ones(7, np.float32))
    x, y, g = tmp_path / "x.npy", tmp_path / "y.npy", tmp_path / "g.npy"
    assert "gamma" in bad("run", x, y, "--groups", "4", "--axis", "1", "--gamma", g)
    assert bad("run", x, y, "--groups", "4", "--axis", "1", "--gamma", g, "--no-scale") == "--no-scale and --gamma exclude each other"
    assert bad("run", x, y, "--groups", "4", "--axis", "1", "--beta", g, "--no-center") == "--no-center and --beta exclude each other"
    assert not y.exists()


class Wrong(SimpleNamespace):
    """A kernel that is a little off."""

    target = "c:host"

    def __call__(self, x: Any, gamma: Any, beta: Any, out: Any = None) -> Any:
        return np.full_like(x, 0.5)


def test_run_writes_nothing_that_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays(tmp_path)
    monkeypatch.setattr("gngen.api.kernel_for", lambda *_, **__: Wrong())
    y = tmp_path / "y.npy"
    y.write_text("old")
    message = bad("run", tmp_path / "x.npy", y, "--groups", "4", "--axis", "1", "--check")
    assert message.startswith("y differs from the oracle by ")
    assert message.endswith(f", over the contract's 4e-06; {y} is not written")
    assert y.read_text() == "old"
    good("run", tmp_path / "x.npy", y, "--groups", "4", "--axis", "1")
    assert (np.load(y) == 0.5).all()


def test_run_leaves_the_old_file_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays(tmp_path)
    y = tmp_path / "y.npy"
    y.write_text("old")

    def full(file: Any, *_: Any, **__: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert bad("run", tmp_path / "x.npy", y, "--groups", "4", "--axis", "1") == f"{y}: No space left on device"
    assert y.read_text() == "old"
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]


def test_run_writes_through_links_and_to_devices(tmp_path: Path) -> None:
    arrays(tmp_path)
    (tmp_path / "link.npy").symlink_to(tmp_path / "real.npy")
    good("run", tmp_path / "x.npy", tmp_path / "link.npy", "--groups", "4", "--axis", "1")
    assert (tmp_path / "link.npy").is_symlink()
    assert np.load(tmp_path / "real.npy").shape == (2, 8, 5, 3)
    good("run", tmp_path / "x.npy", os.devnull, "--groups", "4", "--axis", "1")
    assert not Path(os.devnull).is_file()


def test_run_may_write_over_its_input(tmp_path: Path) -> None:
    x, *_ = arrays(tmp_path)
    good("run", tmp_path / "x.npy", tmp_path / "x.npy", "--groups", "4", "--axis", "1", "--check")
    assert not np.array_equal(np.load(tmp_path / "x.npy"), x)


# compare, models, cache


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[[layer]]\nname = "a"\nshape = [2, 8, 4, 4]\ngroups = 4\naxis = 1\n[[layer]]\nname = "b"\nshape = [2, 6]\ngroups = 2\n'
    )
    return file


def test_compare_prints_a_table(mine: Path) -> None:
    text = good("compare", "--model", mine, "--seconds", "0")
    for target in default_targets():
        assert text.count(f" {target} ") == 3  # two layers and the total
    assert "a x1" in text
    assert "total of 2 norms" in text
    assert max(map(len, text.splitlines())) <= 80


def test_compare_in_a_process_of_its_own_with_a_warm_cache(mine: Path) -> None:
    for origin in ("built", "disk"):
        done = process("compare", "--model", mine, "--seconds", "0", "--json")
        assert (done.stderr, done.returncode) == ("", 0)
        results = [result for layer in json.loads(done.stdout)["layers"] for result in layer["results"]]
        assert [(result["failure"], result["origin"]) for result in results] == [(None, origin)] * len(results)


def test_compare_prints_json(mine: Path) -> None:
    target = default_targets()[0]
    options = ("--target", target, "--target", target, "--seconds", "0", "--limit", "1", "--layout", "last", "--dtype", "float64", "--json")
    data = json.loads(good("compare", "--model", mine, *options))
    assert (data["model"], data["layout"], data["dtype"], data["targets"]) == ("mine", "last", "float64", [target])
    assert [(layer["name"], layer["shape"], layer["axis"]) for layer in data["layers"]] == [("a", [2, 4, 4, 8], [3])]
    [result] = data["layers"][0]["results"]
    assert result["within_contract"]
    assert result["failure"] is None
    assert result["seconds"] > 0


def test_compare_sets_the_threads(mine: Path) -> None:
    before = gngen.get_num_threads()
    try:
        data = json.loads(good("compare", "--model", mine, "--target", default_targets()[0], "--seconds", "0", "--threads", "1", "--json"))
        assert data["threads"] == 1
    finally:
        gngen.set_num_threads(before)


def test_compare_fails_when_a_result_breaks_the_contract(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Kernel(Wrong):
        schedule = SimpleNamespace(name="wrong")
        origin, build_seconds = "built", 0.1

        def __call__(self, x: Any, gamma: Any, beta: Any, out: Any = None) -> Any:
            out.fill(0.5)
            return out

        def code_size(self) -> None:
            return None

    monkeypatch.setattr(gngen, "compile", lambda *_, **__: Kernel())
    result = gn("compare", "--model", mine, "--target", default_targets()[0], "--seconds", "0")
    assert result.exit_code == 2
    assert "total of 2 norms" in result.stdout
    assert result.stderr.startswith("gngen: error: 2 of 2 results failed or broke the contract; a on ")
    assert result.stderr.count("\n") == 1


def test_compare_refuses_a_target_that_is_not_here(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gngen, "targets", lambda: [SimpleNamespace(name="c:host", available=False, reason="no C compiler is installed")])
    assert bad("compare", "--model", mine, "--target", "c") == "target c is not available here: no C compiler is installed"


def test_compare_says_what_is_wrong_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text('{"layers": [{"shape": [2, 8], "groups": 3}]}')
    expected = f"{file}: layer 1: Number of groups (3) must be a multiple of the number of channels (8). Nearest that fit: 2, 4."
    assert bad("compare", "--model", file) == expected


def test_models_lists_and_shows() -> None:
    listed = good("models")
    rows = {line.split()[0]: int(line.split()[1]) for line in listed.splitlines()[2:] if line and not line[0].isspace()}
    assert rows == {name: models.load(name).norms for name in models.names()}
    shown = good("models", "sd15-unet")
    assert shown.splitlines()[4].split() == ["resnet-320-64", "2x320x64x64", "1", "32", "1e-05", "silu", "7"]
    assert shown.endswith("61 norms, float32\n")
    for text in (listed, shown):
        assert max(map(len, text.splitlines()[2:])) <= 80


def test_cache_shows_and_clears(own_cache: Path) -> None:
    code = "import gngen; gngen.compile(gngen.GroupNormSpec(groups=8), shape=(2, 4, 4, 64), target='c')"
    if "c" not in default_targets():
        pytest.skip("no C compiler is installed")
    assert process("cache", "show").stdout.startswith("0 kernels, 0 B of at most ")
    subprocess.run([sys.executable, "-c", code], check=True)
    shown = process("cache", "show")
    assert shown.stderr == ""
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["digest", "backend", "size", "used", "kernel"]
    assert lines[2].split()[1] == "c"
    assert "just now" in lines[2]
    assert lines[-1].startswith("1 kernel, ")
    assert str(own_cache) in lines[-1]
    cleared = process("cache", "clear")
    assert cleared.stdout.startswith("removed 1 kernel, ")
    assert process("cache", "show").stdout.startswith("0 kernels, 0 B of at most ")
