"""Shapes of real networks and odd ones, in both memory layouts: (batch, channels, *spatial), groups."""

from __future__ import annotations

from dataclasses import dataclass

REAL = [
    ((2, 320, 64, 64), 32),
    ((2, 640, 32, 32), 32),
    ((2, 1280, 16, 16), 32),
    ((2, 2560, 8, 8), 32),
    ((1, 512, 64, 64), 32),
    ((1, 256, 256, 256), 32),
    ((1, 128, 512, 512), 32),
    ((32, 64, 56, 56), 32),
    ((32, 256, 14, 14), 32),
    ((8, 64, 128, 128), 64),
    ((8, 64, 32, 32), 1),
    ((1, 64, 512, 512), 1),
    ((1, 32, 8, 8), 8),
]
ODD = [
    ((2, 96, 37, 41), 32),
    ((4, 24, 31, 33), 8),
    ((1, 64, 24, 40, 40), 8),
    ((3, 48, 56, 56), 6),
    ((2, 128, 64, 64), 1),
    ((2, 128, 64, 64), 128),
    ((1, 61, 100, 100), 61),
    ((8, 512, 7, 7), 32),
]


@dataclass(frozen=True)
class Case:
    """One thing to time; `last` for channels last in memory."""

    shape: tuple[int, ...]
    groups: int
    last: bool
    activation: str | None = None

    def __str__(self) -> str:
        layout = "last" if self.last else "first"
        return f"{'x'.join(map(str, self.shape))} g{self.groups} {layout}{' ' + self.activation if self.activation else ''}"


def cases(which: str) -> list[Case]:
    """The cases of ``real``, ``odd`` or ``all``."""
    chosen = {"real": REAL, "odd": ODD, "all": REAL + ODD}[which]
    found = [Case(shape, groups, last) for shape, groups in chosen for last in (False, True)]
    if which != "odd":
        found += [Case(shape, groups, last, "silu") for shape, groups in (REAL[0], REAL[5]) for last in (False, True)]
    return found
