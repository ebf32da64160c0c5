"""Compares the decoding of every file of a folder with the reference decoders that are installed.

    cargo build --release --example decode_folder
    pip install pillow pillow-heif numpy           # libtiff, libwebp, libpng; libheif
    apt-get install libjpeg-turbo-progs libjxl-tools libavif-bin libimage-exiftool-perl
    python compare.py target/release/examples/decode_folder FOLDER

Prints a line for each file that only the reference decodes, that only fer-index decodes, or whose pixels differ by more
than two levels on average, and then the counts by format. The reference's pixels are turned upright as its program
shows them, transparent ones are on white, and colour profiles are not applied.
"""

import collections
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image, ImageOps

try:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
except ImportError:
    pillow_heif = None
Image.MAX_IMAGE_PIXELS = 125_000_000  # an error from twice as many on
MOST_SECONDS = 120


def run(*command):
    return subprocess.run(command, capture_output=True, timeout=MOST_SECONDS, check=True).stdout


def eight_bits(image):
    """8 bits a sample; transparent pixels on white."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((numpy.asarray(image) // 257).astype("uint8"))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def by_pillow(path):
    image = Image.open(path)
    image.load()
    return eight_bits(ImageOps.exif_transpose(image))


def by_libjpeg(path):
    """djpeg without its warnings of damage, and the orientation of EXIF."""
    image = Image.open(io.BytesIO(run("djpeg", "-ppm", str(path))))
    image.load()
    orientation = Image.open(path).getexif().get(0x0112, 1)
    image.getexif()[0x0112] = orientation
    return ImageOps.exif_transpose(image).convert("RGB")


def by_libjxl(path):
    with tempfile.NamedTemporaryFile(suffix=".png") as png:
        # Of pictures that are not coded in the colours of the eye, the decoder keeps the colours.
        try:
            run("djxl", str(path), png.name, "--bits_per_sample=8", "--color_space=RGB_D65_SRG_Rel_SRG")
        except subprocess.CalledProcessError:
            run("djxl", str(path), png.name, "--bits_per_sample=8")
        image = Image.open(png.name)
        image.load()
    return eight_bits(image)


def by_exiftool(path):
    """The largest JPEG that exiftool names, with the orientation of the raw file."""
    best = None
    for tag in ["JpgFromRaw", "JpgFromRaw2", "PreviewImage", "OtherImage", "ThumbnailImage"]:
        for jpeg in [run("exiftool", "-b", f"-{tag}", str(path))]:
            try:
                image = Image.open(io.BytesIO(jpeg))
                image.load()
            except Exception:
                continue
            if best is None or image.width * image.height > best.width * best.height:
                best = image
    if best is None:
        raise ValueError("no preview")
    orientation = run("exiftool", "-n", "-s3", "-IFD0:Orientation", str(path)).split()
    best.getexif()[0x0112] = int(orientation[0]) if orientation else best.getexif().get(0x0112, 1)
    return ImageOps.exif_transpose(best).convert("RGB")


RAW = "3fr arw cr2 cr3 crw dcr dng erf fff iiq kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f".split()


def reference(path):
    """The decoders for a file, the most exact first."""
    kind = path.suffix.lower().lstrip(".")
    if kind in RAW:
        return [by_exiftool]
    if kind == "jxl":
        return [by_libjxl]
    if kind in ("jpg", "jpeg", "jpe", "mpo"):
        return [by_libjpeg, by_pillow]
    return [by_pillow]


def main():
    decoder, folder = sys.argv[1], Path(sys.argv[2])
    counts = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as pixels:
        lines = subprocess.run(
            [decoder, str(folder), pixels], capture_output=True, text=True, errors="replace"
        ).stdout.splitlines()
        for line in lines:
            index, name, outcome, kind, size, _ = line.split("\t")
            path = folder / name
            suffix = path.suffix.lower().lstrip(".") or "-"
            theirs = None
            for decode in reference(path):
                try:
                    theirs = decode(path)
                    break
                except Exception:
                    continue
            is_ours = outcome.startswith("decoded")
            if is_ours and theirs is not None:
                ours = Image.open(Path(pixels) / f"{index}.ppm").convert("RGB")
                if ours.size != theirs.size:
                    verdict = "another size"
                    print(f"{name}: {size}, the reference {theirs.width}x{theirs.height}")
                else:
                    a, b = (numpy.asarray(each).astype("int16") for each in (ours, theirs))
                    difference = numpy.abs(a - b).mean()
                    verdict = "equal" if difference <= 2 else "other pixels"
                    if difference > 2:
                        print(f"{name}: {difference:.1f} levels from the reference")
            elif is_ours:
                verdict = "only fer-index"
                print(f"{name}: only fer-index ({outcome}, {kind}, {size})")
            elif theirs is not None:
                verdict = "only the reference"
                print(f"{name}: only the reference ({outcome})")
            else:
                verdict = "neither"
            counts[suffix][verdict] += 1
            (Path(pixels) / f"{index}.ppm").unlink(missing_ok=True)
    verdicts = ["equal", "other pixels", "another size", "only fer-index", "only the reference", "neither"]
    print("\n| files | " + " | ".join(verdicts) + " |\n| --- |" + " --- |" * len(verdicts))
    total = collections.Counter()
    for suffix in sorted(counts):
        total += counts[suffix]
        print(f"| {suffix} | " + " | ".join(str(counts[suffix][verdict]) for verdict in verdicts) + " |")
    print("| all | " + " | ".join(str(total[verdict]) for verdict in verdicts) + " |")


main()
