"""Frames that two readers share are the film's, whoever reads them first."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Frame, FrameSource, Reader, SharedFrames
from pycolor.video.job.film import color_film
from tests.films import make_film

FRAMES = 30


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("shared") / "film.mkv", frames=FRAMES, codec="libx264")


@pytest.fixture(scope="module")
def lumas(film: Path) -> list[np.ndarray]:
    with Reader(film) as reader:
        return [frame.luma.copy() for frame in reader]


def source_of(film: Path, *, seekable: bool = True) -> FrameSource:
    with Reader(film) as reader:
        timeline = reader.timeline()
    return FrameSource(path=film, timeline=timeline if seekable else None)


def check(frame: Frame, n: int, lumas: list[np.ndarray]) -> None:
    assert frame.index == n
    assert np.array_equal(frame.luma, lumas[n])


def test_frames_read_ahead_are_those_that_come_behind(film: Path, lumas: list[np.ndarray]) -> None:
    shared = SharedFrames(source_of(film), 2, 20, apart=10)
    with shared.reader(0, FRAMES) as ahead, closing(shared.frames()) as behind:
        info = iter(ahead)
        seen = {frame.index: frame for frame in (next(info) for _ in range(9))}
        for n in range(2, 20):
            frame = next(behind)
            check(frame, n, lumas)
            assert frame is seen[n]  # not decoded again
            following = next(info)
            seen[following.index] = following
        assert next(behind, None) is None
        assert ahead.info.height == 48


@pytest.mark.parametrize("seekable", [True, False])
def test_what_nobody_read_ahead_is_decoded(
    film: Path, lumas: list[np.ndarray], seekable: bool
) -> None:
    """Before the one ahead begins, and where it stopped, and then goes on elsewhere."""
    shared = SharedFrames(source_of(film, seekable=seekable), 0, FRAMES, apart=10)
    with closing(shared.frames()) as behind:
        for n in range(4):
            check(next(behind), n, lumas)
        for first, stop in ((2, 9), (15, 22)):
            with shared.reader(first, stop) as ahead:
                read = [frame.index for frame in ahead]
                assert read[-1] == stop - 1
            for n in range(stop - 5 if first else stop, stop):
                if first == 2:
                    check(next(behind), n, lumas)
            if first == 2:
                for n in range(9, 12):
                    check(next(behind), n, lumas)
        for n in range(12, FRAMES):
            check(next(behind), n, lumas)


@pytest.mark.parametrize("most_bytes", [0, 60_000])
def test_large_frames_are_decoded_twice(
    film: Path, lumas: list[np.ndarray], most_bytes: int
) -> None:
    shared = SharedFrames(source_of(film), 0, FRAMES, apart=3, most_bytes=most_bytes)
    with shared.reader(0, FRAMES) as ahead, closing(shared.frames()) as behind:
        seen = list(ahead)
        frames = list(behind)
    assert [frame.index for frame in frames] == list(range(FRAMES))
    for n, frame in enumerate(frames):
        check(frame, n, lumas)
    again = sum(a is b for a, b in zip(seen, frames, strict=True))
    assert again < 20
    assert bool(again) == bool(most_bytes)


@pytest.mark.slow
def test_no_more_frames_wait_than_were_reckoned_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a large film would be decoded once more: motion looks ahead, and anchors beyond that."""
    film = make_film(tmp_path / "long.mkv", frames=200)
    waiting: list[tuple[int, int]] = []
    hold = SharedFrames._hold

    def seen(self: SharedFrames, frame: Frame) -> None:
        hold(self, frame)
        waiting.append((len(self._held), self._apart))

    monkeypatch.setattr(SharedFrames, "_hold", seen)
    predict = PredictOptions(model="pycolor2026", short_side=32)
    color_film(film, tmp_path / "out.mkv", VideoOptions(predict=predict))
    (apart,) = {reckoned for _, reckoned in waiting}
    assert apart / 2 < max(held for held, _ in waiting) <= apart
