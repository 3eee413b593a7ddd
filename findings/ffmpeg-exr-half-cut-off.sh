#!/bin/bash
# Guess: FFmpeg's OpenEXR encoder rounds floats to the nearest half float, as NumPy, OpenEXR and every processor do.
# Truth: it cuts off what a half does not hold, towards zero: the error is up to a whole step, and a ramp becomes darker on the whole.
# FFmpeg 8.1 (in PyAV 18.1.0), -format half. Decoding is exact.
# Film work meets it with color for compositing: chroma of 12 bits in half floats comes back wrong by a code if it was cut off, and right if rounded.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
python3 -m venv "$D/v"; "$D/v/bin/pip" -q install av==18.1.0 numpy==2.4.6
"$D/v/bin/python" - <<'E'
import av, numpy as np
print("av", av.__version__, "libavcodec", av.library_versions["libavcodec"])

def through_exr(values):
    """A row of floats through the encoder and the decoder."""
    frame = av.VideoFrame(len(values), 1, "gbrpf32le")
    for plane in frame.planes:
        np.frombuffer(plane, np.float32)[: len(values)] = values
    encoder = av.CodecContext.create("exr", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = len(values), 1, "gbrpf32le", 1
    encoder.options = {"format": "half", "compression": "none"}
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder = av.CodecContext.create("exr", "r")
    (decoded,) = decoder.decode(av.Packet(b"".join(map(bytes, packets)))) + decoder.decode(None)
    return np.frombuffer(decoded.planes[0], np.float16)[: len(values)].astype(np.float32)

codes = np.arange(256, 3841)  # Cb of 12 bits, limited range
values = ((codes - 2048) / 3584).astype(np.float32)
nearest = values.astype(np.float16).astype(np.float32)
cut = np.where(np.abs(nearest) > np.abs(values), np.nextafter(nearest.astype(np.float16), np.float16(0)), nearest)
found = through_exr(values)
wrong = {name: int((np.rint(x * 3584) + 2048 != codes).sum()) for name, x in (("encoded", found), ("nearest", nearest))}
print("equal to rounding:", bool((found == nearest).all()), "equal to cutting off:", bool((found == cut).all()))
print("codes of 12 bits that come back wrong:", wrong, "of", len(codes))
assert (found == cut).all() and not (found == nearest).all() and wrong["encoded"] > 0 == wrong["nearest"]
assert (through_exr(nearest) == nearest).all()
E
