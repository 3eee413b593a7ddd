"""YUV4MPEG2 to a file or a pipe, with the pixel aspect that FFmpeg's muxer is not told."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from pycolor.errors import UsageError
from pycolor.video.io.containers.presets import PIPE

# H.273's code plus one of what a header calls the siting of 4:2:0.
_SITINGS = {b"C420mpeg2": 1, b"C420jpeg": 2, b"C420paldv": 3}

_LONGEST_HEADER = 4096


def siting_of_header(file: BinaryIO) -> int:
    """FFmpeg's code of the chroma siting that a y4m's first line tells; 0 if none."""
    words = file.readline().split()
    return next((_SITINGS[word] for word in words if word in _SITINGS), 0)


def without_rate(path: Path) -> bool:
    """Is it a y4m whose header tells no rate, as `vspipe` writes for a clip that has none?"""
    with path.open("rb") as file:
        words = file.readline(_LONGEST_HEADER).split()
    if not words or words[0] != b"YUV4MPEG2":
        return False
    rates = [word for word in words if word.startswith(b"F")]
    return not rates or rates[0].startswith(b"F0:") or rates[0].endswith(b":0")


class RatedY4m:
    """A y4m file for PyAV to read, with a rate in its header.

    Args:
        path: of a file for which `without_rate` is true.
        rate: frames a second.

    Attributes:
        growth: bytes that the header is longer than the file's own.
    """

    def __init__(self, path: Path, rate: Fraction) -> None:
        self._file: BinaryIO = path.open("rb")
        own = self._file.readline(_LONGEST_HEADER)
        words = [word for word in own.split() if not word.startswith(b"F")]
        words.append(f"F{rate.numerator}:{rate.denominator}".encode())
        self._header = b" ".join(words) + b"\n"
        self.growth = len(self._header) - len(own)
        self._at = 0

    def read(self, size: int) -> bytes:
        data = self._header[self._at : self._at + size]
        if len(data) < size:
            self._file.seek(self._at + len(data) - self.growth)
            data += self._file.read(size - len(data))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        begin = (0, self._at, self._file.seek(0, 2) + self.growth)[whence]
        self._at = begin + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def __del__(self) -> None:
        self._file.close()


class Y4mFile:
    """A file for PyAV to write to; it puts the pixel aspect into the first line."""

    def __init__(self, path: Path, pixel_aspect: Fraction | None) -> None:
        self._aspect = pixel_aspect
        self._piped = str(path) == PIPE
        if self._piped and sys.stdout.isatty():
            raise UsageError("a film is not for a terminal; pipe it into a program or a file.")
        self._file: BinaryIO = sys.stdout.buffer if self._piped else path.open("wb")
        self._header: bytes | None = None

    def write(self, data: bytes) -> int:
        if self._header is None:  # held back until a frame follows: a refused film says nothing
            self._header = bytes(data)
            return len(data)
        if self._header:
            self._file.write(self._with_aspect(self._header))
            self._header = b""
        self._file.write(data)
        return len(data)

    def _with_aspect(self, data: bytes) -> bytes:
        if not self._aspect:
            return data
        line, end, rest = data.partition(b"\n")
        aspect = f" A{self._aspect.numerator}:{self._aspect.denominator}"
        return line.replace(b" A0:0", aspect.encode()) + end + rest

    def close(self) -> None:
        if self._piped:
            self._file.flush()
        else:
            self._file.close()
