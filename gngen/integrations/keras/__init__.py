"""Keras 3's GroupNormalization through compiled kernels: swapped in by its import, on the backend that Keras runs on."""

from gngen.integrations import require

require("keras", "keras")

from gngen.integrations.keras.layer import GroupNormalization, layer_group_normalization

__all__ = ["GroupNormalization", "layer_group_normalization"]
