"""Kernels on disk: content-addressed, written once, verified when read, bounded, and harmless where they cannot be written.

An entry is a folder named by its digest with the files of a build and a ``manifest.json`` that holds the SHA-256 of each
and of itself. It is built beside its place, under a file lock, and renamed into it; it is removed by being renamed out of
it. Nothing is loaded from a folder or file that another user can write, nor from an entry whose files are not the ones that
the manifest names, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gngen.errors import BuildError

DEFAULT_LIMIT = 512 << 20
MANIFEST = "manifest.json"
_LOCK_TIMEOUT = 300.0
# Records of one kind that are kept; the oldest go first.
_RECORDS_MOST = 4096
# Seconds after which a draft has no process any more that works on it: longer than any build may take.
_STALE = 1800.0
# A folder that takes so many bytes was not what kept a build from succeeding.
_ROOM = 1 << 20


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
        self._warned = threading.Lock()
        self._spare: list[ExitStack] = []
        self._facts: dict[str, str] = {}
        self._records: dict[Path, dict[str, Any] | None] = {}

    # Kernels

    def find(self, digest: str) -> tuple[Path, dict[str, Any]] | None:
        """The folder and manifest of a valid entry, or None; a damaged one is left for `build` to replace."""
        return self._examine(digest)[0]

    def build(self, digest: str, build: Callable[[Path], dict[str, Any]]) -> tuple[Path, dict[str, Any], str]:
        """The entry `digest`, built if no process has: its folder, its manifest, and where it came from (disk or built).

        `build` fills a folder and returns the manifest, whose ``files`` names what to keep. Where the disk refuses, the kernel is
        built in a temporary folder, which this process keeps.
        """
        from filelock import FileLock

        try:
            unsafe = self._prepare()
            if unsafe:
                self._without_disk(unsafe)
                return self._build_aside(build)
            # a few locks for all digests: a lock file can never be removed safely, so there must not be one a kernel
            with FileLock(self.path / "locks" / f"{digest[:2]}.lock", timeout=_LOCK_TIMEOUT, mode=0o600):
                found, damage = self._examine(digest)
                if found:
                    return *found, "disk"
                if damage:
                    warn(f"the cached kernel {digest} is damaged ({damage}) and is built again")
                    self._discard(self._folder(digest))
                return *self._build_in_place(digest, build), "built"
        except (OSError, NotImplementedError) as e:  # NotImplementedError: a file system without locks
            self._without_disk(str(e))
            return self._build_aside(build)

    def _folder(self, digest: str) -> Path:
        return self.path / "kernels" / digest

    def _examine(self, digest: str) -> tuple[tuple[Path, dict[str, Any]] | None, str]:
        """A valid entry, or None and what is wrong with the one that there is, "" where there is none."""
        folder = self._folder(digest)
        try:
            if not folder.is_dir():
                return None, ""
            unsafe = _unsafe(folder)
            return (None, unsafe) if unsafe else ((folder, _read_entry(folder)), "")
        except FileNotFoundError as e:
            return None, str(e) if folder.is_dir() else ""  # "": removed while it was read
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
            return None, str(e) or type(e).__name__

    def _build_in_place(self, digest: str, build: Callable[[Path], dict[str, Any]]) -> tuple[Path, dict[str, Any]]:
        folder = self._folder(digest)
        draft = self._draft()
        try:
            manifest = build(draft)
            self.write_manifest(draft, manifest)
            os.replace(draft, folder)
        except BuildError:
            _check_room(draft)  # a compiler on a full disk says so in words of its own
            raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):
            self._tidy(keep=digest)
        return folder, manifest

    def _draft(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="draft-", dir=self.path))

    def write_manifest(self, folder: Path, manifest: dict[str, Any]) -> None:
        """Hash the files that the manifest names and write it, whole or not at all; nobody else may write in the folder."""
        for place in folder.rglob("*"):
            place.chmod(stat.S_IMODE(place.stat().st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))
        manifest["files"] = {name: _hash(folder / name) for name in manifest["files"]}
        draft = folder / f"{MANIFEST}.draft"
        draft.write_text(json.dumps({**manifest, "check": _check(manifest)}, indent=1, sort_keys=True), encoding="utf-8")
        draft.chmod(0o600)
        os.replace(draft, folder / MANIFEST)

    def _build_aside(self, build: Callable[[Path], dict[str, Any]]) -> tuple[Path, dict[str, Any], str]:
        try:
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gngen-")))
                manifest = build(folder)
                self._spare.append(stack.pop_all())
        except OSError as e:
            raise BuildError(f"a kernel is built in a folder, and neither the cache nor a temporary one can be written: {e}") from e
        return folder, manifest, "built"

    def _without_disk(self, reason: str) -> None:
        """Say, once, that the cache is not used."""
        if self._warned.acquire(blocking=False):
            warn(f"kernels are kept in memory only: the cache {self.path} cannot be used ({reason})")

    def _prepare(self) -> str:
        """Make the folders; why they must not be used, or ""."""
        folders = [self.path / name for name in ("kernels", "locks")]
        for folder in folders:
            _make(folder)
        return next(filter(None, map(_unsafe, folders)), "")

    def _discard(self, folder: Path) -> None:
        """Remove an entry; at once, for whoever looks for it."""
        draft = self._draft()
        try:
            os.replace(folder, draft)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def entries(self) -> list[Entry]:
        """Every entry, the most recently used first."""
        found = []
        for folder in self._folders():
            with suppress(OSError, ValueError, AttributeError):
                manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
                used = (folder / MANIFEST).stat().st_mtime
                found.append(Entry(folder.name, str(manifest.get("backend", "")), _size(folder), used, str(manifest.get("summary", ""))))
        return sorted(found, key=lambda e: -e.last_used)

    def clear(self) -> tuple[int, int]:
        """Remove every entry; how many, and how many bytes."""
        removed = self.entries()
        for folder in self._folders():
            with suppress(OSError):
                self._discard(folder)
        shutil.rmtree(self.path / "facts", ignore_errors=True)
        self._facts.clear()
        self._remove_stale()
        return len(removed), sum(e.bytes for e in removed)

    def _folders(self) -> list[Path]:
        return list((self.path / "kernels").glob("*"))

    def _tidy(self, keep: str) -> None:
        """Remove the least recently used entries past the bound, what is no entry, and what a killed process left."""
        found = []
        for folder in self._folders():
            used, size = 0.0, 0
            with suppress(OSError):
                size = _size(folder)
                used = (folder / MANIFEST).stat().st_mtime
            found.append((used, size, folder))
        total = 0
        for used, size, folder in sorted(found, reverse=True):
            total += size
            if folder.name != keep and (not used or total > self.limit_bytes):
                with suppress(OSError):
                    self._discard(folder)
        self._remove_stale()

    def _remove_stale(self) -> None:
        for draft in self.path.glob("draft-*"):
            with suppress(OSError):
                if time.time() - draft.stat().st_mtime > _STALE:
                    shutil.rmtree(draft, ignore_errors=True)

    # Small facts

    def remember(self, name: str, key: str, find: Callable[[], str]) -> str:
        """A fact that takes long to find, kept under a key that changes whenever the fact may."""
        if key in self._facts:
            return self._facts[key]
        place = self.path / "facts" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        with suppress(OSError, ValueError):
            if not _unsafe(place.parent) and not _writable_by_others(place):
                stored = json.loads(place.read_text(encoding="utf-8"))
                if isinstance(stored, dict) and stored.get("key") == key and isinstance(stored.get("value"), str):
                    self._facts[key] = stored["value"]
                    return self._facts[key]
        value = self._facts[key] = find()
        with suppress(OSError):
            self._keep(place, json.dumps({"key": key, "value": value}))
        return value

    def _keep(self, place: Path, text: str) -> None:
        """Write a small file, whole or not at all; OSError where that cannot be, or another user could write there."""
        _make(place.parent)
        unsafe = _unsafe(place.parent)
        if unsafe:
            raise PermissionError(unsafe)
        handle, draft = tempfile.mkstemp(dir=place.parent)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(draft, place)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft)

    # Records

    def has_records(self, kind: str) -> bool:
        """Whether there may be a record of a kind; far cheaper than looking for one."""
        return bool(self._records) or os.path.isdir(self.path / kind)  # which, unlike Path's, never raises

    def read_record(self, kind: str, key: str) -> dict[str, Any] | None:
        """The record kept under a key, or None; a damaged one is ignored, with a warning the first time."""
        place = self._record(kind, key)
        if place not in self._records:
            try:
                found = self._read_record(place)
            except FileNotFoundError:
                return None
            except (OSError, ValueError) as e:
                warn(f"the {kind} record {place.name} is damaged ({e}) and is ignored")
                found = None
            self._records[place] = found
        return self._records[place]

    def write_record(self, kind: str, key: str, record: dict[str, Any]) -> None:
        """Keep what `json` can hold under a key, in place of what was there; in memory only where the disk refuses."""
        place, text = self._record(kind, key), json.dumps(record, indent=1, sort_keys=True)
        self._records[place] = json.loads(text)
        try:
            self._keep(place, f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")
            for old in self._record_files(kind)[_RECORDS_MOST:]:
                old.unlink(missing_ok=True)
        except OSError as e:
            self._without_disk(str(e))

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Every valid record of a kind on disk, the latest written first."""
        found = []
        for place in self._record_files(kind):
            with suppress(OSError, ValueError):
                found.append(self._read_record(place))
        return found

    def clear_records(self, kind: str) -> int:
        """Remove every record of a kind; how many."""
        count = len(self._record_files(kind))
        shutil.rmtree(self.path / kind, ignore_errors=True)
        self._records.clear()
        return count

    def _record(self, kind: str, key: str) -> Path:
        return self.path / kind / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"

    def _record_files(self, kind: str) -> list[Path]:
        """The files of a kind, the latest written first."""
        dated = []
        for place in (self.path / kind).glob("*.json"):
            with suppress(OSError):
                dated.append((place.stat().st_mtime_ns, place))
        return [place for _, place in sorted(dated, reverse=True)]

    def _read_record(self, place: Path) -> dict[str, Any]:
        """A record as it was written, below its own hash; ValueError says what is wrong with it."""
        check, _, text = place.read_bytes().partition(b"\n")
        if _writable_by_others(place):  # what nobody else can write is ours, wherever it lies
            raise ValueError("it can be written by another user")
        if hashlib.sha256(text).hexdigest().encode() != check:
            raise ValueError("it is not what was written")
        record: dict[str, Any] = json.loads(text)
        return record


def warn(message: str) -> None:
    """A warning at the line that called gngen."""
    depth, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "gngen":
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, CacheWarning, stacklevel=depth)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check(manifest: dict[str, Any]) -> str:
    """The manifest's own hash."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _size(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def _read_entry(folder: Path) -> dict[str, Any]:
    """The manifest of an entry in which every file is as it was written, and none was added; ValueError says what is not."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if manifest.pop("check", "") != _check(manifest):
        raise ValueError(f"{MANIFEST} is not what was written")
    files = manifest["files"]
    for place in folder.rglob("*"):
        name = str(place.relative_to(folder))
        if _writable_by_others(place):
            raise ValueError(f"{name} can be written by another user")
        if place.is_symlink() or (place.is_file() and name not in files and name != MANIFEST):
            raise ValueError(f"{name} is not what was written")
    for name, expected in files.items():
        if _hash(folder / name) != expected:
            raise ValueError(f"{name} is not what was written")
    with suppress(OSError):
        os.utime(folder / MANIFEST)
    return manifest


# Who can write


def _make(folder: Path) -> None:
    """A folder, and those above it, for this user alone."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _unsafe(folder: Path) -> str:
    """Why a folder must not be trusted: it, or a folder above it, can be written by another user; or ""."""
    for whole in dict.fromkeys((folder.absolute(), folder.resolve())):
        for place in (whole, *whole.parents):
            if _writable_by_others(place):
                return f"{place} can be written by another user"
    return ""


def _writable_by_others(place: Path) -> bool:
    if not hasattr(os, "geteuid"):
        return False
    status = place.stat()
    if not {status.st_uid, place.lstat().st_uid} <= {os.geteuid(), 0}:
        return True
    shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return bool(shared) and not (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX)


def _check_room(folder: Path) -> None:
    """OSError where a folder takes no more bytes."""
    probe = folder / "room"
    probe.write_bytes(bytes(_ROOM))
    probe.unlink()


# The cache in use


@cache
def _limit(text: str) -> int:
    """The bound in bytes: $GNGEN_CACHE_LIMIT, or 512 MB."""
    if text and not text.isdecimal():
        warn(f"GNGEN_CACHE_LIMIT is a number of bytes; {text!r} is none, and {DEFAULT_LIMIT} is the limit")
    return int(text) if text.isdecimal() else DEFAULT_LIMIT


@cache
def _cache_at(path: Path, limit: int) -> DiskCache:
    return DiskCache(path, limit)


def default_cache() -> DiskCache:
    """The cache in $GNGEN_CACHE_DIR, or in the user's cache folder."""
    asked = os.environ.get("GNGEN_CACHE_DIR")
    limit = _limit(os.environ.get("GNGEN_CACHE_LIMIT", ""))
    return _cache_at(Path(asked).expanduser().absolute() if asked else _user_folder(), limit)


@cache
def _user_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("gngen", appauthor=False))
