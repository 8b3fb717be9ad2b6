"""The tests of tests/keras_backend, for each backend of Keras in a process of its own that imports Keras with it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Its examples are of torch's tensors.
DOCUMENT = "../../docs/keras.md"
ALL = ("test_keras_own.py", "test_keras_layer.py", "test_keras_models.py")
TRAINING = ("test_keras_derivatives.py", "test_keras_training.py")
FILES = {
    "numpy": ALL,
    "torch": (*ALL, *TRAINING, "test_keras_torch.py"),
    "jax": (*ALL, *TRAINING, "test_keras_jax.py", "test_keras_loading.py"),
}
# What is the same on every backend is tested on numpy's, which is ready soonest.
QUICK = {
    "numpy": ALL,
    "torch": (*TRAINING, "test_keras_torch.py", DOCUMENT),
    "jax": (*TRAINING, "test_keras_jax.py"),
}
# The one skip that may be: a Keras whose package holds no tests.
UNTESTED = "this Keras comes without its tests"


def lacks(backend: str) -> str:
    """What is not installed that Keras on this backend needs."""
    lacking = [package for package in ("keras", backend) if importlib.util.find_spec(package) is None]
    return f"needs {lacking[0]}" if lacking else ""


@pytest.mark.parametrize("backend", QUICK)
def test_on_the_backend(backend: str) -> None:
    check(backend, QUICK[backend], "-m", "not slow")


@pytest.mark.slow
@pytest.mark.parametrize("backend", FILES)
def test_all_on_the_backend(backend: str) -> None:
    check(backend, FILES[backend])


def check(backend: str, files: Sequence[str], *arguments: str) -> None:
    """Everything in these files passes on a backend, and nothing is skipped."""
    if lacks(backend):
        pytest.skip(lacks(backend))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--doctest-glob=keras.md",
        *arguments,
    ]
    environment = {**os.environ, "KERAS_BACKEND": backend, "GNGEN_TEST_KERAS": "1"}
    paths = [str(TESTS / "keras_backend" / file) for file in files]
    done = subprocess.run([*command, *paths], env=environment, capture_output=True, text=True, check=False)
    said = done.stdout[-8000:] + done.stderr[-2000:]
    assert done.returncode == 0, said
    assert re.search(r"\d+ passed", said), said
    skipped = [line for line in said.splitlines() if line.startswith("SKIPPED") and UNTESTED not in line]
    assert not skipped, said
