"""The pixels of patches as one array, with their table beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile

from napari_patchmap.errors import RunError
from napari_patchmap.runs.export.export_format import Exportable, ExportFormat
from napari_patchmap.runs.export.reading import Reading
from napari_patchmap.writing import check_not_foreign, whole_file

#: Bytes from which a TIFF needs the form for large files.
_LARGE = 2**32 - 2**25


def _write(data: Exportable, path: Path) -> tuple[list[Path], list[str]]:
    table = path.with_suffix(".csv")
    check_not_foreign(table, ["index", "axis-0"], RunError)
    patches = data.open_patches()
    reading = Reading(data, patches)
    rows = reading.rows
    sizes = patches.images.sizes[data.rows[rows]]
    if (sizes != sizes[0]).any():
        raise RunError(
            f"The patches of {data.name} have several sizes, so they make no stack; export "
            "them as a folder."
        )
    shape = (len(rows), *map(int, sizes[0]), patches.channels)
    dtype = patches.dtype

    def pixels() -> Iterator[np.ndarray]:
        for done, row in enumerate(rows.tolist()):
            data.watch.step(done, len(rows))
            yield patches[int(data.rows[row])]  # one that is damaged ends it, said by its name

    with whole_file(path) as file:
        if path.suffix == ".npy":
            _save_npy(file, pixels(), shape, dtype)
        else:
            _save_tiff(file, pixels(), shape, dtype, rgb=patches.is_rgb)
    with whole_file(table) as file:
        data.table.iloc[rows].to_csv(file, index=False, errors="backslashreplace")
    return [path, table], reading.notes


def _save_npy(
    file: BinaryIO, pixels: Iterator[np.ndarray], shape: tuple[int, ...], dtype: np.dtype
) -> None:
    header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(file, header)
    for one in pixels:
        file.write(np.ascontiguousarray(one).tobytes())


def _save_tiff(
    file: BinaryIO,
    pixels: Iterator[np.ndarray],
    shape: tuple[int, ...],
    dtype: np.dtype,
    *,
    rgb: bool,
) -> None:
    count, height, width, channels = shape
    large = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize > _LARGE
    with tifffile.TiffWriter(file, bigtiff=large) as tif:
        if rgb:
            tif.write(
                pixels, shape=shape, dtype=dtype, photometric="rgb", metadata={"axes": "IYXS"}
            )
            return
        planes = (np.ascontiguousarray(one[..., c]) for one in pixels for c in range(channels))
        axes = "IYX" if channels == 1 else "ICYX"
        shape = (count, height, width) if channels == 1 else (count, channels, height, width)
        tif.write(
            planes, shape=shape, dtype=dtype, photometric="minisblack", metadata={"axes": axes}
        )


FORMATS = (
    ExportFormat(".tif", "Stack of patches (TIFF)", _write),
    ExportFormat(".npy", "Stack of patches (NumPy)", _write),
)
