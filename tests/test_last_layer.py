"""The last layer's move: along which directions, and that its fit finds what makes errors small."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import last_layer
from pycolor.errors import UsageError
from pycolor.models import palette, zoo
from pycolor.train.objectives.zhang2016 import Classification, shift_basis
from pycolor.train.options import TrainOptions

PRIOR = np.full(palette.BINS, 1 / palette.BINS)
GRAY = int(np.flatnonzero((palette.gamut_bins() == 0).all(axis=1))[0])


def test_the_basis_is_flat_where_all_colors_are_alike() -> None:
    basis = shift_basis(PRIOR)
    assert basis.shape == (6, palette.BINS)
    torch.testing.assert_close(basis[:3], torch.zeros(3, palette.BINS), atol=1e-6, rtol=0)
    chroma = torch.tensor(palette.gamut_bins()).double().norm(dim=1).float() / 100
    torch.testing.assert_close(basis[3:5], torch.stack([chroma, chroma**2]))
    assert basis[5].nonzero().tolist() == [[GRAY]]


def test_a_training_ends_with_the_shift_of_its_options() -> None:
    options = TrainOptions(
        model="pycolor2026", shift=(0, 0, 0, 2, 0, 0), shift_in_light=(0, 0, 0, 0, 0, -1)
    )
    network = zoo.create("pycolor2026", width=0.25)
    assert network.offsets is not None
    assert network.offsets_in_light is not None
    before = network.offsets_in_light.detach().clone()
    objective = Classification(options, torch.device("cpu"))
    objective.use(network, {"prior": PRIOR.tolist()})
    objective.finish(network)
    chroma = torch.tensor(palette.gamut_bins()).double().norm(dim=1).float() / 100
    torch.testing.assert_close(network.offsets.detach(), 2 * chroma, atol=1e-5, rtol=0)
    expected = torch.zeros(palette.BINS)
    expected[GRAY] = -1
    moved = network.offsets_in_light.detach() - before
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


def test_six_numbers_make_a_shift() -> None:
    with pytest.raises(UsageError, match="shift-in-light must be six numbers, got 2"):
        TrainOptions(shift_in_light=(1.0, 2.0))


def test_the_fit_makes_the_errors_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells of one color that the scores take for gray: chroma is favored, and T falls."""
    monkeypatch.setattr(last_layer, "BATCH", 256)
    torch.manual_seed(0)
    bins = torch.tensor(palette.gamut_bins()).float()
    place = int(((bins - torch.tensor([40.0, 30.0])).square().sum(1)).argmin())
    last = torch.nn.Conv2d(3, palette.BINS, 1).requires_grad_(False)
    last.weight.zero_()
    assert last.bias is not None
    last.bias.fill_(-9)
    last.bias[GRAY], last.bias[place] = 1, 0
    count = 10 * last_layer.CELLS
    cells = last_layer.Seen(
        features=torch.rand(count, 3),
        ab=bins[place].expand(count, 2),
        kept=torch.ones(count, 1),
        made=torch.zeros(count),
    )
    moved = last_layer.Moved(shift_basis(PRIOR), bins)
    before, after = last_layer.fitted(cells, last, torch.ones(count), moved, 0.5)
    assert after < 0.7 * before
    gray, chroma = float(moved.shift.detach()[0, 5]), float(moved.shift.detach()[0, 3])
    assert gray < 0 < chroma
