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
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import Guidance, Guide, place
from pycolor.models.guidance.gate import sure
from pycolor.models.guidance.guide import Guide as Examples
from pycolor.models.guidance.guide import GuidedPicture, Place, blend
from pycolor.models.guidance.looks import Grade
from pycolor.models.inference.compilation import compile_network, frozen_weights
from pycolor.models.inference.device import (
    check_not_forked,
    choose_device,
    choose_dtype,
    why_cpu,
)
from pycolor.models.inference.pictures import input_size, most_similar, network_size, resized
from pycolor.models.inference.remembered import Remembered
from pycolor.models.inference.uncertain import suppress_uncertain_chroma
from pycolor.models.networks.pycolor2026 import Decoded, Encoded, Pycolor2026
from pycolor.options import PredictOptions

# What the decodes are called (Zhang et al. 2016, eq. 5 and figure 2).
TEMPERATURES = {"mean": 1.0, "annealed": 0.38, "mode": 0.0}


class Predictor:
    """A model on a device, from planes of luma to fields of chroma.

    Args:
        options: see `PredictOptions`.

    Attributes:
        notes: what a person may want to know of the choice of the device.

    Raises:
        UsageError: the model or the device is not known, or an option is not for this model.
        FilmError: the weights cannot be read.
    """

    def __init__(self, options: PredictOptions) -> None:
        check_not_forked()
        self.options = options
        self.device = choose_device(options.device)
        note = why_cpu(options.device)
        self.notes = (note,) if note else ()
        self.dtype = choose_dtype(options.dtype, self.device)
        self.loaded = weight_files.load(options.model, options.weights)
        self.network = place(self.loaded.network, self.device)
        if options.compile:
            compile_network(self.network, self.device)
        self.short_side = options.short_side or self.loaded.short_side
        self.temperature = self._temperature()
        self.guides: list[Tensor] = []  # each 1×3×h×w Lab
        self.examples: Examples | None = None
        self._remembered = Remembered()

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

    def guide_by(self, kind: Guide, pictures: Sequence[Tensor]) -> None:
        """Have pictures lead the model.

        Args:
            kind: what the model takes them for.
            pictures: 3×H×W R'G'B' in 0 … 1, of any size.

        Raises:
            UsageError: the model takes no such pictures.
        """
        if self.network.guide != kind:
            name, takes = self.loaded.card.name, self.network.guide or "none"
            raise UsageError(f"{name} takes no {kind} picture; what it takes is: {takes}.")
        self.guides = [self.lab_of(picture) for picture in pictures]

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

    @torch.inference_mode()
    def taps(self, lightness: Tensor) -> Sequence[Tensor]:
        """What the network's trunk sees, see `guidance.descriptors`.

        Args:
            lightness: N×1×h×w, from `lightness`.
        """
        return self._encoded(lightness.to(self.device)).taps

    def remember(self, most: int) -> None:
        """Keep, on a CPU, what the network sees of the last pictures, some megabytes each.

        Whoever marks a frame again and again is not kept waiting.

        Args:
            most: pictures.
        """
        self._remembered = Remembered(most)

    def _encoded(self, lightness: Tensor) -> Encoded:
        network = self.network
        assert isinstance(network, Pycolor2026)
        x = lightness.contiguous(memory_format=torch.channels_last)
        with self._arithmetic():
            return self._remembered.encoded(lightness, lambda: network.encode(x))

    @torch.inference_mode()
    def likelihoods(self, lightness: Tensor) -> Tensor | None:
        """What the model makes of the colors that a place may have, before what is known.

        Args:
            lightness: N×1×h×w, from `lightness`.

        Returns:
            N×Q×h/s×w/s of the network's palette, sum 1; None for a model that tells one color only.
        """
        if self.network.palette is None:
            return None
        x = lightness.to(self.device).contiguous(memory_format=torch.channels_last)
        with self._arithmetic():
            network = self.network
            if isinstance(network, Pycolor2026) and self._remembered.many:
                scores = network.logits(network.decode(self._encoded(x)).last)
            else:
                scores = network(x)
            likelihoods: Tensor = scores.float().softmax(1)
        return likelihoods

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

    def _looked_at(self, lightness: Tensor, *, keep: bool = False) -> tuple[Encoded, Decoded]:
        """What the layers make of pictures, without any guidance; kept, or not."""
        network = self.network
        assert isinstance(network, Pycolor2026)
        x = lightness.contiguous(memory_format=torch.channels_last)

        def decode() -> tuple[Encoded, Decoded]:
            seen = self._encoded(lightness) if self._remembered.many else network.encode(x)
            return seen, network.decode(seen)

        return self._remembered.decoded(lightness, decode, keep=keep)

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

    def _arithmetic(self) -> torch.autocast:
        low = self.dtype != torch.float32
        return torch.autocast(self.device.type, torch.bfloat16, enabled=low)

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
