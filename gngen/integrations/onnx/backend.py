"""GroupNormalization and InstanceNormalization as compiled kernels, behind ONNX's interface of a backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gngen.api import kernel_for
from gngen.arrays import Array
from gngen.errors import LaunchError, SpecError
from gngen.integrations import require
from gngen.integrations.onnx.graph import attributes, epsilon_of, opset_of
from gngen.spec import GroupNormSpec

onnx = require("onnx", "onnx")
base = require("onnx.backend.base", "onnx")

OPERATORS = ("GroupNormalization", "InstanceNormalization")
# The version of ONNX's operators from which GroupNormalization has a scale and a bias a channel; before, they are a group's.
_PER_CHANNEL = 21


class GngenModel(base.BackendRep):  # type: ignore[misc, name-defined]
    """A model of which every node is a norm, ready to run."""

    def __init__(self, model: Any, target: str) -> None:
        self._target, self._opset, graph = target, opset_of(model), model.graph
        self._nodes = list(graph.node)
        self._stored = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
        self._inputs = [v.name for v in graph.input if v.name not in self._stored]
        self._outputs = [v.name for v in graph.output]

    def run(self, inputs: Sequence[Array], **kwargs: Any) -> tuple[Array, ...]:
        """The model's outputs for its inputs, in their order."""
        if len(inputs) != len(self._inputs):
            raise LaunchError(f"the model takes {len(self._inputs)} arrays, {', '.join(self._inputs)}; {len(inputs)} were given")
        values = {**self._stored, **dict(zip(self._inputs, inputs, strict=True))}
        for node in self._nodes:
            values[node.output[0]] = _normalize(node, [values[name] for name in node.input], self._opset, self._target)
        return tuple(values[name] for name in self._outputs)


class GngenBackend(base.Backend):  # type: ignore[misc, name-defined]
    """Runs the operators GroupNormalization and InstanceNormalization on the CPU, and models of nothing else."""

    @classmethod
    def is_compatible(cls, model: Any, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether every node is one of the two operators."""
        return cls.supports_device(device) and not _others(model)

    @classmethod
    def prepare(cls, model: Any, device: str = "CPU", target: str = "auto", **kwargs: Any) -> GngenModel:
        """A model ready to run; `target` as for :func:`gngen.compile`.

        Raises:
            SpecError: a device that is not the CPU, or a node of another operator.
        """
        _check_device(device)
        others = _others(model)
        if others:
            raise SpecError(f"the model has the operators {', '.join(others)}; gngen runs {' and '.join(OPERATORS)}")
        return GngenModel(model, target)

    @classmethod
    def run_node(cls, node: Any, inputs: Sequence[Array], device: str = "CPU", outputs_info: Any = None, **kwargs: Any) -> tuple[Array]:
        """One node's output; `opset_version` says which version of the operators it is of, the latest unless given."""
        _check_device(device)
        if node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx"):
            raise SpecError(f"gngen runs {' and '.join(OPERATORS)}; the node is {node.op_type}")
        opset = kwargs.get("opset_version", onnx.defs.onnx_opset_version())
        return (_normalize(node, inputs, opset, kwargs.get("target", "auto")),)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether a device, as `CPU` or `CUDA:1`, is the CPU."""
        return device.partition(":")[0] == "CPU"


def _check_device(device: str) -> None:
    if not GngenBackend.supports_device(device):
        raise SpecError(f"device {device} is not served; gngen runs ONNX's operators on the device CPU")


def _others(model: Any) -> list[str]:
    """The operators of a model that are not ours."""
    return sorted({n.op_type for n in model.graph.node if n.op_type not in OPERATORS or n.domain not in ("", "ai.onnx")})


def _normalize(node: Any, inputs: Sequence[Array], opset: int, target: str) -> Array:
    """The output of a node for its inputs: the data, the scale and the bias."""
    x, scale, bias = map(np.asarray, inputs)
    if x.ndim < 2:
        raise LaunchError(f"{node.op_type} takes an array of at least two axes, (N, C, ...); x has shape {x.shape}")
    groups = int(attributes(node)["num_groups"]) if node.op_type == "GroupNormalization" else -1
    _check_stash(node, x)
    spec = GroupNormSpec(groups, 1, epsilon_of(node))
    if groups != -1 and opset < _PER_CHANNEL:
        scale, bias = (_per_channel(name, p, groups, x.shape[1]) for name, p in (("scale", scale), ("bias", bias)))
    run: Callable[..., Array] = kernel_for(spec, x, scale, bias, target=target)
    return run(x, scale, bias)


def _per_channel(name: str, parameter: Array, groups: int, channels: int) -> Array:
    """One number a channel from one a group."""
    if parameter.shape != (groups,):
        raise LaunchError(
            f"{name} has shape {parameter.shape}; before opset {_PER_CHANNEL}, GroupNormalization takes one number a group, {(groups,)}"
        )
    return np.repeat(parameter, channels // groups)


def _check_stash(node: Any, x: Array) -> None:
    """A type that mean and variance are asked for in: ours are of float32, or float64 for float64 data."""
    asked = attributes(node).get("stash_type", onnx.TensorProto.FLOAT)
    if asked == onnx.TensorProto.DOUBLE and x.dtype != np.float64:
        raise SpecError(f"stash_type is double, and x is {x.dtype}; mean and variance of that are computed in float32")
