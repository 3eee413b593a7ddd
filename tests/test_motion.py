"""Block matching and the carrying of chroma, against their references and by closed forms."""

from __future__ import annotations

import hashlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from pycolor import ops
from pycolor.ops import reference
from pycolor.video.propagation import flow as motion


def texture(n: int, height: int, width: int, seed: int = 0) -> Tensor:
    """Smooth random lightness, N×1×H×W uint8."""
    chance = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 1, height // 4 + 2, width // 4 + 2, generator=chance)
    fine = functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return (fine * 255).round().byte()


@pytest.mark.parametrize("size", [(4, 4), (4, 40), (12, 20), (64, 48)])
@pytest.mark.parametrize("radius", [0, 1, 3])
def test_motion_search_is_its_reference(size, radius):
    height, width = size
    guide, other = texture(2, height, width), texture(2, height, width, seed=1)
    start = torch.randn(2, 2, size[0] // 4, size[1] // 4) * 5
    for begin in (None, start):
        got = ops.motion_search(guide, other, begin, radius=radius, penalty=3)
        want = reference.motion_search(guide, other, begin, radius=radius, penalty=3)
        for fast, plain in zip(got, want, strict=True):
            assert torch.equal(fast, plain)


@pytest.mark.parametrize("size", [(4, 8), (16, 16), (20, 36), (64, 68)])
@pytest.mark.parametrize("radius", [0, 1, 2, 4, 9])
@pytest.mark.parametrize("penalty", [0, 16, 500, 60000])
def test_motion_search_of_few_levels_takes_the_first_of_equals(size, radius, penalty):
    chance = torch.Generator().manual_seed(radius)
    guide, other = torch.randint(0, 3, (2, 2, 1, *size), generator=chance, dtype=torch.uint8) * 40
    guide[1] = other[1]  # a picture that stands
    start = torch.randint(-9, 10, (2, 2, size[0] // 4, size[1] // 4), generator=chance) / 2
    got = ops.motion_search(guide, other, start, radius=radius, penalty=penalty)
    want = reference.motion_search(guide, other, start, radius=radius, penalty=penalty)
    for fast, plain in zip(got, want, strict=True):
        assert torch.equal(fast, plain)


@given(
    dy=st.integers(-3, 3), dx=st.integers(-3, 3), half=st.sampled_from([-0.5, 0.49, 0.5]),
)  # fmt: skip
@settings(max_examples=20, deadline=None)
def test_a_shifted_picture_is_found(dy, dx, half):
    guide = texture(1, 64, 64)
    other = torch.roll(guide, (dy, dx), (2, 3))
    start = torch.full((1, 2, 16, 16), half)
    flow, cost = ops.motion_search(guide, other, start, radius=4, penalty=0)
    inner = flow[..., 3:-3, 3:-3]
    assert torch.equal(inner[0, 0], torch.full_like(inner[0, 0], dy))
    assert torch.equal(inner[0, 1], torch.full_like(inner[0, 1], dx))
    assert cost[..., 3:-3, 3:-3].max() == 0


def test_strides_and_odd_starts_are_taken():
    wide = texture(1, 32, 64)
    guide, other = wide[..., ::2], wide.flip(3)[..., ::2]
    start = torch.tensor([float("nan"), float("inf")]).reshape(1, 2, 1, 1).expand(1, 2, 8, 8)
    got = ops.motion_search(guide, other, start, radius=1)
    want = ops.motion_search(guide.contiguous(), other.contiguous(), start, radius=1)
    assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {k: torch.zeros(1, 1, 6, 8, dtype=torch.uint8) for k in ("guide", "reference")},
            "multiples of 4",
        ),
        ({"guide": torch.zeros(1, 1, 8, 8)}, "uint8"),
        ({"reference": torch.zeros(1, 1, 8, 12, dtype=torch.uint8)}, "as the guide"),
        ({"start": torch.zeros(1, 2, 3, 3)}, "start must be 1×2×2×2"),
        ({"radius": -1}, "radius"),
        ({"penalty": -1}, "penalty"),
    ],
)
def test_what_does_not_fit_is_said(change, message):
    image = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(ValueError, match=message):
        ops.motion_search(**({"guide": image, "reference": image} | change))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (12, 17)])
@pytest.mark.parametrize("k", [1, 5])
def test_carry_chroma_is_its_reference(size, k, close):
    chroma, flow = torch.randn(k, 2, *size) * 30, torch.randn(k, 2, *size) * 4
    cost, weight = torch.rand(k, 1, *size) * 40, torch.rand(k) + 0.01
    got = ops.blend_warped_chroma(chroma, flow, cost, weight, sigma=9.0)
    args = (t.double() for t in (chroma, flow, cost, weight))
    close("blend_warped_chroma", got, reference.blend_warped_chroma(*args, sigma=9.0))


def test_one_key_frame_is_carried_as_it_is():
    chroma = torch.randn(1, 2, 8, 8) * 30
    zero = torch.zeros_like(chroma)
    out = ops.blend_warped_chroma(chroma, zero, zero[:, :1], torch.ones(1))
    assert torch.allclose(out, chroma, rtol=1e-5, atol=1e-5)


def test_hues_that_differ_do_not_gray_each_other():
    chroma = torch.zeros(2, 2, 1, 1)
    chroma[0, 0], chroma[1, 1] = 30, 30
    zero = torch.zeros_like(chroma)
    args = (chroma, zero, zero[:, :1], torch.ones(2))
    assert float(ops.blend_warped_chroma(*args, growth=2.0).norm()) == pytest.approx(30, rel=1e-5)
    assert float(ops.blend_warped_chroma(*args, growth=1.0).norm()) == pytest.approx(
        30 / 2**0.5, rel=1e-5
    )


def test_what_is_not_alike_counts_little():
    chroma = torch.zeros(2, 2, 1, 1)
    chroma[0, 0], chroma[1, 0] = 10, -50
    cost = torch.tensor([0.0, 200.0]).reshape(2, 1, 1, 1)
    out = ops.blend_warped_chroma(chroma, torch.zeros_like(chroma), cost, torch.ones(2), floor=0.0)
    assert out.flatten().tolist() == pytest.approx([10, 0], abs=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (12, 17), (36, 64)])
def test_chain_flows_is_its_reference(size, close):
    first, second = torch.randn(2, 3, 2, *size) * 9
    first[0, 0, 0, 0], first[1, 1, 0, 0] = float("nan"), float("inf")
    got = ops.chain_flows(first, second)
    want = reference.chain_flows(first.double(), second.double())
    known = want.isfinite()
    assert torch.equal(got.isfinite(), known)
    close("chain_flows", got[known], want[known])


@pytest.mark.parametrize("size", [(1, 1), (48, 88), (40, 60), (9, 5)])
@pytest.mark.parametrize("of", [(1, 1), (36, 65), (12, 17)])
def test_flow_to_field_is_its_reference(size, of, close):
    flow, cost = torch.randn(3, 2, *of) * 9, torch.rand(3, 1, *of) * 40
    got = ops.flow_to_field(flow, cost, size)
    want = reference.flow_to_field(flow.double(), cost.double(), size)
    for fast, plain in zip(got, want, strict=True):
        close("flow_to_field", fast, plain)


def fused() -> bool:
    return "AVX2" in torch.backends.cpu.get_cpu_capability() or (
        "AVX512" in torch.backends.cpu.get_cpu_capability()
    )


@pytest.mark.skipif(not fused(), reason="torch sums in another order without fused sums")
@pytest.mark.parametrize("size", [(36, 64), (9, 17)])
def test_chain_flows_has_the_bits_of_grid_sample(size):
    first, second = torch.randn(2, 3, 2, *size) * 7
    h, w = size
    y = torch.arange(h, dtype=torch.float32)[:, None] + first[:, 0] / 4
    x = torch.arange(w, dtype=torch.float32) + first[:, 1] / 4
    grid = torch.stack([(2 * x + 1) / w - 1, (2 * y + 1) / h - 1], -1)
    there = functional.grid_sample(second, grid, padding_mode="border", align_corners=False)
    assert torch.equal(ops.chain_flows(first, second), first + there)


@pytest.mark.skipif(not fused(), reason="torch sums in another order without fused sums")
@pytest.mark.parametrize(("of", "size"), [((36, 65), (48, 88)), ((36, 47), (48, 64))])
def test_flow_to_field_has_the_bits_of_interpolate(of, size):
    flow, cost = torch.randn(5, 2, *of) * 9, torch.rand(5, 1, *of) * 40
    cells = torch.tensor([size[0] / of[0], size[1] / of[1]])[:, None, None] / 4
    before = torch.get_num_threads()
    torch.set_num_threads(2)  # with one, interpolate has another order of sums
    try:
        both = torch.cat([flow * cells, cost], 1)
        want = functional.interpolate(both, size, mode="bilinear", align_corners=False)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(torch.cat(ops.flow_to_field(flow, cost, size), 1), want)


def digest() -> str:
    """Of every op's bytes, of rows that do not fill whole vectors."""
    total = hashlib.sha256()
    for seed, (h, w) in enumerate([(9, 21), (3, 3)]):
        chance = torch.Generator().manual_seed(seed)
        guide, other = (texture(2, 4 * h, 4 * w, seed) for seed in (seed, seed + 5))
        flow = torch.randn(2, 2, h, w, generator=chance) * 3
        for radius in (1, 2, 4, 7):
            flow, cost = ops.motion_search(guide, other, flow, radius=radius)
            total.update(torch.cat([flow, cost], 1).numpy().tobytes())
        flow = ops.chain_flows(flow + 0.3, flow)
        chroma = torch.randn(2, 2, 11, 37, generator=chance) * 30
        flow, cost = ops.flow_to_field(flow, cost, (11, 37))
        out = ops.blend_warped_chroma(chroma, flow, cost, torch.tensor([0.4, 1.0]))
        total.update(torch.cat([flow[:1], flow[1:], out]).numpy().tobytes())
    return total.hexdigest()


def test_any_number_of_threads_gives_the_same_bytes():
    guide, other = texture(2, 64, 96), texture(2, 64, 96, seed=1)
    chroma, flow = torch.randn(2, 2, 16, 24) * 30, torch.randn(2, 2, 16, 24)
    found = []
    before = torch.get_num_threads()
    for threads in (1, 3):
        torch.set_num_threads(threads)
        flows, cost = ops.motion_search(guide, other)
        carried = ops.blend_warped_chroma(chroma, flow, cost, torch.ones(2))
        chained = ops.chain_flows(flow, flows)
        found.append((flows, cost, carried, chained, *ops.flow_to_field(flow, cost, (70, 99))))
    torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_the_ops_are_known_to_torch():
    guide, flow = texture(1, 8, 8), torch.zeros(1, 2, 2, 2)
    cost = torch.zeros(1, 1, 2, 2)
    torch.library.opcheck(
        torch.ops.pycolor.motion_search.default, (guide, guide, flow.clone(), 1, 4, flow, cost)
    )
    chroma = torch.rand(1, 2, 2, 2)
    torch.library.opcheck(
        torch.ops.pycolor.blend_warped_chroma.default,
        (chroma, flow, cost, torch.ones(1), 1.0, 0.1, 1.5, torch.empty(1, 2, 2, 2)),
    )


@pytest.mark.needs_cuda
def test_a_gpu_agrees(close):
    guide, other = texture(2, 64, 96), texture(2, 64, 96, seed=1)
    chroma = torch.randn(2, 2, 16, 24) * 30
    flow, cost = ops.motion_search(guide, other)
    on_gpu = ops.motion_search(guide.cuda(), other.cuda())
    assert torch.equal(on_gpu[0].cpu(), flow)
    assert torch.equal(on_gpu[1].cpu(), cost)
    want = ops.blend_warped_chroma(chroma, flow, cost, torch.ones(2))
    got = ops.blend_warped_chroma(chroma.cuda(), flow.cuda(), cost.cuda(), torch.ones(2).cuda())
    close("blend_warped_chroma", got.cpu(), want)
    want = ops.chain_flows(flow, flow.flip(0))
    close("chain_flows", ops.chain_flows(flow.cuda(), flow.flip(0).cuda()).cpu(), want)
    here_both = ops.flow_to_field(flow, cost, (48, 88))
    there_both = ops.flow_to_field(flow.cuda(), cost.cuda(), (48, 88))
    for there, here in zip(there_both, here_both, strict=True):
        close("flow_to_field", there.cpu(), here)


def test_flows_chain():
    first = torch.full((1, 2, 8, 8), 4.0)
    second = torch.arange(64.0).reshape(1, 1, 8, 8).expand(1, 2, 8, 8)
    chained = ops.chain_flows(first, second)
    assert torch.allclose(chained[..., :-1, :-1], second[..., 1:, 1:] + 4, atol=1e-4)


def test_the_median_drops_what_is_alone():
    flow = torch.zeros(1, 2, 9, 9)
    flow[0, 0, 4, 4] = 50
    assert motion.median(flow).abs().max() == 0
    edge = torch.zeros(1, 2, 9, 9)
    edge[..., 5:] = 3
    assert torch.equal(motion.median(edge), edge)


def test_a_pan_is_followed():
    wide = texture(1, 88, 240)
    before, after = wide[..., 40:200], wide[..., 47:207]
    onward, back = motion.search(torch.cat([before, after]))
    assert torch.equal(onward[0, :, 3:-3, 4:-4].mean((1, 2)), torch.tensor([0.0, -7.0]))
    assert torch.equal(back[0, :, 3:-3, 4:-4].mean((1, 2)), torch.tensor([0.0, 7.0]))


@pytest.mark.parametrize("size", [(8, 16), (12, 20), (144, 260)])
def test_half_is_the_mean_of_four(size):
    guide = torch.randint(0, 256, (2, 1, *size), dtype=torch.uint8)
    small = functional.avg_pool2d(guide.float(), 2)
    h, w = small.shape[2:]
    got = motion.half(guide)
    assert got.dtype == torch.uint8
    assert torch.equal(got[..., :h, :w].float(), small.round())
    assert got.shape[2] % ops.MOTION_CELL == got.shape[3] % ops.MOTION_CELL == 0
    assert torch.equal(got[..., h - 1 :, :], got[..., h - 1 : h, :].expand_as(got[..., h - 1 :, :]))
