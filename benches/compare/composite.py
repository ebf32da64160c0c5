"""Pastes faces of known sizes into photos without people, to measure the detector's recall by size.

    pip install pillow
    fer-index detect --format jsonl FACES/* > faces.jsonl      # photos of one face each
    python benches/compare/composite.py faces.jsonl OUT SCENE... [--megapixels 24] [--each 3] [--seed 1]

Each scene becomes a JPEG in OUT with `each` faces of every size, none of which overlap. The size of a face is the
shorter side of the box that the detector gave it in its own photo; so only faces that the detector finds at all are
pasted. OUT/labels.csv holds their boxes, with the size in the column `state`, so that

    fer-index evaluate album OUT --labels OUT/labels.csv

prints the recall by size. `--megapixels` enlarges the scenes first.
"""

import argparse
import csv
import json
import os
import random

from PIL import Image, ImageFilter, ImageOps

SIZES = [24, 32, 40, 48, 56, 64, 80, 100, 150, 200, 300]
LEAST_SCORE = 0.8


def read(path):
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def patch(path, box, size):
    """The face with its surroundings, scaled to `size`; a mask with soft edges; the face's box in the patch."""
    photo = read(path)
    x, y, w, h = box
    reach = 1.1 * max(w, h)
    left, upper = int(max(0, x + w / 2 - reach)), int(max(0, y + h / 2 - reach))
    right, lower = int(min(photo.width, x + w / 2 + reach)), int(min(photo.height, y + h / 2 + reach))
    cut = photo.crop((left, upper, right, lower))
    factor = size / min(w, h)
    face = cut.resize((max(1, round(cut.width * factor)), max(1, round(cut.height * factor))), Image.LANCZOS)
    mask = Image.new("L", face.size, 0)
    edge = max(1, int(0.06 * min(face.size)))
    mask.paste(255, (edge, edge, face.width - edge, face.height - edge))
    mask = mask.filter(ImageFilter.GaussianBlur(edge / 2))
    across, down = face.width / cut.width, face.height / cut.height
    return face, mask, ((x - left) * across, (y - upper) * down, w * across, h * down)


def compose(scene, faces, each, rng):
    """Pastes `each` faces of every size into the scene; returns a box and a label for each."""
    taken, labels = [], []
    for size in sorted(SIZES * each, reverse=True):
        face, mask, (x, y, w, h) = patch(*rng.choice(faces), size)
        for _ in range(300):
            left, upper = rng.randint(0, scene.width - face.width), rng.randint(0, scene.height - face.height)
            right, lower = left + face.width, upper + face.height
            if all(right + 8 < l or r + 8 < left or lower + 8 < u or b + 8 < upper for l, u, r, b in taken):
                break
        else:
            continue
        taken.append((left, upper, right, lower))
        scene.paste(face, (left, upper), mask)
        labels.append((left + x, upper + y, left + x + w, upper + y + h, f"{size:3} px"))
    return labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", help="output of `fer-index detect --format jsonl`")
    parser.add_argument("out")
    parser.add_argument("scenes", nargs="+")
    parser.add_argument("--megapixels", type=float)
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1, help="number of composites of each scene")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    photos = [json.loads(line) for line in open(arguments.faces)]
    faces = [(p["path"], p["faces"][0]["box"]) for p in photos if p.get("faces") and p["faces"][0]["detection_score"] >= LEAST_SCORE]
    os.makedirs(arguments.out, exist_ok=True)
    with open(os.path.join(arguments.out, "labels.csv"), "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "xmin", "ymin", "xmax", "ymax", "state"])
        for round_ in range(arguments.rounds):
            for number, path in enumerate(arguments.scenes):
                scene = read(path)
                if arguments.megapixels:
                    factor = (arguments.megapixels * 1e6 / (scene.width * scene.height)) ** 0.5
                    scene = scene.resize((int(scene.width * factor), int(scene.height * factor)), Image.BICUBIC)
                name = f"{round_}-{number}.jpg"
                for row in compose(scene, faces, arguments.each, rng):
                    table.writerow([name, *(f"{v:.1f}" for v in row[:4]), row[4]])
                scene.save(os.path.join(arguments.out, name), quality=92)


if __name__ == "__main__":
    main()
