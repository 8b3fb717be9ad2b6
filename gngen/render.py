"""Jinja over the shipped templates: strict, and with tests for the kinds of statements."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2

from gngen import loopnest, resources

_STATEMENTS = (
    loopnest.Let, loopnest.Assign, loopnest.Store, loopnest.Loop, loopnest.Parallel,
    loopnest.Launch, loopnest.Barrier, loopnest.If, loopnest.Alloc, loopnest.Fence, loopnest.Prefetch, loopnest.Comment,
)  # fmt: skip


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: resources.read("templates", name)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for kind in _STATEMENTS:
        environment.tests[f"{kind.__name__.lower()}_stmt"] = lambda s, kind=kind: isinstance(s, kind)
    return environment


def render(template: str, **values: Any) -> str:
    """The text of a template, ``language/name.j2``, with `values`."""
    return _environment().get_template(template).render(**values)
