"""What a person says of a film in points, strokes and polygons: a readable document.

    {"version": 1,
     "marks": [
       {"frame": 48, "kind": "color", "color": "#5a6b3c", "at": [310, 122], "radius": 6},
       {"frame": 48, "kind": "color", "color": [52, 8, -31], "stroke": [[10, 8], [60, 12]]},
       {"frame": 0, "kind": "keep-gray", "polygon": [[0, 0], [200, 0], [200, 90]]},
       {"frame": 48, "kind": "only-here", "polygon": [[280, 90], [360, 90], [360, 200]]}],
     "palette": ["#5a6b3c", "#20263a"],
     "looks": [{"first": 0, "stop": 120, "saturation": 0.8, "warmth": -0.1}]}

Places are (x, y) in pixels of the frame as it is shown: upright, its pixels square.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pycolor.errors import UsageError

Kind = Literal["color", "keep-gray", "only-here"]
KINDS: tuple[Kind, ...] = ("color", "keep-gray", "only-here")
SHAPES = ("at", "stroke", "polygon")
RADIUS = 6.0  # pixels, of a point or stroke that does not say

Point = tuple[float, float]
Color = str | tuple[float, float, float]  # sRGB as #rrggbb, or L*, a, b


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One place of one frame.

    Attributes:
        frame: its number.
        kind: the place has this color; stays gray; or marks of color on this frame count only
            in it.
        at: a point.
        stroke: points of a line.
        polygon: corners of an area; exactly one of the three is given.
        radius: of the point or line, in pixels.
        color: sRGB as #rrggbb, or L*, a, b (of a color, its lightness is the film's).

    Raises:
        UsageError: they do not fit together.
    """

    frame: int
    kind: Kind = "color"
    at: Point | None = None
    stroke: tuple[Point, ...] = ()
    polygon: tuple[Point, ...] = ()
    radius: float = RADIUS
    color: Color | None = None

    def __post_init__(self) -> None:
        shapes = (self.at is not None) + bool(self.stroke) + bool(self.polygon)
        if shapes != 1:
            raise UsageError(
                f"a mark of frame {self.frame} needs one of {', '.join(SHAPES)}, got {shapes}."
            )
        if self.frame < 0:
            raise UsageError(f"a mark's frame must be 0 or more, got {self.frame}.")
        if self.kind not in KINDS:
            raise UsageError(f"a mark's kind must be {', '.join(KINDS)}; got {self.kind!r}.")
        if (self.kind == "color") != (self.color is not None):
            raise UsageError(
                f"a mark of frame {self.frame} of kind {self.kind} "
                + ("needs a color." if self.color is None else "takes no color.")
            )
        if not 0 < self.radius <= 10000:
            raise UsageError(f"a mark's radius must be above 0, got {self.radius}.")
        if self.kind == "only-here" and not self.polygon:
            raise UsageError(f"the mark only-here of frame {self.frame} needs a polygon.")
        if 0 < len(self.polygon) < 3:
            raise UsageError(f"a polygon needs 3 corners or more, got {len(self.polygon)}.")
        if self.color is not None:
            _ = ab_of(self.color)

    @property
    def ab(self) -> tuple[float, float]:
        """Chroma of the place: that of its color, 0 of one that stays gray."""
        return ab_of(self.color) if self.color is not None else (0.0, 0.0)

    @property
    def points(self) -> tuple[Point, ...]:
        """Where it lies: the point, the points of its line, or its corners."""
        return (self.at,) if self.at is not None else self.stroke or self.polygon

    def touches(self, width: int, height: int) -> bool:
        """Whether some of it can lie in a picture of this size."""
        around = 0.0 if self.polygon else self.radius
        return all(
            min(along) - around < size and max(along) + around > 0
            for along, size in zip(zip(*self.points, strict=True), (width, height), strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class ShotLook:
    """How the colors of some frames are graded.

    Attributes:
        first: the first of them; `stop` one past the last.
        saturation: factor on the chroma, 0 to 4.
        warmth: −1 (colder) to 1 (warmer).
    """

    first: int
    stop: int
    saturation: float = 1.0
    warmth: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.stop:
            raise UsageError(f"a look needs 0 <= first < stop, got {self.first} and {self.stop}.")
        if not 0 <= self.saturation <= 4:
            raise UsageError(f"a look's saturation must lie in 0 to 4, got {self.saturation}.")
        if not -1 <= self.warmth <= 1:
            raise UsageError(f"a look's warmth must lie in -1 to 1, got {self.warmth}.")


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The document.

    Attributes:
        marks: in any order.
        palette: colors that the film's are drawn to.
        looks: of some frames; the first that holds a frame counts.
    """

    marks: tuple[Mark, ...] = ()
    palette: tuple[Color, ...] = ()
    looks: tuple[ShotLook, ...] = field(default=())

    def of(self, frame: int) -> tuple[Mark, ...]:
        """The marks of one frame."""
        return tuple(mark for mark in self.marks if mark.frame == frame)

    @property
    def frames(self) -> tuple[int, ...]:
        """The frames that have marks, in order."""
        return tuple(sorted({mark.frame for mark in self.marks}))

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `from_json` reads them back."""
        empty: tuple[Any, ...] = (None, (), [])
        marks = [
            {
                k: v
                for k, v in asdict(mark).items()
                if v not in empty and (k, v) != ("radius", RADIUS)
            }
            for mark in self.marks
        ]
        looks = [asdict(look) for look in self.looks]
        return {"version": 1, "marks": marks, "palette": list(self.palette), "looks": looks}

    @classmethod
    def from_json(cls, content: Any) -> Marks:
        """The document from JSON values.

        Raises:
            UsageError: it says what this version does not know, or something impossible.
        """
        if not isinstance(content, Mapping) or content.get("version") != 1:
            raise UsageError('guidance must be a JSON object with "version": 1.')
        _expect_keys(content, ("version", "marks", "palette", "looks"), "guidance")
        marks = [_mark(item) for item in _list(content, "marks")]
        looks = []
        for item in _list(content, "looks"):
            _expect_keys(item, ("first", "stop", "saturation", "warmth"), "a look")
            numbers = {k: _number(v, f"a look's {k}") for k, v in item.items()}
            if not {"first", "stop"} <= numbers.keys():
                raise UsageError("a look needs first and stop.")
            frames = {k: _whole(numbers.pop(k), f"a look's {k}") for k in ("first", "stop")}
            looks.append(ShotLook(**frames, **numbers))  # type: ignore[arg-type]
        palette = tuple(_color(item) for item in _list(content, "palette"))
        for color in palette:
            ab_of(color)
        return cls(marks=tuple(marks), palette=palette, looks=tuple(looks))

    @classmethod
    def read(cls, text: str, name: str) -> Marks:
        """The document from JSON text.

        Args:
            text: of the document.
            name: of its file, for the message.

        Raises:
            UsageError: it is none.
        """
        try:
            return cls.from_json(json.loads(text, object_pairs_hook=_once))
        except json.JSONDecodeError as error:
            raise UsageError(f"{name} is no JSON: {error}.") from None
        except RecursionError:
            raise UsageError(f"{name} has lists in lists without end.") from None
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from None


def ab_of(color: Color) -> tuple[float, float]:
    """Chroma of a color (IEC 61966-2-1, D65; CIE 15).

    Args:
        color: #rrggbb, or L*, a, b.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(color, str):
        lightness, a, b = color
        if not (0 <= lightness <= 100 and max(abs(a), abs(b)) <= 128):
            raise UsageError(f"Lab must lie in 0 … 100, ±128, ±128; got {list(color)}.")
        return a, b
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise UsageError(f"a color must be #rrggbb or [L, a, b], got {color!r}.")
    r, g, b = (_linear(int(color[i : i + 2], 16) / 255) for i in (1, 3, 5))
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.0890
    fx, fy, fz = (
        t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in (x, y, z)
    )
    return 500 * (fx - fy), 200 * (fy - fz)


def _linear(v: float) -> float:
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


def _mark(item: Any) -> Mark:
    _expect_keys(item, ("frame", "kind", *SHAPES, "radius", "color"), "a mark")
    if "frame" not in item:
        raise UsageError("a mark needs a frame.")
    at = item.get("at")
    return Mark(
        frame=_whole(item["frame"], "a mark's frame"),
        kind=item.get("kind", "color"),
        at=None if at is None else _point(at),
        stroke=tuple(_point(p) for p in _list(item, "stroke")),
        polygon=tuple(_point(p) for p in _list(item, "polygon")),
        radius=_number(item.get("radius", RADIUS), "a mark's radius"),
        color=_color(item["color"]) if item.get("color") is not None else None,
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of a key that stands there twice one would be passed over in silence."""
    keys = [key for key, _ in pairs]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise UsageError(f"the key {twice!r} stands twice in one object.")
    return dict(pairs)


def _expect_keys(item: Any, known: Sequence[str], what: str) -> None:
    if not isinstance(item, Mapping):
        raise UsageError(f"{what} must be a JSON object, got {item!r}.")
    unknown = [key for key in item if key not in known]
    if unknown:
        raise UsageError(f"{what} has {unknown[0]!r}; expected {', '.join(known)}.")


def _list(item: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = item.get(key, [])
    if not isinstance(value, list | tuple):
        raise UsageError(f"{key} must be a list, got {value!r}.")
    return value


def _number(value: Any, what: str) -> float:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        raise UsageError(f"{what} must be a number, got one of too many digits.") from None
    raise UsageError(f"{what} must be a number, got {value!r}.")


def _whole(value: Any, what: str) -> int:
    number = _number(value, what)
    if number != int(number):
        raise UsageError(f"{what} must be a whole number, got {value!r}.")
    return int(number)


def _point(value: Any) -> Point:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise UsageError(f"a place must be [x, y], got {value!r}.")
    return _number(value[0], "x"), _number(value[1], "y")


def _color(value: Any) -> Color:
    if isinstance(value, str):
        return value
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise UsageError(f"a color must be #rrggbb or [L, a, b], got {value!r}.")
    return (_number(value[0], "L"), _number(value[1], "a"), _number(value[2], "b"))
