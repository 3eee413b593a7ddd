"""How well and how fast shots are found: real clips and made films, PySceneDetect beside ours.

    python -m benchmarks.shots [--transitions 100] [--kind cut] [--motion calm] [--wear old]
                               [--detector pycolor] [--seed 2024] [--films FOLDER]

Each of --kind, --motion, --wear and --detector takes several names; all by default.  The weights
of `pycolor.video.dissolves` were chosen on films of other seeds and other photographs.

FOLDER holds colour/, archival/ and edge/ clips with known cuts; without it only made films are
measured.  A transition counts as found where a boundary lies inside it, give or take two frames.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shot_films import (
    CALM,
    LIVELY,
    OLD,
    RUINED,
    VIOLENT,
    Event,
    Kind,
    Luma,
    MadeFilm,
)
from pycolor.video.shots import ShotDetector, ShotOptions

TOLERANCE = 2  # frames
MOTIONS = {"calm": CALM, "lively": LIVELY, "violent": VIOLENT}
WEARS = {"old": OLD, "ruined": RUINED}
DETECTORS = ("pycolor", "ContentDetector", "AdaptiveDetector", "HashDetector")
KINDS: tuple[Kind, ...] = ("cut", "dissolve", "fade")
KNOWN = {
    "colour/cuts_known.mp4": [45, 93, 133, 178],
    "archival/abomb_1959_cuts.mp4": [44, 134, 299],
}
Detect = Callable[[Iterator[Luma]], list[int]]


def score(found: Sequence[int], events: Sequence[Event]) -> tuple[int, int]:
    """How many events a boundary was found for, and how many boundaries belong to none."""
    left = list(found)
    hits = 0
    for event in events:
        inside = [f for f in left if event.start - TOLERANCE <= f <= event.stop + TOLERANCE]
        if inside:
            left.remove(inside[0])
            hits += 1
    return hits, len(left)


def ours(lumas: Iterator[Luma]) -> list[int]:
    detector = ShotDetector(ShotOptions(full_range=True))
    shots = [shot for luma in lumas for shot in detector.push(luma)]
    return [shot.start for shot in (shots + detector.finish())[1:]]


def pyscenedetect() -> dict[str, Detect]:
    """Its detectors, luma only, fed with the same frames; none where it is not installed."""
    try:
        scenedetect: Any = importlib.import_module("scenedetect")
    except ImportError:
        return {}

    def run(make: Callable[[], Any]) -> Detect:
        def detect(lumas: Iterator[Luma]) -> list[int]:
            detector, cuts = make(), []
            for index, luma in enumerate(lumas):
                time_code = scenedetect.FrameTimecode(index, fps=Fraction(24))
                picture = np.repeat(luma[..., None], 3, axis=2)
                cuts += detector.process_frame(time_code, picture)
            return [cut.frame_num for cut in cuts]

        return detect

    return {
        "ContentDetector": run(lambda: scenedetect.ContentDetector(luma_only=True)),
        "AdaptiveDetector": run(lambda: scenedetect.AdaptiveDetector(luma_only=True)),
        "HashDetector": run(lambda: scenedetect.HashDetector()),
    }


def made_films(options: argparse.Namespace) -> None:
    detectors: dict[str, Detect] = {"pycolor": ours, **pyscenedetect()}
    if options.detector is not None:
        detectors = {name: detectors[name] for name in options.detector}
    print(f"{'film':26}{'detector':18}{'recall':>8}{'precision':>11}{'CPU ms a frame':>16}")
    for kind in options.kind:
        for moves in options.motion:
            for worn in options.wear:
                motion, wear = MOTIONS[moves], WEARS[worn]
                film = MadeFilm(
                    kind, options.transitions, motion=motion, wear=wear, seed=options.seed
                )
                events = [event for event in film.events if event.boundary is not None]
                for name, detect in detectors.items():
                    spent = _Stopwatch(iter(film))
                    hits, false = score(detect(spent.outside()), events)
                    recall, precision = hits / len(events), hits / max(1, hits + false)
                    cost = 1e3 * spent.seconds / film.frames
                    row = f"{f'{kind}, {moves}, {worn}':26}{name:18}"
                    print(f"{row}{recall:8.2f}{precision:11.2f}{cost:16.2f}", flush=True)


class _Stopwatch:
    """Counts the processor time spent between the frames, not that of making them."""

    def __init__(self, frames: Iterator[Luma]) -> None:
        self.frames, self.seconds = frames, 0.0

    def outside(self) -> Iterator[Luma]:
        for frame in self.frames:
            begin = time.process_time()
            yield frame
            self.seconds += time.process_time() - begin


def real_films(folder: Path) -> None:
    import av

    print(f"{'clip':36}{'frames':>7}{'CPU ms a frame':>16}  boundaries (known)")
    for path in sorted([*folder.glob("*/*.mp4")]):
        name = f"{path.parent.name}/{path.name}"
        lumas = []
        with av.open(str(path)) as film:
            for frame in film.decode(video=0):
                plane: Any = frame.planes[0]
                codes = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
                lumas.append(codes[: plane.height, : plane.width].copy())
        detector = ShotDetector()
        begin = time.process_time()
        shots = [shot for luma in lumas for shot in detector.push(luma)] + detector.finish()
        cost = 1e3 * (time.process_time() - begin) / len(lumas)
        starts = [shot.start for shot in shots[1:]]
        print(f"{name:36}{len(lumas):7}{cost:16.2f}  {starts} ({KNOWN.get(name, [])})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transitions", type=int, default=100)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--motion", nargs="+", choices=tuple(MOTIONS), default=tuple(MOTIONS))
    parser.add_argument("--wear", nargs="+", choices=tuple(WEARS), default=tuple(WEARS))
    parser.add_argument("--detector", nargs="+", choices=DETECTORS)
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--films", type=Path)
    options = parser.parse_args()
    if options.films is not None:
        real_films(options.films)
    made_films(options)


if __name__ == "__main__":
    main()
