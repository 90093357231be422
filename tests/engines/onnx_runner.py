"""The checker of ONNX itself, with the inference of all shapes. Nothing is computed here."""

import onnx
from common import main


def load(case, folder):
    onnx.checker.check_model(str(folder / f"{case['name']}.onnx"), full_check=True)
    return "valid"


main(load, onnx.__version__)
