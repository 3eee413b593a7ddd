"""Groups of the options of a training run: crops, film, clusters, pairs."""

from __future__ import annotations

from dataclasses import dataclass

from pycolor.errors import UsageError


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
        emulsion: probability of a blue- or green-sensitive response in place of the eye's.
        tone: probability of another gamma and contrast, with lifted blacks and dim whites.
        vignette: probability of dark corners.
        blur: probability of a soft lens or a copy of a copy.
        grain: probability of grain.
        scratch: probability of vertical scratches.
        fade: probability of a faded print or a thin scan, blacks up to 0.45 and a span down to
            0.15, kept in 8 bits.
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
            clusters begin (0: random weights, as in the paper).
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
