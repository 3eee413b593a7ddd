"""What a film showed at the first look, as two files of a work folder."""

from __future__ import annotations

import io
import json
from array import array
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import numpy as np

from pycolor.video.job.work.own_files import digest_of, read_own, sealed, unsealed, write_whole
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.own_color import OwnColor
from pycolor.video.shots.lists import json_list

SURVEY, _ARRAYS = "survey.json", "survey.npz"  # the former is written last


def write_analysis(
    folder: Path,
    analysis: FilmAnalysis,
    write: Callable[[Path, bytes], None] = write_whole,
) -> None:
    """Write an analysis, its arrays first.

    Raises:
        OSError: it cannot be written.
    """
    arrays = io.BytesIO()
    np.savez(
        arrays,
        timeline=np.asarray(analysis.timeline, np.int64),
        lightness=analysis.lightness,
        change=analysis.change,
    )
    write(folder / _ARRAYS, arrays.getvalue())
    content = {
        "arrays": digest_of(folder / _ARRAYS),
        "shots": json.loads(json_list.write_json(analysis.shots)),
        "colored": analysis.colored,
        "starts": [str(start) for start in analysis.starts],
        "rate": str(analysis.rate),
        "damages": analysis.damages,
        "looks": [asdict(look) for look in analysis.looks],
    }
    write(folder / SURVEY, sealed(json.dumps(content)))


def read_analysis(folder: Path) -> FilmAnalysis:
    """The analysis that `write_analysis` wrote.

    Raises:
        OSError: a file is missing, or is a link.
        ValueError: one was changed since.
    """
    content = json.loads(unsealed(read_own(folder / SURVEY)))
    arrays = read_own(folder / _ARRAYS)
    if digest_of(folder / _ARRAYS) != content["arrays"]:
        raise ValueError("the digest of the arrays differs")
    with np.load(io.BytesIO(arrays)) as stored:
        return FilmAnalysis(
            timeline=array("q", stored["timeline"].tobytes()),
            shots=tuple(json_list.read_json(json.dumps(content["shots"]))),
            lightness=stored["lightness"],
            change=stored["change"],
            colored=tuple(content["colored"]),
            starts=tuple(Fraction(start) for start in content["starts"]),
            rate=Fraction(content["rate"]),
            damages=tuple(content["damages"]),
            looks=tuple(OwnColor(**look) for look in content["looks"]),
        )
