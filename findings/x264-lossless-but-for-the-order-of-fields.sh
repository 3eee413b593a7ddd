#!/bin/bash
# guess: with qp=0 libx264 gives back each sample, whatever order of fields it was opened with; the order is a mark for
#        players.
# truth: opened for one order (x264-params tff=1, its default, or bff=1) and fed frames that are marked with the other, it
#        says nothing, and some hundred luma samples come back one code higher or lower.  Opened for the order that the frames
#        have, each sample comes back; so it does where each frame is coded by itself.  A frame without a mark
#        counts as bottom first.  PyAV's decoder (FFmpeg 8.1) and Debian's (5.1) read the same
#        samples, so it is not one decoder's slip.
# version: PyAV 18.1.0 (FFmpeg 8.1.2), libx264 as in its wheel.
# Film work meets it: lossless copies of tapes, where DV is bottom first and a container calls it progressive.
# Needs ffmpeg (Debian), to make the film and to read it a second time.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install av==18.1.0 numpy==2.4.6
ffmpeg -v error -f lavfi -i mandelbrot=s=352x288:r=50 -frames:v 12 \
  -vf "format=gray,tinterlace=interleave_bottom,format=yuv420p" -f rawvideo film.raw
cat > t.py <<'P'
import subprocess
from fractions import Fraction

import av
import av.filter
import numpy as np
from av.codec.context import Flags

W, H = 352, 288
kept = np.fromfile("film.raw", np.uint8).reshape(-1, H * 3 // 2, W)

def marked(frame, mode):
    graph = av.filter.Graph()
    source = graph.add_buffer(width=W, height=H, format=frame.format, time_base=Fraction(1, 25))
    mark, sink = graph.add("setfield", f"mode={mode}"), graph.add("buffersink")
    source.link_to(mark); mark.link_to(sink); graph.configure(); graph.push(frame)
    return graph.pull()

def differ(mark, opened):
    """(samples of luma, of chroma, most codes, whether both decoders agree)"""
    with av.open("out.mkv", "w") as film:
        s = film.add_stream("libx264", rate=25, options={"qp": "0", "x264-params": f"weightp=0:{opened}"})
        s.width, s.height, s.pix_fmt = W, H, "yuv420p"
        s.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        for n, planes in enumerate(kept):
            f = av.VideoFrame.from_ndarray(np.ascontiguousarray(planes), format="yuv420p")
            f = marked(f, mark) if mark else f
            f.pts, f.time_base = n, Fraction(1, 25)
            film.mux(s.encode(f))
        film.mux(s.encode(None))
    with av.open("out.mkv") as film:
        got = np.stack([f.to_ndarray(format="yuv420p") for f in film.decode(video=0)])
    command = ["ffmpeg", "-v", "error", "-i", "out.mkv", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    other = np.frombuffer(subprocess.run(command, stdout=-1, check=True).stdout, np.uint8)
    wrong = got.astype(int) - kept
    return (int((wrong[:, :H] != 0).sum()), int((wrong[:, H:] != 0).sum()), int(abs(wrong).max()),
            bool((other == got.ravel()).all()))

av.logging.set_level(av.logging.WARNING)
print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)
found = {}
for mark, opened in (("bff", "tff=1"), ("bff", "bff=1"), ("tff", "tff=1"), ("tff", "bff=1"), ("", "tff=1"), ("", "bff=1"),
                     ("bff", "tff=1:keyint=1")):
    luma, chroma, most, agree = found[mark, opened] = differ(mark, opened)
    print(f"frames {mark or 'without a mark':14} opened with {opened:14}: {luma} samples of luma differ, {chroma} of chroma, "
          f"by {most} at most; decoders agree: {agree}")
assert all(chroma == 0 and agree for _, chroma, _, agree in found.values())
for (mark, opened), (luma, _, most, _) in found.items():
    other = (mark or "bff") not in opened and "keyint" not in opened
    assert (luma > 100 and most == 1) if other else luma == 0
P
v/bin/python t.py 2> said || { cat said; exit 1; }
cat said; [ ! -s said ]
