"""A slide of 60,000 x 60,000 pixels with 100,000 cells: made, opened, cut out, exported.

``python benchmarks/large_slide.py FOLDER [--side 60000] [--cells 100000]``

Makes ``slide.tif`` (JPEG tiles, four levels), ``labels.tif`` of the same size,
``cells.geojson`` and ``centres.parquet`` in FOLDER, tile by tile, if they are not there yet:
about 2 GB. Then opens the cells in each of the three ways, in a process of its own, and prints
what opening, reading 2,000 crops and writing the outlines took, and the memory at most.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

#: Side of a tile, and how many pixels one of each level spans.
_TILE, _LEVELS = 512, (1, 4, 16, 64)

#: Rooms for cells are so wide at least; a cell is drawn in a square of this side.
_STAMP = 64

_GLASS = np.array([243, 241, 244])
_KINDS = {"lymphocyte": (92, 60, 140), "tumour": (190, 90, 150), "plasma": (120, 60, 110)}

OBJECTS = ("labels.tif", "cells.geojson", "centres.parquet")


class Cells:
    """Where the cells of a slide are, and what they look like.

    Parameters
    ----------
    side : int
        Of the slide, in pixels.
    count : int
        How many cells; each has a room of its own in a grid.
    """

    def __init__(self, side: int, count: int) -> None:
        rng = np.random.default_rng(0)
        self.side, rooms = side, int(np.ceil(np.sqrt(1.5 * count)))
        self._room = side // rooms
        if self._room < _STAMP:
            raise SystemExit(f"{count:,} cells find no room on {side:,} pixels; take fewer.")
        # Cells lie in an ellipse: round it there is glass.
        y, x = (np.mgrid[:rooms, :rooms] + 0.5) / rooms - 0.5
        nearest = np.argsort(((y / 0.9) ** 2 + x**2).ravel(), kind="stable")[:count]
        self.corners = np.column_stack(np.divmod(np.sort(nearest), rooms)) * self._room
        self.corners += rng.integers(0, self._room - _STAMP + 1, (count, 2))
        self.corners = self.corners[np.argsort(self.corners[:, 0], kind="stable")]
        self.kinds = rng.integers(0, len(_KINDS), count)
        self.numbers = np.arange(1, count + 1, dtype=np.uint32)
        self.radii = np.array([14, 28, 20])[self.kinds] + rng.integers(-3, 4, count)
        self._glass = (_GLASS + rng.normal(0, 4, (_TILE, _TILE, 1))).clip(0, 255).astype("u1")
        self._stamps = {
            both: _stamp(*both) for both in set(zip(self.kinds, self.radii, strict=True))
        }

    def tiles(self, down: int, numbers: bool) -> Iterator[np.ndarray]:
        """Draw the tiles of a level row by row: the picture, or the numbers of the cells."""
        side, span = self.side // down, _TILE * down
        for top in range(0, side * down, span):
            for left in range(0, side * down, span):
                yield self._tile(top, left, down, numbers)

    def _tile(self, top: int, left: int, down: int, numbers: bool) -> np.ndarray:
        tile = np.zeros((_TILE, _TILE), np.uint32) if numbers else self._glass.copy()
        low, room = np.array([top, left]) - _STAMP, -(-_STAMP // down)
        first, last = np.searchsorted(self.corners[:, 0], low[0] + (0, _STAMP + _TILE * down))
        beside = self.corners[first:last, 1] - low[1]
        here = first + np.flatnonzero((beside > 0) & (beside < _STAMP + _TILE * down))
        for cell in here.tolist():
            y, x = ((self.corners[cell] - (top, left)) // down).tolist()
            inside, picture = (
                part[::down, ::down]
                for part in self._stamps[self.kinds[cell], self.radii[cell]]
            )
            rows, columns = slice(max(0, y), y + room), slice(max(0, x), x + room)
            cut = slice(max(0, -y), _TILE - y), slice(max(0, -x), _TILE - x)
            covered = inside[cut]
            values = self.numbers[cell] if numbers else picture[cut][covered]
            tile[rows, columns][covered] = values
        return tile


def _stamp(kind: int, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which pixels of its square a cell covers, and its picture."""
    away = np.hypot(*(np.mgrid[:_STAMP, :_STAMP] + 0.5 - _STAMP / 2))
    colour = np.array([*_KINDS.values()][kind], float)
    body = np.where(away[..., None] < 0.6 * radius, 0.6 * colour, 0.5 * (colour + _GLASS))
    return away < radius, body.astype(np.uint8)


def make(folder: Path, side: int, count: int) -> None:
    """Write the files that are not in a folder yet."""
    cells, tiled = Cells(side, count), {"tile": (_TILE, _TILE), "dtype": None}
    if not (folder / "slide.tif").exists():
        with tifffile.TiffWriter(folder / "slide.part", bigtiff=True) as tif:
            for level, down in enumerate(_LEVELS):
                tiled |= {"shape": (side // down, side // down, 3), "dtype": np.uint8}
                tif.write(
                    cells.tiles(down, numbers=False), photometric="rgb", compression="jpeg",
                    subifds=0 if level else len(_LEVELS) - 1, subfiletype=int(level > 0),
                    resolution=(40_000 / down, 40_000 / down), resolutionunit=3, **tiled,
                )  # fmt: skip
        (folder / "slide.part").rename(folder / "slide.tif")
    if not (folder / "labels.tif").exists():
        tiled |= {"shape": (side, side), "dtype": np.uint32}
        with tifffile.TiffWriter(folder / "labels.part", bigtiff=True) as tif:
            tif.write(
                cells.tiles(1, numbers=True), compression="zlib",
                compressionargs={"level": 1}, **tiled,
            )  # fmt: skip
        (folder / "labels.part").rename(folder / "labels.tif")
    middles = cells.corners[:, ::-1] + _STAMP / 2
    names = np.array([*_KINDS])[cells.kinds]
    turns = np.linspace(0, 2 * np.pi, 17)
    ring = np.column_stack([np.cos(turns), np.sin(turns)])
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [(middle + radius * ring).round(2).tolist()],
            },
            "properties": {"classification": {"name": name}},
        }
        for middle, radius, name in zip(middles, cells.radii, names.tolist(), strict=True)
    ]
    (folder / "cells.geojson").write_text(json.dumps(features))
    pd.DataFrame({"x": middles[:, 0], "y": middles[:, 1], "label": names}).to_parquet(
        folder / "centres.parquet"
    )


def measure(folder: Path, objects: str) -> dict[str, float]:
    """Open the cells in one way, and read some; return seconds, and gigabytes at most."""
    from napari_patchmap.patches import CropConfig, open_patches
    from napari_patchmap.patches.watch import Watch
    from napari_patchmap.runs.export.export_format import Exportable
    from napari_patchmap.runs.export.geojson_export import FORMAT

    took: dict[str, float] = {}

    def done(name: str, began: float) -> None:
        took[f"{name} (s)"] = time.perf_counter() - began
        took[f"memory after {name} (GB)"] = memory()

    took["memory before (GB)"], began = memory(), time.perf_counter()
    patches = open_patches(
        folder / "slide.tif", objects=folder / objects, crops=CropConfig(level=0, size=64)
    )
    done("opening", began)
    count, began = len(patches), time.perf_counter()
    rows = np.random.default_rng(0).choice(count, min(2000, count), replace=False)
    patches.images.take(np.sort(rows))
    done("reading 2,000", began)
    known = Exportable(
        "cells", "pixels", {}, np.arange(count), patches.table.assign(index=range(count)),
        np.zeros((count, 2), np.float32), None, "", np.full(count, "", object), {},
        patches.origin, lambda: patches, Watch(),
    )  # fmt: skip
    out, began = folder / f"out of {objects}.geojson", time.perf_counter()
    FORMAT.write(known, out)
    out.unlink()
    done("writing outlines", began)
    return {"cells": count, **took}


def memory() -> float:
    """Return the gigabytes that this process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=60_000)
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--objects", choices=OBJECTS)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.objects:
        print(json.dumps(measure(args.folder, args.objects)))
        return
    make(args.folder, args.side, args.cells)
    for objects in OBJECTS:
        command = [sys.executable, __file__, str(args.folder), "--objects", objects]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = json.loads(said)
        print(objects, *(f"{name} {value:,.4g}" for name, value in found.items()), sep="; ")


if __name__ == "__main__":
    main()
