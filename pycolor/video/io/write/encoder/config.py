"""Chooses the output's encoder: its pixel format, its options, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import av
import av.codec

from pycolor.encoding import SUBSAMPLING_SHIFTS, Encoding, Subsampling
from pycolor.errors import UsageError
from pycolor.video.io.containers.capacity import stores_range
from pycolor.video.io.containers.presets import ARCHIVE, LIMITED_RANGE_ENCODERS, Preset
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.pixel_formats import MATRIX_OF_CODE, UNSPECIFIED, PixelFormat
from pycolor.video.io.write.encoder.pixel_format import best_format, costs_of

_BT709 = 1


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
    container: str,
    *,
    codec: str | None = None,
    options: Mapping[str, str] | None = None,
    chroma: Subsampling | None = None,
) -> EncoderConfig:
    """The pixel format that loses least of the source, among those the encoder takes.

    Depth counts most, then the chroma asked for (the source's own; the preset's choice for a
    gray film), then economy.

    Args:
        info: of the film.
        preset: what the output is for.
        container: FFmpeg's name.
        codec: FFmpeg's encoder in place of the preset's; `options` for it.
        options: in place of the preset's.
        chroma: the subsampling asked for.

    Raises:
        UsageError: for an unknown encoder, or one that takes no format that holds the film.
    """
    name = codec or preset.codec
    own = codec is not None and codec != preset.codec
    encoder = _encoder(name)
    matrix_code, said = _matrix(info, name)
    source = info.description
    wanted = chroma or source.subsampling or ("444" if source.rgb else preset.gray_subsampling)
    allowed = [f.name for f in encoder.video_formats or []]
    if preset.formats and not own:
        allowed = list(preset.formats)
    target = best_format(allowed, info, name, wanted)
    warnings = [said] if said else []
    warnings += costs_of(target, info, name, wanted)
    rgb = bool(preset.rgb_formats) and not own
    if rgb:
        warnings.append(_said_of_rgb(preset.name, info.encoding, target.bit_depth))
    full_range, of_range = _full_range(info, name, encoder.canonical_name, container)
    full_range |= rgb
    warnings += [] if full_range else of_range
    encoding = replace(
        info.encoding,
        matrix=MATRIX_OF_CODE[matrix_code],
        full_range=full_range,
        bit_depth=target.bit_depth,
        subsampling=target.subsampling or "444",
    )
    given = {} if own else {**preset.options, **preset.formats.get(target.name, {})}
    return EncoderConfig(
        codec=name,
        options=_with_slices({**given, **(options or {})}, info, target, name),
        description=target,
        stored=target.name if own else preset.rgb_formats.get(target.name, target.name),
        encoding=encoding,
        matrix_code=matrix_code,
        warnings=tuple(warnings),
    )


def _full_range(info: FilmInfo, encoder: str, codec: str, container: str) -> tuple[bool, list[str]]:
    """Whether an output holds the film's full range, and a sentence if it does not."""
    if not info.encoding.full_range or stores_range(container, codec):
        return info.encoding.full_range, []
    what = encoder if encoder in LIMITED_RANGE_ENCODERS else f"{encoder} in {container}"
    return False, [f"{what} holds limited range only: full-range luma is scaled into it"]


def _encoder(name: str) -> av.codec.Codec:
    try:
        encoder = av.codec.Codec(name, "w")
    except (av.codec.codec.UnknownCodecError, ValueError):
        raise UsageError(f"FFmpeg has no encoder named {name!r}.") from None
    if encoder.type != "video":
        raise UsageError(f"{name} encodes {encoder.type}; expected an encoder of video.")
    return encoder


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
            f"DNxHR is BT.709, which takes the place of {info.matrix_name}, a guess where no "
            "matrix is stored (luma holds; color that shots keep would shift)"
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


_SLICES_A_SIDE = 8  # of the 64 of the largest pictures


def _with_slices(
    options: dict[str, str], info: FilmInfo, target: PixelFormat, codec: str
) -> dict[str, str]:
    """FFV1's slices, where the number is ours to choose.

    FFmpeg refuses most numbers where chroma does not divide the frame evenly, or where a slice
    would hold none of it; its own choice fits wherever another does, but for chroma one sample
    wide, where one slice does.
    """
    v, h = SUBSAMPLING_SHIFTS[target.subsampling or "444"]
    even = info.height % (1 << v) == 0 and info.width % (1 << h) == 0
    wide = min(info.height >> v, info.width >> h) >= _SLICES_A_SIDE
    if codec == "ffv1" and "slices" not in options and even and wide:
        return {**options, "slices": str(_slices(info.width, info.height))}
    if codec == "ffv1" and info.width >> h < 2:
        return {"slices": "1", **options}
    return options


def _slices(width: int, height: int) -> int:
    """Of FFV1: enough for a core each, and FFmpeg asks for more above 8K."""
    pixels = width * height
    if pixels >= 4096 * 2160:
        return 64
    if pixels >= 2048 * 1080:
        return 24
    return 16 if pixels >= 320 * 240 else 4
