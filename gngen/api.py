"""compile, emit, group_norm: the functions that a user calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gngen.errors import BuildError
from gngen.kernel import Kernel, Plan, digest_of, explain, make_plan
from gngen.problem import array_kinds, memory_order, specialize
from gngen.schedule import Schedule
from gngen.source import Source
from gngen.spec import GroupNormSpec
from gngen.target import choose_auto, choose_gpu, parse_target

if TYPE_CHECKING:
    from gngen.arrays import Array
    from gngen.backward import BackwardKernel
    from gngen.gpuarrays import DeviceArray
    from gngen.loopnest import LoopNest

_kernels: dict[Any, Kernel] = {}
_KERNELS_MOST = 4096


def plan(
    spec: GroupNormSpec,
    shape: Sequence[int | None],
    dtype: Any = "float32",
    target: str = "auto",
    outputs: Sequence[str] = ("y",),
    schedule: Schedule | str | Mapping[str, Any] | None = None,
    order: Sequence[int] | None = None,
    param_dtype: Any = None,
    direction: str = "forward",
    stage: str = "",
) -> Plan:
    """Everything that `compile` decides, with nothing emitted or built. Arguments and errors as for `compile`."""
    problem, layout = specialize(spec, shape, dtype, order, outputs, param_dtype, direction, stage)
    chosen, passed = choose_auto() if target == "auto" else (parse_target(target), "")
    return make_plan(spec, problem, layout, chosen, schedule, passed)


def compile(
    spec: GroupNormSpec,
    shape: Sequence[int | None],
    dtype: Any = "float32",
    target: str = "auto",
    outputs: Sequence[str] = ("y",),
    schedule: Schedule | str | Mapping[str, Any] | None = None,
    order: Sequence[int] | None = None,
    param_dtype: Any = None,
    direction: str = "forward",
    stage: str = "",
) -> Kernel:
    """A kernel for exactly this spec, shape, type and machine, from memory, from disk, or built now.

    Args:
        spec: what to compute.
        shape: the logical shape, batch first; None in the batch's place for a kernel that serves every batch.
        dtype: float32, float64, float16 or bfloat16, of x and y. Halves are computed in float32 and rounded once.
        target: ``backend[:machine]``, or auto: the fastest backend that can run here.
        outputs: y, and any of sum (x + residual), mean and rstd after it.
        schedule: None to choose (what `gngen.tune` found on this machine, or else by rule); or a name, a mapping of fields, or a
            Schedule.
        order: the memory order of x and y, axes from the outermost; None for C order.
        param_dtype: of gamma, beta and modulation: None for dtype, which it is but for halves, where it may be float32.
        direction: forward; or backward for the gradients, a `BackwardKernel` that is called with other arrays.
        stage: "" for the whole; or moments, sums or apply for a part of it, of `gngen.stages`, that is called with other arrays again.

    Raises:
        SpecError: arguments that do not go together. TargetError: no such target, or not one that runs here.
        BuildError: the compiler refused the source.
    """
    try:
        key = (spec, shape, dtype, target, outputs, schedule, order, param_dtype, direction, stage)
        return _kernels[key]
    except (KeyError, TypeError):
        pass
    kernel = _build(plan(spec, shape, dtype, target, outputs, schedule, order, param_dtype, direction, stage), target == "auto", schedule)
    if len(_kernels) >= _KERNELS_MOST:
        _kernels.clear()
    with suppress(TypeError):  # a list or a mapping among the arguments: found by its digest instead
        _kernels[key] = kernel
    return kernel


def forget_kernels() -> None:
    """Plan each kernel anew when it is next asked for; those in somebody's hands stay what they are."""
    _kernels.clear()


def _build(p: Plan, auto: bool, schedule: Schedule | str | Mapping[str, Any] | None) -> Kernel:
    """The kernel of a plan; where the backend was ours to choose and cannot build it, of the next."""
    failed: dict[str, str] = {}
    while True:
        try:
            return _kernel_class(p)(p)
        except BuildError as e:
            if not auto or p.target.backend in failed:
                raise
            failed[p.target.backend] = " ".join(str(e).split())[:400]
            target, passed = choose_auto(failed)
            p = make_plan(p.spec, p.problem, p.layout, target, schedule, passed)


def _kernel_class(p: Plan) -> type[Kernel]:
    if p.problem.stage:
        from gngen.stages import STAGE_KERNELS

        return STAGE_KERNELS[p.problem.direction, p.problem.stage]
    if p.problem.direction == "forward":
        return Kernel
    from gngen.backward import BackwardKernel

    return BackwardKernel


def emit(
    spec: GroupNormSpec,
    shape: Sequence[int | None],
    dtype: Any = "float32",
    target: str = "auto",
    outputs: Sequence[str] = ("y",),
    schedule: Schedule | str | Mapping[str, Any] | None = None,
    order: Sequence[int] | None = None,
    param_dtype: Any = None,
    direction: str = "forward",
    stage: str = "",
) -> Source:
    """The source of a kernel; builds nothing, and works for a machine that is not this one. Arguments as for `compile`."""
    return plan(spec, shape, dtype, target, outputs, schedule, order, param_dtype, direction, stage).source


def lower(
    spec: GroupNormSpec,
    shape: Sequence[int | None],
    dtype: Any = "float32",
    target: str = "auto",
    outputs: Sequence[str] = ("y",),
    schedule: Schedule | str | Mapping[str, Any] | None = None,
    order: Sequence[int] | None = None,
    param_dtype: Any = None,
    direction: str = "forward",
    stage: str = "",
) -> LoopNest:
    """The verified loop nest of a kernel; ``str`` shows it. Arguments as for `compile`."""
    return plan(spec, shape, dtype, target, outputs, schedule, order, param_dtype, direction, stage).nest


def explain_plan(p: Plan) -> str:
    """The decisions of a plan, a line each; nothing is built."""
    return explain(p, digest_of(p), None, 0.0, None)


def kernel_for(
    spec: GroupNormSpec,
    x: Array | DeviceArray,
    *parameters: Array | DeviceArray | None,
    target: str = "auto",
    outputs: tuple[str, ...] = ("y",),
) -> Kernel:
    """The kernel for an array as it lies in memory; integers and bools are computed in float32. auto is a GPU's for an array there.

    Of halves, the kernel takes its parameters (gamma, beta, modulation) as float32, unless all are halves of the same kind.
    """
    return _kernel_for("forward", spec, x, parameters, target, outputs)


def backward_for(spec: GroupNormSpec, x: Array, *parameters: Array | None, target: str = "auto") -> BackwardKernel:
    """The backward kernel for an array as it lies in memory; of gamma and beta as `kernel_for`."""
    kernel: Any = _kernel_for("backward", spec, x, parameters, target, ("y",))
    found: BackwardKernel = kernel
    return found


def _kernel_for(direction: str, spec: GroupNormSpec, x: Any, parameters: Sequence[Any], target: str, outputs: tuple[str, ...]) -> Kernel:
    dtype, param_dtype = array_kinds(x, parameters)
    key = (direction, spec, type(x), x.shape, x.strides, dtype, target, param_dtype, outputs)
    kernel = _kernels.get(key)
    if kernel is None:
        from gngen.gpuarrays import DeviceArray

        order = memory_order(x.shape, x.strides, x.itemsize)
        own = choose_gpu() if target == "auto" and isinstance(x, DeviceArray) else target
        kernel = _kernels[key] = compile(spec, x.shape, dtype, own, outputs, None, order, param_dtype, direction)
    return kernel


def group_norm(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    *,
    groups: int = 32,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-3,
    activation: str | None = None,
    target: str = "auto",
    out: Any = None,
    residual: Any = None,
    modulation: Any = None,
    mask: Any = None,
) -> Any:
    """Normalise x over groups of its features: ``act((x - mean) / sqrt(var + epsilon) * gamma + beta)``.

    Args:
        x: an array, batch first; numpy's, anything that speaks DLPack on the CPU, or an array on a GPU: torch's, CuPy's, numba's.
        gamma, beta: arrays of the features' shape, or None for none; of x's dtype, or float32 where x is float16 or bfloat16.
        groups, axis, epsilon, activation: see GroupNormSpec.
        target: ``backend[:machine]`` or auto, which is a GPU's where x is there.
        out: an array for the answer; may be x.
        residual: an array like x that is added to it first.
        modulation: a pair (scale, shift) of arrays of shape (N, *features), applied before the activation: ``* (1 + scale) + shift``.
        mask: bools of shape (N, *positions): True where an element counts in mean and variance.

    Returns:
        An array like x; a kernel is compiled for the first of each shape and memory order.

    >>> import numpy as np
    >>> group_norm(np.array([[1.0, 3.0, 5.0, 5.0]]), groups=2, epsilon=0.0, target="reference")
    array([[-1.,  1.,  0.,  0.]])
    """
    from gngen.gpuarrays import as_array, owner_of

    xs, wrap = as_array(x)
    fixed: Any = tuple(axis) if isinstance(axis, list) else axis
    given = (gamma is not None, beta is not None, residual is not None, modulation is not None, mask is not None)
    key = (groups, type(groups), fixed, type(fixed), epsilon, given, activation)
    try:
        spec = _specs[key]
    except (KeyError, TypeError):  # TypeError: something unhashable, which the spec refuses
        scale, center, *fused = given
        spec = GroupNormSpec(groups, fixed, epsilon, center, scale, activation, *fused)
        _specs[key] = spec
    weight, shift = (None if p is None else as_array(p, name)[0] for p, name in ((gamma, "gamma"), (beta, "beta")))
    own = tuple(as_array(p, "modulation")[0] for p in modulation) if isinstance(modulation, (tuple, list)) else ()
    kernel = kernel_for(spec, xs, weight, shift, *own, target=target)
    pair = tuple(map(owner_of, own)) or modulation
    y = kernel(owner_of(xs), owner_of(weight), owner_of(shift), out, residual=residual, modulation=pair, mask=mask)
    return y if out is not None else wrap(y)


_specs: dict[Any, GroupNormSpec] = {}
