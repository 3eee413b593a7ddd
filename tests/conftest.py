"""What all tests share: the tolerances, and when a mark skips."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from torch import Tensor

from tests import lanes
from tests.films import data_folder as find_data_folder

# A busy machine is no failure: the suite has its own time limit.
settings.register_profile("pycolor", deadline=None)
settings.load_profile("pycolor")


@dataclass(frozen=True)
class Tolerance:
    """How far a fast op may be from its float64 reference.

    `worst` bounds every sample but a share of `rare` (the gamut's grazing hues, csrc/gamut.h, and
    samples at a rounding border), `rare_worst` bounds those.
    """

    worst: float
    rare: float = 0.0
    rare_worst: float = 0.0

    def check(self, got: Tensor, want: Tensor) -> None:
        assert got.shape == want.shape
        error = (got.double() - want.double()).abs().flatten()
        assert not error.isnan().any(), "NaN in one of the two"
        if error.numel() == 0:
            return
        beyond = error > self.worst
        assert beyond.double().mean() <= self.rare, f"{beyond.sum()} beyond; worst {error.max()}"
        assert error.max() <= max(self.worst, self.rare_worst), f"worst {error.max()}"


# The one table of tolerances.  Units: ab and L of CIELAB, R'G'B' and Y'CbCr as parts of 1, codes.
TOLERANCES = {
    "annealed_mean": Tolerance(1e-3),
    "annealed_mean_float16": Tolerance(1e-3),
    "joint_bilateral": Tolerance(2e-3),
    "joint_bilateral_upsample": Tolerance(3e-3),
    "attention": Tolerance(5e-5),
    "blend_warped_chroma": Tolerance(2e-3),
    "chain_flows": Tolerance(2e-4),
    "flow_to_field": Tolerance(5e-4),
    "rgb": Tolerance(2e-5),
    "linear": Tolerance(2e-5),
    "xyz": Tolerance(2e-5),
    "lab": Tolerance(5e-4),
    "luv": Tolerance(1e-3),
    "lightness": Tolerance(1e-4),
    "ycbcr": Tolerance(1.2e-4, rare=1e-3, rare_worst=0.2),
    # Codes: at 8 bits within one code, at 10 bits too, at 16 bits a quarter of a 10-bit code.
    8: Tolerance(1, rare=1e-3, rare_worst=45),
    10: Tolerance(1, rare=1e-3, rare_worst=180),
    12: Tolerance(1, rare=1e-3, rare_worst=720),
    16: Tolerance(16, rare=1e-3, rare_worst=11500),
    # A published value to its printed digits.
    "published_lab": Tolerance(0.05),
    "published_xyz": Tolerance(5e-5),
    "round_trip": Tolerance(2e-5),
    # Against the same op on CUDA.
    "cuda_codes": Tolerance(1, rare=1e-3, rare_worst=180),
}


@pytest.fixture
def close():
    """`close(name, got, want)`: asserts by the table."""

    def check(name: str | int, got: Tensor, want: Tensor) -> None:
        TOLERANCES[name].check(got, want)

    return check


def cuda_missing() -> str:
    """Why tests marked `needs_cuda` cannot run here; empty where they can."""
    if not torch.cuda.is_available():
        return "torch sees no CUDA device"
    from pycolor import ops

    info = ops.build_info()
    return "" if info["cuda"] else f"no CUDA module: {info['cuda_reason']}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files of which -m selects nothing are not even imported."""
    return lanes.is_left_out(collection_path.stem, config.option.markexpr) or None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marked at once, before -m selects."""
    lanes.mark(item)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Late in a process that had run thousands of others, coding sound as Opus ran on for ever; why
    # is not known.
    first = ("test_video_webm", "test_video_reports")
    items.sort(key=lambda item: Path(item.path).stem not in first)
    wanted = [item for item in items if item.get_closest_marker("needs_cuda")]
    if not wanted:
        return
    reason = cuda_missing()
    if not reason:
        return
    if os.environ.get("PYCOLOR_REQUIRE_CUDA") == "1":
        raise pytest.UsageError(f"PYCOLOR_REQUIRE_CUDA=1, but {reason}")
    for item in wanted:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _few_pictures_are_measured() -> Iterator[None]:
    """A training of a dozen photographs counts their colors in 128 crops, not in 4096."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pycolor.train.objectives.objective.PICTURES_MEASURED", 128)
        yield


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Photographs and films beside the repository, or where PYCOLOR_DATA says."""
    folder = find_data_folder()
    if folder is None:
        pytest.skip("the shared photographs are not here (PYCOLOR_DATA names their folder)")
    return folder
