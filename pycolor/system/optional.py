"""Libraries that a plain installation leaves out."""

from __future__ import annotations

import importlib
from typing import Any

from pycolor.errors import UsageError

# Extra of pyproject.toml → its modules and what they are called.
_EXTRA_OF = {
    "c2pa": ("c2pa-python", "sign"),
    "cryptography": ("cryptography", "sign"),
    "cv2": ("OpenCV", "evaluate"),
    "opentimelineio": ("OpenTimelineIO", "timelines"),
    "otio_fcp_adapter": ("OpenTimelineIO's adapter for Final Cut Pro 7 XML", "timelines"),
    "matplotlib": ("matplotlib", "evaluate"),
    "skimage": ("scikit-image", "evaluate"),
    "ray": ("Ray", "ray"),
    "starlette": ("Starlette", "desk"),
    "tensorboard": ("TensorBoard", "tensorboard"),
    "vapoursynth": ("VapourSynth", "vapoursynth"),
    "uvicorn": ("uvicorn", "desk"),
}


def extra(module: str) -> Any:
    """A module of an optional library, such as `cv2` or `skimage.metrics`.

    Raises:
        UsageError: the library is not installed; the sentence says how to install it.
    """
    name, group = _EXTRA_OF[module.partition(".")[0]]
    try:
        return importlib.import_module(module)
    except ImportError as e:
        raise UsageError(
            f"{name} is not installed; expected it here: pip install 'pycolor-film[{group}]' ({e})."
        ) from None


def installed(module: str) -> bool:
    """Whether `extra` would find it."""
    try:
        extra(module)
    except UsageError:
        return False
    return True
