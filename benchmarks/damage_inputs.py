"""Thirty small films and pictures, of many containers and codecs, for `benchmarks.damage`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.films import make_film, picture

FRAMES = 36
# Streams without a header that promises a length: nobody can know what was cut from their ends.
OPEN_ENDED = (".ts", ".mpg", ".h264", ".hevc", ".dv", ".y4m")
_QUICK = {"preset": "ultrafast", "g": "5"}
_TEN = {"pixel_format": "yuv422p10le"}
_FULL = {"pixel_format": "yuvj420p", "color_range": 2}

INPUTS: dict[str, dict[str, Any]] = {
    "h264.mkv": {"codec": "libx264", "options": _QUICK, "sound": ["ac3"], "chapters": True},
    "h264.mp4": {"codec": "libx264", "options": _QUICK, "sound": ["aac"]},
    "h264-first.mp4": {
        "codec": "libx264",
        "options": _QUICK,
        "sound": ["aac"],
        "muxer_options": {"movflags": "faststart"},
    },
    "hevc.mp4": {"codec": "libx265", "options": {**_QUICK, "x265-params": "log-level=none"}},
    "av1.mp4": {"codec": "libsvtav1", "options": {"preset": "12"}, "width": 128, "height": 96},
    "prores.mov": {"codec": "prores_ks", **_TEN, "sound": ["pcm_s16le"]},
    "dnxhr.mov": {
        "codec": "dnxhd",
        "pixel_format": "yuv422p",
        "width": 256,
        "height": 128,
        "options": {"profile": "dnxhr_hq"},
    },
    "v210.mov": {"codec": "v210", **_TEN},
    "cineform.mov": {"codec": "cfhd", **_TEN, "width": 128, "height": 96},
    "ffv1.mkv": {"sound": ["flac"], "titles": "subrip", "options": {"slicecrc": "1", "level": "3"}},
    "gray16.mkv": {"pixel_format": "gray16le"},
    "vp9.webm": {"codec": "libvpx-vp9", "sound": ["libopus"]},
    "mjpeg.avi": {"codec": "mjpeg", **_FULL, "sound": ["pcm_s16le"]},
    "mpeg4.avi": {"codec": "mpeg4", "sound": ["mp3"]},
    "huffyuv.avi": {"codec": "huffyuv", "pixel_format": "yuv422p"},
    "dv.dv": {"codec": "dvvideo", "width": 720, "height": 576, "rate": 25},
    "mpeg2.mpg": {"codec": "mpeg2video", "rate": 25, "sound": ["mp2"]},
    "h264.ts": {"codec": "libx264", "options": _QUICK, "sound": ["ac3"]},
    "mpeg2.mxf": {
        "codec": "mpeg2video",
        "pixel_format": "yuv422p",
        "rate": 25,
        "sound": ["pcm_s16le"],
    },
    "wmv.asf": {"codec": "wmv2"},
    "raw.h264": {"codec": "libx264", "options": _QUICK},
    "raw.y4m": {"codec": "rawvideo"},
    "scans-png": {"of": "gray16be", "ending": "png"},
    "scans-tif": {"of": "gray16le", "ending": "tif"},
    "scans-dpx": {"of": "gbrp10le", "ending": "dpx"},
    "still.png": {"of": "gray"},
    "still.jpg": {"of": "yuvj420p"},
    "still.tif": {"of": "gray16le"},
    "still.dpx": {"of": "gbrp10le"},
    "still.exr": {"of": "grayf32le"},
}
_ENCODERS = {"png": "png", "tif": "tiff", "dpx": "dpx", "jpg": "mjpeg", "exr": "exr"}


def make_input(folder: Path, name: str) -> Path:
    """Make one of `INPUTS`, whole."""
    options = INPUTS[name]
    path = folder / name
    if "of" not in options:
        return make_film(path, **{"frames": FRAMES, **options})
    ending = options.get("ending")
    if ending is None:
        _write_picture(path, options["of"], 0)
        return path
    path.mkdir()
    for number in range(FRAMES):
        _write_picture(path / f"scan_{number:04d}.{ending}", options["of"], number)
    return path


def _write_picture(path: Path, form: str, index: int) -> None:
    if form == "grayf32le":
        frame = av.VideoFrame(64, 48, form)
        values = np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(48, 64)
        plane = np.frombuffer(frame.planes[0], np.float32).reshape(48, -1)  # type: ignore[call-overload]
        plane[:, :64] = values
    elif form.endswith("be"):
        frame = picture(form.replace("be", "le"), 64, 48, index).reformat(format=form)
    else:
        frame = picture(form, 64, 48, index, full_range=True)
    encoder: Any = av.CodecContext.create(_ENCODERS[path.suffix[1:]], "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, form
    encoder.time_base = Fraction(1, 24)
    path.write_bytes(b"".join(bytes(p) for p in (*encoder.encode(frame), *encoder.encode(None))))
