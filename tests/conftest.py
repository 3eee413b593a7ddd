"""Shared fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Photographs and films beside the repository, or where PYCOLOR_DATA says."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("PYCOLOR_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"needs the photographs and films of {folder}, which is not there")
    return folder
