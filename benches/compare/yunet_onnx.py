"""Builds YuNet-s as an ONNX model from the project's weights, and times it with ONNX Runtime on one thread.

    pip install numpy onnx onnxruntime safetensors
    python benches/compare/yunet_onnx.py models/yunet_s.safetensors 480 640 [runs]

Prints the CPU milliseconds of a run (minimum and median). `--dump FILE` writes the input and the outputs as
safetensors, to compare the values with those of another implementation.
"""

import argparse
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file, save_file


def build(weights, height, width):
    """The ONNX model for pictures of this size."""
    nodes, initialisers = [], []

    def constant(name):
        if not any(i.name == name for i in initialisers):
            initialisers.append(numpy_helper.from_array(weights[name], name))
        return name

    def conv(x, name, out, **attributes):
        nodes.append(helper.make_node("Conv", [x, constant(name + ".w"), constant(name + ".b")], [out], **attributes))
        return out

    def relu(x):
        nodes.append(helper.make_node("Relu", [x], [x + "_relu"]))
        return x + "_relu"

    def unit(x, name, activate=True):
        channels = weights[name + ".dw.w"].shape[0]
        y = conv(x, name + ".pw", name + "_pw")
        y = conv(y, name + ".dw", name + "_dw", pads=[1, 1, 1, 1], group=channels)
        return relu(y) if activate else y

    def pool(x):
        nodes.append(helper.make_node("MaxPool", [x], [x + "_pool"], kernel_shape=[2, 2], strides=[2, 2]))
        return x + "_pool"

    def add_upsampled(fine, coarse):
        initialisers.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), coarse + "_scale"))
        nodes.append(helper.make_node("Resize", [coarse, "", coarse + "_scale"], [coarse + "_up"], mode="nearest",
                                      coordinate_transformation_mode="asymmetric", nearest_mode="floor"))
        nodes.append(helper.make_node("Add", [fine, coarse + "_up"], [fine + "_sum"]))
        return fine + "_sum"

    x = relu(conv("image", "backbone__model0.pw", "stem", pads=[1, 1, 1, 1], strides=[2, 2]))
    x = pool(unit(x, "backbone__model0_dp"))
    for stage in (1, 2):
        for part in (1, 2):
            x = unit(x, f"backbone__model{stage}_dp{part}")
    maps = []
    for stage in (3, 4, 5):
        x = pool(x)
        for part in (1, 2):
            x = unit(x, f"backbone__model{stage}_dp{part}")
        maps.append(x)
    c3, c4, c5 = maps
    p5 = unit(c5, "neck__lateral_convs__2")
    p4 = unit(add_upsampled(c4, p5), "neck__lateral_convs__1")
    p3 = unit(add_upsampled(c3, p4), "neck__lateral_convs__0")
    outputs = []
    for level, x in enumerate((p3, p4, p5)):
        for kind in ("cls", "obj", "bbox", "kps"):
            outputs.append(unit(x, f"bbox_head__multi_level_{kind}__{level}", activate=False))
    info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "yunet_s", [info("image", [1, 3, height, width])], [info(o, [None] * 4) for o in outputs], initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("height", type=int)
    parser.add_argument("width", type=int)
    parser.add_argument("runs", type=int, nargs="?", default=50)
    parser.add_argument("--dump")
    arguments = parser.parse_args()
    model = build(load_file(arguments.weights), arguments.height, arguments.width)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (1, 3, arguments.height, arguments.width)).astype(np.float32)
    for _ in range(5):
        outputs = session.run(None, {"image": image})
    times = []
    for _ in range(arguments.runs):
        start = time.process_time()
        session.run(None, {"image": image})
        times.append(1e3 * (time.process_time() - start))
    print(f"onnxruntime {ort.__version__}: min {min(times):.2f} ms, median {sorted(times)[len(times) // 2]:.2f} ms")
    if arguments.dump:
        names = [o.name for o in session.get_outputs()]
        save_file({"image": image, **dict(zip(names, outputs))}, arguments.dump)


if __name__ == "__main__":
    main()
