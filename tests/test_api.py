"""compile, emit, lower, group_norm: what a user calls."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from strategies import assert_right, fill, need_backend, oracle, parameters, placed

import gngen
from gngen.errors import BuildError, SpecError, TargetError
from gngen.schedule import SCHEDULES
from gngen.spec import GroupNormSpec
from gngen.target import host_arch, load_machine

SPEC = GroupNormSpec(groups=4, axis=-1)
SHAPE = (2, 9, 12)

PUBLIC = [
    "BuildError",
    "GngenError",
    "GroupNormSpec",
    "GroupNormalization",
    "Kernel",
    "LaunchError",
    "Schedule",
    "Source",
    "SpecError",
    "TargetError",
    "VerifyError",
    "compile",
    "emit",
    "get_num_threads",
    "group_norm",
    "layer_group_normalization",
    "lower",
    "set_num_threads",
    "targets",
    "tune",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names(name: str) -> None:
    assert name in gngen.__all__
    assert name in dir(gngen)
    assert getattr(gngen, name).__doc__


def test_there_are_no_other_names() -> None:
    with pytest.raises(AttributeError, match=r"^module 'gngen' has no attribute 'group_normal'$"):
        gngen.group_normal  # noqa: B018
    assert gngen.reference.group_norm
    assert gngen.cache.default_cache


def test_importing_gngen_imports_neither_numba_nor_jinja() -> None:
    code = "import sys, gngen; print(sorted({'numba', 'llvmlite', 'jinja2', 'hypothesis', 'rich', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(gngen.__file__).parent.parent)
    assert done.stdout.strip() == "[]"


# Kernels, found again


def test_a_kernel_is_found_again(backend: str) -> None:
    kernel = gngen.compile(SPEC, SHAPE, target=backend)
    assert gngen.compile(SPEC, SHAPE, target=backend) is kernel
    assert gngen.compile(GroupNormSpec(groups=4, axis=-1), (2, 9, 12), "float32", backend) is kernel
    assert gngen.compile(SPEC, SHAPE, "float64", backend) is not kernel
    assert gngen.compile(SPEC, (3, 9, 12), target=backend) is not kernel


def test_finding_a_kernel_again_is_fast(backend: str) -> None:
    """Under a microsecond on an idle machine; a good deal more is allowed here, and far less than planning anew."""
    gngen.compile(SPEC, SHAPE, target=backend)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(100):
            gngen.compile(SPEC, SHAPE, target=backend)
        times.append((time.perf_counter() - start) / 100)
    assert min(times) < 10e-6


def test_shapes_that_reduce_to_one_problem_share_a_kernel(backend: str) -> None:
    """A different layout is a different Kernel, over the same machine code."""
    spec = GroupNormSpec(groups=4, axis=1)
    kernels = [gngen.compile(spec, shape, target=backend) for shape in ((2, 8, 30), (2, 8, 5, 6), (2, 8, 2, 3, 5))]
    kernels.append(gngen.compile(GroupNormSpec(groups=4, axis=-1), (2, 30, 8), target=backend, order=(0, 2, 1)))
    assert len({k.digest for k in kernels}) == 1
    assert len({id(k.launcher.entry) for k in kernels}) == 1
    assert kernels[1].origin == "memory"
    for kernel in kernels:
        x = placed(fill("normal", kernel.layout.shape, "float32"), "dense", kernel.layout.order)
        gamma, beta = parameters(x.shape, kernel.spec, "float32")
        assert_right(kernel(x, gamma, beta), oracle(x, gamma, beta, kernel.spec), "float32")


def test_what_is_not_hashable_is_found_by_its_digest(backend: str) -> None:
    one = gngen.compile(SPEC, list(SHAPE), target=backend, outputs=["y"], schedule={"store": "temporal"})
    other = gngen.compile(SPEC, list(SHAPE), target=backend, outputs=["y"], schedule={"store": "temporal"})
    assert one.digest == other.digest
    assert one.launcher.entry is other.launcher.entry


def test_eight_threads_ask_for_a_new_kernel(backend: str) -> None:
    """It is built once, and all get it."""
    spec, shape = GroupNormSpec(groups=3, axis=1, epsilon=0.0123), (None, 6, 7)
    found: list[gngen.Kernel] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        found.append(gngen.compile(spec, shape, target=backend))

    callers = [threading.Thread(target=ask) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 8
    assert len({id(k.launcher.entry) for k in found}) == 1
    assert sum(k.origin == "built" for k in found) <= 8


# Emitting and lowering


@pytest.mark.parametrize("target", ["c:x86-64-v3", "c:aarch64-neon", "llvm:aarch64-sve", "llvm:wasm32", "numba-cpu:x86-64-v4", "reference"])
def test_emit_builds_nothing_and_needs_nothing(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", forbidden)
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    source = gngen.emit(SPEC, SHAPE, target=target)
    languages = {"c": ("c", ".c"), "llvm": ("llvm", ".ll")}
    assert (source.language, source.suffix) == languages.get(target.split(":")[0], ("python", ".py"))
    assert source.entry in source.text
    assert source.text.endswith("\n")
    assert re.fullmatch(r"[0-9a-f]{32}", source.digest)
    assert source == gngen.emit(SPEC, SHAPE, target=target)
    assert source.digest != gngen.emit(SPEC, (2, 9, 24), target=target).digest
    if target.startswith("c"):
        assert f"-march={'armv8-a' if 'aarch64' in target else 'x86-64-v3'}" in source.flags


def test_a_kernel_shows_its_source_nest_and_assembly(backend: str) -> None:
    kernel = gngen.compile(SPEC, SHAPE, target=backend)
    assert kernel.source == gngen.emit(SPEC, SHAPE, target=backend)
    assert str(kernel.nest) == str(gngen.lower(SPEC, SHAPE, target=backend))
    if backend == "reference":
        with pytest.raises(BuildError, match=r"^the reference has no assembly: it is numpy; choose the target c, llvm or numba-cpu$"):
            kernel.assembly()
    else:
        assert kernel.source.entry in kernel.assembly()
    size = kernel.code_size()
    assert size is None or size > 100
    assert repr(kernel) == f"<gngen.Kernel gn_f32_o9_g4_c3_i1 on {backend}:host, schedule {kernel.schedule.name}>"


def test_an_emitted_python_module_runs_by_itself(tmp_path: Path) -> None:
    need_backend("numba-cpu")
    source = gngen.emit(SPEC, SHAPE, target="numba-cpu")
    (tmp_path / "emitted.py").write_text(source.text)
    x, (gamma, beta) = fill("normal", SHAPE, "float32"), parameters(SHAPE, SPEC, "float32")
    kernel = gngen.compile(SPEC, SHAPE, target="numba-cpu")
    np.savez(tmp_path / "in.npz", x=x, gamma=gamma, beta=beta, y=kernel(x, gamma, beta), scratch=np.array(kernel.launcher.workspace))
    code = """\
import numpy as np, emitted
v = np.load("in.npz")
y = np.empty_like(v["x"])
emitted.run(v["x"], v["gamma"], v["beta"], y, *(np.empty(2 * n) for n in v["scratch"]), 2)
assert np.array_equal(y, v["y"])
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


# Explaining


def test_explain_says_what_was_decided(backend: str) -> None:
    spec = GroupNormSpec(groups=4, axis=(1, -1), activation="silu")
    kernel = gngen.compile(spec, (None, 4, 5, 3), target=backend, outputs=("y", "mean"), schedule={"store": "temporal"})
    text = kernel.explain()
    found = {line[:10].strip(): line[10:] for line in text.splitlines() if line[:1] != " "}
    assert found["spec"] == str(spec)
    assert found["shape"] == "(None, 4, 5, 3) f32, memory order (0, 1, 3, 2)"
    assert found["problem"] == "batch any, outer 1, groups 4, chans 3, inner 5"
    assert found["target"].startswith(f"{backend}:host: this machine, as ")
    assert found["schedule"].startswith(f"{kernel.schedule.name}: ")
    assert found["stores"] == "temporal"
    assert found["copies"] == "x is copied: the feature axes (1, 3) do not follow each other in memory (order (0, 1, 2, 3))"
    assert found["key"] == kernel.digest
    assert re.fullmatch(r"(miss, built|hit, from (disk|memory)), \d+\.\d ms", found["cache"])
    assert kernel.schedule.reason


# Schedules


def test_a_schedule_by_name_by_fields_or_whole() -> None:
    by_name = gngen.compile(SPEC, SHAPE, target="reference", schedule="rows")
    by_field = gngen.compile(SPEC, SHAPE, target="reference", schedule={"name": "rows"})
    whole = gngen.compile(SPEC, SHAPE, target="reference", schedule=by_name.schedule)
    assert by_name.schedule == by_field.schedule == whole.schedule
    assert by_name.schedule.reason == "asked for"
    assert by_name.digest == by_field.digest == whole.digest


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("fast", f"no schedule 'fast'; choose from {', '.join(SCHEDULES)}"),
        (
            {"speed": 3},
            "a schedule has no field 'speed'; choose from name, lanes, accumulators, strip, rows, tile, prefetch, ahead, line, interleave, "
            "piece, store, parallel_from, by_sample",
        ),
        ({"store": "slow"}, "store 'slow' is not known; choose from auto, temporal, streaming"),
        ({"strip": 0}, "strip of a schedule is an integer, at least 1; received 0"),
        ({"prefetch": -1}, "prefetch of a schedule is an integer, at least 0; received -1"),
        ({"ahead": 0.5}, "ahead of a schedule is an integer, at least 0; received 0.5"),
        ({"piece": "big"}, "piece of a schedule is an integer, at least 1; received 'big'"),
        ({"lanes": 3}, "lanes of a schedule are a power of two; received 3"),
        ("group_split", "schedule group_split does not fit: the groups of a row are summed together; choose from sample, rows"),
        ("serial_small", "schedule serial_small does not fit: a group is 9 runs of only 3 elements; choose from sample, rows"),
    ],
)
def test_schedules_that_do_not_exist_or_do_not_fit(schedule: object, words: str) -> None:
    with pytest.raises(SpecError) as e:
        gngen.compile(SPEC, SHAPE, target="reference", schedule=schedule)  # type: ignore[arg-type]
    assert str(e.value) == words


def test_streaming_stores_are_asked_of_machines_that_have_them() -> None:
    with pytest.raises(SpecError) as e:
        gngen.emit(SPEC, SHAPE, target="c:aarch64-neon", schedule={"store": "streaming"})
    assert str(e.value) == "store streaming does not fit: aarch64-neon has no streaming stores: choose temporal"
    with pytest.raises(SpecError, match=r"^store streaming does not fit: x86-64 has whole vectors of 128 to 128 bits$"):
        gngen.emit(SPEC, SHAPE, target="c:x86-64", schedule={"store": "streaming", "lanes": 8})
    assert gngen.lower(SPEC, SHAPE, target="c:x86-64", schedule={"store": "auto"})


def test_the_schedule_is_chosen_for_the_problem() -> None:
    """Which one is a matter of speed, and may change; that its reason is given is not."""
    for shape in ((1, 8), (2, 64, 64, 320), (8, 16, 16, 64), (None, 64, 320), (4, 12_000_000, 4)):
        schedule = gngen.api.plan(GroupNormSpec(groups=4), shape, target="c:x86-64-v3").schedule
        assert schedule.name in SCHEDULES
        assert schedule.reason not in ("", "asked for")
        assert schedule.lanes == load_machine("x86-64-v3").vector_bits // 32


# Compiling


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"spec": GroupNormSpec(groups=5)},
            "Number of groups (5) must be a multiple of the number of channels (12). Nearest that fit: 4, 6.",
        ),
        ({"spec": GroupNormSpec(groups=2, axis=3)}, "axis 3 is out of range for the shape (2, 9, 12); choose from -2..2, not 0"),
        ({"dtype": "int8"}, "dtype int8 has no kernel; choose from float32, float64, float16, bfloat16"),
        (
            {"dtype": "float16", "param_dtype": "float64"},
            "param_dtype float64 does not go with dtype float16; choose from float16, float32",
        ),
        ({"outputs": ("y", "variance")}, "outputs are y and, after it, any of sum, mean, rstd, each once; received ('y', 'variance')"),
        ({"order": (0, 2, 2)}, "order names each of the axes 0..2 once, outermost first; received (0, 2, 2)"),
    ],
)
def test_arguments_that_do_not_go_together(arguments: dict[str, object], words: str) -> None:
    for call in (gngen.compile, gngen.emit, gngen.lower):
        with pytest.raises(SpecError) as e:
            call(**{"spec": SPEC, "shape": SHAPE, **arguments})  # type: ignore[operator]
        assert str(e.value) == words


def test_a_source_that_the_compiler_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    need_backend("c")
    from gngen.backends import c

    monkeypatch.setattr(c, "_FLAGS", ("-fno-such-flag",))
    with pytest.raises(BuildError, match=r"(?s)-fno-such-flag .* failed with status 1:\n.*-fno-such-flag"):
        gngen.compile(SPEC, (2, 9, 36), target="c")


# group_norm


@pytest.mark.slow_on("numba-cpu")
def test_group_norm(backend: str) -> None:
    x = fill("offset", (2, 5, 4, 12), "float32")
    gamma, beta = parameters(x.shape, SPEC, "float32")
    for given in ((gamma, beta), (gamma, None), (None, beta)):
        spec = GroupNormSpec(groups=4, center=given[1] is not None, scale=given[0] is not None, activation="relu")
        y = gngen.group_norm(x, *given, groups=4, activation="relu", target=backend)
        assert_right(y, oracle(x, *given, spec), "float32")
    first = placed(np.moveaxis(x, -1, 1), "dense")
    y = gngen.group_norm(first, gamma, beta, groups=4, axis=np.int64(1), epsilon=np.float32(0.5), target=backend)
    assert_right(y, oracle(first, gamma, beta, GroupNormSpec(groups=4, axis=1, epsilon=0.5)), "float32")
    both = gngen.group_norm(x, gamma=np.ones((4, 12)), groups=8, axis=[-1, 2], target=backend)
    assert_right(both, oracle(x, np.ones((4, 12), "float32"), None, GroupNormSpec(groups=8, axis=(2, 3), center=False)), "float32")
    out = np.empty_like(x)
    assert gngen.group_norm(x, groups=4, out=out, target=backend) is out
    assert gngen.group_norm(x, groups=4, out=x, target=backend) is x
    np.testing.assert_array_equal(x, out)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 2, 1, 0), (1, 3, 0, 2)])
@pytest.mark.parametrize("axis", [1, -1, 2, (1, 2), (1, 3)])
def test_group_norm_finds_the_memory_order(axis: int | tuple[int, ...], order: tuple[int, ...]) -> None:
    need_backend("c")
    spec = GroupNormSpec(groups=2, axis=axis, center=False, scale=False)
    x = placed(fill("normal", (3, 4, 6, 8), "float64"), "dense", order)
    y = gngen.group_norm(x, groups=2, axis=axis, target="c")
    assert_right(y, oracle(x, None, None, spec), "float64")
    kernel = gngen.api.kernel_for(spec, x, target="c")
    if not kernel.layout.copied:
        assert kernel.layout.order == order
        assert y.strides == x.strides
        assert kernel.launcher.copies == 0


def test_group_norm_of_arrays_with_gaps(backend: str) -> None:
    x = fill("normal", (4, 6, 10), "float32")
    spec = GroupNormSpec(groups=3, axis=1, center=False, scale=False)
    for view in (x[::2], x[:, :, ::2], x[:, ::-1], x[..., 1:], np.broadcast_to(x[:1], (3, 6, 10))):
        assert_right(gngen.group_norm(view, groups=3, axis=1, target=backend), oracle(view, None, None, spec), "float32")


def test_group_norm_defaults_are_keras() -> None:
    x = fill("normal", (2, 3, 64), "float32")
    np.testing.assert_array_equal(gngen.group_norm(x), gngen.group_norm(x, None, None, groups=32, axis=-1, epsilon=1e-3, activation=None))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"groups": True}, "Received an invalid value for argument `groups`"),
        ({"groups": 4.0}, "Received an invalid value for argument `groups`"),
        ({"groups": [4]}, "Received an invalid value for argument `groups`"),
        ({"axis": None}, "axis must be an integer or a non-empty list of integers; received axis=None"),
        ({"axis": True}, "axis must be an integer or a non-empty list of integers; received axis=True"),
        ({"axis": []}, "axis must be an integer"),
        ({"axis": 0}, "axis 0 of the shape (2, 9, 12) is the batch"),
        ({"epsilon": -1.0}, "epsilon must be a finite number"),
        ({"activation": "lrelu"}, "activation 'lrelu' is not known; choose None or one of relu, "),
        ({"activation": ["relu"]}, "activation ['relu'] is not known"),
        ({"x": np.zeros((2, 9, 12), "complex64")}, "dtype complex64 has no kernel"),
        ({"x": np.zeros(12, "float32")}, "group normalisation needs a batch axis and a feature axis; the input has shape (12,)"),
    ],
)
def test_group_norm_of_what_does_not_fit(arguments: dict[str, object], words: str) -> None:
    """After a call that fits: what is remembered of it must not let these through."""
    x = fill("normal", SHAPE, "float32")
    gngen.group_norm(x, groups=4)
    gngen.group_norm(x, groups=1, axis=1)
    with pytest.raises(SpecError) as e:
        gngen.group_norm(**{"x": x, "groups": 4, **arguments})  # type: ignore[arg-type]
    assert str(e.value).startswith(words)


@pytest.mark.parametrize(
    ("target", "said"),
    [("llvm:aarch64-neon", "fmla"), ("llvm:s390x", "vfma"), ("c:aarch64-neon", "fmla")],
)
def test_assembly_of_another_machine_is_had_without_running_it(target: str, said: str) -> None:
    if target.startswith("c:") and not shutil.which("aarch64-linux-gnu-gcc"):
        pytest.skip("aarch64-linux-gnu-gcc is not installed")
    assert said in gngen.api.plan(SPEC, SHAPE, target=target).assembly()


def test_assembly_of_another_machine_is_refused_where_it_would_be_this_one_s() -> None:
    foreign = "numba-cpu:aarch64-neon" if host_arch() != "aarch64" else "numba-cpu:x86-64"
    with pytest.raises(TargetError, match=r"^numba-cpu compiles for this machine alone, and this machine is "):
        gngen.api.plan(SPEC, SHAPE, target=foreign).assembly()
