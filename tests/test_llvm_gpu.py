"""LLVM IR of kernels for a GPU: run on the CPU against the oracle and against CUDA C, and what LLVM and ptxas make of it."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import llvmcpu
import ptxsweep
import pytest
from cudacpu import Job, arrays, build, check, machine, why_not
from strategies import assert_equal
from test_cuda import DATA, FORMS, LAYOUTS, PLAIN, RUNS, lowered

import gngen
from gngen import gpumodule, llvmtools, target
from gngen.amdcode import read_kernels
from gngen.backends import llvm
from gngen.bundle.layers import read_layers
from gngen.bundle.plan import make_bundle
from gngen.errors import BuildError, LaunchError, SpecError, TargetError
from gngen.gpumemory import DriverMemory
from gngen.gpumodule import PtxEntry
from gngen.gpuschedule import choose_gpu_schedule, gpu_schedules_for
from gngen.grids import Grid, grids_in
from gngen.loopnest import LoopNest
from gngen.lowering import lower_problem
from gngen.problem import specialize
from gngen.spec import ACTIVATIONS, GroupNormSpec
from gngen.target import Gpu, Target, load_machine, machine_names, parse_target, targets

ARCHES = [name for name in machine_names("gpu") if name != "device"]
AMD_ARCHES = machine_names("amdgpu")
needs_cpu_run = pytest.mark.skipif(bool(why_not()), reason=why_not())


@needs_cpu_run
@pytest.mark.parametrize(
    ("arch", "layout", "dtype", "forms"),
    [
        pytest.param("sm_90", "first", "float32", (0,), id="sm_90-first"),
        pytest.param("sm_90", "last", "float16", (4,), id="sm_90-last"),
        pytest.param("gfx1100", "last", "bfloat16", (4,), id="gfx1100-last"),
        *(
            pytest.param(arch, *run, range(len(FORMS)), marks=pytest.mark.slow, id="-".join((arch, *run)))
            for arch, runs in (("sm_90", RUNS[::2]), ("gfx1100", RUNS[1::2]))  # each takes most of a minute: on one of the two
            for run in runs
        ),
    ],
)
def test_every_schedule_gives_the_bits_of_cuda_c(arch: str, layout: str, dtype: str, forms: Sequence[int], tmp_path: Path) -> None:
    """And they are right: arrays and scratch arrays of every schedule and fused form."""
    shape, sizes = LAYOUTS[layout]
    cases: list[tuple[GroupNormSpec, LoopNest]] = []
    for i, (flags, outputs) in ((i, FORMS[i]) for i in forms):
        act = (None, *ACTIVATIONS)[(i + 2 * list(LAYOUTS).index(layout)) % (len(ACTIVATIONS) + 1)]
        spec = GroupNormSpec(**sizes, **flags, activation=act)
        cases += [(spec, nest) for nest in lowered(specialize(spec, shape, dtype, None, outputs)[0], machine(arch))]
    calls = [(spec, nest, *arrays(nest, spec, shape, dtype, DATA[i % len(DATA)])) for i, (spec, nest) in enumerate(cases)]
    jobs = [Job(i, shape[0], used) for i, (_, _, used, _) in enumerate(calls)]
    (tmp_path / "cuda").mkdir()
    nests = [nest for _, nest in cases]
    found = llvmcpu.build(nests, machine(arch), tmp_path).run(jobs)
    for (spec, nest, _, named), after, same in zip(calls, found, build(nests, machine(arch), tmp_path / "cuda").run(jobs), strict=True):
        check(nest, spec, named, after[: len(nest.buffers)], dtype)
        for one, other in zip(after, same, strict=True):
            assert_equal(one, other)


@needs_cpu_run
@pytest.mark.parametrize("case", [pytest.param("runs", marks=pytest.mark.slow), "tiles"])
def test_a_cooperative_launch_goes_from_group_to_group(case: str, tmp_path: Path) -> None:
    """Its blocks meet at the barrier that the module has itself, several times."""
    spec, shape = PLAIN[case]
    p, _ = specialize(spec, shape, "float32", None, ("y", "mean", "rstd"))
    s = choose_gpu_schedule(p, machine(), "coop")
    nests = [lower_problem(p, replace(s, gangs=gangs)) for gangs in (s.gangs, 1)]
    calls = [arrays(nest, spec, shape, "float32", "far") for nest in nests]
    answers = llvmcpu.build(nests, machine(), tmp_path).run([Job(i, shape[0], used) for i, (used, _) in enumerate(calls)])
    for nest, (_, named), after in zip(nests, calls, answers, strict=True):
        check(nest, spec, named, after, "float32")
    assert_equal(answers[0][-2], answers[1][-2])


@needs_cpu_run
def test_arrays_that_a_launch_asks_for(tmp_path: Path) -> None:
    """More shared memory than a kernel may declare."""
    spec, shape = GroupNormSpec(groups=1, axis=1), (1, 1, 17_000)
    p, _ = specialize(spec, shape)
    nest = lower_problem(p, choose_gpu_schedule(p, machine(), "cta_smem"))
    (grid,) = grids_in(llvm.emit(nest, Target("llvm", machine())).text)
    assert grid.shared > 49152
    used, named = arrays(nest, spec, shape, "float32", "normal")
    (after,) = llvmcpu.build([nest], machine(), tmp_path).run([Job(0, 1, used)])
    check(nest, spec, named, after, "float32")


def texts(arch: str, **changes: Any) -> tuple[str, str]:
    """The LLVM IR and the PTX of a kernel that is shared by a cluster, where there are clusters."""
    p = gngen.api.plan(**{"spec": GroupNormSpec(groups=32, axis=1), "shape": (1, 320, 64, 64), "target": f"llvm:{arch}", **changes})
    return p.source.text, p.assembly()


@pytest.mark.parametrize("arch", ARCHES)
def test_ptx_is_the_architecture_s(arch: str) -> None:
    ir, ptx = texts(arch)
    assert re.search(rf"^\.target {arch}$", ptx, re.M)
    (grid,) = grids_in(ir)
    assert f".visible .entry {grid.kernel}(" in ptx
    assert f".maxntid {grid.threads}" in ptx
    assert (grid.cluster > 1) == (arch != "sm_80") == (".reqnctapercluster" in ptx)


def test_nothing_is_fused_and_nothing_is_fast() -> None:
    """Every product and sum is rounded by itself, but for what the nest fuses, and quotients and roots are exact."""
    ir, ptx = texts("sm_90", spec=GroupNormSpec(groups=32, axis=1, activation="silu"))
    assert not re.search(r"\b(fast|contract|reassoc|nnan|ninf|nsz|arcp|afn)\b", ir)
    assert set(re.findall(r"\b(?:mul|add|sub|div|sqrt|fma)\.[\w.]*f(?:32|64)", ptx)) <= {
        f"{op}.rn.{kind}" for op in ("mul", "add", "sub", "div", "sqrt", "fma") for kind in ("f32", "f64")
    }
    optimised = llvmtools.optimised_text([ir], llvm.flags(parse_target("llvm:sm_90")))
    fused, products = (
        sum(int(lanes or 1) for lanes in re.findall(what, optimised))
        for what in (r"call [^@\n]*@llvm\.fma\.(?:v(\d+))?f", r"= fmul (?:<(\d+) x )?[fd]")
    )
    assert ptx.count("fma.rn.f") == fused > 0
    assert ptx.count("mul.rn.f") >= products > 0  # a quotient by a power of two is one
    assert not re.search(r"approx|\.ftz", ptx)


def test_a_grid_says_how_it_is_launched() -> None:
    ir, _ = texts("sm_80", schedule="two_kernel")
    grids = grids_in(ir)
    assert [grid.kernel[-2:] for grid in grids] == ["_1", "_2"]
    assert grids[0].blocks(3) == 3 * grids[0].fixed
    assert all(Grid.read(str(grid)) == grid for grid in grids)
    for grid in (Grid("k", 1, False, 32), Grid("k", 1, True, 32, 70_000, 1, True), Grid("k_1", 8, True, 512, 0, 4)):
        assert Grid.read(str(grid)) == grid
    with pytest.raises(ValueError, match=r"^'launch k' is no launch$"):
        Grid.read("launch k")


def test_the_same_text_and_ptx_twice() -> None:
    assert texts("sm_90") == texts("sm_90")


def test_bfloat16_goes_by_pairs() -> None:
    _, ptx = texts("sm_90", dtype="bfloat16")
    assert "cvt.rn.bf16x2.f32" in ptx
    assert "cvt.f32.bf16" not in ptx


def test_targets_have_the_gpus() -> None:
    listed = {t.name: t for t in targets()}
    assert {f"llvm:{arch}" for arch in (*ARCHES, *AMD_ARCHES)} <= set(listed)
    assert listed["llvm:gfx1100"].reason == "kernels for AMD GPUs are emitted and compiled, and not launched from here"
    assert "cuda:gfx1100" not in listed
    assert parse_target("llvm").machine.name == "host"
    words = ("for a CPU, one of .*", "for an NVIDIA GPU, one of .*sm_90", "for an AMD GPU, one of gfx1100, gfx1201")
    with pytest.raises(TargetError, match=f"^no target 'llvm:sm_1': llvm compiles {', or '.join(words)}$"):
        parse_target("llvm:sm_1")


def test_a_bundle_is_for_cpus() -> None:
    with pytest.raises(TargetError, match=r"^target llvm:sm_90 is a GPU, and a bundle is for CPUs; "):
        make_bundle("gn", read_layers("sd15-unet"), ["llvm:sm_90"], "error")


# AMD's


@pytest.mark.parametrize(
    ("arch", "layout", "dtype", "form"),
    [
        pytest.param(arch, *run, marks=() if run == ("last", "float32", "plain") else pytest.mark.slow, id="-".join((arch, *run)))
        for arch, run in product(AMD_ARCHES, product(ptxsweep.LAYOUTS, ptxsweep.DTYPES, ptxsweep.FORMS))
        if arch == AMD_ARCHES[0] or run[2] in ("plain", "all")  # one instruction set for the most part; ptxsweep.py goes through the rest
    ],
)
def test_code_for_amd(arch: str, layout: str, dtype: str, form: str) -> None:
    """No spills, no stack, room for a block, and 16-byte accesses."""
    wanted = ptxsweep.small(arch, (layout,), (dtype,), (form,))
    for w, judged in zip(wanted, ptxsweep.judge(wanted, "llvm", arch), strict=True):
        assert len(judged.reports) == (2 if w.schedule == "two_kernel" else 1)
        assert judged.faults == (), w


def test_what_amd_has_not() -> None:
    gpu = load_machine("gfx1100")
    assert isinstance(gpu, Gpu)
    p, _ = specialize(GroupNormSpec(groups=32, axis=1), (1, 320, 64, 64))
    assert gpu_schedules_for(p, gpu) == ["two_kernel"]
    with pytest.raises(SpecError, match=r"^schedule coop does not fit: blocks of a launch on gfx1100 cannot wait for each other; choose"):
        choose_gpu_schedule(p, gpu, "coop")
    with pytest.raises(SpecError, match=r"^schedule cluster does not fit: gfx1100 has clusters of at most 1 blocks; choose"):
        choose_gpu_schedule(p, gpu, "cluster")


def test_amd_s_code_says_what_it_takes() -> None:
    ir, assembly = texts("gfx1100")
    kernels = read_kernels(assembly)
    assert list(kernels) == [grid.kernel for grid in grids_in(ir)]
    assert all(r.arch == "gfx1100" and 8 < r.registers < 128 and not r.spills and not r.stack for r in kernels.values())
    assert [r.shared > 0 for r in kernels.values()] == [False, True]
    spilled = assembly.replace(".vgpr_spill_count: 0", ".vgpr_spill_count: 3")
    assert [r.spills for r in read_kernels(spilled).values()] == [24, 24]
    with pytest.raises(BuildError, match=r"^the assembly says nothing of its kernels$"):
        read_kernels("")


def test_llvm_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it refuses is one error, and so is its end."""
    flags = llvmtools.flags(load_machine("gfx1100"))
    with pytest.raises(BuildError, match=r"^LLVM refused a module: .*expected"):
        llvmtools.compile_assembly(["define void @f( {"], flags)
    program = tmp_path / "aborts"
    program.write_text("#!/bin/sh\necho 'Cannot select' >&2\nkill -ABRT $$\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(BuildError, match=r"^LLVM ended with status -6 \(-mtriple=amdgcn-amd-amdhsa .*\): Cannot select"):
        llvmtools.compile_assembly(["define void @f() { ret void }"], flags)


# On the GPU that is here, through a stand-in for its driver


class Driver:
    """NVIDIA's driver library, which remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.error = 0

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> int:
            if name.startswith("cuLaunch"):  # what the kernel is given lies there for the call alone
                given = [ctypes.c_int64.from_address(place).value for place in arguments[9]]
                arguments = (*arguments[:9], given, *arguments[10:])
            self.asked.append((name, arguments))
            return self.error if name.startswith("cuLaunch") else 0

        return ask

    def cuGetErrorName(self, error: int, text: Any) -> int:
        text._obj.value = b"CUDA_ERROR_INVALID_VALUE"
        return 0

    def named(self, start: str) -> list[tuple[str, tuple[Any, ...]]]:
        return [(name, arguments) for name, arguments in self.asked if name.startswith(start)]


def loaded(tmp_path: Path, driver: Driver, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> PtxEntry:
    """A kernel of backend llvm, built and loaded."""
    monkeypatch.setattr(gpumodule, "gpu_memory", lambda: DriverMemory(driver))
    p = gngen.api.plan(**{"spec": GroupNormSpec(groups=32, axis=1), "shape": (None, 320, 64, 64), "target": "llvm:sm_90", **changes})
    assert llvm.build(p.source, tmp_path) == ["kernel.ll", "kernel.ptx"]
    assert llvm.code_size(tmp_path) is None
    entry = llvm.load(tmp_path, {"entry": p.source.entry, "arrays": len(p.nest.buffers)})
    assert isinstance(entry, PtxEntry)
    return entry


def test_launches_are_asked_of_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    entry = loaded(tmp_path, driver, monkeypatch, schedule="two_kernel")
    ((_, (_, ptx)),) = driver.named("cuModuleLoadData")
    assert ptx.value.startswith(b"//\n// Generated by LLVM")
    names = [arguments[2] for _, arguments in driver.named("cuModuleGetFunction")]
    grids = grids_in((tmp_path / "kernel.ll").read_text())
    assert names == [grid.kernel.encode() for grid in grids]
    addresses = [16 * (i + 1) for i in range(5)]
    entry.launch(addresses, 3, 7)
    for (name, arguments), grid in zip(driver.named("cuLaunch"), grids, strict=True):
        _, *sizes, stream, values, extra = arguments
        assert (name, sizes, stream.value, extra) == ("cuLaunchKernel", [3 * grid.fixed, 1, 1, grid.threads, 1, 1, 0], 7, None)
        assert values == [*addresses, 3]
    driver.asked.clear()
    entry.launch(addresses, 0, 7)
    assert driver.named("cuLaunch") == []
    with pytest.raises(LaunchError, match=r"_1 has \d+ blocks of a batch of 1073741824, more than 2147483647$"):
        entry.launch(addresses, 1 << 30, 7)
    driver.error = 1
    with pytest.raises(LaunchError, match=r"^NVIDIA's driver refused cuLaunchKernel: CUDA_ERROR_INVALID_VALUE \(error 1\)$"):
        entry.launch(addresses, 3, 7)


def test_a_cooperative_launch_asks_for_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    shape = (None, 64, 512, 512)
    entry = loaded(tmp_path, driver, monkeypatch, shape=shape, schedule={"name": "coop", "split": 10})
    (grid,) = grids_in((tmp_path / "kernel.ll").read_text())
    assert grid.cooperative
    assert grid.shared > 49152
    ((_, arguments),) = driver.named("cuFuncSetAttribute")
    assert arguments[1:] == (8, grid.shared)
    entry.launch([16] * 5, 2, 1)
    ((name, arguments),) = driver.named("cuLaunch")
    assert (name, arguments[1:8]) == ("cuLaunchCooperativeKernel", (grid.fixed, 1, 1, grid.threads, 1, 1, grid.shared))


def test_the_simulator_takes_numbas_kernels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gngen.target.simulated", lambda: True)
    assert (
        target.why_not("llvm", load_machine("sm_90"))
        == "numba's CUDA simulator, which this process runs, takes kernels of numba-cuda alone"
    )
