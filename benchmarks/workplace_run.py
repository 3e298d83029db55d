"""A run of as many patches as one likes, for benchmarks: nothing of it was trained.

``python benchmarks/workplace_run.py FOLDER --patches N`` makes ``FOLDER/cells.npy`` (28 x 28
pixels, grey, made of the blood cells that come with the package), ``FOLDER/cells.csv`` and
``FOLDER/run``, through the reader, the join and the saving that a user's own would take.
Features have eight classes that overlap; the map has a cloud for each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.patches import bundled_cells, open_patches
from napari_patchmap.quality import evaluate
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.identity import identify
from napari_patchmap.runs.image_kind import ImageKind

SIDE, FEATURES, CLASSES = 28, 128, 8

#: Patches that are made at a time.
_PART = 50_000

#: Patches that the figures of the map are of: nothing here depends on them.
_MEASURED = 5_000


def write_patches(path: Path, classes: np.ndarray, rng: np.random.Generator) -> None:
    """Write patches of these classes: cells of the sample, turned, with noise."""
    cells = bundled_cells()
    grey = cells.stack().mean(axis=3).astype(np.uint8)
    names = np.unique(cells.labels)
    of_class = [np.flatnonzero(cells.labels == name) for name in names]
    out = np.lib.format.open_memmap(path, "w+", np.uint8, (len(classes), SIDE, SIDE))
    for start in range(0, len(classes), _PART):
        part = classes[start : start + _PART]
        rows = np.empty(len(part), np.intp)
        for k, own in enumerate(of_class):
            rows[part == k] = rng.choice(own, int((part == k).sum()))
        pixels = grey[rows].astype(np.int16)
        for turns in range(4):
            pixels[turns::4] = np.rot90(pixels[turns::4], turns, (1, 2))
        pixels += rng.integers(-9, 10, pixels.shape, np.int16)
        out[start : start + _PART] = pixels.clip(0, 255)
    out.flush()


def write_table(path: Path, classes: np.ndarray, rng: np.random.Generator) -> None:
    """Write a label, a number, a text of many values, and one that names each patch."""
    count, names = len(classes), np.unique(bundled_cells().labels)
    pd.DataFrame(
        {
            "index": np.arange(count),
            "label": names[classes],
            "area": rng.normal(50 + 4 * classes, 9).round(3),
            "donor": [f"donor {i}" for i in rng.integers(0, 2000, count).tolist()],
            "name": [f"cell {i}.png" for i in rng.permutation(count).tolist()],
        }
    ).to_csv(path, index=False)


def features_of(classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw features in which classes are told apart, though not all of them with ease."""
    middles = rng.standard_normal((CLASSES, FEATURES)).astype(np.float32)
    features = rng.standard_normal((len(classes), FEATURES), np.float32)
    features *= 4
    features += middles[classes]
    return features


def map_of(classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a map with several clouds a class."""
    clouds = rng.uniform(-100, 100, (CLASSES, 5, 2))
    places = clouds[classes, rng.integers(0, 5, len(classes))]
    return (places + rng.normal(0, 9, places.shape)).astype(np.float32)


def make_run(folder: Path, count: int, seed: int = 0) -> Path:
    """Make patches, their table and a saved run of them; return the run's folder."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(CLASSES, count, p=np.array([1, 2, 3, 4, 5, 6, 9, 10]) / 40)
    folder.mkdir(parents=True, exist_ok=True)
    write_patches(folder / "cells.npy", classes, rng)
    write_table(folder / "cells.csv", classes, rng)
    patches = open_patches(folder / "cells.npy", labels=folder / "cells.csv")
    embedding, features = map_of(classes, rng), features_of(classes, rng)
    run = Run(
        config=RunConfig(TrainConfig(method="pixels", device="cpu")),
        network=Network(NetworkSpec("compact", 1, (SIDE, SIDE))).eval(),
        embedding=embedding,
        features=features,
        table=patches.table,
        images=ImageKind.of(patches),
        symmetries=[(0, False)],
        metrics=evaluate(
            embedding[:_MEASURED], patches.labels[:_MEASURED], features[:_MEASURED]
        ),
        history=pd.DataFrame(columns=["stage", "epoch", "loss", "lr"]),
        name=patches.name,
        origin=patches.origin,
        known=identify(patches),
        info={"seconds": 0.0, "device": "nothing was trained"},
    )
    return run.save(folder / "run")


def main() -> None:
    """Make a run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patches", type=int, default=17_092)
    options = parser.parse_args()
    print(make_run(options.folder, options.patches))


if __name__ == "__main__":
    main()
