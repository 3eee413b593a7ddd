"""Pictures whose color is known to be none, for a network to say so.

Titles, paper, maps, drawings, X-rays, test cards, black and white frames: a film is full of what is
gray, and photographs for training have none of it.  Half of these are drawn, half are derived from
a photograph's luma, in which every thing has lost its shading or is turned inside out.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy import ndimage
from torch import Tensor

Plane = npt.NDArray[np.float64]  # S×S, 0 … 1
Generator = np.random.Generator

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?&-"


def grays(rgb: Tensor, generator: torch.Generator) -> Tensor:
    """A made picture in the place of each photograph.

    Args:
        rgb: N×3×S×S, 0 … 1.
        generator: the only source of randomness.

    Returns:
        N×3×S×S, the three channels alike.
    """
    seeds = torch.randint(0, 2**31, (len(rgb),), generator=generator).tolist()
    lumas = rgb.mean(1).double().cpu().numpy()
    planes = [
        made_picture(luma, np.random.default_rng(seed))
        for luma, seed in zip(lumas, seeds, strict=True)
    ]
    stacked = torch.from_numpy(np.stack(planes)).to(rgb)
    return stacked[:, None].expand(-1, 3, -1, -1)


class Bank:
    """Made pictures that are drawn once and shown again, mirrored at random: for a GPU.

    Args:
        photographs: crops N×3×S×S, uint8, a picture for each.
        seed: of all of them.
        workers: drawing threads.
    """

    def __init__(self, photographs: Tensor, seed: int, workers: int) -> None:
        lumas = photographs.float().mean(1).div(255).double().cpu().numpy()

        def draw(number: int) -> npt.NDArray[np.uint8]:
            rng = np.random.default_rng((seed, 4, number))
            return (made_picture(lumas[number], rng) * 255).round().astype(np.uint8)

        with ThreadPoolExecutor(workers, thread_name_prefix="made") as pool:
            pictures = np.stack(list(pool.map(draw, range(len(lumas)))))
        self.pictures = torch.from_numpy(pictures)[:, None].to(photographs.device)

    def draw(self, number: int, generator: torch.Generator) -> Tensor:
        """Some of them, N×3×S×S in 0 … 1, the three channels alike.

        Args:
            number: N.
            generator: the only source of randomness (on the CPU).
        """
        device = self.pictures.device
        which = torch.randint(len(self.pictures), (number,), generator=generator)
        flips = torch.rand(2, number, 1, 1, 1, generator=generator).to(device) < 0.5
        drawn = self.pictures[which.to(device)]
        drawn = torch.where(flips[0], drawn.flip(2), drawn)
        drawn = torch.where(flips[1], drawn.flip(3), drawn)
        return (drawn.float() / 255).expand(-1, 3, -1, -1)


def made_picture(luma: Plane, rng: Generator) -> Plane:
    """One of the kinds, at random, sometimes in a frame.

    Args:
        luma: S×S of a photograph, 0 … 1, for the kinds that are derived from one.
        rng: the only source of randomness.

    Returns:
        S×S, 0 … 1.
    """
    kind = _KINDS[int(rng.integers(len(_KINDS)))]
    picture = kind(np.asarray(luma, np.float64), rng)
    if rng.random() < 0.25:
        picture = _framed(picture, rng)
    if rng.random() < 0.5:
        picture = picture + rng.normal(0, rng.uniform(0, 0.03), picture.shape)
    return np.clip(picture, 0, 1)


def _paper(size: int, rng: Generator) -> Plane:
    """An even tone with little unevenness, black, white or between."""
    tone = (0.0, 1.0, rng.uniform(0, 1), rng.uniform(0.6, 1))[int(rng.integers(4))]
    uneven = _clouds(size, rng, rng.uniform(4, 40)) * rng.uniform(0, 0.12)
    return np.clip(tone + uneven, 0, 1)


def _clouds(size: int, rng: Generator, scale: float) -> Plane:
    """Smooth noise of mean 0 and deviation about 0.5, which changes over `scale` pixels."""
    field = ndimage.gaussian_filter(rng.normal(size=(size, size)), scale, mode="reflect")
    return np.asarray(field / (2 * field.std() + 1e-9), np.float64)


def _card(luma: Plane, rng: Generator) -> Plane:
    """A flat field, a ramp, or steps."""
    size = len(luma)
    y, x = np.mgrid[:size, :size] / size - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    round_ = np.hypot(x - rng.uniform(-0.4, 0.4), y - rng.uniform(-0.4, 0.4))
    ramp = (along, round_)[int(rng.integers(2))]
    if rng.random() < 0.3:
        steps = int(rng.integers(3, 16))
        ramp = np.floor(ramp * steps) / steps
    contrast = (0.0, rng.uniform(-0.3, 0.3), rng.uniform(-1.2, 1.2))[int(rng.integers(3))]
    return np.asarray(rng.uniform(0, 1) + contrast * ramp, np.float64)


def _title(luma: Plane, rng: Generator) -> Plane:
    """Lines of letters on black, white, gray or paper."""
    size = len(luma)
    ground = _paper(size, rng)
    page = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(page)
    height = int(rng.integers(7, max(8, size // 4)))
    font = ImageFont.load_default(height)
    for top in range(int(rng.integers(0, size // 3)), size - height // 2, int(height * 1.3) + 1):
        if rng.random() < 0.2:
            continue
        letters = rng.choice(list(_LETTERS + "     "), int(rng.integers(3, 30)))
        pen.text((int(rng.integers(-5, size // 3)), top), "".join(letters), 255, font)
        if rng.random() < 0.15:
            break
    ink = 1.0 if ground.mean() < 0.5 else 0.0
    ink = abs(ink - rng.uniform(0, 0.35))
    cover = np.asarray(page, np.float64) / 255
    return ground * (1 - cover) + ink * cover


def _drawing(luma: Plane, rng: Generator) -> Plane:
    """Lines, curves and hatching on paper; a map has filled regions and names, too."""
    size = len(luma)
    ground = _paper(size, rng)
    if rng.random() < 0.5:
        steps = int(rng.integers(2, 6))
        regions = np.floor(_clouds(size, rng, rng.uniform(6, 30)) * steps)
        ground = ground + regions / steps * rng.uniform(0.05, 0.4)
        edges = ndimage.morphological_gradient(regions, size=2) > 0
        ground = np.where(edges, rng.uniform(0, 0.4), ground)
    page = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(3, 40))):
        start = rng.uniform(0, size, 2)
        bends = rng.normal(0, size / 8, (int(rng.integers(1, 12)), 2))
        points = np.cumsum(np.vstack([start, bends]), axis=0)
        line = [(float(px), float(py)) for px, py in points]
        pen.line(line, 255, int(rng.integers(1, 4)))
        if rng.random() < 0.2:
            r = float(rng.uniform(2, size / 5))
            pen.ellipse((start[0] - r, start[1] - r, start[0] + r, start[1] + r), outline=255)
        if rng.random() < 0.15:
            pen.text(
                line[0], "".join(rng.choice(list(_LETTERS), 6)), 255, ImageFont.load_default(9)
            )
    cover = np.asarray(page, np.float64) / 255
    ink = 0.0 if ground.mean() > 0.4 else 1.0
    return ground * (1 - cover) + ink * cover


def _test_card(luma: Plane, rng: Generator) -> Plane:
    """Bars, squares, gratings, rings, or a countdown's circle and cross."""
    size = len(luma)
    y, x = np.mgrid[:size, :size]
    period = float(rng.uniform(4, size / 2))
    kind = int(rng.integers(5))
    if kind == 0:
        tones = rng.uniform(0, 1, size)
        return np.asarray(tones[(x / period).astype(int)], np.float64)
    if kind == 1:
        return np.asarray(((x // period + y // period) % 2) * rng.uniform(0.2, 1), np.float64)
    if kind == 2:
        angle = rng.uniform(0, np.pi)
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
        return np.asarray(0.5 + 0.5 * wave * rng.uniform(0.2, 1), np.float64)
    middle = size / 2 + rng.uniform(-10, 10, 2)
    radius = np.hypot(x - middle[0], y - middle[1])
    if kind == 3:
        return np.asarray(0.5 + 0.5 * np.sin(radius**2 / (period * 8)), np.float64)
    lines = np.minimum(np.abs(x - middle[0]), np.abs(y - middle[1])) < 1.5
    rings = (np.abs(radius - size * 0.35) < 2) | (np.abs(radius - size * 0.25) < 2)
    return np.where(lines | rings, rng.uniform(0, 0.4), rng.uniform(0.5, 1))


def _noise(luma: Plane, rng: Generator) -> Plane:
    """Blank film: nearly black, nearly white or gray, with grain, dust and stains."""
    size = len(luma)
    grain = ndimage.gaussian_filter(rng.normal(size=(size, size)), rng.uniform(0, 1.5))
    picture = _paper(size, rng) + grain * rng.uniform(0, 0.15)
    dust = rng.random((size, size)) < rng.uniform(0, 0.004)
    return np.where(ndimage.maximum_filter(dust, 2), rng.integers(2), picture)


def _outlines(luma: Plane, rng: Generator) -> Plane:
    """A photograph as a pen would draw it."""
    smooth = ndimage.gaussian_filter(luma, rng.uniform(0.5, 1.5))
    slope = ndimage.gaussian_gradient_magnitude(smooth, 0.8)
    ink = np.clip(slope / (np.quantile(slope, rng.uniform(0.9, 0.98)) + 1e-3), 0, 1)
    drawn = np.asarray(1 - ink, np.float64)
    return 1 - drawn if rng.random() < 0.2 else drawn


def _hatched(luma: Plane, rng: Generator) -> Plane:
    """A photograph as an engraving or a print's dots, or in two or three tones."""
    size = len(luma)
    y, x = np.mgrid[:size, :size]
    if rng.random() < 0.4:
        levels = int(rng.integers(1, 3))
        smooth = ndimage.gaussian_filter(luma, rng.uniform(0.5, 2))
        even = (smooth - smooth.min()) / (np.ptp(smooth) + 1e-3)
        return np.asarray(np.round(even * levels) / levels, np.float64)
    period = rng.uniform(3, 7)
    angle = rng.uniform(0, np.pi)
    u = x * np.cos(angle) + y * np.sin(angle)
    v = -x * np.sin(angle) + y * np.cos(angle)
    screen = np.cos(2 * np.pi * u / period)
    if rng.random() < 0.5:
        screen = (screen + np.cos(2 * np.pi * v / period)) / 2
    return np.asarray(np.clip((luma - 0.5 - 0.5 * screen) * 4 + 0.5, 0, 1), np.float64)


def _x_ray(luma: Plane, rng: Generator) -> Plane:
    """Soft bright shapes on black: a photograph turned inside out, or bodies that shine through."""
    size = len(luma)
    if rng.random() < 0.4:
        y, x = np.mgrid[:size, :size] / size - 0.5
        shape = np.clip(1.6 - 4 * np.hypot(x * rng.uniform(0.8, 2), y * rng.uniform(0.8, 2)), 0, 1)
        inside = ndimage.gaussian_filter(1 - luma, rng.uniform(0.5, 4))
        return np.asarray(shape * inside, np.float64)
    picture = np.zeros((size, size))
    y, x = np.mgrid[:size, :size] / size
    for _ in range(int(rng.integers(3, 14))):
        angle = rng.uniform(0, np.pi)
        dx, dy = x - rng.uniform(0.1, 0.9), y - rng.uniform(0.1, 0.9)
        u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        far = (u / rng.uniform(0.05, 0.5)) ** 2 + (v / rng.uniform(0.03, 0.12)) ** 2
        picture += rng.uniform(0.1, 0.5) * np.exp(-(far ** rng.uniform(0.8, 3)))
    soft = ndimage.gaussian_filter(picture, rng.uniform(0.5, 3))
    return np.asarray(soft / max(1.0, soft.max()), np.float64)


def _framed(picture: Plane, rng: Generator) -> Plane:
    """In a black, white or gray frame."""
    size = len(picture)
    edge = int(rng.uniform(0.03, 0.25) * size)
    framed = np.full_like(picture, (0.0, 1.0, rng.uniform(0, 1))[int(rng.integers(3))])
    inner = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    inner = inner.resize((size - 2 * edge, size - 2 * edge)).filter(ImageFilter.SMOOTH)
    framed[edge : size - edge, edge : size - edge] = np.asarray(inner) / 255
    return framed


_KINDS: tuple[Callable[[Plane, Generator], Plane], ...] = (
    *(_card, _card, _card, _title, _title, _drawing, _drawing, _test_card, _noise),
    *(_outlines, _hatched, _x_ray, _x_ray),
)
