"""What decides the bits of a network's output beside its weights: device, type, instruction set."""

from __future__ import annotations

import torch

from pycolor.models.predictor import Predictor
from pycolor.video.job.record.processor import processor


def arithmetic_of(predictor: Predictor, *, mix: bool = False) -> dict[str, str]:
    """The arithmetic of a predictor.

    Args:
        predictor: on its device.
        mix: leave out what differs from machine to machine: chroma may then differ in its last
            bits between segments that different machines made.
    """
    told = {"dtype": str(predictor.dtype).removeprefix("torch.")}
    if mix:
        return told
    told["device"] = predictor.device.type
    if predictor.device.type == "cuda":
        told["unit"] = torch.cuda.get_device_name(predictor.device)
    else:
        told["unit"] = processor()
    return told
