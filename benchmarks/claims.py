"""The papers' claims, measured: networks that differ in one thing alone, trained alike.

    python -m benchmarks.claims DATA OUT [--only NAME ...] [--seed N] [--write]

DATA holds train/ (color photographs) and eval/ (others, which no training sees).  Each network is
trained from noise into OUT and colors the photographs of eval/; what stands in OUT is not made
again, so that several processes can share the work (--only).  All that OUT holds then goes to
docs/results/claims.json and into the table of docs/models.md; --write does only that.  --packaged,
with an empty OUT, asks the weights in the package anew and keeps what is known of the others.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands set it

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.guides import Guides, measure_guides
from benchmarks.page import RESULTS, fill_in, table
from pycolor.evaluate import metrics
from pycolor.evaluate.environment import record
from pycolor.evaluate.pairs import pair_up
from pycolor.evaluate.reports.report import digits
from pycolor.evaluate.stills import read_pair
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files, weight_names
from pycolor.models.palette import gamut_bins
from pycolor.models.predictor import Predictor
from pycolor.ops.reference import lab_to_luv, rgb_to_lab
from pycolor.options import Decode, PredictOptions
from pycolor.train.data.augment import CLEAN
from pycolor.train.loop import train
from pycolor.train.recipes.option_groups import ClusteringOptions, CropOptions
from pycolor.train.recipes.options import TrainOptions

# ---- what is trained -----------------------------------------------------------------------------

# One to four minutes of a core each; the papers knew no film, so the luma is clean.
ALIKE = TrainOptions(
    steps=500,
    batch=32,
    lr=2e-3,
    warmup_steps=50,
    decay=0.5,
    ema=0.99,
    validation=64,
    validate_every=250,
    threads=1,
    workers=1,
    crop=CropOptions(size_pixels=64),
    film=CLEAN,
)
SMALL = CropOptions(size_pixels=48)  # for networks that end at the input's own size
ZHANG = replace(ALIKE, model="zhang2016", width=0.15)
HWANG = replace(ALIKE, model="hwang2016", width=0.15, batch=16, steps=1000, crop=SMALL)
IIZUKA = replace(ALIKE, model="iizuka2016", width=0.2, steps=1500, labels="folder")
RICHART = replace(HWANG, model="richart2017", width=1.0, dtype="float32")
CHENG = replace(
    ALIKE,
    model="cheng2015",
    width=0.1,
    steps=300,
    batch=16,
    clustering=ClusteringOptions(references=1200, short_side=64, samples=128, fewest=40),
)
ONE_PERCEPTRON = replace(CHENG.clustering, clusters=1, layers=1)

TRAINED: dict[str, TrainOptions] = {
    "zhang2016, regression": replace(ZHANG, network="task=regression"),
    "zhang2016, classification": replace(ZHANG, uniform=1.0),
    "zhang2016, rebalanced": replace(ZHANG, uniform=0.5),
    "hwang2016, regression": replace(HWANG, network="task=regression"),
    "hwang2016, classification": replace(HWANG, uniform=1.0),
    "hwang2016, rebalanced": replace(HWANG, uniform=0.5),
    "iizuka2016, local": replace(IIZUKA, network="global_features=false"),
    "iizuka2016, joint": replace(IIZUKA, network="side=64"),
    "richart2017, 4 neurons": replace(RICHART, network="rows=2,columns=2"),
    "richart2017, 9 neurons": replace(RICHART, network="rows=3,columns=3"),
    "cheng2015, one perceptron": replace(CHENG, clustering=ONE_PERCEPTRON),
    "cheng2015, clusters": CHENG,
    "cheng2015, no semantics": replace(CHENG, network="classes=0"),
}

# ---- how the networks are asked ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A trained network, and how it is asked.

    Attributes:
        trained: its name above, or the model whose packaged weights are asked.
        short_side: of its input, about the scale of its training.
        decode: the paper's.
        network: options that are changed after the training.
    """

    trained: str
    short_side: int
    decode: Decode = "auto"
    network: dict[str, Any] = field(default_factory=dict)


UNREFINED = {"refine": False}
RICHARTS_DECODES: dict[str, Decode] = {"": "mode", ", expectation": "mean"}
ASKED: dict[str, Asked] = {
    "zhang2016, regression": Asked(trained="zhang2016, regression", short_side=80),
    **{
        name: Asked(trained=name, short_side=80, decode="annealed")
        for name in ("zhang2016, classification", "zhang2016, rebalanced")
    },
    "hwang2016, regression": Asked(trained="hwang2016, regression", short_side=64),
    **{
        name: Asked(trained=name, short_side=64, decode="mode")
        for name in ("hwang2016, classification", "hwang2016, rebalanced")
    },
    "iizuka2016, local": Asked(trained="iizuka2016, local", short_side=80),
    "iizuka2016, joint": Asked(trained="iizuka2016, joint", short_side=80),
    **{
        f"{name}{how}": Asked(trained=name, short_side=64, decode=decode)
        for name in ("richart2017, 4 neurons", "richart2017, 9 neurons")
        for how, decode in RICHARTS_DECODES.items()
    },
    **{
        name: Asked(trained=name, short_side=64) for name in TRAINED if name.startswith("cheng2015")
    },
    "cheng2015, one perceptron, unrefined": Asked(
        trained="cheng2015, one perceptron", short_side=64, network=UNREFINED
    ),
    "cheng2015, clusters, unrefined": Asked(
        trained="cheng2015, clusters", short_side=64, network=UNREFINED
    ),
}

for name, network in (("", {}), (", unrefined", UNREFINED)):
    ASKED[f"cheng2015 as packaged{name}"] = Asked(
        trained="cheng2015", short_side=96, network=network
    )

# ---- what is claimed -----------------------------------------------------------------------------

BALANCED = "balanced_ab_auc"
# Of each photograph; the balanced area is of the set.
MEASURES = {
    "psnr": "PSNR of RGB, dB",
    "ab_psnr": "PSNR of ab, dB",
    "ab_error": "ab error",
    "ab_auc": "ab AuC",
    "colorfulness": "colorfulness",
    "saturation_difference": "saturation difference",
    "acc_u": "Acc_U",
    "acc_v": "Acc_V",
    BALANCED: "ab AuC, every bin alike",
}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """That one way is better than another.

    Attributes:
        text: for people.
        measure: by which.
        plain: the one.
        better: the other.
        less: whether a smaller value is better.
    """

    text: str
    measure: str
    plain: str
    better: str
    less: bool = False


def _claims() -> Iterator[Claim]:
    zhang, hwang, iizuka = "zhang2016, ", "hwang2016, ", "iizuka2016, "
    cheng, richart = "cheng2015, ", "richart2017, "
    for model in (zhang, hwang):
        for kind, name in (
            ("classification", "classification"),
            ("rebalanced", "rebalanced classification"),
        ):
            yield Claim(
                text=f"{name} is more saturated than regression ({model[:-2]})",
                measure="colorfulness",
                plain=model + "regression",
                better=model + kind,
            )
            yield Claim(
                text="… and its saturation is nearer to the truth's",
                measure="saturation_difference",
                plain=model + "regression",
                better=model + kind,
                less=True,
            )
    yield Claim(
        text="rebalancing raises the balanced area (zhang2016)",
        measure=BALANCED,
        plain=zhang + "classification",
        better=zhang + "rebalanced",
    )
    for measure in ("ab_psnr", BALANCED):
        yield Claim(
            text="global features help (iizuka2016)",
            measure=measure,
            plain=iizuka + "local",
            better=iizuka + "joint",
        )
    one, clusters = cheng + "one perceptron", cheng + "clusters"
    for text, plain, better in (
        ("clusters and refinement raise PSNR (cheng2015)", f"{one}, unrefined", clusters),
        ("… clusters alone", one, clusters),
        ("… refinement alone", f"{clusters}, unrefined", clusters),
        (
            "… refinement alone, packaged weights",
            "cheng2015 as packaged, unrefined",
            "cheng2015 as packaged",
        ),
        ("semantic features raise PSNR (cheng2015)", cheng + "no semantics", clusters),
    ):
        yield Claim(text=text, measure="psnr", plain=plain, better=better)
    for how, what in (
        ("", "more neurons lower the error (richart2017)"),
        (", expectation", "… decoded by the expectation, not the mode"),
    ):
        yield Claim(
            text=what,
            measure="ab_error",
            plain=f"{richart}4 neurons{how}",
            better=f"{richart}9 neurons{how}",
            less=True,
        )


CLAIMS = tuple(_claims())

# ---- what is seen --------------------------------------------------------------------------------

Floats = npt.NDArray[np.float64]
JUDGED_SIDE = 256  # the shorter side of the photographs
RESAMPLED = 2000


@dataclass(frozen=True)
class Seen:
    """Photographs as one network colored them.

    Attributes:
        values: by measure, one a photograph.
        counts: photographs×bins, pixels by the bin of their true color.
        areas: photographs×bins, the area under the error curve, summed over these pixels.
    """

    values: dict[str, Floats]
    counts: Floats
    areas: Floats

    def of(self, measure: str, chosen: npt.NDArray[np.int64] | slice) -> float:
        """A measure over the chosen photographs."""
        if measure != BALANCED:
            return float(self.values[measure][chosen].mean())
        counts, areas = self.counts[chosen].sum(0), self.areas[chosen].sum(0)
        return float((areas[counts > 0] / counts[counts > 0]).mean())

    def save(self, path: Path) -> None:
        """Write it."""
        np.savez(path, counts=self.counts, areas=self.areas, **self.values)  # type: ignore[arg-type]

    @staticmethod
    def load(path: Path) -> Seen:
        """Read what `save` wrote."""
        with np.load(path) as found:
            arrays = dict(found)
        counts, areas = arrays.pop("counts"), arrays.pop("areas")
        return Seen(arrays, counts, areas)


def see(asked: Asked, weights: Path, photos: Path) -> Seen:
    """Color the photographs and measure them."""
    options = PredictOptions(weights=weights, short_side=asked.short_side, decode=asked.decode)
    predictor = Predictor(options)
    bins = torch.from_numpy(gamut_bins().copy())
    values: dict[str, list[float]] = {m: [] for m in MEASURES if m != BALANCED}
    counts, areas = [], []
    for pair in pair_up(photos, None):
        found, true = (x[None] for x in read_pair(pair, JUDGED_SIDE, predictor))
        lab, true_lab = rgb_to_lab(found), rgb_to_lab(true)
        ab, true_ab = lab[:, 1:], true_lab[:, 1:]
        accuracy = metrics.bin_accuracy(_uv(lab), _uv(true_lab))[0]
        one = {
            "psnr": metrics.psnr(found, true),
            "ab_psnr": metrics.ab_psnr(ab, true_ab),
            "ab_error": metrics.ab_error(ab, true_ab).mean(),
            "ab_auc": metrics.ab_auc(ab, true_ab),
            "colorfulness": metrics.colorfulness(found),
            "saturation_difference": metrics.saturation_difference(found, true),
            "acc_u": accuracy[0],
            "acc_v": accuracy[1],
        }
        for measure, value in one.items():
            values[measure].append(float(value))
        tally = metrics.BalancedArea(bins)
        tally.add(ab, true_ab)
        counts.append(tally.count.numpy())
        areas.append(tally.area.numpy())
    arrays = {measure: np.array(v) for measure, v in values.items()}
    return Seen(arrays, np.array(counts, np.float64), np.array(areas, np.float64))


def _uv(lab: torch.Tensor) -> torch.Tensor:
    return lab_to_luv(lab)[:, 1:]


def made(name: str, data: Path, out: Path, seed: int) -> Seen:
    """What the network of this name does; trained and asked if that is still to be done."""
    asked = ASKED[name]
    folder = out / f"{asked.trained}, seed {seed}"
    file = folder / f"{name}.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        weights = trained_weights(asked.trained, data, folder, seed)
        if asked.network:
            weights = changed(weights, asked.network, folder)
        see(asked, weights, data / "eval").save(file)
    return Seen.load(file)


def trained_weights(name: str, data: Path, folder: Path, seed: int) -> Path:
    """The weights of this name; trained if there are none yet."""
    if name not in TRAINED:
        return weight_names.PACKAGED / zoo.card(name).weights
    options = replace(TRAINED[name], seed=seed)
    weights = folder / f"{options.model}.safetensors"
    return weights if weights.exists() else train(options, [data / "train"], folder)


def changed(weights: Path, network: dict[str, Any], folder: Path) -> Path:
    """The same weights for a network of other options, in a file of the folder."""
    file = weight_files.read(weights)
    path = folder / "changed.safetensors"
    weight_files.write(path, file.model, file.state, file.options | network, file.provenance)
    return path


def guided(data: Path, out: Path) -> list[dict[str, Any]]:
    """What pictures that lead the packaged models do."""
    file = out / "guides.json"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        told = [
            measure_guides(Guides(photos=data / "eval", predict=PredictOptions(model=m)))
            for m in ("varga2017", "iizuka2016")
        ]
        file.write_text(json.dumps(told), encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


# ---- what is told --------------------------------------------------------------------------------


def judged(claim: Claim, plain: Seen, better: Seen) -> dict[str, Any]:
    """A claim's figures: both values, and the interval in which their difference lies.

    The interval holds 95 % of the differences over photographs drawn anew, with replacement: it
    says how far the choice of photographs matters, not how far that of a training's seed does.
    """
    chance = np.random.default_rng(0)
    count = len(plain.counts)

    def difference(chosen: npt.NDArray[np.int64] | slice) -> float:
        return better.of(claim.measure, chosen) - plain.of(claim.measure, chosen)

    drawn = [difference(chance.integers(0, count, count)) for _ in range(RESAMPLED)]
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
    if low <= 0 <= high:
        verdict = "not settled"
    else:
        verdict = "yes" if (high < 0) == claim.less else "no"
    return {
        "plain": plain.of(claim.measure, slice(None)),
        "better": better.of(claim.measure, slice(None)),
        "low": low,
        "high": high,
        "verdict": verdict,
    }


def collected(out: Path) -> dict[str, Any]:
    """All figures and verdicts that OUT has, by seed."""
    figures: dict[str, Any] = {}
    verdicts: dict[str, Any] = {}
    seen: dict[tuple[str, str], Seen] = {}
    for file in sorted(out.glob("*, seed */*.npz")):
        seed = file.parent.name.rpartition(" ")[2]
        seen[seed, file.stem] = one = Seen.load(file)
        own = {m: one.of(m, slice(None)) for m in MEASURES}
        figures.setdefault(seed, {})[file.stem] = own
    for seed in figures:
        for i, claim in enumerate(CLAIMS):
            if {(seed, claim.plain), (seed, claim.better)} <= seen.keys():
                told = judged(claim, seen[seed, claim.plain], seen[seed, claim.better])
                verdicts.setdefault(seed, {})[str(i)] = {"claim": claim.text, **told}
    return {"figures": figures, "claims": verdicts}


def packaged_anew(told: dict[str, Any], data: Path, out: Path, seed: int) -> dict[str, Any]:
    """What is known, with the rows of the packaged weights measured again."""
    for name, asked in ASKED.items():
        if asked.trained not in TRAINED:
            made(name, data, out, seed)
    found = collected(out)
    new = {"guides": guided(data, out), "packaged": record()}
    for part in ("figures", "claims"):
        seeds = told[part].keys() | found[part].keys()
        new[part] = {s: told[part].get(s, {}) | found[part].get(s, {}) for s in sorted(seeds)}
    return told | new


def row(claim: Claim, index: int, told: dict[str, Any]) -> list[str]:
    """Of the table in docs/models.md; the seeds one after the other."""
    found = [claims[str(index)] for claims in told["claims"].values() if str(index) in claims]
    if not found:
        return [claim.text, MEASURES[claim.measure], "", "not measured"]
    values = "; ".join(
        f"{digits(f['plain'])} → {digits(f['better'])} ({f['low']:+.2g} … {f['high']:+.2g})"
        for f in found
    )
    return [claim.text, MEASURES[claim.measure], values, "; ".join(f["verdict"] for f in found)]


def guided_rows(told: dict[str, Any]) -> list[list[str]]:
    """What pictures that lead the packaged models do."""
    texts = {
        "reference": ("a reference lowers the error (varga2017)", "ab error"),
        "style": ("a style moves the color toward it (iizuka2016)", "distance of the mean ab"),
    }
    rows = []
    for found in told["guides"]:
        text, measure = texts[found["guide"]]
        without, given = found["error_without"], found["error_with"]
        verdict = f"{'yes' if given < without else 'no'}, in {found['share_that_falls']:.0%}"
        rows.append([text, measure, f"{digits(without)} → {digits(given)}", verdict])
    return rows


def write(told: dict[str, Any]) -> None:
    """The file and the page."""
    path = RESULTS / "claims.json"
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fill_in("claims", claims_table(told))


def claims_table(told: dict[str, Any]) -> str:
    """For docs/models.md."""
    rows = [row(claim, i, told) for i, claim in enumerate(CLAIMS)] + guided_rows(told)
    return table(["claim", "by", "without → with (95 % of the difference)", "seen"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", choices=ASKED, metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="train nothing")
    parser.add_argument("--packaged", action="store_true", help="only the weights in the package")
    options = parser.parse_args()
    if options.packaged:
        known = json.loads((RESULTS / "claims.json").read_text(encoding="utf-8"))
        write(packaged_anew(known, options.data, options.out, options.seed))
        return
    if not options.write:
        for name in options.only or ASKED:
            made(name, options.data, options.out, options.seed)
            print(name, flush=True)
    if options.write or options.only is None:
        guides = guided(options.data, options.out)
        write({"record": record(), "guides": guides, **collected(options.out)})


if __name__ == "__main__":
    main()
