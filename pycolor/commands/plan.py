"""`pycolor plan`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError, counted
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Begin a film's project: IN.pycolor/plan.json, a list of its shots to decide on.

    The plan is edited by hand, by a script or with `pycolor desk`, and `pycolor video IN OUT --plan
    FILE` colors by it.  If the plan exists already, its state is printed.

    Attributes:
        source: the film.
        to: where the plan is written (default: IN.pycolor/plan.json).
        shots: take the shots from this list instead of detecting them: .csv, .edl, .json, .otio or
            .xml.
        csv: write the plan's shots in PySceneDetect's layout.
        edl: write them as a CMX3600 edit list.
        json: write them as `pycolor shots` does.
        otio: write the plan as an OpenTimelineIO timeline, which `--shots` reads back without loss.
        xml: write the shots as Final Cut Pro 7 XML.
        sensitivity: of the detector; 1 is balanced; more finds more transitions.
        rate: frames per second of numbered pictures and of films that do not state it, N or N/D
            (default: 24).
        overwrite: replace an existing plan.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    to: Path | None = None
    shots: Path | None = None
    csv: Path | None = None
    edl: Path | None = None
    json: Path | None = None
    otio: Path | None = None
    xml: Path | None = None
    sensitivity: float = 1.0
    rate: Annotated[str | None, arg(metavar="FPS")] = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.sensitivity <= 0:
            raise UsageError(f"sensitivity must be above 0, got {self.sensitivity}.")
        _ = frame_rate(self.rate)

    @property
    def lists(self) -> list[tuple[Path, str]]:
        """The lists that are wanted, and their kinds."""
        named = {kind: getattr(self, kind) for kind in ("csv", "edl", "json", "otio", "xml")}
        return [(path, kind) for kind, path in named.items() if path is not None]


def run(flags: Flags) -> int:
    from pycolor.system.atomic_file import atomic_write, check_output
    from pycolor.video.job.decisions.plan_file import PlanFile, read_plan_file
    from pycolor.video.job.decisions.project import Project, project_of
    from pycolor.video.job.decisions.shot_lists import LOSES, list_of_plan
    from pycolor.video.job.decisions.start_plan import start_plan

    for wanted, _ in flags.lists:
        check_output(wanted, sources=[flags.source], overwrite=flags.overwrite)
    path = flags.to or project_of(flags.source) / "plan.json"
    out = flags.output
    if path.exists() and not flags.overwrite:
        file = read_plan_file(path)
        for text in file.cautions():
            out.say(f"note: {text}")
        plan = file.plan
    else:
        with Progress(flags.source.name, None, "frames", out.style) as progress:
            plan = start_plan(
                flags.source,
                path,
                shots=flags.shots,
                sensitivity=flags.sensitivity,
                rate=frame_rate(flags.rate),
                overwrite=flags.overwrite,
                say=out.say,
                progress=progress,
            )
    seen = Project(PlanFile(path=path, text="", plan=plan).project).load_analysis(
        plan.source.sha256
    )
    for wanted, kind in flags.lists:
        text = list_of_plan(kind, plan, None if seen is None else seen.times)
        with atomic_write(wanted, sources=[flags.source], overwrite=flags.overwrite) as part:
            part.write_text(text, encoding="utf-8")
        lost = LOSES[kind]
        out.say(f"{wanted}: {f'it does not hold {lost}' if lost else 'the whole plan'}")
    states = Counter(shot.state for shot in plan.shots)
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    out.say(f"{path}: revision {plan.revision}, {counted(len(plan.shots), 'shot')} ({told})")
    return 0
