"""`pycolor study`: the plan, the answers, the intervals, the server, and a real browser."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pycolor.cli import main
from pycolor.errors import FilmError, UsageError
from pycolor.options import StudyOptions
from pycolor.web.study.answers import Answer, AnswerFile, is_believed, read_answers
from pycolor.web.study.design import Gallery, Trial, find_gallery, plan
from pycolor.web.study.results import results
from pycolor.web.study.server import Study, serve
from tests.signals import take_interrupts

WAYS = ("truth", "baseline", "proposed")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Eight pictures in three ways; a stray file and a picture that one way lacks."""
    folder = tmp_path / "pictures"
    y, x = np.mgrid[:60, :80] / 60
    for k, way in enumerate(WAYS):
        (folder / way).mkdir(parents=True)
        for i in range(8):
            waves = [np.sin(5 * x + i + k * c) * np.cos(4 * y - c) for c in range(3)]
            codes = (127 + 90 * np.stack(waves, 2)).astype(np.uint8)
            Image.fromarray(codes).save(folder / way / f"scene-{i}.png")
    Image.new("RGB", (8, 8)).save(folder / "truth" / "alone.png")
    (folder / "truth" / "notes.txt").write_text("no picture")
    return folder


def made_gallery(ways: int, pictures: int) -> Gallery:
    return Gallery(
        Path("x"),
        tuple(f"way{i}" for i in range(ways)),
        tuple(f"picture{i}" for i in range(pictures)),
        {},
    )


def answered(way: str, participant: str, yes: int, no: int, **other: Any) -> list[Answer]:
    common: dict[str, Any] = {
        "time": "", "participant": participant, "question": "natural", "seed": 0, "trial": 0,
        "practice": False, "picture": "a", "way": way, "left": "", "milliseconds": 500,
    }  # fmt: skip
    common |= other
    return [Answer(answer="yes", believed=True, **common)] * yes + [
        Answer(answer="no", believed=False, **common)
    ] * no


# ---- the plan ----------------------------------------------------------------------------------


def test_a_gallery_is_what_all_ways_have(pictures: Path) -> None:
    gallery = find_gallery(pictures, "truth", "real")
    assert gallery.ways == WAYS
    assert gallery.names == tuple(f"scene-{i}" for i in range(8))
    with pytest.raises(UsageError, match="no folder 'original' of pictures in true colors"):
        find_gallery(pictures, "original", "real")
    shutil.rmtree(pictures / "baseline")
    (pictures / "baseline").mkdir()
    with pytest.raises(FilmError, match="share no picture"):
        find_gallery(pictures, "truth", "natural")


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 99), st.text(max_size=8))
def test_everyone_sees_each_picture_once_and_each_way_alike(
    ways: int, pictures: int, seed: int, person: str
) -> None:
    gallery = made_gallery(ways, pictures)
    trials = plan(gallery, "natural", participant=person, seed=seed)
    assert trials == plan(gallery, "natural", participant=person, seed=seed)
    assert sorted(t.name for t in trials) == sorted(gallery.names)
    shown = Counter(t.shown[0] for t in trials)
    assert max(shown.values()) - min(shown.get(w, 0) for w in gallery.ways) <= 1


@given(st.integers(2, 5), st.integers(12, 40), st.integers(0, 99))
def test_the_true_one_stands_beside_each_other_way(ways: int, pictures: int, seed: int) -> None:
    gallery = made_gallery(ways, pictures)
    trials = plan(gallery, "real", participant="p", seed=seed, most=20, practice=3)
    assert [t.practice for t in trials] == [i < 3 for i in range(min(23, pictures))]
    for trial in trials:
        assert len(set(trial.shown)) == 2
        assert "way0" in trial.shown


def test_sides_and_orders_are_by_chance() -> None:
    gallery = made_gallery(2, 400)
    trials = plan(gallery, "real", participant="p", seed=0)
    left = sum(t.shown[0] == "way0" for t in trials)
    assert 150 < left < 250  # five standard deviations
    assert [t.name for t in trials] != [
        t.name for t in plan(gallery, "real", participant="q", seed=0)
    ]
    assert trials != plan(gallery, "real", participant="p", seed=1)


def test_practice_must_leave_something() -> None:
    with pytest.raises(UsageError, match="10 practice trials of 10 pictures"):
        plan(made_gallery(2, 10), "real", participant="", seed=0, practice=10)


# ---- answers and results -----------------------------------------------------------------------


def test_what_was_believed() -> None:
    natural, pair = Trial(0, "a", ("proposed",)), Trial(0, "a", ("truth", "proposed"))
    assert is_believed(natural, "yes", "truth")
    assert not is_believed(natural, "no", "truth")
    assert is_believed(pair, "right", "truth")
    assert not is_believed(pair, "left", "truth")


def test_answers_come_back_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    written = answered("proposed", 'Ann, "the" first\n', 2, 1)
    file = AnswerFile(path)
    for answer in written:
        file.add(answer)
    assert read_answers(path) == written
    AnswerFile(path).add(written[0])
    assert len(read_answers(path)) == 4
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="holds no answers"):
        AnswerFile(tmp_path / "b.csv")
    broken = path.read_text().replace(",500", ",soon", 1)
    path.write_text(broken)
    said: list[str] = []
    assert len(read_answers(path, said.append)) == 3
    assert "is no answer and is left out" in said[0]


def test_results_by_hand() -> None:
    answers = answered("a", "p", 8, 2) + answered("a", "q", 10, 10) + answered("b", "q", 1, 0)
    answers += answered("a", "p", 0, 50, practice=True)
    a, b = results(answers)
    assert (a.way, a.participants, a.answers, a.share) == ("a", 2, 30, 0.6)
    assert a.median == pytest.approx(0.65)
    assert (a.quartile_low, a.quartile_high) == pytest.approx((0.575, 0.725))
    assert a.standard_error == pytest.approx((0.24 / 30) ** 0.5)
    # Wilson 1927: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.959964.
    z = 1.959964
    middle, reach = 0.6 + z * z / 60, z * (0.24 / 30 + z * z / 3600) ** 0.5
    assert (a.low, a.high) == pytest.approx(
        ((middle - reach) / (1 + z * z / 30), (middle + reach) / (1 + z * z / 30)), abs=1e-6
    )
    assert (b.share, b.median, b.quartile_low, b.median_seconds) == (1, 1, 1, 0.5)
    assert results([]) == []


# ---- the server --------------------------------------------------------------------------------


@contextmanager
def running(folder: Path, answers: Path, options: StudyOptions) -> Iterator[int]:
    """A study on a free port; yields the port."""
    gallery = find_gallery(folder, options.truth, options.question)
    with serve(Study(gallery, options, AnswerFile(answers)), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(
    port: int, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    data = None if body is None else json.dumps(body)
    given = {"Content-Type": "application/json"} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    connection.request(method, path, data, given)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, content, dict(reply.getheaders())


def test_a_session_over_http(pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    options = StudyOptions(question="real", practice=2, side=64)
    with running(pictures, path, options) as port:
        status, page, headers = ask(port, "GET", "/")
        assert status == 200
        assert b"pycolor study" in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        _, content, _ = ask(port, "POST", "/sessions", {"participant": "  Ann   B "})
        session = json.loads(content)
        told = content.decode()
        assert not any(word in told for word in (*WAYS, "scene")), "the page must not know"
        for number, trial in enumerate(session["trials"]):
            sent = {
                "session": session["session"], "trial": number, "choice": "left",
                "milliseconds": 120.4,
            }  # fmt: skip
            for key in trial["pictures"]:
                status, content, headers = ask(port, "GET", f"/pictures/{key}")
                assert (status, headers["Content-Type"]) == (200, "image/png")
            status, content, _ = ask(port, "POST", "/answers", sent)
            assert status == 200
            assert ("right" in json.loads(content)) == (number < 2)
            assert ask(port, "POST", "/answers", sent)[0] == 409
        found = json.loads(ask(port, "GET", "/results")[1])
    answers = read_answers(path)
    assert len(answers) == 8
    assert {a.participant for a in answers} == {"Ann B"}
    for answer in answers:
        assert answer.milliseconds == 120
        assert answer.believed == (answer.left != "truth")
        assert answer.way != "truth"
    assert sum(r["answers"] for r in found) == 6


def test_what_the_page_does_not_send_is_refused(pictures: Path, tmp_path: Path) -> None:
    with running(pictures, tmp_path / "a.csv", StudyOptions()) as port:
        session = json.loads(ask(port, "POST", "/sessions", {"participant": ""})[1])["session"]
        good = {"session": session, "trial": 0, "choice": "yes", "milliseconds": 1}
        refused: tuple[Any, ...] = (
            {"session": session},
            good | {"trial": 99},
            good | {"trial": -1},
            good | {"choice": "left"},
            good | {"milliseconds": -5},
            good | {"milliseconds": "soon"},
            [],
        )
        for bad in refused:
            assert ask(port, "POST", "/answers", bad)[0] == 400
        assert ask(port, "POST", "/answers", good | {"session": "x"})[0] == 404
        assert ask(port, "POST", "/answers", good, Content_Type="text/plain")[0] == 415
        assert ask(port, "POST", "/sessions", {"participant": "x" * 5000})[0] == 400
        assert ask(port, "GET", "/pictures/scene-0")[0] == 404
        assert ask(port, "GET", "/../answers.csv")[0] == 404
        assert ask(port, "GET", "/", Host="example.org:80")[0] == 403
        assert ask(port, "POST", "/answers", good)[0] == 200
    assert len(read_answers(tmp_path / "a.csv")) == 1


def test_a_taken_port_is_one_sentence(pictures: Path, tmp_path: Path) -> None:
    with running(pictures, tmp_path / "a.csv", StudyOptions()) as port:
        study = Study(find_gallery(pictures, "truth", "natural"), StudyOptions(),
                      AnswerFile(tmp_path / "a.csv"))  # fmt: skip
        with pytest.raises(FilmError, match=f"port {port} cannot be used"):
            serve(study, port)


# ---- the command -------------------------------------------------------------------------------


def test_the_command_serves_until_interrupted_and_prints_results(pictures: Path) -> None:
    command = [sys.executable, "-m", "pycolor", "study", str(pictures), "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=take_interrupts,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    port = int(line.partition("127.0.0.1:")[2].partition("/")[0])
    session = json.loads(ask(port, "POST", "/sessions", {"participant": "p"})[1])["session"]
    sent = {"session": session, "trial": 0, "choice": "yes", "milliseconds": 900}
    assert ask(port, "POST", "/answers", sent)[0] == 200
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "100.0 ± 0.0 %" in out
    with (pictures / "answers-results.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["answers"], row["share"], row["median_seconds"]) == ("1", "1.0", "0.9")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--side", "3"], "side must lie in 16 to 4096"),
        (["--trials", "-1"], "trials must be 0 or more"),
        (["--question", "real"], "10 practice trials of 8 pictures"),
        (["--results"], "nobody has answered yet"),
    ],
)
def test_wrong_commands_are_one_sentence(
    pictures: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", str(pictures), *arguments]) == 2
    assert message in capsys.readouterr().err


# ---- a real browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a screen, where one is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip(f"no browser is installed ({', '.join(names)})")
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # root has none
    with playwright.sync_playwright() as p:
        launched = p.chromium.launch(executable_path=path, args=sandbox)
        yield launched
        launched.close()


def keep(page: Any, tmp_path: Path, name: str) -> None:
    """A screenshot; PYCOLOR_SCREENSHOTS names a folder that gets them, such as docs."""
    folder = Path(os.environ.get("PYCOLOR_SCREENSHOTS", tmp_path))
    page.screenshot(path=str(folder / name))
    with Image.open(folder / name) as image:
        assert len(image.convert("L").getcolors(256) or []) > 20, "an empty page"


def test_naturalness_by_keyboard(browser: Any, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    with running(pictures, path, StudyOptions()) as port:
        page = browser.new_page(viewport={"width": 960, "height": 640})
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: None if f":{port}/" in r.url else troubles.append(r.url))
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("input:focus")
        page.keyboard.type("Ann")
        page.keyboard.press("Enter")
        for number, key in enumerate(["y", "n", "ArrowRight", "ArrowLeft", "y", "y", "y", "y"]):
            page.wait_for_selector("button[value=yes]:enabled")
            assert f"{number + 1} of 8" in page.inner_text("#foot")
            if number == 0:
                keep(page, tmp_path, "study-natural.png")
            page.keyboard.press("q")  # means nothing
            page.keyboard.press(key)
            arrived = f"{number + 2} of 8" if number < 7 else "Nothing leaves"
            page.locator("#foot", has_text=arrived).wait_for()
        page.wait_for_selector("#end:not([hidden]) tbody tr")
        assert page.locator("tbody tr").count() == 3
        page.close()
        assert not troubles
    answers = read_answers(path)
    assert [a.answer for a in answers] == ["yes", "no", "yes", "no", "yes", "yes", "yes", "yes"]
    expected = plan(
        find_gallery(pictures, "truth", "natural"), "natural", participant="Ann", seed=0
    )
    assert [(a.picture, a.way) for a in answers] == [(t.name, t.shown[0]) for t in expected]


# Notes every state that the page goes through: (trial, pictures seen, may answer, verdict).
WATCH = """
addEventListener("DOMContentLoaded", () => {
  window.states = [];
  const at = (id) => document.getElementById(id);
  new MutationObserver(() => {
    const left = document.querySelector("button[value=left]");
    const seen = document.querySelectorAll("img:not(.away)").length;
    if (left) window.states.push([at("foot").textContent, seen, !left.disabled,
                                  at("verdict").textContent]);
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
});
"""


def test_which_one_is_real_by_keyboard_and_mouse(
    browser: Any, pictures: Path, tmp_path: Path
) -> None:
    path = tmp_path / "answers.csv"
    options = StudyOptions(question="real", practice=1, trials=3, seconds=0.2)
    with running(pictures, path, options) as port:
        page = browser.new_page(viewport={"width": 960, "height": 640})
        page.add_init_script(WATCH)
        page.goto(f"http://127.0.0.1:{port}/")
        page.click("button[type=submit]")
        page.wait_for_selector("button[value=left]:enabled")
        page.keyboard.press("ArrowLeft")
        page.wait_for_selector("img:not(.away)")
        keep(page, tmp_path, "study-real.png")
        for number in (2, 3, 4):
            page.locator("#foot", has_text=f"{number} of 4").wait_for()
            page.wait_for_selector("button[value=right]:enabled")
            page.click("button[value=right]")
        page.wait_for_selector("#end:not([hidden]) tbody tr")
        states = page.evaluate("window.states")
        page.close()
    answers = read_answers(path)
    assert [a.answer for a in answers] == ["left", "right", "right", "right"]
    assert [a.practice for a in answers] == [True, False, False, False]
    assert all(a.believed == ((a.left == "truth") == (a.answer == "right")) for a in answers)
    # Each picture is seen alone, and only then may one answer, with both gone.
    assert not any(seen and may for _, seen, may, _ in states)
    for number in (1, 2, 3, 4):
        trial = [s for s in states if s[0].startswith(f"{number} of 4")]
        assert {seen for _, seen, _, verdict in trial if not verdict} == {0, 1}
        assert any(may for _, _, may, _ in trial)
    verdicts = {(foot, verdict) for foot, _, _, verdict in states if verdict}
    right = "Right." if not answers[0].believed else "No, it was the other one."
    assert verdicts == {("1 of 4, practice", right)}
    assert any(seen == 2 for _, seen, _, verdict in states if verdict), "both are shown again"
