"""Hwang and Zhou, "Image Colorization with Deep Convolutional Neural Networks", Stanford 2016.

The first ten layers of VGG16 summarize; residual encoder units bring the summary back to the size
of the picture, adding a map of the trunk at each step.  The classifier sees all of the units' maps
side by side and chooses one of 50 bins for U and one for V of CIELUV; the baseline regresses U and
V from the last unit.

The paper trains with Adam (β 0.9, 0.999), 3·10⁻⁴, batch 6, pictures of 224×224, from a VGG16 that
knows ImageNet.  Which maps enter the hypercolumn, and how deep the units are, was lost with its
figure 3: the taps conv1_2, conv2_2, conv3_3, conv4_3 and the depths below are our reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pycolor import ops
from pycolor.models.colorizer import (
    Colorizer,
    Guidance,
    check_width,
    decode,
    gray_of,
    scaled,
    width_of,
)
from pycolor.models.inference.fuse import fold_normalization
from pycolor.ops.reference import WHITE_UV

Task = Literal["classification", "regression"]

BINS = 50
LIMIT = 100.0  # U and V lie in ±100; sRGB's U reaches 175, which the end bins take
# Mean and deviation that torchvision's VGG16 was trained with, in red, green, blue.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# u′v′ that sRGB reaches: a dark pixel with a large U or V has no color otherwise.
_U_RANGE, _V_RANGE = (0.12, 0.46), (0.15, 0.57)

# Output channels at width 1 of VGG16's layers by stage; a stage ends where the next one pools.
_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
_HIDDEN = (128, 64, 64)  # 3×3 layers between the hypercolumn and the heads


def bin_of(uv: Tensor) -> Tensor:
    """Bins 0 … 49 of U or V (section 3.6)."""
    return ((uv + LIMIT) * (BINS / (2 * LIMIT))).floor().clamp(0, BINS - 1).long()


def bin_means() -> Tensor:
    """The mean of each bin, −98 … 98."""
    return (torch.arange(BINS) + 0.5) * (2 * LIMIT / BINS) - LIMIT


def uv_to_ab(lightness: Tensor, uv: Tensor) -> Tensor:
    """The a*b* of U and V at some lightness, kept to chromaticities near sRGB's.

    Args:
        lightness: N×1×h×w, L*.
        uv: N×2×h×w.

    Returns:
        N×2×h×w.
    """
    scale = 13 * lightness.clamp_min(1.0)
    u = (uv[:, :1] / scale + WHITE_UV[0]).clamp(*_U_RANGE) - WHITE_UV[0]
    v = (uv[:, 1:] / scale + WHITE_UV[1]).clamp(*_V_RANGE) - WHITE_UV[1]
    luv = torch.cat([lightness, 13 * lightness * u, 13 * lightness * v], dim=1)
    return ops.luv_to_lab(luv)[:, 1:]


class _Layer(nn.Sequential):
    """Convolution, batch normalization before the ReLU (section 3.4)."""

    def __init__(self, cin: int, cout: int, kernel: int = 3) -> None:
        super().__init__(
            nn.Conv2d(cin, cout, kernel, padding=kernel // 2), nn.BatchNorm2d(cout), nn.ReLU()
        )
        self.folded = False

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self[0](x)
        return y if self.folded else F.relu(self[1](y))

    def fold(self) -> None:
        """Put the normalization and the ReLU into the convolution."""
        fold_normalization(self, nn.ReLU())
        self.folded = True


class Trunk(nn.Module):
    """VGG16 up to conv4_3, with batch normalization; the last map of each stage is tapped."""

    def __init__(self, width: float) -> None:
        super().__init__()
        cin = 3
        for s, stage in enumerate(_STAGES, start=1):
            for i, channels in enumerate(stage, start=1):
                setattr(self, f"conv{s}_{i}", _Layer(cin, scaled(channels, width)))
                cin = scaled(channels, width)

    def forward(self, x: Tensor) -> list[Tensor]:
        """N×3×h×w → conv1_2, conv2_2, conv3_3, conv4_3, of sizes 1, 1/2, 1/4, 1/8."""
        taps: list[Tensor] = []
        for s, stage in enumerate(_STAGES, start=1):
            x = F.max_pool2d(taps[-1], 2) if taps else x
            for i in range(1, len(stage) + 1):
                x = getattr(self, f"conv{s}_{i}")(x)
            taps.append(x)
        return taps


class Unit(nn.Module):
    """A residual encoder unit: a trunk's map plus the doubled summary, then a convolution."""

    def __init__(self, channels: int, cout: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = _Layer(channels, cout)

    def forward(self, tap: Tensor, summary: Tensor) -> Tensor:
        return self.conv(self.norm(tap) + _resized(summary, 2))  # type: ignore[no-any-return]


class Hwang2016(Colorizer):
    """The network; `forward` gives scores of the bins or U and V, `chroma` the color.

    Args:
        width: multiplies every hidden layer's channels.
        task: classification, the final model, or regression, the baseline (L2 or Huber).
    """

    input_multiple = 8
    output_stride = 1
    max_pixels = 1 << 21  # the hypercolumn has 512 channels at the input's own resolution

    def __init__(self, width: float = 1.0, task: Task = "classification") -> None:
        super().__init__()
        check_width(width)
        if task not in ("classification", "regression"):
            raise ValueError(f"task must be classification or regression, got {task!r}")
        self.options = {"width": width, "task": task}
        self.classifies = task == "classification"
        c1, c2, c3, c4 = (scaled(stage[-1], width) for stage in _STAGES)
        self.trunk = Trunk(width)
        self.top = _Layer(c4, c3, kernel=1)
        self.unit3 = Unit(c3, c2)
        self.unit2 = Unit(c2, c1)
        self.unit1 = Unit(c1, c1)
        if self.classifies:
            hidden = [c3 + c2 + c1 + c1, *(scaled(c, width) for c in _HIDDEN)]
            self.hidden = nn.Sequential(
                *(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(hidden))
            )
            self.head_u = nn.Conv2d(hidden[-1], BINS, 1)
            self.head_v = nn.Conv2d(hidden[-1], BINS, 1)
        else:
            self.head_uv = nn.Conv2d(c1, 2, 3, padding=1)
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                if name.startswith("trunk."):
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                else:  # what is not VGG16's (section 5.2)
                    nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)

    def fold(self) -> None:
        """Batch normalization into the convolutions before it; that of the taps stays."""
        for module in self.modules():
            if isinstance(module, _Layer) and not module.folded:
                module.fold()
        super().fold()

    @property
    def decodes(self) -> bool:
        """Whether there are bins to choose from."""
        return self.classifies

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Scores, at the input's resolution.

        Args:
            lightness: N×1×h×w, L*; sides multiples of 8.
            context: none is used.
            guidance: none is taken.

        Returns:
            N×100×h×w, the logits of U's 50 bins and of V's, or N×2×h×w, U and V; float32.
        """
        self.check_guidance(guidance)
        gray = gray_of(lightness)
        c1, c2, c3, c4 = self.trunk((gray - self.get_buffer("mean")) / self.get_buffer("deviation"))
        d4 = self.top(c4)
        d3 = self.unit3(c3, d4)
        d2 = self.unit2(c2, d3)
        d1 = self.unit1(c1, d2)
        if not self.classifies:
            with torch.autocast(d1.device.type, enabled=False):
                return self.head_uv(d1.float()) * LIMIT  # type: ignore[no-any-return]
        x = torch.cat([_resized(d4, 8), _resized(d3, 4), _resized(d2, 2), d1], dim=1)
        for layer in self.hidden:
            x = F.relu(layer(x))
        with torch.autocast(x.device.type, enabled=False):
            return torch.cat([self.head_u(x.float()), self.head_v(x.float())], dim=1)

    def chroma(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        temperature: float = 0.0,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Chroma of the chosen bins at the picture's own lightness, see `Colorizer.chroma`."""
        scores = self(lightness, context, guidance)
        return uv_to_ab(lightness, self.uv_of(scores, temperature))

    def uv_of(self, scores: Tensor, temperature: float) -> Tensor:
        """U and V of the scores, N×2×h×w; temperature 0 takes the likeliest bin's mean."""
        if not self.classifies:
            return scores
        # The decoder gives two coordinates of a color; here each head has one.
        line = torch.stack([bin_means(), torch.zeros(BINS)], dim=1).to(scores.device)
        u, v = (decode(s, line, temperature)[:, :1] for s in scores.split(BINS, dim=1))
        return torch.cat([u, v], dim=1)


def _resized(x: Tensor, factor: int) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


def recognize(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """The options of the network that a state dict belongs to; None if it is another's."""
    found: dict[int, int] = {}
    for s, stage in enumerate(_STAGES, start=1):
        tap = state.get(f"trunk.conv{s}_{len(stage)}.0.weight")
        if tap is None:
            return None
        found[stage[-1]] = tap.shape[0]
    width = width_of(found)
    if width is None:
        return None
    return {"width": width, "task": "classification" if "head_u.weight" in state else "regression"}


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The trunk of torchvision's `vgg16` or `vgg16_bn` state dict; ours stays as it is.

    Args:
        state: with the keys `features.N.weight`, `features.N.bias`, ….

    Returns:
        Our names; without batch normalization in the source, that of the trunk is left out.
    """
    if not any(key.startswith("features.") for key in state):
        return dict(state)
    normalized = "features.1.running_mean" in state
    out: dict[str, Tensor] = {}
    index = 0
    for s, stage in enumerate(_STAGES, start=1):
        for i in range(1, len(stage) + 1):
            for part, step in ((0, 0), (1, 1)) if normalized else ((0, 0),):
                prefix = f"features.{index + step}."
                for key in (k for k in state if k.startswith(prefix)):
                    out[f"trunk.conv{s}_{i}.{part}.{key.removeprefix(prefix)}"] = state[key]
            index += 3 if normalized else 2
        index += 1  # the pooling
    return out
