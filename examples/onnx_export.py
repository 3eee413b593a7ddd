"""Export a packaged network to ONNX, of any size of picture, and check it in onnxruntime.

pip install onnx onnxruntime onnxscript
"""

import sys

import numpy as np
import onnxruntime
import torch
from torch.export import Dim

from pycolor.models import zoo
from pycolor.models.checkpoints.weight_files import read
from pycolor.models.checkpoints.weight_names import PACKAGED

name = sys.argv[1] if len(sys.argv) > 1 else "pycolor2026"
file = read(PACKAGED / zoo.card(name).weights)
network = zoo.create(file.model, **file.options).eval().requires_grad_(False)
network.load_state_dict(file.state)

path, sizes = f"{name}.onnx", ({2: Dim.DYNAMIC, 3: Dim.DYNAMIC},)
names = {"input_names": ["lightness"], "output_names": ["scores"]}
torch.onnx.export(network, (torch.rand(1, 1, 160, 240) * 100,), path, dynamic_shapes=sizes, **names)

lightness = torch.rand(1, 1, 96, 128) * 100  # N×1×h×w, L* of CIELAB
[scores] = onnxruntime.InferenceSession(path).run(None, {"lightness": lightness.numpy()})
error = np.abs(scores - network(lightness).numpy()).max()
print(scores.shape, f"largest difference from torch: {error:.1e}")
assert error < 1e-3
