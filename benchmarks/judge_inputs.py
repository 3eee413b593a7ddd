"""Pictures without color that every film holds, made here, and faded copies of photographs.

Other drawings than those that the training makes (`pycolor/train/made.py`): a network that has
learned those has not seen these.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Codes = npt.NDArray[np.uint8]

HEIGHT, WIDTH = 256, 320
FADED = ((0.35, 0.4), (0.4, 0.2), (0.0, 0.35))  # lifted blacks and a span, of 8-bit codes


def faded(codes: Codes, low: float, span: float) -> Codes:
    """A copy whose codes are low + span · y, in 8 bits."""
    return _codes(low + span * (codes / 255))


def _codes(plane: npt.NDArray[np.floating]) -> Codes:
    return np.asarray((np.clip(plane, 0, 1) * 255).round(), np.uint8)


def _page(ground: int, ink: int, lines: list[str], size: int) -> Codes:
    page = Image.new("L", (WIDTH, HEIGHT), ground)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size)
    for i, line in enumerate(lines):
        width = pen.textlength(line, font)
        pen.text(
            ((WIDTH - width) / 2, HEIGHT / 2 + size * 1.4 * (i - len(lines) / 2)), line, ink, font
        )
    return np.asarray(page)


def _card(level: int) -> Codes:
    """A flat card with the grain of a scan."""
    grain = np.random.default_rng(level).normal(0, 1.5, (HEIGHT, WIDTH))
    return _codes((level + grain) / 255)


def _paper() -> Codes:
    words = "the quick brown fox jumps over the lazy dog and runs along the river bank "
    text = (words * 6).split()
    lines = [" ".join(text[i : i + 7]) for i in range(0, 70, 7)]
    page = _page(225, 40, lines, 14).astype(float)
    uneven = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=page.shape), 30)
    return _codes((page + uneven / uneven.std() * 3) / 255)


def _map() -> Codes:
    """Land and sea in two tones, a coast, rivers, roads, names."""
    rng = np.random.default_rng(2)
    height = ndimage.gaussian_filter(rng.normal(size=(HEIGHT, WIDTH)), 22)
    land = height > np.quantile(height, 0.35)
    coast = ndimage.binary_dilation(land) ^ land
    contour = (np.abs((height / height.std() * 3) % 1 - 0.5) < 0.03) & land
    tone = np.where(land, 0.86, 0.7)
    tone = np.where(contour, 0.6, tone)
    page = Image.fromarray(_codes(np.where(coast, 0.1, tone)))
    pen = ImageDraw.Draw(page)
    for _ in range(9):
        places = np.cumsum(np.vstack([rng.uniform(0, 250, 2), rng.normal(0, 22, (10, 2))]), axis=0)
        pen.line([tuple(p) for p in places.tolist()], 60, 1)
    for name in ("Norham", "Eastvale", "Port Lune", "Kirk"):
        pen.text(tuple(rng.uniform(20, 230, 2).tolist()), name, 20, ImageFont.load_default(13))
    return np.asarray(page)


def _x_ray() -> Codes:
    """A hand: bright soft bones in a softer body, on black."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    bones, body = np.zeros_like(y), np.zeros_like(y)
    for k, angle in enumerate((-0.75, -0.3, -0.05, 0.2, 0.45)):
        length = (70, 125, 140, 128, 100)[k]
        for along in np.linspace(0.15, 1, 4):
            cx, cy = 160 + np.sin(angle) * length * along, 190 - np.cos(angle) * length * along
            u = (x - cx) * np.sin(angle) - (y - cy) * np.cos(angle)
            v = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
            bones += np.exp(-((u / 14) ** 4) - (v / 5) ** 2)
            body += np.exp(-((u / 26) ** 2) - (v / 13) ** 2)
    body += 1.5 * np.exp(-(((x - 160) / 48) ** 2) - ((y - 205) / 40) ** 2)
    film = 0.05 + 0.3 * np.clip(body, 0, 1) + 0.45 * np.clip(bones, 0, 1)
    return _codes(ndimage.gaussian_filter(film, 1.5))


def _test_card() -> Codes:
    bars = np.repeat(np.linspace(0, 1, 8), WIDTH // 8)
    page = Image.fromarray(_codes(np.tile(bars, (HEIGHT, 1))))
    pen = ImageDraw.Draw(page)
    pen.ellipse((60, 28, 260, 228), outline=255, width=3)
    for i in range(0, 60, 4):
        pen.line((130 + i, 100, 130 + i, 156), 0 if i % 8 else 255, 2)
    return np.asarray(page)


def _drawing() -> Codes:
    """A house with a tree, in ink."""
    page = Image.new("L", (WIDTH, HEIGHT), 248)
    pen = ImageDraw.Draw(page)
    pen.rectangle((60, 120, 180, 220), outline=15, width=2)
    pen.line((50, 120, 120, 60, 190, 120), 15, 2)
    for box in ((75, 140, 105, 170), (135, 140, 165, 170), (108, 175, 132, 220)):
        pen.rectangle(box, outline=15, width=2)
    for i in range(8):
        pen.ellipse((215 + 9 * (i % 3), 80 + 8 * i, 260 + 9 * (i % 2), 118 + 8 * i), outline=15)
    pen.line((245, 150, 245, 222), 15, 5)
    pen.line((0, 222, WIDTH, 222), 15, 2)
    return np.asarray(page)


def _ramp() -> Codes:
    return _codes(np.tile(np.linspace(0, 1, WIDTH), (HEIGHT, 1)))


INPUTS: dict[str, Callable[[], Codes]] = {
    "gray card, dark": lambda: _card(64),
    "gray card": lambda: _card(128),
    "gray card, light": lambda: _card(192),
    "black frame": lambda: _card(16),
    "white frame": lambda: _card(240),
    "title on black": lambda: _page(8, 235, ["THE END", "of part one"], 30),
    "title on gray": lambda: _page(120, 235, ["CHAPTER TWO", "a stranger arrives"], 26),
    "black on paper": _paper,
    "line drawing": _drawing,
    "map": _map,
    "X-ray": _x_ray,
    "test card": _test_card,
    "ramp": _ramp,
}
