"""The packets of a moving picture as decoded frames; what is damaged is noted and passed over."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer

from pycolor.video.io.containers.codecs.ffv1 import SliceChecks
from pycolor.video.io.containers.codecs.mjpeg import EndMarkers
from pycolor.video.io.frame.film import rational
from pycolor.video.io.read.integrity.damage import DamageLog
from pycolor.video.io.read.opening.source import frame_rate, refuse_unreadable

# What a packet says of itself, where decoders do not tell when it is broken.
_CHECKS: dict[str, type[SliceChecks | EndMarkers]] = {"ffv1": SliceChecks, "mjpeg": EndMarkers}


class Decoder:
    """Iterates over (frame, pts) from where the container stands to the end of the stream.

    Args:
        path: of the film, for messages.
        container: it is read from.
        stream: the moving picture.
        damages: where damage is noted.

    Attributes:
        hidden: packets so far that an edit list keeps from being shown.
        broken: pts of packets known to be damaged.
        read_to: the byte behind the last packet read.
    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        stream: av.VideoStream,
        damages: DamageLog,
    ) -> None:
        self._path = path
        self._container = container
        self._stream = stream
        self._damages = damages
        self._time_base = rational(stream.time_base)
        self._codec = str(stream.codec_context.codec.canonical_name)
        self.hidden = 0
        self.broken: set[int | None] = set()
        self.read_to = 0

    def __iter__(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """(frame, pts) in order, pts rising; damage is noted and passed over."""
        last: int | None = None
        step = due = Fraction(0)  # ticks; the rate is known once a frame is decoded
        # AVI numbers packets as they are decoded, and FFmpeg guesses the rest wrongly where
        # H.264 puts them into another order; a frame of AVI is as long as the next.
        guessed = self._container.format.name == "avi" and self._codec in ("h264", "hevc")
        for native in self._natives():
            step = step or max(Fraction(1), 1 / frame_rate(self._stream) / self._time_base)
            told = native.pts if last is None or not guessed else None
            pts = told
            if pts is None:  # a raw stream has no clock: its frames follow the nominal rate
                pts = round(due)
            elif last is not None and pts <= last:
                self._damages.add(
                    pts * self._time_base,
                    "a timestamp does not rise; its frame is moved one tick behind the last",
                )
                pts = last + 1
            last = pts
            due = step + (due if told is None else pts)
            yield native, pts

    def _natives(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        time: Fraction | None = None
        kind = _CHECKS.get(self._codec)
        checks = None if kind is None else kind()
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                refuse_unreadable(self._path, error)
                self._damages.add(time, f"reading stopped ({error.strerror or error})")
                packet = None
            if packet is None:
                return
            if packet.pts is not None:
                time = packet.pts * self._time_base
            self.hidden += packet.is_discard and packet.size > 0
            wrong = checks.add(bytes(packet)) if checks is not None and packet.size else ""
            if wrong:
                self._damages.add(time, wrong)
                self.broken.add(packet.pts)
            if packet.size and packet.pos is not None:
                self.read_to = packet.pos + packet.size
            # Frame threads report an error late, and the flush packet may have several.
            for _ in range(1 if packet.size else 64):
                try:
                    yield from packet.decode()
                    break
                except av.error.EOFError:
                    break
                except av.error.FFmpegError as error:
                    self._damages.add(
                        time, f"a packet cannot be decoded ({error.strerror or error})"
                    )
