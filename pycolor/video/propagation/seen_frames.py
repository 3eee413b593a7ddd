"""What was seen of a film's frames, for whoever looks at the same ones again and again.

A person marks a frame, and the shot is colored anew; what motion and the model see of its frames
has not changed.  Kept, it takes some 30 KB of a frame and some 400 KB more of a key frame, and no
frame has to be decoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from pycolor.models.predictor import Predictor
from pycolor.system.bounded import Bounded
from pycolor.video.io import FilmInfo

MOST_BYTES = 64 << 20


class SeenFrames:
    """See the module; several threads may use it.

    Args:
        info: of the film.
        most: bytes that are kept.
    """

    def __init__(self, info: FilmInfo, most: int = MOST_BYTES) -> None:
        self.info = info
        self._kept: Bounded[Tensor] = Bounded(most)

    def motion(
        self, n: int, gain: float, device: torch.device, make: Callable[[], Tensor]
    ) -> Tensor:
        """What motion is searched in, see `Lookahead`.

        Args:
            n: number of the frame.
            gain: on its luma.
            device: where it lies.
            make: makes it where it is not kept.
        """
        return self._of(("motion", n, gain, str(device)), make)

    def lightness(
        self, n: int, gain: float, predictor: Predictor, make: Callable[[], Tensor]
    ) -> Tensor:
        """What a model sees, see `Predictor.lightness`.

        Args:
            n: number of the frame.
            gain: on its luma.
            predictor: of the model.
            make: makes it where it is not kept.
        """
        sees = predictor.short_side, predictor.network.input_multiple, str(predictor.device)
        return self._of(("lightness", n, gain, *sees), make)

    def context(
        self, n: int, gain: float, predictor: Predictor, make: Callable[[], Tensor]
    ) -> Tensor:
        """What the places of an anchor look like, see `Predictor.context`.

        Args:
            n: number of the frame.
            gain: on its luma.
            predictor: of the model.
            make: makes it where it is not kept.
        """
        model = predictor.loaded.sha256, predictor.short_side, str(predictor.dtype)
        return self._of(("context", n, gain, *model, str(predictor.device)), make)

    def _of(
        self,
        key: Hashable,
        make: Callable[[], Tensor],
    ) -> Tensor:
        found = self._kept.get(key)
        if found is None:
            found = make()
            self._kept.put(key, found, found.numel() * found.element_size())
        return found
