"""`pycolor weights`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError
from pycolor.system.atomic_file import check_output
from pycolor.system.progress import Progress

if TYPE_CHECKING:
    from pycolor.models.checkpoints.published import ReleaseFile

EXAMPLES = """
pycolor weights list
pycolor weights pull siggraph17
pycolor weights import colorization_release_v2.caffemodel
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Weights that the papers' authors published.

    list shows them; pull NAME downloads and converts one; import FILE converts a file (or a folder
    of Caffe blobs) that you have; path [NAME] prints where they are kept.

    Attributes:
        action: what to do.
        target: the NAME to pull or to locate, or the FILE to import.
        out: file that import and pull write (default: in the cache).
        accept_license: accept the license of weights that restrict their use.
        overwrite: replace an existing file.
    """

    action: Positional[Literal["list", "pull", "import", "path"]]
    target: Annotated[Positional[str | None], arg(metavar="NAME|FILE")] = None
    out: Path | None = None
    accept_license: bool = False
    overwrite: bool = False


def run(flags: Flags) -> int:
    if flags.action in ("pull", "import") and flags.target is None:
        what = "NAME" if flags.action == "pull" else "FILE"
        raise UsageError(f"pycolor weights {flags.action} needs a {what}, got none.")
    if flags.action == "list":
        _list()
    elif flags.action == "path":
        _path(flags.target)
    elif flags.action == "pull":
        _pull(flags, flags.target or "")
    else:
        _import(flags, Path(flags.target or ""))
    return 0


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    from pycolor.models.checkpoints import cache
    from pycolor.models.checkpoints.published import PUBLISHED

    table = Table()
    for column in ("name", "model", "MB", "license", "here"):
        table.add_column(column)
    for item in PUBLISHED:
        size = "?" if item.bytes is None else f"{item.bytes / 1e6:.0f}"
        here = "imported" if cache.imported(item).exists() else "no"
        table.add_row(item.name, item.model, size, item.license, here)
    Console().print(table)


def _path(name: str | None) -> None:
    from pycolor.models.checkpoints import cache
    from pycolor.models.checkpoints.published import published

    print(cache.cache_folder() if name is None else cache.imported(published(name)))


def _ask(item: ReleaseFile, accepted: bool) -> None:
    """Insist on the license of weights that restrict their use."""
    if item.ask and not accepted:
        raise UsageError(
            f"{item.name} is under {item.license}; --accept-license says that you accept this."
        )


def _pull(flags: Flags, name: str) -> None:
    from pycolor.models.checkpoints import cache
    from pycolor.models.checkpoints.published import published

    item = published(name)
    _ask(item, flags.accept_license)
    target = flags.out or cache.imported(item)
    if target.exists() and not flags.overwrite:
        flags.output.say(f"{target} is there already")
        return
    with Progress(item.name, item.bytes, "bytes", flags.output.style) as progress:

        def report(have: int, total: int | None) -> None:
            progress.total = total
            progress.advance(have - progress.done)

        path = cache.fetch(item, report)
    _write(flags, path, item)


def _import(flags: Flags, path: Path) -> None:
    _write(flags, path, None)


def _write(flags: Flags, path: Path, expected: ReleaseFile | None) -> None:
    """Make a weight file of ours from a foreign one."""
    from pycolor.models.checkpoints import cache, weight_files
    from pycolor.models.checkpoints.foreign.detect import read_foreign
    from pycolor.models.checkpoints.published import published

    foreign = read_foreign(path)
    item = published(foreign.name)
    if expected is not None and item != expected:
        raise UsageError(f"{path} must be {expected.name}, got {item.name}.")
    _ask(item, flags.accept_license)
    target = flags.out or cache.imported(item)
    if flags.out is None:
        cache.make_cache()
    check_output(target, sources=[path], overwrite=flags.overwrite)
    weight_files.write(
        target,
        foreign.model,
        foreign.state,
        foreign.options,
        {"published as": item.file_name, "license": item.license},
        temperature=foreign.temperature,
        half=False,
        overwrite=flags.overwrite,
    )
    flags.output.say(f"wrote {target}; {item.use} takes it")
