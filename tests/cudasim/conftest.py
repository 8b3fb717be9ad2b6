"""What the tests in the simulator share; they run in a process of their own, since numba decides at its import whether it simulates."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gngen.device import simulated

# Threads of a block take turns, each handed on by the one before: to look for another thread more often is only slower.
sys.setswitchinterval(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    if any(item.path.is_relative_to(here) for item in items) and not simulated():
        pytest.exit("the tests in tests/cudasim are run by tests/test_cudasim.py, with NUMBA_ENABLE_CUDASIM=1", 2)
