"""Self-attention over the places of a map."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Places of one material look at each other, wherever in the picture they lie.

    Self-attention (Vaswani et al., 2017) with normalized queries and keys (Henry et al., 2020),
    added to what came in; nothing at first.  The gain is as that of `Hints`.
    """

    GAIN = 4.0

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.keys = heads * max(8, channels // (2 * heads) // 8 * 8)
        self.mixed = nn.Conv2d(channels, 2 * self.keys + channels, 1, bias=False)
        self.sharpness = nn.Parameter(torch.full((heads, 1, 1), 4.0))
        self.out = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×h×w → the same."""
        n, c, h, w = x.shape
        parts = self.mixed(x).flatten(2).split([self.keys, self.keys, c], dim=1)
        q, k, v = (p.unflatten(1, (self.heads, -1)).transpose(2, 3) for p in parts)
        q = F.normalize(q.float(), dim=-1) * self.sharpness
        k = F.normalize(k.float(), dim=-1)
        seen = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, scale=1.0)
        seen = seen.transpose(2, 3).reshape(n, c, h, w)
        seen = seen.contiguous(memory_format=torch.channels_last)
        return x + self.out(seen) * self.GAIN  # type: ignore[no-any-return]
