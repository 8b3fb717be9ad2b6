"""The loop nest as text for people: one line a statement, indices in brackets."""

from __future__ import annotations

from collections.abc import Iterator

from gngen.loopnest import (
    WARP,
    Alloc,
    Assign,
    Barrier,
    Buffer,
    Call,
    Comment,
    Const,
    Expr,
    Fence,
    If,
    Launch,
    Let,
    Load,
    Loop,
    LoopNest,
    Op,
    Parallel,
    Peel,
    Peer,
    Prefetch,
    Stmt,
    Store,
    Var,
)

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "rem": "%", "lt": "<", "le": "<=", "gt": ">", "shl": "<<"}
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "<": 0, "<=": 0, ">": 0, "<<": 0}


def show(nest: LoopNest) -> str:
    """The whole nest, ending in a newline."""
    lines = [f"kernel {nest.name}({nest.batch.name}: i64)"]
    lines += [f"  {b.space} {_buffer(b)}" for b in nest.buffers]
    lines += [f"  {b.space} {_buffer(b)}" for b in nest.workspace]
    if nest.parallel_from > 1:
        lines.append(f"  threads from {nest.batch.name} = {nest.parallel_from}")
    for f in nest.functions:
        params = ", ".join(f"{p.name}: {p.type}" for p in f.params)
        lines += [f"function {f.name}({params}) -> {f.result.type}:", *_block(f.body, 1), f"  return {show_expr(f.result)}"]
    lines += ["body:", *_block(nest.body, 1)]
    return "\n".join(lines) + "\n"


def _buffer(b: Buffer) -> str:
    return f"{b.name}: {b.kind}[{', '.join(e.name if isinstance(e, Var) else str(e) for e in b.shape)}]"


def _block(body: tuple[Stmt, ...], depth: int) -> Iterator[str]:
    for s in body:
        yield "  " * depth + show_stmt(s)
        if isinstance(s, (Loop, Parallel, Launch, If)):
            yield from _block(s.body, depth + 1)


def show_stmt(s: Stmt) -> str:
    """One statement, without what it contains."""
    match s:
        case Let(var, value):
            return f"let {var.name}: {var.type} = {show_expr(value)}"
        case Assign(var, value):
            return f"{var.name} = {show_expr(value)}"
        case Store():
            how = "stream " if s.streaming else ""
            return f"{how}{_place(s.buffer, s.index, s.end)} = {show_expr(s.value)}"
        case Loop():
            unroll = f" unroll {s.unroll}" if s.unroll > 1 else ""
            return f"for {s.var.name} in {show_expr(s.start)} .. {show_expr(s.stop)} step {s.step}{unroll}:"
        case Parallel():
            over = ", ".join(f"{v.name} in 0 .. {show_expr(e)}" for v, e in zip(s.vars, s.extents, strict=True))
            return f"parallel {over}:"
        case Launch():
            over = ", ".join(f"{v.name} in 0 .. {show_expr(e)}" for v, e in zip(s.vars, s.extents, strict=True))
            how = f"clusters of {s.cluster}, " if s.cluster > 1 else "cooperative, " if s.cooperative else ""
            return f"launch blocks {over}, {how}{s.together} together, {s.warp.name} in 0 .. {s.warps}, {s.lane.name} in 0 .. {WARP}:"
        case Barrier(scope):
            return f"barrier {scope}"
        case If():
            return f"if {show_expr(s.condition)}:"
        case Alloc():
            return f"{s.buffer.space} {_buffer(s.buffer)}"
        case Fence():
            return "fence"
        case Prefetch(buffer, index):
            return f"prefetch {_place(buffer, index, None)}"
        case Comment():
            return f"# {s.text}"


def _place(buffer: Buffer, index: tuple[Expr, ...], end: Expr | None) -> str:
    inside = ", ".join(show_expr(i) for i in index)
    return f"{buffer.name}[{inside}{'' if end is None else f' until {show_expr(end)}'}]"


def show_expr(e: Expr, binds: int = -1) -> str:
    """An expression; `binds` is how tightly what stands around it binds."""
    match e:
        case Const():
            return repr(e.value)
        case Var():
            return e.name
        case Load():
            fill = "" if e.fill is None else f" else {show_expr(e.fill)}"
            lanes = "" if e.type.lanes == 1 else f":{e.type.lanes}"
            return _place(e.buffer, e.index, e.end) + lanes + fill
        case Peel():
            return f"peel({_place(e.buffer, e.index, None)}, {e.lanes})"
        case Peer():
            return f"block {show_expr(e.block, 3)}'s {_place(e.buffer, e.index, None)}"
        case Call():
            return f"{e.function}({', '.join(show_expr(a) for a in e.args)})"
        case Op(name) if name in _INFIX:
            sign = _INFIX[name]
            tight = _BINDS[sign]
            text = f"{show_expr(e.args[0], tight)} {sign} {show_expr(e.args[1], tight + 1)}"
            return f"({text})" if tight < binds else text
        case Op("cast" | "bitcast" | "splat", (a,)):
            return f"{e.type}{'_bits' if e.name == 'bitcast' else ''}({show_expr(a)})"
        case Op():
            return f"{e.name}({', '.join(show_expr(a) for a in e.args)})"
