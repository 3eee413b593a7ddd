"""A model's network on a device: what it sees in pictures, and what it keeps of the last ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import place
from pycolor.models.inference.device import (
    check_not_forked,
    choose_device,
    choose_dtype,
    why_cpu,
)
from pycolor.models.networks.pycolor2026 import Decoded, Encoded, Pycolor2026
from pycolor.models.predictor.compilation import compile_network
from pycolor.models.predictor.remembered import Remembered
from pycolor.options import PredictOptions


class PlacedNetwork:
    """See the module.

    Args:
        options: see `PredictOptions`.

    Attributes:
        notes: what a person may want to know of the choice of the device.

    Raises:
        UsageError: the model or the device is not known.
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
        self._remembered = Remembered()

    def remember(self, most: int) -> None:
        """Keep, on a CPU, what the network sees of the last pictures, some megabytes each.

        Whoever marks a frame again and again is not kept waiting.

        Args:
            most: pictures.
        """
        self._remembered = Remembered(most)

    @torch.inference_mode()
    def taps(self, lightness: Tensor) -> Sequence[Tensor]:
        """What the network's trunk sees, see `guidance.descriptors`.

        Args:
            lightness: N×1×h×w, from `lightness`.
        """
        return self._encoded(lightness.to(self.device)).taps

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

    def _encoded(self, lightness: Tensor) -> Encoded:
        network = self.network
        assert isinstance(network, Pycolor2026)
        x = lightness.contiguous(memory_format=torch.channels_last)
        with self._arithmetic():
            return self._remembered.encoded(lightness, lambda: network.encode(x))

    def _looked_at(self, lightness: Tensor, *, keep: bool = False) -> tuple[Encoded, Decoded]:
        """What the layers make of pictures, without any guidance; kept, or not."""
        network = self.network
        assert isinstance(network, Pycolor2026)
        x = lightness.contiguous(memory_format=torch.channels_last)

        def decode() -> tuple[Encoded, Decoded]:
            seen = self._encoded(lightness) if self._remembered.many else network.encode(x)
            return seen, network.decode(seen)

        return self._remembered.decoded(lightness, decode, keep=keep)

    def _arithmetic(self) -> torch.autocast:
        low = self.dtype != torch.float32
        return torch.autocast(self.device.type, torch.bfloat16, enabled=low)
