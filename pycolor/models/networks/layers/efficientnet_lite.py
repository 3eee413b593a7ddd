"""EfficientNet-Lite2 as a trunk: what a classifier of photographs has learned to see.

Tan and Le, "EfficientNet", ICML 2019; "Lite": without squeeze-and-excitation, with ReLU6.  Small
and fast enough to look at every frame, and published with weights from ImageNet.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pycolor.models.inference.fuse import fold_normalization

STEM = 32
# One entry a stage: blocks, the filter's kernel, stride of the first block, expansion, channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 48),
    (4, 3, 2, 6, 88),
    (4, 5, 1, 6, 120),
    (5, 5, 2, 6, 208),
    (1, 3, 1, 6, 352),
)
TAPPED = (1, 2, 4, 6)  # stages whose last map the decoder takes: a 4th, 8th, 16th, 32nd of the size


class Layer(nn.Sequential):
    """Convolution, batch normalization, and what follows it.

    At stride 2 the picture is padded as TensorFlow does it, by a pixel more behind than before.
    """

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel: int,
        after: nn.Module | None,
        *,
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        before = (kernel - stride) // 2
        around = before if stride == 1 else 0
        conv = nn.Conv2d(cin, cout, kernel, stride, around, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(cout, eps=1e-3), after or nn.Identity())
        self.by_itself = groups > 1
        self.folded = False
        self.border = (before, before + 1) * 2 if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        if self.border:
            x = F.pad(x, self.border)
        if self.folded:
            return self[0](x)  # type: ignore[no-any-return]
        # Backward, single channels take oneDNN up to 18 times as long in bfloat16 as in float32.
        if self.training and self.by_itself and x.is_cpu:
            with torch.autocast("cpu", enabled=False):
                x = self[0](x.float())
        else:
            x = self[0](x)
        return self[2](self[1](x))  # type: ignore[no-any-return]

    def fold(self) -> None:
        """Put the normalization and what follows it into the convolution."""
        after = self[2]
        fold_normalization(self, after if isinstance(after, nn.ReLU | nn.ReLU6) else None)
        self.folded = True


class Block(nn.Module):
    """An inverted residual block: expand channels, filter each by itself, project them."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = cin * expansion
        self.expand = Layer(cin, hidden, 1, nn.ReLU6()) if expansion > 1 else None
        self.filter = Layer(hidden, hidden, kernel, nn.ReLU6(), stride=stride, groups=hidden)
        self.project = Layer(hidden, cout, 1, None)
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.expand is None else self.expand(x)
        h = self.project(self.filter(h))
        return x + h if self.residual else h  # type: ignore[no-any-return]


class Trunk(nn.Module):
    """EfficientNet-Lite2 without its classifier, on gray."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Layer(1, STEM, 3, nn.ReLU6(), stride=2)
        self.stages = nn.ModuleList()
        cin = STEM
        for blocks, kernel, stride, expansion, channels in STAGES:
            stage = nn.Sequential()
            for i in range(blocks):
                stage.append(Block(cin, channels, kernel, stride if i == 0 else 1, expansion))
                cin = channels
            self.stages.append(stage)

    def forward(self, x: Tensor) -> list[Tensor]:
        """N×1×h×w → the tapped maps, of sizes 1/4, 1/8, 1/16, 1/32."""
        # Kernels of single channels and of 1×1 leave the layout as it comes: it is set here.
        x = self.stem(x).contiguous(memory_format=torch.channels_last)
        taps: list[Tensor] = []
        for s, stage in enumerate(self.stages):
            x = stage(x)
            if s in TAPPED:
                taps.append(x)
        return taps


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The trunk of a published EfficientNet-Lite2 state dict; ours stays as it is.

    Args:
        state: with the names of Melas-Kyriazi's PyTorch port (`_conv_stem.weight`,
            `_blocks.N._depthwise_conv.weight`, …), which that of the Lite networks keeps.

    Returns:
        Our names; gray goes into all three channels of color, so that their kernels add up.
    """
    if "_conv_stem.weight" not in state:
        return dict(state)
    out: dict[str, Tensor] = {}

    def take(ours: str, conv: str, norm: str) -> None:
        out[f"{ours}.0.weight"] = state[f"{conv}.weight"]
        for key in (k for k in state if k.startswith(f"{norm}.")):
            out[f"{ours}.1.{key.removeprefix(f'{norm}.')}"] = state[key]

    take("trunk.stem", "_conv_stem", "_bn0")
    out["trunk.stem.0.weight"] = out["trunk.stem.0.weight"].sum(1, keepdim=True)
    index = 0
    for s, (blocks, _, _, expansion, _) in enumerate(STAGES):
        for i in range(blocks):
            ours, theirs = f"trunk.stages.{s}.{i}", f"_blocks.{index}"
            if expansion > 1:
                take(f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
            take(f"{ours}.filter", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
            take(f"{ours}.project", f"{theirs}._project_conv", f"{theirs}._bn2")
            index += 1
    return out
