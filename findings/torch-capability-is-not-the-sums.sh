#!/usr/bin/env bash
# Guess:  two machines whose torch says the same of their processors (torch.backends.cpu
#         .get_cpu_capability(), such as AVX2 or AVX512) give a network's output the same bits.
# Truth:  that word is of torch's own kernels. Convolutions are oneDNN's and matrix products MKL's,
#         which choose by finer instruction sets, caches and maker: with oneDNN held to what an older
#         processor has, the word stays and the bits of a convolution change.
# Seen:   torch 2.13.0 (CPU), x86-64 with AVX-512.
# Why film work meets it: segments of one film that several machines made are only mixed where their
#         bits would be equal; a cache that is named by torch's word mixes those that are not.
set -euo pipefail
grep -qw avx512f /proc/cpuinfo || { echo "needs a processor with AVX-512"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/check.py" <<'PY'
import hashlib

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(0)
picture = torch.rand(1, 64, 32, 32, generator=generator)
kernel = torch.rand(64, 64, 3, 3, generator=generator)
out = F.conv2d(picture, kernel, padding=1)
print(torch.backends.cpu.get_cpu_capability(), hashlib.sha256(out.numpy().tobytes()).hexdigest()[:16])
PY
newer=$("$folder/venv/bin/python" "$folder/check.py")
older=$(ONEDNN_MAX_CPU_ISA=AVX2 "$folder/venv/bin/python" "$folder/check.py")
echo "all of the processor: $newer"
echo "oneDNN held to AVX2:  $older"
[[ ${newer% *} == "${older% *}" && ${newer#* } != "${older#* }" ]]
