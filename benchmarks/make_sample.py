"""Make the bundled sample of blood cells: ``python benchmarks/make_sample.py pbc28.npz``.

Draws 2,000 cells in natural proportions with a fixed seed and writes them as
one JPEG-LS image (no value more than 3 of 255 off; lossless would be 2.9 MB)
with a table beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import imagecodecs
import numpy as np
import pandas as pd

COUNT, ACROSS, SEED, NEAR = 2_000, 50, 0, 3
OUT = Path(__file__).parents[1] / "src" / "napari_patchmap" / "patches" / "data"

#: What the data set's short names stand for.
NATURAL_NAMES = {"ig": "immature granulocyte"}


def draw(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draw ``count`` indices, of each class its share to the nearest cell, in order."""
    rng = np.random.default_rng(seed)
    classes, sizes = np.unique(labels, return_counts=True)
    shares = count * sizes / len(labels)
    take = np.floor(shares).astype(int)
    take[np.argsort(take - shares)[: count - take.sum()]] += 1
    picked = [
        rng.choice(np.flatnonzero(labels == label), n, replace=False)
        for label, n in zip(classes, take, strict=True)
    ]
    return np.sort(np.concatenate(picked))


def main() -> None:
    """Write ``pbc.jls`` and ``pbc.csv``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("npz", type=Path, help="pbc28.npz")
    with np.load(parser.parse_args().npz, allow_pickle=False) as file:
        rows = draw(file["labels"], COUNT, SEED)
        cells = file["images"][rows]
        names = file["class_names"][file["labels"][rows]]
        columns = {"fine": file["fine"][rows], "files": file["files"][rows]}
    side = cells.shape[1]
    sheet = (
        cells.reshape(-1, ACROSS, side, side, 3).swapaxes(1, 2).reshape(-1, ACROSS * side, 3)
    )
    packed = imagecodecs.jpegls_encode(np.ascontiguousarray(sheet), level=NEAR)
    table = pd.DataFrame({"label": [NATURAL_NAMES.get(n, n) for n in names], **columns})
    OUT.mkdir(exist_ok=True)
    (OUT / "pbc.jls").write_bytes(packed)
    table.to_csv(OUT / "pbc.csv", index=False, lineterminator="\n")
    error = np.abs(imagecodecs.jpegls_decode(packed).astype(int) - sheet).max()
    print(f"{len(table):,} cells, {len(packed):,} bytes, largest error {error} of 255")
    print(table["label"].value_counts().to_string())


if __name__ == "__main__":
    main()
