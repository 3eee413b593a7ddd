"""The color of a stretch of film: what is kept of it, and for the rest the network's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import groupby, pairwise

from pycolor.models.predictor import Predictor
from pycolor.system.stopwatch import Stopwatch
from pycolor.video.io import FrameSource, SharedFrames
from pycolor.video.plan.plan import Plan
from pycolor.video.propagation.layer import Layer, predict_layers
from pycolor.video.propagation.layer_store import LayerStore, Piece, models_of, pieces_of
from pycolor.video.propagation.seen_frames import SeenFrames

# Frames whose color is handed on together.
LAYER_FRAMES = 4


def film_layers(
    plan: Plan,
    source: FrameSource | SharedFrames,
    predictor: Callable[[int], Predictor],
    first: int,
    stop: int,
    *,
    store: LayerStore | None = None,
    batch: int = 1,
    watch: Stopwatch | None = None,
    seen: SeenFrames | None = None,
    background: Executor | None = None,
) -> Iterator[Layer]:
    """The layers of frames first … stop − 1, in order, a few frames each.

    What is in the store is not predicted, and what is predicted is kept there.

    Args:
        plan: of the film.
        source: the film's frames.
        predictor: the model of the shot whose body begins at a frame.
        first: number of the first frame.
        stop: one past the last.
        store: keeps layers; None: nothing is kept.
        batch: key frames that may go through the network together.
        watch: times the stages.
        seen: see `predict_layers`.
        background: likewise.
    """
    watch = watch or Stopwatch()

    def way(found: tuple[Piece, Layer | None]) -> tuple[Predictor, ...]:
        piece, kept = found
        return () if kept is not None else models_of(piece, predictor)

    for predictors, group in groupby(_found(plan, store, first, stop), way):
        if not predictors:
            for piece, kept in group:
                yield _clipped(kept or _own_color(piece), first, stop)
            continue
        pieces = [piece for piece, _ in group]
        begin, end = pieces[0].first, pieces[-1].stop
        if store is None:
            begin, end = max(first, begin), min(stop, end)
        ends = _ends(pieces, begin, end)
        predict = partial(predict_layers, batch=batch, watch=watch, seen=seen)
        streams = [predict(plan, source, each, ends, background=background) for each in predictors]
        made = streams[0] if len(streams) == 1 else _of_both(streams, pieces[0])
        for layer in made if store is None else _keeping(made, pieces, store):
            if layer.first < stop and layer.stop > first:
                yield _clipped(layer, first, stop)


def _found(
    plan: Plan, store: LayerStore | None, first: int, stop: int
) -> Iterator[tuple[Piece, Layer | None]]:
    for piece in pieces_of(plan, first, stop):
        yield piece, store.load(piece) if store is not None and piece.sides else None


def _own_color(piece: Piece) -> Layer:
    return Layer(first=piece.first, frames=(None,) * (piece.stop - piece.first))


def _clipped(layer: Layer, first: int, stop: int) -> Layer:
    inside = first <= layer.first and layer.stop <= stop
    return layer if inside else layer.between(first, stop)


def _ends(pieces: Sequence[Piece], begin: int, end: int) -> list[int]:
    """Where layers of frames begin … end − 1 are cut: a few frames each, inside one piece."""
    borders = {p.first for p in pieces if begin < p.first < end}
    starts = sorted({begin, end, *borders})
    return sorted({end, *(n for a, b in pairwise(starts) for n in range(a, b, LAYER_FRAMES))})


def _of_both(streams: Sequence[Iterator[Layer]], piece: Piece) -> Iterator[Layer]:
    """A transition between shots of two models: from each model the parts of its own shot."""
    before, after = (side.start for side in piece.sides)
    for left, right in zip(*streams, strict=True):
        frames_of_both = tuple(
            tuple(p for p in a or () if p.shot == before)
            + tuple(p for p in b or () if p.shot == after)
            for a, b in zip(left.frames, right.frames, strict=True)
        )
        yield Layer(first=left.first, frames=frames_of_both)


def _keeping(
    layers: Iterator[Layer], pieces: Sequence[Piece], store: LayerStore
) -> Iterator[Layer]:
    """The layers, each piece kept as soon as it is whole."""
    rest = iter(pieces)
    piece = next(rest)
    whole = Layer(first=piece.first, frames=())
    for layer in layers:
        whole = Layer(first=whole.first, frames=(*whole.frames, *layer.frames))
        if whole.stop == piece.stop:
            store.save(piece, whole)
            whole = Layer(first=piece.stop, frames=())
            piece = next(rest, piece)
        yield layer
