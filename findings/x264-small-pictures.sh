#!/bin/bash
# Guess: libx264 gives equal bytes for equal pictures and options, whatever the number of threads.
# Truth: of pictures of 160x96 and less its macroblock tree (on by default) makes other bytes at every run, with one thread, too;
# with mbtree=0 or without vector code (asm=0) they are equal, and so they are from 176x144 on.
# Film work meets it with thumbnails, drafts and made test films: a run that was resumed seems to differ from one that was not.
# Pictures stay as good; FFmpeg 8.1's libx264 in PyAV 18.1.0.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
python3 -m venv "$D/v"; "$D/v/bin/pip" -q install av==18.1.0 numpy==2.4.6
"$D/v/bin/python" - <<'E'
import hashlib, io
from fractions import Fraction
import av, numpy as np
print("av", av.__version__, "libavcodec", av.library_versions["libavcodec"])

def made(width, height, **params):
    random, digest = np.random.default_rng(0), hashlib.sha256()
    params = ":".join(f"{k}={v}" for k, v in params.items())
    with av.open(io.BytesIO(), "w", format="mp4") as film:
        options = {"crf": "18", "threads": "1", "x264-params": params}
        stream = film.add_stream("libx264", rate=24, options=options, width=width, height=height, pix_fmt="yuv420p")
        y, x = np.mgrid[: height * 3 // 2, :width]
        for n in range(48):
            slope = ((x + 2 * y) / (width + 2 * height) + 0.03 * n) % 1 * 219 + 16
            codes = (slope + random.normal(0, 4, slope.shape)).clip(16, 235).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(codes, "yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 24)
            for packet in stream.encode(frame):
                digest.update(bytes(packet))
        for packet in stream.encode(None):
            digest.update(bytes(packet))
    return digest.hexdigest()

found = {
    "32x24": len({made(32, 24) for _ in range(6)}),
    "32x24 mbtree=0": len({made(32, 24, mbtree=0) for _ in range(6)}),
    "32x24 asm=0": len({made(32, 24, asm=0) for _ in range(3)}),
    "176x144": len({made(176, 144) for _ in range(6)}),
}
print("different outputs:", found)
assert found["32x24"] > 1 and all(v == 1 for k, v in found.items() if k != "32x24")
E
