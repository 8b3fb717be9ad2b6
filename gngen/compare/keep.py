"""Nests, sources and assembly of every layer and target side by side in a folder.

``DIR/01-resnet-320-64/c.x86-64-v3.nest``, ``.c`` and ``.s``: a folder for each layer in the order of the list, and in it files that sort by
target and then say what they are.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from gngen.compare.code import Texts
from gngen.models import Layer


class Keeper:
    """Writes into one folder; what else is there stays, and a file of the same name is replaced whole."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Make the folder, where it is not there.

        Raises:
            OSError: it is a file, or cannot be made.
        """
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def keep(self, number: int, layer: Layer, target: str, texts: Texts) -> None:
        """Write the files of the layer that is the list's `number`, from 1, on one target."""
        folder = self.folder / f"{number:02}-{_plain(layer.name)}"
        folder.mkdir(exist_ok=True)
        for suffix, text in ((".nest", str(texts.nest)), (texts.source.suffix, texts.source.text), (".s", texts.assembly)):
            if text:
                _write(folder / f"{_plain(target)}{suffix}", text)


def _plain(name: str) -> str:
    """A name as it can stand in a path."""
    return re.sub(r"[^\w.@-]+", ".", name).strip(".") or "layer"


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        aside.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
        aside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()
