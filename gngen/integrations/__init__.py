"""gngen inside other frameworks: one module each, which imports its framework and is imported by nobody else."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gngen.errors import MissingExtraError


def require(package: str, extra: str) -> Any:
    """The imported `package`, which the extra called `extra` installs.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as e:
        if e.name != package.partition(".")[0]:
            raise  # it is there, and lacks something of its own
        raise MissingExtraError(f"gngen.integrations.{extra} needs {package}: pip install 'gngen[{extra}]'") from None
