"""Gray where a distribution's hues disagree."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pycolor.models.colorizer import decode
from pycolor.models.networks.layers.agreement import COLORED, GRAY, agreeing
from pycolor.models.networks.pycolor2026 import Pycolor2026
from pycolor.models.palette import gamut_bins

T = 0.38


def two_hues(share: float, degrees: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of two colors of chroma 20 that lie so far apart in hue, and their palette."""
    turned = math.radians(degrees)
    palette = torch.tensor([[20.0, 0.0], [20 * math.cos(turned), 20 * math.sin(turned)]])
    shares = torch.tensor([share, 1 - share]).clamp(1e-6, 1)
    return (shares.log() * T).reshape(1, 2, 1, 1), palette


@given(share=st.floats(0, 1), degrees=st.floats(0, 180))
def test_of_two_colors_it_is_the_closed_form(share: float, degrees: float) -> None:
    """Resultant length of two unit vectors: sqrt(p² + q² + 2 p q cos δ)."""
    logits, palette = two_hues(share, degrees)
    field = decode(logits, palette, T)
    p, q = max(share, 1e-6), max(1 - share, 1e-6)
    p, q = p / (p + q), q / (p + q)
    together = math.sqrt(max(0, p * p + q * q + 2 * p * q * math.cos(math.radians(degrees))))
    x = min(1, max(0, (together - GRAY) / (COLORED - GRAY)))
    want = field * (x * x * (3 - 2 * x))
    torch.testing.assert_close(agreeing(field, logits, palette, T), want, atol=2e-2, rtol=0)


def test_navy_or_brown_is_not_plum() -> None:
    palette = torch.tensor([[0.0, -20.0], [14.0, 14.0]])
    logits = torch.zeros(1, 2, 3, 4)
    field = decode(logits, palette, T)
    assert field[0, 0, 0, 0] > 5  # plum: reddish where one is blue and one is yellow
    assert agreeing(field, logits, palette, T).norm(dim=1).max() < 1


@pytest.mark.parametrize("temperature", [0.0, T])
def test_one_color_stays(temperature: float) -> None:
    bins = torch.tensor(gamut_bins().tolist(), dtype=torch.float32)
    logits = torch.zeros(1, len(bins), 2, 2)
    logits[:, 250] = 40
    field = decode(logits, bins, temperature)
    torch.testing.assert_close(agreeing(field, logits, bins, temperature), field)


def test_gray_stays_gray() -> None:
    bins = torch.tensor(gamut_bins().tolist(), dtype=torch.float32)
    logits = torch.zeros(1, len(bins), 2, 2)
    logits[:, (bins == 0).all(1)] = 60
    field = decode(logits, bins, T)
    assert torch.isfinite(agreeing(field, logits, bins, T)).all()
    assert float(agreeing(field, logits, bins, T).abs().max()) < 1e-3


def test_a_network_has_it_if_its_weights_say_so() -> None:
    plain = Pycolor2026(width=0.25)
    assert not plain.agreement
    assert "agreement" not in plain.options
    torch.manual_seed(0)
    network = Pycolor2026(width=0.25, agreement=True).eval()
    assert network.options["agreement"] is True
    torch.nn.init.normal_(network.scores.weight, std=0.3)
    with torch.inference_mode():
        lightness = torch.rand(1, 1, 64, 64) * 100
        seen = network.encode(lightness)
        decoded = network.decode(seen)
        logits = network.logits(decoded.last)
        field = decode(logits, network.palette, T)
        want = agreeing(field, logits, network.palette, T)
        torch.testing.assert_close(network.colors(seen, decoded, T), want)
