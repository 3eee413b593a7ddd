"""The metrics of pictures: closed forms, libraries, published values, known traps."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pycolor.evaluate import metrics
from pycolor.models.palette import gamut_bins

PALETTE = torch.tensor(gamut_bins().tolist(), dtype=torch.float32)
SEEDS = st.integers(0, 2**31 - 1)


def flat(rgb: tuple[float, float, float], side: int = 16) -> Tensor:
    return torch.tensor(rgb).reshape(1, 3, 1, 1).expand(1, 3, side, side)


def noise(seed: int, channels: int = 3, side: int = 16, pictures: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(pictures, channels, side, side, generator=generator, dtype=torch.float64)


# ---- PSNR --------------------------------------------------------------------------------------


def test_psnr_of_a_known_error() -> None:
    a = torch.zeros(1, 3, 4, 4)
    assert metrics.psnr(a, a + 0.1).item() == pytest.approx(20)
    assert metrics.psnr(a, a).item() == math.inf


def test_psnr_does_not_overflow_bytes() -> None:
    a = torch.full((1, 1, 4, 4), 250, dtype=torch.uint8)
    b = torch.full((1, 1, 4, 4), 5, dtype=torch.uint8)
    expected = 20 * math.log10(255 / 245)
    assert metrics.psnr(a, b, peak=255).item() == pytest.approx(expected)
    assert metrics.psnr(a.numpy(), b.numpy(), peak=255).item() == pytest.approx(expected)
    # What bytes would give: 250 − 5 = 245, whose square is 121 modulo 256.
    assert 10 * math.log10(255**2 / (245**2 % 256)) > expected + 20


@given(SEEDS)
def test_psnr_is_that_of_scikit_image(seed: int) -> None:
    metric = pytest.importorskip("skimage.metrics").peak_signal_noise_ratio
    a, b = noise(seed), noise(seed + 1)
    assert metrics.psnr(a, b).item() == pytest.approx(metric(a.numpy(), b.numpy(), data_range=1))


def test_ab_psnr_spans_220_units() -> None:
    a = torch.zeros(2, 2, 3, 3)
    b = a.clone()
    b[0] += 22
    b[1, 0] += 22  # half the samples: 3 dB better
    expected = [20, 20 + 10 * math.log10(2)]
    assert metrics.ab_psnr(a, b).tolist() == pytest.approx(expected)


@given(SEEDS)
def test_ab_psnr_is_that_of_scikit_image(seed: int) -> None:
    metric = pytest.importorskip("skimage.metrics").peak_signal_noise_ratio
    a, b = 100 * noise(seed, 2) - 50, 100 * noise(seed + 1, 2) - 50
    expected = metric(a.numpy(), b.numpy(), data_range=220)
    assert metrics.ab_psnr(a, b).item() == pytest.approx(expected)
    assert metrics.ab_psnr(a, a).item() == math.inf


def test_numpy_and_torch_are_one() -> None:
    pytest.importorskip("skimage", reason="the extra `evaluate` is not installed")
    a, b = noise(1, pictures=2), noise(2, pictures=2)
    for metric in (metrics.psnr, metrics.ssim, metrics.qssim, metrics.saturation_difference):
        assert torch.equal(metric(a, b), metric(a.numpy(), b.numpy()))
        assert torch.allclose(metric(a, b), metric(a.float(), b.float()).double(), atol=1e-4)
    ab, other = 80 * a[:, :2], 80 * b[:, :2]
    for metric in (metrics.ab_psnr, metrics.ab_auc, metrics.bin_accuracy):
        assert torch.equal(metric(ab, other), metric(ab.numpy(), other.numpy()))
    for own in (metrics.colorfulness, metrics.clipped_share):
        assert torch.equal(own(a), own(a.numpy()))


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="one shape, got 1×3×4×4 and 1×3×4×5"):
        metrics.psnr(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5))
    with pytest.raises(ValueError, match="expected N×3×H×W, got 1×1×4×4"):
        metrics.colorfulness(torch.zeros(1, 1, 4, 4))


# ---- SSIM and QSSIM ----------------------------------------------------------------------------


def ssim_by_hand(a: Tensor, b: Tensor) -> Tensor:
    """The map of Wang et al. 2004, eq. 13, of 11×11 gray pictures: one window, one value."""
    at = torch.arange(11, dtype=torch.float64) - 5
    line = torch.exp(-at.square() / 4.5)
    window = torch.outer(line, line) / line.sum() ** 2
    ma, mb = (window * a).sum(), (window * b).sum()
    va, vb = (window * a * a).sum() - ma**2, (window * b * b).sum() - mb**2
    cov = (window * a * b).sum() - ma * mb
    c1, c2 = 1e-4, 9e-4
    return ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma**2 + mb**2 + c1) * (va + vb + c2))


@given(SEEDS)
def test_ssim_and_qssim_of_one_gray_window_by_hand(seed: int) -> None:
    pytest.importorskip("skimage", reason="SSIM needs the extra `evaluate`")
    a, b = noise(seed, 1, 11), noise(seed + 1, 1, 11)
    expected = ssim_by_hand(a[0, 0], b[0, 0]).item()
    assert metrics.ssim(a, b).item() == pytest.approx(expected)
    gray_a, gray_b = a.expand(-1, 3, -1, -1), b.expand(-1, 3, -1, -1)
    assert metrics.qssim(gray_a, gray_b).item() == pytest.approx(abs(expected))


@given(SEEDS, st.floats(0.05, 1))
def test_qssim_of_similar_gray_pictures_is_ssim(seed: int, share: float) -> None:
    pytest.importorskip("skimage", reason="SSIM needs the extra `evaluate`")
    a = noise(seed, 1, 24, 2).expand(-1, 3, -1, -1)
    b = (share * a + (1 - share) * noise(seed + 1, 1, 24, 2)) if share > 0.5 else share * a
    assert metrics.qssim(a, b).tolist() == pytest.approx(metrics.ssim(a, b).tolist())


@given(SEEDS)
def test_similarities_are_one_for_equal_pictures_symmetric_and_bounded(seed: int) -> None:
    pytest.importorskip("skimage", reason="SSIM needs the extra `evaluate`")
    a, b = noise(seed), noise(seed + 1)
    for metric in (metrics.ssim, metrics.qssim):
        assert metric(a, a).item() == pytest.approx(1)
        assert metric(a, b).item() == pytest.approx(metric(b, a).item())
        assert abs(metric(a, b).item()) < 1


@given(SEEDS, st.permutations(range(3)))
def test_qssim_does_not_care_which_channel_is_which(seed: int, order: list[int]) -> None:
    a, b = noise(seed), noise(seed + 1)
    plain = metrics.qssim(a, b).item()
    assert metrics.qssim(a[:, order], b[:, order]).item() == pytest.approx(plain)


def test_qssim_of_even_colors() -> None:
    # No texture: |2 p q̄ + C| / (|p|² + |q|² + C), here p·q = 0 and |p × q| = 1/2.
    c = 3e-4
    expected = math.hypot(1, c) / (1 + 0.25 + c)
    assert metrics.qssim(flat((1, 0, 0)), flat((0, 0, 0.5))).item() == pytest.approx(expected)


def test_qssim_is_blind_to_the_hue_of_even_areas() -> None:
    assert metrics.qssim(flat((1, 0, 0)), flat((0, 0, 1))).item() == pytest.approx(1, abs=1e-3)


def test_the_window_must_fit() -> None:
    with pytest.raises(ValueError, match="11×11 or more, got 10×12"):
        metrics.qssim(torch.zeros(1, 3, 10, 12), torch.zeros(1, 3, 10, 12))


# ---- CIEDE2000 ---------------------------------------------------------------------------------

# Sharma, Wu, Dalal 2005, table 1: L, a, b twice, ΔE00.
PUBLISHED = [
    (50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425),
    (50, 0, 0, 50, -1, 2, 2.3669),
    (50, 2.5, 0, 50, 0, -2.5, 4.3065),
    (50, 2.5, 0, 73, 25, -18, 27.1492),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
    (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
]


def test_published_color_differences() -> None:
    pytest.importorskip("skimage", reason="CIEDE2000 needs the extra `evaluate`")
    table = torch.tensor(PUBLISHED, dtype=torch.float64)
    a, b = table[:, 0:3, None, None], table[:, 3:6, None, None]
    for metric in (metrics.ciede2000(a, b), metrics.ciede2000(b, a)):
        assert metric.tolist() == pytest.approx(table[:, 6].tolist(), abs=5e-5)
    assert metrics.ciede2000(a, a).tolist() == [0] * len(PUBLISHED)


def test_color_difference_is_a_mean() -> None:
    pytest.importorskip("skimage", reason="CIEDE2000 needs the extra `evaluate`")
    a = torch.zeros(1, 3, 1, 2)
    a[:, 0] = 50
    b = a.clone()
    b[0, 1:, 0, 1] = torch.tensor([-1.0, 2.0])
    assert metrics.ciede2000(a, b).item() == pytest.approx(2.3669 / 2, abs=5e-5)


# ---- colorfulness, gray, clipping --------------------------------------------------------------


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
    gray = flat((level, level, level))
    assert metrics.colorfulness(gray).item() == pytest.approx(0, abs=1e-9)
    assert metrics.clipped_share(gray).item() == 0


@given(SEEDS, st.floats(0.1, 1))
def test_colorfulness_scales_with_the_colors(seed: int, scale: float) -> None:
    rgb = noise(seed)
    assert metrics.colorfulness(rgb * scale).item() == pytest.approx(
        metrics.colorfulness(rgb).item() * scale
    )


def test_gray_share_counts_both_axes() -> None:
    ab = torch.zeros(1, 2, 2, 2)
    ab[0, :, 0, 0] = torch.tensor([5.0, -5.0])
    ab[0, 1, 0, 1] = -5.1
    ab[0, 0, 1, 1] = 40
    assert metrics.gray_share(ab).item() == 0.5
    assert metrics.gray_share(ab, limit=4).item() == 0.25
    assert metrics.gray_share(ab, limit=40).item() == 1


def test_clipped_share_takes_colors_at_the_ends_and_beyond() -> None:
    colors = [(0, 0, 0), (1, 1, 1), (0.5, 0.4, 0.3), (1, 0.5, 0.5), (0.2, -0.1, 0.2), (1.2,) * 3]
    picture = torch.tensor(colors).T.reshape(1, 3, 1, len(colors))
    assert metrics.clipped_share(picture).item() == pytest.approx(2 / 6)
    # Half a code of 8 bits from the end is clipped; the next code is not.
    for code, expected in ((1, 0), (0, 1), (254, 0), (255, 1)):
        color = flat((code / 255, 0.5, 0.5))
        assert metrics.clipped_share(color).item() == expected


# ---- the papers' -------------------------------------------------------------------------------


def test_auc_of_known_errors() -> None:
    true = torch.zeros(3, 2, 2, 2)
    predicted = true.clone()
    predicted[1, 0] = 75
    predicted[2, 1] = 400
    assert metrics.ab_auc(predicted, true).tolist() == pytest.approx([1, 0.5, 0])


@given(SEEDS)
def test_auc_is_the_area_under_the_published_curve(seed: int) -> None:
    # Section 3.1's words: share of pixels within a threshold, swept over 0 … 150, integrated.
    a, b = 300 * noise(seed, 2) - 150, 300 * noise(seed + 1, 2) - 150
    error = np.hypot(*(a - b)[0].numpy()).ravel()
    thresholds = np.linspace(0, 150, 15001)
    curve = (np.sort(error).searchsorted(thresholds, side="right")) / error.size
    area = np.trapezoid(curve, thresholds) / 150
    assert metrics.ab_auc(a, b).item() == pytest.approx(area, abs=1e-4)
    assert metrics.ab_auc(b, a).item() == metrics.ab_auc(a, b).item()


def test_balanced_auc_counts_rare_colors_like_common_ones() -> None:
    true = torch.zeros(1, 2, 10, 10)
    true[0, :, 0, 0] = torch.tensor([60.0, 40.0])
    predicted = torch.zeros_like(true)
    error = math.hypot(60, 40)
    expected = (1 + 1 - error / 150) / 2
    assert metrics.balanced_ab_auc(predicted, true, PALETTE).item() == pytest.approx(expected)
    plain = (99 + 1 - error / 150) / 100
    assert metrics.ab_auc(predicted, true).item() == pytest.approx(plain)


@given(SEEDS)
def test_balanced_auc_of_one_bin_is_the_plain_one(seed: int) -> None:
    true = torch.zeros(1, 2, 8, 8)
    predicted = 60 * noise(seed, 2, 8)
    plain = metrics.ab_auc(predicted, true).item()
    assert metrics.balanced_ab_auc(predicted, true, PALETTE).item() == pytest.approx(plain)


def test_balanced_auc_of_pictures_that_come_one_by_one() -> None:
    true, predicted = 80 * noise(1, 2, 8, 3) - 40, 80 * noise(2, 2, 8, 3) - 40
    tally = metrics.BalancedArea(PALETTE)
    for i in range(3):
        tally.add(predicted[i : i + 1], true[i : i + 1])
    assert tally.share().item() == pytest.approx(
        metrics.balanced_ab_auc(predicted, true, PALETTE).item()
    )


def test_bins_of_four_units() -> None:
    true = torch.tensor([0.0, 3.9, -0.1, 175.0]).reshape(1, 1, 1, 4).repeat(1, 2, 1, 1)
    predicted = true.clone()
    predicted[0, 0] = torch.tensor([3.9, 4.1, -3.9, 99.0])  # same, next, same, the end bin
    predicted[0, 1] = torch.tensor([-0.1, 0.0, -4.1, -99.0])  # lower, same, lower, other end
    assert metrics.bin_accuracy(predicted, true).tolist() == [[0.75, 0.25]]
    assert metrics.bin_accuracy(true, true).tolist() == [[1, 1]]


@given(SEEDS)
def test_bin_accuracy_is_that_of_histogram_bins(seed: int) -> None:
    a, b = 260 * noise(seed, 2) - 130, 260 * noise(seed + 1, 2) - 130
    edges = np.linspace(-100, 100, 51)[1:-1]
    same = np.digitize(a.numpy(), edges) == np.digitize(b.numpy(), edges)
    expected = same.reshape(2, -1).mean(1).tolist()
    assert metrics.bin_accuracy(a, b)[0].tolist() == pytest.approx(expected)


def test_saturation_difference_by_hand() -> None:
    true, half = flat((1.0, 0.0, 0.0)), flat((0.8, 0.4, 0.4))
    assert metrics.saturation_difference(half, true).item() == pytest.approx(0.5)
    assert metrics.saturation_difference(true, half).item() == pytest.approx(1)
    assert metrics.saturation_difference(flat((0, 0, 0)), true).item() == 1
    assert metrics.saturation_difference(true, flat((0.3, 0.3, 0.3))).isnan().all()


@given(SEEDS)
def test_saturation_is_that_of_hsv(seed: int) -> None:
    a, b = noise(seed, side=3), noise(seed + 1, side=3)
    sums = [
        sum(colorsys.rgb_to_hsv(*pixel)[1] for pixel in x[0].flatten(1).T.tolist()) for x in (a, b)
    ]
    expected = abs(sums[0] - sums[1]) / sums[1]
    assert metrics.saturation_difference(a, b).item() == pytest.approx(expected)


def test_top_accuracy_by_hand() -> None:
    scores = torch.tensor([[3.0, 2, 1, 0], [0, 1, 2, 3], [9, 8, 7, 6]])
    labels = torch.tensor([0, 2, 3])
    found = [metrics.top_accuracy(scores, labels, k).item() for k in (1, 2, 3, 4)]
    assert found == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1])


def test_a_constant_score_is_never_right() -> None:
    labels = torch.arange(10)
    assert metrics.top_accuracy(torch.zeros(10, 10), labels, 5).item() == 0
    with pytest.raises(ValueError, match=r"k in 1 … 10 for 10 scores, got 10 labels and k = 11"):
        metrics.top_accuracy(torch.zeros(10, 10), labels, 11)


@given(SEEDS, st.integers(1, 8))
def test_top_accuracy_is_that_of_sorting_and_grows_with_k(seed: int, k: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(20, 8, generator=generator)
    labels = torch.randint(0, 8, (20,), generator=generator)
    best = scores.topk(k).indices
    expected = (best == labels[:, None]).any(1).double().mean().item()
    assert metrics.top_accuracy(scores, labels, k).item() == pytest.approx(expected)
