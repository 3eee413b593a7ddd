"""Where each pixel of a frame was one frame before: optical flow with a mask of where it is known.

The flow is taken from luma, which is the same in the film, its true colors and every coloring of
it: all of them are measured along the same motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pycolor.evaluate.metrics.batches import Batch, doubles
from pycolor.system.optional import extra

# Forward and backward flow may differ by this share of their lengths and by this many square
# pixels (Sundaram, Brox, Keutzer 2010).
RELATIVE, ABSOLUTE = 0.01, 0.5
# OpenCV's dense inverse search crashes below (patches of 8 pixels, two pyramid levels).
SMALLEST = 32


@dataclass(frozen=True)
class Motion:
    """The motion between P pairs of consecutive frames.

    Attributes:
        flow: P×2×h×w pixels (x, y): what lies at x in the later frame lay at x + flow in the
            earlier one.
        visible: P×h×w: the pixel is seen in both frames.
    """

    flow: Tensor
    visible: Tensor

    def to_size(self, height: int, width: int) -> Motion:
        """The same motion for fields of another size: cells are visible where all of them is."""
        scale = torch.tensor([width / self.flow.shape[3], height / self.flow.shape[2]])
        flow = F.interpolate(self.flow, (height, width), mode="area") * scale[:, None, None]
        hidden = (~self.visible).double()[:, None]
        return Motion(flow, F.adaptive_max_pool2d(hidden, (height, width))[:, 0] == 0)


def motion(luma: Batch) -> Motion:
    """The motion between consecutive frames, by dense inverse search (Kroeger et al. 2016).

    Args:
        luma: N×H×W, N ≥ 2: uint8 codes, or floats in 0 … 1 (L* / 100 will do).

    Returns:
        N − 1 pairs.  Visible is what passes the forward-backward check of Sundaram, Brox and
        Keutzer 2010 and does not come from outside the frame.

    Raises:
        UsageError: OpenCV is not installed.
        ValueError: fewer than two frames, other codes, or pictures under 32 pixels.
    """
    cv2 = extra("cv2")
    frames = _codes(luma)
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def flow(start: int, end: int) -> Tensor:
        found = search.calc(frames[start], frames[end], None)
        return torch.from_numpy(np.moveaxis(found, 2, 0).astype(np.float64))

    pairs = range(len(frames) - 1)
    forward = torch.stack([flow(i, i + 1) for i in pairs])
    backward = torch.stack([flow(i + 1, i) for i in pairs])
    return Motion(backward, _agree(forward, backward))


def along(frames: Batch, moved: Motion) -> Tensor:
    """The earlier frame of each pair, brought to where the later one has things.

    Args:
        frames: N×C×h×w of the motion's size.
        moved: of its N − 1 pairs.

    Returns:
        (N − 1)×C×h×w, float64, interpolated linearly; hidden pixels hold what is at the border.
    """
    values = doubles(frames, "N×C×h×w")
    if (len(values) - 1, *values.shape[2:]) != tuple(moved.visible.shape):
        raise ValueError(
            f"expected {len(moved.visible) + 1} frames of "
            f"{'×'.join(map(str, moved.visible.shape[1:]))}, got "
            f"{len(values)} of {'×'.join(map(str, values.shape[2:]))}"
        )
    return _sample(values[:-1], moved.flow)


def _codes(luma: Batch) -> list[np.ndarray[tuple[int, int], np.dtype[np.uint8]]]:
    """N pictures of 8 bits."""
    tensor = torch.as_tensor(luma)
    if tensor.dim() != 3 or len(tensor) < 2 or min(tensor.shape[1:]) < SMALLEST:
        raise ValueError(
            f"expected N×H×W luma, N ≥ 2, H and W ≥ {SMALLEST}, got "
            f"{'×'.join(map(str, tensor.shape))}"
        )
    if tensor.is_floating_point():
        if not ((tensor >= 0) & (tensor <= 1)).all():
            raise ValueError("expected floating luma in 0 … 1, got values beyond")
        tensor = (tensor * 255).round().to(torch.uint8)
    elif tensor.dtype != torch.uint8:
        raise ValueError(f"expected luma as uint8 or floating, got {tensor.dtype}")
    return list(np.ascontiguousarray(tensor.cpu().numpy()))


def _positions(flow: Tensor) -> Tensor:
    """P×2×h×w absolute (x, y) of where the flow points."""
    h, w = flow.shape[2:]
    x = torch.arange(w, dtype=flow.dtype).expand(h, w)
    y = torch.arange(h, dtype=flow.dtype)[:, None].expand(h, w)
    return flow + torch.stack([x, y])


def _sample(values: Tensor, flow: Tensor) -> Tensor:
    """P×C×h×w values at where the flow points."""
    h, w = flow.shape[2:]
    last = torch.tensor([max(w - 1, 1), max(h - 1, 1)], dtype=flow.dtype)[:, None, None]
    grid = (2 * _positions(flow) / last - 1).permute(0, 2, 3, 1).to(values.device)
    return F.grid_sample(values, grid, "bilinear", "border", align_corners=True)


def _agree(forward: Tensor, backward: Tensor) -> Tensor:
    """P×h×w: going back and forth leads home, and the way stays in the frame."""
    back = _sample(forward, backward)
    gap = (backward + back).square().sum(1)
    lengths = backward.square().sum(1) + back.square().sum(1)
    x, y = _positions(backward).unbind(1)
    h, w = backward.shape[2:]
    inside = (x >= 0) & (x <= w - 1) & (y >= 0) & (y <= h - 1)
    return inside & (gap <= RELATIVE * lengths + ABSOLUTE)
