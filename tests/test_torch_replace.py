"""replace: which norms of a model become gngen's, what is fused with them, and that the model stays the same otherwise."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F
from torch import nn

import gngen
from gngen.integrations.torch import GroupNorm, Replacement, replace
from gngen.integrations.torch.replace import apply_fused


def image(channels: int = 8, seed: int = 0) -> Any:
    return torch.randn((2, channels, 6, 5), generator=torch.Generator().manual_seed(seed))


class Block(nn.Module):
    """Two norms and a convolution; subclasses say what is done with them. Its activation is exact, so that fusing it changes no bit."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(4, 8), nn.GroupNorm(2, 8)
        self.act: nn.Module = nn.ReLU()
        self.conv = nn.Conv2d(8, 8, 1)
        self.flag = True
        for p in self.parameters():
            nn.init.normal_(p)


class Statements(Block):
    def forward(self, x: Any) -> Any:
        h = self.norm1(x)
        h = self.act(h)
        h = self.conv(h)
        h = self.norm2(h)
        h = self.act(h)
        return h + x


class Nested(Block):
    def forward(self, x: Any) -> Any:
        h = self.conv(self.act(self.norm1(x)))
        return F.relu(self.norm2(h))


class InsideTheNext(Block):
    def forward(self, x: Any) -> Any:
        h = self.norm1(x)
        h = self.conv(self.act(h)) + x
        last = self.norm2(h)
        return torch.relu(last)


class OtherNames(Block):
    def forward(self, x: Any) -> Any:
        normed = self.norm1(x)
        active = self.act(normed)
        with torch.enable_grad():
            normed_2 = self.norm2(active)
            return self.act(normed_2)


class Branches(Block):
    def forward(self, x: Any, skip: Any = None, *rest: Any, **more: Any) -> Any:
        if self.flag:
            if skip is not None:
                x = x + skip
            x = self.norm1(x)
        elif rest:
            x = self.norm2(x)
            x = x * 2
        else:
            x = self.norm2(x)
        x = self.act(x)
        return self.conv(x)


class InList(Block):
    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList([self.norm1, self.act])
        self.named = nn.ModuleDict({"last": self.norm2})

    def forward(self, x: Any) -> Any:
        x = self.parts[0](x)
        x = self.parts[1](x)
        return self.act(self.named["last"](x))


class Super(Block):
    def forward(self, x: Any) -> Any:
        return self.act(self.norm1(x)) + self.act(self.norm2(x))


class InheritedForward(Super):
    pass


FUSED = [Statements, Nested, InsideTheNext, OtherNames, Branches, InList, Super, InheritedForward]


@pytest.mark.parametrize("kind", FUSED)
def test_what_only_an_activation_reads_is_fused(kind: type[Block], monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = kind(), image()
    unfused = copy.deepcopy(model)
    replace(unfused, fuse_activations=False)
    keys, modules = list(model.state_dict()), dict(model.named_modules())
    report = replace(model)
    assert {r.activation for r in report} == {"relu"}
    # the same module objects, classes by name, and entries
    assert list(model.state_dict()) == keys
    assert dict(model.named_modules()) == modules
    assert isinstance(model, kind)
    assert type(model).__name__ == kind.__name__
    wanted = unfused(x)
    seen = calls_of(model.act, monkeypatch)
    assert torch.equal(model(x), wanted)
    assert seen == []  # no activation by itself


def calls_of(module: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls of one class's forward from now on."""
    seen: list[Any] = []
    plain = type(module).forward

    def forward(self: Any, x: Any) -> Any:
        seen.append(self)
        return plain(self, x)

    monkeypatch.setattr(type(module), "forward", forward)
    return seen


@pytest.mark.parametrize(("flag", "rest"), [(True, ()), (False, ()), (False, (None, 1))])
def test_branches_stay_branches(flag: bool, rest: tuple[Any, ...]) -> None:
    model, x = Branches(), image()
    unfused = copy.deepcopy(model)
    replace(model), replace(unfused, fuse_activations=False)
    model.flag = unfused.flag = flag
    assert torch.equal(model(x, *rest), unfused(x, *rest))
    assert torch.equal(model(x, skip=x, other=1), unfused(x, skip=x, other=1))


# What must not be fused


class ReadTwice(Block):
    def forward(self, x: Any) -> Any:
        h = self.norm1(x)
        y = self.act(h)
        return y + h + self.norm2(x)


class ReadByItself(Block):
    def forward(self, x: Any) -> Any:
        h = self.norm1(x)
        h = h * self.act(h)
        return h + self.norm2(x)


class NotNext(Block):
    def forward(self, x: Any) -> Any:
        h = self.norm1(x)
        h = h + 1
        h = self.act(h)
        n = self.norm2(x)
        print(end="")
        return h + self.act(n)


class InLoop(Block):
    def forward(self, x: Any) -> Any:
        for _ in range(2):
            h = self.norm1(x)
        x = self.act(h)
        while x is None:
            x = self.norm2(x)
        return self.act(x)


class InComprehension(Block):
    def forward(self, x: Any) -> Any:
        h = self.norm1(x)
        h = sum([self.act(h) for h in (x, x)])
        n = self.norm2(x)
        n = (lambda: self.act(n))()
        return h + n


class OneBranch(Block):
    def forward(self, x: Any) -> Any:
        h = self.norm1(x)
        if self.flag:
            h = self.act(h)
        return h + self.norm2(x)


NOT_FUSED = [ReadTwice, ReadByItself, NotNext, InLoop, InComprehension, OneBranch]


@pytest.mark.parametrize("kind", NOT_FUSED)
def test_what_others_read_is_not_fused(kind: type[Block]) -> None:
    model, x = kind(), image()
    unfused = copy.deepcopy(model)
    replace(unfused, fuse_activations=False)
    report = replace(model)
    assert [r.activation for r in report] == [None, None]
    assert all(r.replaced and r.why for r in report)
    assert type(model) is kind
    assert torch.equal(model(x), unfused(x))


class Private(Block):
    def __init__(self) -> None:
        super().__init__()
        self.__factor = 2

    def forward(self, x: Any) -> Any:
        return self.act(self.norm1(x)) * self.__factor + self.act(self.norm2(x))


class CallsSuper(Super):
    def forward(self, x: Any) -> Any:
        return super().forward(self.act(self.norm1(x)))


@pytest.mark.parametrize(("kind", "why"), [(Private, "it uses names private to its class"), (CallsSuper, "it is a closure over __class__")])
def test_a_forward_that_cannot_be_rewritten_says_why(kind: type[Block], why: str) -> None:
    model, x = kind(), image()
    report = replace(model)
    assert [r.why for r in report] == [f"{kind.__name__}.forward cannot be rewritten: {why}"] * 2
    assert model(x).shape == x.shape


def test_activations_without_a_fused_form() -> None:
    model = nn.Sequential(nn.GroupNorm(4, 8), nn.LeakyReLU(), nn.GroupNorm(4, 8))
    assert [str(r) for r in replace(model)] == [
        "0: 4 groups of 8 channels, alone: a LeakyReLU, which has no fused form, follows it in a Sequential",
        "2: 4 groups of 8 channels, alone: nothing follows it in a Sequential",
    ]
    block = Statements()
    block.act = nn.ELU()
    assert {r.why for r in replace(block)} == {"self.act in Statements.forward has no fused form"}


@pytest.mark.parametrize(
    ("act", "name"),
    [(nn.SiLU(), "silu"), (nn.GELU(), "gelu"), (nn.GELU("tanh"), "gelu_tanh"), (nn.Sigmoid(), "sigmoid"), (nn.Tanh(), "tanh")],
)
def test_activations_with_a_fused_form(act: Any, name: str) -> None:
    model, x = nn.Sequential(nn.Conv2d(8, 8, 1), nn.GroupNorm(4, 8), act, nn.Conv2d(8, 8, 1)), image()
    wanted = model(x)
    assert replace(model) == [Replacement("1", 4, 8, True, name, "")]
    torch.testing.assert_close(model(x), wanted)


# What may change after


def test_the_norm_and_the_activation_are_looked_at_when_they_run() -> None:
    model, x = Statements(), image()
    replace(model)
    model.act = nn.ELU()
    wanted = F.elu(model.norm2(model.conv(F.elu(model.norm1(x))))) + x
    assert torch.equal(model(x), wanted)
    model.norm1, model.act = nn.Identity(), nn.ReLU()
    wanted = F.relu(model.norm2(model.conv(F.relu(x)))) + x
    assert torch.equal(model(x), wanted)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("which", ["norm1", "act"])
def test_hooks_see_what_they_saw(after: bool, which: str) -> None:
    model, x = Statements(), image()
    seen: list[Any] = []
    unfused = copy.deepcopy(model)
    replace(unfused, fuse_activations=False)
    reports = replace(model) if after else []
    model.get_submodule(which).register_forward_hook(lambda module, inputs, output: seen.append(output))
    reports = reports or replace(model)
    assert torch.equal(model(x), unfused(x))
    norm = unfused.norm1(x)
    assert torch.equal(seen[0], norm if which == "norm1" else F.relu(norm))
    if not after:
        assert reports[0].why == "self.norm1 or self.act in Statements.forward has hooks"


def test_shared_modules_are_used_by_each_as_before() -> None:
    """A norm that one module fuses and another reads by itself."""

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = nn.Sequential(nn.GroupNorm(4, 8), nn.ReLU())

        def forward(self, x: Any) -> Any:
            return self.steps(x) + self.steps[0](x) + self.steps[1](x)

    model, x = Outer(), image()
    unfused = copy.deepcopy(model)
    replace(unfused, fuse_activations=False)
    assert [r.activation for r in replace(model)] == ["relu"]
    assert torch.equal(model(x), unfused(x))


def test_what_was_replaced_copies_pickles_and_saves(tmp_path: Any) -> None:
    model, x = nn.Sequential(Statements(), nn.Sequential(nn.GroupNorm(4, 8), nn.ReLU())), image()
    replace(model)
    wanted = model(x)
    torch.save(model, tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=False)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), loaded):
        assert torch.equal(other(x), wanted)
        assert type(other[0]) is type(model[0]) is not Statements
        other[0].norm1.weight.data.zero_()
    assert torch.equal(model(x), wanted)


def test_replacing_again_changes_nothing() -> None:
    model = nn.Sequential(Statements(), nn.GroupNorm(4, 8), nn.ReLU())
    first = replace(model)
    kinds = [type(m) for m in model.modules()]
    assert replace(model) == first
    assert [type(m) for m in model.modules()] == kinds
    assert [r.activation for r in replace(copy.deepcopy(model))] == ["relu"] * 3


def test_training_goes_on() -> None:
    model, x = Statements(), image()
    theirs = copy.deepcopy(model)
    replace(model)
    for m in (model, theirs):
        m.train()
        m(x).square().mean().backward()
    for got, want in zip(model.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(got.grad, want.grad, rtol=1e-4, atol=1e-5)


# Which norms become gngen's


def test_parameters_are_shared_and_the_rest_left_alone() -> None:
    class Own(nn.GroupNorm):
        pass

    patched = nn.GroupNorm(4, 8)
    patched.forward = lambda x: x
    model = nn.Sequential(nn.GroupNorm(4, 8), Own(4, 8), patched, GroupNorm(4, 8, activation="silu"), nn.LayerNorm(5))
    parameters = [*model.parameters()]
    report = replace(model)
    assert [r.replaced for r in report] == [True, False, False, True]
    assert report[1].why == "it is a Own, which may do something else"
    assert report[2].why == "it has a forward of its own"
    assert report[3].activation == "silu"
    assert all(one is other for one, other in zip(model.parameters(), parameters, strict=True))
    assert type(model[0]) is GroupNorm
    assert type(model[1]) is Own


def test_a_norm_alone() -> None:
    norm = nn.GroupNorm(4, 8)
    assert replace(norm) == [Replacement("", 4, 8, True, None, "no call of it was found in the forward of a module that holds it")]
    assert type(norm) is GroupNorm


def test_only_modules() -> None:
    with pytest.raises(gngen.LaunchError, match="model is a str; replace takes a torch"):
        replace("model")


def test_the_fused_call_of_anything() -> None:
    x = image()
    assert torch.equal(apply_fused(torch.neg, torch.relu, x), F.relu(-x))


@pytest.mark.slow
def test_rewritten_modules_compile_in_one_graph() -> None:
    model, x = nn.Sequential(Statements(), nn.Sequential(nn.GroupNorm(4, 8), nn.ReLU())), image()
    replace(model)
    with torch.no_grad():
        assert torch.equal(torch.compile(model, fullgraph=True, backend="aot_eager")(x), model(x))
