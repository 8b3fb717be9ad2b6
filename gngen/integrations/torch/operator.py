"""The operators gngen::group_norm, gngen::group_norm_stats and gngen::group_norm_backward, as torch's dispatcher knows them.

group_norm gives y alone, group_norm_stats what the gradient needs besides. Registered here are kernels for CPU and CUDA, shapes for fake
tensors (so for torch.compile and export), autocast, and vmap; the gradients in autograd.py. Defined as a `Library` and not by custom_op: a
call costs a third.
"""

from __future__ import annotations

from typing import Any

from gngen.integrations import require
from gngen.integrations.torch.direct import refuse_tangents
from gngen.integrations.torch.gradients import missing, run_backward
from gngen.integrations.torch.kernels import new_like, run_forward, stat_type

torch = require("torch", "torch")

_ARGUMENTS = "Tensor x, Tensor? weight, Tensor? bias, int groups, float eps, str? activation"
_BACKWARD_ARGUMENTS = "Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor? weight, Tensor? bias, int groups, float eps, str? activation"
library = torch.library.Library("gngen", "DEF")
_TAGS = (torch.Tag.pt2_compliant_tag,)
library.define(f"group_norm({_ARGUMENTS}) -> Tensor", tags=_TAGS)
library.define(f"group_norm_stats({_ARGUMENTS}) -> (Tensor, Tensor, Tensor)", tags=_TAGS)
library.define(f"group_norm_backward({_BACKWARD_ARGUMENTS}) -> (Tensor, Tensor, Tensor)", tags=_TAGS)

# (x, weight, bias, groups, eps, activation) -> y, where weight and bias may be None and activation is one of gngen's names or None.
group_norm_op = torch.ops.gngen.group_norm.default
# The same -> (y, mean, rstd), the last two of shape (N, groups), in float32 (float64 for float64).
group_norm_stats_op = torch.ops.gngen.group_norm_stats.default
# (dy, x, mean, rstd, weight, bias, groups, eps, activation) -> (dx, dweight, dbias), empty for a weight or bias that is None.
group_norm_backward_op = torch.ops.gngen.group_norm_backward.default


# Kernels


def _forward(x: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None) -> Any:
    refuse_tangents(x, weight, bias)
    return run_forward(x, weight, bias, groups, eps, activation)


def _forward_stats(x: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None) -> Any:
    refuse_tangents(x, weight, bias)
    return run_forward(x, weight, bias, groups, eps, activation, True)


for _device in ("CPU", "CUDA"):
    library.impl("group_norm", _forward, _device)
    library.impl("group_norm_stats", _forward_stats, _device)
    library.impl("group_norm_backward", run_backward, _device)


# Shapes


def _fake(x: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None) -> Any:
    return new_like(x)


def _fake_stats(x: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None) -> Any:
    mean, rstd = (x.new_empty((x.shape[0], groups), dtype=stat_type(x)) for _ in range(2))
    return new_like(x), mean, rstd


def _fake_backward(
    dy: Any, x: Any, mean: Any, rstd: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None
) -> tuple[Any, Any, Any]:
    dweight, dbias = (missing(x, weight, bias) if p is None else torch.empty_like(p) for p in (weight, bias))
    return torch.empty_like(x), dweight, dbias


for _name, _shapes in (("group_norm", _fake), ("group_norm_stats", _fake_stats), ("group_norm_backward", _fake_backward)):
    torch.library.register_fake(f"gngen::{_name}", _shapes, lib=library)


# Autocast: as torch's own, in float32 on a GPU; on a CPU torch leaves a group norm in the type that it is given.

for _name in ("group_norm", "group_norm_stats"):
    torch.library.register_autocast(f"gngen::{_name}", "cuda", torch.float32, lib=library)


# vmap


def _vmap_forward(info: Any, in_dims: tuple[Any, ...], x: Any, weight: Any, bias: Any, *rest: Any) -> tuple[Any, Any]:
    """A mapped x is a larger batch; where weight or bias are mapped too, each is normalised by itself."""
    at, *others = in_dims
    if at is None or any(d is not None for d in others):
        return _vmap_each(group_norm_op, 1, info, in_dims, x, weight, bias, *rest)
    moved = x.movedim(at, 0)
    y = group_norm_op(moved.flatten(0, 1), weight, bias, *rest)
    return y.unflatten(0, moved.shape[:2]), 0


def _vmap_each(op: Any, outputs: int, info: Any, in_dims: tuple[Any, ...], *arguments: Any) -> tuple[Any, Any]:
    """One call for each element of the mapped axis."""
    found = [op(*(a if d is None else a.select(d, i) for a, d in zip(arguments, in_dims, strict=True))) for i in range(info.batch_size)]
    if outputs == 1:
        return torch.stack(found), 0
    return tuple(map(torch.stack, zip(*found, strict=True))), (0,) * outputs


def _vmap_stats(info: Any, in_dims: tuple[Any, ...], *arguments: Any) -> tuple[Any, Any]:
    return _vmap_each(group_norm_stats_op, 3, info, in_dims, *arguments)


def _vmap_backward(info: Any, in_dims: tuple[Any, ...], *arguments: Any) -> tuple[Any, Any]:
    return _vmap_each(group_norm_backward_op, 3, info, in_dims, *arguments)


torch.library.register_vmap("gngen::group_norm", _vmap_forward, lib=library)
torch.library.register_vmap("gngen::group_norm_stats", _vmap_stats, lib=library)
torch.library.register_vmap("gngen::group_norm_backward", _vmap_backward, lib=library)
