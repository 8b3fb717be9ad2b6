"""The cache: found where it should be, built once, verified before it is loaded, bounded, and harmless where it cannot be."""

from __future__ import annotations

import ast
import ctypes
import errno
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import gngen
from gngen import api, cache, cli, kernel, resources
from gngen.backends import c, load_backend
from gngen.backends.pyfile import load_module
from gngen.cache import MANIFEST, CacheWarning, DiskCache
from gngen.errors import BuildError

ROOT = Path(gngen.__file__).resolve().parent.parent
SPEC = gngen.GroupNormSpec(groups=4)
SHAPE = (2, 5, 5, 16)
OTHER_USER = 54321

needs_compiler = pytest.mark.skipif(bool(c.unavailable()), reason=f"backend c: {c.unavailable()}")
needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, empty, and a process that remembers no kernel."""
    place = tmp_path / "cache"
    monkeypatch.setenv("GNGEN_CACHE_DIR", str(place))
    monkeypatch.delenv("GNGEN_CACHE_LIMIT", raising=False)
    forget(monkeypatch)
    return place


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty the memory, as in a new process."""
    monkeypatch.setattr(api, "_kernels", {})
    monkeypatch.setattr(kernel, "_built", {})
    monkeypatch.setattr(kernel, "_building", {})
    cache._cache_at.cache_clear()


@pytest.fixture
def use_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path | str], None]]:
    """Make a command the C compiler of this process."""

    def use(command: Path | str) -> None:
        monkeypatch.setenv("GNGEN_CC", str(command))
        c.compiler.cache_clear()

    yield use
    monkeypatch.undo()
    c.compiler.cache_clear()


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def counting_compiler(tmp_path: Path) -> tuple[Path, Callable[[], int]]:
    """A compiler that notes every kernel it compiles, and how many those are."""
    log = tmp_path / "compiled"
    log.touch()
    path = script(
        tmp_path / "counting-cc", f'case "$*" in *-shared*kernel.c*) echo "$$" >> {log};; esac\nexec {" ".join(c.compiler())} "$@"'
    )
    return path, lambda: len(log.read_text().splitlines())


def compile_c(shape: tuple[int | None, ...] = SHAPE, **more: Any) -> gngen.Kernel:
    return gngen.compile(SPEC, shape, target="c", **more)


def store() -> tuple[api.Plan, str]:
    """Put a kernel on disk without loading it: a library that this process has loaded must not change."""
    plan = api.plan(SPEC, SHAPE, target="c")
    key = kernel.digest_of(plan)
    assert cache.default_cache().build(key, lambda where: kernel._build(plan, where))[2] == "built"
    return plan, key


def check(k: gngen.Kernel, batch: int = 2) -> None:
    """The kernel is right."""
    rng = np.random.default_rng(batch)
    x = rng.normal(size=(batch, *k.layout.shape[1:])).astype(np.float32)
    gamma, beta = rng.normal(size=(2, x.shape[-1])).astype(np.float32)
    np.testing.assert_allclose(k(x, gamma, beta), gngen.reference.group_norm(x, gamma, beta, k.spec)[0], atol=2e-5)


def process(code: str, *args: object, **env: str) -> str:
    """The output of Python code in a process of its own, where a warning of the cache is an error."""
    command = [sys.executable, "-W", "error::UserWarning", "-c", code, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment() | env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}


def entry_of(k: gngen.Kernel, folder: Path) -> Path:
    return folder / "kernels" / k.digest


def drafts(folder: Path) -> list[Path]:
    return list(folder.glob("draft-*"))


def silent(call: Callable[[], Any]) -> list[warnings.WarningMessage]:
    """The warnings of the cache while something is done."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [w for w in caught if issubclass(w.category, CacheWarning)]


# Hits


@pytest.mark.parametrize("target", ["c", "llvm", "numba-cpu", "reference"])
def test_a_memory_hit_is_the_same_object(target: str) -> None:
    if load_backend(target).unavailable():
        pytest.skip(load_backend(target).unavailable())
    first = gngen.compile(SPEC, SHAPE, target=target)
    assert first.origin == "built"
    assert gngen.compile(SPEC, SHAPE, target=target) is first
    unhashable = gngen.compile(SPEC, list(SHAPE), target=target)
    assert unhashable.origin == "memory"
    assert unhashable._built.entry is first._built.entry
    check(unhashable)


ASK = f"""
import sys, gngen
k = gngen.compile(gngen.GroupNormSpec(groups=4), {SHAPE}, target=sys.argv[1])
import numpy as np
x = np.random.default_rng(0).normal(size={SHAPE}).astype("f")
one, zero = np.ones(16, "f"), np.zeros(16, "f")
assert abs(k(x, one, zero) - gngen.reference.group_norm(x, one, zero, k.spec)[0]).max() < 2e-5
print(k.origin)
"""


@pytest.mark.parametrize("target", ["c", "llvm", "numba-cpu", "reference"])
def test_a_new_process_finds_it_on_disk(target: str) -> None:
    if load_backend(target).unavailable():
        pytest.skip(load_backend(target).unavailable())
    assert [process(ASK, target) for _ in range(2)] == ["built", "disk"]


@needs_compiler
def test_explain_says_hit_or_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cache     miss, built" in compile_c().explain()
    assert "cache     hit, from memory" in compile_c(list(SHAPE)).explain()  # type: ignore[arg-type]
    forget(monkeypatch)
    assert "cache     hit, from disk" in compile_c().explain()


@needs_compiler
def test_a_symbolic_batch_is_built_once(tmp_path: Path, use_compiler: Callable[[Path], None]) -> None:
    compiler, count = counting_compiler(tmp_path)
    use_compiler(compiler)
    k = compile_c((None, 5, 5, 16))
    for batch in (1, 3, 7):
        check(k, batch)
    assert count() == 1


@needs_compiler
def test_batches_of_one_schedule_share_a_kernel(tmp_path: Path, use_compiler: Callable[[Path], None]) -> None:
    compiler, count = counting_compiler(tmp_path)
    use_compiler(compiler)
    kernels = [compile_c((batch, 5, 5, 16)) for batch in (1, 2, 3)]
    assert len({k.digest for k in kernels}) == 1
    assert count() == 1
    for batch, k in zip((1, 2, 3), kernels, strict=True):
        check(k, batch)


# The key


def digest(
    spec: gngen.GroupNormSpec = SPEC, shape: tuple[int | None, ...] = (2, 64, 64, 64), target: str = "c:x86-64-v3", **more: Any
) -> str:
    return kernel.digest_of(api.plan(spec, shape, target=target, **more))


@pytest.mark.parametrize(
    "change",
    [
        {"spec": replace(SPEC, groups=8)},
        {"spec": replace(SPEC, epsilon=1e-5)},
        {"spec": replace(SPEC, center=False)},
        {"spec": replace(SPEC, scale=False)},
        {"spec": replace(SPEC, activation="silu")},
        {"spec": replace(SPEC, axis=1)},
        {"shape": (2, 64, 63, 64)},
        {"dtype": "float64"},
        {"outputs": ("y", "mean")},
        {"outputs": ("y", "rstd")},
        {"schedule": "rows"},
        {"schedule": {"accumulators": 2}},
        {"schedule": {"lanes": 4}},
        {"schedule": {"store": "streaming"}},
        {"schedule": {"parallel_from": 3}},
        {"target": "c:x86-64-v4"},
        {"target": "llvm:x86-64-v3"},
        {"target": "numba-cpu:x86-64-v3"},
    ],
    ids=str,
)
def test_the_key_changes_with_problem_schedule_and_target(change: dict[str, Any]) -> None:
    assert digest(**change) != digest()


def test_the_key_forgets_what_shapes_no_code() -> None:
    assert digest(shape=(64, 64, 64, 64)) == digest(shape=(66, 64, 64, 64)), "the batch, where the schedule is the same"
    assert digest(order=(0, 1, 2, 3)) == digest()
    assert digest(schedule=replace(api.plan(SPEC, (2, 64, 64, 64), target="c:x86-64-v3").schedule, reason="because")) == digest()


def test_a_permuted_array_of_the_same_problem_has_the_same_key() -> None:
    last, permuted = digest(shape=(2, 8, 9, 64)), digest(replace(SPEC, axis=1), (2, 64, 8, 9), order=(0, 2, 3, 1))
    assert last == permuted


@pytest.mark.parametrize("fact", ["vector_registers", "fma", "l1", "l2", "l3", "llvm_cpu", "llvm_features", "triple", "needs", "c_flags"])
def test_the_key_changes_with_every_fact_of_the_target(fact: str) -> None:
    plan = api.plan(SPEC, (2, 64, 64, 64), target="c:x86-64-v3")
    value = getattr(plan.target.machine, fact)
    other = (*value, "more") if isinstance(value, tuple) else value + "x" if isinstance(value, str) else value + 1
    machine = replace(plan.target.machine, **{fact: other})
    assert kernel.digest_of(replace(plan, target=replace(plan.target, machine=machine))) != kernel.digest_of(plan)


def test_the_key_changes_with_flags_compiler_and_gngen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [digest()]
    for module, name, value in (
        (c, "flags", lambda target: ("-O3",)),
        (c, "identity", lambda: "another compiler 1.0"),
        (gngen, "__version__", "99"),
        (resources, "fingerprint", lambda: "0" * 16),
    ):
        monkeypatch.setattr(module, name, value)
        seen.append(digest())
    assert len(set(seen)) == len(seen)


def test_the_key_changes_with_the_compilers_version(tmp_path: Path, use_compiler: Callable[[Path], None]) -> None:
    seen = []
    for version in ("cc 1.0", "cc 1.0.1"):
        use_compiler(script(tmp_path / "versioned-cc", f"echo '{version}'"))
        assert c.identity().startswith(f"{version} ")
        seen.append(digest())
    assert len(set(seen)) == 2


def test_the_key_changes_with_the_compilers_own_arguments(tmp_path: Path, use_compiler: Callable[[Path | str], None]) -> None:
    seen = []
    for arguments in ("", " -mtune=generic"):
        use_compiler(f"{script(tmp_path / 'one-cc', 'echo cc 1.0')}{arguments}")
        seen.append(digest())
    assert len(set(seen)) == 2


def test_the_fingerprint_has_all_that_shapes_a_nest() -> None:
    """What lowering imports, but for errors, texts and facts: a machine's are part of each digest."""
    package = Path(resources.__file__).parent
    todo = ["lowering", *(f"schedules.{path.stem}" for path in (package / "schedules").glob("[a-z]*.py"))]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        path = package.joinpath(*name.split(".")).with_suffix(".py")
        if name in found or not path.exists():
            continue
        found.add(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gngen"):
                module = str(node.module).removeprefix("gngen").lstrip(".")
                todo += [module, *(f"{module}.{alias.name}".lstrip(".") for alias in node.names)]
    shape_nothing = {"errors", "verify", "nestprint", "resources", "device", "target"}
    assert {name for name in found if not name.startswith("schedules.")} - shape_nothing <= set(resources._CODE)


def test_the_fingerprint_changes_with_code_and_templates(tmp_path: Path) -> None:
    for part in ("gngen", "templates", "targets"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    code = "from gngen import resources; print(resources.fingerprint())"

    def fingerprint() -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True
        )
        return done.stdout.decode().strip()

    seen = [fingerprint()]
    assert seen[0] == resources.fingerprint()
    for changed in ("templates/c/kernel.c.j2", "templates/numba/vectors.py.j2", "gngen/pieces.py", "gngen/backends/c_source.py"):
        with (tmp_path / changed).open("a") as file:
            file.write("\n")
        seen.append(fingerprint())
    assert len(set(seen)) == len(seen)


# Damage


def intruder(tmp_path: Path, entry: str) -> tuple[Path, Path]:
    """A library that leaves a mark when it is loaded, and where the mark will be."""
    mark, library = tmp_path / "loaded", tmp_path / "intruder.so"
    text = tmp_path / "intruder.c"
    constructor = f'__attribute__((constructor)) static void mark(void) {{ fclose(fopen("{mark}", "w")); }}'
    text.write_text(f"#include <stdio.h>\nvoid {entry}(void) {{}}\n{constructor}\n")
    subprocess.run([*c.compiler(), "-shared", "-fPIC", "-o", library, text], check=True)
    return library, mark


@needs_compiler
def test_the_intruder_of_these_tests_is_one(tmp_path: Path) -> None:
    library, mark = intruder(tmp_path, "f")
    assert not mark.exists()
    ctypes.CDLL(str(library))
    assert mark.exists()


def rewrite(manifest: Path, **changes: Any) -> None:
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))


def put_link(entry: Path, library: Path) -> None:
    (entry / "kernel.so").unlink()
    (entry / "kernel.so").symlink_to(library)


DAMAGES: dict[str, Callable[[Path, Path], Any]] = {
    "another library": lambda entry, library: shutil.copy(library, entry / "kernel.so"),
    "a link to another library": put_link,
    "another library, and a manifest without files": lambda entry, library: (
        shutil.copy(library, entry / "kernel.so"),
        rewrite(entry / MANIFEST, files={}),
    ),
    "another library, and its hash": lambda entry, library: (
        shutil.copy(library, entry / "kernel.so"),
        rewrite(
            entry / MANIFEST,
            files=json.loads((entry / MANIFEST).read_text())["files"] | {"kernel.so": cache._hash(library)},
        ),
    ),
    "a truncated library": lambda entry, library: os.truncate(entry / "kernel.so", 4096),
    "an empty library": lambda entry, library: os.truncate(entry / "kernel.so", 0),
    "no library": lambda entry, library: (entry / "kernel.so").unlink(),
    "a folder for a library": lambda entry, library: ((entry / "kernel.so").unlink(), (entry / "kernel.so").mkdir()),
    "another source": lambda entry, library: (entry / "kernel.c").write_text("int x;"),
    "a file more": lambda entry, library: (entry / "more.so").write_bytes(b""),
    "another number of arrays": lambda entry, library: rewrite(entry / MANIFEST, arrays=1),
    "another entry": lambda entry, library: rewrite(entry / MANIFEST, entry="exit"),
    "another workspace": lambda entry, library: rewrite(entry / MANIFEST, workspace=[]),
    "a truncated manifest": lambda entry, library: os.truncate(entry / MANIFEST, 20),
    "a manifest of zeros": lambda entry, library: (entry / MANIFEST).write_bytes(bytes(200)),
    "a list for a manifest": lambda entry, library: (entry / MANIFEST).write_text("[1]"),
    "an empty manifest": lambda entry, library: (entry / MANIFEST).write_text("{}"),
    "no manifest": lambda entry, library: (entry / MANIFEST).unlink(),
    "an empty folder": lambda entry, library: [f.unlink() for f in entry.iterdir()],
}


@needs_compiler
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_never_loaded_and_built_again(
    damage: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, key = store()
    entry = folder / "kernels" / key
    good = (entry / "kernel.so").read_bytes()
    library, mark = intruder(tmp_path, plan.source.entry)
    DAMAGES[damage](entry, library)
    with pytest.warns(CacheWarning, match=rf"the cached kernel {key} is damaged \(.+\) and is built again"):
        again = compile_c()
    assert again.origin == "built"
    check(again)
    assert not mark.exists()
    assert (entry / "kernel.so").read_bytes() == good
    assert drafts(folder) == []
    forget(monkeypatch)
    assert compile_c().origin == "disk"


@pytest.mark.slow
def test_a_damaged_numba_kernel_is_never_loaded_and_built_again(folder: Path, tmp_path: Path) -> None:
    if load_backend("numba-cpu").unavailable():
        pytest.skip(load_backend("numba-cpu").unavailable())
    mark = tmp_path / "loaded"

    class Intruder:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(mark),)

    tolerant = "import warnings; warnings.simplefilter('ignore', UserWarning)\n" + ASK
    assert process(ASK, "numba-cpu") == "built"
    (entry,) = (text.parent for text in folder.glob("kernels/*/kernel.py"))
    index, code = (next(entry.glob(f"__pycache__/*.{kind}")) for kind in ("nbi", "nbc"))
    damages: list[Callable[[], Any]] = [
        lambda: index.write_bytes(pickle.dumps(Intruder())),
        lambda: code.write_bytes(pickle.dumps(Intruder())),
        lambda: (entry / "kernel.py").write_text(f"import os; os.mkdir({str(mark)!r})"),
    ]
    for damage in damages:
        damage()
        assert process(tolerant, "numba-cpu") == "built"
        assert not mark.exists()
    assert process(ASK, "numba-cpu") == "disk"


def test_kernels_of_one_text_are_both_whole_on_disk(folder: Path) -> None:
    if load_backend("numba-cpu").unavailable():
        pytest.skip(load_backend("numba-cpu").unavailable())
    kernels = [gngen.compile(SPEC, SHAPE, target="numba-cpu", schedule={"accumulators": n}) for n in (1, 2)]
    assert kernels[0].source == kernels[1].source
    assert kernels[0].digest != kernels[1].digest
    for k in kernels:
        suffixes = {Path(name).suffix for name in json.loads((entry_of(k, folder) / MANIFEST).read_text())["files"]}
        assert suffixes == {".py", ".nbi", ".nbc"}


def test_a_module_is_known_by_its_file_wherever_that_lies(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kernel.py").write_text("value = object()\n")
    one = load_module(tmp_path / "one" / "kernel.py")
    (tmp_path / "one").rename(tmp_path / "moved")
    assert load_module(tmp_path / "moved" / "kernel.py") is one
    two = load_module(tmp_path / "two" / "kernel.py")
    assert two is not one
    assert two.__name__ == one.__name__


@needs_compiler
def test_an_entry_that_vanishes_before_it_is_loaded_is_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _, key = store()
    load = c.load

    def late(where: Path, manifest: dict[str, Any]) -> Any:
        monkeypatch.setattr(c, "load", load)
        shutil.rmtree(where)
        return load(where, manifest)

    monkeypatch.setattr(c, "load", late)
    again = compile_c()
    assert again.origin == "built"
    assert again.digest == key
    check(again)


# Together

ASK_ALL = f"""
import pathlib, sys, threading, time, warnings
import numpy as np, gngen
target, go, count = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
spec = gngen.GroupNormSpec(groups=4)
x = np.random.default_rng(0).normal(size={SHAPE}).astype("f")
one, zero = np.ones(16, "f"), np.zeros(16, "f")
expected = gngen.reference.group_norm(x, one, zero, spec)[0]
origins, barrier = [], threading.Barrier(count)
def ask():
    barrier.wait()
    k = gngen.compile(spec, {SHAPE}, target=target)
    assert abs(k(x, one, zero) - expected).max() < 2e-5
    origins.append(k.origin)
pathlib.Path(sys.argv[4]).touch()
while not go.exists():
    time.sleep(0.002)
threads = [threading.Thread(target=ask) for _ in range(count)]
[t.start() for t in threads]
[t.join() for t in threads]
assert len(origins) == count
print(*sorted(set(origins) - {{"memory"}}))
"""


def ask_together(tmp_path: Path, target: str, processes: int, threads: int, flags: str = "error::UserWarning", **env: str) -> list[str]:
    """Processes that ask for one kernel at the same time, each from several threads; where each had it from, and their warnings."""
    go = tmp_path / "go"
    ready = [tmp_path / f"ready-{i}" for i in range(processes)]
    running = [
        subprocess.Popen(
            [sys.executable, "-W", flags, "-c", ASK_ALL, target, go, str(threads), mark],
            env=environment() | env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for mark in ready
    ]
    end = time.monotonic() + 60
    while not all(mark.exists() for mark in ready) and time.monotonic() < end and all(p.poll() is None for p in running):
        time.sleep(0.01)
    go.touch()
    outputs = [p.communicate(timeout=120) for p in running]
    assert all(p.returncode == 0 for p in running), [err for _, err in outputs]
    return [out.strip() for out, _ in outputs] + [line for _, err in outputs for line in err.splitlines() if "CacheWarning" in line]


@needs_compiler
def test_8_processes_of_8_threads_compile_once(folder: Path, tmp_path: Path) -> None:
    compiler, count = counting_compiler(tmp_path)
    origins = ask_together(tmp_path, "c", 8, 8, GNGEN_CC=str(compiler))
    assert count() == 1
    assert sorted(origins) == ["built"] + ["disk"] * 7
    assert drafts(folder) == []


@pytest.mark.slow
def test_8_processes_of_8_threads_compile_once_with_numba(folder: Path, tmp_path: Path) -> None:
    if load_backend("numba-cpu").unavailable():
        pytest.skip(load_backend("numba-cpu").unavailable())
    assert sorted(ask_together(tmp_path, "numba-cpu", 8, 8)) == ["built"] + ["disk"] * 7
    assert drafts(folder) == []


@needs_compiler
def test_a_damaged_entry_is_built_again_once(folder: Path, tmp_path: Path) -> None:
    compiler, count = counting_compiler(tmp_path)
    assert process(ASK, "c", GNGEN_CC=str(compiler)) == "built"
    (library,) = folder.glob("kernels/*/kernel.so")
    os.truncate(library, 1000)
    said = ask_together(tmp_path, "c", 4, 2, flags="default", GNGEN_CC=str(compiler))
    assert count() == 2
    assert sorted(said[:4]) == ["built"] + ["disk"] * 3
    assert len(said[4:]) == 1, "one process, the one that builds it, says so"


@needs_compiler
def test_8_threads_build_once(tmp_path: Path, use_compiler: Callable[[Path], None]) -> None:
    compiler, count = counting_compiler(tmp_path)
    use_compiler(compiler)
    barrier, kernels = threading.Barrier(8), []

    def ask() -> None:
        barrier.wait()
        kernels.append(compile_c())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert count() == 1
    assert len({id(k._built.entry) for k in kernels}) == 1


# Bounds


def put(disk: DiskCache, digest: str, size: int = 10_000) -> None:
    """Build an entry of about `size` bytes."""

    def build(where: Path) -> dict[str, Any]:
        (where / "kernel.bin").write_bytes(bytes(size))
        return {"backend": "c", "summary": digest, "files": {"kernel.bin": ""}}

    disk.build(digest, build)


def use(disk: DiskCache, digest: str, when: float) -> None:
    """Find an entry, as of a time."""
    assert disk.find(digest) is not None
    os.utime(disk.path / "kernels" / digest / MANIFEST, (when, when))


def test_the_least_recently_used_go_first(folder: Path) -> None:
    disk = DiskCache(folder, limit_bytes=35_000)
    for when, name in enumerate("abc"):
        put(disk, name)
        use(disk, name, 1000.0 + when)
    use(disk, "a", 2000.0)
    put(disk, "d")
    assert {e.digest for e in disk.entries()} == {"a", "c", "d"}
    assert sum(e.bytes for e in disk.entries()) <= 35_000
    assert disk.find("b") is None


def test_finding_an_entry_makes_it_recent(folder: Path) -> None:
    disk = DiskCache(folder, limit_bytes=1 << 20)
    put(disk, "a")
    os.utime(folder / "kernels" / "a" / MANIFEST, (1000.0, 1000.0))
    assert disk.find("a")
    (entry,) = disk.entries()
    assert time.time() - entry.last_used < 60


def test_a_kernel_larger_than_the_bound_is_kept_until_the_next(folder: Path) -> None:
    disk = DiskCache(folder, limit_bytes=10)
    put(disk, "a")
    assert [e.digest for e in disk.entries()] == ["a"]
    put(disk, "b")
    assert [e.digest for e in disk.entries()] == ["b"]
    assert drafts(folder) == []


@needs_compiler
def test_an_evicted_kernel_still_runs(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("GNGEN_CACHE_LIMIT", "1")
    first, second = compile_c(), compile_c((2, 6, 6, 16))
    assert not entry_of(first, folder).exists()
    assert entry_of(second, folder).exists()
    check(first)
    check(second)
    forget(monkeypatch)
    assert compile_c().origin == "built"


def test_the_bound_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache.default_cache().limit_bytes == 512 << 20
    monkeypatch.setenv("GNGEN_CACHE_LIMIT", "12345")
    assert cache.default_cache().limit_bytes == 12345
    monkeypatch.setenv("GNGEN_CACHE_LIMIT", "1 GB")
    cache._limit.cache_clear()
    with pytest.warns(CacheWarning, match="GNGEN_CACHE_LIMIT is a number of bytes; '1 GB' is none"):
        assert cache.default_cache().limit_bytes == 512 << 20


def test_the_folder_is_kept_though_the_process_goes_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GNGEN_CACHE_DIR", "here")
    disk = cache.default_cache()
    assert disk.path == tmp_path / "here"
    monkeypatch.setenv("GNGEN_CACHE_DIR", "~/there")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.default_cache().path == tmp_path / "there"


def test_what_a_killed_process_left_is_removed(folder: Path) -> None:
    disk = DiskCache(folder)
    put(disk, "a")
    old, young = (folder / f"draft-{name}" for name in ("old", "young"))
    for draft in (old, young):
        draft.mkdir()
        (draft / "kernel.c").write_text("half")
    broken = folder / "kernels" / "broken"
    broken.mkdir()
    os.utime(old, (1000.0, 1000.0))
    put(disk, "b")
    assert drafts(folder) == [young], "another process may be at work on it"
    assert not broken.exists()
    os.utime(young, (1000.0, 1000.0))
    disk.clear()
    assert drafts(folder) == []


def test_lock_files_are_few(folder: Path) -> None:
    disk = DiskCache(folder, limit_bytes=2000)
    for i in range(300):
        put(disk, cache._check({"i": i})[:32], 1)
    assert len(list((folder / "locks").iterdir())) <= 256
    assert len(list((folder / "kernels").iterdir())) < 20
    assert drafts(folder) == []


def test_clearing_leaves_the_locks_that_others_hold(folder: Path) -> None:
    disk = DiskCache(folder)
    inside = []

    def build(where: Path) -> dict[str, Any]:
        other = threading.Thread(target=DiskCache(folder).clear)
        other.start()
        other.join()
        inside.append(where.is_dir())
        (where / "kernel.bin").write_bytes(b"1")
        return {"files": {"kernel.bin": ""}}

    assert disk.build("a", build)[2] == "built"
    assert inside == [True]
    assert disk.find("a")


# Where the disk refuses


def memory_only(folder: Path, why: str) -> None:
    """Kernels are right, though the cache cannot be used, and one warning says so."""
    shapes = [(2, n, n, 16) for n in (5, 6, 7)]

    def work() -> None:
        for shape in shapes:
            k = compile_c(shape)
            assert k.origin == "built"
            check(k)
            assert compile_c(shape) is k

    (warning,) = silent(work)
    text = str(warning.message)
    assert text.startswith(f"kernels are kept in memory only: the cache {folder} cannot be used (")
    assert why in text
    assert warning.filename == __file__


@needs_compiler
def test_a_file_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "cache"
    monkeypatch.setenv("GNGEN_CACHE_DIR", str(place))
    memory_only(place, "file")


@contextmanager
def unprivileged() -> Iterator[Path]:
    """Be a user who may not write everywhere; a folder that this user may read and not write."""
    place = Path(tempfile.mkdtemp(prefix="gngen-readonly-"))
    root = os.geteuid() == 0
    check(compile_c((2, 4, 4, 16)))  # read what gngen reads while that may be read
    place.chmod(0o555)
    if root:
        os.seteuid(OTHER_USER)
    try:
        yield place
    finally:
        if root:
            os.seteuid(0)
        place.chmod(0o755)
        shutil.rmtree(place)


@needs_compiler
@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="users of Unix")
@pytest.mark.parametrize("below", ["", "cache"])
def test_a_folder_that_cannot_be_written(below: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with unprivileged() as place:
        monkeypatch.setenv("GNGEN_CACHE_DIR", str(place / below))
        memory_only(place / below, "Permission denied")


@needs_compiler
@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="users of Unix")
def test_a_folder_that_cannot_be_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    with unprivileged() as place:
        if os.getuid() == 0:
            os.seteuid(0)
        place.chmod(0o000)
        if os.getuid() == 0:
            os.seteuid(OTHER_USER)
        monkeypatch.setenv("GNGEN_CACHE_DIR", str(place / "cache"))
        memory_only(place / "cache", "Permission denied")


@needs_compiler
@pytest.mark.parametrize(
    ("step", "code"),
    [("_prepare", errno.EROFS), ("_draft", errno.EDQUOT), ("_draft", errno.ENOSPC), ("write_manifest", errno.ENOSPC)],
    ids=str,
)
def test_a_disk_that_refuses(step: str, code: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(DiskCache, step, refuse)
    memory_only(folder, os.strerror(code))
    assert drafts(folder) == []
    assert not list(folder.glob("kernels/*"))


@needs_compiler
def test_a_compiler_that_finds_the_disk_full(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use_compiler: Callable[[Path], None]
) -> None:
    full = f'case "$*" in *{folder}*) echo "ld: final link failed: No space left on device" >&2; exit 1;; esac'
    use_compiler(script(tmp_path / "full-cc", f'{full}\nexec {" ".join(c.compiler())} "$@"'))

    def no_room(where: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache, "_check_room", no_room)
    memory_only(folder, "No space left on device")
    assert drafts(folder) == []


@needs_compiler
def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("mount"):
        pytest.skip("no small disk can be mounted: there is no mount command")
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24k,mode=700", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.strip()}")
    try:
        monkeypatch.setenv("GNGEN_CACHE_DIR", str(place))
        memory_only(place, "No space left on device")
        assert drafts(place) == []
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@needs_compiler
def test_a_file_system_without_locks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import filelock

    def refuse(self: Any, *args: Any, **more: Any) -> None:
        raise NotImplementedError("no locks here")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    memory_only(folder, "no locks here")


def test_no_folder_at_all_is_one_clear_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with (
        pytest.warns(CacheWarning),
        pytest.raises(BuildError, match=r"neither the cache nor a temporary one can be written: .*No space left"),
    ):
        gngen.compile(SPEC, SHAPE, target="reference")


# Who else can write


def others_may_write_the_cache(folder: Path) -> None:
    folder.chmod(0o777)


def others_may_write_the_kernels(folder: Path) -> None:
    (folder / "kernels").chmod(0o770)


def others_may_write_above(folder: Path) -> None:
    folder.parent.chmod(0o777)


def another_owns_the_cache(folder: Path) -> None:
    os.chown(folder, OTHER_USER, -1)


@needs_compiler
@pytest.mark.parametrize(
    "open_up",
    [
        others_may_write_the_cache,
        others_may_write_the_kernels,
        others_may_write_above,
        pytest.param(another_owns_the_cache, marks=needs_root),
    ],
)
def test_nothing_is_loaded_from_a_cache_that_others_can_write(
    open_up: Callable[[Path], None], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store()
    loaded: list[Path] = []
    load = c.load
    monkeypatch.setattr(c, "load", lambda where, manifest: loaded.append(where) or load(where, manifest))
    open_up(folder)
    cache._cache_at.cache_clear()
    try:
        memory_only(folder, "can be written by another user")
    finally:
        folder.parent.chmod(0o700)
    assert loaded
    assert not any(where.is_relative_to(folder) for where in loaded)


def others_may_write_the_entry(entry: Path) -> None:
    entry.chmod(0o777)


def others_may_write_the_library(entry: Path) -> None:
    (entry / "kernel.so").chmod(0o666)


def a_group_may_write_the_library(entry: Path) -> None:
    (entry / "kernel.so").chmod(0o660)


def others_may_write_the_manifest(entry: Path) -> None:
    (entry / MANIFEST).chmod(0o666)


def another_owns_the_entry(entry: Path) -> None:
    os.chown(entry, OTHER_USER, -1)


def another_owns_the_library(entry: Path) -> None:
    os.chown(entry / "kernel.so", OTHER_USER, -1)


def another_owns_the_manifest(entry: Path) -> None:
    os.chown(entry / MANIFEST, OTHER_USER, -1)


@needs_compiler
@pytest.mark.parametrize(
    "open_up",
    [
        others_may_write_the_entry,
        others_may_write_the_library,
        a_group_may_write_the_library,
        others_may_write_the_manifest,
        pytest.param(another_owns_the_entry, marks=needs_root),
        pytest.param(another_owns_the_library, marks=needs_root),
        pytest.param(another_owns_the_manifest, marks=needs_root),
    ],
)
def test_an_entry_that_others_can_write_is_never_loaded(
    open_up: Callable[[Path], None], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, key = store()
    entry = folder / "kernels" / key
    library, mark = intruder(tmp_path, plan.source.entry)
    shutil.copy(library, entry / "kernel.so")
    manifest = json.loads((entry / MANIFEST).read_text())
    del manifest["check"]
    DiskCache(folder).write_manifest(entry, manifest)
    assert DiskCache(folder).find(key), "a forgery without a fault, but for who may have made it"
    open_up(entry)
    with pytest.warns(CacheWarning, match=r"is damaged \(.*can be written by another user\) and is built again"):
        again = compile_c()
    assert again.origin == "built"
    assert not mark.exists()
    check(again)
    forget(monkeypatch)
    assert compile_c().origin == "disk"


def test_a_folder_inside_an_entry_counts_too(folder: Path) -> None:
    disk = DiskCache(folder)

    def build(where: Path) -> dict[str, Any]:
        (where / "inside").mkdir()
        (where / "inside" / "code").write_bytes(b"1")
        return {"files": {"inside/code": ""}}

    disk.build("a", build)
    assert disk.find("a")
    (folder / "kernels" / "a" / "inside").chmod(0o777)
    assert disk.find("a") is None


@needs_compiler
def test_a_link_into_a_folder_that_others_can_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shared" / "cache").mkdir(parents=True, mode=0o700)
    (tmp_path / "shared").chmod(0o777)
    place = tmp_path / "link"
    place.symlink_to(tmp_path / "shared" / "cache")
    monkeypatch.setenv("GNGEN_CACHE_DIR", str(place))
    memory_only(place, f"{tmp_path / 'shared'} can be written by another user")


def test_a_sticky_folder_above_is_no_danger(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    disk = DiskCache(tmp_path / "tmp" / "cache")
    put(disk, "a")
    assert disk.find("a")


@needs_root
def test_a_link_of_another_user_in_a_sticky_folder_is_one(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    (tmp_path / "mine").mkdir(mode=0o700)
    link = tmp_path / "tmp" / "cache"
    link.symlink_to(tmp_path / "mine")
    disk = DiskCache(link)
    put(disk, "a")
    assert disk.find("a")
    os.chown(link, OTHER_USER, -1, follow_symlinks=False)
    assert disk.find("a") is None


@pytest.mark.parametrize("mask", [0o002, 0o000, 0o077])
def test_the_cache_works_whatever_the_umask(mask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "new" / "deep" / "cache"
    monkeypatch.setenv("GNGEN_CACHE_DIR", str(place))
    before = os.umask(mask)
    try:
        targets = [t for t in ("c", "reference") if not load_backend(t).unavailable()]
        for origin in ("built", "disk"):
            assert [gngen.compile(SPEC, SHAPE, target=t).origin for t in targets] == [origin] * len(targets)
            forget(monkeypatch)
    finally:
        os.umask(before)
    if targets[0] == "c":
        asked: list[str] = []
        monkeypatch.setattr(c, "version_of", lambda command: asked.append("again") or "")
        assert c.identity()
        assert asked == []


# Failures


def failing_compiler(tmp_path: Path) -> Path:
    """Writes half a library and fails."""
    return script(
        tmp_path / "failing-cc",
        'case "$1" in --version) echo "failing-cc 1.0"; exit 0;; esac\n'
        'while [ "$1" != -o ]; do shift; done\necho half > "$2"\necho "kernel.c:1:1: error: no" >&2\nexit 1',
    )


@needs_compiler
def test_a_failed_build_leaves_nothing(folder: Path, tmp_path: Path, use_compiler: Callable[[Path | str], None]) -> None:
    good = " ".join(c.compiler())
    use_compiler(failing_compiler(tmp_path))
    for _ in range(2):
        with pytest.raises(BuildError, match=r"failing-cc .* failed with status 1:\nkernel.c:1:1: error: no"):
            compile_c()
    assert drafts(folder) == []
    assert list((folder / "kernels").iterdir()) == []
    use_compiler(good)
    check(compile_c())


@needs_compiler
def test_a_failed_build_aside_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use_compiler: Callable[[Path], None]) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("GNGEN_CACHE_DIR", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    use_compiler(failing_compiler(tmp_path))
    with pytest.warns(CacheWarning), pytest.raises(BuildError):
        compile_c()
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("how", [KeyboardInterrupt, BuildError, RuntimeError])
def test_whatever_interrupts_a_build_leaves_nothing(how: type[BaseException], folder: Path) -> None:
    disk = DiskCache(folder)

    def build(where: Path) -> dict[str, Any]:
        (where / "kernel.c").write_text("half")
        raise how("stop")

    with pytest.raises(how, match="stop"):
        disk.build("a", build)
    assert drafts(folder) == []
    assert disk.entries() == []
    put(disk, "a")
    assert disk.find("a")


# Facts


def test_a_fact_is_found_once_and_again_when_its_key_changes(folder: Path) -> None:
    asked = []

    def find() -> str:
        asked.append(1)
        return f"answer {len(asked)}"

    assert DiskCache(folder).remember("name", "key", find) == "answer 1"
    assert DiskCache(folder).remember("name", "key", find) == "answer 1"
    assert DiskCache(folder).remember("name", "other key", find) == "answer 2"


def test_a_fact_that_others_can_write_is_not_believed(folder: Path) -> None:
    DiskCache(folder).remember("name", "key", lambda: "right")
    (place,) = (folder / "facts").iterdir()
    place.write_text(json.dumps({"key": "key", "value": "wrong"}))
    assert DiskCache(folder).remember("name", "key", lambda: "right") == "wrong"
    place.chmod(0o666)
    assert DiskCache(folder).remember("name", "key", lambda: "right") == "right"
    assert place.stat().st_mode & 0o022 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"key": "key"}', '{"key": "key", "value": 1}', "\x00"])
def test_a_damaged_fact_is_found_again(text: str, folder: Path) -> None:
    DiskCache(folder).remember("name", "key", lambda: "right")
    (place,) = (folder / "facts").iterdir()
    place.write_text(text)
    assert DiskCache(folder).remember("name", "key", lambda: "right") == "right"


# The command line


@needs_compiler
def test_the_command_line_shows_and_clears_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    k = compile_c()

    def gn(*args: str) -> str:
        result = CliRunner().invoke(cli.main, args)
        assert result.exit_code == 0
        return result.output

    shown = gn("cache", "show")
    assert k.digest[:12] in shown
    assert "f32 [batch, 25, 4, 4, 1]" in shown
    assert str(folder) in shown
    assert gn("cache", "clear").startswith("removed 1 kernel, ")
    assert gn("cache", "show").startswith("0 kernels, 0 B of at most ")
    assert list((folder / "kernels").iterdir()) == []
    check(k)
    forget(monkeypatch)
    assert compile_c().origin == "built"
