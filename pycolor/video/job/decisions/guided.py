"""What a person gave for a film, brought to its frames: guided pictures, further key frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from pycolor.errors import UsageError
from pycolor.image.guidance.guides import (
    alike,
    colorless,
    marked,
    read_known,
    read_marks,
    still_of,
)
from pycolor.image.guidance.references import Reference, references
from pycolor.models.colorizer import Guidance
from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.guidance.looks import Grade
from pycolor.models.guidance.marks import Mark, Marks, ab_of
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions
from pycolor.video.io import FilmInfo, Frame, FrameSource, SingleFrames
from pycolor.video.io.frame.tensors import luma_on
from pycolor.video.plan.brightness import brightened
from pycolor.video.plan.plan import Plan, ShotBody
from pycolor.video.plan.planning import with_guided
from pycolor.video.propagation.layer_store import LayerStore, pieces_of
from pycolor.video.propagation.seen_frames import SeenFrames


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the options name, read; frames count from the range's first.

    Attributes:
        stills: of the film, by frame.
        alike: pictures of something else.
        marks: the document.
        outside: frames of the film of which something is said, but that are not in the range.
    """

    stills: dict[int, Reference]
    alike: tuple[Reference, ...]
    marks: Marks
    outside: tuple[int, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What of all that was given does not count."""
        if not self.outside:
            return []
        numbers = ", ".join(map(str, self.outside))
        return [f"not in the range, and left out: what is given for frames {numbers}"]

    @property
    def frames(self) -> list[int]:
        """Those of which something is said."""
        return sorted({*self.stills, *self.marks.frames})


def given(
    options: PredictOptions,
    predictor: Predictor,
    info: FilmInfo,
    offset: int,
    stop: int | None = None,
) -> Given:
    """What the options name, without what is said of frames before and after the range.

    Args:
        options: of the model.
        predictor: of it.
        info: of the film.
        offset: number of the range's first frame in the film.
        stop: one past its last; None for the film's end.

    Raises:
        UsageError: a name or the document does not fit.
    """

    def inside(frame: int) -> bool:
        return offset <= frame and (stop is None or frame < stop)

    own = predictor.network.guide == "reference"  # then pictures went into the model already
    named = [] if own else references(options.reference, info.rate)
    marks = read_marks(options.guidance)
    stills = {r.frame: r for r in named if r.frame is not None}
    outside = {n for n in (*stills, *(mark.frame for mark in marks.marks)) if not inside(n)}
    return Given(
        outside=tuple(sorted(outside)),
        stills={n - offset: still for n, still in stills.items() if inside(n)},
        alike=tuple(r for r in named if r.frame is None),
        marks=replace(
            marks,
            marks=tuple(_from_range(mark, offset) for mark in marks.marks if inside(mark.frame)),
            looks=tuple(look for look in marks.looks if stop is None or look.first < stop),
        ),
    )


def _from_range(mark: Mark, offset: int) -> Mark:
    return replace(mark, frame=mark.frame - offset)


def guided_plan(plan: Plan, found: Given, options: PredictOptions, offset: int) -> Plan:
    """The plan with what is said of its frames.

    Args:
        plan: of the film.
        found: from `given`.
        options: of the model.
        offset: as there.
    """
    palette = tuple(ab_of(color) for color in found.marks.palette)
    base = Grade(look=options.look, warmth=options.warmth, palette=palette)
    grades = [
        (
            max(0, look.first - offset),
            look.stop - offset,
            replace(base, saturation=look.saturation, warmth=base.warmth + look.warmth),
        )
        for look in found.marks.looks
        if look.stop > offset
    ]
    if base != Grade():
        grades.append((0, max(1, len(plan)), base))
    return with_guided(replace(plan, grades=tuple(grades)), found.frames)


def guided_pictures(
    found: Given,
    plan: Plan,
    source: FrameSource,
    predictor: Predictor,
    seen: SeenFrames | None = None,
) -> tuple[GuidedPicture, ...]:
    """What is known of the film's frames, and of pictures that are like them.

    Args:
        found: from `given`.
        plan: of the film.
        source: its frames.
        predictor: of the model that is led.
        seen: what was seen of the frames before.

    Raises:
        UsageError: a still shows another frame than it says, a mark lies outside of the picture, or
            a frame is none of the film's.
        FilmError: the film or a picture cannot be read.
    """
    pictures: list[GuidedPicture] = []
    graded = [max(0, look.first - source.offset) for look in found.marks.looks]
    late = [n for n in (*found.frames, *graded) if not 0 <= n < len(plan)]
    if late:
        raise UsageError(
            f"there is guidance for frame {late[0] + source.offset}; expected {source.offset} to "
            f"{source.offset + len(plan) - 1}."
        )
    for n, lightness, info in _looked_at(source, found.frames, plan, predictor, seen):
        span = plan.span_at(n)
        pictures.append(
            GuidedPicture(
                lightness=lightness,
                color=_known(n, found, lightness, info, source, predictor),
                frame=n,
                shot=(span.start, span.stop) if isinstance(span, ShotBody) else None,
            )
        )
    pictures += [alike(read_known(r.path), predictor) for r in found.alike]
    return tuple(pictures)


def without_effect(
    found: Given, plan: Plan, pictures: Sequence[GuidedPicture], offset: int
) -> list[str]:
    """What a person should know of guidance that may not do what was wanted.

    Args:
        found: from `given`.
        plan: of the film.
        pictures: from `guided_pictures`.
        offset: number of the range's first frame in the film.
    """
    own = [n for n in found.frames if plan.span_at(n).passthrough]
    told = []
    if own:
        numbers = ", ".join(str(n + offset) for n in own)
        told.append(f"left in their own color, whatever is given for them: frames {numbers}")
    told += _in_transitions(found.frames, plan, offset)
    for picture in pictures:
        still = None if picture.frame is None else found.stills.get(picture.frame)
        if still is not None and colorless(picture.color):
            told.append(_colorless(still))
    return told


def without_effect_in_shots(
    given: Mapping[int, Given], plan: Plan, layer: LayerStore, predictor: Predictor
) -> list[str]:
    """As `without_effect`, of what leads single shots; stills of what is kept are not looked at.

    Args:
        given: what leads a shot, by the first frame of its body.
        plan: of the film.
        layer: the color that is kept.
        predictor: any.

    Raises:
        UsageError: a still is gray.
        FilmError: a still cannot be read.
    """
    pieces = [piece for piece in pieces_of(plan) if piece.sides and not layer.has(piece)]
    colored = {side.start for piece in pieces for side in piece.sides}
    stills = [r for n, found in given.items() if n in colored for r in found.stills.values()]
    return [
        *_in_transitions(sorted(n for found in given.values() for n in found.frames), plan, 0),
        *(_colorless(r) for r in stills if colorless(alike(read_known(r.path), predictor).color)),
    ]


def _in_transitions(frames: Sequence[int], plan: Plan, offset: int) -> list[str]:
    spans = {n: plan.span_at(n) for n in frames}
    mixed = [n for n, span in spans.items() if not isinstance(span, ShotBody)]
    mixed = [n for n in mixed if not spans[n].passthrough]
    if not mixed:
        return []
    numbers = ", ".join(str(n + offset) for n in mixed)
    return [
        "in a dissolve or fade, where what is given leads what looks like it, but does not hold "
        f"at its own frame; a frame before or behind it does: frames {numbers}"
    ]


def _colorless(still: Reference) -> str:
    return f"{still.path} has no color, so its frame and what looks like it stay gray"


def _known(
    n: int,
    found: Given,
    lightness: Tensor,
    info: FilmInfo,
    source: FrameSource,
    predictor: Predictor,
) -> Guidance:
    known: Guidance | None = None
    name = f"frame {n + source.offset} of {source.path.name}"
    if still := found.stills.get(n):
        picture = read_known(still.path)
        known = still_of(picture, lightness, predictor, (str(still.path), name))
    marks = found.marks.of(n)
    if not marks:
        assert known is not None
        return known
    shown = (info.height, round(info.width * float(info.pixel_aspect or 1)))
    if info.turns % 2:
        shown = shown[::-1]
    return marked(marks, shown, lightness, predictor, name, known)


def _looked_at(
    source: FrameSource,
    numbers: Sequence[int],
    plan: Plan,
    predictor: Predictor,
    seen: SeenFrames | None,
) -> Iterator[tuple[int, Tensor, FilmInfo]]:
    """What the model sees of some frames, in order."""

    def lightness(n: int, frame: Frame, info: FilmInfo) -> Tensor:
        luma = luma_on(frame, predictor.device)
        aspect = float(info.pixel_aspect or 1)
        found = predictor.lightness(luma, info.encoding, aspect, info.turns)
        return brightened(found, float(plan.gain[n]))

    def decoded(n: int) -> Tensor:
        return next(lightness(*each) for each in _frames(source, [n]))

    if seen is None:
        for n, frame, info in _frames(source, numbers):
            yield n, lightness(n, frame, info).cpu(), info
        return
    for n in numbers:
        gain = float(plan.gain[n])
        found = seen.lightness(n, gain, predictor, lambda n=n: decoded(n))  # type: ignore[misc]
        yield n, found.cpu(), seen.info


def _frames(source: FrameSource, numbers: Sequence[int]) -> Iterator[tuple[int, Frame, FilmInfo]]:
    """Some frames, in order."""
    if numbers:
        with SingleFrames(source, numbers[-1] + 1) as frames:
            for n in numbers:
                yield n, *frames(n)
