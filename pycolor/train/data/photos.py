"""Color photographs as training batches, from folders and tar files.

Every sample is a function of (seed, position in the stream) alone, so a training that was killed
goes on with the very pictures it would have seen.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from pycolor.errors import FilmError, UsageError
from pycolor.train.recipes.option_groups import CropOptions

UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)  # what Pillow raises
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}


@dataclass(frozen=True)
class Photo:
    """Where the bytes of one picture lie: a whole file, or a stretch of a tar."""

    path: Path
    offset: int
    size: int
    name: str

    def read(self) -> bytes:
        """The encoded picture."""
        with self.path.open("rb") as f:
            return os.pread(f.fileno(), self.size, self.offset)

    def decode(self) -> Image.Image:
        """The picture in 8-bit RGB, upright as its EXIF orientation says."""
        with Image.open(io.BytesIO(self.read())) as image:
            return _upright(image).convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    """A picture turned as its EXIF orientation says; as it is where that cannot be read."""
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF of many cameras is damaged, and no reason to lose a photograph
        turn = None
    return image if turn is None else image.transpose(turn)


_ORIENTATION = 0x0112
# What brings a picture upright, by EXIF 2.32, table 4-6 "Orientation".
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def find_photos(sources: Sequence[Path]) -> list[Photo]:
    """All pictures below the folders and inside the tars, in a fixed order.

    Raises:
        UsageError: a source does not exist, is neither folder nor tar, or no picture is in any.
    """
    photos: list[Photo] = []
    for source in sources:
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                if path.suffix.lower() == ".tar":
                    photos += _tar_photos(path)
                elif path.suffix.lower() in SUFFIXES and path.is_file():
                    name = str(path.relative_to(source))
                    photos.append(Photo(path, 0, path.stat().st_size, name))
        elif not source.exists():
            raise UsageError(f"training data {source} does not exist.")
        elif source.suffix.lower() == ".tar" and tarfile.is_tarfile(source):
            photos += _tar_photos(source)
        else:
            raise UsageError(f"training data must be folders or .tar files, got {source}.")
    if not photos:
        where = ", ".join(str(s) for s in sources) or "nothing"
        raise UsageError(f"training needs color pictures, found none in {where}.")
    return photos


def _tar_photos(path: Path) -> list[Photo]:
    with tarfile.open(path, "r:") as tar:
        return [
            Photo(path, member.offset_data, member.size, member.name)
            for member in tar
            if member.isfile() and Path(member.name).suffix.lower() in SUFFIXES
        ]


def random_box(
    size: tuple[int, int], options: CropOptions, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """A random part of a picture w×h: left, top, width and height."""
    w, h = size
    area = rng.uniform(options.min_area, 1) * w * h
    stretch = np.exp(rng.uniform(-1, 1) * np.log(options.max_stretch))
    cw = min(w, np.sqrt(area * stretch))
    ch = min(h, np.sqrt(area / stretch))
    return rng.uniform(0, w - cw), rng.uniform(0, h - ch), cw, ch


def random_crop(
    image: Image.Image, options: CropOptions, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """A random, perhaps mirrored and stretched crop, S×S×3."""
    x, y, cw, ch = random_box(image.size, options, rng)
    size = options.size_pixels
    crop = image.resize((size, size), Image.Resampling.BILINEAR, box=(x, y, x + cw, y + ch))
    array = np.asarray(crop)
    return array[:, ::-1] if rng.random() < 0.5 else array


def center_crop(image: Image.Image, size: int) -> npt.NDArray[np.uint8]:
    """The largest central square, resized to S×S×3."""
    w, h = image.size
    side = min(w, h)
    x, y = (w - side) / 2, (h - side) / 2
    box = (x, y, x + side, y + side)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))


@dataclass(frozen=True)
class Batch:
    """Crops N×3×S×S (uint8 RGB), which photograph each is of, and those that could not be read."""

    rgb: Tensor
    photos: tuple[int, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class _Crop:
    """One crop, None if its photograph could not be read."""

    rgb: npt.NDArray[np.uint8] | None
    photo: int


def given(places: int, readable: int, skipped: Sequence[str]) -> list[int]:
    """Which readable picture of a batch stands at each of its places.

    An unreadable one gives its place to another of the batch: sizes stay the same.

    Raises:
        FilmError: none can be read.
    """
    if not readable:
        raise FilmError(f"none of {len(set(skipped))} pictures could be read, {skipped[0]} first.")
    return [i % readable for i in range(places)]


def _shares(photos: Sequence[Photo], weights: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """Passes over each photograph, by the tar or folder that it lies in."""
    stems = [p.path.stem if p.path.suffix.lower() == ".tar" else p.path.parent.name for p in photos]
    if unknown := set(weights) - set(stems):
        raise ValueError(
            f"sampling names {min(unknown)}, which is no tar or folder of the data; "
            "an empty one takes all alike."
        )
    shares = np.array([weights.get(stem, 1.0) for stem in stems])
    if shares.sum() < 1:
        raise ValueError("sampling leaves no photograph.")
    return shares


class Stream:
    """An endless stream of batches that can start at any step.

    Args:
        photos: from `find_photos`.
        batch: crops a batch.
        crop: how they are cut.
        seed: of order and crops.
        workers: decoding threads (Pillow decodes outside the interpreter lock).
        weights: passes over the photographs of a tar or folder, by its stem; those that are not
            named are seen once.

    Raises:
        ValueError: a stem is of no tar or folder, or no photograph is left.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        batch: int,
        crop: CropOptions,
        seed: int,
        workers: int = 2,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self.photos = photos
        self.batch = batch
        self.crop = crop
        self.seed = seed
        self.workers = max(1, workers)
        self._cached_order: tuple[int, npt.NDArray[np.int64]] | None = None
        self._shares = _shares(photos, weights) if weights else None
        self._epoch = len(photos) if self._shares is None else round(float(self._shares.sum()))

    def _index(self, position: int) -> int:
        """Which photo stands at a position: one permutation an epoch."""
        epoch, place = divmod(position, self._epoch)
        return int(self._order(epoch)[place])

    def _order(self, epoch: int) -> npt.NDArray[np.int64]:
        if self._cached_order is None or self._cached_order[0] != epoch:
            rng = np.random.default_rng((self.seed, epoch))
            order = rng.permutation(len(self.photos))
            if self._shares is not None:
                # Each as often as its weight says, the rest of it by chance, in all `_epoch`.
                upto = np.cumsum(self._shares[order])
                at = (np.arange(self._epoch) + rng.random()) * (upto[-1] / self._epoch)
                places = np.searchsorted(upto, at, side="right").clip(max=len(order) - 1)
                order = rng.permutation(order[places])
            self._cached_order = (epoch, order)
        return self._cached_order[1]

    def _load(self, position: int, index: int) -> _Crop:
        rng = np.random.default_rng((self.seed, 1, position))
        try:
            return _Crop(random_crop(self.photos[index].decode(), self.crop, rng), index)
        except UNREADABLE:
            return _Crop(None, index)

    def _collect(self, futures: list[Future[_Crop]]) -> Batch:
        results = [f.result() for f in futures]
        good = [(r.rgb, r.photo) for r in results if r.rgb is not None]
        skipped = tuple(self.photos[r.photo].name for r in results if r.rgb is None)
        places = given(len(results), len(good), skipped)
        crops, photos = zip(*(good[i] for i in places), strict=True)
        return Batch(torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2), photos, skipped)

    def batches(self, first_step: int = 0, share: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """Batches from a step on; a few are decoded ahead.

        Args:
            first_step: of the stream.
            share: (k, n) gives part k of n of each batch.
        """
        ahead = 3
        part, parts = share
        size = self.batch // parts
        with ThreadPoolExecutor(self.workers, thread_name_prefix="decode") as pool:
            queue: list[list[Future[_Crop]]] = []
            step = first_step
            try:
                while True:
                    while len(queue) < ahead:
                        first = step * self.batch + part * size
                        positions = range(first, first + size)
                        queue.append(
                            [pool.submit(self._load, p, self._index(p)) for p in positions]
                        )
                        step += 1
                    yield self._collect(queue.pop(0))
            finally:
                for futures in queue:
                    for f in futures:
                        f.cancel()
