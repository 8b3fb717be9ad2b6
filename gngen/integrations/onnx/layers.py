"""The group and instance norms of an ONNX model as a list of layers, for `gngen compare` and `gngen tune`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gngen.errors import SpecError
from gngen.integrations import require
from gngen.integrations.onnx.graph import Graph, attributes, epsilon_of
from gngen.models import Layer, LayerList
from gngen.problem import check_dtype

onnx = require("onnx", "onnx")

_ACTIVATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Gelu": "gelu", "Swish": "silu"}


def read_layers(model: Any, dims: Mapping[str, int] | None = None) -> LayerList:
    """The distinct group and instance norms of a model, each with how often it is there; the features are axis 1.

    Found are the operators GroupNormalization and InstanceNormalization, the Reshape, InstanceNormalization, Reshape (Mul, Add) that
    exporters write for a group norm, and after each the activations that a kernel can compute with it.

    Args:
        model: the path of a file, or an `onnx.ModelProto`; weights in other files are not read.
        dims: sizes for the names of dimensions that the model's inputs leave open; the batch is 1 unless given.

    Raises:
        SpecError: no readable model, no norms in it, or one whose shape does not follow from what is known.
    """
    shown, stem = (os.fspath(model), Path(model).stem) if isinstance(model, (str, os.PathLike)) else ("the model", "onnx")
    try:
        graph = Graph(_load(model), dims or {})
        found = list(_norms(graph))
        if not found:
            raise SpecError("has no group or instance norm")
        return _listed(stem, graph, found)
    except SpecError as e:
        raise SpecError(f"{shown}: {e}") from None


def _load(model: Any) -> Any:
    if not isinstance(model, (str, os.PathLike)):
        return model
    try:
        loaded = onnx.load(model, load_external_data=False)
    except OSError as e:
        raise SpecError(e.strerror or str(e)) from None
    except Exception as e:  # protobuf's DecodeError, which no public name of onnx's is
        raise SpecError(f"not a readable ONNX model: {e}") from None
    if not loaded.graph.node:
        raise SpecError("not a readable ONNX model: it has no nodes")
    return loaded


def _listed(stem: str, graph: Graph, found: list[tuple[Layer, str]]) -> LayerList:
    """Equal layers once, under the first one's name."""
    counts = Counter(replace(layer, name="any") for layer, _ in found)
    names: dict[Layer, str] = {}
    for layer, _ in found:
        names.setdefault(replace(layer, name="any"), layer.name)
    layers = tuple(replace(layer, name=names[layer], count=count) for layer, count in counts.items())
    dtype = Counter(dtype for _, dtype in found).most_common(1)[0][0]
    check_dtype(dtype)
    maker = " ".join(filter(None, (graph.model.producer_name, graph.model.producer_version)))
    source = f"ONNX opset {graph.opset}{f', by {maker}' if maker else ''}"
    return LayerList(stem, "", source, dtype, layers)


def _norms(graph: Graph) -> Iterator[tuple[Layer, str]]:
    """Every norm of the graph in its order, and the type of its input."""
    for node in graph.nodes:
        if node.domain not in ("", "ai.onnx"):
            continue
        if node.op_type == "GroupNormalization":
            groups = int(attributes(node)["num_groups"])
            yield _layer(graph, node, node.input[0], node.output[0], groups, True, True)
        elif node.op_type == "InstanceNormalization":
            yield _exported(graph, node) or _layer(graph, node, node.input[0], node.output[0], -1, True, True)


def _layer(graph: Graph, node: Any, x: str, y: str, groups: int, scale: bool, center: bool) -> tuple[Layer, str]:
    """The layer from tensor x to tensor y, with the activation after it."""
    name = node.name or node.output[0]
    shape = graph.shape(x)
    if shape is None or None in shape:
        sizes = "unknown" if shape is None else f"({', '.join('?' if n is None else str(n) for n in shape)})"
        raise SpecError(
            f"{name}: the shape of its input is {sizes}; give sizes for what the inputs leave open: {graph.open_dims() or 'nothing'}"
        )
    fixed = tuple(int(n or 0) for n in shape)
    try:
        layer = Layer(name, fixed, fixed[1] if groups == -1 else groups, 1, epsilon_of(node), center, scale, _activation(graph, y))
    except (SpecError, IndexError) as e:
        raise SpecError(f"{name}: {e}") from None
    return layer, graph.dtype(x)


def _exported(graph: Graph, node: Any) -> tuple[Layer, str] | None:
    """Reshape to (N, groups, -1), instance norm, Reshape back: a group norm; Mul and Add after it are gamma and beta."""
    before, after = graph.maker.get(node.input[0]), graph.only_taker(node.output[0])
    if before is None or after is None or before.op_type != "Reshape" or after.op_type != "Reshape" or after.input[0] != node.output[0]:
        return None
    x, y = before.input[0], after.output[0]
    outside, inside = graph.shape(x), graph.shape(node.input[0])
    if outside is None or inside is None or len(outside) < 2 or outside[0] != inside[0]:
        return None
    channels, groups = outside[1], inside[1]
    if not channels or not groups or channels % groups or not _restores(graph, after.input[1], x):
        return None
    y, scale = _parameter(graph, y, "Mul", channels, 1.0)
    y, center = _parameter(graph, y, "Add", channels, 0.0)
    own = [graph.constant(name) for name in node.input[1:]]
    scale = scale or own[0] is None or bool((own[0] != 1).any())
    center = center or own[1] is None or bool((own[1] != 0).any())
    return _layer(graph, node, x, y, groups, scale, center)


def _restores(graph: Graph, sizes: str, x: str) -> bool:
    """Whether a Reshape to `sizes` gives the shape of tensor x: they are taken of it, or say the same."""
    node = graph.maker.get(sizes)
    if node is not None and node.op_type == "Shape":
        return bool(node.input[0] == x)
    said, shape = graph.constant(sizes), graph.shape(x)
    if said is None or shape is None or len(said) != len(shape) or (said == -1).sum() > 1:
        return False
    return all(n in (-1, own) or (n == 0 and own is not None) for n, own in zip(said.tolist(), shape, strict=True))


def _parameter(graph: Graph, y: str, operator: str, channels: int, neutral: float) -> tuple[str, bool]:
    """The tensor behind a Mul or Add of one number a channel, and whether it has an effect; y itself where there is none."""
    node, shape = graph.only_taker(y), graph.shape(y)
    if node is None or node.op_type != operator or shape is None:
        return y, False
    other = node.input[1] if node.input[0] == y else node.input[0]
    sizes = graph.shape(other)
    if sizes is None or len(sizes) > len(shape):
        return y, False
    spread = (1,) * (len(shape) - len(sizes)) + sizes
    if spread == (1, channels) + (1,) * (len(shape) - 2):
        value = graph.constant(other) if channels == 1 else None
        return node.output[0], value is None or bool((value != neutral).any())
    value = graph.constant(other)
    if value is not None and value.size == 1 and float(np.ravel(value)[0]) == neutral:
        return node.output[0], False
    return y, False


def _activation(graph: Graph, y: str) -> str | None:
    """The activation of tensor y that a kernel can compute, where y goes nowhere else."""
    if y in graph.outputs:
        return None
    takers = graph.takers[y]
    if len(takers) == 1 and takers[0].domain in ("", "ai.onnx"):
        name = _ACTIVATIONS.get(takers[0].op_type)
        given = attributes(takers[0])
        if name == "gelu" and given.get("approximate", b"none") == b"tanh":
            return "gelu_tanh"
        return name if given.get("alpha", 1.0) == 1.0 else None
    if len(takers) == 2:
        gate = next((node for node in takers if node.op_type == "Sigmoid"), None)
        product = next((node for node in takers if node.op_type == "Mul"), None)
        if gate is not None and product is not None and sorted(product.input) == sorted((y, gate.output[0])):
            return "silu" if graph.only_taker(gate.output[0]) is product else None
    return None
