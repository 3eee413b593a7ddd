"""Color for black-and-white film.

    import pycolor
    colored = pycolor.color(picture)  # a NumPy array, a PIL picture or a torch tensor
    pycolor.color_film(Path("in.mp4"), Path("out.mp4"), pycolor.VideoOptions())

`pycolor.ops` holds the kernels, `pycolor.ops.reference` their plain twins, `pycolor.models.zoo` the
models.  Importing this package imports torch when one of its names is first used, and changes
nothing of the process.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pycolor.version import __version__

if TYPE_CHECKING:
    from pycolor.encoding import Encoding
    from pycolor.errors import FilmError, PycolorError, UsageError
    from pycolor.image.arrays import color
    from pycolor.models.predictor import Predictor
    from pycolor.options import PredictOptions, VideoOptions
    from pycolor.video.job.film import color_film
    from pycolor.video.job.record.report import FilmReport
    from pycolor.video.verify import VerifyReport, verify


# Public name → the module that has it.
_HOME = {
    "Encoding": "pycolor.encoding",
    "FilmError": "pycolor.errors",
    "FilmReport": "pycolor.video.job.record.report",
    "PredictOptions": "pycolor.options",
    "Predictor": "pycolor.models.predictor",
    "PycolorError": "pycolor.errors",
    "UsageError": "pycolor.errors",
    "VerifyReport": "pycolor.video.verify",
    "VideoOptions": "pycolor.options",
    "color": "pycolor.image.arrays",
    "color_film": "pycolor.video.job.film",
    "verify": "pycolor.video.verify",
}

__all__ = [
    "Encoding",
    "FilmError",
    "FilmReport",
    "PredictOptions",
    "Predictor",
    "PycolorError",
    "UsageError",
    "VerifyReport",
    "VideoOptions",
    "__version__",
    "color",
    "color_film",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'pycolor' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
