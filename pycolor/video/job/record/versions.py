"""What decides the result beside the options: pycolor and the libraries under it."""

from __future__ import annotations

from importlib import metadata

from pycolor.version import __version__


def versions(*, mix: bool = False) -> dict[str, str]:
    """Of pycolor and of the libraries that decide what comes out.

    Args:
        mix: leave out for which machines a library was built, as in 2.13.0+cpu.
    """
    told = {p: metadata.version(p) for p in ("av", "torch", "numpy")}
    if mix:
        told = {name: version.partition("+")[0] for name, version in told.items()}
    return {"pycolor": __version__, **told}
