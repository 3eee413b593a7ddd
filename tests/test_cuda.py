"""On a GPU: every op against the CPU's, the models, and a film from file to file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import pycolor
from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.models import zoo
from pycolor.models.colorizer import Guidance
from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.job.film import color_film
from tests.films import make_film, planes_of
from tests.test_ops import as_int, field, luma, palette

pytestmark = pytest.mark.needs_cuda

PACKAGED = sorted(
    path.stem
    for path in Path(pycolor.__file__).with_name("weights").glob("*.safetensors")
    if path.stem in {card.name for card in zoo.all_cards()}
)
SIZES = [(1, 1), (1, 7), (9, 1), (45, 70), (130, 257)]


def on_gpu(op: Any, *tensors: Tensor, **options: Any) -> Any:
    found = op(*(x.cuda() for x in tensors), **options)
    return tuple(x.cpu() for x in found) if isinstance(found, tuple) else found.cpu()


# ---- ops ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("q", [1, 33, 313])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_annealed_mean(size, q, layout, close):
    colors, logits = palette(q), torch.randn(2, q, *size) * 4
    logits = logits.contiguous(memory_format=layout)
    close(
        "annealed_mean",
        on_gpu(ops.annealed_mean, logits, colors),
        ops.annealed_mean(logits, colors),
    )
    half = logits.half()
    want = ops.annealed_mean(half.float(), colors)
    close("annealed_mean_float16", on_gpu(ops.annealed_mean, half, colors), want)


def test_annealed_mean_of_strides_and_of_what_is_not_finite(close):
    colors, logits = palette(40), (torch.randn(2, 60, 9, 14) * 1e3)[:, 10:50, ::2, 1::3]
    for temperature in (1e-3, 1.0, 10.0):
        got = ops.annealed_mean(logits.cuda(), colors.cuda(), temperature).cpu()
        close("annealed_mean", got, ops.annealed_mean(logits, colors, temperature))
    broken = torch.randn(1, 40, 1, 3)
    broken[0, 3, 0, 0], broken[0, 5, 0, 1], broken[0, :, 0, 2] = (
        float("nan"), float("inf"), -float("inf"),
    )  # fmt: skip
    assert on_gpu(ops.annealed_mean, broken, colors).isnan().all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("radius", [0, 1, 4])
def test_joint_bilateral(size, channels, radius, close):
    chroma, guide = torch.randn(2, channels, *size) * 40, torch.rand(2, 1, *size) * 100
    want = ops.joint_bilateral(chroma, guide, radius=radius)
    close("joint_bilateral", on_gpu(ops.joint_bilateral, chroma, guide, radius=radius), want)


@pytest.mark.parametrize("radius", [None, 0, 2])
@pytest.mark.parametrize("low", [(1, 1), (1, 5), (33, 47)])
@pytest.mark.parametrize("size", [(1, 1), (130, 257)])
def test_joint_bilateral_upsample(radius, low, size, close):
    chroma, guide_low = torch.randn(2, 3, *low) * 40, torch.rand(2, 1, *low) * 100
    guide = torch.rand(2, 1, *size) * 100
    want = ops.joint_bilateral_upsample(chroma, guide_low, guide, radius=radius)
    got = on_gpu(ops.joint_bilateral_upsample, chroma, guide_low, guide, radius=radius)
    close("joint_bilateral_upsample", got, want)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name",
    ["rgb_to_lab", "lab_to_rgb", "rgb_to_luv", "luv_to_rgb", "lab_to_luv", "luv_to_lab"],
)
def test_conversions(name, size, close):
    image = torch.rand(2, 3, *size)
    if not name.startswith("rgb"):
        image[:, 0] = image[:, 0] * 99 + 1
        image[:, 1:] = image[:, 1:] * 60 - 30
    op = getattr(ops, name)
    close(name[-3:], on_gpu(op, image), op(image))
    if name.endswith("rgb"):
        for dtype in (torch.uint8, torch.uint16):
            got, want = on_gpu(op, image, dtype=dtype), op(image, dtype=dtype)
            assert (as_int(got) - as_int(want)).abs().max() <= 1


@pytest.mark.parametrize("size", SIZES)
def test_yab_to_ycbcr(size, close):
    yab = torch.cat((torch.rand(2, 1, *size), torch.randn(2, 2, *size) * 40), 1)
    close("ycbcr", on_gpu(ops.yab_to_ycbcr, yab), ops.yab_to_ycbcr(yab))


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("size", SIZES)
def test_lightness(bits, size, close):
    encoding, y = Encoding(bit_depth=bits), luma(2, size[0], size[1], bits)
    want = ops.luma_to_lightness(y, encoding=encoding)
    close("lightness", on_gpu(ops.luma_to_lightness, y, encoding=encoding), want)
    for low in ((1, 1), (7, 3), (64, 80)):
        want = ops.mean_lightness(y, low, encoding=encoding)
        got = ops.mean_lightness(y.cuda(), low, encoding=encoding).cpu()
        close("lightness", got, want)


@pytest.mark.parametrize(
    ("location", "lines"),
    [("left", "frame"), ("bottom", "frame"), ("left", "top"), ("left", "bottom")],
)
@pytest.mark.parametrize("subsampling", ["420", "422", "444", "440", "411", "410"])
@pytest.mark.parametrize("bits", [8, 10, 16])
def test_render_chroma(bits, subsampling, location, lines, close):
    encoding = Encoding(
        bit_depth=bits, subsampling=subsampling, chroma_location=location, field=lines
    )
    f, y = field(2, 6, 7), luma(2, 117, 237, bits)
    f[0, 0, 1, 1], f[1, 1, 2, 3] = float("nan"), float("inf")
    want = ops.render_chroma(f, y, encoding=encoding)
    got = on_gpu(ops.render_chroma, f, y, encoding=encoding)
    for g, w in zip(got, want, strict=True):
        close(16 if bits == 16 else "cuda_codes", as_int(g), as_int(w))


@pytest.mark.parametrize("bits", [8, 16])
def test_render_rgb(bits, close):
    encoding = Encoding(bit_depth=bits, full_range=True, subsampling="444")
    f, y = field(2, 6, 7), luma(2, 115, 241, bits)
    got = on_gpu(ops.render_rgb, f, y, encoding=encoding)
    close(bits, as_int(got), as_int(ops.render_rgb(f, y, encoding=encoding)))


def test_a_fused_frame_is_its_parts_and_can_be_recorded():
    logits, colors, y = torch.randn(2, 313, 32, 40) * 4, palette(), luma(2, 128, 160)
    logits, colors, y = logits.cuda(), colors.cuda(), y.cuda()
    parts = ops.render_chroma(ops.annealed_mean(logits, colors), y, encoding=Encoding())
    out = tuple(torch.empty_like(plane) for plane in parts)

    def whole() -> None:
        ops.fused_frame(logits, colors, y, encoding=Encoding(), out=(out[0], out[1]))

    whole()
    assert all(torch.equal(a, b) for a, b in zip(out, parts, strict=True))
    graph = torch.cuda.CUDAGraph()
    torch.cuda.synchronize()
    with torch.cuda.graph(graph):
        whole()
    y.copy_(luma(2, 128, 160).flip(2).cuda())
    graph.replay()
    parts = ops.render_chroma(ops.annealed_mean(logits, colors), y, encoding=Encoding())
    assert all(torch.equal(a, b) for a, b in zip(out, parts, strict=True))


def test_another_stream_is_waited_for_by_its_own_work_alone():
    y, encoding = luma(1, 480, 640).cuda(), Encoding()
    want = ops.luma_to_lightness(y, encoding=encoding)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        got = ops.luma_to_lightness(y, encoding=encoding)
    stream.synchronize()
    assert torch.equal(got, want)


def test_tensors_of_two_devices_are_refused():
    with pytest.raises(ValueError, match="field must be on cpu as the other tensors, got cuda"):
        ops.render_chroma(field(1, 4, 4).cuda(), luma(1, 16, 16), encoding=Encoding())


# ---- models ------------------------------------------------------------------------------------


def gray_picture(n: int, h: int = 256, w: int = 320) -> Tensor:
    rows = torch.linspace(5, 95, h).reshape(1, 1, h, 1).expand(n, 1, h, w)
    waves = 12 * torch.sin(torch.arange(w) / 17.0).reshape(1, 1, 1, w)
    blocks = torch.nn.functional.interpolate(torch.rand(n, 1, 9, 11) * 40, (h, w))
    return (rows * 0.6 + waves + blocks).clamp(0, 100)


@pytest.mark.parametrize("name", PACKAGED)
def test_a_model_says_the_same(name):
    lightness = gray_picture(2)
    fields = []
    for device in ("cpu", "cuda"):
        predictor = Predictor(PredictOptions(model=name, dtype="float32", device=device))
        fields.append(predictor.field(lightness.to(predictor.device)).cpu())
    off = (fields[0] - fields[1]).abs()
    assert fields[0].abs().mean() > 0.5
    assert off.mean() < 0.2, f"mean {off.mean()}, worst {off.max()}"


def test_guided_pictures_lead_the_default_model():
    lightness = gray_picture(1)
    fields = []
    for device in ("cpu", "cuda"):
        predictor = Predictor(PredictOptions(dtype="float32", device=device))
        here = lightness.to(predictor.device)
        free = predictor.field(here)
        hints, weight = free.flip(1), torch.ones_like(free[:, :1])
        picture = GuidedPicture(
            lightness=here, color=Guidance(hints=hints, weight=weight), frame=3, shot=(0, 9)
        )
        predictor.lead_by([picture])
        fields.append(predictor.field(here, places=[(5, (0, 9))]).cpu())
    assert (fields[0] - fields[1]).abs().mean() < 0.3


# ---- films -------------------------------------------------------------------------------------


def colored(source: Path, target: Path, device: str, **options: Any) -> Path:
    predict = PredictOptions(device=device, dtype="float32", short_side=128)
    color_film(source, target, VideoOptions(predict=predict, overwrite=True, **options))
    return target


@pytest.mark.parametrize(
    "made",
    [
        {"pixel_format": "yuv420p"},
        {"pixel_format": "gray10le"},
        {"pixel_format": "yuv420p", "fields": "tff"},
        {"pixel_format": "yuv444p"},
    ],
    ids=lambda made: " ".join(made.values()),
)
def test_a_film_is_the_cpu_s_but_for_rounding(made, tmp_path):
    source = make_film(tmp_path / "in.mkv", frames=20, width=96, height=64, **made)
    cpu = planes_of(colored(source, tmp_path / "cpu.mkv", "cpu"))
    gpu = planes_of(colored(source, tmp_path / "gpu.mkv", "cuda"))
    with Reader(source) as reader:
        lumas = [frame.luma.astype(np.int32) for frame in reader]
    assert len(cpu) == len(gpu) == len(lumas) == 20
    for (_, want), (luma_codes, got), own in zip(cpu, gpu, lumas, strict=True):
        assert np.array_equal(luma_codes, own)
        assert np.abs(got - want).mean() < 0.5


def test_a_film_is_the_same_however_it_is_cut(tmp_path):
    source = make_film(tmp_path / "in.mkv", frames=60, width=96, height=64)
    whole = planes_of(colored(source, tmp_path / "a.mkv", "cuda"))
    again = planes_of(colored(source, tmp_path / "b.mkv", "cuda", segment_frames=7, batch=3))
    alone = planes_of(colored(source, tmp_path / "c.mkv", "cuda", segment_frames=11, batch=1))
    for other in (again, alone):
        for (_, want), (_, got) in zip(whole, other, strict=True):
            assert np.array_equal(got, want)
