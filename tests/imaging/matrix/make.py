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

# TIFF of scanners and fax machines.
grey = picture.convert("L")
black = grey.point(lambda value: 255 if value > 128 else 0).convert("1", dither=Image.Dither.NONE)
black.save(out / "black.png", optimize=True)
palette = picture.quantize(64, dither=Image.Dither.NONE)
palette.convert("RGB").save(out / "palette.png", optimize=True)
palette.save(out / "tiff-palette.tif", compression="packbits")
black.save(out / "tiff-fax4.tif", compression="group4")
black.save(out / "tiff-fax3.tif", compression="group3")
picture.save(work / "p.tif")
grey.save(work / "g.tif")
run("tiffcp", "-c", "g4", "-f", "lsb2msb", out / "tiff-fax4.tif", out / "tiff-fax4-reversed.tif")
run("tiffcp", "-c", "jpeg:90", "-r", "16", work / "p.tif", out / "tiff-jpeg-ycbcr.tif")
picture.save(out / "tiff-jpeg.tif", compression="jpeg", quality=90)
picture.save(out / "tiff-jpeg-strips.tif", compression="jpeg", quality=90, tiffinfo={278: 16})
grey.save(out / "tiff-jpeg-grey.tif", compression="jpeg", quality=90)
run("tiffcp", "-t", "-w", "32", "-l", "32", "-c", "jpeg:r:90", work / "p.tif", out / "tiff-jpeg-tiles.tif")


def ycbcr(name, h, v):
    """Uncompressed luma and colour differences, in one strip of units of h x v."""
    planes = numpy.asarray(picture.convert("YCbCr")).astype(int)
    high, wide, _ = planes.shape
    data = bytearray()
    for y in range(0, high, v):
        for x in range(0, wide, h):
            unit = planes[y : y + v, x : x + h]
            data += bytes(unit[:, :, 0].reshape(-1).tolist())
            data += bytes(int(round(unit[:, :, part].mean())) for part in (1, 2))
    entries = [
        (256, 3, 1, wide), (257, 3, 1, high), (258, 3, 3, 8 + 2), (259, 3, 1, 1), (262, 3, 1, 6),
        (273, 4, 1, 200), (277, 3, 1, 3), (278, 3, 1, high), (279, 4, 1, len(data)), (530, 3, 2, h | v << 16),
    ]  # fmt: skip
    ifd = len(entries).to_bytes(2, "little")
    for tag, kind, count, value in entries:
        ifd += tag.to_bytes(2, "little") + kind.to_bytes(2, "little")
        ifd += count.to_bytes(4, "little") + value.to_bytes(4, "little")
    head = b"II*\0" + (20).to_bytes(4, "little") + b"\0\0" + b"\x08\0\x08\0\x08\0" + b"\0" * 4 + ifd + b"\0" * 4
    (out / name).write_bytes(head.ljust(200, b"\0") + bytes(data))


ycbcr("tiff-ycbcr-2x2.tif", 2, 2)
ycbcr("tiff-ycbcr-2x1.tif", 2, 1)
thumbnail = picture.resize((24, 20))
thumbnail.save(work / "t.tif", tiffinfo={254: 1})
run("tiffcp", "-c", "lzw", work / "t.tif", work / "p.tif", out / "tiff-thumbnail-first.tif")

picture.convert("RGBX").save(out / "tiff-fourth-sample.tif", compression="tiff_lzw", tiffinfo={317: 2})

# JPEG XL.
exif = Image.Exif()
exif[0x0112] = 6
exif[0x0110] = "Model"
exif.get_ifd(0x8769)[0x9003] = "2020:02:29 12:34:56"
picture.rotate(90, expand=True).save(work / "turned.jpg", quality=92, exif=exif)
picture.save(work / "p.jpg", quality=92)
run("cjxl", work / "p.png", out / "jxl-lossy.jxl", "-d", "1", "--quiet")
run("cjxl", work / "p.png", out / "jxl-lossless.jxl", "-d", "0", "--quiet")
run("cjxl", work / "p.png", out / "jxl-progressive.jxl", "-d", "1", "-p", "--quiet")
run("cjxl", work / "p.pgm", out / "jxl-grey.jxl", "-d", "1", "--quiet")
run("cjxl", work / "p.jpg", out / "jxl-of-jpeg.jxl", "--quiet")
run("cjxl", work / "turned.jpg", out / "jxl-turned.jxl", "--quiet")
