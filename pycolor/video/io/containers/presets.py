"""What an output is for: codec, container and options, under one name each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from pycolor.encoding import Subsampling
from pycolor.errors import UsageError
from pycolor.video.io.containers.spec import SPECS, spec_of


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A recipe for the picture's encoder.

    Attributes:
        name: as on the command line; `purpose` in one line.
        codec: FFmpeg's encoder.
        suffixes: of the containers it is meant for, the usual one first.
        options: for the encoder.
        formats: pixel formats to choose from, each with options of its own; empty for all that
            the encoder knows.
        rgb_formats: for files of R'G'B': the format that each of `formats` is stored as.
        gray_subsampling: of the chroma made for a gray film.
        muxer_options: for the container.
        pictures_only: its outputs hold no more (their segments are FFV1 in Matroska, see `Writer`).
        lossless: the output's Y' plane equals the source's where its depth is kept.
    """

    name: str
    purpose: str
    codec: str
    suffixes: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rgb_formats: Mapping[str, str] = field(default_factory=dict)
    gray_subsampling: Subsampling = "422"
    lossless: bool = False
    pictures_only: bool = False
    muxer_options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("options", "formats", "rgb_formats", "muxer_options"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


ARCHIVE = Preset(
    name="archive",
    purpose="lossless master: FFV1 version 3, intra, a checksum in every slice; .mkv's default",
    codec="ffv1",
    suffixes=(".mkv", ".mxf", ".avi"),
    # Context model 1 costs time for nothing on grain; range coder: Golomb is for 8 bits only.
    options={"level": "3", "g": "1", "slicecrc": "1", "coder": "1", "context": "0"},
    lossless=True,
)
H264 = Preset(
    name="h264",
    purpose="visually lossless H.264, CRF 16, at the film's own depth; .mp4's and .mov's default",
    codec="libx264",
    suffixes=(".mp4", ".m4v", ".mov", ".mkv"),
    options={"crf": "16", "preset": "medium"},
    gray_subsampling="420",
)
ACCESS = Preset(
    name="access",
    purpose="small H.264 for every player: CRF 20, 8 bits, 4:2:0",
    codec="libx264",
    suffixes=(".mp4", ".m4v", ".mov", ".mkv"),
    options={"crf": "20", "preset": "medium"},
    formats={"yuv420p": {}},
    gray_subsampling="420",
    muxer_options={"movflags": "+faststart"},
)
ACCESS_WEBM = Preset(
    name="access",
    purpose="small VP9 for browsers: CRF 31, 8 bits, 4:2:0; .webm's default",
    codec="libvpx-vp9",
    suffixes=(".webm",),
    options={"crf": "31", "b": "0", "deadline": "good", "cpu-used": "4", "tile-columns": "2"},
    formats={"yuv420p": {}},
    gray_subsampling="420",
)
LOSSLESS_H264 = Preset(
    name="lossless-h264",
    purpose="bit-exact H.264 up to 10 bits (few players)",
    codec="libx264",
    suffixes=(".mp4", ".m4v", ".mov", ".mkv"),
    options={"qp": "0", "preset": "medium"},
    gray_subsampling="420",
    lossless=True,
)
PRORES = Preset(
    name="prores",
    purpose="Apple ProRes 422 HQ, 10 bits, for editing",
    codec="prores_ks",
    suffixes=(".mov", ".mkv", ".mxf"),
    options={"profile": "hq", "vendor": "apl0"},
    formats={"yuv422p10le": {}},
)
PRORES_4444 = Preset(
    name="prores4444",
    purpose="Apple ProRes 4444, 10 bits, for editing",
    codec="prores_ks",
    suffixes=(".mov", ".mkv"),
    options={"profile": "4444", "vendor": "apl0"},
    formats={"yuv444p10le": {}, "yuva444p10le": {}},
)
DNXHR = Preset(
    name="dnxhr",
    purpose="Avid DNxHR (HQ at 8 bits, HQX at 10, 444 for 4:4:4), for editing",
    codec="dnxhd",
    suffixes=(".mov", ".mxf"),
    formats={
        "yuv422p": {"profile": "dnxhr_hq"},
        "yuv422p10le": {"profile": "dnxhr_hqx"},
        "yuv444p10le": {"profile": "dnxhr_444"},
    },
)
V210 = Preset(
    name="v210",
    purpose="uncompressed 4:2:2, 10 bits; exact but for codes 0-3 and 1020-1023, which SDI keeps",
    codec="v210",
    suffixes=(".mov",),
    formats={"yuv422p10le": {}},
    lossless=True,
)

# Pictures in files of their own, numbered; Y' is stored as the R'G'B' it can be computed from.
PNG = Preset(
    name="png",
    purpose="numbered PNG files, R'G'B' of 8 or 16 bits",
    codec="png",
    suffixes=(".png",),
    options={"pred": "mixed"},
    formats={"yuv444p": {}, "yuv444p16le": {}},
    rgb_formats={"yuv444p": "rgb24", "yuv444p16le": "rgb48be"},
    gray_subsampling="444",
    lossless=True,
    pictures_only=True,
)
TIFF = Preset(
    name="tiff",
    purpose="numbered TIFF files, R'G'B' of 8 or 16 bits, deflated",
    codec="tiff",
    suffixes=(".tif", ".tiff"),
    options={"compression_algo": "deflate"},
    formats={"yuv444p": {}, "yuv444p16le": {}},
    rgb_formats={"yuv444p": "rgb24", "yuv444p16le": "rgb48le"},
    gray_subsampling="444",
    lossless=True,
    pictures_only=True,
)
DPX = Preset(
    name="dpx",
    purpose="numbered DPX files, R'G'B' of 8, 10, 12 or 16 bits",
    codec="dpx",
    suffixes=(".dpx",),
    formats={"yuv444p": {}, "yuv444p10le": {}, "yuv444p12le": {}, "yuv444p16le": {}},
    rgb_formats={
        "yuv444p": "rgb24",
        "yuv444p10le": "gbrp10le",
        "yuv444p12le": "gbrp12le",
        "yuv444p16le": "rgb48be",
    },
    gray_subsampling="444",
    lossless=True,
    pictures_only=True,
)
Y4M = Preset(
    name="y4m",
    purpose="uncompressed YUV4MPEG2, for a pipe to another program; the default of -",
    codec="rawvideo",
    suffixes=(".y4m",),
    formats={
        f"yuv{subsampling}p{bits}": {}
        for bits in ("", "9le", "10le", "12le", "14le", "16le")
        for subsampling in ("420", "422", "444")
    }
    | {"yuv411p": {}},
    lossless=True,
    pictures_only=True,
)


def master_preset(bits: int) -> Preset:
    """Of a chroma-only master: FFV1 4:4:4 of 10, 12 or 16 bits; not one that a film is given."""
    return replace(
        ARCHIVE,
        name="master",
        suffixes=(".mkv",),
        formats={f"yuv444p{bits}le": {}},
        gray_subsampling="444",
    )


# These have no way to say "full range": every reader takes them as limited.
LIMITED_RANGE_ENCODERS = (
    "prores",
    "prores_aw",
    "prores_ks",
    "dnxhd",
    "v210",
    "v410",
    "mpeg2video",
    "dvvideo",
    "cfhd",
)

PRESETS = (
    ARCHIVE,
    H264,
    ACCESS,
    ACCESS_WEBM,
    LOSSLESS_H264,
    PRORES,
    PRORES_4444,
    DNXHR,
    V210,
    PNG,
    TIFF,
    DPX,
    Y4M,
)

# FFmpeg's name of the container.
CONTAINER_OF_SUFFIX = {suffix: spec.name for spec in SPECS for suffix in spec.suffixes}
# These hold a picture and nothing else: no sound, no tags, no times.
PICTURES_ONLY = tuple(spec.name for spec in SPECS if spec.pictures_only)
PIPE = "-"


def find_preset(name: str) -> Preset:
    """The preset of that name; the first, where containers have one each.

    Raises:
        UsageError: naming those that exist.
    """
    for preset in PRESETS:
        if preset.name == name:
            return preset
    names = ", ".join(dict.fromkeys(p.name for p in PRESETS))
    raise UsageError(f"there is no preset {name!r}; choose one of {names}.")


def ending_of(path: Path, preset: str | None = None) -> str:
    """The ending that decides the format of an output: its suffix, `.y4m` for a pipe (`-`).

    A name without a suffix is a folder of pictures where the preset is one of pictures.
    """
    if str(path) == PIPE:
        return ".y4m"
    if not path.suffix and preset is not None and find_preset(preset).rgb_formats:
        return find_preset(preset).suffixes[0]
    return path.suffix


def segment_suffix(path: Path, preset: str | None = None) -> str:
    """The ending of the files that an output's segments are: its own, where it is a film's."""
    ending = ending_of(path, preset)
    return ".mkv" if container_of(ending) in PICTURES_ONLY else ending


def container_of(suffix: str) -> str:
    """FFmpeg's container for a file name's suffix.

    Raises:
        UsageError: naming the suffixes that pycolor writes.
    """
    try:
        return CONTAINER_OF_SUFFIX[suffix.lower()]
    except KeyError:
        known = ", ".join(CONTAINER_OF_SUFFIX)
        raise UsageError(
            f"the ending {suffix!r} names no film container that pycolor writes; "
            f"expected one of {known}."
        ) from None


def preset_for(suffix: str, name: str | None = None) -> Preset:
    """The named preset, or the container's default one.

    Raises:
        UsageError: for an unknown name or ending, or a preset that its container cannot hold.
    """
    container = container_of(suffix)
    if name is None:
        name = spec_of(container).presets[suffix.lower()]
    usual = find_preset(name)
    for preset in PRESETS:
        if preset.name == name and suffix.lower() in preset.suffixes:
            return preset
    raise UsageError(
        f"preset {name} is not for {suffix}; name the output with {usual.suffixes[0]}."
    )
