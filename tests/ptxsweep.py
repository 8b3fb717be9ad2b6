"""What compilers make of the kernels of one GPU, over schedules, layouts, types and fused forms: all that `ptxcheck` asks.

    PYTHONPATH=. python tests/ptxsweep.py --arch sm_90 --backend cuda [--layers sd15-unet] [--dtype float16] [--form all] [--part 1/8]

Takes nvcc (of numba-cuda and llvm, ptxas) and no GPU. nvcc begins slowly, so that CUDA C kernels are compiled many at a time.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ptxcheck import faults

from gngen import models
from gngen.amdcode import count_wide, read_kernels
from gngen.api import plan
from gngen.backends.numba_cuda import ptx_of
from gngen.cudatools import Accesses, Report, assemble, count_accesses, read_reports, run_tool
from gngen.errors import BuildError
from gngen.gpuschedule import gpu_schedules_for
from gngen.kernel import Plan
from gngen.problem import specialize
from gngen.spec import GroupNormSpec
from gngen.target import Gpu, load_machine

DTYPES = ("float32", "float16", "bfloat16")
LAYOUTS = ("first", "last")
ALL_FUSED: dict[str, Any] = {"residual": True, "modulation": True, "masked": True}
FORMS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "plain": ({"activation": "silu"}, ("y", "mean", "rstd")),
    "residual": ({"residual": True, "activation": "gelu"}, ("y", "sum")),
    "modulation": ({"modulation": True, "activation": "gelu"}, ("y",)),
    "masked": ({"masked": True, "activation": "gelu"}, ("y",)),
    "all": ({**ALL_FUSED, "activation": "gelu"}, ("y", "sum")),
}


@dataclass(frozen=True)
class Wanted:
    """A kernel, by what `plan` takes; schedule None: the one chosen."""

    spec: GroupNormSpec
    shape: tuple[int, ...]
    dtype: str
    outputs: tuple[str, ...]
    schedule: str | None

    def plan(self, target: str) -> Plan:
        return plan(self.spec, self.shape, self.dtype, target, self.outputs, self.schedule)


def small(arch: str, layouts: Sequence[str] = LAYOUTS, dtypes: Sequence[str] = DTYPES, forms: Sequence[str] = tuple(FORMS)) -> list[Wanted]:
    """Groups of a warp and of 16 K elements, under every schedule that computes them."""
    m = load_machine(arch)
    assert isinstance(m, Gpu)
    found = []
    for layout in layouts:
        shape, axis = ((1, 32, 16, 64), 1) if layout == "first" else ((1, 1024, 32), -1)
        for form in forms:
            flags, outputs = FORMS[form]
            spec, of_warps = (GroupNormSpec(groups=groups, axis=axis, **flags) for groups in (2, 32))
            for dtype in dtypes:
                names = gpu_schedules_for(specialize(spec, shape, dtype, None, outputs)[0], m)
                found += [Wanted(spec, shape, dtype, outputs, name) for name in names]
                if "warp_group" in gpu_schedules_for(specialize(of_warps, shape, dtype, None, outputs)[0], m):
                    found.append(Wanted(of_warps, shape, dtype, outputs, "warp_group"))
    return found


def layers(name: str, layouts: Sequence[str] = LAYOUTS, dtypes: Sequence[str] = DTYPES) -> list[Wanted]:
    """The layers of a network at batch 1, under the schedule that is chosen."""
    network = models.load(name)
    chosen = [one for layout in layouts for one in (network.with_layout("last") if layout == "last" else network).layers]
    found = [Wanted(one.spec, (1, *one.shape[1:]), dtype, ("y",), None) for dtype in dtypes for one in chosen]
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Judged:
    """What ptxas says of the launches of a kernel, in their order, and all that is wrong with it."""

    reports: tuple[Report, ...]
    faults: tuple[str, ...]


def judge(wanted: Sequence[Wanted], backend: str, arch: str) -> list[Judged]:
    """Compile and judge each; one that the compilers refuse is told apart from those beside it."""
    plans = [w.plan(f"{backend}:{arch}") for w in wanted]
    try:
        texts = _many_cuda(plans) if backend == "cuda" else [_numba(p) if backend == "numba-cuda" else _llvm(p) for p in plans]
    except BuildError as e:
        return [Judged((), (str(e),))] if len(wanted) == 1 else [j for w in wanted for j in judge([w], backend, arch)]
    return [Judged(tuple(reports), tuple(faults(p, reports, accesses(p, text)))) for p, (reports, text) in zip(plans, texts, strict=True)]


def accesses(p: Plan, text: str) -> Accesses:
    """The accesses to global memory of a plan's assembly."""
    return (count_wide if p.target.gpu.kind == "amdgpu" else count_accesses)(text)


def _numba(p: Plan) -> tuple[list[Report], str]:
    """The reports and the PTX of a plan, as numba-cuda compiles it."""
    with TemporaryDirectory() as folder:
        texts = ptx_of(p.source, Path(folder)).values()
    return [report for ptx in texts for report in assemble(ptx, p.target.gpu.arch).values()], "\n".join(texts)


def _llvm(p: Plan) -> tuple[list[Report], str]:
    """The reports and the PTX of a plan, as LLVM compiles it; of an AMD GPU, the assembly."""
    text, gpu = p.assembly(), p.target.gpu
    return list((read_kernels(text) if gpu.kind == "amdgpu" else assemble(text, gpu.arch)).values()), text


def _many_cuda(plans: Sequence[Plan]) -> list[tuple[list[Report], str]]:
    """The reports and the PTX of each plan, by one run of nvcc."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "many.cu"
        path.write_text("\n".join(_apart(p.source.text, i) for i, p in enumerate(plans)), encoding="utf-8")
        into = ("-keep", "-keep-dir", folder, "-o", str(path.with_suffix(".cubin")))
        said = read_reports(run_tool("nvcc", *plans[0].source.flags, "-cubin", "-Xptxas", "-v", *into, str(path)))
        entries = path.with_suffix(".ptx").read_text(encoding="utf-8").split(".visible .entry ")[1:]
    texts = {entry.partition("(")[0]: entry for entry in entries}
    found = []
    for i, p in enumerate(plans):
        named = {_plain(name): name for name in said if name.startswith(_namespace(i))}
        names = [named[plain] for plain in sorted(named, key=lambda plain: p.source.text.index(f" {plain}("))]
        found.append(([said[name] for name in names], "\n".join(texts[name] for name in names)))
    return found


def _apart(text: str, number: int) -> str:
    """A source in a namespace of its own, its headers before it; a C function would be the same one in all of them."""
    headers = re.findall(r"^#include.*$", text, re.MULTILINE)
    rest = re.sub(r"^#include.*$", "", text, flags=re.MULTILINE).replace('extern "C" int', "int")
    return "\n".join((*headers, f"namespace kernel_{number}_ {{", rest, "}"))


def _namespace(number: int) -> str:
    """How the compiler's names of the kernels of such a source begin."""
    name = f"kernel_{number}_"
    return f"_ZN{len(name)}{name}"


def _plain(name: str) -> str:
    """How a source writes a kernel that the compiler calls `name`: after the namespace, its length and itself."""
    found = re.match(r"_ZN\d+kernel_\d+_(\d+)(.*)", name)
    assert found is not None, name
    return found[2][: int(found[1])]


def _batch(task: tuple[tuple[Wanted, ...], str, str]) -> list[Judged]:
    return judge(*task)


def sweep(wanted: Sequence[Wanted], backend: str, arch: str, at_once: int = 2) -> Iterator[tuple[Wanted, Judged]]:
    """Many kernels, judged by so many processes."""
    size = 12 if backend == "cuda" else 1
    parts = [tuple(wanted[i : i + size]) for i in range(0, len(wanted), size)]
    with ProcessPoolExecutor(at_once) as pool:
        for part, found in zip(parts, pool.map(_batch, [(part, backend, arch) for part in parts]), strict=True):
            yield from zip(part, found, strict=True)


def part_of(text: str) -> tuple[int, int]:
    """The i and n of "i/n", the i-th of n parts."""
    i, n = (int(number) for number in text.split("/"))
    if not 1 <= i <= n:
        raise ValueError(text)
    return i, n


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--backend", default="cuda", choices=("cuda", "numba-cuda", "llvm"))
    parser.add_argument("--layers", default="", help="the layers of this network instead of small problems")
    for name, values in (("layout", LAYOUTS), ("dtype", DTYPES), ("form", tuple(FORMS))):
        parser.add_argument(f"--{name}", action="append", choices=values)
    parser.add_argument("--part", type=part_of, default=(1, 1), help="i/n: the i-th of n parts of it")
    given = parser.parse_args()
    sizes = (given.layout or LAYOUTS, given.dtype or DTYPES)
    wanted = layers(given.layers, *sizes) if given.layers else small(given.arch, *sizes, given.form or tuple(FORMS))
    i, n = given.part
    wanted = wanted[i - 1 :: n]
    bad, kernels, spills, stack, most = 0, 0, 0, 0, 0
    for w, judged in sweep(wanted, given.backend, given.arch):
        bad += bool(judged.faults)
        kernels += len(judged.reports)
        spills += sum(r.spills for r in judged.reports)
        stack += sum(r.stack for r in judged.reports)
        most = max(most, *(r.registers for r in judged.reports), 0)
        for fault in judged.faults:
            print(f"{fault}: {w}")
    counts = f"{len(wanted)} problems, {kernels} kernels, {bad} with faults, {spills} bytes spilled, {stack} of stack"
    print(f"{given.backend}:{given.arch}: {counts}; at most {most} registers")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
