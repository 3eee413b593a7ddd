#!/bin/bash
# guess: packets of an AVI whose pts rise one by one decode to frames whose pts rise.
# truth: AVI stores no pts; FFmpeg 8.1 makes pts = dts + 1 up for packets of H.264 with B-frames, and the
#        decoder hands them on with the frames, which come in another order: 1, 4, 3, 5, 2, ...
# version: PyAV 18.1.0 (FFmpeg 8.1.2).  Captures of film in AVI; whoever trusts frame.pts moves frames.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install av==18.1.0
v/bin/python - <<'P'
import av, av.filter
print(av.library_versions)
import random
random.seed(1)
with av.open("a.avi", "w") as out:
    s = out.add_stream("libx264", rate=25, width=160, height=128, pix_fmt="yuv420p", options={"bf": "3", "b-adapt": "0"})
    for n in range(16):
        f = av.VideoFrame(160, 128, "yuv420p"); f.pts = n
        plane = bytearray(f.planes[0].buffer_size)
        for y in range(128):
            for x in range(160): plane[y * f.planes[0].line_size + x] = (x + 2 * y + 5 * n) & 255
        f.planes[0].update(bytes(plane))
        out.mux(s.encode(f))
    out.mux(s.encode(None))
with av.open("a.avi") as film:
    packets = [p.pts for p in film.demux(film.streams.video[0]) if p.size]
with av.open("a.avi") as film:
    frames = [f.pts for f in film.decode(film.streams.video[0])]
print("packets", packets); print("frames ", frames)
assert packets == sorted(packets)
assert frames != sorted(frames)
P
