"""What leads a model: a style or a reference, guided pictures, and the other frames of a shot."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pycolor import ops
from pycolor.errors import UsageError
from pycolor.models.colorizer import Guidance, Guide
from pycolor.models.guidance.guide import Guide as Examples
from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.networks.pycolor2026 import Pycolor2026
from pycolor.models.predictor.pictures import most_similar, network_size, resized
from pycolor.models.predictor.placed_network import PlacedNetwork
from pycolor.options import PredictOptions


class LedNetwork(PlacedNetwork):
    """A network on a device with what leads it.

    Args:
        options: see `PredictOptions`.

    Raises:
        UsageError: the model or the device is not known.
        FilmError: the weights cannot be read.
    """

    def __init__(self, options: PredictOptions) -> None:
        super().__init__(options)
        self.short_side = options.short_side or self.loaded.short_side
        self.guides: list[Tensor] = []  # each 1×3×h×w Lab
        self.examples: Examples | None = None

    def guide_by(self, kind: Guide, pictures: Sequence[Tensor]) -> None:
        """Have pictures lead the model.

        Args:
            kind: what the model takes them for.
            pictures: 3×H×W R'G'B' in 0 … 1, of any size.

        Raises:
            UsageError: the model takes no such pictures.
        """
        self.check_guide(kind)
        self.guides = [self.lab_of(picture) for picture in pictures]

    def check_guide(self, kind: Guide) -> None:
        """Refuse a model that pictures of a kind cannot lead.

        Raises:
            UsageError: it is one.
        """
        if self.network.guide != kind:
            name, takes = self.loaded.card.name, self.network.guide or "none"
            raise UsageError(f"{name} takes no {kind} picture; what it takes is: {takes}.")

    def lead_by(self, pictures: Sequence[GuidedPicture]) -> None:
        """Have guided pictures lead every frame; none: no longer.

        Raises:
            UsageError: the model cannot find their like in a frame.
        """
        if pictures:
            self.lead_by_any()
        with torch.inference_mode():
            self.examples = self._remembered.guide(pictures, self.taps) if pictures else None

    def lead_by_any(self) -> None:
        """Refuse a model that guided pictures cannot lead.

        Raises:
            UsageError: it is one.
        """
        if not isinstance(self.network, Pycolor2026):
            raise UsageError(
                f"{self.loaded.card.name} takes no reference picture, point or mask; what it takes "
                f"is: {self.network.guide or 'none'}."
            )

    def guidance(
        self,
        lightness: Tensor,
        frame: int | None = None,
        shot: tuple[int, int] | None = None,
    ) -> Guidance | None:
        """What the guided pictures say of a frame, for `field`; None without any.

        Args:
            lightness: 1×1×h×w, from `lightness`.
            frame: its number in the film.
            shot: first frame, and one past the last, of its shot.
        """
        if self.examples is None:
            return None
        return self.examples.guidance(self.taps(lightness), lightness, frame, shot)

    def lab_of(self, rgb: Tensor) -> Tensor:
        """A picture as 1×3×h×w Lab at the network's working size."""
        h, w = rgb.shape[1:]
        size = network_size(h, w, 1.0, self.short_side, self.network.input_multiple)
        return ops.rgb_to_lab(resized(rgb[None], size).clamp(0, 1).to(self.device))

    @property
    def anchored(self) -> bool:
        """Whether the `context` of a shot's anchors, joined, keeps a material's color."""
        return self.network.anchored and not self.guides

    @property
    def per_shot(self) -> bool:
        """Whether `context` gives anything, which `field` then wants for each frame of a shot."""
        return self.network.per_shot or bool(self.guides)

    @torch.inference_mode()
    def context(self, lightness: Tensor) -> Tensor | None:
        """What the model computes once a shot: give it to `field` with every frame of it.

        Args:
            lightness: 1×1×h×w of one frame of the shot, from `lightness`; of an `anchored` network,
                of one of several.

        Returns:
            None for a model that colors each frame by itself.
        """
        with self._arithmetic():
            if self.guides:
                guide = most_similar(lightness, self.guides)
                return self.network.guided_context(resized(guide, lightness.shape[2:]))
            if isinstance(self.network, Pycolor2026) and self.network.anchored:
                return self.network.materials(*self._looked_at(lightness, keep=True))
            return self.network.context(lightness)
