"""ONNX: the norms of a model file as a list of layers, and its normalisation operators as compiled kernels.

layers = gngen.integrations.onnx.read_layers("model.onnx", dims={"height": 64, "width": 64})
y, = gngen.integrations.onnx.GngenBackend.prepare(model).run([x, scale, bias])
"""

from gngen.integrations.onnx.backend import GngenBackend
from gngen.integrations.onnx.layers import read_layers

__all__ = ["GngenBackend", "read_layers"]
