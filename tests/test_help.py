"""The help pages list what the parser takes, in the words of the field."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
import tyro
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes

from pycolor.cli import COMMANDS, RENAMED, main
from pycolor.commands.help import help_text


def page(name: str) -> str:
    module = import_module(f"pycolor.commands.{name}")
    return help_text(name, module.Flags, getattr(module, "EXAMPLES", ""))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_page_lists_what_the_parser_takes(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    flags = import_module(f"pycolor.commands.{name}").Flags
    with pytest.raises(SystemExit):
        tyro.cli(flags, args=["--help"], config=(OmitArgPrefixes, FlagCreatePairsOff))
    parsed = set(re.findall(r"(?m)^\W*(--[a-z][a-z0-9-]+)", capsys.readouterr().out))
    unused = {f"--{word.replace('_', '-')}" for word in getattr(flags, "UNUSED", ())}
    assert unused <= parsed
    listed = re.findall(r"(?m)^  (--[a-z0-9-]+)", page(name))
    assert sorted(parsed - unused) == sorted(listed)


@pytest.mark.parametrize("name", ["preview", "layer", "apply"])
def test_what_a_command_has_no_use_for_is_no_option_of_it(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = page(name)
    for option in ("--frames", "--shots", "--slice", "--ray", "--reference", "--guidance"):
        assert f"  {option} " not in text
        assert main([name, "a", "b", "c", option, "x"]) == 2
        assert f"{name} has no option {option}" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_page_fits_a_terminal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = page(name)
    assert max(map(len, text.splitlines())) <= 80
    assert "None" not in text
    assert "{" not in text


def test_the_groups_of_video() -> None:
    text = page("video")
    assert text.startswith("usage: pycolor video [options] IN OUT\n")
    groups = re.findall(r"(?m)^(\w+):$", text)
    assert groups == ["output", "color", "temporal", "advanced", "examples"]


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_still_works_and_says_so(
    old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    value = "100.5" if new == "--chroma-threshold" else "never"
    codes: list[object] = []
    for name in (new, old):
        try:
            codes.append(main(["video", "a.mkv", "b.mkv", f"{name}={value}"]))
        except SystemExit as stop:
            codes.append(stop.code)
    assert codes == [2, 2]
    said = capsys.readouterr().err
    assert said.count(f"note: {old} is now called {new}") == 1
    assert new.removeprefix("--") in said
