"""Tags of a film and of its streams: which belong to it, and which of them a container holds."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import av
import av.error
from av.stream import Disposition

from pycolor.video.io.containers.spec import spec_of

# Keys that describe the source's container, or that travel another way.
_CONTAINER_KEYS = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "duration",
    "vendor_id",
    "number_of_frames",
    "number_of_bytes",
    "bps",
    "timecode",
    "rotate",
    "language",
    "alpha_mode",  # Matroska's, of alpha beside the blocks of VP8 and VP9
    # MXF tells of the program that wrote it, and numbers each writing.
    "operational_pattern_ul",
    "uid",
    "generation_uid",
    "company_name",
    "product_name",
    "product_version",
    "product_version_num",
    "product_uid",
    "application_platform",
    "modification_date",
    "toolkit_version_num",
    "file_package_umid",
    "material_package_umid",
}
# AVI's and MP4's muxers write a codec's name or a handler's of their own where none is given.
_HANDLER = "handler_name"


def film_metadata(metadata: Mapping[str, str], container: str = "") -> dict[str, str]:
    """Without what belongs to the source's container or was counted by its muxer.

    `container` is the output's, which may have a place for what others have not.
    """
    kept = {}
    for key, value in metadata.items():
        plain = key.lower().split("-")[0]  # "BPS-eng"
        if plain in _CONTAINER_KEYS or plain.startswith("_statistics"):
            continue
        if plain == _HANDLER and not spec_of(container).free_keys:
            continue
        kept["title" if key == "name" else key] = value
    return kept


@dataclass(frozen=True, kw_only=True)
class TagSupport:
    """What becomes of tags in a container.

    Attributes:
        lost: keys, as they were given, of what is not read back.
        free_keys: QuickTime's list of free keys is needed (FFmpeg's `use_metadata_tags`).
    """

    lost: tuple[str, ...] = ()
    free_keys: bool = False


def supported_tags(metadata: Mapping[str, str], container: str) -> TagSupport:
    """Of a film's tags.  The muxer is asked, by writing a film of one frame into memory."""
    return _fate(metadata, container, of_stream=False)


def fate_of_stream(metadata: Mapping[str, str], container: str) -> TagSupport:
    """Of a stream's tags; see `supported_tags`."""
    return _fate(metadata, container, of_stream=True)


def _fate(metadata: Mapping[str, str], container: str, *, of_stream: bool) -> TagSupport:
    wanted = {key: value for key, value in metadata.items() if value}
    if not wanted or spec_of(container).pictures_only:
        return TagSupport(lost=tuple(wanted))
    lost = _lost(wanted, _read_back(wanted, container, of_stream, free_keys=False))
    if not lost or of_stream or not spec_of(container).free_keys:
        return TagSupport(lost=lost)
    fewer = _lost(wanted, _read_back(wanted, container, of_stream, free_keys=True))
    return (
        TagSupport(lost=fewer, free_keys=True) if len(fewer) < len(lost) else TagSupport(lost=lost)
    )


def _lost(wanted: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    stored = lowered(found)
    return tuple(k for k, v in wanted.items() if stored.get(k.lower()) != v)


def lowered(metadata: Mapping[str, str]) -> dict[str, str]:
    """Keys as they compare: in small letters (Matroska writes capitals), `name` for a title."""
    found = {key.lower(): value for key, value in metadata.items()}
    if "name" in found:
        found.setdefault("title", found["name"])
    return found


def _read_back(
    metadata: Mapping[str, str], container: str, of_stream: bool, *, free_keys: bool
) -> dict[str, str]:
    file = io.BytesIO()
    options = {"movflags": "use_metadata_tags"} if free_keys else {}
    with av.open(file, "w", format=container, options=options) as trial:
        codec = spec_of(container).trial_codec
        stream: Any = trial.add_stream(codec, rate=25, width=64, height=64, pix_fmt="yuv420p")
        (stream if of_stream else trial).metadata.update(metadata)
        try:
            for packet in (*stream.encode(av.VideoFrame(64, 64, "yuv420p")), *stream.encode(None)):
                trial.mux(packet)
        except (av.error.FFmpegError, ValueError):
            return {}
    file.seek(0)
    with av.open(file) as written:
        return dict(written.streams[0].metadata if of_stream else written.metadata)


# -- languages ---------------------------------------------------------------------------------

# QuickTime knows the bibliographic codes of ISO 639-2, others write the terminological ones.
_BIBLIOGRAPHIC = {
    "deu": "ger",
    "fra": "fre",
    "nld": "dut",
    "zho": "chi",
    "ces": "cze",
    "ell": "gre",
    "isl": "ice",
    "ron": "rum",
    "slk": "slo",
    "sqi": "alb",
    "hye": "arm",
    "kat": "geo",
    "mkd": "mac",
    "msa": "may",
    "mya": "bur",
    "fas": "per",
    "eus": "baq",
    "cym": "wel",
    "bod": "tib",
    "mri": "mao",
}


def written_language(language: str, container: str) -> str:
    """The spelling that a container can store."""
    # FFmpeg's QuickTime table has "fra" among bibliographic codes.
    if container != "mov" or language == "fra":
        return language
    return _BIBLIOGRAPHIC.get(language, language)


def same_language(one: str, other: str) -> bool:
    return _BIBLIOGRAPHIC.get(one, one) == _BIBLIOGRAPHIC.get(other, other)


def holds_languages(container: str) -> bool:
    return spec_of(container).languages


# -- dispositions ------------------------------------------------------------------------------


def held_dispositions(container: str) -> frozenset[str]:
    """Names of the dispositions that a container can tell."""
    return spec_of(container).dispositions


def flags_of(names: frozenset[str]) -> Disposition:
    """FFmpeg's flags of those names; ValueError for one that this PyAV does not know."""
    flags = Disposition(0)
    for name in names:
        flags |= Disposition[name]
    return flags


def carry_tags(
    out: Any,
    metadata: Mapping[str, str],
    disposition: frozenset[str],
    *,
    container: str,
    film: Mapping[str, str],
) -> list[str]:
    """Give a stream of an output the tags, language and disposition of the source's.

    `film` are the container's own tags, which need not be said twice.

    Returns:
        What the container cannot hold, one phrase each.
    """
    tags = film_metadata(metadata, container)
    out.metadata.update(tags)
    lost: list[str] = []
    language = metadata.get("language", "und")
    if language != "und":
        out.metadata["language"] = written_language(language, container)
        if not holds_languages(container):
            lost.append(f"language {language}")
    own = {k: v for k, v in tags.items() if film.get(k) != v}
    lost += [f"tag {key}" for key in fate_of_stream(own, container).lost]
    unsupported_marks = disposition - held_dispositions(container) - {"attached_pic", "default"}
    lost += [f"flag {name}" for name in sorted(unsupported_marks)]
    return lost
