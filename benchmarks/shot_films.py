"""Made films whose shots are known: photographs under a moving camera, cut together and worn.

Everything is drawn from one seed.  A film is made frame by frame, so a long one needs no memory.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Plane = npt.NDArray[np.float32]
Luma = npt.NDArray[np.uint8]
Kind = Literal["cut", "dissolve", "fade"]

# Photographs that scikit-image carries inside its package, with enough in them for a shot.
PHOTOGRAPHS = (
    "astronaut", "camera", "chelsea", "coffee", "coins", "rocket", "brick", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "text", "clock",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Wear:
    """What time did to the film.

    Attributes:
        flicker: largest change of gain from one frame to the next, as a part of 1.
        grain: standard deviation of the grain, in 8-bit codes.
        weave: standard deviation of the frame's unsteadiness in the gate, in pixels.
        scratches: chance that a frame has vertical scratches.
        dust: chance that a frame has blobs of dirt.
        flashes: chance that a shot holds a flash of one to three frames.
        jumps: chance that a shot lacks some frames in its middle.
    """

    flicker: float = 0.0
    grain: float = 0.0
    weave: float = 0.0
    scratches: float = 0.0
    dust: float = 0.0
    flashes: float = 0.0
    jumps: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Motion:
    """How the camera and the things before it move; lengths are parts of the picture's width.

    Attributes:
        pan: largest speed of the camera, a frame.
        zoom: largest change of scale, a frame.
        thing: size of a thing that crosses the picture; 0 for none.
        speed: largest speed of that thing, a frame.
    """

    pan: float = 0.0
    zoom: float = 0.0
    thing: float = 0.0
    speed: float = 0.0


@dataclass(frozen=True)
class Event:
    """One thing that happens in a made film, from frame `start` up to but without `stop`."""

    kind: str
    start: int
    stop: int
    boundary: int | None


NEW = Wear()
OLD = Wear(flicker=0.06, grain=5, weave=0.5, scratches=0.3, dust=0.3, flashes=0.25, jumps=0.25)
RUINED = Wear(flicker=0.2, grain=10, weave=1.2, scratches=0.6, dust=0.6, flashes=0.4, jumps=0.4)
STILL = Motion()
CALM = Motion(pan=0.003, zoom=0.001, thing=0.2, speed=0.01)
LIVELY = Motion(pan=0.015, zoom=0.004, thing=0.3, speed=0.03)
VIOLENT = Motion(pan=0.05, zoom=0.01, thing=0.4, speed=0.06)


@functools.cache
def photographs() -> tuple[Plane, ...]:
    """The gray photographs, H×W in 0 … 255."""
    from skimage import color, data

    found = []
    for name in PHOTOGRAPHS:
        picture = np.asarray(getattr(data, name)())
        if picture.ndim == 3:
            picture = color.rgb2gray(picture[..., :3]) * 255
        found.append(picture.astype(np.float32))
    return tuple(found)


class _Scene:
    """A photograph under a moving camera, with a thing that moves across it."""

    def __init__(
        self,
        picture: Plane,
        thing: Plane,
        motion: Motion,
        size: tuple[int, int],
        rng: np.random.Generator,
    ) -> None:
        self.picture, self.thing, self.size = picture, thing, size
        H, W = size
        # Source pixels per frame pixel, so that the window is 0.35 … 0.8 of the photograph.
        fit = min(picture.shape[0] / H, picture.shape[1] / W)
        self.scale = fit * rng.uniform(0.35, 0.8)
        angle = rng.uniform(0, 2 * np.pi)
        speed = motion.pan * rng.uniform(0.3, 1) * W
        self.velocity = np.array([np.sin(angle) * 0.6, np.cos(angle)]) * speed
        self.zoom = 1 + motion.zoom * rng.uniform(-1, 1)
        self.origin = rng.uniform(0, 1, 2) * np.array(picture.shape)
        self.radius = motion.thing * W * rng.uniform(0.5, 1) / 2
        self.thing_at = rng.uniform(0.1, 0.9, 2) * size
        angle = rng.uniform(0, 2 * np.pi)
        self.thing_velocity = np.array([np.sin(angle), np.cos(angle)]) * motion.speed * W

    def frame(self, t: float) -> Plane:
        H, W = self.size
        scale = self.scale * self.zoom**t
        # The camera sees the photograph mirrored at its edges, as far as it pans.
        start = self.origin + self.velocity * self.scale * t - np.array([H, W]) * scale / 2
        y = start[0] + np.arange(H) * scale
        x = start[1] + np.arange(W) * scale
        picture = _sample(self.picture, y, x)
        if self.radius > 0:
            center = self.thing_at + self.thing_velocity * t
            period = 2 * np.array(self.size)
            center = np.abs((center + period / 2) % period - period / 2)
            yy, xx = np.ogrid[:H, :W]
            inside = (yy - center[0]) ** 2 + (xx - center[1]) ** 2 < self.radius**2
            texture = _sample(self.thing, np.arange(H) - center[0], np.arange(W) - center[1])
            picture = np.where(inside, texture, picture).astype(np.float32)
        return picture


def _sample(picture: Plane, y: npt.NDArray[np.float64], x: npt.NDArray[np.float64]) -> Plane:
    """Bilinear, on a grid, mirrored outside."""

    def taps(at: npt.NDArray[np.float64], length: int) -> tuple[npt.NDArray[np.intp], Plane]:
        at = np.abs((at + length - 1) % (2 * (length - 1)) - (length - 1))
        low = np.minimum(at.astype(np.intp), length - 2)
        part: Plane = (at - low).astype(np.float32)
        return low, part

    iy, fy = taps(y, picture.shape[0])
    ix, fx = taps(x, picture.shape[1])
    rows: Plane = picture[iy] * (1 - fy[:, None]) + picture[iy + 1] * fy[:, None]
    sampled: Plane = rows[:, ix] * (1 - fx) + rows[:, ix + 1] * fx
    return sampled


class MadeFilm:
    """A film of `transitions` + 1 shots joined by one kind of transition.

    Args:
        kind: "cut", "dissolve" or "fade".
        transitions: how many.
        motion: of camera and things.
        wear: of the film.
        size: (H, W).
        seed: everything follows from it.
        pictures: the photographs; scikit-image's by default.
        lengths: shortest and longest undisturbed part of a shot, in frames.
        spans: shortest and longest dissolve, or half of a fade, in frames.

    Attributes:
        events: what happens, in order; known before the first frame is made.
    """

    def __init__(
        self,
        kind: Kind,
        transitions: int,
        *,
        motion: Motion = CALM,
        wear: Wear = OLD,
        size: tuple[int, int] = (180, 240),
        seed: int = 0,
        pictures: Sequence[Plane] | None = None,
        lengths: tuple[int, int] = (24, 60),
        spans: tuple[int, int] = (8, 32),
    ) -> None:
        self.kind, self.motion, self.wear, self.size, self.seed = kind, motion, wear, size, seed
        self.pictures = list(photographs() if pictures is None else pictures)
        rng = np.random.default_rng(seed)
        self.events: list[Event] = []
        self._scenes: list[tuple[_Scene, int, int]] = []  # scene, first and last frame + 1
        self._skips: list[list[tuple[int, int]]] = []  # (frame, frames that are missing there)
        self._flashes: dict[int, str] = {}
        self._fades: list[tuple[int, int, int, int, float]] = []
        self._dissolves: list[tuple[int, int]] = []
        at, before, index = 0, 0, -1
        for shot in range(transitions + 1):
            body, after, hold, into = (int(rng.integers(low, high + 1)) for low, high in (
                lengths, spans, (1, 8), spans))  # fmt: skip
            if kind == "cut" or shot == transitions:
                after = 0
            index = _another(index, len(self.pictures), rng)
            thing = self.pictures[_another(index, len(self.pictures), rng)]
            scene = _Scene(self.pictures[index], thing, motion, size, rng)
            start, stop = at, at + before + body + after
            self._scenes.append((scene, start, stop))
            self._disturb((start + before, stop - after), rng)
            at, before = stop, 0
            if shot == transitions:
                continue
            if kind == "cut":
                self.events.append(Event("cut", stop, stop, stop))
            elif kind == "dissolve":
                at, before = stop - after, after
                self._dissolves.append((at, stop))
                self.events.append(Event("dissolve", at, stop, (at + stop + 1) // 2))
            else:
                before = hold + into
                flat = 255.0 if rng.random() < 0.2 else 8.0
                self._fades.append((stop - after, stop, stop + hold, stop + before, flat))
                events = Event("fade", stop - after, stop + before, stop + hold // 2)
                self.events.append(events)
        self.frames = self._scenes[-1][2]
        self.events.sort(key=lambda event: (event.start, event.stop))

    def _disturb(self, inner: tuple[int, int], rng: np.random.Generator) -> None:
        skips: list[tuple[int, int]] = []
        start, stop = inner
        if stop - start >= 20 and rng.random() < self.wear.flashes:
            at = int(rng.integers(start + 7, stop - 9))
            span = int(rng.integers(1, 4))
            look = str(rng.choice(["white", "bright", "black", "dirt"]))
            self._flashes.update(dict.fromkeys(range(at, at + span), look))
            self.events.append(Event("flash", at, at + span, None))
        elif stop - start >= 20 and rng.random() < self.wear.jumps:
            at = int(rng.integers(start + 7, stop - 9))
            skips.append((at, int(rng.integers(2, 7))))
            self.events.append(Event("jump", at, at, None))
        self._skips.append(skips)

    def __iter__(self) -> Iterator[Luma]:
        """The frames, H×W uint8, full range."""
        rng = np.random.default_rng([self.seed, 1])
        for t in range(self.frames):
            yield self._worn(self._clean(t), t, rng)

    def _clean(self, t: int) -> Plane:
        shown = [n for n, (_, start, stop) in enumerate(self._scenes) if start <= t < stop]
        frames = []
        for n in shown:
            scene, start, _ = self._scenes[n]
            missing = sum(count for at, count in self._skips[n] if t >= at)
            frames.append(scene.frame(t - start + missing))
        picture = frames[0]
        if len(frames) == 2:
            start, stop = self._dissolves[shown[0]]
            alpha = np.float32((t - start + 1) / (stop - start + 1))
            picture = (1 - alpha) * frames[0] + alpha * frames[1]
        for start, dark, light, stop, flat in self._fades:
            if start <= t < stop:
                if t < dark:
                    part = (t - start + 1) / (dark - start + 1)
                else:
                    part = 1.0 if t < light else 1 - (t - light + 1) / (stop - light + 1)
                picture = (1 - np.float32(part)) * picture + np.float32(part * flat)
        return picture

    def _worn(self, picture: Plane, t: int, rng: np.random.Generator) -> Luma:
        wear, (H, W) = self.wear, self.size
        look = self._flashes.get(t)
        if look == "white":
            picture = 235 + 0.05 * picture
        elif look == "black":
            picture = 0.05 * picture
        elif look == "bright":
            picture = 60 + 1.6 * picture
        elif look == "dirt":
            noise = rng.standard_normal((H, W)).astype(np.float32)
            noise = ndimage.gaussian_filter(noise, H / 15)
            picture = np.where(noise > 0, 0.3 * picture, 230)
        if wear.weave:
            shift = rng.normal(0, wear.weave, 2)
            picture = _sample(picture, np.arange(H) + shift[0], np.arange(W) + shift[1])
        if wear.flicker:
            picture = picture * np.float32(1 + rng.uniform(-wear.flicker, wear.flicker))
        if rng.random() < wear.scratches:
            picture = picture.copy()
            for _ in range(int(rng.integers(1, 4))):
                x = int(rng.integers(0, W - 2))
                picture[:, x : x + int(rng.integers(1, 3))] = rng.choice([20.0, 235.0])
        if rng.random() < wear.dust:
            yy, xx = np.ogrid[:H, :W]
            picture = picture.copy()
            for _ in range(int(rng.integers(1, 5))):
                cy, cx, r = rng.uniform(0, H), rng.uniform(0, W), rng.uniform(0.01, 0.06) * W
                picture[(yy - cy) ** 2 + (xx - cx) ** 2 < r * r] = rng.choice([10.0, 245.0])
        if wear.grain:
            picture = picture + rng.normal(0, wear.grain, (H, W)).astype(np.float32)
        worn: Luma = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        return worn


def _another(index: int, count: int, rng: np.random.Generator) -> int:
    """A number below `count` that is not `index`."""
    other = int(rng.integers(0, count if index < 0 else count - 1))
    return other + 1 if 0 <= index <= other else other
