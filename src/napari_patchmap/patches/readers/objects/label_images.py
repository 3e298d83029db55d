"""The label images that the objects of a patch set came from, read again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.names import printable
from napari_patchmap.patches.readers.objects.folders import pair_files, read_again
from napari_patchmap.patches.readers.objects.frames import ArrayFrames
from napari_patchmap.patches.readers.objects.object_files import is_object_file
from napari_patchmap.patches.readers.objects.open_objects import read_labels, read_pair
from napari_patchmap.patches.readers.objects.slide_object_files import slides_of
from napari_patchmap.patches.readers.plate.field_labels import labels_named
from napari_patchmap.patches.readers.plate.labelled_fields import has_fields, read_fields
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr
from napari_patchmap.patches.watch import Watch


def label_images(origin: Mapping[str, Any], watch: Watch) -> Callable[[str, int], np.ndarray]:
    """Return what reads the label image of a source and frame, ``(height, width)``.

    Parameters
    ----------
    origin : mapping
        Of the patch set: its ``path`` and its ``objects``.
    watch : Watch

    Raises
    ------
    PatchError
        If they were in no file or are gone; also when a label image is read.
    """
    if not origin.get("objects"):
        raise PatchError("The labels were a layer and are in no file.")
    path, masks = Path(str(origin["path"])), Path(os.path.abspath(str(origin["objects"])))
    fields = has_fields(path, masks)
    if not masks.exists() and not fields:
        raise PatchError(f"There is no file or folder {masks}.")
    if slides_of(origin):
        raise PatchError("The objects of slides are in no label image.")
    if fields:
        plate = read_fields(path, str(origin.get("axes") or "auto"), watch)
        name = labels_named(plate, masks)

        def of_field(source: str, frame: int) -> np.ndarray:
            labels = read_labels(path / source / "labels" / name)
            return ArrayFrames(labels, "YX" if labels.ndim == 2 else "TYX", source).plane(frame)

        return of_field
    if masks.is_dir() and not is_zarr(masks):
        pairs = {printable(pair[0]): pair for pair in pair_files(path, masks, watch)[0]}

        def of_file(source: str, frame: int) -> np.ndarray:
            if source not in pairs:
                raise PatchError(f"{source} has no labels in {masks}.")
            return read_again(path, masks, *pairs[source])[1][..., 0]

        return of_file
    if is_object_file(masks):  # which says nothing of the size of the image
        key = origin.get("key")
        labels = read_pair(path, masks, str(origin.get("axes") or "auto"), watch, key)[0].labels
    else:
        labels = read_labels(masks)
    planes = ArrayFrames(labels, "YX" if labels.ndim == 2 else "TYX", masks.name)

    def of_plane(source: str, frame: int) -> np.ndarray:
        if frame >= len(planes):
            raise PatchError(f"{masks} has no plane {frame}.")
        return planes.plane(frame)

    return of_plane
