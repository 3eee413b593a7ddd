#!/usr/bin/env bash
# Guess: the same tensors and the same metadata make the same safetensors file, so that a digest of
#   the file says whether two trainings ended in the same weights.
# Truth (safetensors 0.8.0): tensors are ordered, metadata is not: with two entries or more its order
#   in the header is a matter of chance, even from one call to the next in one process.
# Why film work meets it: a colored film names the SHA-256 of the weights that colored it; a run that
#   is made again from the same checkpoint must carry the same name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import hashlib
import json

import numpy as np
import safetensors
from safetensors.numpy import save

print("safetensors", safetensors.__version__)
tensors = {name: np.arange(4, dtype=np.float32) for name in ("b", "a", "c")}
metadata = {"model": "x", "options": "{}", "provenance": "{}", "temperature": "0.5"}


def header(content):
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])


files = [save(tensors, metadata=metadata) for _ in range(40)]
digests = {hashlib.sha256(f).hexdigest() for f in files}
orders = {tuple(header(f)["__metadata__"]) for f in files}
tensor_orders = {tuple(k for k in header(f) if k != "__metadata__") for f in files}
print(f"40 calls, one content: {len(digests)} digests, {len(orders)} orders of the metadata, "
      f"{len(tensor_orders)} of the tensors")
single = {hashlib.sha256(save(tensors, metadata={"model": "x"})).hexdigest() for _ in range(40)}
print(f"with one entry: {len(single)} digest")
assert len(digests) == len(orders) > 1
assert len(tensor_orders) == len(single) == 1
PY
