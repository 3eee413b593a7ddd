"""The pages of the repository and of the built site: every link leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pycolor.cli import COMMANDS
from pycolor.version import __version__
from tests.made_once import made_once

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for folder in (".", "docs", "docs/guide", "docs/api", "pycolor/weights")
    for path in (ROOT / folder).glob("*.md")
)

pytestmark = pytest.mark.docs


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_of_a_page(page: Path) -> None:
    text = re.sub(r"(?s)```.*?```", "", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        parts = urlsplit(target)
        if parts.scheme:
            assert parts.scheme == "https", target
            continue
        place = (page.parent / unquote(parts.path)) if parts.path else page
        assert place.exists(), f"{page.name} links to {target}"
        if parts.fragment:
            assert parts.fragment in anchors(place), f"{page.name} links to {target}"


class Links(HTMLParser):
    """What a page of HTML refers to, and the names that others may refer to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.targets += [v for k in ("href", "src") if (v := found.get(k))]
        self.names |= {v for k in ("id", "name") if (v := found.get(k))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Links]:
    """The site, built as `make docs` does."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    folder = made_once("site", tmp_path_factory, build)
    return {p: Links(p.read_text(encoding="utf-8")) for p in folder.rglob("*.html")}


def build(folder: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT), NO_MKDOCS_2_WARNING="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr


def test_links_of_the_site(site: dict[Path, Links]) -> None:
    assert len(site) > 15
    for page, links in site.items():
        if page.name == "404.html":  # served from anywhere, it has the address of no place
            continue
        for target in links.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            place = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            place = place / "index.html" if place.is_dir() else place
            assert place.exists(), f"{page} links to {target}"
            if parts.fragment and place in site and parts.fragment != "__skip":
                assert parts.fragment in site[place].names, f"{page} links to {target}"


def test_the_readme_has_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"`pycolor {name}" in text for name in COMMANDS)


def names_nothing(name: str) -> bool:
    """Whether `pycolor.a.b.c` or `pycolor/a/b.py` is neither a file nor a name that a file has."""
    parts = [part for part in re.split(r"[./]", name) if part]
    if "/" in name:
        return not (ROOT / name).exists()
    for count in range(len(parts), 0, -1):
        stem = ROOT.joinpath(*parts[:count])
        file = next(
            (f for f in (stem.with_suffix(".py"), stem / "__init__.py") if f.exists()), None
        )
        if file is not None:
            return count < len(parts) and parts[count] not in file.read_text(encoding="utf-8")
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    modules = re.findall(r"(?<![\w./-])pycolor(?:\.[A-Za-z]\w*)+", text)
    files = re.findall(r"`(pycolor/[\w./]+)`", text)
    assert [name for name in modules + files if names_nothing(name)] == []


def test_one_version() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
