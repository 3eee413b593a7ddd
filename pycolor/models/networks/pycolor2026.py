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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pycolor.models import colorizer
from pycolor.models.colorizer import Colorizer, Guidance, check_width, gray_of, scaled, width_of
from pycolor.models.networks.layers.agreement import agreeing
from pycolor.models.networks.layers.attention import Attention
from pycolor.models.networks.layers.efficientnet_lite import STAGES, TAPPED, Layer, Trunk
from pycolor.models.networks.layers.ends import within_ends
from pycolor.models.networks.layers.hints import Hints
from pycolor.models.networks.layers.levels import lightness_of, normalized, presence
from pycolor.models.networks.layers.surfaces import descriptors, grid_of, materials, unified
from pycolor.models.palette import gamut_bins

DECODER = (192, 192, 144, 128)  # channels from the deepest map up
DARK = 15.0  # L* from which the last layer's further input rises from 0

# Weights of the trunk's maps and of the decoder's where places are compared.
ALIKE_TAPS, ALIKE_MAPS = ((1, 0.6), (2, 0.8), (3, 0.5)), (0.8, 0.8)


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
        last: N×C×h/4×w/4, float32: what the last layer, which has no activation, scores.
        maps: its own maps of a 16th and an 8th of the size.
    """

    last: Tensor
    maps: tuple[Tensor, Tensor]


class Pycolor2026(Colorizer):
    """The network.

    Args:
        width: multiplies the decoder's channels; the trunk is always EfficientNet-Lite2.
        levels: it sees the picture between its own black and white, see `levels`, and colors fall
            to gray at the ends of the lightness, and where nothing is in the picture.
        attention: it has a layer in which places of a material look at each other.
        hints: it takes hints.
        faded: with `levels`, only a picture with lifted blacks or dim whites is seen so.
        light: L* at which the last layer's further input, how light it is, reaches 1.
        reach: squared distance of features within which places are drawn to one color, see
            `surfaces` (0: they are not).
        agreement: places where the hues that may be disagree are gray, see `agreement`.
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
        agreement: bool = False,
    ) -> None:
        super().__init__()
        check_width(width)
        self.options = {"width": width}
        parts = {"levels": levels, "attention": attention, "hints": hints}
        given = {**parts, "reach": reach, "faded": faded, "agreement": agreement}
        self.options |= {name: value for name, value in given.items() if value}
        if light != 40.0:
            self.options["light"] = light
        self.levels, self.faded = levels, faded
        self.reach, self.light = reach, light
        self.agreement = agreement
        self.anchored = reach > 0
        self.guides = frozenset({"hints"} if hints else ())
        self.trunk = Trunk()
        taps = [STAGES[s][-1] for s in TAPPED]
        c32, c16, c8, c4 = (scaled(c, width) for c in DECODER)
        self.up32 = Layer(taps[3], c32, 3, nn.ReLU())
        self.scene = nn.Conv2d(taps[3], c32, 1)
        self.up16 = Layer(c32 + taps[2], c16, 3, nn.ReLU())
        self.attention = Attention(c16) if attention else None
        self.up8 = Layer(c16 + taps[1], c8, 3, nn.ReLU())
        self.up4 = Layer(c8 + taps[0], c4, 3, nn.ReLU())
        self.hints = Hints(c16, c8, c4) if hints else None
        self.last = Layer(c4, c4, 3, nn.ReLU())
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
            if isinstance(module, Layer) and not module.folded:
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
        added: list[Tensor | None] = [None, None, None]
        if guidance is not None and self.hints is not None:
            added = [*self.hints(guidance)]
        last, *maps = self._decoded(seen.taps, seen.light, added)
        return Decoded(last=last, maps=(maps[0], maps[1]))

    def logits(self, last: Tensor) -> Tensor:
        """Logits over the bins N×313×h/4×w/4, float32, of `Decoded.last`."""
        # In float32: half-precision logits would move the decoded chroma.
        with torch.autocast(last.device.type, enabled=False):
            return self.scores(last)  # type: ignore[no-any-return]

    def _decoded(
        self, taps: Sequence[Tensor], light: Tensor, added: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the last layer scores, and the maps of a 16th and an 8th of the size."""
        x4, x8, x16, x32 = taps
        x = self.up32(x32) + self.scene(x32.mean((2, 3), keepdim=True))
        x = _plus(self.up16(_joined(x, x16)), added[0])
        u16 = x = x if self.attention is None else self.attention(x)
        u8 = x = _plus(self.up8(_joined(x, x8)), added[1])
        x = _plus(self.up4(_joined(x, x4)), added[2])
        parts = [self.last(x), light]
        if self.training:  # in this layout, or the recipe's sums would round otherwise
            x = torch.cat(parts, dim=1)
        else:
            # A single channel has no layout, and would undo that of the others, channels last.
            x = torch.cat([y.permute(0, 2, 3, 1) for y in parts], dim=-1).permute(0, 3, 1, 2)
        return x.float(), u16, u8

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Have torch.compile make the trunk's and the decoder's code, which `chroma` calls.

        Args:
            args: as of `torch.compile`.
            kwargs: likewise.
        """
        self.trunk.compile(*args, **kwargs)
        self._decoded = torch.compile(  # type: ignore[method-assign]
            self._decoded, *args, **kwargs
        )
        self.logits = torch.compile(  # type: ignore[method-assign]
            self.logits, *args, **kwargs
        )

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Logits over the bins N×313×H/4×W/4, see `Colorizer.forward`."""
        return self.logits(self.decode(self.encode(lightness), guidance).last)

    def chroma(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        temperature: float = 1.0,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """The chroma field, see `Colorizer.chroma`."""
        seen = self.encode(lightness)
        return self.colors(seen, self.decode(seen, guidance), temperature, context)

    def context(self, lightness: Tensor) -> Tensor | None:
        """What the places of a frame look like, for others of its shot, see `Colorizer.anchored`.

        Args:
            lightness: N×1×h×w of one frame or more.

        Returns:
            N×D×M; None where places are not compared.
        """
        if not self.reach:
            return None
        seen = self.encode(lightness)
        return self.materials(seen, self.decode(seen))

    def materials(self, seen: Encoded, decoded: Decoded) -> Tensor:
        """`context` of what `encode` and `decode` gave."""
        return materials(decoded.last, self.places(seen, decoded))

    def colors(
        self, seen: Encoded, decoded: Decoded, temperature: float, context: Tensor | None = None
    ) -> Tensor:
        """Chroma N×2×h/4×w/4, float32, of what `encode` and `decode` gave.

        Args:
            seen: from `encode`.
            decoded: from `decode`.
            temperature: of the decode.
            context: of other frames of the shot, from `context`.
        """
        last = decoded.last
        if self.reach:  # before the scores, which are linear and have more channels
            last = unified(last, self.places(seen, decoded), self.reach, context)
        logits = self.logits(last)
        field = colorizer.decode(logits, self.palette, temperature)
        if self.agreement:
            field = agreeing(field, logits, self.palette, temperature)
        if self.levels:
            small = F.avg_pool2d(seen.lightness, self.output_stride)
            field = field * within_ends(small) * presence(seen.lightness)
        return field

    def places(self, seen: Encoded, decoded: Decoded) -> Tensor:
        """Features that find places of one material, N×D×h×w, an 8th of the size: `surfaces`."""
        maps = [(seen.taps[k], w) for k, w in ALIKE_TAPS] + [
            *zip(decoded.maps, ALIKE_MAPS, strict=True)
        ]
        size = grid_of(*seen.taps[1].shape[-2:])
        return descriptors(maps, F.adaptive_avg_pool2d(seen.lightness, size))


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
