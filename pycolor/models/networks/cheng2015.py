"""Cheng, Yang and Sheng, "Deep Colorization", ICCV 2015, in its extended version.

Each pixel is described by its gray patch, a DAISY descriptor and the probabilities of semantic
classes; a small perceptron maps the descriptor to U and V; a joint bilateral filter guided by the
gray picture cleans them.  One perceptron is trained for each cluster of similar scenes
(`train.objectives.deep_colorization`), and a picture is colored by that of its nearest cluster.

What the paper leaves open, and our reading: YUV of BT.601 with R'G'B' in 0 … 1; DAISY of radius 15;
the cluster is sought among the 5 nearest by gist; the filters' widths.  The paper's semantic
classes are learned from labeled scenes, ours may come without labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pycolor import ops
from pycolor.models.colorizer import Colorizer, Guidance, gray_of, scaled, width_of
from pycolor.models.networks.features import daisy, gist
from pycolor.models.networks.features.domain_transform import domain_transform
from pycolor.models.networks.zhang2016 import Zhang2016

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
    """Perceptrons of one shape, side by side: each weight has the perceptron's index first.

    Args:
        networks: K.
        inputs: features of a pixel; the three hidden layers have half as many units each.
    """

    def __init__(self, networks: int, inputs: int) -> None:
        super().__init__()
        hidden = inputs // 2
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for cin, cout in pairwise([inputs, hidden, hidden, hidden, 2]):
            spread = math.sqrt(2 / cin) if cout > 2 else 0.01
            self.weights.append(nn.Parameter(torch.randn(networks, cout, cin) * spread))
            self.biases.append(nn.Parameter(torch.zeros(networks, cout)))

    def __len__(self) -> int:
        return len(self.weights[0])

    def forward(self, features: Tensor) -> Tensor:
        """U and V of samples, K×M×inputs → K×M×2, row k by perceptron k."""
        x = features
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias[:, None], x if i == 0 else torch.relu(x), weight.mT)
        return x

    def one(self, k: int, features: Tensor) -> Tensor:
        """U and V of every pixel of a picture by perceptron k, 1×inputs×H×W → 1×2×H×W."""
        x = features
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = F.conv2d(x if i == 0 else torch.relu(x), weight[k, :, :, None, None], bias[k])
        return x


class Cheng2015(Colorizer):
    """Features, semantic network, clusters and their perceptrons.

    What the paper compares is optional.

    Args:
        width: of the semantic network, a trunk as that of zhang2016.
        networks: perceptrons, one a cluster; 1 goes without clustering.
        daisy: whether pixels are described by DAISY too.
        classes: semantic classes; 0 goes without semantic features.
        refine: whether U and V are smoothed by the joint bilateral filter.
    """

    input_multiple = 8  # the semantic network asks for it
    output_stride = 1
    max_pixels = 1920 * 1088  # 114 features a pixel

    centers: Tensor
    histograms: Tensor

    def __init__(
        self,
        width: float = 0.1,
        networks: int = 1,
        daisy: bool = True,
        classes: int = CLASSES,
        refine: bool = True,
    ) -> None:
        super().__init__()
        if networks < 1 or classes < 0:
            raise ValueError(
                f"networks must be 1 or more and classes 0 or more, got {networks}, {classes}"
            )
        self.options = {
            "width": width,
            "networks": networks,
            "daisy": daisy,
            "classes": classes,
            "refine": refine,
        }
        self.daisy, self.classes, self.refine = daisy, classes, refine
        self.per_shot = networks > 1
        self.trunk: Zhang2016 | None = None
        if classes:
            self.trunk = Zhang2016(width, task="regression")
            del self.trunk.model8[6]  # its own head
            self.semantics = nn.Conv2d(scaled(256, width), classes, 1)
        self.ensemble = Ensemble(networks, self.inputs)
        # Of each cluster: its mean gist, and the share of each semantic class.
        self.register_buffer("centers", torch.zeros(networks, gist.CHANNELS))
        self.register_buffer("histograms", torch.zeros(networks, max(1, classes)))

    @property
    def inputs(self) -> int:
        """Features of a pixel: 49 + 32 + 33 = 114 in the paper."""
        return PATCH**2 + (daisy.CHANNELS if self.daisy else 0) + self.classes

    def scores(self, lightness: Tensor) -> Tensor:
        """Of the semantic classes, N×1×H×W L* → N×C×H/4×W/4, float32."""
        assert self.trunk is not None
        h = self.trunk.features(lightness)
        with torch.autocast(h.device.type, enabled=False):
            scores: Tensor = self.semantics(h.float())
            return scores

    def semantic_map(self, lightness: Tensor) -> Tensor | None:
        """Probabilities of the classes at every pixel, smoothed along the picture's edges.

        Args:
            lightness: N×1×H×W, L*.

        Returns:
            N×C×H×W; None without semantic features.
        """
        if self.trunk is None:
            return None
        scores = F.interpolate(self.scores(lightness), lightness.shape[2:], mode="bilinear")
        return domain_transform(scores.softmax(1), gray_of(lightness))

    def features(self, lightness: Tensor, semantic: Tensor | None) -> Tensor:
        """What a perceptron sees of each pixel (section III-B).

        Args:
            lightness: N×1×H×W, L*.
            semantic: from `semantic_map`.

        Returns:
            N×inputs×H×W, each of about unit size.
        """
        gray = gray_of(lightness)
        n, _, height, width = gray.shape
        around = F.pad(4 * gray - 2, (PATCH // 2,) * 4, mode="replicate")
        parts = [F.unfold(around, PATCH).reshape(n, PATCH**2, height, width)]
        if self.daisy:
            parts.append(daisy.daisy(gray) * daisy.CHANNELS - 1)
        if semantic is not None:
            parts.append(semantic)
        return torch.cat(parts, dim=1)

    def nearest_cluster(self, lightness: Tensor, semantic: Tensor | None) -> Tensor:
        """The cluster of each picture (section III-C-1), N indices.

        The nearest by gist are candidates; the cosine of the semantic histograms chooses.
        """
        distance = torch.cdist(gist.gist(gray_of(lightness)), self.centers)
        count = min(CANDIDATES if semantic is not None else 1, len(self.ensemble))
        candidates = distance.topk(count, dim=1, largest=False).indices
        if semantic is None:
            return candidates[:, 0]
        share = semantic.mean((2, 3))
        likeness = F.cosine_similarity(share[:, None], self.histograms[candidates], dim=2)
        return candidates.gather(1, likeness.argmax(1, keepdim=True))[:, 0]

    def context(self, lightness: Tensor) -> Tensor | None:
        """The index of the shot's cluster: one perceptron a shot."""
        return self.nearest_cluster(lightness, self.semantic_map(lightness))

    @torch.no_grad()
    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Chroma of every pixel (Algorithm 2), see `Colorizer.forward`.

        Without gradients: what is trained is `scores` and the ensemble.
        """
        self.check_guidance(guidance)
        semantic = self.semantic_map(lightness)
        with torch.autocast(lightness.device.type, enabled=False):
            if context is None:
                context = self.nearest_cluster(lightness, semantic)
            cluster = context.expand(len(lightness)).tolist()
            features = self.features(lightness, semantic)
            uv = torch.cat(
                [self.ensemble.one(k, f[None]) for k, f in zip(cluster, features, strict=True)]
            )
            if self.refine:
                uv = ops.joint_bilateral(uv, lightness)
            rgb = yuv_to_rgb(torch.cat([gray_of(lightness), uv], dim=1)).clamp(0, 1)
            return ops.rgb_to_lab(rgb)[:, 1:].contiguous()


def recognize(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """The options of the network that a state dict belongs to; None if it is another's.

    Whether it refines is not seen from its weights.
    """
    first = state.get("ensemble.weights.0")
    if first is None or "centers" not in state or first.dim() != 3:
        return None
    options: dict[str, Any] = {"networks": first.shape[0], "classes": 0}
    if "semantics.weight" in state:
        stem, deep = (state[f"trunk.model{k}.0.weight"].shape[0] for k in (1, 4))
        width = width_of({64: stem, 512: deep, 256: state["semantics.weight"].shape[1]})
        if width is None:
            return None
        options |= {"classes": state["semantics.weight"].shape[0], "width": width}
    described = first.shape[2] - PATCH**2 - options["classes"]
    return options | {"daisy": described == daisy.CHANNELS} if described >= 0 else None
