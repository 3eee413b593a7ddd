"""Encoded segments that are kept from one delivery to the next, named by what they depend on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pycolor.errors import FilmError
from pycolor.system.process_tag import is_left_behind, process_tag
from pycolor.video.job.work.own_files import digest_of, read_own, sealed, unsealed, write_shared
from pycolor.video.job.work.segment_files import Segment


class SegmentStore:
    """A folder of segments: several runs may use it at once.

    Each segment is a file of pictures and, with the ending .luma, the digests of that file and of
    each frame's luma.  What is damaged is made again.

    Args:
        folder: is made when something is kept.
        suffix: of the segments' files.

    Attributes:
        say: is called with a sentence on each segment that is damaged.
    """

    def __init__(self, folder: Path, suffix: str) -> None:
        self.folder = folder
        self.say: Callable[[str], None] = lambda _: None
        self._suffix = suffix
        self._sound: dict[Path, bool] = {}  # segments that were looked at

    def segment(self, first: int, stop: int, key: str) -> Segment:
        """The segment of these frames made under `key`, see `segment_key`."""
        return Segment(first=first, stop=stop, path=self.folder / f"{key}{self._suffix}")

    def part(self, segment: Segment) -> Path:
        """Where this process writes a segment until it is complete."""
        with self._told():
            self.folder.mkdir(parents=True, exist_ok=True)
        name = segment.path
        return name.with_name(f".{name.stem}.part-{process_tag()}{name.suffix}")

    def is_there(self, segment: Segment) -> bool:
        """Whether a segment has its name; whether it is sound, `is_done` reads it for."""
        return segment.path.exists()

    def is_done(self, segment: Segment) -> bool:
        """Whether an earlier run, or this one, has made a segment that is still as it was."""
        if not self._sound.get(segment.path):
            known = segment.path in self._sound
            self._sound[segment.path] = self._is_sound(segment)
            if not (known or self._sound[segment.path]) and segment.path.exists():
                self.say(
                    f"frames {segment.first} to {segment.stop - 1} that were kept are damaged: "
                    "they are made again"
                )
        return self._sound[segment.path]

    def _is_sound(self, segment: Segment) -> bool:
        try:
            listed = self._listed(segment)
            frames = segment.stop - segment.first
            if len(listed) != frames + 1 or digest_of(segment.path) != listed[0]:
                return False
            os.utime(segment.path)  # what was used last goes last
        except (OSError, ValueError):
            return False
        return True

    def complete(self, segment: Segment, digests: Sequence[bytes]) -> None:
        """The segment's part is whole: give it its name.

        Where another process was first, its file stays.
        """
        part = self.part(segment)
        with self._told():
            if self._is_sound(segment):
                part.unlink(missing_ok=True)
                self._sound[segment.path] = True
                return
            lines = (digest_of(part), *(d.hex() for d in digests))
            write_shared(segment.digests_path, sealed("\n".join(lines)))
            os.replace(part, segment.path)
        self._sound[segment.path] = True

    def is_unchanged(self, segment: Segment) -> bool:
        """Whether a segment that is done is still as it was, looked at anew."""
        try:
            return digest_of(segment.path) == self._listed(segment)[0]
        except (OSError, ValueError):
            return False

    def remove_parts(self, segments: Iterable[Segment]) -> None:
        """Remove what killed workers had begun of segments that are done now."""
        known = {segment.path.stem for segment in segments}
        for part in self.folder.glob(".*.part-*"):
            name, _, tag = part.name.removeprefix(".").partition(".part-")
            if name.partition(".")[0] in known and is_left_behind(part, tag):
                part.unlink(missing_ok=True)

    def digests(self, segments: Iterable[Segment]) -> Iterator[str]:
        """Of the luma planes that segments were given, hexadecimal."""
        for segment in segments:
            yield from self._listed(segment)[1:]

    def _listed(self, segment: Segment) -> list[str]:
        """The digest of a segment's file, then those of its luma planes."""
        return unsealed(read_own(segment.digests_path)).split()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            raise FilmError(f"{self.folder} could not be written: {e.strerror}.") from None


def segment_key(content: Mapping[str, Any]) -> str:
    """A name for a segment by all that its bytes depend on."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
