"""The command line: `pycolor COMMAND …`; see `pycolor.commands` for each of them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import pairwise
from types import FrameType
from typing import Any

import tyro
from tyro.conf import DisallowNone, FlagCreatePairsOff, OmitArgPrefixes

from pycolor.errors import PycolorError, UsageError

INTERRUPTED = 130

# Each is a module of pycolor.commands, imported when it runs.
COMMANDS = {
    "video": "color a film",
    "image": "color pictures",
    "plan": "begin a film's project, to decide shot by shot",
    "preview": "color one frame as the film will show it",
    "report": "write a cue sheet of a colored film",
    "desk": "color a film shot by shot, on a page in the browser",
    "layer": "write a film's color as a master for grading or compositing",
    "apply": "give another version of a film the color that is kept",
    "clean": "remove what a film's project can make again",
    "verify": "compare a colored film with its source",
    "sign": "sign an output: its source, model and guidance",
    "shots": "list the shots of a film",
    "suggest": "propose frames to color by hand",
    "compare": "show two films beside each other",
    "evaluate": "measure a model or a coloring against true colors",
    "study": "ask people how the colors look",
    "models": "list the models",
    "weights": "fetch or import published weights",
    "train": "train a model on photographs",
    "info": "versions, processor features, devices",
}


def usage() -> str:
    """The help text of the whole program."""
    lines = ["usage: pycolor COMMAND [options] ...", "", "Color for black-and-white film.", ""]
    lines += [f"  {name:8} {summary}" for name, summary in COMMANDS.items()]
    lines += ["", "pycolor COMMAND --help lists the options; pycolor --version prints the version."]
    return "\n".join(lines)


# Options that were renamed: old name → new.  The old ones go with the next release.
RENAMED = {"--steady": "--propagation", "--reserve": "--chroma-threshold"}


def renamed(arguments: Sequence[str]) -> list[str]:
    """The arguments with renamed options by their new names; a note on stderr for each."""
    found = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name in RENAMED:
            new = RENAMED[name]
            print(
                f"note: {name} is now called {new}; the next release drops the old name.",
                file=sys.stderr,
            )
            argument = f"{new}{equals}{value}"
        found.append(argument)
    return found


def _terminate(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


class _Interrupted(KeyboardInterrupt):
    """Ctrl-C, by a name of its own.

    Where KeyboardInterrupt itself passes through code that runs from a string, as that of a
    dataclass does while a module is imported, CPython ends the process by SIGINT in the end,
    even if the exception was caught: the exit status would not be ours.
    """


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise _Interrupted


@contextmanager
def _ending_by_signal() -> Iterator[None]:
    """SIGTERM and SIGHUP end the work as Ctrl-C does, cleaning up; one that is ignored stays so.

    Python lets only the main thread choose this; in another, the process's own choice stays.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP
                before[number] = signal.signal(number, _terminate)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            before[signal.SIGINT] = signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_ENCODER = "--codec-options crf=18,preset=slow sets what an encoder takes"
# Options of ffmpeg that a hand writes by habit, and what stands for them here.
_HINTS = {
    "-i": "the film is named without an option: pycolor {name} IN OUT",
    "-o": "the output is named without an option: pycolor {name} IN OUT",
    "-y": "--overwrite replaces an existing output",
    "-ss": "--frames A:B chooses what is colored",
    "-t": "--frames A:B chooses what is colored",
    "-to": "--frames A:B chooses what is colored",
    "-r": "--rate sets the rate of pictures",
    "-framerate": "--rate sets the rate of pictures",
    "-c:v": "--codec names the encoder, --preset what the output is for",
    "-vcodec": "--codec names the encoder, --preset what the output is for",
    "-codec:v": "--codec names the encoder, --preset what the output is for",
    "-c:a": "sound is copied as it is",
    "-acodec": "sound is copied as it is",
    "-c": "sound and titles are copied; --codec names the picture's encoder",
    "-an": "sound is copied as it is",
    "-crf": _ENCODER,
    "-qp": _ENCODER,
    "-preset": "--preset says what the output is for; " + _ENCODER,
    "-b:v": _ENCODER,
    "-q:v": _ENCODER,
    "-pix_fmt": "--preset chooses the pixel format",
    "-vf": "pycolor filters nothing; ffmpeg does, before or after",
    "-map": "every stream is kept",
    "-threads": "OMP_NUM_THREADS sets the number of threads",
    "-loglevel": "--quiet says nothing but errors",
    "-hwaccel": "--device cuda takes the GPU",
}


def _check_habits(name: str, arguments: Sequence[str]) -> None:
    """Refuse options of ffmpeg with what stands for them, and "None" as an option's value.

    tyro takes the word None for the absence of a value: of a list that a script failed to name, or
    of a file of that name, nobody would hear.

    Raises:
        UsageError: one is there.
    """
    for before, argument in pairwise(("", *arguments)):
        flag, equals, value = argument.partition("=")
        if (equals and value == "None") or (argument == "None" and before.startswith("--")):
            raise UsageError(
                f"{flag if equals else before} is given None; leave it out, or write ./None for a "
                "file of that name."
            )
        hint = _HINTS.get(flag) or _HINTS.get(_FFMPEG_ONLY.get(flag, ""))
        if hint:
            raise UsageError(f"{flag} is an option of ffmpeg; {hint.format(name=name)}.")


# Commands whose operands are a list of paths of no fixed number.
_LISTS_OF_FILMS = ("video", "verify")
_FFMPEG_ONLY = {f"-{flag}": flag for flag in ("-crf", "-qp", "-pix_fmt", "-hwaccel")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code (0 done, 1 film or machine, 2 command, 130 Ctrl-C)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # OpenMP's waiting threads spin by default and steal the processors from the film's codecs
    # (on two busy cores: 0.8 frames/s spinning, 5.6 asleep).  Read once, when
    # torch is imported; a value of the user's own stays.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    debug = "--debug" in arguments
    try:
        with _ending_by_signal():
            status = _dispatch(arguments)
            sys.stdout.flush()  # what does not arrive is known now
            return status
    except PycolorError as e:
        if debug:
            traceback.print_exc()
        print(f"pycolor: {e}", file=sys.stderr)
        return e.exit_code
    except KeyboardInterrupt:
        print("pycolor: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except Exception as e:
        if debug:
            traceback.print_exc()
        if isinstance(e, BrokenPipeError) or _output_is_lost(e):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        text = " ".join(str(e).split())[:300]
        print(
            f"pycolor: unexpected {type(e).__name__}: {text} (--debug shows where)",
            file=sys.stderr,
        )
        return 1


def _output_is_lost(error: Exception) -> bool:
    """Did the standard output refuse what was printed?  Says so, unless its reader has gone.

    Such an error names no file, as some others; whether it was this one a further line end shows.
    """
    if not isinstance(error, OSError) or error.filename is not None:
        return False
    try:
        print(flush=True)
    except BrokenPipeError:
        return True
    except OSError as e:
        print(f"pycolor: the standard output could not be written: {e.strerror}.", file=sys.stderr)
        return True
    return False


def _dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from pycolor.version import __version__

        print(f"pycolor {__version__}")
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        known = ", ".join(COMMANDS)
        raise UsageError(f"command {name!r} is not known; expected one of: {known}.")
    return _run(name, renamed(arguments)[1:])


def _run(name: str, arguments: Sequence[str]) -> int:
    module = import_module(f"pycolor.commands.{name}")
    if {"-h", "--help"} & set(arguments):
        from pycolor.commands.help import help_text

        print(help_text(name, module.Flags, getattr(module, "EXAMPLES", "")))
        return 0
    from pycolor.commands.arguments import check_arguments, operands_first

    _check_habits(name, arguments)
    check_arguments(name, arguments, module.Flags)
    if name in _LISTS_OF_FILMS:
        arguments = operands_first(arguments, module.Flags)
    # A command may choose what its flags start from; the arguments come after.
    start = module.defaults(arguments) if hasattr(module, "defaults") else None
    flags: Any = tyro.cli(
        module.Flags,
        args=arguments,
        prog=f"pycolor {name}",
        config=(OmitArgPrefixes, FlagCreatePairsOff, DisallowNone),
        **({} if start is None else {"default": start}),
    )
    return int(module.run(flags))


if __name__ == "__main__":
    sys.exit(main())
