"""The backward pass: the definition against differences, every kernel against the definition, and the contract's exact items."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from strategies import Array, assert_equal, fill, need_backend

import gngen
from gngen import reference
from gngen.backward import BackwardKernel
from gngen.backwardschedule import BACKWARD, misfit
from gngen.errors import LaunchError, SpecError, TargetError
from gngen.problem import specialize
from gngen.spec import ACTIVATIONS, GroupNormSpec

# What is allowed, in units of the sizes of the terms that are added.
LIMITS = {"float32": 1e-5, "float64": 1e-13, "float16": 1e-5, "bfloat16": 1e-5}
# Half a unit of the last place.
ROUNDING = {"float32": 0.0, "float64": 0.0, "float16": 2.0**-11, "bfloat16": 2.0**-8}
# Below the smallest normal, the distance of neighbours.
TINY = {"float32": 0.0, "float64": 0.0, "float16": 2.0**-24, "bfloat16": 2.0**-133}

# By runs and by rows; of one block and of several; whole vectors and not; an axis in the middle; tiny; dense.
SHAPES = (
    ((2, 32, 24, 24), 8, 1),
    ((3, 6, 7, 11), 3, 1),
    ((1, 4, 210, 210), 2, 1),
    ((2, 5, 12, 70), 4, 2),
    ((2, 24, 24, 32), 8, -1),
    ((3, 7, 11, 6), 3, -1),
    ((2, 9, 9, 20), 20, -1),
    ((1, 3, 100, 3), 1, -1),
    ((5, 64), 8, -1),
    ((4, 16, 3, 3), 16, 1),
)


class Case:
    """Arrays of one backward problem, and how gradients of it are judged."""

    def __init__(self, shape: tuple[int, ...], groups: int, axis: int, dtype: str = "float32", data: str = "normal", **flags: Any) -> None:
        self.spec = GroupNormSpec(**{"groups": groups, "axis": axis, "epsilon": 1e-5, **flags})
        self.dtype = dtype
        rng = np.random.default_rng(1)
        self.x = fill(data, shape, dtype)
        self.dy = (rng.standard_normal(shape) + 0.5).astype(dtype)
        chans = shape[axis]
        self.gamma = rng.standard_normal(chans).astype(dtype) if self.spec.scale else None
        self.beta = rng.standard_normal(chans).astype(dtype) if self.spec.center else None

    def statistics(self, target: str) -> tuple[Array, Array]:
        kernel = gngen.compile(self.spec, self.x.shape, self.dtype, target, ("y", "mean", "rstd"))
        return kernel(self.x, self.gamma, self.beta)[1:]

    def kernel(self, target: str, schedule: Any = None, any_batch: bool = False) -> Any:
        shape = (None, *self.x.shape[1:]) if any_batch else self.x.shape
        return gngen.compile(self.spec, shape, self.dtype, target, schedule=schedule, direction="backward")

    def run(self, target: str, schedule: Any = None) -> tuple[Any, Any, Any]:
        return self.kernel(target, schedule)(self.dy, self.x, *self.statistics(target), self.gamma, self.beta)

    def wide(self) -> list[Array | None]:
        kind = np.longdouble if self.dtype == "float64" else np.float64
        return [None if a is None else np.asarray(a, kind) for a in (self.dy, self.x, self.gamma, self.beta)]

    def judge(self, dx: Array, dgamma: Array | None, dbeta: Array | None) -> None:
        """Complain of an error beyond the limit."""
        dy, x, gamma, beta = self.wide()
        assert dy is not None
        assert x is not None
        precise = self.dtype == "float64"
        exact = reference.group_norm_backward(dy, x, gamma, beta, self.spec, precise)
        for name, got, want, scale in zip(("dx", "dgamma", "dbeta"), (dx, dgamma, dbeta), exact, self.scales(dy, x, gamma), strict=True):
            if got is None:
                assert not {"dx": True, "dgamma": self.spec.scale, "dbeta": self.spec.center}[name]
                continue
            allowed = LIMITS[self.dtype] * scale + ROUNDING[self.dtype] * np.abs(want) * (1 + 1e-3) + TINY[self.dtype]
            over = np.abs(np.asarray(got, want.dtype) - want) / allowed
            assert np.all(over <= 1), f"{name} is {np.max(over):.3g} of what is allowed"

    def scales(self, dy: Array, x: Array, gamma: Array | None) -> list[Array]:
        """The sizes of the terms: those of dx of the elementwise formula, those of the parameters' of the sums."""
        plain = replace(self.spec, center=False, scale=False, activation=None)
        xhat, mean, rstd = reference.group_norm(x, None, None, plain, self.dtype == "float64")
        axis = self.spec.axes[0] % x.ndim
        lead = [1] * x.ndim
        lead[axis] = -1
        up = np.abs(dy) if gamma is None else np.abs(dy) * np.abs(gamma).reshape(lead)
        front = np.moveaxis(np.stack([up, up * np.abs(xhat), np.abs(xhat)]), axis + 1, 2)
        grouped = front.reshape(3, x.shape[0], self.spec.groups, -1)
        shares = grouped[:2].mean(-1, keepdims=True)
        total = (grouped[0] + shares[0] + grouped[2] * shares[1]) * rstd[:, :, None]
        distance = np.maximum(1, np.abs(mean) * rstd) if self.dtype == "float64" else np.ones_like(mean)
        own = (total * distance[:, :, None]).reshape(front.shape[1:])
        rest = tuple(a for a in range(x.ndim) if a != axis)
        most = float(np.max(distance))
        return [np.moveaxis(own, 1, axis), (np.abs(dy) * (1 + np.abs(xhat))).sum(rest) * most, np.abs(dy).sum(rest) * most]


# The definition


@pytest.mark.parametrize("activation", [None, *ACTIVATIONS])
def test_the_definition_is_the_derivative(activation: str | None) -> None:
    """Central differences of sum(dy * y), of every input."""
    rng = np.random.default_rng(3)
    x, dy = rng.standard_normal((2, 2, 6)), rng.standard_normal((2, 2, 6))
    gamma, beta = rng.standard_normal(6), rng.standard_normal(6)
    spec = GroupNormSpec(groups=3, epsilon=1e-3, activation=activation)
    found = reference.group_norm_backward(dy, x, gamma, beta, spec)
    step = 1e-6
    for which, array in enumerate((x, gamma, beta)):
        for at in np.ndindex(array.shape):
            sides = []
            for sign in (1, -1):
                own = [x.copy(), gamma.copy(), beta.copy()]
                own[which][at] += sign * step
                sides.append(np.sum(dy * reference.group_norm(own[0], own[1], own[2], spec)[0]))
            assert found[which][at] == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_derivatives_as_kernels_have_them(activation: str, kind: str) -> None:
    from test_vectormath import evaluate

    from gngen import vectormath

    x = np.concatenate([np.linspace(-40, 40, 20001), [0.0, -1e4, 1e4, -1e30, 1e30]]).astype(np.float32 if kind == "f32" else np.float64)
    got = evaluate([vectormath.derivative(activation, kind, 1)], x)
    with np.errstate(all="ignore"):
        want = reference.derivative(x.astype(np.longdouble) if activation != "gelu" else x.astype(np.float64), activation)
    far = np.abs(x) > 1e3
    want[far] = {"relu": x[far] > 0, "sigmoid": 0, "tanh": 0}.get(activation, x[far] > 0)
    assert np.max(np.abs(got - want)) <= (2e-6 if kind == "f32" else 2e-14)


# Kernels against the definition


@pytest.mark.parametrize(("shape", "groups", "axis"), SHAPES)
@pytest.mark.parametrize("activation", [None, "silu"])
def test_c_agrees_with_the_definition(shape: tuple[int, ...], groups: int, axis: int, activation: str | None) -> None:
    case = Case(shape, groups, axis, activation=activation)
    case.judge(*case.run(need_backend("c")))


@pytest.mark.parametrize("data", ["offset", "far", "uniform", "outlier"])
@pytest.mark.parametrize("activation", [None, "gelu"])
@pytest.mark.parametrize(("shape", "groups", "axis"), [SHAPES[0], SHAPES[2], SHAPES[4]])
def test_c_agrees_on_every_data_set(data: str, activation: str | None, shape: tuple[int, ...], groups: int, axis: int) -> None:
    """Also where the mean that is given is off by a part of a standard deviation."""
    case = Case(shape, groups, axis, data=data, activation=activation)
    case.judge(*case.run(need_backend("c")))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation: str) -> None:
    for shape, groups, axis in (SHAPES[0], SHAPES[6]):
        case = Case(shape, groups, axis, activation=activation)
        case.judge(*case.run(need_backend("c")))


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
@pytest.mark.parametrize(("shape", "groups", "axis"), [SHAPES[0], SHAPES[1], SHAPES[4], SHAPES[5]])
def test_other_types(dtype: str, shape: tuple[int, ...], groups: int, axis: int) -> None:
    case = Case(shape, groups, axis, dtype, activation="silu")
    dx, dgamma, dbeta = case.run(need_backend("c"))
    assert dx.dtype == dgamma.dtype == dbeta.dtype == np.dtype(dtype)
    case.judge(dx, dgamma, dbeta)


@pytest.mark.parametrize(
    ("shape", "groups", "axis", "dtype"),
    [
        (*SHAPES[1], "float32"),
        pytest.param(*SHAPES[0], "bfloat16", marks=pytest.mark.slow),
        pytest.param(*SHAPES[4], "float32", marks=pytest.mark.slow),
        pytest.param(*SHAPES[5], "bfloat16", marks=pytest.mark.slow),
    ],
)
def test_numba_has_the_same_bits(shape: tuple[int, ...], groups: int, axis: int, dtype: str, all_backends: None) -> None:
    case = Case(shape, groups, axis, dtype, activation="silu")
    for one, other in zip(case.run("c"), case.run("numba-cpu"), strict=True):
        assert_equal(one, other)


# Those with silu are kernels of c that other tests ask for too.
@pytest.mark.usefixtures("all_backends")
@pytest.mark.parametrize(
    ("shape", "groups", "axis", "dtype", "activation"),
    [
        *((*shape, "float32", "silu") for shape in SHAPES),
        *((*SHAPES[i], dtype, "silu") for i in (1, 4) for dtype in ("float64", "float16", "bfloat16")),
        *(pytest.param(*shape, dtype, "gelu", marks=pytest.mark.slow) for shape in SHAPES for dtype in LIMITS),
    ],
)
def test_llvm_has_the_same_bits(shape: tuple[int, ...], groups: int, axis: int, dtype: str, activation: str) -> None:
    case = Case(shape, groups, axis, dtype, activation=activation)
    for one, other in zip(case.run("c"), case.run("llvm"), strict=True):
        assert_equal(one, other)


def test_the_reference_is_a_target() -> None:
    for shape, groups, axis in (SHAPES[0], SHAPES[4], SHAPES[3]):
        case = Case(shape, groups, axis, activation="gelu")
        case.judge(*case.run("reference"))


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("activation", [None, "silu"])
def test_flags(scale: bool, center: bool, activation: str | None) -> None:
    for shape, groups, axis in (SHAPES[1], SHAPES[5]):
        case = Case(shape, groups, axis, scale=scale, center=center, activation=activation)
        found = case.run(need_backend("c"))
        assert [f is None for f in found] == [False, not scale, not center]
        case.judge(*found)


def _judge_a_random_problem(data: st.DataObject) -> None:
    sizes = st.sampled_from([1, 2, 3, 5, 7, 8, 16, 17, 33, 65, 130])
    groups, chans = data.draw(st.sampled_from([1, 2, 3, 8, 17])), data.draw(st.sampled_from([1, 2, 3, 5, 16, 33]))
    outer, inner, batch = data.draw(sizes), data.draw(sizes), data.draw(st.integers(1, 4))
    shape = (batch, outer, groups * chans, inner)
    assume(math.prod(shape) <= 60_000)
    activation = data.draw(st.sampled_from([None, *ACTIVATIONS]))
    case = Case(shape, groups, 2, data.draw(st.sampled_from(["float32", "float16"])), activation=activation)
    case.judge(*case.run(need_backend("c")))


_random = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], derandomize=True)


@settings(_random, max_examples=12)
@given(st.data())
def test_random_odd_problems(data: st.DataObject) -> None:
    _judge_a_random_problem(data)


@pytest.mark.slow
@settings(_random, max_examples=120)
@given(st.data())
def test_many_random_odd_problems(data: st.DataObject) -> None:
    _judge_a_random_problem(data)


# The contract's exact items


@pytest.mark.parametrize(("shape", "groups", "axis"), [((3, 8, 90, 90), 4, 1), ((3, 30, 31, 24), 8, -1)])
def test_the_same_bits_however_it_is_split(shape: tuple[int, ...], groups: int, axis: int) -> None:
    """Threads, schedules, stores, and for dx the batch and the place in it."""
    case = Case(shape, groups, axis, data="far", activation="silu")
    target = need_backend("c")
    mean, rstd = case.statistics(target)
    problem, _ = specialize(case.spec, shape, direction="backward")
    names = [name for name in BACKWARD if not misfit(problem, name, 16)]
    assert len(names) >= 2
    first: Any = None
    for name in names:
        for numbers in (
            {},
            {"store": "streaming"},
            {"strip": 1, "rows": 2, "piece": 5000, "ahead": 300, "interleave": 1},
            {"by_sample": True, "ahead": 24, "interleave": 3},
        ):
            if "streaming" in numbers.values() and not gngen.target.parse_target("c").cpu.streaming_stores:
                continue
            kernel = case.kernel(target, {"name": name, "parallel_from": 0 if name == "serial_small" else 1, **numbers})
            for threads in (1, 2, 3, 8):
                gngen.set_num_threads(threads)
                found = kernel(case.dy, case.x, mean, rstd, case.gamma, case.beta)
                first = first or found
                for one, other in zip(found, first, strict=True):
                    assert_equal(one, other)
    alone = case.kernel(target, any_batch=True)
    for n in range(shape[0]):
        own = slice(n, n + 1)
        dx, _, _ = alone(case.dy[own], case.x[own], mean[own], rstd[own], case.gamma, case.beta)
        assert_equal(dx, first[0][own])


@pytest.mark.parametrize("poison", [math.nan, math.inf])
@pytest.mark.parametrize(("shape", "groups", "axis"), [SHAPES[0], SHAPES[4]])
def test_what_is_no_number_spoils_its_own_group(poison: float, shape: tuple[int, ...], groups: int, axis: int) -> None:
    case = Case(shape, groups, axis, activation="silu")
    clean, *_ = case.run(need_backend("c"))
    np.moveaxis(case.x, axis, 1)[1, 0, 2, 3] = poison
    spoilt, dgamma, dbeta = case.run("c")
    chans = shape[axis] // groups
    assert np.isnan(np.moveaxis(spoilt, axis, 1)[1, :chans]).all()
    np.moveaxis(clean, axis, 1)[1, :chans] = np.moveaxis(spoilt, axis, 1)[1, :chans] = 0
    assert_equal(clean, spoilt)
    assert np.isfinite(dgamma[chans:]).all()
    assert np.isfinite(dbeta[chans:]).all()


def test_a_constant_group_has_no_gradient_with_epsilon_0() -> None:
    case = Case((2, 8, 6, 6), 4, 1, epsilon=0.0)
    case.x[:] = 3
    dx, dgamma, _ = case.run(need_backend("c"))
    assert not dx.any()
    assert not dgamma.any()


# Calls


@pytest.mark.parametrize("target", ["c", "reference"])
def test_out_may_be_dy_or_x(target: str) -> None:
    need_backend(target)
    for name in ("dy", "x"):
        for shape, groups, axis in (SHAPES[0], SHAPES[4]):
            case = Case(shape, groups, axis)
            want, *_ = case.run(target)
            mean, rstd = case.statistics(target)
            out = getattr(case, name)
            dx, _, _ = case.kernel(target)(case.dy, case.x, mean, rstd, case.gamma, case.beta, out=out)
            assert dx is out
            assert_equal(dx, want)


def test_arrays_that_lie_otherwise_are_copied() -> None:
    case = Case((2, 12, 10, 14), 3, 1)
    kernel, (mean, rstd) = case.kernel(need_backend("c")), case.statistics("c")
    want = kernel(case.dy, case.x, mean, rstd, case.gamma)
    turned = np.ascontiguousarray(case.dy.transpose(0, 3, 2, 1)).transpose(0, 3, 2, 1)
    spread = np.broadcast_to(np.float32(1), case.x.shape)
    for one, other in zip(kernel(turned, case.x[:, :, ::-1, ::-1][:, :, ::-1, ::-1], mean.tolist(), rstd, case.gamma), want, strict=True):
        assert_equal(one, other)
    ones = kernel(np.ones_like(case.x), case.x, mean, rstd, case.gamma)
    for one, other in zip(kernel(spread, case.x, mean, rstd, case.gamma), ones, strict=True):
        assert_equal(one, other)
    assert "copied" in kernel.explain()


def test_a_kernel_for_an_array_as_it_lies() -> None:
    case = Case((2, 10, 14, 12), 3, -1)
    first = case.run(need_backend("c"))
    turned = [np.moveaxis(a, -1, 1) for a in (case.dy, case.x)]
    spec = replace(case.spec, axis=1)
    kernel = gngen.backward_for(spec, turned[1], case.gamma, target="c")
    assert isinstance(kernel, BackwardKernel)
    assert kernel is gngen.backward_for(spec, turned[1], case.gamma, target="c")
    dx, dgamma, dbeta = kernel(*turned, *case.statistics("c"), case.gamma)
    assert_equal(np.moveaxis(dx, 1, -1), first[0])
    assert_equal(dgamma, first[1])
    assert_equal(dbeta, first[2])


def test_several_axes_and_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, dy = (rng.standard_normal((3, 4, 6, 5), np.float32) for _ in range(2))
    gamma = rng.standard_normal((4, 6)).astype(np.float32)
    spec = GroupNormSpec(groups=8, axis=(1, 2), epsilon=1e-5)
    _, mean, rstd = gngen.compile(spec, x.shape, target="c", outputs=("y", "mean", "rstd"))(x, gamma, gamma)
    kernel = gngen.compile(spec, x.shape, target="c", direction="backward")
    dx, dgamma, dbeta = kernel(*(torch.from_numpy(a) for a in (dy, x, mean, rstd, gamma)))
    assert {type(a) for a in (dx, dgamma, dbeta)} == {torch.Tensor}
    assert dgamma.shape == (4, 6)
    leaf = torch.from_numpy(x).reshape(3, 24, 5).requires_grad_()
    torch.nn.functional.group_norm(leaf, 8, torch.from_numpy(gamma).reshape(-1), eps=1e-5).backward(torch.from_numpy(dy).reshape(3, 24, 5))
    torch.testing.assert_close(dx.reshape(3, 24, 5), leaf.grad, rtol=1e-4, atol=1e-5)


def test_an_empty_batch() -> None:
    spec = GroupNormSpec(groups=2, axis=1)
    for target in ("c", "reference"):
        need_backend(target)
        kernel = gngen.compile(spec, (None, 4, 3), target=target, direction="backward")
        none, stat, gamma = np.empty((0, 4, 3), np.float32), np.empty((0, 2), np.float32), np.ones(4, np.float32)
        dx, dgamma, dbeta = kernel(none, none, stat, stat, gamma)
        assert dx.shape == (0, 4, 3)
        assert not dgamma.any()
        assert not dbeta.any()


def test_arrays_that_do_not_fit() -> None:
    case = Case((2, 12, 5, 5), 3, 1, activation="silu")
    kernel, (mean, rstd) = case.kernel(need_backend("c")), case.statistics("c")
    given = (case.dy, case.x, mean, rstd, case.gamma, case.beta)
    out = np.full(case.x.shape, 7, np.float32)
    for at, wrong, sentence in (
        (0, case.dy[:, :, :4], "dy has shape (2, 12, 4, 5); this kernel was compiled for (2, 12, 5, 5)"),
        (1, case.x.astype(np.float64), "x is float64; this kernel was compiled for float32"),
        (2, mean[:, :2], "mean is float32 of shape (2, 2); this kernel takes float32 of shape (2, 3)"),
        (3, rstd[:1], "rstd is float32 of shape (1, 3); this kernel takes float32 of shape (2, 3)"),
        (4, None, "gamma is missing; this kernel takes one of shape (12,)"),
        (5, None, "beta is missing; this kernel takes one of shape (12,)"),
        (5, np.ones(11, np.float32), "beta has shape (11,); this kernel takes (12,)"),
    ):
        arguments = [*given]
        arguments[at] = wrong
        with pytest.raises(LaunchError, match=f"^{re.escape(sentence)}"):
            kernel(*arguments, out=out)
    assert (out == 7).all()


def test_what_has_no_backward_kernel() -> None:
    spec = GroupNormSpec(groups=4, axis=1)
    shape = (2, 8, 4, 4)
    with pytest.raises(SpecError, match=r"^direction 'back' is not known; choose from forward, backward$"):
        gngen.compile(spec, shape, direction="back")
    with pytest.raises(SpecError, match=r"^a spec with modulation and masked has no backward kernel: leave it out"):
        gngen.compile(replace(spec, modulation=True, masked=True), shape, direction="backward")
    with pytest.raises(SpecError, match=r"^a backward kernel writes dx, dgamma and dbeta, and takes no outputs; received \('y', 'mean'\)$"):
        gngen.compile(spec, shape, outputs=("y", "mean"), direction="backward")
    with pytest.raises(TargetError, match=r"^cuda:sm_90 is a GPU, which has no backward kernels; choose a CPU's: c, numba-cpu"):
        gngen.emit(spec, shape, target="cuda:sm_90", direction="backward")
    with pytest.raises(SpecError, match=r"^schedule micro does not fit: it has no backward pass; choose from serial_small, group_"):
        gngen.emit(spec, shape, target="c", direction="backward", schedule="micro")


def test_a_residual_makes_no_difference() -> None:
    case = Case((2, 12, 5, 5), 3, 1)
    with_residual = gngen.compile(replace(case.spec, residual=True), case.x.shape, target="c", direction="backward")
    given = (case.dy, case.x, *case.statistics("c"), case.gamma)
    for one, other in zip(with_residual(*given), case.kernel("c")(*given), strict=True):
        assert_equal(one, other)
