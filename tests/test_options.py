"""Options check themselves; ranges, rates, lists and habits as people write them."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pycolor import ops
from pycolor.cli import main
from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError
from pycolor.models import predictor
from pycolor.models.checkpoints import weight_files
from pycolor.models.inference import device
from pycolor.models.inference.device import choose_device, why_cpu
from pycolor.options import (
    CompareOptions,
    PredictOptions,
    PropagationOptions,
    StudyOptions,
    VideoOptions,
)
from pycolor.options.frame_ranges import (
    Timecode,
    check_frame,
    check_frames,
    frame_number,
    frame_range,
    frame_rate,
)
from pycolor.video.shots.lists.film_times import FilmTimes
from pycolor.video.shots.lists.json_list import read_json, write_json
from pycolor.video.shots.lists.list_files import read, read_file, shots_in_range
from pycolor.video.shots.shot import Shot, Transition

NAN = float("nan")


def times(frames: int) -> FilmTimes:
    """Of a film of 24 frames a second."""
    return FilmTimes(frames=frames, rate=Fraction(24))


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (VideoOptions, {"color_shots": "foo"}, "color_shots must be one of keep, recolor"),
        (VideoOptions, {"codec": ""}, "codec must be the name of an encoder"),
        (VideoOptions, {"sensitivity": 0.0}, "sensitivity must be above 0"),
        (VideoOptions, {"sensitivity": NAN}, "sensitivity must be above 0"),
        (VideoOptions, {"batch": 1.5}, "batch must be a whole number"),
        (VideoOptions, {"propagation": "best"}, "propagation must be PropagationOptions, got str"),
        (VideoOptions, {"predict": None}, "predict must be PredictOptions, got NoneType"),
        (VideoOptions, {"shots": 3}, "shots must be a path, got int"),
        (PropagationOptions, {"mode": "bset"}, "mode must be one of off, fast, best"),
        (PropagationOptions, {"mode": "off", "key_every": 6}, "left out where the mode is off"),
        (PropagationOptions, {"key_every": 0}, "key_every must lie in 1 to 24"),
        (PropagationOptions, {"key_every": 2.5}, "key_every must be a whole number"),
        (PredictOptions, {"decode": "foo"}, "decode must be one of auto, mean, annealed, mode"),
        (PredictOptions, {"dtype": "float16"}, "dtype must be one of auto, float32, bfloat16"),
        (PredictOptions, {"saturation": NAN}, "saturation must lie in 0 to 4"),
        (PredictOptions, {"saturation": "1"}, "saturation must lie in 0 to 4"),
        (PredictOptions, {"short_side": 64.0}, "short_side must be a multiple of 8"),
        (PredictOptions, {"weights": b"w"}, "weights must be a path, got bytes"),
        (PredictOptions, {"reference": "a.png"}, "reference must be a tuple of paths"),
        (CompareOptions, {"view": "top"}, "view must be one of side, wipe, ab"),
        (StudyOptions, {"question": "odd"}, "question must be one of natural, real"),
        (StudyOptions, {"seconds": NAN}, "seconds must be 0 or more"),
    ],
)
def test_options_check_themselves(kind: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as error:
        kind(**given)
    assert words in str(error.value)


def test_paths_may_be_text() -> None:
    given: dict[str, Any] = {
        "weights": "w.pth",
        "style": "s.png",
        "reference": ["a.png", Path("b.png")],
    }
    options = PredictOptions(**given)
    assert options.weights == Path("w.pth")
    assert options.reference == (Path("a.png"), Path("b.png"))
    given = {"shots": "l.csv", "work_dir": "w"}
    assert VideoOptions(**given).work_dir == Path("w")
    assert PropagationOptions(mode="off", key_every=1).stride_frames == 1


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("24", Fraction(24)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("23.97", Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("25.0", Fraction(25)),
        ("25.00", Fraction(25)),
        ("12.5", Fraction(25, 2)),
        ("16.67", Fraction(1667, 100)),
        ("24000/1001", Fraction(24000, 1001)),
    ],
)
def test_rates_as_people_write_them(text: str, rate: Fraction) -> None:
    assert frame_rate(text) == rate


@pytest.mark.parametrize("text", ["0", "0.0", "-1", "1e3", "1001", "24/0", "24,5", "nan", "9" * 99])
def test_rates_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="rate must be frames per second"):
        frame_rate(text)


def test_a_frame_by_its_number_or_its_timecode() -> None:
    ntsc = Fraction(30000, 1001)
    assert frame_number("1200", ntsc) == 1200
    assert frame_number("00:00:50:00", Fraction(24)) == 1200
    assert frame_number("01:00:00;00", ntsc) == 107_892  # SMPTE ST 12-1
    for wrong in ("-1", "1:2", "ten", "00:00:00", ""):
        with pytest.raises(UsageError, match=r"a number from 0, or HH:MM:SS:FF, got"):
            check_frame(wrong)
    with pytest.raises(UsageError, match="does not exist at 24"):
        frame_number("00:00:00:24", Fraction(24))


def test_timecodes_count_frames() -> None:
    ntsc, pal = Fraction(30000, 1001), Fraction(25)
    assert Timecode(0, 1, 0, 2, drop=True).frame(ntsc) == 1800
    assert Timecode(0, 10, 0, 0, drop=True).frame(ntsc) == 17982  # SMPTE ST 12-1
    assert Timecode(1, 0, 0, 0, drop=True).frame(2 * ntsc) == 2 * 107892
    assert Timecode(1, 0, 0, 0).frame(ntsc) == 108000
    assert frame_range("00:00:10:00-00:00:20:12", pal) == (250, 512)
    assert frame_range("-00:00:01:00", pal) == (0, 25)
    assert frame_range("00:00:01:00-", pal) == (25, None)
    assert frame_range("45:93") == (45, 93)
    for text, rate, words in (
        ("00:00:10:25-", pal, "does not exist at 25"),
        ("00:01:00;00-", ntsc, "drop frame leaves out"),
        ("00:00:10;00-", pal, "needs 29.97"),
        ("00:00:10:00-00:00:10:00", pal, "must end after they begin"),
        ("00:00:10:00-", None, "where no rate is known"),
    ):
        with pytest.raises(UsageError, match=words):
            frame_range(text, rate)
    for text in ("10-20", "-", "1:2:3", "a:b", "5:5", "00:00:10:00"):
        with pytest.raises(UsageError, match="frames must be A:B"):
            check_frames(text)


# ---- lists of shots ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "1\n5\n9\n",
        "Start Frame\n1\n5\n9\n",
        "start\n1\n5\n9\n",
        "start_frame;name\n1;a,b\n5;b\n9;c\n",
        "Scene\tStart Frame\n1\t1\n2\t5\n3\t9\n",
        "\ufeffScene Number;Start Frame\r\n1;1\r\n2;5\r\n3;9\r\n",
    ],
)
def test_lists_as_spreadsheets_write_them(text: str) -> None:
    found = read(".csv", text, times(12))
    assert [(s.start, s.stop) for s in found] == [(0, 4), (4, 8), (8, 12)]


def test_a_list_counts_from_the_films_first_frame() -> None:
    whole = "Start Frame\n1\n46\n94\n200\n"
    edl = (
        "TITLE: x\n001 AX V C 00:00:00:00 00:00:01:21 00:00:00:00 00:00:01:21\n"
        "002 AX V C 00:00:01:21 00:00:03:21 00:00:01:21 00:00:03:21\n"
    )
    for suffix, text in ((".csv", whole), (".edl", edl)):
        found = read(suffix, text, times(60), 40)
        assert (found[0].start, found[0].stop) == (0, 5)
        assert found[-1].stop == 60
        assert found[0].opening is None
        assert found[1].opening is not None
    shots = [
        Shot(0, 50, None, Transition("dissolve", 45, 55, 0.9)),
        Shot(50, 100, Transition("dissolve", 45, 55, 0.9), None, (Transition("flash", 60, 62, 1),)),
    ]
    found = read(".json", write_json(shots), times(40), 48)
    assert found == shots_in_range(shots, 48, 40)
    assert found[0].closing == Transition("dissolve", 0, 7, 0.9)
    assert found[1].disturbances == (Transition("flash", 12, 14, 1),)


def test_absurd_lists_are_refused_at_once(tmp_path: Path) -> None:
    def entry(**other: Any) -> str:
        shot: dict[str, Any] = {
            "start": 0,
            "stop": 9,
            "opening": None,
            "closing": None,
            "disturbances": [],
        }
        return json.dumps({"format": "pycolor-shots", "version": 1, "shots": [shot | other]})

    many = "Start Frame\n" + "1\n" * 500
    for suffix, text in (
        (".csv", many),
        (".csv", "1\n" * 1_000_000),
        (".csv", "a,b\n1,2\n"),
        (".csv", "1\n" + "9" * 5000 + "\n"),
        (".csv", '"' + "x" * 200_000),
        (".csv", ""),
        (".edl", "001 AX V C " + " " * 100_000),
        (".json", "[" * 100_000),
        (".json", entry(start=0.5)),
        (".json", entry(stop=1 << 70)),
        (".json", entry(disturbances=[{"kind": "rain", "start": 1, "stop": 2, "confidence": 1}])),
        (".json", entry(opening={"kind": "cut", "start": 1, "stop": 2, "confidence": NAN})),
        (".json", entry(opening=3)),
    ):
        with pytest.raises(ValueError, match=r".") as error:
            read(suffix, text, times(9))
        assert len(str(error.value)) < 300
    with (tmp_path / "l.csv").open("wb") as f:
        f.truncate(1 << 33)
    with pytest.raises(UsageError, match="must have 16 MiB or less, it has 8192 MiB"):
        read_file(tmp_path / "l.csv")
    with pytest.raises(UsageError, match="must be a regular file"):
        read_file(Path("/dev/zero"))
    assert read_json(entry())[0] == Shot(0, 9)


# ---- the command line --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("-i", "pycolor video IN OUT"),
        ("-y", "--overwrite"),
        ("-c:v", "--codec names the encoder"),
        ("-ss", "--frames A:B"),
        ("--crf", "--codec-options crf=18"),
        ("-crf", "--codec-options crf=18"),
        ("--crf=18", "--codec-options crf=18"),
        ("-vf", "filters nothing"),
    ],
)
def test_habits_of_ffmpeg_get_a_hint(
    flag: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["video", "in.mkv", "out.mkv", flag, "x"]) == 2
    said = capsys.readouterr().err
    assert "is an option of ffmpeg; " in said
    assert words in said


@pytest.mark.parametrize("arguments", [["--shots", "None"], ["--preset=None"]])
def test_the_word_none_is_not_taken_for_nothing(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["video", "in.mkv", "out.mkv", *arguments]) == 2
    assert "is given None; leave it out" in capsys.readouterr().err


def test_a_command_may_run_off_the_main_thread(capsys: pytest.CaptureFixture[str]) -> None:
    found: list[int] = []
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    thread = threading.Thread(target=lambda: found.append(main(["models", "nobody"])))
    thread.start()
    thread.join()
    assert found == [2]
    assert main(["models", "nobody"]) == 2
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before
    assert "unexpected" not in capsys.readouterr().err


def test_two_lists_need_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = str(tmp_path / "l.csv")
    assert main(["shots", "in.mkv", "--csv", same, "--json", same]) == 2
    assert "is named twice" in capsys.readouterr().err


# ---- as a library ------------------------------------------------------------------------------


def test_a_device_without_kernels_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    info = {"cuda": False, "cuda_reason": "no nvcc"}
    monkeypatch.setattr(ops, "build_info", lambda: info)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)  # as where there is a GPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for name in ("cuda", "cuda:1"):
        with pytest.raises(UsageError, match=r"needs pycolor's CUDA module: .*no nvcc"):
            choose_device(name)
    assert choose_device("auto").type == "cpu"
    assert "though there is a GPU" in why_cpu("auto")
    assert why_cpu("cpu") == ""
    with pytest.raises(UsageError, match="expected cpu or cuda"):
        choose_device("meta")


def test_a_forked_child_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_ran_in", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    with pytest.raises(UsageError, match=r"forked .*get_context\(\"spawn\"\)"):
        device.check_not_forked()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    device.check_not_forked()


def test_loading_a_model_leaves_torch_as_it_was() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    try:
        network = weight_files.load("richart2017").network
        assert torch.get_default_dtype() == torch.float64
        lab = ops.rgb_to_lab(torch.rand(3, 4, 4, dtype=torch.float32))
    finally:
        torch.set_default_dtype(torch.float32)
    assert {p.dtype for p in network.parameters()} <= {torch.float32}
    assert lab.dtype == torch.float32
    torch.manual_seed(5)
    weight_files.load("richart2017")
    assert torch.equal(torch.rand(3), expected)


def test_weights_that_predict_no_numbers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finite weights may still be too large for the arithmetic."""
    made = predictor.Predictor(PredictOptions(model="richart2017", device="cpu", short_side=16))
    monkeypatch.setattr(
        made.network, "chroma", lambda x, *_: torch.full((len(x), 2, 4, 4), float("nan"))
    )
    luma = torch.zeros(1, 16, 16, dtype=torch.uint8)
    with pytest.raises(FilmError, match="richart2017 predicts chroma that is no number"):
        made.predict(luma, Encoding())


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ops.rgb_to_lab(x),
        lambda x: ops.annealed_mean(x, torch.zeros(3, 2)),
        lambda x: ops.joint_bilateral(x, torch.zeros(1, 1, 4, 4)),
    ],
)
def test_ops_say_what_a_tensor_must_be(call: Any) -> None:
    x = torch.rand(1, 3, 4, 4)
    with pytest.raises(
        TypeError, match=r"must be a torch tensor, .*got ndarray; torch\.from_numpy"
    ):
        call(x.numpy())
    x.requires_grad_()
    with pytest.raises(ValueError, match=r"requires a gradient, .*pycolor\.ops\.reference"):
        call(x)
    with torch.no_grad():
        call(x)
    array: Any = np.zeros((1, 4, 4), np.uint8)
    with pytest.raises(TypeError, match="luma must be a torch tensor"):
        ops.mean_lightness(array, (2, 2), encoding=Encoding())


def test_early_options_stay_valid() -> None:
    assert replace(VideoOptions(), frames="2:5").frames == "2:5"
