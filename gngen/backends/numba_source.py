"""Print a loop nest as a Python module for numba: expressions here, statements and vectors in ``templates/numba``."""

from __future__ import annotations

from functools import partial

from gngen import loopnest as ir
from gngen.backends.printing import Printer, element_count, has_parallel, helpers, takes_bfloats, types
from gngen.loopnest import Expr, LoopNest, Op, Type
from gngen.render import render
from gngen.target import Machine

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "rem": "%", "lt": "<", "le": "<=", "gt": ">"}
_NUMPY = {"f32": "np.float32", "f64": "np.float64", "i32": "np.int32", "i64": "np.int64"}


class _PythonPrinter(Printer):
    """Infix on scalars; on vectors every operation is a helper, since numba's operators are global."""

    def literal(self, value: int | float, kind: str) -> str:
        if kind in ir.HALVES:
            return f"np.uint16({int(value)})"  # 0, whose bits are 0
        if kind == "i64":
            return str(value)
        if isinstance(value, float) and (value != value or abs(value) == float("inf")):
            return f'{_NUMPY[kind]}("{value}")'
        return repr(value) if kind == "f64" else f"{_NUMPY[kind]}({value!r})"

    def expr(self, e: Expr, binds: int = 0) -> str:
        if isinstance(e, Op) and e.args and e.args[0].type.lanes > 1 and e.name in (*ir.ARITH, *ir.COMPARE, "shl", "neg"):
            return f"{e.name}_{e.args[0].type}({self.args(*e.args)})"
        if isinstance(e, Op) and e.name == "not" and e.type.lanes == 1:
            return f"not {self.expr(e.args[0], 9)}"
        return super().expr(e, binds)

    def _sign(self, name: str, e: Op) -> str:
        return "//" if name == "div" and e.type.kind in ir.INTS else self.infix[name]


def print_python(nest: LoopNest, machine: Machine) -> str:
    """The Python text of a nest: one module, one kernel that takes addresses, and a function that takes arrays."""
    found = helpers(nest)
    return render(
        "numba/kernel.py.j2",
        nest=nest,
        machine=machine,
        helpers=found,
        vector_operations=_vector_operations(nest),
        types=sorted({Type(_held(t.kind), t.lanes) for t in types(nest, found)}, key=lambda t: (t.lanes, t.kind)),
        halves_used=sorted({b.kind for b in nest.buffers}.intersection(ir.HALVES)),
        held=_held,
        takes_bfloats=partial(takes_bfloats, machine),
        printer=_PythonPrinter(_INFIX, scalar_loads=False),
        threaded=nest.parallel_from != 0 and has_parallel(nest),
        params=[b.name for b in (*nest.buffers, *nest.workspace)],
        numpy_types=_NUMPY,
        element_count=element_count,
    )


def _held(kind: str) -> str:
    """The kind whose values are held for a kind: halves are held as their bits."""
    return "i16" if kind in ir.HALVES else kind


def _vector_operations(nest: LoopNest) -> list[tuple[str, str, int]]:
    """The infix operations on vectors that the nest uses: name, kind, lanes."""
    found = set()
    bodies = [ir.nest_expressions(nest.body), *(ir.nest_expressions(f.body) for f in nest.functions)]
    results = [ir.walk_expr(f.result) for f in nest.functions]
    for expressions in (*bodies, *results):
        for e in expressions:
            if isinstance(e, Op) and e.args and e.args[0].type.lanes > 1 and e.name in (*ir.ARITH, *ir.COMPARE, "shl", "neg"):
                found.add((e.name, e.args[0].type.kind, e.args[0].type.lanes))
    return sorted(found)
