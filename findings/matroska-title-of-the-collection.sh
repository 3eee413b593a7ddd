#!/bin/bash
# guess: the tag TITLE that FFmpeg tells of a Matroska file is the film's.
# truth: Matroska's tags have levels (RFC 9559, 5.1.8.1.1.1: 50 the film, 70 its collection).  FFmpeg's demuxer
#        keeps one value for a name, the last in the file, whatever its level: a film is called by its collection.
#        Editions of chapters beyond the first, nested chapters and further languages are not told either.
# version: PyAV 18.1.0 (FFmpeg 8.1.2).  Archives tag reels, films and collections.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv v && v/bin/pip -q install av==18.1.0
v/bin/python - <<'P'
import av
print(av.library_versions)
def el(i, d):
    n = len(d); return bytes.fromhex(i) + bytes([0x10 | n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255]) + d
def tag(level, name, value):
    return el("7373", el("63C0", el("68CA", bytes([level]))) + el("67C8", el("45A3", name) + el("4487", value)))
with av.open("a.mkv", "w", options={"live": "1"}) as out:
    s = out.add_stream("ffv1", rate=25, width=64, height=64, pix_fmt="gray")
    for _ in range(3): out.mux(s.encode(av.VideoFrame(64, 64, "gray")))
    out.mux(s.encode(None))
data = open("a.mkv", "rb").read()
at = data.index(bytes.fromhex("1F43B675"))
found = {}
for first, second in ((50, 70), (70, 50)):
    names = {50: b"The film", 70: b"The collection"}
    tags = el("1254C367", tag(first, b"TITLE", names[first]) + tag(second, b"TITLE", names[second]))
    open("b.mkv", "wb").write(data[:at] + tags + data[at:])
    with av.open("b.mkv") as film: found[first, second] = {k.lower(): v for k, v in film.metadata.items()}["title"]
print(found)
assert found[50, 70] == "The collection" and found[70, 50] == "The film"
P
