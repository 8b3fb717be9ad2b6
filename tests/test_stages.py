"""The stages: together they are the whole, and of parts of a sample as good as the whole of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from strategies import Array, assert_equal, assert_right, need_backend, oracle
from test_backward import Case

import gngen
from gngen import stages
from gngen.errors import LaunchError, SpecError, TargetError
from gngen.problem import STAGES

# By runs, of one block and of several; by rows, of whole vectors and not; an axis in the middle; dense.
SHAPES = (
    ((2, 32, 24, 24), 8, 1),
    ((1, 4, 210, 210), 2, 1),
    ((2, 5, 12, 70), 4, 2),
    ((2, 24, 24, 32), 8, -1),
    ((3, 7, 11, 6), 3, -1),
    ((5, 64), 8, -1),
)
# The other types, of runs of several blocks that end within a vector, and of rows.
KINDS = (("float64", None, "far"), ("bfloat16", "gelu", "normal"), ("float16", None, "offset"))
CASES = [pytest.param(*shape, "float32", "silu", "far", marks=pytest.mark.slow if i in (0, 3) else ()) for i, shape in enumerate(SHAPES)]
CASES += [(*SHAPES[1], *KINDS[0]), (*SHAPES[4], *KINDS[1]), (*SHAPES[1], *KINDS[2])]
CASES += [pytest.param(*SHAPES[at], *KINDS[i], marks=pytest.mark.slow) for at, i in ((4, 0), (1, 1), (4, 2))]


def compiled(case: Case, target: str, shape: tuple[int | None, ...], direction: str, stage: str) -> Any:
    return gngen.compile(case.spec, shape, case.dtype, target, direction=direction, stage=stage)


def in_stages(case: Case, target: str, places: list[slice], axis: int) -> tuple[Array, tuple[Array, Array | None, Array | None]]:
    """y and the gradients of a sample cut along an axis, each part by kernels of its own."""
    lead = (slice(None),) * axis
    parts = [(np.ascontiguousarray(case.x[(*lead, at)]), np.ascontiguousarray(case.dy[(*lead, at)])) for at in places]
    own = (case.gamma, case.beta)
    counts = [x[0].size // case.spec.groups for x, _ in parts]
    moments = [compiled(case, target, x.shape, "forward", "moments")(x) for x, _ in parts]
    stats = stages.merge_moments(zip(counts, moments, strict=True), case.spec.epsilon)
    y = [compiled(case, target, x.shape, "forward", "apply")(x, stats, *own) for x, _ in parts]
    sums = [compiled(case, target, x.shape, "backward", "sums")(dy, x, stats, *own) for x, dy in parts]
    shares, dgamma, dbeta = (None if each[0] is None else sum(each) for each in zip(*sums, strict=True))
    assert isinstance(shares, np.ndarray)
    slopes = stages.find_slopes(stats, shares, sum(counts))
    dx = [compiled(case, target, x.shape, "backward", "apply")(dy, x, stats, slopes, *own) for x, dy in parts]
    return np.concatenate(y, axis), (np.concatenate(dx, axis), dgamma, dbeta)


def check(case: Case, target: str, places: list[slice], axis: int) -> Array:
    y, gradients = in_stages(case, target, places, axis)
    assert_right(y, oracle(case.x, case.gamma, case.beta, case.spec), case.dtype)
    case.judge(*gradients)
    return y


@pytest.mark.parametrize(("shape", "groups", "axis", "dtype", "activation", "data"), CASES)
def test_together_they_are_the_whole(shape: tuple[int, ...], groups: int, axis: int, dtype: str, activation: str | None, data: str) -> None:
    """Of a whole sample the same bits, since the order of summation is the problem's."""
    need_backend("c")
    case = Case(shape, groups, axis, dtype, data, activation=activation)
    y = check(case, "c", [slice(None)], 1)
    assert_equal(y, gngen.compile(case.spec, shape, dtype, "c")(case.x, case.gamma, case.beta))


@pytest.mark.parametrize(("target", "shape", "groups", "axis"), [("reference", (3, 7, 11, 6), 3, -1), ("numba-cpu", (2, 6, 9, 40), 3, 1)])
def test_other_backends(target: str, shape: tuple[int, ...], groups: int, axis: int) -> None:
    need_backend(target)
    case = Case(shape, groups, axis, activation="silu", data="far")
    y = check(case, target, [slice(None)], 1)
    assert_equal(y, gngen.compile(case.spec, shape, "float32", target)(case.x, case.gamma, case.beta))


@pytest.mark.parametrize("flags", [{"scale": False}, {"center": False}, {"scale": False, "center": False}])
def test_without_parameters(flags: dict[str, bool]) -> None:
    case = Case((2, 5, 9, 12), 3, -1, activation="silu", **flags)
    check(case, "reference", [slice(0, 2), slice(2, None)], 1)


@pytest.mark.parametrize("data", ["far", "outlier", "constant"])
@pytest.mark.parametrize(("shape", "groups", "axis", "cut"), [((2, 8, 30, 20), 4, 1, 2), ((2, 30, 20, 24), 4, -1, 1)])
def test_parts(shape: tuple[int, ...], groups: int, axis: int, cut: int, data: str) -> None:
    """Uneven, and one of nothing."""
    need_backend("c")
    places = [slice(0, 0), slice(0, 7), slice(7, 8), slice(8, None)]
    y = check(Case(shape, groups, axis, data=data, epsilon=1e-5), "c", places, cut)
    case = Case(shape, groups, axis, data=data, epsilon=0.0)
    if data == "constant":
        assert case.beta is not None
        y, _ = in_stages(case, "c", places, cut)
        assert_equal(y, np.broadcast_to(case.beta.reshape((-1, 1, 1) if axis == 1 else (-1,)), shape))


def test_what_is_not_finite_spoils_its_own_group() -> None:
    case = Case((2, 8, 10, 6), 4, 1)
    case.x[0, 0, 9, 0] = np.inf
    y, gradients = in_stages(case, "reference", [slice(0, 4), slice(4, None)], 2)
    for found in (y, gradients[0]):
        assert np.isnan(found[0, :2]).all()
        assert np.isfinite(found[0, 2:]).all()
        assert np.isfinite(found[1]).all()


def test_threads_and_batch_change_no_bit() -> None:
    need_backend("c")
    case = Case((3, 16, 40, 40), 4, 1, activation="silu")
    answers = []
    for threads in (1, 2, 3):
        gngen.set_num_threads(threads)
        y, gradients = in_stages(case, "c", [slice(None)], 1)
        answers.append([y, *gradients])
    for others in answers[1:]:
        for a, b in zip(answers[0], others, strict=True):
            assert_equal(a, b)
    kernel = compiled(case, "c", (None, *case.x.shape[1:]), "forward", "moments")
    assert_equal(kernel(case.x)[1:2], kernel(case.x[1:2]))


def test_moments_are_one_kernel_for_all_specs() -> None:
    case = Case((2, 8, 9), 4, 1)
    others = replace(case.spec, epsilon=0.1, scale=False, center=False, activation="silu")
    digests = {gngen.compile(spec, (2, 8, 9), target="reference", stage="moments").digest for spec in (case.spec, others)}
    assert len(digests) == 1


def test_merged_in_order() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(1e4, 1, (2, 3, n)) for n in (5, 1, 40)]
    moments = [(p.shape[-1], np.stack([p.mean(-1), p.var(-1) * p.shape[-1]], -1)) for p in parts]
    before = [m.copy() for _, m in moments]
    stats = stages.merge_moments(moments, 1e-3)
    whole = np.concatenate(parts, -1)
    np.testing.assert_allclose(stats[..., 0], whole.mean(-1), rtol=1e-15)
    np.testing.assert_allclose(stats[..., 1], 1 / np.sqrt(whole.var(-1) + 1e-3), rtol=1e-12)
    for (_, now), then in zip(moments, before, strict=True):
        assert_equal(now, then)
    assert_equal(stages.merge_moments([(0, np.zeros((1, 2, 2)))], 1e-3), np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match="no part"):
        stages.merge_moments([], 1e-3)


# What is refused

SPEC = gngen.GroupNormSpec(groups=2, axis=1)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"stage": "sums"}, "stage 'sums' of a forward pass is not known; choose from '', 'moments', 'apply'"),
        ({"stage": "moments", "direction": "backward"}, "stage 'moments' of a backward pass is not known"),
        ({"stage": "apply", "outputs": ("y", "mean")}, "takes none"),
        ({"stage": "apply", "schedule": "group_resident", "target": "c"}, "all workers share a stage"),
        ({"stage": "apply", "spec": replace(SPEC, masked=True, residual=True)}, "residual and masked has no stages"),
        ({"stage": "apply", "target": "cuda:sm_90"}, "no kernels in stages"),
    ],
)
def test_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises((SpecError, TargetError), match=re.escape(words)):
        gngen.emit(**{"spec": SPEC, "shape": (2, 4, 9), "target": "reference", **asked})


def test_arrays_that_do_not_fit() -> None:
    case = Case((2, 4, 9), 2, 1)
    stats = np.zeros((2, 2, 2))
    kernel = compiled(case, "reference", case.x.shape, "forward", "apply")
    for wrong in (stats.astype(np.float32), stats[:1], stats[..., 0]):
        with pytest.raises(LaunchError, match="this kernel takes float64 of shape"):
            kernel(case.x, wrong, case.gamma, case.beta)
    with pytest.raises(LaunchError, match="gamma is missing"):
        kernel(case.x, stats, None, case.beta)
    kernel = compiled(case, "reference", (None, 4, 9), "backward", "sums")
    with pytest.raises(LaunchError, match="x has a batch of 2"):
        kernel(case.dy[:1], case.x, stats, case.gamma)


def test_written_where_asked() -> None:
    case = Case((2, 4, 9), 2, 1)
    stats = np.ones((2, 2, 2))
    kernel = compiled(case, "reference", case.x.shape, "forward", "apply")
    y = kernel(case.x, stats, case.gamma, case.beta)
    strided = np.empty((2, 4, 18), np.float32)[..., ::2]
    assert kernel(case.x, stats, case.gamma, case.beta, strided) is strided
    assert_equal(strided.copy(), y)


def test_every_stage_has_a_kernel() -> None:
    assert {(d, s) for d, names in STAGES.items() for s in names if s} == set(stages.STAGE_KERNELS)
