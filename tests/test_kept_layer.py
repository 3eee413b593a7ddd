"""Color layers in files: what comes back, at what size, and what their names depend on."""

from __future__ import annotations

from array import array
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pycolor.video.plan.plan import Plan, ShotBody, TransitionSpan
from pycolor.video.propagation.layer import Layer, mixed, rounded
from pycolor.video.propagation.layer_file import layer_bytes, read_layer
from pycolor.video.propagation.layer_store import LayerStore, Piece, piece_key, pieces_of
from pycolor.video.propagation.propagate import Part, Parts

FIRST = ShotBody(start=0, stop=300, keys=array("q", [0, 150, 299]))
LAST = ShotBody(start=310, stop=400, keys=array("q", [310, 399]))
OWN = ShotBody(start=400, stop=420, keys=(), passthrough=True)
MIX = TransitionSpan(start=300, stop=310, kind="dissolve", before=FIRST, after=LAST)


def plan_with(**changes: object) -> Plan:
    last = replace(LAST, **changes)  # type: ignore[arg-type]
    mix = replace(MIX, after=last)
    return Plan(spans=(FIRST, mix, last, OWN), gain=np.ones(420, np.float32), reach=36)


def keys_of(plan: Plan, **film: str) -> dict[int, str]:
    return {
        piece.first: piece_key(plan, piece, {"source": "ab", **film}, lambda shot: {"weights": "w"})
        for piece in pieces_of(plan)
    }


def frames_of(seed: int, number: int, size: tuple[int, int] = (5, 7)) -> tuple[Parts | None, ...]:
    random = torch.Generator().manual_seed(seed)

    def part(shot: int, share: float) -> Part:
        return Part(shot=shot, share=share, field=torch.randn(2, *size, generator=random) * 40)

    made: list[Parts | None] = [(part(0, 1.0),) for _ in range(number)]
    made += [None, (part(0, 0.3), part(9, 0.65)), (part(0, 0.1), part(9, 0.9))]
    return tuple(rounded(parts) for parts in made)


def told(layer: Layer) -> list[object]:
    """All that a layer holds, to the bit."""
    found: list[object] = [layer.first]
    for parts in layer.frames:
        bits = [(p.shot, p.share, p.field.cpu().numpy().tobytes()) for p in parts or ()]
        found.append(None if parts is None else bits)
    return found


def equal(a: Layer, b: Layer) -> bool:
    return told(a) == told(b)


@given(seed=st.integers(0, 99), number=st.integers(0, 6), rows=st.integers(1, 6))
@settings(max_examples=40)
def test_a_layer_comes_back_bit_for_bit(seed: int, number: int, rows: int) -> None:
    layer = Layer(first=12, frames=frames_of(seed, number, (rows, 4)))
    assert equal(read_layer(layer_bytes(layer, "k"), "k"), layer)


def test_shots_of_two_models_lie_in_one_file() -> None:
    small, large = torch.ones(2, 3, 4), torch.full((2, 6, 8), -2.0)
    parts = (Part(shot=0, share=0.5, field=small), Part(shot=4, share=0.5, field=large))
    layer = Layer(first=0, frames=(parts, parts))
    again = read_layer(layer_bytes(layer, ""), "")
    assert equal(again, layer)
    assert torch.equal(mixed(parts), torch.full((2, 6, 8), -0.5))


def test_rounding_is_told_and_bad_numbers_become_gray() -> None:
    field = torch.linspace(-128, 128, 4001).reshape(1, 1, -1).expand(2, 1, -1)
    (part,) = rounded((Part(shot=0, share=1.0, field=field),)) or ()
    error = (part.field - field).abs()
    assert float(error[field.abs() <= 32].max()) <= 1 / 128 + 1e-6
    assert float(error.max()) <= 5 / 128
    odd = torch.tensor([float("nan"), float("inf"), -1e30, 3.0]).reshape(1, 1, 4).expand(2, 1, 4)
    (part,) = rounded((Part(shot=0, share=1.0, field=odd),)) or ()
    assert part.field[0, 0].tolist() == [0, 0, -500, 3]
    assert equal(
        read_layer(layer_bytes(Layer(first=0, frames=((part,),)), ""), ""),
        Layer(first=0, frames=((part,),)),
    )


def test_smooth_and_steady_color_takes_little_room() -> None:
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    frames = tuple(
        rounded((Part(shot=0, share=1.0, field=torch.stack([x + n / 9, y - n / 9])),))
        for n in range(48)
    )
    assert len(layer_bytes(Layer(first=0, frames=frames), "")) < 48 * 2 * 48 * 64 * 2 / 20


def test_damage_and_other_layers_are_not_taken(tmp_path: Path) -> None:
    layer = Layer(first=0, frames=frames_of(1, 3))
    piece = Piece(first=0, stop=6, span=FIRST)
    store = LayerStore(folder=tmp_path / "layer", keys={0: "a" * 64})
    assert store.load(piece) is None
    store.save(piece, layer)
    found = store.load(piece)
    assert found is not None
    assert equal(found, layer)
    assert [p.name for p in (tmp_path / "layer").iterdir()] == ["a" * 64 + ".npz"]
    content = bytearray(store.path(piece).read_bytes())
    for place in (30, len(content) // 2, len(content) - 30):
        broken = content.copy()
        broken[place] ^= 64
        store.path(piece).write_bytes(broken)
        kept = store.load(piece)
        assert kept is None or equal(kept, layer)
        store.path(piece).write_bytes(content)
    store.path(piece).rename(tmp_path / "layer" / ("b" * 64 + ".npz"))
    other = replace(store, keys={0: "b" * 64})
    assert other.load(piece) is None
    assert not other.has(piece)


def test_a_change_of_one_shot_leaves_the_others_pieces() -> None:
    before = keys_of(plan_with())
    assert list(before) == [0, 240, 300, 310, 400]
    assert len(set(before.values())) == 5
    after = keys_of(plan_with(keys=array("q", [310, 350, 399])))
    assert {n for n in before if before[n] != after[n]} == {300, 310}
    brighter = plan_with()
    brighter.gain[5] = 1.1
    assert {n for n, k in keys_of(brighter).items() if before[n] != k} == {0, 240, 300}
    assert not {*before.values()} & {*keys_of(plan_with(), arithmetic="bfloat16").values()}


@pytest.mark.parametrize(("first", "stop", "found"), [(0, 1, [0]), (239, 301, [0, 240, 300])])
def test_pieces_of_a_stretch(first: int, stop: int, found: list[int]) -> None:
    assert [piece.first for piece in pieces_of(plan_with(), first, stop)] == found
