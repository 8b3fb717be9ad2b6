"""What all integrations share."""

from __future__ import annotations

import math

import pytest

from gngen.errors import MissingExtraError
from gngen.integrations import require


def test_a_missing_framework_names_its_extra() -> None:
    with pytest.raises(MissingExtraError, match=r"^gngen\.integrations\.keras needs no_such_package: pip install 'gngen\[keras\]'$"):
        require("no_such_package", "keras")
    assert issubclass(MissingExtraError, ImportError)


def test_what_is_there_is_imported() -> None:
    assert require("math", "anything") is math
