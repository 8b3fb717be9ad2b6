"""Arrays of a kernel in numba's CUDA simulator: numba's device arrays where they lie, numpy's moved there and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import cuda
from strategies import Array, assert_equal, assert_right, companions, fill, oracle, parameters

import gngen
from gngen.errors import LaunchError
from gngen.spec import GroupNormSpec

SPEC = GroupNormSpec(groups=2, axis=1)
SHAPE = (1, 4, 60)
TARGET = "numba-cuda:sm_90"
DEVICE_ARRAY = type(cuda.to_device(np.zeros(1)))


def arrays(spec: GroupNormSpec = SPEC) -> tuple[Array, Array, Array]:
    gamma, beta = parameters(SHAPE, spec, "float32")
    assert gamma is not None
    assert beta is not None
    return fill("normal", SHAPE, "float32"), gamma, beta


def moved(*given: Array) -> list[Any]:
    return [cuda.to_device(a) for a in given]


def placed_at(shift: int, a: Array) -> Any:
    """A device array that begins so many elements after a multiple of 16 bytes."""
    flat = np.empty(a.size + 16, a.dtype)
    start = -flat.ctypes.data % 16 // a.itemsize + shift
    there = flat[start : start + a.size].reshape(a.shape)
    there[...] = a
    return DEVICE_ARRAY(there)


def test_device_arrays_are_taken_where_they_lie() -> None:
    kernel = gngen.compile(SPEC, SHAPE, target=TARGET, outputs=("y", "mean", "rstd"))
    x, gamma, beta = arrays()
    right = oracle(x, gamma, beta, SPEC)
    y, mean, rstd = kernel(*moved(x, gamma, beta))
    assert all(type(a) is DEVICE_ARRAY for a in (y, mean, rstd))
    assert_right(y.copy_to_host(), right, "float32")
    assert tuple(mean.shape) == (1, 2)
    there, same = cuda.to_device(x), cuda.to_device(np.full_like(x, np.nan))
    assert kernel(there, *moved(gamma, beta), out=same)[0] is same
    assert_equal(same.copy_to_host(), y.copy_to_host())
    assert_equal(there.copy_to_host(), x)
    assert kernel(there, *moved(gamma, beta), out=there)[0] is there
    assert_equal(there.copy_to_host(), y.copy_to_host())
    assert kernel.launcher.copies == kernel.launcher.moves == 0
    assert "copies" not in kernel.explain()
    assert "calls moved" not in kernel.explain()


def test_fused_forms_on_the_device() -> None:
    spec = GroupNormSpec(groups=2, axis=1, residual=True, modulation=True, masked=True)
    kernel = gngen.compile(spec, SHAPE, target=TARGET, outputs=("y", "sum"))
    x, gamma, beta = arrays(spec)
    fused = companions(SHAPE, spec, "float32")
    right = oracle(x, gamma, beta, spec, **fused)
    stream = cuda.to_device(fused["residual"])
    pair = tuple(moved(*fused["modulation"]))
    y, total = kernel(
        *moved(x, gamma, beta), residual=stream, modulation=pair, mask=cuda.to_device(np.ascontiguousarray(fused["mask"])), sum_out=stream
    )
    assert_right(y.copy_to_host(), right, "float32")
    assert total is stream
    assert_equal(stream.copy_to_host(), x + fused["residual"])
    assert kernel.launcher.moves == 1, "a mask of bools went through the host"
    assert "the last because mask is bool and is converted to float32; FakeCUDAArray has no conversions" in kernel.explain()


def test_numpy_arrays_are_moved_there_and_back() -> None:
    kernel = gngen.compile(SPEC, (None, *SHAPE[1:]), target=TARGET)
    x, gamma, beta = arrays()
    right = oracle(x, gamma, beta, SPEC)
    y = kernel(x, gamma, beta)
    assert type(y) is np.ndarray
    assert_right(y, right, "float32")
    mixed = kernel(cuda.to_device(x), gamma, beta)
    assert type(mixed) is DEVICE_ARRAY
    assert_equal(mixed.copy_to_host(), y)
    out = np.empty_like(x)
    assert kernel(*moved(x, gamma, beta), out=out) is out
    assert_equal(out, y)
    assert "note      3 calls moved numpy arrays to the GPU, or answers back" in kernel.explain()
    assert not kernel.launcher.memory._taken, "what was moved is freed"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("apart", "the last because x has strides (1920, 480, 8), which the kernel does not read; FakeCUDAArray has no conversions"),
        ("shifted", "the last because it begins 4 bytes after a multiple of 16; FakeCUDAArray has no conversions"),
        ("whole", "the last because x is int32 and is converted to float32; FakeCUDAArray has no conversions"),
    ],
)
def test_arrays_that_lie_otherwise_are_copied(place: str, why: str) -> None:
    kernel = gngen.compile(SPEC, SHAPE, target=TARGET, param_dtype=None)
    x, gamma, beta = arrays()
    if place == "apart":
        given = DEVICE_ARRAY(np.repeat(x, 2, axis=2)[:, :, ::2])
    elif place == "whole":
        x = np.round(x * 4).astype("int32")
        given = cuda.to_device(x)
    else:
        given = placed_at(1, x)
    before = kernel.launcher.copies
    y = kernel(given, *moved(gamma, beta))
    assert type(y) is DEVICE_ARRAY
    assert_right(y.copy_to_host(), oracle(x.astype("float32"), gamma, beta, SPEC), "float32")
    assert kernel.launcher.copies == before + 1
    assert why in kernel.explain()


X, GAMMA, BETA = arrays()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x": cuda.to_device(X[:, :2])}, "x has shape (1, 2, 60); this kernel was compiled for (1, 4, 60)"),
        ({"x": cuda.to_device(X.astype("float64"))}, "x is float64; this kernel was compiled for float32"),
        ({"gamma": None}, "gamma is missing; this kernel takes one of shape (4,)"),
        ({"gamma": cuda.to_device(GAMMA[:3])}, "gamma has shape (3,); this kernel takes (4,)"),
        ({"beta": cuda.to_device(BETA.astype("complex64"))}, "beta is complex64; this kernel takes float32"),
        ({"residual": cuda.to_device(X)}, "residual is given, and this kernel was compiled without: residual=False"),
        (
            {"out": cuda.to_device(X.astype("float64"))},
            "out is float64 of shape (1, 4, 60); this kernel writes float32 of shape (1, 4, 60)",
        ),
        (
            {"out": DEVICE_ARRAY(np.empty((1, 4, 120), "float32")[..., ::2])},
            "out has strides (1920, 480, 8); this kernel writes (960, 240, 4)",
        ),
    ],
)
def test_arrays_that_do_not_fit(changed: dict[str, Any], words: str) -> None:
    kernel = gngen.compile(SPEC, SHAPE, target=TARGET)
    arguments = {"x": cuda.to_device(X), "gamma": cuda.to_device(GAMMA), "beta": cuda.to_device(BETA), **changed}
    with pytest.raises(LaunchError) as e:
        kernel(**arguments)
    assert str(e.value) == words


def test_out_that_is_not_aligned_is_written() -> None:
    out = placed_at(1, np.zeros(SHAPE, "float32"))
    assert gngen.compile(SPEC, SHAPE, target=TARGET)(*moved(X, GAMMA, BETA), out=out) is out
    assert_right(out.copy_to_host(), oracle(X, GAMMA, BETA, SPEC), "float32")


def test_scratch_arrays_are_kept() -> None:
    kernel = gngen.compile(SPEC, (None, 4, 150), target=TARGET, schedule={"name": "coop", "split": 2})
    x = fill("normal", (2, 4, 150), "float32")
    taken = kernel.launcher.memory._taken
    kernel(*moved(x[:1], GAMMA, BETA))
    small = set(taken)
    kernel(*moved(x[:1], GAMMA, BETA))
    assert set(taken) == small
    y = kernel(*moved(x, GAMMA, BETA))
    assert len(taken) == len(small) == 1
    assert_right(y.copy_to_host(), oracle(x, GAMMA, BETA, SPEC), "float32")


def test_nothing_in_nothing_out() -> None:
    kernel = gngen.compile(SPEC, (None, *SHAPE[1:]), target=TARGET, outputs=("y", "mean"))
    y, mean = kernel(DEVICE_ARRAY(X[:0]), *moved(GAMMA, BETA))
    assert tuple(y.shape) == (0, 4, 60)
    assert tuple(mean.shape) == (0, 2)


def test_group_norm_and_the_layer() -> None:
    right = oracle(X, GAMMA, BETA, SPEC)
    for target in ("auto", TARGET):
        y = gngen.group_norm(*moved(X, GAMMA, BETA), groups=2, axis=1, target=target)
        assert type(y) is DEVICE_ARRAY
        assert_right(y.copy_to_host(), right, "float32")
    layer = gngen.GroupNormalization(groups=2, axis=1, target=TARGET)
    for given in (X, cuda.to_device(X)):
        answer = layer(given)
        assert type(answer) is type(given)
        plain = answer if answer is not given and isinstance(answer, np.ndarray) else answer.copy_to_host()
        assert_right(plain, oracle(X, np.ones(4, "float32"), np.zeros(4, "float32"), SPEC), "float32")
    assert "note      2 calls moved" in layer.explain(), "its weights are numpy's"
