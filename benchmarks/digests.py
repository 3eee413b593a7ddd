"""Does a change of the code leave every output as it was?

python -m benchmarks.digests OLD NEW [--keep DIR]

Colors a set of small films with two trees of pycolor (folders that hold `pycolor/`, built), and
compares what comes out: every packet with its times, and every decoded plane.  Containers' own
metadata may differ: they name the version.  Exits with 1 where anything else does.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np

from tests.films import make_film

Maker = Callable[[Path], Path]

SOURCES: dict[str, dict[str, Any]] = {
    "gray8.mkv": {"pixel_format": "gray", "frames": 30},
    "yuv420.mkv": {"frames": 30, "sound": ("pcm_s16le",), "chapters": True},
    "yuv422p10.mkv": {"pixel_format": "yuv422p10le", "frames": 20},
    "yuv444p16.mkv": {"pixel_format": "yuv444p16le", "frames": 20},
    "gray16.mkv": {"pixel_format": "gray16le", "frames": 20},
    "vfr.mkv": {"times": [0, 40, 83, 125, 167, 300, 341, 383, 425, 467], "rate": 1000},
    "interlaced.mkv": {"fields": "tff", "field_order": 3, "frames": 20, "height": 96},
    "full.mkv": {"color_range": 2, "frames": 20},
    "anamorphic.mkv": {"width": 90, "pixel_aspect": 2, "frames": 20},
    "rotated.mov": {"codec": "libx264", "rotation": 90, "frames": 20},
    "odd.mkv": {"width": 65, "height": 49, "frames": 20, "pixel_format": "yuv444p"},
    "wide.mkv": {"width": 256, "height": 128, "frames": 20},
    "long.mkv": {"frames": 120},
}

# name → source, ending, options.
CASES: dict[str, tuple[str, str, list[str]]] = {
    "archive, gray 8 bits": ("gray8.mkv", ".mkv", []),
    "archive, 4:2:0, sound, chapters": ("yuv420.mkv", ".mkv", []),
    "archive, 4:2:2, 10 bits": ("yuv422p10.mkv", ".mkv", []),
    "archive, 4:4:4, 16 bits": ("yuv444p16.mkv", ".mkv", []),
    "archive, gray 16 bits": ("gray16.mkv", ".mkv", []),
    "archive, variable rate": ("vfr.mkv", ".mkv", []),
    "archive, interlaced": ("interlaced.mkv", ".mkv", []),
    "archive, full range": ("full.mkv", ".mkv", []),
    "archive, anamorphic": ("anamorphic.mkv", ".mkv", []),
    "archive, rotated": ("rotated.mov", ".mkv", []),
    "archive, odd size": ("odd.mkv", ".mkv", []),
    "archive, many segments": ("long.mkv", ".mkv", ["--segment-frames", "16"]),
    "archive, resumed": ("long.mkv", ".mkv", ["--segment-frames", "8"]),
    "archive, a range": ("long.mkv", ".mkv", ["--frames", "20:70"]),
    "archive, each frame by itself": ("yuv420.mkv", ".mkv", ["--steady", "off"]),
    "archive, best": ("yuv420.mkv", ".mkv", ["--steady", "best"]),
    "archive, varga2017": ("yuv420.mkv", ".mkv", ["--model", "varga2017"]),
    "archive, iizuka2016": ("yuv420.mkv", ".mkv", ["--model", "iizuka2016"]),
    "h264 in mkv": ("yuv420.mkv", ".mkv", ["--preset", "h264"]),
    "h264, lossless": ("yuv420.mkv", ".mkv", ["--preset", "lossless-h264"]),
    "prores": ("yuv422p10.mkv", ".mov", ["--preset", "prores"]),
    "prores 4444": ("yuv444p16.mkv", ".mov", ["--preset", "prores4444"]),
    "dnxhr": ("wide.mkv", ".mxf", []),
    "v210": ("yuv422p10.mkv", ".mov", ["--preset", "v210"]),
    "access (VP9)": ("yuv420.mkv", ".webm", []),
    "y4m": ("yuv420.mkv", ".y4m", []),
    "png": ("yuv420.mkv", "_%04d.png", []),
    "tiff, 16 bits": ("gray16.mkv", "_%04d.tif", []),
}


def run(tree: Path, arguments: list[str], *, kill_when: Path | None = None) -> None:
    """One command of a tree; killed once `kill_when` holds three segments, then run again."""
    command = [sys.executable, "-m", "pycolor", *arguments, "--progress", "none", "--overwrite"]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    if kill_when is not None:
        child = subprocess.Popen(command, env=environment, cwd=tree, stderr=subprocess.DEVNULL)
        while child.poll() is None and len(list(kill_when.glob("segment-*.mkv"))) < 3:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
    subprocess.run(command, env=environment, cwd=tree, check=True, capture_output=True)


def digest(path: Path) -> str:
    """Of every packet with its times, and every decoded plane; of pictures, of all of them."""
    if "%" in path.name:
        names = sorted(path.parent.glob(path.name.replace("%04d", "*")))
        return " ".join([str(len(names)), *(digest(p) for p in names)])
    found = hashlib.sha256()
    with av.open(str(path)) as container:
        for packet in container.demux():
            times = (packet.stream.index, packet.pts, packet.dts, packet.duration)
            found.update(f"{times} {packet.time_base}".encode() + bytes(packet))
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            found.update(f"{frame.pts} {frame.format.name} {frame.interlaced_frame}".encode())
            for plane in frame.planes:
                rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, -1)
                found.update(rows[:, : plane.width].tobytes())
    return found.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    chosen = parser.parse_args()
    differ = 0
    with TemporaryDirectory() as folder:
        work = Path(folder)
        for name, (source, ending, options) in CASES.items():
            if chosen.only not in name:
                continue
            film = work / source
            if not film.exists():
                make_film(film, **SOURCES[source])
            digests = []
            for which, tree in (("old", chosen.old), ("new", chosen.new)):
                out = work / f"{which}{ending}"
                killed = work / f".{out.name}.pycolor" if "resumed" in name else None
                run(tree.resolve(), ["video", str(film), str(out), *options], kill_when=killed)
                digests.append(digest(out))
                for old in work.glob(f"{which}*"):
                    old.unlink()
            same = digests[0] == digests[1]
            differ += not same
            short = hashlib.sha256(digests[1].encode()).hexdigest()[:16]
            print(f"{name}: {'equal' if same else 'DIFFERS'} {short}", flush=True)
    print(f"{differ} differ")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
