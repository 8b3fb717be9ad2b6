"""What is wrong with compiled kernels of a GPU, as ptxas and the PTX have it: registers, spills, stack, shared memory, 16-byte accesses."""

from __future__ import annotations

from collections.abc import Sequence

from gngen import loopnest as ir
from gngen.cudatools import Accesses, Report
from gngen.gpumodel import blocks_at_once, blocks_of
from gngen.kernel import Plan
from gngen.target import Gpu
from gngen.unroll import unroll_body

# Arrays like x, of which every element counts; and small ones.
TENSORS, TABLES = ("x", "residual", "y", "summed"), ("gamma", "beta", "own_scale", "own_shift", "mask")


def faults(p: Plan, reports: Sequence[Report], found: Accesses) -> list[str]:
    """All that is wrong with the kernels of a plan; `reports` in the order of its launches."""
    launches = [s for s in p.nest.body if isinstance(s, ir.Launch)]
    if len(reports) != len(launches):
        return [f"{len(reports)} reports of {len(launches)} launches"]
    of_launches = [launch_faults(*both, p.target.backend, p.target.gpu) for both in zip(launches, reports, strict=True)]
    return [*(fault for found_here in of_launches for fault in found_here), *count_faults(p.nest, found, p.target.gpu.kind == "amdgpu")]


def launch_faults(launch: ir.Launch, r: Report, backend: str, m: Gpu) -> list[str]:
    """What is wrong with one kernel: no spills, no stack, within the machine, and as many blocks at once as the schedule counts on."""
    bad = [f"{count} bytes of {what}" for count, what in ((r.spills, "spills"), (r.stack, "stack")) if count]
    if r.arch != m.arch:
        bad.append(f"compiled for {r.arch}")
    if r.registers > m.registers_thread:
        bad.append(f"{r.registers} registers of {m.registers_thread}")
    shared = max(r.shared, ir.shared_bytes(launch))
    if shared > m.shared_block:
        bad.append(f"{shared} bytes shared of {m.shared_block}")
    at_once = blocks_at_once(m, launch.threads, r.registers, shared)
    # numba-cuda and LLVM for AMD are not held to a number of blocks; a block must fit
    least = 1 if backend == "numba-cuda" or m.kind == "amdgpu" else launch.together
    if at_once < least:
        bad.append(f"{r.registers} registers of {launch.threads} threads: {at_once} blocks at once of {least}")
    if launch.cooperative and blocks_of(launch, 1) > at_once * m.sms:
        bad.append(f"{blocks_of(launch, 1)} blocks wait for each other, and {at_once} run on each of {m.sms} multiprocessors")
    return bad


def count_faults(nest: ir.LoopNest, found: Accesses, joined: bool = False) -> list[str]:
    """As many as the nest has; but a table may be loaded once for several vectors, and what stands in a loop be unrolled.

    joined: where the compiler makes one access of neighbours, as of the parameters of a row's channels, there may be more.
    """
    loads, stores, looped = wide_accesses(nest.body, TENSORS)
    tables, _, _ = wide_accesses(nest.body, TABLES)
    most_loads, most_stores = (None, None) if looped or joined else (loads + tables, stores)
    return [
        f"{count} 16-byte {what} of {least}{'' if most in (None, least) else f' to {most}'}"
        for what, count, least, most in (("loads", found.wide_loads, loads, most_loads), ("stores", found.wide_stores, stores, most_stores))
        if count < least or (most is not None and count > most)
    ]


def wide_accesses(body: tuple[ir.Stmt, ...], names: tuple[str, ...]) -> tuple[int, int, bool]:
    """The 16-byte loads and stores that stand in a body, its loops unrolled where they ask for it; and whether any is in a loop still."""
    flat = unroll_body(body)
    loads = sum(_pieces(e.buffer, e.type, names) for e in ir.nest_expressions(flat) if isinstance(e, ir.Load))
    stores = sum(_pieces(s.buffer, s.value.type, names) for s in ir.walk(flat) if isinstance(s, ir.Store))
    loops = [s.body for s in ir.walk(flat) if isinstance(s, ir.Loop)]
    looped = any(wide_accesses(inner, names)[:2] != (0, 0) for inner in loops)
    return loads, stores, looped


def _pieces(buffer: ir.Buffer, t: ir.Type, names: tuple[str, ...]) -> int:
    """Pieces of 16 bytes in an access of some arrays: a float32 vector beside one of halves is two."""
    bits = t.lanes * ir.WIDTH[t.kind]
    return bits // 128 if buffer.name in names and bits % 128 == 0 else 0
