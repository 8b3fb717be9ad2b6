"""ONNX: the norms of a model are found as what they are, and the operators compute what ONNX says of them."""

from __future__ import annotations

import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gngen import models, reference
from gngen.cli import main
from gngen.errors import LaunchError, SpecError
from gngen.models import Layer, LayerList
from gngen.spec import GroupNormSpec

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper

from gngen.integrations.onnx import GngenBackend, read_layers

FLOAT = TensorProto.FLOAT


def value(name: str, shape: tuple[Any, ...] | None, kind: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name: str, array: Any, kind: Any = np.float32) -> Any:
    return numpy_helper.from_array(np.asarray(array, kind), name)


def model(
    nodes: list[Any], shape: tuple[Any, ...], stored: tuple[Any, ...] = (), opset: int = 21, kind: int = FLOAT, out: str = "y"
) -> Any:
    graph = helper.make_graph(nodes, "g", [value("x", shape, kind)], [value(out, None, kind)], list(stored))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def group_node(groups: int = 4, x: str = "x", y: str = "y", **more: Any) -> Any:
    return helper.make_node("GroupNormalization", [x, "s", "b"], [y], name=f"norm_{y}", num_groups=groups, **more)


def weights(count: int) -> tuple[Any, Any]:
    return constant("s", np.linspace(0.5, 2, count)), constant("b", np.linspace(-1, 1, count))


def exported(shape: tuple[Any, ...], groups: int = 4, affine: bool = True, back: str = "shape", inner: float = 1.0, tail: str = "") -> Any:
    """What torch's exporter writes for a group norm of 8 channels; back: how it knows the shape at the end; tail: an activation."""
    nodes = [
        helper.make_node("Reshape", ["x", "sizes"], ["r"]),
        helper.make_node("InstanceNormalization", ["r", "one", "zero"], ["i"], name="norm", epsilon=1e-6),
        *([helper.make_node("Shape", ["x"], ["whole"])] if back == "shape" else []),
        helper.make_node("Reshape", ["i", "whole"], ["n"]),
        helper.make_node("Mul", ["n", "gamma"], ["m"]),
        helper.make_node("Add", ["beta", "m"], ["y"]),
        *([helper.make_node(tail, ["y"], ["z"])] if tail else []),
    ]
    wide = (8, *(1 for _ in shape[2:]))
    stored = [
        constant("sizes", [0, groups, -1], np.int64),
        constant("one", np.full(groups, inner)),
        constant("zero", np.zeros(groups)),
        constant("gamma", np.full(wide, 2.0) if affine else np.ones((1,) * (len(shape) - 1))),
        constant("beta", np.full(wide, 2.0) if affine else np.zeros((1,) * (len(shape) - 1))),
    ]
    if back != "shape":
        stored.append(constant("whole", [0, 8, *shape[2:]] if back == "same" else [0, 4, 2 * shape[2], *shape[3:]], np.int64))
    return model(nodes, shape, tuple(stored), 17, out="z" if tail else "y")


# Layers


@pytest.mark.parametrize("opset", [18, 21])
def test_group_normalization(opset: int) -> None:
    made = model([group_node(epsilon=1e-3)], (2, 8, 6, 5), weights(8 if opset == 21 else 4), opset)
    assert read_layers(made) == LayerList("onnx", "", f"ONNX opset {opset}", "float32", (Layer("norm_y", (2, 8, 6, 5), 4, 1, 1e-3),))


def test_epsilon_is_the_decimal_that_was_meant() -> None:
    assert read_layers(model([group_node()], (2, 8, 6), weights(8))).layers[0].epsilon == 1e-5


def test_instance_normalization_has_a_group_a_channel() -> None:
    node = helper.make_node("InstanceNormalization", ["x", "s", "b"], ["y"], name="i", epsilon=0.25)
    assert read_layers(model([node], (2, 8, 6), weights(8), 17)).layers == (Layer("i", (2, 8, 6), 8, 1, 0.25),)


@pytest.mark.parametrize("back", ["shape", "same"])
@pytest.mark.parametrize("affine", [True, False])
def test_what_exporters_write_is_a_group_norm(back: str, affine: bool) -> None:
    expected = Layer("norm", (2, 8, 6, 5), 4, 1, 1e-6, center=affine, scale=affine)
    assert read_layers(exported((2, 8, 6, 5), affine=affine, back=back)).layers == (expected,)


def test_a_scale_a_group_inside_is_a_scale() -> None:
    expected = Layer("norm", (2, 8, 6, 5), 4, 1, 1e-6, center=False)
    assert read_layers(exported((2, 8, 6, 5), affine=False, inner=3.0)).layers == (expected,)


def test_a_reshape_to_another_shape_is_no_group_norm() -> None:
    """The norm in between is then an instance norm of what it is given."""
    assert read_layers(exported((2, 8, 6, 5), back="other")).layers == (Layer("norm", (2, 4, 60), 4, 1, 1e-6),)


@pytest.mark.parametrize(
    ("operator", "opset", "given", "activation"),
    [
        ("Relu", 21, {}, "relu"),
        ("Sigmoid", 21, {}, "sigmoid"),
        ("Tanh", 21, {}, "tanh"),
        ("Gelu", 21, {}, "gelu"),
        ("Gelu", 21, {"approximate": "tanh"}, "gelu_tanh"),
        ("Swish", 24, {}, "silu"),
        ("Swish", 24, {"alpha": 2.0}, None),
        ("Exp", 21, {}, None),
    ],
)
def test_the_activation_after_it(operator: str, opset: int, given: dict[str, Any], activation: str | None) -> None:
    nodes = [group_node(y="n"), helper.make_node(operator, ["n"], ["a"], **given), group_node(2, x="a")]
    layers = read_layers(model(nodes, (2, 8, 6), weights(8), opset)).layers
    assert [layer.activation for layer in layers] == [activation, None]
    assert {layer.shape for layer in layers} == {(2, 8, 6)}  # which goes through both


def test_silu_is_a_product_with_its_sigmoid() -> None:
    nodes = [group_node(y="n"), helper.make_node("Sigmoid", ["n"], ["g"]), helper.make_node("Mul", ["g", "n"], ["y"])]
    assert read_layers(model(nodes, (2, 8, 6), weights(8))).layers[0].activation == "silu"
    assert read_layers(exported((2, 8, 6), tail="Tanh")).layers[0].activation == "tanh"


def test_what_is_taken_elsewhere_too_has_no_activation() -> None:
    nodes = [group_node(y="n"), helper.make_node("Relu", ["n"], ["r"]), helper.make_node("Add", ["n", "r"], ["y"])]
    assert read_layers(model(nodes, (2, 8, 6), weights(8))).layers[0].activation is None
    nodes = [group_node(y="n"), helper.make_node("Relu", ["n"], ["y"])]
    given_out = model(nodes, (2, 8, 6), weights(8))
    given_out.graph.output.append(value("n", None))
    assert read_layers(given_out).layers[0].activation is None


def test_equal_layers_are_counted() -> None:
    nodes = [group_node(x="x", y="a"), group_node(x="a", y="b2"), group_node(2, x="b2", y="y")]
    assert read_layers(model(nodes, (2, 8, 6), weights(8))).layers == (
        Layer("norm_a", (2, 8, 6), 4, 1, 1e-5, count=2),
        Layer("norm_y", (2, 8, 6), 2, 1, 1e-5),
    )


def test_the_type_is_that_of_the_data() -> None:
    stored = tuple(constant(name, np.ones(8), np.float16) for name in "sb")
    assert read_layers(model([group_node()], (2, 8, 6), stored, kind=TensorProto.FLOAT16)).dtype == "float16"


def test_a_batch_that_is_open_is_one_and_other_sizes_are_asked_for() -> None:
    assert read_layers(model([group_node()], ("n", 8, 6), weights(8))).layers[0].shape == (1, 8, 6)
    assert read_layers(model([group_node()], (None, 8, 6), weights(8))).layers[0].shape == (1, 8, 6)
    made = model([helper.make_node("Relu", ["x"], ["r"]), group_node(x="r")], ("n", 8, "h", "w"), weights(8))
    with pytest.raises(SpecError) as raised:
        read_layers(made, {"h": 5})
    assert str(raised.value) == (
        "the model: norm_y: the shape of its input is (1, 8, 5, ?); give sizes for what the inputs leave open: x (1, 8, 5, w)"
    )
    assert read_layers(made, {"h": 5, "w": 7, "n": 3}).layers[0].shape == (3, 8, 5, 7)
    with pytest.raises(SpecError, match=r"^the model: the model's inputs have no dimension 'height'; choose from h, n, w$"):
        read_layers(made, {"height": 5})


def test_local_functions_are_looked_into() -> None:
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    body = helper.make_function("mine", "Norm", ["x", "s", "b"], ["y"], [group_node()], imports[:1])
    graph = helper.make_graph(
        [helper.make_node("Norm", ["x", "s", "b"], ["y"], domain="mine")], "g", [value("x", (2, 8, 6))], [value("y", None)]
    )
    graph.initializer.extend(weights(8))
    made = helper.make_model(graph, opset_imports=imports, functions=[body], ir_version=10)
    assert [layer.shape for layer in read_layers(made).layers] == [(2, 8, 6)]


def test_a_model_without_norms_and_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"^the model: has no group or instance norm$"):
        read_layers(model([helper.make_node("Relu", ["x"], ["y"])], (2, 8, 6)))
    with pytest.raises(SpecError, match=r"^the model: norm_y: Number of groups \(3\) must be a multiple of the number of channels \(8\)"):
        read_layers(model([group_node(3)], (2, 8, 6), weights(8)))
    file = tmp_path / "text.onnx"
    file.write_text("this is no model")
    for path in (file, tmp_path / "none.onnx"):
        with pytest.raises(SpecError, match=rf"^{path}: (not a readable ONNX model|No such file or directory)"):
            read_layers(path)


def test_weights_in_another_file_are_not_needed(tmp_path: Path) -> None:
    file = tmp_path / "large.onnx"
    stored = (*weights(8), constant("other", np.zeros(4096)))
    onnx.save_model(model([group_node()], (2, 8, 6), stored), file, save_as_external_data=True, location="large.data", size_threshold=0)
    (tmp_path / "large.data").unlink()
    assert read_layers(file).layers == (Layer("norm_y", (2, 8, 6), 4, 1, 1e-5),)


def test_torch_exports_are_found_as_the_modules_that_they_were(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 8), nn.SiLU(), nn.Conv2d(8, 16, 3, stride=2), nn.GroupNorm(2, 16, eps=1e-6, affine=False),
        nn.ReLU(), nn.GroupNorm(16, 16), nn.InstanceNorm2d(16, affine=True), nn.GroupNorm(1, 16), nn.Tanh(), nn.GroupNorm(4, 16), nn.SiLU(),
    ).eval()  # fmt: skip
    file = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, (torch.zeros(2, 3, 12, 12),), str(file), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n", 2: "h", 3: "w"}}
        )
    seen = []
    activations = {nn.SiLU: "silu", nn.ReLU: "relu", nn.Tanh: "tanh"}
    x = torch.zeros(3, 3, 20, 24)
    for module, following in zip(net, [*net[1:], None], strict=True):
        shape, x = tuple(x.shape), module(x)
        if isinstance(module, (nn.GroupNorm, nn.InstanceNorm2d)):
            groups = module.num_groups if isinstance(module, nn.GroupNorm) else module.num_features
            seen.append((shape, groups, module.eps, module.affine, activations.get(type(following))))
    found = models.load(file, {"n": 3, "h": 20, "w": 24})
    assert Counter(seen) == Counter(
        {(layer.shape, layer.groups, layer.epsilon, layer.scale and layer.center, layer.activation): layer.count for layer in found.layers}
    )
    assert found.name == "net"
    assert found.norms == len(seen)


# The command line


def test_commands_take_a_model_file(tmp_path: Path) -> None:
    file = tmp_path / "small.onnx"
    onnx.save_model(model([group_node()], ("n", 8, "h"), weights(8)), file)
    shown = CliRunner().invoke(main, ["models", str(file), "--dim", "h=6"])
    assert "1x8x6" in shown.output
    assert "ONNX opset 21" in shown.output
    compared = CliRunner().invoke(
        main, ["compare", "--model", str(file), "--dim", "h=6", "--dim", "n=2", "--target", "reference", "--seconds", "0"]
    )
    assert compared.exit_code == 0
    assert "2x8x6" in compared.output
    tuned = CliRunner().invoke(main, ["tune", "--model", str(file), "--dim", "h=6", "--dry-run"])
    assert "norm_y" in tuned.output
    for arguments, message in (
        (["models", str(file)], "give sizes for what the inputs leave open: x (1, 8, h)"),
        (["models", str(file), "--dim", "h"], "'h' is not the size of a dimension; write height=64"),
        (["models", "sd15-vae", "--dim", "h=6"], "sizes of dimensions go with an .onnx file; the layers of sd15-vae say their own"),
        (["tune", "--shape", "2,64", "--dim", "h=6", "--dry-run"], "--dim goes with --model"),
    ):
        failed = CliRunner().invoke(main, arguments)
        assert failed.exit_code == 2
        assert message in failed.output


# The backend


def onnx_cases() -> list[Any]:
    """ONNX's own cases of the two operators, without those that spell an operator out in others."""
    for name in ("groupnormalization", "instance_normalization"):
        import_module(f"onnx.backend.test.case.node.{name}")
    cases = import_module("onnx.backend.test.case.node")._NodeTestCases
    ours = [case for case in cases if case.model.graph.node[0].op_type in ("GroupNormalization", "InstanceNormalization")]
    return [case for case in ours if len(case.model.graph.node) == 1]


def test_onnx_has_cases() -> None:
    names = {case.name for case in onnx_cases()}
    assert names >= {
        "test_group_normalization_example", "test_group_normalization_epsilon", "test_instancenorm_example", "test_instancenorm_epsilon",
    }  # fmt: skip


@pytest.mark.parametrize("case", onnx_cases(), ids=lambda case: case.name)
def test_onnx_cases(case: Any) -> None:
    assert GngenBackend.is_compatible(case.model)
    for inputs, expected in case.data_sets:
        for got in (GngenBackend.prepare(case.model).run(inputs), GngenBackend.run_node(case.model.graph.node[0], inputs)):
            assert len(got) == len(expected)
            for one, other in zip(got, expected, strict=True):
                assert one.dtype == other.dtype
                np.testing.assert_allclose(one, other, rtol=case.rtol, atol=case.atol)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_before_opset_21_scale_and_bias_are_a_groups(dtype: str) -> None:
    x = np.random.default_rng(0).standard_normal((3, 8, 5, 2)).astype(dtype)
    scale, bias = np.linspace(0.5, 2, 4).astype(dtype), np.linspace(-1, 1, 4).astype(dtype)
    expected, _, _ = reference.group_norm(x, np.repeat(scale, 2), np.repeat(bias, 2), GroupNormSpec(4, 1, 1e-5))
    (y,) = GngenBackend.run_node(group_node(), [x, scale, bias], opset_version=18)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, expected.astype(dtype), rtol=1e-3 if dtype == "float16" else 1e-5, atol=1e-6)
    with pytest.raises(
        LaunchError, match=r"^scale has shape \(8,\); before opset 21, GroupNormalization takes one number a group, \(4,\)$"
    ):
        GngenBackend.run_node(group_node(), [x, np.repeat(scale, 2), bias], opset_version=20)


def test_a_model_of_several_norms_runs() -> None:
    made = model([group_node(y="n"), helper.make_node("InstanceNormalization", ["n", "s", "b"], ["y"])], (2, 8, 6), weights(8))
    x = np.random.default_rng(0).standard_normal((2, 8, 6), np.float32)
    scale, bias = (numpy_helper.to_array(t) for t in weights(8))
    middle, _, _ = reference.group_norm(x, scale, bias, GroupNormSpec(4, 1, 1e-5))
    expected, _, _ = reference.group_norm(middle, scale, bias, GroupNormSpec(8, 1, 1e-5))
    (y,) = GngenBackend.run_model(made, [x])
    np.testing.assert_allclose(y, expected, atol=1e-5)
    with pytest.raises(LaunchError, match=r"^the model takes 1 arrays, x; 2 were given$"):
        GngenBackend.prepare(made).run([x, x])


def test_what_is_not_served_is_said() -> None:
    other = model([helper.make_node("Relu", ["x"], ["y"])], (2, 8, 6))
    assert not GngenBackend.is_compatible(other)
    assert not GngenBackend.supports_device("CUDA:0")
    x, s = np.zeros((2, 8, 6), np.float32), np.ones(8, np.float32)
    with pytest.raises(SpecError, match=r"^the model has the operators Relu; gngen runs GroupNormalization and InstanceNormalization$"):
        GngenBackend.prepare(other)
    with pytest.raises(SpecError, match=r"^gngen runs GroupNormalization and InstanceNormalization; the node is Relu$"):
        GngenBackend.run_node(other.graph.node[0], [x])
    with pytest.raises(SpecError, match=r"^device CUDA:0 is not served"):
        GngenBackend.run_node(group_node(), [x, s, s], "CUDA:0")
    with pytest.raises(SpecError, match=r"^stash_type is double, and x is float32"):
        GngenBackend.run_node(group_node(stash_type=TensorProto.DOUBLE), [x, s, s])
    with pytest.raises(LaunchError, match=r"at least two axes"):
        GngenBackend.run_node(group_node(), [np.zeros(8, np.float32), s, s])
