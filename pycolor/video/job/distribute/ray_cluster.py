"""A film's segments colored by a Ray cluster, one actor for each device.

The driver has the queue.  Each actor has the model and is lent one segment after the other: the
film's job is put once, numbers of frames and names of files follow it, digests of luma come back.
Pictures do not travel, so all machines must see the film and the output's folder under the same
names.  An actor that is lost is replaced; its segment goes back into the queue.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pycolor.errors import FilmError, PycolorError, UsageError
from pycolor.options import PredictOptions
from pycolor.system.optional import extra
from pycolor.video.job.distribute.ray_devices import count_devices, nodes_of, one_device
from pycolor.video.job.distribute.segment_worker import Answer, SegmentWorker
from pycolor.video.job.stages.segment import SegmentJob
from pycolor.video.job.work.job_folder import JobFolder
from pycolor.video.job.work.segments.segment_files import Segment
from pycolor.video.job.work.segments.segment_store import SegmentStore

TRIES = 4  # of a segment, and of workers that are lost or refused at their start


class RayWorkers:
    """The workers of a Ray cluster, as a context: entered when the first of them has the model.

    Args:
        address: of the cluster; `auto`: the one of this machine; `local`: a new one, here.
        predict: the model, which every worker loads.
        mix: take workers of unlike machines, see `arithmetic_of`.
        by_threads: the encoder's bits depend on the number of processors.
        say: called with a note on workers that do not come, or are not taken.
        worker: what an actor is made of.

    Raises:
        UsageError: Ray is not installed, or no cluster answers.
        FilmError: no worker can start.
    """

    def __init__(
        self,
        address: str,
        predict: PredictOptions,
        *,
        mix: bool = False,
        by_threads: bool = False,
        say: Callable[[str], None] = lambda _: None,
        worker: type[Any] | None = None,
    ) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL", "minor")
        self._ray, self._say, self._given = extra("ray"), say, (predict, mix, by_threads)
        self._address, self._class = address, worker or SegmentWorker
        self._starting: dict[Any, Any] = {}  # the answer that is waited for → the actor
        self._busy: dict[Any, tuple[Any, Segment]] = {}
        self._idle: list[Any] = []
        self._told: dict[str, dict[str, str]] = {}
        self._refused = self.taken = 0

    @property
    def arithmetic(self) -> dict[str, str]:
        """What decides the workers' bits."""
        return self._told["arithmetic"]

    def __enter__(self) -> RayWorkers:
        self._own = not self._ray.is_initialized()
        try:
            if self._own:
                self._ray.init(self._address, log_to_driver=False, logging_level="error")
        except Exception as e:  # Ray's own, and plain ones
            told = " ".join(str(e).split())[:200]
            raise UsageError(f"no Ray cluster answers at {self._address}: {told}.") from None
        try:
            self._one = one_device(nodes_of(self._ray), self._given[0].device)
            self._device = self._ray.remote(**self._one)(self._class)
            while not self._idle:
                self._ask(1)
                list(self._news())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the workers go."""
        busy = (actor for actor, _ in self._busy.values())
        for actor in (*self._starting.values(), *self._idle, *busy):
            self._ray.kill(actor)
        self._starting, self._busy, self._idle = {}, {}, []
        if self._own:
            self._ray.shutdown()

    def color(
        self,
        film: SegmentJob,
        segments: Sequence[Segment],
        store: JobFolder | SegmentStore,
        on_done: Callable[[Segment], None] = lambda _: None,
    ) -> None:
        """Have segments made, and complete them in a store that all machines see.

        Args:
            film: a job whose first, stop and output are left out of account.
            segments: that are missing.
            store: of them.
            on_done: called with each that is complete.

        Raises:
            FilmError: a segment failed, or its workers were lost, several times.
        """
        common, left, tries = self._ray.put(film), deque(segments), Counter[int]()
        while left or self._busy:
            self._ask(min(len(left), self._lacking()))
            while left and self._idle:
                actor, segment = self._idle.pop(), left.popleft()
                given = (segment.first, segment.stop, store.part(segment))
                self._busy[actor.color.remote(common, *given)] = (actor, segment)
            for segment, answer in self._news():
                if answer.part is not None:
                    os.replace(answer.part, store.part(segment))
                    store.complete(segment, answer.luma)
                    on_done(segment)
                    continue
                tries[segment.first] += 1
                frames = f"frames {segment.first} to {segment.stop - 1}"
                if answer.misused or tries[segment.first] == TRIES:
                    raise _error(answer, f"{frames}, on {answer.node}")
                self._say(f"{frames} are tried again; {answer.node}: {answer.error}")
                left.appendleft(segment)

    def _lacking(self) -> int:
        """How many are to start: one for each device, else as many again, as a cluster grows."""
        at_work = len(self._idle) + len(self._busy)
        return max(1, at_work, count_devices(nodes_of(self._ray), self._one) - at_work)

    def _ask(self, most: int) -> None:
        """Have workers start until so many do."""
        for _ in range(most - len(self._starting) if self._refused < TRIES else 0):
            actor = self._device.remote(*self._given)
            self._starting[actor.introduce.remote()] = actor

    def _news(self) -> Iterator[tuple[Segment, Answer]]:
        """Wait for a worker's answer; what became of its segment, if it had one."""
        if not self._starting and not self._busy:
            raise FilmError(f"no worker is left, and {TRIES} were lost or refused as they started.")
        waited = [*self._starting, *self._busy]
        ready, _ = self._ray.wait(waited, timeout=60)
        if not ready and not self._busy and not self._idle:
            self._say("no worker has come yet: the cluster has no device free")
        errors = self._ray.exceptions
        for ref in ready:
            try:
                answer = self._ray.get(ref)
            except errors.RayTaskError:  # nothing that was foreseen: with the worker's traceback
                raise
            except errors.RayError as e:
                answer = Answer(error=f"the worker was lost ({type(e).__name__}).")
            actor, segment = self._busy.pop(ref, None) or (self._starting.pop(ref), None)
            if answer.node == Answer.node or (segment is None and not self._takes(answer)):
                self._ray.kill(actor)  # it may be cut off, and alive
                self._refused += segment is None
            else:
                self._idle.append(actor)
            if segment is not None:
                yield segment, answer

    def _takes(self, answer: Answer) -> bool:
        """Whether a worker that has started is like the others."""
        if answer.error and not self._told:
            raise _error(answer, answer.node)
        self._told = self._told or answer.told
        why = answer.error or self._difference(answer.told)
        if why:
            self._say(f"the worker on {answer.node} is not taken: {why}")
        else:
            self.taken, self._refused = self.taken + 1, 0
        return not why

    def _difference(self, told: dict[str, dict[str, str]]) -> str:
        """What decides the bits elsewhere, in a phrase; empty where it is the same."""
        for what, first in self._told.items():
            for name, value in first.items():
                if told[what].get(name) != value:
                    hint = "; --mix takes it" if what == "arithmetic" and name != "dtype" else ""
                    return f"its {name} is {told[what].get(name)}, the first's {value}{hint}"
        return ""


def _error(answer: Answer, where: str) -> PycolorError:
    return (UsageError if answer.misused else FilmError)(f"{where}: {answer.error}")
