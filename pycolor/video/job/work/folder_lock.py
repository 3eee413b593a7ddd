"""Entering a work folder: it is one's own, and one run at a time holds it.

By a lock of the system, which ends with the process.  On file systems that have none (Lustre as it
is often mounted, some of FUSE, NFS without its lock service) by a file that says whose it is.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO

from pycolor.errors import FilmError, UsageError
from pycolor.system.process_tag import is_gone, process_tag
from pycolor.video.job.work.own_files import is_own_folder, is_regular, open_lock

LOCK, OWNER = "lock", "lock.owner"
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class Held:
    """A folder that is held until `close`.

    Args:
        file: locked, if the file system has locks.
        owner: says who holds it where it has none.
    """

    def __init__(self, file: IO[bytes], owner: Path | None = None) -> None:
        self._file, self._owner = file, owner

    def close(self) -> None:
        """Let another run come; the second time nothing happens."""
        if self._owner is not None:
            self._owner.unlink(missing_ok=True)
            self._owner = None
        self._file.close()


def refuse_foreign(folder: Path, known: str) -> None:
    """Refuse a folder that is another user's, or holds something and is no work folder.

    Args:
        folder: which may not be there.
        known: name of the file that a work folder has: the first to come and the last to go.

    Raises:
        UsageError: it is such a folder.
    """
    try:
        if folder.is_symlink() or not stat.S_ISDIR(folder.stat().st_mode):
            ours = False
        elif not is_own_folder(folder):
            raise UsageError(
                f"{folder} is another user's, or others may write into it; remove it or choose "
                "another place with --work-dir."
            )
        elif is_regular(folder / known):
            return
        else:
            names = {p.name for p in folder.iterdir()}
            came = known in names and not (folder / known).is_symlink()
            ours = came or not names - {LOCK, OWNER, f"{known}.part"}
    except FileNotFoundError:  # a run that ends has removed it since
        return
    if not ours:
        raise UsageError(
            f"{folder} is not a work folder of pycolor; move it away or choose another with "
            "--work-dir."
        )


def lock_folder(folder: Path) -> Held:
    """A folder's lock, held; the folder is made where there is none.

    Raises:
        UsageError: the lock is a link.
        FilmError: another run holds it.
        OSError: the folder cannot be made.
    """
    while True:
        with suppress(FileExistsError):  # mkdir's own `exist_ok` fails where it is gone by then
            folder.mkdir(0o700)
        try:
            lock = open_lock(folder / LOCK)
        except FileNotFoundError:
            continue  # a run that ends has removed the folder since
        except OSError as e:
            if e.errno == errno.ELOOP:
                raise UsageError(f"{folder / LOCK} is a link; remove it.") from None
            raise
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise FilmError(f"another run is at work on this output, in {folder}.") from None
        except OSError as e:
            try:
                if e.errno in _NO_LOCKS:
                    return Held(lock, _own(folder / OWNER))
                raise
            except BaseException:
                lock.close()
                raise
        if _is_file(lock, folder / LOCK):
            return Held(lock)
        lock.close()  # of a folder that was removed since


def _own(owner: Path) -> Path:
    """A file that one process alone can create, created.

    Raises:
        FilmError: another has, which is there or on another machine.
        OSError: it cannot be made.
    """
    while True:
        try:
            with owner.open("x", encoding="ascii") as f:
                f.write(process_tag())
            return owner
        except FileExistsError:
            with suppress(FileNotFoundError):
                if not is_gone(owner.read_text(encoding="ascii", errors="replace")):
                    raise FilmError(
                        f"another run is at work on this output, in {owner.parent}; if none is, on "
                        f"no machine, remove {owner}."
                    ) from None
                owner.unlink(missing_ok=True)


def _is_file(file: IO[bytes], path: Path) -> bool:
    """Is an open file the one that has this name?"""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
