"""The only place that knows PyAV.

* `Reader` decodes a film's picture, and says what the film is (`FilmInfo`).
* `Writer` encodes pictures whose luma is the source's, and copies everything else.
* `scan` tells the times of all frames without decoding.
* `PreviewWriter` writes RGB frames, for films that are only looked at.
* `concat_segments` makes one film of segments, packet by packet.
"""

from pycolor.video.io.frame.film import ColorTags, FilmInfo, StreamInfo
from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.frame.pixel_formats import Plane, change_codes
from pycolor.video.io.read.decode.timeline import scan
from pycolor.video.io.read.frames.frame_source import FrameSource
from pycolor.video.io.read.frames.shared_frames import SharedFrames
from pycolor.video.io.read.frames.single_frames import SingleFrames
from pycolor.video.io.read.integrity.checksums import frame_checksums
from pycolor.video.io.read.integrity.damage import Damage
from pycolor.video.io.read.integrity.same_packets import holds_packets
from pycolor.video.io.read.reader import Reader
from pycolor.video.io.write.concat import concat_segments
from pycolor.video.io.write.encoder.frame_factory import FrameFactory, Picture
from pycolor.video.io.write.preview import PreviewWriter
from pycolor.video.io.write.streams.support import UnsupportedStream
from pycolor.video.io.write.writer import Writer, factory_of

__all__ = [
    "ColorTags",
    "Damage",
    "FilmInfo",
    "Frame",
    "FrameFactory",
    "FrameSource",
    "Picture",
    "Plane",
    "PreviewWriter",
    "Reader",
    "SharedFrames",
    "SingleFrames",
    "StreamInfo",
    "UnsupportedStream",
    "Writer",
    "change_codes",
    "concat_segments",
    "factory_of",
    "frame_checksums",
    "holds_packets",
    "scan",
]
