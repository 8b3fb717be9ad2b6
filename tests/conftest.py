"""What all tests share: a cache of their own, more threads than cores, every backend by listing."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

# Before numba is imported: it takes no more threads than it was started with, and the tests ask for 1, 2, 3 and 8 on any machine.
os.environ["NUMBA_NUM_THREADS"] = "8"
# More threads than cores should sleep while they wait.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Keras takes the first backend that it is imported with: numpy's, which needs no other package.
os.environ.setdefault("KERAS_BACKEND", "numpy")

from strategies import need_backend

from gngen import threads
from gngen.backends import BACKENDS, machine_kinds
from gngen.device import simulated

_folder = pytest.StashKey[str]()

# Emitted text to compare with, not modules to import; and what runs in a process of its own.
_apart = {"cudasim/*": simulated(), "keras_backend/*": "GNGEN_TEST_KERAS" in os.environ}
collect_ignore_glob = ["golden/*", *(folder for folder, here in _apart.items() if not here)]


def pytest_configure(config: pytest.Config) -> None:
    """Kernels go to a folder of this run, warm from test to test and shared by the workers of pytest-xdist, gone at the end."""
    if not hasattr(config, "workerinput"):
        config.stash[_folder] = os.environ["GNGEN_CACHE_DIR"] = tempfile.mkdtemp(prefix="gngen-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _folder in config.stash:
        shutil.rmtree(config.stash[_folder], ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow are the tests of a backend that their marker `slow_on` names."""
    for item in items:
        asked = getattr(item, "callspec", None)
        marker = item.get_closest_marker("slow_on")
        if asked and marker and {asked.params.get("backend"), asked.params.get("name")} & {*marker.args}:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """What is imported stays: the collector need not look through it again, nor so often, while numba makes its many objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def _default_threads() -> Iterator[None]:
    """Each test starts with the default number of threads."""
    before = threads.get_num_threads()
    yield
    threads.set_num_threads(before)


@pytest.fixture(params=[name for name in BACKENDS if "cpu" in machine_kinds(name)], scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Every backend for a CPU that can run here."""
    return need_backend(request.param)


@pytest.fixture(scope="session")
def all_backends() -> None:
    """c, llvm and numba-cpu, for what compares them."""
    for name in ("c", "llvm", "numba-cpu"):
        need_backend(name)
