"""Color conversions and the (Y', a, b) solve: published values, round trips, the reference."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pycolor import ops
from pycolor.encoding import LUMA_COEFFICIENTS, Encoding
from pycolor.ops import reference

PAIRS = [
    ("rgb", "linear"),
    ("linear", "xyz"),
    ("xyz", "lab"),
    ("xyz", "luv"),
    ("rgb", "xyz"),
    ("rgb", "lab"),
    ("rgb", "luv"),
    ("lab", "luv"),
]


def from_rgb(space: str, rgb: torch.Tensor) -> torch.Tensor:
    return rgb if space == "rgb" else getattr(reference, f"rgb_to_{space}")(rgb)


def pixels(*values: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).T.reshape(1, 3, 1, -1)


def test_white_and_matrix_are_the_published_ones(close):
    # IEC 61966-2-1, the matrix printed to four digits.
    printed = torch.tensor(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
        dtype=torch.float64,
    )
    close("published_xyz", reference.LINEAR_TO_XYZ, printed)


@pytest.mark.parametrize("module", [reference, ops])
def test_primaries_have_the_published_lab_values(module, close):
    # Lindbloom's and others' tables of sRGB under D65.
    rgb = pixels((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (0, 0, 0))
    want = pixels(
        (53.24, 80.09, 67.20), (87.73, -86.18, 83.18), (32.30, 79.19, -107.86), (100, 0, 0),
        (0, 0, 0),
    )  # fmt: skip
    close("published_lab", module.rgb_to_lab(rgb.float()), want)


@pytest.mark.parametrize("module", [reference, ops])
def test_neutral_colors_have_no_chroma(module, close):
    grey = torch.linspace(0, 1, 64).expand(1, 3, 1, 64)
    close("lab", module.rgb_to_lab(grey)[:, 1:], torch.zeros(1, 2, 1, 64))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: f"{p[0]}-{p[1]}")
def test_conversions_match_the_reference_both_ways(pair, close):
    rgb = torch.rand(2, 3, 19, 37, dtype=torch.float64)
    for source, target in (pair, pair[::-1]):
        x = from_rgb(source, rgb)
        name = f"{source}_to_{target}"
        close(target, getattr(ops, name)(x.float()), getattr(reference, name)(x.float().double()))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: f"{p[0]}-{p[1]}")
@pytest.mark.parametrize("module", [reference, ops])
def test_round_trips(pair, module, close):
    rgb = torch.rand(1, 3, 8, 40)
    x = from_rgb(pair[0], rgb.double()).float()
    there = getattr(module, f"{pair[0]}_to_{pair[1]}")(x)
    back = getattr(module, f"{pair[1]}_to_{pair[0]}")(there)
    close("round_trip" if pair[0] in ("rgb", "linear", "xyz") else pair[0], back, x)


def test_knees_are_continuous():
    for f, knee in ((reference.rgb_to_linear, 0.04045), (reference.linear_to_rgb, 0.0031308)):
        around = torch.tensor([knee - 1e-9, knee + 1e-9], dtype=torch.float64).expand(1, 3, 1, 2)
        low, high = f(around)[0, 0, 0]
        assert abs(high - low) < 1e-6  # IEC 61966-2-1 rounds its constants


def test_conversions_keep_out_of_gamut_values(close):
    lab = torch.tensor([50.0, 120.0, -120.0]).reshape(1, 3, 1, 1).expand(1, 3, 1, 20)
    close("rgb", ops.lab_to_rgb(lab), reference.lab_to_rgb(lab.double()))
    assert ops.lab_to_rgb(lab).min() < 0


@pytest.mark.parametrize(("dtype", "top"), [(torch.uint8, 255), (torch.uint16, 65535)])
def test_integer_rgb_is_clipped_and_rounded(dtype, top):
    lab = torch.rand(1, 3, 9, 33) * torch.tensor([100.0, 160, 160]).reshape(3, 1, 1)
    lab[:, 1:] -= 80
    got = ops.lab_to_rgb(lab, dtype=dtype).int()
    want = (reference.lab_to_rgb(lab.double()).clamp(0, 1) * top).round().int()
    assert (got - want).abs().max() <= 1
    assert torch.equal(reference.lab_to_rgb(lab.double(), dtype=dtype).int(), want)
    interleaved = torch.empty(1, 9, 33, 3, dtype=dtype)
    ops.lab_to_rgb(lab, out=interleaved.permute(0, 3, 1, 2))
    assert torch.equal(interleaved.permute(0, 3, 1, 2).int(), got)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: f"{p[0]}-{p[1]}")
@pytest.mark.parametrize("module", [reference, ops])
def test_results_are_written_where_they_are_wanted(pair, module):
    x = from_rgb(pair[0], torch.rand(1, 3, 5, 9, dtype=torch.float64)).float()
    convert = getattr(module, f"{pair[0]}_to_{pair[1]}")
    out = torch.empty(1, 5, 9, 3).permute(0, 3, 1, 2)
    assert convert(x, out=out) is out
    assert torch.equal(out, convert(x))


def test_only_rgb_comes_in_integers():
    with pytest.raises(ValueError, match=r"out must be torch.float32"):
        ops.rgb_to_lab(torch.rand(1, 3, 2, 2), out=torch.empty(1, 3, 2, 2, dtype=torch.uint8))


@pytest.mark.parametrize("matrix", LUMA_COEFFICIENTS)
def test_ycbcr_of_the_reference(matrix, close):
    rgb = torch.rand(1, 3, 5, 5, dtype=torch.float64)
    ycbcr = reference.rgb_to_ycbcr(rgb, matrix=matrix)
    close("round_trip", reference.ycbcr_to_rgb(ycbcr, matrix=matrix), rgb)
    assert ycbcr[:, 1:].abs().max() <= 0.5
    white = reference.rgb_to_ycbcr(torch.ones(1, 3, 1, 1, dtype=torch.float64), matrix=matrix)
    close("round_trip", white.flatten(), torch.tensor([1.0, 0, 0]))


# ---- the color of a given luma -----------------------------------------------------------------


def random_yab(chroma: float, shape: tuple[int, ...] = (64, 64)) -> torch.Tensor:
    y = torch.rand(1, 1, *shape)
    return torch.cat((y, torch.randn(1, 2, *shape) * chroma), dim=1)


@pytest.mark.parametrize("matrix", LUMA_COEFFICIENTS)
@pytest.mark.parametrize("chroma", [5, 25, 80])
def test_yab_matches_the_reference(matrix, chroma, close):
    yab = random_yab(chroma)
    got, want = ops.yab_to_ycbcr(yab, matrix=matrix), reference.yab_to_ycbcr(yab, matrix=matrix)
    close("ycbcr", got, want)
    assert torch.equal(got[:, 0], yab[:, 0])


@pytest.mark.parametrize("module", [reference, ops])
def test_in_gamut_colors_come_back_exactly(module, close):
    rgb = torch.rand(1, 3, 40, 40, dtype=torch.float64) * 0.96 + 0.02
    ycbcr = reference.rgb_to_ycbcr(rgb)
    close("ycbcr", module.yab_to_ycbcr(reference.ycbcr_to_yab(ycbcr).float()), ycbcr)


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0, 1),
    st.floats(-200, 200),
    st.floats(-200, 200),
    st.sampled_from(sorted(LUMA_COEFFICIENTS)),
)
def test_yab_keeps_luma_and_hue_and_stays_in_gamut(y, a, b, matrix):
    ycbcr = ops.yab_to_ycbcr(torch.tensor([y, a, b]).reshape(1, 3, 1, 1), matrix=matrix).double()
    rgb = reference.ycbcr_to_rgb(ycbcr, matrix=matrix).flatten()
    assert rgb.min() >= -1e-4
    assert rgb.max() <= 1 + 1e-4
    _, got_a, got_b = reference.ycbcr_to_yab(ycbcr, matrix=matrix).flatten().tolist()
    chroma = math.hypot(got_a, got_b)
    assert chroma <= math.hypot(a, b) + 0.1
    # Across the hue: the part of (a, b) that is not along the wished direction.
    if math.hypot(a, b) > 1:
        assert abs(got_a * b - got_b * a) / math.hypot(a, b) < 0.2


def test_black_and_white_are_neutral():
    yab = torch.tensor([[0.0, 1.0, -0.2, 1.3], [50.0] * 4, [-30.0] * 4]).reshape(1, 3, 1, 4)
    assert ops.yab_to_ycbcr(yab)[0, 1:].abs().max() < 1e-4


def test_values_that_are_not_finite_count_as_zero(close):
    inf, nan = float("inf"), float("nan")
    yab = torch.tensor([[0.5] * 4, [nan, inf, -inf, 20.0], [10.0, 10.0, 10.0, nan]])
    zero = torch.tensor([[0.5] * 4, [0.0, 0.0, 0.0, 20.0], [10.0, 10.0, 10.0, 0.0]])
    got = ops.yab_to_ycbcr(yab.reshape(1, 3, 1, 4))
    close("ycbcr", got, reference.yab_to_ycbcr(zero.reshape(1, 3, 1, 4)))
    close("ycbcr", reference.yab_to_ycbcr(yab.reshape(1, 3, 1, 4)), got)


@pytest.mark.parametrize("bits", [8, 10, 16])
@pytest.mark.parametrize("full", [False, True])
def test_lightness_of_codes(bits, full, close):
    encoding = Encoding(bit_depth=bits, full_range=full)
    step = max(1, (1 << bits) // 1024)
    codes = torch.arange(0, 1 << bits, step).reshape(1, 1, -1)
    codes = codes.to(torch.uint8 if bits == 8 else torch.uint16)
    got = ops.luma_to_lightness(codes, encoding=encoding)
    close("lightness", got, reference.luma_to_lightness(codes.to(torch.int32), encoding=encoding))
    black, white = encoding.luma_code_range
    ends = torch.tensor([[[black, white]]]).to(codes.dtype)
    close("lightness", ops.luma_to_lightness(ends, encoding=encoding), torch.tensor([[[0, 100.0]]]))
