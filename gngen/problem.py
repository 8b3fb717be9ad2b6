"""A spec with sizes: five numbers in memory order, and how an array's axes read as them."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gngen.errors import SpecError
from gngen.loopnest import HALVES
from gngen.spec import GroupNormSpec, check_defined, resolve_axes, resolve_groups

KINDS = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16"}
_ITEM_BYTES = {"f32": 4, "f64": 8, "f16": 2, "bf16": 2}
OUTPUTS = ("y", "sum", "mean", "rstd")
DIRECTIONS = ("forward", "backward")
# The parts of each direction that a kernel may do alone, with what is summed between them left to the caller; "" is all of it.
STAGES = {"forward": ("", "moments", "apply"), "backward": ("", "sums", "apply")}
FUSED = ("residual", "modulation", "masked")


@dataclass(frozen=True)
class Problem:
    """What a kernel computes, and nothing that two equal kernels would differ in.

    ``x`` reads as ``[batch, outer, groups, chans, inner]`` in memory order. The batch is an argument of every kernel;
    the number here (None: unknown) only guides the schedule. data: the kind of x and y, f32, f64, f16 or bf16. parameters: the
    kind of gamma and beta, which is that of the data, or f32 where the data are halves. A backward problem's outputs are dx, and dgamma and
    dbeta where the spec scales and centers; a residual makes no difference to it, since x is then the sum. stage: which of `STAGES`; mean
    and rstd come from the caller then, and epsilon makes no difference.
    """

    batch: int | None
    outer: int
    groups: int
    chans: int
    inner: int
    data: str
    parameters: str
    epsilon: float
    center: bool
    scale: bool
    activation: str | None
    outputs: tuple[str, ...]
    residual: bool = False
    modulation: bool = False
    masked: bool = False
    direction: str = "forward"
    stage: str = ""

    @property
    def name(self) -> str:
        """A name that says the sizes, for the generated function, as ``gn_f32_o4096_g32_c10_i1_silu``."""
        way = ("gn_bwd" if self.direction == "backward" else "gn") + (f"_{self.stage}" if self.stage else "")
        sizes = f"{way}_{self.data}_o{self.outer}_g{self.groups}_c{self.chans}_i{self.inner}"
        return "_".join((sizes, *([self.activation] if self.activation else []), *self.fused))

    @property
    def fused(self) -> tuple[str, ...]:
        """The names of the fused forms that the kernel computes."""
        return tuple(flag for flag in FUSED if getattr(self, flag))

    @property
    def channels(self) -> int:
        return self.groups * self.chans

    @property
    def sample(self) -> int:
        """Elements of one sample."""
        return self.outer * self.channels * self.inner

    @property
    def group(self) -> int:
        """Elements of one group of one sample."""
        return self.outer * self.chans * self.inner

    @property
    def kind(self) -> str:
        """The kind that is computed in, and that mean and rstd have: halves are computed in f32."""
        return "f64" if self.data == "f64" else "f32"

    @property
    def bits(self) -> int:
        """The width of the kind that is computed in."""
        return 64 if self.kind == "f64" else 32

    @property
    def item_bytes(self) -> int:
        """Bytes of an element of x or y."""
        return _ITEM_BYTES[self.data]

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of x or y."""
        return self.sample * self.item_bytes


@dataclass(frozen=True)
class Layout:
    """How the axes of an array read as a problem.

    shape: the logical shape, None for a symbolic batch. axes: the feature axes, ascending. order: the axes, outermost in memory first,
    in which the kernel reads the array. features: the shape of gamma and beta. copied: why an array in its own
    memory order has to be copied first, or "".
    """

    shape: tuple[int | None, ...]
    axes: tuple[int, ...]
    order: tuple[int, ...]
    features: tuple[int, ...]
    copied: str


def specialize(
    spec: GroupNormSpec,
    shape: Sequence[int | None],
    dtype: Any = "float32",
    order: Sequence[int] | None = None,
    outputs: Sequence[str] = ("y",),
    param_dtype: Any = None,
    direction: str = "forward",
    stage: str = "",
) -> tuple[Problem, Layout]:
    """The problem of a spec on arrays of `shape`, and their layout.

    Args:
        shape: the logical shape, batch first; ``None`` in its place for a batch that varies.
        dtype: float32, float64, float16 or bfloat16, of the input and the output.
        order: the axes from the outermost in memory to the innermost; None for C order.
        outputs: which of y, sum (x + residual), mean and rstd; y always.
        param_dtype: of gamma, beta and modulation: None for that of the input, which it is but for halves, where it may be float32.
        direction: forward, or backward: the gradients of x, gamma and beta.
        stage: "" for the whole; moments or apply of a forward pass, sums or apply of a backward pass.

    Raises:
        SpecError: axis, groups, shape, dtype, order, outputs, param_dtype, direction or stage that do not go together.

    >>> specialize(GroupNormSpec(groups=32), (2, 64, 64, 320))[0].outer
    4096
    """
    if stage:
        spec = _staged(spec, _check_direction(direction), stage, outputs)
    data = check_dtype(dtype)
    parameters = _check_parameters(data, param_dtype)
    sizes = _check_shape(shape)
    rank = len(sizes)
    axes = resolve_axes(spec.axes, rank, sizes)
    check_defined(spec.axes, sizes)
    undefined = [a for a in range(1, rank) if sizes[a] is None]
    if undefined:
        raise SpecError(f"only the batch, axis 0, may be None when a kernel is compiled; axis {undefined[0]} of {sizes} is None too")
    features = tuple(int(sizes[a] or 0) for a in axes)
    groups = resolve_groups(spec.groups, math.prod(features))
    memory = tuple(range(rank)) if order is None else _check_order(order, rank)
    copied = _why_copied(sizes, axes, memory)
    if copied:
        memory = (0, *axes, *(a for a in range(1, rank) if a not in axes))
    outer, inner = _around(sizes, axes, memory)
    problem = Problem(
        batch=sizes[0],
        outer=outer,
        groups=groups,
        chans=math.prod(features) // groups,
        inner=inner,
        data=data,
        parameters=parameters if spec.scale or spec.center or spec.modulation else data,
        epsilon=spec.epsilon,
        center=spec.center,
        scale=spec.scale,
        activation=spec.activation,
        outputs=_outputs(spec, outputs, direction, stage),
        residual=spec.residual and direction == "forward",
        modulation=spec.modulation,
        masked=spec.masked,
        direction=_check_direction(direction),
        stage=stage,
    )
    return problem, Layout(sizes, axes, memory, features, copied)


def array_kinds(x: Any, parameters: Sequence[Any]) -> tuple[str, str | None]:
    """The dtype that an array is computed as, and param_dtype: float32 where it is halves and not all parameters (or None) are the same.

    x and the parameters are anything with a dtype; integers and bools are computed as float32.
    """
    dtype = x.dtype.name if x.dtype.name in KINDS or x.dtype.kind not in "iub" else "float32"
    same = KINDS.get(dtype) not in HALVES or all(p is None or p.dtype == x.dtype for p in parameters)
    return dtype, None if same else "float32"


def check_dtype(dtype: Any) -> str:
    """The IR's name of a numpy dtype or dtype name."""
    if isinstance(dtype, str) and dtype in KINDS:
        return KINDS[dtype]
    import numpy as np

    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in KINDS:
        raise SpecError(f"dtype {name} has no kernel; choose from {', '.join(KINDS)}")
    return KINDS[name]


def _check_parameters(data: str, param_dtype: Any) -> str:
    """The kind of gamma and beta."""
    if param_dtype is None:
        return data
    kind = check_dtype(param_dtype)
    fits = (data,) if data in ("f32", "f64") else (data, "f32")
    if kind not in fits:
        names = {kind: name for name, kind in KINDS.items()}
        raise SpecError(f"param_dtype {names[kind]} does not go with dtype {names[data]}; choose from {', '.join(names[k] for k in fits)}")
    return kind


def memory_order(shape: Sequence[int], strides: Sequence[int], itemsize: int) -> tuple[int, ...] | None:
    """The axes from outermost to innermost in memory; None when the elements do not fill one dense range.

    >>> memory_order((2, 3, 4), (48, 4, 12), 4)
    (0, 2, 1)
    """
    order = sorted(range(len(shape)), key=lambda a: (-strides[a] if shape[a] > 1 else 0, a))
    # an axis of size 1 sits anywhere; keep it where C order would have it
    order = _with_unit_axes([a for a in order if shape[a] > 1], shape)
    expected = itemsize
    for axis in reversed(order):
        if shape[axis] > 1:
            if strides[axis] != expected:
                return None
            expected *= shape[axis]
    return tuple(order)


def _with_unit_axes(order: list[int], shape: Sequence[int]) -> list[int]:
    for axis in (a for a in range(len(shape)) if shape[a] <= 1):
        at = next((i for i, other in enumerate(order) if other > axis), len(order))
        order.insert(at, axis)
    return order


def _check_shape(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    try:
        sizes = tuple(None if n is None else operator.index(n) for n in shape)
    except (TypeError, ValueError):
        raise SpecError(f"a shape is a list of sizes, None for a batch that varies; received {shape!r}") from None
    if any(n is not None and n < 0 for n in sizes):
        raise SpecError(f"a size is at least 0; received the shape {sizes}")
    return sizes


def _check_order(order: Sequence[int], rank: int) -> tuple[int, ...]:
    memory = tuple(int(a) for a in order)
    if sorted(memory) != list(range(rank)):
        raise SpecError(f"order names each of the axes 0..{rank - 1} once, outermost first; received {memory}")
    return memory


def _check_outputs(outputs: Sequence[str], residual: bool) -> tuple[str, ...]:
    asked = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    unknown = [o for o in asked if o not in OUTPUTS]
    if unknown or "y" not in asked or len(set(asked)) != len(asked):
        raise SpecError(f"outputs are y and, after it, any of {', '.join(OUTPUTS[1:])}, each once; received {asked}")
    if "sum" in asked and not residual:
        raise SpecError("the output sum is x + residual; this spec has residual=False")
    return tuple(o for o in OUTPUTS if o in asked)


def _outputs(spec: GroupNormSpec, asked: Sequence[str], direction: str, stage: str) -> tuple[str, ...]:
    """What a kernel writes."""
    if stage == "moments":
        return ("moments",)
    if direction == "forward":
        return _check_outputs(asked, spec.residual)
    gradients = _gradients(spec, asked)
    if not stage:
        return gradients
    return ("dx",) if stage == "apply" else ("shares", *gradients[1:])


def _staged(spec: GroupNormSpec, direction: str, stage: str, outputs: Sequence[str]) -> GroupNormSpec:
    """The spec without what makes no difference to a stage; complains of what has no stages."""
    if stage not in STAGES[direction]:
        raise SpecError(f"stage {stage!r} of a {direction} pass is not known; choose from {', '.join(map(repr, STAGES[direction]))}")
    refused = [flag for flag in FUSED if getattr(spec, flag)]
    if refused:
        raise SpecError(f"a spec with {' and '.join(refused)} has no stages: compile the whole, or fuse nothing")
    if tuple(outputs) != ("y",):
        raise SpecError(f"a stage has its own outputs and takes none; received {tuple(outputs)}")
    if stage == "moments":
        return replace(spec, epsilon=0.0, center=False, scale=False, activation=None)
    return replace(spec, epsilon=0.0)


def _check_direction(direction: str) -> str:
    if direction not in DIRECTIONS:
        raise SpecError(f"direction {direction!r} is not known; choose from {', '.join(DIRECTIONS)}")
    return direction


def _gradients(spec: GroupNormSpec, outputs: Sequence[str]) -> tuple[str, ...]:
    """What a backward kernel writes; complains of what has no backward kernel."""
    refused = [flag for flag in ("modulation", "masked") if getattr(spec, flag)]
    if refused:
        raise SpecError(f"a spec with {' and '.join(refused)} has no backward kernel: leave it out, or differentiate it outside")
    if tuple(outputs) not in (("y",), ("dx", "dgamma", "dbeta")):
        raise SpecError(f"a backward kernel writes dx, dgamma and dbeta, and takes no outputs; received {tuple(outputs)}")
    return ("dx", *(["dgamma"] if spec.scale else []), *(["dbeta"] if spec.center else []))


def _why_copied(sizes: tuple[int | None, ...], axes: tuple[int, ...], memory: tuple[int, ...]) -> str:
    """Why no five numbers describe the array as it lies in memory, or ""."""
    real = [a for a in memory if sizes[a] != 1]
    if 0 in real and real[0] != 0:
        return f"the batch is not the outermost axis in memory (order {memory})"
    named = [a for a in axes if sizes[a] != 1]
    places = [real.index(a) for a in named]
    if places and places != list(range(places[0], places[0] + len(places))):
        return f"the feature axes {axes} do not follow each other in memory (order {memory})"
    return ""


def _around(sizes: tuple[int | None, ...], axes: tuple[int, ...], memory: tuple[int, ...]) -> tuple[int, int]:
    """Sizes before and after the features in memory, without the batch."""
    first = min((memory.index(a) for a in axes if sizes[a] != 1), default=memory.index(axes[0]))
    # An array of no elements is never launched: an axis of size 0 counts as 1, so that its kernel is one like any other.
    rest = [(memory.index(a), max(1, int(sizes[a] or 0))) for a in range(1, len(sizes)) if a not in axes]
    return math.prod(n for at, n in rest if at < first), math.prod(n for at, n in rest if at > first)
