"""Whether a film holds the very packets of others, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import av.error

from pycolor.video.io.read.opening.source import open_source, picture_stream

# What a decoder is given: its parameters, then packets.
_Fed = tuple[str, bytes]


def holds_packets(film: Path, parts: Sequence[Path]) -> bool:
    """Whether the picture of a film is, for its decoder, that of its parts in order.

    The parameters of the decoder and every packet are compared, byte for byte; so the film decodes
    to what the parts decode to.  A packet that is kept from being shown is none of theirs.

    Args:
        film: what may hold them.
        parts: films, at least one.
    """
    try:
        fed = (_fed(part, hidden=True) for part in parts)
        first = next(fed)
        parameters = next(first)
        whole = _fed(film, hidden=False)
        if next(whole) != parameters:
            return False

        def packets() -> Iterator[_Fed]:
            yield from first
            for part in fed:
                if next(part) != parameters:
                    yield "other parameters", b""
                yield from part

        return all(one == other for one, other in zip_longest(whole, packets()))
    except av.error.FFmpegError:  # who decodes it will say so
        return False


def _fed(film: Path, *, hidden: bool) -> Iterator[_Fed]:
    """A decoder's parameters, then the packets; of hidden ones only the fact without `hidden`."""
    with open_source(film) as container:
        stream = picture_stream(container, film)
        context = stream.codec_context
        size = f"{context.width}×{context.height} {context.pix_fmt}"
        yield f"{context.codec.canonical_name} {size}", bytes(context.extradata or b"")
        for packet in container.demux(stream):
            if packet.size and packet.is_discard and not hidden:
                yield "hidden", b""
            elif packet.size:
                yield "", bytes(packet)
