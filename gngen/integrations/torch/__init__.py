"""gngen inside PyTorch: `group_norm`, the module `GroupNorm`, and `replace`, which puts it into a model."""

from gngen.integrations import require

require("torch", "torch")

from gngen.integrations.torch.norm import GroupNorm, group_norm
from gngen.integrations.torch.replace import Replacement, replace

__all__ = ["GroupNorm", "Replacement", "group_norm", "replace"]
