"""A few frames of a shot, as small as the color layer, for `needs`."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.predictor import TEMPERATURES, Predictor
from pycolor.video.io import FilmInfo, Frame
from pycolor.video.plan.grade import Grades
from pycolor.video.plan.plan import ShotBody
from pycolor.video.propagation.layer import Layer, mixed
from pycolor.video.propagation.propagate import Parts
from pycolor.web.desk.rendering.doubt_view import doubt_left
from pycolor.web.desk.rendering.ready import Ready
from pycolor.web.desk.shots.needs import SEEN_MASS, Sample, skin_bins

MOST = 4  # frames of a shot


def sampled_frames(body: ShotBody) -> list[int]:
    """Frames that stand for a shot: the first and the last among them, flashes not."""
    usable = body.usable()
    places = np.linspace(0, len(usable) - 1, min(MOST, len(usable)))
    return [usable[round(place)] for place in places]


def sample(ready: Ready, frame: Frame, info: FilmInfo, kept: Layer | None) -> Sample:
    """What is seen in a frame.

    Args:
        ready: what gives the film's frames.
        frame: of the body of a shot.
        info: of the film.
        kept: the frame's color, where it is made; else it is colored by itself.
    """
    n, plan = frame.index, ready.preview.colors.plan
    layer = kept or ready.colored_alone(frame, info)
    (parts,) = layer.frames
    assert parts is not None
    predictor = ready.predictors(parts[0].shot)
    seen = ready.seen_alone(frame, info)
    size = (parts[0].field.shape[1], parts[0].field.shape[2])
    lightness = F.adaptive_avg_pool2d(torch.rot90(seen, -info.turns, (2, 3)).cpu(), size)
    color = graded_small(parts, ready.preview.grades, lightness)
    unsure, skin = _told(predictor, seen, info.turns, n, (parts[0].shot, plan.span_at(n).stop))
    return Sample(
        frame=n,
        lightness=lightness[0, 0].numpy(),
        color=color.cpu().numpy(),
        doubt=None if unsure is None else unsure.cpu().numpy(),
        skin=None if skin is None else skin.cpu().numpy(),
    )


def graded_small(parts: Parts, grades: Grades, lightness: Tensor) -> Tensor:
    """The field of a frame, 2×h×w ab, as the film will have it; lightness 1×1×h×w, L*."""
    return mixed(parts, lambda p: grades.of(p.shot).of(p.field[None].cpu(), lightness)[0])


@torch.inference_mode()
def _told(
    predictor: Predictor, seen: Tensor, turns: int, frame: int, shot: tuple[int, int]
) -> tuple[Tensor | None, Tensor | None]:
    """Doubt, and where the model takes a place for skin; both h×w."""
    likelihoods = predictor.likelihoods(seen)
    palette = predictor.network.palette
    if likelihoods is None or palette is None:
        return None, None
    unsure = doubt_left(predictor, likelihoods, seen, frame, shot)
    bins = torch.from_numpy(skin_bins(palette.cpu().numpy())).to(likelihoods.device)
    sharp = (likelihoods.clamp_min(1e-12).log() / TEMPERATURES["annealed"]).softmax(1)
    skin = sharp[:, bins].sum(1) > SEEN_MASS
    return (
        torch.rot90(unsure, -turns, (0, 1)),
        torch.rot90(skin[0], -turns, (0, 1)),
    )
