"""What is a Zarr store, and opening one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.safe_zarr.zip_files import MARKS, split_zip, zipped


def is_zarr(path: Path) -> bool:
    """Whether a path is a Zarr store, or a group or array in one, zipped or not."""
    if path.is_dir():
        named = path.name.lower().endswith(".zarr")
        return named or any((path / mark).is_file() for mark in MARKS)
    return split_zip(path) is not None


def open_store(path: Path) -> Any:
    """Open a store, or a group or array in it, as Zarr does; in a folder or a zip file.

    Raises
    ------
    PatchError
        If it is none.
    """
    import zarr

    found = zipped(path)
    if found is not None:
        return found[0].open(found[1])
    if not any((path / mark).is_file() for mark in MARKS):
        raise PatchError(
            f"{path} is not a Zarr store: it holds none of {', '.join(MARKS)}; choose another "
            "folder, or copy it again."
        )
    return zarr.open(store=str(path), mode="r")
