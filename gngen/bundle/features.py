"""How a program asks the processor that it runs on for a feature that a machine's file names in `needs`, in C."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from gngen.errors import TargetError

# x86: leaf, subleaf, register (0 to 3: eax, ebx, ecx, edx) and bit of cpuid, by the names that Linux gives them.
_CPUID = {
    "sse2": (1, 0, 3, 26), "pni": (1, 0, 2, 0), "sse3": (1, 0, 2, 0), "ssse3": (1, 0, 2, 9), "fma": (1, 0, 2, 12), "cx16": (1, 0, 2, 13),
    "sse4_1": (1, 0, 2, 19), "sse4_2": (1, 0, 2, 20), "movbe": (1, 0, 2, 22), "popcnt": (1, 0, 2, 23), "avx": (1, 0, 2, 28),
    "f16c": (1, 0, 2, 29), "rdrand": (1, 0, 2, 30), "aes": (1, 0, 2, 25), "pclmulqdq": (1, 0, 2, 1),
    "bmi1": (7, 0, 1, 3), "avx2": (7, 0, 1, 5), "bmi2": (7, 0, 1, 8), "avx512f": (7, 0, 1, 16), "avx512dq": (7, 0, 1, 17),
    "adx": (7, 0, 1, 19), "avx512ifma": (7, 0, 1, 21), "clflushopt": (7, 0, 1, 23), "clwb": (7, 0, 1, 24), "avx512cd": (7, 0, 1, 28),
    "sha_ni": (7, 0, 1, 29), "avx512bw": (7, 0, 1, 30), "avx512vl": (7, 0, 1, 31), "avx512vbmi": (7, 0, 2, 1), "avx512_vbmi2": (7, 0, 2, 6),
    "gfni": (7, 0, 2, 8), "vaes": (7, 0, 2, 9), "vpclmulqdq": (7, 0, 2, 10), "avx512_vnni": (7, 0, 2, 11), "avx512_bitalg": (7, 0, 2, 12),
    "avx512_vpopcntdq": (7, 0, 2, 14), "avx512_vp2intersect": (7, 0, 3, 8), "avx512_fp16": (7, 0, 3, 23), "avx_vnni": (7, 1, 0, 4),
    "avx512_bf16": (7, 1, 0, 5), "avx_ifma": (7, 1, 0, 23), "lahf_lm": (0x80000001, 0, 2, 0), "abm": (0x80000001, 0, 2, 5),
    "sse4a": (0x80000001, 0, 2, 6),
}  # fmt: skip
# What the operating system must keep of a processor's registers for them: bits of XCR0.
_YMM, _ZMM = 0x6, 0xE6
_WIDE = ("avx", "avx2", "fma", "f16c", "vaes", "vpclmulqdq")
# Elsewhere: which word of Linux's auxiliary vector (16: AT_HWCAP, 26: AT_HWCAP2), and its mask.
_AUXILIARY: dict[str, dict[str, tuple[int, int]]] = {
    "aarch64": {"fp": (16, 1), "asimd": (16, 2), "asimdhp": (16, 1 << 10), "sve": (16, 1 << 22), "sve2": (26, 2), "bf16": (26, 1 << 14)},
    "armv7l": {"vfp": (16, 1 << 6), "neon": (16, 1 << 12), "vfpv3": (16, 1 << 13), "vfpv4": (16, 1 << 16), "half": (16, 1 << 1)},
    "riscv64": {letter: (16, 1 << (ord(letter) - ord("a"))) for letter in "imafdcv"},
    "ppc64le": {"altivec": (16, 1 << 28), "vsx": (16, 1 << 7), "arch_2_07": (26, 1 << 31), "arch_3_00": (26, 1 << 23)},
    "s390x": {"vx": (16, 1 << 11), "vxd": (16, 1 << 12), "vxe": (16, 1 << 13), "vxe2": (16, 1 << 15)},
}
# What every machine of an architecture has, whatever its operating system.
_ALWAYS = {"x86_64": ("sse2",), "aarch64": ("fp", "asimd")}


def runs_here(arch: str, needs: Sequence[str], machine: str) -> str:
    """A C expression that is true where the processor has what `needs` names; of words that the templates define.

    TargetError: a feature that a program has no way to ask for.

    >>> runs_here("aarch64", ["sve"], "aarch64-sve")
    'has(16, 0x400000u)'
    """
    asked = [f for f in needs if f not in _ALWAYS.get(arch, ())]
    known = _CPUID if arch == "x86_64" else _AUXILIARY.get(arch, {})
    for feature in asked:
        if feature not in known:
            raise TargetError(
                f"machine {machine} needs {feature}, which a program on {arch} cannot ask for; choose from {', '.join(known) or 'none'}"
            )
    if not asked:
        return "1"
    return _by_cpuid(asked) if arch == "x86_64" else _by_auxiliary([_AUXILIARY[arch][f] for f in asked])


def _by_cpuid(asked: Sequence[str]) -> str:
    places = sorted(_CPUID[f] for f in asked)
    parts = []
    if any(f in _WIDE or f.startswith("avx") for f in asked):
        parts.append(f"keeps({_ZMM if any(f.startswith('avx512') for f in asked) else _YMM:#x}u)")
    for where, found in groupby(places, key=lambda place: place[:3]):
        mask = sum({1 << place[3] for place in found})
        parts.append(f"has({where[0]:#x}u, {where[1]}u, {where[2]}, {mask:#x}u)")
    return " && ".join(parts)


def _by_auxiliary(places: Sequence[tuple[int, int]]) -> str:
    parts = []
    for word, found in groupby(sorted(places), key=lambda place: place[0]):
        parts.append(f"has({word}, {sum({mask for _, mask in found}):#x}u)")
    return " && ".join(parts)
