"""TVM on the CPU: its ONNX frontend, its standard passes, LLVM."""

import os

os.environ["TVM_NUM_THREADS"] = "1"

import importlib.metadata

import onnx
import tvm
from common import main, read
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx

TARGET = tvm.target.Target("llvm")


def load(case, folder):
    model = onnx.load(folder / f"{case['name']}.onnx")
    module = from_onnx(model, keep_params_in_input=False)
    module = relax.get_pipeline("zero")(module)
    machine = relax.VirtualMachine(tvm.compile(module, target=TARGET), tvm.cpu())
    inputs = [tvm.runtime.tensor(read(folder, port)) for port in case["inputs"]]

    def call():
        results = machine["main"](*inputs)
        results = [results] if isinstance(results, tvm.runtime.Tensor) else results
        return [value.numpy() for value in results]

    return [call]


main(load, importlib.metadata.version("apache-tvm"))
