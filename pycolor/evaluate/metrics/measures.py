"""One picture beside its truth: every measure by name, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pycolor.evaluate import metrics
from pycolor.ops import reference

Better = Literal["more", "less", "as true"]
ERRORS = 150  # bins of ab error, a unit each: what lies beyond is in none


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A column of the report.

    Attributes:
        name: in JSON.
        title: for people, with its unit.
        better: more, less, or as near as can be to that of the truth.
    """

    name: str
    title: str
    better: Better


MEASURES = (
    Measure(name="psnr", title="PSNR of RGB, dB", better="more"),
    Measure(name="ab_psnr", title="PSNR of ab, dB", better="more"),
    Measure(name="ssim", title="SSIM", better="more"),
    Measure(name="qssim", title="QSSIM", better="more"),
    Measure(name="ciede2000", title="CIEDE2000", better="less"),
    Measure(name="ab_auc", title="ab AuC", better="more"),
    Measure(name="acc_u", title="Acc_U", better="more"),
    Measure(name="acc_v", title="Acc_V", better="more"),
    Measure(name="saturation_difference", title="saturation difference", better="less"),
    Measure(name="colorfulness", title="colorfulness", better="as true"),
    Measure(name="gray_share", title="gray share", better="as true"),
    Measure(name="clipped_share", title="clipped share", better="as true"),
)
# What the true picture has too.
OWN = tuple(m.name for m in MEASURES if m.better == "as true")


@dataclass(frozen=True)
class Judgement:
    """What was measured of one picture.

    Attributes:
        values: by measure.
        errors: pixels by whole units of ab error, 150 counts; `pixels` in all.
    """

    values: dict[str, float]
    errors: Tensor
    pixels: int


def own_values(rgb: Tensor) -> dict[str, float]:
    """The measures that need no truth, of 3×H×W display-encoded RGB, which may exceed 0 … 1."""
    shown = rgb.double().clamp(0, 1)[None]
    return {
        "colorfulness": float(metrics.colorfulness(shown)),
        "gray_share": float(metrics.gray_share(reference.rgb_to_lab(shown)[:, 1:])),
        "clipped_share": float(metrics.clipped_share(rgb[None])),
    }


def judge(found: Tensor, true: Tensor) -> Judgement:
    """Every measure of a picture.

    Args:
        found: 3×H×W display-encoded RGB; what lies beyond 0 … 1 counts as clipped, and is.
        true: the same shape.
    """
    a, b = (rgb.double().clamp(0, 1)[None] for rgb in (found, true))
    lab_a, lab_b = reference.rgb_to_lab(a), reference.rgb_to_lab(b)
    ab_a, ab_b = lab_a[:, 1:], lab_b[:, 1:]
    accuracy = metrics.bin_accuracy(reference.lab_to_luv(lab_a)[:, 1:],
                                    reference.lab_to_luv(lab_b)[:, 1:])[0]  # fmt: skip
    error = metrics.ab_error(ab_a, ab_b)
    values = {
        "psnr": float(metrics.psnr(a, b)),
        "ab_psnr": float(metrics.ab_psnr(ab_a, ab_b)),
        "ssim": float(metrics.ssim(a, b)),
        "qssim": float(metrics.qssim(a, b)),
        "ciede2000": float(metrics.ciede2000(lab_a, lab_b)),
        "ab_auc": float(metrics.ab_auc(ab_a, ab_b)),
        "acc_u": float(accuracy[0]),
        "acc_v": float(accuracy[1]),
        "saturation_difference": float(metrics.saturation_difference(a, b)),
        **own_values(found),
    }
    counts = torch.histc(error, ERRORS, 0, ERRORS)
    return Judgement(values, counts, error.numel())
