"""The metrics of color over time: by hand, against SciPy, along known motion."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import jensenshannon

from pycolor.evaluate import metrics
from pycolor.evaluate.metrics.flow import SMALLEST
from pycolor.evaluate.metrics.video import jensen_shannon

LN2 = math.log(2)


def still(pairs: int, height: int, width: int) -> metrics.Motion:
    """No motion, everything visible."""
    flow = torch.zeros(pairs, 2, height, width, dtype=torch.float64)
    return metrics.Motion(flow, torch.ones(pairs, height, width, dtype=torch.bool))


def texture(height: int, width: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Smooth noise over all codes, 0 … 1."""
    white = np.random.default_rng(seed).normal(size=(height, width))
    noise: npt.NDArray[np.float64] = gaussian_filter(white, 2)
    low, high = float(noise.min()), float(noise.max())
    return (noise - low) / (high - low)


# ---- color distribution consistency ------------------------------------------------------------


def test_cdc_of_frames_that_alternate() -> None:
    # Histograms one and four... frames apart: disjoint at odd steps, equal at even ones.
    clip = torch.zeros(10, 3, 4, 4, dtype=torch.uint8)
    clip[1::2] = 200
    assert metrics.cdc(clip).tolist() == pytest.approx([LN2 / 3] * 3)
    assert metrics.cdc(clip, steps=[1]).tolist() == pytest.approx([LN2] * 3)
    assert metrics.cdc(clip, steps=[2, 4]).tolist() == [0, 0, 0]


def test_cdc_by_hand() -> None:
    # Red: (1, 0) → (1/2, 1/2) of two codes; JS = H(3/4, 1/4) − H(1/2, 1/2)/2.
    clip = torch.zeros(2, 3, 1, 2, dtype=torch.uint8)
    clip[1, 0, 0, 1] = 9
    mixed = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert metrics.cdc(clip, steps=[1]).tolist() == pytest.approx([mixed - LN2 / 2, 0, 0])


@given(st.integers(0, 2**32 - 1))
def test_divergence_is_that_of_scipy(seed: int) -> None:
    p, q = np.random.default_rng(seed).dirichlet(np.full(16, 0.3), 2)
    found = jensen_shannon(torch.tensor(p), torch.tensor(q)).item()
    assert found == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-12)
    assert found == pytest.approx(jensen_shannon(torch.tensor(q), torch.tensor(p)).item())
    assert 0 <= found <= LN2


def test_cdc_punishes_a_gray_film_that_flickers_and_chroma_cdc_does_not() -> None:
    gray = torch.full((8, 1, 16, 16), 100, dtype=torch.uint8)
    gray[::2] += 5
    clip = gray.expand(-1, 3, -1, -1)
    assert metrics.cdc(clip).min() > 0.2
    lab = metrics.chroma_cdc(torch.zeros(8, 2, 16, 16))
    assert lab.tolist() == [0, 0]


def test_chroma_cdc_sees_one_unit_and_both_axes() -> None:
    ab = torch.zeros(6, 2, 3, 3)
    ab[3:, 1] = -1.0
    found = metrics.chroma_cdc(ab, steps=[1])
    assert found.tolist() == pytest.approx([0, LN2 / 5])


@given(st.permutations(range(16)))
def test_cdc_knows_no_places(order: list[int]) -> None:
    clip = torch.randint(0, 256, (6, 3, 4, 4), dtype=torch.uint8)
    moved = clip.flatten(2)[..., order].reshape(clip.shape)
    assert torch.equal(metrics.cdc(clip), metrics.cdc(moved))


def test_cdc_refuses_short_clips_and_floats() -> None:
    with pytest.raises(ValueError, match="more than 4 frames, got 4"):
        metrics.cdc(torch.zeros(4, 3, 2, 2, dtype=torch.uint8))
    with pytest.raises(ValueError, match="uint8, got"):
        metrics.cdc(torch.zeros(6, 3, 2, 2))
    with pytest.raises(ValueError, match="expected N×2×h×w, got 6×3×2×2"):
        metrics.chroma_cdc(torch.zeros(6, 3, 2, 2))


# ---- along the motion --------------------------------------------------------------------------


def test_steps_of_known_size() -> None:
    ab = torch.zeros(3, 2, 4, 5)
    ab[1] += torch.tensor([3.0, 4.0])[:, None, None]
    moved = still(2, 4, 5)
    assert metrics.chroma_flicker(ab, moved).tolist() == [5, 5]
    assert metrics.warp_error(ab, moved).tolist() == [12.5, 12.5]
    assert metrics.chroma_flicker(ab.numpy(), moved).tolist() == [5, 5]


def test_steady_color_on_a_moving_thing_is_no_flicker() -> None:
    field = torch.rand(2, 6, 30)
    ab = torch.stack([field[..., 4:24], field[..., 2:22], field[..., 0:20]])  # 2 pixels a frame
    moved = still(2, 6, 20)
    moved.flow[:, 0] = -2
    moved.visible[..., :2] = False  # comes from outside
    assert metrics.chroma_flicker(ab, moved).max() < 1e-9
    assert metrics.warp_error(ab, moved).max() < 1e-12
    assert metrics.chroma_flicker(ab, still(2, 6, 20)).min() > 0.01


def test_half_a_pixel_is_interpolated() -> None:
    ramp = torch.arange(8.0).expand(2, 2, 5, 8).clone()
    moved = still(1, 5, 8)
    moved.flow[:, 0] = 0.5
    moved.visible[..., -1] = False
    assert metrics.chroma_flicker(ramp, moved).item() == pytest.approx(math.sqrt(0.5))


def test_hidden_pixels_do_not_count() -> None:
    ab = torch.zeros(2, 2, 4, 4)
    ab[1, 0, :, :2] = 40
    ab[1, 0, :, 2:] = 3
    moved = still(1, 4, 4)
    moved.visible[..., :2] = False
    assert metrics.chroma_flicker(ab, moved).item() == 3
    moved.visible[:] = False
    assert metrics.chroma_flicker(ab, moved).isnan().all()


def test_the_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match="expected 3 frames of 4×4, got 2 of 4×4"):
        metrics.warp_error(torch.zeros(2, 2, 4, 4), still(2, 4, 4))


@given(st.floats(-50, 50), st.floats(0.1, 3))
def test_flicker_is_a_seminorm(offset: float, scale: float) -> None:
    ab = torch.rand(4, 2, 5, 5, dtype=torch.float64)
    moved = still(3, 5, 5)
    plain = metrics.chroma_flicker(ab, moved)
    assert torch.allclose(metrics.chroma_flicker(ab + offset, moved), plain, atol=1e-12)
    assert torch.allclose(metrics.chroma_flicker(ab * scale, moved), plain * scale)


def test_motion_at_another_size() -> None:
    moved = still(1, 8, 12)
    moved.flow[:, 0], moved.flow[:, 1] = 6, -4
    moved.visible[0, 0, 0] = False
    small = moved.to_size(4, 3)
    assert small.flow[0, :, 1, 1].tolist() == [1.5, -2]
    assert small.visible.sum() == 11
    assert not small.visible[0, 0, 0]


# ---- the flow itself ---------------------------------------------------------------------------


def test_motion_of_a_pan_is_found() -> None:
    pytest.importorskip("cv2", reason="the flow needs the extra `evaluate`")
    wide = texture(96, 160)
    luma = np.stack([wide[2 * t : 80 + 2 * t, 3 * t : 128 + 3 * t] for t in range(4)])
    found = metrics.motion(luma)
    # The window moves right and down: things come from the right and below.
    inner = found.flow[:, :, 12:-12, 12:-12]
    assert (inner - torch.tensor([3.0, 2.0])[:, None, None]).abs().max() < 0.3
    assert found.visible[:, 12:-12, 12:-12].all()
    assert not found.visible[:, :, -1].any(), "what enters the frame has no past"
    assert metrics.warp_error(luma[:, None], found).max() < 1e-4
    codes = (luma * 255).round().astype(np.uint8)
    assert torch.equal(metrics.motion(codes).flow, found.flow)


def test_what_a_moving_thing_uncovers_is_hidden() -> None:
    pytest.importorskip("cv2", reason="the flow needs the extra `evaluate`")
    back, thing = texture(96, 128), texture(40, 40, seed=5)
    frames = np.stack([back, back])
    frames[0, 28:68, 40:80] = thing
    frames[1, 28:68, 48:88] = thing
    found = metrics.motion(frames)
    uncovered = found.visible[0, 34:62, 41:47].double().mean()
    thing_itself = found.visible[0, 34:62, 58:82].double().mean()
    assert uncovered < 0.5 < 0.9 < thing_itself


def test_motion_refuses_what_it_cannot_take() -> None:
    pytest.importorskip("cv2", reason="the flow needs the extra `evaluate`")
    size = SMALLEST
    with pytest.raises(ValueError, match="N ≥ 2"):
        metrics.motion(torch.zeros(1, size, size))
    with pytest.raises(ValueError, match="≥ 32, got 2×31×99"):
        metrics.motion(torch.zeros(2, size - 1, 99))
    with pytest.raises(ValueError, match="in 0 … 1"):
        metrics.motion(torch.full((2, size, size), 50.0))
    with pytest.raises(ValueError, match="uint8 or floating, got"):
        metrics.motion(torch.zeros(2, size, size, dtype=torch.int32))
    smallest = metrics.motion(torch.zeros(2, size, 3 * size))
    assert smallest.visible.all()
