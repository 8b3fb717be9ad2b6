"""What a bundle is made for: layers by name, each a spec on arrays of one shape and type, whatever the batch.

They are read from the lists that `gngen.models` reads. A layer of a TOML or JSON list may also say ``dtype`` (the list's unless given),
``param_dtype``, ``order`` (the memory order of its arrays), ``outputs``, ``residual``, ``modulation`` and ``masked``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gngen import models
from gngen.errors import SpecError
from gngen.problem import FUSED, Layout, Problem, specialize
from gngen.spec import GroupNormSpec

# What a layer of a list may say beside what `models.Layer` knows.
_OWN = ("dtype", "param_dtype", "order", "outputs", *FUSED)


@dataclass(frozen=True)
class BundleLayer:
    """One layer: its name, the name of its functions without the prefix, and what is computed on which arrays.

    shape: logical, None for the batch. order: the memory order asked for, None for C order.
    """

    name: str
    function: str
    spec: GroupNormSpec
    shape: tuple[int | None, ...]
    dtype: str
    param_dtype: str | None
    order: tuple[int, ...] | None
    problem: Problem
    layout: Layout


def read_layers(
    asked: str, dims: Mapping[str, int] | None = None, layout: str | None = None, dtype: str | None = None
) -> tuple[BundleLayer, ...]:
    """The layers of a shipped list, or of a TOML, JSON or ONNX file.

    Args:
        dims: of an ONNX file, sizes for the dimensions that it leaves open, by name.
        layout: "first" or "last" to move the features there; None to leave them where they are.
        dtype: in place of the list's own.

    Raises:
        SpecError: no such list, what is wrong in it, or two layers whose functions would have one name.
    """
    plain, own = _read(asked, dims)
    plain = plain.with_layout(layout) if layout else plain
    layers = []
    for layer, extra in zip(plain.layers, own, strict=True):
        try:
            layers.append(_layer(layer, {"dtype": dtype or plain.dtype, **extra}))
        except SpecError as e:
            raise SpecError(f"{asked}: layer {layer.name}: {e}") from None
    return tuple(layers)


def _read(asked: str, dims: Mapping[str, int] | None) -> tuple[models.LayerList, Sequence[Mapping[str, Any]]]:
    """A list as `models` reads it, and what each of its layers says beside that."""
    if asked.endswith(".onnx") or dims:
        found = models.load(asked, dims)
        return found, [{}] * len(found.layers)
    table = models.read_table(asked)
    rows = [row for key in ("layer", "layers") if isinstance(table, dict) and isinstance(table.get(key), list) for row in table[key]]
    own = [{key: row.pop(key) for key in _OWN if key in row} if isinstance(row, dict) else {} for row in rows]
    try:
        return models.parse_table(table, Path(asked).stem), own
    except SpecError as e:
        raise SpecError(f"{asked}: {e}") from None


def _layer(layer: models.Layer, own: Mapping[str, Any]) -> BundleLayer:
    shape = (None, *layer.shape[1:])
    spec = replace(layer.spec, **{flag: own[flag] for flag in FUSED if flag in own})
    dtype, param_dtype = own["dtype"], own.get("param_dtype")
    order = _order(own.get("order"))
    problem, placed = specialize(spec, shape, dtype, order, _outputs(own.get("outputs", "y")), param_dtype)
    if placed.copied:
        raise SpecError(f"its arrays would be copied: {placed.copied}; a bundle takes them where they lie: choose another order")
    return BundleLayer(layer.name, identifier(layer.name), spec, shape, dtype, param_dtype, order, problem, placed)


def _order(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(type(a) is int for a in value):
        raise SpecError(f"order is a list of axes, outermost first; received order={value!r}")
    return tuple(value)


def _outputs(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) for n in names):
        raise SpecError(f"outputs is a list of names, as ['y', 'mean']; received outputs={value!r}")
    return tuple(n.strip() for n in names)


def identifier(name: str) -> str:
    """A name as a part of C's.

    >>> identifier("resnet-512-64")
    'resnet_512_64'
    """
    return re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_").lower() or "layer"
