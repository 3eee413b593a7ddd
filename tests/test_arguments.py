"""What is wrong in a command's arguments is said in one sentence, before anything is read."""

from __future__ import annotations

from importlib import import_module

import pytest

from pycolor.cli import COMMANDS, main
from pycolor.commands.arguments import check_arguments
from pycolor.errors import UsageError


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["video", "a", "b", "--propagatoin", "fast"], "no option --propagatoin; perhaps --propag"),
        (["video", "a", "b", "--nothing-like-it"], "no option --nothing-like-it (pycolor video"),
        (["video", "a", "b", "-x"], "no option -x"),
        (["video", "a", "b", "--saturation", "much"], "--saturation must be a number, got 'much'"),
        (["video", "a", "b", "--batch", "1.5"], "--batch must be a whole number, got '1.5'"),
        (["video", "a", "b", "--batch=x"], "--batch must be a whole number, got 'x'"),
        (["video", "a", "b", "--propagation", "x"], "must be one of off, fast, best, got 'x'"),
        (["video", "a", "b", "--saturation"], "--saturation needs a value, X; got none"),
        (["video", "a", "b", "--saturation", "--quiet"], "--saturation needs a value"),
        (["video", "a", "b", "--quiet=3"], "--quiet takes no value, got '3'"),
        (["apply", "a.pycolor"], "apply needs LAYER, REGRADE and OUT, got a.pycolor"),
        (["apply", "a", "b", "c", "d", "e"], "apply takes LAYER REGRADE OUT, got d e more"),
        (["desk"], "desk needs IN, got none"),
        (["info", "film.mp4"], "info takes options alone, got film.mp4 more"),
        (["train", "--out", "x"], "train needs --data PATH ..."),
        (
            ["train", "--data", "a", "b", "--out", "x", "--steps", "many"],
            "whole number, got 'many'",
        ),
        (["train", "--data", "a", "--out", "x", "--drops", "3", "four"], "got 'four'"),
        (["weights", "pul", "x"], "must be one of list, pull, import, path, got 'pul'"),
    ],
)
def test_one_sentence(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err.strip()
    assert expected in error
    assert error.startswith("pycolor: ")
    assert "\n" not in error


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("video", ["a", "--warmth", "-0.5", "b"]),  # a number below 0 is a value
        ("video", ["a", "--work_dir", "x", "b"]),  # underscores as the parser takes them
        ("video", ["-", "b", "--saturation=0.5"]),
        ("video", ["--", "--a", "b"]),
        # An option that may be repeated takes one value at a time.
        ("image", ["--reference", "x.png", "--reference", "y.png", "a", "b"]),
        ("train", ["--data", "a", "b", "c", "--out", "x", "--drops", "1", "2"]),
        ("models", []),
        ("models", ["zhang2016"]),
        ("weights", ["path"]),
    ],
)
def test_right_arguments(name: str, arguments: list[str]) -> None:
    check_arguments(name, arguments, import_module(f"pycolor.commands.{name}").Flags)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_knows_what_it_has(name: str) -> None:
    flags = import_module(f"pycolor.commands.{name}").Flags
    with pytest.raises(UsageError, match=f"{name} has no option --no-such-option"):
        check_arguments(name, ["--no-such-option"], flags)
