#!/usr/bin/env bash
# Guess: in a film coded as fields, a frame that is marked progressive is told as progressive or
#   keeps the order of the stream, and the frames before it keep the order that they were given.
# Truth: libx264 takes the order of fields from each frame, a progressive one counts as bottom first,
#   and a change holds for all frames that still wait in its lookahead: one progressive frame behind
#   interlaced ones, top first, turns these into bottom first.
# Version: PyAV 18.1.0 (FFmpeg 8.1), read back by Debian's ffprobe.
# Film work meets it: broadcasts and transfers of old films change from interlaced to progressive in
#   the middle; the wrong order makes every pan of such a copy jump to and fro.
# Needs ffprobe (Debian: ffmpeg).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cat > "$folder/make.py" <<'PYTHON'
import sys
from fractions import Fraction

import av
import av.filter
import numpy as np
from av.codec.context import Flags


def marked(frame: av.VideoFrame, mode: str) -> av.VideoFrame:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=64, height=64, format=frame.format, time_base=Fraction(1, 25))
    mark, sink = graph.add("setfield", f"mode={mode}"), graph.add("buffersink")
    source.link_to(mark)
    mark.link_to(sink)
    graph.configure()
    graph.push(frame)
    return graph.pull()


chance = np.random.default_rng(0)
with av.open(sys.argv[1], "w") as film:
    stream = film.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
    stream.codec_context.field_order = 2  # top first
    stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
    for number in range(12):
        planes = chance.integers(60, 180, (96, 64), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        if number < 11 or sys.argv[2] == "all":
            frame = marked(frame, "tff")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))
PYTHON
count() {
  "$folder/venv/bin/python" "$folder/make.py" "$folder/$1.mkv" "$1"
  ffprobe -v error -show_entries frame=top_field_first -of csv=p=0 "$folder/$1.mkv" | tr -d , | grep -c 1 || true
}
"$folder/venv/bin/python" -c "import av; print('PyAV', av.__version__, av.ffmpeg_version_info)"
all=$(count all)
last=$(count last)
echo "12 frames top first: $all are read top first"
echo "11 of them, and a progressive one at the end: $last are read top first"
[ "$all" = 12 ] && [ "$last" -lt 11 ]
