"""ONNX Runtime on the CPU. All optimisations are on; a network that is timed also runs at each lower level."""

import onnxruntime
from common import main, read

onnxruntime.set_default_logger_severity(4)
Level = onnxruntime.GraphOptimizationLevel
LOWER = [Level.ORT_DISABLE_ALL, Level.ORT_ENABLE_BASIC, Level.ORT_ENABLE_EXTENDED]


def load(case, folder):
    path = str(folder / f"{case['name']}.onnx")
    inputs = {port["name"]: read(folder, port) for port in case["inputs"]}
    names = [port["name"] for port in case["outputs"]]
    for level in [*(LOWER if "tolerance" in case else []), Level.ORT_ENABLE_ALL]:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        yield lambda session=session: session.run(names, inputs)


main(load, onnxruntime.__version__)
