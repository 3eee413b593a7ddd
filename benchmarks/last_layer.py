"""Where the last layer of pycolor2026 is moved to once it is trained, and the decode's temperature.

python -m benchmarks.last_layer RUN DATA... [--gain 0.7] [--pictures 900]

What is taught is p w, likelihood times the weight of a color.  What is wanted of the decoded chroma
is little error for all pixels alike and for all colors alike, by the very areas that the results
report: the mean error, and that of pixels weighed by how rare their color is.  So a dozen numbers,
coefficients of a basis over the palette in the dark and, further, in the light, and T are fitted to
a mixture of both on crops of training photographs, half of them as film has them, and of pictures
without color.  (All 40,000 weights of the layer, fitted so, colored photographs that were held out
worse than before.)  Prints the lines of the recipe.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
import tyro
from PIL import Image
from torch import Tensor, nn

from pycolor.models import palette as alphabet
from pycolor.models import zoo
from pycolor.models.ends import within_ends
from pycolor.models.networks.pycolor2026 import Pycolor2026
from pycolor.models.surfaces import unified
from pycolor.ops.reference import rgb_to_lab
from pycolor.train.data.augment import CLEAN, film_luma
from pycolor.train.data.made import grays
from pycolor.train.data.photos import Photo, find_photos
from pycolor.train.loop import CHECKPOINT
from pycolor.train.objectives.zhang2016 import shift_basis
from pycolor.train.option_groups import FilmOptions
from pycolor.train.recipes.recipe import read_recipe
from pycolor.train.validation import luma_lightness

Prior = npt.NDArray[np.float64]

CELLS = 192  # of each picture
MADE = 12  # one picture in so many has no color
RARE = 0.02  # λ of the weights by color: as good as all alike
MADE_WEIGHT = 2.0
BATCH, EPOCHS, RATE = 8192, 8, 0.05


@dataclass(frozen=True)
class Fit:
    """What is fitted, on what.

    Attributes:
        run: folder of a training, whose checkpoint holds the last layer as it was taught.
        data: folders and tars of photographs.
        gain: share of the errors by color in the mixture; the rest is of all pixels alike.
        pictures: photographs to look at.
        seed: of what is chosen.
    """

    run: tyro.conf.Positional[Path]
    data: tyro.conf.Positional[tuple[Path, ...]]
    gain: float = 0.7
    pictures: int = 900
    seed: int = 5


@dataclass(frozen=True)
class Seen:
    """Cells of pictures.

    Attributes:
        features: M×C, what the last layer sees, after the mean over surfaces.
        ab: M×2, the truth.
        kept: M×1, share of the chroma at the ends of the lightness.
        made: M, whether the picture has no color.
    """

    features: Tensor
    ab: Tensor
    kept: Tensor
    made: Tensor


def network_of(run: Path) -> tuple[Pycolor2026, nn.Conv2d, Prior]:
    """A network that gives its last layer's input, that layer, and the prior of its training."""
    saved = torch.load(run / CHECKPOINT, weights_only=True)
    names = (k for k in saved["average"] if k.startswith("module."))
    state = {k.removeprefix("module."): saved["average"][k] for k in names}
    network = Pycolor2026(**zoo.card("pycolor2026").options)
    network.load_state_dict(state)
    network.eval().requires_grad_(False).fold()
    last = network.scores
    network.scores = nn.Identity()  # type: ignore[assignment]
    return network, last, np.array(saved["prior"])


def look(network: Pycolor2026, rgb: Tensor, lightness: Tensor, made: bool, at: Tensor) -> Seen:
    """Some cells of a picture, 1×3×H×W and its L*."""
    encoded = network.encode(lightness)
    decoded = network.decode(encoded)
    features = unified(decoded.logits, network.places(encoded, decoded), network.reach)
    cells = features.flatten(2)[0].T
    chosen = at[at < len(cells)]
    ab = F.avg_pool2d(rgb_to_lab(rgb)[:, 1:], network.output_stride).flatten(2)[0].T
    kept = within_ends(F.avg_pool2d(lightness, network.output_stride)).flatten()[:, None]
    return Seen(
        cells[chosen].float(), ab[chosen], kept[chosen], torch.full((len(chosen),), float(made))
    )


def pictures(options: Fit) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """RGB, its luma's L*, whether it was made: whole photographs at the size of prediction."""
    recipe = read_recipe("pycolor2026")
    photos = find_photos(list(options.data))
    share = np.array([recipe.sampling_weights.get(p.path.stem, 1.0) for p in photos])
    rng = np.random.default_rng(options.seed)
    chosen = rng.choice(len(photos), options.pictures, replace=False, p=share / share.sum())
    chance = torch.Generator().manual_seed(options.seed)
    for i, k in enumerate(chosen):
        rgb = _at_size(photos[k])
        made = i % MADE == 0
        if made:
            side = min(rgb.shape[2:])
            rgb = grays(rgb[..., :side, :side].contiguous(), chance)
        film: FilmOptions = recipe.film if i % 2 else CLEAN
        luma = (film_luma(rgb, film, chance) * 255).round() / 255
        yield rgb, luma_lightness(luma), made


def _at_size(photo: Photo) -> Tensor:
    short, multiple = zoo.card("pycolor2026").short_side, Pycolor2026.input_multiple
    image = photo.decode()
    scale = short / min(image.size)
    w, h = (
        min(2 * short, max(multiple, round(x * scale / multiple) * multiple)) for x in image.size
    )
    small = np.asarray(image.resize((w, h), Image.Resampling.BILINEAR))
    return torch.from_numpy(small.copy()).permute(2, 0, 1)[None].float() / 255


def seen(options: Fit, network: Pycolor2026) -> Seen:
    """Cells of all pictures."""
    chance = torch.Generator().manual_seed(options.seed)
    parts: list[Seen] = []
    with torch.inference_mode():
        for rgb, lightness, made in pictures(options):
            count = lightness.shape[2] * lightness.shape[3] // network.output_stride**2
            at = torch.randperm(count, generator=chance)[:CELLS]
            parts.append(look(network, rgb, lightness, made, at))
    columns = zip(*((p.features, p.ab, p.kept, p.made) for p in parts), strict=True)
    return Seen(*(torch.cat(c).clone() for c in columns))


class Moved(nn.Module):
    """The decode with scores that are moved."""

    def __init__(self, basis: Tensor, palette: Tensor) -> None:
        super().__init__()
        self.basis, self.palette = basis, palette
        self.shift = nn.Parameter(torch.zeros(2, len(basis)))
        self.log_t = nn.Parameter(torch.tensor(math.log(0.45)))

    def forward(self, scores: Tensor, light: Tensor) -> Tensor:
        """Chroma M×2 of scores M×Q where it is light M×1."""
        dark, further = self.shift @ self.basis
        moved = scores + dark + light * further
        shares: Tensor = (moved / self.log_t.exp()).softmax(1)
        return shares @ self.palette


def fitted(cells: Seen, last: nn.Conv2d, weight: Tensor, moved: Moved, gain: float) -> list[float]:
    """Fit `moved`; the mean loss on every fifth batch of cells, held out, before and after.

    Args:
        cells: what is seen.
        last: the layer as it was taught.
        weight: of each cell by its color, mean 1.
        moved: is fitted.
        gain: see `Fit`.
    """
    matrix, offsets = last.weight[:, :, 0, 0], last.bias
    assert offsets is not None
    share = torch.where(cells.made > 0, MADE_WEIGHT, gain * weight + 1 - gain)
    blocks = torch.arange(len(share)) // CELLS % 5 == 0
    learned, held_out = (~blocks).nonzero()[:, 0], blocks.nonzero()[:, 0]

    def loss(at: Tensor) -> Tensor:
        x = cells.features[at]
        ab = moved(x @ matrix.T + offsets, x[:, -1:]) * cells.kept[at]
        error = ((ab - cells.ab[at]).square().sum(1) + 1e-2).sqrt()
        mean: Tensor = (error * share[at]).mean()
        return mean

    def judged() -> float:
        with torch.no_grad():
            return float(loss(held_out))

    before = judged()
    optimizer = torch.optim.Adam(moved.parameters(), lr=RATE)
    steps = EPOCHS * (len(learned) // BATCH)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        at = learned[torch.randint(len(learned), (BATCH,))]
        optimizer.zero_grad()
        loss(at).backward()
        optimizer.step()
    return [before, judged()]


def main(options: Fit) -> None:
    """Fit and print."""
    torch.manual_seed(options.seed)
    network, last, prior = network_of(options.run)
    cells = seen(options, network)
    rarity = alphabet.rebalancing_weights(prior, RARE)
    nearest = alphabet.nearest(cells.ab, network.palette)[1][:, 0]
    weight = torch.tensor(rarity, dtype=torch.float32)[nearest]
    moved = Moved(shift_basis(prior), network.palette)
    errors = fitted(cells, last, weight, moved, options.gain)
    print(f"# mean loss on cells held out: {errors[0]:.3f} before, {errors[1]:.3f} after")
    for name, row in zip(("shift", "shift_in_light"), moved.shift.tolist(), strict=True):
        print(f"{name} = [{', '.join(f'{v:.3f}' for v in row)}]")
    print(f"# temperature {float(moved.log_t.detach().exp()):.2f}")


if __name__ == "__main__":
    main(tyro.cli(Fit))
