"""Print a loop nest as C11: expressions here, statements and helper functions in ``templates/c``."""

from __future__ import annotations

from functools import partial
from typing import Any

from gngen import loopnest as ir
from gngen.backends.printing import Helper, Printer, element_count, halves, has_parallel, helpers, shortest, takes_bfloats, types
from gngen.loopnest import Buffer, LoopNest, Type
from gngen.phases import split_phases
from gngen.render import render
from gngen.target import Machine

_CTYPES = {"f32": "float", "f64": "double", "i32": "int32_t", "i64": "int64_t", "m32": "int32_t", "m64": "int64_t"}
_CTYPES |= dict.fromkeys(ir.HALVES, "uint16_t")
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "rem": "%", "lt": "<", "le": "<=", "gt": ">", "shl": "<<"}
# Helpers whose C text works on the bits of their vectors.
_BITWISE = ("abs", "select", "min", "max", "load_part", "store_part", *ir.DEALT)


def c_literal(value: int | float, kind: str) -> str:
    """A number of a kind in C."""
    if kind in ir.HALVES:
        return str(int(value))  # 0, whose bits are 0
    if kind in ir.INTS:
        return f"INT64_C({value})" if abs(value) >= 1 << 31 else str(value)
    if value != value or value in (float("inf"), float("-inf")):
        return "NAN" if value != value else "INFINITY" if value > 0 else "-INFINITY"
    if kind == "f64":
        return repr(float(value))
    digits = shortest(value)
    return f"{digits}f" if "." in digits or "e" in digits else f"{digits}.0f"


class _CPrinter(Printer):
    def literal(self, value: int | float, kind: str) -> str:
        return c_literal(value, kind)


def print_c(nest: LoopNest, machine: Machine) -> str:
    """The C text of a nest: one file, one exported function."""
    return _print(nest, machine, "c/kernel.c.j2", threaded=nest.parallel_from != 0 and has_parallel(nest))


def print_c_phases(nest: LoopNest, machine: Machine, symbol: str) -> str:
    """The C text of a nest for callers with threads of their own: one file, an exported function ``<symbol>_phase<k>`` a phase."""
    return _print(nest, machine, "c/phases.c.j2", threaded=False, phases=split_phases(nest), symbol=symbol)


def _print(nest: LoopNest, machine: Machine, template: str, **values: Any) -> str:
    found = helpers(nest)
    bitwise = {Type(f"i{ir.WIDTH[h.kind]}", h.lanes) for h in found if h.op in _BITWISE and h.lanes > 1 and h.kind not in ir.HALVES}
    named = sorted({*types(nest, found), *bitwise}, key=lambda t: (t.lanes, t.kind))
    return render(
        template,
        nest=nest,
        machine=machine,
        helpers=found,
        types=[(str(t), _CTYPES[t.kind], t.lanes * ir.WIDTH[t.kind] // 8, ir.WIDTH[t.kind] // 8) for t in named],
        printer=_CPrinter(_INFIX, scalar_loads=True),
        ctype=lambda t: str(t) if t.lanes > 1 else _CTYPES[t.kind],
        ctypes=_CTYPES,
        described=lambda b: b.kind if b.kind in ir.HALVES else _CTYPES[b.kind],
        halves_used=sorted({b.kind for b in nest.buffers}.intersection(ir.HALVES)),
        converter=lambda h: _converter(h, machine),
        resizer=lambda h: _resizer(h, machine),
        takes_bfloats=partial(takes_bfloats, machine),
        integer=lambda h: f"i{ir.WIDTH[h.kind]}" + (f"x{h.lanes}" if h.lanes > 1 else ""),
        masked=lambda h: _masked(h, machine),
        has_native=lambda h: _has_native(h, machine),
        params=[c_param(b) for b in (*nest.buffers, *nest.workspace)],
        element_count=element_count,
        halves=halves,
        **values,
    )


def _masked(h: Helper, machine: Machine) -> str:
    """Which masked instructions read or write part of a vector: avx512, avx512bw, avx2 or, where there are none, none."""
    if h.kind in ir.HALVES:
        return "avx512bw" if machine.simd == "avx512" and h.bits in (128, 256, 512) else "none"
    if machine.simd == "avx512" and h.bits == 512:
        return "avx512"
    if machine.simd in ("avx512", "avx2") and h.bits == 256:
        return "avx2"
    return "none"


def _has_native(h: Helper, machine: Machine) -> bool:
    """Whether the machine has minimum, maximum (the second operand, where they are unordered: as ours) and square root of a vector."""
    widths = {"avx512": (128, 256, 512), "avx2": (128, 256), "sse2": (128,)}
    return h.kind in ("f32", "f64") and h.bits in widths.get(machine.simd, ())


def _converter(h: Helper, machine: Machine) -> str:
    """Which instructions convert between f16 and f32: avx512, f16c or neon; else shift for bf16, and bits for f16 by arithmetic."""
    if "bf16" in (h.kind, h.source):
        return "shift"
    if not machine.half_convert:
        return "bits"
    known = {"avx512": {1: "f16c", 8: "f16c", 16: "avx512"}, "avx2": {1: "f16c", 8: "f16c"}, "neon": {1: "neon", 4: "neon"}}
    return known.get(machine.simd, {}).get(h.lanes, "bits")


def _resizer(h: Helper, machine: Machine) -> str:
    """Which instructions widen and narrow integers between 16 and 32 bits, where gcc does not find them: avx512, avx2 or none."""
    if machine.simd == "avx512" and h.lanes == 16:
        return "avx512"
    return "avx2" if machine.simd in ("avx512", "avx2") and h.lanes == 8 else "none"


def c_param(b: Buffer) -> str:
    """A buffer as a parameter of a C function."""
    constant = "const " if b.space == "input" else ""
    return f"{constant}{_CTYPES[b.kind]} *{b.name}"
