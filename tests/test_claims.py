"""The papers' claims: what is compared differs in one thing, and verdicts follow from figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.claims import (
    ASKED,
    BALANCED,
    CLAIMS,
    MEASURES,
    TRAINED,
    Claim,
    Seen,
    claims_table,
    judged,
)
from benchmarks.page import DOCS, RESULTS, filled_in


def settings(name: str) -> dict[str, Any]:
    """All that a network and its use are made of."""
    asked = {f"asked {key}": value for key, value in asdict(ASKED[name]).items()}
    trained = asked.pop("asked trained")
    return asked | (asdict(TRAINED[trained]) if trained in TRAINED else {"packaged": trained})


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: f"{c.plain} | {c.better} by {c.measure}")
def test_what_is_compared_differs_in_one_thing(claim: Claim) -> None:
    plain, better = settings(claim.plain), settings(claim.better)
    differs = {key for key in plain if plain[key] != better[key]}
    if "regression" in claim.plain:
        differs -= {"asked decode"}  # a regression has none
        allowed = {"network", "uniform"}
    else:
        allowed = {next(iter(differs), "")}
    if claim.text.startswith("clusters and refinement"):
        allowed = {"clustering", "asked network"}
    assert differs
    assert differs <= allowed
    assert claim.measure in MEASURES


def seen(values: list[float], areas: list[list[float]]) -> Seen:
    return Seen({"psnr": np.array(values)}, np.full((len(areas), 2), 10.0), np.array(areas))


def test_verdicts() -> None:
    low = seen([20.0] * 8, [[4.0, 0.0]] * 8)
    high = seen([21.0] * 8, [[6.0, 1.0]] * 8)
    mixed = seen([18.0, 22.5] * 4, [[4.0, 0.0]] * 8)
    claim = Claim(text="", measure="psnr", plain="", better="")
    assert judged(claim, low, high)["verdict"] == "yes"
    assert judged(claim, high, low)["verdict"] == "no"
    assert judged(claim, low, mixed)["verdict"] == "not settled"
    less = Claim(text="", measure="psnr", plain="", better="", less=True)
    assert judged(less, high, low)["verdict"] == "yes"
    area = Claim(text="", measure=BALANCED, plain="", better="")
    told = judged(area, low, high)
    assert (told["plain"], told["better"]) == (pytest.approx(0.2), pytest.approx(0.35))
    assert (told["low"], told["high"]) == (pytest.approx(0.15), pytest.approx(0.15))


def test_what_was_seen_is_kept(tmp_path: Path) -> None:
    one = seen([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]])
    one.save(tmp_path / "one.npz")
    again = Seen.load(tmp_path / "one.npz")
    assert again.values.keys() == one.values.keys()
    assert (again.areas == one.areas).all()
    assert again.of("psnr", slice(None)) == 1.5


def test_filling_in_a_page() -> None:
    page = "a\n<!-- t -->\nold\n<!-- end of t -->\nz"
    assert filled_in(page, "t", "new") == "a\n<!-- t -->\nnew\n<!-- end of t -->\nz"
    with pytest.raises(ValueError, match="expected a page with <!-- u -->"):
        filled_in(page, "u", "new")


def test_the_page_says_what_its_file_says() -> None:
    told = json.loads((RESULTS / "claims.json").read_text(encoding="utf-8"))
    assert claims_table(told) in (DOCS / "models.md").read_text(encoding="utf-8")
