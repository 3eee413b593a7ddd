"""Encoded segments that are kept from one delivery to the next, named by what they depend on."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pycolor.errors import FilmError
from pycolor.video.job.work.job_folder import Segment
from pycolor.video.job.work.own_files import digest_of, read_own, sealed, unsealed, write_whole

_PROCESS = f"{socket.gethostname()}-{os.getpid()}"  # several machines may share a folder


class SegmentStore:
    """A folder of segments: several runs may use it at once.

    Each segment is a file of pictures and, with the ending .luma, the digests of that file and of
    each frame's luma.  What is damaged is made again.

    Args:
        folder: is made when something is kept.
        suffix: of the segments' files.
    """

    def __init__(self, folder: Path, suffix: str) -> None:
        self.folder = folder
        self._suffix = suffix
        self._sound: dict[Path, bool] = {}  # segments that were looked at

    def segment(self, first: int, stop: int, key: str) -> Segment:
        """The segment of these frames whose making is told by `key`, see `segment_key`."""
        return Segment(first=first, stop=stop, path=self.folder / f"{key}{self._suffix}")

    def part(self, segment: Segment) -> Path:
        """Where this process writes a segment until it is complete."""
        with self._told():
            self.folder.mkdir(parents=True, exist_ok=True)
        name = segment.path
        return name.with_name(f".{name.stem}.part-{_PROCESS}{name.suffix}")

    def is_done(self, segment: Segment) -> bool:
        """Whether an earlier run, or this one, has made a segment that is still as it was."""
        if not self._sound.get(segment.path):
            self._sound[segment.path] = self._is_sound(segment)
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
                part.unlink()
                self._sound[segment.path] = True
                return
            lines = (digest_of(part), *(d.hex() for d in digests))
            write_whole(segment.digests_path, sealed("\n".join(lines)))
            os.replace(part, segment.path)
        self._sound[segment.path] = True

    def is_unchanged(self, segment: Segment) -> bool:
        """Whether a segment that is done is still as it was, looked at anew."""
        try:
            return digest_of(segment.path) == self._listed(segment)[0]
        except (OSError, ValueError):
            return False

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
