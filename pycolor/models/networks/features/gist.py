"""The gist of a scene: how much of each scale and orientation lies in each part of the picture.

A. Oliva, A. Torralba, "Modeling the Shape of the Scene", IJCV 42, 2001: energies of a bank of
Gabor filters, averaged over a coarse grid, after the local contrast has been evened out.
"""

from __future__ import annotations

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 128  # pixels: every picture is seen at this size, squashed to a square
SCALES = 4
ORIENTATIONS = 8
GRID = 4
CHANNELS = SCALES * ORIENTATIONS * GRID * GRID
_MARGIN = 16  # pixels of mirrored border: a filter must not see across the picture's edge
_CONTRAST_CYCLES = 4.0  # per picture: below it lies the shading that the whitening takes away


def _frequencies(size: int) -> tuple[Tensor, Tensor]:
    """Cycles per pixel down and right, of a size×size transform."""
    f = torch.fft.fftfreq(size, dtype=torch.float64)
    return f[:, None], f[None, :]


@functools.cache
def _bank() -> Tensor:
    """Transfer functions, one a scale and orientation, 32×S×S, finest scale first.

    Log-Gaussian in frequency, Gaussian in angle; octaves apart, so that neighbors meet at half.
    """
    fy, fx = _frequencies(SIDE + 2 * _MARGIN)
    radius = torch.hypot(fy, fx)
    radius[0, 0] = 1e-9
    angle = torch.atan2(fy, fx)
    filters = []
    for scale in range(SCALES):
        center = 0.25 / 2**scale
        radial = torch.exp(-(torch.log2(radius / center) ** 2) / (2 * 0.55**2))
        for k in range(ORIENTATIONS):
            turned = angle - math.pi * k / ORIENTATIONS
            turned = torch.atan2(torch.sin(turned), torch.cos(turned))
            filters.append(radial * torch.exp(-(turned**2) / (2 * (math.pi / 16) ** 2)))
    return torch.stack(filters).float()


@functools.cache
def _low_pass() -> Tensor:
    """The Gaussian that separates shading from structure."""
    fy, fx = _frequencies(SIDE + 2 * _MARGIN)
    cut = _CONTRAST_CYCLES / SIDE / math.sqrt(math.log(2))
    return torch.exp(-(fy**2 + fx**2) / cut**2).float()


def _even_contrast(picture: Tensor) -> Tensor:
    """The logarithm of the picture without its shading, over its local deviation."""
    low = _low_pass().to(picture.device)

    def smooth(x: Tensor) -> Tensor:
        back: Tensor = torch.fft.ifft2(torch.fft.fft2(x) * low).real
        return back

    structure = torch.log1p(picture)
    structure = structure - smooth(structure)
    return structure / (0.2 + smooth(structure**2).clamp_min(0).sqrt())


def gist(gray: Tensor) -> Tensor:
    """The descriptor of whole pictures.

    Args:
        gray: N×1×H×W, 0 … 1.

    Returns:
        N×512: scale by scale (fine to coarse), orientation by orientation, the 4×4 cells row by
        row; ≥ 0.
    """
    small = F.interpolate(gray, (SIDE, SIDE), mode="bilinear", antialias=True)
    picture = F.pad(small, (_MARGIN,) * 4, mode="reflect")[:, 0] * 255
    spectrum = torch.fft.fft2(_even_contrast(picture))
    cells = []
    for transfer in _bank().to(gray.device):
        energy = torch.fft.ifft2(spectrum * transfer).abs()
        inner = energy[:, None, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        cells.append(F.avg_pool2d(inner, SIDE // GRID).flatten(1))
    return torch.cat(cells, dim=1)
