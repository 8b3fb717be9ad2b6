"""Group normalisation, compiled for the shape you have, on the target you have.

spec = gngen.GroupNormSpec(groups=32, axis=-1, epsilon=1e-3)
kernel = gngen.compile(spec, shape=(2, 64, 64, 320))
y = kernel(x, gamma, beta)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

from gngen.api import backward_for, compile, emit, group_norm, lower
from gngen.errors import BuildError, GngenError, LaunchError, SpecError, TargetError, VerifyError
from gngen.kernel import Kernel
from gngen.schedule import Schedule
from gngen.source import Source
from gngen.spec import GroupNormSpec
from gngen.target import targets
from gngen.threads import get_num_threads, set_num_threads

if TYPE_CHECKING:
    from gngen import reference as reference
    from gngen.bundle.load import load
    from gngen.layer import GroupNormalization, layer_group_normalization
    from gngen.tuning import tune

# Public names that are imported when first asked for.
_LATER = {
    "GroupNormalization": "gngen.layer",
    "layer_group_normalization": "gngen.layer",
    "tune": "gngen.tuning",
    "load": "gngen.bundle.load",
}
_MODULES = ("reference",)

__all__ = [
    "BuildError",
    "GngenError",
    "GroupNormSpec",
    "GroupNormalization",
    "Kernel",
    "LaunchError",
    "Schedule",
    "Source",
    "SpecError",
    "TargetError",
    "VerifyError",
    "backward_for",
    "compile",
    "emit",
    "get_num_threads",
    "group_norm",
    "layer_group_normalization",
    "load",
    "lower",
    "set_num_threads",
    "targets",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        value = getattr(import_module(_LATER[name]), name)
    elif name in _MODULES:
        value = import_module(f"gngen.{name}")
    else:
        raise AttributeError(f"module 'gngen' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_MODULES})
