"""Shots of made films and, where the data lies beside the repository, of real ones."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.shot_films import CALM, LIVELY, OLD, RUINED, STILL, MadeFilm, Motion, Wear
from pycolor.video.io import Reader
from pycolor.video.shots.detector import ShotDetector, detect
from pycolor.video.shots.shot import Shot
from pycolor.video.shots.shot_options import ShotOptions
from tests.films import data_film

Frames = npt.NDArray[np.uint8]  # N×H×W

FULL = ShotOptions(full_range=True)


def boundaries(shots: list[Shot]) -> list[int]:
    return [shot.start for shot in shots[1:]]


def expected(film: MadeFilm) -> list[int]:
    return [event.boundary for event in film.events if event.boundary is not None]


def test_cuts_of_an_old_film():
    film = MadeFilm("cut", 6, motion=CALM, wear=OLD, seed=1)
    shots = detect(film, FULL)
    assert boundaries(shots) == expected(film)
    assert all(shot.closing is not None and shot.closing.kind == "cut" for shot in shots[:-1])


def test_strong_flicker_is_no_cut():
    film = MadeFilm("cut", 0, motion=CALM, wear=Wear(flicker=0.2, grain=6), lengths=(60, 60))
    assert detect(film, FULL) == [Shot(0, 60)]


@pytest.mark.parametrize("look", [0, 255])
@pytest.mark.parametrize("span", [1, 3])
def test_a_flash_is_a_disturbance(look: int, span: int):
    film = list(MadeFilm("cut", 0, motion=STILL, wear=Wear(grain=4), lengths=(50, 50)))
    for t in range(20, 20 + span):
        film[t] = np.full_like(film[t], look)
    (shot,) = detect(film, FULL)
    assert [(d.kind, d.start, d.stop) for d in shot.disturbances] == [("flash", 20, 20 + span)]


@pytest.mark.parametrize("look", [0, 255])
def test_four_frames_of_flash_anywhere_in_a_lively_shot(look: int):
    """At either end of the film they are a shot of their own: nobody knows what they lie in."""
    length = 48
    whole = list(MadeFilm("cut", 0, motion=LIVELY, wear=Wear(grain=4), lengths=(length, length)))
    for at in (0, 1, 2, 5, 11, 18, 26, 35, 41, 42, 43, length - 4):
        film = [np.full_like(f, look) if at <= t < at + 4 else f for t, f in enumerate(whole)]
        shots = detect(film, FULL)
        if at in (0, length - 4):
            assert boundaries(shots) == [at or 4]
            continue
        (shot,) = shots
        assert [(d.kind, d.start, d.stop) for d in shot.disturbances] == [("flash", at, at + 4)]


@pytest.mark.parametrize("span", [1, 3])
def test_frames_of_something_else_are_a_disturbance(span: int):
    film = list(MadeFilm("cut", 0, motion=STILL, wear=Wear(grain=4), lengths=(50, 50)))
    other = MadeFilm("cut", 0, motion=STILL, wear=Wear(grain=4), lengths=(50, 50), seed=9)
    film[20 : 20 + span] = list(other)[:span]
    (shot,) = detect(film, FULL)
    assert [(d.kind, d.start, d.stop) for d in shot.disturbances] == [("flash", 20, 20 + span)]


def test_dissolves_under_a_lively_camera():
    film = MadeFilm("dissolve", 4, motion=LIVELY, wear=OLD, seed=61)
    found = [shot.opening for shot in detect(film, FULL)[1:] if shot.opening]
    true = [event for event in film.events if event.kind == "dissolve"]
    assert [t.kind for t in found] == ["dissolve"] * len(found)
    # The first of the four has a flash beside it, and is a matter of luck.
    middles = [round((t.start + t.stop) / 2) for t in found]
    assert all(any(abs(m - (e.boundary or 0)) <= 2 for m in middles) for e in true[1:])
    assert all(any(e.start - 2 <= m <= e.stop + 2 for e in true) for m in middles)


@pytest.mark.parametrize("kind", ["dissolve", "fade"])
def test_gradual_transitions(kind: Literal["dissolve", "fade"]):
    # Up to the length whose ends are promised to be measured (see Gradual).
    wear = Wear(grain=5, flicker=0.05)
    film = MadeFilm(kind, 3, motion=CALM, wear=wear, seed=1, spans=(8, 24))
    shots = detect(film, FULL)
    assert len(shots) == 4
    for shot, event in zip(shots[1:], film.events, strict=True):
        assert shot.opening is not None
        assert shot.opening.kind == kind
        assert abs(shot.start - (event.boundary or 0)) <= 4
        assert abs(shot.opening.start - event.start) <= 8
        assert abs(shot.opening.stop - event.stop) <= 8


@pytest.mark.parametrize("motion", [CALM, LIVELY])
def test_a_fade_of_an_old_film_is_one_boundary(motion: Motion):
    film = MadeFilm("fade", 3, motion=motion, wear=OLD, seed=21)
    shots = detect(film, FULL)[1:]
    fades = [event for event in film.events if event.kind == "fade"]
    assert len(fades) == 3
    for fade in fades:
        inside = [s for s in shots if fade.start - 2 <= s.start <= fade.stop + 2]
        assert [s.opening and s.opening.kind for s in inside] == ["fade"]


def ramp(frames: Frames, part: npt.NDArray[np.float64], flat: float = 0) -> Frames:
    """`part` of each frame, the rest of it flat."""
    weight = part[:, None, None]
    return np.rint(weight * frames + (1 - weight) * flat).astype(np.uint8)


def scene(seed: int, frames: int = 60) -> Frames:
    wear = Wear(grain=4)
    return np.stack(list(MadeFilm("cut", 0, wear=wear, seed=seed, lengths=(frames, frames))))


def faded(frames: int, out: int, dark: int, back: int) -> npt.NDArray[np.float64]:
    """1, down to 0 in `out` frames, 0 for `dark` frames in the middle, up to 1 in `back` frames."""
    from_dark = np.arange(frames) - (frames - dark) // 2
    return np.clip(np.maximum(-from_dark / out, (from_dark - dark + 1) / back), 0, 1)


def test_dirt_in_the_dark_of_a_fade_is_no_boundary():
    film = np.concatenate([scene(1), scene(2)])
    film = ramp(film, faded(120, 16, 8, 16))
    film[58, 20:60, 30:90] = 230
    film[60:63, :, 100:104] = 200
    first, second = detect(film, FULL)
    assert second.opening is not None
    assert second.opening.kind == "fade"
    assert abs(second.start - 60) <= 4
    assert abs(second.opening.start - 40) <= 4
    assert abs(second.opening.stop - 80) <= 4
    assert first.disturbances == second.disturbances == ()


def test_a_lamp_that_fails_is_no_fade():
    assert boundaries(detect(ramp(scene(1, 100), faded(100, 12, 6, 12)), FULL)) == []


def test_black_frames_between_cuts_are_no_fade():
    first, second = scene(1), scene(2)
    shots = detect([*first, *np.zeros((8, *first.shape[1:]), np.uint8), *second], FULL)
    assert boundaries(shots) == [60, 68]
    assert {shot.opening.kind for shot in shots[1:] if shot.opening} == {"cut"}


@pytest.mark.parametrize("after", [8, 14])
def test_a_cut_soon_after_a_fade_is_found(after: int):
    first, second, third = scene(1), scene(2), scene(3)
    film = np.concatenate([first, second])
    film = ramp(film, faded(120, 12, 6, 12))[: 60 + 3 + 12 + after]
    shots = detect([*film, *third], FULL)
    assert [shot.opening and shot.opening.kind for shot in shots[1:]] == ["fade", "cut"]
    assert shots[2].start == len(film)


def test_a_long_black_stretch_is_a_shot_of_its_own():
    old, new = (
        np.stack(list(MadeFilm("cut", 0, wear=Wear(grain=4), seed=s, lengths=(60, 60))))
        for s in (1, 2)
    )
    old[40:] = old[40:] * np.linspace(1, 0, 20)[:, None, None]
    new[:20] = new[:20] * np.linspace(0, 1, 20)[:, None, None]
    shots = detect([*old, *np.zeros((60, *old.shape[1:]), np.uint8), *new], FULL)
    assert [shot.opening.kind for shot in shots[1:] if shot.opening] == ["fade", "fade"]
    assert abs(shots[1].start - 60) <= 4
    assert abs(shots[2].start - 120) <= 4


def test_shots_follow_each_other_without_gap():
    film = MadeFilm("cut", 4, motion=CALM, wear=RUINED, seed=2)
    shots = detect(film, FULL)
    assert shots[0].start == 0
    assert shots[-1].stop == film.frames
    for before, after in itertools.pairwise(shots):
        assert before.stop == after.start
        assert before.closing == after.opening


def test_shots_come_within_the_look_ahead():
    film = MadeFilm("cut", 3, seed=3)
    detector = ShotDetector(FULL)
    for t, luma in enumerate(film):
        for shot in detector.push(luma):
            assert t - shot.stop <= FULL.look_ahead_frames
    assert detector.finish()[-1].stop == film.frames
    assert detector.finish() == []


def test_a_slice_with_overlap_gives_the_same_cuts():
    film = list(MadeFilm("cut", 9, wear=RUINED, seed=4, size=(90, 120)))
    whole = boundaries(detect(film, FULL))
    margin = 2 * FULL.look_ahead_frames
    middle = len(film) // 2
    first = boundaries(detect(film[: middle + margin], FULL))
    second = [b + middle - margin for b in boundaries(detect(film[middle - margin :], FULL))]
    assert [b for b in first if b < middle] + [b for b in second if b >= middle] == whole


@pytest.mark.parametrize(("depth", "full"), [(8, False), (10, False), (10, True), (16, False)])
def test_depth_and_range_do_not_matter(depth: int, full: bool):
    film = MadeFilm("cut", 2, seed=5)
    black, white = (0, (1 << depth) - 1) if full else (16 << (depth - 8), 235 << (depth - 8))
    dtype = np.uint8 if depth == 8 else np.uint16
    lumas = [np.rint(black + f / 255.0 * (white - black)).astype(dtype) for f in film]
    options = ShotOptions(bit_depth=depth, full_range=full)
    assert boundaries(detect(lumas, options)) == expected(film)


def test_a_slice_with_overlap_gives_the_same_fades():
    film = list(MadeFilm("fade", 5, motion=LIVELY, wear=RUINED, seed=4, size=(90, 120)))
    whole = boundaries(detect(film, FULL))
    margin = 2 * FULL.look_ahead_frames
    middle = len(film) // 2
    first = boundaries(detect(film[: middle + margin], FULL))
    second = [b + middle - margin for b in boundaries(detect(film[middle - margin :], FULL))]
    assert [b for b in first if b < middle] + [b for b in second if b >= middle] == whole


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (91, 161), (17, 64)])
def test_any_size(shape: tuple[int, int]):
    rng = np.random.default_rng(6)
    first, second = rng.integers(0, 256, (2, *shape), dtype=np.uint8)
    shots = detect([first] * 20 + [second] * 20, FULL)
    assert shots[-1].stop == 40


def test_no_frames_and_one_frame():
    assert detect([], FULL) == []
    assert detect([np.zeros((90, 160), np.uint8)], FULL) == [Shot(0, 1)]


def test_strided_planes_are_read_in_place():
    film = list(MadeFilm("cut", 1, seed=7))
    wide = [np.hstack([f, np.full((len(f), 16), 99, np.uint8)])[:, : f.shape[1]] for f in film]
    assert detect(wide, FULL) == detect(film, FULL)


def test_bad_input_is_refused():
    detector = ShotDetector(FULL)
    detector.push(np.zeros((90, 160), np.uint8))
    with pytest.raises(ValueError, match="frame 1 is"):
        detector.push(np.zeros((91, 160), np.uint8))
    with pytest.raises(ValueError, match="two axes"):
        detect([np.zeros((2, 3, 4), np.uint8)])
    detector.finish()
    with pytest.raises(RuntimeError, match="finished"):
        detector.push(np.zeros((90, 160), np.uint8))
    with pytest.raises(ValueError, match="bit_depth"):
        ShotOptions(bit_depth=7)
    with pytest.raises(ValueError, match="look_ahead_frames"):
        ShotOptions(look_ahead_frames=3)


REAL = {
    "colour/cuts_known.mp4": [45, 93, 133, 178],
    "archival/abomb_1959_cuts.mp4": [44, 134, 299],
    "archival/market_street_1906.mp4": [],
    "archival/train_robbery_1903.mp4": [],
    "archival/sf_earthquake_1906.mp4": [],
    "archival/chaplin_audio.mp4": [],
    "colour/sav_dog_audio.mp4": [],
    "colour/sav_juggle.mp4": [],
    "colour/sav_cups.mp4": [],
    "colour/mdn_flower_audio.mp4": [],
    "colour/davis_bmx.mp4": [],
    "colour/carphone_qcif.mp4": [],
}


@pytest.mark.needs_data
@pytest.mark.parametrize("name", REAL)
def test_real_films(name: str):
    with Reader(data_film(name)) as film:
        assert boundaries(detect(frame.luma for frame in film)) == REAL[name]
