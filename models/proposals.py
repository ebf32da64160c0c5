#!/usr/bin/env python3
"""Fits the proposal network, the small one that tells where the fine level of a photo is worth a search (src/detect/proposals.rs).

    apt-get install python3-torch python3-pil python3-numpy
    fer-index detect --threshold 0.3 --format jsonl FOLDER/* > NAME.jsonl     # for each folder below
    python3 models/proposals.py samples one 4500 1    # and two 4500 2: in the folder of the .jsonl files
    python3 models/proposals.py fit first.pt 1500 one two
    python3 models/proposals.py fit second.pt 2500 one two --from first.pt
    python3 models/proposals.py write second.pt models/proposals.safetensors

NAME is `genki` and `wild` (one face each), `boxes` (groups), `imagenet` and `bsds` (objects and landscapes), and `camera`
(photos straight from cameras, of which no face was labelled). Every second photo of each is learned from. Faces are those that
the detector itself finds from 0.8 on; what it finds from 0.3 on counts as neither a face nor as none. A sample is 128 × 128
pixels at the scale at which the network looks, in which a face has 5 to 32: a part of a scene, a scene with pasted faces (35 % of
them in any roll, the others near upright), a part of a photo of people, or small photos side by side.

The loss of a face is that of the best cell near its middle, and counts twenty times as much as that of a cell without a face.
"""

import argparse
import io
import json
import math
import pickle
import random
import struct

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFile, ImageFilter, ImageOps

ImageFile.LOAD_TRUNCATED_IMAGES = True

SIDE = 128  # of a sample
CELL = 8
LEAST, MOST = 5.0, 32.0  # sides of faces: the square root of the box's area
FACE = 0.8  # least score of a face
WEIGHT = 20.0  # of a face against a cell without one
SETS = ["genki", "boxes", "wild", "imagenet", "bsds", "camera"]


class Samples:
    """Makes samples; the same for the same seed."""

    def __init__(self, seed):
        self.rng, self.noise, self.cache = random.Random(seed), np.random.default_rng(seed), {}
        self.sets = {name: self.read(name) for name in SETS}

    @staticmethod
    def read(name):
        """Path and boxes (x, y, width, height, score) of every second photo."""
        photos = [json.loads(line) for line in open(name + ".jsonl")]
        photos = [photo for photo in photos if "width" in photo][::2]
        rows = lambda photo: [face["box"] + [face["detection_score"]] for face in photo["faces"]]
        return [(p["path"], (p["width"], p["height"]), np.array(rows(p)).reshape(-1, 5)) for p in photos]

    def load(self, path):
        """A photo, reduced if it is large, and the scale."""
        if path not in self.cache:
            photo, scale = ImageOps.exif_transpose(Image.open(path)).convert("RGB"), 1.0
            if max(photo.size) > 1100:
                scale = 0.3 if max(photo.size) > 2200 else 0.5
                photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.BILINEAR)
            if len(self.cache) > 1500:
                self.cache.pop(next(iter(self.cache)))
            self.cache[path] = (photo, scale)
        return self.cache[path]

    def log_uniform(self, least, most):
        return math.exp(self.rng.uniform(math.log(least), math.log(most)))

    def side(self):
        return self.log_uniform(LEAST, 13) if self.rng.random() < 0.6 else self.log_uniform(10, 30)

    def crop(self, photo, scale, centre=None):
        """A part of the scaled photo, and the faces in it: middle, side, score."""
        rng, (path, _, boxes) = self.rng, photo
        picture, reduced = self.load(path)
        s = scale / reduced
        w, h = picture.width * s, picture.height * s
        if centre is None:
            x, y = rng.uniform(0, max(0, w - SIDE)), rng.uniform(0, max(0, h - SIDE))
        else:
            x = centre[0] * scale - rng.uniform(0.15, 0.85) * SIDE
            y = centre[1] * scale - rng.uniform(0.15, 0.85) * SIDE
            x, y = min(max(0, x), max(0, w - SIDE)), min(max(0, y), max(0, h - SIDE))
        x, y = round(x), round(y)
        box = (x / s, y / s, min(picture.width, (x + SIDE) / s), min(picture.height, (y + SIDE) / s))
        size = [min(SIDE, max(1, round((box[i + 2] - box[i]) * s))) for i in (0, 1)]
        part = picture.resize(size, Image.BILINEAR, box=box)
        if part.size != (SIDE, SIDE):
            grey = rng.choice([0, 128, rng.randrange(256)])
            around = Image.new("RGB", (SIDE, SIDE), (grey,) * 3)
            around.paste(part, (0, 0))
            part = around
        faces = [
            ((b[0] + b[2] / 2) * scale - x, (b[1] + b[3] / 2) * scale - y, math.sqrt(b[2] * b[3]) * scale, b[4])
            for b in boxes
        ]
        return part, [f for f in faces if all(-f[2] < f[i] < SIDE + f[2] for i in (0, 1))]

    def scene(self):
        name = self.rng.choices(["imagenet", "bsds", "camera"], [3, 1.5, 4])[0]
        photo = self.rng.choice(self.sets[name])
        if name == "camera":
            scale = 3 / 16 * self.log_uniform(0.7, 1.5) * (1 if max(photo[1]) > 2200 else 2)
        else:
            scale = self.log_uniform(0.35, 1.0)
        return self.crop(photo, min(scale, 1.0))

    def patch(self):
        """A face with some surroundings, turned, its mask, its middle and its side."""
        rng = self.rng
        while True:
            path, _, boxes = rng.choice(self.sets[rng.choice(["genki", "genki", "wild", "boxes"])])
            good = [b for b in boxes if b[4] >= 0.85 and min(b[2], b[3]) >= 24]
            if not good:
                continue
            b, (photo, reduced) = rng.choice(good), self.load(path)
            side = self.side()
            f = side / (math.sqrt(b[2] * b[3]) * reduced)
            if f <= 1.3:
                break
        reach = rng.uniform(0.75, 1.4) * max(b[2], b[3]) * reduced
        cx, cy = (b[0] + b[2] / 2) * reduced, (b[1] + b[3] / 2) * reduced
        box = (max(0, cx - reach), max(0, cy - reach), min(photo.width, cx + reach), min(photo.height, cy + reach))
        box = [round(v) for v in box]
        part = photo.crop(box)
        size = (max(1, round(part.width * f)), max(1, round(part.height * f)))
        part, mask = part.resize(size, Image.BILINEAR), Image.new("L", size, 0)
        edge = max(1, int(0.06 * min(size)))
        inner = (edge, edge, size[0] - edge, size[1] - edge)
        if rng.random() < 0.5:
            mask.paste(255, inner)
        else:
            ImageDraw.Draw(mask).ellipse(inner, fill=255)
        mask = mask.filter(ImageFilter.GaussianBlur(edge / 2))
        x, y = (cx - box[0]) * f, (cy - box[1]) * f
        if rng.random() < 0.5:
            part, mask, x = ImageOps.mirror(part), ImageOps.mirror(mask), part.width - x
        angle = rng.gauss(0, 15) if rng.random() < 0.65 else rng.uniform(-180, 180)
        dx, dy, a = x - part.width / 2, y - part.height / 2, math.radians(angle)
        part, mask = part.rotate(angle, Image.BICUBIC, expand=True), mask.rotate(angle, Image.BILINEAR, expand=True)
        x = part.width / 2 + dx * math.cos(a) + dy * math.sin(a)
        y = part.height / 2 - dx * math.sin(a) + dy * math.cos(a)
        return part, mask, x, y, side

    def pasted(self):
        rng, (picture, faces) = self.rng, self.scene()
        faces = [(*f[:3], min(f[3], 0.5)) for f in faces]
        taken = []
        for _ in range(rng.randrange(1, 4)):
            part, mask, fx, fy, side = self.patch()
            for _ in range(20):
                x, y = round(rng.uniform(3 - fx, SIDE - fx - 3)), round(rng.uniform(3 - fy, SIDE - fy - 3))
                right, lower = x + part.width, y + part.height
                if all(right < a or c < x or lower < b or d < y for a, b, c, d in taken):
                    picture.paste(part, (x, y), mask)
                    taken.append((x, y, right, lower))
                    faces = [f for f in faces if not (x < f[0] < right and y < f[1] < lower)]
                    faces.append((x + fx, y + fy, side, 1.0))
                    break
        return picture, faces

    def people(self):
        for _ in range(20):
            name = self.rng.choices(["boxes", "genki", "wild", "imagenet"], [6, 1, 1, 1])[0]
            photo = self.rng.choice(self.sets[name])
            good = [b for b in photo[2] if b[4] >= FACE]
            if good:
                b = self.rng.choice(good)
                scale = self.side() / math.sqrt(b[2] * b[3])
                if scale <= 1.2:
                    return self.crop(photo, scale, (b[0] + b[2] / 2, b[1] + b[3] / 2))
        return self.scene()

    def mosaic(self):
        rng = self.rng
        picture, faces, y = Image.new("RGB", (SIDE, SIDE), (rng.randrange(256),) * 3), [], 0
        while y < SIDE:
            x, height = 0, 0
            while x < SIDE:
                path, _, boxes = rng.choice(self.sets[rng.choice(["genki", "wild"])])
                good = [b for b in boxes if b[4] >= 0.85]
                if len(good) != 1:
                    continue
                b, (photo, reduced) = good[0], self.load(path)
                scale = self.side() * 1.1 / math.sqrt(b[2] * b[3])
                s = scale / reduced
                photo = photo.resize((max(1, round(photo.width * s)), max(1, round(photo.height * s))), Image.BILINEAR)
                picture.paste(photo, (x, y))
                covers = lambda g: (
                    x - g[2] / 2 < g[0] < x + photo.width + g[2] / 2 and y - g[2] / 2 < g[1] < y + photo.height + g[2] / 2
                )
                faces = [g for g in faces if not covers(g)]
                middle = ((b[0] + b[2] / 2) * scale + x, (b[1] + b[3] / 2) * scale + y)
                faces.append((*middle, math.sqrt(b[2] * b[3]) * scale, b[4]))
                x, height = x + photo.width, max(height, photo.height)
            y += height
        return picture, faces

    def changed(self, picture):
        """The picture in another light, blurred, with noise or compressed."""
        rng = self.rng
        if rng.random() < 0.5:
            picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(0.5, 1.3))
        if rng.random() < 0.5:
            gamma = self.log_uniform(0.6, 1.7)
            picture = picture.point(lambda v: int(255 * (v / 255) ** gamma))
        colour = rng.random()
        if colour < 0.12:
            picture = picture.convert("L").convert("RGB")
        elif colour < 0.4:
            picture = ImageEnhance.Color(picture).enhance(rng.uniform(0.4, 1.5))
        if rng.random() < 0.25:
            picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.8)))
        if rng.random() < 0.35:
            values = np.asarray(picture)
            values = np.clip(values + self.noise.normal(0, rng.uniform(1, 8), values.shape), 0, 255)
            picture = Image.fromarray(values.astype(np.uint8))
        if rng.random() < 0.4:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=rng.randrange(60, 95))
            picture = Image.open(file).convert("RGB")
        return picture

    def sample(self):
        kind = self.rng.random()
        make = self.scene if kind < 0.27 else self.pasted if kind < 0.62 else self.people if kind < 0.9 else self.mosaic
        picture, faces = make()
        if self.rng.random() < 0.5:
            picture, faces = ImageOps.mirror(picture), [(SIDE - f[0], *f[1:]) for f in faces]
        if self.rng.random() < 0.15:
            picture, faces = picture.rotate(90), [(f[1], SIDE - f[0], *f[2:]) for f in faces]
        return np.asarray(self.changed(picture)), faces


def samples(out, count, seed):
    made = Samples(seed)
    pairs = [made.sample() for _ in range(count)]
    np.save(out + ".npy", np.stack([picture for picture, _ in pairs]))
    pickle.dump([faces for _, faces in pairs], open(out + ".pkl", "wb"))


def network():
    """Stem, pool, two units, pool, three units, of whose last output the first channel counts. Input: RGB, 0 to 1."""
    from torch import nn

    class Unit(nn.Sequential):
        def __init__(self, inputs, outputs, relu=True):
            pointwise, depthwise = nn.Conv2d(inputs, outputs, 1), nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs)
            super().__init__(pointwise, depthwise, *([nn.ReLU()] if relu else []))
            nn.init.kaiming_normal_(pointwise.weight, nonlinearity="linear")
            nn.init.normal_(depthwise.weight, std=0.3)
            depthwise.weight.data[:, :, 1, 1] += 0.7

    stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
    fine = [Unit(16, 16), Unit(16, 32)]
    coarse = [Unit(32, 32), Unit(32, 32), Unit(32, 16, False)]
    return nn.Sequential(stem, nn.ReLU(), nn.MaxPool2d(2), *fine, nn.MaxPool2d(2), *coarse)


def yunet_stem(net, path):
    """The stem begins as that of the detector."""
    import torch

    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])

    def values(name):
        start, end = header[name]["data_offsets"]
        array = np.frombuffer(data[8 + length + start : 8 + length + end], "<f4")
        return torch.from_numpy(array.reshape(header[name]["shape"]).copy())

    net[0].weight.data = values("backbone__model0.pw.w").flip(1) * 255
    net[0].bias.data = values("backbone__model0.pw.b")


def masks(faces):
    """Cells without a face, and for each face the cells near its middle."""
    import torch

    at = (torch.arange(SIDE // CELL) + 0.5) * CELL
    y, x = torch.meshgrid(at, at, indexing="ij")
    without, near = torch.ones_like(x), []
    for cx, cy, side, score in faces:
        distance = ((x - cx) ** 2 + (y - cy) ** 2).sqrt()
        without[distance < 0.8 * side + 10] = 0
        if score >= FACE and 0.95 * LEAST <= side <= MOST and 0 < cx < SIDE and 0 < cy < SIDE:
            near.append(distance <= max(6.5, 0.4 * side))
    return without, near


def fit(out, steps, names, begin, detector):
    import torch
    from torch.nn.functional import softplus

    torch.manual_seed(1)
    pictures = np.concatenate([np.load(name + ".npy") for name in names])
    labels = [masks(faces) for name in names for faces in pickle.load(open(name + ".pkl", "rb"))]
    net, rng = network(), np.random.default_rng(1)
    yunet_stem(net, detector)
    if begin:
        net.load_state_dict(torch.load(begin))
    rate = 2e-3 if begin else 3e-3
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-4)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-5
        batch = rng.integers(0, len(labels), 32)
        found = net(torch.from_numpy(pictures[batch]).permute(0, 3, 1, 2).float() / 255)[:, 0]
        faces = [softplus(-found[k][near].max()) for k, i in enumerate(batch) for near in labels[i][1]]
        without = torch.stack([labels[i][0] for i in batch])
        loss = WEIGHT * sum(faces) + (softplus(found) * without).sum()
        optimizer.zero_grad()
        (loss / (WEIGHT * max(len(faces), 1) + 200)).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 49:
            print(step + 1, float(loss), flush=True)
    torch.save(net.state_dict(), out)


def write(fitted, out):
    """Writes safetensors; the stem as [out][y][x][rgb] for values of 0 to 255."""
    import torch

    net = network()
    net.load_state_dict(torch.load(fitted))
    tensors = {"stem.w": net[0].weight.permute(0, 2, 3, 1) / 255, "stem.b": net[0].bias}
    for index, name in zip([3, 4, 6, 7, 8], ["fine0", "fine1", "coarse0", "coarse1", "coarse2"]):
        pointwise, depthwise = net[index][0], net[index][1]
        tensors |= {name + ".pw.w": pointwise.weight[:, :, 0, 0], name + ".pw.b": pointwise.bias}
        tensors |= {name + ".dw.w": depthwise.weight[:, 0], name + ".dw.b": depthwise.bias}
    header, data = {}, b""
    for name, tensor in sorted(tensors.items()):
        values = tensor.detach().contiguous().numpy().astype("<f4").tobytes()
        offsets = [len(data), len(data) + len(values)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(out, "wb").write(struct.pack("<Q", len(text)) + text + data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("samples")
    command.add_argument("out")
    command.add_argument("count", type=int)
    command.add_argument("seed", type=int)
    command = commands.add_parser("fit")
    command.add_argument("out")
    command.add_argument("steps", type=int)
    command.add_argument("samples", nargs="+")
    command.add_argument("--from", dest="begin")
    command.add_argument("--detector", default="models/yunet_s.safetensors")
    command = commands.add_parser("write")
    command.add_argument("fitted")
    command.add_argument("out")
    given = parser.parse_args()
    if given.command == "samples":
        samples(given.out, given.count, given.seed)
    elif given.command == "fit":
        fit(given.out, given.steps, given.samples, given.begin, given.detector)
    else:
        write(given.fitted, given.out)


if __name__ == "__main__":
    main()
