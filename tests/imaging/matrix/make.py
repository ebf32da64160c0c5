"""Makes tests/fixtures/matrix: one small picture in the codings that the tests cannot write themselves.

    apt-get install libjpeg-turbo-progs libavif-bin libtiff-tools libjxl-tools  # Debian 12: 2.1.5, 0.11.1, 4.5.0, 0.7.0
    python3 -m venv env && . env/bin/activate
    pip install pillow==13.0.0 pillow-heif==1.8.1 imagecodecs==2026.3.6 tifffile==2026.3.3 numpy
    python make.py

The picture is formats/reference.png, cut to 96 × 80. What each file must show is said in the tests beside
this script; `compare.py --cells` says what the reference decoders show.
"""

import io
import subprocess
import tempfile
import zlib
from pathlib import Path

import imagecodecs
import numpy
import pillow_heif
import tifffile
from heif_boxes import Coded, File, auxiliary, box, full, mirroring, number, overlay, profile, rotation, size
from PIL import Image, ImageCms

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
for quarters in range(4):
    for mirror in [None, 0, 1]:
        name = out / f"irot{quarters}-imir{'' if mirror is None else mirror}.avif"
        mirrored = [] if mirror is None else ["--imir", mirror]
        run("avifenc", "--ignore-icc", "-s", 6, "--min", 8, "--max", 12, "--irot", quarters, *mirrored, work / "side.png", name)

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

run("tiffcp", "-c", "g3:2d:fill", "-r", "16", out / "tiff-fax4.tif", out / "tiff-fax3-2d.tif")
black.save(out / "tiff-fax-runs.tif", compression="tiff_ccitt")

# CIE L*a*b* as littleCMS makes it, in the forms of TIFF and of ICC profiles.
of_srgb, of_lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
lab = ImageCms.profileToProfile(picture, of_srgb, of_lab, outputMode="LAB")
lab.save(out / "tiff-lab.tif", compression="tiff_lzw", tiffinfo={317: 2})
profiles = [ImageCms.ImageCmsProfile(one).tobytes() for one in (of_srgb, of_lab)]
lab = imagecodecs.cms_transform(pixels, *profiles, outcolorspace="lab", outdtype="float32")
signed = numpy.round(lab * (655.35, 256, 256)).astype("i4").astype("<u2")
tifffile.imwrite(out / "tiff-lab-16.tif", signed, photometric="cielab", compression="lzw", predictor=2)
shifted = numpy.round((lab + (0, 128, 128)) * (2.55, 1, 1)).astype("u1")
tifffile.imwrite(out / "tiff-icclab.tif", shifted, photometric="icclab", compression="lzw", predictor=2)

# Codings that few programs write.
for name, options in {
    "zstd": {"compression": "zstd", "predictor": 2},
    "lzma": {"compression": "lzma", "predictor": 2},
    "webp": {"compression": "webp", "compressionargs": {"lossless": True}},
}.items():
    tifffile.imwrite(out / f"tiff-{name}.tif", pixels, photometric="rgb", rowsperstrip=32, **options)
half = (pixels / 255).astype("f2")
tifffile.imwrite(out / "tiff-half.tif", half, photometric="rgb", compression="zlib", predictor=3)
run("tiffcp", "-p", "separate", "-c", "jpeg:r:90", "-r", "16", work / "p.tif", out / "tiff-jpeg-planes.tif")
fading = numpy.broadcast_to((numpy.arange(96) * 255 // 95).astype("u1"), (80, 96))
tifffile.imwrite(work / "fading.tif", numpy.dstack([pixels, fading]), photometric="rgb", extrasamples=["unassalpha"])
run("tiffcp", "-c", "jpeg:r:90", "-r", "16", work / "fading.tif", out / "tiff-jpeg-fading.tif")


def old_jpeg(name, rows, with_tags):
    """JPEG as before 1995: strips of coded data, and their tables in tags, or in the header of a JPEG beside them."""
    strips, head = [], b""
    for top in range(0, 80, rows):
        strip = io.BytesIO()
        picture.crop((0, top, 96, top + rows)).save(strip, "JPEG", quality=90, subsampling=2)
        jpeg = strip.getvalue()
        scan = jpeg.index(b"\xff\xda")
        scan += 2 + int.from_bytes(jpeg[scan + 2 : scan + 4], "big")
        head = head or jpeg[:scan]
        strips.append(jpeg[scan:-2])
    file, places = bytearray(8), {}
    tags = {256: [96], 257: [80], 258: [8] * 3, 259: [6], 262: [6], 277: [3], 278: [rows], 512: [1], 530: [2, 2]}

    def place(tag, data):
        places.setdefault(tag, []).append(len(file))
        file.extend(data + b"\0" * (len(data) % 2))

    for strip in strips:
        place(273, strip)
    tags[279] = [len(strip) for strip in strips]
    if with_tags:
        tables, at = {}, 2
        while head[at + 1] != 0xDA:
            length = int.from_bytes(head[at + 2 : at + 4], "big")
            code, rest, at = head[at + 1], head[at + 4 : at + 2 + length], at + 2 + length
            while code in (0xDB, 0xC4) and rest:
                end = 65 if code == 0xDB else 17 + sum(rest[1:17])
                tables[code, rest[0]], rest = rest[1:end], rest[end:]
        for component in (0, 1, 1):
            for tag, key in [(519, (0xDB, 0)), (520, (0xC4, 0)), (521, (0xC4, 0x10))]:
                place(tag, tables[key[0], key[1] + component])
    else:
        frame = head.index(b"\xff\xc0")
        place(513, head[: frame + 5] + (80).to_bytes(2, "big") + head[frame + 7 :])
        tags[514] = [len(head)]
    tags |= places
    entries = bytearray(len(tags).to_bytes(2, "little"))
    for tag, values in sorted(tags.items()):
        data = b"".join(value.to_bytes(4, "little") for value in values)
        if len(values) > 1:
            place("values", data)
            data = places["values"][-1].to_bytes(4, "little")
        entries += tag.to_bytes(2, "little") + b"\4\0" + len(values).to_bytes(4, "little") + data
    file[:8] = b"II*\0" + len(file).to_bytes(4, "little")
    (out / name).write_bytes(bytes(file + entries) + bytes(4))


old_jpeg("tiff-old-jpeg-tables.tif", 80, with_tags=True)
old_jpeg("tiff-old-jpeg-strips.tif", 16, with_tags=False)

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
# A profile that is no other description: its curves are tables.
curve = numpy.linspace(0, 1, 64)
curve = ((0.9 * curve**1.3 + 0.1 * curve) * 65535).round().astype("u2")
srgb = ([0.3127, 0.3290, 1.0], [0.64, 0.33, 1.0, 0.30, 0.60, 1.0, 0.15, 0.06, 1.0])
curved = imagecodecs.cms_profile("rgb", whitepoint=srgb[0], primaries=srgb[1], transferfunction=curve)
tables = ImageCms.ImageCmsProfile(io.BytesIO(curved))
stored = ImageCms.profileToProfile(side, ImageCms.createProfile("sRGB"), tables, renderingIntent=1)
stored.save(work / "tables.png", icc_profile=curved)
run("cjxl", work / "tables.png", out / "jxl-profile.jxl", "-d", "0", "-e", "3", "--quiet")
run("cjxl", work / "p.pgm", out / "jxl-grey.jxl", "-d", "1", "--quiet")
run("cjxl", work / "p.jpg", out / "jxl-of-jpeg.jxl", "--quiet")
run("cjxl", work / "turned.jpg", out / "jxl-turned.jxl", "--quiet")

# Of more than one group of rows.
picture.resize((64, 700)).save(work / "tall.png")
picture.resize((64, 700), Image.Resampling.NEAREST).quantize(16).save(work / "steps.png")
picture.resize((64, 700)).rotate(90, expand=True).save(work / "tall.jpg", quality=60, exif=exif)
run("cjxl", work / "tall.png", out / "jxl-tall.jxl", "-d", "2", "--quiet")
run("cjxl", work / "steps.png", out / "jxl-tall-lossless.jxl", "-d", "0", "--quiet")
run("cjxl", work / "tall.jpg", out / "jxl-tall-turned.jxl", "--quiet")
turns = [None, 0, 3, 1, 5, 2, 6, 4]  # Image.Transpose by which each orientation is stored
for orientation, turn in enumerate(turns, 1):
    stored = side if turn is None else side.transpose(Image.Transpose(turn))
    exif[0x0112] = orientation
    stored.save(work / "stored.jpg", quality=92, subsampling=2, exif=exif)
    run("cjxl", work / "stored.jpg", out / f"jxl-orientation{orientation}.jxl", "--quiet")

# AVIF: chroma format × bits a sample; matrix × range; a grid; a sequence.
avif = ["avifenc", "--ignore-icc", "-s", 6, "--min", 8, "--max", 12]
for chroma in [420, 422, 444, 400]:
    for bits in [8, 10, 12]:
        run(*avif, "-y", chroma, "-d", bits, work / "side.png", out / f"avif-{chroma}-{bits}.avif")
for matrix in [0, 1, 6, 9]:
    for range_ in ["full", "limited"]:
        name = out / f"avif-matrix{matrix}-{range_}.avif"
        run(*avif, "-y", 444, "--cicp", f"1/13/{matrix}", "-r", range_, work / "side.png", name)
whole = Image.open(fixtures / "formats" / "reference.png").convert("RGB")
whole.save(work / "whole.png")
run("avifenc", "--ignore-icc", "-s", 6, "--min", 24, "--max", 30, "--grid", "2x2", work / "whole.png", out / "avif-grid.avif")
side.rotate(180).save(work / "upside.png")
run(*avif, work / "side.png", work / "upside.png", out / "avif-sequence.avif")

# HEIF: pictures made of others and beside others.


def coded(picture, name, mode="RGB"):
    path = work / f"{name}.heic"
    options = {"quality": 80, "chroma": "420", "save_nclx_profile": True}
    pillow_heif.encode(mode, picture.size, picture.convert(mode).tobytes(), path, **options)
    return Coded(path)


main = coded(side, "main")
grey = side.convert("L")
small = coded(side.resize((24, 24)), "small")
fade = coded(Image.linear_gradient("L").resize(side.size), "fade", "L")
ALPHA = "urn:mpeg:hevc:2015:auxid:1"
DEPTH = "urn:mpeg:hevc:2015:auxid:2"
APPLE_GAINS = "urn:com:apple:photo:2020:aux:hdrgainmap"


def heif(name, file, primary):
    (out / f"heif-{name}.heic").write_bytes(file.bytes(primary))


# Two layers on a canvas, of which the second is turned by half and lies partly outside; all turned by a quarter.
file = File("heic")
layers = [file.coded(main), file.coded(main, rotation(2))]
places = overlay([0x4000, 0x8000, 0xC000, 0xFFFF], 72, 56, [(4, 8), (40, -20)])
heif("overlay", file, file.add("iovl", places, [size(72, 56), rotation(1)], [("dimg", layers)]))
# A layer with transparency on a transparent canvas.
file = File("heic")
layer = file.coded(main)
file.coded(fade, auxiliary(ALPHA), references=[("auxl", [layer])], hidden=True)
places = overlay([0, 0, 0, 0], 56, 40, [(8, 0)])
heif("overlay-clear", file, file.add("iovl", places, [size(56, 40)], [("dimg", [layer])]))
# The same picture with other transforms.
file = File("heic")
source = file.coded(main, mirroring(1))
heif("identity", file, file.add("iden", None, [size(48, 40), rotation(1)], [("dimg", [source])]))
file = File("heic")
shown = file.coded(main)
file.coded(fade, auxiliary(ALPHA), references=[("auxl", [shown])], hidden=True)
heif("alpha", file, shown)
# As phones write it: a thumbnail, depth, and gains for bright screens.
file = File("heic")
shown = file.coded(main)
file.coded(small, references=[("thmb", [shown])], hidden=True)
file.coded(fade, auxiliary(DEPTH), references=[("auxl", [shown])], hidden=True)
file.coded(fade, auxiliary(APPLE_GAINS), references=[("auxl", [shown])], hidden=True)
heif("thumbnail-depth-gains", file, shown)
# Gains by ISO 21496-1: the picture for bright screens is an alternative to the primary one.
file = File("heic")
shown = file.coded(main)
gains = file.coded(fade, hidden=True)
bright = file.add("tmap", bytes(62), [size(48, 40)], [("dimg", [shown, gains])])
file.groups = [full("altr", 0, 0, number(99, 4), number(2, 4), number(bright, 4), number(shown, 4))]
heif("tone-map", file, shown)
# Two pictures of which the second is shown.
file = File("heic")
file.coded(coded(side.rotate(180), "upside"))
heif("second", file, file.coded(main))
# Every orientation of EXIF with every one of the container: the tests change the bytes.
exif = Image.Exif()
exif[0x0112] = 6
for name, transforms in [("turned-mirrored", [rotation(1), mirroring(0)]), ("mirrored-turned", [mirroring(0), rotation(1)])]:
    file = File("heic")
    shown = file.coded(main, *transforms)
    file.add("Exif", number(6, 4) + exif.tobytes(), references=[("cdsc", [shown])], hidden=True)
    heif(name, file, shown)

# A film of one frame, without a still picture.
sample = full(
    "stsd", 0, 0, number(1, 4),
    box("hvc1", bytes(6), number(1), bytes(16), number(48), number(40), b"\0\x48\0\0" * 2, bytes(4), number(1), bytes(32), number(24), number(-1), main.properties["hvcC"]),
)  # fmt: skip


def film(offset):
    table = box(
        "stbl", sample, full("stts", 0, 0, number(1, 4), number(1, 4), number(1, 4)),
        full("stsc", 0, 0, *(number(each, 4) for each in (1, 1, 1, 1))),
        full("stsz", 0, 0, number(0, 4), number(1, 4), number(len(main.data), 4)),
        full("stco", 0, 0, number(1, 4), number(offset, 4)),
    )  # fmt: skip
    unity = b"".join(number(each, 4) for each in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    track = box(
        "trak",
        full("tkhd", 0, 3, bytes(8), number(1, 4), bytes(4), number(1, 4), bytes(16), unity, number(48 << 16, 4), number(40 << 16, 4)),
        box(
            "mdia", full("mdhd", 0, 0, bytes(8), number(1, 4), number(1, 4), bytes(4)),
            full("hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
            box("minf", full("vmhd", 0, 1, bytes(8)), box("dinf", full("dref", 0, 0, number(1, 4), full("url ", 0, 1))), table),
        ),
    )  # fmt: skip
    head = full("mvhd", 0, 0, bytes(8), number(1, 4), number(1, 4), number(1 << 16, 4), number(1 << 8), bytes(10), unity, bytes(24), number(2, 4))
    return box("ftyp", b"msf1", bytes(4), b"msf1hevc") + box("moov", head, track)


(out / "heif-film.heic").write_bytes(film(len(film(0)) + 8) + box("mdat", main.data))

# Animations, of which the first frame is shown, and a second picture behind the first.
frames = [side.copy(), side.rotate(180)]
frames[0].save(out / "pages.tif", save_all=True, append_images=frames[1:], compression="tiff_lzw")
for name, options in {
    "animated.png": {"duration": 100},
    "animated.webp": {"duration": 100, "lossless": True},
    "animated.gif": {"duration": 100},
}.items():
    frames[0].save(out / name, save_all=True, append_images=frames[1:], **options)
run("cjxl", out / "animated.gif", out / "animated.jxl", "-d", "0", "--quiet")
side.save(out / "mpf.mpo", format="MPO", save_all=True, append_images=frames[1:], quality=90)

# PNG: bits a sample, with and without a palette, interlaced rows.


def png(name, samples, bits, kind, is_interlaced=False, palette=b""):
    """Writes a PNG of samples in an array of height x width x channels; `kind` is the colour type of its header."""
    passes = [(0, 0, 1, 1)]
    if is_interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for x, y, step_x, step_y in passes:
        for row in samples[y::step_y, x::step_x]:
            if row.size:
                digits = row.reshape(-1, 1) >> numpy.arange(bits - 1, -1, -1) & 1
                rows += b"\0" + numpy.packbits(digits).tobytes()
    high, wide = samples.shape[:2]
    head = number(wide, 4) + number(high, 4) + bytes([bits, kind, 0, 0, int(is_interlaced)])

    def chunk(kind, data):
        return number(len(data), 4) + kind + data + number(zlib.crc32(kind + data), 4)

    colours = chunk(b"PLTE", palette) if palette else b""
    chunks = chunk(b"IHDR", head) + colours + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    (out / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


colours = numpy.asarray(side).astype(int)
red = colours[:, :, :1]
for bits in [1, 2, 4]:
    png(f"png-grey-{bits}.png", red >> (8 - bits), bits, 0)
for bits in [1, 2, 4, 8]:
    palette = bytes(part for index in range(1 << bits) for part in (index, 255 - index, 7 * index % 256))
    png(f"png-palette-{bits}.png", red >> (8 - bits), bits, 3, palette=palette)
png("png-grey-16.png", red * 257, 16, 0)
png("png-grey-alpha.png", numpy.concatenate([red, 255 - red], axis=2), 8, 4)
png("png-interlaced.png", colours, 8, 2, True)
png("png-interlaced-16.png", colours * 257, 16, 2, True)

# Colour profiles: the values of other colour spaces that stand for the colours of `side.png`.
D65 = (0.3127, 0.3290, 1.0)


def made(*arguments, **options):
    """A profile with the same date whenever it is made."""
    icc = imagecodecs.cms_profile(*arguments, **options)
    return icc[:24] + b"".join(map(number, (2020, 1, 1, 0, 0, 0))) + icc[36:]


def rgb_profile(red, green, blue, gamma):
    primaries = tuple(part for place in (red, green, blue) for part in (*place, 1.0))
    return made("rgb", whitepoint=D65, primaries=primaries, gamma=gamma)


def in_profile(icc, mode="RGB"):
    """The picture in the values of a profile."""
    profiles = [ImageCms.ImageCmsProfile(io.BytesIO(each)) for each in (srgb, icc)]
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    return ImageCms.profileToProfile(side, *profiles, renderingIntent=intent, outputMode=mode)


srgb = made("srgb")
p3 = rgb_profile((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), 2.2)
adobe = rgb_profile((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), 563 / 256)
grey_profile = made("gray", whitepoint=D65, gamma=1.8)
for name, icc, mode in [("srgb", srgb, "RGB"), ("p3", p3, "RGB"), ("adobe", adobe, "RGB"), ("grey", grey_profile, "L")]:
    options = {"subsampling": 0} if mode == "RGB" else {}
    in_profile(icc, mode).save(out / f"profile-{name}.jpg", quality=95, icc_profile=icc, **options)
in_profile(p3).save(out / "profile-p3.png", icc_profile=p3)
in_profile(p3).save(out / "profile-p3.webp", icc_profile=p3, lossless=True)
in_profile(p3).save(out / "profile-p3.tif", icc_profile=p3, compression="tiff_lzw")
file = File("heic")
heif("profile-p3", file, file.coded(coded(in_profile(p3), "p3"), profile(p3)))
# As older iPhones write it: the profile belongs to the tiles alone.
file = File("heic")
tile = file.coded(coded(in_profile(p3), "p3"), profile(p3), hidden=True)
places = b"\0\0\0\0" + number(48) + number(40)
heif("profile-p3-tile", file, file.add("grid", places, [size(48, 40)], [("dimg", [tile])]))
in_profile(p3).save(work / "p3.png")
run(*avif, "-y", 444, "--cicp", "12/13/1", work / "p3.png", out / "avif-p3.avif")

# Inks: a press that prints darker than its inks are, in a profile of 5 × 5 × 5 × 5 mixtures.
def lab(colour):
    """L*a*b* of linear sRGB, which is also adapted to D50."""
    matrix = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
    places = numpy.array(matrix) @ colour / [0.9642, 1, 0.8249]
    x, y, z = numpy.where(places > 216 / 24389, numpy.cbrt(places), (24389 / 27 * places + 16) / 116)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def printed(amounts):
    """Linear sRGB of inks that lie over each other."""
    light = numpy.array([0.98, 0.96, 0.9])
    for amount, ink in zip(amounts, [(0, 0.3, 0.75), (0.75, 0.01, 0.2), (1, 0.85, 0.01), (0.02, 0.02, 0.02)]):
        light = light * (1 - amount**0.8 * (1 - numpy.array(ink)))
    return light


def inks_profile():
    levels = [step / 4 for step in range(5)]
    mixtures = [(c, m, y, k) for c in levels for m in levels for y in levels for k in levels]
    colours = numpy.array([lab(printed(mixture)) for mixture in mixtures])
    samples = numpy.clip((colours + [0, 128, 128]) * [652.8, 256, 256], 0, 65535).round().astype(">u2")
    line = number(0, 2) + number(65535, 2)
    one = number(65536, 4)
    matrix = b"".join(one if place % 4 == 0 else bytes(4) for place in range(9))
    head = b"mft2" + bytes(4) + bytes([4, 3, 5, 0]) + matrix + number(2, 2) + number(2, 2)
    table = head + 4 * line + samples.tobytes() + 3 * line
    white = b"XYZ " + bytes(4) + b"".join(number(round(65536 * part), 4) for part in (0.9642, 1, 0.8249))
    name = b"desc" + bytes(4) + number(5, 4) + b"inks\0" + bytes(78)
    tags, data = b"", b""
    for kind, value in [(b"desc", name), (b"cprt", b"text" + bytes(4) + b"CC0\0"), (b"wtpt", white), (b"A2B0", table)]:
        tags += kind + number(128 + 4 + 12 * 4 + len(data), 4) + number(len(value), 4)
        data += value + bytes(-len(value) % 4)
    head = number(0x02400000, 4) + b"prtrCMYKLab " + b"".join(number(part, 2) for part in (2020, 1, 1, 0, 0, 0)) + b"acsp"
    light = b"".join(number(part, 4) for part in (63190, 65536, 54061))
    length = 128 + 4 + len(tags) + len(data)
    return (number(length, 4) + bytes(4) + head + bytes(28) + light).ljust(128, b"\0") + number(4, 4) + tags + data


inks_icc = inks_profile()
amounts = 255 - numpy.asarray(side).astype(int)
black = amounts.min(axis=2, keepdims=True) // 2
inks = Image.fromarray(numpy.concatenate([amounts - black, black], axis=2).astype("u1"), "CMYK")
inks.save(out / "profile-inks.jpg", quality=95, icc_profile=inks_icc, subsampling=0)
inks.save(out / "profile-inks.tif", compression="tiff_lzw", icc_profile=inks_icc)
profiles = [ImageCms.ImageCmsProfile(io.BytesIO(each)) for each in (inks_icc, srgb)]
shown = ImageCms.profileToProfile(inks, *profiles, renderingIntent=ImageCms.Intent.PERCEPTUAL, outputMode="RGB")
shown.save(out / "inks.png", optimize=True)

# WebP: with losses, with transparency beside it, and an animation whose first frame does not fill the canvas.
side.save(out / "webp-lossy.webp", quality=95)
fading = side.copy()
fading.putalpha(Image.fromarray(numpy.tile((numpy.arange(48) * 5).astype("u1"), (40, 1))))
fading.save(out / "webp-fading.webp", quality=95)
fading.save(out / "webp-fading-lossless.webp", lossless=True, exact=True)

# Colours that have been multiplied by the opacity.
fading.save(work / "fading.png")
run("avifenc", "--premultiply", "-s", 6, "--min", 0, "--max", 10, "-y", 444, work / "fading.png", out / "avif-premultiplied.avif")


def riff(kind, data):
    return kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)


def three(*numbers):
    return b"".join(part.to_bytes(3, "little") for part in numbers)


picture_data = (out / "webp-lossy.webp").read_bytes()[12:]
frame = riff(b"ANMF", three(4 // 2, 6 // 2, 48 - 1, 40 - 1, 100) + bytes(1) + picture_data)
canvas = riff(b"VP8X", bytes([0x12, 0, 0, 0]) + three(60 - 1, 50 - 1)) + riff(b"ANIM", bytes(6)) + frame
(out / "webp-first-frame-smaller.webp").write_bytes(riff(b"RIFF", b"WEBP" + canvas))

# Large pictures of one colour, or of one row, for the memory that their decoding takes.
memory = fixtures / "memory"
memory.mkdir(exist_ok=True)
large = Image.new("RGB", (4000, 3000), (90, 140, 200))
large.save(memory / "large.avif", quality=60, speed=10)
large.save(memory / "large-444.avif", quality=60, speed=10, subsampling="4:4:4")
clear = large.copy()
clear.putalpha(90)
clear.save(memory / "large-444-transparent.avif", quality=60, speed=10, subsampling="4:4:4")
large.save(work / "large.png")
run(*avif[:2], "-s", 10, "--min", 24, "--max", 30, "-y", 420, "-d", 10, work / "large.png", memory / "large-10.avif")
large.save(
    memory / "large-animated.webp", save_all=True, append_images=[Image.new("RGB", large.size)], quality=30, method=4
)
(memory / "large.jxl").write_bytes(imagecodecs.jpegxl_encode(numpy.asarray(large), distance=1.0, effort=1))
exif = Image.Exif()
exif[0x0112] = 6
fast = {"quality": 60, "enc_params": {"preset": "ultrafast"}}
pillow_heif.from_pillow(large).save(memory / "large-turned.heic", exif=exif.tobytes(), **fast)
deep = numpy.full((3000, 4000, 3), (360, 560, 800), "<u2")
pillow_heif.encode("RGB;10", large.size, deep.tobytes(), memory / "large-422-10.heic", chroma="422", **fast)
across = numpy.arange(4000)
row = numpy.stack([across >> 4, across & 255, 255 - (across >> 5)], axis=1).astype("u1")
rows = Image.fromarray(numpy.broadcast_to(row, (3000, 4000, 3)).copy())
rows.save(memory / "large.webp", quality=30, method=4)
rows.save(memory / "large-lossless.webp", lossless=True, quality=50, method=4)
(memory / "large-lossless.jxl").write_bytes(imagecodecs.jpegxl_encode(numpy.asarray(rows), lossless=True, effort=3))
rows.putalpha(Image.fromarray(numpy.broadcast_to((across >> 4).astype("u1"), (3000, 4000)).copy()))
rows.save(memory / "large-transparent.webp", quality=30, method=4)
