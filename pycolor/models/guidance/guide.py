"""The guided pictures of a film, and what they say of a frame."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.colorizer import Guidance
from pycolor.models.guidance.descriptors import Basis, levels
from pycolor.models.guidance.gate import confidence
from pycolor.models.guidance.matching import Cells, match

# A frame's number in the film, and the first frame and one past the last of its shot.
Place = tuple[int | None, tuple[int, int] | None]

ELSEWHERE = 2  # guided pictures of other shots, or of no film, that a frame looks at
NEAR = 0.15  # what a picture is behind another, in squared distances, for being farther in time


@dataclass(frozen=True, kw_only=True, eq=False)
class GuidedPicture:
    """A picture in gray with known color at some of its cells.

    Attributes:
        lightness: 1×1×h×w, L* in 0 … 100, at the network's size and upright.
        color: 1×…×h/4×w/4; weights say where color is known, 1 for all of a colored still.
        frame: its number in the film, None if it is of something else.
        shot: first frame, and one past the last, of the shot that it lies in; None likewise.
    """

    lightness: Tensor
    color: Guidance
    frame: int | None = None
    shot: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Known:
    """A guided picture as frames are compared with it: h×w×d descriptors, and its scene, C."""

    picture: GuidedPicture
    keys: Tensor
    scene: Tensor


class Guide:
    """Leads the frames of a film by some guided pictures.

    What it says of a frame depends on that frame and on the guided pictures alone.

    Args:
        pictures: at least one.
        taps: of the network, see `descriptors.Describes`.
    """

    def __init__(
        self, pictures: Sequence[GuidedPicture], taps: Callable[[Tensor], Sequence[Tensor]]
    ) -> None:
        looks = [_look(taps(picture.lightness), picture.lightness) for picture in pictures]
        self._basis = Basis.of([parts for parts, _ in looks])
        self._known = [
            _Known(
                picture=picture,
                keys=self._basis.project(parts)[0].movedim(0, -1).contiguous(),
                scene=scene[0],
            )
            for picture, (parts, scene) in zip(pictures, looks, strict=True)
        ]

    def recolored(self, pictures: Sequence[GuidedPicture]) -> Guide:
        """One that leads by the same pictures in gray, of which something else is known.

        Args:
            pictures: as many as these, in their order, of the same lightness.
        """
        other = copy.copy(self)
        other._known = [
            replace(known, picture=picture)
            for known, picture in zip(self._known, pictures, strict=True)
        ]
        return other

    @torch.inference_mode()
    def guidance(
        self,
        taps: Sequence[Tensor],
        lightness: Tensor,
        frame: int | None = None,
        shot: tuple[int, int] | None = None,
    ) -> Guidance:
        """What is known of a frame.

        Args:
            taps: what the network's trunk sees of it.
            lightness: 1×1×h×w, as the network sees it.
            frame: its number, None of a picture of no film.
            shot: that it lies in, see `GuidedPicture`.

        Returns:
            1×…×h/4×w/4.
        """
        parts, scene = _look(taps, lightness)
        chosen = self._chosen(scene[0], frame, shot)
        found = match(self._basis.project(parts), [_cells(k, b, len(chosen)) for k, b in chosen])
        likest = max(float(k.scene @ scene[0]) for k, _ in chosen)
        hints, weight = found.color, confidence(found, likest)
        own = [k.picture for k, _ in chosen if frame is not None and k.picture.frame == frame]
        for picture in own:  # what a person said of this very frame holds
            given = picture.color
            hints = torch.lerp(hints, given.hints, given.weight)
            weight = torch.maximum(weight, given.weight)
        return Guidance(hints=hints, weight=weight)

    def guidance_of(
        self, taps: Sequence[Tensor], lightness: Tensor, places: Sequence[Place] = ()
    ) -> Guidance:
        """What is known of some frames; computed in float32.

        Args:
            taps: what the network's trunk sees of them.
            lightness: N×1×h×w, as the network sees them.
            places: of each, where it lies in the film; none: they are of no film.

        Returns:
            N×…×h/4×w/4.
        """
        with torch.autocast(lightness.device.type, enabled=False):
            each = [
                self.guidance(
                    [x[i : i + 1] for x in taps],
                    lightness[i : i + 1],
                    *(places[i] if places else (None, None)),
                )
                for i in range(len(lightness))
            ]
        return Guidance(
            hints=torch.cat([g.hints for g in each]), weight=torch.cat([g.weight for g in each])
        )

    def _chosen(
        self, scene: Tensor, frame: int | None, shot: tuple[int, int] | None
    ) -> list[tuple[_Known, float]]:
        """The guided pictures to look at, with what favors them: the two of the shot that are
        nearest in time, and those of elsewhere that show what is most like the frame.
        """
        own = [k for k in self._known if shot is not None and k.picture.shot == shot]
        others = [k for k in self._known if all(k is not o for o in own)]
        chosen: list[tuple[_Known, float]] = []
        if frame is not None and own:
            before = [k for k in own if _frame(k) <= frame]
            after = [k for k in own if _frame(k) > frame]
            near = [max(before, key=_frame)] if before else []
            near += [min(after, key=_frame)] if after else []
            away = [abs(_frame(k) - frame) for k in near]
            total = max(1, sum(away))
            least = min(away)
            chosen = [(k, -NEAR * (a - least) / total) for k, a in zip(near, away, strict=True)]
        alike = sorted(others, key=lambda k: -float(k.scene @ scene))[:ELSEWHERE]
        return chosen + [(k, -NEAR if chosen else 0.0) for k in alike]


def _look(taps: Sequence[Tensor], lightness: Tensor) -> tuple[list[Tensor], Tensor]:
    """Levels of its descriptors, and what the picture shows as a whole, 1×C of length 1."""
    scene = F.normalize(taps[-1].float().mean((2, 3)), dim=1)
    return levels(taps, lightness.to(taps[0].device)), scene


def _frame(known: _Known) -> int:
    assert known.picture.frame is not None
    return known.picture.frame


def _cells(known: _Known, bias: float, pictures: int) -> Cells:
    """Of one or two pictures every cell, of more every second as on a checkerboard: four cost what
    two do.
    """
    h, w, _ = known.keys.shape
    row, column = torch.arange(h)[:, None], torch.arange(w)
    every = 1 if pictures <= 2 else 2
    taken = (row + column) % every == 0
    color = known.picture.color
    return Cells(
        keys=known.keys[taken],
        color=color.hints[0].movedim(0, -1)[taken],
        weight=color.weight[0, 0][taken],
        bias=bias,
    )


def blend(field: Tensor, guidance: Guidance) -> Tensor:
    """The model's field with what is known in its place, by its weight: N×2×h×w."""
    return torch.lerp(field, guidance.hints.to(field), guidance.weight.to(field))
