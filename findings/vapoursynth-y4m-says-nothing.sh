#!/bin/bash
# Guess: Y4M from VapourSynth (vspipe -c y4m, clip.output(y4m=True)) says in its header what the frames' properties say, as
# far as the format has words for it: ffmpeg's own Y4M has I for fields, A for the pixel's shape, C420mpeg2 for chroma at
# the left, XCOLORRANGE for the range.
# Truth: with VapourSynth R81 the header is the same whatever the properties are: Ip, A0:0, a bare C420 and no range. FFmpeg
# takes a bare C420 as chroma in the center, and the rest as progressive, square and limited when it converts.
# Film work meets it in every `vspipe -c y4m script.vpy - | ffmpeg -i - ...`: an interlaced anamorphic scan comes out as
# progressive and square, full range as unsaid, and colors move by half a luma sample when the chroma is resampled by its tag.
# Needs Python 3.12 or newer as python3 (or PYTHON=...), with venv; ffmpeg and ffprobe (Debian: ffmpeg).
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
"${PYTHON:-python3}" -m venv "$D/v"; "$D/v/bin/pip" -q install vapoursynth==81
ffmpeg -version | head -n 1
ffmpeg -v error -f lavfi -i color=gray:size=64x48:rate=24 -frames:v 1 -f yuv4mpegpipe -pix_fmt yuv420p \
  -vf "setsar=16/11,setparams=range=pc:field_mode=tff" -color_range pc -field_order tt \
  -chroma_sample_location left "$D/ffmpeg.y4m"
cd "$D"; v/bin/python - <<'P'
import io, subprocess
import vapoursynth as vs
core = vs.core
print("VapourSynth", vs.__version__)
print("ffmpeg's own:", open("ffmpeg.y4m", "rb").readline().decode().strip())
blank = core.std.BlankClip(format=vs.YUV420P8, width=64, height=48, length=1, fpsnum=24)
headers = set()
for location in (0, 1, 2):
    for said in ({"_Range": 0, "_FieldBased": 0}, {"_Range": 1, "_FieldBased": 2, "_SARNum": 16, "_SARDen": 11}):
        out = io.BytesIO()
        core.std.SetFrameProps(blank, _ChromaLocation=location, **said).output(out, y4m=True)
        header = out.getvalue().split(b"\n")[0].decode()
        print({"_ChromaLocation": location, **said}, "->", header)
        headers.add(header)
assert headers == {"YUV4MPEG2 C420 W64 H48 F24:1 Ip A0:0 XLENGTH=1"}, headers
open("left.y4m", "wb").write(out.getvalue())
asked = ["ffprobe", "-v", "error", "-of", "csv=p=0", "left.y4m", "-show_entries",
         "stream=chroma_location,color_range,field_order,sample_aspect_ratio"]
told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
print("ffprobe of the last:", told)
assert "center" in told and "progressive" in told and "pc" not in told, told
P
