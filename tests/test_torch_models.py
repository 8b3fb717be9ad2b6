"""Real architectures with random weights, before and after `replace`: diffusers' UNet and autoencoder, MONAI's SegResNet.

Each norm alone is held to the contract on what it really gets. Of the whole network, whose layers amplify any difference in a last bit,
the error against the same network in float64 is compared with that of torch's own float32.
"""

from __future__ import annotations

import copy
import importlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from strategies import assert_right, oracle

import gngen
from gngen.integrations.torch import GroupNorm, group_norm, replace

FOLDER = Path(gngen.__file__).resolve().parent.parent / "benchmarks"

pytestmark = [
    pytest.mark.skipif(not FOLDER.is_dir(), reason="benchmarks/ is not beside this gngen"),
    pytest.mark.filterwarnings("ignore:::diffusers", "ignore:::monai", "ignore:::huggingface_hub"),
]


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("networks")


def build(networks: ModuleType, name: str, size: str) -> Any:
    """A network by its name in lower case: small, or as it is with a small input."""
    pytest.importorskip("monai" if name == "segresnet" else "diffusers")
    kind = {"unet": "UNET", "vae": "VAE", "segresnet": "SEGRESNET"}[name]
    full = kind if name == "segresnet" else f"SD15_{kind}"
    inputs = {"unet": 8, "vae": 32, "segresnet": 16}[name]
    with torch.no_grad():
        return getattr(networks, name)(getattr(networks, f"SMALL_{kind}" if size == "small" else full), inputs)


def in_double(network: Any) -> Any:
    inputs = [t.double() if t.is_floating_point() else t for t in network.inputs]
    return type(network)(copy.deepcopy(network.module).double(), tuple(inputs))


def rms(difference: Any) -> float:
    return float(difference.double().square().mean().sqrt())


# The fused activation, and how many norms have it.
REPORTS = {"unet": {"silu": 45, None: 16}, "vae": {"silu": 50, None: 2}, "segresnet": {"relu": 25}}
SLOW = [*((name, "full") for name in REPORTS), ("vae", "small")]


@pytest.mark.parametrize(
    ("name", "size"), [("unet", "small"), ("segresnet", "small"), *(pytest.param(*each, marks=pytest.mark.slow) for each in SLOW)]
)
def test_networks_answer_as_before(networks: ModuleType, name: str, size: str) -> None:
    network = build(networks, name, size)
    with torch.no_grad():
        exact, before = in_double(network)(), network()
        entries = list(network.module.state_dict())
        plain = replace(network.module, fuse_activations=False)
        unfused = network()
        report = replace(network.module)
        fused = network()
    assert all(r.replaced for r in plain)
    assert {r.activation for r in plain} == {None}
    assert Counter(r.activation for r in report) == REPORTS[name]
    assert not any(type(m) is torch.nn.GroupNorm for m in network.module.modules())
    assert list(network.module.state_dict()) == entries
    theirs = rms(before - exact)
    assert 0 < theirs < 1e-4 * rms(exact)
    for ours in (unfused, fused):
        assert rms(ours - exact) <= 1.5 * theirs


@pytest.mark.slow
@pytest.mark.parametrize("name", list(REPORTS))
def test_each_norm_of_a_network_keeps_the_contract(networks: ModuleType, name: str) -> None:
    network = build(networks, name, "small")
    seen: list[tuple[Any, Any]] = []
    for module in network.module.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.register_forward_hook(lambda norm, inputs, output: seen.append((norm, inputs[0])))
    with torch.no_grad():
        network()
        assert len(seen) == sum(REPORTS[name].values())
        for norm, x in list(seen):
            y = group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps, "silu")
            spec = gngen.GroupNormSpec(norm.num_groups, 1, norm.eps, activation="silu")
            right = oracle(x.numpy(), norm.weight.numpy(), norm.bias.numpy(), spec)
            assert_right(y.numpy(), right, "float32")
            assert y.stride() == norm(x).stride()


@pytest.mark.slow
def test_a_network_copies_and_trains_after(networks: ModuleType) -> None:
    network = build(networks, "unet", "small")
    theirs = copy.deepcopy(network)
    replace(network.module)
    ours = copy.deepcopy(network)
    gradients = []
    for each in (theirs, ours):
        each.module.train()
        each().square().mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in each.module.parameters() if p.grad is not None]))
    assert any(type(m) is GroupNorm for m in ours.module.modules())
    assert rms(gradients[0] - gradients[1]) <= 1e-4 * rms(gradients[0])


@pytest.mark.slow
def test_the_last_channels_pass_through_a_network(networks: ModuleType) -> None:
    network = build(networks, "vae", "small")
    network.module.to(memory_format=torch.channels_last)
    with torch.no_grad():
        before = network()
        replace(network.module)
        after = network()
    assert after.stride() == before.stride()
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3)
