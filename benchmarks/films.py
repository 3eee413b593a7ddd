"""Films made to be timed: a pan over a textured wall, with grain, in H.264 as archives send it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom

WIDTH_OF = {360: 640, 480: 720, 720: 1280, 1080: 1920, 2160: 3840, 2304: 4096}
GRAIN_CODES = 3.0
PAN_PIXELS = 3  # a frame


def make_film(path: Path, height: int, frames: int, *, seed: int = 0) -> Path:
    """Write a gray film of 24 frames a second as yuv420p with neutral chroma.

    Args:
        path: of the film.
        height: a key of `WIDTH_OF`.
        frames: how many.
        seed: of the wall and the grain.
    """
    width = WIDTH_OF[height]
    chance = np.random.default_rng(seed)
    wall = _wall(height, width + PAN_PIXELS * frames, chance)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(
            "libx264", rate=Fraction(24), options={"preset": "veryfast", "crf": "18"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            view = wall[:, PAN_PIXELS * number :][:, :width]
            grain = chance.standard_normal((height // 2, width // 2), dtype=np.float32)
            luma = view + GRAIN_CODES * grain.repeat(2, 0).repeat(2, 1)
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = luma.clip(16, 235)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def repeat_film(source: Path, target: Path, times: int) -> Path:
    """Write a film that shows another again and again; its pictures are not coded anew."""
    with av.open(str(source)) as film, av.open(str(target), "w") as container:
        video = film.streams.video[0]
        stream: Any = container.add_stream_from_template(video)
        assert video.time_base is not None
        length = round(video.frames / (video.average_rate or 24) / video.time_base)
        for turn in range(times):
            film.seek(0)
            for packet in film.demux(video):
                if packet.pts is None or packet.dts is None:
                    continue
                packet.pts += turn * length
                packet.dts += turn * length
                packet.stream = stream
                container.mux(packet)
    return target


def _wall(height: int, width: int, chance: np.random.Generator) -> npt.NDArray[np.float32]:
    """Noise of three sizes, H×W luma codes."""
    wall = np.full((height, width), 120, np.float32)
    for cell, codes in ((height // 4, 50), (height // 16, 25), (height // 60, 15)):
        small = chance.standard_normal((height // cell + 3, width // cell + 3))
        large = zoom(gaussian_filter(small, 0.6), cell, order=1)[:height, :width]
        wall += codes * large.astype(np.float32)
    return wall
