"""What is timed: shapes of real networks and odd ones, forward by type and activation, backward in float32, by memory layout."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

DTYPES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
OPS = ("fwd", "silu")
LAYOUTS = ("nchw", "nhwc")
SUITES = ("public", "odd", "all", "backward")
EPSILON = 1e-5


@dataclass(frozen=True)
class Case:
    """One thing to time.

    shape: batch, channels, then the spatial sizes, whatever the layout. groups: -1 for one a channel. layout: nchw for channels before
    the spatial axes in memory, nhwc for after them. op: fwd, silu for the activation after it, or bwd for the gradients of
    x, gamma and beta.
    """

    shape: tuple[int, ...]
    groups: int
    layout: str = "nchw"
    dtype: str = "f32"
    op: str = "fwd"

    def __str__(self) -> str:
        return f"{'x'.join(map(str, self.shape))} g{self.groups} {self.layout} {self.dtype} {self.op}"

    @property
    def axis(self) -> int:
        """The axis of the channels in memory."""
        return -1 if self.layout == "nhwc" else 1

    @property
    def memory_shape(self) -> tuple[int, ...]:
        """The shape of an array that lies in memory as its axes say."""
        batch, channels, *rest = self.shape
        return (batch, *rest, channels) if self.layout == "nhwc" else self.shape

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


_UNET = [((2, 320, 64, 64), 32), ((2, 640, 32, 32), 32), ((2, 1280, 16, 16), 32), ((2, 2560, 8, 8), 32)]
_VAE = [((1, 512, 64, 64), 32), ((1, 256, 256, 256), 32), ((1, 128, 512, 512), 32)]
_NETS = [((32, 64, 56, 56), 32), ((32, 256, 14, 14), 32), ((8, 64, 128, 128), 64), ((8, 64, 32, 32), 1), ((1, 64, 512, 512), 1)]
_SMALL = [((1, 32, 8, 8), 8), ((64, 1024), 32)]

PUBLIC = (
    *(Case(shape, groups, layout) for shape, groups in _UNET + _VAE + _NETS for layout in LAYOUTS),
    *(Case(shape, groups) for shape, groups in _SMALL),
    *(Case(shape, groups, layout, op="silu") for shape, groups in (_UNET[0], _VAE[1]) for layout in LAYOUTS),
    *(Case(shape, groups, layout, dtype="bf16") for shape, groups in (_UNET[0], _VAE[1]) for layout in LAYOUTS),
)

# Sizes that no vector divides, few channels a group, three spatial axes or one, the extremes of groups, batches of 1 to 32.
_ODD = [
    ((2, 96, 37, 41), 32),
    ((4, 64, 37, 41), 8),
    ((1, 64, 24, 40, 40), 8),
    ((2, 48, 9, 28, 28), 16),
    ((4, 72, 1001), 24),
    ((2, 128, 64, 64), 1),
    ((2, 128, 64, 64), 128),
    ((1, 61, 100, 100), -1),
    ((8, 127, 20, 20), -1),
    ((3, 48, 56, 56), 6),
    ((16, 512, 7, 7), 32),
    ((32, 96, 14, 14), 32),
    ((32, 257), 1),
]
ODD = tuple(
    Case(shape, groups, layout, dtype, op)
    for dtype, op, (shape, groups), layout in product(DTYPES, OPS, _ODD, LAYOUTS)
    if len(shape) > 2 or layout == "nchw"  # without spatial axes there is one layout
)

BACKWARD = tuple(
    Case(shape, groups, layout, op="bwd")
    for shape, groups in _UNET + _VAE + _NETS + _SMALL + _ODD
    for layout in LAYOUTS
    if len(shape) > 2 or layout == "nchw"
)


def cases(suite: str, only: str = "") -> list[Case]:
    """The cases of a suite that have every word of `only` in their name, or as a part of their shape."""
    return choose({"public": PUBLIC, "odd": ODD, "all": PUBLIC + ODD, "backward": BACKWARD}[suite], only)


def every_kind(chosen: Iterable[Case]) -> list[Case]:
    """The shapes and layouts of some cases, each in every type and with every op."""
    places = dict.fromkeys((case.shape, case.groups, case.layout) for case in chosen)
    return [Case(*place, dtype, op) for dtype, op, place in product(DTYPES, OPS, places)]


def choose(given: Iterable[Case], only: str) -> list[Case]:
    """The cases that have every word of `only` in their name, or as a part of their shape."""
    return [case for case in given if all(_has(str(case).split(), word) for word in only.split())]


def _has(words: list[str], word: str) -> bool:
    return word in words or word in words[0]
