"""A bundle as a folder: texts, objects, libraries; whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from gngen.backends import load_backend
from gngen.bundle import sources
from gngen.bundle.archive import Member, write_archive
from gngen.bundle.describe import write_manifest
from gngen.bundle.manifest import is_bundle
from gngen.bundle.plan import Arch, Bundle, Piece
from gngen.bundle.sources import Library
from gngen.errors import BuildError
from gngen.toolchain import Toolchain, find_toolchain

Step = Callable[[str], None]


def build_bundle(bundle: Bundle, out: Path, openmp: bool = True, step: Step = lambda what: None) -> tuple[Library, ...]:
    """Write a bundle to the folder `out`, in place of a bundle that is there.

    Args:
        openmp: whether libraries use OpenMP where their compiler has it.
        step: called with the name of each thing as it is begun; `steps` says how often.

    Returns:
        What came of each architecture.

    Raises:
        BuildError: `out` is something else, or a compiler refused a source; nothing was written.
    """
    if out.exists() and not is_bundle(out):
        raise BuildError(f"{out} is there and is no bundle of gngen's; name another folder, or remove it")
    with _replacing(out) as draft:
        texts = sources.texts(bundle)
        for path, text in texts.items():
            _write(draft / path, text.encode())
        with TemporaryDirectory(prefix="gngen-") as work:
            libraries = tuple(_library(bundle, arch, draft, Path(work), openmp, step) for arch in bundle.arches)
        for path, text in sources.packages(bundle, libraries).items():
            _write(draft / path, text.encode())
        write_manifest(bundle, libraries, draft)
    return libraries


def steps(bundle: Bundle) -> int:
    """How many things are compiled."""
    return sum(len(level.pieces) for arch in bundle.arches for level in arch.levels)


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A folder to fill that takes the place of `out` when all went well, and leaves nothing when not."""
    place = out.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError as e:
        raise BuildError(f"{out} cannot be written: {e.strerror or e}") from e
    try:
        draft.chmod(0o755)
        yield draft
        if place.exists():
            old = draft.with_name(f"{draft.name}-old")
            place.rename(old)
            try:
                draft.rename(place)
            except OSError:
                old.rename(place)  # what was there stays
                raise
            shutil.rmtree(old)
        else:
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@dataclass(frozen=True)
class _Object:
    """An object file to be made: of a C file, or of a piece that its backend makes one of itself."""

    name: str
    symbols: tuple[str, ...]
    text: str
    flags: tuple[str, ...]
    piece: Piece | None = None


def _library(bundle: Bundle, arch: Arch, draft: Path, work: Path, openmp: bool, step: Step) -> Library:
    """Compile what can be compiled for an architecture here."""
    tools = find_toolchain(arch.machine)
    kernels = list(_kernel_objects(bundle, arch))
    if isinstance(tools, str) or (not tools.hosted and any(o.text for o in kernels)):
        why = (
            tools
            if isinstance(tools, str)
            else f"{Path(tools.command[0]).name} has no C library for {arch.machine.triple}, which kernels in C include"
        )
        return _kernels_only(bundle, arch, kernels, draft, why, step)
    flag = (tools.openmp,) if openmp and tools.openmp else ()
    common = [_Object(name, symbols, text, flag) for name, text, symbols in sources.common(bundle, arch)]
    members = _members([*common, *kernels], draft, work, tools, step)
    static = f"lib/{arch.name}/lib{bundle.name}.a"
    _write(draft / static, write_archive(members))
    shared = f"lib/{arch.name}/lib{bundle.name}.so" if tools.hosted else ""
    if shared:
        objects = []
        for m in members:
            _write(work / arch.name / m.name, m.data)
            objects.append(work / arch.name / m.name)
        tools.link(objects, draft / shared, bool(flag))
    note = "" if shared else f"no shared library: {Path(tools.command[0]).name} has no C library for {arch.machine.triple} to link with"
    return sources.library(bundle, arch, static, shared, "", tools, bool(flag), note)


def _kernels_only(bundle: Bundle, arch: Arch, kernels: list[_Object], draft: Path, why: str, step: Step) -> Library:
    """What needs no C compiler: the kernels whose backend makes objects. The rest stays as sources."""
    made = [o for o in kernels if not o.text]
    if made:
        objects = f"lib/{arch.name}/lib{bundle.name}_kernels.a"
        _write(draft / objects, write_archive([_own_object(o, step) for o in made]))
        return sources.library(bundle, arch, "", "", objects, None, False, f"kernels only, the rest is left as sources: {why}")
    return sources.library(bundle, arch, "", "", "", None, False, f"sources only: {why}")


def _kernel_objects(bundle: Bundle, arch: Arch) -> Iterator[_Object]:
    for level in arch.levels:
        for piece in level.pieces:
            symbols = tuple(f"{piece.symbol}_phase{k}" for k in range(len(piece.items)))
            name = f"{level.name}_{piece.kernel.name}.o"
            if piece.source.language == "c":
                yield _Object(name, symbols, sources.place_of(arch, level, piece), piece.source.flags, piece)
            else:
                yield _Object(name, symbols, "", (), piece)


def _members(objects: list[_Object], draft: Path, work: Path, tools: Toolchain, step: Step) -> list[Member]:
    """The object files, several compiled at once."""

    def make(o: _Object) -> Member:
        if not o.text:
            return _own_object(o, step)
        if o.piece:
            step(o.piece.symbol)
        made = work / f"{o.name}.made"
        return Member(o.name, tools.compile(draft / o.text, o.flags, (draft / "include", draft / "src"), made), o.symbols)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(make, objects))


def _own_object(o: _Object, step: Step) -> Member:
    """The object that a backend makes of a piece."""
    assert o.piece is not None
    step(o.piece.symbol)
    backend = load_backend(o.piece.target.backend)
    return Member(o.name, backend.object_code(o.piece.source, o.piece.target), o.symbols)
