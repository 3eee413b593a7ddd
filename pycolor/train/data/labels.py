"""Scene classes of photographs: from their folders, from a list, or from clusters of their looks.

iizuka2016 learns its global features better when it must also tell scenes apart.  Where nobody has
labeled the photographs, clusters of thumbnails stand in: they tell an evening sky from a lawn.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from scipy.cluster.vq import kmeans2

from pycolor.errors import UsageError
from pycolor.ops.reference import rgb_to_lab
from pycolor.train.data.photos import Photo

THUMBNAIL = 6  # pixels a side: the layout of light and color, no more
UNKNOWN = -1
CLUSTERS = 32


@dataclass(frozen=True)
class LabelSource:
    """Where labels come from.

    Attributes:
        kind: folder, list or clusters.
        names: of the classes; of clusters their numbers.
        listed: photograph → class, of folders and lists.
    """

    kind: str
    names: tuple[str, ...]
    listed: tuple[int, ...] = ()

    def labels(self, photos: Sequence[Photo], seed: int) -> list[int]:
        """The class of each photograph, `UNKNOWN` where there is none."""
        if self.kind == "clusters":
            return clusters(photos, len(self.names), seed)
        return list(self.listed)


def label_source(text: str, photos: Sequence[Photo]) -> LabelSource:
    """Where the labels come from, by an option.

    Args:
        text: `folder`; `clusters` or `clusters:K`; `FILE.csv` or `FILE.csv:COLUMN`, a list with a
            column `file` (the end of the photograph's path) and that column (`label`); `auto` is
            `folder` where the photographs lie in two folders or more, else `clusters`.
        photos: to be labeled.

    Raises:
        UsageError: it is none of these, or labels nothing.
    """
    kind, _, rest = text.partition(":")
    folders = sorted({_folder(p) for p in photos})
    if kind == "auto":
        kind = "folder" if len(folders) > 1 else "clusters"
        rest = str(min(CLUSTERS, len(photos))) if kind == "clusters" else ""
    if kind == "clusters":
        k = int(rest) if rest.isdigit() else 0 if rest else CLUSTERS
        if not 2 <= k <= len(photos):
            raise UsageError(f"labels must be clusters of 2 to {len(photos)}, got {text!r}.")
        return LabelSource("clusters", tuple(str(i) for i in range(k)))
    if kind == "folder" and not rest:
        if len(folders) < 2:
            raise UsageError("labels by folder need two folders or more, found one.")
        return LabelSource("folder", tuple(folders), _indices(folders, map(_folder, photos)))
    if Path(kind).suffix.lower() == ".csv":
        return _from_list(Path(kind), rest or "label", photos)
    raise UsageError(f"labels must be auto, folder, clusters:K or FILE.csv:COLUMN, got {text!r}.")


def _folder(photo: Photo) -> str:
    return PurePosixPath(photo.name).parent.name


def _indices(names: Sequence[str], of: Iterable[str | None]) -> tuple[int, ...]:
    place: dict[str | None, int] = {name: i for i, name in enumerate(names)}
    return tuple(place.get(name, UNKNOWN) for name in of)


def _from_list(path: Path, column: str, photos: Sequence[Photo]) -> LabelSource:
    try:
        with path.open(newline="", encoding="utf-8") as f:
            rows = list(csv.DictReader(f))
    except OSError as e:
        raise UsageError(f"labels {path} cannot be read: {e.strerror}.") from None
    if not rows or "file" not in rows[0] or column not in rows[0]:
        raise UsageError(f"labels {path} must have the columns file and {column}, they do not.")
    listed = {row["file"].strip("/"): row[column] for row in rows if row["file"]}
    labels = [_label_of(photo, listed) for photo in photos]
    names = sorted({label for label in labels if label is not None})
    if len(names) < 2:
        raise UsageError(f"labels {path} must name two classes or more of these photographs.")
    return LabelSource("list", tuple(names), _indices(names, labels))


def _label_of(photo: Photo, listed: Mapping[str, str]) -> str | None:
    """The label of the longest end of a photograph's path that is listed, folder by folder."""
    inside = PurePosixPath(photo.name).parts  # of its folder, or of a tar
    parts = photo.path.parts[1:] if photo.path.parts[-len(inside) :] == inside else inside
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((listed[end] for end in ends if end in listed), None)


def clusters(photos: Sequence[Photo], k: int, seed: int) -> list[int]:
    """k-means of tiny thumbnails in Lab; pictures that cannot be read are `UNKNOWN`."""
    looks: list[npt.NDArray[np.float32]] = []
    readable: list[int] = []
    for i, photo in enumerate(photos):
        try:
            image = photo.decode().resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        rgb = torch.from_numpy(np.asarray(image, np.float32) / 255).permute(2, 0, 1)
        looks.append(rgb_to_lab(rgb[None])[0].flatten().numpy())
        readable.append(i)
    if len(looks) < k:
        raise UsageError(f"{k} clusters need as many pictures, {len(looks)} could be read.")
    # Chroma varies less than lightness but says more of the scene.
    weight = np.repeat([1.0, 2.0, 2.0], THUMBNAIL**2)
    _, found = kmeans2(np.stack(looks) * weight, k, iter=20, minit="++", seed=seed)
    labels = [UNKNOWN] * len(photos)
    for i, label in zip(readable, found, strict=True):
        labels[i] = int(label)
    return labels
