"""LLVM in a process of its own, for processors whose code it may end the process over: ``python -m gngen.llvmapart``, JSON on stdin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence

from gngen.errors import BuildError

_SECONDS = 300
# What the process ends with where LLVM refused, and said why.
_REFUSED = 3


def compile_apart(texts: Sequence[str], flags: Sequence[str]) -> str:
    """The assembly of modules linked into one. BuildError with LLVM's words."""
    command = [sys.executable, "-m", "gngen.llvmapart"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}
    asked = json.dumps({"texts": list(texts), "flags": list(flags)})
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, text=True, encoding="utf-8", timeout=_SECONDS, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise BuildError(f"LLVM could not be run: {e}") from e
    if done.returncode == _REFUSED:
        raise BuildError(done.stderr.strip())
    if done.returncode:
        said = " ".join(done.stderr.split())[:500]
        raise BuildError(f"LLVM ended with status {done.returncode} ({' '.join(flags)}): {said}")
    return done.stdout


def main() -> int:
    from gngen import llvmtools

    asked = json.load(sys.stdin)
    try:
        sys.stdout.write(llvmtools.compile_here(asked["texts"], tuple(asked["flags"])))
    except BuildError as e:
        print(e, file=sys.stderr)
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
