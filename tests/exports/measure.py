"""Holds the ONNX files of each network in a folder against each other in ONNX Runtime and OpenVINO, on one thread.

    python measure.py FOLDER ROUNDS NAME...

Prints JSON: for each engine its version, and for each network and file how long the processor worked in each round, in seconds,
and how far the answer is from that of PyTorch, in units of its largest value.
"""

import json
import sys
import time
from pathlib import Path

import numpy
import onnxruntime
import openvino

WARMUP = 5


def in_onnxruntime(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]


def in_openvino(path):
    # Floats of 32 bits also on processors that are faster with fewer.
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
    return lambda image: request.infer({0: image})[0]


ENGINES = {
    "onnxruntime": (onnxruntime.__version__, in_onnxruntime),
    "openvino": (openvino.__version__.split("-")[0], in_openvino),
}


def measure(load, folder, rounds):
    """Each round runs each file once, so that what else the machine does meets all of them."""
    image, logits = numpy.load(folder / "image.npy"), numpy.load(folder / "logits.npy")
    files = {path.name: load(str(path)) for path in sorted(folder.glob("*.onnx"))}
    told = {}
    for name, run in files.items():
        for _ in range(WARMUP):
            answer = run(image)
        apart = float(numpy.abs(answer - logits).max() / numpy.abs(logits).max())
        told[name] = {"apart": apart, "seconds": []}
    order = list(files)
    for _ in range(rounds):
        for name in order:
            start = time.process_time()
            files[name](image)
            told[name]["seconds"].append(time.process_time() - start)
        order = order[1:] + order[:1]
    return told


folder, rounds, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
onnxruntime.set_default_logger_severity(4)
print(json.dumps({
    engine: {
        "version": version,
        "networks": {name: measure(load, folder / name, rounds) for name in names},
    }
    for engine, (version, load) in ENGINES.items()
}))
