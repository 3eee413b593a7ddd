"""Every example runs, in a folder of its own, and is short."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tomllib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pycolor.cli import main
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from tests.films import make_film

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda p: p.name)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 30


def test_a_numpy_frame(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "numpy_frame.py"))
    assert capsys.readouterr().out == "(180, 320, 3) uint8\n"


def test_a_torch_batch(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "torch_batch.py"))
    assert "torch.Size([4, 135, 240])" in capsys.readouterr().out


def test_a_notebook(tmp_path: Path) -> None:
    """Its cells as one program: a kernel would do the same, in the same order."""
    notebook = json.loads((EXAMPLES / "film_with_progress.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    assert sum(len(cell.splitlines()) for cell in cells) <= 30
    make_film(tmp_path / "in.mkv", frames=6)
    exec(compile("\n".join(cells), "notebook", "exec"), {})
    assert (tmp_path / "out.mkv").stat().st_size


@pytest.mark.filterwarnings("ignore:Using `httpx`")
def test_an_endpoint() -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("httpx")
    from fastapi.testclient import TestClient

    client = TestClient(runpy.run_path(str(EXAMPLES / "fastapi_endpoint.py"))["app"])
    png = BytesIO()
    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8), (48, 1))).save(png, "png")
    answer = client.post("/color", content=png.getvalue())
    assert answer.status_code == 200
    assert Image.open(BytesIO(answer.content)).mode == "RGB"
    assert client.post("/color", content=b"no picture").status_code == 415


def installed(project: Path, folder: Path) -> Path:
    """A project as an installer leaves it: its modules, and the metadata of its entry points."""
    about = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for module in project.glob("*.py"):
        (folder / module.name).write_bytes(module.read_bytes())
    info = folder / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    (info / "METADATA").write_text(head, encoding="utf-8")
    lines = [
        line
        for group, entries in about["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_a_model_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(installed(EXAMPLES / "own_model", tmp_path))
    import sepia_model  # type: ignore[import-not-found, unused-ignore]

    card, state = sepia_model.CARD, sepia_model.Sepia().state_dict()
    weight_files.write(Path(card.weights), "sepia", state, {}, {})
    assert main(["models"]) == 0
    assert "sepia" in capsys.readouterr().out
    Image.fromarray(np.full((48, 64), 128, np.uint8)).save("gray.png")
    assert main(["image", "gray.png", "out.png", "--model", "sepia", "--quiet"]) == 0
    red, _, blue = np.asarray(Image.open("out.png"))[24, 32].astype(int)
    assert red > 128 > blue


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the exporter, about itself
def test_an_export_to_onnx(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(name)
    monkeypatch.setattr(sys, "argv", ["onnx_export.py", "richart2017"])
    runpy.run_path(str(EXAMPLES / "onnx_export.py"))
    assert "(1, 9, 96, 128)" in capsys.readouterr().out


def test_an_entry_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from pycolor.errors import UsageError

    def entry(value: str) -> list[EntryPoint]:
        return [EntryPoint("mine", value, zoo.ENTRY_POINTS)]

    for value, words in (
        ("no_such_module:CARD", "cannot be loaded: ModuleNotFoundError"),
        ("pycolor.models.zoo:DEFAULT", "must be a Card, got str"),
    ):
        monkeypatch.setattr(zoo, "entry_points", lambda group, value=value: entry(value))
        with pytest.raises(UsageError, match=words):
            zoo.card("mine")
        assert zoo.card("zhang2016").name == "zhang2016"  # packaged models need none of them
        assert weight_files.load("richart2017").card.name == "richart2017"


CLUSTER = EXAMPLES / "cluster"


@pytest.mark.parametrize("path", sorted(CLUSTER.glob("*.sh")), ids=lambda p: p.name)
def test_a_script_for_a_cluster_is_bash(path: Path) -> None:
    subprocess.run(["bash", "-n", str(path)], check=True)
    assert os.access(path, os.X_OK)


@pytest.mark.parametrize(
    ("name", "given", "environment", "told"),
    [
        (
            "slurm.sh",
            ["in.mkv", "out.mkv"],
            {
                "SLURM_ARRAY_TASK_ID": "3",
                "SLURM_ARRAY_TASK_COUNT": "1",  # given again alone
                "SLURM_ARRAY_TASK_MAX": "8",
                "SLURM_CPUS_PER_TASK": "4",
            },
            ["video", "in.mkv", "out.mkv", "--slice", "3/8", "--progress", "plain"],
        ),
        (
            "aws_batch.sh",
            [],
            {"AWS_BATCH_JOB_ARRAY_INDEX": "2", "IN": "a b.mkv", "OUT": "c.mkv", "SIZE": "8"},
            ["video", "a b.mkv", "c.mkv", "--slice", "3/8", "--progress", "plain"],
        ),
        (
            "two_machines.sh",
            ["2", "in.mkv", "out.mkv"],
            {},
            ["video", "in.mkv", "out.mkv", "--slice", "2/2", "--mix", "--dtype", "float32"],
        ),
        (
            "ray.sh",
            ["in.mkv", "out.mkv"],
            {},
            ["video", "in.mkv", "out.mkv", "--ray", "auto"],
        ),
    ],
)
def test_a_script_for_a_cluster_gives_options_that_are_there(
    name: str,
    given: list[str],
    environment: dict[str, str],
    told: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a pycolor, and an srun, that tell what they were given."""
    (tmp_path / "srun").write_text(
        '#!/bin/sh\n[ "$1" = --cpus-per-task=4 ] || exit 3\nshift\nexec "$@"\n'
    )
    (tmp_path / "pycolor").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    for stub in tmp_path.iterdir():
        stub.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(CLUSTER / name), *given],
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == told
    assert main([*told[:1], "no film.mkv", *told[2:]]) in (1, 2)  # the film is what is wrong
    assert "no film.mkv" in capsys.readouterr().err


def test_the_job_of_kubernetes() -> None:
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load((CLUSTER / "kubernetes.yaml").read_text(encoding="utf-8"))
    spec = job["spec"]
    assert (job["kind"], spec["completionMode"]) == ("Job", "Indexed")
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # what backoffLimitPerIndex asks for
    (worker,) = pod["containers"]
    (script,) = worker["args"]
    assert f'/{spec["completions"]}"' in script
    claims = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in worker["volumeMounts"]} == claims
    subprocess.run(["bash", "-n", "-c", script], check=True)
