#!/bin/bash
# guess: of a film whose MP4 edit list begins in the middle of a frame, that frame is shown for its second half, or the
#        length of the picture that FFmpeg tells is that of the frames which it gives.
# truth: FFmpeg leaves the cut frame out and moves all others up to time 0, half a frame earlier than the
#        edit list says; the stream's duration stays that of the edit list, half a frame longer than what
#        comes, and the count of frames is that before the cut.
# version: PyAV 18.1.0 (FFmpeg 8.1.2).  `ffmpeg -ss 0.3 -i x.mp4 -c copy y.mp4` makes such films; who looks for
#        missing frames by the header takes them for cut off.
# Needs ffmpeg (Debian), to make the film.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install av==18.1.0
ffmpeg -v error -f lavfi -i testsrc2=s=64x64:r=25 -frames:v 25 -c:v libx264 -bf 0 -pix_fmt yuv420p x.mp4
ffmpeg -v error -ss 0.3 -i x.mp4 -c copy y.mp4
v/bin/python - <<'P'
import struct
import av
print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)
data = open("y.mp4", "rb").read()
at = data.index(b"elst") + 8  # version and flags are 0: entries of duration, media time, rate
(entries,) = struct.unpack(">I", data[at : at + 4])
lasts, begins = struct.unpack(">Ii", data[at + 4 : at + 12])
print(f"edit list: {entries} entry, from tick {begins} on ({begins / 512} frames), {lasts} ms")
with av.open("x.mp4") as film: whole = [bytes(f.planes[0]) for f in film.decode(video=0)]
with av.open("y.mp4") as film:
    s = film.streams.video[0]
    told = s.frames, s.duration, str(s.time_base), s.start_time
    frames = [(f.pts, f.duration, whole.index(bytes(f.planes[0]))) for f in film.decode(s)]
print("frames, duration, time base, start told:", *told)
print("frames that come:", len(frames), "first", frames[0], "last", frames[-1], "(pts, duration, number in x.mp4)")
assert (entries, begins, lasts) == (1, 3840, 700)  # 7.5 frames of 512 ticks
assert told == (25, 8960, "1/12800", 0)  # 17.5 frames
assert frames == [(512 * n, 512, n + 8) for n in range(17)]  # frame 8 is due at tick 256
P
