"""Are the tags still there: of the film, of its streams, and its chapters?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from pycolor.video.io import FilmInfo, Reader
from pycolor.video.io.containers.spec import spec_of
from pycolor.video.io.write.streams.chapters import cut_chapter
from pycolor.video.io.write.streams.metadata import (
    TagSupport,
    fate_of_stream,
    film_metadata,
    held_dispositions,
    holds_languages,
    lowered,
    same_language,
    supported_tags,
)
from pycolor.video.verify.report import Check, State

# Chapters and packets may stand on a clock as coarse as this.
MILLISECOND = Fraction(1, 1000)


def film_tags(before: FilmInfo, after: FilmInfo, container: str) -> Iterator[Check]:
    """Every tag of the film that is not its container's own."""
    expected = film_metadata(before.metadata, container)
    yield from _tags("tags", None, expected, after.metadata, supported_tags(expected, container))
    yield from stream_tags(
        "picture",
        None,
        (before.picture_metadata, after.picture_metadata),
        (before.picture_disposition, after.picture_disposition),
        film=before.metadata,
        container=container,
    )


def stream_tags(
    name: str,
    stream: int | None,
    metadata: tuple[Mapping[str, str], Mapping[str, str]],
    dispositions: tuple[frozenset[str], frozenset[str]],
    *,
    film: Mapping[str, str],
    container: str,
) -> Iterator[Check]:
    """Tags, language and flags of one stream, of the source and of the result.

    `film` are the source's own tags: what it says there need not be said of a stream.
    """
    before, after = metadata
    expected = {k: v for k, v in film_metadata(before, container).items() if film.get(k) != v}
    fate = fate_of_stream(expected, container)
    yield from _tags(f"{name} tags", stream, expected, after, fate)
    language, got = (m.get("language", "und") for m in metadata)
    if language != "und" and not same_language(language, got):
        state: State = "differs" if holds_languages(container) else "note"
        yield Check(
            name=f"{name} language",
            state=state,
            detail=f"{language} became {got}",
            stream=stream,
            key="language",
            expected=language,
            got=got,
        )
    held = held_dispositions(container)
    for flag in sorted(dispositions[0] - dispositions[1] - {"attached_pic"}):
        if flag == "default" and flag not in held:
            continue  # without flags, the first stream of a kind is the default one
        yield Check(
            name=f"{name} flag",
            state="differs" if flag in held else "note",
            detail=f"{flag} is not set in the result",
            stream=stream,
            key=flag,
            expected="set",
            got="not set",
        )


def _tags(
    name: str,
    stream: int | None,
    expected: Mapping[str, str],
    found: Mapping[str, str],
    fate: TagSupport,
) -> Iterator[Check]:
    stored = lowered(found)
    wrong = [k for k, v in expected.items() if v and stored.get(k.lower()) != v]
    for key in wrong:
        got = stored.get(key.lower(), "")
        held = key not in fate.lost
        detail = f"{key} is {got!r}, not {expected[key]!r}" if got else f"{key} is not there"
        yield Check(
            name=name,
            state="differs" if held else "note",
            detail=detail if held else f"{detail}; the result's format does not hold it",
            stream=stream,
            key=key,
            expected=expected[key],
            got=got,
        )
    if expected and not wrong:
        yield Check(name=name, state="ok", detail=f"{len(expected)} equal", stream=stream)


def chapters(
    before: Reader, after: FilmInfo, container: str, *, shift: Fraction
) -> Iterator[Check]:
    """Titles and times of all chapters."""
    cut = (
        cut_chapter(c, start=before.start_time, stop=before.stop_time, shift=shift)
        for c in before.info.chapters
    )
    expected = [chapter for chapter in cut if chapter is not None]
    found = after.chapters
    if expected and not spec_of(container).chapters:
        detail = f"{len(expected)} in the source; {container} holds none"
        yield Check(name="chapters", state="note", detail=detail)
        return
    if len(expected) != len(found):
        counts = str(len(expected)), str(len(found))
        yield Check(
            name="chapters",
            state="differs",
            detail=f"{counts[0]} in the source, {counts[1]} in the result",
            expected=counts[0],
            got=counts[1],
        )
        return
    wrong = False
    for number, (one, other) in enumerate(zip(expected, found, strict=True)):
        for key, values in (
            ("title", (one.title, other.title)),
            ("start", (one.start, other.start)),
            ("end", (one.end, other.end)),
        ):
            if not _alike(*values):
                wrong = True
                yield Check(
                    name=f"chapter {number}",
                    state="differs",
                    detail=f"{key} is {values[1]}, not {values[0]}",
                    key=key,
                    expected=str(values[0]),
                    got=str(values[1]),
                )
    if expected and not wrong:
        detail = f"{len(expected)}, titles and times equal"
        yield Check(name="chapters", state="ok", detail=detail)


def _alike(one: str | Fraction, other: str | Fraction) -> bool:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return abs(one - other) <= MILLISECOND
    return one == other
