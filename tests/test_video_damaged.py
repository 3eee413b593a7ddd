"""Two hundred broken films: no crash, no hang, no traceback, no silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.films import make_film

QUICK = {"preset": "ultrafast", "g": "5"}
FILMS: dict[str, dict[str, Any]] = {
    "h264.mp4": {"codec": "libx264", "options": QUICK, "sound": ["aac"]},
    "h264-first.mp4": {"codec": "libx264", "options": QUICK, "sound": ["aac"],
                       "muxer_options": {"movflags": "faststart"}},
    "hevc.mp4": {"codec": "libx265", "options": {**QUICK, "x265-params": "log-level=none"}},
    "av1.mp4": {"codec": "libsvtav1", "options": {"preset": "12"}, "width": 128, "height": 96},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le", "sound": ["pcm_s16le"]},
    "dnxhr.mov": {"codec": "dnxhd", "pixel_format": "yuv422p", "width": 256, "height": 128,
                  "options": {"profile": "dnxhr_hq"}},
    "v210.mov": {"codec": "v210", "pixel_format": "yuv422p10le"},
    "ffv1.mkv": {"sound": ["flac"], "titles": "subrip", "options": {"slicecrc": "1", "level": "3"}},
    "h264.mkv": {"codec": "libx264", "options": QUICK, "sound": ["ac3"], "chapters": True},
    "gray16.mkv": {"pixel_format": "gray16le"},
    "vp9.webm": {"codec": "libvpx-vp9", "sound": ["libopus"]},
    "mjpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p", "color_range": 2,
                  "sound": ["pcm_s16le"]},
    "mpeg4.avi": {"codec": "mpeg4", "sound": ["mp3"]},
    "utvideo.avi": {"codec": "utvideo", "pixel_format": "yuv422p"},
    "mpeg2.mpg": {"codec": "mpeg2video", "rate": 25, "sound": ["mp2"]},
    "mpeg2.ts": {"codec": "mpeg2video", "rate": 25, "sound": ["mp2"]},
    "h264.ts": {"codec": "libx264", "options": QUICK, "sound": ["ac3"]},
    "mpeg2.mxf": {"codec": "mpeg2video", "pixel_format": "yuv422p", "rate": 25,
                  "sound": ["pcm_s16le"]},
    "prores.mxf": {"codec": "prores_ks", "pixel_format": "yuv422p10le", "rate": 25},
    "raw.y4m": {"codec": "rawvideo"},
}  # fmt: skip
FRAMES = 20


def make_clean(folder: Path) -> dict[str, Path]:
    made = {}
    for name, options in FILMS.items():
        made[name] = make_film(folder / f"clean-{name}", frames=FRAMES, **options)
    return made
