"""Write manifest.json: what a bundle is made of, and how it was made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gngen
from gngen import resources
from gngen.bundle.interface import arguments
from gngen.bundle.layers import BundleLayer
from gngen.bundle.manifest import FORMAT, MANIFEST
from gngen.bundle.plan import ALIGNMENT, SUFFIXES, Arch, Bundle, Level, Piece
from gngen.bundle.sources import Library, digest_of, place_of


def write_manifest(bundle: Bundle, libraries: tuple[Library, ...], folder: Path) -> None:
    """Describe a bundle whose other files are all written."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        "format": FORMAT,
        "name": bundle.name,
        "digest": digest_of(bundle),
        "gngen": {"version": gngen.__version__, "fingerprint": resources.fingerprint()},
        "missing": bundle.missing,
        "header": f"include/{bundle.name}.h",
        "selftest": "test/selftest.c",
        "alignment": ALIGNMENT,
        "layers": [_layer(bundle, layer) for layer in bundle.layers],
        "libraries": [_library(arch, lib) for arch, lib in zip(bundle.arches, libraries, strict=True)],
        "files": {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _layer(bundle: Bundle, layer: BundleLayer) -> dict[str, Any]:
    problem = asdict(layer.problem)
    for key in ("batch", "direction", "stage"):
        del problem[key]
    return {
        "name": layer.name,
        "functions": [f"{bundle.name}_{layer.function}{suffix}" for suffix in SUFFIXES],
        "spec": asdict(layer.spec),
        "shape": layer.shape,
        "dtype": layer.dtype,
        "param_dtype": layer.param_dtype,
        "order": layer.order,
        "outputs": layer.problem.outputs,
        "arguments": arguments(layer.problem),
        "kernel": bundle.kernels[bundle.kernel_of(layer)].name,
        "problem": problem,
    }


def _library(arch: Arch, lib: Library) -> dict[str, Any]:
    return {
        "arch": arch.name,
        "triple": lib.triple,
        "static": lib.static,
        "shared": lib.shared,
        "objects": lib.objects,
        "sources": [{"file": path, "flags": flags} for path, flags in lib.sources],
        "link": lib.link_private,
        "compiler": lib.compiler,
        "openmp": lib.openmp,
        "note": lib.note,
        "machines": [
            {
                "target": str(level.target),
                "description": level.target.cpu.description,
                "needs": level.target.cpu.needs,
                "kernels": [_piece(arch, level, p) for p in level.pieces],
            }
            for level in arch.levels
        ],
    }


def _piece(arch: Arch, level: Level, p: Piece) -> dict[str, Any]:
    schedule = asdict(p.schedule)
    del schedule["reason"]
    return {
        "kernel": p.kernel.name,
        "symbol": p.symbol,
        "phases": [{"function": f"{p.symbol}_phase{k}", "items": n, "items_a_sample": m} for k, (n, m) in enumerate(p.items)],
        "rounds": [{"first": first, "phases": count, "each_sample": each} for first, count, each in p.rounds],
        "workspace_bytes_a_sample": sum(p.scratch),
        "schedule": schedule,
        "source": place_of(arch, level, p),
        "digest": p.source.digest,
        "flags": p.source.flags,
    }
