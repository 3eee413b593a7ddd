"""One frame as the film will show it, made of what that frame needs alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pycolor.errors import FilmError, UsageError
from pycolor.image.predictor_pool import PredictorPool, without_grade
from pycolor.models.inference.device import choose_device
from pycolor.options import VideoOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.video.io import FilmInfo, Frame, FrameFactory, FrameSource, Picture, Reader, factory_of
from pycolor.video.job.decisions.plan_file import PlanFile
from pycolor.video.job.decisions.planned import Colors, colors_of
from pycolor.video.job.decisions.project import Project, analysis_key
from pycolor.video.job.decisions.shot_predictors import ShotPredictors
from pycolor.video.job.record.source_digest import file_digest
from pycolor.video.job.record.versions import versions
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.grade import Grades, film_grade
from pycolor.video.plan.planning import KnownBodies
from pycolor.video.propagation.film_layers import film_layers
from pycolor.video.propagation.layer import Layer
from pycolor.video.propagation.layer_store import LayerStore, pieces_of
from pycolor.video.propagation.propagate import Parts
from pycolor.video.render.chroma_planes import render_layer
from pycolor.video.render.shown import shown_codes


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A film's plan, opened: gives any frame of the film to come.

    Attributes:
        source: the film's frames.
        colors: what the plan decides.
        options: of the film to come.
        project: where kept color lies.
    """

    source: FrameSource
    colors: Colors
    options: VideoOptions
    project: Project

    @property
    def device(self) -> torch.device:
        """What renders."""
        return choose_device(self.options.predict.device)

    @property
    def grades(self) -> Grades:
        """What is done with the colors of the shots."""
        return Grades(film=film_grade(self.options.predict), shots=self.colors.grades.shots)

    def colored(self, reader: Reader) -> Iterator[tuple[Frame, int, Parts | None]]:
        """All frames with their numbers and colors; what the network says is kept.

        Args:
            reader: of the film, from its first frame.

        Raises:
            FilmError: the film cannot be read, or ends too early.
        """
        plan = self.colors.plan
        keys = {p.first: self.colors.key(p) for p in pieces_of(plan) if p.sides}
        store = LayerStore(folder=self.project.layer, keys=keys)
        frames = iter(reader)
        for layer in film_layers(plan, self.source, self._led, 0, len(plan), store=store):
            for n, parts in enumerate(layer.frames, start=layer.first):
                frame = next(frames, None)
                if frame is None:
                    raise FilmError(f"{self.source.path} ends before frame {n}.")
                yield frame, n, parts

    @property
    def _led(self) -> ShotPredictors:
        colors = self.colors
        return ShotPredictors(
            colors.pool,
            colors.plan,
            self.source,
            lambda shot: without_grade(colors.models[shot]),
            colors.given,
        )

    def picture(self, frame: int, suffix: str = ".mkv") -> tuple[Picture, FrameFactory]:
        """A frame's planes as they will be encoded, and what made them.

        Args:
            frame: its number.
            suffix: of the film to come; with the preset, it decides depth and subsampling.

        Raises:
            UsageError: the film has no such frame.
            FilmError: the film cannot be read.
        """
        if not 0 <= frame < len(self.colors.plan):
            raise UsageError(f"the film has frames 0 to {len(self.colors.plan) - 1}, got {frame}.")
        layer = self.layer(frame)
        with self.source.reader(frame, frame + 1) as reader:
            decoded = next((f for f in reader if f.index == frame), None)
            if decoded is None:
                raise FilmError(f"{self.source.path} ends before frame {frame}.")
            return self.rendered(decoded, reader.info, layer, suffix)

    def rendered(
        self, frame: Frame, info: FilmInfo, layer: Layer, suffix: str = ".mkv"
    ) -> tuple[Picture, FrameFactory]:
        """As `picture`, of a frame that is decoded already.

        Args:
            frame: is written into.
            info: of the film.
            layer: the frame's color.
            suffix: of the film to come.
        """
        options = self.options
        factory = factory_of(
            info,
            suffix,
            preset=options.preset,
            codec=options.codec,
            options=options.encoder_options,
        )
        found: list[Picture] = []
        under = self.colors.plan.is_under
        render_layer(
            layer,
            [frame],
            factory,
            found.append,
            grades=self.grades,
            under=under,
            device=self.device,
        )
        return found[0], factory

    def layer(self, frame: int) -> Layer:
        """The color of one frame, from what is kept of it or from the network."""
        colors = self.colors
        (piece,) = pieces_of(colors.plan, frame, frame + 1)
        if piece.sides:
            store = LayerStore(folder=self.project.layer, keys={piece.first: colors.key(piece)})
            if (kept := store.load(piece)) is not None:
                return kept.between(frame, frame + 1)
        (layer,) = film_layers(colors.plan, self.source, self._led, frame, frame + 1)
        return layer

    def codes(self, frame: int, suffix: str = ".mkv") -> npt.NDArray[np.uint8]:
        """A frame as H×W×3 R'G'B' of 8 bits, as stored: neither turned nor stretched."""
        picture, factory = self.picture(frame, suffix)
        return shown_codes(picture.luma, picture.chroma, factory.encoding)


def open_preview(
    source: Path,
    file: PlanFile,
    options: VideoOptions,
    analyze: Callable[[], FilmAnalysis],
    pool: PredictorPool | None = None,
    known: KnownBodies | None = None,
) -> Preview:
    """Open a film and its plan.

    Args:
        source: the film.
        file: the plan.
        options: of the film to come.
        analyze: looks through the film; called where the project does not know it.
        pool: of models that are loaded.
        known: see `plan_of`.

    Raises:
        UsageError: the plan is of another film.
        FilmError: the film cannot be read.
    """
    sha256 = file_digest(source)
    file.check(source, sha256)
    project = Project(file.project)
    key = analysis_key(sha256, options.override)
    seen = project.load_analysis(key)
    if seen is None:
        seen = analyze()
        project.save_analysis(key, seen)
    file.check(source, sha256, len(seen))
    timeline = None if seen.damages else seen.timeline
    return Preview(
        source=FrameSource(
            path=source,
            rate=frame_rate(options.rate),
            override=options.override,
            timeline=timeline,
        ),
        colors=colors_of(
            file,
            seen,
            options,
            pool or PredictorPool(),
            source_sha256=sha256,
            versions=versions(),
            known=known,
        ),
        options=options,
        project=project,
    )
