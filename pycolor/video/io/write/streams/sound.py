"""Sound coded again, for a container that does not hold its codec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
import av.container
import av.error
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.packet import Packet

from pycolor.video.io.containers.spec import spec_of

_OPUS_HZ = 48_000  # Opus decodes to no other (RFC 7845, 5.1)
_BITS_PER_CHANNEL = 64_000
# Opus orders its channels as Vorbis does (RFC 7845, 5.1.1.2).
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# PCM as discs and broadcasts pack it, by the format its samples are decoded to: the same samples
# in the form that every container of films knows.
_PACKED = ("pcm_dvd", "pcm_bluray", "pcm_s16be", "pcm_s24be", "pcm_s16le", "pcm_s24le")
_PLAIN = {"s16": "pcm_s16le", "s32": "pcm_s24le"}


def encoder_for(stream: Any, container: str) -> str:
    """FFmpeg's encoder for sound that a container does not hold; empty where there is none."""
    spec = spec_of(container)
    if spec.sound or spec.pictures_only:
        return spec.sound
    context = stream.codec_context
    if context is None or context.name not in _PACKED or context.format is None:
        return ""
    return _PLAIN.get(context.format.name, "")


def is_exact(encoder: str) -> bool:
    """Does the sound stay the same, sample by sample?"""
    return encoder.startswith("pcm_")


def why_not_coded(stream: Any, encoder: str) -> str | None:
    """Why a track of sound cannot be coded again; None if it can."""
    channels = stream.codec_context.layout.nb_channels
    if not stream.codec_context.sample_rate:
        return "its sound cannot be decoded"
    if is_exact(encoder) or channels in _LAYOUTS:
        return None
    return f"Opus takes 1 to 8 channels, and it has {channels}"


class SoundEncoder:
    """Decodes the packets of a track and encodes them for another container.

    Args:
        output: the container, before its header is written.
        stream: of the source.
        encoder: FFmpeg's name.

    Attributes:
        stream: of the output.
        damaged: packets that could not be decoded.
        changes: where the sound changes its channels or its rate, as broadcasts do from one program
            to the next: seconds, and from what to what.  It is converted to what it began with.
    """

    def __init__(self, output: av.container.OutputContainer, stream: Any, encoder: str) -> None:
        source = stream.codec_context
        self._exact = is_exact(encoder)
        rate = source.sample_rate if self._exact else _OPUS_HZ
        added: Any = output.add_stream(encoder, rate=rate)
        self._context = added.codec_context
        if self._exact:
            self._context.layout = source.layout
            self._context.format = source.format
        else:
            channels = source.layout.nb_channels
            self._context.layout = _LAYOUTS[channels]
            self._context.bit_rate = _BITS_PER_CHANNEL * channels
        self._context.open()
        self.stream = added
        self.damaged = 0
        self.changes: list[tuple[float, str]] = []
        self._first: AudioFrame | None = None
        self._now = ""
        self._converter: AudioResampler | None = None

    def __str__(self) -> str:
        name = self._context.codec.canonical_name
        if self._exact:
            return f"the same samples are written as {name}"
        return f"it is coded again ({name}, {self._context.bit_rate // 1000} kbit/s)"

    def encode(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """What is ready once a packet of the source is known."""
        try:
            frames: list[Any] = packet.decode()
        except av.error.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            for alike in self._alike(frame):
                yield from self.stream.encode(alike)

    def finish(self) -> Iterator[Packet[Any]]:
        """What is left."""
        for alike in self._converted(None):
            yield from self.stream.encode(alike)
        yield from self.stream.encode(None)

    def _alike(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """A frame in the form of the first one, which the encoder was set up for."""
        form = _form_of(frame)
        if self._first is None:
            self._first, self._now = frame, form
        if form != self._now:
            yield from self._converted(None)
            self.changes.append((frame.time or 0.0, f"from {self._now} to {form}"))
            self._now, first = form, self._first
            self._converter = None
            if form != _form_of(first):
                self._converter = AudioResampler(
                    format=first.format, layout=first.layout, rate=first.sample_rate
                )
        if self._converter is None:
            yield frame
        else:
            yield from self._converted(frame)

    def _converted(self, frame: AudioFrame | None) -> Iterator[AudioFrame]:
        """What the converter gives for a frame, or at the end, on the first frame's clock."""
        if self._converter is None or self._first is None:
            return
        base = self._first.time_base
        for made in self._converter.resample(frame):
            if made.pts is not None and made.time_base and base:
                made.pts = round(made.pts * made.time_base / base)
                made.time_base = base
            yield made


def _form_of(frame: AudioFrame) -> str:
    return f"{frame.layout.name} {frame.format.name} at {frame.sample_rate} Hz"


def name_layout(out: Any) -> None:
    """PCM of one or two channels is often stored without saying that it is mono or stereo."""
    layout = out.codec_context.layout
    if layout.nb_channels <= 2 and layout.name not in ("mono", "stereo", "downmix"):
        out.codec_context.layout = "mono" if layout.nb_channels == 1 else "stereo"
