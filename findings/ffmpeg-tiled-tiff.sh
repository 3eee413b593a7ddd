#!/bin/bash
# Guess: a decoder that does not know the tiles of TIFF says so.
# Truth: FFmpeg (5.1 of Debian 12, 8.1 in PyAV 18.1.0) decodes a tiled TIFF without an error, as a picture of zeros.
# Film work meets it with scans: several scanners and photo programs write tiles; a reel becomes black, exit code 0.
# Needs Debian's ffmpeg.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
python3 -m venv "$D/v"; "$D/v/bin/pip" -q install av==18.1.0 numpy==2.4.6 tifffile==2026.3.3
ffmpeg -version | head -1
"$D/v/bin/python" - "$D" <<'E'
import subprocess, sys, av, numpy as np, tifffile
d = sys.argv[1]; a = np.tile(np.linspace(0, 65535, 64).astype("u2"), (48, 1))
tifffile.imwrite(d + "/t.tif", a, tile=(16, 16)); tifffile.imwrite(d + "/s.tif", a)
means = {}
for n in "st":
    with av.open(f"{d}/{n}.tif") as c:
        frame = next(c.decode(video=0)); means["av " + n] = float(np.frombuffer(frame.planes[0], "<u2").mean())
    run = subprocess.run(["ffmpeg", "-v", "error", "-i", f"{d}/{n}.tif", "-pix_fmt", "gray16le", "-f", "rawvideo", "-"], capture_output=True)
    print(n, "exit", run.returncode, run.stderr.decode().strip())
    means["ffmpeg " + n] = float(np.frombuffer(run.stdout, "<u2").mean()) if run.stdout else None
print("av", av.__version__, "tifffile", float(tifffile.imread(d + "/t.tif").mean()), means)
assert means["av t"] == 0 and means["av s"] > 30000 and means["ffmpeg s"] > 30000 and means["ffmpeg t"] == 0
E
