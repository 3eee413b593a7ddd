"""The command line: `pycolor COMMAND …`.

A command is a dataclass (its flags) and a function.  Only the command that runs is imported, so
help and errors come at once.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from pycolor.errors import PycolorError, UsageError
from pycolor.options import PredictOptions, TrainOptions, VideoOptions, frame_range
from pycolor.progress import Progress, Style

INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a command says, and how.

    Attributes:
        progress: auto (a bar on a terminal, lines elsewhere), plain, json or none; on stderr.
        quiet: say nothing but errors.
        debug: show the traceback of an error.
    """

    progress: Style = "auto"
    quiet: bool = False
    debug: bool = False

    @property
    def style(self) -> Style:
        return "none" if self.quiet else self.progress

    def say(self, text: str) -> None:
        """One line for the person who waits, on stderr."""
        if not self.quiet and self.progress != "json":
            print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What every command has."""

    output: Output = field(default_factory=Output)


@dataclass(frozen=True, kw_only=True)
class Video(Command):
    """Color a film; its luma, sound and everything else stay as they are.

    Attributes:
        source: the film.
        target: the colored film; its extension chooses the container.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    film: VideoOptions = field(default_factory=VideoOptions)


@dataclass(frozen=True, kw_only=True)
class Image(Command):
    """Color a picture, or every picture of a folder.

    Attributes:
        source: a PNG, TIFF or JPEG file of 8 or 16 bits, or a folder of them.
        target: the colored file, or a folder.
        overwrite: replace existing files.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    overwrite: bool = False
    predict: PredictOptions = field(default_factory=PredictOptions)


@dataclass(frozen=True, kw_only=True)
class Verify(Command):
    """Compare a colored film with its source: luma, times, sound and tags.

    Attributes:
        source: the film.
        result: the colored film.
        frames: A:B, the frames that were colored.
        json: print the report as JSON.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    result: Annotated[Positional[Path], arg(metavar="OUT")]
    frames: str = ":"
    json: bool = False


@dataclass(frozen=True, kw_only=True)
class Shots(Command):
    """List the shots of a film.

    Attributes:
        source: the film.
        csv: write the list in PySceneDetect's layout.
        edl: write it as a CMX3600 edit list.
        json: write it as JSON.
        sensitivity: 1 is balanced; more finds more transitions, and more false ones.
        overwrite: replace existing files.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    csv: Path | None = None
    edl: Path | None = None
    json: Path | None = None
    sensitivity: float = 1.0
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.sensitivity <= 0:
            raise UsageError(f"sensitivity must be above 0, got {self.sensitivity}.")


@dataclass(frozen=True, kw_only=True)
class Models(Command):
    """List the models, or show one model's card.

    Attributes:
        name: of the model to show.
    """

    name: Annotated[Positional[str | None], arg(metavar="NAME")] = None


@dataclass(frozen=True, kw_only=True)
class Train(Command):
    """Train a model on color photographs; a run that stands in OUT is continued.

    Attributes:
        data: folders and .tar files of photographs.
        out: folder for checkpoint, log and weights.
    """

    data: Annotated[tuple[Path, ...], arg(metavar="PATH ...")]
    out: Path
    training: TrainOptions = field(default_factory=TrainOptions)


@dataclass(frozen=True, kw_only=True)
class Info(Command):
    """Show versions, processor features, devices and threads.

    Attributes:
        json: print it as JSON.
    """

    json: bool = False


def video(command: Video) -> int:
    from pycolor.video.pipeline import color_film

    out = command.output
    with Progress(command.source.name, None, "frames", out.style) as progress:
        report = color_film(
            command.source, command.target, command.film, say=out.say, progress=progress
        )
    for line in report.summary():
        out.say(line)
    return 0


def image(command: Image) -> int:
    from pycolor.album import color_stills

    out = command.output
    with Progress(command.source.name, None, "pictures", out.style) as progress:
        color_stills(
            command.source,
            command.target,
            command.predict,
            overwrite=command.overwrite,
            say=out.say,
            progress=progress,
        )
    return 0


def verify(command: Verify) -> int:
    from pycolor.video.verify import verify as compare

    report = compare(command.source, command.result, frames=frame_range(command.frames))
    if command.json:
        print(json.dumps(report.to_json(), indent=2))
    else:
        table = Table(title=f"{command.source.name} and {command.result.name}")
        for column in ("check", "result", "detail"):
            table.add_column(column)
        for check in report.checks:
            color = {"ok": "green", "differs": "red"}.get(check.state, "yellow")
            table.add_row(check.name, f"[{color}]{check.state}[/]", escape(check.detail))
        Console().print(table)
    return 0 if report.ok else 1


def shots(command: Shots) -> int:
    from pycolor.outfile import check_output, complete_file
    from pycolor.video import shots_files
    from pycolor.video.survey import find_shots

    wanted = [path for path in (command.csv, command.edl, command.json) if path is not None]
    for path in wanted:
        check_output(path, sources=[command.source], overwrite=command.overwrite)
    out = command.output
    with Progress(command.source.name, None, "frames", out.style) as progress:
        survey = find_shots(command.source, sensitivity=command.sensitivity, progress=progress)
    listed = list(survey.shots)
    writers: dict[Path | None, Callable[[], str]] = {
        command.csv: lambda: shots_files.write_csv(listed, survey.rate),
        command.edl: lambda: shots_files.write_edl(listed, survey.rate),
        command.json: lambda: shots_files.write_json(listed),
    }
    for path in wanted:
        with complete_file(path, overwrite=command.overwrite) as part:
            part.write_text(writers[path](), encoding="utf-8")
    if not wanted:
        table = Table()
        for column in ("shot", "frames", "starts at", "opens with", "confidence"):
            table.add_column(column, justify="left" if column == "opens with" else "right")
        for number, (shot, start) in enumerate(zip(listed, survey.starts, strict=True), start=1):
            opening = shot.opening
            table.add_row(
                str(number),
                f"{shot.start}:{shot.stop}",
                f"{float(start):.3f} s",
                opening.kind if opening else "",
                f"{opening.confidence:.2f}" if opening else "",
            )
        Console().print(table)
    return 0


def models(command: Models) -> int:
    from pycolor.models import zoo

    console = Console()
    if command.name is not None:
        c = zoo.card(command.name)
        for f in dataclasses.fields(c):
            if f.name != "build":
                console.print(f"[bold]{f.name:12}[/] {getattr(c, f.name)}")
        return 0
    table = Table()
    for column in ("name", "paper", "weights", "trained on"):
        table.add_column(column)
    for c in zoo.CARDS:
        name = f"{c.name} (default)" if c.name == zoo.DEFAULT else c.name
        table.add_row(name, c.paper, c.weights, c.trained_on)
    console.print(table)
    return 0


def info(command: Info) -> int:
    from pycolor.info import collect

    facts = collect()
    if command.json:
        print(json.dumps(facts, indent=2))
        return 0
    console = Console()
    for name, value in facts.items():
        console.print(f"[bold]{name:22}[/] {value}")
    return 0


def train(command: Train) -> int:
    from pycolor.train import loop

    out = command.output
    with Progress(command.training.model, command.training.steps, "steps", out.style) as progress:

        def report(state: loop.Progress) -> None:
            progress.advance(state.step - progress.done)
            if state.validation_loss is not None:
                out.say(
                    f"step {state.step}: loss {state.loss:.4f}, "
                    f"validation {state.validation_loss:.4f}"
                )

        try:
            path = loop.train(command.training, list(command.data), command.out, report)
        except (FileNotFoundError, ValueError) as e:
            raise UsageError(str(e)) from e
    out.say(f"wrote {path}")
    return 0


@dataclass(frozen=True)
class Entry:
    """A command's line in the table: what it does, its flags, its function."""

    summary: str
    flags: type
    run: Callable[[Any], int]


COMMANDS = {
    "video": Entry("color a film", Video, video),
    "image": Entry("color pictures", Image, image),
    "verify": Entry("compare a colored film with its source", Verify, verify),
    "shots": Entry("list the shots of a film", Shots, shots),
    "models": Entry("list the models", Models, models),
    "train": Entry("train a model on photographs", Train, train),
    "info": Entry("versions, processor features, devices", Info, info),
}


def usage() -> str:
    """The help text of the whole program."""
    lines = ["usage: pycolor COMMAND ...", "", "Color for black-and-white film.", ""]
    lines += [f"  {name:8} {entry.summary}" for name, entry in COMMANDS.items()]
    lines += ["", "pycolor COMMAND --help tells more; pycolor --version prints the version."]
    return "\n".join(lines)


def _terminate(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code (0 done, 1 film or machine, 2 command, 130 Ctrl-C)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from pycolor import __version__

        print(f"pycolor {__version__}")
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        known = ", ".join(COMMANDS)
        print(f"pycolor: command {name!r} is not known; expected one of: {known}.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _terminate)
    # OpenMP's waiting threads spin by default and steal the processors from the film's codecs
    # (on two busy cores: 0.8 frames/s spinning, 5.6 asleep).  Read once, when
    # torch is imported; a value of the user's own stays.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    debug = "--debug" in arguments
    try:
        entry = COMMANDS[name]
        command: Any = tyro.cli(
            entry.flags,
            args=arguments[1:],
            prog=f"pycolor {name}",
            config=(OmitArgPrefixes, FlagCreatePairsOff),
        )
        return entry.run(command)
    except PycolorError as e:
        if debug:
            traceback.print_exc()
        print(f"pycolor: {e}", file=sys.stderr)
        return e.exit_code
    except KeyboardInterrupt:
        print("pycolor: interrupted; no output was written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as e:
        if debug:
            traceback.print_exc()
        text = " ".join(str(e).split())[:300]
        print(
            f"pycolor: unexpected {type(e).__name__}: {text} (--debug shows where)",
            file=sys.stderr,
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
