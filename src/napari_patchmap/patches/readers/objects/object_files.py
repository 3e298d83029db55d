"""Labels of one image from a file: a label image, Cellpose's, QuPath's or ImageJ's objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.formats import ZIPPED_ZARR
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.labels.values import as_text
from napari_patchmap.patches.numbers import whole_numbers
from napari_patchmap.patches.readers.folder.folder_decoder import try_decode
from napari_patchmap.patches.readers.npy import CELLPOSE
from napari_patchmap.patches.readers.objects.cellpose_file import cellpose_masks
from napari_patchmap.patches.readers.objects.drawn_objects import (
    Outline,
    label_image,
    values_table,
)
from napari_patchmap.patches.readers.objects.imagej_rois import roi_outlines
from napari_patchmap.patches.readers.objects.qupath import qupath_outlines
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Files of outlines, by the ends of their names.
_OUTLINES: dict[str, Callable[[Path], tuple[list[Outline], list[str]]]] = {
    ".geojson": qupath_outlines,
    ".zip": roi_outlines,
    ".roi": roi_outlines,
}

#: Ends of the names of files that hold objects and are no images.
OUTLINE_FILES = tuple(_OUTLINES)

#: The column of a file of outlines that becomes the label of its objects.
CLASS = "classification"


class FileLabels(NamedTuple):
    """Labels of an image, and what their file says of each object."""

    labels: np.ndarray
    """Whole numbers, ``(height, width)``, or ``(time, height, width)``."""
    table: pd.DataFrame | None = None
    """A row an object; its index are the labels."""
    notes: Sequence[str] = ()


def add_rows(source: Source, rows: pd.DataFrame, label: str = CLASS) -> None:
    """Add what is known of objects, a row a patch, to the table of their crops.

    The column of their class becomes ``label``.
    """
    taken = {*BOX_COLUMNS, "label", *source.table}
    new: dict[str, Any] = {}
    for name, values in rows.items():
        if label and name == label:
            new["label"] = as_text(values.to_numpy(object))
            source.label_from = label
        else:
            new[f"{name} (file)" if name in taken else str(name)] = values.to_numpy()
    own = pd.DataFrame(new, index=source.table.index)
    source.table = pd.concat([source.table, own], axis=1)


def read_outlines(path: Path) -> tuple[list[Outline], list[str]]:
    """Read a file whose name has one of :data:`OUTLINE_FILES`; return also what to note.

    Raises
    ------
    PatchError
    MissingPackageError
    """
    return _OUTLINES[path.suffix.lower()](path)


def is_outline_file(path: Path | str) -> bool:
    """Whether a file holds outlines, by its name."""
    name = str(path).lower()
    return name.endswith(OUTLINE_FILES) and not name.endswith(ZIPPED_ZARR)


def is_object_file(path: Path | str) -> bool:
    """Whether a file holds objects that are no label image, by its name."""
    return is_outline_file(path) or str(path).lower().endswith(CELLPOSE)


def read_object_file(path: Path, shape: tuple[int, int], watch: Watch) -> FileLabels:
    """Read the objects of an image of ``shape`` (height, width) from a file that is no image.

    Raises
    ------
    PatchError
        If the file is damaged, would run code, or has no objects in the image.
    MissingPackageError
    LoadCancelled
    """
    with decoding(path, "cannot be read", "save it again"):
        if path.name.lower().endswith(CELLPOSE):
            return FileLabels(cellpose_masks(path))
        outlines, notes = read_outlines(path)
        if outlines[0].is_point:
            raise UnusableError(
                "holds points, which say where objects are and not what belongs to them",
                "draw outlines, or choose level 0 for the crops, by which the image is read as "
                "a slide, out of which crops are cut around points",
            )
        labels = label_image(outlines, shape, path, watch)
    hidden = len(outlines) - len(np.unique(labels[labels > 0]))
    if hidden:
        notes.append(
            f"{hidden:,} objects of {path.name} lie outside of the image, or under others."
        )
    return FileLabels(labels, values_table(outlines), notes)


def try_labels(path: str, shape: tuple[int, int]) -> FileLabels | UnusableError:
    """Read the labels of one image of a folder, or say why that cannot be done.

    Those of a label image have the shape ``(height, width, channel)``.
    """
    try:
        if is_object_file(path):
            found = read_object_file(Path(path), shape, UNWATCHED)
            if found.labels.ndim != 2:
                return UnusableError("holds several planes", "open it with its image alone")
            return found._replace(labels=whole_numbers(found.labels)[..., None])
        decoded = try_decode(path, "auto", numbers=True)
        if isinstance(decoded, UnusableError):
            return decoded
        return FileLabels(whole_numbers(decoded.pixels))
    except UnusableError as error:
        return error
    except PatchError as error:
        return UnusableError(str(error).removesuffix("."))
