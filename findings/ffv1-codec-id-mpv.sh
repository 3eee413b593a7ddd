#!/bin/bash
# guess: a MKV of FFV1, an archive's format for twelve years, opens in any player that knows both.
# truth: FFmpeg 8 names the track V_FFV1 (RFC 9043, 4.3.3); up to 5.1 it was V_MS/VFW/FOURCC.  mpv 0.35.1, whose
#        FFmpeg decodes FFV1 and whose FFmpeg's demuxer knows the name, reads Matroska by itself and refuses it.
#        A copy by FFmpeg 5.1, packet by packet the same, opens.
# version: PyAV 18.1.0 (FFmpeg 8.1.2); requires Debian 12's mpv (0.35.1) and ffmpeg (5.1).
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install av==18.1.0

v/bin/python -c '
import av
print(av.library_versions)
with av.open("new.mkv", "w") as out:
    s = out.add_stream("ffv1", rate=25, width=64, height=64, pix_fmt="yuv420p", options={"level": "3"})
    for _ in range(5): out.mux(s.encode(av.VideoFrame(64, 64, "yuv420p")))
    out.mux(s.encode(None))
'
ffmpeg -v error -i new.mkv -c copy old.mkv
mpv --version | head -n 1
play() { mpv --no-config --vo=null --untimed --msg-level=all=error "$1" >log 2>&1 && echo "$1 opens" || { echo "$1 is refused"; return 1; }; }
grep -c V_FFV1 new.mkv; grep -c V_MS/VFW/FOURCC old.mkv
play old.mkv
! play new.mkv
