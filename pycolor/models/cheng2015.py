"""Cheng, Yang and Sheng, "Deep Colorization", ICCV 2015, in its extended version.

Each pixel is described by its gray patch, a DAISY descriptor and the probabilities of semantic
classes; a small perceptron maps the descriptor to U and V; a joint bilateral filter guided by the
gray picture cleans them.  One perceptron is trained for each cluster of similar scenes, and a
picture is colored by that of its nearest cluster (Algorithm 2).

What the paper leaves open, and our reading: YUV of BT.601 with R'G'B' in 0 … 1; DAISY of radius 15;
the nearest cluster is sought among the 5 nearest by gist.  Its semantic classes come from a network
trained on labeled scenes.  Without labels they are learned as clusters of deep features: see
`pycolor.train.algorithm3`.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pycolor.features import daisy, gist
from pycolor.features.domain_transform import domain_transform
from pycolor.models.zhang2016 import Zhang2016

PATCH = 7
CLASSES = 33  # of SIFT Flow, as the paper counts them
CANDIDATES = 5  # the nearest clusters by gist, among which semantics decide

# BT.601: U = 0.492 (B' − Y'), V = 0.877 (R' − Y').
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114
_U, _V = 0.492, 0.877


def rgb_to_yuv(rgb: Tensor) -> Tensor:
    """R'G'B' in 0 … 1 to Y'UV of BT.601, N×3×H×W; U within ±0.436, V within ±0.615."""
    r, g, b = rgb.unbind(1)
    y = _RED * r + _GREEN * g + _BLUE * b
    return torch.stack([y, _U * (b - y), _V * (r - y)], dim=1)


def yuv_to_rgb(yuv: Tensor) -> Tensor:
    """The inverse of `rgb_to_yuv`; not clipped."""
    y, u, v = yuv.unbind(1)
    r, b = y + v / _V, y + u / _U
    return torch.stack([r, (y - _RED * r - _BLUE * b) / _GREEN, b], dim=1)


class Ensemble(nn.Module):
    """Perceptrons of one shape, side by side: each weight has the network's index first.

    Args:
        networks: K.
        inputs: features of a pixel; the three hidden layers have half as many units.
    """

    def __init__(self, networks: int, inputs: int) -> None:
        super().__init__()
        hidden = inputs // 2
        sizes = [inputs, hidden, hidden, hidden, 2]
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for cin, cout in zip(sizes, sizes[1:], strict=False):
            spread = math.sqrt(2 / cin) if cout > 2 else 0.01
            self.weights.append(nn.Parameter(torch.randn(networks, cout, cin) * spread))
            self.biases.append(nn.Parameter(torch.zeros(networks, cout)))

    @property
    def networks(self) -> int:
        """K."""
        return self.weights[0].shape[0]

    def parameters_each(self) -> int:
        """Weights and biases of one perceptron."""
        return sum(p.numel() for p in self.parameters()) // self.networks

    def forward(self, features: Tensor, first: int = 0) -> Tensor:
        """U and V of samples, those of row k by perceptron first + k.

        Args:
            features: R×M×inputs.
            first: perceptron of the first row.

        Returns:
            R×M×2.
        """
        x = features
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            rows = slice(first, first + len(features))
            x = torch.baddbmm(bias[rows, None], x, weight[rows].transpose(1, 2))
            if i < last:
                x = torch.relu(x)
        return x


class Cheng2015(nn.Module):
    """Features, semantic network, clusters and their perceptrons.

    The variants that the paper compares are options.

    Args:
        networks: perceptrons, one a cluster; 1 goes without clustering.
        daisy: describe pixels by DAISY too.
        classes: semantic classes; 0 goes without semantic features.
        semantic_width: of the semantic network, a `Zhang2016` with `classes` outputs.
        refine: smooth U and V by the joint bilateral filter.
    """

    input_multiple = 8  # the semantic network asks for it
    output_stride = 1

    centers: Tensor
    histograms: Tensor

    def __init__(
        self,
        networks: int = 1,
        daisy: bool = True,
        classes: int = CLASSES,
        semantic_width: float = 0.1,
        refine: bool = True,
    ) -> None:
        super().__init__()
        if networks < 1 or classes < 0:
            raise ValueError(
                f"networks must be 1 or more and classes 0 or more, got {networks}, {classes}"
            )
        self.daisy, self.classes, self.refine = daisy, classes, refine
        self.semantics = Zhang2016(width=semantic_width, bins=classes) if classes else None
        self.ensemble = Ensemble(networks, self.inputs)
        # Of each cluster: mean gist, and the share of each semantic class.
        self.register_buffer("centers", torch.zeros(networks, gist.CHANNELS))
        self.register_buffer("histograms", torch.zeros(networks, max(1, classes)))

    @property
    def inputs(self) -> int:
        """Features of a pixel: 49 + 32 + 33 = 114 in the paper."""
        return PATCH**2 + (daisy.CHANNELS if self.daisy else 0) + self.classes

    def semantic_logits(self, lightness: Tensor) -> Tensor:
        """Of the classes, N×C×H/4×W/4, from L*."""
        assert self.semantics is not None
        return self.semantics(lightness)  # type: ignore[no-any-return]

    def semantic_map(self, lightness: Tensor, gray: Tensor) -> Tensor:
        """Probabilities of the classes at every pixel, drawn to the edges of the gray picture."""
        logits = self.semantic_logits(lightness)
        size = gray.shape[-2:]
        logits = F.interpolate(logits, size, mode="bilinear", align_corners=False)
        return domain_transform(logits.softmax(1), gray)

    def features(self, gray: Tensor, semantic: Tensor | None) -> Tensor:
        """What the perceptrons see (section III-B).

        Args:
            gray: N×1×H×W, Y' in 0 … 1.
            semantic: N×C×H×W, from `semantic_map`; None without semantic features.

        Returns:
            N×inputs×H×W, each of about unit size.
        """
        n, _, height, width = gray.shape
        margin = PATCH // 2
        around = F.pad(gray, (margin,) * 4, mode="replicate")
        parts = [F.unfold(4 * around - 2, PATCH).reshape(n, PATCH**2, height, width)]
        if self.daisy:
            parts.append(daisy.daisy(gray) * daisy.CHANNELS - 1)
        if semantic is not None:
            parts.append(semantic)
        return torch.cat(parts, dim=1)

    def nearest_cluster(self, gray: Tensor, semantic: Tensor | None) -> Tensor:
        """The cluster of each picture (section III-C-1), N indices.

        The nearest by gist are candidates; the cosine of the semantic histograms chooses.
        """
        if self.ensemble.networks == 1:
            return torch.zeros(len(gray), dtype=torch.long, device=gray.device)
        distance = torch.cdist(gist.gist(gray), self.centers)
        if semantic is None:
            return distance.argmin(1)
        count = min(CANDIDATES, self.ensemble.networks)
        candidates = distance.topk(count, dim=1, largest=False).indices
        share = semantic.mean((2, 3))
        likeness = F.cosine_similarity(share[:, None], self.histograms[candidates], dim=2)
        return candidates.gather(1, likeness.argmax(1, keepdim=True))[:, 0]
