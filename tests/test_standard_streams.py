"""What a command's process does where its standard streams are closed, or full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.films import make_film


def process(words: list[str], **streams: Any) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "pycolor", *words]
    return subprocess.run(
        command, stderr=subprocess.PIPE, text=True, check=False, env=environment, **streams
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", [["--version"], ["info", "--json"], ["models"]])
def test_output_that_does_not_fit_is_said(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = process(words, stdout=full)
    assert done.returncode == 1
    said = "pycolor: the standard output could not be written: No space left on device.\n"
    assert done.stderr == said


@pytest.mark.skipif(os.name != "posix", reason="a process without standard streams")
def test_a_process_without_standard_streams(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=3)
    closing = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-m", "pycolor"]
    words = ["shots", str(film), "--csv", str(tmp_path / "shots.csv"), "--progress", "plain"]
    assert subprocess.run([*closing, *words], check=False).returncode == 0
    assert (tmp_path / "shots.csv").read_text().startswith("Timecode List")
    closing[2] = 'exec "$@" >&-'
    done = subprocess.run([*closing, "--version"], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("pycolor: the standard output could not be written: ")
    assert done.stderr.count("\n") == 1
