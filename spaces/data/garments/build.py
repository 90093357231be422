"""Writes a part of Fashion-MNIST (MIT licence): the first 11,000 garments of its training file, the first 1,000 of its test file.

    python build.py OUT [--from FOLDER]

The four files (`train-images-idx3-ubyte.gz` and so on) are looked for in `--from`, which is where the Debian package
`dataset-fashion-mnist` puts them. Equal inputs give equal files.
"""

import argparse
import gzip
import json
import struct
from pathlib import Path

NAMES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"]
PIXELS = 28 * 28
KEPT = {"train": 11_000, "t10k": 1_000}


def values(path, header):
    """What an IDX file holds behind its header of so many bytes."""
    return gzip.decompress(path.read_bytes())[header:]


def packed(path, data):
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as out:
        out.write(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--from", dest="source", type=Path, default="/usr/share/datasets/fashion-mnist")
    options = parser.parse_args()
    for part, count in KEPT.items():
        images, labels = f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
        pixels = values(options.source / images, 16)[: count * PIXELS]
        classes = values(options.source / labels, 8)[:count]
        packed(options.out / images, struct.pack(">4I", 0x803, count, 28, 28) + pixels)
        packed(options.out / labels, struct.pack(">2I", 0x801, count) + classes)
        if part == "train":
            mean = sum(pixels) / len(pixels)
            std = (sum((pixel - mean) ** 2 for pixel in pixels) / len(pixels)) ** 0.5
            about = {"classes": NAMES, "mean": [round(mean / 255, 4)] * 3, "std": [round(std / 255, 4)] * 3}
            (options.out / "dataset.json").write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
