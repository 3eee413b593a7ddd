"""Zhang, Zhu, Isola, Geng, Lin, Yu and Efros, "Real-Time User-Guided Image Colorization",
SIGGRAPH 2017 ("siggraph17" in its release).

The network of zhang2016 with ways around its bottleneck, down to every pixel, and with room for
hints of color.  Film brings no hints, so here it colors by itself.  Parameter names are those of
the authors' PyTorch release.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pycolor.models.colorizer import Colorizer, Guidance, check_width, scaled, width_of

# One entry a block: output channels at width 1, convolutions, dilation.
_BLOCKS = (
    (64, 2, 1),
    (128, 2, 1),
    (256, 3, 1),
    (512, 3, 1),
    (512, 3, 2),
    (512, 3, 2),
    (512, 3, 1),
)
_HINT_CLASSES = 529  # of the release's other head, which it trains with


def _block(cin: int, cout: int, convs: int, dilation: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(convs):
        conv = nn.Conv2d(cin if i == 0 else cout, cout, 3, padding=dilation, dilation=dilation)
        layers += [conv, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.BatchNorm2d(cout))


def _one(layer: nn.Module) -> nn.Sequential:
    """The release wraps even single layers."""
    return nn.Sequential(layer)


class Zhang2017(Colorizer):
    """The network; at `width` 1 the published one.

    Args:
        width: multiplies every hidden layer's channels.
    """

    input_multiple = 8
    output_stride = 1

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        check_width(width)
        self.options = {"width": width}
        c = {n: scaled(n, width) for n in (64, 128, 256, 512)}
        cin = 4  # lightness, a and b of the hints, where there are hints
        for k, (channels, convs, dilation) in enumerate(_BLOCKS, start=1):
            setattr(self, f"model{k}", _block(cin, c[channels], convs, dilation))
            cin = c[channels]
        self.model8up = _one(nn.ConvTranspose2d(c[512], c[256], 4, stride=2, padding=1))
        self.model3short8 = _one(nn.Conv2d(c[256], c[256], 3, padding=1))
        self.model8 = nn.Sequential(nn.ReLU(), *_block(c[256], c[256], 2, 1))
        self.model9up = _one(nn.ConvTranspose2d(c[256], c[128], 4, stride=2, padding=1))
        self.model2short9 = _one(nn.Conv2d(c[128], c[128], 3, padding=1))
        self.model9 = nn.Sequential(nn.ReLU(), *_block(c[128], c[128], 1, 1))
        self.model10up = _one(nn.ConvTranspose2d(c[128], c[128], 4, stride=2, padding=1))
        self.model1short10 = _one(nn.Conv2d(c[64], c[128], 3, padding=1))
        last = nn.Conv2d(c[128], c[128], 3, padding=1)
        self.model10 = nn.Sequential(nn.ReLU(), last, nn.LeakyReLU(0.2))
        self.model_class = _one(nn.Conv2d(c[256], _HINT_CLASSES, 1))
        self.model_out = nn.Sequential(nn.Conv2d(c[128], 2, 1), nn.Tanh())

    def block(self, k: int, x: Tensor) -> Tensor:
        """Block k, 1 … 7, of the encoder."""
        return getattr(self, f"model{k}")(x)  # type: ignore[no-any-return]

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Chroma of every pixel, without hints, see `Colorizer.forward`."""
        self.check_guidance(guidance)
        no_hints = lightness.new_zeros(len(lightness), 3, *lightness.shape[2:])
        h1 = self.block(1, torch.cat([(lightness - 50) / 100, no_hints], dim=1))
        h2 = self.block(2, h1[:, :, ::2, ::2])
        h3 = self.block(3, h2[:, :, ::2, ::2])
        h = h3[:, :, ::2, ::2]
        for k in (4, 5, 6, 7):
            h = self.block(k, h)
        h = self.model8(self.model8up(h) + self.model3short8(h3))
        h = self.model9(self.model9up(h) + self.model2short9(h2))
        h = self.model10(self.model10up(h) + self.model1short10(h1))
        with torch.autocast(h.device.type, enabled=False):
            chroma: Tensor = self.model_out(h.float()) * 110
            return chroma


def recognize(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """The options of the network that a state dict belongs to; None if it is another's."""
    first, last = state.get("model1.0.weight"), state.get("model9up.0.weight")
    if first is None or last is None or first.shape[1] != 4:
        return None
    deep = state["model4.0.weight"].shape[0]
    width = width_of({64: first.shape[0], 256: last.shape[0], 512: deep})
    return None if width is None else {"width": width}


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' state dict as ours: equal names, but batch counters may be absent."""
    out = dict(state)
    for name in state:
        if name.endswith("running_mean"):
            counter = name.removesuffix("running_mean") + "num_batches_tracked"
            out.setdefault(counter, torch.zeros((), dtype=torch.long))
    return out
