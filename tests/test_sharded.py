"""ShardedGroupNorm: images cut over processes, against the definition of the whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from strategies import assert_equal, assert_right, need_backend, oracle
from test_backward import Case

from gngen.errors import LaunchError

torch = pytest.importorskip("torch", reason="torch is not installed")
if not torch.distributed.is_available():
    pytest.skip("this torch has no torch.distributed", allow_module_level=True)

# Of each case: shape, groups, type, data, activation, memory format, rows of every process; some flags.
Layer = tuple[tuple[int, ...], int, str, str, str | None, str, tuple[int, ...], dict[str, Any]]
SILU, LAST, FIRST = "silu", "channels_last", "contiguous_format"
CASES: dict[int, list[Layer]] = {
    2: [
        ((2, 16, 20, 12), 4, "float32", "far", SILU, FIRST, (13, 7), {}),
        ((2, 16, 20, 12), 4, "float32", "far", None, LAST, (10, 10), {}),
        ((1, 8, 20, 6), 2, "bfloat16", "normal", None, LAST, (10, 10), {}),
        ((2, 6, 10, 4), 3, "float64", "normal", "gelu", FIRST, (5, 5), {"affine": False}),
        ((2, 16, 20, 12), 4, "float32", "normal", SILU, FIRST, (13, 7), {"own_gradients": True}),
    ],
    4: [
        ((2, 16, 20, 12), 4, "float32", "far", SILU, FIRST, (7, 0, 6, 7), {}),
        ((2, 16, 20, 12), 4, "float32", "outlier", None, LAST, (7, 0, 7, 6), {}),
        ((2, 16, 20, 12), 4, "float32", "constant", None, LAST, (7, 0, 7, 6), {"eps": 0.0}),
    ],
}


def case_of(layer: Layer) -> Case:
    shape, groups, dtype, data, activation, _, _, flags = layer
    affine = flags.get("affine", True)
    return Case(shape, groups, 1, dtype, data, activation=activation, epsilon=flags.get("eps", 1e-5), scale=affine, center=affine)


def tensor(array: Any, dtype: str) -> Any:
    """A tensor of a numpy array, bfloat16's among them."""
    return torch.from_numpy(array.astype(np.float64)).to(getattr(torch, dtype))


def places(layer: Layer) -> list[slice]:
    ends = np.cumsum((0, *layer[6]))
    return [slice(int(a), int(b)) for a, b in zip(ends, ends[1:], strict=False)]


def work(rank: int, world: int, folder: str) -> None:
    """One process: every case's part, forward and backward; the answers go to a file."""
    from gngen.integrations.torch.sharded import ShardedGroupNorm

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=world)
    answers = []
    for layer in CASES[world]:
        shape, groups, dtype, _, activation, memory, _, flags = layer
        case, at = case_of(layer), places(layer)[rank]
        norm = ShardedGroupNorm(groups, shape[1], **{"eps": 1e-5, **flags}, activation=activation, dtype=getattr(torch, dtype))
        if norm.weight is not None:
            with torch.no_grad():
                norm.weight.copy_(tensor(case.gamma, dtype))
                norm.bias.copy_(tensor(case.beta, dtype))
        x, dy = (tensor(a[:, :, at], dtype).contiguous(memory_format=getattr(torch, memory)) for a in (case.x, case.dy))
        y = norm(x.requires_grad_())
        y.backward(dy)
        # a collective in which every process has a part shows that none is ahead or behind
        torch.distributed.barrier()
        stats = y.grad_fn.saved_tensors[-1] if False else norm_stats(norm, x)
        found = {"y": y.detach(), "dx": x.grad, "stats": stats, "strides": y.stride() == x.stride()}
        found |= {name: None if p is None else p.grad for name, p in (("weight", norm.weight), ("bias", norm.bias))}
        answers.append(found)
    torch.save(answers, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def norm_stats(norm: Any, x: Any) -> Any:
    """Mean and rstd of a call, as autograd keeps them."""
    return norm(x).grad_fn.saved_tensors[-1]


@pytest.fixture(scope="module", params=sorted(CASES))
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, list[list[Any]]]:
    """What each of 2 or 4 processes got, by case."""
    need_backend("c")
    world, folder = request.param, tmp_path_factory.mktemp("sharded")
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        torch.multiprocessing.spawn(work, (world, str(folder)), nprocs=world)
    finally:
        del os.environ["OMP_NUM_THREADS"]
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before
    by_rank = [torch.load(Path(folder, f"{rank}.pt")) for rank in range(world)]
    return world, [list(each) for each in zip(*by_rank, strict=True)]


def array(t: Any, dtype: str) -> Any:
    return t.double().numpy().astype(dtype)


def test_as_the_whole(answers: tuple[int, list[list[Any]]]) -> None:
    world, found = answers
    for layer, parts in zip(CASES[world], found, strict=True):
        dtype, case = layer[2], case_of(layer)
        y, dx = (np.concatenate([array(part[name], dtype) for part in parts], 2) for name in ("y", "dx"))
        assert_right(y, oracle(case.x, case.gamma, case.beta, case.spec), dtype)
        sums: list[Any] = [None, None]
        if case.gamma is not None:
            own = layer[-1].get("own_gradients", False)
            given = [[array(part[name], dtype) for part in parts] for name in ("weight", "bias")]
            sums = [np.sum(each, 0) if own else each[0] for each in given]
            assert own == any((a != b).any() for each in given for a, b in zip(each, each[1:], strict=False))
        if layer[3] == "constant":  # xhat is 0, and its gradient's scale too
            assert_equal(y, np.broadcast_to(case.beta.reshape(1, -1, 1, 1), y.shape))
            assert_equal(dx, np.zeros_like(dx))
            continue
        case.judge(dx, *sums)


def test_the_same_bits_everywhere(answers: tuple[int, list[list[Any]]]) -> None:
    for parts in answers[1]:
        for part in parts[1:]:
            assert_equal(part["stats"].numpy(), parts[0]["stats"].numpy())


def test_memory_format_stays(answers: tuple[int, list[list[Any]]]) -> None:
    assert all(part["strides"] for parts in answers[1] for part in parts)
