"""Makes tests/fixtures/matrix: one small picture in the codings that the tests cannot write themselves.

    apt-get install libjpeg-turbo-progs libavif-bin libtiff-tools libjxl-tools  # Debian 12: 2.1.5, 0.11.1, 4.5.0, 0.7.0
    python3 -m venv env && . env/bin/activate
    pip install pillow==13.0.0 pillow-heif==1.8.1 imagecodecs==2026.3.6 numpy
    python make.py

The picture is formats/reference.png, cut to 96 × 80. What each file must decode to is said in cells.rs.
"""

import io
import subprocess
import tempfile
from pathlib import Path

import imagecodecs
import numpy
import pillow_heif
from PIL import Image

fixtures = Path(__file__).parents[2] / "fixtures"
out = fixtures / "matrix"
out.mkdir(exist_ok=True)
picture = Image.open(fixtures / "formats" / "reference.png").convert("RGB").crop((32, 16, 128, 96))
picture.save(out / "reference.png", optimize=True)
pixels = numpy.asarray(picture)
work = Path(tempfile.mkdtemp())
picture.save(work / "p.ppm")
picture.convert("L").save(work / "p.pgm")
picture.save(work / "p.png")


def run(*command):
    subprocess.run([str(part) for part in command], check=True)


# HEVC: chroma format × bits a sample. A smooth picture keeps its bitstream in spite of wrong chroma modes.
for chroma in ["420", "422", "444"]:
    for bits in [8, 10, 12]:
        for quality in [90] if bits != 8 else [90, 40]:
            name = out / f"hevc-{chroma}-{bits}-q{quality}.heic"
            options = {"quality": quality, "chroma": chroma, "save_nclx_profile": True}
            if bits == 8:
                pillow_heif.encode("RGB", picture.size, picture.tobytes(), name, **options)
            else:
                deep = (pixels.astype("<u2") << (bits - 8)) | (pixels >> (16 - bits))
                if bits == 10:
                    mode = "RGB;10"
                else:
                    mode = "RGB;12"
                pillow_heif.encode(mode, picture.size, deep.astype("<u2").tobytes(), name, **options)

# The container's rotation and mirroring.
side = picture.resize((48, 40))
side.save(work / "side.png")
side.save(out / "side.png", optimize=True)
for rotation in range(4):
    for mirror in [None, 0, 1]:
        name = out / f"irot{rotation}-imir{'' if mirror is None else mirror}.avif"
        mirroring = [] if mirror is None else ["--imir", mirror]
        run("avifenc", "--ignore-icc", "-s", 6, "--min", 8, "--max", 12, "--irot", rotation, *mirroring, work / "side.png", name)

# JPEG: how the components are sampled, coded and put into scans.
separate = work / "separate.txt"
separate.write_text("0;\n1;\n2;\n")
progressive = work / "progressive.txt"
progressive.write_text(
    "0,1,2: 0-0, 0, 1;\n0: 1-5, 0, 2;\n2: 1-63, 0, 1;\n1: 1-63, 0, 1;\n0: 6-63, 0, 2;\n0: 1-63, 2, 1;\n"
    "0,1,2: 0-0, 1, 0;\n2: 1-63, 1, 0;\n1: 1-63, 1, 0;\n0: 1-63, 1, 0;\n"
)
for name, options in {
    "separate-2x2": ["-sample", "2x2", "-scans", separate],
    "separate-1x1-restarts": ["-sample", "1x1", "-scans", separate, "-restart", "1"],
    "chroma-finer": ["-sample", "1x1,2x2,2x2"],
    "chroma-mixed": ["-sample", "2x2,2x1,1x2"],
    "luma-3x1": ["-sample", "3x1"],
    "luma-4x1": ["-sample", "4x1"],
    "luma-1x2": ["-sample", "1x2"],
    "rgb": ["-rgb"],
    "arithmetic": ["-arithmetic", "-sample", "2x2"],
    "arithmetic-restarts": ["-arithmetic", "-sample", "2x1", "-restart", "1"],
    "arithmetic-progressive": ["-arithmetic", "-progressive", "-sample", "2x2"],
    "progressive-approximated": ["-scans", progressive, "-sample", "2x2", "-restart", "2"],
}.items():
    run("cjpeg", "-quality", 92, *options, "-outfile", out / f"jpeg-{name}.jpg", work / "p.ppm")
run("cjpeg", "-quality", 92, "-arithmetic", "-outfile", out / "jpeg-arithmetic-grey.jpg", work / "p.pgm")
deep = (pixels.astype("u2") << 4) | (pixels >> 4)
(out / "jpeg-12-bit.jpg").write_bytes(imagecodecs.jpeg_encode(deep, 92, bitspersample=12))
(out / "jpeg-lossless.jpg").write_bytes(imagecodecs.jpeg_encode(pixels[:16, :16].copy(), lossless=True))

# The height of a JPEG in a DNL segment behind the scan.
plain = io.BytesIO()
picture.save(plain, "JPEG", quality=92, subsampling=2)
bytes_ = bytearray(plain.getvalue())
frame = bytes_.index(b"\xff\xc0")
height = bytes(bytes_[frame + 5 : frame + 7])
bytes_[frame + 5 : frame + 7] = b"\0\0"
(out / "jpeg-dnl.jpg").write_bytes(bytes(bytes_[:-2]) + b"\xff\xdc\0\4" + height + b"\xff\xd9")
