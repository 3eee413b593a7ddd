"""The film's frames as pictures for the page: those that the film will have, pixel by pixel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pycolor.image.predictor_pool import without_grade
from pycolor.system.bounded import Bounded
from pycolor.video.io import FilmInfo, Frame
from pycolor.video.job.decisions.planned import Colors
from pycolor.video.job.frames.preview import Preview
from pycolor.video.plan.grade import Grades
from pycolor.video.propagation.layer import Layer
from pycolor.video.propagation.seen_frames import SeenFrames
from pycolor.video.render.shown import shown_codes
from pycolor.web.desk.rendering.ahead import Ahead
from pycolor.web.desk.rendering.decoder import Decoder
from pycolor.web.desk.rendering.doubt_view import doubt_at, tinted
from pycolor.web.desk.rendering.png import quick_png
from pycolor.web.desk.rendering.ready import Ready
from pycolor.web.desk.rendering.turns import Turns

View = Literal["color", "gray", "doubt"]
VIEWS = ("color", "gray", "doubt")
MOST_BYTES = 128 << 20  # of pictures that are kept, encoded
MOST_GRAYS = 8  # frames whose luma is kept for the view in gray


class Frames:
    """Renders frames by the plan as it is at the moment.

    Args:
        preview: of the film.
        ahead: see `Ahead`.
    """

    def __init__(self, preview: Preview, *, ahead: bool = True) -> None:
        with preview.source.reader(0, 1) as reader:
            self.info = reader.info
        self._turns = Turns()
        ready = Ready.of(preview, SeenFrames(self.info))
        self._colors = Ahead(ready, self._turns, ahead=ahead)
        self._pictures: Bounded[bytes] = Bounded(MOST_BYTES)
        self._grays: Bounded[Any] = Bounded(MOST_GRAYS)  # luma, chroma's shape and type, encoding
        self._decoder = Decoder(preview.source, len(preview.colors.plan))
        self._aside = Decoder(preview.source, len(preview.colors.plan))
        self._aside_free = threading.Lock()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture as it is shown: upright, its pixels square."""
        info = self.info
        size = round(info.width * float(info.pixel_aspect or 1)), info.height
        return size[::-1] if info.turns % 2 else size

    @property
    def now(self) -> Ready:
        """What gives the frames of the plan in use."""
        return self._colors.ready

    def ready(self, colors: Colors) -> Ready:
        """What gives the frames of another plan of the film."""
        return self.now.with_colors(colors)

    def use(self, ready: Ready) -> None:
        """From now on, frames are those of this plan."""
        self._colors.ready = ready

    def close(self) -> None:
        """End the work in the background."""
        self._colors.close()
        with self._turns.work, self._aside_free:
            self._decoder.close()
            self._aside.close()

    def png(self, frame: int, view: View = "color", ready: Ready | None = None) -> bytes:
        """A frame as PNG, upright; its pixels are the film's.

        Args:
            frame: its number.
            view: in color, or the source's gray.
            ready: by another plan than that in use.

        Raises:
            UsageError: the film has no such frame.
            FilmError: it cannot be read.
        """
        ready = ready or self.now
        return self._png(self.key(ready, frame, view), lambda: self._codes(ready, frame, view))

    def quick(
        self, frame: int, view: View = "color", ready: Ready | None = None
    ) -> tuple[bytes, bool]:
        """As `png`, in well under a second; and whether it is the film's picture already.

        Where the color of the frame would have to be made, the frame is colored by itself, as the
        model says and as what was given leads it; what the frames around it say is still to come.
        """
        ready = ready or self.now
        if view != "color" or self.is_made(frame, ready):
            return self.png(frame, view, ready), True
        key = ("quick", *self.key(ready, frame, view))

        def codes() -> npt.NDArray[np.uint8]:
            under = ready.preview.colors.plan.is_under(frame)
            decoded, info = self._decoder.take(frame, own_color=under)
            return self._rendered(ready, decoded, info, ready.colored_alone(decoded, info))

        return self._png(key, codes), False

    def ungraded(self, frame: int) -> bytes:
        """A frame as PNG in the colors of its shot before they are graded: to lead other shots."""
        ready, preview = self.now, self.now.preview
        options = replace(preview.options, predict=without_grade(preview.options.predict))
        plain = replace(preview, options=options, colors=replace(preview.colors, grades=Grades()))
        return self.png(frame, ready=replace(ready, preview=plain))

    def is_made(self, frame: int, ready: Ready | None = None) -> bool:
        """Whether the film's picture of a frame can be had without asking the model."""
        return self._colors.is_made(ready or self.now, frame)

    def wait(self, frame: int, seconds: float) -> bool:
        """Whether a frame's color was made within some seconds; it is made as soon as possible."""
        return self._colors.wait(frame, seconds)

    def spare_time(
        self, ended: threading.Event, hurried: Callable[[], bool] = lambda: False
    ) -> AbstractContextManager[bool]:
        """While it lasts, nobody else makes pictures; begins when nobody has asked for a while.

        Args:
            ended: stops the waiting; what is given then is False.
            hurried: see `Turns.spare`.
        """
        return self._turns.spare(lambda: self._colors.is_busy, ended, hurried)

    def play_on(self) -> None:
        """Somebody plays the film: for a moment nothing is made in the background."""
        self._turns.play_on()

    def color_kept(self, ready: Ready, frame: int) -> Layer | None:
        """The color of a frame, where its shot is made."""
        return self._colors.of_shot(ready, frame)

    def layer(self, ready: Ready, frame: int) -> Layer:
        """The color of one frame; if it is not kept, that of its whole piece is made next."""
        return self._colors.layer(ready, frame)

    def aside(self, frame: int) -> tuple[Frame, FilmInfo]:
        """A frame of somewhere in the film, decoded apart from those that are looked at."""
        with self._aside_free:
            return self._aside.take(frame)

    def key(self, ready: Ready, frame: int, view: View) -> tuple[Hashable, ...]:
        """What a picture depends on."""
        piece = ready.piece(frame)
        if view == "gray":
            return view, frame
        preview = ready.preview
        grades = tuple(preview.grades.of(side.start) for side in piece.sides)
        key = ready.key(piece) if piece.sides else ""
        return view, frame, key, grades, preview.colors.plan.is_under(frame)

    def _png(self, key: tuple[Hashable, ...], codes: Callable[[], npt.NDArray[np.uint8]]) -> bytes:
        found = self._pictures.get(key)
        if found is None:
            with self._turns.for_a_person():
                made = codes()
            found = quick_png(made)
            self._pictures.put(key, found, len(found))
        return found

    def _codes(self, ready: Ready, frame: int, view: View) -> npt.NDArray[np.uint8]:
        if view == "gray":
            return self._gray(ready, frame)
        if view == "doubt":
            return self._doubt(ready, frame)
        layer = self.layer(ready, frame)
        own = layer.frames[0] is None or ready.preview.colors.plan.is_under(frame)
        decoded, info = self._decoder.take(frame, own_color=own)
        return self._rendered(ready, decoded, info, layer)

    def _gray(self, ready: Ready, frame: int) -> npt.NDArray[np.uint8]:
        gray = self._grays.get(frame)
        if gray is None:
            decoded, info = self._decoder.take(frame)
            picture, factory = ready.preview.rendered(
                decoded, info, Layer(first=frame, frames=(None,))
            )
            self._decoder.put_back(decoded)
            encoding, (u, v) = factory.encoding, picture.chroma
            gray = picture.luma, (u.shape, u.dtype), encoding
            self._grays.put(frame, gray)
        luma, (shape, dtype), encoding = gray
        u = v = np.full(shape, encoding.chroma_code_range[0], dtype)
        codes = shown_codes(luma, (u, v), encoding)
        return np.ascontiguousarray(np.rot90(codes, self.info.turns))

    def _doubt(self, ready: Ready, frame: int) -> npt.NDArray[np.uint8]:
        """The gray picture, orange where the model is unsure of the color."""
        codes = self._gray(ready, frame)
        if not ready.piece(frame).sides:
            return codes
        decoded, info = self._decoder.take(frame)
        unsure = doubt_at(ready, decoded, info)
        self._decoder.put_back(decoded)
        return codes if unsure is None else tinted(codes, unsure)

    def _rendered(
        self, ready: Ready, frame: Frame, info: FilmInfo, layer: Layer
    ) -> npt.NDArray[np.uint8]:
        """A frame in the color of a layer, which is written into it."""
        picture, factory = ready.preview.rendered(frame, info, layer)
        self._decoder.put_back(frame, recolored=layer.frames[0] is not None)
        codes = shown_codes(picture.luma, picture.chroma, factory.encoding)
        return np.ascontiguousarray(np.rot90(codes, self.info.turns))
