#!/bin/bash
# Guess: a DPX that FFmpeg writes says nothing of rate and timecode, so readers find nothing of them.
# Truth: its header ends after 1664 of 2048 bytes and the pixels begin there (offset 1664, which the file says).
#   OpenImageIO 3.2 reads all of the 2048 bytes whatever the offset: pixels become a timecode, frame rates, a slate.
#   The aspect of the pixels is 0, for FFmpeg writes zeros where the standard has "undefined" as all ones.
# Version: PyAV 18.1.0 (FFmpeg 8.1.2), OpenImageIO 3.2.2.0.
# Film work meets it with DPX made by FFmpeg for grading programs that are built on OpenImageIO: a shot is placed by a
#   timecode that is a row of pixels.  Write the whole header (SMPTE ST 268-1), undefined fields as all ones.
set -eu
D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
python3 -m venv "$D/v"; "$D/v/bin/pip" -q install av==18.1.0 numpy==2.4.6 OpenImageIO==3.2.2.0
"$D/v/bin/python" - "$D" <<'P'
import struct, sys
import av, numpy as np, OpenImageIO as oiio
from fractions import Fraction

encoder = av.CodecContext.create("dpx", "w")
encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "gbrp10le"
encoder.time_base = Fraction(1, 24)
frame = av.VideoFrame(64, 48, "gbrp10le")
for n, plane in enumerate(frame.planes):
    rows = np.frombuffer(plane, "<u2").reshape(48, -1)
    rows[:, :64] = np.arange(64) * 8 + 100 * n + 64
data = b"".join(bytes(p) for p in (*encoder.encode(frame), *encoder.encode(None)))
order = ">" if data[:4] == b"SDPX" else "<"
offset = struct.unpack_from(order + "I", data, 4)[0]
whole = bytearray(data[:1664] + b"\xff" * 384)
for at in (4, 808):
    struct.pack_into(order + "I", whole, at, 2048)
struct.pack_into(order + "I", whole, 16, 2048 + len(data) - offset)
told = {}
for name, content in (("short", data), ("whole", bytes(whole) + data[offset:])):
    path = f"{sys.argv[1]}/{name}.dpx"
    open(path, "wb").write(content)
    picture = oiio.ImageInput.open(path)
    spec = picture.spec()
    told[name] = {a.name: a.value for a in spec.extra_attribs}, picture.read_image("uint16")
print("PyAV", av.__version__, "OpenImageIO", oiio.VERSION_STRING, "offset", offset)
keys = ("dpx:TimeCode", "dpx:FrameRate", "dpx:TemporalFrameRate", "PixelAspectRatio")
for name, (fields, _) in told.items():
    print(name, {k: fields.get(k) for k in keys})
assert offset == 1664
assert "dpx:TimeCode" in told["short"][0] and "dpx:FrameRate" in told["short"][0]
assert "dpx:TimeCode" not in told["whole"][0] and "dpx:FrameRate" not in told["whole"][0]
assert told["short"][0]["PixelAspectRatio"] == 0
assert (told["short"][1] == told["whole"][1]).all()  # the pixels are the same
P
