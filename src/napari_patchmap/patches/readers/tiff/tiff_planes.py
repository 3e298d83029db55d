"""TIFF files of every kind (plain, ImageJ, OME) as planes with named channels."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tifffile

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.axes import channel_axis, check_axes, check_extent, settle_axes
from napari_patchmap.patches.images import GatheredImages, Images
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.photometric import Meaning, meaning_of
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.readers.flat import FlatImages
from napari_patchmap.patches.readers.tiff.ome_files import open_tiff
from napari_patchmap.patches.readers.tiff.tiff_metadata import (
    channel_names,
    check_channels,
    check_complete,
    check_files,
    is_volume,
)
from napari_patchmap.patches.readers.tiff.tiff_pages import Page, PageImages, SinglePages
from napari_patchmap.patches.readers.tiff.tiff_rescue import Stack, rescue
from napari_patchmap.patches.readers.tiff.tiff_series import (
    may_be_slide,
    own_series,
    single_pages,
    with_own_palettes,
)

# What tifffile logs of damaged files is said here in one sentence; without a
# handler Python prints it on standard error as well.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Planes:
    """Images, and what is known of them."""

    images: Images
    """All of them, also those that are lost."""
    channel_names: tuple[str, ...]
    notes: list[str]
    axes: str
    """As they were read."""
    lost: dict[int, str]
    """Which images the file does not hold as a whole, and why in a few words."""
    files: list[Path]
    """All that were read."""
    cut: bool = False
    """Whether more images may have followed in a file that is cut off."""
    costly: bool = True
    """Whether pixels have to be decoded."""
    parts: tuple[tuple[str, int], ...] = ()
    """Where a file holds several series of one kind: what each is called, and its planes."""


def read_tiff(
    path: Path, axes: str = "auto", *, whole: bool = False, numbers: bool = False
) -> Planes:
    """Find every plane of a TIFF file; pixels stay in it until they are wanted.

    Parameters
    ----------
    path : Path
    axes : str
        ``"auto"`` takes the axes of the metadata: C or S are channels, every
        other axis beside Y and X numbers patches.
    whole : bool
        Refuse a file that is cut off; else what it still holds is found.
    numbers : bool
        Read the numbers as they are stored, as labels have to be: of an image with a palette
        the places in it.

    Raises
    ------
    UnusableError
    UnclearAxesError
        If the axes that were given cannot be.
    """
    tif = open_tiff(path)
    try:
        planes = _read(tif, axes, whole, numbers)
        if whole and planes.lost:
            raise UnusableError("is cut off", "copy or export it again")
    except BaseException:
        tif.close()
        raise
    return planes


def _read(tif: tifffile.TiffFile, axes: str, whole: bool, numbers: bool) -> Planes:
    check_files(tif)
    stack, cut = None if whole else rescue(tif), False
    said: list[str] = []
    if stack is None:
        check_complete(tif)
        series = list(tif.series)
        if not series:
            raise UnusableError("holds no image")
        pyramids = [one for one in series if len(one.levels) > 1]
        if tif.is_svs or tif.is_ndpi or any(may_be_slide(one.keyframe) for one in pyramids):
            raise UnusableError(
                "is a slide (an image pyramid) among other images",
                "open it alone, or put slides into a folder of their own",
            )
        series, said = own_series(series)
        first = series[0]
        several = None
        if len(series) > 1:
            several = single_pages(series)
            if several is None:
                return _joined(tif, series, axes, numbers, said)
        elif axes == "auto" and not numbers:
            several = with_own_palettes(tif, first)
        if several is not None:
            return _single_pages(tif, several, series, numbers, said)
        stack = _stack(first)
    else:
        cut = stack.offset is None and not tif.is_ome
    planes = _planes(tif, stack, axes, numbers, said)
    if stack.offset is not None:
        tif.close()
    return replace(planes, cut=cut)


def _stack(series: tifffile.TiffPageSeries) -> Stack:
    offset = series.dataoffset
    pages = series[:] if offset is None else []
    return Stack(series.shape, series.axes, series.keyframe, pages, offset)


def _joined(
    tif: tifffile.TiffFile,
    series: list[tifffile.TiffPageSeries],
    axes: str,
    numbers: bool,
    said: list[str],
) -> Planes:
    """Read series of one kind, such as the positions of a microscope's stage, as one."""
    if len({(one.axes, str(one.dtype), one.keyframe.photometric) for one in series}) > 1:
        raise _several_kinds(series)
    made = [_planes(tif, _stack(one), axes, numbers, said) for one in series]
    first = made[0]
    if len({one.images.channels for one in made}) > 1:
        raise _several_kinds(series)
    check_channels(tif)
    lost, before = dict[int, str](), 0
    for one in made:
        lost |= {before + place: why for place, why in one.lost.items()}
        before += len(one.images)
    names = [str(one.name) for one in series]
    if len(set(names) - {""}) < len(names):
        names = [f"Image {number}" for number in range(1, len(names) + 1)]
    return replace(
        first,
        images=GatheredImages.joined([one.images for one in made]),
        notes=list(dict.fromkeys(note for one in made for note in one.notes)),
        lost=lost,
        files=sorted({file for one in made for file in one.files}),
        costly=any(one.costly for one in made),
        parts=tuple(zip(names, (len(one.images) for one in made), strict=True)),
    )


def _planes(
    tif: tifffile.TiffFile, stack: Stack, axes: str, numbers: bool, said: list[str]
) -> Planes:
    letters, notes = _letters(tif, stack, axes)
    notes += said
    check_numbers(np.dtype(stack.key.dtype), math.prod(stack.shape))
    meaning = _meaning(stack, letters, numbers)
    letters, images = _images(tif, stack, letters)
    if isinstance(images, FlatImages):
        lost = dict.fromkeys(np.flatnonzero(~images.complete()).tolist(), "is cut off")
    else:
        lost = images.lost()
    kept: Images = images
    names: tuple[str, ...] | None = None
    if meaning is not None:
        kept, names = meaning.applied(images), meaning.names
        notes += meaning.notes
    names = names or channel_names(tif, stack.key, letters, kept)
    costly = not isinstance(images, FlatImages) or images.sequential
    files = {page.parent.filehandle for page in stack.pages if page is not None}
    files |= {tif.filehandle, stack.key.parent.filehandle}
    every = sorted(Path(file.path) for file in files)
    return Planes(kept, names, notes, letters, lost, every, costly=costly)


def _meaning(stack: Stack, letters: str, numbers: bool) -> Meaning | None:
    """Say what the samples of pages mean; None if the axes say that they are no channels."""
    at = stack.axes.find("S")
    several = int(stack.key.samplesperpixel) > 1
    if several and (at < 0 or letters[at] != channel_axis(letters)):
        return None
    return meaning_of(stack.key, planes=several and letters[-1] in "YX", numbers=numbers)


def _letters(tif: tifffile.TiffFile, stack: Stack, axes: str) -> tuple[str, list[str]]:
    """Decide the axes of a series, and note what the user should know of it."""
    if axes != "auto":
        return check_axes(axes, len(stack.shape)), []
    return settle_axes(stack.axes, stack.shape, volume=is_volume(tif))


def _images(
    tif: tifffile.TiffFile, stack: Stack, letters: str
) -> tuple[str, FlatImages | PageImages]:
    page = stack.key
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        letters = letters.replace("C", "N" if "N" not in letters else "Q")
    check_extent(stack.shape, letters)
    if stack.offset is not None:
        dtype = np.dtype(page.dtype).newbyteorder(tif.byteorder)
        file = RandomFile(Path(stack.key.parent.filehandle.path))
        return letters, FlatImages(file, stack.offset, dtype, stack.shape, letters)
    return letters, PageImages(tif, stack.pages, stack.shape, letters)


def _single_pages(
    tif: tifffile.TiffFile,
    pages: list[Page],
    series: list[tifffile.TiffPageSeries],
    numbers: bool,
    notes: list[str],
) -> Planes:
    """One image after another, of several sizes or with palettes of their own."""
    for one in series:
        check_numbers(np.dtype(one.dtype), math.prod(one.shape))
    images = SinglePages(tif, pages, numbers)
    if not images.alike:
        raise _several_kinds(series)
    names = images.names or channel_names(tif, series[0].keyframe, "YXS", images)
    every = [Path(tif.filehandle.path)]
    return Planes(images, names, images.notes + notes, "NYX", images.lost(), every)


def _several_kinds(series: list[tifffile.TiffPageSeries]) -> UnusableError:
    shapes = ", ".join(sorted({f"{one.axes} {one.shape} {one.dtype}" for one in series})[:3])
    return UnusableError(
        f"holds {len(series)} images of different kinds ({shapes})",
        "save the one you want as a stack of its own",
    )
