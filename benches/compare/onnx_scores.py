#!/usr/bin/env python3
"""Compares the scores of an exported model in ONNX Runtime with those of `fer-index classify --framed`.

    fer-index model export built-in --onnx emotion.onnx
    python3 benches/compare/onnx_scores.py emotion.onnx faces/*.png [--model FILE]

The pictures are 48 × 48 grey PNG files. Needs numpy, onnxruntime and pillow, and fer-index on the PATH or in the variable
FER_INDEX. Ends with exit code 1 if a score differs by more than 1e-4.
"""

import argparse
import json
import os
import subprocess
import sys

import numpy
import onnxruntime
from PIL import Image

EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"]
LIMIT = 1e-4

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("onnx")
parser.add_argument("pictures", nargs="+")
parser.add_argument("--model", default="built-in", help="the model that was exported")
arguments = parser.parse_args()

faces = numpy.stack([numpy.asarray(Image.open(p).convert("L"), numpy.float32) for p in arguments.pictures])
session = onnxruntime.InferenceSession(arguments.onnx)
(theirs,) = session.run(["scores"], {"faces": faces[:, None]})

program = os.environ.get("FER_INDEX", "fer-index")
model = [] if arguments.model == "built-in" else ["--model", arguments.model]
answer = subprocess.run(
    [program, "classify", "--framed", "--format", "jsonl", *model, *arguments.pictures],
    check=True, capture_output=True, text=True,
)
ours = []
for line in answer.stdout.splitlines():
    found = json.loads(line)["faces"]
    scores = found[0]["scores"] if found else {}
    ours.append([scores.get(emotion, 0.0) for emotion in EMOTIONS])

largest = float(numpy.abs(theirs - numpy.array(ours)).max())
print(f"{len(ours)} faces, largest difference of a score {largest:.1e}")
sys.exit(largest > LIMIT)
