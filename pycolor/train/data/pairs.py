"""References for varga2017: made from the pictures themselves, or others of their class.

A colored still of a shot shows the same things in about the same places: what differs is the
framing, a little movement, and the tone.  So a pair is a picture and a crop of it, warped and
regraded, whose colors stay what they are.  The paper's pairs are two pictures of one kind of scene.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pycolor.train.data.labels import UNKNOWN
from pycolor.train.data.photos import Photo, random_crop
from pycolor.train.recipes.option_groups import CropOptions, PairOptions


def reference_of(rgb: Tensor, options: PairOptions, generator: torch.Generator) -> Tensor:
    """Another view of each picture.

    Args:
        rgb: N×3×H×W, display-encoded, 0 … 1.
        options: see `PairOptions`.
        generator: the only source of randomness (on the CPU).

    Returns:
        N×3×H×W, 0 … 1.
    """
    n, _, h, w = rgb.shape

    def uniform(low: float, high: float, *size: int) -> Tensor:
        return torch.rand(n, *size, generator=generator).to(rgb.device) * (high - low) + low

    # A crop of a share of each side, somewhere inside, slightly turned and stretched.
    side = uniform(options.min_side, 1, 2, 1)
    center = (1 - side[:, :, 0]) * uniform(-1, 1, 2)
    turn = uniform(-options.turn, options.turn)
    cos, sin = turn.cos(), turn.sin()
    rotation = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    affine = torch.cat([rotation * side, center[:, :, None]], dim=2)
    grid = F.affine_grid(affine, [n, 3, h, w], align_corners=False)
    # Movement that varies smoothly over the picture.
    bend = uniform(-options.warp, options.warp, 2, 4, 4)
    bend = F.interpolate(bend, (h, w), mode="bicubic", align_corners=True)
    grid = grid + bend.permute(0, 2, 3, 1)
    view = F.grid_sample(rgb, grid, padding_mode="reflection", align_corners=False)

    gamma = torch.exp(uniform(-options.regrade, options.regrade, 1, 1, 1))
    gain = uniform(1 - options.regrade / 2, 1, 1, 1, 1)
    return (view.clamp(1e-4, 1) ** gamma * gain).clamp(0, 1)


class OthersOfClass:
    """Other photographs of the same class.

    Args:
        photos: all.
        labels: the class of each; empty if none is wanted.
        crop: how they are cut.
    """

    def __init__(self, photos: Sequence[Photo], labels: Sequence[int], crop: CropOptions) -> None:
        self.photos = photos
        self.labels = labels
        self.crop = crop
        self.members: defaultdict[int, list[int]] = defaultdict(list)
        for i, label in enumerate(labels):
            if label != UNKNOWN:
                self.members[label].append(i)

    def draw(self, photo: int, generator: torch.Generator) -> Tensor | None:
        """A crop of another photograph of this one's class, 3×S×S in 0 … 1.

        None if there is no other, or it cannot be read.
        """
        others = self.members.get(self.labels[photo], [])
        if len(others) < 2:
            return None
        place, seed = torch.randint(0, 2**31, (2,), generator=generator).tolist()
        at = place % len(others)
        other = others[at] if others[at] != photo else others[at - 1]
        try:
            image = self.photos[other].decode()
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None
        rgb = random_crop(image, self.crop, np.random.default_rng(seed))
        return torch.from_numpy(rgb.copy()).permute(2, 0, 1).float() / 255
