"""Zhang, Isola and Efros, "Colorful Image Colorization", ECCV 2016.

A plain convolutional network without pooling: lightness in, a distribution over 313 chroma bins
out, at a quarter of the input's resolution.  Parameter names are those of the authors' PyTorch
release, so that its state dict loads as it is.  The paper's L2 baseline has two outputs, the
chroma itself, in place of the bins.

The paper trains with Adam (β 0.9, 0.99), 3·10⁻⁵, divided by about 3 at plateaus, batch 40, crops
of 176 px, on ImageNet; its rebalancing is λ = 0.5 and its decode T = 0.38.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pycolor.models.colorizer import Colorizer, Guidance, check_width, scaled, width_of
from pycolor.models.palette import gamut_bins

Task = Literal["classification", "regression"]

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


class Zhang2016(Colorizer):
    """The network; at `width` 1 it is the published one (32,236,011 parameters).

    Args:
        width: multiplies every hidden layer's channels.
        task: classification over the 313 bins, or the paper's L2 regression of chroma.
        inputs: channels of the input; more than the lightness only inside another model.
    """

    input_multiple = 8
    output_stride = 4

    def __init__(self, width: float = 1.0, task: Task = "classification", inputs: int = 1) -> None:
        super().__init__()
        check_width(width)
        if task not in ("classification", "regression"):
            raise ValueError(f"task must be classification or regression, got {task!r}")
        self.options = {"width": width, "task": task}
        cin = inputs
        for k, (channels, convs, stride, dilation) in enumerate(_ENCODER, start=1):
            cout = scaled(channels, width)
            setattr(self, f"model{k}", _block(cin, cout, convs, stride, dilation))
            cin = cout
        hidden = scaled(256, width)
        outputs = len(gamut_bins()) if task == "classification" else 2
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(cin, hidden, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, outputs, 1),
        )
        self.model_out: nn.Conv2d | None = None
        if task == "classification":
            # The palette as a fixed 1×1 convolution: ab / 110 of a distribution is its expectation.
            self.model_out = nn.Conv2d(outputs, 2, 1, bias=False)
            self.model_out.weight.requires_grad_(False)
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
    def palette(self) -> Tensor | None:
        """Chroma of the bins, Q×2 ab; None for the regression."""
        return None if self.model_out is None else self.model_out.weight[:, :, 0, 0].T * 110

    @property
    def offsets(self) -> Tensor | None:
        """Of the scores, 313; None for the regression."""
        last = self.model8[6]
        assert isinstance(last, nn.Conv2d)
        return last.bias if self.model_out is not None else None

    def block(self, k: int, x: Tensor) -> Tensor:
        """Block k, 1 … 7, of the encoder."""
        return getattr(self, f"model{k}")(x)  # type: ignore[no-any-return]

    def features(self, lightness: Tensor) -> Tensor:
        """Hidden activations before the last 1×1 layer, N×C×H/4×W/4."""
        x = (lightness - 50) / 100
        for k in range(1, 8):
            x = self.block(k, x)
        return self.model8[:6](x)  # type: ignore[no-any-return]

    def head(self, features: Tensor) -> Tensor:
        """The last 1×1 layer, in float32: half-precision logits would move the decoded chroma."""
        with torch.autocast(features.device.type, enabled=False):
            out: Tensor = self.model8[6](features.float())
        return out if self.model_out is not None else out * 110

    def logits_of(self, x: Tensor) -> Tensor:
        """Block 8 and the head, of block 7's maps."""
        return self.head(self.model8[:6](x))

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Logits over the bins N×313×H/4×W/4, or ab N×2×H/4×W/4, see `Colorizer.forward`."""
        self.check_guidance(guidance)
        return self.head(self.features(lightness))


def recognize(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """The options of the network that a state dict belongs to; None if it is another's."""
    first, widest, last = (state.get(f"model{k}.weight") for k in ("1.0", "4.0", "8.6"))
    if first is None or widest is None or last is None or first.shape[1] != 1:
        return None
    width = width_of({64: first.shape[0], 512: widest.shape[0], 256: last.shape[1]})
    if width is None:
        return None
    return {"width": width, "task": "regression" if last.shape[0] == 2 else "classification"}


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' PyTorch state dict as ours: equal names, but batch counters may be absent."""
    out = dict(state)
    for k in range(1, 8):
        for name in list(state):
            if name.startswith(f"model{k}.") and name.endswith("running_mean"):
                counter = name.removesuffix("running_mean") + "num_batches_tracked"
                out.setdefault(counter, torch.zeros((), dtype=torch.long))
    return out
