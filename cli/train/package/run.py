"""Loads a model of this package in ONNX Runtime and holds it against its test vectors.

    pip install onnxruntime numpy
    python examples/run.py [fp32|fp16|int8]
    python examples/run.py int8 picture.png     (also needs pillow)
"""

import json
import pathlib
import sys

import numpy
import onnxruntime

PACKAGE = pathlib.Path(__file__).resolve().parent.parent


def load(precision):
    """The model of a precision as the manifest tells of it, and a session that runs it."""
    manifest = json.loads((PACKAGE / "manifest.json").read_text())
    models = {model["precision"]: model for model in manifest["models"]}
    model = models[precision]
    path = str(PACKAGE / model["file"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return manifest, model, session


def vectors(model, vector):
    """Inputs and expected outputs of a case, by the names of the ports."""
    folder = PACKAGE / vector["folder"]
    return [
        {name: numpy.load(folder / f"{side}_{number}.npy") for number, name in enumerate(names)}
        for side, names in (("input", vector["inputs"]), ("output", vector["outputs"]))
    ]


def apart(expected, found):
    """How far outputs are apart: in units of the largest value, of integers the share that differs."""
    if expected.dtype.kind in "iu":
        return float((expected != found).mean())
    scale = max(float(numpy.abs(expected).max()), 1e-30)
    return float(numpy.abs(expected.astype("f8") - found).max()) / scale


def check(model, session):
    worst = 0.0
    for vector in model["vectors"]:
        inputs, outputs = vectors(model, vector)
        found = session.run(vector["outputs"], inputs)
        for (name, expected), answer in zip(outputs.items(), found, strict=True):
            far = apart(expected, answer)
            print(f"{vector['name']}: {name} is apart by {far:.2e}; {model['bound']:g} is allowed")
            worst = max(worst, far)
    if worst > model["bound"]:
        sys.exit("the outputs are not those of the test vectors")


def picture(path, manifest, session):
    """A picture as the network expects it, `[1, C, H, W]`."""
    from PIL import Image

    expected = manifest["preprocessing"]
    expected = expected[0] if isinstance(expected, list) else expected
    image = Image.open(path).convert("L" if expected["order"] == "grey" else "RGB")
    height, width = expected.get("resize") or (expected["height"], expected["width"])
    image = image.resize((width, height), Image.BILINEAR)
    top, left = (height - expected["height"]) // 2, (width - expected["width"]) // 2
    image = image.crop((left, top, left + expected["width"], top + expected["height"]))
    values = numpy.asarray(image, dtype="float32")
    values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    if expected["order"] == "BGR":
        values = values[::-1]
    values = values * expected.get("scale", 1 / 255)
    mean, std = (numpy.array(expected[key], dtype="float32")[:, None, None] for key in ("mean", "std"))
    values = (values - mean) / std
    kind = "uint8" if session.get_inputs()[0].type == "tensor(uint8)" else "float32"
    return numpy.ascontiguousarray(values[None]).astype(kind)


def main():
    precision = sys.argv[1] if len(sys.argv) > 1 else "fp32"
    manifest, model, session = load(precision)
    check(model, session)
    if len(sys.argv) > 2:
        images = picture(sys.argv[2], manifest, session)
        answer = session.run(None, {session.get_inputs()[0].name: images})[0]
        classes = manifest["classes"]
        if answer.ndim == 2 and classes:
            print(classes[int(answer[0].argmax())])
        else:
            print(answer.shape, answer.dtype)


main()
