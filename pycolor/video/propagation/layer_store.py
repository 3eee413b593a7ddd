"""Color layers that are kept, in pieces that are named by what they depend on."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pycolor.errors import FilmError
from pycolor.video.plan.plan import Plan, PlanSpan, ShotBody, TransitionSpan
from pycolor.video.plan.plan_json import span_to_json
from pycolor.video.propagation.layer import Layer
from pycolor.video.propagation.layer_file import VERSION, layer_bytes, read_layer

PIECE_FRAMES = 240
SUFFIX = ".npz"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Frames first … stop − 1 of one span of a plan, whose color is kept in one file."""

    first: int
    stop: int
    span: PlanSpan

    @property
    def sides(self) -> tuple[ShotBody, ...]:
        """The shots that give it color; none where the source's own stays."""
        if self.span.passthrough:
            return ()
        if isinstance(self.span, ShotBody):
            return (self.span,)
        return tuple(side for side in (self.span.before, self.span.after) if side is not None)


def pieces_of(plan: Plan, first: int = 0, stop: int | None = None) -> Iterator[Piece]:
    """The pieces that hold frames first … stop − 1, in order.

    A piece lies in one span, so that a change of one shot leaves the others' alone.
    """
    stop = len(plan) if stop is None else stop
    begin = max(0, bisect_right(plan.spans, first, key=lambda span: span.start) - 1)
    for span in islice(plan.spans, begin, None):
        if span.start >= stop:
            break
        for low in range(span.start, span.stop, PIECE_FRAMES):
            high = min(low + PIECE_FRAMES, span.stop)
            if low < stop and high > first:
                yield Piece(first=low, stop=high, span=span)


def piece_key(
    plan: Plan, piece: Piece, film: Mapping[str, Any], model: Callable[[int], Mapping[str, Any]]
) -> str:
    """What the color of a piece depends on, as a hexadecimal digest.

    Args:
        plan: of the film.
        piece: of the plan.
        film: what all pieces depend on: the source, the arithmetic, the versions.
        model: identifies the model of the shot whose body begins at a frame.
    """
    spans: list[PlanSpan] = [piece.span, *(s for s in piece.sides if s is not piece.span)]
    content = {
        "layer": VERSION,
        "film": dict(film),
        "reach": plan.reach,
        "frames": [piece.first, piece.stop],
        "spans": [
            {**span_to_json(span), "gain": _digest(plan.gain[span.start : span.stop].tobytes())}
            for span in spans
        ],
        "models": [dict(model(side.start)) for side in piece.sides],
    }
    return _digest(json.dumps(content, sort_keys=True, default=str).encode())


@dataclass(frozen=True, kw_only=True)
class LayerStore:
    """A folder of kept layers, and which of its files are a film's.

    Attributes:
        folder: is made when something is kept.
        keys: of each piece, by its first frame.
        damaged: pieces whose files were found damaged, and removed.
    """

    folder: Path
    keys: Mapping[int, str] = field(repr=False)
    damaged: list[Piece] = field(default_factory=list, repr=False, compare=False)

    def path(self, piece: Piece) -> Path:
        return self.folder / f"{self.keys[piece.first]}{SUFFIX}"

    def has(self, piece: Piece) -> bool:
        """Whether its file is there; it may be damaged."""
        return self.path(piece).is_file()

    def load(self, piece: Piece) -> Layer | None:
        """What is kept of a piece; None if nothing is, or it is damaged: it is made again then."""
        path = self.path(piece)
        try:
            layer = read_layer(path.read_bytes(), self.keys[piece.first])
        except FileNotFoundError:
            return None
        except Exception:  # whatever a damaged file makes of the libraries that read it
            path.unlink(missing_ok=True)
            self.damaged.append(piece)
            return None
        os.utime(path)  # what was used last goes last
        return layer if (layer.first, layer.stop) == (piece.first, piece.stop) else None

    def save(self, piece: Piece, layer: Layer) -> None:
        """Keep a piece, complete or not at all.

        Raises:
            FilmError: it cannot be written.
        """
        content = layer_bytes(layer, self.keys[piece.first])
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".", delete=False) as f:
                try:
                    f.write(content)
                    f.close()
                    os.replace(f.name, self.path(piece))
                except BaseException:
                    os.unlink(f.name)
                    raise
        except OSError as e:
            raise FilmError(
                f"the color layer could not be kept in {self.folder}: {e.strerror}."
            ) from None


def models_of(piece: Piece, model: Callable[[int], Any]) -> tuple[Any, ...]:
    """The models that a piece takes, each once, in the order of its sides."""
    return tuple(dict.fromkeys(model(side.start) for side in piece.sides))


def is_mixed(piece: Piece) -> bool:
    """Whether two shots give it color."""
    return isinstance(piece.span, TransitionSpan) and len(piece.sides) == 2


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
