"""Plates as programs of the field write them: OME-Zarr 0.4 (Zarr 2) and 0.5 (Zarr 3)."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr


def field_pixels(well: str, field: int, shape: tuple[int, ...] = (2, 48, 64)) -> np.ndarray:
    """Return pixels that say which well and field they are of: ``(channel, y, x)``."""
    row, column = well.split("/")
    base = 1000 * (ord(row) - ord("A")) + 100 * int(column) + 10 * field
    rng = np.random.default_rng(base)
    pixels = rng.integers(0, 5, shape).astype(np.uint16) + base
    pixels[1:] += 5  # channels differ
    return pixels


def squares(shape: tuple[int, int], side: int = 8, step: int = 16) -> np.ndarray:
    """Return labels of squares, each with a number of its own."""
    labels = np.zeros(shape, np.uint16)
    number = 0
    for y in range(4, shape[0] - side, step):
        for x in range(4, shape[1] - side, step):
            number += 1
            labels[y : y + side, x : x + side] = number
    return labels


def write_image(
    group: Any,
    pixels: np.ndarray,
    axes: str = "cyx",
    *,
    names: Sequence[str] = (),
    levels: int = 1,
    mpp: float = 0.65,
    version: str = "0.5",
    chunks: tuple[int, ...] | None = None,
) -> None:
    """Write an image and its smaller copies into a group."""
    kinds = {"t": "time", "c": "channel"}
    known = [
        {"name": a, "type": kinds.get(a, "space")}
        | ({"unit": "micrometer"} if a in "yx" else {})
        for a in axes
    ]
    datasets = []
    for level in range(levels):
        part = pixels[..., :: 2**level, :: 2**level]
        array = group.create_array(
            str(level), shape=part.shape, dtype=part.dtype, chunks=chunks or part.shape
        )
        array[...] = part
        scale = [mpp * 2**level if a in "yx" else 1.0 for a in axes]
        datasets.append(
            {
                "path": str(level),
                "coordinateTransformations": [{"type": "scale", "scale": scale}],
            }
        )
    said: dict[str, Any] = {
        "multiscales": [{"axes": known, "datasets": datasets, "version": version}]
    }
    if names:
        said["omero"] = {"channels": [{"label": name} for name in names]}
    describe(group, said, version)


def describe(group: Any, said: dict[str, Any], version: str) -> None:
    """Add what OME-Zarr says, where its version keeps it."""
    if version == "0.5":
        group.attrs["ome"] = {**group.attrs.get("ome", {}), "version": version, **said}
    else:
        group.attrs.update(said)


def write_plate(
    path: Path,
    wells: Sequence[str] = ("A/1", "A/2", "B/1", "B/3"),
    fields: int = 2,
    *,
    version: str = "0.5",
    labels: Sequence[str] = (),
    pixels: Callable[[str, int], np.ndarray] = field_pixels,
    axes: str = "cyx",
    name: str = "screen 7",
    **image: Any,
) -> Path:
    """Write a plate whose fields say by their pixels where they lie."""
    image.setdefault("names", ("DAPI", "actin"))
    fmt = 3 if version == "0.5" else 2
    root = zarr.create_group(path, zarr_format=fmt)
    rows = sorted({well.split("/")[0] for well in wells})
    columns = sorted({well.split("/")[1] for well in wells}, key=int)
    plate = {
        "name": name,
        "field_count": fields,
        "rows": [{"name": row} for row in rows],
        "columns": [{"name": column} for column in columns],
        "wells": [
            {
                "path": well,
                "rowIndex": rows.index(well.split("/")[0]),
                "columnIndex": columns.index(well.split("/")[1]),
            }
            for well in wells
        ],
        "version": version,
    }
    describe(root, {"plate": plate}, version)
    for well in wells:
        group = root.create_group(well)
        images = [{"path": str(field)} for field in range(fields)]
        describe(group, {"well": {"images": images, "version": version}}, version)
        for field in range(fields):
            one = group.create_group(str(field))
            seen = pixels(well, field)
            write_image(one, seen, axes, version=version, **image)
            if labels:
                of = one.create_group("labels")
                describe(of, {"labels": list(labels)}, version)
                for name in labels:
                    numbers = squares(seen.shape[-2:])
                    write_image(of.create_group(name), numbers, "yx", version=version)
    return path


def zipped(path: Path, inside: str = "") -> Path:
    """Put a store into a zip file beside it, without its folder or in a folder ``inside``."""
    made = path.with_name(f"{path.name}.zip")
    with zipfile.ZipFile(made, "w") as file:
        for one in sorted(path.rglob("*")):
            if one.is_file():
                file.write(one, inside + one.relative_to(path).as_posix())
    shutil.rmtree(path)
    return made
