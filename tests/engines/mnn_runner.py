"""MNN on the CPU, by its converter; told to keep 32 bits."""

import importlib.metadata
import pathlib
import subprocess
import sys
import tempfile

import MNN
from common import LIMIT, line, main, read, Refused

# The converter itself: the package's own command installs another package and reports to its vendor.
CONVERT = "import sys, _tools; _tools.mnnconvert(sys.argv)"
SETTINGS = ({"backend": "CPU", "precision": "high", "numThread": 1},)


def load(case, folder):
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "m.mnn"
        command = [sys.executable, "-c", CONVERT, "-f", "ONNX", "--bizCode", "nasc", "--MNNModel", path, "--modelFile"]
        command.append(folder / f"{case['name']}.onnx")
        said = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=LIMIT)
        if said.returncode or not path.exists():
            text = (said.stdout + said.stderr).splitlines()
            errors = [row for row in text if row.startswith("Error")]
            raise Refused("mnnconvert: " + line((errors or text or ["no reason"])[-1]))
        runtime = MNN.nn.create_runtime_manager(SETTINGS)
        names = [[port["name"] for port in case[side]] for side in ("inputs", "outputs")]
        net = MNN.nn.load_module_from_file(str(path), *names, runtime_manager=runtime)
    inputs = []
    for port in case["inputs"]:
        value = MNN.expr.placeholder(port["dims"], MNN.expr.NCHW)
        value.write(read(folder, port))
        inputs.append(value)

    def call():
        outputs = net.forward(inputs)
        if len(outputs) < len(case["outputs"]):
            raise Refused("it computes no outputs")
        return [MNN.expr.convert(value, MNN.expr.NCHW).read() for value in outputs]

    return [call]


main(load, importlib.metadata.version("mnn"))
