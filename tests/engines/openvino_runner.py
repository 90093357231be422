"""OpenVINO on the CPU, told to keep 32 bits."""

import openvino
from common import judge, main, read

core = openvino.Core()


def run(case, folder):
    model = core.read_model(folder / f"{case['name']}.onnx")
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled([read(folder, port) for port in case["inputs"]])
    return judge(case, folder, [results[i] for i in range(len(case["outputs"]))])


main(run, openvino.__version__.split("-")[0])
