#!/bin/bash
# Guess: the times of a transport stream that was captured over the wrap of its clock (2^33 ticks of 1/90000 s) go on
#   rising beyond 95443 s, or fall back to 0; a film's first frame is at 0 or later.
# Truth: FFmpeg takes 2^33 off all that comes before the wrap if the wrap is near: the film begins at a negative time
#   (start_time -54000 of 1/90000 s), while its raw packets say 2^33 - 54000.  Of one that ends just before the wrap
#   the times are negative throughout: "-0.9 s" may be a whole film.
# Version: PyAV 18.1.0 (FFmpeg 8.1.2).
# Film work meets it with captures of broadcasts: who drops frames before 0, or takes a negative time for an edit list,
#   loses the beginning of the film or all of it.
set -eu
D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
python3 -m venv "$D/v"; "$D/v/bin/pip" -q install av==18.1.0
"$D/v/bin/python" - "$D" <<'P'
import sys
import av

def made(path, begin):
    with av.open(path, "w", options={"output_ts_offset": str(begin)}) as container:
        stream = container.add_stream("mpeg2video", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        for _ in range(30):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    with av.open(path) as container:
        picture = container.streams.video[0]
        times = [p.pts for p in container.demux(picture) if p.pts is not None]
        return picture.start_time, times

wrap = 2**33 / 90000
print("PyAV", av.__version__)
for name, begin in (("over the wrap", wrap - 0.6), ("before it", wrap - 2.0), ("far from it", 1000.0)):
    start, times = made(f"{sys.argv[1]}/a.ts", begin)
    print(name, "start_time", start, "first and last", min(times), max(times))
    if name == "over the wrap":
        assert start == min(times) == -54000 and max(times) > 0
    elif name == "before it":
        assert min(times) == -180000 and max(times) < 0
    else:
        assert min(times) == 90_000_000
P
