"""What a display shows, beside the same in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pycolor.encoding import Encoding
from pycolor.ops import reference
from pycolor.video.render.shown import on_luma, shown_codes


@pytest.mark.parametrize("depth", [8, 10, 16])
@pytest.mark.parametrize(
    ("subsampling", "steps"), [("420", (2, 2)), ("422", (1, 2)), ("444", (1, 1))]
)
@pytest.mark.parametrize("full_range", [False, True])
def test_shown_codes_are_those_of_float64(
    depth: int, subsampling: Any, steps: tuple[int, int], full_range: bool
) -> None:
    encoding = Encoding(
        bit_depth=depth, full_range=full_range, matrix="bt2020", subsampling=subsampling
    )
    random = np.random.default_rng(depth)
    kind: Any = np.uint8 if depth == 8 else np.uint16
    luma = random.integers(0, 1 << depth, (90, 76)).astype(kind)
    size = 90 // steps[0], 76 // steps[1]
    chroma = tuple(random.integers(0, 1 << depth, size).astype(kind) for _ in range(2))
    black, white = encoding.luma_code_range
    neutral, span = encoding.chroma_code_range
    y = (torch.from_numpy(luma.astype(np.float64)) - black) / (white - black)
    planes = [torch.from_numpy(plane.astype(np.float64)) for plane in chroma]
    c = [(on_luma(plane, luma.shape, encoding) - neutral) / span for plane in planes]
    rgb = reference.ycbcr_to_rgb(torch.stack([y, *c]), matrix="bt2020")
    exact = (rgb.clamp(0, 1) * 255).permute(1, 2, 0).numpy()
    shown = shown_codes(luma, (chroma[0], chroma[1]), encoding)
    assert shown.shape == (90, 76, 3)
    assert np.abs(shown - exact).max() <= 0.501
