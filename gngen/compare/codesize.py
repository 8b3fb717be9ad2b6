"""Bytes of machine code in an object file or a library: of its executable sections alone, ELF or WebAssembly."""

from __future__ import annotations

import struct

from gngen.errors import BuildError

_EXECUTABLE, _PROGBITS = 4, 1
_CODE_SECTION = 10


def code_bytes(data: bytes) -> int:
    """The bytes of machine code, without constants, tables and names.

    Raises:
        BuildError: neither ELF nor WebAssembly.
    """
    if data[:4] == b"\x7fELF":
        return sum(size for kind, flags, size in _elf_sections(data) if kind == _PROGBITS and flags & _EXECUTABLE)
    if data[:4] == b"\0asm":
        return sum(size for kind, size in _wasm_sections(data) if kind == _CODE_SECTION)
    raise BuildError(f"an object file that is neither ELF nor WebAssembly begins with {data[:4]!r}")


def _elf_sections(data: bytes) -> list[tuple[int, int, int]]:
    """The type, flags and size of every section."""
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    (table,) = struct.unpack_from(order + ("Q" if wide else "I"), data, 40 if wide else 32)
    step, count = struct.unpack_from(f"{order}HH", data, 58 if wide else 46)
    header = struct.Struct(f"{order}4xIQ16xQ" if wide else f"{order}4xII8xI")  # past the name; past address and place
    return [header.unpack_from(data, table + step * index) for index in range(count)]


def _wasm_sections(data: bytes) -> list[tuple[int, int]]:
    """The id and size of every section."""
    found, at = [], 8
    while at < len(data):
        size, start = _leb128(data, at + 1)
        found.append((data[at], size))
        at = start + size
    return found


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
