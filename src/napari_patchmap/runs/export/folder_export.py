"""The pixels of patches as files by class: a folder that trains, sorts and opens anywhere."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path, PurePosixPath

import numpy as np
import tifffile
from PIL import Image

from napari_patchmap.errors import RunError
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.export.export_format import Exportable, ExportFormat
from napari_patchmap.runs.export.reading import Reading
from napari_patchmap.runs.export.safe_columns import file_names, text_of
from napari_patchmap.runs.writable import check_folder

#: The table beside the files, which says where each patch came from.
TABLE = "patches.csv"

#: What the folder of patches without a class is called.
_NO_CLASS = "no class"


def _write(data: Exportable, path: Path) -> tuple[list[Path], list[str]]:
    path = check_folder(path)
    if path.exists() and any(path.iterdir()):
        raise RunError(f"{path} is not empty; choose a new folder, so that nothing is mixed.")
    patches = data.open_patches()
    reading = Reading(data, patches)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".patchmap-{secrets.token_hex(6)}.part")
    part.mkdir()
    try:
        written = _write_files(data, patches, reading, part)
        table = data.table.iloc[[row for row, _ in written]].copy()
        table.insert(0, "file", [file for _, file in written])
        with (part / TABLE).open("wb") as file:
            table.to_csv(file, index=False, errors="backslashreplace")
        if path.exists():
            path.rmdir()
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [path], reading.notes


def _write_files(
    data: Exportable, patches: PatchSet, reading: Reading, folder: Path
) -> list[tuple[int, str]]:
    """Write the files; return the row and the name of each."""
    classes = file_names(sorted(set(data.classes)), _NO_CLASS) if data.class_column else {}
    for name in classes.values():
        (folder / name).mkdir()
    sources = text_of(data.table["source"])
    stems = file_names(dict.fromkeys(PurePosixPath(one).stem for one in sources), "patch")
    index = data.table["index"].to_numpy()
    written = []
    for row, pixels in reading.each():
        stem = stems[PurePosixPath(sources[row]).stem]
        name = f"{stem} {index[row]}{_ending(pixels)}"
        name = f"{classes[data.classes[row]]}/{name}" if classes else name
        _save(folder / name, pixels, rgb=patches.is_rgb)
        written.append((row, name))
    return written


def _ending(pixels: np.ndarray) -> str:
    """PNG where it holds the pixels as they are, else TIFF."""
    return ".png" if pixels.dtype == np.uint8 and pixels.shape[2] in (1, 3) else ".tif"


def _save(path: Path, pixels: np.ndarray, *, rgb: bool) -> None:
    plain = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    if path.suffix == ".png":
        Image.fromarray(np.ascontiguousarray(plain)).save(path)
    elif plain.ndim == 2:
        tifffile.imwrite(path, plain, photometric="minisblack", metadata={"axes": "YX"})
    elif rgb:
        tifffile.imwrite(path, plain, photometric="rgb", metadata={"axes": "YXS"})
    else:
        channels = np.ascontiguousarray(plain.transpose(2, 0, 1))
        tifffile.imwrite(path, channels, photometric="minisblack", metadata={"axes": "CYX"})


FORMAT = ExportFormat("", "Folder of images by class", _write)
