"""For `make docs`: the pages that lie beside docs/ in the repository, as pages of the site."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

# Pages of the site → where they lie in the repository.
PAGES = {f"weights/{path.name}": path for path in sorted(ROOT.glob("pycolor/weights/*.md"))}
PAGES |= {name: ROOT / name for name in ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")}
FOLDERS = {"pycolor/weights": "weights/pycolor2026.md", "examples": "guide/python.md"}


def on_files(files: Any, config: Any) -> Any:
    """Add them."""
    from mkdocs.structure.files import File

    for name, path in PAGES.items():
        files.append(File.generated(config, name, content=path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links that leave docs/ into links inside the site, or into plain text."""
    up = "../" * page.file.src_uri.count("/")

    def inside(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        path = (ROOT / "docs" / page.file.src_uri).parent / target
        if page.file.src_uri in PAGES:
            path = PAGES[page.file.src_uri].parent / target
        path = path.resolve()
        if path.is_relative_to(ROOT / "docs"):
            return f"[{text}]({up}{path.relative_to(ROOT / 'docs')})"
        found = next((name for name, place in PAGES.items() if place == path), None)
        found = found or FOLDERS.get(str(path.relative_to(ROOT)))
        return f"[{text}]({up}{found})" if found else text

    return re.sub(r"(?<!!)\[([^\]]+)\]\(((?!https?:|#)[^)#\s]+)\)", inside, markdown)
