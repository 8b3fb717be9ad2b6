"""Group normalisation of images that are cut into parts, each in a process of its own: the moments span them all.

Of a forward pass, the processes exchange how many elements of a group each has, their mean and their sum of squared differences from it;
of a backward pass, each group's two sums and the parameters' gradients. One all_gather each way, of float64; every process merges what
it got in the order of the ranks, and so to the same bits.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

import gngen
from gngen.errors import LaunchError
from gngen.integrations import require
from gngen.problem import memory_order, specialize
from gngen.spec import GroupNormSpec
from gngen.stages import find_slopes, merge_moments

torch = require("torch", "torch")
_Function: Any = torch.autograd.Function
_GroupNorm: Any = torch.nn.GroupNorm


class ShardedGroupNorm(_GroupNorm):  # type: ignore[misc]
    """torch.nn.GroupNorm of an input (N, C, *) whose positions are spread over the processes of a group; parameters and state_dict are its.

    Each process gives its own part, of the same N and C, type and memory format or not; the parts may differ in size, and be empty.
    All processes call it, and all of them differentiate what came of it, in the same order: each waits for the others.

    The gradient is that of the sum of all processes' losses. Of weight and bias every process gets all of it, the same bits; so an
    optimiser in each keeps them alike, and nothing is to be added up. With DistributedDataParallel, which averages the gradients that
    each process has of its own part, give ``own_gradients=True``.

    Args:
        num_groups, num_channels, eps, affine, device, dtype, bias: as of torch.nn.GroupNorm.
        process_group: the processes that share the input; None for all. Its backend takes tensors on the CPU, as gloo does.
        activation: None or one of relu, silu, gelu (erf), gelu_tanh, sigmoid, tanh: applied in the same pass.
        own_gradients: whether weight and bias get only what this process's part adds to their gradients.

    Raises:
        ValueError: groups that do not divide the channels, or (SpecError) an activation that is not known. A call: LaunchError for
            an input that does not fit, SpecError for a type that has no kernel; the other processes then wait in vain.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        process_group: Any = None,
        activation: str | None = None,
        *,
        device: Any = None,
        dtype: Any = None,
        bias: bool = True,
        own_gradients: bool = False,
    ) -> None:
        super().__init__(num_groups, num_channels, eps, affine, device, dtype, bias=bias)
        self.spec = GroupNormSpec(num_groups, 1, eps, self.bias is not None, self.weight is not None, activation)
        self.process_group = process_group
        self.own_gradients = own_gradients

    def forward(self, input: Any) -> Any:
        """The normalised part (N, C, *), in memory as the input lies."""
        if input.dim() < 2 or input.shape[1] != self.num_channels:
            raise LaunchError(f"the input has shape {tuple(input.shape)}; this layer takes (N, {self.num_channels}, *)")
        call = _Sharded.apply
        if torch.compiler.is_compiling():  # a compiled graph is left for it; asked for here, since to import the compiler takes seconds
            call = torch.compiler.disable(call)
        y: Any = call(input, self.weight, self.bias, self.spec, self.process_group, self.own_gradients)
        return y

    def extra_repr(self) -> str:
        plain: str = super().extra_repr()
        return plain if self.spec.activation is None else f"{plain}, activation={self.spec.activation!r}"


class _Sharded(_Function):  # type: ignore[misc]
    """(x, weight, bias, spec, process group, whether gradients stay apart) -> y."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any, spec: GroupNormSpec, group: Any, own_gradients: bool) -> Any:
        compile, x = _compiler(x, spec, weight, bias)
        count = math.prod(x.shape[1:]) // spec.groups
        moments = compile(stage="moments")(x)
        parts = _gather([torch.tensor([count], dtype=torch.float64), moments], group)
        counts = [int(own) for own, _ in parts]
        stats = torch.from_numpy(merge_moments(((n, own.numpy()) for n, (_, own) in zip(counts, parts, strict=True)), spec.epsilon))
        ctx.save_for_backward(x, weight, bias, stats)
        ctx.spec, ctx.group, ctx.own_gradients, ctx.count = spec, group, own_gradients, sum(counts)
        return compile(stage="apply")(x, stats, *_detached(weight, bias), out=torch.empty_like(x))

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, dy: Any) -> tuple[Any, ...]:
        x, weight, bias, stats = ctx.saved_tensors
        compile, x = _compiler(x, ctx.spec, weight, bias)
        dy, *parameters = _detached(dy, weight, bias)
        shares, *sums = compile(stage="sums", direction="backward")(dy, x, stats, *parameters)
        exchanged = [shares, *([] if ctx.own_gradients else [s for s in sums if s is not None])]
        shares, *whole = map(_add, zip(*_gather(exchanged, ctx.group), strict=True))
        dx = None
        if ctx.needs_input_grad[0]:
            slopes = torch.from_numpy(find_slopes(stats.numpy(), shares.numpy(), ctx.count))
            apply = compile(stage="apply", direction="backward")
            dx = apply(dy, x, stats, slopes, *parameters, out=torch.empty_like(x))
        found = iter(whole if not ctx.own_gradients else [s for s in sums if s is not None])
        dweight, dbias = (None if p is None else next(found).to(p.dtype) for p in (weight, bias))
        return dx, dweight, dbias, None, None, None


def _compiler(x: Any, spec: GroupNormSpec, weight: Any, bias: Any) -> tuple[Any, Any]:
    """What compiles the stages for a tensor, and the tensor as they read it: as it lies, or in C order where no kernel reads that."""
    x = x.detach()
    dtype = str(x.dtype).removeprefix("torch.")
    alike = all(p is None or p.dtype == x.dtype for p in (weight, bias))
    kind = dtype if alike or dtype not in ("float16", "bfloat16") else "float32"
    order = memory_order(x.shape, x.stride(), 1)
    if order is None or specialize(spec, x.shape, dtype, order, param_dtype=kind)[1].copied:
        x, order = x.contiguous(), None
    return partial(gngen.compile, spec, tuple(x.shape), dtype, order=order, param_dtype=kind), x


def _detached(*tensors: Any) -> list[Any]:
    return [None if t is None else t.detach() for t in tensors]


def _gather(own: list[Any], group: Any) -> list[list[Any]]:
    """The tensors of every process, in the order of the ranks, from its own, of float64: one exchange."""
    flat = torch.cat([t.reshape(-1) for t in own])
    parts = [torch.empty_like(flat) for _ in range(torch.distributed.get_world_size(group))]
    torch.distributed.all_gather(parts, flat, group)
    sizes = [t.numel() for t in own]
    return [[piece.view(t.shape) for piece, t in zip(part.split(sizes), own, strict=True)] for part in parts]


def _add(parts: tuple[Any, ...]) -> Any:
    """The sum of every process's tensor, in order."""
    total = np.zeros(parts[0].shape)
    for part in parts:
        total += part.numpy()
    return torch.from_numpy(total)
