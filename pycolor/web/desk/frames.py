"""The film's frames as pictures for the page: those that the film will have, pixel by pixel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pycolor.errors import PycolorError, UsageError
from pycolor.image.predictor_pool import without_grade
from pycolor.video.io import FilmInfo, Frame
from pycolor.video.job.decisions.planned import Colors
from pycolor.video.job.decisions.shot_predictors import ShotPredictors
from pycolor.video.job.previews.preview import Preview
from pycolor.video.propagation.film_layers import film_layers
from pycolor.video.propagation.layer import Layer
from pycolor.video.propagation.layer_store import LayerStore, Piece, pieces_of
from pycolor.video.shown import shown_codes
from pycolor.web.desk.alone import Patient, colored_alone
from pycolor.web.desk.bounded import Bounded
from pycolor.web.desk.decoder import Decoder
from pycolor.web.desk.png import quick_png
from pycolor.web.desk.samples import doubt_at, tinted

View = Literal["color", "gray", "doubt"]
VIEWS = ("color", "gray", "doubt")
MOST_BYTES = 192 << 20  # of pictures that are kept, encoded
MOST_LAYERS = 12  # pieces of color that are kept in memory, of 240 frames or less
MOST_GRAYS = 8  # frames whose luma is kept for the view in gray
MOST_SINGLES = 600  # frames whose color was made apart
IDLE = 3.0  # seconds in which nobody asks for a picture
PLAYS = 0.5  # seconds in which another picture is asked for while the film is played


@dataclass(frozen=True, kw_only=True)
class Ready:
    """What gives the frames of one plan.

    Attributes:
        preview: of the film by this plan.
        predictors: of its shots; what leads them is read once.
        keys: of its pieces of color, as far as they were asked for, by their first frames.
    """

    preview: Preview
    predictors: ShotPredictors
    keys: dict[int, str] = field(default_factory=dict, compare=False, repr=False)

    def key(self, piece: Piece) -> str:
        """What the color of a piece depends on."""
        if piece.first not in self.keys:
            self.keys[piece.first] = self.preview.colors.key(piece)
        return self.keys[piece.first]


class Frames:
    """Renders frames by the plan as it is at the moment.

    Args:
        preview: of the film.
        ahead: whether the color of the shot that is looked at is made, and kept, in the background.
    """

    def __init__(self, preview: Preview, *, ahead: bool = True) -> None:
        with preview.source.reader(0, 1) as reader:
            self.info = reader.info
        self._now = Ready(preview=preview, predictors=_predictors(preview))
        self._pictures: Bounded[bytes] = Bounded(MOST_BYTES)
        self._layers: Bounded[Layer] = Bounded(MOST_LAYERS)
        self._singles: Bounded[Layer] = Bounded(MOST_SINGLES)
        self._grays: Bounded[Any] = Bounded(MOST_GRAYS)  # luma, chroma's shape and type, encoding
        self._decoder = Decoder(preview.source, len(preview.colors.plan))
        self._work = threading.Lock()  # one picture at a time: each takes all cores
        self._waiting = 0  # people who wait for a picture
        self._asked = time.monotonic()  # when somebody did last
        self._played = -PLAYS  # when the film was played last
        self._wanted: tuple[str, Piece] | None = None
        self._making: tuple[str, Piece] | None = None
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run_ahead, name="ahead", daemon=True)
        if ahead:
            self._thread.start()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture as it is shown: upright, its pixels square."""
        info = self.info
        size = round(info.width * float(info.pixel_aspect or 1)), info.height
        return size[::-1] if info.turns % 2 else size

    def ready(self, colors: Colors) -> Ready:
        """What gives the frames of another plan of the film."""
        preview = replace(self._now.preview, colors=colors)
        return Ready(preview=preview, predictors=_predictors(preview))

    def use(self, ready: Ready) -> None:
        """From now on, frames are those of this plan."""
        self._now = ready

    def close(self) -> None:
        """End the work in the background."""
        with self._news:
            self._ended = True
            self._news.notify_all()
        if self._thread.is_alive():
            self._thread.join(60)
        with self._work:
            self._decoder.close()

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
        ready = ready or self._now
        return self._png(self.key(ready, frame, view), lambda: self._codes(ready, frame, view))

    def quick(
        self, frame: int, view: View = "color", ready: Ready | None = None
    ) -> tuple[bytes, bool]:
        """As `png`, in well under a second; and whether it is the film's picture already.

        Where the color of the frame would have to be made, the frame is colored by itself, as the
        model says and as what was given leads it; what the frames around it say is still to come.
        """
        ready = ready or self._now
        if view != "color" or self.is_made(frame, ready):
            return self.png(frame, view, ready), True
        key = ("quick", *self.key(ready, frame, view))

        def codes() -> npt.NDArray[np.uint8]:
            decoded, info = self._decoder.take(frame)
            plan = ready.preview.colors.plan
            layer = colored_alone(plan, ready.predictors, decoded, info)
            made = self._rendered(ready, decoded, info, layer)
            if not plan.is_under(frame):  # all that was written into it is written anew
                self._decoder.put_back(decoded)
            return made

        return self._png(key, codes), False

    def is_made(self, frame: int, ready: Ready | None = None) -> bool:
        """Whether the film's picture of a frame can be had without asking the model."""
        ready = ready or self._now
        piece = _piece(ready.preview, frame)
        if not piece.sides or self._kept(ready, piece) is not None:
            return True
        return self._singles.get((ready.key(piece), frame)) is not None

    def wait(self, frame: int, seconds: float) -> bool:
        """Whether a frame's color was made within some seconds; it is made as soon as possible."""
        if self.is_made(frame):
            return True
        if not self._thread.is_alive():  # nobody makes it but who asks for it
            return True
        self._want(self._now, _piece(self._now.preview, frame))
        with self._news:
            return self._news.wait_for(lambda: self._ended or self.is_made(frame), seconds)

    @contextmanager
    def spare_time(self, ended: threading.Event) -> Iterator[bool]:
        """While it lasts, nobody else makes pictures; begins when nobody has asked for a while.

        Args:
            ended: stops the waiting; what is given then is False.
        """
        while not ended.is_set():
            with self._news:
                busy = self._waiting or self._wanted or self._making
                idle = time.monotonic() - self._asked
                if busy or idle < IDLE:
                    self._news.wait(IDLE if busy else IDLE - idle)
                    continue
            with self._work:
                yield True
            return
        yield False

    @property
    def now(self) -> Ready:
        """What gives the frames of the plan in use."""
        return self._now

    def color_kept(self, ready: Ready, frame: int) -> Layer | None:
        """The color of a frame, where its shot is made."""
        piece = _piece(ready.preview, frame)
        path = _store(ready.preview, piece, ready.key(piece)).path(piece)
        kept = self._kept(ready, piece) if path.is_file() else None
        return None if kept is None else kept.between(frame, frame + 1)

    def _png(self, key: tuple[Hashable, ...], codes: Callable[[], npt.NDArray[np.uint8]]) -> bytes:
        found = self._pictures.get(key)
        if found is None:
            with self._working():
                made = codes()
            found = quick_png(made)
            self._pictures.put(key, found, len(found))
        return found

    def play_on(self) -> None:
        """Somebody plays the film: for a moment nothing is made in the background."""
        with self._news:
            self._asked = self._played = time.monotonic()

    def key(self, ready: Ready, frame: int, view: View) -> tuple[Hashable, ...]:
        """What a picture depends on."""
        preview = ready.preview
        piece = _piece(preview, frame)
        if view == "gray":
            return view, frame
        colors = preview.colors
        grades = tuple(colors.grades.of(side.start) for side in piece.sides)
        key = ready.key(piece) if piece.sides else ""
        return view, frame, key, grades, colors.plan.is_under(frame)

    def _codes(self, ready: Ready, frame: int, view: View) -> npt.NDArray[np.uint8]:
        if view == "doubt":
            return self._doubt(ready, frame)
        gray = self._grays.get(frame) if view == "gray" else None
        if gray is None:
            none = Layer(first=frame, frames=(None,))
            layer = none if view == "gray" else self.layer(ready, frame)
            decoded, info = self._decoder.take(frame)
            if view == "color":
                return self._rendered(ready, decoded, info, layer)
            picture, factory = ready.preview.rendered(decoded, info, layer)
            self._decoder.put_back(decoded)  # its own chroma is still in it
            encoding, (u, v) = factory.encoding, picture.chroma
            gray = picture.luma, (u.shape, u.dtype), encoding
            self._grays.put(frame, gray)
        luma, (shape, dtype), encoding = gray
        u = v = np.full(shape, encoding.chroma_code_range[0], dtype)
        codes = shown_codes(luma, (u, v), encoding)
        return np.ascontiguousarray(np.rot90(codes, self.info.turns))

    def _doubt(self, ready: Ready, frame: int) -> npt.NDArray[np.uint8]:
        """The gray picture, orange where the model is unsure of the color."""
        codes = self._codes(ready, frame, "gray")
        piece = _piece(ready.preview, frame)
        if not piece.sides:
            return codes
        decoded, info = self._decoder.take(frame)
        unsure = doubt_at(ready.preview.colors.plan, ready.predictors, decoded, info)
        self._decoder.put_back(decoded)
        return codes if unsure is None else tinted(codes, unsure)

    def _rendered(
        self, ready: Ready, frame: Frame, info: FilmInfo, layer: Layer
    ) -> npt.NDArray[np.uint8]:
        """A frame in the color of a layer; it is written into."""
        picture, factory = ready.preview.rendered(frame, info, layer)
        codes = shown_codes(picture.luma, picture.chroma, factory.encoding)
        return np.ascontiguousarray(np.rot90(codes, self.info.turns))

    def layer(self, ready: Ready, frame: int) -> Layer:
        """The color of one frame; if it is not kept, that of its whole piece is made next."""
        preview = ready.preview
        piece = _piece(preview, frame)
        if not piece.sides:
            return Layer(first=frame, frames=(None,))
        kept = self._kept(ready, piece)
        if kept is not None:
            return kept.between(frame, frame + 1)
        key = ready.key(piece)
        single = self._singles.get((key, frame))
        if single is None:
            colors = preview.colors
            (single,) = film_layers(colors.plan, preview.source, ready.predictors, frame, frame + 1)
            self._singles.put((key, frame), single)
        self._want(ready, piece)
        return single

    def _want(self, ready: Ready, piece: Piece) -> None:
        """Have the color of a piece made next."""
        key = ready.key(piece)
        with self._news:
            if self._making != (key, piece):
                self._wanted = key, piece
                self._news.notify_all()

    def _kept(self, ready: Ready, piece: Piece) -> Layer | None:
        key = ready.key(piece)
        found = self._layers.get(key)
        if found is None:
            found = _store(ready.preview, piece, key).load(piece)
            if found is not None:
                self._layers.put(key, found)
        return found

    def _working(self) -> _Turn:
        return _Turn(self)

    # -- in the background -----------------------------------------------------------------------

    def _run_ahead(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._wanted is not None or self._ended)
                if self._ended:
                    return
                assert self._wanted is not None
                key, piece = self._making = self._wanted
                self._wanted = None
            try:
                with suppress(PycolorError, _AbandonedError):  # who looks at the frame is told
                    self._make(key, piece)
            finally:
                with self._news:
                    self._making = None
                    self._news.notify_all()

    def _make(self, key: str, piece: Piece) -> None:
        """Make the color of a piece; between two frames of the model others have their turn."""
        ready = self._now
        preview = ready.preview
        if not self._is_of_now(key, piece):
            return
        made = 0  # frames

        def rest() -> None:
            """Let those go first who wait for a picture."""
            self._work.release()
            try:
                with self._news:
                    while not self._ended and (self._waiting or self._plays()):
                        self._news.wait(PLAYS)
                    ended, other = self._ended, self._wanted is not None
                if ended or (other and 2 * made < piece.stop - piece.first):
                    raise _AbandonedError
                if self._now is not ready and not self._is_of_now(key, piece):
                    raise _AbandonedError
            finally:
                self._work.acquire()

        patient = Patient(ready.predictors, rest)
        plan, store = preview.colors.plan, _store(preview, piece, key)
        layers = film_layers(plan, preview.source, patient, piece.first, piece.stop, store=store)
        with self._work, closing(layers):  # type: ignore[type-var]  # a generator
            for layer in layers:
                for n in range(layer.first, layer.stop):
                    self._singles.put((key, n), layer.between(n, n + 1))
                made += layer.stop - layer.first
                with self._news:
                    self._news.notify_all()
                rest()

    def _plays(self) -> bool:
        return time.monotonic() - self._played < PLAYS

    def _is_of_now(self, key: str, piece: Piece) -> bool:
        """Whether a piece is one of the plan in use."""
        now = self._now
        return _piece(now.preview, piece.first) == piece and now.key(piece) == key


class _AbandonedError(Exception):
    """Something else is wanted now."""


class _Turn:
    """While it lasts, a picture is made that somebody waits for."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    def __enter__(self) -> None:
        with self._frames._news:
            self._frames._waiting += 1
            self._frames._asked = time.monotonic()
        self._frames._work.acquire()

    def __exit__(self, *_: object) -> None:
        self._frames._work.release()
        with self._frames._news:
            self._frames._waiting -= 1
            self._frames._news.notify_all()


def _predictors(preview: Preview) -> ShotPredictors:
    colors = preview.colors
    return ShotPredictors(
        colors.pool,
        colors.plan,
        preview.source,
        lambda shot: without_grade(colors.models[shot]),
        colors.given,
    )


def _piece(preview: Preview, frame: int) -> Piece:
    plan = preview.colors.plan
    if not 0 <= frame < len(plan):
        raise UsageError(f"the film has frames 0 to {len(plan) - 1}, got {frame}.")
    (piece,) = pieces_of(plan, frame, frame + 1)
    return piece


def _store(preview: Preview, piece: Piece, key: str) -> LayerStore:
    return LayerStore(folder=preview.project.layer, keys={piece.first: key})
