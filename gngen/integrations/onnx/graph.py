"""An ONNX graph to ask questions of: who makes and who takes a tensor, its shape and type, and its value where that is constant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from gngen.arrays import Array
from gngen.errors import SpecError
from gngen.integrations import require

onnx, inliner = require("onnx", "onnx"), require("onnx.inliner", "onnx")

Shape = tuple[int | None, ...]


class Graph:
    """The main graph of a model, with local functions inlined and shapes inferred.

    dims: sizes for the names of dimensions that the model's inputs leave open. The batch, the first axis of the first input, is 1
    unless given.
    """

    def __init__(self, model: Any, dims: Mapping[str, int]) -> None:
        if model.functions:
            model = inliner.inline_local_functions(model)
        self.opset = opset_of(model)
        self.model = _inferred(model, dims)
        graph = self.model.graph
        self.nodes = list(graph.node)
        self.outputs = {o.name for o in graph.output}
        self.maker = {name: node for node in self.nodes for name in node.output if name}
        self.takers: dict[str, list[Any]] = defaultdict(list)
        for node in self.nodes:
            for name in dict.fromkeys(node.input):
                self.takers[name].append(node)
        self._stored = {t.name: t for t in graph.initializer}
        self._types = {v.name: v.type.tensor_type for v in (*graph.input, *graph.output, *graph.value_info)}

    def shape(self, name: str) -> Shape | None:
        """A tensor's shape, None for each size that is not known; None where nothing is."""
        if name in self._stored:
            return tuple(self._stored[name].dims)
        found = self._types.get(name)
        if found is None or not found.HasField("shape"):
            return None
        return tuple(d.dim_value if d.HasField("dim_value") else None for d in found.shape.dim)

    def dtype(self, name: str) -> str:
        """The name of a tensor's type; "" where it is not known."""
        found = self._types.get(name)
        return onnx.helper.tensor_dtype_to_np_dtype(found.elem_type).name if found is not None and found.elem_type else ""

    def constant(self, name: str) -> Array | None:
        """A tensor's value where the file says it, or None."""
        while name in self.maker and self.maker[name].op_type == "Identity":
            name = self.maker[name].input[0]
        if name in self._stored:
            return _value(self._stored[name])
        node = self.maker.get(name)
        if node is None or node.op_type != "Constant":
            return None
        given = attributes(node)
        return _value(given["value"]) if "value" in given else np.asarray(next(iter(given.values())))

    def only_taker(self, name: str) -> Any:
        """The one node that takes a tensor, or None where there is another, or where the model gives the tensor out."""
        takers = self.takers[name]
        return takers[0] if len(takers) == 1 and name not in self.outputs else None

    def open_dims(self) -> str:
        """The model's inputs with a size that is still open, as `x (n, 3, height, width)`."""
        stored = set(self._stored)
        shown = []
        for value in self.model.graph.input:
            sizes = [d.dim_param or (str(d.dim_value) if d.HasField("dim_value") else "?") for d in value.type.tensor_type.shape.dim]
            if value.name not in stored and not all(size.isdigit() for size in sizes):
                shown.append(f"{value.name} ({', '.join(sizes)})")
        return ", ".join(shown)


def opset_of(model: Any) -> int:
    """The version of ONNX's own operators that a model is written in."""
    return int(next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0))


def attributes(node: Any) -> dict[str, Any]:
    """The attributes of a node as Python values."""
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def epsilon_of(node: Any) -> float:
    """A norm's epsilon: the shortest decimal that is the float32 in the file."""
    return float(str(np.float32(attributes(node).get("epsilon", 1e-5))))


def _value(tensor: Any) -> Array | None:
    """A stored tensor; None where its data are in another file."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return None
    value: Array = onnx.numpy_helper.to_array(tensor)
    return value


def _inferred(model: Any, dims: Mapping[str, int]) -> Any:
    """A copy with sizes in place of names, and the shapes that follow from them."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    stored = {t.name for t in model.graph.initializer}
    inputs = [v for v in model.graph.input if v.name not in stored]
    sizes = {**_batch(inputs), **dims}
    known = {d.dim_param for v in inputs for d in v.type.tensor_type.shape.dim if d.dim_param}
    for name in dims:
        if name not in known:
            raise SpecError(
                f"the model's inputs have no dimension {name!r}; choose from {', '.join(sorted(known)) or 'none: all are fixed'}"
            )
    for value in inputs:
        for axis, d in enumerate(value.type.tensor_type.shape.dim):
            if d.dim_param in sizes:
                d.dim_value = sizes[d.dim_param]
            elif axis == 0 and not d.WhichOneof("value"):
                d.dim_value = 1
    del model.graph.value_info[:]  # said of the sizes as they were
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        model.graph.value_info.extend(onnx.shape_inference.infer_shapes(_simplified(model), data_prop=True).graph.value_info)
    except (onnx.shape_inference.InferenceError, RuntimeError) as e:
        raise SpecError(f"its shapes cannot be inferred: {' '.join(str(e).split())[:300]}") from None
    return model


def _simplified(model: Any) -> Any:
    """A copy of as many nodes and the same shapes: for GroupNormalization, onnx's inference gives none."""
    simple = onnx.ModelProto.FromString(model.SerializeToString())
    for node in simple.graph.node:
        if node.op_type == "GroupNormalization" and node.domain in ("", "ai.onnx"):
            node.op_type = "Identity"
            del node.input[1:]
            del node.attribute[:]
    return simple


def _batch(inputs: list[Any]) -> dict[str, int]:
    """1 for the name of the batch."""
    first = inputs[0].type.tensor_type.shape.dim if inputs else []
    return {first[0].dim_param: 1} if first and first[0].dim_param else {}
