"""A film's chapters, cut to the range of an output."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av.container

from pycolor.video.io.containers.spec import spec_of
from pycolor.video.io.frame.film import Chapter, rational
from pycolor.video.io.read.describe import stored_chapter
from pycolor.video.io.write.streams.metadata import film_metadata


def cut_chapter(
    chapter: Chapter, *, start: Fraction | None, stop: Fraction | None, shift: Fraction
) -> Chapter | None:
    """A chapter in an output of the range from `start` to `stop`, `shift` seconds earlier.

    None if it lies outside.
    """
    if start is not None and chapter.end <= start:
        return None
    if stop is not None and chapter.start >= stop:
        return None
    begin = chapter.start if start is None else max(chapter.start, start)
    return Chapter(start=begin - shift, end=chapter.end - shift, title=chapter.title)


def carry_chapters(
    source: av.container.InputContainer,
    output: av.container.OutputContainer,
    *,
    start: Fraction | None,
    stop: Fraction | None,
    shift: Fraction,
) -> Iterator[str]:
    """Set the source's chapters in the output, cut to the range of `cut_chapter`.

    Yields:
        Sentences on what of them the container does not hold.
    """
    name, spec, chapters = output.format.name, spec_of(output.format.name), []
    for chapter in source.chapters():
        base = rational(chapter["time_base"])
        cut = cut_chapter(stored_chapter(chapter), start=start, stop=stop, shift=shift)
        if cut is None:
            continue
        chapter["start"], chapter["end"] = round(cut.start / base), round(cut.end / base)
        chapters.append(chapter)
        told = film_metadata(chapter["metadata"])
        lost = [key for key in told if key != "title" and not spec.chapter_tags]
        if lost and spec.chapters:
            yield f"{name} does not hold of a chapter: tag {', tag '.join(lost)}"
    if chapters and not spec.chapters:
        yield f"the output holds no chapters: the film's {len(chapters)} are left out"
    elif chapters:
        output.set_chapters(chapters)
