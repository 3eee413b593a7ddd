"""What `benchmarks/` compares with our ops computes the same; nothing is timed here."""

from __future__ import annotations

import pytest
import torch

from benchmarks import kernel_cases, refinement

SIZE = (96, 160)


@pytest.fixture(autouse=True)
def _no_peers(monkeypatch):
    """Torch alone: what is optional here would make the test depend on it."""
    monkeypatch.setattr("benchmarks.kernel_peers.optional", lambda name: None)


@pytest.mark.parametrize(
    "group",
    [
        lambda: kernel_cases.frame_cases(SIZE, compiled=False),
        lambda: kernel_cases.render_cases(SIZE, compiled=False),
        lambda: kernel_cases.decode_cases((16, 24), compiled=False),
        lambda: kernel_cases.lab_cases(SIZE, compiled=False),
        lambda: kernel_cases.matching_cases(60, 8, 3, compiled=False),
    ],
    ids=["frame", "render", "decode", "lab", "matching"],
)
def test_the_peers_in_torch_compute_what_the_ops_do(group):
    cases = group()
    assert "ours" in cases
    assert any(name.startswith("torch") for name in cases)
    for case in cases.values():
        case()


def test_a_peer_that_differs_stops_the_benchmark():
    with pytest.raises(SystemExit, match="peer does not compute the same: 100"):
        kernel_cases.expect("peer", torch.zeros(4), torch.ones(4), 0.5)


def test_measures_of_the_refinement_are_zero_for_the_truth_and_grow_with_blur():
    truth, lightness = torch.zeros(1, 2, 64, 64), torch.full((1, 1, 64, 64), 20.0)
    truth[:, 0, :, 32:] = 60
    lightness[..., 32:] = 80
    edges = refinement.edges_of(truth, lightness)
    assert edges.near[:, 31:33].all()
    assert not edges.near[:, :20].any()
    assert edges.here.shape[1] > 64
    assert refinement.edge_error(truth, truth, edges) == 0
    assert refinement.bleeding(truth, truth, edges) == 0
    swapped = truth.flip(3)
    assert refinement.bleeding(swapped, truth, edges) == pytest.approx(1)
    gray = truth.mean().expand_as(truth).clone()
    gray[:, 1] = 0
    gray[:, 0] = 30
    assert refinement.bleeding(gray, truth, edges) == pytest.approx(0.5)
    assert refinement.edge_error(gray, truth, edges) == pytest.approx(30)


def test_the_default_refinement_bleeds_less_than_none():
    truth = torch.zeros(1, 2, 64, 64)
    truth[:, 0, :, 29:] = 60
    luma = torch.full((1, 64, 64), 60, dtype=torch.uint8)
    luma[..., 29:] = 180
    guide, field = refinement.guide_of(luma, (8, 8)), torch.nn.functional.avg_pool2d(truth, 8)
    edges = refinement.edges_of(truth, guide.full)
    none, ours = (
        refinement.bleeding(refine(field, guide), truth, edges)
        for refine in (refinement.bilinear, refinement.spline(6, 0.01))
    )
    assert ours < none / 2
