#!/bin/bash
# guess: a muxer that opens without an error holds what it was given, or refuses.
# truth: FFmpeg's MPEG-TS muxer takes 24-bit PCM without a word and writes it as private data, which its own
#        demuxer reads as no sound at all; NUT takes full-range FFV1 and does not store the range, so that
#        readers take it as limited.
# version: PyAV 18.1.0 (FFmpeg 8.1.2).  Broadcast copies and pipes of films.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install av==18.1.0
v/bin/python - <<'P'
import av
print(av.library_versions)
with av.open("a.ts", "w") as out:
    s = out.add_stream("pcm_s24le", rate=48000)
    s.codec_context.layout = "stereo"
    f = av.AudioFrame(format="s32", layout="stereo", samples=4800); f.sample_rate = 48000; f.pts = 0
    out.mux(s.encode(f)); out.mux(s.encode(None))
with av.open("a.ts") as film: sounds = [(x.type, x.codec_context.name if x.codec_context else None) for x in film.streams]
print("PCM in MPEG-TS is read as", sounds)
assert not any(kind == "audio" for kind, _ in sounds)
with av.open("a.nut", "w") as out:
    s = out.add_stream("ffv1", rate=25, width=64, height=64, pix_fmt="yuv420p")
    s.codec_context.color_range = 2
    f = av.VideoFrame(64, 64, "yuv420p"); f.color_range = 2
    out.mux(s.encode(f)); out.mux(s.encode(None))
with av.open("a.nut") as film: told = int(next(film.decode(video=0)).color_range)
print("full range in NUT is read as", told, "(2 is full, 0 is not said)")
assert told != 2
P
