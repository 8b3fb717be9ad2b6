"""gngen as it is installed: from a wheel, from a zipped one, editable; with and without compilers, numba and machines of one's own."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import gngen
from gngen.backends import BACKENDS, c, load_backend, machine_kinds

ROOT = Path(gngen.__file__).resolve().parent.parent
TREE = (
    "gngen",
    "templates",
    "targets",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "docs",
    "tests",
    "benchmarks",
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="gngen is not a checkout here"),
]
needs_builder = pytest.mark.skipif(not (find_spec("build") and find_spec("hatchling")), reason="build or hatchling is not installed")
needs_compiler = pytest.mark.skipif(bool(c.unavailable()), reason=f"backend c: {c.unavailable()}")
needs_numba = pytest.mark.skipif(bool(load_backend("numba-cpu").unavailable()), reason="numba is not installed")


def copy_tree(place: Path) -> Path:
    """The tree as it is checked out, without what was made in it."""
    place.mkdir()
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        elif source.exists():
            shutil.copy(source, place / name)
    return place


def run(*command: object, **env: str) -> str:
    """The output of a command that succeeds."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=os.environ | env, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def python(code: str, home: object, folder: Path, flags: tuple[str, ...] = (), **env: str) -> str:
    """The output of Python code run in `folder`, with gngen found at `home`."""
    paths = os.pathsep.join(filter(None, (str(home), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, *flags, "-c", code]
    settings = {"PYTHONPATH": paths, "GNGEN_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=os.environ | settings | env, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy of the tree."""
    if not (find_spec("build") and find_spec("hatchling")):
        pytest.skip("build or hatchling is not installed")
    place = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place / "dist", copy_tree(place / "tree"))
    (built,) = (place / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that gngen is installed in, away from the tree."""
    place = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", place, wheel)
    return place


USE = """
import pathlib, sys
import gngen
from gngen import models
print(pathlib.Path(gngen.__file__).parent)
spec = gngen.GroupNormSpec(groups=4, activation="silu")
for target in ("c:x86-64-v3", "c:aarch64-neon", "numba-cpu:x86-64", "reference:generic"):
    print(gngen.emit(spec, (2, 5, 5, 16), target=target).digest)
print(len(gngen.targets()), *models.names(), len(models.load("sd15-unet").layers))
"""

RUN = """
import numpy as np, gngen
spec = gngen.GroupNormSpec(groups=4, activation="silu")
rng = np.random.default_rng(0)
x = rng.normal(size=(2, 33, 17, 16)).astype("f")
gamma, beta = rng.normal(size=(2, 16)).astype("f")
expected = gngen.reference.group_norm(x, gamma, beta, spec)[0]
def check(target):
    kernel = gngen.compile(spec, x.shape, target=target)
    for _ in range(2):
        assert abs(kernel(x, gamma, beta) - expected).max() < 3e-5
    print(kernel.target, kernel.origin)
    return kernel
"""


def used_in_the_tree(folder: Path) -> list[str]:
    return python(USE, ROOT, folder).splitlines()[1:]


def test_the_wheel_has_templates_targets_and_models(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for source, inside in (("templates", "gngen/_templates"), ("targets", "gngen/_targets"), ("gngen", "gngen")):
        files = [f.relative_to(ROOT / source) for f in (ROOT / source).rglob("*") if f.is_file() and "__pycache__" not in f.parts]
        missing = [f for f in files if f"{inside}/{f.as_posix()}" not in names]
        assert not missing
    assert any(name.startswith("gngen/models/") and name.endswith(".toml") for name in names)
    assert not [name for name in names if name.split("/")[0] not in ("gngen", f"gngen-{gngen.__version__}.dist-info")]


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        text = files.read(f"gngen-{gngen.__version__}.dist-info/METADATA").decode()
        scripts = files.read(f"gngen-{gngen.__version__}.dist-info/entry_points.txt").decode()
    assert f"\nVersion: {gngen.__version__}\n" in text
    assert "\nRequires-Python: >=3.11\n" in text
    assert "gngen = gngen.cli:main" in scripts


@needs_builder
def test_a_wheel_of_the_source_archive_is_the_same(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist", copy_tree(tmp_path / "tree"))
    (again,) = (tmp_path / "dist").glob("*.whl")
    assert set(zipfile.ZipFile(again).namelist()) == set(zipfile.ZipFile(wheel).namelist())
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    assert {"README.md", "Makefile", "LICENSE", "tests/test_packaging.py", "templates/c/kernel.c.j2", "targets/generic.toml"} <= names


def test_installed_it_emits_what_the_tree_emits(installed: Path, tmp_path: Path) -> None:
    where, *said = python(USE, installed, tmp_path).splitlines()
    assert Path(where) == installed / "gngen"
    assert said == used_in_the_tree(tmp_path)


@needs_compiler
def test_installed_it_compiles_and_runs(installed: Path, tmp_path: Path) -> None:
    assert python(f"{RUN}\ncheck('c')", installed, tmp_path) == "c:host built\n"
    assert python(f"{RUN}\ncheck('c')", installed, tmp_path) == "c:host disk\n"


def test_installed_it_has_a_command(installed: Path, tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(installed), "GNGEN_CACHE_DIR": str(tmp_path)}
    for command in ([installed / "bin" / "gngen"], [sys.executable, "-m", "gngen"]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, cwd=tmp_path, env=os.environ | env, check=False)
        assert (done.stdout, done.returncode) == (f"gngen {gngen.__version__}\n", 0), done.stderr


def test_a_zipped_wheel_emits_what_the_tree_emits(wheel: Path, tmp_path: Path) -> None:
    where, *said = python(USE, wheel, tmp_path).splitlines()
    assert Path(where) == wheel / "gngen"
    assert said == used_in_the_tree(tmp_path)


@needs_compiler
def test_a_zipped_wheel_compiles_and_runs(wheel: Path, tmp_path: Path) -> None:
    assert python(f"{RUN}\ncheck('c')", wheel, tmp_path) == "c:host built\n"


@needs_builder
def test_editable_it_is_the_tree(tmp_path: Path) -> None:
    """What `pip install -e .` makes, put where Python looks for it: a change to a template counts at once."""
    if not find_spec("editables"):
        pytest.skip("editables, which hatchling's editable wheels take, is not installed")
    tree = copy_tree(tmp_path / "tree")
    code = f"import os; os.chdir({str(tree)!r}); from hatchling.build import build_editable; print(build_editable({str(tmp_path)!r}))"
    name = run(sys.executable, "-c", code).strip()
    site = tmp_path / "site"
    zipfile.ZipFile(tmp_path / name).extractall(site)
    # without the site's own .pth files, among which may be another editable gngen
    libraries = [path for path in sys.path if Path(path).name == "site-packages"]
    text = f"import site, sys; sys.path += {libraries!r}; site.addsitedir({str(site)!r})\n{USE}"
    where, *said = python(text, tmp_path / "nothing", tmp_path, flags=("-S",)).splitlines()
    assert Path(where) == tree / "gngen"
    assert said == used_in_the_tree(tmp_path)
    with (tree / "templates" / "c" / "kernel.c.j2").open("a") as template:
        template.write("/* changed */\n")
    changed = python(text, tmp_path / "nothing", tmp_path, flags=("-S",)).splitlines()[1:]
    assert [old == new for old, new in zip(said, changed, strict=True)] == [False, False, True, True, True]


# What is imported


def test_importing_gngen_is_light(tmp_path: Path) -> None:
    heavy = ("numba", "llvmlite", "jinja2", "click", "rich", "filelock", "platformdirs", "ml_dtypes", "torch", "keras", "subprocess")
    assert python(f"import sys, gngen; print([m for m in {heavy} if m in sys.modules])", ROOT, tmp_path) == "[]\n"


@needs_compiler
def test_a_kernel_from_the_disk_needs_no_numba_and_no_jinja2(tmp_path: Path) -> None:
    code = f"{RUN}\ncheck('c')\nimport sys; print([m for m in ('numba', 'llvmlite', 'jinja2') if m in sys.modules])"
    python(code, ROOT, tmp_path)
    assert python(code, ROOT, tmp_path) == "c:host disk\n[]\n"


# What is missing

WITHOUT = """
import sys
for name in {names}:
    sys.modules[name] = None
"""


def without(*names: str) -> str:
    """Code after which these packages cannot be imported, as if they were not installed."""
    return WITHOUT.format(names=names)


def no_commands(tmp_path: Path) -> dict[str, str]:
    """An environment in which no command is found."""
    (tmp_path / "empty").mkdir()
    return {"PATH": str(tmp_path / "empty"), "GNGEN_CC": ""}


@needs_numba  # with which llvmlite comes
def test_without_a_compiler_it_is_llvm(tmp_path: Path) -> None:
    code = f"{without('ziglang')}{RUN}\nprint(check('auto').explain())"
    said = python(code, ROOT, tmp_path, **no_commands(tmp_path))
    assert said.startswith("llvm:host built\n")
    assert "\nfallback  c: no C compiler: install gcc or clang, or the ziglang package\n" in said


def test_without_compiler_and_numba_it_is_the_reference(tmp_path: Path) -> None:
    code = f"{without('ziglang', 'numba', 'llvmlite')}{RUN}\nprint(check('auto').explain())"
    said = python(code, ROOT, tmp_path, **no_commands(tmp_path))
    assert said.startswith("reference:host built\n")
    compiler, *packages = "c: no C compiler: install gcc or clang, or the ziglang package", "llvm: llvmlite", "numba-cpu: numba"
    assert f"\nfallback  {'; '.join((compiler, *(f'{name} is not installed' for name in packages)))}\n" in said


def test_what_is_missing_is_named_when_asked_for(tmp_path: Path) -> None:
    code = f"""{without("ziglang", "numba", "llvmlite")}
import gngen
for target in ("c", "numba-cpu"):
    print(len(gngen.emit(gngen.GroupNormSpec(), (2, 64), target=target).text) > 100)
    try:
        gngen.compile(gngen.GroupNormSpec(), (2, 64), target=target)
    except gngen.TargetError as e:
        print(e)
print([(s.name, s.reason) for s in gngen.targets() if s.machine == "host"])
"""
    said = python(code, ROOT, tmp_path, **no_commands(tmp_path)).splitlines()
    no_c, no_numba = "no C compiler: install gcc or clang, or the ziglang package", "numba is not installed"
    no_llvm = "llvmlite is not installed"
    assert said == [
        "True",
        f"a kernel for c:host can be emitted here and not run: {no_c}",
        "True",
        f"a kernel for numba-cpu:host can be emitted here and not run: {no_numba}",
        str([("c:host", no_c), ("llvm:host", no_llvm), ("numba-cpu:host", no_numba), ("mlir:host", no_llvm), ("reference:host", "")]),
    ]


def test_a_compiler_that_is_none_is_named(tmp_path: Path) -> None:
    code = f"{RUN}\nprint(check('auto').explain())"
    said = python(code, ROOT, tmp_path, GNGEN_CC="no-such-cc -x")
    assert "\nfallback  c: $GNGEN_CC is 'no-such-cc -x', which is no command here" in said


@pytest.mark.skipif(not find_spec("ziglang"), reason="ziglang is not installed")
def test_ziglang_compiles_too(tmp_path: Path) -> None:
    said = python(f"{RUN}\ncheck('c')", ROOT, tmp_path, GNGEN_CC=f"{sys.executable} -m ziglang cc")
    assert said == "c:host built\n"


@pytest.mark.skipif(not find_spec("ziglang"), reason="ziglang is not installed")
def test_ziglang_is_found_where_there_is_no_other(tmp_path: Path) -> None:
    said = python(f"{RUN}\nprint(check('auto').explain())", ROOT, tmp_path, **no_commands(tmp_path))
    assert said.startswith("c:host built\n")
    assert "fallback" not in said


# What the README shows


def from_readme(pattern: str) -> str:
    found = re.search(pattern, (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"the README does not show {pattern}"
    return found.group(1)


def test_the_machine_in_the_readme_is_one(tmp_path: Path) -> None:
    name, text = from_readme(r"`([\w-]+)\.toml`:\n"), from_readme(r"^```toml\n(.*?)^```")
    (tmp_path / f"{name}.toml").write_text(text)
    code = f"""
import gngen
from gngen.target import load_machine
source = gngen.emit(gngen.GroupNormSpec(), (2, 64, 64, 320), target="c:{name}")
print(load_machine("{name}").description in source.text, source.flags[-1])
"""
    assert python(code, ROOT, tmp_path, GNGEN_TARGETS=str(tmp_path)) == "True -mcpu=cortex-a76\n"


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
def test_an_emitted_kernel_stands_alone(tmp_path: Path) -> None:
    """The README's lines: emit, compile, call from C."""
    command = shlex.split(from_readme(r"^\$ (gcc [^\n]* gn\.c -lm)$"))
    prototype = from_readme(r"^```c\n(.*?)^```")
    source = gngen.emit(gngen.GroupNormSpec(groups=32), (2, 64, 64, 320), target="c:x86-64-v3")
    assert set(source.flags) <= {*command, "-Wno-psabi"}
    assert " ".join(prototype.rstrip(";\n").split()) in source.text
    if "-march=x86-64-v3" in command and platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the example is for x86-64")
    (tmp_path / "gn.c").write_text(source.text)
    done = subprocess.run(
        [*command, "-Wall", "-Wextra", "-Werror", "-Wno-psabi"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert getattr(ctypes.CDLL(str(tmp_path / "gn.so")), source.entry)


@needs_numba
def test_an_emitted_module_stands_alone(tmp_path: Path) -> None:
    spec, shape = gngen.GroupNormSpec(groups=4), (2, 5, 5, 16)
    text = gngen.emit(spec, shape, target="numba-cpu").text
    (tmp_path / "gn.py").write_text(text)
    assert "gngen" not in re.sub(r'""".*?"""', "", text, count=1, flags=re.DOTALL)
    scratch = re.findall(r"^scratch \w+ +(f32|f64)\[batch \* (\d+)\]$", text, re.MULTILINE)
    code = f"""
import sys
sys.modules["gngen"] = None
import numpy as np, gn
x = np.random.default_rng(0).normal(size={shape}).astype("f")
y, scratch = np.empty_like(x), [np.empty(2 * n, k) for k, n in ({"".join(f"('{k[0]}{int(k[1:]) // 8}', {n}), " for k, n in scratch)})]
gn.run(x, np.ones(16, "f"), np.zeros(16, "f"), y, *scratch, 2)
g = x.astype("d").reshape(2, 25, 4, 4)
expected = (g - g.mean((1, 3), keepdims=True)) / np.sqrt(g.var((1, 3), keepdims=True) + 1e-3)
print(abs(y - expected.reshape(x.shape)).max() < 2e-5)
"""
    assert python(code, tmp_path, tmp_path) == "True\n"


# A machine of one's own

MACHINE = """# A small board with NEON-sized vectors, compiled for anything.
inherits = "generic"
description = "my board"
vector_bits = 256
cores = 3

[cache]
l2 = 131072

[c]
flags = ["-DMY_BOARD=1"]
"""


def test_a_machine_is_one_toml_file(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "my-board.toml").write_text(MACHINE)
    code = f"""{RUN}
source = gngen.emit(spec, x.shape, target="c:my-board")
print("my board; 256-bit vectors" in source.text, source.flags[-1])
print([s.name for s in gngen.targets() if s.machine == "my-board"])
from gngen.target import load_machine
m = load_machine("my-board")
print(m.l1 == load_machine("generic").l1, m.l2, m.cores)
for target in ("c", "llvm", "numba-cpu", "reference"):
    if not [s for s in gngen.targets() if s.name == target + ":my-board"][0].reason:
        check(target + ":my-board")
"""
    said = python(code, ROOT, tmp_path, GNGEN_TARGETS=str(tmp_path / "mine")).splitlines()
    for_cpus = [f"{name}:my-board" for name in BACKENDS if "cpu" in machine_kinds(name)]
    assert said[:3] == ["True -DMY_BOARD=1", str(for_cpus), "True 131072 3"]
    assert said[-1] == "reference:my-board built"
    shown = python("from gngen.cli import main; main(['targets'])", ROOT, tmp_path, GNGEN_TARGETS=str(tmp_path / "mine"))
    assert "c:my-board" in shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cores = ", ["my-board.toml cannot be read"]),
        ('inherits = "nothing"', ["my-board", "inherits from 'nothing'", "generic"]),
        ('inherits = "my-board"', ["my-board", "inherits from itself"]),
        ('inherits = "generic"\ncolour = 1', ["my-board.toml", "no fact 'colour'", "vector_bits"]),
        ('inherits = "generic"\ncores = "two"', ["my-board.toml", "cores is a int", "'two'"]),
        ('inherits = "generic"\nvector_bits = 100', ["my-board.toml", "vector_bits", "100"]),
        ('inherits = "generic"\nsimd = "mmx"', ["my-board.toml", "'mmx'", "avx2"]),
        ('description = "nothing more"', ["my-board.toml does not say", "vector_bits", "cache.l2"]),
    ],
)
def test_a_machine_that_says_nonsense_is_one_clear_error(text: str, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "my-board.toml").write_text(text)
    code = """
import gngen
try:
    gngen.emit(gngen.GroupNormSpec(), (2, 64), target="c:my-board")
except gngen.TargetError as e:
    print(e)
"""
    said = python(code, ROOT, tmp_path, GNGEN_TARGETS=str(tmp_path / "mine"))
    assert said.count("\n") == 1
    for word in words:
        assert word in said
