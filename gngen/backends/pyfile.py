"""Load a generated Python file: exactly the text on disk, no bytecode of an earlier one."""

from __future__ import annotations

import hashlib
import linecache
import sys
import threading
from pathlib import Path
from types import ModuleType

_lock = threading.RLock()


def load_module(path: Path) -> ModuleType:
    """The module in a file, under a name of its own, so that debuggers and numba's cache find its source.

    The name comes from the text alone: numba's stored code names the module, and an entry is built in one folder and kept in another.
    A file that was loaded before, wherever it lay then, is not loaded again; another of the same text is.
    """
    text = path.read_text(encoding="utf-8")
    name = f"gngen_kernel_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    status = path.stat()
    file = (status.st_dev, status.st_ino, status.st_mtime_ns)
    with _lock:
        known = sys.modules.get(name)
        if known is not None and vars(known).get("__gngen_file__") == file:
            return known
        module = ModuleType(name)
        vars(module).update(__file__=str(path), __gngen_file__=file)
        sys.modules[name] = module
        try:
            exec(compile(text, str(path), "exec"), module.__dict__)
        except BaseException:
            del sys.modules[name]
            raise
    # kept for tracebacks, since the file may be moved; an entry without a time is never checked against the disk
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    return module
