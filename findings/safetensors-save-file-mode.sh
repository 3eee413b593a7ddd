#!/usr/bin/env bash
# Guess: safetensors' save_file opens the name it is given and writes: the new file has the mode that
#   the umask leaves (0644), an existing file keeps its mode and owner, and a link is followed.
# Truth (safetensors 0.8.0): it writes a temporary file of mode 0600 and renames it onto the name.
#   Every weight file is its owner's alone whatever the umask, an existing file loses its mode and
#   its inode, and a link is replaced by a file.  save() with the bytes written by oneself does not.
# Why film work meets it: one seat trains or converts weights on shared storage, the others color with
#   them; a "current.safetensors" that was a link to the approved weights quietly becomes a copy.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import os
import stat

import numpy as np
import safetensors
from safetensors.numpy import save, save_file

print("safetensors", safetensors.__version__)
os.umask(0o022)
weights = {"layer.weight": np.zeros((2, 3), np.float32)}


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


save_file(weights, "new.safetensors")
print(f"a new file: {mode('new.safetensors'):04o} under umask 022")

with open("old.safetensors", "wb") as f:
    f.write(save(weights))
print(f"save() and write(): {mode('old.safetensors'):04o}")
plain = mode("old.safetensors")
os.chmod("old.safetensors", 0o664)
inode = os.stat("old.safetensors").st_ino
save_file(weights, "old.safetensors")
print(f"an existing file of 0664: {mode('old.safetensors'):04o}, "
      f"same inode: {os.stat('old.safetensors').st_ino == inode}")

os.symlink("new.safetensors", "current.safetensors")
save_file(weights, "current.safetensors")
print("a link is still a link:", os.path.islink("current.safetensors"))

assert mode("new.safetensors") == mode("old.safetensors") == 0o600
assert plain == 0o644
assert os.stat("old.safetensors").st_ino != inode
assert not os.path.islink("current.safetensors")
PY
