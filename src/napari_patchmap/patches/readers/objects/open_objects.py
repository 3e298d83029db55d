"""Objects from files: an image and its labels, or two folders of them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_patchmap.errors import PatchError, UnclearAxesError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.axes import (
    UNNAMED,
    channel_axis,
    check_axes,
    extents,
    guess_unnamed,
    looks_like_channels,
)
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.photometric import meaning_of
from napari_patchmap.patches.readers.folder.folder_decoder import try_decode
from napari_patchmap.patches.readers.microscope.makers import is_microscope
from napari_patchmap.patches.readers.npy import read_head, refuse_objects
from napari_patchmap.patches.readers.objects.crops import check_labels, object_source
from napari_patchmap.patches.readers.objects.folders import read_object_folders
from napari_patchmap.patches.readers.objects.frames import check_depth
from napari_patchmap.patches.readers.objects.microscope_field import (
    microscope_field,
    missing_planes,
)
from napari_patchmap.patches.readers.objects.object_files import (
    FileLabels,
    add_rows,
    is_object_file,
    read_object_file,
)
from napari_patchmap.patches.readers.objects.open_slide_objects import read_slide_objects
from napari_patchmap.patches.readers.objects.plate_objects import read_plate_objects
from napari_patchmap.patches.readers.objects.slide_object_files import on_slides
from napari_patchmap.patches.readers.objects.zarr_field import missing_notes, zarr_field
from napari_patchmap.patches.readers.plate.read_plate import is_plate
from napari_patchmap.patches.readers.tiff.tiff_planes import read_tiff
from napari_patchmap.patches.readers.tiff.tiff_series import may_be_slide
from napari_patchmap.patches.readers.zarr.zarr_find import is_zarr
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.room import check_room
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch

_TIFF = (".tif", ".tiff")


def read(request: OpenRequest, watch: Watch) -> Source:
    """Cut crops around the objects of a label file, or of a folder of them.

    ``request.path`` is an image, a time series, or a folder of images; ``request.objects``
    are its labels: a label image, Cellpose's ``_seg.npy``, QuPath's GeoJSON, or ImageJ's
    regions of interest (``.roi``, ``.zip``). For a folder, one with files of the same names,
    which may end with ``_mask``, ``_labels`` and the like. May be the same folder then. Of a
    plate, they are the plate itself, or the labels of one of its fields, which are looked
    for in all. Of whole slides, outlines or a table of centres, or a folder of these.

    Raises
    ------
    PatchError
        If one of the two cannot be read, or they do not match.
    """
    assert request.objects is not None
    path, config = Path(request.path), request.crops or CropConfig()
    masks = Path(os.path.abspath(os.path.expanduser(request.objects)))
    if is_plate(path):
        return read_plate_objects(path, masks, request.axes, config, watch)
    for one in (path, masks):
        if not one.exists():
            raise PatchError(f"There is no file or folder {one}; check the path.")
    if on_slides(path, masks, config):
        return read_slide_objects(path, masks, config, watch)
    folders = [one.is_dir() and not is_zarr(one) for one in (path, masks)]
    if folders[0] != folders[1]:
        raise PatchError(
            f"{path} and {masks} must both be files, or both be folders with one label image "
            "for each image; choose two of a kind."
        )
    if folders[0]:
        return read_object_folders(path, masks, config, watch)
    found, (image, letters, names) = read_pair(path, masks, request.axes, watch, request.key)
    source = object_source(
        image, found.labels, axes=letters, config=config, name=path.name,
        labels_name=masks.name, channel_names=names, rgb="S" in letters, watch=watch,
    )  # fmt: skip
    source.notes += found.notes
    if found.table is not None:
        rows = found.table.reindex(source.table["label_id"])
        add_rows(source, rows.reset_index(drop=True))
    if is_zarr(path):
        source.notes += missing_notes(path, watch)
    elif is_microscope(path):
        source.notes += missing_planes(image, path.name)
    return source


def read_pair(
    path: Path, masks: Path, axes: str, watch: Watch, key: str | None = None
) -> tuple[FileLabels, tuple[Any, str, Sequence[str] | None]]:
    """Read the labels of an image, and the image as :func:`read_field` does.

    ``key`` is the name of the image in a microscope's file that holds several.

    Raises
    ------
    PatchError
        If one of them cannot be read.
    """
    if not is_object_file(masks):
        labels = read_labels(masks)
        return FileLabels(labels), read_field(path, axes, labels, key)
    field = read_field(path, axes, np.zeros((1, 1), np.uint8), key)  # a plane of any size
    found = read_object_file(masks, _plane_shape(field[0].shape, field[1], path), watch)
    return found._replace(labels=check_labels(found.labels, str(masks))), field


def _plane_shape(shape: tuple[int, ...], letters: str, path: Path) -> tuple[int, int]:
    """Return height and width of an image whose axes may not be known."""
    if letters != "auto":
        _, height, width, _ = extents(shape, check_axes(letters, len(shape), path.name))
        return height, width
    if len(shape) == 2:
        return shape
    if len(shape) == 3:
        for channel, sides in ((2, shape[:2]), (0, shape[1:])):
            if shape[channel] == 1 or looks_like_channels(shape[channel], sides):
                return sides[0], sides[1]
    raise UnclearAxesError(
        f"It is not clear which axis of {path} ({' x '.join(map(str, shape))}) is what; say so "
        "with axes, for example YXC.",
        ("YXC", "CYX"),
    )


def read_labels(masks: Path) -> Any:
    """Read the label image of a file, ``(height, width)`` or ``(time, height, width)``.

    Raises
    ------
    PatchError
        If it cannot be read, or holds no labels.
    """
    labels, _, _ = read_field(masks, "auto", None)
    return check_labels(_one_channel(labels, masks), str(masks))


def read_field(
    path: Path, axes: str, labels: Any, key: str | None = None
) -> tuple[Any, str, Sequence[str] | None]:
    """Read an image (or labels, if there are none yet): pixels, axes, channel names.

    Raises
    ------
    PatchError
        If it cannot be read.
    """
    with decoding(path, "cannot be read", "copy or export it again"):
        if path.suffix.lower() in _TIFF:
            return _read_tiff(path, axes, labels)
        if path.suffix.lower() == ".npy":
            return _read_npy(path), axes, None
        if is_zarr(path):
            return zarr_field(path, axes, labels is None)
        if is_microscope(path) and labels is not None:
            return microscope_field(path, axes, key)
    decoded = try_decode(str(path), axes, numbers=labels is None)
    if isinstance(decoded, UnusableError):
        raise decoded.of(path, "choose a TIFF, PNG, Zarr or NumPy file (.npy)")
    colour = decoded.channel_names if decoded.pixels.shape[-1] > 1 else None
    return decoded.pixels, "YXS", colour


def _read_npy(path: Path) -> np.ndarray:
    with path.open("rb") as stream:
        head = read_head(stream)
    if head.dtype.hasobject:
        raise refuse_objects(path, "save the image as one plain array of numbers")
    if head.offset + head.nbytes > path.stat().st_size:
        raise UnusableError("is cut off", "copy or save it again")
    array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _read_tiff(path: Path, axes: str, labels: Any) -> tuple[Any, str, Sequence[str] | None]:
    with tifffile.TiffFile(path) as tif:
        series = tif.series[0]
        letters, shape = str(series.axes), series.shape
        pyramid = len(series.levels) > 1 and may_be_slide(series.keyframe)
        meaning = meaning_of(series.keyframe, numbers=labels is None) if pyramid else None
        nbytes = math.prod(shape) * np.dtype(series.dtype).itemsize
    check_room(nbytes, str(path), "save the part that you need, or a smaller copy")
    if axes == "auto":
        letters = guess_unnamed(letters, shape) or letters
        if "C" not in letters and labels is not None and labels.ndim == 2:
            # Planes of one place, with one label image for all of them, are its channels.
            for unnamed in UNNAMED:
                letters = letters.replace(unnamed, "C", 1) if "C" not in letters else letters
        if dict(zip(letters, shape, strict=True)).get("Z", 1) > 1:
            check_depth(letters, path.name)
    else:
        letters = axes
    if meaning is not None:  # an image pyramid: its first level is the image
        array = tifffile.imread(path, series=0, level=0)
        if "S" not in letters and meaning.convert is not None:
            array, letters = array[..., None], letters + "S"
        if letters[-1] == "S" and meaning.convert is not None:
            array = meaning.convert(array)
        return array, letters, None
    planes = read_tiff(path, letters, numbers=labels is None)
    if not planes.images.uniform:
        raise UnusableError("holds images of several sizes", "save the one you want alone")
    pixels = planes.images.take(np.arange(len(planes.images)))
    kind = "S" if channel_axis(letters) == "S" or planes.channel_names[0] == "red" else "C"
    if len(pixels) == 1:
        return pixels[0], "YX" + kind, planes.channel_names
    return pixels, "TYX" + kind, planes.channel_names


def _one_channel(labels: Any, path: Path) -> Any:
    """Drop the channel axis that readers add; labels have one channel."""
    if path.suffix.lower() == ".npy" or is_zarr(path):
        return labels
    if labels.shape[-1] > 1:
        raise PatchError(
            f"{path} has {labels.shape[-1]} channels, so it is a picture of labels; save the "
            "labels themselves, one number a pixel."
        )
    return labels[..., 0]
