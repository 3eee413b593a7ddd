"""The encoder opened, with all that it is told of the film."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import av.container
import av.error
from av.codec.context import Flags
from av.video.stream import VideoStream

from pycolor.errors import UsageError
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.pixel_formats import FULL, LIMITED
from pycolor.video.io.write.encoder.config import EncoderConfig
from pycolor.video.io.write.encoder.field_marks import CODES_FIELDS
from pycolor.video.io.write.timing.clock import Clock

# FFmpeg says it of DNxHR in its log alone.
_SMALLEST = {"dnxhd": (256, 120)}
_FIELD_ORDER_CODES = {"progressive": 1, "tt": 2, "bb": 3, "tb": 4, "bt": 5}


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
    options = _options(recipe, info)
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
    stream.time_base = clock.time_base
    context = stream.codec_context
    context.time_base = clock.time_base
    _describe(context, recipe, info)
    try:
        context.open()
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{recipe.codec} refuses {info.width}×{info.height} {recipe.description.name} with "
            f"{_spelled(options)} ({reason}){_expected(recipe.codec, info)}."
        ) from error
    unknown = {k: v for k, v in context.options.items() if k in options}
    if unknown:
        raise UsageError(f"{recipe.codec} knows no option {_spelled(unknown)}.")
    return stream


def _options(recipe: EncoderConfig, info: FilmInfo) -> dict[str, str]:
    """The recipe's, and what of the film an encoder is told by an option only."""
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
    return options


def _expected(codec: str, info: FilmInfo) -> str:
    """The size that a picture must have, where it is too small."""
    width, height = _SMALLEST.get(codec, (0, 0))
    small = info.width < width or info.height < height
    return f"; expected {width}×{height} or more" if small else ""


def _describe(context: Any, recipe: EncoderConfig, info: FilmInfo) -> None:
    """Shape of the pixels, color, fields and threads."""
    if info.pixel_aspect:
        context.sample_aspect_ratio = info.pixel_aspect
    context.color_range = FULL if recipe.encoding.full_range else LIMITED
    context.colorspace = recipe.matrix_code if recipe.stored == recipe.description.name else 0
    context.color_primaries = info.tags.primaries
    context.color_trc = info.tags.transfer
    context.field_order = _FIELD_ORDER_CODES.get(info.field_order, 0)
    context.flags |= Flags.frame_duration  # or the last frame loses its duration
    if info.interlaced and recipe.codec in CODES_FIELDS:
        context.flags |= Flags.interlaced_dct | Flags.interlaced_me
    context.thread_type = "AUTO"
    context.thread_count = 0
    if recipe.codec == "ffv1":  # its slices are coded in parallel, one thread a core
        context.thread_count = os.cpu_count() or 1


def _with(params: str | None, more: str) -> str:
    return ":".join(filter(None, (params, more)))


def _spelled(options: Mapping[str, str]) -> str:
    return ", ".join(f"{k}={v}" for k, v in options.items()) or "no options"
