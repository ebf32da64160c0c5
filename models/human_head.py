"""Fits the head that tells human faces from what else the detector takes for a face, and writes it into a model file.

    pip install numpy
    python3 models/human_head.py MODEL OUT --votes fer2013new.csv --rows fer2013.jsonl \\
        --faces HUMAN.jsonl... --boxes BOXES.jsonl labels.csv --others OTHER.jsonl... [--leave-out human_head_left_out.txt]

The JSON lines are those of `cargo run --release --example human_faces`, made with the network of MODEL. `--rows` are the
rows of FER2013, which are human faces unless people voted for "not a face"; `--faces` are of photos of one person, of which
the largest face counts; `--boxes` are of photos in which all faces are labelled; `--others` are of pictures without people.
Changed copies of a face weigh half as much as the face together. `--leave-out` names pictures of these that show a person
all the same, one a line.

Half of the photos, by a hash of the file's name, are held out: it prints how many of them a head keeps that has learned from
the others. Then it is fitted to all. The bias is moved so that of the held-out faces of photos as many count as human as
`--keep` says. `--from OTHER` fits nothing and takes the head of another model file, whose trunk must be the same.
"""

import argparse
import csv
import json
import os
import struct
import zlib

import numpy as np

HIDDEN = 48
EPOCHS = 20
BATCH = 256
RATE = 2e-3
DROPPED = 0.3  # share of the hidden values that are left out of a step
COPIES = 0.5  # weight of the changed copies of a set, that of its faces being 1
MIN_IOU = 0.4
# The score from which a face counts as human, `LEAST_HUMAN` in the program, as a logit.
LEAST = np.log(0.3 / 0.7)
# Sets that weigh more than their size says: nothing looks as human as monkeys.
WEIGHTS = {"monkeys.jsonl": 2}


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def iou(a, b):
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(across, 0) * max(down, 0)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


class Examples:
    """Faces with their features, whether they are human, which set they are of, and the photo's name."""

    def __init__(self):
        self.features, self.human, self.sets, self.photos, self.copies = [], [], [], [], []

    def add(self, face, human, name):
        self.features.append(np.array(face["features"], np.float32))
        self.human.append(human)
        self.sets.append(name)
        self.photos.append(os.path.basename(str(face["file"])))
        self.copies.append(face.get("copy", 0) > 0)

    def arrays(self):
        held_out = np.array([zlib.crc32(photo.encode()) % 2 == 1 for photo in self.photos])
        human, sets, copies = np.array(self.human, np.float32), np.array(self.sets), np.array(self.copies)
        return np.stack(self.features), human, sets, copies, held_out


def read(arguments):
    examples = Examples()
    with open(arguments.votes) as file:
        votes = list(csv.DictReader(file))
    for face in lines(arguments.rows):
        row = votes[face["file"]]
        if not row["Image name"]:
            continue
        if int(row["NF"]) == 0:
            examples.add(face, 1, "fer2013")
        elif int(row["NF"]) >= 6:
            examples.add(face, 0, "fer2013 not a face")
    for path in arguments.faces:
        largest = {}
        for face in lines(path):
            area = face["box"][2] * face["box"][3]
            best, faces = largest.get(face["file"], (0, []))
            if area > best:
                largest[face["file"]] = (area, [face])
            elif area == best:
                faces.append(face)  # a copy
        for _, faces in largest.values():
            for face in faces:
                examples.add(face, 1, os.path.basename(path))
    for path, labels in arguments.boxes:
        boxes = {}
        with open(labels) as file:
            for row in csv.DictReader(file):
                x, y, right, lower = (float(row[name]) for name in ("xmin", "ymin", "xmax", "ymax"))
                boxes.setdefault(row["file"], []).append(((x, y, right - x, lower - y), row["state"]))
        for face in lines(path):
            for box, state in boxes.get(os.path.basename(face["file"]), []):
                if iou(face["box"], box) >= MIN_IOU:
                    examples.add(face, 1, f"{os.path.basename(path)} {state}")
                    break
    left_out = set()
    if arguments.leave_out:
        with open(arguments.leave_out) as file:
            left_out = {line.strip() for line in file}
    for path in arguments.others:
        for face in lines(path):
            if os.path.basename(face["file"]) not in left_out:
                examples.add(face, 0, os.path.basename(path))
    return examples


def fit(x, human, weight, seed=0):
    """Weights and biases of both layers, by Adam; the features are standardised, which the first layer absorbs."""
    rng = np.random.default_rng(seed)
    features, mean, deviation = x, x.mean(0), x.std(0) + 1e-3
    x = (x - mean) / deviation
    shapes = [(HIDDEN, x.shape[1]), (HIDDEN,), (1, HIDDEN), (1,)]
    p = [rng.normal(0, 1 / np.sqrt(s[-1]), s) if len(s) == 2 else np.zeros(s) for s in shapes]
    p = [part.astype(np.float32) for part in p]
    m, v = [np.zeros_like(part) for part in p], [np.zeros_like(part) for part in p]
    step, steps = 0, EPOCHS * (len(x) // BATCH + 1)
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            sums = x[rows] @ p[0].T + p[1]
            kept = ((sums > 0) & (rng.random(sums.shape) >= DROPPED)).astype(np.float32) / (1 - DROPPED)
            hidden = sums * kept
            found = hidden @ p[2].T + p[3]
            slope = (1 / (1 + np.exp(-found)) - human[rows, None]) * weight[rows, None] / np.float32(len(rows))
            back = (slope @ p[2]) * kept
            gradients = [back.T @ x[rows], back.sum(0), slope.T @ hidden, slope.sum(0)]
            step += 1
            rate = np.float32(RATE * (1 - step / (steps + 1)))
            for i, gradient in enumerate(gradients):
                m[i] = 0.9 * m[i] + 0.1 * gradient
                v[i] = 0.999 * v[i] + 0.001 * gradient**2
                p[i] -= rate * (m[i] / (1 - 0.9**step)) / (np.sqrt(v[i] / (1 - 0.999**step)) + 1e-8)
    p[0] = p[0] / deviation
    p[1] = p[1] - p[0] @ mean
    p[:2] = halved(p[0], p[1], features)
    return p


def halved(weight, bias, x):
    """The weights of the hidden layer as 16-bit floats, as they are stored, and its biases. They are rounded one after the
    other; those that follow, and at last the bias, make up for the error on the faces `x` (Frantar et al., "GPTQ", ICLR
    2023)."""
    inputs = np.hstack([x, np.ones((len(x), 1))]).astype(np.float64)
    moments = inputs.T @ inputs / len(x)
    moments += 1e-6 * np.diag(moments).mean() * np.eye(len(moments))
    factor = np.linalg.cholesky(np.linalg.inv(moments)).T
    weight = np.hstack([weight, bias[:, None]])
    for i in range(weight.shape[1] - 1):
        exact = weight[:, i].copy()
        weight[:, i] = exact.astype(np.float16)
        weight[:, i + 1 :] -= np.outer(exact - weight[:, i], factor[i, i + 1 :] / factor[i, i])
    return weight[:, :-1], weight[:, -1]


def activations(p, x):
    return np.maximum(x @ p[0].T + p[1], 0)


def logits(p, x):
    return (activations(p, x) @ p[2].T + p[3])[:, 0]


def weights_of(human, sets, copies):
    """Each set weighs as the square root of its size, and human faces together as much as the others."""
    weight = np.zeros(len(human), np.float32)
    for kind in (0, 1):
        names = np.unique(sets[human == kind])
        faces = {name: (sets == name) & (human == kind) for name in names}
        shares = {name: WEIGHTS.get(name, 1) * np.sqrt((faces[name] & ~copies).sum()) for name in names}
        for name in names:
            changed = faces[name] & copies
            share = shares[name] / sum(shares.values())
            if changed.any():
                weight[changed] = share * COPIES / (1 + COPIES) / changed.sum()
                share /= 1 + COPIES
            plain = faces[name] & ~copies
            weight[plain] = share / plain.sum()
    return weight * np.float32(len(human) / 2)


def head_of(path):
    """The head of a model file."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    def tensor(name):
        entry = header[f"human.{name}"]
        start, end = entry["data_offsets"]
        kind = {"F16": "<f2", "F32": "<f4"}[entry["dtype"]]
        return np.frombuffer(data[start:end], kind).reshape(entry["shape"]).astype(np.float32)
    return [tensor(f"{layer}.{part}") for layer in ("hidden", "output") for part in ("weight", "bias")]


def write(source, out, p):
    """Copies a safetensors file, with the head; the file has no seal until `fer-index model pack` has written it."""
    with open(source, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    header.get("__metadata__", {}).pop("seal", None)
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and not name.startswith("human."):
            start, end = entry["data_offsets"]
            tensors[name] = (entry["dtype"], entry["shape"], data[start:end])
    for name, values in zip(("hidden.weight", "hidden.bias", "output.weight", "output.bias"), p):
        # As `fer-index model pack` has it: small tensors keep their precision.
        dtype, stored = ("F16", "<f2") if values.size > 1000 else ("F32", "<f4")
        tensors[f"human.{name}"] = (dtype, list(values.shape), values.astype(stored).tobytes())
    # Aligned: the largest types first, as the format's own writer has them.
    order = sorted(tensors, key=lambda name: (tensors[name][0] != "F32", name))
    new, offset = {"__metadata__": header["__metadata__"]}, 0
    for name in order:
        dtype, shape, values = tensors[name]
        new[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(values)]}
        offset += len(values)
    text = json.dumps(new, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(out, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(tensors[name][2] for name in order))


def table(title, sets, human, kept):
    print(title)
    for name in np.unique(sets):
        rows = sets == name
        kind = "human" if human[rows][0] else "other"
        print(f"  {kind} {name:32} {kept[rows].sum():6} of {rows.sum():6} kept = {100 * kept[rows].mean():.2f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--from", dest="other", metavar="OTHER")
    parser.add_argument("--votes")
    parser.add_argument("--rows")
    parser.add_argument("--faces", nargs="+", default=[])
    parser.add_argument("--boxes", nargs=2, action="append", default=[], metavar=("LINES", "LABELS"))
    parser.add_argument("--others", nargs="+", default=[])
    parser.add_argument("--leave-out")
    parser.add_argument("--keep", type=float, default=0.998)
    arguments = parser.parse_args()
    if arguments.other:
        write(arguments.model, arguments.out, head_of(arguments.other))
        return
    if not (arguments.votes and arguments.rows):
        parser.error("--votes and --rows are needed to fit a head")
    x, human, sets, copies, held_out = read(arguments).arrays()
    weight = weights_of(human, sets, copies)
    photos = (human == 1) & (sets != "fer2013") & ~copies
    found = np.zeros(len(x))
    for part in (held_out, ~held_out):
        found[part] = logits(fit(x[~part], human[~part], weight[~part]), x[part])
    limit = np.quantile(found[photos], 1 - arguments.keep)
    names = np.where(copies, np.char.add(sets, " changed"), sets)
    table(f"held out, from {limit:.3f}", names, human, found >= limit)
    p = fit(x, human, weight)
    p[3] = p[3] + LEAST - limit
    table("the head that is written", names, human, logits(p, x) >= LEAST)
    write(arguments.model, arguments.out, p)


if __name__ == "__main__":
    main()
