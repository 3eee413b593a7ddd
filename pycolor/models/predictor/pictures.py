"""Pictures brought to a network's size, and the one most like a frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from pycolor.models.colorizer import Colorizer


def network_size(
    height: int, width: int, pixel_aspect: float, short_side: int, multiple: int
) -> tuple[int, int]:
    """Size of the network's input: the display aspect kept, both sides multiples of `multiple`.

    Args:
        height: of the plane, in samples.
        width: of the plane, in samples.
        pixel_aspect: width of a sample over its height.
        short_side: wanted, in pixels.
        multiple: that the network asks for.
    """
    display = width * pixel_aspect
    scale = short_side / min(height, display)
    return (
        max(multiple, round(height * scale / multiple) * multiple),
        max(multiple, round(display * scale / multiple) * multiple),
    )


def input_size(
    network: Colorizer, height: int, width: int, pixel_aspect: float, short_side: int
) -> tuple[int, int]:
    """`network_size` for a network.

    Raises:
        ValueError: the network takes no picture of that size; in words that follow its name.
    """
    size = network_size(height, width, pixel_aspect, short_side, network.input_multiple)
    if size[0] * size[1] > network.max_pixels:
        raise ValueError(
            f"takes pictures of {network.max_pixels} pixels or less, got {size[1]}x{size[0]}; "
            "a smaller short_side helps"
        )
    return size


def resized(planes: Tensor, size: Sequence[int]) -> Tensor:
    """N×C×H×W at another size, each new sample the mean of what it covers."""
    return F.interpolate(planes, tuple(size), mode="bilinear", antialias=True, align_corners=False)


def most_similar(lightness: Tensor, pictures: Sequence[Tensor]) -> Tensor:
    """The picture whose layout of light and dark is most like a frame's.

    Args:
        lightness: 1×1×h×w of the frame, L*.
        pictures: each 1×3×h×w Lab, of any size.

    Returns:
        One of them: that of the largest correlation between thumbnails; the first of equal ones.
    """

    def thumbnail(plane: Tensor) -> Tensor:
        small = resized(plane.float(), (16, 16)).flatten()
        return F.normalize(small - small.mean(), dim=0)

    frame = thumbnail(lightness)
    scores = [float(frame @ thumbnail(p[:, :1])) for p in pictures]
    return pictures[scores.index(max(scores))]
