"""Breaks films on purpose, and puts each through: for `test_video_damaged`, in a process apart.

FFmpeg's decoders are given what no encoder writes; if one of them falls, only this process does.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from pycolor.errors import FilmError
from pycolor.system.atomic_file import atomic_write
from pycolor.video.io import Reader, Writer
from pycolor.video.verify import verify

KINDS = ("flip", "flips", "zeros", "noise", "head", "tail", "cut", "double", "splice", "swap")


def damaged(data: bytes, kind: str, seed: int, other: bytes) -> bytes:
    """A copy of a film, broken.

    Args:
        data: of the film.
        kind: flip (1 bit), flips (1 of 2000 bytes), zeros (a sector), noise (a run of bytes), head
            (the end is missing), tail (the beginning is), cut (a run is missing), double (a run
            comes twice), splice (a run of another film is put in), swap (two runs change places).
        seed: where.
        other: another film, of any kind.
    """
    random = np.random.default_rng(seed)
    broken = bytearray(data)
    size = len(data)
    # Half of them behind the header, where packets are.
    first = int(random.integers(0, size // 2)) + (size // 3 if seed % 2 else 0)
    run = int(random.integers(20, max(21, size // 12)))
    if kind == "flip":
        broken[first] ^= 1 << int(random.integers(8))
    elif kind == "flips":
        for place in random.integers(0, size, max(2, size // 2000)):
            broken[place] ^= 1 << int(random.integers(8))
    elif kind == "zeros":
        broken[first : first + 512] = bytes(len(broken[first : first + 512]))
    elif kind == "noise":
        broken[first : first + run] = random.bytes(len(broken[first : first + run]))
    elif kind == "head":
        del broken[max(16, first) :]
    elif kind == "tail":
        del broken[:run]
    elif kind == "cut":
        del broken[first : first + run]
    elif kind == "double":
        broken[first:first] = broken[first : first + run]
    elif kind == "splice":
        begin = int(random.integers(0, max(1, len(other) - run)))
        broken[first:first] = other[begin : begin + run]
    elif kind == "swap":
        middle, end = first + run, first + 2 * run
        broken[first:end] = broken[middle:end] + broken[first:middle]
    else:
        raise ValueError(kind)
    return bytes(broken)


def put_through(source: Path, result: Path) -> dict[str, Any]:
    """What became of one film: verified, or refused with a sentence."""
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    began = time.monotonic()
    told: dict[str, Any] = {"film": source.name, "result": "verified", "said": []}
    try:
        with (
            atomic_write(result, sources=[source]) as part,
            Reader(source) as reader,
            Writer(part, reader, name=result) as writer,
        ):
            for frame in reader:
                writer.write(writer.picture(frame))
        told["said"] = [*reader.info.warnings, *map(str, reader.damages), *map(str, writer.damages)]
        told["frames"] = writer.written
        report = verify(source, result)
        told["differs"] = [f"{c.name}: {c.detail}" for c in report.checks if c.state == "differs"]
        result.unlink()
    except FilmError as error:
        told |= {"result": "refused", "sentence": str(error)}
    told["seconds"] = time.monotonic() - began
    told["unchanged"] = hashlib.sha256(source.read_bytes()).hexdigest() == before
    told["left"] = sorted(p.name for p in result.parent.glob(f".{result.stem}*"))
    return told


def main(folder: Path) -> None:
    """Put every film of a folder through; a line before each and one after, for who watches."""
    for source in sorted(folder.iterdir()):
        print(json.dumps({"begins": source.name}), flush=True)
        told = put_through(source, folder.parent / f"{source.name}.out.mkv")
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
