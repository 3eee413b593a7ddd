"""The frames of a clip as codes, asked for ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pycolor.errors import FilmError
from pycolor.vapoursynth.clip_shape import FLOAT_BITS, ClipShape, check_frame
from pycolor.video.io.frame.pixel_formats import Plane
from pycolor.video.io.read.frames.plane_source import (
    PlaneSource,
    RawFrame,
    planes_format,
    planes_info,
)

_REQUESTED = 8  # frames of the clip that are asked for ahead


def plane_source(clip: Any, shape: ClipShape) -> PlaneSource:
    """The clip's frames as codes."""
    encoding = shape.encoding
    name = planes_format(encoding.bit_depth, None if shape.gray else encoding.subsampling)
    assert name is not None, "such a clip is refused"
    path = Path("clip")
    info = planes_info(
        name,
        size=(clip.height, clip.width),
        encoding=encoding,
        frames=clip.num_frames,
        path=path,
        rate=Fraction(clip.fps) if clip.fps else Fraction(24),
        pixel_aspect=shape.pixel_aspect,
    )

    def frames(first: int, stop: int) -> Iterator[RawFrame]:
        for n, frame in _requested(clip, range(first, stop)):
            with frame:
                check_frame(frame, n, shape)
                count = 1 if shape.gray else 3
                planes = [codes_of(frame[k], k, shape) for k in range(count)]
                yield RawFrame(index=n, planes=planes, interlaced=is_interlaced(frame.props))

    return PlaneSource(info=info, frames=frames, path=path)


def _requested(clip: Any, numbers: Iterable[int]) -> Iterator[tuple[int, Any]]:
    """Frames of a clip in order, some of them asked for ahead.

    Raises:
        FilmError: the clip fails.
    """
    waiting: deque[tuple[int, Any]] = deque()
    rest = iter(numbers)
    while True:
        while len(waiting) < _REQUESTED and (n := next(rest, None)) is not None:
            waiting.append((n, clip.get_frame_async(n)))
        if not waiting:
            return
        n, future = waiting.popleft()
        try:
            frame = future.result()
        except Exception as error:
            raise FilmError(f"frame {n} of the clip cannot be had: {error}.") from error
        yield n, frame


def is_interlaced(props: Any) -> bool:
    return int(props.get("_FieldBased", 0)) in (1, 2)


def codes_of(plane: Any, number: int, shape: ClipShape) -> Plane:
    """A plane as codes: its own memory, or the codes that stand for floats."""
    samples = np.asarray(plane)
    return from_floats(samples, number) if shape.floats else samples


def from_floats(samples: Any, number: int) -> Plane:
    """Floats of 0 … 1 (chroma −0.5 … 0.5) as codes of 16 bits in full range."""
    top = (1 << FLOAT_BITS) - 1
    codes = samples.astype(np.float64) * top + ((1 << (FLOAT_BITS - 1)) if number else 0)
    found: Plane = np.rint(np.nan_to_num(codes)).clip(0, top).astype(np.uint16)
    return found
