"""Print a GPU's loop nest as LLVM IR, by llvmlite's builder: one module, a kernel for each launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir as ll

from gngen import loopnest as ir
from gngen.backends.llvm_amdgcn import AmdgcnValues
from gngen.backends.llvm_body import Body, define_function
from gngen.backends.llvm_gpu_values import GLOBAL, GpuValues
from gngen.backends.llvm_nvptx import NvptxValues
from gngen.backends.llvm_values import I32, I64, VOID, add_attributes, llvm_type
from gngen.grids import Grid, block_numbers, grids_of, shared_places
from gngen.loopnest import Buffer, Expr, Launch, LoopNest, Stmt, Type
from gngen.target import Gpu
from gngen.unroll import unroll_body

# By the first part of a triple.
PROCESSORS: dict[str, Callable[[ll.Module, Gpu, bool], GpuValues]] = {"nvptx64": NvptxValues, "amdgcn": AmdgcnValues}
_ALIGNMENT = 16


def print_gpu(nest: LoopNest, gpu: Gpu) -> tuple[ll.Module, list[Grid]]:
    """A module of the nest's kernels, and how each is launched. A kernel takes the nest's arrays and scratch arrays, the batch (i64)."""
    module = ll.Module(nest.name)
    module.triple = gpu.triple
    values = PROCESSORS[gpu.triple.partition("-")[0]](module, gpu, nest.problem.sample < 1 << 31)
    functions = {f.name: define_function(values, f) for f in nest.functions}
    grids = grids_of(nest, values.declared)
    launches = [s for s in unroll_body(nest.body) if isinstance(s, Launch)]
    for grid, launch in zip(grids, launches, strict=True):
        _define_kernel(values, nest, grid, launch, functions)
    return module, grids


def _define_kernel(values: GpuValues, nest: LoopNest, grid: Grid, launch: Launch, functions: dict[str, ll.Function]) -> None:
    arrays = [*nest.buffers, *nest.workspace]
    f = ll.Function(values.module, ll.FunctionType(VOID, [ll.PointerType(addrspace=GLOBAL)] * len(arrays) + [I64]), grid.kernel)
    f.calling_convention = values.convention
    add_attributes(f, "nounwind", *values.attributes(launch))
    for arg, buffer in zip(f.args, arrays, strict=False):
        arg.name = buffer.name
        arg.attributes.align = _ALIGNMENT
        if buffer.space == "input":
            # parameters alone are never the memory of an output, which x and the residual may be
            add_attributes(arg, "readonly", *(() if buffer.name in ("x", "residual") else ("noalias",)))
    f.args[-1].name = nest.batch.name
    body = _KernelBody(values, f, {a.name: a for a in f.args[:-1]}, functions, launch, grid)
    body.known[nest.batch.name] = f.args[-1]
    body.block(launch.body)
    values.b.ret_void()


class _KernelBody(Body):
    """What one thread of a launch does. Vectors of a thread's own are found by constants, which LLVM makes registers of."""

    def __init__(
        self, values: GpuValues, f: ll.Function, arrays: dict[str, Any], functions: dict[str, Any], launch: Launch, grid: Grid
    ) -> None:
        super().__init__(values, f, arrays, functions, launch.body)
        self.values, self.grid = values, grid
        self.places_asked = shared_places(launch, values.declared)
        b = values.b
        block = values.block_number()
        for name, stride, count in block_numbers(launch):
            part = b.udiv(block, ll.Constant(I32, stride)) if stride > 1 else block
            first = name == launch.vars[0].name
            self.known[name] = b.zext(part if first or count is None else b.urem(part, ll.Constant(I32, count)), I64)
        thread = values.thread_number()
        thread.set_metadata("range", values.module.add_metadata([ll.Constant(I32, 0), ll.Constant(I32, launch.threads)]))
        warp = ll.Constant(I32, ir.WARP)
        self.known[launch.warp.name] = b.zext(b.udiv(thread, warp), I64)
        self.known[launch.lane.name] = b.zext(b.urem(thread, warp), I64)

    def alloca(self, t: ll.Type, name: str, alignment: int | None) -> Any:
        if not self.values.stack:
            return super().alloca(t, name, alignment)
        place = _Alloca(self.entry, t, name, self.values.stack)
        place.align = alignment
        self.entry.instructions.insert(0, place)
        return place

    def statement(self, s: Stmt) -> None:
        match s:
            case ir.Store(buffer, index, value, None, streaming):
                t, found = value.type, self.expr(value)
                put = self.values.stream if streaming else self.values.store
                put(t, self._place(buffer, index, t), found)
            case ir.Alloc(buffer):
                self.arrays[buffer.name] = self._allocated(buffer)
            case ir.Barrier(scope):
                self.values.barrier(scope)
            case _:
                super().statement(s)

    def expr(self, e: Expr) -> Any:
        match e:
            case ir.Load(buffer, index, t, None):
                return self.values.load(t, self._place(buffer, index, t))
            case ir.Peer(buffer, block, index, t):
                return self.values.load(t, self.values.peer(self._place(buffer, index, t), self.expr(block)))
            case _:
                return super().expr(e)

    def _place(self, buffer: Buffer, index: tuple[Expr, ...], t: Type) -> Any:
        """The address of an element, or of the vector that begins there."""
        if buffer.space == "register":
            assert isinstance(index[0], ir.Const), f"{buffer.name} is found by {index[0]}"
            assert t.lanes == buffer.shape[-1]
        return self.values.place(t.kind, self.arrays[buffer.name], self.flat(buffer, index))

    def _allocated(self, buffer: Buffer) -> Any:
        if buffer.space == "register":
            slots, lanes = buffer.shape
            assert isinstance(lanes, int)
            return self.alloca(ll.ArrayType(llvm_type(Type(buffer.kind, lanes)), slots), buffer.name, _ALIGNMENT)
        if not self.grid.shared:
            return self.values.shared(f"{self.grid.kernel}_{buffer.name}", ir.buffer_bytes(buffer))
        arena = self.values.shared(f"{self.grid.kernel}_shared", 0)
        return self.values.b.gep(arena, [ll.Constant(I64, self.places_asked[buffer.name])], inbounds=True, source_etype=ll.IntType(8))


class _Alloca(ll.AllocaInstr):  # type: ignore[misc]
    """A thread's own memory, in a space of its own."""

    def __init__(self, block: ll.Block, t: ll.Type, name: str, space: int) -> None:
        super().__init__(block, t, None, name)
        self.type = ll.PointerType(addrspace=space)

    def descr(self, buf: list[str]) -> None:
        super().descr(buf)
        buf.append(f", addrspace({self.type.addrspace})")
