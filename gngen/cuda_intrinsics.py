"""The operations of emitted numba-cuda kernels, as intrinsics over NVIDIA's LLVM.

Arrays are handed to kernels as addresses. A product is rounded by itself (`mul.rn`), so that no compiler fuses it with a sum. Vectors are
LLVM's; one of 16 bytes that is aligned is loaded and stored by one instruction. `gngen.cuda_simulator` has the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import Parameter, Signature
from types import SimpleNamespace
from typing import Any

from llvmlite import ir
from numba import cuda
from numba.cuda import cgutils, dispatcher, types
from numba.cuda.extending import intrinsic, models, register_model

from gngen.errors import LaunchError

Emit = Callable[..., Any]
# Address spaces of NVIDIA's LLVM.
_SPACES = {"global": 1, "shared": 3}
_ELEMENTS = {
    "f32": ir.FloatType(), "f64": ir.DoubleType(), "i32": ir.IntType(32), "i64": ir.IntType(64), "m32": ir.IntType(32),
    "m64": ir.IntType(64), "f16": ir.IntType(16), "bf16": ir.IntType(16),
}  # fmt: skip
_SCALARS = {
    "f32": types.float32, "f64": types.float64, "i32": types.int32, "i64": types.int64, "m32": types.boolean,
    "m64": types.boolean, "f16": types.uint16, "bf16": types.uint16,
}  # fmt: skip
_BYTES = {"f16": 2, "bf16": 2, "f32": 4, "f64": 8, "i32": 4, "i64": 8}
_FLOATS, _HALVES = ("f32", "f64"), ("f16", "bf16")
_MASKS = {"f32": "m32", "i32": "m32", "f64": "m64", "i64": "m64"}
_WORD, _LONG = ir.IntType(32), ir.IntType(64)
_ALL_LANES = 0xFFFFFFFF


class Vector(types.Type):  # type: ignore[misc]
    """Some lanes of one kind of number, in registers."""

    def __init__(self, kind: str, lanes: int) -> None:
        self.kind, self.lanes = kind, lanes
        super().__init__(name=f"{kind}x{lanes}")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    """A vector is LLVM's vector."""

    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, _value_type(vector.kind, vector.lanes))


def _named(kind: str, lanes: int = 1) -> Any:
    """numba's type of a scalar or a vector."""
    return _SCALARS[kind] if lanes == 1 else Vector(kind, lanes)


def _value_type(kind: str, lanes: int = 1) -> Any:
    """LLVM's type of a scalar or a vector; of halves, two to a word, since LLVM splits wide vectors of 16 bits."""
    if lanes == 1:
        return _ELEMENTS[kind]
    return ir.VectorType(_WORD, lanes // 2) if kind in _HALVES else ir.VectorType(_ELEMENTS[kind], lanes)


def _operation(result: Any, arguments: Sequence[Any], emit: Emit) -> Any:
    """A numba function of some types that emits LLVM's instructions in place; `emit` is given the builder and the values."""

    def call(context: Any, *given: Any) -> Any:
        return result(*arguments), lambda target, builder, signature, values: emit(builder, *values)

    # numba asks for a function's signature to find how many arguments it takes
    names = ("context", *(f"a{i}" for i in range(len(arguments))))
    call.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in names])  # type: ignore[attr-defined]
    return intrinsic(call)


def _nothing(builder: Any) -> Any:
    """What a function without an answer gives numba."""
    return cgutils.get_null_value(ir.IntType(8).as_pointer())


def _declared(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """One of LLVM's own functions."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


def _lanes_of(builder: Any, v: Any) -> list[Any]:
    count = v.type.count if isinstance(v.type, ir.VectorType) else 1
    return [v] if count == 1 else [builder.extract_element(v, ir.Constant(_WORD, i)) for i in range(count)]


def _joined(builder: Any, scalars: Sequence[Any]) -> Any:
    if len(scalars) == 1:
        return scalars[0]
    vector = ir.Constant(ir.VectorType(scalars[0].type, len(scalars)), ir.Undefined)
    for i, scalar in enumerate(scalars):
        vector = builder.insert_element(vector, scalar, ir.Constant(_WORD, i))
    return vector


def _by_lane(builder: Any, emit: Emit, *vectors: Any) -> Any:
    """An operation on scalars, lane by lane."""
    return _joined(builder, [emit(*lanes) for lanes in zip(*(_lanes_of(builder, v) for v in vectors), strict=True)])


# Memory


def _place(builder: Any, address: Any, i: Any, kind: str, t: Any, space: str) -> Any:
    """A pointer to element i of the array at an address."""
    at = builder.add(address, builder.mul(i, ir.Constant(_LONG, _BYTES[kind])))
    return builder.inttoptr(at, t.as_pointer(_SPACES[space]))


def load(kind: str, lanes: int = 1, space: str = "global") -> Any:
    """load(address, i): the elements from i on; vectors are aligned to their size."""

    def emit(builder: Any, address: Any, i: Any) -> Any:
        place = _place(builder, address, i, kind, _value_type(kind, lanes), space)
        return builder.load(place, align=min(16, _BYTES[kind] * lanes))

    return _operation(_named(kind, lanes), (types.int64, types.int64), emit)


def store(kind: str, lanes: int = 1, space: str = "global") -> Any:
    """store(address, i, value)"""

    def emit(builder: Any, address: Any, i: Any, value: Any) -> Any:
        place = _place(builder, address, i, kind, _value_type(kind, lanes), space)
        builder.store(value, place, align=min(16, _BYTES[kind] * lanes))
        return _nothing(builder)

    return _operation(types.void, (types.int64, types.int64, _named(kind, lanes)), emit)


def shared(kind: str, count: int, offset: int | None = None) -> Any:
    """shared(): the address of a block's own array; `offset` is its place in what the launch asks for, None for an array of fixed size."""

    def emit(builder: Any) -> Any:
        if offset is not None:
            return builder.add(_asked_for(builder), ir.Constant(_LONG, offset))
        array = ir.GlobalVariable(
            builder.module, ir.ArrayType(_ELEMENTS[kind], count), builder.module.get_unique_name("shared"), addrspace=_SPACES["shared"]
        )
        array.linkage, array.align, array.initializer = "internal", 16, ir.Constant(array.value_type, ir.Undefined)
        return builder.ptrtoint(array, _LONG)

    return _operation(types.int64, (), emit)


def _asked_for(builder: Any) -> Any:
    """The address of the shared memory that the launch asks for."""
    name = "shared_by_launch"
    array = builder.module.globals.get(name)
    if array is None:
        array = ir.GlobalVariable(builder.module, ir.ArrayType(ir.IntType(8), 0), name, addrspace=_SPACES["shared"])
        array.linkage, array.align = "external", 16
    return builder.ptrtoint(array, _LONG)


def peer(kind: str) -> Any:
    """peer(address, i, block): element i of the shared array that another block of the cluster has at this address."""
    width = _BYTES[kind] * 8
    letter = {"f32": "f", "f64": "d"}[kind]
    text = f"{{ .reg .u32 own, its; cvt.u32.u64 own, $1; mapa.shared::cluster.u32 its, own, $2; ld.shared::cluster.b{width} $0, [its]; }}"

    def emit(builder: Any, address: Any, i: Any, block: Any) -> Any:
        at = builder.add(address, builder.mul(i, ir.Constant(_LONG, _BYTES[kind])))
        signature = ir.FunctionType(_ELEMENTS[kind], (_LONG, _WORD))
        return builder.asm(signature, text, f"={letter},l,r,~{{memory}}", [at, builder.trunc(block, _WORD)], True)

    return _operation(_SCALARS[kind], (types.int64, types.int64, types.int64), emit)


# Arithmetic


def splat(kind: str, lanes: int) -> Any:
    """splat(a): a scalar in every lane."""
    return _operation(_named(kind, lanes), (_SCALARS[kind],), lambda builder, a: _joined(builder, [a] * lanes))


def pack(kind: str, lanes: int) -> Any:
    """pack(a, b, ..): a vector of scalars."""
    return _operation(_named(kind, lanes), (_SCALARS[kind],) * lanes, lambda builder, *scalars: _joined(builder, scalars))


def lane_sum(kind: str, lanes: int) -> Any:
    """lane_sum(v): the upper half onto the lower, and so on."""

    def emit(builder: Any, v: Any) -> Any:
        parts = _lanes_of(builder, v)
        while len(parts) > 1:
            half = len(parts) // 2
            parts = [builder.fadd(a, b) for a, b in zip(parts[:half], parts[half:], strict=True)]
        return parts[0]

    return _operation(_SCALARS[kind], (_named(kind, lanes),), emit)


def arithmetic(name: str, kind: str, lanes: int = 1) -> Any:
    """add, sub, mul, div or shl of two values; quotients of integers are of such as are never negative, as is rem."""

    def product(builder: Any, a: Any, b: Any) -> Any:
        t = _ELEMENTS[kind]
        rounded = _declared(builder, f"llvm.nvvm.mul.rn.{'f' if kind == 'f32' else 'd'}", t, t, t)
        return _by_lane(builder, lambda x, y: builder.call(rounded, [x, y]), a, b)

    def emit(builder: Any, a: Any, b: Any) -> Any:
        if kind in _FLOATS:
            return product(builder, a, b) if name == "mul" else getattr(builder, f"f{name}")(a, b)
        return getattr(builder, {"div": "udiv", "rem": "urem"}.get(name, name))(a, b)

    t = _named(kind, lanes)
    return _operation(t, (t, t), emit)


def fma(kind: str, lanes: int = 1) -> Any:
    """fma(a, b, c): a * b + c, rounded once."""
    t = _ELEMENTS[kind]

    def emit(builder: Any, a: Any, b: Any, c: Any) -> Any:
        fused = _declared(builder, f"llvm.fma.{kind}", t, t, t, t)
        return _by_lane(builder, lambda *lanes: builder.call(fused, lanes), a, b, c)

    named = _named(kind, lanes)
    return _operation(named, (named, named, named), emit)


def of_one(name: str, kind: str, lanes: int = 1) -> Any:
    """abs, neg or sqrt, lane by lane; the first two on the sign, since not every version of NVIDIA's LLVM has their names."""
    t, bits = _ELEMENTS[kind], _BYTES[kind] * 8
    word, sign = ir.IntType(bits), 1 << (bits - 1)

    def one(builder: Any, x: Any) -> Any:
        if name == "sqrt":
            return builder.call(_declared(builder, f"llvm.sqrt.{kind}", t, t), [x])
        held = builder.bitcast(x, word)
        turned = builder.and_(held, ir.Constant(word, sign - 1)) if name == "abs" else builder.xor(held, ir.Constant(word, sign))
        return builder.bitcast(turned, t)

    named = _named(kind, lanes)
    return _operation(named, (named,), lambda builder, a: _by_lane(builder, lambda x: one(builder, x), a))


def compared(name: str, kind: str, lanes: int = 1) -> Any:
    """lt, le or gt: a mask, all ones or all zeros in each lane of a vector."""
    sign, mask = {"lt": "<", "le": "<=", "gt": ">"}[name], _MASKS[kind]

    def emit(builder: Any, a: Any, b: Any) -> Any:
        flags = builder.fcmp_ordered(sign, a, b) if kind in _FLOATS else builder.icmp_signed(sign, a, b)
        return flags if lanes == 1 else builder.sext(flags, _value_type(mask, lanes))

    named = _named(kind, lanes)
    return _operation(_named(mask, lanes), (named, named), emit)


def extreme(name: str, kind: str, lanes: int = 1) -> Any:
    """min or max: b where it is beyond a, else a, so that a NaN in a stays."""
    sign = {"min": "<", "max": ">"}[name]

    def emit(builder: Any, a: Any, b: Any) -> Any:
        beyond = builder.fcmp_ordered(sign, b, a) if kind in _FLOATS else builder.icmp_signed(sign, b, a)
        return builder.select(beyond, b, a)

    named = _named(kind, lanes)
    return _operation(named, (named, named), emit)


def selected(kind: str, lanes: int = 1) -> Any:
    """selected(mask, a, b): a where the mask is set, else b."""
    mask = _MASKS[kind]

    def emit(builder: Any, flags: Any, a: Any, b: Any) -> Any:
        if lanes > 1:
            flags = builder.icmp_signed("!=", flags, ir.Constant(_value_type(mask, lanes), None))
        return builder.select(flags, a, b)

    named = _named(kind, lanes)
    return _operation(named, (_named(mask, lanes), named, named), emit)


def inverted(kind: str, lanes: int) -> Any:
    """inverted(mask) of a vector."""
    named = _named(kind, lanes)
    return _operation(named, (named,), lambda builder, flags: builder.not_(flags))


# Conversions


def converted(kind: str, lanes: int, source: str) -> Any:
    """converted(a): each lane's value as another kind, rounded to nearest, ties to even."""

    def emit(builder: Any, a: Any) -> Any:
        t = _value_type(kind, lanes)
        if kind in _HALVES:
            return _narrowed(builder, a, kind)
        if source in _HALVES:
            words = _lanes_of(builder, a)
            return _widened(builder, a, source) if lanes == 1 else _joined(builder, [x for w in words for x in _both(builder, w, source)])
        if source in ("i32", "i64"):
            return builder.sitofp(a, t)
        if kind == "f64":
            return builder.fpext(a, t) if lanes == 1 else _by_lane(builder, lambda x: _extended(builder, x), a)
        return builder.fptrunc(a, t)

    return _operation(_named(kind, lanes), (_named(source, lanes),), emit)


def _extended(builder: Any, a: Any) -> Any:
    """From f32 to f64; NVIDIA's LLVM would join an fpext with the vector load before it, to an instruction that ptxas refuses."""
    return builder.asm(ir.FunctionType(_ELEMENTS["f64"], [_ELEMENTS["f32"]]), "cvt.f64.f32 $0, $1;", "=d,f", [a], False)


def _widened(builder: Any, half: Any, kind: str) -> Any:
    """From the bits of a half to f32."""
    f32 = _ELEMENTS["f32"]
    if kind == "f16":
        return builder.fpext(builder.bitcast(half, ir.HalfType()), f32)
    return builder.bitcast(builder.shl(builder.zext(half, _WORD), ir.Constant(_WORD, 16)), f32)


def _both(builder: Any, word: Any, kind: str) -> tuple[Any, Any]:
    """The two halves of a word, the lower first, as f32."""
    upper = builder.lshr(word, ir.Constant(_WORD, 16))
    low, high = (_widened(builder, builder.trunc(part, _ELEMENTS[kind]), kind) for part in (word, upper))
    return low, high


def _narrowed(builder: Any, a: Any, kind: str) -> Any:
    """From f32 to halves, two lanes by one instruction."""
    f32, scalars = _ELEMENTS["f32"], _lanes_of(builder, a)
    if len(scalars) == 1:
        return builder.asm(ir.FunctionType(_ELEMENTS[kind], [f32]), f"cvt.rn.{kind}.f32 $0, $1;", "=h,f", scalars, False)
    pair = ir.FunctionType(_WORD, [f32, f32])
    pairs = zip(scalars[::2], scalars[1::2], strict=True)
    return _joined(builder, [builder.asm(pair, f"cvt.rn.{kind}x2.f32 $0, $2, $1;", "=r,f,f", [*both], False) for both in pairs])


def reinterpreted(kind: str, lanes: int, source: str) -> Any:
    """reinterpreted(a): each lane's bits as another kind."""
    t = _value_type(kind, lanes)
    return _operation(_named(kind, lanes), (_named(source, lanes),), lambda builder, a: builder.bitcast(a, t))


# Threads


def _register(name: str) -> Any:
    """One of the numbers of a thread or a block, of dimension x."""

    def emit(builder: Any) -> Any:
        value = builder.call(_declared(builder, f"llvm.nvvm.read.ptx.sreg.{name}", _WORD), [])
        return builder.zext(value, _LONG)

    return _operation(types.int64, (), emit)


# A block's number in its grid, and a thread's in its block.
block_number, thread_number = _register("ctaid.x"), _register("tid.x")


def shuffle_xor(kind: str) -> Any:
    """shuffle_xor(value, lanes): the value in the thread of this warp whose lane differs by the bits of `lanes`."""
    return _exchange(kind, 3)


def from_lane(kind: str) -> Any:
    """from_lane(value, lane): the value in one lane of this warp."""
    return _exchange(kind, 0)


def _exchange(kind: str, mode: int) -> Any:
    """A shuffle within the warp, of 32 bits at a time."""
    words = _BYTES[kind] // 4

    def emit(builder: Any, value: Any, lane: Any) -> Any:
        answer = ir.LiteralStructType((_WORD, ir.IntType(1)))
        shuffle = _declared(builder, "llvm.nvvm.shfl.sync.i32", answer, *(_WORD,) * 5)
        number, segment = builder.trunc(lane, _WORD), ir.Constant(_WORD, 31)
        whole = ir.VectorType(_WORD, words) if words > 1 else _WORD
        parts = [
            builder.extract_value(
                builder.call(shuffle, [ir.Constant(_WORD, _ALL_LANES), ir.Constant(_WORD, mode), part, number, segment]), 0
            )
            for part in _lanes_of(builder, builder.bitcast(value, whole))
        ]
        return builder.bitcast(_joined(builder, parts), _ELEMENTS[kind])

    return _operation(_SCALARS[kind], (_SCALARS[kind], types.int64), emit)


_BARRIERS = {
    "warp": f"bar.warp.sync {_ALL_LANES:#x};",
    "block": "bar.sync 0;",
    "cluster": "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;",
    # As cooperative_groups has it: the driver's counter, whose highest bit turns when the last block has come.
    "grid": """{
        .reg .pred other, first, waits;
        .reg .u32 high, low, blocks, block, count, before, now;
        .reg .u64 at, upper;
        bar.sync 0;
        mov.u32 now, %tid.x;
        setp.ne.u32 other, now, 0;
        @other bra done;
        mov.u32 high, %envreg1;
        mov.u32 low, %envreg2;
        cvt.u64.u32 at, low;
        cvt.u64.u32 upper, high;
        shl.b64 upper, upper, 32;
        or.b64 at, at, upper;
        mov.u32 blocks, %nctaid.x;
        mov.u32 block, %ctaid.x;
        setp.eq.u32 first, block, 0;
        sub.u32 count, 0x80000001, blocks;
        selp.u32 count, count, 1, first;
        atom.add.release.gpu.u32 before, [at+4], count;
        again:
        ld.acquire.gpu.u32 now, [at+4];
        xor.b32 now, now, before;
        setp.ge.s32 waits, now, 0;
        @waits bra again;
        done:
        bar.sync 0;
    }""",
}


def barrier(scope: str) -> Any:
    """barrier(): all threads of the scope come here before one goes on."""

    def call(context: Any) -> Any:
        def emit(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            target.active_code_library.use_cooperative |= scope == "grid"
            builder.asm(ir.FunctionType(ir.VoidType(), ()), _BARRIERS[scope], "~{memory}", [], True)
            return _nothing(builder)

        return types.void(), emit

    return intrinsic(call)


def clusters_of(blocks: int) -> Any:
    """clusters_of(blocks)(): says that the grid of this kernel is one of clusters."""

    def emit(builder: Any) -> Any:
        notes = cgutils.get_or_insert_named_metadata(builder.module, "nvvm.annotations")
        for axis, extent in (("x", blocks), ("y", 1), ("z", 1)):
            name = ir.MetaDataString(builder.module, f"cluster_dim_{axis}")
            notes.add(builder.module.add_metadata((builder.function, name, ir.Constant(_WORD, extent))))
        return _nothing(builder)

    return _operation(types.void, (), emit)


# Kernels


def function(python: Callable[..., Any]) -> Any:
    """A function of kernels; inlined."""
    return cuda.jit(device=True, forceinline=True)(python)


class Kernel:
    """A kernel of the device, compiled when it is first launched.

    threads: of a block. together: so many blocks find registers on one multiprocessor. shared: bytes that a launch asks for beside what
    the kernel itself declares.
    """

    def __init__(self, python: Callable[..., Any], threads: int, together: int, shared: int) -> None:
        self.python, self.threads, self.shared = python, threads, shared
        self._bounds = (threads, together)
        self._jitted = cuda.jit(launch_bounds=self._bounds)(python)
        self._ready = False

    @property
    def signature(self) -> tuple[Any, ...]:
        """Addresses, and the batch."""
        return (types.int64,) * self.python.__code__.co_argcount

    def ptx(self, capability: tuple[int, int]) -> str:
        """Its PTX for a compute capability; takes no GPU."""
        with _as_if_on(capability):
            text, _ = cuda.compile(
                self.python, self.signature, cc=capability, device=False, abi="numba", output="ptx", launch_bounds=self._bounds
            )
        return str(text)

    def launch(self, blocks: int, stream: Any, *arguments: Any) -> None:
        """Start a grid of so many blocks on a stream; arguments are arrays on the device, or addresses, or numbers."""
        if not self._ready:
            self._prepare()
        self._jitted[blocks, self.threads, stream, self.shared](*map(_address, arguments))

    def _prepare(self) -> None:
        self._jitted.compile(self.signature)
        if self.shared:
            from cuda.bindings import driver

            (compiled,) = self._jitted.overloads.values()
            most = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
            handle = compiled._codelibrary.get_cufunc().handle
            (status,) = driver.cuKernelSetAttribute(most, self.shared, handle, cuda.get_current_device().id)
            if status != driver.CUresult.CUDA_SUCCESS:
                raise LaunchError(f"{self.python.__name__} asks for {self.shared} bytes of shared memory a block: {status.name}")
        self._ready = True


@contextmanager
def _as_if_on(capability: tuple[int, int]) -> Iterator[None]:
    """Answer numba's question for the device, which it asks when it compiles a function of a kernel, though the kernel's is known."""
    asked = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    try:
        yield
    finally:
        dispatcher.get_current_device = asked


def _address(argument: Any) -> int:
    """Where an array on the device lies; numbers are themselves."""
    interface = getattr(argument, "__cuda_array_interface__", None)
    return argument if interface is None else int(interface["data"][0])


def kernel(
    threads: int, together: int = 1, shared: int = 0, cluster: int = 1, cooperative: bool = False
) -> Callable[[Callable[..., Any]], Kernel]:
    """Make a Python function a kernel; that its grid is one of clusters, or cooperative, it says itself."""
    return lambda python: Kernel(python, threads, together, shared)
