"""What the model and the motion search see of a film: small pictures, read once, in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from pycolor import ops
from pycolor.errors import FilmError
from pycolor.models.guidance.guide import Place
from pycolor.models.guidance.looks import Grade
from pycolor.models.predictor import Predictor
from pycolor.video.io import FilmInfo, Frame
from pycolor.video.io.frame.tensors import luma_on
from pycolor.video.plan.plan import ANCHORS, Plan, ShotBody
from pycolor.video.propagation.brightness import brightened
from pycolor.video.propagation.seen_frames import SeenFrames

MOTION_SHORT_SIDE = 144  # pixels
PICTURES_TOGETHER = 8  # that a GPU's network takes at once, see `Predictor.field`


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
        watch: times a stage.
        batch: key frames that wait for each other before they go through the network.
        seen: what was seen of them before.
        apart: decodes a single frame; wanted where the predictor is `anchored`.
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
    ) -> None:
        self._frames = frames
        self._next = self._undecoded = first
        self._seen = seen
        self._apart = apart
        self._anchored = apart is not None and predictor.anchored
        self._anchors: dict[int, Tensor] = {}  # contexts of anchors
        self._latest: Frame  # that was decoded
        self._on_device: tuple[int, Tensor] | None = None  # luma of the frame that is read
        self._begin = begin
        self._plan = plan
        self._predictor = predictor
        self._info = info
        self._watch = watch
        self._batch, self._together = batch, PICTURES_TOGETHER
        self._aspect = float(info.pixel_aspect or 1)
        self._turns = info.turns
        self._motion_frames: dict[int, Tensor] = {}
        self._waiting: dict[int, Tensor] = {}
        self._fields: dict[int, Tensor] = {}
        self._contexts: dict[int, Tensor | None] = {}  # by the shot's first frame
        self._size = _motion_size(info.height, info.width)

    def motion_frame(self, n: int) -> Tensor:
        """Lightness of frame n without its flicker, 1×1×H×W, uint8; of a plan that carries."""
        while n >= self._next:
            self._read()
        return self._motion_frames[n]

    def field(self, key: int) -> Tensor:
        """What the model says of a key frame: 1×2×h×w, ab."""
        body = self._body(key)
        wanted = max(key, body.context_frame if self._predictor.per_shot else key)
        if self._anchored:  # those that motion soon asks for are not decoded apart
            near = (a for a in body.anchors_near(key) if a < key + self._plan.reach)
            wanted = max(key, *near, key)
        while wanted >= self._next:
            self._read()
        if key not in self._fields:
            self._predict([key] if self._anchored and self._batch == 1 else sorted(self._waiting))
        return self._fields[key]

    def no_flow(self) -> Tensor:
        """The flow of a picture that stands: 1×2×h×w zeros."""
        h, w = (side // ops.MOTION_CELL for side in self._size)
        return torch.zeros(1, 2, h, w, dtype=torch.float32, device=self._predictor.device)

    def forget(self, n: int) -> None:
        """Drop what is older than frame n."""
        for known in (self._motion_frames, self._waiting, self._fields):
            for old in [k for k in known if k < n]:
                del known[old]
        first = self._plan.span_at(n).start
        for start in [s for s in self._contexts if s < first]:
            del self._contexts[start]
        for old in sorted(self._anchors)[: -4 * ANCHORS]:
            del self._anchors[old]

    def _read(self) -> None:
        n = self._next
        if self._seen is None:
            self._decoded(n)
        self._next += 1
        span = self._plan.span_at(n)
        if span.passthrough:
            return
        key = isinstance(span, ShotBody) and _contains(span.keys, n)
        context_frame = key and self._predictor.per_shot and self._body(n).context_frame == n
        if n < self._begin and not context_frame:
            return
        if self._plan.carries:
            self._motion_frames[n] = self._motion_of(n)
        if not key:
            return
        lightness = self._lightness_of(n)
        if context_frame:
            self._contexts[span.start] = self._predictor.context(lightness)
        self._waiting[n] = lightness
        if self._anchored and _contains(self._body(n).anchors, n):
            self._context_of(n, lightness)
        waits = self._predictor.per_shot or self._anchored
        if len(self._waiting) >= self._batch and not waits:
            self._predict(sorted(self._waiting))

    def _context_of(self, anchor: int, lightness: Tensor | None = None) -> Tensor | None:
        """What the places of an anchor look like; None where damage keeps it from being sought."""
        if anchor not in self._anchors:
            gain = float(self._plan.gain[anchor])

            def make() -> Tensor:
                found = self._lightness_apart(anchor) if lightness is None else lightness
                with self._watch("predict"):
                    context = self._predictor.context(found)
                assert context is not None
                return context

            try:
                if self._seen is None:
                    self._anchors[anchor] = make()
                else:
                    self._anchors[anchor] = self._seen.context(anchor, gain, self._predictor, make)
            except FilmError:  # read in its turn, such a frame may be there
                return None
        return self._anchors[anchor]

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

    def _body(self, n: int) -> ShotBody:
        span = self._plan.span_at(n)
        assert isinstance(span, ShotBody), f"frame {n} is no key frame"
        return span

    def _predict(self, waiting: Sequence[int]) -> None:
        """Color key frames that wait, together those of one shot with anchors in common."""
        groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for n in waiting:
            body = self._body(n)
            near = body.anchors_near(n) if self._anchored else ()
            groups.setdefault((body.start, near), []).append(n)
        for (start, near), numbers in groups.items():
            if self._predictor.per_shot and start not in self._contexts:
                continue  # its context frame is still to come
            context = self._contexts.get(start)
            contexts = [self._context_of(a) for a in near]
            if found := [c for c in contexts if c is not None]:
                context = torch.cat(found, 2)
            lightness = torch.cat([self._waiting.pop(n) for n in numbers])
            shot = (start, self._body(start).stop)
            places: list[Place] = [(n, shot) for n in numbers]
            grade = self._plan.grade_at(start)
            with self._watch("predict"):
                fields = self._predicted(lightness, places, context, grade)
            self._fields.update(zip(numbers, fields.split(1), strict=True))

    def _predicted(
        self,
        lightness: Tensor,
        places: Sequence[Place],
        context: Tensor | None,
        grade: Grade | None,
    ) -> Tensor:
        while True:
            try:
                return self._predictor.field(
                    lightness,
                    self._turns,
                    context,
                    places=places,
                    grade=grade,
                    together=self._together,
                )
            except torch.OutOfMemoryError:
                if self._together == 1:
                    raise FilmError(
                        f"one frame of {self._info.path} does not fit into the memory of "
                        f"{self._predictor.device}; expected a smaller --short-side."
                    ) from None
            self._together //= 2


def _contains(keys: Sequence[int], n: int) -> bool:
    place = bisect_left(keys, n)
    return place < len(keys) and keys[place] == n


def _motion_size(height: int, width: int) -> tuple[int, int]:
    """Both sides multiples of the motion search's cell."""
    cell = ops.MOTION_CELL
    scale = MOTION_SHORT_SIDE / min(height, width)
    return (
        max(cell, round(height * scale / cell) * cell),
        max(cell, round(width * scale / cell) * cell),
    )
