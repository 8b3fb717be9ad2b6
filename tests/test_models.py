"""The lists of layers: what ships is what the networks have, and what is wrong in a file is said where it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gngen import models
from gngen.errors import SpecError
from gngen.models import Layer, LayerList

Norm = tuple[tuple[int, ...], int, float, str | None]
NORMS = {"resnet50-gn": 53, "sd15-unet": 61, "sd15-vae": 30, "sdxl-unet": 46, "unet3d": 25}


def unet(size: int, channels: tuple[int, ...], attention: tuple[bool, ...]) -> Iterator[Norm]:
    """The norms of a latent-diffusion UNet, walked as its forward pass does: two resnets a level down, three up."""

    def resnet(into: int, out: int, size: int) -> Iterator[Norm]:
        yield (2, into, size, size), 32, 1e-5, "silu"
        yield (2, out, size, size), 32, 1e-5, "silu"

    def transformer(out: int, size: int) -> Norm:
        return (2, out, size, size), 32, 1e-6, None

    skips, now = [channels[0]], channels[0]
    for level, out in enumerate(channels):
        for _ in range(2):
            yield from resnet(now, out, size)
            if attention[level]:
                yield transformer(out, size)
            now = out
            skips.append(now)
        if level + 1 < len(channels):
            size //= 2
            skips.append(now)
    yield from resnet(now, now, size)
    yield transformer(now, size)
    yield from resnet(now, now, size)
    for level, out in reversed(list(enumerate(channels))):
        for _ in range(3):
            yield from resnet(now + skips.pop(), out, size)
            if attention[level]:
                yield transformer(out, size)
            now = out
        if level:
            size *= 2
    assert not skips
    yield (2, now, size, size), 32, 1e-5, "silu"


def vae_decoder() -> Iterator[Norm]:
    now, size = 512, 64
    yield from [((1, 512, 64, 64), 32, 1e-6, "silu")] * 4
    yield (1, 512, 64, 64), 32, 1e-6, None
    for level, out in enumerate((512, 512, 256, 128)):
        for _ in range(3):
            yield (1, now, size, size), 32, 1e-6, "silu"
            yield (1, out, size, size), 32, 1e-6, "silu"
            now = out
        size *= 2 if level < 3 else 1
    yield (1, now, size, size), 32, 1e-6, "silu"


def resnet50() -> Iterator[Norm]:
    yield (32, 64, 112, 112), 32, 1e-5, "relu"
    size = 56
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            yield (32, width, size, size), 32, 1e-5, "relu"
            size //= 2 if stage and not block else 1
            yield (32, width, size, size), 32, 1e-5, "relu"
            yield (32, 4 * width, size, size), 32, 1e-5, None
            if not block:
                yield (32, 4 * width, size, size), 32, 1e-5, None


def segresnet() -> Iterator[Norm]:
    def blocks(level: int, count: int) -> list[Norm]:
        side = 128 >> level
        return [((1, 16 << level, side, side, side), 8, 1e-5, "relu")] * (2 * count)

    for level, count in enumerate((1, 2, 2, 4)):
        yield from blocks(level, count)
    for level in (2, 1, 0):
        yield from blocks(level, 1)
    yield (1, 16, 128, 128, 128), 8, 1e-5, "relu"


NETWORKS = {
    "resnet50-gn": resnet50,
    "sd15-unet": lambda: unet(64, (320, 640, 1280, 1280), (True, True, True, False)),
    "sd15-vae": vae_decoder,
    "sdxl-unet": lambda: unet(128, (320, 640, 1280), (False, True, True)),
    "unet3d": segresnet,
}


def norms(model: LayerList) -> Counter[Norm]:
    found: Counter[Norm] = Counter()
    for layer in model.layers:
        found[(layer.shape, layer.groups, layer.epsilon, layer.activation)] += layer.count
    return found


def test_names_are_the_shipped_lists() -> None:
    assert models.names() == tuple(sorted(NORMS))


@pytest.mark.parametrize("name", sorted(NORMS))
def test_shipped_list_is_the_network(name: str) -> None:
    model = models.load(name)
    assert norms(model) == Counter(NETWORKS[name]())
    assert model.norms == NORMS[name]
    assert model.name == name
    assert model.description
    assert model.source
    assert model.dtype == "float32"
    assert all(layer.axis == 1 and layer.center and layer.scale for layer in model.layers)
    assert len({layer.name for layer in model.layers}) == len(model.layers)


@pytest.mark.parametrize("name", sorted(NORMS))
def test_layouts_move_the_channels_and_nothing_else(name: str) -> None:
    model = models.load(name)
    last = model.with_layout("last")
    for layer, moved in zip(model.layers, last.layers, strict=True):
        assert moved.shape == (layer.shape[0], *layer.shape[2:], layer.shape[1])
        assert moved.axis == len(layer.shape) - 1
        assert (moved.name, moved.count, moved.epsilon, moved.activation) == (layer.name, layer.count, layer.epsilon, layer.activation)
    assert last.with_layout("first") == model
    assert model.with_layout("first") == model


def test_layout_of_several_axes() -> None:
    layer = Layer("a", (2, 3, 8, 5, 4), axis=(-1, 2), groups=4)
    assert layer.axes == (2, 4)
    assert layer.with_layout("last") == Layer("a", (2, 3, 5, 8, 4), axis=(3, 4), groups=4)
    assert layer.with_layout("first") == Layer("a", (2, 8, 4, 3, 5), axis=(1, 2), groups=4)
    with pytest.raises(SpecError, match=r"^layout 'nhwc' is not known; choose one of first, last$"):
        layer.with_layout("nhwc")


def test_head_keeps_the_first_layers() -> None:
    model = models.load("sd15-unet")
    assert model.head(2).layers == model.layers[:2]
    assert model.head(1000) == model


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    toml, plain = tmp_path / "mine.toml", tmp_path / "mine.json"
    toml.write_text('dtype = "float64"\n[[layer]]\nshape = [2, 8, 4]\ngroups = 4\naxis = [1, 2]\ncount = 3\nscale = false\n')
    row = {"shape": [2, 8, 4], "groups": 4, "axis": [1, 2], "count": 3, "scale": False}
    plain.write_text(json.dumps({"dtype": "float64", "layers": [row]}))
    expected = LayerList("mine", "", "", "float64", (Layer("layer 1", (2, 8, 4), 4, (1, 2), count=3, scale=False),))
    assert models.load(toml) == expected
    assert models.load(str(plain)) == expected


def test_a_shipped_list_loads_as_a_file_too(tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_bytes((Path(models.__file__).parent / "sd15-vae.toml").read_bytes())
    assert models.load(copy) == models.load("sd15-vae")


def test_unknown_model_lists_the_names() -> None:
    with pytest.raises(SpecError) as raised:
        models.load("sd15-unt")
    assert str(raised.value) == (
        "model 'sd15-unt' is not known; choose one of resnet50-gn, sd15-unet, sd15-vae, sdxl-unet, unet3d, "
        "or a .toml, .json or .onnx file; did you mean sd15-unet?"
    )


def test_missing_file_says_so() -> None:
    with pytest.raises(SpecError, match=r"^nowhere/none\.toml: No such file or directory$"):
        models.load("nowhere/none.toml")


KNOWN = "name, shape, groups, axis, epsilon, center, scale, activation, count"
BAD = {
    'layer = [{name = "a", shape = [2, 8], groups = 3}]': (
        "layer 1 (a): Number of groups (3) must be a multiple of the number of channels (8). Nearest that fit: 2, 4."
    ),
    'layer = [{shape = [2, 8], groups = 2}, {name = "b", shape = [2, 0]}]': (
        "layer 2 (b): shape must be a list of positive integers, batch first; received shape=[2, 0]"
    ),
    "layer = [{shape = [2, 8], groups = 2, count = 0}]": "layer 1: count must be a positive integer; received count=0",
    "layer = [{shape = [2, 8], groups = 2, count = true}]": "layer 1: count must be a positive integer; received count=True",
    "layer = [{shape = [2, 8], groups = 2, name = 3}]": "layer 1: name must be a non-empty string; received name=3",
    "layer = [{groups = 2}]": "layer 1: shape is missing: the logical sizes, batch first, as [2, 320, 64, 64]",
    "layer = [{shape = [2, 8], channels = 2}]": f"layer 1: field 'channels' is not known; choose from {KNOWN}",
    'layer = [{shape = [2, 8], groups = 2, activation = "swich"}]': (
        "layer 1: activation 'swich' is not known; choose None or one of relu, silu, gelu, gelu_tanh, sigmoid, tanh"
    ),
    "layer = [{shape = [2, 8], groups = 2, axis = 0}]": (
        "layer 1: axis 0 of the shape (2, 8) is the batch and cannot be normalised over; choose from 1..1"
    ),
    "layer = [{shape = [2, 8], groups = 2, epsilon = -1}]": "layer 1: epsilon must be a finite number, at least 0; received epsilon=-1",
    "layer = [3]": "layer 1: expected a table with at least shape; received 3",
    "layer = []": "layer must be a list of at least one table, as [[layer]] in TOML",
    'name = "empty"': "layer must be a list of at least one table, as [[layer]] in TOML",
    'model = "x"': "field 'model' is not known; choose from name, description, source, dtype, layer",
    "dtype = 32": "dtype must be a string; received dtype=32",
    'dtype = "int8"': "dtype int8 has no kernel; choose from float32, float64, float16, bfloat16",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_field_is_said_where_it_is(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(SpecError) as raised:
        models.load(file)
    assert str(raised.value) == f"{file}: {BAD[text]}"


@pytest.mark.parametrize(("suffix", "data"), [("toml", b"[["), ("toml", b"\xff"), ("json", b"{"), ("json", b""), ("json", b"[" * 100_000)])
def test_an_unreadable_file_is_said(suffix: str, data: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"mine.{suffix}"
    file.write_bytes(data)
    with pytest.raises(SpecError) as raised:
        models.load(file)
    assert str(raised.value).startswith(f"{file}: not valid {suffix.upper()}: ")


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "layers.yaml"
    file.write_text("layer: []")
    with pytest.raises(SpecError) as raised:
        models.load(file)
    assert str(raised.value) == f"{file}: a list of layers is a .toml or a .json file"
    listed = tmp_path / "listed.json"
    listed.write_text("[]")
    with pytest.raises(SpecError) as raised:
        models.load(listed)
    assert str(raised.value) == f"{listed}: a list of layers is a table with name, description, source, dtype and layer"
