"""Other people's programs: run one, and say in its own words what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

from gngen.errors import BuildError

TIMEOUT = 120.0


def run_tool(command: Sequence[str], text: str | None = None) -> str:
    """The standard output of a command that is given a text, and ends well. BuildError with what it said otherwise."""
    import subprocess  # here, since a kernel from the disk needs none

    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIMEOUT)
    except (OSError, subprocess.SubprocessError) as e:
        raise BuildError(f"{command[0]} could not be run: {e}") from e
    if done.returncode:
        shown = "\n".join(done.stderr.strip().splitlines()[:12])
        raise BuildError(f"{' '.join(command)} failed with status {done.returncode}:\n{shown}")
    return done.stdout
