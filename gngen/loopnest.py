"""The kernel IR: a small tree of typed loops, vector arithmetic, loads and stores.

A nest is written by a schedule, checked by `gngen.verify`, shown by `gngen.nestprint` and printed as a language
by each backend. Every node is a frozen dataclass; integer arithmetic folds as it is built, so that indices read well.

Loops run full steps only: ``for v in start .. stop step s`` runs while ``v + s <= stop``. What is left over is
said by the nest itself, with `main_end` and partial loads and stores, whose `end` stops them inside a vector.

A nest for a GPU is a body of `Launch` statements, each a grid of blocks of threads that starts when the one before it is done. Inside
of one, the nest is what a single thread does; its vectors are its own, of 16 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from gngen.problem import Problem

# Kinds that arrays of inputs and outputs may have and nothing is computed in: they are loaded, stored, and cast from and to f32.
HALVES = ("f16", "bf16")
INTS = ("i32", "i64")
# Lanes of a warp, whose threads exchange values without a barrier.
WARP = 32
WIDTH = {"f16": 16, "bf16": 16, "f32": 32, "f64": 64, "i32": 32, "i64": 64, "m32": 32, "m64": 64}


@dataclass(frozen=True)
class Type:
    """An element kind (f32, f64, f16, bf16, i32, i64, or a comparison's m32, m64) and a number of lanes; 1 is a scalar."""

    kind: str
    lanes: int = 1

    def __str__(self) -> str:
        return self.kind if self.lanes == 1 else f"{self.kind}x{self.lanes}"


I64 = Type("i64")
F64 = Type("f64")


@dataclass(frozen=True)
class Const:
    value: int | float
    type: Type


@dataclass(frozen=True)
class Var:
    name: str
    type: Type


@dataclass(frozen=True)
class Op:
    """An operation of `OPS` on operands; `type` is the result's."""

    name: str
    args: tuple[Expr, ...]
    type: Type


@dataclass(frozen=True)
class Buffer:
    """An array of `shape` (row-major) over the storage called `name`.

    Two buffers of one name are two views of one storage. Spaces: input, output, workspace (handed to the kernel), stack (a worker's own);
    of a GPU, shared (a block's) and register (a thread's own, its first extent so many vectors of its second, found by constants).
    The first extent may be the batch variable; the others are integers.
    """

    name: str
    kind: str
    shape: tuple[int | Var, ...]
    space: str

    def view(self, *shape: int | Var) -> Buffer:
        """The same storage seen with another shape."""
        return Buffer(self.name, self.kind, shape, self.space)


@dataclass(frozen=True)
class Load:
    """Elements from `index` along the last axis; with `end`, lanes at or past it are not read and hold `fill`."""

    buffer: Buffer
    index: tuple[Expr, ...]
    type: Type
    end: Expr | None = None
    fill: Expr | None = None


@dataclass(frozen=True)
class Peel:
    """How many elements of `buffer`, from `index`, come before the first that is aligned to `lanes` elements: 0 to lanes - 1."""

    buffer: Buffer
    index: tuple[Expr, ...]
    lanes: int
    type: Type = I64


@dataclass(frozen=True)
class Call:
    """A call of one of the nest's own pure functions."""

    function: str
    args: tuple[Expr, ...]
    type: Type


@dataclass(frozen=True)
class Peer:
    """An element of the shared array of another block of the cluster: `block` is its number there."""

    buffer: Buffer
    block: Expr
    index: tuple[Expr, ...]
    type: Type


Expr = Union[Const, Var, Op, Load, Peel, Call, Peer]


@dataclass(frozen=True)
class Let:
    """Declare a variable; a float one may be assigned again, an integer one never."""

    var: Var
    value: Expr


@dataclass(frozen=True)
class Assign:
    var: Var
    value: Expr


@dataclass(frozen=True)
class Store:
    buffer: Buffer
    index: tuple[Expr, ...]
    value: Expr
    end: Expr | None = None
    streaming: bool = False


@dataclass(frozen=True)
class Loop:
    """A serial loop of full steps; ``unroll`` asks the compiler to unroll it that often."""

    var: Var
    start: Expr
    stop: Expr
    step: int
    body: tuple[Stmt, ...]
    unroll: int = 1


@dataclass(frozen=True)
class Parallel:
    """Iterations over the product of `extents`, in any order, on any worker; all done (a barrier) before what follows."""

    vars: tuple[Var, ...]
    extents: tuple[Expr, ...]
    body: tuple[Stmt, ...]


@dataclass(frozen=True)
class Launch:
    """A grid of blocks over the product of `extents` (the last counts fastest), each of `warps` warps of threads; done before what follows.

    `warp` and `lane` are a thread's numbers. `together`: so many blocks must find registers on one multiprocessor. `cluster` neighbouring
    blocks, which divide the last extent, see each other's shared arrays. The blocks of a `cooperative` launch all run at once, so that
    they can wait for each other.
    """

    vars: tuple[Var, ...]
    extents: tuple[Expr, ...]
    warps: int
    warp: Var
    lane: Var
    body: tuple[Stmt, ...]
    together: int = 1
    cluster: int = 1
    cooperative: bool = False

    @property
    def threads(self) -> int:
        """Of a block."""
        return self.warps * WARP


@dataclass(frozen=True)
class Barrier:
    """All threads of the scope (warp, block, cluster, grid) come here before one goes on, and see what the others stored."""

    scope: str


@dataclass(frozen=True)
class If:
    condition: Expr
    body: tuple[Stmt, ...]


@dataclass(frozen=True)
class Alloc:
    """A worker's own array, or, by its space, a thread's or a block's; uninitialised."""

    buffer: Buffer


@dataclass(frozen=True)
class Fence:
    """Make this worker's streaming stores visible before what follows."""


@dataclass(frozen=True)
class Prefetch:
    """A hint that the line of ``buffer[index]`` will be read soon; the position may lie outside of the buffer, and nothing is read."""

    buffer: Buffer
    index: tuple[Expr, ...]


@dataclass(frozen=True)
class Comment:
    text: str


Stmt = Union[Let, Assign, Store, Loop, Parallel, Launch, Barrier, If, Alloc, Fence, Prefetch, Comment]


@dataclass(frozen=True)
class Function:
    """A pure function of vectors: parameters, straight-line lets, a result."""

    name: str
    params: tuple[Var, ...]
    body: tuple[Stmt, ...]
    result: Expr


@dataclass(frozen=True)
class LoopNest:
    """A kernel: the problem that it computes, its arrays in the order of its arguments, its scratch arrays, its helper functions, its body.

    `parallel_from` is the batch from which threads pay (1: always; 0: never).
    """

    name: str
    problem: Problem
    buffers: tuple[Buffer, ...]
    batch: Var
    workspace: tuple[Buffer, ...]
    functions: tuple[Function, ...]
    body: tuple[Stmt, ...]
    parallel_from: int

    def __str__(self) -> str:
        from gngen.nestprint import show

        return show(self)


# Arithmetic. Each name is printed by every backend; (arity, operand kinds).
ARITH = ("add", "sub", "mul", "div", "min", "max")
COMPARE = ("lt", "le", "gt")
# Of vectors of bfloat16, two to a 32-bit word: the even or odd lanes as f32, and back; sums of neighbours and of their squares.
PAIRS = ("even", "odd", "zip", "add_pairs", "dot_pairs")
# Every other lane of two vectors of f32.
DEALT = ("even_of_two", "odd_of_two")
OPS = (
    *ARITH,
    *COMPARE,
    "fma",
    "neg",
    "abs",
    "sqrt",
    "select",
    "cast",
    "bitcast",
    "splat",
    "reduce_add",
    *PAIRS,
    *DEALT,
    "shl",
    "not",
    "main_end",
    "advance",
    "rem",
    "pack",
    "shuffle_xor",
    "from_lane",
)
# Exchanges within a warp: all its threads take part.
SHUFFLES = ("shuffle_xor", "from_lane")
SCOPES = ("warp", "block", "cluster", "grid")


def const(value: int | float, like: Type = I64) -> Const:
    return Const(int(value) if like.kind in INTS else float(value), like)


def as_expr(value: Expr | int) -> Expr:
    return const(value) if isinstance(value, int) else value


def _int_fold(name: str, a: Expr, b: Expr) -> Expr | None:
    """Fold integer arithmetic with constants; None when there is nothing to fold."""
    if isinstance(a, Const) and isinstance(b, Const):
        x, y = int(a.value), int(b.value)
        value = {
            "add": x + y,
            "sub": x - y,
            "mul": x * y,
            "min": min(x, y),
            "max": max(x, y),
            "div": x // y if y else 0,
            "rem": x % y if y else 0,
        }[name]
        return Const(value, a.type)
    zero_b, one_b = isinstance(b, Const) and b.value == 0, isinstance(b, Const) and b.value == 1
    if (name in ("add", "sub") and zero_b) or (name in ("mul", "div") and one_b):
        return a
    if name == "mul" and zero_b:
        return b
    if name == "rem" and one_b:
        return Const(0, a.type)
    if name in ("add", "mul", "min", "max") and isinstance(a, Const):
        return _int_fold(name, b, a) or Op(name, (b, a), a.type)
    if name == "add" and isinstance(b, Const) and isinstance(a, Op) and a.name == "add" and isinstance(a.args[1], Const):
        return add(a.args[0], Const(a.args[1].value + b.value, b.type))
    if name in ("min", "max") and a == b:
        return a
    return None


def _binary(name: str, a: Expr | int, b: Expr | int) -> Expr:
    left, right = as_expr(a), as_expr(b)
    if left.type != right.type:
        raise TypeError(f"{name} of {left.type} and {right.type}")
    if left.type == I64:
        folded = _int_fold(name, left, right)
        if folded is not None:
            return folded
    return Op(name, (left, right), left.type)


def add(a: Expr | int, b: Expr | int) -> Expr:
    return _binary("add", a, b)


def sub(a: Expr | int, b: Expr | int) -> Expr:
    return _binary("sub", a, b)


def mul(a: Expr | int, b: Expr | int) -> Expr:
    return _binary("mul", a, b)


def div(a: Expr | int, b: Expr | int) -> Expr:
    """Quotient; of integers, rounded towards zero (operands are never negative)."""
    return _binary("div", a, b)


def rem(a: Expr | int, b: Expr | int) -> Expr:
    """Remainder of integers that are never negative."""
    return _binary("rem", a, b)


def minimum(a: Expr | int, b: Expr | int) -> Expr:
    """The smaller; for floats ``b if b < a else a``, so a NaN in `a` stays."""
    return _binary("min", a, b)


def maximum(a: Expr | int, b: Expr | int) -> Expr:
    """The larger; for floats ``b if b > a else a``, so a NaN in `a` stays."""
    return _binary("max", a, b)


def fma(a: Expr, b: Expr, c: Expr) -> Expr:
    """a * b + c, rounded once where the machine can, twice where it cannot."""
    return Op("fma", (a, b, c), c.type)


def unary(name: str, a: Expr) -> Expr:
    return Op(name, (a,), a.type)


def compare(name: str, a: Expr, b: Expr) -> Expr:
    return Op(name, (a, b), Type(f"m{WIDTH[a.type.kind]}", a.type.lanes))


def select(mask: Expr, a: Expr, b: Expr) -> Expr:
    """a where mask, else b."""
    return Op("select", (mask, a, b), a.type)


def logical_not(mask: Expr) -> Expr:
    return Op("not", (mask,), mask.type)


def cast(a: Expr, kind: str) -> Expr:
    """Convert each lane's value; to fewer bits, rounded to nearest, ties to even, beyond the largest to infinity, NaN to a quiet NaN."""
    return a if a.type.kind == kind else Op("cast", (a,), Type(kind, a.type.lanes))


def bitcast(a: Expr, kind: str) -> Expr:
    """Reinterpret each lane's bits."""
    return Op("bitcast", (a,), Type(kind, a.type.lanes))


def shift_left(a: Expr, bits: int) -> Expr:
    return Op("shl", (a, Const(bits, a.type)), a.type)


def splat(a: Expr, lanes: int) -> Expr:
    """A scalar in every lane."""
    if lanes == a.type.lanes:
        return a
    if isinstance(a, Const):
        return Const(a.value, Type(a.type.kind, lanes))
    return Op("splat", (a,), Type(a.type.kind, lanes))


def reduce_add(a: Expr) -> Expr:
    """The sum of the lanes, halves onto halves: lane i + lane i + lanes/2, and so on; a fixed order."""
    return a if a.type.lanes == 1 else Op("reduce_add", (a,), Type(a.type.kind))


def even(a: Expr, b: Expr | None = None) -> Expr:
    """Lanes 0, 2, 4, ... of a vector of bfloat16, as f32; or of two vectors, one after the other."""
    return _every_other("even", a, b)


def odd(a: Expr, b: Expr | None = None) -> Expr:
    """Lanes 1, 3, 5, ... of a vector of bfloat16, as f32; or of two vectors, one after the other."""
    return _every_other("odd", a, b)


def _every_other(name: str, a: Expr, b: Expr | None) -> Expr:
    if b is None:
        return Op(name, (a,), Type("f32", a.type.lanes // 2))
    return Op(f"{name}_of_two", (a, b), a.type)


def zip_pairs(a: Expr, b: Expr) -> Expr:
    """a[0], b[0], a[1], b[1], ... of two vectors of f32, each rounded to bfloat16 as by `cast`."""
    return Op("zip", (a, b), Type("bf16", 2 * a.type.lanes))


def add_pairs(total: Expr, a: Expr) -> Expr:
    """(total[i] + a[2 i + 1]) + a[2 i], of a vector of bfloat16; numbers and results below the smallest normal may count as 0."""
    return Op("add_pairs", (total, a), total.type)


def dot_pairs(total: Expr, a: Expr) -> Expr:
    """(total[i] + a[2 i + 1]^2) + a[2 i]^2, as `add_pairs`; each product is exact."""
    return Op("dot_pairs", (total, a), total.type)


def pack(*lanes: Expr) -> Expr:
    """A vector of scalars, the first in lane 0; the scalar itself where it is one."""
    return lanes[0] if len(lanes) == 1 else Op("pack", lanes, Type(lanes[0].type.kind, len(lanes)))


def shuffle_xor(value: Expr, lanes: int) -> Expr:
    """A scalar's value in the thread of this warp whose lane differs by the bits of `lanes`."""
    return Op("shuffle_xor", (value, const(lanes)), value.type)


def from_lane(value: Expr, lane: int) -> Expr:
    """A scalar's value in one lane of this warp, in all of them."""
    return Op("from_lane", (value, const(lane)), value.type)


def main_end(start: Expr | int, stop: Expr | int, step: int) -> Expr:
    """Where a loop of full steps from start to stop leaves off."""
    first, last = as_expr(start), as_expr(stop)
    if step == 1:
        return last
    if isinstance(first, Const) and isinstance(last, Const):
        return const(int(first.value) + max(0, int(last.value) - int(first.value)) // step * step)
    return Op("main_end", (first, last, const(step)), I64)


def advance(start: Expr, by: Expr, stop: Expr) -> Expr:
    """start + by, at most stop; for start <= stop and by >= 0, so never before start."""
    return Op("advance", (start, by, stop), I64)


def operands(e: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside an expression."""
    if isinstance(e, (Op, Call)):
        return e.args
    if isinstance(e, Load):
        return (*e.index, *(x for x in (e.end, e.fill) if x is not None))
    if isinstance(e, Peel):
        return e.index
    if isinstance(e, Peer):
        return (e.block, *e.index)
    return ()


def expressions(s: Stmt) -> tuple[Expr, ...]:
    """The expressions directly inside a statement."""
    if isinstance(s, (Let, Assign)):
        return (s.value,)
    if isinstance(s, Store):
        return (*s.index, s.value, *(() if s.end is None else (s.end,)))
    if isinstance(s, Loop):
        return (s.start, s.stop)
    if isinstance(s, (Parallel, Launch)):
        return s.extents
    if isinstance(s, Prefetch):
        return s.index
    return (s.condition,) if isinstance(s, If) else ()


def substitute(e: Expr, known: dict[str, Expr]) -> Expr:
    """Arithmetic with the variables that are known replaced."""
    if isinstance(e, Var):
        return known.get(e.name, e)
    return replace(e, args=tuple(substitute(a, known) for a in e.args)) if isinstance(e, (Op, Call)) else e


def walk_expr(e: Expr) -> Iterator[Expr]:
    yield e
    for inner in operands(e):
        yield from walk_expr(inner)


def walk(body: tuple[Stmt, ...]) -> Iterator[Stmt]:
    """Every statement, outer before inner."""
    for s in body:
        yield s
        if isinstance(s, (Loop, Parallel, Launch, If)):
            yield from walk(s.body)


def nest_expressions(body: tuple[Stmt, ...]) -> Iterator[Expr]:
    """Every expression of every statement."""
    for s in walk(body):
        for e in expressions(s):
            yield from walk_expr(e)


def flat_index(buffer: Buffer, index: tuple[Expr, ...]) -> Expr:
    """The row-major position of `index`: for shape (n, a, b), ``(i * a + j) * b + k``, multiplied out."""
    total: Expr = const(0)
    stride = 1
    terms: list[Expr] = []
    for position, extent in zip(reversed(index), reversed(buffer.shape), strict=True):
        terms.append(mul(position, stride))
        stride *= extent if isinstance(extent, int) else 0
    for term in reversed(terms):
        total = add(total, term)
    return total


def shared_bytes(launch: Launch) -> int:
    """Bytes of a block's shared arrays."""
    return sum(buffer_bytes(s.buffer) for s in walk(launch.body) if isinstance(s, Alloc) and s.buffer.space == "shared")


def buffer_bytes(buffer: Buffer) -> int:
    """Bytes of an array, up to a multiple of 16."""
    return -(-fixed_elements(buffer) * WIDTH[buffer.kind] // 128) * 16


def fixed_elements(buffer: Buffer) -> int:
    """How many elements a buffer has, of one sample where its first extent is the batch."""
    count = 1
    for extent in buffer.shape:
        count *= extent if isinstance(extent, int) else 1
    return count
