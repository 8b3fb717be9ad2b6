"""replace: torch.nn.GroupNorm in a model by gngen's, fused with the activation that follows it."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from gngen.errors import LaunchError
from gngen.integrations import require
from gngen.integrations.torch.norm import GroupNorm, group_norm
from gngen.integrations.torch.rewrite import Forward, Pair, find_calls, find_pairs, read_forward, write_forward

torch = require("torch", "torch")
nn, functional = torch.nn, torch.nn.functional

# Modules by their type, and functions of one argument, as gngen names them.
_MODULES = {nn.SiLU: "silu", nn.ReLU: "relu", nn.Sigmoid: "sigmoid", nn.Tanh: "tanh"}
_GELUS = {"none": "gelu", "tanh": "gelu_tanh"}
_FUNCTIONS = {
    functional.silu: "silu", functional.relu: "relu", functional.gelu: "gelu", functional.sigmoid: "sigmoid", functional.tanh: "tanh",
    torch.relu: "relu", torch.sigmoid: "sigmoid", torch.tanh: "tanh",
}  # fmt: skip
_ORIGINAL, _PAIRS = "_gngen_original", "_gngen_pairs"


@dataclass(frozen=True)
class Replacement:
    """What became of one torch.nn.GroupNorm of a model.

    name: its path in the model. groups, channels: its own. replaced: whether it is gngen's now. activation: what is fused with it, or None.
    why: why it was not replaced, or why nothing is fused with it; "" otherwise.
    """

    name: str
    groups: int
    channels: int
    replaced: bool
    activation: str | None
    why: str

    def __str__(self) -> str:
        done = "left as it is" if not self.replaced else f"with {self.activation}" if self.activation else "alone"
        return f"{self.name}: {self.groups} groups of {self.channels} channels, {done}{f': {self.why}' if self.why else ''}"


def replace(model: Any, fuse_activations: bool = True) -> list[Replacement]:
    """Make every torch.nn.GroupNorm of a model gngen's, in place, and do the activation that follows in the same pass.

    Modules stay the same objects with the same parameters, names, hooks and state_dict. A norm is fused where the source of the module that
    calls it shows that an activation alone reads its answer; that module's forward is written anew, and looks at each call whether the
    two can be one (no hooks, an activation with a fused form), and calls them one after the other where not. The module then is of a
    subclass of its class, of the same name; it can be copied, pickled, trained and compiled.

    Args:
        model: a torch.nn.Module, which may be a GroupNorm itself.
        fuse_activations: whether to fuse silu, relu, gelu, sigmoid and tanh, as modules or as torch's functions.

    Returns:
        What became of each, in the order of ``model.named_modules()``.

    Raises:
        LaunchError: model is not a module.
    """
    if not isinstance(model, nn.Module):
        raise LaunchError(f"model is a {type(model).__name__}; replace takes a torch.nn.Module")
    norms = {name: module for name, module in model.named_modules() if isinstance(module, nn.GroupNorm)}
    refused = {name: _why_kept(module) for name, module in norms.items()}
    for name, module in norms.items():
        if not refused[name] and type(module) is nn.GroupNorm:
            module.__class__ = GroupNorm
            module.activation = None
    fused, why = _fuse_all(model) if fuse_activations else ({}, {})
    asked = "" if fuse_activations else "not asked for"
    return [
        Replacement(
            name,
            module.num_groups,
            module.num_channels,
            not refused[name],
            module.activation or fused.get(id(module)) if not refused[name] else None,
            refused[name] or ("" if module.activation or id(module) in fused else asked or why.get(id(module)) or _NO_CALL),
        )
        for name, module in norms.items()
    ]


_NO_CALL = "no call of it was found in the forward of a module that holds it"


def _why_kept(norm: Any) -> str:
    """Why a norm cannot be gngen's, or ""."""
    if type(norm) not in (nn.GroupNorm, GroupNorm):
        return f"it is a {type(norm).__name__}, which may do something else"
    return "it has a forward of its own" if "forward" in vars(norm) else ""


# Fusing


def _fuse_all(model: Any) -> tuple[dict[int, str], dict[int, str]]:
    """Rewrite the modules that call a norm and an activation on its answer: by the norms' ids, what was fused, and why nothing was."""
    fused: dict[int, str] = {}
    why: dict[int, str] = {}
    for module in [*model.modules()]:
        if isinstance(module, GroupNorm) or not any(isinstance(m, GroupNorm) for m in module.modules()):
            continue
        if _is_sequential(module):
            _fuse_sequence(module, fused, why)
        else:
            _fuse_calls(module, fused, why)
    return fused, why


def _fuse_calls(module: Any, fused: dict[int, str], why: dict[int, str]) -> None:
    """Rewrite a module's forward for the pairs in it that are a norm of gngen's and an activation."""
    original = _original(type(module))
    forward = _read(original)
    name = f"{original.__name__}.forward"
    if forward.lacking or "forward" in vars(module):
        lacking = forward.lacking or "the module has one of its own"
        for norm in module.children():
            if type(norm) is GroupNorm:
                why.setdefault(id(norm), f"{name} cannot be rewritten: {lacking}")
        return
    chosen: list[Pair] = []
    for norm in module.children():
        if type(norm) is GroupNorm:
            why.setdefault(id(norm), f"{name} does not call it")
    for path in find_calls(forward):
        norm = _resolve(path, forward, module)
        if type(norm) is GroupNorm:
            why[id(norm)] = f"{name} calls no activation on its answer, or not that alone"
    for pair in find_pairs(forward):
        norm, act = (_resolve(path, forward, module) for path in (pair.norm, pair.act))
        if type(norm) is not GroupNorm or norm.activation is not None or act is None:
            continue
        activation = activation_of(act)
        if activation is None:
            why[id(norm)] = f"{pair.act} in {name} has no fused form"
        elif _has_hooks(norm) or _has_hooks(act):
            why[id(norm)] = f"{pair.norm} or {pair.act} in {name} has hooks"
        else:
            chosen.append(pair)
            fused[id(norm)] = activation
    if chosen:
        _become(module, original, frozenset(chosen), why, fused)


def _become(module: Any, original: type, pairs: frozenset[Pair], why: dict[int, str], fused: dict[int, str]) -> None:
    try:
        module.__class__ = fused_class(original, pairs)
    except Exception as e:  # the class's own decorators, metaclass or __init_subclass__
        forward = _read(original)
        for pair in pairs:
            norm = _resolve(pair.norm, forward, module)
            fused.pop(id(norm), None)
            why[id(norm)] = f"{original.__name__}.forward cannot be rewritten: {type(e).__name__}: {e}"


@cache
def _read(owner: Any) -> Forward:
    return read_forward(owner.forward)


def _original(kind: Any) -> Any:
    """The class that a rewritten class was made from; others are themselves."""
    return vars(kind).get(_ORIGINAL, kind)


def _resolve(path: str, forward: Forward, module: Any) -> Any:
    """What a path like ``self.norms[0]`` or ``F.silu`` in a forward means for a module, or None."""
    code = forward.function.__code__

    def look_up(node: ast.expr) -> Any:
        if isinstance(node, ast.Attribute):
            return getattr(look_up(node.value), node.attr)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            return look_up(node.value)[node.slice.value]
        if not isinstance(node, ast.Name):
            raise LookupError(path)
        if code.co_argcount and node.id == code.co_varnames[0]:
            return module
        if node.id in (*code.co_varnames, *code.co_cellvars):
            raise LookupError(path)  # what a local variable holds is known when it runs
        return forward.function.__globals__[node.id]

    try:
        return look_up(ast.parse(path, mode="eval").body)
    except Exception:  # a path that this module does not have
        return None


def activation_of(act: Any) -> str | None:
    """gngen's name of an activation module, or of a function as called with one argument; None for what has no fused form."""
    if type(act) is nn.GELU:
        return _GELUS.get(act.approximate)
    if isinstance(act, nn.Module):
        return _MODULES.get(type(act)) if "forward" not in vars(act) else None
    return _FUNCTIONS.get(act) if isinstance(act, (types.FunctionType, types.BuiltinFunctionType)) else None


def apply_fused(norm: Any, act: Any, x: Any) -> Any:
    """``act(norm(x))``, in one pass where it can be."""
    activation = activation_of(act)
    if activation is None or type(norm) is not GroupNorm or norm.activation is not None or _has_hooks(norm) or _has_hooks(act):
        return act(norm(x))
    return group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps, activation)


def _has_hooks(called: Any) -> bool:
    """Whether somebody looks at a module's calls."""
    if not isinstance(called, nn.Module):
        return False
    own = called._forward_hooks or called._forward_pre_hooks or called._backward_hooks or called._backward_pre_hooks
    return bool(own) or bool(nn.modules.module._has_any_global_hook())


# Classes with a forward written anew


@cache
def fused_class(original: Any, pairs: frozenset[Pair] | None) -> Any:
    """A subclass with those pairs fused in its forward; None: of a Sequential, whose pairs are its neighbours."""
    forward = _forward_in_sequence if pairs is None else write_forward(_read(original), sorted(pairs, key=str), apply_fused)
    own = {
        "forward": forward,
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        "__doc__": original.__doc__,
        "__reduce_ex__": _reduce,
        _ORIGINAL: original,
        _PAIRS: pairs,
    }
    return types.new_class(original.__name__, (original,), {}, lambda space: space.update(own))


def _reduce(self: Any, protocol: Any) -> Any:
    """Pickled and copied as an object of the original class, to be rewritten again."""
    kind: Any = next(k for k in type(self).__mro__ if _ORIGINAL in vars(k))
    plain = super(kind, self).__reduce_ex__(max(protocol, 2))
    if kind is not type(self):  # somebody's own subclass of it
        return plain
    _, _, *rest = plain
    return _revive, (getattr(kind, _ORIGINAL), getattr(kind, _PAIRS)), *rest


def _revive(original: Any, pairs: frozenset[Pair] | None) -> Any:
    kind = fused_class(original, pairs)
    return kind.__new__(kind)


# Sequential


def _is_sequential(module: Any) -> bool:
    return isinstance(module, nn.Sequential) and _original(type(module)).forward is nn.Sequential.forward and "forward" not in vars(module)


def _neighbours(module: Any) -> Iterator[tuple[Any, Any]]:
    steps = [*module]
    yield from zip(steps, [*steps[1:], None], strict=True)


def _fuse_sequence(module: Any, fused: dict[int, str], why: dict[int, str]) -> None:
    found = False
    for norm, act in _neighbours(module):
        if type(norm) is not GroupNorm or norm.activation is not None:
            continue
        activation = activation_of(act)
        if activation is None:
            what = "nothing" if act is None else f"a {type(act).__name__}, which has no fused form,"
            why.setdefault(id(norm), f"{what} follows it in a {_original(type(module)).__name__}")
        elif _has_hooks(norm) or _has_hooks(act):
            why[id(norm)] = "it or the activation after it has hooks"
        else:
            fused[id(norm)], found = activation, True
    if found:
        module.__class__ = fused_class(_original(type(module)), None)


def _forward_in_sequence(self: Any, input: Any) -> Any:
    """Sequential.forward, with a norm and its next neighbour in one call."""
    held = None
    for module in self:
        if held is not None:
            input, held = apply_fused(held, module, input), None
        elif type(module) is GroupNorm:
            held = module
        else:
            input = module(input)
    return input if held is None else held(input)
