"""Color a NumPy frame: 10 lines of gradient stand for what your program decodes."""

import numpy as np

import pycolor

ramp = np.linspace(0, 255, 320, dtype=np.uint8)
frame = np.tile(ramp, (180, 1))  # H×W, 8 bits; uint16 and float32 in 0 … 1 work as well

colored = pycolor.color(frame)

print(colored.shape, colored.dtype)  # (180, 320, 3) uint8
