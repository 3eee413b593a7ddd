"""What the model and the motion search see of a film: small pictures, read once, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from pycolor import ops
from pycolor.errors import FilmError
from pycolor.models.predictor import Predictor
from pycolor.video.io import FilmInfo, Frame
from pycolor.video.io.frame.tensors import luma_on
from pycolor.video.plan.brightness import brightened
from pycolor.video.plan.plan import Plan, ShotBody
from pycolor.video.propagation.key_fields import KeyFields
from pycolor.video.propagation.seen_frames import SeenFrames

MOTION_SHORT_SIDE = 144  # pixels


class Lookahead:
    """The motion frames and the key frames' chroma fields of a film, from some frame on.

    Frames are read when they are asked for, and kept until they are forgotten; each is some 50 KB.

    Args:
        frames: decoded, from frame `first` on; or what opens the film at a frame's number, called
            when one has to be decoded.
        first: number of the first of them.
        begin: number of the first whose motion frame or field will be asked for.
        plan: has the key frames and gains.
        predictor: colors the key frames.
        info: of the film.
        watch: times stages.
        batch: key frames that wait for each other before they go through the network.
        seen: what was seen of them before.
        apart: decodes a single frame; wanted where the predictor is `anchored`.
        background: runs the network beside what asks for its fields, which is propagation; None:
            when it asks.
    """

    def __init__(
        self,
        frames: Iterator[Frame] | Callable[[int], Iterator[Frame]],
        first: int,
        begin: int,
        plan: Plan,
        predictor: Predictor,
        info: FilmInfo,
        watch: Callable[[str], AbstractContextManager[None]],
        batch: int = 1,
        seen: SeenFrames | None = None,
        apart: Callable[[int], Frame] | None = None,
        background: Executor | None = None,
    ) -> None:
        self._frames = frames
        self._next = self._undecoded = first
        self._seen = seen
        self._apart = apart
        self._latest: Frame  # that was decoded
        self._on_device: tuple[int, Tensor] | None = None  # luma of the frame that is read
        self._begin = self._started = begin
        self._plan = plan
        self._predictor = predictor
        self._info = info
        self._background = background is not None
        self._key_fields = KeyFields(
            plan,
            predictor,
            info,
            watch,
            batch=batch,
            seen=seen,
            lightness_apart=None if apart is None else self._lightness_apart,
            executor=background,
        )
        self._aspect = float(info.pixel_aspect or 1)
        self._turns = info.turns
        self._motion_frames: dict[int, Tensor] = {}
        self._size = _motion_size(info.height, info.width)

    def motion_frame(self, n: int) -> Tensor:
        """Lightness of frame n without its flicker, 1×1×H×W, uint8; of a plan that carries."""
        while n >= self._next:
            self._read()
        return self._motion_frames[n]

    def field(self, key: int) -> Tensor:
        """What the model says of a key frame: 1×2×h×w, ab."""
        self._start(key)
        return self._key_fields.field(key)

    def look_ahead(self, stop: int) -> None:
        """Have the key frames before frame `stop` colored in the background, if there is one."""
        while self._background and self._started < stop:
            span = self._plan.span_at(self._started)
            if isinstance(span, ShotBody) and span.is_key(self._started):
                self._start(self._started)
            self._started += 1

    def _start(self, key: int) -> None:
        last = self._key_fields.last_read(key)
        while last >= self._next:
            self._read()
        self._key_fields.start(key)

    def no_flow(self) -> Tensor:
        """The flow of a picture that stands: 1×2×h×w zeros."""
        h, w = (side // ops.MOTION_CELL for side in self._size)
        return torch.zeros(1, 2, h, w, dtype=torch.float32, device=self._predictor.device)

    def forget(self, n: int) -> None:
        """Drop what is older than frame n."""
        for old in [k for k in self._motion_frames if k < n]:
            del self._motion_frames[old]
        self._started = max(self._started, n)
        self._key_fields.forget(n)

    def _read(self) -> None:
        n = self._next
        if self._seen is None:
            self._decoded(n)
        self._next += 1
        span = self._plan.span_at(n)
        if span.passthrough:
            return
        key = isinstance(span, ShotBody) and span.is_key(n)
        context_frame = (
            isinstance(span, ShotBody) and self._predictor.per_shot and span.context_frame == n
        )
        if n < self._begin and not context_frame:
            return
        if self._plan.carries:
            self._motion_frames[n] = self._motion_of(n)
        if key:
            self._key_fields.add(n, self._lightness_of(n))

    def _lightness_apart(self, n: int) -> Tensor:
        """What the model sees of a frame that is not the next."""
        gain = float(self._plan.gain[n])

        def make() -> Tensor:
            assert self._apart is not None
            luma = luma_on(self._apart(n), self._predictor.device)
            return self._seen_by_model(luma, gain)

        if self._seen is None:
            return make()
        return self._seen.lightness(n, gain, self._predictor, make)

    def _motion_of(self, n: int) -> Tensor:
        gain = float(self._plan.gain[n])

        def make() -> Tensor:
            small = ops.mean_lightness(self._luma(n), self._size, encoding=self._info.encoding)
            return (brightened(small, gain) * 2.55).round_().clamp_(0, 255).byte()

        if self._seen is None:
            return make()
        return self._seen.motion(n, gain, self._predictor.device, make)

    def _lightness_of(self, n: int) -> Tensor:
        gain = float(self._plan.gain[n])

        def make() -> Tensor:
            return self._seen_by_model(self._luma(n), gain)

        if self._seen is None:
            return make()
        return self._seen.lightness(n, gain, self._predictor, make)

    def _seen_by_model(self, luma: Tensor, gain: float) -> Tensor:
        encoding = self._info.encoding
        return brightened(
            self._predictor.lightness(luma, encoding, self._aspect, self._turns), gain
        )

    def _luma(self, n: int) -> Tensor:
        if self._on_device is None or self._on_device[0] != n:
            self._on_device = n, luma_on(self._decoded(n), self._predictor.device)
        return self._on_device[1]

    def _decoded(self, n: int) -> Frame:
        """A frame; those between it and the one before are passed over."""
        if not isinstance(self._frames, Iterator):
            self._frames, self._undecoded = self._frames(n), n
        while self._undecoded <= n:
            frame = next(self._frames, None)
            if frame is None:
                raise FilmError(
                    f"{self._info.path} ends before frame {n}, which was there when it was "
                    "analyzed; expected a film that does not change while it is colored."
                )
            self._latest = frame
            self._undecoded += 1
        return self._latest


def _motion_size(height: int, width: int) -> tuple[int, int]:
    """Both sides multiples of the motion search's cell."""
    cell = ops.MOTION_CELL
    scale = MOTION_SHORT_SIDE / min(height, width)
    return (
        max(cell, round(height * scale / cell) * cell),
        max(cell, round(width * scale / cell) * cell),
    )
