"""The color that a decoded frame has, plane by plane."""

from __future__ import annotations

import numpy as np
from av.video.reformatter import VideoReformatter

from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.frame.pixel_formats import Plane, plane_view

_SUFFIX = {8: ""} | {bits: f"{bits}le" for bits in (9, 10, 12, 14, 16)}
_reformatter = VideoReformatter()


def chroma_planes(frame: Frame) -> tuple[Plane, Plane] | None:
    """The codes of Cb and Cr, each h×w as stored; None for gray and for R'G'B'.

    Semi-planar and packed formats are laid out in planes first, which changes no code: by one
    thread, since libswscale's (FFmpeg 8.1) write a few samples behind their rows, into those of
    the next thread.
    """
    form = frame.description
    if form.subsampling is None:
        return None
    native = frame.native
    if not form.planar or form.big_endian:
        name = f"yuv{form.subsampling}p{_SUFFIX[form.bit_depth]}"
        native = _reformatter.reformat(native, format=name, threads=1)
    dtype = np.dtype("u1" if form.bit_depth == 8 else "<u2")
    blue, red = (plane_view(native, i, dtype) for i in (1, 2))
    return blue, red


def rgb_planes(frame: Frame) -> tuple[Plane, Plane, Plane] | None:
    """The codes of R', G' and B', full range, each H×W; None for Y'CbCr and gray."""
    form = frame.description
    if not form.rgb:
        return None
    native = _reformatter.reformat(frame.native, format=f"gbrp{_SUFFIX[form.bit_depth]}", threads=1)
    dtype = np.dtype("u1" if form.bit_depth == 8 else "<u2")
    green, blue, red = (plane_view(native, i, dtype) for i in range(3))
    return red, green, blue
