"""Arrays on a GPU, without one: emitted CUDA C that was compiled for the CPU, on arrays that only say that they are on a GPU."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cudacpu import build_library, why_not
from strategies import Array, assert_equal, assert_right, companions, fill, oracle, parameters, placed

import gngen
from gngen import target
from gngen.api import plan
from gngen.backends import cuda, numba_cuda
from gngen.errors import LaunchError, TargetError
from gngen.gpuarrays import DeviceArray, TorchLibrary, as_array, describe_torch, is_on_gpu
from gngen.gpulauncher import GpuLauncher
from gngen.gpumemory import LEGACY_STREAM, DriverMemory, HostMemory
from gngen.kernel import Plan, _doubles
from gngen.pool import aligned
from gngen.problem import memory_order
from gngen.spec import GroupNormSpec

SPEC = GroupNormSpec(groups=2, axis=1, activation="silu")
SHAPE = (2, 4, 150)
F64 = np.dtype("float64")
X, (GAMMA, BETA) = fill("normal", SHAPE, "float32"), parameters(SHAPE, SPEC, "float32")
RIGHT = oracle(X, GAMMA, BETA, SPEC)


class Interface:
    """An array that says it is on a GPU, as CuPy's do."""

    def __init__(self, array: Array, stream: int | None = None, read_only: bool = False) -> None:
        self.array, self.stream, self.read_only = array, stream, read_only

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        dense = self.array.flags.c_contiguous
        return {
            "shape": self.array.shape,
            "typestr": self.array.dtype.str,
            "data": (self.array.ctypes.data, self.read_only),
            "strides": None if dense else self.array.strides,
            "stream": self.stream,
            "version": 3,
        }


class Tensor:
    """Shows nothing but DLPack, of a CUDA device."""

    def __init__(self, array: Array, device: tuple[int, int] = (2, 0)) -> None:
        self.array, self.device, self.streams = array, device, list[Any]()

    def __dlpack__(self, *, stream: Any, **options: Any) -> Any:
        self.streams.append(stream)
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device


class Old(Tensor):
    """DLPack before it had versions."""

    def __dlpack__(self, stream: Any = None) -> Any:
        return self.array.__dlpack__()


class Spy(HostMemory):
    """Knows what was asked of it."""

    def __init__(self) -> None:
        super().__init__(addresses=True)
        self.done: list[tuple[str, int]] = []
        self.device: int | None = 0

    def wait(self, stream: int) -> None:
        self.done.append(("wait", stream))

    def take(self, size: int, stream: int) -> int:
        self.done.append(("take", stream))
        return super().take(size, stream)

    def give_back(self, address: int, stream: int) -> None:
        self.done.append(("give back", stream))
        super().give_back(address, stream)

    def device_of(self, address: int) -> int | None:
        return self.device


class SpiedEntry:
    """A kernel that remembers its streams."""

    def __init__(self, entry: Any) -> None:
        self.entry, self.streams = entry, list[int]()

    def launch(self, places: Any, batch: int, stream: int) -> None:
        self.streams.append(stream)
        self.entry.launch(places, batch, 0)


def launcher_of(p: Plan, folder: Path) -> GpuLauncher:
    """The launcher of a plan's kernel, built for the CPU."""
    if why_not():
        pytest.skip(why_not())
    build_library(p.source, folder)
    nest = p.nest
    entry = cuda.load(folder, {"entry": nest.name, "arrays": len(nest.buffers) + len(nest.workspace)})
    return GpuLauncher(p.problem, p.layout, SpiedEntry(entry), tuple(_doubles(b) for b in nest.workspace), memory=Spy())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> GpuLauncher:
    """The launcher of a kernel with scratch arrays."""
    p = plan(SPEC, (None, *SHAPE[1:]), "float32", "cuda:sm_90", schedule="two_kernel")
    return launcher_of(p, tmp_path_factory.mktemp("kernel"))


@pytest.fixture
def launcher(built: GpuLauncher) -> GpuLauncher:
    """It, as if never called."""
    return GpuLauncher(built.problem, built.layout, SpiedEntry(built.entry.entry), built.workspace, memory=Spy())


def done(launcher: GpuLauncher) -> list[tuple[str, int]]:
    assert isinstance(launcher.memory, Spy)
    return launcher.memory.done


def test_on_the_stream_of_the_first_array_that_has_one(launcher: GpuLauncher) -> None:
    """Memory is taken on it; another array's stream is waited for, and at the end it is, too."""
    y = np.empty(SHAPE, "float32")
    for x_stream, others, used, waited in (
        (None, None, LEGACY_STREAM, []),
        (7, None, 7, []),
        (7, 7, 7, []),
        (None, 8, 8, []),
        (7, 8, 7, [8, 7]),
    ):
        done(launcher).clear()
        y[...] = np.nan
        out = Interface(y, x_stream)
        assert launcher(Interface(X, x_stream), Interface(GAMMA, others), Interface(BETA), out) is out
        assert_right(y, RIGHT, "float32")
        assert launcher.entry.streams.pop() == used
        assert [stream for what, stream in done(launcher) if what == "wait"] == waited
    assert launcher.moves == launcher.copies == 0
    assert launcher.notes == []


def test_scratch_arrays_are_kept_for_each_stream(launcher: GpuLauncher) -> None:
    def call(batch: int, stream: int) -> list[tuple[str, int]]:
        done(launcher).clear()
        x = X[:batch].copy()
        launcher(Interface(x, stream), Interface(GAMMA), Interface(BETA), Interface(x, stream))
        assert_right(x, oracle(X[:batch], GAMMA, BETA, SPEC), "float32")
        return list(done(launcher))

    count = len(launcher.workspace)
    assert count > 0
    assert call(1, 5) == [("take", 5)] * count
    assert call(1, 5) == []
    assert call(1, 6) == [("take", 6)] * count
    assert call(2, 5) == [("give back", 5)] * count + [("take", 5)] * count
    assert call(1, 5) == call(2, 5) == call(1, 6) == []


def test_dlpack(launcher: GpuLauncher) -> None:
    y, x = np.empty(SHAPE, "float32"), Tensor(X)
    assert launcher(x, Tensor(GAMMA), Old(BETA), out := Tensor(y)) is out
    assert x.streams == [LEGACY_STREAM]
    assert_right(y, RIGHT, "float32")
    with pytest.raises(LaunchError, match=r"^out cannot be written; give a writable array$"):
        launcher(x, Tensor(GAMMA), Tensor(BETA), Old(y))
    assert not is_on_gpu(Tensor(X, (1, 0)))


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (1, "x is on GPU 1; this kernel runs on GPU 0: move it there first"),
        (None, "x, a Interface, is not in memory of a GPU, though it says so"),
    ],
)
def test_where_the_driver_says_an_array_is(launcher: GpuLauncher, device: int | None, words: str) -> None:
    launcher.memory.device = device  # type: ignore[attr-defined]
    with pytest.raises(LaunchError) as e:
        launcher(Interface(X), GAMMA, BETA, np.empty_like(X))
    assert str(e.value) == words
    assert launcher.entry.streams == []


def test_what_cannot_be_written_or_shares_memory(launcher: GpuLauncher, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LaunchError, match=r"^out cannot be written; give a writable array$"):
        launcher(Interface(X), GAMMA, BETA, Interface(X.copy(), read_only=True))
    base = np.zeros((3, *SHAPE[1:]), "float32")
    base[:2] = X
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(LaunchError, match=r"^there is no numba here to make an array like a Interface: give out, and ask for y alone$"):
        launcher(Interface(base[:2]), GAMMA, BETA)
    with pytest.raises(LaunchError, match=r"^there is no numba here"):  # to write what x would be read from
        launcher(Interface(base[:2]), GAMMA, BETA, Interface(base[1:]))


def test_numpy_arrays_are_moved_on_the_stream_of_the_others(launcher: GpuLauncher) -> None:
    y = np.empty_like(X)
    assert launcher(Interface(X, 7), GAMMA, BETA, Interface(y, 7)) is not None
    assert_right(y, RIGHT, "float32")
    gamma_and_beta, scratch = 2, len(launcher.workspace)
    assert done(launcher) == [("take", 7)] * (gamma_and_beta + scratch) + [("give back", 7)] * gamma_and_beta
    assert launcher.notes == [
        "note      1 calls moved numpy arrays to the GPU, or answers back: arrays that are there already are not moved"
    ]
    assert_right(launcher(X, GAMMA, BETA), RIGHT, "float32")
    assert launcher.entry.streams == [7, LEGACY_STREAM]


def test_a_launch_that_fails_leaves_nothing(launcher: GpuLauncher) -> None:
    class Broken:
        def launch(self, *_: Any) -> None:
            raise LaunchError("not today")

    launcher.entry = Broken()
    with pytest.raises(LaunchError, match=r"^not today$"):
        launcher(X, GAMMA, BETA)
    assert len(launcher.memory._taken) == len(launcher.workspace)  # type: ignore[attr-defined]


# torch


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a tensor that says it is on a GPU, where torch's current stream is 9."""
    torch = pytest.importorskip("torch")

    class OnGpu(torch.Tensor):  # type: ignore[name-defined,misc]
        is_cuda = True

    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: SimpleNamespace(cuda_stream=9))
    return lambda array: torch.from_numpy(array).as_subclass(OnGpu)


def test_tensors(launcher: GpuLauncher, on_gpu: Any) -> None:
    torch = pytest.importorskip("torch")
    x, gamma, beta = map(on_gpu, (X, GAMMA, BETA))
    y = launcher(x, gamma, beta)
    assert isinstance(y, torch.Tensor)
    assert_right(y.numpy(), RIGHT, "float32")
    out = on_gpu(np.empty_like(X))
    assert launcher(x, gamma, beta, out) is out
    assert torch.equal(torch.Tensor(out), torch.Tensor(y))
    assert set(launcher.entry.streams) == {9}
    assert launcher.copies == launcher.moves == 0
    with pytest.raises(LaunchError, match=r"^x, a OnGpu, requires gradient, which a kernel does not compute: give x.detach\(\)$"):
        launcher(on_gpu(X.copy()).requires_grad_(), gamma, beta)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda x: np.round(4 * x).astype("int64"), "x is int64 and is converted to float32"),
        (lambda x: np.repeat(x, 2, axis=1)[:, ::2], "x has strides (4800, 1200, 4), which the kernel does not read"),
        (lambda x: np.concatenate([x[:1].ravel()[:1], x.ravel()])[1:].reshape(x.shape), "it begins 4 bytes after a multiple of 16"),
    ],
)
def test_tensors_are_copied_by_torch(launcher: GpuLauncher, on_gpu: Any, change: Any, why: str) -> None:
    given = change(X)
    if "begins" in why:
        room = aligned(X.nbytes + 16)[4 : X.nbytes + 4].view("float32").reshape(SHAPE)
        room[...] = given
        given = room
    y = launcher(on_gpu(given), on_gpu(GAMMA), on_gpu(BETA))
    assert_right(y.numpy(), oracle(given.astype("float32"), GAMMA, BETA, SPEC), "float32")
    assert launcher.notes == [f"copies    1 calls copied their input; the last because {why}"]
    assert launcher.moves == 0
    out = on_gpu(np.zeros((*SHAPE[:2], 300), "float32")[..., ::2])
    assert launcher(on_gpu(X), on_gpu(GAMMA), on_gpu(BETA.astype("float64")), out) is out
    assert_right(out.numpy(), RIGHT, "float32")
    assert "beta is float64 and is converted to float32" in launcher.notes[0]


@pytest.mark.parametrize("kind", ["torch", "interface"])
def test_fused_forms(kind: str, on_gpu: Any, tmp_path: Path) -> None:
    """Positions lie in another order than the mask's, which is converted by torch, and without it through the host."""
    spec = GroupNormSpec(groups=2, axis=1, residual=True, modulation=True, masked=True)
    shape, order = (2, 4, 5, 6), (0, 3, 1, 2)
    run = launcher_of(plan(spec, shape, "float32", "cuda:sm_90", ("y", "sum"), order=order), tmp_path)
    make = on_gpu if kind == "torch" else Interface
    fused = companions(shape, spec, "float32")
    x, residual = (placed(a, "dense", order) for a in (fill("normal", shape, "float32"), fused["residual"]))
    gamma, beta = parameters(shape, spec, "float32")
    right = oracle(x, gamma, beta, spec, **fused)
    out, total = np.empty_like(x), np.empty_like(x)
    pair = tuple(make(np.ascontiguousarray(a)) for a in fused["modulation"])
    mask = np.array(fused["mask"])
    for given in (mask, mask.astype("uint8")):
        out[...] = np.nan
        run(make(x), make(gamma), make(beta), make(out), make(residual), pair, make(given), make(total))
        assert_right(out, right, "float32")
        assert_equal(total, x + residual)
    assert run.copies == 2
    assert run.moves == (0 if kind == "torch" else 2)
    assert "mask is uint8 and is converted to float32" in run.copied


def test_an_out_that_overlaps_x(launcher: GpuLauncher, on_gpu: Any) -> None:
    base = np.zeros((3, *SHAPE[1:]), "float32")
    base[:2] = X
    whole = on_gpu(base)
    launcher(whole[:2], on_gpu(GAMMA), on_gpu(BETA), whole[1:])
    assert_right(base[1:], RIGHT, "float32")
    assert_equal(base[0], X[0])


def test_what_torch_makes_lies_in_the_order_asked_for() -> None:
    torch = pytest.importorskip("torch")
    like = torch.arange(24.0, dtype=torch.bfloat16).reshape(2, 3, 4)
    for order in ((0, 1, 2), (0, 2, 1), (2, 0, 1)):
        for found in (TorchLibrary().empty(like, (2, 3, 4), np.dtype("float16"), order), TorchLibrary().converted(like, F64, order)):
            assert found.shape == (2, 3, 4)
            assert memory_order(found.shape, found.strides, found.itemsize) == order
        assert torch.equal(found.owner, like.to(torch.float64))
    assert describe_torch(like, "x").dtype.name == "bfloat16"
    with pytest.raises(LaunchError, match=r"^x is float8_e5m2, which no kernel takes$"):
        describe_torch(torch.zeros(2, dtype=torch.float8_e5m2), "x")


# The driver


class Driver:
    """NVIDIA's driver library over the process's own memory."""

    def __init__(self) -> None:
        self.memory, self.asked, self.error = HostMemory(), list[str](), 0

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> int:
            self.asked.append(name)
            return self.error

        return ask

    def cuMemAllocAsync(self, address: Any, size: Any, stream: Any) -> int:
        address._obj.value = self.memory.take(size.value, stream.value)
        return self.error

    def cuMemFreeAsync(self, address: Any, stream: Any) -> int:
        self.memory.give_back(address.value, stream.value)
        return 0

    def cuMemcpyHtoDAsync_v2(self, target: Any, source: Any, size: Any, stream: Any) -> int:
        ctypes.memmove(target.value, source.value, size.value)
        return 0

    def cuMemcpyDtoHAsync_v2(self, target: Any, source: Any, size: Any, stream: Any) -> int:
        return self.cuMemcpyHtoDAsync_v2(target, source, size, stream)

    def cuMemcpyDtoDAsync_v2(self, target: Any, source: Any, size: Any, stream: Any) -> int:
        return self.cuMemcpyHtoDAsync_v2(target, source, size, stream)

    def cuPointerGetAttribute(self, number: Any, attribute: int, address: Any) -> int:
        number._obj.value = 0
        return 0 if address.value in self.memory._taken else 1

    def cuGetErrorName(self, error: int, text: Any) -> int:
        text._obj.value = b"CUDA_ERROR_OUT_OF_MEMORY"
        return 0


def test_memory_of_the_driver(launcher: GpuLauncher) -> None:
    driver = Driver()
    launcher.memory = memory = DriverMemory(driver)
    assert driver.asked == ["cuInit", "cuDeviceGet", "cuDevicePrimaryCtxRetain"]
    driver.asked.clear()
    assert_right(launcher(X, GAMMA, BETA), RIGHT, "float32")
    assert driver.asked[0] == "cuCtxPushCurrent_v2"
    assert driver.asked[-1] == "cuCtxPopCurrent_v2"
    assert len(driver.memory._taken) == len(launcher.workspace)
    with memory.current():
        place, other = memory.take(X.nbytes, 1), memory.take(X.nbytes, 1)
        memory.upload(place, X, 1)
        memory.copy(other, place, X.nbytes, 1)
        found = np.empty_like(X)
        memory.download(found, other, 1)
        assert_equal(found, X)
        assert (memory.device_of(place), memory.device_of(1)) == (0, None)
        assert memory.argument(place, X.nbytes, X.dtype) == place
        driver.error = 2
        words = r"^NVIDIA's driver refused cuMemAllocAsync: CUDA_ERROR_OUT_OF_MEMORY \(error 2\)$"
        with pytest.raises(LaunchError, match=words):
            memory.take(1, 1)
        driver.error = 0


# Which target


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a GPU."""
    why = "there is no GPU here: NVIDIA's driver is not installed (none); target auto runs on the CPU"
    for module in (target, cuda, numba_cuda):
        monkeypatch.setattr(module, "lacks_device", lambda: why)
    gngen.api.forget_kernels()


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("backend", ["cuda", "numba-cuda"])
def test_a_gpu_is_asked_for_where_there_is_none(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba_cuda, "lacks_numba", lambda: "")
    words = rf"^a kernel for {backend}:sm_90 can be emitted here and not run: there is no GPU here: .*; target auto runs on the CPU$"
    with pytest.raises(TargetError, match=words):
        gngen.group_norm(X, groups=2, axis=1, target=f"{backend}:sm_90")
    assert_right(gngen.group_norm(X, groups=2, axis=1), oracle(X, None, None, GroupNormSpec(2, 1, center=False, scale=False)), "float32")


@pytest.mark.usefixtures("no_gpu")
def test_auto_for_an_array_on_a_gpu_is_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TargetError, match=r"^x is on a GPU, and no backend can run there: cuda: there is no GPU here"):
        gngen.group_norm(Interface(X), groups=2, axis=1)
    monkeypatch.setattr(numba_cuda, "unavailable", lambda: "")
    assert target.choose_gpu() == "numba-cuda"
    monkeypatch.setattr(cuda, "unavailable", lambda: "")
    assert target.choose_gpu() == "cuda"


def test_a_cpu_kernel_takes_no_array_on_a_gpu() -> None:
    with pytest.raises(LaunchError, match=r"^x, a Interface, is on a GPU; a CPU kernel takes arrays on the CPU: move it there first$"):
        gngen.group_norm(Interface(X), groups=2, axis=1, target="reference")
    with pytest.raises(LaunchError, match=r"^x is on device \(2, 0\); a CPU kernel takes arrays on the CPU"):
        gngen.group_norm(Tensor(X), groups=2, axis=1, target="reference")


def test_what_is_read_of_an_array() -> None:
    turned = np.zeros((3, 4, 5), "int16")[::-1, :, ::2]
    for found in (as_array(Interface(turned))[0], as_array(Tensor(turned))[0]):
        assert isinstance(found, DeviceArray)
        assert (found.shape, found.strides, found.dtype, found.ndim, found.size) == ((3, 4, 3), turned.strides, turned.dtype, 3, 36)
        assert found.address == turned.ctypes.data
        first, end = np.lib.array_utils.byte_bounds(turned)
        assert found.span == (first, end)
