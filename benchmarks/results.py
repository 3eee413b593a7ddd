"""Measure everything and write docs/results.md.

    python -m benchmarks.results [--data FOLDER] [--only NAME ...] [--write]

FOLDER holds eval/ (color photographs) and video/colour/ (color films); it is looked for beside the
repository, or where PYCOLOR_DATA says.  Each part is one run of a command of this project, whose
JSON goes to docs/results/; the page is written from these files alone (--write does only that), so
that every number on it can be found in one of them, beside the commit and the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.judge_table import EXPLAINED, judge_table
from benchmarks.page import table
from pycolor.evaluate.metrics.measures import MEASURES, OWN
from pycolor.evaluate.metrics.over_time import TIMES
from pycolor.evaluate.reports.report import digits
from pycolor.models import zoo

ROOT = Path(__file__).resolve().parents[1]
PAGE, FILES = ROOT / "docs" / "results.md", ROOT / "docs" / "results"
FILMS = ("davis_bmx.mp4", "sav_cups.mp4")
MODES = ("off", "fast")
Json = dict[str, Any]


# ---- the runs ----------------------------------------------------------------------------------


def runs(data: Path) -> dict[str, list[str]]:
    """Commands by the name of their JSON; {out} is where an evaluation puts its files."""
    evaluate = ["pycolor", "evaluate", "--quiet", "--out", "{out}"]
    commands = {"photographs": [*evaluate, str(data / "eval")]}
    for film in FILMS:
        for mode in MODES:
            path = str(data / "video" / "colour" / film)
            commands[f"film-{Path(film).stem}-{mode}"] = [
                *evaluate,
                path,
                "--propagation",
                mode,
            ]
    speed = ["--models", zoo.DEFAULT, "--heights", "360", "1080"]
    commands["video"] = ["benchmarks.video", *speed, "--json", "{json}"]
    commands["runtimes"] = ["benchmarks.runtimes", "--seconds", "6", "--json", "{json}"]
    commands["inference"] = ["benchmarks.inference", "--json", "{json}"]
    commands["peers"] = ["benchmarks.peers", str(data / "eval"), "--json", "{json}"]
    return commands


def run(name: str, command: Sequence[str]) -> None:
    """One part: its JSON, and the plot of an evaluation of photographs, into docs/results."""
    with tempfile.TemporaryDirectory(prefix="pycolor-") as folder:
        out, target = Path(folder), FILES / f"{name}.json"
        words = [w.format(out=out, json=target) for w in command]
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(words)} ended with code {done.returncode}.")
        if (out / "evaluation.json").exists():
            shutil.copy(out / "evaluation.json", target)
        if name == "photographs":
            shutil.copy(out / "distributions.png", FILES / "distributions.png")


def find_data() -> Path | None:
    """The folder of photographs and films."""
    named = os.environ.get("PYCOLOR_DATA")
    places = [Path(named)] if named else [p / "shared" / "data" for p in ROOT.parents]
    return next((p for p in places if (p / "eval").is_dir()), None)


# ---- the page ----------------------------------------------------------------------------------


def page() -> str:
    """The page, from the files that are there."""
    found = {
        p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted(FILES.glob("*.json"))
    }
    parts = [INTRODUCTION]
    if "photographs" in found:
        parts += photographs(found["photographs"])
    if "judge" in found:
        told = found["judge"]
        parts += [
            "## Faults, counted",
            EXPLAINED,
            judge_table(told["columns"]),
            source("judge", told),
        ]
    films = {name: told for name, told in found.items() if name.startswith("film-")}
    if films:
        parts += over_time(films)
    for name, write in (("peers", peers), ("shots", shots), ("video", video),
                        ("runtimes", runtimes), ("inference", inference)):  # fmt: skip
        if name in found:
            parts += write(found[name])
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """# Results

<!-- Written by `make results`; do not edit. -->

Every table says which file its numbers are from, and that file what commit and machine made them.
*Gray* is the picture without its color: a coloring that scores below it by a measure has lost more
by wrong colors than it has won by right ones. *Truth* is the true picture's own value."""


def photographs(told: Json) -> list[str]:
    summary = told["summary"]
    rows = []
    for m in MEASURES:
        by_whose = summary[m.name]
        found, truth = by_whose["found"], by_whose["true"] if m.name in OWN else None
        quantiles = found["quantiles"]
        rows.append(
            [m.title, m.better, number(found["mean"]), number(quantiles.get("50")),
             f"{number(quantiles.get('10'))} … {number(quantiles.get('90'))}",
             number(by_whose["gray"]["mean"]), number(truth["mean"]) if truth else ""]
        )  # fmt: skip
    balanced = told["balanced_ab_auc"]
    rows.append(["ab AuC, every bin alike", "more", number(balanced["found"]), "", "",
                 number(balanced["gray"]), ""])  # fmt: skip
    settings = told["settings"]
    model = f"`{settings['model']}` (weights {settings['weights_sha256'][:8]})"
    return [
        "## Photographs",
        f"{len(told['rows'])} photographs that no training has seen, shorter side "
        f"{settings['short_side']} pixels, colored by {model}.",
        table(["measure", "better", "mean", "median", "10 % … 90 %", "gray", "truth"], rows),
        source("photographs", told),
        "![distributions](results/distributions.png)",
        "QSSIM, on which two of the papers rest, hardly tells hues apart where a picture has no "
        "texture: an even red and an even blue of one brightness score 1 "
        "(`tests/test_metrics_pictures.py`). PSNR and SSIM reward timid color. ab AuC with every "
        "bin alike and colorfulness, read together, do not.",
    ]


def over_time(films: dict[str, Json]) -> list[str]:
    rows = []
    for told in films.values():
        settings, summary = told["settings"], told["summary"]
        values = [
            f"{number(summary[m]['found']['mean'])} ({number(summary[m]['true']['mean'])})"
            for m in TIMES
        ]
        gray = number(summary["cdc"]["gray"]["mean"])
        color = [number(summary[m]["found"]["mean"]) for m in ("ciede2000", "colorfulness")]
        rows.append([f"`{settings['true']}`", settings["propagation"], *values, gray, *color])
    columns = [
        "film",
        "`--propagation`",
        *TIMES.values(),
        "CDC of gray",
        "CIEDE2000",
        "colorfulness",
    ]
    return [
        "## Color over time",
        "Less is better; in parentheses the true film's own, which holds its motion, its noise and "
        "the errors of the optical flow. CDC as published counts the film's own flicker too: that "
        "of the gray film stands beside it.",
        table(columns, rows),
        *[source(name, told) for name, told in films.items()],
    ]


def peers(told: Json) -> list[str]:
    shown = ("psnr", "ab_psnr", "ciede2000", "ab_auc", "balanced_ab_auc", "colorfulness")
    rows = [
        [r["method"], *[number(r["values"].get(k)) for k in shown], f"{r['seconds']:.2f}"]
        for r in told["rows"]
    ]
    titles = {m.name: m.title for m in MEASURES} | {"balanced_ab_auc": "ab AuC, every bin alike"}
    return [
        "## Beside other methods",
        f"{told['rows'][0]['photographs']} of the photographs at {told['side']} pixels; their own "
        f"colorfulness is {number(told['colorfulness_of_truth'])}. Methods that are given a "
        "reference or scribbles know more than a model that sees the luma alone.",
        table(["method", *[titles[k] for k in shown], "s a picture"], rows),
        source("peers", told),
    ]


def shots(told: Json) -> list[str]:
    by_film: dict[tuple[str, str, str], list[Json]] = {}
    for row in told["rows"]:
        by_film.setdefault((row["kind"], row["motion"], row["wear"]), []).append(row)
    names = list(dict.fromkeys(row["detector"] for row in told["rows"]))
    lines = []
    for (kind, motion, wear), rows in by_film.items():
        cells = {}
        for row in rows:
            precision = row["found"] / max(1, row["found"] + row["false"])
            cells[row["detector"]] = f"{row['found'] / row['transitions']:.2f} / {precision:.2f}"
        ours = next((r for r in rows if r["named"] is not None), None)
        named = f"{ours['named'] / max(1, ours['found']):.2f}" if ours else ""
        film = f"{rows[0]['transitions']} {kind}s, {motion}, {wear}"
        lines.append([film, *[cells.get(name, "") for name in names], named])
    return [
        "## Shots",
        "Recall / precision on films made of photographs under a moving camera and a moving thing, "
        "with flicker, grain, weave, scratches, dirt, flashes and splices (`benchmarks/shot_films."
        f"py`, seed {told['seed']}; everything was chosen on other seeds). *Named*: the share of "
        "what pycolor found that it calls by its kind. The others are PySceneDetect's, which tell "
        "no kinds and are made for cuts.",
        table(["film", *names, "named"], lines),
        source("shots", told),
    ]


def video(told: Json) -> list[str]:
    stages = list(dict.fromkeys(s for row in told["rows"] for s in row["stage_ms"]))
    speeds, shares = [], []
    for row in told["rows"]:
        what = [f"`{row['model']}`", row["preset"], f"{row['height']}p"]
        fps = [f"{row[k]:.1f}" for k in ("decode_fps", "transcode_fps", "whole_fps")]
        speeds.append([*what, *fps, f"{row['price']:.2f}"])
        total = sum(row["stage_ms"].values())
        spent = [row["stage_ms"].get(s, 0.0) for s in stages]
        shares.append([*what, *[f"{ms:.1f} ({ms / total:.0%})" for ms in spent]])
    return [
        "## Speed of films",
        "Frames a second. The transcode is the same film through the same reader, writer and "
        "encoder without color; the price is its speed over that of coloring.",
        table(["model", "preset", "size", "decode", "transcode", "color", "price"], speeds),
        "Milliseconds a frame in each stage, and its share; stages overlap.",
        table(["model", "preset", "size", *stages], shares),
        source("video", told, timed=True),
    ]


def runtimes(told: Json) -> list[str]:
    sides = sorted({r["side"] for r in told["rows"]})
    networks = dict.fromkeys((r["model"], r["network"]) for r in told["rows"])
    rows = []
    for model, network in networks:
        seconds = {
            r["side"]: r["seconds"]
            for r in told["rows"]
            if (r["model"], r["network"]) == (model, network)
        }
        rows.append([f"`{model}`, {network}", *[number(seconds.get(s)) for s in sides]])
    for name, seconds in told["published"].items():
        rows.append([f"{name}, as printed", *[number(seconds.get(str(s))) for s in sides]])
    return [
        "## Run times of the papers",
        "Seconds for a picture of S×S pixels with the network at that very size, as cheng2015 "
        "(table II) and iizuka2016 (table 3) measured; their lines are as printed, on their "
        "machines of 2015 and 2016. A blank was not printed, or would take longer than this run "
        "waits.",
        table(["network", *[f"{s}²" for s in sides]], rows),
        source("runtimes", told, timed=True),
    ]


def inference(told: Json) -> list[str]:
    rows = [
        [r["runner"], f"{r['least_ms']:.1f}", f"{r['median_ms']:.1f}", f"{r['ratio']:.2f}"]
        for r in told["rows"]
    ]
    return [
        "## The network beside other runtimes",
        "zhang2016 at full width, one picture of 256², milliseconds of processor time with "
        f"{told['threads']} thread(s), all in one process and in turns; the ratio is to the faster "
        "of torch.compile and OpenVINO.",
        table(["", "least ms", "median ms", "ratio"], rows),
        source("inference", told),
    ]


def source(name: str, told: Json, *, timed: bool = False) -> str:
    """Where the numbers are from; times that were taken on a busy machine are named so."""
    ran = told["record"]
    busy = timed and ran["load"] > 2 * ran["processors"]
    note = " Other programs held the processors: these times are far too long." if busy else ""
    commit = (ran["commit"] or "no checkout")[:10] + (", changed" if ran["changed"] else "")
    when = ran["time"][:16].replace("T", " ")
    machine = f"{ran['processor']}, {ran['facts']['machine']}, load {ran['load']}"
    return f"*[{name}.json](results/{name}.json): commit {commit}, {machine}, {when} UTC.*{note}"


def number(value: float | None) -> str:
    """For a cell; nothing for None."""
    return digits(value, "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=find_data())
    parser.add_argument("--only", nargs="+", metavar="NAME", help="parts to measure again")
    parser.add_argument("--write", action="store_true", help="measure nothing, write the page")
    options = parser.parse_args()
    FILES.mkdir(parents=True, exist_ok=True)
    if not options.write:
        if options.data is None:
            sys.exit("no folder of photographs and films was found; expected --data FOLDER.")
        for name, command in runs(options.data.resolve()).items():
            if options.only is None or name in options.only:
                began = time.perf_counter()
                run(name, command)
                print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
