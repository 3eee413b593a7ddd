"""How many threads an encoder has, where its bits depend on that."""

from __future__ import annotations

import os
from pathlib import Path

from pycolor.options import VideoOptions
from pycolor.video.io.containers.presets import PIPE, ending_of, preset_for

# Encoders that give the same packets for any number of threads; x264 and MPEG-2, for example, part
# their pictures among them.
_SAME_FOR_ANY = frozenset(
    ("dnxhd", "dpx", "ffv1", "libvpx-vp9", "png", "prores_ks", "rawvideo", "tiff", "v210")
)


def depends_on_threads(target: Path, options: VideoOptions) -> bool:
    """Whether an output's bits depend on how many processors the machine has."""
    if options.mix or str(target) == PIPE:
        return False
    codec = options.codec or preset_for(ending_of(target, options.preset), options.preset).codec
    return codec not in _SAME_FOR_ANY and "threads" not in options.encoder_options


def encoder_threads(*, matter: bool = True) -> dict[str, str]:
    """What decides an encoder's bits on this machine; nothing if that does not matter."""
    return {"encoder": f"{len(os.sched_getaffinity(0))} processors"} if matter else {}
