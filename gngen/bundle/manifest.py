"""manifest.json: what a bundle is made of, as it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gngen.errors import BuildError

MANIFEST = "manifest.json"
FORMAT = "gngen bundle 1"


def is_bundle(folder: Path) -> bool:
    """Whether a folder is a bundle, whatever is in it by now."""
    try:
        return bool(_parse(folder)["format"].startswith("gngen bundle"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a bundle; BuildError where there is none that this version can read."""
    try:
        found = _parse(folder)
    except OSError as e:
        raise BuildError(f"{folder} is no bundle: {MANIFEST} cannot be read: {e.strerror or e}") from None
    except ValueError as e:
        raise BuildError(f"{folder} is no bundle: {MANIFEST} is not valid JSON: {e}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        shown = found.get("format") if isinstance(found, dict) else None
        raise BuildError(f"{folder} is no bundle that this version reads: its format is {shown!r}, not {FORMAT!r}")
    return found


def _parse(folder: Path) -> Any:
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
