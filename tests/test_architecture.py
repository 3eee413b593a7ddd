"""The house holds: imports go down, and fenced libraries stay behind their fences."""

from __future__ import annotations

import ast
import graphlib
import inspect
from pathlib import Path

import pytest

from pycolor import ops, reference

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "pycolor"

FLOORS = {
    0: ["_C", "_cuda", "encoding", "errors"],
    1: [
        *("reference", "options", "palette", "som", "kmeans", "features", "outfile", "progress"),
        *("extras", "video.presets"),
    ],
    2: [
        "ops",
        "train.options",
        "video.io",
        "video.likeness",
        "video.contrast",
        "video.gradual",
        "video.dissolves",
        "video.fades",
    ],
    3: [
        "still",
        "models",
        "metrics",
        "video.motion",
        "video.shots",
        "video.shots_files",
        "video.target",
    ],
    4: [
        "colorize",
        "video.survey",
        "video.verify",
        "video.threads",
        "video.planes",
        "train.data",
        "train.film",
        "train.losses",
        "train.algorithm3",
        "train.labels",
        "train.recipe",
        "train.optimizers",
        "train.log",
        "train.pictures",
        "train.pairs",
        "train.made",
        "train.guidance",
    ],
    5: [
        "video.plan",
        "video.work",
        "video.provenance",
        "video.shots_sheet",
        "train.objectives",
        "train.processes",
        "train.loop",
        "album",
        "info",
    ],
    6: ["video.sights"],
    7: ["video.steady"],
    8: ["video.segments"],
    9: ["video.pipeline"],
    10: ["evaluate", "study"],
    11: ["compare"],
    12: ["commands"],
    13: ["cli"],
    14: ["__main__"],
}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> int | None:
    for floor, names in FLOORS.items():
        if any(module == name or module.startswith(name + ".") for name in names):
            return floor
    return None


def imports(path: Path) -> set[str]:
    """Full names of what a file imports when it runs (type checking apart)."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_go_down(path: Path) -> None:
    name = name_of(path)
    if name in ("", "models", "video", "train", "commands"):
        return  # a package's own docstring, and the public names
    floor = floor_of(name)
    assert floor is not None, f"{name} stands on no floor of ARCHITECTURE.md"
    for imported in imports(path):
        if not imported.startswith("pycolor.") or imported == "pycolor.__version__":
            continue
        other = imported.removeprefix("pycolor.")
        target = floor_of(other)
        room = name if path.stem == "__init__" else name.rpartition(".")[0]
        same_room = bool(room) and other.startswith(room + ".")
        assert target is not None, f"{name} imports {imported}, which stands on no floor"
        assert target < floor or (target == floor and same_room), f"{name} imports {imported}"


def test_no_module_needs_itself() -> None:
    files = {name_of(path): path for path in modules()}
    needs = {}
    for name, path in files.items():
        wanted = {i.removeprefix("pycolor.") for i in imports(path) if i.startswith("pycolor.")}
        needs[name] = {i if i in files else i.rpartition(".")[0] for i in wanted} - {name, ""}
    graphlib.TopologicalSorter(needs).prepare()


# Ops that have no twin: what the machine offers, and a size that csrc/ fixes.
_FAST_ALONE = {"build_info", "cpu_features", "MOTION_CELL"}


def test_fast_and_plain_ops_stand_in_files_of_the_same_names() -> None:
    fast, plain = ({p.name for p in PACKAGE.joinpath(s).glob("*.py")} for s in ("ops", "reference"))
    assert fast - plain == {"native.py"}
    assert plain <= fast
    assert set(ops.__all__) - set(reference.__all__) == _FAST_ALONE


@pytest.mark.parametrize("name", sorted(set(ops.__all__) - _FAST_ALONE))
def test_fast_and_plain_ops_have_one_signature(name: str) -> None:
    fast, plain = getattr(ops, name), getattr(reference, name)
    assert inspect.signature(fast) == inspect.signature(plain)
    assert fast.__module__.rpartition(".")[2] == plain.__module__.rpartition(".")[2]


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_fences(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(path)}
    if "video/io" not in path.as_posix():
        assert "av" not in roots
    assert "pybind11" not in roots


def test_native_code_knows_neither_torch_nor_python() -> None:
    for path in (ROOT / "csrc").rglob("*"):
        if path.suffix in (".h", ".cpp", ".cu"):
            text = path.read_text(encoding="utf-8")
            assert "torch/" not in text, path
            if path.name not in ("bindings.cpp", "bindings_cuda.cpp", "casters.h"):
                assert "pybind11" not in text, path
                assert "Python.h" not in text, path


def test_no_drawers_for_odds_and_ends() -> None:
    names = {p.stem for p in ROOT.joinpath("pycolor").rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}
