"""Peak memory of decoding one picture in each format and coding, at 12, 50 and 250 megapixels.

    cargo build --release --example decode_folder
    python3 -m venv env && . env/bin/activate
    pip install pillow==13.0.0 pillow-heif==1.8.1 imagecodecs==2026.3.6 numpy
    python benches/compare/format_memory.py target/release/examples/decode_folder
    python benches/compare/format_memory.py target/release/examples/decode_folder --sizes 12 --only TIFF PNG

For each picture a process of its own decodes all pixels, as `decode` does for thumbnails, and another what the index
needs, as `decode_for` does. The table has the peak of the resident memory of each, in MB of 10^6 bytes, with the program
and the file that it holds; how much that is in bytes a pixel, without the memory of a process that decodes nothing; the
length of the file; and whether the goal is met: at most 4 bytes a pixel and 64 MB. The pictures are smooth, so that the
files are small and quick to make; only those that are not compressed, or have noise, are large. `cjpeg` and `jpegtran`
(libjpeg-turbo) and `heif-enc` (libheif-examples) make what the packages do not, or slowly; without them these lines are
left out.
"""

import argparse
import io
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import imagecodecs
import numpy
import pillow_heif
from formats import dng, run
from PIL import Image

SIZES = {12: (4000, 3000), 50: (8192, 6104), 250: (16000, 15624)}
MB = 1e6
Image.MAX_IMAGE_PIXELS = None


class Picture:
    """The samples of a size in the forms that the encoders want; each is made when it is asked for."""

    def __init__(self, width, height):
        self.width, self.height = width, height

    def samples(self, channels, kind="u1"):
        """Smooth samples in an array of rows. Those of 16 bits repeat their upper half, so that they pack as well."""
        across = numpy.linspace(0, 255, self.width)
        down = numpy.linspace(0, 255, self.height)
        picture = numpy.empty((self.height, self.width, channels), kind)
        for channel in range(channels):
            weight = (channel + 1) / (channels + 1)
            columns = (across * weight).astype(kind)
            rows = (down * (1 - weight)).astype(kind)
            picture[:, :, channel] = rows[:, None] + columns[None, :]
        if picture.itemsize == 2:
            picture *= 257
        return picture

    def noisy(self):
        """The samples of three channels with the noise of a camera, with which they pack to half their size."""
        picture = self.samples(3)
        random = numpy.random.default_rng(1)
        for row in picture:
            noise = random.normal(0, 3, row.shape).round().astype("i2")
            row[:] = (row + noise).clip(0, 255)
        return picture

    def pillow(self, mode="RGB", noise=False):
        channels = len(mode)
        samples = self.noisy() if noise else self.samples(channels)
        return Image.fromarray(samples[:, :, 0] if channels == 1 else samples, mode)


def saved(image, **options):
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()


def png(picture, channels, bits, colour, interlaced=False, noise=False):
    """A PNG of rows that are not filtered, or if they are noisy by the row above."""
    samples = picture.noisy() if noise else picture.samples(channels, "u1" if bits == 8 else ">u2")
    kind = b"\2" if noise else b"\0"
    if noise:
        samples = numpy.diff(samples, axis=0, prepend=numpy.zeros_like(samples[:1]))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    packed = []
    passes = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
    for left, across, top, down in passes if interlaced else [(0, 1, 0, 1)]:
        for row in samples[top::down, left::across]:
            packed.append(packer.compress(kind + row.tobytes()))
    packed.append(packer.flush())
    header = struct.pack(">IIBBBBB", picture.width, picture.height, bits, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"".join(packed)) + chunk(b"IEND", b"")


def tiff(picture, channels, kind, photometric, rows=None, planar=False, packed=True, extra=None, tile=None, noise=False):
    """A TIFF in strips of so many rows, by default one, or in square tiles of this side."""
    samples = picture.noisy() if noise else picture.samples(channels, "u1" if kind == "u1" else "<u2")
    width, height = picture.width, picture.height
    rows = rows or height
    planes = [samples[:, :, [channel]] for channel in range(channels)] if planar else [samples]
    pieces = []
    for plane in planes:
        if tile:
            down, across = -height % tile, -width % tile
            padded = numpy.pad(plane, ((0, down), (0, across), (0, 0)))
            parts = [
                padded[top : top + tile, left : left + tile]
                for top in range(0, height, tile)
                for left in range(0, width, tile)
            ]
        else:
            parts = [plane[top : top + rows] for top in range(0, height, rows)]
        for part in parts:
            if kind == "<f4":
                part = (part / numpy.float32(65535)).astype("<f4")
            pieces.append(zlib.compress(part.tobytes(), 1) if packed else part.tobytes())
    file = io.BytesIO()
    file.write(b"II*\0\0\0\0\0")
    offsets = []
    for piece in pieces:
        offsets.append(file.tell())
        file.write(piece)

    def values(numbers):
        """Numbers as the value of a tag, or their place."""
        data = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(data) <= 4:
            return data
        place = file.tell()
        file.write(data)
        return struct.pack("<I", place)

    bits = 8 * numpy.dtype(kind).itemsize
    tags = [
        (256, [width]),
        (257, [height]),
        (258, [bits]),
        (259, [8 if packed else 1]),
        (262, [photometric]),
        (277, [channels]),
        (284, [2 if planar else 1]),
    ]
    tags += [(322, [tile]), (323, [tile])] if tile else [(278, [rows])]
    tags += [(324 if tile else 273, offsets), (325 if tile else 279, [len(piece) for piece in pieces])]
    tags += [(338, [extra])] if extra else []
    tags += [(339, [3])] if kind == "<f4" else []
    entries = [(number, 4, len(numbers), values(numbers)) for number, numbers in sorted(tags)]
    place = file.tell()
    file.write(struct.pack("<H", len(entries)))
    for number, form, count, value in entries:
        file.write(struct.pack("<HHI", number, form, count) + value.ljust(4, b"\0"))
    file.write(bytes(4))
    return file.getvalue()[:4] + struct.pack("<I", place) + file.getvalue()[8:]


def in_tiles(picture):
    """A HEIC in tiles, on its side, as phones write it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pillow_heif.options.GRID_TILE_SIZE = 512
    file = io.BytesIO()
    image = pillow_heif.from_pillow(picture.pillow())
    image.save(file, quality=60, exif=exif.tobytes(), enc_params={"preset": "ultrafast"})
    pillow_heif.options.GRID_TILE_SIZE = 0
    return file.getvalue()


def heic(picture, *options, channels=3, bits=8):
    """A HEIC whose picture is one tile."""
    with tempfile.TemporaryDirectory() as folder:
        source, file = Path(folder) / "a.png", Path(folder) / "a.heic"
        source.write_bytes(png(picture, channels, bits, {3: 2, 4: 6}[channels]))
        command = ["heif-enc", "-q", "60", "-p", "preset=ultrafast", *options, source, "-o", file]
        subprocess.run(command, check=True, capture_output=True)
        return file.read_bytes()


def avif(picture, **options):
    return saved(picture.pillow(), format="AVIF", quality=60, speed=10, **options)


def turned():
    """EXIF data that let Pillow write a rotation by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def by_program(picture, *command):
    """What a program makes of the picture."""
    return subprocess.run(command, input=saved(picture.pillow(), format="PPM"), capture_output=True, check=True).stdout


def separate(picture):
    """A JPEG whose components come in scans of their own."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as scans:
        scans.write("0;\n1;\n2;\n")
        scans.flush()
        jpeg = saved(picture.pillow(), format="JPEG", quality=85)
        command = ["jpegtran", "-scans", scans.name]
        return subprocess.run(command, input=jpeg, capture_output=True, check=True).stdout


def animation(picture, **options):
    frames = [picture.pillow(), picture.pillow().transpose(Image.Transpose.FLIP_TOP_BOTTOM)]
    return saved(frames[0], save_all=True, append_images=frames[1:], **options)


def jpeg(picture, mode="RGB", **options):
    return saved(picture.pillow(mode), format="JPEG", quality=85, **options)


def jxl(picture, **options):
    return imagecodecs.jpegxl_encode(picture.samples(3), **options)


CASES = {
    "JPEG": ("jpg", jpeg),
    "JPEG, 4:4:4": ("jpg", lambda p: jpeg(p, subsampling="4:4:4")),
    "JPEG, grey": ("jpg", lambda p: jpeg(p, "L")),
    "JPEG, CMYK": ("jpg", lambda p: jpeg(p, "CMYK")),
    "JPEG, progressive": ("jpg", lambda p: jpeg(p, progressive=True)),
    "JPEG, progressive 4:4:4": ("jpg", lambda p: jpeg(p, progressive=True, subsampling="4:4:4")),
    "JPEG, progressive CMYK": ("jpg", lambda p: jpeg(p, "CMYK", progressive=True)),
    "JPEG, arithmetic": ("jpg", lambda p: by_program(p, "cjpeg", "-quality", "85", "-arithmetic")),
    "JPEG, arithmetic progressive": ("jpg", lambda p: by_program(p, "cjpeg", "-arithmetic", "-progressive")),
    "JPEG, components in scans of their own": ("jpg", separate),
    "JPEG, 12 bits": (
        "jpg",
        lambda p: imagecodecs.jpeg8_encode(p.samples(3, "u2") >> 4, level=85, bitspersample=12),
    ),
    "raw preview": ("dng", lambda p: dng(jpeg(p))),
    "PNG": ("png", lambda p: png(p, 3, 8, 2)),
    "PNG, transparent": ("png", lambda p: png(p, 4, 8, 6)),
    "PNG, grey": ("png", lambda p: png(p, 1, 8, 0)),
    "PNG, palette": ("png", lambda p: saved(p.pillow("L").convert("P"), format="PNG", compress_level=1)),
    "PNG, 16 bits": ("png", lambda p: png(p, 3, 16, 2)),
    "PNG, 16 bits, transparent": ("png", lambda p: png(p, 4, 16, 6)),
    "PNG, interlaced": ("png", lambda p: png(p, 3, 8, 2, interlaced=True)),
    "PNG, interlaced, 16 bits, transparent": ("png", lambda p: png(p, 4, 16, 6, interlaced=True)),
    "PNG, noise": ("png", lambda p: png(p, 3, 8, 2, noise=True)),
    "WebP": ("webp", lambda p: saved(p.pillow(), format="WEBP", quality=80, method=0)),
    "WebP, transparent": ("webp", lambda p: saved(p.pillow("RGBA"), format="WEBP", quality=80, method=0)),
    "WebP, lossless": ("webp", lambda p: saved(p.pillow(), format="WEBP", lossless=True, quality=0, method=0)),
    "WebP, lossless, transparent": (
        "webp",
        lambda p: saved(p.pillow("RGBA"), format="WEBP", lossless=True, quality=0, method=0),
    ),
    "WebP, lossless, noise": (
        "webp",
        lambda p: saved(p.pillow(noise=True), format="WEBP", lossless=True, quality=0, method=0),
    ),
    "WebP, animated": ("webp", lambda p: animation(p, format="WEBP", quality=80, method=0)),
    "GIF": ("gif", lambda p: saved(p.pillow("L"), format="GIF")),
    "BMP, not compressed": ("bmp", lambda p: saved(p.pillow(), format="BMP")),
    "BMP, palette": ("bmp", lambda p: saved(p.pillow("L"), format="BMP")),
    "TIFF, LZW": ("tif", lambda p: saved(p.pillow(), format="TIFF", compression="tiff_lzw")),
    "TIFF, LZW, noise": ("tif", lambda p: saved(p.pillow(noise=True), format="TIFF", compression="tiff_lzw")),
    "TIFF, one strip, noise": ("tif", lambda p: tiff(p, 3, "u1", 2, noise=True)),
    "TIFF, not compressed": ("tif", lambda p: tiff(p, 3, "u1", 2, packed=False)),
    "TIFF, one strip": ("tif", lambda p: tiff(p, 3, "u1", 2)),
    "TIFF, tiles": ("tif", lambda p: tiff(p, 3, "u1", 2, tile=256)),
    "TIFF, a plane for each channel": ("tif", lambda p: tiff(p, 3, "u1", 2, planar=True)),
    "TIFF, a plane for each channel, not compressed": (
        "tif",
        lambda p: tiff(p, 3, "u1", 2, planar=True, packed=False),
    ),
    "TIFF, transparent": ("tif", lambda p: tiff(p, 4, "u1", 2, extra=2)),
    "TIFF, 16 bits": ("tif", lambda p: tiff(p, 3, "<u2", 2)),
    "TIFF, 16 bits, strips": ("tif", lambda p: tiff(p, 3, "<u2", 2, rows=16)),
    "TIFF, floating-point": ("tif", lambda p: tiff(p, 3, "<f4", 2)),
    "TIFF, CMYK": ("tif", lambda p: tiff(p, 4, "u1", 5)),
    "TIFF, grey": ("tif", lambda p: tiff(p, 1, "u1", 1)),
    "TIFF, JPEG": ("tif", lambda p: saved(p.pillow(), format="TIFF", compression="jpeg")),
    "TIFF, fax": ("tif", lambda p: saved(p.pillow("L").convert("1", dither=0), format="TIFF", compression="group4")),
    "HEIC": ("heic", heic),
    "HEIC, in tiles": ("heic", in_tiles),
    "HEIC, transparent": ("heic", lambda p: heic(p, channels=4)),
    "HEIC, 10 bits 4:2:2": ("heic", lambda p: heic(p, "-b", "10", "-p", "chroma=422", bits=16)),
    "HEIC, 10 bits 4:4:4": ("heic", lambda p: heic(p, "-b", "10", "-p", "chroma=444", bits=16)),
    "AVIF": ("avif", avif),
    "AVIF, 4:4:4": ("avif", lambda p: avif(p, subsampling="4:4:4")),
    "AVIF, 10 bits": (
        "avif",
        lambda p: imagecodecs.avif_encode(
            p.samples(3, "u2") >> 6, level=60, speed=10, bitspersample=10, pixelformat="420"
        ),
    ),
    "AVIF, turned": ("avif", lambda p: avif(p, exif=turned())),
    "AVIF, transparent": ("avif", lambda p: saved(p.pillow("RGBA"), format="AVIF", quality=60, speed=10)),
    "JPEG XL": ("jxl", lambda p: jxl(p, distance=1.0, effort=1)),
    "JPEG XL, lossless": ("jxl", lambda p: jxl(p, lossless=True, effort=1)),
    "JPEG XL, lossless, noise": (
        "jxl",
        lambda p: imagecodecs.jpegxl_encode(p.noisy(), lossless=True, effort=1),
    ),
    "JPEG XL of a JPEG": ("jxl", lambda p: imagecodecs.jpegxl_encode_jpeg(jpeg(p))),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="the example decode_folder")
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=list(SIZES), help="megapixels")
    parser.add_argument("--only", nargs="+", default=[""], help="cases whose names begin so")
    parser.add_argument("--files", type=Path, help="keep the files in this folder, and use those that are there")
    options = parser.parse_args()
    program = str(options.program.resolve())
    work = options.files or Path(tempfile.mkdtemp())
    empty = work / "empty"
    empty.mkdir(parents=True, exist_ok=True)
    _, idle = run([program, str(empty)])
    print(f"A process that decodes nothing: {idle:.0f} MB\n")
    print("| picture | megapixels | file MB | all pixels MB | bytes a pixel | for the index MB | limit MB | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for size in options.sizes:
        picture = Picture(*SIZES[size])
        pixels = picture.width * picture.height
        limit = 4 * pixels / MB + 64
        for name, (extension, make) in CASES.items():
            if not name.startswith(tuple(options.only)):
                continue
            folder = work / f"{size}" / name
            file = folder / f"a.{extension}"
            if not file.exists():
                folder.mkdir(parents=True, exist_ok=True)
                try:
                    file.write_bytes(make(picture))
                except Exception as error:  # an encoder has limits of its own
                    file.unlink(missing_ok=True)
                    print(f"| {name} | {size} | cannot be made: {type(error).__name__}: {error} |||||", flush=True)
                    continue
            length = file.stat().st_size / MB
            outcome = subprocess.run([program, str(folder)], capture_output=True, text=True).stdout.split("\t")
            if len(outcome) < 5 or outcome[2] != "decoded":
                print(f"| {name} | {size} | {length:.1f} | {' '.join(outcome[2:3])} |||||", flush=True)
                continue
            _, whole = run([program, str(folder)])
            _, indexed = run([program, "--index", str(folder)])
            verdict = "holds" if max(whole, indexed) <= limit else "**missed**"
            each = (whole - idle) * MB / pixels
            print(
                f"| {name} | {size} | {length:.1f} | {whole:.0f} | {each:.2f} | {indexed:.0f} | {limit:.0f} | {verdict} |",
                flush=True,
            )
            if not options.files:
                shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
