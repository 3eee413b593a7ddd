"""What was decided on a shot goes to shots that look like it, in one step that is taken back."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pycolor.video.film_plan import edit
from pycolor.video.job.decisions.plan_file import read_plan_file
from pycolor.web.desk.plan.copying import copied
from pycolor.web.desk.plan.journal import Journal, difference
from pycolor.web.desk.shots.alike import Alike
from tests.test_desk import TOKEN, Page, browser, make_started, opened, shown

__all__ = ["browser"]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_started(tmp_path_factory.mktemp("copies"))


@pytest.fixture
def film(started: Path, tmp_path: Path) -> Path:
    shutil.copytree(started, tmp_path, dirs_exist_ok=True)
    return tmp_path / "reel.mkv"


def shots(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(page.plan.read_text())["shots"]
    return found


def test_a_change_of_shots_that_lie_apart_names_these_alone(tmp_path: Path) -> None:
    old = [{"n": n} for n in range(9)]
    new = [{"n": n} if n not in (1, 2, 7) else {"n": n, "x": 1} for n in range(9)]
    made = difference("apart", old, new)
    assert [(p.at, len(p.old), len(p.new)) for p in made.parts] == [(1, 2, 2), (7, 1, 1)]
    assert made.applied(old) == new
    assert made.back().applied(new) == old
    assert made.applied(new) is None
    journal = Journal(tmp_path / "journal.jsonl", 0)
    journal.write("edit", 1, made)
    assert Journal(journal.path, 1).undo == made
    line = {"step": "edit", "revision": 2, "what": "old", "at": 3, "old": [{"n": 3}], "new": []}
    with journal.path.open("a") as file:  # as an earlier desk wrote it
        file.write(json.dumps(line) + "\n")
    found = Journal(journal.path, 2).undo
    assert found is not None
    assert found.applied(old) == old[:3] + old[4:]


def test_a_marked_frame_leads_other_shots_as_a_picture(film: Path) -> None:
    with opened(film) as page:
        page.edit(do="mark", frame=4, kind="color", at=[30, 20], radius=9, color="#2040c0")
        page.edit(do="palette", shot=0, colors=["#405060"])
        ungraded = page.codes(4)
        page.edit(do="set", shot=0, values={"saturation": 0.5, "warmth": 0.2, "notes": "mine"})
        page.edit(do="set", shot=2, values={"notes": "yours"})
        before, plain = shots(page), page.codes(20)
        answer = page.edit(do="copy", shot=0, to=[2, 0, 1], groups=["colors", "grade"])
        assert answer["undo"] == "copy of shot 1 to 2 shots"
        (part,) = answer["parts"]
        assert (part["at"], part["removed"], len(part["shots"])) == (1, 2, 2)
        after = shots(page)
        assert after[0] == before[0]
        for shot in after[1:]:
            picture, palette = shot["guidance"]
            assert (picture["kind"], palette["colors"]) == ("picture", ["#405060"])
            assert (shot["saturation"], shot["warmth"]) == (0.5, 0.2)
        assert [shot["notes"] for shot in after] == ["mine", "", "yours"]
        path = page.plan.parent / after[2]["guidance"][0]["path"]
        assert path.name.startswith("alike-000004-")
        # The palette is a grade, too; without one the picture is what the frame was.
        assert np.asarray(Image.open(path)).shape == ungraded.shape
        assert not np.array_equal(page.codes(20), plain)
        page.edit(do="undo")
        assert shots(page) == before
        page.edit(do="redo")
        assert shots(page) == after


def test_what_is_copied_again_takes_the_place_of_what_was(film: Path) -> None:
    with opened(film) as page:
        page.edit(do="mark", frame=4, kind="color", at=[30, 20], radius=9, color="#2040c0")
        page.edit(do="copy", shot=0, to=[2], groups=["colors"])
        first = shots(page)[2]["guidance"]
        page.edit(do="mark", frame=4, kind="color", at=[10, 20], radius=9, color="#c04020")
        page.edit(do="copy", shot=0, to=[2], groups=["colors"])
        second = shots(page)[2]["guidance"]
        assert len(first) == len(second) == 1
        assert first != second
        page.edit(do="copy", shot=1, to=[0], groups=["colors"])  # nothing leads it: its middle
        assert shots(page)[0]["guidance"][-1]["path"].startswith("stills/alike-000012-")
        before = len(list((page.plan.parent / "stills").iterdir()))
        for wrong in (
            {"shot": 0, "to": [], "groups": ["grade"]},
            {"shot": 0, "to": [1], "groups": ["all"]},
            {"shot": 0, "to": [1], "groups": [[]]},
            {"shot": 0, "to": [1], "groups": "colors"},
            {"shot": 0, "to": "1", "groups": ["colors"]},
            {"shot": 0, "to": [99], "groups": ["colors"]},
            {"shot": -1, "to": [1], "groups": ["colors"]},
            {"shot": 0, "to": [True], "groups": ["grade"]},
        ):
            assert page.refused(do="copy", **wrong)[0] == 400
        assert len(list((page.plan.parent / "stills").iterdir())) == before


def test_a_copied_style_takes_the_place_of_another(film: Path) -> None:
    plan = read_plan_file(film.with_name("reel.mkv.pycolor") / "plan.json").plan
    for number, path in enumerate(("mine.jpg", "yours.jpg")):
        plan = edit.set_shot(plan, number, guidance=({"kind": "style", "path": path},))
    found = copied(plan, 0, [1], ["colors"], {}).shots[1]
    assert found.guidance == ({"kind": "style", "path": "mine.jpg"},)


def test_shots_that_look_alike(film: Path) -> None:
    with opened(film) as page:
        told = json.loads(page.get("api/alike?shot=1"))
        assert (told["looked"], told["all"]) == (3, 3)
        assert {each["shot"] for each in told["shots"]} <= {0, 2}
        likeness = [each["likeness"] for each in told["shots"]]
        assert likeness == sorted(likeness, reverse=True)
        kept = page.desk.alike._path.read_text()
        assert len(kept.splitlines()) == 3
        again = Alike(page.desk.frames, page.desk.alike._path, page.desk.plan)
        assert again.told(1)["shots"] == told["shots"]
        assert page.desk.alike._path.read_text() == kept  # nothing had to be looked at
        again.close()
        page.edit(do="split", frame=12)
        assert json.loads(page.get("api/alike?shot=3"))["all"] == 4
        assert page.ask("GET", f"/{TOKEN}/api/alike?shot=99")[0] == 404


def test_a_picture_is_likest_to_itself(film: Path) -> None:
    with opened(film) as page:
        alike = page.desk.alike
        _ = alike.told(0)
        for vector in alike._known.values():
            assert float(vector @ vector) == pytest.approx(1, abs=2e-3)


def test_the_page_copies_to_the_shots_that_are_chosen(browser: Any, film: Path) -> None:
    with opened(film) as page:
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(f"http://127.0.0.1:{page.port}/{TOKEN}/")
        revision = page.state()["revision"]
        shown(tab, 0, revision)
        tab.keyboard.press("c")
        tab.wait_for_selector("#copy-shots[data-all] li", timeout=60_000)
        tab.click("#copy-none")
        assert tab.is_disabled("#copy-go")
        tab.locator("#copy-shots input").first.check()
        assert tab.inner_text("#copy-go") == "Copy to 1 shot"
        tab.click("#copy-go")
        shown(tab, 0, revision + 1)
        assert sum(bool(shot["guidance"]) for shot in page.state()["shots"]) == 1
        tab.keyboard.press("z")
        shown(tab, 0, revision + 2)
        assert not any(shot["guidance"] for shot in page.state()["shots"])
        tab.close()


def test_pictures_are_png(film: Path) -> None:
    with opened(film) as page:
        found = Image.open(io.BytesIO(page.desk.frames.ungraded(4)))
        assert found.mode == "RGB"
