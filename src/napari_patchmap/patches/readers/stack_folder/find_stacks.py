"""Which files of a folder are stacks, and whether a folder is one of stacks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from napari_patchmap import formats
from napari_patchmap.patches.axes import UNNAMED, single_axes
from napari_patchmap.patches.names import natural_key
from napari_patchmap.patches.readers import npy
from napari_patchmap.patches.readers.hdf5 import hdf5_file
from napari_patchmap.patches.readers.microscope import microscope_stack
from napari_patchmap.patches.readers.npz import npz_file
from napari_patchmap.patches.readers.tiff import tiff_stack
from napari_patchmap.patches.readers.tiff.tiff_planes import Planes, read_tiff
from napari_patchmap.patches.readers.zarr import zarr_store
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr

#: TIFF files are ordinary images, too; the others are stacks by their names.
_TIFF = (".tif", ".tiff", ".btf", ".tf8")
_READERS: dict[tuple[str, ...], Any] = {
    _TIFF: tiff_stack,
    (".zarr", *formats.ZIPPED_ZARR): zarr_store,
    (".npy",): npy,
    (".npz",): npz_file,
    formats.HDF5: hdf5_file,
    tuple(formats.MICROSCOPES): microscope_stack,
}

#: So few planes of a file may be its channels.
_FEW = 8

#: Entries of a folder that are looked at.
_LOOKS = 2000


def reader_of(name: str) -> Any:
    """Return the module that reads a file or store of this name as a stack, or None."""
    lower = name.lower()
    if lower.endswith(npy.CELLPOSE):
        return None
    return next((module for ends, module in _READERS.items() if lower.endswith(ends)), None)


def holds_stacks(root: Path) -> bool:
    """Say whether the files of a folder, or of the first folder in it, are stacks.

    Of TIFF files the first is looked into; where there are other images, each is a patch.
    No pixels are read.
    """
    if is_zarr(root):
        return False
    files, folders = _entries(root)
    if not files and folders:
        files, _ = _entries(folders[0])
    images = [path for path in files if path.name.lower().endswith(formats.IMAGES)]
    if not images:
        return any(reader_of(path.name) is not None for path in files)
    if not all(path.name.lower().endswith(_TIFF) for path in images):
        return False
    planes = _planes(images[0])
    return planes is not None and len(planes.images) > 1


def few_planes(path: Path) -> int:
    """Return how many planes a TIFF has, if they are few and have no meaning; else 0."""
    if not path.name.lower().endswith(_TIFF):
        return 0
    planes = _planes(path)
    if planes is None or not set(planes.axes) & set(UNNAMED):
        return 0
    return len(planes.images) if 1 < len(planes.images) <= _FEW else 0


def _planes(path: Path) -> Planes | None:
    try:
        return read_tiff(path)
    except Exception:  # noqa: BLE001 - a damaged file: whoever reads the folder says so
        return None


def single_array(path: Path) -> str:
    """Return the axes of a file that can only be one image, and so is one patch; else ""."""
    if path.name.lower().endswith(tuple(formats.MICROSCOPES)):
        return microscope_stack.single_axes(path)
    if not path.name.lower().endswith(".npy"):
        return ""
    try:
        with path.open("rb") as stream:
            return single_axes(npy.read_head(stream).shape)
    except (OSError, ValueError, EOFError, SyntaxError):  # whoever reads it says so
        return ""


def _entries(root: Path) -> tuple[list[Path], list[Path]]:
    """Return files (and stores) and folders, in natural order, hidden ones left out."""
    files, folders = list[Path](), list[Path]()
    try:
        with os.scandir(root) as entries:
            for _, entry in zip(range(_LOOKS), entries, strict=False):
                if entry.name.startswith("."):
                    continue
                store = reader_of(entry.name) is not None
                plain = entry.is_file() or (entry.is_dir() and store)
                (files if plain else folders).append(Path(entry.path))
    except OSError:
        return [], []
    for some in (files, folders):
        some.sort(key=lambda path: natural_key(path.name))
    return files, folders
