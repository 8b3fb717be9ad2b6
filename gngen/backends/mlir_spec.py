"""The definition itself as MLIR: `linalg` on tensors, float64 inside, with every size in sight and no decision made.

Tensors are ``[batch, outer, groups, chans, inner]``; a batch that is unknown is a dynamic size. Nothing is compiled from this: it is what a
kernel computes, for passes of one's own to start from.
"""

from __future__ import annotations

import math

from gngen.backends.mlir_source import mlir_float
from gngen.errors import SpecError
from gngen.problem import Problem
from gngen.render import render

# The numbers that formulas name.
_NUMBERS = {
    "zero": 0.0,
    "one": 1.0,
    "half": 0.5,
    "root_half": math.sqrt(0.5),
    "density": 1 / math.sqrt(2 * math.pi),
    "cubic": 0.044715,
    "three_cubic": 3 * 0.044715,
    "rate": 2 * math.sqrt(2 / math.pi),
}
# Those that an activation needs beside zero and one, and its derivative.
_ACTIVATION = {"gelu": ("half", "root_half"), "gelu_tanh": ("cubic", "rate")}
_DERIVATIVE = {"gelu": ("half", "root_half", "density"), "gelu_tanh": ("cubic", "rate", "three_cubic")}


def print_spec(p: Problem) -> str:
    """The MLIR text of a problem: one function from tensors to tensors, in the order of a kernel's arrays; a mask is of i1.

    SpecError for a part of a pass, whose sums are a kernel's own business.
    """
    if p.stage:
        raise SpecError(f"the part {p.stage!r} of a {p.direction} pass has no form on tensors; the whole pass has one")
    return _backward(p) if p.direction == "backward" else _forward(p)


def _types(p: Problem) -> dict[str, str]:
    """The types of tensors: of all elements, of positions, samples and groups, of channels, and of each sample's own channels."""
    batch = "?" if p.batch is None else str(p.batch)
    return {
        "x": f"tensor<{batch}x{p.outer}x{p.groups}x{p.chans}x{p.inner}x{p.data}>",
        "mask": f"tensor<{batch}x{p.outer}x{p.inner}xi1>",
        "samples": f"tensor<{batch}xf64>",
        "sums": f"tensor<{batch}x{p.groups}xf64>",
        "stats": f"tensor<{batch}x{p.groups}x{p.kind}>",
        "parameter": f"tensor<{p.groups}x{p.chans}x{p.parameters}>",
        "gradient": f"tensor<{p.groups}x{p.chans}xf64>",
        "own": f"tensor<{batch}x{p.groups}x{p.chans}x{p.parameters}>",
    }


def _numbers(p: Problem, *names: str) -> list[tuple[str, str]]:
    """The constants of a function: name, and value as MLIR writes it."""
    known = {**_NUMBERS, "count": float(p.group), "chans": float(p.chans), "epsilon": p.epsilon}
    return [(name, mlir_float(known[name], "f64")) for name in names]


def _forward(p: Problem) -> str:
    t = _types(p)
    weights = [name for name, has in (("gamma", p.scale), ("beta", p.center)) if has]
    own = ["own_scale", "own_shift"] if p.modulation else []
    parameters = [(name, t["parameter"], "#channel") for name in weights] + [(name, t["own"], "#own") for name in own]
    inputs = [("x", t["x"])] + [("residual", t["x"])] * p.residual + [("mask", t["mask"])] * p.masked
    outputs = {"y": ("%y", t["x"]), "sum": ("%total", t["x"]), "mean": ("%mean", t["stats"]), "rstd": ("%rstd", t["stats"])}
    ordered = [outputs[name] for name in outputs if name in p.outputs]
    names = ("zero", "one", "chans" if p.masked else "count", "epsilon", *_ACTIVATION.get(p.activation or "", ()))
    return render(
        "mlir/forward.mlir.j2",
        p=p,
        t=t,
        numbers=_numbers(p, *names),
        inputs=[*inputs, *((name, kind) for name, kind, _ in parameters)],
        parameters=parameters,
        outputs=ordered,
        steps=_steps(p),
    )


def _steps(p: Problem) -> list[tuple[str, str, str, str]]:
    """From the distance from the mean to z, what is activated."""
    steps = [("mulf", "%rstd_1"), *_weighing(p)]
    if p.modulation:
        steps += [("mulf", "%factor"), ("addf", "%own_shift_1")]
    return _chain("%d", steps)


def _weighing(p: Problem) -> list[tuple[str, str]]:
    """What gamma and beta do: operations and their right operands."""
    return [("mulf", "%gamma_1")] * p.scale + [("addf", "%beta_1")] * p.center


def _chain(before: str, steps: list[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    """Each step's operation, result and operands; the last result is ``%z``."""
    names = [before, *(f"%z{k}" for k in range(1, len(steps))), "%z"]
    return [(operation, names[k + 1], names[k], right) for k, (operation, right) in enumerate(steps)]


def _backward(p: Problem) -> str:
    t = _types(p)
    weights = [name for name, has in (("gamma", p.scale), ("beta", p.center and p.activation is not None)) if has]
    parameters = [(name, t["parameter"]) for name in weights]
    inputs = [("dy", t["x"]), ("x", t["x"]), ("mean", t["stats"]), ("rstd", t["stats"]), *parameters]
    outputs = [("%dx", t["x"])] + [("%dgamma", t["parameter"])] * p.scale + [("%dbeta", t["parameter"])] * p.center
    names = ("zero", "one", "count", *_DERIVATIVE.get(p.activation or "", ()))
    weighing = _weighing(p) if p.activation else []
    g = "%g" if p.activation else "%dy_1"
    return render(
        "mlir/backward.mlir.j2",
        p=p,
        t=t,
        numbers=_numbers(p, *names),
        inputs=inputs,
        parameters=parameters,
        outputs=outputs,
        xhat="%z" if p.activation and not weighing else "%xhat",  # which is z itself where there are no weights
        steps=_chain("%xhat", weighing),
        g=g,
        s="%s" if p.scale else g,
    )
