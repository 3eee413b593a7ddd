"""What a training run is made of: the options of `pycolor train` and of its recipes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pycolor.errors import UsageError
from pycolor.options import key_values
from pycolor.train.recipes.option_groups import (
    ClusteringOptions,
    CropOptions,
    FilmOptions,
    PairOptions,
)


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
            (0: that of the training); one too small to train with, since a few pixels of the rarest
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
        sampling: stem=weight,... of the tar files or folders whose photographs are sampled more or
            less than once an epoch, 0 to 16.
        made: share of each batch that is synthetic gray pictures, so that the network predicts gray
            where there is nothing to recognize.
        guided: share of the pictures that come with hints, for a network that takes them.
        validation: photographs held out, not trained on.
        validate_every: steps between validations and checkpoints.
        patience: validations without a smaller loss after which the run ends early (0: never).
        tensorboard: also write the validations and their pictures for TensorBoard.
        seed: of all random numbers.
        dtype: of the arithmetic inside the network; float32 weights either way.
        device: cpu, cuda, cuda:1, …
        threads: threads of torch; 0: its own choice.
        workers: decoding threads.
        resident: decode all photographs once, keep them in the device's memory and cut the crops
            there; for a GPU that would otherwise wait for the processor.
        keep: share of the weights of `init` in those that are written, where it has them; the rest
            are the averaged ones (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR
            2022).
        init: weights to start from, instead of random ones.
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
    resident: bool = False
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
