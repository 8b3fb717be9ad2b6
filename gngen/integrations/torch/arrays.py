"""Tensors as a launcher takes them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from gngen.arrays import dtype_of
from gngen.integrations import require

torch = require("torch", "torch")


def as_array(t: Any) -> Any:
    """numpy's view of a tensor on a CPU; a tensor on a GPU itself. Either way without its gradient."""
    t = t.detach()
    if not t.is_cpu:
        return t
    if t.dtype != torch.bfloat16:
        return t.numpy()
    return t.view(torch.int16).numpy().view(dtype_of("bf16"))


def as_tensor(a: Any) -> Any:
    """A tensor of a launcher's answer, without a copy."""
    if not isinstance(a, np.ndarray):
        return a
    return torch.from_numpy(a) if a.dtype.name != "bfloat16" else torch.from_numpy(a.view(np.int16)).view(torch.bfloat16)
