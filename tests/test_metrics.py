"""Metrics against closed forms and known traps."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pycolor import metrics
from pycolor.palette import gamut_bins

PALETTE = torch.tensor(gamut_bins().tolist(), dtype=torch.float32)


def flat(rgb: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(rgb).reshape(1, 3, 1, 1).expand(1, 3, 8, 8)


def test_psnr_of_a_known_error() -> None:
    a = torch.zeros(1, 3, 4, 4)
    assert metrics.psnr(a, a + 0.1).item() == pytest.approx(20)
    assert metrics.psnr(a, a).item() == math.inf


def test_psnr_does_not_overflow_bytes() -> None:
    a = torch.full((1, 1, 4, 4), 250, dtype=torch.uint8)
    b = torch.full((1, 1, 4, 4), 5, dtype=torch.uint8)
    assert metrics.psnr(a, b, peak=255).item() == pytest.approx(20 * math.log10(255 / 245))


def test_colorfulness_keeps_the_signs() -> None:
    # Half orange, half blue: opposite hues add to the spread, which absolute values would hide.
    picture = torch.cat([flat((1.0, 0.5, 0.0)), flat((0.0, 0.5, 1.0))], dim=3)
    # rg = ±127.5, yb = ±191.25 in 8-bit codes, means 0.
    assert metrics.colorfulness(picture).item() == pytest.approx(math.hypot(127.5, 191.25))


def test_colorfulness_of_one_color_is_its_offset() -> None:
    rg, yb = 255.0, 127.5
    assert metrics.colorfulness(flat((1, 0, 0))).item() == pytest.approx(0.3 * math.hypot(rg, yb))


@given(st.floats(0, 1))
def test_gray_is_colorless(level: float) -> None:
    assert metrics.colorfulness(flat((level, level, level))).item() == pytest.approx(0, abs=1e-9)


def test_auc_of_known_errors() -> None:
    true = torch.zeros(3, 2, 2, 2)
    predicted = true.clone()
    predicted[1, 0] = 75
    predicted[2, 1] = 400
    assert metrics.ab_auc(predicted, true).tolist() == pytest.approx([1, 0.5, 0])


def test_balanced_auc_counts_rare_colors_like_common_ones() -> None:
    true = torch.zeros(1, 2, 10, 10)
    true[0, :, 0, 0] = torch.tensor([60.0, 40.0])
    predicted = torch.zeros_like(true)
    error = math.hypot(60, 40)
    expected = (1 + 1 - error / 150) / 2
    assert metrics.balanced_ab_auc(predicted, true, PALETTE).item() == pytest.approx(expected)
    plain = (99 + 1 - error / 150) / 100
    assert metrics.ab_auc(predicted, true).item() == pytest.approx(plain)
