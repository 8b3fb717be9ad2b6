"""What LLVM's assembly for an AMD GPU says of its kernels: registers, spills, stack, shared memory, accesses. No tool is needed."""

from __future__ import annotations

import re

from gngen.cudatools import Accesses, Report
from gngen.errors import BuildError

_TARGET = re.compile(r'\.amdgcn_target "[\w-]*--(\w+)"')
_METADATA = re.compile(r"^\s*\.amdgpu_metadata\n(.*?)^\s*\.end_amdgpu_metadata", re.MULTILINE | re.DOTALL)
_FACT = re.compile(r"^ {4}\.(\w+): +(\S+)$", re.MULTILINE)
_ACCESS = re.compile(r"^\s+(?:global|flat)_(load|store)_(?:d16_(?:hi_)?)?(b|u|i)(\d+)", re.MULTILINE)
_WORD = 4


def read_kernels(assembly: str) -> dict[str, Report]:
    """What each kernel takes, by its name; bytes of spills and stack are a thread's. BuildError where the text says nothing of them."""
    arch, metadata = _TARGET.search(assembly), _METADATA.search(assembly)
    if arch is None or metadata is None:
        raise BuildError("the assembly says nothing of its kernels")
    found = {}
    for facts in (dict(_FACT.findall(part)) for part in re.split(r"^ {2}- ", metadata[1], flags=re.MULTILINE)):
        if "vgpr_count" not in facts:
            continue
        spills = _WORD * int(facts["vgpr_spill_count"])
        stack, shared = int(facts["private_segment_fixed_size"]), int(facts["group_segment_fixed_size"])
        found[facts["name"]] = Report(facts["name"], arch[1], int(facts["vgpr_count"]), stack, spills, spills, shared)
    return found


def count_wide(assembly: str) -> Accesses:
    """Count the instructions that access global memory.

    >>> count_wide("\\tglobal_load_b128 v[0:3], v4, s[0:1]\\n\\tglobal_store_b32 v4, v0, s[2:3]")
    Accesses(loads=1, stores=1, wide_loads=1, wide_stores=0)
    """
    bits = [(kind, int(width)) for kind, _, width in _ACCESS.findall(assembly)]
    loads, stores = ([b for kind, b in bits if kind == name] for name in ("load", "store"))
    return Accesses(len(loads), len(stores), loads.count(128), stores.count(128))
