"""A worker that has the model in another process, and answers in values.

It is given numbers of frames and names of files, and tells digests of luma; pictures do not travel.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from pycolor.errors import FilmError, PycolorError, UsageError
from pycolor.image.predictor_pool import PredictorPool, without_grade
from pycolor.options import PredictOptions
from pycolor.video.job.distribute.segment import SegmentJob, run_segments
from pycolor.video.job.record.arithmetic import arithmetic_of
from pycolor.video.job.record.encoder_threads import encoder_threads
from pycolor.video.job.record.versions import versions


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A worker's, as values: exceptions lose class and words on the way between processes.

    Attributes:
        node: name of its machine.
        error: what failed, in a sentence; `misused` if the command is at fault.
        told: its arithmetic and the versions of its libraries.
        part: the file of a segment, and the digests of its frames' `luma`.
    """

    node: str = "a lost machine"
    error: str = ""
    misused: bool = False
    told: dict[str, dict[str, str]] = field(default_factory=dict)
    part: Path | None = None
    luma: tuple[bytes, ...] = ()


class SegmentWorker:
    """Colors segments on one device; the model is loaded once, when it introduces itself."""

    def __init__(self, predict: PredictOptions, mix: bool, by_threads: bool) -> None:
        self._pool, self._predict = PredictorPool(), without_grade(predict)
        self._mix, self._by_threads = mix, by_threads

    def introduce(self) -> Answer:
        """Say what decides the bits of this worker."""
        return self._answer(self._told)

    def color(self, film: SegmentJob, first: int, stop: int, part: Path) -> Answer:
        """Color frames first … stop − 1 into a new file beside `part`.

        Its name is nobody else's: a worker that was taken for lost may still be at work.
        """
        output = part.with_name(f"{part.stem}-{uuid4().hex[:8]}{part.suffix}")
        return self._answer(self._color, replace(film, first=first, stop=stop, output=output))

    def _told(self) -> Answer:
        arithmetic = arithmetic_of(self._pool.of(self._predict), mix=self._mix)
        decisive = {**arithmetic, **encoder_threads(matter=self._by_threads)}
        return Answer(told={"arithmetic": decisive, "versions": versions(mix=self._mix)})

    def _color(self, job: SegmentJob) -> Answer:
        loaded = self._pool.of(without_grade(job.predict)).loaded
        if loaded.sha256 != job.weights_sha256:
            raise FilmError(f"the weights of {loaded.card.name} are others than the driver's.")
        (result,) = run_segments([job], self._pool)
        return Answer(part=job.output, luma=result.luma)

    def _answer(self, work: Callable[..., Answer], *given: Any) -> Answer:
        node = socket.gethostname()
        try:
            return replace(work(*given), node=node)
        except (PycolorError, OSError) as e:
            return Answer(node=node, error=str(e), misused=isinstance(e, UsageError))
