"""What gives the frames of one plan of a film; of the next plan most stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import Tensor

from pycolor.errors import UsageError
from pycolor.image.predictor_pool import without_grade
from pycolor.video.io import FilmInfo, Frame
from pycolor.video.job.decisions.planned import Colors
from pycolor.video.job.decisions.shot_predictors import ShotPredictors
from pycolor.video.job.frames.preview import Preview
from pycolor.video.propagation.layer import Layer
from pycolor.video.propagation.layer_store import LayerStore, Piece, pieces_of
from pycolor.video.propagation.seen_frames import SeenFrames
from pycolor.web.desk.rendering.alone import colored_alone, seen_alone, shot_at


@dataclass(frozen=True, kw_only=True)
class Ready:
    """See the module.

    Attributes:
        preview: of the film by this plan.
        seen: what was seen of the film's frames.
        predictors: of its shots; what leads them is read once.
        keys: of its pieces of color, as far as they were asked for, by their first frames.
    """

    preview: Preview
    seen: SeenFrames
    predictors: ShotPredictors
    keys: dict[int, tuple[Piece, str]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, preview: Preview, seen: SeenFrames) -> Ready:
        """What gives a film's frames."""
        colors = preview.colors
        predictors = ShotPredictors(
            colors.pool,
            colors.plan,
            preview.source,
            lambda shot: without_grade(colors.models[shot]),
            colors.given,
            seen=seen,
        )
        return cls(preview=preview, seen=seen, predictors=predictors)

    def with_colors(self, colors: Colors) -> Ready:
        """What gives them by another plan."""
        other = Ready.of(replace(self.preview, colors=colors), self.seen)
        stays = _stays(self.preview.colors, colors)
        frames = len(colors.plan)
        for first, (piece, key) in list(self.keys.items()):
            if first < frames and other.piece(first) == piece and stays(piece):
                other.keys[first] = piece, key
        return other

    def key(self, piece: Piece) -> str:
        """What the color of a piece depends on."""
        known = self.keys.get(piece.first)
        if known is None:
            known = self.keys[piece.first] = piece, self.preview.colors.key(piece)
        return known[1]

    def piece(self, frame: int) -> Piece:
        """The piece that a frame lies in.

        Raises:
            UsageError: the film has no such frame.
        """
        plan = self.preview.colors.plan
        if not 0 <= frame < len(plan):
            raise UsageError(f"the film has frames 0 to {len(plan) - 1}, got {frame}.")
        (piece,) = pieces_of(plan, frame, frame + 1)
        return piece

    def store(self, piece: Piece) -> LayerStore:
        """Where its color is kept."""
        return LayerStore(folder=self.preview.project.layer, keys={piece.first: self.key(piece)})

    def colored_alone(self, frame: Frame, info: FilmInfo) -> Layer:
        """The color of a frame by itself, see `alone`."""
        plan = self.preview.colors.plan
        _ = self.seen_alone(frame, info)  # what leads its shot may be of this very frame
        return colored_alone(plan, self.predictors, frame, info, self.seen)

    def seen_alone(self, frame: Frame, info: FilmInfo) -> Tensor:
        """What the model of its shot sees of a frame."""
        colors = self.preview.colors
        body = shot_at(colors.plan, frame.index)
        unled = colors.pool.of(without_grade(colors.models[body.start]))
        return seen_alone(colors.plan, unled, frame, info, self.seen)


def _stays(old: Colors, new: Colors) -> Callable[[Piece], bool]:
    """Whether all but the span itself, on which a piece's color depends, is the same."""

    def stays(piece: Piece) -> bool:
        return all(
            old.models[side.start] == new.models.get(side.start)
            and side.start not in old.given  # its files may have changed
            and side.start not in new.given
            for side in piece.sides
        )

    return stays
