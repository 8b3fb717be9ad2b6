"""The tests of tests/cudasim, each part in a process of its own that numba begins as a simulator."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gngen.backends.numba_cuda import lacks_numba

FOLDER = Path(__file__).parent / "cudasim"
# So that pytest-xdist has something to share out: files, and words in the names of their tests.
PARTS = {
    "simulator": ("test_simulator.py", ""),
    "launcher": ("test_launcher.py", ""),
    "small odd problems": ("test_cases.py", ""),
    "one warp, one block": ("test_kernels.py", "warp_group or cta"),
    "several blocks": ("test_kernels.py", "cluster or coop or two_kernel"),
    "the rest": ("test_kernels.py", "not (warp_group or cta or cluster or coop or two_kernel)"),
}


@pytest.mark.slow
@pytest.mark.skipif(bool(lacks_numba()), reason=lacks_numba())
@pytest.mark.parametrize("part", PARTS)
def test_in_the_simulator(part: str) -> None:
    file, words = PARTS[part]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(FOLDER / file)]
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run([*command, *(("-k", words) if words else ())], env=environment, capture_output=True, text=True, check=False)
    said = done.stdout[-6000:] + done.stderr[-2000:]
    assert done.returncode == 0, said
    assert re.search(r"\d+ passed", said), said
    assert not re.search(r"\d+ (skipped|xfailed)", said), said
