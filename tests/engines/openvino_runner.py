"""OpenVINO on the CPU, told to keep 32 bits."""

import openvino
from common import main, read

core = openvino.Core()
SETTINGS = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}


def load(case, folder):
    model = core.read_model(folder / f"{case['name']}.onnx")
    compiled = core.compile_model(model, "CPU", SETTINGS)
    inputs = [read(folder, port) for port in case["inputs"]]
    outputs = range(len(case["outputs"]))

    def call():
        results = compiled(inputs)
        return [results[i] for i in outputs]

    return [call]


main(load, openvino.__version__.split("-")[0])
