"""From tensors to the backward kernels; on a GPU, where those do not run yet, to torch's own gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gngen import api
from gngen.errors import LaunchError
from gngen.fastcall import address_call
from gngen.integrations import require
from gngen.integrations.torch.arrays import as_array, as_tensor
from gngen.integrations.torch.kernels import (
    NAMES,
    check_ran,
    check_tensors,
    convert_parameters,
    describe,
    has_right_parameters,
    order_of,
    param_type,
    remember,
    spec_of,
    stat_type,
)

torch = require("torch", "torch")

# A prepared call takes dy, x, mean, rstd, weight and bias, and gives the three gradients.
Call = Callable[[Any, Any, Any, Any, Any, Any], tuple[Any, Any, Any]]
_calls: dict[Any, Call] = {}


def run_backward(
    dy: Any, x: Any, mean: Any, rstd: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None
) -> tuple[Any, Any, Any]:
    """The gradients of x (as x lies), weight and bias; empty where there is no weight or no bias.

    Raises:
        SpecError, LaunchError: arguments that do not go together.
    """
    stats = (mean.shape, mean.stride(), mean.dtype, rstd.shape, rstd.stride(), rstd.dtype)
    key = (dy.shape, dy.stride(), dy.dtype, dy.device, *describe(x, weight, bias), *stats, groups, eps, activation)
    call = _calls.get(key)
    if call is None:
        call = remember(_calls, key, prepare_backward(dy, x, mean, rstd, weight, bias, groups, eps, activation))
    return call(dy, x, mean, rstd, weight, bias)


def missing(x: Any, weight: Any, bias: Any) -> Any:
    """What stands for the gradient of a weight or bias that is None."""
    return x.new_empty(0, dtype=param_type(x, weight, bias))


def prepare_backward(
    dy: Any,
    x: Any,
    mean: Any,
    rstd: Any,
    weight: Any,
    bias: Any,
    groups: int,
    eps: float,
    activation: str | None,
    target: str = "auto",
) -> Call:
    """The call for tensors like these."""
    check_tensors(x, weight, bias)
    if dy.shape != x.shape or dy.dtype != x.dtype or dy.device != x.device:
        raise LaunchError(f"dy is {dy.dtype} of shape {tuple(dy.shape)} on {dy.device}; x {x.dtype} of {tuple(x.shape)} on {x.device}")
    for name, t in (("mean", mean), ("rstd", rstd)):
        if tuple(t.shape) != (x.shape[0], groups) or t.dtype != stat_type(x) or t.device != x.device:
            raise LaunchError(f"{name} is {t.dtype} of shape {tuple(t.shape)}; of this x it is {stat_type(x)} of {(x.shape[0], groups)}")
    if not x.numel():
        return _answer_empty
    if not x.is_cpu:
        return lambda dy, x, mean, rstd, weight, bias: differentiate_with_torch(dy, x, weight, bias, groups, eps, activation)
    order = order_of(x)
    like = x if order else torch.empty_like(x)
    kind = param_type(x, weight, bias)
    kernel = api.compile(
        spec_of(weight, bias, groups, eps, activation),
        tuple(x.shape),
        NAMES[x.dtype],
        target,
        order=order_of(like),
        param_dtype=NAMES[kind],
        direction="backward",
    )
    # the derivative of an activation needs what was activated; without one, the bias makes no difference
    reads_bias = activation is not None
    address = None if kernel.layout.copied else address_call(kernel.launcher)
    call = _call_launcher(kernel, reads_bias) if address is None else _call_addresses(address, kind, reads_bias)
    packed = mean.is_contiguous() and rstd.is_contiguous()
    if order and packed and dy.stride() == x.stride() and has_right_parameters(x, weight, bias):
        return call
    return _convert(call)


def _call_addresses(call: Callable[..., int], kind: Any, reads_bias: bool) -> Call:
    def run(dy: Any, x: Any, mean: Any, rstd: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
        dx = torch.empty_like(x)
        dweight = torch.empty(0 if weight is None else x.shape[1], dtype=kind)
        dbias = torch.empty(0 if bias is None else x.shape[1], dtype=kind)
        read = [t.data_ptr() for t in (dy, x, mean, rstd, weight, bias if reads_bias else None) if t is not None]
        written = [t.data_ptr() for t in (dx, dweight, dbias) if t.shape[0]]
        check_ran(call(*read, *written, x.shape[0], torch.get_num_threads()))
        return dx, dweight, dbias

    return run


def _call_launcher(kernel: Any, reads_bias: bool) -> Call:
    def run(dy: Any, x: Any, mean: Any, rstd: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
        dx = torch.empty_like(x)
        parameters = [None if p is None else as_array(p) for p in (weight, bias if reads_bias else None)]
        _, *found = kernel(*map(as_array, (dy, x, mean, rstd)), *parameters, out=as_array(dx))
        dweight, dbias = (missing(x, weight, bias) if g is None else as_tensor(g) for g in found)
        return dx, dweight, dbias

    return run


def _convert(call: Call) -> Call:
    """With what does not lie as the kernel reads it copied, and the parameters' gradients in their own types."""

    def run(dy: Any, x: Any, mean: Any, rstd: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
        dense = x.detach() if order_of(x) else torch.empty_like(x).copy_(x.detach())
        ups = dy.detach() if dy.stride() == dense.stride() else torch.empty_like(dense).copy_(dy.detach())
        dx, *found = call(ups, dense, mean.detach().contiguous(), rstd.detach().contiguous(), *convert_parameters(x, weight, bias))
        dweight, dbias = (g if p is None else g.to(p.dtype) for p, g in zip((weight, bias), found, strict=True))
        return dx, dweight, dbias

    return run


def _answer_empty(dy: Any, x: Any, mean: Any, rstd: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
    dweight, dbias = (missing(x, weight, bias) if p is None else torch.zeros_like(p) for p in (weight, bias))
    return torch.empty_like(x), dweight, dbias


def differentiate_with_torch(
    dy: Any, x: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None
) -> tuple[Any, Any, Any]:
    """The gradients as torch takes them of its own group norm and activation, in the parameters' type."""
    kind = param_type(x, weight, bias)
    inputs = [None if t is None else t.detach().to(kind).requires_grad_() for t in (x, weight, bias)]
    with torch.enable_grad():
        y = _TORCH_ACTIVATIONS[activation](torch.nn.functional.group_norm(inputs[0], groups, *inputs[1:], eps))
        found = iter(torch.autograd.grad(y, [t for t in inputs if t is not None], dy.detach().to(kind)))
    dx = torch.empty_like(x).copy_(next(found))
    dweight, dbias = (missing(x, weight, bias) if p is None else next(found).to(p.dtype) for p in (weight, bias))
    return dx, dweight, dbias


_TORCH_ACTIVATIONS: dict[str | None, Callable[[Any], Any]] = {
    None: lambda y: y,
    "relu": torch.relu,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": lambda y: torch.nn.functional.gelu(y, approximate="tanh"),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
