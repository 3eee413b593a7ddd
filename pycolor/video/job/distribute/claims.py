"""Who works on what in a folder that several machines share, without locks.

A claim is a file that only one can create.  Who works renews it; a claim that was not renewed for a
while is a dead worker's, and is taken over; so is that of a process of this machine that is gone.
Times are compared as the file server tells them, so the machines' clocks do not matter.  Two may
come to work on the same thing after all (one of them had slept, or both took over at once): both
results are the same, and the first to take the name stays.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pycolor.errors import FilmError
from pycolor.system.process_tag import is_gone, is_left_behind, process_tag

SECONDS_UNTIL_DEAD = 300.0
_RENEWALS = 5  # in that time
_LOOKS = 100  # of who waits, in that time


class Claims:
    """The claims of one worker.

    Args:
        folder: that the workers share; is made.
        seconds: after which a claim that was not renewed is a dead worker's (default: 300).
    """

    def __init__(self, folder: Path, seconds: float | None = None) -> None:
        self.folder = folder
        self.seconds = SECONDS_UNTIL_DEAD if seconds is None else seconds
        self.worker = f"{process_tag()} {uuid.uuid4().hex[:8]} on {socket.gethostname()}"
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def claimed(self, name: str, *, stay: bool = False) -> Iterator[bool]:
        """Whether this worker has the claim of that name; while it lasts, it is renewed.

        Args:
            name: of what is claimed.
            stay: where another has the claim, wait until that one is seen at work, or dead.
        """
        if not self._take(name) and not (stay and self._outlives(name)):
            yield False
            return
        ended = threading.Event()
        renewing = threading.Thread(
            target=self._renew, args=(name, ended), name="claim", daemon=True
        )
        renewing.start()
        try:
            yield True
        finally:
            ended.set()
            renewing.join()
            self._give_up(name)

    def pause(self) -> None:
        """Wait a little before the next look at what others do."""
        time.sleep(max(0.01, self.seconds / _LOOKS))

    def forget(self, names: Iterable[str]) -> None:
        """Remove the claims on what is done, and what killed workers left in the folder."""
        with suppress(OSError):
            for name in names:
                self._path(name).unlink(missing_ok=True)
            for aside in self.folder.glob(".*.claim-*"):
                aside.unlink(missing_ok=True)
            for clock in self.folder.glob(".clock-*"):
                if is_left_behind(clock, clock.read_text(encoding="utf-8", errors="replace")):
                    clock.unlink(missing_ok=True)

    def _outlives(self, name: str) -> bool:
        """Whether who has a claim is found dead before it is seen to be renewed."""
        before = self._renewed(name)
        while True:
            self.pause()
            if self._take(name):
                return True
            now = self._renewed(name)
            if before is not None and now is not None and now != before:
                return False
            before = before or now

    def _renewed(self, name: str) -> int | None:
        """When a claim was, in nanoseconds; None if there is none."""
        try:
            return self._path(name).stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.claim"

    def _take(self, name: str) -> bool:
        path = self._path(name)
        with self._told():
            if self._create(path):
                return True
            if not self._is_dead(path):
                return False
            # Of two who rename the same file one succeeds.
            aside = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
            try:
                os.rename(path, aside)
            except FileNotFoundError:
                return False
            aside.unlink(missing_ok=True)
            return self._create(path)

    def _create(self, path: Path) -> bool:
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            return False
        except PermissionError as e:
            # SFTP has no word for a name that is taken; sshfs makes this of it.
            if e.errno == errno.EPERM and os.path.lexists(path):
                return False
            raise
        with os.fdopen(file, "w", encoding="utf-8") as f:
            f.write(self.worker)
        return True

    def _is_dead(self, path: Path) -> bool:
        clock = self.folder / f".clock-{uuid.uuid4().hex}"
        try:
            if is_gone(path.read_text(encoding="utf-8")):
                return True
            clock.write_text(self.worker, encoding="utf-8")
            return clock.stat().st_mtime - path.stat().st_mtime > self.seconds
        except FileNotFoundError:
            return False  # it was given up since: the next round takes it
        finally:
            clock.unlink(missing_ok=True)

    def _renew(self, name: str, ended: threading.Event) -> None:
        while not ended.wait(self.seconds / _RENEWALS):
            with suppress(OSError):
                if self._is_mine(name):
                    with self._path(name).open("r+b") as f:  # at no time without its content
                        f.write(self.worker.encode())

    def _is_mine(self, name: str) -> bool:
        return self._path(name).read_text(encoding="utf-8") == self.worker

    def _give_up(self, name: str) -> None:
        with suppress(OSError):
            if self._is_mine(name):
                self._path(name).unlink()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            raise FilmError(f"{self.folder} could not be written: {e.strerror}.") from None
