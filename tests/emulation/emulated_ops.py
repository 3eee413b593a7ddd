"""The emulated CUDA ops against the CPU ops; run by tests/test_cuda_emulated.py in a child."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import pytest
import torch
from torch import Tensor

import pycolor._C as _C
from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.ops import native
from tests.test_ops import as_int, field, luma, palette

SIZES = [(1, 1), (1, 7), (9, 1), (17, 33)]  # each thread is a fiber: small
FEW = [*SIZES[:3], (7, 11)]  # where each pixel takes 32 of them


def load() -> Any:
    spec = importlib.util.spec_from_file_location("_cuda", os.environ["PYCOLOR_EMULATED"])
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


module = load()
view, LAUNCH = native.view, (0, 0)  # device, stream


def code_of(encoding: Encoding) -> Any:
    return native.frame_code(native.encoding_numbers(encoding))


def gamut_table(encoding: Encoding) -> Tensor:
    table = bytearray(_C.gamut_table(*encoding.luma_coefficients))
    return torch.frombuffer(table, dtype=torch.float32).clone()


# ---- annealed mean -----------------------------------------------------------------------------


def annealed_mean(logits: Tensor, colors: Tensor, temperature: float = 0.38) -> Tensor:
    n, _, h, w = logits.shape
    out = torch.empty(n, 2, h, w)
    size = logits.dtype.itemsize
    address = colors.data_ptr()
    module.annealed_mean(view(logits), size, address, temperature, view(out), *LAUNCH)
    return out


@pytest.mark.parametrize("q", [1, 33, 313])
@pytest.mark.parametrize(
    ("layout", "size"),
    [(torch.contiguous_format, size) for size in SIZES]
    + [(torch.channels_last, size) for size in FEW],
)
def test_annealed_mean(size, q, layout, close):
    colors, logits = palette(q), torch.randn(2, q, *size) * 4
    logits = logits.contiguous(memory_format=layout)
    close("annealed_mean", annealed_mean(logits, colors), ops.annealed_mean(logits, colors))
    half = logits.half()
    want = ops.annealed_mean(half.float(), colors)
    close("annealed_mean_float16", annealed_mean(half, colors), want)


@pytest.mark.parametrize("temperature", [1e-3, 1, 10])
def test_annealed_mean_of_strides_and_limits(temperature, close):
    colors, logits = palette(40), (torch.randn(2, 60, 9, 14) * 1e3)[:, 10:50, ::2, 1::3]
    got = annealed_mean(logits, colors, temperature)
    close("annealed_mean", got, ops.annealed_mean(logits, colors, temperature))
    inf = float("inf")
    broken = torch.randn(1, 40, 1, 3)
    broken[0, 3, 0, 0], broken[0, 5, 0, 1], broken[0, :, 0, 2] = float("nan"), inf, -inf
    assert annealed_mean(broken, colors).isnan().all()
    last = broken.contiguous(memory_format=torch.channels_last)
    assert annealed_mean(last, colors).isnan().all()


# ---- joint bilateral filters -------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("radius", [0, 1, 4])
def test_joint_bilateral(size, channels, radius, close):
    chroma, guide = torch.randn(2, channels, *size) * 40, torch.rand(2, 1, *size) * 100
    out = torch.empty_like(chroma)
    module.joint_bilateral(view(chroma), view(guide), radius, 3.0, 6.0, view(out), *LAUNCH)
    close("joint_bilateral", out, ops.joint_bilateral(chroma, guide, radius=radius))


@pytest.mark.parametrize("radius", [None, 0, 2])
@pytest.mark.parametrize("low", [(1, 1), (1, 5), (8, 9)])
@pytest.mark.parametrize("size", [(1, 1), (17, 33)])
def test_joint_bilateral_upsample(radius, low, size, close):
    chroma, guide_low = torch.randn(2, 3, *low) * 40, torch.rand(2, 1, *low) * 100
    guide, out = torch.rand(2, 1, *size) * 100, torch.empty(2, 3, *size)
    views = view(chroma), view(guide_low), view(guide)
    window = -1 if radius is None else radius
    module.joint_bilateral_upsample(*views, 6.0, 0.01, window, 0.8, view(out), *LAUNCH)
    want = ops.joint_bilateral_upsample(chroma, guide_low, guide, radius=radius)
    close("joint_bilateral_upsample", out, want)


# ---- color conversions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("rgb_to_lab", [0, 2, 4]),
        ("lab_to_rgb", [5, 3, 1]),
        ("rgb_to_luv", [0, 2, 6]),
        ("luv_to_rgb", [7, 3, 1]),
        ("lab_to_luv", [5, 6]),
        ("luv_to_lab", [7, 4]),
    ],
)
@pytest.mark.parametrize("size", SIZES)
def test_convert(name, steps, size, close):
    image = torch.rand(2, 3, *size)
    if not name.startswith("rgb"):
        image[:, 0] = image[:, 0] * 99 + 1
        image[:, 1:] = image[:, 1:] * 60 - 30
    out = torch.empty_like(image)
    module.convert(steps, view(image), view(out), 0, *LAUNCH)
    close(name[-3:], out, getattr(ops, name)(image))
    if name.endswith("rgb"):
        for kind, dtype in ((1, torch.uint8), (2, torch.uint16)):
            codes = torch.empty(image.shape, dtype=dtype)
            module.convert(steps, view(image), view(codes), kind, *LAUNCH)
            want = getattr(ops, name)(image, dtype=dtype)
            assert (as_int(codes) - as_int(want)).abs().max() <= 1


@pytest.mark.parametrize("size", SIZES)
def test_yab_to_ycbcr(size, close):
    yab = torch.cat((torch.rand(2, 1, *size), torch.randn(2, 2, *size) * 40), 1)
    encoding, out = Encoding(), torch.empty_like(yab)
    table, (kr, kb) = gamut_table(encoding), encoding.luma_coefficients
    module.yab_to_ycbcr(view(yab), kr, kb, table.data_ptr(), view(out), *LAUNCH)
    assert (out - ops.yab_to_ycbcr(yab)).abs().max() <= 1e-5


# ---- luma and rendering ------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("size", SIZES)
def test_lightness(bits, size, close):
    encoding, y = Encoding(bit_depth=bits), luma(2, size[0], size[1], bits)
    codes, is_uint16, code = y.unsqueeze(1), bits > 8, code_of(encoding)
    out = torch.empty(2, *size)
    module.luma_to_lightness(view(codes), is_uint16, code, out.data_ptr(), *LAUNCH)
    close("lightness", out, ops.luma_to_lightness(y, encoding=encoding))
    for low in ((1, 1), (7, 3)):
        cells = torch.empty(2, 1, *low)
        module.mean_lightness(view(codes), is_uint16, code, view(cells), *LAUNCH)
        close("lightness", cells, ops.mean_lightness(y, low, encoding=encoding))


def render(f: Tensor, y: Tensor, encoding: Encoding, planes: list[Tensor], rgb: bool) -> None:
    guide_low, table = torch.empty(f.shape[0], 1, *f.shape[2:]), gamut_table(encoding)
    views = [view(plane) for plane in planes]
    module.render(
        view(f), view(y.unsqueeze(1)), y.dtype == torch.uint16, code_of(encoding), 6.0, 0.01,
        table.data_ptr(), view(guide_low), views, rgb, *LAUNCH,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("location", "lines"),
    [("left", "frame"), ("bottom", "frame"), ("left", "top"), ("left", "bottom")],
)
@pytest.mark.parametrize("subsampling", ["420", "422", "444", "440", "411", "410"])
@pytest.mark.parametrize("bits", [8, 10])
def test_render_chroma(bits, subsampling, location, lines, close):
    encoding = Encoding(
        bit_depth=bits, subsampling=subsampling, chroma_location=location, field=lines
    )
    f, y = field(2, 6, 7), luma(2, 17, 37, bits)
    f[0, 0, 1, 1], f[1, 1, 2, 3] = float("nan"), float("inf")
    want = ops.render_chroma(f, y, encoding=encoding)
    got = [torch.empty_like(plane) for plane in want]
    render(f, y, encoding, [plane.unsqueeze(1) for plane in got], False)
    for g, w in zip(got, want, strict=True):
        close("cuda_codes", as_int(g), as_int(w))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("low", [(1, 1), (1, 6), (20, 3)])
def test_render_sizes_into_padded_rows(size, low, close):
    f, y, encoding = field(1, *low), luma(1, *size), Encoding()
    want = ops.render_chroma(f, y, encoding=encoding)
    _, hc, wc = want[0].shape
    interleaved = torch.full((1, hc, wc + 3, 2), 7, dtype=torch.uint8)
    render(f, y, encoding, [interleaved[:, None, :, :wc, c] for c in (0, 1)], False)
    for c in (0, 1):
        close("cuda_codes", as_int(interleaved[:, :, :wc, c]), as_int(want[c]))
    assert (interleaved[:, :, wc:] == 7).all()


@pytest.mark.parametrize("bits", [8, 16])
def test_render_rgb(bits, close):
    encoding = Encoding(bit_depth=bits, full_range=True, subsampling="444")
    f, y = field(2, 6, 7), luma(2, 15, 41, bits)
    want = ops.render_rgb(f, y, encoding=encoding)
    got = torch.empty_like(want)
    render(f, y, encoding, [got[..., c].unsqueeze(1) for c in range(3)], True)
    close(bits, as_int(got), as_int(want))


# ---- color over time ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(4, 4), (8, 20)])
def test_motion_search(size):
    guide, other = ((torch.rand(2, 1, *size) * 255).byte() for _ in range(2))
    start = torch.randn(2, 2, size[0] // 4, size[1] // 4) * 3
    flow, cost = torch.empty_like(start), torch.empty_like(start[:, :1])
    module.motion_search(
        view(guide), view(other), view(start), 2, 5, view(flow), view(cost), *LAUNCH
    )
    want = ops.motion_search(guide, other, start, radius=2, penalty=5)
    assert torch.equal(flow, want[0])
    assert torch.equal(cost, want[1])


@pytest.mark.parametrize("size", SIZES)
def test_chain_flows(size):
    first, second = torch.randn(2, 2, 2, *size) * 9
    out = torch.empty_like(first)
    module.chain_flows(view(first), view(second), view(out), *LAUNCH)
    assert torch.equal(out, ops.chain_flows(first, second))


@pytest.mark.parametrize("of", SIZES)
@pytest.mark.parametrize("size", [(1, 1), (11, 37), (90, 40)])
def test_flow_to_field(of, size):
    flow, cost = torch.randn(2, 2, *of) * 9, torch.rand(2, 1, *of) * 40
    out = torch.empty(2, 2, *size), torch.empty(2, 1, *size)
    module.flow_to_field(view(flow), view(cost), view(out[0]), view(out[1]), *LAUNCH)
    for got, want in zip(out, ops.flow_to_field(flow, cost, size), strict=True):
        assert torch.equal(got, want)


@pytest.mark.parametrize("size", SIZES)
def test_carry_chroma(size, close):
    chroma, flow = torch.randn(3, 2, *size) * 30, torch.randn(3, 2, *size) * 3
    cost, weight = torch.rand(3, 1, *size) * 20, torch.rand(3) + 0.1
    out = torch.empty(1, 2, *size)
    module.blend_warped_chroma(
        view(chroma), view(flow), view(cost), weight.data_ptr(), 20.0, 0.02, 1.6, view(out), *LAUNCH
    )
    close("blend_warped_chroma", out, ops.blend_warped_chroma(chroma, flow, cost, weight))


# ---- errors ------------------------------------------------------------------------------------


def lightness_on(device: int) -> Tensor:
    out = torch.empty(1, 2, 3)
    codes = torch.arange(20, 26, dtype=torch.uint8).reshape(1, 1, 2, 3)
    code = code_of(Encoding())
    module.luma_to_lightness(view(codes), False, code, out.data_ptr(), device, 0)
    return out


def test_a_device_that_is_not_there_is_said():
    with pytest.raises(RuntimeError, match="choosing CUDA device 3 failed: invalid device ordinal"):
        lightness_on(3)


def test_an_error_that_another_library_left_is_not_ours(monkeypatch):
    want = lightness_on(0)
    monkeypatch.setenv("PYCOLOR_EMULATION_FOREIGN_ERROR", "1")
    assert torch.equal(lightness_on(0), want)


def test_a_launch_that_fails_is_said():
    logits, out = torch.zeros(1, 4, 1, 1), torch.empty(1, 2, 1, 1)
    many = (logits.data_ptr(), (70000, 4, 1, 1), (0, 1, 1, 1))
    to = (out.data_ptr(), (70000, 2, 1, 1), (0, 1, 1, 1))
    colors = palette(4)
    with pytest.raises(RuntimeError, match="launch failed: invalid configuration"):
        module.annealed_mean(many, 4, colors.data_ptr(), 1.0, to, *LAUNCH)
