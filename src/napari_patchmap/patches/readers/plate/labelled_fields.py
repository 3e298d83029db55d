"""Fields with labels in them: those of a plate, or the OME-Zarr images of a folder."""

from __future__ import annotations

from pathlib import Path

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.plate.plate_fields import Plate, PlateField
from napari_patchmap.patches.readers.plate.read_plate import (
    alike,
    is_plate,
    letters_of_fields,
    plates_at,
    read_plate,
)
from napari_patchmap.patches.readers.zarr.ngff import Multiscale, StoreFiles
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr
from napari_patchmap.patches.watch import Watch

#: A larger image of a folder, in pixels, is not decoded as a whole.
_LARGEST = 2**26


def has_fields(path: Path, objects: Path) -> bool:
    """Whether the objects of an image set are labels that lie within its images.

    That is so of every plate, and of a folder of OME-Zarr images where ``objects`` is that
    folder, or lies in one of its images.
    """
    if is_plate(path):
        return True
    inside = objects == path or any(objects.is_relative_to(one) for one in _stores(path))
    return inside and any(_image(one) is not None for one in _stores(path)[:1])


def read_fields(path: Path, axes: str, watch: Watch) -> Plate:
    """Read which fields there are, as :func:`read_plate` does, also of a folder of images.

    Raises
    ------
    PatchError
        If none can be used.
    LoadCancelled
    """
    if is_plate(path):
        return read_plate(path, axes, watch)
    found: list[tuple[PlateField, Multiscale]] = []
    skipped: list[Skipped] = []
    stores = _stores(path)
    for number, store in enumerate(stores):
        watch.step(number, len(stores))
        try:
            image = StoreFiles(store).multiscale("")
        except UnusableError as error:
            skipped.append(Skipped(store.name, str(error)))
            continue
        if image is None:
            skipped.append(Skipped(store.name, "is no OME-Zarr image"))
            continue
        level = image.levels[0]
        field = PlateField(
            store, "", level.key, level.shape, image.dtype, 0, 0, "", "", path.name, store.name
        )
        found.append((field, image))
    if not found:
        why = f" ({skipped[0].source} {skipped[0].reason})" if skipped else ""
        raise PatchError(f"No image in {path} can be used{why}; copy or export them again.")
    first = found[0][1]
    letters = letters_of_fields(first, axes)
    kept, others = alike([field for field, _ in found], letters)
    plate = Plate(path, [], letters, first.channel_names, skipped + others, in_wells=False)
    for field in kept:
        height, width = plate.size(field)
        if height * width > _LARGEST:
            plate.skipped.append(
                Skipped(field.source, f"is {width} x {height} pixels large; open it alone")
            )
        else:
            plate.fields.append(field)
    if not plate.fields:
        one = plate.skipped[-1]
        raise PatchError(f"No image in {path} can be used ({one.source} {one.reason}).")
    return plate


def _stores(path: Path) -> list[Path]:
    return [] if is_zarr(path) or not path.is_dir() else plates_at(path, 0)


def _image(store: Path) -> Multiscale | None:
    try:
        return StoreFiles(store).multiscale("")
    except (UnusableError, OSError):
        return None
