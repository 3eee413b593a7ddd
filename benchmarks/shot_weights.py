"""Fits the weights of the evidence for a dissolve: logistic regression on made films.

    python -m benchmarks.shot_weights PICTURES [--transitions 60]

PICTURES is a folder of photographs, any but those that `benchmarks.shots` measures with.  The
printed vector is `pycolor.video.shots.gradual.dissolves.DissolveFinder.WEIGHTS`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.shot_films import CALM, LIVELY, OLD, RUINED, Event, Kind, MadeFilm, Motion, Plane
from pycolor.video.shots.gradual.dissolves import DissolveFinder
from pycolor.video.shots.gradual.mixtures import MedianThumbnails
from pycolor.video.shots.measures.similarity import Scales, scales, thumbnail

BRISK = Motion(pan=0.03, zoom=0.007, thing=0.35, speed=0.045)
FILMS: tuple[tuple[Kind, Motion, bool], ...] = (
    ("dissolve", CALM, False),
    ("dissolve", LIVELY, False),
    ("dissolve", BRISK, False),
    ("dissolve", CALM, True),
    ("dissolve", LIVELY, True),
    ("dissolve", LIVELY, False),
    ("dissolve", CALM, False),
    ("dissolve", BRISK, True),
    ("cut", CALM, False),
    ("cut", LIVELY, True),
    ("cut", BRISK, False),
    ("cut", LIVELY, False),
)  # kind, motion, whether ruined
RIDGE = 1e-3


def evidence(
    frames: Sequence[Scales], events: Iterable[Event]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Features of every candidate of a film, and whether it is a dissolve.

    A candidate near the middle of a dissolve is one; one elsewhere in a transition is left out,
    and so is one that looks over a cut.
    """
    known = [e for e in events if e.boundary is not None]
    count = len(frames)

    def frame(t: int) -> Scales:
        return frames[min(max(t, 0), count - 1)]

    finder = DissolveFinder(frame, MedianThumbnails(frame))
    rows, answers = [], []
    for t in range(count):
        inside = [e for e in known if e.start - 2 <= t <= e.stop + 2]
        middle = [
            e for e in inside
            if e.kind == "dissolve" and abs(t - (e.boundary or 0)) <= max(3, (e.stop - e.start) / 4)
        ]  # fmt: skip
        if inside and not middle:
            continue
        cuts = [e.start for e in known if e.kind == "cut"]
        first = max((c for c in cuts if c <= t), default=0)
        last = min((c - 1 for c in cuts if c > t), default=count - 1)
        for half in finder.sags(t, first, last):
            features = finder.features(t, half, first, last)
            if features is not None:
                rows.append(features)
                answers.append(bool(middle))
    return np.array(rows), np.array(answers)


def fit(
    features: npt.NDArray[np.float64], answers: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Weights of the log odds, by Newton's method; the last feature is 1.

    Dissolves weigh half as much together as all other candidates do: half the log odds at
    equal doubt.
    """
    deviation = features.std(axis=0)
    deviation[-1] = 1
    mean = features.mean(axis=0)
    mean[-1] = 0
    x = (features - mean) / deviation
    weight = np.where(answers, (~answers).sum() / answers.sum() / 2, 1.0) / len(x)
    ridge = np.full(x.shape[1], 2 * RIDGE)
    ridge[-1] = 0
    found: npt.NDArray[np.float64] = np.zeros(x.shape[1])
    for _ in range(50):
        odds = 1 / (1 + np.exp(-x @ found))
        gradient = x.T @ (weight * (odds - answers)) + ridge * found
        curvature = (x * (weight * odds * (1 - odds))[:, None]).T @ x + np.diag(ridge)
        found = found - np.linalg.solve(curvature, gradient)
    weights: npt.NDArray[np.float64] = found / deviation
    weights[-1] -= (weights[:-1] * mean[:-1]).sum()
    return weights


def pictures(folder: Path, count: int, seed: int) -> list[Plane]:
    """Some photographs of a folder, gray."""
    from skimage import color
    from skimage.io import imread

    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".png"))
    chosen = np.random.default_rng(seed).permutation(len(paths))[:count]
    read = [imread(paths[n]) for n in chosen]
    gray = [color.rgb2gray(p[..., :3]) * 255 if p.ndim == 3 else p for p in read]
    return [p.astype(np.float32) for p in gray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--transitions", type=int, default=60)
    options = parser.parse_args()
    rows, answers = [], []
    for seed, (kind, motion, ruined) in enumerate(FILMS, start=31):
        film = MadeFilm(
            kind, options.transitions, motion=motion, wear=RUINED if ruined else OLD, seed=seed,
            pictures=pictures(options.pictures, 60, seed), spans=(6, 34), lengths=(20, 70),
        )  # fmt: skip
        frames = [scales(thumbnail(luma, black=0, white=255)) for luma in film]
        features, found = evidence(frames, film.events)
        rows.append(features)
        answers.append(found)
    print(np.array2string(fit(np.concatenate(rows), np.concatenate(answers)), precision=3))


if __name__ == "__main__":
    main()
