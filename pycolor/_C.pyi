# The ops of csrc/cpu.
from collections.abc import Sequence

_View = tuple[int, tuple[int, ...], tuple[int, ...]]  # address, shape, strides
_Code = tuple[float | int, ...]

def annealed_mean(
    logits: _View, palette: int, temperature: float, out: _View, threads: int
) -> None: ...
def joint_bilateral(
    chroma: _View,
    guide: _View,
    radius: int,
    sigma_space: float,
    sigma_range: float,
    out: _View,
    threads: int,
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
    threads: int,
) -> None: ...
def convert(steps: list[int], x: _View, out: _View, kind: int, threads: int) -> None: ...
def yab_to_ycbcr(yab: _View, kr: float, kb: float, out: _View, threads: int) -> None: ...
def luma_to_lightness(
    luma: _View, is_uint16: bool, code: _Code, out: int, threads: int
) -> None: ...
def mean_lightness(luma: _View, is_uint16: bool, code: _Code, out: _View, threads: int) -> None: ...
def render(
    field: _View,
    luma: _View,
    is_uint16: bool,
    code: _Code,
    sigma_range: float,
    floor: float,
    planes: Sequence[_View],
    rgb: bool,
    threads: int,
) -> None: ...
def fused_frame(
    logits: _View,
    palette: int,
    temperature: float,
    luma: _View,
    is_uint16: bool,
    code: _Code,
    sigma_range: float,
    floor: float,
    planes: Sequence[_View],
    threads: int,
) -> None: ...
def motion_search(
    guide: _View,
    reference: _View,
    start: _View,
    radius: int,
    penalty: int,
    flow: _View,
    cost: _View,
    threads: int,
) -> None: ...
def chain_flows(first: _View, second: _View, out: _View, threads: int) -> None: ...
def flow_to_field(
    flow: _View, cost: _View, field_flow: _View, field_cost: _View, threads: int
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
    threads: int,
) -> None: ...
def attention(
    query: int,
    key: int,
    bias: int,
    value: int,
    out: int,
    log_sum: int,
    queries: int,
    keys: int,
    depth: int,
    width: int,
    threads: int,
) -> None: ...
def gamut_table(kr: float, kb: float) -> bytes: ...
def simd_levels() -> list[str]: ...
def simd_in_use() -> str: ...
