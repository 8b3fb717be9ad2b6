"""The public interface of a bundle's library, as numbers and names: what its header says in C."""

from __future__ import annotations

from gngen.problem import FUSED, Problem
from gngen.spec import ACTIVATIONS

# The numbers of types, activations and flags in the public interface are their places here.
KINDS = ("f32", "f64", "f16", "bf16")
ACTIVATION_NAMES = ("none", *ACTIVATIONS)
FLAGS = ("center", "scale", *FUSED, "sum", "mean", "rstd")


def arguments(p: Problem) -> tuple[str, ...]:
    """The arrays that a problem's call takes, by their names in the public interface."""
    inputs = [("residual", p.residual), ("mask", p.masked), ("gamma", p.scale), ("beta", p.center), ("scale", p.modulation)]
    named = [name for name, there in (*inputs, ("shift", p.modulation)) if there]
    return ("x", *named, *p.outputs)


def flag_bits(p: Problem) -> int:
    """A problem's flags, as the public interface counts them."""
    there = {"center": p.center, "scale": p.scale, **dict.fromkeys(p.fused, True), **dict.fromkeys(p.outputs, True)}
    return sum(1 << bit for bit, name in enumerate(FLAGS) if there.get(name))
