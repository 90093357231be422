"""ncnn, by its converter pnnx; neither told to halve the precision."""

import importlib.metadata
import pathlib
import subprocess
import tempfile

import ncnn
from common import judge, line, main, read

# The package's own command wants PyTorch, the program in it does not.
PNNX = pathlib.Path(ncnn.__file__).parent.parent / "pnnx" / "pnnx"


def run(case, folder):
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "m.onnx").write_bytes((folder / f"{case['name']}.onnx").read_bytes())
        shapes = ",".join(str(port["dims"]).replace(" ", "") for port in case["inputs"])
        command = [PNNX, "m.onnx", "fp16=0", f"inputshape={shapes}"]
        said = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=100)
        param, weights = work / "m.ncnn.param", work / "m.ncnn.bin"
        if said.returncode or not param.exists():
            return f"refused: pnnx: {line(said.stderr[-300:])}"
        left = [name for name in param.read_text().split() if "." in name and name[0].isalpha()]
        net = ncnn.Net()
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = False
        net.opt.num_threads = 1
        if net.load_param(str(param)) or net.load_model(str(weights)):
            return f"refused: it loads no {line(left)}"
        # A `Mat` does not keep its array.
        inputs = [read(folder, port)[0].copy() for port in case["inputs"]]
        extractor = net.create_extractor()
        for i, port in enumerate(case["inputs"]):
            extractor.input(f"in{i}", ncnn.Mat(inputs[i]).clone())
        outputs = []
        for i, port in enumerate(case["outputs"]):
            status, value = extractor.extract(f"out{i}")
            if status:
                return f"refused: {port['name']} is not computed"
            outputs.append(value)
        return judge(case, folder, outputs)


main(run, importlib.metadata.version("ncnn"))
