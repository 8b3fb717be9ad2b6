"""How often the CUDA kernels of other libraries read and write the tensor, as their sources say; docs/gpu.md says which.

Counted are loads and stores of whole tensors of x's type; all three keep sums in float32, and their other arrays are small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from suite import Case

# apex/contrib/group_norm/group_norm.py: what its kernels take, and up to how many positions one pass holds on a GPU since sm_80.
APEX_GROUPS = (16, 32)
APEX_CHANNELS = (
    128, 256, 320, 384, 448, 512, 640, 768, 896, 960, 1024, 1280, 1344, 1536, 1792, 1920, 2048, 2240, 2560, 2688, 3072, 3136, 3584, 4096,
)  # fmt: skip
APEX_WIDE, APEX_WIDE_POSITIONS = (3136, 3584, 4096), 512
APEX_POSITIONS = 1024
# onnxruntime/contrib_ops/cuda/diffusion: channels of a group at most, and channels that a thread takes at once.
ORT_CHANNELS_MOST, ORT_CHANNELS_THREAD = 512, 2
ORT_DTYPES = ("f32", "f16")


@dataclass(frozen=True)
class Passes:
    """Tensors read and written, one after the other or at once."""

    reads: int
    writes: int

    def bytes(self, case: Case) -> int:
        return (self.reads + self.writes) * case.elements * ITEM_BYTES[case.dtype]


ITEM_BYTES = {"f32": 4, "bf16": 2, "f16": 2}


def pytorch(case: Case) -> Passes:
    """Moments, then the elementwise pass, then the activation; channels-last is first copied to channels-first, and stays so."""
    copy = 1 if case.layout == "nhwc" else 0
    activation = 1 if case.op == "silu" else 0
    return Passes(2 + copy + activation, 1 + copy + activation)


def apex(case: Case) -> Passes | None:
    """Held in registers where an image is small; read twice otherwise; None where it forwards to PyTorch."""
    if case.layout != "nhwc" or len(case.shape) != 4 or case.groups not in APEX_GROUPS or case.shape[1] not in APEX_CHANNELS:
        return None
    positions = case.shape[2] * case.shape[3]
    wide = case.shape[1] in APEX_WIDE and positions >= APEX_WIDE_POSITIONS
    return Passes(2, 1) if wide or positions > APEX_POSITIONS else Passes(1, 1)


def onnxruntime(case: Case) -> Passes | None:
    """Sums, then the elementwise pass; None where it has no kernel."""
    groups = case.shape[1] if case.groups == -1 else case.groups
    chans = case.shape[1] // groups
    takes = case.layout == "nhwc" and len(case.shape) == 4 and case.dtype in ORT_DTYPES
    return Passes(2, 1) if takes and chans <= ORT_CHANNELS_MOST and chans % ORT_CHANNELS_THREAD == 0 else None


PEERS: dict[str, Callable[[Case], Passes | None]] = {"PyTorch": pytorch, "Apex": apex, "ONNX Runtime": onnxruntime}
