"""A kernel's call: what arrays it takes, where they may lie, and what it says of others."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from strategies import HALVES, Array, assert_equal, assert_right, fill, need_backend, oracle, parameters, placed

import gngen
from gngen.api import kernel_for
from gngen.errors import LaunchError
from gngen.launcher import Launcher
from gngen.spec import GroupNormSpec

SPEC = GroupNormSpec(groups=2, axis=1)
SHAPE = (2, 6, 5)


def kernel_of(backend: str, **changed: Any) -> gngen.Kernel:
    return gngen.compile(SPEC, **{"shape": SHAPE, "target": backend, **changed})


def arrays(shape: tuple[int, ...] = SHAPE, dtype: str = "float32") -> tuple[Array, Array, Array]:
    gamma, beta = parameters(shape, SPEC, dtype)
    assert gamma is not None
    assert beta is not None
    return fill("normal", shape, dtype), gamma, beta


# What is refused


X, GAMMA, BETA = arrays()
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"x": X[:1]}, "x has shape (1, 6, 5); this kernel was compiled for (2, 6, 5)"),
    ({"x": X[:, :5]}, "x has shape (2, 5, 5); this kernel was compiled for (2, 6, 5)"),
    ({"x": X[0]}, "x has shape (6, 5); this kernel was compiled for (2, 6, 5)"),
    ({"x": X.transpose(0, 2, 1)}, "x has shape (2, 5, 6); this kernel was compiled for (2, 6, 5)"),
    ({"x": X.astype("float64")}, "x is float64; this kernel was compiled for float32"),
    ({"x": X.astype("float16")}, "x is float16; this kernel was compiled for float32"),
    ({"x": X.astype(">f4")}, "x is >f4; this kernel was compiled for float32"),
    ({"x": X.astype("complex64")}, "x is complex64; this kernel was compiled for float32"),
    ({"x": X.astype(object)}, "x is object; this kernel was compiled for float32"),
    ({"x": "words"}, "x is a str; a kernel takes numpy arrays and anything that speaks DLPack on the CPU"),
    ({"x": None}, "x is a NoneType; a kernel takes numpy arrays and anything that speaks DLPack on the CPU"),
    ({"gamma": None}, "gamma is missing; this kernel takes one of shape (6,)"),
    ({"beta": None}, "beta is missing; this kernel takes one of shape (6,)"),
    ({"gamma": GAMMA[:5]}, "gamma has shape (5,); this kernel takes (6,)"),
    ({"beta": BETA[:, None]}, "beta has shape (6, 1); this kernel takes (6,)"),
    ({"beta": BETA.astype("complex64")}, "beta is complex64; this kernel takes float32"),
    ({"beta": np.array(list("abcdef"))}, "beta is <U1; this kernel takes float32"),
    ({"out": np.empty((2, 6), "float32")}, "out is float32 of shape (2, 6); this kernel writes float32 of shape (2, 6, 5)"),
    ({"out": np.empty(SHAPE)}, "out is float64 of shape (2, 6, 5); this kernel writes float32 of shape (2, 6, 5)"),
    ({"out": 3}, "out is int64 of shape (); this kernel writes float32 of shape (2, 6, 5)"),
    ({"out": np.broadcast_to(X, SHAPE)}, "out cannot be written; give a writable array"),
]


@pytest.mark.parametrize(("changed", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_arrays_that_do_not_fit(backend: str, changed: dict[str, Any], words: str) -> None:
    kernel = kernel_of(backend)
    arguments = {"x": X, "gamma": GAMMA, "beta": BETA, **changed}
    with pytest.raises(LaunchError) as e:
        kernel(**arguments)
    assert str(e.value) == words
    assert isinstance(e.value, ValueError)
    assert_right(kernel(X, GAMMA, BETA), oracle(X, GAMMA, BETA, SPEC), "float32")


def test_nothing_is_written_when_arrays_are_refused(backend: str) -> None:
    out = np.full(SHAPE, 7, "float32")
    with pytest.raises(LaunchError):
        kernel_of(backend)(X, GAMMA, BETA[:2], out=out)
    assert (out == 7).all()


def test_parameters_of_a_kernel_that_has_none(backend: str) -> None:
    spec = GroupNormSpec(groups=2, axis=1, scale=False, center=True)
    kernel = gngen.compile(spec, SHAPE, target=backend)
    with pytest.raises(LaunchError) as e:
        kernel(X, GAMMA, BETA)
    assert str(e.value) == "gamma is given, and this kernel was compiled without: scale=False, center=True"
    assert_right(kernel(X, None, BETA), oracle(X, None, BETA, spec), "float32")
    assert_right(kernel(X, beta=BETA), oracle(X, None, BETA, spec), "float32")


# What is taken


def test_any_batch_where_the_batch_is_symbolic(backend: str) -> None:
    kernel = kernel_of(backend, shape=(None, 6, 5), outputs=("y", "mean"))
    for batch in (0, 1, 2, 7):
        x, gamma, beta = arrays((batch, 6, 5))
        y, mean = kernel(x, gamma, beta)
        assert mean.shape == (batch, 2)
        assert_right(y, oracle(x, gamma, beta, SPEC), "float32")
    with pytest.raises(LaunchError, match=r"^x has shape \(2, 6, 4\); this kernel was compiled for \(None, 6, 5\)$"):
        kernel(X[..., :4], GAMMA, BETA)


@pytest.mark.parametrize("shape", [(0, 6, 5), (3, 6, 0), (3, 6, 0, 4), (0, 6, 0)])
def test_nothing_in_nothing_out(backend: str, shape: tuple[int, ...]) -> None:
    x, gamma, beta = arrays(shape)
    y, mean, rstd = gngen.compile(SPEC, (None, *shape[1:]), target=backend, outputs=("y", "mean", "rstd"))(x, gamma, beta)
    assert y.shape == shape
    assert mean.shape == rstd.shape == (shape[0], 2)
    assert np.isnan(mean).all()
    kernel = gngen.compile(SPEC, shape, target=backend)
    assert kernel(x, gamma, beta).shape == shape
    assert kernel(x, gamma, beta, out=x) is x


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "int64", "bool"])
def test_integers_are_computed_in_floating_point(backend: str, dtype: str) -> None:
    x = (np.arange(60).reshape(SHAPE) % 7 - (0 if dtype[0] in "ub" else 3)).astype(dtype)
    kernel = kernel_of(backend)
    assert_right(kernel(x, GAMMA, BETA), oracle(x.astype("float32"), GAMMA, BETA, SPEC), "float32")
    assert f"the last because x is {dtype} and is converted to float32" in kernel.explain()
    assert_right(
        gngen.group_norm(x, GAMMA, BETA, groups=2, axis=1, target=backend), oracle(x.astype("float32"), GAMMA, BETA, SPEC), "float32"
    )
    out = np.empty(SHAPE, "float32")
    assert kernel(x, GAMMA, BETA, out=out) is out


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", ">f4"])
def test_parameters_of_another_type_are_converted(backend: str, dtype: str) -> None:
    gamma, beta = (np.round(p, 2).astype(dtype) for p in (GAMMA, BETA))
    right = oracle(X, gamma.astype("float32"), beta.astype("float32"), SPEC)
    assert_right(kernel_of(backend)(X, gamma, beta), right, "float32")
    assert_right(kernel_of(backend)(X, list(map(float, gamma)), list(map(float, beta))), right, "float32")


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("param_dtype", [None, "float32"])
def test_parameters_of_halves(backend: str, dtype: str, param_dtype: str | None) -> None:
    """Of either type, and converted to the one that the kernel was compiled for."""
    x, gamma, beta = arrays(dtype=dtype)
    kernel = kernel_of(backend, dtype=dtype, param_dtype=param_dtype)
    right = oracle(x, gamma, beta, SPEC)
    for given in (dtype, "float32", "float64"):
        assert_right(kernel(x, gamma.astype(given), beta.astype(given)), right, dtype)
    assert kernel.launcher.param_dtype == (param_dtype or dtype)
    with pytest.raises(LaunchError, match=rf"^beta is complex64; this kernel takes {param_dtype or dtype}$"):
        kernel(x, gamma, beta.astype("complex64"))
    with pytest.raises(LaunchError, match=rf"^x is float32; this kernel was compiled for {dtype}$"):
        kernel(X, gamma, beta)
    words = rf"^out is float32 of shape \(2, 6, 5\); this kernel writes {dtype} of shape \(2, 6, 5\)$"
    with pytest.raises(LaunchError, match=words):
        kernel(x, gamma, beta, out=np.empty(SHAPE, "float32"))
    ints = np.arange(60).reshape(SHAPE) % 7
    assert_right(kernel(ints, gamma, beta), oracle(ints.astype(dtype), gamma, beta, SPEC), dtype)


@pytest.mark.parametrize("dtype", HALVES)
def test_the_fast_call_of_halves(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes parameters of the compiled type as they are, and leaves others to the launcher."""
    need_backend("c")
    x, gamma, beta = arrays(dtype=dtype)
    right = gngen.compile(SPEC, SHAPE, dtype, "c")(x, gamma, beta)
    seen: list[str] = []
    inner = Launcher._parameter

    def spy(self: Launcher, name: str, *rest: Any) -> Array | None:
        seen.append(name)
        return inner(self, name, *rest)

    monkeypatch.setattr(Launcher, "_parameter", spy)
    for own, other in ((dtype, "float32"), ("float32", dtype)):
        kernel = gngen.compile(SPEC, SHAPE, dtype, "c", param_dtype=own)
        kernel(x, gamma, beta)
        if kernel._call is kernel.launcher:
            pytest.skip("there is no fast call here")
        for given, through in ((own, []), (other, ["gamma", "beta"])):
            seen.clear()
            assert_equal(kernel(x, gamma.astype(given), beta.astype(given), out=np.empty_like(x)), right)
            assert seen == through


@pytest.mark.parametrize("dtype", HALVES)
def test_group_norm_takes_parameters_as_they_are(dtype: str) -> None:
    x, gamma, beta = arrays(dtype=dtype)
    for weights, kind in (((gamma, beta), dtype), ((X[0, :, 0], beta), "float32"), ((gamma.astype("float64"), None), "float32")):
        spec = GroupNormSpec(groups=2, axis=1, center=weights[1] is not None)
        kernel = kernel_for(spec, x, *weights, target="c")
        assert kernel.launcher.param_dtype == kind
        assert_equal(gngen.group_norm(x, *weights, groups=2, axis=1, target="c"), kernel(x, *weights))
    assert kernel_for(GroupNormSpec(groups=2, axis=1, center=False, scale=False), x, target="c").problem.parameters != "f32"
    lists = gngen.group_norm(x, gamma.astype("float32").tolist(), beta, groups=2, axis=1, target="c")
    assert_equal(lists, gngen.group_norm(x, gamma, beta, groups=2, axis=1, target="c"))


def test_read_only_input_is_read(backend: str) -> None:
    x, gamma, beta = arrays()
    for a in (x, gamma, beta):
        a.flags.writeable = False
    assert_right(kernel_of(backend)(x, gamma, beta), oracle(x, gamma, beta, SPEC), "float32")


@pytest.mark.parametrize("place", ["dense", "shifted", "bytes", "strided", "reversed"])
def test_x_and_parameters_may_lie_anywhere(backend: str, place: str) -> None:
    kernel = kernel_of(backend)
    before = kernel.launcher.copies
    y = kernel(placed(X, place), placed(GAMMA, place), placed(BETA, place))
    assert_right(y, oracle(X, GAMMA, BETA, SPEC), "float32")
    copied = place not in ("dense", "shifted")
    assert kernel.launcher.copies == before + copied
    if place == "strided":
        assert "the last because x has strides (240, 40, 8), which the kernel does not read" in kernel.explain()


def test_the_order_that_a_kernel_was_compiled_for(backend: str) -> None:
    kernel = kernel_of(backend, order=(0, 2, 1))
    last = placed(X, "dense", (0, 2, 1))
    before = kernel.launcher.copies
    y = kernel(last, GAMMA, BETA)
    assert kernel.launcher.copies == before
    assert y.strides == last.strides
    np.testing.assert_array_equal(kernel(X, GAMMA, BETA), y)
    assert kernel.launcher.copies == before + 1
    assert "memory order (0, 2, 1)" in kernel.explain()


def test_subclasses_and_lists_are_arrays(backend: str) -> None:
    class Mine(np.ndarray):
        pass

    plain = kernel_of(backend)(X, GAMMA, BETA)
    np.testing.assert_array_equal(kernel_of(backend)(X.view(Mine), GAMMA, BETA), plain)
    double = kernel_of(backend, dtype="float64")
    np.testing.assert_array_equal(double(X.tolist(), GAMMA, BETA), double(X.astype("float64"), GAMMA, BETA))


# DLPack


class Tensor:
    """Wraps a numpy array, and shows nothing of it but DLPack."""

    def __init__(self, array: Array, device: tuple[int, int] = (1, 0)) -> None:
        self.array, self.device = array, device

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device


class Old(Tensor):
    """DLPack before it had versions: read-only as far as numpy can tell."""

    def __dlpack__(self, stream: Any = None) -> Any:
        return self.array.__dlpack__()


def from_dlpack(array: Any) -> Tensor:
    """What a package that has arrays of its own has: gngen calls it to answer in kind."""
    return Tensor(np.from_dlpack(array))


@pytest.mark.parametrize("kind", [Tensor, Old])
def test_the_answer_is_of_the_inputs_kind(backend: str, kind: type[Tensor]) -> None:
    right = oracle(X, GAMMA, BETA, SPEC)
    y, mean, rstd = kernel_of(backend, outputs=("y", "mean", "rstd"))(kind(X), kind(GAMMA), kind(BETA))
    assert all(type(a) is Tensor for a in (y, mean, rstd))
    assert_right(y.array, right, "float32")
    assert mean.array.shape == (2, 2)
    found = gngen.group_norm(kind(X), GAMMA, kind(BETA), groups=2, axis=1, target=backend)
    assert_right(found.array, right, "float32")


def test_out_through_dlpack(backend: str) -> None:
    out = Tensor(np.empty(SHAPE, "float32"))
    assert kernel_of(backend)(X, GAMMA, BETA, out=out) is out
    assert_right(out.array, oracle(X, GAMMA, BETA, SPEC), "float32")
    with pytest.raises(LaunchError, match=r"^out cannot be written; give a writable array$"):
        kernel_of(backend)(X, GAMMA, BETA, out=Old(np.empty(SHAPE, "float32")))


def test_arrays_elsewhere_and_arrays_that_cannot_be_exported(backend: str) -> None:
    with pytest.raises(LaunchError) as e:
        kernel_of(backend)(Tensor(X, (2, 0)), GAMMA, BETA)
    assert str(e.value) == "x is on device (2, 0); a CPU kernel takes arrays on the CPU: move it there first"
    with pytest.raises(LaunchError, match=r"^gamma is on device"):
        kernel_of(backend)(X, Tensor(GAMMA, (2, 0)), BETA)
    frozen = X.copy()
    frozen.flags.writeable = False
    with pytest.raises(LaunchError, match=r"^x, a Old, cannot be read through DLPack: "):
        kernel_of(backend)(Old(frozen), GAMMA, BETA)


def test_torch_tensors(backend: str) -> None:
    torch = pytest.importorskip("torch")
    shape = (2, 6, 5, 4)
    x, gamma, beta = arrays(shape)
    right = oracle(x, gamma, beta, SPEC)
    for tensor in (torch.from_numpy(x), torch.from_numpy(x).to(memory_format=torch.channels_last)):
        y = gngen.group_norm(tensor, torch.from_numpy(gamma), torch.from_numpy(beta), groups=2, axis=1, target=backend)
        assert isinstance(y, torch.Tensor)
        assert y.stride() == tensor.stride()
        assert_right(y.numpy(), right, "float32")
        out = torch.empty_like(tensor)
        assert gngen.group_norm(tensor, torch.from_numpy(gamma), torch.from_numpy(beta), groups=2, axis=1, target=backend, out=out) is out
        assert torch.equal(out, y)
    with pytest.raises(LaunchError, match=r"^x, a Tensor, cannot be read through DLPack: Can't export tensors that require gradient"):
        gngen.group_norm(torch.from_numpy(x).requires_grad_(), groups=2, axis=1, target=backend)


@pytest.mark.slow_on("numba-cpu")
def test_torch_tensors_of_halves(backend: str) -> None:
    """bfloat16, which numpy's DLPack does not know, among them; without a copy, and with parameters of either type."""
    torch = pytest.importorskip("torch")
    shape = (2, 6, 5, 4)
    x, gamma, beta = (torch.from_numpy(a) for a in arrays(shape))
    for dtype in (torch.bfloat16, torch.float16):
        for layout in (torch.contiguous_format, torch.channels_last):
            tensor = x.to(dtype).to(memory_format=layout)
            for weight, shift in ((gamma, beta), (gamma.to(dtype), beta.to(dtype)), (gamma, beta.to(dtype))):
                y = gngen.group_norm(tensor, weight, shift, groups=2, axis=1, target=backend)
                assert (y.dtype, y.stride()) == (dtype, tensor.stride())
                single = gngen.group_norm(tensor.float(), weight.float(), shift.float(), groups=2, axis=1, target=backend)
                assert (y == single.to(dtype)).all() or backend == "reference"
                torch.testing.assert_close(y, single.to(dtype), rtol=torch.finfo(dtype).eps, atol=1e-5)
                out = torch.empty_like(tensor)
                assert gngen.group_norm(tensor, weight, shift, groups=2, axis=1, target=backend, out=out) is out
                assert torch.equal(out, y)
    in_place = x.bfloat16()
    y = gngen.group_norm(in_place, groups=2, axis=1, target=backend)
    assert gngen.group_norm(in_place, groups=2, axis=1, target=backend, out=in_place) is in_place
    assert torch.equal(in_place, y)
    kernel = kernel_of(backend, shape=shape, dtype="bfloat16", outputs=("y", "mean"))
    y, mean = kernel(x.bfloat16(), gamma, beta)
    assert (y.dtype, mean.dtype) == (torch.bfloat16, torch.float32)
    with pytest.raises(LaunchError, match=r"^x, a Tensor, cannot be read through DLPack: Can't export tensors that require gradient"):
        gngen.group_norm(x.bfloat16().requires_grad_(), groups=2, axis=1, target=backend)
    with pytest.raises(LaunchError, match=r"^x is bfloat16; this kernel was compiled for float32$"):
        kernel_of(backend, shape=shape)(x.bfloat16(), gamma, beta)


# Many callers


@pytest.mark.parametrize(
    ("axis", "phases", "whole"),
    [(1, "group_split", "group_resident"), pytest.param(-1, "rows", "sample", marks=pytest.mark.slow_on("numba-cpu"))],
)
def test_eight_threads_call_one_kernel(backend: str, axis: int, phases: str, whole: str) -> None:
    """Each with arrays of its own, through phases that share a workspace by design."""
    spec, sizes = GroupNormSpec(groups=4, axis=axis), (24, 500) if axis == 1 else (500, 24)
    asked = {"name": phases, "parallel_from": 1}
    kernel = gngen.compile(spec, (None, *sizes), target=backend, outputs=("y", "mean", "rstd"), schedule=asked)
    plain = gngen.compile(spec, (None, *sizes), target=backend, schedule={"name": whole, "parallel_from": 1})
    wrong: list[str] = []

    def work(seed: int) -> None:
        x = fill("normal", (1 + seed % 3, *sizes), "float32", seed)
        gamma, beta = parameters(x.shape, spec, "float32", seed)
        right, out = oracle(x, gamma, beta, spec), np.empty_like(x)
        for _ in range(5):
            y, mean, _ = kernel(x, gamma, beta)
            assert_right(y, right, "float32")
            np.testing.assert_allclose(mean, right.mean, 1e-5, 1e-6)
            assert plain(x, gamma, beta, out=out) is out
            np.testing.assert_array_equal(out, y)

    def guarded(seed: int) -> None:
        try:
            work(seed)
        except Exception as e:
            wrong.append(f"{seed}: {e}")

    callers = [threading.Thread(target=guarded, args=(seed,)) for seed in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def test_threads_are_a_positive_number() -> None:
    gngen.set_num_threads(3)
    assert gngen.get_num_threads() == 3
    for bad in (0, -1, 1.0, True, "2", None):
        with pytest.raises(ValueError, match=r"^the number of threads is an integer, at least 1; received "):
            gngen.set_num_threads(bad)  # type: ignore[arg-type]
    assert gngen.get_num_threads() == 3
