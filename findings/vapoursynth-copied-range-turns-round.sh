#!/bin/bash
# Guess: a frame property that is read and written back is the same; `f.props["_ColorRange"] = g.props["_ColorRange"]`
# copies the range.
# Truth: with VapourSynth R81 the old name stands for the new one (_Range: 0 limited, 1 full). Written it is turned round, as
# it used to count (1 limited, 0 full); read it is not. So a copy by the old name turns full into limited and limited into
# full, with a DeprecationWarning that says nothing of it (and that Python hides outside of __main__).
# Film work meets it in every script of before R74 that hands properties on: black becomes gray, or gray black.
# Needs Python 3.12 or newer as python3 (or PYTHON=...), with venv.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
"${PYTHON:-python3}" -m venv "$D/v"; "$D/v/bin/pip" -q install vapoursynth==81
"$D/v/bin/python" -W ignore - <<'P'
import vapoursynth as vs
core = vs.core
print("VapourSynth", vs.__version__)
found = []
for name, value in (("full", 1), ("limited", 0)):
    clip = core.std.SetFrameProps(core.std.BlankClip(format=vs.GRAY8, length=1), _Range=value)
    copy = clip.get_frame(0).copy()
    read = int(copy.props["_ColorRange"])
    copy.props["_ColorRange"] = read
    after = int(copy.props["_Range"])
    print(f"{name}: _Range {value}, read by the old name {read}, written back by it: _Range {after}")
    found.append((value, read, after))
assert found == [(1, 1, 0), (0, 0, 1)], found
P
