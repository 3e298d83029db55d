"""How long an OME-Zarr plate takes to open: 384 wells of 4 fields, without reading a pixel.

Writes a plate (each field one chunk a channel; all wells are links to one, so that it takes
little room), opens it as whole fields and as tiles, and says the seconds, and how many files
were opened for it.

    python benchmarks/plate.py [FOLDER]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr

from napari_patchmap.patches import open_patches
from napari_patchmap.patches.tile_config import TileConfig

ROWS, COLUMNS, FIELDS = "ABCDEFGHIJKLMNOP", range(1, 25), 4
CHANNELS, SIDE = ("DAPI", "actin", "tubulin", "golgi"), 1080


def main() -> None:
    """Write the plate, unless it is there, and open it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="where the plate is written and kept")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as short:
        for version in ("0.4", "0.5"):
            plate = Path(args.folder or short) / f"plate-{version}.zarr"
            if not plate.exists():
                began = time.perf_counter()
                write(plate, version)
                print(f"OME-Zarr {version}: written in {time.perf_counter() - began:.0f} s")
            for name, tiles in (
                ("whole fields", None),
                ("tiles of 64 px, everywhere", TileConfig(size=64, foreground="none")),
            ):
                with Opened(plate) as opened:
                    began = time.perf_counter()
                    patches = open_patches(plate, tiles=tiles)
                    seconds = time.perf_counter() - began
                known = (".json", ".zarray", ".zattrs", ".zgroup")
                chunks = sum(not name.endswith(known) for name in set(opened.names))
                print(
                    f"OME-Zarr {version}, {name}: {len(patches):,} patches of "
                    f"{patches.table['well'].nunique()} wells in {seconds:.2f} s; "
                    f"{len(opened.names):,} files opened, {chunks} chunks among them"
                )


def write(path: Path, version: str) -> None:
    """Write a plate: its first well by Zarr, the others as links to that."""
    fmt = 3 if version == "0.5" else 2
    root = zarr.create_group(path, zarr_format=fmt)
    wells = [f"{row}/{column}" for row in ROWS for column in COLUMNS]
    _describe(
        root,
        version,
        plate={
            "name": "benchmark",
            "rows": [{"name": row} for row in ROWS],
            "columns": [{"name": str(column)} for column in COLUMNS],
            "wells": [
                {"path": w, "rowIndex": i // len(COLUMNS), "columnIndex": i % len(COLUMNS)}
                for i, w in enumerate(wells)
            ],
            "field_count": FIELDS,
        },
    )
    group = root.create_group(wells[0])
    _describe(group, version, well={"images": [{"path": str(i)} for i in range(FIELDS)]})
    for i in range(FIELDS):
        _write_field(group.create_group(str(i)), version)
    for row in ROWS[1:]:
        root.create_group(row)
    for well in wells[1:]:  # the same files by other names: Zarr would need ten minutes
        shutil.copytree(path / wells[0], path / well, copy_function=os.link)


def _write_field(group: zarr.Group, version: str) -> None:
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": a, "type": "space", "unit": "micrometer"} for a in "yx"]
    datasets = []
    for level in range(2):
        side = SIDE >> level
        array = group.create_array(
            str(level), shape=(len(CHANNELS), side, side), chunks=(1, side, side), dtype="u2"
        )
        array[...] = np.uint16(7)
        scale = [1.0, 0.65 * 2**level, 0.65 * 2**level]
        made = {"coordinateTransformations": [{"type": "scale", "scale": scale}]}
        datasets.append({"path": str(level), **made})
    _describe(
        group,
        version,
        multiscales=[{"axes": axes, "datasets": datasets, "version": version}],
        omero={"channels": [{"label": name} for name in CHANNELS]},
    )


def _describe(group: zarr.Group, version: str, **said: object) -> None:
    if version == "0.5":
        group.attrs["ome"] = {"version": version, **said}
    else:
        group.attrs.update(said)


class Opened:
    """Notes which files below a folder are opened."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.names = str(folder), []

    def __enter__(self) -> Opened:
        sys.addaudithook(self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        self._folder = "\0"  # hooks cannot be taken away

    def _heard(self, event: str, values: tuple[object, ...]) -> None:
        if event == "open" and str(values[0]).startswith(self._folder):
            self.names.append(str(values[0]))


if __name__ == "__main__":
    main()
