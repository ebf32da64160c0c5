"""Compares the decoding of every file of a folder with the reference decoders that are installed.

    cargo build --release --example decode_folder
    pip install pillow pillow-heif numpy           # libtiff, libwebp, libpng; libheif
    apt-get install libjpeg-turbo-progs libjxl-tools libavif-bin libimage-exiftool-perl
    python compare.py target/release/examples/decode_folder FOLDER
    python compare.py --cells target/release/examples/decode_folder tests/fixtures/matrix

Prints a line for each file that only the reference decodes, that only fer-index decodes, or whose pixels differ by more
than two levels on average, and then the counts by format. The reference's pixels are turned upright as its program
shows them, transparent ones are on white, and colour profiles are not applied but those of inks.

With `--cells`, prints the table of the matrix instead: for the files whose names differ only in numbers, how many there
are, their size in pixels, and the least peak signal-to-noise ratio of our pixels against the reference's.
"""

import collections
import io
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image, ImageCms, ImageOps

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


def by_littlecms(path):
    """Inks by their profile, without which they have no reference but that of the other decoders; and CIE L*a*b*."""
    image = Image.open(path)
    if image.mode == "LAB":
        profiles = [ImageCms.createProfile(name) for name in ("LAB", "sRGB")]
        return ImageCms.profileToProfile(ImageOps.exif_transpose(image), *profiles, outputMode="RGB")
    if image.mode != "CMYK" or "icc_profile" not in image.info:
        raise ValueError("no inks with a profile")
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(ImageOps.exif_transpose(image), profile, srgb, outputMode="RGB")


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
        return [by_littlecms, by_libjpeg, by_pillow]
    if kind in ("tif", "tiff"):
        return [by_littlecms, by_pillow]
    return [by_pillow]


def compared(decoder, folder):
    """Each file of a folder: its name, what became of it here, our pixels and the reference's, or None."""
    with tempfile.TemporaryDirectory() as pixels:
        lines = subprocess.run(
            [decoder, str(folder), pixels], capture_output=True, text=True, errors="replace"
        ).stdout.splitlines()
        for line in lines:
            index, name, outcome, kind, size, _ = line.split("\t")
            path = folder / name
            theirs = None
            for decode in reference(path):
                try:
                    theirs = decode(path)
                    break
                except Exception:
                    continue
            ours = None
            if outcome.startswith("decoded"):
                ours = Image.open(Path(pixels) / f"{index}.ppm").convert("RGB")
            yield name, f"{outcome}, {kind}, {size}" if ours else outcome, ours, theirs
            (Path(pixels) / f"{index}.ppm").unlink(missing_ok=True)


def differences(ours, theirs):
    return numpy.asarray(ours).astype("float32") - numpy.asarray(theirs)


def print_cells(decoder, folder):
    groups = collections.defaultdict(list)
    for name, outcome, ours, theirs in compared(decoder, folder):
        if ours is None or theirs is None or ours.size != theirs.size:
            verdict = "not decoded" if ours is None else "no reference" if theirs is None else "another size"
            groups[re.sub(r"[0-9]+", "*", name), verdict, ""].append(None)
            continue
        error = numpy.square(differences(ours, theirs)).mean()
        ratio = 10 * math.log10(255**2 / error) if error else math.inf
        groups[re.sub(r"[0-9]+", "*", name), "shown", f"{ours.width} × {ours.height}"].append(ratio)
    print("| files | number | pixels | least PSNR, dB |\n| --- | --- | --- | --- |")
    for (name, verdict, size), ratios in sorted(groups.items()):
        least = verdict if None in ratios else "equal" if min(ratios) == math.inf else f"{min(ratios):.1f}"
        print(f"| `{name}` | {len(ratios)} | {size} | {least} |")


def print_counts(decoder, folder):
    counts = collections.defaultdict(collections.Counter)
    for name, outcome, ours, theirs in compared(decoder, folder):
        if ours is not None and theirs is not None:
            if ours.size != theirs.size:
                verdict = "another size"
                print(f"{name}: {outcome}, the reference {theirs.width}x{theirs.height}")
            else:
                difference = numpy.abs(differences(ours, theirs)).mean()
                verdict = "equal" if difference <= 2 else "other pixels"
                if difference > 2:
                    print(f"{name}: {difference:.1f} levels from the reference")
        elif ours is not None:
            verdict = "only fer-index"
            print(f"{name}: only fer-index ({outcome})")
        elif theirs is not None:
            verdict = "only the reference"
            print(f"{name}: only the reference ({outcome})")
        else:
            verdict = "neither"
        counts[Path(name).suffix.lower().lstrip(".") or "-"][verdict] += 1
    verdicts = ["equal", "other pixels", "another size", "only fer-index", "only the reference", "neither"]
    print("\n| files | " + " | ".join(verdicts) + " |\n| --- |" + " --- |" * len(verdicts))
    total = collections.Counter()
    for suffix in sorted(counts):
        total += counts[suffix]
        print(f"| {suffix} | " + " | ".join(str(counts[suffix][verdict]) for verdict in verdicts) + " |")
    print("| all | " + " | ".join(str(total[verdict]) for verdict in verdicts) + " |")


arguments = [argument for argument in sys.argv[1:] if argument != "--cells"]
(print_cells if "--cells" in sys.argv else print_counts)(arguments[0], Path(arguments[1]))
