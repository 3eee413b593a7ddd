"""What was used last, kept up to a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Bounded(Generic[Value]):
    """What was used last, up to a bound.

    Args:
        most: of the sizes' sum.
    """

    def __init__(self, most: int) -> None:
        self._most, self._sum = most, 0
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """What is kept by this key."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: Hashable, value: Value, size: int = 1) -> None:
        """Keep it; what was used longest ago goes."""
        with self._lock:
            if key in self._kept:
                self._sum -= self._kept.pop(key)[1]
            self._kept[key] = value, size
            self._sum += size
            while self._sum > self._most and len(self._kept) > 1:
                self._sum -= self._kept.popitem(last=False)[1][1]
