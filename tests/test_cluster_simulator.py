"""The simulator of many machines, where the answer is known."""

from __future__ import annotations

import json

import pytest

from benchmarks.cluster import Costs, Fleet, Policy, page_table, simulate
from benchmarks.page import DOCS, RESULTS, filled_in

COSTS = Costs(color=0.8, analyze=0, check=0, read=0, written=0)
POLICIES: list[Policy] = ["slices", "queue"]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("count", [1, 8])
def test_alike_machines_and_equal_segments(count: int, policy: Policy) -> None:
    """80 segments of 24 s, after a start of 20 s."""
    fleet = Fleet(count=count, start=20.0, policy=policy)
    found = simulate([240] * 80, COSTS, fleet)
    assert found.seconds == pytest.approx(20 + 24 * 80 / count)
    assert found.ideal == pytest.approx(24 * 80 / count)
    assert found.lost == 0


def test_the_folder_is_shared() -> None:
    """No work but traffic: 80 segments of 240 frames, 3 bytes a frame, 24 bytes a second."""
    costs = Costs(color=0, analyze=0, check=0, read=1, written=1)
    fleet = Fleet(count=8, start=0, link=1e9, folder=24)
    found = simulate([240] * 80, costs, fleet)
    assert (found.read, found.written) == (2 * 240 * 80, 240 * 80)
    assert found.seconds == pytest.approx(240 * 80 * 3 / 24, rel=0.1)


@pytest.mark.parametrize("policy", POLICIES)
def test_all_is_done_though_machines_go(policy: Policy) -> None:
    fleet = Fleet(count=8, life=300.0, policy=policy, spread=0.1, stragglers=0.1)
    found = simulate([240] * 200, COSTS, fleet, seed=3)
    assert found.lost > 0
    assert found.seconds > found.ideal
    again = simulate([240] * 200, COSTS, fleet, seed=3)
    assert again == found


@pytest.mark.parametrize("policy", POLICIES)
def test_eight_machines_are_worth_more_than_seven(policy: Policy) -> None:
    lengths = [30 + 17 * n % 210 for n in range(900)]
    found = simulate(lengths, COSTS, Fleet(count=8, spread=0.1, policy=policy), seed=1)
    assert found.efficiency > 0.9


@pytest.mark.docs
def test_the_page_on_scale_says_what_its_files_say() -> None:
    page = (DOCS / "scale.md").read_text(encoding="utf-8")
    film = json.loads((RESULTS / "cluster.json").read_text(encoding="utf-8"))
    assert page == filled_in(page, "cluster", page_table(film))
    assert f"{film['film']['segments']:,}" in page
