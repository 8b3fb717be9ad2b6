"""The compiled way on Keras's torch backend: kernels forward and backward, on tensors of the CPU as they lie."""

from __future__ import annotations

from typing import Any

import torch
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd import forward_ad

import gngen
from gngen.api import kernel_for
from gngen.integrations.keras import by_ops
from gngen.integrations.torch.arrays import as_array, as_tensor
from gngen.spec import GroupNormSpec

_PLAIN = (torch.Tensor, torch.nn.Parameter)


def refuses(target: str, x: Any, gamma: Any, beta: Any) -> str:
    """Why no kernel can take these; empty where one can."""
    del target
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return "the call is traced by torch"
    if type(x) not in _PLAIN or x.layout is not torch.strided:
        return f"x is a {type(x).__name__} with the layout {x.layout}"
    if x.device.type != "cpu":
        return f"x is on the device {x.device}"
    if any(_is_transformed(t) for t in (x, gamma, beta) if t is not None):
        return "the call is transformed by torch.func or torch.autograd.forward_ad"
    return ""


def _is_transformed(t: Any) -> bool:
    return is_functorch_wrapped_tensor(t) or forward_ad.unpack_dual(t).tangent is not None  # type: ignore[no-untyped-call]


def group_norm(x: Any, gamma: Any, beta: Any, spec: GroupNormSpec, target: str) -> tuple[Any, str]:
    """`x` normalised, and by what; differentiable in x, gamma and beta, as often as asked for."""
    said: list[str] = []
    trained = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x, gamma, beta))
    if trained:
        return _GroupNorm.apply(x, gamma, beta, spec, target, said), said[0]  # type: ignore[no-untyped-call]
    arrays = [_array(t) for t in (x, gamma, beta)]
    kernel = kernel_for(spec, *arrays, target=target)
    return _tensor(kernel(*arrays)), repr(kernel)


class _GroupNorm(torch.autograd.Function):
    """The forward kernel that answers mean and rstd too, and the backward kernel."""

    @staticmethod
    def forward(ctx: Any, x: Any, gamma: Any, beta: Any, spec: GroupNormSpec, target: str, said: list[str]) -> Any:
        arrays = [_array(t) for t in (x, gamma, beta)]
        kernel = kernel_for(spec, *arrays, target=target, outputs=("y", "mean", "rstd"))
        y, mean, rstd = kernel(*arrays)
        ctx.save_for_backward(x, gamma, beta, _tensor(mean), _tensor(rstd))
        ctx.spec, ctx.target = spec, target
        said.append(f"{kernel!r}, and a backward kernel")
        return _tensor(y)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        x, gamma, beta, mean, rstd = ctx.saved_tensors
        if torch.is_grad_enabled():
            return *_differentiable_backward(dy, x, gamma, beta, ctx.spec), None, None, None
        dys, xs, means, rstds, gammas, betas = (_array(t) for t in (dy, x, mean, rstd, gamma, beta))
        kernel = gngen.backward_for(ctx.spec, xs, gammas, betas, target=ctx.target)
        return *map(_tensor, kernel(dys, xs, means, rstds, gammas, betas)), None, None, None


def _differentiable_backward(dy: Any, x: Any, gamma: Any, beta: Any, spec: GroupNormSpec) -> list[Any]:
    """The gradients of x, gamma and beta as functions of dy and of these, for a gradient that is itself differentiated."""
    wanted = [t for t in (x, gamma, beta) if t is not None and t.requires_grad]
    found = iter(torch.autograd.grad(by_ops.group_norm(x, gamma, beta, spec), wanted, dy, create_graph=True))
    return [None if t is None or not t.requires_grad else next(found) for t in (x, gamma, beta)]


def _array(t: Any) -> Any:
    """A tensor's memory as numpy's array; None stays None."""
    return None if t is None else as_array(t.resolve_neg())


def _tensor(a: Any) -> Any:
    """An array's memory as a tensor; None stays None."""
    return None if a is None else as_tensor(a)
