"""A cue sheet of a colored film: what was done to each shot, by what, by whom; CSV and HTML."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from fractions import Fraction
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pycolor.errors import FilmError, counted
from pycolor.record import read_sidecar
from pycolor.video.io import Reader
from pycolor.video.io.containers.timecode import later_timecode
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.render.shown import shown_codes

WIDTH = 192  # of a thumbnail, pixels


@dataclass(frozen=True, kw_only=True)
class Cue:
    """A shot of the sheet; frames count from 0, `stop` is one past the last."""

    shot: int
    start: int
    stop: int
    timecode_in: str
    timecode_out: str
    seconds: str
    color: str
    model: str
    weights: str
    guidance: str
    grade: str
    state: str
    reviewer: str
    reviewed: str
    notes: str


@dataclass(frozen=True, kw_only=True)
class CueSheet:
    """The content of a colored film's sidecar.

    Attributes:
        target: the film.
        told: the sidecar's content.
        cues: the shots, in order.
    """

    target: Path
    told: dict[str, Any]
    cues: tuple[Cue, ...]


def read_cues(target: Path) -> CueSheet:
    """The cue sheet of a film that pycolor colored.

    Raises:
        UsageError: there is no sidecar of it.
        FilmError: the film cannot be read.
    """
    _, told = read_sidecar(target)
    with Reader(target) as reader:
        timecode = reader.timecode or "00:00:00:00"
    rate = Fraction(told["source"]["rate"])
    decided = (told.get("plan") or {}).get("shots") or [{} for _ in told["shots"]]
    cues = []
    for number, (shot, plan) in enumerate(zip(told["shots"], decided, strict=True)):
        start, stop = int(shot["start"]), int(shot["stop"])
        colored = told["colored_shots"][number]
        model = plan.get("model") or told["model"]["name"]
        weights = (told.get("plan") or {}).get("weights", {})
        color = plan.get("treatment", "auto")
        if color == "auto":
            color = "own-color" if colored else "color"
        cues.append(
            Cue(
                shot=number + 1,
                start=start,
                stop=stop,
                timecode_in=later_timecode(timecode, start, rate) or "",
                timecode_out=later_timecode(timecode, stop, rate) or "",
                seconds=f"{float((stop - start) / rate):.2f}",
                color=color,
                model=model if color == "color" else "",
                weights=weights.get(model, told["model"]["weights_sha256"])[:12]
                if color == "color"
                else "",
                guidance=", ".join(_entry(entry) for entry in plan.get("guidance", ())),
                grade=_grade(plan),
                state=plan.get("state", ""),
                reviewer=plan.get("reviewer", ""),
                reviewed=plan.get("reviewed", ""),
                notes=plan.get("notes", ""),
            )
        )
    return CueSheet(target=target, told=told, cues=tuple(cues))


def cues_csv(sheet: CueSheet) -> str:
    """The sheet as CSV, a line a shot."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Cue)])
    for cue in sheet.cues:
        writer.writerow([_plain(value) for value in astuple(cue)])
    return text.getvalue()


def cues_html(sheet: CueSheet) -> str:
    """The sheet as one HTML file, with each shot's middle frame before and after.

    Raises:
        FilmError: the film cannot be read.
    """
    told, names = sheet.told, [field.name for field in fields(Cue)]
    rows = []
    for cue, pictures in zip(sheet.cues, _thumbnails(sheet), strict=True):
        images = "".join(
            f'<td><img src="{_data(p)}" width="{WIDTH}" alt=""></td>' for p in pictures
        )
        cells = "".join(f"<td>{escape(str(value))}</td>" for value in astuple(cue))
        rows.append(f"<tr>{images}{cells}</tr>")
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
    notes = "".join(f"<li>{escape(text)}</li>" for text in told.get("warnings", ()))
    facts = (
        f"Source {told['source']['name']}, SHA-256 {told['source']['sha256']}. "
        f"Color by pycolor {told['versions']['pycolor']}, {told['model']['name']}, weights "
        f"{told['model']['weights_sha256']}. Luma as in the source. {told['digital_source_type']}"
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(sheet.target.name)}: cue sheet</title>
<style>body{{font:14px sans-serif;margin:2em}}table{{border-collapse:collapse}}
td,th{{border:1px solid #bbb;padding:4px 6px;text-align:left;vertical-align:top}}</style></head>
<body><h1>{escape(sheet.target.name)}</h1><p>{escape(facts)}</p><ul>{notes}</ul>
<table><thead><tr><th>before</th><th>after</th>{head}</tr></thead><tbody>
{chr(10).join(rows)}
</tbody></table></body></html>
"""


def _thumbnails(sheet: CueSheet) -> list[Sequence[npt.NDArray[np.uint8]]]:
    """Of each shot its middle frame in gray and in color; the luma is the source's."""
    wanted = {(cue.start + cue.stop) // 2 for cue in sheet.cues}
    found: list[Sequence[npt.NDArray[np.uint8]]] = []
    with Reader(sheet.target) as reader:
        encoding = reader.info.encoding
        aspect = float(reader.info.pixel_aspect or 1)
        for frame in reader:
            chroma = chroma_planes(frame) if frame.index in wanted else None
            if chroma is None:
                continue
            neutral = np.full_like(chroma[0], encoding.chroma_code_range[0])
            gray = shown_codes(frame.luma, (neutral, neutral), encoding)
            color = shown_codes(frame.luma, chroma, encoding)
            found.append([_small(codes, aspect) for codes in (gray, color)])
    if len(found) != len(sheet.cues):
        raise FilmError(
            f"{sheet.target} has no pictures in Y'CbCr for {len(sheet.cues) - len(found)} of its "
            f"{counted(len(sheet.cues), 'shot')}; expected the film that its sidecar tells of."
        )
    return found


def _small(codes: npt.NDArray[np.uint8], aspect: float) -> npt.NDArray[np.uint8]:
    height = max(1, round(WIDTH * codes.shape[0] / (codes.shape[1] * aspect)))
    small = Image.fromarray(codes).resize((WIDTH, height), Image.Resampling.BOX)
    return np.asarray(small)


def _data(codes: npt.NDArray[np.uint8]) -> str:
    packed = io.BytesIO()
    Image.fromarray(codes).save(packed, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(packed.getvalue()).decode('ascii')}"


def _entry(entry: dict[str, Any]) -> str:
    told = [str(entry["kind"])]
    told += [f"of frame {entry['frame']}"] if "frame" in entry else []
    told += [str(entry["path"])] if "path" in entry else []
    return " ".join(told)


def _grade(plan: dict[str, Any]) -> str:
    told = [plan["look"]] if plan.get("look") else []
    for name, neutral in (("saturation", 1), ("warmth", 0)):
        if plan.get(name, neutral) != neutral:
            told.append(f"{name} {plan[name]:g}")
    return ", ".join(told)


def _plain(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
