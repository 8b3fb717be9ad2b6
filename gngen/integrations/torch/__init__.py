"""gngen inside PyTorch: `group_norm`, the module `GroupNorm`, `replace`, which puts it into a model, and `ShardedGroupNorm`."""

from gngen.integrations import require

require("torch", "torch")

from gngen.integrations.torch.norm import GroupNorm, group_norm
from gngen.integrations.torch.replace import Replacement, replace
from gngen.integrations.torch.sharded import ShardedGroupNorm

__all__ = ["GroupNorm", "Replacement", "ShardedGroupNorm", "group_norm", "replace"]
