"""The normalisation layers of real networks, as lists that ship with gngen or that a file of your own describes: a list, or the network.

A list is a TOML (or JSON) file: ``name``, ``description``, ``source`` and ``dtype``, then one ``[[layer]]`` for each distinct layer
with ``name``, ``shape`` (logical, batch first), ``groups``, ``axis``, ``epsilon``, ``center``, ``scale``, ``activation`` and ``count``,
how often the network has it. Only ``shape`` is required; the rest default as in :class:`gngen.GroupNormSpec`. Of an ONNX file, the list
is what :func:`gngen.integrations.onnx.read_layers` finds.
"""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from gngen.errors import SpecError
from gngen.problem import check_dtype, specialize
from gngen.spec import GroupNormSpec, resolve_axes

LAYOUTS = ("first", "last")


@dataclass(frozen=True)
class Layer:
    """One distinct normalisation of a network.

    shape: the logical sizes of its input, batch first, each at least 1. count: how often the network has it. The rest is
    :class:`gngen.GroupNormSpec`'s.

    Raises:
        SpecError: a field out of range, or fields that do not go together.
    """

    name: str
    shape: tuple[int, ...]
    groups: int = 32
    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    activation: str | None = None
    count: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise SpecError(f"name must be a non-empty string; received name={self.name!r}")
        if not isinstance(self.shape, (list, tuple)) or not self.shape or not all(type(n) is int and n > 0 for n in self.shape):
            raise SpecError(f"shape must be a list of positive integers, batch first; received shape={self.shape!r}")
        if type(self.count) is not int or self.count < 1:
            raise SpecError(f"count must be a positive integer; received count={self.count!r}")
        object.__setattr__(self, "shape", tuple(self.shape))
        spec = self.spec
        object.__setattr__(self, "axis", spec.axis)
        object.__setattr__(self, "epsilon", spec.epsilon)
        object.__setattr__(self, "activation", spec.activation)
        specialize(spec, self.shape)

    @property
    def spec(self) -> GroupNormSpec:
        """What the layer computes, without sizes."""
        return GroupNormSpec(self.groups, self.axis, self.epsilon, self.center, self.scale, self.activation)

    @property
    def axes(self) -> tuple[int, ...]:
        """The feature axes, ascending and not negative."""
        return resolve_axes(self.spec.axes, len(self.shape), self.shape)

    @property
    def elements(self) -> int:
        """Elements of the input."""
        return math.prod(self.shape)

    def with_layout(self, layout: str) -> Layer:
        """The same layer with its feature axes right after the batch ("first") or at the end ("last").

        >>> Layer("a", (2, 320, 64, 64), axis=1).with_layout("last").shape
        (2, 64, 64, 320)
        """
        if layout not in LAYOUTS:
            raise SpecError(f"layout {layout!r} is not known; choose one of {', '.join(LAYOUTS)}")
        axes, rank = self.axes, len(self.shape)
        rest = tuple(a for a in range(1, rank) if a not in axes)
        order = (0, *axes, *rest) if layout == "first" else (0, *rest, *axes)
        start = 1 if layout == "first" else rank - len(axes)
        moved = tuple(range(start, start + len(axes)))
        return replace(self, shape=tuple(self.shape[a] for a in order), axis=moved if len(moved) > 1 else moved[0])


@dataclass(frozen=True)
class LayerList:
    """The distinct layers of one network.

    source: the architecture that they were read from. dtype: of the input and the output, one that has kernels.
    """

    name: str
    description: str
    source: str
    dtype: str
    layers: tuple[Layer, ...]

    @property
    def norms(self) -> int:
        """How many normalisations the network has: the sum of the counts."""
        return sum(layer.count for layer in self.layers)

    def with_layout(self, layout: str) -> LayerList:
        """The same list with the features of every layer "first" or "last"."""
        return replace(self, layers=tuple(layer.with_layout(layout) for layer in self.layers))

    def head(self, limit: int) -> LayerList:
        """The same list with its first `limit` layers only."""
        return replace(self, layers=self.layers[:limit])


def names() -> tuple[str, ...]:
    """The names of the lists that ship with gngen, in alphabetical order."""
    return tuple(sorted(entry.name[:-5] for entry in resources.files(__name__).iterdir() if entry.name.endswith(".toml")))


def load(name_or_path: str | os.PathLike[str], dims: Mapping[str, int] | None = None) -> LayerList:
    """The list of a shipped model, or of a TOML, JSON or ONNX file.

    dims: of an ONNX file, sizes for the dimensions that it leaves open, by name.

    Raises:
        SpecError: no such model or file, or what is wrong in it: the file, the layer, the field, its value and the choices.
    """
    asked = os.fspath(name_or_path)
    if asked.endswith(".onnx"):
        from gngen.integrations.onnx import read_layers

        return read_layers(asked, dims)
    if dims:
        raise SpecError(f"sizes of dimensions go with an .onnx file; the layers of {asked} say their own")
    table = read_table(asked)
    try:
        return parse_table(table, Path(asked).stem)
    except SpecError as e:
        raise SpecError(f"{asked}: {e}") from None


def read_table(asked: str) -> Any:
    """What a shipped list, or a TOML or JSON file, says; it is not checked yet."""
    if asked in names():
        return _decode(resources.files(__name__).joinpath(f"{asked}.toml").read_bytes(), ".toml")
    path = Path(asked)
    if path.is_file() or path.suffix in (".toml", ".json"):
        try:
            return _decode(path.read_bytes(), path.suffix)
        except (OSError, SpecError) as e:
            raise SpecError(f"{asked}: {getattr(e, 'strerror', None) or e}") from None
    near = get_close_matches(asked, names(), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise SpecError(f"model {asked!r} is not known; choose one of {', '.join(names())}, or a .toml, .json or .onnx file{hint}")


def _decode(data: bytes, suffix: str) -> Any:
    if suffix not in (".toml", ".json"):
        raise SpecError("a list of layers is a .toml or a .json file")
    try:
        text = data.decode()
        return json.loads(text) if suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as e:  # JSON's, TOML's and UTF-8's errors are all ValueErrors
        raise SpecError(f"not valid {suffix[1:].upper()}: {e}") from None


def parse_table(table: Any, stem: str) -> LayerList:
    """A list of layers from what a file says; `stem` names it where the file does not. SpecError: what is wrong in it."""
    if not isinstance(table, dict):
        raise SpecError("a list of layers is a table with name, description, source, dtype and layer")
    table = dict(table)
    if "layers" in table and "layer" not in table:  # the plural reads better in JSON
        table["layer"] = table.pop("layers")
    _check_fields(table, ("name", "description", "source", "dtype", "layer"))
    texts = {"name": stem, "description": "", "source": "", "dtype": "float32"}
    texts |= {key: table[key] for key in texts if key in table}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise SpecError(f"{key} must be a string; received {key}={value!r}")
    check_dtype(texts["dtype"])
    rows = table.get("layer", [])
    if not isinstance(rows, list) or not rows:
        raise SpecError("layer must be a list of at least one table, as [[layer]] in TOML")
    return LayerList(**texts, layers=tuple(_layer(row, number) for number, row in enumerate(rows, 1)))


def _layer(row: Any, number: int) -> Layer:
    """One layer; adds its number and name to whatever is wrong in it."""
    where = f"layer {number}"
    try:
        if not isinstance(row, dict):
            raise SpecError(f"expected a table with at least shape; received {row!r}")
        if isinstance(row.get("name"), str):
            where += f" ({row['name']})"
        _check_fields(row, tuple(f.name for f in fields(Layer)))
        if "shape" not in row:
            raise SpecError("shape is missing: the logical sizes, batch first, as [2, 320, 64, 64]")
        return Layer(**{"name": f"layer {number}", **row})
    except SpecError as e:
        raise SpecError(f"{where}: {e}") from None


def _check_fields(table: Mapping[str, Any], known: Iterable[str]) -> None:
    for key in table:
        if key not in known:
            raise SpecError(f"field {key!r} is not known; choose from {', '.join(known)}")
