"""Load a generated Python file: exactly the text on disk, no bytecode of an earlier one."""

from __future__ import annotations

import hashlib
import linecache
import sys
from pathlib import Path
from types import ModuleType


def load_module(path: Path) -> ModuleType:
    """The module in a file, under a name of its own, so that debuggers and numba's cache find its source."""
    text = path.read_text(encoding="utf-8")
    # by the text alone: numba's stored code names the module, and an entry is built in one folder and kept in another
    name = f"gngen_kernel_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    linecache.checkcache(str(path))
    return module
