"""What the desk keeps between two clicks changes no picture, no plan and no document."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pycolor.image.guidance.guides import load_predictor
from pycolor.image.predictor_pool import PredictorPool
from pycolor.options import PredictOptions, PropagationOptions
from pycolor.system.heaps import share_heaps
from pycolor.video.film_plan import edit
from pycolor.video.film_plan.document import read_plan, shots_of
from pycolor.video.film_plan.document_text import ShotTexts, plan_text, shot_document
from pycolor.video.io import FrameSource, Reader
from pycolor.video.job.decisions.plan_file import read_plan_file
from pycolor.video.job.decisions.project import Project, project_of
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.planning import KnownBodies, plan_of
from pycolor.video.propagation.layer import predict_layers
from pycolor.video.propagation.layer_store import pieces_of
from pycolor.video.propagation.seen_frames import SeenFrames
from pycolor.web.desk.rendering.decoder import Decoder
from pycolor.web.desk.rendering.turns import Turns
from tests.test_desk import Page, make_started, opened

SMALL = PredictOptions(short_side=64, dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_started(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def film(started: Path, tmp_path: Path) -> Path:
    shutil.copytree(started, tmp_path, dirs_exist_ok=True)
    return tmp_path / "reel.mkv"


def analysis_of(film: Path) -> FilmAnalysis:
    file = read_plan_file(project_of(film) / "plan.json")
    found = Project(file.project).load_analysis(file.plan.source.sha256)
    assert found is not None
    return found


def mark(page: Page, frame: int, x: int, color: str) -> None:
    page.edit(do="mark", frame=frame, kind="color", at=[x, 20], radius=9, color=color)


def test_pictures_after_many_clicks_are_those_of_a_desk_that_was_just_opened(film: Path) -> None:
    with opened(film) as page:
        page.codes(9)
        for frame, x, color in ((9, 30, "#2040c0"), (9, 10, "#c02040"), (12, 40, "#20c040")):
            mark(page, frame, x, color)
            page.codes(frame)
        page.edit(do="set", shot=1, values={"saturation": 1.4})
        page.edit(do="undo")
        kept = [page.codes(n) for n in (8, 9, 12, 15, 20)]
    with opened(film) as page:
        assert all(
            np.array_equal(page.codes(n), codes)
            for n, codes in zip((8, 9, 12, 15, 20), kept, strict=True)
        )


def test_the_film_s_own_color_is_not_what_was_written_into_a_frame(film: Path) -> None:
    with opened(film) as page:
        page.codes(9)
        page.edit(do="set", shot=1, values={"treatment": "own-color"})
        own = page.codes(9)
    with opened(film) as page:
        assert np.array_equal(page.codes(9), own)


def test_a_frame_that_was_recolored_is_read_again_for_its_own_color(film: Path) -> None:
    decoder = Decoder(FrameSource(path=film, timeline=analysis_of(film).timeline), 24)
    frame, _ = decoder.take(3)
    decoder.put_back(frame, recolored=True)
    assert decoder.take(3)[0] is frame
    decoder.put_back(frame, recolored=True)
    again, _ = decoder.take(3, own_color=True)
    assert again is not frame
    decoder.put_back(again)
    assert decoder.take(3, own_color=True)[0] is again
    decoder.close()


def test_frames_that_were_seen_are_not_decoded_again(film: Path) -> None:
    seen = analysis_of(film)
    plan = plan_of(seen, PropagationOptions(), recolor=False)
    source = FrameSource(path=film, timeline=seen.timeline)
    with Reader(film) as reader:
        frames = SeenFrames(reader.info)
    predictor = load_predictor(SMALL)
    plain = list(predict_layers(plan, source, predictor, [2, 9, 20]))
    for path in (film, film.with_name("gone.mkv")):  # the second time there is no film
        layers = predict_layers(
            plan, replace(source, path=path), predictor, [2, 9, 20], seen=frames
        )
        for layer, expected in zip(layers, plain, strict=True):
            for field, other in zip(layer.fields, expected.fields, strict=True):
                assert field is not None
                assert other is not None
                assert torch.equal(field, other)


def test_a_model_that_remembers_gives_the_same_bits() -> None:
    plain = load_predictor(SMALL)
    remembering = PredictorPool(remembered=20).of(SMALL)
    luma = torch.randint(16, 235, (1, 96, 128), generator=torch.manual_seed(5), dtype=torch.uint8)
    lightness = torch.nn.functional.interpolate(luma[None].float() / 2.55, (64, 96))
    for _ in range(2):
        assert torch.equal(plain.field(lightness), remembering.field(lightness))
    likely = plain.likelihoods(lightness), remembering.likelihoods(lightness)
    assert likely[0] is not None
    assert likely[1] is not None
    assert torch.equal(likely[0], likely[1])


def test_a_plan_from_known_shots_is_the_same(film: Path) -> None:
    seen = analysis_of(film)
    lightness = np.random.default_rng(3).uniform(0, 1, len(seen)).astype(np.float32)
    lightness[5] = 0.003
    seen = replace(seen, lightness=lightness)
    document = read_plan_file(project_of(film) / "plan.json").plan
    shots = tuple(shot.shot for shot in document.shots)
    seen = replace(seen, shots=shots, colored=(False,) * 3, looks=())
    known: KnownBodies = {}
    first = plan_of(seen, PropagationOptions(), recolor=False, known=known)
    assert len(known) == 3
    again = plan_of(seen, PropagationOptions(), recolor=False, known=known)
    assert all(a is b for a, b in zip(again.spans, first.spans, strict=True))
    assert np.array_equal(again.gain, first.gain)
    for shot in shots:  # flicker: to the median of the shot's frames, 25 on each side at most
        own = lightness[shot.start : shot.stop]
        expected = [np.median(own) / x if x > 0.01 else 1.0 for x in own]
        found = first.gain[shot.start : shot.stop]
        assert np.allclose(found, np.clip(expected, 1 / 1.5, 1.5), rtol=1e-6)
    one = plan_of(replace(seen, colored=(True, False, False)), PropagationOptions(), recolor=False)
    two = replace(seen, colored=(True, False, False))
    assert plan_of(two, PropagationOptions(), recolor=False, known=known).spans == one.spans


def test_flicker_is_measured_against_51_frames() -> None:
    from pycolor.video.plan.planning import _gain

    lightness = np.random.default_rng(4).uniform(0, 1, 130).astype(np.float32)
    around = [lightness[max(0, n - 25) : n + 26] for n in range(130)]
    expected = np.array([np.median(a) for a in around], np.float32) / lightness
    expected[lightness <= 0.01] = 1
    assert np.array_equal(_gain(lightness), expected.clip(1 / 1.5, 1.5))


def test_pieces_of_some_frames_are_some_of_all_pieces(film: Path) -> None:
    plan = plan_of(analysis_of(film), PropagationOptions(), recolor=False)
    pieces = list(pieces_of(plan))
    for first, stop in ((0, 24), (3, 4), (7, 9), (16, 24), (23, 24), (5, 5)):
        inside = [p for p in pieces if p.first < stop and p.stop > first]
        assert list(pieces_of(plan, first, stop)) == inside


def test_shots_that_stay_are_written_as_they_were(film: Path) -> None:
    plan = read_plan_file(project_of(film) / "plan.json").plan
    texts = ShotTexts()
    assert plan_text(plan, texts) == plan_text(plan)
    changed = edit.set_shot(plan, 1, notes="a “line”\n\u2028 and \\ another", saturation=0.5)
    text = plan_text(changed, texts)
    assert text == plan_text(changed)
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    assert read_plan(text) == changed
    documents = texts.documents(changed)
    assert documents == [shot_document(shot, plan.source) for shot in changed.shots]
    assert shots_of(documents, plan.source) == changed.shots


def test_a_plan_that_another_has_written_is_not_written_over(film: Path) -> None:
    with opened(film) as page:
        page.edit(do="set", shot=0, values={"notes": "one"})
        page.plan.write_text(page.plan.read_text().replace('"notes": "one"', '"notes": 3'))
        status, why = page.post("api/edit", {"do": "undo", "revision": page.desk.plan.revision})
        assert status == 500
        assert "notes should be a text, got 3" in why
        assert '"notes": 3' in page.plan.read_text()


def test_whoever_waits_goes_first_and_what_is_hurried_waits_for_no_pause() -> None:
    turns, ended = Turns(), threading.Event()
    with turns.for_a_person():
        pass
    with turns.spare(lambda: False, ended, lambda: True) as mine:  # at once
        assert mine
        assert turns.work.locked()
        turns.give_way(lambda: False)
        assert turns.work.locked()
    assert not turns.work.locked()
    waiting = turns.spare(lambda: True, ended, lambda: True)
    threading.Timer(0.05, ended.set).start()
    with waiting as mine:
        assert not mine


def test_heaps_are_shared() -> None:
    share_heaps()
