"""Emitted text, compared with what is stored under golden/: `GNGEN_UPDATE_GOLDEN=1 pytest tests/test_golden.py` stores it anew.

A difference is a change of what users' machines run: look at it before storing it.
"""

from __future__ import annotations

import ast
import difflib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from strategies import HALVES, fitting

import gngen
from gngen.backends import llvm
from gngen.backends.cuda_source import print_cuda
from gngen.gpuschedule import choose_gpu_schedule
from gngen.lowering import lower_problem
from gngen.problem import specialize
from gngen.spec import ACTIVATIONS, GroupNormSpec
from gngen.target import Gpu, Target, load_machine, machine_names

FOLDER = Path(__file__).parent / "golden"
TARGETS = ("c:x86-64", "c:x86-64-v3", "c:x86-64-v4", "c:aarch64-neon", "numba-cpu:x86-64-v3")
# Whose text is the same in every process, beside them.
PURE = (*TARGETS, "llvm:x86-64-v4-bf16", "llvm:riscv64-v", "llvm:sm_90", "mlir:x86-64-v4-bf16")
LAYERS: dict[str, dict[str, Any]] = {
    "channels-first-silu": {"spec": GroupNormSpec(groups=32, axis=1, activation="silu"), "shape": (2, 320, 64, 64)},
    "channels-last": {"spec": GroupNormSpec(groups=32, axis=-1), "shape": (2, 64, 64, 320)},
    "odd-f64-stats": {
        "spec": GroupNormSpec(groups=3, axis=-1, epsilon=0.0, scale=False),
        "shape": (None, 35, 9),
        "dtype": "float64",
        "outputs": ("y", "mean", "rstd"),
    },
    "channels-first-backward": {
        "spec": GroupNormSpec(groups=8, axis=1, activation="relu"),
        "shape": (2, 24, 31, 33),
        "direction": "backward",
        "targets": ("c:x86-64-v3", "numba-cpu:x86-64-v3", "reference:generic"),
    },
    "channels-last-backward": {
        "spec": GroupNormSpec(groups=32, axis=-1),
        "shape": (2, 64, 64, 320),
        "direction": "backward",
        "targets": ("c:x86-64-v3",),
    },
    "channels-last-bf16": {
        "spec": GroupNormSpec(groups=32, axis=-1),
        "shape": (2, 64, 64, 320),
        "dtype": "bfloat16",
        "param_dtype": "float32",
    },
    "channels-first-f16": {"spec": GroupNormSpec(groups=2, axis=1), "shape": (2, 6, 301), "dtype": "float16"},
    "first-residual-modulation-masked": {
        "spec": GroupNormSpec(groups=2, axis=1, residual=True, modulation=True, masked=True),
        "shape": (None, 6, 1001),
        "outputs": ("y", "sum"),
        "targets": ("c:x86-64-v3", "numba-cpu:x86-64-v3", "reference:generic"),
    },
    "channels-first-small": {
        "spec": GroupNormSpec(groups=2, axis=1, activation="relu"),
        "shape": (None, 6, 301),
        "targets": ("llvm:x86-64-v3", "llvm:aarch64-sve", "llvm:wasm32", "mlir:x86-64-v3", "mlir:wasm32"),
    },
    "last-residual-masked": {
        "spec": GroupNormSpec(groups=4, residual=True, masked=True, activation="silu"),
        "shape": (None, 300, 40),
        "outputs": ("y", "sum"),
        "targets": ("c:x86-64-v3",),
    },
}
# CUDA C, LLVM IR and the nests of three layers: a group shared by a cluster, tiles of a cooperative launch, and what is read twice.
GPU_LAYERS: dict[str, dict[str, Any]] = {
    "gpu-cluster": {"spec": GroupNormSpec(groups=32, axis=1, activation="silu"), "shape": (1, 320, 64, 64)},
    "gpu-tiles-coop": {"spec": GroupNormSpec(groups=32, residual=True), "shape": (1, 64, 64, 320), "dtype": "float16"},
    "gpu-two-kernel": {"spec": GroupNormSpec(groups=1, axis=1, masked=True), "shape": (1, 3, 2000, 701)},
}
# Whose LLVM IR is stored: it is long, its loops unrolled.
GPU_LLVM = ("gpu-cluster",)
# Which sources of a layer are stored: of every target, or of those that it names.
STORED = {name: layer.pop("targets", TARGETS) for name, layer in LAYERS.items()}


def compare(name: str, text: str) -> None:
    path = FOLDER / name
    if os.environ.get("GNGEN_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
        return
    stored = path.read_text(encoding="utf-8") if path.exists() else ""
    if text != stored:
        changed = "\n".join(difflib.unified_diff(stored.splitlines(), text.splitlines(), "stored", "emitted", lineterm="", n=1))
        pytest.fail(f"{name} is not what is stored; look, then run GNGEN_UPDATE_GOLDEN=1 pytest tests/test_golden.py\n{changed[:4000]}")


@pytest.mark.parametrize(("layer", "target"), [(layer, target) for layer, targets in STORED.items() for target in targets])
def test_source(layer: str, target: str) -> None:
    source = gngen.emit(**LAYERS[layer], target=target)
    compare(f"{layer}.{target.replace(':', '.')}{source.suffix}", source.text)


@pytest.mark.parametrize("layer", LAYERS)
def test_nest(layer: str) -> None:
    compare(f"{layer}.nest", str(gngen.lower(**LAYERS[layer], target="c:x86-64-v3")))


@pytest.mark.parametrize("layer", GPU_LAYERS)
def test_gpu(layer: str) -> None:
    machine = load_machine("sm_90")
    assert isinstance(machine, Gpu)
    problem, _ = specialize(**GPU_LAYERS[layer])
    nest = lower_problem(problem, choose_gpu_schedule(problem, machine))
    compare(f"{layer}.nest", str(nest))
    compare(f"{layer}.cuda.sm_90.cu", print_cuda(nest, machine))
    if layer in GPU_LLVM:
        compare(f"{layer}.llvm.sm_90.ll", llvm.emit(nest, Target("llvm", machine)).text)


def test_nothing_else_is_stored() -> None:
    suffixes = {"c": ".c", "llvm": ".ll", "mlir": ".mlir"}
    sources = ((layer, target, suffixes.get(target.split(":")[0], ".py")) for layer, targets in STORED.items() for target in targets)
    wanted = {f"{layer}.{target.replace(':', '.')}{suffix}" for layer, target, suffix in sources}
    wanted |= {f"{layer}.cuda.sm_90.cu" for layer in GPU_LAYERS} | {f"{layer}.llvm.sm_90.ll" for layer in GPU_LLVM}
    assert {p.name for p in FOLDER.iterdir()} == wanted | {f"{layer}.nest" for layer in (*LAYERS, *GPU_LAYERS)}


# Purity

EMIT = """
import sys, gngen
spec = gngen.GroupNormSpec(groups=4, axis=-1, activation="gelu")
for target in sys.argv[1:]:
    source = gngen.emit(spec, (None, 300, 20), target=target, outputs=("y", "mean", "rstd"))
    print(source.digest, source.flags)
    print(source.text)
"""


def test_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    """Whatever the hash seed, the folder, the locale and the cache are."""
    emitted = []
    for seed in ("0", "1", "4711"):
        folder = tmp_path / seed
        folder.mkdir()
        root = str(Path(gngen.__file__).parent.parent)
        variables = {**os.environ, "PYTHONHASHSEED": seed, "GNGEN_CACHE_DIR": str(folder), "PYTHONPATH": root, "PYTHONUTF8": "1"}
        done = subprocess.run([sys.executable, "-c", EMIT, *PURE], capture_output=True, text=True, check=True, cwd=folder, env=variables)
        emitted.append(done.stdout)
        assert str(folder) not in done.stdout
    assert emitted[0] == emitted[1] == emitted[2]
    assert len(emitted[0]) > 10_000


# Every machine, every schedule: text that a compiler takes


def compilers(arch: str) -> list[list[str]]:
    """The compilers here that know a machine's language."""
    names = {"x86_64": ["gcc"], "aarch64": ["aarch64-linux-gnu-gcc"], "riscv64": ["riscv64-linux-gnu-gcc"]}
    names["any"] = [*names["x86_64"], *names["aarch64"]]
    found = [[name] for name in names.get(arch, []) if shutil.which(name)]
    if shutil.which("clang") and arch in ("any", "x86_64", "aarch64"):
        found.append(["clang", *(["--target=aarch64-linux-gnu"] if arch == "aarch64" else [])])
    return found


def every_schedule(machine: str) -> list[gngen.Source]:
    """Sources of every schedule, type, store and activation for a machine, which between them use all helpers of the templates."""
    found: list[gngen.Source] = []
    stores = ("temporal", "streaming") if load_machine(machine).streaming_stores else ("temporal",)
    acts = [None, *ACTIVATIONS]
    for shape, axis in (((2, 8, 3001), 1), ((2, 90, 12), -1), ((2, 3, 8, 301), 2)):
        for dtype in ("float32", "float64", *HALVES):
            for fused in ({}, {"residual": True, "modulation": True}, {"masked": True}):
                p, _ = specialize(GroupNormSpec(groups=4, axis=axis, **fused), shape, dtype)
                outputs = ("y", "sum", "mean", "rstd") if p.residual else ("y", "mean", "rstd")
                narrow = p.item_bytes * load_machine(machine).vector_bits // p.bits < 16
                for name in fitting(p, machine):
                    spec = GroupNormSpec(groups=4, axis=axis, activation=acts[len(found) % len(acts)], epsilon=0.0, **fused)
                    schedule = {"name": name, "store": "temporal" if narrow else stores[len(found) // 2 % len(stores)]}
                    found.append(gngen.emit(spec, shape, dtype, f"c:{machine}", outputs, schedule))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("machine", [name for name in machine_names() if name != "host"])
def test_compilers_take_the_c_of_every_machine(machine: str) -> None:
    """Without a warning."""
    found = compilers(load_machine(machine).arch)
    if not found:
        pytest.skip(f"no compiler for {machine} here")
    strict = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-fopenmp", "-fsyntax-only", "-x", "c", "-"]
    for source in every_schedule(machine):
        for command in found:
            done = subprocess.run([*command, *source.flags, *strict], input=source.text, capture_output=True, text=True)
            assert not done.returncode, f"{command[0]} refused {source.entry}:\n{done.stderr[:2000]}"


# One of each kind of instructions; the others are slow.
QUICK = ("generic", "x86-64-v3", "x86-64-v4", "aarch64-neon")


@pytest.mark.parametrize("machine", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in machine_names()])
def test_python_takes_the_numba_of_every_machine(machine: str) -> None:
    for layer in LAYERS.values():
        source = gngen.emit(**layer, target=f"numba-cpu:{machine}")
        names = {node.name for node in ast.parse(source.text).body if isinstance(node, ast.FunctionDef)}
        assert {source.entry, "run"} <= names


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(f"{backend}:{machine}", marks=() if machine in QUICK else pytest.mark.slow)
        for backend in ("c", "llvm", "mlir", "numba-cpu", "reference")
        for machine in machine_names()
    ],
)
def test_text_is_clean(target: str) -> None:
    for layer in LAYERS.values():
        lines = gngen.emit(**layer, target=target).text.split("\n")
        assert lines[-1] == "" != lines[-2]
        assert not [line for line in lines if line != line.rstrip() or "\t" in line]
