"""The chroma fields of key frames, predicted when they are asked for, or ahead in the background.

All that runs the network is handed to one executor, in the order of the film, so a background
thread needs no lock: what is known is kept here, as results to come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager
from typing import TypeVar

import torch
from torch import Tensor

from pycolor.errors import FilmError
from pycolor.models.guidance.guide import Place
from pycolor.models.predictor import Predictor
from pycolor.system.prefetch import InlineExecutor
from pycolor.video.io import FilmInfo
from pycolor.video.plan.plan import ANCHORS, Plan
from pycolor.video.propagation.seen_frames import SeenFrames

PICTURES_TOGETHER = 8  # that a GPU's network takes at once, see `Predictor.field`
T = TypeVar("T")


class KeyFields:
    """See the module.

    Args:
        plan: has the key frames.
        predictor: colors them.
        info: of the film.
        watch: times the stages "predict" and "wait".
        batch: key frames that wait for each other before they go through the network.
        seen: what was seen of them before.
        lightness_apart: what the model sees of a frame that was not added; wanted where the
            predictor is `anchored`.
        executor: runs the network, one call at a time; None: each call when it is made.
    """

    def __init__(
        self,
        plan: Plan,
        predictor: Predictor,
        info: FilmInfo,
        watch: Callable[[str], AbstractContextManager[None]],
        *,
        batch: int = 1,
        seen: SeenFrames | None = None,
        lightness_apart: Callable[[int], Tensor] | None = None,
        executor: Executor | None = None,
    ) -> None:
        self._plan = plan
        self._predictor = predictor
        self._info = info
        self._watch = watch
        self._batch, self._together = batch, PICTURES_TOGETHER
        self._seen = seen
        self._lightness_apart = lightness_apart
        self._anchored = lightness_apart is not None and predictor.anchored
        self._executor = executor or InlineExecutor()
        self._waiting: dict[int, Tensor] = {}  # lightness
        self._fields: dict[int, tuple[Future[Tensor], int]] = {}  # of a batch, and which of it
        self._anchors: dict[int, Future[Tensor | None]] = {}  # contexts of anchors
        self._contexts: dict[int, Future[Tensor | None]] = {}  # by the shot's first frame

    def last_read(self, key: int) -> int:
        """The frame up to which frames are added before key frame `key` is predicted.

        Anchors that motion soon asks for are not decoded apart.
        """
        body = self._plan.body_at(key)
        if self._anchored:
            near = body.anchors_near(key)
            return max([key, *(a for a in near if a < key + self._plan.reach)])
        return max(key, body.context_frame) if self._predictor.per_shot else key

    def add(self, n: int, lightness: Tensor) -> None:
        """Take what the model sees of key frame n."""
        body = self._plan.body_at(n)
        if self._predictor.per_shot and body.context_frame == n:
            self._contexts[body.start] = self._run(self._predictor.context, lightness)
        self._waiting[n] = lightness
        if self._anchored and body.is_anchor(n):
            self._context_of(n, lightness)
        waits = self._predictor.per_shot or self._anchored
        if len(self._waiting) >= self._batch and not waits:
            self._predict(sorted(self._waiting))

    def start(self, key: int) -> None:
        """See to it that a key frame is predicted; frames up to `last_read` have been added."""
        if key not in self._fields:
            self._predict([key] if self._anchored and self._batch == 1 else sorted(self._waiting))

    def field(self, key: int) -> Tensor:
        """What the model says of a key frame that was started: 1×2×h×w, ab."""
        fields, place = self._fields[key]
        if fields.done():
            return fields.result()[place : place + 1]
        with self._watch("wait"):
            return fields.result()[place : place + 1]

    def forget(self, n: int) -> None:
        """Drop what is older than frame n."""
        for known in (self._waiting, self._fields):
            for old in [k for k in known if k < n]:
                del known[old]
        first = self._plan.span_at(n).start
        for start in [s for s in self._contexts if s < first]:
            del self._contexts[start]
        for old in sorted(self._anchors)[: -4 * ANCHORS]:
            del self._anchors[old]

    def _run(self, function: Callable[..., T], *given: object) -> Future[T]:
        return self._executor.submit(function, *given)

    def _context_of(self, anchor: int, lightness: Tensor | None = None) -> Future[Tensor | None]:
        """What the places of an anchor look like; None where damage keeps it from being sought."""
        if anchor not in self._anchors:
            self._anchors[anchor] = self._run(self._context, anchor, lightness)
        return self._anchors[anchor]

    def _context(self, anchor: int, lightness: Tensor | None) -> Tensor | None:
        def make() -> Tensor:
            assert self._lightness_apart is not None
            found = self._lightness_apart(anchor) if lightness is None else lightness
            with self._watch("predict"):
                context = self._predictor.context(found)
            assert context is not None
            return context

        try:
            if self._seen is None:
                return make()
            gain = float(self._plan.gain[anchor])
            return self._seen.context(anchor, gain, self._predictor, make)
        except FilmError:  # read in its turn, such a frame may be there
            return None

    def _predict(self, waiting: Sequence[int]) -> None:
        """Color key frames that wait, together those of one shot with anchors in common."""
        groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for n in waiting:
            body = self._plan.body_at(n)
            near = body.anchors_near(n) if self._anchored else ()
            groups.setdefault((body.start, near), []).append(n)
        for (start, near), numbers in groups.items():
            if self._predictor.per_shot and start not in self._contexts:
                continue  # its context frame is still to come
            contexts = [self._context_of(a) for a in near]
            if not near and start in self._contexts:
                contexts = [self._contexts[start]]
            lightness = torch.cat([self._waiting.pop(n) for n in numbers])
            shot = (start, self._plan.body_at(start).stop)
            places: list[Place] = [(n, shot) for n in numbers]
            fields = self._run(self._predicted, lightness, places, contexts)
            self._fields.update((n, (fields, place)) for place, n in enumerate(numbers))

    def _predicted(
        self,
        lightness: Tensor,
        places: Sequence[Place],
        contexts: Sequence[Future[Tensor | None]],
    ) -> Tensor:
        """Chroma of pictures.  What looks for it was run before, so nothing is waited for."""
        found = [c for c in (context.result() for context in contexts) if c is not None]
        context = torch.cat(found, 2) if len(found) > 1 else next(iter(found), None)
        with self._watch("predict"):
            while True:
                try:
                    return self._predictor.field(
                        lightness,
                        self._info.turns,
                        context,
                        places=places,
                        together=self._together,
                    )
                except torch.OutOfMemoryError:
                    if self._together == 1:
                        raise FilmError(
                            f"one frame of {self._info.path} does not fit into the memory of "
                            f"{self._predictor.device}; expected a smaller --short-side."
                        ) from None
                self._together //= 2
