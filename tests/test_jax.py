"""JAX: the norm and its gradients are right under every transformation, and call the kernels that they should."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from strategies import assert_right, fill, need_backend, oracle, parameters

import gngen
from gngen import reference
from gngen.errors import BuildError, LaunchError, SpecError
from gngen.spec import ACTIVATIONS, GroupNormSpec

jax = pytest.importorskip("jax")
import jax.numpy as jnp

from gngen.integrations.jax import definition, group_norm, handler, primitives, unavailable

ROOT = Path(gngen.__file__).resolve().parent.parent
needs_compiler = pytest.mark.skipif(bool(unavailable()), reason=f"backend c: {unavailable()}")
LAST, FIRST, BETWEEN = ((3, 5, 7, 24), -1), ((3, 24, 5, 7), 1), ((3, 5, 24, 2), 2)
# Every layout, and every type.
FORMS = [*((*form, "float32") for form in (LAST, FIRST, BETWEEN)), (*FIRST, "float64"), (*LAST, "float16"), (*FIRST, "bfloat16")]


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def options(spec: GroupNormSpec) -> dict[str, Any]:
    return {"groups": spec.groups, "axis": spec.axis, "epsilon": spec.epsilon, "activation": spec.activation}


def calls_kernels(f: Callable[..., Any], *args: Any) -> int:
    """How many calls of kernels a function is lowered to."""
    return int(jax.jit(f).lower(*args).as_text().count("@gngen_kernel"))


# Forward


@needs_compiler
@pytest.mark.parametrize(("shape", "axis", "dtype"), FORMS)
@pytest.mark.parametrize("data", ["normal", "far"])
def test_forward_keeps_the_contract(shape: tuple[int, ...], axis: int, dtype: str, data: str) -> None:
    spec = GroupNormSpec(8, axis)
    x = fill(data, shape, dtype)
    gamma, beta = parameters(shape, spec, "float32" if dtype == "float16" else dtype)
    assert_right(np.asarray(group_norm(x, gamma, beta, **options(spec))), oracle(x, gamma, beta, spec), dtype)
    assert calls_kernels(lambda x: group_norm(x, gamma, beta, **options(spec)), x) == 1


@needs_compiler
@pytest.mark.parametrize("activation", ["silu", "gelu_tanh"])
def test_forward_of_an_activation_is_the_kernels(activation: str) -> None:
    spec = GroupNormSpec(4, 1, 1e-5, activation=activation)
    x = fill("normal", (2, 12, 33), "float32")
    gamma, beta = parameters(x.shape, spec, "float32")
    y = jax.jit(lambda *given: group_norm(*given, **options(spec)))(x, gamma, beta)
    np.testing.assert_array_equal(np.asarray(y), gngen.compile(spec, x.shape, target="c")(x, gamma, beta))


@pytest.mark.parametrize(
    ("axis", "scale", "center"),
    [((1, 2), True, True), ((1, 3), True, True), ((3, 1), False, True), ((-1,), True, False), ([2, 3], False, False)],
)
def test_axes_and_parameters(axis: Any, scale: bool, center: bool) -> None:
    spec = GroupNormSpec(2, tuple(axis), scale=scale, center=center)
    x = fill("normal", (3, 4, 5, 6), "float32")
    gamma, beta = parameters(x.shape, spec, "float32")
    y = group_norm(x, gamma, beta, groups=2, axis=axis)
    assert_right(np.asarray(y), oracle(x, gamma, beta, spec), "float32")


def test_instance_norm_integers_and_defaults() -> None:
    x = np.arange(2 * 3 * 64).reshape(2, 3, 64)
    y = group_norm(x, groups=-1)
    assert y.dtype == jnp.float32
    wanted = reference.group_norm(x.astype("float32"), None, None, GroupNormSpec(-1, scale=False, center=False))[0]
    np.testing.assert_allclose(y, wanted, atol=1e-5)
    assert group_norm(x).shape == x.shape


@pytest.mark.parametrize("shape", [(0, 3, 8), (2, 0, 8)])
def test_what_is_empty_stays_empty(shape: tuple[int, ...]) -> None:
    gamma = jnp.ones(8)
    y, back = jax.vjp(lambda x, gamma, beta: group_norm(x, gamma, beta, groups=4), jnp.zeros(shape), gamma, gamma)
    dx, dgamma, dbeta = back(jnp.zeros(shape))
    assert y.shape == dx.shape == shape
    assert dgamma.tolist() == dbeta.tolist() == [0] * 8


@needs_compiler
def test_the_bits_do_not_depend_on_threads_or_on_who_calls() -> None:
    x = jnp.asarray(fill("normal", (4, 16, 3000), "float32"))
    gngen.set_num_threads(1)
    norm = jax.jit(lambda x: group_norm(x, groups=4, axis=1))
    alone = np.asarray(norm(x))
    for count in (2, 8):
        gngen.set_num_threads(count)
        np.testing.assert_array_equal(np.asarray(norm(x)), alone)
    found: list[Any] = []
    callers = [threading.Thread(target=lambda: found.append(np.asarray(norm(x)))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 4
    for y in found:
        np.testing.assert_array_equal(y, alone)


# Gradients


def gradients(spec: GroupNormSpec, dy: Any, x: Any, gamma: Any, beta: Any) -> Any:
    """Of sum(dy * y), as JAX finds them."""
    back = lambda dy, *given: jax.vjp(lambda *given: group_norm(*given, **options(spec)), *given)[1](dy)  # noqa: E731
    return jax.jit(back)(dy, x, gamma, beta)


def assert_near(got: Any, wanted: Any, relative: float) -> None:
    """Every element as near as a part of the largest."""
    got = np.asarray(got, np.float64)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=0, atol=relative * max(1.0, np.abs(wanted).max(initial=0)))


@pytest.mark.parametrize(("shape", "axis", "dtype"), [*FORMS, ((3, 4, 7, 6), (1, 3), "float32")])
@pytest.mark.parametrize("activation", [None, "silu"])
def test_gradients_are_the_definitions(shape: tuple[int, ...], axis: Any, dtype: str, activation: str | None) -> None:
    spec = GroupNormSpec(8, axis, activation=activation)
    x, dy = fill("normal", shape, dtype), fill("uniform", shape, dtype)
    gamma, beta = parameters(shape, spec, "float32" if dtype == "float16" else dtype)
    got = gradients(spec, jnp.asarray(dy), x, gamma, beta)
    wanted = reference.group_norm_backward(dy, x, gamma, beta, spec)
    for one, other, like in zip(got, wanted, (x, gamma, beta), strict=True):
        assert one.dtype == like.dtype
        assert_near(one, other, {"float32": 4e-6, "float64": 1e-13, "float16": 1e-3, "bfloat16": 8e-3}[dtype])


@pytest.mark.parametrize(
    ("scale", "center", "activation"), [(True, True, "gelu"), (True, False, None), (False, True, "tanh"), (False, False, None)]
)
def test_gradients_are_finite_differences(scale: bool, center: bool, activation: str | None) -> None:
    spec = GroupNormSpec(2, 1, scale=scale, center=center, activation=activation)
    x, dy = fill("normal", (2, 6, 5), "float64"), fill("uniform", (2, 6, 5), "float64")
    given = (x, *parameters(x.shape, spec, "float64"))
    got = gradients(spec, dy, *given)
    for at, array in enumerate(given):
        if array is None:
            assert got[at] is None
            continue
        along = np.random.default_rng(at).standard_normal(array.shape)

        def loss(step: float, at: int = at, along: Any = along) -> float:
            moved = [p if i != at else p + step * along for i, p in enumerate(given)]
            return float((dy * reference.group_norm(*moved, spec)[0]).sum())

        slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
        assert float((np.asarray(got[at]) * along).sum()) == pytest.approx(slope, rel=1e-7, abs=1e-8)


@needs_compiler
def test_gradients_are_taken_by_kernels() -> None:
    x, gamma = jnp.ones((2, 3, 8)), jnp.ones(8)

    def loss(x: Any, gamma: Any) -> Any:
        return group_norm(x, gamma, gamma, groups=4, activation="silu").sum()

    assert calls_kernels(jax.grad(loss, (0, 1)), x, gamma) == 2
    assert calls_kernels(jax.value_and_grad(jax.checkpoint(loss)), x, gamma) == 3


def test_half_data_with_float32_parameters() -> None:
    x, gamma = jnp.ones((2, 3, 8), jnp.bfloat16), jnp.ones(8, jnp.float32)
    dx, dgamma = jax.grad(lambda x, gamma: group_norm(x, gamma, None, groups=4).astype(jnp.float32).sum(), (0, 1))(x, gamma)
    assert (dx.dtype, dgamma.dtype) == (jnp.bfloat16, jnp.float32)
    dbeta = jax.grad(lambda beta: group_norm(x, None, beta, groups=4).astype(jnp.float32).sum())(gamma)
    assert dbeta.dtype == jnp.float32
    assert dbeta.tolist() == [6.0] * 8


def test_derivatives_of_derivatives() -> None:
    spec = GroupNormSpec(2, 1, activation="silu")
    x, dy = fill("normal", (2, 4, 3), "float64"), fill("uniform", (2, 4, 3), "float64")
    gamma, beta = parameters(x.shape, spec, "float64")

    def penalty(norm: Callable[..., Any]) -> Callable[..., Any]:
        inner = jax.grad(lambda *given: (norm(*given) * dy).sum(), (0, 1, 2))
        return jax.jit(lambda *given: sum((g**2).sum() for g in inner(*given)))

    ours = penalty(lambda *given: group_norm(*given, **options(spec)))
    plain = penalty(lambda *given: definition.forward(spec, *given)[0])
    for one, other in zip(*(jax.jit(jax.grad(f, (0, 1, 2)))(x, gamma, beta) for f in (ours, plain)), strict=True):
        assert_near(one, np.asarray(other), 1e-12)
    along = np.random.default_rng(0).standard_normal(x.shape)
    slope = (ours(x + 1e-5 * along, gamma, beta) - ours(x - 1e-5 * along, gamma, beta)) / 2e-5
    assert float((jax.jit(jax.grad(ours))(x, gamma, beta) * along).sum()) == pytest.approx(float(slope), rel=1e-6)


# vmap


@pytest.mark.parametrize("mapped", ["x", "x at the end", "parameters", "all"])
@pytest.mark.parametrize(("batch", "axis", "scale"), [(1, 1, True), (1, -1, True), (3, 1, True), (3, -1, False)])
def test_vmap_is_one_call_after_another(mapped: str, batch: int, axis: int, scale: bool) -> None:
    rng = np.random.default_rng(0)
    x, own = rng.standard_normal((5, batch, 6, 6)), rng.standard_normal((5, 6))
    at = {"x": (0, None), "x at the end": (3, None), "parameters": (None, 0), "all": (0, 0)}[mapped]
    dy = rng.standard_normal((batch, 6, 6))

    def both(x: Any, p: Any) -> Any:
        y, back = jax.vjp(
            lambda x, p: group_norm(x, p if scale else None, p if scale else None, groups=3, axis=axis, activation="silu"), x, p
        )
        return y, back(dy)

    given = [np.moveaxis(a, 0, d) if d is not None else a[0] for a, d in zip((x, own), at, strict=True)]
    together = jax.jit(jax.vmap(both, in_axes=at))(*given)
    both = jax.jit(both)
    one_by_one = [both(*(a[i] if d is not None else a[0] for a, d in zip((x, own), at, strict=True))) for i in range(5)]
    for many, *each in zip(jax.tree.leaves(together), *map(jax.tree.leaves, one_by_one), strict=True):
        np.testing.assert_allclose(many, np.stack(each), rtol=0, atol=1e-12)


@needs_compiler
def test_vmap_of_single_samples_is_one_kernel() -> None:
    x, gamma = jnp.ones((5, 8, 3)), jnp.ones(8)

    def loss(x: Any, gamma: Any) -> Any:
        return group_norm(x[None], gamma, gamma, groups=4, axis=1).sum()

    program = jax.jit(jax.vmap(jax.grad(loss, (0, 1)), in_axes=(0, None))).lower(x, gamma).as_text()
    assert program.count("@gngen_kernel") == 2
    assert "while" not in program


def test_vmap_within_vmap_and_of_cotangents() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 6))
    spec = GroupNormSpec(3, scale=False, center=False)

    def norm(x: Any) -> Any:
        return group_norm(x[None], groups=3)[0]

    def plain(x: Any) -> Any:
        return definition.forward(spec, x[None], None, None)[0][0]

    np.testing.assert_allclose(jax.vmap(jax.vmap(norm))(x), np.stack([[norm(b) for b in a] for a in x]), atol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.jacrev(norm))(x[0, 0]), jax.jit(jax.jacrev(plain))(x[0, 0]), atol=1e-12)


# Where there is no kernel


def test_without_a_compiler_jax_computes_it_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(primitives, "unavailable", lambda: "no C compiler: install gcc or clang, or the ziglang package")
    primitives._warn_once.cache_clear()
    spec = GroupNormSpec(4, 1, epsilon=3e-3, activation="gelu")
    x, dy = fill("normal", (2, 8, 50), "float32"), fill("uniform", (2, 8, 50), "float32")
    gamma, beta = parameters(x.shape, spec, "float32")
    with pytest.warns(RuntimeWarning, match=r"^group_norm is computed by jax\.numpy, without a kernel: no C compiler: install gcc"):
        y = group_norm(x, gamma, beta, **options(spec))
    assert_right(np.asarray(y), oracle(x, gamma, beta, spec), "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = gradients(spec, dy, x, gamma, beta)
    for one, other in zip(got, reference.group_norm_backward(dy, x, gamma, beta, spec), strict=True):
        assert_near(one, other, 4e-6)


def test_a_compiler_that_fails_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **more: Any) -> Any:
        raise BuildError("gcc failed with status 1:\nerror")

    monkeypatch.setattr(gngen, "compile", fail)
    primitives._warn_once.cache_clear()
    with pytest.warns(RuntimeWarning, match="without a kernel: gcc failed with status 1: error$"):
        y = group_norm(jnp.ones((2, 6, 64)), epsilon=0.125)
    assert (np.asarray(y) == 0).all()


@pytest.mark.parametrize(("activation", "data"), [*((a, "normal") for a in (None, *ACTIVATIONS)), ("silu", "offset"), ("silu", "constant")])
def test_the_definition_in_jax_is_the_definition(activation: str | None, data: str) -> None:
    spec = GroupNormSpec(2, (1, 3), epsilon=0.0 if data == "constant" else 1e-3, activation=activation)
    x, dy = fill(data, (2, 4, 5, 3), "float64"), fill("uniform", (2, 4, 5, 3), "float64")
    gamma, beta = parameters(x.shape, spec, "float64")
    found = jax.jit(partial(definition.forward, spec))(x, gamma, beta)
    for one, other in zip(found, reference.group_norm(x, gamma, beta, spec), strict=True):
        assert_near(one, other, 1e-9 if data == "offset" else 1e-13)
    back = jax.jit(partial(definition.backward, spec))(dy, x, gamma, beta)
    for one, other in zip(back, reference.group_norm_backward(dy, x, gamma, beta, spec), strict=True):
        assert_near(one, other, 1e-9 if data == "offset" else 1e-13)


def test_other_platforms_and_traces_alone_compile_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(gngen, "compile")
    shape = jax.ShapeDtypeStruct((2, 7, 64), jnp.float32)

    def loss(x: Any) -> Any:
        return group_norm(x, epsilon=0.25).sum()

    assert jax.eval_shape(jax.grad(loss), shape).shape == shape.shape
    for platform in ("cuda", "tpu"):
        program = jax.export.export(jax.jit(jax.grad(loss)), platforms=[platform])(shape).mlir_module()
        assert "gngen_kernel" not in program


@needs_compiler
def test_a_program_may_leave_the_batch_open() -> None:
    (batch,) = jax.export.symbolic_shape("b")
    allowed = [jax.export.DisabledSafetyCheck.custom_call(handler.TARGET)]
    norm = jax.jit(jax.grad(lambda x: (group_norm(x) ** 3).sum()))
    program = jax.export.export(norm, disabled_checks=allowed)(jax.ShapeDtypeStruct((batch, 3, 64), jnp.float64))
    for count in (1, 5):
        x = np.random.default_rng(0).standard_normal((count, 3, 64))
        np.testing.assert_allclose(program.call(x), norm(x), atol=1e-12)


def test_jit_may_be_off() -> None:
    x = jnp.asarray(fill("normal", (2, 3, 64), "float32"))
    with jax.disable_jit():
        y = group_norm(x)
    np.testing.assert_array_equal(y, group_norm(x))


# Errors


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(SpecError, match=r"^Number of groups \(32\) must be a multiple of the number of channels \(48\)"):
        group_norm(jnp.ones((2, 48)))
    with pytest.raises(SpecError, match=r"groups=True"):
        group_norm(jnp.ones((2, 48)), groups=True)
    with pytest.raises(SpecError, match=r"^dtype complex64 has no kernel; choose from float32, float64, float16, bfloat16$"):
        group_norm(jnp.ones((2, 64), jnp.complex64))
    with pytest.raises(LaunchError, match=r"^gamma has shape \(3,\); x takes \(64,\)$"):
        group_norm(jnp.ones((2, 64)), jnp.ones(3))
    with pytest.raises(LaunchError, match=r"^beta has shape \(64, 1\); x takes \(64,\)"):
        jax.jit(lambda x: group_norm(x, None, jnp.ones((64, 1))))(jnp.ones((2, 64)))
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(group_norm, (jnp.ones((2, 64)),), (jnp.ones((2, 64)),))


@needs_compiler
def test_the_handler_runs_a_kernel_on_its_own_buffers_only() -> None:
    need_backend("c")
    digest = handler.add(gngen.compile(GroupNormSpec(), (2, 3, 64), target="c"))
    x, gamma = jnp.ones((2, 3, 64), jnp.float32), jnp.ones(64, jnp.float32)
    call = jax.ffi.ffi_call(handler.TARGET, jax.ShapeDtypeStruct((2, 3, 64), jnp.float32))
    np.testing.assert_array_equal(call(x, gamma, gamma, kernel=digest), np.ones((2, 3, 64)))
    misfit = f"buffer {{}} is not of the type and shape that kernel {digest} was compiled for"
    for args, kernel, message in (
        ((x, gamma, gamma), "0" * 32, f"kernel {'0' * 32} is not loaded in this process"),
        ((x, gamma, gamma), digest[:31], "a call names its kernel by 32 digits"),
        ((x, gamma), digest, f"kernel {digest} takes 3 buffers and gives 1"),
        ((x[:, :, :32], gamma, gamma), digest, misfit.format(0)),
        ((x, gamma.astype(jnp.float64), gamma), digest, misfit.format(1)),
        ((x, gamma, gamma[:63]), digest, misfit.format(2)),
        ((jnp.ones((3, 3, 64), jnp.float32), gamma, gamma), digest, misfit.format(3)),
        ((jnp.ones((), jnp.float32), gamma, gamma), digest, misfit.format(0)),
    ):
        with pytest.raises(jax.errors.JaxRuntimeError, match=message):
            call(*args, kernel=kernel)


# Processes of their own


def python(code: str, folder: Path, devices: int = 1) -> str:
    settings = {
        "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))),
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=os.environ | settings, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


SHARDED = """
import jax, jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from gngen.integrations.jax import group_norm
jax.config.update("jax_enable_x64", True)
x, gamma, beta = (jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate(((4, 3, 8), (8,), (8,))))
def step(x, gamma, beta):
    return jax.grad(lambda *given: (group_norm(*given, groups=4, activation="silu") ** 2).sum(), (0, 1, 2))(x, gamma, beta)
alone = step(x, gamma, beta)
for kind in (AxisType.Auto, AxisType.Explicit):
    mesh = jax.make_mesh((2,), ("d",), axis_types=(kind,))
    xs, *parameters = (jax.device_put(a, NamedSharding(mesh, s)) for a, s in zip((x, gamma, beta), (P("d"), P(), P())))
    sharded = jax.shard_map(step, mesh=mesh, in_specs=(P("d"), P(), P()), out_specs=(P("d"), P(), P()))
    for way in (step, sharded):
        for one, other in zip(jax.jit(way)(xs, *parameters), alone):
            assert jnp.allclose(jax.device_get(one), jax.device_get(other), rtol=1e-12, atol=1e-12), (kind, way)
    shards = jax.jit(sharded).lower(xs, *parameters).compile().as_text()
    assert "all-gather" not in shards
print("same")
"""


@needs_compiler
def test_shards_of_a_batch_give_the_gradients_of_the_whole(tmp_path: Path) -> None:
    assert python(SHARDED, tmp_path, devices=2) == "same\n"


STORED = """
import pickle, sys
import jax, jax.numpy as jnp
from pathlib import Path
from jax.experimental import serialize_executable
from gngen.integrations.jax import group_norm, handler
jax.config.update("jax_compilation_cache_dir", "compiled")
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
x = jnp.arange(2 * 8 * 64, dtype="float32").reshape(2, 8, 64)
norm = jax.jit(lambda x: group_norm(x, epsilon=1e-2))
if Path("program").exists():
    handler.register()
    program = serialize_executable.deserialize_and_load(*pickle.loads(Path("program").read_bytes()))
    try:
        program(x)
    except jax.errors.JaxRuntimeError as e:
        print(e)
    y = norm(x)
    print(bool((program(x) == y).all()), len(list(Path("compiled").glob("jit__lambda*-cache"))))
else:
    Path("program").write_bytes(pickle.dumps(serialize_executable.serialize(norm.lower(x).compile())))
    print(norm(x).shape)
"""


@pytest.mark.slow
@needs_compiler
def test_a_stored_program_finds_its_kernel_in_another_process(tmp_path: Path) -> None:
    """JAX's cache of compiled programs serves it; one that was serialized is refused until this process has the kernel."""
    assert python(STORED, tmp_path) == "(2, 8, 64)\n"
    refused, answer = python(STORED, tmp_path).splitlines()
    assert "is not loaded in this process; lower a call of this shape and type here first" in refused
    assert answer == "True 1"
