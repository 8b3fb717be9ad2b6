"""One process of test_sharded: no more than it needs is imported here, since each process imports it anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Part:
    """The arguments of a layer, its parameters, and a process's part of x and dy."""

    arguments: dict[str, Any]
    parameters: dict[str, Any]
    x: Any
    dy: Any


def run(rank: int, world: int, groups: list[int], folder: str) -> None:
    """Do the parts of a process in each group, the first so many of all, forward and backward, and store what it found."""
    import torch

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=world)
    for count in groups:
        group = torch.distributed.new_group(list(range(count)))
        if rank < count:
            parts = torch.load(f"{folder}/{count}.{rank}.given", weights_only=False)
            torch.save([normalise(part, group) for part in parts], f"{folder}/{count}.{rank}.found")
    torch.distributed.destroy_process_group()


def normalise(part: Part, group: Any) -> dict[str, Any]:
    from gngen.integrations.torch.sharded import ShardedGroupNorm

    norm: Any = ShardedGroupNorm(**part.arguments, process_group=group)
    norm.load_state_dict(part.parameters)
    x = part.x.requires_grad_()
    y = norm(x)
    found = {"stats": y.grad_fn.saved_tensors[-1], "alike": y.stride() == x.stride()}
    y.backward(part.dy)
    return found | {"y": y.detach(), "dx": x.grad} | {name: p.grad for name, p in norm.named_parameters()}
