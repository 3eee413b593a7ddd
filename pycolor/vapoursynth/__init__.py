"""Color in VapourSynth scripts: `from pycolor.vapoursynth import color, layer`.

Y' is handed on by reference, whatever its depth: only Cb and Cr are made.  The only room
that knows VapourSynth (R74 or newer; Python 3.12 and newer).

    import vapoursynth as vs
    from pycolor.vapoursynth import color

    clip = vs.core.bs.VideoSource("in.mkv")
    color(clip).set_output()
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pycolor.encoding import Subsampling
from pycolor.options import VideoOptions
from pycolor.options.checks import as_path
from pycolor.system.optional import extra
from pycolor.vapoursynth.clip_frames import codes_of, from_floats, is_interlaced, plane_source
from pycolor.vapoursynth.clip_shape import LOCATIONS, ClipShape, check_frame
from pycolor.video.job.frames.clip_color import ClipColor
from pycolor.video.job.frames.clip_layer import ClipLayer

__all__ = ["color", "layer"]


def color(
    clip: Any,
    plan: str | os.PathLike[str] | None = None,
    reference: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    *,
    options: VideoOptions = VideoOptions(),  # noqa: B008  (frozen)
    subsampling: Subsampling = "444",
) -> Any:
    """Color a black-and-white clip.

    The clip is read through once before its first frame is colored; then frames may be asked for in
    any order.  The chroma is that of `pycolor video` for the same Y' and options.

    Args:
        clip: GRAY or YUV; 8, 9, 10, 12, 14 or 16 bits, or float.
        plan: the file of a film's plan, see `pycolor plan`; of a film with as many frames.
        reference: a color picture that guides the colors, or several; "FRAME=FILE" is a still of
            the clip.  See `PredictOptions`.
        options: `predict`, `propagation`, `color_shots`, `tints`, `sensitivity` and `batch` count.
        subsampling: of the chroma of a gray clip; a YUV clip keeps its format.

    Returns:
        A YUV clip with the same Y'.  Its frames say `_Matrix`, `_Range` and, where chroma is
        subsampled, `_ChromaLocation`; `_SceneChangePrev` and `_SceneChangeNext` tell cuts.  Shots
        in true color keep their own chroma.

    Raises:
        UsageError: the clip, the plan or an option does not fit.
        FilmError: the weights or a picture cannot be read.
    """
    vs = extra("vapoursynth")
    shape = ClipShape.of(vs, clip, subsampling)
    if isinstance(reference, str | os.PathLike):
        reference = (reference,)
    named = tuple(as_path("reference", path) for path in reference)
    predict = replace(options.predict, reference=(*options.predict.reference, *named))
    colors = ClipColor(
        plane_source(clip, shape),
        replace(options, predict=predict),
        None if plan is None else as_path("plan", plan),
    )

    def shots(n: int) -> tuple[bool, bool]:
        return colors.starts_shot(n), colors.starts_shot(n + 1)

    return _colored(vs, clip, shape, colors.render, shots, colors.close)


def layer(
    clip: Any, master: str | os.PathLike[str], *, subsampling: Subsampling = "444", offset: int = 0
) -> Any:
    """Give a clip the chroma of a film in color of the same size: a master of `pycolor layer`.

    Args:
        clip: GRAY or YUV, see `color`.
        master: the film; its luma is not looked at.
        subsampling: of the chroma of a gray clip; a YUV clip keeps its format.
        offset: the master's frame that is the clip's first.

    Returns:
        A YUV clip with the same Y', see `color`.

    Raises:
        UsageError: the clip or the master does not fit.
        FilmError: the master cannot be read.
    """
    vs = extra("vapoursynth")
    shape = ClipShape.of(vs, clip, subsampling)
    chroma = ClipLayer(as_path("master", master), offset=offset)
    chroma.check(frames=clip.num_frames, size=(clip.height, clip.width), encoding=shape.encoding)
    return _colored(vs, clip, shape, chroma.render, None, chroma.close)


def _colored(
    vs: Any,
    clip: Any,
    shape: ClipShape,
    render: Callable[..., bool],
    shots: Callable[[int], tuple[bool, bool]] | None,
    close: Callable[[], None],
) -> Any:
    """The clip with chroma that is written into copies of its frames; Y' is shared with them."""
    core, base = vs.core, clip
    if shape.gray:
        blank = core.std.BlankClip(clip, format=shape.output.id, length=1, keep=True)
        blank = core.std.Loop(blank, clip.num_frames)
        base = core.std.ShufflePlanes([clip, blank, blank], [0, 1, 2], vs.YUV)

    def selector(n: int, f: Any) -> Any:
        check_frame(f, n, shape)
        result = f.copy()
        interlaced = is_interlaced(f.props)
        luma = codes_of(f[0], 0, shape)
        if shape.floats:
            chroma = tuple(from_floats(np.asarray(f[k]), k) for k in (1, 2))
            if render(n, luma, chroma, shape.encoding, interlaced=interlaced):
                for k, codes in zip((1, 2), chroma, strict=True):
                    np.asarray(result[k])[:] = (codes.astype(np.float64) - 32768) / 65535
        else:
            # Planes of a copy become the copy's own when they are first written to.
            chroma = tuple(np.asarray(result[k]) for k in (1, 2))
            render(n, luma, chroma, shape.encoding, interlaced=interlaced)
        _say(result.props, shape, None if shots is None else shots(n))
        return result

    vs.register_on_destroy(close)
    return core.std.ModifyFrame(base, base, selector)


def _say(props: Any, shape: ClipShape, shots: tuple[bool, bool] | None) -> None:
    """What a colored frame says; the rest is the clip's."""
    encoding = shape.encoding
    props["_Matrix"] = shape.matrix
    if not shape.floats:
        props["_Range"] = int(encoding.full_range)
    if encoding.subsampling != "444":
        props["_ChromaLocation"] = LOCATIONS.index(encoding.chroma_location)
    if shots is not None:
        props["_SceneChangePrev"], props["_SceneChangeNext"] = (int(cut) for cut in shots)
