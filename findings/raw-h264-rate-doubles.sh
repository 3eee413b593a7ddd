#!/bin/bash
# guess: av_guess_frame_rate (PyAV: guessed_rate) is the safest answer to "how many frames a second".
# truth: of raw progressive H.264 at 12 frames a second (VUI: time scale 24, one tick a field) FFmpeg 8.1
#        guesses 24, the rate of fields, though the decoder's own framerate is 12; at 18 and 24 it is right.
#        FFmpeg 5.1's ffprobe says 12.  HEVC of the same film is guessed right.
# version: PyAV 18.1.0 (FFmpeg 8.1.2).  Silent films run at 12 to 18; a bare stream would play twice as fast.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install av==18.1.0
v/bin/python - <<'P'
import av
print(av.library_versions)
seen = {}
for codec, ending in (("libx264", "h264"), ("libx265", "hevc")):
    for rate in (12, 18, 24):
        name = f"{rate}.{ending}"
        options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
        with av.open(name, "w") as out:
            s = out.add_stream(codec, rate=rate, width=64, height=64, pix_fmt="yuv420p", options=options)
            for n in range(12):
                f = av.VideoFrame(64, 64, "yuv420p"); f.pts = n
                out.mux(s.encode(f))
            out.mux(s.encode(None))
        with av.open(name) as film:
            s = film.streams.video[0]
            seen[name] = (int(s.guessed_rate), int(s.codec_context.framerate))
            print(name, "guessed", s.guessed_rate, "decoder's own", s.codec_context.framerate)
assert seen["12.h264"] == (24, 12), seen
assert all(a == b for k, (a, b) in seen.items() if k != "12.h264"), seen
P
