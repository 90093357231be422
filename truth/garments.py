# /// script
# requires-python = ">=3.11"
# dependencies = ["pillow==13.0.0", "numpy==2.4.6"]
# ///
"""Writes the data of the truth tables of garments, from the files of Fashion-MNIST (MIT licence).

    python garments.py OUT

A folder for each class of 28 x 28 garments: 10,000 for training and 10,000 for validation, both of the training
file, and 2,000 for test. The files (`train-images-idx3-ubyte.gz` and so on) are looked for in `--from`, which is where
the Debian package `dataset-fashion-mnist` puts them.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"]


def read(folder, name):
    """The images `[n, 28, 28]` and labels `[n]` of a pair of IDX files."""
    images = gzip.decompress((folder / f"{name}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{name}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)


def classes(splits, out):
    for split, (images, labels) in splits.items():
        for name in NAMES:
            (out / split / name).mkdir(parents=True)
        for number, (image, label) in enumerate(zip(images, labels)):
            Image.fromarray(image).save(out / split / NAMES[label] / f"{number:05}.png")
    pixels = splits["train"][0] / 255
    mean, std = round(float(pixels.mean()), 4), round(float(pixels.std()), 4)
    return {"classes": NAMES, "mean": [mean] * 3, "std": [std] * 3}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--from", dest="source", type=Path, default="/usr/share/datasets/fashion-mnist")
    options = parser.parse_args()
    images, labels = read(options.source, "train")
    others, of_others = read(options.source, "t10k")
    splits = {
        "train": (images[:10_000], labels[:10_000]),
        "val": (images[10_000:20_000], labels[10_000:20_000]),
        "test": (others[:2_000], of_others[:2_000]),
    }
    described = classes(splits, options.out)
    (options.out / "dataset.json").write_text(json.dumps(described, indent=2) + "\n")


if __name__ == "__main__":
    main()
