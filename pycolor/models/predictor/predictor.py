"""From luma to chroma: a batch of Y' planes in, a low-resolution chroma field out.

Knows no video.  The field is what a model says; `pycolor.ops.render_chroma` puts it into a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError
from pycolor.models.colorizer import Guidance
from pycolor.models.guidance.gate import sure
from pycolor.models.guidance.guide import Place, blend
from pycolor.models.guidance.looks import Grade
from pycolor.models.inference.uncertain import suppress_uncertain_chroma
from pycolor.models.networks.pycolor2026 import Pycolor2026
from pycolor.models.predictor.compilation import frozen_weights
from pycolor.models.predictor.led_network import LedNetwork
from pycolor.models.predictor.pictures import input_size
from pycolor.options import PredictOptions

# What the decodes are called (Zhang et al. 2016, eq. 5 and figure 2).
TEMPERATURES = {"mean": 1.0, "annealed": 0.38, "mode": 0.0}


class Predictor(LedNetwork):
    """A model on a device, from planes of luma to fields of chroma.

    It is neither pickled nor deep-copied: another process makes one of the same options.

    Args:
        options: see `PredictOptions`.

    Attributes:
        notes: what a person may want to know of the choice of the device.

    Raises:
        UsageError: the model or the device is not known, or an option is not for this model.
        FilmError: the weights cannot be read.
    """

    def __init__(self, options: PredictOptions) -> None:
        super().__init__(options)
        self.temperature = self._temperature()

    def _temperature(self) -> float:
        """Of the decode that was asked for."""
        if self.options.decode == "auto":
            return self.loaded.temperature or 0.0
        if not self.network.decodes:
            raise UsageError(
                f"{self.loaded.card.name} with these weights predicts chroma itself; "
                f"expected decode auto, got {self.options.decode}."
            )
        return TEMPERATURES[self.options.decode]

    def lightness(
        self, luma: Tensor, encoding: Encoding, pixel_aspect: float = 1.0, quarter_turns: int = 0
    ) -> Tensor:
        """What the network sees of some planes.

        Args:
            luma: N×H×W codes, uint8 or uint16.
            encoding: of the codes.
            pixel_aspect: width of a sample over its height.
            quarter_turns: counter-clockwise turns that put the picture upright.

        Returns:
            N×1×h×w, L* in 0 … 100, upright.

        Raises:
            UsageError: the model does not take a picture of this size.
        """
        if not isinstance(luma, Tensor):
            raise UsageError(
                f"luma must be a torch tensor, N×H×W of uint8 or uint16, got "
                f"{type(luma).__name__}; torch.from_numpy makes one of an array."
            )
        height, width = luma.shape[-2:]
        try:
            size = input_size(self.network, height, width, pixel_aspect, self.short_side)
        except ValueError as e:
            raise UsageError(f"{self.loaded.card.name} {e}.") from None
        lightness = ops.mean_lightness(luma.to(self.device), size, encoding=encoding)
        return torch.rot90(lightness, quarter_turns, (2, 3))

    @torch.inference_mode()
    def field(
        self,
        lightness: Tensor,
        quarter_turns: int = 0,
        context: Tensor | None = None,
        *,
        places: Sequence[Place] = (),
        guidance: Guidance | None = None,
        grade: Grade | None = None,
        together: int = 0,
    ) -> Tensor:
        """Chroma as the model sees it, led by what is known.

        Args:
            lightness: N×1×h×w, from `lightness`.
            quarter_turns: as there; the field is turned back.
            context: of the shot, from `context`, for all frames; without it each frame is a shot of
                its own.  For an `anchored` network that of some frames, joined along the last
                dimension.
            places: of each frame, where it lies in the film: what guided pictures say of it
                depends on that.
            guidance: of a single picture, in place of what guided pictures say.
            grade: what is done with the colors at the end.
            together: pictures that a GPU takes at once, neither more nor fewer (the last one is
                repeated), so that a field's bits do not depend on the others; 0: as many as come.

        Returns:
            N×2×h/s×w/s ab, float32, where s is the network's output stride.

        Raises:
            FilmError: the weights make something of it that is no number.
        """
        # On a CPU larger batches are no faster, and one by one a frame's field is the same bits
        # whatever else is colored with it.
        missing = context is None and self.per_shot
        alone = missing or self.device.type == "cpu"
        count = 1 if alone else together or len(lightness)
        fields = []
        for first in range(0, len(lightness), count):
            part, near = lightness[first : first + count], places[first : first + count]
            here = len(part)
            if together and not alone:
                part, near = filled_up(part, near, together)
            own = self.context(part) if missing else context
            if self.examples is None and guidance is None:
                found = self._field(part, own)
            else:
                found = self._led(part, near, guidance, own)
            fields.append(found[:here])
        field = torch.cat(fields) * self.options.saturation
        if not torch.isfinite(field).all():
            raise FilmError(
                f"{self.loaded.card.name} predicts chroma that is no number: its weights "
                f"({self.loaded.sha256[:8]}) are damaged."
            )
        if grade is not None:
            h, w = field.shape[2:]
            field = grade.of(field, F.adaptive_avg_pool2d(lightness, (h, w)))
        return torch.rot90(field, -quarter_turns, (2, 3)).contiguous()

    def _led(
        self,
        lightness: Tensor,
        places: Sequence[Place],
        guidance: Guidance | None,
        context: Tensor | None,
    ) -> Tensor:
        """Chroma of frames that are led, what is known in its place."""
        network = self.network
        assert isinstance(network, Pycolor2026)
        with self._arithmetic():
            seen = self._encoded(lightness)
            known = guidance
            if known is None:
                assert self.examples is not None
                known = self.examples.guidance_of(seen.taps, lightness, places)
            hints = sure(known) if "hints" in network.guides else None
            field = network.colors(seen, network.decode(seen, hints), self.temperature, context)
        return blend(suppress_uncertain_chroma(field, self.options.reserve), known)

    def _field(self, lightness: Tensor, context: Tensor | None) -> Tensor:
        x = lightness.contiguous(memory_format=torch.channels_last)
        frozen = frozen_weights() if self.options.compile else nullcontext()
        try:
            with self._arithmetic(), frozen:
                network = self.network
                again = context is not None or self._remembered.many
                if isinstance(network, Pycolor2026) and again:
                    field = network.colors(*self._looked_at(lightness), self.temperature, context)
                else:
                    field = network.chroma(x, context, self.temperature)
                return suppress_uncertain_chroma(field, self.options.reserve)
        except RuntimeError as e:
            if not self.options.compile:
                raise
            first = (*str(e).splitlines(), type(e).__name__)[0].rstrip(".")
            raise FilmError(
                f"the compiled network fails, and may run without compile: {first}."
            ) from e

    def predict(
        self, luma: Tensor, encoding: Encoding, pixel_aspect: float = 1.0, quarter_turns: int = 0
    ) -> Tensor:
        """`field` of `lightness`: N×H×W codes to an N×2×h×w chroma field."""
        return self.field(
            self.lightness(luma, encoding, pixel_aspect, quarter_turns), quarter_turns
        )


def filled_up(
    lightness: Tensor, places: Sequence[Place], count: int
) -> tuple[Tensor, Sequence[Place]]:
    """A batch of `count` pictures, the last one repeated, and their places where they are given."""
    lacking = count - len(lightness)
    if not lacking:
        return lightness, places
    repeated = lightness[-1:].expand(lacking, -1, -1, -1)
    return torch.cat([lightness, repeated]), [*places, *[*places[-1:]] * lacking]
