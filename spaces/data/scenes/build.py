# /// script
# requires-python = ">=3.11"
# dependencies = ["pillow==13.0.0", "numpy==2.4.6"]
# ///
"""Builds the scenes from the files of Fashion-MNIST.

    python build.py OUT

The files (`train-images-idx3-ubyte.gz` and so on) are looked for in `--from`, which is where the Debian
package `dataset-fashion-mnist` puts them. README.md says what a scene is. The same files make the same bytes, as
far as Pillow is of the version above.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"]
SIZE = 64  # of a scene, in pixels
FOREGROUND = 24  # grey value from which a pixel belongs to the garment


def read(folder, name):
    """The images `[n, 28, 28]` and labels `[n]` of a pair of IDX files."""
    images = gzip.decompress((folder / f"{name}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{name}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)


def scene(images, labels, rng):
    """A picture `[64, 64, 3]` and the class of each pixel `[64, 64]`."""
    ground = rng.uniform(10, 110, 3)
    picture = np.broadcast_to(ground, (SIZE, SIZE, 3)).copy()
    classes = np.zeros((SIZE, SIZE), np.uint8)
    for _ in range(rng.integers(3, 7)):
        which = rng.integers(len(images))
        side = int(rng.integers(16, 32))
        garment = np.asarray(Image.fromarray(images[which]).resize((side, side), Image.Resampling.BILINEAR))
        colour = rng.uniform(60, 255, 3)
        y, x = rng.integers(0, SIZE - side + 1, 2)
        inside = garment >= FOREGROUND
        part = picture[y : y + side, x : x + side]
        shade = 0.35 + 0.65 * garment[..., None] / 255
        part[inside] = (shade * colour)[inside]
        classes[y : y + side, x : x + side][inside] = labels[which] + 1
    picture += rng.normal(0, 6, picture.shape)
    return picture.clip(0, 255).astype(np.uint8), classes


def scenes(splits, counts, out):
    total, pixels = np.zeros(3), []
    for stream, (split, (images, labels)) in enumerate(splits.items()):
        for folder in ("images", "labels"):
            (out / split / folder).mkdir(parents=True)
        rng = np.random.default_rng([2026, stream])
        for number in range(counts[split]):
            picture, of_pixels = scene(images, labels, rng)
            if split == "train":
                pixels.append(picture.reshape(-1, 3))
            Image.fromarray(picture).save(out / split / "images" / f"{number:05}.jpg", quality=90, subsampling=0)
            Image.fromarray(of_pixels).save(out / split / "labels" / f"{number:05}.png", optimize=True)
    pixels = np.concatenate(pixels) / 255
    mean, std = ([round(float(v), 4) for v in values] for values in (pixels.mean(0), pixels.std(0)))
    return {"classes": ["ground", *NAMES], "ignore": 255, "mean": mean, "std": std}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--from", dest="source", type=Path, default="/usr/share/datasets/fashion-mnist")
    options = parser.parse_args()
    images, labels = read(options.source, "train")
    splits = {
        "train": (images[:40_000], labels[:40_000]),
        "val": (images[40_000:], labels[40_000:]),
        "test": read(options.source, "t10k"),
    }
    described = scenes(splits, {"train": 1_500, "val": 200, "test": 200}, options.out)
    (options.out / "dataset.json").write_text(json.dumps(described) + "\n")


if __name__ == "__main__":
    main()
