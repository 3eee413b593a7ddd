"""The house holds: imports go down, and fenced libraries stay behind their fences."""

from __future__ import annotations

import ast
import functools
import graphlib
import inspect
from pathlib import Path

import pytest

from pycolor import ops
from pycolor.ops import reference

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "pycolor"

# The rooms, from the bottom up: a file imports from its own room and from lower floors alone.
FLOORS = (
    "errors version encoding",
    "options _C _cuda system",
    "ops video.io.frame",
    "models video.io.containers",
    "video.io.read record",
    "video.io.write",
    "video.io image",
    "train video.shots video.master",
    "video.plan",
    "video.film_plan",
    "video.propagation video.verify",
    "video.render",
    "video.job",
    "evaluate credentials vapoursynth",
    "web",
    "commands",
    "cli",
    "__main__",
)
FLOOR_OF_ROOM = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The longest room's name that the module's begins with; empty if it stands in none."""
    while module and module not in FLOOR_OF_ROOM:
        module = module.rpartition(".")[0]
    return module


@functools.cache
def imports(path: Path) -> frozenset[str]:
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
            if not isinstance(child, ast.expr):  # which holds no import, and most of the nodes
                visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(found)


def faults_of_imports(path: Path) -> list[str]:
    """What a file imports that does not stand below it."""
    name = name_of(path)
    if name in ("", "video"):
        return []  # a package's own docstring, and the public names
    room = room_of(name)
    if not room:
        return [f"{name} stands in no room of ARCHITECTURE.md"]
    faults = []
    for imported in imports(path):
        if not imported.startswith("pycolor."):
            continue
        other = room_of(imported.removeprefix("pycolor."))
        if not other:
            faults.append(f"{name} imports {imported}, which stands in no room")
        elif other != room and FLOOR_OF_ROOM[other] >= FLOOR_OF_ROOM[room]:
            faults.append(f"{name} imports {imported}")
    return faults


def test_imports_go_down() -> None:
    assert [fault for path in modules() for fault in faults_of_imports(path)] == []


# Lists of things of one kind, which may be long, and the package itself.
PLAIN_LISTS = {"pycolor", "pycolor/commands", "pycolor/ops", "pycolor/models/networks"}


def test_a_room_has_at_most_nine_children() -> None:
    full = {}
    for folder in {path.parent for path in modules()}:
        children = {p.parent.name for p in folder.glob("*/__init__.py")}
        children |= {p.stem for p in folder.glob("*.py")} - {"__init__"}
        room = folder.relative_to(ROOT).as_posix()
        if len(children) > 9 and room not in PLAIN_LISTS:
            full[room] = sorted(children)
    assert full == {}


def needs() -> dict[str, set[str]]:
    """Which modules each module imports."""
    files = {name_of(path): path for path in modules()}
    found = {}
    for name, path in files.items():
        wanted = {i.removeprefix("pycolor.") for i in imports(path) if i.startswith("pycolor.")}
        found[name] = {i if i in files else i.rpartition(".")[0] for i in wanted} - {name, ""}
    return found


def test_no_module_needs_itself() -> None:
    graphlib.TopologicalSorter(needs()).prepare()


# Folders that need each other: what a room begins with and what it ends in stand side by side.
_BOTH_WAYS = {
    ("models", "models/networks"),  # colorizer.py, which networks are, and zoo.py, their list
    ("models", "models/networks/layers"),
    ("models/checkpoints", "models/checkpoints/foreign"),  # size.py, and who reads any file
    ("train", "train/objectives"),  # losses.py, and the loop
}


def test_folders_do_not_need_each_other() -> None:
    folders = {name_of(path): path.parent.relative_to(PACKAGE).as_posix() for path in modules()}
    found = {
        (folders[name], folders[other])
        for name, wanted in needs().items()
        for other in wanted & folders.keys()
        if name != "video"  # the public names
    }
    both = {(a, b) for a, b in found if a < b and (b, a) in found and a != "."}
    assert both == _BOTH_WAYS


def great_room(module: str) -> str:
    """The folder below `pycolor` that a module stands in, of which video/io is one of its own."""
    return "video.io" if module.startswith("video.io") else module.partition(".")[0]


def test_the_great_rooms_form_a_short_chain() -> None:
    below: dict[str, set[str]] = {}
    for name, wanted in needs().items():
        for other in map(great_room, wanted):
            if other != great_room(name):
                below.setdefault(great_room(name), set()).add(other)
    folders = {p.name for p in PACKAGE.iterdir() if p.is_dir()} | {"video.io"}
    length: dict[str, int] = {}
    for room in graphlib.TopologicalSorter(below).static_order():
        longest = max((length[other] for other in below.get(room, ())), default=0)
        length[room] = longest + (room in folders)
    assert max(length.values()) <= 8


# Ops that have no twin: what the machine offers, and a size that csrc/ fixes.
_FAST_ALONE = {"build_info", "cpu_features", "MOTION_CELL"}


def test_fast_and_plain_ops_stand_in_files_of_the_same_names() -> None:
    fast, plain = (
        {p.name for p in PACKAGE.joinpath(s).glob("*.py")} for s in ("ops", "ops/reference")
    )
    assert fast - plain == {"native.py"}
    assert plain <= fast
    assert set(ops.__all__) - set(reference.__all__) == _FAST_ALONE


@pytest.mark.parametrize("name", sorted(set(ops.__all__) - _FAST_ALONE))
def test_fast_and_plain_ops_have_one_signature(name: str) -> None:
    fast, plain = getattr(ops, name), getattr(reference, name)
    assert inspect.signature(fast) == inspect.signature(plain)
    assert fast.__module__.rpartition(".")[2] == plain.__module__.rpartition(".")[2]
    assert plain.__doc__
    assert fast.__doc__.startswith(inspect.cleandoc(plain.__doc__))


def test_fences() -> None:
    for path in modules():
        roots = {name.partition(".")[0] for name in imports(path)}
        if "video/io" not in path.as_posix():
            assert "av" not in roots, path
        assert "pybind11" not in roots, path


def test_native_code_knows_neither_torch_nor_python() -> None:
    for path in (ROOT / "csrc").rglob("*"):
        if path.suffix in (".h", ".cpp", ".cu"):
            text = path.read_text(encoding="utf-8")
            assert "torch/" not in text, path
            if path.name not in ("bindings.cpp", "bindings_cuda.cpp", "casters.h", "module.h"):
                assert "pybind11" not in text, path
                assert "Python.h" not in text, path
    # What is compiled for each instruction set knows nothing of the module either.
    for path in [*ROOT.glob("csrc/*.h"), *ROOT.glob("csrc/cpu/*_cpu.h"), *ROOT.glob("csrc/cpu/k*")]:
        assert "module.h" not in path.read_text(encoding="utf-8"), path


def test_no_drawers_for_odds_and_ends() -> None:
    names = {p.stem for p in ROOT.joinpath("pycolor").rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}
