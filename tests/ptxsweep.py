"""What ptxas says of the kernels of one GPU, over schedules, layouts, types and fused forms: none may spill or have a stack.

    PYTHONPATH=. python tests/ptxsweep.py --arch sm_90 --backend cuda [--layers sd15-unet] [--dtype float16] [--form all]

Takes nvcc and no GPU. nvcc begins slowly, so that CUDA C kernels are compiled many at a time.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gngen import models
from gngen.api import plan
from gngen.backends import load_backend
from gngen.cudatools import Report, read_reports, run_tool
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


def reports(wanted: Sequence[Wanted], backend: str, arch: str) -> list[list[Report]]:
    """What ptxas says of the launches of each."""
    plans = [w.plan(f"{backend}:{arch}") for w in wanted]
    with TemporaryDirectory() as folder:
        if backend == "numba-cuda":
            return [list(load_backend(backend).reports(p.source, Path(folder)).values()) for p in plans]
        texts = [_apart(p.source.text, i) for i, p in enumerate(plans)]
        path = Path(folder) / "many.cu"
        path.write_text("\n".join(texts), encoding="utf-8")
        said = run_tool("nvcc", *plans[0].source.flags, "-cubin", "-Xptxas", "-v", "-o", str(path.with_suffix(".cubin")), str(path))
    found: list[list[Report]] = [[] for _ in wanted]
    for name, report in read_reports(said).items():
        number = re.match(r"_ZN\d+kernel_(\d+)_", name)
        assert number is not None, name
        found[int(number[1])].append(report)
    return found


def _apart(text: str, number: int) -> str:
    """A source in a namespace of its own, its headers before it; a C function would be the same one in all of them."""
    headers = re.findall(r"^#include.*$", text, re.MULTILINE)
    rest = re.sub(r"^#include.*$", "", text, flags=re.MULTILINE).replace('extern "C" int', "int")
    return "\n".join((*headers, f"namespace kernel_{number}_ {{", rest, "}"))


def faults(w: Wanted, found: Sequence[Report], m: Gpu) -> list[str]:
    """What is wrong with the kernels of one."""
    assert found, f"no report of {w}"
    bad = [r for r in found if r.spills or r.stack or r.registers > m.registers_thread or r.arch != m.arch]
    return [f"{r.registers} registers, {r.spills} bytes spilled, {r.stack} of stack: {w}" for r in bad]


def _batch(task: tuple[tuple[Wanted, ...], str, str]) -> list[list[Report]]:
    return reports(*task)


def sweep(wanted: Sequence[Wanted], backend: str, arch: str, at_once: int = 2) -> Iterator[tuple[Wanted, list[Report]]]:
    """The reports of many kernels, by so many processes."""
    size = 12 if backend == "cuda" else 1
    parts = [tuple(wanted[i : i + size]) for i in range(0, len(wanted), size)]
    with ProcessPoolExecutor(at_once) as pool:
        for part, found in zip(parts, pool.map(_batch, [(part, backend, arch) for part in parts]), strict=True):
            yield from zip(part, found, strict=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--backend", default="cuda", choices=("cuda", "numba-cuda"))
    parser.add_argument("--layers", default="", help="the layers of this network instead of small problems")
    for name, values in (("layout", LAYOUTS), ("dtype", DTYPES), ("form", tuple(FORMS))):
        parser.add_argument(f"--{name}", action="append", choices=values)
    given = parser.parse_args()
    sizes = (given.layout or LAYOUTS, given.dtype or DTYPES)
    wanted = layers(given.layers, *sizes) if given.layers else small(given.arch, *sizes, given.form or tuple(FORMS))
    m = load_machine(given.arch)
    assert isinstance(m, Gpu)
    bad, kernels, most = [], 0, Counter[int]()
    for w, found in sweep(wanted, given.backend, given.arch):
        bad += faults(w, found, m)
        kernels += len(found)
        most[max(r.registers for r in found)] += 1
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"{given.backend}:{given.arch}: {len(wanted)} problems, {kernels} kernels, {len(bad)} with faults; at most {max(most)} registers")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
