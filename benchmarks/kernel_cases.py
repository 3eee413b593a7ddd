"""What is timed: our ops and their peers on the same made pictures, checked against each other.

`compiled` says whether torch.compile is among the peers; sizes are even.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks import kernel_peers as peers
from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.models.palette import gamut_bins

Case = Callable[[], object]
Size = tuple[int, int]  # height, width
HD: Size = (1080, 1920)
# kornia unfolds all 81 taps: of 2160p, 20 GB.
KORNIA_PIXELS = 1080 * 1920


# ---- what is colored ---------------------------------------------------------------------------


def smooth(channels: int, grid: Size, size: Size) -> Tensor:
    return functional.interpolate(torch.randn(1, channels, *grid), size=size, mode="bicubic")


def luma_of(height: int, width: int, bits: int = 8) -> Tensor:
    """Smooth light of all levels with film grain."""
    y = 120 + 45 * smooth(1, (9, 16), (height, width))[:, 0] + 4 * torch.randn(1, height, width)
    codes = (y * (1 << (bits - 8))).clamp(0, (1 << bits) - 1).int()
    return codes.to(torch.uint8 if bits == 8 else torch.uint16)


def logits_of(field: Tensor, palette: Tensor) -> Tensor:
    """Logits of a network that is fairly sure of a field."""
    distance = (field.permute(0, 2, 3, 1)[..., None, :] - palette).square().sum(-1)
    logits = (distance / -200).permute(0, 3, 1, 2)
    return (logits + 0.3 * torch.randn_like(logits)).contiguous()


def expect(name: str, got: Tensor, want: Tensor, most: float, share: float = 0.0) -> None:
    """Stops the benchmark where more than `share` of the samples differ by more than `most`."""
    error = (got.double() - want.double()).abs()
    beyond = float((error > most).double().mean())
    if not beyond <= share:
        sys.exit(f"{name} does not compute the same: {beyond:.2%} of samples differ by over {most}")


# ---- groups of cases ---------------------------------------------------------------------------


def compile_for_size(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """torch.compile for the sizes that it is called with, each for itself: the fastest it has."""
    compiled: Callable[..., Tensor] = torch.compile(function, dynamic=False)
    return compiled


def decode_cases(size: Size, *, compiled: bool = True) -> dict[str, Case]:
    palette = torch.tensor(gamut_bins(), dtype=torch.float32)
    logits = logits_of(smooth(2, (12, 12), size) * 12, palette)
    pixels = logits.permute(0, 2, 3, 1).contiguous()
    last = pixels.permute(0, 3, 1, 2)
    out = torch.empty(1, 2, *size)
    cases: dict[str, Case] = {
        "ours": lambda: ops.annealed_mean(logits, palette, out=out),
        "ours, channels last": lambda: ops.annealed_mean(last, palette, out=out),
        "torch, planes": lambda: peers.decode_planes(logits, palette),
        "torch, pixels": lambda: peers.decode_pixels(pixels, palette),
    }
    if compiled:
        planes = compile_for_size(peers.decode_planes)
        by_pixel = compile_for_size(peers.decode_pixels)
        cases |= {
            "torch.compile, planes": lambda: planes(logits, palette),
            "torch.compile, pixels": lambda: by_pixel(pixels, palette),
        }
    want = ops.annealed_mean(logits, palette)
    for name, case in cases.items():
        got = case()
        assert isinstance(got, Tensor)
        expect(name, got.movedim(-1, 1) if "pixels" in name else got, want, 0.01)
    return cases


def expect_planes(name: str, got: tuple[Tensor, Tensor], want: tuple[Tensor, Tensor]) -> None:
    """As `expect`, for what torch renders: it searches for no color beyond the gamut."""
    for mine, theirs in zip(got, want, strict=True):
        expect(name, mine, theirs, 1, share=0.03)


def planes_for(size: Size, dtype: torch.dtype = torch.uint8) -> tuple[Tensor, Tensor]:
    """Memory for the chroma planes of 4:2:0."""
    u, v = torch.empty(2, 1, size[0] // 2, size[1] // 2, dtype=dtype)
    return u, v


def render_cases(size: Size = HD, *, compiled: bool = True, alone: bool = False) -> dict[str, Case]:
    """`alone`: ours and torch.compile's, and no others."""
    field, luma = smooth(2, (12, 12), (64, 64)) * 12, luma_of(*size)
    out = planes_for(size)
    plan = peers.render_plan(*size, (64, 64))
    eager = peers.TorchRender(plan, compiled=False)
    cases: dict[str, Case] = {
        "ours": lambda: ops.render_chroma(field, luma, encoding=peers.ENCODING, out=out),
    }
    want = ops.render_chroma(field, luma, encoding=peers.ENCODING)
    if compiled:
        quick = peers.TorchRender(plan, compiled=True)
        cases["torch.compile"] = lambda: quick(field, luma)
        expect_planes("torch.compile", quick(field, luma), want)
    if alone:
        return cases
    expect_planes("torch", eager(field, luma), want)
    deep, ten = luma_of(*size, 10), Encoding(bit_depth=10)
    wide = planes_for(size, torch.uint16)
    double = (2 * size[0], 2 * size[1])
    large, big = luma_of(*double), planes_for(double)
    copy, like = torch.empty_like(luma), torch.empty_like(torch.stack(out))
    source = torch.zeros_like(like)

    def memcpy() -> None:
        copy.copy_(luma)
        like.copy_(source)

    return {
        **cases,
        "ours, 10 bits": lambda: ops.render_chroma(field, deep, encoding=ten, out=wide),
        "ours, 2160p": lambda: ops.render_chroma(field, large, encoding=peers.ENCODING, out=big),
        "ours, strong colors": lambda: ops.render_chroma(
            field * 4, luma, encoding=peers.ENCODING, out=out
        ),
        "torch": lambda: eager(field, luma),
        "memcpy of the planes": memcpy,
    }


def frame_cases(size: Size = HD, *, compiled: bool = True) -> dict[str, Case]:
    palette = torch.tensor(gamut_bins(), dtype=torch.float32)
    logits = logits_of(smooth(2, (12, 12), (64, 64)) * 12, palette)
    luma, out = luma_of(*size), planes_for(size)
    plan = peers.render_plan(*size, (64, 64))
    eager = peers.TorchRender(plan, compiled=False)
    cases: dict[str, Case] = {
        "ours": lambda: ops.fused_frame(logits, palette, luma, encoding=peers.ENCODING, out=out),
        "torch": lambda: eager(peers.decode_planes(logits, palette), luma),
    }
    want = ops.fused_frame(logits, palette, luma, encoding=peers.ENCODING)
    expect_planes("torch", eager(peers.decode_planes(logits, palette), luma), want)
    if compiled:
        quick, decode = (
            peers.TorchRender(plan, compiled=True),
            compile_for_size(peers.decode_planes),
        )
        cases["torch.compile"] = lambda: quick(decode(logits, palette), luma)
        expect_planes("torch.compile", quick(decode(logits, palette), luma), want)
    cv2, kornia = peers.optional("cv2"), peers.optional("kornia")
    if hasattr(cv2, "ximgproc"):
        frame = peers.OpenCVFrame(cv2, logits, palette, luma)
        cases |= {
            "torch + OpenCV bilateral": frame.bilateral,
            "torch + OpenCV guided": frame.guided,
        }
    if kornia is not None and size[0] * size[1] <= KORNIA_PIXELS:
        cases["torch + kornia"] = lambda: peers.kornia_frame(kornia, logits, palette, luma)
        got = peers.kornia_frame(kornia, logits, palette, luma)
        both = torch.stack(want)
        expect("torch + kornia", got[:, 0].float(), both[:, 0].float(), 12, share=0.05)
    return cases


def bilateral_cases(size: Size = HD) -> dict[str, Case]:
    ab, lightness = smooth(2, (20, 30), size) * 20, smooth(1, (30, 50), size) * 20
    lightness = lightness + 50 + torch.randn_like(lightness)
    out = torch.empty_like(ab)
    cases: dict[str, Case] = {"ours": lambda: ops.joint_bilateral(ab, lightness, out=out)}
    cv2 = peers.optional("cv2")
    if hasattr(cv2, "ximgproc"):
        lab = torch.cat((lightness, ab), 1)[0].permute(1, 2, 0).contiguous().numpy()
        guide = lightness[0, 0].numpy()
        cases["OpenCV"] = lambda: peers.opencv_bilateral(cv2, lab, guide)
        got = torch.from_numpy(peers.opencv_bilateral(cv2, lab, guide))[4:-4, 4:-4, 1:]
        want = ops.joint_bilateral(ab, lightness)[0, :, 4:-4, 4:-4].permute(1, 2, 0)
        expect("OpenCV", got, want, 0.01)
    return cases


def matching_cases(
    cells: int = 6480, depth: int = 64, width: int = 6, *, compiled: bool = True
) -> dict[str, Case]:
    """Each cell of a frame found among those of a still: 6,480 cells are 108×60."""
    query, key = torch.randn(cells, depth), torch.randn(cells, depth)
    value, bias = torch.randn(cells, width), torch.randn(cells)

    def products() -> Tensor:
        return torch.softmax(torch.addmm(bias, query, key.T), 1) @ value

    def attention() -> Tensor:  # that of torch, whose scale is to be undone
        return functional.scaled_dot_product_attention(
            query[None], key[None], value[None], attn_mask=bias.expand(cells, -1)[None], scale=1.0
        )[0]

    cases: dict[str, Case] = {
        "ours": lambda: ops.attention(query, key, value, bias)[0],
        "torch, products": products,
        "torch, attention": attention,
    }
    if compiled:
        quick = compile_for_size(products)
        cases["torch.compile, products"] = quick
    want = ops.attention(query, key, value, bias)[0]
    for name, case in cases.items():
        got = case()
        assert isinstance(got, Tensor)
        expect(name, got, want, 1e-3)
    return cases


def lab_cases(size: Size = HD, *, compiled: bool = True) -> dict[str, Case]:
    lab = smooth(3, (20, 30), size) * torch.tensor((10.0, 8, 8)).reshape(1, 3, 1, 1)
    lab[:, 0] += 55
    out = torch.empty(1, 3, *size, dtype=torch.uint8)
    pixels = lab[0].permute(1, 2, 0).contiguous().numpy()
    theirs: dict[str, Callable[[], Tensor]] = {"torch": lambda: peers.torch_lab(lab)[0]}
    if compiled:
        quick = compile_for_size(peers.torch_lab)
        theirs["torch.compile"] = lambda: quick(lab)[0]
    cv2, kornia = peers.optional("cv2"), peers.optional("kornia")
    skimage = peers.optional("skimage.color")
    if cv2 is not None:
        theirs["OpenCV"] = lambda: torch.from_numpy(peers.opencv_lab(cv2, pixels)).movedim(-1, 0)
    if kornia is not None:
        theirs["kornia"] = lambda: peers.codes_of(kornia.color.lab_to_rgb(lab))[0]
    if skimage is not None:
        theirs["scikit-image"] = lambda: peers.skimage_lab(skimage, pixels).movedim(-1, 0)
    want = ops.lab_to_rgb(lab, dtype=torch.uint8)[0]
    for name, case in theirs.items():
        expect(name, case(), want, 1, share=1e-3)
    return {"ours": lambda: ops.lab_to_rgb(lab, out=out), **theirs}
