"""A torch batch through the ops: a model's low-resolution chroma onto full-size Y' planes."""

import torch

from pycolor import Encoding, PredictOptions, Predictor, ops

luma = torch.randint(64, 940, (4, 270, 480), dtype=torch.int32).to(torch.uint16)  # N×H×W, 10 bits
encoding = Encoding(bit_depth=10, matrix="bt709", subsampling="420")

predictor = Predictor(PredictOptions(short_side=96))
field = predictor.predict(luma, encoding)  # N×2×h×w, ab of CIELAB

# One fused op: joint bilateral upsampling, the gamut, the film's own matrix and chroma siting.
cb, cr = ops.render_chroma(field.cpu(), luma, encoding=encoding)
print(cb.shape, cb.dtype)  # torch.Size([4, 135, 240]) torch.uint16
