"""gngen.integrations.torch: the function, the module, and the operators as torch's machinery uses them."""

from __future__ import annotations

import copy
import doctest
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from strategies import assert_right, fill, need_backend, oracle, parameters

import gngen
from gngen.integrations.torch import GroupNorm, group_norm
from gngen.integrations.torch import gradients as gradient_calls
from gngen.integrations.torch import kernels as calls
from gngen.integrations.torch.arrays import as_array
from gngen.integrations.torch.operator import group_norm_backward_op, group_norm_op, group_norm_stats_op

F = torch.nn.functional
TORCH_ACTIVATIONS = gradient_calls._TORCH_ACTIVATIONS
NONE = (None, None)


def tensor(a: np.ndarray[Any, Any] | None) -> Any:
    """A tensor with a copy of numpy's elements; bfloat16 as ml_dtypes has it."""
    if a is None:
        return None
    return torch.from_numpy(a.view(np.int16).copy()).view(torch.bfloat16) if a.dtype.name == "bfloat16" else torch.from_numpy(a.copy())


def laid_out(x: Any, layout: str) -> Any:
    """The same tensor, lying otherwise in memory."""
    if layout == "first":
        return x.contiguous()
    if layout == "last":
        return x.contiguous(memory_format=torch.channels_last if x.dim() == 4 else torch.channels_last_3d)
    if layout == "between":  # (N, H, C, W)
        return x.transpose(1, 2).contiguous().transpose(1, 2)
    if layout == "sliced":
        return torch.cat([x, x], 2)[:, :, : x.shape[2]]
    if layout == "batch inside":
        return x.transpose(0, 1).contiguous().transpose(0, 1)
    raise ValueError(layout)


def some(shape: tuple[int, ...], dtype: Any = torch.float32, seed: int = 0) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def affine(channels: int, dtype: Any = torch.float32) -> tuple[Any, Any]:
    return some((channels,), dtype, 1), some((channels,), dtype, 2)


@pytest.mark.parametrize("layout", ["first", "last", "between", "sliced", "batch inside"])
@pytest.mark.parametrize(("dtype", "activation"), [("float32", None), ("float32", "silu"), ("bfloat16", "gelu"), ("float64", None)])
def test_the_answer_is_right_and_lies_as_torchs_own(layout: str, dtype: str, activation: str | None) -> None:
    shape = (2, 8, 6, 5)
    spec = gngen.GroupNormSpec(4, 1, 1e-5, activation=activation)
    x = fill("far", shape, dtype) if dtype == "float32" else fill("normal", shape, dtype)
    gamma, beta = parameters(shape, spec, dtype)
    given = laid_out(tensor(x), layout)
    y = group_norm(given, 4, tensor(gamma), tensor(beta), activation=activation)
    assert_right(as_array(y), oracle(x, gamma, beta, spec), dtype)
    assert y.stride() == F.group_norm(given, 4, tensor(gamma), tensor(beta)).stride()


def test_one_image_that_torch_takes_for_channels_first() -> None:
    """A transposed view's strides, as attention leaves them: a convolution after the norm goes another way on channels last."""
    x = some((1, 6, 5, 8)).permute(0, 3, 1, 2).as_strided((1, 8, 6, 5), (8, 1, 40, 8))
    y = group_norm(x, 4)
    assert y.stride() == F.group_norm(x, 4).stride() == (240, 30, 5, 1)
    torch.testing.assert_close(y, F.group_norm(x, 4))


def test_volumes_with_the_channels_last() -> None:
    x = some((2, 8, 3, 4, 5)).contiguous(memory_format=torch.channels_last_3d)
    y = group_norm(x, 2, activation="relu")
    assert y.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(y, F.relu(F.group_norm(x, 2)))


@pytest.mark.parametrize("layout", ["first", "last"])
def test_dense_tensors_are_not_copied(layout: str) -> None:
    x, (weight, bias) = laid_out(some((2, 8, 6, 5)), layout), affine(8)
    with torch.profiler.profile() as profile:
        group_norm(x, 4, weight, bias)
    assert {event.key for event in profile.key_averages()} == {"gngen::group_norm", "aten::empty_like", "aten::empty_strided"}


def test_without_a_gradient_no_moments_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def spy(*arguments: Any) -> Any:
        asked.append(arguments[-1])
        return prepare(*arguments)

    prepare = calls.prepare_forward
    monkeypatch.setattr(calls, "prepare_forward", spy)
    layer, x = GroupNorm(7, 14), some((3, 14, 5))
    with torch.no_grad():
        layer(x)
    layer.requires_grad_(False)(x)
    assert asked == [False]  # once: the second call is found
    layer.requires_grad_(True)(x)
    assert asked == [False, True]


@pytest.mark.parametrize("target", ["reference", "numba-cpu", "c"])
def test_every_backend_is_called_right(target: str) -> None:
    need_backend(target.partition(":")[0])
    x, (weight, bias) = some((2, 8, 6)), affine(8)
    for stats in (False, True):
        found = calls.prepare_forward(x, weight, bias, 4, 1e-5, None, stats, target)(x, weight, bias)
        wanted = torch.native_group_norm(x, weight, bias, 2, 8, 6, 4, 1e-5) if stats else (F.group_norm(x, 4, weight, bias),)
        for got, want in zip(found if stats else (found,), wanted, strict=True):
            torch.testing.assert_close(got, want)


@pytest.mark.parametrize("stats", [False, True])
def test_through_the_launcher_come_the_same_bits(stats: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x, (weight, bias) = laid_out(some((2, 8, 6, 5), torch.bfloat16), "last"), affine(8, torch.bfloat16)
    by_address = calls.prepare_forward(x, weight, bias, 4, 1e-5, "silu", stats)(x, weight, bias)
    monkeypatch.setattr(calls, "address_call", lambda launcher: None)
    by_launcher = calls.prepare_forward(x, weight, bias, 4, 1e-5, "silu", stats)(x, weight, bias)
    for one, other in zip(by_address if stats else [by_address], by_launcher if stats else [by_launcher], strict=True):
        assert torch.equal(one, other)
        assert one.stride() == other.stride()


def test_the_number_of_threads_changes_no_bit() -> None:
    x, before = some((2, 64, 40, 40)), torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(group_norm(x, 8))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(found[0], other) for other in found[1:])


# Types


@pytest.mark.parametrize("data", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kinds", [("data", "data"), ("single", "single"), ("single", "data"), (None, "single"), ("data", None)])
def test_halves_take_parameters_of_their_own_or_of_single_precision(data: Any, kinds: tuple[str | None, str | None]) -> None:
    x = some((2, 8, 6), data)
    weight, bias = (None if k is None else p.to(data if k == "data" else torch.float32) for k, p in zip(kinds, affine(8), strict=True))
    y = group_norm(x, 4, weight, bias)
    single = group_norm(x.float(), 4, *(None if p is None else p.float() for p in (weight, bias)))
    assert y.dtype == data
    assert torch.equal(y, single.to(data))  # rounded once


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("data", [torch.float32, torch.bfloat16, torch.float16])
def test_autocast_on_a_cpu_does_what_torch_does(dtype: Any, data: Any) -> None:
    x, (weight, bias) = some((2, 8, 6), data), affine(8)
    with torch.autocast("cpu", dtype=dtype):
        assert group_norm(x, 4, weight, bias).dtype == F.group_norm(x, 4, weight, bias).dtype
        assert group_norm_op(x, weight, bias, 4, 1e-5, None).dtype == data


@pytest.mark.parametrize("operator", [group_norm_op, group_norm_stats_op])
def test_autocast_on_a_gpu_is_registered(operator: Any) -> None:
    assert torch._C._dispatch_has_kernel_for_dispatch_key(operator.name(), "AutocastCUDA")
    assert torch._C._dispatch_has_kernel_for_dispatch_key(operator.name(), "CUDA")


# What is refused


@pytest.mark.parametrize(
    ("x", "weight", "words"),
    [
        (torch.ones(2, 8, 4, dtype=torch.int32), None, r"^x is torch.int32; choose from torch.float32"),
        (torch.ones(8), None, r"needs a batch axis and a feature axis; the input has shape \(8,\)"),
        (torch.ones(2, 8, 4), torch.ones(4), r"^weight has shape \(4,\); x has 8 channels, axis 1 of \(2, 8, 4\)"),
        (
            torch.ones(2, 8, 4),
            torch.ones(8, dtype=torch.float64),
            r"^weight is torch.float64 and x torch.float32; choose from torch.float32",
        ),
        (torch.ones(2, 6, 4), None, r"Number of groups \(4\) must be a multiple .*\(6\). Nearest that fit: 3, 6"),
        (torch.ones(2, 8, 4), torch.ones(8, device="meta"), r"^weight is on meta and x on cpu"),
    ],
)
def test_what_does_not_go_together_is_refused(x: Any, weight: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        group_norm(x, 4, weight)


def test_arguments_of_the_module_are_checked() -> None:
    with pytest.raises(ValueError, match="activation 'elu' is not known; choose None or one of relu"):
        GroupNorm(4, 8, activation="elu")
    with pytest.raises(ValueError, match=r"num_channels \(6\) must be divisible by num_groups \(4\)"):
        GroupNorm(4, 6)


@pytest.mark.parametrize("shape", [(0, 8, 4), (2, 8, 0), (0, 8)])
def test_nothing_gives_nothing(shape: tuple[int, ...]) -> None:
    x = torch.ones(shape, requires_grad=True)
    layer = GroupNorm(4, 8, activation="silu")
    y = layer(x)
    assert y.shape == shape
    y.sum().backward()
    assert x.grad.shape == shape
    assert torch.equal(layer.weight.grad, torch.zeros(8))
    with torch.no_grad():
        assert layer(x).shape == shape


# Gradients


@pytest.mark.parametrize("layout", ["first", "last", "sliced", "batch inside"])
@pytest.mark.parametrize(("weighted", "biased", "activation"), [(True, True, "silu"), (True, False, None), (False, False, "gelu_tanh")])
def test_gradients_are_those_of_torch(layout: str, weighted: bool, biased: bool, activation: str | None) -> None:
    given = (laid_out(some((2, 8, 6, 4), torch.float64), layout), *affine(8, torch.float64))
    dy = some((2, 8, 6, 4), torch.float64, 3)

    def gradients(function: Any) -> list[Any]:
        used = [t.detach().requires_grad_() if use else None for t, use in zip(given, (True, weighted, biased), strict=True)]
        function(*used).backward(dy)
        return [t.grad for t in used if t is not None]

    ours = gradients(lambda x, w, b: group_norm(x, 4, w, b, 1e-5, activation))
    wanted = gradients(lambda x, w, b: TORCH_ACTIVATIONS[activation](F.group_norm(x, 4, w, b, 1e-5)))
    for got, want in zip(ours, wanted, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-11)


def test_gradients_by_differences() -> None:
    x, weight, bias = (t.requires_grad_() for t in (some((2, 4, 3), torch.float64), *affine(4, torch.float64)))
    assert torch.autograd.gradcheck(lambda *inputs: group_norm(inputs[0], 2, *inputs[1:], activation="tanh"), (x, weight, bias))
    assert torch.autograd.gradcheck(lambda *inputs: group_norm_op(*inputs, 2, 1e-5, "tanh"), (x, weight, bias))


@pytest.mark.parametrize(
    ("dtype", "param"), [(torch.float32, torch.float32), (torch.bfloat16, torch.float32), (torch.float16, torch.float16)]
)
def test_gradients_are_the_kernels_bits(dtype: Any, param: Any) -> None:
    x, (weight, bias), dy = laid_out(some((2, 8, 6, 4), dtype), "last"), affine(8, param), some((2, 8, 6, 4), dtype, 3)
    inputs = [t.detach().requires_grad_() for t in (x, weight, bias)]
    group_norm(inputs[0], 4, *inputs[1:], activation="silu").backward(dy)
    names = {"dtype": calls.NAMES[dtype], "param_dtype": calls.NAMES[param], "order": (0, 2, 3, 1)}
    spec = gngen.GroupNormSpec(4, 1, 1e-5, activation="silu")
    forward = gngen.compile(spec, (2, 8, 6, 4), outputs=("y", "mean", "rstd"), **names)
    backward = gngen.compile(spec, (2, 8, 6, 4), direction="backward", **names)
    _, mean, rstd = forward(*map(as_array, (x, weight, bias)))
    wanted = backward(as_array(dy), as_array(x), mean, rstd, as_array(weight), as_array(bias))
    for t, want in zip(inputs, wanted, strict=True):
        assert np.array_equal(as_array(t.grad), want)


def test_gradients_through_the_launcher_are_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    x, (weight, bias), dy = some((2, 8, 6)), affine(8), some((2, 8, 6), seed=3)
    _, mean, rstd = group_norm_stats_op(x, weight, bias, 4, 1e-5, "silu")
    arguments = (dy, x, mean, rstd, weight, bias, 4, 1e-5, "silu")
    by_address = gradient_calls.prepare_backward(*arguments)(*arguments[:6])
    monkeypatch.setattr(gradient_calls, "address_call", lambda launcher: None)
    by_launcher = gradient_calls.prepare_backward(*arguments)(*arguments[:6])
    assert all(torch.equal(one, other) for one, other in zip(by_address, by_launcher, strict=True))


@pytest.mark.parametrize("activation", [None, *gngen.spec.ACTIVATIONS])
def test_torchs_gradient_which_a_gpu_gets_is_the_same(activation: str | None) -> None:
    x, (weight, bias), dy = some((2, 8, 6), torch.float64), affine(8, torch.float64), some((2, 8, 6), torch.float64, 3)
    _, mean, rstd = group_norm_stats_op(x, weight, bias, 4, 1e-5, activation)
    ours = group_norm_backward_op(dy, x, mean, rstd, weight, bias, 4, 1e-5, activation)
    theirs = gradient_calls.differentiate_with_torch(dy, x, weight, bias, 4, 1e-5, activation)
    for got, want in zip(ours, theirs, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-11)


def test_only_the_gradients_asked_for() -> None:
    layer, x = GroupNorm(4, 8), some((2, 8, 6))
    layer.weight.requires_grad_(False)
    layer(x).sum().backward()
    assert layer.weight.grad is None
    assert layer.bias.grad is not None
    assert x.grad is None


@pytest.mark.parametrize("function", [lambda x: group_norm(x, 4), lambda x: group_norm_op(x, None, None, 4, 1e-5, None)])
def test_a_second_derivative_says_that_there_is_none(function: Any) -> None:
    x = some((2, 8, 6)).requires_grad_()
    (first,) = torch.autograd.grad(function(x).square().sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="no second derivative; for that, normalise with torch"):
        first.sum().backward()


@pytest.mark.parametrize("function", [lambda x: group_norm(x, 4), lambda x: group_norm_op(x, None, None, 4, 1e-5, None)])
def test_forward_mode_says_that_there_is_none(function: Any) -> None:
    x = some((2, 8, 6))
    with torch.autograd.forward_ad.dual_level():
        torch.testing.assert_close(function(x), F.group_norm(x, 4))  # without a tangent, there is nothing to refuse
        dual = torch.autograd.forward_ad.make_dual(x, x)
        with pytest.raises(NotImplementedError, match="no forward-mode derivative"):
            function(dual)


def test_forward_mode_of_torch_func_says_so_too() -> None:
    x = some((2, 8, 6))
    with pytest.raises(NotImplementedError, match="no forward-mode derivative"):
        torch.func.jvp(lambda x: group_norm(x, 4), (x,), (x,))


@pytest.mark.parametrize(("place", "words"), [(0, "^dy is"), (2, "^mean is"), (3, "^rstd is")])
def test_the_backward_operator_checks_its_arrays(place: int, words: str) -> None:
    arguments: list[Any] = [torch.ones(2, 8, 6), torch.ones(2, 8, 6), torch.ones(2, 4), torch.ones(2, 4)]
    arguments[place] = torch.ones(2, 3)
    with pytest.raises(gngen.LaunchError, match=words):
        group_norm_backward_op(*arguments, None, None, 4, 1e-5, None)


# torch's machinery

OPERATOR_INPUTS = {
    "plain": (some((2, 8, 6)), *affine(8), 4, 1e-5, "silu"),
    "last, no bias": (laid_out(some((2, 8, 6, 5), torch.bfloat16), "last"), affine(8)[0], None, 4, 1e-5, None),
    "bare": (laid_out(some((2, 8, 6, 5)), "sliced"), *NONE, 4, 1e-5, None),
}


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("name", list(OPERATOR_INPUTS))
def test_operators_are_what_torch_asks_of_operators(name: str) -> None:
    x, weight, bias, *rest = OPERATOR_INPUTS[name]
    y, mean, rstd = group_norm_stats_op(x, weight, bias, *rest)
    learning = [None if t is None else t.detach().clone(memory_format=torch.preserve_format).requires_grad_() for t in (x, weight, bias)]
    torch.library.opcheck(group_norm_op, (*learning, *rest))
    torch.library.opcheck(group_norm_stats_op, (*learning, *rest))
    torch.library.opcheck(group_norm_backward_op, (y, x, mean, rstd, weight, bias, *rest))


# The first of these in a process waits for torch._dynamo to be imported: 10 seconds.


@pytest.mark.parametrize("dynamic", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_compiled_in_one_graph(dynamic: bool) -> None:
    layer = GroupNorm(4, 8, activation="silu")
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager", dynamic=dynamic)
    for batch in (2, 3):
        x = laid_out(some((batch, 8, 6, 5)), "last").requires_grad_()
        with torch.no_grad():
            y = compiled(x)
        assert torch.equal(y, layer(x))
        assert y.stride() == x.stride()
        compiled(x).square().sum().backward()
        found, x.grad = x.grad, None
        layer(x).square().sum().backward()
        assert torch.equal(found, x.grad)


@pytest.mark.slow
def test_compiled_by_inductor() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), GroupNorm(4, 8, activation="silu"), torch.nn.Conv2d(8, 8, 1)).eval()
    x = some((2, 3, 12, 12))
    with torch.no_grad():
        torch.testing.assert_close(torch.compile(model, fullgraph=True)(x), model(x))


@pytest.mark.slow
def test_exported_with_the_operator_of_inference() -> None:
    layer, x = GroupNorm(4, 8, activation="relu"), some((2, 8, 6))
    exported = torch.export.export(layer, (x,))
    assert [n.target for n in exported.graph.nodes if n.op == "call_function"] == [group_norm_op]
    assert torch.equal(exported.module()(x), layer(x))


@pytest.mark.filterwarnings("ignore:.torch.jit.trace:DeprecationWarning")
def test_traced_by_fx_and_jit() -> None:
    layer, x = GroupNorm(4, 8, activation="silu"), some((2, 8, 6))
    traced = torch.fx.symbolic_trace(layer)
    assert [n.target for n in traced.graph.nodes if n.op == "call_function"] == [group_norm]
    assert torch.equal(traced(x), layer(x))
    with torch.no_grad():
        scripted = torch.jit.trace(layer, x)
    assert "gngen::group_norm" in str(scripted.graph)
    assert torch.equal(scripted(some((2, 8, 6), seed=5)), layer(some((2, 8, 6), seed=5)))


@pytest.mark.slow
def test_vmap() -> None:
    xs, weights, bias = some((3, 2, 8, 6)), some((3, 8), seed=1), some((8,), seed=2)
    found = torch.vmap(lambda x: group_norm(x, 4, None, bias, activation="silu"), in_dims=1)(xs.transpose(0, 1))
    assert torch.equal(found, torch.stack([group_norm(x, 4, None, bias, activation="silu") for x in xs]))
    found = torch.vmap(lambda x, weight: group_norm(x, 4, weight, bias))(xs, weights)
    assert torch.equal(found, torch.stack([group_norm(x, 4, weight, bias) for x, weight in zip(xs, weights, strict=True)]))


@pytest.mark.slow
def test_gradients_of_torch_func() -> None:
    xs, weight = some((3, 2, 8, 6), torch.float64), affine(8, torch.float64)[0]

    def loss(x: Any, weight: Any) -> Any:
        return group_norm(x, 4, weight, activation="silu").square().sum()

    each = torch.func.vmap(torch.func.grad(loss, argnums=1), in_dims=(0, None))(xs, weight)
    learning = weight.clone().requires_grad_()
    for x, got in zip(xs, each, strict=True):
        (want,) = torch.autograd.grad(loss(x, learning), learning)
        torch.testing.assert_close(got, want)


def test_other_kinds_of_tensors() -> None:
    class Own(torch.Tensor):
        pass

    x = some((2, 8, 6))
    assert type(group_norm(x.as_subclass(Own), 4)) is Own
    assert group_norm(x.to("meta"), 4).device.type == "meta"
    with torch.inference_mode():
        assert group_norm(x, 4).is_inference()
    negated = torch.complex(x, -x).conj().imag  # -(-x), and no negation has run yet
    assert negated.is_neg()
    assert torch.equal(group_norm(negated, 4), group_norm(x, 4))


# The module


def test_the_module_is_torchs_in_all_that_is_kept() -> None:
    theirs = torch.nn.GroupNorm(4, 8, eps=1e-3)
    torch.nn.init.normal_(theirs.weight)
    ours = GroupNorm(4, 8, eps=1e-3)
    ours.load_state_dict(theirs.state_dict())
    x = some((2, 8, 6))
    torch.testing.assert_close(ours(x), theirs(x))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert isinstance(ours, torch.nn.GroupNorm)
    assert [name for name, _ in GroupNorm(4, 8, affine=False).named_parameters()] == []
    assert [name for name, _ in GroupNorm(4, 8, bias=False).named_parameters()] == ["weight"]
    assert GroupNorm(4, 8, device="meta", dtype=torch.bfloat16).weight.dtype == torch.bfloat16


def test_the_module_shows_copies_and_pickles_its_activation() -> None:
    layer, x = GroupNorm(4, 8, activation="swish"), some((2, 8, 6))
    assert repr(layer) == "GroupNorm(4, 8, eps=1e-05, affine=True, bias=True, activation='silu')"
    assert "activation" not in repr(GroupNorm(4, 8))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), layer(x))


DOCUMENT = Path(gngen.__file__).resolve().parent.parent / "docs" / "torch.md"


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="docs/ is not beside this gngen")
def test_the_document_says_what_happens() -> None:
    failed, tried = doctest.testfile(str(DOCUMENT), module_relative=False)
    assert tried
    assert not failed
