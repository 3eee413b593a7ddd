#!/bin/bash
# Guess: libx264 gives equal bytes for equal pictures and options in one process, with one thread all the more.
# Truth: of small pictures (64x48) its macroblock tree, on by default, makes other bytes from run to run, depending on what the memory held before;
# with mbtree=0 or without vector code (asm=0) they are equal, and so they are at 176x144. All of them decode, and look alike.
# Film work meets it with thumbnails, drafts and made test films: a run that was resumed seems to differ from one that was not.
# libx264 of FFmpeg 8.1 in PyAV 18.1.0, x86-64 with AVX-512.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
python3 -m venv "$D/v"; "$D/v/bin/pip" -q install av==18.1.0 numpy==2.4.6
"$D/v/bin/python" - <<'E'
import hashlib, io
from fractions import Fraction
import av, numpy as np
print("av", av.__version__, "libavcodec", av.library_versions["libavcodec"])

def made(width, height, run, **params):
    """Digest of 48 frames in H.264; each run leaves other numbers in the memory that it frees first."""
    other = np.random.default_rng(run)
    freed = [other.integers(0, 255, int(n), dtype=np.uint8) for n in other.integers(1000, 120000, 400)]
    del freed
    random, digest = np.random.default_rng(0), hashlib.sha256()
    with av.open(io.BytesIO(), "w", format="mp4") as film:
        options = {"crf": "18", "threads": "1", "x264-params": ":".join(f"{k}={v}" for k, v in params.items())}
        stream = film.add_stream("libx264", rate=24, options=options, width=width, height=height, pix_fmt="yuv420p")
        y, x = np.mgrid[: height * 3 // 2, :width]
        for n in range(49):
            slope = ((x + 2 * y) / (width + 2 * height) + 0.03 * n) % 1 * 219 + 16
            codes = (slope + random.normal(0, 4, slope.shape)).clip(16, 235).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(codes, "yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 24)
            for packet in stream.encode(frame if n < 48 else None):
                digest.update(bytes(packet))
                film.mux(packet)
    return digest.hexdigest()

kinds = {"64x48": {}, "64x48 mbtree=0": {"mbtree": 0}, "64x48 asm=0": {"asm": 0}, "176x144": {}}
found = {}
for name, params in kinds.items():
    width, height = map(int, name.partition(" ")[0].split("x"))
    found[name] = len({made(width, height, run, **params) for run in range(6)})
print("different outputs of 6 runs:", found)
assert found.pop("64x48") > 1 and set(found.values()) == {1}
E
