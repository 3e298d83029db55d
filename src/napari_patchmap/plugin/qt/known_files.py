"""Files and folders that are ours by their names; loads nothing, for napari asks early."""

from __future__ import annotations

import zipfile
from pathlib import Path

from napari_patchmap import formats

#: The two files by which a run folder is known.
RUN_FILES = ("config.json", "embedding.csv")

#: The file by which the folder of a run is known that is not finished.
CHECKPOINT = "checkpoint/state.safetensors"

#: The file by which a run is known that is not yet in its place.
SAVED = ".patchmap-saved/config.json"


def is_run_folder(path: str | Path) -> bool:
    """Whether a folder was written by a run of ours, be it finished or not."""
    folder = Path(path)
    # Saved by a process that ended before all files were in their places.
    moving = (folder / SAVED).is_file()
    whole = all((folder / name).is_file() for name in RUN_FILES)
    return whole or moving or (folder / CHECKPOINT).is_file()


def is_run(path: str | Path) -> bool:
    """Whether a path is a run folder, or the ``config.json`` in one."""
    return is_run_folder(run_folder(path))


def run_folder(path: str | Path) -> Path:
    """Return the folder of a run that is named by its ``config.json``."""
    given = Path(path)
    return given.parent if given.name == "config.json" else given


def may_hold_patches(path: str | Path) -> bool:
    """Whether a path is one that napari offers us and that may hold patches.

    Folders are not looked into: that may take long, and the panel says in one
    sentence what is wrong with one.
    """
    given = Path(path)
    name = given.name.lower()
    if given.is_dir() or is_run(given):
        return True
    if not given.is_file():
        return False
    if name.endswith(".npz") and not zipfile.is_zipfile(given):
        return False
    return name.endswith(formats.OFFERED)
