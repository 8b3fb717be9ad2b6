"""A saved model, loaded by a Python that has only imported the layer, and on another backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
from tensors import array, normal

from gngen.integrations.keras import GroupNormalization

# argv: the model, the input, the output.
LOADER = """
import sys
import numpy as np
import gngen.integrations.keras
import keras
model = keras.saving.load_model(sys.argv[1])
assert keras.backend.backend() == "numpy"
np.save(sys.argv[3], keras.ops.convert_to_numpy(model(np.load(sys.argv[2]))))
"""


def test_a_model_is_loaded_elsewhere(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((5, 8)), GroupNormalization(4, activation="silu", gamma_initializer="random_normal")])
    x = normal(3, 5, 8)
    file, given, answer = (str(tmp_path / name) for name in ("model.keras", "x.npy", "y.npy"))
    model.save(file)
    np.save(given, x)
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    done = subprocess.run([sys.executable, "-c", LOADER, file, given, answer], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(answer), array(model(x)), atol=1e-5)
