"""The main job, shown: make a gray film (or take yours), color it, show before and after.

python demo/run.py [FILM]
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from pycolor import PycolorError, VideoOptions, color_film, verify
from pycolor.system.progress import Progress

HERE = Path(__file__).parent
RATE, SECONDS, WIDTH, HEIGHT = 24, 6, 640, 360
SOUND_RATE = 48000
Bytes = npt.NDArray[np.uint8]


def photograph(name: str) -> npt.NDArray[np.float64]:
    """The luma of a photograph that scikit-image ships, H×W in 0…1."""
    from skimage import color, data

    picture = getattr(data, name)()
    return np.asarray(picture / 255 if picture.ndim == 2 else color.rgb2gray(picture))


def glide(picture: npt.NDArray[np.float64], t: float) -> npt.NDArray[np.float64]:
    """A slow pan with a little zoom over a picture, at t in 0…1."""
    height, width = picture.shape
    zoom = 1 - 0.12 * t
    w = min(width, height * WIDTH / HEIGHT) * zoom
    h = w * HEIGHT / WIDTH
    x, y = (width - w) * t, (height - h) * 0.3 * t
    image = Image.fromarray(picture.astype(np.float32), mode=None)
    box = (x, y, x + w, y + h)
    return np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box), np.float64)


def tune() -> npt.NDArray[np.float32]:
    """A scale on a worn-out piano, mono, −1…1."""
    t = np.arange(SECONDS * SOUND_RATE) / SOUND_RATE
    notes = 220 * 2.0 ** (np.array([0, 4, 7, 12, 7, 4, 0, -5, 0, 4, 7, 12]) / 12)
    pitch = notes[(t * 2).astype(int) % len(notes)]
    fall = np.exp(-4 * (t * 2 % 1))
    crackle = np.random.default_rng(1).normal(0, 0.01, t.size)
    return (0.3 * fall * np.sin(2 * np.pi * np.cumsum(pitch) / SOUND_RATE) + crackle).astype("f4")


def make_film(path: Path) -> None:
    """Six seconds of film: two shots, one cut, grain, flicker, sound."""
    chance = np.random.default_rng(0)
    shots = [photograph("camera"), photograph("astronaut")]
    frames = RATE * SECONDS
    part = path.with_suffix(".part.mp4")
    with av.open(str(part), "w", format="mp4") as film:
        picture = film.add_stream("libx264", rate=RATE, options={"crf": "14"})
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound = film.add_stream("aac", rate=SOUND_RATE, layout="mono")
        for i in range(frames):
            shot, t = divmod(i * len(shots) / frames, 1)
            flicker = 1 + chance.normal(0, 0.02)
            grain = chance.normal(0, 0.02, (HEIGHT, WIDTH))
            luma = 16 + 219 * np.clip(glide(shots[int(shot)], t) * flicker + grain, 0, 1)
            planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
            planes[:HEIGHT] = luma.round().astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
        wave = av.AudioFrame.from_ndarray(tune()[None], format="fltp", layout="mono")
        wave.sample_rate, wave.pts = SOUND_RATE, 0
        film.mux(sound.encode(wave))
        film.mux(sound.encode(None))
    part.replace(path)


def stills(path: Path, wanted: list[int]) -> list[Bytes]:
    """Frames of a film as H×W×3 RGB."""
    found: list[Bytes] = []
    with av.open(str(path)) as film:
        for i, frame in enumerate(film.decode(video=0)):
            if i in wanted:
                found.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            if i >= max(wanted):
                break
    return found


def before_after(source: Path, result: Path, frames: int, picture: Path) -> None:
    """Two moments of the film, gray on the left, colored on the right."""
    wanted = sorted({frames // 5, frames * 4 // 5})
    pairs = zip(stills(source, wanted), stills(result, wanted), strict=True)
    rows = [np.concatenate(pair, axis=1) for pair in pairs]
    Image.fromarray(np.concatenate(rows)).save(picture)


def main() -> int:
    """Color the film and say what was done."""
    own = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    source = own or HERE / "gray.mp4"
    result, picture = HERE / "color.mp4", HERE / "before-after.png"
    if own is None:
        make_film(source)
        print(f"made     {source}: {SECONDS} s of gray film with sound, grain, flicker and a cut")
    try:
        with Progress("coloring", None) as progress:
            report = color_film(
                source,
                result,
                VideoOptions(overwrite=True),
                say=lambda text: print(f"         {text}"),
                progress=progress,
            )
        proof = verify(source, result)
    except PycolorError as error:
        print(f"pycolor: {error}", file=sys.stderr)
        return error.exit_code
    before_after(source, result, report.frames, picture)
    for line in report.summary():
        print(f"colored  {line}")
    failed = [f"{c.name}: {c.detail}" for c in proof.checks if c.state == "differs"]
    verdict = "; ".join(failed) or "times, sound and tags equal"
    print(f"verified luma {proof.mean_psnr_db:.1f} dB, {verdict}")
    print(f"look at  {picture}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
