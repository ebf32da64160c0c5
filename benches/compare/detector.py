"""Compares the speed of the detector's network with ONNX Runtime and tract: one 640x480 picture, one thread, CPU time.

    pip install numpy onnx onnxruntime pillow safetensors
    cargo build --release --example yunet_speed
    cargo build --release --locked --manifest-path benches/compare/tract/Cargo.toml
    python benches/compare/detector.py PICTURE [--rounds 5] [--runs 30]

All three use the same weights and alternate, round by round. A round's figure is the mean of its runs, since the
system counts CPU time in ticks that are longer than a run; the result is the median of the rounds' ratios. The
script first checks that all three give the same output.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnx
import onnxruntime as ort
from PIL import Image, ImageOps
from safetensors.numpy import load_file

from yunet_onnx import build

WIDTH, HEIGHT, WARM_UP = 640, 480, 5
ROOT = os.path.join(os.path.dirname(__file__), "..", "..")
OURS = os.path.join(ROOT, "target/release/examples/yunet_speed")
TRACT = os.path.join(ROOT, "benches/compare/tract/target/release/yunet-tract")


def best(outputs):
    """Score and box of the cell with the highest score."""
    found = []
    for stride, (cls, obj, box, _) in zip((8, 16, 32), (outputs[i : i + 4] for i in (0, 4, 8))):
        score = np.sqrt(1 / (1 + np.exp(-cls[0, 0])) / (1 + np.exp(-obj[0, 0])))
        y, x = np.unravel_index(score.argmax(), score.shape)
        dx, dy, w, h = box[0, :, y, x]
        w, h = np.exp(w) * stride, np.exp(h) * stride
        found.append([score[y, x], (x + dx) * stride - w / 2, (y + dy) * stride - h / 2, w, h])
    return max(found)


def run_program(*command):
    """The JSON that a program prints, on one thread."""
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--ours", default=OURS, help="the binary of the example yunet_speed")
    parser.add_argument("--tract", default=TRACT, help="the binary of benches/compare/tract")
    arguments = parser.parse_args()

    model = build(load_file(os.path.join(ROOT, "models/yunet_s.safetensors")), HEIGHT, WIDTH)
    picture = ImageOps.pad(Image.open(arguments.picture).convert("RGB"), (WIDTH, HEIGHT))
    image = np.ascontiguousarray(np.asarray(picture, np.float32)[None, :, :, ::-1].transpose(0, 3, 1, 2))
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"image": image})

    with tempfile.TemporaryDirectory() as folder:
        png, onnx_file, raw = (os.path.join(folder, name) for name in ("in.png", "yunet.onnx", "in.f32"))
        picture.save(png)
        onnx.save(model, onnx_file)
        image.tofile(raw)

        def ours(runs):
            return run_program(arguments.ours, png, str(runs))

        def tract(runs):
            return run_program(arguments.tract, onnx_file, raw, str(HEIGHT), str(WIDTH), str(runs))

        def onnx_runtime(runs):
            ms = []
            for run in range(WARM_UP + runs):
                start = time.process_time_ns()
                session.run(None, {"image": image})
                if run >= WARM_UP:
                    ms.append((time.process_time_ns() - start) / 1e6)
            return {"ms": ms}

        difference = np.abs(np.array(best(outputs)) - max(ours(1)["faces"])).max()
        sums = np.array([output.sum(dtype=np.float64) for output in outputs])
        tract_difference = np.abs(sums - tract(1)["sums"]).max() / np.abs(sums).max()
        print(f"best face: differs by {difference:.1e}; tract's sums by {tract_difference:.1e}")
        assert difference < 1e-2 and tract_difference < 1e-3

        against_ort, against_tract = [], []
        for _ in range(arguments.rounds):
            a, b, c = (statistics.mean(run(arguments.runs)["ms"]) for run in (ours, onnx_runtime, tract))
            against_ort.append(a / b)
            against_tract.append(a / c)
            print(f"fer-index {a:.2f} ms, ONNX Runtime {b:.2f} ms, tract {c:.2f} ms")
    print(f"median ratios: fer-index to ONNX Runtime {ort.__version__} {statistics.median(against_ort):.2f}, "
          f"to tract {statistics.median(against_tract):.2f}")


if __name__ == "__main__":
    main()
