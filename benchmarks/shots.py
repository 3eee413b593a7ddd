"""How well and how fast shots are found: real clips and made films, PySceneDetect beside ours.

    python -m benchmarks.shots [--transitions 100] [--kind cut] [--motion calm] [--wear old]
                               [--detector pycolor] [--seed 2024] [--films FOLDER] [--json FILE]

Each of --kind, --motion, --wear and --detector takes several names; all by default.  The weights
of `pycolor.video.shots.gradual.dissolves` were chosen on films of other seeds and photographs.

FOLDER holds colour/, archival/ and edge/ clips with known cuts; without it only made films are
measured.  A transition counts as found where a boundary lies inside it, give or take two frames.
FILE takes the figures of the made films; `python -m benchmarks.results --write` puts those of
docs/results/shots.json on the page.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

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
from pycolor.evaluate.environment import record
from pycolor.video.shots.detector import ShotDetector
from pycolor.video.shots.shot import Shot
from pycolor.video.shots.shot_options import ShotOptions

TOLERANCE = 2  # frames
MOTIONS = {"calm": CALM, "lively": LIVELY, "violent": VIOLENT}
WEARS = {"old": OLD, "ruined": RUINED}
DETECTORS = ("pycolor", "ContentDetector", "AdaptiveDetector", "HashDetector")
KINDS: tuple[Kind, ...] = ("cut", "dissolve", "fade")
KNOWN = {
    "colour/cuts_known.mp4": [45, 93, 133, 178],
    "archival/abomb_1959_cuts.mp4": [44, 134, 299],
}
Boundary = tuple[int, str | None]  # frame, and kind where it is told


class Detector(Protocol):
    """Takes the frames of a film one after the other."""

    def push(self, luma: Luma) -> None: ...

    def finish(self) -> list[Boundary]: ...


@dataclass(frozen=True, kw_only=True)
class Row:
    """How one detector did on one film.

    Attributes:
        kind, motion, wear: of the film.
        detector: its name.
        transitions: of the film.
        found: how many of them.
        named: of those, how many by their kind; None where no kinds are told.
        false: boundaries that belong to no transition.
        milliseconds: of processor time, a frame.
    """

    kind: str
    motion: str
    wear: str
    detector: str
    transitions: int
    found: int
    named: int | None
    false: int
    milliseconds: float

    @property
    def recall(self) -> float:
        return self.found / self.transitions

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.false)


def score(found: Sequence[Boundary], events: Sequence[Event]) -> tuple[int, int, int]:
    """Events with a boundary, those of them named right, and boundaries that belong to none."""
    left = list(found)
    hits = named = 0
    for event in events:
        inside = [
            boundary
            for boundary in left
            if event.start - TOLERANCE <= boundary[0] <= event.stop + TOLERANCE
        ]
        if inside:
            left.remove(inside[0])
            hits += 1
            named += inside[0][1] == event.kind
    return hits, named, len(left)


class Ours:
    def __init__(self) -> None:
        self._detector = ShotDetector(ShotOptions(full_range=True))
        self._shots: list[Shot] = []

    def push(self, luma: Luma) -> None:
        self._shots += self._detector.push(luma)

    def finish(self) -> list[Boundary]:
        shots = self._shots + self._detector.finish()
        return [(shot.start, shot.opening.kind) for shot in shots if shot.opening is not None]


class Peer:
    """One of PySceneDetect's, fed with the same frames."""

    def __init__(self, scenedetect: Any, detector: Any) -> None:
        self._time_code, self._detector = scenedetect.FrameTimecode, detector
        self._count = 0
        self._found: list[Boundary] = []

    def push(self, luma: Luma) -> None:
        now = self._time_code(self._count, fps=Fraction(24))
        cuts = self._detector.process_frame(now, np.repeat(luma[..., None], 3, axis=2))
        self._found += [(cut.frame_num, None) for cut in cuts]
        self._count += 1

    def finish(self) -> list[Boundary]:
        return self._found


def detectors() -> dict[str, Callable[[], Detector]]:
    """Ours, and PySceneDetect's on luma only where it is installed."""
    found: dict[str, Callable[[], Detector]] = {"pycolor": Ours}
    try:
        peers: Any = importlib.import_module("scenedetect")
    except ImportError:
        return found
    return found | {
        "ContentDetector": lambda: Peer(peers, peers.ContentDetector(luma_only=True)),
        "AdaptiveDetector": lambda: Peer(peers, peers.AdaptiveDetector(luma_only=True)),
        "HashDetector": lambda: Peer(peers, peers.HashDetector()),
    }


def made_films(options: argparse.Namespace) -> list[Row]:
    known = detectors()
    chosen = {name: known[name] for name in options.detector or known}
    head = f"{'film':26}{'detector':18}{'recall':>8}{'precision':>11}{'named':>7}"
    print(f"{head}{'CPU ms a frame':>16}")
    rows = []
    for kind in options.kind:
        for motion in options.motion:
            for wear in options.wear:
                film = MadeFilm(
                    kind,
                    options.transitions,
                    motion=MOTIONS[motion],
                    wear=WEARS[wear],
                    seed=options.seed,
                )
                for row in measured(film, chosen, motion, wear):
                    rows.append(row)
                    named = "" if row.named is None else f"{row.named / max(1, row.found):.2f}"
                    print(
                        f"{f'{kind}, {motion}, {wear}':26}{row.detector:18}{row.recall:8.2f}"
                        f"{row.precision:11.2f}{named:>7}{row.milliseconds:16.2f}",
                        flush=True,
                    )
    return rows


def measured(
    film: MadeFilm, chosen: Mapping[str, Callable[[], Detector]], motion: str, wear: str
) -> list[Row]:
    """Every detector on a film that is made once."""
    events = [event for event in film.events if event.boundary is not None]
    running = {name: make() for name, make in chosen.items()}
    spent = dict.fromkeys(running, 0.0)
    for luma in film:
        for name, detector in running.items():
            began = time.process_time()
            detector.push(luma)
            spent[name] += time.process_time() - began
    rows = []
    for name, detector in running.items():
        began = time.process_time()
        boundaries = detector.finish()
        spent[name] += time.process_time() - began
        found, named, false = score(boundaries, events)
        rows.append(
            Row(
                kind=film.kind,
                motion=motion,
                wear=wear,
                detector=name,
                transitions=len(events),
                found=found,
                named=named if name == "pycolor" else None,
                false=false,
                milliseconds=round(1e3 * spent[name] / film.frames, 3),
            )
        )
    return rows


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
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    if options.films is not None:
        real_films(options.films)
    rows = made_films(options)
    if options.json is not None:
        told = {"record": record(), "seed": options.seed, "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
