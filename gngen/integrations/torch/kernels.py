"""From tensors to the forward kernels: the compiled call for each shape, memory order and type.

On a CPU a kernel is called by the addresses of dense tensors; where that cannot be, and on a GPU, through its launcher. The answer lies
in memory as that of torch's own group norm: in x's memory format. A tensor that is in none, or whose elements do not fill a dense range, is
copied first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gngen import api
from gngen.errors import LaunchError, SpecError
from gngen.fastcall import address_call
from gngen.integrations import require
from gngen.integrations.torch.arrays import as_array, as_tensor
from gngen.problem import memory_order
from gngen.spec import GroupNormSpec
from gngen.target import choose_gpu

torch = require("torch", "torch")
suggest_memory_format = require("torch._prims_common", "torch").suggest_memory_format

# A prepared call takes x, weight and bias and gives y, or y, mean and rstd.
Call = Callable[[Any, Any, Any], Any]
_WITH_STATS = ("y", "mean", "rstd")
NAMES = {torch.float32: "float32", torch.float64: "float64", torch.float16: "float16", torch.bfloat16: "bfloat16"}
_HALVES = (torch.float16, torch.bfloat16)
_calls: dict[Any, Call] = {}
_CALLS_MOST = 4096


def run_forward(x: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None, stats: bool = False) -> Any:
    """y, or with `stats` (y, mean, rstd), of tensors that lie on one CPU or GPU; nothing here is differentiated.

    Raises:
        SpecError, LaunchError: arguments that do not go together.
    """
    key = (*describe(x, weight, bias), groups, eps, activation, stats)
    call = _calls.get(key)
    if call is None:
        call = remember(_calls, key, prepare_forward(x, weight, bias, groups, eps, activation, stats))
    return call(x, weight, bias)


def describe(x: Any, weight: Any, bias: Any) -> tuple[Any, ...]:
    """All that a prepared call depends on in its tensors."""
    return (
        x.shape, x.stride(), x.dtype, x.device,
        None if weight is None else (weight.shape, weight.stride(), weight.dtype, weight.device),
        None if bias is None else (bias.shape, bias.stride(), bias.dtype, bias.device),
    )  # fmt: skip


def remember(calls: dict[Any, Any], key: Any, call: Any) -> Any:
    """Keep a prepared call, within bounds."""
    if len(calls) >= _CALLS_MOST:
        calls.clear()
    calls[key] = call
    return call


def spec_of(weight: Any, bias: Any, groups: int, eps: float, activation: str | None) -> GroupNormSpec:
    """What is computed, in torch's terms: the features are axis 1."""
    return GroupNormSpec(groups, 1, eps, center=bias is not None, scale=weight is not None, activation=activation)


def param_type(x: Any, weight: Any, bias: Any) -> Any:
    """The type in which a kernel takes weight and bias: x's, or for halves float32 unless all are halves of x's kind."""
    if x.dtype in _HALVES and any(p is not None and p.dtype != x.dtype for p in (weight, bias)):
        return torch.float32
    return x.dtype


def order_of(x: Any) -> tuple[int, ...] | None:
    """The axes from the outermost in memory; None where the elements do not fill a dense range."""
    return memory_order(x.shape, x.stride(), 1)


def new_like(x: Any) -> Any:
    """An uninitialised y for x."""
    return torch.empty_like(x, memory_format=suggest_memory_format(x))


def is_in_format(x: Any) -> bool:
    """Whether y lies in memory as x does: torch knows of channels first and last alone, and takes what is neither for channels first."""
    return x.is_contiguous() or suggest_memory_format(x) is not torch.contiguous_format


def has_right_parameters(x: Any, weight: Any, bias: Any) -> bool:
    """Whether a kernel can read weight and bias where they are."""
    kind = param_type(x, weight, bias)
    return all(p is None or (p.dtype == kind and p.is_contiguous()) for p in (weight, bias))


def convert_parameters(x: Any, weight: Any, bias: Any) -> tuple[Any, Any]:
    """weight and bias as a kernel reads them."""
    kind = param_type(x, weight, bias)
    own = [None if p is None else p.detach().to(kind).contiguous() for p in (weight, bias)]
    return own[0], own[1]


def stat_type(x: Any) -> Any:
    """The type of mean and rstd."""
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def check_tensors(x: Any, weight: Any, bias: Any) -> None:
    """Raise for what no kernel takes; the spec and the shape are checked where a kernel is compiled."""
    if x.dtype not in NAMES:
        raise LaunchError(f"x is {x.dtype}; choose from {', '.join(map(str, NAMES))}")
    if x.dim() < 2:
        raise SpecError(f"group normalisation needs a batch axis and a feature axis; the input has shape {tuple(x.shape)}")
    for name, p in (("weight", weight), ("bias", bias)):
        if p is None:
            continue
        if tuple(p.shape) != (x.shape[1],):
            raise LaunchError(f"{name} has shape {tuple(p.shape)}; x has {x.shape[1]} channels, axis 1 of {tuple(x.shape)}")
        if p.device != x.device:
            raise LaunchError(f"{name} is on {p.device} and x on {x.device}; move one to the other")
        fits = (x.dtype, torch.float32) if x.dtype in _HALVES else (x.dtype,)
        if p.dtype not in fits:
            raise LaunchError(f"{name} is {p.dtype} and x {x.dtype}; choose from {', '.join(map(str, fits))}")


# Calls, prepared once for each key


def prepare_forward(
    x: Any, weight: Any, bias: Any, groups: int, eps: float, activation: str | None, stats: bool, target: str | None = None
) -> Call:
    """The call for tensors like these; target: None for the fastest that takes them where they are."""
    check_tensors(x, weight, bias)
    if not has_right_parameters(x, weight, bias):
        alike = convert_parameters(x, weight, bias)
        return _convert_parameters(prepare_forward(x, *alike, groups, eps, activation, stats, target))
    if not is_in_format(x):
        own = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        return _copy_contiguous(prepare_forward(own, weight, bias, groups, eps, activation, stats, target))
    order = order_of(x)
    if order is None:
        return _copy_dense(prepare_forward(torch.empty_like(x), weight, bias, groups, eps, activation, stats, target))
    kernel = api.compile(
        spec_of(weight, bias, groups, eps, activation),
        tuple(x.shape),
        NAMES[x.dtype],
        target or _target(x),
        _WITH_STATS if stats else ("y",),
        order=order,
        param_dtype=NAMES[param_type(x, weight, bias)],
    )
    if not x.numel():
        return _answer_empty(groups, stats)
    call = address_call(kernel.launcher) if x.is_cpu else None
    if call is None:
        return _call_launcher(kernel, stats)
    return _call_addresses(call, x, groups) if stats else _call_addresses_plain(call, x.shape[0])


def _target(x: Any) -> str:
    return "auto" if x.is_cpu else choose_gpu()


def _call_addresses_plain(call: Callable[..., int], batch: int) -> Call:
    """The usual call: y alone."""
    empty_like, threads = torch.empty_like, torch.get_num_threads

    def run(x: Any, weight: Any, bias: Any) -> Any:
        y = empty_like(x)
        scale = () if weight is None else (weight.data_ptr(),)
        shift = () if bias is None else (bias.data_ptr(),)
        check_ran(call(x.data_ptr(), *scale, *shift, y.data_ptr(), batch, threads()))
        return y

    return run


def _call_addresses(call: Callable[..., int], like: Any, groups: int) -> Call:
    """y, mean and rstd."""
    batch, kind = like.shape[0], stat_type(like)

    def run(x: Any, weight: Any, bias: Any) -> Any:
        y = torch.empty_like(x)
        mean = torch.empty((batch, groups), dtype=kind)
        rstd = torch.empty_like(mean)
        arrays = [t.data_ptr() for t in (x, weight, bias, y, mean, rstd) if t is not None]
        check_ran(call(*arrays, batch, torch.get_num_threads()))
        return y, mean, rstd

    return run


def check_ran(status: int) -> None:
    if status:
        raise LaunchError("the kernel did not run: out of memory for its scratch arrays")


def _call_launcher(kernel: Any, stats: bool) -> Call:
    """Through the launcher: numpy's views of tensors on a CPU, tensors themselves on a GPU."""

    def run(x: Any, weight: Any, bias: Any) -> Any:
        y = torch.empty_like(x)
        found = kernel(as_array(x), *(None if p is None else as_array(p) for p in (weight, bias)), as_array(y))
        return (y, *map(as_tensor, found[1:])) if stats else y

    return run


def _convert_parameters(call: Call) -> Call:
    def run(x: Any, weight: Any, bias: Any) -> Any:
        return call(x, *convert_parameters(x, weight, bias))

    return run


def _copy_dense(call: Call) -> Call:
    def run(x: Any, weight: Any, bias: Any) -> Any:
        return call(torch.empty_like(x).copy_(x.detach()), weight, bias)

    return run


def _copy_contiguous(call: Call) -> Call:
    def run(x: Any, weight: Any, bias: Any) -> Any:
        return call(x.detach().contiguous(), weight, bias)

    return run


def _answer_empty(groups: int, stats: bool) -> Call:
    """What has no elements has no mean."""

    def run(x: Any, weight: Any, bias: Any) -> Any:
        y = new_like(x)
        if not stats:
            return y
        mean, rstd = (torch.full((x.shape[0], groups), float("nan"), dtype=stat_type(x), device=x.device) for _ in range(2))
        return y, mean, rstd

    return run
