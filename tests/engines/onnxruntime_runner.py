"""ONNX Runtime on the CPU, all optimisations on."""

import onnxruntime
from common import judge, main, read

onnxruntime.set_default_logger_severity(4)


def run(case, folder):
    path = str(folder / f"{case['name']}.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = {port["name"]: read(folder, port) for port in case["inputs"]}
    return judge(case, folder, session.run([port["name"] for port in case["outputs"]], inputs))


main(run, onnxruntime.__version__)
