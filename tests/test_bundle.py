"""Bundles: what is in one, that its self-test passes and can fail, from C, C++, Rust and Python, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from strategies import assert_equal

import gngen
from gngen import reference
from gngen.backends import c
from gngen.bundle import features
from gngen.bundle.archive import Member, write_archive
from gngen.bundle.build import build_bundle
from gngen.bundle.layers import read_layers
from gngen.bundle.plan import make_bundle
from gngen.cli import main
from gngen.errors import BuildError, LaunchError, SpecError, TargetError
from gngen.spec import GroupNormSpec
from gngen.target import host_arch, load_cpu, machine_names, runs_here

EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "aot"
# Of this architecture, the widest first.
MACHINES = [name for name in ("x86-64-v4", "x86-64-v3", "x86-64-v2", "aarch64-neon") if load_cpu(name).arch == host_arch()] or ["host"]
HERE = [name for name in MACHINES if not runs_here(load_cpu(name))]

LAYERS = """
name = "mixed"
[[layer]]
name = "last"
shape = [2, 9, 9, 48]
groups = 12
activation = "silu"
[[layer]]
name = "first-f64"
shape = [2, 24, 10, 11]
groups = 6
axis = 1
dtype = "float64"
outputs = ["y", "mean", "rstd"]
activation = "gelu"
[[layer]]
name = "Half (first)"
shape = [2, 24, 10, 11]
groups = 6
axis = 1
dtype = "float16"
param_dtype = "float32"
[[layer]]
name = "all"
shape = [2, 9, 7, 64]
groups = 8
residual = true
modulation = true
masked = true
outputs = ["y", "sum", "mean", "rstd"]
activation = "tanh"
[[layer]]
name = "brain"
shape = [2, 320, 12, 12]
order = [0, 2, 3, 1]
axis = 1
dtype = "bfloat16"
[[layer]]
name = "again"
shape = [7, 9, 9, 48]
groups = 12
activation = "silu"
"""
SMALL = '[[layer]]\nname = "small"\nshape = [2, 5, 7, 24]\ngroups = 6\nactivation = "relu"\n'
# What takes little time in an emulator: rows and runs, float32 and what is fused.
FEW = SMALL + '[[layer]]\nname = "runs"\nshape = [2, 8, 9, 13]\ngroups = 2\naxis = 1\nresidual = true\noutputs = ["y", "sum", "rstd"]\n'

needs_compiler = pytest.mark.skipif(bool(c.unavailable()), reason=f"backend c: {c.unavailable()}")


def need(*tools: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")


def run(*command: object, status: int = 0, data: bytes | None = None, **env: str) -> bytes:
    """The stdout of a command that ends with the status."""
    done = subprocess.run([str(part) for part in command], input=data, capture_output=True, env=os.environ | env, check=False)
    assert done.returncode == status, f"{command}\n{done.stdout.decode()[-3000:]}\n{done.stderr.decode()[-3000:]}"
    return done.stdout


def make(text: str, out: Path, *targets: str, missing: str = "error", openmp: bool = True, name: str = "gn") -> Path:
    """A bundle of the layers in a TOML text."""
    listed = out.with_name(f"{out.name}.toml")
    listed.write_text(text)
    build_bundle(make_bundle(name, read_layers(str(listed)), targets or ("c",), missing), out, openmp)
    return out


def library_of(bundle: Path, arch: str = "") -> dict[str, Any]:
    """What the manifest says of an architecture's library."""
    found = json.loads((bundle / "manifest.json").read_text())["libraries"]
    return next(lib for lib in found if lib["arch"] == (arch or host_arch()))


def compile_selftest(bundle: Path, *command: object, arch: str = "") -> Path:
    """The self-test of a bundle, linked with its static library."""
    lib, program = library_of(bundle, arch), bundle.with_name(f"{bundle.name}-selftest")
    text, warnings = bundle / "test/selftest.c", ("-Wall", "-Wextra", "-Werror")
    run(*command, *warnings, "-I", bundle / "include", text, bundle / lib["static"], *lib["link"], "-o", program)
    return program


def verdict(output: bytes) -> tuple[int, int]:
    """How many checks of a self-test passed and failed."""
    words = output.decode().splitlines()[-1].split()
    assert words[1::2] == ["passed,", "failed"]
    return int(words[0]), int(words[2])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for several machines of this architecture, with the plain kernel."""
    if c.unavailable():
        pytest.skip(f"backend c: {c.unavailable()}")
    return make(LAYERS, tmp_path_factory.mktemp("bundle") / "dist", *(f"c:{name}" for name in MACHINES), missing="generic")


# The self-test


def test_the_self_test_passes(bundle: Path) -> None:
    need("gcc")
    output = run(compile_selftest(bundle, "gcc", "-O2"))
    passed, failed = verdict(output)
    assert failed == 0
    assert passed > 60 * len(HERE)
    absent = [line for line in output.decode().splitlines() if "not on this processor" in line]
    assert len(absent) == len(MACHINES) - len(HERE)


@pytest.mark.parametrize("compiler", ["clang", "clang-22"])
def test_the_self_test_passes_with_clang(tmp_path: Path, compiler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need(compiler)
    monkeypatch.setenv(f"GNGEN_CC_{host_arch().upper()}", compiler)
    where = make(LAYERS, tmp_path / "dist", f"c:{HERE[0]}")
    assert "clang" in library_of(where)["compiler"]
    assert verdict(run(compile_selftest(where, compiler, "-O2")))[1] == 0


@needs_compiler
def test_the_self_test_notices_a_wrong_kernel(tmp_path: Path) -> None:
    """Its sources, one of them changed: an rstd that is off by 1e-5 is a failure."""
    where = make(SMALL, tmp_path / "dist", "c:host")
    lib = library_of(where)
    kernel = next(where / s["file"] for s in lib["sources"] if s["file"].endswith("small.c"))
    text = kernel.read_text()
    assert "1.0 / sqrt_f64" in text
    wrong = {"rstd": text.replace("1.0 / sqrt_f64", "1.00001 / sqrt_f64"), "right": text}
    for name, changed in wrong.items():
        kernel.write_text(changed)
        program = tmp_path / name
        compile_sources(where, program)
        output = run(program, status=int(name != "right"))
        assert (verdict(output)[1] > 0) == (name != "right")
        assert (b"FAILED small on c:host: a wrong answer" in output) == (name == "rstd")


def compile_sources(bundle: Path, program: Path, *flags: str, compiler: str = "gcc") -> None:
    """The self-test and every source of a bundle for this machine, in one program."""
    need(compiler)
    lib, objects = library_of(bundle), []
    for number, source in enumerate(lib["sources"]):
        made = program.with_suffix(f".{number}.o")
        own = [f for f in source["flags"] if f != "-O2"]
        run(compiler, "-O1", *flags, *own, "-I", bundle / "include", "-I", bundle / "src", "-c", bundle / source["file"], "-o", made)
        objects.append(made)
    run(compiler, "-O1", *flags, "-I", bundle / "include", bundle / "test/selftest.c", *objects, "-lm", "-o", program)


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("machine", HERE)
def test_the_self_test_passes_under_sanitizers(tmp_path: Path, machine: str, compiler: str) -> None:
    need(compiler)
    (tmp_path / "probe.c").write_text("int main(void) { return 0; }\n")
    if subprocess.run([compiler, "-fsanitize=address", tmp_path / "probe.c", "-o", tmp_path / "probe"], capture_output=True).returncode:
        pytest.skip(f"{compiler} has no library for its sanitizers")
    where = make(LAYERS, tmp_path / "dist", f"c:{machine}", missing="generic")
    flags = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    compile_sources(where, tmp_path / "selftest", *flags, compiler=compiler)
    assert verdict(run(tmp_path / "selftest"))[1] == 0


@needs_compiler
def test_the_self_test_passes_under_sanitizers_here(tmp_path: Path) -> None:
    where = make(SMALL, tmp_path / "dist", "c:host", missing="generic")
    compile_sources(where, tmp_path / "selftest", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    assert verdict(run(tmp_path / "selftest"))[1] == 0


NEON = ("aarch64-linux-gnu-gcc", "qemu-aarch64", ("cortex-a57",))
SVE = ("aarch64-linux-gnu-gcc", "qemu-aarch64", ("max,sve-default-vector-length=16", "max,sve-default-vector-length=32"))
RISCV = ("riscv64-linux-gnu-gcc", "qemu-riscv64", ("rv64,v=true,vlen=128", "rv64,v=true,vlen=512"))
OTHERS = {"c:aarch64-neon": NEON, "llvm:aarch64-neon": NEON, "llvm:aarch64-sve": SVE, "llvm:riscv64-v": RISCV}


def check_on_another(target: str, text: str, out: Path) -> None:
    """The self-test of a bundle for another processor, in its emulator."""
    compiler, emulator, processors = OTHERS[target]
    need(compiler, emulator)
    where = make(text, out, target, missing="generic", openmp=False)
    program = compile_selftest(where, compiler, "-O2", "-static", arch=load_cpu(target.partition(":")[2]).arch)
    for processor in processors:
        assert verdict(run(emulator, program, QEMU_CPU=processor))[1] == 0


def test_the_self_test_passes_on_risc_v(tmp_path: Path) -> None:
    check_on_another("llvm:riscv64-v", FEW, tmp_path / "dist")


@pytest.mark.slow
@pytest.mark.parametrize("target", OTHERS)
def test_the_self_test_passes_on_other_processors(tmp_path: Path, target: str) -> None:
    check_on_another(target, LAYERS, tmp_path / "dist")


def test_the_self_test_passes_on_arm_with_and_without_sve(tmp_path: Path) -> None:
    """A processor with SVE takes its kernels, whatever the length of its vectors, one without the others."""
    need("aarch64-linux-gnu-gcc", "qemu-aarch64")
    where = make(FEW, tmp_path / "dist", "llvm:aarch64-neon", "llvm:aarch64-sve", openmp=False)
    program = compile_selftest(where, "aarch64-linux-gnu-gcc", "-O2", "-static", arch="aarch64")
    without, *both = (run("qemu-aarch64", program, QEMU_CPU=processor) for processor in (*NEON[2], *SVE[2]))
    assert b"llvm:aarch64-sve: not on this processor" in without
    for output in both:
        assert b"not on this processor" not in output
        assert verdict(output)[0] > verdict(without)[0]
        assert verdict(output)[1] == verdict(without)[1] == 0


# Python


def arrays_for(kernel: Any, batch: int) -> dict[str, Any]:
    from gngen.bundle.check import _random_arrays

    shape = (batch, *kernel.layout.shape[1:])
    return dict(_random_arrays(kernel, shape, np.random.default_rng(3)))


@pytest.mark.parametrize("layer", ["last", "first-f64", "Half (first)", "all", "brain"])
def test_a_loaded_kernel_gives_the_bits_of_a_compiled_one(bundle: Path, layer: str) -> None:
    loaded = gngen.load(bundle)
    for machine in HERE:
        loaded.use_machine(f"c:{machine}")
        kernel = loaded[layer]
        said = next(entry for entry in loaded.manifest["layers"] if entry["name"] == layer)
        asked = {"outputs": tuple(said["outputs"]), "order": said["order"], "param_dtype": said["param_dtype"]}
        compiled = gngen.compile(kernel.spec, kernel.layout.shape, said["dtype"], f"c:{machine}", **asked)
        for batch in (1, 3):
            arrays = arrays_for(kernel, batch)
            mine, other = kernel(**arrays), compiled(**arrays)
            for a, b in zip(mine if isinstance(mine, tuple) else (mine,), other if isinstance(other, tuple) else (other,), strict=True):
                assert_equal(np.ascontiguousarray(a), np.ascontiguousarray(b))


def test_a_call_by_shape(bundle: Path) -> None:
    loaded = gngen.load(bundle)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 9, 9, 48)).astype("float32")
    gamma, beta = (rng.standard_normal(48).astype("float32") for _ in range(2))
    y = loaded.group_norm(x, gamma, beta, groups=12, activation="silu")
    assert_equal(y, loaded["last"](x, gamma, beta))
    assert_equal(y, loaded["again"](x, gamma, beta))
    other = rng.standard_normal((2, 3, 5, 30)).astype("float32")
    want = reference.group_norm(other, None, None, GroupNormSpec(groups=5, axis=-1, center=False, scale=False))[0]
    np.testing.assert_allclose(loaded.group_norm(other, groups=5), want, rtol=1e-6, atol=1e-6)


@needs_compiler
def test_a_shape_that_is_missing_is_an_error_where_that_was_asked_for(tmp_path: Path) -> None:
    loaded = gngen.load(make(SMALL, tmp_path / "dist"))
    with pytest.raises(LaunchError, match=r"dist has no kernel for this shape, and missing='error'"):
        loaded.group_norm(np.zeros((1, 4, 4), "float32"), groups=2)
    with pytest.raises(SpecError, match=r"no layer 'large'; choose from small"):
        loaded["large"]
    with pytest.raises(LaunchError, match="gamma is missing"):
        loaded["small"](np.zeros((1, 5, 7, 24), "float32"))


def test_machines_are_taken_best_first_or_by_name(bundle: Path) -> None:
    loaded = gngen.load(bundle)
    loaded.use_machine(None)
    assert loaded.machines == tuple(f"c:{name}" for name in MACHINES)
    assert loaded.machine == f"c:{HERE[0]}"
    with pytest.raises(LaunchError, match="c:z80 cannot run here, or is none of the bundle's machines: c:"):
        loaded.use_machine("c:z80")
    code = f"import gngen; print(gngen.load({str(bundle)!r}).machine)"
    for wish, taken in ((f"c:{HERE[-1]}", f"c:{HERE[-1]}"), ("c:z80", "none")):
        if len(MACHINES) > 1:
            assert run(sys.executable, "-c", code, GN_MACHINE=wish).decode().strip() == taken


def test_loading_needs_no_numba_no_jinja_and_no_compiler(bundle: Path) -> None:
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numba", "llvmlite", "jinja2", "click", "rich"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import numpy as np
import gngen
x = np.random.default_rng(0).standard_normal((2, 9, 9, 48)).astype("float32")
y = gngen.load({str(bundle)!r})["last"](x, np.ones(48, "float32"), np.zeros(48, "float32"))
assert abs(float(y.mean())) < 1
print(len([m for m in sys.modules if m.startswith("gngen.backends.")]))
"""
    run(sys.executable, "-c", code, PATH="")


def test_gngen_load_lists_checks_and_times(bundle: Path) -> None:
    shown = CliRunner().invoke(main, ["load", str(bundle), "--batch", "2"])
    assert (shown.exit_code, shown.stderr) == (0, "")
    for layer in ("last", "first-f64", "Half (first)", "all", "brain", "again"):
        assert layer in shown.stdout
    assert "6 passed, 0 failed" in shown.stdout


def refused(match: str, *arguments: object) -> None:
    """A command that fails with one line."""
    shown = CliRunner().invoke(main, [str(a) for a in arguments])
    assert shown.exit_code == 2
    assert shown.stderr.startswith("gngen: error: ")
    assert match in shown.stderr


@needs_compiler
def test_what_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    refused("is no bundle: manifest.json cannot be read: No such file", "load", tmp_path)
    where = make(SMALL, tmp_path / "dist")
    manifest = json.loads((where / "manifest.json").read_text())

    def with_library(**changes: Any) -> None:
        libraries = [{**lib, **changes} for lib in manifest["libraries"]]
        (where / "manifest.json").write_text(json.dumps({**manifest, "libraries": libraries}))

    with_library(arch="vax")
    refused(f"dist is for vax; this machine is {host_arch()}", "load", where)
    with_library(shared="", note="no linker")
    refused(f"no shared library for {host_arch()}: no linker", "load", where)
    with_library()
    library = where / manifest["libraries"][0]["shared"]
    library.write_bytes(library.read_bytes() + b"more")
    refused("is not the file that the bundle's manifest describes", "load", where)
    (where / "manifest.json").write_text('{"format": "gngen bundle 99"}')
    refused("its format is 'gngen bundle 99', not 'gngen bundle 1'", "load", where)


# Building


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@needs_compiler
def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    targets = ("c:host", "llvm:aarch64-neon", "llvm:wasm32")
    (tmp_path / "another" / "place").mkdir(parents=True)
    one = files(make(SMALL, tmp_path / "dist", *targets))
    other = files(make(SMALL, tmp_path / "another" / "place" / "dist", *targets))
    assert list(one) == list(other)
    assert [name for name in one if one[name] != other[name]] == []
    assert not [name for name, data in one.items() if str(tmp_path).encode() in data]


@needs_compiler
def test_a_bundle_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    out = make(SMALL, tmp_path / "dist")
    (out / "left.txt").write_text("from before")
    make(SMALL.replace("small", "other"), out)
    assert not (out / "left.txt").exists()
    assert "gn_other" in (out / "include/gn.h").read_text()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    with pytest.raises(BuildError, match="mine is there and is no bundle"):
        make(SMALL, mine)
    assert (mine / "thesis.tex").read_text() == "years of work"


@needs_compiler
def test_a_build_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = make(SMALL, tmp_path / "dist")
    before = files(out)
    monkeypatch.setattr("gngen.toolchain._FLAGS", ("-fno-such-flag",))
    with pytest.raises(BuildError, match="no-such-flag"):
        make(SMALL, out)
    assert files(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "dist.toml"]


def test_without_a_compiler_sources_are_left_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNGEN_CC_AARCH64", "no-such-compiler")
    listed = tmp_path / "layers.toml"
    listed.write_text(SMALL)
    for backend, note in (("c", "sources only"), ("llvm", "kernels only, the rest is left as sources")):
        shown = CliRunner().invoke(main, ["build", str(listed), "-o", str(tmp_path / backend), "--target", f"{backend}:aarch64-neon"])
        assert shown.exit_code == 0, shown.stderr
        lib = library_of(tmp_path / backend, "aarch64")
        assert lib["note"] == f"{note}: $GNGEN_CC_AARCH64 is 'no-such-compiler', which is no command here"
        assert "no-such-compiler" in shown.stdout.replace("\n", "")
        assert (lib["static"], lib["shared"]) == ("", "")
        assert all((tmp_path / backend / source["file"]).is_file() for source in lib["sources"])
        assert bool(lib["objects"]) == (backend == "llvm")


def test_the_manifest_says_what_is_in_it(bundle: Path) -> None:
    import hashlib

    manifest = json.loads((bundle / "manifest.json").read_text())
    found = files(bundle)
    del found["manifest.json"]
    assert manifest["files"] == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
    (lib,) = manifest["libraries"]
    assert [machine["target"] for machine in lib["machines"]] == [f"c:{name}" for name in MACHINES]
    kernels = {layer["kernel"] for layer in manifest["layers"]}
    assert kernels == {"last", "first_f64", "half_first", "all", "brain"}
    for machine in lib["machines"]:
        assert {kernel["kernel"] for kernel in machine["kernels"]} == kernels
        for kernel in machine["kernels"]:
            assert {"symbol", "schedule", "digest", "flags", "workspace_bytes_a_sample"} <= set(kernel)
            assert (bundle / kernel["source"]).read_text().count(f"void {kernel['symbol']}_phase") == len(kernel["phases"])
    assert manifest["gngen"]["version"] == gngen.__version__


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (SMALL + SMALL, "layer small would have a function ..._small, as layer small has"),
        (SMALL.replace("small", "Group Norm"), "..._group_norm, as the bundle's own interface has"),
        (SMALL + SMALL.replace("small", "small run"), "..._small_run, as layer small has"),
        (SMALL + "order = [0, 1]", "layer small: order names each of the axes 0..3 once"),
        (SMALL + "order = [1, 0, 2, 3]", "layer small: its arrays would be copied: the batch is not the outermost axis"),
        (SMALL + 'outputs = ["mean"]', "layer small: outputs are y and"),
        (SMALL + 'dtype = "int8"', "layer small: dtype int8 has no kernel"),
        (SMALL + "stride = 2", "layer 1 (small): field 'stride' is not known"),
        ("[[layer]]\nname = 'x'", "layer 1 (x): shape is missing"),
        ("layer = 3", "layer must be a list"),
    ],
)
def test_layers_that_cannot_be_built_say_why(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(SpecError) as raised:
        make(text, tmp_path / "dist", "c:host")
    assert match in str(raised.value)
    assert not (tmp_path / "dist").exists()


def test_arguments_that_do_not_go_together(tmp_path: Path) -> None:
    listed = tmp_path / "layers.toml"
    listed.write_text(SMALL)
    out = ("-o", tmp_path / "dist")
    refused("give one of LAYERS.toml and --model", "build", *out)
    refused("give one of LAYERS.toml and --model", "build", listed, "--model", "sd15-vae", *out)
    refused("C identifier such as gn; received '2fast'", "build", listed, "--name", "2fast", *out)
    refused("target numba-cpu compiles to no plain files; choose from c, llvm", "build", listed, "--target", "numba-cpu", *out)
    refused("no target 'c:z80'", "build", listed, "--target", "c:z80", *out)
    refused("model 'sd16' is not known", "build", "--model", "sd16", *out)
    assert not (tmp_path / "dist").exists()


def test_a_target_that_is_a_gpu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cuda:sm_90 compiles to no plain files"):
        make(SMALL, tmp_path / "dist", "cuda:sm_90")


@pytest.mark.parametrize("name", [name for name in machine_names() if name != "host"])
def test_a_program_can_ask_for_what_every_machine_needs(name: str) -> None:
    machine = load_cpu(name)
    assert features.runs_here(machine.arch, machine.needs, name)
    with pytest.raises(TargetError, match=f"machine {name} needs teleport, which a program on {machine.arch} cannot ask for"):
        features.runs_here(machine.arch, ("teleport",), name)


# Archives


def test_an_archive_is_what_ar_reads(tmp_path: Path) -> None:
    need("ar", "gcc", "nm")
    members = []
    for name in ("brief.o", "a_name_of_more_than_fifteen_characters.o", "odd.o"):
        text = tmp_path / "text.c"
        symbol = name.partition(".")[0]
        text.write_text(f'int {symbol}(void) {{ return 1; }}\nconst char {symbol}_data[] = "{"x" * len(name)}";\n')
        run("gcc", "-c", text, "-o", tmp_path / "made.o")
        members.append(Member(name, (tmp_path / "made.o").read_bytes(), (symbol, f"{symbol}_data")))
    members.append(Member("uneven.o", b"odd", ()))
    archive = tmp_path / "libtest.a"
    archive.write_bytes(write_archive(members))
    assert run("ar", "t", archive).decode().split() == [m.name for m in members]
    for m in members:
        assert run("ar", "p", archive, m.name) == m.data
    index = run("nm", "--print-armap", archive).decode().partition("\n\n")[0]
    assert all(f"{symbol} in {m.name}" in index for m in members for symbol in m.symbols)


# Programs


@pytest.fixture(scope="module")
def digits() -> np.ndarray[Any, Any]:
    datasets = pytest.importorskip("sklearn.datasets")
    return np.ascontiguousarray(datasets.load_digits().images[:40], "float32")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the examples, beside a copy of them."""
    if c.unavailable():
        pytest.skip(f"backend c: {c.unavailable()}")
    if not EXAMPLES.is_dir():
        pytest.skip("examples/ is not beside these tests")
    where = tmp_path_factory.mktemp("aot") / "sources"
    shutil.copytree(EXAMPLES, where)
    made = CliRunner().invoke(main, ["build", str(where / "layers.toml"), "-o", str(where / "dist")])
    assert made.exit_code == 0, made.stderr
    moved = where.with_name("moved")  # nothing in a bundle may depend on where it was made
    where.rename(moved)
    return moved


def check_program(program: Path, digits: np.ndarray[Any, Any]) -> None:
    spec = GroupNormSpec(groups=4, axis=1, epsilon=1e-5, activation="silu")
    want = reference.group_norm(digits, np.ones(8), np.zeros(8), spec)[0]
    got = np.frombuffer(run(program, data=digits.tobytes()), "float32").reshape(digits.shape)
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-5)
    assert run(program, data=b"\0\0\0\0", status=1 if program.name == "rust" else 2) == b""


def test_a_program_in_c(example: Path, digits: np.ndarray[Any, Any]) -> None:
    need("gcc", "pkg-config")
    place = example / f"dist/lib/{host_arch()}/pkgconfig"
    flags = run("pkg-config", "--cflags", "--libs", "--static", "gn", PKG_CONFIG_PATH=str(place)).decode().split()
    run(
        "gcc",
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Werror",
        example / "normalise.c",
        *flags,
        "-Wl,-rpath," + str(place.parent),
        "-o",
        example / "c",
    )
    check_program(example / "c", digits)


def test_a_program_in_cpp_with_cmake(example: Path, digits: np.ndarray[Any, Any]) -> None:
    need("cmake", "g++")
    run(
        "cmake",
        "-S",
        example,
        "-B",
        example / "build",
        f"-DCMAKE_PREFIX_PATH={example / 'dist'}",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror",
    )
    run("cmake", "--build", example / "build")
    check_program(example / "build/normalise", digits)


def test_a_program_in_rust(example: Path, digits: np.ndarray[Any, Any]) -> None:
    need("rustc")
    lib = library_of(example / "dist")
    place = example / f"dist/lib/{host_arch()}"
    libraries = ["-l", "gomp"] if lib["openmp"] else []
    run("rustc", "-O", "-L", place, "-l", "static=gn", *libraries, "-l", "m", example / "normalise.rs", "-o", example / "rust")
    check_program(example / "rust", digits)


def test_cmake_compiles_what_was_left_as_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("cmake", "gcc", "g++")
    if not EXAMPLES.is_dir():
        pytest.skip("examples/ is not beside these tests")
    monkeypatch.setattr("gngen.bundle.build.find_toolchain", lambda machine: "no compiler at hand")
    shutil.copytree(EXAMPLES, tmp_path / "aot")
    make((EXAMPLES / "layers.toml").read_text(), tmp_path / "dist", "c:host")
    assert library_of(tmp_path / "dist")["note"] == "sources only: no compiler at hand"
    run("cmake", "-S", tmp_path / "aot", "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={tmp_path / 'dist'}")
    run("cmake", "--build", tmp_path / "build")
    x = np.random.default_rng(0).standard_normal((3, 8, 8)).astype("float32")
    spec = GroupNormSpec(groups=4, axis=1, epsilon=1e-5, activation="silu")
    got = np.frombuffer(run(tmp_path / "build/normalise", data=x.tobytes()), "float32").reshape(x.shape)
    np.testing.assert_allclose(got, reference.group_norm(x, np.ones(8), np.zeros(8), spec)[0], rtol=0, atol=2e-5)
