"""Loads a model of this package in ONNX Runtime and holds it against its test vectors.

    pip install onnxruntime numpy
    python examples/run.py [PRECISION]
    python examples/run.py int8 picture.png     (also needs pillow)
"""

import argparse
import json
import pathlib
import sys

import numpy
import onnxruntime

PACKAGE = pathlib.Path(__file__).resolve().parent.parent


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
    """A picture as the network expects it, `[N, C, H, W]`: as often as the model takes pictures at once."""
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
    given = session.get_inputs()[0]
    kind = "uint8" if given.type == "tensor(uint8)" else "float32"
    count = given.shape[0] if isinstance(given.shape[0], int) else 1
    return numpy.repeat(values[None].astype(kind), count, axis=0)


def named(manifest, answers):
    """The classes of the first picture, the likeliest first; nothing where the model answers with maps."""
    by = {port.get("answer"): answers[port["name"]] for port in manifest["outputs"]}
    indices = [kind for kind in by if kind and kind.endswith(" indices")]
    if indices:
        classes = by[indices[0]]
    elif "argmax" in by:
        classes = by["argmax"][:, None]
    else:
        classes = next(iter(answers.values())).argmax(axis=1, keepdims=True)
    names = manifest["classes"]
    if classes.ndim != 2:
        return []
    return [names[index] if index < len(names) else f"class {index}" for index in classes[0]]


def main():
    manifest = json.loads((PACKAGE / "manifest.json").read_text())
    models = {model["precision"]: model for model in manifest["models"]}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("precision", nargs="?", default="fp32", choices=models)
    parser.add_argument("picture", nargs="?", help="a picture to answer for")
    args = parser.parse_args()
    model = models[args.precision]
    path = str(PACKAGE / model["file"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    check(model, session)
    if args.picture:
        images = picture(args.picture, manifest, session)
        names = [port.name for port in session.get_outputs()]
        answers = dict(zip(names, session.run(names, {session.get_inputs()[0].name: images})))
        found = named(manifest, answers)
        if found:
            print(", ".join(found))
        else:
            print(*(f"{name}: {answer.shape} {answer.dtype}" for name, answer in answers.items()))


main()
