"""Our own network: what a classifier of photographs has learned to see, and Zhang's decode.

The six papers train from noise, or from VGG16 with its 138 million weights.  Here the trunk is
EfficientNet-Lite2 (Tan and Le, "EfficientNet", ICML 2019; "Lite": without squeeze-and-excitation,
with ReLU6), small and fast enough to look at every frame, and published with weights from ImageNet.
A decoder goes up from its deepest map and takes in the maps of each size on the way (Ronneberger
et al., "U-Net", MICCAI 2015); the mean of the deepest joins it, for what the picture shows as a
whole (as the global features of Iizuka et al., SIGGRAPH 2016).  Its end is that of Zhang et al.
(ECCV 2016): a distribution over 313 chroma bins at a quarter of the input's resolution, rebalanced
in training, decoded by the annealed mean.  Its last layer also sees how light each place is: how
much rarer colors are favored may depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pycolor.models import colorizer
from pycolor.models.colorizer import (
    Colorizer,
    Guidance,
    check_width,
    gray_of,
    scaled,
    width_of,
)
from pycolor.models.inference.fuse import fold_normalization
from pycolor.models.levels import lightness_of, normalized
from pycolor.models.palette import gamut_bins
from pycolor.models.surfaces import descriptors, grid_of, unified

STEM = 32
# One entry a stage: blocks, the filter's kernel, stride of the first block, expansion, channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 48),
    (4, 3, 2, 6, 88),
    (4, 5, 1, 6, 120),
    (5, 5, 2, 6, 208),
    (1, 3, 1, 6, 352),
)
TAPPED = (1, 2, 4, 6)  # stages whose last map the decoder takes: a 4th, 8th, 16th, 32nd of the size
DECODER = (192, 192, 144, 128)  # channels from the deepest map up
DARK = 15.0  # L* from which the last layer's further input rises from 0

# Weights of the trunk's maps and of the decoder's where places are compared.
ALIKE_TAPS, ALIKE_MAPS = ((1, 0.6), (2, 0.8), (3, 0.5)), (0.8, 0.8)


class _Layer(nn.Sequential):
    """Convolution, batch normalization, and what follows it.

    At stride 2 the picture is padded as TensorFlow does it, by a pixel more behind than before.
    """

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel: int,
        after: nn.Module | None,
        *,
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        before = (kernel - stride) // 2
        around = before if stride == 1 else 0
        conv = nn.Conv2d(cin, cout, kernel, stride, around, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(cout, eps=1e-3), after or nn.Identity())
        self.by_itself = groups > 1
        self.folded = False
        self.border = (before, before + 1) * 2 if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        if self.border:
            x = F.pad(x, self.border)
        if self.folded:
            return self[0](x)  # type: ignore[no-any-return]
        # Backward, single channels take oneDNN up to 18 times as long in bfloat16 as in float32.
        if self.training and self.by_itself and x.is_cpu:
            with torch.autocast("cpu", enabled=False):
                x = self[0](x.float())
        else:
            x = self[0](x)
        return self[2](self[1](x))  # type: ignore[no-any-return]

    def fold(self) -> None:
        """Put the normalization and what follows it into the convolution."""
        after = self[2]
        fold_normalization(self, after if isinstance(after, nn.ReLU | nn.ReLU6) else None)
        self.folded = True


class Block(nn.Module):
    """An inverted residual block: expand channels, filter each by itself, project them."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = cin * expansion
        self.expand = _Layer(cin, hidden, 1, nn.ReLU6()) if expansion > 1 else None
        self.filter = _Layer(hidden, hidden, kernel, nn.ReLU6(), stride=stride, groups=hidden)
        self.project = _Layer(hidden, cout, 1, None)
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.expand is None else self.expand(x)
        h = self.project(self.filter(h))
        return x + h if self.residual else h  # type: ignore[no-any-return]


class Trunk(nn.Module):
    """EfficientNet-Lite2 without its classifier, on gray."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Layer(1, STEM, 3, nn.ReLU6(), stride=2)
        self.stages = nn.ModuleList()
        cin = STEM
        for blocks, kernel, stride, expansion, channels in STAGES:
            stage = nn.Sequential()
            for i in range(blocks):
                stage.append(Block(cin, channels, kernel, stride if i == 0 else 1, expansion))
                cin = channels
            self.stages.append(stage)

    def forward(self, x: Tensor) -> list[Tensor]:
        """N×1×h×w → the tapped maps, of sizes 1/4, 1/8, 1/16, 1/32."""
        # Kernels of single channels and of 1×1 leave the layout as it comes: it is set here.
        x = self.stem(x).contiguous(memory_format=torch.channels_last)
        taps: list[Tensor] = []
        for s, stage in enumerate(self.stages):
            x = stage(x)
            if s in TAPPED:
                taps.append(x)
        return taps


class Attention(nn.Module):
    """Places of one material look at each other, wherever in the picture they lie.

    Self-attention (Vaswani et al., 2017) with normalized queries and keys (Henry et al., 2020),
    added to what came in; nothing at first.  The gain is as that of `Hints`.
    """

    GAIN = 4.0

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.keys = heads * max(8, channels // (2 * heads) // 8 * 8)
        self.mixed = nn.Conv2d(channels, 2 * self.keys + channels, 1, bias=False)
        self.sharpness = nn.Parameter(torch.full((heads, 1, 1), 4.0))
        self.out = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×h×w → the same."""
        n, c, h, w = x.shape
        parts = self.mixed(x).flatten(2).split([self.keys, self.keys, c], dim=1)
        q, k, v = (p.unflatten(1, (self.heads, -1)).transpose(2, 3) for p in parts)
        q = F.normalize(q.float(), dim=-1) * self.sharpness
        k = F.normalize(k.float(), dim=-1)
        seen = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, scale=1.0)
        seen = seen.transpose(2, 3).reshape(n, c, h, w)
        seen = seen.contiguous(memory_format=torch.channels_last)
        return x + self.out(seen) * self.GAIN  # type: ignore[no-any-return]


class Hints(nn.Module):
    """What hints add to the decoder's maps of a 16th, an 8th and a 4th of the size.

    Without offsets: where there is no hint, nothing is added.  Nothing at all at first; the gain
    lets it learn faster than what is there already.
    """

    HIDDEN, UNIT, GAIN = 24, 50.0, 16.0

    def __init__(self, c16: int, c8: int, c4: int) -> None:
        super().__init__()
        self.read = nn.Conv2d(3, self.HIDDEN, 1, bias=False)
        self.to16, self.to8, self.to4 = (
            nn.Conv2d(self.HIDDEN, c, 3, padding=1, bias=False) for c in (c16, c8, c4)
        )

    def forward(self, guidance: Guidance) -> list[Tensor]:
        """The additions N×C×h/k×w/k at a 16th, an 8th and a 4th of the input's size."""
        weight = guidance.weight.float()
        color = guidance.hints.float() * weight / self.UNIT
        added: list[Tensor] = []
        for factor, layer in ((4, self.to16), (2, self.to8), (1, self.to4)):
            # The mean of the cell's hints, and the surest of them.
            share = F.avg_pool2d(weight, factor)
            mean = F.avg_pool2d(color, factor) / share.clamp_min(1e-4)
            surest = F.max_pool2d(weight, factor)
            seen = torch.cat([mean * surest, surest], dim=1)
            added.append(layer(F.relu(self.read(seen))) * self.GAIN)
        return added


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """What the trunk sees of some pictures; computed once, decoded as often as wanted.

    Attributes:
        lightness: N×1×h×w, L* of the picture.
        light: N×1×h/4×w/4, 0 where the network finds it dark, 1 where it is light.
        taps: maps of a 4th, an 8th, a 16th and a 32nd of the size.
    """

    lightness: Tensor
    light: Tensor
    taps: tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """What the decoder makes of them.

    Attributes:
        logits: N×313×h/4×w/4, float32.
        maps: its own maps of a 16th and an 8th of the size.
    """

    logits: Tensor
    maps: tuple[Tensor, Tensor]


class Pycolor2026(Colorizer):
    """The network.

    Args:
        width: multiplies the decoder's channels; the trunk is always EfficientNet-Lite2.
        levels: it sees the picture between its own black and white, see `levels`, and colors fall
            to gray at the ends of the lightness.
        attention: it has a layer in which places of a material look at each other.
        hints: it takes hints.
        faded: with `levels`, only a picture with lifted blacks or dim whites is seen so.
        light: L* at which the last layer's further input, how light it is, reaches 1.
        reach: squared distance of features within which places are drawn to one color, see
            `surfaces` (0: they are not).
    """

    input_multiple = 32
    output_stride = 4

    def __init__(
        self,
        width: float = 1.0,
        levels: bool = False,
        attention: bool = False,
        hints: bool = False,
        reach: float = 0.0,
        light: float = 40.0,
        faded: bool = False,
    ) -> None:
        super().__init__()
        check_width(width)
        self.options = {"width": width}
        given = {
            "levels": levels,
            "attention": attention,
            "hints": hints,
            "reach": reach,
            "faded": faded,
        }
        self.options |= {name: value for name, value in given.items() if value}
        if light != 40.0:
            self.options["light"] = light
        self.levels, self.faded = levels, faded
        self.reach, self.light = reach, light
        self.guides = frozenset({"hints"} if hints else ())
        self.trunk = Trunk()
        taps = [STAGES[s][-1] for s in TAPPED]
        c32, c16, c8, c4 = (scaled(c, width) for c in DECODER)
        self.up32 = _Layer(taps[3], c32, 3, nn.ReLU())
        self.scene = nn.Conv2d(taps[3], c32, 1)
        self.up16 = _Layer(c32 + taps[2], c16, 3, nn.ReLU())
        self.attention = Attention(c16) if attention else None
        self.up8 = _Layer(c16 + taps[1], c8, 3, nn.ReLU())
        self.up4 = _Layer(c8 + taps[0], c4, 3, nn.ReLU())
        self.hints = Hints(c16, c8, c4) if hints else None
        self.last = _Layer(c4, c4, 3, nn.ReLU())
        bins = torch.tensor(gamut_bins().tolist(), dtype=torch.float32)
        self.scores = nn.Conv2d(c4 + 1, len(bins), 1)
        self.register_buffer("bins", bins, persistent=False)
        self._begin()

    def _begin(self) -> None:
        """Weights before training."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        # The scene says nothing at first, and the distribution is near uniform: a loss of ln Q.
        nn.init.zeros_(self.scene.weight)
        nn.init.normal_(self.scores.weight, std=0.01)
        for layer in (self.scene, self.scores):
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
        # Nor do what was added later: a network without them goes on as it was.
        if self.attention is not None:
            nn.init.zeros_(self.attention.out.weight)
        if self.hints is not None:
            for layer in (self.hints.to16, self.hints.to8, self.hints.to4):
                nn.init.zeros_(layer.weight)

    def fold(self) -> None:
        """Batch normalization into the convolutions before it."""
        for module in self.modules():
            if isinstance(module, _Layer) and not module.folded:
                module.fold()
        super().fold()

    @property
    def palette(self) -> Tensor:
        """Chroma of the bins, 313×2 ab."""
        return self.get_buffer("bins")

    @property
    def offsets(self) -> Tensor | None:
        """Of the scores where it is dark, 313."""
        return self.scores.bias

    @property
    def offsets_in_light(self) -> Tensor | None:
        """Of the scores, further, where it is light, 313."""
        return self.scores.weight[:, -1, 0, 0]

    def taps(self, lightness: Tensor) -> list[Tensor]:
        """What the trunk sees: maps of a 4th, an 8th, a 16th and a 32nd of the size.

        Of two pictures, places of one material are alike in them (`models.guidance`).
        """
        return list(self.encode(lightness).taps)

    def encode(self, lightness: Tensor) -> Encoded:
        """What the trunk sees.

        Args:
            lightness: N×1×h×w, as in `forward`.
        """
        if self.levels:
            gray = normalized(lightness, faded_only=self.faded)
            light = lightness_of(gray)
        else:
            gray, light = gray_of(lightness), lightness
        x4, x8, x16, x32 = self.trunk((gray * 255 - 127) / 128)
        light = (F.avg_pool2d(light, self.output_stride) - DARK) / (self.light - DARK)
        return Encoded(lightness=lightness, light=light.clamp(0, 1), taps=(x4, x8, x16, x32))

    def decode(self, seen: Encoded, guidance: Guidance | None = None) -> Decoded:
        """What the decoder makes of that, and its maps.

        The maps and `seen.taps` describe what stands at a place: of two frames, places of one
        material are alike in them.

        Args:
            seen: from `encode`.
            guidance: as in `forward`.
        """
        self.check_guidance(guidance)
        x4, x8, x16, x32 = seen.taps
        added: list[Tensor | None] = [None, None, None]
        if guidance is not None and self.hints is not None:
            added = [*self.hints(guidance)]
        x = self.up32(x32) + self.scene(x32.mean((2, 3), keepdim=True))
        x = _plus(self.up16(_joined(x, x16)), added[0])
        u16 = x = x if self.attention is None else self.attention(x)
        u8 = x = _plus(self.up8(_joined(x, x8)), added[1])
        x = _plus(self.up4(_joined(x, x4)), added[2])
        parts = [self.last(x), seen.light]
        if self.training:  # in this layout, or the recipe's sums would round otherwise
            x = torch.cat(parts, dim=1)
        else:
            # A single channel has no layout, and would undo that of the others, channels last.
            x = torch.cat([y.permute(0, 2, 3, 1) for y in parts], dim=-1).permute(0, 3, 1, 2)
        # In float32: half-precision logits would move the decoded chroma.
        with torch.autocast(x.device.type, enabled=False):
            return Decoded(logits=self.scores(x.float()), maps=(u16, u8))

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Logits over the bins N×313×H/4×W/4, see `Colorizer.forward`."""
        return self.decode(self.encode(lightness), guidance).logits

    def chroma(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        temperature: float = 1.0,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """The chroma field, see `Colorizer.chroma`."""
        seen = self.encode(lightness)
        return self.colors(seen, self.decode(seen, guidance), temperature)

    def colors(self, seen: Encoded, decoded: Decoded, temperature: float) -> Tensor:
        """Chroma N×2×h/4×w/4, float32, of what `encode` and `decode` gave."""
        logits = decoded.logits
        if self.reach:
            logits = unified(logits, self._descriptors(seen, decoded), self.reach)
        field = colorizer.decode(logits, self.palette, temperature)
        if self.levels:
            field = field * within_ends(F.avg_pool2d(seen.lightness, self.output_stride))
        return field

    def _descriptors(self, seen: Encoded, decoded: Decoded) -> Tensor:
        """Of the places of the map of an 8th of the size."""
        maps = [(seen.taps[k], w) for k, w in ALIKE_TAPS] + [
            *zip(decoded.maps, ALIKE_MAPS, strict=True)
        ]
        size = grid_of(*seen.taps[1].shape[-2:])
        return descriptors(maps, F.adaptive_avg_pool2d(seen.lightness, size))


def within_ends(lightness: Tensor) -> Tensor:
    """Share of the chroma that is kept: 1 for all L* but the ends, where black and white are gray.

    Falls smoothly to 0 from L* = 12 down to 2, and from 94 up to 99.
    """
    low = ((lightness - 2) / 10).clamp(0, 1)
    high = ((99 - lightness) / 5).clamp(0, 1)
    return low * low * (3 - 2 * low) * high * high * (3 - 2 * high)


def _plus(x: Tensor, added: Tensor | None) -> Tensor:
    return x if added is None else x + added


def _joined(deep: Tensor, tap: Tensor) -> Tensor:
    """The deeper map at the tap's size, and the tap."""
    deep = F.interpolate(deep, tap.shape[-2:], mode="bilinear", align_corners=False)
    return torch.cat([deep, tap], dim=1)


def recognize(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """The options of the network that a state dict belongs to; None if it is another's."""
    last = state.get("last.0.weight")
    if last is None or "trunk.stem.0.weight" not in state:
        return None
    width = width_of({DECODER[3]: last.shape[0]})
    if width is None:
        return None
    parts = {"attention": "attention.out.weight", "hints": "hints.read.weight"}
    return {"width": width} | {name: True for name, key in parts.items() if key in state}


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The trunk of a published EfficientNet-Lite2 state dict; ours stays as it is.

    Args:
        state: with the names of Melas-Kyriazi's PyTorch port (`_conv_stem.weight`,
            `_blocks.N._depthwise_conv.weight`, …), which that of the Lite networks keeps.

    Returns:
        Our names; gray goes into all three channels of color, so that their kernels add up.
    """
    if "_conv_stem.weight" not in state:
        return dict(state)
    out: dict[str, Tensor] = {}

    def take(ours: str, conv: str, norm: str) -> None:
        out[f"{ours}.0.weight"] = state[f"{conv}.weight"]
        for key in (k for k in state if k.startswith(f"{norm}.")):
            out[f"{ours}.1.{key.removeprefix(f'{norm}.')}"] = state[key]

    take("trunk.stem", "_conv_stem", "_bn0")
    out["trunk.stem.0.weight"] = out["trunk.stem.0.weight"].sum(1, keepdim=True)
    index = 0
    for s, (blocks, _, _, expansion, _) in enumerate(STAGES):
        for i in range(blocks):
            ours, theirs = f"trunk.stages.{s}.{i}", f"_blocks.{index}"
            if expansion > 1:
                take(f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
            take(f"{ours}.filter", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
            take(f"{ours}.project", f"{theirs}._project_conv", f"{theirs}._bn2")
            index += 1
    return out
