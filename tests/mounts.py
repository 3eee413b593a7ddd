"""Mounts of a folder as networks make them: locks that hold on one mount alone, or none at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Locks of all kinds fail as on NFS without its lock service.
_NO_LOCKS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
int flock(int file, int how) { errno = ENOLCK; return -1; }
static int asked(const char *name, int file, int command, void *given) {
  int (*real)(int, int, ...) = dlsym(RTLD_NEXT, name);
  switch (command) {
    case F_SETLK: case F_SETLKW: case F_OFD_SETLK: case F_OFD_SETLKW: errno = ENOLCK; return -1;
  }
  return real(file, command, given);
}
int fcntl(int file, int command, ...) {
  va_list more; va_start(more, command); void *given = va_arg(more, void *); va_end(more);
  return asked("fcntl", file, command, given);
}
int fcntl64(int file, int command, ...) {
  va_list more; va_start(more, command); void *given = va_arg(more, void *); va_end(more);
  return asked("fcntl64", file, command, given);
}
"""

# One mount each: FUSE keeps the locks of a program that does not ask for them in the kernel, for
# each mount; bindfs hands them on where it is told to; sshfs asks for none, caches what a folder
# holds, and tells times in whole seconds.
KINDS = ("bindfs", "bindfs without locks", "sshfs")
_SFTP = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
)


class CannotMount(Exception):  # noqa: N818  (no error)
    """Why there is no such mount here."""


def no_locks_library(folder: Path) -> Path:
    """A library that makes locks fail in a process that loads it first (`LD_PRELOAD`).

    Raises:
        CannotMount: it cannot be made here.
    """
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        raise CannotMount("needs Linux and a C compiler, to make locks fail")
    (folder / "no_locks.c").write_text(_NO_LOCKS)
    library = folder / "no_locks.so"
    words = [compiler, "-shared", "-fPIC", str(folder / "no_locks.c"), "-o", str(library), "-ldl"]
    subprocess.run(words, check=True)
    return library


@contextmanager
def mounts(kind: str, folder: Path, *, count: int = 2) -> Iterator[list[Path]]:
    """Several mounts of a new folder, each with a server of its own.

    Args:
        kind: one of `KINDS`.
        folder: new; holds the folder that is mounted, and the places.
        count: of mounts.

    Raises:
        CannotMount: there is no FUSE, or no such program, or it may not mount.
    """
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise CannotMount("there is no /dev/fuse, or it may not be opened")
    program = shutil.which(kind.partition(" ")[0])
    if program is None or shutil.which("fusermount3") is None:
        raise CannotMount(f"{kind.partition(' ')[0]} is not installed")
    shared = folder / "shared"
    shared.mkdir(parents=True)
    environment, words = dict(os.environ), [program, "-f", str(shared)]
    if kind == "sshfs":
        words = [program, "-f", "-o", f"ssh_command={_ssh(folder)}", f"here:{shared}"]
    elif kind == "bindfs without locks":
        environment["LD_PRELOAD"] = str(no_locks_library(folder))
        words[2:2] = ["--enable-lock-forwarding", "--multithreaded"]
    with ExitStack() as stack:
        places = [folder / f"mount-{n}" for n in range(count)]
        for place in places:
            stack.enter_context(_mounted([*words, str(place)], place, environment))
        yield places


def _ssh(folder: Path) -> Path:
    """What sshfs takes for ssh: it talks with a server on this machine."""
    server = next((path for path in _SFTP if Path(path).exists()), None)
    if server is None:
        raise CannotMount("openssh-sftp-server is not installed")
    script = folder / "ssh"
    script.write_text(f"#!/bin/sh\nexec {server}\n")
    script.chmod(0o755)
    return script


@contextmanager
def _mounted(words: Sequence[str], place: Path, environment: dict[str, str]) -> Iterator[None]:
    place.mkdir()
    said = place.with_suffix(".log")
    with said.open("wb") as log:
        server = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 20
        while not os.path.ismount(place):
            if server.poll() is not None or time.monotonic() > end:
                raise CannotMount(f"{Path(words[0]).name} cannot mount: {said.read_text().strip()}")
            time.sleep(0.02)
        yield
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(place)], capture_output=True)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
