"""How unsure the model is of each place of a frame, and a picture that shows it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.inference.uncertain import doubt
from pycolor.models.predictor import Predictor
from pycolor.video.io import FilmInfo, Frame
from pycolor.web.desk.rendering.alone import shot_at
from pycolor.web.desk.rendering.ready import Ready

SHOWN = 0.5, 0.95  # doubt that is not shown yet, and that is shown in full
VEIL = 255, 140, 0  # sRGB


def doubt_at(ready: Ready, frame: Frame, info: FilmInfo) -> Tensor | None:
    """How unsure the model is of each place of a frame, h×w, 0 … 1, upright.

    Where a person has said what is so, there is no doubt.  None: the model tells none.
    """
    body = shot_at(ready.preview.colors.plan, frame.index)
    seen = ready.seen_alone(frame, info)
    predictor = ready.predictors(body.start)
    likelihoods = predictor.likelihoods(seen)
    if likelihoods is None:
        return None
    return doubt_left(predictor, likelihoods, seen, frame.index, (body.start, body.stop))


@torch.inference_mode()
def doubt_left(
    predictor: Predictor, likelihoods: Tensor, seen: Tensor, frame: int, shot: tuple[int, int]
) -> Tensor:
    """The doubt, h×w, 0 … 1, that what people have said leaves.

    Args:
        predictor: of the shot.
        likelihoods: of its colors, from `Predictor.likelihoods`.
        seen: 1×1×h×w, what it is of.
        frame: its number.
        shot: first frame, and one past the last, of its shot.
    """
    unsure = doubt(likelihoods)
    known = predictor.guidance(seen, frame, shot)
    if known is not None:
        unsure = unsure * (1 - known.weight[:, 0].to(unsure))
    return unsure[0]


def tinted(codes: npt.NDArray[np.uint8], unsure: Tensor) -> npt.NDArray[np.uint8]:
    """A gray picture, H×W×3, with doubt, h×w, over it: the more, the more orange."""
    height, width, _ = codes.shape
    low, high = SHOWN
    share = ((unsure.float().cpu() - low) / (high - low)).clamp(0, 1)[None, None]
    share = F.interpolate(share, (height, width), mode="bilinear", align_corners=False)[0, 0]
    veil = torch.tensor(VEIL, dtype=torch.float32)
    shown = torch.lerp(torch.from_numpy(codes).float(), veil, 0.75 * share[..., None])
    return shown.round().byte().numpy()
