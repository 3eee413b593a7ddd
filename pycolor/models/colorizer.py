"""What every model is to the rest of pycolor.

A model is a network from lightness to chroma.  Prediction, training and weight files know no more
of it than stands here, so that a new model is its own file and a card in `zoo.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pycolor import ops
from pycolor.models.inference.fuse import fold_layers

Guide = Literal["", "style", "reference"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Guidance:
    """Color that is known at some places of the chroma field.

    Attributes:
        hints: N×2×h×w ab at the cells of the field; what stands where the weight is 0 is not seen.
        weight: N×1×h×w, how far each hint is to be trusted, 0 (there is none) to 1.

    Raises:
        ValueError: the shapes do not fit together.
    """

    hints: Tensor
    weight: Tensor

    def __post_init__(self) -> None:
        n, _, h, w = self.weight.shape if self.weight.dim() == 4 else (0, 0, 0, 0)
        if self.weight.shape != (n, 1, h, w) or self.hints.shape != (n, 2, h, w):
            raise ValueError(
                "guidance needs hints N×2×h×w and weights N×1×h×w, got "
                f"{tuple(self.hints.shape)} and {tuple(self.weight.shape)}"
            )


class Colorizer(nn.Module):
    """A network from lightness to chroma.

    A subclass defines `forward`, and `palette` if it chooses from one.  What it needs of a whole
    shot, it computes in `context`.  Its last layer must be computed in float32 whatever the
    precision of the layers before: half-precision outputs would move the chroma by several units.

    Attributes:
        input_multiple: sides of the input must be multiples of it.
        output_stride: input pixels per cell of the chroma field.
        max_pixels: of an input; a larger one would not fit a usual machine's memory.
        per_shot: it has a `context` of its own, without any guide.
        anchored: it compares the places of a frame with those of others of its shot, its anchors,
            so that a material keeps its color: their `context`, joined along the last dimension,
            is taken where it is given, and a frame is colored by itself without.
        guide: what kind of picture may be given to lead it, empty if none.
        guides: all that may lead it: `hints` (a `Guidance`), a `style` or a `reference` picture.
        options: that build this network again, JSON values.
    """

    input_multiple = 8
    output_stride = 4
    max_pixels = 4096 * 2304
    per_shot = False
    anchored = False
    guide: Guide = ""
    guides: frozenset[str] = frozenset()
    options: dict[str, Any]

    def fold(self) -> None:
        """Compute ahead what every frame would repeat; called once, before predicting.

        Batch normalization goes into the convolution before it, and what is left of it does
        nothing; a subclass does so before it calls this.  Convolutions become those of
        `packed_conv` and `upsample2x`.
        """
        fold_layers(self)

    @property
    def palette(self) -> Tensor | None:
        """Chroma of the entries that `forward` scores, Q×2 ab; None if it gives chroma itself."""
        return None

    @property
    def offsets(self) -> Tensor | None:
        """What the last layer adds to the scores of the palette's entries, Q; None without it."""
        return None

    @property
    def offsets_in_light(self) -> Tensor | None:
        """What it adds further where the picture is light, Q; None if it does not look at that."""
        return None

    @property
    def decodes(self) -> bool:
        """Whether it predicts a distribution, which a temperature decodes."""
        return self.palette is not None

    def context(self, lightness: Tensor) -> Tensor | None:
        """What is computed once a shot.

        Args:
            lightness: 1×1×h×w of one frame of it, L* in 0 … 100.

        Returns:
            A tensor for `forward` and `chroma`; None for a model that colors each frame by itself.
        """
        return None

    def guided_context(self, lab: Tensor) -> Tensor:
        """The context that a picture of the user's gives.

        Args:
            lab: 1×3×h×w, of the size that the frames will have.

        Raises:
            ValueError: the model takes no such picture.
        """
        raise ValueError(f"{type(self).__name__} takes no style or reference picture")

    def check_guidance(self, guidance: Guidance | None) -> None:
        """Refuse hints that the model would not look at.

        Raises:
            ValueError: there are some, and it takes none.
        """
        if guidance is not None and "hints" not in self.guides:
            raise ValueError(f"{type(self).__name__} takes no hints")

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Scores of the palette's entries, or chroma.

        Args:
            lightness: N×1×h×w, L* in 0 … 100; h and w multiples of `input_multiple`.
            context: from `context` or `guided_context`, for all N; computed for each where it is
                needed and None.
            guidance: hints at the cells of the chroma field, for a model whose `guides` name them.

        Returns:
            N×Q×h/s×w/s logits or N×2×h/s×w/s ab, float32, where s is `output_stride`.

        Raises:
            ValueError: there are hints, and the model takes none.
        """
        raise NotImplementedError

    def chroma(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        temperature: float = 1.0,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """The chroma field.

        Args:
            lightness: as in `forward`.
            context: as in `forward`.
            temperature: at which a distribution is decoded, see `decode`; a model without a
                palette has none.
            guidance: as in `forward`.

        Returns:
            N×2×h/s×w/s ab, float32.
        """
        out = self(lightness, context) if guidance is None else self(lightness, context, guidance)
        if self.palette is None:
            return out  # type: ignore[no-any-return]
        return decode(out, self.palette, temperature)


def place(network: Colorizer, device: torch.device) -> Colorizer:
    """The network on a device, its kernels channels last: the layout that runs fastest."""
    network.to(device)
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def decode(logits: Tensor, palette: Tensor, temperature: float) -> Tensor:
    """One color from scores: the annealed mean, at T = 1 the mean, at T = 0 the mode.

    Args:
        logits: N×Q×h×w.
        palette: Q×2 ab.
        temperature: 0 or more (Zhang et al. 2016, eq. 5).

    Returns:
        N×2×h×w ab, float32.
    """
    if temperature == 0:
        return palette.float()[logits.argmax(1)].permute(0, 3, 1, 2).contiguous()
    return ops.annealed_mean(logits, palette.contiguous(), temperature)


def gray_of(lightness: Tensor) -> Tensor:
    """Display-encoded gray in 0 … 1 of L* (CIE 15, IEC 61966-2-1); any shape."""
    t = (lightness + 16) / 116
    y = torch.where(t > 6 / 29, t**3, 3 * (6 / 29) ** 2 * (t - 4 / 29)).clamp(0, 1)
    high = 1.055 * y.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(y <= 0.0031308, 12.92 * y, high)


def scaled(channels: int, width: float) -> int:
    """Channels at a width multiplier, kept a multiple of 8 for the vector units."""
    return max(8, round(channels * width / 8) * 8)


def check_width(width: float) -> None:
    """Refuse a width multiplier out of range.

    Raises:
        ValueError: it is.
    """
    if not 0 < width <= 4:
        raise ValueError(f"width must lie in (0, 4], got {width}")


def width_of(channels: Mapping[int, int]) -> float | None:
    """A width multiplier that gives these channels; None if there is none.

    Args:
        channels: at width 1 → found.
    """
    base, found = max(channels.items())
    # Rounded to multiples of 8, many widths give the same channels: the plain ratio comes first.
    near = sorted(
        ((found + quarter / 4) / base for quarter in range(-16, 17)),
        key=lambda w: abs(w - found / base),
    )
    for width in near:
        if width > 0 and all(scaled(c, width) == n for c, n in channels.items()):
            return round(width, 6)
    return None
