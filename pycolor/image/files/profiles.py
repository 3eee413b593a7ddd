"""Color profiles: pictures in other RGB spaces, or with another curve, become sRGB.

Profiles of a curve (gray) or of three curves and a matrix (Adobe RGB, Display P3, ProPhoto RGB)
are computed here, at the picture's own depth; those of tables go through LittleCMS, which Pillow
gives 8 bits.  ICC.1:2022, 8.3 and 10.6, 10.18; IEC 61966-2-1.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from pycolor.video.io.frame.pixel_formats import Plane

Floats = npt.NDArray[np.float64]

# XYZ of D50 (the profile's space) from linear sRGB, IEC 61966-2-1 adapted by Bradford.
_SRGB_TO_D50 = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
_SAMPLES = 4096  # of a curve
_SAME = 0.6 / 255  # of code: what is closer to sRGB than this is sRGB
_ROWS = 1 << 20  # pixels that are converted at a time


class UnreadProfileError(ValueError):
    """Not a profile, or one of a kind that is not known."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How a picture's samples become linear light.

    Attributes:
        curves: n×4096, linear light of samples from 0 to 1; one for gray.
        matrix: to linear sRGB, 3×3; None for gray.
    """

    curves: Floats
    matrix: Floats | None

    @property
    def is_srgb(self) -> bool:
        """Whether the samples mean the same without the profile."""
        ramp = np.linspace(0, 1, _SAMPLES)
        curves = bool(all(np.abs(encode_srgb(c) - ramp).max() < _SAME for c in self.curves))
        return curves and (self.matrix is None or np.abs(self.matrix - np.eye(3)).max() < 4e-3)


def parse_profile(data: bytes) -> Profile:
    """Read a profile of curves.

    Raises:
        UnreadProfileError: it is none, or one of tables.
    """
    try:
        return _parse(data)
    except (struct.error, IndexError, ZeroDivisionError, OverflowError) as error:
        raise UnreadProfileError(f"it is damaged ({error})") from error


def gamma_profile(gamma: float, *, gray: bool) -> Profile:
    """What PNG's gAMA says: a sample is light to the power `gamma` (PNG 3, 11.3.2.2)."""
    curve = np.linspace(0, 1, _SAMPLES) ** (1 / gamma)
    return Profile(
        curves=np.stack([curve] * (1 if gray else 3)), matrix=None if gray else np.eye(3)
    )


def to_srgb(samples: Plane, profile: Profile) -> Plane:
    """Samples H×W or H×W×3 of a profile as sRGB, of the same depth; what sRGB lacks is clipped."""
    top = np.iinfo(samples.dtype).max
    places = np.linspace(0, _SAMPLES - 1, top + 1)
    tables = [np.interp(places, np.arange(_SAMPLES), curve) for curve in profile.curves]
    if samples.ndim == 2 or profile.matrix is None:
        table = np.rint(encode_srgb(tables[0]) * top).astype(samples.dtype)
        return cast(Plane, table[samples])
    out = np.empty_like(samples)
    step = max(1, _ROWS // samples.shape[1])
    for row in range(0, len(samples), step):
        part = samples[row : row + step]
        linear = np.stack([table[part[..., k]] for k, table in enumerate(tables)], axis=-1)
        out[row : row + step] = np.rint(encode_srgb(linear @ profile.matrix.T) * top)
    return out


def to_srgb_by_tables(samples: npt.NDArray[np.uint8], data: bytes, mode: str) -> Plane:
    """Samples of 8 bits through a profile of any kind, by LittleCMS; gray becomes R'G'B'.

    Args:
        samples: H×W or H×W×C.
        data: the profile.
        mode: Pillow's name of what the samples are: L, RGB or CMYK.

    Raises:
        UnreadProfileError: it is none, or not one of such samples.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(data))
        target = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
        image = Image.fromarray(samples, mode) if mode == "CMYK" else Image.fromarray(samples)
        made = ImageCms.profileToProfile(
            image,
            source,
            target,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            "RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise UnreadProfileError(f"it does not fit the picture ({error})") from error
    if made is None:
        raise UnreadProfileError("it does not fit the picture")
    return np.asarray(made)


def encode_srgb(linear: Any) -> Floats:
    """Codes 0 … 1 of linear light, clipped there."""
    unit = np.clip(np.asarray(linear, np.float64), 0, 1)
    curved = 1.055 * unit ** (1 / 2.4) - 0.055
    return cast(Floats, np.where(unit <= 0.0031308, unit * 12.92, curved))


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """A profile of sRGB, the same bytes at every call: without the time of its making."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    data[84:100] = bytes(16)  # the digest, which is of the old date
    return bytes(data)


def _parse(data: bytes) -> Profile:
    if data[36:40] != b"acsp":
        raise UnreadProfileError("it is no ICC profile")
    space, between = data[16:20], data[20:24]
    tags = _tags(data)
    if space == b"GRAY" and b"kTRC" in tags:
        return Profile(curves=_curve(tags[b"kTRC"])[None], matrix=None)
    names = [c + b"TRC" for c in (b"r", b"g", b"b")]
    columns = [c + b"XYZ" for c in (b"r", b"g", b"b")]
    if space != b"RGB " or between != b"XYZ " or not {*names, *columns} <= tags.keys():
        raise UnreadProfileError(
            f"it is one of tables, or of {space.decode('ascii', 'replace').strip()}"
        )
    if b"A2B0" in tags:
        raise UnreadProfileError("it is one of tables")
    to_d50 = np.stack([_numbers(tags[c][8:20]) for c in columns], axis=1)
    matrix = np.linalg.solve(_SRGB_TO_D50, to_d50)
    return Profile(curves=np.stack([_curve(tags[n]) for n in names]), matrix=matrix)


def _tags(data: bytes) -> dict[bytes, bytes]:
    count = struct.unpack_from(">I", data, 128)[0]
    if count > 100:
        raise UnreadProfileError("it is damaged")
    found = {}
    for n in range(count):
        name, offset, size = struct.unpack_from(">4sII", data, 132 + 12 * n)
        if offset + size > len(data):
            raise UnreadProfileError("it is cut short")
        found[name] = data[offset : offset + size]
    return found


def _numbers(data: bytes) -> Floats:
    """s15Fixed16Number, 4.6."""
    return np.frombuffer(data, ">i4").astype(np.float64) / 65536


def _curve(tag: bytes) -> Floats:
    """A curveType (10.6) or parametricCurveType (10.18), sampled."""
    x = np.linspace(0, 1, _SAMPLES)
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        if count == 0:
            return x
        stored = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count == 1:
            return cast(Floats, x ** (stored[0] / 256))
        return np.interp(x, np.linspace(0, 1, count), stored / 65535)
    if tag[:4] != b"para":
        raise UnreadProfileError("its curve is of no known kind")
    kind = struct.unpack_from(">H", tag, 8)[0]
    counts = (1, 3, 4, 5, 7)
    if kind >= len(counts):
        raise UnreadProfileError("its curve is of no known kind")
    given = _numbers(tag[12 : 12 + 4 * counts[kind]]).tolist()
    g, a, b, c, d, e, f = 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind == 0:
        (g,) = given
    elif kind == 1:
        g, a, b = given
        d = -b / a
    elif kind == 2:
        g, a, b, e = given
        d, f = -b / a, given[3]
    elif kind == 3:
        g, a, b, c, d = given
    else:
        g, a, b, c, d, e, f = given
    curved = np.maximum(a * x + b, 0) ** g + e
    return cast(Floats, np.where(x >= d, curved, c * x + f).clip(0, 1))
