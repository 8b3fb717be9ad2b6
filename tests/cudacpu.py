"""Run emitted CUDA C on the CPU: many kernels in one program, built with sanitizers, each run with its threads in both orders."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from strategies import Array, assert_equal, assert_right, assert_stat_right, companions, computed, fill, oracle, padded, parameters

from gngen.backends.cuda_source import print_cuda
from gngen.loopnest import WIDTH, LoopNest
from gngen.source import Source
from gngen.spec import GroupNormSpec
from gngen.target import Gpu, load_machine

HEADERS = Path(__file__).parent / "cuda_on_cpu"
FLAGS = ("-std=c++17", "-O0", "-g0", "-ffp-contract=off", "-fno-sanitize-recover=all", "-fsanitize=address,undefined", "-pthread", "-w")
_MAIN = """
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <cooperative_groups.h>
#include <utility>

/* Call a kernel's launcher with its arrays. */
template <class... P, size_t... I> static int call(int (*launch)(P...), char **arrays, int64_t batch, std::index_sequence<I...>) {
    auto one = [&](size_t i, auto tag) {
        typedef typename decltype(tag)::type T;
        if constexpr (std::is_pointer_v<T>) return (T)(i + 1 == sizeof...(P) ? nullptr : arrays[i]);
        else return (T)batch;
    };
    return launch(one(I, std::common_type<P>())...);
}
template <class... P> static int call(int (*launch)(P...), char **arrays, int64_t batch) {
    return call(launch, arrays, batch, std::make_index_sequence<sizeof...(P)>());
}

@KERNELS@
typedef int (*Run)(char **, int64_t);
static const Run runs[] = {@RUNS@};

static void read(void *to, size_t size) { if (fread(to, 1, size, stdin) != size) exit(3); }

/* From stdin: kernel, batch, arrays, then of each its size and bytes (or, negative, which other it is); to stdout: all of them, after. */
int main() {
    int64_t head[3];
    while (fread(head, 8, 3, stdin) == 3) {
        std::vector<int64_t> sizes(head[2]);
        std::vector<char *> given(head[2]), first;
        for (int64_t a = 0; a < head[2]; a++) {
            read(&sizes[a], 8);
            if (sizes[a] < 0) continue;
            given[a] = (char *)aligned_alloc(16, (sizes[a] + 15) / 16 * 16);
            read(given[a], sizes[a]);
            if (sizes[a] % 16) __asan_poison_memory_region(given[a] + sizes[a], 16 - sizes[a] % 16);
        }
        for (int order = 0; order < 2; order++) {
            on_cpu::backwards = order;
            std::vector<char *> arrays(head[2]);
            for (int64_t a = 0; a < head[2]; a++) {
                if (sizes[a] < 0) continue;
                arrays[a] = (char *)aligned_alloc(16, (sizes[a] + 15) / 16 * 16);
                memcpy(arrays[a], given[a], sizes[a]);
                if (sizes[a] % 16) __asan_poison_memory_region(arrays[a] + sizes[a], 16 - sizes[a] % 16);
            }
            for (int64_t a = 0; a < head[2]; a++) if (sizes[a] < 0) arrays[a] = arrays[-1 - sizes[a]];
            const int error = runs[head[0]](arrays.data(), head[1]);
            if (error) { fprintf(stderr, "kernel %d: launch error %d\\n", (int)head[0], error); return 2; }
            for (int64_t a = 0; a < head[2]; a++) {
                if (sizes[a] < 0) continue;
                if (order == 0) fwrite(arrays[a], 1, sizes[a], stdout);
                else if (memcmp(arrays[a], first[a], sizes[a])) {
                    fprintf(stderr, "kernel %d: array %d depends on the order of threads\\n", (int)head[0], (int)a);
                    return 2;
                }
            }
            if (order == 0) first = arrays;
            else for (int64_t a = 0; a < head[2]; a++) if (sizes[a] >= 0) { free(arrays[a]); free(first[a]); free(given[a]); }
        }
    }
    return 0;
}
"""


def why_not() -> str:
    """Why nothing can be run so here, or ""."""
    return "" if shutil.which("g++") else "no g++ here"


@dataclass(frozen=True)
class Job:
    """A call: a kernel's number, its batch, and its arrays in the order of its arguments; a number stands for an earlier one."""

    kernel: int
    batch: int
    arrays: Sequence[Array | int]


@dataclass(frozen=True)
class Program:
    """A built program of some kernels."""

    path: Path
    nests: tuple[LoopNest, ...]

    def run(self, jobs: Sequence[Job]) -> list[list[Array]]:
        """The arrays of each job as they are afterwards, scratch arrays included."""
        given = b"".join(map(self._packed, jobs))
        options = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0"}
        done = subprocess.run([str(self.path)], input=given, capture_output=True, timeout=100, env=options)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[:4000]
        found, at = [], 0
        for job in jobs:
            after: list[Array] = []
            for a in job.arrays:
                if isinstance(a, int):
                    after.append(after[a])
                    continue
                after.append(np.frombuffer(done.stdout, a.dtype, a.size, at).reshape(a.shape))
                at += a.nbytes
            found.append(after)
        assert at == len(done.stdout)
        return found

    def _packed(self, job: Job) -> bytes:
        parts = [struct.pack("qqq", job.kernel, job.batch, len(job.arrays))]
        for a in job.arrays:
            parts.append(struct.pack("q", -1 - a) if isinstance(a, int) else struct.pack("q", a.nbytes) + np.ascontiguousarray(a).tobytes())
        return b"".join(parts)


def workspace(nest: LoopNest, batch: int) -> list[Array]:
    """Scratch arrays, full of NaN."""
    found = []
    for b in nest.workspace:
        count = batch
        for extent in b.shape[1:]:
            assert isinstance(extent, int)
            count *= extent
        found.append(np.full(count * WIDTH[b.kind] // 64, np.nan))
    return found


def numbered(nests: Sequence[LoopNest]) -> tuple[LoopNest, ...]:
    """The nests, each with a name of its own."""
    return tuple(replace(nest, name=f"k{i}_{nest.name}") for i, nest in enumerate(nests))


def build(nests: Sequence[LoopNest], machine: Gpu, folder: Path) -> Program:
    """One program of many kernels: a compiler run for each takes far longer."""
    named = numbered(nests)
    texts = []
    for i, nest in enumerate(named):
        text = print_cuda(nest, machine)
        arena = "thread_local __align__(16) unsigned char arena[232448];\n" if "arena[]" in text else ""
        texts.append(f"namespace n{i} {{\n{arena}{text}\n}}\n")
    return link(named, [f"n{i}::{nest.name}" for i, nest in enumerate(named)], texts, folder)


def link(
    nests: tuple[LoopNest, ...], launchers: Sequence[str], texts: Sequence[str], folder: Path, objects: Sequence[Path] = ()
) -> Program:
    """A program of kernels whose launchers are in C++ texts, with other object files."""
    runs = ", ".join(f"[](char **a, int64_t n) {{ return call({launcher}, a, n); }}" for launcher in launchers)
    path = folder / "kernels.cpp"
    main = _MAIN.replace("@KERNELS@", "\n".join(texts)).replace("@RUNS@", runs)
    path.write_text("#include <sanitizer/asan_interface.h>\n" + main, encoding="utf-8")
    command = ["g++", *FLAGS, f"-I{HEADERS}", "-o", str(path.with_suffix("")), str(path), *map(str, objects)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr[:4000]
    return Program(path.with_suffix(""), nests)


def build_library(source: Source, folder: Path) -> None:
    """An emitted text as a library of the CPU, where the backend puts its own; without sanitizers, which Python was not started with."""
    folder.mkdir(exist_ok=True)
    text, library = folder / "kernel.cpp", folder / "kernel.so"
    text.write_text(source.text, encoding="utf-8")
    flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-pthread", "-w", "-D__has_feature(x)=0", "-shared", "-fPIC", f"-I{HEADERS}"]
    subprocess.run(["g++", *flags, "-o", str(library), str(text)], check=True)


def machine(name: str = "sm_90") -> Gpu:
    found = load_machine(name)
    assert isinstance(found, Gpu)
    return found


def arrays(
    nest: LoopNest,
    spec: GroupNormSpec,
    shape: tuple[int, ...],
    dtype: str,
    data: str,
    alias: dict[str, str] | None = None,
    seed: int = 0,
    param_dtype: str | None = None,
) -> tuple[list[Array | int], dict[str, Array]]:
    """What a nest is called with, and the same by name; `alias`: an output that is an input's memory."""
    x = fill(data, shape, dtype, seed)
    gamma, beta = parameters(shape, spec, param_dtype or dtype, seed)
    given = companions(shape, spec, dtype, seed, param_dtype)
    x = padded(x, spec, given.get("mask"), np.nan)
    own = given.get("modulation", (None, None))
    stats = np.full((shape[0], nest.problem.groups), np.nan, computed(dtype))
    mask = given["mask"].astype(computed(dtype)) if spec.masked else None
    named = {"x": x, "residual": given.get("residual"), "mask": mask, "gamma": gamma, "beta": beta, "own_scale": own[0]}
    named |= {"own_shift": own[1], "y": np.full_like(x, 7), "summed": np.full_like(x, 7), "mean": stats, "rstd": stats.copy()}
    order = [b.name for b in nest.buffers]
    used: list[Array | int] = [order.index(alias[name]) if alias and name in alias else named[name] for name in order]
    return [*used, *workspace(nest, shape[0])], named


def check(nest: LoopNest, spec: GroupNormSpec, named: dict[str, Array], after: list[Array], dtype: str) -> None:
    """The outputs of a nest against the oracle."""
    found = dict(zip((b.name for b in nest.buffers), after, strict=False))
    fused: dict[str, Any] = {"residual": named["residual"]} if spec.residual else {}
    if spec.modulation:
        fused["modulation"] = (named["own_scale"], named["own_shift"])
    if spec.masked:
        fused["mask"] = named["mask"] != 0
    right = oracle(named["x"], named["gamma"], named["beta"], spec, **fused)
    assert_right(found["y"], right, dtype)
    for name in ("mean", "rstd"):
        if name in found:
            assert_stat_right(name, found[name], right, dtype)
    if "summed" in found:
        with np.errstate(all="ignore"):
            assert_equal(found["summed"], np.add(named["x"], named["residual"], dtype=named["x"].dtype))
