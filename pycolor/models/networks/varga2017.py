"""Varga and Szirányi, "Twin Deep Convolutional Neural Network for Example-based Image
Colorization", CAIP 2017.

Two networks of Zhang et al. 2016 side by side: the input's branch I colors the picture, the
reference's branch R sees another picture of the scene.  They exchange what they know by adding
feature maps: after block 3 R's to I's, after block 4 I's to R's, and so on in turn, up to block 7.

In film the reference is a colored still of the shot.  The paper's reference has luma alone, which
carries no color to the network; here it has chroma too, unless `reference_channels` is 1.  Without
a reference I colors alone, as it also learns to.

The paper trains R alone first, then both on pairs of one scene, with Adam (β 0.9, 0.999), 10⁻⁴,
early stopping, and the rebalanced loss of Zhang et al. under a prior of its own pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pycolor.models.colorizer import Colorizer, Guidance
from pycolor.models.networks import zhang2016
from pycolor.models.networks.zhang2016 import Zhang2016

# After these blocks' normalization R's maps are added to I's, after the ones between, I's to R's.
TO_INPUT = (3, 5, 7)
_CHROMA_UNIT = 110.0  # of the reference's ab, as of Zhang's palette


class Varga2017(Colorizer):
    """The twin network; at `width` 1 each branch is the published one of Zhang et al. 2016.

    The context is what the reference's branch makes of the still before it hears of the input: the
    maps of its blocks 3 and 4.  It is computed once a shot; the blocks after it see both pictures
    and run for each frame.

    Args:
        width: multiplies every hidden layer's channels.
        reference_channels: 3 shows R the still's lightness and chroma, 1 its lightness alone.
    """

    input_multiple = 8
    output_stride = 4
    guide = "reference"
    guides = frozenset({"reference"})

    def __init__(self, width: float = 1.0, reference_channels: int = 3) -> None:
        super().__init__()
        if reference_channels not in (1, 3):
            raise ValueError(f"reference_channels must be 1 or 3, got {reference_channels}")
        self.options = {"width": width, "reference_channels": reference_channels}
        self.reference_channels = reference_channels
        self.input = Zhang2016(width)
        self.reference = Zhang2016(width, inputs=reference_channels)

    @property
    def palette(self) -> Tensor | None:
        """Chroma of the bins, 313×2 ab."""
        return self.input.palette

    def guided_context(self, lab: Tensor) -> Tensor:
        """The reference's maps before the exchange.

        Args:
            lab: N×3×h×w, of the frames' size.

        Returns:
            N×(C3 + C4)×h/8×w/8: those of block 3 and of block 4, side by side.
        """
        x = self._reference_input(lab)
        for k in (1, 2, 3):
            x = self.reference.block(k, x)
        return torch.cat([x, self.reference.block(4, x)], dim=1)

    def _reference_input(self, lab: Tensor) -> Tensor:
        lightness = (lab[:, :1] - 50) / 100
        if self.reference_channels == 1:
            return lightness
        return torch.cat([lightness, lab[:, 1:] / _CHROMA_UNIT], dim=1)

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Logits over the bins, N×313×h/4×w/4, see `Colorizer.forward`."""
        self.check_guidance(guidance)
        if context is None:
            return self.input(lightness)  # type: ignore[no-any-return]
        return self.input.logits_of(self._exchanged(lightness, context)[0])

    def _exchanged(
        self, lightness: Tensor, context: Tensor, heard: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Both branches' maps after block 7 and its exchange."""
        x = (lightness - 50) / 100
        for k in (1, 2, 3):
            x = self.input.block(k, x)
        r3, r = context.to(x.dtype).split([x.shape[1], context.shape[1] - x.shape[1]], dim=1)
        told = 1.0 if heard is None else heard.to(x.dtype)
        x = self.input.block(4, x + r3 * told)
        r = r + x
        for k in (5, 6, 7):
            x, r = self.input.block(k, x), self.reference.block(k, r)
            if k in TO_INPUT:
                x = x + r * told
            else:
                r = r + x
        return x, r

    def both(self, lightness: Tensor, context: Tensor, heard: Tensor) -> tuple[Tensor, Tensor]:
        """For training: the logits of both branches.

        Args:
            lightness: N×1×h×w, L*.
            context: N×C×h/8×w/8, from `guided_context`.
            heard: N×1×1×1, 0 where the input's branch does not get the reference.
        """
        x, r = self._exchanged(lightness, context, heard)
        return self.input.logits_of(x), self.reference.logits_of(r)

    def reference_logits(self, lab: Tensor) -> Tensor:
        """What R alone says of the reference's own chroma: phase 1 of the training."""
        x = self._reference_input(lab)
        for k in range(1, 8):
            x = self.reference.block(k, x)
        return self.reference.logits_of(x)

    def copy_reference_to_input(self) -> None:
        """Start the input's branch from the reference's weights; its first layer takes L alone."""
        state = self.reference.state_dict()
        state["model1.0.weight"] = state["model1.0.weight"][:, :1]
        self.input.load_state_dict(state)


def recognize(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """The options of the network that a state dict belongs to; None if it is another's."""
    prefix = "input."
    branch = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    found = zhang2016.recognize(branch)
    first = state.get("reference.model1.0.weight")
    if found is None or first is None or found["task"] != "classification":
        return None
    return {"width": found["width"], "reference_channels": first.shape[1]}


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A zhang2016 state dict as both branches', R's chroma weighing nothing yet; ours as it is."""
    if zhang2016.recognize(state) is None:
        return dict(state)
    branch = zhang2016.convert(state)
    out = {
        f"{name}.{key}": value for name in ("input", "reference") for key, value in branch.items()
    }
    first = branch["model1.0.weight"]
    out["reference.model1.0.weight"] = torch.cat([first, *(torch.zeros_like(first),) * 2], dim=1)
    return out
