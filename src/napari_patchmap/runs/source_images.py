"""The images that patches were cut out of, read again from their files to be looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.kind import Kind
from napari_patchmap.patches.names import printable
from napari_patchmap.patches.readers.objects.folders import pair_files, read_again
from napari_patchmap.patches.readers.objects.frames import ArrayFrames, match_axes
from napari_patchmap.patches.readers.objects.open_objects import read_pair
from napari_patchmap.patches.readers.objects.slide_object_files import slides_of
from napari_patchmap.patches.readers.plate.field_labels import labels_named
from napari_patchmap.patches.readers.plate.labelled_fields import has_fields, read_fields
from napari_patchmap.patches.readers.slides.pyramid import look_of, picture
from napari_patchmap.patches.readers.slides.tiles import PICTURE, is_one_slide, open_slide
from napari_patchmap.patches.room import check_room
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr
from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs.slide_levels import SlideLevel, finer_levels

_REMEDY = "open the part that you need in napari"


@dataclass(frozen=True, eq=False)
class SourceImage:
    """One image, or the labels of one.

    Parameters
    ----------
    source : str
        What the table of the patches calls the image.
    path : Path
    pixels : ndarray, shape (frame, height, width, channel), or (frame, height, width) of labels
    channel_names : tuple of str
        None of labels.
    rgb : bool
        Whether the channels are red, green and blue.
    scale : float, optional
        Of a slide, pixels at full resolution that one of these spans; None of other images.
    levels : tuple of SlideLevel
        Of a slide, its levels larger than ``pixels``, the full resolution first.
    """

    source: str
    path: Path
    pixels: np.ndarray
    channel_names: tuple[str, ...] = ()
    rgb: bool = False
    scale: float | None = None
    levels: tuple[SlideLevel, ...] = ()

    @property
    def are_labels(self) -> bool:
        """Whether its values are the numbers of objects."""
        return self.pixels.ndim == 3


def has_source_images(origin: Mapping[str, Any]) -> bool:
    """Whether patches were cut out of larger images in files that are known."""
    paths = bool(origin.get("path"))
    if origin.get("kind") == Kind.OBJECTS:
        return paths and bool(origin.get("objects"))
    return paths and origin.get("kind") == Kind.SLIDES


def read_source_images(
    origin: Mapping[str, Any], sources: Sequence[str], watch: Watch
) -> tuple[list[SourceImage], str]:
    """Read the images of some sources, with their labels above them.

    Parameters
    ----------
    origin : mapping
        Where the patches come from, of which :func:`has_source_images` is true.
    sources : sequence of str
        As the table of the patches calls them.
    watch : Watch

    Returns
    -------
    list of SourceImage
    str
        Why one could not be read, "" if all could.

    Raises
    ------
    LoadCancelled
    """
    root, trouble = Path(str(origin["path"])), ""
    read: list[SourceImage] = []
    for done, source in enumerate(sources):
        watch.step(done, len(sources))
        try:
            if origin.get("kind") == Kind.SLIDES or slides_of(origin):
                read.append(_slide(root if is_one_slide(root) else root / source, source))
            elif has_fields(root, Path(str(origin["objects"]))):
                read += _of_plate(root, origin, source, watch)
            elif root.is_dir() and not is_zarr(root):
                read += _of_folder(root, Path(str(origin["objects"])), source, watch)
            else:
                axes = str(origin.get("axes") or "auto")
                masks, key = Path(str(origin["objects"])), origin.get("key")
                read += _of_file(root, masks, axes, source, watch, key)
        except PatchError as error:
            trouble = trouble or str(error)
    return read, trouble


def _slide(path: Path, source: str) -> SourceImage:
    slide = open_slide(path)
    levels: tuple[SlideLevel, ...] = ()
    try:
        small, scale = slide.shrunk(PICTURE)
        shown = picture(small, slide.is_rgb, PICTURE)
        levels = finer_levels(slide, max(shown.shape), look_of(small, slide.is_rgb))
    finally:
        if not levels:
            slide.close()
    scale *= small.shape[0] / shown.shape[0]
    return SourceImage(source, path, shown[None], rgb=True, scale=scale, levels=levels)


def _of_plate(
    root: Path, origin: Mapping[str, Any], source: str, watch: Watch
) -> list[SourceImage]:
    """Read one field of a plate, or image of a folder, and its labels."""
    axes = str(origin.get("axes") or "auto")
    plate = read_fields(root, axes, watch)
    labels = labels_named(plate, Path(str(origin["objects"])))
    return _of_file(root / source, root / source / "labels" / labels, axes, source, watch)


def _of_folder(root: Path, masks: Path, source: str, watch: Watch) -> list[SourceImage]:
    """Read one image of a folder, and the labels that were found for it there or elsewhere."""
    for one in (root, masks):
        if not one.is_dir():
            raise PatchError(f"There is no folder {one}; say where the images are now.")
    pairs = {
        printable(image): (image, mask) for image, mask in pair_files(root, masks, watch)[0]
    }
    if source not in pairs:
        raise PatchError(f"There is no image {source} with labels in {root}; look there.")
    image, mask = root / pairs[source][0], masks / pairs[source][1]
    seen, labels = read_again(root, masks, *pairs[source])
    names, rgb = seen.channel_names, seen.channel_names[0] == "red"
    return [
        SourceImage(source, image, seen.pixels[None], names, rgb),
        SourceImage(source, mask, labels[None, ..., 0]),
    ]


def _of_file(
    path: Path, masks: Path, axes: str, source: str, watch: Watch, key: str | None = None
) -> list[SourceImage]:
    """Read an image, or a time series, and its labels, as crops are cut out of them."""
    for one in (path, masks):
        if not (one.exists() or is_zarr(one)):  # in a zip file, it may be
            raise PatchError(f"There is no file or folder {one}; say where the images are now.")
    found, (pixels, letters, names) = read_pair(path, masks, axes, watch, key)
    labels = found.labels
    rgb = "S" in letters
    letters = match_axes(pixels, labels, letters, rgb, path.name, masks.name)
    rgba = rgb and pixels.shape[letters.index("S")] == 4
    frames = ArrayFrames(pixels, letters, path.name, channels=3 if rgba else None)
    size = math.prod((len(frames), *frames.shapes[0], frames.channels)) * frames.dtype.itemsize
    check_room(size + math.prod(labels.shape) * labels.dtype.itemsize, str(path), _REMEDY)
    every = slice(None)
    shown = np.stack([frames.cut(frame, every, every) for frame in range(len(frames))])
    numbers = np.asarray(labels[...])
    numbers = numbers[None] if numbers.ndim == 2 else numbers
    return [
        SourceImage(source, path, shown, tuple(names or ()), rgb),
        SourceImage(source, masks, numbers),
    ]
