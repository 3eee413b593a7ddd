"""The fast ops against their float64 references, over shapes, strides, depths and limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pycolor import ops
from pycolor.encoding import CHROMA_POSITIONS, SUBSAMPLING_SHIFTS, Encoding
from pycolor.ops import reference
from pycolor.ops.native import encoding_numbers
from tests.conftest import TOLERANCES
from tests.pairwise import pairs

SIZES = [(1, 1), (1, 7), (9, 1), (2, 3), (16, 16), (17, 33), (45, 70)]


def palette(q: int = 313) -> Tensor:
    return torch.rand(q, 2) * 220 - 110


def luma(n: int, h: int, w: int, bits: int = 8) -> Tensor:
    smooth = torch.nn.functional.interpolate(torch.rand(n, 1, 5, 6), size=(h, w), mode="bilinear")
    codes = (smooth[:, 0] * 0.9 + torch.rand(n, h, w) * 0.1) * ((1 << bits) - 1)
    return codes.int().to(torch.uint8 if bits == 8 else torch.uint16)


def field(n: int, h: int, w: int, chroma: float = 20) -> Tensor:
    return torch.randn(n, 2, h, w) * chroma


def as_int(x: Tensor) -> Tensor:
    return x.to(torch.int32)


# ---- annealed mean -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("q", [1, 7, 313])
def test_annealed_mean(size, q, close):
    logits, colors = torch.randn(2, q, *size) * 4, palette(q)
    want = reference.annealed_mean(logits.double(), colors.double())
    close("annealed_mean", ops.annealed_mean(logits, colors), want)
    channels_last = logits.contiguous(memory_format=torch.channels_last)
    close("annealed_mean", ops.annealed_mean(channels_last, colors), want)


@pytest.mark.parametrize("temperature", [1e-3, 0.05, 0.38, 1, 10])
@pytest.mark.parametrize("size", [1e-3, 1, 50, 1e4])
def test_annealed_mean_temperature_and_extreme_logits(temperature, size, close):
    logits, colors = (torch.rand(1, 40, 3, 5) * 2 - 1) * size, palette(40)
    got = ops.annealed_mean(logits, colors, temperature)
    assert got.isfinite().all()
    close("annealed_mean", got, reference.annealed_mean(logits.double(), colors, temperature))


def test_annealed_mean_limits(close):
    colors, logits = palette(20), torch.randn(1, 20, 4, 4)
    mode = colors[logits.argmax(1)].permute(0, 3, 1, 2)
    close("annealed_mean", ops.annealed_mean(logits, colors, 1e-4), mode)
    equal = torch.full((1, 20, 4, 4), -7.0)
    mean = colors.mean(0).reshape(1, 2, 1, 1).expand(1, 2, 4, 4)
    close("annealed_mean", ops.annealed_mean(equal, colors), mean)
    tie = torch.zeros(1, 20, 1, 1)
    tie[0, [3, 8]] = 100
    close("annealed_mean", ops.annealed_mean(tie, colors, 0.01).flatten(), colors[[3, 8]].mean(0))


def test_annealed_mean_of_what_is_not_finite():
    inf, nan = float("inf"), float("nan")
    colors, logits = palette(5), torch.randn(1, 5, 1, 6)
    logits[0, 2, 0, 0] = nan
    logits[0, 4, 0, 1] = inf
    logits[0, :, 0, 2] = -inf
    logits[0, 1, 0, 3] = -inf
    got = ops.annealed_mean(logits, colors)
    want = reference.annealed_mean(logits.double(), colors.double())
    assert got[..., :3].isnan().all()
    assert want[..., :3].isnan().all()
    TOLERANCES["annealed_mean"].check(got[..., 3:], want[..., 3:])


def test_annealed_mean_of_half_logits(close):
    logits, colors = (torch.randn(1, 30, 6, 6) * 3).half(), palette(30)
    want = reference.annealed_mean(logits.double(), colors)
    close("annealed_mean_float16", ops.annealed_mean(logits, colors), want)


def test_annealed_mean_reads_and_writes_any_strides(close):
    big, colors = torch.randn(3, 26, 24, 40), palette(13)
    out = torch.full((3, 20, 12, 40), -1.0)
    view = big[1:, ::2, 1::2, 3:37:2]
    target = out[1:, 4:8:2, :, 5:39:2]
    returned = ops.annealed_mean(view, colors, out=target)
    assert returned is target
    close("annealed_mean", target, reference.annealed_mean(view.double(), colors.double()))
    out[1:, 4:8:2, :, 5:39:2] = -1
    assert (out == -1).all()


# ---- joint bilateral filters -------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("radius", [0, 1, 4])
def test_joint_bilateral(size, channels, radius, close):
    chroma, guide = torch.randn(2, channels, *size) * 40, torch.rand(2, 1, *size) * 100
    got = ops.joint_bilateral(chroma, guide, radius=radius)
    close(
        "joint_bilateral",
        got,
        reference.joint_bilateral(chroma.double(), guide.double(), radius=radius),
    )
    if radius == 0:
        close("joint_bilateral", got, chroma)


def test_joint_bilateral_limits(close):
    chroma, guide = torch.randn(1, 2, 20, 30) * 40, torch.randperm(600).reshape(1, 1, 20, 30) / 6
    # No range sigma: nothing but the pixel itself resembles it.  Infinite: a plain Gaussian.
    close("joint_bilateral", ops.joint_bilateral(chroma, guide, sigma_range=1e-3), chroma)
    flat = torch.full_like(guide, 50)
    inf = float("inf")
    for sigma_space in (0.3, 3.0, inf):
        blurred = ops.joint_bilateral(chroma, guide, sigma_range=inf, sigma_space=sigma_space)
        close(
            "joint_bilateral", blurred, ops.joint_bilateral(chroma, flat, sigma_space=sigma_space)
        )
    mean = ops.joint_bilateral(chroma, flat, radius=40, sigma_space=inf)
    close("joint_bilateral", mean, chroma.mean((2, 3), keepdim=True).expand_as(chroma))


def test_joint_bilateral_keeps_an_edge_that_the_guide_has():
    step = torch.zeros(1, 1, 16, 16)
    step[..., 8:] = 1
    kept = ops.joint_bilateral(step * 40, step * 100)
    assert torch.allclose(kept, step * 40, atol=1e-3)
    smeared = ops.joint_bilateral(step * 40, step * 0)
    assert (smeared - step * 40).abs().max() > 5


def test_joint_bilateral_strides(close):
    big, out = torch.randn(2, 6, 40, 60), torch.zeros(2, 30, 25, 2)
    chroma, guide = big[:, 1:5:2, 5:35, 4:54:2], big[:, 5:, 5:35, 4:54:2] * 30
    target = out.permute(0, 3, 1, 2)
    ops.joint_bilateral(chroma, guide, out=target)
    close("joint_bilateral", target, reference.joint_bilateral(chroma.double(), guide.double()))


@pytest.mark.parametrize("radius", [None, 0, 2])
@pytest.mark.parametrize("low", [(1, 1), (1, 5), (6, 1), (8, 9), (40, 50)])
@pytest.mark.parametrize("size", [(1, 1), (17, 33), (45, 70)])
def test_joint_bilateral_upsample(radius, low, size, close):
    chroma, guide_low = torch.randn(2, 3, *low) * 40, torch.rand(2, 1, *low) * 100
    guide = torch.rand(2, 1, *size) * 100
    got = ops.joint_bilateral_upsample(chroma, guide_low, guide, radius=radius)
    want = reference.joint_bilateral_upsample(
        chroma.double(), guide_low.double(), guide.double(), radius=radius
    )
    close("joint_bilateral_upsample", got, want)


def test_upsample_of_a_constant_is_that_constant(close):
    chroma = torch.full((1, 2, 6, 7), 33.0)
    got = ops.joint_bilateral_upsample(
        chroma, torch.rand(1, 1, 6, 7) * 100, torch.rand(1, 1, 50, 61) * 100
    )
    close("joint_bilateral_upsample", got, torch.full((1, 2, 50, 61), 33.0))


# ---- lightness of cells ------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("low", [(1, 1), (7, 3), (16, 16), (61, 80)])
def test_mean_lightness(bits, size, low, close):
    encoding, y = Encoding(bit_depth=bits), luma(2, size[0], size[1], bits)
    got = ops.mean_lightness(y, low, encoding=encoding)
    close("lightness", got, reference.mean_lightness(y, low, encoding=encoding))


@pytest.mark.parametrize("bits", [8, 10])
def test_mean_lightness_of_tall_white_cells(bits, close):
    # More rows than sums of 16 bits hold.
    encoding = Encoding(bit_depth=bits, full_range=True)
    y = torch.full((1, 1100, 131), (1 << bits) - 1).to(torch.uint8 if bits == 8 else torch.uint16)
    close(
        "lightness",
        ops.mean_lightness(y, (2, 3), encoding=encoding),
        torch.full((1, 1, 2, 3), 100.0),
    )


# ---- rendering ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subsampling", "location", "bits"), pairs(SUBSAMPLING_SHIFTS, CHROMA_POSITIONS, (8, 10))
)
def test_render_chroma_for_every_layout(bits, subsampling, location, close):
    encoding = Encoding(bit_depth=bits, subsampling=subsampling, chroma_location=location)
    f, y = field(2, 6, 7), luma(2, 37, 51, bits)
    got = ops.render_chroma(f, y, encoding=encoding)
    want = reference.render_chroma(f, y, encoding=encoding)
    for g, w in zip(got, want, strict=True):
        assert g.shape == (2, *encoding.chroma_shape(37, 51))
        close(bits, as_int(g), as_int(w))


@pytest.mark.parametrize(
    ("location", "subsampling", "name"),
    pairs(CHROMA_POSITIONS, ["420", "440", "410"], ("top", "bottom")),
)
def test_render_chroma_for_every_field(name, subsampling, location, close):
    encoding = Encoding(subsampling=subsampling, chroma_location=location, field=name)
    f, y = field(2, 6, 7), luma(2, 37, 51)
    got = ops.render_chroma(f, y, encoding=encoding)
    for g, w in zip(got, reference.render_chroma(f, y, encoding=encoding), strict=True):
        close(8, as_int(g), as_int(w))


def test_where_the_chroma_of_fields_lies():
    """ISO/IEC 13818-2, figure 6-2: a quarter and three quarters between the field's own lines."""
    assert Encoding(field="top").chroma_center() == (0.25, 0.0)
    assert Encoding(field="bottom").chroma_center() == (0.75, 0.0)
    for location in CHROMA_POSITIONS:
        for subsampling, (vertical, _) in SUBSAMPLING_SHIFTS.items():
            frame, top, bottom = (
                Encoding(subsampling=subsampling, chroma_location=location, field=f).chroma_center()
                for f in ("frame", "top", "bottom")
            )
            # In lines of the frame: row 0 of chroma is the top field's first, row 1 the bottom's.
            assert 2 * top[0] == frame[0]
            assert 2 * bottom[0] + 1 == frame[0] + (1 << vertical)
            assert top[1] == bottom[1] == frame[1]


@pytest.mark.parametrize(
    ("matrix", "bits", "full"),
    pairs(["bt601", "bt709", "bt2020", "fcc", "smpte240m"], [8, 12, 16], (False, True)),
)
def test_render_chroma_for_every_code(matrix, full, bits, close):
    encoding = Encoding(bit_depth=bits, matrix=matrix, full_range=full)
    f, y = field(1, 5, 5, 35), luma(1, 90, 110, bits)
    got = ops.render_chroma(f, y, encoding=encoding)
    want = reference.render_chroma(f, y, encoding=encoding)
    for g, w in zip(got, want, strict=True):
        close(bits, as_int(g), as_int(w))


def test_words_of_p010_are_codes_of_16_bits():
    """Limited range is scaled by powers of two: ten bits in the high end of a word are 16."""
    f, y = field(1, 6, 7), luma(1, 40, 50, 10)
    words = (as_int(y) * 64).to(torch.uint16)
    deep, ten = Encoding(bit_depth=16), Encoding(bit_depth=10)
    want = reference.mean_lightness(y, (5, 6), encoding=ten)
    TOLERANCES["lightness"].check(ops.mean_lightness(words, (5, 6), encoding=deep), want)
    got = ops.render_chroma(f, words, encoding=deep)
    for g, w in zip(got, ops.render_chroma(f, y, encoding=ten), strict=True):
        assert (as_int(g) / 64 - as_int(w)).abs().max() <= 0.75  # the half that rounding takes


@pytest.mark.parametrize(
    ("size", "low", "subsampling"),
    pairs(SIZES, [(1, 1), (1, 6), (20, 3), (64, 64)], ("420", "444")),
)
def test_render_chroma_sizes(size, low, subsampling, close):
    f, y, encoding = field(1, *low), luma(1, *size), Encoding(subsampling=subsampling)
    got = ops.render_chroma(f, y, encoding=encoding)
    want = reference.render_chroma(f, y, encoding=encoding)
    for g, w in zip(got, want, strict=True):
        # A single sample may sit on a rounding border: no share of a small plane is rare.
        assert (as_int(g) - as_int(w)).abs().max() <= 1


def test_render_is_the_composition_of_the_ops(close):
    encoding = Encoding(subsampling="444", full_range=True)
    f, y = field(1, 8, 8), luma(1, 64, 80)
    low = ops.mean_lightness(y, (8, 8), encoding=encoding)
    guide = ops.luma_to_lightness(y, encoding=encoding).unsqueeze(1)
    ab = ops.joint_bilateral_upsample(f, low, guide)
    ycbcr = ops.yab_to_ycbcr(torch.cat((y.unsqueeze(1) / 255, ab), 1))
    got = ops.render_chroma(f, y, encoding=encoding)
    for c in (0, 1):
        close(8, as_int(got[c]), (ycbcr[:, 1 + c] * 255 + 128).round().clamp(0, 255).int())


def test_render_keeps_grey_grey():
    y = luma(1, 33, 47)
    for u in ops.render_chroma(torch.zeros(1, 2, 4, 4), y, encoding=Encoding()):
        assert (u == 128).all()


def test_render_without_finite_values_is_as_with_zeros():
    y, f = luma(1, 32, 32), field(1, 4, 4)
    f[0, 0, 1, 1], f[0, 1, 2, 3] = float("nan"), float("inf")
    want = ops.render_chroma(f.nan_to_num(0, 0, 0), y, encoding=Encoding())
    for g, w in zip(ops.render_chroma(f, y, encoding=Encoding()), want, strict=True):
        assert torch.equal(g, w)


def test_render_into_the_planes_of_a_frame():
    """Rows with padding, every second row of an interlaced frame, the halves of NV12."""
    y, f, encoding = luma(1, 32, 46), field(1, 4, 5), Encoding()
    want = ops.render_chroma(f, y, encoding=encoding)
    frame = np.full((1, 64, 64), 7, np.uint8)
    frame[:, 1::2, :46] = y.numpy()
    before = frame.copy()
    chroma = np.full((2, 40, 37), 9, np.uint8)
    rows = torch.from_numpy(frame)[:, 1::2, :46]
    u, v = torch.from_numpy(chroma[:1, 1:33:2, :23]), torch.from_numpy(chroma[1:, 1:33:2, :23])
    ops.render_chroma(f, rows, encoding=encoding, out=(u, v))
    assert torch.equal(u, want[0])
    assert torch.equal(v, want[1])
    assert (frame == before).all()
    chroma[:, 1:33:2, :23] = 9
    assert (chroma == 9).all()
    nv12 = torch.zeros(1, 16, 23, 2, dtype=torch.uint8)
    ops.render_chroma(f, y, encoding=encoding, out=(nv12[..., 0], nv12[..., 1]))
    assert torch.equal(nv12, torch.stack(want, -1))
    # One frame of a batch alone.
    both = ops.render_chroma(f.expand(2, -1, -1, -1), y.expand(2, -1, -1), encoding=encoding)
    assert torch.equal(both[0][1:], want[0])


@pytest.mark.parametrize("bits", [8, 16])
def test_render_rgb(bits, close):
    encoding = Encoding(bit_depth=bits, full_range=True, matrix="bt601")
    f, y = field(2, 6, 7), luma(2, 35, 41, bits)
    got = ops.render_rgb(f, y, encoding=encoding)
    close(bits, as_int(got), as_int(reference.render_rgb(f, y, encoding=encoding)))
    # The luma of the result is the luma of the input.
    rgb = as_int(got).double().movedim(-1, 1) / encoding.luma_code_range[1]
    back = reference.rgb_to_ycbcr(rgb, matrix="bt601")[:, 0] * encoding.luma_code_range[1]
    assert (back - as_int(y)).abs().max() <= 0.51
    planar = torch.zeros(2, 3, 35, 41, dtype=y.dtype)
    ops.render_rgb(f, y, encoding=encoding, out=planar.movedim(1, -1))
    assert torch.equal(as_int(planar.movedim(1, -1)), as_int(got))


@pytest.mark.parametrize("layout", ["planes", "pixels", "sliced"])
@pytest.mark.parametrize("size", [(8, 9), (1, 1), (40, 33)])
def test_fused_frame_is_decode_and_render(size, layout):
    h, w = size
    logits = {
        "planes": torch.randn(2, 313, h, w) * 3,
        "pixels": (torch.randn(2, h, w, 313) * 3).permute(0, 3, 1, 2),
        "sliced": (torch.randn(2, 313, 2 * h, w + 3) * 3)[:, :, ::2, 3:],
    }[layout]
    y, colors = luma(2, 50, 60), palette()
    got = ops.fused_frame(logits, colors, y, encoding=Encoding())
    want = ops.render_chroma(ops.annealed_mean(logits, colors), y, encoding=Encoding())
    for g, w in zip(got, want, strict=True):
        assert torch.equal(g, w)
    theirs = reference.fused_frame(logits, colors, y, encoding=Encoding())
    for g, w in zip(got, theirs, strict=True):
        TOLERANCES[8].check(as_int(g), as_int(w))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 70)),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from(sorted(SUBSAMPLING_SHIFTS)),
    st.sampled_from(sorted(CHROMA_POSITIONS)),
    st.floats(0, 90),
    st.integers(0, 2**31),
)
def test_rendered_codes_are_in_gamut(size, low, subsampling, location, chroma, seed):
    torch.manual_seed(seed)
    encoding = Encoding(subsampling=subsampling, chroma_location=location)
    u, v = ops.render_chroma(field(1, low[0], low[1], chroma), luma(1, *size), encoding=encoding)
    for plane in (u, v):
        assert plane.shape == (1, *encoding.chroma_shape(*size))
        assert plane.min() >= 16
        assert plane.max() <= 240


# ---- arguments ---------------------------------------------------------------------------------


def test_empty_batches():
    assert ops.annealed_mean(torch.empty(0, 5, 3, 3), palette(5)).shape == (0, 2, 3, 3)
    assert ops.annealed_mean(torch.empty(1, 5, 0, 3), palette(5)).shape == (1, 2, 0, 3)
    assert ops.rgb_to_lab(torch.empty(0, 3, 4, 4)).shape == (0, 3, 4, 4)
    assert ops.rgb_to_lab(torch.empty(2, 3, 0, 4)).shape == (2, 3, 0, 4)
    none = torch.empty(0, 8, 8, dtype=torch.uint8)
    assert ops.render_chroma(torch.empty(0, 2, 4, 4), none, encoding=Encoding())[0].shape[0] == 0


WRONG = {
    "logits must be N×Q×h×w, got 3×3": lambda: ops.annealed_mean(torch.rand(3, 3), palette(3)),
    "palette must be 3×2 as the logits have 3 entries, got 4×2": lambda: ops.annealed_mean(
        torch.rand(1, 3, 2, 2), palette(4)
    ),
    "temperature must be above 0, got 0": lambda: ops.annealed_mean(
        torch.rand(1, 3, 2, 2), palette(3), 0
    ),
    "logits must be floating point, got torch.int64": lambda: ops.annealed_mean(
        torch.zeros(1, 3, 2, 2, dtype=torch.int64), palette(3)
    ),
    "out must be 1×2×2×2, got 1×2×2×3": lambda: ops.annealed_mean(
        torch.rand(1, 3, 2, 2), palette(3), out=torch.empty(1, 2, 2, 3)
    ),
    "guide must be 1×1×4×4 as the chroma is 1×2×4×4, got 1×1×4×5": lambda: ops.joint_bilateral(
        torch.rand(1, 2, 4, 4), torch.rand(1, 1, 4, 5)
    ),
    "radius must be a whole number in 0 to 65536, got -1": lambda: ops.joint_bilateral(
        torch.rand(1, 2, 4, 4), torch.rand(1, 1, 4, 4), radius=-1
    ),
    "radius must be a whole number in 0 to 65536, got 2.5": lambda: ops.joint_bilateral(
        torch.rand(1, 2, 4, 4),
        torch.rand(1, 1, 4, 4),
        radius=2.5,  # type: ignore[arg-type]
    ),
    "radius must be a whole number in 0 to 1024, got 1073741824": lambda: (
        ops.joint_bilateral_upsample(
            torch.rand(1, 2, 2, 2), torch.rand(1, 1, 2, 2), torch.rand(1, 1, 4, 4), radius=1 << 30
        )
    ),
    "luma of 10 bits must be torch.uint16, got torch.uint8": lambda: ops.render_chroma(
        field(1, 2, 2), luma(1, 8, 8), encoding=Encoding(bit_depth=10)
    ),
    "luma must be N×H×W, got 8×8": lambda: ops.render_chroma(
        field(1, 2, 2), luma(1, 8, 8)[0], encoding=Encoding()
    ),
    "luma must not be empty, got 1×0×8": lambda: ops.render_chroma(
        field(1, 2, 2), luma(1, 8, 8)[:, :0], encoding=Encoding()
    ),
    "field must be 1×2×h×w as the luma is 1×8×8, got 2×2×2×2": lambda: ops.render_chroma(
        field(2, 2, 2), luma(1, 8, 8), encoding=Encoding()
    ),
    "floor must be at least 1e-6, got 0": lambda: ops.render_chroma(
        field(1, 2, 2), luma(1, 8, 8), encoding=Encoding(), floor=0
    ),
    "rgb must be N×3×H×W or …×3×H×W, got 2×4×4": lambda: ops.rgb_to_lab(torch.rand(2, 4, 4)),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_arguments_get_one_sentence(message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        WRONG[message]()
    assert str(caught.value) == message


@pytest.mark.parametrize("given", [None, [[0]], np.zeros((1, 1, 4, 4), np.uint8)])
def test_what_is_no_tensor_is_named(given):
    images = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    with pytest.raises(TypeError, match=r"^reference must be a torch tensor, N×1×H×W, got "):
        ops.motion_search(images, given)
    flow, cost = torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4)
    with pytest.raises(TypeError, match=r"^weight must be a torch tensor, K, got "):
        ops.blend_warped_chroma(flow, flow, cost, given)


# ---- torch -------------------------------------------------------------------------------------


def opcheck_cases() -> dict[str, tuple[object, ...]]:
    code, empty = encoding_numbers(Encoding()), torch.empty
    y = luma(1, 16, 16).unsqueeze(1)
    u, v = empty(1, 1, 8, 8, dtype=torch.uint8), empty(1, 1, 8, 8, dtype=torch.uint8)
    image = torch.rand(1, 3, 4, 5)
    return {
        "annealed_mean": (torch.rand(1, 5, 4, 4), palette(5), 0.38, empty(1, 2, 4, 4)),
        "joint_bilateral": (torch.rand(1, 2, 6, 6), torch.rand(1, 1, 6, 6), 2, 2.0, 6.0,
                            empty(1, 2, 6, 6)),
        "joint_bilateral_upsample": (torch.rand(1, 2, 3, 3), torch.rand(1, 1, 3, 3),
                                     torch.rand(1, 1, 6, 6), 6.0, 0.01, -1, 0.8,
                                     empty(1, 2, 6, 6)),
        "convert": ([0, 2, 4], image, empty(1, 3, 4, 5)),
        "yab_to_ycbcr": (image, 0.2126, 0.0722, empty(1, 3, 4, 5)),
        "luma_to_lightness": (y, code, empty(1, 16, 16)),
        "mean_lightness": (y, code, empty(1, 1, 4, 4)),
        "render_chroma": (field(1, 4, 4), y, code, 6.0, 0.01, u, v),
        "fused_frame": (torch.rand(1, 9, 4, 4), torch.rand(9, 2), 0.38, y, code, 6.0, 0.01, u, v),
        "render_rgb": (field(1, 4, 4), y, code[:7] + [0.0] * 4, 6.0, 0.01,
                       empty(1, 16, 16, 3, dtype=torch.uint8)),
    }  # fmt: skip


@pytest.mark.parametrize("name", opcheck_cases())
def test_opcheck(name):
    torch.library.opcheck(getattr(torch.ops.pycolor, name).default, opcheck_cases()[name])


def test_compile_keeps_the_graph_whole():
    def frame(logits: Tensor, colors: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        u, v = ops.fused_frame(logits * 2, colors, y, encoding=Encoding())
        return u + 1, v

    arguments = torch.randn(1, 20, 4, 4), palette(20), luma(1, 20, 24)
    compiled = torch.compile(frame, fullgraph=True, backend="aot_eager")
    for g, w in zip(compiled(*arguments), frame(*arguments), strict=True):
        assert torch.equal(g, w)


def test_whole_numbers_of_any_kind() -> None:
    chroma, guide = torch.rand(1, 2, 5, 6), torch.rand(1, 1, 5, 6)
    one: Any = np.int64(1)
    got = ops.joint_bilateral(chroma, guide, radius=one)
    assert torch.equal(got, ops.joint_bilateral(chroma, guide, radius=1))
    size = tuple(np.array([2, 3]))
    assert ops.mean_lightness(luma(1, 4, 6, 8), size, encoding=Encoding()).shape == (1, 1, 2, 3)


@pytest.mark.parametrize("size", [(2,), (2, 3, 4), (2.0, 3), 2, None, (0, 3), "ab"])
def test_a_size_is_two_whole_numbers(size: Any) -> None:
    flow, cost = torch.zeros(1, 2, 2, 2), torch.zeros(1, 1, 2, 2)
    with pytest.raises(ValueError, match=r"size must be \(height, width\), whole numbers"):
        ops.flow_to_field(flow, cost, size)
    with pytest.raises(ValueError, match=r"size must be \(height, width\), whole numbers"):
        ops.mean_lightness(luma(1, 4, 6, 8), size, encoding=Encoding())


def test_an_encoding_is_one() -> None:
    field, codes = torch.zeros(1, 2, 2, 2), luma(1, 4, 6, 8)
    wrong: Any = None
    for op in (ops.render_chroma, ops.render_rgb):
        with pytest.raises(TypeError, match=r"a pycolor\.Encoding, got NoneType"):
            op(field, codes, encoding=wrong)
    with pytest.raises(TypeError, match=r"a pycolor\.Encoding, got NoneType"):
        ops.mean_lightness(codes, (2, 3), encoding=wrong)
