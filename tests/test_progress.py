"""Progress in its four styles."""

from __future__ import annotations

import io
import json
from typing import Literal

import pytest

from pycolor.system import progress
from pycolor.system.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each step, not one every ten seconds."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)


@pytest.mark.usefixtures("eager")
def test_plain_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    with Progress("film.mkv", None, stream=out) as bar:
        bar.advance()
        bar.total = 4
        bar.advance(3)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("film.mkv: 1 frame, ")
    assert lines[1].startswith("film.mkv: 4/4 frames, ")
    assert lines[1].endswith("0:00 left")
    assert "\r" not in out.getvalue()


@pytest.mark.usefixtures("eager")
def test_json_lines() -> None:
    out = io.StringIO()
    with Progress("film.mkv", 2, style="json", stream=out) as bar:
        bar.advance()
    first, last = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["done"], first["total"]) == (1, 2)
    assert last["done"] == last["total"] == 1  # the film was shorter than it said


@pytest.mark.usefixtures("eager")
def test_what_an_earlier_run_did_says_nothing_of_the_rate() -> None:
    out = io.StringIO()
    with Progress("run", 1_000_000, style="json", stream=out) as bar:
        bar.passed(900_000)
        bar.advance()
    first, second, _ = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["done"], first["rate"], first["seconds_left"]) == (900_000, 0, None)
    assert second["done"] == 900_001
    assert second["seconds_left"] * second["rate"] == pytest.approx(99_999, rel=0.1)


def test_none_is_silent() -> None:
    out = io.StringIO()
    with Progress("film.mkv", 2, style="none", stream=out) as bar:
        bar.advance(2)
    assert out.getvalue() == ""
    assert bar.done == 2


def test_a_bar_on_a_terminal_learns_its_total() -> None:
    out = Terminal()
    with Progress("film.mkv", None, stream=out) as bar:
        bar.total = 8
        bar.advance(4)
        assert bar._bar is not None
        assert bar._bar.tasks[0].total == 8
        assert bar._bar.tasks[0].completed == 4
    assert "film.mkv" in out.getvalue()


@pytest.mark.usefixtures("eager")
def test_a_failure_prints_no_last_line() -> None:
    out = io.StringIO()

    def fail() -> None:
        with Progress("film.mkv", 2, stream=out):
            raise OSError("torn")

    with pytest.raises(OSError, match="torn"):
        fail()
    assert out.getvalue() == ""


@pytest.mark.parametrize("style", ["plain", "json"])
def test_what_had_nothing_to_do_prints_nothing(style: Literal["plain", "json"]) -> None:
    out = io.StringIO()
    with Progress("film.mkv", 4, style=style, stream=out):
        pass
    assert out.getvalue() == ""
