"""The specification of the ops: plain PyTorch, the same names and signatures as `pycolor.ops`.

Written to be read and checked, not to be fast.  Float64 input is computed in float64; the search
for the in-gamut color of a given luma is float64 whatever comes in.  `N` frames, `Q` palette
entries, `h×w` network output, `H×W` frame; L in 0…100, a and b in about ±110.
"""

from __future__ import annotations

from pycolor.ops.reference.color import (
    LAB_KNEE,
    LINEAR_TO_XYZ,
    PRIMARIES_XY,
    SRGB_KNEE,
    WHITE_UV,
    WHITE_XY,
    WHITE_XYZ,
    XYZ_TO_LINEAR,
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
    rgb_to_ycbcr,
    xyz_to_lab,
    xyz_to_linear,
    xyz_to_luv,
    xyz_to_rgb,
    ycbcr_to_rgb,
)
from pycolor.ops.reference.decode import annealed_mean
from pycolor.ops.reference.gamut import yab_to_ycbcr, ycbcr_to_yab
from pycolor.ops.reference.luma import luma_to_lightness, mean_lightness
from pycolor.ops.reference.matching import attention
from pycolor.ops.reference.motion import (
    blend_warped_chroma,
    chain_flows,
    flow_to_field,
    motion_search,
)
from pycolor.ops.reference.refine import joint_bilateral, joint_bilateral_upsample
from pycolor.ops.reference.render import fused_frame, render_chroma, render_rgb

__all__ = [
    "LAB_KNEE",
    "LINEAR_TO_XYZ",
    "PRIMARIES_XY",
    "SRGB_KNEE",
    "WHITE_UV",
    "WHITE_XY",
    "WHITE_XYZ",
    "XYZ_TO_LINEAR",
    "annealed_mean",
    "attention",
    "blend_warped_chroma",
    "chain_flows",
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
    "rgb_to_ycbcr",
    "xyz_to_lab",
    "xyz_to_linear",
    "xyz_to_luv",
    "xyz_to_rgb",
    "yab_to_ycbcr",
    "ycbcr_to_rgb",
    "ycbcr_to_yab",
]
