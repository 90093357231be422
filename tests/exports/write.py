"""Writes networks of PyTorch: weights, an image and what the network makes of it, and ONNX files by both
exporters of PyTorch.

    python write.py FOLDER NAME...
"""

import json
import sys
import time
from pathlib import Path

import numpy
import torch
from networks import images, network
from safetensors.torch import save_file

# The operator sets are those that each exporter writes if it is not asked for another one.
EXPORTERS = {"torchscript": {"dynamo": False}, "dynamo": {"dynamo": True, "external_data": False}}


def write(name, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model, image = network(name), images(1, 1)
    save_file(model.state_dict(), folder / "weights.safetensors")
    with torch.no_grad():
        numpy.save(folder / "logits.npy", model(image).numpy())
    numpy.save(folder / "image.npy", image.numpy())
    seconds = {}
    for exporter, options in EXPORTERS.items():
        start = time.perf_counter()
        names = {"input_names": ["image"], "output_names": ["logits"]}
        path = folder / f"{exporter}.onnx"
        torch.onnx.export(model, (image,), path, verbose=False, **names, **options)
        seconds[exporter] = time.perf_counter() - start
    # Last of all, so that a folder with it is whole.
    versions = {"torch": torch.__version__, "seconds": seconds}
    (folder / "written.json").write_text(json.dumps(versions))


for name in sys.argv[2:]:
    write(name, Path(sys.argv[1]) / name)
