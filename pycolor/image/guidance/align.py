"""A colored still brought back to the picture that it was made of.

A still that went through an editor may have another size, square pixels, a quarter turn, bars that
were cut off or added.  Its gray is laid over the frame's by normalized cross-correlation (Lewis,
"Fast Normalized Cross-Correlation", 1995) over sizes and turns, small first and then finer; the
correlation also tells whether it shows that frame at all.  What is transparent is not compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SHORT_SIDE = 48  # of the frame at the search, pixels
AGREEMENT = 0.7  # correlation from which on a still is one of this frame
_ALIKE = 0.97  # correlation at which nothing else is tried
_SCALES = tuple(2 ** (i / 10) for i in range(-10, 11))
_SMALLEST = 0.2  # share of the frame that must be shown
_SEEN = 0.5  # opacity above which a still is compared


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a still lies in the frame as it is shown.

    Attributes:
        turns: quarter turns, counter-clockwise, that put the still upright.
        top: of the still in the frame, in parts of the frame's height, and `bottom`.
        left: in parts of the width, and `right`.
        agreement: correlation of the two in gray, −1 … 1.
    """

    turns: int
    top: float
    bottom: float
    left: float
    right: float
    agreement: float


def align(still: Tensor, frame: Tensor, opacity: Tensor | None = None) -> Placement:
    """Find a still in a frame.

    Args:
        still: h×w gray, any scale.
        frame: H×W gray, upright, its pixels square.
        opacity: h×w, of the still, 0 … 1; None: nothing of it is transparent.

    Returns:
        The best placement; its agreement tells whether it is one.
    """
    small = _resized(frame, SHORT_SIDE / min(frame.shape))
    layers = torch.stack([still, torch.ones_like(still) if opacity is None else opacity])
    best = Placement(turns=0, top=0, bottom=1, left=0, right=1, agreement=-1.0)
    for candidate in _candidates(layers, small):
        if candidate.agreement > best.agreement + 1e-3:
            best = candidate
        if best.agreement >= _ALIKE:
            break
    return _refined(layers, frame, best)


def onto(rgb: Tensor, placement: Placement, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """A still on the frame's grid.

    Args:
        rgb: C×h×w, 0 … 1.
        placement: from `align`.
        size: (height, width) of the grid, which covers the whole frame.

    Returns:
        1×C×H×W, each sample the mean of what it covers, and 1×1×H×W, 1 where the still has it.
    """
    turned = torch.rot90(rgb, placement.turns, (1, 2))[None]
    h, w = size
    p = placement
    box_h, box_w = (p.bottom - p.top) * h, (p.right - p.left) * w
    # Fewer samples first, so that each is a mean; then laid between the grid's by linear weights.
    near = (max(1, round(box_h)), max(1, round(box_w)))
    turned = F.interpolate(turned, near, mode="bilinear", antialias=True, align_corners=False)
    y = ((torch.arange(h) + 0.5) / h - p.top) / (p.bottom - p.top) * 2 - 1
    x = ((torch.arange(w) + 0.5) / w - p.left) / (p.right - p.left) * 2 - 1
    grid = torch.stack(torch.broadcast_tensors(x[None, :], y[:, None]), -1)[None]
    laid = F.grid_sample(turned, grid.float(), padding_mode="border", align_corners=False)
    inside = (grid.abs() <= 1).all(-1)[:, None].float()
    return laid, inside


def _candidates(layers: Tensor, frame: Tensor) -> Iterator[Placement]:
    """Placements at the sizes and turns that editors leave, the plain one first.

    Args:
        layers: 2×h×w, the still and its opacity.
        frame: at the size of the search.
    """
    height, width = frame.shape
    for turns in (0, 1, 3, 2):
        turned = torch.rot90(layers, turns, (1, 2))
        # The whole frame, whatever became of the shape of its pixels.
        whole, opacity = F.interpolate(turned[None], frame.shape, mode="area")[0]
        yield Placement(
            turns=turns,
            top=0,
            bottom=1,
            left=0,
            right=1,
            agreement=_correlation(whole[opacity > _SEEN], frame[opacity > _SEEN]),
        )
    share = float((layers[1] > _SEEN).float().mean())
    for turns in (0, 1, 3, 2):
        turned = torch.rot90(layers, turns, (1, 2))
        h, w = turned.shape[1:]
        fit = min(height / h, width / w)
        for scale in sorted(_SCALES, key=lambda s: abs(math.log(s))):
            size = round(h * fit * scale), round(w * fit * scale)
            if share * size[0] * size[1] < _SMALLEST * height * width or min(size) < 16:
                continue
            template, opacity = F.interpolate(turned[None], size, mode="area")[0]
            top, left, agreement = _search(template, (opacity > _SEEN).to(template), frame)
            yield Placement(
                turns=turns,
                top=top / height,
                bottom=(top + size[0]) / height,
                left=left / width,
                right=(left + size[1]) / width,
                agreement=agreement,
            )


def _search(still: Tensor, seen: Tensor, frame: Tensor) -> tuple[int, int, float]:
    """The shift of the best correlation: top, left and its value.

    What of the still lies outside of the frame is left out, and where `seen` is 0; half of the
    smaller of the two pictures must overlap.
    """
    from scipy.fft import next_fast_len  # slow to import

    h, w = still.shape
    pads = (w // 2, w - w // 2, h // 2, h - h // 2)
    f, inside = (F.pad(x, pads) for x in (frame - frame.mean(), torch.ones_like(frame)))
    size = (next_fast_len(f.shape[0] + h), next_fast_len(f.shape[1] + w))

    def correlated(a: Tensor, b: Tensor) -> Tensor:
        spectrum = torch.fft.rfft2(a.double(), size) * torch.fft.rfft2(b.double(), size).conj()
        whole: Tensor = torch.fft.irfft2(spectrum, size)
        return whole[: f.shape[0] - h + 1, : f.shape[1] - w + 1]

    t = (still - still[seen > 0].mean()) * seen
    count = correlated(inside, seen).clamp_min(1)
    sum_f, sum_t = correlated(f, seen), correlated(inside, t)
    var_f = correlated(f * f, seen) - sum_f**2 / count
    var_t = correlated(inside, t * t) - sum_t**2 / count
    score = correlated(f, t) - sum_f * sum_t / count
    score = score / (var_f.clamp_min(1e-3) * var_t.clamp_min(1e-3)).sqrt()
    least = 0.5 * min(float(seen.sum()), frame.numel())
    score = torch.where(count >= least, score, -1.0)
    place = int(score.argmax())
    top, left = divmod(place, score.shape[1])
    return top - pads[2], left - pads[0], float(score.flatten()[place])


def _refined(layers: Tensor, frame: Tensor, found: Placement) -> Placement:
    """The placement at four times the size, its edges moved by less and less."""
    if (found.top, found.bottom, found.left, found.right) == (0, 1, 0, 1):
        return found
    fine = _resized(frame, 4 * SHORT_SIDE / min(frame.shape))
    turned = torch.rot90(layers, found.turns, (1, 2))
    best = _measured(turned, fine, found)
    step = 4.0
    while step >= 0.25:
        better = max(
            (_measured(turned, fine, moved) for moved in _moved(best, fine.shape, step)),
            key=lambda p: p.agreement,
        )
        if better.agreement > best.agreement + 1e-5:
            best = better
        else:
            step /= 2
    return best


def _moved(p: Placement, shape: torch.Size, step: float) -> Iterator[Placement]:
    dy, dx = step / shape[0], step / shape[1]
    for top, bottom, left, right in (
        (dy, dy, 0, 0), (0, 0, dx, dx), (-dy, dy, -dx, dx),
    ):  # fmt: skip
        for sign in (1, -1):
            yield Placement(
                turns=p.turns,
                top=p.top + sign * top,
                bottom=p.bottom + sign * bottom,
                left=p.left + sign * left,
                right=p.right + sign * right,
                agreement=p.agreement,
            )


def _measured(turned: Tensor, frame: Tensor, p: Placement) -> Placement:
    laid, inside = onto(turned, _unturned(p), (frame.shape[0], frame.shape[1]))
    shown = (inside[0, 0] > 0) & (laid[0, 1] > _SEEN)
    agreement = _correlation(laid[0, 0][shown], frame[shown]) if bool(shown.any()) else -1.0
    return Placement(
        turns=p.turns, top=p.top, bottom=p.bottom, left=p.left, right=p.right, agreement=agreement
    )


def _unturned(p: Placement) -> Placement:
    return Placement(
        turns=0, top=p.top, bottom=p.bottom, left=p.left, right=p.right, agreement=p.agreement
    )


def _correlation(a: Tensor, b: Tensor) -> float:
    a, b = (x.double() - x.double().mean() for x in (a, b))
    power = float((a * a).sum() * (b * b).sum())
    return float((a * b).sum()) / math.sqrt(power) if power > 1e-12 else 0.0


def _resized(picture: Tensor, scale: float) -> Tensor:
    size = tuple(max(1, round(s * scale)) for s in picture.shape)
    return F.interpolate(
        picture[None, None].float(), size, mode="bilinear", antialias=True, align_corners=False
    )[0, 0]
