"""ShardedGroupNorm: images cut over processes, against the definition of the whole."""

from __future__ import annotations

import doctest
import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shardworker import Part, run
from strategies import assert_equal, assert_right, need_backend, oracle
from test_backward import Case

import gngen
from gngen.errors import LaunchError, SpecError

torch = pytest.importorskip("torch", reason="torch is not installed")
if not torch.distributed.is_available():
    pytest.skip("this torch has no torch.distributed", allow_module_level=True)

# Of each case: shape, groups, type, data, activation, memory format, rows of every process; some flags.
Layer = tuple[tuple[int, ...], int, str, str, str | None, str, tuple[int, ...], dict[str, Any]]
LAST, FIRST = "channels_last", "contiguous_format"
CASES: dict[int, list[Layer]] = {
    2: [
        ((2, 16, 20, 12), 4, "float32", "far", "silu", FIRST, (13, 7), {}),
        ((2, 16, 20, 12), 4, "float32", "normal", "silu", FIRST, (13, 7), {"own_gradients": True}),
        ((2, 16, 14, 12), 4, "float32", "far", None, LAST, (7, 7), {}),
        ((2, 6, 10, 4), 3, "bfloat16", "normal", "gelu", LAST, (5, 5), {"affine": False}),
    ],
    4: [
        ((2, 16, 21, 12), 4, "float32", "far", None, LAST, (7, 0, 7, 7), {}),
        ((2, 16, 21, 12), 4, "float32", "outlier", None, LAST, (7, 7, 7, 0), {}),
        ((2, 16, 21, 12), 4, "float32", "constant", None, LAST, (7, 0, 7, 7), {"eps": 0.0}),
    ],
}


def case_of(layer: Layer) -> Case:
    shape, groups, dtype, data, activation, _, _, flags = layer
    affine = flags.get("affine", True)
    return Case(shape, groups, 1, dtype, data, activation=activation, epsilon=flags.get("eps", 1e-5), scale=affine, center=affine)


def tensor(array: Any, dtype: str) -> Any:
    """A tensor of a numpy array, bfloat16's among them."""
    return None if array is None else torch.from_numpy(array.astype(np.float64)).to(getattr(torch, dtype))


def parts_of(layer: Layer) -> list[Part]:
    """What each process does of a case."""
    shape, groups, dtype, _, activation, memory, rows, flags = layer
    case, ends = case_of(layer), np.cumsum((0, *rows))
    own = {name: tensor(p, dtype) for name, p in (("weight", case.gamma), ("bias", case.beta)) if p is not None}
    arguments = {"num_groups": groups, "num_channels": shape[1], "activation": activation, "dtype": getattr(torch, dtype), **flags}
    found = []
    for first, last in itertools.pairwise(map(int, ends)):
        x, dy = (tensor(a[:, :, first:last], dtype).contiguous(memory_format=getattr(torch, memory)) for a in (case.x, case.dy))
        found.append(Part(arguments, own, x, dy))
    return found


def answers(folder: Path) -> list[tuple[Layer, list[Any]]]:
    """What each of 4 processes got, the first 2 of them also as a group of their own, by case."""
    for world, layers in CASES.items():
        for rank, parts in enumerate(zip(*map(parts_of, layers), strict=True)):
            torch.save(parts, folder / f"{world}.{rank}.given")
    torch.multiprocessing.spawn(run, (max(CASES), sorted(CASES), str(folder)), nprocs=max(CASES))
    found = []
    for world, layers in CASES.items():
        by_rank = [torch.load(folder / f"{world}.{rank}.found") for rank in range(world)]
        found += [(layer, list(each)) for layer, each in zip(layers, zip(*by_rank, strict=True), strict=True)]
    return found


def array(t: Any, dtype: str) -> Any:
    return t.double().numpy().astype(dtype)


def test_as_the_whole_with_the_same_bits_everywhere(tmp_path: Path) -> None:
    """One test, since starting the processes takes most of its time."""
    need_backend("c")
    for layer, parts in answers(tmp_path):
        check_as_the_whole(layer, parts)
        for part in parts:
            assert_equal(part["stats"].numpy(), parts[0]["stats"].numpy())
            assert part["alike"], "the memory format stays"


def check_as_the_whole(layer: Layer, parts: list[Any]) -> None:
    dtype, case = layer[2], case_of(layer)
    y, dx = (np.concatenate([array(part[name], dtype) for part in parts], 2) for name in ("y", "dx"))
    assert_right(y, oracle(case.x, case.gamma, case.beta, case.spec), dtype)
    sums: list[Any] = [None, None]
    if case.gamma is not None:
        own = layer[-1].get("own_gradients", False)
        given = [[array(part[name], dtype) for part in parts] for name in ("weight", "bias")]
        sums = [np.sum(each, 0) if own else each[0] for each in given]
        assert own == any((a != b).any() for each in given for a, b in itertools.pairwise(each))
    if layer[3] == "constant":
        assert case.beta is not None
        assert_equal(y, np.broadcast_to(case.beta.reshape(-1, 1, 1), y.shape))
        assert_equal(dx, np.zeros_like(dx))
        return
    case.judge(dx, *sums)


# One process


@pytest.fixture
def alone(tmp_path: Path) -> Any:
    """The module's package, in a group of one process."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    from gngen.integrations.torch import sharded

    yield sharded
    torch.distributed.destroy_process_group()


def test_what_lies_otherwise(alone: Any) -> None:
    """A transposed batch, gaps, a broadcast, gradients of another memory format: as torch's own; its state_dict fits."""
    torch.manual_seed(0)
    whole = torch.nn.GroupNorm(2, 4, dtype=torch.float64)
    torch.nn.init.normal_(whole.weight)
    norm = alone.ShardedGroupNorm(2, 4, dtype=torch.float64)
    norm.load_state_dict(whole.state_dict())
    base = torch.randn(6, 4, 6, 10, dtype=torch.float64)
    for x in (base, base.transpose(0, 2), base[..., ::2], base[:, :, :1].expand_as(base)):
        x = x.detach().requires_grad_()
        own, theirs = norm(x), whole(x)
        dy = torch.randn_like(theirs).contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(own, theirs, rtol=1e-12, atol=1e-12)
        gradients = [torch.autograd.grad(y, (x, layer.weight, layer.bias), dy) for y, layer in ((own, norm), (theirs, whole))]
        torch.testing.assert_close(*gradients, rtol=1e-11, atol=1e-11)


def test_only_what_is_asked_for(alone: Any) -> None:
    norm = alone.ShardedGroupNorm(2, 4)
    y = norm(torch.randn(2, 4, 9))
    y.sum().backward()
    assert norm.weight.grad is not None
    with torch.no_grad():
        assert not norm(torch.randn(2, 4, 9)).requires_grad
    x = torch.randn(2, 4, 9, requires_grad=True)
    (dx,) = torch.autograd.grad(norm(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        dx.sum().backward()


@pytest.mark.slow
def test_in_a_compiled_model(alone: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Conv1d(3, 4, 3), alone.ShardedGroupNorm(2, 4), torch.nn.ReLU())
    x = torch.randn(2, 3, 10, requires_grad=True)
    answers = []
    for call in (model, torch.compile(model, backend="eager")):
        y = call(x)
        answers.append((y, *torch.autograd.grad(y.square().sum(), x)))
    torch.testing.assert_close(*answers)


def test_refused(alone: Any) -> None:
    norm = alone.ShardedGroupNorm(2, 4, activation="swish")
    assert "activation='silu'" in repr(norm)
    with pytest.raises(LaunchError, match=re.escape("this layer takes (N, 4, *)")):
        norm(torch.zeros(2, 6, 3))
    with pytest.raises(SpecError, match="complex64 has no kernel"):
        norm(torch.zeros(2, 4, 3, dtype=torch.complex64))
    with pytest.raises(SpecError, match="activation 'mish' is not known"):
        alone.ShardedGroupNorm(2, 4, activation="mish")
    with pytest.raises(ValueError, match="divisible"):
        alone.ShardedGroupNorm(3, 4)


def test_no_positions_at_all(alone: Any) -> None:
    norm = alone.ShardedGroupNorm(2, 4)
    x = torch.zeros(2, 4, 0, 5, requires_grad=True)
    y = norm(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == x.shape
    assert not norm.weight.grad.any()
    assert math.isfinite(norm.bias.grad.sum())


def test_the_document() -> None:
    failed, tried = doctest.testfile(str(Path(gngen.__file__).resolve().parent.parent / "docs" / "sharded.md"), module_relative=False)
    assert not failed
    assert tried > 10
