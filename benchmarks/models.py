"""Time whole networks of PyTorch before and after gngen.integrations.torch.replace; print the table in Markdown, and write docs/torch.md.

    python benchmarks/models.py                       # everything, into the document; needs diffusers, monai and 8 GB
    python benchmarks/models.py --only SegResNet      # one network, printed alone

The three forms of a network share their weights and take turns; the median of the rounds counts. What share group norms and activations
have is of the network before, by torch's profiler. Leave the machine otherwise idle.
"""

from __future__ import annotations

import argparse
import copy
import gc
import statistics
import time
from collections.abc import Sequence
from typing import Any

import document
from networks import NETWORKS, Network

# torch's operators that are a group norm or an activation, as its profiler names them.
NORMS = ("aten::native_group_norm",)
ACTIVATIONS = ("aten::silu", "aten::silu_", "aten::relu", "aten::relu_", "aten::clamp_min", "aten::clamp_min_")
HEADINGS = ("network", "ms: torch", "gngen", "gngen, fused", "times faster", "norms", "activations", "norms", "fused")


def alike(network: Network) -> Network:
    """A copy with the same weights."""
    weights = {id(t): t for t in (*network.module.parameters(), *network.module.buffers())}
    return Network(copy.deepcopy(network.module, weights), network.inputs)


def shares(network: Network) -> tuple[float, float]:
    """Which part of the time group norms take, and activations."""
    import torch

    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        network()
    times = {event.key: event.self_cpu_time_total for event in profile.key_averages()}
    whole = sum(times.values())
    norms, activations = (sum(times.get(key, 0.0) for key in keys) / whole for keys in (NORMS, ACTIVATIONS))
    return norms, activations


def measure(name: str, rounds: int) -> list[str]:
    """A row of the table."""
    from gngen.integrations.torch import replace

    forms = [NETWORKS[name]()]
    forms += [alike(forms[0]) for _ in range(2)]
    replace(forms[1].module, fuse_activations=False)
    report = replace(forms[2].module)
    times: list[list[float]] = [[] for _ in forms]
    for network in forms:  # compiles the kernels
        network()
    for _ in range(rounds):
        for network, taken in zip(forms, times, strict=True):
            begun = time.perf_counter()
            network()
            taken.append(time.perf_counter() - begun)
    norms, activations = shares(forms[0])
    torchs, plain, fused = (statistics.median(taken) * 1e3 for taken in times)
    row = [name, f"{torchs:.0f}", f"{plain:.0f}", f"{fused:.0f}", f"{torchs / fused:.2f}", f"{norms:.0%}", f"{activations:.0%}"]
    return [*row, str(len(report)), str(sum(r.activation is not None for r in report))]


def main(arguments: Sequence[str] | None = None) -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="networks whose name contains this; printed, not written")
    parser.add_argument("--rounds", type=int, default=7, help="how often each form runs")
    options = parser.parse_args(arguments)
    chosen = [name for name in NETWORKS if options.only in name]
    if not chosen:
        raise SystemExit(f"no network is called {options.only!r}; choose from {', '.join(NETWORKS)}")
    section: Any = None if options.only else document.Section(document.ROOT / "docs" / "torch.md", "models")
    rows = []
    with torch.no_grad():
        for name in chosen:
            rows.append(measure(name, options.rounds))
            print(*rows[-1], sep="  ", flush=True)
            gc.collect()
    text = f"{document.measured_on(torch.get_num_threads())}\n\n{document.table(HEADINGS, rows)}"
    print(text)
    if section:
        section.write(text)


if __name__ == "__main__":
    main()
