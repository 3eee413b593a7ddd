#!/bin/bash
# Guess: Pillow reads an uncompressed TIFF with Orientation 6 as it reads the same picture in LZW: turned upright.
# Truth: Pillow 13.0.0 fills a picture of the turned size with the rows as stored, and turns that: stripes, of the stored size.
# Compressed TIFF goes through libtiff and is right.  tifffile and Pillow's own LZW agree on the samples.
# Film work meets it with stills and slides: a camera or scanner on its side writes the tag, and no compression.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
python3 -m venv "$D/v"; "$D/v/bin/pip" -q install pillow==13.0.0 numpy==2.4.6
"$D/v/bin/python" - "$D" <<'E'
import sys, PIL, numpy as np
from PIL import Image
d = sys.argv[1]; a = (np.arange(48 * 64) % 251).astype("u1").reshape(48, 64); right = np.rot90(a, 3); same = {}
for name in ("raw", "tiff_lzw"):
    Image.fromarray(a).save(d + "/a.tif", compression=name if name != "raw" else None, tiffinfo={274: 6})
    with Image.open(d + "/a.tif") as image:
        found = np.asarray(image)
    same[name] = bool(found.shape == right.shape and (found == right).all())
    print("Pillow", PIL.__version__, name, found.shape, "upright" if same[name] else "not the picture",
          "rows run on" if found.shape == a.shape and (np.rot90(a.reshape(64, 48), 3) == found).all() else "")
assert same == {"raw": False, "tiff_lzw": True}
E
