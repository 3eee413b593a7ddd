"""Three hundred damaged films and pictures, and runs killed at random: what becomes of each.

    python -m benchmarks.damage [--inputs 300] [--kills 20] [--json damage.json]

Thirty small films and pictures of many containers and codecs are each broken in the ten ways of
`tests.damage`, with fixed seeds, and put through `pycolor video` or `pycolor image`.  Right is: the
program ends with 0 or with 1 and one sentence, within `SECONDS` and `MEGABYTES`; the input is as it
was; nothing lies in the folder but the output and its record; and an output that holds fewer frames
than the whole film comes with a note.

A run that is killed (SIGKILL) at a random moment and given again must end in the same bytes as one
that was not.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import tyro

from benchmarks.damage_inputs import FRAMES, INPUTS, OPEN_ENDED, make_input
from tests.damage import KINDS, damaged

ROOT = Path(__file__).parents[1]
SECONDS = 60.0  # of the processor, for one input; a few are what it takes
MEGABYTES = 400.0  # above what the program has once it has loaded its model
QUICK = ["--short-side", "16", "--progress", "none", "--device", "cpu"]
# What is said of whole films, too.
_ASSUMED = ("no matrix is stored", "no range is stored", "its pictures are of different size")


@dataclass(frozen=True, kw_only=True)
class Damage:
    """Break, kill and count.

    Attributes:
        inputs: how many damaged inputs, 10 of each of the 30 kinds of file.
        kills: how many runs are killed.
        json: file to write what became of each.
        seed: of the moments of the kills.
    """

    inputs: int = 300
    kills: int = 20
    json: Path | None = None
    seed: int = 2026


class Worker:
    """A process that runs commands of pycolor, one after the other, until one of them fells it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, arguments: list[str]) -> dict[str, Any]:
        """Exit code, what was said, seconds, megabytes; a code below 0 where the process fell."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.damage", "--worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=ROOT,
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
        watch = threading.Timer(5 * SECONDS, process.kill)
        watch.start()
        line = process.stdout.readline()
        watch.cancel()
        if not line:
            return {"code": process.wait() or -1, "said": "", "seconds": 0.0, "megabytes": 0.0}
        told: dict[str, Any] = json.loads(line)
        return told

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()


def serve() -> None:
    """Be a worker: a command a line on stdin, what became of it a line on stdout."""
    from pycolor.cli import main

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what FFmpeg's encoders print by themselves
    for line in sys.stdin:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        before, began = _peak(), time.process_time()
        said = StringIO()
        with redirect_stderr(said), redirect_stdout(said):
            try:
                code: int | str | None = main(json.loads(line))
            except SystemExit as e:
                code = e.code
        told = {
            "code": code,
            "said": said.getvalue(),
            "seconds": time.process_time() - began,
            "megabytes": _peak() - before,
        }
        print(json.dumps(told), file=answers, flush=True)


def _peak() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def digest(path: Path) -> str:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()


def broken_inputs(folder: Path, count: int) -> Iterator[tuple[str, Path]]:
    """Names (`kind name`) and paths of damaged inputs; of a folder of pictures one is damaged."""
    whole = [make_input(folder / "whole", name) for name in INPUTS]
    for number in range(count):
        k, n = number % len(KINDS), number // len(KINDS) % len(INPUTS)
        source, other = whole[n], whole[n - 1]
        hurt = source
        donor = min(other.iterdir()) if other.is_dir() else other
        target = folder / "broken" / f"{KINDS[k]}-{source.name}"
        if source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            for picture in source.iterdir():
                (target / picture.name).write_bytes(picture.read_bytes())
            hurt = sorted(source.iterdir())[len(list(source.iterdir())) // 2]
        target.parent.mkdir(exist_ok=True)
        place = target / hurt.name if source.is_dir() else target
        place.write_bytes(damaged(hurt.read_bytes(), KINDS[k], 1000 + number, donor.read_bytes()))
        yield f"{KINDS[k]} {source.name}", target


def judged(name: str, source: Path, told: dict[str, Any], before: str, result: Path) -> list[str]:
    """What is wrong with the way a run ended; nothing, as a rule."""
    faults = []
    said = [line for line in told["said"].splitlines() if line.strip()]
    errors = [line for line in said if line.startswith("pycolor: ")]
    if told["code"] not in (0, 1):
        faults.append(f"exit code {told['code']}")
    if told["code"] == 1 and (len(errors) != 1 or "unexpected" in errors[0]):
        faults.append("not one sentence")
    if "Traceback" in told["said"]:
        faults.append("a traceback")
    if told["seconds"] > SECONDS:
        faults.append(f"{told['seconds']:.0f} s")
    if told["megabytes"] > MEGABYTES:
        faults.append(f"{told['megabytes']:.0f} MB")
    if digest(source) != before:
        faults.append("the input changed")
    known = {result.name, f"{result.stem}.json"} if told["code"] == 0 else set()
    left = {p.name for p in result.parent.iterdir()} - known
    if left:
        faults.append(f"left behind: {', '.join(sorted(left))}")
    if told["code"] == 0 and not result.exists():
        faults.append("no output")
    elif told["code"] == 0 and result.suffix == ".mkv":
        notes = [n for n in said if n.startswith("note") and not any(a in n for a in _ASSUMED)]
        open_ended = source.suffix in OPEN_ENDED and name.startswith(("head", "tail"))
        if frames_of(result) < FRAMES and not notes and not open_ended:
            faults.append(f"{frames_of(result)} frames, and not a word")
    return faults


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


def break_all(count: int) -> list[dict[str, Any]]:
    """Damage `count` inputs, put each through, and tell of each."""
    worker, found = Worker(), []
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "whole").mkdir()
        warm = make_input(folder / "whole", next(iter(INPUTS)))
        worker.run(["video", str(warm), str(folder / "warm.mkv"), *QUICK])
        for what, source in broken_inputs(folder, count):
            before = digest(source)
            out = folder / "out"
            out.mkdir()
            is_picture = source.suffix in (".png", ".jpg", ".tif", ".dpx", ".exr", ".bmp", ".webp")
            if is_picture:
                result = out / "out.png"
                told = worker.run(["image", str(source), str(result), "--short-side", "16"])
            else:
                result = out / "out.mkv"
                told = worker.run(["video", str(source), str(result), *QUICK])
            told["faults"] = judged(what, source, told, before, result)
            found.append({"input": what, **told})
            for fault in told["faults"]:
                print(f"{what}: {fault}\n  {told['said'][-300:]}", flush=True)
            _clear(out)
    worker.close()
    return found


def _clear(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def kill_all(count: int, seed: int) -> list[dict[str, Any]]:
    """Kill `count` runs at random moments, give the command again, and compare."""
    moments, found = random.Random(seed), []
    with TemporaryDirectory() as name:
        folder = Path(name)
        film = make_input(folder, "h264.mkv")
        start = [sys.executable, "-m", "pycolor", "video", str(film)]
        options = [*QUICK, "--segment-frames", "3", "--batch", "1"]
        began = time.monotonic()
        first = [*start, str(folder / "whole.mkv"), *options]
        subprocess.run(first, check=True, capture_output=True)
        length = time.monotonic() - began
        expected = digest(folder / "whole.mkv")
        for number in range(count):
            result = folder / f"out{number}.mkv"
            after = moments.uniform(0.3, 1.0) * length
            command = [*start, str(result), *options]
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            try:
                process.wait(after)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            finished = result.exists()
            if not finished:
                subprocess.run(command, capture_output=True, check=False)
            told = {"after": round(after, 2), "killed": process.returncode == -9}
            told |= {"finished": finished, "same": result.exists() and digest(result) == expected}
            told["left"] = sorted(p.name for p in folder.glob(f".out{number}*"))
            found.append(told)
            print(json.dumps(told), flush=True)
    return found


def main(options: Damage) -> None:
    broken = break_all(options.inputs)
    codes = Counter(told["code"] for told in broken)
    faulty = [told for told in broken if told["faults"]]
    print(f"{len(broken)} damaged inputs: {codes[0]} colored, {codes[1]} refused in a sentence")
    print(f"  {len(faulty)} wrong")
    if broken:
        seconds, megabytes = ([told[k] for told in broken] for k in ("seconds", "megabytes"))
        print(f"  at most {max(seconds):.1f} s (median {np.median(seconds):.1f} s)")
        print(f"  at most {max(megabytes):.0f} MB above the model")
    killed = kill_all(options.kills, options.seed)
    same = sum(k["same"] and not k["left"] for k in killed)
    print(
        f"{len(killed)} kills ({sum(k['killed'] for k in killed)} in time): {same} the same bytes"
    )
    if options.json is not None:
        options.json.write_text(json.dumps({"damaged": broken, "killed": killed}, indent=1) + "\n")
    raise SystemExit(int(bool(faulty) or same < len(killed)))


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        serve()
    else:
        main(tyro.cli(Damage, description=__doc__))
