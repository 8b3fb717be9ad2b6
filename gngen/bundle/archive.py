"""A static library without a tool: the bytes of a Unix archive of object files, the same for the same members."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_MAGIC = b"!<arch>\n"


@dataclass(frozen=True)
class Member:
    """An object file of an archive: its name, its bytes, and the symbols by which a linker finds it."""

    name: str
    data: bytes
    symbols: tuple[str, ...]


def write_archive(members: Sequence[Member]) -> bytes:
    """An archive in the form of System V and GNU, with an index of its symbols; no times, owners or paths.

    >>> write_archive([Member("a.o", b"code", ("f",))])[:8]
    b'!<arch>\\n'
    """
    long_names, named = _long_names(members)
    symbols = [(symbol, at) for at, m in enumerate(members) for symbol in m.symbols]
    texts = b"".join(symbol.encode() + b"\0" for symbol, _ in symbols)
    index_size = 4 + 4 * len(symbols) + len(texts)
    places, at = [], len(_MAGIC) + _padded(index_size) + (_padded(len(long_names)) if long_names else 0)
    for m in members:
        places.append(at)
        at += _padded(len(m.data))
    if at >> 32:
        raise ValueError(f"an archive of {at} bytes; its index holds places below 4 GB")
    index = struct.pack(f">{1 + len(symbols)}I", len(symbols), *(places[m] for _, m in symbols)) + texts
    parts = [_MAGIC, _entry("/", index)]
    if long_names:
        parts.append(_entry("//", long_names))
    parts += [_entry(name, m.data) for name, m in zip(named, members, strict=True)]
    return b"".join(parts)


def _long_names(members: Sequence[Member]) -> tuple[bytes, list[str]]:
    """The table of names over 15 characters, and what each member is called in its header."""
    table, named = b"", []
    for m in members:
        if len(m.name) <= 15:
            named.append(f"{m.name}/")
            continue
        named.append(f"/{len(table)}")
        table += f"{m.name}/\n".encode()
    return table, named


def _padded(size: int) -> int:
    """A member's size with its header, ending on an even byte."""
    return 60 + size + size % 2


def _entry(name: str, data: bytes) -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'644' if name.strip('/') else '0':<8}{len(data):<10}`\n".encode()
    return header + data + b"\n" * (len(data) % 2)
