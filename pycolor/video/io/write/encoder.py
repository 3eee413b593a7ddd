"""Chooses the output's pixel format and sets up its encoder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import av
import av.codec
import av.container
import av.error
from av.codec.context import Flags
from av.video.stream import VideoStream

from pycolor.encoding import SUBSAMPLING_SHIFTS, Encoding, Subsampling
from pycolor.errors import UsageError
from pycolor.video.io.containers.presets import ARCHIVE, LIMITED_RANGE_ENCODERS, Preset
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.pixel_formats import (
    FULL,
    LIMITED,
    MATRIX_OF_CODE,
    UNSPECIFIED,
    PixelFormat,
    pixel_format,
)
from pycolor.video.io.write.clock import Clock

# Even width and height of the picture, in the directions where chroma is subsampled.
_NEEDS_EVEN = ("libx264", "libx265")
# They code two fields as such, and say so of each picture, if told to.
_CODES_FIELDS = ("libx264", "mpeg2video", "mpeg4", "prores", "prores_aw", "prores_ks", "dvvideo")
_BT709 = 1
_FIELD_ORDER_CODES = {"progressive": 1, "tt": 2, "bb": 3, "tb": 4, "bt": 5}


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """An encoder, ready to be opened.

    Attributes:
        codec: FFmpeg's encoder; `options` for it.
        description: of the pixel format of the pictures; `stored` names the one it is fed, which
            is another for files of R'G'B'.
        encoding: of the planes it is fed.
        matrix_code: of H.273, for `encoding`'s matrix.
        warnings: sentences about what the format costs.
    """

    codec: str
    options: Mapping[str, str]
    description: PixelFormat
    stored: str
    encoding: Encoding
    matrix_code: int
    warnings: tuple[str, ...]

    @property
    def canonical_codec(self) -> str:
        """FFmpeg's name of what the encoder makes: h264 of libx264."""
        return str(av.codec.Codec(self.codec, "w").canonical_name)


def choose(
    info: FilmInfo,
    preset: Preset,
    *,
    codec: str | None = None,
    options: Mapping[str, str] | None = None,
    chroma: Subsampling | None = None,
) -> EncoderConfig:
    """The pixel format that loses least of the source, among those the encoder takes.

    Depth counts most, then the chroma asked for (the source's own; the preset's choice for a
    gray film), then economy.

    Raises:
        UsageError: for an unknown encoder, or one that takes no format that holds the film.
    """
    name = codec or preset.codec
    own = codec is not None and codec != preset.codec
    try:
        encoder = av.codec.Codec(name, "w")
    except (av.codec.codec.UnknownCodecError, ValueError):
        raise UsageError(f"FFmpeg has no encoder named {name!r}.") from None
    if encoder.type != "video":
        raise UsageError(f"{name} encodes {encoder.type}; expected an encoder of video.")
    matrix_code, said = _matrix(info, name)
    source = info.description
    wanted = chroma or source.subsampling or ("444" if source.rgb else preset.gray_subsampling)
    allowed = [f.name for f in encoder.video_formats or []]
    if preset.formats and not own:
        allowed = list(preset.formats)
    ranked: list[tuple[tuple[int, ...], PixelFormat]] = []
    for candidate in allowed:
        target = pixel_format(candidate)
        if target is not None and _fits(target, info, name):
            ranked.append((_loss(source, target, wanted), target))
    if not ranked:
        raise UsageError(
            f"{name} takes no Y'CbCr picture of {info.width}×{info.height}; "
            "name an output with .mkv, whose FFV1 holds any size."
        )
    _, target = min(ranked, key=lambda pair: pair[0])
    warnings = [said] if said else []
    if target.bit_depth < source.bit_depth:
        warnings.append(
            f"{name} holds {target.bit_depth} bits: the luma of {source.bit_depth} bits is "
            "rounded (FFV1 in .mkv keeps it whole)"
        )
    if target.subsampling != wanted and _narrower(target.subsampling, wanted):
        warnings.append(f"{name} holds chroma as {_colons(target.subsampling)} only")
    elif target.subsampling != wanted and name in _NEEDS_EVEN:
        became = f"chroma is {_colons(target.subsampling)}"
        if info.height % 2 or info.width % 2:
            warnings.append(
                f"{info.width}×{info.height} is odd and {name} cannot hold it as "
                f"{_colons(wanted)}: {became}, which few hardware players show"
            )
        else:
            warnings.append(f"{name} does not hold {_colons(wanted)}: {became}")
    if source.alpha and not target.alpha:
        warnings.append(f"{name} in {target.name} holds no alpha channel: the film's is left out")
    merged = {} if own else dict(preset.options)
    if not own:
        merged.update(preset.formats.get(target.name, {}))
    merged.update(options or {})
    # FFmpeg refuses most numbers of slices where chroma does not divide the frame evenly; its own
    # choice always fits.
    v, h = SUBSAMPLING_SHIFTS[target.subsampling or "444"]
    even = info.height % (1 << v) == 0 and info.width % (1 << h) == 0
    if name == "ffv1" and "slices" not in merged and even:
        merged["slices"] = str(_slices(info.width, info.height))
    rgb = bool(preset.rgb_formats) and not own
    if rgb:
        warnings.append(_said_of_rgb(preset.name, info.encoding, target.bit_depth))
    full_range = rgb or (info.encoding.full_range and name not in LIMITED_RANGE_ENCODERS)
    if info.encoding.full_range and not full_range:
        warnings.append(f"{name} holds limited range only: full-range luma is scaled into it")
    encoding = replace(
        info.encoding,
        matrix=MATRIX_OF_CODE[matrix_code],
        full_range=full_range,
        bit_depth=target.bit_depth,
        subsampling=target.subsampling or "444",
    )
    return EncoderConfig(
        codec=name,
        options=merged,
        description=target,
        stored=target.name if own else preset.rgb_formats.get(target.name, target.name),
        encoding=encoding,
        matrix_code=matrix_code,
        warnings=tuple(warnings),
    )


def _matrix(info: FilmInfo, encoder: str) -> tuple[int, str]:
    """The code of the matrix that an output is coded in, and a sentence if it is not the film's."""
    if encoder != "dnxhd" or info.matrix_code == _BT709:  # its decoders take all for BT.709
        return info.matrix_code, ""
    if info.gray:
        return (
            _BT709,
            f"DNxHR is BT.709, and the film's {info.matrix_name} is taken for that: gray"
            " holds under any matrix",
        )
    if info.tags.matrix == UNSPECIFIED:
        return _BT709, (
            "no matrix is stored, and DNxHR is BT.709: the film is taken for that (its luma holds; "
            "color that shots keep would shift)"
        )
    raise UsageError(
        f"DNxHR is read as BT.709 only, and {info.path} is coded in {info.matrix_name}; ProRes and "
        "FFV1 hold it."
    )


def _said_of_rgb(name: str, before: Encoding, bits: int) -> str:
    changed = []
    if not before.full_range:
        changed.append("scaled from limited to full range")
    if bits != before.bit_depth:
        changed.append(f"carried as {bits} bits")
    luma = f"its luma is {' and '.join(changed)}" if changed else "its luma is unchanged"
    return f"{name} holds R'G'B': the film is converted to it; {luma}, and can be computed back"


def as_segment(recipe: EncoderConfig) -> EncoderConfig:
    """The same pictures, kept in FFV1 until they are written as what the recipe says."""
    return replace(
        recipe, codec=ARCHIVE.codec, options=ARCHIVE.options, stored=recipe.description.name
    )


def _fits(target: PixelFormat, info: FilmInfo, codec: str) -> bool:
    if target.rgb or target.gray or not target.planar or target.big_endian or target.shift:
        return False
    if target.name.startswith("yuvj") or (target.alpha and not info.description.alpha):
        return False
    shifts = Encoding(subsampling=target.subsampling or "444").shifts
    odd_height, odd_width = info.height % 2, info.width % 2
    if codec in _NEEDS_EVEN and ((odd_height and shifts[0]) or (odd_width and shifts[1])):
        return False
    return not (codec == "v210" and odd_width)


def _loss(source: PixelFormat, target: PixelFormat, wanted: Subsampling) -> tuple[int, ...]:
    shifts = Encoding(subsampling=target.subsampling or "444").shifts
    asked = Encoding(subsampling=wanted).shifts
    return (
        max(0, source.bit_depth - target.bit_depth),
        int(source.alpha and not target.alpha),
        sum(max(0, s - a) for s, a in zip(shifts, asked, strict=True)),
        max(0, target.bit_depth - source.bit_depth),
        sum(max(0, a - s) for s, a in zip(shifts, asked, strict=True)),
    )


def _narrower(subsampling: Subsampling | None, wanted: Subsampling) -> bool:
    shifts = Encoding(subsampling=subsampling or "444").shifts
    asked = Encoding(subsampling=wanted).shifts
    return any(s > a for s, a in zip(shifts, asked, strict=True))


def _colons(subsampling: str | None) -> str:
    return ":".join(subsampling or "444")


def _slices(width: int, height: int) -> int:
    """Of FFV1: enough for a core each, and FFmpeg asks for more above 8K."""
    pixels = width * height
    if pixels >= 4096 * 2160:
        return 64
    if pixels >= 2048 * 1080:
        return 24
    return 16 if pixels >= 320 * 240 else 4


def add_picture(
    container: av.container.OutputContainer,
    recipe: EncoderConfig,
    info: FilmInfo,
    *,
    clock: Clock,
) -> VideoStream:
    """Add the picture's stream and open its encoder.

    Raises:
        UsageError: if the container or the encoder refuses, or an option is unknown to it.
    """
    options = dict(recipe.options)
    location = recipe.encoding.chroma_location
    told = info.tags.chroma_location or location != "left"  # which is what "not stored" means
    told = told or recipe.codec == "rawvideo"  # where y4m's muxer would say "center"
    if recipe.encoding.subsampling in ("420", "422") and told:
        options.setdefault("chroma_sample_location", location)
    if recipe.codec == "libx265" and "log-level" not in options.get("x265-params", ""):
        quiet = "log-level=error"  # it prints to the terminal by itself
        options["x265-params"] = _with(options.get("x265-params"), quiet)
    if recipe.codec == "libx264" and info.interlaced and info.field_order in ("bb", "bt"):
        options["x264-params"] = _with(options.get("x264-params"), "bff=1")
    try:
        stream = container.add_stream(
            recipe.codec,
            rate=info.rate,
            options=options,
            width=info.width,
            height=info.height,
            pix_fmt=recipe.stored,
            time_base=clock.time_base,
        )
    except ValueError as error:
        raise UsageError(
            f"{container.format.name} does not hold {recipe.codec}; name another output ending "
            "or --codec."
        ) from error
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    context.time_base = clock.time_base
    stream.time_base = clock.time_base
    if info.pixel_aspect:
        context.sample_aspect_ratio = info.pixel_aspect
    context.color_range = FULL if recipe.encoding.full_range else LIMITED
    context.colorspace = recipe.matrix_code if recipe.stored == recipe.description.name else 0
    context.color_primaries = info.tags.primaries
    context.color_trc = info.tags.transfer
    context.field_order = _FIELD_ORDER_CODES.get(info.field_order, 0)
    context.flags |= Flags.frame_duration  # or the last frame loses its duration
    if info.interlaced and recipe.codec in _CODES_FIELDS:
        context.flags |= Flags.interlaced_dct | Flags.interlaced_me
    context.thread_type = "AUTO"
    context.thread_count = 0
    if recipe.codec == "ffv1":  # its slices are coded in parallel, one thread a core
        context.thread_count = os.cpu_count() or 1
    try:
        context.open()
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{recipe.codec} refuses {info.width}×{info.height} {recipe.description.name} with "
            f"{_spelled(options)} ({reason})."
        ) from error
    unknown = {k: v for k, v in context.options.items() if k in options}
    if unknown:
        raise UsageError(f"{recipe.codec} knows no option {_spelled(unknown)}.")
    return stream


def _with(params: str | None, more: str) -> str:
    return ":".join(filter(None, (params, more)))


def _spelled(options: Mapping[str, str]) -> str:
    return ", ".join(f"{k}={v}" for k, v in options.items()) or "no options"
