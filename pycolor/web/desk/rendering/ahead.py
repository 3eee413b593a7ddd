"""The color of the shots that are looked at: kept, made for one frame, made ahead for the shot."""

from __future__ import annotations

import threading
from contextlib import closing, suppress

from pycolor.errors import PycolorError
from pycolor.system.bounded import Bounded
from pycolor.video.propagation.film_layers import film_layers
from pycolor.video.propagation.layer import Layer
from pycolor.video.propagation.layer_store import Piece
from pycolor.web.desk.rendering.alone import Patient
from pycolor.web.desk.rendering.ready import Ready
from pycolor.web.desk.rendering.turns import Turns

MOST_LAYERS = 8  # pieces of color that are kept in memory, of 240 frames or less
MOST_SINGLES = 600  # frames whose color was made apart


class Ahead:
    """See the module.

    Args:
        ready: what gives the frames.
        turns: who computes.
        ahead: whether the color of the shot that is looked at is made, and kept, in the background.
    """

    def __init__(self, ready: Ready, turns: Turns, *, ahead: bool) -> None:
        self.ready, self._turns = ready, turns
        self._layers: Bounded[Layer] = Bounded(MOST_LAYERS)
        self._singles: Bounded[Layer] = Bounded(MOST_SINGLES)
        self._wanted: tuple[str, Piece] | None = None
        self._making: tuple[str, Piece] | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
        if ahead:
            self._thread.start()

    def close(self) -> None:
        """End the work in the background."""
        with self._turns.news:
            self._ended = True
            self._turns.news.notify_all()
        if self._thread.is_alive():
            self._thread.join(60)

    @property
    def is_busy(self) -> bool:
        """Whether a shot is being made, or wanted."""
        return self._wanted is not None or self._making is not None

    def is_made(self, ready: Ready, frame: int) -> bool:
        """Whether the color of a frame can be had without asking the model."""
        piece = ready.piece(frame)
        if not piece.sides or self._kept(ready, piece) is not None:
            return True
        return self._singles.get((ready.key(piece), frame)) is not None

    def of_shot(self, ready: Ready, frame: int) -> Layer | None:
        """The color of a frame, where its shot is made."""
        piece = ready.piece(frame)
        kept = self._kept(ready, piece) if ready.store(piece).has(piece) else None
        return None if kept is None else kept.between(frame, frame + 1)

    def layer(self, ready: Ready, frame: int) -> Layer:
        """The color of one frame; if it is not kept, that of its whole piece is made next."""
        preview, piece = ready.preview, ready.piece(frame)
        if not piece.sides:
            return Layer(first=frame, frames=(None,))
        kept = self._kept(ready, piece)
        if kept is not None:
            return kept.between(frame, frame + 1)
        key = ready.key(piece)
        single = self._singles.get((key, frame))
        if single is None:
            (single,) = film_layers(
                preview.colors.plan,
                preview.source,
                ready.predictors,
                frame,
                frame + 1,
                seen=ready.seen,
            )
            self._singles.put((key, frame), single)
        self._want(key, piece)
        return single

    def wait(self, frame: int, seconds: float) -> bool:
        """Whether a frame's color was made within some seconds; it is made as soon as possible."""
        if self.is_made(self.ready, frame):
            return True
        if not self._thread.is_alive():  # nobody makes it but who asks for it
            return True
        piece = self.ready.piece(frame)
        self._want(self.ready.key(piece), piece)
        news = self._turns.news
        with news:
            return news.wait_for(lambda: self._ended or self.is_made(self.ready, frame), seconds)

    def _want(self, key: str, piece: Piece) -> None:
        """Have the color of a piece made next."""
        with self._turns.news:
            if self._making != (key, piece):
                self._wanted = key, piece
                self._turns.news.notify_all()

    def _kept(self, ready: Ready, piece: Piece) -> Layer | None:
        key = ready.key(piece)
        found = self._layers.get(key)
        if found is None:
            found = ready.store(piece).load(piece)
            if found is not None:
                self._layers.put(key, found)
        return found

    # -- in the background -----------------------------------------------------------------------

    def _run(self) -> None:
        news = self._turns.news
        while True:
            with news:
                news.wait_for(lambda: self._wanted is not None or self._ended)
                if self._ended:
                    return
                assert self._wanted is not None
                key, piece = self._making = self._wanted
                self._wanted = None
            try:
                with suppress(PycolorError, _AbandonedError):  # who looks at the frame is told
                    self._make(key, piece)
            finally:
                with news:
                    self._making = None
                    news.notify_all()

    def _make(self, key: str, piece: Piece) -> None:
        """Make the color of a piece; between two frames of the model others have their turn."""
        ready = self.ready
        if not self._is_of_now(key, piece):
            return
        made = 0  # frames

        def rest() -> None:
            """Let those go first who wait for a picture."""
            self._turns.give_way(lambda: self._ended)
            other = self._wanted is not None and 2 * made < piece.stop - piece.first
            if self._ended or other or not self._is_of_now(key, piece):
                raise _AbandonedError

        layers = film_layers(
            ready.preview.colors.plan,
            ready.preview.source,
            Patient(ready.predictors, rest),
            piece.first,
            piece.stop,
            store=ready.store(piece),
            seen=ready.seen,
        )
        with self._turns.work, closing(layers):  # type: ignore[type-var]  # a generator
            for layer in layers:
                for n in range(layer.first, layer.stop):
                    self._singles.put((key, n), layer.between(n, n + 1))
                made += layer.stop - layer.first
                with self._turns.news:
                    self._turns.news.notify_all()
                rest()

    def _is_of_now(self, key: str, piece: Piece) -> bool:
        """Whether a piece is one of the plan in use."""
        now = self.ready
        return now.piece(piece.first) == piece and now.key(piece) == key


class _AbandonedError(Exception):
    """Something else is wanted now."""
