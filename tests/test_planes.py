"""Chroma of interlaced film: made for each field, whatever the number of lines."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from pycolor.encoding import Encoding
from pycolor.video.render.chroma_planes import render_picture as render

GRAY = 120


def rendered(height: int, encoding: Encoding, field: torch.Tensor, *, interlaced: bool) -> Any:
    luma = np.full((height, 32), GRAY, np.uint8)
    chroma = tuple(np.zeros(encoding.chroma_shape(height, 32), np.uint8) for _ in range(2))
    picture: Any = SimpleNamespace(luma=luma, chroma=chroma)
    render(field, picture, encoding, interlaced=interlaced)
    return chroma


@pytest.mark.parametrize("height", [1, 2, 3, 4, 5, 6, 7, 8, 45, 46, 47, 48, 486])
@pytest.mark.parametrize("subsampling", ["420", "422", "444", "411"])
def test_every_line_of_chroma_is_written(height: int, subsampling: Any) -> None:
    """A field of one color over constant luma: both fields and the frame give one code."""
    encoding = Encoding(subsampling=subsampling)
    field = torch.zeros(2, 4, 4)
    field[0] = 25
    codes = {
        int(code)
        for interlaced in (False, True)
        for code in np.unique(rendered(height, encoding, field, interlaced=interlaced)[1])
    }
    assert len(codes) == 1
    assert codes.pop() > 128


@pytest.mark.parametrize("height", [46, 48, 64])
def test_fields_lie_where_the_frame_lies(height: int) -> None:
    """Color that changes evenly from top to bottom: the lines of both fields follow one slope.

    A field stands half a line of the frame off, since both are stretched over the whole picture;
    with the siting of progressive film one field would stand a whole line above the other.
    """
    encoding = Encoding()
    field = torch.zeros(2, 12, 4)
    field[0] = torch.linspace(-40, 40, 12)[:, None]
    frame = rendered(height, encoding, field, interlaced=False)[1][:, 8].astype(int)
    fields = rendered(height, encoding, field, interlaced=True)[1][:, 8].astype(int)
    slope = (frame[-4] - frame[3]) / (len(frame) - 7)  # codes per line of chroma
    inner = slice(3, -3)
    assert np.abs(fields - frame)[inner].max() <= slope / 2 + 1
    assert (np.diff(fields[inner]) >= 0).all()
