"""Crops around the objects of a label image, one patch an object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import decoding
from napari_patchmap.kind import Kind
from napari_patchmap.patches.axes import ALPHA_NOTE, RGB, default_names
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.labels.join import Labels
from napari_patchmap.patches.numbers import whole_numbers
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.patches.readers.objects.crop_images import at_once
from napari_patchmap.patches.readers.objects.crop_layout import cut
from napari_patchmap.patches.readers.objects.find_objects import Objects, find_objects
from napari_patchmap.patches.readers.objects.frames import ArrayFrames, Frames, match_axes
from napari_patchmap.patches.room import check_room
from napari_patchmap.patches.source import Source, finish
from napari_patchmap.patches.watch import UNWATCHED, Watch


def from_objects(
    image: Any,
    labels: Any,
    *,
    name: str,
    labels_name: str = "labels",
    axes: str = "auto",
    config: CropConfig | None = None,
    rgb: bool | None = None,
    channel_names: Sequence[str] | None = None,
    columns: Labels | None = None,
    channels: Sequence[str] | None = None,
    origin: dict[str, Any] | None = None,
    watch: Watch = UNWATCHED,
) -> PatchSet:
    """Make a patch set of the crops around the objects of two open layers.

    Painting in ``labels`` afterwards does not change the patches.

    Parameters
    ----------
    image : array-like
        One image ``(height, width)``, with channels before or after, or a time
        series of them; NumPy, Dask or Zarr.
    labels : array-like of whole numbers
        ``(height, width)`` or ``(time, height, width)``; 0 is background. The
        same number in two frames is two patches.
    name, labels_name : str
        What people call image and labels; ``name`` is the column ``source``.
    axes : str
        One letter an axis of the image, such as ``"TCYX"``; ``"auto"`` finds the
        channels by comparing the shapes.
    config : CropConfig, optional
    rgb : bool, optional
        Whether the last axis is red, green, blue (and alpha, which is dropped).
    channel_names : sequence of str, optional
        One name a channel.
    columns : path of a CSV file, or sequence of values, optional
        Labels (classes) of the objects, in order or by a column ``index``.
    channels : sequence of str, optional
        The channels to keep, by name; all when None.
    origin : dict, optional
        How to open the set again; layers alone cannot be opened again.
    watch : Watch, optional
        As in :func:`open_patches`, which also says what is raised.

    Returns
    -------
    PatchSet
        Its table holds ``label_id``, ``area`` (pixels), ``centroid_y`` and ``centroid_x``.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_patchmap.patches import from_objects
    >>> labels = np.zeros((60, 60), np.uint8)
    >>> labels[10:20, 10:20], labels[40:46, 30:40] = 1, 7
    >>> crops = from_objects(np.zeros((60, 60)), labels, name="tissue", labels_name="nuclei")
    >>> crops.table[["label_id", "area", "centroid_y"]].to_dict("list")
    {'label_id': [1, 7], 'area': [100, 60], 'centroid_y': [14.5, 42.5]}
    """
    config = config or CropConfig()
    source = object_source(
        image, labels, axes=axes, config=config, name=name, labels_name=labels_name,
        channel_names=channel_names, rgb=rgb, watch=watch,
    )  # fmt: skip
    known = {
        "kind": str(Kind.LAYER), "path": name, "layer": name, "labels_layer": labels_name,
        "axes": axes, "crops": config.to_dict(),
    }  # fmt: skip
    return finish(
        source, name=name, origin=known | (origin or {}), sizes=None, labels=columns,
        channels=channels, watch=watch,
    )  # fmt: skip


def object_source(
    image: Any,
    labels: Any,
    *,
    axes: str,
    config: CropConfig,
    name: str,
    labels_name: str,
    channel_names: Sequence[str] | None,
    rgb: bool | None,
    watch: Watch,
) -> Source:
    """Cut crops around the objects of a label image; see :func:`from_objects`."""
    labels = check_labels(labels, labels_name)
    letters = match_axes(image, labels, axes, rgb, name, labels_name)
    planes = ArrayFrames(labels, "YX" if labels.ndim == 2 else "TYX", labels_name)
    pixels = ArrayFrames(image, letters, name)
    notes = []
    if "S" in letters and pixels.channels == 4:
        pixels = ArrayFrames(image, letters, name, channels=3)
        notes.append(ALPHA_NOTE)
    names = default_names(pixels.channels, pixels.dtype, "S" in letters)
    if channel_names is not None:
        if len(channel_names) != pixels.channels:
            raise PatchError(
                f"{name} has {pixels.channels} channels but {len(channel_names)} names were "
                "given; give one name a channel."
            )
        names = tuple(channel_names)
    if rgb and pixels.channels == 3:
        names = RGB
    count = len(planes)
    found = [find_objects(planes.plane(i), watch.one_of(i, count)) for i in range(count)]
    check_objects(found, planes, labels_name)
    if count > 1 and axes == "auto":
        notes.append(
            f"The first axis of {labels_name} was taken as time; if it is depth (a volume), "
            "every plane of an object became a patch of its own."
        )
    crops = cut(pixels, planes, found, config, labels_name, watch, snapshot=True)
    frames = crops.table.pop("plane").to_numpy()
    crops.table.insert(0, "frame", frames)
    crops.table.insert(0, "source", name)
    images = at_once(crops.images, watch) if pixels.slow else crops.images
    return Source(images, crops.table, names, notes=notes + crops.notes)


def check_labels(labels: Any, name: str) -> Any:
    """Return labels as (time,) height, width of whole numbers, or say what is wrong.

    Raises
    ------
    PatchError
    """
    if not hasattr(labels, "dtype"):
        labels = np.asarray(labels)
    if labels.dtype.kind == "f":  # as some programs keep whole numbers
        nbytes = math.prod(labels.shape) * labels.dtype.itemsize
        check_room(3 * nbytes, name, "convert it to whole numbers first, for example to int32")
        with decoding(name, "cannot be read", "save it again"):
            labels = whole_numbers(np.asarray(labels[...]))
    if labels.dtype.kind not in "bui":
        raise PatchError(f"{name} holds values of type {labels.dtype}, not labels of objects.")
    while labels.ndim > 2 and 1 in labels.shape[:-2]:  # one depth, or one time
        labels = labels[(slice(None),) * labels.shape.index(1) + (0,)]
    if labels.ndim not in (2, 3) or 0 in labels.shape:
        shape = " x ".join(map(str, labels.shape))
        raise PatchError(
            f"{name} ({shape}) is not one plane of labels nor a time series of them; choose "
            "one channel and one depth, or a projection."
        )
    return labels


def check_objects(found: Sequence[Objects], planes: Frames, name: str) -> None:
    """Say so if labels hold no objects, or a mask in which they are not told apart.

    Raises
    ------
    PatchError
    """
    ids = np.unique(np.concatenate([one.ids for one in found]))
    if not len(ids):
        raise PatchError(
            f"{name} holds no objects, only background; segment the image first or choose "
            "another label image."
        )
    if len(ids) > 1:
        return
    from scipy import ndimage

    first = next(i for i, one in enumerate(found) if len(one))
    top, left, bottom, right = found[first].boxes[0].tolist()
    mask = planes.cut(first, slice(top, bottom), slice(left, right))[..., 0] > 0
    pieces = ndimage.label(mask, np.ones((3, 3)))[1]
    if pieces > 1:
        raise PatchError(
            f"{name} is a mask that marks all objects with the one number {ids[0]}; give each "
            "object a number of its own first, for example with skimage.measure.label."
        )
    if sum(map(len, found)) == 1:
        raise PatchError(
            f"{name} holds one single object; a map needs many, so choose another label image."
        )
