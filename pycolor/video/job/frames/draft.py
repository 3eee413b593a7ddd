"""A whole film at small size, by its plan: to be looked at before it is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image

from pycolor import ops
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.atomic_file import atomic_write
from pycolor.system.progress import Progress
from pycolor.video.io import FilmInfo, Frame, PreviewWriter, Reader
from pycolor.video.job.frames.preview import Preview
from pycolor.video.propagation.layer import Layer
from pycolor.video.propagation.propagate import Parts
from pycolor.video.render.chroma_planes import graded
from pycolor.video.render.shown import shown_codes

Codes = npt.NDArray[np.uint8]


def write_draft(
    preview: Preview,
    target: Path,
    height: int,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write all frames of a film, upright and with square pixels, as H.264 without sound.

    The colors are those of the film to come; what the network says of it is kept for that.

    Args:
        preview: of the film.
        target: .mp4, .mov or .mkv.
        height: of the pictures, in pixels; a smaller film keeps its own.
        overwrite: replace an existing file.
        progress: advanced by each frame.

    Raises:
        UsageError: the file exists.
        FilmError: the film cannot be read, or the draft not be written.
    """
    options = preview.options
    preview.project.folder.mkdir(parents=True, exist_ok=True)
    with (
        preview.project.held(),
        Reader(
            preview.source.path, rate=frame_rate(options.rate), override=options.override
        ) as reader,
        atomic_write(target, sources=[preview.source.path], overwrite=overwrite) as part,
    ):
        info = reader.info
        size = small_size(info, height)
        if progress is not None:
            progress.stage(f"{preview.source.path.name}: draft", len(preview.colors.plan))
        with PreviewWriter(
            part, *size, time_base=info.time_base, rate=info.rate, name=target
        ) as film:
            for frame, n, parts in preview.colored(reader):
                pts = frame.pts
                film.write(small_picture(preview, frame, n, parts, info, size), pts)
                if progress is not None:
                    progress.advance()


def small_size(info: FilmInfo, height: int) -> tuple[int, int]:
    """Height and width of the pictures, upright, with square pixels."""
    stored_height, stored_width = info.upright_size
    height = min(height, stored_height)
    width = round(stored_width * float(info.upright_aspect) * height / stored_height)
    return max(2, height), max(2, width)


def small_picture(
    preview: Preview,
    frame: Frame,
    n: int,
    parts: Parts | None,
    info: FilmInfo,
    size: tuple[int, int],
) -> Codes:
    """A frame as the film will show it, H×W×3 of 8 bits, upright, made small before it is colored.

    Args:
        preview: of the film.
        frame: may be written into.
        n: its number.
        parts: its color; None: its own.
        info: of the film.
        size: height and width, see `small_size`.
    """
    turned = size[::-1] if info.turns % 2 else size
    if parts is None or preview.colors.plan.is_under(n):  # the source's own color is in it
        layer = Layer(first=n, frames=(parts,))
        picture, factory = preview.rendered(frame, info, layer)
        codes = _scaled(shown_codes(picture.luma, picture.chroma, factory.encoding), turned)
    else:
        encoding = info.encoding
        luma = torch.from_numpy(_scaled(frame.luma[..., None], turned)[..., 0])[None]
        field = graded(parts, preview.grades, luma, encoding)
        rgb = ops.render_rgb(field[None], luma, encoding=encoding)
        top = (1 << encoding.bit_depth) - 1
        if top == 255:
            codes = rgb[0].numpy()
        else:
            codes = (rgb[0].float() * (255 / top)).round().byte().numpy()
    return np.ascontiguousarray(np.rot90(codes, info.turns))


def _scaled(codes: npt.NDArray[np.unsignedinteger], size: tuple[int, int]) -> Codes:
    """H×W×c codes in another size."""
    if codes.dtype == np.uint8 and codes.shape[2] == 1:  # the same filter, in a tenth of the time
        image = Image.fromarray(codes[..., 0]).resize(
            size[::-1], Image.Resampling.BILINEAR, reducing_gap=1.0
        )
        return np.asarray(image)[..., None].copy()
    planes = torch.from_numpy(codes.astype(np.float32)).movedim(2, 0)[None]
    small = F.interpolate(planes, size, mode="bilinear", antialias=True, align_corners=False)
    top = np.iinfo(codes.dtype).max
    found: Codes = small[0].movedim(0, 2).round().clamp(0, top).numpy().astype(codes.dtype)
    return np.ascontiguousarray(found)
