"""How fast the desk answers, in a real browser without a screen.

    python -m benchmarks.desk FILM [--shots 800] [--long FILM] [--json FILE] [--pictures FOLDER]

FILM is copied, and a plan is made of it first, which is not timed.  Times are those of the page:
from the key or the click to the moment at which the canvas holds the frame; the screen shows it up
to 1/60 s later.  A second project, of a made film with as many shots as told, measures the strip.
A third, of a long film that has a plan already, measures memory on a walk through it: frames,
clicks, playing, thumbnails, the shots that look alike; the plan is as it was afterwards.
Needs playwright, and a Chromium on the path.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pycolor.video.film_plan import edit
from pycolor.video.job.decisions.plan_file import read_plan_file, save_plan_file
from pycolor.video.job.decisions.project import project_of
from pycolor.video.job.decisions.start_plan import start_plan

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STEPS = 12  # of each kind that are timed
SHOT = 120  # frames of the shot that is colored anew
WALK = 24  # places of a long film
THINK = 0.6  # seconds between two steps: a person looks
RECORD = """() => {
  window.times = [];
  let since = performance.now();
  const begun = () => { since = performance.now(); };
  for (const kind of ["keydown", "pointerdown"]) window.addEventListener(kind, begun, true);
  const canvas = document.getElementById("frame");
  new MutationObserver(() => times.push([canvas.dataset.shown, performance.now() - since]))
    .observe(canvas, { attributes: true, attributeFilter: ["data-shown"] });
}"""
SCROLL = """async () => {
  const strip = document.getElementById("strip"), gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let n = 0; n < 120; n++) {
    strip.scrollLeft += 400;
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps.sort((a, b) => a - b);
}"""
LIST = """([id, value]) => {
  const field = document.getElementById(id), since = performance.now();
  field.value = value;
  field.dispatchEvent(new Event("input"));
  document.getElementById("strip").getBoundingClientRect();
  return performance.now() - since;
}"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Times of one kind, in milliseconds (memory in MB)."""

    what: str
    median: float
    most: float
    times: int


@contextmanager
def desk(film: Path) -> Iterator[tuple[str, int]]:
    """The address of a desk on a film, and its process."""
    command = [sys.executable, "-m", "pycolor", "desk", str(film), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.terminate()


def peak_mb(pid: int) -> float:
    """Largest memory of a process so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def memory_mb(pid: int) -> float:
    """Memory of a process now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def row(what: str, times: list[float]) -> Row:
    return Row(what=what, median=statistics.median(times), most=max(times), times=len(times))


class Watched:
    """A page, and the times of what it showed."""

    def __init__(self, tab: Any, address: str) -> None:
        self.tab = tab
        tab.set_default_timeout(120_000)
        tab.goto(address)
        self.wait("0 color")
        tab.evaluate(RECORD)

    @property
    def shown(self) -> tuple[int, int]:
        """Frame and revision."""
        frame, _, revision, *_ = self.tab.get_attribute("#frame", "data-shown").split()
        return int(frame), int(revision)

    def wait(self, start: str) -> None:
        self.tab.wait_for_selector(f'#frame[data-shown^="{start}"]')

    def took(self, start: str) -> float:
        """From the last key or click to the frame, milliseconds."""
        self.wait(start)
        found = [ms for shown, ms in self.tab.evaluate("times") if shown.startswith(start)]
        return float(found[-1])

    def took_exactly(self, shown: str) -> float:
        self.tab.wait_for_selector(f'#frame[data-shown="{shown}"]')
        return float([ms for what, ms in self.tab.evaluate("times") if what == shown][-1])

    def shown_again(self) -> tuple[int, int]:
        """Frame and revision, as soon as the canvas holds a frame in color."""
        time.sleep(0.3)
        self.tab.wait_for_selector('#frame[data-shown*=" color "]')
        return self.shown

    def step(self, key: str, frame: int) -> float:
        self.tab.keyboard.press(key)
        return self.took(f"{frame} color")

    def click(self, x: float, y: float) -> float:
        """Mark a place; x and y in shares of the picture."""
        frame, revision = self.shown
        box = self.tab.locator("#frame").bounding_box()
        self.tab.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        return self.took(f"{frame} color {revision + 1}")


def on_frames(page: Watched, layer: Path, pid: int) -> list[Row]:
    """Stepping, clicking, and a shot that is colored anew."""
    rows = []
    made_before = set(layer.glob("*.npz"))
    made = _until(lambda: set(layer.glob("*.npz")) - made_before)
    rows.append(row("color of the first shot, from opening", [made]))
    time.sleep(THINK)
    steps = []
    for n in range(1, STEPS + 1):
        steps.append(page.step("ArrowRight", n))
        time.sleep(THINK)
    rows.append(row("next frame", steps))
    page.tab.keyboard.press("Shift+ArrowRight")
    leaps = [page.took(f"{STEPS + 10} color")]
    rows.append(row("ten frames on", leaps))
    clicks, finals, shots = [], [], []
    for n in range(4):
        time.sleep(THINK)
        known = set(layer.glob("*.npz"))
        since = time.perf_counter()
        clicks.append(page.click(0.3 + 0.1 * n, 0.6))
        finals.append(
            page.took_exactly(" ".join(map(str, (page.shown[0], "color", page.shown[1]))))
        )
        _until(lambda known=known: set(layer.glob("[!.]*.npz")) - known)
        shots.append((time.perf_counter() - since) * 1e3)
    rows.append(row("click to pixels", clicks))
    rows.append(row("click to the film's own pixels", finals))
    rows.append(row(f"click to the color of the shot ({SHOT} frames)", shots))
    time.sleep(THINK)
    frame, _ = page.shown
    rows.append(row("next frame after it", [page.step("ArrowRight", frame + 1)]))
    time.sleep(THINK)
    rows.append(row("another shot, not seen yet", [page.step("ArrowDown", SHOT)]))
    rows.append(row("memory of the server, MB", [peak_mb(pid)]))
    return rows


def on_playing(page: Watched, rate: float) -> list[Row]:
    """A shot played for some seconds, twice: in the first loop its pictures are made."""
    rows = []
    for what in ("first loop", "again"):
        page.tab.keyboard.press("l")
        page.tab.evaluate("times.length = 0")
        time.sleep(5)
        shown = [s for s, _ in page.tab.evaluate("times")]
        page.tab.keyboard.press("k")
        each = 5000 / max(1, len(shown))
        rows.append(row(f"a frame played, {what} (film: {1000 / rate:.0f})", [each]))
        time.sleep(THINK)
    return rows


def on_walk(page: Watched, pid: int) -> list[Row]:
    """A person goes through a long film; the desk looks through it meanwhile."""
    tab, rows, clicks, seen = page.tab, [], [], []
    starts = [s["start"] for s in tab.evaluate("fetch('api/state').then(r => r.json())")["shots"]]
    shots = len(starts)
    for stop in range(WALK):
        number = stop * (shots - 1) // WALK
        tab.fill("#find", str(1 + number))
        tab.locator(".shot").first.click()
        tab.fill("#find", "")
        tab.locator("#find").blur()
        page.wait(f"{(frame := starts[number])} color")
        for n in range(6):
            page.step("ArrowRight", frame + n + 1)
            time.sleep(0.1)
        time.sleep(THINK)
        clicks.append(page.click(0.3 + 0.4 * (stop % 2), 0.5))
        time.sleep(4 * THINK)
        tab.keyboard.press("l")
        time.sleep(4)
        tab.keyboard.press("k")
        page.shown_again()
        tab.evaluate(SCROLL)
        seen.append(memory_mb(pid))
    tab.keyboard.press("c")
    time.sleep(10)
    tab.keyboard.press("Escape")
    frame, revision = page.shown
    for n in range(WALK):  # as it was
        tab.keyboard.press("z")
        page.wait(f"{frame} color {revision + n + 1}")
    rows.append(row(f"click to pixels, {shots} shots", clicks))
    rows.append(row("memory of the server on the way, MB", seen))
    rows.append(row("memory of the server at most, MB", [peak_mb(pid)]))
    return rows


def on_strip(tab: Any) -> list[Row]:
    """The strip of a film of many shots."""
    rows = []
    for what, field, values in (
        ("find in the strip", "find", ["new", "7", "acc", ""]),
        ("order of the strip", "order", ["open", "length", "need", "film"]),
    ):
        rows.append(row(what, [tab.evaluate(LIST, [field, value]) for value in values]))
    gaps = tab.evaluate(SCROLL)
    rows.append(row("a picture while the strip scrolls", gaps))
    return rows


def _until(found: Any, most: float = 120) -> float:
    """Milliseconds until something is there."""
    since = time.perf_counter()
    while not found():
        if time.perf_counter() - since > most:
            raise TimeoutError(f"it is not there after {most} s")
        time.sleep(0.02)
    return (time.perf_counter() - since) * 1e3


def planned(film: Path, shots: list[int]) -> None:
    """A project of a film, cut at these frames and nowhere else."""
    path = project_of(film) / "plan.json"
    start_plan(film, path)
    plan = read_plan_file(path).plan
    while len(plan.shots) > 1:
        plan = edit.merge_shots(plan, 0)
    for frame in shots:
        plan = edit.split_shot(plan, frame)
    save_plan_file(path, plan)


def many_shots(film: Path, shots: int) -> None:
    """A made film of so many shots of two frames."""
    from tests.films import make_film

    make_film(film, frames=2 * shots)
    planned(film, list(range(2, 2 * shots, 2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("film", type=Path)
    parser.add_argument("--shots", type=int, default=800)
    parser.add_argument("--long", type=Path, help="a long film with a plan")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the page")
    told = parser.parse_args()
    from playwright.sync_api import sync_playwright

    browser = next(filter(None, map(shutil.which, CHROMIUM)))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as place, sync_playwright() as p:
        launched = p.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        film = Path(shutil.copy(told.film, place))
        planned(film, [SHOT])
        with desk(film) as (address, pid):
            tab = launched.new_page(viewport={"width": 1280, "height": 800})
            page = Watched(tab, address)
            rows += on_frames(page, project_of(film) / "layer", pid)
            tab.keyboard.press("ArrowUp")
            page.wait("0 color")
            rows += on_playing(
                page, tab.evaluate("fetch('api/state').then(r => r.json())")["film"]["rate"]
            )
            if told.pictures:
                tab.screenshot(path=str(told.pictures / "desk.png"))
            tab.close()
        if told.long:
            with desk(told.long) as (address, pid):
                tab = launched.new_page(viewport={"width": 1280, "height": 800})
                rows += on_walk(Watched(tab, address), pid)
                tab.close()
        long = Path(place) / "long.mkv"
        many_shots(long, told.shots)
        with desk(long) as (address, _):
            tab = launched.new_page(viewport={"width": 1280, "height": 800})
            Watched(tab, address)
            rows += on_strip(tab)
            tab.close()
    table = Table("what", "median ms", "most ms", "times")
    for each in rows:
        table.add_row(each.what, f"{each.median:.0f}", f"{each.most:.0f}", str(each.times))
    Console().print(table)
    if told.json:
        told.json.write_text(json.dumps([vars(each) for each in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
