"""What decides the result beside the options: pycolor and the libraries under it."""

from __future__ import annotations

from importlib import metadata

from pycolor.version import __version__


def versions() -> dict[str, str]:
    """Of pycolor and of the libraries that decide what comes out."""
    return {"pycolor": __version__, **{p: metadata.version(p) for p in ("av", "torch", "numpy")}}
