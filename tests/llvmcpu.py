"""Run the LLVM IR of kernels for a GPU on the CPU: as it was optimised for the GPU, its intrinsics functions of `cuda_on_cpu`.

Shared memory is a thread's of the operating system, as in CUDA C on the CPU (`cudacpu`), with which all else is shared. Sanitizers see the
fibres, the arrays and what the intrinsics do, and not what a kernel does with memory: the verifier and CUDA C's run have that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from cudacpu import Program, link, numbered

from gngen import llvmtools
from gngen.backends import llvm
from gngen.grids import Grid, grids_in
from gngen.loopnest import LoopNest
from gngen.target import Gpu, Target, load_cpu, runs_here

# What a block has at most.
_ARENA = 232448
_HELPERS = '#include "nvptx.h"\n#include "amdgcn.h"\n'


def _host_flags() -> tuple[str, ...]:
    """For a processor without AVX-512 BF16, whose rounding takes denormals for 0."""
    machine = load_cpu("x86-64-v3")
    return llvmtools.flags(load_cpu("host") if runs_here(machine) else machine)


def on_cpu(text: str) -> str:
    """A module for a GPU as one for the CPU."""
    text = re.sub(r"^target (?:triple|datalayout) = .*\n", "", text, flags=re.M)
    asked, declared = r"^(@\S+) = external addrspace\(3\) global \[0 x i8\]", r"^(@\S+) = internal addrspace\(3\) global"
    text = re.sub(asked, rf"\1 = internal addrspace(3) global [{_ARENA} x i8] undef", text, flags=re.M)
    text = re.sub(declared, r"\1 = internal thread_local(initialexec) global", text, flags=re.M)
    text = re.sub(r",? addrspace\(\d\)|(?:ptx|amdgpu)_kernel | immarg|syncscope\(\"\w+\"\) ", "", text)
    return re.sub(r'@"?llvm\.(?:nvvm|amdgcn)\.([\w.]+?)"?\(', lambda found: f"@on_cpu_{found[1].replace('.', '_')}(", text)


def build(nests: Sequence[LoopNest], machine: Gpu, folder: Path) -> Program:
    """One program of many kernels."""
    named, objects, texts = numbered(nests), [], [_HELPERS]
    target = Target("llvm", machine)
    for i, nest in enumerate(named):
        source = llvm.emit(nest, target)
        code = llvmtools.compile_object([on_cpu(llvmtools.optimised_text([source.text], source.flags))], _host_flags())
        objects.append(folder / f"kernel{i}.o")
        objects[-1].write_bytes(code)
        texts.append(_launcher(nest, grids_in(source.text)))
    return link(named, [nest.name for nest in named], texts, folder, objects)


def _launcher(nest: LoopNest, grids: Sequence[Grid]) -> str:
    """What the exported function of CUDA C does, in the same words."""
    arrays = [b.name for b in (*nest.buffers, *nest.workspace)]
    params = ", ".join((*(f"char *{name}" for name in arrays), "int64_t batch"))
    given = ", ".join((*arrays, "batch"))
    lines = [f'extern "C" void {grid.kernel}({params});' for grid in grids]
    lines += [f"static int {nest.name}({params}, void *stream) {{"]
    for grid in grids:
        attribute = "Cooperative" if grid.cooperative else "ClusterDimension"
        value = "cooperative = 1" if grid.cooperative else f"clusterDim.x = {grid.cluster}"
        lines += [
            "    {",
            f"        const int64_t blocks = {grid.fixed}{' * batch' if grid.by_batch else ''};",
            "        if (blocks == 0) return 0;",
            "        cudaLaunchAttribute attribute = {};",
            f"        attribute.id = cudaLaunchAttribute{attribute};",
            f"        attribute.val.{value};",
            "        cudaLaunchConfig_t config = {};",
            f"        config.gridDim = dim3((unsigned)blocks), config.blockDim = dim3({grid.threads}), config.attrs = &attribute;",
            f"        config.numAttrs = {int(grid.cooperative or grid.cluster > 1)}, config.dynamicSmemBytes = {grid.shared};",
            "        const auto most = cudaFuncAttributeMaxDynamicSharedMemorySize;",
            f"        if (config.dynamicSmemBytes) cudaFuncSetAttribute({grid.kernel}, most, {grid.shared});",
            f"        const cudaError_t error = cudaLaunchKernelEx(&config, {grid.kernel}, {given});",
            "        if (error != cudaSuccess) return error;",
            "    }",
        ]
    return "\n".join((*lines, "    return 0;", "}"))
