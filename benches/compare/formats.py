"""CPU time and peak memory of decoding one picture of 12 megapixels in each format, beside the reference decoder.

    cargo build --release --example decode_folder
    python3 -m venv env && . env/bin/activate
    pip install pillow==13.0.0 pillow-heif==1.8.1 imagecodecs==2026.3.6 numpy
    python benches/compare/formats.py target/release/examples/decode_folder

With names of formats behind it, only these are measured. The picture is the astronaut of the fixtures, enlarged to 4000 × 3000 pixels with noise of one to three levels, as a
camera's picture has. Each decoder runs in a process of its own, five times; the table has the least CPU time of user
and system, over all threads, without that of the same process with nothing to decode, and the peak of its resident
memory. The references are libjpeg-turbo, libpng, libwebp, libtiff (in Pillow), libheif with libde265 or dav1d (in
pillow-heif and Pillow), and libjxl (in imagecodecs). The raw file is a DNG with the JPEG as its preview, and its
reference is fer-index with that JPEG.
"""

import io
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import imagecodecs
import numpy
import pillow_heif
from PIL import Image

WIDTH, HEIGHT = 4000, 3000
ROUNDS = 5

REFERENCES = {
    "JPEG": "from PIL import Image\ndef decode(path): Image.open(path).convert('RGB')",
    "PNG": "from PIL import Image\ndef decode(path): Image.open(path).convert('RGB')",
    "WebP": "from PIL import Image\ndef decode(path): Image.open(path).convert('RGB')",
    "TIFF": "from PIL import Image\ndef decode(path): Image.open(path).convert('RGB')",
    "AVIF": "from PIL import Image\ndef decode(path): Image.open(path).convert('RGB')",
    "HEIC": "import pillow_heif\ndef decode(path): pillow_heif.open_heif(path, convert_hdr_to_8bit=True).data",
    "HEIC in tiles": "import pillow_heif\ndef decode(path): pillow_heif.open_heif(path, convert_hdr_to_8bit=True).data",
    "JPEG XL": "import imagecodecs\ndef decode(path): imagecodecs.jpegxl_decode(open(path, 'rb').read())",
}


def picture():
    """The pixels that every file shows."""
    fixture = Path(__file__).parents[2] / "tests" / "fixtures" / "astronaut.jpg"
    large = Image.open(fixture).convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    noise = numpy.random.default_rng(1).normal(0, 2, (HEIGHT, WIDTH, 3))
    return Image.fromarray((numpy.asarray(large) + noise).clip(0, 255).astype("u1"))


def dng(jpeg):
    """A DNG with a preview."""
    entries = [(0x0201, 4, 1, 100), (0x0202, 4, 1, len(jpeg)), (0xC612, 1, 4, 0x401)]
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    head += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    return head.ljust(100, b"\0") + jpeg


def files():
    """The name of each format, that of a file, and how its content is made."""
    shown = picture()

    def saved(**options):
        file = io.BytesIO()
        shown.save(file, **options)
        return file.getvalue()

    def heic(tile):
        """As phones write it in tiles: on its side."""
        stored, exif = shown, Image.Exif()
        if tile:
            stored = shown.transpose(Image.Transpose.ROTATE_90)
            exif[0x0112] = 6
        pillow_heif.options.GRID_TILE_SIZE = tile
        file = io.BytesIO()
        pillow_heif.from_pillow(stored).save(file, quality=80, chroma="420", exif=exif.tobytes())
        return file.getvalue()

    def jpeg():
        return saved(format="JPEG", quality=90)

    return {
        "JPEG": ("a.jpg", jpeg),
        "raw preview": ("a.dng", lambda: dng(jpeg())),
        "HEIC": ("a.heic", lambda: heic(0)),
        "HEIC in tiles": ("a.heic", lambda: heic(512)),
        "AVIF": ("a.avif", lambda: saved(format="AVIF", quality=75, speed=8)),
        "JPEG XL": ("a.jxl", lambda: imagecodecs.jpegxl_encode(numpy.asarray(shown), distance=1.0, effort=3)),
        "WebP": ("a.webp", lambda: saved(format="WEBP", quality=85, method=2)),
        "PNG": ("a.png", lambda: saved(format="PNG", compress_level=3)),
        "TIFF": ("a.tif", lambda: saved(format="TIFF", compression="tiff_lzw")),
    }


# The peak memory of a process includes that of its parent at the start, so a small process starts the decoders.
STARTER = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print(status, usage.ru_utime + usage.ru_stime, 1024 * usage.ru_maxrss / 1e6)
"""


def run(command):
    """CPU time in seconds and peak memory in MB of 10^6 bytes."""
    started = subprocess.run([sys.executable, "-S", "-c", STARTER, *command], check=True, capture_output=True, text=True)
    status, seconds, peak = map(float, started.stdout.split())
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return seconds, peak


def least(command, empty):
    runs = [run(command) for _ in range(ROUNDS)]
    idle = min(run(empty)[0] for _ in range(ROUNDS))
    return min(seconds for seconds, _ in runs) - idle, min(peak for _, peak in runs)


def main():
    ours = str(Path(sys.argv[1]).resolve())
    folder = Path(tempfile.mkdtemp())
    empty = folder / "empty"
    empty.mkdir()
    pixels = WIDTH * HEIGHT
    print("| format | fer-index s | reference s | ratio | peak MB | limit MB |\n| --- | --- | --- | --- | --- | --- |")
    jpeg = None
    for name, (file, make) in files().items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        alone = folder / name
        alone.mkdir()
        (alone / file).write_bytes(make())
        seconds, peak = least([ours, str(alone)], [ours, str(empty)])
        if name == "JPEG":
            jpeg = seconds
        if name in REFERENCES:
            code = REFERENCES[name]
            python = [sys.executable, "-c"]
            decode = f"{code}\ndecode({str(alone / file)!r})"
            reference, _ = least([*python, decode], [*python, code])
        else:
            reference = jpeg
        limit = 4 * pixels / 1e6 + 64
        print(f"| {name} | {seconds:.3f} | {reference:.3f} | {seconds / reference:.2f} | {peak:.0f} | {limit:.0f} |")


if __name__ == "__main__":
    main()
