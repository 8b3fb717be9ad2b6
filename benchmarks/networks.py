"""Whole networks with random weights, as their own packages build them from a configuration written out here; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# stable-diffusion-v1-5/unet/config.json: 61 group norms, 860 million parameters.
SD15_UNET: dict[str, Any] = {
    "sample_size": 64, "in_channels": 4, "out_channels": 4, "center_input_sample": False, "flip_sin_to_cos": True, "freq_shift": 0,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "block_out_channels": (320, 640, 1280, 1280), "layers_per_block": 2, "downsample_padding": 1, "mid_block_scale_factor": 1,
    "act_fn": "silu", "norm_num_groups": 32, "norm_eps": 1e-5, "cross_attention_dim": 768, "attention_head_dim": 8,
}  # fmt: skip
# The same with a tenth of the channels.
SMALL_UNET = SD15_UNET | {"block_out_channels": (32, 64, 128, 128), "norm_num_groups": 16, "cross_attention_dim": 32}
# stable-diffusion-v1-5/vae/config.json
SD15_VAE: dict[str, Any] = {
    "sample_size": 512, "in_channels": 3, "out_channels": 3, "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4, "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "act_fn": "silu",
    "latent_channels": 4, "norm_num_groups": 32, "scaling_factor": 0.18215,
}  # fmt: skip
SMALL_VAE = SD15_VAE | {"block_out_channels": (16, 32, 64, 64), "norm_num_groups": 8}
# MONAI's defaults, on one channel.
SEGRESNET: dict[str, Any] = {"spatial_dims": 3, "init_filters": 16, "in_channels": 1, "out_channels": 3}
SMALL_SEGRESNET = SEGRESNET | {"init_filters": 8}


@dataclass(frozen=True)
class Network:
    """A module, what it is called with, and how its answer is a tensor."""

    module: Any
    inputs: tuple[Any, ...]

    def __call__(self) -> Any:
        import torch

        answer = self.module(*self.inputs)
        return answer if torch.is_tensor(answer) else answer[0]


def unet(config: dict[str, Any], size: int, batch: int = 1) -> Network:
    """diffusers' UNet on latents of size x size, at one step and with 77 tokens of text."""
    import torch
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    module = UNet2DConditionModel(**config).eval()
    latents, text = torch.randn(batch, 4, size, size), torch.randn(batch, 77, config["cross_attention_dim"])
    return Network(module, (latents, torch.tensor(500), text))


def vae(config: dict[str, Any], size: int, batch: int = 1) -> Network:
    """diffusers' autoencoder, there and back, on an image of size x size."""
    import torch
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    return Network(AutoencoderKL(**config).eval(), (torch.randn(batch, 3, size, size),))


def vae_decoder(config: dict[str, Any], size: int, batch: int = 1) -> Network:
    """The half of diffusers' autoencoder that makes an image, on latents of size x size."""
    import torch
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    return Network(AutoencoderKL(**config).decoder.eval(), (torch.randn(batch, config["latent_channels"], size, size),))


def segresnet(config: dict[str, Any], size: int, batch: int = 1) -> Network:
    """MONAI's SegResNet on a volume."""
    import torch
    from monai.networks.nets import SegResNet

    torch.manual_seed(0)
    return Network(SegResNet(**config).eval(), (torch.randn(batch, config["in_channels"], size, size, size),))


# By name: what is measured, of what size.
NETWORKS: dict[str, Callable[[], Network]] = {
    "SD 1.5 UNet, 32x32 latents": lambda: unet(SD15_UNET, 32),
    "SD 1.5 VAE decoder, 32x32 latents": lambda: vae_decoder(SD15_VAE, 32),
    "SegResNet, 96x96x96 volume": lambda: segresnet(SEGRESNET, 96),
}
