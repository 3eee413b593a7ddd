"""What a validation looks like: held-out pictures gray, as the network colors them, and true."""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pycolor.models.colorizer import Colorizer
from pycolor.ops.reference import lab_to_rgb

SHOWN = 8  # held-out pictures of the sheet


def sheet(lightness: Tensor, ab: Tensor, rgb: Tensor) -> Image.Image:
    """A row for each picture: gray, colored, true.

    Args:
        lightness: N×1×S×S, L* of the luma that the network saw.
        ab: N×2×h×w, its chroma field.
        rgb: N×3×S×S, the truth, 0 … 1.
    """
    chroma = F.interpolate(ab.float(), lightness.shape[2:], mode="bilinear")
    gray = lab_to_rgb(torch.cat([lightness, torch.zeros_like(chroma)], dim=1))
    colored = lab_to_rgb(torch.cat([lightness, chroma], dim=1))
    rows = torch.cat([gray, colored, rgb], dim=3).clamp(0, 1)  # side by side
    page = torch.cat(list(rows), dim=1).permute(1, 2, 0)  # one below the other
    codes = (page * 255).round().byte().cpu().numpy()
    return Image.fromarray(np.ascontiguousarray(codes))


def color(network: Colorizer, lightness: Tensor, temperature: float) -> Tensor:
    """The chroma field of each picture by itself, N×2×h×w, on the CPU.

    Torch can train on a GPU for which our kernels were not built: the few pictures do without it.
    """
    if lightness.device.type != "cpu":
        network = copy.deepcopy(network).cpu()
    fields = [network.chroma(one, None, temperature) for one in lightness.cpu().split(1)]
    return torch.cat(fields)
