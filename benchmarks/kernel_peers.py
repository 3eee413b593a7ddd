"""What the kernels are timed against: the same work by torch, OpenCV and kornia."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import pycolor._C as _C
from pycolor.encoding import Encoding
from pycolor.ops import reference

ENCODING = Encoding()  # 8 bits, 4:2:0, chroma on the left, BT.709, limited range
TEMPERATURE, SIGMA_RANGE, SIGMA_SPACE, FLOOR, DIAMETER = 0.38, 6.0, 3.0, 0.01, 9
GUESS_DEGREE = 5  # of the kernels' polynomial (csrc/gamut.h)


def optional(name: str) -> Any:
    """The module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


# ---- decoding ----------------------------------------------------------------------------------


def decode_planes(logits: Tensor, palette: Tensor) -> Tensor:
    """Logits N×Q×h×w by softmax and a 1×1 convolution."""
    weights = torch.softmax(logits / TEMPERATURE, dim=1)
    return functional.conv2d(weights, palette.T[:, :, None, None])


def decode_pixels(logits: Tensor, palette: Tensor) -> Tensor:
    """Logits N×h×w×Q by softmax and a matrix product."""
    return torch.softmax(logits / TEMPERATURE, dim=-1) @ palette


# ---- rendering in torch ------------------------------------------------------------------------


@dataclass(frozen=True)
class RenderPlan:
    """What depends on sizes alone, made before the clock runs."""

    rows: list[Tensor]  # three indices and three weights of each chroma row
    columns: list[Tensor]
    guess: list[list[float]]  # the kernels' polynomial of the first guess
    low_size: tuple[int, int]


def render_plan(height: int, width: int, low: tuple[int, int]) -> RenderPlan:
    (cy, cx), (hc, wc) = ENCODING.chroma_center(), ENCODING.chroma_shape(height, width)
    rows = (cy + 0.5 + 2 * torch.arange(hc, dtype=torch.float64)) * low[0] / height - 0.5
    columns = (cx + 0.5 + 2 * torch.arange(wc, dtype=torch.float64)) * low[1] / width - 0.5
    table = torch.frombuffer(
        bytearray(_C.gamut_table(*ENCODING.luma_coefficients)), dtype=torch.float32
    )
    lines = GUESS_DEGREE + 1
    numbers = table[-lines * (lines + 1) // 2 :].tolist()
    guess = [[numbers.pop(0) for _ in range(lines - i)] for i in range(lines)]
    return RenderPlan(_taps(rows, low[0]), _taps(columns, low[1]), guess, low)


def _taps(position: Tensor, size: int) -> list[Tensor]:
    nearest = torch.floor(position + 0.5)
    off = position - nearest
    weights = [0.5 * (0.5 - off) ** 2, 0.75 - off**2, 0.5 * (0.5 + off) ** 2]
    indices = [(nearest + k).clamp(0, size - 1).long() for k in (-1, 0, 1)]
    return indices + [w.float() for w in weights]


def _neutral(mean: Tensor) -> tuple[Tensor, Tensor]:
    """Mean code → Y' and f(Y) of the neutral color."""
    black, white = ENCODING.luma_code_range
    y = ((mean - black) * (1 / (white - black))).clamp(0, 1)
    root = torch.exp(torch.log((y.clamp_min(0.04045) + 0.055) * (1 / 1.055)) * 0.8)
    linear = torch.where(y > 0.04045, root * root * root, y * (1 / 12.92))
    return y, torch.where(linear > 0.008856452, root, linear * 7.787037 + 4 / 29)


def _encode(x: Tensor) -> tuple[Tensor, Tensor]:
    """Linear light → display value and slope."""
    c = x.clamp(0.0031308, 1)
    p = 1.055 * torch.exp(torch.log(c) * (1 / 2.4))
    curved = x > 0.0031308
    return torch.where(curved, p - 0.055, x * 12.92), torch.where(curved, p / (2.4 * c), 12.92)


# From f³ of X, Y and Z to linear light, and the weights of luma: numbers, since a compiler ends its
# graph where a tensor is asked for them.
_LINEAR: list[list[float]] = (
    reference.XYZ_TO_LINEAR * torch.tensor(reference.WHITE_XYZ, dtype=torch.float64)
).tolist()
_KR, _KB = ENCODING.luma_coefficients
_LUMA = [_KR, 1 - _KR - _KB, _KB]


def _mix(row: list[float], x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    a, b, c = row
    return a * x + b * y + c * z


def torch_low_guide(luma: Tensor, size: tuple[int, int]) -> Tensor:
    """f(Y) of the mean luma of each cell, h×w; cells rounded to whole samples."""
    return _neutral(functional.adaptive_avg_pool2d(luma.float()[:, None], size)[0, 0])[1]


def torch_spread(field: Tensor, low: Tensor, plan: RenderPlan) -> Tensor:
    """Guide, a and b of the three columns around each sample, 9×h×wc."""
    sources = torch.stack((low, field[0, 0], field[0, 1]))
    return torch.cat([sources[:, :, plan.columns[i]] for i in range(3)])


def torch_samples(spread: Tensor, luma: Tensor, plan: RenderPlan) -> tuple[Tensor, Tensor]:
    """The chroma planes from what `torch_spread` laid out."""
    codes = luma[0].float()
    pairs = codes[0::2] + codes[1::2]
    odd = pairs[:, 1::2]
    before = torch.cat((pairs[:, :1], odd[:, :-1]), 1)
    y, neutral = _neutral((before + 2 * pairs[:, 0::2] + odd) * 0.125)
    scale = 116 / (SIGMA_RANGE * 2**0.5)
    a, b, total = torch.zeros_like(y), torch.zeros_like(y), torch.zeros_like(y)
    for j in range(3):
        near, wy = spread[:, plan.rows[j]], plan.rows[3 + j][:, None]
        for i in range(3):
            difference = (neutral - near[3 * i]) * scale
            weight = wy * plan.columns[3 + i] * (FLOOR + torch.exp(-(difference * difference)))
            total = total + weight
            a = a + weight * near[3 * i + 1]
            b = b + weight * near[3 * i + 2]
    u, v = a / total * (1 / 500), b / total * (-1 / 200)
    p, q = u / neutral, v / neutral
    guess = torch.zeros_like(p)
    for line in reversed(plan.guess):
        inner = torch.zeros_like(p)
        for number in reversed(line):
            inner = inner * q + number
        guess = guess * p + inner
    fy = neutral * guess
    f = [
        torch.where(t > 6 / 29, t * t * t, (t - 4 / 29) * 0.12841855) for t in (fy + u, fy, fy + v)
    ]
    d = [torch.where(t > 6 / 29, 3 * t * t, 0.12841855) for t in (fy + u, fy, fy + v)]
    encoded = [_encode(_mix(row, *f)) for row in _LINEAR]
    slopes = [e[1] * _mix(row, *d) for e, row in zip(encoded, _LINEAR, strict=True)]
    rest = (y - _mix(_LUMA, *(e[0] for e in encoded))) / _mix(_LUMA, *slopes).clamp_min(0.3)
    red = (encoded[0][0] + slopes[0] * rest).clamp(0, 1)
    blue = (encoded[2][0] + slopes[2] * rest).clamp(0, 1)
    neutral_code, span = ENCODING.chroma_code_range
    cb = neutral_code + (blue - y) * (span / (2 * (1 - _KB)))
    cr = neutral_code + (red - y) * (span / (2 * (1 - _KR)))
    return cb.round().to(torch.uint8)[None], cr.round().to(torch.uint8)[None]


class TorchRender:
    """The algorithm of `ops.render_chroma` for one 8-bit 4:2:0 frame of even size, in torch.

    Kinder to torch than to us: colors beyond the gamut are clipped instead of searched for.  Cut
    in three where the compiler, left alone, would gather sample by sample.
    """

    def __init__(self, plan: RenderPlan, *, compiled: bool) -> None:
        self.plan = plan
        wrap: Any = partial(torch.compile, dynamic=False) if compiled else (lambda f: f)
        self.low_guide, self.spread = wrap(torch_low_guide), wrap(torch_spread)
        self.samples = wrap(torch_samples)

    def __call__(self, field: Tensor, luma: Tensor) -> tuple[Tensor, Tensor]:
        low = self.low_guide(luma, self.plan.low_size)
        result: tuple[Tensor, Tensor] = self.samples(
            self.spread(field, low, self.plan), luma, self.plan
        )
        return result


# ---- whole frames by other libraries -----------------------------------------------------------


class OpenCVFrame:
    """Decoding by torch, then OpenCV: resize, filter at full size, Lab → RGB → 4:2:0."""

    def __init__(self, cv2: Any, logits: Tensor, palette: Tensor, luma: Tensor) -> None:
        self.cv2 = cv2
        self.logits = logits.permute(0, 2, 3, 1).contiguous()
        self.palette, self.luma = palette, luma[0].numpy()
        levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 256)
        table = reference.luma_to_lightness(levels, encoding=ENCODING)
        self.lightness_of = table.reshape(256).numpy()

    def _lab(self) -> tuple[Any, Any]:
        ab = decode_pixels(self.logits, self.palette)[0].numpy()
        height, width = self.luma.shape
        large = self.cv2.resize(ab, (width, height), interpolation=self.cv2.INTER_LINEAR)
        lightness = self.cv2.LUT(self.luma, self.lightness_of)
        a, b = self.cv2.split(large)
        return self.cv2.merge((lightness, a, b)), lightness

    def _planes(self, lab: Any) -> Any:
        rgb = self.cv2.cvtColor(lab, self.cv2.COLOR_Lab2RGB)
        codes = self.cv2.convertScaleAbs(rgb, alpha=255)
        height = self.luma.shape[0]
        return self.cv2.cvtColor(codes, self.cv2.COLOR_RGB2YUV_I420)[height:]

    def bilateral(self) -> Any:
        lab, lightness = self._lab()
        joint = self.cv2.ximgproc.jointBilateralFilter
        lab = joint(lightness, lab, DIAMETER, SIGMA_RANGE, SIGMA_SPACE)
        return self._planes(self.cv2.merge((lightness, lab[..., 1].copy(), lab[..., 2].copy())))

    def guided(self) -> Any:
        lab, lightness = self._lab()
        lab = self.cv2.ximgproc.guidedFilter(lightness, lab, 8, 10.0)
        return self._planes(self.cv2.merge((lightness, lab[..., 1].copy(), lab[..., 2].copy())))


def kornia_frame(kornia: Any, logits: Tensor, palette: Tensor, luma: Tensor) -> Tensor:
    """Decoding by torch, then kornia: filter at full size, Lab → RGB; the rest by torch."""
    ab = decode_planes(logits, palette)
    ab = functional.interpolate(ab, size=luma.shape[1:], mode="bilinear")
    _, neutral = _neutral(luma[:, None].float())
    lightness = 116 * neutral - 16
    ab = kornia.filters.joint_bilateral_blur(
        ab, lightness, DIAMETER, SIGMA_RANGE, (SIGMA_SPACE, SIGMA_SPACE)
    )
    rgb = kornia.color.lab_to_rgb(torch.cat((lightness, ab), 1))
    small = functional.avg_pool2d(rgb, 2)
    cb, cr = reference.rgb_to_ycbcr(small)[:, 1:].unbind(1)
    neutral_code, span = ENCODING.chroma_code_range
    return torch.stack((cb, cr)).mul_(span).add_(neutral_code).round_().to(torch.uint8)


def opencv_bilateral(cv2: Any, lab: np.ndarray[Any, Any], lightness: np.ndarray[Any, Any]) -> Any:
    return cv2.ximgproc.jointBilateralFilter(lightness, lab, DIAMETER, SIGMA_RANGE, SIGMA_SPACE)


def opencv_lab(cv2: Any, lab: np.ndarray[Any, Any]) -> Any:
    """Lab H×W×3 float → R'G'B' codes of 8 bits."""
    return cv2.convertScaleAbs(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), alpha=255)


def codes_of(rgb: Tensor) -> Tensor:
    """R'G'B' in 0…1 → codes of 8 bits."""
    return (rgb.clamp(0, 1) * 255).round().to(torch.uint8)


def torch_lab(lab: Tensor) -> Tensor:
    """Lab N×3×H×W → R'G'B' codes of 8 bits."""
    return codes_of(reference.lab_to_rgb(lab))


def skimage_lab(color: Any, lab: np.ndarray[Any, Any]) -> Tensor:
    """The same by scikit-image, H×W×3."""
    return codes_of(torch.from_numpy(color.lab2rgb(lab)))
