#!/usr/bin/env bash
# libde265 decodes strongly compressed HEVC pictures in 4:4:4 to wrong colours, without an error. The same HEIC, written by
# libheif and x265, is read by libheif (with libde265) and by FFmpeg: at quality 10 and more both give the same pixels, at
# quality 5 they are 12 grey levels apart on average, at quality 2 more than 20, and FFmpeg is the nearer one to the
# picture that was encoded. In 4:2:0 they agree to less than a level at every quality. Whoever takes libheif for the
# reference of a HEIC in 4:4:4 should not do so at the lowest qualities.
#
# Seen with pillow-heif 1.8.1 (libheif 1.23.6, libde265 1.1.3, x265 4.3) and av 18.1.0 from PyPI, mean differences in grey levels:
#   4:4:4, quality 2: libheif and FFmpeg 21.67, libheif and the source 27.2, FFmpeg and the source 16.5
#   4:4:4, quality 5: libheif and FFmpeg 12.03, libheif and the source 20.2, FFmpeg and the source 16.4
#   4:4:4, quality 10: libheif and FFmpeg 0.00, libheif and the source 16.3, FFmpeg and the source 16.3
#   4:2:0, quality 2: libheif and FFmpeg 0.69, libheif and the source 16.0, FFmpeg and the source 16.0
#
# Needs python3 with venv, on Linux with glibc; changes nothing outside of a temporary folder.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv env
env/bin/pip install --quiet pillow==13.0.0 pillow-heif==1.8.1 av==18.1.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
import sys

import av
import numpy
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
y, x = numpy.mgrid[0:80, 0:96]
smooth = numpy.stack([x * 2.6, y * 3.1, 255 - x * 2], -1)
noise = numpy.random.default_rng(1).normal(0, 20, smooth.shape)
source = numpy.clip(smooth + noise, 0, 255).astype("uint8")
apart = {}
for chroma, quality in [("444", 2), ("444", 5), ("444", 10), ("420", 2)]:
    name = f"{chroma}-{quality}.heic"
    pillow_heif.encode("RGB", (96, 80), source.tobytes(), name, quality=quality, chroma=chroma)
    with Image.open(name) as picture:
        libheif = numpy.asarray(picture.convert("RGB")).astype(int)
    with av.open(name) as container:
        frame = next(container.decode(video=0))
    ffmpeg = frame.to_ndarray(format="rgb24")[:80, :96].astype(int)
    mean = lambda one, other: numpy.abs(one - other).mean()
    apart[chroma, quality] = mean(libheif, ffmpeg)
    print(
        f"4:{chroma[1]}:{chroma[2]}, quality {quality}: libheif and FFmpeg {mean(libheif, ffmpeg):.2f}, "
        f"libheif and the source {mean(libheif, source):.1f}, FFmpeg and the source {mean(ffmpeg, source):.1f}"
    )
as_seen = (
    apart["444", 2] > 15 and apart["444", 5] > 8 and apart["444", 10] < 1 and apart["420", 2] < 1
)
sys.exit(0 if as_seen else 1)
PYTHON
