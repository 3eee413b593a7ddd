"""From luma to chroma: a batch of Y' planes in, a low-resolution chroma field out.

Knows no video.  The field is what a model says; `pycolor.ops.render_chroma` puts it into a frame.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import Colorizer, Guidance, Guide, place
from pycolor.models.guidance.guide import Guide as Examples
from pycolor.models.guidance.guide import GuidedPicture, blend
from pycolor.models.guidance.looks import Grade
from pycolor.models.networks.pycolor2026 import Pycolor2026
from pycolor.options import PredictOptions

# Chroma from which on a reserve leaves colors as they are, in ab units: about the mean of
# colored photographs.
CHROMA_PIVOT = 20.0
# Weight of guidance up to which a network is told nothing of it.
SURE = 0.5

# A frame's number in the film, and the first frame and one past the last of its shot.
Place = tuple[int | None, tuple[int, int] | None]

# What the decodes are called (Zhang et al. 2016, eq. 5 and figure 2).
TEMPERATURES = {"mean": 1.0, "annealed": 0.38, "mode": 0.0}


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
        usable = torch.cuda.is_available() and not _module_missing()
        return torch.device("cuda" if usable else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as e:
        first = str(e).splitlines()[0]
        raise UsageError(f"device {name!r} cannot be used here: {first}.") from None
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"device {name!r} cannot be used here: expected cpu or cuda.")
    if device.type == "cuda" and (reason := _module_missing()):
        raise UsageError(f"device {name!r} needs pycolor's CUDA module: {reason}.")
    return device


def _module_missing() -> str:
    """Why the GPU's kernels are not here; empty where they are."""
    info = ops.build_info()
    return "" if info["cuda"] else f"it was not built ({info['cuda_reason']})"


def why_cpu(name: str) -> str:
    """What keeps `auto` from a GPU that is there, as a note; empty where nothing does."""
    if name != "auto" or not torch.cuda.is_available() or not (reason := _module_missing()):
        return ""
    return f"the CPU is used, though there is a GPU: pycolor's CUDA module is missing, {reason}"


# The process in which a network has run.  A child that is forked from it has none of the threads
# that torch and the kernels wait for.
_ran_in: int | None = None


def _check_not_forked() -> None:
    global _ran_in
    if _ran_in not in (None, os.getpid()) and torch.get_num_threads() > 1:
        raise UsageError(
            "this process was forked from one in which a model has run, whose threads it has not; "
            'expected multiprocessing.get_context("spawn"), or torch.set_num_threads(1).'
        )
    _ran_in = os.getpid()


def bfloat16_in_hardware() -> bool:
    """Whether this processor multiplies bfloat16 itself (AVX-512 BF16, AMX, Arm's BF16).

    oneDNN also takes it where AVX-512 can only imitate it, which is slower than float32.
    """
    # Names that torch does not document: where one is missing, float32 is the safe choice.
    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    takes = asked is not None and bool(asked())
    told = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # newer than torch 2.5
    if told is None or platform.machine() not in ("x86_64", "AMD64"):
        return takes
    return takes and bool(told())


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The arithmetic behind an option: bfloat16 where the hardware multiplies it."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = bfloat16_in_hardware()
    return torch.bfloat16 if native else torch.float32


def compile_network(network: Colorizer, device: torch.device) -> None:
    """Have torch.compile make the network's code, for a size of picture when it comes.

    Raises:
        UsageError: no C++ compiler is there.
    """
    compiler = os.environ.get("CXX", "g++")  # where torch looks for it
    if device.type == "cpu" and shutil.which(compiler) is None:
        raise UsageError(f"compile needs a C++ compiler, expected {compiler}; CXX names another.")
    network.compile()


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
        _check_not_forked()
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
            self.examples = Examples(pictures, self.taps) if pictures else None

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
        assert isinstance(self.network, Pycolor2026)
        x = lightness.to(self.device).contiguous(memory_format=torch.channels_last)
        with self._arithmetic():
            return self.network.encode(x).taps

    def lab_of(self, rgb: Tensor) -> Tensor:
        """A picture as 1×3×h×w Lab at the network's working size."""
        h, w = rgb.shape[1:]
        size = network_size(h, w, 1.0, self.short_side, self.network.input_multiple)
        return ops.rgb_to_lab(_resized(rgb[None], size).clamp(0, 1).to(self.device))

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
        size = network_size(
            height, width, pixel_aspect, self.short_side, self.network.input_multiple
        )
        if size[0] * size[1] > self.network.max_pixels:
            raise UsageError(
                f"{self.loaded.card.name} takes pictures of {self.network.max_pixels} pixels or "
                f"less, got {size[1]}x{size[0]}; a smaller short_side helps."
            )
        lightness = ops.mean_lightness(luma.to(self.device), size, encoding=encoding)
        return torch.rot90(lightness, quarter_turns, (2, 3))

    @torch.inference_mode()
    def context(self, lightness: Tensor) -> Tensor | None:
        """What the model computes once a shot: give it to `field` with every frame of it.

        Args:
            lightness: 1×1×h×w of one frame of the shot, from `lightness`.

        Returns:
            None for a model that colors each frame by itself.
        """
        with self._arithmetic():
            if self.guides:
                guide = most_similar(lightness, self.guides)
                return self.network.guided_context(_resized(guide, lightness.shape[2:]))
            return self.network.context(lightness)

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
    ) -> Tensor:
        """Chroma as the model sees it, led by what is known.

        Args:
            lightness: N×1×h×w, from `lightness`.
            quarter_turns: as there; the field is turned back.
            context: of the shot, from `context`; without it each frame is a shot of its own.
            places: of each frame, where it lies in the film: what guided pictures say of it
                depends on that.
            guidance: of a single picture, in place of what guided pictures say.
            grade: what is done with the colors at the end.

        Returns:
            N×2×h/s×w/s ab, float32, where s is the network's output stride.

        Raises:
            FilmError: the weights make something of it that is no number.
        """
        # On a CPU larger batches are no faster, and one by one a frame's field is the same bits
        # whatever else is colored with it.
        missing = context is None and self.per_shot
        alone = missing or self.device.type == "cpu"
        fields = []
        for i, part in enumerate(lightness.split(1) if alone else [lightness]):
            own = self.context(part) if missing else context
            if self.examples is None and guidance is None:
                fields.append(self._field(part, own))
            else:
                fields.append(self._led(part, places[i : i + len(part)], guidance))
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

    def _led(self, lightness: Tensor, places: Sequence[Place], guidance: Guidance | None) -> Tensor:
        """Chroma of frames that are led, what is known in its place."""
        network = self.network
        assert isinstance(network, Pycolor2026)
        x = lightness.contiguous(memory_format=torch.channels_last)
        with self._arithmetic():
            seen = network.encode(x)
            known = guidance or self._known(seen.taps, lightness, places)
            hints = sure(known) if "hints" in network.guides else None
            field = network.colors(seen, network.decode(seen, hints), self.temperature)
        return blend(suppress_uncertain_chroma(field, self.options.reserve), known)

    def _known(
        self, taps: Sequence[Tensor], lightness: Tensor, places: Sequence[Place]
    ) -> Guidance:
        """What the guided pictures say of some frames; computed in float32."""
        assert self.examples is not None
        with torch.autocast(self.device.type, enabled=False):
            each = [
                self.examples.guidance(
                    [x[i : i + 1] for x in taps],
                    lightness[i : i + 1],
                    *(places[i] if places else (None, None)),
                )
                for i in range(len(lightness))
            ]
        return Guidance(
            hints=torch.cat([g.hints for g in each]), weight=torch.cat([g.weight for g in each])
        )

    def _field(self, lightness: Tensor, context: Tensor | None) -> Tensor:
        x = lightness.contiguous(memory_format=torch.channels_last)
        try:
            with self._arithmetic(), self._freezing():
                field = self.network.chroma(x, context, self.temperature)
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

    def _freezing(self) -> AbstractContextManager[object]:
        """When code is compiled: weights become constants of it, laid out ahead."""
        if not self.options.compile:
            return nullcontext()
        try:
            import torch._inductor.config as inductor

            frozen: AbstractContextManager[object] = inductor.patch(freezing=True)
        except (ImportError, AttributeError):  # not documented by torch, and only faster
            return nullcontext()
        return frozen

    def predict(
        self, luma: Tensor, encoding: Encoding, pixel_aspect: float = 1.0, quarter_turns: int = 0
    ) -> Tensor:
        """`field` of `lightness`: N×H×W codes to an N×2×h×w chroma field."""
        return self.field(
            self.lightness(luma, encoding, pixel_aspect, quarter_turns), quarter_turns
        )


def sure(known: Guidance) -> Guidance:
    """What of some guidance a network is told: weights from `SURE` to 1 as weights from 0 to 1.

    A network believes its hints.  Told everything, 4 of 18 pictures that were led by one of
    something else came out worse by more than 3 %; told what is sure, 1, as when told nothing.
    The right halves of 8 photographs, led by their left ones, had ab errors of 6.3 (told nothing),
    5.8 (what is sure) and 5.7 (everything); ten true points gave 27.7 and 29.1 dB.
    """
    return replace(known, weight=((known.weight - SURE) / (1 - SURE)).clamp(0, 1))


def suppress_uncertain_chroma(field: Tensor, reserve: float) -> Tensor:
    """A field whose pale colors are drawn to gray; none is made stronger.

    The mean of a distribution is pale where a model is unsure.  There gray errs less, and is what
    a restorer would leave.  Chroma C is multiplied by C / (C + r) · (P + r) / P up to P, which is
    `CHROMA_PIVOT`, and stays as it is above.

    Args:
        field: N×2×h×w ab.
        reserve: r in ab units; 0 leaves all as it is.
    """
    if reserve == 0:
        return field
    a, b = field.split(1, dim=1)
    chroma = (a * a + b * b).sqrt()
    drawn: Tensor = field * (chroma * (1 + reserve / CHROMA_PIVOT) / (chroma + reserve)).clamp_max(
        1
    )
    return drawn


def most_similar(lightness: Tensor, pictures: Sequence[Tensor]) -> Tensor:
    """The picture whose layout of light and dark is most like a frame's.

    Args:
        lightness: 1×1×h×w of the frame, L*.
        pictures: each 1×3×h×w Lab, of any size.

    Returns:
        One of them: that of the largest correlation between thumbnails; the first of equal ones.
    """

    def thumbnail(plane: Tensor) -> Tensor:
        small = _resized(plane.float(), (16, 16)).flatten()
        return F.normalize(small - small.mean(), dim=0)

    frame = thumbnail(lightness)
    scores = [float(frame @ thumbnail(p[:, :1])) for p in pictures]
    return pictures[scores.index(max(scores))]


def _resized(planes: Tensor, size: Sequence[int]) -> Tensor:
    """N×C×H×W at another size, each new sample the mean of what it covers."""
    return F.interpolate(planes, tuple(size), mode="bilinear", antialias=True, align_corners=False)
