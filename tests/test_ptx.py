"""What the compilers make of GPU kernels, with no GPU: registers, spills, stack, shared memory, and 16-byte loads and stores by count."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import cycle, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ptxcheck
import ptxsweep
import pytest

from gngen import loopnest as ir
from gngen import models
from gngen.api import plan
from gngen.backends import load_backend
from gngen.backends.numba_cuda import lacks_numba
from gngen.cudatools import count_accesses, lacks
from gngen.errors import BuildError
from gngen.gpumodel import blocks_at_once, blocks_of
from gngen.gpuschedule import GPU_SCHEDULES, gpu_schedules_for
from gngen.kernel import Plan
from gngen.problem import specialize
from gngen.spec import GroupNormSpec
from gngen.target import Gpu, load_machine, machine_names
from gngen.unroll import unroll_body

ARCHES = [name for name in machine_names("gpu") if name != "device"]
LACKS = {"cuda": lacks("nvcc"), "numba-cuda": lacks_numba() or lacks("ptxas"), "llvm": lacks("ptxas")}
BACKENDS = [pytest.param(name, marks=pytest.mark.skipif(bool(why), reason=f"{name}: {why}")) for name, why in LACKS.items()]
# One of each distinct problem of the network, at batch 1.
LAYERS = list({(layer.spec, layer.shape): layer for layer in models.load("sd15-unet").layers}.values())
FORMS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "plain": ({}, ("y", "mean", "rstd")),
    "all": ({"residual": True, "modulation": True, "masked": True, "activation": "gelu"}, ("y", "sum")),
}


def check(p: Plan, backend: str) -> None:
    """Every kernel of a plan: no spills, no stack, within the machine, and the 16-byte accesses that its nest has."""
    module = load_backend(backend)
    with TemporaryDirectory() as folder:
        reports = module.reports(p.source, Path(folder))
        found = count_accesses(module.assembly(p.source, Path(folder), p.target))
    assert ptxcheck.faults(p, list(reports.values()), found) == []


@cache
def planned(layer: models.Layer, dtype: str, target: str) -> Plan:
    return plan(layer.spec, (1, *layer.shape[1:]), dtype, target)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "arch"), zip(LAYERS, cycle(ARCHES)), ids=lambda v: v if isinstance(v, str) else f"{v.name}-{v.activation}"
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_layers_of_a_network(backend: str, layer: models.Layer, arch: str) -> None:
    """Each on one architecture, in turn: ptxsweep.py goes through all."""
    check(planned(layer, "float32", f"{backend}:{arch}"), backend)


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS[::4], ids=lambda layer: f"{layer.name}-{layer.activation}")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_layers_in_halves(backend: str, dtype: str, layer: models.Layer) -> None:
    check(planned(layer, dtype, f"{backend}:sm_90"), backend)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.name}-{layer.activation}")
def test_a_network_keeps_a_gpu_busy_and_reads_once(layer: models.Layer) -> None:
    """At batch 1 more than half of 132 multiprocessors have a block; what fits on chip is read once, written once, 16 bytes at a time."""
    p = planned(layer, "float32", "cuda:sm_90")
    (launch,) = (s for s in p.nest.body if isinstance(s, ir.Launch))
    assert 2 * blocks_of(launch, 1) >= p.target.gpu.sms
    for name in ("x", "y"):
        assert moved(launch, name) == pytest.approx(p.problem.sample, rel=0.25)


def moved(launch: ir.Launch, name: str) -> int:
    """Elements of a buffer that a grid loads or stores, where every condition holds."""
    return blocks_of(launch, 1) * launch.threads * _moved_by_thread(unroll_body(launch.body), name)


def _moved_by_thread(body: tuple[ir.Stmt, ...], name: str) -> int:
    count = 0
    for s in body:
        if isinstance(s, ir.Loop):
            assert isinstance(s.start, ir.Const)
            trips = 1 if not isinstance(s.stop, ir.Const) else (int(s.stop.value) - int(s.start.value)) // s.step
            count += trips * _moved_by_thread(s.body, name)
        elif isinstance(s, ir.If):
            count += _moved_by_thread(s.body, name)
        else:
            tops = ir.expressions(s)
            count += sum(e.type.lanes for top in tops for e in ir.walk_expr(top) if isinstance(e, ir.Load) and e.buffer.name == name)
            count += s.value.type.lanes if isinstance(s, ir.Store) and s.buffer.name == name else 0
    return count


def case_of(schedule: str, layout: str, form: str) -> tuple[GroupNormSpec, tuple[int, ...], str]:
    """A spec, a shape and an architecture to try a schedule on."""
    shape, axis = ((1, 32, 16, 64), 1) if layout == "first" else ((1, 1024, 32), -1)
    spec = GroupNormSpec(groups=32 if schedule == "warp_group" else 2, axis=axis, **FORMS[form][0])
    return spec, shape, "sm_80" if schedule == "coop" else "sm_100"


def fitting_runs() -> list[tuple[str, str, str]]:
    """Schedule, layout and form, where the schedule computes such a problem."""
    found = []
    for schedule, layout, form in product(GPU_SCHEDULES, ("first", "last"), FORMS):
        spec, shape, arch = case_of(schedule, layout, form)
        gpu = load_machine(arch)
        assert isinstance(gpu, Gpu)
        if schedule in gpu_schedules_for(specialize(spec, shape)[0], gpu):
            found.append((schedule, layout, form))
    return found


RUNS = fitting_runs()


def test_every_schedule_is_tried_on_some_layout() -> None:
    assert {schedule for schedule, _, _ in RUNS} == set(GPU_SCHEDULES)


@pytest.mark.slow
@pytest.mark.parametrize(("schedule", "layout", "form"), RUNS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_schedule(backend: str, schedule: str, layout: str, form: str) -> None:
    spec, shape, arch = case_of(schedule, layout, form)
    check(plan(spec, shape, "float32", f"{backend}:{arch}", FORMS[form][1], schedule), backend)


@pytest.mark.parametrize("backend", [param for param in BACKENDS if param.values != ("numba-cuda",)])
def test_halves_under_every_schedule(backend: str) -> None:
    """A part of what the script sweeps, and that it tells its kernels apart."""
    wanted = ptxsweep.small("sm_90", ("last",), ("bfloat16",), ("masked",))
    for w, judged in zip(wanted, ptxsweep.judge(wanted, backend, "sm_90"), strict=True):
        assert len(judged.reports) == (2 if w.schedule == "two_kernel" else 1)
        assert judged.faults == ()


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("backend", [param for param in BACKENDS if param.values != ("numba-cuda",)])
def test_layers_in_halves_with_channels_last(backend: str, arch: str) -> None:
    """A thread has eight columns, and most registers: these are what spills first."""
    wanted = ptxsweep.layers("sd15-unet", ("last",), ("bfloat16",))
    judged = ptxsweep.judge(wanted, backend, arch)
    assert [(w, j.faults) for w, j in zip(wanted, judged, strict=True) if j.faults] == []


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["sm_80", "gfx1100"])
def test_layers_in_halves_as_llvm_compiles_them(arch: str) -> None:
    """Registers are held tightest where blocks of a cooperative launch share a multiprocessor of an A100."""
    if LACKS["llvm"] and arch != "gfx1100":
        pytest.skip(LACKS["llvm"])
    wanted = ptxsweep.layers("sd15-unet", ("first",), ("float16", "bfloat16"))
    judged = ptxsweep.judge(wanted, "llvm", arch)
    assert [(w, j.faults) for w, j in zip(wanted, judged, strict=True) if j.faults] == []


@pytest.mark.slow
def test_all_blocks_of_a_cooperative_launch_run_at_once_as_numba_compiles_it() -> None:
    """It takes more registers than nvcc, and must leave room for two blocks on a multiprocessor of an A100."""
    if LACKS["numba-cuda"]:
        pytest.skip(LACKS["numba-cuda"])
    wanted = [w for w in ptxsweep.layers("sd15-unet", ("last",), ("float32",)) if w.shape == (1, 64, 64, 320)]
    for w, judged in zip(wanted, ptxsweep.judge(wanted, "numba-cuda", "sm_80"), strict=True):
        (launch,) = (s for s in w.plan("numba-cuda:sm_80").nest.body if isinstance(s, ir.Launch))
        gpu = load_machine("sm_80")
        assert isinstance(gpu, Gpu)
        assert launch.cooperative
        assert blocks_of(launch, 1) > gpu.sms
        assert judged.faults == ()


def test_a_mask_beside_halves_is_no_instruction_that_ptxas_refuses() -> None:
    """Of float64 from a mask's vector of float32 in memory, NVIDIA's LLVM would make one load."""
    if LACKS["numba-cuda"]:
        pytest.skip(LACKS["numba-cuda"])
    wanted = [w for w in ptxsweep.small("sm_90", ("first",), ("bfloat16",), ("masked",)) if w.schedule == "two_kernel"]
    assert [j.faults for j in ptxsweep.judge(wanted, "numba-cuda", "sm_90")] == [()]


def test_what_the_compilers_refuse_is_a_fault_of_that_kernel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def many(plans: list[Plan]) -> list[Any]:
        if any(p.schedule.name == "coop" for p in plans):
            raise BuildError("no coop")
        return [([], "") for _ in plans]

    monkeypatch.setattr(ptxsweep, "_many_cuda", many)
    wanted = [w for w in ptxsweep.small("sm_90", ("last",), ("float32",), ("plain",)) if w.schedule in ("cta_smem", "coop")]
    refused = {w.schedule: j.faults for w, j in zip(wanted, ptxsweep.judge(wanted, "cuda", "sm_90"), strict=True)}
    assert refused == {"cta_smem": ("0 reports of 1 launches",), "coop": ("no coop",)}


@pytest.mark.parametrize(("threads", "registers", "blocks"), [(512, 64, 2), (1024, 64, 1), (160, 128, 3), (160, 136, 2), (480, 136, 0)])
def test_blocks_at_once(threads: int, registers: int, blocks: int) -> None:
    """What NVIDIA's occupancy calculator says: four schedulers have a quarter of the registers each."""
    gpu = load_machine("sm_90")
    assert isinstance(gpu, Gpu)
    assert blocks_at_once(gpu, threads, registers, 0) == blocks


def test_a_spill_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks above can fail: a kernel that is held to few registers spills."""
    if LACKS["cuda"]:
        pytest.skip(LACKS["cuda"])
    p = planned(LAYERS[0], "float32", "cuda:sm_80")
    bounds = f"__launch_bounds__({next(s.threads for s in p.nest.body if isinstance(s, ir.Launch))}, "
    assert bounds in p.source.text
    squeezed = p.source.text.replace(bounds, bounds + "3 + ")
    monkeypatch.setattr(Plan, "source", replace(p.source, text=squeezed))
    with pytest.raises(AssertionError):
        check(p, "cuda")
