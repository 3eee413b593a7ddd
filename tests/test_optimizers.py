"""Muon beside AdamW: which weights are whose, and that layout and checkpoints change nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from pycolor.errors import UsageError
from pycolor.train.learning.optimizers import MuonAndAdamW, make_optimizer
from pycolor.train.recipes.options import TrainOptions

OPTIONS = TrainOptions(optimizer="muon", lr=1e-2, weight_decay=1e-2)


def network() -> nn.Sequential:
    """First layer, two hidden kernels of which one is 1×1, a narrow one, and the last layer."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.Conv2d(16, 24, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(24),
        nn.Conv2d(24, 32, 1),
        nn.Conv2d(32, 4, 1),
        nn.Conv2d(4, 40, 1),
    )


def optimizer_of(net: nn.Module) -> MuonAndAdamW:
    made = make_optimizer(net, OPTIONS)
    assert isinstance(made, MuonAndAdamW)
    return made


def step(net: nn.Module, optimizer: MuonAndAdamW, seed: int) -> None:
    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    net(x).square().mean().backward()
    optimizer.step()
    optimizer.zero_grad()


def state_of(net: nn.Module) -> list[Tensor]:
    return [value.detach().clone() for value in net.state_dict().values()]


def test_hidden_kernels_are_muons_and_all_else_is_adamws() -> None:
    net = network()
    optimizer = optimizer_of(net)
    hidden = {id(net[1].weight), id(net[4].weight)}
    assert {id(kernel) for kernel, _ in optimizer.kernels} == hidden
    rest = {id(p) for group in optimizer.adamw.param_groups for p in group["params"]}
    assert rest == {id(p) for p in net.parameters()} - hidden


def test_perceptrons_side_by_side_are_no_kernel() -> None:
    net = nn.ParameterList(torch.randn(20, 32, 32) for _ in range(4))
    with pytest.raises(UsageError, match="muon needs hidden layers"):
        make_optimizer(net, OPTIONS)


def test_kernels_of_single_channels_are_adamws() -> None:
    net = nn.Sequential(*network(), nn.Conv2d(40, 40, 5, groups=40), nn.Conv2d(40, 2, 1))
    adamw = optimizer_of(net).adamw.param_groups
    assert any(p is net[7].weight for group in adamw for p in group["params"])


class Trunked(nn.Module):
    """A trunk, and what stands on it."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = network()
        self.rest = network()


@pytest.mark.parametrize("name", ["muon", "adamw", "adam", "adadelta"])
def test_a_trunk_learns_at_its_share_of_the_rate(
    name: Literal["muon", "adamw", "adam", "adadelta"],
) -> None:
    net = Trunked()
    made = make_optimizer(net, replace(OPTIONS, optimizer=name, trunk_share=0.1))
    shares = {id(p): g.get("share", 1.0) for g in made.param_groups for p in g["params"]}
    assert {shares[id(p)] for p in net.trunk.parameters()} == {0.1}
    if isinstance(made, MuonAndAdamW):
        of_muon = {id(kernel) for kernel, _ in made.kernels}
        assert not of_muon & {id(p) for p in net.trunk.parameters()}
        assert id(net.rest[1].weight) in of_muon
    else:
        assert {shares[id(p)] for p in net.rest.parameters()} == {1.0}


def test_without_a_trunk_there_is_no_share_for_it() -> None:
    with pytest.raises(UsageError, match="has no trunk"):
        make_optimizer(network(), replace(OPTIONS, trunk_share=0.1))
    with pytest.raises(UsageError, match=r"trunk-share must lie in \(0, 1\]"):
        replace(OPTIONS, trunk_share=0.0)


def test_a_step_is_orthogonal_and_of_adamws_size() -> None:
    """Without decay, a first step of a matrix is lr · 0.2 · √(larger side) · (near orthogonal)."""
    net = network()
    kernel = net.get_parameter("1.weight")
    optimizer = MuonAndAdamW(list(net.parameters()), lr=1e-2, weight_decay=0.0, betas=(0.9, 0.999))
    before = kernel.detach().clone()
    step(net, optimizer, seed=0)
    change = (before - kernel.detach()).flatten(1)  # 24×144
    singular = torch.linalg.svdvals(change / (1e-2 * 0.2 * 144**0.5))
    assert 0.7 < singular.median() < 1.2  # what five Newton-Schulz iterations leave of most
    assert singular.max() < 1.3


def test_layout_changes_nothing() -> None:
    plain, last = network(), network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for net in (plain, last):
        optimizer = optimizer_of(net)
        chance = torch.Generator().manual_seed(1)
        for p in net.parameters():
            p.grad = torch.empty_like(p).copy_(torch.randn(p.shape, generator=chance))
        optimizer.step()
    assert last[1].weight.is_contiguous(memory_format=torch.channels_last)
    for a, b in zip(state_of(plain), state_of(last), strict=True):
        # Muon iterates in bfloat16; a kernel's values in another order would differ by 0.02.
        torch.testing.assert_close(a, b, rtol=0, atol=2e-3)


def test_a_checkpoint_goes_on_to_the_same_weights() -> None:
    whole = network()
    optimizer = optimizer_of(whole)
    for seed in range(2):
        step(whole, optimizer, seed)
    file = io.BytesIO()
    torch.save({"net": whole.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    cut = network()
    cut.load_state_dict(saved["net"])
    again = optimizer_of(cut)
    again.load_state_dict(saved["optimizer"])
    for group in again.param_groups:
        group["lr"] = 5e-3  # as the loop sets it: the groups must be the optimizers' own
    for group in optimizer.param_groups:
        group["lr"] = 5e-3
    for seed in range(2, 4):
        step(whole, optimizer, seed)
        step(cut, again, seed)
    assert all(torch.equal(a, b) for a, b in zip(state_of(whole), state_of(cut), strict=True))


@pytest.mark.parametrize("name", ["adamw", "adam", "adadelta"])
def test_the_papers_optimizers(name: Literal["adamw", "adam", "adadelta"]) -> None:
    made = make_optimizer(network(), replace(OPTIONS, optimizer=name))
    assert type(made).__name__.lower() == name


def test_muon_needs_a_torch_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(UsageError, match=r"muon needs PyTorch 2\.9 or newer"):
        optimizer_of(network())
