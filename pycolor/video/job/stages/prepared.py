"""What is known of a film before its frames are colored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.predictor import Predictor
from pycolor.video.io import Reader
from pycolor.video.job.decisions.planned import PlannedFilm
from pycolor.video.job.record.source_digest import SourceDigest
from pycolor.video.job.work.job_folder import JobFolder
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.job.work.segments.segment_store import SegmentStore
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.plan import Plan


@dataclass(frozen=True, kw_only=True)
class PreparedFilm:
    """What is known of a film before its frames are colored.

    Attributes:
        reader: of the source, closed; its `info` and range describe what is colored.
        pixel_format: of the output.
        source: its digest, and whether it stays so.
        predictor: the model.
        work: the folder, held.
        store: has the segments that are made: `work`, or a project.
        planned: what the film's plan makes of it, if it has one.
        seen: what the film showed at the first look.
        plan: what is done with each frame.
        guided: what a person gave.
        segments: in which the frames are colored and encoded.
        resumed: frames of the segments that an earlier run had made.
    """

    reader: Reader
    pixel_format: str
    source: SourceDigest
    predictor: Predictor
    work: JobFolder
    store: JobFolder | SegmentStore
    planned: PlannedFilm | None
    seen: FilmAnalysis
    plan: Plan
    guided: tuple[GuidedPicture, ...]
    segments: Sequence[Segment]
    resumed: int

    @property
    def kept(self) -> int:
        """Frames that keep their own color."""
        begin, end = self.segments[0].first, self.segments[-1].stop
        inside = ((max(s.start, begin), min(s.stop, end)) for s in self.plan.spans if s.passthrough)
        return sum(max(0, stop - start) for start, stop in inside)
