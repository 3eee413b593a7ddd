"""Workers on slices of one film, killed at random: whether the output has the bytes of one run.

    python -m benchmarks.slices [--folder DIR] [--counts 1,2,3,7,16] [--kills 20]
        [--mount bindfs|"bindfs without locks"|sshfs] [--json FILE]

For each number of slices N, workers for randomly chosen slices (often two for one) run side by side
as processes of their own and get SIGKILL after a random time of up to that of one run, until so
many were killed; then the rest end by themselves.  Whenever an output appears it is compared with
that of one run, and the film begins anew.  Half of the workers take the others for processes of
another machine, of which nothing but the renewals of their claims tells that they live.
`--no-locks` makes flock and lockf fail in the workers, as they do on file systems without a lock
service.  `--mount` makes two mounts of one folder, which do not see each other's locks or have
none, and each worker takes one of them.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a worker is a fork of this process

from pycolor.errors import PycolorError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.system import process_tag
from pycolor.video.film_plan import edit
from pycolor.video.job.decisions.plan_file import save_plan_file
from pycolor.video.job.decisions.start_plan import start_plan
from pycolor.video.job.distribute import claims
from pycolor.video.job.stages.film_slice import color_slice
from tests.films import make_film
from tests.mounts import KINDS, CannotMount, mounts

SECONDS_UNTIL_DEAD = 2.0
SIDE_BY_SIDE = 3
SECONDS_CACHED = {"sshfs": 21.0}  # for which a mount still sees what is gone; others: 1.2
FRAMES, SEGMENT_FRAMES = 40, 3
MOST_FAILED = 5  # workers; then something is wrong that more of them would not mend


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What became of a number of slices: outputs that were made, and how many differed."""

    place: str
    slices: int
    workers: int
    killed: int
    failed: int
    outputs: int
    differing: int
    left_over: int
    seconds: float


def options(folder: Path, part: str | None) -> VideoOptions:
    return VideoOptions(
        plan=folder / "in.mkv.pycolor" / "plan.json",
        segment_frames=SEGMENT_FRAMES,
        slice=part,
        predict=PredictOptions(short_side=32, dtype="float32", device="cpu"),
    )


def worker(folder: Path, part: str, *, foreign: bool, locks: bool) -> NoReturn:
    """The whole life of a forked process."""
    code = 1
    try:
        claims.SECONDS_UNTIL_DEAD = SECONDS_UNTIL_DEAD
        if foreign:
            name = uuid.uuid4().hex[:8]
            process_tag._machine = lambda: name  # type: ignore[assignment]
        if not locks:
            fcntl.flock = fcntl.lockf = _no_locks
        color_slice(folder / "in.mkv", folder / "out.mkv", options(folder, part))
        code = 0
    except PycolorError as e:
        print(f"slice {part}: {e}", file=sys.stderr)
    finally:
        os._exit(code)


def _no_locks(*_: Any) -> NoReturn:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def fork(run: Callable[[], NoReturn]) -> int:
    """A worker.  Only this program may do it: a process that has run models has threads."""
    child = os.fork()
    if child == 0:
        run()
    return child


class Film:
    """A film with a plan in a folder, the output of one run, and its seconds.

    Args:
        folders: new; where there are several, mounts of one.
        place: what they are.
    """

    def __init__(self, folders: Sequence[Path], place: str = "a folder") -> None:
        self.folders, self.place, folder = folders, place, folders[0]
        self.folder, self.target = folder, folder / "out.mkv"
        film = make_film(folder / "in.mkv", frames=FRAMES)
        path = folder / "in.mkv.pycolor" / "plan.json"
        plan = start_plan(film, path)
        for frame in (7, 12, 19, 31):
            plan = edit.split_shot(plan, frame)
        save_plan_file(path, plan)
        began = time.monotonic()
        one = fork(lambda: worker(folder, "1/1", foreign=False, locks=True))
        assert os.waitpid(one, 0)[1] == 0
        self.seconds = time.monotonic() - began
        self.whole = self.target.read_bytes()
        self.clear()

    def clear(self) -> int:
        """Begin anew; how many files of claims, or of dead workers of this machine, there were."""
        left = [*self.folder.rglob("*.claim"), *self.folder.rglob(".clock-*")]
        for name in ("segments", "layer"):
            shutil.rmtree(self.folder / "in.mkv.pycolor" / name, ignore_errors=True)
        for path in (*self.folder.glob("out.*"), *self.folder.glob(".out.*")):
            path.unlink()
        if len(self.folders) > 1:
            time.sleep(SECONDS_CACHED.get(self.place, 1.2))
        return len(left)


def trial(film: Film, count: int, kills: int, chance: random.Random, *, locks: bool) -> Trial:
    """Workers on slices of 1/count … count/count, of which so many are killed."""
    began = time.monotonic()
    alive: dict[int, float] = {}  # process → when it is killed
    told = dict.fromkeys(("workers", "killed", "failed", "outputs", "differing", "left_over"), 0)
    while told["killed"] < kills or alive or not film.target.exists():
        if told["failed"] > MOST_FAILED and not alive:
            raise SystemExit(f"{told['failed']} of {told['workers']} workers failed; see above.")
        if not alive and film.target.exists():
            told["outputs"] += 1
            told["differing"] += film.target.read_bytes() != film.whole
            told["differing"] += not film.target.with_suffix(".json").exists()
            told["left_over"] += film.clear()
        # When enough were killed one more may have to come, as a scheduler would start it again.
        most = SIDE_BY_SIDE if told["killed"] < kills else 0 if alive else 1
        most = 0 if film.target.exists() or told["failed"] > MOST_FAILED else most
        while len(alive) < most:
            part, foreign = f"{chance.randint(1, count)}/{count}", chance.random() < 0.5
            life = chance.uniform(0, film.seconds) if chance.random() < 0.8 else 1e9
            life = life if told["killed"] < kills else 1e9
            folder = chance.choice(film.folders)
            run = lambda w=folder, p=part, f=foreign: worker(w, p, foreign=f, locks=locks)  # noqa: E731
            alive[fork(run)] = time.monotonic() + life
            told["workers"] += 1
        for process in [p for p, end in alive.items() if time.monotonic() > end]:
            os.kill(process, signal.SIGKILL)
            alive[process] = 1e18
        done, status = os.waitpid(-1, os.WNOHANG) if alive else (0, 0)
        if done:
            del alive[done]
            told["killed"] += os.WIFSIGNALED(status)
            told["failed"] += os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
        else:
            time.sleep(0.005)
    told["outputs"] += 1
    told["differing"] += film.target.read_bytes() != film.whole
    told["left_over"] += film.clear()
    return Trial(place=film.place, slices=count, seconds=round(time.monotonic() - began, 1), **told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="where the film lies, such as a network mount")
    parser.add_argument("--counts", default="1,2,3,7,16")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-locks", action="store_true")
    parser.add_argument("--mount", choices=KINDS)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    chance, trials = random.Random(given.seed), []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=given.folder)))
        folders = [folder]
        if given.mount:
            try:
                folders = stack.enter_context(mounts(given.mount, folder))
            except CannotMount as e:
                raise SystemExit(f"{given.mount} cannot be mounted: {e}.") from None
        place = given.mount or ("a folder without locks" if given.no_locks else "a folder")
        film = Film(folders, place)
        for count in map(int, given.counts.split(",")):
            trials.append(trial(film, count, given.kills, chance, locks=not given.no_locks))
            print(json.dumps(asdict(trials[-1])), flush=True)
    if given.json:
        given.json.write_text(json.dumps([asdict(t) for t in trials], indent=1) + "\n")
    if any(t.differing for t in trials):
        raise SystemExit("an output differs from that of one run.")


if __name__ == "__main__":
    main()
