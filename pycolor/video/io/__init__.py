"""The only place that knows PyAV.

* `Reader` decodes a film's picture, and says what the film is (`FilmInfo`).
* `Writer` encodes pictures whose luma is the source's, and copies everything else.
* `scan` tells the times of all frames without decoding.
* `ViewingCopy` writes RGB frames, for films that are only looked at.
* `join` makes one film of segments, packet by packet.
"""

from pycolor.video.io.checksums import frame_checksums
from pycolor.video.io.damage import Damage
from pycolor.video.io.film import ColorTags, FilmInfo, Frame, StreamInfo
from pycolor.video.io.formats import Plane, change_codes
from pycolor.video.io.reader import Reader, scan
from pycolor.video.io.segments import join
from pycolor.video.io.streams import Dropped
from pycolor.video.io.viewing import ViewingCopy
from pycolor.video.io.writer import Picture, Writer

__all__ = [
    "ColorTags",
    "Damage",
    "Dropped",
    "FilmInfo",
    "Frame",
    "Picture",
    "Plane",
    "Reader",
    "StreamInfo",
    "ViewingCopy",
    "Writer",
    "change_codes",
    "frame_checksums",
    "join",
    "scan",
]
