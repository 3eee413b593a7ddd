"""Photographs that are decoded once and stay in the device's memory, where crops are cut.

A GPU learns from thousands of crops a second, more than the processor decodes.  So all photographs
lie there as 8-bit RGB, 3 bytes a pixel: 20,000 with sides of 160 and 220 pixels take 2 GB.  The
crops are those of `Stream`, photograph for photograph and box for box; their pixels differ by a
code here and there, since Pillow rounds between its two passes, and more only where a photograph is
far larger than the crops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pycolor.train.data.photos import UNREADABLE, Batch, Photo, Stream, given, random_box
from pycolor.train.recipes.option_groups import CropOptions

AHEAD = 3  # batches whose boxes are drawn ahead


@dataclass(frozen=True, eq=False)
class Pixels:
    """Photographs one after another.

    Attributes:
        rgb: M×3, uint8, rows after rows, photograph after photograph.
        start: P, where each begins.
        sizes: P×2, their widths and heights; 0 where one could not be read.
    """

    rgb: Tensor
    start: Tensor
    sizes: Tensor

    def crops(self, photos: Tensor, boxes: Tensor, mirrored: Tensor, size: int) -> Tensor:
        """Parts of photographs, resized as Pillow does it with its bilinear filter.

        Args:
            photos: N, which.
            boxes: N×4, left, top, width and height in pixels, float64.
            mirrored: N, truth values.
            size: S, of the crops.

        Returns:
            N×3×S×S, uint8.
        """
        sizes = self.sizes[photos]
        width, height = (int(side) for side in sizes.amax(0))
        inside = [torch.arange(n, device=photos.device) for n in (width, height)]
        column = torch.minimum(inside[0], sizes[:, :1] - 1)  # N×W
        row = torch.minimum(inside[1], sizes[:, 1:] - 1)  # N×H
        at = self.start[photos, None, None] + row[:, :, None] * sizes[:, :1, None]
        canvas = self.rgb[at + column[:, None]].permute(0, 3, 1, 2).float()  # N×3×H×W
        across = _filter(boxes[:, 0], boxes[:, 2], sizes[:, 0], width, size)
        across = torch.where(mirrored[:, None, None], across.flip(1), across)
        down = _filter(boxes[:, 1], boxes[:, 3], sizes[:, 1], height, size)
        rows = torch.einsum("nchw,nxw->nchx", canvas, across)
        return torch.einsum("nchx,nyh->ncyx", rows, down).round().clamp(0, 255).byte()


def _filter(start: Tensor, length: Tensor, side: Tensor, longest: int, size: int) -> Tensor:
    """Weights N×S×L of the pixels of a side in those of the crop: a triangle, antialiased."""
    scale = (length / size)[:, None, None]
    step = torch.arange(size, device=start.device)[None, :, None]
    center = start[:, None, None] + (step + 0.5) * scale
    pixel = torch.arange(longest, device=start.device)
    weight = (1 - (pixel + 0.5 - center).abs() / scale.clamp_min(1)).clamp_min(0)
    weight = weight * (pixel < side[:, None, None])
    return (weight / weight.sum(2, keepdim=True)).float()


def decoded(photos: Sequence[Photo], size: int, device: torch.device, workers: int) -> Pixels:
    """All photographs, those that are far larger than the crops made smaller.

    Args:
        photos: from `find_photos`.
        size: S, of the crops; a photograph whose shorter side is 4 S comes at a half of its size,
            one of 6 S at a third, and so on.
        device: where they are kept.
        workers: decoding threads.
    """

    def decode(photo: Photo) -> npt.NDArray[np.uint8]:
        try:
            image = photo.decode()
        except UNREADABLE:
            return np.zeros((0, 0, 3), np.uint8)
        return np.asarray(image.reduce(max(1, min(image.size) // (2 * size))))

    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        pictures = list(pool.map(decode, photos))
    sizes = torch.tensor([(p.shape[1], p.shape[0]) for p in pictures])
    rgb = torch.empty(int(sizes.prod(1).sum()), 3, dtype=torch.uint8)
    ends = sizes.prod(1).cumsum(0)
    start = ends - sizes.prod(1)
    for picture, first, end in zip(pictures, start.tolist(), ends.tolist(), strict=True):
        rgb[first:end] = torch.from_numpy(picture.reshape(-1, 3).copy())
    return Pixels(rgb.to(device), start.to(device), sizes.to(device))


class ResidentStream(Stream):
    """`Stream`, of photographs that are kept in a device's memory; its batches lie there.

    Args:
        photos: as of `Stream`, and so are the others.
        batch: likewise.
        crop: likewise.
        seed: likewise.
        workers: likewise.
        weights: likewise.
        device: where the photographs are kept.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        batch: int,
        crop: CropOptions,
        seed: int,
        workers: int = 2,
        weights: Mapping[str, float] | None = None,
        *,
        device: torch.device,
    ) -> None:
        super().__init__(photos, batch, crop, seed, workers, weights)
        self.device = device
        self.pixels = decoded(photos, crop.size_pixels, device, self.workers)
        self.sizes = self.pixels.sizes.tolist()

    def _boxes(self, positions: range, photos: Sequence[int]) -> tuple[list[int], Tensor]:
        """Photographs of a part of a batch, those that can be read; N×5: boxes, and mirrored."""
        readable: list[int] = []
        boxes: list[tuple[float, ...]] = []
        for position, photo in zip(positions, photos, strict=True):
            w, h = self.sizes[photo]
            if w:
                rng = np.random.default_rng((self.seed, 1, position))
                readable.append(photo)
                boxes.append((*random_box((w, h), self.crop, rng), rng.random() < 0.5))
        return readable, torch.tensor(boxes, dtype=torch.float64).reshape(-1, 5)

    def batches(self, first_step: int = 0, share: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """As of `Stream`."""
        part, parts = share
        size = self.batch // parts
        with ThreadPoolExecutor(1, thread_name_prefix="boxes") as pool:
            queue: list[tuple[list[int], Future[tuple[list[int], Tensor]]]] = []
            for step in count(first_step):
                first = step * self.batch + part * size
                positions = range(first, first + size)
                photos = [self._index(p) for p in positions]
                queue.append((photos, pool.submit(self._boxes, positions, photos)))
                if len(queue) > AHEAD:
                    wanted, drawn = queue.pop(0)
                    yield self._cut(wanted, *drawn.result())

    def _cut(self, wanted: Sequence[int], readable: Sequence[int], boxes: Tensor) -> Batch:
        skipped = tuple(self.photos[p].name for p in wanted if not self.sizes[p][0])
        places = given(len(wanted), len(readable), skipped)
        photos = tuple(readable[i] for i in places)
        drawn = boxes[places].to(self.device)
        which = torch.tensor(photos).to(self.device)
        rgb = self.pixels.crops(which, drawn[:, :4], drawn[:, 4] > 0, self.crop.size_pixels)
        return Batch(rgb, photos, skipped)
