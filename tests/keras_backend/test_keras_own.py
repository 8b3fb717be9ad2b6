"""Keras's own test of its layer, with ours in its place."""

from __future__ import annotations

import pytest

theirs = pytest.importorskip(
    "keras.src.layers.normalization.group_normalization_test", reason="this Keras comes without its tests", exc_type=ImportError
)

from gngen.integrations.keras import GroupNormalization


class TestKerasOwn(theirs.GroupNormalizationTest):
    @pytest.fixture(autouse=True)
    def _in_its_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(theirs.layers, "GroupNormalization", GroupNormalization)
