#!/bin/bash
# Guess: dropping the alpha plane of planar RGB (gbrap10le to gbrp10le) copies three planes.
# Truth: libswscale of FFmpeg 8.1 (in PyAV 18.1.0) copies half of each row, and leaves the other half as the memory was.
# Eight bits (gbrap) and Y'CbCr with alpha (yuva444p10le) are copied whole.
# Film work meets it with FFV1, CineForm and PNG of 10 to 16 bits with alpha: the right half of every frame is noise.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
python3 -m venv "$D/v"; "$D/v/bin/pip" -q install av==18.1.0 numpy==2.4.6
"$D/v/bin/python" - <<'E'
import av, numpy as np
print("av", av.__version__, "libswscale", av.library_versions["libswscale"])
wrong = {}
for name, kind in (("gbrap10le", "<u2"), ("gbrap16le", "<u2"), ("gbrap", "u1"), ("yuva444p10le", "<u2")):
    frame = av.VideoFrame(1920, 8, name)
    for plane in frame.planes:
        plane.update((np.arange(plane.buffer_size // np.dtype(kind).itemsize) % 251 + 1).astype(kind).tobytes())
    plain = frame.reformat(format=name.replace("gbra", "gbr").replace("yuva", "yuv"), threads=1)
    rows = [np.frombuffer(f.planes[0], kind).reshape(8, -1)[:, :1920] for f in (frame, plain)]
    bad = np.argwhere(rows[0] != rows[1])
    wrong[name] = int(bad[:, 1].min()) if len(bad) else None
    print(name, "first wrong column:", wrong[name])
assert wrong["gbrap10le"] == wrong["gbrap16le"] == 960 and wrong["gbrap"] is wrong["yuva444p10le"] is None
E
