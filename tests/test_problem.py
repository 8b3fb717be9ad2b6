"""Shapes, axes and memory orders as five numbers."""

from __future__ import annotations

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

import gngen
from gngen.errors import SpecError
from gngen.problem import memory_order, specialize
from gngen.spec import GroupNormSpec
from gngen.summation import summation


def sizes(shape: tuple[int | None, ...], axis: int | tuple[int, ...], groups: int, order: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """outer, groups, chans, inner."""
    p, _ = specialize(GroupNormSpec(groups=groups, axis=axis), shape, order=order)
    return p.outer, p.groups, p.chans, p.inner


@pytest.mark.parametrize(
    ("shape", "axis", "groups", "order", "five"),
    [
        ((2, 320, 64, 64), 1, 32, None, (1, 32, 10, 4096)),  # channels first
        ((2, 64, 64, 320), -1, 32, None, (4096, 32, 10, 1)),  # channels last
        ((2, 8, 320, 64), 2, 32, None, (8, 32, 10, 64)),  # in the middle
        ((2, 64, 64, 320), -1, 1, None, (4096, 1, 320, 1)),  # like layer norm
        ((2, 320, 64), 1, -1, None, (1, 320, 1, 64)),  # instance norm
        ((16, 320), -1, 32, None, (1, 32, 10, 1)),  # dense
        ((2, 4, 6, 5), (1, 2), 8, None, (1, 8, 3, 5)),  # a list of adjacent axes
        ((2, 4, 6, 5), (2, 1), 8, None, (1, 8, 3, 5)),  # in any order
        ((2, 4, 6, 5), (1, -1), 10, None, (1, 10, 2, 6)),  # apart: copied
        ((2, 4, 1, 6), (1, 3), 8, None, (1, 8, 3, 1)),  # apart by an axis of 1: as good as adjacent
        ((2, 320, 64, 64), 1, 32, (0, 2, 3, 1), (4096, 32, 10, 1)),  # torch's channels_last
        ((2, 64, 64, 320), -1, 32, (0, 3, 1, 2), (1, 32, 10, 4096)),  # and the reverse
        ((2, 320, 8, 8, 8), 1, 32, (0, 2, 3, 4, 1), (512, 32, 10, 1)),  # channels_last_3d
        ((2, 6, 5), 1, 3, (2, 1, 0), (1, 3, 2, 5)),  # Fortran: copied
        ((1, 6, 5), 1, 3, (2, 1, 0), (5, 3, 2, 1)),  # Fortran with one sample: read as it lies
        ((2, 6, 5), (1, 2), 3, (0, 2, 1), (1, 3, 10, 1)),  # features, but not in row-major order: copied
        ((None, 64, 64, 320), -1, 32, None, (4096, 32, 10, 1)),
        ((2, 1, 1, 64), -1, 8, None, (1, 8, 8, 1)),
        ((0, 64, 9), 1, 8, None, (1, 8, 8, 9)),  # no samples
        ((2, 64, 0), 1, 8, None, (1, 8, 8, 1)),  # no positions: as if one, and never launched
        ((2, 0, 64), -1, 8, None, (1, 8, 8, 1)),
    ],
)
def test_five_sizes(
    shape: tuple[int | None, ...], axis: int | tuple[int, ...], groups: int, order: tuple[int, ...] | None, five: tuple[int, ...]
) -> None:
    assert sizes(shape, axis, groups, order) == five


def test_shapes_that_reduce_to_one_problem() -> None:
    def problem(shape: tuple[int, ...], axis: int, order: tuple[int, ...] | None = None) -> object:
        return specialize(GroupNormSpec(groups=8, axis=axis), shape, order=order)[0]

    assert problem((2, 64, 6, 7), 1) == problem((2, 64, 42), 1) == problem((2, 64, 2, 3, 7), -4) == problem((2, 6, 7, 64), -1, (0, 3, 1, 2))
    assert problem((2, 6, 7, 64), -1) == problem((2, 42, 64), 2) == problem((2, 64, 6, 7), 1, (0, 2, 3, 1))


def test_the_numbers_of_a_problem() -> None:
    p, layout = specialize(GroupNormSpec(groups=4, axis=2, epsilon=1e-5), (3, 5, 8, 7), "float64", outputs=("rstd", "y"))
    assert (p.batch, p.channels, p.sample, p.group, p.bits, p.sample_bytes) == (3, 8, 280, 70, 64, 2240)
    assert (p.kind, p.epsilon, p.outputs) == ("f64", 1e-5, ("y", "rstd"))
    assert (layout.shape, layout.axes, layout.order, layout.features, layout.copied) == ((3, 5, 8, 7), (2,), (0, 1, 2, 3), (8,), "")
    assert specialize(GroupNormSpec(groups=4, axis=(3, 1)), (3, 5, 8, 4))[1].features == (5, 4)


@pytest.mark.parametrize(
    ("shape", "axis", "order", "why"),
    [
        ((2, 4, 6, 5), (1, -1), None, "the feature axes (1, 3) do not follow each other in memory (order (0, 1, 2, 3))"),
        ((2, 6, 5), 1, (2, 1, 0), "the batch is not the outermost axis in memory (order (2, 1, 0))"),
        ((None, 6, 5), 1, (1, 0, 2), "the batch is not the outermost axis in memory (order (1, 0, 2))"),
        ((2, 6, 5), (1, 2), (0, 2, 1), "the feature axes (1, 2) do not follow each other in memory (order (0, 2, 1))"),
    ],
)
def test_what_has_to_be_copied_and_why(
    shape: tuple[int | None, ...], axis: int | tuple[int, ...], order: tuple[int, ...] | None, why: str
) -> None:
    spec = GroupNormSpec(groups=2, axis=axis)
    _, layout = specialize(spec, shape, order=order)
    assert layout.copied == why
    assert layout.order[: 1 + len(layout.axes)] == (0, *layout.axes)
    assert f"copies    x is copied: {why}" in gngen.compile(spec, shape, order=order, target="reference").explain().splitlines()


def test_halves_are_computed_in_float32() -> None:
    spec = GroupNormSpec(groups=4, axis=1)
    for dtype, kind in (("float16", "f16"), ("bfloat16", "bf16"), (np.float16, "f16"), (ml_dtypes.bfloat16, "bf16")):
        p, _ = specialize(spec, (2, 8, 6), dtype)
        assert (p.kind, p.data, p.parameters, p.bits) == ("f32", kind, kind, 32)
        assert (p.item_bytes, p.sample_bytes) == (2, 96)
        assert p.name == f"gn_{kind}_o1_g4_c2_i6"
        assert specialize(spec, (2, 8, 6), dtype, param_dtype="float32")[0] == replace(p, parameters="f32")
        assert specialize(spec, (2, 8, 6), dtype, param_dtype=dtype)[0] == p
    plain = GroupNormSpec(groups=4, axis=1, center=False, scale=False)
    assert specialize(plain, (2, 8, 6), "float16", param_dtype="float32") == specialize(plain, (2, 8, 6), "float16"), "no parameters"


@pytest.mark.parametrize("shape", [(2, 8, 30_000), (2, 3, 8, 3000), (2, 5000, 24), (2, 40_000, 320)])
def test_halves_are_cut_into_the_blocks_of_float32(shape: tuple[int, ...]) -> None:
    """And summed in its order; but bfloat16 by pairs, where a group has whole pairs of columns."""
    spec = GroupNormSpec(groups=8, axis={30_000: 1, 3000: 2}.get(shape[-1], -1))
    single = summation(specialize(spec, shape)[0], 16)
    assert summation(specialize(spec, shape, "float16")[0], 16) == single
    by_pairs = summation(specialize(spec, shape, "bfloat16")[0], 16)
    assert by_pairs == (replace(single, per=2) if shape[-1] == 320 else single)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"dtype": "complex64"},
            "dtype complex64 has no kernel; choose from float32, float64, float16, bfloat16",
        ),
        ({"dtype": "foo"}, "dtype foo has no kernel; choose from float32, float64, float16, bfloat16"),
        ({"dtype": int}, "dtype int64 has no kernel; choose from float32, float64, float16, bfloat16"),
        ({"param_dtype": "float64"}, "param_dtype float64 does not go with dtype float32; choose from float32"),
        ({"param_dtype": "bfloat16"}, "param_dtype bfloat16 does not go with dtype float32; choose from float32"),
        (
            {"dtype": "bfloat16", "param_dtype": "float16"},
            "param_dtype float16 does not go with dtype bfloat16; choose from bfloat16, float32",
        ),
        ({"dtype": "float16", "param_dtype": "int8"}, "dtype int8 has no kernel; choose from float32, float64, float16, bfloat16"),
        ({"shape": (2, -8, 4)}, "a size is at least 0; received the shape (2, -8, 4)"),
        ({"shape": (2, 8.0, 4)}, "a shape is a list of sizes, None for a batch that varies; received (2, 8.0, 4)"),
        ({"shape": "284"}, "a shape is a list of sizes, None for a batch that varies; received '284'"),
        ({"shape": 8}, "a shape is a list of sizes, None for a batch that varies; received 8"),
        (
            {"shape": (2, 8, None)},
            "only the batch, axis 0, may be None when a kernel is compiled; axis 2 of (2, 8, None) is None too",
        ),
        ({"order": (0, 1)}, "order names each of the axes 0..2 once, outermost first; received (0, 1)"),
        ({"order": (0, 1, 1)}, "order names each of the axes 0..2 once, outermost first; received (0, 1, 1)"),
        ({"outputs": ("mean",)}, "outputs are y and, after it, any of sum, mean, rstd, each once; received ('mean',)"),
        ({"outputs": ("y", "var")}, "outputs are y and, after it, any of sum, mean, rstd, each once; received ('y', 'var')"),
        ({"outputs": ("y", "y")}, "outputs are y and, after it, any of sum, mean, rstd, each once; received ('y', 'y')"),
    ],
)
def test_arguments_that_do_not_go_together(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(SpecError) as e:
        specialize(GroupNormSpec(groups=4, axis=1), **{"shape": (2, 8, 4), **arguments})  # type: ignore[arg-type]
    assert str(e.value) == words


def test_the_order_of_the_checks() -> None:
    """The axis, then whether it is defined, then more groups than channels, then whether they divide."""
    spec = GroupNormSpec(groups=32, axis=7)
    for shape, words in (
        ((4,), "group normalisation needs a batch axis"),
        ((2, None, 48), "axis 7 is out of range"),
    ):
        with pytest.raises(SpecError, match=rf"^{words}"):
            specialize(spec, shape)
    spec = GroupNormSpec(groups=32, axis=-1)
    for last, words in (
        (None, r"Axis -1 of input tensor should have a defined dimension but the layer received an input with shape \(2, 4, None\)\.$"),
        (3, r"Number of groups \(32\) cannot be more than the number of channels \(3\)\."),
        (48, r"Number of groups \(32\) must be a multiple of the number of channels \(48\)\."),
    ):
        with pytest.raises(SpecError, match=rf"^{words}"):
            specialize(spec, (2, 4, last))
    with pytest.raises(SpecError, match=r"^dtype int8"):
        specialize(spec, (2, 4, 48), "int8")


@pytest.mark.parametrize(
    ("shape", "order"),
    [
        ((2, 3, 4), (0, 1, 2)),
        ((2, 3, 4), (2, 1, 0)),
        ((2, 3, 4), (0, 2, 1)),
        ((2, 3, 4, 5), (0, 2, 3, 1)),
        ((2, 3, 4, 5, 6), (3, 1, 4, 0, 2)),
    ],
)
def test_the_memory_order_of_a_dense_array(shape: tuple[int, ...], order: tuple[int, ...]) -> None:
    x = np.empty([shape[a] for a in order], "float32").transpose(np.argsort(order))
    assert x.shape == shape
    assert memory_order(x.shape, x.strides, x.itemsize) == order


def test_an_axis_of_one_element_lies_anywhere() -> None:
    assert memory_order((2, 1, 4), (16, 999, 4), 4) == (0, 1, 2)
    assert memory_order((1, 8, 5, 5), (7, 4, 160, 32), 4) == (0, 2, 3, 1)


@pytest.mark.parametrize(
    "x",
    [
        np.empty((4, 6))[::2],
        np.empty((4, 6))[:, ::2],
        np.empty((4, 6))[:, ::-1],
        np.broadcast_to(np.empty(6), (4, 6)),
        np.empty((4, 6))[:, 1:],
    ],
    ids=["rows", "columns", "backwards", "broadcast", "cut"],
)
def test_an_array_with_gaps_has_no_memory_order(x: np.ndarray) -> None:
    assert memory_order(x.shape, x.strides, x.itemsize) is None
