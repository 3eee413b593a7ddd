"""Iizuka, Simo-Serra and Ishikawa, "Let there be Color!", SIGGRAPH 2016.

Two ways through one picture: local features at an eighth of its size, and one global vector from a
copy of a fixed size, which says what kind of scene it is.  A fusion layer joins the vector to every
place; a decoder brings the chroma up to half the input's size.

The global vector may come from elsewhere: over a shot it is computed once, which keeps the color
steady, and the vector of another picture lends its style (section 4.5).

The paper trains with Adadelta, batch 128, crops of 224 px out of 256, and a squared error plus
1/300 of the cross-entropy of scene classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pycolor.models.colorizer import Colorizer, Guidance, check_width, gray_of, scaled, width_of
from pycolor.models.inference.packed_conv import Convolution

Fusion = Literal["1x1", "3x3"]

GRAY_MEAN = 0.44505388568813414  # of the authors' training pictures, taken off every input
EPSILON = 1e-5  # of the batch normalization
AB_RANGE = 100.0  # the sigmoid's 0 … 1 stands for −100 … 100

# Output channels at width 1, and stride (table 1 of the paper).
_LOW = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1))
_MID = ((512, 1), (256, 1))
_GLOBAL = ((512, 2), (512, 1), (512, 2), (512, 1))
_FULL = (1024, 512, 256)
_COLOR = (128, 64, 64, 32)


class _Conv(nn.Conv2d):
    """Convolution, batch normalization, ReLU."""

    folded = False

    def __init__(self, cin: int, cout: int, stride: int = 1, kernel: int = 3) -> None:
        super().__init__(cin, cout, kernel, stride, padding=kernel // 2)
        _start(self)

    def forward(self, x: Tensor) -> Tensor:
        return _finish(self, F.conv2d(x, self.weight, None, self.stride, self.padding))


class _Full(nn.Linear):
    """Full connection, batch normalization, ReLU."""

    folded = False

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__(cin, cout)
        _start(self)

    def forward(self, x: Tensor) -> Tensor:
        return _finish(self, F.linear(x, self.weight, self.bias if self.folded else None))


def _start(layer: _Conv | _Full) -> None:
    """Fresh weights and statistics."""
    assert layer.bias is not None
    layer.register_buffer("running_mean", torch.zeros(len(layer.bias)))
    layer.register_buffer("running_var", torch.ones(len(layer.bias)))
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)


def _finish(layer: _Conv | _Full, y: Tensor) -> Tensor:
    """Batch normalization with a shift, the layer's bias, but no scale of its own; then ReLU.

    Behind the ReLU the next layer can scale as well, so nothing is lost, and a layer has just the
    parameters that the paper counts.
    """
    if layer.folded:
        return F.relu_(y)
    mean, var = layer.get_buffer("running_mean"), layer.get_buffer("running_var")
    scale = torch.ones_like(var)
    return F.relu(F.batch_norm(y, mean, var, scale, layer.bias, layer.training, 0.1, EPSILON))


def _fold(layer: _Conv | _Full) -> None:
    """Put the normalization into the weights and the bias."""
    mean, var = layer.get_buffer("running_mean"), layer.get_buffer("running_var")
    scale = (var + EPSILON).rsqrt()
    assert layer.bias is not None
    layer.bias.data -= mean * scale
    layer.weight.data *= scale.reshape(-1, *[1] * (layer.weight.dim() - 1))
    mean.zero_()
    var.fill_(1 - EPSILON)
    layer.folded = True


def _stack(cin: int, layers: tuple[tuple[int, int], ...], width: float) -> nn.Sequential:
    convs = []
    for channels, stride in layers:
        convs.append(_Conv(cin, scaled(channels, width), stride))
        cin = scaled(channels, width)
    return nn.Sequential(*convs)


class GlobalFeatures(nn.Module):
    """From the low-level features of the copy of fixed size to one vector (table 1 b)."""

    def __init__(self, width: float, side: int) -> None:
        super().__init__()
        channels = scaled(512, width)
        self.conv = _stack(channels, _GLOBAL, width)
        sizes = (channels * (side // 32) ** 2, *(scaled(c, width) for c in _FULL))
        self.full = nn.Sequential(*(_Full(a, b) for a, b in pairwise(sizes)))

    def forward(self, low: Tensor) -> tuple[Tensor, Tensor]:
        """N×512×s/8×s/8 → the second to last layer N×512, which the classifier sees; N×256."""
        hidden = self.full[:2](self.conv(low).flatten(1))
        return hidden, self.full[2](hidden)


class Iizuka2016(Colorizer):
    """The joint network; at `width` 1 the published one (42,169,826 parameters).

    Args:
        width: multiplies every hidden layer's channels.
        global_features: without them it is the paper's baseline, with a plain layer for the fusion.
        fusion: 1x1 as in the paper (eq. 5), on [global; local]; 3x3 on [local; global].
        side: of the copy that the global features see, a multiple of 32.
        classes: of the scene classifier that helps in training (205 in the paper); 0 for none.
    """

    input_multiple = 8
    output_stride = 2

    def __init__(
        self,
        width: float = 1.0,
        global_features: bool = True,
        fusion: Fusion = "1x1",
        side: int = 224,
        classes: int = 0,
    ) -> None:
        super().__init__()
        check_width(width)
        if fusion not in ("1x1", "3x3"):
            raise ValueError(f"fusion must be 1x1 or 3x3, got {fusion!r}")
        if side < 32 or side % 32:
            raise ValueError(f"side must be a multiple of 32, got {side}")
        if classes and not global_features:
            raise ValueError("classes need global features")
        self.options = {"width": width, "global_features": global_features, "fusion": fusion}
        self.options |= {"side": side, "classes": classes}
        self.per_shot = global_features
        self.guide = "style" if global_features else ""
        self.guides = frozenset({"style"} if global_features else ())
        self.side = side
        self.fusion_kernel = fusion
        local, vector = scaled(256, width), scaled(256, width)
        self.low = _stack(1, _LOW, width)
        self.mid = _stack(scaled(512, width), _MID, width)
        self.global_features = GlobalFeatures(width, side) if global_features else None
        if global_features:
            self.fusion = _Conv(local + vector, local, kernel=int(fusion[0]))
        else:
            self.fusion = _Conv(local, local)
        self.color = _stack(local, tuple((c, 1) for c in _COLOR), width)
        self.output = nn.Conv2d(scaled(_COLOR[-1], width), 2, 3, padding=1)
        hidden = scaled(_FULL[1], width)
        self.classifier = (
            nn.Sequential(_Full(hidden, scaled(256, width)), nn.Linear(scaled(256, width), classes))
            if classes
            else None
        )

    def fold(self) -> None:
        """Batch normalization into the layers before it, as the paper says (section 3.4)."""
        for parent in list(self.modules()):
            for name, layer in parent.named_children():
                if isinstance(layer, _Conv | _Full) and not layer.folded:
                    _fold(layer)
                if isinstance(layer, _Conv):
                    setattr(parent, name, Convolution(layer, nn.ReLU()))
        super().fold()

    def context(self, lightness: Tensor) -> Tensor | None:
        """The global vector of a picture, 1×256 (at width 1); None without global features."""
        if self.global_features is None:
            return None
        return self.global_vector(self._input(lightness))[1]

    def guided_context(self, lab: Tensor) -> Tensor:
        """The global vector of a style picture."""
        vector = self.context(lab[:, :1])
        return super().guided_context(lab) if vector is None else vector

    @staticmethod
    def _input(lightness: Tensor) -> Tensor:
        return gray_of(lightness) - GRAY_MEAN

    def global_vector(self, x: Tensor, low: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Of a network's input N×1×h×w: what the classifier sees N×512, and the vector N×256.

        `low` are its low-level features, used where the picture has the fixed size already.
        """
        assert self.global_features is not None
        fixed = (self.side, self.side)
        if low is None or x.shape[2:] != fixed:
            if x.shape[2:] != fixed:
                x = F.interpolate(x, fixed, mode="bilinear", antialias=True, align_corners=False)
            low = self.low(x)
        hidden, vector = self.global_features(low)
        return hidden, vector

    def local(self, low: Tensor, vector: Tensor | None) -> Tensor:
        """Low-level features and the global vector (N×C or 1×C) to N×2×h/2×w/2 in 0 … 1."""
        x = self.mid(low)
        if vector is not None:
            everywhere = vector.to(x.dtype)[:, :, None, None].expand(len(x), -1, *x.shape[2:])
            order = (everywhere, x) if self.fusion_kernel == "1x1" else (x, everywhere)
            x = torch.cat(order, dim=1)
        x = self.color[0](self.fusion(x))
        x = self.color[2](self.color[1](_doubled(x)))
        x = self.color[3](_doubled(x))
        with torch.autocast(x.device.type, enabled=False):
            return torch.sigmoid(self.output(x.float()))

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Chroma N×2×h/2×w/2 ab, see `Colorizer.forward`."""
        self.check_guidance(guidance)
        x = self._input(lightness)
        low = self.low(x)
        if context is None and self.global_features is not None:
            context = self.global_vector(x, low)[1]
        return (2 * self.local(low, context) - 1) * AB_RANGE

    def joint(self, lightness: Tensor) -> tuple[Tensor, Tensor | None]:
        """For training: chroma, and the classifier's N×K scores (None without one)."""
        x = self._input(lightness)
        low = self.low(x)
        if self.global_features is None:
            return (2 * self.local(low, None) - 1) * AB_RANGE, None
        hidden, vector = self.global_vector(x, low)
        chroma = (2 * self.local(low, vector) - 1) * AB_RANGE
        return chroma, None if self.classifier is None else self.classifier(hidden)


def _doubled(x: Tensor) -> Tensor:
    """Twice as high and wide, by nearest neighbors."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def recognize(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """The options of the network that a state dict belongs to; None if it is another's."""
    first, last = state.get("low.0.weight"), state.get("low.5.weight")
    fusion = state.get("fusion.weight")
    if first is None or last is None or fusion is None or "output.weight" not in state:
        return None
    full = state.get("global_features.full.0.weight")
    channels = {64: first.shape[0], 512: last.shape[0], 256: fusion.shape[0]}
    width = width_of(channels if full is None else channels | {1024: full.shape[0]})
    if width is None:
        return None
    if full is None:
        return {"width": width, "global_features": False}
    classifier = state.get("classifier.1.weight")
    return {
        "width": width,
        "fusion": "1x1" if fusion.shape[2] == 1 else "3x3",
        "side": 32 * round((full.shape[1] / last.shape[0]) ** 0.5),
        "classes": 0 if classifier is None else classifier.shape[0],
    }
