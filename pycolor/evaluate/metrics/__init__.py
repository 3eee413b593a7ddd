"""How good is a coloring?  Each metric defined once, in float64, on batches in torch or NumPy.

Batches are N×C×H×W; every function returns one number a picture (N) unless it says otherwise.
Libraries are used where they have the metric: `pip install 'pycolor-film[evaluate]'`.
"""

from __future__ import annotations

from pycolor.evaluate.metrics.flow import Motion, along, motion
from pycolor.evaluate.metrics.papers import (
    BalancedArea,
    ab_auc,
    ab_error,
    balanced_ab_auc,
    bin_accuracy,
    saturation_difference,
    top_accuracy,
)
from pycolor.evaluate.metrics.pictures import (
    ab_psnr,
    ciede2000,
    clipped_share,
    colorfulness,
    gray_share,
    psnr,
    qssim,
    ssim,
)
from pycolor.evaluate.metrics.video import Consistency, cdc, chroma_cdc, chroma_flicker, warp_error

__all__ = [
    "BalancedArea",
    "Consistency",
    "Motion",
    "ab_auc",
    "ab_error",
    "ab_psnr",
    "along",
    "balanced_ab_auc",
    "bin_accuracy",
    "cdc",
    "chroma_cdc",
    "chroma_flicker",
    "ciede2000",
    "clipped_share",
    "colorfulness",
    "gray_share",
    "motion",
    "psnr",
    "qssim",
    "saturation_difference",
    "ssim",
    "top_accuracy",
    "warp_error",
]
