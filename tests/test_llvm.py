"""What is the llvm backend's own: objects for every processor, vectors of unknown length, phases, and how it runs without OpenMP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from strategies import need_backend

import gngen
from gngen import llvmtools
from gngen.backends import llvm
from gngen.backends.c import compiler
from gngen.errors import BuildError
from gngen.source import Source
from gngen.spec import GroupNormSpec
from gngen.target import load_cpu, load_gpu, machine_names, parse_target

FIRST, LAST = (2, 8, 301), (2, 90, 12)
MACHINES = [name for name in machine_names() if name not in ("host", "generic")]
ELF = {"x86_64": 62, "aarch64": 183, "armv7l": 40, "riscv64": 243, "ppc64le": 21, "s390x": 22}
# A vector instruction that loads, in each machine's assembly.
VECTOR_LOADS = {
    "x86-64": r"movups\s.*\(%r.*xmm", "x86-64-v2": r"movups\s.*\(%r.*xmm", "x86-64-v3": r"vmovups\s.*\(%r.*ymm",
    "x86-64-v4": r"vmovups\s.*\(%r.*zmm", "x86-64-v4-bf16": r"vmovups\s.*\(%r.*zmm", "znver4": r"vmovups\s.*\(%r.*zmm",
    "aarch64-neon": r"(ldr|ldp)\s+q", "aarch64-sve": r"ld1w\s+\{ ?z", "riscv64-v": r"vle32\.v\s+v", "wasm32": r"v128\.load\s",
    "armv7-neon": r"vld1", "ppc64le": r"lx?vw4x|lxvd2x|lvx", "s390x": r"\bvl\s",
}  # fmt: skip


def sources(machine: str) -> Iterator[Source]:
    """The phases of kernels of both layouts and all types."""
    for shape, axis in ((FIRST, 1), (LAST, -1)):
        for dtype in ("float32", "float64", "float16", "bfloat16"):
            target = parse_target(f"llvm:{machine}")
            p = gngen.api.plan(GroupNormSpec(groups=2, axis=axis, activation="silu"), (None, *shape[1:]), dtype, f"llvm:{machine}")
            yield llvm.emit_phases(p.nest, target, "gn")


@pytest.mark.parametrize("machine", MACHINES)
def test_objects_of_every_machine(machine: str) -> None:
    """In its format, for its processor."""
    arch, target = load_cpu(machine).arch, parse_target(f"llvm:{machine}")
    for source in sources(machine):
        data = llvm.object_code(source, target)
        if arch == "wasm32":
            assert data[:4] == b"\0asm"
            continue
        order = "big" if load_cpu(machine).big_endian else "little"
        assert data[:4] == b"\x7fELF"
        assert int.from_bytes(data[18:20], order) == ELF[arch]  # type: ignore[arg-type]
        assert data == llvm.object_code(source, target)


def test_the_list_has_every_machine() -> None:
    assert set(VECTOR_LOADS) == set(MACHINES)


@pytest.mark.parametrize("machine", MACHINES)
def test_vectors_are_the_machine_s(machine: str, tmp_path: Path) -> None:
    source, target = next(sources(machine)), parse_target(f"llvm:{machine}")
    text = llvm.assembly(source, tmp_path, target)
    assert re.search(VECTOR_LOADS[machine], text), text[:3000]
    assert "gn_phase0" in text
    assert "GOMP" not in text


@pytest.mark.parametrize("machine", MACHINES)
def test_phases_call_nothing_outside(machine: str, tmp_path: Path) -> None:
    """But a 32-bit machine's division of 64-bit numbers, which every compiler's own library has."""
    target = parse_target(f"llvm:{machine}")
    for source in sources(machine):
        called = set(
            re.findall(
                r"^\s+(?:call|callq|bl|blx|jal|tail|brasl\s+%r14,)\s+([A-Za-z_][\w.]*)", llvm.assembly(source, tmp_path, target), re.M
            )
        )
        assert {name for name in called if not name.startswith(("gn_", "load_part_", "store_part_", "__aeabi_"))} == set(), called


def test_vectors_of_unknown_length_have_a_version_for_each(tmp_path: Path) -> None:
    for machine in ("aarch64-sve", "riscv64-v"):
        text = next(sources(machine)).text
        for least in load_cpu(machine).vector_lengths:
            assert f"vscale_range({least},16)" in text
        assert '@"llvm.vscale.i64"()' in text
    assert "vscale" not in next(sources("aarch64-neon")).text


def test_a_machine_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that has no file yet and LLVM knows: LoongArch with its 256-bit vectors."""
    (tmp_path / "loongarch64-lasx.toml").write_text(
        'inherits = "ppc64le"\ndescription = "LoongArch 64 with LASX"\narch = "loongarch64"\ntriple = "loongarch64-unknown-linux-gnu"\n'
        'vector_bits = 256\nvector_registers = 32\n[llvm]\ncpu = "la464"\nfeatures = ["+lasx"]\nabi = "lp64d"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("GNGEN_TARGETS", str(tmp_path))
    target = parse_target("llvm:loongarch64-lasx")
    source = gngen.emit(GroupNormSpec(groups=2, axis=1), FIRST, target=str(target))
    data = llvm.object_code(source, target)
    assert int.from_bytes(data[18:20], "little") == 258
    assert re.search(r"xvfmadd\.s", llvm.assembly(source, tmp_path, target))


def test_without_openmp_it_runs_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    need_backend("llvm")
    spec, shape = GroupNormSpec(groups=4, axis=1, center=False, scale=False), (3, 8, 64, 64)
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    gngen.set_num_threads(2)
    right = gngen.compile(spec, shape, target="llvm", schedule={"accumulators": 2})(x)
    monkeypatch.setattr(llvmtools, "openmp", dict)
    alone = gngen.compile(spec, shape, target="llvm", schedule={"accumulators": 2, "parallel_from": 2})
    assert (alone(x) == right).all()
    assert "note      one thread: there is no OpenMP library (libgomp.so.1)" in alone.explain()
    assert llvm.note(load_gpu("sm_90")) == ""


def test_threads_are_those_of_the_c_backend() -> None:
    """One OpenMP library in the process, whose threads all kernels share."""
    if not compiler() or not llvmtools.openmp():
        pytest.skip("no C compiler, or no OpenMP library")
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("the operating system does not say what is loaded")
    spec, shape = GroupNormSpec(groups=4, axis=1), (2, 8, 64, 64)
    x, one = np.ones(shape, "float32"), np.ones(8, "float32")
    for target in ("c", "llvm"):
        gngen.compile(spec, shape, target=target)(x, one, one)
    loaded = {line.split()[-1] for line in maps.read_text().splitlines() if "/libgomp.so" in line}
    assert len([path for path in loaded if "site-packages" not in path]) == 1  # torch and scikit-learn bring copies of their own


def test_what_llvm_refuses_is_one_error() -> None:
    flags = llvmtools.flags(load_cpu("x86-64-v3"))
    with pytest.raises(BuildError, match=r"^LLVM refused a module: .*expected"):
        llvmtools.compile_object(["define void @f( {"], flags)
    with pytest.raises(BuildError, match=r"^LLVM does not compile for moon-unknown-none: "):
        llvmtools.compile_object(["define void @f() { ret void }"], ("-mtriple=moon-unknown-none", "-mcpu=", "-mattr="))
