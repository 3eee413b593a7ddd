#!/usr/bin/env bash
# Guess:  torch's bilinear `interpolate` gives the same bits with one thread and with several.
# Truth:  for some sizes it adds up its four products in another order when it runs in one thread, so the
#         last bit of some results differs; how many threads there are decides, not how many work.
# Seen:   torch 2.13.0 (CPU), x86-64.
# Why film work meets it: a resumed run, or one part of a film made on another machine, must give
#         the bits of the rest; a limit on threads (OMP_NUM_THREADS=1 in a batch job) is enough to
#         break that.  What must not depend on threads is computed by an op of one's own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/check.py" <<'PY'
import sys

import torch
import torch.nn.functional as F

print("torch", torch.__version__)
generator = torch.Generator().manual_seed(0)
flow = torch.rand(1, 3, 18, 32, generator=generator) * 20 - 10
results = {}
for threads in (1, 2, 3):
    torch.set_num_threads(threads)
    results[threads] = F.interpolate(flow, (48, 85), mode="bilinear", align_corners=False)
one = (results[1] != results[2]).sum().item()
more = (results[2] != results[3]).sum().item()
print(f"samples that differ: {one} of {flow.new_empty(1, 3, 48, 85).numel()} between 1 and 2 threads, "
      f"{more} between 2 and 3; largest {float((results[1] - results[2]).abs().max()):.1e}")
sys.exit(0 if one and not more else 1)
PY
"$folder/venv/bin/python" "$folder/check.py"
