"""Sound coded again, for a container that holds few codecs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
import av.container
import av.error
from av.packet import Packet

from pycolor.video.io.containers.spec import spec_of

_RATE_HZ = 48_000  # Opus decodes to no other (RFC 7845, 5.1)
_BITS_PER_CHANNEL = 64_000
# Opus orders its channels as Vorbis does (RFC 7845, 5.1.1.2).
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def why_not_coded(stream: Any) -> str | None:
    """Why a track of sound cannot be coded again; None if it can."""
    channels = stream.codec_context.layout.nb_channels
    if not stream.codec_context.sample_rate:
        return "its sound cannot be decoded"
    return None if channels in _LAYOUTS else f"Opus takes 1 to 8 channels, and it has {channels}"


class SoundEncoder:
    """Decodes the packets of a track and encodes them for another container.

    Args:
        output: the container, before its header is written.
        stream: of the source.

    Attributes:
        stream: of the output.
        damaged: packets that could not be decoded.
    """

    def __init__(self, output: av.container.OutputContainer, stream: Any) -> None:
        channels = stream.codec_context.layout.nb_channels
        added: Any = output.add_stream(spec_of(output.format.name).sound, rate=_RATE_HZ)
        self._context = added.codec_context
        self._context.layout = _LAYOUTS[channels]
        self._context.bit_rate = _BITS_PER_CHANNEL * channels
        self._context.open()
        self.stream = added
        self.damaged = 0

    def __str__(self) -> str:
        return f"{self._context.codec.canonical_name}, {self._context.bit_rate // 1000} kbit/s"

    def encode(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """What is ready once a packet of the source is known."""
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            yield from self.stream.encode(frame)

    def finish(self) -> Iterator[Packet[Any]]:
        """What is left."""
        yield from self.stream.encode(None)
