"""ncnn, by its converter pnnx; neither told to halve the precision."""

import importlib.metadata
import pathlib
import subprocess
import tempfile

import ncnn
from common import LIMIT, line, main, read, Refused

# The package's own command wants PyTorch, the program in it does not.
PNNX = pathlib.Path(ncnn.__file__).parent.parent / "pnnx" / "pnnx"


def load(case, folder):
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "m.onnx").write_bytes((folder / f"{case['name']}.onnx").read_bytes())
        shapes = ",".join(str(port["dims"]).replace(" ", "") for port in case["inputs"])
        command = [PNNX, "m.onnx", "fp16=0", f"inputshape={shapes}"]
        said = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=LIMIT)
        param, weights = work / "m.ncnn.param", work / "m.ncnn.bin"
        if said.returncode or not param.exists():
            raise Refused(f"pnnx: {line(said.stderr[-300:])}")
        layers = {row.split()[0] for row in param.read_text().splitlines()[2:] if row.strip()}
        left = sorted(layer for layer in layers if "." in layer)
        net = ncnn.Net()
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = False
        net.opt.num_threads = 1
        if net.load_param(str(param)) or net.load_model(str(weights)):
            raise Refused(f"it loads no {line(', '.join(left))}")
    # A `Mat` does not keep its array.
    arrays = [read(folder, port)[0].copy() for port in case["inputs"]]
    inputs = [ncnn.Mat(array).clone() for array in arrays]

    def call():
        extractor = net.create_extractor()
        for i, value in enumerate(inputs):
            extractor.input(f"in{i}", value)
        outputs = []
        for i, port in enumerate(case["outputs"]):
            status, value = extractor.extract(f"out{i}")
            if status:
                raise Refused(f"{port['name']} is not computed")
            outputs.append(value)
        return outputs

    return [call]


main(load, importlib.metadata.version("ncnn"))
