"""Emitted text, named by what it says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A kernel as text: nothing is built, and the same nest and target give the same bytes.

    language: c, cuda, llvm, mlir or python. entry: the function to call. text: the whole file. flags: what the compiler should be given.
    driver: the LLVM IR of the entry, where the text has only what it calls.
    """

    language: str
    entry: str
    text: str
    flags: tuple[str, ...] = ()
    driver: str = ""

    @property
    def digest(self) -> str:
        """A name for exactly this source: SHA-256 in hex, the first 32 digits."""
        parts = "\0".join((self.language, self.entry, *self.flags, self.text, self.driver))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]

    @property
    def suffix(self) -> str:
        return {"c": ".c", "cuda": ".cu", "llvm": ".ll", "mlir": ".mlir", "python": ".py"}[self.language]
