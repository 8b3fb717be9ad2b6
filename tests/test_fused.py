"""What is fused into the norm's passes: residual, modulation and mask, each alone and together, on every layout and schedule."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from strategies import (
    Array,
    assert_equal,
    assert_right,
    assert_stat_right,
    companions,
    fill,
    fitting,
    need_backend,
    oracle,
    padded,
    parameters,
    placed,
)

import gngen
from gngen import fastcall, reference
from gngen.errors import LaunchError, SpecError
from gngen.launcher import Launcher
from gngen.problem import FUSED, specialize
from gngen.schedule import SCHEDULES
from gngen.spec import GroupNormSpec
from gngen.target import load_machine

FORMS = [tuple(compress) for n in range(1, 4) for compress in itertools.combinations(FUSED, n)]
ALL = FORMS[-1]


@dataclass(frozen=True)
class Layer:
    """A layout, small, and of more than one block of summation where the name does not say otherwise."""

    name: str
    shape: tuple[int, ...]
    axis: int | tuple[int, ...]
    groups: int
    dtype: str = "float32"

    def __str__(self) -> str:
        return self.name

    def spec(self, forms: tuple[str, ...], **changed: Any) -> GroupNormSpec:
        return GroupNormSpec(**{"groups": self.groups, "axis": self.axis, **dict.fromkeys(forms, True), **changed})

    def outputs(self, spec: GroupNormSpec) -> tuple[str, ...]:
        return ("y", *(["sum"] if spec.residual else []), "mean", "rstd")

    def fits(self, spec: GroupNormSpec) -> list[str]:
        return fitting(specialize(spec, self.shape, self.dtype)[0])

    def kernel(self, backend: str, spec: GroupNormSpec, schedule: str | None = None, **numbers: Any) -> gngen.Kernel:
        """A kernel of every output for any batch, threaded from one sample on where the schedule has threads."""
        asked = (
            dict(numbers) if schedule is None else {"name": schedule, "parallel_from": 0 if schedule == "serial_small" else 1, **numbers}
        )
        return gngen.compile(spec, (None, *self.shape[1:]), self.dtype, backend, self.outputs(spec), asked)

    def arguments(self, spec: GroupNormSpec, data: str = "normal") -> tuple[tuple[Array, Array | None, Array | None], dict[str, Any]]:
        """x, gamma and beta, and the keywords. The mask begins a sample with padding, ends one so, and leaves one nothing at all."""
        x = fill(data, self.shape, self.dtype)
        fused = companions(self.shape, spec, self.dtype)
        if spec.masked:
            mask = fused["mask"] = np.random.default_rng(3).random(fused["mask"].shape) < 0.7
            flat = mask.reshape(len(mask), -1)
            flat[0, : flat.shape[1] // 3] = False
            flat[1, flat.shape[1] // 2 :] = False
            flat[-1] = False
        return (x, *parameters(self.shape, spec, self.dtype)), fused


LAYERS = (
    Layer("first", (3, 6, 9001), 1, 3),
    Layer("first, several channels a block", (3, 8, 5, 7), 1, 4),
    Layer("first, one group", (3, 3, 40, 41), 1, 1),
    Layer("first, float64", (3, 4, 901), 1, 2, "float64"),
    Layer("instance", (3, 3, 600), 1, -1),
    Layer("middle", (3, 7, 4, 301), 2, 2),
    Layer("middle, short runs", (3, 40, 6, 3), 2, 3),
    Layer("middle, blocks of several rows", (3, 300, 4, 20), 2, 1),
    Layer("last", (3, 700, 60), -1, 5),
    Layer("last, rows of three", (3, 2100, 3), -1, 3),
    Layer("last, tiles of a row", (3, 50, 3000), -1, 300),
    Layer("last, one group", (3, 500, 12), -1, 1),
    Layer("last, wide groups", (3, 5, 2500), -1, 2),
    Layer("last, float64", (3, 90, 14), -1, 7, "float64"),
    Layer("first, float16", (3, 4, 901), 1, 2, "float16"),
    Layer("last, bfloat16", (3, 300, 24), -1, 4, "bfloat16"),
    Layer("dense", (4, 24), 1, 4),
    Layer("axes apart", (3, 4, 50, 6), (1, 3), 6),
)
BY_NAME = {layer.name: layer for layer in LAYERS}
FIRST, LAST, TILES = BY_NAME["first"], BY_NAME["last"], BY_NAME["last, tiles of a row"]


def check(layer: Layer, spec: GroupNormSpec, kernel: gngen.Kernel, data: str, value: float | None = None) -> None:
    """Every output of a kernel is right; with a `value`, padding is that."""
    (x, gamma, beta), fused = layer.arguments(spec, data)
    if value is not None:
        x = padded(x, spec, fused.get("mask"), value)
    right = oracle(x, gamma, beta, spec, **fused)
    found = dict(zip(kernel.problem.outputs, kernel(x, gamma, beta, **fused), strict=True))
    assert_right(found["y"], right, layer.dtype)
    for name in ("mean", "rstd"):
        assert_stat_right(name, found[name], right, layer.dtype)
        if spec.masked:
            assert not found[name][-1].any(), f"{name} of nothing but padding"
    if spec.residual:
        assert_equal(found["sum"], x + fused["residual"])


# Right answers


# Each form alone and all of them on every layout, pairs on two.
PLAIN = [
    pytest.param(layer, forms, id=f"{layer}-{'+'.join(forms)}")
    for layer in LAYERS
    for forms in FORMS
    if len(forms) != 2 or layer in (FIRST, LAST)
]


@pytest.mark.parametrize(("layer", "forms"), PLAIN)
@pytest.mark.parametrize("name", ["c", "reference"])
def test_gives_the_oracles_answers(name: str, layer: Layer, forms: tuple[str, ...]) -> None:
    """With the schedule that is chosen, and silu for every second pair."""
    need_backend(name)
    activation = "silu" if (LAYERS.index(layer) + FORMS.index(forms)) % 2 else None
    spec = layer.spec(forms, activation=activation)
    kernel = layer.kernel(name, spec)
    for data in ("normal", "offset", "far", "outlier", "constant"):
        check(layer, spec, kernel, data)


@pytest.mark.parametrize("layer", [pytest.param(FIRST, marks=pytest.mark.slow), LAST], ids=str)
def test_numba_gives_the_oracles_answers(layer: Layer) -> None:
    need_backend("numba-cpu")
    spec = layer.spec(ALL, activation="silu")
    kernel = layer.kernel("numba-cpu", spec)
    for data in ("normal", "far", "constant"):
        check(layer, spec, kernel, data, np.nan)


@pytest.mark.parametrize(
    ("schedule", "store"),
    [
        *((name, "temporal") for name in SCHEDULES),
        *(pytest.param(name, "streaming", marks=() if name in ("sample", "group_split") else pytest.mark.slow) for name in SCHEDULES),
    ],
)
def test_every_schedule_gives_the_oracles_answers(schedule: str, store: str) -> None:
    need_backend("c")
    if store == "streaming" and not load_machine("host").streaming_stores:
        pytest.skip("this machine has no streaming stores")
    forms = ("residual", "modulation") if schedule == "micro" else ALL  # a mask gives each group a count of its own
    layers = [layer for layer in LAYERS if schedule in layer.fits(layer.spec(forms))]
    assert layers
    for layer in layers[:: max(1, len(layers) // 4)]:
        spec = layer.spec(forms)
        for numbers in ({}, {"piece": 100, "strip": 3, "rows": 2, "tile": 2, "by_sample": True, "ahead": 24, "interleave": 3}):
            kernel = layer.kernel("c", spec, schedule, store=store, **numbers)
            for data in ("normal", "far"):
                check(layer, spec, kernel, data)


@pytest.mark.parametrize(("center", "scale"), [(False, False), (False, True), (True, False)])
@pytest.mark.parametrize("layer", [FIRST, LAST, BY_NAME["last, float64"]], ids=str)
def test_modulation_without_gamma_or_beta(layer: Layer, center: bool, scale: bool) -> None:
    spec = layer.spec(("modulation",), center=center, scale=scale)
    check(layer, spec, layer.kernel(need_backend("c"), spec), "far")


def test_modulation_of_minus_one_leaves_the_shift() -> None:
    spec = LAST.spec(("modulation",))
    (x, gamma, beta), fused = LAST.arguments(spec)
    shift = fused["modulation"][1]
    y = gngen.compile(spec, LAST.shape, target=need_backend("c"))(x, gamma, beta, modulation=(np.full_like(shift, -1), shift))
    assert (y == shift[:, None]).all()


# Padding


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_padding_may_hold_anything(layer: Layer, value: float) -> None:
    spec = layer.spec(("masked",))
    kernel = layer.kernel(need_backend("c"), spec)
    for data in ("normal", "far"):
        check(layer, spec, kernel, data, value)
    (x, gamma, beta), fused = layer.arguments(spec, "far")
    clean, spoiled = (kernel(v, gamma, beta, **fused) for v in (x, padded(x, spec, fused["mask"], value)))
    for a, b in zip(clean[1:], spoiled[1:], strict=True):
        assert_equal(a, b)
    kept = np.broadcast_to(np.expand_dims(fused["mask"], tuple(a % x.ndim for a in spec.axes)), x.shape)
    assert_equal(clean[0][kept], spoiled[0][kept])


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_mask_of_ones_keeps_everything(layer: Layer) -> None:
    spec = layer.spec(("masked",))
    (x, gamma, beta), fused = layer.arguments(spec, "far")
    fused["mask"][...] = True
    y, mean, rstd = layer.kernel(need_backend("c"), spec)(x, gamma, beta, **fused)
    right = oracle(x, gamma, beta, layer.spec(()))
    assert_right(y, right, layer.dtype)
    assert_stat_right("mean", mean, right, layer.dtype)
    assert_stat_right("rstd", rstd, right, layer.dtype)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_one_position_alone(layer: Layer) -> None:
    """Wherever it is: in a block of its own, at an end, past the last whole vector."""
    spec = layer.spec(("masked",))
    kernel = layer.kernel(need_backend("c"), spec)
    (x, gamma, beta), fused = layer.arguments(spec, "far")
    mask = fused["mask"].reshape(len(x), -1)
    for at in sorted({0, mask.shape[1] // 2, mask.shape[1] - 1}):
        mask[...] = False
        mask[:, at] = True
        filled = padded(x, spec, fused["mask"], np.nan)
        y, mean, _ = kernel(filled, gamma, beta, **fused)
        right = oracle(filled, gamma, beta, spec, **fused)
        assert_right(y, right, layer.dtype)
        assert_stat_right("mean", mean, right, layer.dtype)


@pytest.mark.parametrize("rows", [100, 128, 1000, 5000])
def test_a_shift_far_from_the_mean(rows: int) -> None:
    """A first element just near enough not to be summed again, in columns that one lane adds up."""
    shape, spec = (2, rows, 33), GroupNormSpec(groups=33, masked=True, epsilon=1e-5)
    x, (gamma, beta) = fill("normal", shape, "float32"), parameters(shape, spec, "float32")
    x[:, 0] = np.linspace(-3.8, 3.8, 33)
    mask = np.ones((2, rows), bool)
    y = gngen.compile(spec, shape, target=need_backend("c"))(x, gamma, beta, mask=mask)
    assert_right(y, oracle(x, gamma, beta, spec, mask=mask), "float32")


@pytest.mark.parametrize("epsilon", [0.0, 1e-300, 1e-3])
@pytest.mark.parametrize("layer", [FIRST, LAST, BY_NAME["last, float64"]], ids=str)
def test_constant_groups_give_beta_modulated(layer: Layer, epsilon: float) -> None:
    """The constant only where the mask is True: elsewhere y is computed, and is not looked at."""
    spec = layer.spec(("modulation", "masked"), epsilon=epsilon)
    kernel = layer.kernel(need_backend("c"), spec)
    (x, gamma, beta), fused = layer.arguments(spec)
    for constant in (0.0, np.pi, 1e4, -1e37, *((1e200,) if layer.dtype == "float64" else ())):
        x[...] = constant
        fused["modulation"][1][...] = 0
        y, mean, _ = kernel(padded(x, spec, fused["mask"], np.nan), gamma, beta, **fused)
        assert (mean[:-1] == np.asarray(constant, x.dtype)).all()
        kept = np.broadcast_to(np.expand_dims(fused["mask"], layer.axis), x.shape)
        expected = beta * (1 + fused["modulation"][0])
        shape = [len(x), *(n if a == layer.axis % x.ndim else 1 for a, n in enumerate(x.shape) if a)]
        np.testing.assert_array_equal(y[kept], np.broadcast_to(expected.reshape(shape), x.shape)[kept])


@pytest.mark.parametrize("name", ["c", "reference"])
def test_nothing_but_padding_gives_beta_modulated(name: str) -> None:
    for layer in (FIRST, LAST):
        spec = layer.spec(("modulation", "masked"), activation="relu", epsilon=0.0)
        (x, gamma, beta), fused = layer.arguments(spec, "far")
        y, mean, rstd = layer.kernel(need_backend(name), spec)(x, gamma, beta, **fused)
        scale, shift = (part[-1] for part in fused["modulation"])
        expected = np.maximum(np.float32(beta.astype(np.float64) * (1 + scale) + shift), 0)
        for row in np.moveaxis(y, layer.axis, -1)[-1]:
            np.testing.assert_allclose(row, expected, 1e-6, 1e-6)
        assert not mean[-1].any()
        assert not rstd[-1].any()


@pytest.mark.parametrize("layer", [FIRST, LAST, BY_NAME["middle, short runs"]], ids=str)
def test_a_bad_element_that_counts_spoils_its_own_group_only(layer: Layer) -> None:
    spec = layer.spec(ALL)
    kernel = layer.kernel(need_backend("c"), spec)
    (x, gamma, beta), fused = layer.arguments(spec)
    fused["mask"][0].flat[-1] = True
    clean = kernel(x, gamma, beta, **fused)
    for bad in (np.nan, np.inf):
        spoiled = x.copy()
        channels = np.moveaxis(spoiled, layer.axis, -1)
        channels[0][(*(-1 for _ in range(channels.ndim - 2)), 0)] = bad
        found = kernel(spoiled, gamma, beta, **fused)
        mean, rstd = found[-2:]
        assert not np.isfinite(mean[0, 0])
        assert not np.isfinite(found[0][0][0] if layer.axis == 1 else np.moveaxis(found[0], layer.axis, 1)[0, 0]).any()
        own = np.zeros(mean.shape, bool)
        own[0, 0] = True
        np.testing.assert_array_equal(mean[~own], clean[-2][~own])
        np.testing.assert_array_equal(rstd[~own], clean[-1][~own])


# The same bits


# Other sizes of what another layer of the list is too.
SIBLINGS = (
    "first, one group",
    "first, float64",
    "instance",
    "middle, short runs",
    "last, one group",
    "last, wide groups",
    "dense",
    "axes apart",
)


@pytest.mark.parametrize("layer", [pytest.param(v, marks=pytest.mark.slow if v.name in SIBLINGS else ()) for v in LAYERS], ids=str)
def test_the_bits_do_not_depend_on_schedule_threads_batch_or_place(layer: Layer) -> None:
    spec = layer.spec(ALL, activation="silu")
    (x, gamma, beta), fused = layer.arguments(spec, "far")
    whole: tuple[Array, ...] | None = None
    for schedule, by_sample in itertools.product(layer.fits(spec), (False, True)):
        kernel = layer.kernel(need_backend("c"), spec, schedule, by_sample=by_sample)
        whole = whole or kernel(x, gamma, beta, **fused)
        for threads in (1, 2, 3):
            gngen.set_num_threads(threads)
            assert_same(kernel(x, gamma, beta, **fused), whole)
        assert_same(kernel(x[::-1], gamma, beta, **each(fused, slice(None, None, -1))), tuple(a[::-1] for a in whole))
        for n in range(len(x)):
            one = slice(n, n + 1)
            assert_same(kernel(x[one], gamma, beta, **each(fused, one)), tuple(a[one] for a in whole))


def assert_same(one: tuple[Array, ...], other: tuple[Array, ...]) -> None:
    for a, b in zip(one, other, strict=True):
        assert_equal(a, b)


def each(fused: dict[str, Any], at: slice) -> dict[str, Any]:
    """The keywords of some samples."""
    return {name: tuple(part[at] for part in value) if name == "modulation" else value[at] for name, value in fused.items()}


@pytest.mark.usefixtures("all_backends")
@pytest.mark.parametrize(
    ("layer", "forms"),
    [
        (FIRST, ALL),
        pytest.param(BY_NAME["last, float64"], ALL, marks=pytest.mark.slow),
        pytest.param(TILES, ("residual",), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_backends_agree_to_the_bit(layer: Layer, forms: tuple[str, ...]) -> None:
    spec = layer.spec(forms)
    first, *others = [layer.kernel(name, spec) for name in ("c", "llvm", "numba-cpu")]
    for data in ("normal", "outlier", "constant"):
        (x, gamma, beta), fused = layer.arguments(spec, data)
        x = padded(x, spec, fused.get("mask"), np.nan)
        answer = first(x, gamma, beta, **fused)
        for other in others:
            assert_same(answer, other(x, gamma, beta, **fused))
    for threads in (1, 3):
        gngen.set_num_threads(threads)
        for other in others:
            assert_same(other(x, gamma, beta, **fused), answer)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_the_sum_is_exactly_what_is_normalised(layer: Layer) -> None:
    """Stored or formed again, the answer is the plain kernel's of the sum, to the bit."""
    spec, plain = layer.spec(("residual",)), layer.spec(())
    (x, gamma, beta), fused = layer.arguments(spec, "far")
    total = x + fused["residual"]
    right = layer.kernel(need_backend("c"), plain)(total, gamma, beta)
    y, summed, *stats = layer.kernel("c", spec)(x, gamma, beta, **fused)
    assert_same((y, *stats), right)
    assert_same((summed,), (total,))
    again = gngen.compile(spec, layer.shape, layer.dtype, "c")(x, gamma, beta, **fused)
    assert_same((again,), right[:1])


# In place


@pytest.mark.parametrize("layer", [FIRST, LAST, TILES, BY_NAME["middle"], BY_NAME["axes apart"]], ids=str)
def test_in_place(layer: Layer) -> None:
    """y over x and the sum over the residual, or the other way round, under every schedule."""
    spec = layer.spec(ALL)
    (x, gamma, beta), fused = layer.arguments(spec, "far")
    for schedule, store in itertools.product(layer.fits(spec), ("temporal", "streaming")):
        if store == "streaming" and not load_machine("host").streaming_stores:
            continue
        kernel = layer.kernel(need_backend("c"), spec, schedule, store=store)
        right = kernel(x, gamma, beta, **fused)
        for swapped in (False, True):
            mine, stream = x.copy(), fused["residual"].copy()
            out, sum_out = (stream, mine) if swapped else (mine, stream)
            y, summed, *stats = kernel(mine, gamma, beta, out, sum_out=sum_out, **{**fused, "residual": stream})
            assert y is out
            assert summed is sum_out
            assert_same((y, summed, *stats), right)


@pytest.mark.parametrize("layer", [FIRST, pytest.param(LAST, marks=pytest.mark.slow_on("numba-cpu"))], ids=str)
def test_the_residual_alone_may_be_overwritten_by_y(backend: str, layer: Layer) -> None:
    spec = layer.spec(("residual",))
    (x, gamma, beta), fused = layer.arguments(spec)
    kernel = gngen.compile(spec, layer.shape, target=backend)
    right, stream = kernel(x, gamma, beta, **fused), fused["residual"].copy()
    assert kernel(x, gamma, beta, stream, residual=stream) is stream
    np.testing.assert_array_equal(stream, right)
    doubled = kernel(x, gamma, beta, residual=x)
    np.testing.assert_array_equal(doubled, gngen.compile(layer.spec(()), layer.shape, target=backend)(2 * x, gamma, beta))


@pytest.mark.parametrize("ahead", [-64, -1, 1, 3])
def test_outputs_that_overlap_an_input_in_part(backend: str, ahead: int) -> None:
    spec, shape = GroupNormSpec(groups=4, axis=-1, residual=True), (2, 25, 8)
    kernel = gngen.compile(spec, shape, target=backend, outputs=("y", "sum"))
    memory = fill("normal", (1000,), "float32")
    x, target = (memory[at : at + 400].reshape(shape) for at in (100, 100 + ahead))
    stream = memory[550:950].reshape(shape)
    (gamma, beta), free = parameters(shape, spec, "float32"), np.empty_like(x)
    y, summed = kernel(x.copy(), gamma, beta, residual=stream.copy())
    before = memory.copy()
    np.testing.assert_array_equal(kernel(x, gamma, beta, target, residual=stream, sum_out=free)[0], y)
    memory[...] = before
    np.testing.assert_array_equal(kernel(x, gamma, beta, free, residual=stream, sum_out=target)[1], summed)


def test_two_outputs_in_one_place() -> None:
    spec = LAST.spec(("residual",))
    (x, gamma, beta), fused = LAST.arguments(spec)
    kernel = LAST.kernel(need_backend("c"), spec)
    with pytest.raises(LaunchError, match="out and sum_out share memory"):
        kernel(x, gamma, beta, x, sum_out=x, **fused)


# Wherever the arrays lie


@pytest.mark.parametrize("place", ["dense", "shifted", "strided", "reversed"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 2, 1), (3, 2, 1, 0)])
@pytest.mark.parametrize("name", ["c", "reference"])
def test_memory_orders(name: str, order: tuple[int, ...], place: str) -> None:
    """The launcher of numba's kernels is the same as of c's."""
    need_backend(name)
    shape, spec = (2, 6, 7, 9), GroupNormSpec(groups=3, axis=1, **dict.fromkeys(ALL, True))
    (gamma, beta), fused = parameters(shape, spec, "float32"), companions(shape, spec, "float32")
    x = fill("normal", shape, "float32")
    right = oracle(x, gamma, beta, spec, **fused)
    kernel = gngen.compile(spec, shape, target=name, order=order, outputs=("y", "sum"))
    moved = {**fused, "residual": placed(fused["residual"], place, order), "mask": np.asfortranarray(fused["mask"])}
    scale, shift = fused["modulation"]
    moved["modulation"] = tuple(np.concatenate([scale, shift], 1)[:, at : at + 6] for at in (0, 6))
    sum_out = placed(np.zeros_like(x), place, order)
    y, summed = kernel(placed(x, place, order), gamma, beta, sum_out=sum_out, **moved)
    assert_right(y, right, "float32")
    assert summed is sum_out
    np.testing.assert_array_equal(summed, x + fused["residual"])


def test_masks_and_modulations_of_other_types() -> None:
    spec = LAST.spec(("modulation", "masked"))
    (x, gamma, beta), fused = LAST.arguments(spec)
    kernel = gngen.compile(spec, LAST.shape, target=need_backend("c"))
    right = kernel(x, gamma, beta, **fused)
    wide = [part.astype("float64") for part in fused["modulation"]]
    for mask in (fused["mask"].astype("uint8"), fused["mask"].astype("int64") * 7):
        np.testing.assert_array_equal(kernel(x, gamma, beta, mask=mask, modulation=wide), right)


@pytest.mark.parametrize("name", ["c", "reference"])
def test_an_empty_batch(name: str) -> None:
    need_backend(name)
    spec = LAST.spec(ALL)
    x = np.empty((0, 700, 60), "float32")
    part = np.empty((0, 60), "float32")
    y, summed, mean, _ = LAST.kernel(name, spec)(
        x, np.ones(60, "float32"), np.zeros(60, "float32"), residual=x, modulation=(part, part), mask=np.empty((0, 700), bool)
    )
    assert y.shape == summed.shape == x.shape
    assert mean.shape == (0, 5)


# What is asked for


def test_group_norm_takes_what_is_given() -> None:
    spec = LAST.spec(ALL, activation="gelu")
    (x, gamma, beta), fused = LAST.arguments(spec)
    for forms in FORMS:
        some = {name: value for name, value in fused.items() if {"mask": "masked"}.get(name, name) in forms}
        y = gngen.group_norm(x, gamma, beta, groups=5, activation="gelu", **some)
        assert_right(y, oracle(x, gamma, beta, LAST.spec(forms, activation="gelu"), **some), "float32")


def test_the_flags_are_part_of_the_problem() -> None:
    digests, names = set(), set()
    for forms in ((), *FORMS):
        p, _ = specialize(LAST.spec(forms), LAST.shape)
        assert p.fused == forms
        names.add(p.name)
        digests.add(gngen.emit(LAST.spec(forms), LAST.shape, target="c:generic").digest)
    assert len(names) == len(digests) == 8
    assert specialize(LAST.spec(ALL, activation="silu"), LAST.shape)[0].name == "gn_f32_o700_g5_c12_i1_silu_residual_modulation_masked"


def test_explain_says_what_is_fused() -> None:
    spec = LAST.spec(("residual", "masked"))
    text = gngen.compile(spec, LAST.shape, target=need_backend("c"), outputs=("y", "sum")).explain()
    assert "fused     residual, masked; x + residual is stored\n" in text
    assert "fused" not in gngen.compile(LAST.spec(()), LAST.shape, target="c").explain()


def test_specs_that_do_not_go_together() -> None:
    for flag in FUSED:
        with pytest.raises(SpecError, match=f"{flag} must be True or False; received {flag}='yes'"):
            GroupNormSpec(**{flag: "yes"})  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=r"the output sum is x \+ residual; this spec has residual=False"):
        gngen.compile(LAST.spec(()), LAST.shape, outputs=("y", "sum"))
    with pytest.raises(SpecError, match="outputs are y and, after it, any of sum, mean, rstd, each once"):
        gngen.compile(LAST.spec(("residual",)), LAST.shape, outputs=("sum",))


WRONG: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
    (("residual",), {"residual": None}, r"residual is missing; this kernel takes one of shape \(None, 700, 60\)"),
    (("masked",), {"mask": None}, r"mask is missing; this kernel takes one of shape \(3, 700\)"),
    (
        ("modulation",),
        {"modulation": None},
        r"modulation is missing; this kernel takes a pair \(scale, shift\) of arrays of shape \(3, 60\)",
    ),
    ((), {"residual": np.ones((3, 700, 60), "float32")}, "residual is given, and this kernel was compiled without: residual=False"),
    ((), {"mask": np.ones((3, 700), bool)}, "mask is given, and this kernel was compiled without: masked=False"),
    ((), {"modulation": (1, 2)}, "modulation is given, and this kernel was compiled without: modulation=False"),
    ((), {"sum_out": np.ones((3, 700, 60), "float32")}, "sum_out is given, and this kernel was compiled without the output sum"),
    (("residual",), {"residual": np.ones((3, 700, 61), "float32")}, r"residual has shape \(3, 700, 61\); this kernel was compiled for"),
    (("residual",), {"residual": np.ones((2, 700, 60), "float32")}, r"residual has shape \(2, 700, 60\); x has a batch of 3"),
    (("residual",), {"residual": np.ones((3, 700, 60))}, "residual is float64; this kernel was compiled for float32"),
    (("residual",), {"sum_out": np.ones((3, 700, 60))}, "sum_out is float64 of shape"),
    (("modulation",), {"modulation": np.ones((3, 60))}, r"modulation is a ndarray; this kernel takes a pair \(scale, shift\)"),
    (
        ("modulation",),
        {"modulation": (np.ones((3, 60)), np.ones(60))},
        r"modulation's shift has shape \(60,\); this kernel takes \(3, 60\)",
    ),
    (
        ("masked",),
        {"mask": np.ones((3, 700, 60), bool)},
        r"mask has shape \(3, 700, 60\); this kernel takes \(3, 700\): the batch and the pos",
    ),
    (("masked",), {"mask": np.ones((3, 700), "float32")}, "mask is float32; this kernel takes bool: True where a position counts"),
]


@pytest.mark.parametrize(("forms", "given", "words"), WRONG, ids=[str(i) for i in range(len(WRONG))])
def test_arrays_that_do_not_fit(forms: tuple[str, ...], given: dict[str, Any], words: str) -> None:
    spec = LAST.spec(forms)
    (x, gamma, beta), fused = LAST.arguments(spec)
    with pytest.raises(LaunchError, match=words):
        LAST.kernel(need_backend("c"), spec)(x, gamma, beta, **{**fused, **given})


# The definition


def test_the_definition_element_by_element() -> None:
    rng = np.random.default_rng(7)
    x, residual = rng.normal(size=(2, 2, 4, 3)).astype("float32")
    gamma, beta, scale, shift = (rng.normal(size=size) for size in (4, 4, (2, 4), (2, 4)))
    mask = np.array([[True, False, True], [False, False, True]])
    spec = GroupNormSpec(groups=2, axis=1, epsilon=0.25, **dict.fromkeys(ALL, True))
    y, mean, rstd = reference.group_norm(x, gamma, beta, spec, residual=residual, modulation=(scale, shift), mask=mask)
    for n, g in itertools.product(range(2), range(2)):
        total = {(c, i): float(np.float32(x[n, c, i] + residual[n, c, i])) for c in (2 * g, 2 * g + 1) for i in range(3)}
        counted = [v for (_, i), v in total.items() if mask[n, i]]
        m = sum(counted) / len(counted)
        r = 1 / np.sqrt(sum((v - m) ** 2 for v in counted) / len(counted) + 0.25)
        assert mean[n, g] == pytest.approx(m, rel=1e-13)
        assert rstd[n, g] == pytest.approx(r, rel=1e-13)
        for (c, i), v in total.items():
            right = ((v - m) * r * gamma[c] + beta[c]) * (1 + scale[n, c]) + shift[n, c]
            assert y[n, c, i] == pytest.approx(right, rel=1e-12, abs=1e-13)


# The call in C


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("forms", FORMS, ids="+".join)
def test_arrays_that_fit_do_not_pass_through_python(forms: tuple[str, ...], dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need_backend("c")
    if fastcall._library() is None:
        pytest.skip("the call in C cannot be had here")
    for layer in (LAST, FIRST):
        shape, spec = (2, *layer.shape[1:]), layer.spec(forms)
        outputs = ("y", "sum") if spec.residual else ("y",)
        x = fill("normal", shape, dtype)
        (gamma, beta), fused = parameters(shape, spec, dtype), companions(shape, spec, dtype)
        kernel = gngen.compile(spec, shape, dtype, "c", outputs)
        right = kernel.launcher(x, gamma, beta, **fused)
        places = {"out": np.empty_like(x), **({"sum_out": np.empty_like(x)} if spec.residual else {})}
        kernel(x, gamma, beta, **places, **fused)
        with monkeypatch.context() as patch:
            patch.setattr(Launcher, "__call__", unexpected)
            found = kernel(x, gamma, beta, **places, **fused)
            pairs = zip(found, right, places.values(), strict=True) if spec.residual else [(found, right, places["out"])]
            for mine, wanted, place in pairs:
                assert mine is place
                assert_equal(mine, wanted)
        with pytest.raises(LaunchError):
            kernel(x, gamma, beta, **places)


def unexpected(*_: Any, **__: Any) -> None:
    raise AssertionError("the launcher was called")
