"""From luma to chroma: a model on a device, from planes of Y' to low-resolution chroma fields."""

from __future__ import annotations

from pycolor.models.predictor.predictor import TEMPERATURES, Predictor

__all__ = ["TEMPERATURES", "Predictor"]
