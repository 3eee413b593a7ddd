"""A restorer's way from a still to a delivered film, in a real browser."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pycolor.video.io import Reader
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.job.decisions.project import project_of
from pycolor.video.render.shown import shown_codes
from tests.test_desk import TOKEN, browser, canvas, make_started, opened, shown

__all__ = ["browser"]

DROP = """([name, bytes]) => {
  const held = new DataTransfer();
  held.items.add(new File([Uint8Array.from(bytes)], name, { type: "image/png" }));
  const how = { dataTransfer: held, bubbles: true, cancelable: true };
  document.getElementById("stage").dispatchEvent(new DragEvent("drop", how));
}"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_started(tmp_path) / "reel.mkv"


def test_a_still_is_dropped_a_cut_moved_and_the_film_delivered(browser: Any, film: Path) -> None:
    with opened(film) as page:
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.set_default_timeout(120_000)
        tab.goto(f"http://127.0.0.1:{page.port}/{TOKEN}/")
        revision = page.state()["revision"]
        shown(tab, 0, revision)
        still, file = page.codes(4, "gray").copy(), io.BytesIO()
        still[..., 1:] //= 2  # as red as an editor may want it
        Image.fromarray(still).save(file, "PNG")
        before = page.codes(4)
        tab.evaluate(DROP, ["frame-000004 red.png", list(file.getvalue())])
        shown(tab, 4, revision + 1)
        assert canvas(tab)[..., 0].mean() > before[..., 0].mean() + 5
        assert np.array_equal(canvas(tab), page.codes(4))
        assert tab.locator("#guidance li").count() == 1

        tab.keyboard.press("ArrowDown")
        shown(tab, 8, revision + 1)
        tab.keyboard.press(",")
        shown(tab, 8, revision + 2)
        assert [shot["start"] for shot in page.state()["shots"]] == [0, 7, 16]
        seen = {8: canvas(tab)}
        tab.keyboard.press("ArrowUp")
        for number in range(5):  # the shot is another without its last frame
            shown(tab, number, revision + 2)
            seen[number] = canvas(tab)
            tab.keyboard.press("ArrowRight")

        tab.select_option("#preset", "archive")
        tab.fill("#name", "red reel")
        tab.click("#deliver")
        tab.wait_for_selector('#delivery[data-state="done"]', timeout=240_000)
        tab.close()
    with Reader(project_of(film) / "delivered" / "red reel.mkv") as reader:
        for frame in reader:
            if frame.index in seen:
                chroma = chroma_planes(frame)
                assert chroma is not None
                codes = shown_codes(frame.luma, chroma, reader.info.encoding)
                assert np.array_equal(codes, seen[frame.index])
