"""What each query finds among the keys."""

from __future__ import annotations

import torch
from torch import Tensor


def attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Attention with one bias a key: softmax(q xᵀ + b) v (Vaswani et al. 2017, equation 1).

    The query is not scaled.

    Args:
        query: Q×D.
        key: K×D, K ≥ 1.
        value: K×M.
        bias: K, added to the scores of each key.

    Returns:
        Q×M, and the logarithm of the sum of the exponentials, Q.
    """
    scores = query @ key.T + bias
    return torch.softmax(scores, 1) @ value, torch.logsumexp(scores, 1)
