"""From scores of a palette to colors."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.ops import reference
from pycolor.ops.arguments import check_out, check_tensor, expect, floats, positive, same_device
from pycolor.ops.native import cuda_module, define, implements, stream, threads, view

define(
    "annealed_mean(Tensor logits, Tensor palette, float temperature, Tensor(a!) out) -> ()",
    lambda logits, palette, temperature, out: _C.annealed_mean(
        view(logits), palette.data_ptr(), temperature, view(out), threads()
    ),
    lambda logits, palette, temperature, out: cuda_module().annealed_mean(
        view(logits), logits.dtype.itemsize, palette.data_ptr(), temperature, view(out),
        *stream(logits),
    ),
)  # fmt: skip


def check_scores(logits: Tensor, palette: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Logits and palette as the kernels take them."""
    check_tensor("logits", logits, "N×Q×h×w")
    check_tensor("palette", palette, "Q×2")
    expect(logits.dim() == 4, "logits must be N×Q×h×w, got {}", logits)
    if not (logits.dtype == torch.float16 and logits.is_cuda):
        logits = floats("logits", logits, "N×Q×h×w")
    q = logits.shape[1]
    expect(q > 0, "logits must have at least one entry, got {}", logits)
    expect(
        tuple(palette.shape) == (q, 2),
        "palette must be {0}×2 as the logits have {0} entries, got {1}",
        q,
        palette,
    )
    same_device("palette", palette, logits)
    positive("temperature", temperature)
    return logits, palette.float().contiguous()


@implements(reference.annealed_mean)
def annealed_mean(
    logits: Tensor, palette: Tensor, temperature: float = 0.38, *, out: Tensor | None = None
) -> Tensor:
    """In float32: such logits (or float16 on CUDA) are read in place, others are converted."""
    logits, palette = check_scores(logits, palette, temperature)
    n, _, h, w = logits.shape
    if out is None:
        out = torch.empty(n, 2, h, w, dtype=torch.float32, device=logits.device)
    check_out("out", out, (n, 2, h, w), logits, torch.float32)
    if out.numel() > 0:
        torch.ops.pycolor.annealed_mean(logits, palette, temperature, out)
    return out
