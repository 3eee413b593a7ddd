"""How near is one picture to another, and how colorful is it?"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from pycolor.evaluate.metrics.batches import Batch, doubles, pair
from pycolor.system.optional import extra

AB_SPAN = 220.0  # of a and of b: −110 … 110
GRAY_LIMIT = 5.0  # |a| and |b| up to which a color is gray (Zhang et al. 2016, published code)

# The window of SSIM, and its constants K1 and K2 (Wang et al. 2004).
WINDOW_PIXELS, WINDOW_SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03


def psnr(a: Batch, b: Batch, peak: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in dB, over all channels; +inf for equal pictures.

    Args:
        a: N×C×H×W.
        b: the same shape.
        peak: largest value a sample can take.
    """
    first, second = pair(a, b, "N×C×H×W")
    error = (first - second).square().flatten(1).mean(1)
    return 10 * torch.log10(peak**2 / error)


def ab_psnr(a: Batch, b: Batch) -> Tensor:
    """PSNR of chroma alone, in dB; the peak is the 220 units that a and b span.

    Args:
        a: N×2×H×W chroma.
        b: the same shape.
    """
    first, second = pair(a, b, "N×2×H×W")
    return psnr(first, second, peak=AB_SPAN)


def ssim(a: Batch, b: Batch) -> Tensor:
    """Structural similarity (Wang et al. 2004), by scikit-image; the mean over channels.

    The window is the paper's: 11×11 pixels, Gaussian, σ = 1.5.

    Args:
        a: N×C×H×W in 0 … 1, sides of 11 pixels or more.
        b: the same shape.

    Returns:
        N values in −1 … 1; 1 for equal pictures.

    Raises:
        UsageError: scikit-image is not installed.
        ValueError: the pictures are smaller than the window.
    """
    similarity = extra("skimage.metrics").structural_similarity
    first, second = pair(a, b, "N×C×H×W")
    _expect_window(first)
    return torch.tensor(
        [
            similarity(
                x,
                y,
                data_range=1.0,
                channel_axis=0,
                gaussian_weights=True,
                sigma=WINDOW_SIGMA,
                use_sample_covariance=False,
            )
            for x, y in zip(first.cpu().numpy(), second.cpu().numpy(), strict=True)
        ],
        dtype=torch.float64,
    )


def qssim(a: Batch, b: Batch) -> Tensor:
    """Quaternion structural similarity (Kolaman and Yadid-Pecht 2012).

    A pixel is the quaternion iR + jG + kB, and SSIM's products become p·q̄, whose real part is
    the sum over channels and whose vector part the cross product; the modulus is averaged.  As a
    pixel's modulus reaches √3, the constants are (0.01 √3)² and (0.03 √3)²: for gray pictures
    the map is then |SSIM|.

    The modulus does not tell hues apart where there is no texture: an even red and an even blue
    of one brightness score 1.  Read it beside `ab_auc` or `ciede2000`.

    Args:
        a: N×3×H×W RGB in 0 … 1, sides of 11 pixels or more.
        b: the same shape.

    Returns:
        N values, 0 … 1; 1 for equal pictures.

    Raises:
        ValueError: the pictures are smaller than the window.
    """
    first, second = pair(a, b, "N×3×H×W")
    _expect_window(first)
    mean_a, mean_b = _local_mean(first), _local_mean(second)
    energy = _energy(mean_a) + _energy(mean_b)
    spread = _local_mean(_energy(first) + _energy(second)) - energy
    of_means = _product(mean_a, mean_b)
    covariance = _local_mean(_product(first, second)) - of_means
    luminance = _similarity(of_means, energy, 3 * K1**2)
    structure = _similarity(covariance, spread, 3 * K2**2)
    return (luminance * structure).flatten(1).mean(1)


def ciede2000(lab_a: Batch, lab_b: Batch) -> Tensor:
    """Mean color difference ΔE00 (CIE 142; Sharma, Wu, Dalal 2005), by scikit-image.

    Args:
        lab_a: N×3×H×W: L in 0 … 100, a, b.
        lab_b: the same shape.

    Returns:
        N values; about 1 is just noticeable.

    Raises:
        UsageError: scikit-image is not installed.
    """
    difference = extra("skimage.color").deltaE_ciede2000
    first, second = pair(lab_a, lab_b, "N×3×H×W")
    apart = difference(first.cpu().numpy(), second.cpu().numpy(), channel_axis=1)
    means: Tensor = torch.from_numpy(apart).flatten(1).mean(1)
    return means


def colorfulness(rgb: Batch) -> Tensor:
    """Colorfulness M of Hasler and Süsstrunk, 2003, with signed opponent axes.

    Args:
        rgb: N×3×H×W, display-encoded, 0 … 1.

    Returns:
        N values; 0 is gray, above 80 is very colorful (the scale of 8-bit codes).
    """
    r, g, b = (doubles(rgb, "N×3×H×W") * 255).unbind(1)
    rg, yb = (r - g).flatten(1), ((r + g) / 2 - b).flatten(1)
    spread = (rg.var(1, correction=0) + yb.var(1, correction=0)).sqrt()
    offset = (rg.mean(1).square() + yb.mean(1).square()).sqrt()
    return spread + 0.3 * offset


def gray_share(ab: Batch, limit: float = GRAY_LIMIT) -> Tensor:
    """Share of the pixels that are left gray: |a| and |b| of at most `limit`.

    Args:
        ab: N×2×H×W chroma.
        limit: in ab units.
    """
    return (doubles(ab, "N×2×H×W").abs().amax(1) <= limit).double().flatten(1).mean(1)


def clipped_share(rgb: Batch, tolerance: float = 0.5 / 255) -> Tensor:
    """Share of the pixels whose color, not gray, has a component at an end of the range or beyond.

    Of unclipped values (a film's Y'CbCr, a model's Lab) it tells what display will cut off; of
    stored RGB, what has been cut off already, and what was as saturated as RGB can be.

    Args:
        rgb: N×3×H×W, display-encoded; 0 … 1 is the gamut.
        tolerance: half a code of 8 bits; components that differ by twice that much are not gray.
    """
    values = doubles(rgb, "N×3×H×W")
    low, high = values.amin(1), values.amax(1)
    ends = (low < tolerance) | (high > 1 - tolerance)
    colored = high - low > 2 * tolerance
    return (ends & colored).double().flatten(1).mean(1)


def _expect_window(pictures: Tensor) -> None:
    if min(pictures.shape[2:]) < WINDOW_PIXELS:
        raise ValueError(
            f"expected pictures of {WINDOW_PIXELS}×{WINDOW_PIXELS} or more, got "
            f"{'×'.join(map(str, pictures.shape[2:]))}"
        )


def _local_mean(x: Tensor) -> Tensor:
    """Gaussian means of N×C×H×W where the window lies inside: N×C×(H − 10)×(W − 10)."""
    at = torch.arange(WINDOW_PIXELS, dtype=x.dtype, device=x.device) - WINDOW_PIXELS // 2
    taps = torch.softmax(at.square() / (-2 * WINDOW_SIGMA**2), 0)
    flat = x.flatten(0, 1)[:, None]
    lines = F.conv2d(F.conv2d(flat, taps[None, None, :, None]), taps[None, None, None, :])
    return lines.reshape(*x.shape[:2], *lines.shape[2:])


def _energy(p: Tensor) -> Tensor:
    """|p|² of N×3×H×W pure quaternions, N×1×H×W."""
    return p.square().sum(1, keepdim=True)


def _product(p: Tensor, q: Tensor) -> Tensor:
    """Products p q̄ of pure quaternions, N×4×H×W: p·q, then −p × q."""
    dot = (p * q).sum(1, keepdim=True)
    return torch.cat([dot, torch.linalg.cross(q, p, dim=1)], dim=1)


def _similarity(product: Tensor, energy: Tensor, constant: float) -> Tensor:
    """|2 p q̄ + C| / (|p|² + |q|² + C), N×1×h×w."""
    numerator = 2 * product
    numerator[:, 0] += constant
    modulus: Tensor = torch.linalg.vector_norm(numerator, dim=1, keepdim=True)
    return modulus / (energy + constant)
