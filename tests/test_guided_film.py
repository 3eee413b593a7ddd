"""Guidance through the commands: films led by stills and marks, pictures, suggested frames."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.cli import main
from pycolor.errors import UsageError
from pycolor.image.guidance.guides import load_predictor
from pycolor.image.guidance.references import references
from pycolor.models.colorizer import Guidance
from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.networks.pycolor2026 import Pycolor2026
from pycolor.options import PredictOptions, PropagationOptions
from pycolor.video.io import FrameSource, Reader
from pycolor.video.job.decisions import guided
from pycolor.video.job.decisions.suggest import check_stills_folder, write_stills
from pycolor.video.job.distribute.segment import SegmentJob
from pycolor.video.plan.analysis import analyze_film
from pycolor.video.plan.plan import Plan, ShotBody, TransitionSpan
from pycolor.video.plan.plan_json import plan_from_json, plan_to_json
from pycolor.video.plan.planning import plan_of
from pycolor.video.propagation.layer import predict_layer, predict_layers
from tests.films import make_film

SMALL = ["--short-side", "64", "--device", "cpu", "--progress", "none"]
FRAMES, GUIDED = 40, 17


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guided")
    return make_film(folder / "film.mkv", frames=FRAMES, width=128, height=96)


@pytest.fixture(scope="module")
def still(film: Path) -> Path:
    """Frame 17, its left half reddish and its right half bluish, at twice the size."""
    with av.open(str(film)) as source:
        gray = next(f for i, f in enumerate(source.decode(video=0)) if i == GUIDED)
    pixels = np.repeat(gray.to_ndarray(format="gray")[..., None], 3, 2).astype(int)
    pixels[:, :64] += [50, -15, -35]
    pixels[:, 64:] += [-40, 0, 50]
    path = film.with_name("still.png")
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    picture.resize((256, 192), Image.Resampling.BICUBIC).save(path)
    return path


def prepared(
    film: Path, options: PredictOptions
) -> tuple[Plan, FrameSource, tuple[GuidedPicture, ...]]:
    predictor = load_predictor(options)
    seen = analyze_film(film)
    source = FrameSource(path=film, timeline=seen.timeline)
    with Reader(film) as reader:
        found = guided.given(options, predictor, reader.info, 0)
    plan = guided.guided_plan(plan_of(seen, PropagationOptions(), recolor=False), found, options, 0)
    return plan, source, guided.guided_pictures(found, plan, source, predictor)


def test_a_guided_layer_holds_its_color_and_does_not_depend_on_where_it_is_cut(
    film: Path, still: Path
) -> None:
    options = PredictOptions(
        device="cpu", dtype="float32", short_side=64, reference=(Path(f"{GUIDED}={still}"),)
    )
    plan, source, pictures = prepared(film, options)
    (body,) = plan.spans
    assert isinstance(body, ShotBody)
    assert GUIDED in body.keys
    assert body.guided == {GUIDED}
    predictor = load_predictor(options)
    predictor.lead_by(pickle.loads(pickle.dumps(pictures)))
    whole = predict_layer(plan, source, predictor, 0, FRAMES)
    ends = [0, 5, GUIDED, 18, 33, FRAMES]
    parts = list(predict_layers(plan, source, predictor, ends))
    alone = [predict_layer(plan, source, predictor, a, b) for a, b in pairwise(ends)]
    for layers in (parts, alone):
        fields = [field for layer in layers for field in layer.fields]
        assert all(torch.equal(a, b) for a, b in zip(fields, whole.fields, strict=True))  # type: ignore[arg-type]
    known = pictures[0].color
    field = whole.fields[GUIDED]
    assert field is not None
    assert float((field - known.hints[0])[:, :, 4:-4].norm(dim=0).mean()) < 6
    # … and is carried: reddish left, bluish right, ten frames away as well.
    later = whole.fields[GUIDED + 10]
    assert later is not None
    w = later.shape[2]
    left, right = later[1, :, : w // 3].mean(), later[1, :, -w // 3 :].mean()
    assert float(left) > float(right) + 10


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_what_is_transparent_says_nothing(
    film: Path, still: Path, tmp_path: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = Image.open(still).convert("RGBA")
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (128, 0, 256, 192))
    picture.putalpha(alpha)
    path = tmp_path / "half.png"
    if mode == "P":
        picture = picture.quantize(64)
    picture.save(path)
    options = PredictOptions(device="cpu", short_side=64)
    given = (Path(f"{GUIDED}={path}"), path)
    _, _, (own, like) = prepared(film, replace(options, reference=given))
    _, _, (whole,) = prepared(film, replace(options, reference=(Path(f"{GUIDED}={still}"),)))
    for color in (own.color, like.color):
        w = color.weight.shape[3] // 2
        assert bool((color.weight[..., : w - 2] == 1).all())
        assert bool((color.weight[..., w + 2 :] == 0).all())
        assert float((color.hints - whole.color.hints)[..., : w - 2].abs().max()) < 12
        assert float(color.hints[:, 0, :, : w - 2].mean()) > 5  # reddish
    Image.new("RGBA", picture.size, (200, 40, 40, 0)).save(path)
    assert main(["video", str(film), str(tmp_path / "a.mkv"), "--reference", str(path)]) == 2
    assert "half.png is transparent all over; expected a color" in capsys.readouterr().err


def test_a_picture_takes_a_still_with_transparent_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, still, target = (tmp_path / name for name in ("in.png", "still.png", "out.png"))
    coarse = np.random.default_rng(3).integers(0, 255, (6, 8), np.uint8)
    gray = np.asarray(Image.fromarray(coarse).resize((128, 96)))
    Image.fromarray(gray).save(source)
    seen = np.where(np.arange(128) < 64, 255, 0) + 0 * gray
    red = np.dstack([gray // 2 + 100, gray // 2, gray // 2, seen])
    Image.fromarray((red * (seen > 0)[..., None]).astype(np.uint8)).save(still)
    assert main(["image", str(source), str(target), "--reference", f"0={still}", *SMALL]) == 0
    out = np.asarray(Image.open(target)).astype(int)
    assert float((out[:, :60, 0] - out[:, :60, 2]).mean()) > 40
    assert "no color" not in capsys.readouterr().err
    Image.fromarray(np.dstack([gray] * 3)).save(still)
    again = ["image", str(source), str(target), "--reference", f"0={still}", "--overwrite"]
    assert main([*again, *SMALL]) == 0
    assert f"{still} has no color, so {source} stays gray" in capsys.readouterr().err


def test_stills_of_frames_that_are_not_in_the_range_are_left_out(
    film: Path, still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = tmp_path / "marks.json"
    kept = {"frame": 4, "kind": "color", "color": "#26324a", "at": [20, 20]}
    marks.write_text(json.dumps({"version": 1, "marks": [kept, kept | {"frame": 30}]}))
    given = ["--reference", f"{GUIDED}={still}", "--guidance", str(marks), *SMALL]
    part, plain = tmp_path / "part.mkv", tmp_path / "plain.mkv"
    assert main(["video", str(film), str(part), "--frames", "2:6", *given]) == 0
    assert "left out: what is given for frames 17, 30" in capsys.readouterr().err
    record = json.loads(part.with_suffix(".json").read_text())
    assert any("frames 17, 30" in text for text in record["warnings"])
    # Behind the film's end is no part of it.
    assert main(["video", str(film), str(plain), "--reference", f"40={still}", *SMALL]) == 2
    assert "guidance for frame 40; expected 0 to 39" in capsys.readouterr().err


def test_a_guided_plan_goes_through_its_document(film: Path, still: Path, tmp_path: Path) -> None:
    marks = tmp_path / "marks.json"
    look = {"first": 0, "stop": 40, "saturation": 0.5}
    marks.write_text(json.dumps({"version": 1, "palette": ["#5a6b3c"], "looks": [look]}))
    options = PredictOptions(
        device="cpu",
        short_side=64,
        reference=(Path(f"{GUIDED}={still}"),),
        guidance=marks,
        look="vivid",
    )
    plan, _, _ = prepared(film, options)
    again = plan_from_json(plan_to_json(plan))
    assert again.grades == plan.grades
    assert len(again.grades) == 2
    assert again.spans[0].guided == {GUIDED}  # type: ignore[union-attr]
    grade = again.grade_at(3)
    assert grade is not None
    assert (grade.saturation, grade.look) == (0.5, "vivid")


def test_a_look_grades_its_frames_and_no_others(film: Path, tmp_path: Path) -> None:
    marks, target = tmp_path / "marks.json", tmp_path / "out.mkv"
    look = {"first": 15, "stop": 25, "saturation": 0}
    marks.write_text(json.dumps({"version": 1, "looks": [look]}))
    assert main(["video", str(film), str(target), "--guidance", str(marks), *SMALL]) == 0
    with av.open(str(target)) as colored:
        planes = [f.to_ndarray(format="yuv444p")[1:] for f in colored.decode(video=0)]
    assert [n for n, chroma in enumerate(planes) if (chroma == 128).all()] == list(range(15, 25))
    marks.write_text(json.dumps({"version": 1, "looks": [look | {"first": 40, "stop": 60}]}))
    bad = ["video", str(film), str(tmp_path / "bad.mkv"), "--guidance", str(marks), *SMALL]
    assert main(bad) == 2


def test_guidance_that_can_have_no_effect_is_told(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks, stills, target = tmp_path / "marks.json", tmp_path / "stills", tmp_path / "out.mkv"
    mark = {"frame": 12, "color": "#26324a", "at": [700, 20]}
    marks.write_text(json.dumps({"version": 1, "marks": [mark]}))
    part = ["video", str(film), str(target), "--frames", "10:20", *SMALL]
    assert main([*part, "--guidance", str(marks)]) == 2
    said = "a mark of frame 12 of film.mkv lies outside of its picture, at 700, 20"
    assert said in capsys.readouterr().err
    write_stills(film, [GUIDED], stills)  # as they were, in no color
    assert main([*part, "--reference", str(stills)]) == 0
    assert f"film_{GUIDED:06d}.png has no color, so its frame" in capsys.readouterr().err


def test_guidance_of_shots_in_color_is_told(film: Path, still: Path) -> None:
    options = PredictOptions(device="cpu", short_side=64, reference=(Path(f"{GUIDED}={still}"),))
    plan, _, pictures = prepared(film, options)
    with Reader(film) as reader:
        found = guided.given(options, load_predictor(options), reader.info, 0)
    assert guided.without_effect(found, plan, pictures, 0) == []
    (body,) = plan.spans
    own = replace(plan, spans=(replace(body, passthrough=True),))  # type: ignore[arg-type]
    (told,) = guided.without_effect(found, own, pictures, 5)
    assert told == f"left in their own color, whatever is given for them: frames {GUIDED + 5}"


def test_guidance_in_a_dissolve_is_told(film: Path, still: Path) -> None:
    options = PredictOptions(device="cpu", short_side=64, reference=(Path(f"{GUIDED}={still}"),))
    plan, _, pictures = prepared(film, options)
    with Reader(film) as reader:
        found = guided.given(options, load_predictor(options), reader.info, 0)
    mixed = TransitionSpan(start=0, stop=FRAMES, kind="dissolve", before=None, after=None)
    (told,) = guided.without_effect(found, replace(plan, spans=(mixed,)), pictures, 5)
    assert told.startswith("in a dissolve or fade, where what is given leads what looks like it")
    assert told.endswith(f"frames {GUIDED + 5}")


def test_a_film_is_led_by_a_still_and_a_wrong_one_is_refused(
    film: Path, still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.mkv"
    assert main(["video", str(film), str(target), "--reference", f"{GUIDED}={still}", *SMALL]) == 0
    plain = tmp_path / "plain.mkv"
    assert main(["video", str(film), str(plain), *SMALL]) == 0
    assert target.read_bytes() != plain.read_bytes()
    assert main(["verify", str(film), str(target), "--progress", "none"]) == 0
    wrong = tmp_path / "wrong.png"
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    Image.fromarray(noise).save(wrong)
    capsys.readouterr()
    bad = tmp_path / "bad.mkv"
    assert main(["video", str(film), str(bad), "--reference", f"3={wrong}", *SMALL]) == 2
    said = capsys.readouterr().err
    assert "does not show frame 3 of film.mkv" in said
    assert not bad.exists()
    assert main(["video", str(film), str(bad), "--reference", f"99={still}", *SMALL]) == 2
    assert "guidance for frame 99; expected 0 to 39" in capsys.readouterr().err
    flags = ["--reference", f"3={still}", "--model", "zhang2016"]
    assert main(["video", str(film), str(bad), *flags, *SMALL]) == 2
    assert "takes no reference picture" in capsys.readouterr().err


def test_a_picture_takes_a_point(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target, marks = (tmp_path / name for name in ("in.png", "out.png", "marks.json"))
    pixels = np.full((96, 128), 90, np.uint8)
    pixels[20:70, 30:90] = 170
    Image.fromarray(pixels).save(source)
    mark = {"frame": 0, "kind": "color", "color": "#3060d0", "at": [60, 45], "radius": 5}
    marks.write_text(json.dumps({"version": 1, "marks": [mark]}))
    assert main(["image", str(source), str(target), "--guidance", str(marks), *SMALL]) == 0
    out = np.asarray(Image.open(target)).astype(int)
    inside = out[40:50, 52:68]
    assert float((inside[..., 2] - inside[..., 0]).mean()) > 40
    mark["frame"], mark["at"] = 0, [200, 45]
    marks.write_text(json.dumps({"version": 1, "marks": [mark]}))
    capsys.readouterr()
    assert main(["image", str(source), str(tmp_path / "b.png"), "--guidance", str(marks)]) == 2
    assert capsys.readouterr().err.count("in.png lies outside of its picture, at 200, 45") == 1
    mark["frame"] = 1
    marks.write_text(json.dumps({"version": 1, "marks": [mark]}))
    assert main(["image", str(source), str(tmp_path / "b.png"), "--guidance", str(marks)]) == 2


def test_suggested_stills_are_named_so_that_they_lead(film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stills"
    assert main(["suggest", str(film), str(folder), "--stills", "2", *SMALL]) == 0
    found = references([folder], None)
    assert len(found) == 2
    assert all(r.frame is not None and 0 <= r.frame < FRAMES for r in found)
    with Image.open(found[0].path) as picture:
        assert picture.size == (128, 96)
    assert main(["suggest", str(film), str(folder), "--stills", "2", *SMALL]) == 2


def test_a_folder_for_stills_is_looked_at_first(tmp_path: Path) -> None:
    film = tmp_path / "a.b.mkv"
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "axb_000001.png").touch()  # another film's
    check_stills_folder(film, taken)
    check_stills_folder(film, tmp_path / "not" / "yet")
    assert not (tmp_path / "not").exists()
    (taken / "a.b_000001.png").touch()
    with pytest.raises(UsageError, match=r"a\.b_000001\.png; expected another folder"):
        check_stills_folder(film, taken)
    check_stills_folder(film, taken, overwrite=True)
    film.touch()
    for folder in (film, film / "stills"):
        with pytest.raises(UsageError, match=r"a\.b\.mkv is a file; expected a folder"):
            check_stills_folder(film, folder)


def test_a_job_carries_what_a_person_gave(film: Path, still: Path, tmp_path: Path) -> None:
    options = PredictOptions(device="cpu", short_side=64, reference=(Path(f"{GUIDED}={still}"),))
    plan, source, pictures = prepared(film, options)
    job = SegmentJob(
        source=source,
        plan=plan,
        guided=pictures,
        first=0,
        stop=8,
        predict=options,
        weights_sha256="",
        output=tmp_path / "a.mkv",
        target=tmp_path / "b.mkv",
    )
    again = pickle.loads(pickle.dumps(replace(job, batch=2)))
    assert torch.equal(again.guided[0].color.hints, pictures[0].color.hints)


def test_a_network_that_takes_hints_is_given_them() -> None:
    predictor = load_predictor(PredictOptions(device="cpu", dtype="float32", short_side=64))
    torch.manual_seed(0)
    network = Pycolor2026(width=0.25, hints=True).eval()
    assert network.hints is not None
    for layer in (network.hints.to16, network.hints.to8, network.hints.to4):
        torch.nn.init.normal_(layer.weight)
    predictor.network = network
    lightness = torch.rand(1, 1, 64, 96) * 100
    weight = torch.zeros(1, 1, 16, 24)
    weight[..., 4:8, 4:8] = 0.75
    known = Guidance(hints=torch.full((1, 2, 16, 24), 30.0), weight=weight)
    led = predictor.field(lightness, guidance=known)
    plain = predictor.field(lightness)
    assert float((led - plain)[..., 9:12, 9:12].abs().max()) > 0  # where no weight is, too
    with torch.inference_mode():  # weights from 0.5 to 1 are told as weights from 0 to 1
        told = replace(known, weight=(2 * weight - 1).clamp_min(0))
        own = network.chroma(lightness, None, predictor.temperature, told)
    assert torch.allclose(led, torch.lerp(own, known.hints, weight), atol=1e-4)


def test_a_network_is_told_nothing_of_guidance_that_is_not_sure() -> None:
    predictor = load_predictor(PredictOptions(device="cpu", dtype="float32", short_side=64))
    lightness = torch.rand(1, 1, 64, 96) * 100
    weight = torch.zeros(1, 1, 16, 24)
    weight[..., 4:8, 4:8] = 0.5
    known = Guidance(hints=torch.full((1, 2, 16, 24), 30.0), weight=weight)
    led = predictor.field(lightness, guidance=known)
    plain = predictor.field(lightness)
    assert torch.allclose(led, torch.lerp(plain, known.hints, weight), atol=1e-4)
