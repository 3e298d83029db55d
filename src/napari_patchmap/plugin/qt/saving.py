"""Files that a person names in a dialog."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from qtpy.QtCore import QBuffer, QIODevice

from napari_patchmap.errors import RunError
from napari_patchmap.plugin.qt.thumbnails import to_image
from napari_patchmap.runs.writable import writing
from napari_patchmap.writing import write_whole


def with_ending(path: str | Path, ending: str) -> Path:
    """Return a path with an ending, where none was typed.

    Raises
    ------
    RunError
        If a file is there then: the dialog asked about another name.
    """
    path = Path(path)
    if path.suffix:
        return path
    path = path.with_name(path.name + ending)
    if path.exists():
        raise RunError(
            f"{path} is there already; to replace it, give its name with {ending} at the end."
        )
    return path


def save_image(path: str | Path, rgb: np.ndarray) -> Path:
    """Write a picture, PNG if its name says nothing else, as a whole file or none.

    From any thread.
    """
    path = with_ending(path, ".png")
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not to_image(rgb).save(buffer, path.suffix[1:]):
        raise RunError(
            f"{path}: no picture ends like this; choose a name with .png at the end."
        )
    with writing(path):
        write_whole(path, bytes(buffer.data()))
    return path
