"""Reading a forward's source for ``act(norm(x))``, and writing it again as ``fused(norm, act, x)``.

    h = self.norm(x)              h = fused(self.norm, self.act, x)
    h = self.act(h)         ->
    y = self.conv(h)              y = self.conv(h)

A pair is one expression, ``act(norm(x))``, or two statements that run one after the other, where the second is all that ever reads what the
first has stored: it stores to the same name, or returns, or the name occurs nowhere else. A statement after an ``if`` follows each
of its branches, and is moved into them. Nothing else is looked at or changed, so that control flow, other arguments and attributes stay
what they are; which norm and which activation it is, `fused` looks at when it runs.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

_FUSED = "_gngen_fused"


@dataclass(frozen=True)
class Pair:
    """The norm and the activation of one ``act(norm(x))``, as the source spells them: ``self.norm1``, ``self.nonlinearity``."""

    norm: str
    act: str


@dataclass(frozen=True)
class Forward:
    """A function's source, read: its tree, and where it came from; or `lacking`, why it cannot be rewritten."""

    function: Any
    tree: ast.FunctionDef | None = None
    lacking: str = ""


def read_forward(function: Callable[..., Any]) -> Forward:
    """The source of a function that is written in a module or a class; decorators stay around it."""
    plain: Any = inspect.unwrap(function)
    if not inspect.isfunction(plain):
        return Forward(function, lacking=f"{function!r} is not a function written in Python")
    if plain.__code__.co_freevars:
        return Forward(plain, lacking=f"it is a closure over {', '.join(plain.__code__.co_freevars)}")
    try:
        lines, first = inspect.getsourcelines(plain)
        (tree,) = ast.parse(textwrap.dedent("".join(lines))).body
    except (OSError, TypeError, SyntaxError, ValueError) as e:
        return Forward(plain, lacking=f"its source cannot be read: {e}")
    if not isinstance(tree, ast.FunctionDef):
        return Forward(plain, lacking="its source is not a function's")
    if plain is not function and not tree.decorator_list:
        return Forward(plain, lacking="it was wrapped by something that its source does not show")
    if any(_is_private(word) for word in _words(tree)):
        return Forward(plain, lacking="it uses names private to its class")
    if any(isinstance(node, ast.Global) for node in ast.walk(tree)):
        return Forward(plain, lacking="it stores to globals")
    ast.increment_lineno(tree, first - 1)
    return Forward(plain, tree)


def find_pairs(forward: Forward) -> list[Pair]:
    """All the calls of one thing on the answer of another that can be written as one; most are of no norm."""
    if forward.tree is None:
        return []
    rewriter = _Rewriter(None)
    rewriter.rewrite(forward.tree)
    return rewriter.found


def find_calls(forward: Forward) -> set[str]:
    """What a function calls, as its source spells it."""
    return set() if forward.tree is None else {ast.unparse(node.func) for node in ast.walk(forward.tree) if isinstance(node, ast.Call)}


def write_forward(forward: Forward, pairs: Sequence[Pair], fused: Callable[..., Any]) -> Any:
    """The function with those pairs as calls of `fused`. NameError and the like where its decorators cannot be applied again."""
    assert forward.tree is not None
    tree = _Rewriter(frozenset(pairs)).rewrite(forward.tree)
    # fused is a variable around the function; the function's globals stay its module's own
    (around,) = ast.parse(f"def around({_FUSED}): return {tree.name}").body
    assert isinstance(around, ast.FunctionDef)
    around.body.insert(0, tree)
    module = ast.fix_missing_locations(ast.Module([around], []))
    code = compile(module, forward.function.__code__.co_filename, "exec", dont_inherit=True, flags=_future(forward))
    own: dict[str, Any] = {}
    exec(code, forward.function.__globals__, own)
    return own["around"](fused)


def _future(forward: Forward) -> int:
    """The function's `from __future__ import annotations`, where its module has it."""
    import __future__

    flags: int = forward.function.__code__.co_flags
    return flags & __future__.annotations.compiler_flag


def _words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def _is_private(word: str) -> bool:
    return word.startswith("__") and not word.endswith("__")


@dataclass
class _Rewriter:
    """Rewrites the pairs that are `wanted`, or with None only looks; notes all that it found."""

    wanted: frozenset[Pair] | None
    found: list[Pair] = field(default_factory=list)
    uses: dict[str, int] = field(default_factory=dict)

    def rewrite(self, tree: ast.FunctionDef) -> ast.FunctionDef:
        tree = copy.deepcopy(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                self.uses[node.id] = self.uses.get(node.id, 0) + 1
        tree.body = self._block(tree.body)
        return tree

    def note(self, norm: ast.Call, act: ast.Call) -> bool:
        """Add to what was found; whether it is to be rewritten."""
        pair = Pair(ast.unparse(norm.func), ast.unparse(act.func))
        if pair not in self.found:
            self.found.append(pair)
        return self.wanted is not None and pair in self.wanted

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements, each with the one that follows it."""
        rest, done = list(body), []
        while rest:
            statement = rest.pop(0)
            if rest and isinstance(statement, ast.If) and self._ends_in_norm(statement, rest[0]):
                self._move_into(statement, rest.pop(0))
                rest.insert(0, statement)  # something else follows it now
                continue
            if rest and (calls := self._pair(statement, rest[0])) and self.note(*calls):
                rest[0] = _fuse(statement, rest[0], *calls)
            done.append(self._inside(statement))
        return done

    def _inside(self, statement: ast.stmt) -> ast.stmt:
        """A statement with its own blocks and expressions rewritten; functions and classes inside of it are left alone."""
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return statement
        for name, value in ast.iter_fields(statement):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(statement, name, self._block(value))
            elif isinstance(value, ast.expr):
                setattr(statement, name, _Nested(self).visit(value))
        return statement

    def _pair(self, first: ast.stmt, second: ast.stmt) -> tuple[ast.Call, ast.Call] | None:
        """The calls of ``v = norm(x)`` and a statement with ``act(v)``, where that is all that ever reads v's value."""
        name, norm = _assigned(first)
        if name is None or not isinstance(norm, ast.Call) or not _is_call_of_one(norm) or not isinstance(second, (ast.Assign, ast.Return)):
            return None
        nodes = [*ast.walk(second)]
        if any(isinstance(node, _SCOPES) for node in (*nodes, *ast.walk(first))):
            return None
        target, _ = _assigned(second)
        if not (isinstance(second, ast.Return) or target == name or (target is not None and self.uses[name] == 2)):
            return None
        reads = [node for node in nodes if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)]
        acts = [node for node in nodes if isinstance(node, ast.Call) and _is_call_of_one(node) and node.args[0] in reads]
        return (norm, acts[0]) if len(reads) == len(acts) == 1 else None

    # A branch and what follows it

    def _ends_in_norm(self, branch: ast.If, following: ast.stmt) -> bool:
        """Whether in one of the branches the last statement and the following one are a pair to be rewritten."""
        lasts = [block[-1] for block in (branch.body, branch.orelse) if block]
        pairs = [calls for last in lasts if (calls := self._pair(last, following))]
        # all of them are noted, whichever is wanted
        wanted = [self.note(*calls) for calls in pairs]
        deeper = [self._ends_in_norm(last, following) for last in lasts if isinstance(last, ast.If)]
        return any(wanted + deeper)

    def _move_into(self, branch: ast.If, following: ast.stmt) -> None:
        """if c: a      if c: a; b
        else: d    ->  else: d; b
        b
        """
        branch.body.append(copy.deepcopy(following))
        branch.orelse.append(following)


class _Nested(ast.NodeTransformer):
    """act(norm(x)) in one expression."""

    def __init__(self, rewriter: _Rewriter) -> None:
        self._rewriter = rewriter

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        norm = node.args[0] if _is_call_of_one(node) else None
        if isinstance(norm, ast.Call) and _is_call_of_one(norm) and self._rewriter.note(norm, node):
            return _fused_call(norm, node)
        return node


# What is evaluated at another time than it stands there, or stores on its way.
_SCOPES = (
    ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom,
)  # fmt: skip


def _assigned(statement: ast.stmt) -> tuple[str, ast.expr] | tuple[None, None]:
    """The name and the value of ``name = value``."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, statement.value
    return None, None


def _is_call_of_one(node: ast.Call) -> bool:
    """Whether a call is ``f(x)``, with f a name or a path of attributes and indices."""
    return len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred) and _is_path(node.func)


def _is_path(node: ast.expr) -> bool:
    """Whether an expression is a name, or an attribute or a constant's element of one: to evaluate it has no effects."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
            return False
        node = node.value
    return isinstance(node, ast.Name)


def _fuse(first: ast.stmt, second: ast.stmt, norm: ast.Call, act: ast.Call) -> ast.stmt:
    """v = norm(x); ... act(v) -> v = fused(norm, act, x); ... v."""
    assert isinstance(first, ast.Assign)
    first.value = _fused_call(norm, act)

    class Swap(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            return act.args[0] if node is act else self.generic_visit(node)

    swapped: ast.stmt = Swap().visit(second)
    return swapped


def _fused_call(norm: ast.Call, act: ast.Call) -> ast.Call:
    return ast.copy_location(ast.Call(ast.Name(_FUSED, ast.Load()), [norm.func, act.func, norm.args[0]], []), norm)
