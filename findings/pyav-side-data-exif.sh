#!/bin/bash
# Guess: frame.side_data.get("DISPLAYMATRIX") gives the matrix or None.
# Truth: with PyAV 18.1.0 it raises ValueError (31 is not a valid Type) for a frame that carries EXIF, which FFmpeg 8
# attaches to JPEG and TIFF pictures, though the matrix is there: frame.rotation tells it.
# Film work meets it with numbered photographs; who catches the error loses the rotation.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
python3 -m venv "$D/v"; "$D/v/bin/pip" -q install av==18.1.0 pillow==13.0.0
"$D/v/bin/python" - "$D" <<'E'
import sys, av
from PIL import Image
exif = Image.Exif(); exif[274] = 6
Image.new("L", (32, 16), 99).save(sys.argv[1] + "/a.jpg", exif=exif.tobytes())
with av.open(sys.argv[1] + "/a.jpg") as container:
    frame = next(container.decode(video=0))
print("av", av.__version__, "rotation", frame.rotation)
try:
    frame.side_data.get("DISPLAYMATRIX"); said = ""
except ValueError as error:
    said = str(error)
print("side_data.get:", said)
assert frame.rotation == -90 and "31 is not a valid" in said
E
