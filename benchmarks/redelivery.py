"""What a re-delivery makes anew, on a made film of 3 minutes and 40 shots.

    python -m benchmarks.redelivery [--frames-a-shot 108] [--kills 20] [--out FILE.json]

Colored once by its plan; then one shot's saturation and one shot's still change; then other
deliveries from the same color; a master; and a re-delivery that is killed again and again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.film_plan import edit
from pycolor.video.io import Reader
from pycolor.video.job.decisions.plan_file import read_plan_file, save_plan_file
from pycolor.video.job.decisions.project import project_of
from pycolor.video.job.decisions.start_plan import start_plan
from pycolor.video.job.distribute import segment as segments_made
from pycolor.video.job.film import color_film
from pycolor.video.job.masters.apply_master import apply_master
from pycolor.video.job.masters.make_master import write_master

SHOTS, HEIGHT, WIDTH, RATE = 40, 120, 160, 24
SATURATED, STILL = 7, 20  # the shots that change
PREDICT = PredictOptions(short_side=64, device="cpu")
COMMAND = ("--short-side", "64", "--device", "cpu", "--quiet", "--overwrite")


def make_film(path: Path, frames_a_shot: int) -> Path:
    """A film of pans over textures, one a shot, in FFV1."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=RATE, width=WIDTH, height=HEIGHT)
        stream.pix_fmt = "gray"
        for shot in range(SHOTS):
            texture = _texture(np.random.default_rng(shot))
            for n in range(frames_a_shot):
                x = n * (texture.shape[1] - WIDTH) // frames_a_shot
                shown = np.ascontiguousarray(texture[:HEIGHT, x : x + WIDTH])
                for packet in stream.encode(av.VideoFrame.from_ndarray(shown, "gray")):
                    container.mux(packet)
        container.mux(stream.encode(None))
    return path


def _texture(generator: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint8]]:
    found = np.zeros((HEIGHT, 2 * WIDTH))
    for cell in (4, 12, 40):
        shape = (-(-HEIGHT // cell), -(-2 * WIDTH // cell))
        coarse = generator.uniform(0, 1, shape).repeat(cell, 0).repeat(cell, 1)
        found += cell * coarse[:HEIGHT, : 2 * WIDTH]
    scaled = 20 + 215 * (found - found.min()) / np.ptp(found)
    return np.asarray(scaled + generator.normal(0, 2, found.shape)).clip(0, 255).astype(np.uint8)


class Counted:
    """Frames through the network and segments encoded since it was asked last."""

    def __init__(self) -> None:
        self.frames = self.segments = 0

    def since(self) -> dict[str, int]:
        found = {"network_frames": self.frames, "segments": self.segments}
        self.frames = self.segments = 0
        return found


@contextmanager
def counting() -> Iterator[Counted]:
    """Counts what runs in this process meanwhile."""
    counted = Counted()
    field, opened = Predictor.field, segments_made._SegmentEncoder._open

    def predicted(predictor: Predictor, lightness: Any, *args: Any, **named: Any) -> Any:
        counted.frames += len(lightness)
        return field(predictor, lightness, *args, **named)

    def opening(encoder: Any, job: Any) -> Any:
        counted.segments += 1
        return opened(encoder, job)

    Predictor.field = predicted  # type: ignore[method-assign, assignment]
    segments_made._SegmentEncoder._open = opening  # type: ignore[method-assign, assignment]
    try:
        yield counted
    finally:
        Predictor.field = field  # type: ignore[method-assign]
        segments_made._SegmentEncoder._open = opened  # type: ignore[method-assign]


def packets(film: Path) -> list[str]:
    """Digest of each packet of the picture."""
    with av.open(str(film)) as container:
        found = container.demux(container.streams.video[0])
        return [hashlib.sha256(bytes(p)).hexdigest() for p in found if p.size]


def pictures(film: Path) -> list[str]:
    """Digest of each decoded frame."""
    with Reader(film) as reader:
        return [hashlib.sha256(frame.native.to_ndarray().tobytes()).hexdigest() for frame in reader]


class Redelivery:
    """The film on its way; each step prints and keeps what it found."""

    def __init__(self, folder: Path, frames_a_shot: int) -> None:
        self.folder, self.length = folder, frames_a_shot
        self.film = make_film(folder / "reel.mkv", frames_a_shot)
        self.plan = project_of(self.film) / "plan.json"
        cuts = folder / "cuts.csv"
        cuts.write_text("\n".join(str(n * frames_a_shot + 1) for n in range(SHOTS)))
        start_plan(self.film, self.plan, shots=cuts)
        self.found: dict[str, Any] = {"frames": SHOTS * frames_a_shot, "shots": SHOTS}

    def color(self, name: str, counted: Counted, **changes: Any) -> dict[str, Any]:
        """Color into a file; seconds, network, segments."""
        counted.since()
        options = VideoOptions(plan=self.plan, predict=PREDICT, overwrite=True)
        began = time.perf_counter()
        color_film(self.film, self.folder / name, replace(options, **changes))
        return {"seconds": round(time.perf_counter() - began, 2), **counted.since()}

    def change(self, shot: int, **values: Any) -> None:
        file = read_plan_file(self.plan)
        save_plan_file(self.plan, edit.set_shot(file.plan, shot, **values))

    def note(self, name: str, value: Any) -> None:
        self.found[name] = value
        print(f"{name}: {value}", flush=True)

    def change_two_shots(self, counted: Counted) -> None:
        """One shot's saturation and one shot's still."""
        out = self.folder / "out.mkv"
        self.note("first run", self.color("out.mkv", counted))
        before = packets(out)
        self.note("the same again", self.color("out.mkv", counted))
        self.change(SATURATED, saturation=1.6)
        middle = STILL * self.length + self.length // 2
        with Reader(self.film, frames=(middle, middle + 1)) as reader:
            gray = next(iter(reader)).luma
        still = self.plan.parent / "still.png"
        Image.fromarray(np.stack([gray, gray // 2, gray // 3], 2)).save(still)
        entry = {"kind": "still", "frame": middle, "path": still.name}
        self.change(STILL, guidance=(entry,))
        self.note("two shots changed", self.color("out.mkv", counted))
        after = packets(out)
        differ = {n // self.length for n, pair in enumerate(zip(before, after, strict=True))
                  if pair[0] != pair[1]}  # fmt: skip
        self.note("shots whose packets differ", sorted(differ))
        assert differ == {SATURATED, STILL}

    def deliver_otherwise(self, counted: Counted) -> None:
        """ProRes, FFV1 in other segments, MP4, a master and back: no network."""
        self.note("ProRes", self.color("out.mov", counted, preset="prores"))
        self.note("MP4", self.color("out.mp4", counted))
        self.note("other segments", self.color("again.mkv", counted, segment_frames=50))
        equal = pictures(self.folder / "again.mkv") == pictures(self.folder / "out.mkv")
        self.note("frames of the lossless ones equal", equal)
        counted.since()
        master, back = self.folder / "color.mkv", self.folder / "back.mkv"
        options = VideoOptions(plan=self.plan, predict=PREDICT)
        began = time.perf_counter()
        write_master(self.film, master, read_plan_file(self.plan), options)
        self.note("master", {"seconds": round(time.perf_counter() - began, 2), **counted.since(),
                             "megabytes": round(master.stat().st_size / 1e6, 1)})  # fmt: skip
        apply_master(master, self.film, back, VideoOptions())
        equal = pictures(back) == pictures(self.folder / "out.mkv")
        self.note("frames of the master applied equal", equal)
        layer = sum(p.stat().st_size for p in (self.plan.parent / "layer").iterdir())
        self.note("bytes of color a frame", round(layer / self.found["frames"]))

    def kill(self, kills: int) -> None:
        """A re-delivery in which all shots change, killed at random moments."""
        for shot in range(SHOTS):
            self.change(shot, warmth=0.3)
        words = [sys.executable, "-m", "pycolor", "video", str(self.film)]
        told = [*COMMAND, "--plan"]
        whole = self.folder / "whole"
        shutil.copytree(self.plan.parent, whole / "reel.mkv.pycolor")
        began = time.perf_counter()
        command = [*words, str(whole / "out.mkv"), *told, str(whole / "reel.mkv.pycolor/plan.json")]
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - began
        draw, done = random.Random(0), 0
        command = [*words, str(self.folder / "killed.mkv"), *told, str(self.plan)]
        while done < kills:
            process = subprocess.Popen(command)
            try:
                process.wait(draw.uniform(0.3, 1.0) * seconds)
                (self.folder / "killed.mkv").unlink(missing_ok=True)  # it was through: once more
                shutil.rmtree(self.plan.parent / "segments")
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                done += 1
        subprocess.run(command, check=True)
        files = (self.folder / "killed.mkv", whole / "out.mkv")
        equal = files[0].read_bytes() == files[1].read_bytes()
        self.note(f"bytes after {kills} kills equal", equal)


def main() -> None:
    """Run it, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames-a-shot", type=int, default=108)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, counting() as counted:
        run = Redelivery(Path(folder), options.frames_a_shot)
        steps: list[Callable[[], None]] = [
            lambda: run.change_two_shots(counted),
            lambda: run.deliver_otherwise(counted),
            lambda: run.kill(options.kills),
        ]
        for step in steps:
            step()
        if options.out is not None:
            options.out.write_text(json.dumps(run.found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
