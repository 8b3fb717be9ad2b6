"""Machines as data, the host, target strings, and the fallback between backends."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from strategies import assert_right, fill, need_backend, oracle, parameters

import gngen
from gngen import device
from gngen import target as targets_module
from gngen.backends import BACKENDS, FALLBACK, load_backend, machine_kinds
from gngen.errors import TargetError
from gngen.spec import GroupNormSpec
from gngen.target import (
    KINDS,
    SIMD,
    Gpu,
    Machine,
    choose_auto,
    load_cpu,
    load_gpu,
    load_machine,
    machine_names,
    parse_target,
    runs_here,
    targets,
)

SHIPPED = ("aarch64-neon", "generic", "x86-64", "x86-64-v3", "x86-64-v4")
GPUS = ("sm_100", "sm_80", "sm_90")
CPU_BACKENDS = [name for name in BACKENDS if "cpu" in machine_kinds(name)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that machines are looked for in."""
    monkeypatch.setenv("GNGEN_TARGETS", str(tmp_path))
    load_machine.cache_clear()
    yield tmp_path
    load_machine.cache_clear()


def test_machines_that_ship() -> None:
    assert set(SHIPPED) | {"host"} <= set(machine_names())
    assert machine_names()[0] == "host"
    assert machine_names("gpu")[-len(GPUS) :] == GPUS


@pytest.mark.parametrize("name", machine_names())
def test_every_machine_is_complete(name: str) -> None:
    m = load_machine(name)
    assert m.name == name
    assert m.description
    assert m.simd in SIMD
    assert m.vector_bits in (128, 256, 512, 1024, 2048)
    assert 16 <= m.line <= m.l1 <= m.l2 <= m.l3
    assert m.cores >= 1
    assert m.vector_registers >= 16
    with pytest.raises(dataclasses.FrozenInstanceError):
        m.cores = 3  # type: ignore[misc]


@pytest.mark.parametrize("name", GPUS)
def test_every_gpu_is_complete(name: str) -> None:
    m = load_machine(name)
    assert isinstance(m, Gpu)
    assert m.name == m.arch == name
    assert m.description
    assert f"sm_{''.join(map(str, m.capability))}" == name
    assert m.threads_block <= m.threads_sm <= m.blocks_sm * m.threads_block
    assert m.threads_block % m.warp == m.threads_sm % m.warp == 0
    assert 48 << 10 < m.shared_block < m.shared_sm < m.l2
    assert m.registers >= 32 * m.threads_sm
    with pytest.raises(dataclasses.FrozenInstanceError):
        m.sms = 3  # type: ignore[misc]
    with pytest.raises(TargetError, match=f"^{name} is a GPU; choose from host, "):
        load_cpu(name)
    with pytest.raises(TargetError, match=r"^generic is a CPU; choose from "):
        load_gpu("generic")


def test_facts_of_gpus() -> None:
    a100, h100, b200 = (load_machine(name) for name in ("sm_80", "sm_90", "sm_100"))
    assert [m.cluster for m in (a100, h100, b200)] == [1, 8, 8]
    assert [m.sms for m in (a100, h100, b200)] == [108, 132, 148]
    assert [m.shared_block >> 10 for m in (a100, h100, b200)] == [163, 227, 227]
    assert a100.registers == h100.registers == b200.registers == 65536
    assert [m.capability for m in (a100, h100, b200)] == [(8, 0), (9, 0), (10, 0)]


def test_facts_of_amd_s() -> None:
    names = machine_names("amdgpu")
    assert names == ("gfx1100", "gfx1201")
    for name in names:
        m = load_gpu(name)
        assert (m.arch, m.kind, m.warp, m.cluster, m.cooperative) == (name, "amdgpu", 32, 1, False)
        assert m.shared_block < m.shared_sm < m.l2
        assert m.registers >= 32 * m.threads_sm
    assert not set(names) & {*machine_names(), *machine_names("gpu")}
    assert runs_here(load_gpu("gfx1100")) == "kernels for AMD GPUs are emitted and compiled, and not launched from here"


def test_facts_and_what_is_inherited() -> None:
    v2, v3, v4, neon = (load_machine(name) for name in ("x86-64", "x86-64-v3", "x86-64-v4", "aarch64-neon"))
    assert [m.vector_bits for m in (v2, v3, v4, neon)] == [128, 256, 512, 128]
    assert [m.fma for m in (v2, v3, v4, neon)] == [False, True, True, True]
    assert [m.half_convert for m in (v2, v3, v4, neon)] == [False, True, True, True]
    assert v4.triple == v3.triple == v2.triple
    assert (v4.streaming_stores, neon.streaming_stores) == (True, False)
    assert (v3.l1, v3.l2) == (v2.l1, 524288)
    assert v4.c_flags == ("-march=x86-64-v4",)


def test_the_host_is_the_widest_machine_that_runs_here() -> None:
    host = load_machine("host")
    assert not runs_here(host)
    fits = [load_machine(name) for name in SHIPPED if not runs_here(load_machine(name))]
    assert host.vector_bits == max(m.vector_bits for m in fits)
    assert host.description.startswith("this machine, as ")


def test_what_does_not_run_here_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets_module, "host_arch", lambda: "x86_64")
    monkeypatch.setattr(targets_module, "_cpu_features", lambda: frozenset(("avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "movbe")))
    assert runs_here(load_machine("aarch64-neon")) == "this machine is x86_64, not aarch64"
    assert runs_here(load_machine("x86-64-v3")) == ""
    assert runs_here(load_machine("x86-64-v4")) == "this machine lacks avx512f, avx512bw, avx512cd, avx512dq, avx512vl"
    assert runs_here(load_machine("generic")) == ""


@pytest.mark.parametrize("machine", [None, *SHIPPED])
@pytest.mark.parametrize("backend", CPU_BACKENDS)
def test_target_strings(backend: str, machine: str | None) -> None:
    text = backend if machine is None else f"{backend}:{machine}"
    found = parse_target(text)
    assert (found.backend, found.machine) == (backend, load_machine(machine or "host"))
    assert str(found) == f"{backend}:{machine or 'host'}"
    assert parse_target(str(found)) == found


@pytest.mark.parametrize("text", ["", "gpu", "c:", "c:x87", "c:sm_90", "x86-64", ":x86-64", "C", "c:x86-64:v3", None, 3])
def test_target_strings_that_name_nothing(text: object) -> None:
    with pytest.raises(TargetError) as e:
        parse_target(text)  # type: ignore[arg-type]
    backends, machines = ", ".join(BACKENDS), ", ".join(name for kind in KINDS for name in machine_names(kind))
    if str(text).startswith("c:"):
        reason = f"c compiles for a CPU, one of {', '.join(machine_names())}"
    else:
        reason = f"it reads backend[:machine], with backend one of auto, {backends} and machine one of {machines}"
    assert str(e.value) == f"no target {text!r}: {reason}"
    assert isinstance(e.value, ValueError)
    with pytest.raises(TargetError):
        gngen.compile(GroupNormSpec(groups=1), (1, 4), target=text)  # type: ignore[arg-type]


def test_a_machine_that_does_not_exist() -> None:
    with pytest.raises(TargetError) as e:
        load_machine("x87")
    names = ", ".join(name for kind in KINDS for name in machine_names(kind))
    assert str(e.value) == f"no machine 'x87'; choose from {names}, or describe it in a TOML file"


def test_a_kernel_for_another_machine_is_emitted_and_not_run() -> None:
    away = next(name for name in ("aarch64-neon", "x86-64") if runs_here(load_machine(name)))
    spec = GroupNormSpec(groups=1)
    assert gngen.emit(spec, (1, 4), target=f"c:{away}").text
    reason = runs_here(load_machine(away))
    with pytest.raises(TargetError) as e:
        gngen.compile(spec, (1, 4), target=f"c:{away}")
    assert str(e.value) == f"a kernel for c:{away} can be emitted here and not run: {reason}"


def test_targets_lists_everything_with_reasons() -> None:
    found = {t.name: t for t in targets()}
    assert set(found) == {f"{b}:{m}" for b in BACKENDS for kind in machine_kinds(b) for m in machine_names(kind)}
    for t in found.values():
        lacking = load_backend(t.backend).unavailable() or runs_here(load_machine(t.machine))
        assert (t.available, t.reason) == (not lacking, lacking)
        assert load_machine(t.machine).description in t.description
    assert found["reference:host"].available
    assert gngen.targets() == targets()


NO_GPU = "there is no GPU here: NVIDIA's driver is not installed (none); target auto runs on the CPU"


@pytest.fixture
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a GPU."""
    monkeypatch.setattr(device, "find_device", lambda: "NVIDIA's driver is not installed (none)")
    monkeypatch.setattr(targets_module, "find_device", device.find_device)


@pytest.fixture
def a_device(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with a GPU that is a smaller H100."""
    facts = {"sms": 114, "registers": 65536, "shared_block": 232448, "l2": 52428800, "clusters": 1, "warp": 32}
    found = device.Device("NVIDIA H100 PCIe", (9, 0), {**dict.fromkeys(device._ATTRIBUTES, 0), **facts})
    monkeypatch.setattr(device, "find_device", lambda: found)
    monkeypatch.setattr(targets_module, "find_device", lambda: found)
    load_machine.cache_clear()
    yield
    load_machine.cache_clear()


@pytest.mark.usefixtures("no_device")
def test_asking_for_a_gpu_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_backend("reference"), "MACHINE_KINDS", ("gpu",), raising=False)
    assert runs_here(load_machine("sm_90")) == NO_GPU
    assert machine_names("gpu") == GPUS
    with pytest.raises(TargetError) as e:
        parse_target("reference")
    assert str(e.value) == f"reference without a machine is for the GPU that is here, and {NO_GPU}; to emit, name one of {', '.join(GPUS)}"
    with pytest.raises(TargetError, match=r"^there is no GPU here: "):
        load_machine("device")
    monkeypatch.undo()
    assert choose_auto()[0].backend in FALLBACK


@pytest.mark.usefixtures("a_device")
def test_the_gpu_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_backend("reference"), "MACHINE_KINDS", ("gpu",), raising=False)
    found = parse_target("reference").gpu
    assert found == parse_target("reference:device").gpu
    h100 = load_gpu("sm_90")
    own = {"name": "device", "description": "NVIDIA H100 PCIe, as sm_90", "sms": 114}
    assert found == dataclasses.replace(h100, **own)
    assert [bool(runs_here(load_machine(name))) for name in ("device", "sm_90", "sm_80", "sm_100")] == [False, False, True, True]
    assert runs_here(load_machine("sm_80")) == "the GPU here has compute capability 9.0"


def test_a_gpu_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    old = device.Device("Tesla V100", (7, 0), dict.fromkeys(device._ATTRIBUTES, 0))
    monkeypatch.setattr(targets_module, "find_device", lambda: old)
    with pytest.raises(TargetError, match=r"^Tesla V100 has compute capability 7.0; the least is that of sm_80$"):
        targets_module._detect_device()


def test_how_fast_the_memory_of_a_gpu_is() -> None:
    facts = {**dict.fromkeys(device._ATTRIBUTES, 0), "memory_khz": 1593000, "memory_bits": 5120}
    assert device.Device("A100", (8, 0), facts).bandwidth == 2039


def test_a_backend_and_a_machine_of_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_backend("reference"), "MACHINE_KINDS", ("gpu",), raising=False)
    found = parse_target("reference:sm_90")
    assert found.gpu is found.machine is load_machine("sm_90")
    assert str(found) == "reference:sm_90"
    with pytest.raises(
        TargetError, match=r"^no target 'reference:x86-64': reference compiles for an NVIDIA GPU, one of .*sm_100, sm_80, sm_90$"
    ):
        parse_target("reference:x86-64")


# A machine of one's own


def test_a_new_machine_is_one_file(folder: Path) -> None:
    arch = "x86-64" if platform.machine().lower() in ("x86_64", "amd64") else "generic"
    (folder / "mine.toml").write_text(f'inherits = "{arch}"\ndescription = "mine"\ncores = 3\n\n[cache]\nl3 = 12582912\n')
    m = load_machine("mine")
    assert (m.name, m.description, m.cores, m.l3, m.l1) == ("mine", "mine", 3, 12582912, load_machine(arch).l1)
    assert "mine" in machine_names()
    assert isinstance(m, Machine)
    spec, x = GroupNormSpec(groups=2, axis=1), fill("normal", (2, 6, 40), "float32")
    gamma, beta = parameters(x.shape, spec, "float32")
    kernel = gngen.compile(spec, x.shape, target=f"{need_backend('c')}:mine")
    assert_right(kernel(x, gamma, beta), oracle(x, gamma, beta, spec), "float32")
    assert "c:mine: mine" in kernel.explain()
    assert "Machine: mine" in kernel.source.text


def test_a_new_gpu_is_one_file(folder: Path) -> None:
    (folder / "mine.toml").write_text('inherits = "sm_90"\ndescription = "mine"\n\n[gpu]\nsms = 114\n')
    m = load_machine("mine")
    assert isinstance(m, Gpu)
    assert (m.name, m.arch, m.sms, m.registers) == ("mine", "sm_90", 114, 65536)
    assert "mine" in machine_names("gpu")
    assert "mine" not in machine_names()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('inherits = "generic"\nvectors = 3\n', "bad.toml: no fact 'vectors'; choose from inherits, description, "),
        ('inherits = "generic"\ncores = "two"\n', "bad.toml: cores is a int; received 'two'"),
        ('inherits = "generic"\nfma = 1\n', "bad.toml: fma is a bool; received 1"),
        ('inherits = "nowhere"\n', "machine 'bad' inherits from 'nowhere', which has no file; choose from "),
        ('inherits = "bad"\n', "machine 'bad' inherits from itself: bad -> bad"),
        (
            'inherits = "generic"\nsimd = "mmx"\n',
            "bad.toml: simd 'mmx' is not known; choose from avx512, avx2, sse2, neon, scalable, generic",
        ),
        ('inherits = "generic"\nvector_bits = 192\n', "bad.toml: vector_bits is a power of two from 128 to 2048; received 192"),
        ('description = "half"\n', "bad.toml does not say arch, triple, "),
        ('inherits = "generic"\n[cache]\nl1 = "32K"\n', "bad.toml: cache.l1 is an integer, at least 1; received '32K'"),
        ('inherits = "sm_90"\n[gpu]\ncores = 3\n', "bad.toml: no fact 'cores' in [gpu]; choose from warp, "),
        ('inherits = "sm_90"\n[gpu]\nsms = 0\n', "bad.toml: gpu.sms is an integer, at least 1; received 0"),
        (
            'inherits = "sm_90"\nvector_bits = 128\n',
            "bad.toml: no fact 'vector_bits'; choose from inherits, description, arch, triple, fma, cooperative, gpu",
        ),
        ('inherits = "sm_90"\narch = "x86_64"\n', "bad.toml: arch of an NVIDIA GPU reads as sm_90; received 'x86_64'"),
        ('inherits = "gfx1100"\narch = "sm_90"\n', "bad.toml: arch of an AMD GPU reads as gfx1100; received 'sm_90'"),
        ('arch = "sm_90"\n[gpu]\nsms = 1\n', "bad.toml does not say description, triple, fma, cooperative, gpu.warp, "),
        ("cores = \n", "bad.toml cannot be read: "),
    ],
)
def test_files_that_describe_no_machine(folder: Path, text: str, words: str) -> None:
    (folder / "bad.toml").write_text(text)
    with pytest.raises(TargetError) as e:
        load_machine("bad")
    assert str(e.value).startswith(words)


# Which backend


def test_auto_takes_the_first_backend_that_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    order = list(FALLBACK)
    assert order == ["c", "llvm", "numba-cpu", "reference"]
    passed: list[str] = []
    for name in order:
        if load_backend(name).unavailable():
            passed.append(f"{name}: {load_backend(name).unavailable()}")
            continue
        target, why = choose_auto()
        assert (target.backend, target.machine) == (name, load_machine("host"))
        assert why == "; ".join(passed)
        _disable(monkeypatch, load_backend(name))
        passed.append(f"{name}: not today")
    with pytest.raises(TargetError, match=r"^no backend can run here: c: "):
        choose_auto()


def _disable(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    monkeypatch.setattr(module, "unavailable", lambda: "not today")


def test_the_fallback_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    _disable(monkeypatch, load_backend("c"))
    spec = GroupNormSpec(groups=3, axis=1, center=False, scale=False)
    kernel = gngen.compile(spec, (1, 3, 4), target="auto", outputs=("y", "mean"))
    assert kernel.target.backend == "llvm"
    assert "fallback  c: not today" in kernel.explain().splitlines()
    with pytest.raises(TargetError, match=r"^a kernel for c:host can be emitted here and not run: not today$"):
        gngen.compile(spec, (1, 3, 5), target="c")
    y, mean = kernel(x := np.arange(12, dtype="float32").reshape(1, 3, 4))
    assert_right(y, oracle(x, None, None, spec), "float32")
    assert mean.tolist() == [[1.5, 5.5, 9.5]]
