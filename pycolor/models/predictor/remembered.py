"""What was made of the pictures that a network saw last, by what they show."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from torch import Tensor

from pycolor.models.guidance.guide import Guide, GuidedPicture
from pycolor.models.networks.pycolor2026 import Decoded, Encoded
from pycolor.system.bounded import Bounded

FEW = 8  # pictures, some megabytes each
LATEST = 4  # anchors of which what was decoded is kept as well
MOST_GUIDED = 24  # pictures of guides
T = TypeVar("T")


class Remembered:
    """See the module; on a CPU, where a network takes longer than comparing two pictures.

    Args:
        most: pictures whose features are kept.
    """

    def __init__(self, most: int = FEW) -> None:
        self.many = most > FEW  # somebody looks at the same pictures again and again
        self._encoded: Bounded[Encoded] = Bounded(most)
        self._decoded: Bounded[tuple[Encoded, Decoded]] = Bounded(LATEST)
        self._guides: Bounded[Guide] = Bounded(MOST_GUIDED)

    def __reduce__(self) -> NoReturn:
        """Neither pickled nor copied, and so is a `Predictor`, which holds one."""
        raise TypeError(
            "a Predictor is neither pickled nor copied with all it holds; expected a new one of "
            "the same options, Predictor(predictor.options), where another is wanted"
        )

    def encoded(self, lightness: Tensor, encode: Callable[[], Encoded]) -> Encoded:
        """What the trunk sees of a picture.

        Args:
            lightness: 1×1×h×w.
            encode: finds out.
        """
        return _of(self._encoded, lightness, encode)

    def decoded(
        self, lightness: Tensor, decode: Callable[[], tuple[Encoded, Decoded]], *, keep: bool
    ) -> tuple[Encoded, Decoded]:
        """What the trunk and the decoder make of a picture.

        Args:
            lightness: 1×1×h×w.
            decode: finds out.
            keep: what is found out: of an anchor, whose colors are wanted some time after its
                context.
        """
        return _of(self._decoded, lightness, decode, keep=keep)

    def guide(
        self,
        pictures: Sequence[GuidedPicture],
        taps: Callable[[Tensor], Sequence[Tensor]],
    ) -> Guide:
        """What leads by some pictures; of a color that was changed the rest stays as it is."""
        if not self.many:
            return Guide(pictures, taps)
        key = tuple(_digest(picture.lightness) for picture in pictures)
        before = self._guides.get(key)
        found = Guide(pictures, taps) if before is None else before.recolored(pictures)
        self._guides.put(key, found, len(pictures))
        return found


def _of(known: Bounded[T], lightness: Tensor, make: Callable[[], T], *, keep: bool = True) -> T:
    if lightness.device.type != "cpu" or len(lightness) != 1:
        return make()
    key = _digest(lightness)
    found = known.get(key)
    if found is None:
        found = make()
        if keep:
            known.put(key, found)
    return found


def _digest(picture: Tensor) -> bytes:
    return hashlib.blake2b(picture.contiguous().cpu().numpy().tobytes()).digest()
