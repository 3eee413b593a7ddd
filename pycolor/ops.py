"""The fast ops: compiled kernels behind the names and signatures of `pycolor.reference`.

This file checks meaning — rank, sizes, dtype, device — and passes addresses, sizes and strides on;
the mathematics stands in `pycolor.reference` and csrc/.  Every op takes tensors of any strides,
writes into `out` if given one, computes in float32, needs no gradient and releases the GIL.  The
CPU gives the same bytes with every instruction set and any number of threads
(`torch.get_num_threads()`); PYCOLOR_SIMD=baseline|avx2|avx512 chooses the set.

The ops are registered with torch.library as torch.ops.pycolor.*, each writing into its last
arguments, so that `torch.compile(fullgraph=True)` keeps them in its graph.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.encoding import LUMA_COEFFICIENTS, Encoding, Matrix

_library = torch.library.Library("pycolor", "DEF")
_View = tuple[int, tuple[int, ...], tuple[int, ...]]
_OUT_KINDS: dict[torch.dtype, int] = {torch.float32: 0, torch.uint8: 1, torch.uint16: 2}


# ---- the modules -------------------------------------------------------------------------------


def _import_cuda() -> tuple[ModuleType | None, str]:
    try:
        return importlib.import_module("pycolor._cuda"), ""
    except ImportError as error:
        return None, str(error)


def _cuda() -> ModuleType:
    module, reason = _import_cuda()
    if module is None:
        raise RuntimeError(
            "a CUDA tensor needs pycolor's CUDA module, which is missing "
            f"({reason}); put nvcc on PATH and run PYCOLOR_CUDA=1 pip install --force-reinstall "
            "--no-deps pycolor from the source tree"
        )
    return module


def cpu_features() -> dict[str, Any]:
    """What the CPU kernels run on: {"simd", "levels", "threads"}."""
    return {
        "simd": _C.simd_in_use(),
        "levels": list(_C.simd_levels()),
        "threads": torch.get_num_threads(),
    }


def build_info() -> dict[str, Any]:
    """`cpu_features()` and {"cuda": bool, "cuda_reason": why not, "cuda_archs": [...]}."""
    module, reason = _import_cuda()
    return {
        **cpu_features(),
        "cuda": module is not None,
        "cuda_reason": reason,
        "cuda_archs": [] if module is None else str(module.architectures).split(),
    }


# ---- checks and passing on ---------------------------------------------------------------------


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _shape(tensor: Tensor) -> str:
    return "×".join(str(size) for size in tensor.shape) or "a number"


def _floats(name: str, tensor: Tensor, shape: str) -> Tensor:
    """The tensor in float32, 4-dimensional; `shape` is for the message."""
    _expect(tensor.dim() == 4, f"{name} must be {shape}, got {_shape(tensor)}")
    _expect(tensor.is_floating_point(), f"{name} must be floating point, got {tensor.dtype}")
    return tensor if tensor.dtype == torch.float32 else tensor.float()


def _luma(luma: Tensor, encoding: Encoding) -> Tensor:
    """N×1×H×W with columns that follow each other."""
    _expect(luma.dim() == 3, f"luma must be N×H×W, got {_shape(luma)}")
    dtype = torch.uint8 if encoding.bit_depth == 8 else torch.uint16
    _expect(
        luma.dtype == dtype,
        f"luma of {encoding.bit_depth} bits must be {dtype}, got {luma.dtype}",
    )
    _expect(luma.shape[1] > 0 and luma.shape[2] > 0, f"luma must not be empty, got {_shape(luma)}")
    if luma.stride(2) != 1:
        luma = luma.contiguous()
    return luma.unsqueeze(1)


def _check_out(name: str, out: Tensor, shape: tuple[int, ...], like: Tensor, *kinds: Any) -> None:
    wanted = "×".join(map(str, shape))
    _expect(tuple(out.shape) == shape, f"{name} must be {wanted}, got {_shape(out)}")
    _expect(out.dtype in kinds, f"{name} must be {' or '.join(map(str, kinds))}, got {out.dtype}")
    _same_device(name, out, like)


def _same_device(name: str, tensor: Tensor, like: Tensor) -> None:
    _expect(
        tensor.device == like.device,
        f"{name} must be on {like.device} as the other tensors, got {tensor.device}",
    )


def _positive(name: str, value: float) -> None:
    _expect(value > 0, f"{name} must be above 0, got {value}")


def _view(tensor: Tensor) -> _View:
    return tensor.data_ptr(), tuple(tensor.shape), tensor.stride()


def _code(encoding: Encoding) -> list[float]:
    """The encoding as numbers, in the order of csrc/render.h's FrameCode."""
    black, white = encoding.luma_code_range
    neutral, span = encoding.chroma_code_range
    kr, kb = encoding.luma_coefficients
    (rows, columns), (center_row, center_column) = encoding.shifts, encoding.chroma_center()
    top = (1 << encoding.bit_depth) - 1
    head = [black, 1 / (white - black), neutral, span, top, kr, kb]
    return [float(x) for x in (*head, rows, columns, center_row, center_column)]


def _frame_code(numbers: list[float]) -> tuple[float | int, ...]:
    return (*numbers[:7], int(numbers[7]), int(numbers[8]), *numbers[9:])


def _threads() -> int:
    return torch.get_num_threads()


def _define(schema: str, cpu: Any, cuda: Any) -> None:
    name = schema.split("(", 1)[0]
    _library.define(schema)
    _library.impl(name, cpu, "CPU")
    _library.impl(name, cuda, "CUDA")
    torch.library.register_fake(f"pycolor::{name}", lambda *_: None, lib=_library)


def _stream(tensor: Tensor) -> tuple[int, int]:
    """(device index, CUDA stream) to launch on."""
    index = tensor.device.index
    return index, torch.cuda.current_stream(index).cuda_stream


# ---- annealed mean -----------------------------------------------------------------------------

_define(
    "annealed_mean(Tensor logits, Tensor palette, float temperature, Tensor(a!) out) -> ()",
    lambda logits, palette, temperature, out: _C.annealed_mean(
        _view(logits), palette.data_ptr(), temperature, _view(out), _threads()
    ),
    lambda logits, palette, temperature, out: _cuda().annealed_mean(
        _view(logits), logits.dtype.itemsize, palette.data_ptr(), temperature, _view(out),
        *_stream(logits),
    ),
)  # fmt: skip


def annealed_mean(
    logits: Tensor, palette: Tensor, temperature: float = 0.38, *, out: Tensor | None = None
) -> Tensor:
    """Mean color of the re-sharpened distribution (Zhang et al. 2016, equation 5).

    Σ_q p_q^(1/T) c_q / Σ_q p_q^(1/T) with p = softmax(logits): T = 1 is the mean, T → 0 the mode
    (the mean of the modes where several tie).  A NaN or +∞ logit, or −∞ in all, gives NaN.

    Args:
        logits: N×Q×h×w; float32 (or float16 on CUDA) is read in place, other types are converted.
        palette: Q×2, the (a, b) of each entry.
        temperature: T > 0.
        out: where to write, N×2×h×w float32.

    Returns:
        N×2×h×w, float32.
    """
    _expect(logits.dim() == 4, f"logits must be N×Q×h×w, got {_shape(logits)}")
    if not (logits.dtype == torch.float16 and logits.is_cuda):
        logits = _floats("logits", logits, "N×Q×h×w")
    n, q, h, w = logits.shape
    _expect(q > 0, f"logits must have at least one entry, got {_shape(logits)}")
    _expect(
        tuple(palette.shape) == (q, 2),
        f"palette must be {q}×2 as the logits have {q} entries, got {_shape(palette)}",
    )
    _same_device("palette", palette, logits)
    _positive("temperature", temperature)
    if out is None:
        out = torch.empty(n, 2, h, w, device=logits.device)
    _check_out("out", out, (n, 2, h, w), logits, torch.float32)
    if out.numel() > 0:
        torch.ops.pycolor.annealed_mean(logits, palette.float().contiguous(), temperature, out)
    return out


# ---- joint bilateral filters -------------------------------------------------------------------

_define(
    "joint_bilateral(Tensor chroma, Tensor guide, int radius, float sigma_space, "
    "float sigma_range, Tensor(a!) out) -> ()",
    lambda chroma, guide, radius, space, range_, out: _C.joint_bilateral(
        _view(chroma), _view(guide), radius, space, range_, _view(out), _threads()
    ),
    lambda chroma, guide, radius, space, range_, out: _cuda().joint_bilateral(
        _view(chroma), _view(guide), radius, space, range_, _view(out), *_stream(chroma)
    ),
)
_define(
    "joint_bilateral_upsample(Tensor chroma, Tensor guide_low, Tensor guide, float sigma_range, "
    "float floor, int radius, float sigma_space, Tensor(a!) out) -> ()",
    lambda chroma, low, guide, range_, floor, radius, space, out: _C.joint_bilateral_upsample(
        _view(chroma), _view(low), _view(guide), range_, floor, radius, space, _view(out),
        _threads(),
    ),
    lambda chroma, low, guide, range_, floor, radius, space, out: _cuda().joint_bilateral_upsample(
        _view(chroma), _view(low), _view(guide), range_, floor, radius, space, _view(out),
        *_stream(chroma),
    ),
)  # fmt: skip


def joint_bilateral(
    chroma: Tensor,
    guide: Tensor,
    *,
    radius: int = 4,
    sigma_space: float = 3.0,
    sigma_range: float = 6.0,
    out: Tensor | None = None,
) -> Tensor:
    """Edge-aware smoothing of the chroma with the lightness as guide, the exact windowed sum.

    out(p) = Σ_q w chroma(q) / Σ_q w,  w = exp(−|p−q|²/2σ_s²) exp(−(guide(p)−guide(q))²/2σ_r²),
    over the disk |p−q| ≤ radius.  The window is cut at the border.  (Cheng et al. 2015, III-B-4;
    Petschnigg et al. 2004, equation 4.)  Values must be finite and the guide below 1e9.

    Args:
        chroma: N×C×H×W.
        guide: N×1×H×W, in the unit of `sigma_range`.
        radius: of the disk in pixels; 0 gives the chroma back.
        sigma_space: in pixels, > 0, ∞ allowed.
        sigma_range: in guide units, > 0, ∞ allowed.
        out: where to write, N×C×H×W float32; not the chroma itself.

    Returns:
        N×C×H×W, float32.
    """
    chroma = _floats("chroma", chroma, "N×C×H×W")
    guide = _floats("guide", guide, "N×1×H×W")
    n, _, height, width = chroma.shape
    _expect(
        tuple(guide.shape) == (n, 1, height, width),
        f"guide must be {n}×1×{height}×{width} as the chroma is {_shape(chroma)}, "
        f"got {_shape(guide)}",
    )
    _same_device("guide", guide, chroma)
    _expect(radius >= 0, f"radius must be 0 or more, got {radius}")
    _positive("sigma_space", sigma_space)
    _positive("sigma_range", sigma_range)
    if out is None:
        out = torch.empty(tuple(chroma.shape), device=chroma.device)
    _check_out("out", out, tuple(chroma.shape), chroma, torch.float32)
    if out.numel() > 0:
        torch.ops.pycolor.joint_bilateral(chroma, guide, radius, sigma_space, sigma_range, out)
    return out


def joint_bilateral_upsample(
    chroma: Tensor,
    guide_low: Tensor,
    guide: Tensor,
    *,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    radius: int | None = None,
    sigma_space: float = 0.8,
    out: Tensor | None = None,
) -> Tensor:
    """Upsample the chroma field along the edges of the guide (Kopf et al. 2007, equation 4).

    out(p) = Σ_q w chroma(q) / Σ_q w over low-resolution samples q near p, with
    w = space(p, q) · (floor + exp(−(guide(p) − guide_low(q))²/2σ_r²)).  The floor falls back to
    plain interpolation where no sample resembles the pixel.  `space` is the quadratic B-spline
    (3×3 samples) or, given a radius, a Gaussian in low-resolution pixels.

    Args:
        chroma: N×C×h×w.
        guide_low: N×1×h×w.
        guide: N×1×H×W; both guides in the unit of `sigma_range`.
        sigma_range: > 0; ∞ gives plain interpolation.
        floor: ≥ 1e-6, which keeps the sum of the weights away from 0.
        radius: None for the B-spline, else the Gaussian's window in low-resolution pixels.
        sigma_space: of that Gaussian.
        out: where to write, N×C×H×W float32.

    Returns:
        N×C×H×W, float32.
    """
    chroma = _floats("chroma", chroma, "N×C×h×w")
    guide_low = _floats("guide_low", guide_low, "N×1×h×w")
    guide = _floats("guide", guide, "N×1×H×W")
    n, c, h, w = chroma.shape
    _expect(
        tuple(guide_low.shape) == (n, 1, h, w) and h > 0 and w > 0,
        f"guide_low must be {n}×1×{h}×{w} as the chroma is {_shape(chroma)}, and not empty, "
        f"got {_shape(guide_low)}",
    )
    _expect(guide.shape[:2] == (n, 1), f"guide must be {n}×1×H×W, got {_shape(guide)}")
    _same_device("guide_low", guide_low, chroma)
    _same_device("guide", guide, chroma)
    _check_refinement(sigma_range, floor)
    _expect(radius is None or radius >= 0, f"radius must be None or 0 or more, got {radius}")
    _positive("sigma_space", sigma_space)
    shape = (n, c, guide.shape[2], guide.shape[3])
    if out is None:
        out = torch.empty(shape, device=chroma.device)
    _check_out("out", out, shape, chroma, torch.float32)
    if out.numel() > 0:
        window = -1 if radius is None else radius
        torch.ops.pycolor.joint_bilateral_upsample(
            chroma, guide_low, guide, sigma_range, floor, window, sigma_space, out
        )
    return out


def _check_refinement(sigma_range: float, floor: float) -> None:
    _positive("sigma_range", sigma_range)
    _expect(floor >= 1e-6, f"floor must be at least 1e-6, got {floor}")


# ---- color conversions -------------------------------------------------------------------------

_define(
    "convert(int[] steps, Tensor x, Tensor(a!) out) -> ()",
    lambda steps, x, out: _C.convert(
        list(steps), _view(x), _view(out), _OUT_KINDS[out.dtype], _threads()
    ),
    lambda steps, x, out: _cuda().convert(
        list(steps), _view(x), _view(out), _OUT_KINDS[out.dtype], *_stream(x)
    ),
)

# The steps of csrc/color.h, by number.
_RGB_TO_LINEAR, _LINEAR_TO_RGB, _LINEAR_TO_XYZ, _XYZ_TO_LINEAR = 0, 1, 2, 3
_XYZ_TO_LAB, _LAB_TO_XYZ, _XYZ_TO_LUV, _LUV_TO_XYZ = 4, 5, 6, 7


def _planes(name: str, x: Tensor) -> Tensor:
    """…×3×H×W float32 as N×3×H×W, without a copy where the strides allow it."""
    _expect(
        x.dim() >= 3 and x.shape[-3] == 3, f"{name} must be N×3×H×W or …×3×H×W, got {_shape(x)}"
    )
    return _floats(name, x.reshape(-1, *x.shape[-3:]), "N×3×H×W")


def _convert(
    name: str, steps: list[int], x: Tensor, out: Tensor | None, dtype: torch.dtype = torch.float32
) -> Tensor:
    planes = _planes(name, x)
    if out is None:
        out = torch.empty(tuple(x.shape), device=x.device, dtype=dtype)
    kinds = tuple(_OUT_KINDS) if steps[-1] == _LINEAR_TO_RGB else (torch.float32,)
    _check_out("out", out, tuple(x.shape), x, *kinds)
    if out.numel() > 0:
        flat = out if out.dim() == 4 else out.view(planes.shape)
        torch.ops.pycolor.convert(steps, planes, flat)
    return out


def rgb_to_linear(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → linear light (IEC 61966-2-1).  N×3×H×W, both 0…1.

    Below 0 the linear part of the curve goes on, above 1 the power.
    """
    return _convert("rgb", [_RGB_TO_LINEAR], rgb, out)


def linear_to_rgb(
    linear: Tensor, *, dtype: torch.dtype = torch.float32, out: Tensor | None = None
) -> Tensor:
    """Linear light → display-encoded sRGB (IEC 61966-2-1).  N×3×H×W, both 0…1.

    `dtype` (or that of `out`) may be uint8 or uint16: clipped, scaled to 255 or 65535, rounded.
    """
    return _convert("linear", [_LINEAR_TO_RGB], linear, out, dtype)


def linear_to_xyz(linear: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Linear sRGB → CIE XYZ, Y of white = 1.  N×3×H×W."""
    return _convert("linear", [_LINEAR_TO_XYZ], linear, out)


def xyz_to_linear(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE XYZ → linear sRGB, not clipped.  N×3×H×W."""
    return _convert("xyz", [_XYZ_TO_LINEAR], xyz, out)


def xyz_to_lab(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE XYZ → CIE 1976 L*a*b* under D65 (CIE 15:2018, 8.2.1).  N×3×H×W."""
    return _convert("xyz", [_XYZ_TO_LAB], xyz, out)


def lab_to_xyz(lab: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE 1976 L*a*b* → CIE XYZ.  N×3×H×W.  Negative X and Z are kept."""
    return _convert("lab", [_LAB_TO_XYZ], lab, out)


def xyz_to_luv(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE XYZ → CIE 1976 L*u*v* under D65 (CIE 15:2018, 8.2.2).  N×3×H×W.  Black has u = v = 0."""
    return _convert("xyz", [_XYZ_TO_LUV], xyz, out)


def luv_to_xyz(luv: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE 1976 L*u*v* → CIE XYZ.  N×3×H×W.  L = 0 is black whatever u and v."""
    return _convert("luv", [_LUV_TO_XYZ], luv, out)


def rgb_to_xyz(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → CIE XYZ.  N×3×H×W."""
    return _convert("rgb", [_RGB_TO_LINEAR, _LINEAR_TO_XYZ], rgb, out)


def xyz_to_rgb(
    xyz: Tensor, *, dtype: torch.dtype = torch.float32, out: Tensor | None = None
) -> Tensor:
    """CIE XYZ → display-encoded sRGB, not clipped in float32.  `dtype` as in `linear_to_rgb`."""
    return _convert("xyz", [_XYZ_TO_LINEAR, _LINEAR_TO_RGB], xyz, out, dtype)


def rgb_to_lab(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → L*a*b*.  N×3×H×W."""
    return _convert("rgb", [_RGB_TO_LINEAR, _LINEAR_TO_XYZ, _XYZ_TO_LAB], rgb, out)


def lab_to_rgb(
    lab: Tensor, *, dtype: torch.dtype = torch.float32, out: Tensor | None = None
) -> Tensor:
    """L*a*b* → display-encoded sRGB, not clipped in float32.  `dtype` as in `linear_to_rgb`."""
    return _convert("lab", [_LAB_TO_XYZ, _XYZ_TO_LINEAR, _LINEAR_TO_RGB], lab, out, dtype)


def rgb_to_luv(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → L*u*v*.  N×3×H×W."""
    return _convert("rgb", [_RGB_TO_LINEAR, _LINEAR_TO_XYZ, _XYZ_TO_LUV], rgb, out)


def luv_to_rgb(
    luv: Tensor, *, dtype: torch.dtype = torch.float32, out: Tensor | None = None
) -> Tensor:
    """L*u*v* → display-encoded sRGB, not clipped in float32.  `dtype` as in `linear_to_rgb`."""
    return _convert("luv", [_LUV_TO_XYZ, _XYZ_TO_LINEAR, _LINEAR_TO_RGB], luv, out, dtype)


def lab_to_luv(lab: Tensor, *, out: Tensor | None = None) -> Tensor:
    """L*a*b* → L*u*v*.  N×3×H×W."""
    return _convert("lab", [_LAB_TO_XYZ, _XYZ_TO_LUV], lab, out)


def luv_to_lab(luv: Tensor, *, out: Tensor | None = None) -> Tensor:
    """L*u*v* → L*a*b*.  N×3×H×W."""
    return _convert("luv", [_LUV_TO_XYZ, _XYZ_TO_LAB], luv, out)


_define(
    "yab_to_ycbcr(Tensor yab, float kr, float kb, Tensor(a!) out) -> ()",
    lambda yab, kr, kb, out: _C.yab_to_ycbcr(_view(yab), kr, kb, _view(out), _threads()),
    lambda yab, kr, kb, out: _cuda().yab_to_ycbcr(
        _view(yab), kr, kb, _gamut(kr, kb, yab.device), _view(out), *_stream(yab)
    ),
)

_gamut_tables: dict[tuple[float, float, torch.device], Tensor] = {}


def _gamut(kr: float, kb: float, device: torch.device) -> int:
    """Address of the gamut table on a CUDA device; kept once made."""
    key = (kr, kb, device)
    if key not in _gamut_tables:
        table = torch.frombuffer(bytearray(_C.gamut_table(kr, kb)), dtype=torch.float32)
        _gamut_tables[key] = table.to(device)
    return _gamut_tables[key].data_ptr()


def yab_to_ycbcr(yab: Tensor, *, matrix: Matrix = "bt709", out: Tensor | None = None) -> Tensor:
    """(Y', a, b) → (Y', Cb, Cr): the color of that luma, hue and chroma, brought into gamut.

    Of the colors (L, s·a, s·b) whose luma is exactly Y', the one with the largest s ≤ 1 whose
    R'G'B' lies in 0…1: luma and hue are kept, chroma is reduced as little as possible.  Y' is
    clipped to 0…1 first, where only the neutral color remains.  NaN and ∞ in a or b count as 0.

    Args:
        yab: N×3×H×W; Y' in 0…1.
        matrix: gives Y', Cb and Cr their meaning.
        out: where to write, N×3×H×W float32.

    Returns:
        N×3×H×W, float32; Y' in 0…1, Cb and Cr in ±0.5.
    """
    planes = _planes("yab", yab)
    if out is None:
        out = torch.empty(tuple(yab.shape), device=yab.device)
    _check_out("out", out, tuple(yab.shape), yab, torch.float32)
    kr, kb = LUMA_COEFFICIENTS[matrix]
    if out.numel() > 0:
        torch.ops.pycolor.yab_to_ycbcr(planes, kr, kb, out.view(planes.shape))
    return out


# ---- luma --------------------------------------------------------------------------------------

_define(
    "luma_to_lightness(Tensor luma, float[] code, Tensor(a!) out) -> ()",
    lambda luma, code, out: _C.luma_to_lightness(
        _view(luma), luma.dtype == torch.uint16, _frame_code(code), out.data_ptr(), _threads()
    ),
    lambda luma, code, out: _cuda().luma_to_lightness(
        _view(luma), luma.dtype == torch.uint16, _frame_code(code), out.data_ptr(), *_stream(luma)
    ),
)
_define(
    "mean_lightness(Tensor luma, float[] code, Tensor(a!) out) -> ()",
    lambda luma, code, out: _C.mean_lightness(
        _view(luma), luma.dtype == torch.uint16, _frame_code(code), _view(out), _threads()
    ),
    lambda luma, code, out: _cuda().mean_lightness(
        _view(luma), luma.dtype == torch.uint16, _frame_code(code), _view(out), *_stream(luma)
    ),
)


def luma_to_lightness(luma: Tensor, *, encoding: Encoding, out: Tensor | None = None) -> Tensor:
    """L* (0…100) of the neutral color that has each luma code.

    Args:
        luma: N×H×W codes, uint8 at 8 bits and uint16 above.
        encoding: depth and range of the codes; codes beyond black and white are clipped.
        out: where to write, the same shape, float32, contiguous.

    Returns:
        The same shape, float32.
    """
    codes = _luma(luma, encoding)
    if out is None:
        out = torch.empty(tuple(luma.shape), device=luma.device)
    _check_out("out", out, tuple(luma.shape), luma, torch.float32)
    _expect(out.is_contiguous(), "out must be contiguous")
    torch.ops.pycolor.luma_to_lightness(codes, _code(encoding), out)
    return out


def mean_lightness(
    luma: Tensor, size: tuple[int, int], *, encoding: Encoding, out: Tensor | None = None
) -> Tensor:
    """L* of the mean luma of each cell: the low guide of the refinement, the network's input.

    Cells cut the frame into h×w equal parts; samples on an edge count by the share inside.

    Args:
        luma: N×H×W codes, uint8 at 8 bits and uint16 above.
        size: (h, w), larger than the frame too.
        encoding: depth and range of the codes.
        out: where to write, N×1×h×w float32 with contiguous rows.

    Returns:
        N×1×h×w, float32, 0…100.
    """
    codes = _luma(luma, encoding)
    shape = (luma.shape[0], 1, *size)
    _expect(size[0] > 0 and size[1] > 0, f"size must be at least 1×1, got {size[0]}×{size[1]}")
    if out is None:
        out = torch.empty(shape, device=luma.device)
    _check_out("out", out, shape, luma, torch.float32)
    _expect(out.stride(3) == 1, "out must have contiguous rows")
    torch.ops.pycolor.mean_lightness(codes, _code(encoding), out)
    return out


# ---- rendering ---------------------------------------------------------------------------------


def _render_cuda(
    field: Tensor,
    luma: Tensor,
    code: list[float],
    sigma_range: float,
    floor: float,
    planes: list[_View],
    rgb: bool,
) -> None:
    n, _, h, w = field.shape
    guide_low = torch.empty(n, 1, h, w, device=field.device)
    _cuda().render(
        _view(field),
        _view(luma),
        luma.dtype == torch.uint16,
        _frame_code(code),
        sigma_range,
        floor,
        _gamut(code[5], code[6], luma.device),
        _view(guide_low),
        planes,
        rgb,
        *_stream(luma),
    )


_define(
    "render_chroma(Tensor field, Tensor luma, float[] code, float sigma_range, float floor, "
    "Tensor(a!) u, Tensor(b!) v) -> ()",
    lambda field, luma, code, sigma, floor, u, v: _C.render(
        _view(field), _view(luma), luma.dtype == torch.uint16, _frame_code(code), sigma, floor,
        [_view(u), _view(v)], False, _threads(),
    ),
    lambda field, luma, code, sigma, floor, u, v: _render_cuda(
        field, luma, code, sigma, floor, [_view(u), _view(v)], False
    ),
)  # fmt: skip
_define(
    "render_rgb(Tensor field, Tensor luma, float[] code, float sigma_range, float floor, "
    "Tensor(a!) out) -> ()",
    lambda field, luma, code, sigma, floor, out: _C.render(
        _view(field), _view(luma), luma.dtype == torch.uint16, _frame_code(code), sigma, floor,
        [_view(out[..., c].unsqueeze(1)) for c in range(3)], True, _threads(),
    ),
    lambda field, luma, code, sigma, floor, out: _render_cuda(
        field, luma, code, sigma, floor, [_view(out[..., c].unsqueeze(1)) for c in range(3)], True
    ),
)  # fmt: skip


def _check_render(
    field: Tensor, luma: Tensor, encoding: Encoding, sigma_range: float, floor: float
) -> tuple[Tensor, Tensor]:
    """Field and luma as the kernels take them."""
    codes = _luma(luma, encoding)
    field = _floats("field", field, "N×2×h×w")
    n, c, h, w = field.shape
    _expect(
        n == luma.shape[0] and c == 2 and h > 0 and w > 0,
        f"field must be {luma.shape[0]}×2×h×w as the luma is {_shape(luma)}, got {_shape(field)}",
    )
    _same_device("field", field, luma)
    _check_refinement(sigma_range, floor)
    return field, codes


def render_chroma(
    field: Tensor,
    luma: Tensor,
    *,
    encoding: Encoding,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    out: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Chroma field + luma plane → the frame's chroma planes; the luma is only read.

    `joint_bilateral_upsample` of the field to the chroma samples, the luma's lightness as guide
    (low: `mean_lightness` over the field's cells; high: of the mean luma in a box of one chroma
    sample's size around its site), then `yab_to_ycbcr` and the codes of the encoding.  NaN and ∞
    in the field count as 0.

    Args:
        field: N×2×h×w, a and b; may be finer than the luma.
        luma: N×H×W codes, uint8 at 8 bits and uint16 above, any row stride.
        encoding: of the frame.
        sigma_range: of the refinement, in L*; ∞ gives plain interpolation.
        floor: of the refinement, ≥ 1e-6.
        out: (u, v), where to write: N×hc×wc each, dtype of the luma, any strides (NV12: the two
            halves of the interleaved plane).

    Returns:
        (u, v): Cb and Cr codes, N×hc×wc with (hc, wc) = encoding.chroma_shape(H, W).
    """
    field, codes = _check_render(field, luma, encoding, sigma_range, floor)
    shape = (luma.shape[0], *encoding.chroma_shape(luma.shape[1], luma.shape[2]))
    if out is None:
        u = torch.empty(shape, device=luma.device, dtype=luma.dtype)
        v = torch.empty(shape, device=luma.device, dtype=luma.dtype)
    else:
        u, v = out
    _check_out("out[0]", u, shape, luma, luma.dtype)
    _check_out("out[1]", v, shape, luma, luma.dtype)
    if u.numel() > 0:
        torch.ops.pycolor.render_chroma(
            field, codes, _code(encoding), sigma_range, floor, u.unsqueeze(1), v.unsqueeze(1)
        )
    return u, v


def render_rgb(
    field: Tensor,
    luma: Tensor,
    *,
    encoding: Encoding,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    out: Tensor | None = None,
) -> Tensor:
    """Chroma field + luma plane → R'G'B' codes of a still, 0 … 2^bit_depth − 1.

    The same as `render_chroma` at 4:4:4 (the encoding's subsampling is not looked at), taken to
    R'G'B' before rounding.

    Args:
        field: N×2×h×w, a and b.
        luma: N×H×W codes, uint8 at 8 bits and uint16 above.
        encoding: of the luma.
        sigma_range: of the refinement, in L*.
        floor: of the refinement, ≥ 1e-6.
        out: where to write, N×H×W×3, dtype of the luma, any strides.

    Returns:
        N×H×W×3, interleaved.
    """
    field, codes = _check_render(field, luma, encoding, sigma_range, floor)
    shape = (*luma.shape, 3)
    if out is None:
        out = torch.empty(shape, device=luma.device, dtype=luma.dtype)
    _check_out("out", out, shape, luma, luma.dtype)
    code = _code(encoding)
    code[7:] = [0.0] * 4  # 4:4:4
    if out.numel() > 0:
        torch.ops.pycolor.render_rgb(field, codes, code, sigma_range, floor, out)
    return out


def fused_frame(
    logits: Tensor,
    palette: Tensor,
    luma: Tensor,
    *,
    encoding: Encoding,
    temperature: float = 0.38,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    out: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """`annealed_mean`, then `render_chroma`: logits + luma plane → the frame's chroma planes.

    Args:
        logits: N×Q×h×w.
        palette: Q×2.
        luma: N×H×W codes, uint8 at 8 bits and uint16 above.
        encoding: of the frame.
        temperature: of the annealed mean.
        sigma_range: of the refinement, in L*.
        floor: of the refinement, ≥ 1e-6.
        out: (u, v), where to write, as in `render_chroma`.

    Returns:
        (u, v): Cb and Cr codes.
    """
    field = annealed_mean(logits, palette, temperature)
    return render_chroma(
        field, luma, encoding=encoding, sigma_range=sigma_range, floor=floor, out=out
    )


# ---- motion ------------------------------------------------------------------------------------

MOTION_CELL = 4  # guide pixels a cell, each way: csrc/motion.h

_define(
    "motion_search(Tensor guide, Tensor reference, Tensor start, int radius, int penalty, "
    "Tensor(a!) flow, Tensor(b!) cost) -> ()",
    lambda guide, reference, start, radius, penalty, flow, cost: _C.motion_search(
        _view(guide), _view(reference), _view(start), radius, penalty, _view(flow), _view(cost),
        _threads(),
    ),
    lambda guide, reference, start, radius, penalty, flow, cost: _cuda().motion_search(
        _view(guide), _view(reference), _view(start), radius, penalty, _view(flow), _view(cost),
        *_stream(guide),
    ),
)  # fmt: skip


def motion_search(
    guide: Tensor,
    reference: Tensor,
    start: Tensor | None = None,
    *,
    radius: int = 2,
    penalty: int = 16,
) -> tuple[Tensor, Tensor]:
    """Where in the reference the surroundings of each cell of the guide are: block matching.

    A cell is 4×4 pixels, its block 8×8 around it; pixels beyond the border repeat the border's.
    Of the steps within `radius` of the start the one is taken whose sum of absolute differences
    plus `penalty` times its length (|dy| + |dx|) is least; of equals the first in rows.

    Args:
        guide: N×1×H×W, uint8, H and W multiples of 4.
        reference: the same shape and type.
        start: N×2×h×w, (dy, dx) in pixels at which to begin (rounded, half away from zero);
            None for zero.  h = H/4, w = W/4.
        radius: of the search in pixels, each way.
        penalty: of a step of one pixel, in sums of absolute differences.

    Returns:
        flow, N×2×h×w float32 in whole pixels: the cell at p is found at p + flow in the
        reference; and cost, N×1×h×w float32, the mean absolute difference there.
    """
    for name, image in (("guide", guide), ("reference", reference)):
        _expect(
            image.dim() == 4 and image.shape[1] == 1 and image.dtype == torch.uint8,
            f"{name} must be N×1×H×W in uint8, got {_shape(image)} in {image.dtype}",
        )
    n, _, height, width = guide.shape
    _expect(
        guide.shape == reference.shape,
        f"reference must be {_shape(guide)} as the guide, got {_shape(reference)}",
    )
    _expect(
        height > 0 and width > 0 and height % MOTION_CELL == 0 and width % MOTION_CELL == 0,
        f"guide must have sides that are multiples of {MOTION_CELL}, got {height}×{width}",
    )
    _same_device("reference", reference, guide)
    _expect(0 <= radius <= 64, f"radius must lie in 0 to 64, got {radius}")
    _expect(0 <= penalty <= 1 << 16, f"penalty must lie in 0 to 65536, got {penalty}")
    shape = (n, 2, height // MOTION_CELL, width // MOTION_CELL)
    if start is None:
        start = torch.zeros(shape, device=guide.device)
    start = _floats("start", start, "N×2×h×w")
    _expect(
        tuple(start.shape) == shape,
        f"start must be {'×'.join(map(str, shape))} as the guide is {_shape(guide)}, "
        f"got {_shape(start)}",
    )
    _same_device("start", start, guide)
    flow = torch.empty(shape, device=guide.device)
    cost = torch.empty(n, 1, *shape[2:], device=guide.device)
    if n > 0:
        torch.ops.pycolor.motion_search(guide, reference, start, radius, penalty, flow, cost)
    return flow, cost


_define(
    "carry_chroma(Tensor chroma, Tensor flow, Tensor cost, Tensor weight, float sigma, "
    "float floor, float growth, Tensor(a!) out) -> ()",
    lambda chroma, flow, cost, weight, sigma, floor, growth, out: _C.carry_chroma(
        _view(chroma), _view(flow), _view(cost), weight.data_ptr(), sigma, floor, growth,
        _view(out), _threads(),
    ),
    lambda chroma, flow, cost, weight, sigma, floor, growth, out: _cuda().carry_chroma(
        _view(chroma), _view(flow), _view(cost), weight.data_ptr(), sigma, floor, growth,
        _view(out), *_stream(chroma),
    ),
)  # fmt: skip


def carry_chroma(
    chroma: Tensor,
    flow: Tensor,
    cost: Tensor,
    weight: Tensor,
    *,
    sigma: float = 20.0,
    floor: float = 0.02,
    growth: float = 1.6,
) -> Tensor:
    """The key frames' colors, carried along motion to one frame: a guided filter over time.

    With c_k the field of key frame k at p + flow_k(p), bilinear and with a repeated border, and
    w_k = weight_k (exp(−cost_k²/2σ²) + floor), the mean Σ w_k c_k / Σ w_k is lengthened to the
    mean length Σ w_k |c_k| / Σ w_k, at most `growth` times: hues that differ do not gray each
    other.

    Args:
        chroma: K×2×h×w, a and b of the key frames.
        flow: K×2×h×w, (dy, dx) in cells of the field, from this frame to each key frame.
        cost: K×1×h×w, as `motion_search` gives it.
        weight: K, of each key frame, ≥ 0 and not all 0.
        sigma: of the cost, > 0.
        floor: ≥ 0; what a key frame that is not alike counts.
        growth: ≥ 1.

    Returns:
        1×2×h×w, float32.
    """
    chroma = _floats("chroma", chroma, "K×2×h×w")
    flow, cost = _floats("flow", flow, "K×2×h×w"), _floats("cost", cost, "K×1×h×w")
    k, c, h, w = chroma.shape
    _expect(c == 2 and k > 0 and h > 0 and w > 0, f"chroma must be K×2×h×w, got {_shape(chroma)}")
    for name, tensor, channels in (("flow", flow, 2), ("cost", cost, 1)):
        _expect(
            tuple(tensor.shape) == (k, channels, h, w),
            f"{name} must be {k}×{channels}×{h}×{w} as the chroma is {_shape(chroma)}, "
            f"got {_shape(tensor)}",
        )
        _same_device(name, tensor, chroma)
    _expect(tuple(weight.shape) == (k,), f"weight must have {k} entries, got {_shape(weight)}")
    _same_device("weight", weight, chroma)
    _positive("sigma", sigma)
    _expect(floor >= 0, f"floor must be 0 or more, got {floor}")
    _expect(growth >= 1, f"growth must be 1 or more, got {growth}")
    out = torch.empty(1, 2, h, w, device=chroma.device)
    torch.ops.pycolor.carry_chroma(
        chroma, flow, cost, weight.float().contiguous(), sigma, floor, growth, out
    )
    return out
