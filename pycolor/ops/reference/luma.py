"""From luma codes to lightness, at full size, by cells and at the chroma's sites."""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.encoding import Encoding
from pycolor.ops.reference.arguments import give
from pycolor.ops.reference.color import lab_f, rgb_to_linear


def luma_value(codes: Tensor, encoding: Encoding) -> Tensor:
    """Codes (whole or averaged) → Y' in 0…1; codes beyond black and white are clipped."""
    black, white = encoding.luma_code_range
    return ((codes - black) / (white - black)).clamp(0, 1)


def lightness_of(luma: Tensor) -> Tensor:
    """Y' in 0…1 → L* of the neutral color with that Y'."""
    return 116 * lab_f(rgb_to_linear(luma)) - 16


def luma_to_lightness(luma: Tensor, *, encoding: Encoding, out: Tensor | None = None) -> Tensor:
    """L* (0…100) of the neutral color that has each luma code.

    Args:
        luma: codes of any shape, uint8 at 8 bits and uint16 above.
        encoding: depth and range of the codes; codes beyond black and white are clipped.
        out: where to write, the same shape, float32.
    """
    return give(lightness_of(luma_value(luma.double(), encoding)).float(), out)


def _area_weights(cells: int, samples: int) -> Tensor:
    """cells×samples, float64: the share of each sample in the mean over each of `cells` parts."""
    edges = torch.arange(cells + 1, dtype=torch.float64) * samples / cells
    position = torch.arange(samples, dtype=torch.float64)
    low = torch.maximum(edges[:-1, None], position)
    high = torch.minimum(edges[1:, None], position + 1)
    return (high - low).clamp_min(0) * cells / samples


def mean_lightness(
    luma: Tensor, size: tuple[int, int], *, encoding: Encoding, out: Tensor | None = None
) -> Tensor:
    """L* of the mean luma of each cell: the low guide of the refinement, the network's input.

    Cells cut the frame into h×w equal parts; samples on an edge count by the share inside.

    Args:
        luma: N×H×W codes.
        size: (h, w), larger than the frame too.
        encoding: depth and range of the codes.
        out: where to write, N×1×h×w float32.

    Returns:
        N×1×h×w, float32, 0…100.
    """
    rows = _area_weights(size[0], luma.shape[1])
    columns = _area_weights(size[1], luma.shape[2])
    mean = rows @ luma.double() @ columns.T
    return give(lightness_of(luma_value(mean, encoding)).float().unsqueeze(1), out)


def _site_weights(count: int, samples: int, center: float, shift: int) -> Tensor:
    """count×samples, float64: mean over a box of 2^shift samples around each chroma sample.

    The box has the chroma sample in its middle, so co-sited samples weigh (1, 2, 1)/4 and
    midway ones (1, 1)/2.  Beyond the frame its edge sample is repeated.
    """
    size = 1 << shift
    middle = center + size * torch.arange(count, dtype=torch.float64)
    first = -2 * size
    position = torch.arange(first, samples + 3 * size)
    low = torch.maximum(middle[:, None] - size / 2, position - 0.5)
    high = torch.minimum(middle[:, None] + size / 2, position + 0.5)
    overlap = (high - low).clamp_min(0) / size
    weights = torch.zeros(count, samples, dtype=torch.float64)
    index = position.clamp(0, samples - 1).expand(count, -1)
    return weights.scatter_add_(1, index, overlap)


def site_luma(luma: Tensor, encoding: Encoding) -> Tensor:
    """Mean luma under each chroma sample, Y' in 0…1, N×hc×wc, float64."""
    height, width = luma.shape[1:]
    (v, h), (cy, cx) = encoding.shifts, encoding.chroma_center()
    hc, wc = encoding.chroma_shape(height, width)
    rows, columns = _site_weights(hc, height, cy, v), _site_weights(wc, width, cx, h)
    return luma_value(rows @ luma.double() @ columns.T, encoding)
