"""A film colored by its plan: what acts, what is kept, what is made anew."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from pycolor.cli import main
from pycolor.errors import UsageError
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.film_plan import edit
from pycolor.video.film_plan.decisions import FilmPlan
from pycolor.video.io import Reader
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.job.decisions.plan_file import read_plan_file, save_plan_file
from pycolor.video.job.decisions.project import Project, cache_bytes, project_of
from pycolor.video.job.decisions.start_plan import start_plan
from pycolor.video.job.distribute import segment as segments_made
from pycolor.video.job.film import color_film
from pycolor.video.job.frames.preview import open_preview
from pycolor.video.render.shown import shown_codes
from pycolor.video.verify import verify
from tests.films import make_film

CUTS = (12, 24, 36)
QUICK = PredictOptions(short_side=64, dtype="float32", device="cpu")


class Work:
    """What a run has done: frames through the network, segments encoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frames = self.segments = 0
        field, opened = Predictor.field, segments_made._SegmentEncoder._open

        def counted(predictor: Predictor, lightness: Any, *args: Any, **named: Any) -> Any:
            self.frames += len(lightness)
            return field(predictor, lightness, *args, **named)

        def opening(encoder: Any, job: Any) -> Any:
            self.segments += 1
            return opened(encoder, job)

        monkeypatch.setattr(Predictor, "field", counted)
        monkeypatch.setattr(segments_made._SegmentEncoder, "_open", opening)

    def since(self) -> tuple[int, int]:
        """Frames predicted and segments encoded since this was asked."""
        found = self.frames, self.segments
        self.frames = self.segments = 0
        return found


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 48 frames in four shots, a dissolve before the last, colored once."""
    folder = tmp_path_factory.mktemp("planned")
    film = make_film(folder / "reel.mkv", frames=48, timecode="10:00:00:00")
    start_plan(film, project_of(film) / "plan.json")
    file = read_plan_file(project_of(film) / "plan.json")
    plan = file.plan
    for frame in CUTS:
        plan = edit.split_shot(plan, frame)
    plan = edit.set_transition(plan, 3, "dissolve", 34, 39)
    save_plan_file(file.path, plan)
    color_film(film, folder / "out.mkv", options(film))
    return folder


@pytest.fixture
def folder(started: Path, tmp_path: Path) -> Path:
    shutil.copytree(started, tmp_path, dirs_exist_ok=True)
    return tmp_path


def options(film: Path, **changes: Any) -> VideoOptions:
    plan = project_of(film) / "plan.json"
    return replace(VideoOptions(plan=plan, predict=QUICK, overwrite=True), **changes)


def changed(folder: Path, number: int, **values: Any) -> FilmPlan:
    file = read_plan_file(folder / "reel.mkv.pycolor" / "plan.json")
    return save_plan_file(file.path, edit.set_shot(file.plan, number, **values))


def color(folder: Path, name: str = "out.mkv", **changes: Any) -> list[str]:
    said: list[str] = []
    film = folder / "reel.mkv"
    color_film(film, folder / name, options(film, **changes), say=said.append)
    return said


def packets(film: Path) -> list[bytes]:
    with av.open(str(film)) as container:
        return [bytes(p) for p in container.demux(container.streams.video[0]) if p.size]


def chroma(film: Path) -> list[np.ndarray[Any, Any]]:
    with Reader(film) as reader:
        return [planes_of(frame.native) for frame in reader]


def planes_of(native: av.VideoFrame) -> np.ndarray[Any, Any]:
    """Cb and Cr of 8 bits, 2×h×w."""
    found = []
    for plane in native.planes[1:3]:
        rows = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
        found.append(rows[: plane.height, : plane.width].astype(int))
    return np.stack(found)


def differing(a: list[Any], b: list[Any]) -> set[int]:
    assert len(a) == len(b)
    return {n for n, (x, y) in enumerate(zip(a, b, strict=True)) if not np.array_equal(x, y)}


def test_the_same_again_makes_nothing(folder: Path, work: Work) -> None:
    before = (folder / "out.mkv").read_bytes()
    said = color(folder)
    assert work.since() == (0, 0)
    assert (folder / "out.mkv").read_bytes() == before
    assert "of 48 frames 48 are encoded already" in " ".join(said)


def test_a_layer_that_is_kept_gives_the_bytes_of_one_that_is_not(folder: Path, work: Work) -> None:
    before = (folder / "out.mkv").read_bytes()
    shutil.rmtree(folder / "reel.mkv.pycolor" / "segments")
    color(folder)
    predicted, encoded = work.since()
    assert predicted == 0
    assert encoded > 4
    assert (folder / "out.mkv").read_bytes() == before
    shutil.rmtree(folder / "reel.mkv.pycolor" / "layer")
    shutil.rmtree(folder / "reel.mkv.pycolor" / "segments")
    color(folder)
    assert work.since()[0] > 0
    assert (folder / "out.mkv").read_bytes() == before


def test_saturation_of_a_shot_takes_its_segments_and_no_network(folder: Path, work: Work) -> None:
    before = packets(folder / "out.mkv")
    gray = chroma(folder / "out.mkv")
    changed(folder, 1, saturation=2.0)
    color(folder)
    assert work.since() == (0, 1)
    assert differing(before, packets(folder / "out.mkv")) == set(range(12, 24))
    stronger = chroma(folder / "out.mkv")
    spread = [np.abs(planes[20] - 128).mean() for planes in (gray, stronger)]
    assert spread[1] > 1.5 * spread[0]


def test_a_shot_s_change_reaches_into_its_transition(folder: Path, work: Work) -> None:
    before = packets(folder / "out.mkv")
    changed(folder, 3, warmth=1.0)
    color(folder)
    assert work.since()[0] == 0
    assert differing(before, packets(folder / "out.mkv")) == set(range(34, 48))


def test_a_shot_may_stay_gray_or_have_a_model_of_its_own(folder: Path, work: Work) -> None:
    before = packets(folder / "out.mkv")
    changed(folder, 0, treatment="black-and-white")
    color(folder)
    assert work.since() == (0, 1)
    changed(folder, 3, model="cheng2015")
    color(folder)
    assert work.since()[0] > 0
    assert differing(before, packets(folder / "out.mkv")) == {*range(12), *range(34, 48)}
    planes = chroma(folder / "out.mkv")
    assert all((planes[n] == 128).all() for n in range(12))
    own = chroma(folder / "reel.mkv")
    changed(folder, 0, treatment="own-color")
    color(folder)
    planes = chroma(folder / "out.mkv")
    assert not differing(planes[:12], own[:12])


def test_other_containers_and_segments_take_no_network(folder: Path, work: Work) -> None:
    color(folder, "out.mov", preset="prores")
    color(folder, "small.mkv", segment_frames=5)
    color(folder, "out.mp4")
    assert work.since()[0] == 0
    assert not differing(packets(folder / "out.mkv"), packets(folder / "small.mkv"))


def test_a_reference_of_a_shot(folder: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8) + np.array([180, 60, 40], np.uint8)
    Image.fromarray(picture).save(folder / "reel.mkv.pycolor" / "still.png")
    changed(folder, 0, model="varga2017")
    changed(folder, 1, model="varga2017", guidance=({"kind": "picture", "path": "still.png"},))
    file = read_plan_file(folder / "reel.mkv.pycolor" / "plan.json")
    assert file.shot_given(0) is None
    given = file.shot_given(1)
    assert given is not None
    assert [each.path.name for each in given.alike] == ["still.png"]
    assert file.shot_options(2, QUICK) == QUICK


def test_a_still_and_a_mark_lead_their_shot_alone(folder: Path, work: Work) -> None:
    larger: dict[str, Any] = {"predict": replace(QUICK, short_side=64)}
    color(folder, **larger)
    before = packets(folder / "out.mkv")
    film = folder / "reel.mkv"
    with Reader(film, frames=(4, 5)) as reader:
        gray = next(iter(reader)).luma
    red = np.stack([gray, gray // 2, gray // 3], 2)
    Image.fromarray(red).save(folder / "reel.mkv.pycolor" / "still.png")
    still = {"kind": "still", "frame": 4, "path": "still.png"}
    mark = {"kind": "color", "frame": 20, "at": [30, 20], "radius": 9, "color": "#2040c0"}
    changed(folder, 0, guidance=(still,))
    changed(folder, 1, guidance=(mark, {"kind": "palette", "colors": ["#2040c0"]}))
    color(folder, **larger)
    assert work.since()[0] > 0
    assert differing(before, packets(folder / "out.mkv")) == set(range(24))
    planes = chroma(folder / "out.mkv")
    assert planes[4][1].mean() > 130  # Cr: reddish
    assert planes[20][0].mean() > planes[20][1].mean()  # bluish
    again = (folder / "out.mkv").read_bytes()
    shutil.rmtree(folder / "reel.mkv.pycolor" / "segments")
    color(folder, **larger)
    assert work.since()[0] == 0
    assert (folder / "out.mkv").read_bytes() == again
    changed(folder, 1, guidance=())
    color(folder, **larger)
    assert not differing(before[12:], packets(folder / "out.mkv")[12:])
    Image.fromarray(red[..., ::-1].copy()).save(folder / "reel.mkv.pycolor" / "still.png")
    color(folder, **larger)  # the file's content counts, not its name
    assert differing(before, packets(folder / "out.mkv")) == set(range(12))
    assert chroma(folder / "out.mkv")[4][0].mean() > 130


WRONG = [
    ({"kind": "picture", "path": "gone.png"}, r"line \d+: the picture .*gone.png is not there"),
    ({"kind": "style", "path": "plan.json"}, r"line \d+: pycolor2026 takes no style picture; what"),
]


@pytest.mark.parametrize(("entry", "said"), WRONG)
def test_guidance_that_cannot_be_used(folder: Path, entry: dict[str, Any], said: str) -> None:
    changed(folder, 1, guidance=(entry,))
    before = (folder / "out.mkv").read_bytes()
    with pytest.raises(UsageError, match=said):
        color(folder)
    assert (folder / "out.mkv").read_bytes() == before


def test_a_mark_for_a_model_that_takes_none_is_told_with_its_line(folder: Path) -> None:
    style = {"kind": "style", "path": "plan.json"}
    mark = {"kind": "color", "frame": 20, "at": [30, 20], "radius": 9, "color": "#2040c0"}
    changed(folder, 1, model="iizuka2016", guidance=(style, mark))
    text = (folder / "reel.mkv.pycolor" / "plan.json").read_text()
    line = 1 + text[: text.rindex("{", 0, text.index('"color"'))].count("\n")
    said = rf"line {line}: iizuka2016 takes no reference picture, point or mask"
    with pytest.raises(UsageError, match=said):
        color(folder)


def test_a_plan_of_another_film_is_refused(folder: Path) -> None:
    make_film(folder / "reel.mkv", frames=48, width=96)
    with pytest.raises(UsageError, match=r"plan\.json, line 7: the plan is of reel\.mkv"):
        color(folder)


def test_damage_in_the_project_is_made_good(folder: Path, work: Work) -> None:
    before = (folder / "out.mkv").read_bytes()
    project = Project(folder / "reel.mkv.pycolor")
    for path in sorted(project.segments.glob("*.mkv"))[:2]:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    for path in project.layer.iterdir():
        path.write_bytes(path.read_bytes()[:-9])
    (next(project.segments.glob("*.luma"))).write_text("")
    said = " ".join(color(folder))
    assert "that were kept are damaged: they are made again" in said
    assert "that was kept is damaged: it is made again" in said
    assert (folder / "out.mkv").read_bytes() == before
    assert work.since()[1] > 0


def test_two_who_save_one_plan(folder: Path) -> None:
    path = folder / "reel.mkv.pycolor" / "plan.json"
    mine = yours = read_plan_file(path).plan
    saved = save_plan_file(path, edit.set_shot(mine, 0, notes="mine"))
    assert saved.revision == mine.revision + 1
    with pytest.raises(UsageError, match="changed meanwhile: expected revision 1, got 2"):
        save_plan_file(path, edit.set_shot(yours, 0, notes="yours"))
    assert read_plan_file(path).plan == saved
    assert not list(path.parent.glob(".plan*"))


def test_reviews_are_told(folder: Path) -> None:
    path = folder / "reel.mkv.pycolor" / "plan.json"
    plan = edit.review(read_plan_file(path).plan, 0, "rejected", "Ada")
    plan = edit.review(plan, 2, "accepted", "Ada")
    save_plan_file(path, edit.set_shot(plan, 2, saturation=0.5))
    said = " ".join(color(folder))
    assert "shot 1 is rejected in plan.json" in said
    assert "shot 3 is no longer as accepted" in said


def test_a_model_that_is_none_is_told_with_its_line(folder: Path) -> None:
    changed(folder, 1, model="zhang2061")
    file = read_plan_file(folder / "reel.mkv.pycolor" / "plan.json")
    with pytest.raises(UsageError, match=r"plan.json, line \d+: model 'zhang2061' is not known"):
        file.shot_options(1, QUICK)


def test_a_plan_of_another_rate_is_refused(folder: Path) -> None:
    file = read_plan_file(folder / "reel.mkv.pycolor" / "plan.json")
    file.check_rate(folder / "reel.mkv", file.plan.source.rate)
    said = (
        r"line \d+: the plan counts 24 frames a second, and .*reel.mkv is read with 25; --rate 24"
    )
    with pytest.raises(UsageError, match=said):
        file.check_rate(folder / "reel.mkv", Fraction(25))


def test_guidance_without_effect_is_told(folder: Path) -> None:
    stills = [{"kind": "still", "frame": 4, "path": f"{name}.png"} for name in "ab"]
    changed(folder, 0, guidance=(*stills, stills[0] | {"frame": 5}))
    told = read_plan_file(folder / "reel.mkv.pycolor" / "plan.json").cautions()
    assert told == ["frame 4 has two stills or more in plan.json; the last counts"]
    styles = [{"kind": "style", "path": f"{name}.png"} for name in "ab"]
    changed(folder, 1, guidance=tuple(styles))
    told = read_plan_file(folder / "reel.mkv.pycolor" / "plan.json").cautions()
    assert told[1:] == ["shot 2 has two styles or more in plan.json; the last counts"]
    changed(folder, 0, treatment="own-color")
    told = read_plan_file(folder / "reel.mkv.pycolor" / "plan.json").cautions()
    assert told[0].startswith("shot 1 is in the source's own color in plan.json, where guidance")


def test_stills_without_effect_are_told(folder: Path) -> None:
    with Reader(folder / "reel.mkv") as reader:
        gray = {frame.index: frame.luma for frame in reader}
    for frame in (4, 36):
        picture = np.stack([gray[frame]] * 3, 2)
        Image.fromarray(picture).save(folder / "reel.mkv.pycolor" / f"{frame}.png")
    changed(folder, 0, guidance=({"kind": "still", "frame": 4, "path": "4.png"},))
    changed(folder, 3, guidance=({"kind": "still", "frame": 36, "path": "36.png"},))
    said = "\n".join(color(folder))
    assert "/4.png has no color, so its frame and what looks like it stay gray" in said
    assert "does not hold at its own frame; a frame before or behind it does: frames 36" in said
    assert "no color, so" not in "\n".join(color(folder))  # its color is kept


def test_the_budget(folder: Path) -> None:
    project = Project(folder / "reel.mkv.pycolor")
    changed(folder, 1, saturation=3.0)
    color(folder)
    many = len(project.kept())
    color(folder, cache_size="0")  # what this film needs stays
    assert len(project.kept()) == many - 1
    with project.held():
        assert project.clean(0) == []
    project.clean(0)
    assert project.kept() == []
    assert not list(project.segments.iterdir())
    assert cache_bytes("1.5G") == 1_500_000_000
    for text in ("much", "-1G", "3 H"):
        with pytest.raises(UsageError, match="cache_size"):
            cache_bytes(text)


def test_a_preview_is_the_film_s_frame(folder: Path, work: Work) -> None:
    changed(folder, 3, saturation=2.0)
    film = folder / "reel.mkv"
    # In a shot, in a dissolve, the last.
    for frame, code in ((3, "3"), (36, "00:00:01:12"), (47, "47")):
        told = ["preview", str(film), "--frame", code, str(folder / f"{frame}.png")]
        assert main([*told, "--short-side", "64", "--dtype", "float32"]) == 0
    assert work.since()[0] == 0  # the color is kept
    shutil.rmtree(folder / "reel.mkv.pycolor" / "layer")
    preview = open_preview(
        film, read_plan_file(folder / "reel.mkv.pycolor" / "plan.json"), options(film), pytest.fail
    )
    again = {frame: preview.codes(frame) for frame in (3, 36, 47)}
    assert work.since()[0] > 0
    color(folder)
    with Reader(folder / "out.mkv") as reader:
        shown = {
            frame.index: shown_codes(frame.luma, chroma, reader.info.encoding)
            for frame in reader
            if (chroma := chroma_planes(frame)) is not None
        }
    for frame, codes in again.items():
        stored = np.asarray(Image.open(folder / f"{frame}.png"))
        assert np.array_equal(codes, stored)
        assert np.array_equal(codes, shown[frame])
    with pytest.raises(UsageError, match="frames 0 to 47, got 48"):
        preview.codes(48)


def test_a_draft_of_the_whole_film(folder: Path, work: Work) -> None:
    film, draft = folder / "reel.mkv", folder / "draft.mp4"
    changed(folder, 1, treatment="black-and-white")
    told = ["--short-side", "64", "--dtype", "float32", "--height", "24", "--quiet"]
    assert main(["preview", str(film), "--draft", str(draft), *told]) == 0
    assert work.since()[0] == 0  # the color is kept
    color(folder)
    shutil.rmtree(folder / "reel.mkv.pycolor" / "layer")
    again = folder / "again.mp4"
    assert main(["preview", str(film), "--draft", str(again), *told]) == 0
    assert work.since()[0] > 0
    color(folder)  # by the color that the draft has kept
    assert work.since()[0] == 0
    with Reader(draft) as reader, Reader(folder / "out.mkv") as out:
        assert (reader.info.height, reader.info.width) == (24, 32)
        for small, full in zip(reader, out, strict=True):
            pair = [planes_of(frame.native).mean((1, 2)) - 128 for frame in (small, full)]
            assert np.abs(pair[0] - pair[1]).max() < 4
            assert not 12 <= small.index < 24 or np.abs(pair[0]).max() < 1
    assert main(["preview", str(film), "--draft", "--frame", "1", str(again)]) == 2
    picture = again.with_suffix(".jpg")
    assert main(["preview", str(film), "--frame", "1", str(picture)]) == 2  # it would hold a PNG
    assert not picture.exists()


def test_kept_color_on_another_version(folder: Path, work: Work) -> None:
    film, project = folder / "reel.mkv", folder / "reel.mkv.pycolor"
    for number in range(4):
        changed(folder, number, treatment="color")
    color(folder)
    work.since()
    told = ["--short-side", "64", "--dtype", "float32", "--progress", "none", "--overwrite"]
    same = shutil.copy(film, folder / "copy.mkv")
    assert main(["apply", str(project), str(same), str(folder / "copied.mkv"), *told]) == 0
    assert not differing(packets(folder / "out.mkv"), packets(folder / "copied.mkv"))
    wide = make_film(folder / "wide.mov", frames=48, width=128, height=96, codec="prores_ks",
                     pixel_format="yuv422p10le", timecode="10:00:00:00")  # fmt: skip
    assert main(["apply", str(project), str(wide), str(folder / "wide.mkv"), *told]) == 0
    assert work.since()[0] == 0
    assert verify(wide, folder / "wide.mkv").ok
    short = make_film(folder / "short.mkv", frames=47)
    late = [*told, "--offset", "2"]  # it would end behind the film
    assert main(["apply", str(project), str(short), str(folder / "no.mkv"), *late]) == 2
    other = [*told[2:], "--short-side", "48"]
    assert main(["apply", str(project), str(wide), str(folder / "no.mkv"), *other]) == 2
    assert not (folder / "no.mkv").exists()


def test_the_cue_sheet(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = folder / "reel.mkv.pycolor" / "plan.json"
    plan = edit.set_shot(read_plan_file(path).plan, 1, model="cheng2015", notes='=1+1 "<b>"')
    plan = edit.set_shot(plan, 0, treatment="black-and-white", look="vivid", saturation=0.5)
    save_plan_file(path, edit.review(plan, 1, "accepted", "Ada"))
    color(folder)
    assert main(["report", str(folder / "out.mkv")]) == 0
    with (folder / "out.cues.csv").open(encoding="utf-8") as f:
        first, second, _, last = csv.DictReader(f)
    assert (first["timecode_in"], first["color"], first["model"]) == (
        "10:00:00:00",
        "black-and-white",
        "",
    )
    assert first["grade"] == "vivid, saturation 0.5"
    assert (second["model"], second["reviewer"], second["notes"]) == (
        "cheng2015",
        "Ada",
        '\'=1+1 "<b>"',
    )
    assert second["weights"] not in ("", last["weights"])
    assert (last["start"], last["stop"], last["timecode_out"]) == ("36", "48", "10:00:02:00")
    page = (folder / "out.cues.html").read_text(encoding="utf-8")
    assert page.count("<img ") == 8
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert main(["report", str(folder / "out.mkv")]) == 2
    assert main(["report", str(folder / "reel.mkv"), "--overwrite"]) == 2
    assert "there is no sidecar" in capfd.readouterr().err


def test_cleaning(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    film, project = folder / "reel.mkv", Project(folder / "reel.mkv.pycolor")
    many = len(project.kept())
    assert main(["clean", str(film), "--dry-run"]) == 0
    assert len(project.kept()) == many
    with project.held():
        assert main(["clean", str(film)]) == 2
    assert main(["clean", str(project.folder)]) == 0
    said = capfd.readouterr().err
    assert f"{many} of {many} files would be removed" in said
    assert "a run is at work" in said
    assert project.kept() == []
    assert main(["clean", str(folder / "other.mkv")]) == 2


def test_lists_of_a_plan_s_shots_come_back(folder: Path, tmp_path: Path) -> None:
    film = folder / "reel.mkv"
    names = {kind: str(tmp_path / f"list.{kind}") for kind in ("csv", "edl", "json")}
    told = [part for kind, name in names.items() for part in (f"--{kind}", name)]
    assert main(["plan", str(film), *told, "--quiet"]) == 0
    shots = [shot.shot for shot in read_plan_file(folder / "reel.mkv.pycolor/plan.json").plan.shots]
    for kind, name in names.items():
        path = tmp_path / f"{kind}.pycolor" / "plan.json"
        told = ["--to", str(path), "--shots", name, "--progress", "none"]
        assert main(["plan", str(film), *told]) == 0
        assert [shot.shot for shot in read_plan_file(path).plan.shots] == shots
    assert main(["plan", str(film), "--csv", names["csv"], "--quiet"]) == 2


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    film = make_film(tmp_path / "reel.mkv", frames=6)
    assert main(["plan", str(film), "--progress", "none"]) == 0
    plan = read_plan_file(tmp_path / "reel.mkv.pycolor" / "plan.json").plan
    assert (plan.source.frames, plan.revision) == (6, 0)
    assert main(["plan", str(film)]) == 0
    assert "1 shot (1 new)" in capfd.readouterr().err
    assert main(["plan", str(tmp_path / "none.mkv")]) == 2
