"""What is timed: our ops and their peers on the same made pictures, checked against each other."""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks import kernel_peers as peers
from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.palette import gamut_bins

Case = Callable[[], object]


# ---- what is colored ---------------------------------------------------------------------------


def smooth(channels: int, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
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


def decode_cases(size: tuple[int, int]) -> dict[str, Case]:
    palette = torch.tensor(gamut_bins(), dtype=torch.float32)
    logits = logits_of(smooth(2, (12, 12), size) * 12, palette)
    pixels = logits.permute(0, 2, 3, 1).contiguous()
    last = pixels.permute(0, 3, 1, 2)
    out = torch.empty(1, 2, *size)
    planes, by_pixel = torch.compile(peers.decode_planes), torch.compile(peers.decode_pixels)
    cases: dict[str, Case] = {
        "ours": lambda: ops.annealed_mean(logits, palette, out=out),
        "ours, channels last": lambda: ops.annealed_mean(last, palette, out=out),
        "torch, planes": lambda: peers.decode_planes(logits, palette),
        "torch, pixels": lambda: peers.decode_pixels(pixels, palette),
        "torch.compile, planes": lambda: planes(logits, palette),
        "torch.compile, pixels": lambda: by_pixel(pixels, palette),
    }
    want = ops.annealed_mean(logits, palette)
    for name, case in cases.items():
        got = case()
        assert isinstance(got, Tensor)
        expect(name, got.movedim(-1, 1) if "pixels" in name else got, want, 0.01)
    return cases


def render_cases(*, compiled_only: bool = False) -> dict[str, Case]:
    height, width = 1080, 1920
    field, luma = smooth(2, (12, 12), (64, 64)) * 12, luma_of(height, width)
    u, v = torch.empty(2, 1, height // 2, width // 2, dtype=torch.uint8)
    plan = peers.render_plan(height, width, (64, 64))
    compiled, eager = peers.TorchRender(plan, True), peers.TorchRender(plan, False)
    cases: dict[str, Case] = {
        "ours": lambda: ops.render_chroma(field, luma, encoding=peers.ENCODING, out=(u, v)),
        "torch.compile": lambda: compiled(field, luma),
    }
    want = ops.render_chroma(field, luma, encoding=peers.ENCODING)
    for got, plane in zip(compiled(field, luma), want, strict=True):
        expect("torch.compile", got, plane, 1, share=0.03)  # colors that it does not search for
    if compiled_only:
        return cases
    deep, ten = luma_of(height, width, 10), Encoding(bit_depth=10)
    wide = torch.empty(2, 1, height // 2, width // 2, dtype=torch.uint16)
    large, big = luma_of(2160, 3840), torch.empty(2, 1, 1080, 1920, dtype=torch.uint8)
    copy, like = torch.empty_like(luma), torch.empty_like(torch.stack((u, v)))
    source = torch.zeros_like(like)

    def memcpy() -> None:
        copy.copy_(luma)
        like.copy_(source)

    return {
        **cases,
        "ours, 10 bits": lambda: ops.render_chroma(field, deep, encoding=ten, out=tuple(wide)),
        "ours, 2160p": lambda: ops.render_chroma(
            field, large, encoding=peers.ENCODING, out=tuple(big)
        ),
        "ours, strong colors": lambda: ops.render_chroma(
            field * 4, luma, encoding=peers.ENCODING, out=(u, v)
        ),
        "torch": lambda: eager(field, luma),
        "memcpy of the planes": memcpy,
    }


def frame_cases() -> dict[str, Case]:
    palette = torch.tensor(gamut_bins(), dtype=torch.float32)
    logits = logits_of(smooth(2, (12, 12), (64, 64)) * 12, palette)
    luma = luma_of(1080, 1920)
    u, v = torch.empty(2, 1, 540, 960, dtype=torch.uint8)
    cases: dict[str, Case] = {
        "ours": lambda: ops.fused_frame(logits, palette, luma, encoding=peers.ENCODING, out=(u, v))
    }
    cv2, kornia = peers.optional("cv2"), peers.optional("kornia")
    if hasattr(cv2, "ximgproc"):
        frame = peers.OpenCVFrame(cv2, logits, palette, luma)
        cases |= {
            "torch + OpenCV bilateral": frame.bilateral,
            "torch + OpenCV guided": frame.guided,
        }
    if kornia is not None:
        cases["torch + kornia"] = lambda: peers.kornia_frame(kornia, logits, palette, luma)
        got = peers.kornia_frame(kornia, logits, palette, luma)
        want = torch.stack(ops.fused_frame(logits, palette, luma, encoding=peers.ENCODING))
        expect("torch + kornia", got[:, 0].float(), want[:, 0].float(), 12, share=0.05)
    return cases


def bilateral_cases() -> dict[str, Case]:
    ab, lightness = smooth(2, (20, 30), (1080, 1920)) * 20, smooth(1, (30, 50), (1080, 1920)) * 20
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


def lab_cases() -> dict[str, Case]:
    lab = smooth(3, (20, 30), (1080, 1920)) * torch.tensor((10.0, 8, 8)).reshape(1, 3, 1, 1)
    lab[:, 0] += 55
    out = torch.empty(1, 3, 1080, 1920, dtype=torch.uint8)
    cases: dict[str, Case] = {"ours": lambda: ops.lab_to_rgb(lab, out=out)}
    cv2 = peers.optional("cv2")
    if cv2 is not None:
        pixels = lab[0].permute(1, 2, 0).contiguous().numpy()
        cases["OpenCV"] = lambda: peers.opencv_lab(cv2, pixels)
        got = torch.from_numpy(peers.opencv_lab(cv2, pixels)).permute(2, 0, 1)
        expect("OpenCV", got, ops.lab_to_rgb(lab, dtype=torch.uint8)[0], 1, share=1e-3)
    return cases
