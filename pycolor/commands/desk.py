"""`pycolor desk`."""

from __future__ import annotations

import webbrowser
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError
from pycolor.options import VideoOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.progress import Progress

if TYPE_CHECKING:
    from pycolor.web.desk.session import Desk

EXAMPLES = """
pycolor desk in.mkv                 a page on in.mkv.pycolor/plan.json
pycolor desk in.mkv --no-browser    only prints its address
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Color a film shot by shot, on a page that only this computer can open.

    What is decided there is the film's plan (`pycolor plan`), which is made where there is none;
    every change is saved at once. Ctrl-C ends the desk.

    Attributes:
        source: the film.
        port: of the page; 0: any free one.
        no_browser: print the address, and open no browser.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    port: int = 0
    no_browser: bool = False
    film: VideoOptions = field(default_factory=VideoOptions)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"port must lie in 0 to 65535, got {self.port}.")


def run(flags: Flags) -> int:
    from pycolor.system.heaps import share_heaps
    from pycolor.system.optional import extra

    share_heaps()

    extra("starlette")
    extra("uvicorn")
    from pycolor.web.desk.delivery import Deliveries
    from pycolor.web.desk.server import bind, desk_app, new_token, server_of
    from pycolor.web.local_server import HERE

    desk = _opened(flags)
    deliveries = Deliveries(flags.source, desk.folder.parent, flags.film, desk.path)
    desk.editor.start()
    desk.needs.start()
    desk.alike.start()
    try:
        token = new_token()
        with bind(flags.port) as listening:
            port = listening.getsockname()[1]
            address = f"http://{HERE}:{port}/{token}/"
            print(address, flush=True)
            server = server_of(desk_app(desk, token, port, deliveries, flags.output.say))
            if not flags.no_browser:
                webbrowser.open(address)
            server.run(sockets=[listening])
    finally:
        deliveries.close()
        desk.close()
    return 0


def _opened(flags: Flags) -> Desk:
    from pycolor.video.job.decisions.plan_file import read_plan_file
    from pycolor.video.job.decisions.project import Project, project_of
    from pycolor.video.job.decisions.start_plan import start_plan
    from pycolor.video.plan.analysis import analyze_film
    from pycolor.web.desk.session import Desk

    film, out = flags.film, flags.output
    path, rate = film.plan or project_of(flags.source) / "plan.json", frame_rate(film.rate)
    with Progress(flags.source.name, None, "frames", out.style) as progress:
        if not path.exists():
            start_plan(
                flags.source,
                path,
                sensitivity=film.sensitivity,
                rate=rate,
                say=out.say,
                progress=progress,
            )
        file = read_plan_file(path)
        sha256 = file.plan.source.sha256
        seen = Project(file.project).load_analysis(sha256)
        if seen is None:
            seen = analyze_film(flags.source, rate=rate, progress=progress)
    return Desk(flags.source, path, film, seen)
