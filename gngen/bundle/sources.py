"""The texts of a bundle: its header, its sources, its self-test, and what CMake and pkg-config read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gngen
from gngen.backends.c_source import c_param
from gngen.bundle import features
from gngen.bundle.interface import ACTIVATION_NAMES, FLAGS, arguments, flag_bits
from gngen.bundle.layers import BundleLayer
from gngen.bundle.plan import ALIGNMENT, PUBLIC, SUFFIXES, Arch, Bundle, Level, Piece
from gngen.problem import Problem
from gngen.render import render
from gngen.toolchain import Toolchain

# Types of data and parameters that go together.
_PAIRS = (("f32", "f32"), ("f64", "f64"), ("f16", "f16"), ("f16", "f32"), ("bf16", "bf16"), ("bf16", "f32"))


@dataclass(frozen=True)
class Library:
    """What a bundle has for one architecture, as paths inside it; "" where there is none.

    objects: an archive of kernels without the rest. sources: C files and their flags, of which the libraries are made, or are to be made.
    link: what CMake links with it; link_private: the same in a compiler's words. note: what is missing, and why.
    """

    arch: str
    triple: str
    static: str
    shared: str
    objects: str
    sources: tuple[tuple[str, tuple[str, ...]], ...]
    link: tuple[str, ...]
    link_private: tuple[str, ...]
    compiler: str
    openmp: bool
    note: str


def library(
    bundle: Bundle, arch: Arch, static: str, shared: str, objects: str, tools: Toolchain | None, openmp: bool, note: str
) -> Library:
    """The record of an architecture's library; `tools` compiled it, if anything did."""
    math = ("m",) if arch.name != "wasm32" else ()
    private = tuple(f"-l{name}" for name in math)
    kernels = [(place_of(arch, level, p), p.source.flags) for level in arch.levels for p in level.pieces if p.source.language == "c"]
    return Library(
        arch.name,
        arch.machine.triple,
        static,
        shared,
        objects,
        tuple([(text, ()) for _, text, _ in common(bundle, arch)] + kernels),
        (*math, *([tools.openmp] if tools and openmp else [])),
        ((tools.openmp,) if tools and openmp else ()) + private,
        tools.version if tools else "",
        openmp,
        note,
    )


def digest_of(bundle: Bundle) -> str:
    """A name for everything that the bundle's sources say."""
    parts: list[Any] = [gngen.__version__, bundle.name, bundle.missing, [repr(layer) for layer in bundle.layers]]
    parts += [[str(level.target), p.symbol, p.source.digest] for arch in bundle.arches for level in arch.levels for p in level.pieces]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def place_of(arch: Arch, level: Level, piece: Piece) -> str:
    """Where a kernel's text lies."""
    return f"src/{arch.name}/{level.name}/{piece.kernel.name}{piece.source.suffix}"


def common(bundle: Bundle, arch: Arch) -> list[tuple[str, str, tuple[str, ...]]]:
    """The C files that are no kernels: the object's name, the path, the symbols."""
    n = bundle.name
    public = [f"{n}_{word}" for word in PUBLIC] + [f"{n}_{layer.function}{s}" for layer in bundle.layers for s in SUFFIXES]
    machines = tuple(f"{n}_internal_{word}" for word in ("machines", "machine_count", "wish"))
    found = [(f"{n}.o", f"src/{n}.c", tuple(public)), (f"{n}_machines.o", f"src/{arch.name}/{n}_machines.c", machines)]
    generic = (f"{n}_generic.o", f"src/{n}_generic.c", (f"{n}_internal_generic",))
    return [*found, generic] if bundle.missing == "generic" else found


def texts(bundle: Bundle) -> dict[str, str]:
    """Every text that does not depend on what can be compiled here, by its path."""
    n = bundle.name
    shown = [_shown(bundle, layer) for layer in bundle.layers]
    words: dict[str, Any] = {
        "n": n,
        "N": n.upper(),
        "generic": bundle.missing == "generic",
        "layers": shown,
        "alignment": ALIGNMENT,
        "activations": ACTIVATION_NAMES,
        "flags": FLAGS,
    }
    pieces = [p for arch in bundle.arches for level in arch.levels for p in level.pieces]
    found = {
        f"include/{n}.h": render("bundle/header.h.j2", **words),
        f"src/{n}_internal.h": render(
            "bundle/internal.h.j2",
            most_scratch=max(1, *(len(p.scratch) for p in pieces)),
            most_phases=max(len(p.items) for p in pieces),
            most_rounds=max(len(p.rounds) for p in pieces),
            **words,
        ),
        f"src/{n}_elements.h": render("bundle/elements.h.j2", **words),
        f"src/{n}.c": render(
            "bundle/library.c.j2", problems=[_values(n, k.problem) for k in bundle.kernels], digest=digest_of(bundle), **words
        ),
        "test/selftest.c": render("bundle/selftest.c.j2", type_pairs=_type_pairs(n), **words),
    }
    if bundle.missing == "generic":
        found[f"src/{n}_generic.c"] = render("bundle/generic.c.j2", **words)
    for arch in bundle.arches:
        found[f"src/{arch.name}/{n}_machines.c"] = _machines(bundle, arch)
        found |= {place_of(arch, level, p): p.source.text for level in arch.levels for p in level.pieces}
    return found


def packages(bundle: Bundle, libraries: tuple[Library, ...]) -> dict[str, str]:
    """What CMake and pkg-config read, by its path."""
    n = bundle.name
    found = {f"lib/cmake/{n}/{n}-config.cmake": render("bundle/config.cmake.j2", n=n, libraries=libraries)}
    for lib in libraries:
        if lib.static:
            found[f"lib/{lib.arch}/pkgconfig/{n}.pc"] = render("bundle/pkgconfig.pc.j2", n=n, lib=lib, version=gngen.__version__)
    return found


def _values(n: str, p: Problem) -> str:
    """A problem as the initializer of a struct."""
    sizes = (f"{p.outer}, {p.groups}, {p.chans}, {p.inner}", repr(p.epsilon))
    named = (f"{n.upper()}_{word.upper()}" for word in (p.data, p.parameters, p.activation or "none"))
    return ", ".join((*sizes, *named, str(flag_bits(p))))


def _type_pairs(n: str) -> str:
    return ", ".join(f"{{{n.upper()}_{data.upper()}, {n.upper()}_{parameters.upper()}}}" for data, parameters in _PAIRS)


def _shown(bundle: Bundle, layer: BundleLayer) -> dict[str, Any]:
    """A layer as the templates see it."""
    p, spec = layer.problem, layer.spec
    sizes = ", ".join(["batch", *map(str, layer.shape[1:])])
    axes = " and ".join(map(str, layer.layout.axes))
    order = "" if layer.order is None else f", in memory axes {layer.layout.order}"
    also = "".join(f", {word}" for word in (spec.activation, *p.fused) if word)
    parameters = "" if p.parameters == p.data else f" with parameters of {layer.param_dtype}"
    return {
        "name": layer.name,
        "function": layer.function,
        "problem": p,
        "kernel": bundle.kernel_of(layer),
        "arguments": arguments(p),
        "initializer": _values(bundle.name, p),
        "about": f"{layer.dtype}{parameters} ({sizes}){order}, {p.groups} groups on axis {axes}, epsilon {spec.epsilon:g}{also}",
    }


def _machines(bundle: Bundle, arch: Arch) -> str:
    """How the kernels of an architecture are called, as C."""
    checks = [features.runs_here(arch.name, level.target.cpu.needs, level.target.machine.name) for level in arch.levels]
    asks = any("has(" in check for check in checks)
    return render(
        "bundle/machines.c.j2",
        n=bundle.name,
        N=bundle.name.upper(),
        arch=arch,
        levels=list(_levels(arch, checks)),
        asks_cpuid=asks and arch.name == "x86_64",
        asks_auxiliary=asks and arch.name != "x86_64",
    )


def _levels(arch: Arch, checks: list[str]) -> Iterator[dict[str, Any]]:
    for level, check in zip(arch.levels, checks, strict=True):
        pieces = [
            {
                "symbol": p.symbol,
                "params": [c_param(b) for b in p.buffers] + [c_param(b) for b in p.workspace],
                "given": [f"args->{name}" for name in p.arguments] + [f"scratch[{k}]" for k in range(len(p.workspace))],
                "counts": p.items,
                "scratch": p.scratch,
                "by_sample": p.by_sample,
                "rounds": [(first, count, int(each)) for first, count, each in p.rounds],
                "parallel_from": p.parallel_from,
            }
            for p in level.pieces
        ]
        yield {"target": level.target, "runs_here": check, "pieces": pieces}
