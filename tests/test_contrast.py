"""Sags of contrast, and likeness wherever a picture moved."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pycolor.video.shots.measures.contrast import Contrast, energies
from pycolor.video.shots.measures.similarity import (
    Scales,
    Thumbnail,
    phase_correlation_peak,
    scales,
    spectrum,
)

MIDDLE, HALF = 30, 11


def texture(seed: int, width: int = 64) -> Thumbnail:
    rng = np.random.default_rng(seed)
    return (128 + 40 * rng.standard_normal((48, width))).astype(np.float32)


def contrast(film: list[Thumbnail]) -> Contrast:
    known = [scales(frame) for frame in film]

    def frame(t: int) -> Scales:
        return known[min(max(t, 0), len(known) - 1)]

    return Contrast(frame)


def dissolve() -> list[Thumbnail]:
    """One texture to another, half and half at MIDDLE, in 2 · HALF frames."""
    old, new = texture(0), texture(1)
    shares = np.clip((np.arange(60) - MIDDLE) / (2 * HALF) + 0.5, 0, 1).astype(np.float32)
    return [(1 - a) * old + a * new for a in shares]


def test_energies_of_a_flat_picture_are_none():
    assert energies(scales(np.full((48, 64), 90, np.float32))).max() == pytest.approx(0, abs=1e-6)


def test_energies_go_with_the_square_of_the_contrast():
    picture = texture(2)
    ratio = energies(scales(3 * picture)) / energies(scales(picture))
    assert ratio == pytest.approx(9, rel=1e-4)


def test_an_even_mixture_has_half_the_energy_everywhere():
    # Around the middle (1 − a)² + a² is within 2 % of its least; the sides' means reach inward.
    dip = contrast(dissolve()).dip(MIDDLE, HALF)
    assert dip.half == pytest.approx(math.log(2), abs=0.2)
    assert dip.quarter > 0.35


def test_a_pan_and_flicker_do_not_sag():
    rng = np.random.default_rng(3)
    wide = texture(4, 160)
    gains = 1 + rng.uniform(-0.2, 0.2, 60).astype(np.float32)
    film = [gain * wide[:, t : t + 64] for t, gain in enumerate(gains)]
    assert contrast(film).dip(MIDDLE, HALF).quarter < 0.1


def test_a_flash_does_not_sag():
    film = [texture(5)] * 60
    film[MIDDLE] = np.full((48, 64), 250, np.float32)
    assert contrast(film).dip(MIDDLE, HALF).depth == pytest.approx(0, abs=1e-4)


def test_what_is_forgotten_is_found_again():
    film = contrast(dissolve())
    before = film.dip(MIDDLE, HALF)
    film.forget(60)
    assert film.dip(MIDDLE, HALF) == before


def test_a_picture_resembles_itself_wherever_it_moved():
    # Its edges are faded out, and they move with it: not all of it comes back.
    wide = texture(6, 80)
    still, moved, other = (spectrum(p) for p in (wide[:, :64], wide[:, 9:73], texture(7)))
    shape = (48, 64)
    assert phase_correlation_peak(still, still, shape) == pytest.approx(1, abs=1e-4)
    assert phase_correlation_peak(still, moved, shape) > 0.5
    assert phase_correlation_peak(still, other, shape) < 0.2
