"""Kernels on disk: content-addressed, written once, verified when read, bounded, and harmless where they cannot be written.

An entry is a folder named by its digest with the files of a build and a ``manifest.json`` that holds the SHA-256 of each.
It is built beside its place, under a file lock, and renamed into it. Nothing is loaded from a folder or file
that another user can write, nor from an entry whose files do not hash to what the manifest says.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DEFAULT_LIMIT = 512 << 20
_LOCK_TIMEOUT = 300.0
MANIFEST = "manifest.json"


class CacheWarning(UserWarning):
    """The cache did something that its user may want to know: rebuilt a damaged entry, or went without the disk."""


@dataclass(frozen=True)
class Entry:
    """One kernel on disk. bytes: its size; last_used: seconds since the epoch; summary: what it computes."""

    digest: str
    backend: str
    bytes: int
    last_used: float
    summary: str


class DiskCache:
    """The kernels kept in a folder, at most `limit_bytes` of them; the least recently used go first."""

    def __init__(self, path: Path, limit_bytes: int = DEFAULT_LIMIT) -> None:
        self.path, self.limit_bytes = path, limit_bytes
        self._warned = False
        self._spare: list[tempfile.TemporaryDirectory[str]] = []
        self._facts: dict[str, str] = {}

    # Kernels

    def find(self, digest: str) -> tuple[Path, dict[str, Any]] | None:
        """The folder and manifest of a valid entry, or None; a damaged one is removed, and said so."""
        folder = self.path / "kernels" / digest
        if not folder.is_dir():
            return None
        unsafe = self._unsafe(folder)
        if unsafe:
            self._without_disk(unsafe)
            return None
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            for name, expected in manifest["files"].items():
                if self._writable_by_others(folder / name):
                    raise ValueError(f"{name} can be written by another user")
                if _hash(folder / name) != expected:
                    raise ValueError(f"{name} is not what was written")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
            warnings.warn(f"the cached kernel {digest} is damaged ({e}) and is built again", CacheWarning, stacklevel=3)
            shutil.rmtree(folder, ignore_errors=True)
            return None
        with suppress(OSError):
            os.utime(folder / MANIFEST)
        return folder, manifest

    def build(self, digest: str, build: Callable[[Path], dict[str, Any]]) -> tuple[Path, dict[str, Any], str]:
        """The entry `digest`, built if no process has: its folder, its manifest, and where it came from (disk or built).

        `build` fills a folder and returns the manifest, whose ``files`` names what to keep. Where the disk refuses, the kernel is
        built in a temporary folder, which this process keeps.
        """
        from filelock import FileLock, Timeout

        try:
            unsafe = self._prepare()
            if unsafe:
                self._without_disk(unsafe)
                return self._build_aside(build)
            with FileLock(self.path / "locks" / f"{digest}.lock", timeout=_LOCK_TIMEOUT, mode=0o600):
                found = self.find(digest)
                if found:
                    return *found, "disk"
                return *self._build_in_place(digest, build), "built"
        except (OSError, Timeout) as e:
            self._without_disk(str(e))
            return self._build_aside(build)

    def _build_in_place(self, digest: str, build: Callable[[Path], dict[str, Any]]) -> tuple[Path, dict[str, Any]]:
        folder = self.path / "kernels" / digest
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=self.path))
        try:
            manifest = build(draft)
            self.write_manifest(draft, manifest)
            os.replace(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self._evict(keep=digest)
        return folder, manifest

    def write_manifest(self, folder: Path, manifest: dict[str, Any]) -> None:
        """Hash the files that the manifest names and write it, whole or not at all."""
        manifest["files"] = {name: _hash(folder / name) for name in manifest["files"]}
        draft = folder / f"{MANIFEST}.draft"
        draft.write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(draft, folder / MANIFEST)

    def _build_aside(self, build: Callable[[Path], dict[str, Any]]) -> tuple[Path, dict[str, Any], str]:
        aside = tempfile.TemporaryDirectory(prefix="gngen-")
        self._spare.append(aside)
        return Path(aside.name), build(Path(aside.name)), "built"

    def _without_disk(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(f"kernels are kept in memory only: the cache {self.path} cannot be used ({reason})", CacheWarning, stacklevel=4)

    def _prepare(self) -> str:
        """Make the folders; why they must not be used, or ""."""
        for name in ("kernels", "locks"):
            (self.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._unsafe(self.path / "kernels")

    def _unsafe(self, folder: Path) -> str:
        """Why a folder must not be trusted: it, or a folder above it, can be written by another user; or ""."""
        for place in (folder.absolute(), *folder.absolute().parents):
            if self._writable_by_others(place):
                return f"{place} can be written by another user"
        return ""

    def _writable_by_others(self, place: Path) -> bool:
        if not hasattr(os, "getuid"):
            return False
        status = place.stat()
        if status.st_uid not in (os.getuid(), 0):
            return True
        shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return bool(shared) and not (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX)

    def entries(self) -> list[Entry]:
        """Every entry, the most recently used first."""
        found = []
        for folder in (self.path / "kernels").glob("*"):
            with suppress(OSError, ValueError, AttributeError):
                manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
                size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
                used = (folder / MANIFEST).stat().st_mtime
                found.append(Entry(folder.name, str(manifest.get("backend", "")), size, used, str(manifest.get("summary", ""))))
        return sorted(found, key=lambda e: -e.last_used)

    def clear(self) -> tuple[int, int]:
        """Remove every entry; how many, and how many bytes."""
        removed = self.entries()
        for name in ("kernels", "locks", "facts"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for draft in self.path.glob("draft-*"):
            shutil.rmtree(draft, ignore_errors=True)
        self._facts.clear()
        return len(removed), sum(e.bytes for e in removed)

    def _evict(self, keep: str) -> None:
        total = 0
        for entry in self.entries():
            total += entry.bytes
            if total > self.limit_bytes and entry.digest != keep:
                shutil.rmtree(self.path / "kernels" / entry.digest, ignore_errors=True)

    # Small facts

    def remember(self, name: str, key: str, find: Callable[[], str]) -> str:
        """A fact that takes long to find, kept under a key that changes whenever the fact may."""
        if key in self._facts:
            return self._facts[key]
        place = self.path / "facts" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        with suppress(OSError, ValueError):
            if not self._unsafe(place.parent) and not self._writable_by_others(place):
                stored = json.loads(place.read_text(encoding="utf-8"))
                if isinstance(stored, dict) and stored.get("key") == key and isinstance(stored.get("value"), str):
                    self._facts[key] = stored["value"]
                    return self._facts[key]
        value = self._facts[key] = find()
        with suppress(OSError):
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = place.with_suffix(f".{os.getpid()}")
            draft.write_text(json.dumps({"key": key, "value": value}), encoding="utf-8")
            os.replace(draft, place)
        return value


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _limit() -> int:
    """The bound in bytes: $GNGEN_CACHE_LIMIT, or 512 MB."""
    text = os.environ.get("GNGEN_CACHE_LIMIT", "")
    return int(text) if text.isdigit() else DEFAULT_LIMIT


@cache
def _cache_at(path: Path, limit: int) -> DiskCache:
    return DiskCache(path, limit)


def default_cache() -> DiskCache:
    """The cache in $GNGEN_CACHE_DIR, or in the user's cache folder."""
    asked = os.environ.get("GNGEN_CACHE_DIR")
    return _cache_at(Path(asked).expanduser() if asked else _user_folder(), _limit())


@cache
def _user_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("gngen", appauthor=False))
