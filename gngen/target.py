"""Machines as data: facts read from TOML, `host` detected, and target strings ``backend[:machine]``."""

from __future__ import annotations

import os
import platform
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from gngen import resources
from gngen.backends import BACKENDS, FALLBACK, GPU_FALLBACK, load_backend, machine_kinds
from gngen.device import find_device, lacks_device, simulated
from gngen.errors import TargetError

_ARCHES = {"amd64": "x86_64", "x86-64": "x86_64", "arm64": "aarch64"}
_FACTS: dict[str, type] = {
    "description": str, "arch": str, "triple": str, "needs": list, "simd": str, "vector_bits": int, "vector_registers": int,
    "fma": bool, "half_convert": bool, "bfloat_round": bool, "streaming_stores": bool, "big_endian": bool, "cores": int,
    "cache": dict, "c": dict, "llvm": dict,
}  # fmt: skip
_CACHE_FACTS = ("line", "l1", "l2", "l3")
_LLVM_FACTS = ("cpu", "features", "abi", "vector_lengths")
# A machine whose file has a table [gpu] is a GPU; these are its numbers.
_GPU_TEXTS: dict[str, type] = {"description": str, "arch": str, "triple": str, "fma": bool, "cooperative": bool, "gpu": dict}
_GPU_FACTS = (
    "warp", "sms", "registers", "registers_thread", "threads_block", "threads_sm", "blocks_sm", "shared_block", "shared_sm", "cluster",
    "l2", "bandwidth",
)  # fmt: skip
# Kinds of machines, in an error's words; and what compilers call the GPUs of each.
KINDS = {"cpu": "a CPU", "gpu": "an NVIDIA GPU", "amdgpu": "an AMD GPU"}
_GPU_ARCHES = {"gpu": (r"sm_\d{2,3}[af]?", "sm_90"), "amdgpu": (r"gfx[0-9a-f]{3,4}", "gfx1100")}
# The lines of /proc/cpuinfo that name the processor, on x86 and on ARM.
_MODEL_LINES = ("model name", "cpu family", "model", "CPU implementer", "CPU part")
SIMD = ("avx512", "avx2", "sse2", "neon", "scalable", "generic")


@dataclass(frozen=True)
class Machine:
    """The facts of one kind of machine: sizes in bytes, vector width in bits.

    needs: the CPU features (as the kernel of the operating system names them) without which its code cannot run.
    simd: the family of vector instructions that the backends may name (avx512: with its parts BW, DQ and VL; scalable: SVE, or RISC-V's
    V). half_convert: whether the machine has instructions between float16 and float32 (F16C, AVX-512 or NEON). bfloat_round: whether it
    has those from float32 to bfloat16, and for sums of products of its pairs (AVX-512 BF16). llvm_cpu, llvm_features, llvm_abi: what LLVM
    calls the processor, its features (as +avx2) and its calling convention ("" for the usual). vector_lengths: where only a running
    machine can tell how long its vectors are, the lengths that kernels are compiled for, in LLVM's unit (vscale: 128 bits of SVE, 64 of
    RISC-V's V), the least that any such machine has among them.
    """

    name: str
    description: str
    arch: str
    triple: str
    needs: tuple[str, ...]
    simd: str
    vector_bits: int
    vector_registers: int
    fma: bool
    half_convert: bool
    bfloat_round: bool
    streaming_stores: bool
    big_endian: bool
    cores: int
    line: int
    l1: int
    l2: int
    l3: int
    c_flags: tuple[str, ...]
    llvm_cpu: str
    llvm_features: tuple[str, ...]
    llvm_abi: str
    vector_lengths: tuple[int, ...]


@dataclass(frozen=True)
class Gpu:
    """The facts of one kind of GPU: sizes in bytes, registers of 32 bits, bandwidth of its memory in GB/s.

    arch: what its compilers call it, as sm_90. triple: what LLVM calls it. sms: its streaming multiprocessors. registers, threads_sm,
    blocks_sm, shared_sm: what one of them has room for. registers_thread, threads_block, shared_block: the most that a thread or a block
    may ask for. cooperative: whether all blocks of a launch can be made to run at once, and wait for each other. cluster: the most blocks
    of a cluster on any GPU of its kind; 1 where there are no clusters.
    """

    name: str
    description: str
    arch: str
    triple: str
    fma: bool
    cooperative: bool
    warp: int
    sms: int
    registers: int
    registers_thread: int
    threads_block: int
    threads_sm: int
    blocks_sm: int
    shared_block: int
    shared_sm: int
    cluster: int
    l2: int
    bandwidth: int

    @property
    def kind(self) -> str:
        """gpu of NVIDIA, or amdgpu."""
        return _gpu_kind(self.triple)

    @property
    def capability(self) -> tuple[int, int]:
        """The compute capability: (9, 0) of sm_90."""
        number = int(re.sub(r"\D", "", self.arch))
        return number // 10, number % 10


@dataclass(frozen=True)
class Target:
    """A backend and the machine that it compiles for."""

    backend: str
    machine: Machine | Gpu

    def __str__(self) -> str:
        return f"{self.backend}:{self.machine.name}"

    @property
    def cpu(self) -> Machine:
        """The machine of a backend that compiles for a CPU."""
        assert isinstance(self.machine, Machine)
        return self.machine

    @property
    def gpu(self) -> Gpu:
        """The machine of a backend that compiles for a GPU."""
        assert isinstance(self.machine, Gpu)
        return self.machine


@dataclass(frozen=True)
class TargetStatus:
    """One target, whether kernels for it can run here, and why not."""

    name: str
    backend: str
    machine: str
    available: bool
    reason: str
    description: str


def machine_names(kind: str = "cpu") -> tuple[str, ...]:
    """Every machine of a kind of `KINDS` that has a file; before them `host`, which is this one, or `device`, the GPU here, if any."""
    own = ("host",) if kind == "cpu" else () if kind != "gpu" or lacks_device() else ("device",)
    files = _files()
    return (*own, *(name for name in sorted(files) if _kind(name, files) == kind))


def _all_machines() -> tuple[str, ...]:
    return tuple(name for kind in KINDS for name in machine_names(kind))


@cache
def load_machine(name: str) -> Machine | Gpu:
    """The machine called `name`; `host` and `device` are the best described ones that this one, or its GPU, can run as, with own sizes."""
    if name == "host":
        return _detect_host()
    if name == "device":
        return _detect_device()
    files = _files()
    if name not in files:
        names = ", ".join(_all_machines())
        raise TargetError(f"no machine {name!r}; choose from {names}, or describe it in a TOML file")
    facts = _facts(name, (), files)
    return _gpu(name, facts) if "gpu" in facts else _machine(name, facts)


def load_cpu(name: str) -> Machine:
    """The CPU called `name`."""
    machine = load_machine(name)
    if not isinstance(machine, Machine):
        raise TargetError(f"{name} is a GPU; choose from {', '.join(machine_names())}")
    return machine


def load_gpu(name: str) -> Gpu:
    """The GPU called `name`."""
    machine = load_machine(name)
    if not isinstance(machine, Gpu):
        raise TargetError(f"{name} is a CPU; choose from {', '.join(machine_names('gpu'))}")
    return machine


def parse_target(text: str) -> Target:
    """A target from ``backend[:machine]``; the machine is the host when none is named, or the GPU that is here.

    >>> str(parse_target("c:x86-64-v3"))
    'c:x86-64-v3'
    """
    backend, colon, machine = str(text).partition(":")
    if backend not in BACKENDS:
        backends, machines = ", ".join(("auto", *BACKENDS)), ", ".join(_all_machines())
        raise TargetError(f"no target {text!r}: it reads backend[:machine], with backend one of {backends} and machine one of {machines}")
    kinds = machine_kinds(backend)
    if colon and not any(machine in machine_names(kind) for kind in kinds):
        choices = ", or ".join(f"for {KINDS[kind]}, one of {', '.join(machine_names(kind))}" for kind in kinds)
        raise TargetError(f"no target {text!r}: {backend} compiles {choices}")
    kind = kinds[0]
    if kind == "gpu" and not colon and lacks_device():
        names = ", ".join(machine_names(kind))
        raise TargetError(f"{backend} without a machine is for the GPU that is here, and {lacks_device()}; to emit, name one of {names}")
    return Target(backend, load_machine(machine or {"cpu": "host", "gpu": "device"}[kind]))


def runs_here(machine: Machine | Gpu) -> str:
    """Why code for the machine cannot run on this one, or ""."""
    if isinstance(machine, Gpu):
        return _device_lacks(machine)
    arch = host_arch()
    if machine.arch not in (arch, "any"):
        return f"this machine is {arch}, not {machine.arch}"
    missing = [f for f in machine.needs if f not in _cpu_features()]
    return f"this machine lacks {', '.join(missing)}" if missing else ""


def why_not(backend: str, machine: Machine | Gpu) -> str:
    """Why kernels of a backend for a machine cannot run here, or ""."""
    module = load_backend(backend)
    lacking: str = module.unavailable() or runs_here(machine)
    if not lacking and isinstance(machine, Gpu) and simulated() and not getattr(module, "SIMULATED", False):
        return "numba's CUDA simulator, which this process runs, takes kernels of numba-cuda alone"
    return lacking


def _device_lacks(machine: Gpu) -> str:
    """Why code for a GPU cannot run here, or "": in the simulator all can, and machine code of a capability on later ones of its major."""
    if machine.kind == "amdgpu":
        return "kernels for AMD GPUs are emitted and compiled, and not launched from here"
    if simulated():
        return ""
    if lacks_device():
        return lacks_device()
    (major, minor), (has_major, has_minor) = machine.capability, load_gpu("device").capability
    return "" if major == has_major and minor <= has_minor else f"the GPU here has compute capability {has_major}.{has_minor}"


def targets() -> list[TargetStatus]:
    """Every target, `backend:machine`, and whether it can run here."""
    found = []
    for backend in BACKENDS:
        module = load_backend(backend)
        for name in (name for kind in machine_kinds(backend) for name in machine_names(kind)):
            machine = load_machine(name)
            reason = why_not(backend, machine)
            found.append(
                TargetStatus(f"{backend}:{name}", backend, name, not reason, reason, f"{module.DESCRIPTION}; {machine.description}")
            )
    return found


def choose_auto(failed: Mapping[str, str] | None = None) -> tuple[Target, str]:
    """The first backend of the fallback order that can run on the host, and why those before it cannot.

    failed: backends that turned out not to build, and why.
    """
    host = load_cpu("host")
    passed: list[str] = []
    for backend in FALLBACK:
        reason = load_backend(backend).unavailable() or (failed or {}).get(backend, "")
        if not reason:
            return Target(backend, host), "; ".join(passed)
        passed.append(f"{backend}: {reason}")
    raise TargetError(f"no backend can run here: {'; '.join(passed)}")


def choose_gpu() -> str:
    """The first backend for the GPU that is here which can run. TargetError, and why, where none can."""
    passed = []
    for backend in GPU_FALLBACK:
        reason = load_backend(backend).unavailable()
        if not reason:
            return f"{backend}:sm_90" if simulated() else backend
        passed.append(f"{backend}: {reason}")
    raise TargetError(f"x is on a GPU, and no backend can run there: {'; '.join(passed)}")


# Files


def _files() -> dict[str, Any]:
    """Machine name -> its file: shipped ones, then those in the folders of $GNGEN_TARGETS."""
    found: dict[str, Any] = {f.name[:-5]: f for f in resources.folder("targets").iterdir() if f.name.endswith(".toml")}
    for place in filter(None, os.environ.get("GNGEN_TARGETS", "").split(os.pathsep)):
        found.update({f.stem: f for f in Path(place).expanduser().glob("*.toml")})
    for own, what in (("host", "the machine that this is"), ("device", "the GPU that is here")):
        if own in found:
            raise TargetError(f"{found[own]}: {own} is {what}; give the file another name")
    return found


def _facts(name: str, path: tuple[str, ...], files: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a machine, those it inherits first."""
    if name in path:
        raise TargetError(f"machine {name!r} inherits from itself: {' -> '.join((*path, name))}")
    if name not in files:
        raise TargetError(f"machine {path[-1]!r} inherits from {name!r}, which has no file; choose from {', '.join(sorted(files))}")
    try:
        own = tomllib.loads(files[name].read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise TargetError(f"{name}.toml cannot be read: {e}") from e
    parent = own.pop("inherits", None)
    inherited = _facts(str(parent), (*path, name), files) if parent is not None else {}
    return _merge(inherited, own)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _merge(merged.get(key, {}), value) if isinstance(value, dict) else value
    return merged


def _kind(name: str, files: Mapping[str, Any]) -> str:
    """What a file describes; one that cannot be read says so when it is loaded."""
    try:
        facts = _facts(name, (), files)
    except TargetError:
        return "cpu"
    return _gpu_kind(str(facts.get("triple"))) if "gpu" in facts else "cpu"


def _gpu_kind(triple: str) -> str:
    return "amdgpu" if triple.startswith("amdgcn-") else "gpu"


def _gpu(name: str, facts: Mapping[str, Any]) -> Gpu:
    """A GPU from its facts, each checked for its name and type."""
    _check_types(name, facts, _GPU_TEXTS)
    numbers = facts["gpu"]
    for key, value in numbers.items():
        if key not in _GPU_FACTS:
            raise TargetError(f"{name}.toml: no fact {key!r} in [gpu]; choose from {', '.join(_GPU_FACTS)}")
        if type(value) is not int or value < 1:
            raise TargetError(f"{name}.toml: gpu.{key} is an integer, at least 1; received {value!r}")
    missing = [key for key in _GPU_TEXTS if key not in facts] + [f"gpu.{key}" for key in _GPU_FACTS if key not in numbers]
    if missing:
        raise TargetError(f"{name}.toml does not say {', '.join(missing)}, nor does a machine it inherits from")
    pattern, example = _GPU_ARCHES[_gpu_kind(facts["triple"])]
    if not re.fullmatch(pattern, facts["arch"]):
        raise TargetError(f"{name}.toml: arch of {KINDS[_gpu_kind(facts['triple'])]} reads as {example}; received {facts['arch']!r}")
    return Gpu(name=name, **{key: facts[key] for key in _GPU_TEXTS if key != "gpu"}, **numbers)


def _check_types(name: str, facts: Mapping[str, Any], known: Mapping[str, type]) -> None:
    for key, value in facts.items():
        if key not in known:
            raise TargetError(f"{name}.toml: no fact {key!r}; choose from inherits, {', '.join(known)}")
        if type(value) is not known[key]:
            raise TargetError(f"{name}.toml: {key} is a {known[key].__name__}; received {value!r}")


def _machine(name: str, facts: Mapping[str, Any]) -> Machine:
    """A machine from its facts, each checked for its name and type."""
    _check_types(name, facts, _FACTS)
    sizes, compiling, llvm = (
        facts.get("cache", {}),
        facts.get("c", {}),
        {"features": [], "abi": "", "vector_lengths": []} | facts.get("llvm", {}),
    )
    for table, known in (("cache", _CACHE_FACTS), ("c", ("flags",)), ("llvm", _LLVM_FACTS)):
        for key in facts.get(table, {}):
            if key not in known:
                raise TargetError(f"{name}.toml: no fact {key!r} in [{table}]; choose from {', '.join(known)}")
    words = {"needs": facts.get("needs", []), "c.flags": compiling.get("flags", []), "llvm.features": llvm["features"]}
    for key, value in words.items():
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise TargetError(f"{name}.toml: {key} is a list of strings; received {value!r}")
    numbers = {key: facts[key] for key in ("vector_registers", "cores") if key in facts}
    for key, value in (*numbers.items(), *((f"cache.{key}", value) for key, value in sizes.items())):
        if type(value) is not int or value < 1:
            raise TargetError(f"{name}.toml: {key} is an integer, at least 1; received {value!r}")
    for key in ("cpu", "abi"):
        if not isinstance(llvm.get(key, ""), str):
            raise TargetError(f"{name}.toml: llvm.{key} is a str; received {llvm[key]!r}")
    if not isinstance(llvm["vector_lengths"], list) or not all(type(n) is int and n in (1, 2, 4, 8) for n in llvm["vector_lengths"]):
        raise TargetError(f"{name}.toml: llvm.vector_lengths is a list of 1, 2, 4 or 8; received {llvm['vector_lengths']!r}")
    missing = [key for key in _FACTS if key not in facts]
    missing += [f"cache.{key}" for key in _CACHE_FACTS if key not in sizes] + ["llvm.cpu"] * ("llvm" in facts and "cpu" not in llvm)
    if missing:
        raise TargetError(f"{name}.toml does not say {', '.join(missing)}, nor does a machine it inherits from")
    if facts["simd"] not in SIMD:
        raise TargetError(f"{name}.toml: simd {facts['simd']!r} is not known; choose from {', '.join(SIMD)}")
    if facts["vector_bits"] not in (128, 256, 512, 1024, 2048):
        raise TargetError(f"{name}.toml: vector_bits is a power of two from 128 to 2048; received {facts['vector_bits']}")
    return Machine(
        name=name,
        **{key: facts[key] for key in _FACTS if key not in ("cache", "c", "llvm", "needs")},
        needs=tuple(facts["needs"]),
        **{key: sizes[key] for key in _CACHE_FACTS},
        c_flags=tuple(compiling.get("flags", ())),
        llvm_cpu=llvm["cpu"],
        llvm_features=tuple(llvm["features"]),
        llvm_abi=llvm["abi"],
        vector_lengths=tuple(llvm["vector_lengths"]),
    )


# The host


def host_arch() -> str:
    machine = platform.machine().lower()
    return _ARCHES.get(machine, machine)


@cache
def _cpuinfo() -> str:
    """What Linux says of the first core; "" elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    except OSError:
        return ""


@cache
def _cpu_features() -> frozenset[str]:
    """The CPU's features, in the operating system's words."""
    line = re.search(r"^(?:flags|Features)\s*:(.*)$", _cpuinfo(), re.MULTILINE)
    return frozenset(line.group(1).split()) if line else frozenset(_assumed_features())


@cache
def cpu_model() -> str:
    """Which processor this is, as far as the operating system says: what a measured time depends on."""
    lines = [line.partition(":") for line in _cpuinfo().splitlines()]
    said = {name.strip(): value.strip() for name, _, value in lines}
    return ", ".join(said[name] for name in _MODEL_LINES if name in said) or platform.processor()


def _assumed_features() -> tuple[str, ...]:
    """What an operating system without /proc/cpuinfo lets us take for granted."""
    return ("asimd",) if host_arch() == "aarch64" else ()


def _detect_host() -> Machine:
    """The widest machine of the shipped files that this one can run as, with this one's caches and cores."""
    described = [m for m in map(load_machine, machine_names()[1:]) if isinstance(m, Machine)]
    fits = [m for m in described if not runs_here(m)]
    best = max(fits, key=lambda m: (m.arch != "any", m.vector_bits, len(m.needs)))
    sizes = _host_caches()
    return replace(
        best,
        name="host",
        description=f"this machine, as {best.name}",
        cores=_host_cores(),
        **{key: sizes.get(key, getattr(best, key)) for key in _CACHE_FACTS},
    )


def _detect_device() -> Gpu:
    """The latest GPU of the shipped files that the one here is not older than, with its own sizes."""
    found = find_device()
    if isinstance(found, str):
        raise TargetError(lacks_device())
    described = [m for m in map(load_machine, sorted(_files())) if isinstance(m, Gpu) and m.kind == "gpu"]
    fits = [m for m in described if m.capability <= found.capability]
    if not fits:
        oldest = min(described, key=lambda m: m.capability)
        raise TargetError(
            f"{found.name} has compute capability {found.capability[0]}.{found.capability[1]}; the least is that of {oldest.name}"
        )
    best = max(fits, key=lambda m: (m.capability, m.name))
    own: dict[str, Any] = {key: value for key, value in found.facts.items() if key in _GPU_FACTS and value > 0}
    return replace(
        best,
        name="device",
        description=f"{found.name}, as {best.name}",
        arch=f"sm_{found.capability[0]}{found.capability[1]}",
        cluster=best.cluster if found.facts["clusters"] else 1,
        bandwidth=found.bandwidth or best.bandwidth,
        **own,
    )


def _host_cores() -> int:
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:
        return os.cpu_count() or 1


def _host_caches() -> dict[str, int]:
    """Cache sizes in bytes, as the first core sees them."""
    sizes: dict[str, int] = {}
    for entry in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind = (entry / "level").read_text().strip(), (entry / "type").read_text().strip()
            size = re.fullmatch(r"(\d+)([KM]?)", (entry / "size").read_text().strip())
            line = int((entry / "coherency_line_size").read_text())
        except (OSError, ValueError):
            continue
        if kind != "Instruction" and size:
            sizes[f"l{level}"] = int(size.group(1)) << {"": 0, "K": 10, "M": 20}[size.group(2)]
            sizes["line"] = line
    return {key: value for key, value in sizes.items() if key in _CACHE_FACTS}
