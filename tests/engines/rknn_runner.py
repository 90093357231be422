"""Rockchip RK3588 by RKNN Toolkit 2, in 16-bit floats: its compiler says what it puts where, and its
simulator computes. A case runs where the whole network is on the NPU."""

import importlib.abc
import importlib.machinery
import importlib.metadata
import os
import sys
import tempfile
import types
from unittest.mock import MagicMock

from common import Refused, line, main, read


class NoTorch(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The toolkit imports PyTorch, which it uses for PyTorch's own models only."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = Absent(spec.name)
        module.__version__, module.__path__ = "2.4.0", []
        return module

    def exec_module(self, module):
        pass


class Absent(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        # What is called like a class may be one's base.
        return type(name, (), {}) if name[0].isupper() else MagicMock()


sys.meta_path.insert(0, NoTorch())

from rknn.api import RKNN


def said(work):
    """What `work` gives, and all that it prints, from C too."""
    with tempfile.TemporaryFile() as log:
        before = [os.dup(1), os.dup(2)]
        try:
            os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
            result = work()
        finally:
            os.dup2(before[0], 1), os.dup2(before[1], 2)
            os.close(before[0]), os.close(before[1])
        log.seek(0)
        return result, log.read().decode(errors="replace").splitlines()


# What may stay on the CPU: copies at the ends, and another view of the same numbers before a vector.
ALLOWED = ("InputOperator", "OutputOperator", "Reshape")


def on_cpu(log):
    """The rows of the compiler's table of operators: `ID OpType DataType Target …`."""
    rows = [text.split("]", 1)[-1].split() for text in log if text.startswith("D RKNN")]
    rows = [row for row in rows if len(row) > 3 and row[0].isdigit() and row[3] == "CPU"]
    return [row[1] for row in rows if row[1] not in ALLOWED]


def load(case, folder):
    rknn = RKNN(verbose=True)
    try:
        outputs = simulated(rknn, case, folder)
    finally:
        rknn.release()
    return [lambda: outputs]


def simulated(rknn, case, folder):
    def build():
        rknn.config(target_platform="rk3588")
        model = str(folder / f"{case['name']}.onnx")
        return rknn.load_onnx(model=model) or rknn.build(do_quantization=False)

    status, log = said(build)
    if status:
        errors = [text for text in log if text.startswith("E")]
        raise Refused(line(errors[:1] or "no reason given"))
    if left := on_cpu(log):
        raise Refused(f"on the CPU: {', '.join(sorted(set(left)))}")
    inputs = [read(folder, port) for port in case["inputs"]]

    def compute():
        rknn.init_runtime()
        return rknn.inference(inputs=inputs, data_format=["nchw"] * len(inputs))

    outputs, log = said(compute)
    return outputs


main(load, importlib.metadata.version("rknn-toolkit2"), tolerance=1e-2, least=5e-2, is_timed=False)
