"""What a training run is made of: the options of `pycolor train` and of its recipes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pycolor.errors import UsageError
from pycolor.options import key_values


@dataclass(frozen=True, kw_only=True)
class CropOptions:
    """Random resized crops.

    Attributes:
        size_pixels: side of the square crop.
        min_area: smallest share of the picture's area that a crop shows.
        max_stretch: largest change of aspect ratio, as a factor.
    """

    size_pixels: int = 128
    min_area: float = 0.35
    max_stretch: float = 1.3

    def __post_init__(self) -> None:
        if self.size_pixels % 8 or self.size_pixels < 16:
            raise UsageError(
                f"size_pixels must be a multiple of 8, 16 or more, got {self.size_pixels}."
            )
        if not 0 < self.min_area <= 1:
            raise UsageError(f"min_area must lie in (0, 1], got {self.min_area}.")
        if self.max_stretch < 1:
            raise UsageError(f"max_stretch must be 1 or more, got {self.max_stretch}.")


@dataclass(frozen=True, kw_only=True)
class FilmOptions:
    """How often (a probability) and how much.

    Attributes:
        emulsion: chance of a blue- or green-sensitive response in place of the eye's.
        tone: chance of another gamma and contrast, with lifted blacks and dim whites.
        vignette: chance of dark corners.
        blur: chance of a soft lens or a copy of a copy.
        grain: chance of grain.
        scratch: chance of vertical scratches.
        fade: chance of a faded print or a thin scan, blacks up to 0.45 and a span down to 0.15,
            kept in 8 bits.
        grain_codes: largest standard deviation of grain, in 8-bit codes.
    """

    emulsion: float = 0.4
    tone: float = 0.6
    vignette: float = 0.2
    blur: float = 0.35
    grain: float = 0.5
    scratch: float = 0.08
    fade: float = 0.0
    grain_codes: float = 14.0

    def __post_init__(self) -> None:
        for name in ("emulsion", "tone", "vignette", "blur", "grain", "scratch", "fade"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must be a probability, got {getattr(self, name)}.")


@dataclass(frozen=True, kw_only=True)
class ClusteringOptions:
    """Deep Colorization's clusters of scenes (cheng2015 alone; Cheng et al. 2015, Algorithm 3).

    Attributes:
        references: photographs that the perceptrons learn from.
        short_side: of these photographs, in pixels.
        samples: pixels of each.
        clusters: on the top layer (the paper's N⁰); 1 goes without clustering.
        fewest: photographs that a perceptron needs (the paper's μ).
        enough: PSNR in dB at which a photograph leaves (the paper's −ε).
        layers: at most.
        common_steps: optimizer steps of a perceptron for all photographs, from which those of the
            clusters begin (0: they begin from chance, as in the paper).
        perceptron_steps: optimizer steps of each layer.
        perceptron_rate: learning rate there.
    """

    references: int = 2344
    short_side: int = 96
    samples: int = 256
    clusters: int = 24
    fewest: int = 80
    enough: float = 26.0
    layers: int = 2
    common_steps: int = 1200
    perceptron_steps: int = 150
    perceptron_rate: float = 2e-4

    def __post_init__(self) -> None:
        names = (
            "references",
            "short_side",
            "samples",
            "clusters",
            "fewest",
            "layers",
            "perceptron_steps",
        )
        for name in names:
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be 1 or more, got {getattr(self, name)}.")


@dataclass(frozen=True, kw_only=True)
class PairOptions:
    """Pairs of a picture and a reference (varga2017).

    Attributes:
        reference_steps: phase 1, the reference's branch alone; then the input's branch starts from
            it (0: both from the start).
        alone: share of the pictures of phase 2 that are colored without their reference.
        same_class: share of the references that are made from another picture of the class.
        min_side: smallest share of the picture's sides that a reference shows.
        turn: largest rotation of it, in radians.
        warp: largest movement of a place, as a share of half the picture.
        regrade: largest change of its tone, as the logarithm of gamma.
    """

    reference_steps: int = 0
    alone: float = 0.25
    same_class: float = 0.0
    min_side: float = 0.75
    turn: float = 0.05
    warp: float = 0.04
    regrade: float = 0.3

    def __post_init__(self) -> None:
        if self.reference_steps < 0:
            raise UsageError(f"reference_steps must be 0 or more, got {self.reference_steps}.")
        if not 0 < self.min_side <= 1:
            raise UsageError(f"min_side must lie in (0, 1], got {self.min_side}.")
        for name in ("alone", "same_class"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must be a probability, got {getattr(self, name)}.")


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What a training run is made of; the defaults fit two CPU cores and two hours.

    Attributes:
        model: a name from `pycolor models`.
        width: multiplies the hidden channels.
        network: key=value,... further options of the network, see `pycolor models NAME`.
        steps: optimizer steps in all.
        until: steps after which the run ends, the rate still on its way down (0: steps).
        batch: pictures a step.
        optimizer: adamw, muon (with adamw for what is no hidden layer's matrix), adam or adadelta.
        lr: highest learning rate.
        trunk_share: of that rate, for a trunk that comes trained with `init`.
        trunk_after: steps for which such a trunk stays as it came; its normalization keeps its
            statistics from then on, too (0: all of it learns from the start).
        only: beginning of the names of the weights that learn, such as `hints.`; the others and all
            statistics stay as they came with `init` (empty: all learn).
        warmup_steps: linear warm-up.
        decay: last share of the run over which the rate falls to zero (1 − square root).
        beta2: decay of Adam's second moment.
        drops: steps at which the rate falls to a tenth.
        weight_decay: of the weights (decoupled in AdamW).
        clip: bound of the gradient's norm.
        ema: decay of the averaged weights that are shipped.
        uniform: λ of the class rebalancing (1: none).
        last_uniform: λ of the rebalancing that the last layer is moved to once the steps are over
            (0: that which was taught); one too small to be taught, since a few pixels of the rarest
            colors would then weigh as much as whole photographs.
        restore: share of that rebalancing that the last layer takes back, from 0, rare colors as
            often as it makes them, to 1, as often as they occur.
        dark_restore: share of what is left that it takes back where the picture is dark, for a
            network whose last layer sees that (pycolor2026).
        huber: for regression in hwang2016, the error in U or V beyond which its penalty grows
            linearly (0: squared error everywhere).
        labels: scene classes for iizuka2016 and for varga2017's pairs: folder, clusters:K, or
            FILE.csv:COLUMN, a list of file names and labels (auto: folder where there are several,
            else clusters:32).
        gray_limit: pictures whose every |a| and |b| stays within it are left out.
        sampling: stem=weight,... of the tars or folders whose photographs are to be seen more or
            less often than once a pass, 0 to 16.
        made: share of each batch that are drawn and derived pictures without color (see `made`),
            for a network to say gray where nothing is known.
        guided: share of the pictures that come with hints, for a network that takes them.
        validation: photographs held out, not trained on.
        validate_every: steps between validations and checkpoints.
        patience: validations without a smaller loss after which the run ends early (0: never).
        tensorboard: also write the validations and their pictures for TensorBoard.
        seed: of everything random.
        dtype: of the arithmetic inside the network; float32 weights either way.
        device: cpu, cuda, cuda:1, …
        threads: 0 leaves torch's own choice.
        workers: decoding threads.
        keep: share of the weights of `init` in those that are written, where it has them; the rest
            are the averaged ones (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR
            2022).
        init: weights to start from, instead of from noise.
    """

    model: str = "zhang2016"
    width: float = 0.375
    network: str = ""
    steps: int = 12000
    until: int = 0
    batch: int = 32
    optimizer: Literal["adamw", "muon", "adam", "adadelta"] = "adamw"
    lr: float = 1e-3
    trunk_share: float = 1.0
    trunk_after: int = 0
    only: str = ""
    warmup_steps: int = 300
    decay: float = 0.4
    beta2: float = 0.999
    drops: tuple[int, ...] = ()
    weight_decay: float = 1e-2
    clip: float = 1.0
    ema: float = 0.998
    uniform: float = 0.5
    last_uniform: float = 0.0
    restore: float = 0.0
    dark_restore: float = 0.0
    huber: float = 0.0
    labels: str = "auto"
    gray_limit: float = 5.0
    sampling: str = ""
    made: float = 0.0
    guided: float = 0.0
    validation: int = 256
    validate_every: int = 500
    patience: int = 0
    tensorboard: bool = False
    seed: int = 0
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    device: str = "cpu"
    threads: int = 0
    workers: int = 2
    keep: float = 0.0
    init: Path | None = None
    crop: CropOptions = field(default_factory=CropOptions)
    film: FilmOptions = field(default_factory=FilmOptions)
    clustering: ClusteringOptions = field(default_factory=ClusteringOptions)
    pair: PairOptions = field(default_factory=PairOptions)

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "validate_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be 1 or more, got {getattr(self, name)}.")
        for name in ("restore", "dark_restore", "last_uniform", "made", "guided", "keep"):
            if not 0 <= getattr(self, name) <= 1:
                flag = name.replace("_", "-")
                raise UsageError(f"{flag} must lie in [0, 1], got {getattr(self, name)}.")
        if not 0 <= self.until <= self.steps:
            raise UsageError(f"until must lie in 0 … {self.steps}, got {self.until}.")
        if not 0 < self.trunk_share <= 1:
            raise UsageError(f"trunk-share must lie in (0, 1], got {self.trunk_share}.")
        if not 0 <= self.decay <= 1:
            raise UsageError(f"decay must lie in [0, 1], got {self.decay}.")
        _ = self.network_options, self.sampling_weights

    @property
    def sampling_weights(self) -> dict[str, float]:
        """Passes over the photographs of a tar or folder in one over the others, by its stem.

        Raises:
            UsageError: a weight is no number in 0 … 16.
        """
        weights: dict[str, float] = {}
        for stem, text in key_values("sampling", self.sampling).items():
            try:
                weights[stem] = float(text)
            except ValueError:
                weights[stem] = -1.0
            if not 0 <= weights[stem] <= 16:
                raise UsageError(f"sampling {stem} must be a weight in 0 to 16, got {text}.")
        return weights

    @property
    def end(self) -> int:
        """Steps that the run takes."""
        return self.until or self.steps

    @property
    def network_options(self) -> dict[str, Any]:
        """What builds the network: numbers, truth values (true, false) and words."""
        options: dict[str, Any] = {"width": self.width}
        for key, text in key_values("network", self.network).items():
            try:
                options[key] = json.loads(text)
            except ValueError:
                options[key] = text
        return options
