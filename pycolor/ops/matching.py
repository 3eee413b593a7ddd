"""What each query finds among the keys."""

from __future__ import annotations

import platform

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.ops import reference
from pycolor.ops.arguments import check_tensor, expect, same_device
from pycolor.ops.native import define, implements, threads

ROWS = 1024  # queries at once, so that their scores do not fill the memory


def _on_cpu(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, out: Tensor, log_sum: Tensor
) -> None:
    if _C.simd_in_use() == "baseline" and platform.machine() in ("x86_64", "AMD64"):
        return _by_products(query, key, value, bias, out, log_sum)
    (queries, depth), (keys, width) = query.shape, value.shape
    q, k, b, v, o, s = (x.data_ptr() for x in (query, key, bias, value, out, log_sum))
    _C.attention(q, k, b, v, o, s, queries, keys, depth, width, threads())


def _by_products(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, out: Tensor, log_sum: Tensor
) -> None:
    """Two products of matrices, which a GPU's own library does best."""
    for first in range(0, len(query), ROWS):
        rows = slice(first, first + ROWS)
        scores = torch.addmm(bias, query[rows], key.T)
        log_sum[rows] = torch.logsumexp(scores, 1)
        out[rows] = torch.softmax(scores, 1) @ value


define(
    "attention(Tensor query, Tensor key, Tensor value, Tensor bias, Tensor(a!) out, "
    "Tensor(b!) log_sum) -> ()",
    _on_cpu,
    _by_products,
)


@implements(reference.attention)
def attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """An x86 processor without AVX2 has no fused multiply-adds: there, as on a GPU, the products
    are torch's, and the last bits may differ.
    """
    query, key = _floats("query", query, "Q×D", 2), _floats("key", key, "K×D", 2)
    value, bias = _floats("value", value, "K×M", 2), _floats("bias", bias, "K", 1)
    (queries, depth), keys = query.shape, len(key)
    expect(keys > 0, "key must be K×D with K ≥ 1, got {}", key)
    expect(key.shape[1] == depth, "key must be K×{} as the query, got {}", depth, key)
    expect(len(value) == keys, "value must be {}×M as the key, got {}", keys, value)
    expect(len(bias) == keys, "bias must be {} numbers as there are keys, got {}", keys, bias)
    for name, tensor in (("key", key), ("value", value), ("bias", bias)):
        same_device(name, tensor, query)
    out = torch.empty(queries, value.shape[1], dtype=torch.float32, device=query.device)
    log_sum = torch.empty(queries, dtype=torch.float32, device=query.device)
    if queries > 0:
        torch.ops.pycolor.attention(query, key, value, bias, out, log_sum)
    return out, log_sum


def _floats(name: str, tensor: Tensor, shape: str, dimensions: int) -> Tensor:
    """The tensor in float32 and in one piece."""
    check_tensor(name, tensor, shape)
    expect(tensor.dim() == dimensions, "{} must be {}, got {}", name, shape, tensor)
    expect(tensor.is_floating_point(), "{} must be floating point, got {}", name, tensor.dtype)
    return tensor.float().contiguous()
