"""Label images as large as whole slides: objects are found part by part, boxes read alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.numbers import whole_numbers
from napari_patchmap.patches.readers.objects.crop_images import OTHER, OWN
from napari_patchmap.patches.readers.objects.find_objects import (
    LabelPart,
    Objects,
    find_in_parts,
)
from napari_patchmap.patches.readers.slides.levels import whole_ratio
from napari_patchmap.patches.readers.slides.slide import Slide
from napari_patchmap.patches.readers.slides.zarr_slide import ZarrSlide
from napari_patchmap.patches.readers.zarr.ngff import Multiscale, StoreFiles, ZarrLevel
from napari_patchmap.patches.readers.zarr.zarr_find import ome
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr
from napari_patchmap.patches.watch import Watch

#: Ends of the names of files that may be such label images; Zarr stores may be, too.
LABEL_FILES = (".tif", ".tiff", ".btf", ".tf8")

#: Pixels along a side of the parts in which objects are looked for, where the blocks that
#: are stored allow it: a few hundred MB at most, whatever is in them.
_PART = 2048

#: Those that are open: so many files at a time.
_OPEN: Latest[Slide | ZarrSlide] = Latest(8)


class SlideLabels:
    """The label image of a slide, at its full resolution or a lower one.

    Safe to be read from several threads at once.

    Parameters
    ----------
    path : Path
        A TIFF, or a Zarr array or OME-Zarr image.
    slide : Path
    shape : (height, width)
        Of the slide in level-0 pixels.

    Attributes
    ----------
    scale : float
        Pixels of the slide that one pixel of the labels spans.

    Raises
    ------
    PatchError
        If it cannot be read, or is not of the same field of view.
    """

    def __init__(self, path: Path, slide: Path, shape: tuple[int, int]) -> None:
        self.path = path
        self.shape = self._plane.shape
        scale = _scale(shape, self.shape)
        if scale is None:
            (tall, wide), (height, width) = self.shape, shape
            raise PatchError(
                f"{path} ({wide:,} x {tall:,} pixels) is no label image of {slide} ({width:,} "
                f"x {height:,}); choose one that covers all of it, at its full size or at a "
                "smaller one of the same proportions."
            )
        self.scale = scale

    @property
    def _plane(self) -> Slide | ZarrSlide:
        return _OPEN.get(self, lambda: _open(self.path))

    @property
    def files(self) -> list[tuple[str, Path]]:
        """What changes when the labels do, by names."""
        return [(f"{self.path.name}/{name}", at) for name, at in self._plane.files]

    def read(self, y: int, x: int, height: int, width: int) -> np.ndarray:
        """Read a box in pixels of the labels, ``(height, width)``; 0 lies around them.

        Raises
        ------
        PatchError
            If that part is damaged, or holds no whole numbers.
        """
        box = self._plane.read(0, y, x, height, width)[..., 0]
        try:
            return whole_numbers(box)
        except PatchError as error:
            raise error.of(self.path) from None

    def objects(self, watch: Watch) -> Objects:
        """Find the objects, in pixels of the labels; each block is decoded once.

        Raises
        ------
        PatchError
        LoadCancelled
        """
        whole = self._plane.dtype.kind != "f"
        dtype = self._plane.dtype if whole else np.dtype(np.int64)
        found = find_in_parts(self._parts(watch), dtype)
        if not len(found):
            raise PatchError(
                f"{self.path} holds no objects, only background; segment the slide first or "
                "choose another label image."
            )
        if len(found) == 1:
            raise PatchError(
                f"{self.path} holds the one number {found.ids[0]} beside the background, so it "
                "tells no objects apart; give each a number of its own first, for example with "
                "skimage.measure.label."
            )
        return found

    def on_slide(self, found: Objects) -> Objects:
        """Return objects in pixels of the slide."""
        return Objects(
            found.ids,
            np.rint(found.boxes * self.scale).astype(np.int64),
            np.rint(found.area * self.scale**2).astype(np.int64),
            (found.centroids + 0.5) * self.scale - 0.5,
            found.negative,
        )

    def kinds(self, downsample: float, own: int, rows: slice, columns: slice) -> np.ndarray:
        """Tell in a box what belongs to the object ``own``, in pixels of crops.

        Each of these spans ``downsample`` pixels of the slide, and is what lies at its middle.

        Returns
        -------
        ndarray of uint8, as :data:`crop_images.Classes` returns.
        """
        y, x = (
            np.floor((np.arange(one.start, one.stop) + 0.5) * downsample / self.scale)
            .astype(int)
            .clip(0, side - 1)
            for one, side in zip((rows, columns), self.shape, strict=True)
        )
        box = self.read(y[0], x[0], y[-1] - y[0] + 1, x[-1] - x[0] + 1)
        ids = box[np.ix_(y - y[0], x - x[0])]
        kinds = np.where(ids > 0, np.uint8(OTHER), np.uint8(0))
        kinds[ids == own] = OWN
        return kinds

    def _parts(self, watch: Watch) -> Iterator[LabelPart]:
        """Read all, in whole blocks, so that none is decoded twice."""
        (height, width), (tall, wide) = self.shape, self._plane.block(0)
        columns = wide * max(1, _PART // wide)
        rows = tall * max(1, _PART**2 // columns // tall)
        corners = [(y, x) for y in range(0, height, rows) for x in range(0, width, columns)]
        for done, (y, x) in enumerate(corners):
            watch.step(done, len(corners))
            yield y, x, self.read(y, x, min(rows, height - y), min(columns, width - x))


def is_label_file(path: Path) -> bool:
    """Whether a path may be the label image of a slide, by its name."""
    return is_zarr(path) or path.name.lower().endswith(LABEL_FILES)


def _open(path: Path) -> Slide | ZarrSlide:
    with decoding(path, "is no label image that can be read", "copy or save it again"):
        plane = ZarrSlide(path, _image(path)) if is_zarr(path) else Slide(path, numbers=True)
        if plane.channels > 1:
            raise UnusableError(
                f"has {plane.channels} channels, so it is a picture of labels",
                "save the labels themselves, one number a pixel",
            )
        if plane.dtype.kind not in "buif":
            raise UnusableError(f"holds values of type {plane.dtype}, not labels of objects")
        return plane


def _image(path: Path) -> Multiscale:
    """Return where a store holds its labels: as an OME-Zarr image, or as the one array."""
    files = StoreFiles(path)
    image = files.multiscale("")
    if image is not None:
        return image
    array = files.array("")
    if array is not None and array.shape is not None and array.dtype is not None:
        letters = "TCZYX"[-len(array.shape) :]
        if 2 <= len(array.shape) == len(letters):
            level = ZarrLevel("", array.shape, (1.0,) * len(letters))
            return Multiscale(letters, (level,), array.dtype, (), None)
    root = files.node("")
    inside = [] if root is None else ome(root.attributes).get("labels") or []
    named = f", such as {path / str(inside[0])}" if isinstance(inside, list) and inside else ""
    raise UnusableError(
        "is a Zarr store without a label image",
        f"choose the array or the OME-Zarr image of the labels{named}",
    )


def _scale(slide: tuple[int, int], labels: tuple[int, int]) -> float | None:
    """Return how many pixels of a slide one of its labels spans, None if they do not match."""
    ratios = [whole / part for whole, part in zip(slide, labels, strict=True)]
    if min(ratios) < 1:
        return None
    scale = whole_ratio(*ratios)
    # Sizes of levels are rounded, by some programs up and by others down.
    pairs = zip(slide, labels, strict=True)
    return scale if all(abs(whole - part * scale) <= scale for whole, part in pairs) else None
