#!/usr/bin/env bash
# Guess: an option of type `Path | None` that is given the word None on the command line is the path
#   "None", as one of type `Path` is; an option of type `str | None` is the text.
# Truth (tyro 1.0.17): the word, in this spelling alone, is the absence of a value: the option is as
#   if it were left out.  The same word is a path for `Path` and for `tuple[Path, ...]`, and "none" is
#   a text for `str | None`.
# Why film work meets it: a pipeline's script formats the name of an edit list that it has not found
#   (`--shots None`), and the film is cut by other means without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tyro==1.0.17
"$folder/venv/bin/python" - <<'PY'
from dataclasses import dataclass
from pathlib import Path

import tyro

print("tyro", tyro.__version__)


@dataclass(frozen=True)
class Options:
    film: Path = Path("in.mkv")
    shots: Path | None = Path("default.csv")
    preset: str | None = "archive"
    references: tuple[Path, ...] = ()


def parsed(*arguments):
    found = tyro.cli(Options, args=arguments)
    print(" ".join(arguments), "->", found)
    return found


assert parsed("--shots", "None").shots is None
assert parsed("--preset", "None").preset is None
assert parsed("--preset", "none").preset == "none"
assert parsed("--film", "None").film == Path("None")
assert parsed("--references", "None").references == (Path("None"),)
assert parsed("--shots", "./None").shots == Path("None")
PY
