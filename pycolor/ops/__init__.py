"""The fast ops: compiled kernels behind the names and signatures of `pycolor.ops.reference`.

Their docstrings are those of the reference, with what float32 asks besides (`native.implements`).

The files here check meaning — rank, sizes, dtype, device — and pass addresses, sizes and strides
on; the mathematics stands in `ops.reference` and csrc/.  Every op takes tensors of any strides,
writes into `out` if given one, computes in float32, needs no gradient and releases the GIL.  The
CPU gives the same bytes with every instruction set and any number of threads
(`torch.get_num_threads()`); PYCOLOR_SIMD=baseline|avx2|avx512 chooses the set.

The ops are registered with torch.library as torch.ops.pycolor.*, each writing into its last
arguments, so that `torch.compile(fullgraph=True)` keeps them in its graph.
"""

from __future__ import annotations

from pycolor.ops.color import (
    lab_to_luv,
    lab_to_rgb,
    lab_to_xyz,
    linear_to_rgb,
    linear_to_xyz,
    luv_to_lab,
    luv_to_rgb,
    luv_to_xyz,
    rgb_to_lab,
    rgb_to_linear,
    rgb_to_luv,
    rgb_to_xyz,
    xyz_to_lab,
    xyz_to_linear,
    xyz_to_luv,
    xyz_to_rgb,
)
from pycolor.ops.decode import annealed_mean
from pycolor.ops.gamut import yab_to_ycbcr
from pycolor.ops.luma import luma_to_lightness, mean_lightness
from pycolor.ops.matching import attention
from pycolor.ops.motion import (
    MOTION_CELL,
    blend_warped_chroma,
    chain_flows,
    flow_to_field,
    motion_search,
)
from pycolor.ops.native import build_info, cpu_features
from pycolor.ops.refine import joint_bilateral, joint_bilateral_upsample
from pycolor.ops.render import fused_frame, render_chroma, render_rgb

__all__ = [
    "MOTION_CELL",
    "annealed_mean",
    "attention",
    "blend_warped_chroma",
    "build_info",
    "chain_flows",
    "cpu_features",
    "flow_to_field",
    "fused_frame",
    "joint_bilateral",
    "joint_bilateral_upsample",
    "lab_to_luv",
    "lab_to_rgb",
    "lab_to_xyz",
    "linear_to_rgb",
    "linear_to_xyz",
    "luma_to_lightness",
    "luv_to_lab",
    "luv_to_rgb",
    "luv_to_xyz",
    "mean_lightness",
    "motion_search",
    "render_chroma",
    "render_rgb",
    "rgb_to_lab",
    "rgb_to_linear",
    "rgb_to_luv",
    "rgb_to_xyz",
    "xyz_to_lab",
    "xyz_to_linear",
    "xyz_to_luv",
    "xyz_to_rgb",
    "yab_to_ycbcr",
]
