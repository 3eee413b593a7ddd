"""Small pictures of the film, to be played or for the strip: JPEG, decoded and colored once."""

from __future__ import annotations

import io
import threading

import numpy as np
import numpy.typing as npt
from PIL import Image

from pycolor.system.bounded import Bounded
from pycolor.video.job.frames.draft import small_picture, small_size
from pycolor.web.desk.rendering.decoder import Decoder
from pycolor.web.desk.rendering.frames import Frames

HEIGHT = 360  # pixels
THUMBNAIL = (160, 120)  # pixels, at most
MOST_BYTES = 96 << 20  # of pictures that are kept: some minutes


class Playing:
    """See the module.

    Args:
        frames: of the film.
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        preview = frames.now.preview
        # A decoder of its own: whoever plays goes on from frame to frame.
        self._decoder = Decoder(preview.source, len(preview.colors.plan))
        self._kept: Bounded[bytes] = Bounded(MOST_BYTES)
        self._work, self._aside = threading.Lock(), threading.Lock()

    def close(self) -> None:
        """Close the film."""
        with self._work, self._aside:
            self._decoder.close()

    def jpeg(self, n: int) -> tuple[bytes, bool]:
        """A frame to be played, and whether it has its color: gray as long as that is not made.

        Raises:
            UsageError: the film has no such frame.
            FilmError: it cannot be read.
        """
        self._frames.play_on()
        return self._small(n, HEIGHT)

    def thumbnail(self, n: int) -> tuple[bytes, bool]:
        """A frame for the strip; likewise gray."""
        wide, tall = self._frames.size
        share = min(THUMBNAIL[0] / wide, THUMBNAIL[1] / tall)
        return self._small(n, max(2, round(tall * share)))

    def _small(self, n: int, height: int) -> tuple[bytes, bool]:
        ready = self._frames.now
        final = self._frames.is_made(n, ready)
        key = height, *self._frames.key(ready, n, "color" if final else "gray")
        found = self._kept.get(key)
        if found is None:
            playing = height == HEIGHT
            with self._work if playing else self._aside:
                frame, info = self._decoder.take(n) if playing else self._frames.aside(n)
                size = small_size(info, height)
                if final:
                    (parts,) = self._frames.layer(ready, n).frames
                    codes = small_picture(ready.preview, frame, n, parts, info, size)
                else:
                    codes = _gray(frame.luma, info.encoding.luma_code_range, size, info.turns)
            found = _jpeg(codes)
            self._kept.put(key, found, len(found))
        return found, final


def _gray(
    luma: npt.NDArray[np.unsignedinteger],
    codes: tuple[int, int],
    size: tuple[int, int],
    turns: int,
) -> npt.NDArray[np.uint8]:
    black, white = codes
    turned = size if turns % 2 else size[::-1]
    small = Image.fromarray(luma.astype(np.float32)).resize(turned, Image.Resampling.BOX)
    gray = (np.asarray(small) - black) * (255 / (white - black))
    upright = np.rot90(gray.clip(0, 255).round().astype(np.uint8), turns)
    return np.repeat(upright[..., None], 3, axis=2)


def _jpeg(codes: npt.NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(codes).save(file, "JPEG", quality=85, subsampling=0)
    return file.getvalue()
