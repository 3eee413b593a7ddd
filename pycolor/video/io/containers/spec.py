"""What each container is and holds: one row a container, which is all that it costs.

A container is added by its row here and by its ending among a preset's `suffixes` (`presets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Literal

_NTSC = Fraction(1000, 1001)
# FFmpeg's bits that a muxer stores and its demuxer tells again.
_ROLES = frozenset({"default", "dub", "comment", "forced", "hearing_impaired", "visual_impaired"})


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """A container that films are written to.

    Attributes:
        name: FFmpeg's, of the muxer; `spoken` what messages call it, if otherwise.
        presets: extensions of its files, each with the preset that is used by default.
        pictures_only: it holds a picture and nothing else: no sound, no tags, no times.
        fixed_rate: it shows every frame for the same time, from 0.
        rates: frames a second that it can store; empty for all.
        clock: seconds a tick, where it has one clock for all.
        edit_list: it can hide what a decoder needs before the first frame shown.
        chapters, attachments, languages: it holds them.
        chapter_tags: it holds tags of a chapter besides its title.
        dispositions: names of FFmpeg's flags of streams that it stores.
        text: its codec of text subtitles, made of others' by FFmpeg's `text_filter`.
        free_keys: tags of any name need FFmpeg's `use_metadata_tags`.
        sound: the encoder for sound that it cannot hold; empty where such sound is refused.
        sound_codecs: those that it holds, where its muxer refuses others at their first packet
            only; empty where it can be asked before.
        whole_sound: sound begins and ends with the picture.
        trial_codec: an encoder that is quick to open, to ask the muxer with.
        counts_timecode: it stores the number of a frame, which its timecode must hold at its rate.
        reel: it holds the name of a reel beside its timecode.
        siting: of which chroma it can tell the place: of any; of what the codec tells itself
            ("codec"); of 4:2:0 in 8 bits.
        lacks: marks of the picture that it cannot tell, see `capacity.unsupported_marks`; and
            "range", of codecs that do not tell it themselves: they are written in limited range,
            which is what readers take.
        fields_of: codecs whose order of fields it tells; None for all that tell it.
        aspect_not_of: codecs whose pixel aspect it does not store.
        color_but: codes of H.273, by mark, that it does not store of codecs without tags of their
            own.
        new_readers: codecs in it that new programs alone read, see docs/readers.md.
        options: for the muxer.
    """

    name: str
    presets: Mapping[str, str]
    spoken: str = ""
    pictures_only: bool = False
    fixed_rate: bool = False
    rates: tuple[Fraction, ...] = ()
    clock: Fraction | None = None
    edit_list: bool = False
    chapters: bool = False
    chapter_tags: bool = False
    attachments: bool = False
    languages: bool = False
    dispositions: frozenset[str] = frozenset()
    text: str = ""
    text_filter: str = ""
    free_keys: bool = False
    sound: str = ""
    sound_codecs: tuple[str, ...] = ()
    whole_sound: bool = False
    trial_codec: str = "mpeg4"
    counts_timecode: bool = False
    reel: bool = False
    siting: Literal["any", "codec", "420 in 8 bits"] = "codec"
    lacks: frozenset[str] = frozenset()
    fields_of: tuple[str, ...] | None = None
    aspect_not_of: tuple[str, ...] = ()
    color_but: Mapping[str, frozenset[int]] = field(default_factory=dict)
    new_readers: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("presets", "color_but", "options"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of its files."""
        return tuple(self.presets)

    @property
    def called(self) -> str:
        """What messages call it."""
        return self.spoken or self.name


_MATROSKA_OPTIONS = {
    # A decoder's run-in stands before time 0; moving it to 0 would move the whole film.
    "avoid_negative_ts": "disabled",
    # No random identifiers: the same run gives the same bytes.
    "fflags": "+bitexact",
    # Which track is the default one is the source's to say.
    "default_mode": "passthrough",
}
_QUICKTIME_OPTIONS = {
    # Without it a matrix is stored only where primaries and transfer are known too.
    "movflags": "+write_colr",
}

SPECS = (
    ContainerSpec(
        name="matroska",
        presets={".mkv": "archive"},
        reel=True,
        clock=Fraction(1, 1000),
        chapters=True,
        chapter_tags=True,
        attachments=True,
        languages=True,
        dispositions=_ROLES | {"original"},
        text="subrip",
        text_filter="mov2textsub",
        siting="any",
        options=_MATROSKA_OPTIONS,
    ),
    ContainerSpec(
        name="mp4",
        presets={".mp4": "h264", ".m4v": "h264"},
        edit_list=True,
        counts_timecode=True,
        chapters=True,
        languages=True,
        dispositions=_ROLES | {"captions", "descriptions"},
        text="mov_text",
        text_filter="text2movsub",
        free_keys=True,
        options=_QUICKTIME_OPTIONS,
    ),
    ContainerSpec(
        name="mov",
        presets={".mov": "h264"},
        reel=True,
        edit_list=True,
        counts_timecode=True,
        chapters=True,
        languages=True,
        dispositions=frozenset({"default"}),
        text="mov_text",
        text_filter="text2movsub",
        free_keys=True,
        options=_QUICKTIME_OPTIONS,
    ),
    ContainerSpec(
        name="webm",
        presets={".webm": "access"},
        clock=Fraction(1, 1000),
        chapters=True,
        chapter_tags=True,
        languages=True,
        dispositions=_ROLES | {"original"},
        sound="libopus",
        trial_codec="libvpx",
        siting="any",
        lacks=frozenset({"field order"}),
        options=_MATROSKA_OPTIONS,
    ),
    ContainerSpec(
        name="mxf",
        presets={".mxf": "dnxhr"},
        fixed_rate=True,
        rates=tuple(
            sorted(
                [Fraction(n) for n in (24, 25, 30, 48, 50, 60, 72, 75, 90, 96, 100, 120)]
                + [n * _NTSC for n in (24, 30, 48, 60, 72, 90, 96, 120)]
            )
        ),
        whole_sound=True,
        counts_timecode=True,
        trial_codec="mpeg2video",
        lacks=frozenset({"rotation"}),
        fields_of=("h264", "mpeg2video", "dvvideo"),
        aspect_not_of=("dnxhd",),
        new_readers=frozenset({"ffv1"}),  # SMPTE RDD 48
        # SMPTE ST 2067-21 and RP 224 have one label for several of H.273's codes, or none.
        color_but={
            "transfer": frozenset({5, 6, 9, 10, 13, 15}),
            "primaries": frozenset({4, 7, 8, 22}),
            "matrix": frozenset({4, 10}),
        },
    ),
    ContainerSpec(
        name="avi",
        presets={".avi": "archive"},
        fixed_rate=True,
        # Its index has no time for sound: what an encoder put before the film would be heard.
        sound_codecs=("pcm_s16le", "pcm_s24le"),
        whole_sound=True,
        lacks=frozenset({"rotation", "timecode", "range"}),
        aspect_not_of=("ffv1", "v210"),
        color_but=dict.fromkeys(("matrix", "primaries", "transfer"), frozenset(range(256))),
    ),
    ContainerSpec(
        name="yuv4mpegpipe",
        presets={".y4m": "y4m"},
        spoken="y4m",
        pictures_only=True,
        fixed_rate=True,
        siting="420 in 8 bits",
        lacks=frozenset({"rotation", "timecode", "matrix", "primaries", "transfer"}),
        options={"strict": "-1"},  # FFmpeg's leave for more than 8 bits
    ),
    ContainerSpec(
        name="image2",
        presets={".png": "png", ".tif": "tiff", ".tiff": "tiff", ".dpx": "dpx"},
        spoken="a sequence of pictures",
        pictures_only=True,
        fixed_rate=True,
        # R'G'B' needs no matrix.
        lacks=frozenset({"rotation", "timecode", "primaries", "transfer", "field order"}),
    ),
)

_BY_NAME = {spec.name: spec for spec in SPECS}
_BY_SUFFIX = {suffix: spec for spec in SPECS for suffix in spec.suffixes}
SUFFIXES = tuple(_BY_SUFFIX)


def spec_of(name: str) -> ContainerSpec:
    """The row of a muxer; one that holds nothing to speak of for a name that no output has."""
    return _BY_NAME.get(name) or ContainerSpec(name=name, presets={})


def spec_of_suffix(suffix: str) -> ContainerSpec | None:
    """The container of a file's ending; None where pycolor writes none of that name."""
    return _BY_SUFFIX.get(suffix.lower())
