"""The rules that choose a schedule's numbers: what the elementwise pass asks for ahead, and what it computes side by side."""

from __future__ import annotations

import pytest

from gngen.problem import specialize
from gngen.schedule import choose_schedule
from gngen.schedulerules import PREFETCH
from gngen.spec import GroupNormSpec
from gngen.target import load_cpu

GROUPS = 32


@pytest.mark.parametrize(
    ("shape", "axis", "groups", "direction", "name", "ahead"),
    [
        pytest.param((32, 64, 56, 56), 1, GROUPS, "forward", "group_resident", 2 * 56 * 56, id="the next group, from memory"),
        pytest.param((1, 128, 128, 256), -1, GROUPS, "forward", "rows", PREFETCH, id="by rows, what lies near"),
        pytest.param((256, 14, 14, 256), -1, GROUPS, "forward", "sample", 14 * 14 * 256, id="the next sample"),
        pytest.param((256, 4, 64, 1024), 2, GROUPS, "forward", "group_resident", 2 * 1024, id="the next group of each run"),
        pytest.param((1, 256, 256, 256), 1, GROUPS, "forward", "group_stream", PREFETCH, id="a group that passes L2"),
        pytest.param((1, 64, 512, 512), 1, 1, "forward", "group_split", PREFETCH, id="one group"),
        pytest.param((2, 640, 32, 32), 1, GROUPS, "forward", "group_resident", 0, id="in the last cache"),
        pytest.param((None, 64, 56, 56), 1, GROUPS, "forward", "group_resident", 0, id="any batch"),
        pytest.param((32, 64, 56, 56), 1, GROUPS, "backward", "group_resident", 2 * 56 * 56, id="backward, the next group"),
        pytest.param((1, 256, 256, 256), -1, GROUPS, "backward", "rows", PREFETCH, id="backward by rows"),
        pytest.param((2, 64, 32, 32), 1, GROUPS, "backward", "group_resident", 0, id="backward, in the last cache"),
    ],
)
def test_what_is_asked_for_ahead(shape: tuple[int, ...], axis: int, groups: int, direction: str, name: str, ahead: int) -> None:
    p, _ = specialize(GroupNormSpec(groups=groups, axis=axis), shape, direction=direction)
    s = choose_schedule(p, load_cpu("x86-64-v4"))
    assert (s.name, s.ahead) == (name, ahead)


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize(("activation", "interleave"), [(None, 1), ("relu", 1), ("silu", 4), ("gelu", 4), ("tanh", 4)])
def test_long_chains_of_operations_are_computed_side_by_side(activation: str | None, interleave: int, direction: str) -> None:
    p, _ = specialize(GroupNormSpec(groups=GROUPS, axis=1, activation=activation), (2, 64, 56, 56), direction=direction)
    assert choose_schedule(p, load_cpu("x86-64-v4")).interleave == interleave


def test_residuals_count_as_read() -> None:
    """Three groups with their residuals are more than L2, where three groups are not."""
    p, _ = specialize(GroupNormSpec(groups=GROUPS, axis=1), (8, 256, 96, 96))
    fused, _ = specialize(GroupNormSpec(groups=GROUPS, axis=1, residual=True), (8, 256, 96, 96))
    assert [choose_schedule(problem, load_cpu("x86-64-v4")).ahead for problem in (p, fused)] == [8 * 96 * 96, PREFETCH]
