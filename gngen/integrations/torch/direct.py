"""When an operator may be called without torch's dispatcher, which takes longer than a small kernel."""

from __future__ import annotations

from typing import Any

from gngen.integrations import require

torch = require("torch", "torch")
_forward_ad = require("torch.autograd.forward_ad", "torch")

_PLAIN = (torch.Tensor, torch.nn.Parameter)
# What may want to know of an operator's call.
_is_compiling = torch.compiler.is_compiling
_dispatch_modes = torch._C._len_torch_dispatch_stack
in_functorch = torch._C._are_functorch_transforms_active
_tracing = torch._C._get_tracing_state
_in_profiler = torch.autograd._profiler_enabled


def goes_straight(x: Any, weight: Any, bias: Any) -> bool:
    """Whether the dispatcher would do nothing but call the CPU's kernel (and its gradient's): then it is called without."""
    if _is_compiling() or _dispatch_modes() or in_functorch() or _tracing() is not None or _in_profiler():
        return False
    if _forward_ad._current_level >= 0:
        return False
    if type(x) not in _PLAIN or not x.is_cpu or x.is_neg():
        return False
    if weight is not None and (type(weight) not in _PLAIN or weight.is_neg()):
        return False
    return bias is None or (type(bias) in _PLAIN and not bias.is_neg())


def refuse_tangents(*tensors: Any) -> None:
    """Raise for forward-mode derivatives, which would otherwise be dropped in silence."""
    if _forward_ad._current_level >= 0 and any(t is not None and _forward_ad.unpack_dual(t).tangent is not None for t in tensors):
        raise NotImplementedError(
            "gngen's group norm has no forward-mode derivative (jvp); for that, normalise with torch.nn.functional.group_norm"
        )
