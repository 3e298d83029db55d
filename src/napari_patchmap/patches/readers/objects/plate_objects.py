"""Objects of all fields of a plate, found in the labels that lie beside their images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.axes import extents
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.objects.crop_layout import cut
from napari_patchmap.patches.readers.objects.crops import check_objects
from napari_patchmap.patches.readers.objects.find_objects import Objects, find_objects
from napari_patchmap.patches.readers.objects.frames import FileFrames
from napari_patchmap.patches.readers.plate.field_labels import labels_named
from napari_patchmap.patches.readers.plate.open_plate import (
    channel_names_of,
    field_images,
    plate_files,
    plate_notes,
    with_wells,
)
from napari_patchmap.patches.readers.plate.plate_fields import Plate
from napari_patchmap.patches.readers.plate.plate_images import FieldImages, KnownArray
from napari_patchmap.patches.readers.plate.read_plate import read_plate
from napari_patchmap.patches.readers.zarr.ngff import StoreFiles
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.threads import Pieces, in_threads
from napari_patchmap.patches.watch import Watch


def read_plate_objects(
    root: Path, objects: Path, axes: str, config: CropConfig, watch: Watch
) -> Source:
    """Cut crops around the objects of every field of a plate that has labels.

    Parameters
    ----------
    root : Path
        The plate.
    objects : Path
        Which labels: see :func:`field_labels.labels_named`.
    axes : str
        Of the fields.
    config : CropConfig
    watch : Watch

    Raises
    ------
    PatchError
        If there are no such labels, or no object in them.
    LoadCancelled
    """
    plate = read_plate(root, axes, watch)
    name = labels_named(plate, objects)
    said = f"The labels {name} of {root.name}"
    images = field_images(plate)
    #: Of each image of the plate: where its labels lie, and its objects.
    of_field = [_labels_of(plate, i, name) for i in range(len(plate.fields))]
    found: list[Objects | str] = ["has no labels"] * len(images)

    def look(part: Pieces) -> None:
        for i in part:
            labels = of_field[int(images.array_of[i])]
            if isinstance(labels, str):
                found[i] = labels
                continue
            try:
                plane = labels[int(images.frame_of[i])][..., 0]
            except PatchError as error:
                found[i] = str(error).removesuffix(".")
                continue
            objects_here = find_objects(plane)
            found[i] = objects_here if len(objects_here) else f"has no object in {name}"

    in_threads(look, len(images), 1, watch)
    skipped = list(plate.skipped)
    for i, one in enumerate(found):
        field = plate.fields[int(images.array_of[i])]
        if isinstance(one, str):
            frame = f" [{images.frame_of[i]}]" if plate.frames(field) > 1 else ""
            skipped.append(Skipped(f"{field.source}{frame}", one))
    kept = np.array([i for i, one in enumerate(found) if not isinstance(one, str)], np.intp)
    if not len(kept):
        raise PatchError(
            f"{said} hold no object in any field ({skipped[-1].source} {skipped[-1].reason}); "
            "segment the plate first, or cut it into tiles."
        )
    shapes = [(int(height), int(width)) for height, width in images.sizes[kept]]
    pixels = FileFrames(lambda i: images[int(kept[i])], shapes, images.dtype, images.channels)

    def plane_of(i: int) -> np.ndarray:
        at = int(kept[i])
        labels = of_field[int(images.array_of[at])]
        assert not isinstance(labels, str)
        return labels[int(images.frame_of[at])]

    planes = FileFrames(plane_of, shapes, np.dtype(np.int64), 1)
    there = [one for one in found if not isinstance(one, str)]
    check_objects(there, planes, said)
    crops = cut(pixels, planes, there, config, said, watch, snapshot=False)
    at = kept[crops.table.pop("plane").to_numpy()]
    crops.table.insert(0, "frame", images.frame_of[at])
    crops.table.insert(0, "source", plate.sources[images.array_of[at]])
    marks = fingerprint(
        "plate objects", plate_files(plate), axes=plate.letters, labels=name, **config.to_dict()
    )
    table = with_wells(crops.table, plate, images.array_of[at])
    return Source(
        crops.images, table, channel_names_of(plate),
        notes=plate_notes(plate, whole=True) + crops.notes, skipped=skipped, fingerprint=marks,
    )  # fmt: skip


def _labels_of(plate: Plate, number: int, name: str) -> FieldImages | str:
    """Return the label images of a field, one for each of its images, or why it has none."""
    field = plate.fields[number]
    files = StoreFiles(field.root)
    try:
        labels = files.multiscale(f"{field.key}/labels/{name}")
    except UnusableError as error:
        return f"has labels {name} of which it is said: {error}"
    if labels is None:
        return f"has no labels {name}"
    first = labels.levels[0]
    if labels.dtype.kind not in "bui":
        return f"has labels {name} of type {labels.dtype}; whole numbers are needed"
    count, height, width, channels = extents(first.shape, labels.letters)
    if channels > 1:
        return f"has labels {name} of {channels} channels; one is needed"
    if (count, height, width) != (plate.frames(field), *plate.size(field)):
        both = (count, height, width), (plate.frames(field), *plate.size(field))
        have, need = (f"{n} x {w} x {h}" for n, h, w in both)
        return f"has labels {name} of {have}, but is {need} (images x width x height)"
    path = field.root / first.key
    with decoding(path, "cannot be read", "copy or save it again"):
        return FieldImages([KnownArray(path, first.shape, labels.dtype)], labels.letters)
