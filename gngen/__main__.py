"""``python -m gngen``: the command line."""

from __future__ import annotations

from gngen.cli import main

if __name__ == "__main__":
    main(prog_name="gngen")
