"""The labels that lie beside the images of a plate's fields."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.readers.plate.plate_fields import Plate
from napari_patchmap.patches.readers.plate.read_plate import is_plate, plates_at
from napari_patchmap.patches.readers.plate.well_files import images_of, plate_node, wells_of
from napari_patchmap.patches.readers.zarr.inside_store import label_names
from napari_patchmap.patches.readers.zarr.ngff import StoreFiles

#: Fields and wells that are looked at for the names of their labels.
_LOOKS = 8


def labels_named(plate: Plate, objects: Path) -> str:
    """Return which labels of the fields are meant by a path.

    Parameters
    ----------
    plate : Plate
    objects : Path
        The plate itself, whose fields have one group of labels each, or the labels of any
        field in it, ``PLATE/B/7/0/labels/nuclei``.

    Raises
    ------
    PatchError
        If that tells no labels, with those that there are.
    """
    fields = plate.fields[:_LOOKS]
    known = _labels_at((StoreFiles(field.root), field.key) for field in fields)
    inside = objects != plate.root and objects.is_relative_to(plate.root)
    if inside and (not known or objects.name in known):
        return objects.name
    if objects == plate.root and len(known) == 1:
        return known[0]
    example = plate.root / plate.fields[0].source / "labels"
    if not known:
        raise PatchError(
            f"The first field of {plate.root} has no labels ({example} names none); cut the "
            "plate into tiles, or segment it first."
        )
    raise PatchError(
        f"{objects} does not say which labels of the fields of {plate.root} are meant; name "
        f"those of any field, such as {example / known[0]} (there are {', '.join(known)})."
    )


def labels_in(path: Path) -> list[str]:
    """Return the names of the labels of a plate by a look at some of its fields.

    Empty if there are none, or it is no plate.
    """
    if not is_plate(path):
        return []
    files = StoreFiles(plates_at(path)[0])
    known = plate_node(files) or {}
    keys = [
        f"{well}/{image.get('path')}"
        for well in (str(one.get("path", "")).strip("/") for one in wells_of(known)[:_LOOKS])
        for image in images_of(files, well)
    ]
    return _labels_at((files, key) for key in keys[:_LOOKS])


def _labels_at(fields: Iterable[tuple[StoreFiles, str]]) -> list[str]:
    """Return the names of the labels that the first field with labels has."""
    found = (label_names(files, f"{key}/" if key else "") for files, key in fields)
    return next(filter(None, found), [])
