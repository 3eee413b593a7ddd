"""How good is a coloring?  Each metric defined once, in float64, on batches in torch or NumPy.

Batches are N×C×H×W; every function returns one number a picture (N) unless it says otherwise.
Libraries are used where they have the metric: `pip install 'pycolor[evaluate]'`.
"""

from __future__ import annotations

from pycolor.metrics.flow import Motion, along, motion
from pycolor.metrics.papers import ab_auc, ab_error, balanced_ab_auc
from pycolor.metrics.pictures import colorfulness, psnr
from pycolor.metrics.video import cdc, chroma_cdc, chroma_flicker, warp_error

__all__ = [
    "Motion",
    "ab_auc",
    "ab_error",
    "along",
    "balanced_ab_auc",
    "cdc",
    "chroma_cdc",
    "chroma_flicker",
    "colorfulness",
    "motion",
    "psnr",
    "warp_error",
]
