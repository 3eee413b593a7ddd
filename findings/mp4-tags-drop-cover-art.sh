#!/bin/bash
# guess: an option that lets an MP4 hold more tags (-movflags use_metadata_tags) takes nothing away.
# truth: FFmpeg's MP4 muxer then leaves the cover art out without a word: the file has no "covr" and is read with
#        one stream; without the option the same packet is there, as a second stream.
# version: PyAV 18.1.0 (FFmpeg 8.1.2).  Whoever wants own tags in an access copy (reel, source, tool)
#        loses the picture that the archive's catalog shows for it.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install av==18.1.0
v/bin/python - <<'P'
import av
from av.stream import Disposition
print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)
av.logging.set_level(av.logging.WARNING)
with av.open("cover.png", "w", format="image2", options={"update": "1"}) as out:
    s = out.add_stream("png", rate=25, width=32, height=32, pix_fmt="rgb24")
    out.mux(s.encode(av.VideoFrame(32, 32, "rgb24"))); out.mux(s.encode(None))

def film(name, **options):
    with av.open("cover.png") as picture, av.open(name, "w", options=options) as out:
        s = out.add_stream("mpeg4", rate=25, width=64, height=64, pix_fmt="yuv420p")
        art = out.add_stream_from_template(picture.streams.video[0])
        art.disposition = Disposition.attached_pic
        for n in range(3):
            f = av.VideoFrame(64, 64, "yuv420p"); f.pts = n
            out.mux(s.encode(f))
        out.mux(s.encode(None))
        packet = next(picture.demux(video=0))
        packet.stream, packet.pts, packet.dts = art, 0, 0
        out.mux(packet)
    with open(name, "rb") as file, av.open(name) as got:
        return b"covr" in file.read(), [s.codec_context.name for s in got.streams]

plain, tagged = film("a.mp4"), film("b.mp4", movflags="use_metadata_tags")
print("without the option: covr, streams:", *plain)
print("with it:            covr, streams:", *tagged)
assert plain == (True, ["mpeg4", "png"]) and tagged == (False, ["mpeg4"])
P
