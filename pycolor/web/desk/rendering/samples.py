"""A few frames of a shot, as small as the color layer, for `needs`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.inference.uncertain import doubt
from pycolor.models.predictor import TEMPERATURES, Predictor
from pycolor.video.io import FilmInfo, Frame
from pycolor.video.plan.grade import Grades
from pycolor.video.plan.plan import ShotBody
from pycolor.video.propagation.layer import Layer, mixed
from pycolor.video.propagation.propagate import Parts
from pycolor.web.desk.rendering.alone import shot_at
from pycolor.web.desk.rendering.ready import Ready
from pycolor.web.desk.shots.needs import SEEN_MASS, Sample, skin_bins

MOST = 4  # frames of a shot
SHOWN = 0.5, 0.95  # doubt that is not shown yet, and that is shown in full
VEIL = 255, 140, 0  # sRGB


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


def doubt_at(ready: Ready, frame: Frame, info: FilmInfo) -> Tensor | None:
    """How unsure the model is of each place of a frame, h×w, 0 … 1, upright.

    Where a person has said what is so, there is no doubt.  None: the model tells none.
    """
    body = shot_at(ready.preview.colors.plan, frame.index)
    seen = ready.seen_alone(frame, info)
    predictor = ready.predictors(body.start)
    unsure, _ = _told(predictor, seen, 0, frame.index, (body.start, body.stop))
    return unsure


def tinted(codes: npt.NDArray[np.uint8], unsure: Tensor) -> npt.NDArray[np.uint8]:
    """A gray picture, H×W×3, with doubt, h×w, over it: the more, the more orange."""
    height, width, _ = codes.shape
    low, high = SHOWN
    share = ((unsure.float().cpu() - low) / (high - low)).clamp(0, 1)[None, None]
    share = F.interpolate(share, (height, width), mode="bilinear", align_corners=False)[0, 0]
    veil = torch.tensor(VEIL, dtype=torch.float32)
    shown = torch.lerp(torch.from_numpy(codes).float(), veil, 0.75 * share[..., None])
    return shown.round().byte().numpy()


@torch.inference_mode()
def _told(
    predictor: Predictor, seen: Tensor, turns: int, frame: int, shot: tuple[int, int]
) -> tuple[Tensor | None, Tensor | None]:
    """Doubt, and where the model takes a place for skin; both h×w."""
    likelihoods = predictor.likelihoods(seen)
    palette = predictor.network.palette
    if likelihoods is None or palette is None:
        return None, None
    unsure = doubt(likelihoods)
    known = predictor.guidance(seen, frame, shot)
    if known is not None:
        unsure = unsure * (1 - known.weight[:, 0].to(unsure))
    bins = torch.from_numpy(skin_bins(palette.cpu().numpy())).to(likelihoods.device)
    sharp = (likelihoods.clamp_min(1e-12).log() / TEMPERATURES["annealed"]).softmax(1)
    skin = sharp[:, bins].sum(1) > SEEN_MASS
    return (
        torch.rot90(unsure[0], -turns, (0, 1)),
        torch.rot90(skin[0], -turns, (0, 1)),
    )
