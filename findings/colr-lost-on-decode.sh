#!/bin/bash
# guess: a stream's color tags are what its container says, whatever has been decoded so far.
# truth: ProRes whose frame header says "unspecified" in a MOV whose colr atom says BT.709: the stream says
#        1/1/1 when it is opened, the frames say 2/2/2, and after the first frame the stream says 2/2/2 too:
#        the decoder writes over it, so the colr atom is gone for whoever asks late.
# version: PyAV 18.1.0 (FFmpeg 8.1.2).  Masters that were tagged after coding (a colr atom added by a tool).
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install av==18.1.0
v/bin/python - <<'P'
import av
print(av.library_versions)
with av.open("in.mov", "w", options={"movflags": "write_colr"}) as out:
    s = out.add_stream("prores_ks", rate=24, width=64, height=64, pix_fmt="yuv422p10le")
    for n in range(3): out.mux(s.encode(av.VideoFrame(64, 64, "yuv422p10le")))
    out.mux(s.encode(None))
# colr is written from the stream's tags, the frame header from the encoder's: tag a copy only
with av.open("in.mov") as film, av.open("tagged.mov", "w", options={"movflags": "write_colr"}) as out:
    old = film.streams.video[0]
    new = out.add_stream_from_template(old, opaque=True)
    new.codec_context.colorspace = new.codec_context.color_primaries = new.codec_context.color_trc = 1
    for p in film.demux(old):
        if p.size: p.stream = new; out.mux(p)
with av.open("tagged.mov") as film:
    c = film.streams.video[0].codec_context
    before = (c.colorspace, c.color_primaries, c.color_trc)
    f = next(film.decode(video=0))
    frame = (int(f.colorspace), int(f.color_primaries), int(f.color_trc))
    after = (c.colorspace, c.color_primaries, c.color_trc)
print("stream", before, "frame", frame, "stream afterwards", after)
assert before == (1, 1, 1) and frame == after == (2, 2, 2)
P
