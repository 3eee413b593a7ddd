"""The CUDA module: see csrc/bindings_cuda.cpp.  Each op ends with a device and a stream of it."""

from collections.abc import Sequence

_View = tuple[int, tuple[int, ...], tuple[int, ...]]  # address, shape, strides in elements
_Code = tuple[float | int, ...]  # csrc/render.h: FrameCode

architectures: str

def annealed_mean(
    logits: _View,
    entry_bytes: int,
    palette: int,
    temperature: float,
    out: _View,
    device: int,
    stream: int,
) -> None: ...
def joint_bilateral(
    chroma: _View,
    guide: _View,
    radius: int,
    sigma_space: float,
    sigma_range: float,
    out: _View,
    device: int,
    stream: int,
) -> None: ...
def joint_bilateral_upsample(
    chroma: _View,
    guide_low: _View,
    guide: _View,
    sigma_range: float,
    floor: float,
    radius: int,
    sigma_space: float,
    out: _View,
    device: int,
    stream: int,
) -> None: ...
def convert(
    steps: Sequence[int], image: _View, out: _View, kind: int, device: int, stream: int
) -> None: ...
def yab_to_ycbcr(
    yab: _View, kr: float, kb: float, table: int, out: _View, device: int, stream: int
) -> None: ...
def luma_to_lightness(
    luma: _View, is_uint16: bool, code: _Code, out: int, device: int, stream: int
) -> None: ...
def mean_lightness(
    luma: _View, is_uint16: bool, code: _Code, out: _View, device: int, stream: int
) -> None: ...
def render(
    field: _View,
    luma: _View,
    is_uint16: bool,
    code: _Code,
    sigma_range: float,
    floor: float,
    table: int,
    guide_low: _View,
    planes: Sequence[_View],
    rgb: bool,
    device: int,
    stream: int,
) -> None: ...
def motion_search(
    guide: _View,
    reference: _View,
    start: _View,
    radius: int,
    penalty: int,
    flow: _View,
    cost: _View,
    device: int,
    stream: int,
) -> None: ...
def chain_flows(first: _View, second: _View, out: _View, device: int, stream: int) -> None: ...
def flow_to_field(
    flow: _View, cost: _View, field_flow: _View, field_cost: _View, device: int, stream: int
) -> None: ...
def blend_warped_chroma(
    chroma: _View,
    flow: _View,
    cost: _View,
    weight: int,
    sigma: float,
    floor: float,
    growth: float,
    out: _View,
    device: int,
    stream: int,
) -> None: ...
