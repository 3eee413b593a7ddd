"""Work beside work: decode ahead, encode behind, a bounded number of frames in between."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_END = object()


def prefetch(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """The items, made in a thread of their own up to `depth` ahead of their use.

    An exception of the thread comes up where the next item would; leaving the loop early stops
    the thread before the generator closes.
    """
    waiting: queue.Queue[object] = queue.Queue(depth)
    stop = threading.Event()

    def offer(item: object) -> bool:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not offer(item):
                    return
            offer(_END)
        except BaseException as error:  # handed over, whatever it is
            offer(_Raised(error))

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            if isinstance(item, _Raised):
                raise item.error
            yield item  # type: ignore[misc]
            del item
    finally:
        stop.set()
        thread.join()


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class BackgroundConsumer(Generic[T]):
    """Hands items to a function in a thread of its own, in order, up to `depth` waiting.

    Used as a context: leaving it waits for the last item; an exception of the function comes up
    at the next `put` or on leaving.  Left by an exception, it drops what still waits.
    """

    def __init__(self, function: Callable[[T], None], depth: int) -> None:
        self._function = function
        self._waiting: queue.Queue[object] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._dropping = False
        self._thread = threading.Thread(target=self._work, name="behind", daemon=True)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not _END:
            if self._error is None and not self._dropping:
                try:
                    self._function(item)  # type: ignore[arg-type]
                except BaseException as error:  # handed over, whatever it is
                    self._error = error
            del item

    def put(self, item: T) -> None:
        """Queue an item; waits while `depth` are queued."""
        if self._error is not None:
            raise self._error
        self._waiting.put(item)

    def __enter__(self) -> BackgroundConsumer[T]:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._dropping = kind is not None
        self._waiting.put(_END)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error


class InlineExecutor(Executor):
    """Runs each call at once, in the thread that submits it; what it raises is raised there."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done
