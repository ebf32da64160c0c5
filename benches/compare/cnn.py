"""Compares the emotion network's speed with PyTorch (training) and ONNX Runtime (inference), on one thread each.

    pip install numpy onnx onnxruntime safetensors torch
    cargo build --release -p fer-train --example cnn_speed
    python benches/compare/cnn.py target/release/examples/cnn_speed models/emotion.safetensors [rounds]

The two sides alternate, round by round; times are CPU seconds. The time of fer-index is that of a process with
many repetitions minus that of a process with none. The script first checks that both sides give the same logits
for a face.
"""

import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F

SIDE, BATCH, FACES, STEPS = 48, 128, 2000, 8


def fold(weights, conv, norm):
    """Kernel [out, in, y, x] and bias of a convolution with its batch norm."""
    scale = weights[norm + ".weight"] / np.sqrt(weights[norm + ".running_var"] + 1e-5)
    kernel = (weights[conv + ".weight"].astype(np.float32) * scale).transpose(3, 2, 0, 1)
    return np.ascontiguousarray(kernel), weights[norm + ".bias"] - weights[norm + ".running_mean"] * scale


def to_onnx(spec, weights):
    """The network of a model file as ONNX, with its batch norms folded into the convolutions."""
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name

    def node(kind, inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def conv(x, path, norm, stride):
        kernel, bias = fold(weights, path, norm)
        side = kernel.shape[-1] // 2
        inputs = [x, constant(path + ".k", kernel), constant(path + ".b", bias)]
        return node("Conv", inputs, path, strides=[stride] * 2, pads=[side] * 4)

    trunk = spec["trunk"]
    x = node("Relu", [conv("face", "stem.conv", "stem.bn", trunk["stem_stride"])], "stem")
    for i, block in enumerate(trunk["blocks"]):
        b, stride = f"blocks.{i}.", block.get("stride", 1)
        y = node("Relu", [conv(x, b + "conv1", b + "bn1", stride)], b + "inner")
        y = conv(y, b + "conv2", b + "bn2", 1)
        if b + "projection.conv.weight" in weights:
            x = conv(x, b + "projection.conv", b + "projection.bn", stride)
        x = node("Relu", [node("Add", [x, y], b + "sum")], b + "out")
    x = node("Flatten", [node("GlobalAveragePool", [x], "mean")], "features")
    heads = []
    for head in (h["name"] for h in spec["heads"]):
        w, b = (constant(head + "." + p, weights[f"heads.{head}.{p}"]) for p in ("weight", "bias"))
        heads.append(node("Gemm", [x, w, b], head, transB=1))
    faces = helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 1, SIDE, SIDE])
    outputs = [helper.make_tensor_value_info(h, TensorProto.FLOAT, None) for h in heads]
    model = helper.make_model(helper.make_graph(nodes, "cnn", [faces], outputs, constants),
                              opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


class ConvNorm(nn.Sequential):
    def __init__(self, i, o, kernel, stride):
        super().__init__(nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(o))


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.first, self.second = ConvNorm(i, o, 3, stride), ConvNorm(o, o, 3, 1)
        self.shortcut = ConvNorm(i, o, 1, stride) if i != o or stride != 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class Net(nn.Module):
    def __init__(self, spec):
        super().__init__()
        trunk, width = spec["trunk"], spec["trunk"]["stem"]
        layers = [ConvNorm(1, width, 3, trunk["stem_stride"]), nn.ReLU()]
        for block in trunk["blocks"]:
            layers.append(Block(width, block["width"], block.get("stride", 1)))
            width = block["width"]
        self.trunk = nn.Sequential(*layers)
        self.heads = nn.ModuleList(nn.Linear(width, len(h["emotions"])) for h in spec["heads"])

    def forward(self, x):
        features = self.trunk(x).mean((2, 3))
        return [head(features) for head in self.heads]


def run_process(*command):
    """CPU seconds and standard output of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, output


def ours(program, model, work, count):
    """CPU seconds of fer-index for one repetition."""
    start, _ = run_process(program, model, work, "0")
    return (run_process(program, model, work, str(count))[0] - start) / count


def timed(work, count):
    """CPU seconds of this process for one call of `work`."""
    start = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - start) / count


def main(program, model, rounds=5):
    with safe_open(model, "np") as file:
        spec = json.loads(file.metadata()["spec"])
        weights = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}
    torch.set_num_threads(1)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(to_onnx(spec, weights), options, providers=["CPUExecutionProvider"])
    face = (np.arange(SIDE * SIDE) * 37 % 101 / np.float32(50) - 1).astype(np.float32)
    feed = {"face": face.reshape(1, 1, SIDE, SIDE)}
    found = json.loads(run_process(program, model, "infer", "0")[1])
    difference = max(np.abs(a.ravel() - b).max() for a, b in zip(session.run(None, feed), found))
    print(f"logits differ by at most {difference:.1e}")
    assert difference < 1e-3

    net = Net(spec).to(memory_format=torch.channels_last)
    batch = torch.from_numpy(np.tile(face, (BATCH, 1)).reshape(BATCH, 1, SIDE, SIDE))
    batch = batch.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, nesterov=True)
    truth = torch.zeros(BATCH, dtype=torch.long)

    def step():
        optimizer.zero_grad()
        sum(F.cross_entropy(y, truth) for y in net(batch)).backward()
        optimizer.step()

    timed(step, 2)
    timed(lambda: session.run(None, feed), 100)
    inference, training = [], []
    for _ in range(int(rounds)):
        a, b = ours(program, model, "infer", FACES), timed(lambda: session.run(None, feed), FACES)
        c, d = BATCH / ours(program, model, "train", STEPS), BATCH / timed(step, STEPS)
        inference.append(a / b)
        training.append(c / d)
        print(f"per face: fer-index {1e3 * a:.3f} ms, ONNX Runtime {1e3 * b:.3f} ms, ratio {a / b:.2f}; "
              f"training: fer-index {c:.0f} faces/s, PyTorch {d:.0f}, ratio {c / d:.2f}")
    print(f"median ratios: per face {statistics.median(inference):.2f}, training {statistics.median(training):.2f}")


main(*sys.argv[1:])
