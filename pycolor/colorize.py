"""From luma to chroma: a batch of Y' planes in, a low-resolution chroma field out.

Knows no video.  The field is what a model says; `pycolor.ops.render_chroma` puts it into a frame.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.errors import UsageError
from pycolor.models import zoo
from pycolor.options import PredictOptions


def network_size(
    height: int, width: int, pixel_aspect: float, short_side: int, multiple: int
) -> tuple[int, int]:
    """Size of the network's input: the display aspect kept, both sides multiples of `multiple`.

    Args:
        height: of the plane, in samples.
        width: of the plane, in samples.
        pixel_aspect: width of a sample over its height.
        short_side: wanted, in pixels.
        multiple: that the network asks for.
    """
    display = width * pixel_aspect
    scale = short_side / min(height, display)
    return (
        max(multiple, round(height * scale / multiple) * multiple),
        max(multiple, round(display * scale / multiple) * multiple),
    )


def choose_device(name: str) -> torch.device:
    """The device behind an option.

    Raises:
        UsageError: it is not there.
    """
    if name == "auto":
        # The GPU path needs our CUDA module too: the network's output never leaves the device.
        usable = torch.cuda.is_available() and ops.build_info()["cuda"]
        return torch.device("cuda" if usable else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as e:
        first = str(e).splitlines()[0]
        raise UsageError(f"device {name!r} cannot be used here: {first}.") from None
    return device


def bfloat16_in_hardware() -> bool:
    """Whether this processor multiplies bfloat16 itself (AVX-512 BF16, AMX, SVE)."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The arithmetic behind an option: bfloat16 where the hardware multiplies it."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = bfloat16_in_hardware()
    return torch.bfloat16 if native else torch.float32


class Predictor:
    """A model on a device, from planes of luma to fields of chroma.

    Args:
        options: see `PredictOptions`.

    Raises:
        UsageError: the model or the device is not known.
        FilmError: the weights cannot be read.
    """

    def __init__(self, options: PredictOptions) -> None:
        self.options = options
        self.device = choose_device(options.device)
        self.dtype = choose_dtype(options.dtype, self.device)
        self.loaded = zoo.load(options.model, options.weights)
        self.network = zoo.place(self.loaded.network, self.device)
        self.palette = self.network.palette.contiguous()
        self.short_side = options.short_side or self.loaded.card.short_side

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
        """
        height, width = luma.shape[-2:]
        size = network_size(
            height, width, pixel_aspect, self.short_side, self.network.input_multiple
        )
        lightness = ops.mean_lightness(luma.to(self.device), size, encoding=encoding)
        return torch.rot90(lightness, quarter_turns, (2, 3))

    @torch.inference_mode()
    def field(self, lightness: Tensor, quarter_turns: int = 0) -> Tensor:
        """Chroma as the model sees it.

        Args:
            lightness: N×1×h×w, from `lightness`.
            quarter_turns: as there; the field is turned back.

        Returns:
            N×2×h/s×w/s ab, float32, where s is the network's output stride.
        """
        x = lightness.contiguous(memory_format=torch.channels_last)
        low = self.dtype != torch.float32
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low):
            logits = self.network(x)
        temperature = self.loaded.card.temperature
        field = ops.annealed_mean(logits, self.palette, temperature) * self.options.saturation
        return torch.rot90(field, -quarter_turns, (2, 3)).contiguous()

    def predict(
        self, luma: Tensor, encoding: Encoding, pixel_aspect: float = 1.0, quarter_turns: int = 0
    ) -> Tensor:
        """`field` of `lightness`: N×H×W codes to an N×2×h×w chroma field."""
        return self.field(
            self.lightness(luma, encoding, pixel_aspect, quarter_turns), quarter_turns
        )
