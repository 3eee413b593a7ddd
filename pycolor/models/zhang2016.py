"""Zhang, Isola and Efros, "Colorful Image Colorization", ECCV 2016.

A plain convolutional network without pooling: lightness in, a distribution over 313 chroma bins
out, at a quarter of the input's resolution.  Parameter names are those of the authors' PyTorch
release, so that its state dict loads as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pycolor.palette import gamut_bins

# One entry a block: output channels at width 1, convolutions, stride of the last, dilation.
_ENCODER = (
    (64, 2, 2, 1),
    (128, 2, 2, 1),
    (256, 3, 2, 1),
    (512, 3, 1, 1),
    (512, 3, 1, 2),
    (512, 3, 1, 2),
    (512, 3, 1, 1),
)


def _scaled(channels: int, width: float) -> int:
    """Channels at a width multiplier, kept a multiple of 8 for the vector units."""
    return max(8, round(channels * width / 8) * 8)


def _block(cin: int, cout: int, convs: int, stride: int, dilation: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(convs):
        last = i == convs - 1
        layers += [
            nn.Conv2d(
                cin if i == 0 else cout,
                cout,
                3,
                stride=stride if last else 1,
                padding=dilation,
                dilation=dilation,
            ),
            nn.ReLU(inplace=True),
        ]
    layers.append(nn.BatchNorm2d(cout))
    return nn.Sequential(*layers)


class Zhang2016(nn.Module):
    """The classification network; `width` 1 is the published one (32,236,011 parameters).

    Args:
        width: multiplies every hidden layer's channels.
        bins: palette entries Q.
    """

    input_multiple = 8  # sides of the input must be multiples of this
    output_stride = 4  # input pixels per cell of the chroma field

    def __init__(self, width: float = 1.0, bins: int = 313) -> None:
        super().__init__()
        if not 0 < width <= 4:
            raise ValueError(f"width must lie in (0, 4], got {width}")
        self.width = width
        cin = 1
        for k, (channels, convs, stride, dilation) in enumerate(_ENCODER, start=1):
            cout = _scaled(channels, width)
            setattr(self, f"model{k}", _block(cin, cout, convs, stride, dilation))
            cin = cout
        hidden = _scaled(256, width)
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(cin, hidden, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, bins, 1),
        )
        # The palette as a fixed 1×1 convolution: ab / 110 of a distribution is its expectation.
        self.model_out = nn.Conv2d(bins, 2, 1, bias=False)
        self.model_out.weight.requires_grad_(False)
        if bins == 313:
            centers = torch.tensor(gamut_bins().tolist(), dtype=torch.float32) / 110
            self.model_out.weight.data.copy_(centers.T[:, :, None, None])
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module is not self.model_out:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        # A first distribution near uniform: the loss starts at ln Q.
        last = self.model8[6]
        assert isinstance(last, nn.Conv2d)
        nn.init.normal_(last.weight, std=0.01)

    @property
    def palette(self) -> Tensor:
        """Chroma of the bins, Q×2, in ab units."""
        return self.model_out.weight[:, :, 0, 0].T * 110

    def features(self, lightness: Tensor) -> Tensor:
        """Hidden activations before the last 1×1 layer, N×C×H/4×W/4."""
        x = (lightness - 50) / 100
        for k in range(1, 8):
            x = getattr(self, f"model{k}")(x)
        return self.model8[:6](x)  # type: ignore[no-any-return]

    def forward(self, lightness: Tensor) -> Tensor:
        """Logits over the bins.

        Args:
            lightness: N×1×H×W, L* in 0 … 100; H and W multiples of 8.

        Returns:
            N×Q×H/4×W/4, float32 whatever the precision of the layers before: half-precision
            logits would move the decoded chroma by several units.
        """
        h = self.features(lightness)
        with torch.autocast(h.device.type, enabled=False):
            return self.model8[6](h.float())  # type: ignore[no-any-return]


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' PyTorch state dict as ours: equal names, but batch counters may be absent."""
    out = dict(state)
    for k in range(1, 8):
        for name in list(state):
            if name.startswith(f"model{k}.") and name.endswith("running_mean"):
                counter = name.removesuffix("running_mean") + "num_batches_tracked"
                out.setdefault(counter, torch.zeros((), dtype=torch.long))
    return out
